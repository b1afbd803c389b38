//! Differential fuzzing: random modules run on wdb's machine in two ways, by single steps and at full speed with random probes and
//! ticks in between, and on wasmtime. Results, traps, memory, globals and the clock have to agree.
//!
//! ```text
//! cargo run --release --manifest-path fuzz/Cargo.toml -- --seconds 600
//! cargo run --release --manifest-path fuzz/Cargo.toml -- --seed 42 --count 1
//! ```
//!
//! A finding prints its seed, writes the module beside it and ends with status 1.

mod ours;
mod random;
mod theirs;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use arbitrary::Unstructured;
use clap::Parser;
use wasm_smith::Module;

use crate::ours::NoInstance;
use crate::random::Random;

/// Compares wdb with itself and with wasmtime on random modules.
#[derive(Parser)]
struct Arguments {
    /// How long to go on
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// How many modules at most
    #[arg(long, default_value_t = u64::MAX)]
    count: u64,
    /// The first module's seed; each further one is greater by one
    #[arg(long)]
    seed: Option<u64>,
    /// Compare these modules, .wasm or .wat, instead of random ones
    files: Vec<PathBuf>,
}

/// How a call ended, as far as engines have to agree on it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// The results' bits.
    Returned(Vec<u128>),
    /// The trap, in the specification's words.
    Trapped(String),
    /// An exception that nothing handles.
    Uncaught,
    /// The stack or the heap is exhausted, which engines do at different depths.
    Exhausted,
}

/// What can be seen of an instance after a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) outcome: Outcome,
    /// The exported memories.
    pub(crate) memories: Vec<Vec<u8>>,
    /// The bits of the exported globals that are numbers.
    pub(crate) globals: Vec<u128>,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let first = arguments.seed.unwrap_or(now.as_secs());
    let end = Instant::now() + Duration::from_secs(arguments.seconds);
    println!("seed {first}");
    let engine = theirs::engine()?;
    for file in &arguments.files {
        compare(&engine, &wat::parse_file(file)?, first)
            .with_context(|| file.display().to_string())?;
    }
    if !arguments.files.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let (mut modules, mut calls, mut traps) = (0u64, 0u64, 0u64);
    while modules < arguments.count && Instant::now() < end {
        let seed = first.wrapping_add(modules);
        modules += 1;
        let wasm = module(seed)?;
        match compare(&engine, &wasm, seed) {
            Ok((compared, trapped)) => {
                calls += compared;
                traps += trapped;
            }
            Err(finding) => {
                let path = format!("finding-{seed}.wasm");
                std::fs::write(&path, &wasm)?;
                println!("seed {seed}: {finding:#}\nthe module is in {path}");
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    println!("{modules} modules, {calls} calls, {traps} of them trapped: all agree");
    Ok(ExitCode::SUCCESS)
}

/// A module that imports nothing, exports everything, and ends: its loops use up a global that is set before each call.
fn module(seed: u64) -> anyhow::Result<Vec<u8>> {
    const LENGTH: usize = 4096;
    const FUEL: u32 = 2000;
    let bytes = Random::new(seed).bytes(LENGTH);
    let config = wasm_smith::Config {
        allow_invalid_funcs: false,
        bulk_memory_enabled: true,
        canonicalize_nans: false,
        exceptions_enabled: true,
        export_everything: true,
        extended_const_enabled: true,
        gc_enabled: true,
        generate_custom_sections: false,
        max_imports: 0,
        max_memories: 2,
        max_memory32_bytes: 4 << 16,
        max_memory64_bytes: 4 << 16,
        memory64_enabled: true,
        memory_max_size_required: true,
        min_exports: 1,
        min_funcs: 1,
        multi_value_enabled: true,
        reference_types_enabled: true,
        relaxed_simd_enabled: true,
        shared_everything_threads_enabled: false,
        simd_enabled: true,
        sign_extension_ops_enabled: true,
        saturating_float_to_int_enabled: true,
        tail_call_enabled: true,
        threads_enabled: false,
        wide_arithmetic_enabled: true,
        custom_page_sizes_enabled: false,
        ..wasm_smith::Config::default()
    };
    let mut module = Module::new(config, &mut Unstructured::new(&bytes))?;
    module.ensure_termination(FUEL)?;
    Ok(module.to_bytes())
}

/// Compares all exported functions; the number of calls and of traps.
fn compare(engine: &wasmtime::Engine, wasm: &[u8], seed: u64) -> anyhow::Result<(u64, u64)> {
    let mut random = Random::new(!seed);
    let ours = (
        ours::Instance::new(wasm, seed % 2 == 0)?,
        ours::Instance::new(wasm, false)?,
    );
    if let (Err(NoInstance::Limit), _) = ours {
        return Ok((0, 0));
    }
    let mut other = theirs::Instance::new(engine, wasm)?;
    let (mut stepped, mut running) = match ours {
        (Ok(stepped), Ok(running)) => (stepped, running),
        (Err(first), Err(second)) if first == second => {
            anyhow::ensure!(other.is_err(), "only wdb's instantiation fails: {first:?}");
            return Ok((1, 1));
        }
        _ => anyhow::bail!("an instantiation fails once and once not"),
    };
    // A start function runs with the instantiation there, and as the first invocation here.
    match (stepped.start(), running.start(), &other) {
        (Ok(()), Ok(()), Ok(_)) => {}
        (Err(stepped), Err(running), Err(_)) if stepped == running => return Ok((1, 1)),
        (stepped, running, other) => anyhow::bail!(
            "instantiation: stepped {stepped:?}, running {running:?}, wasmtime {:?}",
            other.as_ref().err()
        ),
    }
    let other = other.as_mut().expect("matched above");
    let (mut calls, mut traps) = (0, 0);
    for name in stepped.functions() {
        let args = random.arguments(&stepped.params(&name));
        let by_steps = stepped.call_by_steps(&name, &args)?;
        let at_speed = running.call_with_stops(&name, &args, &mut random)?;
        anyhow::ensure!(
            by_steps == at_speed && stepped.state() == running.state(),
            "{name}({args:?}): stepped {:?} at {:?}, running {:?} at {:?}",
            by_steps.outcome,
            stepped.state(),
            at_speed.outcome,
            running.state()
        );
        let theirs = other.call(&name, &args)?;
        calls += 1;
        traps += u64::from(!matches!(by_steps.outcome, Outcome::Returned(_)));
        if by_steps.outcome == Outcome::Exhausted || theirs.outcome == Outcome::Exhausted {
            // From here on the two have different histories.
            return Ok((calls, traps));
        }
        anyhow::ensure!(
            by_steps.outcome == theirs.outcome,
            "{name}({args:?}): wdb {:?}, wasmtime {:?}",
            by_steps.outcome,
            theirs.outcome
        );
        anyhow::ensure!(
            by_steps.memories == theirs.memories,
            "{name}({args:?}): memory differs"
        );
        anyhow::ensure!(
            by_steps.globals == theirs.globals,
            "{name}({args:?}): globals differ: wdb {:x?}, wasmtime {:x?}",
            by_steps.globals,
            theirs.globals
        );
    }
    Ok((calls, traps))
}

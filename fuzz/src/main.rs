//! Differential fuzzing: random modules run on wdb's machine in four ways, and on wasmtime. The ways are single steps, each tier at
//! full speed, and runs that stop at random probes and ticks and go on in another tier. Results, traps, memory, globals, the clock,
//! and the state at each probe have to agree.
//!
//! ```text
//! cargo run --release --manifest-path fuzz/Cargo.toml -- --seconds 600
//! cargo run --release --manifest-path fuzz/Cargo.toml -- --seed 42 --count 1
//! ```
//!
//! A finding prints its seed, writes the module beside it and ends with status 1.

mod fuel;
mod ours;
mod random;
mod theirs;
mod ways;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use arbitrary::Unstructured;
use clap::Parser;
use wasm_smith::Module;

use crate::ours::NoInstance;
use crate::random::Random;
use crate::ways::Ways;

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

/// How many calls and loops there are in a call of a module.
pub(crate) const FUEL: u32 = 1000;

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
        // A panic, whose message has been printed then, is a finding as well.
        let compared = catch_unwind(AssertUnwindSafe(|| compare(&engine, &wasm, seed)));
        match compared.unwrap_or_else(|_| Err(anyhow::anyhow!("a panic"))) {
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
    const LENGTH: usize = 16_384;
    let bytes = Random::new(seed).bytes(LENGTH);
    // Most random code traps soon: half of the modules are made of what cannot.
    let disallow_traps = seed.is_multiple_of(2);
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
        min_funcs: 12,
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
        disallow_traps,
        max_instructions: 300,
        ..wasm_smith::Config::default()
    };
    let mut module = Module::new(config, &mut Unstructured::new(&bytes))?;
    let fuel = module.ensure_termination(FUEL)?;
    fuel::export(&module.to_bytes(), fuel)
}

/// Compares all exported functions; the number of calls and of traps.
fn compare(engine: &wasmtime::Engine, wasm: &[u8], seed: u64) -> anyhow::Result<(u64, u64)> {
    let mut random = Random::new(!seed);
    let mut other = theirs::Instance::new(engine, wasm)?;
    let mut ways = match Ways::new(wasm, &mut random)? {
        Ok(ways) => ways,
        Err(NoInstance::Limit) => return Ok((0, 0)),
        Err(NoInstance::Trap(trap)) => {
            anyhow::ensure!(other.is_err(), "only wdb's instantiation traps: {trap:?}");
            return Ok((1, 1));
        }
    };
    // A start function runs with the instantiation there, and as the first invocation here.
    match (ways.start()?, &mut other) {
        (Outcome::Returned(_), Ok(other)) => compare_calls(&mut ways, other, &mut random),
        (Outcome::Returned(_), Err(error)) => {
            anyhow::bail!("only wasmtime fails to start: {error}")
        }
        (_, Err(_)) => Ok((1, 1)),
        (outcome, Ok(_)) => anyhow::bail!("only wdb fails to start: {outcome:?}"),
    }
}

fn compare_calls(
    ways: &mut Ways,
    other: &mut theirs::Instance,
    random: &mut Random,
) -> anyhow::Result<(u64, u64)> {
    let (mut calls, mut traps) = (0, 0);
    for name in ways.functions() {
        let args = random.arguments(&ways.params(&name));
        let call = || format!("{name}({args:?})");
        let ours = ways.call(&name, &args, random).with_context(call)?;
        let theirs = other.call(&name, &args)?;
        calls += 1;
        traps += u64::from(!matches!(ours.outcome, Outcome::Returned(_)));
        if ours.outcome == Outcome::Exhausted || theirs.outcome == Outcome::Exhausted {
            // From here on the two have different histories.
            break;
        }
        anyhow::ensure!(
            ours.outcome == theirs.outcome,
            "{}: wdb {:?}, wasmtime {:?}",
            call(),
            ours.outcome,
            theirs.outcome
        );
        anyhow::ensure!(
            ours.memories == theirs.memories,
            "{}: memory differs from wasmtime's",
            call()
        );
        anyhow::ensure!(
            ours.globals == theirs.globals,
            "{}: globals differ: wdb {:x?}, wasmtime {:x?}",
            call(),
            ours.globals,
            theirs.globals
        );
    }
    Ok((calls, traps))
}

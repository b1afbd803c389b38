//! What compiling all functions of a module takes, and how much code comes of it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use serde_json::json;
use wdb_vm::tier::Tier;

use crate::bars;
#[cfg(feature = "wasmtime")]
use crate::engines::wasmtime::Wasmtime;
use crate::engines::wdb;
use crate::measure::median;
use crate::programs::{self, Amount};
use crate::report::Figures;

#[derive(clap::Args)]
pub struct Options {
    /// Rounds; every compiler compiles every module once in each, and medians are printed
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Modules beside the benchmarks' Lua
    #[arg(long = "module", value_name = "FILE")]
    modules: Vec<PathBuf>,
    /// Print the figures as JSON instead of tables
    #[arg(long)]
    json: bool,
}

/// What came of compiling a module.
pub struct Compiled {
    /// From the module's bytes to code that can be entered, on one thread.
    pub time: Duration,
    pub code_bytes: usize,
}

/// What compiles, on one thread.
struct Compiler {
    name: &'static str,
    compile: fn(&[u8]) -> anyhow::Result<Compiled>,
}

const COMPILERS: &[Compiler] = &[
    Compiler {
        name: "jit",
        compile: |wasm| wdb::compile(wasm, Tier::Jit),
    },
    Compiler {
        name: "opt",
        compile: |wasm| wdb::compile(wasm, Tier::Opt),
    },
    #[cfg(feature = "wasmtime")]
    Compiler {
        name: "wasmtime",
        compile: |wasm| Wasmtime::Cranelift.compile(wasm),
    },
    #[cfg(feature = "wasmtime")]
    Compiler {
        name: "winch",
        compile: |wasm| Wasmtime::Winch.compile(wasm),
    },
];

/// What the column of the sizes of the functions' bodies is called.
const WASM: &str = "wasm";

/// Measures and prints.
pub fn compile(options: &Options) -> anyhow::Result<()> {
    let programs = programs::all(Amount::Short);
    let lua = programs.into_iter().find(|program| program.name == "lua");
    let lua = lua.context("Lua is one of the programs")?;
    let mut modules = vec![(lua.name.to_owned(), lua.wasm.into_owned())];
    for path in &options.modules {
        let name = path.file_name().unwrap_or(path.as_os_str());
        let wasm = std::fs::read(path).with_context(|| path.display().to_string())?;
        modules.push((name.to_string_lossy().into_owned(), wasm));
    }
    let names = COMPILERS.iter().map(|it| it.name.to_owned());
    let mut medians = Figures::new(names.clone());
    let mut fastest = Figures::new(names.clone());
    let mut sizes = Figures::new(std::iter::once(WASM.to_owned()).chain(names));
    for (name, wasm) in &modules {
        let measured = measure(wasm, options.rounds).with_context(|| name.clone())?;
        let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
        medians.push(name, measured.iter().map(|it| milliseconds(it.median)));
        fastest.push(name, measured.iter().map(|it| milliseconds(it.fastest)));
        let bytes = measured.iter().map(|it| it.code_bytes);
        let bytes = std::iter::once(wdb::code_len(wasm)?).chain(bytes);
        sizes.push(name, bytes.map(|bytes| bytes as f64 / 1024.0));
    }
    if options.json {
        let json = json!({
            "compile_ms": medians.json(bars::COMPILE_TIME),
            "fastest_compile_ms": fastest.json(bars::COMPILE_TIME),
            "code_kib": sizes.json(bars::CODE_SIZE),
        });
        println!("{}", serde_json::to_string_pretty(&json)?);
        return Ok(());
    }
    print!("{}", medians.text("median ms", 1));
    let comparisons = bars::COMPILE_TIME;
    print!("{}", medians.ratios_text("ratio of medians", comparisons));
    print!(
        "{}",
        fastest.ratios_text("ratio of the fastest rounds", comparisons)
    );
    print!("{}", sizes.text("KiB of code", 0));
    print!("{}", sizes.ratios_text("ratio of sizes", bars::CODE_SIZE));
    Ok(())
}

/// What a compiler takes.
struct Measured {
    median: Duration,
    fastest: Duration,
    code_bytes: usize,
}

fn measure(wasm: &[u8], rounds: u32) -> anyhow::Result<Vec<Measured>> {
    let mut times = vec![Vec::new(); COMPILERS.len()];
    let mut sizes = vec![0; COMPILERS.len()];
    // The first round is not counted: what it is the first to touch comes into memory.
    for round in 0..=rounds {
        for turn in 0..COMPILERS.len() {
            let index = (turn + round as usize) % COMPILERS.len();
            let compiler = &COMPILERS[index];
            let compiled = (compiler.compile)(wasm).context(compiler.name)?;
            sizes[index] = compiled.code_bytes;
            if round > 0 {
                times[index].push(compiled.time);
            }
        }
    }
    let measured = times.into_iter().zip(sizes);
    let measured = measured.map(|(mut times, code_bytes)| Measured {
        fastest: times.iter().min().copied().unwrap_or_default(),
        median: median(&mut times),
        code_bytes,
    });
    Ok(measured.collect())
}

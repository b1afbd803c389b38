//! Runs the same programs in wdb's tiers and in its peers, interleaved in one process, and prints medians and ratios.
//!
//! `cargo run --release --manifest-path bench/Cargo.toml -- --help`

mod engines;

use std::time::{Duration, Instant};

use clap::Parser;
use engines::{Engine, Prepared};

/// A program, and how much it has to do by default.
struct Program {
    name: &'static str,
    wasm: &'static [u8],
    n: i32,
}

macro_rules! programs {
    ($($name:literal $n:literal,)*) => {
        &[$(Program { name: $name, wasm: include_bytes!(concat!("../programs/", $name, ".wasm")), n: $n },)*]
    };
}

static PROGRAMS: &[Program] = programs! {
    "core" 120,
    "fib" 32,
    "sieve" 2,
    "nbody" 100_000,
    "sha256" 2,
    "mandel" 150,
    "matmul" 2,
    "sorthash" 1,
    "bf" 1,
    "vmcall" 400_000,
    "hash64" 300_000,
    "memops" 20,
};

#[derive(Parser)]
#[command(about = "Times wdb's tiers beside other engines in one run")]
struct Arguments {
    /// Rounds; every engine runs every program once in each, and medians are printed.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Only programs whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Multiplies the work of every program.
    #[arg(long, default_value_t = 1)]
    scale: i32,
    /// Also time single steps through the API.
    #[arg(long)]
    steps: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if arguments.steps {
        println!("step(): {:.1} million a second", engines::steps_per_second(PROGRAMS[1].wasm)? / 1e6);
    }
    let engines = engines::all();
    print!("{:10}", "ms");
    for engine in &engines {
        print!(" {:>12}", engine.name());
    }
    println!("   ratio to {}", engines[engines.len() - 1].name());
    let mut logarithms = vec![0.0; engines.len()];
    let mut count = 0;
    for program in PROGRAMS.iter().filter(|program| program.name.contains(&arguments.only)) {
        let times = medians(&engines, program, program.n * arguments.scale, arguments.rounds)?;
        let reference = times[times.len() - 1].as_secs_f64();
        print!("{:10}", program.name);
        for time in &times {
            print!(" {:12.2}", time.as_secs_f64() * 1e3);
        }
        for (logarithm, time) in logarithms.iter_mut().zip(&times) {
            let ratio = time.as_secs_f64() / reference;
            *logarithm += ratio.ln();
            print!(" {ratio:6.2}");
        }
        println!();
        count += 1;
    }
    print!("{:10}", "geo. mean");
    engines.iter().for_each(|_| print!(" {:12}", ""));
    for logarithm in logarithms {
        print!(" {:6.2}", (logarithm / f64::from(count)).exp());
    }
    println!();
    Ok(())
}

/// The median time of each engine. All must agree on the result.
fn medians(engines: &[Box<dyn Engine>], program: &Program, n: i32, rounds: usize) -> anyhow::Result<Vec<Duration>> {
    let mut prepared: Vec<Box<dyn Prepared>> =
        engines.iter().map(|engine| engine.prepare(program.wasm)).collect::<Result<_, _>>()?;
    let mut times = vec![Vec::new(); engines.len()];
    // A first round that is not counted lets lazy translation happen.
    for round in 0..=rounds {
        let mut first = None;
        for (prepared, times) in prepared.iter_mut().zip(&mut times) {
            let start = Instant::now();
            let result = prepared.run(n)?;
            if round > 0 {
                times.push(start.elapsed());
            }
            let expected = *first.get_or_insert(result);
            anyhow::ensure!(result == expected, "{}: results differ: {result:x} and {expected:x}", program.name);
        }
    }
    Ok(times
        .into_iter()
        .map(|mut times| {
            times.sort();
            times[times.len() / 2]
        })
        .collect())
}

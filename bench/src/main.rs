//! Runs the same programs in wdb's tiers and in its peers, interleaved in one process, and prints medians and ratios.
//!
//! `cargo run --release --manifest-path bench/Cargo.toml -- --help`

mod bars;
mod compile;
mod engines;
mod interrupt;
mod measure;
mod profile;
mod programs;
mod race;
mod random;
mod report;
#[cfg(feature = "startup")]
mod startup;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use programs::{Amount, Program};
use race::{Options, Race};

#[derive(Parser)]
#[command(
    about = "Times wdb's tiers beside other engines in one run",
    args_conflicts_with_subcommands = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    speed: Options,
}

#[derive(Subcommand)]
enum Command {
    /// From the bytes of a module to the result, with all that is compiled
    Wall(Options),
    /// A breakpoint in the hottest loop whose condition never holds
    Conditions(Options),
    /// A watchpoint on a variable that is left alone
    Watch(Options),
    /// A million exceptions that are thrown and caught
    Exceptions(Options),
    /// A thousand collections at a call depth of ten thousand
    Collections(Options),
    /// Compiling all functions of a module on one thread: time, and size of the code
    Compile(compile::Options),
    /// From an interrupt by another thread to the end of the run
    Interrupt(interrupt::Options),
    /// Single steps through the API
    Steps,
    /// Say what the engines and the programs are
    List,
    /// Wall time and peak memory from the start of a process to the end of a program that does next to nothing
    #[cfg(feature = "startup")]
    Startup(startup::Startup),
    /// What `startup` measures
    #[cfg(feature = "startup")]
    #[command(hide = true)]
    Start(startup::Start),
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    match arguments.command {
        None => Race::speed(&arguments.speed).run()?,
        Some(Command::Wall(options)) => Race::wall(&options).run()?,
        Some(Command::Conditions(options)) => Race::conditions(&options).run()?,
        Some(Command::Watch(options)) => Race::watch(&options).run()?,
        Some(Command::Exceptions(options)) => Race::exceptions(&options).run()?,
        Some(Command::Collections(options)) => Race::collections(&options).run()?,
        Some(Command::Compile(options)) => compile::compile(&options)?,
        Some(Command::Interrupt(options)) => interrupt::interrupt(&options)?,
        Some(Command::Steps) => steps()?,
        Some(Command::List) => list(),
        #[cfg(feature = "startup")]
        Some(Command::Startup(arguments)) => startup::startup(&arguments)?,
        #[cfg(feature = "startup")]
        Some(Command::Start(start)) => return startup::run_child(&start),
    }
    Ok(ExitCode::SUCCESS)
}

fn steps() -> anyhow::Result<()> {
    let programs = programs::all(Amount::Short);
    let fib = programs.iter().find(|program| program.name == "fib");
    let speed = engines::wdb::steps_per_second(fib.expect("it is there"))?;
    println!("step(): {:.1} million a second", speed / 1e6);
    Ok(())
}

fn list() {
    for engine in engines::all() {
        println!("{:12} {}", engine.name(), engine.description());
    }
    for Program { name, wasm, n, .. } in programs::all(Amount::Short) {
        println!("{name:12} run({n}), {} bytes", wasm.len());
    }
}

/// Those of the given names, or all when none is given; an error about a name that nothing has.
fn chosen<T>(
    all: Vec<T>,
    names: &[String],
    name_of: impl Fn(&T) -> &'static str,
) -> anyhow::Result<Vec<T>> {
    let known: Vec<&str> = all.iter().map(&name_of).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        anyhow::bail!("there is no {unknown}; there are {}", known.join(", "));
    }
    let is_chosen = |item: &T| names.is_empty() || names.iter().any(|name| name == name_of(item));
    Ok(all.into_iter().filter(is_chosen).collect())
}

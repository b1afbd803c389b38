//! Runs the same programs in wdb's tiers and in its peers, interleaved in one process, and prints medians and ratios.
//!
//! `cargo run --release --manifest-path bench/Cargo.toml -- --help`

mod engines;
mod measure;
mod programs;
mod report;
#[cfg(feature = "startup")]
mod startup;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use programs::Program;

#[derive(Parser)]
#[command(
    about = "Times wdb's tiers beside other engines in one run",
    args_conflicts_with_subcommands = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    speed: Speed,
}

#[derive(Subcommand)]
enum Command {
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

#[derive(clap::Args)]
struct Speed {
    /// Rounds; every engine runs every program once in each, and medians are printed
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Only these engines
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    engines: Vec<String>,
    /// Only these programs
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    programs: Vec<String>,
    /// Multiplies the work of every program
    #[arg(long, default_value_t = 1)]
    scale: i32,
    /// Print the measurements as JSON instead of tables
    #[arg(long)]
    json: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    match arguments.command {
        None => speed(&arguments.speed)?,
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
    let mut programs = programs::ALL.iter();
    let fib = programs.find(|program| program.name == "fib");
    let speed = engines::steps_per_second(fib.expect("it is there").wasm)?;
    println!("step(): {:.1} million a second", speed / 1e6);
    Ok(())
}

fn list() {
    for engine in engines::all() {
        println!("{:12} {}", engine.name(), engine.description());
    }
    for Program { name, wasm, n } in programs::ALL {
        println!("{name:12} run({n}), {} bytes", wasm.len());
    }
}

fn speed(arguments: &Speed) -> anyhow::Result<()> {
    let engines = chosen(engines::all(), &arguments.engines, |engine| engine.name())?;
    let programs = chosen(
        programs::ALL.iter().collect(),
        &arguments.programs,
        |program| program.name,
    )?;
    let mut rows = Vec::new();
    for program in programs {
        let row = measure::measure(
            &engines,
            program,
            program.n * arguments.scale,
            arguments.rounds,
        )?;
        if !arguments.json {
            eprintln!("{}", report::progress(&engines, &row));
        }
        rows.push(row);
    }
    if arguments.json {
        println!(
            "{}",
            serde_json::to_string_pretty(&report::json(&engines, &rows))?
        );
    } else {
        print!("{}", report::text(&engines, &rows));
    }
    Ok(())
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

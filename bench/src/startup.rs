//! How long modules take to start and how much memory that takes: each in a process of its own.

mod child;

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;

use child::Way;
pub use child::{Start, run_child};

#[derive(clap::Args)]
pub struct Startup {
    /// Rounds; every way runs every program once in each, and medians are printed
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Only these ways, as the table names them
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    ways: Vec<String>,
    /// The module of esbuild, which peers/fetch-esbuild.sh fetches
    #[arg(long, value_name = "FILE", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/esbuild.wasm"))]
    esbuild: PathBuf,
}

/// A program and its arguments.
struct Program {
    name: &'static str,
    file: PathBuf,
    args: &'static [&'static str],
}

/// What one process took.
struct Sample {
    wall: Duration,
    peak_bytes: u64,
}

/// Measures and prints the table.
pub fn startup(arguments: &Startup) -> anyhow::Result<()> {
    let ways = crate::chosen(Way::ALL.to_vec(), &arguments.ways, |way| way.name())?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut programs = vec![
        Program {
            name: "small (fib)",
            file: folder.join("programs/fib.wasm"),
            args: &[],
        },
        Program {
            name: "Lua",
            file: folder.join("programs/lua.wasm"),
            args: &[],
        },
    ];
    if arguments.esbuild.exists() {
        let file = arguments.esbuild.clone();
        programs.push(Program {
            name: "esbuild --version",
            file,
            args: &["--version"],
        });
    } else {
        eprintln!(
            "NOT MEASURED: {} is missing; see peers/fetch-esbuild.sh",
            arguments.esbuild.display()
        );
    }
    println!(
        "| wall ms / peak MB | {} |",
        ways.iter()
            .map(|way| way.name())
            .collect::<Vec<_>>()
            .join(" | ")
    );
    println!("|---|{}", "---:|".repeat(ways.len()));
    for program in &programs {
        let samples = measure(program, &ways, arguments.rounds)?;
        let cells: Vec<String> = samples.iter().map(|samples| cell(samples)).collect();
        println!("| {} | {} |", program.name, cells.join(" | "));
    }
    Ok(())
}

/// The samples of each way.
fn measure(program: &Program, ways: &[Way], rounds: u32) -> anyhow::Result<Vec<Vec<Sample>>> {
    let mut samples: Vec<Vec<Sample>> = ways.iter().map(|_| Vec::new()).collect();
    let mut expected = None;
    for round in 0..=rounds {
        for turn in 0..ways.len() {
            let index = (turn + round as usize) % ways.len();
            let (sample, output) = sample(ways[index], program)?;
            let expected = expected.get_or_insert_with(|| output.clone());
            let name = ways[index].name();
            anyhow::ensure!(
                output == *expected,
                "{} in {name} prints {output:?}, not {expected:?}",
                program.name
            );
            // The first round brings the files into memory.
            if round > 0 {
                samples[index].push(sample);
            }
        }
    }
    Ok(samples)
}

/// Runs this program as the child.
fn sample(way: Way, program: &Program) -> anyhow::Result<(Sample, String)> {
    let start = Instant::now();
    let mut child = Command::new(std::env::current_exe()?)
        .args(["start", way.name()])
        .arg(&program.file)
        .args(program.args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut output = String::new();
    child
        .stdout
        .take()
        .context("it has a pipe")?
        .read_to_string(&mut output)?;
    let (status, peak_bytes) = wait(child.id())?;
    let wall = start.elapsed();
    anyhow::ensure!(
        status.success(),
        "{} in {}: {status}",
        program.name,
        way.name()
    );
    Ok((Sample { wall, peak_bytes }, output))
}

/// Waits for a child, and says how much memory it took at most.
fn wait(child: u32) -> anyhow::Result<(ExitStatus, u64)> {
    const BYTES_PER_UNIT: u64 = if cfg!(target_os = "macos") { 1 } else { 1024 };
    let mut status = 0;
    // SAFETY: the structure is plain numbers, for which zeros are valid.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both places are valid for writes, and the child has not been waited for.
    let waited = unsafe { libc::wait4(child as libc::pid_t, &raw mut status, 0, &raw mut usage) };
    anyhow::ensure!(
        waited == child as libc::pid_t,
        std::io::Error::last_os_error()
    );
    Ok((
        ExitStatus::from_raw(status),
        usage.ru_maxrss as u64 * BYTES_PER_UNIT,
    ))
}

/// The median time and the median of the peaks.
fn cell(samples: &[Sample]) -> String {
    let mut walls: Vec<Duration> = samples.iter().map(|sample| sample.wall).collect();
    let mut peaks: Vec<u64> = samples.iter().map(|sample| sample.peak_bytes).collect();
    walls.sort_unstable();
    peaks.sort_unstable();
    let wall = walls[walls.len() / 2].as_secs_f64() * 1e3;
    format!(
        "{wall:.1} / {:.1}",
        peaks[peaks.len() / 2] as f64 / f64::from(1 << 20)
    )
}

//! Real clients: each file in `lldb/` and `gdb/` is a test that stock lldb or gdb performs against `wdb gdbserver`.
//!
//! A file says which program is debugged, and holds the client's commands with what it prints:
//!
//! ```text
//! # What it shows.
//! program: samples/fib/fib.wasm 3
//! (lldb) breakpoint set -n fib
//! Breakpoint 1: where = fib.wasm`fib + 29 at fib.c:9:9, address = 0x400000000000020b
//! ```
//!
//! Further lines of the head are `invoke: FUNCTION`, `multi:`, `unix:` (the server
//! listens on a path), `ends:` (the end of the server is part of the file: its exit status and what it wrote to its standard error)
//! and `launch:` (lldb starts wdb itself). In commands, `{connect}` is what connects to the server (`{extended}` with gdb's extended protocol), `{root}`
//! the folder of the project; the command `^C` interrupts the client. What the program prints is not in the file. `BLESS=1` writes what came instead of comparing it.
//!
//! Without the client a test says loudly that it did not run; with `WDB_REQUIRE_CLIENTS` set, it fails.

mod client;
mod scenario;
mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use client::Client;
use scenario::Scenario;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for client in [Client::Lldb, Client::Gdb] {
        for path in scenarios(client) {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let name = format!("{}::{stem}", client.folder());
            trials.push(Trial::test(name, move || check(client, &path)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn scenarios(client: Client) -> Vec<PathBuf> {
    let folder = root().join("tests/remote").join(client.folder());
    let entries = fs::read_dir(folder).expect("the scenarios are part of the project");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|it| it == "txt"))
        .collect();
    paths.sort();
    paths
}

fn check(client: Client, path: &Path) -> Result<(), Failed> {
    let Some(program) = client.find() else {
        let missing = format!("{}: not run: {} missing", path.display(), client.program());
        if std::env::var_os("WDB_REQUIRE_CLIENTS").is_some() {
            return Err(missing.into());
        }
        eprintln!("{missing}");
        return Ok(());
    };
    let wanted = fs::read_to_string(path)?;
    let scenario = Scenario::parse(client, &wanted)?;
    let found = scenario.perform(&program)?;
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, found)?;
        return Ok(());
    }
    if in_order(client, &wanted) == in_order(client, &found) {
        return Ok(());
    }
    let diff = similar::TextDiff::from_lines(&wanted, &found);
    let diff = diff.unified_diff().header("wanted", "found").to_string();
    Err(format!("{}: (BLESS=1 accepts this)\n{diff}", path.display()).into())
}

/// A scenario's lines. lldb prints from several threads: in what order the lines of one answer come says nothing.
fn in_order(client: Client, text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    if client == Client::Lldb {
        let answers = lines.split_mut(|line| line.starts_with(client.prompt()));
        answers.for_each(<[&str]>::sort_unstable);
    }
    lines
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

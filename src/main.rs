//! `wdb`: the command line, and the wiring of the parts.

#![forbid(unsafe_code)]

mod arguments;
mod compare;

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use clap::CommandFactory;
use wdb_debugger::ProgramSource;
use wdb_debugger::session::{Session, SessionOptions, StdinChoice};
use wdb_gdbstub::{Lifetime, Server};
use wdb_tui::line::LineOptions;
use wdb_tui::screen::{ScreenOptions, Theme};
use wdb_tui::{InitOptions, ScriptItem};
use wdb_wast::{Execution, Failure, Language, Mode, ReadError, Tier};

use crate::arguments::{
    Action, Cli, DebugArgs, EnvironmentArgs, GdbserverArgs, RunArgs, StatsFormat, TierArgs,
    WastArgs,
};

/// The sample that `--demo` opens, and the path under which its debug info records the source.
const DEMO_NAME: &str = "inventory.wasm";
const DEMO_PROGRAM: &[u8] = include_bytes!("../samples/inventory/inventory.wasm");
const DEMO_SOURCE_PATH: &str = "/wdb/samples/inventory/inventory.c";
const DEMO_SOURCE: &str = include_str!("../samples/inventory/inventory.c");

fn main() -> ExitCode {
    let (cli, script) = arguments::parse(std::env::args_os());
    match perform(cli, script) {
        Ok(code) => code,
        Err(error) => {
            let is_closed_pipe = error
                .downcast_ref::<io::Error>()
                .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe);
            if !is_closed_pipe {
                eprintln!("wdb: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

fn perform(cli: Cli, script: Vec<ScriptItem>) -> anyhow::Result<ExitCode> {
    match cli.action {
        None => debug(cli.debug, script),
        Some(Action::Compare(arguments)) => compare::compare(arguments),
        Some(Action::Run(arguments)) => run(arguments),
        Some(Action::Gdbserver(arguments)) => gdbserver(arguments),
        Some(Action::Inspect { program }) => {
            let text = wdb_debugger::inspect::inspect(ProgramSource::File(program))?;
            io::stdout().lock().write_all(text.as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Action::Wast(arguments)) => wast(&arguments),
        Some(Action::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "wdb", &mut script);
            io::stdout().lock().write_all(&script)?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Action::Man) => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            io::stdout().lock().write_all(&page)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn debug(arguments: DebugArgs, script: Vec<ScriptItem>) -> anyhow::Result<ExitCode> {
    let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let is_screen = is_terminal && !arguments.line && !arguments.batch && !arguments.json;
    let mut options = session_options(arguments.environment, arguments.tier, arguments.args);
    options.json = arguments.json;
    if is_screen && options.stdin == StdinChoice::Inherit {
        options.stdin = StdinChoice::Typed;
    }
    let source = match arguments.program {
        Some(path) => ProgramSource::File(path),
        None => {
            options
                .embedded_sources
                .push((DEMO_SOURCE_PATH.to_owned(), DEMO_SOURCE.to_owned()));
            ProgramSource::Embedded {
                name: DEMO_NAME.to_owned(),
                bytes: DEMO_PROGRAM.to_vec(),
            }
        }
    };
    let session = Session::open(source, options)?;
    if let Some(address) = &arguments.gdb {
        return serve(&session, address, Lifetime::Program);
    }
    let served = session.clone();
    session.set_server(move |address| start_server(&served, address));
    let init = wdb_tui::init_scripts(InitOptions {
        is_skipped: arguments.no_init,
        trusts: arguments.trust,
        can_ask: is_terminal && !arguments.batch && !arguments.json,
    });
    let status = if is_screen {
        let mut screen = ScreenOptions::default();
        if let Some(theme) = arguments.theme.as_deref().and_then(Theme::named) {
            screen.theme = theme;
        }
        // Without a script of their own, people want to see their program.
        screen.commands = init;
        match script.is_empty() {
            true => screen
                .commands
                .push(ScriptItem::Command("start".to_owned())),
            false => screen.commands.extend(script),
        }
        wdb_tui::screen::run(&session, screen)?
    } else {
        wdb_tui::line::run(
            &session,
            LineOptions {
                batch: arguments.batch,
                json: arguments.json,
                commands: init.into_iter().chain(script).collect(),
                ..LineOptions::default()
            },
        )?
    };
    Ok(exit_code(status))
}

fn gdbserver(arguments: GdbserverArgs) -> anyhow::Result<ExitCode> {
    let options = session_options(arguments.environment, arguments.tier, arguments.args);
    let session = Session::open(ProgramSource::File(arguments.program), options)?;
    let lifetime = match arguments.multi {
        true => Lifetime::Endless,
        false => Lifetime::Program,
    };
    serve(&session, &arguments.address, lifetime)
}

/// Starts a server beside another front end; answers what to tell the user.
fn start_server(session: &Session, address: &str) -> Result<String, String> {
    let server = Server::bind(session, address).map_err(|error| error.to_string())?;
    let mut told = format!("Listening on {}", server.address());
    if let Some(warning) = server.warning() {
        told.push_str(&format!("\nwarning: {warning}"));
    }
    server.spawn().map_err(|error| error.to_string())?;
    Ok(told)
}

/// Serves lldb and gdb. The address goes to the standard error, as the standard output is the program's.
fn serve(session: &Session, address: &str, lifetime: Lifetime) -> anyhow::Result<ExitCode> {
    let server = Server::bind(session, address)?;
    let status = server.run(lifetime, |server| {
        if let Some(warning) = server.warning() {
            eprintln!("wdb: warning: {warning}");
        }
        eprintln!("Listening on {}", server.address());
    })?;
    Ok(exit_code(status))
}

fn run(arguments: RunArgs) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let mut options = session_options(arguments.environment, arguments.tier, arguments.args);
    options.perf_map = arguments.perf_map;
    let outcome = wdb_debugger::run::run(ProgramSource::File(arguments.program), options)?;
    let elapsed = started.elapsed();
    if let Some(results) = outcome.results.as_ref().filter(|it| !it.is_empty()) {
        writeln!(io::stdout(), "{results}")?;
    }
    if let Some(failure) = &outcome.failure {
        eprintln!("{failure}");
    }
    if let Some(format) = arguments.stats {
        let stats = outcome.stats(elapsed, peak_memory_bytes());
        match format {
            StatsFormat::Text => eprintln!("{}", stats.text()),
            StatsFormat::Json => eprintln!("{}", stats.json()),
        }
    }
    Ok(exit_code(i32::try_from(outcome.status).unwrap_or(1)))
}

/// Runs test scripts; failures go to the standard error, the figures of each file and of all to the standard output.
fn wast(arguments: &WastArgs) -> anyhow::Result<ExitCode> {
    let mode = if arguments.step {
        Mode::StepAndRun
    } else {
        Mode::Run
    };
    let chosen = arguments.tier.as_deref();
    let tiers = Tier::ALL
        .into_iter()
        .filter(|tier| chosen.is_none_or(|name| tier.name() == name));
    let mut all: Vec<WastTally> = tiers.map(WastTally::new).collect();
    for path in &arguments.files {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(|| name.clone())?;
        let on_tier =
            |sum: &WastTally| wast_on_tier(&name, &text, arguments.features, sum.tier, mode);
        let tallies: Result<Vec<WastTally>, ReadError> = all.iter().map(on_tier).collect();
        let tallies = tallies.unwrap_or_else(|error| {
            eprintln!("{name}:{}: {}", error.line, error.message);
            let unreadable = |sum: &WastTally| WastTally {
                failed: error.assertions,
                is_success: false,
                ..WastTally::new(sum.tier)
            };
            all.iter().map(unreadable).collect()
        });
        for (sum, tally) in all.iter_mut().zip(&tallies) {
            sum.passed += tally.passed;
            sum.failed += tally.failed;
            sum.is_success &= tally.is_success;
        }
        writeln!(io::stdout(), "{name}: {}", wast_text(&tallies))?;
    }
    writeln!(io::stdout(), "all: {}", wast_text(&all))?;
    let is_success = all.iter().all(|tally| tally.is_success);
    Ok(exit_code(i32::from(!is_success)))
}

/// How test scripts went on a tier.
struct WastTally {
    tier: Tier,
    passed: usize,
    failed: usize,
    /// Not all that can fail is an assertion.
    is_success: bool,
}

impl WastTally {
    fn new(tier: Tier) -> WastTally {
        WastTally {
            tier,
            passed: 0,
            failed: 0,
            is_success: true,
        }
    }
}

/// Runs a test script on a tier, and prints what fails.
fn wast_on_tier(
    name: &str,
    text: &str,
    language: Language,
    tier: Tier,
    mode: Mode,
) -> Result<WastTally, ReadError> {
    let report = wdb_wast::run(text, language, Execution { tier, mode })?;
    for Failure { line, reason } in &report.failures {
        eprintln!("{name}:{line}: {}: {reason}", tier.name());
    }
    Ok(WastTally {
        tier,
        passed: report.passed,
        failed: report.assertions - report.passed,
        is_success: report.failures.is_empty(),
    })
}

/// The figures, once when all tiers have the same.
fn wast_text(tallies: &[WastTally]) -> String {
    let figures = |tally: &WastTally| format!("{} passed, {} failed", tally.passed, tally.failed);
    let first = figures(&tallies[0]);
    if tallies.iter().all(|tally| figures(tally) == first) {
        return first;
    }
    let on_tier = |tally: &WastTally| format!("{} on {}", figures(tally), tally.tier.name());
    tallies.iter().map(on_tier).collect::<Vec<_>>().join("; ")
}

pub(crate) fn session_options(
    environment: EnvironmentArgs,
    tier: TierArgs,
    args: Vec<String>,
) -> SessionOptions {
    let (args, invoke) = match environment.invoke {
        Some(function) => (Vec::new(), Some((function, args))),
        None => (args, None),
    };
    SessionOptions {
        args,
        invoke,
        env: environment.env,
        dirs: environment.dirs,
        source_maps: environment.source_maps,
        stub_imports: environment.stub_imports,
        stdin: environment
            .stdin
            .map_or(StdinChoice::Inherit, StdinChoice::File),
        json: false,
        tier: tier.tier,
        compile: tier.code.compile,
        bounds: tier.code.bounds,
        perf_map: false,
        embedded_sources: Vec::new(),
    }
}

/// The operating system keeps the low byte of an exit status.
fn exit_code(status: i32) -> ExitCode {
    ExitCode::from(status.to_le_bytes()[0])
}

/// The most memory that this process has used, where the operating system tells.
fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string(PathBuf::from("/proc/self/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

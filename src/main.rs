//! `wdb`: the command line, and the wiring of the parts.

#![forbid(unsafe_code)]

mod arguments;

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
use wdb_wast::{Execution, Failure};

use crate::arguments::{Action, Cli, DebugArgs, EnvironmentArgs, GdbserverArgs, RunArgs, WastArgs};

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
    let mut options = session_options(arguments.environment, arguments.args);
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
    let options = session_options(arguments.environment, arguments.args);
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
    let options = session_options(arguments.environment, arguments.args);
    let outcome = wdb_debugger::run::run(ProgramSource::File(arguments.program), options)?;
    if let Some(results) = outcome.results.filter(|results| !results.is_empty()) {
        writeln!(io::stdout(), "{results}")?;
    }
    if let Some(failure) = outcome.failure {
        eprintln!("{failure}");
    }
    if arguments.stats {
        eprintln!("time          {:.3} s", started.elapsed().as_secs_f64());
        eprintln!("ticks         {}", outcome.ticks);
        eprintln!("guest memory  {} KiB", outcome.memory_bytes / 1024);
        if let Some(peak) = peak_memory_kib() {
            eprintln!("peak memory   {peak} KiB");
        }
    }
    Ok(exit_code(i32::try_from(outcome.status).unwrap_or(1)))
}

/// Runs test scripts; failures go to the standard error, the figures of each file and of all to the standard output.
fn wast(arguments: &WastArgs) -> anyhow::Result<ExitCode> {
    let execution = if arguments.step {
        Execution::StepAndRun
    } else {
        Execution::Run
    };
    let mut is_success = true;
    let (mut passed, mut failed) = (0, 0);
    for path in &arguments.files {
        let name = path.display();
        let text = std::fs::read_to_string(path).with_context(|| name.to_string())?;
        let (file_passed, file_failed) = match wdb_wast::run(&text, arguments.features, execution) {
            Ok(report) => {
                for Failure { line, reason } in &report.failures {
                    eprintln!("{name}:{line}: {reason}");
                }
                is_success &= report.failures.is_empty();
                (report.passed, report.assertions - report.passed)
            }
            Err(error) => {
                eprintln!("{name}:{}: {}", error.line, error.message);
                is_success = false;
                (0, error.assertions)
            }
        };
        writeln!(
            io::stdout(),
            "{name}: {file_passed} passed, {file_failed} failed"
        )?;
        passed += file_passed;
        failed += file_failed;
    }
    writeln!(io::stdout(), "all: {passed} passed, {failed} failed")?;
    Ok(exit_code(i32::from(!is_success)))
}

fn session_options(environment: EnvironmentArgs, args: Vec<String>) -> SessionOptions {
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
        embedded_sources: Vec::new(),
    }
}

/// The operating system keeps the low byte of an exit status.
fn exit_code(status: i32) -> ExitCode {
    ExitCode::from(status.to_le_bytes()[0])
}

/// The most memory that this process has used, where the operating system tells.
fn peak_memory_kib() -> Option<u64> {
    let status = std::fs::read_to_string(PathBuf::from("/proc/self/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

//! Running a program to its end without debugging it (`wdb run`).

use std::sync::Arc;

use wdb_vm::address::FuncAddr;
use wdb_vm::exit::Exit;
use wdb_vm::vm::{RunLimit, Vm};

use crate::debugger::Debugger;
use crate::error::OpenError;
use crate::execution::Stop;
use crate::process::{self, PROGRAM_INSTANCE, Streams};
use crate::program::{Program, ProgramSource};
use crate::redirection::Redirections;
use crate::report::{BacktraceFrame, ExceptionEvent, ExceptionReport, Report, TiersReport};
use crate::session::SessionOptions;
use crate::shared::Shared;
pub use crate::tiers::RunStats;
use crate::tiers::tiers_report;
use crate::view::ProgramState;

/// The exit status of a program that trapped: what a shell shows for one that was aborted.
pub const TRAP_STATUS: u32 = 134;

/// How a program ended.
#[derive(Debug, Clone)]
pub struct RunOutcome {
    /// The program's exit status; [`TRAP_STATUS`] after a trap.
    pub status: u32,
    /// What an invoked function returned, as text.
    pub results: Option<String>,
    /// Why the program could not go on, with a backtrace; several lines.
    pub failure: Option<String>,
    /// The logical clock at the end: entries of functions and arrivals at loop bodies.
    pub ticks: u64,
    /// The size of memory 0 at the end.
    pub memory_bytes: u64,
    /// The size of the module's code.
    pub(crate) module_code_bytes: u64,
    /// What each tier did.
    pub(crate) tiers: TiersReport,
}

/// The frames that a backtrace shows from the innermost on, and from the outermost on.
const FRAMES_MAX: usize = 30;

/// Runs a program to its end, with wdb's own standard streams.
///
/// # Errors
/// The program cannot be opened, or cannot begin.
pub fn run(source: ProgramSource, options: SessionOptions) -> Result<RunOutcome, OpenError> {
    let program = Arc::new(Program::open(
        source,
        options.compile,
        options.source_maps.clone(),
        options.embedded_sources.clone(),
    )?);
    let name = program.name().to_owned();
    let cannot_begin = |message: String| OpenError::Instantiate {
        name: name.clone(),
        message,
    };
    let mut vm = process::make_machine(
        &program,
        &options,
        &Redirections::default(),
        Streams::Inherit,
    )
    .map_err(cannot_begin)?;
    if options.perf_map {
        write_perf_map(&mut vm, &program)
            .map_err(|error| cannot_begin(format!("no map for profilers: {error}")))?;
    }
    let entry = process::entry(&program, &options);
    if let Some(entry) = entry.map_err(|error| cannot_begin(error.to_string()))? {
        process::begin(&mut vm, &entry).map_err(|error| cannot_begin(error.to_string()))?;
    }
    let is_invoked = options.invoke.is_some();
    let exit = loop {
        match vm.run(RunLimit::default()) {
            Exit::Stepped | Exit::Probe | Exit::Tick => {}
            exit => break exit,
        }
    };
    let mut outcome = RunOutcome {
        status: 0,
        results: None,
        failure: None,
        ticks: vm.time().tick,
        memory_bytes: vm
            .memory(PROGRAM_INSTANCE, 0)
            .map_or(0, |bytes| bytes.len() as u64),
        module_code_bytes: program.module().code_section().len() as u64,
        tiers: tiers_report(&vm, &program),
    };
    let mut uncaught = None;
    let mut failure = match exit {
        Exit::Finished(values) => {
            let texts = values.iter().map(|&value| vm.value_text(value));
            let texts: Vec<String> = texts.collect();
            outcome.results = is_invoked.then(|| texts.join(" "));
            return Ok(outcome);
        }
        Exit::ProcExit(status) => {
            outcome.status = status;
            return Ok(outcome);
        }
        Exit::Trap(trap) => format!("trap: {trap}"),
        Exit::Uncaught(exception) => {
            uncaught = Some(exception);
            String::new()
        }
        Exit::HostResource(what) => what,
        Exit::Deadlock(what) => format!("deadlock: {what}"),
        Exit::Interrupted => "interrupted".to_owned(),
        Exit::Stepped
        | Exit::Probe
        | Exit::Tick
        | Exit::Watch(_)
        | Exit::HostCall(_)
        | Exit::Throw(_)
        | Exit::Landed(_) => {
            unreachable!("nothing asked for these")
        }
    };
    let mut debugger = Debugger::new(Arc::new(Shared::default()), program, options, vm);
    debugger.state = ProgramState::Trapped;
    outcome.status = TRAP_STATUS;
    if let Some(exception) = &uncaught {
        failure = uncaught_text(&debugger.exception_report(exception));
    }
    outcome.failure = Some(with_backtrace(&debugger, &failure));
    Ok(outcome)
}

/// Why a debugged program cannot go on, in the words of [`RunOutcome::failure`]; `None` for one that can.
pub(crate) fn failure(debugger: &Debugger) -> Option<String> {
    let failure = match debugger.last_stop.as_ref()? {
        Stop::Trap(trap) => format!("trap: {trap}"),
        Stop::Exception {
            event: ExceptionEvent::Uncaught,
            exception,
            ..
        } => uncaught_text(exception),
        Stop::HostResource(what) => what.clone(),
        Stop::Deadlock(what) => format!("deadlock: {what}"),
        _ => return None,
    };
    Some(with_backtrace(debugger, &failure))
}

fn with_backtrace(debugger: &Debugger, failure: &str) -> String {
    let name = debugger.program.name();
    format!("{name}: {failure}\n{}", backtrace(debugger))
}

/// Names machine code for profilers from now on.
fn write_perf_map(vm: &mut Vm, program: &Arc<Program>) -> std::io::Result<()> {
    let funcs: Vec<_> = (0..)
        .map_while(|index| vm.func_instance(FuncAddr(index)))
        .collect();
    let program = program.clone();
    vm.write_perf_map(move |func| match funcs.get(func.index()) {
        Some((PROGRAM_INSTANCE, index)) => program.func_name(*index).to_string(),
        _ => "a function of another module".to_owned(),
    })?;
    Ok(())
}

/// An exception that nothing handles, and where it was thrown if that is not where the program stands.
fn uncaught_text(report: &ExceptionReport) -> String {
    let text = format!("uncaught exception: {}", report.text());
    if report.is_elsewhere {
        format!("{text}, which was thrown in {}", report.thrown.text())
    } else {
        text
    }
}

/// All frames, or the innermost and the outermost of many.
fn backtrace(debugger: &Debugger) -> String {
    let total = debugger.frame_total();
    let tell = |frame: crate::frames::Frame| BacktraceFrame {
        frame: debugger.frame_report(&frame, Some(frame.index), false),
        variables: None,
    };
    let list = |skipped: usize| {
        let frames = debugger.frames().skip(skipped).take(FRAMES_MAX).map(tell);
        let report = Report::Backtrace {
            frames: frames.collect(),
            has_more: false,
        };
        report.text()
    };
    if total <= 2 * FRAMES_MAX {
        let rest = if total > FRAMES_MAX {
            format!("\n{}", list(FRAMES_MAX))
        } else {
            String::new()
        };
        return format!("{}{rest}", list(0));
    }
    format!(
        "{}\n... {} more frames ...\n{}",
        list(0),
        total - 2 * FRAMES_MAX,
        list(total - FRAMES_MAX)
    )
}

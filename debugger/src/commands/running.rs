//! Commands that let the program run.

use crate::debugger::Debugger;
use crate::error::Error;
use crate::execution::StepKind;
use crate::location::{Location, inlined_places};

pub(super) fn run(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if !arguments.is_empty() {
        debugger.set_arguments(arguments)?;
    }
    debugger.run()
}

pub(super) fn start(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if !arguments.is_empty() {
        debugger.set_arguments(arguments)?;
    }
    let places = debugger.start_places()?;
    debugger.add_temporary("main", &places);
    debugger.run()
}

/// `starti`: stops at the very first instruction.
pub(super) fn starti(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if !arguments.is_empty() {
        debugger.set_arguments(arguments)?;
    }
    debugger.start_at_first_instruction()
}

/// `file PROGRAM`
pub(super) fn file(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if arguments.is_empty() {
        return Err(Error::other(
            "file needs the path of a .wasm or .wat file; a session always has a program.",
        ));
    }
    let path = debugger.file_path(arguments.trim_matches('"'));
    debugger.open_program(path)
}

pub(super) fn continue_(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    debugger.expect_able_to_go_on()?;
    if !arguments.is_empty() {
        let count = debugger.evaluate_count(arguments)?;
        debugger.ignore_here(count)?;
    }
    if debugger.is_outside_bodies() {
        debugger.say("Continuing.");
    }
    debugger.resume()
}

pub(super) fn step(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    step_by(debugger, StepKind::LineInto, arguments)
}

pub(super) fn next(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    step_by(debugger, StepKind::LineOver, arguments)
}

pub(super) fn stepi(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    step_by(debugger, StepKind::InstructionInto, arguments)
}

pub(super) fn nexti(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    step_by(debugger, StepKind::InstructionOver, arguments)
}

pub(super) fn finish(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if !arguments.is_empty() {
        return Err(Error::other(
            "The \"finish\" command does not take any arguments.",
        ));
    }
    debugger.finish()
}

pub(super) fn until(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if arguments.is_empty() {
        debugger.expect_able_to_go_on()?;
        return debugger.step(StepKind::LineForward, 1);
    }
    run_to(debugger, arguments, true)
}

pub(super) fn advance(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if arguments.is_empty() {
        return Err(Error::other(
            "advance needs a location, as in `advance fib.c:12`.",
        ));
    }
    run_to(debugger, arguments, false)
}

pub(super) fn kill(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    debugger.kill()
}

fn run_to(debugger: &mut Debugger, arguments: &str, stays: bool) -> Result<(), Error> {
    debugger.expect_alive()?;
    let location = Location::parse(arguments)?;
    let places = debugger.resolve(&location)?;
    let inlined = inlined_places(&debugger.program, &location, &places);
    debugger.run_to(&places, &inlined, stays)
}

fn step_by(debugger: &mut Debugger, kind: StepKind, arguments: &str) -> Result<(), Error> {
    debugger.expect_able_to_go_on()?;
    let count = match arguments {
        "" => 1,
        text => debugger.evaluate_count(text)?,
    };
    match u64::try_from(count) {
        Ok(0) | Err(_) => Ok(()),
        Ok(count) => debugger.step(kind, count),
    }
}

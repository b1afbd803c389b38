//! Commands for scripts, and the end of the session.

use crate::commands::lldb;
use crate::complete::Completer;
use crate::debugger::Debugger;
use crate::error::Error;

/// Scripts that call scripts deeper than this call themselves.
const DEPTH_MAX: usize = 50;

pub(super) fn source(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if let Some(result) = lldb::perform_shared(debugger, "source", arguments) {
        return result;
    }
    if arguments.is_empty() {
        return Err(Error::other(
            "source command requires file name of file to source.",
        ));
    }
    if debugger.script_depth >= DEPTH_MAX {
        return Err(Error::Other(format!(
            "{arguments}: scripts call each other more than {DEPTH_MAX} deep."
        )));
    }
    let text = std::fs::read_to_string(debugger.file_path(arguments))
        .map_err(|error| Error::Other(format!("{arguments}: {error}.")))?;
    debugger.script_depth += 1;
    let result = perform_script(debugger, arguments, &text);
    debugger.script_depth -= 1;
    debugger.repeatable = None;
    result
}

fn perform_script(debugger: &mut Debugger, name: &str, text: &str) -> Result<(), Error> {
    // Where the block begins that is open: what fails in it fails there.
    let mut opened_at = None;
    for (number, line) in (1..).zip(text.lines()) {
        let first = opened_at.unwrap_or(number);
        let result = debugger.perform_line(line);
        opened_at = debugger.block.is_some().then_some(first);
        result.map_err(|error| located(error, name, first, line.trim()))?;
        if debugger.quit.is_some() || debugger.shared.is_cancelled() {
            break;
        }
    }
    let result = debugger.abandon_block();
    result.map_err(|error| located(error, name, opened_at.unwrap_or(0), ""))
}

/// An error with the place of the line that failed.
fn located(error: Error, name: &str, number: usize, line: &str) -> Error {
    let text = error.to_string();
    // A script that this one calls has said where it failed.
    let is_located = line
        .split_once(char::is_whitespace)
        .is_some_and(|(_, file)| text.starts_with(file.trim()) && line.starts_with("so"));
    match is_located {
        true => error,
        false => Error::Other(format!("{name}:{number}: {text}")),
    }
}

/// `dont-repeat`: an empty line does nothing after the user's command in which this stands.
pub(super) fn dont_repeat(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    debugger.bodies.is_repeatable = false;
    Ok(())
}

/// `complete TEXT`: each line is the text with another end.
pub(super) fn complete(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    debugger.publish_vocabulary();
    let view = debugger.build_view();
    let vocabulary = debugger.shared.vocabulary();
    let completer = Completer {
        program: &debugger.program.clone(),
        view: &view,
        vocabulary: &vocabulary,
        members: &|expression| debugger.member_names(expression),
    };
    let found = completer.complete(arguments, arguments.len());
    let before = &arguments[..found.start.min(arguments.len())];
    let lines: Vec<String> = found
        .candidates
        .iter()
        .map(|word| format!("{before}{word}"))
        .collect();
    if !lines.is_empty() {
        debugger.say(lines.join("\n"));
    }
    Ok(())
}

pub(super) fn quit(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let status = match arguments {
        "" => 0,
        text => debugger.evaluate_count(text)?,
    };
    // The operating system keeps the low byte.
    debugger.quit = Some(i32::try_from(status & 0xff).unwrap_or(0));
    Ok(())
}

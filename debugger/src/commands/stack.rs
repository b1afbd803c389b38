//! Commands about frames.

use wdb_dwarf::VariableKind;

use crate::commands::lldb;
use crate::commands::words::first_word;
use crate::debugger::Debugger;
use crate::error::Error;
use crate::report::{BacktraceFrame, CodeReport, Report};

pub(super) fn backtrace(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let mut is_full = false;
    let mut count: Option<i64> = None;
    for word in arguments.split_whitespace() {
        match word {
            "full" | "-full" => is_full = true,
            // There is one agent.
            "all" => {}
            word => count = Some(debugger.evaluate_count(word)?),
        }
    }
    if !debugger.is_alive() {
        return Err(Error::other("No stack."));
    }
    let total = debugger.frame_total();
    let magnitude = count.map_or(debugger.settings.backtrace_limit, |count| {
        usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX)
    });
    let is_outermost = count.is_some_and(|count| count < 0);
    let skipped = if is_outermost {
        total.saturating_sub(magnitude)
    } else {
        0
    };
    let mut frames = Vec::new();
    for frame in debugger.frames().skip(skipped).take(magnitude) {
        if debugger.shared.is_cancelled() {
            break;
        }
        let mut report = debugger.frame_report(&frame, Some(frame.index), false);
        report.code = CodeReport::None;
        let scope = debugger.scope_of(frame);
        let variables = is_full.then(|| debugger.variable_texts(&scope, VariableKind::Local));
        frames.push(BacktraceFrame {
            frame: report,
            variables,
        });
    }
    let has_more = skipped + frames.len() < total;
    debugger.answer(Report::Backtrace { frames, has_more });
    Ok(())
}

pub(super) fn frame(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if let Some(result) = lldb::perform_shared(debugger, "frame", arguments) {
        return result;
    }
    if let ("apply", rest) = first_word(arguments) {
        return super::apply::frames(debugger, rest);
    }
    debugger.expect_alive()?;
    if !arguments.is_empty() {
        let number = match debugger.frame_number(arguments) {
            // A variable can hold a number, and `v` can be one.
            Err(_) if lldb::fits("frame", arguments) || arguments == "v" => {
                return lldb::perform(debugger, "frame", arguments);
            }
            number => number?,
        };
        select(debugger, number);
    }
    tell_selected(debugger)
}

impl Debugger {
    /// The number of the frame that is meant: `2`, `level 2`, `function fib`.
    pub(super) fn frame_number(&self, text: &str) -> Result<usize, Error> {
        let text = match first_word(text) {
            ("function", "") => return Err(Error::other("Missing function name argument.")),
            ("function", name) => return self.frame_of_function(name),
            ("level", number) => number,
            _ => text,
        };
        let number = self.evaluate_count(text)?;
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        if self.frames().nth(number).is_none() {
            return Err(Error::Other(format!(
                "There is no frame {text}; there are {}, the innermost is 0.",
                self.frame_total()
            )));
        }
        Ok(number)
    }

    /// The innermost frame of a function, by its whole name or the last components of its path.
    fn frame_of_function(&self, name: &str) -> Result<usize, Error> {
        let is_meant = |function: &str| {
            let before = function.strip_suffix(name);
            before.is_some_and(|before| before.is_empty() || before.ends_with("::"))
        };
        let found = self.frames().find(|frame| is_meant(frame.function()));
        found
            .map(|frame| frame.index)
            .ok_or_else(|| Error::Other(format!("No frame for function \"{name}\".")))
    }
}

pub(super) fn up(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let count = count_of(debugger, arguments)?;
    move_by(debugger, count)
}

pub(super) fn down(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let count = count_of(debugger, arguments)?;
    move_by(debugger, count.saturating_neg())
}

fn count_of(debugger: &Debugger, arguments: &str) -> Result<i64, Error> {
    debugger.expect_alive()?;
    match arguments {
        "" => Ok(1),
        text => debugger.evaluate_count(text),
    }
}

/// Selects the frame that lies so many farther out. It stops at the ends, where going on is an error.
fn move_by(debugger: &mut Debugger, count: i64) -> Result<(), Error> {
    let last = debugger.frame_total().saturating_sub(1);
    let distance = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    let before = debugger.selected;
    let after = if count < 0 {
        before.saturating_sub(distance)
    } else {
        before.saturating_add(distance).min(last)
    };
    if after == before && count != 0 {
        return Err(Error::other(if count > 0 {
            "Initial frame selected; you can't go up."
        } else {
            "Bottom (innermost) frame selected; you can't go down."
        }));
    }
    select(debugger, after);
    tell_selected(debugger)
}

fn select(debugger: &mut Debugger, number: usize) {
    debugger.selected = number;
    debugger.list.forget();
    debugger.is_view_stale = true;
}

fn tell_selected(debugger: &mut Debugger) -> Result<(), Error> {
    let frame = debugger.expect_frame()?;
    let report = debugger.frame_report(&frame, Some(frame.index), true);
    debugger.answer(Report::Frame(report));
    Ok(())
}

//! What `show` tells besides settings.

use crate::commands::FormatSpec;
use crate::debugger::Debugger;
use crate::error::Error;
use crate::report::Report;

/// How many values or commands are shown at once.
const SHOWN: usize = 10;

/// Where `show values +` and `show commands +` go on.
#[derive(Debug, Default)]
pub(crate) struct ShowState {
    values: usize,
    commands: usize,
}

pub(super) fn args(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    let text = debugger.arguments_text();
    debugger.say(text);
    Ok(())
}

pub(super) fn version(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    debugger.say(format!(
        "wdb {}. Licensed under the MIT licence or the Apache License 2.0, at your choice. There is no warranty.",
        env!("CARGO_PKG_VERSION")
    ));
    Ok(())
}

pub(super) fn paths(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    debugger.say("Programs are opened by the path that you give; there is no list of directories to look in.");
    Ok(())
}

pub(super) fn user(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let text = debugger.user_commands.definitions(arguments)?;
    debugger.say(text);
    Ok(())
}

pub(super) fn language(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    let unit = debugger
        .current_line()
        .and_then(|line| debugger.unit_of(&line.file));
    let language = unit.map_or_else(|| "unknown".to_owned(), |unit| unit.language);
    debugger.say(format!(
        "The current source language is {language}. Expressions are understood as C, C++ and Rust write them."
    ));
    Ok(())
}

/// The values before a number, or the last ones.
pub(super) fn values(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let total = debugger.history.len();
    let first = first_shown(debugger, arguments, total, debugger.show.values)?;
    let last = (first + SHOWN).min(total);
    debugger.show.values = last;
    let shown = debugger.history[first..last].iter().zip(first + 1..);
    for (value, number) in shown {
        let text = debugger.value_text(value, FormatSpec::default())?;
        debugger.answer(Report::Value {
            number: Some(number),
            text,
            parts: debugger.reference_parts(value),
            is_returned: false,
        });
    }
    Ok(())
}

/// The commands around a number, or the last ones.
pub(super) fn commands(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let total = debugger.typed.len();
    let first = first_shown(debugger, arguments, total, debugger.show.commands)?;
    let last = (first + SHOWN).min(total);
    debugger.show.commands = last;
    let shown = debugger.typed[first..last].iter().zip(first + 1..);
    let lines: Vec<String> = shown
        .map(|(line, number)| format!("{number:>5}  {line}"))
        .collect();
    debugger.say(lines.join("\n"));
    Ok(())
}

/// The index of the first one to show: around a number, after those shown last (`+`), or so that the last ones are shown.
fn first_shown(
    debugger: &Debugger,
    arguments: &str,
    total: usize,
    after: usize,
) -> Result<usize, Error> {
    let first = match arguments {
        "" => total.saturating_sub(SHOWN),
        "+" => after,
        text => {
            let number = debugger.evaluate_count(text)?;
            usize::try_from(number)
                .unwrap_or(0)
                .saturating_sub(SHOWN / 2 + 1)
        }
    };
    Ok(first.min(total))
}

pub(super) fn convenience(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    let variables = debugger.user_variables.borrow();
    let scope = debugger.scope();
    let mut entries: Vec<(String, String)> = variables
        .iter()
        .map(|(name, value)| (format!("${name}"), scope.format(value)))
        .collect();
    drop((variables, scope));
    entries.sort_unstable();
    debugger.answer(Report::Variables {
        entries,
        if_empty: "There are no variables of your own; `set $name = VALUE` makes one.",
    });
    Ok(())
}

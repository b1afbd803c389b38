//! Commands that set or keep many breakpoints at once.

use std::fmt::Write as _;

use regex_lite::Regex;

use crate::breakpoints::{Breakpoint, Catch, Disposition, Kind};
use crate::commands::user::indented;
use crate::commands::words::first_word;
use crate::debugger::Debugger;
use crate::error::Error;
use crate::location::function_names;
use wdb_vm::watch::WatchKind;

/// `save breakpoints FILE`: a script that sets the breakpoints again.
pub(super) fn save(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let (what, file) = first_word(arguments);
    if what.is_empty() || !"breakpoints".starts_with(what) || file.is_empty() {
        return Err(Error::other(
            "save needs what and where, as in `save breakpoints FILE`.",
        ));
    }
    let script: String = debugger.breakpoints.iter().map(script_of).collect();
    if script.is_empty() {
        return Err(Error::other("Nothing to save."));
    }
    std::fs::write(debugger.file_path(file), script)
        .map_err(|error| Error::Other(format!("{file}: {error}.")))?;
    debugger.say(format!("Saved to file '{file}'."));
    Ok(())
}

fn script_of(breakpoint: &Breakpoint) -> String {
    let is_temporary = breakpoint.disposition == Disposition::Delete;
    let command = match &breakpoint.kind {
        Kind::Breakpoint if is_temporary => format!("tbreak {}", breakpoint.spec),
        Kind::Breakpoint => format!("break {}", breakpoint.spec),
        Kind::Watchpoint(watchpoint) => {
            let command = match watchpoint.kind {
                WatchKind::Change => "watch",
                WatchKind::Read => "rwatch",
                WatchKind::Access => "awatch",
            };
            format!("{command} {}", watchpoint.expression)
        }
        Kind::Printer { text, .. } => format!("dprintf {},{text}", breakpoint.spec),
        Kind::Catchpoint(catch) => {
            let event = match catch {
                Catch::Trap => "trap".to_owned(),
                Catch::Throw(filter) => format!("throw {}", filter.text()),
                Catch::Rethrow(filter) => format!("rethrow {}", filter.text()),
                Catch::Caught(filter) => format!("catch {}", filter.text()),
                Catch::Uncaught => "uncaught".to_owned(),
                Catch::HostCall(None) => "host-call".to_owned(),
                Catch::HostCall(Some(name)) => format!("host-call {name}"),
                Catch::Grow => "grow".to_owned(),
                Catch::Start => "start".to_owned(),
                Catch::Exit => "exit".to_owned(),
            };
            let command = if is_temporary { "tcatch" } else { "catch" };
            format!("{command} {}", event.trim_end())
        }
    };
    let mut script = command;
    if let Some(condition) = &breakpoint.condition {
        let _ = write!(script, " if {}", condition.text.trim());
    }
    script.push('\n');
    if breakpoint.ignore > 0 {
        let _ = writeln!(script, "ignore $bpnum {}", breakpoint.ignore);
    }
    if !breakpoint.enabled {
        script.push_str("disable $bpnum\n");
    } else if breakpoint.disposition == Disposition::Disable {
        script.push_str("enable once $bpnum\n");
    }
    if !breakpoint.commands.is_empty() {
        let lines = indented(&breakpoint.commands).join("\n");
        let _ = writeln!(script, "commands\n{lines}\nend");
    }
    script
}

/// `rbreak REGEX`: a breakpoint on each function whose name matches.
pub(super) fn rbreak(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    /// More are a mistake in the expression.
    const BREAKPOINTS_MAX: usize = 10_000;
    let (file, pattern) = match arguments.split_once(':') {
        Some((file, pattern)) if !pattern.starts_with(':') && !file.ends_with(':') => {
            (Some(file.trim()), pattern.trim())
        }
        _ => (None, arguments.trim()),
    };
    let regex = Regex::new(pattern).map_err(|error| {
        Error::Other(format!("\"{pattern}\" is no regular expression: {error}."))
    })?;
    let names = function_names(&debugger.program);
    let wanted: Vec<_> = names.iter().filter(|name| regex.is_match(name)).collect();
    if wanted.is_empty() {
        return Err(Error::Other(format!("No function matches \"{pattern}\".")));
    }
    if wanted.len() > BREAKPOINTS_MAX {
        return Err(Error::Other(format!(
            "{} functions match \"{pattern}\"; at most {BREAKPOINTS_MAX} breakpoints are set at once.",
            wanted.len()
        )));
    }
    for name in wanted {
        if debugger.shared.is_cancelled() {
            break;
        }
        let location = match file {
            Some(file) => format!("{file}:{name}"),
            None => name.to_string(),
        };
        // In a file that was named, most functions are not.
        let result = super::breakpoints::break_(debugger, &location);
        if file.is_none() {
            result?;
        }
    }
    Ok(())
}

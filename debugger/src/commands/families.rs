//! The commands that only lldb has. What each does is one of lldb's spellings.

use crate::commands::lldb;
use crate::commands::words::first_word;
use crate::debugger::Debugger;
use crate::error::Error;

pub(super) fn breakpoint(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    lldb::perform(debugger, "breakpoint", arguments)
}

/// `commands 1` can be written without its last letter, as gdb has it.
pub(super) fn command(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    match arguments.starts_with(|c: char| c.is_ascii_digit() || c == '$') || arguments.is_empty() {
        true => super::stop_actions::commands(debugger, arguments),
        false => lldb::perform(debugger, "command", arguments),
    }
}

pub(super) fn environment(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    lldb::perform(debugger, "env", arguments)
}

pub(super) fn array(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    lldb::perform(debugger, "parray", arguments)
}

pub(super) fn expression(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    lldb::perform(debugger, "expression", arguments)
}

/// `expression -O`, whose descriptions of objects are what `print` prints.
pub(super) fn print_object(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    lldb::perform(debugger, "expression", arguments)
}

pub(super) fn variable(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    lldb::perform(debugger, "frame", &format!("variable {arguments}"))
}

pub(super) fn image(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    lldb::perform(debugger, "image", arguments)
}

pub(super) fn memory(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    lldb::perform(debugger, "memory", arguments)
}

pub(super) fn process(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    lldb::perform(debugger, "process", arguments)
}

pub(super) fn register(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    lldb::perform(debugger, "register", arguments)
}

pub(super) fn settings(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    lldb::perform(debugger, "settings", arguments)
}

/// `target modules` is `image`. What gdb would connect to is not there.
pub(super) fn target(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    match first_word(arguments) {
        ("modules", rest) => lldb::perform(debugger, "image", rest),
        (
            word @ ("remote" | "extended-remote" | "exec" | "core" | "native" | "sim" | "record"),
            _,
        ) => Err(Error::Other(format!(
            "There is no `target {word}`: a program lives inside of wdb, and `file` opens another."
        ))),
        _ => lldb::perform(debugger, "target", arguments),
    }
}

/// gdb's `thread`, `thread 1` and `thread apply`, and lldb's.
pub(super) fn thread(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    match first_word(arguments) {
        ("", _) => {
            debugger.expect_alive()?;
            let name = debugger.agent_name();
            debugger.say(format!("[Current thread is 1 ({name})]"));
            Ok(())
        }
        ("apply", rest) => debugger.perform_in_threads(rest),
        (number, "") if number.starts_with(|c: char| c.is_ascii_digit()) => {
            debugger.expect_alive()?;
            match number {
                "1" => {
                    let name = debugger.agent_name();
                    debugger.say(format!("[Switching to thread 1 ({name})]"));
                    debugger.perform_line("frame")
                }
                number => Err(Error::Other(format!(
                    "Unknown thread {number}; there is one, 1."
                ))),
            }
        }
        _ => lldb::perform(debugger, "thread", arguments),
    }
}

pub(super) fn type_(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    lldb::perform(debugger, "type", arguments)
}

pub(super) fn watchpoint(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    lldb::perform(debugger, "watchpoint", arguments)
}

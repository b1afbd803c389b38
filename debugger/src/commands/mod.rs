//! The command language: gdb's names, one table, one implementation of each verb.

mod breakpoints;
mod calling;
mod data;
mod disassemble;
pub(crate) mod display;
pub(crate) mod examine;
mod format;
mod help;
mod info;
mod info_machine;
mod info_symbols;
pub(crate) mod list;
mod lookup;
mod running;
mod saving;
mod script;
mod set;
mod skip;
mod stack;
mod table;
mod text;
mod watching;

pub use table::{COMMANDS, Command, Group};

pub(crate) use format::FormatSpec;
pub(crate) use lookup::lookup;
pub(crate) use running::join_words;
pub(crate) use table::{ArgumentKind, INFO_COMMANDS, Repeat};

use crate::debugger::Debugger;
use crate::error::Error;
use crate::event::{CommandStatus, Event};

impl Debugger {
    /// Performs a line of input: a command with its arguments. An empty line repeats the last command that can be repeated.
    pub(crate) fn perform(&mut self, line: &str) -> CommandStatus {
        self.shared.begin_command();
        let line = line.trim();
        let repeated = if line.is_empty() {
            self.repeatable.clone()
        } else {
            None
        };
        self.is_repetition = repeated.is_some();
        let result = self.perform_line(&repeated.unwrap_or_else(|| line.to_owned()));
        self.end_line();
        self.refresh_view();
        self.tell_warnings();
        match (result, self.quit) {
            (_, Some(status)) => CommandStatus::Quit(status),
            (Ok(()), None) => CommandStatus::Success,
            (Err(error), None) => {
                self.shared.send(&Event::Error(error.to_string()));
                CommandStatus::Failure
            }
        }
    }

    /// Performs a command. Comments and empty lines do nothing.
    pub(crate) fn perform_line(&mut self, line: &str) -> Result<(), Error> {
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let found = lookup(COMMANDS, line)?;
        match found.command.repeat {
            Repeat::Never => self.repeatable = None,
            Repeat::Same => self.repeatable = Some(line.to_owned()),
            // `list -` goes on backwards.
            Repeat::GoOn if found.arguments == "-" => self.repeatable = Some(line.to_owned()),
            Repeat::GoOn => {
                let name = line[..line.len() - found.arguments.len()].trim_end();
                self.repeatable = Some(name.to_owned());
            }
        }
        (found.command.run)(self, found.arguments)
    }
}

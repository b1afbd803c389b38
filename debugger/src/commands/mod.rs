//! The command language: gdb's names, one table, one implementation of each verb.

pub(crate) mod absent;
mod apply;
mod apropos;
mod breakpoints;
mod calling;
pub(crate) mod control;
mod data;
mod disassemble;
pub(crate) mod display;
mod environment;
pub(crate) mod examine;
mod families;
mod find;
mod format;
mod help;
mod info;
mod info_machine;
mod info_module;
mod info_names;
mod info_symbols;
pub(crate) mod list;
pub(crate) mod lldb;
mod lookup;
mod lower_code;
mod memory_files;
mod running;
mod saving;
mod script;
mod serving;
mod set;
pub(crate) mod setting_topics;
mod shell;
pub(crate) mod show;
mod skip;
mod stack;
pub(crate) mod stop_actions;
mod table;
mod text;
mod tier;
mod topics;
pub(crate) mod user;
mod watching;
mod words;

pub(crate) use disassemble::FORMS;
pub(crate) use format::FormatSpec;
pub(crate) use lookup::lookup;
pub(crate) use table::{ArgumentKind, Command, Group, Repeat, commands};
pub(crate) use topics::INFO_COMMANDS;
pub(crate) use words::{first_word, join_words, shell_words};

use user::UserMeaning;

use std::path::PathBuf;

use crate::complete::Vocabulary;
use crate::debugger::Debugger;
use crate::error::Error;
use crate::event::{CommandStatus, Event};

impl Debugger {
    /// Performs a line of input: a command with its arguments. An empty line repeats the last command that can be repeated.
    pub(crate) fn perform(&mut self, line: &str) -> CommandStatus {
        self.shared.begin_command();
        let repeated = match line.trim().is_empty() && self.block.is_none() {
            true => self.repeatable.clone(),
            false => None,
        };
        self.is_repetition = repeated.is_some();
        self.remember_typed(line);
        let result = self.perform_line(&repeated.unwrap_or_else(|| line.to_owned()));
        self.settle_command(result)
    }

    /// Takes note of a command that was given, for `show commands`.
    fn remember_typed(&mut self, line: &str) {
        const COUNT_MAX: usize = 10_000;
        if line.trim().is_empty() {
            return;
        }
        if self.typed.len() >= COUNT_MAX {
            self.typed.drain(..COUNT_MAX / 2);
        }
        self.typed.push(line.trim().to_owned());
    }

    /// Tells completion what the user has made.
    pub(crate) fn publish_vocabulary(&self) {
        self.shared.set_vocabulary(Vocabulary {
            commands: self.user_commands.vocabulary(),
            variables: self.user_variables.borrow().keys().cloned().collect(),
            has_displays: !self.displays.is_empty(),
            directory: self.directory.clone(),
            home: std::env::var_os("HOME").map(PathBuf::from),
        });
    }

    /// Gives up the block that is open, if one is.
    pub(crate) fn perform_end_of_input(&mut self) -> CommandStatus {
        let result = self.abandon_block();
        self.settle_command(result)
    }

    fn settle_command(&mut self, result: Result<(), Error>) -> CommandStatus {
        self.end_line();
        self.publish_vocabulary();
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

    /// Performs a line, wherever it comes from: it is a command, or belongs to the block that is open. Comments and empty lines
    /// do nothing.
    pub(crate) fn perform_line(&mut self, line: &str) -> Result<(), Error> {
        if self.block.is_some() {
            return match self.add_to_block(line)? {
                Some(block) => self.perform_block(block),
                None => Ok(()),
            };
        }
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if self.settings.traces_commands {
            let depth = self.script_depth + self.bodies.depth() + 1;
            self.say(format!("{}{line}", "+".repeat(depth)));
        }
        match self.user_meaning(line)? {
            Some(UserMeaning::Line(line)) => return self.perform_line(&line),
            Some(UserMeaning::Body(lines)) => {
                self.bodies.is_repeatable = true;
                self.perform_called_body(&lines)?;
                self.repeatable = self.bodies.is_repeatable.then(|| line.to_owned());
                return Ok(());
            }
            None => {}
        }
        self.perform_built_in(line)?;
        self.perform_stop_actions()
    }

    fn perform_built_in(&mut self, line: &str) -> Result<(), Error> {
        let found = lookup(commands(), line).map_err(|error| match error {
            Error::UndefinedCommand { near, name } => match absent::reason(&name) {
                Some(reason) => reason,
                None => Error::UndefinedCommand {
                    near: match &*near {
                        [] => self.commands_near(&name),
                        _ => near,
                    },
                    name,
                },
            },
            error => error,
        })?;
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

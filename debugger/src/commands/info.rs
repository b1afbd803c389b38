//! `info`: its topics, and those about the program's own state.

use wdb_dwarf::VariableKind;

use crate::commands::{INFO_COMMANDS, lookup};
use crate::debugger::Debugger;
use crate::error::Error;
use crate::report::Report;
use crate::view::ProgramState;

pub(super) fn info(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if arguments.is_empty() {
        let mut text = "List of info subcommands:\n".to_owned();
        for topic in INFO_COMMANDS {
            text.push_str(&format!("\ninfo {} -- {}", topic.name, topic.summary));
        }
        debugger.say(text);
        return Ok(());
    }
    let found = lookup(INFO_COMMANDS.iter(), arguments).map_err(|error| match error {
        Error::UndefinedCommand { name, near } => undefined_topic(&name, &near),
        Error::Ambiguous {
            name, candidates, ..
        } => Error::Ambiguous {
            noun: "topic",
            name: format!("info {name}"),
            candidates,
        },
        error => error,
    })?;
    (found.command.run)(debugger, found.arguments)
}

pub(super) fn undefined_topic(name: &str, near: &[String]) -> Error {
    let hint = match near {
        [] => String::new(),
        near => format!(" Did you mean {}?", near.join(" or ")),
    };
    Error::Other(format!(
        "Undefined info command: \"{name}\".{hint} Try \"help info\"."
    ))
}

pub(super) fn args(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    debugger.tell_variables(VariableKind::Argument, "No arguments.")
}

pub(super) fn locals(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    debugger.tell_variables(VariableKind::Local, "No locals.")
}

pub(super) fn program(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    let name = debugger.program.name();
    let tick = debugger.vm.borrow().time().tick;
    let state = match debugger.state {
        ProgramState::NotStarted => "has not been started".to_owned(),
        ProgramState::Running => "is running".to_owned(),
        ProgramState::Stopped => format!("is stopped at tick {tick}: {}", debugger.reason),
        ProgramState::Trapped => format!("is trapped at tick {tick}: {}", debugger.reason),
        ProgramState::Exited(status) => format!("has exited with status {status}"),
    };
    debugger.say(format!("The program {name} {state}."));
    Ok(())
}

impl Debugger {
    fn tell_variables(&self, kind: VariableKind, if_empty: &'static str) -> Result<(), Error> {
        let frame = self.expect_frame()?;
        let scope = self.scope_of(frame);
        let if_empty = if self.program.has_debug_info() {
            if_empty
        } else {
            "No symbol table info available; `info registers` shows the wasm locals."
        };
        let mut entries = self.variable_texts(&scope, kind);
        if kind == VariableKind::Local {
            // The innermost scope comes first, as in gdb.
            let depths = scope
                .variables()
                .iter()
                .filter(|variable| variable.kind == kind);
            let mut order: Vec<(u32, usize)> = depths
                .enumerate()
                .map(|(position, variable)| (variable.scope_depth, position))
                .collect();
            order.sort_by_key(|(depth, position)| (std::cmp::Reverse(*depth), *position));
            entries = order
                .into_iter()
                .map(|(_, position)| entries[position].clone())
                .collect();
        }
        self.answer(Report::Variables { entries, if_empty });
        Ok(())
    }
}

//! The table of commands: what lookup, help and completion know. There is one table for each group.

mod breakpoints;
mod data;
mod files;
mod running;
mod stack;
mod support;

use crate::debugger::Debugger;
use crate::error::Error;

/// A command, or a topic of `info`.
pub(crate) struct Command {
    /// Its whole name; every prefix that is unique stands for it too.
    pub(crate) name: &'static str,
    /// Other names.
    pub(crate) aliases: &'static [&'static str],
    /// How it is written.
    pub(crate) usage: &'static str,
    /// What it does, in one sentence.
    pub(crate) summary: &'static str,
    /// More about it; may be empty.
    pub(crate) details: &'static str,
    pub(crate) argument: ArgumentKind,
    pub(crate) repeat: Repeat,
    pub(crate) run: Run,
}

/// What performs a command, with its arguments.
pub(crate) type Run = fn(&mut Debugger, &str) -> Result<(), Error>;

impl Command {
    /// A command that takes nothing which could be completed, and which an empty line does not repeat.
    pub(super) const fn new(
        name: &'static str,
        usage: &'static str,
        summary: &'static str,
        run: Run,
    ) -> Command {
        Command {
            name,
            aliases: &[],
            usage,
            summary,
            details: "",
            argument: ArgumentKind::None,
            repeat: Repeat::Never,
            run,
        }
    }

    /// Whether a word is its name or one of its other names.
    pub(crate) fn is_named(&self, word: &str) -> bool {
        self.name == word || self.aliases.contains(&word)
    }

    /// With other names. Of several commands that a prefix fits, the one that lists it here wins.
    pub(super) const fn also(self, aliases: &'static [&'static str]) -> Command {
        Command { aliases, ..self }
    }

    /// With more to say about it.
    pub(super) const fn details(self, details: &'static str) -> Command {
        Command { details, ..self }
    }

    /// With arguments of a kind.
    pub(super) const fn takes(self, argument: ArgumentKind) -> Command {
        Command { argument, ..self }
    }

    /// Repeated by an empty line.
    pub(super) const fn repeats(self, repeat: Repeat) -> Command {
        Command { repeat, ..self }
    }
}

/// What commands are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// Places to stop at.
    Breakpoints,
    /// Letting the program run.
    Running,
    /// Looking at frames.
    Stack,
    /// Looking at values and memory.
    Data,
    /// Looking at sources and code.
    Files,
    /// wdb itself.
    Support,
}

impl Group {
    /// All groups in the order of the help.
    pub(crate) const ALL: [Group; 6] = [
        Group::Breakpoints,
        Group::Running,
        Group::Stack,
        Group::Data,
        Group::Files,
        Group::Support,
    ];

    /// Its name in `help NAME`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Group::Breakpoints => "breakpoints",
            Group::Running => "running",
            Group::Stack => "stack",
            Group::Data => "data",
            Group::Files => "files",
            Group::Support => "support",
        }
    }

    /// What its commands are for.
    pub(crate) fn summary(self) -> &'static str {
        match self {
            Group::Breakpoints => "Where and when the program stops.",
            Group::Running => "Starting, stepping, going on.",
            Group::Stack => "The calls that led here.",
            Group::Data => "Values, types and memory.",
            Group::Files => "Sources and code.",
            Group::Support => "Scripts, settings, wdb itself.",
        }
    }

    /// Its commands, by name.
    pub(crate) fn commands(self) -> &'static [Command] {
        match self {
            Group::Breakpoints => breakpoints::COMMANDS,
            Group::Running => running::COMMANDS,
            Group::Stack => stack::COMMANDS,
            Group::Data => data::COMMANDS,
            Group::Files => files::COMMANDS,
            Group::Support => support::COMMANDS,
        }
    }
}

/// All commands.
pub(crate) fn commands() -> impl Iterator<Item = &'static Command> + Clone {
    Group::ALL.into_iter().flat_map(Group::commands)
}

/// What a command's arguments are, for completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArgumentKind {
    None,
    Numbers,
    Location,
    Expression,
    /// The name of a type, or an expression.
    Type,
    Command,
    InfoTopic,
    Setting,
    /// The words and flags of lldb's spellings.
    Spelling,
    /// What stands after `unset`.
    Unset,
    /// The path of a file on this machine.
    File,
}

/// What an empty line does after a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Nothing.
    Never,
    /// The command again.
    Same,
    /// The command without its arguments, which goes on where it left off.
    GoOn,
}

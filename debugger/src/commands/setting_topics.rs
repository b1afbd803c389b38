//! What `set`, `show` and `unset` have besides settings.

use crate::commands::table::ArgumentKind::{Expression, File};
use crate::commands::table::Command;
use crate::commands::{environment, set, show};

/// The words after `set` that are no settings.
pub(crate) const SET_TOPICS: &[Command] = &[
    Command::new(
        "args",
        "set args [ARGUMENTS]",
        "Choose what the program is given when it is started.",
        environment::set_args,
    ),
    Command::new(
        "environment",
        "set environment NAME [=] [VALUE]",
        "Give the program an environment variable.",
        environment::set_environment,
    ),
    Command::new(
        "substitute-path",
        "set substitute-path FROM TO",
        "Look for sources whose recorded path begins with FROM under TO.",
        environment::set_substitute_path,
    )
    .takes(File),
    Command::new(
        "variable",
        "set variable PLACE = VALUE",
        "Change a variable, a wasm local or memory.",
        set::variable,
    )
    .also(&["var"])
    .takes(Expression),
];

/// The words after `show` that are no settings.
pub(crate) const SHOW_TOPICS: &[Command] = &[
    Command::new(
        "args",
        "show args",
        "What the program is given when it is started.",
        show::args,
    ),
    Command::new(
        "commands",
        "show commands [NUMBER | +]",
        "The commands that you typed, ten of them.",
        show::commands,
    ),
    Command::new(
        "convenience",
        "show convenience",
        "Your own variables ($name) and their values.",
        show::convenience,
    ),
    Command::new(
        "copying",
        "show copying",
        "The licence of wdb.",
        show::version,
    ),
    Command::new(
        "directories",
        "show directories",
        "Where sources are looked for.",
        environment::show_directories,
    ),
    Command::new(
        "environment",
        "show environment [NAME]",
        "The environment variables that the program is given.",
        environment::show_environment,
    ),
    Command::new(
        "language",
        "show language",
        "The language of the current source file.",
        show::language,
    ),
    Command::new(
        "paths",
        "show paths",
        "Where programs are looked for: nowhere but where you say.",
        show::paths,
    ),
    Command::new(
        "substitute-path",
        "show substitute-path",
        "Which paths of sources are replaced.",
        environment::show_substitute_path,
    ),
    Command::new(
        "user",
        "show user [NAME]",
        "How your own commands are defined.",
        show::user,
    ),
    Command::new(
        "values",
        "show values [NUMBER | +]",
        "The history of values, ten of them.",
        show::values,
    ),
    Command::new(
        "version",
        "show version",
        "The version of wdb.",
        show::version,
    ),
    Command::new(
        "warranty",
        "show warranty",
        "That there is none.",
        show::version,
    ),
];

/// The words after `unset`.
pub(crate) const UNSET_TOPICS: &[Command] = &[
    Command::new(
        "environment",
        "unset environment [NAME]",
        "Take an environment variable away from the program, or all.",
        environment::unset_environment,
    ),
    Command::new(
        "substitute-path",
        "unset substitute-path [FROM]",
        "No longer replace a path of sources, or any.",
        environment::unset_substitute_path,
    ),
];

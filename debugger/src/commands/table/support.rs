//! Commands for scripts, settings and wdb itself.

use super::ArgumentKind::{self, Expression, File, InfoTopic, Setting};
use super::Command;
use super::Repeat::Same;
use crate::commands::{control, help, info, script, set, text, user};

pub(super) const COMMANDS: &[Command] = &[
    Command::new(
        "alias",
        "alias NAME = COMMAND [ARGUMENTS]",
        "Give a command, with arguments if you like, another name.",
        user::alias,
    )
    .details("What follows the alias in a line follows ARGUMENTS.")
    .takes(ArgumentKind::Command),
    Command::new(
        "define",
        "define NAME",
        "Make a command of your own.",
        user::define,
    )
    .details(
        "The lines up to `end` are what it does. $arg0, $arg1 and so on stand for its arguments, $argc for their number,\n\
         $arg* for all of them. `document` gives it a help text.",
    )
    .takes(ArgumentKind::Command),
    Command::new(
        "document",
        "document NAME",
        "Give a command of your own a help text.",
        user::document,
    )
    .details("The lines up to `end` are what `help NAME` prints; the first one stands in lists.")
    .takes(ArgumentKind::Command),
    Command::new("echo", "echo TEXT", "Print a text.", text::echo).details(
        "C's escape sequences may stand in it; no line end is printed unless it is asked for with \\n.",
    ),
    Command::new(
        "else",
        "else",
        "Begin the lines of `if` that are performed when its expression is zero.",
        control::else_,
    ),
    Command::new("end", "end", "End a block of commands.", control::end),
    Command::new(
        "help",
        "help [COMMAND | GROUP]",
        "List the commands, or explain one.",
        help::help,
    )
    .also(&["h"])
    .takes(ArgumentKind::Command),
    Command::new(
        "if",
        "if EXPRESSION",
        "Perform lines if an expression is not zero.",
        control::if_,
    )
    .details("The lines up to `else` or `end` are performed if EXPRESSION is not zero, those after `else` if it is.")
    .takes(Expression),
    Command::new(
        "info",
        "info TOPIC [ARGUMENTS]",
        "Show what is known about the program.",
        info::info,
    )
    .also(&["i", "inf"])
    .takes(InfoTopic)
    .repeats(Same),
    Command::new(
        "loop_break",
        "loop_break",
        "Leave the innermost `while`.",
        control::loop_break,
    ),
    Command::new(
        "loop_continue",
        "loop_continue",
        "Go on with the next turn of the innermost `while`.",
        control::loop_continue,
    ),
    Command::new("quit", "quit [STATUS]", "Leave wdb.", script::quit)
        .also(&["q", "exit"])
        .takes(Expression),
    Command::new(
        "show",
        "show [SETTING | args | user [NAME]]",
        "Show a setting, or all of them.",
        set::show,
    )
    .takes(Setting),
    Command::new(
        "source",
        "source FILE",
        "Perform the commands in a file.",
        script::source,
    )
    .details("It ends at the first command that fails.")
    .takes(File),
    Command::new(
        "while",
        "while EXPRESSION",
        "Perform lines as long as an expression is not zero.",
        control::while_,
    )
    .details("The lines up to `end` are performed again and again; loop_break and loop_continue leave them.")
    .takes(Expression),
];

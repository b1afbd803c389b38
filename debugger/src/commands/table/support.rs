//! Commands for scripts, settings and wdb itself.

use super::ArgumentKind::{self, Expression, File, InfoTopic, Setting};
use super::Command;
use super::Repeat::Same;
use crate::commands::{
    apropos, control, environment, families, help, info, script, serving, set, shell, text, user,
};

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
        "apropos",
        "apropos REGEX",
        "Find the commands that have to do with something.",
        apropos::apropos,
    ),
    Command::new(
        "cd",
        "cd [DIRECTORY]",
        "Choose the directory that names of files count from.",
        environment::cd,
    )
    .takes(File),
    Command::new(
        "complete",
        "complete TEXT",
        "List what a text can go on as.",
        script::complete,
    ),
    Command::new(
        "define",
        "define NAME",
        "Make a command of your own.",
        user::define,
    )
    .details(
        "The lines up to `end` are what it does. $arg0, $arg1 and so on stand for its arguments, $argc for their number,\n\
         $arg* for all of them. `document` gives it a help text. One called `hook-stop` is performed whenever the program\n\
         has stopped.",
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
    Command::new(
        "dont-repeat",
        "dont-repeat",
        "In a command of your own, keep an empty line from repeating it.",
        script::dont_repeat,
    ),
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
        "eval",
        "eval \"FORMAT\", EXPRESSION, ...",
        "Perform a command whose text is made as printf makes one.",
        text::eval,
    )
    .takes(Expression),
    Command::new(
        "gdb",
        "gdb [HOST:PORT | PORT | unix:PATH]",
        "Let gdb or lldb attach to this session.",
        serving::gdb,
    )
    .details(
        "Without an address, on any free port of this machine, which is printed. What they do is seen here, and what is done\n\
         here by them, when they look again. The protocol has no authentication.",
    ),
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
    Command::new("make", "make [ARGUMENTS]", "Run `make`.", shell::make).takes(File),
    Command::new(
        "pwd",
        "pwd",
        "Show the directory that names of files count from.",
        environment::pwd,
    ),
    Command::new("quit", "quit [STATUS]", "Leave wdb.", script::quit)
        .also(&["q", "exit"])
        .takes(Expression),
    Command::new(
        "settings",
        "settings set NAME VALUE | show [NAME] | list",
        "Change settings, as lldb spells it.",
        families::settings,
    )
    .takes(ArgumentKind::Spelling),
    Command::new(
        "shell",
        "shell COMMAND",
        "Run a command of the operating system.",
        shell::shell,
    )
    .also(&["!"])
    .takes(File)
    .details("It is given to /bin/sh and has nothing to read. `$_shell_exitcode` is its exit status then."),
    Command::new(
        "show",
        "show [SETTING | args | environment | values | ...]",
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
    Command::new(
        "with",
        "with SETTING VALUE -- COMMAND",
        "Perform a command with another value of a setting.",
        set::with,
    )
    .takes(Setting),
];

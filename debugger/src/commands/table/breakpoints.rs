//! Commands about where and when the program stops.

use super::ArgumentKind::{Expression, File, Location, Numbers, Spelling};
use super::Command;
use crate::commands::{breakpoints, families, saving, stop_actions, watching};

pub(super) const COMMANDS: &[Command] = &[
    Command::new(
        "awatch",
        "awatch [-location] EXPRESSION [if CONDITION]",
        "Stop whenever a value is read or written.",
        watching::awatch,
    )
    .also(&["aw"])
    .details(WATCHED)
    .takes(Expression),
    Command::new(
        "break",
        "break [LOCATION] [if CONDITION]",
        "Stop whenever the program arrives at a location.",
        breakpoints::break_,
    )
    .also(&["b", "br", "brea", "hbreak"])
    .details(
        "LOCATION is a function (`fib`, `ns::List::push`, `fib.c:main`), a line (`fib.c:12`, `12`, `+3`),\n\
         an address of code (`*0x1a3`, an offset in the .wasm file), or nothing for the place where the\n\
         selected frame stands. A line without code stands for the next one that has code.",
    )
    .takes(Location),
    Command::new(
        "breakpoint",
        "breakpoint set | list | delete | disable | enable | modify | clear | command | write | read",
        "Set breakpoints and change them, as lldb spells it.",
        families::breakpoint,
    )
    .takes(Spelling),
    Command::new(
        "catch",
        "catch trap | throw [TAG] | rethrow [TAG] | catch [TAG] | uncaught | host-call [NAME] | grow | start | exit",
        "Stop at an event, wherever it happens.",
        watching::catch,
    )
    .details("A host call stops before it is made, an exception before it is thrown, `exit` before the program ends\n\
         itself."),
    Command::new(
        "clear",
        "clear [LOCATION]",
        "Delete the breakpoints at a location; without one, at the line where the program stands.",
        breakpoints::clear,
    )
    .also(&["cl"])
    .takes(Location),
    Command::new(
        "command",
        "command source FILE | alias NAME COMMAND | history",
        "Scripts and aliases, as lldb spells it; with a number, `commands`.",
        families::command,
    )
    .takes(Spelling),
    Command::new(
        "commands",
        "commands [NUMBERS]",
        "Say what to do whenever a breakpoint has stopped the program.",
        stop_actions::commands,
    )
    .details(
        "The lines up to `end` are the commands; without NUMBERS, those of the breakpoint set last. `silent` as the\n\
         first keeps the stop itself from being printed. What follows a command that runs the program is dropped.",
    )
    .takes(Numbers),
    Command::new(
        "condition",
        "condition NUMBER [CONDITION]",
        "Let a breakpoint stop the program only where an expression is not zero.",
        breakpoints::condition,
    )
    .also(&["cond"])
    .details("Without CONDITION it stops always.")
    .takes(Expression),
    Command::new(
        "delete",
        "delete [breakpoints | display] [NUMBERS]",
        "Delete breakpoints or displays: those of the given numbers, or all.",
        breakpoints::delete,
    )
    .also(&["d", "del"])
    .details("NUMBERS are written as in `delete 1 3-5`.")
    .takes(Numbers),
    Command::new(
        "disable",
        "disable [breakpoints | display] [NUMBERS]",
        "Keep breakpoints or displays without effect, until `enable`.",
        breakpoints::disable,
    )
    .also(&["dis", "disa"])
    .takes(Numbers),
    Command::new(
        "dprintf",
        "dprintf LOCATION,\"FORMAT\",ARGUMENTS",
        "Print a text whenever the program arrives at a location, and go on.",
        watching::dprintf,
    )
    .also(&["dp"])
    .details(
        "FORMAT is that of C's printf. Where the machine can compute all ARGUMENTS by itself, it writes the numbers down and runs on, and\n\
         the text is printed before the program's next output, or when the program stops; `info breakpoints` says so.",
    )
    .takes(Location),
    Command::new(
        "enable",
        "enable [once | delete | keep | count COUNT | breakpoints | display] [NUMBERS]",
        "Give breakpoints or displays their effect again.",
        breakpoints::enable,
    )
    .also(&["en"])
    .details(
        "`once` disables a breakpoint at its next stop, `delete` deletes it, `keep` does neither, `count` disables it after so\n\
         many stops.",
    )
    .takes(Numbers),
    Command::new(
        "ignore",
        "ignore NUMBER COUNT",
        "Let the program pass a breakpoint COUNT times before it stops there.",
        breakpoints::ignore,
    )
    .details("Only arrivals count where the breakpoint's condition holds.")
    .takes(Numbers),
    Command::new(
        "rbreak",
        "rbreak [FILE:]REGEX",
        "Set a breakpoint on every function whose name matches a regular expression.",
        saving::rbreak,
    )
    .also(&["rb"])
    .takes(Location),
    Command::new(
        "rwatch",
        "rwatch [-location] EXPRESSION [if CONDITION]",
        "Stop whenever a value is read.",
        watching::rwatch,
    )
    .also(&["rw"])
    .details(WATCHED)
    .takes(Expression),
    Command::new(
        "save",
        "save breakpoints FILE",
        "Write the breakpoints to a file, as commands that set them again.",
        saving::save,
    )
    .details("`source FILE` sets them again.")
    .takes(File),
    Command::new(
        "silent",
        "silent",
        "As the first of a breakpoint's commands, keep its stop from being printed.",
        stop_actions::silent,
    ),
    Command::new(
        "tbreak",
        "tbreak [LOCATION] [if CONDITION]",
        "Stop once when the program arrives at a location.",
        breakpoints::tbreak,
    )
    .also(&["tb", "tbr", "thbreak"])
    .details("Like `break`, but the breakpoint is deleted when it stops the program.")
    .takes(Location),
    Command::new(
        "tcatch",
        "tcatch EVENT",
        "Stop once at an event.",
        watching::tcatch,
    )
    .details("See `help catch`."),
    Command::new(
        "watch",
        "watch [-location] EXPRESSION [if CONDITION]",
        "Stop whenever a value changes.",
        watching::watch,
    )
    .also(&["wa"])
    .details(WATCHED)
    .takes(Expression),
    Command::new(
        "watchpoint",
        "watchpoint set variable | set expression | list | delete | disable | enable | modify | ignore | command add",
        "Set watchpoints and change them, as lldb spells it.",
        families::watchpoint,
    )
    .takes(Spelling),
];

const WATCHED: &str = "It may be any expression with a place in memory, a wasm local ($local0) or a global ($global0).\n\
     -location watches the place that it has now.";

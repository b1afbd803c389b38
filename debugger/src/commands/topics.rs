//! The topics of `info`, as a table of their own.

use crate::commands::table::{ArgumentKind, Command, Group, Repeat};
use crate::commands::{breakpoints, display, info, info_machine, info_symbols, skip};
use crate::debugger::Debugger;
use crate::error::Error;

/// The topics of `info`.
pub(crate) const INFO_COMMANDS: &[Command] = &[
    info_topic(
        "args",
        &[],
        "info args",
        "Argument variables of current stack frame.",
        ArgumentKind::None,
        info::args,
    ),
    info_topic(
        "breakpoints",
        &["b"],
        "info breakpoints [NUMBERS]",
        "Status of specified breakpoints (all user-settable breakpoints if no argument).",
        ArgumentKind::Numbers,
        breakpoints::info,
    ),
    info_topic(
        "display",
        &[],
        "info display",
        "Expressions to display when program stops, with code numbers.",
        ArgumentKind::None,
        display::info,
    ),
    info_topic(
        "frame",
        &["f"],
        "info frame",
        "All about the selected stack frame.",
        ArgumentKind::None,
        info_machine::frame,
    ),
    info_topic(
        "functions",
        &["fu"],
        "info functions [REGEX]",
        "All function names or those matching REGEX.",
        ArgumentKind::None,
        info_symbols::functions,
    ),
    info_topic(
        "globals",
        &[],
        "info globals",
        "The wasm globals of the module.",
        ArgumentKind::None,
        info_machine::globals,
    ),
    info_topic(
        "labels",
        &[],
        "info labels",
        "The label stack of the selected frame: what branches lead to, L0 being the innermost.",
        ArgumentKind::None,
        info_machine::labels,
    ),
    info_topic(
        "line",
        &[],
        "info line [LOCATION]",
        "Code that a source line stands for.",
        ArgumentKind::Location,
        info_symbols::line,
    ),
    info_topic(
        "locals",
        &[],
        "info locals",
        "Local variables of current stack frame.",
        ArgumentKind::None,
        info::locals,
    ),
    info_topic(
        "program",
        &[],
        "info program",
        "Execution status of the program.",
        ArgumentKind::None,
        info::program,
    ),
    info_topic(
        "registers",
        &["r"],
        "info registers",
        "The machine's state in the selected frame: pc, clock and wasm locals.",
        ArgumentKind::None,
        info_machine::registers,
    ),
    info_topic(
        "skip",
        &["sk"],
        "info skip",
        "Functions and files that are skipped when stepping.",
        ArgumentKind::None,
        skip::info,
    ),
    info_topic(
        "source",
        &[],
        "info source",
        "Information about the current source file.",
        ArgumentKind::None,
        info_symbols::source,
    ),
    info_topic(
        "watchpoints",
        &["wat"],
        "info watchpoints [NUMBERS]",
        "Status of specified watchpoints (all watchpoints if no argument).",
        ArgumentKind::Numbers,
        breakpoints::info_watchpoints,
    ),
    info_topic(
        "stack",
        &["s"],
        "info stack",
        "The operand stack of the selected frame, the topmost operand last. (`backtrace` lists frames.)",
        ArgumentKind::None,
        info_machine::stack,
    ),
];

const fn info_topic(
    name: &'static str,
    aliases: &'static [&'static str],
    usage: &'static str,
    summary: &'static str,
    argument: ArgumentKind,
    run: fn(&mut Debugger, &str) -> Result<(), Error>,
) -> Command {
    Command {
        name,
        aliases,
        group: Group::Support,
        usage,
        summary,
        details: "",
        argument,
        repeat: Repeat::Same,
        run,
    }
}

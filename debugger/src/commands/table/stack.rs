//! Commands about frames.

use super::Command;
use super::Repeat::Same;
use crate::commands::stack;

pub(super) const COMMANDS: &[Command] = &[
    Command::new(
        "backtrace",
        "backtrace [full] [COUNT | -COUNT]",
        "Show the calls that led here, the innermost first.",
        stack::backtrace,
    )
    .also(&["bt", "where"])
    .details("COUNT frames at most; a negative COUNT shows the outermost. `full` shows local variables too.")
    .repeats(Same),
    Command::new(
        "down",
        "down [COUNT]",
        "Select the frame that the selected one called.",
        stack::down,
    )
    .also(&["dow"])
    .repeats(Same),
    Command::new(
        "frame",
        "frame [NUMBER | function NAME]",
        "Select a frame and show it; without arguments, show the selected one.",
        stack::frame,
    )
    .also(&["f"])
    .repeats(Same),
    Command::new(
        "up",
        "up [COUNT]",
        "Select the frame that called the selected one.",
        stack::up,
    )
    .repeats(Same),
];

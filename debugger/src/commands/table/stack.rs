//! Commands about frames.

use super::ArgumentKind::{Expression, Spelling};
use super::Command;
use super::Repeat::Same;
use crate::commands::{families, stack};

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
        "frame [NUMBER | function NAME] | frame apply all | COUNT [-q -c -s] COMMAND",
        "Select a frame and show it; without arguments, show the selected one.",
        stack::frame,
    )
    .also(&["f"])
    .details(
        "`frame apply` performs a command in each of several frames: -q leaves out which frame it is, -c goes on after\n\
         an error, -s passes over frames where the command fails.",
    )
    .takes(Spelling)
    .repeats(Same),
    Command::new(
        "up",
        "up [COUNT]",
        "Select the frame that called the selected one.",
        stack::up,
    )
    .repeats(Same),
    Command::new(
        "v",
        "v [VARIABLES]",
        "Show variables of the selected frame, as lldb spells it (`frame variable`).",
        families::variable,
    )
    .also(&["var"])
    .takes(Expression),
];

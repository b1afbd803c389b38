//! Commands about sources and code.

use super::ArgumentKind::Location;
use super::Command;
use super::Repeat::GoOn;
use crate::commands::{disassemble, list};

pub(super) const COMMANDS: &[Command] = &[
    Command::new(
        "disassemble",
        "disassemble [/s] [LOCATION | FROM,TO | FROM,+BYTES]",
        "Show the instructions of a function, or of a range.",
        disassemble::disassemble,
    )
    .details("Without arguments, the selected frame's function. /s shows the source lines between.")
    .takes(Location),
    Command::new(
        "list",
        "list [LOCATION | FIRST,LAST | -]",
        "Show source lines.",
        list::list,
    )
    .also(&["l"])
    .details(
        "Without arguments, the lines around the place where the program stands, then more after them;\n\
         `list -` shows what comes before. `set listsize` says how many.",
    )
    .takes(Location)
    .repeats(GoOn),
];

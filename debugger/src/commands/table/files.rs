//! Commands about sources and code.

use super::ArgumentKind::{File, Location, Spelling};
use super::Command;
use super::Repeat::{GoOn, Same};
use crate::commands::{disassemble, environment, families, list};

pub(super) const COMMANDS: &[Command] = &[
    Command::new(
        "directory",
        "directory [DIRECTORIES]",
        "Look for sources in directories; without arguments, no longer in those that you named.",
        environment::directory,
    )
    .details("They stand side by side, or with `:` between them.")
    .takes(File),
    Command::new(
        "disassemble",
        "disassemble [/sr] [--tier classic | fast | clif | jit | opt] [LOCATION | FROM,TO | FROM,+BYTES]",
        "Show the instructions of a function, or of a range.",
        disassemble::disassemble,
    )
    .also(&["di"])
    .details(
        "Without arguments, the selected frame's function. /s shows the source lines between, /r the bytes. `--tier` shows\n\
         what each few instructions become, too: the register code of fast, the machine code of jit or opt, or clif, from which\n\
         machine code is made. Code that optimisation moved shows its instructions again. A breakpoint changes the code of its function.",
    )
    .takes(Location),
    Command::new(
        "forward-search",
        "forward-search REGEX",
        "Show the next source line that matches a regular expression.",
        list::forward_search,
    )
    .also(&["search", "fo"])
    .repeats(Same),
    Command::new(
        "image",
        "image list | lookup | dump sections | dump symtab | search-paths",
        "Look at the module, as lldb spells it.",
        families::image,
    )
    .takes(Spelling),
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
    Command::new(
        "reverse-search",
        "reverse-search REGEX",
        "Show the source line before that matches a regular expression.",
        list::reverse_search,
    )
    .also(&["rev"])
    .repeats(Same),
    Command::new(
        "target",
        "target create | list | variable | delete | modules",
        "Choose the program, as lldb spells it.",
        families::target,
    )
    .takes(Spelling),
];

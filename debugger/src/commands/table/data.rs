//! Commands about values, types and memory.

use super::ArgumentKind::{self, Expression, File, Numbers, Setting, Spelling, Type};
use super::Command;
use super::Repeat::{GoOn, Same};
use crate::commands::{calling, data, display, examine, families, find, memory_files, set, text};

pub(super) const COMMANDS: &[Command] = &[
    Command::new(
        "append",
        "append [binary] memory FILE START END | append [binary] value FILE EXPRESSION",
        "Add memory or a value to the end of a file.",
        memory_files::append,
    )
    .details("See `help dump`.")
    .takes(File),
    Command::new(
        "call",
        "call[/FORMAT] EXPRESSION",
        "Call a function of the program for good.",
        calling::call,
    )
    .details(
        "Like `print`, but what the function does to the program is kept, and a void result is not printed.\n\
         (`print` calls functions in a copy of the program.)",
    )
    .takes(Expression)
    .repeats(Same),
    Command::new(
        "display",
        "display[/FORMAT] [EXPRESSION]",
        "Print a value whenever the program stops.",
        display::display,
    )
    .details(
        "Formats are those of `print`; with `i` or `s`, or a unit, those of `x`.\n\
         Without EXPRESSION, all displays are shown now.",
    )
    .takes(Expression),
    Command::new(
        "dump",
        "dump [binary] memory FILE START END | dump [binary] value FILE EXPRESSION",
        "Write memory or a value to a file.",
        memory_files::dump,
    )
    .details(
        "END is the address after the last byte; `+LENGTH` may stand instead of it. The file holds the bytes as they are.",
    )
    .takes(File),
    Command::new(
        "expression",
        "expression [-f FORMAT --] EXPRESSION",
        "Evaluate an expression for good, as lldb spells it (`call`).",
        families::expression,
    )
    .also(&["e", "expr"])
    .takes(Expression),
    Command::new(
        "find",
        "find[/SIZE][/COUNT] START, +LENGTH | END, VALUES...",
        "Search memory for values that lie one after the other.",
        find::find,
    )
    .details(
        "SIZE is b (1 byte), h (2), w (4) or g (8) for all integers among VALUES; without it each has the size of its\n\
         type. A string stands for its characters without a final zero. COUNT is the most that is found. END is the\n\
         last byte that is searched. `$_` is the last place found then, `$numfound` their number.",
    )
    .takes(Expression),
    Command::new(
        "init-if-undefined",
        "init-if-undefined $NAME = EXPRESSION",
        "Give a variable of your own a value, if it has none.",
        set::init_if_undefined,
    )
    .takes(Expression),
    Command::new(
        "memory",
        "memory read | write | find | region",
        "Look at memory and change it, as lldb spells it.",
        families::memory,
    )
    .takes(Spelling),
    Command::new(
        "output",
        "output[/FORMAT] EXPRESSION",
        "Print a value alone, without a number in the history of values.",
        data::output,
    )
    .takes(Expression),
    Command::new(
        "parray",
        "parray COUNT EXPRESSION",
        "Print the elements that a pointer points to, as lldb spells it (`print *EXPRESSION@COUNT`).",
        families::array,
    )
    .takes(Expression),
    Command::new(
        "po",
        "po EXPRESSION",
        "Evaluate an expression for good, as lldb spells it (`call`).",
        families::print_object,
    )
    .takes(Expression),
    Command::new(
        "print",
        "print[/FORMAT] [EXPRESSION]",
        "Print the value of an expression.",
        data::print,
    )
    .also(&["p", "inspect"])
    .details(
        "Expressions are C's, over the program's variables and the machine's state: $local0, $stack0 (the\n\
         bottom of the operand stack), $global0, $pc, $tick, $1 and $ (earlier values), ARRAY@COUNT.\n\
         FORMAT is one of x (hexadecimal), d, u (decimal), o (octal), t (binary), c (character),\n\
         a (address), f (floating point).",
    )
    .takes(Expression)
    .repeats(Same),
    Command::new(
        "printf",
        "printf \"FORMAT\", EXPRESSION, ...",
        "Print a text with values in it, as C's printf does.",
        text::printf,
    )
    .details("%V prints a value as `print` does.")
    .takes(Expression),
    Command::new(
        "ptype",
        "ptype TYPE | EXPRESSION",
        "Show how a type is defined, or the type of an expression.",
        data::ptype,
    )
    .takes(Type)
    .repeats(Same),
    Command::new(
        "register",
        "register read [NAMES] | write NAME VALUE | info NAME",
        "Look at the machine's registers and change them, as lldb spells it.",
        families::register,
    )
    .also(&["re"])
    .details("They are $pc, $tick, the wasm locals ($local0) and the operands ($stack0).")
    .takes(Spelling),
    Command::new(
        "restore",
        "restore FILE [binary] OFFSET [START END]",
        "Put a file's bytes into memory.",
        memory_files::restore,
    )
    .details(
        "Each byte goes to OFFSET plus its position in the file. START and END choose a part of the file.",
    )
    .takes(File),
    Command::new(
        "set",
        "set [var] PLACE = VALUE | set args ARGUMENTS | set SETTING VALUE",
        "Change a variable, a wasm local, memory, or a setting.",
        set::set,
    )
    .details("`show` lists the settings.")
    .takes(Setting),
    Command::new(
        "type",
        "type lookup TYPE",
        "Show how a type is defined, as lldb spells it (`ptype`).",
        families::type_,
    )
    .takes(Spelling),
    Command::new(
        "undisplay",
        "undisplay [NUMBERS]",
        "Delete displays: those of the given numbers, or all.",
        display::undisplay,
    )
    .takes(Numbers),
    Command::new(
        "unset",
        "unset environment [NAME] | unset substitute-path [FROM]",
        "Take back what `set` did.",
        set::unset,
    )
    .takes(ArgumentKind::Unset),
    Command::new(
        "whatis",
        "whatis EXPRESSION | TYPE",
        "Show the name of an expression's type.",
        data::whatis,
    )
    .takes(Type)
    .repeats(Same),
    Command::new(
        "x",
        "x[/COUNT FORMAT UNIT] ADDRESS",
        "Show what lies in memory.",
        examine::examine,
    )
    .details(
        "FORMAT is that of `print`, or s (string) or i (instructions; ADDRESS is then an offset in the .wasm\n\
         file). UNIT is b (1 byte), h (2), w (4) or g (8). Without ADDRESS it goes on after what it showed.",
    )
    .takes(Expression)
    .repeats(GoOn),
];

//! Commands that let the program run.

use super::ArgumentKind::{Expression, File, Location, Spelling};
use super::Command;
use super::Repeat::{GoOn, Same};
use crate::commands::{calling, families, running, skip, tier};

pub(super) const COMMANDS: &[Command] = &[
    Command::new(
        "advance",
        "advance LOCATION",
        "Go on up to a location.",
        running::advance,
    )
    .details("It stops there at any depth, or when the current frame returns.")
    .takes(Location),
    Command::new(
        "continue",
        "continue [COUNT]",
        "Go on until something stops the program.",
        running::continue_,
    )
    .also(&["c", "fg"])
    .details("With COUNT, the breakpoint at which the program stands is passed COUNT-1 times.")
    .repeats(GoOn),
    Command::new(
        "env",
        "env [NAME=VALUE]",
        "Show the program's environment variables or give it one, as lldb spells it.",
        families::environment,
    ),
    Command::new(
        "file",
        "file PROGRAM",
        "Debug another program instead of this one.",
        running::file,
    )
    .details("Breakpoints are looked for in it.")
    .takes(File),
    Command::new(
        "finish",
        "finish",
        "Go on until the selected frame returns, and print what it returns.",
        running::finish,
    )
    .also(&["fin"])
    .repeats(Same),
    Command::new(
        "jump",
        "jump LOCATION",
        "Go on at another place of the current function.",
        calling::jump,
    )
    .also(&["j"])
    .takes(Location),
    Command::new(
        "kill",
        "kill",
        "End the program where it stands.",
        running::kill,
    )
    .also(&["k"]),
    Command::new(
        "next",
        "next [COUNT]",
        "Go on to the next source line of this function, or of its caller.",
        running::next,
    )
    .also(&["n"])
    .details("Unlike `step`, it does not stop in functions that are called.")
    .repeats(Same),
    Command::new(
        "nexti",
        "nexti [COUNT]",
        "Execute one instruction; a call counts as one.",
        running::nexti,
    )
    .also(&["ni"])
    .repeats(Same),
    Command::new(
        "process",
        "process launch | continue | kill | status | interrupt",
        "Run the program, as lldb spells it.",
        families::process,
    )
    .takes(Spelling),
    Command::new(
        "return",
        "return [EXPRESSION]",
        "Make the selected frame return at once, with a value.",
        calling::return_,
    )
    .details("The program stands in the caller then. Without EXPRESSION the value is zero.")
    .takes(Expression),
    Command::new(
        "run",
        "run [ARGUMENTS]",
        "Start the program from its beginning.",
        running::run,
    )
    .also(&["r"])
    .details(
        "ARGUMENTS are given to the program; without any, those of the last time. `<FILE`, `>FILE`, `>>FILE` and `2>FILE`\n\
         lead its standard streams elsewhere.",
    )
    .takes(File),
    Command::new(
        "skip",
        "skip [FUNCTION] | skip file [FILE] | skip -gfi GLOB -fu NAME ... | skip delete/enable/disable [NUMBERS]",
        "Let `step` pass over a function, or over a file's functions.",
        skip::skip,
    )
    .details("Without arguments, the current function. -gfi and -gfu take globs, -rfi and -rfu regular expressions.")
    .takes(Location),
    Command::new(
        "start",
        "start [ARGUMENTS]",
        "Start the program and stop where its main function begins.",
        running::start,
    )
    .takes(File),
    Command::new(
        "starti",
        "starti [ARGUMENTS]",
        "Start the program and stop before its first instruction.",
        running::starti,
    )
    .takes(File),
    Command::new(
        "step",
        "step [COUNT]",
        "Go on to another source line, into functions that are called.",
        running::step,
    )
    .also(&["s"])
    .details(
        "It passes over functions without lines, and from a function whose source can be shown over functions whose\n\
         source cannot; `set step-mode on` makes it stop in them.",
    )
    .repeats(Same),
    Command::new(
        "stepi",
        "stepi [COUNT]",
        "Execute one instruction.",
        running::stepi,
    )
    .also(&["si"])
    .repeats(Same),
    Command::new(
        "thread",
        "thread [1] | thread apply all COMMAND | thread step-in | step-over | step-out | backtrace | ...",
        "Show the one agent there is, or step, as lldb spells it.",
        families::thread,
    )
    .also(&["t"])
    .takes(Spelling),
    Command::new(
        "tier",
        "tier [classic | fast | jit | opt | auto]",
        "Show or choose what runs the program between stops.",
        tier::tier,
    )
    .details(
        "classic interprets the module's bytes; fast runs register code that functions are translated to when they are first\n\
         called (`set compile`); jit runs machine code that is compiled quickly, and opt machine code that is compiled to be fast.\n\
         auto begins in fast and moves what takes time to machine code. Single steps are classic's in any case. Where the program\n\
         stops, what it shows and its clock are the same in all; `info tier` tells what each has done, `disassemble --tier NAME`\n\
         shows its code.",
    ),
    Command::new(
        "until",
        "until [LOCATION]",
        "Go on to a later line of this function, or up to a location in it.",
        running::until,
    )
    .also(&["u"])
    .details("Without LOCATION it is like `next`, but does not go back to an earlier line of a loop.")
    .takes(Location)
    .repeats(Same),
];

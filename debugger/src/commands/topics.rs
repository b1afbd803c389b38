//! The topics of `info`, as a table of their own.

use crate::commands::table::ArgumentKind::{Expression, Location, Numbers};
use crate::commands::table::{Command, Repeat, Run};
use crate::commands::{
    breakpoints, display, info, info_machine, info_module, info_names, info_symbols, skip, tier,
};

/// The topics of `info`.
pub(crate) const INFO_COMMANDS: &[Command] = &[
    topic("address", "info address NAME", "Where a variable or a function is.", info_symbols::address).also(&["ad"]).takes(Expression),
    topic("all-registers", "info all-registers", "The same as `info registers`.", info_machine::registers),
    topic("args", "info args", "The arguments of the selected frame.", info::args),
    topic("breakpoints", "info breakpoints [NUMBERS]", "Breakpoints, watchpoints and catchpoints: all, or those of the given numbers.", breakpoints::info).also(&["b"]).takes(Numbers),
    topic("display", "info display", "The expressions that are printed at each stop.", display::info),
    topic("exports", "info exports", "What the module offers to its host.", info_module::exports),
    topic("files", "info files", "The program's file and its sections.", info_module::files).also(&["target"]),
    topic("float", "info float", "The state of a floating-point unit, which this machine does not have.", info_module::float).also(&["vector"]),
    topic("frame", "info frame", "All about the selected frame.", info_machine::frame).also(&["f"]),
    topic("functions", "info functions [REGEX]", "The functions, or those whose names match a regular expression.", info_names::functions).also(&["fu"]),
    topic("globals", "info globals", "The wasm globals of the module.", info_machine::globals),
    topic("imports", "info imports", "What the module takes from its host.", info_module::imports),
    topic("inferiors", "info inferiors", "The program being debugged, as gdb numbers programs.", info_module::inferiors),
    topic("labels", "info labels", "The label stack of the selected frame: what branches lead to, L0 being the innermost.", info_machine::labels),
    topic("line", "info line [LOCATION]", "The code that a source line stands for.", info_symbols::line).takes(Location),
    topic("locals", "info locals", "The local variables of the selected frame.", info::locals),
    topic("macro", "info macro NAME", "Macros of the preprocessor, which debug info is not asked for.", info_module::macros).also(&["macros"]),
    topic("memory", "info memory", "The linear memories and their sizes.", info_module::memory).also(&["mem"]),
    topic("os", "info os", "Processes of the operating system, of which the program is none.", info_module::processes).also(&["proc", "auxv"]),
    topic("program", "info program", "What the program is doing.", info::program),
    topic("registers", "info registers", "The machine's state in the selected frame: pc, clock and wasm locals.", info_machine::registers).also(&["r"]),
    topic("scope", "info scope LOCATION", "The variables that are visible at a location.", info_symbols::scope).also(&["sc"]).takes(Location),
    topic("sections", "info sections", "The sections of the module.", info_module::sections).also(&["sec"]),
    topic("sharedlibrary", "info sharedlibrary", "Shared libraries, of which a module has none.", info_module::shared_libraries).also(&["dll"]),
    topic("signals", "info signals", "Signals, of which WebAssembly has none.", info_module::signals).also(&["handle"]),
    topic("skip", "info skip [NUMBERS]", "The functions and files that `step` passes over.", skip::info).also(&["sk"]),
    topic("source", "info source", "The current source file.", info_symbols::source),
    topic("sources", "info sources [REGEX]", "The source files, or those whose paths match a regular expression.", info_names::sources),
    topic("stack", "info stack", "The operand stack of the selected frame, the topmost operand last. (`backtrace` lists frames.)", info_machine::stack).also(&["s"]),
    topic("symbol", "info symbol ADDRESS", "What lies at an address.", info_symbols::symbol).also(&["sy"]).takes(Expression),
    topic("tables", "info tables [NUMBER]", "The tables and their sizes, or the elements of one.", info_module::tables),
    topic("tags", "info tags", "The tags of exceptions, and the types of the values that they carry.", info_module::tags).also(&["exceptions"]),
    topic("threads", "info threads", "The agents that execute the program: there is one.", info_module::threads),
    topic("tier", "info tier [all]", "What each tier ran and translated, where functions have code, and which ones a tier cannot run.", tier::info).also(&["tiers"]),
    topic("types", "info types [REGEX]", "The types, or those whose names match a regular expression.", info_names::types),
    topic("variables", "info variables [REGEX]", "The variables outside of functions, or those whose names match a regular expression.", info_names::variables),
    topic("watchpoints", "info watchpoints [NUMBERS]", "Watchpoints: all, or those of the given numbers.", breakpoints::info_watchpoints).also(&["wat"]).takes(Numbers),
];

const fn topic(
    name: &'static str,
    usage: &'static str,
    summary: &'static str,
    run: Run,
) -> Command {
    Command::new(name, usage, summary, run).repeats(Repeat::Same)
}

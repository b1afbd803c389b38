//! What commands answer, as plain values.
//!
//! Commands never write text of their own: they make reports, and [`crate::render`] is the one place that turns reports
//! into text, in gdb's wording where gdb has one.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::view::BreakpointView;

/// An answer of a command.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(
    tag = "type",
    content = "data",
    rename_all = "kebab-case",
    rename_all_fields = "snake_case"
)]
pub(crate) enum Report {
    /// A sentence, or text that has no structure worth keeping.
    Text(String),
    BreakpointSet(BreakpointView),
    Breakpoints(Vec<BreakpointReport>),
    Stop(StopReport),
    /// A frame was selected or is shown.
    Frame(FrameReport),
    Backtrace {
        frames: Vec<BacktraceFrame>,
        has_more: bool,
    },
    Value {
        /// Its number in the value history.
        number: Option<usize>,
        text: String,
        /// Of a reference: the fields or elements of what it leads to.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        parts: Vec<(String, String)>,
        /// The value that a function returned.
        is_returned: bool,
    },
    /// `display` expressions with their values.
    Display {
        number: u32,
        format: String,
        expression: String,
        text: String,
    },
    /// Names with their values.
    Variables {
        entries: Vec<(String, String)>,
        /// What to say when there are none.
        if_empty: &'static str,
    },
    /// Slots of the machine: index or name, type, value.
    Slots {
        entries: Vec<SlotReport>,
        if_empty: &'static str,
    },
    Labels(Vec<crate::view::LabelView>),
    Source(Vec<SourceLine>),
    Disassembly(DisassemblyReport),
    /// Rows of memory: an address with what lies there.
    Memory(Vec<MemoryRow>),
    /// Where a pattern was found in memory.
    Found {
        matches: Vec<FoundRow>,
        /// Whether the search ended at its greatest number of matches.
        has_more: bool,
    },
    /// What a program names, by file.
    Symbols {
        /// "All defined functions", or what was searched for.
        heading: String,
        groups: Vec<SymbolGroup>,
    },
    /// Rows of texts under the names of their columns.
    Table {
        columns: Vec<&'static str>,
        rows: Vec<Vec<String>>,
        /// What to say when there are none.
        if_empty: &'static str,
    },
    Tiers(TiersReport),
    /// The same program on several tiers (`wdb compare`).
    Comparison(ComparisonReport),
    /// What a run took that was not debugged (`wdb run --stats`).
    RunStats(RunStatsReport),
}

/// A breakpoint with what only its own list shows.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct BreakpointReport {
    pub(crate) view: BreakpointView,
    /// What it is ("hw watchpoint").
    pub(crate) kind: &'static str,
    /// Whether it stands for places in the code.
    pub(crate) is_located: bool,
    /// What it prints instead of stopping.
    pub(crate) prints: Option<String>,
    /// Whether the machine decides its condition by itself, and stops only where it holds.
    pub(crate) is_machine_decided: bool,
    /// Whether the machine writes down by itself what it prints.
    pub(crate) is_machine_captured: bool,
    /// How many hits will be passed over.
    pub(crate) ignore: u64,
    /// Whether it is disabled after a hit.
    pub(crate) once: bool,
    /// The commands that are performed after a hit.
    pub(crate) commands: Vec<String>,
}

/// Why the program stopped, and where it stands.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct StopReport {
    pub(crate) reason: StopReason,
    pub(crate) frame: Option<FrameReport>,
}

/// Why the program stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(
    tag = "why",
    content = "data",
    rename_all = "kebab-case",
    rename_all_fields = "snake_case"
)]
pub(crate) enum StopReason {
    /// At breakpoints; the first is told.
    Breakpoint {
        number: u32,
        is_temporary: bool,
    },
    /// A catchpoint's event is about to happen, or has.
    Catchpoint {
        number: u32,
        event: String,
    },
    /// A watched value was accessed.
    Watchpoint {
        number: u32,
        /// "Hardware watchpoint" and the like.
        kind: &'static str,
        expression: String,
        /// Before; `None` where it did not change.
        old: Option<String>,
        new: String,
    },
    /// The frame of a watched value has returned; the watchpoint is gone.
    WatchScope {
        number: u32,
    },
    /// A remote client watches memory from this address on, and it was accessed.
    RemoteWatch {
        address: u64,
    },
    /// A step is done.
    Step,
    /// A location was reached, or a function was left.
    Arrived,
    Interrupted,
    Trap(String),
    /// What happened to an exception, which a catchpoint may have waited for.
    Exception {
        number: Option<u32>,
        event: ExceptionEvent,
        exception: Box<ExceptionReport>,
    },
    /// The operating system cannot give what the program needs.
    HostResource(String),
    /// The program waits for what nobody will do.
    Deadlock(String),
    Exited(u32),
    /// An invoked function returned.
    Returned {
        function: String,
        results: Vec<String>,
    },
}

/// What happened to an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ExceptionEvent {
    /// It is about to be thrown.
    Thrown,
    /// It is about to be thrown again.
    Rethrown,
    /// It was handled: the program stands where it goes on.
    Caught,
    /// It is thrown and nothing handles it.
    Uncaught,
}

impl ExceptionEvent {
    /// The event in words.
    pub(crate) fn text(self) -> &'static str {
        match self {
            ExceptionEvent::Thrown => "exception thrown",
            ExceptionEvent::Rethrown => "exception thrown again",
            ExceptionEvent::Caught => "exception caught",
            ExceptionEvent::Uncaught => "uncaught exception",
        }
    }
}

/// An exception.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct ExceptionReport {
    pub(crate) tag: String,
    pub(crate) values: Vec<String>,
    /// Its type in the source, if that is known.
    pub(crate) type_name: Option<String>,
    /// What the source threw, if debug info describes it.
    pub(crate) value: Option<String>,
    /// What it says of itself (`std::exception::what`).
    pub(crate) message: Option<String>,
    /// Where it was thrown first.
    pub(crate) thrown: PlaceReport,
    /// Whether that is not where the program stands.
    pub(crate) is_elsewhere: bool,
    /// What handles it.
    pub(crate) handler: Option<HandlerReport>,
    /// If that catches all exceptions: the next clause for this tag.
    pub(crate) tag_handler: Option<HandlerReport>,
}

impl ExceptionReport {
    /// The exception in words: `$bad(7, 2.5)`, `fuel::leak {...}: "leaking"`.
    pub(crate) fn text(&self) -> String {
        let Some(mut text) = self.type_name.clone() else {
            return format!("{}({})", self.tag, self.values.join(", "));
        };
        if let Some(value) = &self.value {
            text = format!("{text} {value}");
        }
        if let Some(message) = &self.message {
            text = format!("{text}: {message:?}");
        }
        text
    }
}

/// Where a program goes on after an exception.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct HandlerReport {
    pub(crate) place: PlaceReport,
    /// Whether the clause catches all exceptions and not only those with one tag.
    pub(crate) catches_all: bool,
}

/// A place in the code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct PlaceReport {
    pub(crate) function: String,
    /// The file as it is shown, and the line.
    pub(crate) location: Option<(String, u32)>,
    pub(crate) pc: u32,
}

impl PlaceReport {
    /// The place in words: `inner at throw.wat:4`, `0x45 in inner`.
    pub(crate) fn text(&self) -> String {
        match &self.location {
            Some((file, line)) => format!("{} at {file}:{line}", self.function),
            None => format!("{} at 0x{:x}", self.function, self.pc),
        }
    }
}

/// A frame with its source line.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct FrameReport {
    /// The number to show before it; a stop shows none.
    pub(crate) number: Option<usize>,
    pub(crate) pc: u32,
    /// Whether the pc is worth showing: the frame does not stand where a line begins.
    pub(crate) is_within_line: bool,
    pub(crate) function: String,
    pub(crate) arguments: Vec<(String, String)>,
    /// The file as it is shown, and the line.
    pub(crate) location: Option<(String, u32)>,
    /// What to show after the frame.
    pub(crate) code: CodeReport,
    /// Whether the line that names the function is left out: a step that stays in its function shows the source line.
    pub(crate) is_brief: bool,
}

/// The code at which a frame stands.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(
    tag = "kind",
    content = "data",
    rename_all = "kebab-case",
    rename_all_fields = "snake_case"
)]
pub(crate) enum CodeReport {
    None,
    /// The text of the source line.
    Source {
        line: u32,
        /// The column, if steps go by columns.
        #[serde(skip_serializing_if = "Option::is_none")]
        column: Option<u32>,
        text: String,
    },
    /// The source file cannot be shown.
    Missing {
        line: u32,
        why: String,
    },
    /// There is no source line: the instruction.
    Instruction(String),
}

/// A frame of a backtrace, with its variables if they were asked for.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct BacktraceFrame {
    pub(crate) frame: FrameReport,
    pub(crate) variables: Option<Vec<(String, String)>>,
}

/// A slot of the machine.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct SlotReport {
    /// How an expression names it (`$local2`).
    pub(crate) name: String,
    /// The name section's name.
    pub(crate) alias: Option<String>,
    pub(crate) type_name: String,
    pub(crate) text: String,
    /// Of a reference: the fields or elements of what it leads to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) parts: Vec<(String, String)>,
}

/// A line of a source file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct SourceLine {
    pub(crate) number: u32,
    pub(crate) text: String,
}

/// A part of a function's disassembly.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct DisassemblyReport {
    /// The tier whose code is shown beside the module's, or `clif` for what machine code is made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tier: Option<&'static str>,
    pub(crate) function: String,
    pub(crate) signature: String,
    pub(crate) rows: Vec<DisassemblyRow>,
}

/// A row of a disassembly.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(
    tag = "kind",
    content = "data",
    rename_all = "kebab-case",
    rename_all_fields = "snake_case"
)]
pub(crate) enum DisassemblyRow {
    /// The source lines that the instructions after it belong to.
    Source {
        file: Option<String>,
        lines: Vec<SourceLine>,
    },
    Instruction(InstructionRow),
    /// Register code that stands for the instructions before it.
    Register(CodeRow),
    /// Intermediate code (CLIF) that stands for the instructions before it.
    Intermediate(CodeRow),
    /// Machine code that stands for the instructions before it.
    Machine(CodeRow),
}

/// An instruction of the code that a tier makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct CodeRow {
    /// Bytes from the start of the function's code; 0 in intermediate code.
    pub(crate) offset: u32,
    /// The module offset of the first instruction that it stands for; none for what belongs to the function as a whole.
    pub(crate) pc: Option<u32>,
    pub(crate) text: String,
}

/// An instruction.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct InstructionRow {
    pub(crate) pc: u32,
    /// The function and the distance from its first instruction.
    pub(crate) symbol: Option<(String, u32)>,
    pub(crate) nesting: u32,
    /// The instruction's bytes in hexadecimal, if they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bytes: Option<String>,
    pub(crate) text: String,
    pub(crate) is_current: bool,
}

/// A row that `x` shows.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(
    tag = "kind",
    content = "data",
    rename_all = "kebab-case",
    rename_all_fields = "snake_case"
)]
pub(crate) enum MemoryRow {
    Values { address: u64, values: Vec<String> },
    Instruction(InstructionRow),
}

/// A place where a pattern was found.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct FoundRow {
    pub(crate) address: u64,
    /// The variable that lies there, and the distance from its beginning.
    pub(crate) symbol: Option<(String, u64)>,
}

/// Functions, variables or types of one file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct SymbolGroup {
    /// The file; `None` for what no file declares.
    pub(crate) file: Option<String>,
    /// What stands instead of the file.
    pub(crate) title: &'static str,
    pub(crate) symbols: Vec<SymbolRow>,
}

/// A function, a variable or a type in a list.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct SymbolRow {
    /// The line that declares it.
    pub(crate) line: Option<u32>,
    /// The module offset, of a function without debug info.
    pub(crate) pc: Option<u32>,
    pub(crate) text: String,
}

/// What each tier did since the program was started.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct TiersReport {
    /// What runs the program between stops.
    pub(crate) chosen: &'static str,
    /// When functions are translated: `eager`, `lazy` or `lazy-translation`.
    pub(crate) compile: &'static str,
    /// How machine code keeps accesses within memories: `guard` or `explicit`.
    pub(crate) bounds: &'static str,
    /// Why there is no machine code here, if there cannot be: `jit`, `opt` and `auto` run in `fast` then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) machine_code_obstacle: Option<String>,
    pub(crate) tiers: Vec<TierReport>,
    /// Functions that have code, those with the most machine code first; not told of a run that was not debugged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) functions: Vec<FunctionCodeReport>,
    /// How many more have.
    pub(crate) functions_left_out: usize,
    /// The functions that a tier could not run, which ran in a slower one.
    pub(crate) fallbacks: Vec<FallbackReport>,
}

/// What tiers have made of a function.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct FunctionCodeReport {
    pub(crate) func_index: Option<u32>,
    pub(crate) function: Arc<str>,
    /// By tier, the fastest first.
    pub(crate) codes: Vec<CodeSizeReport>,
}

/// A tier's code of a function.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct CodeSizeReport {
    pub(crate) tier: &'static str,
    /// The memory that it takes.
    pub(crate) bytes: usize,
    /// How many pieces it consists of: one for calls, and one for each place at which a frame was gone on with.
    pub(crate) pieces: usize,
    /// The time that making it took, of machine code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) translation_ms: Option<f64>,
}

/// What a tier did.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct TierReport {
    pub(crate) tier: &'static str,
    /// How far the logical clock went in it.
    pub(crate) ticks: u64,
    /// The number of functions that it has code for.
    pub(crate) functions: usize,
    /// The size of their wasm code.
    pub(crate) wasm_bytes: usize,
    /// The memory that the tier's own code takes.
    pub(crate) code_bytes: usize,
    /// The time that making it took.
    pub(crate) translation_ms: f64,
}

/// A function that a tier could not run.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct FallbackReport {
    pub(crate) tier: &'static str,
    pub(crate) func_index: Option<u32>,
    pub(crate) function: Arc<str>,
    pub(crate) reason: String,
}

/// What a run took.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct RunStatsReport {
    /// Seconds from the start of wdb to the end of the program.
    pub(crate) seconds: f64,
    /// The logical clock at the end.
    pub(crate) ticks: u64,
    pub(crate) ticks_per_second: f64,
    /// The size of memory 0 at the end.
    pub(crate) guest_memory_bytes: u64,
    /// The most memory that wdb used, where the operating system tells.
    pub(crate) peak_memory_bytes: Option<u64>,
    /// The size of the module's code section.
    pub(crate) module_code_bytes: u64,
    pub(crate) tiers: TiersReport,
}

/// The same program with the same input on several tiers.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub(crate) struct ComparisonReport {
    pub(crate) tiers: Vec<TierRunReport>,
    /// Whether all did the same; not known before the end.
    pub(crate) agrees: Option<bool>,
    /// Where tiers part from the first one.
    pub(crate) partings: Vec<PartingReport>,
}

/// A tier's run.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub(crate) struct TierRunReport {
    pub(crate) tier: &'static str,
    pub(crate) has_begun: bool,
    /// How it ended, in words that follow "is"; none before.
    pub(crate) ended: Option<String>,
    /// The time that it took, without calls of the host: all tiers but the first get the answers that the first one got.
    pub(crate) seconds: f64,
    /// The time that calls of the host took.
    pub(crate) host_seconds: f64,
    /// The logical clock.
    pub(crate) ticks: u64,
    pub(crate) ticks_per_second: f64,
    /// The time that making code took, on whatever thread.
    pub(crate) translation_ms: f64,
    /// The memory that code takes, of all tiers that had a part in it.
    pub(crate) code_bytes: usize,
    /// The most memory of the program.
    pub(crate) memory_bytes: u64,
    /// A hash of the memory at the end.
    pub(crate) memory_hash: Option<String>,
}

/// Where a tier parts from the first one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct PartingReport {
    pub(crate) first: &'static str,
    pub(crate) other: &'static str,
    /// The first tick at whose beginning their states differ; none if they did not differ when they were run again.
    pub(crate) tick: Option<u64>,
    /// Where they stand at the tick before it.
    pub(crate) place: Option<String>,
    /// What differs.
    pub(crate) what: String,
}

//! Immutable pictures of a stop: plain data that front ends draw.
//!
//! Nothing in here refers back to the machine; a view stays valid while the program runs on.

use std::path::PathBuf;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

/// Everything a front end shows of the program between two changes.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// What the program is doing.
    pub state: ProgramState,
    /// Why it stopped, in words ("Breakpoint 1, fib (n=3) at fib.c:4"); empty before the first run.
    pub reason: String,
    /// The logical clock: entries of functions and arrivals at loop bodies since the start.
    pub tick: u64,
    /// The tier that runs the program between stops.
    pub tier: &'static str,
    /// The innermost frames, inlined calls included; at most [`View::FRAMES_MAX`].
    pub frames: Vec<FrameView>,
    /// The number of frames there are, inlined calls counted only within `frames`.
    pub frame_count: usize,
    /// The selected frame's state; `None` when there is no frame.
    pub selected: Option<SelectedFrame>,
    /// Breakpoints in the order of their numbers.
    pub breakpoints: Vec<BreakpointView>,
    /// Size in bytes of memory 0, if there is one.
    pub memory_bytes: Option<u64>,
}

impl View {
    /// How many frames a view lists; a front end asks `backtrace` for more.
    pub const FRAMES_MAX: usize = 200;
}

/// What the program is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ProgramState {
    /// Not started yet.
    #[default]
    NotStarted,
    /// Running.
    Running,
    /// Stopped; it can go on.
    Stopped,
    /// Stopped at a trap; it can be looked at but not go on.
    Trapped,
    /// Ended with this exit status.
    Exited(u32),
}

/// A place in a source file.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, JsonSchema)]
pub struct SourceSpot {
    /// The path that the debug info records.
    pub recorded: Arc<str>,
    /// The file found on this machine, after `--source-map`; `None` when it is missing.
    pub resolved: Option<Arc<PathBuf>>,
    /// 1-based.
    pub line: u32,
    /// 1-based; 0 when unknown.
    pub column: u32,
}

/// One frame of the backtrace.
#[derive(Clone, Debug)]
pub struct FrameView {
    /// 0 is the innermost.
    pub index: usize,
    /// The function's name: from debug info, the name section, an export, or `func[12]`.
    pub function: String,
    /// The index of the wasm function in its module.
    pub func_index: u32,
    /// Where the frame stands: the module offset of its next instruction.
    pub pc: u32,
    /// The source position; of a caller: that of the call.
    pub source: Option<SourceSpot>,
    /// Whether this is a call that the compiler inlined into the next frame.
    pub inlined: bool,
    /// Names and values of the arguments, one line each.
    pub arguments: Vec<(String, String)>,
}

/// What can be seen of the selected frame.
#[derive(Clone, Debug)]
pub struct SelectedFrame {
    /// The index in [`View::frames`].
    pub index: usize,
    /// The index of the wasm function in its module.
    pub func_index: u32,
    /// The module offset of its next instruction.
    pub pc: u32,
    /// The source position.
    pub source: Option<SourceSpot>,
    /// Source-level variables in scope, innermost scope first; empty without debug info.
    pub variables: Vec<VariableView>,
    /// The wasm locals.
    pub locals: Vec<SlotView>,
    /// The operand stack, bottom first.
    pub operands: Vec<SlotView>,
    /// The label stack, outermost first.
    pub labels: Vec<LabelView>,
}

/// A source-level variable.
#[derive(Clone, Debug)]
pub struct VariableView {
    /// Its name.
    pub name: String,
    /// Its type as the source language writes it.
    pub type_name: String,
    /// Whether it is an argument.
    pub argument: bool,
    /// Its value.
    pub value: ValueView,
    /// Whether the value differs from the one at the previous stop in the same frame.
    pub changed: bool,
}

/// A value: one line of text, and its parts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ValueView {
    /// The whole value on one line, shortened with `...` when it is long.
    pub text: String,
    /// Members or elements, to a bounded depth and number.
    pub children: Vec<(String, ValueView)>,
}

/// A wasm local or an operand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SlotView {
    /// The index among the locals, or the height above the operand stack's bottom.
    pub index: usize,
    /// The name section's name.
    pub name: Option<String>,
    /// The wasm type (`i32`).
    pub type_name: String,
    /// The value as text.
    pub text: String,
    /// Of a reference: the fields or elements of what it leads to, to a bounded depth and number.
    pub children: Vec<(String, ValueView)>,
    /// Whether it differs from the previous stop in the same frame.
    pub changed: bool,
}

/// An entry of the label stack.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct LabelView {
    /// `block`, `loop`, `if`, or `function`.
    pub kind: &'static str,
    /// The module offset of the instruction that opened it.
    pub start: u32,
    /// Where a branch to it lands.
    pub target: u32,
    /// The height of the operand stack below it.
    pub height: usize,
    /// How many values a branch to it carries.
    pub arity: usize,
}

/// A breakpoint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct BreakpointView {
    /// Its number.
    pub number: u32,
    /// Whether it can stop the program.
    pub enabled: bool,
    /// Whether it goes away at its first hit.
    pub temporary: bool,
    /// What the user asked for.
    pub spec: String,
    /// The condition's text.
    pub condition: Option<String>,
    /// How often it was hit.
    pub hits: u64,
    /// The places it stands for.
    pub places: Vec<PlaceView>,
}

/// One place of a breakpoint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct PlaceView {
    /// The module offset.
    pub pc: u32,
    /// The function's name.
    pub function: String,
    /// The source position.
    pub source: Option<SourceSpot>,
}

/// A function's instructions.
#[derive(Clone, Debug)]
pub struct Disassembly {
    /// The function's index.
    pub func_index: u32,
    /// Its name.
    pub function: String,
    /// Its type (`(param i32 i32) (result i32)`).
    pub signature: String,
    /// Its instructions in order.
    pub lines: Vec<InstructionView>,
}

/// One instruction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InstructionView {
    /// Its module offset.
    pub pc: u32,
    /// How deep it is nested in blocks.
    pub nesting: u32,
    /// The instruction in text format, with symbolic names (`local.get $n`).
    pub text: String,
    /// What it does, in one line.
    pub explanation: &'static str,
    /// Its effect on the operand stack (`[i32 i32] -> [i32]`).
    pub effect: &'static str,
    /// The source line that its line row belongs to: recorded path and line.
    pub source: Option<(Arc<str>, u32)>,
}

/// A source file's text.
#[derive(Clone, Debug)]
pub struct SourceText {
    /// Where it was found, or its recorded path when it is embedded.
    pub path: PathBuf,
    /// Its lines without their ends.
    pub lines: Vec<String>,
    /// The 1-based lines that have code, in ascending order.
    pub code_lines: Vec<u32>,
}

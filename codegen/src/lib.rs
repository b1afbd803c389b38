//! The compiler of the machine-code tiers: wasm functions in, machine code out that can be left anywhere.
//!
//! Compiled code keeps locals and operands in machine registers. Wherever it can be left (the entry of a function and of a loop,
//! an instruction that is given away, a probe, the return of a call that is itself being left) a branch leads to a cold block
//! that writes the frame's locals and operands to the *exit records* and returns with a negative clock; each caller sees that and
//! does the same. So the native stack becomes a list of records, innermost first, which [`Site`] explains.
//!
//! The clock is an argument and a result: the ticks left before the runtime is asked, less one. It is never kept in memory.
//!
//! What the code needs of the machine at run time it finds through one pointer, [`Context`]. It has no relocations: functions call each
//! other through the context's entries, which can be replaced while the program lives, and the runtime through its table.
#![forbid(unsafe_code)]

mod abi;
mod compiler;
mod condition;
mod entrances;
mod env;
mod listing;
mod probe;
mod translate;

pub use abi::{
    ACCESS_BYTES_MAX, Context, ENTRY_BYTES, FRAME_CELLS_MAX, MEMORY_VIEW_BYTES, MemoryView,
    RUNTIME_FUNCTIONS, Reason, Runtime, STATUS_DONE, TableView, entries_offset,
    returns_in_registers,
};
pub use compiler::{Compiled, Compiler, Error, Level, Translated};
pub use condition::{Condition, ConditionConversion, ConditionOp, Observed};
pub use entrances::Trampoline;
pub use env::{
    CalleeKind, CellKind, Env, GlobalPlace, Job, MemoryPlace, Site, Start, TablePlace, Watched,
};
pub use listing::Line;
pub use probe::{CAPTURED_HEAD_WORDS, CAPTURED_VALUES_MAX, Capture, HitCounter, Probe, ProbeRule};

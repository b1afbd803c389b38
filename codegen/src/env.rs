//! What the compiler is told of a function and its surroundings, and what it tells of the code.

use wasmparser::{FuncType, SubType, ValType};

use crate::abi::Reason;
use crate::compiler::Level;
use crate::probe::Probe;

/// Where a global lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GlobalPlace {
    /// Its first cell among those of the machine's globals.
    pub cell: u32,
    /// Its type.
    pub ty: ValType,
}

/// A memory of the machine, as code accesses it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MemoryPlace {
    /// Its number among the machine's.
    pub address: u32,
    /// Whether its addresses have 64 bits.
    pub is_64: bool,
    /// The size of its pages, as a power of two.
    pub page_bits: u32,
    /// Whether every address that 32-bit code can form is either within the memory or faults.
    pub is_guarded: bool,
}

/// A table of the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TablePlace {
    /// Its number among the machine's.
    pub address: u32,
    /// Whether its indices have 64 bits.
    pub is_64: bool,
}

/// How code calls a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CalleeKind {
    /// As compiled code.
    Wasm,
    /// Through the runtime.
    Host,
    /// Not at all: the call is left to an interpreter.
    Other,
}

/// The instance that a function belongs to. Indices are the module's.
pub trait Env {
    /// A type of the module.
    fn sub_type(&self, index: u32) -> &SubType;
    /// The store's number of a type of the module. Equal numbers are equal types.
    fn type_id(&self, index: u32) -> u32;
    /// The type of a function.
    fn func_type(&self, func: u32) -> &FuncType;
    /// The number of a function in the store.
    fn func_address(&self, func: u32) -> u32;
    /// How a function can be called.
    fn callee(&self, func: u32) -> CalleeKind;
    /// A global.
    fn global(&self, index: u32) -> GlobalPlace;
    /// A memory.
    fn memory(&self, index: u32) -> MemoryPlace;
    /// A table.
    fn table(&self, index: u32) -> TablePlace;
}

/// Where compiled code is entered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Start {
    /// At the function's start, with its parameters as arguments.
    Call,
    /// Where a frame stands: at the body of a loop, or the function's first instruction. Locals and operands are read from the frame.
    Frame(u32),
}

/// What is watched: instructions that can touch it are left to an interpreter.
pub trait Watched {
    /// Whether a local of the function is watched in some frame.
    fn local(&self, index: u32) -> bool;
    /// Whether any local is: then no frame may change its function unseen.
    fn any_local(&self) -> bool;
    /// Whether a global of the module is.
    fn global(&self, index: u32) -> bool;
    /// Whether memory is: accesses decide at run time.
    fn memory(&self) -> bool;
    /// Where an access of memory begins that may touch a watch: at an address, or one of so many bytes from there. The code stays right
    /// while all watches lie there.
    fn extent(&self) -> (u64, u64);
    /// Whether reads of memory matter, too.
    fn memory_reads(&self) -> bool;
    /// Whether elements of tables are.
    fn tables(&self) -> bool;
    /// Whether objects are.
    fn objects(&self) -> bool;
    /// The size of a granule, and the number of them that are told apart, as powers of two.
    fn granule_bits(&self) -> (u32, u32);
}

/// A function to compile.
pub struct Job<'a> {
    /// Its instance.
    pub env: &'a dyn Env,
    /// Its number in the store.
    pub func: u32,
    /// Its type.
    pub ty: &'a FuncType,
    /// The types of its parameters and locals.
    pub locals: &'a [ValType],
    /// Its instructions.
    pub code: &'a [u8],
    /// Where the first instruction lies in the module, in bytes.
    pub offset: u32,
    /// How much time is spent on it.
    pub level: Level,
    /// Where the code is entered.
    pub start: Start,
    /// Instructions before which something is done.
    pub probes: &'a [Probe],
    /// What is watched, if anything is.
    pub watched: Option<&'a dyn Watched>,
    /// Whether the code does nothing but leave at the function's first instruction.
    pub is_stub: bool,
    /// The number under which the records of its exits name the code.
    pub unit: u32,
}

/// What a value in an exit record is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CellKind {
    /// The low 32 bits of the cell; the others mean nothing.
    Bits32,
    /// All bits of the cell.
    Bits64,
    /// Like `Bits32`: an `f32` that arithmetic gave, in which any NaN stands for the canonical one.
    Float32,
    /// An `f64` that arithmetic gave, in which any NaN stands for the canonical one.
    Float64,
    /// Two cells.
    Vector,
}

impl CellKind {
    /// The number of cells.
    #[must_use]
    pub fn count(self) -> usize {
        match self {
            CellKind::Vector => 2,
            _ => 1,
        }
    }
}

/// A place where compiled code can be left.
///
/// The record that the code writes there is as long as any other of the same code, [`Compiled::record_words`] long: first a word (the
/// site's number in the low half, the unit's in the high one), then the cells of all locals, then those of the operands; the rest means
/// nothing.
///
/// [`Compiled::record_words`]: crate::Compiled::record_words
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Site {
    /// Where the frame stands: of a caller, the instruction after the call.
    pub pc: u32,
    /// Why code is left here; `None` where a call returns that is being left.
    pub reason: Option<Reason>,
    /// The operands on the stack. A caller's arguments belong to its callee.
    pub operands: Box<[CellKind]>,
}

//! What compiled code and the machine agree upon: calls, the context, the runtime's functions.
//!
//! A compiled function takes the context, the clock and its parameters, and gives its results and the clock, in Cranelift's `tail`
//! convention. A negative clock says that the function has been left: then its other results mean nothing.

use std::ffi::c_void;

use cranelift_codegen::ir::{AbiParam, Signature, Type, types};
use cranelift_codegen::isa::CallConv;
use wasmparser::{FuncType, ValType};

use crate::probe::HitCounter;

/// A memory, as code sees it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct MemoryView {
    /// Byte 0, which never moves.
    pub base: *mut u8,
    /// The size in bytes.
    pub bytes: u64,
}

/// A table, as code sees it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TableView {
    /// The first element.
    pub elements: *mut u64,
    /// The number of elements.
    pub count: u64,
}

/// The most bytes that an instruction accesses, but for those that name a number of bytes.
pub const ACCESS_BYTES_MAX: u32 = 16;

/// The most cells that a frame of compiled code can have.
pub const FRAME_CELLS_MAX: usize = 1 << 17;

/// The number of [`Runtime`] functions.
pub const RUNTIME_FUNCTIONS: usize = 7;

/// What the functions of the runtime answer when the instruction is done. Otherwise the code is left at the instruction.
pub const STATUS_DONE: u64 = 0;

/// The functions that code calls for what it does not do itself. All have the C convention and take the context first.
///
/// Those that are rarely called, but from everywhere, are called by way of a relay, which preserves all registers and puts what they
/// give into the context: so the code around such a call keeps its values in registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum Runtime {
    /// `(place: u64) -> i64`: the clock is spent where a unit of code (its number is the high half) has arrived at an instruction
    /// (the low half). Gives the new clock, or a negative one when the code is to be left. Rare.
    Poll,
    /// `(func: u64) -> address`: where a function of the store is entered, which has no code yet. Rare.
    Entry,
    /// `(caller: u64, func: u64) -> status`: a function of the store calls one of the host. Arguments and results lie in the
    /// context's cells.
    HostCall,
    /// `(func: u64, pc: u64, count: u64) -> status`: executes the instruction at `pc` of a function of the store, whose
    /// operands lie in so many of the context's cells, where it puts its results.
    Perform,
    /// `(cell: u64, type: u64) -> status`: whether a reference leads to a wasm function of a subtype of the type. Rare.
    Resolve,
    /// `(func: u64, pc: u64, cell: u64) -> 0 or 1`: whether the cast of the branch at `pc` fits the reference.
    Cast,
    /// `(to: u64, from: u64, count: u64, memories: u64) -> status`: `memory.copy`, from the memory in the high half of
    /// `memories` to that in the low one.
    MemoryCopy,
}

impl Runtime {
    /// All of them, by number.
    pub const ALL: [Runtime; RUNTIME_FUNCTIONS] = [
        Runtime::Poll,
        Runtime::Entry,
        Runtime::HostCall,
        Runtime::Perform,
        Runtime::Resolve,
        Runtime::Cast,
        Runtime::MemoryCopy,
    ];

    /// Whether code calls it by way of a relay.
    #[must_use]
    pub fn is_rare(self) -> bool {
        matches!(self, Runtime::Poll | Runtime::Entry | Runtime::Resolve)
    }
}

/// Why code was left: what the innermost record is the state before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// Control has arrived at a function or a loop, and the runtime said so, or the native stack is used up.
    Arrival,
    /// The instruction is for an interpreter.
    Instruction,
    /// A probe stands at the instruction.
    Probe,
}

/// What compiled code finds through its first argument. Views of the machine's memories lie in front of it, the first one nearest;
/// behind it lie the addresses where the store's functions are entered, 0 for those without code.
#[derive(Debug)]
#[repr(C)]
pub struct Context {
    /// A native stack pointer below this has code left.
    pub stack_limit: usize,
    /// Where the next exit record goes.
    pub exit_top: *mut u64,
    /// The clock at the innermost exit.
    pub clock: i64,
    /// The cells of the machine's globals.
    pub globals: *mut u64,
    /// The machine's tables.
    pub tables: *const TableView,
    /// The type of every function by the cell of a reference to it; `u32::MAX` for null and for functions of the host.
    pub func_types: *const u32,
    /// Operands and results of the runtime's functions, and results of wasm functions that registers do not hold.
    pub cells: *mut u64,
    /// The frame that code entered by [`Start::Frame`](crate::Start::Frame) goes on with.
    pub frame: *const u64,
    /// For each granule of memory, by the low bits of its number, whether a watch lies there: 0 or 1.
    pub granules: *const u8,
    /// The counters of probes, by number.
    pub counters: *mut HitCounter,
    /// Where probes write down what they capture next, a word behind the other, and where there is no more room: see
    /// [`CAPTURED_HEAD_WORDS`](crate::CAPTURED_HEAD_WORDS).
    pub capture_next: *mut u64,
    /// Likewise.
    pub capture_end: *mut u64,
    /// The tick at which the clock will be -1.
    pub clock_end: u64,
    /// Native registers of the trampoline, at which a fault ends.
    pub landing_sp: usize,
    /// Likewise.
    pub landing_fp: usize,
    /// What the function gave that a relay has called last.
    pub answer: u64,
    /// The functions of the runtime, by [`Runtime`], or their relays.
    pub runtime: [*const c_void; RUNTIME_FUNCTIONS],
    /// The runtime's own.
    pub owner: *mut c_void,
}

/// Bytes of an entry behind the context.
pub const ENTRY_BYTES: usize = size_of::<usize>();

/// Bytes of a view in front of the context.
pub const MEMORY_VIEW_BYTES: usize = size_of::<MemoryView>();

/// Where the first entry lies, in bytes from the context.
#[must_use]
pub const fn entries_offset() -> usize {
    size_of::<Context>()
}

pub(crate) fn entry_offset(func: u32) -> i32 {
    (entries_offset() + func as usize * ENTRY_BYTES) as i32
}

pub(crate) fn memory_offset(memory: u32) -> i32 {
    -((memory as i32 + 1) * MEMORY_VIEW_BYTES as i32)
}

/// The most integers, and the most floats and vectors, that are returned in registers, beside the clock.
const REGISTER_RESULTS_MAX: usize = 6;

/// Whether results of a function type are returned in registers. Otherwise they lie in the context's cells.
#[must_use]
pub fn returns_in_registers(ty: &FuncType) -> bool {
    let is_float = |ty: &&ValType| matches!(ty, ValType::F32 | ValType::F64 | ValType::V128);
    let floats = ty.results().iter().filter(is_float).count();
    floats <= REGISTER_RESULTS_MAX && ty.results().len() - floats <= REGISTER_RESULTS_MAX
}

/// Cranelift's type of a wasm type.
pub(crate) fn value_type(ty: ValType) -> Type {
    match ty {
        ValType::I32 => types::I32,
        ValType::I64 | ValType::Ref(_) => types::I64,
        ValType::F32 => types::F32,
        ValType::F64 => types::F64,
        ValType::V128 => types::I8X16,
    }
}

/// The signature of a compiled function. One that goes on with a frame has no parameters of its own.
pub(crate) fn signature(ty: &FuncType, takes_params: bool) -> Signature {
    let mut signature = Signature::new(CallConv::Tail);
    let context_and_clock = [AbiParam::new(types::I64); 2];
    signature.params.extend(context_and_clock);
    if takes_params {
        let params = ty.params().iter();
        signature
            .params
            .extend(params.map(|&ty| AbiParam::new(value_type(ty))));
    }
    if returns_in_registers(ty) {
        let results = ty.results().iter();
        signature
            .returns
            .extend(results.map(|&ty| AbiParam::new(value_type(ty))));
    }
    signature.returns.push(AbiParam::new(types::I64));
    signature
}

/// The signature of a function of the runtime as code calls it; the convention is the platform's, except for a relay's.
pub(crate) fn runtime_signature(function: Runtime, convention: CallConv) -> Signature {
    let arguments = match function {
        Runtime::Poll | Runtime::Entry => 1,
        Runtime::HostCall | Runtime::Resolve => 2,
        Runtime::Perform | Runtime::Cast => 3,
        Runtime::MemoryCopy => 4,
    };
    let is_rare = function.is_rare();
    let mut signature = Signature::new(if is_rare {
        CallConv::PreserveAll
    } else {
        convention
    });
    let arguments = std::iter::repeat_n(AbiParam::new(types::I64), arguments + 1);
    signature.params.extend(arguments);
    if !is_rare {
        signature.returns.push(AbiParam::new(types::I64));
    }
    signature
}

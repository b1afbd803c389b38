//! Machine code in executable memory.

use std::ffi::c_void;
use std::time::Duration;

use cranelift_jit::{BranchProtection, JITMemoryKind, JITMemoryProvider, SystemMemoryProvider};
use wdb_codegen::{CellKind, Context, Level, Site, Start};

use crate::address::FuncAddr;

/// Bytes that can be executed. Memory is never writable and executable at once.
pub(super) struct CodeMemory {
    provider: SystemMemoryProvider,
    start: *const u8,
    len: usize,
}

impl CodeMemory {
    /// A copy of position-independent code.
    pub(super) fn new(code: &[u8], alignment: u32) -> Result<CodeMemory, String> {
        let mut provider = SystemMemoryProvider::new();
        let start = provider
            .allocate(code.len(), u64::from(alignment), JITMemoryKind::Executable)
            .map_err(|error| format!("no memory for machine code: {error}"))?;
        // SAFETY: the provider has just given so many bytes, which nothing else uses.
        unsafe { std::ptr::copy_nonoverlapping(code.as_ptr(), start, code.len()) };
        provider
            .finalize(BranchProtection::None)
            .map_err(|error| format!("no executable memory: {error}"))?;
        Ok(CodeMemory {
            provider,
            start,
            len: code.len(),
        })
    }

    /// The address of the first byte.
    pub(super) fn address(&self) -> *const c_void {
        self.start.cast()
    }

    /// The number of bytes.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The addresses of the bytes.
    pub(super) fn range(&self) -> std::ops::Range<usize> {
        self.start.addr()..self.start.addr() + self.len
    }
}

impl Drop for CodeMemory {
    fn drop(&mut self) {
        // SAFETY: code is dropped while none runs.
        unsafe { self.provider.free_memory() };
    }
}

/// A piece of compiled code: a function from its start, or from a place within.
pub(super) struct Unit {
    pub(super) func: FuncAddr,
    pub(super) start: Start,
    pub(super) level: Level,
    pub(super) memory: CodeMemory,
    pub(super) sites: Box<[Site]>,
    pub(super) locals: Box<[CellKind]>,
    /// Words of each record.
    pub(super) record_words: u32,
    /// The time that compiling took.
    pub(super) compilation: Duration,
}

/// A trampoline's code.
pub(super) struct Entrance {
    pub(super) memory: CodeMemory,
    /// Where it goes on after a fault.
    pub(super) landing: usize,
}

/// How a trampoline is called.
pub(super) type Enter = unsafe extern "C" fn(*mut Context, *const c_void, *mut u64, i64) -> i64;

impl Entrance {
    /// The trampoline as a function.
    pub(super) fn function(&self) -> Enter {
        // SAFETY: the code was compiled with this signature.
        unsafe { std::mem::transmute::<*const c_void, Enter>(self.memory.address()) }
    }
}

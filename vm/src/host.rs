//! The one boundary between the guest and the world outside it.
//!
//! A host function sees its arguments, the caller's memory and the host's own state through [`HostCall`] and nothing else.
//! Whatever it changes passes through there, so that a call can be logged once and replayed from the log
//! without being performed again.

use std::ops::Range;
use std::sync::Arc;

use wasmparser::FuncType;

use crate::interrupt::Interrupt;
use crate::wasi::WasiState;

/// Names one function that a [`Host`] serves; the numbering is the host's own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct HostFunc(pub u32);

/// What serves a module's imported functions.
pub trait Host: Send {
    /// The function that serves the import `module`.`name`, if this host has it.
    fn resolve(&self, module: &str, name: &str) -> Option<HostFunc>;

    /// The name of a function, for people.
    fn name(&self, func: HostFunc) -> String;

    /// The type that an import of the function must have.
    fn func_type(&self, func: HostFunc) -> FuncType;

    /// Performs one call.
    ///
    /// A call that has to wait looks at [`HostCall::interrupt`] at least every 20 ms and answers
    /// [`HostOutcome::Interrupted`] when it is raised; nothing may have been consumed or changed then.
    fn call(&mut self, func: HostFunc, call: &mut HostCall<'_>) -> HostOutcome;
}

/// How a host call ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HostOutcome {
    /// It returned these result cells.
    Return(Vec<u64>),
    /// The guest asked to end with this status: an ordinary end of the program.
    Exit(u32),
    /// The call cannot be served; the text says why.
    Trap(String),
    /// It was interrupted while it waited; the guest still stands at the call.
    Interrupted,
}

/// A write of the host into guest memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostWrite {
    /// The first byte's address in the caller's memory.
    pub address: u64,
    /// The bytes written.
    pub bytes: Box<[u8]>,
}

/// An access of the host that lies outside the guest's memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{length} bytes at 0x{address:x} lie outside the guest's memory")]
pub struct OutOfBounds {
    /// The first byte's address.
    pub address: u64,
    /// The number of bytes.
    pub length: u64,
}

/// What a host function may see and change.
pub struct HostCall<'a> {
    /// One cell for each argument (integers zero-extended to 64 bits).
    pub args: &'a [u64],
    /// Memory 0 of the calling instance; empty when it has none.
    pub memory: GuestMemory<'a>,
    /// The state of WASI: plain data, part of the machine's state. Change it through [`Arc::make_mut`]:
    /// that is how the log knows that it has changed.
    pub wasi: &'a mut Arc<WasiState>,
    /// Raised when a call that waits has to give up.
    pub interrupt: &'a Interrupt,
}

/// The guest's memory as a host function sees it; it knows what was written to.
pub struct GuestMemory<'a> {
    bytes: &'a mut [u8],
    written: Vec<Range<usize>>,
}

impl<'a> GuestMemory<'a> {
    /// Wraps the bytes of a linear memory.
    #[must_use]
    pub fn new(bytes: &'a mut [u8]) -> GuestMemory<'a> {
        GuestMemory {
            bytes,
            written: Vec::new(),
        }
    }

    /// The same memory for a part of the call, with a record of writes of its own.
    #[must_use]
    pub fn part(&mut self) -> GuestMemory<'_> {
        GuestMemory::new(self.bytes)
    }

    /// The size of the memory in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The `length` bytes from `address` on.
    pub fn read(&self, address: u64, length: u64) -> Result<&[u8], OutOfBounds> {
        range(self.bytes.len(), address, length).map(|range| &self.bytes[range])
    }

    /// A little-endian 32-bit number.
    pub fn read_u32(&self, address: u64) -> Result<u32, OutOfBounds> {
        let bytes = self.read(address, 4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// Checks that a later write of `length` bytes to `address` will succeed.
    pub fn check(&self, address: u64, length: u64) -> Result<(), OutOfBounds> {
        range(self.bytes.len(), address, length).map(|_| ())
    }

    /// Writes the bytes.
    pub fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), OutOfBounds> {
        let range = range(self.bytes.len(), address, bytes.len() as u64)?;
        self.bytes[range.clone()].copy_from_slice(bytes);
        match self.written.last_mut() {
            _ if bytes.is_empty() => {}
            // What comes piece by piece is one write.
            Some(last) if last.end == range.start => last.end = range.end,
            _ => self.written.push(range),
        }
        Ok(())
    }

    /// Writes a little-endian 32-bit number.
    pub fn write_u32(&mut self, address: u64, value: u32) -> Result<(), OutOfBounds> {
        self.write(address, &value.to_le_bytes())
    }

    /// Writes a little-endian 64-bit number.
    pub fn write_u64(&mut self, address: u64, value: u64) -> Result<(), OutOfBounds> {
        self.write(address, &value.to_le_bytes())
    }

    /// All that was written, as it is now: by ascending address, and each byte once, so that it is never more than the memory,
    /// however often a guest has the same place written to.
    #[must_use]
    pub fn into_writes(mut self) -> Vec<HostWrite> {
        self.written.sort_unstable_by_key(|range| range.start);
        let mut merged: Vec<Range<usize>> = Vec::new();
        for range in self.written {
            match merged.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        let write_at = |range: Range<usize>| HostWrite {
            address: range.start as u64,
            bytes: self.bytes[range].into(),
        };
        merged.into_iter().map(write_at).collect()
    }
}

fn range(size: usize, address: u64, length: u64) -> Result<Range<usize>, OutOfBounds> {
    match address.checked_add(length) {
        Some(end) if end <= size as u64 => Ok(address as usize..end as usize),
        _ => Err(OutOfBounds { address, length }),
    }
}

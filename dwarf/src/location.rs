//! Where a value lives, and what the caller must know of the running program.

use std::sync::Arc;

use crate::error::Result;
use crate::handles::{Handle, HandlePart, HandleShape};

/// The running program, or a snapshot of it, as seen from one frame.
pub trait Target {
    /// A wasm local of the frame.
    fn local(&self, index: u32) -> Option<RawSlot>;

    /// A wasm global of the frame's instance.
    fn global(&self, index: u32) -> Option<RawSlot>;

    /// A slot of the frame's operand stack, counted from the bottom.
    fn operand(&self, index: u32) -> Option<RawSlot>;

    /// Fills `buffer` from linear memory.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] when any byte of the range lies outside of the memory.
    fn read_memory(&self, address: u64, buffer: &mut [u8]) -> Result<()>;

    /// The name of the function a function pointer (an index into the function table)
    /// stands for.
    fn function_pointer_name(&self, _pointer: u64) -> Option<String> {
        None
    }

    /// What a reference leads to; `None` when that is no more.
    fn handle(&self, _handle: Handle) -> Option<HandleShape> {
        None
    }

    /// A field or an element of what a reference leads to.
    fn handle_part(&self, _handle: Handle, _index: u64) -> Option<HandlePart> {
        None
    }

    /// The contents of a field or an element.
    fn handle_part_slot(&self, _handle: Handle, _index: u64) -> Option<RawSlot> {
        None
    }
}

/// The contents of a local, a global or an operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RawSlot {
    /// An `i32`.
    I32(u32),
    /// An `i64`.
    I64(u64),
    /// The bits of an `f32`.
    F32(u32),
    /// The bits of an `f64`.
    F64(u64),
    /// A `v128`, lane 0 in the lowest bits.
    V128(u128),
    /// A reference.
    Handle(Handle),
}

/// Where a value lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In linear memory at this address.
    Memory(u64),
    /// In a wasm local.
    Local(u32),
    /// In a wasm global.
    Global(u32),
    /// In a slot of the operand stack, counted from the bottom.
    Operand(u32),
    /// A field or an element of what a reference leads to.
    Part {
        /// The reference.
        handle: Handle,
        /// Which.
        index: u64,
    },
    /// Nowhere: these are its bytes, computed or constant.
    Implicit(Arc<[u8]>),
    /// In several places, ascending from the value's first byte.
    Pieces(Arc<[Piece]>),
    /// Nowhere any more.
    OptimizedOut,
}

/// A part of a value that lives in several places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Where the part lives.
    pub place: Place,
    /// Bits to skip at that place.
    pub bit_offset: u64,
    /// Size of the part in bits.
    pub bit_size: u64,
}

//! Values read from the program.

use std::sync::Arc;

use crate::error::Error;
use crate::handles::Handle;
use crate::location::{Place, RawSlot};
use crate::types::{BitField, TypeRef};

/// A value of the program: its type, where it lives, and its bytes as they were when read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The value's type.
    pub type_ref: TypeRef,
    /// Where it lives.
    pub place: Place,
    /// Which bits of the place, if it is a bit field.
    pub bits: Option<BitField>,
    /// The bytes as they were, little-endian; empty unless `availability` is
    /// [`Availability::Available`]. A value of more than [`Value::BYTES_MAX`] bytes is cut
    /// here; its elements are read on demand.
    pub bytes: Arc<[u8]>,
    /// Whether the bytes could be read.
    pub availability: Availability,
}

impl Value {
    /// The largest number of bytes kept in a value.
    pub const BYTES_MAX: usize = 64 * 1024;

    /// A value that cannot be read.
    pub(crate) fn unavailable(type_ref: TypeRef, error: Error) -> Value {
        Value {
            type_ref,
            place: Place::OptimizedOut,
            bits: None,
            bytes: Arc::new([]),
            availability: Availability::Unavailable(error),
        }
    }
}

/// Whether a value's bytes could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Availability {
    /// They were.
    Available,
    /// The compiler left no trace of the value here.
    OptimizedOut,
    /// They were not, for this reason.
    Unavailable(Error),
}

/// A number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar {
    /// An integer, a character, a boolean, an enumerator or an address.
    Integer(i128),
    /// A floating-point number.
    Float(f64),
}

/// A part of a value, for views that unfold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// The member's name, the element's index in brackets, or what a pointer points to
    /// (`*`).
    pub name: String,
    /// The part.
    pub value: Value,
}

/// A change of the program's state that an assignment amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Bytes of linear memory.
    Memory {
        /// Address of the first byte.
        address: u64,
        /// What to put there.
        bytes: Vec<u8>,
    },
    /// A wasm local of the frame.
    Local {
        /// Which.
        index: u32,
        /// The new contents, of the local's own type.
        slot: RawSlot,
    },
    /// A wasm global of the frame's instance.
    Global {
        /// Which.
        index: u32,
        /// The new contents, of the global's own type.
        slot: RawSlot,
    },
    /// A slot of the frame's operand stack.
    Operand {
        /// Which, counted from the bottom.
        index: u32,
        /// The new contents, of the slot's own type.
        slot: RawSlot,
    },
    /// A field or an element of what a reference leads to.
    Part {
        /// The reference.
        handle: Handle,
        /// Which.
        index: u64,
        /// The new contents, of the part's own type.
        slot: RawSlot,
    },
}

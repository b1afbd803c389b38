//! The address space of DWARF for wasm.

use std::fmt;

/// A byte offset from the start of the body of the module's code section (the first byte
/// after the section's size), which is what DWARF for wasm counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeOffset(pub u32);

impl fmt::Display for CodeOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

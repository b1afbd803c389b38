//! Indices and addresses, one type for each, so that none can be taken for another.
//!
//! The specification calls positions in a module *indices* and positions in the store *addresses*
//! (WebAssembly 3.0, sections 2.5.1 and 4.2.1); the names here follow it.

use std::fmt;

macro_rules! newtype {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
        #[repr(transparent)]
        pub struct $name(pub $inner);

        impl $name {
            /// The number as an index into a Rust collection.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

newtype! {
    /// A byte offset from the start of the module's binary.
    ModuleOffset(u32)
}
newtype! {
    /// An index in a module's function index space; imported functions come first.
    FuncIndex(u32)
}
newtype! {
    /// The position of a function in the store.
    FuncAddr(u32)
}
newtype! {
    /// The position of a table in the store.
    TableAddr(u32)
}
newtype! {
    /// The position of a linear memory in the store.
    MemoryAddr(u32)
}
newtype! {
    /// The position of a global in the store.
    GlobalAddr(u32)
}
newtype! {
    /// The position of an exception tag in the store.
    TagAddr(u32)
}
newtype! {
    /// The number of a type of the store: equal numbers are equal types (WebAssembly 3.0, section 3.1.3).
    TypeId(u32)
}
newtype! {
    /// The place of an object in the heap. It is given to another object when this one is collected.
    ObjectAddr(u32)
}
newtype! {
    /// The position of a module instance in the store.
    InstanceAddr(u32)
}

impl fmt::Display for ModuleOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:x}", self.0)
    }
}

/// An instruction of one instance's code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CodeAddress {
    /// The instance that the code belongs to.
    pub instance: InstanceAddr,
    /// The offset of the instruction's opcode in that instance's module.
    pub pc: ModuleOffset,
}

//! Traps: why the abstract machine cannot go on.

use std::fmt;

/// The cause of a trap. The messages are those of the specification's tests.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TrapKind {
    /// `unreachable` was executed.
    Unreachable,
    /// An integer division by zero.
    IntegerDivideByZero,
    /// An integer result that does not fit its type.
    IntegerOverflow,
    /// A NaN that has no integer.
    InvalidConversionToInteger,
    /// A load, store or bulk operation outside the memory.
    MemoryOutOfBounds,
    /// An access outside a table.
    TableOutOfBounds,
    /// An indirect call through an index outside the table.
    UndefinedElement,
    /// An indirect call through a null reference.
    UninitializedElement,
    /// An indirect call of a function of another type.
    IndirectCallTypeMismatch,
    /// A null reference where there must be none.
    NullReference,
    /// A call through a null reference.
    NullFunctionReference,
    /// An access to the struct that a null reference does not lead to.
    NullStructureReference,
    /// An access to the array that a null reference does not lead to.
    NullArrayReference,
    /// A number out of a null reference.
    NullI31Reference,
    /// A null reference thrown.
    NullExceptionReference,
    /// An access outside an array.
    ArrayOutOfBounds,
    /// A reference of another type than a cast asks for.
    CastFailure,
    /// A new object would exceed the limit of the heap.
    HeapExhausted,
    /// The call depth or the stack exceeds its limit.
    CallStackExhausted,
    /// An atomic access at an address that is no multiple of its size.
    UnalignedAtomic,
    /// A wait at a memory that is not shared.
    ExpectedSharedMemory,
    /// A call of a function whose code is not valid; the message says why.
    InvalidFunction,
    /// The host cannot serve a call; the message says why.
    Host,
}

impl TrapKind {
    /// The specification's text.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            TrapKind::Unreachable => "unreachable",
            TrapKind::IntegerDivideByZero => "integer divide by zero",
            TrapKind::IntegerOverflow => "integer overflow",
            TrapKind::InvalidConversionToInteger => "invalid conversion to integer",
            TrapKind::MemoryOutOfBounds => "out of bounds memory access",
            TrapKind::TableOutOfBounds => "out of bounds table access",
            TrapKind::UndefinedElement => "undefined element",
            TrapKind::UninitializedElement => "uninitialized element",
            TrapKind::IndirectCallTypeMismatch => "indirect call type mismatch",
            TrapKind::NullReference => "null reference",
            TrapKind::NullFunctionReference => "null function reference",
            TrapKind::NullStructureReference => "null structure reference",
            TrapKind::NullArrayReference => "null array reference",
            TrapKind::NullI31Reference => "null i31 reference",
            TrapKind::NullExceptionReference => "null exception reference",
            TrapKind::ArrayOutOfBounds => "out of bounds array access",
            TrapKind::CastFailure => "cast failure",
            TrapKind::HeapExhausted => "heap exhausted",
            TrapKind::CallStackExhausted => "call stack exhausted",
            TrapKind::UnalignedAtomic => "unaligned atomic",
            TrapKind::ExpectedSharedMemory => "expected shared memory",
            TrapKind::InvalidFunction => "invalid function",
            TrapKind::Host => "host call failed",
        }
    }
}

/// A trap with what is known of it. The machine stands at the instruction that trapped, its operands untouched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trap {
    /// The cause.
    pub kind: TrapKind,
    /// More about it, for people ("address 0x10004 + 4 bytes, memory has 65536 bytes"); may be empty.
    pub detail: String,
}

impl From<TrapKind> for Trap {
    fn from(kind: TrapKind) -> Trap {
        Trap {
            kind,
            detail: String::new(),
        }
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.message())?;
        if self.detail.is_empty() {
            Ok(())
        } else {
            write!(f, ": {}", self.detail)
        }
    }
}

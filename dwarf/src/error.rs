//! Why a question about the debug info or a value has no answer.

use thiserror::Error;

/// The result of the questions that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a question about the debug info or a value has no answer. The messages are complete
/// enough to be shown to a person.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The debug info is malformed at the place the answer depends on.
    #[error("malformed location in the unit at .debug_info+{unit:#x}: {message}")]
    Malformed {
        /// Offset of the unit in `.debug_info`.
        unit: u64,
        /// What is wrong.
        message: String,
    },
    /// The debug info uses something this crate does not understand.
    #[error("unsupported in debug info: {0}")]
    Unsupported(String),
    /// The target does not know a local, global or operand that a location needs.
    #[error("{0} is not available in this frame")]
    Unavailable(String),
    /// Linear memory cannot be read at this address.
    #[error("cannot access memory at address {address:#x}")]
    Memory {
        /// The linear-memory address of the first byte wanted.
        address: u64,
    },
    /// The value was optimized out, so nothing can be computed from it.
    #[error("value has been optimized out")]
    OptimizedOut,
    /// What a reference of the machine led to is no more.
    #[error("what the reference led to has been collected")]
    Collected,
    /// The operation does not fit the value's type.
    #[error("{operation} does not apply to a value of type {type_name}")]
    WrongType {
        /// What was tried, as a noun phrase.
        operation: &'static str,
        /// The type as printed in source code.
        type_name: String,
    },
    /// A struct, class or union has no member of this name.
    #[error("there is no member named {member} in {type_name}")]
    NoMember {
        /// The name that was looked for.
        member: String,
        /// The type as printed in source code.
        type_name: String,
    },
    /// A sequence that knows its length has no such element.
    #[error("there is no element {index}; there are {count}")]
    NoElement {
        /// The index that was asked for.
        index: i128,
        /// How many elements there are.
        count: u64,
    },
    /// The type is only declared, so its size is unknown.
    #[error("{type_name} is an incomplete type")]
    Incomplete {
        /// The type as printed in source code.
        type_name: String,
    },
    /// The value does not live in linear memory, so it has no address.
    #[error("value is not located in memory")]
    NotInMemory,
    /// The value has no place that can be written.
    #[error("left operand of assignment is not an lvalue")]
    NotAssignable,
}

//! Debug info of wasm modules: lines, scopes, types, locations, values.
//!
//! The crate takes the bytes of a module's debug sections and answers the questions a
//! debugger has: which source line an instruction belongs to, which functions and inlined
//! calls surround it, which variables are in scope there, what their types are, where they
//! live, and how their values read.
//!
//! It refuses to know the machine that runs the program. Whatever it needs of a running
//! program (linear memory, wasm locals, globals, operand stack slots) it asks of its caller
//! through the trait [`Target`]. Addresses are [`CodeOffset`]s, the unit that DWARF for
//! wasm counts in; turning them into anything else is the caller's business.
//!
//! Everything is lazy. [`DebugInfo::new`] parses nothing; headers, line tables and names are
//! read at the first question that needs them and kept. Nothing in the debug sections can
//! make the crate panic, hang or grow without bound: what is malformed is skipped and
//! reported by [`DebugInfo::warnings`].
#![forbid(unsafe_code)]

mod address;
mod cpp_values;
mod error;
mod evaluate;
mod format;
mod format_cpp;
mod format_rust;
mod functions;
mod handles;
mod info;
mod inspect;
mod line_breakpoints;
mod lines;
mod location;
mod names;
mod numbers;
mod place_rules;
mod places;
mod reader;
mod rust_values;
mod scalars;
mod scopes;
mod sections;
mod source_files;
mod strings;
mod symbols;
mod type_lookup;
mod type_names;
mod type_reader;
mod types;
mod unit_index;
mod units;
mod value;

pub use address::CodeOffset;
pub use error::{Error, Result};
pub use format::{FormatOptions, Radix};
pub use functions::{Function, FunctionBreakpoint, FunctionId, FunctionSymbol};
pub use handles::{Handle, HandlePart, HandleParts, HandleShape, PartType};
pub use info::{DebugInfo, Summary, UnitSummary};
pub use inspect::Inspector;
pub use line_breakpoints::LineBreakpoint;
pub use lines::{LineRow, SourceLocation};
pub use location::{Piece, Place, RawSlot, Target};
pub use place_rules::{MemberPlace, PlaceRule, SlotName};
pub use scopes::{InlinedFrame, Variable, VariableKind};
pub use sections::Sections;
pub use symbols::TypeSymbol;
pub use types::{
    AliasKind, Base, BaseEncoding, BitField, Enumeration, Enumerator, FunctionType, Member,
    Notation, PointerKind, Record, RecordKind, Type, TypeKind, TypeRef, Variant, VariantPart,
};
pub use value::{Availability, Child, Scalar, Value, Write};

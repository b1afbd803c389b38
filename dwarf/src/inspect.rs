//! Reading, taking apart and writing values of a program.

use crate::address::CodeOffset;
use crate::error::Result;
use crate::format::FormatOptions;
use crate::info::DebugInfo;
use crate::location::{Place, Target};
use crate::scopes::Variable;
use crate::types::TypeRef;
use crate::value::{Child, Scalar, Value, Write};

/// Debug info and one frame of a program together: everything about values.
///
/// Optimized-out and unreadable values are values; [`Value::availability`] tells. Only what
/// makes no sense or needs bytes that are not there is an error.
#[derive(Clone, Copy)]
pub struct Inspector<'a> {
    info: &'a DebugInfo,
    target: &'a dyn Target,
}

impl DebugInfo {
    /// Values of a program, as seen from the frame that `target` stands for.
    #[must_use]
    pub fn inspect<'a>(&'a self, target: &'a dyn Target) -> Inspector<'a> {
        Inspector { info: self, target }
    }
}

impl<'a> Inspector<'a> {
    /// The debug info.
    #[must_use]
    pub fn info(&self) -> &'a DebugInfo {
        self.info
    }

    /// Where a variable lives when the frame stands at `at`. For globals `at` does not
    /// matter.
    ///
    /// # Errors
    /// The location is malformed, or needs what the target cannot give.
    pub fn locate(&self, variable: &Variable, at: CodeOffset) -> Result<Place> {
        let _ = self.target;
        todo!("{variable:?}{at}")
    }

    /// The value of a variable when the frame stands at `at`.
    #[must_use]
    pub fn variable(&self, variable: &Variable, at: CodeOffset) -> Value {
        todo!("{variable:?}{at}")
    }

    /// The value of a type at a place.
    #[must_use]
    pub fn read(&self, type_ref: TypeRef, place: Place) -> Value {
        todo!("{type_ref:?}{place:?}")
    }

    /// A value that lives nowhere.
    #[must_use]
    pub fn constant(&self, type_ref: TypeRef, scalar: Scalar) -> Value {
        todo!("{type_ref:?}{scalar:?}")
    }

    /// A member by name, also one of a base class or of an anonymous struct or union. Through
    /// a pointer or a reference to a record it is the member of what that points to.
    ///
    /// # Errors
    /// Not a record, no such member.
    pub fn member(&self, value: &Value, name: &str) -> Result<Value> {
        todo!("{value:?}{name}")
    }

    /// An element of an array, or what lies `index` elements after a pointer's target.
    ///
    /// # Errors
    /// Neither an array nor a pointer to a complete type.
    pub fn index(&self, value: &Value, index: i128) -> Result<Value> {
        todo!("{value:?}{index}")
    }

    /// What a pointer or a reference points to; an array's first element.
    ///
    /// # Errors
    /// Not a pointer, or a pointer to an incomplete type.
    pub fn dereference(&self, value: &Value) -> Result<Value> {
        todo!("{value:?}")
    }

    /// A pointer to a value.
    ///
    /// # Errors
    /// The value does not lie in linear memory, or is a bit field.
    pub fn address_of(&self, value: &Value) -> Result<Value> {
        todo!("{value:?}")
    }

    /// The value converted to a type as C converts it; a record in memory can be cast to any
    /// type, which then reads the same bytes.
    ///
    /// # Errors
    /// The conversion makes no sense.
    pub fn cast(&self, value: &Value, type_ref: TypeRef) -> Result<Value> {
        todo!("{value:?}{type_ref:?}")
    }

    /// The number a scalar stands for. Arrays count as the address of their first element
    /// and references as what they refer to.
    ///
    /// # Errors
    /// Not a scalar, or not available.
    pub fn scalar(&self, value: &Value) -> Result<Scalar> {
        todo!("{value:?}")
    }

    /// What a value is made of: members, elements (at most `count_max`), a pointer's target.
    #[must_use]
    pub fn children(&self, value: &Value, count_max: usize) -> Vec<Child> {
        todo!("{value:?}{count_max}")
    }

    /// The changes that assign `source`, converted to its type, to `destination`.
    ///
    /// # Errors
    /// `destination` has no place that can be written, or the conversion makes no sense.
    pub fn assign(&self, destination: &Value, source: &Value) -> Result<Vec<Write>> {
        todo!("{destination:?}{source:?}")
    }

    /// The value written out as gdb prints it. Never fails: what cannot be read is said so in
    /// its place, as `<optimized out>`.
    #[must_use]
    pub fn format(&self, value: &Value, options: &FormatOptions) -> String {
        todo!("{value:?}{options:?}")
    }
}

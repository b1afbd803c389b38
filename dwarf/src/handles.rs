//! References of the machine: values that lead to what lies at no address of linear memory.
//!
//! Debug info knows nothing of them. The target says what a handle leads to, one level at a time, so that values can be
//! unfolded, written out and assigned to like all others.

use std::fmt::Write as _;

use crate::error::{Error, Result};
use crate::format::{Formatter, List};
use crate::inspect::{Inspector, available};
use crate::location::Place;
use crate::types::{BaseEncoding, TypeKind, TypeRef};
use crate::value::{Child, Scalar, Value};

/// A reference of the machine. Only the target understands its bits; 0 is null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Handle(pub u128);

impl Handle {
    /// The reference that leads nowhere.
    pub const NULL: Handle = Handle(0);
}

/// What a handle leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandleShape {
    /// The handle as it is written: `null`, `(ref $point) #2`.
    pub text: String,
    /// What it is compared by: 0 for null, an integer's value if it is one, else the same for the same thing only.
    pub number: i128,
    /// What it is made of.
    pub parts: HandleParts,
}

/// What the thing is made of that a handle leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandleParts {
    /// Nothing that can be looked at.
    None,
    /// So many fields.
    Fields(u64),
    /// So many elements of one type.
    Elements(u64),
}

impl HandleParts {
    /// How many there are.
    #[must_use]
    pub fn count(self) -> u64 {
        match self {
            HandleParts::None => 0,
            HandleParts::Fields(count) | HandleParts::Elements(count) => count,
        }
    }
}

/// A field or an element, as its target describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandlePart {
    /// A field's name, where it has one.
    pub name: Option<String>,
    /// Its type.
    pub part_type: PartType,
}

/// The type of a field or an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartType {
    /// A number of so many bytes.
    Number(BaseEncoding, u64),
    /// A vector of 16 bytes, whose lanes are numbers of so many bytes.
    Vector(BaseEncoding, u64),
    /// Another reference, of a type that is written so.
    Handle(String),
}

impl<'a> Inspector<'a> {
    /// The handle in a value. The number 0 stands for null.
    ///
    /// # Errors
    /// The value is not available, or no handle.
    pub fn handle(&self, value: &Value) -> Result<Handle> {
        available(value)?;
        let (_, found) = self.resolved(value);
        match (&found.kind, value.bytes.first_chunk()) {
            (TypeKind::Handle, Some(bytes)) => Ok(Handle(u128::from_le_bytes(*bytes))),
            _ if self.scalar(value)? == Scalar::Integer(0) => Ok(Handle::NULL),
            _ => Err(self.wrong_type("use as a reference", value)),
        }
    }

    /// What the handle in a value leads to.
    pub(crate) fn handle_shape(&self, value: &Value) -> Result<HandleShape> {
        let handle = self.handle(value)?;
        let shape = self.target().handle(handle);
        shape.ok_or(Error::Collected)
    }

    /// A field by its name.
    pub(crate) fn handle_member(&self, value: &Value, name: &str) -> Result<Value> {
        let handle = self.handle(value)?;
        let shape = self.handle_shape(value)?;
        let HandleParts::Fields(count) = shape.parts else {
            return Err(self.wrong_type("access to a member", value));
        };
        let is_wanted = |index: &u64| {
            let part = self.target().handle_part(handle, *index);
            part.is_some_and(|part| part.name.as_deref() == Some(name))
        };
        let index = (0..count).find(is_wanted);
        let part = index.and_then(|index| self.handle_part(handle, index));
        part.map(|(_, value)| value).ok_or_else(|| Error::NoMember {
            member: name.to_owned(),
            type_name: shape.text,
        })
    }

    /// A field or an element by its index.
    pub(crate) fn handle_index(&self, value: &Value, index: i128) -> Result<Value> {
        let count = self.handle_shape(value)?.parts.count();
        let handle = self.handle(value)?;
        let part = u64::try_from(index)
            .ok()
            .filter(|index| *index < count)
            .and_then(|index| self.handle_part(handle, index));
        part.map(|(_, value)| value)
            .ok_or(Error::NoElement { index, count })
    }

    /// What the thing is made of that a handle leads to; at most `count_max` parts.
    pub(crate) fn handle_children(&self, value: &Value, count_max: usize) -> Vec<Child> {
        let (Ok(handle), Ok(shape)) = (self.handle(value), self.handle_shape(value)) else {
            return Vec::new();
        };
        let is_array = matches!(shape.parts, HandleParts::Elements(_));
        let children = (0..shape.parts.count()).map_while(|index| {
            let (name, value) = self.handle_part(handle, index)?;
            let name = match name {
                Some(name) => name,
                None if is_array => format!("[{index}]"),
                None => index.to_string(),
            };
            Some(Child { name, value })
        });
        children.take(count_max).collect()
    }

    /// The name and the value of a part.
    fn handle_part(&self, handle: Handle, index: u64) -> Option<(Option<String>, Value)> {
        let part = self.target().handle_part(handle, index)?;
        let type_ref = self.part_type(&part.part_type);
        let place = Place::Part { handle, index };
        Some((part.name, self.read(type_ref, place)))
    }

    fn part_type(&self, part_type: &PartType) -> TypeRef {
        match part_type {
            PartType::Number(encoding, size) => self.info().base_type(*encoding, *size),
            PartType::Vector(encoding, lane_size) => {
                let lane = self.info().base_type(*encoding, *lane_size);
                self.info().vector_of(lane, 16 / (*lane_size).max(1))
            }
            PartType::Handle(name) => self.info().handle_type(name),
        }
    }
}

impl Formatter<'_, '_> {
    /// Writes a handle, and what it leads to unless that was written already or lies too deep.
    pub(crate) fn handle(&mut self, value: &Value, depth: usize) {
        let inspector = self.inspector;
        let (handle, shape) = match (inspector.handle(value), inspector.handle_shape(value)) {
            (Ok(handle), Ok(shape)) => (handle, shape),
            (Err(error), _) | (_, Err(error)) => {
                let _ = write!(self.text, "<error: {error}>");
                return;
            }
        };
        self.text += &shape.text;
        let is_new = !self.handles.contains(&handle);
        if !is_new || self.handle_depth >= self.options.handle_depth_max {
            return;
        }
        self.handles.push(handle);
        self.handle_depth += 1;
        match shape.parts {
            HandleParts::None => {}
            HandleParts::Fields(count) => {
                self.text.push(' ');
                let mut list = List::new(self, '{', '}', depth);
                for index in 0..count {
                    let Some((name, part)) = inspector.handle_part(handle, index) else {
                        break;
                    };
                    let name = name.unwrap_or_else(|| index.to_string());
                    list.entry(&format!("{name} = "), &part);
                }
                list.end();
            }
            HandleParts::Elements(count) => {
                self.text.push(' ');
                self.sequence(count, ('{', '}'), depth, |index| {
                    inspector.handle_part(handle, index).map(|(_, part)| part)
                });
            }
        }
        self.handle_depth -= 1;
    }
}

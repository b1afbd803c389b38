//! What Rust's own types mean: slices, strings and vectors are sequences in memory rather
//! than the pointers and lengths that they consist of.

use crate::inspect::Inspector;
use crate::location::Place;
use crate::types::{Notation, Record, TypeKind, TypeRef};
use crate::value::{Child, Scalar, Value};

/// How many values are looked at for a vector's pointer, which is wrapped in records.
const WRAPPERS_MAX: usize = 32;

/// What a value of a Rust type stands for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RustShape {
    /// UTF-8 text.
    Text(Elements),
    /// Elements one after another.
    Sequence(Elements),
}

/// Elements in linear memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Elements {
    pub(crate) element: TypeRef,
    pub(crate) address: u64,
    pub(crate) count: u64,
}

impl Inspector<'_> {
    /// What a value of a Rust type stands for; `None` for those that are what they look like.
    pub(crate) fn rust_shape(&self, value: &Value) -> Option<RustShape> {
        let (_, found) = self.resolved(value);
        let TypeKind::Record(record) = &found.kind else {
            return None;
        };
        let name = found.name.as_deref()?;
        if found.notation != Notation::Rust {
            return None;
        }
        if name == "alloc::string::String" {
            let vec = self.member(value, "vec").ok()?;
            return match self.rust_shape(&vec)? {
                RustShape::Sequence(elements) | RustShape::Text(elements) => {
                    Some(RustShape::Text(elements))
                }
            };
        }
        if name.starts_with("alloc::vec::Vec<") {
            let buffer = self.member(value, "buf").ok()?;
            let (_, element) = record
                .type_arguments
                .iter()
                .find(|(parameter, _)| &**parameter == "T")?;
            let address = self.wrapped_pointer(&buffer)?;
            let count = self.count(value, "len")?;
            return Some(RustShape::Sequence(Elements {
                element: *element,
                address,
                count,
            }));
        }
        let pointer = self.own_member(value, record, "data_ptr")?;
        let (_, pointer_type) = self.resolved(&pointer);
        let TypeKind::Pointer { target, .. } = pointer_type.kind else {
            return None;
        };
        let elements = Elements {
            element: target,
            address: self.address(&pointer).ok()?,
            count: self.count(value, "length")?,
        };
        let is_text = name
            .trim_start_matches(['&', '*'])
            .trim_start_matches("mut ")
            .trim_start_matches("const ")
            == "str"
            || name.contains("<str");
        Some(if is_text {
            RustShape::Text(elements)
        } else {
            RustShape::Sequence(elements)
        })
    }

    /// The elements of a sequence.
    pub(crate) fn rust_children(&self, shape: &RustShape, count_max: usize) -> Vec<Child> {
        let (RustShape::Text(elements) | RustShape::Sequence(elements)) = shape;
        let count = usize::try_from(elements.count)
            .unwrap_or(usize::MAX)
            .min(count_max);
        let child = |index| Child {
            name: format!("[{index}]"),
            value: self.sequence_element(elements, index as u64),
        };
        (0..count).map(child).collect()
    }

    /// An element of a sequence.
    pub(crate) fn sequence_element(&self, elements: &Elements, index: u64) -> Value {
        let size = self.info().size_of(elements.element).unwrap_or(0);
        let address = elements.address.wrapping_add(index.wrapping_mul(size));
        self.read(elements.element, Place::Memory(address))
    }

    fn own_member(&self, value: &Value, record: &Record, name: &str) -> Option<Value> {
        let member = record
            .members
            .iter()
            .find(|member| member.name.as_deref() == Some(name))?;
        Some(self.member_value(value, member))
    }

    fn count(&self, value: &Value, name: &str) -> Option<u64> {
        let (_, found) = self.resolved(value);
        let TypeKind::Record(record) = &found.kind else {
            return None;
        };
        let member = self.own_member(value, record, name)?;
        // The length of a vector may itself be wrapped, to leave room for a niche.
        match self.scalar(&member).or_else(|error| {
            let (_, found) = self.resolved(&member);
            match &found.kind {
                TypeKind::Record(record) if record.members.len() == 1 => {
                    self.scalar(&self.member_value(&member, &record.members[0]))
                }
                _ => Err(error),
            }
        }) {
            Ok(Scalar::Integer(count)) => u64::try_from(count).ok(),
            _ => None,
        }
    }

    /// The first pointer in a value or in its members.
    fn wrapped_pointer(&self, value: &Value) -> Option<u64> {
        let mut parts = vec![value.clone()];
        for _ in 0..WRAPPERS_MAX {
            let part = parts.pop()?;
            let (_, found) = self.resolved(&part);
            match &found.kind {
                TypeKind::Pointer { .. } => return self.address(&part).ok(),
                TypeKind::Record(record) => {
                    let members = record.members.iter().take(WRAPPERS_MAX).rev();
                    parts.extend(members.map(|member| self.member_value(&part, member)));
                }
                _ => {}
            }
        }
        None
    }
}

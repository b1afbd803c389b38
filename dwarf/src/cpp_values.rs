//! What types of C++'s standard library mean, as libc++, the library of wasm's compilers, lays them out: strings and
//! vectors are sequences in memory, smart pointers are pointers.

use crate::inspect::Inspector;
use crate::location::Place;
use crate::rust_values::Elements;
use crate::types::{Notation, TypeKind};
use crate::value::{Scalar, Value};

/// What a value of a type of the standard library stands for.
#[derive(Debug, Clone)]
pub(crate) enum CppShape {
    /// `std::string`.
    Text(Elements),
    /// `std::vector`.
    Sequence(Elements),
    /// `std::optional`, with what it contains.
    Optional(Option<Value>),
    /// `std::unique_ptr` or `std::shared_ptr`: the pointer.
    Pointer(Value),
}

impl Inspector<'_> {
    /// What a value of a type of the standard library stands for; `None` for other types, and for those whose members
    /// are not those of libc++.
    pub(crate) fn cpp_shape(&self, value: &Value) -> Option<CppShape> {
        let (_, found) = self.resolved(value);
        let is_record = matches!(found.kind, TypeKind::Record(_));
        if !is_record || found.notation != Notation::Cpp {
            return None;
        }
        // The library's own namespace, as in `std::__2::vector<int, ...>`, is its version.
        let (name, _) = found
            .name
            .as_deref()?
            .strip_prefix("std::")?
            .split_once('<')?;
        match name.rsplit("::").next()? {
            "basic_string" => self.cpp_string(value).map(CppShape::Text),
            "vector" => self.cpp_vector(value).map(CppShape::Sequence),
            "optional" => {
                let is_engaged = self.cpp_count(value, "__engaged_")? != 0;
                let content = self.find_member(value, "__val_")?;
                Some(CppShape::Optional(is_engaged.then_some(content)))
            }
            "unique_ptr" | "shared_ptr" => {
                let pointer = self.find_member(value, "__ptr_")?;
                let (_, found) = self.resolved(&pointer);
                matches!(found.kind, TypeKind::Pointer { .. }).then_some(CppShape::Pointer(pointer))
            }
            _ => None,
        }
    }

    /// The elements of a string or vector.
    pub(crate) fn cpp_elements(&self, value: &Value) -> Option<Elements> {
        match self.cpp_shape(value)? {
            CppShape::Text(elements) | CppShape::Sequence(elements) => Some(elements),
            CppShape::Optional(_) | CppShape::Pointer(_) => None,
        }
    }

    /// Short strings lie in the string itself, where long ones have their pointer.
    fn cpp_string(&self, value: &Value) -> Option<Elements> {
        let representation = self.find_member(value, "__rep_")?;
        let long = self.find_member(&representation, "__l")?;
        let short = self.find_member(&representation, "__s")?;
        let pointer = self.find_member(&long, "__data_")?;
        let (_, found) = self.resolved(&pointer);
        let TypeKind::Pointer { target, .. } = found.kind else {
            return None;
        };
        let is_long = self.cpp_count(&short, "__is_long_")? != 0;
        let (address, count) = if is_long {
            (
                self.address(&pointer).ok()?,
                self.cpp_count(&long, "__size_")?,
            )
        } else {
            let Place::Memory(address) = self.find_member(&short, "__data_")?.place else {
                return None;
            };
            (address, self.cpp_count(&short, "__size_")?)
        };
        Some(Elements {
            element: target,
            address,
            count,
        })
    }

    fn cpp_vector(&self, value: &Value) -> Option<Elements> {
        let begin = self.find_member(value, "__begin_")?;
        let end = self.find_member(value, "__end_")?;
        let (_, found) = self.resolved(&begin);
        let TypeKind::Pointer { target, .. } = found.kind else {
            return None;
        };
        let (address, end) = (self.address(&begin).ok()?, self.address(&end).ok()?);
        let bytes = end.checked_sub(address)?;
        Some(Elements {
            element: target,
            address,
            count: bytes / self.info().size_of(target)?.max(1),
        })
    }

    fn cpp_count(&self, value: &Value, member: &str) -> Option<u64> {
        let member = self.find_member(value, member)?;
        match self.scalar(&member).ok()? {
            Scalar::Integer(count) => u64::try_from(count).ok(),
            Scalar::Float(_) => None,
        }
    }
}

//! Looking at objects of the heap.

use wasmparser::{StorageType, ValType};

use crate::address::{InstanceAddr, ObjectAddr, TypeId};
use crate::exceptions::Origin;
use crate::heap::{ObjectKind, read_field};
use crate::types::{Layout, storage_bytes};
use crate::value::{Reference, Value};
use crate::vm::Vm;

/// A struct, an array or an exception, as it is now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObjectInfo {
    /// Its number: objects are counted from 1 as they are made, and no two ever have the same.
    pub number: u64,
    /// What it is an instance of.
    pub kind: ObjectKind,
    /// Its type as the text format writes it (`$point`, `exception $tag`).
    pub type_text: String,
    /// The number of its fields or elements.
    pub count: usize,
    /// Whether these are elements of an array.
    pub is_array: bool,
    /// Of an exception, where it was thrown.
    pub origin: Option<Origin>,
}

/// A field or an element.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObjectField {
    /// A field's name in the name section.
    pub name: Option<String>,
    /// Its type, in the store's numbers.
    pub ty: StorageType,
    /// Its value.
    pub value: Value,
}

impl Vm {
    /// The object at a place, if there is one.
    #[must_use]
    pub fn object(&self, address: ObjectAddr) -> Option<ObjectInfo> {
        let object = self.machine.heap.get(address)?;
        let mut origin = None;
        let (type_text, count, is_array) = match object.kind {
            ObjectKind::Exception(tag) => {
                let layout = &self.store.tags[tag.index()].layout;
                origin = Origin::read(&object.bytes, layout.size);
                let text = format!("exception {}", self.tag_name(tag));
                (text, layout.fields.len(), false)
            }
            ObjectKind::Data(id) => {
                let (count, is_array) = match self.store.types.layout(id) {
                    Layout::Struct(layout) => (layout.fields.len(), false),
                    Layout::Array(element) => {
                        (object.bytes.len() / storage_bytes(*element) as usize, true)
                    }
                    Layout::Func => (0, false),
                };
                (self.type_name(id), count, is_array)
            }
        };
        Some(ObjectInfo {
            number: object.number,
            kind: object.kind,
            type_text,
            count,
            is_array,
            origin,
        })
    }

    /// A field or an element of the object at a place.
    #[must_use]
    pub fn object_field(&self, address: ObjectAddr, index: usize) -> Option<ObjectField> {
        let object = self.machine.heap.get(address)?;
        let (offset, ty, name) = match object.kind {
            ObjectKind::Exception(tag) => {
                let &(offset, ty) = self.store.tags[tag.index()].layout.fields.get(index)?;
                (offset as usize, ty, None)
            }
            ObjectKind::Data(id) => match self.store.types.layout(id) {
                Layout::Struct(layout) => {
                    let &(offset, ty) = layout.fields.get(index)?;
                    (offset as usize, ty, self.field_name(id, index))
                }
                Layout::Array(ty) => {
                    let size = storage_bytes(*ty) as usize;
                    let offset = index.checked_mul(size)?;
                    if offset >= object.bytes.len() {
                        return None;
                    }
                    (offset, *ty, None)
                }
                Layout::Func => return None,
            },
        };
        let (low, high) = read_field(&object.bytes, offset, ty);
        let value = match ty {
            StorageType::I8 => Value::I32(i32::from(low as i8)),
            StorageType::I16 => Value::I32(i32::from(low as i16)),
            StorageType::Val(ty) => Value::from_cells(ty, &[low, high]),
        };
        Some(ObjectField { name, ty, value })
    }

    /// The number of objects in the heap, dead ones included until they are collected.
    #[must_use]
    pub fn object_count(&self) -> u64 {
        self.machine.heap.object_count()
    }

    /// A type of the store, as the module that defined it first names it.
    #[must_use]
    pub fn type_name(&self, id: TypeId) -> String {
        let Some((instance, index)) = self.store.types.origin(id) else {
            return id.0.to_string();
        };
        let name = self.module(instance).names().ty(index);
        name.map_or_else(|| index.to_string(), |name| format!("${name}"))
    }

    fn field_name(&self, id: TypeId, field: usize) -> Option<String> {
        let (instance, index) = self.store.types.origin(id)?;
        let names = self.module(instance).names();
        names.field(index, field as u32).map(str::to_owned)
    }

    /// A value as it is shown to people.
    #[must_use]
    pub fn value_text(&self, value: Value) -> String {
        match value {
            Value::Ref(reference) => self.reference_text(reference),
            _ => value.to_string(),
        }
    }

    /// A reference as it is shown to people: its type, and which object of that type it is.
    #[must_use]
    pub fn reference_text(&self, reference: Reference) -> String {
        match reference {
            Reference::Object(address) => match self.object(address) {
                Some(object) => {
                    let count = if object.is_array {
                        format!(" [{}]", object.count)
                    } else {
                        String::new()
                    };
                    format!("(ref {}) #{}{count}", object.type_text, object.number)
                }
                None => "<collected>".to_owned(),
            },
            Reference::Func(func) => match self.func_instance(func) {
                Some((instance, index)) => {
                    format!(
                        "(ref func) {}",
                        self.module(instance).func_display_name(index)
                    )
                }
                None => Value::Ref(reference).to_string(),
            },
            _ => Value::Ref(reference).to_string(),
        }
    }

    /// Whether a place of an instance's type can hold the value.
    #[must_use]
    pub fn value_fits(&self, instance: InstanceAddr, value: Value, ty: ValType) -> bool {
        let Some(instance) = self.store.instances.get(instance.index()) else {
            return false;
        };
        let ty = crate::types::in_store(ty, &instance.type_ids);
        self.store.value_fits(&self.machine.heap, value, ty)
    }
}

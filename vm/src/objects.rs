//! Looking at objects of the heap.

use wasmparser::{StorageType, ValType};

use crate::address::{InstanceAddr, ObjectAddr, TypeId};
use crate::disassemble::{storage_type_with, sub_type_with};
use crate::exceptions::Origin;
use crate::heap::{ObjectKind, read_field, write_field};
use crate::isa::Op;
use crate::trap::TrapKind;
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
    /// Its type as the text format writes it.
    pub type_text: String,
    /// How it is stored.
    pub storage: StorageType,
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
        let (offset, storage) = self.field_place(address, index)?;
        let name = match object.kind {
            ObjectKind::Data(id) => self.field_name(id, index),
            ObjectKind::Exception(_) => None,
        };
        let (low, high) = read_field(&object.bytes, offset, storage);
        let value = match storage {
            StorageType::I8 => Value::I32(i32::from(low as i8)),
            StorageType::I16 => Value::I32(i32::from(low as i16)),
            StorageType::Val(ty) => Value::from_cells(ty, &[low, high]),
        };
        Some(ObjectField {
            name,
            type_text: storage_type_with(storage, &|id| self.type_name(TypeId(id))),
            storage,
            value,
        })
    }

    /// Changes a field or an element, also an immutable one; answers whether there is one of that type. Of a small integer only
    /// the low bits count.
    pub fn set_object_field(&mut self, address: ObjectAddr, index: usize, value: Value) -> bool {
        let Some((offset, storage)) = self.field_place(address, index) else {
            return false;
        };
        let heap = &self.machine.heap;
        if !self.store.value_fits(heap, value, storage.unpack()) {
            return false;
        }
        let cells = value.to_cells();
        let high = cells.get(1).copied().unwrap_or(0);
        let bytes = self.machine.heap.bytes_mut(address);
        write_field(bytes, offset, storage, (cells[0], high));
        self.forget_future();
        true
    }

    /// Where a field or an element lies in the bytes of its object, and as what.
    fn field_place(&self, address: ObjectAddr, index: usize) -> Option<(usize, StorageType)> {
        let object = self.machine.heap.get(address)?;
        let layout = match object.kind {
            ObjectKind::Exception(tag) => &self.store.tags[tag.index()].layout,
            ObjectKind::Data(id) => match self.store.types.layout(id) {
                Layout::Struct(layout) => layout,
                Layout::Array(storage) => {
                    let offset = index.checked_mul(storage_bytes(*storage) as usize)?;
                    return (offset < object.bytes.len()).then_some((offset, *storage));
                }
                Layout::Func => return None,
            },
        };
        let &(offset, storage) = layout.fields.get(index)?;
        Some((offset as usize, storage))
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

    /// What defines the type of an object, as the text format writes it, with the names of fields; `None` when the object is gone
    /// or an exception.
    #[must_use]
    pub fn object_type_text(&self, address: ObjectAddr) -> Option<String> {
        let ObjectKind::Data(id) = self.machine.heap.get(address)?.kind else {
            return None;
        };
        let names = |id: u32| self.type_name(TypeId(id));
        let field_name = |field| self.field_name(id, field);
        let definition = sub_type_with(self.store.types.sub_type(id), &names, &field_name);
        Some(format!("(type {} {definition})", self.type_name(id)))
    }

    fn field_name(&self, id: TypeId, field: usize) -> Option<String> {
        let (instance, index) = self.store.types.origin(id)?;
        let names = self.module(instance).names();
        names.field(index, field as u32).map(str::to_owned)
    }

    /// A type in the store's numbers as the text format writes it.
    #[must_use]
    pub fn store_type_text(&self, ty: ValType) -> String {
        storage_type_with(StorageType::Val(ty), &|id| self.type_name(TypeId(id)))
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

    /// More about a trap of an instruction on objects, at which the machine stands.
    pub(crate) fn object_trap_detail(&self, kind: TrapKind, op: Op) -> String {
        let reference = |depth: usize| Reference::from_cell(self.top_cell(depth));
        match (kind, op) {
            (TrapKind::HeapExhausted, _) => self.machine.heap.usage_text(),
            (TrapKind::CastFailure, _) => {
                format!("the reference is {}", self.reference_text(reference(0)))
            }
            (TrapKind::ArrayOutOfBounds, Op::ArrayGet | Op::ArrayGetS | Op::ArrayGetU) => {
                let index = self.top_cell(0) as u32;
                format!("index {index} of {}", self.reference_text(reference(1)))
            }
            _ => String::new(),
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

//! References of the machine as the handles that expressions work with.
//!
//! A handle holds a reference's cell and, of an object, its number: when the object has been collected and another one has its
//! place, the handle leads nowhere.

use wdb_dwarf::{BaseEncoding, Handle, HandlePart, HandleParts, HandleShape, PartType, RawSlot};
use wdb_vm::StorageType;
use wdb_vm::ValType;
use wdb_vm::address::ObjectAddr;
use wdb_vm::value::{Reference, Value, i31_signed};
use wdb_vm::vm::Vm;

use crate::lanes::Lanes;

/// Stands for the exception that the instruction throws at which the program stands. It is no object yet.
pub(crate) const THROWN: Handle = Handle(u128::MAX);

/// The bits of a cell in a handle; above them is the object's number.
const CELL_BITS: u32 = 64;

/// The handle of a reference.
pub(crate) fn handle_of(vm: &Vm, reference: Reference) -> Handle {
    let number = match reference {
        Reference::Object(address) => vm.object(address).map_or(0, |object| object.number),
        _ => 0,
    };
    Handle(u128::from(reference.to_cell()) | u128::from(number) << CELL_BITS)
}

/// The reference of a handle, unless its object is gone.
pub(crate) fn reference_of(vm: &Vm, handle: Handle) -> Option<Reference> {
    if handle == THROWN {
        return None;
    }
    let reference = Reference::from_cell(handle.0 as u64);
    (handle_of(vm, reference) == handle).then_some(reference)
}

/// A value of the machine as expressions take it.
pub(crate) fn raw_slot(vm: &Vm, value: Value) -> RawSlot {
    match value {
        Value::I32(value) => RawSlot::I32(value.cast_unsigned()),
        Value::I64(value) => RawSlot::I64(value.cast_unsigned()),
        Value::F32(bits) => RawSlot::F32(bits),
        Value::F64(bits) => RawSlot::F64(bits),
        Value::V128(bits) => RawSlot::V128(bits),
        Value::Ref(reference) => RawSlot::Handle(handle_of(vm, reference)),
    }
}

/// The machine's value of what an expression gave; `None` when its object is gone.
pub(crate) fn machine_value(vm: &Vm, slot: RawSlot) -> Option<Value> {
    Some(match slot {
        RawSlot::I32(bits) => Value::I32(bits.cast_signed()),
        RawSlot::I64(bits) => Value::I64(bits.cast_signed()),
        RawSlot::F32(bits) => Value::F32(bits),
        RawSlot::F64(bits) => Value::F64(bits),
        RawSlot::V128(bits) => Value::V128(bits),
        RawSlot::Handle(handle) => Value::Ref(reference_of(vm, handle)?),
    })
}

/// What a handle leads to.
pub(crate) fn shape(vm: &Vm, handle: Handle) -> Option<HandleShape> {
    if handle == THROWN {
        let exception = vm.thrown_exception()?;
        return Some(HandleShape {
            text: format!("exception {}", vm.tag_name(exception.tag)),
            number: 1,
            parts: HandleParts::Fields(exception.values.len() as u64),
        });
    }
    let reference = reference_of(vm, handle)?;
    let (number, parts) = match reference {
        Reference::Null => (0, HandleParts::None),
        Reference::I31(value) => (i128::from(i31_signed(value)), HandleParts::None),
        Reference::Func(_) | Reference::Extern(_) => {
            (i128::from(reference.to_cell()), HandleParts::None)
        }
        Reference::Object(address) => {
            let object = vm.object(address)?;
            let count = object.count as u64;
            let parts = if object.is_array {
                HandleParts::Elements(count)
            } else {
                HandleParts::Fields(count)
            };
            (i128::from(object.number), parts)
        }
    };
    Some(HandleShape {
        text: vm.reference_text(reference),
        number,
        parts,
    })
}

/// A field or an element of what a handle leads to.
pub(crate) fn part(vm: &Vm, handle: Handle, index: u64, lanes: Lanes) -> Option<HandlePart> {
    let index = usize::try_from(index).ok()?;
    if handle == THROWN {
        let ty = *vm.tag_types(vm.thrown_exception()?.tag).get(index)?;
        return Some(HandlePart {
            name: None,
            part_type: part_type(StorageType::Val(ty), &vm.store_type_text(ty), lanes),
        });
    }
    let field = vm.object_field(object_of(vm, handle)?, index)?;
    Some(HandlePart {
        name: field.name,
        part_type: part_type(field.storage, &field.type_text, lanes),
    })
}

/// The contents of a field or an element.
pub(crate) fn part_slot(vm: &Vm, handle: Handle, index: u64) -> Option<RawSlot> {
    let index = usize::try_from(index).ok()?;
    let value = if handle == THROWN {
        *vm.thrown_exception()?.values.get(index)?
    } else {
        vm.object_field(object_of(vm, handle)?, index)?.value
    };
    Some(raw_slot(vm, value))
}

/// The object that a handle leads to.
pub(crate) fn object_of(vm: &Vm, handle: Handle) -> Option<ObjectAddr> {
    match reference_of(vm, handle)? {
        Reference::Object(address) => Some(address),
        _ => None,
    }
}

fn part_type(storage: StorageType, text: &str, lanes: Lanes) -> PartType {
    let (encoding, size) = match storage {
        StorageType::I8 => (BaseEncoding::Signed, 1),
        StorageType::I16 => (BaseEncoding::Signed, 2),
        StorageType::Val(ValType::I32) => (BaseEncoding::Signed, 4),
        StorageType::Val(ValType::I64) => (BaseEncoding::Signed, 8),
        StorageType::Val(ValType::F32) => (BaseEncoding::Float, 4),
        StorageType::Val(ValType::F64) => (BaseEncoding::Float, 8),
        StorageType::Val(ValType::V128) => return lanes.part_type(),
        StorageType::Val(ValType::Ref(_)) => return PartType::Handle(text.to_owned()),
    };
    PartType::Number(encoding, size)
}

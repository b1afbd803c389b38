//! Constant expressions: the initial values of globals, tables and element segments, and the offsets of segments.

use std::ops::Range;

use wasmparser::{BinaryReader, Operator, OperatorsReader};

use crate::heap::{Heap, ObjectKind, write_field};
use crate::machine::Machine;
use crate::store::{Instance, Store};
use crate::types::{Layout, storage_bytes};
use crate::value::{Reference, func_ref_cell};

/// The heap's limit does not admit the objects of an expression.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct HeapExhausted;

/// Values as they lie in cells: of most, only the lower half is used.
type Values = Vec<u128>;

/// The value of a constant expression, which validation has checked (WebAssembly 3.0, section 3.4.14). Only a vector has
/// an upper half.
pub(crate) fn evaluate(
    store: &Store,
    instance: &Instance,
    machine: &mut Machine,
    range: Range<u32>,
) -> Result<u128, HeapExhausted> {
    let bytes = &instance.module.bytes()[range.start as usize..range.end as usize];
    let reader =
        BinaryReader::new_features(bytes, u64::from(range.start), instance.module.features);
    let mut stack: Values = Vec::new();
    let operators = OperatorsReader::new(reader).into_iter();
    for operator in operators.map_while(Result::ok) {
        match operator {
            Operator::I32Const { value } => stack.push(u128::from(value as u32)),
            Operator::I64Const { value } => stack.push(u128::from(value as u64)),
            Operator::F32Const { value } => stack.push(u128::from(value.bits())),
            Operator::F64Const { value } => stack.push(u128::from(value.bits())),
            Operator::V128Const { value } => stack.push(u128::from_le_bytes(*value.bytes())),
            Operator::RefNull { .. } => stack.push(0),
            Operator::RefFunc { function_index } => {
                let func = instance.funcs[function_index as usize];
                stack.push(u128::from(func_ref_cell(Some(func))));
            }
            Operator::GlobalGet { global_index } => {
                let cell = instance.global_cells[global_index as usize] as usize;
                let high = machine.globals.get(cell + 1).copied().unwrap_or(0);
                let low = machine.globals[cell];
                stack.push(u128::from(low) | u128::from(high) << 64);
            }
            Operator::RefI31 => {
                let value = pop(&mut stack) as u32 & 0x7fff_ffff;
                stack.push(u128::from(Reference::I31(value).to_cell()));
            }
            Operator::End => break,
            _ if arithmetic(&operator, &mut stack) => {}
            _ => construct(&operator, &mut stack, store, instance, &mut machine.heap)?,
        }
    }
    Ok(pop(&mut stack))
}

/// Performs an instruction on integers; answers whether it was one.
fn arithmetic(operator: &Operator<'_>, stack: &mut Values) -> bool {
    let narrow: Option<fn(u32, u32) -> u32> = match operator {
        Operator::I32Add => Some(u32::wrapping_add),
        Operator::I32Sub => Some(u32::wrapping_sub),
        Operator::I32Mul => Some(u32::wrapping_mul),
        _ => None,
    };
    let wide: Option<fn(u64, u64) -> u64> = match operator {
        Operator::I64Add => Some(u64::wrapping_add),
        Operator::I64Sub => Some(u64::wrapping_sub),
        Operator::I64Mul => Some(u64::wrapping_mul),
        _ => None,
    };
    if narrow.is_none() && wide.is_none() {
        return false;
    }
    let (right, left) = (pop(stack), pop(stack));
    if let Some(apply) = narrow {
        stack.push(u128::from(apply(left as u32, right as u32)));
    }
    if let Some(apply) = wide {
        stack.push(u128::from(apply(left as u64, right as u64)));
    }
    true
}

/// Performs an instruction that makes an object. What else validation admits converts a reference, which changes nothing.
fn construct(
    operator: &Operator<'_>,
    stack: &mut Values,
    store: &Store,
    instance: &Instance,
    heap: &mut Heap,
) -> Result<(), HeapExhausted> {
    let (index, values) = match *operator {
        Operator::StructNew { struct_type_index } => {
            let count = match store
                .types
                .layout(instance.type_ids[struct_type_index as usize])
            {
                Layout::Struct(layout) => layout.fields.len(),
                _ => 0,
            };
            (struct_type_index, stack.split_off(stack.len() - count))
        }
        Operator::StructNewDefault { struct_type_index } => (struct_type_index, Vec::new()),
        Operator::ArrayNew { array_type_index } => {
            let (length, value) = (pop(stack) as u32, pop(stack));
            let length = checked_length(store, instance, heap, array_type_index, length)?;
            (array_type_index, vec![value; length])
        }
        Operator::ArrayNewDefault { array_type_index } => {
            let length = pop(stack) as u32;
            let length = checked_length(store, instance, heap, array_type_index, length)?;
            (array_type_index, vec![0; length])
        }
        Operator::ArrayNewFixed {
            array_type_index,
            array_size,
        } => {
            let values = stack.split_off(stack.len() - array_size as usize);
            (array_type_index, values)
        }
        _ => return Ok(()),
    };
    let id = instance.type_ids[index as usize];
    let cells = |value: u128| (value as u64, (value >> 64) as u64);
    let bytes = match store.types.layout(id) {
        Layout::Struct(layout) => {
            let mut bytes = vec![0; layout.size as usize];
            for (&(offset, storage), value) in layout.fields.iter().zip(values) {
                write_field(&mut bytes, offset as usize, storage, cells(value));
            }
            bytes
        }
        Layout::Array(element) => {
            let size = storage_bytes(*element) as usize;
            let mut bytes = vec![0; size * values.len()];
            for (place, value) in values.into_iter().enumerate() {
                write_field(&mut bytes, place * size, *element, cells(value));
            }
            bytes
        }
        Layout::Func => Vec::new(),
    };
    if !heap.fits(bytes.len() as u64) {
        return Err(HeapExhausted);
    }
    let object = heap.allocate(ObjectKind::Data(id), bytes.into());
    stack.push(u128::from(object.to_cell()));
    Ok(())
}

/// The length of an array that the heap can hold.
fn checked_length(
    store: &Store,
    instance: &Instance,
    heap: &Heap,
    index: u32,
    length: u32,
) -> Result<usize, HeapExhausted> {
    let size = match store.types.layout(instance.type_ids[index as usize]) {
        Layout::Array(element) => storage_bytes(*element),
        _ => 0,
    };
    if heap.fits(u64::from(size) * u64::from(length)) {
        Ok(length as usize)
    } else {
        Err(HeapExhausted)
    }
}

fn pop(stack: &mut Values) -> u128 {
    stack.pop().expect("validated expressions leave a value")
}

//! What instructions take from the operand stack and put on it that both interpreters execute with the same code.

use std::sync::LazyLock;

use wasmparser::{StorageType, ValType};

use super::table::Class;
use crate::decode::{Immediates, Instruction};
use crate::isa::{INSTRUCTIONS, Op};
use crate::store::{Instance, Store};
use crate::types::Layout;

/// How many operands an instruction takes, and the class of what it gives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Effect {
    pub(super) pops: usize,
    pub(super) pushes: Vec<Class>,
}

/// The class of a value type.
pub(super) fn class_of(ty: ValType) -> Class {
    match ty {
        ValType::I32 => Class::I32,
        ValType::I64 => Class::I64,
        ValType::F32 => Class::F32,
        ValType::F64 => Class::F64,
        ValType::V128 => Class::V128,
        ValType::Ref(_) => Class::Ref,
    }
}

/// The effects of the instructions whose operands have the same types everywhere, by [`Op`].
static FIXED: LazyLock<Vec<Option<Effect>>> =
    LazyLock::new(|| INSTRUCTIONS.iter().map(|info| parse(info.effect)).collect());

/// Reads an effect such as `[i32 v128] -> [i32]`; `None` when a type in it depends on more than the instruction.
fn parse(effect: &str) -> Option<Effect> {
    let (pops, pushes) = effect.split_once(" -> ")?;
    let types = |list: &str| -> Option<Vec<Class>> {
        let list = list.strip_prefix('[')?.strip_suffix(']')?;
        list.split_whitespace().map(class_named).collect()
    };
    Some(Effect {
        pops: types(pops)?.len(),
        pushes: types(pushes)?,
    })
}

fn class_named(name: &str) -> Option<Class> {
    Some(match name {
        "i32" => Class::I32,
        "i64" => Class::I64,
        "f32" => Class::F32,
        "f64" => Class::F64,
        "v128" => Class::V128,
        _ if name.ends_with("ref") => Class::Ref,
        _ => return None,
    })
}

/// The effect of an instruction of an instance's code; `None` for one that does more than replace operands by a result.
pub(super) fn effect(
    store: &Store,
    instance: &Instance,
    instruction: &Instruction,
) -> Option<Effect> {
    if let Some(effect) = &FIXED[instruction.op as usize] {
        return Some(effect.clone());
    }
    let layout = |index: u32| store.types.layout(instance.type_ids[index as usize]);
    let class = |storage: StorageType| class_of(storage.unpack());
    let (pops, pushes) = match (instruction.op, &instruction.immediates) {
        (Op::StructNew, Immediates::Index(ty)) => match layout(*ty) {
            Layout::Struct(layout) => (layout.fields.len(), vec![Class::Ref]),
            _ => return None,
        },
        (Op::StructGet, Immediates::Indices(ty, field)) => match layout(*ty) {
            Layout::Struct(layout) => (1, vec![class(layout.fields[*field as usize].1)]),
            _ => return None,
        },
        (Op::StructSet, _) => (2, Vec::new()),
        (Op::ArrayNew, _) => (2, vec![Class::Ref]),
        (Op::ArrayNewFixed, Immediates::Indices(_, count)) => (*count as usize, vec![Class::Ref]),
        (Op::ArrayGet, Immediates::Index(ty)) => match layout(*ty) {
            Layout::Array(storage) => (2, vec![class(*storage)]),
            _ => return None,
        },
        (Op::ArraySet, _) => (3, Vec::new()),
        (Op::ArrayFill, _) => (4, Vec::new()),
        _ => return None,
    };
    Some(Effect { pops, pushes })
}

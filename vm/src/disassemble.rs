//! Instructions as the text format writes them, with symbolic names where the module has them.

use std::fmt::Write;

use wasmparser::{
    AbstractHeapType, BlockType, Catch, CompositeInnerType, FieldType, FuncType, HeapType,
    PackedIndex, StorageType, SubType, ValType,
};

use crate::access::access;
use crate::address::FuncIndex;
use crate::decode::{Immediates, Instruction, Instructions};
use crate::isa::{ImmediateKind, Op};
use crate::module::Module;

/// A function type as the text format writes it: `(param i32 i32) (result i32)`; empty for a function without either.
#[must_use]
pub fn func_type_text(ty: &FuncType) -> String {
    func_type_with(ty, &|index| index.to_string())
}

/// A value type as the text format writes it.
#[must_use]
pub fn val_type_text(ty: ValType) -> String {
    val_type_with(ty, &|index| index.to_string())
}

/// What a type index is called.
pub(crate) type TypeNames<'a> = &'a dyn Fn(u32) -> String;

/// The definition of a type as the text format writes it, without its name.
pub(crate) fn sub_type_with(
    ty: &SubType,
    names: TypeNames<'_>,
    field_name: &dyn Fn(usize) -> Option<String>,
) -> String {
    let composite = match &ty.composite_type.inner {
        CompositeInnerType::Func(ty) => {
            let text = func_type_with(ty, names);
            let gap = if text.is_empty() { "" } else { " " };
            format!("(func{gap}{text})")
        }
        CompositeInnerType::Struct(ty) => {
            let mut text = "(struct".to_owned();
            for (index, field) in ty.fields.iter().enumerate() {
                text.push_str(" (field ");
                if let Some(name) = field_name(index) {
                    let _ = write!(text, "${name} ");
                }
                text.push_str(&field_type_with(field, names));
                text.push(')');
            }
            text + ")"
        }
        CompositeInnerType::Array(ty) => format!("(array {})", field_type_with(&ty.0, names)),
        CompositeInnerType::Cont(ty) => format!("{ty:?}"),
    };
    if ty.is_final && ty.supertype_idxs.is_empty() {
        return composite;
    }
    let mut text = "(sub ".to_owned();
    if ty.is_final {
        text.push_str("final ");
    }
    for supertype in ty
        .supertype_idxs
        .iter()
        .filter_map(PackedIndex::as_module_index)
    {
        text.push_str(&names(supertype));
        text.push(' ');
    }
    text + &composite + ")"
}

/// The type of a field or element, with whether it can be changed.
fn field_type_with(ty: &FieldType, names: TypeNames<'_>) -> String {
    let text = storage_type_with(ty.element_type, names);
    if ty.mutable {
        format!("(mut {text})")
    } else {
        text
    }
}

pub(crate) fn storage_type_with(ty: StorageType, names: TypeNames<'_>) -> String {
    match ty {
        StorageType::I8 => "i8".to_owned(),
        StorageType::I16 => "i16".to_owned(),
        StorageType::Val(ty) => val_type_with(ty, names),
    }
}

fn func_type_with(ty: &FuncType, names: TypeNames<'_>) -> String {
    let mut text = String::new();
    for (word, types) in [("param", ty.params()), ("result", ty.results())] {
        if types.is_empty() {
            continue;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push('(');
        text.push_str(word);
        for ty in types {
            text.push(' ');
            text.push_str(&val_type_with(*ty, names));
        }
        text.push(')');
    }
    text
}

fn val_type_with(ty: ValType, names: TypeNames<'_>) -> String {
    match ty {
        ValType::Ref(ty) => ref_type_with(ty.is_nullable(), ty.heap_type(), names),
        other => other.to_string(),
    }
}

/// A reference type; the text format abbreviates those to abstract heap types that include null.
fn ref_type_with(nullable: bool, heap_type: HeapType, names: TypeNames<'_>) -> String {
    let text = heap_type_with(heap_type, names);
    match heap_type {
        HeapType::Abstract { ty, .. } if nullable => match ty {
            AbstractHeapType::None => "nullref".to_owned(),
            AbstractHeapType::NoFunc => "nullfuncref".to_owned(),
            AbstractHeapType::NoExtern => "nullexternref".to_owned(),
            AbstractHeapType::NoExn => "nullexnref".to_owned(),
            _ => format!("{text}ref"),
        },
        _ if nullable => format!("(ref null {text})"),
        _ => format!("(ref {text})"),
    }
}

fn heap_type_with(ty: HeapType, names: TypeNames<'_>) -> String {
    match ty {
        HeapType::Abstract { ty, .. } => format!("{ty:?}").to_lowercase(),
        HeapType::Concrete(index) | HeapType::Exact(index) => match index.as_module_index() {
            Some(index) => names(index),
            None => index.to_string(),
        },
    }
}

/// Instructions with their nesting depth in blocks.
pub struct Disassembler<'m> {
    module: &'m Module,
    func: FuncIndex,
    instructions: Instructions<'m>,
    nesting: u32,
}

/// A disassembled instruction.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// The instruction.
    pub instruction: Instruction,
    /// How many blocks it lies in; `else` and `end` lie where their block's opening does.
    pub nesting: u32,
    /// The text.
    pub text: String,
}

impl Iterator for Disassembler<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let instruction = self.instructions.next()?;
        let outer = self.nesting.saturating_sub(1);
        let nesting = match instruction.op {
            Op::End | Op::Delegate => {
                self.nesting = outer;
                outer
            }
            Op::Else | Op::Catch | Op::CatchAll => outer,
            _ => self.nesting,
        };
        if matches!(
            instruction.op,
            Op::Block | Op::Loop | Op::If | Op::Try | Op::TryTable
        ) {
            self.nesting += 1;
        }
        let text = self.module.instruction_text(self.func, &instruction);
        Some(Line {
            instruction,
            nesting,
            text,
        })
    }
}

impl Module {
    /// The disassembly of a function; empty when it is imported.
    #[must_use]
    pub fn disassemble(&self, func: FuncIndex) -> Disassembler<'_> {
        Disassembler {
            module: self,
            func,
            instructions: self.instructions(func),
            nesting: 0,
        }
    }

    /// One instruction of a function in the text format.
    #[must_use]
    pub fn instruction_text(&self, func: FuncIndex, instruction: &Instruction) -> String {
        let info = instruction.info();
        let mut text = info.mnemonic.to_owned();
        let names = self.names();
        match &instruction.immediates {
            Immediates::None => {}
            Immediates::Block(block) => self.push_block_type(&mut text, *block),
            Immediates::Index(index) => {
                let name = match info.immediates {
                    ImmediateKind::Func => names.func(*index),
                    ImmediateKind::Local => names.local(func.0, *index),
                    ImmediateKind::Global => names.global(*index),
                    ImmediateKind::Table => names.table(*index),
                    ImmediateKind::Memory => names.memory(*index),
                    ImmediateKind::Data => names.data(*index),
                    ImmediateKind::Elem => names.element(*index),
                    ImmediateKind::Type => names.ty(*index),
                    ImmediateKind::Tag => names.tag(*index),
                    _ => None,
                };
                // Memory 0 and table 0 are what an instruction means that names none.
                let implied = *index == 0 && matches!(info.immediates, ImmediateKind::Memory);
                if !implied {
                    push_index(&mut text, *index, name);
                }
            }
            Immediates::Indices(first, second) => {
                self.push_indices(&mut text, info.immediates, *first, *second)
            }
            Immediates::Labels(labels) => labels
                .iter()
                .for_each(|label| push_index(&mut text, *label, None)),
            Immediates::ValTypes(types) => {
                text.push_str(" (result");
                for ty in types {
                    text.push(' ');
                    text.push_str(&self.val_type_text(*ty));
                }
                text.push(')');
            }
            Immediates::TryTable { ty, catches } => {
                self.push_block_type(&mut text, *ty);
                catches
                    .iter()
                    .for_each(|catch| self.push_catch(&mut text, *catch));
            }
            Immediates::Cast { label, from, to } => {
                push_index(&mut text, *label, None);
                for (nullable, ty) in [*from, *to] {
                    text.push(' ');
                    text.push_str(&ref_type_with(nullable, ty, &|index| {
                        self.type_display_name(index)
                    }));
                }
            }
            Immediates::MemArg {
                align,
                memory,
                offset,
            } => self.push_memarg(&mut text, instruction.op, (*align, *memory, *offset)),
            Immediates::MemArgLane {
                align,
                memory,
                offset,
                lane,
            } => {
                self.push_memarg(&mut text, instruction.op, (*align, *memory, *offset));
                let _ = write!(text, " {lane}");
            }
            Immediates::Lane(lane) => drop(write!(text, " {lane}")),
            Immediates::V128(bits) => {
                text.push_str(" i32x4");
                for lane in 0..4 {
                    let _ = write!(text, " 0x{:08x}", (bits >> (32 * lane)) as u32);
                }
            }
            Immediates::Shuffle(indices) => {
                for index in indices {
                    let _ = write!(text, " {index}");
                }
            }
            Immediates::I32(value) => drop(write!(text, " {value}")),
            Immediates::I64(value) => drop(write!(text, " {value}")),
            Immediates::F32(bits) => push_float(
                &mut text,
                f32::from_bits(*bits).into(),
                u64::from(*bits),
                23,
            ),
            Immediates::F64(bits) => push_float(&mut text, f64::from_bits(*bits), *bits, 52),
            Immediates::HeapType(ty) => {
                text.push(' ');
                let type_name = |index| self.type_display_name(index);
                text.push_str(&match instruction.op {
                    Op::RefTest | Op::RefCast => ref_type_with(false, *ty, &type_name),
                    Op::RefTestNull | Op::RefCastNull => ref_type_with(true, *ty, &type_name),
                    _ => heap_type_with(*ty, &type_name),
                });
            }
        }
        text
    }

    /// Alignment as a power of two, memory and offset of an access.
    fn push_memarg(&self, text: &mut String, op: Op, (align, memory, offset): (u32, u32, u64)) {
        if memory != 0 {
            push_index(text, memory, self.names().memory(memory));
        }
        if offset != 0 {
            let _ = write!(text, " offset={offset}");
        }
        let bytes = 1u64 << align.min(63);
        if access(op).is_none_or(|access| u64::from(access.size) != bytes) {
            let _ = write!(text, " align={bytes}");
        }
    }

    /// A value type of the module as the text format writes it, with the names that it gives to types.
    #[must_use]
    pub fn val_type_text(&self, ty: ValType) -> String {
        val_type_with(ty, &|index| self.type_display_name(index))
    }

    /// What the text format calls a type of the module: its name, else its index.
    fn type_display_name(&self, index: u32) -> String {
        index_text(index, self.names().ty(index))
    }

    /// A function type of the module as the text format writes it.
    #[must_use]
    pub fn func_type_text(&self, ty: &FuncType) -> String {
        func_type_with(ty, &|index| self.type_display_name(index))
    }

    fn push_catch(&self, text: &mut String, catch: Catch) {
        let (word, tag, label) = match catch {
            Catch::One { tag, label } => ("catch", Some(tag), label),
            Catch::OneRef { tag, label } => ("catch_ref", Some(tag), label),
            Catch::All { label } => ("catch_all", None, label),
            Catch::AllRef { label } => ("catch_all_ref", None, label),
        };
        text.push_str(" (");
        text.push_str(word);
        if let Some(tag) = tag {
            push_index(text, tag, self.names().tag(tag));
        }
        push_index(text, label, None);
        text.push(')');
    }

    fn push_block_type(&self, text: &mut String, block: BlockType) {
        match block {
            BlockType::Empty => {}
            BlockType::Type(ty) => {
                let _ = write!(text, " (result {})", self.val_type_text(ty));
            }
            BlockType::FuncType(index) => {
                let Some(ty) = self.type_at(index) else {
                    return;
                };
                let types = self.func_type_text(ty);
                if !types.is_empty() {
                    text.push(' ');
                    text.push_str(&types);
                }
            }
        }
    }

    fn push_indices(&self, text: &mut String, kind: ImmediateKind, first: u32, second: u32) {
        let names = self.names();
        match kind {
            ImmediateKind::CallIndirect => {
                if second != 0 {
                    push_index(text, second, names.table(second));
                }
                let types = self.type_at(first).map(|ty| self.func_type_text(ty));
                let types = types.unwrap_or_default();
                if !types.is_empty() {
                    text.push(' ');
                    text.push_str(&types);
                }
            }
            ImmediateKind::DataMemory => {
                if second != 0 {
                    push_index(text, second, names.memory(second));
                }
                push_index(text, first, names.data(first));
            }
            ImmediateKind::ElemTable => {
                if second != 0 {
                    push_index(text, second, names.table(second));
                }
                push_index(text, first, names.element(first));
            }
            ImmediateKind::TypeField => {
                push_index(text, first, names.ty(first));
                push_index(text, second, names.field(first, second));
            }
            ImmediateKind::TypeCount => {
                push_index(text, first, names.ty(first));
                push_index(text, second, None);
            }
            ImmediateKind::TypeData => {
                push_index(text, first, names.ty(first));
                push_index(text, second, names.data(second));
            }
            ImmediateKind::TypeElem => {
                push_index(text, first, names.ty(first));
                push_index(text, second, names.element(second));
            }
            ImmediateKind::TypeType => {
                push_index(text, first, names.ty(first));
                push_index(text, second, names.ty(second));
            }
            ImmediateKind::MemoryMemory | ImmediateKind::TableTable
                if first == 0 && second == 0 => {}
            _ => {
                push_index(text, first, None);
                push_index(text, second, None);
            }
        }
    }
}

fn push_index(text: &mut String, index: u32, name: Option<&str>) {
    text.push(' ');
    text.push_str(&index_text(index, name));
}

fn index_text(index: u32, name: Option<&str>) -> String {
    match name {
        Some(name) if name.chars().all(is_identifier_char) && !name.is_empty() => {
            format!("${name}")
        }
        Some(name) => format!("${name:?}"),
        None => index.to_string(),
    }
}

/// Whether the text format allows the character in an identifier (WebAssembly 3.0, section 6.3.5).
fn is_identifier_char(character: char) -> bool {
    character.is_ascii_graphic()
        && !matches!(
            character,
            '"' | ',' | ';' | '(' | ')' | '[' | ']' | '{' | '}'
        )
}

fn push_float(text: &mut String, value: f64, bits: u64, fraction_bits: u32) {
    let _ = if value.is_nan() {
        let sign = if value.is_sign_negative() { "-" } else { "" };
        let payload = bits & ((1 << fraction_bits) - 1);
        if payload == 1 << (fraction_bits - 1) {
            write!(text, " {sign}nan")
        } else {
            write!(text, " {sign}nan:0x{payload:x}")
        }
    } else if fraction_bits == 23 {
        write!(text, " {:?}", f32::from_bits(bits as u32))
    } else {
        write!(text, " {value:?}")
    };
}

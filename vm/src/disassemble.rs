//! Instructions as the text format writes them, with symbolic names where the module has them.

mod writer;

use std::fmt::Write;

use wasmparser::{
    AbstractHeapType, CompositeInnerType, FieldType, FuncType, HeapType, PackedIndex, StorageType,
    SubType, ValType,
};

use crate::address::FuncIndex;
use crate::decode::{Instruction, Instructions};
use crate::isa::Op;
use crate::module::Module;
use crate::names::Names;
use writer::Writer;

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

/// The labels around an instruction, for their names.
#[derive(Clone, Default)]
struct Labels {
    /// The positions of the open blocks among all of the function, outermost first.
    open: Vec<u32>,
    /// How many blocks were opened so far.
    count: u32,
}

impl Labels {
    /// Takes note that an instruction was passed.
    fn pass(&mut self, op: Op) {
        match op {
            Op::Block | Op::Loop | Op::If | Op::Try | Op::TryTable => {
                self.open.push(self.count);
                self.count += 1;
            }
            Op::End | Op::Delegate => drop(self.open.pop()),
            _ => {}
        }
    }

    /// The name of the label at a depth, unless it means another there.
    fn name<'n>(&self, names: &'n Names, func: FuncIndex, depth: u32) -> Option<&'n str> {
        let position = self.open.len().checked_sub(depth as usize + 1)?;
        let name_of = |index: &u32| names.label(func.0, *index);
        let name = name_of(&self.open[position])?;
        let mut inner = self.open[position + 1..].iter();
        inner
            .all(|index| name_of(index) != Some(name))
            .then_some(name)
    }

    /// The name of the label that is opened next.
    fn next_name<'n>(&self, names: &'n Names, func: FuncIndex) -> Option<&'n str> {
        names.label(func.0, self.count)
    }
}

/// Instructions with their nesting depth in blocks.
pub struct Disassembler<'m> {
    module: &'m Module,
    func: FuncIndex,
    instructions: Instructions<'m>,
    labels: Labels,
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
        let inside = self.labels.open.len() as u32;
        let nesting = match instruction.op {
            Op::End | Op::Delegate | Op::Else | Op::Catch | Op::CatchAll => {
                inside.saturating_sub(1)
            }
            _ => inside,
        };
        let text = Writer::new(self.module, self.func, &self.labels).write(&instruction);
        self.labels.pass(instruction.op);
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
            labels: Labels::default(),
        }
    }

    /// One instruction of a function in the text format.
    #[must_use]
    pub fn instruction_text(&self, func: FuncIndex, instruction: &Instruction) -> String {
        let mut labels = Labels::default();
        // Only the way from the function's beginning tells which labels are open.
        if self.names().has_labels(func.0) {
            self.instructions(func)
                .take_while(|before| before.pc < instruction.pc)
                .for_each(|before| labels.pass(before.op));
        }
        Writer::new(self, func, &labels).write(instruction)
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
}

/// An item by its name, or else by its index.
fn index_text(index: u32, name: Option<&str>) -> String {
    match name {
        Some(name) if name.chars().all(is_identifier_char) && !name.is_empty() => {
            format!("${name}")
        }
        Some(name) => format!("$\"{}\"", escaped(name)),
        None => index.to_string(),
    }
}

/// What needs it is written by its code point: what cannot be seen, and what could change how other text looks.
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for character in name.chars() {
        let is_plain = match character {
            '"' | '\\' => false,
            ' ' => true,
            character => character.is_ascii_graphic() || character.is_alphanumeric(),
        };
        if is_plain {
            text.push(character);
        } else {
            let _ = write!(text, "\\u{{{:x}}}", u32::from(character));
        }
    }
    text
}

/// Whether the text format allows the character in an identifier (WebAssembly 3.0, section 6.3.5).
fn is_identifier_char(character: char) -> bool {
    character.is_ascii_graphic()
        && !matches!(
            character,
            '"' | ',' | ';' | '(' | ')' | '[' | ']' | '{' | '}'
        )
}

//! The text of one instruction.

use std::fmt::Write;

use wasmparser::{BlockType, Catch, HeapType};

use super::{Labels, heap_type_with, ref_type_with};
use crate::access::access;
use crate::address::FuncIndex;
use crate::decode::{Immediates, Instruction};
use crate::isa::{ImmediateKind, Op};
use crate::module::Module;
use crate::names::Names;

/// Writes an instruction of a function.
pub(super) struct Writer<'a> {
    module: &'a Module,
    names: &'a Names,
    func: FuncIndex,
    /// Those in which the instruction lies.
    labels: &'a Labels,
    text: String,
}

impl<'a> Writer<'a> {
    pub(super) fn new(module: &'a Module, func: FuncIndex, labels: &'a Labels) -> Writer<'a> {
        Writer {
            module,
            names: module.names(),
            func,
            labels,
            text: String::new(),
        }
    }

    pub(super) fn write(mut self, instruction: &Instruction) -> String {
        let (op, info) = (instruction.op, instruction.info());
        self.text.push_str(info.mnemonic);
        match &instruction.immediates {
            Immediates::None => {}
            Immediates::Block(block) => self.block(*block),
            Immediates::Index(index) => self.item(op, info.immediates, *index),
            Immediates::Indices(first, second) => self.items(info.immediates, *first, *second),
            Immediates::Labels(labels) => labels.iter().for_each(|label| self.label(*label)),
            Immediates::ValTypes(types) => {
                let types = types.iter().map(|ty| self.module.val_type_text(*ty));
                let types: Vec<String> = types.collect();
                self.word(format_args!("(result {})", types.join(" ")));
            }
            Immediates::TryTable { ty, catches } => {
                self.block(*ty);
                catches.iter().for_each(|catch| self.catch(*catch));
            }
            Immediates::Cast { label, from, to } => {
                self.label(*label);
                for (nullable, ty) in [*from, *to] {
                    self.reference_type(nullable, ty);
                }
            }
            Immediates::MemArg {
                align,
                memory,
                offset,
            } => self.memarg(op, *align, *memory, *offset),
            Immediates::MemArgLane {
                align,
                memory,
                offset,
                lane,
            } => {
                self.memarg(op, *align, *memory, *offset);
                self.word(lane);
            }
            Immediates::Lane(lane) => self.word(lane),
            Immediates::V128(bits) => {
                self.word("i32x4");
                for lane in 0..4 {
                    self.word(format_args!("0x{:08x}", (bits >> (32 * lane)) as u32));
                }
            }
            Immediates::Shuffle(indices) => indices.iter().for_each(|index| self.word(index)),
            Immediates::I32(value) => self.word(value),
            Immediates::I64(value) => self.word(value),
            Immediates::F32(bits) => self.float(f32::from_bits(*bits).into(), (*bits).into(), 23),
            Immediates::F64(bits) => self.float(f64::from_bits(*bits), *bits, 52),
            Immediates::HeapType(ty) => match op {
                Op::RefTest | Op::RefCast => self.reference_type(false, *ty),
                Op::RefTestNull | Op::RefCastNull => self.reference_type(true, *ty),
                _ => {
                    let module = self.module;
                    self.word(heap_type_with(*ty, &|index| {
                        module.type_display_name(index)
                    }));
                }
            },
        }
        self.text
    }

    fn word(&mut self, word: impl std::fmt::Display) {
        let _ = write!(self.text, " {word}");
    }

    /// An index, or the name that stands for it.
    fn index(&mut self, index: u32, name: Option<&str>) {
        self.word(super::index_text(index, name));
    }

    fn table(&mut self, index: u32) {
        self.index(index, self.names.table(index));
    }

    fn memory(&mut self, index: u32) {
        self.index(index, self.names.memory(index));
    }

    fn ty(&mut self, index: u32) {
        self.index(index, self.names.ty(index));
    }

    fn data(&mut self, index: u32) {
        self.index(index, self.names.data(index));
    }

    fn element(&mut self, index: u32) {
        self.index(index, self.names.element(index));
    }

    fn label(&mut self, depth: u32) {
        self.index(depth, self.labels.name(self.names, self.func, depth));
    }

    fn reference_type(&mut self, nullable: bool, ty: HeapType) {
        let module = self.module;
        let names = |index| module.type_display_name(index);
        self.word(ref_type_with(nullable, ty, &names));
    }

    fn item(&mut self, op: Op, kind: ImmediateKind, index: u32) {
        match kind {
            ImmediateKind::Func => self.index(index, self.names.func(index)),
            ImmediateKind::Local => self.index(index, self.names.local(self.func.0, index)),
            ImmediateKind::Global => self.index(index, self.names.global(index)),
            ImmediateKind::Tag => self.index(index, self.names.tag(index)),
            ImmediateKind::Table => self.table(index),
            // Memory 0 is what an instruction means that names none.
            ImmediateKind::Memory if index == 0 => {}
            ImmediateKind::Memory => self.memory(index),
            ImmediateKind::Data => self.data(index),
            ImmediateKind::Elem => self.element(index),
            ImmediateKind::Type => self.ty(index),
            // The labels of `delegate` are those around the block that it ends.
            ImmediateKind::Label if op == Op::Delegate => {
                let labels = self.labels;
                let depth = index.saturating_add(1);
                self.index(index, labels.name(self.names, self.func, depth));
            }
            ImmediateKind::Label => self.label(index),
            _ => self.word(index),
        }
    }

    fn items(&mut self, kind: ImmediateKind, first: u32, second: u32) {
        match kind {
            ImmediateKind::CallIndirect => {
                if second != 0 {
                    self.table(second);
                }
                self.func_type(first);
            }
            ImmediateKind::DataMemory => {
                if second != 0 {
                    self.memory(second);
                }
                self.data(first);
            }
            ImmediateKind::ElemTable => {
                if second != 0 {
                    self.table(second);
                }
                self.element(first);
            }
            ImmediateKind::MemoryMemory | ImmediateKind::TableTable
                if first == 0 && second == 0 => {}
            ImmediateKind::MemoryMemory => {
                self.memory(first);
                self.memory(second);
            }
            ImmediateKind::TableTable => {
                self.table(first);
                self.table(second);
            }
            ImmediateKind::TypeField => {
                self.ty(first);
                self.index(second, self.names.field(first, second));
            }
            ImmediateKind::TypeData => {
                self.ty(first);
                self.data(second);
            }
            ImmediateKind::TypeElem => {
                self.ty(first);
                self.element(second);
            }
            ImmediateKind::TypeType => {
                self.ty(first);
                self.ty(second);
            }
            _ => {
                self.ty(first);
                self.word(second);
            }
        }
    }

    /// The type of a block, after its label's name.
    fn block(&mut self, block: BlockType) {
        if let Some(name) = self.labels.next_name(self.names, self.func) {
            self.index(0, Some(name));
        }
        match block {
            BlockType::Empty => {}
            BlockType::Type(ty) => {
                self.word(format_args!("(result {})", self.module.val_type_text(ty)));
            }
            BlockType::FuncType(index) => self.func_type(index),
        }
    }

    fn func_type(&mut self, index: u32) {
        let ty = self.module.type_at(index);
        let types = ty.map(|ty| self.module.func_type_text(ty));
        if let Some(types) = types.filter(|types| !types.is_empty()) {
            self.word(types);
        }
    }

    fn catch(&mut self, catch: Catch) {
        let (word, tag, label) = match catch {
            Catch::One { tag, label } => ("(catch", Some(tag), label),
            Catch::OneRef { tag, label } => ("(catch_ref", Some(tag), label),
            Catch::All { label } => ("(catch_all", None, label),
            Catch::AllRef { label } => ("(catch_all_ref", None, label),
        };
        self.word(word);
        if let Some(tag) = tag {
            self.index(tag, self.names.tag(tag));
        }
        self.label(label);
        self.text.push(')');
    }

    /// Alignment as a power of two, memory and offset of an access.
    fn memarg(&mut self, op: Op, align: u32, memory: u32, offset: u64) {
        if memory != 0 {
            self.memory(memory);
        }
        if offset != 0 {
            self.word(format_args!("offset={offset}"));
        }
        let bytes = 1u64 << align.min(63);
        if access(op).is_none_or(|access| u64::from(access.size) != bytes) {
            self.word(format_args!("align={bytes}"));
        }
    }

    fn float(&mut self, value: f64, bits: u64, fraction_bits: u32) {
        if !value.is_nan() {
            return match fraction_bits {
                23 => self.word(format_args!("{:?}", f32::from_bits(bits as u32))),
                _ => self.word(format_args!("{value:?}")),
            };
        }
        let sign = if value.is_sign_negative() { "-" } else { "" };
        let payload = bits & ((1 << fraction_bits) - 1);
        if payload == 1 << (fraction_bits - 1) {
            self.word(format_args!("{sign}nan"));
        } else {
            self.word(format_args!("{sign}nan:0x{payload:x}"));
        }
    }
}

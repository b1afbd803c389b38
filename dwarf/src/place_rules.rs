//! Where variables and members lie in whatever frame stands at an address, told without a frame.

use std::collections::VecDeque;
use std::sync::Arc;

use gimli::Operation;

use crate::address::CodeOffset;
use crate::error::{Error, Result};
use crate::evaluate::Evaluator;
use crate::info::DebugInfo;
use crate::inspect::PARTS_MAX;
use crate::location::{Place, RawSlot, Target};
use crate::reader::{Die, Reader, Slice};
use crate::scopes::Variable;
use crate::types::{Member, Notation, TypeKind, TypeRef};

/// How to find a variable in any frame that stands at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaceRule {
    /// In a slot of the machine.
    Slot(SlotName),
    /// In linear memory.
    Memory {
        /// The slot whose contents the address counts from. It holds for slots that hold addresses only: integers of the size that
        /// addresses have.
        base: Option<SlotName>,
        /// What is added to them. The sum is cut to the size of addresses.
        offset: u64,
    },
    /// Nowhere: it is a constant, of these bytes.
    Implicit(Arc<[u8]>),
}

/// A local of the frame or a global of its instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SlotName {
    /// A wasm local.
    Local(u32),
    /// A wasm global.
    Global(u32),
}

/// Where a member lies in every value of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberPlace {
    /// So many bytes after the value's beginning.
    At {
        /// The member's type.
        type_ref: TypeRef,
        /// The offset.
        offset: u64,
    },
    /// No value has it.
    Missing,
    /// The value decides, or it is a bit field.
    Depends,
}

/// The frame of which nothing is known: what can be evaluated in it is the same in all.
struct NoFrame;

impl Target for NoFrame {
    fn local(&self, _index: u32) -> Option<RawSlot> {
        None
    }

    fn global(&self, _index: u32) -> Option<RawSlot> {
        None
    }

    fn operand(&self, _index: u32) -> Option<RawSlot> {
        None
    }

    fn read_memory(&self, _address: u64, _buffer: &mut [u8]) -> Result<()> {
        Err(Error::Unavailable("a frame's memory".to_owned()))
    }
}

impl DebugInfo {
    /// How to find a variable in any frame that stands at `at`; `None` if the compiler left no trace of it there, or if more than
    /// a slot and an offset describes where it is.
    #[must_use]
    pub fn place_rule(&self, variable: &Variable, at: CodeOffset) -> Option<PlaceRule> {
        let reader = Reader::new(self);
        let (unit, die) = reader.die(variable.die)?;
        if unit.root.encoding.address_size != self.address_size() {
            return None;
        }
        let evaluator = Evaluator {
            reader: &reader,
            unit,
            target: &NoFrame,
            address: at.0,
        };
        evaluator.rule(&die)
    }

    /// Where a member lies in all values of a record type, searched for as [`crate::Inspector::member`] does.
    #[must_use]
    pub fn member_place(&self, record: TypeRef, name: &str) -> MemberPlace {
        let mut parts = VecDeque::from([(record, 0_u64)]);
        let mut is_whole = true;
        for _ in 0..PARTS_MAX {
            let Some((type_ref, start)) = parts.pop_front() else {
                return MemberPlace::Missing;
            };
            let found = self.type_of(self.resolve(type_ref));
            let is_whole = std::mem::take(&mut is_whole);
            let TypeKind::Record(record) = &found.kind else {
                if is_whole {
                    return MemberPlace::Depends;
                }
                continue;
            };
            if let Some(member) = record.members.iter().find(|it| it.is_named(name)) {
                return match member.bits {
                    None => MemberPlace::At {
                        type_ref: member.type_ref,
                        offset: start.wrapping_add(member.offset),
                    },
                    Some(_) => MemberPlace::Depends,
                };
            }
            // Smart pointers of the library lend the members of what they point to.
            let is_of_library = found.notation == Notation::Cpp
                && (found.name.as_deref()).is_some_and(|name| name.starts_with("std::"));
            if record.is_declaration || record.variant_part.is_some() || (is_whole && is_of_library)
            {
                return MemberPlace::Depends;
            }
            let anonymous = record.members.iter().filter(|member| member.name.is_none());
            for member in anonymous.take(PARTS_MAX) {
                if member.bits.is_some() {
                    return MemberPlace::Depends;
                }
                parts.push_back((member.type_ref, start.wrapping_add(member.offset)));
            }
            for base in record.bases.iter().take(PARTS_MAX) {
                if let Some(offset) = base.offset {
                    parts.push_back((base.type_ref, start.wrapping_add(offset)));
                }
            }
        }
        MemberPlace::Depends
    }
}

impl Member {
    /// Whether a name means it. A tuple's fields are numbered, and Rust's debug info gives them valid names.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        let found = self.name.as_deref();
        found == Some(name) || found.is_some_and(|found| found.strip_prefix("__") == Some(name))
    }
}

impl<'a> Evaluator<'_, 'a> {
    /// How to find the variable that an entry describes. The target is none.
    fn rule(&self, die: &Die<'a>) -> Option<PlaceRule> {
        let operations = match die.attr_value(gimli::DW_AT_location) {
            Some(value) => self.operations(value)?,
            None => Vec::new(),
        };
        let (base, offset) = match *operations.as_slice() {
            [slot] if let Some(slot) = slot_name(&slot) => (slot, 0),
            [slot, Operation::PlusConstant { value }] => (slot_name(&slot)?, value),
            [Operation::FrameOffset { offset }] => {
                (self.frame_base_slot()?, offset.cast_unsigned())
            }
            _ => {
                return match self.locate(die).ok()? {
                    Place::Local(index) => Some(PlaceRule::Slot(SlotName::Local(index))),
                    Place::Global(index) => Some(PlaceRule::Slot(SlotName::Global(index))),
                    Place::Memory(address) => Some(PlaceRule::Memory {
                        base: None,
                        offset: address,
                    }),
                    Place::Implicit(bytes) => Some(PlaceRule::Implicit(bytes)),
                    Place::Operand(_)
                    | Place::Part { .. }
                    | Place::Pieces(_)
                    | Place::OptimizedOut => None,
                };
            }
        };
        Some(PlaceRule::Memory {
            base: Some(base),
            offset,
        })
    }

    /// The slot that holds the frame base, if one does.
    fn frame_base_slot(&self) -> Option<SlotName> {
        let (unit, die) = self.frame_base_entry()?;
        let evaluator = Evaluator {
            reader: self.reader,
            unit,
            target: self.target,
            address: self.address,
        };
        let operations = evaluator.operations(die.attr_value(gimli::DW_AT_frame_base)?)?;
        match operations.as_slice() {
            [slot] | [slot, Operation::StackValue] => slot_name(slot),
            _ => None,
        }
    }
}

fn slot_name(operation: &Operation<Slice<'_>>) -> Option<SlotName> {
    match *operation {
        Operation::WasmLocal { index } => Some(SlotName::Local(index)),
        Operation::WasmGlobal { index } => Some(SlotName::Global(index)),
        _ => None,
    }
}

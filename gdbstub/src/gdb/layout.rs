//! Frames as gdb can read them: a record for each, in a part of the address space that the program seldom has memory in.
//!
//! A record holds what debug info asks a wasm frame for. It begins at the frame's `rbp`:
//!
//! ```text
//! rbp + 0           the frame base, as the function's debug info defines it
//! rbp + 8           the operand stack's 16 lowest values
//! rbp + 136         parameters and locals, 8 bytes each
//! ```
//!
//! What gdb needs to walk from frame to frame lies apart from the records and as close together as can be, because it reads 64 bytes
//! at a time and walks over all frames often. Each frame has an entry of 16 bytes at its `rsp`:
//!
//! ```text
//! rsp + 0           the address to return to
//! rsp + 8           the caller's rbp
//! rsp + 16          the caller's rsp, which is the canonical frame address
//! ```
//!
//! Locations in debug info are rewritten into places in the record, in as many bytes as they had, so that no offset in the
//! debug info changes ([`rewrite`](super::rewrite)). Most have three bytes, too few for an offset from `rbp` to any local. So `r8` to
//! `r15` point into the record, each into the middle of the 16 locals that an offset of one byte can reach.

use std::collections::HashMap;
use std::ops::Range;

use wdb_debugger::Program;
use wdb_debugger::remote::{FrameSlot, GuestFrame, GuestState, ModuleId};

use super::debug_info::DebugInfo;
use super::returns::SmallStruct;
use crate::address::WireAddress;

/// Where records lie. gdb takes an address from a unit with four bytes for each, so it is below 4 GiB; and it is the part of a memory
/// that no program reaches unless it has more than 3.75 GiB.
pub(crate) const RECORDS: Range<u64> = 0xf000_0000..0xff00_0000;

/// Where the entries lie that lead from frame to frame, the outermost frame's last.
const ENTRIES: Range<u64> = RECORDS.end..0xffff_fff0;
pub(super) const ENTRY_BYTES: u64 = 16;
const ENTRIES_MAX: usize = ((ENTRIES.end - ENTRIES.start) / ENTRY_BYTES) as usize;

/// All that there is of frames.
pub(crate) const FRAMES: Range<u64> = RECORDS.start..ENTRIES.end;

/// Where wasm globals can be read, 16 bytes for each.
pub(crate) const GLOBALS: Range<u64> = 0xefff_0000..0xf000_0000;
pub(crate) const GLOBAL_BYTES: u64 = 16;

pub(super) const OPERANDS_AT: u64 = 8;
pub(super) const OPERAND_COUNT: u64 = 16;
pub(super) const LOCALS_AT: u64 = OPERANDS_AT + 8 * OPERAND_COUNT;

/// How many locals a register's window has, and where in the window the register points.
pub(super) const WINDOW_LOCALS: u64 = 16;
pub(super) const WINDOW_MIDDLE: u64 = 8 * WINDOW_LOCALS / 2;

/// The first of the registers that point into the record (`r8`), in gdb's numbers and in DWARF's.
pub(super) const WINDOW_REGISTER_FIRST: u8 = 8;
pub(super) const WINDOW_COUNT: u8 = 8;

/// How far from `rbp` a window's register points.
pub(super) fn window_offset(window: u8) -> u64 {
    LOCALS_AT + u64::from(window) * 8 * WINDOW_LOCALS + WINDOW_MIDDLE
}

/// Where a function's frame base comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FrameBase {
    Local(u32),
    Global(u32),
}

/// What records need to know of a function.
#[derive(Debug, Clone, Copy)]
struct FunctionShape {
    /// The module offset that debug info takes for its beginning, where it declares its locals.
    low_pc: u32,
    first_pc: u32,
    local_count: u32,
    returns_nothing: bool,
    /// What the source's function returns, if x86-64 returns it in registers.
    result: Option<SmallStruct>,
    frame_base: Option<BaseSlot>,
}

/// A frame base that needs no looking up.
#[derive(Debug, Clone, Copy)]
enum BaseSlot {
    Local(FrameSlot),
    Global(u32),
}

/// The shapes of all functions.
#[derive(Debug)]
pub(crate) struct Layout {
    /// By their indices; imported ones have none.
    functions: Vec<Option<FunctionShape>>,
}

/// A frame and where its record lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record {
    /// The number of the frame, 0 being the innermost.
    pub(crate) number: usize,
    frame: GuestFrame,
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// The address to return to.
    return_pc: u64,
}

impl Layout {
    pub(super) fn new(program: &Program, info: &DebugInfo) -> Layout {
        let base = u64::from(program.dwarf_base());
        let mut functions = Vec::new();
        for function in program.functions() {
            let low_pc = function.body.start;
            let address = u64::from(low_pc).wrapping_sub(base);
            let frame_base = info.frame_bases.get(&address);
            let frame_base = frame_base.and_then(|base| match *base {
                FrameBase::Local(index) => {
                    let slot = program.local_slot(function.func_index, index)?;
                    Some(BaseSlot::Local(slot))
                }
                FrameBase::Global(index) => Some(BaseSlot::Global(index)),
            });
            functions.resize_with(function.func_index as usize, || None);
            functions.push(Some(FunctionShape {
                low_pc,
                first_pc: function.first_pc,
                local_count: function.local_count,
                returns_nothing: function.result_count == 0,
                frame_base,
                result: info.results.get(&address).copied(),
            }));
        }
        Layout { functions }
    }

    fn function(&self, func_index: u32) -> Option<&FunctionShape> {
        self.functions.get(func_index as usize)?.as_ref()
    }

    /// The function of a frame. gdb is shown the program alone: of other modules it knows nothing.
    fn function_of(&self, frame: GuestFrame) -> Option<&FunctionShape> {
        let is_program = frame.module == ModuleId::PROGRAM;
        is_program.then(|| self.function(frame.func_index))?
    }

    /// Of a frame whose function has no results in wasm: the struct that it returns, if x86-64 returns that in registers.
    pub(super) fn result_in_memory(&self, frame: GuestFrame) -> Option<Option<SmallStruct>> {
        let shape = self.function_of(frame)?;
        shape.returns_nothing.then_some(shape.result)
    }

    /// The address of an instruction as gdb is told it. A function's first instruction counts as its beginning, where gdb
    /// looks for callees that were just entered.
    pub(crate) fn pc(&self, frame: GuestFrame) -> u64 {
        let shape = self.function_of(frame);
        let at_start = shape.filter(|shape| shape.first_pc == frame.pc);
        let pc = at_start.map_or(frame.pc, |shape| shape.low_pc);
        WireAddress::code(frame.module, pc).0
    }

    /// The records of all frames, innermost first. They are laid out from the outermost on, so that a frame's record stays
    /// where it is while its callees come and go. Where they do not fit, the outermost are left out.
    pub(crate) fn records(&self, state: GuestState<'_>) -> Vec<Record> {
        let frames: Vec<GuestFrame> = (0..).map_while(|number| state.frame(number)).collect();
        let mut total = 0;
        let fitting = frames.iter().take_while(|frame| {
            total += bytes_for(self.function_of(**frame));
            total <= RECORDS.end - RECORDS.start
        });
        let count = fitting.take(ENTRIES_MAX).count();
        let mut end = RECORDS.end;
        let mut return_pc = 0;
        let mut records: Vec<Record> = Vec::with_capacity(count);
        for (number, frame) in frames.iter().enumerate().take(count).rev() {
            let start = end - bytes_for(self.function_of(*frame));
            records.push(Record {
                number,
                frame: *frame,
                start,
                end,
                return_pc,
            });
            return_pc = WireAddress::code(frame.module, frame.pc).0;
            end = start;
        }
        records.reverse();
        records
    }

    /// The innermost frame's record alone, as if there were no others. That is enough for conditions, which are evaluated at
    /// every hit, and costs the same however deep the stack is.
    pub(crate) fn innermost_record(&self, state: GuestState<'_>) -> Option<Record> {
        let frame = state.frame(0)?;
        let start = RECORDS.start;
        Some(Record {
            number: 0,
            frame,
            start,
            end: start + bytes_for(self.function_of(frame)),
            return_pc: 0,
        })
    }

    /// The bytes of records and entries between two addresses that are multiples of eight; zero where nothing is.
    pub(crate) fn bytes(
        &self,
        state: GuestState<'_>,
        records: &[Record],
        range: Range<u64>,
    ) -> Vec<u8> {
        let mut known = KnownOperands::default();
        let words = range.step_by(8).map(|at| {
            if ENTRIES.contains(&at) {
                return entry_word(records, at);
            }
            let Some(record) = record_at(records, at) else {
                return 0;
            };
            let offset = at - record.start;
            match operand_at(offset) {
                Some(index) => known.value(state, record.number, index),
                None => self.word(state, record, offset),
            }
        });
        words.flat_map(u64::to_le_bytes).collect()
    }

    /// Eight bytes of a record, at an offset that is a multiple of eight.
    pub(crate) fn word(&self, state: GuestState<'_>, record: &Record, offset: u64) -> u64 {
        let slot = if offset == 0 {
            self.frame_base(state, record)
        } else if let Some(index) = operand_at(offset) {
            state.operand(record.number, index)
        } else {
            let index = u32::try_from((offset - LOCALS_AT) / 8).unwrap_or(u32::MAX);
            state.local(record.number, index)
        };
        slot.map_or(0, |slot| slot.low_bits())
    }

    fn frame_base(
        &self,
        state: GuestState<'_>,
        record: &Record,
    ) -> Option<wdb_debugger::remote::Slot> {
        match self.function_of(record.frame)?.frame_base? {
            BaseSlot::Local(slot) => state.value_in(record.number, slot),
            BaseSlot::Global(index) => state.global(record.frame.module, index),
        }
    }
}

/// Where the operands lie in frames that have been looked at. To find out takes time linear in the function's size, and recursion
/// makes many frames that stand at the same call.
#[derive(Default)]
struct KnownOperands {
    /// By the function, its instruction, and whether it is innermost.
    slots: HashMap<(GuestFrame, bool), Vec<FrameSlot>>,
}

impl KnownOperands {
    fn value(&mut self, state: GuestState<'_>, number: usize, index: u32) -> u64 {
        let Some(frame) = state.frame(number) else {
            return 0;
        };
        let slots = self
            .slots
            .entry((frame, number == 0))
            .or_insert_with(|| state.operand_slots(number).unwrap_or_default());
        let slot = slots.get(index as usize);
        let value = slot.and_then(|slot| state.value_in(number, *slot));
        value.map_or(0, |value| value.low_bits())
    }
}

/// How long the records of a function are.
fn bytes_for(shape: Option<&FunctionShape>) -> u64 {
    let locals = shape.map_or(0, |shape| u64::from(shape.local_count));
    (LOCALS_AT + 8 * locals).next_multiple_of(16)
}

/// The record that an address lies in. The innermost frame's has the lowest address.
pub(crate) fn record_at(records: &[Record], address: u64) -> Option<&Record> {
    let after = records.partition_point(|record| record.end <= address);
    records.get(after).filter(|record| record.start <= address)
}

/// The operand in whose place of a record an offset lies.
fn operand_at(offset: u64) -> Option<u32> {
    let is_operand = (OPERANDS_AT..LOCALS_AT).contains(&offset);
    let index = u32::try_from(offset.checked_sub(OPERANDS_AT)? / 8).ok()?;
    is_operand.then_some(index)
}

/// The `rsp` of the innermost frame.
pub(crate) fn stack_pointer(records: &[Record]) -> u64 {
    ENTRIES.end - ENTRY_BYTES * records.len() as u64
}

/// Eight bytes of the entries, at an address that is a multiple of eight.
fn entry_word(records: &[Record], address: u64) -> u64 {
    let number = address
        .checked_sub(stack_pointer(records))
        .map(|offset| (offset / ENTRY_BYTES) as usize);
    let Some(record) = number.and_then(|number| records.get(number)) else {
        return 0;
    };
    if address.is_multiple_of(ENTRY_BYTES) {
        return record.return_pc;
    }
    let caller = records.get(record.number + 1);
    caller.map_or(0, |caller| caller.start)
}

/// The local in whose place of a record an offset lies, and the offset in its bytes.
pub(crate) fn local_at(offset: u64) -> Option<(u32, usize)> {
    let offset = offset.checked_sub(LOCALS_AT)?;
    let index = u32::try_from(offset / 8).ok()?;
    Some((index, (offset % 8) as usize))
}

#[cfg(test)]
mod tests {
    use wdb_debugger::remote::{GuestFrame, ModuleId};

    use super::{ENTRIES, ENTRY_BYTES, RECORDS, Record, entry_word, record_at, stack_pointer};

    #[test]
    fn entries_lead_from_the_innermost_frame_to_the_outermost() {
        let record = |number: usize, start, return_pc| Record {
            number,
            frame: GuestFrame {
                module: ModuleId::PROGRAM,
                func_index: 3,
                pc: 0x20,
            },
            start: RECORDS.end - start,
            end: RECORDS.end - start + 0x100,
            return_pc,
        };
        let records = [
            record(0, 0x300, 0x31),
            record(1, 0x200, 0x41),
            record(2, 0x100, 0),
        ];
        let mut rsp = stack_pointer(&records);
        let mut rbp = records[0].start;
        for record in &records {
            assert_eq!(
                record_at(&records, rbp).map(|it| it.number),
                Some(record.number)
            );
            assert_eq!(entry_word(&records, rsp), record.return_pc);
            rbp = entry_word(&records, rsp + 8);
            rsp += ENTRY_BYTES;
        }
        assert_eq!((rsp, rbp), (ENTRIES.end, 0));
        assert_eq!(entry_word(&records, ENTRIES.start), 0);
        assert_eq!(entry_word(&[], ENTRIES.end - 8), 0);
    }
}

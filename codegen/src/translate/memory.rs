//! Accesses of linear memories.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Type, Value, types};
use wasmparser::{MemArg, MemArgTarget, Operator};

use super::Translator;
use crate::abi::{MemoryView, Runtime, memory_offset};
use crate::env::{Job, MemoryPlace};

/// A place in a memory: an address of the machine and the offset from it, in bytes.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) base: Value,
    pub(super) offset: i32,
}

/// How a load widens what it reads.
#[derive(Clone, Copy)]
enum Widening {
    None,
    Signed(Type),
    Unsigned(Type),
}

/// The place that a load reads, the type of what lies there, and what it becomes.
fn loaded(operator: &Operator<'_>) -> Option<(MemArg, Type, Widening)> {
    use Operator as Op;
    use Widening::{None, Signed, Unsigned};
    Some(match *operator {
        Op::I32Load { memarg } => (memarg, types::I32, None),
        Op::I64Load { memarg } => (memarg, types::I64, None),
        Op::F32Load { memarg } => (memarg, types::F32, None),
        Op::F64Load { memarg } => (memarg, types::F64, None),
        Op::V128Load { memarg } => (memarg, types::I8X16, None),
        Op::I32Load8S { memarg } => (memarg, types::I8, Signed(types::I32)),
        Op::I32Load8U { memarg } => (memarg, types::I8, Unsigned(types::I32)),
        Op::I32Load16S { memarg } => (memarg, types::I16, Signed(types::I32)),
        Op::I32Load16U { memarg } => (memarg, types::I16, Unsigned(types::I32)),
        Op::I64Load8S { memarg } => (memarg, types::I8, Signed(types::I64)),
        Op::I64Load8U { memarg } => (memarg, types::I8, Unsigned(types::I64)),
        Op::I64Load16S { memarg } => (memarg, types::I16, Signed(types::I64)),
        Op::I64Load16U { memarg } => (memarg, types::I16, Unsigned(types::I64)),
        Op::I64Load32S { memarg } => (memarg, types::I32, Signed(types::I64)),
        Op::I64Load32U { memarg } => (memarg, types::I32, Unsigned(types::I64)),
        _ => return Option::None,
    })
}

/// The place that a store writes, and the type of what it puts there.
fn stored(operator: &Operator<'_>) -> Option<(MemArg, Type)> {
    use Operator as Op;
    Some(match *operator {
        Op::I32Store { memarg } | Op::I64Store32 { memarg } => (memarg, types::I32),
        Op::I64Store { memarg } => (memarg, types::I64),
        Op::F32Store { memarg } => (memarg, types::F32),
        Op::F64Store { memarg } => (memarg, types::F64),
        Op::V128Store { memarg } => (memarg, types::I8X16),
        Op::I32Store8 { memarg } | Op::I64Store8 { memarg } => (memarg, types::I8),
        Op::I32Store16 { memarg } | Op::I64Store16 { memarg } => (memarg, types::I16),
        _ => return None,
    })
}

/// Whether an instruction is a load or store of a scalar or a whole vector that the code may be left at.
pub(super) fn can_leave(job: &Job<'_>, operator: &Operator<'_>) -> bool {
    let (memarg, writes) = match (loaded(operator), stored(operator)) {
        (Some((memarg, ..)), _) => (memarg, false),
        (_, Some((memarg, _))) => (memarg, true),
        (None, None) => return false,
    };
    let is_looked_at = job
        .watched
        .is_some_and(|watched| watched.memory() && (writes || watched.memory_reads()));
    is_looked_at || !job.env.memory(memory_of(&memarg)).is_guarded
}

fn memory_of(memarg: &MemArg) -> u32 {
    let MemArgTarget::Memory(memory) = memarg.target else {
        unreachable!("accesses of arrays are not among the features")
    };
    memory
}

impl Translator<'_, '_> {
    /// Translates an access of memory; answers whether it was one.
    pub(super) fn access(&mut self, operator: &Operator<'_>) -> bool {
        if let Some((memarg, ty, widening)) = loaded(operator) {
            self.load(&memarg, ty, widening);
        } else if let Some((memarg, ty)) = stored(operator) {
            let is_deferred = self.can_defer(operator);
            self.store(&memarg, ty, is_deferred);
        } else {
            return self.whole_memory(operator);
        }
        true
    }

    fn load(&mut self, memarg: &MemArg, ty: Type, widening: Widening) {
        let place = self.place_to(memarg, 0, ty.bytes(), false);
        let value = self.load_place(ty, place);
        let value = match widening {
            Widening::None => value,
            Widening::Signed(to) => self.builder.ins().sextend(to, value),
            Widening::Unsigned(to) => self.builder.ins().uextend(to, value),
        };
        self.pop();
        self.push(value);
    }

    fn store(&mut self, memarg: &MemArg, ty: Type, is_deferred: bool) {
        if !is_deferred {
            self.make_exact(1);
        }
        let place = self.place(memarg, 1, ty.bytes());
        let value = self.pop();
        self.pop();
        if is_deferred {
            self.store_deferred(value, place);
            return;
        }
        let value = if self.type_of(value) == ty {
            value
        } else {
            self.builder.ins().ireduce(ty, value)
        };
        self.store_place(value, place);
    }

    pub(super) fn load_place(&mut self, ty: Type, at: Place) -> Value {
        let flags = self.heap_flags();
        self.builder.ins().load(ty, flags, at.base, at.offset)
    }

    pub(super) fn store_place(&mut self, value: Value, at: Place) {
        let flags = self.heap_flags();
        self.builder.ins().store(flags, value, at.base, at.offset);
    }

    /// `memory.size` and `memory.copy`; all others are executed by the runtime.
    fn whole_memory(&mut self, operator: &Operator<'_>) -> bool {
        match *operator {
            Operator::MemorySize { mem } => {
                let memory = self.job.env.memory(mem);
                let bytes = self.memory_bytes(&memory);
                let pages = self
                    .builder
                    .ins()
                    .ushr_imm_u(bytes, i64::from(memory.page_bits));
                let pages = if memory.is_64 {
                    pages
                } else {
                    self.builder.ins().ireduce(types::I32, pages)
                };
                self.push(pages);
            }
            Operator::MemoryCopy { dst_mem, src_mem } => {
                let [to, from, count] = [2, 1, 0].map(|depth| self.peek(depth));
                let [to, from, count] = [to, from, count].map(|value| self.widen(value));
                let address = |mem: u32| u64::from(self.job.env.memory(mem).address);
                let memories = address(dst_mem) | address(src_mem) << 32;
                let memories = self.constant(memories);
                let status = self.call_runtime(Runtime::MemoryCopy, &[to, from, count, memories]);
                self.give_away_if(status);
                self.drop_operands(3);
            }
            _ => return false,
        }
        true
    }

    fn memory_bytes(&mut self, memory: &MemoryPlace) -> Value {
        let offset = memory_offset(memory.address) + offset_of!(MemoryView, bytes) as i32;
        self.load_context(types::I64, offset)
    }

    /// [`Translator::place_to`] read and write.
    pub(super) fn place(&mut self, memarg: &MemArg, depth: usize, size: u32) -> Place {
        self.place_to(memarg, depth, size, true)
    }

    /// The place of an access of `size` bytes whose address is the operand at `depth`. All operands stay on the stack.
    pub(super) fn place_to(
        &mut self,
        memarg: &MemArg,
        depth: usize,
        size: u32,
        writes: bool,
    ) -> Place {
        let memory = self.job.env.memory(memory_of(memarg));
        let index = self.peek(depth);
        let index = self.widen(index);
        if !memory.is_guarded {
            self.check_bounds(&memory, index, memarg.offset, size);
        }
        if writes
            || self
                .job
                .watched
                .is_some_and(|watched| watched.memory_reads())
        {
            self.look_at_watches(index, memarg.offset, size);
        }
        let offset = memory_offset(memory.address) + offset_of!(MemoryView, base) as i32;
        let base = self.load_constant(types::I64, offset);
        let base = self.builder.ins().iadd(base, index);
        match i32::try_from(memarg.offset) {
            Ok(offset) => Place { base, offset },
            Err(_) => {
                let offset = self.constant(memarg.offset);
                Place {
                    base: self.builder.ins().iadd(base, offset),
                    offset: 0,
                }
            }
        }
    }

    /// Gives the access away if it is outside the memory.
    fn check_bounds(&mut self, memory: &MemoryPlace, index: Value, offset: u64, size: u32) {
        let bytes = self.memory_bytes(memory);
        // The first address at which an access of the size does not fit, less the offset; it is below zero in a small memory.
        let Some(reach) = offset.checked_add(u64::from(size)) else {
            let always = self.is_zero(bytes);
            let always = self.builder.ins().bor_imm_u(always, 1);
            self.give_away_if(always);
            return;
        };
        let reach = self.constant(reach);
        let is_small = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, bytes, reach);
        let end = self.builder.ins().isub(bytes, reach);
        let is_beyond = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedGreaterThan, index, end);
        let is_outside = self.builder.ins().bor(is_small, is_beyond);
        self.give_away_if(is_outside);
    }
}

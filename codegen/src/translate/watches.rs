//! What is watched: instructions that can touch it are left to an interpreter, which sees what they do.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, types};
use wasmparser::Operator;

use super::Translator;
use crate::abi::{ACCESS_BYTES_MAX, Context, Reason};

impl Translator<'_, '_> {
    /// Gives the present instruction away if it touches what is watched, or if nobody looks closer.
    pub(super) fn give_watched_away(&mut self, operator: &Operator<'_>) {
        use Operator as Op;
        if self.is_watched(operator) {
            // As for probes: what follows stays reachable.
            let limit = self.load_context(types::I64, offset_of!(Context, stack_limit) as i32);
            let always = self.builder.ins().icmp_imm_s(IntCC::NotEqual, limit, 0);
            self.leave_if(always, Reason::Instruction);
            return;
        }
        let writes_range = matches!(
            operator,
            Op::MemoryFill { .. } | Op::MemoryCopy { .. } | Op::MemoryInit { .. }
        );
        let watched = self.job.watched.filter(|watched| watched.memory());
        if let (true, Some(watched)) = (writes_range, watched) {
            self.look_at_range(watched.extent());
        }
    }

    /// Whether an instruction is left to an interpreter, wherever it reads or writes.
    pub(super) fn is_watched(&self, operator: &Operator<'_>) -> bool {
        use Operator as Op;
        let Some(watched) = self.job.watched else {
            return false;
        };
        match *operator {
            Op::LocalGet { local_index }
            | Op::LocalSet { local_index }
            | Op::LocalTee { local_index } => watched.local(local_index),
            Op::GlobalGet { global_index } | Op::GlobalSet { global_index } => {
                watched.global(global_index)
            }
            Op::ReturnCall { .. } | Op::ReturnCallIndirect { .. } | Op::ReturnCallRef { .. } => {
                watched.any_local()
            }
            // What the host does cannot be foreseen.
            Op::Call { function_index } => {
                self.job.env.callee(function_index) == crate::env::CalleeKind::Host
            }
            Op::MemoryGrow { .. }
            | Op::TableSet { .. }
            | Op::TableInit { .. }
            | Op::TableCopy { .. }
            | Op::TableGrow { .. }
            | Op::TableFill { .. } => true,
            Op::TableGet { .. } => watched.tables(),
            Op::StructGet { .. }
            | Op::StructGetS { .. }
            | Op::StructGetU { .. }
            | Op::StructSet { .. }
            | Op::ArrayGet { .. }
            | Op::ArrayGetS { .. }
            | Op::ArrayGetU { .. }
            | Op::ArraySet { .. }
            | Op::ArrayFill { .. }
            | Op::ArrayCopy { .. }
            | Op::ArrayInitData { .. }
            | Op::ArrayInitElem { .. } => watched.objects(),
            _ => false,
        }
    }

    /// Gives an instruction away that writes so many bytes as the topmost operand says, if a watch may lie there. Where they go is the
    /// third one.
    fn look_at_range(&mut self, (start, bytes): (u64, u64)) {
        let [to, count] = [2, 0].map(|depth| self.peek(depth));
        let [to, count] = [to, count].map(|value| self.widen(value));
        // Whatever wraps around traps.
        let end = self.builder.ins().iadd(to, count);
        let watch_end = self.constant(start.saturating_add(bytes));
        let start = self.constant(start);
        let ends_behind = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedGreaterThan, end, start);
        let begins_before = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, to, watch_end);
        let overlaps = self.builder.ins().band(ends_behind, begins_before);
        self.give_away_if(overlaps);
    }

    /// Gives an access of so many bytes at an address away if a watch may lie there. All operands are on the stack.
    pub(super) fn look_at_watches(&mut self, index: Value, offset: u64, size: u32) {
        let Some(watched) = self.job.watched.filter(|watched| watched.memory()) else {
            return;
        };
        debug_assert!(size <= ACCESS_BYTES_MAX);
        let (start, bytes) = watched.extent();
        let from_start = self.constant(offset.wrapping_sub(start));
        let distance = self.builder.ins().iadd(index, from_start);
        let bytes = self.constant(bytes);
        let is_between = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, distance, bytes);
        // Between two watches there may be none.
        self.if_rare(is_between, |this| {
            let offset = this.constant(offset);
            let address = this.builder.ins().iadd(index, offset);
            let last = this.builder.ins().iadd_imm_s(address, i64::from(size) - 1);
            let (granule_bits, count_bits) = watched.granule_bits();
            let granules =
                this.load_constant_here(types::I64, offset_of!(Context, granules) as i32);
            let [first, second] = [address, last].map(|address| {
                let granule = this
                    .builder
                    .ins()
                    .ushr_imm_u(address, i64::from(granule_bits));
                let mask = (1_i64 << count_bits) - 1;
                let granule = this.builder.ins().band_imm_u(granule, mask);
                let place = this.builder.ins().iadd(granules, granule);
                let flags = MemFlagsData::trusted().with_readonly();
                this.builder.ins().load(types::I8, flags, place, 0)
            });
            let is_near = this.builder.ins().bor(first, second);
            this.give_away_if(is_near);
        });
    }
}

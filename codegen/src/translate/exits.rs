//! Where code is left: polls, probes, instructions for an interpreter, and returns of calls that are being left.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value, types};

use super::{Operand, Translator, cells_of, kind_of};
use crate::abi::{Context, Reason, Runtime, returns_in_registers, value_type};
use crate::env::{CellKind, Site};

/// The blocks that a function's exits end in, where they are needed.
#[derive(Default)]
pub(super) struct Leaving {
    /// For any frame; the parameter is the site's number.
    any: Option<Block>,
    /// For the innermost one; the parameters are the site's number and the clock.
    innermost: Option<Block>,
}

impl Translator<'_, '_> {
    /// Counts a tick. If the clock is spent and the runtime says so, or the native stack is used up at the function's start, the code
    /// is left as having arrived at `pc`.
    pub(super) fn arrive(&mut self, pc: u32, looks_at_stack: bool) {
        let is_spent = self.count_tick();
        let poll = self.cold_block();
        let exit = self.cold_block();
        let next = self.builder.create_block();
        self.builder.ins().brif(is_spent, poll, &[], next, &[]);
        self.builder.seal_block(poll);
        self.builder.switch_to_block(poll);
        let is_over = self.poll(pc);
        self.builder.ins().brif(is_over, exit, &[], next, &[]);
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
        if looks_at_stack {
            let stack = self.builder.ins().get_stack_pointer(types::I64);
            let limit = self.load_constant(types::I64, offset_of!(Context, stack_limit) as i32);
            let is_full = self
                .builder
                .ins()
                .icmp(IntCC::UnsignedLessThan, stack, limit);
            self.branch_cold(is_full, exit);
        }
        let next = self.builder.current_block().expect("a block");
        self.builder.seal_block(exit);
        self.builder.switch_to_block(exit);
        self.exit(pc, Some(Reason::Arrival));
        self.builder.switch_to_block(next);
    }

    /// The same at the start of a loop without calls. The record is written before anybody knows whether it is needed: so there is no
    /// block that only leaves. The compiler hoists what does not change out of loops, but forgets the loop when it comes by a block
    /// that leads out of it.
    pub(super) fn arrive_at_straight_loop(&mut self, pc: u32) {
        let is_spent = self.count_tick();
        self.if_rare(is_spent, |this| {
            let site = this.write_site(pc, Some(Reason::Arrival));
            let is_over = this.poll(pc);
            let clock = this.builder.use_var(this.clock);
            let next = this.cold_block();
            this.leave_innermost_if(is_over, (site, clock), next);
            this.builder.seal_block(next);
            this.builder.switch_to_block(next);
        });
    }

    /// Counts a tick; gives whether the clock is spent.
    fn count_tick(&mut self) -> Value {
        let before = self.builder.use_var(self.clock);
        let clock = self.builder.ins().iadd_imm_s(before, -1);
        self.builder.def_var(self.clock, clock);
        self.builder
            .ins()
            .icmp_imm_s(IntCC::SignedLessThan, clock, 0)
    }

    /// Asks the runtime for a new clock; gives whether it wants the code to be left.
    fn poll(&mut self, pc: u32) -> Value {
        let place = u64::from(self.job.unit) << 32 | u64::from(pc);
        let place = self.constant(place);
        let refilled = self.call_runtime(Runtime::Poll, &[place]);
        self.builder.def_var(self.clock, refilled);
        self.builder
            .ins()
            .icmp_imm_s(IntCC::SignedLessThan, refilled, 0)
    }

    /// Leaves at the present instruction if the condition holds. Its operands are on the stack.
    pub(super) fn leave_if(&mut self, condition: Value, reason: Reason) {
        let cold = self.cold_block();
        let next = self.builder.create_block();
        self.builder.ins().brif(condition, cold, &[], next, &[]);
        self.builder.seal_block(cold);
        self.builder.switch_to_block(cold);
        let site = self.write_site(self.pc, Some(reason));
        let clock = self.builder.use_var(self.clock);
        if self.is_in_straight_loop() {
            // Nothing but the compiler believes that control may go on: see `arrive_at_straight_loop`.
            let always = self.exit_top();
            self.leave_innermost_if(always, (site, clock), next);
        } else {
            let innermost = self.leaving_block(true);
            let arguments = [site.into(), clock.into()];
            self.builder.ins().jump(innermost, &arguments);
        }
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
    }

    /// Ends the present block: leaves if the condition holds, or goes on.
    fn leave_innermost_if(&mut self, condition: Value, (site, clock): (Value, Value), next: Block) {
        let innermost = self.leaving_block(true);
        let arguments = [site.into(), clock.into()];
        self.builder
            .ins()
            .brif(condition, innermost, &arguments, next, &[]);
    }

    /// Leaves the present instruction, whose operands are on the stack, to an interpreter if the condition holds.
    pub(super) fn give_away_if(&mut self, condition: Value) {
        self.leave_if(condition, Reason::Instruction);
    }

    /// Leaves the present instruction, whose operands are on the stack, to an interpreter.
    pub(super) fn give_away(&mut self) {
        self.exit(self.pc, Some(Reason::Instruction));
        self.is_reachable = false;
    }

    /// Ends the present block: writes of the frame's record what only this place knows, and leaves. `reason` is that of the innermost
    /// frame.
    pub(super) fn exit(&mut self, pc: u32, reason: Option<Reason>) {
        let site = self.write_site(pc, reason);
        if reason.is_some() {
            let clock = self.builder.use_var(self.clock);
            let innermost = self.leaving_block(true);
            let arguments = [site.into(), clock.into()];
            self.builder.ins().jump(innermost, &arguments);
        } else {
            let any = self.leaving_block(false);
            self.builder.ins().jump(any, &[site.into()]);
        }
    }

    /// Writes of the frame's record what only this place knows, and gives the site's number.
    fn write_site(&mut self, pc: u32, reason: Option<Reason>) -> Value {
        let mut record = None;
        let mut offset = 8;
        for index in 0..self.locals.len() {
            let local = self.locals[index];
            if local.home.is_none() {
                let value = self.builder.use_var(local.variable);
                let is_arithmetic = local.is_arithmetic;
                self.record(
                    &mut record,
                    offset,
                    Operand {
                        value,
                        is_arithmetic,
                    },
                );
            }
            offset += 8 * kind_of(local.ty, false).count() as i32;
        }
        let mut operands = Vec::with_capacity(self.stack.len());
        for index in 0..self.stack.len() {
            let operand = self.stack[index];
            self.record(&mut record, offset, operand);
            offset += 8 * cells_of(self.type_of(operand.value)) as i32;
            operands.push(self.kind_of_operand(operand));
        }
        let site = self.sites.len() as i64;
        self.sites.push(Site {
            pc,
            reason,
            operands: operands.into(),
        });
        self.builder.ins().iconst(types::I32, site)
    }

    /// Writes a value into the record.
    fn record(&mut self, record: &mut Option<Value>, offset: i32, operand: Operand) {
        let record = *record.get_or_insert_with(|| self.exit_top());
        let value = self.recorded(operand);
        let flags = self.flags(self.regions.records);
        self.builder.ins().store(flags, value, record, offset);
    }

    /// Where the record goes.
    fn exit_top(&mut self) -> Value {
        self.load_context(types::I64, offset_of!(Context, exit_top) as i32)
    }

    /// What a record has of a value. It says of a float whether arithmetic gave it, but not of a vector, whose lanes are made exact.
    fn recorded(&mut self, operand: Operand) -> Value {
        if self.type_of(operand.value).is_vector() {
            self.canonical_lanes(operand)
        } else {
            operand.value
        }
    }

    fn kind_of_operand(&self, operand: Operand) -> CellKind {
        match (self.type_of(operand.value), operand.is_arithmetic) {
            (types::F32, true) => CellKind::Float32,
            (types::F64, true) => CellKind::Float64,
            (types::I32 | types::F32, _) => CellKind::Bits32,
            (ty, _) if ty.is_vector() => CellKind::Vector,
            _ => CellKind::Bits64,
        }
    }

    /// One of the blocks that exits end in.
    fn leaving_block(&mut self, is_innermost: bool) -> Block {
        let known = if is_innermost {
            self.leaving.innermost
        } else {
            self.leaving.any
        };
        if let Some(block) = known {
            return block;
        }
        let block = self.cold_block();
        self.builder.append_block_param(block, types::I32);
        if is_innermost {
            self.builder.append_block_param(block, types::I64);
            self.leaving.innermost = Some(block);
        } else {
            self.leaving.any = Some(block);
        }
        block
    }

    /// Writes the blocks that exits end in, if there is an exit: what all of a function's records have in common.
    pub(super) fn finish_leaving(&mut self) {
        if let Some(innermost) = self.leaving.innermost {
            let any = self.leaving_block(false);
            self.builder.switch_to_block(innermost);
            let &[site, clock] = self.builder.block_params(innermost) else {
                unreachable!("made with two parameters")
            };
            self.store_context(clock, offset_of!(Context, clock) as i32);
            self.builder.ins().jump(any, &[site.into()]);
        }
        let Some(any) = self.leaving.any else { return };
        self.builder.switch_to_block(any);
        let site = self.builder.block_params(any)[0];
        let record = self.exit_top();
        let flags = self.flags(self.regions.records);
        self.builder.ins().store(flags, site, record, 0);
        let unit = i64::from(self.job.unit);
        let unit = self.builder.ins().iconst(types::I32, unit);
        self.builder.ins().store(flags, unit, record, 4);
        self.record_homes(record);
        let bytes = 8 * i64::from(self.record_words());
        let top = self.builder.ins().iadd_imm_s(record, bytes);
        self.store_context(top, offset_of!(Context, exit_top) as i32);
        let mut results = Vec::new();
        if returns_in_registers(self.job.ty) {
            for &ty in self.job.ty.results() {
                results.push(self.zero(value_type(ty)));
            }
        }
        results.push(self.builder.ins().iconst(types::I64, -1));
        self.builder.ins().return_(&results);
    }
}

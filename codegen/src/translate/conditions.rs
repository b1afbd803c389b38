//! Conditions of probes, inline.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, types};

use super::Translator;
use crate::abi::{Context, MemoryView, Reason, memory_offset, value_type};
use crate::condition::{Condition, ConditionOp};

impl Translator<'_, '_> {
    /// Leaves at the present instruction if a probe stands there and its condition holds. Where a condition reads memory that is not
    /// there, it may be left though an operand before decides: who looks at the exit evaluates it again.
    pub(super) fn probe(&mut self) {
        let job = self.job;
        let Some(probe) = job.probes.iter().find(|probe| probe.pc == self.pc) else {
            return;
        };
        let stops = match &probe.condition {
            Some(condition) => {
                let mut outside = Vec::new();
                let value = self.condition_value(condition, &mut outside);
                let holds = self.builder.ins().icmp_imm_s(IntCC::NotEqual, value, 0);
                outside
                    .into_iter()
                    .fold(holds, |stops, other| self.builder.ins().bor(stops, other))
            }
            // A condition that is always true and that nobody knows: what follows must not become unreachable, or control
            // structure would be lost that code entered behind the probe needs.
            None => {
                let limit = self.load_context(types::I64, offset_of!(Context, stack_limit) as i32);
                self.builder.ins().icmp_imm_s(IntCC::NotEqual, limit, 0)
            }
        };
        self.leave_if(stops, Reason::Probe);
    }

    /// The value of a condition; adds to `outside` what says that it cannot be evaluated.
    fn condition_value(&mut self, condition: &Condition, outside: &mut Vec<Value>) -> Value {
        match condition {
            Condition::Constant(value) => self.builder.ins().iconst(types::I64, *value),
            Condition::Local(index) => {
                let local = self.locals[*index as usize];
                let value = self.builder.use_var(local.variable);
                let operand = super::Operand {
                    value,
                    is_arithmetic: local.is_arithmetic,
                };
                let value = self.exact(operand);
                self.cell_of(value)
            }
            Condition::Global(index) => {
                let global = self.job.env.global(*index);
                let globals = self.load_constant(types::I64, offset_of!(Context, globals) as i32);
                let flags = self.flags(self.regions.globals);
                let offset = 8 * global.cell as i32;
                let ty = value_type(global.ty);
                let value = self.builder.ins().load(ty, flags, globals, offset);
                self.cell_of(value)
            }
            Condition::Load {
                memory,
                address,
                bytes,
                is_signed,
            } => {
                let address = self.condition_value(address, outside);
                self.condition_load(*memory, address, (*bytes, *is_signed), outside)
            }
            Condition::Extend {
                value,
                bits,
                is_signed,
            } => {
                let value = self.condition_value(value, outside);
                let ty = types::Type::int(u16::from(*bits)).unwrap_or(types::I64);
                self.extended(value, ty, *is_signed)
            }
            Condition::Not(value) => {
                let value = self.condition_value(value, outside);
                let is_zero = self.is_zero(value);
                self.builder.ins().uextend(types::I64, is_zero)
            }
            Condition::Binary(op, left, right) => {
                let left = self.condition_value(left, outside);
                let right = self.condition_value(right, outside);
                self.condition_operation(*op, left, right)
            }
            Condition::And(left, right) | Condition::Or(left, right) => {
                let [left, right] = [left, right].map(|value| {
                    let value = self.condition_value(value, outside);
                    self.builder.ins().icmp_imm_s(IntCC::NotEqual, value, 0)
                });
                let both = if matches!(condition, Condition::And(..)) {
                    self.builder.ins().band(left, right)
                } else {
                    self.builder.ins().bor(left, right)
                };
                self.builder.ins().uextend(types::I64, both)
            }
        }
    }

    fn condition_load(
        &mut self,
        memory: u32,
        address: Value,
        (bytes, is_signed): (u8, bool),
        outside: &mut Vec<Value>,
    ) -> Value {
        let place = self.job.env.memory(memory);
        let view = memory_offset(place.address);
        let size = self.load_context(types::I64, view + offset_of!(MemoryView, bytes) as i32);
        let needed = self.constant(u64::from(bytes));
        let is_small = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, size, needed);
        let end = self.builder.ins().isub(size, needed);
        let is_beyond = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedGreaterThan, address, end);
        let is_outside = self.builder.ins().bor(is_small, is_beyond);
        // What cannot be read is not: a cell of the context stands for it.
        let base = self.load_constant(types::I64, view + offset_of!(MemoryView, base) as i32);
        let inside = self.builder.ins().iadd(base, address);
        let instead = self.load_constant(types::I64, offset_of!(Context, cells) as i32);
        let place = self.builder.ins().select(is_outside, instead, inside);
        outside.push(is_outside);
        let ty = types::Type::int(u16::from(bytes) * 8).unwrap_or(types::I64);
        let flags = self.heap_flags().with_notrap();
        let value = self.builder.ins().load(ty, flags, place, 0);
        match (ty, is_signed) {
            (types::I64, _) => value,
            (_, true) => self.builder.ins().sextend(types::I64, value),
            (_, false) => self.builder.ins().uextend(types::I64, value),
        }
    }

    /// The low bits of a value, as many as a type has, extended to 64.
    fn extended(
        &mut self,
        value: Value,
        ty: cranelift_codegen::ir::Type,
        is_signed: bool,
    ) -> Value {
        if ty == types::I64 {
            return value;
        }
        let low = self.builder.ins().ireduce(ty, value);
        if is_signed {
            self.builder.ins().sextend(types::I64, low)
        } else {
            self.builder.ins().uextend(types::I64, low)
        }
    }

    fn condition_operation(&mut self, op: ConditionOp, left: Value, right: Value) -> Value {
        let ins = self.builder.ins();
        let comparison = match op {
            ConditionOp::Add => return ins.iadd(left, right),
            ConditionOp::Sub => return ins.isub(left, right),
            ConditionOp::Mul => return ins.imul(left, right),
            ConditionOp::And => return ins.band(left, right),
            ConditionOp::Or => return ins.bor(left, right),
            ConditionOp::Xor => return ins.bxor(left, right),
            ConditionOp::Shl => return ins.ishl(left, right),
            ConditionOp::ShrS => return ins.sshr(left, right),
            ConditionOp::ShrU => return ins.ushr(left, right),
            ConditionOp::Eq => IntCC::Equal,
            ConditionOp::Ne => IntCC::NotEqual,
            ConditionOp::LtS => IntCC::SignedLessThan,
            ConditionOp::LtU => IntCC::UnsignedLessThan,
            ConditionOp::LeS => IntCC::SignedLessThanOrEqual,
            ConditionOp::LeU => IntCC::UnsignedLessThanOrEqual,
            ConditionOp::GtS => IntCC::SignedGreaterThan,
            ConditionOp::GtU => IntCC::UnsignedGreaterThan,
            ConditionOp::GeS => IntCC::SignedGreaterThanOrEqual,
            ConditionOp::GeU => IntCC::UnsignedGreaterThanOrEqual,
        };
        let truth = ins.icmp(comparison, left, right);
        self.builder.ins().uextend(types::I64, truth)
    }

    /// A value as a cell has it: 32-bit values with zeros above.
    pub(super) fn cell_of(&mut self, value: Value) -> Value {
        match self.type_of(value) {
            types::I32 => self.builder.ins().uextend(types::I64, value),
            types::F32 => {
                let bits = self
                    .builder
                    .ins()
                    .bitcast(types::I32, MemFlagsData::new(), value);
                self.builder.ins().uextend(types::I64, bits)
            }
            types::F64 => self
                .builder
                .ins()
                .bitcast(types::I64, MemFlagsData::new(), value),
            _ => value,
        }
    }
}

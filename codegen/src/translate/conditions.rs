//! Conditions of probes, and what they capture, inline.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, types};

use super::Translator;
use crate::abi::{Context, MemoryView, memory_offset, value_type};
use crate::condition::{Condition, ConditionConversion, ConditionOp};

impl Translator<'_, '_> {
    /// The value of a condition; adds to `outside` what says that it cannot be evaluated.
    pub(super) fn condition_value(
        &mut self,
        condition: &Condition,
        outside: &mut Vec<Value>,
    ) -> Value {
        match condition {
            Condition::Constant(value) => self.builder.ins().iconst(types::I64, *value),
            Condition::Local(index) => {
                let local = self.locals[*index as usize];
                let value = self.local(*index as usize);
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
            Condition::Convert(conversion, value) => {
                let value = self.condition_value(value, outside);
                self.condition_conversion(*conversion, value)
            }
            Condition::Not(value) => {
                let value = self.condition_value(value, outside);
                let is_zero = self.is_zero(value);
                self.builder.ins().uextend(types::I64, is_zero)
            }
            Condition::Unless(fails, value) => {
                let fails = self.condition_value(fails, outside);
                outside.push(self.builder.ins().icmp_imm_s(IntCC::NotEqual, fails, 0));
                self.condition_value(value, outside)
            }
            Condition::Binary(op, left, right) => {
                if let Some(truth) = self.narrow_comparison(*op, left, right, outside) {
                    return truth;
                }
                let left = self.condition_value(left, outside);
                let divisor = &**right;
                let mut right = self.condition_value(right, outside);
                use ConditionOp as O;
                if matches!(op, O::DivS | O::DivU | O::RemS | O::RemU) {
                    let is_signed = matches!(op, O::DivS | O::RemS);
                    right = self.divisor((left, right), divisor, is_signed, outside);
                }
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

    /// A divisor, or 1 where a quotient has no value, which adds to `outside`.
    fn divisor(
        &mut self,
        (left, right): (Value, Value),
        divisor: &Condition,
        is_signed: bool,
        outside: &mut Vec<Value>,
    ) -> Value {
        // Most are constants.
        if let Condition::Constant(constant) = divisor
            && *constant != 0
            && (*constant != -1 || !is_signed)
        {
            return right;
        }
        let mut has_none = self.is_zero(right);
        if is_signed {
            let smallest = self.builder.ins().icmp_imm_s(IntCC::Equal, left, i64::MIN);
            let is_negation = self.builder.ins().icmp_imm_s(IntCC::Equal, right, -1);
            let overflows = self.builder.ins().band(smallest, is_negation);
            has_none = self.builder.ins().bor(has_none, overflows);
        }
        outside.push(has_none);
        let one = self.constant(1);
        self.builder.ins().select(has_none, one, right)
    }

    fn condition_conversion(&mut self, conversion: ConditionConversion, value: Value) -> Value {
        let flags = MemFlagsData::new();
        let float = match conversion {
            ConditionConversion::FloatFromSigned => {
                self.builder.ins().fcvt_from_sint(types::F64, value)
            }
            ConditionConversion::FloatFromUnsigned => {
                self.builder.ins().fcvt_from_uint(types::F64, value)
            }
            ConditionConversion::Promote => {
                let low = self.builder.ins().ireduce(types::I32, value);
                let float = self.builder.ins().bitcast(types::F32, flags, low);
                self.builder.ins().fpromote(types::F64, float)
            }
            ConditionConversion::Demote => {
                let float = self.builder.ins().bitcast(types::F64, flags, value);
                self.builder.ins().fdemote(types::F32, float)
            }
        };
        self.cell_of(float)
    }

    fn condition_operation(&mut self, op: ConditionOp, left: Value, right: Value) -> Value {
        if let Some(comparison) = integer_comparison(op) {
            let truth = self.builder.ins().icmp(comparison, left, right);
            return self.builder.ins().uextend(types::I64, truth);
        }
        let ins = self.builder.ins();
        match op {
            ConditionOp::Add => ins.iadd(left, right),
            ConditionOp::Sub => ins.isub(left, right),
            ConditionOp::Mul => ins.imul(left, right),
            ConditionOp::DivS => ins.sdiv(left, right),
            ConditionOp::DivU => ins.udiv(left, right),
            ConditionOp::RemS => ins.srem(left, right),
            ConditionOp::RemU => ins.urem(left, right),
            ConditionOp::And => ins.band(left, right),
            ConditionOp::Or => ins.bor(left, right),
            ConditionOp::Xor => ins.bxor(left, right),
            ConditionOp::Shl => ins.ishl(left, right),
            ConditionOp::ShrS => ins.sshr(left, right),
            ConditionOp::ShrU => ins.ushr(left, right),
            _ => self.float_operation(op, left, right),
        }
    }

    /// A comparison of 32 bits, extended, with a constant: what most conditions are. The bits themselves are compared, if that is the
    /// same.
    fn narrow_comparison(
        &mut self,
        op: ConditionOp,
        left: &Condition,
        right: &Condition,
        outside: &mut Vec<Value>,
    ) -> Option<Value> {
        let comparison = integer_comparison(op)?;
        let (
            Condition::Extend {
                value,
                bits: 32,
                is_signed,
            },
            Condition::Constant(constant),
        ) = (left, right)
        else {
            return None;
        };
        let is_same = if *is_signed {
            i32::try_from(*constant).is_ok()
        } else {
            // What is extended with zeros has no sign.
            u32::try_from(*constant).is_ok() && comparison.unsigned() == comparison
        };
        if !is_same {
            return None;
        }
        let value = self.condition_value(value, outside);
        let low = self.builder.ins().ireduce(types::I32, value);
        let constant = i64::from(*constant as i32);
        let truth = self.builder.ins().icmp_imm_s(comparison, low, constant);
        Some(self.builder.ins().uextend(types::I64, truth))
    }

    fn float_operation(&mut self, op: ConditionOp, left: Value, right: Value) -> Value {
        let flags = MemFlagsData::new();
        let [left, right] =
            [left, right].map(|bits| self.builder.ins().bitcast(types::F64, flags, bits));
        let ins = self.builder.ins();
        let number = match op {
            ConditionOp::FloatAdd => ins.fadd(left, right),
            ConditionOp::FloatSub => ins.fsub(left, right),
            ConditionOp::FloatMul => ins.fmul(left, right),
            ConditionOp::FloatDiv => ins.fdiv(left, right),
            _ => {
                let comparison = match op {
                    ConditionOp::FloatEq => FloatCC::Equal,
                    ConditionOp::FloatNe => FloatCC::NotEqual,
                    ConditionOp::FloatLt => FloatCC::LessThan,
                    ConditionOp::FloatLe => FloatCC::LessThanOrEqual,
                    ConditionOp::FloatGt => FloatCC::GreaterThan,
                    ConditionOp::FloatGe => FloatCC::GreaterThanOrEqual,
                    _ => unreachable!("operations on integers are translated elsewhere"),
                };
                let truth = ins.fcmp(comparison, left, right);
                return self.builder.ins().uextend(types::I64, truth);
            }
        };
        let number = self.exact(super::Operand {
            value: number,
            is_arithmetic: true,
        });
        self.cell_of(number)
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

/// The comparison of 64 bits that an operation is, if it is one.
fn integer_comparison(op: ConditionOp) -> Option<IntCC> {
    Some(match op {
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
        _ => return None,
    })
}

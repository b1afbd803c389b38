//! Instructions on numbers.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Type, Value, types};
use wasmparser::Operator;

use super::Translator;

/// The floats between which truncation to an integer succeeds, both excluded.
#[derive(Clone, Copy)]
struct Range {
    above: f64,
    below: f64,
}

impl Translator<'_, '_> {
    /// Translates an instruction on numbers; answers whether it was one.
    pub(super) fn numeric(&mut self, operator: &Operator<'_>) -> bool {
        self.integer(operator)
            || self.comparison(operator)
            || self.float(operator)
            || self.conversion(operator)
            || self.truncation(operator)
    }

    fn integer(&mut self, operator: &Operator<'_>) -> bool {
        use Operator as Op;
        macro_rules! unary {
            ($method:ident) => {{
                let value = self.pop();
                let result = self.builder.ins().$method(value);
                self.push(result);
            }};
        }
        macro_rules! binary {
            ($method:ident) => {{
                let right = self.pop();
                let left = self.pop();
                let result = self.builder.ins().$method(left, right);
                self.push(result);
            }};
        }
        match *operator {
            Op::I32Const { value } => {
                let value = self
                    .builder
                    .ins()
                    .iconst(types::I32, i64::from(value as u32));
                self.push(value);
            }
            Op::I64Const { value } => {
                let value = self.builder.ins().iconst(types::I64, value);
                self.push(value);
            }
            Op::I32Clz | Op::I64Clz => unary!(clz),
            Op::I32Ctz | Op::I64Ctz => unary!(ctz),
            Op::I32Popcnt | Op::I64Popcnt => unary!(popcnt),
            Op::I32Add | Op::I64Add => binary!(iadd),
            Op::I32Sub | Op::I64Sub => binary!(isub),
            Op::I32Mul | Op::I64Mul => binary!(imul),
            Op::I32And | Op::I64And => binary!(band),
            Op::I32Or | Op::I64Or => binary!(bor),
            Op::I32Xor | Op::I64Xor => binary!(bxor),
            Op::I32Shl | Op::I64Shl => binary!(ishl),
            Op::I32ShrS | Op::I64ShrS => binary!(sshr),
            Op::I32ShrU | Op::I64ShrU => binary!(ushr),
            Op::I32Rotl | Op::I64Rotl => binary!(rotl),
            Op::I32Rotr | Op::I64Rotr => binary!(rotr),
            Op::I32DivS | Op::I64DivS => {
                self.check_divisor(true);
                binary!(sdiv);
            }
            Op::I32DivU | Op::I64DivU => {
                self.check_divisor(false);
                binary!(udiv);
            }
            Op::I32RemS | Op::I64RemS => {
                self.check_divisor(false);
                binary!(srem);
            }
            Op::I32RemU | Op::I64RemU => {
                self.check_divisor(false);
                binary!(urem);
            }
            _ => return false,
        }
        true
    }

    /// Gives a division away that traps.
    fn check_divisor(&mut self, overflows: bool) {
        let divisor = self.peek(0);
        if self.is_harmless(divisor, overflows) {
            return;
        }
        let is_zero = self.is_zero(divisor);
        if !overflows {
            self.give_away_if(is_zero);
            return;
        }
        // Zero and minus one are rare; only then is the dividend looked at.
        let ty = self.type_of(divisor);
        let next_up = self.builder.ins().iadd_imm_s(divisor, 1);
        let is_rare = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::UnsignedLessThanOrEqual, next_up, 1);
        let least = if ty == types::I32 {
            i64::from(i32::MIN)
        } else {
            i64::MIN
        };
        self.if_rare(is_rare, |this| {
            let dividend = this.peek(1);
            let is_least = this.builder.ins().icmp_imm_s(IntCC::Equal, dividend, least);
            let traps = this.builder.ins().bor(is_zero, is_least);
            this.give_away_if(traps);
        });
    }

    /// Whether a divisor is a constant with which no division traps.
    fn is_harmless(&self, divisor: Value, overflows: bool) -> bool {
        use cranelift_codegen::ir::{InstructionData, ValueDef};
        let ValueDef::Result(inst, _) = self.builder.func.dfg.value_def(divisor) else {
            return false;
        };
        let InstructionData::UnaryImm { imm, .. } = self.builder.func.dfg.insts[inst] else {
            return false;
        };
        let value = if self.type_of(divisor) == types::I32 {
            i64::from(imm.bits() as i32)
        } else {
            imm.bits()
        };
        value != 0 && !(overflows && value == -1)
    }

    fn comparison(&mut self, operator: &Operator<'_>) -> bool {
        use Operator as Op;
        let condition = match operator {
            Op::I32Eqz | Op::I64Eqz => {
                let value = self.pop();
                let value = self.truth(value);
                let is_zero = self.is_zero(value);
                self.push_truth(is_zero);
                return true;
            }
            Op::I32Eq | Op::I64Eq | Op::RefEq => IntCC::Equal,
            Op::I32Ne | Op::I64Ne => IntCC::NotEqual,
            Op::I32LtS | Op::I64LtS => IntCC::SignedLessThan,
            Op::I32LtU | Op::I64LtU => IntCC::UnsignedLessThan,
            Op::I32GtS | Op::I64GtS => IntCC::SignedGreaterThan,
            Op::I32GtU | Op::I64GtU => IntCC::UnsignedGreaterThan,
            Op::I32LeS | Op::I64LeS => IntCC::SignedLessThanOrEqual,
            Op::I32LeU | Op::I64LeU => IntCC::UnsignedLessThanOrEqual,
            Op::I32GeS | Op::I64GeS => IntCC::SignedGreaterThanOrEqual,
            Op::I32GeU | Op::I64GeU => IntCC::UnsignedGreaterThanOrEqual,
            Op::F32Eq | Op::F64Eq => return self.compare_floats(FloatCC::Equal),
            Op::F32Ne | Op::F64Ne => return self.compare_floats(FloatCC::NotEqual),
            Op::F32Lt | Op::F64Lt => return self.compare_floats(FloatCC::LessThan),
            Op::F32Gt | Op::F64Gt => return self.compare_floats(FloatCC::GreaterThan),
            Op::F32Le | Op::F64Le => return self.compare_floats(FloatCC::LessThanOrEqual),
            Op::F32Ge | Op::F64Ge => return self.compare_floats(FloatCC::GreaterThanOrEqual),
            _ => return false,
        };
        let right = self.pop();
        let left = self.pop();
        let truth = self.builder.ins().icmp(condition, left, right);
        self.push_truth(truth);
        true
    }

    fn compare_floats(&mut self, condition: FloatCC) -> bool {
        let right = self.pop();
        let left = self.pop();
        let truth = self.builder.ins().fcmp(condition, left, right);
        self.push_truth(truth);
        true
    }

    fn float(&mut self, operator: &Operator<'_>) -> bool {
        use Operator as Op;
        macro_rules! unary {
            ($method:ident) => {{
                let value = self.pop();
                let result = self.builder.ins().$method(value);
                self.push_arithmetic(result);
            }};
        }
        macro_rules! binary {
            ($method:ident) => {{
                let right = self.pop();
                let left = self.pop();
                let result = self.builder.ins().$method(left, right);
                self.push_arithmetic(result);
            }};
        }
        match *operator {
            Op::F32Const { value } => {
                let value = Ieee32::with_bits(value.bits());
                let value = self.builder.ins().f32const(value);
                self.push(value);
            }
            Op::F64Const { value } => {
                let value = Ieee64::with_bits(value.bits());
                let value = self.builder.ins().f64const(value);
                self.push(value);
            }
            // Operations on the sign work on bits.
            Op::F32Abs | Op::F64Abs => {
                let value = self.pop_exact();
                let result = self.builder.ins().fabs(value);
                self.push(result);
            }
            Op::F32Neg | Op::F64Neg => {
                let value = self.pop_exact();
                let result = self.builder.ins().fneg(value);
                self.push(result);
            }
            Op::F32Copysign | Op::F64Copysign => {
                let sign = self.pop_exact();
                let value = self.pop_exact();
                let result = self.builder.ins().fcopysign(value, sign);
                self.push(result);
            }
            Op::F32Ceil | Op::F64Ceil => unary!(ceil),
            Op::F32Floor | Op::F64Floor => unary!(floor),
            Op::F32Trunc | Op::F64Trunc => unary!(trunc),
            Op::F32Nearest | Op::F64Nearest => unary!(nearest),
            Op::F32Sqrt | Op::F64Sqrt => unary!(sqrt),
            Op::F32Add | Op::F64Add => binary!(fadd),
            Op::F32Sub | Op::F64Sub => binary!(fsub),
            Op::F32Mul | Op::F64Mul => binary!(fmul),
            Op::F32Div | Op::F64Div => binary!(fdiv),
            Op::F32Min | Op::F64Min => binary!(fmin),
            Op::F32Max | Op::F64Max => binary!(fmax),
            _ => return false,
        }
        true
    }

    fn conversion(&mut self, operator: &Operator<'_>) -> bool {
        use Operator as Op;
        macro_rules! to_integer {
            ($method:ident $ty:ident) => {{
                let value = self.pop();
                let result = self.builder.ins().$method(types::$ty, value);
                self.push(result);
            }};
        }
        macro_rules! to_float {
            ($method:ident $ty:ident) => {{
                let value = self.pop();
                let result = self.builder.ins().$method(types::$ty, value);
                self.push_arithmetic(result);
            }};
        }
        match operator {
            Op::I32WrapI64 => to_integer!(ireduce I32),
            Op::I64ExtendI32S => to_integer!(sextend I64),
            Op::I64ExtendI32U => to_integer!(uextend I64),
            Op::I32Extend8S => self.extend(types::I8, types::I32),
            Op::I32Extend16S => self.extend(types::I16, types::I32),
            Op::I64Extend8S => self.extend(types::I8, types::I64),
            Op::I64Extend16S => self.extend(types::I16, types::I64),
            Op::I64Extend32S => self.extend(types::I32, types::I64),
            Op::I32TruncSatF32S | Op::I32TruncSatF64S => to_integer!(fcvt_to_sint_sat I32),
            Op::I32TruncSatF32U | Op::I32TruncSatF64U => to_integer!(fcvt_to_uint_sat I32),
            Op::I64TruncSatF32S | Op::I64TruncSatF64S => to_integer!(fcvt_to_sint_sat I64),
            Op::I64TruncSatF32U | Op::I64TruncSatF64U => to_integer!(fcvt_to_uint_sat I64),
            Op::F32ConvertI32S | Op::F32ConvertI64S => to_float!(fcvt_from_sint F32),
            Op::F32ConvertI32U | Op::F32ConvertI64U => to_float!(fcvt_from_uint F32),
            Op::F64ConvertI32S | Op::F64ConvertI64S => to_float!(fcvt_from_sint F64),
            Op::F64ConvertI32U | Op::F64ConvertI64U => to_float!(fcvt_from_uint F64),
            Op::F32DemoteF64 => to_float!(fdemote F32),
            Op::F64PromoteF32 => to_float!(fpromote F64),
            Op::I32ReinterpretF32 => self.reinterpret(types::I32),
            Op::I64ReinterpretF64 => self.reinterpret(types::I64),
            Op::F32ReinterpretI32 => self.reinterpret(types::F32),
            Op::F64ReinterpretI64 => self.reinterpret(types::F64),
            _ => return false,
        }
        true
    }

    fn extend(&mut self, from: Type, to: Type) {
        let value = self.pop();
        let low = self.builder.ins().ireduce(from, value);
        let result = self.builder.ins().sextend(to, low);
        self.push(result);
    }

    fn reinterpret(&mut self, ty: Type) {
        let value = self.pop_exact();
        let result = self.builder.ins().bitcast(ty, MemFlagsData::new(), value);
        self.push(result);
    }

    fn truncation(&mut self, operator: &Operator<'_>) -> bool {
        use Operator as Op;
        const I32: (f64, f64) = (-2_147_483_649.0, 2_147_483_648.0);
        const U32: (f64, f64) = (-1.0, 4_294_967_296.0);
        // The next numbers below the least integer.
        const I32_SINGLE: (f64, f64) = (-2_147_483_904.0, 2_147_483_648.0);
        const I64_SINGLE: (f64, f64) = (-9_223_373_136_366_403_584.0, 9_223_372_036_854_775_808.0);
        const I64: (f64, f64) = (-9_223_372_036_854_777_856.0, 9_223_372_036_854_775_808.0);
        const U64: (f64, f64) = (-1.0, 18_446_744_073_709_551_616.0);
        let (ty, is_signed, (above, below)) = match operator {
            Op::I32TruncF32S => (types::I32, true, I32_SINGLE),
            Op::I32TruncF32U | Op::I32TruncF64U => (types::I32, false, U32),
            Op::I32TruncF64S => (types::I32, true, I32),
            Op::I64TruncF32S => (types::I64, true, I64_SINGLE),
            Op::I64TruncF32U | Op::I64TruncF64U => (types::I64, false, U64),
            Op::I64TruncF64S => (types::I64, true, I64),
            _ => return false,
        };
        self.check_range(Range { above, below });
        let value = self.pop();
        let result = if is_signed {
            self.builder.ins().fcvt_to_sint(ty, value)
        } else {
            self.builder.ins().fcvt_to_uint(ty, value)
        };
        self.push(result);
        true
    }

    /// Gives a truncation away that traps.
    fn check_range(&mut self, range: Range) {
        let value = self.peek(0);
        let [above, below] = [range.above, range.below].map(|bound| {
            if self.type_of(value) == types::F32 {
                self.builder.ins().f32const(bound as f32)
            } else {
                self.builder.ins().f64const(bound)
            }
        });
        // Also where the two cannot be compared.
        let too_small = self
            .builder
            .ins()
            .fcmp(FloatCC::UnorderedOrLessThanOrEqual, value, above);
        let too_large =
            self.builder
                .ins()
                .fcmp(FloatCC::UnorderedOrGreaterThanOrEqual, value, below);
        let traps = self.builder.ins().bor(too_small, too_large);
        self.give_away_if(traps);
    }
}

//! Instructions on lanes that are floats, and conversions between them and integers.

use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::{InstBuilder, Type, Value, types};
use wasmparser::Operator;

use super::{Operand, Translator};
use crate::translate::floats::{NAN_32, NAN_64};

impl Translator<'_, '_> {
    pub(super) fn vector_floats(&mut self, operator: &Operator<'_>) -> bool {
        self.float_arithmetic(operator)
            || self.float_selection(operator)
            || self.float_comparison(operator)
            || self.float_conversion(operator)
    }

    /// Instructions that give canonical NaNs.
    fn float_arithmetic(&mut self, operator: &Operator<'_>) -> bool {
        use Operator as Op;
        macro_rules! unary {
            ($method:ident $lanes:ident) => {{
                let [value] = self.pop_numbers(types::$lanes);
                let result = self.builder.ins().$method(value);
                self.push_arithmetic(result);
            }};
        }
        macro_rules! binary {
            ($method:ident $lanes:ident) => {{
                let [left, right] = self.pop_numbers(types::$lanes);
                let result = self.builder.ins().$method(left, right);
                self.push_arithmetic(result);
            }};
        }
        match operator {
            Op::F32x4Ceil => unary!(ceil F32X4),
            Op::F64x2Ceil => unary!(ceil F64X2),
            Op::F32x4Floor => unary!(floor F32X4),
            Op::F64x2Floor => unary!(floor F64X2),
            Op::F32x4Trunc => unary!(trunc F32X4),
            Op::F64x2Trunc => unary!(trunc F64X2),
            Op::F32x4Nearest => unary!(nearest F32X4),
            Op::F64x2Nearest => unary!(nearest F64X2),
            Op::F32x4Sqrt => unary!(sqrt F32X4),
            Op::F64x2Sqrt => unary!(sqrt F64X2),
            Op::F32x4DemoteF64x2Zero => unary!(fvdemote F64X2),
            Op::F64x2PromoteLowF32x4 => unary!(fvpromote_low F32X4),
            Op::F32x4Add => binary!(fadd F32X4),
            Op::F64x2Add => binary!(fadd F64X2),
            Op::F32x4Sub => binary!(fsub F32X4),
            Op::F64x2Sub => binary!(fsub F64X2),
            Op::F32x4Mul => binary!(fmul F32X4),
            Op::F64x2Mul => binary!(fmul F64X2),
            Op::F32x4Div => binary!(fdiv F32X4),
            Op::F64x2Div => binary!(fdiv F64X2),
            Op::F32x4Min | Op::F32x4RelaxedMin => binary!(fmin F32X4),
            Op::F64x2Min | Op::F64x2RelaxedMin => binary!(fmin F64X2),
            Op::F32x4Max | Op::F32x4RelaxedMax => binary!(fmax F32X4),
            Op::F64x2Max | Op::F64x2RelaxedMax => binary!(fmax F64X2),
            Op::F32x4RelaxedMadd => self.multiply_add(types::F32X4, false),
            Op::F64x2RelaxedMadd => self.multiply_add(types::F64X2, false),
            Op::F32x4RelaxedNmadd => self.multiply_add(types::F32X4, true),
            Op::F64x2RelaxedNmadd => self.multiply_add(types::F64X2, true),
            _ => return false,
        }
        true
    }

    /// Multiplies two vectors, the first negated where that is wanted, and adds the third: with two roundings.
    fn multiply_add(&mut self, lanes: Type, negates: bool) {
        let [left, right, sum] = self.pop_numbers(lanes);
        let left = if negates {
            self.builder.ins().fneg(left)
        } else {
            left
        };
        let product = self.builder.ins().fmul(left, right);
        let result = self.builder.ins().fadd(product, sum);
        self.push_arithmetic(result);
    }

    /// Instructions that give one of their operands, or change nothing but signs: NaNs keep their bits.
    fn float_selection(&mut self, operator: &Operator<'_>) -> bool {
        use Operator as Op;
        macro_rules! unary {
            ($method:ident $lanes:ident) => {{
                let [value] = self.pop_lanes(types::$lanes);
                let result = self.builder.ins().$method(value);
                self.push_lanes(result);
            }};
        }
        match operator {
            Op::F32x4Abs => unary!(fabs F32X4),
            Op::F64x2Abs => unary!(fabs F64X2),
            Op::F32x4Neg => unary!(fneg F32X4),
            Op::F64x2Neg => unary!(fneg F64X2),
            Op::F32x4PMin => self.choose_right(types::F32X4, |left, right| (right, left)),
            Op::F64x2PMin => self.choose_right(types::F64X2, |left, right| (right, left)),
            Op::F32x4PMax => self.choose_right(types::F32X4, |left, right| (left, right)),
            Op::F64x2PMax => self.choose_right(types::F64X2, |left, right| (left, right)),
            _ => return false,
        }
        true
    }

    /// Gives lanes of the right operand where the first of what `order` gives is less than the second, else lanes of the left one.
    fn choose_right(&mut self, lanes: Type, order: impl FnOnce(Value, Value) -> (Value, Value)) {
        let [left, right] = self.pop_lanes(lanes);
        let (less, greater) = order(left, right);
        let is_less = self.builder.ins().fcmp(FloatCC::LessThan, less, greater);
        let mask = self.cast(is_less, lanes);
        let result = self.builder.ins().bitselect(mask, right, left);
        self.push_lanes(result);
    }

    fn float_comparison(&mut self, operator: &Operator<'_>) -> bool {
        use Operator as Op;
        let (lanes, condition) = match operator {
            Op::F32x4Eq => (types::F32X4, FloatCC::Equal),
            Op::F64x2Eq => (types::F64X2, FloatCC::Equal),
            Op::F32x4Ne => (types::F32X4, FloatCC::NotEqual),
            Op::F64x2Ne => (types::F64X2, FloatCC::NotEqual),
            Op::F32x4Lt => (types::F32X4, FloatCC::LessThan),
            Op::F64x2Lt => (types::F64X2, FloatCC::LessThan),
            Op::F32x4Gt => (types::F32X4, FloatCC::GreaterThan),
            Op::F64x2Gt => (types::F64X2, FloatCC::GreaterThan),
            Op::F32x4Le => (types::F32X4, FloatCC::LessThanOrEqual),
            Op::F64x2Le => (types::F64X2, FloatCC::LessThanOrEqual),
            Op::F32x4Ge => (types::F32X4, FloatCC::GreaterThanOrEqual),
            Op::F64x2Ge => (types::F64X2, FloatCC::GreaterThanOrEqual),
            _ => return false,
        };
        let [left, right] = self.pop_numbers(lanes);
        let result = self.builder.ins().fcmp(condition, left, right);
        self.push_lanes(result);
        true
    }

    fn float_conversion(&mut self, operator: &Operator<'_>) -> bool {
        use Operator as Op;
        let result = match operator {
            Op::F32x4ConvertI32x4S => {
                let [value] = self.pop_lanes(types::I32X4);
                self.builder.ins().fcvt_from_sint(types::F32X4, value)
            }
            Op::F32x4ConvertI32x4U => {
                let [value] = self.pop_lanes(types::I32X4);
                self.builder.ins().fcvt_from_uint(types::F32X4, value)
            }
            Op::F64x2ConvertLowI32x4S => {
                let [value] = self.pop_lanes(types::I32X4);
                let wide = self.builder.ins().swiden_low(value);
                self.builder.ins().fcvt_from_sint(types::F64X2, wide)
            }
            Op::F64x2ConvertLowI32x4U => {
                let [value] = self.pop_lanes(types::I32X4);
                let wide = self.builder.ins().uwiden_low(value);
                self.builder.ins().fcvt_from_uint(types::F64X2, wide)
            }
            Op::I32x4TruncSatF32x4S | Op::I32x4RelaxedTruncF32x4S => {
                let [value] = self.pop_numbers(types::F32X4);
                self.builder.ins().fcvt_to_sint_sat(types::I32X4, value)
            }
            Op::I32x4TruncSatF32x4U | Op::I32x4RelaxedTruncF32x4U => {
                let [value] = self.pop_numbers(types::F32X4);
                self.builder.ins().fcvt_to_uint_sat(types::I32X4, value)
            }
            // Saturated at 64 bits, then at 32: Cranelift has instructions for both together where it sees them together.
            Op::I32x4TruncSatF64x2SZero | Op::I32x4RelaxedTruncF64x2SZero => {
                let [value] = self.pop_numbers(types::F64X2);
                let wide = self.builder.ins().fcvt_to_sint_sat(types::I64X2, value);
                let zero = self.vector_constant(types::I64X2, &[0; 16]);
                self.builder.ins().snarrow(wide, zero)
            }
            Op::I32x4TruncSatF64x2UZero | Op::I32x4RelaxedTruncF64x2UZero => {
                let [value] = self.pop_numbers(types::F64X2);
                let wide = self.builder.ins().fcvt_to_uint_sat(types::I64X2, value);
                let zero = self.vector_constant(types::I64X2, &[0; 16]);
                self.builder.ins().uunarrow(wide, zero)
            }
            _ => return false,
        };
        self.push_lanes(result);
        true
    }

    /// The vector's lanes with canonical NaNs, if arithmetic gave it; without a branch.
    pub(in crate::translate) fn canonical_lanes(&mut self, operand: Operand) -> Value {
        let value = operand.value;
        if !operand.is_arithmetic {
            return value;
        }
        let lanes = self.type_of(value);
        let nan = self.canonical_nans(lanes);
        let is_nan = self.builder.ins().fcmp(FloatCC::NotEqual, value, value);
        let mask = self.cast(is_nan, lanes);
        let canonical = self.builder.ins().bitselect(mask, nan, value);
        self.cast(canonical, types::I8X16)
    }

    /// The bits that a vector is to have which arithmetic gave. As for scalars, a branch that is never taken costs less than
    /// a choice on the way of the value.
    pub(in crate::translate) fn exact_lanes(&mut self, operand: Operand) -> Value {
        let value = operand.value;
        let bits = self.cast(value, types::I8X16);
        let cold = self.cold_block();
        let next = self.builder.create_block();
        let exact = self.builder.append_block_param(next, types::I8X16);
        let is_nan = self.builder.ins().fcmp(FloatCC::NotEqual, value, value);
        let is_any_nan = self.builder.ins().vany_true(is_nan);
        self.builder
            .ins()
            .brif(is_any_nan, cold, &[], next, &[bits.into()]);
        self.builder.seal_block(cold);
        self.builder.switch_to_block(cold);
        let canonical = self.canonical_lanes(operand);
        self.builder.ins().jump(next, &[canonical.into()]);
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
        exact
    }

    fn canonical_nans(&mut self, lanes: Type) -> Value {
        let lane = if lanes == types::F32X4 {
            u64::from(NAN_32) << 32 | u64::from(NAN_32)
        } else {
            NAN_64
        };
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&lane.to_le_bytes());
        bytes[8..].copy_from_slice(&lane.to_le_bytes());
        self.vector_constant(lanes, &bytes)
    }
}

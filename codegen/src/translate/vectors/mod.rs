//! Instructions on vectors.
//!
//! A vector on the stack is an `I8X16` whose bits are what wasm says they are, or an `F32X4` or `F64X2` that arithmetic gave, in which
//! any NaN stands for the canonical one: like scalars, lanes are made exact only where their bits can be observed.

mod floats;
mod integers;
mod lanes;

use cranelift_codegen::ir::{Endianness, InstBuilder, MemFlagsData, Type, Value, types};
use wasmparser::Operator;

use super::{Operand, Translator};

impl Translator<'_, '_> {
    /// Translates an instruction on vectors; answers whether it was one.
    pub(super) fn vector(&mut self, operator: &Operator<'_>) -> bool {
        self.vector_bits(operator)
            || self.vector_integers(operator)
            || self.vector_floats(operator)
            || self.vector_lanes(operator)
            || self.vector_access(operator)
    }

    /// Instructions that know nothing of lanes.
    fn vector_bits(&mut self, operator: &Operator<'_>) -> bool {
        use Operator as Op;
        macro_rules! binary {
            ($method:ident) => {{
                let [left, right] = self.pop_lanes(types::I8X16);
                let result = self.builder.ins().$method(left, right);
                self.push_lanes(result);
            }};
        }
        match operator {
            Op::V128Const { value } => {
                let result = self.vector_constant(types::I8X16, value.bytes());
                self.push_lanes(result);
            }
            Op::V128Not => {
                let [value] = self.pop_lanes(types::I8X16);
                let result = self.builder.ins().bnot(value);
                self.push_lanes(result);
            }
            Op::V128And => binary!(band),
            Op::V128AndNot => binary!(band_not),
            Op::V128Or => binary!(bor),
            Op::V128Xor => binary!(bxor),
            // The relaxed instructions choose by bits, not by lanes, too.
            Op::V128Bitselect
            | Op::I8x16RelaxedLaneselect
            | Op::I16x8RelaxedLaneselect
            | Op::I32x4RelaxedLaneselect
            | Op::I64x2RelaxedLaneselect => {
                let [ones, zeros, mask] = self.pop_lanes(types::I8X16);
                let result = self.builder.ins().bitselect(mask, ones, zeros);
                self.push_lanes(result);
            }
            Op::V128AnyTrue => {
                let [value] = self.pop_lanes(types::I8X16);
                let truth = self.builder.ins().vany_true(value);
                self.push_truth(truth);
            }
            _ => return false,
        }
        true
    }

    /// The topmost operands as vectors of such lanes, with the bits that they are to have.
    fn pop_lanes<const COUNT: usize>(&mut self, lanes: Type) -> [Value; COUNT] {
        let mut values = [Value::from_u32(0); COUNT];
        for value in values.iter_mut().rev() {
            let exact = self.pop_exact();
            *value = self.cast(exact, lanes);
        }
        values
    }

    /// The topmost operands as vectors of floats, for arithmetic, which does not tell one NaN from another.
    fn pop_numbers<const COUNT: usize>(&mut self, lanes: Type) -> [Value; COUNT] {
        let mut values = [Value::from_u32(0); COUNT];
        for value in values.iter_mut().rev() {
            // What is a NaN as other lanes is none as these.
            *value = if self.type_of(self.peek(0)) == lanes {
                self.pop()
            } else {
                let exact = self.pop_exact();
                self.cast(exact, lanes)
            };
        }
        values
    }

    /// Pushes a vector whose bits are what they are to be.
    fn push_lanes(&mut self, value: Value) {
        let value = self.cast(value, types::I8X16);
        self.push(value);
    }

    /// The same bits as another type of 128 bits.
    pub(super) fn cast(&mut self, value: Value, ty: Type) -> Value {
        if self.type_of(value) == ty {
            return value;
        }
        let flags = MemFlagsData::new().with_endianness(Endianness::Little);
        self.builder.ins().bitcast(ty, flags, value)
    }

    pub(super) fn vector_constant(&mut self, ty: Type, bytes: &[u8; 16]) -> Value {
        let constant = self
            .builder
            .func
            .dfg
            .constants
            .insert(bytes.as_slice().into());
        self.builder.ins().vconst(ty, constant)
    }
}

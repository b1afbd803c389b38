//! NaNs. Arithmetic gives the canonical NaN, but only where bits can be observed does it matter which one there is: values that
//! arithmetic gave are marked, and made exact there.

use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::{InstBuilder, Value, types};
use wasmparser::{BinaryReader, Operator, OperatorsReader, ValType};

use super::{Operand, Translator};
use crate::compiler::Error;
use crate::env::Job;

/// The canonical NaNs.
pub(super) const NAN_32: u32 = 0x7fc0_0000;
pub(super) const NAN_64: u64 = 0x7ff8_0000_0000_0000;

/// What the last instruction left on the stack.
#[derive(Clone, Copy)]
enum Producer {
    /// A result of arithmetic on floats, or a constant that is no NaN.
    Arithmetic,
    /// The value of a local.
    Local(u32),
    /// Anything else.
    Other,
}

/// Which locals only ever hold zero or results of arithmetic on floats. They need no care until their bits are observed;
/// all others are made exact when they are set, since NaNs that are only copied keep their bits.
pub(super) fn arithmetic_locals(job: &Job<'_>) -> Result<Vec<bool>, Error> {
    let is_float = |ty: &ValType| matches!(ty, ValType::F32 | ValType::F64);
    let mut arithmetic: Vec<bool> = job.locals.iter().map(is_float).collect();
    arithmetic[..job.ty.params().len()].fill(false);
    if !arithmetic.contains(&true) {
        return Ok(arithmetic);
    }
    // Copies from one local to another, which are followed at the end.
    let mut copies = Vec::new();
    let mut producer = Producer::Other;
    let reader = BinaryReader::new(job.code, u64::from(job.offset));
    let mut reader = OperatorsReader::new(reader);
    while !reader.eof() {
        let operator = reader
            .read()
            .map_err(|error| Error::Failed(error.to_string()))?;
        if let Operator::LocalSet { local_index } | Operator::LocalTee { local_index } = operator {
            match producer {
                Producer::Arithmetic => {}
                Producer::Local(from) => copies.push((from as usize, local_index as usize)),
                Producer::Other => arithmetic[local_index as usize] = false,
            }
        }
        producer = match operator {
            // It leaves what it took.
            Operator::LocalTee { .. } => producer,
            Operator::LocalGet { local_index } => Producer::Local(local_index),
            Operator::F32Const { value } if !f32::from_bits(value.bits()).is_nan() => {
                Producer::Arithmetic
            }
            Operator::F64Const { value } if !f64::from_bits(value.bits()).is_nan() => {
                Producer::Arithmetic
            }
            ref operator if is_arithmetic(operator) => Producer::Arithmetic,
            _ => Producer::Other,
        };
    }
    loop {
        let mut is_stable = true;
        for &(from, to) in &copies {
            if arithmetic[to] && !arithmetic[from] {
                arithmetic[to] = false;
                is_stable = false;
            }
        }
        if is_stable {
            return Ok(arithmetic);
        }
    }
}

/// Whether an instruction gives a float whose NaN is the canonical one.
fn is_arithmetic(operator: &Operator<'_>) -> bool {
    use Operator as Op;
    matches!(
        operator,
        Op::F32Add
            | Op::F32Sub
            | Op::F32Mul
            | Op::F32Div
            | Op::F32Min
            | Op::F32Max
            | Op::F32Sqrt
            | Op::F32Ceil
            | Op::F32Floor
            | Op::F32Trunc
            | Op::F32Nearest
            | Op::F32DemoteF64
            | Op::F32ConvertI32S
            | Op::F32ConvertI32U
            | Op::F32ConvertI64S
            | Op::F32ConvertI64U
            | Op::F64Add
            | Op::F64Sub
            | Op::F64Mul
            | Op::F64Div
            | Op::F64Min
            | Op::F64Max
            | Op::F64Sqrt
            | Op::F64Ceil
            | Op::F64Floor
            | Op::F64Trunc
            | Op::F64Nearest
            | Op::F64PromoteF32
            | Op::F64ConvertI32S
            | Op::F64ConvertI32U
            | Op::F64ConvertI64S
            | Op::F64ConvertI64U
    )
}

impl Translator<'_, '_> {
    /// The operand's value with the bits that it is to have.
    pub(super) fn exact(&mut self, operand: Operand) -> Value {
        if !operand.is_arithmetic {
            return operand.value;
        }
        let value = operand.value;
        let ty = self.type_of(value);
        if ty.is_vector() {
            return self.exact_lanes(operand);
        }
        // A branch that is never taken costs less than a choice on the way of the value.
        let cold = self.cold_block();
        let next = self.builder.create_block();
        let exact = self.builder.append_block_param(next, ty);
        let is_nan = self.builder.ins().fcmp(FloatCC::Unordered, value, value);
        self.builder
            .ins()
            .brif(is_nan, cold, &[], next, &[value.into()]);
        self.builder.seal_block(cold);
        self.builder.switch_to_block(cold);
        let nan = if ty == types::F32 {
            self.builder.ins().f32const(Ieee32::with_bits(NAN_32))
        } else {
            self.builder.ins().f64const(Ieee64::with_bits(NAN_64))
        };
        self.builder.ins().jump(next, &[nan.into()]);
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
        exact
    }
}

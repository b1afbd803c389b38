//! NaNs. Arithmetic gives the canonical NaN, but only where bits can be observed does it matter which one there is: values that
//! arithmetic gave are marked, and made exact there.

use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::{InstBuilder, Type, Value, types};
use wasmparser::{Operator, ValType};

use super::{Operand, Translator, instructions};
use crate::compiler::Error;
use crate::env::Job;

/// The canonical NaNs.
pub(super) const NAN_32: u32 = 0x7fc0_0000;
pub(super) const NAN_64: u64 = 0x7ff8_0000_0000_0000;

/// As floats of which widths a value can be taken so that any NaN among them stands for the canonical one. For a vector it may be both:
/// a constant without NaNs, or zero.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Widths {
    is_32: bool,
    is_64: bool,
}

impl Widths {
    const NONE: Widths = Widths {
        is_32: false,
        is_64: false,
    };
    const ONLY_32: Widths = Widths {
        is_32: true,
        is_64: false,
    };
    const ONLY_64: Widths = Widths {
        is_32: false,
        is_64: true,
    };
    const BOTH: Widths = Widths {
        is_32: true,
        is_64: true,
    };

    fn and(self, other: Widths) -> Widths {
        Widths {
            is_32: self.is_32 && other.is_32,
            is_64: self.is_64 && other.is_64,
        }
    }
}

/// What the last instruction left on the stack.
#[derive(Clone, Copy)]
enum Producer {
    /// A result of arithmetic on floats, a constant, or what cannot be taken for either.
    Floats(Widths),
    /// The value of a local.
    Local(u32),
}

/// Which locals only ever hold zero or results of arithmetic on floats, and as which floats. They need no care until their bits are
/// observed; all others are made exact when they are set, since NaNs that are only copied keep their bits.
pub(super) fn arithmetic_locals(job: &Job<'_>) -> Result<Vec<Option<Type>>, Error> {
    let widths = job.locals.iter().map(|ty| match ty {
        ValType::F32 | ValType::F64 | ValType::V128 => Widths::BOTH,
        _ => Widths::NONE,
    });
    let mut widths: Vec<Widths> = widths.collect();
    widths[..job.ty.params().len()].fill(Widths::NONE);
    if widths.contains(&Widths::BOTH) {
        narrow_down(job, &mut widths)?;
    }
    let locals = job.locals.iter().zip(widths);
    let types = locals.map(|(ty, widths)| match (ty, widths) {
        (ValType::F32, Widths { is_32: true, .. }) => Some(types::F32),
        (ValType::F64, Widths { is_64: true, .. }) => Some(types::F64),
        (ValType::V128, Widths::ONLY_32) => Some(types::F32X4),
        (ValType::V128, Widths::ONLY_64) => Some(types::F64X2),
        // A vector that is never set but to constants has no type that is better than another.
        _ => None,
    });
    Ok(types.collect())
}

/// Takes the widths away that do not fit what locals are set to.
fn narrow_down(job: &Job<'_>, widths: &mut [Widths]) -> Result<(), Error> {
    // Copies from one local to another, which are followed at the end.
    let mut copies = Vec::new();
    let mut producer = Producer::Floats(Widths::NONE);
    for instruction in instructions(job) {
        let operator = instruction?.operator;
        if let Operator::LocalSet { local_index } | Operator::LocalTee { local_index } = operator {
            let to = local_index as usize;
            match producer {
                Producer::Floats(produced) => widths[to] = widths[to].and(produced),
                Producer::Local(from) => copies.push((from as usize, to)),
            }
        }
        producer = match operator {
            // It leaves what it took.
            Operator::LocalTee { .. } => producer,
            Operator::LocalGet { local_index } => Producer::Local(local_index),
            ref operator => Producer::Floats(produced_widths(operator)),
        };
    }
    loop {
        let mut is_stable = true;
        for &(from, to) in &copies {
            let both = widths[to].and(widths[from]);
            is_stable &= both == widths[to];
            widths[to] = both;
        }
        if is_stable {
            return Ok(());
        }
    }
}

/// As which floats an instruction's result can be taken.
fn produced_widths(operator: &Operator<'_>) -> Widths {
    match *operator {
        Operator::F32Const { value } => Widths {
            is_32: !f32::from_bits(value.bits()).is_nan(),
            is_64: false,
        },
        Operator::F64Const { value } => Widths {
            is_32: false,
            is_64: !f64::from_bits(value.bits()).is_nan(),
        },
        Operator::V128Const { value } => {
            let (lanes_32, _) = value.bytes().as_chunks::<4>();
            let (lanes_64, _) = value.bytes().as_chunks::<8>();
            Widths {
                is_32: !lanes_32
                    .iter()
                    .any(|&lane| f32::from_le_bytes(lane).is_nan()),
                is_64: !lanes_64
                    .iter()
                    .any(|&lane| f64::from_le_bytes(lane).is_nan()),
            }
        }
        _ if is_arithmetic_32(operator) => Widths::ONLY_32,
        _ if is_arithmetic_64(operator) => Widths::ONLY_64,
        _ => Widths::NONE,
    }
}

/// Whether an instruction gives floats whose NaNs are canonical, and takes all NaNs for the same.
pub(super) fn is_arithmetic(operator: &Operator<'_>) -> bool {
    is_arithmetic_32(operator) || is_arithmetic_64(operator)
}

/// Whether an instruction gives floats of 32 bits whose NaNs are canonical.
fn is_arithmetic_32(operator: &Operator<'_>) -> bool {
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
            | Op::F32x4Add
            | Op::F32x4Sub
            | Op::F32x4Mul
            | Op::F32x4Div
            | Op::F32x4Min
            | Op::F32x4Max
            | Op::F32x4Sqrt
            | Op::F32x4Ceil
            | Op::F32x4Floor
            | Op::F32x4Trunc
            | Op::F32x4Nearest
            | Op::F32x4RelaxedMin
            | Op::F32x4RelaxedMax
            | Op::F32x4RelaxedMadd
            | Op::F32x4RelaxedNmadd
            | Op::F32x4DemoteF64x2Zero
            | Op::F32x4ConvertI32x4S
            | Op::F32x4ConvertI32x4U
    )
}

/// Whether an instruction gives floats of 64 bits whose NaNs are canonical.
fn is_arithmetic_64(operator: &Operator<'_>) -> bool {
    use Operator as Op;
    matches!(
        operator,
        Op::F64Add
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
            | Op::F64x2Add
            | Op::F64x2Sub
            | Op::F64x2Mul
            | Op::F64x2Div
            | Op::F64x2Min
            | Op::F64x2Max
            | Op::F64x2Sqrt
            | Op::F64x2Ceil
            | Op::F64x2Floor
            | Op::F64x2Trunc
            | Op::F64x2Nearest
            | Op::F64x2RelaxedMin
            | Op::F64x2RelaxedMax
            | Op::F64x2RelaxedMadd
            | Op::F64x2RelaxedNmadd
            | Op::F64x2PromoteLowF32x4
            | Op::F64x2ConvertLowI32x4S
            | Op::F64x2ConvertLowI32x4U
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
        let nan = self.canonical_nan(ty);
        self.builder.ins().jump(next, &[nan.into()]);
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
        exact
    }

    pub(super) fn canonical_nan(&mut self, ty: Type) -> Value {
        if ty == types::F32 {
            self.builder.ins().f32const(Ieee32::with_bits(NAN_32))
        } else {
            self.builder.ins().f64const(Ieee64::with_bits(NAN_64))
        }
    }
}

//! Vector instructions as pure functions (WebAssembly 3.0, sections 4.3.4 and 4.4.4), with lane 0 in the lowest bits.
//!
//! What relaxed instructions leave open is chosen as the specification's deterministic profile has it.

use super::Float;
use super::lanes::{
    all, bitmask, extract, map, map_from, map_low, narrow, pairwise, replace, splat, zip, zip_from,
    zip_pairs, zip3,
};
use crate::isa::Op;

/// What a vector instruction does, as functions on vectors and on the cells of numbers.
#[derive(Clone, Copy, Debug)]
pub enum Vector {
    /// `[v128] -> [v128]`.
    Unary(fn(u128) -> u128),
    /// `[v128 v128] -> [v128]`.
    Binary(fn(u128, u128) -> u128),
    /// `[v128 v128 v128] -> [v128]`.
    Ternary(fn(u128, u128, u128) -> u128),
    /// `[v128 i32] -> [v128]`.
    Shift(fn(u128, u32) -> u128),
    /// `[v128] -> [i32]`.
    Test(fn(u128) -> u32),
    /// A number to a vector.
    Splat(fn(u64) -> u128),
    /// A lane as a number.
    Extract(fn(u128, u8) -> u64),
    /// A lane replaced by a number.
    Replace(fn(u128, u8, u64) -> u128),
    /// The 16 bytes in the code.
    Const,
    /// [`shuffle`] with the 16 indices in the code.
    Shuffle,
    /// A vector made from so many bytes of memory, at most 8.
    Load(u8, fn(u64) -> u128),
    /// The 16 bytes in memory.
    LoadWhole,
    /// 16 bytes to memory.
    StoreWhole,
    /// A lane of so many bytes replaced by what is in memory.
    LoadLane(u8, fn(u128, u8, u64) -> u128),
    /// A lane of so many bytes to memory.
    StoreLane(u8, fn(u128, u8) -> u64),
}

/// Picks each byte from the 32 of both, by indices below 32.
#[must_use]
pub fn shuffle(left: u128, right: u128, indices: u128) -> u128 {
    let (left, right) = (left.to_le_bytes(), right.to_le_bytes());
    map(indices, |index: u8| {
        let bytes = if index < 16 { &left } else { &right };
        bytes[usize::from(index % 16)]
    })
}

fn swizzle(bytes: u128, indices: u128) -> u128 {
    let bytes = bytes.to_le_bytes();
    map(indices, |index: u8| {
        bytes.get(usize::from(index)).copied().unwrap_or(0)
    })
}

fn bitselect(ones: u128, zeros: u128, mask: u128) -> u128 {
    ones & mask | zeros & !mask
}

/// Fixed-point numbers with 15 bits after the point.
fn q15mulr_sat(left: i16, right: i16) -> i16 {
    let product = (i32::from(left) * i32::from(right) + 0x4000) >> 15;
    product.min(i32::from(i16::MAX)) as i16
}

/// Products of 8-bit lanes, neighbours added.
fn dot_8(left: u128, right: u128) -> u128 {
    zip_pairs(left, right, |left: [i8; 2], right: [i8; 2]| {
        let product = |index: usize| i16::from(left[index]) * i16::from(right[index]);
        product(0).wrapping_add(product(1))
    })
}

fn pmin<F: PartialOrd>(left: F, right: F) -> F {
    if right < left { right } else { left }
}

fn pmax<F: PartialOrd>(left: F, right: F) -> F {
    if left < right { right } else { left }
}

/// What an instruction does with vectors; `None` when it is none of those.
#[must_use]
pub const fn vector(op: Op) -> Option<Vector> {
    Some(match op {
        Op::I8x16Abs => Vector::Unary(|v| map(v, i8::wrapping_abs)),
        Op::I8x16Neg => Vector::Unary(|v| map(v, i8::wrapping_neg)),
        Op::I16x8Abs => Vector::Unary(|v| map(v, i16::wrapping_abs)),
        Op::I16x8Neg => Vector::Unary(|v| map(v, i16::wrapping_neg)),
        Op::I32x4Abs => Vector::Unary(|v| map(v, i32::wrapping_abs)),
        Op::I32x4Neg => Vector::Unary(|v| map(v, i32::wrapping_neg)),
        Op::I64x2Abs => Vector::Unary(|v| map(v, i64::wrapping_abs)),
        Op::I64x2Neg => Vector::Unary(|v| map(v, i64::wrapping_neg)),
        Op::I8x16Popcnt => Vector::Unary(|v| map(v, |lane: u8| lane.count_ones() as u8)),
        Op::I16x8ExtendLowI8x16S => Vector::Unary(|v| map_from(v, 0, |lane: i8| i16::from(lane))),
        Op::I16x8ExtendLowI8x16U => Vector::Unary(|v| map_from(v, 0, |lane: u8| u16::from(lane))),
        Op::I16x8ExtendHighI8x16S => Vector::Unary(|v| map_from(v, 8, |lane: i8| i16::from(lane))),
        Op::I16x8ExtendHighI8x16U => Vector::Unary(|v| map_from(v, 8, |lane: u8| u16::from(lane))),
        Op::I16x8ExtAddPairwiseI8x16S => {
            Vector::Unary(|v| pairwise(v, |l: i8, r: i8| i16::from(l) + i16::from(r)))
        }
        Op::I16x8ExtAddPairwiseI8x16U => {
            Vector::Unary(|v| pairwise(v, |l: u8, r: u8| u16::from(l) + u16::from(r)))
        }
        Op::I32x4ExtendLowI16x8S => Vector::Unary(|v| map_from(v, 0, |lane: i16| i32::from(lane))),
        Op::I32x4ExtendLowI16x8U => Vector::Unary(|v| map_from(v, 0, |lane: u16| u32::from(lane))),
        Op::I32x4ExtendHighI16x8S => Vector::Unary(|v| map_from(v, 4, |lane: i16| i32::from(lane))),
        Op::I32x4ExtendHighI16x8U => Vector::Unary(|v| map_from(v, 4, |lane: u16| u32::from(lane))),
        Op::I32x4ExtAddPairwiseI16x8S => {
            Vector::Unary(|v| pairwise(v, |l: i16, r: i16| i32::from(l) + i32::from(r)))
        }
        Op::I32x4ExtAddPairwiseI16x8U => {
            Vector::Unary(|v| pairwise(v, |l: u16, r: u16| u32::from(l) + u32::from(r)))
        }
        Op::I64x2ExtendLowI32x4S => Vector::Unary(|v| map_from(v, 0, |lane: i32| i64::from(lane))),
        Op::I64x2ExtendLowI32x4U => Vector::Unary(|v| map_from(v, 0, |lane: u32| u64::from(lane))),
        Op::I64x2ExtendHighI32x4S => Vector::Unary(|v| map_from(v, 2, |lane: i32| i64::from(lane))),
        Op::I64x2ExtendHighI32x4U => Vector::Unary(|v| map_from(v, 2, |lane: u32| u64::from(lane))),
        Op::F32x4Abs => Vector::Unary(|v| map(v, |lane: u32| lane & !0x8000_0000)),
        Op::F32x4Neg => Vector::Unary(|v| map(v, |lane: u32| lane ^ 0x8000_0000)),
        Op::F32x4Ceil => Vector::Unary(|v| map(v, <f32 as Float>::ceil)),
        Op::F32x4Floor => Vector::Unary(|v| map(v, <f32 as Float>::floor)),
        Op::F32x4Trunc => Vector::Unary(|v| map(v, <f32 as Float>::trunc)),
        Op::F32x4Nearest => Vector::Unary(|v| map(v, <f32 as Float>::nearest)),
        Op::F32x4Sqrt => Vector::Unary(|v| map(v, <f32 as Float>::sqrt)),
        Op::F64x2Abs => Vector::Unary(|v| map(v, |lane: u64| lane & !(1 << 63))),
        Op::F64x2Neg => Vector::Unary(|v| map(v, |lane: u64| lane ^ 1 << 63)),
        Op::F64x2Ceil => Vector::Unary(|v| map(v, <f64 as Float>::ceil)),
        Op::F64x2Floor => Vector::Unary(|v| map(v, <f64 as Float>::floor)),
        Op::F64x2Trunc => Vector::Unary(|v| map(v, <f64 as Float>::trunc)),
        Op::F64x2Nearest => Vector::Unary(|v| map(v, <f64 as Float>::nearest)),
        Op::F64x2Sqrt => Vector::Unary(|v| map(v, <f64 as Float>::sqrt)),
        Op::I32x4TruncSatF32x4S => Vector::Unary(|v| map(v, |lane: f32| lane as i32)),
        Op::I32x4TruncSatF64x2SZero => Vector::Unary(|v| map_low(v, |lane: f64| lane as i32)),
        Op::I32x4TruncSatF32x4U => Vector::Unary(|v| map(v, |lane: f32| lane as u32)),
        Op::I32x4TruncSatF64x2UZero => Vector::Unary(|v| map_low(v, |lane: f64| lane as u32)),
        Op::I32x4RelaxedTruncF32x4S => Vector::Unary(|v| map(v, |lane: f32| lane as i32)),
        Op::I32x4RelaxedTruncF64x2SZero => Vector::Unary(|v| map_low(v, |lane: f64| lane as i32)),
        Op::I32x4RelaxedTruncF32x4U => Vector::Unary(|v| map(v, |lane: f32| lane as u32)),
        Op::I32x4RelaxedTruncF64x2UZero => Vector::Unary(|v| map_low(v, |lane: f64| lane as u32)),
        Op::F32x4ConvertI32x4S => Vector::Unary(|v| map(v, |lane: i32| lane as f32)),
        Op::F64x2ConvertLowI32x4S => Vector::Unary(|v| map_from(v, 0, |lane: i32| f64::from(lane))),
        Op::F32x4ConvertI32x4U => Vector::Unary(|v| map(v, |lane: u32| lane as f32)),
        Op::F64x2ConvertLowI32x4U => Vector::Unary(|v| map_from(v, 0, |lane: u32| f64::from(lane))),
        Op::F32x4DemoteF64x2Zero => {
            Vector::Unary(|v| map_low(v, |lane: f64| (lane as f32).canonical()))
        }
        Op::F64x2PromoteLowF32x4 => {
            Vector::Unary(|v| map_from(v, 0, |lane: f32| f64::from(lane).canonical()))
        }
        Op::V128Not => Vector::Unary(|v| !v),
        Op::I8x16Eq => Vector::Binary(|l, r| zip(l, r, |l: i8, r: i8| -i8::from(l == r))),
        Op::I8x16Ne => Vector::Binary(|l, r| zip(l, r, |l: i8, r: i8| -i8::from(l != r))),
        Op::I8x16LtS => Vector::Binary(|l, r| zip(l, r, |l: i8, r: i8| -i8::from(l < r))),
        Op::I8x16LtU => Vector::Binary(|l, r| zip(l, r, |l: u8, r: u8| -i8::from(l < r))),
        Op::I8x16GtS => Vector::Binary(|l, r| zip(l, r, |l: i8, r: i8| -i8::from(l > r))),
        Op::I8x16GtU => Vector::Binary(|l, r| zip(l, r, |l: u8, r: u8| -i8::from(l > r))),
        Op::I8x16LeS => Vector::Binary(|l, r| zip(l, r, |l: i8, r: i8| -i8::from(l <= r))),
        Op::I8x16LeU => Vector::Binary(|l, r| zip(l, r, |l: u8, r: u8| -i8::from(l <= r))),
        Op::I8x16GeS => Vector::Binary(|l, r| zip(l, r, |l: i8, r: i8| -i8::from(l >= r))),
        Op::I8x16GeU => Vector::Binary(|l, r| zip(l, r, |l: u8, r: u8| -i8::from(l >= r))),
        Op::I8x16Add => Vector::Binary(|l, r| zip(l, r, i8::wrapping_add)),
        Op::I8x16Sub => Vector::Binary(|l, r| zip(l, r, i8::wrapping_sub)),
        Op::I8x16MinS => Vector::Binary(|l, r| zip(l, r, <i8 as Ord>::min)),
        Op::I8x16MinU => Vector::Binary(|l, r| zip(l, r, <u8 as Ord>::min)),
        Op::I8x16MaxS => Vector::Binary(|l, r| zip(l, r, <i8 as Ord>::max)),
        Op::I8x16MaxU => Vector::Binary(|l, r| zip(l, r, <u8 as Ord>::max)),
        Op::I8x16AddSatS => Vector::Binary(|l, r| zip(l, r, i8::saturating_add)),
        Op::I8x16AddSatU => Vector::Binary(|l, r| zip(l, r, u8::saturating_add)),
        Op::I8x16SubSatS => Vector::Binary(|l, r| zip(l, r, i8::saturating_sub)),
        Op::I8x16SubSatU => Vector::Binary(|l, r| zip(l, r, u8::saturating_sub)),
        Op::I8x16AvgrU => Vector::Binary(|l, r| {
            zip(l, r, |l: u8, r: u8| {
                (u16::from(l) + u16::from(r)).div_ceil(2) as u8
            })
        }),
        Op::I16x8Eq => Vector::Binary(|l, r| zip(l, r, |l: i16, r: i16| -i16::from(l == r))),
        Op::I16x8Ne => Vector::Binary(|l, r| zip(l, r, |l: i16, r: i16| -i16::from(l != r))),
        Op::I16x8LtS => Vector::Binary(|l, r| zip(l, r, |l: i16, r: i16| -i16::from(l < r))),
        Op::I16x8LtU => Vector::Binary(|l, r| zip(l, r, |l: u16, r: u16| -i16::from(l < r))),
        Op::I16x8GtS => Vector::Binary(|l, r| zip(l, r, |l: i16, r: i16| -i16::from(l > r))),
        Op::I16x8GtU => Vector::Binary(|l, r| zip(l, r, |l: u16, r: u16| -i16::from(l > r))),
        Op::I16x8LeS => Vector::Binary(|l, r| zip(l, r, |l: i16, r: i16| -i16::from(l <= r))),
        Op::I16x8LeU => Vector::Binary(|l, r| zip(l, r, |l: u16, r: u16| -i16::from(l <= r))),
        Op::I16x8GeS => Vector::Binary(|l, r| zip(l, r, |l: i16, r: i16| -i16::from(l >= r))),
        Op::I16x8GeU => Vector::Binary(|l, r| zip(l, r, |l: u16, r: u16| -i16::from(l >= r))),
        Op::I16x8Add => Vector::Binary(|l, r| zip(l, r, i16::wrapping_add)),
        Op::I16x8Sub => Vector::Binary(|l, r| zip(l, r, i16::wrapping_sub)),
        Op::I16x8Mul => Vector::Binary(|l, r| zip(l, r, i16::wrapping_mul)),
        Op::I16x8MinS => Vector::Binary(|l, r| zip(l, r, <i16 as Ord>::min)),
        Op::I16x8MinU => Vector::Binary(|l, r| zip(l, r, <u16 as Ord>::min)),
        Op::I16x8MaxS => Vector::Binary(|l, r| zip(l, r, <i16 as Ord>::max)),
        Op::I16x8MaxU => Vector::Binary(|l, r| zip(l, r, <u16 as Ord>::max)),
        Op::I16x8AddSatS => Vector::Binary(|l, r| zip(l, r, i16::saturating_add)),
        Op::I16x8AddSatU => Vector::Binary(|l, r| zip(l, r, u16::saturating_add)),
        Op::I16x8SubSatS => Vector::Binary(|l, r| zip(l, r, i16::saturating_sub)),
        Op::I16x8SubSatU => Vector::Binary(|l, r| zip(l, r, u16::saturating_sub)),
        Op::I16x8AvgrU => Vector::Binary(|l, r| {
            zip(l, r, |l: u16, r: u16| {
                (u32::from(l) + u32::from(r)).div_ceil(2) as u16
            })
        }),
        Op::I32x4Eq => Vector::Binary(|l, r| zip(l, r, |l: i32, r: i32| -i32::from(l == r))),
        Op::I32x4Ne => Vector::Binary(|l, r| zip(l, r, |l: i32, r: i32| -i32::from(l != r))),
        Op::I32x4LtS => Vector::Binary(|l, r| zip(l, r, |l: i32, r: i32| -i32::from(l < r))),
        Op::I32x4LtU => Vector::Binary(|l, r| zip(l, r, |l: u32, r: u32| -i32::from(l < r))),
        Op::I32x4GtS => Vector::Binary(|l, r| zip(l, r, |l: i32, r: i32| -i32::from(l > r))),
        Op::I32x4GtU => Vector::Binary(|l, r| zip(l, r, |l: u32, r: u32| -i32::from(l > r))),
        Op::I32x4LeS => Vector::Binary(|l, r| zip(l, r, |l: i32, r: i32| -i32::from(l <= r))),
        Op::I32x4LeU => Vector::Binary(|l, r| zip(l, r, |l: u32, r: u32| -i32::from(l <= r))),
        Op::I32x4GeS => Vector::Binary(|l, r| zip(l, r, |l: i32, r: i32| -i32::from(l >= r))),
        Op::I32x4GeU => Vector::Binary(|l, r| zip(l, r, |l: u32, r: u32| -i32::from(l >= r))),
        Op::I32x4Add => Vector::Binary(|l, r| zip(l, r, i32::wrapping_add)),
        Op::I32x4Sub => Vector::Binary(|l, r| zip(l, r, i32::wrapping_sub)),
        Op::I32x4Mul => Vector::Binary(|l, r| zip(l, r, i32::wrapping_mul)),
        Op::I32x4MinS => Vector::Binary(|l, r| zip(l, r, <i32 as Ord>::min)),
        Op::I32x4MinU => Vector::Binary(|l, r| zip(l, r, <u32 as Ord>::min)),
        Op::I32x4MaxS => Vector::Binary(|l, r| zip(l, r, <i32 as Ord>::max)),
        Op::I32x4MaxU => Vector::Binary(|l, r| zip(l, r, <u32 as Ord>::max)),
        Op::I64x2Eq => Vector::Binary(|l, r| zip(l, r, |l: i64, r: i64| -i64::from(l == r))),
        Op::I64x2Ne => Vector::Binary(|l, r| zip(l, r, |l: i64, r: i64| -i64::from(l != r))),
        Op::I64x2LtS => Vector::Binary(|l, r| zip(l, r, |l: i64, r: i64| -i64::from(l < r))),
        Op::I64x2GtS => Vector::Binary(|l, r| zip(l, r, |l: i64, r: i64| -i64::from(l > r))),
        Op::I64x2LeS => Vector::Binary(|l, r| zip(l, r, |l: i64, r: i64| -i64::from(l <= r))),
        Op::I64x2GeS => Vector::Binary(|l, r| zip(l, r, |l: i64, r: i64| -i64::from(l >= r))),
        Op::I64x2Add => Vector::Binary(|l, r| zip(l, r, i64::wrapping_add)),
        Op::I64x2Sub => Vector::Binary(|l, r| zip(l, r, i64::wrapping_sub)),
        Op::I64x2Mul => Vector::Binary(|l, r| zip(l, r, i64::wrapping_mul)),
        Op::I16x8ExtMulLowI8x16S => {
            Vector::Binary(|l, r| zip_from(l, r, 0, |l: i8, r: i8| i16::from(l) * i16::from(r)))
        }
        Op::I16x8ExtMulLowI8x16U => {
            Vector::Binary(|l, r| zip_from(l, r, 0, |l: u8, r: u8| u16::from(l) * u16::from(r)))
        }
        Op::I16x8ExtMulHighI8x16S => {
            Vector::Binary(|l, r| zip_from(l, r, 8, |l: i8, r: i8| i16::from(l) * i16::from(r)))
        }
        Op::I16x8ExtMulHighI8x16U => {
            Vector::Binary(|l, r| zip_from(l, r, 8, |l: u8, r: u8| u16::from(l) * u16::from(r)))
        }
        Op::I32x4ExtMulLowI16x8S => {
            Vector::Binary(|l, r| zip_from(l, r, 0, |l: i16, r: i16| i32::from(l) * i32::from(r)))
        }
        Op::I32x4ExtMulLowI16x8U => {
            Vector::Binary(|l, r| zip_from(l, r, 0, |l: u16, r: u16| u32::from(l) * u32::from(r)))
        }
        Op::I32x4ExtMulHighI16x8S => {
            Vector::Binary(|l, r| zip_from(l, r, 4, |l: i16, r: i16| i32::from(l) * i32::from(r)))
        }
        Op::I32x4ExtMulHighI16x8U => {
            Vector::Binary(|l, r| zip_from(l, r, 4, |l: u16, r: u16| u32::from(l) * u32::from(r)))
        }
        Op::I64x2ExtMulLowI32x4S => {
            Vector::Binary(|l, r| zip_from(l, r, 0, |l: i32, r: i32| i64::from(l) * i64::from(r)))
        }
        Op::I64x2ExtMulLowI32x4U => {
            Vector::Binary(|l, r| zip_from(l, r, 0, |l: u32, r: u32| u64::from(l) * u64::from(r)))
        }
        Op::I64x2ExtMulHighI32x4S => {
            Vector::Binary(|l, r| zip_from(l, r, 2, |l: i32, r: i32| i64::from(l) * i64::from(r)))
        }
        Op::I64x2ExtMulHighI32x4U => {
            Vector::Binary(|l, r| zip_from(l, r, 2, |l: u32, r: u32| u64::from(l) * u64::from(r)))
        }
        Op::I8x16NarrowI16x8S => Vector::Binary(|l, r| {
            narrow(l, r, |lane: i16| {
                lane.clamp(i8::MIN.into(), i8::MAX.into()) as i8
            })
        }),
        Op::I8x16NarrowI16x8U => {
            Vector::Binary(|l, r| narrow(l, r, |lane: i16| lane.clamp(0, i16::from(u8::MAX)) as u8))
        }
        Op::I16x8NarrowI32x4S => Vector::Binary(|l, r| {
            narrow(l, r, |lane: i32| {
                lane.clamp(i16::MIN.into(), i16::MAX.into()) as i16
            })
        }),
        Op::I16x8NarrowI32x4U => Vector::Binary(|l, r| {
            narrow(l, r, |lane: i32| lane.clamp(0, i32::from(u16::MAX)) as u16)
        }),
        Op::I32x4DotI16x8S => Vector::Binary(|l, r| {
            zip_pairs(l, r, |l: [i16; 2], r: [i16; 2]| {
                (i32::from(l[0]) * i32::from(r[0])).wrapping_add(i32::from(l[1]) * i32::from(r[1]))
            })
        }),
        Op::I16x8Q15MulrSatS => Vector::Binary(|l, r| zip(l, r, q15mulr_sat)),
        Op::I16x8RelaxedQ15mulrS => Vector::Binary(|l, r| zip(l, r, q15mulr_sat)),
        Op::I8x16Swizzle => Vector::Binary(|l, r| swizzle(l, r)),
        Op::I8x16RelaxedSwizzle => Vector::Binary(|l, r| swizzle(l, r)),
        Op::I16x8RelaxedDotI8x16I7x16S => Vector::Binary(|l, r| dot_8(l, r)),
        Op::F32x4Eq => Vector::Binary(|l, r| zip(l, r, |l: f32, r: f32| -i32::from(l == r))),
        Op::F32x4Ne => Vector::Binary(|l, r| zip(l, r, |l: f32, r: f32| -i32::from(l != r))),
        Op::F32x4Lt => Vector::Binary(|l, r| zip(l, r, |l: f32, r: f32| -i32::from(l < r))),
        Op::F32x4Gt => Vector::Binary(|l, r| zip(l, r, |l: f32, r: f32| -i32::from(l > r))),
        Op::F32x4Le => Vector::Binary(|l, r| zip(l, r, |l: f32, r: f32| -i32::from(l <= r))),
        Op::F32x4Ge => Vector::Binary(|l, r| zip(l, r, |l: f32, r: f32| -i32::from(l >= r))),
        Op::F32x4Add => Vector::Binary(|l, r| zip(l, r, |l: f32, r: f32| (l + r).canonical())),
        Op::F32x4Sub => Vector::Binary(|l, r| zip(l, r, |l: f32, r: f32| (l - r).canonical())),
        Op::F32x4Mul => Vector::Binary(|l, r| zip(l, r, |l: f32, r: f32| (l * r).canonical())),
        Op::F32x4Div => Vector::Binary(|l, r| zip(l, r, |l: f32, r: f32| (l / r).canonical())),
        Op::F32x4Min => Vector::Binary(|l, r| zip(l, r, <f32 as Float>::min)),
        Op::F32x4RelaxedMin => Vector::Binary(|l, r| zip(l, r, <f32 as Float>::min)),
        Op::F32x4PMin => Vector::Binary(|l, r| zip(l, r, pmin::<f32>)),
        Op::F32x4Max => Vector::Binary(|l, r| zip(l, r, <f32 as Float>::max)),
        Op::F32x4RelaxedMax => Vector::Binary(|l, r| zip(l, r, <f32 as Float>::max)),
        Op::F32x4PMax => Vector::Binary(|l, r| zip(l, r, pmax::<f32>)),
        Op::F64x2Eq => Vector::Binary(|l, r| zip(l, r, |l: f64, r: f64| -i64::from(l == r))),
        Op::F64x2Ne => Vector::Binary(|l, r| zip(l, r, |l: f64, r: f64| -i64::from(l != r))),
        Op::F64x2Lt => Vector::Binary(|l, r| zip(l, r, |l: f64, r: f64| -i64::from(l < r))),
        Op::F64x2Gt => Vector::Binary(|l, r| zip(l, r, |l: f64, r: f64| -i64::from(l > r))),
        Op::F64x2Le => Vector::Binary(|l, r| zip(l, r, |l: f64, r: f64| -i64::from(l <= r))),
        Op::F64x2Ge => Vector::Binary(|l, r| zip(l, r, |l: f64, r: f64| -i64::from(l >= r))),
        Op::F64x2Add => Vector::Binary(|l, r| zip(l, r, |l: f64, r: f64| (l + r).canonical())),
        Op::F64x2Sub => Vector::Binary(|l, r| zip(l, r, |l: f64, r: f64| (l - r).canonical())),
        Op::F64x2Mul => Vector::Binary(|l, r| zip(l, r, |l: f64, r: f64| (l * r).canonical())),
        Op::F64x2Div => Vector::Binary(|l, r| zip(l, r, |l: f64, r: f64| (l / r).canonical())),
        Op::F64x2Min => Vector::Binary(|l, r| zip(l, r, <f64 as Float>::min)),
        Op::F64x2RelaxedMin => Vector::Binary(|l, r| zip(l, r, <f64 as Float>::min)),
        Op::F64x2PMin => Vector::Binary(|l, r| zip(l, r, pmin::<f64>)),
        Op::F64x2Max => Vector::Binary(|l, r| zip(l, r, <f64 as Float>::max)),
        Op::F64x2RelaxedMax => Vector::Binary(|l, r| zip(l, r, <f64 as Float>::max)),
        Op::F64x2PMax => Vector::Binary(|l, r| zip(l, r, pmax::<f64>)),
        Op::V128And => Vector::Binary(|l, r| l & r),
        Op::V128AndNot => Vector::Binary(|l, r| l & !r),
        Op::V128Or => Vector::Binary(|l, r| l | r),
        Op::V128Xor => Vector::Binary(|l, r| l ^ r),
        Op::F32x4RelaxedMadd => Vector::Ternary(|a, b, c| {
            zip3(a, b, c, |a: f32, b: f32, c: f32| {
                a.mul_add(b, c).canonical()
            })
        }),
        Op::F32x4RelaxedNmadd => Vector::Ternary(|a, b, c| {
            zip3(a, b, c, |a: f32, b: f32, c: f32| {
                (-a).mul_add(b, c).canonical()
            })
        }),
        Op::F64x2RelaxedMadd => Vector::Ternary(|a, b, c| {
            zip3(a, b, c, |a: f64, b: f64, c: f64| {
                a.mul_add(b, c).canonical()
            })
        }),
        Op::F64x2RelaxedNmadd => Vector::Ternary(|a, b, c| {
            zip3(a, b, c, |a: f64, b: f64, c: f64| {
                (-a).mul_add(b, c).canonical()
            })
        }),
        Op::V128Bitselect => Vector::Ternary(|a, b, c| bitselect(a, b, c)),
        Op::I8x16RelaxedLaneselect => Vector::Ternary(|a, b, c| bitselect(a, b, c)),
        Op::I16x8RelaxedLaneselect => Vector::Ternary(|a, b, c| bitselect(a, b, c)),
        Op::I32x4RelaxedLaneselect => Vector::Ternary(|a, b, c| bitselect(a, b, c)),
        Op::I64x2RelaxedLaneselect => Vector::Ternary(|a, b, c| bitselect(a, b, c)),
        Op::I32x4RelaxedDotI8x16I7x16AddS => Vector::Ternary(|a, b, c| {
            let products = pairwise(dot_8(a, b), |l: i16, r: i16| i32::from(l) + i32::from(r));
            zip(products, c, i32::wrapping_add)
        }),
        Op::I8x16Shl => Vector::Shift(|v, count| map(v, |lane: i8| lane.wrapping_shl(count))),
        Op::I8x16ShrS => Vector::Shift(|v, count| map(v, |lane: i8| lane.wrapping_shr(count))),
        Op::I8x16ShrU => Vector::Shift(|v, count| map(v, |lane: u8| lane.wrapping_shr(count))),
        Op::I16x8Shl => Vector::Shift(|v, count| map(v, |lane: i16| lane.wrapping_shl(count))),
        Op::I16x8ShrS => Vector::Shift(|v, count| map(v, |lane: i16| lane.wrapping_shr(count))),
        Op::I16x8ShrU => Vector::Shift(|v, count| map(v, |lane: u16| lane.wrapping_shr(count))),
        Op::I32x4Shl => Vector::Shift(|v, count| map(v, |lane: i32| lane.wrapping_shl(count))),
        Op::I32x4ShrS => Vector::Shift(|v, count| map(v, |lane: i32| lane.wrapping_shr(count))),
        Op::I32x4ShrU => Vector::Shift(|v, count| map(v, |lane: u32| lane.wrapping_shr(count))),
        Op::I64x2Shl => Vector::Shift(|v, count| map(v, |lane: i64| lane.wrapping_shl(count))),
        Op::I64x2ShrS => Vector::Shift(|v, count| map(v, |lane: i64| lane.wrapping_shr(count))),
        Op::I64x2ShrU => Vector::Shift(|v, count| map(v, |lane: u64| lane.wrapping_shr(count))),
        Op::I8x16AllTrue => Vector::Test(|v| all(v, |lane: i8| lane != 0)),
        Op::I8x16Bitmask => Vector::Test(|v| bitmask(v, |lane: i8| lane < 0)),
        Op::I16x8AllTrue => Vector::Test(|v| all(v, |lane: i16| lane != 0)),
        Op::I16x8Bitmask => Vector::Test(|v| bitmask(v, |lane: i16| lane < 0)),
        Op::I32x4AllTrue => Vector::Test(|v| all(v, |lane: i32| lane != 0)),
        Op::I32x4Bitmask => Vector::Test(|v| bitmask(v, |lane: i32| lane < 0)),
        Op::I64x2AllTrue => Vector::Test(|v| all(v, |lane: i64| lane != 0)),
        Op::I64x2Bitmask => Vector::Test(|v| bitmask(v, |lane: i64| lane < 0)),
        Op::V128AnyTrue => Vector::Test(|v| u32::from(v != 0)),
        Op::I8x16Splat => Vector::Splat(|cell| splat(cell as u8)),
        Op::I16x8Splat => Vector::Splat(|cell| splat(cell as u16)),
        Op::I32x4Splat => Vector::Splat(|cell| splat(cell as u32)),
        Op::I64x2Splat => Vector::Splat(|cell| splat(cell as u64)),
        Op::F32x4Splat => Vector::Splat(|cell| splat(cell as u32)),
        Op::F64x2Splat => Vector::Splat(|cell| splat(cell as u64)),
        Op::I8x16ExtractLaneS => {
            Vector::Extract(|v, lane| u64::from(i32::from(extract::<i8, 16>(v, lane)) as u32))
        }
        Op::I8x16ExtractLaneU => Vector::Extract(|v, lane| u64::from(extract::<u8, 16>(v, lane))),
        Op::I16x8ExtractLaneS => {
            Vector::Extract(|v, lane| u64::from(i32::from(extract::<i16, 8>(v, lane)) as u32))
        }
        Op::I16x8ExtractLaneU => Vector::Extract(|v, lane| u64::from(extract::<u16, 8>(v, lane))),
        Op::I32x4ExtractLane => Vector::Extract(|v, lane| u64::from(extract::<u32, 4>(v, lane))),
        Op::I64x2ExtractLane => Vector::Extract(|v, lane| u64::from(extract::<u64, 2>(v, lane))),
        Op::F32x4ExtractLane => Vector::Extract(|v, lane| u64::from(extract::<u32, 4>(v, lane))),
        Op::F64x2ExtractLane => Vector::Extract(|v, lane| u64::from(extract::<u64, 2>(v, lane))),
        Op::I8x16ReplaceLane => Vector::Replace(|v, lane, cell| replace(v, lane, cell as u8)),
        Op::I16x8ReplaceLane => Vector::Replace(|v, lane, cell| replace(v, lane, cell as u16)),
        Op::I32x4ReplaceLane => Vector::Replace(|v, lane, cell| replace(v, lane, cell as u32)),
        Op::I64x2ReplaceLane => Vector::Replace(|v, lane, cell| replace(v, lane, cell as u64)),
        Op::F32x4ReplaceLane => Vector::Replace(|v, lane, cell| replace(v, lane, cell as u32)),
        Op::F64x2ReplaceLane => Vector::Replace(|v, lane, cell| replace(v, lane, cell as u64)),
        Op::V128Load8Splat => Vector::Load(1, |bytes| splat(bytes as u8)),
        Op::V128Load8Lane => Vector::LoadLane(1, |v, lane, bytes| replace(v, lane, bytes as u8)),
        Op::V128Store8Lane => Vector::StoreLane(1, |v, lane| u64::from(extract::<u8, 16>(v, lane))),
        Op::V128Load16Splat => Vector::Load(2, |bytes| splat(bytes as u16)),
        Op::V128Load16Lane => Vector::LoadLane(2, |v, lane, bytes| replace(v, lane, bytes as u16)),
        Op::V128Store16Lane => {
            Vector::StoreLane(2, |v, lane| u64::from(extract::<u16, 8>(v, lane)))
        }
        Op::V128Load32Splat => Vector::Load(4, |bytes| splat(bytes as u32)),
        Op::V128Load32Zero => Vector::Load(4, |bytes| u128::from(bytes)),
        Op::V128Load32Lane => Vector::LoadLane(4, |v, lane, bytes| replace(v, lane, bytes as u32)),
        Op::V128Store32Lane => {
            Vector::StoreLane(4, |v, lane| u64::from(extract::<u32, 4>(v, lane)))
        }
        Op::V128Load64Splat => Vector::Load(8, |bytes| splat(bytes as u64)),
        Op::V128Load64Zero => Vector::Load(8, |bytes| u128::from(bytes)),
        Op::V128Load64Lane => Vector::LoadLane(8, |v, lane, bytes| replace(v, lane, bytes as u64)),
        Op::V128Store64Lane => {
            Vector::StoreLane(8, |v, lane| u64::from(extract::<u64, 2>(v, lane)))
        }
        Op::V128Load8x8S => Vector::Load(8, |bytes| {
            map_from(u128::from(bytes), 0, |lane: i8| i16::from(lane))
        }),
        Op::V128Load8x8U => Vector::Load(8, |bytes| {
            map_from(u128::from(bytes), 0, |lane: u8| u16::from(lane))
        }),
        Op::V128Load16x4S => Vector::Load(8, |bytes| {
            map_from(u128::from(bytes), 0, |lane: i16| i32::from(lane))
        }),
        Op::V128Load16x4U => Vector::Load(8, |bytes| {
            map_from(u128::from(bytes), 0, |lane: u16| u32::from(lane))
        }),
        Op::V128Load32x2S => Vector::Load(8, |bytes| {
            map_from(u128::from(bytes), 0, |lane: i32| i64::from(lane))
        }),
        Op::V128Load32x2U => Vector::Load(8, |bytes| {
            map_from(u128::from(bytes), 0, |lane: u32| u64::from(lane))
        }),
        Op::V128Const => Vector::Const,
        Op::I8x16Shuffle => Vector::Shuffle,
        Op::V128Load => Vector::LoadWhole,
        Op::V128Store => Vector::StoreWhole,
        _ => return None,
    })
}

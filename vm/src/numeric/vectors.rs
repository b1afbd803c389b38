//! Vector instructions as pure functions (WebAssembly 3.0, sections 4.3.4 and 4.4.4), with lane 0 in the lowest bits.
//!
//! What relaxed instructions leave open is chosen as the specification's deterministic profile has it (section 4.3.5): multiply-add
//! is not fused, the dot product takes both operands as signed and saturates, all others are as their counterparts.

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

/// Products of 8-bit lanes, neighbours added: what exceeds a lane becomes as large as can be.
fn dot_8(left: u128, right: u128) -> u128 {
    zip_pairs(left, right, |left: [i8; 2], right: [i8; 2]| {
        let product = |index: usize| i16::from(left[index]) * i16::from(right[index]);
        product(0).saturating_add(product(1))
    })
}

/// Products of 16-bit lanes, neighbours added.
fn dot_16(left: u128, right: u128) -> u128 {
    zip_pairs(left, right, |left: [i16; 2], right: [i16; 2]| {
        let product = |index: usize| i32::from(left[index]) * i32::from(right[index]);
        product(0).wrapping_add(product(1))
    })
}

fn pmin<F: PartialOrd>(left: F, right: F) -> F {
    if right < left { right } else { left }
}

fn pmax<F: PartialOrd>(left: F, right: F) -> F {
    if left < right { right } else { left }
}

/// `vectors! { Binary(l, r) { I8x16Add => zip(l, r, i8::wrapping_add); } }` makes what `i8x16.add` does. A size in brackets is the
/// number of bytes of an access.
macro_rules! vectors {
    (@function ($($operand:ident),*) $result:expr) => {
        |$($operand),*| $result
    };
    ($($kind:ident $operands:tt { $($op:ident $(| $same:ident)* $([$size:literal])? => $result:expr;)* })*) => {
        /// What an instruction does with vectors; `None` when it is none of those.
        #[must_use]
        pub const fn vector(op: Op) -> Option<Vector> {
            Some(match op {
                $($(Op::$op $(| Op::$same)* => Vector::$kind($($size,)? vectors!(@function $operands $result)),)*)*
                Op::V128Const => Vector::Const,
                Op::I8x16Shuffle => Vector::Shuffle,
                Op::V128Load => Vector::LoadWhole,
                Op::V128Store => Vector::StoreWhole,
                _ => return None,
            })
        }
    };
}
vectors! {
    Unary(v) {
        I8x16Abs => map(v, i8::wrapping_abs);
        I8x16Neg => map(v, i8::wrapping_neg);
        I16x8Abs => map(v, i16::wrapping_abs);
        I16x8Neg => map(v, i16::wrapping_neg);
        I32x4Abs => map(v, i32::wrapping_abs);
        I32x4Neg => map(v, i32::wrapping_neg);
        I64x2Abs => map(v, i64::wrapping_abs);
        I64x2Neg => map(v, i64::wrapping_neg);
        I8x16Popcnt => map(v, |lane: u8| lane.count_ones() as u8);
        I16x8ExtendLowI8x16S => map_from(v, 0, |lane: i8| i16::from(lane));
        I16x8ExtendLowI8x16U => map_from(v, 0, |lane: u8| u16::from(lane));
        I16x8ExtendHighI8x16S => map_from(v, 8, |lane: i8| i16::from(lane));
        I16x8ExtendHighI8x16U => map_from(v, 8, |lane: u8| u16::from(lane));
        I16x8ExtAddPairwiseI8x16S => pairwise(v, |l: i8, r: i8| i16::from(l) + i16::from(r));
        I16x8ExtAddPairwiseI8x16U => pairwise(v, |l: u8, r: u8| u16::from(l) + u16::from(r));
        I32x4ExtendLowI16x8S => map_from(v, 0, |lane: i16| i32::from(lane));
        I32x4ExtendLowI16x8U => map_from(v, 0, |lane: u16| u32::from(lane));
        I32x4ExtendHighI16x8S => map_from(v, 4, |lane: i16| i32::from(lane));
        I32x4ExtendHighI16x8U => map_from(v, 4, |lane: u16| u32::from(lane));
        I32x4ExtAddPairwiseI16x8S => pairwise(v, |l: i16, r: i16| i32::from(l) + i32::from(r));
        I32x4ExtAddPairwiseI16x8U => pairwise(v, |l: u16, r: u16| u32::from(l) + u32::from(r));
        I64x2ExtendLowI32x4S => map_from(v, 0, |lane: i32| i64::from(lane));
        I64x2ExtendLowI32x4U => map_from(v, 0, |lane: u32| u64::from(lane));
        I64x2ExtendHighI32x4S => map_from(v, 2, |lane: i32| i64::from(lane));
        I64x2ExtendHighI32x4U => map_from(v, 2, |lane: u32| u64::from(lane));
        F32x4Abs => map(v, |lane: u32| lane & !0x8000_0000);
        F32x4Neg => map(v, |lane: u32| lane ^ 0x8000_0000);
        F32x4Ceil => map(v, <f32 as Float>::ceil);
        F32x4Floor => map(v, <f32 as Float>::floor);
        F32x4Trunc => map(v, <f32 as Float>::trunc);
        F32x4Nearest => map(v, <f32 as Float>::nearest);
        F32x4Sqrt => map(v, <f32 as Float>::sqrt);
        F64x2Abs => map(v, |lane: u64| lane & !(1 << 63));
        F64x2Neg => map(v, |lane: u64| lane ^ 1 << 63);
        F64x2Ceil => map(v, <f64 as Float>::ceil);
        F64x2Floor => map(v, <f64 as Float>::floor);
        F64x2Trunc => map(v, <f64 as Float>::trunc);
        F64x2Nearest => map(v, <f64 as Float>::nearest);
        F64x2Sqrt => map(v, <f64 as Float>::sqrt);
        I32x4TruncSatF32x4S | I32x4RelaxedTruncF32x4S => map(v, |lane: f32| lane as i32);
        I32x4TruncSatF64x2SZero | I32x4RelaxedTruncF64x2SZero => map_low(v, |lane: f64| lane as i32);
        I32x4TruncSatF32x4U | I32x4RelaxedTruncF32x4U => map(v, |lane: f32| lane as u32);
        I32x4TruncSatF64x2UZero | I32x4RelaxedTruncF64x2UZero => map_low(v, |lane: f64| lane as u32);
        F32x4ConvertI32x4S => map(v, |lane: i32| lane as f32);
        F64x2ConvertLowI32x4S => map_from(v, 0, |lane: i32| f64::from(lane));
        F32x4ConvertI32x4U => map(v, |lane: u32| lane as f32);
        F64x2ConvertLowI32x4U => map_from(v, 0, |lane: u32| f64::from(lane));
        F32x4DemoteF64x2Zero => map_low(v, |lane: f64| (lane as f32).canonical());
        F64x2PromoteLowF32x4 => map_from(v, 0, |lane: f32| f64::from(lane).canonical());
        V128Not => !v;
    }
    Binary(l, r) {
        I8x16Eq => zip(l, r, |l: i8, r: i8| -i8::from(l == r));
        I8x16Ne => zip(l, r, |l: i8, r: i8| -i8::from(l != r));
        I8x16LtS => zip(l, r, |l: i8, r: i8| -i8::from(l < r));
        I8x16LtU => zip(l, r, |l: u8, r: u8| -i8::from(l < r));
        I8x16GtS => zip(l, r, |l: i8, r: i8| -i8::from(l > r));
        I8x16GtU => zip(l, r, |l: u8, r: u8| -i8::from(l > r));
        I8x16LeS => zip(l, r, |l: i8, r: i8| -i8::from(l <= r));
        I8x16LeU => zip(l, r, |l: u8, r: u8| -i8::from(l <= r));
        I8x16GeS => zip(l, r, |l: i8, r: i8| -i8::from(l >= r));
        I8x16GeU => zip(l, r, |l: u8, r: u8| -i8::from(l >= r));
        I8x16Add => zip(l, r, i8::wrapping_add);
        I8x16Sub => zip(l, r, i8::wrapping_sub);
        I8x16MinS => zip(l, r, <i8 as Ord>::min);
        I8x16MinU => zip(l, r, <u8 as Ord>::min);
        I8x16MaxS => zip(l, r, <i8 as Ord>::max);
        I8x16MaxU => zip(l, r, <u8 as Ord>::max);
        I8x16AddSatS => zip(l, r, i8::saturating_add);
        I8x16AddSatU => zip(l, r, u8::saturating_add);
        I8x16SubSatS => zip(l, r, i8::saturating_sub);
        I8x16SubSatU => zip(l, r, u8::saturating_sub);
        I8x16AvgrU => zip(l, r, |l: u8, r: u8| (u16::from(l) + u16::from(r)).div_ceil(2) as u8);
        I16x8Eq => zip(l, r, |l: i16, r: i16| -i16::from(l == r));
        I16x8Ne => zip(l, r, |l: i16, r: i16| -i16::from(l != r));
        I16x8LtS => zip(l, r, |l: i16, r: i16| -i16::from(l < r));
        I16x8LtU => zip(l, r, |l: u16, r: u16| -i16::from(l < r));
        I16x8GtS => zip(l, r, |l: i16, r: i16| -i16::from(l > r));
        I16x8GtU => zip(l, r, |l: u16, r: u16| -i16::from(l > r));
        I16x8LeS => zip(l, r, |l: i16, r: i16| -i16::from(l <= r));
        I16x8LeU => zip(l, r, |l: u16, r: u16| -i16::from(l <= r));
        I16x8GeS => zip(l, r, |l: i16, r: i16| -i16::from(l >= r));
        I16x8GeU => zip(l, r, |l: u16, r: u16| -i16::from(l >= r));
        I16x8Add => zip(l, r, i16::wrapping_add);
        I16x8Sub => zip(l, r, i16::wrapping_sub);
        I16x8Mul => zip(l, r, i16::wrapping_mul);
        I16x8MinS => zip(l, r, <i16 as Ord>::min);
        I16x8MinU => zip(l, r, <u16 as Ord>::min);
        I16x8MaxS => zip(l, r, <i16 as Ord>::max);
        I16x8MaxU => zip(l, r, <u16 as Ord>::max);
        I16x8AddSatS => zip(l, r, i16::saturating_add);
        I16x8AddSatU => zip(l, r, u16::saturating_add);
        I16x8SubSatS => zip(l, r, i16::saturating_sub);
        I16x8SubSatU => zip(l, r, u16::saturating_sub);
        I16x8AvgrU => zip(l, r, |l: u16, r: u16| (u32::from(l) + u32::from(r)).div_ceil(2) as u16);
        I32x4Eq => zip(l, r, |l: i32, r: i32| -i32::from(l == r));
        I32x4Ne => zip(l, r, |l: i32, r: i32| -i32::from(l != r));
        I32x4LtS => zip(l, r, |l: i32, r: i32| -i32::from(l < r));
        I32x4LtU => zip(l, r, |l: u32, r: u32| -i32::from(l < r));
        I32x4GtS => zip(l, r, |l: i32, r: i32| -i32::from(l > r));
        I32x4GtU => zip(l, r, |l: u32, r: u32| -i32::from(l > r));
        I32x4LeS => zip(l, r, |l: i32, r: i32| -i32::from(l <= r));
        I32x4LeU => zip(l, r, |l: u32, r: u32| -i32::from(l <= r));
        I32x4GeS => zip(l, r, |l: i32, r: i32| -i32::from(l >= r));
        I32x4GeU => zip(l, r, |l: u32, r: u32| -i32::from(l >= r));
        I32x4Add => zip(l, r, i32::wrapping_add);
        I32x4Sub => zip(l, r, i32::wrapping_sub);
        I32x4Mul => zip(l, r, i32::wrapping_mul);
        I32x4MinS => zip(l, r, <i32 as Ord>::min);
        I32x4MinU => zip(l, r, <u32 as Ord>::min);
        I32x4MaxS => zip(l, r, <i32 as Ord>::max);
        I32x4MaxU => zip(l, r, <u32 as Ord>::max);
        I64x2Eq => zip(l, r, |l: i64, r: i64| -i64::from(l == r));
        I64x2Ne => zip(l, r, |l: i64, r: i64| -i64::from(l != r));
        I64x2LtS => zip(l, r, |l: i64, r: i64| -i64::from(l < r));
        I64x2GtS => zip(l, r, |l: i64, r: i64| -i64::from(l > r));
        I64x2LeS => zip(l, r, |l: i64, r: i64| -i64::from(l <= r));
        I64x2GeS => zip(l, r, |l: i64, r: i64| -i64::from(l >= r));
        I64x2Add => zip(l, r, i64::wrapping_add);
        I64x2Sub => zip(l, r, i64::wrapping_sub);
        I64x2Mul => zip(l, r, i64::wrapping_mul);
        I16x8ExtMulLowI8x16S => zip_from(l, r, 0, |l: i8, r: i8| i16::from(l) * i16::from(r));
        I16x8ExtMulLowI8x16U => zip_from(l, r, 0, |l: u8, r: u8| u16::from(l) * u16::from(r));
        I16x8ExtMulHighI8x16S => zip_from(l, r, 8, |l: i8, r: i8| i16::from(l) * i16::from(r));
        I16x8ExtMulHighI8x16U => zip_from(l, r, 8, |l: u8, r: u8| u16::from(l) * u16::from(r));
        I32x4ExtMulLowI16x8S => zip_from(l, r, 0, |l: i16, r: i16| i32::from(l) * i32::from(r));
        I32x4ExtMulLowI16x8U => zip_from(l, r, 0, |l: u16, r: u16| u32::from(l) * u32::from(r));
        I32x4ExtMulHighI16x8S => zip_from(l, r, 4, |l: i16, r: i16| i32::from(l) * i32::from(r));
        I32x4ExtMulHighI16x8U => zip_from(l, r, 4, |l: u16, r: u16| u32::from(l) * u32::from(r));
        I64x2ExtMulLowI32x4S => zip_from(l, r, 0, |l: i32, r: i32| i64::from(l) * i64::from(r));
        I64x2ExtMulLowI32x4U => zip_from(l, r, 0, |l: u32, r: u32| u64::from(l) * u64::from(r));
        I64x2ExtMulHighI32x4S => zip_from(l, r, 2, |l: i32, r: i32| i64::from(l) * i64::from(r));
        I64x2ExtMulHighI32x4U => zip_from(l, r, 2, |l: u32, r: u32| u64::from(l) * u64::from(r));
        I8x16NarrowI16x8S => narrow(l, r, |lane: i16| lane.clamp(i8::MIN.into(), i8::MAX.into()) as i8);
        I8x16NarrowI16x8U => narrow(l, r, |lane: i16| lane.clamp(0, i16::from(u8::MAX)) as u8);
        I16x8NarrowI32x4S => narrow(l, r, |lane: i32| lane.clamp(i16::MIN.into(), i16::MAX.into()) as i16);
        I16x8NarrowI32x4U => narrow(l, r, |lane: i32| lane.clamp(0, i32::from(u16::MAX)) as u16);
        I32x4DotI16x8S => dot_16(l, r);
        I16x8Q15MulrSatS | I16x8RelaxedQ15mulrS => zip(l, r, q15mulr_sat);
        I8x16Swizzle | I8x16RelaxedSwizzle => swizzle(l, r);
        I16x8RelaxedDotI8x16I7x16S => dot_8(l, r);
        F32x4Eq => zip(l, r, |l: f32, r: f32| -i32::from(l == r));
        F32x4Ne => zip(l, r, |l: f32, r: f32| -i32::from(l != r));
        F32x4Lt => zip(l, r, |l: f32, r: f32| -i32::from(l < r));
        F32x4Gt => zip(l, r, |l: f32, r: f32| -i32::from(l > r));
        F32x4Le => zip(l, r, |l: f32, r: f32| -i32::from(l <= r));
        F32x4Ge => zip(l, r, |l: f32, r: f32| -i32::from(l >= r));
        F32x4Add => zip(l, r, |l: f32, r: f32| (l + r).canonical());
        F32x4Sub => zip(l, r, |l: f32, r: f32| (l - r).canonical());
        F32x4Mul => zip(l, r, |l: f32, r: f32| (l * r).canonical());
        F32x4Div => zip(l, r, |l: f32, r: f32| (l / r).canonical());
        F32x4Min | F32x4RelaxedMin => zip(l, r, <f32 as Float>::min);
        F32x4PMin => zip(l, r, pmin::<f32>);
        F32x4Max | F32x4RelaxedMax => zip(l, r, <f32 as Float>::max);
        F32x4PMax => zip(l, r, pmax::<f32>);
        F64x2Eq => zip(l, r, |l: f64, r: f64| -i64::from(l == r));
        F64x2Ne => zip(l, r, |l: f64, r: f64| -i64::from(l != r));
        F64x2Lt => zip(l, r, |l: f64, r: f64| -i64::from(l < r));
        F64x2Gt => zip(l, r, |l: f64, r: f64| -i64::from(l > r));
        F64x2Le => zip(l, r, |l: f64, r: f64| -i64::from(l <= r));
        F64x2Ge => zip(l, r, |l: f64, r: f64| -i64::from(l >= r));
        F64x2Add => zip(l, r, |l: f64, r: f64| (l + r).canonical());
        F64x2Sub => zip(l, r, |l: f64, r: f64| (l - r).canonical());
        F64x2Mul => zip(l, r, |l: f64, r: f64| (l * r).canonical());
        F64x2Div => zip(l, r, |l: f64, r: f64| (l / r).canonical());
        F64x2Min | F64x2RelaxedMin => zip(l, r, <f64 as Float>::min);
        F64x2PMin => zip(l, r, pmin::<f64>);
        F64x2Max | F64x2RelaxedMax => zip(l, r, <f64 as Float>::max);
        F64x2PMax => zip(l, r, pmax::<f64>);
        V128And => l & r;
        V128AndNot => l & !r;
        V128Or => l | r;
        V128Xor => l ^ r;
    }
    Ternary(a, b, c) {
        F32x4RelaxedMadd => zip3(a, b, c, |a: f32, b: f32, c: f32| (a * b + c).canonical());
        F32x4RelaxedNmadd => zip3(a, b, c, |a: f32, b: f32, c: f32| (-a * b + c).canonical());
        F64x2RelaxedMadd => zip3(a, b, c, |a: f64, b: f64, c: f64| (a * b + c).canonical());
        F64x2RelaxedNmadd => zip3(a, b, c, |a: f64, b: f64, c: f64| (-a * b + c).canonical());
        V128Bitselect | I8x16RelaxedLaneselect | I16x8RelaxedLaneselect => bitselect(a, b, c);
        I32x4RelaxedLaneselect | I64x2RelaxedLaneselect => bitselect(a, b, c);
        I32x4RelaxedDotI8x16I7x16AddS => zip(pairwise(dot_8(a, b), |l: i16, r: i16| i32::from(l) + i32::from(r)), c, i32::wrapping_add);
    }
    Shift(v, count) {
        I8x16Shl => map(v, |lane: i8| lane.wrapping_shl(count));
        I8x16ShrS => map(v, |lane: i8| lane.wrapping_shr(count));
        I8x16ShrU => map(v, |lane: u8| lane.wrapping_shr(count));
        I16x8Shl => map(v, |lane: i16| lane.wrapping_shl(count));
        I16x8ShrS => map(v, |lane: i16| lane.wrapping_shr(count));
        I16x8ShrU => map(v, |lane: u16| lane.wrapping_shr(count));
        I32x4Shl => map(v, |lane: i32| lane.wrapping_shl(count));
        I32x4ShrS => map(v, |lane: i32| lane.wrapping_shr(count));
        I32x4ShrU => map(v, |lane: u32| lane.wrapping_shr(count));
        I64x2Shl => map(v, |lane: i64| lane.wrapping_shl(count));
        I64x2ShrS => map(v, |lane: i64| lane.wrapping_shr(count));
        I64x2ShrU => map(v, |lane: u64| lane.wrapping_shr(count));
    }
    Test(v) {
        I8x16AllTrue => all(v, |lane: i8| lane != 0);
        I8x16Bitmask => bitmask(v, |lane: i8| lane < 0);
        I16x8AllTrue => all(v, |lane: i16| lane != 0);
        I16x8Bitmask => bitmask(v, |lane: i16| lane < 0);
        I32x4AllTrue => all(v, |lane: i32| lane != 0);
        I32x4Bitmask => bitmask(v, |lane: i32| lane < 0);
        I64x2AllTrue => all(v, |lane: i64| lane != 0);
        I64x2Bitmask => bitmask(v, |lane: i64| lane < 0);
        V128AnyTrue => u32::from(v != 0);
    }
    Splat(cell) {
        I8x16Splat => splat(cell as u8);
        I16x8Splat => splat(cell as u16);
        I32x4Splat | F32x4Splat => splat(cell as u32);
        I64x2Splat | F64x2Splat => splat(cell);
    }
    Extract(v, lane) {
        I8x16ExtractLaneS => u64::from(i32::from(extract::<i8, 16>(v, lane)) as u32);
        I8x16ExtractLaneU => u64::from(extract::<u8, 16>(v, lane));
        I16x8ExtractLaneS => u64::from(i32::from(extract::<i16, 8>(v, lane)) as u32);
        I16x8ExtractLaneU => u64::from(extract::<u16, 8>(v, lane));
        I32x4ExtractLane | F32x4ExtractLane => u64::from(extract::<u32, 4>(v, lane));
        I64x2ExtractLane | F64x2ExtractLane => extract::<u64, 2>(v, lane);
    }
    Replace(v, lane, cell) {
        I8x16ReplaceLane => replace(v, lane, cell as u8);
        I16x8ReplaceLane => replace(v, lane, cell as u16);
        I32x4ReplaceLane | F32x4ReplaceLane => replace(v, lane, cell as u32);
        I64x2ReplaceLane | F64x2ReplaceLane => replace(v, lane, cell);
    }
    Load(bytes) {
        V128Load8Splat [1] => splat(bytes as u8);
        V128Load16Splat [2] => splat(bytes as u16);
        V128Load32Splat [4] => splat(bytes as u32);
        V128Load32Zero [4] => u128::from(bytes);
        V128Load64Splat [8] => splat(bytes);
        V128Load64Zero [8] => u128::from(bytes);
        V128Load8x8S [8] => map_from(u128::from(bytes), 0, |lane: i8| i16::from(lane));
        V128Load8x8U [8] => map_from(u128::from(bytes), 0, |lane: u8| u16::from(lane));
        V128Load16x4S [8] => map_from(u128::from(bytes), 0, |lane: i16| i32::from(lane));
        V128Load16x4U [8] => map_from(u128::from(bytes), 0, |lane: u16| u32::from(lane));
        V128Load32x2S [8] => map_from(u128::from(bytes), 0, |lane: i32| i64::from(lane));
        V128Load32x2U [8] => map_from(u128::from(bytes), 0, |lane: u32| u64::from(lane));
    }
    LoadLane(v, lane, bytes) {
        V128Load8Lane [1] => replace(v, lane, bytes as u8);
        V128Load16Lane [2] => replace(v, lane, bytes as u16);
        V128Load32Lane [4] => replace(v, lane, bytes as u32);
        V128Load64Lane [8] => replace(v, lane, bytes);
    }
    StoreLane(v, lane) {
        V128Store8Lane [1] => u64::from(extract::<u8, 16>(v, lane));
        V128Store16Lane [2] => u64::from(extract::<u16, 8>(v, lane));
        V128Store32Lane [4] => u64::from(extract::<u32, 4>(v, lane));
        V128Store64Lane [8] => extract::<u64, 2>(v, lane);
    }
}

#[cfg(test)]
mod tests {
    use super::{Vector, vector};
    use crate::isa::Op;
    use crate::numeric::lanes::Lane;

    fn binary(op: Op, left: u128, right: u128) -> u128 {
        match vector(op) {
            Some(Vector::Binary(apply)) => apply(left, right),
            other => panic!("{op:?} is {other:?}"),
        }
    }

    fn ternary(op: Op, first: u128, second: u128, third: u128) -> u128 {
        match vector(op) {
            Some(Vector::Ternary(apply)) => apply(first, second, third),
            other => panic!("{op:?} is {other:?}"),
        }
    }

    #[test]
    fn relaxed_instructions_follow_the_deterministic_profile() {
        // Fused, the product would keep the bit that the sum needs.
        let (a, b) = (1.0 + f32::EPSILON, 1.0 - f32::EPSILON);
        let sum = ternary(
            Op::F32x4RelaxedMadd,
            f32::join([a; 4]),
            f32::join([b; 4]),
            f32::join([-1.0; 4]),
        );
        assert_eq!(f32::split(sum), [0.0; 4]);
        let least = i8::join([i8::MIN; 16]);
        let dot = binary(Op::I16x8RelaxedDotI8x16I7x16S, least, least);
        assert_eq!(i16::split(dot), [i16::MAX; 8]);
        let high_index = u8::join([16; 16]);
        assert_eq!(binary(Op::I8x16RelaxedSwizzle, least, high_index), 0);
        let mask = u16::join([0x8000; 8]);
        let selected = ternary(Op::I16x8RelaxedLaneselect, u128::MAX, 0, mask);
        assert_eq!(selected, mask);
        let nan = f64::join([f64::NAN, 1.0]);
        let lesser = binary(Op::F64x2RelaxedMin, nan, f64::join([2.0; 2]));
        assert!(f64::split(lesser)[0].is_nan());
    }
}

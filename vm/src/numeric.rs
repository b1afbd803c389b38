//! Numeric semantics as pure functions (WebAssembly 3.0, section 4.3), one place for every tier.
//!
//! A NaN that arithmetic produces is the canonical one: positive, with only the quiet bit set.

pub mod atomics;
pub mod lanes;
pub mod vectors;

use crate::trap::TrapKind;

/// Operations on integers; comparisons and plain bit operations are Rust's own.
pub trait Integer: Copy {
    /// Signed division.
    fn div_s(self, divisor: Self) -> Result<Self, TrapKind>;
    /// Unsigned division.
    fn div_u(self, divisor: Self) -> Result<Self, TrapKind>;
    /// Remainder of a signed division.
    fn rem_s(self, divisor: Self) -> Result<Self, TrapKind>;
    /// Remainder of an unsigned division.
    fn rem_u(self, divisor: Self) -> Result<Self, TrapKind>;
    /// Shift left; the count is taken modulo the width, here and in all shifts.
    fn shl(self, count: Self) -> Self;
    /// Shift right, keeping the sign.
    fn shr_s(self, count: Self) -> Self;
    /// Shift right, filling with zeros.
    fn shr_u(self, count: Self) -> Self;
    /// Rotate left.
    fn rotl(self, count: Self) -> Self;
    /// Rotate right.
    fn rotr(self, count: Self) -> Self;
    /// Unsigned less than.
    fn lt_u(self, other: Self) -> bool;
    /// Unsigned less than or equal.
    fn le_u(self, other: Self) -> bool;
}

macro_rules! integer {
    ($signed:ty, $unsigned:ty) => {
        impl Integer for $signed {
            #[inline(always)]
            fn div_s(self, divisor: Self) -> Result<Self, TrapKind> {
                if divisor == 0 {
                    return Err(TrapKind::IntegerDivideByZero);
                }
                self.checked_div(divisor).ok_or(TrapKind::IntegerOverflow)
            }
            #[inline(always)]
            fn div_u(self, divisor: Self) -> Result<Self, TrapKind> {
                let quotient = (self as $unsigned).checked_div(divisor as $unsigned);
                quotient
                    .map(|value| value as $signed)
                    .ok_or(TrapKind::IntegerDivideByZero)
            }
            #[inline(always)]
            fn rem_s(self, divisor: Self) -> Result<Self, TrapKind> {
                if divisor == 0 {
                    Err(TrapKind::IntegerDivideByZero)
                } else {
                    Ok(self.wrapping_rem(divisor))
                }
            }
            #[inline(always)]
            fn rem_u(self, divisor: Self) -> Result<Self, TrapKind> {
                let remainder = (self as $unsigned).checked_rem(divisor as $unsigned);
                remainder
                    .map(|value| value as $signed)
                    .ok_or(TrapKind::IntegerDivideByZero)
            }
            #[inline(always)]
            fn shl(self, count: Self) -> Self {
                self.wrapping_shl(count as u32)
            }
            #[inline(always)]
            fn shr_s(self, count: Self) -> Self {
                self.wrapping_shr(count as u32)
            }
            #[inline(always)]
            fn shr_u(self, count: Self) -> Self {
                (self as $unsigned).wrapping_shr(count as u32) as $signed
            }
            #[inline(always)]
            fn rotl(self, count: Self) -> Self {
                self.rotate_left(count as u32 % <$signed>::BITS)
            }
            #[inline(always)]
            fn rotr(self, count: Self) -> Self {
                self.rotate_right(count as u32 % <$signed>::BITS)
            }
            #[inline(always)]
            fn lt_u(self, other: Self) -> bool {
                (self as $unsigned) < other as $unsigned
            }
            #[inline(always)]
            fn le_u(self, other: Self) -> bool {
                self as $unsigned <= other as $unsigned
            }
        }
    };
}
integer!(i32, u32);
integer!(i64, u64);

/// Operations on floats whose results Rust does not define as the specification does.
pub trait Float: Copy {
    /// Whether it is no number.
    fn is_nan(self) -> bool;
    /// The value itself, or the canonical NaN for any NaN.
    fn canonical(self) -> Self;
    /// The lesser, where −0 is less than +0 and NaN wins.
    fn min(self, other: Self) -> Self;
    /// The greater, where +0 is greater than −0 and NaN wins.
    fn max(self, other: Self) -> Self;
    /// Rounded up.
    fn ceil(self) -> Self;
    /// Rounded down.
    fn floor(self) -> Self;
    /// Rounded towards zero.
    fn trunc(self) -> Self;
    /// Rounded to the nearest integer, ties to even.
    fn nearest(self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
}

macro_rules! float {
    ($float:ty, $bits:ty, $canonical:literal) => {
        impl Float for $float {
            #[inline(always)]
            fn is_nan(self) -> bool {
                <$float>::is_nan(self)
            }
            #[inline(always)]
            fn canonical(self) -> Self {
                // As integers: in `if x.sqrt().is_nan() { NAN } else { x.sqrt() }` the compiler may drop the choice, because
                // to it the NaN of an operation is any NaN.
                const MAGNITUDE: $bits = <$bits>::MAX >> 1;
                if self.to_bits() & MAGNITUDE > <$float>::INFINITY.to_bits() {
                    <$float>::from_bits($canonical)
                } else {
                    self
                }
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                if self < other {
                    self
                } else if other < self {
                    other
                } else if self == other {
                    // Equal values differ at most in the sign of zero.
                    <$float>::from_bits(self.to_bits() | other.to_bits())
                } else {
                    <$float>::from_bits($canonical)
                }
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                if self > other {
                    self
                } else if other > self {
                    other
                } else if self == other {
                    <$float>::from_bits(self.to_bits() & other.to_bits())
                } else {
                    <$float>::from_bits($canonical)
                }
            }
            #[inline(always)]
            fn ceil(self) -> Self {
                <$float>::ceil(self).canonical()
            }
            #[inline(always)]
            fn floor(self) -> Self {
                <$float>::floor(self).canonical()
            }
            #[inline(always)]
            fn trunc(self) -> Self {
                <$float>::trunc(self).canonical()
            }
            #[inline(always)]
            fn nearest(self) -> Self {
                self.round_ties_even().canonical()
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                <$float>::sqrt(self).canonical()
            }
        }
    };
}
float!(f32, u32, 0x7fc0_0000);
float!(f64, u64, 0x7ff8_0000_0000_0000);

/// Truncation of a float to an integer that traps when it does not fit.
pub trait TruncateTo<I>: Copy {
    /// The integer, rounded towards zero.
    fn truncate(self) -> Result<I, TrapKind>;
}

macro_rules! truncate {
    ($float:ty => $integer:ty, above $low:literal, below $high:literal) => {
        impl TruncateTo<$integer> for $float {
            #[inline(always)]
            fn truncate(self) -> Result<$integer, TrapKind> {
                if self.is_nan() {
                    Err(TrapKind::InvalidConversionToInteger)
                } else if self > $low && self < $high {
                    Ok(self as $integer)
                } else {
                    Err(TrapKind::IntegerOverflow)
                }
            }
        }
    };
    // The limit itself fits where the next float below it is too far away to be named.
    ($float:ty => $integer:ty, from $low:literal, below $high:literal) => {
        impl TruncateTo<$integer> for $float {
            #[inline(always)]
            fn truncate(self) -> Result<$integer, TrapKind> {
                if self.is_nan() {
                    Err(TrapKind::InvalidConversionToInteger)
                } else if ($low..$high).contains(&self) {
                    Ok(self as $integer)
                } else {
                    Err(TrapKind::IntegerOverflow)
                }
            }
        }
    };
}
truncate!(f32 => i32, from -2_147_483_648.0, below 2_147_483_648.0);
truncate!(f32 => u32, above -1.0, below 4_294_967_296.0);
truncate!(f64 => i32, above -2_147_483_649.0, below 2_147_483_648.0);
truncate!(f64 => u32, above -1.0, below 4_294_967_296.0);
truncate!(f32 => i64, from -9_223_372_036_854_775_808.0, below 9_223_372_036_854_775_808.0);
truncate!(f32 => u64, above -1.0, below 18_446_744_073_709_551_616.0);
truncate!(f64 => i64, from -9_223_372_036_854_775_808.0, below 9_223_372_036_854_775_808.0);
truncate!(f64 => u64, above -1.0, below 18_446_744_073_709_551_616.0);

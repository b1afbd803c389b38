//! Numbers in bytes, and bytes from numbers.

use crate::error::{Error, Result};
use crate::info::DebugInfo;
use crate::types::{BaseEncoding, BitField, TypeKind, TypeRef};
use crate::value::Scalar;

impl DebugInfo {
    /// The number that the bytes of a scalar type stand for; `None` if the type is no scalar.
    pub(crate) fn decode(
        &self,
        type_ref: TypeRef,
        bytes: &[u8],
        bits: Option<BitField>,
    ) -> Option<Scalar> {
        let found = self.type_of(self.resolve(type_ref));
        let is_signed = match &found.kind {
            TypeKind::Base(BaseEncoding::Float) => return decode_float(bytes).map(Scalar::Float),
            TypeKind::Base(encoding) => {
                matches!(encoding, BaseEncoding::Signed | BaseEncoding::SignedChar)
            }
            TypeKind::Enumeration(enumeration) => enumeration.is_signed,
            TypeKind::Pointer { .. } => false,
            TypeKind::Unknown if !bytes.is_empty() && bytes.len() <= 8 => false,
            _ => return None,
        };
        decode_integer(bytes, bits, is_signed).map(Scalar::Integer)
    }

    /// The bytes that stand for a number in a scalar type. Integers come extended to 16
    /// bytes, of which the type's size counts.
    pub(crate) fn encode(&self, type_ref: TypeRef, scalar: Scalar) -> Result<Vec<u8>> {
        let resolved = self.resolve(type_ref);
        let found = self.type_of(resolved);
        let size = found.size.unwrap_or(0);
        match &found.kind {
            TypeKind::Base(BaseEncoding::Float) => {
                encode_float(scalar.to_f64(), size).ok_or_else(|| Error::WrongType {
                    operation: "conversion of a number",
                    type_name: self.type_name(type_ref),
                })
            }
            TypeKind::Base(BaseEncoding::Boolean) => {
                let is_true = scalar != Scalar::Integer(0) && scalar != Scalar::Float(0.0);
                Ok(i128::from(is_true).to_le_bytes().to_vec())
            }
            TypeKind::Base(encoding) => {
                let is_signed = matches!(encoding, BaseEncoding::Signed | BaseEncoding::SignedChar);
                Ok(extended(scalar.to_i128(), size, is_signed))
            }
            TypeKind::Enumeration(enumeration) => {
                Ok(extended(scalar.to_i128(), size, enumeration.is_signed))
            }
            TypeKind::Pointer { .. } => Ok(extended(scalar.to_i128(), size, false)),
            _ => Err(Error::WrongType {
                operation: "conversion of a number",
                type_name: self.type_name(type_ref),
            }),
        }
    }
}

impl Scalar {
    /// The number as an integer; fractions are cut off.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float converts to the nearest integer that there is"
    )]
    pub fn to_i128(self) -> i128 {
        match self {
            Scalar::Integer(value) => value,
            Scalar::Float(value) => value as i128,
        }
    }

    /// The number as a floating-point number.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "C rounds such conversions as well"
    )]
    pub fn to_f64(self) -> f64 {
        match self {
            Scalar::Integer(value) => value as f64,
            Scalar::Float(value) => value,
        }
    }
}

/// An integer of at most 16 bytes.
pub(crate) fn decode_integer(
    bytes: &[u8],
    bits: Option<BitField>,
    is_signed: bool,
) -> Option<i128> {
    // A bit field may reach into one byte more than it could fill.
    const BYTES_MAX: usize = 17;
    if bytes.len() > BYTES_MAX || (bits.is_none() && bytes.len() > 16) {
        return None;
    }
    let bits = bits.unwrap_or(BitField {
        offset: 0,
        size: u32::try_from(bytes.len() * 8).ok()?,
    });
    let mut value = 0u128;
    for bit in 0..bits.size.min(128) {
        let position = (bits.offset + bit) as usize;
        let byte = bytes.get(position / 8)?;
        value |= u128::from(byte >> (position % 8) & 1) << bit;
    }
    Some(sign_extended(value, bits.size, is_signed))
}

/// A number of `bits` bits as an integer.
fn sign_extended(value: u128, bits: u32, is_signed: bool) -> i128 {
    if bits == 0 || bits >= 128 {
        return value.cast_signed();
    }
    let unused = 128 - bits;
    if is_signed {
        (value << unused).cast_signed() >> unused
    } else {
        (value << unused >> unused).cast_signed()
    }
}

/// An integer cut to `size` bytes and extended again.
fn extended(value: i128, size: u64, is_signed: bool) -> Vec<u8> {
    let bits = u32::try_from(size.saturating_mul(8).min(128)).unwrap_or(128);
    sign_extended(value.cast_unsigned(), bits, is_signed)
        .to_le_bytes()
        .to_vec()
}

fn decode_float(bytes: &[u8]) -> Option<f64> {
    match bytes.len() {
        4 => Some(f64::from(f32::from_le_bytes(bytes.try_into().ok()?))),
        8 => Some(f64::from_le_bytes(bytes.try_into().ok()?)),
        16 => Some(quad_to_double(u128::from_le_bytes(bytes.try_into().ok()?))),
        _ => None,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "C rounds such conversions as well"
)]
fn encode_float(value: f64, size: u64) -> Option<Vec<u8>> {
    match size {
        4 => Some((value as f32).to_le_bytes().to_vec()),
        8 => Some(value.to_le_bytes().to_vec()),
        16 => Some(double_to_quad(value).to_le_bytes().to_vec()),
        _ => None,
    }
}

/// IEEE binary128, wasm's `long double`, cut to the precision of a double.
fn quad_to_double(quad: u128) -> f64 {
    const BIAS: i64 = 16383 - 1023;
    let sign = ((quad >> 127) as u64) << 63;
    let exponent = (quad >> 112 & 0x7fff) as i64;
    let fraction = (quad >> 60 & 0xf_ffff_ffff_ffff) as u64;
    let bits = match exponent {
        0x7fff => 0x7ff << 52 | fraction,
        // Too small for a normal double; a debugger does without the subnormal ones.
        _ if exponent <= BIAS => 0,
        _ if exponent - BIAS >= 0x7ff => 0x7ff << 52,
        _ => ((exponent - BIAS) as u64) << 52 | fraction,
    };
    f64::from_bits(sign | bits)
}

/// A double as IEEE binary128.
fn double_to_quad(value: f64) -> u128 {
    const BIAS: u128 = 16383 - 1023;
    let bits = value.to_bits();
    let sign = u128::from(bits >> 63) << 127;
    let fraction = u128::from(bits & 0xf_ffff_ffff_ffff) << 60;
    let exponent = match u128::from(bits >> 52 & 0x7ff) {
        0 => return sign,
        0x7ff => 0x7fff,
        exponent => exponent + BIAS,
    };
    sign | exponent << 112 | fraction
}

#[cfg(test)]
mod tests {
    use super::{decode_float, decode_integer, encode_float, extended};
    use crate::types::BitField;

    #[test]
    fn integers_extend_by_their_sign() {
        assert_eq!(decode_integer(&[0xff], None, true), Some(-1));
        assert_eq!(decode_integer(&[0xff], None, false), Some(255));
        assert_eq!(decode_integer(&[], None, true), Some(0));
        assert_eq!(decode_integer(&[0; 20], None, true), None);
        assert_eq!(extended(-1, 1, false)[..2], [0xff, 0]);
        assert_eq!(extended(-1, 1, true)[..2], [0xff, 0xff]);
    }

    #[test]
    fn bit_fields_are_cut_out() {
        let bits = BitField { offset: 3, size: 3 };
        assert_eq!(decode_integer(&[0b0010_1000], Some(bits), false), Some(5));
        assert_eq!(decode_integer(&[0b0010_1000], Some(bits), true), Some(-3));
        assert_eq!(
            decode_integer(&[0], Some(BitField { offset: 7, size: 4 }), true),
            None
        );
    }

    #[test]
    fn long_doubles_round_trip() {
        for value in [0.0, 1.0, -2.5, 1e300, f64::INFINITY] {
            let bytes = encode_float(value, 16).unwrap();
            assert_eq!(decode_float(&bytes), Some(value));
        }
    }
}

//! Numbers as text.

use crate::format::Radix;
use crate::strings::{Unit, quoted_char};
use crate::value::Scalar;

/// A number of `size` bytes in a given notation.
pub(crate) fn in_radix(scalar: Scalar, size: u64, radix: Radix) -> String {
    let bits = u32::try_from(size.saturating_mul(8)).unwrap_or(128);
    let mask = if bits >= 128 {
        u128::MAX
    } else {
        (1 << bits) - 1
    };
    let number = match (scalar, radix) {
        // These formats show the bytes that make up the number.
        (
            Scalar::Float(number),
            Radix::Hexadecimal | Radix::PaddedHexadecimal | Radix::Octal | Radix::Binary,
        ) if matches!(size, 4 | 8) => i128::from(float_bits(number, size == 4)),
        (scalar, _) => scalar.to_i128(),
    };
    let unsigned = number.cast_unsigned() & mask;
    match radix {
        Radix::Natural => match scalar {
            Scalar::Integer(number) => number.to_string(),
            Scalar::Float(number) => float(number, size == 4),
        },
        Radix::Float => match (scalar, size) {
            (Scalar::Float(number), _) => float(number, size == 4),
            // The bytes are taken for those of a floating-point number, where there is one of their size.
            (Scalar::Integer(_), 4) => float(f64::from(f32::from_bits(unsigned as u32)), true),
            (Scalar::Integer(_), 8) => float(f64::from_bits(unsigned as u64), false),
            (Scalar::Integer(number), _) => number.to_string(),
        },
        Radix::Hexadecimal | Radix::Address => format!("{unsigned:#x}"),
        Radix::PaddedHexadecimal => {
            let digits = usize::try_from(bits.min(128) / 4).unwrap_or(32);
            format!("0x{unsigned:0digits$x}")
        }
        Radix::Decimal => {
            let unused = 128 - bits.clamp(1, 128);
            ((unsigned << unused).cast_signed() >> unused).to_string()
        }
        Radix::Unsigned => unsigned.to_string(),
        Radix::Octal if unsigned == 0 => "0".to_owned(),
        Radix::Octal => format!("0{unsigned:o}"),
        Radix::Binary => format!("{unsigned:b}"),
        Radix::Character => {
            // As a `char`: the low byte.
            let code = unsigned as u8;
            let shown = if number >= 0 {
                i128::from(code)
            } else {
                i128::from(code.cast_signed())
            };
            format!("{shown} {}", quoted_char(Unit::of_code(u32::from(code), 1)))
        }
    }
}

fn float_bits(number: f64, is_single: bool) -> u64 {
    if is_single {
        u64::from((number as f32).to_bits())
    } else {
        number.to_bits()
    }
}

/// A floating-point number by the shortest text that reads back as the same.
pub(crate) fn float(number: f64, is_single: bool) -> String {
    if number.is_nan() {
        let sign = if number.is_sign_negative() { "-" } else { "" };
        let fraction = number.to_bits() & 0xf_ffff_ffff_ffff;
        let fraction = if is_single { fraction >> 29 } else { fraction };
        return format!("{sign}nan({fraction:#x})");
    }
    if number.is_infinite() {
        return if number > 0.0 {
            "inf".to_owned()
        } else {
            "-inf".to_owned()
        };
    }
    let magnitude = number.abs();
    let is_plain = magnitude == 0.0 || (1e-5..1e16).contains(&magnitude);
    let text = match (is_plain, is_single) {
        (true, true) => format!("{}", number as f32),
        (true, false) => format!("{number}"),
        (false, true) => format!("{:e}", number as f32),
        (false, false) => format!("{number:e}"),
    };
    // C writes exponents with a sign and at least two digits.
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let (sign, exponent) = exponent
                .strip_prefix('-')
                .map_or(('+', exponent), |exponent| ('-', exponent));
            format!("{digits}e{sign}{exponent:0>2}")
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::{float, in_radix};
    use crate::format::Radix;
    use crate::value::Scalar;

    #[test]
    fn floats_are_short_and_exact() {
        assert_eq!(float(0.1, false), "0.1");
        assert_eq!(float(f64::from(0.1f32), true), "0.1");
        assert_eq!(float(3.0, false), "3");
        assert_eq!(float(-0.0, false), "-0");
        assert_eq!(float(1e21, false), "1e+21");
        assert_eq!(float(2.5e-7, false), "2.5e-07");
        assert_eq!(float(f64::NEG_INFINITY, false), "-inf");
        assert_eq!(float(f64::NAN, false), "nan(0x8000000000000)");
    }

    #[test]
    fn integers_have_notations() {
        let number = |number, size, radix| in_radix(Scalar::Integer(number), size, radix);
        assert_eq!(number(-1, 4, Radix::Hexadecimal), "0xffffffff");
        assert_eq!(number(255, 1, Radix::Decimal), "-1");
        assert_eq!(number(-1, 2, Radix::Unsigned), "65535");
        assert_eq!(number(8, 4, Radix::Octal), "010");
        assert_eq!(number(0, 4, Radix::Octal), "0");
        assert_eq!(number(5, 4, Radix::Binary), "101");
        assert_eq!(number(97, 4, Radix::Character), "97 'a'");
        assert_eq!(number(200, 1, Radix::Character), "200 '\\310'");
        assert_eq!(number(-56, 1, Radix::Character), "-56 '\\310'");
        assert_eq!(number(300, 4, Radix::Character), "44 ','");
        assert_eq!(number(45, 4, Radix::PaddedHexadecimal), "0x0000002d");
        assert_eq!(number(0x3ff0_0000_0000_0000, 8, Radix::Float), "1");
        assert_eq!(number(7, 2, Radix::Float), "7");
    }

    #[test]
    fn floats_are_their_bytes_in_other_notations() {
        let number = |number, size, radix| in_radix(Scalar::Float(number), size, radix);
        assert_eq!(number(1.5, 8, Radix::Hexadecimal), "0x3ff8000000000000");
        assert_eq!(number(1.5, 4, Radix::Hexadecimal), "0x3fc00000");
        assert_eq!(number(1.5, 8, Radix::Decimal), "1");
        assert_eq!(number(1.5, 8, Radix::Float), "1.5");
    }
}

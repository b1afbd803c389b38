//! Vectors of the machine as lanes of numbers.

use wdb_dwarf::{BaseEncoding, DebugInfo, PartType, TypeRef};

/// How the 16 bytes of a vector are divided, as the text format names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lanes {
    name: &'static str,
    encoding: BaseEncoding,
    /// Bytes of a lane.
    bytes: u8,
}

/// The bytes of a vector.
pub(crate) const VECTOR_BYTES: u64 = 16;

const fn lanes(name: &'static str, encoding: BaseEncoding, bytes: u8) -> Lanes {
    Lanes {
        name,
        encoding,
        bytes,
    }
}

const ALL: [Lanes; 6] = [
    lanes("i8x16", BaseEncoding::Signed, 1),
    lanes("i16x8", BaseEncoding::Signed, 2),
    lanes("i32x4", BaseEncoding::Signed, 4),
    lanes("i64x2", BaseEncoding::Signed, 8),
    lanes("f32x4", BaseEncoding::Float, 4),
    lanes("f64x2", BaseEncoding::Float, 8),
];

impl Lanes {
    /// The names of all.
    pub(crate) const NAMES: [&'static str; 6] = {
        let mut names = [""; 6];
        let mut index = 0;
        while index < names.len() {
            names[index] = ALL[index].name;
            index += 1;
        }
        names
    };

    pub(crate) fn named(name: &str) -> Option<Lanes> {
        ALL.into_iter().find(|lanes| lanes.name == name)
    }

    /// A vector as the text format writes it: `i32x4 1 2 3 4`.
    pub(crate) fn text(self, bits: u128) -> String {
        let mut text = self.name.to_owned();
        for bytes in bits.to_le_bytes().chunks(usize::from(self.bytes)) {
            text.push(' ');
            text.push_str(&self.lane_text(bytes));
        }
        text
    }

    fn lane_text(self, bytes: &[u8]) -> String {
        let mut wide = [0; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        let bits = u64::from_le_bytes(wide);
        match (self.encoding, self.bytes) {
            (BaseEncoding::Float, 4) => f32::from_bits(bits as u32).to_string(),
            (BaseEncoding::Float, _) => f64::from_bits(bits).to_string(),
            (_, lane_bytes) => {
                let unused = 64 - 8 * u32::from(lane_bytes);
                ((bits << unused).cast_signed() >> unused).to_string()
            }
        }
    }

    /// Reads what [`Lanes::text`] writes. Integers can be hexadecimal, too.
    pub(crate) fn parse(text: &str) -> Option<u128> {
        let mut words = text.split_whitespace();
        let lanes = Lanes::named(words.next()?)?;
        let mut bytes = Vec::new();
        for word in words {
            let bits = lanes.parse_lane(word)?;
            bytes.extend_from_slice(&bits.to_le_bytes()[..usize::from(lanes.bytes)]);
        }
        let bytes: [u8; 16] = bytes.try_into().ok()?;
        Some(u128::from_le_bytes(bytes))
    }

    fn parse_lane(self, word: &str) -> Option<u64> {
        match (self.encoding, self.bytes) {
            (BaseEncoding::Float, 4) => Some(u64::from(word.parse::<f32>().ok()?.to_bits())),
            (BaseEncoding::Float, _) => Some(word.parse::<f64>().ok()?.to_bits()),
            (_, lane_bytes) => {
                let value = match word.strip_prefix("0x") {
                    Some(digits) => i128::from_str_radix(digits, 16).ok()?,
                    None => word.parse().ok()?,
                };
                let bits = 8 * u32::from(lane_bytes);
                // Signed or not, as in the text format.
                let fits = (-(1i128 << (bits - 1))..1i128 << bits).contains(&value);
                fits.then_some(value as u64)
            }
        }
    }

    /// The type of a vector with these lanes in an object.
    pub(crate) fn part_type(self) -> PartType {
        PartType::Vector(self.encoding, u64::from(self.bytes))
    }

    /// The type of vectors with these lanes.
    pub(crate) fn type_in(self, info: &DebugInfo) -> TypeRef {
        let bytes = u64::from(self.bytes);
        let lane = info.base_type(self.encoding, bytes);
        info.vector_of(lane, VECTOR_BYTES / bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::Lanes;

    #[test]
    fn vectors_are_written_as_they_are_read() {
        for text in [
            "i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 -127 -128",
            "i16x8 0 -1 2 -3 4 -5 32767 -32768",
            "i32x4 0 -1 2147483647 -2147483648",
            "i64x2 -9223372036854775808 9223372036854775807",
            "f32x4 1.5 -0 inf NaN",
            "f64x2 0.1 -2.5",
        ] {
            let bits = Lanes::parse(text).expect(text);
            let lanes = Lanes::named(text.split(' ').next().unwrap_or_default());
            assert_eq!(lanes.map(|lanes| lanes.text(bits)).as_deref(), Some(text));
        }
        assert_eq!(Lanes::parse("i32x4 1 2 3"), None);
        assert_eq!(Lanes::parse("i32x4 1 2 3 4 5"), None);
        assert_eq!(
            Lanes::parse("i8x16 256 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"),
            None
        );
        assert_eq!(
            Lanes::parse("i64x2 0xffffffffffffffff 0"),
            Some(u128::from(u64::MAX))
        );
        assert_eq!(Lanes::parse("u32x4 1 2 3 4"), None);
    }
}

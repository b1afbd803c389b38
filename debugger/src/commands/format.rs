//! The formats of `print`, `x` and `display`: `/4xw`.

use wdb_dwarf::Radix;

use crate::error::Error;

/// What stands after the slash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct FormatSpec {
    pub(crate) count: Option<i64>,
    pub(crate) letter: Option<char>,
    /// Bytes of one value.
    pub(crate) unit: Option<u8>,
}

impl FormatSpec {
    /// Splits `/FORMAT REST`; without a slash everything is the rest.
    pub(crate) fn split(arguments: &str) -> Result<(FormatSpec, &str), Error> {
        let Some(text) = arguments.strip_prefix('/') else {
            return Ok((FormatSpec::default(), arguments.trim()));
        };
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        let (format, rest) = text.split_at(end);
        Ok((FormatSpec::parse(format)?, rest.trim()))
    }

    fn parse(text: &str) -> Result<FormatSpec, Error> {
        let mut spec = FormatSpec::default();
        let letters = text.trim_start_matches(|c: char| c == '-' || c.is_ascii_digit());
        let number = &text[..text.len() - letters.len()];
        if !number.is_empty() {
            let count = number.parse();
            spec.count = Some(count.map_err(|_| Error::Other(format!("Bad count {number}.")))?);
        }
        for letter in letters.chars() {
            match letter {
                'b' => spec.unit = Some(1),
                'h' => spec.unit = Some(2),
                'w' => spec.unit = Some(4),
                'g' => spec.unit = Some(8),
                'x' | 'd' | 'u' | 'o' | 't' | 'c' | 'a' | 'f' | 's' | 'i' => {
                    spec.letter = Some(letter);
                }
                letter => {
                    return Err(Error::Other(format!(
                        "Undefined output format \"{letter}\"; there are x, d, u, o, t, c, a, f, s and i."
                    )));
                }
            }
        }
        Ok(spec)
    }

    /// Whether it can only be meant for what lies in memory.
    pub(crate) fn is_of_memory(self) -> bool {
        matches!(self.letter, Some('i' | 's')) || self.unit.is_some() || self.count.is_some()
    }

    /// How `print` writes scalars in this format.
    pub(crate) fn radix(self) -> Result<Radix, Error> {
        let size = match (self.count, self.unit) {
            (None, None) => Ok(()),
            _ => Err(Error::other(
                "Counts and sizes are meaningless in \"print\"; `x` examines memory.",
            )),
        };
        size?;
        Ok(match self.letter {
            None => Radix::Natural,
            Some('i') => {
                return Err(Error::other(
                    "Format letter \"i\" is meaningless in \"print\" command.",
                ));
            }
            Some(letter) => radix_of(letter),
        })
    }
}

/// How scalars are written under a letter.
pub(crate) fn radix_of(letter: char) -> Radix {
    match letter {
        'x' => Radix::Hexadecimal,
        'd' => Radix::Decimal,
        'u' => Radix::Unsigned,
        'o' => Radix::Octal,
        't' => Radix::Binary,
        'c' => Radix::Character,
        'a' => Radix::Address,
        'f' => Radix::Float,
        _ => Radix::Natural,
    }
}

#[cfg(test)]
mod tests {
    use super::FormatSpec;

    #[test]
    fn formats_have_a_count_a_letter_and_a_unit() {
        let spec = |count, letter, unit| FormatSpec {
            count,
            letter,
            unit,
        };
        let split = |text| FormatSpec::split(text).map_err(|error| error.to_string());
        assert_eq!(
            split("/4xw &a"),
            Ok((spec(Some(4), Some('x'), Some(4)), "&a"))
        );
        assert_eq!(
            split("/-2gx p"),
            Ok((spec(Some(-2), Some('x'), Some(8)), "p"))
        );
        assert_eq!(split("/s"), Ok((spec(None, Some('s'), None), "")));
        assert_eq!(split("a / b"), Ok((spec(None, None, None), "a / b")));
        assert!(split("/q a").is_err());
        assert!(split("/99999999999999999999x a").is_err());
    }
}

//! Characters and strings as gdb writes them.

use std::fmt::Write as _;

use crate::format::FormatOptions;

/// A character, or a code that stands for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Char(char),
    Code(u32),
}

impl Unit {
    /// The character of a code unit that is not part of a longer sequence.
    pub(crate) fn of_code(code: u32, width: usize) -> Unit {
        match char::from_u32(code) {
            // A byte above 127 alone is no UTF-8.
            Some(char) if width > 1 || code < 0x80 => Unit::Char(char),
            _ => Unit::Code(code),
        }
    }

    /// The character as it stands between quotation marks.
    fn escaped(self, quote: char) -> String {
        match self {
            Unit::Char('\n') => "\\n".to_owned(),
            Unit::Char('\t') => "\\t".to_owned(),
            Unit::Char('\r') => "\\r".to_owned(),
            Unit::Char('\x07') => "\\a".to_owned(),
            Unit::Char('\x08') => "\\b".to_owned(),
            Unit::Char('\x0b') => "\\v".to_owned(),
            Unit::Char('\x0c') => "\\f".to_owned(),
            Unit::Char(char) if char == quote || char == '\\' => format!("\\{char}"),
            Unit::Char(char) if char.is_control() => format!("\\{:03o}", char as u32),
            Unit::Char(char) => char.to_string(),
            Unit::Code(code) => format!("\\{code:03o}"),
        }
    }
}

/// A character between single quotation marks.
pub(crate) fn quoted_char(unit: Unit) -> String {
    format!("'{}'", unit.escaped('\''))
}

/// The characters of text in units of `width` bytes. Bytes are taken for UTF-8 where they are.
pub(crate) fn units(bytes: &[u8], width: usize) -> Vec<Unit> {
    match width {
        1 => {
            let mut units = Vec::with_capacity(bytes.len());
            for chunk in bytes.utf8_chunks() {
                units.extend(chunk.valid().chars().map(Unit::Char));
                units.extend(
                    chunk
                        .invalid()
                        .iter()
                        .map(|byte| Unit::Code(u32::from(*byte))),
                );
            }
            units
        }
        2 => {
            let codes = bytes
                .chunks_exact(2)
                .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            let decoded = char::decode_utf16(codes);
            decoded
                .map(|unit| {
                    unit.map_or_else(
                        |error| Unit::Code(u32::from(error.unpaired_surrogate())),
                        Unit::Char,
                    )
                })
                .collect()
        }
        _ => {
            let codes = bytes
                .chunks_exact(4)
                .map(|quad| u32::from_le_bytes([quad[0], quad[1], quad[2], quad[3]]));
            codes.map(|code| Unit::of_code(code, 4)).collect()
        }
    }
}

/// A string, with long runs of one character written once. `is_cut` says that there is more.
pub(crate) fn quoted(units: &[Unit], options: &FormatOptions, is_cut: bool) -> String {
    let mut text = String::new();
    let mut is_open = false;
    let mut position = 0;
    while position < units.len() {
        let unit = units[position];
        let run = units[position..]
            .iter()
            .take_while(|other| **other == unit)
            .count();
        // In a string the run must be longer than the limit, in an array as long: gdb has it so.
        if run > options.repeats_min.max(2) {
            text += if is_open {
                "\", "
            } else if text.is_empty() {
                ""
            } else {
                ", "
            };
            is_open = false;
            let _ = write!(text, "{} <repeats {run} times>", quoted_char(unit));
            position += run;
        } else {
            if !is_open {
                text += if text.is_empty() { "\"" } else { ", \"" };
                is_open = true;
            }
            text += &unit.escaped('"');
            position += 1;
        }
    }
    if is_open {
        text.push('"');
    } else if text.is_empty() {
        text += "\"\"";
    }
    if is_cut {
        text += "...";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{quoted, units};
    use crate::format::FormatOptions;

    fn check(bytes: &[u8], expected: &str) {
        assert_eq!(
            quoted(&units(bytes, 1), &FormatOptions::default(), false),
            expected
        );
    }

    #[test]
    fn strings_are_written_as_gdb_writes_them() {
        check(b"", "\"\"");
        check(b"text", "\"text\"");
        check(b"a\"\\\n\x1b", "\"a\\\"\\\\\\n\\033\"");
        check("caf\u{e9}".as_bytes(), "\"caf\u{e9}\"");
        check(b"caf\xe9", "\"caf\\351\"");
        check(
            b"hi\0\0\0\0\0\0\0\0\0\0\0\0\0",
            "\"hi\", '\\000' <repeats 13 times>",
        );
        check(b"xxxxxxxxxxxyz", "'x' <repeats 11 times>, \"yz\"");
        check(b"xxxxxxxxxxyz", "\"xxxxxxxxxxyz\"");
    }
}

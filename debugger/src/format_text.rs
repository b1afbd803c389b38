//! C's formatted text, for `printf`, `dprintf` and `echo`.

use wdb_dwarf::{FormatOptions, Scalar, TypeKind, Value};
use wdb_vm::{CAPTURED_VALUES_MAX, Condition};

use crate::debugger::Debugger;
use crate::error::Error;
use crate::expression::condition::{Places, ValueKind, lower_value};
use crate::expression::{self, Node, Scope};
use crate::process::PROGRAM_INSTANCE;
use crate::scope::FrameScope;

/// A format with its arguments, as in `printf "%d of %s\n", count, name`. It is parsed once and can be rendered in any frame.
#[derive(Debug, Clone)]
pub(crate) struct PrintfFormat {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone)]
enum Piece {
    Text(Vec<u8>),
    Value(Conversion, Node),
}

/// A conversion specification such as `%-8.3lx`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Conversion {
    is_left: bool,
    has_plus: bool,
    has_space: bool,
    is_alternate: bool,
    has_zeros: bool,
    width: usize,
    precision: Option<usize>,
    /// How many bits of an integer count.
    bits: u32,
    letter: char,
}

/// A greater width or precision is a mistake, and would make a text of that length.
const WIDTH_MAX: usize = 4096;
/// A longer string is none.
const STRING_BYTES_MAX: usize = 1 << 20;

impl PrintfFormat {
    /// Parses `"FORMAT", ARGUMENTS`. Names in the arguments need not be known yet.
    pub(crate) fn parse(debugger: &Debugger, text: &str) -> Result<PrintfFormat, Error> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Error::other(
                "Argument required (format-control string and values to print).",
            ));
        }
        let (format, rest) = split_format(text)?;
        let mut arguments = match rest.strip_prefix(',') {
            Some(rest) => split_at_commas(rest),
            None if rest.is_empty() => Vec::new(),
            None => return Err(Error::other("Invalid argument syntax.")),
        }
        .into_iter();
        let mut pieces = Vec::new();
        for part in parse_format(format)? {
            pieces.push(match part {
                Part::Text(text) => Piece::Text(text),
                Part::Conversion(conversion) => {
                    let argument = arguments.next().ok_or_else(wrong_number)?;
                    Piece::Value(conversion, debugger.parse_expression(argument)?)
                }
            });
        }
        match arguments.next() {
            Some(_) => Err(wrong_number()),
            None => Ok(PrintfFormat { pieces }),
        }
    }

    /// The values of the arguments in any frame at one place, and what they are; `None` where only evaluation can tell them.
    pub(crate) fn lower(&self, places: &dyn Places) -> Option<(Vec<Condition>, Vec<ValueKind>)> {
        let mut values = Vec::new();
        let mut kinds = Vec::new();
        for piece in &self.pieces {
            if let Piece::Value(conversion, node) = piece {
                let (value, kind) = lower_value(places, node)?;
                if !conversion.is_of_numbers() {
                    return None;
                }
                values.push(value);
                kinds.push(kind);
            }
        }
        (values.len() <= CAPTURED_VALUES_MAX).then_some((values, kinds))
    }

    /// The text with the values that the arguments have in a frame.
    pub(crate) fn render(&self, scope: &FrameScope<'_>) -> Result<String, Error> {
        let mut text = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(bytes) => text.extend_from_slice(bytes),
                Piece::Value(conversion, node) => {
                    let value = expression::evaluate(scope, node)?;
                    text.extend(conversion.render(scope, &value)?);
                }
            }
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

/// A format, and what the values are that the machine writes down for it.
#[derive(Debug, Clone)]
pub(crate) struct CapturedFormat {
    pub(crate) format: PrintfFormat,
    pub(crate) kinds: Vec<ValueKind>,
}

impl CapturedFormat {
    /// The text with values that were written down.
    pub(crate) fn render(&self, values: &[u64]) -> String {
        let kinds = self.kinds.iter();
        let mut scalars = kinds.zip(values).map(|(kind, bits)| kind.scalar(*bits));
        let mut text = Vec::new();
        for piece in &self.format.pieces {
            match piece {
                Piece::Text(bytes) => text.extend_from_slice(bytes),
                Piece::Value(conversion, _) => {
                    let scalar = scalars.next().unwrap_or(Scalar::Integer(0));
                    text.extend(conversion.render_number(scalar));
                }
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

fn wrong_number() -> Error {
    Error::other("Wrong number of arguments for specified format-string.")
}

/// Splits off the format, which stands in quotes.
fn split_format(text: &str) -> Result<(&str, &str), Error> {
    let inside = text
        .strip_prefix('"')
        .ok_or_else(|| Error::other("Bad format string: it begins with '\"'."))?;
    let mut is_escaped = false;
    for (position, c) in inside.char_indices() {
        match c {
            '"' if !is_escaped => {
                return Ok((&inside[..position], inside[position + 1..].trim_start()));
            }
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    Err(Error::other("Bad format string, non-terminated '\"'."))
}

/// The texts between the commas that lie outside of parentheses and quotes.
pub(crate) fn split_at_commas(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut depth = 0u32;
    let mut quote = None;
    let mut is_escaped = false;
    let mut start = 0;
    for (position, c) in text.char_indices() {
        match (c, quote) {
            _ if is_escaped => is_escaped = false,
            ('\\', Some(_)) => is_escaped = true,
            (c, Some(open)) if c == open => quote = None,
            (_, Some(_)) => {}
            ('"' | '\'', None) => quote = Some(c),
            ('(' | '[' | '{', None) => depth += 1,
            (')' | ']' | '}', None) => depth = depth.saturating_sub(1),
            (',', None) if depth == 0 => {
                parts.push(text[start..position].trim());
                start = position + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(Vec<u8>),
    Conversion(Conversion),
}

fn parse_format(format: &str) -> Result<Vec<Part>, Error> {
    let mut parts = Vec::new();
    let mut text = Vec::new();
    let mut rest = format;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match c {
            '\\' => {
                let (byte, length) = escape(after).ok_or_else(|| {
                    let shown = after.chars().next().unwrap_or('\\');
                    Error::Other(format!(
                        "Unrecognized escape character \\{shown} in format string."
                    ))
                })?;
                text.push(byte);
                &after[length..]
            }
            '%' if after.starts_with('%') => {
                text.push(b'%');
                &after[1..]
            }
            '%' => {
                if !text.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut text)));
                }
                let (conversion, after) = Conversion::parse(after)?;
                parts.push(Part::Conversion(conversion));
                after
            }
            c => {
                text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                after
            }
        };
    }
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    Ok(parts)
}

/// The byte that an escape sequence stands for and the sequence's length, both without the backslash; `None` for a character
/// that C gives no meaning.
fn escape(text: &str) -> Option<(u8, usize)> {
    let byte = match text.bytes().next()? {
        b'a' => 0x07,
        b'b' => 0x08,
        b'e' => 0x1b,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        byte @ (b'\\' | b'"' | b'\'') => byte,
        b'0'..=b'7' => {
            let digits = text.bytes().take(3);
            let digits = digits.take_while(|byte| matches!(byte, b'0'..=b'7'));
            let (value, length) = digits.fold((0u32, 0), |(value, length), digit| {
                (value * 8 + u32::from(digit - b'0'), length + 1)
            });
            return Some(((value & 0xff) as u8, length));
        }
        _ => return None,
    };
    Some((byte, 1))
}

/// A text with its escape sequences replaced. A backslash before any other character makes that character stand for itself, and
/// one at the end stands for nothing, which lets a text end in blanks.
pub(crate) fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        rest = match escape(after) {
            Some((byte, length)) => {
                bytes.push(byte);
                &after[length..]
            }
            None => {
                let length = after.chars().next().map_or(0, char::len_utf8);
                bytes.extend_from_slice(&after.as_bytes()[..length]);
                &after[length..]
            }
        };
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Conversion {
    /// Parses what follows a `%`, and answers what follows the conversion.
    fn parse(text: &str) -> Result<(Conversion, &str), Error> {
        let mut conversion = Conversion {
            is_left: false,
            has_plus: false,
            has_space: false,
            is_alternate: false,
            has_zeros: false,
            width: 0,
            precision: None,
            bits: 32,
            letter: 'd',
        };
        let mut rest = text;
        while let Some(flag) = rest.chars().next() {
            match flag {
                '-' => conversion.is_left = true,
                '+' => conversion.has_plus = true,
                ' ' => conversion.has_space = true,
                '#' => conversion.is_alternate = true,
                '0' => conversion.has_zeros = true,
                _ => break,
            }
            rest = &rest[1..];
        }
        (conversion.width, rest) = number(rest)?;
        if let Some(after) = rest.strip_prefix('.') {
            let (precision, after) = number(after)?;
            conversion.precision = Some(precision);
            rest = after;
        }
        const LENGTHS: [(&str, u32); 8] = [
            ("hh", 8),
            ("h", 16),
            ("ll", 64),
            ("l", 64),
            ("j", 64),
            ("z", 64),
            ("t", 64),
            ("L", 64),
        ];
        let length = LENGTHS
            .iter()
            .find_map(|(letters, bits)| Some((rest.strip_prefix(letters)?, *bits)));
        if let Some((after, bits)) = length {
            conversion.bits = bits;
            rest = after;
        }
        let letter = rest.chars().next().ok_or_else(|| {
            Error::other("Bad format string: it ends within a conversion; `%%` stands for a %.")
        })?;
        if !"diouxXcspeEfFgGV".contains(letter) {
            return Err(Error::Other(format!(
                "Unrecognized format specifier '{letter}' in printf."
            )));
        }
        conversion.letter = letter;
        Ok((conversion, &rest[letter.len_utf8()..]))
    }

    /// Whether it writes a number, and not what lies in memory, or a value of any type.
    fn is_of_numbers(&self) -> bool {
        !matches!(self.letter, 's' | 'V')
    }

    fn render(&self, scope: &FrameScope<'_>, value: &Value) -> Result<Vec<u8>, Error> {
        let text = match self.letter {
            's' => self.string(scope, value)?,
            'V' => scope.format(value).into_bytes(),
            _ => return Ok(self.render_number(scope.inspector().scalar(value)?)),
        };
        Ok(self.padded("", &text, false))
    }

    fn render_number(&self, scalar: Scalar) -> Vec<u8> {
        let integer = match scalar {
            Scalar::Integer(value) => value,
            // As C's conversion does, but for values that it leaves undefined.
            Scalar::Float(value) => value as i128,
        };
        let text = match self.letter {
            'c' => {
                let code = u32::try_from(integer & 0xffff_ffff).unwrap_or(0);
                match char::from_u32(code) {
                    Some(c) => c.to_string().into_bytes(),
                    None => vec![(code & 0xff) as u8],
                }
            }
            'p' => {
                let address = integer & 0xffff_ffff_ffff_ffff;
                format!("0x{address:x}").into_bytes()
            }
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
                let value = match scalar {
                    Scalar::Integer(value) => value as f64,
                    Scalar::Float(value) => value,
                };
                return self.signed(value.is_sign_negative(), &self.float(value.abs()));
            }
            'd' | 'i' => {
                let shift = 128 - self.bits;
                let value = (integer << shift) >> shift;
                return self.signed(value < 0, &self.digits(&value.unsigned_abs().to_string()));
            }
            letter => {
                let mask = u128::MAX >> (128 - self.bits);
                let value = integer.cast_unsigned() & mask;
                let digits = self.digits(&match letter {
                    'o' => format!("{value:o}"),
                    'x' => format!("{value:x}"),
                    'X' => format!("{value:X}"),
                    _ => value.to_string(),
                });
                let prefix = match letter {
                    'x' | 'X' if self.is_alternate && value != 0 => format!("0{letter}"),
                    'o' if self.is_alternate && value != 0 => "0".to_owned(),
                    _ => String::new(),
                };
                return self.padded(&prefix, digits.as_bytes(), self.precision.is_none());
            }
        };
        self.padded("", &text, false)
    }

    /// Digits with the zeros that the precision asks for.
    fn digits(&self, digits: &str) -> String {
        let wanted = self.precision.unwrap_or(1);
        format!("{digits:0>wanted$}")
    }

    fn signed(&self, is_negative: bool, digits: &str) -> Vec<u8> {
        let sign = match () {
            () if is_negative => "-",
            () if self.has_plus => "+",
            () if self.has_space => " ",
            () => "",
        };
        let is_integer = matches!(self.letter, 'd' | 'i');
        let is_number = digits.starts_with(|c: char| c.is_ascii_digit());
        let may_have_zeros = is_number && (!is_integer || self.precision.is_none());
        self.padded(sign, digits.as_bytes(), may_have_zeros)
    }

    /// A text with a prefix, as wide as asked for.
    fn padded(&self, prefix: &str, text: &[u8], may_have_zeros: bool) -> Vec<u8> {
        let length = prefix.chars().count() + String::from_utf8_lossy(text).chars().count();
        let missing = self.width.saturating_sub(length);
        let blanks = vec![b' '; missing];
        let prefix = prefix.as_bytes();
        if self.is_left {
            [prefix, text, &blanks].concat()
        } else if self.has_zeros && may_have_zeros {
            [prefix, &vec![b'0'; missing], text].concat()
        } else {
            [&blanks, prefix, text].concat()
        }
    }

    /// A number that is not negative.
    fn float(&self, value: f64) -> String {
        let is_upper = self.letter.is_ascii_uppercase();
        let text = match self.letter.to_ascii_lowercase() {
            _ if !value.is_finite() => match value.is_nan() {
                true => "nan".to_owned(),
                false => "inf".to_owned(),
            },
            'f' => format!("{value:.*}", self.precision.unwrap_or(6)),
            'e' => exponential(value, self.precision.unwrap_or(6)),
            _ => self.shortest(value),
        };
        if is_upper { text.to_uppercase() } else { text }
    }

    /// `%g`: the form of `%e` or `%f` that suits the exponent, without trailing zeros.
    fn shortest(&self, value: f64) -> String {
        let digits = self.precision.unwrap_or(6).max(1);
        let text = exponential(value, digits - 1);
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let power: i32 = exponent.parse().unwrap_or(0);
        let strip = |text: &str| match text.contains('.') && !self.is_alternate {
            true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => text.to_owned(),
        };
        match usize::try_from(i64::try_from(digits).unwrap_or(i64::MAX) - 1 - i64::from(power)) {
            Ok(decimals) if power >= -4 => strip(&format!("{value:.decimals$}")),
            _ => format!("{}e{exponent}", strip(mantissa)),
        }
    }

    /// The characters of a string: those of an array, those that a pointer points to, or those of a library's string.
    fn string(&self, scope: &FrameScope<'_>, value: &Value) -> Result<Vec<u8>, Error> {
        let info = scope.debugger().program.info();
        let mut bytes = match &info.type_of(info.resolve(value.type_ref)).kind {
            TypeKind::Array { element, .. } if info.size_of(*element) == Some(1) => {
                if let wdb_dwarf::Availability::Unavailable(error) = &value.availability {
                    return Err(error.clone().into());
                }
                until_zero(&value.bytes).to_vec()
            }
            TypeKind::Pointer { .. } | TypeKind::Base(_) | TypeKind::Array { .. } => {
                let address = scope.inspector().scalar(value)?;
                let address = u64::try_from(address.to_i128()).unwrap_or(u64::MAX);
                string_at(scope.debugger(), address)?
            }
            _ => {
                let options = FormatOptions {
                    elements_max: STRING_BYTES_MAX,
                    ..scope.debugger().format_options()
                };
                let text = scope.inspector().format(value, &options);
                match text.strip_prefix('"').and_then(|it| it.strip_suffix('"')) {
                    Some(inside) => unescape(inside).into_bytes(),
                    None => text.into_bytes(),
                }
            }
        };
        if let Some(precision) = self.precision {
            bytes.truncate(precision);
        }
        Ok(bytes)
    }
}

/// A number of at most [`WIDTH_MAX`], 0 without digits.
fn number(text: &str) -> Result<(usize, &str), Error> {
    if text.starts_with('*') {
        return Err(Error::other(
            "`*' not supported for precision or width in printf.",
        ));
    }
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = &text[..text.len() - rest.len()];
    if digits.is_empty() {
        return Ok((0, rest));
    }
    let number = digits.parse().ok().filter(|number| *number <= WIDTH_MAX);
    let number =
        number.ok_or_else(|| Error::Other(format!("Bad format string: {digits} is too wide.")))?;
    Ok((number, rest))
}

/// As C writes it: the exponent has a sign and two digits at least.
fn exponential(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{exponent:0>2}")
}

fn until_zero(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == 0);
    &bytes[..end.unwrap_or(bytes.len())]
}

/// The bytes from an address of the program's memory up to a zero.
fn string_at(debugger: &Debugger, address: u64) -> Result<Vec<u8>, Error> {
    let vm = debugger.vm.borrow();
    let memory = vm.memory(PROGRAM_INSTANCE, 0).unwrap_or_default();
    let rest = usize::try_from(address)
        .ok()
        .and_then(|start| memory.get(start..))
        .filter(|rest| !rest.is_empty())
        .ok_or(wdb_dwarf::Error::Memory { address })?;
    let rest = &rest[..rest.len().min(STRING_BYTES_MAX)];
    Ok(until_zero(rest).to_vec())
}

#[cfg(test)]
mod tests {
    use super::{Conversion, Part, parse_format, split_at_commas, split_format, unescape};

    fn conversion(text: &str) -> Conversion {
        let (conversion, rest) = Conversion::parse(text).expect("a conversion");
        assert_eq!(rest, "");
        conversion
    }

    #[test]
    fn formats_are_taken_apart() {
        let parts = parse_format("a\\n%5d%%\\101").expect("a format");
        assert_eq!(
            parts,
            [
                Part::Text(b"a\n".to_vec()),
                Part::Conversion(conversion("5d")),
                Part::Text(b"%A".to_vec()),
            ]
        );
        for bad in ["%", "%5", "%q", "\\q", "%*d", "%99999d"] {
            assert!(parse_format(bad).is_err(), "{bad}");
        }
        assert_eq!(split_format(r#""a\"b" , c"#), Ok((r#"a\"b"#, ", c")));
        assert!(split_format("\"a").is_err());
        assert!(split_format("a").is_err());
    }

    #[test]
    fn numbers_are_written_as_c_does() {
        let signed = |format: &str, value: i64| {
            let conversion = conversion(format);
            let digits = conversion.digits(&value.unsigned_abs().to_string());
            String::from_utf8(conversion.signed(value < 0, &digits)).expect("digits")
        };
        assert_eq!(signed("5d", -42), "  -42");
        assert_eq!(signed("-5d", 42), "42   ");
        assert_eq!(signed("05d", -42), "-0042");
        assert_eq!(signed("+d", 42), "+42");
        assert_eq!(signed("6.3d", 42), "   042");
        let float = |format: &str, value: f64| conversion(format).float(value);
        assert_eq!(float("f", 1.5), "1.500000");
        assert_eq!(float(".2e", 12345.0), "1.23e+04");
        assert_eq!(float("E", 0.0), "0.000000E+00");
        assert_eq!(float("g", 100000.0), "100000");
        assert_eq!(float("g", 1e6), "1e+06");
        assert_eq!(float("g", 0.0001), "0.0001");
        assert_eq!(float("g", 0.00001234), "1.234e-05");
        assert_eq!(float("G", f64::INFINITY), "INF");
    }

    #[test]
    fn texts_are_split_at_commas_and_unescaped() {
        assert_eq!(
            split_at_commas(r#"f(a, b), "x,\",y", c[1,2]"#),
            ["f(a, b)", r#""x,\",y""#, "c[1,2]"]
        );
        assert_eq!(unescape(r"a\tb\\n\q\ \"), "a\tb\\nq ");
        assert_eq!(unescape("ä\\n"), "ä\n");
    }
}

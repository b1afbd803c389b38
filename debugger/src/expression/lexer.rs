//! Cuts the text of an expression into tokens.

use crate::error::Error;

/// A token with its place in the text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) kind: TokenKind,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TokenKind {
    Integer {
        value: u128,
        is_unsigned: bool,
        is_long: bool,
        is_decimal: bool,
    },
    Float {
        value: f64,
        is_single: bool,
    },
    Character(u32),
    Text(Vec<u8>),
    /// A name; a name in quotes is taken whole, as gdb does (`'ns::f(int)'`).
    Name(String),
    /// What follows a `$`; empty for `$` alone.
    Dollar(String),
    Symbol(&'static str),
    End,
}

/// Longest first, so that the first match is the right one.
const SYMBOLS: &[&str] = &[
    "<<=", ">>=", "->", "::", "++", "--", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "+=",
    "-=", "*=", "/=", "%=", "&=", "|=", "^=", "+", "-", "*", "/", "%", "&", "|", "^", "!", "~",
    "<", ">", "=", "?", ":", ",", ".", "(", ")", "[", "]", "{", "}", "@",
];

/// The tokens of a text, the last being [`TokenKind::End`].
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, Error> {
    let mut lexer = Lexer { text, position: 0 };
    let mut tokens: Vec<Token> = Vec::new();
    loop {
        let token = lexer.next_token(tokens.last().map(|token| &token.kind))?;
        let is_end = token.kind == TokenKind::End;
        tokens.push(token);
        if is_end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Lexer<'a> {
    fn next_token(&mut self, before: Option<&TokenKind>) -> Result<Token, Error> {
        let blank = self.rest().len() - self.rest().trim_start().len();
        self.position += blank;
        let start = self.position;
        let kind = self.next_kind(before)?;
        Ok(Token {
            start,
            end: self.position,
            kind,
        })
    }

    fn next_kind(&mut self, before: Option<&TokenKind>) -> Result<TokenKind, Error> {
        let after_dot = matches!(before, Some(TokenKind::Symbol(".")));
        // What follows these is a member of theirs, and no number that begins with its point.
        let after_operand = matches!(
            before,
            Some(TokenKind::Name(_) | TokenKind::Dollar(_) | TokenKind::Symbol(")" | "]"))
        );
        let Some(first) = self.rest().chars().next() else {
            return Ok(TokenKind::End);
        };
        match first {
            // The index of a tuple's member, which is no part of a number with a fraction (`t.0.1`).
            '0'..='9' if after_dot => Ok(TokenKind::Name(
                self.take_while(|c| c.is_ascii_digit()).to_owned(),
            )),
            '0'..='9' => self.number(),
            '.' if self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) && !after_operand => {
                self.number()
            }
            '"' => self.text(),
            '\'' => self.quoted(),
            '$' => {
                self.position += 1;
                let name = match self.rest().starts_with('$') {
                    true => {
                        self.position += 1;
                        format!("${}", self.take_while(is_name_char))
                    }
                    false => self.take_while(is_name_char).to_owned(),
                };
                Ok(TokenKind::Dollar(name))
            }
            c if is_name_start(c) => Ok(TokenKind::Name(self.take_while(is_name_char).to_owned())),
            _ => {
                let symbol = SYMBOLS
                    .iter()
                    .find(|symbol| self.rest().starts_with(**symbol));
                let symbol = symbol
                    .ok_or_else(|| self.error(self.position, "This character has no meaning"))?;
                self.position += symbol.len();
                Ok(TokenKind::Symbol(symbol))
            }
        }
    }

    fn number(&mut self) -> Result<TokenKind, Error> {
        let start = self.position;
        let bytes = self.rest().as_bytes();
        let (radix, prefix) = match (
            bytes.first(),
            bytes.get(1).map(u8::to_ascii_lowercase),
            bytes.get(2),
        ) {
            (Some(b'0'), Some(b'x'), _) => (16, 2),
            (Some(b'0'), Some(b'b'), Some(b'0' | b'1')) => (2, 2),
            (Some(b'0'), Some(b'o'), _) => (8, 2),
            (Some(b'0'), Some(b'0'..=b'7'), _) => (8, 1),
            _ => (10, 0),
        };
        self.position += prefix;
        let digits = self
            .take_while(|c| c.is_digit(radix) || c == '_')
            .replace('_', "");
        let goes_on = |rest: &str, after: usize| {
            rest[after..].starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '-')
        };
        let rest = self.rest();
        let has_fraction =
            rest.starts_with('.') && !rest[1..].starts_with(|c: char| is_name_start(c) || c == '.');
        let has_exponent = rest.starts_with(['e', 'E']) && goes_on(rest, 1);
        if radix == 10 && (has_fraction || has_exponent) {
            return self.float(start);
        }
        let value = u128::from_str_radix(&digits, radix)
            .map_err(|_| self.error(start, "This is not a number that fits 128 bits"))?;
        let suffix = self.take_while(is_name_char).to_ascii_lowercase();
        let (is_unsigned, is_long) = match suffix.as_str() {
            "" => (false, false),
            "u" | "u8" | "u16" | "u32" => (true, false),
            "i8" | "i16" | "i32" => (false, false),
            "l" | "ll" | "i64" | "i128" | "isize" => (false, true),
            "ul" | "ull" | "lu" | "llu" | "u64" | "u128" | "usize" => (true, true),
            _ => return Err(self.error(start, "This number has a suffix that means nothing")),
        };
        Ok(TokenKind::Integer {
            value,
            is_unsigned,
            is_long,
            is_decimal: radix == 10,
        })
    }

    fn float(&mut self, start: usize) -> Result<TokenKind, Error> {
        if self.rest().starts_with('.') {
            self.position += 1;
            self.take_while(|c| c.is_ascii_digit() || c == '_');
        }
        if self.rest().starts_with(['e', 'E']) {
            self.position += 1;
            if self.rest().starts_with(['+', '-']) {
                self.position += 1;
            }
            self.take_while(|c| c.is_ascii_digit());
        }
        let digits = self.text[start..self.position].replace('_', "");
        let value = digits
            .parse()
            .map_err(|_| self.error(start, "This is not a number"))?;
        let is_single = match self.take_while(is_name_char) {
            "" | "f64" | "l" | "L" => false,
            "f" | "F" | "f32" => true,
            _ => return Err(self.error(start, "This number has a suffix that means nothing")),
        };
        Ok(TokenKind::Float { value, is_single })
    }

    fn text(&mut self) -> Result<TokenKind, Error> {
        let start = self.position;
        self.position += 1;
        let mut bytes = Vec::new();
        loop {
            match self.take_char() {
                None => return Err(self.error(start, "This string has no end")),
                Some('"') => return Ok(TokenKind::Text(bytes)),
                Some('\\') => match self.escape(start)? {
                    Escape::Byte(byte) => bytes.push(byte),
                    Escape::Char(c) => bytes.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
                },
                Some(c) => bytes.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
    }

    /// A character, or a name in quotes.
    fn quoted(&mut self) -> Result<TokenKind, Error> {
        let start = self.position;
        self.position += 1;
        let no_end = || Error::Syntax {
            message: "This quote has no end".to_owned(),
            text: self.text.to_owned(),
            position: start,
        };
        let skip = if self.rest().starts_with("\\'") { 2 } else { 0 };
        let end = self.rest()[skip..].find('\'').ok_or_else(no_end)? + skip;
        let inside = &self.rest()[..end];
        if inside.chars().count() > 1 && !inside.starts_with('\\') {
            self.position += end + 1;
            return Ok(TokenKind::Name(inside.to_owned()));
        }
        let after = self.position + end;
        let character = match self.take_char() {
            Some('\\') => match self.escape(start)? {
                Escape::Byte(byte) => u32::from(byte),
                Escape::Char(c) => u32::from(c),
            },
            Some(c) => u32::from(c),
            None => return Err(no_end()),
        };
        if self.position != after {
            return Err(self.error(start, "There must be one character between quotes"));
        }
        self.position += 1;
        Ok(TokenKind::Character(character))
    }

    fn escape(&mut self, start: usize) -> Result<Escape, Error> {
        let byte = match self.take_char() {
            Some('n') => b'\n',
            Some('t') => b'\t',
            Some('r') => b'\r',
            Some('a') => 7,
            Some('b') => 8,
            Some('e') => 27,
            Some('f') => 12,
            Some('v') => 11,
            Some('x') => {
                let digits = self.take_digits(16, 2);
                u8::from_str_radix(digits, 16).map_err(|_| self.error(start, BAD_ESCAPE))?
            }
            Some('u') => {
                let digits = self.take_while(|c| c.is_ascii_hexdigit() || c == '{' || c == '}');
                let digits = digits.trim_start_matches('{').trim_end_matches('}');
                let c = u32::from_str_radix(digits, 16)
                    .ok()
                    .and_then(char::from_u32);
                return c
                    .map(Escape::Char)
                    .ok_or_else(|| self.error(start, BAD_ESCAPE));
            }
            Some('0'..='7') => {
                self.position -= 1;
                let digits = self.take_digits(8, 3);
                u8::from_str_radix(digits, 8).map_err(|_| self.error(start, BAD_ESCAPE))?
            }
            Some(c @ ('\\' | '\'' | '"')) => c as u8,
            _ => return Err(self.error(start, BAD_ESCAPE)),
        };
        Ok(Escape::Byte(byte))
    }

    fn take_digits(&mut self, radix: u32, count_max: usize) -> &'a str {
        let rest = self.rest();
        let count = rest
            .chars()
            .take(count_max)
            .take_while(|c| c.is_digit(radix))
            .count();
        self.position += count;
        &rest[..count]
    }

    fn take_char(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.position += c.len_utf8();
        Some(c)
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.position += end;
        &rest[..end]
    }

    fn rest(&self) -> &'a str {
        &self.text[self.position..]
    }

    fn error(&self, position: usize, message: &str) -> Error {
        Error::Syntax {
            message: message.to_owned(),
            text: self.text.to_owned(),
            position,
        }
    }
}

const BAD_ESCAPE: &str = "This escape sequence has no meaning";

enum Escape {
    Byte(u8),
    Char(char),
}

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

//! What the tables of lldb's spellings have in common.

use super::{Flag, Given, Spelling};
use crate::error::Error;

/// What a spelling stands for.
pub(super) type Lines = Result<Vec<String>, Error>;

/// A flag that nothing follows.
pub(super) const fn flag(short: char, long: &'static str) -> Flag {
    Flag {
        short,
        long,
        value: None,
    }
}

/// A flag that a value follows.
pub(super) const fn with_value(short: char, long: &'static str, value: &'static str) -> Flag {
    Flag {
        short,
        long,
        value: Some(value),
    }
}

impl Spelling {
    /// A spelling without flags and other words.
    pub(super) const fn new(
        words: &'static [&'static str],
        like: &'static str,
        lines: fn(&Given<'_>) -> Lines,
    ) -> Spelling {
        Spelling {
            words,
            flags: &[],
            rest: "",
            is_raw: false,
            like,
            lines,
        }
    }

    /// With flags.
    pub(super) const fn flags(self, flags: &'static [Flag]) -> Spelling {
        Spelling { flags, ..self }
    }

    /// With other words.
    pub(super) const fn rest(self, rest: &'static str) -> Spelling {
        Spelling { rest, ..self }
    }

    /// With a text in which dashes mean nothing.
    pub(super) const fn raw(self, rest: &'static str) -> Spelling {
        Spelling {
            rest,
            is_raw: true,
            ..self
        }
    }
}

pub(super) const COUNT: Flag = with_value('c', "count", "COUNT");
pub(super) const FORMAT: Flag = with_value('f', "format", "FORMAT");

pub(super) fn one(line: impl Into<String>) -> Lines {
    Ok(vec![line.into()])
}

pub(super) fn needed<'g>(given: &'g Given<'_>, long: &str) -> Result<&'g str, Error> {
    given.value(long).ok_or_else(|| {
        let said = given.spelling.words.join(" ");
        let flag = given.spelling.flags.iter().find(|flag| flag.long == long);
        let short = flag.map_or(String::new(), |flag| format!("-{} ", flag.short));
        Error::Other(format!("{said} needs {short}(--{long}) and a value."))
    })
}

pub(super) fn file_and_line(given: &Given<'_>) -> Result<String, Error> {
    let line = needed(given, "line")?;
    Ok(match given.value("file") {
        Some(file) => format!("{file}:{line}"),
        None => line.to_owned(),
    })
}

pub(super) fn boolean(text: &str) -> Result<bool, Error> {
    match text {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        text => Err(Error::Other(format!(
            "\"{text}\" is neither true nor false."
        ))),
    }
}

/// A format of lldb's, by its name or letter, as it stands after a slash.
pub(super) fn format_letter(given: &Given<'_>) -> Result<String, Error> {
    let Some(name) = given.value("format") else {
        return Ok(String::new());
    };
    letter(name).map(|letter| format!("/{letter}"))
}

pub(super) fn letter(name: &str) -> Result<char, Error> {
    Ok(match name {
        "x" | "X" | "hex" | "uppercase hex" | "y" | "bytes" => 'x',
        "d" | "i" | "decimal" => 'd',
        "u" | "unsigned decimal" => 'u',
        "o" | "octal" => 'o',
        "t" | "b" | "binary" => 't',
        "c" | "character" | "char" => 'c',
        "s" | "c-string" => 's',
        "f" | "float" => 'f',
        "a" | "p" | "A" | "address" | "pointer" => 'a',
        "instruction" => 'i',
        name => {
            return Err(Error::Other(format!(
                "There is no format \"{name}\"; there are hex, decimal, unsigned decimal, octal, binary, character, \
                 c-string, float, address and instruction."
            )));
        }
    })
}

pub(super) fn printed(given: &Given<'_>, words: &[String]) -> Lines {
    let format = format_letter(given)?;
    Ok(words
        .iter()
        .map(|word| format!("print{format} {word}"))
        .collect())
}

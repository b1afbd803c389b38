//! Values, frames, memory and registers as lldb spells them.

use super::parts::{COUNT, FORMAT, Lines, flag, format_letter, letter, one, printed, with_value};
use super::{Given, Spelling};
use crate::error::Error;

pub(super) const SPELLINGS: &[Spelling] = &[
    Spelling::new(&["expression"], "call EXPRESSION", |given| {
        one(format!("call{} {}", format_letter(given)?, given.raw))
    })
    .flags(&[FORMAT, flag('O', "object-description")])
    .raw("-- EXPRESSION"),
    Spelling::new(
        &["frame", "variable"],
        "info args, info locals, print EXPRESSION",
        frame_variable,
    )
    .flags(&[
        FORMAT,
        flag('a', "no-args"),
        flag('l', "no-locals"),
        flag('g', "show-globals"),
        flag('T', "show-types"),
        flag('O', "object-description"),
    ])
    .rest("[VARIABLES]"),
    Spelling::new(&["frame", "select"], "frame NUMBER, up, down", frame_select)
        .flags(&[with_value('r', "relative", "OFFSET")])
        .rest("[NUMBER]"),
    Spelling::new(&["frame", "info"], "frame", |_| one("frame")),
    Spelling::new(
        &["memory", "read"],
        "x/COUNT FORMAT UNIT ADDRESS",
        memory_read,
    )
    .flags(&[
        COUNT,
        with_value('s', "size", "BYTES"),
        FORMAT,
        with_value('t', "type", "TYPE"),
        with_value('o', "outfile", "FILE"),
        flag('b', "binary"),
        flag('r', "force"),
    ])
    .rest("ADDRESS [END]"),
    Spelling::new(
        &["memory", "write"],
        "set var *ADDRESS = VALUE, restore FILE",
        memory_write,
    )
    .flags(&[
        with_value('s', "size", "BYTES"),
        with_value('i', "infile", "FILE"),
    ])
    .rest("ADDRESS VALUES"),
    Spelling::new(
        &["memory", "find"],
        "find START, +LENGTH, VALUE",
        memory_find,
    )
    .flags(&[
        with_value('s', "string", "TEXT"),
        with_value('e', "expression", "EXPRESSION"),
        COUNT,
    ])
    .rest("START END"),
    Spelling::new(&["memory", "region"], "info memory", |_| one("info memory")).rest("[ADDRESS]"),
    Spelling::new(&["parray"], "print *EXPRESSION@COUNT", |given| {
        let (count, expression) = crate::commands::first_word(given.raw);
        one(format!("print *({expression})@{count}"))
    })
    .raw("COUNT EXPRESSION"),
    Spelling::new(
        &["register", "read"],
        "info registers, info stack",
        register_read,
    )
    .flags(&[FORMAT, flag('a', "all")])
    .rest("[NAMES]"),
    Spelling::new(
        &["register", "write"],
        "set var $NAME = VALUE",
        register_write,
    )
    .raw("NAME VALUE"),
    Spelling::new(&["register", "info"], "info registers NAME", |given| {
        one(format!("info registers {}", given.text()))
    })
    .rest("NAME"),
    Spelling::new(&["type", "lookup"], "ptype TYPE", |given| {
        one(format!("ptype {}", given.text()))
    })
    .rest("TYPE"),
];

fn frame_variable(given: &Given<'_>) -> Lines {
    if !given.words.is_empty() {
        return printed(given, &given.words);
    }
    let mut lines = Vec::new();
    if !given.has("no-args") {
        lines.push("info args".to_owned());
    }
    if !given.has("no-locals") {
        lines.push("info locals".to_owned());
    }
    if given.has("show-globals") {
        lines.push("info variables".to_owned());
    }
    Ok(lines)
}

fn frame_select(given: &Given<'_>) -> Lines {
    one(match given.value("relative") {
        Some(offset) => match offset.strip_prefix('-') {
            Some(count) => format!("down {count}"),
            None => format!("up {}", offset.trim_start_matches('+')),
        },
        None => format!("frame {}", given.text()),
    })
}

fn memory_read(given: &Given<'_>) -> Lines {
    // gdb's formats are lldb's too: `memory read/4xw ADDRESS`.
    if given.raw.starts_with('/') {
        return one(format!("x{}", given.raw));
    }
    let [address, end @ ..] = &*given.words else {
        return Err(Error::other("memory read needs an address."));
    };
    let end = end.first();
    if let Some(file) = given.value("outfile") {
        let end =
            end.ok_or_else(|| Error::other("memory read needs an END to write to a file."))?;
        return one(format!("dump binary memory {file} {address} {end}"));
    }
    if let Some(name) = given.value("type") {
        let count = given.value("count").unwrap_or("1");
        return one(match count {
            "1" => format!("print *({name} *) ({address})"),
            count => format!("print *({name} *) ({address})@{count}"),
        });
    }
    let format = given
        .value("format")
        .map(letter)
        .transpose()?
        .unwrap_or('x');
    let is_bytes = !given.has("size") && !given.has("format");
    let size = match given.value("size") {
        None if is_bytes || given.value("format") == Some("bytes") => 1,
        None => 4,
        Some(text) => size_of(text)?,
    };
    let unit = match (format, size) {
        ('s' | 'i', _) => "",
        (_, 1) => "b",
        (_, 2) => "h",
        (_, 4) => "w",
        _ => "g",
    };
    let count = match (given.value("count"), end) {
        (Some(count), _) => given.debugger.evaluate_count(count)?,
        (None, Some(end)) => {
            let bytes = given
                .debugger
                .evaluate_address(end)?
                .saturating_sub(given.debugger.evaluate_address(address)?);
            i64::try_from(bytes.div_ceil(size)).unwrap_or(i64::MAX)
        }
        (None, None) if matches!(format, 's' | 'i') => 1,
        (None, None) => 32 / size as i64,
    };
    one(format!("x/{count}{format}{unit} {address}"))
}

fn size_of(text: &str) -> Result<u64, Error> {
    match text {
        "1" => Ok(1),
        "2" => Ok(2),
        "4" => Ok(4),
        "8" => Ok(8),
        text => Err(Error::Other(format!(
            "{text} is no size of a number; there are 1, 2, 4 and 8."
        ))),
    }
}

fn memory_write(given: &Given<'_>) -> Lines {
    let [address, values @ ..] = &*given.words else {
        return Err(Error::other("memory write needs an address and values."));
    };
    if let Some(file) = given.value("infile") {
        return one(format!("restore {file} binary {address}"));
    }
    if values.is_empty() {
        return Err(Error::other("memory write needs an address and values."));
    }
    let size = given.value("size").map_or(Ok(1), size_of)?;
    let name = match size {
        1 => "unsigned char",
        2 => "unsigned short",
        4 => "unsigned int",
        _ => "unsigned long long",
    };
    let line = |(index, value): (usize, &String)| {
        format!(
            "set var {{{name}}} (({address}) + {}) = {value}",
            index as u64 * size
        )
    };
    Ok(values.iter().enumerate().map(line).collect())
}

fn memory_find(given: &Given<'_>) -> Lines {
    let [start, end] = &*given.words else {
        return Err(Error::other(
            "memory find needs where to begin and where to end.",
        ));
    };
    let value = match (given.value("string"), given.value("expression")) {
        (Some(text), None) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        (None, Some(expression)) => expression.to_owned(),
        _ => return Err(Error::other("memory find needs -s TEXT or -e EXPRESSION.")),
    };
    let count = given.value("count").unwrap_or("1");
    // In C a difference of pointers counts elements.
    let debugger = given.debugger;
    let bytes = debugger
        .evaluate_address(end)?
        .saturating_sub(debugger.evaluate_address(start)?);
    one(format!("find/{count} {start}, +{bytes}, {value}"))
}

fn register_read(given: &Given<'_>) -> Lines {
    match (&*given.words, given.has("format")) {
        ([], _) => Ok(vec!["info registers".to_owned(), "info stack".to_owned()]),
        (words, true) => {
            let names: Vec<String> = words
                .iter()
                .map(|word| format!("${}", word.trim_start_matches('$')))
                .collect();
            printed(given, &names)
        }
        (_, false) => one(format!("info registers {}", given.text())),
    }
}

fn register_write(given: &Given<'_>) -> Lines {
    let (name, value) = crate::commands::first_word(given.raw);
    if value.is_empty() {
        return Err(Error::other("register write needs a name and a value."));
    }
    one(format!(
        "set var ${} = {value}",
        name.trim_start_matches('$')
    ))
}

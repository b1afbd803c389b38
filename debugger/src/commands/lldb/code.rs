//! The module, its code and sources, and settings, as lldb spells them.

use super::parts::{COUNT, Lines, boolean, file_and_line, flag, one, with_value};
use super::{Given, Spelling};
use crate::error::Error;

pub(super) const SPELLINGS: &[Spelling] = &[
    Spelling::new(
        &["disassemble"],
        "disassemble LOCATION, x/COUNT i ADDRESS",
        disassemble,
    )
    .flags(&[
        with_value('n', "name", "FUNCTION"),
        with_value('a', "address", "OFFSET"),
        with_value('s', "start-address", "OFFSET"),
        with_value('e', "end-address", "OFFSET"),
        COUNT,
        flag('f', "frame"),
        flag('p', "pc"),
        flag('l', "line"),
        flag('m', "mixed"),
        flag('b', "bytes"),
        with_value('T', "tier", "TIER"),
    ]),
    Spelling::new(&["image", "list"], "info files", |_| one("info files")).rest("[MODULE]"),
    Spelling::new(
        &["image", "lookup"],
        "info symbol, info line, info address, ptype",
        image_lookup,
    )
    .flags(&[
        with_value('a', "address", "ADDRESS"),
        with_value('n', "name", "NAME"),
        with_value('F', "function", "FUNCTION"),
        with_value('s', "symbol", "NAME"),
        with_value('t', "type", "TYPE"),
        with_value('f', "file", "FILE"),
        with_value('l', "line", "LINE"),
        flag('r', "regex"),
        flag('v', "verbose"),
    ])
    .rest("[MODULE]"),
    Spelling::new(&["image", "dump", "sections"], "info sections", |_| {
        one("info sections")
    })
    .rest("[MODULE]"),
    Spelling::new(&["image", "dump", "symtab"], "info functions", |_| {
        one("info functions")
    })
    .rest("[MODULE]"),
    Spelling::new(
        &["image", "search-paths", "add"],
        "set substitute-path FROM TO",
        |given| one(format!("set substitute-path {}", given.raw)),
    )
    .raw("FROM TO"),
    Spelling::new(
        &["image", "search-paths", "list"],
        "show substitute-path",
        |_| one("show substitute-path"),
    ),
    Spelling::new(&["settings", "set"], "set NAME VALUE", settings_set).raw("NAME VALUE"),
    Spelling::new(&["settings", "remove"], "unset environment NAME", |given| {
        let (name, value) = crate::commands::first_word(given.raw);
        one(format!("unset {} {value}", setting_name(name)))
    })
    .raw("NAME KEY"),
    Spelling::new(&["settings", "show"], "show [NAME]", |given| {
        one(format!("show {}", setting_name(&given.text())))
    })
    .rest("[NAME]"),
    Spelling::new(&["settings", "list"], "show [NAME]", |given| {
        one(format!("show {}", setting_name(&given.text())))
    })
    .rest("[NAME]"),
    Spelling::new(&["source", "list"], "list LOCATION", source_list).flags(&[
        with_value('f', "file", "FILE"),
        with_value('l', "line", "LINE"),
        with_value('n', "name", "FUNCTION"),
        with_value('a', "address", "OFFSET"),
        COUNT,
        flag('r', "reverse"),
    ]),
    Spelling::new(&["source", "info"], "info source, info line", |given| {
        Ok(match (given.value("file"), given.value("line")) {
            (None, None) => vec!["info source".to_owned(), "info line".to_owned()],
            _ => vec![format!("info line {}", file_and_line(given)?)],
        })
    })
    .flags(&[
        with_value('f', "file", "FILE"),
        with_value('l', "line", "LINE"),
    ]),
];

fn disassemble(given: &Given<'_>) -> Lines {
    let slash = match (given.has("mixed"), given.has("bytes")) {
        (true, true) => "/sr ",
        (true, false) => "/s ",
        (false, true) => "/r ",
        (false, false) => "",
    };
    let slash = match given.value("tier") {
        Some(_) if given.has("pc") || given.has("count") => {
            return Err(Error::other(
                "Code of a tier is shown of functions and ranges, and not by the number of instructions.",
            ));
        }
        Some(tier) => format!("{slash}--tier {tier} "),
        None => slash.to_owned(),
    };
    let from = given.value("start-address");
    let range = match (from, given.value("end-address"), given.value("count")) {
        (Some(from), Some(to), _) => Some(format!("disassemble {slash}{from},{to}")),
        (from, None, Some(count)) => Some(format!("x/{count}i {}", from.unwrap_or("$pc"))),
        (Some(from), None, None) => Some(format!("disassemble {slash}*{from}")),
        _ => None,
    };
    if let Some(line) = range {
        return one(line);
    }
    one(match (given.value("name"), given.value("address")) {
        (Some(name), _) => format!("disassemble {slash}{name}"),
        (None, Some(address)) => format!("disassemble {slash}*{address}"),
        (None, None) if given.has("pc") => "x/8i $pc".to_owned(),
        (None, None) if given.has("line") => "disassemble /s".to_owned(),
        (None, None) => format!("disassemble {slash}").trim_end().to_owned(),
    })
}

fn image_lookup(given: &Given<'_>) -> Lines {
    let mut lines = Vec::new();
    let is_regex = given.has("regex");
    if let Some(address) = given.value("address") {
        lines.push(format!("info symbol {address}"));
        // An address of data has no line.
        if given.debugger.is_code(address) {
            lines.push(format!("info line *{address}"));
        }
    }
    for name in ["name", "function", "symbol"]
        .iter()
        .flat_map(|flag| given.values(flag))
    {
        if is_regex {
            lines.push(format!("info functions {name}"));
        } else {
            lines.push(format!("info address {name}"));
        }
    }
    if let Some(name) = given.value("type") {
        lines.push(match is_regex {
            true => format!("info types {name}"),
            false => format!("ptype {name}"),
        });
    }
    if given.has("line") {
        lines.push(format!("info line {}", file_and_line(given)?));
    }
    match lines.is_empty() {
        true => Err(Error::other(
            "image lookup needs -a ADDRESS, -n NAME, -t TYPE, or -f FILE -l LINE.",
        )),
        false => Ok(lines),
    }
}

/// What lldb's settings are called here.
const SETTING_NAMES: [(&str, &str); 8] = [
    ("target.run-args", "args"),
    ("target.env-vars", "environment"),
    ("target.source-map", "substitute-path"),
    ("target.max-string-summary-length", "print elements"),
    ("target.max-children-count", "print elements"),
    ("term-width", "width"),
    ("stop-line-count-after", "listsize"),
    ("target.process.thread.step-avoid-regexp", "skip"),
];

fn setting_name(name: &str) -> &str {
    let found = SETTING_NAMES.iter().find(|(theirs, _)| *theirs == name);
    found.map_or(name, |(_, ours)| *ours)
}

fn settings_set(given: &Given<'_>) -> Lines {
    let (name, value) = crate::commands::first_word(given.raw);
    one(match (name, setting_name(name)) {
        ("auto-confirm", _) => {
            format!("set confirm {}", if boolean(value)? { "off" } else { "on" })
        }
        (_, "skip") => format!("skip -rfu {value}"),
        // An empty text in quotes is no argument.
        (_, "args") if value == "\"\"" => "set args".to_owned(),
        (_, ours) => format!("set {ours} {value}"),
    })
}

fn source_list(given: &Given<'_>) -> Lines {
    let place = match (given.value("name"), given.value("address")) {
        (Some(name), _) => Some(match given.value("file") {
            Some(file) => format!("{file}:{name}"),
            None => name.to_owned(),
        }),
        (None, Some(address)) => Some(format!("*{address}")),
        (None, None) if given.has("line") => Some(format!("{},", file_and_line(given)?)),
        (None, None) => given.value("file").map(|file| format!("{file}:1,")),
    };
    let list = match (place, given.has("reverse")) {
        (Some(place), _) => format!("list {place}"),
        (None, true) => "list -".to_owned(),
        (None, false) => "list".to_owned(),
    };
    one(match given.value("count") {
        Some(count) => format!("with listsize {count} -- {list}"),
        None => list,
    })
}

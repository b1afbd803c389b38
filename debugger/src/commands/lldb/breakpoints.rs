//! Breakpoints and watchpoints as lldb spells them; scripts and aliases.

use regex_lite::Regex;

use super::parts::{Lines, boolean, file_and_line, flag, needed, one, with_value};
use super::{Given, Spelling};
use crate::error::Error;

pub(super) const SPELLINGS: &[Spelling] = &[
    Spelling::new(
        &["breakpoint", "set"],
        "break LOCATION if CONDITION",
        breakpoint_set,
    )
    .flags(&[
        with_value('n', "name", "FUNCTION"),
        with_value('f', "file", "FILE"),
        with_value('l', "line", "LINE"),
        with_value('a', "address", "OFFSET"),
        with_value('r', "func-regex", "REGEX"),
        with_value('p', "source-pattern-regexp", "REGEX"),
        with_value('F', "fullname", "FUNCTION"),
        with_value('M', "method", "FUNCTION"),
        with_value('b', "basename", "FUNCTION"),
        with_value('c', "condition", "CONDITION"),
        with_value('i', "ignore-count", "COUNT"),
        with_value('C', "command", "COMMAND"),
        flag('o', "one-shot"),
        flag('d', "disable"),
    ]),
    Spelling::new(
        &["breakpoint", "list"],
        "info breakpoints [NUMBERS]",
        |given| one(format!("info breakpoints {}", given.text())),
    )
    .flags(&[flag('b', "brief"), flag('f', "full"), flag('v', "verbose")])
    .rest("[NUMBERS]"),
    Spelling::new(&["breakpoint", "delete"], "delete [NUMBERS]", |given| {
        one(format!("delete {}", given.text()))
    })
    .flags(&[flag('f', "force")])
    .rest("[NUMBERS]"),
    Spelling::new(&["breakpoint", "disable"], "disable [NUMBERS]", |given| {
        one(format!("disable {}", given.text()))
    })
    .rest("[NUMBERS]"),
    Spelling::new(&["breakpoint", "enable"], "enable [NUMBERS]", |given| {
        one(format!("enable {}", given.text()))
    })
    .rest("[NUMBERS]"),
    Spelling::new(
        &["breakpoint", "modify"],
        "condition, ignore, enable, disable",
        breakpoint_modify,
    )
    .flags(&[
        with_value('c', "condition", "CONDITION"),
        with_value('i', "ignore-count", "COUNT"),
        with_value('o', "one-shot", "BOOLEAN"),
        flag('e', "enable"),
        flag('d', "disable"),
    ])
    .rest("[NUMBERS]"),
    Spelling::new(&["breakpoint", "clear"], "clear FILE:LINE", |given| {
        one(format!("clear {}", file_and_line(given)?))
    })
    .flags(&[
        with_value('f', "file", "FILE"),
        with_value('l', "line", "LINE"),
    ]),
    Spelling::new(
        &["breakpoint", "command", "add"],
        "commands [NUMBERS]",
        command_add,
    )
    .flags(&[with_value('o', "one-liner", "COMMAND")])
    .rest("[NUMBERS]"),
    Spelling::new(
        &["breakpoint", "command", "delete"],
        "commands NUMBERS, end",
        |given| Ok(vec![format!("commands {}", given.text()), "end".to_owned()]),
    )
    .rest("NUMBERS"),
    Spelling::new(
        &["breakpoint", "command", "list"],
        "info breakpoints NUMBERS",
        |given| one(format!("info breakpoints {}", given.text())),
    )
    .rest("NUMBERS"),
    Spelling::new(&["breakpoint", "write"], "save breakpoints FILE", |given| {
        one(format!("save breakpoints {}", needed(given, "file")?))
    })
    .flags(&[with_value('f', "file", "FILE")]),
    Spelling::new(&["breakpoint", "read"], "source FILE", |given| {
        one(format!("source {}", needed(given, "file")?))
    })
    .flags(&[with_value('f', "file", "FILE")]),
    Spelling::new(
        &["watchpoint", "set", "variable"],
        "watch, rwatch, awatch EXPRESSION",
        |given| one(format!("{} {}", watch_verb(given)?, given.raw)),
    )
    .flags(&[with_value(
        'w',
        "watch",
        "read | write | modify | read_write",
    )])
    .raw("VARIABLE"),
    Spelling::new(
        &["watchpoint", "set", "expression"],
        "watch *(TYPE *) ADDRESS",
        watch_expression,
    )
    .flags(&[
        with_value('w', "watch", "read | write | modify | read_write"),
        with_value('s', "size", "BYTES"),
    ])
    .raw("-- ADDRESS"),
    Spelling::new(
        &["watchpoint", "list"],
        "info watchpoints [NUMBERS]",
        |given| one(format!("info watchpoints {}", given.text())),
    )
    .flags(&[flag('b', "brief"), flag('f', "full"), flag('v', "verbose")])
    .rest("[NUMBERS]"),
    Spelling::new(&["watchpoint", "delete"], "delete NUMBERS", |given| {
        all_watchpoints(given, "delete")
    })
    .flags(&[flag('f', "force")])
    .rest("[NUMBERS]"),
    Spelling::new(&["watchpoint", "disable"], "disable NUMBERS", |given| {
        all_watchpoints(given, "disable")
    })
    .rest("[NUMBERS]"),
    Spelling::new(&["watchpoint", "enable"], "enable NUMBERS", |given| {
        all_watchpoints(given, "enable")
    })
    .rest("[NUMBERS]"),
    Spelling::new(
        &["watchpoint", "modify"],
        "condition NUMBER CONDITION",
        breakpoint_modify,
    )
    .flags(&[with_value('c', "condition", "CONDITION")])
    .rest("[NUMBERS]"),
    Spelling::new(
        &["watchpoint", "ignore"],
        "ignore NUMBER COUNT",
        breakpoint_modify,
    )
    .flags(&[with_value('i', "ignore-count", "COUNT")])
    .rest("[NUMBERS]"),
    Spelling::new(
        &["watchpoint", "command", "add"],
        "commands [NUMBERS]",
        command_add,
    )
    .flags(&[with_value('o', "one-liner", "COMMAND")])
    .rest("[NUMBERS]"),
    Spelling::new(&["command", "source"], "source FILE", |given| {
        one(format!("source {}", given.text()))
    })
    .rest("FILE"),
    Spelling::new(&["command", "alias"], "alias NAME = COMMAND", command_alias).raw("NAME COMMAND"),
    Spelling::new(&["command", "history"], "show commands", |_| {
        one("show commands")
    }),
];

fn breakpoint_set(given: &Given<'_>) -> Lines {
    let verb = if given.has("one-shot") {
        "tbreak"
    } else {
        "break"
    };
    let condition = given
        .value("condition")
        .map_or_else(String::new, |it| format!(" if {it}"));
    let file = given
        .value("file")
        .map_or_else(String::new, |file| format!("{file}:"));
    let mut lines = Vec::new();
    if let Some(regex) = given.value("func-regex") {
        if !condition.is_empty() || given.has("one-shot") {
            return Err(Error::other(
                "A breakpoint for a regular expression is set without a condition; `breakpoint modify` gives it one.",
            ));
        }
        lines.push(format!("rbreak {file}{regex}"));
    }
    let names = ["name", "fullname", "method", "basename"];
    let names = names.iter().flat_map(|flag| given.values(flag));
    lines.extend(names.map(|name| format!("{verb} {file}{name}{condition}")));
    if let Some(address) = given.value("address") {
        lines.push(format!("{verb} *{address}{condition}"));
    }
    if let Some(pattern) = given.value("source-pattern-regexp") {
        let places = source_lines(given, pattern)?.into_iter();
        lines.extend(places.map(|place| format!("{verb} {place}{condition}")));
    }
    if given.has("line") {
        lines.push(format!("{verb} {}{condition}", file_and_line(given)?));
    }
    if lines.is_empty() || !given.words.is_empty() {
        return Err(Error::other(
            "breakpoint set needs a place: -n FUNCTION, -f FILE -l LINE, -a OFFSET or -r REGEX.",
        ));
    }
    if let Some(count) = given.value("ignore-count") {
        lines.push(format!("ignore $bpnum {count}"));
    }
    if given.has("disable") {
        lines.push("disable $bpnum".to_owned());
    }
    if given.has("command") {
        lines.push("commands".to_owned());
        lines.extend(given.values("command").map(str::to_owned));
        lines.push("end".to_owned());
    }
    Ok(lines)
}

/// The lines of a source file that match and have code.
fn source_lines(given: &Given<'_>, pattern: &str) -> Result<Vec<String>, Error> {
    let regex = Regex::new(pattern).map_err(|error| {
        Error::Other(format!("\"{pattern}\" is no regular expression: {error}."))
    })?;
    let file = needed(given, "file")?;
    let program = &given.debugger.program;
    let mut places = Vec::new();
    for path in program.info().files_matching(file) {
        let text = program.text_of(&path);
        let text = text.map_err(|missing| Error::Other(missing.to_string()))?;
        let has_match = |line: &&u32| {
            let line = text.lines.get(**line as usize - 1);
            line.is_some_and(|line| regex.is_match(line))
        };
        let lines = text.code_lines.iter().filter(has_match);
        places.extend(lines.map(|line| format!("{file}:{line}")));
    }
    match places.is_empty() {
        true => Err(Error::Other(format!(
            "No line with code in {file} matches \"{pattern}\"."
        ))),
        false => Ok(places),
    }
}

/// The numbers that are named, or the last breakpoint's.
fn numbers(given: &Given<'_>) -> Vec<String> {
    match &*given.words {
        [] => vec![given.debugger.breakpoints.last_number().to_string()],
        words => words.to_vec(),
    }
}

fn breakpoint_modify(given: &Given<'_>) -> Lines {
    let mut lines = Vec::new();
    for number in numbers(given) {
        if let Some(condition) = given.value("condition") {
            lines.push(format!("condition {number} {condition}"));
        }
        if let Some(count) = given.value("ignore-count") {
            lines.push(format!("ignore {number} {count}"));
        }
        if let Some(is_one_shot) = given.value("one-shot") {
            let verb = if boolean(is_one_shot)? {
                "enable delete"
            } else {
                "enable keep"
            };
            lines.push(format!("{verb} {number}"));
        }
        if given.has("enable") {
            lines.push(format!("enable {number}"));
        }
        if given.has("disable") {
            lines.push(format!("disable {number}"));
        }
    }
    match lines.is_empty() {
        true => Err(Error::other(
            "There is nothing to modify: -c, -i, -o, -e or -d is needed.",
        )),
        false => Ok(lines),
    }
}

fn command_add(given: &Given<'_>) -> Lines {
    let mut lines = vec![format!("commands {}", given.text())];
    if given.has("one-liner") {
        lines.extend(given.values("one-liner").map(str::to_owned));
        lines.push("end".to_owned());
    }
    Ok(lines)
}

fn command_alias(given: &Given<'_>) -> Lines {
    let (name, command) = crate::commands::first_word(given.raw);
    one(format!("alias {name} = {command}"))
}

fn watch_verb(given: &Given<'_>) -> Result<&'static str, Error> {
    Ok(match given.value("watch") {
        None | Some("modify" | "write") => "watch",
        Some("read") => "rwatch",
        Some("read_write") => "awatch",
        Some(other) => {
            return Err(Error::Other(format!(
                "\"{other}\" cannot be watched for; there are read, write, modify and read_write."
            )));
        }
    })
}

fn watch_expression(given: &Given<'_>) -> Lines {
    let verb = watch_verb(given)?;
    let size = given.value("size").unwrap_or("4");
    one(format!("{verb} *(unsigned char *) ({})@{size}", given.raw))
}

/// All watchpoints if none is named; breakpoints have numbers of their own.
fn all_watchpoints(given: &Given<'_>, verb: &str) -> Lines {
    let words = match &*given.words {
        [] => given.debugger.breakpoints.watchpoint_numbers(),
        words => words.to_vec(),
    };
    match &*words {
        [] => Err(Error::other("There are no watchpoints.")),
        words => one(format!("{verb} {}", words.join(" "))),
    }
}

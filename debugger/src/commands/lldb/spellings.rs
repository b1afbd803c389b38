//! The table of lldb's spellings.

use regex_lite::Regex;

use super::{Flag, Given, Spelling};
use crate::error::Error;

type Lines = Result<Vec<String>, Error>;

const fn flag(short: char, long: &'static str) -> Flag {
    Flag {
        short,
        long,
        value: None,
    }
}

const fn with_value(short: char, long: &'static str, value: &'static str) -> Flag {
    Flag {
        short,
        long,
        value: Some(value),
    }
}

impl Spelling {
    const fn new(
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

    const fn flags(self, flags: &'static [Flag]) -> Spelling {
        Spelling { flags, ..self }
    }

    const fn rest(self, rest: &'static str) -> Spelling {
        Spelling { rest, ..self }
    }

    const fn raw(self, rest: &'static str) -> Spelling {
        Spelling {
            rest,
            is_raw: true,
            ..self
        }
    }
}

const COUNT: Flag = with_value('c', "count", "COUNT");
const FORMAT: Flag = with_value('f', "format", "FORMAT");

/// All spellings. Those with the same beginning stand together.
pub(crate) const SPELLINGS: &[Spelling] = &[
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
    Spelling::new(&["command", "source"], "source FILE", |given| {
        one(format!("source {}", given.text()))
    })
    .rest("FILE"),
    Spelling::new(&["command", "alias"], "alias NAME = COMMAND", command_alias).raw("NAME COMMAND"),
    Spelling::new(&["command", "history"], "show commands", |_| {
        one("show commands")
    }),
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
    ]),
    Spelling::new(&["env"], "show environment, set environment", |given| {
        one(match given.raw {
            "" => "show environment".to_owned(),
            raw => format!("set environment {raw}"),
        })
    })
    .raw("[NAME=VALUE]"),
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
    Spelling::new(&["process", "launch"], "run, starti", process_launch)
        .flags(&[
            flag('s', "stop-at-entry"),
            with_value('i', "stdin", "FILE"),
            with_value('o', "stdout", "FILE"),
            with_value('e', "stderr", "FILE"),
            with_value('E', "environment", "NAME=VALUE"),
            with_value('v', "env", "NAME=VALUE"),
        ])
        .raw("[-- ARGUMENTS]"),
    Spelling::new(&["process", "continue"], "continue [COUNT]", |given| {
        one(match given.value("ignore-count") {
            Some(count) => format!("continue ({count}) + 1"),
            None => "continue".to_owned(),
        })
    })
    .flags(&[with_value('i', "ignore-count", "COUNT")]),
    Spelling::new(&["process", "kill"], "kill", |_| one("kill")),
    Spelling::new(&["process", "status"], "info program", |_| {
        one("info program")
    }),
    Spelling::new(&["process", "interrupt"], "Ctrl-C", |_| {
        Err(Error::other(
            "Commands wait until the program has stopped; Ctrl-C interrupts it.",
        ))
    }),
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
    Spelling::new(&["target", "create"], "file PROGRAM", |given| {
        one(format!("file {}", given.text()))
    })
    .rest("PROGRAM"),
    Spelling::new(&["target", "delete"], "quit", |_| {
        Err(Error::other(
            "A session always has a program: `target create` opens another one, `quit` leaves.",
        ))
    }),
    Spelling::new(&["target", "list"], "info inferiors", |_| {
        one("info inferiors")
    }),
    Spelling::new(
        &["target", "stop-hook", "add"],
        "define hook-stop",
        |given| Ok(stop_hook_add(given)),
    )
    .flags(&[with_value('o', "one-liner", "COMMAND")]),
    Spelling::new(
        &["target", "stop-hook", "list"],
        "show user hook-stop",
        |_| one("show user hook-stop"),
    ),
    Spelling::new(
        &["target", "stop-hook", "delete"],
        "define hook-stop, end",
        |_| Ok(vec!["define hook-stop".to_owned(), "end".to_owned()]),
    ),
    Spelling::new(
        &["target", "variable"],
        "info variables, print NAME",
        |given| match &*given.words {
            [] => one("info variables"),
            words => printed(given, words),
        },
    )
    .flags(&[FORMAT])
    .rest("[NAMES]"),
    Spelling::new(&["thread", "step-in"], "step [COUNT]", |given| {
        counted(given, "step")
    })
    .flags(&[COUNT]),
    Spelling::new(&["thread", "step-over"], "next [COUNT]", |given| {
        counted(given, "next")
    })
    .flags(&[COUNT]),
    Spelling::new(&["thread", "step-out"], "finish", |_| one("finish")),
    Spelling::new(&["thread", "step-inst"], "stepi [COUNT]", |given| {
        counted(given, "stepi")
    })
    .flags(&[COUNT]),
    Spelling::new(&["thread", "step-inst-over"], "nexti [COUNT]", |given| {
        counted(given, "nexti")
    })
    .flags(&[COUNT]),
    Spelling::new(&["thread", "backtrace"], "backtrace [COUNT]", |given| {
        counted(given, "backtrace")
    })
    .flags(&[COUNT, flag('e', "extended")])
    .rest("[all]"),
    Spelling::new(&["thread", "return"], "return [EXPRESSION]", |given| {
        one(format!("return {}", given.raw))
    })
    .raw("[-- EXPRESSION]"),
    Spelling::new(&["thread", "until"], "until LOCATION", |given| {
        one(match given.value("address") {
            Some(address) => format!("until *{address}"),
            None => format!("until {}", given.text()),
        })
    })
    .flags(&[with_value('a', "address", "OFFSET")])
    .rest("[LINE]"),
    Spelling::new(&["thread", "jump"], "jump LOCATION", |given| {
        let by = given.value("by");
        one(match (by, given.value("address")) {
            (Some(by), _) if by.starts_with(['+', '-']) => format!("jump {by}"),
            (Some(by), _) => format!("jump +{by}"),
            (None, Some(address)) => format!("jump *{address}"),
            (None, None) => format!("jump {}", file_and_line(given)?),
        })
    })
    .flags(&[
        with_value('f', "file", "FILE"),
        with_value('l', "line", "LINE"),
        with_value('b', "by", "LINES"),
        with_value('a', "address", "OFFSET"),
    ]),
    Spelling::new(&["thread", "continue"], "continue", |_| one("continue")),
    Spelling::new(&["thread", "info"], "thread", |_| one("thread")),
    Spelling::new(&["thread", "list"], "info threads", |_| one("info threads")),
    Spelling::new(&["thread", "select"], "thread NUMBER", |given| {
        one(format!("thread {}", given.text()))
    })
    .rest("NUMBER"),
    Spelling::new(&["type", "lookup"], "ptype TYPE", |given| {
        one(format!("ptype {}", given.text()))
    })
    .rest("TYPE"),
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
];

fn one(line: impl Into<String>) -> Lines {
    Ok(vec![line.into()])
}

fn counted(given: &Given<'_>, verb: &str) -> Lines {
    one(format!(
        "{verb} {}",
        given.value("count").unwrap_or_default()
    ))
}

fn needed<'g>(given: &'g Given<'_>, long: &str) -> Result<&'g str, Error> {
    given.value(long).ok_or_else(|| {
        let said = given.spelling.words.join(" ");
        let flag = given.spelling.flags.iter().find(|flag| flag.long == long);
        let short = flag.map_or(String::new(), |flag| format!("-{} ", flag.short));
        Error::Other(format!("{said} needs {short}(--{long}) and a value."))
    })
}

fn file_and_line(given: &Given<'_>) -> Result<String, Error> {
    let line = needed(given, "line")?;
    Ok(match given.value("file") {
        Some(file) => format!("{file}:{line}"),
        None => line.to_owned(),
    })
}

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

fn boolean(text: &str) -> Result<bool, Error> {
    match text {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        text => Err(Error::Other(format!(
            "\"{text}\" is neither true nor false."
        ))),
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

/// Adds to what is performed at every stop; without a flag, the lines up to `end` replace it.
fn stop_hook_add(given: &Given<'_>) -> Vec<String> {
    let mut lines = vec!["define hook-stop".to_owned()];
    if given.has("one-liner") {
        lines.extend(given.debugger.user_commands.lines_of("hook-stop"));
        lines.extend(given.values("one-liner").map(str::to_owned));
        lines.push("end".to_owned());
    }
    lines
}

fn command_alias(given: &Given<'_>) -> Lines {
    let (name, command) = crate::commands::first_word(given.raw);
    one(format!("alias {name} = {command}"))
}

fn disassemble(given: &Given<'_>) -> Lines {
    let slash = match (given.has("mixed"), given.has("bytes")) {
        (true, true) => "/sr ",
        (true, false) => "/s ",
        (false, true) => "/r ",
        (false, false) => "",
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

/// A format of lldb's, by its name or letter, as it stands after a slash.
fn format_letter(given: &Given<'_>) -> Result<String, Error> {
    let Some(name) = given.value("format") else {
        return Ok(String::new());
    };
    letter(name).map(|letter| format!("/{letter}"))
}

fn letter(name: &str) -> Result<char, Error> {
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

fn printed(given: &Given<'_>, words: &[String]) -> Lines {
    let format = format_letter(given)?;
    Ok(words
        .iter()
        .map(|word| format!("print{format} {word}"))
        .collect())
}

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

fn process_launch(given: &Given<'_>) -> Lines {
    let mut lines: Vec<String> = given
        .values("environment")
        .chain(given.values("env"))
        .map(|variable| format!("set environment {variable}"))
        .collect();
    let mut line = if given.has("stop-at-entry") {
        "starti"
    } else {
        "run"
    }
    .to_owned();
    if !given.raw.is_empty() {
        line.push_str(&format!(" {}", given.raw));
    }
    for (flag, sign) in [("stdin", "<"), ("stdout", ">"), ("stderr", "2>")] {
        if let Some(file) = given.value(flag) {
            line.push_str(&format!(" {sign}{file}"));
        }
    }
    lines.push(line);
    Ok(lines)
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

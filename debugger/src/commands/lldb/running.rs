//! Running the program, and the program itself, as lldb spells it.

use super::parts::{COUNT, FORMAT, Lines, file_and_line, flag, one, printed, with_value};
use super::{Given, Spelling};
use crate::error::Error;

pub(super) const SPELLINGS: &[Spelling] = &[
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
    Spelling::new(&["env"], "show environment, set environment", |given| {
        one(match given.raw {
            "" => "show environment".to_owned(),
            raw => format!("set environment {raw}"),
        })
    })
    .raw("[NAME=VALUE]"),
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
];

fn counted(given: &Given<'_>, verb: &str) -> Lines {
    one(format!(
        "{verb} {}",
        given.value("count").unwrap_or_default()
    ))
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

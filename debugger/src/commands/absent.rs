//! Commands of gdb's and lldb's that have no meaning here, each with the reason: who types one learns what there is instead.

use crate::error::Error;

/// Names, and why there is no such command.
const ABSENT: &[(&[&str], &str)] = &[
    (
        &["signal", "handle", "queue-signal"],
        "WebAssembly has no signals; what would raise one is a trap, which always stops the program",
    ),
    (
        &["attach", "detach", "disconnect"],
        "a program lives inside of wdb, so that there is no other process to attach to",
    ),
    (
        &["core-file", "generate-core-file", "gcore"],
        "no operating system writes core files of WebAssembly programs",
    ),
    (
        &[
            "exec-file",
            "symbol-file",
            "add-symbol-file",
            "load",
            "sharedlibrary",
            "nosharedlibrary",
        ],
        "a module holds its code and its symbols, and is whole; `file` opens one",
    ),
    (
        &["path"],
        "a module is opened by its path alone, with `file`",
    ),
    (
        &["tty"],
        "the program's streams are led elsewhere with `run <INPUT >OUTPUT`",
    ),
    (
        &["layout", "tui", "focus", "refresh", "winheight", "gui"],
        "the full screen is `wdb PROGRAM` without --line, and has panes of its own",
    ),
    (
        &["python", "python-interactive", "guile", "script", "compile"],
        "no other language is part of wdb; `define` makes commands, `wdb --json` serves programs",
    ),
    (
        &[
            "inferior",
            "add-inferior",
            "remove-inferiors",
            "clone-inferior",
        ],
        "one session debugs one program",
    ),
    (
        &["maintenance", "mt"],
        "what wdb knows of a program is shown by `info` and `wdb inspect`",
    ),
    (
        &["trace", "tstart", "tstop", "tstatus", "collect", "actions"],
        "tracepoints are for programs that must not stop; `dprintf` prints and goes on",
    ),
    (
        &["gdb-remote", "kdp-remote", "platform", "gdbserver"],
        "a program lives inside of wdb; it is not reached by a connection",
    ),
    (
        &["plugin", "language", "statistics", "diagnostics", "log"],
        "nothing of the kind is part of wdb",
    ),
    (
        &["macro"],
        "macros of the preprocessor are not read from debug info",
    ),
    (
        &["flushregs"],
        "nothing about the machine is kept that could be out of date",
    ),
];

/// Why there is no command of a name, if it is one that people know.
pub(super) fn reason(name: &str) -> Option<Error> {
    // Short beginnings are slips of the pen.
    const LETTERS_MIN: usize = 3;
    let is_meant =
        |known: &&str| *known == name || (name.len() >= LETTERS_MIN && known.starts_with(name));
    let (_, reason) = ABSENT
        .iter()
        .find(|(names, _)| names.iter().any(&is_meant))?;
    Some(Error::Other(format!("There is no `{name}`: {reason}.")))
}

/// Settings of gdb's that decide nothing here, with the reason.
const ABSENT_SETTINGS: &[(&[&str], &str)] = &[
    (
        &["language", "case-sensitive"],
        "expressions are understood as C, C++ and Rust write them, all at once",
    ),
    (
        &["input-radix"],
        "numbers are written with their base: 0x1f, 0b101, 017",
    ),
    (
        &["print object", "print vtbl"],
        "modules do not keep the names of virtual tables, which would tell an object's class",
    ),
    (
        &["print demangle", "print asm-demangle", "demangle-style"],
        "names are always shown as the source has them",
    ),
    (
        &[
            "print symbol",
            "print symbol-filename",
            "print max-symbolic-offset",
        ],
        "in WebAssembly an address of data says nothing about the code or data that it came from; `info symbol` does",
    ),
    (
        &[
            "verbose",
            "complaints",
            "debuginfod",
            "style",
            "startup-with-shell",
            "print thread-events",
        ],
        "wdb does nothing that it would switch",
    ),
    (
        &["write"],
        "the file of a module is never written; `set var` and `jump` change the program that runs",
    ),
    (
        &["history expansion"],
        "Ctrl-R searches the history instead",
    ),
    (
        &[
            "follow-fork-mode",
            "detach-on-fork",
            "scheduler-locking",
            "non-stop",
            "schedule-multiple",
        ],
        "a program is one agent, and makes no other",
    ),
    (
        &["disassembly-flavor", "architecture", "endian"],
        "there is one machine, which is written in one way",
    ),
    (
        &["auto-load", "auto-load safe-path"],
        "a .wdbinit is performed after you have agreed to it, or with --trust",
    ),
    (
        &["disassemble-next-line"],
        "`display/i $pc` shows the next instruction at each stop",
    ),
    (
        &[
            "python",
            "tui",
            "inferior-tty",
            "cwd",
            "exec-wrapper",
            "sysroot",
            "solib-search-path",
        ],
        "wdb has nothing of the kind",
    ),
];

/// Why there is no setting of a name, if it is one that people know: by its whole name, or by beginnings of its words.
pub(crate) fn setting_reason(text: &str, is_whole: bool) -> Option<Error> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_meant = |name: &&str| {
        let parts: Vec<&str> = name.split(' ').collect();
        let fits = |(part, word): (&&str, &&str)| {
            *part == *word || (!is_whole && word.len() >= 3 && part.starts_with(word))
        };
        words.len() >= parts.len() && parts.iter().zip(&words).all(fits)
    };
    let (names, reason) = ABSENT_SETTINGS
        .iter()
        .find(|(names, _)| names.iter().any(&is_meant))?;
    let name = names.iter().find(|it| is_meant(it))?;
    Some(Error::Other(format!(
        "There is no setting {name}: {reason}."
    )))
}

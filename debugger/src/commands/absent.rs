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
        .find(|(names, _)| names.iter().any(|it| is_meant(&it)))?;
    Some(Error::Other(format!("There is no `{name}`: {reason}.")))
}

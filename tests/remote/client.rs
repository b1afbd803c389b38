//! The clients, and how each is driven without a person.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A debugger that attaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    Lldb,
    Gdb,
}

impl Client {
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Client::Lldb => "lldb",
            Client::Gdb => "gdb",
        }
    }

    pub(crate) fn program(self) -> &'static str {
        match self {
            // Only from this version on it knows WebAssembly.
            Client::Lldb => "lldb-22",
            Client::Gdb => "gdb",
        }
    }

    /// The client on this machine.
    pub(crate) fn find(self) -> Option<PathBuf> {
        let path = std::env::var_os("PATH")?;
        let mut candidates = std::env::split_paths(&path).map(|it| it.join(self.program()));
        candidates.find(|candidate| candidate.is_file())
    }

    /// What stands before a command in a scenario.
    pub(crate) fn prompt(self) -> &'static str {
        match self {
            Client::Lldb => "(lldb) ",
            Client::Gdb => "(gdb) ",
        }
    }

    /// The command that connects to a server.
    pub(crate) fn connect(self, address: &str) -> String {
        let path = address.strip_prefix("unix:");
        match (self, path) {
            (Client::Lldb, Some(path)) => {
                format!("process connect --plugin wasm unix-connect://{path}")
            }
            (Client::Lldb, None) => format!("process connect --plugin wasm connect://{address}"),
            (Client::Gdb, path) => format!("target remote {}", path.unwrap_or(address)),
        }
    }

    /// Whether the client prints what is typed for it.
    pub(crate) fn echoes(self) -> bool {
        self == Client::Lldb
    }

    /// Whether what was typed last was read, going by what the client has printed.
    pub(crate) fn has_taken(self, typed: &str, printed: &str) -> bool {
        match self {
            Client::Lldb => printed.contains(typed),
            Client::Gdb => true,
        }
    }

    /// What the client performs before anything else: for lldb, which prints the commands of a script, everything that is
    /// not typed.
    pub(crate) fn script(self, root: &Path, commands: &[String], is_typed: bool) -> String {
        let root = root.display();
        let mut lines = match self {
            Client::Lldb => vec![
                format!("settings set target.source-map /wdb {root}"),
                "settings set stop-disassembly-display never".to_owned(),
            ],
            Client::Gdb => vec![
                format!("set substitute-path /wdb {root}"),
                "set pagination off".to_owned(),
                "set confirm off".to_owned(),
                "set width 0".to_owned(),
            ],
        };
        if self == Client::Lldb && !is_typed {
            lines.extend_from_slice(commands);
            lines.push("quit".to_owned());
        }
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// The arguments that make the client perform a scenario and leave.
    pub(crate) fn arguments(
        self,
        script: &Path,
        commands: &[String],
        is_typed: bool,
    ) -> Vec<OsString> {
        let fixed: &[&str] = match (self, is_typed) {
            (Client::Lldb, _) => &[
                "--no-lldbinit",
                "--no-use-colors",
                "--one-line-before-file",
                "settings set interpreter.stop-command-source-on-error false",
                "--source",
            ],
            (Client::Gdb, true) => &["-nx", "-q", "-x"],
            (Client::Gdb, false) => &["-nx", "-batch", "-x"],
        };
        let mut arguments: Vec<OsString> = fixed.iter().map(OsString::from).collect();
        arguments.push(script.into());
        if self == Client::Gdb && !is_typed {
            // A script would end at the first error, and its commands are not printed.
            for command in commands {
                let text = command.replace('\\', "\\\\").replace('"', "\\\"");
                arguments.extend(["-ex".into(), format!("echo (gdb) {text}\\n").into()]);
                arguments.extend(["-ex".into(), command.into()]);
            }
        }
        arguments
    }
}

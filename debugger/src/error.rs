//! Why a program cannot be opened, and why a command fails.

use std::path::PathBuf;

/// Why a program cannot be opened. Each is one line that says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file cannot be read.
    #[error("{}: {}", .path.display(), .error)]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        error: std::io::Error,
    },
    /// A folder was named.
    #[error("{}: this is a directory; give the path of a .wasm or .wat file", .0.display())]
    Directory(PathBuf),
    /// The bytes are no module that can be run.
    #[error("{name}: {error}")]
    Module {
        /// The file's or the embedded program's name.
        name: String,
        /// What is wrong with it.
        error: wdb_vm::module::ModuleError,
    },
    /// The module cannot be instantiated.
    #[error("{name}: {message}")]
    Instantiate {
        /// The file's or the embedded program's name.
        name: String,
        /// What is missing.
        message: String,
    },
    /// The operating system gives no thread.
    #[error("the machine's thread cannot be started: {0}")]
    Thread(std::io::Error),
}

/// Why a command fails. The text is one line for a person, without the word "error".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("The program is not being run; `run` or `start` begins it.")]
    NotRunning,
    #[error("No frame selected.")]
    NoFrame,
    #[error("{message} at column {}: `{}`.", .position + 1, excerpt(.text, *.position))]
    Syntax {
        message: String,
        text: String,
        position: usize,
    },
    #[error("No symbol \"{name}\" in current context.{}", did_you_mean(.near))]
    NoSymbol { name: String, near: Vec<String> },
    #[error("Function \"{name}\" not defined.{}", did_you_mean(.near))]
    NoFunction { name: String, near: Vec<String> },
    #[error("No source file named {name}.{}", did_you_mean(.near))]
    NoFile { name: String, near: Vec<String> },
    #[error("No line {line} in file \"{file}\"{}.", last_line(*.last))]
    NoLine {
        file: String,
        line: u32,
        /// The last line that has code, if any has.
        last: Option<u32>,
    },
    #[error("Undefined command: \"{name}\".{} Try \"help\".", did_you_mean(.near))]
    UndefinedCommand { name: String, near: Vec<String> },
    #[error("Ambiguous {noun} \"{name}\": {}.", .candidates.join(", "))]
    Ambiguous {
        /// What it is the beginning of several of.
        noun: &'static str,
        name: String,
        candidates: Vec<String>,
    },
    #[error("There is no setting {name}; `show` lists them all.{}", did_you_mean(.near))]
    NoSetting { name: String, near: Vec<String> },
    #[error("No breakpoint number {0}.")]
    NoBreakpoint(u32),
    #[error("{}.", capitalised(.0))]
    Value(#[from] wdb_dwarf::Error),
    #[error("{0}")]
    Other(String),
}

impl Error {
    /// A failure that only its text tells apart.
    pub(crate) fn other(text: impl Into<String>) -> Error {
        Error::Other(text.into())
    }
}

/// A number of things, as in "1 argument" and "2 arguments".
pub(crate) fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// What a text goes on with from a position, short enough for a line.
fn excerpt(text: &str, position: usize) -> String {
    const CHARS_MAX: usize = 30;
    let rest = text.get(position..).unwrap_or_default();
    if rest.is_empty() {
        return "end of input".to_owned();
    }
    let mut excerpt: String = rest.chars().take(CHARS_MAX).collect();
    if excerpt.len() < rest.len() {
        excerpt.push_str("...");
    }
    excerpt
}

fn capitalised(error: &wdb_dwarf::Error) -> String {
    let text = error.to_string();
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => text,
    }
}

fn last_line(last: Option<u32>) -> String {
    last.map_or_else(String::new, |last| {
        format!("; its last line with code is {last}")
    })
}

fn did_you_mean(near: &[String]) -> String {
    match near {
        [] => String::new(),
        names => format!(" Did you mean {}?", names.join(" or ")),
    }
}

//! What a guest is given of the world.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use cap_fs_ext::{OpenOptionsMaybeDirExt, ambient_authority};
use cap_std::fs::{Dir, OpenOptions};

use super::state::FileKind;
use super::stdio::{Input, Output, StdinQueue, StreamSource};
use super::{Preopen, Wasi};

/// A mistake in the configuration of WASI: one line that says what cannot be had and why.
#[derive(Debug, thiserror::Error)]
pub enum WasiError {
    /// A directory cannot be given to the guest.
    #[error("cannot open the directory {} for the guest: {source}", path.display())]
    Directory {
        /// Its path on the host.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Standard input cannot be opened.
    #[error("cannot open {} as standard input: {source}", path.display())]
    Stdin {
        /// Its path on the host.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An argument or an environment variable holds a NUL, which ends strings in the guest.
    #[error("the {what} {text:?} holds a NUL character")]
    Nul {
        /// `argument` or `environment variable`.
        what: &'static str,
        /// The text.
        text: String,
    },
    /// The name of an environment variable is empty or holds `=`.
    #[error("{0:?} cannot name an environment variable")]
    VariableName(String),
}

/// Where the guest's standard input comes from.
#[derive(Debug, Default)]
pub enum StdinSource {
    /// It is empty.
    #[default]
    Empty,
    /// The standard input of this process.
    Inherit,
    /// A file, pipe or device of the host.
    File(PathBuf),
    /// What is pushed into a queue.
    Queue(StdinQueue),
}

/// What the guest takes an output stream for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OutputKind {
    /// A terminal: the C library writes each line at once, and programs may use colours.
    Terminal,
    /// A pipe: the C library collects its output in a buffer.
    Pipe,
}

/// Builds a [`Wasi`]. By itself it gives nothing: no arguments, variables or directories, an empty standard input,
/// and outputs that lead nowhere.
pub struct WasiConfig {
    args: Vec<String>,
    env: Vec<(String, String)>,
    preopens: Vec<(PathBuf, String)>,
    stdin: StdinSource,
    stdout: Output,
    stderr: Output,
}

impl Default for WasiConfig {
    fn default() -> WasiConfig {
        WasiConfig::new()
    }
}

impl WasiConfig {
    /// A guest that is given nothing.
    #[must_use]
    pub fn new() -> WasiConfig {
        WasiConfig {
            args: Vec::new(),
            env: Vec::new(),
            preopens: Vec::new(),
            stdin: StdinSource::Empty,
            stdout: output(OutputKind::Pipe, Box::new(io::sink())),
            stderr: output(OutputKind::Pipe, Box::new(io::sink())),
        }
    }

    /// Adds arguments. The first of all is the program's name.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<String>>) -> WasiConfig {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Adds an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> WasiConfig {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Gives the guest a directory of the host under a path of its own.
    #[must_use]
    pub fn preopen(mut self, host: impl Into<PathBuf>, guest: impl Into<String>) -> WasiConfig {
        self.preopens.push((host.into(), guest.into()));
        self
    }

    /// Sets where standard input comes from.
    #[must_use]
    pub fn stdin(mut self, source: StdinSource) -> WasiConfig {
        self.stdin = source;
        self
    }

    /// Sets where standard output goes. It is flushed after every write of the guest.
    #[must_use]
    pub fn stdout(mut self, kind: OutputKind, sink: Box<dyn Write + Send>) -> WasiConfig {
        self.stdout = output(kind, sink);
        self
    }

    /// Sets where standard error goes. It is flushed after every write of the guest.
    #[must_use]
    pub fn stderr(mut self, kind: OutputKind, sink: Box<dyn Write + Send>) -> WasiConfig {
        self.stderr = output(kind, sink);
        self
    }

    /// Opens what the guest is given.
    pub fn build(self) -> Result<Wasi, WasiError> {
        let args = self.args.into_iter().map(|arg| c_string("argument", arg));
        let args = args.collect::<Result<_, _>>()?;
        let env = self
            .env
            .into_iter()
            .map(variable)
            .collect::<Result<_, _>>()?;
        let preopens = self
            .preopens
            .into_iter()
            .map(open_preopen)
            .collect::<Result<_, _>>()?;
        let (stdin, stdin_kind) = open_stdin(self.stdin)?;
        Ok(Wasi::new(
            args,
            env,
            preopens,
            (stdin, stdin_kind),
            self.stdout,
            self.stderr,
        ))
    }
}

fn output(kind: OutputKind, sink: Box<dyn Write + Send>) -> Output {
    let kind = match kind {
        OutputKind::Terminal => FileKind::CharacterDevice,
        OutputKind::Pipe => FileKind::Unknown,
    };
    Output { kind, sink }
}

/// The text with the NUL that ends it in the guest.
fn c_string(what: &'static str, text: String) -> Result<Vec<u8>, WasiError> {
    if text.contains('\0') {
        return Err(WasiError::Nul { what, text });
    }
    let mut bytes = text.into_bytes();
    bytes.push(0);
    Ok(bytes)
}

fn variable((name, value): (String, String)) -> Result<Vec<u8>, WasiError> {
    if name.is_empty() || name.contains('=') {
        return Err(WasiError::VariableName(name));
    }
    c_string("environment variable", format!("{name}={value}"))
}

fn open_preopen((path, guest_path): (PathBuf, String)) -> Result<Preopen, WasiError> {
    match open_directory(&path) {
        Ok(dir) => Ok(Preopen { dir, guest_path }),
        Err(source) => Err(WasiError::Directory { path, source }),
    }
}

/// Opens a directory such that it can also be synchronised and its times be set,
/// for which the handles that [`Dir::open_ambient_dir`] gives are too weak on some systems.
fn open_directory(path: &Path) -> io::Result<Dir> {
    let dir = Dir::open_ambient_dir(path, ambient_authority())?;
    let strong = dir.open_with(".", OpenOptions::new().read(true).maybe_dir(true));
    // A directory that may be searched but not read is still of use.
    Ok(strong.map_or(dir, |file| Dir::from_std_file(file.into_std())))
}

/// Opens standard input; answers also what the guest takes it for.
fn open_stdin(source: StdinSource) -> Result<(Input, FileKind), WasiError> {
    match source {
        StdinSource::Empty => Ok((Input::Empty, FileKind::Unknown)),
        StdinSource::Queue(queue) => Ok((Input::Queue(queue), FileKind::CharacterDevice)),
        StdinSource::Inherit => {
            let stdin = io::stdin();
            let kind = if stdin.is_terminal() {
                FileKind::CharacterDevice
            } else {
                FileKind::Unknown
            };
            Ok((stream(StreamSource::Inherited(stdin)), kind))
        }
        StdinSource::File(path) => {
            open_stdin_file(&path).map_err(|source| WasiError::Stdin { path, source })
        }
    }
}

fn open_stdin_file(path: &Path) -> io::Result<(Input, FileKind)> {
    let file = File::open(path)?;
    let file_type = file.metadata()?.file_type();
    if file_type.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if file_type.is_file() {
        return Ok((
            Input::File(cap_std::fs::File::from_std(file)),
            FileKind::RegularFile,
        ));
    }
    let kind = if file.is_terminal() {
        FileKind::CharacterDevice
    } else {
        FileKind::Unknown
    };
    Ok((stream(StreamSource::File(file)), kind))
}

fn stream(source: StreamSource) -> Input {
    Input::Stream {
        source,
        history: StdinQueue::new(),
    }
}

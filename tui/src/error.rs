//! What can go wrong in a front end itself; what goes wrong in a session arrives as events.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// A front end cannot do its work.
#[derive(Debug, Error)]
pub enum FrontEndError {
    /// The terminal cannot be set up, read or drawn on.
    #[error("cannot use the terminal: {0}; use --line for the line mode")]
    Terminal(#[source] io::Error),
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] io::Error),
    /// Signals cannot be received.
    #[error("cannot handle signals: {0}")]
    Signals(#[source] io::Error),
    /// The line editor failed.
    #[error("cannot read a line: {0}")]
    Line(#[source] rustyline::error::ReadlineError),
    /// The standard output or input failed.
    #[error("cannot read commands or write their results: {0}")]
    Stream(#[source] io::Error),
    /// A script with commands cannot be read.
    #[error("cannot read the commands in {}: {source}", path.display())]
    Script {
        /// The script.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

//! What can go wrong with a server. What clients do wrong is answered to them and is no error.

use std::io;

/// Why a server cannot serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address to listen on is none.
    #[error("\"{0}\" is no address to listen on: give HOST:PORT, PORT, or unix:PATH")]
    Address(String),
    /// The operating system refuses to listen there.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// As it was given.
        address: String,
        /// Why.
        error: io::Error,
    },
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
}

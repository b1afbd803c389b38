//! Copies of what is told, in a file (`set logging enabled`).

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// A file that what is told is copied to.
#[derive(Debug)]
pub(crate) struct Log {
    file: File,
    /// Whether what it is given is not told otherwise.
    pub(crate) redirects: bool,
}

impl Log {
    /// Opens the file.
    pub(crate) fn open(path: &Path, overwrites: bool, redirects: bool) -> io::Result<Log> {
        let mut options = OpenOptions::new();
        options.create(true);
        match overwrites {
            true => options.write(true).truncate(true),
            false => options.append(true),
        };
        let file = options.open(path)?;
        Ok(Log { file, redirects })
    }

    /// Adds lines.
    pub(crate) fn add(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.file, "{text}")
    }
}

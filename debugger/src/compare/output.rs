//! What a program wrote, kept to be shown once.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use crate::event::Stream;

/// The most bytes that are kept.
const BYTES_MAX: usize = 1 << 26;

/// What a program wrote to its standard output and error, in the order in which it did.
#[derive(Debug, Clone, Default)]
pub struct KeptOutput(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    pieces: Vec<(Stream, Vec<u8>)>,
    bytes: usize,
    /// How many bytes were too many.
    lost: u64,
}

impl KeptOutput {
    fn with<R>(&self, then: impl FnOnce(&mut Kept) -> R) -> R {
        then(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What writes to a stream.
    pub(crate) fn writer(&self, stream: Stream) -> impl Write + Send + 'static {
        Writer {
            output: self.clone(),
            stream,
        }
    }

    /// Writes all to where it belongs. Answers how many bytes were too many to be kept.
    ///
    /// # Errors
    /// Those of the two streams.
    pub fn write(&self, stdout: &mut dyn Write, stderr: &mut dyn Write) -> io::Result<u64> {
        self.with(|kept| {
            for (stream, bytes) in &kept.pieces {
                match stream {
                    Stream::Stdout => stdout.write_all(bytes)?,
                    Stream::Stderr => stderr.write_all(bytes)?,
                }
            }
            Ok(kept.lost)
        })
    }
}

struct Writer {
    output: KeptOutput,
    stream: Stream,
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.with(|kept| {
            let room = BYTES_MAX - kept.bytes;
            let (taken, lost) = bytes.split_at(bytes.len().min(room));
            kept.bytes += taken.len();
            kept.lost += lost.len() as u64;
            match kept.pieces.last_mut() {
                Some((stream, piece)) if *stream == self.stream => piece.extend_from_slice(taken),
                _ => kept.pieces.push((self.stream, taken.to_vec())),
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

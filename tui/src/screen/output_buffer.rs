//! The guest's output on its way to the screen: bounded, since a guest can write faster than anyone can read.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use wdb_debugger::event::Stream;

/// Output that the screen has not taken yet.
#[derive(Default)]
pub(crate) struct Pending {
    /// Pieces in the order in which they were written.
    pub(crate) pieces: VecDeque<(Stream, Vec<u8>)>,
    /// How many bytes before them were dropped.
    pub(crate) skipped: usize,
    bytes: usize,
}

/// A queue of output that forgets the oldest when it is full.
#[derive(Default)]
pub(crate) struct OutputBuffer {
    pending: Mutex<Pending>,
}

impl OutputBuffer {
    /// How many bytes wait at the most; the output pane could not keep more.
    const BYTES_MAX: usize = 1 << 18;
    /// How much is dropped at once.
    const PIECE_BYTES: usize = 1 << 14;

    /// Adds what the guest wrote; says whether the buffer was empty before.
    pub(crate) fn push(&self, stream: Stream, bytes: &[u8]) -> bool {
        let mut pending = self.lock();
        let was_empty = pending.pieces.is_empty() && pending.skipped == 0;
        for part in bytes.chunks(Self::PIECE_BYTES) {
            pending.bytes += part.len();
            match pending.pieces.back_mut() {
                Some((last, text))
                    if *last == stream && text.len() + part.len() <= Self::PIECE_BYTES =>
                {
                    text.extend_from_slice(part);
                }
                _ => pending.pieces.push_back((stream, part.to_vec())),
            }
            while pending.bytes > Self::BYTES_MAX {
                let Some((_, dropped)) = pending.pieces.pop_front() else {
                    break;
                };
                pending.bytes -= dropped.len();
                pending.skipped += dropped.len();
            }
        }
        was_empty
    }

    /// Takes everything.
    pub(crate) fn take(&self) -> Pending {
        std::mem::take(&mut *self.lock())
    }

    /// A panic of the other thread leaves bytes in order, and the screen ends anyway.
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::OutputBuffer;
    use wdb_debugger::event::Stream;

    #[test]
    fn the_newest_output_is_kept() {
        let buffer = OutputBuffer::default();
        assert!(buffer.push(Stream::Stdout, b"first"));
        assert!(!buffer.push(Stream::Stderr, b"second"));
        for _ in 0..100 {
            buffer.push(Stream::Stdout, &[b'x'; 30_000]);
        }
        buffer.push(Stream::Stdout, b"last");
        let pending = buffer.take();
        let kept: usize = pending.pieces.iter().map(|(_, text)| text.len()).sum();
        assert!(kept <= OutputBuffer::BYTES_MAX);
        assert_eq!(kept + pending.skipped, 5 + 6 + 100 * 30_000 + 4);
        assert!(
            pending
                .pieces
                .back()
                .is_some_and(|(_, text)| text.ends_with(b"last"))
        );
        assert!(buffer.take().pieces.is_empty());
    }

    #[test]
    fn one_write_larger_than_the_buffer_is_cut() {
        let buffer = OutputBuffer::default();
        buffer.push(Stream::Stdout, &vec![b'x'; 3 << 20]);
        let pending = buffer.take();
        assert!(pending.skipped >= 2 << 20);
    }
}

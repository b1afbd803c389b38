//! The standard streams.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::{Stdin, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};

use super::errno::Errno;
use super::state::FileKind;

/// The longest that a wait goes without a look at the interrupt.
pub(super) const WAIT_SLICE: Duration = Duration::from_millis(20);

/// The most bytes of standard input that wait to be read, and again the most that are kept after they were read.
pub const STDIN_BYTES_MAX: usize = 1 << 24;

/// The most bytes that one read of a stream takes.
pub(super) const STREAM_READ_BYTES_MAX: usize = 1 << 16;

/// Standard input that somebody types: a shared handle, so that one thread can push what the guest reads on another.
///
/// What was read is kept for a while, so that a state of the guest from before the read, when it is continued,
/// reads the same again.
#[derive(Clone, Default)]
pub struct StdinQueue(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<QueueState>,
    changed: Condvar,
}

#[derive(Default)]
struct QueueState {
    /// The stream's position of the first byte kept.
    start: u64,
    bytes: VecDeque<u8>,
    /// The stream's position that the guest has got to, at most.
    read_to: u64,
    closed: bool,
    waiting: usize,
}

/// What a stream has at a position.
pub(super) enum Available {
    Bytes(Vec<u8>),
    /// It has ended.
    End,
    /// Nothing yet.
    Nothing,
}

impl StdinQueue {
    /// An empty queue.
    #[must_use]
    pub fn new() -> StdinQueue {
        StdinQueue::default()
    }

    /// Adds bytes for the guest to read; answers how many were taken.
    /// Fewer than all are taken when [`STDIN_BYTES_MAX`] wait already; none after [`StdinQueue::close`].
    pub fn push(&self, bytes: &[u8]) -> usize {
        let mut state = self.lock();
        if state.closed {
            return 0;
        }
        let unread = state.end() - state.read_to;
        let count = bytes.len().min(STDIN_BYTES_MAX - unread as usize);
        state.bytes.extend(&bytes[..count]);
        self.0.changed.notify_all();
        count
    }

    /// Ends the stream: after what was pushed, the guest reads its end.
    pub fn close(&self) {
        self.lock().closed = true;
        self.0.changed.notify_all();
    }

    /// Whether the guest stands in a call that waits for bytes to be pushed.
    #[must_use]
    pub fn is_waited_on(&self) -> bool {
        self.lock().waiting > 0
    }

    /// The position up to which the guest has read.
    pub(super) fn read_to(&self) -> u64 {
        self.lock().read_to
    }

    /// Takes up to `bytes_max` bytes from a position on.
    pub(super) fn read(&self, offset: u64, bytes_max: usize) -> Result<Available, Errno> {
        let mut state = self.lock();
        let available = state.available(offset)?;
        if available == 0 {
            let closed = state.closed;
            return Ok(if closed {
                Available::End
            } else {
                Available::Nothing
            });
        }
        let count = available.min(bytes_max);
        let skipped = (offset - state.start) as usize;
        let bytes = state
            .bytes
            .range(skipped..skipped + count)
            .copied()
            .collect();
        state.read_to = state.read_to.max(offset + count as u64);
        let excess = (state.read_to - state.start).saturating_sub(STDIN_BYTES_MAX as u64);
        state.bytes.drain(..excess as usize);
        state.start += excess;
        Ok(Available::Bytes(bytes))
    }

    /// The number of bytes there are from a position on.
    pub(super) fn available(&self, offset: u64) -> Result<usize, Errno> {
        self.lock().available(offset)
    }

    /// Whether no more will be pushed.
    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Waits until there is something at a position, for a while.
    pub(super) fn wait(&self, offset: u64, timeout: Duration) {
        let idle = |state: &mut QueueState| !state.closed && state.end() <= offset;
        let waited = self
            .0
            .changed
            .wait_timeout_while(self.lock(), timeout, idle);
        drop(waited.unwrap_or_else(|poisoned| poisoned.into_inner()));
    }

    /// Shows as waited on until the answer is dropped.
    pub(super) fn begin_wait(&self) -> Waiting {
        self.lock().waiting += 1;
        Waiting(self.clone())
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        let locked = self.0.state.lock();
        locked.unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl fmt::Debug for StdinQueue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        let unread = state.end() - state.read_to;
        let mut output = formatter.debug_struct("StdinQueue");
        output
            .field("unread_bytes", &unread)
            .field("closed", &state.closed)
            .finish_non_exhaustive()
    }
}

impl QueueState {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    fn available(&mut self, offset: u64) -> Result<usize, Errno> {
        // What a state from long ago would read again is no longer kept.
        if offset < self.start {
            return Err(Errno::Io);
        }
        // A state from another session has read more than this stream has seen: it goes on with what is unread here.
        if offset > self.end() {
            self.start += offset - self.read_to;
            self.read_to = offset;
        }
        Ok((self.end() - offset) as usize)
    }
}

/// Somebody waits for a [`StdinQueue`].
pub(super) struct Waiting(StdinQueue);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.lock().waiting -= 1;
    }
}

/// Where standard input comes from.
pub(super) enum Input {
    /// It is at its end.
    Empty,
    /// A regular file, read at the position that the guest's state holds.
    File(cap_std::fs::File),
    /// What is typed into a queue.
    Queue(StdinQueue),
    /// A stream of the operating system; the queue keeps what has been read from it.
    Stream {
        source: StreamSource,
        history: StdinQueue,
    },
}

/// A stream of the operating system.
pub(super) enum StreamSource {
    /// The standard input of this process.
    Inherited(Stdin),
    /// A pipe or a device.
    File(File),
}

impl AsFd for StreamSource {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            StreamSource::Inherited(stdin) => stdin.as_fd(),
            StreamSource::File(file) => file.as_fd(),
        }
    }
}

impl Input {
    /// The position at which a new guest starts to read.
    pub(super) fn start(&self) -> u64 {
        match self {
            Input::Empty | Input::File(_) => 0,
            Input::Queue(queue) | Input::Stream { history: queue, .. } => queue.read_to(),
        }
    }

    /// Takes what a stream has at a position, without waiting.
    pub(super) fn read(&self, offset: u64, bytes_max: usize) -> Result<Available, Errno> {
        match self {
            Input::Empty => Ok(Available::End),
            Input::File(file) => {
                let mut bytes = vec![0; bytes_max];
                let count = retry(|| rustix::io::pread(file, &mut bytes, offset))?;
                bytes.truncate(count);
                Ok(if count == 0 {
                    Available::End
                } else {
                    Available::Bytes(bytes)
                })
            }
            Input::Queue(queue) => queue.read(offset, bytes_max),
            Input::Stream { source, history } => match history.read(offset, bytes_max)? {
                Available::Nothing => read_stream(source, history, offset, bytes_max),
                available => Ok(available),
            },
        }
    }
}

/// Reads a stream of the operating system if it has something, by way of the queue that keeps it.
fn read_stream(
    source: &StreamSource,
    history: &StdinQueue,
    offset: u64,
    bytes_max: usize,
) -> Result<Available, Errno> {
    if !is_ready(source.as_fd(), PollFlags::IN, Duration::ZERO)? {
        return Ok(Available::Nothing);
    }
    let mut bytes = vec![0; bytes_max];
    let count = match retry(|| rustix::io::read(source, &mut bytes)) {
        Err(rustix::io::Errno::AGAIN) => return Ok(Available::Nothing),
        result => result?,
    };
    // The end is not kept: a terminal can go on after it.
    if count == 0 {
        return Ok(Available::End);
    }
    history.push(&bytes[..count]);
    history.read(offset, bytes_max)
}

/// Where standard output or standard error goes.
pub(super) struct Output {
    pub(super) kind: FileKind,
    pub(super) sink: Box<dyn Write + Send>,
}

impl Output {
    /// Writes and flushes: a debugger shows what the guest wrote when it wrote it.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        self.sink.write_all(bytes)?;
        self.sink.flush()?;
        Ok(())
    }
}

/// Waits for a descriptor of the operating system to become ready, for a while.
pub(super) fn is_ready(
    fd: BorrowedFd<'_>,
    events: PollFlags,
    timeout: Duration,
) -> Result<bool, Errno> {
    let mut fds = [PollFd::from_borrowed_fd(fd, events)];
    wait_for(&mut fds, timeout)?;
    Ok(!fds[0].revents().is_empty())
}

/// Waits for one of several descriptors of the operating system, for a while. A signal ends the wait early.
pub(super) fn wait_for(fds: &mut [PollFd<'_>], timeout: Duration) -> Result<(), Errno> {
    let timeout = Timespec::try_from(timeout).map_err(|_| Errno::Inval)?;
    match rustix::event::poll(fds, Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// Repeats a call of the operating system that a signal has cut off.
pub(super) fn retry<T>(call: impl FnMut() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
    rustix::io::retry_on_intr(call)
}

//! What a session tells its front ends.

use std::sync::Arc;

use crate::view::View;

/// Names one submitted command.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// One of the guest's output streams.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stream {
    /// File descriptor 1.
    Stdout,
    /// File descriptor 2.
    Stderr,
}

/// What happened, in order. Every subscriber gets every event.
#[derive(Clone, Debug)]
pub enum Event {
    /// The guest wrote.
    Output {
        /// Where to.
        stream: Stream,
        /// What; any bytes.
        bytes: Arc<[u8]>,
    },
    /// A command printed a line (or several, separated by `\n`, without a final one).
    Message(String),
    /// The same as the [`Event::Message`] before it, as an object of [`crate::json`]; only if the session was asked for it.
    Json(Arc<str>),
    /// How far a command has come that takes its time: one short line, for people who wait. It is outdated by the next event.
    Progress(Arc<str>),
    /// A command failed; one line that says what, where and what to do.
    Error(String),
    /// The guest runs now.
    Running,
    /// The guest stopped, ended, or was started anew.
    Stopped(Arc<View>),
    /// The program stands where it stood, but what is shown of it changed (another frame selected, a breakpoint set, a value written).
    Changed(Arc<View>),
    /// A command is finished.
    Done {
        /// The command.
        request: RequestId,
        /// How it ended.
        status: CommandStatus,
    },
}

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommandStatus {
    /// It did what it was asked for.
    Success,
    /// It failed; an [`Event::Error`] said why.
    Failure,
    /// The user wants to leave, with this exit status.
    Quit(i32),
}

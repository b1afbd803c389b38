//! Telling people how far a command has come.

use std::time::{Duration, Instant};

use crate::event::Event;
use crate::shared::Shared;

/// How often it is told: seldom enough to be read, often enough to show that something goes on.
const INTERVAL: Duration = Duration::from_millis(500);

/// The progress of one command.
pub(crate) struct Progress<'a> {
    shared: &'a Shared,
    told: Instant,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(shared: &'a Shared) -> Progress<'a> {
        Progress {
            shared,
            told: Instant::now(),
        }
    }

    /// Tells it if it is time to. Answers whether the command is to end early, because the user wants it.
    pub(crate) fn is_cancelled(&mut self, text: impl FnOnce() -> String) -> bool {
        if self.told.elapsed() >= INTERVAL {
            self.told = Instant::now();
            self.shared.send(&Event::Progress(text().into()));
        }
        self.shared.is_cancelled()
    }
}

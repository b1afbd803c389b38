//! The record of all that came from the host.
//!
//! Entry `n` is the outcome of the machine's host call number `n`, so a state that has made fewer calls than the log has entries
//! is replayed from it: the entry's effects are applied and the host is not asked.

use std::sync::Arc;

use crate::host::{HostFunc, HostOutcome, HostWrite};
use crate::wasi::WasiState;

/// One finished host call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostEvent {
    /// The function called.
    pub func: HostFunc,
    /// How it ended.
    pub outcome: HostOutcome,
    /// What it wrote into the caller's memory, in order.
    pub writes: Vec<HostWrite>,
    /// The state of WASI after the call, where it changed.
    pub wasi: Option<Arc<WasiState>>,
}

/// All host calls of a run, in order.
#[derive(Clone, Default, Debug)]
pub struct HostLog {
    events: Vec<HostEvent>,
}

impl HostLog {
    /// The number of calls recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.events.len() as u64
    }

    /// The call with this number.
    #[must_use]
    pub fn event(&self, number: u64) -> Option<&HostEvent> {
        self.events.get(usize::try_from(number).ok()?)
    }

    /// The calls recorded, in order.
    pub fn events(&self) -> impl Iterator<Item = &HostEvent> {
        self.events.iter()
    }

    pub(crate) fn push(&mut self, event: HostEvent) {
        self.events.push(event);
    }

    /// Forgets all calls from this number on: the future of a state that was changed.
    pub(crate) fn truncate(&mut self, count: u64) {
        self.events
            .truncate(usize::try_from(count).unwrap_or(usize::MAX));
    }
}

//! The record of all that came from the host.
//!
//! An entry is the outcome of the machine's host call with the same number, so a state that has made fewer calls than the log
//! has recorded is replayed from it: the entry's effects are applied and the host is not asked.
//!
//! Calls are recorded from the first checkpoint on: what no state that can be restored will ask for again is not kept,
//! or a program that does nothing but read would fill the memory.

use std::collections::VecDeque;
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
    /// What it wrote into the caller's memory.
    pub writes: Vec<HostWrite>,
    /// The state of WASI after the call, where it changed.
    pub wasi: Option<Arc<WasiState>>,
}

/// The host calls of a run from one of them on, in order.
#[derive(Clone, Default, Debug)]
pub struct HostLog {
    /// The number of the first call kept; `None` as long as none is to be.
    start: Option<u64>,
    events: VecDeque<HostEvent>,
}

impl HostLog {
    /// The number of the call that would be recorded next.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.start.unwrap_or(0) + self.events.len() as u64
    }

    /// The call with this number, if it is recorded.
    #[must_use]
    pub fn event(&self, number: u64) -> Option<&HostEvent> {
        let position = number.checked_sub(self.start?)?;
        self.events.get(usize::try_from(position).ok()?)
    }

    /// The calls recorded, in order.
    pub fn events(&self) -> impl Iterator<Item = &HostEvent> {
        self.events.iter()
    }

    /// Whether calls are to be recorded.
    pub(crate) fn is_recording(&self) -> bool {
        self.start.is_some()
    }

    /// Records from the call with this number on, unless calls are recorded already.
    pub(crate) fn begin(&mut self, number: u64) {
        self.start.get_or_insert(number);
    }

    /// Whether a state that has made this many calls can go on as it once did.
    pub(crate) fn reaches_back_to(&self, number: u64) -> bool {
        self.start.is_some_and(|start| start <= number)
    }

    /// Records the next call, if calls are to be recorded.
    pub(crate) fn push(&mut self, event: HostEvent) {
        if self.is_recording() {
            self.events.push_back(event);
        }
    }

    /// Forgets all calls from this number on: the future of a state that was changed.
    pub(crate) fn forget_from(&mut self, number: u64) {
        let kept = number.saturating_sub(self.start.unwrap_or(0));
        self.events
            .truncate(usize::try_from(kept).unwrap_or(usize::MAX));
    }

    /// Forgets all calls before this number: the past of the oldest state that can be restored.
    pub(crate) fn forget_before(&mut self, number: u64) {
        let Some(start) = &mut self.start else { return };
        let forgotten = number.saturating_sub(*start).min(self.events.len() as u64);
        self.events.drain(..forgotten as usize);
        *start += forgotten;
    }
}

//! Probes: places in code before which something is done.

use std::sync::Arc;

use crate::condition::Condition;

/// A place before which something is done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Probe {
    /// The instruction's offset in the module.
    pub pc: u32,
    /// What is done.
    pub rule: Arc<ProbeRule>,
}

/// What is done where a probe is arrived at. By default the run stops there.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProbeRule {
    /// Arrivals where this does not hold are passed. Where it has no value the run stops, whatever else is said here: who set it is to
    /// find out.
    pub condition: Option<Condition>,
    /// The number of the [`HitCounter`] of the other arrivals.
    pub counter: Option<u32>,
    /// What is written down, instead of stopping.
    pub capture: Option<Capture>,
}

/// Values that are written down. Where one of them has none, the run stops.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Capture {
    /// By what number whoever set it knows it again.
    pub tag: u32,
    /// What is written down: at most [`CAPTURED_VALUES_MAX`].
    pub values: Vec<Condition>,
}

/// The most values that are written down at once.
pub const CAPTURED_VALUES_MAX: usize = 64;

/// The words in front of the values of what was written down: the tag in the low half of the first with the number of values in the
/// high one, and the tick.
pub const CAPTURED_HEAD_WORDS: usize = 2;

/// Counts the arrivals at probes at which their conditions hold and the run does not stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct HitCounter {
    /// How many there were so far.
    pub hits: u64,
    /// While there are fewer, an arrival is passed and counted. From then on the run stops without counting, or, if there is something
    /// to be written down, does that and counts.
    pub ignored: u64,
}

impl HitCounter {
    /// Whether the next arrival is passed, whatever else the rule says.
    #[must_use]
    pub fn ignores_next(self) -> bool {
        self.hits < self.ignored
    }
}

impl ProbeRule {
    /// Whether every arrival stops the run.
    #[must_use]
    pub fn always_stops(&self) -> bool {
        self.condition.is_none() && self.counter.is_none() && self.capture.is_none()
    }
}

//! Finding the exact place of a fault.
//!
//! Machine code accesses memory without looking at its bounds, and where it faults, locals and operands are in registers that nobody
//! can name. So a state is kept now and then; from it the fast tier executes the same again, with the recorded host calls, and stops
//! at the instruction that traps.

use std::time::{Duration, Instant};

use crate::classic::{Mode, Outcome};
use crate::exit::Exit;
use crate::fast::Beside;
use crate::machine::Checkpoint;
use crate::vm::{TICKS_PER_POLL, Vm};
use crate::watch::WatchPlan;

/// How long a state serves at least.
const INTERVAL_MIN: Duration = Duration::from_millis(100);

/// How many times longer than keeping a state takes it serves at least.
const INTERVAL_PER_COST: u32 = 50;

/// The state that was kept last.
#[derive(Default)]
pub(crate) struct SafePoint {
    checkpoint: Option<Checkpoint>,
    /// Whether it leads to the present state.
    is_valid: bool,
    /// Whether the log of host calls is recorded for this alone, so that the part before the state can be given up.
    owns_log: bool,
}

impl SafePoint {
    /// The present state was changed from outside.
    pub(crate) fn invalidate(&mut self) {
        self.is_valid = false;
    }

    /// Somebody else needs the log of host calls.
    pub(crate) fn share_log(&mut self) {
        self.owns_log = false;
    }

    /// The log of host calls before a state is given up.
    pub(crate) fn forget_before(&mut self, oldest: &Checkpoint) {
        let checkpoint = self.checkpoint.as_ref();
        if checkpoint.is_some_and(|own| own.host_calls() < oldest.host_calls()) {
            self.is_valid = false;
        }
    }
}

impl Vm {
    /// Keeps the present state, if machine code is going to need one.
    pub(crate) fn keep_safe_point(&mut self) {
        if !self.jit.needs_checkpoint()
            || (self.safe_point.is_valid && !self.jit.wants_checkpoint())
        {
            return;
        }
        let start = Instant::now();
        if !self.outside.log.is_recording() {
            self.outside.log.begin(self.machine.host_calls);
            self.safe_point.owns_log = true;
        }
        let checkpoint = self.machine.checkpoint(self.safe_point.checkpoint.as_ref());
        if self.safe_point.owns_log {
            self.outside.log.forget_before(checkpoint.host_calls());
        }
        self.safe_point.checkpoint = Some(checkpoint);
        self.safe_point.is_valid = true;
        let now = Instant::now();
        let interval = INTERVAL_MIN.max((now - start) * INTERVAL_PER_COST);
        self.jit.schedule_checkpoint(now + interval);
    }

    /// Brings the machine to the instruction at which machine code has faulted.
    pub(crate) fn find_fault(&mut self) -> Exit {
        let checkpoint = self.safe_point.checkpoint.take();
        let checkpoint = checkpoint.expect("code that may fault runs with a state kept");
        self.machine.restore(&checkpoint);
        self.safe_point.checkpoint = Some(checkpoint);
        let stops_at_host_calls = std::mem::take(&mut self.stops_at_host_calls);
        let stops_at_throws = std::mem::take(&mut self.stops_at_throws);
        // All watches were looked at on the way that led here.
        self.fast.set_plan(WatchPlan::default());
        let exit = self.execute_again();
        self.plan_watches();
        self.stops_at_host_calls = stops_at_host_calls;
        self.stops_at_throws = stops_at_throws;
        self.landed = None;
        exit
    }

    /// Executes in the fast tier until something ends the run. Probes are passed.
    fn execute_again(&mut self) -> Exit {
        loop {
            if let Some(exit) = self.begin() {
                return exit;
            }
            let beside = Beside::unwatched(&self.store, &mut self.classic);
            let machine = &mut self.machine;
            let outcome = self
                .fast
                .execute(beside, machine, Mode::Run, TICKS_PER_POLL);
            match outcome {
                Outcome::Probe => {}
                Outcome::Collect => self.collect(),
                outcome => {
                    if let Some(exit) = self.exit_for(outcome) {
                        return exit;
                    }
                }
            }
        }
    }
}

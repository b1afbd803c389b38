//! Asking a running machine to stop, from any thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// A request to stop that any thread can raise; clones share it.
///
/// The tiers look at it whenever their tick budget is refilled, host calls that block look at it while they wait.
#[derive(Clone, Default, Debug)]
pub struct Interrupt(Arc<Shared>);

#[derive(Default, Debug)]
struct Shared {
    raised: AtomicBool,
    lock: Mutex<()>,
    changed: Condvar,
}

impl Interrupt {
    /// Asks the machine to stop as soon as it can.
    pub fn raise(&self) {
        // The lock orders the store against a waiter that has looked at the flag and is about to sleep.
        let _guard = self
            .0
            .lock
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        self.0.raised.store(true, Ordering::SeqCst);
        self.0.changed.notify_all();
    }

    /// Whether a stop is asked for.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.0.raised.load(Ordering::Relaxed)
    }

    /// Takes the request back; answers whether there was one.
    pub fn take(&self) -> bool {
        self.0.raised.swap(false, Ordering::SeqCst)
    }

    /// Sleeps until the time is over or a stop is asked for; answers whether one is.
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        let guard = self
            .0
            .lock
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let _guard = self
            .0
            .changed
            .wait_timeout_while(guard, timeout, |()| !self.is_raised())
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        self.is_raised()
    }
}

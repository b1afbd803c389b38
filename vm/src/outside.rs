//! What serves calls of the host: the host itself, the record of what it did, and the request to stop.

use std::sync::Arc;

use crate::host::{GuestMemory, Host, HostCall, HostFunc, HostOutcome};
use crate::host_log::{HostEvent, HostLog};
use crate::interrupt::Interrupt;
use crate::machine::Machine;
use crate::probes::ProbeResults;

/// Everything outside of the machine that a host call needs.
pub(crate) struct Outside {
    pub(crate) host: Box<dyn Host>,
    pub(crate) log: HostLog,
    pub(crate) interrupt: Interrupt,
    /// How the call ended that machine code made and then left to the driver, which is not to make it again.
    pub(crate) unfinished: Option<HostOutcome>,
    pub(crate) probes: ProbeResults,
}

impl Outside {
    pub(crate) fn new(host: Box<dyn Host>) -> Outside {
        Outside {
            host,
            log: HostLog::default(),
            interrupt: Interrupt::default(),
            unfinished: None,
            probes: ProbeResults::default(),
        }
    }

    /// Performs or replays the machine's next host call, on the caller's memory with this number. It counts as made when it returns;
    /// that is for the caller to note.
    pub(crate) fn call(
        &mut self,
        machine: &mut Machine,
        func: HostFunc,
        args: &[u64],
        memory: Option<usize>,
    ) -> HostOutcome {
        // What the program did before the call is told before what the call does.
        self.probes.captured.hand_over();
        if let Some(outcome) = self.unfinished.take() {
            return outcome;
        }
        match self.log.event(machine.host_calls) {
            Some(event) => replay(machine, event.clone(), memory),
            None => self.perform(machine, func, args, memory),
        }
    }

    fn perform(
        &mut self,
        machine: &mut Machine,
        func: HostFunc,
        args: &[u64],
        memory: Option<usize>,
    ) -> HostOutcome {
        let wasi_before = Arc::clone(&machine.wasi);
        let memory = memory.map_or(&mut [][..], |memory| machine.memories[memory].bytes_mut());
        let mut host_call = HostCall {
            args,
            memory: GuestMemory::new(memory),
            wasi: &mut machine.wasi,
            interrupt: &self.interrupt,
        };
        let outcome = self.host.call(func, &mut host_call);
        if outcome == HostOutcome::Interrupted || !self.log.is_recording() {
            return outcome;
        }
        let writes = host_call.memory.into_writes();
        let changed = !Arc::ptr_eq(&wasi_before, &machine.wasi);
        let wasi = changed.then(|| Arc::clone(&machine.wasi));
        debug_assert_eq!(self.log.end(), machine.host_calls);
        self.log.push(HostEvent {
            func,
            outcome: outcome.clone(),
            writes,
            wasi,
        });
        outcome
    }
}

/// Applies a recorded call to the machine.
fn replay(machine: &mut Machine, event: HostEvent, memory: Option<usize>) -> HostOutcome {
    if let Some(memory) = memory {
        let bytes = machine.memories[memory].bytes_mut();
        for write in &event.writes {
            let start = write.address as usize;
            bytes[start..start + write.bytes.len()].copy_from_slice(&write.bytes);
        }
    }
    if let Some(wasi) = event.wasi {
        machine.wasi = wasi;
    }
    event.outcome
}

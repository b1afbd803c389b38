//! The same world for every tier: the calls of the host that the first one made, with what came back, are given to the others.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use wdb_vm::FuncType;
use wdb_vm::host::{GuestMemory, Host, HostCall, HostFunc, HostOutcome, HostWrite};
use wdb_vm::wasi::WasiState;

/// The most bytes that are kept of what came from the host.
const BYTES_MAX: usize = 1 << 30;

/// What a call takes beside what it brought.
const CALL_BYTES: usize = size_of::<Call>() + 64;

/// A finished call.
struct Call {
    func: HostFunc,
    args: Vec<u64>,
    /// Of what the guest gives beside its arguments.
    given: [u8; 32],
    outcome: HostOutcome,
    writes: Vec<HostWrite>,
    wasi: Option<Arc<WasiState>>,
}

/// What the first tier asked of its host.
#[derive(Clone, Default)]
pub(super) struct Script(Arc<Mutex<Calls>>);

#[derive(Default)]
struct Calls {
    list: Vec<Arc<Call>>,
    bytes: usize,
}

/// The time that a host took.
#[derive(Clone, Default)]
pub(super) struct HostTime(Arc<AtomicU64>);

impl HostTime {
    pub(super) fn get(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    fn add(&self, since: Instant) {
        let nanoseconds = since.elapsed().as_nanos() as u64;
        self.0.fetch_add(nanoseconds, Ordering::Relaxed);
    }
}

impl Script {
    fn with<R>(&self, then: impl FnOnce(&mut Calls) -> R) -> R {
        then(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A host that does what `host` does, and notes it.
    pub(super) fn record(&self, host: Box<dyn Host>, time: HostTime) -> Box<dyn Host> {
        Box::new(Scripted {
            host,
            script: self.clone(),
            next: None,
            time,
        })
    }

    /// A host that answers as the script says. `host` only gives the names.
    pub(super) fn replay(&self, host: Box<dyn Host>, time: HostTime) -> Box<dyn Host> {
        Box::new(Scripted {
            host,
            script: self.clone(),
            next: Some(0),
            time,
        })
    }
}

/// A host whose calls are written down, or are what was written down.
struct Scripted {
    host: Box<dyn Host>,
    script: Script,
    /// How many calls were answered from the script; `None` where it is written.
    next: Option<usize>,
    time: HostTime,
}

impl Host for Scripted {
    fn resolve(&self, module: &str, name: &str) -> Option<HostFunc> {
        self.host.resolve(module, name)
    }

    fn name(&self, func: HostFunc) -> String {
        self.host.name(func)
    }

    fn func_type(&self, func: HostFunc) -> FuncType {
        self.host.func_type(func)
    }

    fn call(&mut self, func: HostFunc, call: &mut HostCall<'_>) -> HostOutcome {
        let start = Instant::now();
        let outcome = match self.next {
            None => self.record(func, call),
            Some(number) => self.answer(func, call, number),
        };
        self.time.add(start);
        outcome
    }
}

impl Scripted {
    /// Makes a call and writes it down.
    fn record(&mut self, func: HostFunc, call: &mut HostCall<'_>) -> HostOutcome {
        let given = given(&*self.host, func, call);
        let before = Arc::clone(call.wasi);
        let mut part = HostCall {
            args: call.args,
            memory: call.memory.part(),
            wasi: &mut *call.wasi,
            interrupt: call.interrupt,
        };
        let outcome = self.host.call(func, &mut part);
        if outcome == HostOutcome::Interrupted {
            return outcome;
        }
        let writes = part.memory.into_writes();
        apply(&mut call.memory, &writes);
        let wasi = (!Arc::ptr_eq(&before, call.wasi)).then(|| Arc::clone(call.wasi));
        let bytes: usize = writes.iter().map(|write| write.bytes.len()).sum();
        let recorded = Arc::new(Call {
            func,
            args: call.args.to_vec(),
            given,
            outcome: outcome.clone(),
            writes,
            wasi,
        });
        let is_kept = self.script.with(|calls| {
            calls.bytes += bytes + CALL_BYTES;
            let is_kept = calls.bytes <= BYTES_MAX;
            if is_kept {
                calls.list.push(recorded);
            }
            is_kept
        });
        if is_kept {
            outcome
        } else {
            HostOutcome::Trap(too_much())
        }
    }

    /// Answers a call as the one with this number was.
    fn answer(&mut self, func: HostFunc, call: &mut HostCall<'_>, number: usize) -> HostOutcome {
        let known = self.script.with(|calls| {
            let is_full = calls.bytes > BYTES_MAX;
            (calls.list.get(number).cloned(), is_full)
        });
        let known = match known {
            (Some(known), _) => known,
            (None, true) => return HostOutcome::Trap(too_much()),
            (None, false) => return HostOutcome::Trap(self.otherwise(func, number, None)),
        };
        let is_same = known.func == func
            && known.args == call.args
            && known.given == given(&*self.host, func, call);
        if !is_same {
            return HostOutcome::Trap(self.otherwise(func, number, Some(known.func)));
        }
        self.next = Some(number + 1);
        apply(&mut call.memory, &known.writes);
        if let Some(wasi) = &known.wasi {
            *call.wasi = Arc::clone(wasi);
        }
        known.outcome.clone()
    }

    fn otherwise(&self, func: HostFunc, number: usize, known: Option<HostFunc>) -> String {
        let number = number + 1;
        let name = self.host.name(func);
        match known.map(|known| self.host.name(known)) {
            Some(known) if known == name => {
                format!(
                    "call {number} of the host, {name}, is given something else than on the first tier"
                )
            }
            Some(known) => {
                format!("call {number} of the host is of {name}, and of {known} on the first tier")
            }
            None => {
                format!("{name} is called, and the first tier made no call {number} of the host")
            }
        }
    }
}

fn too_much() -> String {
    format!("a program that takes more than {BYTES_MAX} bytes from its host cannot be compared")
}

fn apply(memory: &mut GuestMemory<'_>, writes: &[HostWrite]) {
    for write in writes {
        // What fitted before fits now: whoever calls with other arguments does not come here.
        let _ = memory.write(write.address, &write.bytes);
    }
}

/// A digest of what a call is given beside its arguments: the bytes of what the guest writes.
fn given(host: &dyn Host, func: HostFunc, call: &HostCall<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    let name = host.name(func);
    if !name.ends_with("fd_write") && !name.ends_with("fd_pwrite") {
        return hash.finalize().into();
    }
    let &[_, list, count, ..] = call.args else {
        return hash.finalize().into();
    };
    for entry in (0..count).map_while(|index| list.checked_add(index.checked_mul(8)?)) {
        let address = call.memory.read_u32(entry);
        let length = call.memory.read_u32(entry.saturating_add(4));
        let (Ok(address), Ok(length)) = (address, length) else {
            break;
        };
        let bytes = call.memory.read(u64::from(address), u64::from(length));
        hash.update(bytes.unwrap_or_default());
    }
    hash.finalize().into()
}

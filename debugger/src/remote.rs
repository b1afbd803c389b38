//! What remote clients (`lldb`, `gdb`) need of a session besides commands: the machine's state as bytes, and runs that stop
//! where the client has set its own breakpoints and watchpoints.
//!
//! A client's breakpoints and watchpoints are part of the order to run, and are in force until that run stops. So the
//! session keeps nothing for a client that may vanish, and other front ends do not stumble over them.

mod code;
mod guest;

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use wdb_vm::address::ModuleOffset;
use wdb_vm::vm::RunLimit;
use wdb_vm::watch::{Watch, WatchEvent, WatchKind, WatchTarget};

pub use code::{FrameSlot, FunctionCode};
pub use guest::{Guest, GuestFrame, GuestState, Slot};

use crate::debugger::Debugger;
use crate::error::Error;
use crate::execution::Stop;
use crate::process::PROGRAM_INSTANCE;
use crate::program::Program;
use crate::report::ExceptionEvent;
use crate::session::Session;

/// What a client lets the program do.
#[derive(Debug)]
pub struct Order {
    /// How far.
    pub movement: Movement,
    /// Where the client wants to stop.
    pub breakpoints: Vec<ClientBreakpoint>,
    /// What the client watches.
    pub watchpoints: Vec<ClientWatchpoint>,
}

/// How far the program goes, unless something stops it before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Movement {
    /// Until something stops it.
    Continue,
    /// One instruction.
    Step,
    /// Until it leaves a range of module offsets; at least one instruction.
    StepOut {
        /// The module.
        module: ModuleId,
        /// The offsets.
        range: Range<u32>,
    },
}

/// A module of a session, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ModuleId(pub u32);

impl ModuleId {
    /// The program itself.
    pub const PROGRAM: ModuleId = ModuleId(PROGRAM_INSTANCE.0);
}

/// A client's breakpoint.
pub struct ClientBreakpoint {
    /// The module.
    pub module: ModuleId,
    /// The module offset of an instruction.
    pub pc: u32,
    /// Whether it stops there; always, without one. It is evaluated on the machine's thread at every hit.
    pub condition: Option<Condition>,
}

/// Whether a client's breakpoint stops the program that stands there.
pub type Condition = Box<dyn Fn(GuestState<'_>) -> bool + Send>;

impl std::fmt::Debug for ClientBreakpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientBreakpoint")
            .field("module", &self.module)
            .field("pc", &self.pc)
            .field("is_conditional", &self.condition.is_some())
            .finish()
    }
}

/// A client's watchpoint on linear memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientWatchpoint {
    /// The index of the memory in the program.
    pub memory: u32,
    /// The bytes.
    pub range: Range<u64>,
    /// Which accesses count.
    pub access: WatchAccess,
}

/// Which accesses a client's watchpoint stops at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchAccess {
    /// Writes, also of the same value.
    Write,
    /// Reads.
    Read,
    /// Both.
    Any,
}

/// Why a run that a client ordered stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientStop {
    /// At a breakpoint, the client's or another front end's.
    Breakpoint,
    /// At a client's watchpoint: the first byte that it watches.
    Watchpoint {
        /// The address.
        address: u64,
        /// What it waits for.
        access: WatchAccess,
    },
    /// The step is done.
    Stepped,
    /// Somebody asked for it.
    Interrupted,
    /// The program cannot go on because of a trap, in words.
    Trap(String),
    /// The program cannot go on because nothing handles an exception, in words.
    Uncaught(String),
    /// Something else worth telling, in words.
    Other(String),
    /// The program has ended with this status.
    Exited(u32),
    /// It could not run at all.
    Refused(String),
}

impl ClientStop {
    /// Whether the program cannot go on from here.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        matches!(self, ClientStop::Trap(_) | ClientStop::Uncaught(_))
    }
}

/// How often somebody who waits looks whether the machine is busy with something else.
const BUSY_POLL: Duration = Duration::from_millis(20);

/// Where the numbers of clients' watches begin: breakpoints count from 1, and their watches have the top bit besides.
const WATCH_ID_FIRST: u32 = 1 << 30;

impl Session {
    /// The modules by their numbers. The program is the only one: a session links it with the host, and with nothing else.
    #[must_use]
    pub fn modules(&self) -> Vec<Arc<Program>> {
        vec![self.program()]
    }

    /// Looks at the program, or changes it, on the machine's thread. `None` while the program runs, and after an internal error.
    pub fn guest<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut Guest<'_>) -> T + Send + 'static,
    ) -> Option<T> {
        let (reply, answer) = channel();
        let is_given_up = Arc::new(AtomicBool::new(false));
        let job_given_up = is_given_up.clone();
        self.post(Box::new(move |debugger| {
            if !job_given_up.load(Ordering::SeqCst) {
                let _ = reply.send(ask(&mut Guest { debugger }));
            }
        }));
        loop {
            match answer.recv_timeout(BUSY_POLL) {
                Ok(told) => return Some(told),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) if self.shared().is_running() => {
                    is_given_up.store(true, Ordering::SeqCst);
                    return answer.try_recv().ok();
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Lets the program run as a client orders it, and returns at once. `told` is called on the machine's thread when it
    /// has stopped. Front ends see the run as they see any other.
    pub fn resume(&self, order: Order, told: impl FnOnce(ClientStop) + Send + 'static) {
        self.post(Box::new(move |debugger| {
            debugger.shared.begin_command();
            let stop = match debugger.perform_order(order) {
                Ok(stop) => client_stop(stop),
                Err(error) => ClientStop::Refused(error.to_string()),
            };
            debugger.refresh_view();
            told(stop);
        }));
    }
}

impl Debugger {
    fn perform_order(&mut self, order: Order) -> Result<Stop, Error> {
        let watches = order.watchpoints.into_iter().zip(WATCH_ID_FIRST..);
        self.remote_watches = watches
            .map(|(watchpoint, id)| (watch(id, &watchpoint), watchpoint.access))
            .collect();
        self.apply_watches();
        let breakpoints = ClientBreakpoints::new(order.breakpoints);
        let performed = self.go(|debugger| match order.movement {
            Movement::Continue => debugger.run_for_client(&breakpoints),
            Movement::Step => debugger.step_for_client(&breakpoints, None),
            Movement::StepOut { module, range } => {
                debugger.step_for_client(&breakpoints, Some((module, range)))
            }
        });
        self.remote_watches.clear();
        self.apply_watches();
        let (stop, before) = performed?;
        self.settle(&stop, before.as_ref());
        Ok(stop)
    }

    fn run_for_client(&mut self, breakpoints: &ClientBreakpoints) -> Stop {
        // Clients step off a breakpoint that they were told of before they continue: one that is here was not told.
        if breakpoints.stop(self.vm.get_mut()) {
            return Stop::Arrived;
        }
        let is_goal = |vm: &wdb_vm::vm::Vm| breakpoints.stop(vm);
        self.run_from(&breakpoints.places, &is_goal, RunLimit::default())
    }

    /// Steps once, or on until the program stands outside the range. A client's breakpoints count within the range.
    fn step_for_client(
        &mut self,
        breakpoints: &ClientBreakpoints,
        range: Option<(ModuleId, Range<u32>)>,
    ) -> Stop {
        loop {
            if let Some(stop) = self.step_instruction() {
                return stop;
            }
            let Some((module, range)) = &range else {
                return Stop::Stepped;
            };
            let frame = GuestState {
                vm: self.vm.get_mut(),
            }
            .frame(0);
            let is_inside = |it: GuestFrame| it.module == *module && range.contains(&it.pc);
            if !frame.is_some_and(is_inside) {
                return Stop::Stepped;
            }
            if breakpoints.stop(self.vm.get_mut()) {
                return Stop::Arrived;
            }
        }
    }
}

/// The breakpoints of a run by their places.
struct ClientBreakpoints {
    places: Vec<ModuleOffset>,
    conditions: RefCell<HashMap<ModuleOffset, Option<Condition>>>,
}

impl ClientBreakpoints {
    fn new(breakpoints: Vec<ClientBreakpoint>) -> ClientBreakpoints {
        // Runs stop in the program only, as a session has no other module.
        let conditions = breakpoints
            .into_iter()
            .filter(|breakpoint| breakpoint.module == ModuleId::PROGRAM);
        let conditions: HashMap<_, _> = conditions
            .map(|breakpoint| (ModuleOffset(breakpoint.pc), breakpoint.condition))
            .collect();
        ClientBreakpoints {
            places: conditions.keys().copied().collect(),
            conditions: RefCell::new(conditions),
        }
    }

    /// Whether the program stands at one whose condition holds.
    fn stop(&self, vm: &wdb_vm::vm::Vm) -> bool {
        let Some(frame) = vm.frame(0).filter(|it| it.instance == PROGRAM_INSTANCE) else {
            return false;
        };
        match self.conditions.borrow().get(&frame.pc) {
            None => false,
            Some(None) => true,
            Some(Some(condition)) => condition(GuestState { vm }),
        }
    }
}

fn watch(id: u32, watchpoint: &ClientWatchpoint) -> Watch {
    Watch {
        id,
        target: WatchTarget::Memory {
            instance: PROGRAM_INSTANCE,
            memory: watchpoint.memory,
            range: watchpoint.range.clone(),
        },
        kind: match watchpoint.access {
            // The machine's watches of changes would miss writes of the same value.
            WatchAccess::Write | WatchAccess::Any => WatchKind::Access,
            WatchAccess::Read => WatchKind::Read,
        },
        scope: None,
    }
}

/// What a hit of a client's watch means; `None` if it does not wait for that.
pub(crate) fn watch_stop(
    watches: &[(Watch, WatchAccess)],
    id: u32,
    event: WatchEvent,
) -> Option<Stop> {
    let (watch, access) = watches.iter().find(|(watch, _)| watch.id == id)?;
    let WatchTarget::Memory { range, .. } = &watch.target else {
        return None;
    };
    let is_told = match (access, event) {
        (WatchAccess::Write, event) => event != WatchEvent::Read,
        (WatchAccess::Read, event) => event == WatchEvent::Read,
        (WatchAccess::Any, _) => true,
    };
    is_told.then_some(Stop::RemoteWatch {
        address: range.start,
        access: *access,
    })
}

fn client_stop(stop: Stop) -> ClientStop {
    match stop {
        Stop::Breakpoint(_) | Stop::Arrived => ClientStop::Breakpoint,
        Stop::RemoteWatch { address, access } => ClientStop::Watchpoint { address, access },
        Stop::Line | Stop::Stepped | Stop::Landed => ClientStop::Stepped,
        Stop::Interrupted => ClientStop::Interrupted,
        Stop::Trap(trap) => ClientStop::Trap(trap),
        Stop::Exception {
            event, exception, ..
        } => {
            let text = format!("{}: {}", event.text(), exception.text());
            match event {
                ExceptionEvent::Uncaught => ClientStop::Uncaught(text),
                _ => ClientStop::Other(text),
            }
        }
        Stop::Watchpoint(watch) => ClientStop::Other(format!("watchpoint {}", watch.expression)),
        Stop::Catchpoint { event, .. } => ClientStop::Other(event),
        Stop::HostResource(what) | Stop::Deadlock(what) => ClientStop::Other(what),
        Stop::Exited(status) => ClientStop::Exited(status),
        Stop::Finished(_) => ClientStop::Exited(0),
    }
}

//! Why a run ended.

use crate::address::FuncAddr;
use crate::exceptions::Exception;
use crate::trap::Trap;
use crate::value::Value;
use crate::watch::WatchHit;

/// Why the machine handed control back. Its canonical state is exact in every case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Exit {
    /// One instruction was executed, as asked.
    Stepped,
    /// The machine stands at a probe, before the instruction there.
    Probe,
    /// What is watched was accessed by the instruction before.
    Watch(Vec<WatchHit>),
    /// The machine stands at a call of this function of the host, which was not made yet.
    HostCall(FuncAddr),
    /// The tick that the run was given has come.
    Tick,
    /// Somebody raised the interrupt.
    Interrupted,
    /// The instruction that the machine stands at traps. Going on traps again.
    Trap(Trap),
    /// The instruction that the machine stands at is about to throw this exception.
    Throw(Box<Exception>),
    /// The instruction that the machine stands at throws an exception that nothing handles. Every frame is as it was, and
    /// going on throws again.
    Uncaught(Box<Exception>),
    /// This exception was handled by a frame whose depth the run was given, or by one further out.
    Landed(Box<Exception>),
    /// The operating system cannot give what the instruction at which the machine stands needs. Going on tries again.
    HostResource(String),
    /// The instruction that the machine stands at waits for a notification, without a timeout, and there is no other agent
    /// that could send one; the text says where. Going on waits again.
    Deadlock(String),
    /// The guest ended itself with this status, at a host call.
    ProcExit(u32),
    /// The outermost function returned these results, and nothing is left to run.
    Finished(Vec<Value>),
}

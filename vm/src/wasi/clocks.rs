//! The clocks, which are those of the host.

use rustix::time::{ClockId, Timespec, clock_getres, clock_gettime};

use super::Wasi;
use super::abi::{Answer, arguments, nanoseconds};
use super::errno::Errno;
use crate::host::HostCall;

/// A clock (`clockid`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Clock {
    Realtime,
    Monotonic,
    /// The processor time of this process: the debugger's own is counted in.
    ProcessCpuTime,
    /// The processor time of the thread that runs the guest.
    ThreadCpuTime,
}

impl Clock {
    pub(super) fn from_id(id: u32) -> Result<Clock, Errno> {
        match id {
            0 => Ok(Clock::Realtime),
            1 => Ok(Clock::Monotonic),
            2 => Ok(Clock::ProcessCpuTime),
            3 => Ok(Clock::ThreadCpuTime),
            _ => Err(Errno::Inval),
        }
    }

    fn host_id(self) -> ClockId {
        match self {
            Clock::Realtime => ClockId::Realtime,
            Clock::Monotonic => ClockId::Monotonic,
            Clock::ProcessCpuTime => ClockId::ProcessCPUTime,
            Clock::ThreadCpuTime => ClockId::ThreadCPUTime,
        }
    }

    /// Its time in nanoseconds.
    pub(super) fn now(self) -> u64 {
        in_nanoseconds(clock_gettime(self.host_id()))
    }

    fn resolution(self) -> u64 {
        in_nanoseconds(clock_getres(self.host_id()))
    }
}

fn in_nanoseconds(time: Timespec) -> u64 {
    nanoseconds(time.tv_sec, time.tv_nsec)
}

pub(super) fn clock_res_get(_: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [id, address] = arguments(call);
    let clock = Clock::from_id(id as u32)?;
    call.memory.write_u64(address, clock.resolution())?;
    Ok(())
}

pub(super) fn clock_time_get(_: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [id, _precision, address] = arguments(call);
    let clock = Clock::from_id(id as u32)?;
    call.memory.write_u64(address, clock.now())?;
    Ok(())
}

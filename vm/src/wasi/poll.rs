//! Waiting: `poll_oneoff`.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};

use super::Wasi;
use super::abi::{Answer, Failure, arguments, u16_at, u32_at, u64_at};
use super::clocks::Clock;
use super::errno::Errno;
use super::flags::Rights;
use super::handles::Handle;
use super::state::{Descriptor, FileKind, Resource, WasiState};
use super::stdio::{Input, WAIT_SLICE, is_ready, wait_for};
use crate::host::HostCall;

/// The most subscriptions of one call.
const SUBSCRIPTIONS_MAX: u64 = 1024;

/// The size of a `subscription` in bytes.
const SUBSCRIPTION_BYTES: usize = 48;

/// The size of an `event` in bytes.
const EVENT_BYTES: usize = 32;

/// The longest wait for a clock that somebody may set meanwhile.
const CLOCK_SLICE: Duration = Duration::from_secs(1);

/// The bytes said to fit into an output that is ready.
const WRITABLE_BYTES: u64 = 4096;

/// What the guest waits for (`subscription`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Subscription {
    userdata: u64,
    event: EventKind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum EventKind {
    /// A clock reaches a time in nanoseconds: its own, or counted from the call on.
    Clock {
        id: u32,
        timeout: u64,
        absolute: bool,
    },
    /// There is something to read.
    Read { fd: u32 },
    /// There is room to write.
    Write { fd: u32 },
}

/// A wait that was interrupted. When the guest goes on with the same wait, its time has not begun anew:
/// to the guest it is one wait, as a sleep under a debugger is with other systems.
pub(super) struct InterruptedPoll {
    subscriptions: Vec<Subscription>,
    started: u64,
}

/// What has come of a subscription (`event`).
struct Event {
    subscription: Subscription,
    error: Option<Errno>,
    bytes: u64,
    hangup: bool,
}

pub(super) fn poll_oneoff(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [subscriptions, events_address, count, count_address] = arguments(call);
    if count == 0 || count > SUBSCRIPTIONS_MAX {
        return Err(Errno::Inval.into());
    }
    call.memory
        .check(events_address, count * EVENT_BYTES as u64)?;
    call.memory.check(count_address, 4)?;
    let bytes = call
        .memory
        .read(subscriptions, count * SUBSCRIPTION_BYTES as u64)?;
    let subscriptions: Vec<Subscription> = bytes
        .chunks_exact(SUBSCRIPTION_BYTES)
        .map(parse)
        .collect::<Result<_, _>>()?;
    let started = match wasi.interrupted_poll.take() {
        Some(poll) if poll.subscriptions == subscriptions => poll.started,
        _ => Clock::Monotonic.now(),
    };
    let events = match wait(wasi, call, &subscriptions, started) {
        Err(Failure::Interrupted) => {
            wasi.interrupted_poll = Some(InterruptedPoll {
                subscriptions,
                started,
            });
            return Err(Failure::Interrupted);
        }
        result => result?,
    };
    let bytes: Vec<u8> = events.iter().flat_map(event_bytes).collect();
    call.memory.write(events_address, &bytes)?;
    call.memory.write_u32(count_address, events.len() as u32)?;
    Ok(())
}

fn parse(bytes: &[u8]) -> Result<Subscription, Errno> {
    let event = match bytes[8] {
        0 => EventKind::Clock {
            id: u32_at(bytes, 16),
            timeout: u64_at(bytes, 24),
            absolute: match u16_at(bytes, 40) {
                0 => false,
                1 => true,
                _ => return Err(Errno::Inval),
            },
        },
        1 => EventKind::Read {
            fd: u32_at(bytes, 16),
        },
        2 => EventKind::Write {
            fd: u32_at(bytes, 16),
        },
        _ => return Err(Errno::Inval),
    };
    Ok(Subscription {
        userdata: u64_at(bytes, 0),
        event,
    })
}

fn event_bytes(event: &Event) -> [u8; EVENT_BYTES] {
    let mut bytes = [0; EVENT_BYTES];
    bytes[0..8].copy_from_slice(&event.subscription.userdata.to_le_bytes());
    let error = event.error.map_or(0, Errno::number);
    bytes[8..10].copy_from_slice(&error.to_le_bytes());
    bytes[10] = match event.subscription.event {
        EventKind::Clock { .. } => 0,
        EventKind::Read { .. } => 1,
        EventKind::Write { .. } => 2,
    };
    bytes[16..24].copy_from_slice(&event.bytes.to_le_bytes());
    bytes[24] = u8::from(event.hangup);
    bytes
}

/// What keeps a subscription from being an event.
enum Readiness {
    /// Nothing does.
    Ready { bytes: u64, hangup: bool },
    /// It is never an event but this error.
    Failed(Errno),
    /// A clock, for this long.
    After(Duration),
    /// Standard input has nothing at this position.
    Stdin { offset: u64 },
    /// A file of the host is not ready.
    Device(Arc<Handle>, PollFlags),
}

/// Waits until something happens; what happens at once is reported together.
fn wait(
    wasi: &mut Wasi,
    call: &HostCall<'_>,
    subscriptions: &[Subscription],
    started: u64,
) -> Answer<Vec<Event>> {
    // Made at the first wait and kept over all of them, so that an observer sees one wait.
    let mut waiting = None;
    loop {
        let mut events = Vec::new();
        let mut pending = Vec::new();
        for &subscription in subscriptions {
            let (error, bytes, hangup) =
                match readiness(wasi, call.wasi, subscription.event, started) {
                    Readiness::Ready { bytes, hangup } => (None, bytes, hangup),
                    Readiness::Failed(errno) => (Some(errno), 0, false),
                    other => {
                        pending.push(other);
                        continue;
                    }
                };
            events.push(Event {
                subscription,
                error,
                bytes,
                hangup,
            });
        }
        if !events.is_empty() {
            return Ok(events);
        }
        if call.interrupt.is_raised() {
            return Err(Failure::Interrupted);
        }
        let on_stdin = pending
            .iter()
            .any(|reason| matches!(reason, Readiness::Stdin { .. }));
        if let (true, None, Input::Queue(queue)) = (on_stdin, &waiting, &wasi.stdin) {
            waiting = Some(queue.begin_wait());
        }
        wait_a_while(&wasi.stdin, call, &pending)?;
    }
}

/// Waits for the first of what is pending, or for a slice of time after which to look again.
fn wait_a_while(stdin: &Input, call: &HostCall<'_>, pending: &[Readiness]) -> Result<(), Errno> {
    let mut timeout = CLOCK_SLICE;
    let mut fds = Vec::new();
    let mut queue = None;
    for reason in pending {
        match (reason, stdin) {
            (Readiness::After(remaining), _) => timeout = timeout.min(*remaining),
            (Readiness::Device(handle, flags), _) => {
                fds.push(PollFd::from_borrowed_fd(handle.as_fd(), *flags))
            }
            (Readiness::Stdin { .. }, Input::Stream { source, .. }) => {
                fds.push(PollFd::from_borrowed_fd(source.as_fd(), PollFlags::IN));
            }
            (Readiness::Stdin { offset }, Input::Queue(waited)) => queue = Some((waited, *offset)),
            _ => {}
        }
    }
    let slice = timeout.min(WAIT_SLICE);
    match queue {
        _ if !fds.is_empty() => wait_for(&mut fds, slice)?,
        Some((queue, offset)) => queue.wait(offset, slice),
        // Raising the interrupt ends this wait, so it need not be cut into slices.
        None => {
            call.interrupt.wait_timeout(timeout);
        }
    }
    Ok(())
}

fn readiness(wasi: &mut Wasi, state: &WasiState, event: EventKind, started: u64) -> Readiness {
    let result = match event {
        EventKind::Clock {
            id,
            timeout,
            absolute,
        } => clock_readiness(id, timeout, absolute, started),
        EventKind::Read { fd } => read_readiness(wasi, state, fd),
        EventKind::Write { fd } => write_readiness(wasi, state, fd),
    };
    result.unwrap_or_else(Readiness::Failed)
}

fn clock_readiness(
    id: u32,
    timeout: u64,
    absolute: bool,
    started: u64,
) -> Result<Readiness, Errno> {
    let clock = Clock::from_id(id)?;
    if !matches!(clock, Clock::Realtime | Clock::Monotonic) {
        return Err(Errno::NotSup);
    }
    // A length of time is measured by the clock that nobody sets.
    let (clock, deadline) = if absolute {
        (clock, timeout)
    } else {
        (Clock::Monotonic, started.saturating_add(timeout))
    };
    Ok(match deadline.saturating_sub(clock.now()) {
        0 => Readiness::Ready {
            bytes: 0,
            hangup: false,
        },
        remaining => Readiness::After(Duration::from_nanos(remaining)),
    })
}

fn read_readiness(wasi: &mut Wasi, state: &WasiState, fd: u32) -> Result<Readiness, Errno> {
    let descriptor = pollable(state, fd, Rights::FD_READ)?;
    if descriptor.resource == Resource::Stdin {
        return stdin_readiness(&wasi.stdin, descriptor.offset);
    }
    let handle = wasi.handle(state, descriptor)?;
    if descriptor.kind == FileKind::RegularFile {
        let bytes = handle.metadata()?.len().saturating_sub(descriptor.offset);
        return Ok(Readiness::Ready {
            bytes,
            hangup: false,
        });
    }
    device_readiness(handle, PollFlags::IN)
}

fn stdin_readiness(stdin: &Input, offset: u64) -> Result<Readiness, Errno> {
    let (kept, closed) = match stdin {
        Input::Empty => (0, true),
        Input::File(file) => {
            let bytes = file.metadata()?.len().saturating_sub(offset);
            return Ok(Readiness::Ready {
                bytes,
                hangup: false,
            });
        }
        Input::Queue(queue) => (queue.available(offset)?, queue.is_closed()),
        Input::Stream { history, .. } => (history.available(offset)?, false),
    };
    if kept > 0 || closed {
        return Ok(Readiness::Ready {
            bytes: kept as u64,
            hangup: kept == 0,
        });
    }
    match stdin {
        Input::Stream { source, .. }
            if is_ready(source.as_fd(), PollFlags::IN, Duration::ZERO)? =>
        {
            Ok(ready_to_read(source))
        }
        _ => Ok(Readiness::Stdin { offset }),
    }
}

fn write_readiness(wasi: &mut Wasi, state: &WasiState, fd: u32) -> Result<Readiness, Errno> {
    let descriptor = pollable(state, fd, Rights::FD_WRITE)?;
    let always = descriptor.opened().is_none() || descriptor.kind == FileKind::RegularFile;
    if always {
        return Ok(Readiness::Ready {
            bytes: WRITABLE_BYTES,
            hangup: false,
        });
    }
    let handle = wasi.handle(state, descriptor)?;
    device_readiness(handle, PollFlags::OUT)
}

fn device_readiness(handle: Arc<Handle>, flags: PollFlags) -> Result<Readiness, Errno> {
    if !is_ready(handle.as_fd(), flags, Duration::ZERO)? {
        return Ok(Readiness::Device(handle, flags));
    }
    if flags == PollFlags::IN {
        return Ok(ready_to_read(&*handle));
    }
    Ok(Readiness::Ready {
        bytes: WRITABLE_BYTES,
        hangup: false,
    })
}

/// A stream that is ready and has nothing has ended. One that cannot say how much it has is taken to have a byte.
fn ready_to_read(stream: impl AsFd) -> Readiness {
    let bytes = rustix::io::ioctl_fionread(stream).unwrap_or(1);
    Readiness::Ready {
        bytes,
        hangup: bytes == 0,
    }
}

fn pollable(state: &WasiState, fd: u32, rights: Rights) -> Result<&Descriptor, Errno> {
    let descriptor = state.descriptor(fd)?;
    descriptor.require(rights | Rights::POLL_FD_READWRITE)?;
    Ok(descriptor)
}

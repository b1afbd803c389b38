//! Arguments, environment, ends, signals, random numbers; and sockets, of which there are none.

use super::Wasi;
use super::abi::{Answer, Failure, arguments};
use super::errno::Errno;
use crate::host::{HostCall, HostOutcome};

/// The most random bytes that one call gives.
const RANDOM_BYTES_MAX: u64 = 1 << 26;

/// The random bytes made at a time.
const RANDOM_CHUNK_BYTES: usize = 1 << 16;

pub(super) fn args_get(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    write_strings(&wasi.args, call)
}

pub(super) fn args_sizes_get(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    write_sizes(&wasi.args, call)
}

pub(super) fn environ_get(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    write_strings(&wasi.env, call)
}

pub(super) fn environ_sizes_get(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    write_sizes(&wasi.env, call)
}

/// The sizes of the array of pointers, in elements, and of the strings together, in bytes.
fn sizes(strings: &[Vec<u8>]) -> Result<(u32, u32), Errno> {
    let bytes: usize = strings.iter().map(Vec::len).sum();
    let count = u32::try_from(strings.len()).map_err(|_| Errno::Overflow)?;
    Ok((count, u32::try_from(bytes).map_err(|_| Errno::Overflow)?))
}

fn write_sizes(strings: &[Vec<u8>], call: &mut HostCall<'_>) -> Answer {
    let [count_address, bytes_address] = arguments(call);
    call.memory.check(count_address, 4)?;
    call.memory.check(bytes_address, 4)?;
    let (count, bytes) = sizes(strings)?;
    call.memory.write_u32(count_address, count)?;
    call.memory.write_u32(bytes_address, bytes)?;
    Ok(())
}

fn write_strings(strings: &[Vec<u8>], call: &mut HostCall<'_>) -> Answer {
    let [pointers_address, strings_address] = arguments(call);
    let (count, bytes) = sizes(strings)?;
    call.memory.check(pointers_address, u64::from(count) * 4)?;
    call.memory.check(strings_address, u64::from(bytes))?;
    let mut pointers = Vec::with_capacity(strings.len() * 4);
    // In 64 bits, since the end of the last string may be the end of a memory of 4 GiB.
    let mut next = strings_address;
    for string in strings {
        pointers.extend_from_slice(&(next as u32).to_le_bytes());
        next += string.len() as u64;
    }
    call.memory.write(pointers_address, &pointers)?;
    call.memory.write(strings_address, &strings.concat())?;
    Ok(())
}

pub(super) fn proc_exit(_: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [status] = arguments(call);
    Err(Failure::End(HostOutcome::Exit(status as u32)))
}

/// The names of the signals, by number.
const SIGNALS: [&str; 31] = [
    "NONE", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV",
    "USR2", "PIPE", "ALRM", "TERM", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU",
    "XFSZ", "VTALRM", "PROF", "WINCH", "POLL", "PWR", "SYS",
];

/// No guest can catch a signal, so what happens is what POSIX does by default. Nobody could continue a stopped guest,
/// so that signals that stop are not supported.
pub(super) fn proc_raise(_: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [signal] = arguments(call);
    match SIGNALS.get(signal as usize) {
        None => Err(Errno::Inval.into()),
        Some(&("NONE" | "CHLD" | "CONT" | "URG" | "WINCH")) => Ok(()),
        Some(&("STOP" | "TSTP" | "TTIN" | "TTOU")) => Err(Errno::NotSup.into()),
        Some(name) => {
            let text = format!("the program raised the signal SIG{name}");
            Err(Failure::End(HostOutcome::Trap(text)))
        }
    }
}

pub(super) fn sched_yield(_: &mut Wasi, _: &mut HostCall<'_>) -> Answer {
    std::thread::yield_now();
    Ok(())
}

pub(super) fn random_get(_: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [address, length] = arguments(call);
    call.memory.check(address, length)?;
    // Every byte is kept in the log, and the call cannot be interrupted half-way.
    if length > RANDOM_BYTES_MAX {
        return Err(Errno::Inval.into());
    }
    let mut chunk = vec![0; RANDOM_CHUNK_BYTES.min(length as usize)];
    let mut done = 0;
    while done < length {
        let count = chunk.len().min((length - done) as usize);
        getrandom::fill(&mut chunk[..count]).map_err(|_| Errno::Io)?;
        call.memory.write(address + done, &chunk[..count])?;
        done += count as u64;
    }
    Ok(())
}

/// All functions on sockets: nothing gives a guest a socket, so any descriptor is the wrong one.
pub(super) fn not_a_socket(_: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    call.wasi.descriptor(call.args[0] as u32)?;
    Err(Errno::NotSock.into())
}

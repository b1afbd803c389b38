//! Reading and writing.
//!
//! Files are read and written at a position that the state holds, piece by piece, so that no length the guest names is allocated.

use std::os::fd::AsFd;
use std::sync::Arc;

use rustix::event::PollFlags;

use super::Wasi;
use super::abi::{Answer, Buffer, Failure, arguments, read_buffers, scatter, total_length};
use super::errno::Errno;
use super::flags::{FdFlags, Rights};
use super::handles::Handle;
use super::state::{Descriptor, FileKind, Resource, WasiState};
use super::stdio::{Available, Input, STREAM_READ_BYTES_MAX, WAIT_SLICE, Waiting, is_ready, retry};
use crate::host::{GuestMemory, HostCall, OutOfBounds};
use crate::interrupt::Interrupt;

/// The bytes read from a file or written to a stream at a time.
const PIECE_BYTES: usize = 1 << 16;

pub(super) fn fd_read(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [fd, buffers, count, read_address] = arguments(call);
    let fd = fd as u32;
    let descriptor = transferable(call.wasi, fd, Rights::FD_READ)?;
    call.memory.check(read_address, 4)?;
    let buffers = read_buffers(&call.memory, buffers, count)?;
    let read = if total_length(&buffers) == 0 {
        0
    } else if descriptor.resource == Resource::Stdin {
        read_stdin(&wasi.stdin, &descriptor, &buffers, call)?
    } else {
        let handle = wasi.handle(call.wasi, &descriptor)?;
        if descriptor.kind == FileKind::RegularFile {
            sync_for_read(&handle, descriptor.flags)?;
            read_file(&handle, descriptor.offset, &buffers, &mut call.memory)?
        } else {
            read_device(&handle, &descriptor, &buffers, call)?
        }
    };
    if descriptor.resource == Resource::Stdin || descriptor.kind == FileKind::RegularFile {
        advance(call.wasi, fd, descriptor.offset + read)?;
    }
    call.memory.write_u32(read_address, read as u32)?;
    Ok(())
}

pub(super) fn fd_pread(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [fd, buffers, count, offset, read_address] = arguments(call);
    let descriptor = transferable(call.wasi, fd as u32, Rights::FD_READ | Rights::FD_SEEK)?;
    call.memory.check(read_address, 4)?;
    let buffers = read_buffers(&call.memory, buffers, count)?;
    let handle = seekable(wasi, call.wasi, &descriptor)?;
    sync_for_read(&handle, descriptor.flags)?;
    let read = read_file(&handle, offset, &buffers, &mut call.memory)?;
    call.memory.write_u32(read_address, read as u32)?;
    Ok(())
}

pub(super) fn fd_write(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [fd, buffers, count, written_address] = arguments(call);
    let fd = fd as u32;
    let descriptor = transferable(call.wasi, fd, Rights::FD_WRITE)?;
    call.memory.check(written_address, 4)?;
    let buffers = read_buffers(&call.memory, buffers, count)?;
    let written = match &descriptor.resource {
        Resource::Stdout | Resource::Stderr => {
            let is_stdout = descriptor.resource == Resource::Stdout;
            let output = if is_stdout {
                &mut wasi.stdout
            } else {
                &mut wasi.stderr
            };
            write_stream(&buffers, &call.memory, call.interrupt, |bytes| {
                output.write(bytes).map(|()| bytes.len())
            })?
        }
        // Its rights lack writing.
        Resource::Stdin => return Err(Errno::NotCapable.into()),
        Resource::Opened(_) => {
            let handle = wasi.handle(call.wasi, &descriptor)?;
            if descriptor.kind == FileKind::RegularFile {
                let append = descriptor.flags.contains(FdFlags::APPEND);
                let start = if append {
                    handle.metadata()?.len()
                } else {
                    descriptor.offset
                };
                let written = write_file(&handle, &descriptor, start, &buffers, &call.memory)?;
                if written > 0 {
                    advance(call.wasi, fd, start + written)?;
                }
                written
            } else {
                write_device(&handle, &descriptor, &buffers, &call.memory, call.interrupt)?
            }
        }
    };
    call.memory.write_u32(written_address, written as u32)?;
    Ok(())
}

pub(super) fn fd_pwrite(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [fd, buffers, count, offset, written_address] = arguments(call);
    let descriptor = transferable(call.wasi, fd as u32, Rights::FD_WRITE | Rights::FD_SEEK)?;
    call.memory.check(written_address, 4)?;
    let buffers = read_buffers(&call.memory, buffers, count)?;
    let handle = seekable(wasi, call.wasi, &descriptor)?;
    // As POSIX has it, and unlike Linux, appending does not matter to a write that names its place.
    let written = write_file(&handle, &descriptor, offset, &buffers, &call.memory)?;
    call.memory.write_u32(written_address, written as u32)?;
    Ok(())
}

/// The descriptor if it has the rights to transfer bytes. A directory says that it is one, as POSIX has it.
fn transferable(state: &WasiState, fd: u32, rights: Rights) -> Result<Arc<Descriptor>, Errno> {
    let descriptor = state.descriptor(fd)?;
    if descriptor.kind == FileKind::Directory {
        return Err(Errno::IsDir);
    }
    descriptor.require(rights)?;
    Ok(Arc::clone(descriptor))
}

/// What a descriptor leads to, if that has positions.
fn seekable(
    wasi: &mut Wasi,
    state: &WasiState,
    descriptor: &Descriptor,
) -> Result<Arc<Handle>, Errno> {
    if descriptor.kind != FileKind::RegularFile {
        return Err(Errno::Spipe);
    }
    wasi.handle(state, descriptor)
}

/// Moves the position, and leaves the state untouched when it stays.
fn advance(state: &mut Arc<WasiState>, fd: u32, offset: u64) -> Result<(), Errno> {
    if state.descriptor(fd)?.offset != offset {
        Arc::make_mut(state).descriptor_mut(fd)?.offset = offset;
    }
    Ok(())
}

/// `rsync` with `sync` or `dsync`: what is read is on the disk.
fn sync_for_read(handle: &Handle, flags: FdFlags) -> Result<(), Errno> {
    if flags.contains(FdFlags::RSYNC) {
        sync_for_write(handle, flags)?;
    }
    Ok(())
}

/// The operating system is asked for each write rather than at the opening, since these flags can change.
fn sync_for_write(handle: &Handle, flags: FdFlags) -> Result<(), Errno> {
    if flags.contains(FdFlags::SYNC) {
        rustix::fs::fsync(handle)?;
    } else if flags.contains(FdFlags::DSYNC) {
        rustix::fs::fdatasync(handle)?;
    }
    Ok(())
}

/// Reads until the buffers are full or the file ends; an error after the first byte shows at the next read.
fn read_file(
    handle: &Handle,
    start: u64,
    buffers: &[Buffer],
    memory: &mut GuestMemory<'_>,
) -> Result<u64, Errno> {
    let mut piece = vec![0; PIECE_BYTES.min(total_length(buffers) as usize)];
    let mut read = 0;
    for buffer in buffers {
        let mut filled = 0;
        while filled < buffer.length {
            let wanted = piece.len().min((buffer.length - filled) as usize);
            let offset = start.checked_add(read).ok_or(Errno::Inval)?;
            let count = match retry(|| rustix::io::pread(handle, &mut piece[..wanted], offset)) {
                Ok(count) => count,
                Err(errno) if read == 0 => return Err(errno.into()),
                Err(_) => 0,
            };
            if count == 0 {
                return Ok(read);
            }
            memory.write(buffer.address + filled, &piece[..count])?;
            filled += count as u64;
            read += count as u64;
        }
    }
    Ok(read)
}

fn write_file(
    handle: &Handle,
    descriptor: &Descriptor,
    start: u64,
    buffers: &[Buffer],
    memory: &GuestMemory<'_>,
) -> Result<u64, Errno> {
    let written = write_all::<Errno>(buffers, memory, |written, bytes| {
        let offset = start.checked_add(written).ok_or(Errno::Inval)?;
        Ok(retry(|| rustix::io::pwrite(handle, bytes, offset))?)
    })?;
    sync_for_write(handle, descriptor.flags)?;
    Ok(written)
}

/// Writes to a stream piece by piece, since what takes the pieces may keep them; an interrupt ends in a short write.
fn write_stream<E>(
    buffers: &[Buffer],
    memory: &GuestMemory<'_>,
    interrupt: &Interrupt,
    mut write: impl FnMut(&[u8]) -> Result<usize, E>,
) -> Result<u64, E>
where
    E: From<OutOfBounds>,
{
    write_all(buffers, memory, |written, bytes| {
        if written > 0 && interrupt.is_raised() {
            return Ok(0);
        }
        write(&bytes[..bytes.len().min(PIECE_BYTES)])
    })
}

/// Writes the buffers by a function that gets the bytes written so far and those to write, and answers how many it has written.
/// Nothing written, or an error after the first byte, is the end: an error shows at the next write.
fn write_all<E>(
    buffers: &[Buffer],
    memory: &GuestMemory<'_>,
    mut write: impl FnMut(u64, &[u8]) -> Result<usize, E>,
) -> Result<u64, E>
where
    E: From<OutOfBounds>,
{
    let mut written = 0;
    for buffer in buffers {
        let mut bytes = memory.read(buffer.address, buffer.length)?;
        while !bytes.is_empty() {
            match write(written, bytes) {
                Ok(0) => return Ok(written),
                Ok(count) => {
                    written += count as u64;
                    bytes = &bytes[count..];
                }
                Err(error) if written == 0 => return Err(error),
                Err(_) => return Ok(written),
            }
        }
    }
    Ok(written)
}

/// Reads standard input: whatever is there, or the first that comes.
fn read_stdin(
    stdin: &Input,
    descriptor: &Descriptor,
    buffers: &[Buffer],
    call: &mut HostCall<'_>,
) -> Answer<u64> {
    let bytes_max = STREAM_READ_BYTES_MAX.min(total_length(buffers) as usize);
    let mut waiting: Option<Waiting> = None;
    loop {
        match stdin.read(descriptor.offset, bytes_max)? {
            Available::Bytes(bytes) => {
                scatter(&mut call.memory, buffers, &bytes)?;
                return Ok(bytes.len() as u64);
            }
            Available::End => return Ok(0),
            Available::Nothing => {}
        }
        may_wait(descriptor, call.interrupt)?;
        match stdin {
            Input::Queue(queue) => {
                waiting.get_or_insert_with(|| queue.begin_wait());
                queue.wait(descriptor.offset, WAIT_SLICE);
            }
            Input::Stream { source, .. } => {
                is_ready(source.as_fd(), PollFlags::IN, WAIT_SLICE)?;
            }
            Input::Empty | Input::File(_) => unreachable!("these never have to be waited for"),
        }
    }
}

fn may_wait(descriptor: &Descriptor, interrupt: &Interrupt) -> Answer {
    if descriptor.flags.contains(FdFlags::NONBLOCK) {
        return Err(Errno::Again.into());
    }
    if interrupt.is_raised() {
        return Err(Failure::Interrupted);
    }
    Ok(())
}

/// Reads a pipe or a device, which have no positions.
fn read_device(
    handle: &Handle,
    descriptor: &Descriptor,
    buffers: &[Buffer],
    call: &mut HostCall<'_>,
) -> Answer<u64> {
    let mut bytes = vec![0; STREAM_READ_BYTES_MAX.min(total_length(buffers) as usize)];
    let count = loop {
        match retry(|| rustix::io::read(handle, &mut bytes)) {
            Err(rustix::io::Errno::AGAIN) => {}
            result => break result?,
        }
        may_wait(descriptor, call.interrupt)?;
        is_ready(handle.as_fd(), PollFlags::IN, WAIT_SLICE)?;
    };
    scatter(&mut call.memory, buffers, &bytes[..count])?;
    Ok(count as u64)
}

/// Writes to a pipe or a device. Once something is written, a wait that is interrupted ends in a short write.
fn write_device(
    handle: &Handle,
    descriptor: &Descriptor,
    buffers: &[Buffer],
    memory: &GuestMemory<'_>,
    interrupt: &Interrupt,
) -> Answer<u64> {
    write_stream(buffers, memory, interrupt, |bytes| {
        loop {
            match retry(|| rustix::io::write(handle, bytes)) {
                Err(rustix::io::Errno::AGAIN) => {}
                result => return Ok(result?),
            }
            may_wait(descriptor, interrupt)?;
            is_ready(handle.as_fd(), PollFlags::OUT, WAIT_SLICE)?;
        }
    })
}

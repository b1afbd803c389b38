//! Functions on descriptors other than reading and writing.

use std::sync::Arc;

use rustix::fs::{FallocateFlags, Timestamps};
use rustix::time::Timespec;

use super::Wasi;
use super::abi::{
    Answer, FDSTAT_BYTES, FILESTAT_BYTES, arguments, fdstat, filestat, stream_filestat,
};
use super::errno::Errno;
use super::flags::{FdFlags, Rights, TimeFlags};
use super::handles::Handle;
use super::state::{Descriptor, FileKind, Resource, WasiState};
use super::stdio::Input;
use crate::host::HostCall;

/// The highest `advice` there is.
const ADVICE_MAX: u64 = 5;

pub(super) fn fd_advise(_: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [fd, offset, length, advice] = arguments(call);
    let descriptor = call.wasi.descriptor(fd as u32)?;
    expect_regular(descriptor)?;
    descriptor.require(Rights::FD_ADVISE)?;
    if advice > ADVICE_MAX || offset.checked_add(length).is_none() {
        return Err(Errno::Inval.into());
    }
    // Advice is about speed only, and the speed of a file's cache is nothing to a guest under a debugger.
    Ok(())
}

pub(super) fn fd_allocate(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [fd, offset, length] = arguments(call);
    let descriptor = regular_with(call.wasi, fd, Rights::FD_ALLOCATE)?;
    let end = offset
        .checked_add(length)
        .filter(|&end| i64::try_from(end).is_ok());
    let end = end.ok_or(Errno::Fbig)?;
    if length == 0 {
        return Err(Errno::Inval.into());
    }
    let handle = wasi.handle(call.wasi, &descriptor)?;
    match rustix::fs::fallocate(&*handle, FallocateFlags::empty(), offset, length) {
        // Where space cannot be reserved, at least the length becomes what it has to.
        Err(rustix::io::Errno::OPNOTSUPP) => {
            let size = handle.metadata()?.len();
            Ok(rustix::fs::ftruncate(&*handle, size.max(end))?)
        }
        result => Ok(result?),
    }
}

pub(super) fn fd_close(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [fd] = arguments(call);
    call.wasi.descriptor(fd as u32)?;
    let descriptor = Arc::make_mut(call.wasi).remove(fd as u32)?;
    wasi.handles.close(&descriptor);
    Ok(())
}

pub(super) fn fd_datasync(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [fd] = arguments(call);
    let handle = handle_with(wasi, call.wasi, fd, Rights::FD_DATASYNC)?;
    Ok(rustix::fs::fdatasync(&*handle)?)
}

pub(super) fn fd_sync(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [fd] = arguments(call);
    let handle = handle_with(wasi, call.wasi, fd, Rights::FD_SYNC)?;
    Ok(rustix::fs::fsync(&*handle)?)
}

pub(super) fn fd_fdstat_get(_: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [fd, address] = arguments(call);
    let attributes = fdstat(call.wasi.descriptor(fd as u32)?);
    call.memory.check(address, FDSTAT_BYTES)?;
    call.memory.write(address, &attributes)?;
    Ok(())
}

pub(super) fn fd_fdstat_set_flags(_: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [fd, flags] = arguments(call);
    let descriptor = call.wasi.descriptor(fd as u32)?;
    descriptor.require(Rights::FD_FDSTAT_SET_FLAGS)?;
    let flags = u16::try_from(flags)
        .ok()
        .and_then(FdFlags::from_bits)
        .ok_or(Errno::Inval)?;
    if descriptor.flags != flags {
        Arc::make_mut(call.wasi).descriptor_mut(fd as u32)?.flags = flags;
    }
    Ok(())
}

pub(super) fn fd_fdstat_set_rights(_: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [fd, base, inheriting] = arguments(call);
    let descriptor = call.wasi.descriptor(fd as u32)?;
    // Bits that name no right cannot be among those it has.
    let base = Rights::from_bits(base).ok_or(Errno::NotCapable)?;
    let inheriting = Rights::from_bits(inheriting).ok_or(Errno::NotCapable)?;
    if !descriptor.rights_base.contains(base) || !descriptor.rights_inheriting.contains(inheriting)
    {
        return Err(Errno::NotCapable.into());
    }
    let descriptor = Arc::make_mut(call.wasi).descriptor_mut(fd as u32)?;
    descriptor.rights_base = base;
    descriptor.rights_inheriting = inheriting;
    Ok(())
}

pub(super) fn fd_filestat_get(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [fd, address] = arguments(call);
    let descriptor = Arc::clone(call.wasi.descriptor(fd as u32)?);
    descriptor.require(Rights::FD_FILESTAT_GET)?;
    call.memory.check(address, FILESTAT_BYTES)?;
    let attributes = match (&descriptor.resource, &wasi.stdin) {
        (Resource::Opened(_), _) => filestat(&wasi.handle(call.wasi, &descriptor)?.metadata()?),
        (Resource::Stdin, Input::File(file)) => filestat(&file.metadata()?),
        _ => stream_filestat(descriptor.kind),
    };
    call.memory.write(address, &attributes)?;
    Ok(())
}

pub(super) fn fd_filestat_set_size(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [fd, size] = arguments(call);
    let descriptor = regular_with(call.wasi, fd, Rights::FD_FILESTAT_SET_SIZE)?;
    if i64::try_from(size).is_err() {
        return Err(Errno::Inval.into());
    }
    let handle = wasi.handle(call.wasi, &descriptor)?;
    Ok(rustix::fs::ftruncate(&*handle, size)?)
}

pub(super) fn fd_filestat_set_times(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [fd, access_time, modification_time, flags] = arguments(call);
    let times = FileTimes::new(access_time, modification_time, flags)?;
    let handle = handle_with(wasi, call.wasi, fd, Rights::FD_FILESTAT_SET_TIMES)?;
    let timestamps = Timestamps {
        last_access: times.access.in_timespec(),
        last_modification: times.modification.in_timespec(),
    };
    Ok(rustix::fs::futimens(&*handle, &timestamps)?)
}

pub(super) fn fd_renumber(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [from, to] = arguments(call);
    let (from, to) = (from as u32, to as u32);
    call.wasi.descriptor(from)?;
    call.wasi.descriptor(to)?;
    if from != to {
        let state = Arc::make_mut(call.wasi);
        let moved = state.remove(from)?;
        if let Some(replaced) = state.insert(to, moved) {
            wasi.handles.close(&replaced);
        }
    }
    Ok(())
}

pub(super) fn fd_seek(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [fd, delta, whence, address] = arguments(call);
    let descriptor = Arc::clone(call.wasi.descriptor(fd as u32)?);
    let stays = delta == 0 && whence == WHENCE_CUR;
    let enough = stays && descriptor.rights_base.contains(Rights::FD_TELL);
    if !enough {
        descriptor.require(Rights::FD_SEEK)?;
    }
    expect_regular(&descriptor)?;
    call.memory.check(address, 8)?;
    let origin = match whence {
        WHENCE_SET => 0,
        WHENCE_CUR => descriptor.offset,
        WHENCE_END => wasi.handle(call.wasi, &descriptor)?.metadata()?.len(),
        _ => return Err(Errno::Inval.into()),
    };
    let offset = origin
        .checked_add_signed(delta as i64)
        .ok_or(Errno::Inval)?;
    if i64::try_from(offset).is_err() {
        return Err(Errno::Inval.into());
    }
    if offset != descriptor.offset {
        Arc::make_mut(call.wasi).descriptor_mut(fd as u32)?.offset = offset;
    }
    call.memory.write_u64(address, offset)?;
    Ok(())
}

const WHENCE_SET: u64 = 0;
const WHENCE_CUR: u64 = 1;
const WHENCE_END: u64 = 2;

pub(super) fn fd_tell(_: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [fd, address] = arguments(call);
    let descriptor = call.wasi.descriptor(fd as u32)?;
    descriptor.require(Rights::FD_TELL)?;
    expect_regular(descriptor)?;
    let offset = descriptor.offset;
    call.memory.write_u64(address, offset)?;
    Ok(())
}

/// Fails unless the descriptor leads to a regular file.
fn expect_regular(descriptor: &Descriptor) -> Result<(), Errno> {
    match descriptor.kind {
        FileKind::RegularFile if descriptor.opened().is_some() => Ok(()),
        FileKind::Directory => Err(Errno::Badf),
        _ => Err(Errno::Spipe),
    }
}

fn regular_with(state: &WasiState, fd: u64, rights: Rights) -> Result<Arc<Descriptor>, Errno> {
    let descriptor = state.descriptor(fd as u32)?;
    descriptor.require(rights)?;
    expect_regular(descriptor)?;
    Ok(Arc::clone(descriptor))
}

fn handle_with(
    wasi: &mut Wasi,
    state: &WasiState,
    fd: u64,
    rights: Rights,
) -> Result<Arc<Handle>, Errno> {
    let descriptor = state.descriptor(fd as u32)?;
    descriptor.require(rights)?;
    wasi.handle(state, descriptor)
}

/// The times to give a file.
pub(super) struct FileTimes {
    pub(super) access: FileTime,
    pub(super) modification: FileTime,
}

/// What becomes of one of a file's times.
#[derive(Clone, Copy)]
pub(super) enum FileTime {
    Keep,
    Now,
    /// Nanoseconds since 1970.
    At(u64),
}

impl FileTimes {
    pub(super) fn new(access: u64, modification: u64, flags: u64) -> Result<FileTimes, Errno> {
        let flags = u16::try_from(flags)
            .ok()
            .and_then(TimeFlags::from_bits)
            .ok_or(Errno::Inval)?;
        Ok(FileTimes {
            access: FileTime::new(
                access,
                flags.contains(TimeFlags::ATIM),
                flags.contains(TimeFlags::ATIM_NOW),
            )?,
            modification: FileTime::new(
                modification,
                flags.contains(TimeFlags::MTIM),
                flags.contains(TimeFlags::MTIM_NOW),
            )?,
        })
    }
}

impl FileTime {
    fn new(time: u64, given: bool, now: bool) -> Result<FileTime, Errno> {
        match (given, now) {
            (false, false) => Ok(FileTime::Keep),
            (false, true) => Ok(FileTime::Now),
            (true, false) => Ok(FileTime::At(time)),
            (true, true) => Err(Errno::Inval),
        }
    }

    fn in_timespec(self) -> Timespec {
        let (tv_sec, tv_nsec) = match self {
            FileTime::Keep => (0, rustix::fs::UTIME_OMIT),
            FileTime::Now => (0, rustix::fs::UTIME_NOW),
            FileTime::At(time) => ((time / 1_000_000_000) as i64, (time % 1_000_000_000) as i64),
        };
        Timespec { tv_sec, tv_nsec }
    }
}

//! Functions on paths below a directory.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cap_fs_ext::{DirExt, SystemTimeSpec};
use cap_std::fs::Dir;
use cap_std::time::{SystemClock, SystemTime};

use super::Wasi;
use super::abi::{Answer, FILESTAT_BYTES, arguments, filestat, read_path};
use super::errno::Errno;
use super::files::{FileTime, FileTimes};
use super::flags::{FdFlags, LookupFlags, OpenFlags, Rights};
use super::handles::{Handle, Opening, open, path_below_preopen};
use super::state::{Descriptor, FileKind, Opened, Resource, WasiState};
use crate::host::HostCall;

/// A directory that a path starts from, held open.
struct Base {
    descriptor: Arc<Descriptor>,
    handle: Arc<Handle>,
}

impl Base {
    fn dir(&self) -> &Dir {
        match &*self.handle {
            Handle::Directory(dir) => dir,
            Handle::File(_) => unreachable!("a base is made of directories only"),
        }
    }
}

/// The directory at a descriptor, if it has the rights.
fn base(wasi: &mut Wasi, state: &WasiState, fd: u64, rights: Rights) -> Result<Base, Errno> {
    let descriptor = Arc::clone(state.descriptor(fd as u32)?);
    if descriptor.kind != FileKind::Directory {
        return Err(Errno::NotDir);
    }
    descriptor.require(rights)?;
    let handle = wasi.handle(state, &descriptor)?;
    Ok(Base { descriptor, handle })
}

fn lookup_flags(flags: u64) -> Result<LookupFlags, Errno> {
    LookupFlags::from_bits(flags as u32).ok_or(Errno::Inval)
}

pub(super) fn path_create_directory(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [fd, path, path_length] = arguments(call);
    let base = base(wasi, call.wasi, fd, Rights::PATH_CREATE_DIRECTORY)?;
    let path = read_path(call, path, path_length)?;
    Ok(base.dir().create_dir(path)?)
}

pub(super) fn path_filestat_get(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [fd, flags, path, path_length, address] = arguments(call);
    let base = base(wasi, call.wasi, fd, Rights::PATH_FILESTAT_GET)?;
    let path = read_path(call, path, path_length)?;
    call.memory.check(address, FILESTAT_BYTES)?;
    let metadata = if lookup_flags(flags)?.contains(LookupFlags::SYMLINK_FOLLOW) {
        base.dir().metadata(path)?
    } else {
        base.dir().symlink_metadata(path)?
    };
    call.memory.write(address, &filestat(&metadata))?;
    Ok(())
}

pub(super) fn path_filestat_set_times(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [
        fd,
        flags,
        path,
        path_length,
        access_time,
        modification_time,
        time_flags,
    ] = arguments(call);
    let base = base(wasi, call.wasi, fd, Rights::PATH_FILESTAT_SET_TIMES)?;
    let path = read_path(call, path, path_length)?;
    let times = FileTimes::new(access_time, modification_time, time_flags)?;
    let access = time_spec(times.access);
    let modification = time_spec(times.modification);
    if lookup_flags(flags)?.contains(LookupFlags::SYMLINK_FOLLOW) {
        base.dir().set_times(path, access, modification)?;
    } else {
        base.dir().set_symlink_times(path, access, modification)?;
    }
    Ok(())
}

fn time_spec(time: FileTime) -> Option<SystemTimeSpec> {
    match time {
        FileTime::Keep => None,
        FileTime::Now => Some(SystemTimeSpec::SymbolicNow),
        FileTime::At(time) => {
            let time: SystemTime = SystemClock::UNIX_EPOCH + Duration::from_nanos(time);
            Some(SystemTimeSpec::Absolute(time))
        }
    }
}

pub(super) fn path_link(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [
        old_fd,
        flags,
        old_path,
        old_length,
        new_fd,
        new_path,
        new_length,
    ] = arguments(call);
    let old_base = base(wasi, call.wasi, old_fd, Rights::PATH_LINK_SOURCE)?;
    let new_base = base(wasi, call.wasi, new_fd, Rights::PATH_LINK_TARGET)?;
    let old_path = read_path(call, old_path, old_length)?;
    let new_path = read_path(call, new_path, new_length)?;
    // The sandbox offers no link to what a symbolic link points to; other hosts refuse it as well.
    if !lookup_flags(flags)?.is_empty() {
        return Err(Errno::Inval.into());
    }
    Ok(old_base
        .dir()
        .hard_link(old_path, new_base.dir(), new_path)?)
}

pub(super) fn path_open(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [
        fd,
        lookup,
        path,
        path_length,
        open_flags,
        rights_base,
        rights_inheriting,
        fd_flags,
        fd_address,
    ] = arguments(call);
    let path = read_path(call, path, path_length)?;
    call.memory.check(fd_address, 4)?;
    let lookup = lookup_flags(lookup)?;
    let open_flags = u16::try_from(open_flags)
        .ok()
        .and_then(OpenFlags::from_bits)
        .ok_or(Errno::Inval)?;
    let flags = u16::try_from(fd_flags)
        .ok()
        .and_then(FdFlags::from_bits)
        .ok_or(Errno::Inval)?;
    if open_flags.contains(OpenFlags::DIRECTORY) && open_flags != OpenFlags::DIRECTORY {
        return Err(Errno::Inval.into());
    }
    // Some toolchains ask for all 64 bits; those that name no right are no right to be refused.
    let rights_base = Rights::from_bits_truncate(rights_base);
    let rights_inheriting = Rights::from_bits_truncate(rights_inheriting);
    let base = base(wasi, call.wasi, fd, rights_to_open(open_flags))?;
    let needed = rights_base | rights_inheriting | rights_for_flags(flags);
    if !base.descriptor.rights_inheriting.contains(needed) {
        return Err(Errno::NotCapable.into());
    }
    let new_fd = call.wasi.free_number()?;
    let opening = Opening {
        lookup,
        flags: open_flags,
        readable: rights_base.intersects(Rights::FD_READ | Rights::FD_READDIR),
        writable: rights_base.intersects(Rights::WRITING),
    };
    let (handle, kind) = open(base.dir(), Path::new(&path), &opening)?;
    let opened = Arc::new(opened(wasi, call.wasi, &base, &path, &opening)?);
    let descriptor = Descriptor {
        resource: Resource::Opened(Arc::clone(&opened)),
        kind,
        rights_base: rights_base & rights_of(kind),
        rights_inheriting: if kind == FileKind::Directory {
            rights_inheriting
        } else {
            Rights::empty()
        },
        flags,
        offset: 0,
        listing: None,
    };
    let state = Arc::make_mut(call.wasi);
    state.next_id = opened.id + 1;
    state.insert(new_fd, Arc::new(descriptor));
    wasi.handles.keep(state, &opened, handle);
    call.memory.write_u32(fd_address, new_fd)?;
    Ok(())
}

/// The rights that a directory must have for a file to be opened with these flags.
fn rights_to_open(flags: OpenFlags) -> Rights {
    let mut rights = Rights::PATH_OPEN;
    if flags.contains(OpenFlags::CREAT) {
        rights |= Rights::PATH_CREATE_FILE;
    }
    if flags.contains(OpenFlags::TRUNC) {
        rights |= Rights::PATH_FILESTAT_SET_SIZE;
    }
    rights
}

/// The rights that flags of a new descriptor take.
fn rights_for_flags(flags: FdFlags) -> Rights {
    let mut rights = Rights::empty();
    if flags.contains(FdFlags::DSYNC) {
        rights |= Rights::FD_DATASYNC;
    }
    if flags.intersects(FdFlags::SYNC | FdFlags::RSYNC) {
        rights |= Rights::FD_SYNC;
    }
    rights
}

/// The rights that make sense for what was opened; others are dropped, as preview 1 allows.
fn rights_of(kind: FileKind) -> Rights {
    match kind {
        FileKind::Directory => Rights::DIRECTORY,
        FileKind::RegularFile => Rights::REGULAR_FILE,
        _ => Rights::STREAM,
    }
}

fn opened(
    wasi: &Wasi,
    state: &WasiState,
    base: &Base,
    path: &str,
    opening: &Opening,
) -> Result<Opened, Errno> {
    let parent = base.descriptor.opened().ok_or(Errno::NotDir)?;
    let below = path_below_preopen(parent, base.dir(), Path::new(path))?;
    let preopen = wasi.preopens.get(parent.preopen).ok_or(Errno::Stale)?;
    let guest_path = Path::new(&preopen.guest_path).join(&below);
    Ok(Opened {
        id: state.next_id.max(wasi.handles.next_id()),
        preopen: parent.preopen,
        path: below,
        guest_path: guest_path.to_string_lossy().into_owned(),
        is_preopen: false,
        lookup: opening.lookup,
        open_flags: opening.flags,
        readable: opening.readable,
        writable: opening.writable,
    })
}

pub(super) fn path_readlink(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [fd, path, path_length, address, length, used_address] = arguments(call);
    let base = base(wasi, call.wasi, fd, Rights::PATH_READLINK)?;
    let path = read_path(call, path, path_length)?;
    call.memory.check(address, length)?;
    call.memory.check(used_address, 4)?;
    // A link with an absolute target, which only the host can have made, tells nothing about the host: it is refused.
    let target = base.dir().read_link(path)?;
    let bytes = target.as_os_str().as_bytes();
    let used = bytes.len().min(length as usize);
    call.memory.write(address, &bytes[..used])?;
    call.memory.write_u32(used_address, used as u32)?;
    Ok(())
}

pub(super) fn path_remove_directory(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [fd, path, path_length] = arguments(call);
    let base = base(wasi, call.wasi, fd, Rights::PATH_REMOVE_DIRECTORY)?;
    let path = read_path(call, path, path_length)?;
    // A slash at the end says that a directory is meant, which this function means anyway; the sandbox would refuse it.
    Ok(base.dir().remove_dir(path.trim_end_matches('/'))?)
}

pub(super) fn path_rename(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [old_fd, old_path, old_length, new_fd, new_path, new_length] = arguments(call);
    let old_base = base(wasi, call.wasi, old_fd, Rights::PATH_RENAME_SOURCE)?;
    let new_base = base(wasi, call.wasi, new_fd, Rights::PATH_RENAME_TARGET)?;
    let old_path = read_path(call, old_path, old_length)?;
    let new_path = read_path(call, new_path, new_length)?;
    Ok(old_base.dir().rename(old_path, new_base.dir(), new_path)?)
}

pub(super) fn path_symlink(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [target, target_length, fd, path, path_length] = arguments(call);
    let target = read_path(call, target, target_length)?;
    let base = base(wasi, call.wasi, fd, Rights::PATH_SYMLINK)?;
    let path = read_path(call, path, path_length)?;
    Ok(base.dir().symlink(target, path)?)
}

pub(super) fn path_unlink_file(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [fd, path, path_length] = arguments(call);
    let base = base(wasi, call.wasi, fd, Rights::PATH_UNLINK_FILE)?;
    let path = read_path(call, path, path_length)?;
    Ok(base.dir().remove_file(path)?)
}

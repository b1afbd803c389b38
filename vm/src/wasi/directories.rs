//! Reading directories, and finding the preopened ones.

use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::sync::Arc;

use cap_std::fs::{Dir, MetadataExt};

use super::abi::{Answer, Failure, arguments, dirent, kind_of_mode};
use super::errno::Errno;
use super::flags::Rights;
use super::handles::Handle;
use super::state::{Descriptor, DirectoryEntry, FileKind, Opened, WasiState};
use super::{Preopen, Wasi};
use crate::host::HostCall;

/// The most entries of a directory that can be read.
const ENTRIES_MAX: usize = 1 << 20;

/// How many entries are read between two looks at the interrupt.
const ENTRIES_PER_LOOK: usize = 1 << 10;

pub(super) fn fd_prestat_get(_: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [fd, address] = arguments(call);
    let name_length = preopened(call.wasi, fd)?.guest_path.len() as u64;
    // The tag of a directory is 0, the length of its name follows at 4.
    call.memory.write_u64(address, name_length << 32)?;
    Ok(())
}

pub(super) fn fd_prestat_dir_name(_: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [fd, address, length] = arguments(call);
    let opened = Arc::clone(preopened(call.wasi, fd)?);
    call.memory.check(address, length)?;
    let name = opened.guest_path.as_bytes();
    if (length as usize) < name.len() {
        return Err(Errno::NameTooLong.into());
    }
    call.memory.write(address, name)?;
    Ok(())
}

/// The preopened directory that a descriptor leads to. The C library looks for the first that does not to find them all.
fn preopened(state: &WasiState, fd: u64) -> Result<&Arc<Opened>, Errno> {
    let opened = state.descriptor(fd as u32)?.opened();
    opened.filter(|opened| opened.is_preopen).ok_or(Errno::Badf)
}

pub(super) fn fd_readdir(wasi: &mut Wasi, call: &mut HostCall<'_>) -> Answer {
    let [fd, address, length, cookie, used_address] = arguments(call);
    let descriptor = Arc::clone(call.wasi.descriptor(fd as u32)?);
    if descriptor.kind != FileKind::Directory {
        return Err(Errno::NotDir.into());
    }
    descriptor.require(Rights::FD_READDIR)?;
    call.memory.check(address, length)?;
    call.memory.check(used_address, 4)?;
    let listing = match &descriptor.listing {
        Some(listing) if cookie != 0 => Arc::clone(listing),
        _ => {
            let listing = list(wasi, call, &descriptor)?;
            if descriptor.listing.as_ref() != Some(&listing) {
                let descriptor = Arc::make_mut(call.wasi).descriptor_mut(fd as u32)?;
                descriptor.listing = Some(Arc::clone(&listing));
            }
            listing
        }
    };
    let bytes = entries_from(&listing, cookie, length as usize);
    call.memory.write(address, &bytes)?;
    call.memory.write_u32(used_address, bytes.len() as u32)?;
    Ok(())
}

/// The entries from a cookie on; the last one is cut off where the buffer ends.
fn entries_from(listing: &[DirectoryEntry], cookie: u64, length: usize) -> Vec<u8> {
    let start = usize::try_from(cookie)
        .unwrap_or(usize::MAX)
        .min(listing.len());
    let mut bytes = Vec::new();
    for (index, entry) in listing.iter().enumerate().skip(start) {
        if bytes.len() >= length {
            break;
        }
        let next_cookie = index as u64 + 1;
        bytes.extend_from_slice(&dirent(
            next_cookie,
            entry.inode,
            entry.name.len() as u32,
            entry.kind,
        ));
        bytes.extend_from_slice(&entry.name);
    }
    bytes.truncate(length);
    bytes
}

/// What a directory holds now: itself and its parent, then all else by name, so that the order is the same everywhere.
fn list(
    wasi: &mut Wasi,
    call: &HostCall<'_>,
    descriptor: &Descriptor,
) -> Answer<Arc<[DirectoryEntry]>> {
    let handle = wasi.handle(call.wasi, descriptor)?;
    let Handle::Directory(dir) = &*handle else {
        return Err(Errno::NotDir.into());
    };
    let opened = descriptor.opened().ok_or(Errno::NotDir)?;
    let mut entries = Vec::new();
    for entry in dir.entries()? {
        if entries.len() >= ENTRIES_MAX {
            return Err(Errno::Overflow.into());
        }
        // Large directories take seconds.
        if entries.len() % ENTRIES_PER_LOOK == ENTRIES_PER_LOOK - 1 && call.interrupt.is_raised() {
            return Err(Failure::Interrupted);
        }
        let entry = entry?;
        let (inode, kind) = match entry.metadata() {
            Ok(metadata) => (metadata.ino(), kind_of_mode(metadata.mode())),
            // It has gone since, but it was an entry.
            Err(_) => (0, FileKind::Unknown),
        };
        let name = entry.file_name().into_vec().into_boxed_slice();
        entries.push(DirectoryEntry { name, inode, kind });
    }
    entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    let inode = dir.dir_metadata()?.ino();
    let parent_inode = parent_inode(&wasi.preopens, opened).unwrap_or(inode);
    let ends = [(".", inode), ("..", parent_inode)].map(|(name, inode)| DirectoryEntry {
        name: OsStr::new(name).as_bytes().into(),
        inode,
        kind: FileKind::Directory,
    });
    Ok(ends.into_iter().chain(entries).collect())
}

/// A preopened directory is its own parent, like the root of a file system.
fn parent_inode(preopens: &[Preopen], opened: &Opened) -> Option<u64> {
    let parent = opened.path.parent()?;
    let dir: &Dir = &preopens.get(opened.preopen)?.dir;
    let path = if parent.as_os_str().is_empty() {
        Path::new(".")
    } else {
        parent
    };
    Some(dir.metadata(path).ok()?.ino())
}

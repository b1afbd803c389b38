//! How arguments and structures of preview 1 lie in cells and in guest memory.

use std::time::Duration;

use cap_std::fs::{Metadata, MetadataExt};
use rustix::fs::FileType;

use super::errno::Errno;
use super::state::{Descriptor, FileKind};
use crate::host::{GuestMemory, HostCall, HostOutcome, OutOfBounds};

/// The longest path that a guest can name, in bytes.
pub(super) const PATH_BYTES_MAX: u64 = 4096;

/// The most buffers that one read or write can have, as POSIX systems limit them.
const BUFFERS_MAX: u64 = 1024;

/// Why a function of WASI did not succeed.
pub(super) enum Failure {
    /// The guest gets an error number.
    Errno(Errno),
    /// It waited, changed nothing and was interrupted.
    Interrupted,
    /// It does not return.
    End(HostOutcome),
}

/// How a function of WASI ends.
pub(super) type Answer<T = ()> = Result<T, Failure>;

impl<E: Into<Errno>> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::Errno(error.into())
    }
}

/// The arguments, whose number the import's type fixes.
pub(super) fn arguments<const COUNT: usize>(call: &HostCall<'_>) -> [u64; COUNT] {
    call.args
        .try_into()
        .expect("an import is linked only when its type is the function's")
}

/// A path as the guest names it: UTF-8, neither empty nor absolute, nor with a NUL in it.
pub(super) fn read_path(call: &HostCall<'_>, address: u64, length: u64) -> Result<String, Errno> {
    let bytes = call.memory.read(address, length)?;
    if length > PATH_BYTES_MAX {
        return Err(Errno::NameTooLong);
    }
    let path = std::str::from_utf8(bytes).map_err(|_| Errno::Ilseq)?;
    if path.is_empty() {
        return Err(Errno::NoEnt);
    }
    if path.contains('\0') {
        return Err(Errno::Inval);
    }
    if path.starts_with('/') {
        return Err(Errno::NotCapable);
    }
    Ok(path.to_owned())
}

/// A range of guest memory that has been checked.
#[derive(Clone, Copy)]
pub(super) struct Buffer {
    pub(super) address: u64,
    pub(super) length: u64,
}

/// The buffers of a scattered read or a gathered write (`iovec`, `ciovec`), all of them within memory.
pub(super) fn read_buffers(
    memory: &GuestMemory<'_>,
    address: u64,
    count: u64,
) -> Result<Vec<Buffer>, Errno> {
    if count > BUFFERS_MAX {
        return Err(Errno::Inval);
    }
    let mut buffers = Vec::with_capacity(count as usize);
    let mut total: u64 = 0;
    for vector in memory.read(address, count * 8)?.chunks_exact(8) {
        let buffer = Buffer {
            address: u64::from(u32_at(vector, 0)),
            length: u64::from(u32_at(vector, 4)),
        };
        memory.check(buffer.address, buffer.length)?;
        total += buffer.length;
        buffers.push(buffer);
    }
    // The number of bytes is returned in 32 bits.
    if total > u64::from(u32::MAX) {
        return Err(Errno::Inval);
    }
    Ok(buffers)
}

/// The total length of some buffers.
pub(super) fn total_length(buffers: &[Buffer]) -> u64 {
    buffers.iter().map(|buffer| buffer.length).sum()
}

/// Spreads bytes over buffers that are long enough for them.
pub(super) fn scatter(
    memory: &mut GuestMemory<'_>,
    buffers: &[Buffer],
    mut bytes: &[u8],
) -> Result<(), OutOfBounds> {
    for buffer in buffers {
        let count = bytes.len().min(buffer.length as usize);
        memory.write(buffer.address, &bytes[..count])?;
        bytes = &bytes[count..];
    }
    Ok(())
}

/// The little-endian number at an offset of a structure.
pub(super) fn u16_at(bytes: &[u8], offset: usize) -> u16 {
    u16::from_le_bytes([bytes[offset], bytes[offset + 1]])
}

/// The little-endian number at an offset of a structure.
pub(super) fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[offset..offset + 4]);
    u32::from_le_bytes(number)
}

/// The little-endian number at an offset of a structure.
pub(super) fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[offset..offset + 8]);
    u64::from_le_bytes(number)
}

/// The size of an `fdstat` in bytes.
pub(super) const FDSTAT_BYTES: u64 = 24;

/// A descriptor's attributes (`fdstat`).
pub(super) fn fdstat(descriptor: &Descriptor) -> [u8; FDSTAT_BYTES as usize] {
    let mut bytes = [0; FDSTAT_BYTES as usize];
    bytes[0] = descriptor.kind as u8;
    bytes[2..4].copy_from_slice(&descriptor.flags.bits().to_le_bytes());
    bytes[8..16].copy_from_slice(&descriptor.rights_base.bits().to_le_bytes());
    bytes[16..24].copy_from_slice(&descriptor.rights_inheriting.bits().to_le_bytes());
    bytes
}

/// The size of a `filestat` in bytes.
pub(super) const FILESTAT_BYTES: u64 = 64;

/// A file's attributes (`filestat`).
pub(super) fn filestat(metadata: &Metadata) -> [u8; FILESTAT_BYTES as usize] {
    let mut bytes = [0; FILESTAT_BYTES as usize];
    let mut put = |offset: usize, value: u64| {
        bytes[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
    };
    put(0, metadata.dev());
    put(8, metadata.ino());
    put(16, kind_of_mode(metadata.mode()) as u64);
    put(24, metadata.nlink());
    put(32, metadata.size());
    put(40, nanoseconds(metadata.atime(), metadata.atime_nsec()));
    put(48, nanoseconds(metadata.mtime(), metadata.mtime_nsec()));
    put(56, nanoseconds(metadata.ctime(), metadata.ctime_nsec()));
    bytes
}

/// The attributes of a stream, which has no file behind it.
pub(super) fn stream_filestat(kind: FileKind) -> [u8; FILESTAT_BYTES as usize] {
    let mut bytes = [0; FILESTAT_BYTES as usize];
    bytes[16] = kind as u8;
    bytes
}

/// What a file is by the type bits of its mode.
pub(super) fn kind_of_mode(mode: u32) -> FileKind {
    match FileType::from_raw_mode(mode) {
        FileType::RegularFile => FileKind::RegularFile,
        FileType::Directory => FileKind::Directory,
        FileType::Symlink => FileKind::SymbolicLink,
        FileType::CharacterDevice => FileKind::CharacterDevice,
        FileType::BlockDevice => FileKind::BlockDevice,
        FileType::Socket => FileKind::SocketStream,
        FileType::Fifo | FileType::Unknown => FileKind::Unknown,
    }
}

/// A time of the host's as preview 1 counts it. What it cannot express, times before 1970, becomes 1970.
pub(super) fn nanoseconds(seconds: i64, nanoseconds: i64) -> u64 {
    let seconds = u64::try_from(seconds).unwrap_or(0);
    let part = u64::try_from(nanoseconds).unwrap_or(0);
    seconds
        .saturating_mul(Duration::from_secs(1).as_nanos() as u64)
        .saturating_add(part)
}

/// The size of a `dirent`, which a name follows, in bytes.
pub(super) const DIRENT_BYTES: usize = 24;

/// The head of an entry of a directory (`dirent`).
pub(super) fn dirent(
    next_cookie: u64,
    inode: u64,
    name_length: u32,
    kind: FileKind,
) -> [u8; DIRENT_BYTES] {
    let mut bytes = [0; DIRENT_BYTES];
    bytes[0..8].copy_from_slice(&next_cookie.to_le_bytes());
    bytes[8..16].copy_from_slice(&inode.to_le_bytes());
    bytes[16..20].copy_from_slice(&name_length.to_le_bytes());
    bytes[20] = kind as u8;
    bytes
}

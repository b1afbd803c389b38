//! The guest's descriptors, as plain data.
//!
//! Nothing here holds a resource of the operating system. A state can be cloned, compared, kept and continued at any time:
//! [`super::Wasi`] opens again by path whatever it no longer holds open.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::errno::Errno;
use super::flags::{FdFlags, LookupFlags, OpenFlags, Rights};

/// The most descriptors a guest can have at a time: half of what operating systems commonly grant a process,
/// so that a guest that opens all it can does not keep the debugger from opening source files.
pub const DESCRIPTORS_MAX: usize = 512;

/// What a descriptor leads to (`filetype`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum FileKind {
    /// Something else, such as a pipe.
    Unknown = 0,
    /// A block device.
    BlockDevice = 1,
    /// A character device; as a standard stream, a terminal.
    CharacterDevice = 2,
    /// A directory.
    Directory = 3,
    /// A regular file.
    RegularFile = 4,
    /// A datagram socket.
    SocketDatagram = 5,
    /// A stream socket.
    SocketStream = 6,
    /// A symbolic link.
    SymbolicLink = 7,
}

/// Where a descriptor comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Resource {
    /// Standard input.
    Stdin,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// A file or directory below a preopened directory, or that directory itself.
    Opened(Arc<Opened>),
}

/// How a file or directory was opened: enough to open it again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opened {
    /// Tells this opening from all others, so that the file that is held open for it can be found.
    pub(super) id: u64,
    /// The preopened directory it lies below, in the order of the configuration.
    pub(super) preopen: usize,
    /// Where it lies below that directory; empty for the directory itself.
    pub(super) path: PathBuf,
    /// The path as the guest sees it.
    pub(super) guest_path: String,
    /// Whether it is a preopened directory itself.
    pub(super) is_preopen: bool,
    pub(super) lookup: LookupFlags,
    pub(super) open_flags: OpenFlags,
    pub(super) readable: bool,
    pub(super) writable: bool,
}

impl Opened {
    /// Where it lies below its preopened directory; empty for that directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The flags that it was opened with.
    #[must_use]
    pub fn open_flags(&self) -> OpenFlags {
        self.open_flags
    }
}

/// An entry of a directory, as it was when the guest began to read the directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DirectoryEntry {
    /// The name's bytes.
    pub(super) name: Box<[u8]>,
    /// The file's serial number; 0 when unknown.
    pub(super) inode: u64,
    pub(super) kind: FileKind,
}

/// An open descriptor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Descriptor {
    pub(super) resource: Resource,
    pub(super) kind: FileKind,
    pub(super) rights_base: Rights,
    pub(super) rights_inheriting: Rights,
    pub(super) flags: FdFlags,
    /// Of a file, the position in it; of standard input, the bytes read so far.
    pub(super) offset: u64,
    /// What `fd_readdir` reads, in which a cookie is an index. Made anew whenever it reads from the start.
    pub(super) listing: Option<Arc<[DirectoryEntry]>>,
}

impl Descriptor {
    /// Where it comes from.
    #[must_use]
    pub fn resource(&self) -> &Resource {
        &self.resource
    }

    /// What it leads to.
    #[must_use]
    pub fn kind(&self) -> FileKind {
        self.kind
    }

    /// The path as the guest sees it, or the name of a standard stream.
    #[must_use]
    pub fn guest_path(&self) -> &str {
        match &self.resource {
            Resource::Stdin => "stdin",
            Resource::Stdout => "stdout",
            Resource::Stderr => "stderr",
            Resource::Opened(opened) => &opened.guest_path,
        }
    }

    /// What may be done with it.
    #[must_use]
    pub fn rights_base(&self) -> Rights {
        self.rights_base
    }

    /// What may be done with what is opened through it.
    #[must_use]
    pub fn rights_inheriting(&self) -> Rights {
        self.rights_inheriting
    }

    /// Its flags.
    #[must_use]
    pub fn flags(&self) -> FdFlags {
        self.flags
    }

    /// Of a file, the position in it in bytes; of standard input, the number of bytes read so far.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Fails unless everything in `rights` may be done.
    pub(super) fn require(&self, rights: Rights) -> Result<(), Errno> {
        if self.rights_base.contains(rights) {
            Ok(())
        } else {
            Err(Errno::NotCapable)
        }
    }

    pub(super) fn opened(&self) -> Option<&Arc<Opened>> {
        match &self.resource {
            Resource::Opened(opened) => Some(opened),
            Resource::Stdin | Resource::Stdout | Resource::Stderr => None,
        }
    }
}

/// The part of WASI that belongs to the guest's state: its descriptors.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WasiState {
    /// By number. The last one is never empty.
    descriptors: Vec<Option<Arc<Descriptor>>>,
    /// Above every [`Opened::id`] in use.
    pub(super) next_id: u64,
}

impl WasiState {
    /// The open descriptors with their numbers, in ascending order.
    pub fn descriptors(&self) -> impl Iterator<Item = (u32, &Descriptor)> {
        let numbered = self.descriptors.iter().enumerate();
        numbered.filter_map(|(fd, slot)| Some((fd as u32, slot.as_deref()?)))
    }

    pub(super) fn descriptor(&self, fd: u32) -> Result<&Arc<Descriptor>, Errno> {
        let slot = self.descriptors.get(fd as usize);
        slot.and_then(Option::as_ref).ok_or(Errno::Badf)
    }

    pub(super) fn descriptor_mut(&mut self, fd: u32) -> Result<&mut Descriptor, Errno> {
        let slot = self.descriptors.get_mut(fd as usize);
        slot.and_then(Option::as_mut)
            .map(Arc::make_mut)
            .ok_or(Errno::Badf)
    }

    /// The number that the next descriptor gets: the lowest that is free, as POSIX has it.
    pub(super) fn free_number(&self) -> Result<u32, Errno> {
        let vacant = self.descriptors.iter().position(Option::is_none);
        let fd = vacant.unwrap_or(self.descriptors.len());
        if fd < DESCRIPTORS_MAX {
            Ok(fd as u32)
        } else {
            Err(Errno::Mfile)
        }
    }

    /// Puts a descriptor at a number and answers what was there.
    pub(super) fn insert(
        &mut self,
        fd: u32,
        descriptor: Arc<Descriptor>,
    ) -> Option<Arc<Descriptor>> {
        let index = fd as usize;
        if index >= self.descriptors.len() {
            self.descriptors.resize(index + 1, None);
        }
        self.descriptors[index].replace(descriptor)
    }

    pub(super) fn remove(&mut self, fd: u32) -> Result<Arc<Descriptor>, Errno> {
        let slot = self.descriptors.get_mut(fd as usize).ok_or(Errno::Badf)?;
        let descriptor = slot.take().ok_or(Errno::Badf)?;
        while let Some(None) = self.descriptors.last() {
            self.descriptors.pop();
        }
        Ok(descriptor)
    }
}

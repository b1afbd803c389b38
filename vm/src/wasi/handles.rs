//! What is held open for the guest, and how it is opened again when it no longer is.

use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use cap_fs_ext::{
    FollowSymlinks, OpenOptionsFollowExt, OpenOptionsMaybeDirExt, OpenOptionsSyncExt,
};
use cap_std::fs::{Dir, File, Metadata, MetadataExt, OpenOptions};

use super::Preopen;
use super::abi::{PATH_BYTES_MAX, kind_of_mode};
use super::errno::Errno;
use super::flags::{LookupFlags, OpenFlags};
use super::state::{DESCRIPTORS_MAX, Descriptor, FileKind, Opened, WasiState};

/// A file or directory that is held open.
pub(super) enum Handle {
    Directory(Dir),
    /// Anything else.
    File(File),
}

impl Handle {
    /// Its attributes.
    pub(super) fn metadata(&self) -> Result<Metadata, Errno> {
        Ok(match self {
            Handle::Directory(dir) => dir.dir_metadata()?,
            Handle::File(file) => file.metadata()?,
        })
    }
}

impl AsFd for Handle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Handle::Directory(dir) => dir.as_fd(),
            Handle::File(file) => file.as_fd(),
        }
    }
}

/// What is held open: a cache beside the guest's state, which says itself how to open everything again.
#[derive(Default)]
pub(super) struct Handles(HashMap<u64, (Arc<Opened>, Arc<Handle>)>);

impl Handles {
    /// What a descriptor leads to, opened again if need be.
    ///
    /// A file that was deleted or replaced by something of another kind since then is gone for good: that is [`Errno::Stale`].
    pub(super) fn get(
        &mut self,
        preopens: &[Preopen],
        state: &WasiState,
        descriptor: &Descriptor,
    ) -> Result<Arc<Handle>, Errno> {
        let opened = descriptor.opened().ok_or(Errno::NotSup)?;
        // Two sessions can have given the same number to different files, so the number alone does not identify one.
        if let Some((of, handle)) = self.0.get(&opened.id)
            && (Arc::ptr_eq(of, opened) || of == opened)
        {
            return Ok(Arc::clone(handle));
        }
        let preopen = preopens.get(opened.preopen).ok_or(Errno::Stale)?;
        let (handle, kind) = reopen(&preopen.dir, opened).map_err(|_| Errno::Stale)?;
        if kind != descriptor.kind {
            return Err(Errno::Stale);
        }
        Ok(self.keep(state, opened, handle))
    }

    /// Holds something open until it is closed, or until the guest's state has gone elsewhere and room is needed.
    pub(super) fn keep(
        &mut self,
        state: &WasiState,
        opened: &Arc<Opened>,
        handle: Handle,
    ) -> Arc<Handle> {
        if self.0.len() >= DESCRIPTORS_MAX {
            let in_use = |id: u64| {
                let mut opened = state
                    .descriptors()
                    .filter_map(|(_, descriptor)| descriptor.opened());
                opened.any(|opened| opened.id == id)
            };
            self.0.retain(|&id, _| in_use(id));
        }
        let handle = Arc::new(handle);
        self.0
            .insert(opened.id, (Arc::clone(opened), Arc::clone(&handle)));
        handle
    }

    /// Closes what a descriptor led to.
    pub(super) fn close(&mut self, descriptor: &Descriptor) {
        if let Some(opened) = descriptor.opened() {
            self.0.remove(&opened.id);
        }
    }

    /// Above every number in use.
    pub(super) fn next_id(&self) -> u64 {
        self.0.keys().max().map_or(0, |id| id + 1)
    }
}

/// How `path_open` opens a file.
pub(super) struct Opening {
    pub(super) lookup: LookupFlags,
    pub(super) flags: OpenFlags,
    pub(super) readable: bool,
    pub(super) writable: bool,
}

/// Opens a file or directory below a directory; answers also what it is.
pub(super) fn open(dir: &Dir, path: &Path, opening: &Opening) -> Result<(Handle, FileKind), Errno> {
    let mut options = OpenOptions::new();
    // Neither reading nor writing still needs one of the two; a stream that nobody serves must not block the opening.
    options
        .read(opening.readable || !opening.writable)
        .write(opening.writable)
        .nonblock(true)
        .maybe_dir(true)
        .follow(follow(opening.lookup));
    let file =
        if opening.flags.contains(OpenFlags::CREAT) && opening.flags.contains(OpenFlags::EXCL) {
            dir.open_with(path, options.write(true).create_new(true))?
        } else if opening.flags.contains(OpenFlags::TRUNC) {
            let create = opening.flags.contains(OpenFlags::CREAT);
            dir.open_with(path, options.write(true).truncate(true).create(create))?
        } else if opening.flags.contains(OpenFlags::CREAT) {
            open_or_create(dir, path, &mut options)?
        } else {
            dir.open_with(path, &options)?
        };
    let kind = kind_of_mode(file.metadata()?.mode());
    if kind != FileKind::Directory {
        let wrong = opening.flags.contains(OpenFlags::DIRECTORY);
        return if wrong {
            Err(Errno::NotDir)
        } else {
            Ok((Handle::File(file), kind))
        };
    }
    if opening.flags.contains(OpenFlags::CREAT) {
        return Err(Errno::IsDir);
    }
    Ok((Handle::Directory(Dir::from_std_file(file.into_std())), kind))
}

/// Creating asks for writing, which a file that exists may refuse, so that comes second.
fn open_or_create(dir: &Dir, path: &Path, options: &mut OpenOptions) -> Result<File, Errno> {
    match dir.open_with(path, options).map_err(Errno::from) {
        Err(Errno::NoEnt) => Ok(dir.open_with(path, options.write(true).create(true))?),
        result => result,
    }
}

fn reopen(preopen: &Dir, opened: &Opened) -> Result<(Handle, FileKind), Errno> {
    if opened.is_preopen {
        return Ok((Handle::Directory(preopen.try_clone()?), FileKind::Directory));
    }
    let path = if opened.path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        &opened.path
    };
    let opening = Opening {
        lookup: opened.lookup,
        flags: opened.open_flags & OpenFlags::DIRECTORY,
        readable: opened.readable,
        writable: opened.writable,
    };
    open(preopen, path, &opening)
}

pub(super) fn follow(lookup: LookupFlags) -> FollowSymlinks {
    if lookup.contains(LookupFlags::SYMLINK_FOLLOW) {
        FollowSymlinks::Yes
    } else {
        FollowSymlinks::No
    }
}

/// The path below the preopened directory of what was opened as `path` below `base`.
///
/// It never has `.` in it and never grows by going down and up again, so that a guest cannot make it longer
/// than the files it created. A step up cannot be taken in the text alone, since a link may come before it.
pub(super) fn path_below_preopen(base: &Opened, dir: &Dir, path: &Path) -> Result<PathBuf, Errno> {
    let steps_up = path
        .components()
        .any(|component| component == Component::ParentDir);
    let resolved = if steps_up {
        &dir.canonicalize(path)?
    } else {
        path
    };
    let mut joined = base.path.clone();
    joined.extend(
        resolved
            .components()
            .filter(|&component| component != Component::CurDir),
    );
    if joined.as_os_str().len() as u64 > PATH_BYTES_MAX {
        return Err(Errno::NameTooLong);
    }
    Ok(joined)
}

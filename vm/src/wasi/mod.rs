//! WASI preview 1: all 46 functions of `wasi_snapshot_preview1`.
//!
//! The older `wasi_unstable` is not served: its file attributes, its seeking and its polling are laid out differently.
//!
//! Everything that belongs to the guest is in [`WasiState`], plain data that checkpoints keep: descriptors with their paths,
//! rights, flags, positions and directory listings. [`Wasi`] holds what belongs to the host: the configuration, and a cache of
//! open files, which are read and written at the positions that the state holds. So an old state can be continued:
//! a file that is no longer held open is opened again by its path. What cannot be had back is what the guest
//! did to the file system since: a file that it has deleted or renamed is `ESTALE` then.
//!
//! Paths are resolved in sandboxed directories; none leads out of a preopened directory, be it through `..`, an absolute path,
//! or a symbolic link. Such an attempt is `ENOTCAPABLE`.
//!
//! A function checks all of its pointers before it does anything, so that `EFAULT` has consumed nothing.
//!
//! # Limits
//! [`DESCRIPTORS_MAX`] descriptors, paths of 4096 bytes, 1024 buffers for one read or write, 1024 subscriptions for one poll,
//! 2²⁰ entries of one directory, 64 MiB of one request for random numbers; a read of a stream gives at most 64 KiB.

mod abi;
mod clocks;
mod config;
mod directories;
mod errno;
mod files;
mod flags;
mod functions;
mod handles;
mod paths;
mod poll;
mod process;
mod state;
mod stdio;
mod transfer;

use std::sync::Arc;

use cap_std::fs::Dir;
use wasmparser::{FuncType, ValType};

pub use self::config::{OutputKind, StdinSource, WasiConfig, WasiError};
pub use self::errno::Errno;
pub use self::flags::{FdFlags, LookupFlags, OpenFlags, Rights};
pub use self::state::{
    DESCRIPTORS_MAX, Descriptor, DirectoryEntry, FileKind, Opened, Resource, WasiState,
};
pub use self::stdio::{STDIN_BYTES_MAX, StdinQueue};

use self::abi::Failure;
use self::functions::FUNCTIONS;
use self::handles::{Handle, Handles};
use self::poll::InterruptedPoll;
use self::stdio::{Input, Output};
use crate::host::{Host, HostCall, HostFunc, HostOutcome};

/// The module whose imports are served.
const MODULE: &str = "wasi_snapshot_preview1";

/// WASI preview 1 as a host. Made by [`WasiConfig::build`].
pub struct Wasi {
    /// Each with the NUL that ends it.
    args: Vec<Vec<u8>>,
    /// `NAME=VALUE`, each with the NUL that ends it.
    env: Vec<Vec<u8>>,
    preopens: Vec<Preopen>,
    stdin: Input,
    stdin_kind: FileKind,
    stdout: Output,
    stderr: Output,
    handles: Handles,
    /// A wait that was interrupted, to be taken up when the guest goes on with it.
    interrupted_poll: Option<InterruptedPoll>,
}

/// A directory of the host that the guest is given.
struct Preopen {
    dir: Dir,
    guest_path: String,
}

impl Wasi {
    fn new(
        args: Vec<Vec<u8>>,
        env: Vec<Vec<u8>>,
        preopens: Vec<Preopen>,
        (stdin, stdin_kind): (Input, FileKind),
        stdout: Output,
        stderr: Output,
    ) -> Wasi {
        Wasi {
            args,
            env,
            preopens,
            stdin,
            stdin_kind,
            stdout,
            stderr,
            handles: Handles::default(),
            interrupted_poll: None,
        }
    }

    /// The state in which a guest starts: the standard streams and the preopened directories.
    /// What is in standard input already but unread is read by the guest; what another run of it has read is not.
    #[must_use]
    pub fn initial_state(&self) -> WasiState {
        let mut state = WasiState::default();
        let streams = [
            (Resource::Stdin, self.stdin_kind, Rights::FD_WRITE),
            (Resource::Stdout, self.stdout.kind, Rights::FD_READ),
            (Resource::Stderr, self.stderr.kind, Rights::FD_READ),
        ];
        for (fd, (resource, kind, lacking)) in (0..).zip(streams) {
            let descriptor = Descriptor {
                offset: if resource == Resource::Stdin {
                    self.stdin.start()
                } else {
                    0
                },
                resource,
                kind,
                rights_base: Rights::STREAM - lacking,
                rights_inheriting: Rights::empty(),
                flags: FdFlags::empty(),
                listing: None,
            };
            state.insert(fd, Arc::new(descriptor));
        }
        for (index, preopen) in self.preopens.iter().enumerate().take(DESCRIPTORS_MAX - 3) {
            let opened = Opened {
                id: index as u64,
                preopen: index,
                path: Default::default(),
                guest_path: preopen.guest_path.clone(),
                is_preopen: true,
                lookup: LookupFlags::SYMLINK_FOLLOW,
                open_flags: OpenFlags::DIRECTORY,
                readable: true,
                writable: false,
            };
            let descriptor = Descriptor {
                resource: Resource::Opened(Arc::new(opened)),
                kind: FileKind::Directory,
                rights_base: Rights::DIRECTORY,
                rights_inheriting: Rights::DIRECTORY | Rights::REGULAR_FILE,
                flags: FdFlags::empty(),
                offset: 0,
                listing: None,
            };
            state.insert(3 + index as u32, Arc::new(descriptor));
        }
        state.next_id = self.preopens.len() as u64;
        state
    }

    /// What a descriptor leads to.
    fn handle(&mut self, state: &WasiState, descriptor: &Descriptor) -> Result<Arc<Handle>, Errno> {
        self.handles.get(&self.preopens, state, descriptor)
    }
}

impl Host for Wasi {
    fn resolve(&self, module: &str, name: &str) -> Option<HostFunc> {
        let position = FUNCTIONS.iter().position(|function| function.name == name);
        position
            .filter(|_| module == MODULE)
            .map(|index| HostFunc(index as u32))
    }

    fn name(&self, func: HostFunc) -> String {
        format!("{MODULE}.{}", FUNCTIONS[func.0 as usize].name)
    }

    fn func_type(&self, func: HostFunc) -> FuncType {
        let function = &FUNCTIONS[func.0 as usize];
        let results: &[ValType] = if function.returns_errno {
            &[ValType::I32]
        } else {
            &[]
        };
        FuncType::new(function.params.iter().copied(), results.iter().copied())
    }

    fn call(&mut self, func: HostFunc, call: &mut HostCall<'_>) -> HostOutcome {
        let function = &FUNCTIONS[func.0 as usize];
        let answer = (function.perform)(self, call);
        // A guest that has got on with anything does not stand in the wait that was interrupted.
        if !matches!(answer, Err(Failure::Interrupted)) {
            self.interrupted_poll = None;
        }
        match answer {
            Ok(()) if !function.returns_errno => HostOutcome::Return(Vec::new()),
            Ok(()) => HostOutcome::Return(vec![0]),
            Err(Failure::Errno(errno)) => HostOutcome::Return(vec![u64::from(errno.number())]),
            Err(Failure::Interrupted) => HostOutcome::Interrupted,
            Err(Failure::End(outcome)) => outcome,
        }
    }
}

//! A guest without code: it calls the functions of WASI as a program would, through the host's boundary.

use std::path::Path;
use std::sync::Arc;

use wdb_vm::host::{GuestMemory, Host, HostCall, HostFunc, HostOutcome};
use wdb_vm::interrupt::Interrupt;
use wdb_vm::wasi::{Errno, OpenFlags, Rights, Wasi, WasiConfig, WasiState};

/// Where paths and other texts are put.
const TEXT: u64 = 0x1000;
/// Where second paths are put.
const OTHER_TEXT: u64 = 0x3000;
/// Where results go.
pub(crate) const RESULT: u64 = 0x5000;
/// Where descriptions of buffers are put.
pub(crate) const BUFFERS: u64 = 0x6000;
/// Where transferred bytes lie.
pub(crate) const DATA: u64 = 0x1_0000;
/// The size of the guest's memory.
pub(crate) const MEMORY_BYTES: u64 = 0x8_0000;

/// The preopened directory.
pub(crate) const ROOT: u32 = 3;

pub(crate) struct Guest {
    wasi: Wasi,
    pub(crate) state: Arc<WasiState>,
    pub(crate) memory: Vec<u8>,
    pub(crate) interrupt: Interrupt,
}

impl Guest {
    pub(crate) fn new(config: WasiConfig) -> Guest {
        let wasi = config
            .build()
            .expect("what the test gives the guest exists");
        let state = Arc::new(wasi.initial_state());
        Guest {
            wasi,
            state,
            memory: vec![0; MEMORY_BYTES as usize],
            interrupt: Interrupt::default(),
        }
    }

    /// A guest whose root is a directory of the host.
    pub(crate) fn in_directory(path: &Path) -> Guest {
        Guest::new(WasiConfig::new().preopen(path, "/"))
    }

    /// The names of all functions, with the number of their parameters.
    pub(crate) fn functions(&self) -> Vec<(String, usize)> {
        let funcs = (0..46).map(HostFunc);
        let described = funcs.map(|func| {
            let name = self.wasi.name(func);
            let (_, name) = name.split_once('.').expect("a module and a name");
            (name.to_owned(), self.wasi.func_type(func).params().len())
        });
        described.collect()
    }

    /// Calls a function. One that faults or is interrupted must have changed nothing.
    pub(crate) fn call(&mut self, name: &str, args: &[u64]) -> HostOutcome {
        let func = self
            .wasi
            .resolve("wasi_snapshot_preview1", name)
            .expect("the function exists");
        assert_eq!(
            self.wasi.func_type(func).params().len(),
            args.len(),
            "arguments of {name}"
        );
        let before = Arc::clone(&self.state);
        let mut call = HostCall {
            args,
            memory: GuestMemory::new(&mut self.memory),
            wasi: &mut self.state,
            interrupt: &self.interrupt,
        };
        let outcome = self.wasi.call(func, &mut call);
        let writes = call.memory.into_writes();
        let written: usize = writes.iter().map(|write| write.bytes.len()).sum();
        assert!(written <= self.memory.len(), "{name} wrote {written} bytes");
        let fault = HostOutcome::Return(vec![u64::from(Errno::Fault.number())]);
        if outcome == HostOutcome::Interrupted || outcome == fault {
            assert_eq!(writes, [], "{name} wrote into memory");
            assert!(
                Arc::ptr_eq(&before, &self.state),
                "{name} touched the state"
            );
        }
        outcome
    }

    /// Calls a function that returns an error number.
    pub(crate) fn errno(&mut self, name: &str, args: &[u64]) -> Result<(), Errno> {
        match self.call(name, args) {
            HostOutcome::Return(cells) => match cells[..] {
                [0] => Ok(()),
                [number] => Err(Errno::from_number(number as u16).expect("a known error number")),
                _ => panic!("{name} returned {cells:?}"),
            },
            outcome => panic!("{name} ended with {outcome:?}"),
        }
    }

    pub(crate) fn put(&mut self, address: u64, bytes: &[u8]) {
        self.memory[address as usize..][..bytes.len()].copy_from_slice(bytes);
    }

    pub(crate) fn bytes(&self, address: u64, length: u64) -> &[u8] {
        &self.memory[address as usize..][..length as usize]
    }

    pub(crate) fn u32(&self, address: u64) -> u32 {
        u32::from_le_bytes(self.bytes(address, 4).try_into().expect("four bytes"))
    }

    pub(crate) fn u64(&self, address: u64) -> u64 {
        u64::from_le_bytes(self.bytes(address, 8).try_into().expect("eight bytes"))
    }

    /// Puts a text into memory; answers its address and length.
    pub(crate) fn text(&mut self, text: &str) -> [u64; 2] {
        self.put(TEXT, text.as_bytes());
        [TEXT, text.len() as u64]
    }

    /// Like [`Guest::text`], for the second of two texts.
    pub(crate) fn other_text(&mut self, text: &str) -> [u64; 2] {
        self.put(OTHER_TEXT, text.as_bytes());
        [OTHER_TEXT, text.len() as u64]
    }

    /// Describes buffers in memory.
    pub(crate) fn buffers(&mut self, buffers: &[(u64, u64)]) {
        for (index, &(address, length)) in buffers.iter().enumerate() {
            let at = BUFFERS + index as u64 * 8;
            self.put(at, &(address as u32).to_le_bytes());
            self.put(at + 4, &(length as u32).to_le_bytes());
        }
    }

    /// Opens a path, following a link at its end.
    pub(crate) fn open_with(
        &mut self,
        fd: u32,
        path: &str,
        flags: OpenFlags,
        rights: Rights,
    ) -> Result<u32, Errno> {
        self.open_full(fd, 1, path, flags, rights, rights, 0)
    }

    #[allow(clippy::too_many_arguments, reason = "the arguments of path_open")]
    pub(crate) fn open_full(
        &mut self,
        fd: u32,
        lookup: u64,
        path: &str,
        flags: OpenFlags,
        base: Rights,
        inheriting: Rights,
        fd_flags: u64,
    ) -> Result<u32, Errno> {
        let [path, length] = self.text(path);
        let flags = u64::from(flags.bits());
        let args = [
            u64::from(fd),
            lookup,
            path,
            length,
            flags,
            base.bits(),
            inheriting.bits(),
            fd_flags,
            RESULT,
        ];
        self.errno("path_open", &args)?;
        Ok(self.u32(RESULT))
    }

    /// Opens a file below the root for reading, writing and whatever else a file is good for.
    pub(crate) fn open(&mut self, path: &str, flags: OpenFlags) -> Result<u32, Errno> {
        self.open_with(ROOT, path, flags, file_rights())
    }

    pub(crate) fn open_directory(&mut self, path: &str) -> Result<u32, Errno> {
        let rights = self.rights_of(ROOT);
        self.open_full(ROOT, 1, path, OpenFlags::DIRECTORY, rights.0, rights.1, 0)
    }

    /// The rights of a descriptor: its own, and those it hands on.
    pub(crate) fn rights_of(&self, fd: u32) -> (Rights, Rights) {
        let found = self.state.descriptors().find(|(number, _)| *number == fd);
        let (_, descriptor) = found.expect("the descriptor is open");
        (descriptor.rights_base(), descriptor.rights_inheriting())
    }

    pub(crate) fn close(&mut self, fd: u32) -> Result<(), Errno> {
        self.errno("fd_close", &[u64::from(fd)])
    }

    pub(crate) fn read(&mut self, fd: u32, length: u64) -> Result<Vec<u8>, Errno> {
        self.buffers(&[(DATA, length)]);
        self.errno("fd_read", &[u64::from(fd), BUFFERS, 1, RESULT])?;
        let count = u64::from(self.u32(RESULT));
        Ok(self.bytes(DATA, count).to_vec())
    }

    pub(crate) fn write(&mut self, fd: u32, bytes: &[u8]) -> Result<u32, Errno> {
        self.put(DATA, bytes);
        self.buffers(&[(DATA, bytes.len() as u64)]);
        self.errno("fd_write", &[u64::from(fd), BUFFERS, 1, RESULT])?;
        Ok(self.u32(RESULT))
    }

    pub(crate) fn seek(&mut self, fd: u32, delta: i64, whence: u64) -> Result<u64, Errno> {
        self.errno("fd_seek", &[u64::from(fd), delta as u64, whence, RESULT])?;
        Ok(self.u64(RESULT))
    }

    pub(crate) fn tell(&mut self, fd: u32) -> Result<u64, Errno> {
        self.errno("fd_tell", &[u64::from(fd), RESULT])?;
        Ok(self.u64(RESULT))
    }

    /// Calls a function of a directory's descriptor and a path.
    pub(crate) fn path(&mut self, name: &str, path: &str) -> Result<(), Errno> {
        let [path, length] = self.text(path);
        self.errno(name, &[u64::from(ROOT), path, length])
    }

    pub(crate) fn symlink(&mut self, target: &str, path: &str) -> Result<(), Errno> {
        let [target, target_length] = self.text(target);
        let [path, length] = self.other_text(path);
        self.errno(
            "path_symlink",
            &[target, target_length, u64::from(ROOT), path, length],
        )
    }

    pub(crate) fn link(&mut self, old: &str, new: &str) -> Result<(), Errno> {
        let [old, old_length] = self.text(old);
        let [new, new_length] = self.other_text(new);
        let root = u64::from(ROOT);
        self.errno(
            "path_link",
            &[root, 0, old, old_length, root, new, new_length],
        )
    }

    pub(crate) fn rename(&mut self, old: &str, new: &str) -> Result<(), Errno> {
        let [old, old_length] = self.text(old);
        let [new, new_length] = self.other_text(new);
        let root = u64::from(ROOT);
        self.errno(
            "path_rename",
            &[root, old, old_length, root, new, new_length],
        )
    }

    pub(crate) fn readlink(&mut self, path: &str, length: u64) -> Result<Vec<u8>, Errno> {
        let [path, path_length] = self.text(path);
        self.errno(
            "path_readlink",
            &[u64::from(ROOT), path, path_length, DATA, length, RESULT],
        )?;
        let used = u64::from(self.u32(RESULT));
        Ok(self.bytes(DATA, used).to_vec())
    }

    /// The attributes of a path: kind, number of links, size, time of modification.
    pub(crate) fn stat(&mut self, path: &str, follow: bool) -> Result<(u8, u64, u64, u64), Errno> {
        let [path, length] = self.text(path);
        let args = [u64::from(ROOT), u64::from(follow), path, length, RESULT];
        self.errno("path_filestat_get", &args)?;
        let kind = self.bytes(RESULT + 16, 1)[0];
        Ok((
            kind,
            self.u64(RESULT + 24),
            self.u64(RESULT + 32),
            self.u64(RESULT + 48),
        ))
    }

    pub(crate) fn set_times(
        &mut self,
        path: &str,
        follow: bool,
        modification: u64,
        flags: u64,
    ) -> Result<(), Errno> {
        let [path, length] = self.text(path);
        let args = [
            u64::from(ROOT),
            u64::from(follow),
            path,
            length,
            0,
            modification,
            flags,
        ];
        self.errno("path_filestat_set_times", &args)
    }
}

/// All that a regular file is good for.
pub(crate) fn file_rights() -> Rights {
    Rights::FD_READ
        | Rights::FD_WRITE
        | Rights::FD_SEEK
        | Rights::FD_TELL
        | Rights::FD_ADVISE
        | Rights::FD_ALLOCATE
        | Rights::FD_SYNC
        | Rights::FD_DATASYNC
        | Rights::FD_FDSTAT_SET_FLAGS
        | Rights::FD_FILESTAT_GET
        | Rights::FD_FILESTAT_SET_SIZE
        | Rights::FD_FILESTAT_SET_TIMES
        | Rights::POLL_FD_READWRITE
}

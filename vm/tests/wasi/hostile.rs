//! Guests that mean harm, or know not what they do.

use std::fs;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use wdb_vm::host::{GuestMemory, HostOutcome};
use wdb_vm::interrupt::Interrupt;
use wdb_vm::wasi::{DESCRIPTORS_MAX, OpenFlags, OutputKind, Rights, WasiConfig};

use crate::guest::{BUFFERS, DATA, Guest, MEMORY_BYTES, RESULT, ROOT};
use crate::random::Random;

/// How many calls a guest makes that calls anything with anything.
const CALLS: u32 = 30_000;

/// What the paths are that it names, some of which lead out.
const PATHS: [&str; 12] = [
    "file",
    "new",
    "dir",
    "dir/file",
    "dir/../file",
    "link",
    "link/secret",
    "..",
    "../outside/secret",
    "dir/../../outside/secret",
    "/etc/hostname",
    "\u{fc}n\u{ef}c\u{f6}de/",
];

/// The place of each path in memory.
const PATHS_AT: u64 = 0x100;
const PATH_BYTES: u64 = 0x40;

/// Lays out paths, buffers of a few bytes, and subscriptions for clocks and descriptors; opens a file and a directory.
fn lay_out(guest: &mut Guest) {
    guest.memory = vec![0; 0x1_0000];
    for (index, path) in (0..).zip(PATHS) {
        guest.put(PATHS_AT + index * PATH_BYTES, path.as_bytes());
    }
    guest.buffers(&[(0x8000, 5), (0x8100, 300), (0xffff, 1)]);
    let [clock, descriptor] = [0x7000, 0x7030];
    guest.put(clock + 16, &1u32.to_le_bytes());
    guest.put(clock + 24, &u64::MAX.to_le_bytes());
    guest.put(descriptor + 8, &[1]);
    guest.put(descriptor + 16, &4u32.to_le_bytes());
    guest
        .open("opened", OpenFlags::CREAT)
        .expect("no path that the guest names is this file's");
    guest.open_directory(".").expect("the root is a directory");
}

/// An argument that may be a descriptor, an address, a length, flags or nonsense.
fn argument(random: &mut Random) -> u64 {
    match random.below(12) {
        0..3 => random.below(8),
        3 => u64::from(ROOT),
        4 => PATHS_AT + random.below(PATHS.len() as u64) * PATH_BYTES,
        5 => PATHS[random.below(PATHS.len() as u64) as usize].len() as u64,
        6 => BUFFERS,
        7 => 0x7000 + random.below(2) * 48,
        8 => random.below(0x200),
        9 => 0xffff - random.below(16),
        10 => [u64::from(u32::MAX), u64::MAX, 1 << 63, u64::MAX >> 1][random.below(4) as usize],
        _ => Rights::all().bits(),
    }
}

#[test]
fn any_call_with_any_arguments_does_no_harm() {
    let directory = TempDir::new().expect("a temporary directory");
    let [root, outside] = ["root", "outside"].map(|name| directory.path().join(name));
    fs::create_dir_all(root.join("dir")).expect("the root");
    fs::create_dir(&outside).expect("the outside");
    fs::write(outside.join("secret"), "secret").expect("the secret");
    std::os::unix::fs::symlink(&outside, root.join("link")).expect("a link that leads out");
    let config = WasiConfig::new().args(["program"]).env("NAME", "value");
    let mut guest = Guest::new(config.preopen(&root, "/"));
    let functions = guest.functions();
    let beginning = Arc::clone(&guest.state);
    // Whatever would wait gives up at once.
    guest.interrupt.raise();
    let mut random = Random::new();
    let mut succeeded = 0;
    for call in 0..CALLS {
        // Soon a guest has closed all it had, so it begins anew now and then.
        if call % 100 == 0 {
            guest.state = Arc::clone(&beginning);
            lay_out(&mut guest);
        }
        let (name, params) = &functions[random.below(functions.len() as u64) as usize];
        let mut args: Vec<u64> = (0..*params).map(|_| argument(&mut random)).collect();
        // A file as long as a 32-bit number says would fill the disk; the other lengths are tiny or refused.
        if name == "fd_allocate" && args[1..].contains(&u64::from(u32::MAX)) {
            args[2] = 0;
        }
        let outcome = guest.call(name, &args);
        succeeded += u32::from(outcome == HostOutcome::Return(vec![0]));
        assert!(guest.state.descriptors().count() <= DESCRIPTORS_MAX);
    }
    println!("{succeeded} of {CALLS} calls succeeded");
    assert!(succeeded > CALLS / 20, "only {succeeded} calls succeeded");
    let entries = fs::read_dir(&outside).expect("the outside");
    assert_eq!(entries.count(), 1, "something was added outside");
    let secret = fs::read_to_string(outside.join("secret"));
    assert_eq!(secret.expect("the secret"), "secret");
    let beside = fs::read_dir(directory.path()).expect("the directory");
    assert_eq!(beside.count(), 2, "something was added beside the root");
}

/// An output that keeps the sizes of the writes and raises an interrupt at the first.
#[derive(Clone)]
struct Sizes {
    sizes: Arc<Mutex<Vec<usize>>>,
    interrupt: Arc<Mutex<Option<Interrupt>>>,
}

impl Write for Sizes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sizes
            .lock()
            .expect("no writer panics")
            .push(bytes.len());
        if let Some(interrupt) = &*self.interrupt.lock().expect("no writer panics") {
            interrupt.raise();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn output_comes_in_pieces_and_can_be_interrupted() {
    let sink = Sizes {
        sizes: Arc::default(),
        interrupt: Arc::default(),
    };
    let config = WasiConfig::new().stdout(OutputKind::Pipe, Box::new(sink.clone()));
    let mut guest = Guest::new(config);
    let length = MEMORY_BYTES - DATA;
    guest.buffers(&[(DATA, length)]);
    let write = [1, BUFFERS, 1, RESULT];
    assert_eq!(guest.errno("fd_write", &write), Ok(()));
    assert_eq!(u64::from(guest.u32(RESULT)), length);
    let sizes = std::mem::take(&mut *sink.sizes.lock().expect("no writer panics"));
    assert!(sizes.iter().all(|&size| size <= 1 << 16), "{sizes:?}");

    *sink.interrupt.lock().expect("no writer panics") = Some(guest.interrupt.clone());
    assert_eq!(guest.errno("fd_write", &write), Ok(()));
    let sizes = sink.sizes.lock().expect("no writer panics");
    assert_eq!(sizes[..], [1 << 16], "an interrupt ends the write");
    assert_eq!(guest.u32(RESULT), 1 << 16);
}

#[test]
fn reading_a_large_directory_can_be_interrupted() {
    let directory = TempDir::new().expect("a temporary directory");
    for number in 0..1100 {
        fs::write(directory.path().join(number.to_string()), "").expect("a file");
    }
    let mut guest = Guest::in_directory(directory.path());
    let read = [u64::from(ROOT), DATA, 1000, 0, RESULT];
    guest.interrupt.raise();
    assert_eq!(guest.call("fd_readdir", &read), HostOutcome::Interrupted);
    assert!(guest.interrupt.take());
    assert_eq!(guest.errno("fd_readdir", &read), Ok(()));
    assert_eq!(guest.u32(RESULT), 1000);
}

#[test]
fn strings_may_end_where_a_memory_of_4_gib_ends() {
    let mut guest = Guest::new(WasiConfig::new().args(["program", "last"]));
    // The operating system gives pages only where they are written to.
    guest.memory = vec![0; 1 << 32];
    let at = (1 << 32) - 13;
    assert_eq!(guest.errno("args_get", &[RESULT, at]), Ok(()));
    assert_eq!(guest.bytes(at, 13), b"program\0last\0");
    assert_eq!(u64::from(guest.u32(RESULT + 4)), at + 8);
}

#[test]
fn what_a_call_writes_is_never_more_than_the_memory() {
    let directory = TempDir::new().expect("a temporary directory");
    fs::write(directory.path().join("file"), vec![7; 102_400]).expect("a file");
    let mut guest = Guest::in_directory(directory.path());
    guest.memory.truncate(0x1_0000);
    let fd = guest.open("file", OpenFlags::empty()).expect("it exists");
    // All buffers are the same place; every call is checked for what it writes.
    guest.buffers(&[(0x8000, 100); 1024]);
    guest
        .errno("fd_read", &[u64::from(fd), BUFFERS, 1024, RESULT])
        .expect("there is enough to read");
    assert_eq!(guest.u32(RESULT), 102_400);
}

#[test]
fn writes_to_the_same_place_become_one() {
    let mut bytes = [0; 10];
    let mut memory = GuestMemory::new(&mut bytes);
    for (address, written) in [(4, [1; 4]), (2, [2; 4]), (4, [3; 4]), (4, [4; 4])] {
        memory.write(address, &written).expect("there is room");
    }
    let writes = memory.into_writes();
    let written: Vec<(u64, &[u8])> = writes
        .iter()
        .map(|write| (write.address, &*write.bytes))
        .collect();
    assert_eq!(written, [(2, &[2, 2, 4, 4, 4, 4][..])]);
}

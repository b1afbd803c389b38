//! Opening, reading, writing, and positions.

use std::fs;
use std::sync::Arc;

use tempfile::TempDir;
use wdb_vm::wasi::{Errno, OpenFlags, Rights};

use crate::guest::{BUFFERS, DATA, Guest, MEMORY_BYTES, RESULT, ROOT, file_rights};

const SET: u64 = 0;
const CUR: u64 = 1;
const END: u64 = 2;

const APPEND: u64 = 1;
const SYNC: u64 = 16;

fn world() -> (TempDir, Guest) {
    let directory = TempDir::new().expect("a temporary directory");
    fs::write(directory.path().join("file"), "0123456789").expect("a file");
    let guest = Guest::in_directory(directory.path());
    (directory, guest)
}

fn contents(directory: &TempDir, name: &str) -> String {
    fs::read_to_string(directory.path().join(name)).expect("the file exists")
}

#[test]
fn reads_and_writes_move_the_position() {
    let (directory, mut guest) = world();
    let fd = guest.open("file", OpenFlags::empty()).expect("it exists");
    assert_eq!(guest.read(fd, 4), Ok(b"0123".to_vec()));
    assert_eq!(guest.tell(fd), Ok(4));
    assert_eq!(guest.write(fd, b"ab"), Ok(2));
    assert_eq!(guest.read(fd, 100), Ok(b"6789".to_vec()));
    assert_eq!(guest.read(fd, 100), Ok(Vec::new()));
    assert_eq!(contents(&directory, "file"), "0123ab6789");
    assert_eq!(guest.seek(fd, -3, END), Ok(7));
    assert_eq!(guest.seek(fd, 1, CUR), Ok(8));
    assert_eq!(guest.read(fd, 1), Ok(b"8".to_vec()));
    assert_eq!(guest.seek(fd, 20, SET), Ok(20));
    assert_eq!(guest.read(fd, 1), Ok(Vec::new()));
    assert_eq!(guest.seek(fd, -30, CUR), Err(Errno::Inval));
    assert_eq!(guest.seek(fd, i64::MAX, CUR), Err(Errno::Inval));
    assert_eq!(guest.seek(fd, 0, 3), Err(Errno::Inval));
    assert_eq!(guest.tell(fd), Ok(20));
}

#[test]
fn reads_and_writes_at_a_place_leave_the_position() {
    let (directory, mut guest) = world();
    let fd = guest.open("file", OpenFlags::empty()).expect("it exists");
    guest.put(DATA, b"xyz");
    guest.buffers(&[(DATA, 2), (DATA + 2, 1)]);
    guest
        .errno("fd_pwrite", &[u64::from(fd), BUFFERS, 2, 3, RESULT])
        .expect("a write");
    assert_eq!(guest.u32(RESULT), 3);
    assert_eq!(contents(&directory, "file"), "012xyz6789");
    guest.buffers(&[(DATA, 2), (DATA + 16, 100)]);
    guest
        .errno("fd_pread", &[u64::from(fd), BUFFERS, 2, 7, RESULT])
        .expect("a read");
    assert_eq!(guest.u32(RESULT), 3);
    assert_eq!(
        (guest.bytes(DATA, 2), guest.bytes(DATA + 16, 1)),
        (&b"78"[..], &b"9"[..])
    );
    assert_eq!(guest.tell(fd), Ok(0));
    let beyond = [u64::from(fd), BUFFERS, 2, u64::MAX - 1, RESULT];
    assert_eq!(guest.errno("fd_pwrite", &beyond), Err(Errno::Inval));
}

#[test]
fn an_old_state_continues_at_its_position() {
    let (directory, mut guest) = world();
    let fd = guest.open("file", OpenFlags::empty()).expect("it exists");
    guest.read(fd, 2).expect("a read");
    let old = Arc::clone(&guest.state);
    let copy = (*old).clone();
    guest.read(fd, 5).expect("a read");
    assert_ne!(guest.state, old);
    guest.state = Arc::clone(&old);
    assert_eq!(guest.read(fd, 2), Ok(b"23".to_vec()));
    guest.close(fd).expect("it is open");
    assert_eq!(guest.read(fd, 2), Err(Errno::Badf));
    // The file is opened again by its path, without being truncated or created once more.
    guest.state = Arc::clone(&old);
    assert_eq!(guest.read(fd, 3), Ok(b"234".to_vec()));
    assert_eq!(*old, copy, "a state that somebody keeps never changes");
    // In another session, too.
    let mut other = Guest::in_directory(directory.path());
    other.state = Arc::clone(&old);
    assert_eq!(other.read(fd, 3), Ok(b"234".to_vec()));
    // A file that is gone cannot be had back.
    fs::remove_file(directory.path().join("file")).expect("it existed");
    let mut other = Guest::in_directory(directory.path());
    other.state = old;
    assert_eq!(other.read(fd, 3), Err(Errno::Stale));
}

#[test]
fn opening_again_neither_truncates_nor_creates() {
    let (directory, mut guest) = world();
    let flags = OpenFlags::CREAT | OpenFlags::EXCL;
    let created = guest.open("new", flags).expect("it does not exist");
    let truncated = guest.open("file", OpenFlags::TRUNC).expect("it exists");
    assert_eq!(contents(&directory, "file"), "");
    guest.write(created, b"new").expect("a write");
    guest.write(truncated, b"old").expect("a write");
    let mut other = Guest::in_directory(directory.path());
    other.state = Arc::clone(&guest.state);
    assert_eq!(other.write(created, b"!"), Ok(1));
    assert_eq!(other.write(truncated, b"!"), Ok(1));
    assert_eq!(contents(&directory, "new"), "new!");
    assert_eq!(contents(&directory, "file"), "old!");
}

#[test]
fn one_number_for_two_files_in_two_branches() {
    let (directory, mut guest) = world();
    fs::write(directory.path().join("other"), "other").expect("a file");
    let start = Arc::clone(&guest.state);
    let fd = guest.open("file", OpenFlags::empty()).expect("it exists");
    let first = Arc::clone(&guest.state);
    guest.state = start;
    assert_eq!(guest.open("other", OpenFlags::empty()), Ok(fd));
    assert_eq!(guest.read(fd, 5), Ok(b"other".to_vec()));
    let second = Arc::clone(&guest.state);
    guest.close(fd).expect("it is open");
    guest.state = first;
    assert_eq!(guest.read(fd, 5), Ok(b"01234".to_vec()));
    guest.state = second;
    guest.seek(fd, 0, SET).expect("a file");
    assert_eq!(guest.read(fd, 5), Ok(b"other".to_vec()));
}

#[test]
fn opening_follows_its_flags() {
    let (directory, mut guest) = world();
    fs::create_dir(directory.path().join("dir")).expect("a directory");
    let read = Rights::FD_READ;
    assert_eq!(guest.open("none", OpenFlags::empty()), Err(Errno::NoEnt));
    assert_eq!(
        guest.open("file", OpenFlags::CREAT | OpenFlags::EXCL),
        Err(Errno::Exist)
    );
    assert_eq!(
        guest.open_with(ROOT, "file", OpenFlags::DIRECTORY, read),
        Err(Errno::NotDir)
    );
    assert_eq!(guest.open("dir", OpenFlags::empty()), Err(Errno::IsDir));
    assert_eq!(guest.open("dir", OpenFlags::DIRECTORY), Err(Errno::IsDir));
    assert_eq!(
        guest.open_with(ROOT, "dir", OpenFlags::CREAT, read),
        Err(Errno::IsDir)
    );
    assert!(
        guest
            .open_with(ROOT, "dir", OpenFlags::empty(), read)
            .is_ok()
    );
    let mixed = OpenFlags::DIRECTORY | OpenFlags::CREAT;
    assert_eq!(guest.open_with(ROOT, "dir", mixed, read), Err(Errno::Inval));
    // Flags that do not exist.
    let [path, length] = guest.text("file");
    for (position, value) in [(1, 2), (4, 16), (7, 32)] {
        let mut args = [u64::from(ROOT), 0, path, length, 0, 0, 0, 0, RESULT];
        args[position] = value;
        assert_eq!(
            guest.errno("path_open", &args),
            Err(Errno::Inval),
            "argument {position}"
        );
    }
    // Without any rights a file is created all the same.
    assert!(
        guest
            .open_with(ROOT, "new", OpenFlags::CREAT, Rights::empty())
            .is_ok()
    );
    assert_eq!(contents(&directory, "new"), "");
    // Links are followed only when asked.
    guest.symlink("file", "link").expect("a link");
    let open = |guest: &mut Guest, lookup| {
        guest.open_full(ROOT, lookup, "link", OpenFlags::empty(), read, read, 0)
    };
    assert_eq!(open(&mut guest, 0), Err(Errno::Loop));
    assert!(open(&mut guest, 1).is_ok());
}

#[test]
fn creating_opens_a_file_that_may_not_be_written() {
    let (directory, mut guest) = world();
    let path = directory.path().join("file");
    let mut permissions = fs::metadata(&path).expect("it exists").permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).expect("it is ours");
    let fd = guest
        .open_with(ROOT, "file", OpenFlags::CREAT, Rights::FD_READ)
        .expect("reading is allowed");
    assert_eq!(guest.read(fd, 3), Ok(b"012".to_vec()));
}

#[test]
fn appending_goes_to_the_end() {
    let (directory, mut guest) = world();
    let fd = guest
        .open_full(
            ROOT,
            1,
            "file",
            OpenFlags::empty(),
            file_rights(),
            Rights::empty(),
            APPEND | SYNC,
        )
        .expect("it exists");
    assert_eq!(guest.write(fd, b"ab"), Ok(2));
    assert_eq!(guest.tell(fd), Ok(12));
    guest.seek(fd, 0, SET).expect("a file");
    assert_eq!(guest.write(fd, b"cd"), Ok(2));
    assert_eq!(contents(&directory, "file"), "0123456789abcd");
    assert_eq!(
        guest.errno("fd_fdstat_set_flags", &[u64::from(fd), 0]),
        Ok(())
    );
    guest.seek(fd, 0, SET).expect("a file");
    assert_eq!(guest.write(fd, b"ef"), Ok(2));
    assert_eq!(contents(&directory, "file"), "ef23456789abcd");
    assert_eq!(
        guest.errno("fd_fdstat_set_flags", &[u64::from(fd), 32]),
        Err(Errno::Inval)
    );
}

#[test]
fn pointers_are_checked_before_anything_happens() {
    let (directory, mut guest) = world();
    let fd = u64::from(guest.open("file", OpenFlags::empty()).expect("it exists"));
    let end = MEMORY_BYTES;
    guest.buffers(&[(DATA, 4), (end - 2, 4)]);
    for name in ["fd_read", "fd_write"] {
        assert_eq!(
            guest.errno(name, &[fd, BUFFERS, 2, RESULT]),
            Err(Errno::Fault)
        );
        assert_eq!(
            guest.errno(name, &[fd, BUFFERS, 1, end - 3]),
            Err(Errno::Fault)
        );
        assert_eq!(
            guest.errno(name, &[fd, end - 4, 1, RESULT]),
            Err(Errno::Fault)
        );
        assert_eq!(
            guest.errno(name, &[fd, BUFFERS, 1025, RESULT]),
            Err(Errno::Inval)
        );
    }
    assert_eq!(
        guest.errno("fd_read", &[fd, BUFFERS, u64::from(u32::MAX), RESULT]),
        Err(Errno::Inval)
    );
    assert_eq!(contents(&directory, "file"), "0123456789");
    let [path, length] = guest.text("created");
    let all = file_rights().bits();
    let args = [u64::from(ROOT), 0, path, length, 1, all, all, 0, end - 2];
    assert_eq!(guest.errno("path_open", &args), Err(Errno::Fault));
    assert!(!directory.path().join("created").exists());
    assert_eq!(
        guest.errno("path_unlink_file", &[u64::from(ROOT), end - 1, 2]),
        Err(Errno::Fault)
    );
    assert_eq!(
        guest.errno("fd_seek", &[fd, 5, SET, end - 7]),
        Err(Errno::Fault)
    );
    assert_eq!(
        guest.errno("fd_filestat_get", &[fd, end - 63]),
        Err(Errno::Fault)
    );
    assert_eq!(
        guest.errno("fd_fdstat_get", &[fd, end - 23]),
        Err(Errno::Fault)
    );
    assert_eq!(
        guest.errno("fd_readdir", &[3, end - 4, 100, 0, RESULT]),
        Err(Errno::Fault)
    );
}

#[test]
fn large_transfers_go_piece_by_piece() {
    let (directory, mut guest) = world();
    let bytes: Vec<u8> = (0..300_000_u32)
        .map(|number| (number % 251) as u8)
        .collect();
    fs::write(directory.path().join("large"), &bytes).expect("a file");
    let fd = u64::from(guest.open("large", OpenFlags::empty()).expect("it exists"));
    guest.buffers(&[
        (DATA, 100_000),
        (DATA + 100_000, 0),
        (DATA + 100_000, 150_001),
    ]);
    assert_eq!(guest.errno("fd_read", &[fd, BUFFERS, 3, RESULT]), Ok(()));
    assert_eq!(guest.u32(RESULT), 250_001);
    assert_eq!(guest.bytes(DATA, 250_001), &bytes[..250_001]);
    let copy = u64::from(guest.open("copy", OpenFlags::CREAT).expect("a new file"));
    assert_eq!(guest.errno("fd_write", &[copy, BUFFERS, 3, RESULT]), Ok(()));
    assert_eq!(
        fs::read(directory.path().join("copy")).expect("the copy"),
        &bytes[..250_001]
    );
    // Many buffers that claim the whole memory again and again: more than can be counted in 32 bits.
    let mut guest = Guest::in_directory(directory.path());
    guest.memory.resize(1 << 24, 0);
    let fd = u64::from(guest.open("large", OpenFlags::empty()).expect("it exists"));
    guest.buffers(&[(0, 1 << 24); 257]);
    assert_eq!(
        guest.errno("fd_read", &[fd, BUFFERS, 257, RESULT]),
        Err(Errno::Inval)
    );
}

#[test]
fn sizes_and_times_are_set() {
    let (directory, mut guest) = world();
    let fd = u64::from(guest.open("file", OpenFlags::empty()).expect("it exists"));
    assert_eq!(guest.errno("fd_filestat_set_size", &[fd, 4]), Ok(()));
    assert_eq!(contents(&directory, "file"), "0123");
    assert_eq!(
        guest.errno("fd_filestat_set_size", &[fd, 1 << 63]),
        Err(Errno::Inval)
    );
    assert_eq!(guest.errno("fd_allocate", &[fd, 2, 6]), Ok(()));
    assert_eq!(contents(&directory, "file"), "0123\0\0\0\0");
    assert_eq!(guest.errno("fd_allocate", &[fd, 0, 2]), Ok(()));
    assert_eq!(contents(&directory, "file").len(), 8);
    assert_eq!(guest.errno("fd_allocate", &[fd, 0, 0]), Err(Errno::Inval));
    assert_eq!(
        guest.errno("fd_allocate", &[fd, u64::MAX, 1]),
        Err(Errno::Fbig)
    );
    assert_eq!(guest.errno("fd_advise", &[fd, 0, 4, 5]), Ok(()));
    assert_eq!(guest.errno("fd_advise", &[fd, 0, 4, 6]), Err(Errno::Inval));
    assert_eq!(guest.errno("fd_sync", &[fd]), Ok(()));
    assert_eq!(guest.errno("fd_datasync", &[fd]), Ok(()));
    let time = 1_234_567_890_123_456_789;
    assert_eq!(
        guest.errno("fd_filestat_set_times", &[fd, 0, time, 4]),
        Ok(())
    );
    assert_eq!(guest.stat("file", false), Ok((4, 1, 8, time)));
    assert_eq!(
        guest.errno("fd_filestat_set_times", &[fd, 0, 0, 12]),
        Err(Errno::Inval)
    );
    assert_eq!(guest.set_times("file", true, time + 5, 4), Ok(()));
    assert_eq!(guest.stat("file", false).map(|it| it.3), Ok(time + 5));
    assert_eq!(guest.set_times("file", true, 0, 3), Err(Errno::Inval));
    assert_eq!(guest.set_times("file", true, 0, 8), Ok(()));
    assert!(
        guest.stat("file", false).expect("it exists").3 > time + 5,
        "its time is now"
    );
    guest.symlink("file", "link").expect("a link");
    assert_eq!(guest.set_times("link", false, 77, 4), Ok(()));
    assert_eq!(
        guest.stat("link", false).map(|it| (it.0, it.3)),
        Ok((7, 77))
    );
    assert_ne!(guest.stat("link", true).map(|it| it.3), Ok(77));
}

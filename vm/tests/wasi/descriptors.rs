//! The descriptor table and rights.

use std::fs;
use std::sync::Arc;

use tempfile::TempDir;
use wdb_vm::wasi::{DESCRIPTORS_MAX, Errno, FileKind, OpenFlags, Rights, WasiConfig};

use crate::guest::{BUFFERS, DATA, Guest, RESULT, ROOT, file_rights};

fn world() -> (TempDir, Guest) {
    let directory = TempDir::new().expect("a temporary directory");
    fs::write(directory.path().join("file"), "0123456789").expect("a file");
    fs::create_dir(directory.path().join("dir")).expect("a directory");
    let guest = Guest::in_directory(directory.path());
    (directory, guest)
}

#[test]
fn the_first_descriptors() {
    let (_directory, guest) = world();
    let first: Vec<_> = guest
        .state
        .descriptors()
        .map(|(fd, it)| (fd, it.guest_path(), it.kind()))
        .collect();
    let expected = [
        (0, "stdin", FileKind::Unknown),
        (1, "stdout", FileKind::Unknown),
        (2, "stderr", FileKind::Unknown),
        (3, "/", FileKind::Directory),
    ];
    assert_eq!(first, expected);
}

#[test]
fn preopened_directories_tell_their_names() {
    let directory = TempDir::new().expect("a temporary directory");
    let config = WasiConfig::new()
        .preopen(directory.path(), "/data")
        .preopen(directory.path(), "here");
    let mut guest = Guest::new(config);
    guest
        .errno("fd_prestat_get", &[3, RESULT])
        .expect("it is preopened");
    assert_eq!((guest.u32(RESULT), guest.u32(RESULT + 4)), (0, 5));
    guest
        .errno("fd_prestat_dir_name", &[3, DATA, 6])
        .expect("there is room");
    assert_eq!(guest.bytes(DATA, 6), b"/data\0");
    assert_eq!(
        guest.errno("fd_prestat_dir_name", &[3, DATA, 4]),
        Err(Errno::NameTooLong)
    );
    assert_eq!(guest.errno("fd_prestat_get", &[4, RESULT]), Ok(()));
    assert_eq!(
        guest.errno("fd_prestat_get", &[5, RESULT]),
        Err(Errno::Badf)
    );
    assert_eq!(
        guest.errno("fd_prestat_get", &[0, RESULT]),
        Err(Errno::Badf)
    );
}

#[test]
fn the_lowest_free_number_is_taken() {
    let (_directory, mut guest) = world();
    assert_eq!(guest.open("file", OpenFlags::empty()), Ok(4));
    assert_eq!(guest.open("file", OpenFlags::empty()), Ok(5));
    assert_eq!(guest.close(4), Ok(()));
    assert_eq!(guest.close(4), Err(Errno::Badf));
    assert_eq!(guest.open("file", OpenFlags::empty()), Ok(4));
    assert_eq!(guest.close(u32::MAX), Err(Errno::Badf));
}

#[test]
fn the_table_is_bounded() {
    let (directory, mut guest) = world();
    for fd in 4..DESCRIPTORS_MAX as u32 {
        assert_eq!(guest.open("file", OpenFlags::empty()), Ok(fd));
    }
    assert_eq!(guest.open("new", OpenFlags::CREAT), Err(Errno::Mfile));
    assert!(
        !directory.path().join("new").exists(),
        "it fails before it creates"
    );
    let full = Arc::clone(&guest.state);
    for fd in 4..DESCRIPTORS_MAX as u32 {
        guest.close(fd).expect("it is open");
    }
    guest.state = full;
    let last = DESCRIPTORS_MAX as u32 - 1;
    assert_eq!(guest.read(last, 3), Ok(b"012".to_vec()));
}

#[test]
fn renumbering_moves_and_closes() {
    let (_directory, mut guest) = world();
    let one = guest.open("file", OpenFlags::empty()).expect("it exists");
    let other = guest
        .open("dir/other", OpenFlags::CREAT)
        .expect("a new file");
    guest.seek(one, 5, 0).expect("a file");
    assert_eq!(
        guest.errno("fd_renumber", &[u64::from(one), u64::from(other)]),
        Ok(())
    );
    assert_eq!(guest.read(other, 2), Ok(b"56".to_vec()));
    assert_eq!(guest.read(one, 2), Err(Errno::Badf));
    assert_eq!(
        guest.errno("fd_renumber", &[u64::from(other), u64::from(one)]),
        Err(Errno::Badf)
    );
    assert_eq!(
        guest.errno("fd_renumber", &[u64::from(other), u64::from(other)]),
        Ok(())
    );
    // Also over a standard stream and over a preopened directory.
    assert_eq!(guest.errno("fd_renumber", &[u64::from(other), 1]), Ok(()));
    assert_eq!(guest.read(1, 2), Ok(b"78".to_vec()));
    assert_eq!(guest.errno("fd_renumber", &[1, u64::from(ROOT)]), Ok(()));
    assert_eq!(
        guest.errno("fd_prestat_get", &[u64::from(ROOT), RESULT]),
        Err(Errno::Badf)
    );
}

#[test]
fn rights_of_files_are_checked() {
    let (_directory, mut guest) = world();
    let with =
        |guest: &mut Guest, rights| guest.open_with(ROOT, "file", OpenFlags::empty(), rights);
    let none = with(&mut guest, Rights::empty()).expect("no right is needed to open");
    let refused = Err(Errno::NotCapable);
    guest.buffers(&[(DATA, 1)]);
    let fd = u64::from(none);
    for (name, args) in [
        ("fd_read", &[fd, BUFFERS, 1, RESULT][..]),
        ("fd_write", &[fd, BUFFERS, 1, RESULT]),
        ("fd_pread", &[fd, BUFFERS, 1, 0, RESULT]),
        ("fd_pwrite", &[fd, BUFFERS, 1, 0, RESULT]),
        ("fd_seek", &[fd, 0, 0, RESULT]),
        ("fd_tell", &[fd, RESULT]),
        ("fd_advise", &[fd, 0, 1, 0]),
        ("fd_allocate", &[fd, 0, 1]),
        ("fd_sync", &[fd]),
        ("fd_datasync", &[fd]),
        ("fd_fdstat_set_flags", &[fd, 0]),
        ("fd_filestat_get", &[fd, RESULT]),
        ("fd_filestat_set_size", &[fd, 0]),
        ("fd_filestat_set_times", &[fd, 0, 0, 0]),
    ] {
        assert_eq!(guest.errno(name, args), refused, "{name}");
    }
    assert_eq!(guest.errno("fd_fdstat_get", &[fd, RESULT]), Ok(()));
    // Reading without seeking cannot choose its place; telling is seeking that stays.
    let fd = u64::from(with(&mut guest, Rights::FD_READ | Rights::FD_TELL).expect("it exists"));
    guest.buffers(&[(DATA, 1)]);
    assert_eq!(guest.errno("fd_read", &[fd, BUFFERS, 1, RESULT]), Ok(()));
    assert_eq!(
        guest.errno("fd_pread", &[fd, BUFFERS, 1, 0, RESULT]),
        refused
    );
    assert_eq!(guest.errno("fd_seek", &[fd, 0, 1, RESULT]), Ok(()));
    assert_eq!(guest.errno("fd_seek", &[fd, 1, 1, RESULT]), refused);
}

#[test]
fn rights_can_only_be_given_up() {
    let (_directory, mut guest) = world();
    let fd = guest.open("file", OpenFlags::empty()).expect("it exists");
    let (base, _) = guest.rights_of(fd);
    assert_eq!(base, file_rights());
    let less = base - Rights::FD_WRITE;
    assert_eq!(
        guest.errno("fd_fdstat_set_rights", &[u64::from(fd), less.bits(), 0]),
        Ok(())
    );
    assert_eq!(guest.write(fd, b"x"), Err(Errno::NotCapable));
    let again = guest.errno("fd_fdstat_set_rights", &[u64::from(fd), base.bits(), 0]);
    assert_eq!(again, Err(Errno::NotCapable));
    let unknown = guest.errno(
        "fd_fdstat_set_rights",
        &[u64::from(fd), less.bits() | 1 << 60, 0],
    );
    assert_eq!(unknown, Err(Errno::NotCapable));
}

#[test]
fn rights_of_directories_are_inherited_and_checked() {
    let (directory, mut guest) = world();
    let (base, inheriting) = guest.rights_of(ROOT);
    let reading = Rights::FD_READ | Rights::FD_FILESTAT_GET;
    let dir = guest
        .open_full(
            ROOT,
            0,
            "dir",
            OpenFlags::DIRECTORY,
            Rights::PATH_OPEN,
            reading,
            0,
        )
        .expect("it exists");
    fs::write(directory.path().join("dir/file"), "inner").expect("a file");
    assert!(
        guest
            .open_with(dir, "file", OpenFlags::empty(), reading)
            .is_ok()
    );
    let refused = Err(Errno::NotCapable);
    assert_eq!(
        guest.open_with(dir, "file", OpenFlags::empty(), Rights::FD_WRITE),
        refused
    );
    assert_eq!(
        guest.open_with(dir, "new", OpenFlags::CREAT, reading),
        refused
    );
    assert_eq!(
        guest.open_with(dir, "file", OpenFlags::TRUNC, reading),
        refused
    );
    let sync = guest.open_full(dir, 0, "file", OpenFlags::empty(), reading, reading, 16);
    assert_eq!(
        sync, refused,
        "the flag sync takes the right to synchronise"
    );
    let [path, length] = guest.text("file");
    let fd = u64::from(dir);
    for (name, args) in [
        ("path_create_directory", &[fd, path, length][..]),
        ("path_unlink_file", &[fd, path, length]),
        ("path_remove_directory", &[fd, path, length]),
        ("path_filestat_get", &[fd, 0, path, length, RESULT]),
        ("path_filestat_set_times", &[fd, 0, path, length, 0, 0, 0]),
        ("path_link", &[fd, 0, path, length, 3, path, length]),
        ("path_link", &[3, 0, path, length, fd, path, length]),
        ("path_rename", &[fd, path, length, 3, path, length]),
        ("path_rename", &[3, path, length, fd, path, length]),
        ("path_symlink", &[path, length, fd, path, length]),
        ("path_readlink", &[fd, path, length, DATA, 10, RESULT]),
        ("fd_readdir", &[fd, DATA, 10, 0, RESULT]),
    ] {
        assert_eq!(guest.errno(name, args), Err(Errno::NotCapable), "{name}");
    }
    // What a directory cannot do is not among its rights, but bits that mean nothing do no harm.
    let all = Rights::from_bits_retain(u64::MAX);
    assert_eq!(
        guest.open_full(ROOT, 0, "dir", OpenFlags::DIRECTORY, base, all, 0),
        refused
    );
    let odd = Rights::from_bits_retain(inheriting.bits() | 1 << 40);
    assert!(
        guest
            .open_full(ROOT, 0, "file", OpenFlags::empty(), odd, odd, 0)
            .is_ok()
    );
}

#[test]
fn directories_are_not_files_and_files_not_directories() {
    let (_directory, mut guest) = world();
    let dir = u64::from(guest.open_directory("dir").expect("it exists"));
    guest.buffers(&[(DATA, 1)]);
    assert_eq!(
        guest.errno("fd_read", &[dir, BUFFERS, 1, RESULT]),
        Err(Errno::IsDir)
    );
    assert_eq!(
        guest.errno("fd_write", &[dir, BUFFERS, 1, RESULT]),
        Err(Errno::IsDir)
    );
    assert_eq!(
        guest.errno("fd_seek", &[dir, 0, 0, RESULT]),
        Err(Errno::NotCapable)
    );
    assert_eq!(guest.errno("fd_advise", &[dir, 0, 0, 0]), Err(Errno::Badf));
    assert_eq!(guest.errno("fd_sync", &[dir]), Ok(()));
    assert_eq!(guest.errno("fd_sync", &[u64::from(ROOT)]), Ok(()));
    assert_eq!(
        guest.errno("fd_filestat_set_times", &[u64::from(ROOT), 0, 5, 4]),
        Ok(())
    );
    let file = guest.open("file", OpenFlags::empty()).expect("it exists");
    assert_eq!(
        guest.open_with(file, "x", OpenFlags::CREAT, Rights::empty()),
        Err(Errno::NotDir)
    );
    let readdir = guest.errno("fd_readdir", &[u64::from(file), DATA, 100, 0, RESULT]);
    assert_eq!(readdir, Err(Errno::NotDir));
}

#[test]
fn nothing_is_a_socket() {
    let (_directory, mut guest) = world();
    for (name, count) in [
        ("sock_accept", 3),
        ("sock_recv", 6),
        ("sock_send", 5),
        ("sock_shutdown", 2),
    ] {
        let mut args = vec![0; count];
        assert_eq!(guest.errno(name, &args), Err(Errno::NotSock), "{name}");
        args[0] = 99;
        assert_eq!(guest.errno(name, &args), Err(Errno::Badf), "{name}");
    }
}

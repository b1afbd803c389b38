//! Reading and changing directories.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::sync::Arc;

use tempfile::TempDir;
use wdb_vm::wasi::{Errno, OpenFlags};

use crate::guest::{DATA, Guest, RESULT, ROOT};

fn world() -> (TempDir, Guest) {
    let directory = TempDir::new().expect("a temporary directory");
    let guest = Guest::in_directory(directory.path());
    (directory, guest)
}

/// An entry as the guest sees it: the next cookie, the inode, the kind, the name.
type Entry = (u64, u64, u8, String);

/// Reads entries from a cookie on; answers the whole ones and whether the buffer was not filled.
fn read_entries(guest: &mut Guest, fd: u32, cookie: u64, length: u64) -> (Vec<Entry>, bool) {
    guest
        .errno("fd_readdir", &[u64::from(fd), DATA, length, cookie, RESULT])
        .expect("a directory");
    let used = u64::from(guest.u32(RESULT));
    let mut entries = Vec::new();
    let mut at = 0;
    while at + 24 <= used {
        let next = at + 24 + u64::from(guest.u32(DATA + at + 16));
        if next > used {
            break;
        }
        let name = String::from_utf8(guest.bytes(DATA + at + 24, next - at - 24).to_vec());
        let kind = guest.bytes(DATA + at + 20, 1)[0];
        let name = name.expect("UTF-8");
        entries.push((guest.u64(DATA + at), guest.u64(DATA + at + 8), kind, name));
        at = next;
    }
    (entries, used < length)
}

fn names(entries: &[Entry]) -> Vec<&str> {
    entries
        .iter()
        .map(|(_, _, _, name)| name.as_str())
        .collect()
}

#[test]
fn entries_have_kinds_and_inodes() {
    let (directory, mut guest) = world();
    fs::create_dir(directory.path().join("sub")).expect("a directory");
    fs::write(directory.path().join("sub/file"), "").expect("a file");
    symlink("file", directory.path().join("sub/link")).expect("a link");
    fs::create_dir(directory.path().join("sub/dir")).expect("a directory");
    let inode = |path: &str| {
        fs::symlink_metadata(directory.path().join(path))
            .expect("it exists")
            .ino()
    };
    let fd = guest.open_directory("sub").expect("a directory");
    let (entries, end) = read_entries(&mut guest, fd, 0, 1000);
    let entry = |cookie, path: &str, kind, name: &str| (cookie, inode(path), kind, name.to_owned());
    let expected = [
        entry(1, "sub", 3, "."),
        entry(2, "", 3, ".."),
        entry(3, "sub/dir", 3, "dir"),
        entry(4, "sub/file", 4, "file"),
        entry(5, "sub/link", 7, "link"),
    ];
    assert_eq!(entries, expected);
    assert!(end);
    // The root is its own parent: nothing outside shows.
    let (entries, _) = read_entries(&mut guest, ROOT, 0, 1000);
    assert_eq!(entries[1].1, inode(""));
}

#[test]
fn small_buffers_see_every_entry_once() {
    let (directory, mut guest) = world();
    for number in 0..100 {
        fs::write(directory.path().join(format!("file.{number:02}")), "").expect("a file");
    }
    for length in [33, 64, 100, 256] {
        let mut seen = Vec::new();
        let mut cookie = 0;
        loop {
            let (entries, end) = read_entries(&mut guest, ROOT, cookie, length);
            cookie = entries.last().map_or(cookie, |entry| entry.0);
            seen.extend(entries.into_iter().map(|(_, _, _, name)| name));
            if end {
                break;
            }
        }
        assert_eq!(seen.len(), 102, "with a buffer of {length} bytes");
        seen.dedup();
        assert_eq!(seen.len(), 102);
    }
    // Too small for even one head: cut off, as the specification has it, and full.
    guest
        .errno("fd_readdir", &[u64::from(ROOT), DATA, 10, 0, RESULT])
        .expect("a directory");
    assert_eq!(guest.u32(RESULT), 10);
    let (entries, end) = read_entries(&mut guest, ROOT, u64::MAX, 100);
    assert_eq!((entries.len(), end), (0, true));
}

#[test]
fn a_walk_is_not_disturbed_by_what_changes_meanwhile() {
    let (directory, mut guest) = world();
    for name in ["a", "b", "c", "d"] {
        fs::write(directory.path().join(name), "").expect("a file");
    }
    let (entries, _) = read_entries(&mut guest, ROOT, 0, 80);
    assert_eq!(names(&entries), [".", "..", "a"]);
    let middle = Arc::clone(&guest.state);
    for name in ["a", "b"] {
        guest.path("path_unlink_file", name).expect("it exists");
    }
    let (entries, _) = read_entries(&mut guest, ROOT, 3, 1000);
    assert_eq!(names(&entries), ["b", "c", "d"]);
    // A walk from the start sees the directory as it is.
    let (entries, _) = read_entries(&mut guest, ROOT, 0, 1000);
    assert_eq!(names(&entries), [".", "..", "c", "d"]);
    // An old state goes on with the walk it was in.
    guest.state = middle;
    let (entries, _) = read_entries(&mut guest, ROOT, 4, 1000);
    assert_eq!(names(&entries), ["c", "d"]);
}

#[test]
fn directories_are_made_and_removed() {
    let (directory, mut guest) = world();
    assert_eq!(guest.path("path_create_directory", "dir"), Ok(()));
    assert_eq!(
        guest.path("path_create_directory", "dir"),
        Err(Errno::Exist)
    );
    assert_eq!(
        guest.path("path_create_directory", "none/dir"),
        Err(Errno::NoEnt)
    );
    assert_eq!(guest.path("path_create_directory", "dir/inner/"), Ok(()));
    assert_eq!(
        guest.path("path_remove_directory", "dir"),
        Err(Errno::NotEmpty)
    );
    assert_eq!(guest.path("path_unlink_file", "dir"), Err(Errno::IsDir));
    assert_eq!(guest.path("path_unlink_file", "dir/"), Err(Errno::IsDir));
    assert_eq!(guest.path("path_remove_directory", "dir/inner/"), Ok(()));
    fs::write(directory.path().join("file"), "").expect("a file");
    assert_eq!(
        guest.path("path_remove_directory", "file"),
        Err(Errno::NotDir)
    );
    assert_eq!(
        guest.path("path_remove_directory", "file/"),
        Err(Errno::NotDir)
    );
    assert_eq!(guest.path("path_unlink_file", "file/"), Err(Errno::NotDir));
    assert_eq!(guest.path("path_unlink_file", "file"), Ok(()));
    assert_eq!(guest.path("path_unlink_file", "file"), Err(Errno::NoEnt));
    assert_eq!(guest.path("path_remove_directory", "dir"), Ok(()));
}

#[test]
fn renaming_follows_posix() {
    let (directory, mut guest) = world();
    for name in ["source", "target", "empty"] {
        guest
            .path("path_create_directory", name)
            .expect("a new directory");
    }
    fs::write(directory.path().join("target/file"), "").expect("a file");
    fs::write(directory.path().join("file"), "moved").expect("a file");
    assert_eq!(guest.rename("source", "target"), Err(Errno::NotEmpty));
    assert_eq!(guest.rename("source", "target/file"), Err(Errno::NotDir));
    assert_eq!(guest.rename("file", "target"), Err(Errno::IsDir));
    assert_eq!(guest.rename("source/", "empty/"), Ok(()));
    assert_eq!(guest.rename("source", "elsewhere"), Err(Errno::NoEnt));
    assert_eq!(guest.rename("file", "target/file"), Ok(()));
    let moved = fs::read_to_string(directory.path().join("target/file"));
    assert_eq!(moved.expect("it was moved"), "moved");
}

#[test]
fn links_are_made_and_read() {
    let (directory, mut guest) = world();
    fs::write(directory.path().join("file"), "text").expect("a file");
    assert_eq!(guest.symlink("file", "link"), Ok(()));
    assert_eq!(guest.symlink("file", "link"), Err(Errno::Exist));
    assert_eq!(guest.readlink("link", 100), Ok(b"file".to_vec()));
    assert_eq!(guest.readlink("link", 2), Ok(b"fi".to_vec()));
    assert_eq!(guest.readlink("file", 100), Err(Errno::Inval));
    assert_eq!(guest.stat("link", false).map(|it| it.0), Ok(7));
    assert_eq!(guest.stat("link", true).map(|it| (it.0, it.2)), Ok((4, 4)));
    assert_eq!(guest.symlink("itself", "itself"), Ok(()));
    assert_eq!(guest.open("itself", OpenFlags::empty()), Err(Errno::Loop));
    assert_eq!(guest.link("file", "hard"), Ok(()));
    assert_eq!(guest.link("file", "hard"), Err(Errno::Exist));
    assert_eq!(guest.stat("hard", false).map(|it| it.1), Ok(2));
    assert_eq!(guest.link("file", "hard2/"), Err(Errno::NoEnt));
    guest
        .path("path_create_directory", "dir")
        .expect("a new directory");
    assert_eq!(guest.link("dir", "hard2"), Err(Errno::Perm));
    let [old, length] = guest.text("link");
    let root = u64::from(ROOT);
    let [new, new_length] = guest.other_text("followed");
    let following = guest.errno("path_link", &[root, 1, old, length, root, new, new_length]);
    assert_eq!(following, Err(Errno::Inval));
}

#[test]
fn going_down_and_up_does_not_lengthen_a_path() {
    let (directory, mut guest) = world();
    fs::create_dir(directory.path().join("dir")).expect("a directory");
    let mut fd = guest.open_directory(".").expect("the root");
    for _ in 0..50 {
        let (base, inheriting) = guest.rights_of(ROOT);
        let next = guest.open_full(fd, 0, "./dir/..", OpenFlags::DIRECTORY, base, inheriting, 0);
        guest.close(fd).expect("it is open");
        fd = next.expect("the root");
    }
    let (_, descriptor) = guest.state.descriptors().last().expect("there are some");
    assert_eq!(descriptor.guest_path(), "/");
    let mut other = Guest::in_directory(directory.path());
    other.state = Arc::clone(&guest.state);
    let (entries, _) = read_entries(&mut other, fd, 0, 1000);
    assert_eq!(names(&entries), [".", "..", "dir"]);
}

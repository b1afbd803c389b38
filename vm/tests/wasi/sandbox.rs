//! No path leads out of a preopened directory.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;
use wdb_vm::wasi::{Errno, OpenFlags, Rights};

use crate::guest::{Guest, RESULT, ROOT};

/// A directory `outside` with a file `secret`, and beside it the guest's root with a directory `inside` and a file `file`.
struct World {
    directory: TempDir,
    guest: Guest,
}

impl World {
    fn new() -> World {
        let directory = TempDir::new().expect("a temporary directory");
        let path = directory.path();
        fs::create_dir_all(path.join("root/inside")).expect("the root");
        fs::create_dir(path.join("outside")).expect("the outside");
        fs::write(path.join("outside/secret"), "secret").expect("the secret");
        fs::write(path.join("root/file"), "file").expect("a file");
        let guest = Guest::in_directory(&path.join("root"));
        World { directory, guest }
    }

    /// The names outside, to see that nothing was added or taken.
    fn assert_outside_untouched(&self) {
        let outside = self.directory.path().join("outside");
        let entries = fs::read_dir(&outside).expect("the outside");
        let names: Vec<_> = entries
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        assert_eq!(names, ["secret"]);
        assert_eq!(
            fs::read_to_string(outside.join("secret")).expect("the secret"),
            "secret"
        );
        let mut beside: Vec<_> = fs::read_dir(self.directory.path())
            .expect("the directory")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        beside.sort();
        assert_eq!(beside, ["outside", "root"]);
    }
}

/// Every function that takes a path refuses a path that leads to `../outside`; `existing` and `new` name
/// the secret and a file that does not exist there.
fn assert_all_refuse(world: &mut World, existing: &str, new: &str) {
    let guest = &mut world.guest;
    let refused = Err(Errno::NotCapable);
    assert_eq!(
        guest.open_with(ROOT, existing, OpenFlags::empty(), Rights::FD_READ),
        Err(Errno::NotCapable)
    );
    assert_eq!(
        guest.open(existing, OpenFlags::TRUNC),
        Err(Errno::NotCapable)
    );
    assert_eq!(guest.open(new, OpenFlags::CREAT), Err(Errno::NotCapable));
    assert_eq!(
        guest.open(new, OpenFlags::CREAT | OpenFlags::EXCL),
        Err(Errno::NotCapable)
    );
    assert_eq!(guest.path("path_create_directory", new), refused);
    assert_eq!(guest.path("path_unlink_file", existing), refused);
    assert_eq!(guest.path("path_remove_directory", existing), refused);
    assert_eq!(guest.stat(existing, true).map(|_| ()), refused);
    assert_eq!(guest.stat(existing, false).map(|_| ()), refused);
    assert_eq!(guest.set_times(existing, true, 1, 4), refused);
    assert_eq!(guest.set_times(existing, false, 1, 4), refused);
    assert_eq!(guest.readlink(existing, 100).map(|_| ()), refused);
    assert_eq!(guest.symlink("file", new), refused);
    assert_eq!(guest.link(existing, "stolen"), refused);
    assert_eq!(guest.link("file", new), refused);
    assert_eq!(guest.rename(existing, "stolen"), refused);
    assert_eq!(guest.rename("file", new), refused);
    world.assert_outside_untouched();
}

#[test]
fn no_way_out_through_dots() {
    let mut world = World::new();
    assert_all_refuse(&mut world, "../outside/secret", "../outside/new");
    assert_all_refuse(
        &mut world,
        "inside/../../outside/secret",
        "inside/.././../outside/new",
    );
}

#[test]
fn no_way_out_through_absolute_paths() {
    let mut world = World::new();
    let outside = world.directory.path().join("outside");
    let existing = outside.join("secret").to_str().expect("UTF-8").to_owned();
    let new = outside.join("new").to_str().expect("UTF-8").to_owned();
    assert_all_refuse(&mut world, &existing, &new);
    let inside = world
        .directory
        .path()
        .join("root/file")
        .to_str()
        .expect("UTF-8")
        .to_owned();
    assert_eq!(
        world.guest.open(&inside, OpenFlags::empty()),
        Err(Errno::NotCapable)
    );
}

#[test]
fn no_way_out_through_links_to_directories() {
    for absolute in [false, true] {
        let mut world = World::new();
        let outside = world.directory.path().join("outside");
        let target = if absolute {
            outside.as_path()
        } else {
            "../outside".as_ref()
        };
        symlink(target, world.directory.path().join("root/exit")).expect("a link");
        assert_all_refuse(&mut world, "exit/secret", "exit/new");
    }
}

#[test]
fn no_way_out_through_links_to_files() {
    let mut world = World::new();
    let root = world.directory.path().join("root");
    symlink("../outside/secret", root.join("relative")).expect("a link");
    symlink(
        world.directory.path().join("outside/secret"),
        root.join("absolute"),
    )
    .expect("a link");
    symlink("../outside/new", root.join("dangling")).expect("a link");
    let guest = &mut world.guest;
    for link in ["relative", "absolute"] {
        assert_eq!(guest.open(link, OpenFlags::empty()), Err(Errno::NotCapable));
        assert_eq!(guest.open(link, OpenFlags::TRUNC), Err(Errno::NotCapable));
        assert_eq!(guest.stat(link, true), Err(Errno::NotCapable));
        assert_eq!(guest.set_times(link, true, 1, 4), Err(Errno::NotCapable));
        // The link itself lies inside.
        assert_eq!(guest.stat(link, false).map(|(kind, ..)| kind), Ok(7));
        // A hard link to it is a link just the same.
        assert_eq!(guest.link(link, "copy"), Ok(()));
        assert_eq!(
            guest.open("copy", OpenFlags::empty()),
            Err(Errno::NotCapable)
        );
        assert_eq!(guest.path("path_unlink_file", "copy"), Ok(()));
    }
    assert_eq!(
        guest.open("dangling", OpenFlags::CREAT),
        Err(Errno::NotCapable)
    );
    // The absolute target would tell where the root lies on the host.
    assert_eq!(guest.readlink("absolute", 100), Err(Errno::NotCapable));
    world.assert_outside_untouched();
}

#[test]
fn links_of_the_guest_lead_nowhere_outside() {
    let mut world = World::new();
    let guest = &mut world.guest;
    assert_eq!(
        guest.symlink("/etc/passwd", "absolute"),
        Err(Errno::NotCapable)
    );
    assert_eq!(guest.symlink("../outside/secret", "relative"), Ok(()));
    assert_eq!(
        guest.open("relative", OpenFlags::empty()),
        Err(Errno::NotCapable)
    );
    // A link that stays inside works, also where it goes up.
    assert_eq!(guest.symlink("../file", "inside/up"), Ok(()));
    let fd = guest
        .open("inside/up", OpenFlags::empty())
        .expect("a link inside");
    assert_eq!(guest.read(fd, 10), Ok(b"file".to_vec()));
    world.assert_outside_untouched();
}

#[test]
fn a_descriptor_of_a_directory_is_a_sandbox_of_its_own() {
    let mut world = World::new();
    let guest = &mut world.guest;
    let inside = guest.open_directory("inside").expect("a directory");
    let read = Rights::FD_READ;
    assert_eq!(
        guest.open_with(inside, "../file", OpenFlags::empty(), read),
        Err(Errno::NotCapable)
    );
    // Moving it elsewhere does not change what lies above it.
    assert_eq!(guest.path("path_create_directory", "deep"), Ok(()));
    assert_eq!(guest.rename("inside", "deep/inside"), Ok(()));
    for path in ["..", "../..", "../../file", "../../../outside/secret"] {
        assert_eq!(
            guest.open_with(inside, path, OpenFlags::empty(), read),
            Err(Errno::NotCapable)
        );
    }
    let fd = guest
        .open_directory("deep/inside/../../deep")
        .expect("steps up inside the root");
    let paths: Vec<_> = guest
        .state
        .descriptors()
        .map(|(fd, it)| (fd, it.guest_path().to_owned()))
        .collect();
    assert!(paths.contains(&(fd, "/deep".to_owned())), "{paths:?}");
}

#[test]
fn a_file_opened_again_does_not_follow_a_link_put_in_its_place() {
    let mut world = World::new();
    let root = world.directory.path().join("root");
    let fd = world
        .guest
        .open("file", OpenFlags::empty())
        .expect("a file");
    let old = world.guest.state.clone();
    world.guest.close(fd).expect("it was open");
    fs::remove_file(root.join("file")).expect("it existed");
    symlink("../outside/secret", root.join("file")).expect("a link");
    world.guest.state = old;
    assert_eq!(world.guest.read(fd, 10), Err(Errno::Stale));
    world.assert_outside_untouched();
}

#[test]
fn paths_are_checked() {
    let mut world = World::new();
    let guest = &mut world.guest;
    assert_eq!(guest.path("path_unlink_file", ""), Err(Errno::NoEnt));
    assert_eq!(guest.path("path_unlink_file", "file\0"), Err(Errno::Inval));
    assert_eq!(
        guest.path("path_unlink_file", &"a".repeat(5000)),
        Err(Errno::NameTooLong)
    );
    assert_eq!(
        guest.path("path_unlink_file", &"a".repeat(300)),
        Err(Errno::NameTooLong)
    );
    guest.put(RESULT, b"\xff\xfe");
    assert_eq!(
        guest.errno("path_unlink_file", &[u64::from(ROOT), RESULT, 2]),
        Err(Errno::Ilseq)
    );
    assert_eq!(guest.open("file/", OpenFlags::empty()), Err(Errno::NotDir));
    assert_eq!(guest.open("file/x", OpenFlags::empty()), Err(Errno::NotDir));
    assert!(guest.open_directory("inside//").is_ok());
    assert!(guest.open("inside/.//../file", OpenFlags::empty()).is_ok());
}

#[test]
fn no_way_out_while_a_directory_turns_into_a_link() {
    /// Enough that an unsafe resolution is caught: one that checks the path first and opens it then loses within a few hundred.
    const ATTEMPTS: usize = 20_000;
    let mut world = World::new();
    let root = world.directory.path().join("root");
    let (way, kept) = (root.join("way"), root.join("kept"));
    fs::create_dir(&way).expect("a directory");
    fs::write(way.join("secret"), "inside").expect("a file of the same name");
    symlink("../outside", root.join("exit")).expect("a link");
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // The directory and the link take turns under the same name.
            while !is_over.load(Ordering::Relaxed) {
                fs::rename(&way, &kept).expect("the directory moves away");
                fs::rename(root.join("exit"), &way).expect("the link takes its place");
                fs::rename(&way, root.join("exit")).expect("the link moves away");
                fs::rename(&kept, &way).expect("the directory comes back");
            }
        });
        let mut opened = 0;
        for _ in 0..ATTEMPTS {
            if let Ok(fd) =
                world
                    .guest
                    .open_with(ROOT, "way/secret", OpenFlags::empty(), Rights::FD_READ)
            {
                let text = world.guest.read(fd, 16).expect("an open file is read");
                assert_eq!(
                    text, b"inside",
                    "the guest read a file outside its directory"
                );
                world.guest.close(fd).expect("an open file is closed");
                opened += 1;
            }
            let created = world.guest.open("way/new", OpenFlags::CREAT);
            if let Ok(fd) = created {
                world.guest.close(fd).expect("an open file is closed");
            }
        }
        is_over.store(true, Ordering::Relaxed);
        assert!(opened > 0, "the directory was never there");
    });
    world.assert_outside_untouched();
}

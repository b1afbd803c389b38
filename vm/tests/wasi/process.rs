//! Arguments, environment, clocks, random numbers, ends; and the table of functions.

use std::collections::HashSet;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;
use wdb_vm::host::{Host, HostOutcome};
use wdb_vm::wasi::{Errno, FileKind, OutputKind, StdinSource, WasiConfig};

use crate::guest::{BUFFERS, DATA, Guest, MEMORY_BYTES, RESULT};

#[test]
fn all_functions_are_there() {
    let wasi = WasiConfig::new().build().expect("nothing can fail");
    let names: HashSet<String> = (0..46)
        .map(|index| wasi.name(wdb_vm::host::HostFunc(index)))
        .collect();
    assert_eq!(names.len(), 46);
    for name in &names {
        let (module, name) = name.split_once('.').expect("a module and a name");
        assert!(wasi.resolve(module, name).is_some(), "{name}");
        assert!(wasi.resolve("wasi_unstable", name).is_none(), "{name}");
    }
    assert!(wasi.resolve("wasi_snapshot_preview1", "fd_dup").is_none());
    let exit = wasi
        .resolve("wasi_snapshot_preview1", "proc_exit")
        .expect("it exists");
    assert_eq!(wasi.func_type(exit).results(), []);
}

#[test]
fn arguments_and_environment_arrive() {
    let config = WasiConfig::new()
        .args(["program", "the \"second\"", ""])
        .env("A", "b=c")
        .env("EMPTY", "");
    let mut guest = Guest::new(config);
    guest
        .errno("args_sizes_get", &[RESULT, RESULT + 4])
        .expect("there is room");
    assert_eq!((guest.u32(RESULT), guest.u32(RESULT + 4)), (3, 22));
    guest
        .errno("args_get", &[RESULT, DATA])
        .expect("there is room");
    assert_eq!(guest.bytes(DATA, 22), b"program\0the \"second\"\0\0");
    let pointers = [
        guest.u32(RESULT),
        guest.u32(RESULT + 4),
        guest.u32(RESULT + 8),
    ];
    assert_eq!(
        pointers.map(|pointer| u64::from(pointer) - DATA),
        [0, 8, 21]
    );
    guest
        .errno("environ_sizes_get", &[RESULT, RESULT + 4])
        .expect("there is room");
    assert_eq!((guest.u32(RESULT), guest.u32(RESULT + 4)), (2, 13));
    guest
        .errno("environ_get", &[RESULT, DATA])
        .expect("there is room");
    assert_eq!(guest.bytes(DATA, 13), b"A=b=c\0EMPTY=\0");
    assert_eq!(
        guest.errno("args_get", &[RESULT, MEMORY_BYTES - 21]),
        Err(Errno::Fault)
    );
    assert_eq!(
        guest.errno("args_get", &[MEMORY_BYTES - 11, DATA]),
        Err(Errno::Fault)
    );
}

#[test]
fn configurations_that_cannot_be_had_say_why() {
    let directory = TempDir::new().expect("a temporary directory");
    let message = |config: WasiConfig| config.build().err().expect("it fails").to_string();
    let missing = directory.path().join("missing");
    let text = message(WasiConfig::new().preopen(&missing, "/"));
    assert!(
        text.starts_with(&format!("cannot open the directory {}", missing.display())),
        "{text}"
    );
    assert!(text.contains("No such file"), "{text}");
    let text = message(WasiConfig::new().stdin(StdinSource::File(missing)));
    assert!(text.contains("as standard input: No such file"), "{text}");
    let text = message(WasiConfig::new().stdin(StdinSource::File(directory.path().into())));
    assert!(text.contains("directory"), "{text}");
    let text = message(WasiConfig::new().args(["a\0b"]));
    assert_eq!(text, "the argument \"a\\0b\" holds a NUL character");
    let text = message(WasiConfig::new().env("A=B", "c"));
    assert_eq!(text, "\"A=B\" cannot name an environment variable");
}

#[test]
fn clocks_run() {
    let mut guest = Guest::new(WasiConfig::new());
    let mut time = |id: u64| {
        guest
            .errno("clock_time_get", &[id, 0, RESULT])
            .expect("a clock");
        guest.u64(RESULT)
    };
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    assert!(Duration::from_nanos(time(0)).abs_diff(now) < Duration::from_secs(60));
    for clock in 0..4 {
        assert!(time(clock) <= time(clock), "clock {clock} goes forward");
    }
    for clock in 0..4 {
        guest
            .errno("clock_res_get", &[clock, RESULT])
            .expect("a clock");
        assert!((1..=1_000_000_000).contains(&guest.u64(RESULT)));
    }
    assert_eq!(
        guest.errno("clock_time_get", &[4, 0, RESULT]),
        Err(Errno::Inval)
    );
    assert_eq!(
        guest.errno("clock_res_get", &[4, RESULT]),
        Err(Errno::Inval)
    );
    assert_eq!(
        guest.errno("clock_time_get", &[0, 0, MEMORY_BYTES - 7]),
        Err(Errno::Fault)
    );
    assert_eq!(guest.errno("sched_yield", &[]), Ok(()));
}

#[test]
fn random_bytes_fill_exactly_their_range() {
    let mut guest = Guest::new(WasiConfig::new());
    guest
        .errno("random_get", &[DATA, 100_000])
        .expect("there is room");
    let distinct: HashSet<u8> = guest.bytes(DATA, 100_000).iter().copied().collect();
    assert_eq!(distinct.len(), 256);
    assert_eq!(
        (guest.bytes(DATA - 1, 1), guest.bytes(DATA + 100_000, 1)),
        (&[0][..], &[0][..])
    );
    assert_eq!(guest.errno("random_get", &[DATA, 0]), Ok(()));
    assert_eq!(
        guest.errno("random_get", &[DATA, u64::from(u32::MAX)]),
        Err(Errno::Fault)
    );
    guest.memory.resize((1 << 26) + 2, 0);
    assert_eq!(
        guest.errno("random_get", &[0, (1 << 26) + 1]),
        Err(Errno::Inval)
    );
}

#[test]
fn ends_and_signals() {
    let mut guest = Guest::new(WasiConfig::new());
    assert_eq!(guest.call("proc_exit", &[33]), HostOutcome::Exit(33));
    let trap = HostOutcome::Trap("the program raised the signal SIGABRT".to_owned());
    assert_eq!(guest.call("proc_raise", &[6]), trap);
    assert_eq!(guest.errno("proc_raise", &[0]), Ok(()));
    assert_eq!(guest.errno("proc_raise", &[16]), Ok(()));
    assert_eq!(guest.errno("proc_raise", &[18]), Err(Errno::NotSup));
    assert_eq!(guest.errno("proc_raise", &[31]), Err(Errno::Inval));
}

/// An output that can be looked at, and that can be broken.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Option<Vec<u8>>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.lock().expect("no panic").as_mut() {
            Some(written) => {
                written.extend_from_slice(bytes);
                Ok(bytes.len())
            }
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn outputs_go_where_they_should() {
    let (stdout, stderr) = (Sink::default(), Sink::default());
    *stdout.0.lock().expect("no panic") = Some(Vec::new());
    let config = WasiConfig::new()
        .stdout(OutputKind::Terminal, Box::new(stdout.clone()))
        .stderr(OutputKind::Pipe, Box::new(stderr));
    let mut guest = Guest::new(config);
    let kinds: Vec<_> = guest.state.descriptors().map(|(_, it)| it.kind()).collect();
    assert_eq!(
        kinds,
        [
            FileKind::Unknown,
            FileKind::CharacterDevice,
            FileKind::Unknown
        ]
    );
    guest.put(DATA, b"hello");
    guest.buffers(&[(DATA, 5), (DATA + 1, 3), (DATA, 0)]);
    guest
        .errno("fd_write", &[1, BUFFERS, 3, RESULT])
        .expect("an output");
    assert_eq!(guest.u32(RESULT), 8);
    assert_eq!(
        stdout.0.lock().expect("no panic").as_deref(),
        Some(&b"helloell"[..])
    );
    assert_eq!(guest.write(2, b"x"), Err(Errno::Pipe));
    assert_eq!(guest.write(0, b"x"), Err(Errno::NotCapable));
    assert_eq!(guest.read(1, 1), Err(Errno::NotCapable));
    // The C library takes it for a terminal: a character device that cannot seek or tell.
    assert_eq!(guest.seek(1, 0, 1), Err(Errno::NotCapable));
    guest
        .errno("fd_filestat_get", &[1, RESULT])
        .expect("an output");
    assert_eq!(guest.bytes(RESULT + 16, 1), [2]);
}

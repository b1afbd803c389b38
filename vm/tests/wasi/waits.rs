//! Standard input, polls and sleeps: what waits, and how a wait is interrupted.

use std::fs;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode};
use tempfile::TempDir;
use wdb_vm::host::HostOutcome;
use wdb_vm::wasi::{Errno, OpenFlags, Rights, StdinQueue, StdinSource, WasiConfig};

use crate::guest::{BUFFERS, DATA, Guest, MEMORY_BYTES, RESULT, ROOT};

const MILLISECOND: u64 = 1_000_000;

/// Where polls put events.
const EVENTS: u64 = 0x8000;

fn with_queue() -> (StdinQueue, Guest) {
    let queue = StdinQueue::new();
    let guest = Guest::new(WasiConfig::new().stdin(StdinSource::Queue(queue.clone())));
    (queue, guest)
}

/// Does something on another thread once the guest waits for its input.
fn when_waited_on(
    queue: &StdinQueue,
    action: impl FnOnce() + Send + 'static,
) -> thread::JoinHandle<()> {
    let queue = queue.clone();
    thread::spawn(move || {
        let start = Instant::now();
        while !queue.is_waited_on() {
            assert!(start.elapsed() < Duration::from_secs(20), "nobody waits");
            thread::sleep(Duration::from_millis(1));
        }
        action();
    })
}

enum Wanted {
    /// Clock, nanoseconds, whether they are its own time.
    Clock(u32, u64, bool),
    Read(u32),
    Write(u32),
}

/// Puts subscriptions, numbered from 100 on, into memory; answers the arguments of the poll.
fn subscribe(guest: &mut Guest, wanted: &[Wanted]) -> [u64; 4] {
    for (index, wanted) in wanted.iter().enumerate() {
        let mut bytes = [0; 48];
        bytes[0..8].copy_from_slice(&(100 + index as u64).to_le_bytes());
        match wanted {
            Wanted::Clock(id, timeout, absolute) => {
                bytes[16..20].copy_from_slice(&id.to_le_bytes());
                bytes[24..32].copy_from_slice(&timeout.to_le_bytes());
                bytes[40] = u8::from(*absolute);
            }
            Wanted::Read(fd) | Wanted::Write(fd) => {
                bytes[8] = if matches!(wanted, Wanted::Read(_)) {
                    1
                } else {
                    2
                };
                bytes[16..20].copy_from_slice(&fd.to_le_bytes());
            }
        }
        guest.put(BUFFERS + index as u64 * 48, &bytes);
    }
    [BUFFERS, EVENTS, wanted.len() as u64, RESULT]
}

/// An event: the subscription's number, the error's, the kind, the bytes, whether the other side hung up.
type Event = (u64, u16, u8, u64, bool);

fn events(guest: &Guest) -> Vec<Event> {
    let event = |index: u64| {
        let at = EVENTS + index * 32;
        let head = guest.u32(at + 8);
        let hangup = guest.bytes(at + 24, 1)[0] == 1;
        (
            guest.u64(at),
            head as u16,
            (head >> 16) as u8,
            guest.u64(at + 16),
            hangup,
        )
    };
    (0..u64::from(guest.u32(RESULT))).map(event).collect()
}

fn poll(guest: &mut Guest, wanted: &[Wanted]) -> Vec<Event> {
    let args = subscribe(guest, wanted);
    guest.errno("poll_oneoff", &args).expect("a valid poll");
    events(guest)
}

#[test]
fn a_read_waits_for_what_is_typed() {
    let (queue, mut guest) = with_queue();
    let typist = queue.clone();
    let typing = when_waited_on(&queue, move || assert_eq!(typist.push(b"hello\n"), 6));
    assert_eq!(guest.read(0, 3), Ok(b"hel".to_vec()));
    assert_eq!(guest.read(0, 100), Ok(b"lo\n".to_vec()));
    typing.join().expect("it typed");
    assert!(!queue.is_waited_on());
    queue.push(b"last");
    queue.close();
    assert_eq!(queue.push(b"too late"), 0);
    assert_eq!(guest.read(0, 100), Ok(b"last".to_vec()));
    assert_eq!(guest.read(0, 100), Ok(Vec::new()));
}

#[test]
fn an_old_state_reads_again_what_was_typed() {
    let (queue, mut guest) = with_queue();
    queue.push(b"one two");
    assert_eq!(guest.read(0, 4), Ok(b"one ".to_vec()));
    let old = Arc::clone(&guest.state);
    assert_eq!(guest.read(0, 100), Ok(b"two".to_vec()));
    guest.state = old;
    assert_eq!(guest.read(0, 100), Ok(b"two".to_vec()));
    // A new run starts with what nobody has read yet.
    queue.push(b"three");
    let config = WasiConfig::new().stdin(StdinSource::Queue(queue));
    let mut second = Guest::new(config);
    assert_eq!(second.read(0, 100), Ok(b"three".to_vec()));
    // A state of a session that has read more goes on with what is unread here.
    let fresh = StdinQueue::new();
    fresh.push(b"fresh");
    let mut other = Guest::new(WasiConfig::new().stdin(StdinSource::Queue(fresh.clone())));
    other.state = Arc::clone(&guest.state);
    assert_eq!(other.read(0, 100), Ok(b"fresh".to_vec()));
    fresh.push(b"more");
    assert_eq!(other.read(0, 100), Ok(b"more".to_vec()));
}

#[test]
fn an_interrupted_read_consumes_nothing() {
    let (queue, mut guest) = with_queue();
    let interrupt = guest.interrupt.clone();
    let raising = when_waited_on(&queue, move || interrupt.raise());
    guest.buffers(&[(DATA, 10)]);
    assert_eq!(
        guest.call("fd_read", &[0, BUFFERS, 1, RESULT]),
        HostOutcome::Interrupted
    );
    raising.join().expect("it raised");
    assert!(!queue.is_waited_on());
    queue.push(b"typed");
    // What needs no wait is not interrupted.
    assert_eq!(guest.read(0, 10), Ok(b"typed".to_vec()));
    guest.interrupt.take();
}

#[test]
fn a_read_that_must_not_wait_does_not() {
    let (queue, mut guest) = with_queue();
    assert_eq!(guest.errno("fd_fdstat_set_flags", &[0, 4]), Ok(()));
    assert_eq!(guest.read(0, 10), Err(Errno::Again));
    queue.push(b"x");
    assert_eq!(guest.read(0, 10), Ok(b"x".to_vec()));
    assert_eq!(guest.read(0, 0), Ok(Vec::new()));
}

#[test]
fn standard_input_from_a_file_keeps_its_place_in_the_state() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("input");
    fs::write(&path, "some input").expect("a file");
    let mut guest = Guest::new(WasiConfig::new().stdin(StdinSource::File(path)));
    assert_eq!(guest.read(0, 5), Ok(b"some ".to_vec()));
    let old = Arc::clone(&guest.state);
    assert_eq!(guest.read(0, 50), Ok(b"input".to_vec()));
    assert_eq!(guest.read(0, 50), Ok(Vec::new()));
    guest.state = old;
    assert_eq!(guest.read(0, 50), Ok(b"input".to_vec()));
    guest
        .errno("fd_filestat_get", &[0, RESULT])
        .expect("a file");
    assert_eq!(guest.u64(RESULT + 32), 10);
    let mut empty = Guest::new(WasiConfig::new());
    assert_eq!(empty.read(0, 50), Ok(Vec::new()));
}

#[test]
fn a_pipe_as_standard_input_is_kept_too() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("pipe");
    rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
    let writing = thread::spawn({
        let path = path.clone();
        move || fs::write(path, "through the pipe").expect("somebody reads")
    });
    let mut guest = Guest::new(WasiConfig::new().stdin(StdinSource::File(path)));
    let start = Arc::clone(&guest.state);
    assert_eq!(guest.read(0, 8), Ok(b"through ".to_vec()));
    writing.join().expect("it wrote");
    assert_eq!(guest.read(0, 100), Ok(b"the pipe".to_vec()));
    assert_eq!(guest.read(0, 100), Ok(Vec::new()));
    guest.state = start;
    assert_eq!(guest.read(0, 7), Ok(b"through".to_vec()));
    assert_eq!(guest.read(0, 100), Ok(b" the pipe".to_vec()));
}

#[test]
fn a_pipe_that_nobody_serves_neither_blocks_nor_misses_an_interrupt() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("pipe");
    rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
    let mut guest = Guest::in_directory(directory.path());
    let rights = Rights::FD_READ | Rights::POLL_FD_READWRITE;
    let fd = guest
        .open_with(ROOT, "pipe", OpenFlags::empty(), rights)
        .expect("it does not block");
    assert_eq!(
        guest
            .open_with(ROOT, "pipe", OpenFlags::empty(), Rights::FD_SEEK)
            .map(|_| ()),
        Ok(())
    );
    let writer = fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .expect("the guest reads");
    guest.interrupt.raise();
    guest.buffers(&[(DATA, 10)]);
    let args = [u64::from(fd), BUFFERS, 1, RESULT];
    assert_eq!(guest.call("fd_read", &args), HostOutcome::Interrupted);
    guest.interrupt.take();
    let timed = [Wanted::Read(fd), Wanted::Clock(1, 30 * MILLISECOND, false)];
    assert_eq!(poll(&mut guest, &timed), [(101, 0, 0, 0, false)]);
    std::io::Write::write_all(&mut &writer, b"ab").expect("the guest reads");
    assert_eq!(poll(&mut guest, &timed), [(100, 0, 1, 2, false)]);
    assert_eq!(guest.read(fd, 10), Ok(b"ab".to_vec()));
    assert_eq!(guest.seek(fd, 0, 0), Err(Errno::NotCapable));
}

#[test]
fn sleeps_last_as_long_as_asked() {
    let mut guest = Guest::new(WasiConfig::new());
    for clock in [0, 1] {
        let start = Instant::now();
        let event = poll(&mut guest, &[Wanted::Clock(clock, 30 * MILLISECOND, false)]);
        assert_eq!(event, [(100, 0, 0, 0, false)]);
        assert!(start.elapsed() >= Duration::from_millis(30));
        guest
            .errno("clock_time_get", &[u64::from(clock), 0, RESULT])
            .expect("a clock");
        let deadline = guest.u64(RESULT) + 30 * MILLISECOND;
        poll(&mut guest, &[Wanted::Clock(clock, deadline, true)]);
        guest
            .errno("clock_time_get", &[u64::from(clock), 0, RESULT])
            .expect("a clock");
        assert!(guest.u64(RESULT) >= deadline);
    }
    // Of two clocks the earlier ends the wait, alone.
    let two = [
        Wanted::Clock(1, u64::MAX, false),
        Wanted::Clock(1, MILLISECOND, false),
    ];
    assert_eq!(poll(&mut guest, &two), [(101, 0, 0, 0, false)]);
    // A time that has passed is an event at once.
    assert_eq!(poll(&mut guest, &[Wanted::Clock(0, 1, true)]).len(), 1);
}

#[test]
fn an_interrupted_sleep_goes_on_to_its_end() {
    let mut guest = Guest::new(WasiConfig::new());
    let start = Instant::now();
    let args = subscribe(&mut guest, &[Wanted::Clock(1, 300 * MILLISECOND, false)]);
    let interrupt = guest.interrupt.clone();
    let raising = thread::spawn(move || {
        thread::sleep(Duration::from_millis(100));
        interrupt.raise();
    });
    assert_eq!(guest.call("poll_oneoff", &args), HostOutcome::Interrupted);
    raising.join().expect("it raised");
    assert!(
        start.elapsed() < Duration::from_millis(290),
        "{:?}",
        start.elapsed()
    );
    guest.interrupt.take();
    guest.errno("poll_oneoff", &args).expect("a valid poll");
    let elapsed = start.elapsed();
    assert!(elapsed >= Duration::from_millis(300), "{elapsed:?}");
    // Begun anew, it would have lasted beyond 400.
    assert!(elapsed < Duration::from_millis(390), "{elapsed:?}");
    // The next sleep is a new one.
    let start = Instant::now();
    guest.errno("poll_oneoff", &args).expect("a valid poll");
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[test]
fn a_poll_waits_for_what_is_typed() {
    let (queue, mut guest) = with_queue();
    let timed = [
        Wanted::Read(0),
        Wanted::Clock(1, 20_000 * MILLISECOND, false),
    ];
    let typist = queue.clone();
    let typing = when_waited_on(&queue, move || {
        typist.push(b"abc");
    });
    assert_eq!(poll(&mut guest, &timed), [(100, 0, 1, 3, false)]);
    typing.join().expect("it typed");
    // Polling consumes nothing.
    assert_eq!(guest.read(0, 10), Ok(b"abc".to_vec()));
    let interrupt = guest.interrupt.clone();
    let raising = when_waited_on(&queue, move || interrupt.raise());
    let args = subscribe(&mut guest, &timed);
    assert_eq!(guest.call("poll_oneoff", &args), HostOutcome::Interrupted);
    raising.join().expect("it raised");
    guest.interrupt.take();
    queue.close();
    assert_eq!(poll(&mut guest, &timed), [(100, 0, 1, 0, true)]);
}

#[test]
fn polls_report_all_that_is_ready_and_each_error() {
    let directory = TempDir::new().expect("a temporary directory");
    fs::write(directory.path().join("file"), "0123456789").expect("a file");
    let mut guest = Guest::in_directory(directory.path());
    let file = guest.open("file", OpenFlags::empty()).expect("it exists");
    guest.seek(file, 4, 0).expect("a file");
    let wanted = [
        Wanted::Clock(1, u64::MAX, false),
        Wanted::Read(file),
        Wanted::Write(1),
        Wanted::Read(77),
        Wanted::Write(0),
        Wanted::Clock(2, 5, false),
        Wanted::Clock(9, 5, false),
        Wanted::Read(0),
    ];
    let expected = [
        (101, 0, 1, 6, false),
        (102, 0, 2, 4096, false),
        (103, Errno::Badf.number(), 1, 0, false),
        (104, Errno::NotCapable.number(), 2, 0, false),
        (105, Errno::NotSup.number(), 0, 0, false),
        (106, Errno::Inval.number(), 0, 0, false),
        (107, 0, 1, 0, true),
    ];
    assert_eq!(poll(&mut guest, &wanted), expected);
}

#[test]
fn polls_are_checked() {
    let mut guest = Guest::new(WasiConfig::new());
    let [subscriptions, events, count, result] =
        subscribe(&mut guest, &[Wanted::Clock(1, 0, false)]);
    let end = MEMORY_BYTES;
    assert_eq!(
        guest.errno("poll_oneoff", &[subscriptions, events, 0, result]),
        Err(Errno::Inval)
    );
    assert_eq!(
        guest.errno("poll_oneoff", &[subscriptions, events, 1025, result]),
        Err(Errno::Inval)
    );
    assert_eq!(
        guest.errno("poll_oneoff", &[end - 47, events, count, result]),
        Err(Errno::Fault)
    );
    assert_eq!(
        guest.errno("poll_oneoff", &[subscriptions, end - 31, count, result]),
        Err(Errno::Fault)
    );
    assert_eq!(
        guest.errno("poll_oneoff", &[subscriptions, events, count, end - 3]),
        Err(Errno::Fault)
    );
    guest.put(subscriptions + 8, &[3]);
    assert_eq!(
        guest.errno("poll_oneoff", &[subscriptions, events, count, result]),
        Err(Errno::Inval)
    );
}

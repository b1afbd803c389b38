//! A program in a pseudo-terminal, and what its screen shows.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{LocalModes, tcgetattr};
use vt100::{Callbacks, MouseProtocolMode, Parser, Screen};

/// A test that waits longer than this has found a hang; slow machines take seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether a frame is being drawn: between the two sequences of mode 2026, "synchronised output",
/// a screen is half of one frame and half of another, and a terminal does not show it.
#[derive(Default)]
struct Frames {
    drawing: bool,
}

impl Callbacks for Frames {
    fn unhandled_csi(
        &mut self,
        _: &mut Screen,
        intermediate: Option<u8>,
        _: Option<u8>,
        parameters: &[&[u16]],
        last: char,
    ) {
        if intermediate == Some(b'?') && parameters == [[2026]] {
            self.drawing = last == 'h';
        }
    }
}

/// What the reading thread and the test share.
struct Display {
    parser: Mutex<Parser<Frames>>,
    changed: Condvar,
}

impl Display {
    fn lock(&self) -> MutexGuard<'_, Parser<Frames>> {
        self.parser.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// wdb in a terminal of its own.
pub(crate) struct Terminal {
    pty: Arc<Pty>,
    display: Arc<Display>,
    child: Child,
    /// Keeps what the program remembers away from the user's own files; `None` if the test does.
    _state: Option<tempfile::TempDir>,
}

impl Terminal {
    /// Starts wdb from the repository's root.
    pub(crate) fn start(columns: u16, rows: u16, arguments: &[&str]) -> Terminal {
        let state = tempfile::tempdir().expect("a temporary directory can be made");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut terminal = Terminal::start_in(columns, rows, root, state.path(), arguments);
        terminal._state = Some(state);
        terminal
    }

    /// Starts wdb in a directory, with another one for its own files.
    pub(crate) fn start_in(
        columns: u16,
        rows: u16,
        directory: &Path,
        state: &Path,
        arguments: &[&str],
    ) -> Terminal {
        let (pty, pts) = open().expect("the system has pseudo-terminals");
        pty.resize(Size::new(rows, columns))
            .expect("the terminal can be resized");
        let child = Command::new(env!("CARGO_BIN_EXE_wdb"))
            .args(arguments)
            .current_dir(directory)
            .env("TERM", "xterm-256color")
            .env("XDG_STATE_HOME", state)
            .env("XDG_CONFIG_HOME", state)
            .env_remove("NO_COLOR")
            .spawn(pts)
            .expect("wdb starts");
        let pty = Arc::new(pty);
        let display = Arc::new(Display {
            parser: Mutex::new(Parser::new_with_callbacks(
                positive(rows),
                positive(columns),
                0,
                Frames::default(),
            )),
            changed: Condvar::new(),
        });
        let (reader, shown) = (Arc::clone(&pty), Arc::clone(&display));
        thread::spawn(move || {
            let mut bytes = [0; 1 << 14];
            // Reading fails when the program has left the terminal.
            while let Ok(count @ 1..) = (&*reader).read(&mut bytes) {
                shown.lock().process(&bytes[..count]);
                shown.changed.notify_all();
            }
        });
        Terminal {
            pty,
            display,
            child,
            _state: None,
        }
    }

    /// Presses keys.
    pub(crate) fn press(&self, keys: &str) {
        (&*self.pty)
            .write_all(keys.as_bytes())
            .expect("the terminal takes keys");
    }

    /// Gives the terminal another size.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        let mut parser = self.display.lock();
        parser
            .screen_mut()
            .set_size(positive(rows), positive(columns));
        self.pty
            .resize(Size::new(rows, columns))
            .expect("the terminal can be resized");
    }

    /// Waits until the screen is as it should be; shows it when that does not happen.
    pub(crate) fn wait_until(&self, what: &str, is_so: impl Fn(&Screen) -> bool) -> Screen {
        let deadline = Instant::now() + PATIENCE;
        let mut parser = self.display.lock();
        while parser.callbacks().drawing || !is_so(parser.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "waited in vain: {what}; the screen:\n{}",
                parser.screen().contents()
            );
            let waited = self.display.changed.wait_timeout(parser, left);
            parser = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        parser.screen().clone()
    }

    /// Waits for a text anywhere on the screen.
    pub(crate) fn wait_for(&self, text: &str) -> Screen {
        self.wait_until(text, |screen| screen.contents().contains(text))
    }

    /// Asks the process to end.
    pub(crate) fn terminate(&self) {
        let process = Pid::from_child(&self.child);
        kill_process(process, Signal::TERM).expect("the process takes a signal");
    }

    /// Waits for the program's end, and checks that it left the terminal as it found it.
    pub(crate) fn wait_for_end(mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            match self
                .child
                .try_wait()
                .expect("the process can be waited for")
            {
                Some(status) => break status,
                None => thread::sleep(Duration::from_millis(10)),
            }
            assert!(
                Instant::now() < deadline,
                "wdb does not end; the screen:\n{}",
                self.display.lock().screen().contents()
            );
        };
        self.wait_until("the terminal's modes are undone", |screen| {
            !screen.alternate_screen()
                && !screen.hide_cursor()
                && !screen.bracketed_paste()
                && screen.mouse_protocol_mode() == MouseProtocolMode::None
        });
        let modes = tcgetattr(&*self.pty)
            .expect("the terminal has modes")
            .local_modes;
        assert!(
            modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG),
            "the terminal is left in raw mode: {modes:?}"
        );
        status
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A failed test leaves the program running; one that has ended cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn positive(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("a terminal has rows and columns")
}

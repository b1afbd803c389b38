//! A `wdb gdbserver` of a scenario's own.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::Failed;

/// A server. It ends with the scenario.
pub(crate) struct Server {
    child: Child,
    /// Kept open: the program's standard input does not end.
    _stdin: Option<ChildStdin>,
    pub(crate) address: String,
}

impl Server {
    /// Starts one and waits until it listens.
    pub(crate) fn start(
        address: &str,
        options: &[String],
        program: &[String],
    ) -> Result<Server, Failed> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_wdb"))
            .arg("gdbserver")
            .args(options)
            .arg(address)
            .args(program)
            .current_dir(crate::root())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take();
        let stderr = child.stderr.take().ok_or("the standard error is a pipe")?;
        let mut lines = BufReader::new(stderr).lines();
        let listening = lines
            .find_map(|line| line.ok()?.strip_prefix("Listening on ").map(str::to_owned))
            .ok_or("wdb does not listen")?;
        // The rest must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Server {
            child,
            _stdin: stdin,
            address: listening,
        })
    }

    /// Waits for the server's end, which a client that ended the program brings about.
    pub(crate) fn is_gone(&mut self, wait: Duration) -> bool {
        let began = Instant::now();
        while began.elapsed() < wait {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

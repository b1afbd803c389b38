//! A `wdb gdbserver` of a scenario's own.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use libtest_mimic::Failed;

/// A server. It ends with the scenario.
pub(crate) struct Server {
    child: Child,
    /// Kept open: the program's standard input does not end.
    _stdin: Option<ChildStdin>,
    /// Reads what it writes to its standard error.
    errors: Option<JoinHandle<String>>,
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
        let errors = std::thread::spawn(move || {
            let lines = lines.map_while(Result::ok);
            lines.map(|line| format!("{line}\n")).collect()
        });
        Ok(Server {
            child,
            _stdin: stdin,
            errors: Some(errors),
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

    /// Waits for the server's end: its exit status, and what it wrote to its standard error.
    pub(crate) fn ending(&mut self, wait: Duration) -> Result<String, Failed> {
        if !self.is_gone(wait) {
            return Err("the server does not end".into());
        }
        let status = self.child.wait()?;
        let errors = self.errors.take().ok_or("it ends once")?;
        let errors = errors.join().map_err(|_| "the reader panicked")?;
        Ok(format!("(server) {status}\n{errors}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

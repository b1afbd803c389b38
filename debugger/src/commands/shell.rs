//! Commands of the operating system: `shell` and `make`.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::debugger::Debugger;
use crate::error::Error;

/// How long an interrupt waits to be seen.
const POLL: Duration = Duration::from_millis(20);

pub(super) fn shell(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if arguments.is_empty() {
        return Err(Error::other(
            "shell needs a command: wdb has the terminal, so that no shell can talk to you there.",
        ));
    }
    // The same shell for everybody, so that scripts mean the same everywhere.
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(arguments);
    debugger.perform_process(command)
}

pub(super) fn make(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    shell(debugger, format!("make {arguments}").trim_end())
}

impl Debugger {
    /// Runs a process and tells what it writes, line by line; it has nothing to read. `$_shell_exitcode` is its status then.
    fn perform_process(&mut self, mut command: Command) -> Result<(), Error> {
        let (reader, writer) =
            std::io::pipe().map_err(|error| Error::Other(format!("{error}.")))?;
        let other = writer
            .try_clone()
            .map_err(|error| Error::Other(format!("{error}.")))?;
        command
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(other);
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command
            .spawn()
            .map_err(|error| Error::Other(format!("{name}: {error}.")))?;
        // It holds the pipe's other end as long as it lives.
        drop(command);
        let result = self.tell_output(child, reader);
        self.end_line();
        let status = result?;
        let info = self.program.info();
        let int = info.base_type(wdb_dwarf::BaseEncoding::Signed, 4);
        self.set_convenience("_shell_exitcode", int, i128::from(status));
        Ok(())
    }

    fn tell_output(
        &self,
        mut child: Child,
        mut reader: impl Read + Send + 'static,
    ) -> Result<i32, Error> {
        let (sender, chunks) = channel();
        let reading = move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        };
        thread::Builder::new()
            .name("wdb-shell".to_owned())
            .spawn(reading)
            .map_err(|error| Error::Other(format!("{error}.")))?;
        let fail = |error: std::io::Error| Error::Other(format!("{error}."));
        let mut undecoded = Vec::new();
        loop {
            match chunks.recv_timeout(POLL) {
                Ok(chunk) => {
                    undecoded.extend(chunk);
                    self.print_text(&take_text(&mut undecoded));
                }
                Err(RecvTimeoutError::Timeout) if self.shared.is_cancelled() => {
                    child.kill().map_err(fail)?;
                    child.wait().map_err(fail)?;
                    return Err(Error::other("Interrupted."));
                }
                // What it started in the background may hold the pipe still.
                Err(RecvTimeoutError::Timeout) => match child.try_wait().map_err(fail)? {
                    Some(status) => return Ok(status.code().unwrap_or(-1)),
                    None => continue,
                },
                Err(RecvTimeoutError::Disconnected) => {
                    self.print_text(&String::from_utf8_lossy(&undecoded));
                    return Ok(child.wait().map_err(fail)?.code().unwrap_or(-1));
                }
            }
        }
    }
}

/// The text that bytes begin with; an incomplete character at their end stays.
fn take_text(bytes: &mut Vec<u8>) -> String {
    let end = match std::str::from_utf8(bytes) {
        Ok(text) => text.len(),
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Err(_) => bytes.len(),
    };
    let rest = bytes.split_off(end);
    let text = String::from_utf8_lossy(bytes).into_owned();
    *bytes = rest;
    text
}

#[cfg(test)]
mod tests {
    use super::take_text;

    #[test]
    fn characters_are_not_cut_apart() {
        let mut bytes = "aé".as_bytes().to_vec();
        let last = bytes.pop().expect("it has bytes");
        assert_eq!(take_text(&mut bytes), "a");
        bytes.push(last);
        assert_eq!(take_text(&mut bytes), "é");
        let mut bytes = vec![b'a', 0xff, b'b'];
        assert_eq!(take_text(&mut bytes), "a\u{fffd}b");
    }
}

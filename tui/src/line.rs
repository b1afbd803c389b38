//! The line mode: a prompt, as in gdb.

mod pager;
mod prompt;

use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::thread;

use signal_hook::consts::SIGINT;
use signal_hook::iterator::Signals;
use wdb_debugger::event::{CommandStatus, Event, RequestId, Stream};
use wdb_debugger::json::event_line;
use wdb_debugger::session::Session;

use crate::error::FrontEndError;
use crate::history::history_path;
use crate::script::{Execution, Executor, ScriptItem, run_items};

use pager::Pager;
use prompt::{Prompt, Typed};

/// How the line mode runs.
#[derive(Clone, Debug)]
pub struct LineOptions {
    /// Execute the commands and leave: no prompt, and the standard input is the program's alone.
    pub batch: bool,
    /// What to execute first, in order.
    pub commands: Vec<ScriptItem>,
    /// Print one JSON object on each line of the standard output instead of text ([`wdb_debugger::json`]), and no prompt.
    pub json: bool,
    /// Where commands are remembered; `None` for nowhere.
    pub history: Option<PathBuf>,
}

impl Default for LineOptions {
    fn default() -> LineOptions {
        LineOptions {
            batch: false,
            commands: Vec::new(),
            json: false,
            history: history_path(),
        }
    }
}

/// A longer line is not a command.
const LINE_BYTES_MAX: usize = 1 << 20;

/// Runs the line mode to its end; returns the exit status.
///
/// Messages and the guest's standard output go to the standard output, errors and the guest's standard error to the
/// standard error, in the order in which they arise. When the standard input is no terminal, commands are read from it
/// line by line without a prompt. Ctrl-C stops the program, or clears the line at the prompt; the end of the input leaves.
///
/// The exit status is that of `quit`, or 1 if `batch` is set and the last command failed, as in gdb; else 0. When the
/// standard output is closed early, it is 1.
pub fn run(session: &Session, options: LineOptions) -> Result<i32, FrontEndError> {
    match run_to_end(session, options) {
        Err(FrontEndError::Stream(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(1),
        result => result,
    }
}

fn run_to_end(session: &Session, options: LineOptions) -> Result<i32, FrontEndError> {
    let mut client = Client {
        session: session.clone(),
        events: session.subscribe(),
        executing: Arc::new(AtomicBool::new(false)),
        json: options.json,
        is_prompting: false,
        pager: Pager::new(),
        has_progress: false,
    };
    let at_terminal = io::stdin().is_terminal() && !options.batch && !options.json;
    client.is_prompting = at_terminal && io::stdout().is_terminal();
    client.watch_interrupts(at_terminal)?;
    let outcome = run_items(&options.commands, &mut client)?;
    if let Some(status) = outcome.quit {
        return Ok(status);
    }
    if options.batch {
        return Ok(i32::from(outcome.failed));
    }
    if client.is_prompting {
        client.prompt(options.history)
    } else {
        client.read_commands(at_terminal)
    }
}

/// The session as the line mode uses it: one command at a time, its events printed until it is done.
struct Client {
    session: Session,
    events: Receiver<Event>,
    /// Whether a command is under way, which Ctrl-C then interrupts.
    executing: Arc<AtomicBool>,
    json: bool,
    /// Whether somebody reads and types at a terminal.
    is_prompting: bool,
    pager: Pager,
    /// Whether the last line on the terminal tells how far a command has come.
    has_progress: bool,
}

impl Client {
    /// At a prompt the line editor reads Ctrl-C as a key. Everywhere else it is a signal: it stops a command that is
    /// under way, and ends a wdb that reads commands from a pipe.
    fn watch_interrupts(&self, at_terminal: bool) -> Result<(), FrontEndError> {
        let mut signals = Signals::new([SIGINT]).map_err(FrontEndError::Signals)?;
        let session = self.session.clone();
        let executing = Arc::clone(&self.executing);
        thread::Builder::new()
            .name("wdb-signals".to_owned())
            .spawn(move || {
                for signal in &mut signals {
                    if executing.load(Ordering::SeqCst) {
                        session.interrupt();
                    } else if !at_terminal {
                        // Without the emulation the shell would not learn that Ctrl-C ended a loop of commands.
                        let _ = signal_hook::low_level::emulate_default_handler(signal);
                    }
                }
            })
            .map_err(FrontEndError::Thread)?;
        Ok(())
    }

    /// Reads commands from a pipe or a file. Bytes are read one by one: what follows the command that runs the program
    /// may be the program's input.
    fn read_commands(&mut self, show_prompt: bool) -> Result<i32, FrontEndError> {
        let mut input = standard_input()?;
        loop {
            if show_prompt {
                write_all(&mut io::stderr().lock(), self.session.prompt().as_bytes())?;
            }
            let Some(line) = read_line(&mut input)? else {
                self.end_input()?;
                return Ok(0);
            };
            if let Execution::Quit(status) = self.execute(&line)? {
                return Ok(status);
            }
        }
    }

    fn prompt(&mut self, history: Option<PathBuf>) -> Result<i32, FrontEndError> {
        let mut prompt = Prompt::new(&self.session, history)?;
        let status = self.prompt_until_left(&mut prompt)?;
        prompt.save(&self.session.preferences());
        Ok(status)
    }

    fn prompt_until_left(&mut self, prompt: &mut Prompt) -> Result<i32, FrontEndError> {
        loop {
            if !self.session.preferences().editing {
                let Some(status) = self.read_plain()? else {
                    continue;
                };
                return Ok(status);
            }
            match prompt.read(&self.session.prompt())? {
                Typed::Line(text) => {
                    if let Some(status) = self.execute_typed(&text, prompt)? {
                        return Ok(status);
                    }
                }
                Typed::Interrupt => {
                    self.end_input()?;
                }
                Typed::End if self.session.is_block_open() => {
                    self.end_input()?;
                }
                Typed::End => {
                    write_all(&mut io::stdout().lock(), b"quit\n")?;
                    if self.is_confirmed("quit", prompt)? {
                        return Ok(0);
                    }
                }
            }
        }
    }

    /// Executes what was typed: several lines if they were pasted. Answers the exit status at the end.
    fn execute_typed(
        &mut self,
        text: &str,
        prompt: &mut Prompt,
    ) -> Result<Option<i32>, FrontEndError> {
        // Nothing typed is a line, too: it repeats the last command.
        let lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
        for line in lines {
            prompt.remember(line, &self.session.preferences());
            if !self.is_confirmed(line, prompt)? {
                continue;
            }
            if let Execution::Quit(status) = self.execute(line)? {
                return Ok(Some(status));
            }
        }
        Ok(None)
    }

    /// Reads one command at a terminal without an editor; answers the exit status at the end.
    fn read_plain(&mut self) -> Result<Option<i32>, FrontEndError> {
        write_all(&mut io::stdout().lock(), self.session.prompt().as_bytes())?;
        match read_line(&mut standard_input()?)? {
            None => {
                self.end_input()?;
                Ok(Some(0))
            }
            Some(line) => Ok(match self.execute(&line)? {
                Execution::Quit(status) => Some(status),
                _ => None,
            }),
        }
    }

    /// Asks before a command that cannot be taken back. Ctrl-C is a no; Ctrl-D lets leave who wants to leave.
    fn is_confirmed(&self, line: &str, prompt: &mut Prompt) -> Result<bool, FrontEndError> {
        let Some(question) = self.session.question(line) else {
            return Ok(true);
        };
        loop {
            match prompt.read(&format!("{question} (y or n) "))? {
                Typed::Interrupt => return Ok(false),
                Typed::End => {
                    write_all(&mut io::stdout().lock(), b"\n")?;
                    return Ok(line == "quit");
                }
                Typed::Line(answer) => match answer.trim().to_ascii_lowercase().as_str() {
                    "y" | "yes" => return Ok(true),
                    "n" | "no" => return Ok(false),
                    _ => write_all(&mut io::stdout().lock(), b"Please answer y or n.\n")?,
                },
            }
        }
    }

    fn print(&mut self, event: &Event, command: &str) -> Result<(), FrontEndError> {
        if self.json {
            return match event_line(event, command) {
                Some(line) => write_all(&mut io::stdout().lock(), format!("{line}\n").as_bytes()),
                None => Ok(()),
            };
        }
        if let Event::Progress(text) = event {
            return self.print_progress(text);
        }
        self.clear_progress()?;
        match event {
            Event::Output {
                stream: Stream::Stdout,
                bytes,
            } => write_all(&mut io::stdout().lock(), bytes),
            Event::Output {
                stream: Stream::Stderr,
                bytes,
            } => write_all(&mut io::stderr().lock(), bytes),
            Event::Message(text) => {
                let has_enough = self.pager.print(text).map_err(FrontEndError::Stream)?;
                if has_enough {
                    // What else the command would do was to be read.
                    self.session.interrupt();
                }
                Ok(())
            }
            Event::Error(text) => {
                write_all(&mut io::stderr().lock(), format!("{text}\n").as_bytes())
            }
            Event::Running
            | Event::Progress(_)
            | Event::Json(_)
            | Event::Stopped(_)
            | Event::Changed(_)
            | Event::Done { .. } => Ok(()),
        }
    }

    /// Shows how far a command has come, in one line that changes. Scripts are told nothing.
    fn print_progress(&mut self, text: &str) -> Result<(), FrontEndError> {
        if !self.is_prompting {
            return Ok(());
        }
        self.has_progress = true;
        write_all(
            &mut io::stdout().lock(),
            format!("\r{text}\x1b[K").as_bytes(),
        )
    }

    fn clear_progress(&mut self) -> Result<(), FrontEndError> {
        match std::mem::take(&mut self.has_progress) {
            true => write_all(&mut io::stdout().lock(), b"\r\x1b[K"),
            false => Ok(()),
        }
    }
}

impl Executor for Client {
    fn execute(&mut self, line: &str) -> Result<Execution, FrontEndError> {
        self.pager
            .begin(&self.session.preferences(), self.is_prompting);
        self.executing.store(true, Ordering::SeqCst);
        let submitted = self.session.submit(line);
        self.follow(submitted, line)
    }

    fn end_input(&mut self) -> Result<Execution, FrontEndError> {
        if !self.session.is_block_open() {
            return Ok(Execution::Success);
        }
        let submitted = self.session.submit_end_of_input();
        self.follow(submitted, "")
    }

    fn error(&mut self, text: &str) -> Result<(), FrontEndError> {
        write_all(&mut io::stderr().lock(), format!("{text}\n").as_bytes())
    }
}

impl Client {
    /// Prints what comes until a request is done.
    fn follow(&mut self, submitted: RequestId, line: &str) -> Result<Execution, FrontEndError> {
        let status = loop {
            // The session's end would be a broken invariant of its own; there is nothing left to talk to then.
            let Ok(event) = self.events.recv() else {
                break CommandStatus::Quit(1);
            };
            self.print(&event, line)?;
            if let Event::Done { request, status } = event
                && request == submitted
            {
                break status;
            }
        };
        self.executing.store(false, Ordering::SeqCst);
        Ok(match status {
            CommandStatus::Success => Execution::Success,
            CommandStatus::Failure => Execution::Failure,
            CommandStatus::Quit(status) => Execution::Quit(status),
        })
    }
}

/// The standard input without a buffer: what is not asked for stays for others.
fn standard_input() -> Result<std::fs::File, FrontEndError> {
    let descriptor = io::stdin().as_fd().try_clone_to_owned();
    descriptor
        .map(std::fs::File::from)
        .map_err(FrontEndError::Stream)
}

fn write_all(stream: &mut dyn Write, bytes: &[u8]) -> Result<(), FrontEndError> {
    stream
        .write_all(bytes)
        .and_then(|()| stream.flush())
        .map_err(FrontEndError::Stream)
}

/// Reads up to a line's end, which is not part of the result; `None` at the end of the input.
fn read_line(input: &mut dyn Read) -> Result<Option<String>, FrontEndError> {
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        match input.read(&mut byte) {
            Ok(0) if line.is_empty() => return Ok(None),
            Ok(0) => break,
            Ok(_) if byte[0] == b'\n' => break,
            Ok(_) if line.len() < LINE_BYTES_MAX => line.push(byte[0]),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(FrontEndError::Stream(error)),
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(Some(String::from_utf8_lossy(&line).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::read_line;

    #[test]
    fn lines_end_at_either_line_end_and_at_the_end_of_the_input() {
        let mut input: &[u8] = b"one\r\n\ntwo";
        let mut next = || read_line(&mut input).expect("a slice can be read");
        assert_eq!(next().as_deref(), Some("one"));
        assert_eq!(next().as_deref(), Some(""));
        assert_eq!(next().as_deref(), Some("two"));
        assert_eq!(next(), None);
    }
}

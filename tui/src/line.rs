//! The line mode: a prompt, as in gdb.

use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::thread;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{Context, Editor, Helper};
use signal_hook::consts::SIGINT;
use signal_hook::iterator::Signals;
use wdb_debugger::event::{CommandStatus, Event, RequestId, Stream};
use wdb_debugger::json::event_line;
use wdb_debugger::session::Session;

use crate::error::FrontEndError;
use crate::history::{editor_config, history_path, make_parent};
use crate::script::{Execution, Executor, ScriptItem, run_items};

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
    };
    let at_terminal = io::stdin().is_terminal() && !options.batch && !options.json;
    client.watch_interrupts(at_terminal)?;
    let outcome = run_items(&options.commands, &mut client)?;
    if let Some(status) = outcome.quit {
        return Ok(status);
    }
    if options.batch {
        return Ok(i32::from(outcome.failed));
    }
    if at_terminal && io::stdout().is_terminal() {
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
        let descriptor = io::stdin()
            .as_fd()
            .try_clone_to_owned()
            .map_err(FrontEndError::Stream)?;
        let mut input = std::fs::File::from(descriptor);
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
        let mut editor: Editor<CommandHelper, FileHistory> =
            Editor::with_config(editor_config()).map_err(FrontEndError::Line)?;
        editor.set_helper(Some(CommandHelper {
            session: self.session.clone(),
        }));
        if let Some(path) = &history {
            // A missing file is the ordinary case of the first session.
            let _ = editor.load_history(path);
        }
        let status = loop {
            match editor.readline(&self.session.prompt()) {
                Ok(line) => {
                    if !line.trim().is_empty() {
                        // The history keeps no duplicates; whether this is one does not matter.
                        let _ = editor.add_history_entry(line.as_str());
                    }
                    if let Execution::Quit(status) = self.execute(&line)? {
                        break status;
                    }
                }
                Err(ReadlineError::Interrupted) => {
                    self.end_input()?;
                }
                Err(ReadlineError::Eof) if self.session.is_block_open() => {
                    self.end_input()?;
                }
                Err(ReadlineError::Eof) => {
                    write_all(&mut io::stdout().lock(), b"quit\n")?;
                    break 0;
                }
                Err(error) => return Err(FrontEndError::Line(error)),
            }
        };
        if let Some(path) = &history
            && make_parent(path)
        {
            let _ = editor.append_history(path);
        }
        Ok(status)
    }

    fn print(&self, event: &Event, command: &str) -> Result<(), FrontEndError> {
        if self.json {
            return match event_line(event, command) {
                Some(line) => write_all(&mut io::stdout().lock(), format!("{line}\n").as_bytes()),
                None => Ok(()),
            };
        }
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
                write_all(&mut io::stdout().lock(), format!("{text}\n").as_bytes())
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
}

impl Executor for Client {
    fn execute(&mut self, line: &str) -> Result<Execution, FrontEndError> {
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

/// Completes commands through the session.
struct CommandHelper {
    session: Session,
}

impl Completer for CommandHelper {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let completions = self.session.complete(line, position);
        Ok((completions.start, completions.candidates))
    }
}

impl Hinter for CommandHelper {
    type Hint = String;
}

impl Highlighter for CommandHelper {}

impl Validator for CommandHelper {}

impl Helper for CommandHelper {}

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

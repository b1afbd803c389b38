//! The threads that feed the screen: terminal, session, signals, look-ups, scripts. Each ends when the screen does.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use crossterm::event as terminal;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use wdb_debugger::event::{CommandStatus, Event};
use wdb_debugger::session::Session;
use wdb_debugger::view::SourceSpot;

use crate::error::FrontEndError;
use crate::screen::app::{Answer, Question};
use crate::screen::output_buffer::OutputBuffer;
use crate::screen::syntax::Colours;
use crate::script::{Execution, Executor, ScriptItem, run_items};

/// What arrives at the screen.
pub(crate) enum Input {
    /// A key, the mouse, another size.
    Terminal(terminal::Event),
    /// The terminal cannot be read.
    TerminalFailed(io::Error),
    /// Something other than output happened in the session.
    Session(Event),
    /// The guest wrote; the output is in the buffer.
    Output,
    /// Something was looked up.
    Answer(Answer),
    /// Lines were coloured.
    Colours(Colours),
    /// The process was asked to interrupt what runs.
    Interrupt,
    /// The process was continued after it had been stopped.
    Continued,
    /// The process was asked to end.
    Terminate(i32),
    /// The commands given at the start failed on their own account.
    ScriptError(String),
    /// The commands given at the start asked to leave.
    ScriptQuit(i32),
}

fn spawn(
    name: &str,
    body: impl FnOnce() + Send + 'static,
) -> Result<thread::JoinHandle<()>, FrontEndError> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(FrontEndError::Thread)
}

/// Reads the terminal until it is dropped or stopped.
pub(crate) struct TerminalReader {
    ends: Arc<AtomicBool>,
    thread: thread::JoinHandle<()>,
}

impl TerminalReader {
    /// How long the reader may take to notice its end.
    const POLL: Duration = Duration::from_millis(50);

    /// Starts reading.
    pub(crate) fn start(inputs: Sender<Input>) -> Result<TerminalReader, FrontEndError> {
        let ends = Arc::new(AtomicBool::new(false));
        let seen_ends = Arc::clone(&ends);
        let thread = spawn("wdb-keys", move || {
            while !seen_ends.load(Ordering::SeqCst) {
                let event = match terminal::poll(Self::POLL) {
                    Ok(false) => continue,
                    Ok(true) => terminal::read(),
                    Err(error) => Err(error),
                };
                let (input, failed) = match event {
                    Ok(event) => (Input::Terminal(event), false),
                    Err(error) => (Input::TerminalFailed(error), true),
                };
                if inputs.send(input).is_err() || failed {
                    break;
                }
            }
        })?;
        Ok(TerminalReader { ends, thread })
    }

    /// Waits until the terminal is no longer read. Dropping does not wait: when the terminal is gone, the reader may
    /// never come back from it.
    pub(crate) fn stop(self) {
        self.ends.store(true, Ordering::SeqCst);
        while !self.thread.is_finished() {
            thread::sleep(Self::POLL / 10);
        }
    }
}

impl Drop for TerminalReader {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
    }
}

/// Forwards the session's events, and collects the guest's output.
pub(crate) fn start_session_reader(
    events: Receiver<Event>,
    output: Arc<OutputBuffer>,
    inputs: Sender<Input>,
) -> Result<(), FrontEndError> {
    spawn("wdb-events", move || {
        for event in events {
            let input = match event {
                Event::Output { stream, bytes } => {
                    if !output.push(stream, &bytes) {
                        continue;
                    }
                    Input::Output
                }
                event => Input::Session(event),
            };
            if inputs.send(input).is_err() {
                break;
            }
        }
    })?;
    Ok(())
}

/// Forwards signals.
pub(crate) fn start_signal_reader(inputs: Sender<Input>) -> Result<(), FrontEndError> {
    let mut signals =
        Signals::new([SIGINT, SIGTERM, SIGHUP, SIGCONT]).map_err(FrontEndError::Signals)?;
    spawn("wdb-signals", move || {
        for signal in &mut signals {
            let input = match signal {
                SIGINT => Input::Interrupt,
                SIGCONT => Input::Continued,
                signal => Input::Terminate(128 + signal),
            };
            if inputs.send(input).is_err() {
                break;
            }
        }
    })?;
    Ok(())
}

/// Starts the thread that looks things up: reading a file or a large line table must not delay a frame.
pub(crate) fn start_look_ups(
    session: Session,
    inputs: Sender<Input>,
) -> Result<Sender<Question>, FrontEndError> {
    let (sender, questions) = channel();
    spawn("wdb-look-ups", move || {
        for question in questions {
            if inputs
                .send(Input::Answer(answer(&session, question)))
                .is_err()
            {
                break;
            }
        }
    })?;
    Ok(sender)
}

/// A line of a generic function may belong to thousands of instances; the cursor follows one of the first.
const LINE_PCS_MAX: usize = 256;

fn answer(session: &Session, question: Question) -> Answer {
    let program = session.program();
    match question {
        Question::Source(spot) => {
            let text = program
                .source_text(&spot)
                .map_err(|missing| missing.to_string());
            Answer::Source(spot.recorded, text)
        }
        Question::Disassembly(func_index) => {
            Answer::Disassembly(func_index, program.disassembly(func_index))
        }
        Question::FrameWithSource(frames) => {
            let has_source = |spot: &SourceSpot| program.source_text(spot).is_ok();
            let found = frames.into_iter().find(|(_, spot)| has_source(spot));
            Answer::FrameWithSource(found.map(|(index, _)| index))
        }
        Question::Spot(pc) => Answer::Spot(pc, program.spot_at(pc)),
        Question::LinePcs { recorded, line } => {
            let pcs = program
                .pcs_for_line(&recorded, line)
                .into_iter()
                .take(LINE_PCS_MAX)
                .map(|pc| (pc, program.func_at(pc)))
                .collect();
            Answer::LinePcs {
                recorded,
                line,
                pcs,
            }
        }
        Question::Memory {
            address,
            length,
            generation,
        } => Answer::Memory {
            address,
            generation,
            bytes: session.memory(address, length),
        },
        Question::Completions { line, position } => {
            let completions = session.complete(&line, position);
            Answer::Completions {
                line,
                start: completions.start,
                candidates: completions.candidates,
            }
        }
    }
}

/// Executes the commands given at the start; what they print arrives as events.
pub(crate) fn start_script(
    session: Session,
    items: Vec<ScriptItem>,
    inputs: Sender<Input>,
) -> Result<(), FrontEndError> {
    if items.is_empty() {
        return Ok(());
    }
    spawn("wdb-script", move || {
        let mut runner = ScriptRunner { session, inputs };
        // Sending is all that can fail, and only once the screen has ended.
        if let Ok(outcome) = run_items(&items, &mut runner)
            && let Some(status) = outcome.quit
        {
            let _ = runner.inputs.send(Input::ScriptQuit(status));
        }
    })?;
    Ok(())
}

struct ScriptRunner {
    session: Session,
    inputs: Sender<Input>,
}

impl Executor for ScriptRunner {
    fn end_input(&mut self) -> Result<Execution, FrontEndError> {
        // The error arrives as an event, as those of commands do.
        let is_open = self.session.is_block_open();
        if is_open {
            self.session.submit_end_of_input();
        }
        Ok(if is_open {
            Execution::Failure
        } else {
            Execution::Success
        })
    }

    fn execute(&mut self, line: &str) -> Result<Execution, FrontEndError> {
        Ok(match self.session.execute(line) {
            CommandStatus::Success => Execution::Success,
            CommandStatus::Failure => Execution::Failure,
            CommandStatus::Quit(status) => Execution::Quit(status),
        })
    }

    fn error(&mut self, text: &str) -> Result<(), FrontEndError> {
        // The screen may have ended meanwhile; the next command finds out.
        let _ = self.inputs.send(Input::ScriptError(text.to_owned()));
        Ok(())
    }
}

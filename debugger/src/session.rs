//! A session: the machine on its own thread, commands in, events and views out.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use wdb_vm::tier::{Bounds, Compile, Tier};

use crate::complete::{Completer, Completions};
use crate::debugger::Debugger;
use crate::error::OpenError;
use crate::event::{CommandStatus, Event, RequestId};
use crate::process::{self, PROGRAM_INSTANCE};
use crate::program::{Program, ProgramSource};
use crate::questions;
use crate::redirection::Redirections;
use crate::settings::Preferences;
use crate::shared::{Shared, lock};
use crate::view::View;

/// How a program is run and shown.
#[derive(Debug, Clone, Default)]
pub struct SessionOptions {
    /// The program's arguments after its own name.
    pub args: Vec<String>,
    /// The program's environment: names and values.
    pub env: Vec<(String, String)>,
    /// Directories of the host and the names under which the program sees them.
    pub dirs: Vec<(PathBuf, String)>,
    /// Prefixes of the paths that the debug info records, and what stands there on this machine.
    pub source_maps: Vec<(String, String)>,
    /// Whether imports that nothing provides trap when they are called, instead of keeping the program from starting.
    pub stub_imports: bool,
    /// Where the program's standard input comes from.
    pub stdin: StdinChoice,
    /// An exported function to call instead of `_start`, and its arguments.
    pub invoke: Option<(String, Vec<String>)>,
    /// Whether answers are told as JSON too ([`Event::Json`]).
    pub json: bool,
    /// What runs the program between stops.
    pub tier: Tier,
    /// When functions are validated, and translated for the fast tier.
    pub compile: Compile,
    /// How machine code sees to it that accesses stay within memories.
    pub bounds: Bounds,
    /// Whether machine code is named for profilers, in `/tmp/perf-PID.map`.
    pub perf_map: bool,
    /// Sources that are part of wdb: recorded path and text.
    pub embedded_sources: Vec<(String, String)>,
}

/// Where the program's standard input comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum StdinChoice {
    /// The standard input of wdb.
    #[default]
    Inherit,
    /// Nowhere: it has ended from the start.
    Empty,
    /// A file.
    File(PathBuf),
    /// [`Session::type_input`].
    Typed,
}

/// What a front end holds of a debugged program. Clones are the same session.
///
/// Commands are text in gdb's language; they are performed in the order in which they come in, on the machine's thread.
#[derive(Clone)]
pub struct Session {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    program: Arc<Program>,
    requests: Mutex<Sender<Request>>,
    last_request: AtomicU64,
}

/// What the machine's thread is asked for.
enum Request {
    Command {
        id: RequestId,
        line: String,
    },
    EndOfInput {
        id: RequestId,
    },
    Memory {
        address: u64,
        length: usize,
        reply: Sender<Vec<u8>>,
    },
    Members {
        expression: String,
        reply: Sender<Vec<String>>,
    },
    /// Something that a remote client asks for.
    Job(Job),
}

/// Work on the machine's thread.
pub(crate) type Job = Box<dyn FnOnce(&mut Debugger) + Send>;

/// How long a question waits for the machine's thread, which is idle nearly always.
const ANSWER_WAIT: Duration = Duration::from_millis(250);

impl Session {
    /// Opens a program and instantiates it. Nothing runs yet.
    ///
    /// # Errors
    /// The program cannot be read, is no valid module, or cannot be linked.
    pub fn open(source: ProgramSource, options: SessionOptions) -> Result<Session, OpenError> {
        let program = Arc::new(Program::open(
            source,
            options.compile,
            options.source_maps.clone(),
            options.embedded_sources.clone(),
        )?);
        let shared = Arc::new(Shared::default());
        let streams = process::Streams::Events(&shared);
        let vm = process::make_machine(&program, &options, &Redirections::default(), streams)
            .map_err(|message| OpenError::Instantiate {
                name: program.name().to_owned(),
                message,
            })?;
        let mut debugger = Debugger::new(shared.clone(), program.clone(), options, vm);
        shared.set_view(Arc::new(debugger.build_view()));
        program.validate_in_background();
        let (requests, receiver) = channel();
        thread::Builder::new()
            .name("wdb-machine".to_owned())
            .spawn(move || serve(debugger, &receiver))
            .map_err(OpenError::Thread)?;
        Ok(Session {
            inner: Arc::new(Inner {
                shared,
                program,
                requests: Mutex::new(requests),
                last_request: AtomicU64::new(0),
            }),
        })
    }

    /// What does not change about the program while it runs. It is another one after a `run` that found its file changed.
    #[must_use]
    pub fn program(&self) -> Arc<Program> {
        let now = self.inner.shared.program();
        now.unwrap_or_else(|| self.inner.program.clone())
    }

    /// The events from now on. Every subscriber gets all of them.
    #[must_use]
    pub fn subscribe(&self) -> Receiver<Event> {
        self.inner.shared.subscribe()
    }

    /// Asks for a command, and returns at once. [`Event::Done`] says when it is done.
    pub fn submit(&self, line: &str) -> RequestId {
        let line = line.to_owned();
        self.ask(|id| Request::Command { id, line })
    }

    fn ask(&self, make: impl FnOnce(RequestId) -> Request) -> RequestId {
        let id = RequestId(self.inner.last_request.fetch_add(1, Ordering::SeqCst) + 1);
        if lock(&self.inner.requests).send(make(id)).is_err() {
            // The thread has ended after an internal error, which it has told.
            self.inner.shared.send(&Event::Done {
                request: id,
                status: CommandStatus::Quit(INTERNAL_ERROR_STATUS),
            });
        }
        id
    }

    /// Performs a command and waits until it is done. What it says goes to the subscribers.
    pub fn execute(&self, line: &str) -> CommandStatus {
        let events = self.subscribe();
        let submitted = self.submit(line);
        let status = events.iter().find_map(|event| match event {
            Event::Done { request, status } if request == submitted => Some(status),
            _ => None,
        });
        status.unwrap_or(CommandStatus::Quit(INTERNAL_ERROR_STATUS))
    }

    /// Stops the program, or ends the command that is under way.
    pub fn interrupt(&self) {
        self.inner.shared.cancel();
    }

    /// The latest view.
    #[must_use]
    pub fn view(&self) -> Arc<View> {
        self.inner.shared.view()
    }

    /// Bytes of the program's memory 0: as many as there are from the address on, at most `length`. `None` while the program runs.
    #[must_use]
    pub fn memory(&self, address: u64, length: usize) -> Option<Vec<u8>> {
        self.question_machine(|reply| Request::Memory {
            address,
            length,
            reply,
        })
    }

    /// Asks the machine's thread; `None` while it is busy.
    fn question_machine<T>(&self, make: impl FnOnce(Sender<T>) -> Request) -> Option<T> {
        if self.inner.shared.is_running() {
            return None;
        }
        let (reply, answer) = channel();
        lock(&self.inner.requests).send(make(reply)).ok()?;
        answer.recv_timeout(ANSWER_WAIT).ok()
    }

    /// Has work done on the machine's thread after everything that was asked for before.
    pub(crate) fn post(&self, job: Job) {
        // After an internal error, which was told, nobody is left to do it: who waits for its end finds it dropped.
        let _ = lock(&self.inner.requests).send(Request::Job(job));
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.inner.shared
    }

    /// Says how the command `gdb` starts a server for remote clients: at an address, answering what to tell the user or why it
    /// cannot. This crate knows no sockets.
    pub fn set_server(
        &self,
        start: impl Fn(&str) -> Result<String, String> + Send + Sync + 'static,
    ) {
        self.inner.shared.set_server(Arc::new(start));
    }

    /// Gives the program bytes to read, if its standard input is [`StdinChoice::Typed`].
    pub fn type_input(&self, bytes: &[u8]) {
        self.inner.shared.stdin.push(bytes);
    }

    /// Ends the program's standard input, if it is [`StdinChoice::Typed`].
    pub fn close_input(&self) {
        self.inner.shared.stdin.close();
    }

    /// Whether the program waits for [`Session::type_input`].
    #[must_use]
    pub fn waits_for_input(&self) -> bool {
        self.inner.shared.stdin.is_waited_on()
    }

    /// The settings that front ends go by, as they are now.
    #[must_use]
    pub fn preferences(&self) -> Preferences {
        self.inner.shared.preferences()
    }

    /// What to ask before a command is submitted, if it cannot be taken back and the user wants to be asked: a sentence that
    /// `(y or n)` can follow.
    #[must_use]
    pub fn question(&self, line: &str) -> Option<String> {
        let is_asked = self.preferences().confirm && !self.is_block_open();
        let vocabulary = self.inner.shared.vocabulary();
        is_asked.then(|| questions::question(&self.view(), &vocabulary, line))?
    }

    /// What to ask for the next line with: `(wdb) ` or what the user set, or `> ` while the lines of a block are collected (`commands`, `define`, `if`).
    #[must_use]
    pub fn prompt(&self) -> String {
        match self.inner.shared.block_depth() {
            0 => {
                let mut prompt = self.preferences().prompt;
                if !prompt.ends_with(char::is_whitespace) {
                    prompt.push(' ');
                }
                prompt
            }
            depth => format!("{}> ", "  ".repeat(depth - 1)),
        }
    }

    /// Whether the lines of a block are collected (`commands`, `define`, `if`).
    #[must_use]
    pub fn is_block_open(&self) -> bool {
        self.inner.shared.block_depth() > 0
    }

    /// Says that no more lines come for the block that is open, which is given up then. [`Event::Done`] says when.
    pub fn submit_end_of_input(&self) -> RequestId {
        self.ask(|id| Request::EndOfInput { id })
    }

    /// What the word at a position (in bytes) of a command can become.
    #[must_use]
    pub fn complete(&self, line: &str, position: usize) -> Completions {
        let members = |expression: &str| {
            let expression = expression.to_owned();
            let names = self.question_machine(|reply| Request::Members { expression, reply });
            names.unwrap_or_default()
        };
        let completer = Completer {
            program: &self.program(),
            view: &self.view(),
            vocabulary: &self.inner.shared.vocabulary(),
            members: &members,
        };
        completer.complete(line, position)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("program", &self.inner.program.name())
            .finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Nobody is left who could stop the program.
        self.shared.cancel();
    }
}

/// The exit status after an internal error, as that of a panic.
const INTERNAL_ERROR_STATUS: i32 = 101;

fn serve(mut debugger: Debugger, requests: &Receiver<Request>) {
    for request in requests {
        match request {
            Request::Command { id, line } => {
                serve_command(&mut debugger, id, |debugger| debugger.perform(&line));
            }
            Request::EndOfInput { id } => {
                serve_command(&mut debugger, id, Debugger::perform_end_of_input);
            }
            Request::Memory {
                address,
                length,
                reply,
            } => {
                let bytes = debugger.vm.get_mut().memory(PROGRAM_INSTANCE, 0);
                let bytes = bytes.unwrap_or_default();
                let start = usize::try_from(address).map_or(bytes.len(), |at| at.min(bytes.len()));
                let end = start.saturating_add(length).min(bytes.len());
                // Who asked may have given up.
                let _ = reply.send(bytes[start..end].to_vec());
            }
            Request::Members { expression, reply } => {
                let _ = reply.send(debugger.member_names(&expression));
            }
            Request::Job(job) => {
                job(&mut debugger);
                debugger.refresh_view();
            }
        }
    }
}

fn serve_command(
    debugger: &mut Debugger,
    id: RequestId,
    perform: impl FnOnce(&mut Debugger) -> CommandStatus,
) {
    let report = ReportPanic {
        shared: debugger.shared.clone(),
        id,
    };
    let status = perform(debugger);
    drop(report);
    debugger.shared.send(&Event::Done {
        request: id,
        status,
    });
}

/// A front end waits for the end of its command, which a panic would keep from it.
struct ReportPanic {
    shared: Arc<Shared>,
    id: RequestId,
}

impl Drop for ReportPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            self.shared.send(&Event::Error(
                "An internal error of wdb ended the session.".to_owned(),
            ));
            self.shared.send(&Event::Done {
                request: self.id,
                status: CommandStatus::Quit(INTERNAL_ERROR_STATUS),
            });
        }
    }
}

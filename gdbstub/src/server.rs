//! Listening, and one client after the other.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use wdb_debugger::event::{CommandStatus, Event, Stream as GuestStream};
use wdb_debugger::remote::ClientStop;
use wdb_debugger::run::TRAP_STATUS;
use wdb_debugger::session::Session;
use wdb_debugger::view::ProgramState;

use crate::connection::Connection;
use crate::error::Error;
use crate::stub::{Ending, Stub};
use crate::transport::{Listener, Stream};

/// When a server that nobody sits in front of ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Lifetime {
    /// When the program has ended and its client has left.
    #[default]
    Program,
    /// Never: the next client finds the program started anew.
    Endless,
}

/// A server for remote clients of a session.
#[derive(Debug)]
pub struct Server {
    session: Session,
    listener: Listener,
}

/// How often the server looks whether the program has ended while nobody is connected.
const END_POLL: Duration = Duration::from_millis(50);

/// How long a client waits for the one before it to be gone.
const BUSY_WAIT: Duration = Duration::from_secs(2);

/// How long an interrupt may take to stop the program.
const INTERRUPT_WAIT: Duration = Duration::from_secs(5);

/// The status after an error of wdb's own.
const FAILURE: i32 = 1;

impl Server {
    /// Listens on `HOST:PORT`, on `PORT` of the loopback interface, or on `unix:PATH`. Port 0 is any that is free.
    ///
    /// # Errors
    /// The address is none, or the operating system refuses it.
    pub fn bind(session: &Session, address: &str) -> Result<Server, Error> {
        Ok(Server {
            session: session.clone(),
            listener: Listener::bind(address)?,
        })
    }

    /// Where clients connect: `127.0.0.1:40001` or `unix:/run/wdb`.
    #[must_use]
    pub fn address(&self) -> String {
        self.listener.address()
    }

    /// What to tell the user about the address, if other machines can connect.
    #[must_use]
    pub fn warning(&self) -> Option<&'static str> {
        self.listener.is_public().then_some(
            "the protocol has no authentication: whoever reaches this address can read and change the program",
        )
    }

    /// Serves clients beside another front end, on threads of its own, as long as the session lives.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn spawn(self) -> Result<(), Error> {
        thread::Builder::new()
            .name("wdb-server".to_owned())
            .spawn(move || {
                // What the program writes is the other front end's to show.
                let _ = self.serve(Lifetime::Endless);
            })
            .map_err(Error::Thread)?;
        Ok(())
    }

    /// Starts the program, stopped at its first instruction, and serves clients, with the program's output on the standard
    /// streams. Returns the exit status. `ready` is called when clients can connect.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn run(self, lifetime: Lifetime, ready: impl FnOnce(&Server)) -> Result<i32, Error> {
        forward_output(&self.session)?;
        if let Err(message) = start(&self.session) {
            // The error stream can be closed; the status tells it, too.
            let _ = writeln!(io::stderr(), "wdb: {message}");
            return Ok(FAILURE);
        }
        ready(&self);
        self.serve(lifetime)
    }

    fn serve(self, lifetime: Lifetime) -> Result<i32, Error> {
        let Server { session, listener } = self;
        let is_busy = Arc::new(AtomicBool::new(false));
        let (sender, clients) = channel();
        let accepting = is_busy.clone();
        thread::Builder::new()
            .name("wdb-listener".to_owned())
            .spawn(move || accept(&listener, &accepting, &sender))
            .map_err(Error::Thread)?;
        let mut unattended = None;
        loop {
            let stream = match next_client(&session, &clients, lifetime, unattended.as_ref()) {
                Next::Client(stream) => stream,
                Next::End(None) => return Ok(status(&session)),
                Next::End(Some(failure)) => return Ok(tell_failure(&failure)),
            };
            let ending = serve_client(&session, stream);
            is_busy.store(false, Ordering::SeqCst);
            if lifetime == Lifetime::Endless {
                continue;
            }
            unattended = match ending {
                Ending::Ended(Some(failure)) => return Ok(tell_failure(&failure)),
                Ending::Ended(None) => return Ok(status(&session)),
                Ending::Detached(stop) => Some(stop),
                Ending::Vanished => None,
            };
            if matches!(session.view().state, ProgramState::Exited(_)) {
                return Ok(status(&session));
            }
        }
    }
}

/// The exit status of a program that has ended; 0 for one that was killed.
fn status(session: &Session) -> i32 {
    match session.view().state {
        ProgramState::Exited(status) => i32::try_from(status).unwrap_or(FAILURE),
        _ => 0,
    }
}

/// Tells why a program that nobody debugs any more could not go on, as a run without a debugger does; answers the exit status.
fn tell_failure(failure: &str) -> i32 {
    // The error stream can be closed; the status tells it, too.
    let _ = writeln!(io::stderr(), "{failure}");
    i32::try_from(TRAP_STATUS).unwrap_or(FAILURE)
}

/// What comes after a client.
enum Next {
    Client(Stream),
    /// The program has ended, and the server ends with it; with words if the program could not go on.
    End(Option<String>),
}

/// Waits for the next client, or the program's end. A program that its client has left for good, and whose stop comes from
/// `unattended`, also ends where it cannot go on: nobody is expected who could look at it.
fn next_client(
    session: &Session,
    clients: &Receiver<Stream>,
    lifetime: Lifetime,
    unattended: Option<&Receiver<ClientStop>>,
) -> Next {
    loop {
        match clients.recv_timeout(END_POLL) {
            Ok(stream) => return Next::Client(stream),
            Err(RecvTimeoutError::Disconnected) => return Next::End(None),
            Err(RecvTimeoutError::Timeout) if lifetime == Lifetime::Endless => {}
            Err(RecvTimeoutError::Timeout) => {
                if matches!(session.view().state, ProgramState::Exited(_)) {
                    return Next::End(None);
                }
                let has_stopped = unattended.is_some_and(|stop| stop.try_recv().is_ok());
                if has_stopped
                    && let Some(failure) = session.guest(|guest| guest.failure()).flatten()
                {
                    return Next::End(Some(failure));
                }
            }
        }
    }
}

/// Accepts clients. There is one at a time: another is let in when the first has left, or turned away.
fn accept(listener: &Listener, is_busy: &AtomicBool, clients: &Sender<Stream>) {
    /// After an error of the operating system, which may be short of descriptors.
    const PAUSE: Duration = Duration::from_millis(100);
    loop {
        let Ok(stream) = listener.accept() else {
            thread::sleep(PAUSE);
            continue;
        };
        let waiting_since = Instant::now();
        while is_busy.load(Ordering::SeqCst) && waiting_since.elapsed() < BUSY_WAIT {
            thread::sleep(Duration::from_millis(10));
        }
        if is_busy.swap(true, Ordering::SeqCst) {
            stream.close();
            continue;
        }
        if clients.send(stream).is_err() {
            return;
        }
    }
}

fn serve_client(session: &Session, stream: Stream) -> Ending {
    let Ok(connection) = Connection::new(stream) else {
        return Ending::Vanished;
    };
    if halt(session).is_err() {
        return Ending::Vanished;
    }
    Stub::new(session, connection).serve()
}

/// Makes sure that the program stands still somewhere, as clients expect when they connect.
pub(crate) fn halt(session: &Session) -> Result<(), String> {
    let began = Instant::now();
    while session.guest(|_| ()).is_none() {
        if began.elapsed() > INTERRUPT_WAIT {
            return Err("the program cannot be interrupted".to_owned());
        }
        session.interrupt();
        thread::sleep(Duration::from_millis(5));
    }
    let state = session.guest(|guest| guest.program_state());
    match state {
        Some(ProgramState::Stopped | ProgramState::Trapped) => Ok(()),
        _ => start(session),
    }
}

/// Starts the program, stopped at its first instruction.
pub(crate) fn start(session: &Session) -> Result<(), String> {
    // A client may have left in the middle of its `monitor quit`.
    session.guest(|guest| guest.stay());
    let events = session.subscribe();
    let submitted = session.submit("starti");
    let mut failure = String::from("the program cannot be started");
    for event in events {
        match event {
            Event::Error(text) => failure = text,
            Event::Done { request, status } if request == submitted => {
                return match status {
                    CommandStatus::Success => Ok(()),
                    _ => Err(failure),
                };
            }
            _ => {}
        }
    }
    Err(failure)
}

/// Writes what the program writes.
fn forward_output(session: &Session) -> Result<(), Error> {
    let events = session.subscribe();
    thread::Builder::new()
        .name("wdb-output".to_owned())
        .spawn(move || {
            for event in events {
                // Nobody may read it any more; the program goes on all the same.
                let _ = match event {
                    Event::Output {
                        stream: GuestStream::Stdout,
                        bytes,
                    } => io::stdout()
                        .write_all(&bytes)
                        .and_then(|()| io::stdout().flush()),
                    Event::Output { bytes, .. } => io::stderr().write_all(&bytes),
                    Event::Error(text) => writeln!(io::stderr(), "wdb: {text}"),
                    _ => Ok(()),
                };
            }
        })
        .map_err(Error::Thread)?;
    Ok(())
}

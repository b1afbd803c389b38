//! What the machine's thread and the front ends have in common.

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wdb_vm::interrupt::Interrupt;
use wdb_vm::wasi::StdinQueue;

use crate::complete::Vocabulary;
use crate::event::{Event, Stream};
use crate::log::Log;
use crate::program::Program;
use crate::settings::Preferences;
use crate::view::View;

/// Starts a server at an address, and answers what to tell the user, or why it cannot.
pub(crate) type ServerStarter = dyn Fn(&str) -> Result<String, String> + Send + Sync;

/// The latest view, who listens to events, and the ways to stop what goes on.
#[derive(Default)]
pub(crate) struct Shared {
    subscribers: Mutex<Vec<Sender<Event>>>,
    view: Mutex<Arc<View>>,
    program: Mutex<Option<Arc<Program>>>,
    preferences: Mutex<Preferences>,
    vocabulary: Mutex<Arc<Vocabulary>>,
    /// Where messages are copied to.
    log: Mutex<Option<Log>>,
    /// Whether the guest runs at this moment.
    running: AtomicBool,
    /// Whether the current command is to end early.
    cancelled: AtomicBool,
    /// The present machine's.
    interrupt: Mutex<Interrupt>,
    /// How many blocks of commands are open, one inside the other.
    block_depth: AtomicUsize,
    /// What starts a server for remote clients.
    server: Mutex<Option<Arc<ServerStarter>>>,
    /// What is typed for the guest.
    pub(crate) stdin: StdinQueue,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    /// Sends an event to every subscriber that still listens.
    pub(crate) fn send(&self, event: &Event) {
        if let Event::Message(text) | Event::Error(text) = event
            && self.is_taken_by_log(text)
        {
            return;
        }
        lock(&self.subscribers).retain(|subscriber| subscriber.send(event.clone()).is_ok());
    }

    /// Copies a text to the log, if there is one; answers whether it is not to be told otherwise.
    fn is_taken_by_log(&self, text: &str) -> bool {
        let mut log = lock(&self.log);
        let Some(open) = &mut *log else {
            return false;
        };
        let redirects = open.redirects;
        match open.add(text) {
            Ok(()) => redirects,
            Err(error) => {
                // A full disk ends the log, and not the session.
                *log = None;
                drop(log);
                self.send(&Event::Error(format!("The log has ended: {error}.")));
                false
            }
        }
    }

    pub(crate) fn set_log(&self, log: Option<Log>) {
        *lock(&self.log) = log;
    }

    pub(crate) fn server(&self) -> Option<Arc<ServerStarter>> {
        lock(&self.server).clone()
    }

    pub(crate) fn set_server(&self, server: Arc<ServerStarter>) {
        *lock(&self.server) = Some(server);
    }

    pub(crate) fn vocabulary(&self) -> Arc<Vocabulary> {
        lock(&self.vocabulary).clone()
    }

    pub(crate) fn set_vocabulary(&self, vocabulary: Vocabulary) {
        *lock(&self.vocabulary) = Arc::new(vocabulary);
    }

    pub(crate) fn preferences(&self) -> Preferences {
        lock(&self.preferences).clone()
    }

    pub(crate) fn set_preferences(&self, preferences: Preferences) {
        *lock(&self.preferences) = preferences;
    }

    pub(crate) fn subscribe(&self) -> Receiver<Event> {
        let (sender, receiver) = channel();
        lock(&self.subscribers).push(sender);
        receiver
    }

    pub(crate) fn view(&self) -> Arc<View> {
        lock(&self.view).clone()
    }

    pub(crate) fn set_view(&self, view: Arc<View>) {
        *lock(&self.view) = view;
    }

    /// The program as it was read last.
    pub(crate) fn program(&self) -> Option<Arc<Program>> {
        lock(&self.program).clone()
    }

    pub(crate) fn set_program(&self, program: Arc<Program>) {
        *lock(&self.program) = Some(program);
    }

    /// Takes note of a new machine's interrupt.
    pub(crate) fn set_interrupt(&self, interrupt: Interrupt) {
        *lock(&self.interrupt) = interrupt;
    }

    pub(crate) fn is_running(&self) -> bool {
        self.running.load(Ordering::SeqCst)
    }

    /// Says that the guest runs from now on. An interrupt that came after the command began counts.
    pub(crate) fn begin_run(&self) {
        let interrupt = lock(&self.interrupt);
        interrupt.take();
        self.running.store(true, Ordering::SeqCst);
        if self.is_cancelled() {
            interrupt.raise();
        }
    }

    pub(crate) fn end_run(&self) {
        self.running.store(false, Ordering::SeqCst);
    }

    /// How many blocks of commands are open, one inside the other.
    pub(crate) fn block_depth(&self) -> usize {
        self.block_depth.load(Ordering::SeqCst)
    }

    pub(crate) fn set_block_depth(&self, depth: usize) {
        self.block_depth.store(depth, Ordering::SeqCst);
    }

    /// Says that a command begins.
    pub(crate) fn begin_command(&self) {
        self.cancelled.store(false, Ordering::SeqCst);
    }

    /// Stops the guest, or else the command that goes on.
    pub(crate) fn cancel(&self) {
        let interrupt = lock(&self.interrupt);
        self.cancelled.store(true, Ordering::SeqCst);
        if self.is_running() {
            interrupt.raise();
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

/// One of the guest's output streams, as events.
pub(crate) struct OutputEvents {
    pub(crate) shared: Arc<Shared>,
    pub(crate) stream: Stream,
}

impl Write for OutputEvents {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !bytes.is_empty() {
            self.shared.send(&Event::Output {
                stream: self.stream,
                bytes: bytes.into(),
            });
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is kept here is whole after every change, so a panic elsewhere does not spoil it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

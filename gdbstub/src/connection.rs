//! One connection with a client: a thread that reads packets, and everything that the stub waits for in one queue.

use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use wdb_debugger::event::Event;
use wdb_debugger::remote::ClientStop;

use crate::error::Error;
use crate::packet::{Decoder, Item, encode};
use crate::transport::Stream;

/// What the stub waits for.
#[derive(Debug)]
pub(crate) enum Input {
    /// From the client.
    Item(Item),
    /// The client has left.
    Closed,
    /// The run that the client ordered has stopped.
    Stopped(ClientStop),
    /// Something happened in the session.
    Session(Event),
}

/// How many packets of a client wait to be looked at; the others stay in the operating system's buffers, which fill up
/// until the client is held back.
const PACKETS_WAITING_MAX: usize = 16;

/// A client that does not take its answers for so long is gone.
const WRITE_WAIT: Duration = Duration::from_secs(20);

/// A connection.
pub(crate) struct Connection {
    stream: Stream,
    inputs: Receiver<Input>,
    sender: Sender<Input>,
    /// Holds a token for each packet that waits.
    waiting: Receiver<()>,
    /// Whether packets are acknowledged, as they are until the client asks for silence.
    pub(crate) acknowledges: bool,
    last_sent: Vec<u8>,
}

impl Connection {
    pub(crate) fn new(stream: Stream) -> Result<Connection, Error> {
        stream
            .set_write_timeout(WRITE_WAIT)
            .map_err(Error::Thread)?;
        let reader = stream.try_clone().map_err(Error::Thread)?;
        let (sender, inputs) = channel();
        let (tokens, waiting) = sync_channel(PACKETS_WAITING_MAX);
        let to_stub = sender.clone();
        thread::Builder::new()
            .name("wdb-remote".to_owned())
            .spawn(move || read_packets(reader, &to_stub, &tokens))
            .map_err(Error::Thread)?;
        Ok(Connection {
            stream,
            inputs,
            sender,
            waiting,
            acknowledges: true,
            last_sent: Vec::new(),
        })
    }

    /// Where others put what the stub waits for.
    pub(crate) fn sender(&self) -> Sender<Input> {
        self.sender.clone()
    }

    /// Waits for the next input.
    pub(crate) fn next(&mut self) -> Input {
        let input = self.inputs.recv().unwrap_or(Input::Closed);
        if matches!(input, Input::Item(_)) {
            // The reader put its token there before the packet.
            let _ = self.waiting.try_recv();
        }
        input
    }

    /// Sends a packet.
    pub(crate) fn send(&mut self, body: &[u8]) -> io::Result<()> {
        self.last_sent = encode(body);
        self.stream.write_all(&self.last_sent)
    }

    /// Sends the last packet again.
    pub(crate) fn repeat(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.last_sent)
    }

    /// Says whether a packet came in whole.
    pub(crate) fn acknowledge(&mut self, is_whole: bool) -> io::Result<()> {
        if !self.acknowledges {
            return Ok(());
        }
        self.stream.write_all(if is_whole { b"+" } else { b"-" })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.stream.close();
    }
}

fn read_packets(mut stream: Stream, inputs: &Sender<Input>, tokens: &SyncSender<()>) {
    let mut decoder = Decoder::default();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        for &byte in &buffer[..count] {
            let Some(item) = decoder.feed(byte) else {
                continue;
            };
            if tokens.send(()).is_err() || inputs.send(Input::Item(item)).is_err() {
                return;
            }
        }
    }
    // The stub may have ended before.
    let _ = inputs.send(Input::Closed);
}

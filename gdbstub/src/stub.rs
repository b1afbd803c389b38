//! What one client wants: packets in, answers out. What both clients mean the same by is here; what only one asks for is in its
//! own module.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use wdb_debugger::event::{CommandStatus, Event, RequestId};
use wdb_debugger::remote::{
    ClientBreakpoint, ClientStop, ClientWatchpoint, Condition, GuestFrame, ModuleId, Movement,
    Order, WatchAccess,
};
use wdb_debugger::session::Session;

use crate::address::{Place, WireAddress};
use crate::connection::{Connection, Input};
use crate::gdb::{self, Disguise};
use crate::hex;
use crate::lldb;
use crate::modules::Modules;
use crate::packet::{BODY_BYTES_MAX, Item};
use crate::reply::{Answer, Refusal, Reply};
use crate::resume::{self, split};
use crate::server;

/// How a client left.
#[derive(Debug)]
pub(crate) enum Ending {
    /// Without a word: the program stays as it is.
    Vanished,
    /// The program goes on without it; from here comes where it stops.
    Detached(Receiver<ClientStop>),
    /// The program has ended: by the client's order, or because the client let it go on where it could not, and then with words
    /// for that.
    Ended(Option<String>),
}

/// What the stub is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Activity {
    /// The next packet.
    Idle,
    /// The stop of the run that the client ordered.
    Running,
    /// The end of a `monitor` command.
    Monitor {
        request: RequestId,
        /// Where the program stood before it.
        before: Option<Standing>,
    },
}

/// What is another after the program has gone on: the logical clock, and where the innermost frame stands.
type Standing = (u64, Option<GuestFrame>);

/// A client's breakpoint.
#[derive(Debug, Clone)]
pub(crate) struct Breakpoint {
    pub(crate) module: ModuleId,
    /// Where the program can stop: the first instruction at or after what the client asked for.
    pub(crate) pc: u32,
    /// gdb's conditions; one of them has to hold.
    conditions: Vec<Arc<[u8]>>,
}

impl Breakpoint {
    fn is_at(&self, frame: GuestFrame) -> bool {
        (self.module, self.pc) == (frame.module, frame.pc)
    }
}

/// The breakpoints and watchpoints that a client can set, each.
const POINTS_MAX: usize = 10_000;

/// The stub for one client.
pub(crate) struct Stub {
    pub(crate) session: Session,
    pub(crate) modules: Modules,
    connection: Connection,
    activity: Activity,
    /// Why the program stands where it stands.
    pub(crate) last_stop: ClientStop,
    /// By the addresses that the client gave.
    pub(crate) breakpoints: BTreeMap<WireAddress, Breakpoint>,
    watchpoints: Vec<ClientWatchpoint>,
    /// What gdb is shown, if the client is gdb.
    gdb: Option<Arc<Disguise>>,
    /// Whether the client keeps the connection when the program has ended (`!`).
    is_extended: bool,
    /// Why the program could not go on when the client wanted it to.
    failure: Option<String>,
    ending: Option<Ending>,
}

impl Stub {
    /// A stub for a program that stands still.
    pub(crate) fn new(session: &Session, connection: Connection) -> Stub {
        let mut stub = Stub {
            modules: Modules::of(session),
            session: session.clone(),
            connection,
            activity: Activity::Idle,
            last_stop: ClientStop::Interrupted,
            breakpoints: BTreeMap::new(),
            watchpoints: Vec::new(),
            gdb: None,
            is_extended: false,
            failure: None,
            ending: None,
        };
        stub.look_around();
        stub
    }

    /// Serves the client until it leaves.
    pub(crate) fn serve(mut self) -> Ending {
        loop {
            let input = self.connection.next();
            let taken = match input {
                Input::Item(item) => self.take(item),
                Input::Closed => return self.leave(Ending::Vanished),
                Input::Stopped(stop) => self.tell_stop(stop),
                Input::Session(event) => self.tell_event(&event),
            };
            if taken.is_err() {
                return self.leave(Ending::Vanished);
            }
            if let Some(ending) = self.ending.take() {
                return self.leave(ending);
            }
        }
    }

    fn leave(&mut self, ending: Ending) -> Ending {
        if let Activity::Monitor { .. } = self.activity {
            self.session.interrupt();
        }
        match self.last_stop {
            // It has been ended, and the client has kept the connection.
            ClientStop::Exited(_) if self.activity == Activity::Idle => {
                Ending::Ended(self.failure.take())
            }
            _ => ending,
        }
    }

    /// Takes note of a program that others may have moved.
    fn look_around(&mut self) {
        let stop = self.session.guest(|guest| guest.last_stop()).flatten();
        self.last_stop = match stop {
            Some(stop @ ClientStop::Exited(_)) => stop,
            Some(stop) if stop.is_fault() => stop,
            // Other stops were told to whoever had ordered the run.
            _ => ClientStop::Stepped,
        };
    }

    fn take(&mut self, item: Item) -> io::Result<()> {
        match item {
            Item::Nack => self.connection.repeat(),
            Item::Interrupt => {
                if self.activity != Activity::Idle {
                    self.session.interrupt();
                }
                Ok(())
            }
            Item::Corrupt if self.connection.acknowledges => self.connection.acknowledge(false),
            Item::Corrupt | Item::Overlong => {
                self.connection.acknowledge(true)?;
                self.answer(Err(Refusal::Malformed))
            }
            Item::Packet(body) => {
                self.connection.acknowledge(true)?;
                let answer = self.perform(&body);
                self.answer(answer)?;
                // From the packet after this one on.
                if body == b"QStartNoAckMode" {
                    self.connection.acknowledges = false;
                }
                Ok(())
            }
        }
    }

    fn answer(&mut self, answer: Answer) -> io::Result<()> {
        match answer.unwrap_or_else(Reply::refused) {
            Reply::Body(body) => self.connection.send(&body),
            Reply::Later => Ok(()),
        }
    }

    /// Performs a packet.
    fn perform(&mut self, body: &[u8]) -> Answer {
        if self.activity != Activity::Idle {
            return self.perform_while_running(body);
        }
        let rest = body.get(1..).unwrap_or_default();
        match body.first() {
            Some(b'?') => Ok(self.stop_reply()),
            Some(b'!') => {
                self.is_extended = true;
                Ok(Reply::ok())
            }
            Some(b'm') => self.read_memory(rest).map(|bytes| Reply::hex(&bytes)),
            Some(b'x') => self.read_memory(rest).map(Reply::Body),
            Some(b'M') => self.write_memory(rest, false),
            Some(b'X') => self.write_memory(rest, true),
            Some(b'p') if self.gdb.is_none() => lldb::register(self, rest),
            Some(b'g') => match &self.gdb {
                Some(disguise) => gdb::registers(self, disguise),
                None => Ok(Reply::hex(&self.pc_bytes())),
            },
            Some(b'G' | b'P') => Err(Refusal::Impossible),
            Some(b'Z') => self.insert_point(rest),
            Some(b'z') => self.remove_point(rest),
            Some(b'c' | b'C') => self.resume(Movement::Continue),
            Some(b's' | b'S') => self.resume(Movement::Step),
            Some(b'H' | b'T') => Ok(Reply::ok()),
            Some(b'D') => self.detach(),
            Some(b'k') => Ok(self.kill()),
            Some(b'R') => self.restart().map(|()| Reply::Later),
            Some(b'v') => self.perform_verbose(body),
            Some(b'q') => self.query(body),
            Some(b'Q') => Ok(match body {
                b"QStartNoAckMode" => Reply::ok(),
                _ => lldb::set(body),
            }),
            _ => Ok(Reply::unknown()),
        }
    }

    /// A client that does not wait for the program to stop can end or leave it; anything else would have to wait, and then
    /// others would be asked before it.
    fn perform_while_running(&mut self, body: &[u8]) -> Answer {
        match body {
            b"vCtrlC" => {
                self.session.interrupt();
                Ok(Reply::ok())
            }
            [b'D' | b'k', ..] => {
                server::halt(&self.session).map_err(|_| Refusal::Busy)?;
                self.activity = Activity::Idle;
                self.perform(body)
            }
            _ => Err(Refusal::Busy),
        }
    }

    fn perform_verbose(&mut self, body: &[u8]) -> Answer {
        if let Some(actions) = body.strip_prefix(b"vCont;") {
            let movement = resume::vcont(actions)?;
            return self.resume(movement);
        }
        if body.starts_with(b"vKill") {
            self.kill();
            return Ok(Reply::ok());
        }
        if body.starts_with(b"vRun") {
            self.restart()?;
            return Ok(self.stop_reply());
        }
        if let Some(request) = body.strip_prefix(b"vFile:")
            && let Some(disguise) = &self.gdb
        {
            return gdb::file(disguise, request);
        }
        Ok(match body {
            b"vCont?" => Reply::text("vCont;c;C;s;S;r"),
            b"vCtrlC" => Reply::ok(),
            _ => Reply::unknown(),
        })
    }

    fn query(&mut self, body: &[u8]) -> Answer {
        if body.starts_with(b"qSupported") {
            if gdb::is_gdb(body) {
                let outermost = self.session.guest(|guest| {
                    let state = guest.state();
                    let frame = state.frame(state.frame_count().checked_sub(1)?)?;
                    Some(frame.func_index)
                });
                let disguise = Disguise::new(&self.session.program(), outermost.flatten());
                self.gdb = Some(Arc::new(disguise));
                return Ok(gdb::supported());
            }
            return Ok(Reply::text(format!(
                "PacketSize={BODY_BYTES_MAX:x};QStartNoAckMode+;vContSupported+;qXfer:libraries:read+"
            )));
        }
        if let Some(digits) = body.strip_prefix(b"qRcmd,") {
            return self.monitor(digits);
        }
        if let Some(rest) = body.strip_prefix(b"qXfer:") {
            return self.transfer(rest);
        }
        Ok(match body {
            b"qC" => Reply::text("QC1"),
            b"qfThreadInfo" => Reply::text("m1"),
            b"qsThreadInfo" => Reply::text("l"),
            // Whoever quits leaves the program running, unless the user says otherwise.
            _ if body.starts_with(b"qAttached") => Reply::text("1"),
            _ if body.starts_with(b"qThreadStopInfo") => self.stop_reply(),
            _ => match &self.gdb {
                Some(disguise) => return gdb::query(disguise, body),
                None => return lldb::query(self, body),
            },
        })
    }

    /// `qXfer:OBJECT:read:ANNEX:OFFSET,LENGTH`
    fn transfer(&mut self, request: &[u8]) -> Answer {
        let (object, rest) = split(request, b':').ok_or(Refusal::Malformed)?;
        let rest = rest.strip_prefix(b"read:").ok_or(Refusal::Malformed)?;
        let (_annex, range) = split(rest, b':').ok_or(Refusal::Malformed)?;
        let (offset, length) = two_numbers(range)?;
        let whole = match &self.gdb {
            Some(_) => gdb::object(object),
            None => (object == b"libraries").then(|| self.modules.libraries()),
        };
        let Some(whole) = whole else {
            return Ok(Reply::unknown());
        };
        // Escapes can double what is sent.
        let length = length.min(BODY_BYTES_MAX as u64 / 2);
        Ok(Reply::part(whole.as_bytes(), offset, length))
    }

    /// The bytes from an address on, as far as there are any.
    fn read_memory(&mut self, request: &[u8]) -> Result<Vec<u8>, Refusal> {
        let (address, length) = two_numbers(request)?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let length = length.min(BODY_BYTES_MAX / 2);
        if let Some(disguise) = self.gdb.clone() {
            if let Some(bytes) = disguise.known(address, length) {
                return Ok(bytes);
            }
            let read = self
                .session
                .guest(move |guest| disguise.read(guest.state(), address, length));
            if let Some(bytes) = read.ok_or(Refusal::Busy)? {
                return Ok(bytes);
            }
        }
        match WireAddress(address).place() {
            Place::Code { module, pc } => {
                let found = part_from(self.modules.bytes(module), pc, length);
                found.map(<[u8]>::to_vec).ok_or(Refusal::Nothing)
            }
            Place::Memory { index, offset } => {
                let read = self.session.guest(move |guest| {
                    let memory = guest.state().memory(index)?;
                    part_from(memory, offset, length).map(<[u8]>::to_vec)
                });
                read.ok_or(Refusal::Busy)?.ok_or(Refusal::Nothing)
            }
            Place::Nowhere => Err(Refusal::Nothing),
        }
    }

    /// `ADDRESS,LENGTH:BYTES`, the bytes as digits or as they are.
    fn write_memory(&mut self, request: &[u8], is_binary: bool) -> Answer {
        let (range, data) = split(request, b':').ok_or(Refusal::Malformed)?;
        let (address, length) = two_numbers(range)?;
        let bytes = match is_binary {
            true => data.to_vec(),
            false => hex::decode(data).ok_or(Refusal::Malformed)?,
        };
        if bytes.len() as u64 != length {
            return Err(Refusal::Malformed);
        }
        let Place::Memory { index, offset } = WireAddress(address).place() else {
            return Err(Refusal::Impossible);
        };
        let disguise = self.gdb.clone();
        let written = self.session.guest(move |guest| {
            let local = disguise.and_then(|it| it.local_at(guest.state(), address));
            match local {
                Some((frame, index, at)) => guest.write_local(frame, index, at, &bytes),
                None => guest.write_memory(index, u64::from(offset), &bytes),
            }
        });
        // A frame's base may have been changed, or lie in what was changed.
        self.forget_stop();
        match written {
            Some(true) => Ok(Reply::ok()),
            Some(false) => Err(Refusal::Nothing),
            None => Err(Refusal::Busy),
        }
    }

    /// `TYPE,ADDRESS,KIND`
    fn insert_point(&mut self, request: &[u8]) -> Answer {
        let point = Point::parse(request)?;
        match point.access {
            None => {
                let Place::Code { module, pc } = point.address.place() else {
                    return Err(Refusal::Nothing);
                };
                let program = self.modules.get(module).ok_or(Refusal::Nothing)?;
                if self.breakpoints.len() >= POINTS_MAX {
                    return Err(Refusal::Impossible);
                }
                let pc = program.instruction_from(pc).ok_or(Refusal::Nothing)?;
                let breakpoint = Breakpoint {
                    module,
                    pc,
                    conditions: gdb::conditions(request)?,
                };
                self.breakpoints.insert(point.address, breakpoint);
            }
            Some(access) => {
                let watchpoint = point.watchpoint(access)?;
                if self.watchpoints.len() >= POINTS_MAX {
                    return Err(Refusal::Impossible);
                }
                if !self.watchpoints.contains(&watchpoint) {
                    self.watchpoints.push(watchpoint);
                }
            }
        }
        Ok(Reply::ok())
    }

    fn remove_point(&mut self, request: &[u8]) -> Answer {
        let point = Point::parse(request)?;
        match point.access {
            None => {
                self.breakpoints.remove(&point.address);
            }
            Some(access) => {
                let watchpoint = point.watchpoint(access)?;
                self.watchpoints.retain(|it| *it != watchpoint);
            }
        }
        Ok(Reply::ok())
    }

    fn resume(&mut self, movement: Movement) -> Answer {
        if self.last_stop.is_fault() {
            // A native program ends by its signal when it is continued.
            let signal = resume::signal(&self.last_stop);
            self.failure = self.session.guest(|guest| guest.failure()).flatten();
            self.end_program();
            return Ok(Reply::text(format!("X{signal:02x}")));
        }
        let breakpoints = self.breakpoints.values();
        let order = Order {
            movement,
            breakpoints: breakpoints.map(|it| self.client_breakpoint(it)).collect(),
            watchpoints: self.watchpoints.clone(),
        };
        self.forget_stop();
        if let Some(disguise) = self.gdb.clone()
            && order.movement == Movement::Continue
        {
            self.session
                .guest(move |guest| disguise.note_calls(guest.state()));
        }
        let sender = self.connection.sender();
        self.session.resume(order, move |stop| {
            // The client may have left meanwhile.
            let _ = sender.send(Input::Stopped(stop));
        });
        self.activity = Activity::Running;
        Ok(Reply::Later)
    }

    fn client_breakpoint(&self, breakpoint: &Breakpoint) -> ClientBreakpoint {
        let conditions = breakpoint.conditions.clone();
        let disguise = self.gdb.clone().filter(|_| !conditions.is_empty());
        let condition = disguise.map(|disguise| -> Condition {
            Box::new(move |state| gdb::holds(&disguise, &conditions, state))
        });
        ClientBreakpoint {
            module: breakpoint.module,
            pc: breakpoint.pc,
            condition,
        }
    }

    /// Whether the client has a breakpoint where a frame stands.
    pub(crate) fn has_breakpoint_at(&self, frame: GuestFrame) -> bool {
        self.breakpoints.values().any(|it| it.is_at(frame))
    }

    /// Forgets what was found out about where the program stands.
    fn forget_stop(&mut self) {
        if let Some(disguise) = &self.gdb {
            disguise.forget_records();
        }
    }

    fn tell_stop(&mut self, stop: ClientStop) -> io::Result<()> {
        if self.activity != Activity::Running {
            return Ok(());
        }
        self.activity = Activity::Idle;
        self.last_stop = stop;
        if self.gdb.is_some()
            && let ClientStop::Trap(what)
            | ClientStop::Uncaught(what)
            | ClientStop::Other(what)
            | ClientStop::Refused(what) = &self.last_stop
        {
            // gdb knows signals only.
            let text = format!("wdb: {what}");
            self.tell_text(&text)?;
        }
        let reply = self.stop_reply();
        self.answer(Ok(reply))
    }

    /// Why the program stands where it stands, or how it ended.
    pub(crate) fn stop_reply(&mut self) -> Reply {
        match &self.last_stop {
            // Clients know the low byte, as of native programs.
            ClientStop::Exited(status) => Reply::text(format!("W{:02x}", status & 0xff)),
            _ => match &self.gdb {
                Some(disguise) => gdb::stop_reply(self, disguise),
                None => lldb::stop_reply(self),
            },
        }
    }

    /// The address that is reported for the innermost frame, in the order of its bytes.
    pub(crate) fn pc_bytes(&mut self) -> [u8; 8] {
        let pcs = self.call_stack(1);
        pcs.first().copied().unwrap_or(0).to_le_bytes()
    }

    /// The addresses of the innermost frames.
    pub(crate) fn call_stack(&mut self, count: usize) -> Vec<u64> {
        let frames = self.session.guest(move |guest| {
            let state = guest.state();
            let frames = (0..count).map_while(|number| state.frame(number));
            frames.collect::<Vec<GuestFrame>>()
        });
        let mut frames = frames.unwrap_or_default().into_iter();
        // Where a breakpoint was moved forward to an instruction, the client looks for it at the address that it gave.
        let exact = |frame: GuestFrame| WireAddress::code(frame.module, frame.pc);
        let innermost = frames.next().map(|frame| {
            let here = self.breakpoints.iter().filter(|(_, it)| it.is_at(frame));
            let exact = exact(frame);
            let mut asked = here.map(|(address, _)| *address);
            let first = asked.next().unwrap_or(exact);
            if first == exact || asked.any(|address| address == exact) {
                exact
            } else {
                first
            }
        });
        let callers = frames.map(exact);
        innermost
            .into_iter()
            .chain(callers)
            .map(|it| it.0)
            .collect()
    }

    /// `qRcmd`: a command in wdb's own language. Its output is sent as it comes.
    fn monitor(&mut self, digits: &[u8]) -> Answer {
        let line = hex::decode(digits).ok_or(Refusal::Malformed)?;
        let line = String::from_utf8(line).map_err(|_| Refusal::Malformed)?;
        let before = self.standing();
        let events = self.session.subscribe();
        let submitted = self.session.submit(&line);
        self.activity = Activity::Monitor {
            request: submitted,
            before,
        };
        let sender = self.connection.sender();
        let forward = move || {
            for event in events {
                let is_done = matches!(event, Event::Done { request, .. } if request == submitted);
                if sender.send(Input::Session(event)).is_err() || is_done {
                    return;
                }
            }
        };
        let builder = std::thread::Builder::new().name("wdb-monitor".to_owned());
        builder.spawn(forward).map_err(|_| Refusal::Impossible)?;
        Ok(Reply::Later)
    }

    fn tell_event(&mut self, event: &Event) -> io::Result<()> {
        let Activity::Monitor {
            request: command,
            before,
        } = self.activity
        else {
            return Ok(());
        };
        match event {
            Event::Message(text) | Event::Error(text) => self.tell_text(text),
            Event::Done { request, status } if *request == command => {
                self.activity = Activity::Idle;
                self.look_around();
                self.forget_stop();
                if self.standing() != before {
                    self.tell_text(match self.gdb {
                        Some(_) => gdb::MOVED,
                        None => lldb::MOVED,
                    })?;
                }
                if let CommandStatus::Quit(_) = status {
                    self.session.guest(|guest| guest.stay());
                    self.tell_text("The session goes on; the client's own commands end it.")?;
                }
                self.answer(Ok(Reply::ok()))
            }
            _ => Ok(()),
        }
    }

    fn standing(&self) -> Option<Standing> {
        self.session.guest(|guest| {
            let state = guest.state();
            (state.tick(), state.frame(0))
        })
    }

    /// Sends a line for the client's user, in parts that fit.
    fn tell_text(&mut self, text: &str) -> io::Result<()> {
        let line = format!("{text}\n");
        for part in line.as_bytes().chunks(BODY_BYTES_MAX / 4) {
            let body = format!("O{}", hex::encode(part));
            self.connection.send(body.as_bytes())?;
        }
        Ok(())
    }

    fn detach(&mut self) -> Answer {
        let order = Order {
            movement: Movement::Continue,
            breakpoints: Vec::new(),
            watchpoints: Vec::new(),
        };
        let (stopped, stop) = channel();
        if !matches!(self.last_stop, ClientStop::Exited(_)) {
            // At a fault this stops at once. Nobody may wait for it.
            self.session
                .resume(order, move |stop| drop(stopped.send(stop)));
        }
        self.ending = Some(Ending::Detached(stop));
        Ok(Reply::ok())
    }

    /// Ends the program; what remains is a connection without one.
    fn end_program(&mut self) {
        // A program that has ended by itself cannot be ended.
        self.session.execute("kill");
        self.last_stop = ClientStop::Exited(0);
    }

    fn kill(&mut self) -> Reply {
        self.failure = None;
        self.end_program();
        if !self.is_extended {
            self.ending = Some(Ending::Ended(None));
        }
        Reply::text("X09")
    }

    fn restart(&mut self) -> Result<(), Refusal> {
        server::start(&self.session).map_err(|_| Refusal::Impossible)?;
        self.failure = None;
        self.modules = Modules::of(&self.session);
        self.look_around();
        self.forget_stop();
        Ok(())
    }
}

/// A breakpoint or watchpoint as a client names it.
struct Point {
    address: WireAddress,
    /// How many bytes a watchpoint watches.
    size: u64,
    /// `None` for a breakpoint.
    access: Option<WatchAccess>,
}

impl Point {
    fn parse(request: &[u8]) -> Result<Point, Refusal> {
        let (kind, rest) = split(request, b',').ok_or(Refusal::Malformed)?;
        let numbers = rest.split(|it| *it == b';').next().unwrap_or_default();
        let (address, size) = two_numbers(numbers)?;
        let access = match kind {
            b"0" | b"1" => None,
            b"2" => Some(WatchAccess::Write),
            b"3" => Some(WatchAccess::Read),
            b"4" => Some(WatchAccess::Any),
            _ => return Err(Refusal::Malformed),
        };
        Ok(Point {
            address: WireAddress(address),
            size,
            access,
        })
    }

    fn watchpoint(&self, access: WatchAccess) -> Result<ClientWatchpoint, Refusal> {
        let Place::Memory { index, offset } = self.address.place() else {
            return Err(Refusal::Impossible);
        };
        let start = u64::from(offset);
        let end = start.checked_add(self.size).ok_or(Refusal::Malformed)?;
        Ok(ClientWatchpoint {
            memory: index,
            range: start..end,
            access,
        })
    }
}

/// Two numbers with a comma between them.
pub(crate) fn two_numbers(text: &[u8]) -> Result<(u64, u64), Refusal> {
    let (first, second) = split(text, b',').ok_or(Refusal::Malformed)?;
    match (hex::number(first), hex::number(second)) {
        (Some(first), Some(second)) => Ok((first, second)),
        _ => Err(Refusal::Malformed),
    }
}

/// At most so many bytes from an offset on; `None` past the end.
fn part_from(bytes: &[u8], offset: u32, length: usize) -> Option<&[u8]> {
    let rest = bytes
        .get(offset as usize..)
        .filter(|rest| !rest.is_empty())?;
    Some(&rest[..length.min(rest.len())])
}

//! The fast tier: interprets register code that each function is translated to at its first call.
//!
//! The registers of the code are the cells of the canonical frame, and frames overlap as everywhere; but operands that are
//! locals, constants or the result of the last instruction are not written to their cells. Where a run leaves, the cells are filled
//! in and frames are made from the records of calls, so that everybody else sees the canonical state only.
//!
//! What is rare is not here: an instruction that traps, throws, or calls into another instance is given to the classic tier, in
//! the state before it. That tier also goes on from where no instruction of register code begins, to the next place where one does.

mod code;
mod context;
mod effects;
mod handlers;
mod table;
mod translate;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::address::{FuncAddr, ModuleOffset};
use crate::classic::code::FuncCode;
use crate::classic::context::{Context, Leave};
use crate::classic::{Classic, Mode, Outcome, load_instance};
use crate::machine::{Frame, Machine};
use crate::store::{FuncKind, Store};
use crate::tier::{Fallback, RegisterLine};
use crate::value::cells_count;
use crate::watch::{WatchPlan, Watches};
use code::{FastFunc, FillFrom, Place, Places};
use context::{CallRecord, FastContext, Header, Word};
use handlers::calls::returned_code;
use table::RegisterKind;
use translate::{Extent, Obstacle, translate};

/// Register code, and what a run needs beside the machine.
pub(crate) struct Fast {
    /// By function of the store. Boxed, so that the pointers below stay valid when the vector grows.
    funcs: Vec<Option<Box<FastFunc>>>,
    headers: Vec<*const Header>,
    /// The function that the code at an address belongs to.
    by_address: BTreeMap<usize, FuncAddr>,
    /// Functions that cannot be translated.
    obstacles: BTreeMap<FuncAddr, Obstacle>,
    /// Room for the records of calls.
    calls: Vec<CallRecord>,
    /// The code that the lowest record leads to.
    returned: Box<[Word; 2]>,
    /// Time that translation took.
    translation: Duration,
    /// Bytes of the module's code that was translated.
    wasm_bytes: usize,
    /// The number of functions when all were translated last.
    translated_all: usize,
    /// What the code is translated for.
    plan: WatchPlan,
}

// SAFETY: the pointers lead to the boxes of the same value, and those of the records are used during a run only.
unsafe impl Send for Fast {}

/// What a run needs that belongs to others.
pub(crate) struct Beside<'a> {
    pub(crate) store: &'a Store,
    pub(crate) classic: &'a mut Classic,
    /// The watches of a run that is to end where the classic tier is needed.
    pub(crate) watches: Option<&'a Watches>,
    /// Functions of the store that have machine code: the run is to end where one of them has been called.
    pub(crate) has_code: Option<&'a [bool]>,
}

impl<'a> Beside<'a> {
    /// For a run without watches.
    pub(crate) fn unwatched(store: &'a Store, classic: &'a mut Classic) -> Beside<'a> {
        Beside {
            store,
            classic,
            watches: None,
            has_code: None,
        }
    }
}

/// The frame that runs.
fn innermost(machine: &Machine) -> &Frame {
    let frame = machine.frames.last();
    frame.expect("the driver runs a machine that has a frame")
}

/// Where register code goes on, and what its registers hold.
struct Entry {
    ip: *const Word,
    int: u64,
    double: f64,
    single: f32,
}

/// How a run of register code ended.
enum Run {
    /// The driver takes over.
    Ended(Outcome),
    /// The instruction that the machine stands at is for the classic tier.
    GivenAway,
    /// The frame that it began in has returned to another.
    Returned,
}

/// What the canonical state says of the place where a run left.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// The run left at an instruction, which has not been executed.
    Instruction,
    /// Control has just arrived by a call, or at a loop.
    Arrival,
}

impl Fast {
    pub(crate) fn new() -> Fast {
        Fast {
            funcs: Vec::new(),
            headers: Vec::new(),
            by_address: BTreeMap::new(),
            obstacles: BTreeMap::new(),
            calls: Vec::new(),
            returned: Box::new(returned_code()),
            translation: Duration::ZERO,
            wasm_bytes: 0,
            translated_all: 0,
            plan: WatchPlan::default(),
        }
    }

    /// The number of functions that have register code.
    pub(crate) fn function_count(&self) -> usize {
        self.funcs.iter().flatten().count()
    }

    /// The functions that have register code, and the bytes of memory that each one's takes.
    pub(crate) fn code_sizes(&self) -> impl Iterator<Item = (FuncAddr, usize)> {
        let funcs = self.funcs.iter().zip(0..);
        funcs.filter_map(|(func, index)| Some((FuncAddr(index), func.as_ref()?.size_bytes())))
    }

    /// Bytes of memory that register code takes.
    pub(crate) fn code_bytes(&self) -> usize {
        self.funcs
            .iter()
            .flatten()
            .map(|func| func.size_bytes())
            .sum()
    }

    /// Bytes of the wasm code that was translated.
    pub(crate) fn wasm_bytes(&self) -> usize {
        self.wasm_bytes
    }

    /// The time that translation took.
    pub(crate) fn translation(&self) -> Duration {
        self.translation
    }

    /// The functions that have to run in the classic tier.
    pub(crate) fn fallbacks(&self) -> Vec<Fallback> {
        let fallback = |(&func, obstacle): (&FuncAddr, &Obstacle)| Fallback {
            func,
            reason: obstacle.text().to_owned(),
        };
        self.obstacles.iter().map(fallback).collect()
    }

    /// Forgets the code of a function whose probes have changed.
    pub(crate) fn forget(&mut self, func: FuncAddr) {
        let Some(slot) = self.funcs.get_mut(func.index()) else {
            return;
        };
        if let Some(old) = slot.take() {
            self.wasm_bytes -= old.wasm_bytes;
            self.by_address.remove(&old.words.as_ptr().addr());
            self.headers[func.index()] = std::ptr::null();
        }
    }

    /// What the code is translated for.
    pub(crate) fn plan(&self) -> &WatchPlan {
        &self.plan
    }

    /// Changes which instructions are given away because of watches.
    pub(crate) fn set_plan(&mut self, plan: WatchPlan) {
        if self.plan == plan {
            return;
        }
        self.plan = plan;
        for index in 0..self.funcs.len() {
            self.forget(FuncAddr(index as u32));
        }
        self.translated_all = 0;
    }

    /// Translates every function of the store that has code.
    pub(crate) fn translate_all(&mut self, store: &Store, classic: &Classic) {
        if std::mem::replace(&mut self.translated_all, store.funcs.len()) == store.funcs.len() {
            return;
        }
        for index in 0..store.funcs.len() {
            if store.funcs[index].kind == FuncKind::Wasm {
                self.prepare(store, classic, FuncAddr(index as u32));
            }
        }
    }

    /// The register code of a function, for people.
    pub(crate) fn listing(
        &self,
        store: &Store,
        classic: &Classic,
        func: FuncAddr,
    ) -> Option<Vec<RegisterLine>> {
        if !store.is_valid(func) {
            return None;
        }
        let code = translate(store, func, classic.probes(func), &self.plan, Extent::Lines).ok()?;
        Some(code.lines)
    }

    /// Sees to it that a function of the store is translated; answers whether it can be.
    fn prepare(&mut self, store: &Store, classic: &Classic, func: FuncAddr) -> bool {
        if self.funcs.len() != store.funcs.len() {
            self.funcs.resize_with(store.funcs.len(), || None);
            self.headers.resize(store.funcs.len(), std::ptr::null());
        }
        if self.funcs[func.index()].is_some() {
            return true;
        }
        // The classic tier, which is given the call then, tells what is wrong with a function that is not valid.
        if self.obstacles.contains_key(&func) || !store.is_valid(func) {
            return false;
        }
        let start = Instant::now();
        let inst = &store.funcs[func.index()];
        match translate(store, func, classic.probes(func), &self.plan, Extent::Code) {
            Ok(code) => {
                let body = store.instances[inst.instance.index()]
                    .module
                    .func_body(inst.index);
                self.wasm_bytes += body.map_or(0, |body| body.code.len());
                let prepared = Box::new(FastFunc::new(code, inst.type_id, inst.instance));
                self.by_address.insert(prepared.words.as_ptr().addr(), func);
                self.headers[func.index()] = &raw const prepared.header;
                self.funcs[func.index()] = Some(prepared);
            }
            Err(obstacle) => {
                self.obstacles.insert(func, obstacle);
            }
        }
        self.translation += start.elapsed();
        self.funcs[func.index()].is_some()
    }

    /// The places of a translated function.
    fn places(&mut self, store: &Store, classic: &Classic, func: FuncAddr) -> &Places {
        let prepared = self.funcs[func.index()]
            .as_mut()
            .expect("a translated function");
        prepared.places.get_or_insert_with(|| {
            translate(
                store,
                func,
                classic.probes(func),
                &self.plan,
                Extent::Places,
            )
            .ok()
            .and_then(|code| code.places)
            .expect("it was translated before")
        })
    }

    /// Where register code can go on from the machine's state; `None` when no instruction of it begins there.
    fn entry(
        &mut self,
        store: &Store,
        classic: &Classic,
        machine: &Machine,
        top: Frame,
    ) -> Option<Entry> {
        let base = top.base as usize;
        let cells = &machine.cells[base..];
        let place = self.places(store, classic, top.func).at(top.pc)?;
        // What register code does not read from the cells must be what they hold: somebody may have changed them.
        let is_consistent = place.operands.iter().all(|fill| {
            let now = cells[fill.cell as usize];
            match fill.from {
                FillFrom::Local(local) => now == cells[local as usize],
                FillFrom::Constant(bits) => now == bits,
                FillFrom::Register(_) => true,
            }
        });
        if !is_consistent {
            return None;
        }
        let register = |kind: RegisterKind| {
            place.registers[kind as usize].map_or(0, |cell| cells[cell as usize])
        };
        let (int, double, single) = (
            register(RegisterKind::Int),
            f64::from_bits(register(RegisterKind::Double)),
            f32::from_bits(register(RegisterKind::Single) as u32),
        );
        let position = place.ip as usize;
        let words = &self.funcs[top.func.index()].as_ref()?.words;
        Some(Entry {
            ip: words[position..].as_ptr(),
            int,
            double,
            single,
        })
    }

    /// Executes from the machine's state, which has a frame, for at most `ticks` ticks (at least one). `mode` is one of a run.
    /// With watches, it ends where the classic tier is needed, and where a frame returns that the scope of a watch needs.
    pub(crate) fn execute(
        &mut self,
        beside: Beside<'_>,
        machine: &mut Machine,
        mode: Mode,
        ticks: u64,
    ) -> Outcome {
        let Beside {
            store,
            classic,
            watches,
            has_code,
        } = beside;
        let end = machine.tick + ticks;
        let mut passes_probe = mode == Mode::Run;
        let mut is_given_away = false;
        loop {
            let top = *innermost(machine);
            let can_run = self.prepare(store, classic, top.func);
            if !can_run && watches.is_none() {
                let mode = if passes_probe {
                    Mode::Run
                } else {
                    Mode::RunFromProbe
                };
                return classic.execute(machine, store, mode, end - machine.tick);
            }
            let has_probe = !is_given_away && classic.has_probe(top.func, top.pc);
            if has_probe && !passes_probe {
                return Outcome::Probe;
            }
            if can_run
                && !is_given_away
                && !has_probe
                && let Some(entry) = self.entry(store, classic, machine, top)
            {
                passes_probe = false;
                match self.run(
                    (classic, watches, has_code),
                    machine,
                    store,
                    &entry,
                    end - machine.tick,
                ) {
                    Run::Ended(outcome) => return outcome,
                    Run::GivenAway => is_given_away = true,
                    Run::Returned => {
                        let depth = machine.frames.len() as u32;
                        if watches.is_some_and(|watches| depth < watches.scope_max()) {
                            return Outcome::Poll;
                        }
                    }
                }
                continue;
            }
            if watches.is_some() {
                return Outcome::GivenAway;
            }
            (is_given_away, passes_probe) = (false, false);
            let outcome = classic.execute(machine, store, Mode::Step, end - machine.tick);
            if outcome != Outcome::Stepped {
                return outcome;
            }
            let now = *innermost(machine);
            let is_called = now.base >= top.base && now.func != top.func;
            if has_code.is_some_and(|has_code| is_called && has_code[now.func.index()]) {
                return Outcome::Poll;
            }
        }
    }

    /// Runs register code until something ends it, and brings the machine to the canonical state.
    fn run(
        &mut self,
        (classic, watches, has_code): (&Classic, Option<&Watches>, Option<&[bool]>),
        machine: &mut Machine,
        store: &Store,
        entry: &Entry,
        ticks: u64,
    ) -> Run {
        let top = *innermost(machine);
        let instance = store.funcs[top.func.index()].instance;
        let frames_max = machine.limits.frames_max as usize;
        // The lowest record is not a call's, and one may exceed the limit.
        self.calls.reserve(frames_max + 2);
        let calls = self.calls.as_mut_ptr();
        let code = FuncCode::of_instance(store, instance);
        // SAFETY: the record is within the reserved room, as those of calls are: `calls_end` sees to that. The context's pointers
        // are valid for the run, and neither machine nor store change but through the handlers.
        let (leave, context) = unsafe {
            calls.write(CallRecord {
                ip: self.returned.as_ptr(),
                fp: std::ptr::null_mut(),
            });
            let mut shared = Context::new(machine, store, &code, std::ptr::null(), ticks);
            load_instance(&mut shared, instance);
            let mut context = FastContext {
                shared,
                call: calls.add(1),
                calls_end: calls.add(1 + frames_max.saturating_sub(machine.frames.len())),
                headers: self.headers.as_ptr(),
                instance,
                granules: watches.map_or(std::ptr::null(), Watches::granules),
                ip: entry.ip,
                fp: machine.cells.as_mut_ptr().add(top.base as usize),
                int: entry.int,
                double: entry.double,
                single: entry.single,
            };
            let leave = loop {
                let leave = context::enter(&raw mut context);
                match leave {
                    Leave::Callee(func) | Leave::TailCallee(func)
                        if !has_code.is_some_and(|has_code| has_code[func as usize])
                            && self.is_translatable(store, classic, FuncAddr(func), &context) => {}
                    leave => break leave,
                }
            };
            (leave, context)
        };
        debug_assert!(context.shared.budget <= ticks, "ticks only go down");
        machine.tick += ticks - context.shared.budget;
        if let Leave::Returned = leave {
            return self.leave_frame(machine, store);
        }
        let at = match leave {
            Leave::Budget | Leave::Exhausted => At::Arrival,
            _ => At::Instruction,
        };
        self.settle(classic, machine, store, &context, at);
        outcome(store, leave)
    }

    /// Whether a function without register code can be given some, so that the call of it is executed again.
    fn is_translatable(
        &mut self,
        store: &Store,
        classic: &Classic,
        func: FuncAddr,
        context: &FastContext,
    ) -> bool {
        let inst = &store.funcs[func.index()];
        inst.kind == FuncKind::Wasm
            && inst.instance == context.instance
            && self.prepare(store, classic, func)
            && self.show(func)
    }

    /// Whether a function has been translated.
    pub(crate) fn has_code(&self, func: FuncAddr) -> bool {
        self.funcs.get(func.index()).is_some_and(Option::is_some)
    }

    /// Has calls of a function stop, since something else is to run it.
    pub(crate) fn hide(&mut self, func: FuncAddr) {
        if let Some(header) = self.headers.get_mut(func.index()) {
            *header = std::ptr::null();
        }
    }

    /// Lets a translated function be called again; answers whether it is translated.
    fn show(&mut self, func: FuncAddr) -> bool {
        let Some(prepared) = &self.funcs[func.index()] else {
            return false;
        };
        self.headers[func.index()] = &raw const prepared.header;
        true
    }

    /// The frame that the run began in has returned; its results lie in their cells.
    fn leave_frame(&mut self, machine: &mut Machine, store: &Store) -> Run {
        let frame = machine.frames.pop().expect("the run began in a frame");
        let results = cells_count(store.func_type(frame.func).results());
        machine.height = frame.base + results;
        if machine.frames.is_empty() {
            Run::Ended(Outcome::Finished)
        } else {
            Run::Returned
        }
    }

    /// Makes the frames of the calls since the run began, and fills in the cells of the innermost.
    fn settle(
        &mut self,
        classic: &Classic,
        machine: &mut Machine,
        store: &Store,
        context: &FastContext,
        at: At,
    ) {
        let func = self.func_at(context.ip);
        let start = self.funcs[func.index()]
            .as_ref()
            .expect("it runs")
            .words
            .as_ptr();
        // SAFETY: the registers of the context point into the code of the function and into the machine's cells; the records from
        // the second on are calls', whose return address is behind the word that says who called.
        let (position, base, records) = unsafe {
            let base_of = |fp: *mut u64| fp.offset_from(context.shared.cells) as u32;
            let calls = self.calls.as_ptr().add(1);
            let count = context.call.cast_const().offset_from(calls) as usize;
            let records = std::slice::from_raw_parts(calls, count)
                .iter()
                .map(move |record| {
                    let caller = *record.ip.sub(1);
                    Frame {
                        func: FuncAddr(caller as u32),
                        pc: ModuleOffset((caller >> 32) as u32),
                        base: base_of(record.fp),
                        side: Frame::SIDE_UNKNOWN,
                    }
                });
            (
                context.ip.offset_from(start) as u32,
                base_of(context.fp),
                records,
            )
        };
        machine.frames.pop();
        machine.frames.extend(records);
        let places = self.places(store, classic, func);
        let place: &Place = match at {
            At::Instruction => places.executing(position),
            At::Arrival => places.arrived(position),
        };
        machine.frames.push(Frame {
            func,
            pc: place.pc,
            base,
            side: Frame::SIDE_UNKNOWN,
        });
        machine.height = base + place.height;
        let cells = &mut machine.cells[base as usize..];
        for fill in &place.operands {
            cells[fill.cell as usize] = match fill.from {
                FillFrom::Local(cell) => cells[cell as usize],
                FillFrom::Constant(bits) => bits,
                FillFrom::Register(RegisterKind::Int) => context.int,
                FillFrom::Register(RegisterKind::Double) => context.double.to_bits(),
                FillFrom::Register(RegisterKind::Single) => u64::from(context.single.to_bits()),
            };
        }
    }

    /// The function that an instruction of register code belongs to.
    fn func_at(&self, ip: *const Word) -> FuncAddr {
        let (_, &func) = self
            .by_address
            .range(..=ip.addr())
            .next_back()
            .expect("the code of some function");
        func
    }

    /// The most cells that a frame of a function takes; `None` when it cannot be translated.
    pub(crate) fn frame_cells_max(
        &mut self,
        store: &Store,
        classic: &Classic,
        func: FuncAddr,
    ) -> Option<u32> {
        if !self.prepare(store, classic, func) {
            return None;
        }
        let header = &self.funcs[func.index()].as_ref()?.header;
        Some(header.frame_bytes_max / size_of::<u64>() as u32)
    }
}

/// What the driver is told when register code has left.
fn outcome(store: &Store, leave: Leave) -> Run {
    Run::Ended(match leave {
        Leave::Probe => Outcome::Probe,
        Leave::Budget | Leave::Exhausted => Outcome::Poll,
        Leave::Trap(kind) => Outcome::Trap(kind),
        Leave::Throw => Outcome::Throw,
        Leave::Collect => Outcome::Collect,
        Leave::HostResource => Outcome::HostResource,
        Leave::Deadlock => Outcome::Deadlock,
        Leave::Callee(func) | Leave::TailCallee(func)
            if store.funcs[func as usize].kind == FuncKind::Wasm =>
        {
            return Run::GivenAway;
        }
        Leave::Callee(func) => Outcome::HostCall(FuncAddr(func)),
        Leave::TailCallee(func) => Outcome::HostTailCall(FuncAddr(func)),
        Leave::Bail => return Run::GivenAway,
        Leave::Stepped | Leave::Instance | Leave::Returned | Leave::Finished => {
            unreachable!("register code does not leave so")
        }
    })
}

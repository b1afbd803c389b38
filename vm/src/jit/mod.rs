//! The machine-code tiers: run functions that the compiler made, from the canonical state and back to it.
//!
//! A run enters the innermost frame's function: at its start, or at a loop where the frame stands. When code is left, it has
//! written a record for every native frame; from those the canonical frames are made. Frames below the one that was entered stay
//! canonical, and are gone on with one by one as they are returned to. Between two places where code can be entered, which are
//! those where the clock ticks, the fast tier executes.

mod auto;
mod background;
mod code;
mod compile;
mod env;
mod faults;
mod job;
mod listing;
mod perf_map;
mod runtime;
mod settle;

use std::collections::{BTreeMap, HashMap};
use std::ffi::c_void;
use std::ops::Range;
use std::time::{Duration, Instant};

use wasmparser::FuncType;
use wdb_codegen::{
    CellKind, Compiler, Context, ENTRY_BYTES, FRAME_CELLS_MAX, Level, MEMORY_VIEW_BYTES,
    MemoryView, Reason, Start, TableView, Trampoline, entries_offset, returns_in_registers,
};

use crate::address::{FuncAddr, TypeId};
use crate::classic::{Classic, Mode, Outcome};
use crate::fast::{self, Fast};
use crate::interrupt::Interrupt;
use crate::machine::{Frame, Machine};
use crate::outside::Outside;
use crate::store::Store;
use crate::tier::Fallback;
use crate::value::cells_count;
use crate::vm::TICKS_PER_POLL;
use crate::watch::{WatchPlan, Watches};
use auto::Pace;
use background::Background;
use code::{Entrance, Unit};
use perf_map::PerfMap;
use runtime::Running;

/// Cells below the operands of instructions that the runtime executes.
const SCRATCH_BOTTOM: usize = 1;

/// Cells for the operands and results of one instruction. `array.new_fixed` takes ten thousand operands at most, which may be
/// vectors; all others have as many as a function type, a thousand.
const SCRATCH_CELLS: usize = 2 * 10_000;

/// Native stack that is left for what compiled code calls.
const NATIVE_RESERVE_BYTES: usize = 256 << 10;

/// The native stack that a run has at least; where there is less, it gets one of its own.
const NATIVE_STACK_BYTES: usize = 1 << 20;

/// What compiling may take of the native stack.
const COMPILER_STACK_BYTES: usize = 4 << 20;

/// Every frame takes so many bytes of the native stack at least, and one for each of its cells.
const NATIVE_FRAME_BYTES: u64 = 16;

/// How often a loop is arrived at by the fast tier before code is made that can be entered there.
const ARRIVALS_BEFORE_ENTRY: u32 = 16;

/// Where code for a function is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Code {
    /// Nowhere yet.
    None,
    /// It is being compiled in the background, under this number.
    Pending(u32),
    Unit(u32),
    /// It cannot be made.
    Impossible,
}

/// What is known of a function.
struct FuncState {
    /// Its code from the start, by level.
    call: [Code; 2],
    /// Code from places within, by level.
    frames: HashMap<(u32, usize), FrameCode>,
    /// Code that only leaves at the start.
    stub: Option<u32>,
    /// Where the bodies of loops begin; found when somebody asks.
    loops: Option<Box<[u32]>>,
}

/// What runs functions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Policy {
    /// Code of a level, for each function that is called.
    Level(Level),
    /// The fast tier at first, and machine code for what turns out to take time.
    Auto,
}

/// Code from a place within a function.
struct FrameCode {
    code: Code,
    arrivals: u32,
}

/// What makes code, and what code calls.
struct Toolchain {
    compiler: Compiler,
    runtime: runtime::Table,
}

impl Toolchain {
    fn new() -> Result<Box<Toolchain>, String> {
        let mut compiler = Compiler::new().map_err(|error| error.to_string())?;
        let runtime = runtime::Table::new(&mut compiler)?;
        Ok(Box::new(Toolchain { compiler, runtime }))
    }
}

/// The machine-code tiers.
pub(crate) struct Jit {
    /// Made when it is first needed; an error where no machine code can be made.
    toolchain: Option<Result<Box<Toolchain>, String>>,
    /// By number; numbers of code that was given up are used again.
    units: Vec<Option<Box<Unit>>>,
    free_units: Vec<u32>,
    /// By function of the store.
    funcs: Vec<Option<Box<FuncState>>>,
    entrances: HashMap<(TypeId, bool), Entrance>,
    /// The addresses of all code, ascending.
    ranges: Vec<Range<usize>>,
    /// The context with what lies around it; the memories that it has room for, and functions.
    arena: Vec<u64>,
    arena_memories: usize,
    arena_funcs: usize,
    tables: Vec<TableView>,
    func_types: Vec<u32>,
    scratch: Box<[u64]>,
    /// Records of exits. They take a word for each frame beside the most cells that it can have: only the innermost frame can exceed
    /// the machine's limits.
    records: Vec<u64>,
    /// What the entries lead to.
    policy: Policy,
    background: Option<Background>,
    /// What the program's run heeds, and compiling.
    interrupt: Interrupt,
    pace: Pace,
    /// Numbers of code that was given up while it was being compiled.
    cancelled: Vec<u32>,
    /// How often functions of the store were found running.
    samples: Vec<u32>,
    /// Functions of the store whose start has code.
    has_code: Vec<bool>,
    /// Those of them that the fast tier was not told of yet.
    to_hide: Vec<FuncAddr>,
    /// Whether bounds of memories are looked at by code even where faults could be caught.
    checks_bounds: bool,
    /// What code is compiled for.
    plan: WatchPlan,
    /// The addresses that it looks for.
    watch_extent: Range<u64>,
    /// When the state should be kept to find faults from.
    checkpoint_at: Option<Instant>,
    obstacles: BTreeMap<FuncAddr, String>,
    compilation: [Duration; 2],
    perf_map: Option<PerfMap>,
}

// SAFETY: pointers into what belongs to others are followed in runs alone, each of which writes them anew; all others are into boxes
// and vectors of the same value.
unsafe impl Send for Jit {}

/// What a run needs that belongs to others.
pub(crate) struct Around<'a> {
    pub(crate) store: &'a Store,
    pub(crate) classic: &'a mut Classic,
    pub(crate) fast: &'a mut Fast,
    pub(crate) outside: &'a mut Outside,
    pub(crate) stops_at_host_calls: bool,
    /// The watches of a run that is to end where an interpreter is needed.
    pub(crate) watches: Option<&'a Watches>,
    /// Ticks that passed in the fast tier.
    pub(crate) fast_ticks: u64,
}

impl Around<'_> {
    /// Whether the frame of a watch has returned.
    fn has_ended_scopes(&self, machine: &Machine) -> bool {
        let depth = machine.frames.len() as u32;
        self.watches
            .is_some_and(|watches| depth < watches.scope_max())
    }

    /// Whether the innermost frame is one too many, for the driver to say so.
    fn exceeds_limits(&mut self, machine: &Machine, top: Frame) -> bool {
        let cells = self
            .fast
            .frame_cells_max(self.store, self.classic, top.func);
        let cells = cells.unwrap_or_else(|| self.classic.frame_cells_max(self.store, top.func));
        machine.exceeds_limits(cells)
    }

    /// Executes in the fast tier, until a function is called that has code, where it matters which ones have.
    fn bridge(
        &mut self,
        machine: &mut Machine,
        mode: Mode,
        ticks: u64,
        has_code: Option<&[bool]>,
    ) -> Outcome {
        let before = machine.tick;
        let beside = fast::Beside {
            store: self.store,
            classic: self.classic,
            watches: self.watches,
            has_code,
        };
        let outcome = self.fast.execute(beside, machine, mode, ticks);
        self.fast_ticks += machine.tick - before;
        outcome
    }
}

/// How a run of compiled code ended.
enum Run {
    /// Its frame has returned.
    Returned,
    /// The outermost frame has returned.
    Finished,
    /// It was left where it had just arrived.
    Arrived,
    /// It was left at an instruction that is for an interpreter.
    Instruction,
    /// It was left at a probe.
    Probe,
    /// It accessed what is no memory; the state is lost.
    Fault,
}

fn innermost(machine: &Machine) -> Frame {
    let frame = machine.frames.last();
    *frame.expect("the driver runs a machine that has a frame")
}

impl Jit {
    /// Without code. `checks_bounds`: see [`Bounds::Explicit`](crate::tier::Bounds::Explicit).
    pub(crate) fn new(checks_bounds: bool, interrupt: Interrupt) -> Jit {
        Jit {
            interrupt,
            toolchain: None,
            units: Vec::new(),
            free_units: Vec::new(),
            funcs: Vec::new(),
            entrances: HashMap::new(),
            ranges: Vec::new(),
            arena: Vec::new(),
            arena_memories: 0,
            arena_funcs: 0,
            tables: Vec::new(),
            func_types: Vec::new(),
            scratch: Box::new([]),
            records: Vec::new(),
            policy: Policy::Level(Level::Optimized),
            background: None,
            pace: Pace::default(),
            cancelled: Vec::new(),
            samples: Vec::new(),
            has_code: Vec::new(),
            to_hide: Vec::new(),
            checks_bounds,
            plan: WatchPlan::default(),
            watch_extent: 0..0,
            checkpoint_at: None,
            obstacles: BTreeMap::new(),
            compilation: [Duration::ZERO; 2],
            perf_map: None,
        }
    }

    /// Whether code relies on faults, whose exact state is found by running again from a state in the past.
    pub(crate) fn needs_checkpoint(&self) -> bool {
        !self.checks_bounds && faults::are_caught()
    }

    /// Whether such a state should be kept now.
    pub(crate) fn wants_checkpoint(&self) -> bool {
        self.checkpoint_at.is_some_and(|at| Instant::now() >= at)
    }

    /// Says when such a state should be kept next.
    pub(crate) fn schedule_checkpoint(&mut self, at: Instant) {
        self.checkpoint_at = Some(at);
    }

    /// Changes which instructions are left to an interpreter because of watches; `extent`: see [`Watches::extent`].
    pub(crate) fn set_plan(&mut self, plan: &WatchPlan, extent: Range<u64>) {
        let is_within = extent.is_empty()
            || (self.watch_extent.start <= extent.start && extent.end <= self.watch_extent.end);
        if self.plan == *plan && is_within {
            return;
        }
        self.plan = plan.clone();
        self.watch_extent = extent;
        for index in 0..self.funcs.len() {
            self.forget(FuncAddr(index as u32));
        }
    }

    /// Forgets the code of a function whose probes have changed.
    pub(crate) fn forget(&mut self, func: FuncAddr) {
        let Some(state) = self.funcs.get_mut(func.index()).and_then(Option::take) else {
            return;
        };
        let calls = state.call.into_iter();
        let all = calls.chain(state.frames.into_values().map(|frame| frame.code));
        for code in all.chain(state.stub.map(Code::Unit)) {
            match code {
                Code::Unit(number) => self.drop_unit(number),
                Code::Pending(number) => self.cancelled.push(number),
                Code::None | Code::Impossible => {}
            }
        }
        self.obstacles.remove(&func);
        if func.index() < self.arena_funcs {
            self.set_entry(func, std::ptr::null());
            self.has_code[func.index()] = false;
        }
    }

    fn drop_unit(&mut self, number: u32) {
        let Some(unit) = self.units[number as usize].take() else {
            return;
        };
        let start = unit.memory.range().start;
        let position = self.ranges.partition_point(|range| range.start < start);
        self.ranges.remove(position);
        self.free_units.push(number);
    }

    // The context.

    fn context(&mut self) -> *mut Context {
        let views = self.arena_memories * MEMORY_VIEW_BYTES;
        // SAFETY: the arena has room for so many views in front of the context.
        unsafe { self.arena.as_mut_ptr().cast::<u8>().add(views).cast() }
    }

    fn set_entry(&mut self, func: FuncAddr, address: *const c_void) {
        assert!(func.index() < self.arena_funcs, "a function of the store");
        let context = self.context();
        // SAFETY: the arena has room for an entry for each function behind the context.
        unsafe {
            let entries = context.cast::<u8>().add(entries_offset());
            entries
                .cast::<*const c_void>()
                .add(func.index())
                .write(address);
        }
    }

    /// Makes everything as large as the store is, and says where things are.
    fn prepare(
        &mut self,
        store: &Store,
        machine: &mut Machine,
        policy: Policy,
        watches: Option<&Watches>,
    ) {
        if self.scratch.is_empty() {
            self.scratch = vec![0; SCRATCH_BOTTOM + SCRATCH_CELLS].into();
            let limits = machine.limits;
            let words = machine.cells.len() + limits.frames_max as usize + 2 + FRAME_CELLS_MAX;
            // The system gives the pages when they are written.
            self.records = vec![0; words];
        }
        let is_complete = !self.arena.is_empty()
            && self.arena_funcs == store.funcs.len()
            && self.arena_memories == machine.memories.len()
            && self.policy == policy;
        if !is_complete {
            self.rebuild(store, machine, policy);
        }
        self.refresh_views(machine);
        let globals = machine.globals.as_mut_ptr();
        let cells = self.scratch[SCRATCH_BOTTOM..].as_mut_ptr();
        let (tables, func_types) = (self.tables.as_ptr(), self.func_types.as_ptr());
        let context = self.context();
        // SAFETY: the context lies in the arena.
        unsafe {
            (*context).globals = globals;
            (*context).tables = tables;
            (*context).func_types = func_types;
            (*context).cells = cells;
            if let Some(Ok(toolchain)) = &self.toolchain {
                (*context).runtime = toolchain.runtime.addresses;
            }
            let granules = watches.map_or(std::ptr::null(), Watches::granules);
            (*context).granules = granules.cast();
        }
    }

    /// Makes what code is made with, unless it is there.
    fn need_toolchain(&mut self) {
        if self.toolchain.is_some() {
            return;
        }
        let toolchain = Toolchain::new();
        if let Ok(toolchain) = &toolchain {
            let context = self.context();
            // SAFETY: the context lies in the arena.
            unsafe { (*context).runtime = toolchain.runtime.addresses };
        }
        self.toolchain = Some(toolchain);
    }

    fn rebuild(&mut self, store: &Store, machine: &Machine, policy: Policy) {
        self.policy = policy;
        self.arena_memories = machine.memories.len();
        self.arena_funcs = store.funcs.len();
        let bytes = self.arena_memories * MEMORY_VIEW_BYTES
            + entries_offset()
            + self.arena_funcs * ENTRY_BYTES;
        self.arena = vec![0; bytes.div_ceil(size_of::<u64>())];
        self.funcs.resize_with(store.funcs.len(), || None);
        // Types are noted when functions are first called by reference: then they are known to be valid.
        self.func_types.resize(store.funcs.len() + 1, u32::MAX);
        self.samples.resize(store.funcs.len(), 0);
        self.has_code = vec![false; store.funcs.len()];
        for index in 0..self.arena_funcs {
            let func = FuncAddr(index as u32);
            if let Some(unit) = self.best_unit(func) {
                self.enter_by(func, unit);
            }
        }
    }

    /// The best code that a function has from its start, of those that the policy admits.
    fn best_unit(&self, func: FuncAddr) -> Option<u32> {
        let state = self.funcs[func.index()].as_ref()?;
        let unit = |level: Level| match state.call[level as usize] {
            Code::Unit(unit) => Some(unit),
            _ => None,
        };
        match self.policy {
            Policy::Level(level) => unit(level),
            Policy::Auto => unit(Level::Optimized).or_else(|| unit(Level::Baseline)),
        }
    }

    /// Has calls of a function enter this code.
    fn enter_by(&mut self, func: FuncAddr, unit: u32) {
        let address = self.unit(unit).memory.address();
        self.set_entry(func, address);
        self.has_code[func.index()] = true;
        self.to_hide.push(func);
    }

    /// The level at which code is made at once.
    fn level(&self) -> Level {
        match self.policy {
            Policy::Level(level) => level,
            // Nobody waits for more.
            Policy::Auto => Level::Baseline,
        }
    }

    /// Notes the type of a function that is valid.
    fn note_type(&mut self, func: FuncAddr, type_id: TypeId) {
        self.func_types[func.index() + 1] = type_id.0;
    }

    /// Says where memories and tables are now, and how large.
    fn refresh_views(&mut self, machine: &mut Machine) {
        let context = self.context();
        for (index, memory) in machine.memories.iter().enumerate() {
            let view = MemoryView {
                base: memory.base(),
                bytes: memory.bytes().len() as u64,
            };
            // SAFETY: the arena has room for a view of each memory in front of the context.
            unsafe { context.cast::<MemoryView>().sub(index + 1).write(view) };
        }
        let is_in_place = self.tables.len() == machine.tables.len();
        let views = machine.tables.iter_mut().map(|table| TableView {
            elements: table.elements.as_mut_ptr(),
            count: table.elements.len() as u64,
        });
        if is_in_place {
            // In place, as code knows the address.
            self.tables
                .iter_mut()
                .zip(views)
                .for_each(|(old, new)| *old = new);
        } else {
            self.tables = views.collect();
        }
    }

    // Running.

    /// Executes from the machine's state, which has a frame, for at most `ticks` ticks (at least one). `mode` is one of a run.
    pub(crate) fn execute(
        &mut self,
        around: &mut Around<'_>,
        machine: &mut Machine,
        span: (Mode, u64),
        policy: Policy,
    ) -> Outcome {
        // A run that goes on behind a probe goes on as before.
        let mut pace = std::mem::take(&mut self.pace);
        let outcome = self.execute_at(&mut pace, around, machine, span, policy);
        self.pace = pace;
        outcome
    }

    fn execute_at(
        &mut self,
        pace: &mut Pace,
        around: &mut Around<'_>,
        machine: &mut Machine,
        (mode, ticks): (Mode, u64),
        policy: Policy,
    ) -> Outcome {
        self.prepare(around.store, machine, policy, around.watches);
        let end = machine.tick.saturating_add(ticks);
        let mut passes_probe = mode == Mode::Run;
        let mut was_left_at_once = false;
        let mut turns = 0_u32;
        loop {
            let top = innermost(machine);
            if turns > 0 && around.exceeds_limits(machine, top) {
                return Outcome::Poll;
            }
            let has_probe = around.classic.has_probe(top.func, top.pc);
            let meets_probe = has_probe && !passes_probe;
            // Code follows the rule of a probe that is met, but it cannot pass one unseen.
            let is_ruled = meets_probe && around.classic.rule(top.func, top.pc).is_some();
            let is_enterable = (!has_probe || is_ruled) && !std::mem::take(&mut was_left_at_once);
            let entry = is_enterable.then(|| match policy {
                Policy::Level(_) => self.entry(around, machine, top),
                Policy::Auto => self.ready_entry(around, machine, top),
            });
            let entry = entry.flatten();
            if meets_probe && entry.is_none() {
                return Outcome::Probe;
            }
            let left = end - machine.tick;
            let mut is_due = false;
            let outcome = if let Some(unit) = entry {
                let before = (machine.tick, machine.frames.len());
                let outcome = self.turn(around, machine, unit, left);
                // The native stack has no room for a single frame of it.
                was_left_at_once = machine.tick == before.0 && machine.frames.last() == Some(&top);
                if policy == Policy::Auto {
                    let has_returned = machine.frames.len() < before.1;
                    self.note_turn(around, machine, pace, has_returned);
                }
                is_due = self.wants_checkpoint();
                outcome
            } else {
                let mode = if passes_probe {
                    Mode::Run
                } else {
                    Mode::RunFromProbe
                };
                match policy {
                    Policy::Level(_) => around.bridge(machine, mode, 1, None),
                    Policy::Auto => self.slice(around, machine, mode, left, pace),
                }
            };
            passes_probe = false;
            if outcome != Outcome::Poll || machine.tick >= end || around.has_ended_scopes(machine) {
                return outcome;
            }
            turns += 1;
            let is_raised = around.outside.interrupt.is_raised();
            if is_raised || is_due || turns.is_multiple_of(TURNS_PER_POLL) {
                return Outcome::Poll;
            }
        }
    }

    /// Runs compiled code; `Outcome::Poll` when the driver goes on as it likes.
    fn turn(
        &mut self,
        around: &mut Around<'_>,
        machine: &mut Machine,
        unit: u32,
        ticks: u64,
    ) -> Outcome {
        match self.run(around, machine, unit, ticks) {
            Run::Returned | Run::Arrived => Outcome::Poll,
            Run::Finished => Outcome::Finished,
            Run::Probe => Outcome::Probe,
            Run::Fault => Outcome::Fault,
            Run::Instruction if around.watches.is_some() => Outcome::GivenAway,
            Run::Instruction => {
                let (classic, store) = (&mut *around.classic, around.store);
                match classic.execute(machine, store, Mode::Step, 1 << 32) {
                    Outcome::Stepped => Outcome::Poll,
                    outcome => outcome,
                }
            }
        }
    }

    /// Code that goes on from the machine's state; `None` when there is none.
    fn entry(&mut self, around: &mut Around<'_>, machine: &Machine, top: Frame) -> Option<u32> {
        let Around { store, classic, .. } = around;
        let inst = &store.funcs[top.func.index()];
        let module = &store.instances[inst.instance.index()].module;
        let body = module.func_body(inst.index)?;
        let is_start = top.pc.0 == body.code.start;
        let start = if is_start && self.is_entered(store, machine, top) {
            Start::Call
        } else {
            if !is_start && !self.is_loop(store, top) {
                return None;
            }
            self.arrives_often(top)?;
            Start::Frame(top.pc.0)
        };
        let Code::Unit(unit) = self.code_of(store, machine, classic, top.func, start) else {
            return None;
        };
        self.can_enter(machine, top, unit).then_some(unit)
    }

    /// Whether a frame at its function's first instruction is as calls leave it: all locals but the parameters are zero.
    fn is_entered(&self, store: &Store, machine: &Machine, top: Frame) -> bool {
        let params = cells_count(store.func_type(top.func).params());
        let locals = (top.base + params) as usize..machine.height as usize;
        machine.cells[locals].iter().all(|&cell| cell == 0)
    }

    /// Whether a frame stands at the start of a loop's body.
    fn is_loop(&mut self, store: &Store, top: Frame) -> bool {
        let state = self.state(top.func);
        let loops = state.loops.get_or_insert_with(|| {
            let inst = &store.funcs[top.func.index()];
            let module = &store.instances[inst.instance.index()].module;
            let instructions = module.instructions(inst.index);
            let loops = instructions.filter(|it| it.op == crate::isa::Op::Loop);
            loops.map(|it| it.next.0).collect()
        });
        loops.binary_search(&top.pc.0).is_ok()
    }

    /// Counts an arrival at a place where no code can be entered yet; `None` until it has been often enough.
    fn arrives_often(&mut self, top: Frame) -> Option<()> {
        let level = self.level() as usize;
        let frames = &mut self.state(top.func).frames;
        let frame = frames.entry((top.pc.0, level)).or_insert(FrameCode {
            code: Code::None,
            arrivals: 0,
        });
        frame.arrivals = frame.arrivals.saturating_add(1);
        (frame.code != Code::None || frame.arrivals > ARRIVALS_BEFORE_ENTRY).then_some(())
    }

    /// Whether code can go on with the frame as it is.
    fn can_enter(&self, machine: &Machine, top: Frame, unit: u32) -> bool {
        self.unit(unit).start == Start::Call || self.has_exact_floats(machine, top, unit)
    }

    /// Whether code that is to go on with a frame takes its floats for what they are: a NaN that somebody has put into a local that
    /// otherwise only arithmetic sets would become another.
    fn has_exact_floats(&self, machine: &Machine, top: Frame, unit: u32) -> bool {
        let mut cell = top.base as usize;
        self.unit(unit).locals.iter().all(|kind| {
            let bits = machine.cells[cell];
            cell += kind.count();
            match kind {
                CellKind::Float32 => settle::canonical_32(bits as u32) == bits as u32,
                CellKind::Float64 => settle::canonical_64(bits) == bits,
                _ => true,
            }
        })
    }

    /// Enters compiled code in the innermost frame, and makes the state canonical when it has ended.
    fn run(
        &mut self,
        around: &mut Around<'_>,
        machine: &mut Machine,
        unit: u32,
        ticks: u64,
    ) -> Run {
        let room = NATIVE_STACK_BYTES + NATIVE_RESERVE_BYTES;
        stacker::maybe_grow(room, 4 * room, || {
            self.run_on_this_stack(around, machine, unit, ticks)
        })
    }

    fn run_on_this_stack(
        &mut self,
        around: &mut Around<'_>,
        machine: &mut Machine,
        unit: u32,
        ticks: u64,
    ) -> Run {
        let top = innermost(machine);
        let store = around.store;
        let type_id = store.funcs[top.func.index()].type_id;
        let ty = store.types.func(type_id);
        let takes_params = self.unit(unit).start == Start::Call;
        let code = self.unit(unit).memory.address();
        let Some(entrance) = self.entrance(type_id, ty, takes_params) else {
            // The system gives no more memory for code: an interpreter goes on.
            return Run::Arrived;
        };
        let (enter, landing) = (entrance.function(), entrance.landing);
        let first = ticks.min(TICKS_PER_POLL);
        let mut running = Running {
            jit: &raw mut *self,
            machine: &raw mut *machine,
            store,
            classic: &raw const *around.classic,
            outside: &raw mut *around.outside,
            stops_at_host_calls: around.stops_at_host_calls,
            granted: first,
            left: ticks - first,
            shared: None,
        };
        let cells = machine.cells[top.base as usize..].as_mut_ptr();
        let records = self.records.as_mut_ptr();
        let stack_limit = stack_limit(machine);
        let context = self.context();
        // SAFETY: the context lies in the arena; all that its pointers lead to outlives the run.
        unsafe {
            (*context).stack_limit = stack_limit;
            (*context).exit_top = records;
            (*context).frame = cells;
            (*context).owner = (&raw mut running).cast();
            (*context).clock_end = machine.tick + first;
            let probes = &mut (*running.outside).probes;
            (*context).counters = probes.counters.as_mut_ptr();
            ((*context).capture_next, (*context).capture_end) = probes.captured.room();
        }
        let active = faults::Active {
            ranges: &raw const self.ranges,
            landing,
            context,
        };
        // The entry counts a tick, which the frame has counted already.
        // SAFETY: the code is that of the frame's function, whose arguments or state lie in the cells.
        let clock = faults::guarded(&active, || unsafe {
            enter(context, code, cells, first as i64)
        });
        let granted = running.granted;
        // SAFETY: as before.
        let written = unsafe { (*context).capture_next };
        around.outside.probes.captured.note_written(written);
        if clock == Trampoline::FAULT {
            return Run::Fault;
        }
        if clock >= 0 {
            machine.tick += granted - (clock as u64 + 1);
            return self.leave_frame(machine, ty);
        }
        // SAFETY: as before.
        let (clock, exit_top) = unsafe { ((*context).clock, (*context).exit_top) };
        machine.tick += granted - (clock + 1) as u64;
        // SAFETY: code has written its records one after the other from the start on.
        let words = unsafe { exit_top.offset_from(records) } as usize;
        match self.settle(machine, words) {
            Reason::Arrival => Run::Arrived,
            Reason::Instruction => Run::Instruction,
            Reason::Probe => Run::Probe,
        }
    }

    /// The frame that was entered has returned; its results lie where a call's do.
    fn leave_frame(&mut self, machine: &mut Machine, ty: &FuncType) -> Run {
        let frame = machine.frames.pop().expect("the run began in a frame");
        let count = cells_count(ty.results()) as usize;
        let base = frame.base as usize;
        if !returns_in_registers(ty) {
            let results = &self.scratch[SCRATCH_BOTTOM..][..count];
            machine.cells[base..base + count].copy_from_slice(results);
        }
        machine.height = (base + count) as u32;
        if machine.frames.is_empty() {
            Run::Finished
        } else {
            Run::Returned
        }
    }

    // What people are told.

    /// Functions that have code of a level.
    pub(crate) fn compiled_funcs(&self, level: Level) -> impl Iterator<Item = FuncAddr> {
        let states = self.funcs.iter().zip(0..);
        states.filter_map(move |(state, index)| {
            let code = state.as_ref()?.call[level as usize];
            matches!(code, Code::Unit(_)).then_some(FuncAddr(index))
        })
    }

    /// Bytes of machine code of a level.
    pub(crate) fn code_bytes(&self, level: Level) -> usize {
        let states = self.funcs.iter().flatten();
        let codes = states.flat_map(|state| {
            let frames = state.frames.iter();
            let frames = frames.filter(move |((_, of), _)| *of == level as usize);
            std::iter::once(state.call[level as usize]).chain(frames.map(|(_, frame)| frame.code))
        });
        codes
            .map(|code| match code {
                Code::Unit(number) => self.unit(number).memory.len(),
                _ => 0,
            })
            .sum()
    }

    /// The time that compiling for a level took.
    pub(crate) fn compilation(&self, level: Level) -> Duration {
        self.compilation[level as usize]
    }

    /// The functions that have to run in a slower tier.
    pub(crate) fn fallbacks(&self) -> Vec<Fallback> {
        let fallback = |(&func, reason): (&FuncAddr, &String)| Fallback {
            func,
            reason: reason.clone(),
        };
        self.obstacles.iter().map(fallback).collect()
    }
}

/// How many turns go by between two looks of the driver.
const TURNS_PER_POLL: u32 = 1 << 14;

/// The native stack pointer below which compiled code is left. So much stack is given that neither frames nor cells can exceed the
/// machine's limits unnoticed: each frame takes its share of it.
fn stack_limit(machine: &Machine) -> usize {
    let limits = machine.limits;
    let frames_left = u64::from(limits.frames_max) + 1 - machine.frames.len() as u64;
    let cells_left = u64::from(limits.cells_max).saturating_sub(u64::from(machine.height));
    let here = std::ptr::from_ref(&limits).addr();
    let remaining = stacker::remaining_stack().unwrap_or(NATIVE_STACK_BYTES);
    let native = remaining.saturating_sub(NATIVE_RESERVE_BYTES) as u64;
    let bytes = native.min(frames_left * NATIVE_FRAME_BYTES).min(cells_left);
    here - bytes as usize
}

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
mod run;
mod runtime;
mod settle;

use std::collections::{BTreeMap, HashMap};
use std::ffi::c_void;
use std::ops::Range;
use std::time::{Duration, Instant};

use wdb_codegen::{
    Compiler, Context, ENTRY_BYTES, FRAME_CELLS_MAX, Level, MEMORY_VIEW_BYTES, MemoryView,
    TableView, entries_offset,
};

use crate::address::{FuncAddr, TypeId};
use crate::classic::{Classic, Mode, Outcome};
use crate::fast::{self, Fast};
use crate::interrupt::Interrupt;
use crate::machine::{Frame, Machine};
use crate::outside::Outside;
use crate::store::Store;
use crate::tier::Fallback;
use crate::watch::{WatchPlan, Watches};
use auto::Pace;
use background::Background;
use code::{Entrance, Unit};
use perf_map::PerfMap;

/// Cells below the operands of instructions that the runtime executes.
const SCRATCH_BOTTOM: usize = 1;

/// Cells for the operands and results of one instruction. `array.new_fixed` takes ten thousand operands at most, which may be
/// vectors; all others have as many as a function type, a thousand.
const SCRATCH_CELLS: usize = 2 * 10_000;

/// What compiling may take of the native stack.
const COMPILER_STACK_BYTES: usize = 4 << 20;

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

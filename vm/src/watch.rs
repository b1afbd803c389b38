//! Watches: stops after accesses to parts of the machine's state.
//!
//! What can touch what is watched is executed as a single instruction, and looked at: by the classic tier all instructions, by the
//! fast tier those that its `WatchPlan` names, the rest at full speed. Whatever changes memory is seen: stores, bulk operations,
//! growth, and what the host writes.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::LazyLock;

use wasmparser::StorageType;
use wdb_codegen::ACCESS_BYTES_MAX;

use crate::access::{Access, access, memory_and_offset};
use crate::address::{FuncAddr, GlobalAddr, InstanceAddr, ObjectAddr};
use crate::classic::{Mode, Outcome};
use crate::decode::{Immediates, Instruction, Instructions};
use crate::exit::Exit;
use crate::isa::{Op, PREFIX_FB, PREFIX_FC, PREFIX_FD, PREFIX_FE};
use crate::machine::Frame;
use crate::probes::Arrival;
use crate::tier::Tier;
use crate::types::Layout;
use crate::value::{Reference, Value, cell_count};
use crate::vm::{RunLimit, Vm};

/// What a watch looks at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WatchTarget {
    /// Bytes of a memory. They need not exist yet.
    Memory {
        /// Whose memory.
        instance: InstanceAddr,
        /// Its index there.
        memory: u32,
        /// The addresses.
        range: Range<u64>,
    },
    /// A global.
    Global(GlobalAddr),
    /// A local of one frame.
    Local {
        /// The frame, as the number of frames up to it, counted from the outermost.
        depth: u32,
        /// The local.
        index: u32,
    },
    /// An element of a table.
    TableElement {
        /// Whose table.
        instance: InstanceAddr,
        /// Its index there.
        table: u32,
        /// The element.
        index: u64,
    },
    /// A field or an element of an object.
    Part {
        /// Where the object lies.
        object: ObjectAddr,
        /// Its number, as another object can lie there later.
        number: u64,
        /// Which field or element.
        index: u32,
    },
}

/// Which accesses a watch stops at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WatchKind {
    /// Those that change the value.
    Change,
    /// Those that read it. What the host reads does not count.
    Read,
    /// Those that read or write it, also with the same value.
    Access,
}

/// A watch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Watch {
    /// Whose it is; several watches can have the same.
    pub id: u32,
    /// What it looks at.
    pub target: WatchTarget,
    /// What it stops at.
    pub kind: WatchKind,
    /// The number of frames below which it has lost its meaning. That of a local does at least with its frame.
    pub scope: Option<u32>,
}

/// What happened to a watch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WatchHit {
    /// The watch's.
    pub id: u32,
    /// What happened.
    pub event: WatchEvent,
}

/// What happened to what is watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WatchEvent {
    /// It has another value now.
    Changed,
    /// It was written to, maybe with the value that it had.
    Written,
    /// It was read.
    Read,
    /// Its frame has returned, and the watch is given up.
    ScopeEnded,
}

/// The watches of a machine.
#[derive(Default)]
pub(crate) struct Watches {
    list: Vec<Watch>,
    /// What each held when it was looked at last; `None` where there was nothing.
    seen: Vec<Option<Vec<u8>>>,
    /// The watches of memory by the pages that they lie in.
    pages: HashMap<u64, Vec<usize>>,
    /// The watches of locals, globals and table elements.
    slots: HashMap<SlotKey, Vec<usize>>,
    /// Whether any watch lies in a granule whose address ends so: one look tells nearly all accesses apart.
    granules: Vec<bool>,
    /// The deepest scope: only below it something ends.
    scope_max: u32,
}

/// A place outside of memories, as instructions name it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum SlotKey {
    Local { depth: u32, index: u32 },
    Global(GlobalAddr),
    TableElement { table: usize, index: u64 },
    Part { object: ObjectAddr, index: u32 },
}

const PAGE_BITS: u32 = 12;
/// The size of a granule of memory, as a power of two.
pub(crate) const GRANULE_BITS: u32 = 6;
/// The number of granules that are told apart.
pub(crate) const GRANULES: usize = 1 << 16;

/// Which instructions of register code can touch what is watched: the classic tier executes those.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct WatchPlan {
    /// Whether anything is watched.
    pub(crate) any: bool,
    /// Whether memory is: those accesses decide at run time.
    pub(crate) memory: bool,
    /// Whether reads of it matter.
    pub(crate) memory_reads: bool,
    pub(crate) tables: bool,
    pub(crate) objects: bool,
    globals: BTreeSet<u32>,
    locals: BTreeSet<(FuncAddr, u32)>,
}

impl WatchPlan {
    /// Whether a local of a function is watched in some frame.
    pub(crate) fn watches_local(&self, func: FuncAddr, index: u32) -> bool {
        !self.locals.is_empty() && self.locals.contains(&(func, index))
    }

    /// Whether a global is watched.
    pub(crate) fn watches_global(&self, global: GlobalAddr) -> bool {
        !self.globals.is_empty() && self.globals.contains(&global.0)
    }

    /// Whether another function in a frame would have other locals watched.
    pub(crate) fn watches_locals(&self) -> bool {
        !self.locals.is_empty()
    }
}

/// Whether an instruction on memories, tables or objects can touch what is watched. Accesses of memory 0 with addresses of
/// 32 bits are not asked for.
pub(crate) fn can_touch(op: Op, plan: &WatchPlan) -> bool {
    if !plan.any {
        return false;
    }
    match op {
        Op::TableGet => plan.tables,
        Op::StructGet
        | Op::StructGetS
        | Op::StructGetU
        | Op::StructSet
        | Op::ArrayGet
        | Op::ArrayGetS
        | Op::ArrayGetU
        | Op::ArraySet
        | Op::ArrayFill
        | Op::ArrayCopy
        | Op::ArrayInitData
        | Op::ArrayInitElem => plan.objects,
        Op::TableSet
        | Op::TableInit
        | Op::TableCopy
        | Op::TableGrow
        | Op::TableFill
        | Op::MemoryGrow
        | Op::MemoryInit
        | Op::MemoryCopy
        | Op::MemoryFill => true,
        _ => plan.memory && access(op).is_some(),
    }
}

/// What an instruction can do to what is watched.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    None,
    Memory(Access),
    /// What the number after the prefix says: nothing, or an access of memory.
    Prefixed,
    LocalGet,
    LocalSet,
    GlobalGet,
    GlobalSet,
    TableGet,
    /// What the instruction on objects does.
    Object,
    /// Nothing, or if the host is called anything.
    Call {
        is_tail: bool,
    },
    /// Anything: all watches are looked at after it.
    Any,
}

static EFFECTS: LazyLock<[Effect; 256]> =
    LazyLock::new(|| std::array::from_fn(|byte| effect_of(byte as u8)));

fn effect_of(byte: u8) -> Effect {
    match byte {
        PREFIX_FB => return Effect::Object,
        PREFIX_FC => return Effect::Any,
        PREFIX_FD | PREFIX_FE => return Effect::Prefixed,
        _ => {}
    }
    let Some(op) = Op::from_byte(byte) else {
        return Effect::None;
    };
    match op {
        Op::LocalGet => Effect::LocalGet,
        Op::LocalSet | Op::LocalTee => Effect::LocalSet,
        Op::GlobalGet => Effect::GlobalGet,
        Op::GlobalSet => Effect::GlobalSet,
        Op::TableGet => Effect::TableGet,
        Op::TableSet | Op::MemoryGrow => Effect::Any,
        Op::Call | Op::CallIndirect | Op::CallRef => Effect::Call { is_tail: false },
        Op::ReturnCall | Op::ReturnCallIndirect | Op::ReturnCallRef => {
            Effect::Call { is_tail: true }
        }
        _ => access(op).map_or(Effect::None, Effect::Memory),
    }
}

impl Watches {
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Where an access begins that touches a watch of any memory.
    fn extent(&self) -> Range<u64> {
        let ranges = self.list.iter().filter_map(|watch| match &watch.target {
            WatchTarget::Memory { range, .. } if !range.is_empty() => Some(range),
            _ => None,
        });
        let all = ranges.fold(None, |all: Option<Range<u64>>, range| {
            let all = all.unwrap_or(range.clone());
            Some(all.start.min(range.start)..all.end.max(range.end))
        });
        all.map_or(0..0, |all| {
            all.start.saturating_sub(u64::from(ACCESS_BYTES_MAX) - 1)..all.end
        })
    }

    /// Which granules watches lie in; null when there are none.
    pub(crate) fn granules(&self) -> *const bool {
        if self.granules.is_empty() {
            std::ptr::null()
        } else {
            self.granules.as_ptr()
        }
    }

    /// The deepest scope: only below it something ends.
    pub(crate) fn scope_max(&self) -> u32 {
        self.scope_max
    }

    fn new(mut list: Vec<Watch>) -> Watches {
        for watch in &mut list {
            if let WatchTarget::Local { depth, .. } = watch.target {
                watch.scope = watch.scope.max(Some(depth));
            }
        }
        let mut pages: HashMap<u64, Vec<usize>> = HashMap::new();
        let mut granules = vec![false; GRANULES];
        for (index, watch) in list.iter().enumerate() {
            let WatchTarget::Memory { range, .. } = &watch.target else {
                continue;
            };
            if range.is_empty() {
                continue;
            }
            let last = range.end - 1;
            for page in range.start >> PAGE_BITS..=last >> PAGE_BITS {
                pages.entry(page).or_default().push(index);
            }
            let (first, last) = (range.start >> GRANULE_BITS, last >> GRANULE_BITS);
            // A range this long lies in every granule.
            let count = (last - first + 1).min(GRANULES as u64);
            for granule in first..first + count {
                granules[granule as usize % GRANULES] = true;
            }
        }
        Watches {
            slots: HashMap::new(),
            seen: Vec::new(),
            scope_max: list
                .iter()
                .filter_map(|watch| watch.scope)
                .max()
                .unwrap_or(0),
            pages,
            granules,
            list,
        }
    }

    /// The watches that share bytes with an access.
    fn touched(&self, address: u64, size: u64) -> Vec<usize> {
        let last = address.saturating_add(size.max(1) - 1);
        let is_near = (address >> GRANULE_BITS..=last >> GRANULE_BITS)
            .any(|granule| self.granules[granule as usize % GRANULES]);
        if !is_near {
            return Vec::new();
        }
        let mut touched = Vec::new();
        for page in address >> PAGE_BITS..=last >> PAGE_BITS {
            for &index in self.pages.get(&page).into_iter().flatten() {
                let shares = matches!(
                    &self.list[index].target,
                    WatchTarget::Memory { range, .. } if range.start <= last && address < range.end
                );
                if shares && !touched.contains(&index) {
                    touched.push(index);
                }
            }
        }
        touched
    }
}

impl Vm {
    /// Replaces all watches. Runs stop with [`Exit::Watch`] after the instructions that they ask for.
    pub fn set_watches(&mut self, watches: Vec<Watch>) {
        let mut watches = Watches::new(watches);
        for (index, watch) in watches.list.iter().enumerate() {
            let key = match watch.target {
                WatchTarget::Memory { .. } => None,
                WatchTarget::Local { depth, index } => Some(SlotKey::Local { depth, index }),
                WatchTarget::Global(global) => Some(SlotKey::Global(global)),
                WatchTarget::TableElement {
                    instance,
                    table,
                    index,
                } => self
                    .table_addr(instance, table)
                    .map(|table| SlotKey::TableElement { table, index }),
                WatchTarget::Part { object, index, .. } => Some(SlotKey::Part { object, index }),
            };
            if let Some(key) = key {
                watches.slots.entry(key).or_default().push(index);
            }
        }
        self.watches = watches;
        self.plan_watches();
    }

    /// Tells the other tiers which instructions can touch what is watched.
    pub(crate) fn plan_watches(&mut self) {
        let mut plan = WatchPlan::default();
        for watch in &self.watches.list {
            plan.any = true;
            match watch.target {
                WatchTarget::Memory { .. } => {
                    plan.memory = true;
                    plan.memory_reads |= watch.kind != WatchKind::Change;
                }
                WatchTarget::TableElement { .. } => plan.tables = true,
                WatchTarget::Part { .. } => plan.objects = true,
                WatchTarget::Global(global) => drop(plan.globals.insert(global.0)),
                WatchTarget::Local { depth, index } => {
                    let position = (depth as usize).checked_sub(1);
                    let frame = position.and_then(|position| self.machine.frames.get(position));
                    plan.locals.extend(frame.map(|frame| (frame.func, index)));
                }
            }
        }
        self.jit.set_plan(&plan, self.watches.extent());
        self.fast.set_plan(plan);
    }

    /// Like [`Vm::run`], with the classic tier executing what can touch a watch, one instruction at a time.
    pub(crate) fn run_watched(&mut self, limit: RunLimit) -> Exit {
        match self.tier() {
            Tier::Classic => self.run_watched_stepping(limit),
            Tier::Fast | Tier::Jit | Tier::Opt | Tier::Auto => self.run_watched_at_speed(limit),
        }
    }

    fn run_watched_at_speed(&mut self, limit: RunLimit) -> Exit {
        let tick_limit = limit.tick.unwrap_or(u64::MAX);
        let mut mode = if self.meets_probe_at_start(limit) {
            Mode::RunFromProbe
        } else {
            Mode::Run
        };
        self.look_at_all();
        self.landed = None;
        loop {
            if let Some(exit) = self.begin() {
                return exit;
            }
            if self.machine.tick >= tick_limit {
                return Exit::Tick;
            }
            self.outside.probes.captured.hand_over();
            if self.outside.interrupt.take() {
                return self.interrupted(mode == Mode::RunFromProbe);
            }
            let ticks = self.ticks_for(tick_limit);
            let outcome = if self.has_ended_scopes() {
                // A watch that was over from the start is told after an instruction.
                Ok(Outcome::GivenAway)
            } else {
                self.execute_watched(mode, ticks)
            };
            let outcome = match outcome {
                Ok(outcome) => outcome,
                Err(exit) => return exit,
            };
            mode = Mode::RunFromProbe;
            match outcome {
                Outcome::Probe => match self.arrival() {
                    Arrival::Stops => return Exit::Probe,
                    Arrival::Passes(_) if self.machine.tick >= tick_limit => {}
                    Arrival::Passes(hit) => {
                        self.note_hit(hit);
                        mode = Mode::Run;
                    }
                },
                Outcome::Finished if !self.machine.pending.is_empty() => {}
                Outcome::Finished => return Exit::Finished(self.results()),
                Outcome::Poll => {
                    let hits = self.take_ended_scopes();
                    if !hits.is_empty() {
                        return Exit::Watch(hits);
                    }
                }
                // The instruction that the machine stands at is executed, and looked at.
                _ => match self.step_watched() {
                    Exit::Stepped => {}
                    exit => return exit,
                },
            }
            if let Some(exit) = self.landing_exit(limit) {
                return exit;
            }
        }
    }

    /// Whether the frame of any watch has returned.
    fn has_ended_scopes(&self) -> bool {
        (self.machine.frames.len() as u32) < self.watches.scope_max
    }

    /// Gives up the watches whose frame has returned.
    fn take_ended_scopes(&mut self) -> Vec<WatchHit> {
        if !self.has_ended_scopes() {
            return Vec::new();
        }
        let depth = self.machine.frames.len() as u32;
        let list = std::mem::take(&mut self.watches.list).into_iter();
        let (ended, left): (Vec<Watch>, Vec<Watch>) =
            list.partition(|watch| watch.scope.is_some_and(|scope| depth < scope));
        self.set_watches(left);
        let hit = |watch: Watch| WatchHit {
            id: watch.id,
            event: WatchEvent::ScopeEnded,
        };
        ended.into_iter().map(hit).collect()
    }

    fn run_watched_stepping(&mut self, limit: RunLimit) -> Exit {
        /// How many instructions go by between looks at the interrupt.
        const POLL_INSTRUCTIONS: u32 = 1 << 12;
        let tick_limit = limit.tick.unwrap_or(u64::MAX);
        let mut meets_probe = self.meets_probe_at_start(limit);
        let mut until_poll = 0;
        self.look_at_all();
        self.landed = None;
        loop {
            if let Some(exit) = self.begin() {
                return exit;
            }
            if self.machine.tick >= tick_limit {
                return Exit::Tick;
            }
            if until_poll == 0 {
                until_poll = POLL_INSTRUCTIONS;
                self.outside.probes.captured.hand_over();
                if self.outside.interrupt.take() {
                    return self.interrupted(meets_probe);
                }
            }
            until_poll -= 1;
            if meets_probe && self.stands_at_probe() {
                match self.arrival() {
                    Arrival::Stops => return Exit::Probe,
                    Arrival::Passes(hit) => self.note_hit(hit),
                }
            }
            meets_probe = true;
            match self.step_watched() {
                Exit::Stepped => {}
                exit => return exit,
            }
            if let Some(exit) = self.landing_exit(limit) {
                return exit;
            }
        }
    }

    /// Like [`Vm::step`], with the watches looked at.
    pub(crate) fn step_and_watch(&mut self) -> Exit {
        if let Some(exit) = self.begin() {
            return exit;
        }
        self.look_at_all();
        self.step_watched()
    }

    fn stands_at_probe(&self) -> bool {
        let innermost = self.machine.frames.last();
        innermost.is_some_and(|frame| self.classic.has_probe(frame.func, frame.pc))
    }

    fn stands_at_tail_call(&self) -> bool {
        let is_tail = |frame: &Frame| {
            let instance = self.store.funcs[frame.func.index()].instance;
            let byte = self.module(instance).bytes()[frame.pc.index()];
            EFFECTS[usize::from(byte)] == Effect::Call { is_tail: true }
        };
        self.machine.frames.last().is_some_and(is_tail)
    }

    fn step_watched(&mut self) -> Exit {
        let accesses = self.accesses();
        let is_tail_call = self.stands_at_tail_call();
        let exit = self.step_plain();
        if !matches!(exit, Exit::Stepped) {
            return exit;
        }
        if is_tail_call && self.fast.plan().watches_locals() {
            // Another function has the frame, and with it the watch.
            self.plan_watches();
        }
        let mut hits = Vec::new();
        match accesses {
            Accesses::None => {}
            Accesses::Some {
                indices,
                reads,
                writes,
            } => {
                for index in indices {
                    self.look_at(index, (reads, writes), &mut hits);
                }
            }
            Accesses::AnyUnlessAt { depth } if self.machine.frames.len() == depth => {}
            Accesses::AnyUnlessAt { .. } | Accesses::Any => {
                for index in 0..self.watches.list.len() {
                    if self.refresh(index) {
                        self.report_write(index, true, &mut hits);
                    }
                }
            }
        }
        hits.extend(self.take_ended_scopes());
        if hits.is_empty() {
            exit
        } else {
            Exit::Watch(hits)
        }
    }

    /// The watches that the next instruction can touch.
    fn accesses(&self) -> Accesses {
        let Some(frame) = self.machine.frames.last() else {
            return Accesses::None;
        };
        let instance = self.store.funcs[frame.func.index()].instance;
        let code = &self.module(instance).bytes()[frame.pc.index()..];
        let effect = EFFECTS[usize::from(code[0])];
        match effect {
            Effect::None => return Accesses::None,
            Effect::Any => return Accesses::Any,
            Effect::Call { is_tail } => {
                let depth = self.machine.frames.len() + usize::from(!is_tail);
                return Accesses::AnyUnlessAt { depth };
            }
            _ => {}
        }
        let is_memory = matches!(effect, Effect::Memory(_) | Effect::Prefixed);
        if !is_memory && self.watches.slots.is_empty() {
            return Accesses::None;
        }
        let Some(instruction) = Instructions::new(code, frame.pc).next() else {
            return Accesses::None;
        };
        let (indices, reads, writes) = if effect == Effect::Object {
            match self.touched_part(instance, &instruction) {
                Some(PartAccess::One { key, writes }) => {
                    let found = self.watches.slots.get(&key);
                    (found.cloned().unwrap_or_default(), !writes, writes)
                }
                Some(PartAccess::Any) => return Accesses::Any,
                None => return Accesses::None,
            }
        } else if is_memory {
            let access = match effect {
                Effect::Memory(access) => Some(access),
                _ => access(instruction.op),
            };
            let Some(access) = access else {
                return Accesses::None;
            };
            let indices = self.touched_memory(instance, access, &instruction.immediates);
            (indices, access.reads, access.writes)
        } else {
            let writes = matches!(effect, Effect::LocalSet | Effect::GlobalSet);
            (
                self.touched_slots(instance, effect, &instruction),
                !writes,
                writes,
            )
        };
        if indices.is_empty() {
            Accesses::None
        } else {
            Accesses::Some {
                indices,
                reads,
                writes,
            }
        }
    }

    fn touched_memory(
        &self,
        instance: InstanceAddr,
        access: Access,
        immediates: &Immediates,
    ) -> Vec<usize> {
        let place = memory_and_offset(immediates).and_then(|(memory, offset)| {
            let memory = self.memory_addr(instance, memory)?;
            let base = self.operand_cell(usize::from(access.cells_above));
            let base = self.machine.memories[memory].address(base);
            Some((memory, base.checked_add(offset)?))
        });
        let Some((memory, address)) = place else {
            return Vec::new();
        };
        let mut touched = self.watches.touched(address, u64::from(access.size));
        touched.retain(|&index| match &self.watches.list[index].target {
            WatchTarget::Memory {
                instance: watched,
                memory: watched_memory,
                ..
            } => self.memory_addr(*watched, *watched_memory) == Some(memory),
            _ => false,
        });
        touched
    }

    fn touched_slots(
        &self,
        instance: InstanceAddr,
        effect: Effect,
        instruction: &Instruction,
    ) -> Vec<usize> {
        let Immediates::Index(accessed) = instruction.immediates else {
            return Vec::new();
        };
        let key = match effect {
            Effect::LocalGet | Effect::LocalSet => Some(SlotKey::Local {
                depth: self.machine.frames.len() as u32,
                index: accessed,
            }),
            Effect::GlobalGet | Effect::GlobalSet => {
                self.global_addr(instance, accessed).map(SlotKey::Global)
            }
            Effect::TableGet => {
                let table = self.table_addr(instance, accessed);
                table.map(|table| SlotKey::TableElement {
                    table,
                    index: self.machine.tables[table].index(self.operand_cell(0)),
                })
            }
            _ => None,
        };
        let found = key.and_then(|key| self.watches.slots.get(&key));
        found.cloned().unwrap_or_default()
    }

    /// The field or element that an instruction on objects accesses.
    fn touched_part(
        &self,
        instance: InstanceAddr,
        instruction: &Instruction,
    ) -> Option<PartAccess> {
        let type_ids = &self.store.instances[instance.index()].type_ids;
        let layout = |index: u32| self.store.types.layout(type_ids[index as usize]);
        let cells = |storage: StorageType| cell_count(storage.unpack()) as usize;
        let (at, index, writes) = match (instruction.op, &instruction.immediates) {
            (Op::StructGet | Op::StructGetS | Op::StructGetU, Immediates::Indices(_, field)) => {
                (0, *field, false)
            }
            (Op::StructSet, Immediates::Indices(ty, field)) => {
                let Layout::Struct(layout) = layout(*ty) else {
                    return None;
                };
                let (_, storage) = layout.fields[*field as usize];
                (cells(storage), *field, true)
            }
            (Op::ArrayGet | Op::ArrayGetS | Op::ArrayGetU, _) => {
                (1, self.operand_cell(0) as u32, false)
            }
            (Op::ArraySet, Immediates::Index(ty)) => {
                let Layout::Array(storage) = layout(*ty) else {
                    return None;
                };
                let above = cells(*storage);
                (above + 1, self.operand_cell(above) as u32, true)
            }
            (Op::ArrayFill | Op::ArrayCopy | Op::ArrayInitData | Op::ArrayInitElem, _) => {
                return Some(PartAccess::Any);
            }
            _ => return None,
        };
        match Reference::from_cell(self.operand_cell(at)) {
            Reference::Object(object) => Some(PartAccess::One {
                key: SlotKey::Part { object, index },
                writes,
            }),
            _ => None,
        }
    }

    fn operand_cell(&self, depth: usize) -> u64 {
        self.machine.cells[self.machine.height as usize - 1 - depth]
    }

    /// Takes note of what a touched watch holds now, and of what it asks for.
    fn look_at(&mut self, index: usize, (reads, writes): (bool, bool), hits: &mut Vec<WatchHit>) {
        if writes {
            let is_changed = self.refresh(index);
            self.report_write(index, is_changed, hits);
        }
        let kind = self.watches.list[index].kind;
        // What also writes was reported as that.
        if reads && (kind == WatchKind::Read || kind == WatchKind::Access && !writes) {
            hits.push(WatchHit {
                id: self.watches.list[index].id,
                event: WatchEvent::Read,
            });
        }
    }

    fn report_write(&self, index: usize, is_changed: bool, hits: &mut Vec<WatchHit>) {
        let watch = &self.watches.list[index];
        let event = match (watch.kind, is_changed) {
            (WatchKind::Read, _) | (WatchKind::Change, false) => return,
            (_, true) => WatchEvent::Changed,
            (_, false) => WatchEvent::Written,
        };
        hits.push(WatchHit {
            id: watch.id,
            event,
        });
    }

    /// Whether a watch holds something else than before.
    fn refresh(&mut self, index: usize) -> bool {
        let now = self.watched_bytes(&self.watches.list[index].target);
        let is_changed = self.watches.seen[index] != now;
        self.watches.seen[index] = now;
        is_changed
    }

    /// Takes note of all, since they may have been changed from outside.
    fn look_at_all(&mut self) {
        let targets = self.watches.list.iter().map(|watch| &watch.target);
        let seen = targets.map(|target| self.watched_bytes(target)).collect();
        self.watches.seen = seen;
    }

    fn watched_bytes(&self, target: &WatchTarget) -> Option<Vec<u8>> {
        let cells = |value: Value| {
            let cells = value.to_cells();
            let mut bytes: Vec<u8> = cells.iter().flat_map(|cell| cell.to_le_bytes()).collect();
            // Another object can have the place that one had.
            if let Value::Ref(Reference::Object(address)) = value
                && let Some(object) = self.machine.heap.get(address)
            {
                bytes.extend(object.number.to_le_bytes());
            }
            bytes
        };
        match target {
            WatchTarget::Memory {
                instance,
                memory,
                range,
            } => {
                let bytes = self.memory(*instance, *memory)?;
                let range = usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?;
                bytes.get(range).map(<[u8]>::to_vec)
            }
            WatchTarget::Global(global) => self.global(*global).map(|(_, value)| cells(value)),
            WatchTarget::Local { depth, index } => {
                let number = self.machine.frames.len().checked_sub(*depth as usize)?;
                self.local(number, *index).map(cells)
            }
            WatchTarget::TableElement {
                instance,
                table,
                index,
            } => {
                let address = self.table_addr(*instance, *table)?;
                let elements = &self.machine.tables[address].elements;
                let element = *elements.get(usize::try_from(*index).ok()?)?;
                Some(cells(Value::Ref(Reference::from_cell(element))))
            }
            WatchTarget::Part {
                object,
                number,
                index,
            } => {
                let found = self.machine.heap.get(*object)?;
                let field = self.object_field(*object, *index as usize)?;
                (found.number == *number).then(|| cells(field.value))
            }
        }
    }
}

/// What an instruction on objects accesses.
enum PartAccess {
    /// One field or element.
    One { key: SlotKey, writes: bool },
    /// Many elements.
    Any,
}

/// The watches that an instruction can touch.
enum Accesses {
    None,
    Some {
        indices: Vec<usize>,
        reads: bool,
        writes: bool,
    },
    /// All, unless a function of the guest was called, so that there are this many frames.
    AnyUnlessAt {
        depth: usize,
    },
    Any,
}

//! The machine: all mutable state of the guest as plain data.
//!
//! # The canonical stack
//!
//! Values lie in 64-bit cells. A frame is `{func, pc, base}`; its locals and then its operand stack lie contiguous from
//! `base`. A callee's parameters are its caller's topmost operands, in place. A suspended caller's `pc` is that of the
//! instruction after its call. The outermost frame's base is 1. Types of operands and labels are not stored:
//! [`Module::shape_at`] finds them.
//!
//! # The clock
//!
//! `tick` counts entries of wasm functions and arrivals at loop bodies, by falling in or by branching. Within one tick
//! control only moves forward, so [`Time`] names every state of a run once.
//!
//! [`Module::shape_at`]: crate::module::Module::shape_at

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::address::{FuncAddr, ModuleOffset};
use crate::heap::Heap;
use crate::memory::{GrowError, Memory, MemorySnapshot};
use crate::trap::TrapKind;
use crate::wasi::WasiState;

/// Limits on what the guest may take, in terms of the abstract machine, so that they are the same in every tier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The call depth in frames.
    pub frames_max: u32,
    /// The height of the stack in cells.
    pub cells_max: u32,
    /// The size of each memory in pages of 64 KiB.
    pub memory_pages_max: u64,
    /// The size of each table in elements.
    pub table_elements_max: u64,
    /// The size of structs, arrays and exceptions together, dead ones included until they are collected.
    pub heap_bytes_max: u64,
    /// Whether garbage is collected before every allocation, which no program can tell: a test of the collector.
    pub collects_always: bool,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            frames_max: 1 << 18,
            cells_max: 1 << 23,
            memory_pages_max: 1 << 16,
            table_elements_max: 10_000_000,
            heap_bytes_max: 1 << 30,
            collects_always: false,
        }
    }
}

/// A call in progress.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Frame {
    /// The function.
    pub func: FuncAddr,
    /// Where it stands; of a suspended caller, the instruction after the call.
    pub pc: ModuleOffset,
    /// The cell of its first local.
    pub base: u32,
    /// The classic tier's place in the function's side table, which `pc` determines. Kept so that a return needs no search;
    /// every other tier leaves [`Frame::SIDE_UNKNOWN`] here.
    pub(crate) side: u32,
}

/// Frames are equal when the guest is in the same state, whatever a tier has noted beside that.
impl PartialEq for Frame {
    fn eq(&self, other: &Frame) -> bool {
        (self.func, self.pc, self.base) == (other.func, other.pc, other.base)
    }
}

impl Eq for Frame {}

impl Frame {
    /// Says that the place in the side table must be looked up from `pc`.
    pub(crate) const SIDE_UNKNOWN: u32 = u32::MAX;
}

/// The name of a state of a run.
///
/// Ordered by tick; within a tick deeper frames come first, since control only returns from them; then by `pc`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Time {
    /// Entries of functions and arrivals at loop bodies so far.
    pub tick: u64,
    /// The number of frames.
    pub depth: u32,
    /// Where the innermost frame stands.
    pub pc: ModuleOffset,
}

impl Ord for Time {
    fn cmp(&self, other: &Time) -> Ordering {
        self.tick
            .cmp(&other.tick)
            .then(other.depth.cmp(&self.depth))
            .then(self.pc.cmp(&other.pc))
    }
}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Time) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A table: reference cells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    /// The elements.
    pub elements: Vec<u64>,
    /// What it may grow to.
    pub elements_max: u64,
    /// The bits of a cell that an index has.
    pub index_mask: u64,
}

impl Table {
    /// The index, or the number of elements, that a cell holds for this table.
    #[must_use]
    #[inline(always)]
    pub fn index(&self, cell: u64) -> u64 {
        cell & self.index_mask
    }

    /// The element at an index.
    #[must_use]
    pub fn element(&self, index: u64) -> Option<u64> {
        self.elements.get(usize::try_from(index).ok()?).copied()
    }
}

/// A call that waits until the machine has no frames left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invocation {
    /// The function.
    pub func: FuncAddr,
    /// Its arguments' cells.
    pub args: Vec<u64>,
}

/// The guest's state.
pub struct Machine {
    /// The cells of the stack; those from `height` on mean nothing.
    pub(crate) cells: Box<[u64]>,
    /// The number of cells in use.
    pub(crate) height: u32,
    /// Calls in progress, outermost first. Its capacity is never exceeded, so that tiers can write through a pointer.
    pub(crate) frames: Vec<Frame>,
    /// The globals' cells.
    pub(crate) globals: Vec<u64>,
    pub(crate) memories: Vec<Memory>,
    pub(crate) tables: Vec<Table>,
    pub(crate) heap: Heap,
    /// References that calls hold which are set aside.
    pub(crate) held: Vec<u64>,
    /// Which data segments of the store are given up.
    pub(crate) dropped_data: Vec<bool>,
    /// Which element segments of the store are given up.
    pub(crate) dropped_elements: Vec<bool>,
    pub(crate) tick: u64,
    /// Finished host calls so far: the position in the host log.
    pub(crate) host_calls: u64,
    /// Invocations that follow the present one.
    pub(crate) pending: VecDeque<Invocation>,
    /// The function that was invoked last.
    pub(crate) invoked: Option<FuncAddr>,
    pub(crate) wasi: Arc<WasiState>,
    pub(crate) limits: Limits,
}

/// The base of the outermost frame. The cell below it belongs to no frame and means nothing: it lets the classic tier
/// keep the topmost cell in a register without asking whether there is one.
pub(crate) const STACK_BOTTOM: u32 = 1;

/// Cells beyond the limit, so that a frame that exceeds it can still hold its locals at its first instruction,
/// where the exhaustion is reported: the most locals that validation admits, as vectors.
const SLACK_CELLS: usize = 2 * (50_000 + 1_000);

impl Machine {
    pub(crate) fn new(limits: Limits, wasi: Arc<WasiState>) -> Machine {
        Machine {
            cells: vec![0; limits.cells_max as usize + SLACK_CELLS].into_boxed_slice(),
            height: STACK_BOTTOM,
            frames: Vec::with_capacity(limits.frames_max as usize + 1),
            globals: Vec::new(),
            memories: Vec::new(),
            tables: Vec::new(),
            heap: Heap::new(limits.heap_bytes_max, limits.collects_always),
            held: Vec::new(),
            dropped_data: Vec::new(),
            dropped_elements: Vec::new(),
            tick: 0,
            host_calls: 0,
            pending: VecDeque::new(),
            invoked: None,
            wasi,
            limits,
        }
    }

    /// The name of the present state.
    #[must_use]
    pub fn time(&self) -> Time {
        let pc = self.frames.last().map_or(ModuleOffset(0), |frame| frame.pc);
        Time {
            tick: self.tick,
            depth: self.frames.len() as u32,
            pc,
        }
    }

    /// An immutable copy that shares memory pages with `previous`.
    #[must_use]
    pub fn checkpoint(&self, previous: Option<&Checkpoint>) -> Checkpoint {
        let memories = self.memories.iter().enumerate();
        let old_memory =
            |index: usize| previous.and_then(|checkpoint| checkpoint.memories.get(index));
        Checkpoint {
            cells: self.cells[..self.height as usize].into(),
            frames: self.frames.as_slice().into(),
            globals: self.globals.as_slice().into(),
            memories: memories
                .map(|(index, memory)| memory.snapshot(old_memory(index)))
                .collect(),
            tables: self.tables.clone(),
            heap: self.heap.clone(),
            held: self.held.clone(),
            dropped_data: self.dropped_data.clone(),
            dropped_elements: self.dropped_elements.clone(),
            tick: self.tick,
            host_calls: self.host_calls,
            pending: self.pending.clone(),
            invoked: self.invoked,
            wasi: Arc::clone(&self.wasi),
        }
    }

    /// Becomes what it was when the checkpoint was taken.
    pub fn restore(&mut self, checkpoint: &Checkpoint) {
        self.cells[..checkpoint.cells.len()].copy_from_slice(&checkpoint.cells);
        self.height = checkpoint.cells.len() as u32;
        self.frames.clear();
        self.frames.extend_from_slice(&checkpoint.frames);
        self.globals.copy_from_slice(&checkpoint.globals);
        for (memory, snapshot) in self.memories.iter_mut().zip(&checkpoint.memories) {
            memory.restore(snapshot);
        }
        self.tables.clone_from(&checkpoint.tables);
        self.heap.clone_from(&checkpoint.heap);
        self.held.clone_from(&checkpoint.held);
        self.dropped_data.clone_from(&checkpoint.dropped_data);
        self.dropped_elements
            .clone_from(&checkpoint.dropped_elements);
        self.tick = checkpoint.tick;
        self.host_calls = checkpoint.host_calls;
        self.pending.clone_from(&checkpoint.pending);
        self.invoked = checkpoint.invoked;
        self.wasi = Arc::clone(&checkpoint.wasi);
    }

    /// Whether the innermost frame, of a function whose frames take so many cells at most, is one too many.
    pub(crate) fn exceeds_limits(&self, frame_cells: u32) -> bool {
        let base = self.frames.last().map_or(0, |top| top.base as usize);
        self.frames.len() > self.limits.frames_max as usize
            || base + frame_cells as usize > self.limits.cells_max as usize
    }

    pub(crate) fn memory_grow(&mut self, memory: usize, delta: u64) -> Result<u64, GrowError> {
        self.memories[memory].grow(delta)
    }

    pub(crate) fn memory_fill(
        &mut self,
        memory: usize,
        at: u64,
        value: u8,
        count: u64,
    ) -> Result<(), TrapKind> {
        let bytes = self.memories[memory].bytes_mut();
        let range = checked_range(bytes.len(), at, count).ok_or(TrapKind::MemoryOutOfBounds)?;
        bytes[range].fill(value);
        Ok(())
    }

    pub(crate) fn memory_copy(
        &mut self,
        to: (usize, u64),
        from: (usize, u64),
        count: u64,
    ) -> Result<(), TrapKind> {
        let source = checked_range(self.memories[from.0].bytes().len(), from.1, count)
            .ok_or(TrapKind::MemoryOutOfBounds)?;
        let target = checked_range(self.memories[to.0].bytes().len(), to.1, count)
            .ok_or(TrapKind::MemoryOutOfBounds)?;
        if to.0 == from.0 {
            self.memories[to.0]
                .bytes_mut()
                .copy_within(source, target.start);
        } else {
            let [target_memory, source_memory] = self
                .memories
                .get_disjoint_mut([to.0, from.0])
                .expect("two memories of the store");
            target_memory.bytes_mut()[target].copy_from_slice(&source_memory.bytes()[source]);
        }
        Ok(())
    }

    /// Copies from a data segment, whose contents are `segment`.
    pub(crate) fn memory_init(
        &mut self,
        memory: usize,
        at: u64,
        segment: &[u8],
        from: u64,
        count: u64,
    ) -> Result<(), TrapKind> {
        let source =
            checked_range(segment.len(), from, count).ok_or(TrapKind::MemoryOutOfBounds)?;
        let bytes = self.memories[memory].bytes_mut();
        let target = checked_range(bytes.len(), at, count).ok_or(TrapKind::MemoryOutOfBounds)?;
        bytes[target].copy_from_slice(&segment[source]);
        Ok(())
    }

    pub(crate) fn table_grow(&mut self, table: usize, delta: u64, value: u64) -> Option<u64> {
        let table = &mut self.tables[table];
        let old = table.elements.len() as u64;
        let new = old
            .checked_add(delta)
            .filter(|&count| count <= table.elements_max)?;
        table.elements.resize(new as usize, value);
        Some(old)
    }

    pub(crate) fn table_fill(
        &mut self,
        table: usize,
        at: u64,
        value: u64,
        count: u64,
    ) -> Result<(), TrapKind> {
        let elements = &mut self.tables[table].elements;
        let range = checked_range(elements.len(), at, count).ok_or(TrapKind::TableOutOfBounds)?;
        elements[range].fill(value);
        Ok(())
    }

    pub(crate) fn table_copy(
        &mut self,
        to: (usize, u64),
        from: (usize, u64),
        count: u64,
    ) -> Result<(), TrapKind> {
        let source = checked_range(self.tables[from.0].elements.len(), from.1, count)
            .ok_or(TrapKind::TableOutOfBounds)?;
        let target = checked_range(self.tables[to.0].elements.len(), to.1, count)
            .ok_or(TrapKind::TableOutOfBounds)?;
        if to.0 == from.0 {
            self.tables[to.0].elements.copy_within(source, target.start);
        } else {
            let [target_table, source_table] = self
                .tables
                .get_disjoint_mut([to.0, from.0])
                .expect("two tables of the store");
            target_table.elements[target].copy_from_slice(&source_table.elements[source]);
        }
        Ok(())
    }

    /// Copies from an element segment, whose contents are `segment`.
    pub(crate) fn table_init(
        &mut self,
        table: usize,
        at: u64,
        segment: &[u64],
        from: u64,
        count: u64,
    ) -> Result<(), TrapKind> {
        let source = checked_range(segment.len(), from, count).ok_or(TrapKind::TableOutOfBounds)?;
        let elements = &mut self.tables[table].elements;
        let target = checked_range(elements.len(), at, count).ok_or(TrapKind::TableOutOfBounds)?;
        elements[target].copy_from_slice(&segment[source]);
        Ok(())
    }
}

fn checked_range(size: usize, start: u64, count: u64) -> Option<std::ops::Range<usize>> {
    let end = start.checked_add(count).filter(|&end| end <= size as u64)?;
    Some(start as usize..end as usize)
}

/// An immutable [`Machine`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    cells: Box<[u64]>,
    frames: Box<[Frame]>,
    globals: Box<[u64]>,
    memories: Vec<MemorySnapshot>,
    tables: Vec<Table>,
    heap: Heap,
    held: Vec<u64>,
    dropped_data: Vec<bool>,
    dropped_elements: Vec<bool>,
    tick: u64,
    host_calls: u64,
    pending: VecDeque<Invocation>,
    invoked: Option<FuncAddr>,
    wasi: Arc<WasiState>,
}

impl Checkpoint {
    /// Finished host calls until then.
    pub(crate) fn host_calls(&self) -> u64 {
        self.host_calls
    }

    /// The name of the state.
    #[must_use]
    pub fn time(&self) -> Time {
        let pc = self.frames.last().map_or(ModuleOffset(0), |frame| frame.pc);
        Time {
            tick: self.tick,
            depth: self.frames.len() as u32,
            pc,
        }
    }

    /// How many bytes the checkpoint takes that `previous` does not hold already.
    #[must_use]
    pub fn bytes_beyond(&self, previous: Option<&Checkpoint>) -> usize {
        let tables: usize = self
            .tables
            .iter()
            .map(|table| table.elements.len() * 8)
            .sum();
        let memories = self.memories.iter().enumerate().map(|(index, memory)| {
            match previous.and_then(|checkpoint| checkpoint.memories.get(index)) {
                Some(old) => memory.bytes_beyond(old),
                None => memory.bytes_beyond(&MemorySnapshot::default()),
            }
        });
        self.cells.len() * 8
            + self.frames.len() * size_of::<Frame>()
            + tables
            + self
                .heap
                .bytes_beyond(previous.map(|checkpoint| &checkpoint.heap))
            + memories.sum::<usize>()
    }
}

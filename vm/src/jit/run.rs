//! Running compiled code: entering it where a frame stands, and what becomes of the state when it has been left.

use wasmparser::FuncType;
use wdb_codegen::{CellKind, Reason, Start, Trampoline, returns_in_registers};

use super::runtime::Running;
use super::{Around, Code, FrameCode, Jit, Policy, SCRATCH_BOTTOM, faults, innermost, settle};
use crate::classic::{Mode, Outcome};
use crate::machine::{Frame, Machine};
use crate::store::Store;
use crate::value::cells_count;
use crate::vm::TICKS_PER_POLL;

/// Native stack that is left for what compiled code calls.
const NATIVE_RESERVE_BYTES: usize = 256 << 10;

/// The native stack that a run has at least; where there is less, it gets one of its own.
const NATIVE_STACK_BYTES: usize = 1 << 20;

/// Every frame takes so many bytes of the native stack at least, and one for each of its cells.
const NATIVE_FRAME_BYTES: u64 = 16;

/// How often a loop is arrived at by the fast tier before code is made that can be entered there.
const ARRIVALS_BEFORE_ENTRY: u32 = 16;

/// How many turns go by between two looks of the driver.
const TURNS_PER_POLL: u32 = 1 << 14;

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

impl Jit {
    /// Executes from the machine's state, which has a frame, for at most `ticks` ticks (at least one). `mode` is one of a run.
    pub(crate) fn execute(
        &mut self,
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
                    self.note_turn(around, machine, has_returned);
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
                    Policy::Auto => self.slice(around, machine, mode, left),
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
        let room = NATIVE_STACK_BYTES + NATIVE_RESERVE_BYTES;
        let run = stacker::maybe_grow(room, 4 * room, || self.run(around, machine, unit, ticks));
        match run {
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
    pub(super) fn is_entered(&self, store: &Store, machine: &Machine, top: Frame) -> bool {
        let params = cells_count(store.func_type(top.func).params());
        let locals = (top.base + params) as usize..machine.height as usize;
        machine.cells[locals].iter().all(|&cell| cell == 0)
    }

    /// Whether a frame stands at the start of a loop's body.
    pub(super) fn is_loop(&mut self, store: &Store, top: Frame) -> bool {
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
    pub(super) fn can_enter(&self, machine: &Machine, top: Frame, unit: u32) -> bool {
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
        // An interpreter may have gone on since the last run, and memories and tables have grown.
        self.refresh_views(machine);
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
}

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

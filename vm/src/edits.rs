//! Changing from outside where the machine stands: jumps, forced returns, and calls that a person makes.

use wdb_codegen::HitCounter;

use crate::address::{FuncAddr, FuncIndex, InstanceAddr, ModuleOffset};
use crate::machine::{Checkpoint, Frame, Invocation, Time};
use crate::shape::Slot;
use crate::value::Value;
use crate::vm::{InvokeError, Vm};

/// Why the machine cannot stand where it is asked to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EditError {
    /// There is no such frame.
    #[error("there is no such frame")]
    NoFrame,
    /// The instruction is in another function, or none begins there.
    #[error("no instruction of the current function begins there")]
    NotInFunction,
    /// Other operands lie on the stack there, which would have to come from somewhere.
    #[error("the operand stack there does not begin with the operands that there are now")]
    OperandsDiffer,
    /// The values are not those that the function returns.
    #[error("the function returns other types")]
    ResultsDiffer,
}

/// The calls in progress, set aside while another call runs.
pub struct SuspendedCalls {
    cells: Box<[u64]>,
    frames: Box<[Frame]>,
    pending: Vec<Invocation>,
    invoked: Option<FuncAddr>,
    tick: u64,
    host_calls: u64,
    /// The number of references that were held for others.
    held: usize,
    /// Which call of the host and which throw were told already.
    host_call_passed: Option<Time>,
    throw_passed: Option<Time>,
    /// Where a probe was not looked at yet.
    unmet_at: Option<Time>,
    /// The counters of probes, and whether what they write down was dropped.
    counters: Vec<HitCounter>,
    was_muted: bool,
}

impl Vm {
    /// The store's address of an instance's function.
    #[must_use]
    pub fn func_addr(&self, instance: InstanceAddr, func: FuncIndex) -> Option<FuncAddr> {
        let instance = self.store.instances.get(instance.index())?;
        instance.funcs.get(func.0 as usize).copied()
    }

    /// Makes the innermost frame stand at another instruction of its function. Operands that are too many there are dropped.
    pub fn jump(&mut self, pc: ModuleOffset) -> Result<(), EditError> {
        let frame = self.frame(0).ok_or(EditError::NoFrame)?;
        let module = self.module(frame.instance);
        let mut instructions = module.instructions(frame.index);
        if !instructions.any(|instruction| instruction.pc == pc) {
            return Err(EditError::NotInFunction);
        }
        let now = self.shape(0).ok_or(EditError::NoFrame)?;
        let then = module
            .shape_at(frame.index, pc)
            .ok_or(EditError::NotInFunction)?;
        let types = |slots: &[Slot]| slots.iter().map(|slot| slot.ty).collect::<Vec<_>>();
        // An exception that a clause handles cannot come from nowhere.
        let exceptions_fit = now.exceptions.starts_with(&then.exceptions);
        if !exceptions_fit || !types(&now.operands).starts_with(&types(&then.operands)) {
            return Err(EditError::OperandsDiffer);
        }
        self.machine.height = frame.base + then.cells;
        let top = self.machine.frames.last_mut().ok_or(EditError::NoFrame)?;
        top.pc = pc;
        top.side = Frame::SIDE_UNKNOWN;
        self.forget_future();
        Ok(())
    }

    /// Ends a frame, and those that it called, as if it had returned these values. The caller goes on after its call. When the
    /// outermost frame returns, nothing is left to run.
    pub fn force_return(&mut self, number: usize, results: &[Value]) -> Result<(), EditError> {
        let frame = self.frame(number).ok_or(EditError::NoFrame)?;
        let wanted = self.store.func_type(frame.func).results();
        let fits = wanted.len() == results.len()
            && wanted
                .iter()
                .zip(results)
                .all(|(&ty, &result)| self.store.value_fits(&self.machine.heap, result, ty));
        if !fits {
            return Err(EditError::ResultsDiffer);
        }
        let mut cells = Vec::new();
        results
            .iter()
            .for_each(|result| result.push_cells(&mut cells));
        let base = frame.base as usize;
        self.machine.cells[base..base + cells.len()].copy_from_slice(&cells);
        self.machine.height = frame.base + cells.len() as u32;
        let left = self.machine.frames.len() - number - 1;
        self.machine.frames.truncate(left);
        self.forget_future();
        Ok(())
    }

    /// Sets the calls in progress aside and calls a function. No instruction runs yet; [`Vm::run`] ends with its results. What probes
    /// count and write down in between does not count.
    /// [`Vm::end_call`] brings back what was set aside.
    pub fn begin_call(
        &mut self,
        func: FuncAddr,
        args: &[Value],
    ) -> Result<SuspendedCalls, InvokeError> {
        let references = self.frame_roots();
        let machine = &mut self.machine;
        let held = machine.held.len();
        machine.held.extend(references);
        let suspended = SuspendedCalls {
            held,
            cells: machine.cells[..machine.height as usize].into(),
            frames: machine.frames.as_slice().into(),
            pending: machine.pending.iter().cloned().collect(),
            invoked: machine.invoked,
            tick: machine.tick,
            host_calls: machine.host_calls,
            host_call_passed: self.host_call_passed,
            throw_passed: self.throw_passed,
            unmet_at: self.unmet_at.take(),
            counters: self.outside.probes.counters.clone(),
            was_muted: self.outside.probes.captured.mute(true),
        };
        self.abandon();
        match self.invoke(func, args) {
            Ok(()) => Ok(suspended),
            Err(error) => {
                self.end_call(suspended);
                Err(error)
            }
        }
    }

    /// Brings back the calls that were set aside, wherever the other call stands. What it changed in memory, tables, globals
    /// and at the host stays; the clock does not count it.
    pub fn end_call(&mut self, suspended: SuspendedCalls) {
        let machine = &mut self.machine;
        machine.cells[..suspended.cells.len()].copy_from_slice(&suspended.cells);
        machine.height = suspended.cells.len() as u32;
        machine.frames.clear();
        machine.frames.extend_from_slice(&suspended.frames);
        machine.held.truncate(suspended.held);
        machine.pending = suspended.pending.into();
        machine.invoked = suspended.invoked;
        machine.tick = suspended.tick;
        machine.host_calls = suspended.host_calls;
        self.host_call_passed = suspended.host_call_passed;
        self.throw_passed = suspended.throw_passed;
        self.unmet_at = suspended.unmet_at;
        self.outside.probes.restore(&suspended.counters);
        self.outside.probes.captured.mute(suspended.was_muted);
        self.forget_future();
    }

    /// Brings back the calls that were set aside and everything else as it was in `snapshot`, which was taken before.
    pub fn undo_call(&mut self, suspended: SuspendedCalls, snapshot: &Checkpoint) {
        self.end_call(suspended);
        self.undo(snapshot);
    }

    /// An immutable copy for [`Vm::undo`]. Unlike [`Vm::checkpoint`] it does not make host calls be recorded.
    #[must_use]
    pub fn snapshot(&self) -> Checkpoint {
        self.machine.checkpoint(None)
    }

    /// Brings the machine back to a copy of itself, and forgets what the host did since: it is not replayed.
    pub fn undo(&mut self, snapshot: &Checkpoint) {
        self.machine.restore(snapshot);
        self.forget_future();
    }
}

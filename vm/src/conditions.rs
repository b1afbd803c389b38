//! Conditions of probes, as every tier but machine code decides them.

use std::sync::Arc;

use wdb_codegen::{Condition, Observed};

use crate::address::CodeAddress;
use crate::classic::{ProbeCondition, func_at};
use crate::machine::Frame;
use crate::store::Instance;
use crate::value::cell_count;
use crate::vm::Vm;

impl Vm {
    /// Has a probe stop only where a condition holds, or always. Machine code decides that without being left. The condition's indices are
    /// those of the function's module; its locals must exist and be no vectors.
    pub fn set_condition(&mut self, address: CodeAddress, condition: Option<Condition>) {
        let Some(func) = func_at(&self.store, address) else {
            return;
        };
        let inst = &self.store.funcs[func.index()];
        let condition = condition.map(|condition| {
            let mut cell = 0;
            let locals = self.module(inst.instance).local_types(inst.index);
            let local_cells = locals.into_iter().map(|ty| {
                let first = cell;
                cell += cell_count(ty);
                first
            });
            ProbeCondition {
                condition: Arc::new(condition),
                local_cells: local_cells.collect(),
            }
        });
        self.classic.set_condition(func, address.pc, condition);
        self.jit.forget(func);
    }

    /// Whether the probe that the machine stands at is one to stop at.
    pub(crate) fn condition_holds(&self) -> bool {
        let Some(frame) = self.machine.frames.last() else {
            return true;
        };
        match self.classic.condition(frame.func, frame.pc) {
            Some(probe) => probe.condition.holds(&Here {
                vm: self,
                frame,
                local_cells: &probe.local_cells,
            }),
            None => true,
        }
    }
}

/// What a condition is about: a frame.
struct Here<'a> {
    vm: &'a Vm,
    frame: &'a Frame,
    local_cells: &'a [u32],
}

impl Here<'_> {
    fn instance(&self) -> &Instance {
        let inst = &self.vm.store.funcs[self.frame.func.index()];
        &self.vm.store.instances[inst.instance.index()]
    }
}

impl Observed for Here<'_> {
    fn local(&self, index: u32) -> i64 {
        let cell = self.frame.base + self.local_cells[index as usize];
        self.vm.machine.cells[cell as usize].cast_signed()
    }

    fn global(&self, index: u32) -> i64 {
        let cell = self.instance().global_cells[index as usize];
        self.vm.machine.globals[cell as usize].cast_signed()
    }

    fn load(&self, memory: u32, address: u64, bytes: u8) -> Option<u64> {
        let memory = self.instance().memories.get(memory as usize)?;
        let all = self.vm.machine.memories[memory.index()].bytes();
        let start = usize::try_from(address).ok()?;
        let end = start.checked_add(usize::from(bytes))?;
        let mut value = [0; 8];
        value[..usize::from(bytes)].copy_from_slice(all.get(start..end)?);
        Some(u64::from_le_bytes(value))
    }
}

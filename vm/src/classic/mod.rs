//! The classic tier: interprets the module's bytes, with a handler for each instruction and for common sequences of them.
//!
//! The canonical state is current at every instruction but for the topmost cell, which travels between handlers in a register
//! like the positions in code and stack, and is written back whenever they leave.
//!
//! A single step executes the module's own bytes. A run executes *quick code*, a copy of the function made at its first
//! call, in which every instruction stands at its own offset: opcodes are replaced by those of handlers for the form
//! at hand, or for the whole sequence of instructions that starts there, and numbers by their plain bytes. Probes are
//! opcodes of their own in it, so they cost nothing elsewhere. Beside it there is a side table for branches.

pub(crate) mod atomics;
pub(crate) mod code;
pub(crate) mod context;
pub(crate) mod control;
pub(crate) mod memories;
pub(crate) mod numbers;
pub(crate) mod objects;
pub(crate) mod ops;
mod quick;
mod rewrite;
pub(crate) mod vectors;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use wdb_codegen::{Probe, ProbeRule};

use crate::address::{CodeAddress, FuncAddr, InstanceAddr, ModuleOffset};
use crate::machine::{Frame, Machine};
use crate::store::{FuncKind, Store};
use code::{FuncCode, PreparedFunc};
use context::{Context, Leave};

pub(crate) use outcome::Outcome;

mod outcome {
    use crate::address::FuncAddr;
    use crate::trap::TrapKind;

    /// Why the tier stopped; the machine's canonical state is exact.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(crate) enum Outcome {
        /// One instruction was executed, as asked.
        Stepped,
        /// The machine stands at a probe.
        Probe,
        /// So many ticks as granted have passed, or a limit was exceeded by a call: the driver looks at the state.
        Poll,
        /// The machine stands at a call of a host function.
        HostCall(FuncAddr),
        /// The same, of a tail call.
        HostTailCall(FuncAddr),
        /// The instruction that the machine stands at traps.
        Trap(TrapKind),
        /// The machine stands at a call of a function whose code is not valid.
        InvalidCallee(FuncAddr),
        /// The instruction that the machine stands at throws an exception.
        Throw,
        /// Garbage is to be collected before the instruction that the machine stands at.
        Collect,
        /// The `memory.grow` that the machine stands at cannot be served now.
        HostResource,
        /// The instruction that the machine stands at waits for what nobody will do.
        Deadlock,
        /// The instruction that the machine stands at is for the classic tier.
        GivenAway,
        /// Machine code accessed what is no memory; the machine's state is lost.
        Fault,
        /// The outermost frame returned; its results are all that is on the stack.
        Finished,
    }
}

/// Code prepared for this tier, and the probes in it.
pub(crate) struct Classic {
    /// By function of the store. Boxed, so that the pointers below stay valid when the vector grows.
    prepared: Vec<Option<Box<PreparedFunc>>>,
    pointers: Vec<*const FuncCode>,
    /// The probes of each function.
    probes: BTreeMap<FuncAddr, Vec<ModuleOffset>>,
    /// What is done at those that do not always stop.
    rules: HashMap<(FuncAddr, ModuleOffset), PlacedRule>,
    /// Bytes of the module's code that was prepared.
    wasm_bytes: usize,
    /// The time that preparing took.
    preparation: Duration,
}

// SAFETY: the pointers lead to the boxes of the same value and to the store's modules, which are immutable.
unsafe impl Send for Classic {}

/// What is done at a probe.
pub(crate) struct PlacedRule {
    pub(crate) rule: Arc<ProbeRule>,
    /// The first cell of every local of the function, counted from the frame's base.
    pub(crate) local_cells: Box<[u32]>,
}

/// What to execute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    /// One instruction, whatever probes are there.
    Step,
    /// Until something stops it, passing a probe at the first instruction.
    Run,
    /// Until something stops it, also a probe at the first instruction.
    RunFromProbe,
}

impl Classic {
    pub(crate) fn new() -> Classic {
        Classic {
            prepared: Vec::new(),
            pointers: Vec::new(),
            probes: BTreeMap::new(),
            rules: HashMap::new(),
            wasm_bytes: 0,
            preparation: Duration::ZERO,
        }
    }

    /// The number of functions that code is prepared for.
    pub(crate) fn function_count(&self) -> usize {
        self.prepared.iter().flatten().count()
    }

    /// The functions that code is prepared for, and the bytes of memory that each one's takes.
    pub(crate) fn code_sizes(&self) -> impl Iterator<Item = (FuncAddr, usize)> {
        let funcs = self.prepared.iter().zip(0..);
        funcs.filter_map(|(code, index)| Some((FuncAddr(index), code.as_ref()?.size_bytes())))
    }

    /// Bytes of the wasm code that was prepared.
    pub(crate) fn wasm_bytes(&self) -> usize {
        self.wasm_bytes
    }

    /// The time that preparing code took.
    pub(crate) fn preparation(&self) -> Duration {
        self.preparation
    }

    /// Bytes of memory that prepared code takes.
    pub(crate) fn code_bytes(&self) -> usize {
        self.prepared
            .iter()
            .flatten()
            .map(|code| code.size_bytes())
            .sum()
    }

    /// Replaces the probes of a function of the store; they ascend.
    pub(crate) fn set_probes(&mut self, func: FuncAddr, pcs: Vec<ModuleOffset>) {
        if pcs.is_empty() {
            self.probes.remove(&func);
        } else {
            self.probes.insert(func, pcs);
        }
        // It is prepared anew when it runs again.
        if let Some(prepared) = self.prepared.get_mut(func.index()) {
            if let Some(old) = prepared.take() {
                self.wasm_bytes -= old.wasm_bytes();
            }
            self.pointers[func.index()] = std::ptr::null();
        }
    }

    /// The probes of a function of the store, ascending.
    pub(crate) fn probes(&self, func: FuncAddr) -> &[ModuleOffset] {
        self.probes.get(&func).map_or(&[], Vec::as_slice)
    }

    /// The probes of a function of the store with what is done at them.
    pub(crate) fn ruled_probes(&self, func: FuncAddr) -> Vec<Probe> {
        let probes = self.probes(func).iter();
        let probe = |&pc: &ModuleOffset| Probe {
            pc: pc.0,
            rule: match self.rule(func, pc) {
                Some(placed) => Arc::clone(&placed.rule),
                None => Arc::default(),
            },
        };
        probes.map(probe).collect()
    }

    /// What is done at a probe; `None` if it always stops.
    pub(crate) fn rule(&self, func: FuncAddr, pc: ModuleOffset) -> Option<&PlacedRule> {
        self.rules.get(&(func, pc))
    }

    /// Gives a probe a rule, or takes it away. It is for others to look at: this tier stops in any case.
    pub(crate) fn set_rule(&mut self, func: FuncAddr, pc: ModuleOffset, rule: Option<PlacedRule>) {
        match rule {
            Some(rule) => self.rules.insert((func, pc), rule),
            None => self.rules.remove(&(func, pc)),
        };
    }

    /// Whether a probe is set there.
    pub(crate) fn has_probe(&self, func: FuncAddr, pc: ModuleOffset) -> bool {
        self.probes(func).binary_search(&pc).is_ok()
    }

    /// Prepares a function, and makes room for pointers to every function that it can call.
    #[inline]
    fn prepare(&mut self, store: &Store, func: FuncAddr) {
        let is_complete = self.pointers.len() == store.funcs.len();
        if !is_complete || self.pointers[func.index()].is_null() {
            self.prepare_anew(store, func);
        }
    }

    #[cold]
    fn prepare_anew(&mut self, store: &Store, func: FuncAddr) {
        self.prepared.resize_with(store.funcs.len(), || None);
        self.pointers.resize(store.funcs.len(), std::ptr::null());
        if self.prepared[func.index()].is_some() {
            return;
        }
        let start = Instant::now();
        let prepared = Box::new(PreparedFunc::new(store, func, self.probes(func)));
        self.pointers[func.index()] = &raw const prepared.quick;
        self.wasm_bytes += prepared.wasm_bytes();
        self.prepared[func.index()] = Some(prepared);
        self.preparation += start.elapsed();
    }

    /// The most cells that a frame of the function takes.
    pub(crate) fn frame_cells_max(&mut self, store: &Store, func: FuncAddr) -> u32 {
        self.prepare(store, func);
        self.prepared[func.index()]
            .as_ref()
            .expect("just prepared")
            .quick
            .frame_bytes_max
            / 8
    }

    /// Executes from the machine's state, which has a frame, for at most `ticks` ticks (at least one).
    #[inline(always)]
    pub(crate) fn execute(
        &mut self,
        machine: &mut Machine,
        store: &Store,
        mode: Mode,
        ticks: u64,
    ) -> Outcome {
        let mut left = ticks;
        // The first instruction of a run may have a probe in quick code, so it is a single step.
        let mut step_first = mode == Mode::Run;
        loop {
            let top = *machine
                .frames
                .last()
                .expect("the driver runs a machine that has a frame");
            self.prepare(store, top.func);
            let now = if step_first { Mode::Step } else { mode };
            let (leave, rest) = self.enter(machine, store, top, now, left);
            debug_assert!(rest <= left, "ticks only go down");
            machine.tick += left - rest;
            left = rest;
            return match leave {
                Leave::Stepped if step_first => {
                    step_first = false;
                    continue;
                }
                Leave::Stepped => Outcome::Stepped,
                Leave::Probe => Outcome::Probe,
                Leave::Budget | Leave::Exhausted => Outcome::Poll,
                Leave::Trap(kind) => Outcome::Trap(kind),
                Leave::Throw => Outcome::Throw,
                Leave::Collect => Outcome::Collect,
                Leave::HostResource => Outcome::HostResource,
                Leave::Deadlock => Outcome::Deadlock,
                Leave::Finished => Outcome::Finished,
                Leave::Bail => unreachable!("only the fast tier gives instructions away"),
                Leave::Instance | Leave::Returned if mode == Mode::Step => Outcome::Stepped,
                Leave::Instance | Leave::Returned => Outcome::Poll,
                Leave::Callee(func) | Leave::TailCallee(func) => {
                    let func = FuncAddr(func);
                    match (&store.funcs[func.index()].kind, leave) {
                        (FuncKind::Wasm, _) if !store.is_valid(func) => {
                            Outcome::InvalidCallee(func)
                        }
                        // The call is executed again now that its target is known.
                        (FuncKind::Wasm, _) => {
                            self.prepare(store, func);
                            continue;
                        }
                        (_, Leave::TailCallee(_)) => Outcome::HostTailCall(func),
                        _ => Outcome::HostCall(func),
                    }
                }
            };
        }
    }

    /// Runs the handlers once; answers why they left and how many ticks are left.
    #[inline(always)]
    fn enter(
        &mut self,
        machine: &mut Machine,
        store: &Store,
        top: Frame,
        mode: Mode,
        ticks: u64,
    ) -> (Leave, u64) {
        let prepared = self.prepared[top.func.index()]
            .as_ref()
            .expect("the driver has it prepared");
        let code: *const FuncCode = if mode == Mode::Step {
            &prepared.plain
        } else {
            &prepared.quick
        };
        // SAFETY: the code was prepared, and neither it nor machine and store change but through the handlers.
        unsafe {
            let side = if top.side == Frame::SIDE_UNKNOWN {
                prepared.side_at(top.pc)
            } else {
                top.side
            };
            let pc = (*code).address_of(top.pc);
            let mut context = Context::new(machine, store, code, self.pointers.as_ptr(), ticks);
            context.pc = pc;
            context.sp = context.cells.add(machine.height as usize);
            context.fp = context.cells.add(top.base as usize);
            context.side = (*code).side.add(side as usize);
            load_instance(&mut context, (*code).instance);
            let table = if mode == Mode::Step {
                &ops::STEP_TABLE
            } else {
                &quick::rows::RUN_TABLE
            };
            let leave = context::enter(&raw mut context, table[usize::from(*pc)]);
            save_state(machine, &context, leave);
            (leave, context.budget)
        }
    }
}

/// Writes the registers back into the canonical state.
unsafe fn save_state(machine: &mut Machine, context: &Context, leave: Leave) {
    // SAFETY: the registers point into the machine's cells and the running function's code and side table; the frame
    // records up to `depth` are written.
    unsafe {
        // No pointer to a frame record is left when the outermost function has returned.
        let end = context.frame.addr() + size_of::<Frame>();
        machine
            .frames
            .set_len((end - context.frames.addr()) / size_of::<Frame>());
        machine.height = context.sp.offset_from(context.cells) as u32;
        if matches!(leave, Leave::Finished | Leave::Returned) {
            return;
        }
        let code = &*context.code;
        let top = machine
            .frames
            .last_mut()
            .expect("a frame is left unless the last one returned");
        top.pc = ModuleOffset(context.pc.offset_from(code.bias) as u32);
        top.side = context.side.offset_from(code.side) as u32;
    }
}

/// Points the context to what belongs to an instance.
pub(crate) unsafe fn load_instance(context: &mut Context, instance: InstanceAddr) {
    // SAFETY: the context's pointers are valid for the whole run.
    unsafe {
        let instance = &(&(*context.store).instances)[instance.index()];
        context.funcs = instance.funcs.as_ptr().cast();
        context.global_cells = instance.global_cells.as_ptr();
        context.instance_tables = instance.tables.as_ptr();
        context.type_ids = instance.type_ids.as_ptr();
        match instance.memories.first() {
            Some(address) => {
                context.set_memory(&(&(*context.machine).memories)[address.index()]);
            }
            None => {
                context.memory = std::ptr::null_mut();
                (context.memory_bytes, context.memory_inner_bytes) = (0, 0);
                context.memory_ends = [0; 4];
            }
        }
    }
}

/// The function of the store that an address belongs to.
pub(crate) fn func_at(store: &Store, address: CodeAddress) -> Option<FuncAddr> {
    let instance = store.instances.get(address.instance.index())?;
    let index = instance.module.func_at(address.pc)?;
    instance.funcs.get(index.index()).copied()
}

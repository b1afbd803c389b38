//! The driver: owns a machine, the tiers that run it, the host that serves it, and the log of what the host did.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::address::{CodeAddress, FuncAddr, InstanceAddr, ModuleOffset};
use crate::classic::{Classic, Mode, Outcome, func_at};
use crate::collect::RootPlace;
use crate::exceptions::{Exception, Handlers};
use crate::exit::Exit;
use crate::fast::{Beside, Fast};
use crate::host::{Host, HostOutcome};
use crate::host_log::HostLog;
use crate::interrupt::Interrupt;
use crate::isa::Op;
use crate::jit::{Around, Jit, Policy};
use crate::machine::{Checkpoint, Frame, Invocation, Limits, Machine, STACK_BOTTOM, Time};
use crate::module::{ExportKind, Module};
use crate::outside::Outside;
use crate::probes::Arrival;
use crate::safe_point::SafePoint;
use crate::store::{FuncKind, LinkError, Store};
use crate::tier::{Bounds, Compile, RegisterLine, Tier, TierStats};
use crate::trap::{Trap, TrapKind};
use crate::value::{Value, cell_count, cells_count};
use crate::wasi::WasiState;
use crate::watch::Watches;
use wdb_codegen::{Level, ProbeRule};

/// Ticks between two looks at the interrupt: a few milliseconds at most.
pub(crate) const TICKS_PER_POLL: u64 = 1 << 17;

/// How a module is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Config {
    /// Limits on what the guest may take.
    pub limits: Limits,
    /// Whether imports that nothing serves trap when they are called, instead of being an error at once.
    pub stub_imports: bool,
    /// What runs the program between stops.
    pub tier: Tier,
    /// When functions are translated.
    pub compile: Compile,
    /// How machine code sees to it that accesses stay within memories.
    pub bounds: Bounds,
}

/// Why a function cannot be invoked.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvokeError {
    /// Too few or too many arguments.
    #[error("the function takes {wanted} arguments, {given} are given")]
    ArgumentCount {
        /// How many it takes.
        wanted: usize,
        /// How many there are.
        given: usize,
    },
    /// An argument of another type.
    #[error("argument {position} must have the type {wanted}")]
    ArgumentType {
        /// Its position, from 1.
        position: usize,
        /// The parameter's type.
        wanted: String,
    },
}

/// When a run ends by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RunLimit {
    /// The tick to stop at, on its arrival.
    pub tick: Option<u64>,
    /// Whether a probe at the very instruction that the run starts at counts. One stands there after a stop at it. Where an interrupt has
    /// ended the run before, a probe counts that was not looked at yet.
    pub probe_at_start: bool,
    /// Stop where an exception is handled when so many frames are left, or fewer.
    pub landing_depth: Option<usize>,
}

/// A machine with everything that runs it.
pub struct Vm {
    pub(crate) machine: Machine,
    pub(crate) store: Store,
    pub(crate) classic: Classic,
    pub(crate) fast: Fast,
    pub(crate) jit: Jit,
    /// A state to find the exact place of a fault of machine code from.
    pub(crate) safe_point: SafePoint,
    tier: Tier,
    compile: Compile,
    /// Ticks that passed in each tier.
    ticks: [u64; Tier::ALL.len()],
    pub(crate) outside: Outside,
    stub_imports: bool,
    pub(crate) watches: Watches,
    /// Whether runs stop before calls of the host.
    pub(crate) stops_at_host_calls: bool,
    /// Where the last such stop was: going on from it makes the call.
    pub(crate) host_call_passed: Option<Time>,
    /// Where an interrupt has ended a run before a probe that may stand there was looked at: going on from it does that.
    pub(crate) unmet_at: Option<Time>,
    /// Whether runs stop before exceptions are thrown.
    pub(crate) stops_at_throws: bool,
    /// Where the last such stop was: going on from it throws.
    pub(crate) throw_passed: Option<Time>,
    /// The exception that was handled last since the run looked, as it was thrown.
    pub(crate) landed: Option<Box<Exception>>,
    /// What handles exceptions, by the function.
    pub(crate) handlers: RefCell<HashMap<FuncAddr, Arc<Handlers>>>,
    /// Where frames hold references, by the place at which they stand.
    pub(crate) root_maps: HashMap<RootPlace, Arc<[u32]>>,
}

impl Vm {
    /// A machine with one instance. No instruction runs; a start function becomes the first invocation.
    pub fn new(
        module: &Arc<Module>,
        host: Box<dyn Host>,
        wasi: Arc<WasiState>,
        config: Config,
    ) -> Result<Vm, LinkError> {
        let mut vm = Vm::empty(host, wasi, config);
        vm.instantiate(module)?;
        Ok(vm)
    }

    /// A machine without instances.
    #[must_use]
    pub fn empty(host: Box<dyn Host>, wasi: Arc<WasiState>, config: Config) -> Vm {
        let outside = Outside::new(host);
        let checks_bounds = config.bounds == Bounds::Explicit;
        Vm {
            machine: Machine::new(config.limits, wasi),
            store: Store::default(),
            classic: Classic::new(),
            fast: Fast::new(),
            jit: Jit::new(checks_bounds, outside.interrupt.clone()),
            safe_point: SafePoint::default(),
            tier: config.tier,
            compile: config.compile,
            ticks: [0; Tier::ALL.len()],
            outside,
            stub_imports: config.stub_imports,
            watches: Watches::default(),
            stops_at_host_calls: false,
            host_call_passed: None,
            unmet_at: None,
            stops_at_throws: false,
            throw_passed: None,
            landed: None,
            handlers: RefCell::default(),
            root_maps: HashMap::new(),
        }
    }

    /// Adds an instance of a module, linked to registered instances and the host. Its start function becomes an invocation.
    pub fn instantiate(&mut self, module: &Arc<Module>) -> Result<InstanceAddr, LinkError> {
        self.safe_point.invalidate();
        self.store.instantiate(
            &mut self.machine,
            module,
            &*self.outside.host,
            self.stub_imports,
        )
    }

    /// Lets modules instantiated later import an instance's exports under a module name.
    pub fn register(&mut self, name: &str, instance: InstanceAddr) {
        self.store.registered.push((name.to_owned(), instance));
    }

    /// The number of instances.
    #[must_use]
    pub fn instance_count(&self) -> u32 {
        self.store.instances.len() as u32
    }

    /// What stops a run from another thread.
    #[must_use]
    pub fn interrupt(&self) -> Interrupt {
        self.outside.interrupt.clone()
    }

    /// The function that an instance exports under a name.
    #[must_use]
    pub fn exported_func(&self, instance: InstanceAddr, name: &str) -> Option<FuncAddr> {
        let instance = self.store.instances.get(instance.index())?;
        let index = instance.module.export(ExportKind::Func, name)?;
        Some(instance.funcs[index as usize])
    }

    /// Calls a function, after whatever is to run before it. No instruction runs yet.
    pub fn invoke(&mut self, func: FuncAddr, args: &[Value]) -> Result<(), InvokeError> {
        let params = self.store.func_type(func).params();
        if params.len() != args.len() {
            return Err(InvokeError::ArgumentCount {
                wanted: params.len(),
                given: args.len(),
            });
        }
        if let Some(position) = params
            .iter()
            .zip(args)
            .position(|(&ty, &arg)| !self.store.value_fits(&self.machine.heap, arg, ty))
        {
            let wanted = crate::disassemble::val_type_text(params[position]);
            return Err(InvokeError::ArgumentType {
                position: position + 1,
                wanted,
            });
        }
        self.safe_point.invalidate();
        let mut cells = Vec::new();
        args.iter().for_each(|arg| arg.push_cells(&mut cells));
        self.machine
            .pending
            .push_back(Invocation { func, args: cells });
        Ok(())
    }

    /// Gives up the present invocation and those that wait: no frame is left. The rest of the state stays as it is.
    pub fn abandon(&mut self) {
        self.machine.frames.clear();
        self.machine.pending.clear();
        self.machine.height = STACK_BOTTOM;
        self.forget_future();
    }

    /// Brings the machine to the first instruction of the next invocation when no frame is left. `None` when there is a
    /// frame now; otherwise what ends the run instead. [`Vm::run`] and [`Vm::step`] begin with it.
    pub fn begin(&mut self) -> Option<Exit> {
        while self.machine.frames.is_empty() {
            let Some(Invocation { func, args }) = self.machine.pending.front().cloned() else {
                return Some(Exit::Finished(self.results()));
            };
            let inst = &self.store.funcs[func.index()];
            let instance = &self.store.instances[inst.instance.index()];
            self.machine.invoked = Some(func);
            let bottom = STACK_BOTTOM as usize;
            self.machine.cells[bottom..][..args.len()].copy_from_slice(&args);
            let Some(body) = instance.module.func_body(inst.index) else {
                // An import: a host call without a caller.
                let memory = instance.memories.first().map(|address| address.index());
                let call = CallSite {
                    args: bottom..bottom + args.len(),
                    next: ModuleOffset(0),
                    memory,
                    tail: false,
                };
                match self.host_call(func, &call) {
                    Ok(results) => {
                        self.machine.cells[bottom..][..results.len()].copy_from_slice(&results);
                    }
                    Err(exit) => return Some(exit),
                }
                self.machine.pending.pop_front();
                continue;
            };
            if !instance.module.is_valid_func(inst.index) {
                return Some(self.invalid_func_exit(func));
            }
            let locals_end = STACK_BOTTOM + instance.module.locals_cells(inst.index);
            self.machine.cells[bottom + args.len()..locals_end as usize].fill(0);
            self.machine.height = locals_end;
            self.machine.frames.push(Frame {
                func,
                pc: ModuleOffset(body.code.start),
                base: STACK_BOTTOM,
                side: 0,
            });
            self.machine.tick += 1;
            self.machine.pending.pop_front();
        }
        None
    }

    /// Runs until something stops it.
    pub fn run(&mut self, limit: RunLimit) -> Exit {
        let exit = if self.watches.is_empty() {
            self.run_unwatched(limit)
        } else {
            self.run_watched(limit)
        };
        self.outside.probes.captured.hand_over();
        exit
    }

    /// Whether a probe at the instruction that a run starts at is one to look at.
    pub(crate) fn meets_probe_at_start(&mut self, limit: RunLimit) -> bool {
        let unmet = self.unmet_at.take();
        limit.probe_at_start || (unmet.is_some() && unmet == Some(self.time()))
    }

    /// Ends a run that an interrupt has ended before a probe that may stand here was looked at, or after that.
    pub(crate) fn interrupted(&mut self, meets_probe: bool) -> Exit {
        let top = self.machine.frames.last();
        let stands_at_probe = top.is_some_and(|top| self.classic.has_probe(top.func, top.pc));
        self.unmet_at = (meets_probe && stands_at_probe).then(|| self.time());
        Exit::Interrupted
    }

    fn run_unwatched(&mut self, limit: RunLimit) -> Exit {
        self.landed = None;
        if self.compile == Compile::Eager {
            self.translate_all();
        }
        let tick_limit = limit.tick.unwrap_or(u64::MAX);
        let mut mode = if self.meets_probe_at_start(limit) {
            Mode::RunFromProbe
        } else {
            Mode::Run
        };
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
            if let Some(exit) = self.execute(mode, ticks) {
                return exit;
            }
            if let Some(exit) = self.landing_exit(limit) {
                return exit;
            }
            mode = Mode::RunFromProbe;
        }
    }

    /// Translates all functions for the tier, if it translates any beforehand.
    fn translate_all(&mut self) {
        let (store, classic) = (&self.store, &self.classic);
        let level = match self.tier {
            Tier::Classic | Tier::Auto => return,
            Tier::Fast => return self.fast.translate_all(store, classic),
            Tier::Jit => Level::Baseline,
            Tier::Opt => Level::Optimized,
        };
        self.jit
            .compile_all(store, &mut self.machine, classic, level);
    }

    /// Executes exactly one instruction; a host call is one. Probes do not matter.
    pub fn step(&mut self) -> Exit {
        if self.stops_at_host_calls || self.stops_at_throws {
            let now = Some(self.time());
            self.host_call_passed = now;
            self.throw_passed = now;
        }
        self.landed = None;
        if self.watches.is_empty() {
            self.step_plain()
        } else {
            self.step_and_watch()
        }
    }

    /// Like [`Vm::step`], without a look at the watches.
    pub(crate) fn step_plain(&mut self) -> Exit {
        if let Some(exit) = self.begin() {
            return exit;
        }
        match self.execute(Mode::Step, 1 << 32) {
            Some(exit) => exit,
            None => Exit::Stepped,
        }
    }

    /// `None` when the machine can go on at once.
    fn execute(&mut self, mut mode: Mode, mut ticks: u64) -> Option<Exit> {
        if self.exceeds_limits() {
            return Some(Exit::Trap(TrapKind::CallStackExhausted.into()));
        }
        let tier = if mode == Mode::Step {
            Tier::Classic
        } else {
            self.tier
        };
        if tier.is_compiled() {
            self.keep_safe_point();
        }
        loop {
            let tick_before = self.machine.tick;
            let (classic, machine, store) = (&mut self.classic, &mut self.machine, &self.store);
            let outcome = match tier {
                Tier::Classic => classic.execute(machine, store, mode, ticks),
                Tier::Fast => {
                    let beside = Beside::unwatched(store, classic);
                    self.fast.execute(beside, machine, mode, ticks)
                }
                Tier::Jit | Tier::Opt | Tier::Auto => self.execute_compiled(mode, ticks, false),
            };
            let passed = self.machine.tick - tick_before;
            if !tier.is_compiled() {
                self.ticks[tier as usize] += passed;
            }
            match outcome {
                Outcome::Fault => return Some(self.find_fault()),
                Outcome::Stepped => return Some(Exit::Stepped),
                Outcome::Poll => return None,
                Outcome::Probe => {
                    let Arrival::Passes(hit) = self.arrival() else {
                        return Some(Exit::Probe);
                    };
                    ticks -= passed;
                    if ticks == 0 {
                        // The next turn meets the probe again.
                        return None;
                    }
                    self.note_hit(hit);
                    mode = Mode::Run;
                }
                Outcome::Collect => {
                    self.collect();
                    ticks -= passed;
                    if mode == Mode::RunFromProbe {
                        // A probe at this instruction has been passed.
                        mode = Mode::Run;
                    }
                }
                outcome => return self.exit_for(outcome),
            }
        }
    }

    /// Runs machine code, and the fast tier between.
    fn execute_compiled(&mut self, mode: Mode, ticks: u64, is_watched: bool) -> Outcome {
        let tick_before = self.machine.tick;
        let machine = &mut self.machine;
        let mut around = Around {
            store: &self.store,
            classic: &mut self.classic,
            fast: &mut self.fast,
            outside: &mut self.outside,
            stops_at_host_calls: self.stops_at_host_calls,
            watches: is_watched.then_some(&self.watches),
            fast_ticks: 0,
        };
        let (policy, counts_as) = match self.tier {
            Tier::Auto => (Policy::Auto, Tier::Opt),
            Tier::Jit => (Policy::Level(Level::Baseline), Tier::Jit),
            _ => (Policy::Level(Level::Optimized), Tier::Opt),
        };
        let outcome = self
            .jit
            .execute(&mut around, machine, (mode, ticks), policy);
        // What passed in the fast tier counts there.
        let fast_ticks = around.fast_ticks;
        self.ticks[Tier::Fast as usize] += fast_ticks;
        self.ticks[counts_as as usize] += self.machine.tick - tick_before - fast_ticks;
        outcome
    }

    /// The ticks that the tier is given in one go, of those up to a limit.
    pub(crate) fn ticks_for(&self, tick_limit: u64) -> u64 {
        let left = tick_limit - self.machine.tick;
        if self.tier.is_compiled() {
            // It looks at the interrupt itself.
            left
        } else {
            TICKS_PER_POLL.min(left)
        }
    }

    /// Runs code until something ends it, or an instruction is for the classic tier, which this leaves to the caller.
    pub(crate) fn execute_watched(&mut self, mode: Mode, ticks: u64) -> Result<Outcome, Exit> {
        if self.exceeds_limits() {
            return Err(Exit::Trap(TrapKind::CallStackExhausted.into()));
        }
        if self.tier.is_compiled() {
            self.keep_safe_point();
            return Ok(match self.execute_compiled(mode, ticks, true) {
                Outcome::Fault => return Err(self.find_fault()),
                outcome => outcome,
            });
        }
        let tick_before = self.machine.tick;
        let beside = Beside {
            store: &self.store,
            classic: &mut self.classic,
            watches: Some(&self.watches),
            has_code: None,
        };
        let outcome = self.fast.execute(beside, &mut self.machine, mode, ticks);
        self.ticks[Tier::Fast as usize] += self.machine.tick - tick_before;
        Ok(outcome)
    }

    /// What an outcome other than a step means. Apart from them, so that single steps stay short.
    #[inline(never)]
    pub(crate) fn exit_for(&mut self, outcome: Outcome) -> Option<Exit> {
        match outcome {
            Outcome::Stepped => Some(Exit::Stepped),
            Outcome::Poll | Outcome::Collect | Outcome::GivenAway | Outcome::Fault => None,
            Outcome::Probe => unreachable!("probes are looked at by those who run code"),
            Outcome::HostCall(func) => self.call_host(func, false),
            Outcome::HostTailCall(func) => self.call_host(func, true),
            Outcome::Trap(kind) => Some(self.trap_exit(kind)),
            Outcome::InvalidCallee(func) => Some(self.invalid_func_exit(func)),
            Outcome::Throw => self.throw(),
            Outcome::HostResource => {
                let bytes: usize = self
                    .machine
                    .memories
                    .iter()
                    .map(|memory| memory.bytes().len())
                    .sum();
                Some(Exit::HostResource(format!(
                    "the operating system gives no more memory for memory.grow; the guest has {bytes} bytes"
                )))
            }
            Outcome::Deadlock => Some(Exit::Deadlock(self.wait_detail())),
            Outcome::Finished if !self.machine.pending.is_empty() => None,
            Outcome::Finished => Some(Exit::Finished(self.results())),
        }
    }

    /// The trap of the instruction that the machine stands at.
    pub(crate) fn trap_exit(&self, kind: TrapKind) -> Exit {
        Exit::Trap(Trap {
            kind,
            detail: self.trap_detail(kind),
        })
    }

    /// The exception that the last instruction threw, if it was handled; it is told once.
    pub fn take_landed(&mut self) -> Option<Box<Exception>> {
        self.landed.take()
    }

    /// The end of the run if an exception was just handled where it is to stop.
    pub(crate) fn landing_exit(&mut self, limit: RunLimit) -> Option<Exit> {
        let exception = self.landed.take()?;
        let count = self.machine.frames.len();
        let stops = limit.landing_depth.is_some_and(|depth| count <= depth);
        stops.then_some(Exit::Landed(exception))
    }

    /// Whether the innermost frame, entered by the last call, is one too many. It stands at its first instruction then.
    fn exceeds_limits(&mut self) -> bool {
        let Some(&top) = self.machine.frames.last() else {
            return false;
        };
        let known = match self.tier {
            Tier::Fast | Tier::Jit | Tier::Opt | Tier::Auto => {
                self.fast
                    .frame_cells_max(&self.store, &self.classic, top.func)
            }
            Tier::Classic => None,
        };
        let frame_cells =
            known.unwrap_or_else(|| self.classic.frame_cells_max(&self.store, top.func));
        self.machine.exceeds_limits(frame_cells)
    }

    /// The results that the outermost function left.
    pub(crate) fn results(&self) -> Vec<Value> {
        let Some(func) = self.machine.invoked else {
            return Vec::new();
        };
        let mut cell = STACK_BOTTOM as usize;
        let result = |&ty: &wasmparser::ValType| {
            let value = Value::from_cells(ty, &self.machine.cells[cell..]);
            cell += cell_count(ty) as usize;
            value
        };
        self.store
            .func_type(func)
            .results()
            .iter()
            .map(result)
            .collect()
    }

    /// Makes the host call that the machine stands at; `None` when it returned.
    fn call_host(&mut self, func: FuncAddr, tail: bool) -> Option<Exit> {
        if self.stops_at_host_calls {
            let now = Some(self.time());
            if self.host_call_passed != now {
                self.host_call_passed = now;
                return Some(Exit::HostCall(func));
            }
        }
        let call = self.call_site(func, tail);
        match self.host_call(func, &call) {
            Ok(results) => {
                self.return_from_host(&call, &results);
                None
            }
            Err(exit) => Some(exit),
        }
    }

    /// Performs or replays a host call; its result cells.
    fn host_call(&mut self, func: FuncAddr, call: &CallSite) -> Result<Vec<u64>, Exit> {
        let host_func = match &self.store.funcs[func.index()].kind {
            FuncKind::Host(host_func) => *host_func,
            FuncKind::Stub(name) => {
                let detail = format!("the import {name} is a stub (--stub-imports)");
                return Err(Exit::Trap(Trap {
                    kind: TrapKind::Host,
                    detail,
                }));
            }
            FuncKind::Wasm => unreachable!("tiers run wasm functions themselves"),
        };
        let args = self.machine.cells[call.args.clone()].to_vec();
        let outcome = self
            .outside
            .call(&mut self.machine, host_func, &args, call.memory);
        match outcome {
            HostOutcome::Return(results) => {
                // An end or a trap leaves the machine at the call instead: going on meets the same entry again.
                self.machine.host_calls += 1;
                Ok(results)
            }
            HostOutcome::Exit(status) => Err(Exit::ProcExit(status)),
            HostOutcome::Trap(detail) => Err(Exit::Trap(Trap {
                kind: TrapKind::Host,
                detail,
            })),
            HostOutcome::Interrupted => {
                self.outside.interrupt.take();
                Err(Exit::Interrupted)
            }
        }
    }

    /// Where the machine's current instruction finds the arguments of a host function.
    fn call_site(&self, func: FuncAddr, tail: bool) -> CallSite {
        let top = *self
            .machine
            .frames
            .last()
            .expect("a host call is made by a frame");
        let caller = &self.store.funcs[top.func.index()];
        let instance = &self.store.instances[caller.instance.index()];
        let code = &instance.module.bytes()[top.pc.index()..];
        let instruction = crate::decode::Instructions::new(code, top.pc)
            .next()
            .expect("the machine stands at a call");
        // An indirect call's index, or the reference that is called, lies above the arguments.
        let indirect = matches!(
            instruction.op,
            Op::CallIndirect | Op::ReturnCallIndirect | Op::CallRef | Op::ReturnCallRef
        );
        let args_end = self.machine.height as usize - usize::from(indirect);
        let args_cells = cells_count(self.store.func_type(func).params()) as usize;
        CallSite {
            args: args_end - args_cells..args_end,
            next: instruction.next,
            memory: instance.memories.first().map(|address| address.index()),
            tail,
        }
    }

    fn return_from_host(&mut self, call: &CallSite, results: &[u64]) {
        let machine = &mut self.machine;
        let start = call.args.start;
        machine.cells[start..start + results.len()].copy_from_slice(results);
        machine.height = (start + results.len()) as u32;
        let top = machine
            .frames
            .last_mut()
            .expect("a host call is made by a frame");
        top.pc = call.next;
        top.side = Frame::SIDE_UNKNOWN;
        if !call.tail {
            return;
        }
        // A tail call of the host is a call and a return.
        let base = top.base as usize;
        machine
            .cells
            .copy_within(start..start + results.len(), base);
        machine.height = (base + results.len()) as u32;
        machine.frames.pop();
    }

    /// Makes runs stop before each call of the host, at the instruction that makes it, or not.
    pub fn stop_at_host_calls(&mut self, stops: bool) {
        self.stops_at_host_calls = stops;
        self.host_call_passed = None;
    }

    /// What runs the program between stops.
    #[must_use]
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// Chooses what runs the program between stops. Possible at every stop.
    pub fn set_tier(&mut self, tier: Tier) {
        self.tier = tier;
    }

    /// When functions are translated.
    #[must_use]
    pub fn compile(&self) -> Compile {
        self.compile
    }

    /// Chooses when functions are translated.
    pub fn set_compile(&mut self, compile: Compile) {
        self.compile = compile;
    }

    /// What each tier did so far, and what its code takes.
    #[must_use]
    pub fn tier_stats(&self) -> Vec<TierStats> {
        let [classic_ticks, fast_ticks, jit_ticks, opt_ticks, _] = self.ticks;
        let compiled = |tier: Tier, ticks: u64, level: Level| TierStats {
            tier,
            ticks,
            functions: self.jit.compiled_funcs(level).count(),
            wasm_bytes: self
                .jit
                .compiled_funcs(level)
                .map(|func| self.store.code_len(func))
                .sum(),
            code_bytes: self.jit.code_bytes(level),
            translation: self.jit.compilation(level),
            fallbacks: self.jit.fallbacks(),
        };
        let (classic, fast) = (&self.classic, &self.fast);
        vec![
            TierStats {
                tier: Tier::Classic,
                ticks: classic_ticks,
                functions: classic.function_count(),
                wasm_bytes: classic.wasm_bytes(),
                code_bytes: classic.code_bytes(),
                translation: classic.preparation(),
                fallbacks: Vec::new(),
            },
            TierStats {
                tier: Tier::Fast,
                ticks: fast_ticks,
                functions: fast.function_count(),
                wasm_bytes: fast.wasm_bytes(),
                code_bytes: fast.code_bytes(),
                translation: fast.translation(),
                fallbacks: fast.fallbacks(),
            },
            compiled(Tier::Jit, jit_ticks, Level::Baseline),
            compiled(Tier::Opt, opt_ticks, Level::Optimized),
        ]
    }

    /// The register code of a function of the store; `None` when it has no code, or the fast tier cannot run it.
    #[must_use]
    pub fn register_code(&mut self, func: FuncAddr) -> Option<Vec<RegisterLine>> {
        let inst = self.store.funcs.get(func.index())?;
        if inst.kind != FuncKind::Wasm {
            return None;
        }
        self.fast.listing(&self.store, &self.classic, func)
    }

    /// The name of the present state.
    #[must_use]
    pub fn time(&self) -> Time {
        self.machine.time()
    }

    /// Makes the machine stop before the instruction at an address; does nothing when no function has code there.
    pub fn set_probe(&mut self, address: CodeAddress) {
        self.change_probes(address, |pcs| {
            let position = pcs.partition_point(|&pc| pc < address.pc);
            pcs.insert(position, address.pc);
        });
    }

    /// Takes a probe away, and its rule.
    pub fn clear_probe(&mut self, address: CodeAddress) {
        self.change_probes(address, |_| {});
        self.set_rule(address, ProbeRule::default());
    }

    /// Whether there is a probe.
    #[must_use]
    pub fn has_probe(&self, address: CodeAddress) -> bool {
        func_at(&self.store, address).is_some_and(|func| self.classic.has_probe(func, address.pc))
    }

    fn change_probes(&mut self, address: CodeAddress, add: impl FnOnce(&mut Vec<ModuleOffset>)) {
        let Some(func) = func_at(&self.store, address) else {
            return;
        };
        let mut pcs: Vec<ModuleOffset> = self.classic.probes(func).to_vec();
        pcs.retain(|&pc| pc != address.pc);
        add(&mut pcs);
        self.classic.set_probes(func, pcs);
        self.fast.forget(func);
        self.jit.forget(func);
    }

    /// An immutable copy of the machine that shares memory pages with `previous`.
    /// From the first one on, host calls are recorded.
    #[must_use]
    pub fn checkpoint(&mut self, previous: Option<&Checkpoint>) -> Checkpoint {
        self.safe_point.share_log();
        self.outside.log.begin(self.machine.host_calls);
        self.machine.checkpoint(previous)
    }

    /// Brings the machine back to a checkpoint of itself. Host calls that were made since are replayed from the log.
    ///
    /// # Panics
    /// When the log of the calls since was given up by [`Vm::forget_before`].
    pub fn restore(&mut self, checkpoint: &Checkpoint) {
        let is_reachable = self.outside.log.reaches_back_to(checkpoint.host_calls());
        assert!(is_reachable, "the way from this checkpoint is forgotten");
        self.safe_point.invalidate();
        self.machine.restore(checkpoint);
        if !self.watches.is_empty() {
            self.plan_watches();
        }
    }

    /// Gives up the record of what was before a checkpoint: no older one will be restored.
    pub fn forget_before(&mut self, oldest: &Checkpoint) {
        self.safe_point.forget_before(oldest);
        self.outside.log.forget_before(oldest.host_calls());
    }

    /// What the host did since the first checkpoint.
    #[must_use]
    pub fn host_log(&self) -> &HostLog {
        &self.outside.log
    }

    /// Forgets the recorded future, because the present was changed from outside.
    pub(crate) fn forget_future(&mut self) {
        self.safe_point.invalidate();
        self.outside.log.forget_from(self.machine.host_calls);
    }

    /// An instance's module.
    ///
    /// # Panics
    /// When there is no such instance.
    #[must_use]
    pub fn module(&self, instance: InstanceAddr) -> &Arc<Module> {
        &self.store.instances[instance.index()].module
    }

    /// Bytes of memory taken by prepared code.
    #[must_use]
    pub fn code_bytes(&self) -> usize {
        self.classic.code_bytes()
    }
}

/// Where a host call finds its arguments and goes on.
struct CallSite {
    /// The arguments' cells.
    args: std::ops::Range<usize>,
    /// The instruction after the call.
    next: ModuleOffset,
    /// The caller's memory 0.
    memory: Option<usize>,
    tail: bool,
}

//! wdb's machine.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use wdb_vm::address::{CodeAddress, FuncIndex, InstanceAddr, ModuleOffset};
use wdb_vm::exit::Exit;
use wdb_vm::host::{Host, HostCall, HostFunc, HostOutcome};
use wdb_vm::machine::{Limits, Time};
use wdb_vm::module::{ExportKind, Module};
use wdb_vm::store::LinkError;
use wdb_vm::tier::{Compile, Tier};
use wdb_vm::trap::TrapKind;
use wdb_vm::value::{Reference, Value};
use wdb_vm::vm::{Config, RunLimit, Vm};
use wdb_vm::{FuncType, ValType};

use crate::random::Random;
use crate::{FUEL, Outcome, Seen, fuel};

/// The instance of the module under test.
const INSTANCE: InstanceAddr = InstanceAddr(0);

/// Why a valid module has no instance.
#[derive(Debug, PartialEq)]
pub(crate) enum NoInstance {
    /// An active segment does not fit.
    Trap(TrapKind),
    /// It is larger than a limit, of which wasmtime has others.
    Limit,
}

/// How a call ended, by the machine's own measures, too.
pub(crate) struct Ended {
    pub(crate) seen: Seen,
    pub(crate) time: Time,
    /// A digest of the frames that are left.
    pub(crate) frames: u64,
}

/// A stop at a probe: when it was, and a digest of the frames.
pub(crate) type Visit = (Time, u64);

/// A module on wdb's machine.
pub(crate) struct Instance {
    vm: Vm,
    module: Arc<Module>,
}

impl Instance {
    /// The instance, or why there is none. It may collect garbage before every allocation, which nobody can tell.
    pub(crate) fn new(
        wasm: &[u8],
        tier: Tier,
        compile: Compile,
        collects_always: bool,
    ) -> anyhow::Result<Result<Instance, NoInstance>> {
        let module = Module::parse(wasm.to_vec(), None)?;
        // Random lengths of arrays reach any limit of the heap; a small one is reached soon.
        let limits = Limits {
            heap_bytes_max: 1 << 24,
            collects_always,
            ..Limits::default()
        };
        let config = Config {
            limits,
            tier,
            compile,
            ..Config::default()
        };
        let vm = match Vm::new(&module, Box::new(NoHost), Arc::default(), config) {
            Ok(vm) => vm,
            Err(LinkError::Segment { trap, .. }) => return Ok(Err(NoInstance::Trap(trap))),
            Err(LinkError::Resource(_)) => return Ok(Err(NoInstance::Limit)),
            Err(error) => return Err(error.into()),
        };
        Ok(Ok(Instance { vm, module }))
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &'static str {
        self.vm.tier().name()
    }

    /// The exported functions.
    pub(crate) fn functions(&self) -> Vec<String> {
        let exports = self.module.exports().iter();
        exports
            .filter(|export| export.kind == ExportKind::Func)
            .map(|export| export.name.clone())
            .collect()
    }

    /// The types that a function takes.
    pub(crate) fn params(&self, name: &str) -> Vec<ValType> {
        let index = self.module.export(ExportKind::Func, name);
        index.map_or_else(Vec::new, |index| {
            self.module.func_type(FuncIndex(index)).params().to_vec()
        })
    }

    /// Makes a function the next to be called.
    pub(crate) fn begin(&mut self, name: &str, args: &[Value]) -> anyhow::Result<()> {
        let func = self.vm.exported_func(INSTANCE, name);
        let func = func.ok_or_else(|| anyhow::anyhow!("{name} is not exported"))?;
        let fuel = self.module.export(ExportKind::Global, fuel::EXPORT);
        if let Some(global) = fuel.and_then(|index| self.vm.global_addr(INSTANCE, index)) {
            self.vm.set_global(global, Value::I32(FUEL as i32));
        }
        Ok(self.vm.invoke(func, args)?)
    }

    /// Some instructions of the module.
    pub(crate) fn places(&self, count: u64, random: &mut Random) -> Vec<CodeAddress> {
        let code = self.module.code_section();
        (0..count)
            .filter_map(|_| {
                let pc = code.start + random.below(u64::from(code.end - code.start)) as u32;
                let func = self.module.func_at(ModuleOffset(pc))?;
                let found = self.module.instructions(func).find(|it| it.pc.0 >= pc)?;
                Some(CodeAddress {
                    instance: INSTANCE,
                    pc: found.pc,
                })
            })
            .collect()
    }

    /// Goes on to the end instruction by instruction.
    pub(crate) fn run_by_steps(&mut self) -> anyhow::Result<Ended> {
        let exit = loop {
            match self.vm.step() {
                Exit::Stepped => {}
                exit => break exit,
            }
        };
        self.end(exit)
    }

    /// Goes on to the end at full speed. The first stops at these probes are looked at, then the probes go.
    pub(crate) fn run_with_probes(
        &mut self,
        probes: &[CodeAddress],
        visits_max: usize,
    ) -> anyhow::Result<(Ended, Vec<Visit>)> {
        probes.iter().for_each(|probe| self.vm.set_probe(*probe));
        let mut visits = Vec::new();
        let exit = loop {
            if visits.len() == visits_max {
                probes.iter().for_each(|probe| self.vm.clear_probe(*probe));
            }
            match self.vm.run(RunLimit::default()) {
                Exit::Probe => visits.push((self.vm.time(), self.frames())),
                exit => break exit,
            }
        };
        probes.iter().for_each(|probe| self.vm.clear_probe(*probe));
        Ok((self.end(exit)?, visits))
    }

    /// Goes on to the end with stops at random ticks and probes, after which a random tier goes on, or single steps do.
    pub(crate) fn run_with_stops(&mut self, random: &mut Random) -> anyhow::Result<Ended> {
        let places = self.places(4, random);
        let exit = loop {
            let tier = Tier::ALL[random.below(Tier::ALL.len() as u64) as usize];
            self.vm.set_tier(tier);
            if let Some(place) = places.get(random.below(8) as usize) {
                match self.vm.has_probe(*place) {
                    true => self.vm.clear_probe(*place),
                    false => self.vm.set_probe(*place),
                }
            }
            let tick = (random.below(3) == 0).then(|| self.vm.time().tick + random.below(200));
            let limit = RunLimit {
                tick,
                ..RunLimit::default()
            };
            match self.vm.run(limit) {
                Exit::Probe | Exit::Tick => {}
                exit => break exit,
            }
            let steps = [0, 0, 1, random.below(30)][random.below(4) as usize];
            let ended = (0..steps).find_map(|_| match self.vm.step() {
                Exit::Stepped => None,
                exit => Some(exit),
            });
            if let Some(exit) = ended {
                break exit;
            }
        };
        places.iter().for_each(|place| self.vm.clear_probe(*place));
        self.end(exit)
    }

    /// A digest of the innermost frames: their places, locals and operands. Of references it counts only which are null.
    fn frames(&self) -> u64 {
        const FRAMES_MAX: usize = 4;
        let mut digest = DefaultHasher::new();
        for number in 0..self.vm.frame_count().min(FRAMES_MAX) {
            if let Some(frame) = self.vm.frame(number) {
                (frame.func, frame.pc, frame.base).hash(&mut digest);
            }
            let Some(shape) = self.vm.shape(number) else {
                continue;
            };
            for slot in shape.locals.iter().chain(&shape.operands) {
                let value = self.vm.slot_value(number, *slot);
                value.as_ref().map(bits).hash(&mut digest);
            }
        }
        digest.finish()
    }

    fn end(&mut self, exit: Exit) -> anyhow::Result<Ended> {
        let (time, frames) = (self.vm.time(), self.frames());
        let outcome = match exit {
            Exit::Finished(values) => Outcome::Returned(values.iter().map(bits).collect()),
            Exit::Trap(trap)
                if matches!(
                    trap.kind,
                    TrapKind::CallStackExhausted | TrapKind::HeapExhausted
                ) =>
            {
                Outcome::Exhausted
            }
            Exit::Uncaught(_) => Outcome::Uncaught,
            Exit::Trap(trap) => Outcome::Trapped(message(trap.kind).to_owned()),
            exit => anyhow::bail!("an unexpected end: {exit:?}"),
        };
        self.vm.abandon();
        let exports = self.module.exports().iter();
        let memories = exports
            .clone()
            .filter(|export| export.kind == ExportKind::Memory)
            .map(|export| {
                self.vm
                    .memory(INSTANCE, export.index)
                    .unwrap_or_default()
                    .to_vec()
            })
            .collect();
        let globals = exports
            .filter(|export| export.kind == ExportKind::Global)
            .filter_map(|export| {
                let global = self.vm.global_addr(INSTANCE, export.index)?;
                let (ty, value) = self.vm.global(global)?;
                (!matches!(ty, ValType::Ref(_))).then(|| bits(&value))
            })
            .collect();
        let seen = Seen {
            outcome,
            memories,
            globals,
        };
        Ok(Ended { seen, time, frames })
    }
}

/// The trap's message, where wasmtime has one for several: for calls through elements that are not there and the other uses of
/// tables, and for null references of all types.
fn message(trap: TrapKind) -> &'static str {
    let common = match trap {
        TrapKind::TableOutOfBounds => TrapKind::UndefinedElement,
        TrapKind::NullFunctionReference
        | TrapKind::NullStructureReference
        | TrapKind::NullArrayReference
        | TrapKind::NullI31Reference
        | TrapKind::NullExceptionReference => TrapKind::NullReference,
        other => other,
    };
    common.message()
}

/// A value's bits; of a reference only whether it is null.
fn bits(value: &Value) -> u128 {
    match value {
        Value::I32(value) => u128::from(value.cast_unsigned()),
        Value::I64(value) => u128::from(value.cast_unsigned()),
        Value::F32(bits) => u128::from(*bits),
        Value::F64(bits) => u128::from(*bits),
        Value::V128(bits) => *bits,
        Value::Ref(reference) => u128::from(*reference != Reference::Null),
    }
}

struct NoHost;

impl Host for NoHost {
    fn resolve(&self, _module: &str, _name: &str) -> Option<HostFunc> {
        None
    }

    fn name(&self, _func: HostFunc) -> String {
        String::new()
    }

    fn func_type(&self, _func: HostFunc) -> FuncType {
        FuncType::new([], [])
    }

    fn call(&mut self, _func: HostFunc, _call: &mut HostCall<'_>) -> HostOutcome {
        HostOutcome::Trap("no host".to_owned())
    }
}

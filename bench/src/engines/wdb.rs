//! wdb's tiers, set up as a session has them.

use std::sync::Arc;
use std::time::Instant;

use wdb_vm::address::{FuncIndex, InstanceAddr};
use wdb_vm::exit::Exit;
use wdb_vm::host::{Host, HostCall, HostFunc, HostOutcome};
use wdb_vm::module::Module;
use wdb_vm::tier::{Compile, Tier};
use wdb_vm::value::Value;
use wdb_vm::vm::{Config, RunLimit, Vm};
use wdb_vm::watch::WatchKind;
use wdb_vm::{FuncType, ProbeRule};

use super::{Engine, Prepared};
use crate::compile::Compiled;
use crate::profile::watch;
use crate::programs::{self, Program};

/// A tier, with the clock and with probes in functions that are not reached.
pub struct Wdb {
    name: &'static str,
    tier: Tier,
    armed: Armed,
}

/// What else a session has.
#[derive(Clone, Copy)]
enum Armed {
    Nothing,
    /// A breakpoint at the hottest place, with a condition that never holds.
    Condition,
    /// A watchpoint on a variable that is not touched.
    Watch,
}

impl Wdb {
    pub const CONDITION: Wdb = Wdb {
        name: "opt-condition",
        tier: Tier::Opt,
        armed: Armed::Condition,
    };

    pub const WATCH: Wdb = Wdb {
        name: "opt-watch",
        tier: Tier::Opt,
        armed: Armed::Watch,
    };

    pub const fn new(tier: Tier) -> Wdb {
        Wdb {
            name: tier.name(),
            tier,
            armed: Armed::Nothing,
        }
    }
}

/// Serves no import.
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

/// A machine with the program, without probes.
pub fn machine(program: &Program, tier: Tier) -> anyhow::Result<Vm> {
    let config = Config {
        tier,
        ..Config::default()
    };
    let mut vm = Vm::empty(Box::new(NoHost), Arc::default(), config);
    let module = Module::parse(program.wasm.to_vec(), None)?;
    if let Some(import) = module.imports().first() {
        let collector = Module::parse(programs::collector().wasm.to_vec(), None)?;
        let collector = vm.instantiate(&collector)?;
        vm.register(&import.module, collector);
    }
    vm.instantiate(&module)?;
    Ok(vm)
}

/// The instance of the program: the last one.
pub fn program_instance(vm: &Vm) -> InstanceAddr {
    InstanceAddr(vm.instance_count() - 1)
}

/// A machine as a session has it.
pub fn session(program: &Program, tier: Tier) -> anyhow::Result<Vm> {
    let mut vm = machine(program, tier)?;
    for &place in program.unreached()? {
        vm.set_probe(place);
    }
    Ok(vm)
}

/// Has the machine call `run` next.
pub fn invoke(vm: &mut Vm, n: i32) -> anyhow::Result<()> {
    let func = vm
        .exported_func(program_instance(vm), "run")
        .ok_or_else(|| anyhow::anyhow!("exports no run"))?;
    Ok(vm.invoke(func, &[Value::I32(n)])?)
}

impl Engine for Wdb {
    fn name(&self) -> &'static str {
        self.name
    }

    fn description(&self) -> String {
        let armed = match self.armed {
            Armed::Nothing => "",
            Armed::Condition => ", a breakpoint at the hottest place with a condition",
            Armed::Watch => ", a watchpoint on a variable",
        };
        format!("wdb, tier {}{armed}", self.tier.name())
    }

    fn prepare(&self, program: &Program) -> anyhow::Result<Box<dyn Prepared>> {
        let mut vm = session(program, self.tier)?;
        match self.armed {
            Armed::Nothing => {}
            Armed::Condition => {
                let hottest = program.hottest()?;
                vm.set_probe(hottest.place);
                let rule = ProbeRule {
                    condition: Some(hottest.condition.clone()),
                    ..ProbeRule::default()
                };
                vm.set_rule(hottest.place, rule);
            }
            Armed::Watch => {
                let watch = watch(&vm, 0, program.untouched()?, WatchKind::Change);
                vm.set_watches(vec![watch]);
            }
        }
        Ok(Box::new(vm))
    }
}

impl Prepared for Vm {
    fn run(&mut self, n: i32) -> anyhow::Result<i64> {
        invoke(self, n)?;
        match Vm::run(self, RunLimit::default()) {
            Exit::Finished(values) if let [Value::I64(result)] = values[..] => Ok(result),
            exit => anyhow::bail!("{exit:?}"),
        }
    }

    fn check(&self) -> anyhow::Result<()> {
        let stats = self.tier_stats();
        let fallbacks: Vec<_> = stats.iter().flat_map(|stats| &stats.fallbacks).collect();
        anyhow::ensure!(
            fallbacks.is_empty(),
            "functions fell back to a slower tier: {fallbacks:?}"
        );
        Ok(())
    }
}

/// Compiles all functions of a module for a tier of machine code. No instruction is executed.
pub fn compile(wasm: &[u8], tier: Tier) -> anyhow::Result<Compiled> {
    let start = Instant::now();
    let module = Module::parse(wasm.to_vec(), None)?;
    let config = Config {
        tier,
        compile: Compile::Eager,
        stub_imports: true,
        ..Config::default()
    };
    let mut vm = Vm::new(&module, Box::new(NoHost), Arc::default(), config)?;
    // A run translates everything before it looks at its limit.
    let limit = RunLimit {
        tick: Some(0),
        ..RunLimit::default()
    };
    let exit = vm.run(limit);
    let time = start.elapsed();
    anyhow::ensure!(matches!(exit, Exit::Finished(_) | Exit::Tick), "{exit:?}");
    vm.check()?;
    let stats = vm.tier_stats();
    let stats = stats.iter().find(|stats| stats.tier == tier);
    let stats = stats.ok_or_else(|| anyhow::anyhow!("it is no tier of machine code"))?;
    let functions = module.func_count() - module.imported_func_count();
    anyhow::ensure!(
        stats.functions == functions as usize,
        "{} of {functions} functions were compiled",
        stats.functions
    );
    Ok(Compiled {
        time,
        code_bytes: stats.code_bytes,
    })
}

/// Bytes of the bodies of a module's functions.
pub fn code_len(wasm: &[u8]) -> anyhow::Result<usize> {
    let module = Module::parse(wasm.to_vec(), None)?;
    let bodies = (0..module.func_count()).filter_map(|func| module.func_body(FuncIndex(func)));
    Ok(bodies.map(|body| body.range.len()).sum())
}

/// How many times `Vm::step` is done in a second, on a recursive function.
pub fn steps_per_second(program: &Program) -> anyhow::Result<f64> {
    let mut vm = machine(program, Tier::Classic)?;
    invoke(&mut vm, 25)?;
    let start = Instant::now();
    let mut steps = 0u32;
    while vm.step() == Exit::Stepped {
        steps += 1;
    }
    Ok(f64::from(steps) / start.elapsed().as_secs_f64())
}

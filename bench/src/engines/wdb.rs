//! wdb's tiers, set up as a session has them.

use std::sync::Arc;
use std::time::Instant;

use wdb_vm::FuncType;
use wdb_vm::address::InstanceAddr;
use wdb_vm::exit::Exit;
use wdb_vm::host::{Host, HostCall, HostFunc, HostOutcome};
use wdb_vm::module::Module;
use wdb_vm::tier::Tier;
use wdb_vm::value::Value;
use wdb_vm::vm::{Config, RunLimit, Vm};

use super::{Engine, Prepared};
use crate::profile::watch;
use crate::programs::Program;

/// The instance of the program.
pub const PROGRAM: InstanceAddr = InstanceAddr(0);

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
    /// A watchpoint on a variable that is not written.
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
    let module = Module::parse(program.wasm.to_vec(), None)?;
    let config = Config {
        tier,
        ..Config::default()
    };
    Ok(Vm::new(&module, Box::new(NoHost), Arc::default(), config)?)
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
        .exported_func(PROGRAM, "run")
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
                vm.set_condition(hottest.place, Some(hottest.condition.clone()));
            }
            Armed::Watch => vm.set_watches(vec![watch(0, program.unwritten()?)]),
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

//! wdb's tiers.

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

pub struct Wdb(pub Tier);

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

fn machine(wasm: &[u8], tier: Tier) -> anyhow::Result<Vm> {
    let module = Module::parse(wasm.to_vec(), None)?;
    let config = Config {
        tier,
        ..Config::default()
    };
    Ok(Vm::new(&module, Box::new(NoHost), Arc::default(), config)?)
}

fn invoke(vm: &mut Vm, n: i32) -> anyhow::Result<()> {
    let func = vm
        .exported_func(InstanceAddr(0), "run")
        .ok_or_else(|| anyhow::anyhow!("exports no run"))?;
    Ok(vm.invoke(func, &[Value::I32(n)])?)
}

impl Engine for Wdb {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn description(&self) -> String {
        format!("wdb, tier {}", self.0.name())
    }

    fn prepare(&self, wasm: &[u8]) -> anyhow::Result<Box<dyn Prepared>> {
        Ok(Box::new(machine(wasm, self.0)?))
    }

    fn is_ours(&self) -> bool {
        true
    }
}

impl Prepared for Vm {
    fn run(&mut self, n: i32) -> anyhow::Result<i64> {
        invoke(self, n)?;
        match Vm::run(self, RunLimit::default()) {
            Exit::Finished(values) if let [Value::I64(result)] = values[..] => {
                let fallbacks: Vec<_> = self
                    .tier_stats()
                    .into_iter()
                    .flat_map(|stats| stats.fallbacks)
                    .collect();
                anyhow::ensure!(
                    fallbacks.is_empty(),
                    "functions fell back to a slower tier: {fallbacks:?}"
                );
                Ok(result)
            }
            exit => anyhow::bail!("{exit:?}"),
        }
    }
}

/// How many times `Vm::step` is done in a second, on a recursive function.
pub fn steps_per_second(wasm: &[u8]) -> anyhow::Result<f64> {
    let mut vm = machine(wasm, Tier::Classic)?;
    invoke(&mut vm, 25)?;
    let start = Instant::now();
    let mut steps = 0u32;
    while vm.step() == Exit::Stepped {
        steps += 1;
    }
    Ok(f64::from(steps) / start.elapsed().as_secs_f64())
}

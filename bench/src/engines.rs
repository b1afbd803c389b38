//! The engines, each behind the same two calls.

use std::sync::Arc;
use std::time::Instant;

use wdb_vm::FuncType;
use wdb_vm::address::InstanceAddr;
use wdb_vm::exit::Exit;
use wdb_vm::host::{Host, HostCall, HostFunc, HostOutcome};
use wdb_vm::module::Module;
use wdb_vm::value::Value;
use wdb_vm::vm::{Config, RunLimit, Vm};

/// Something that runs modules.
pub trait Engine {
    /// Its name, for the table.
    fn name(&self) -> &'static str;
    /// Loads a module that imports nothing and exports `run: i32 -> i64`.
    fn prepare(&self, wasm: &[u8]) -> anyhow::Result<Box<dyn Prepared>>;
}

/// A loaded module.
pub trait Prepared {
    /// Calls `run`.
    fn run(&mut self, n: i32) -> anyhow::Result<i64>;
}

/// Every engine; the last is what the ratios refer to.
pub fn all() -> Vec<Box<dyn Engine>> {
    vec![Box::new(Classic), Box::new(Wasmi)]
}

struct Classic;

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

fn machine(wasm: &[u8]) -> anyhow::Result<Vm> {
    let module = Module::parse(wasm.to_vec(), None)?;
    Ok(Vm::new(&module, Box::new(NoHost), Arc::default(), Config::default())?)
}

fn invoke(vm: &mut Vm, n: i32) -> anyhow::Result<()> {
    let func = vm.exported_func(InstanceAddr(0), "run").ok_or_else(|| anyhow::anyhow!("exports no run"))?;
    Ok(vm.invoke(func, &[Value::I32(n)])?)
}

impl Engine for Classic {
    fn name(&self) -> &'static str {
        "wdb classic"
    }

    fn prepare(&self, wasm: &[u8]) -> anyhow::Result<Box<dyn Prepared>> {
        Ok(Box::new(machine(wasm)?))
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
}

struct Wasmi;

impl Engine for Wasmi {
    fn name(&self) -> &'static str {
        "wasmi 2.0"
    }

    fn prepare(&self, wasm: &[u8]) -> anyhow::Result<Box<dyn Prepared>> {
        let engine = wasmi::Engine::default();
        let module = wasmi::Module::new(&engine, wasm)?;
        let mut store = wasmi::Store::new(&engine, ());
        let instance = wasmi::Linker::new(&engine).instantiate_and_start(&mut store, &module)?;
        let run = instance.get_typed_func::<i32, i64>(&store, "run")?;
        Ok(Box::new((store, run)))
    }
}

impl Prepared for (wasmi::Store<()>, wasmi::TypedFunc<i32, i64>) {
    fn run(&mut self, n: i32) -> anyhow::Result<i64> {
        Ok(self.1.call(&mut self.0, n)?)
    }
}

/// How many times `Vm::step` is done in a second, on a recursive function.
pub fn steps_per_second(wasm: &[u8]) -> anyhow::Result<f64> {
    let mut vm = machine(wasm)?;
    invoke(&mut vm, 25)?;
    let start = Instant::now();
    let mut steps = 0u32;
    while vm.step() == Exit::Stepped {
        steps += 1;
    }
    Ok(f64::from(steps) / start.elapsed().as_secs_f64())
}

//! tinywasm as it comes.

use tinywasm::{FunctionTyped, ModuleInstance, Store};

use super::{Engine, Prepared};
use crate::programs::Program;

pub struct Tinywasm;

impl Engine for Tinywasm {
    fn name(&self) -> &'static str {
        "tinywasm"
    }

    fn description(&self) -> String {
        "tinywasm 0.10, default settings".to_owned()
    }

    fn prepare(&self, program: &Program) -> anyhow::Result<Box<dyn Prepared>> {
        let module = tinywasm::parse_bytes(&program.wasm)?;
        let mut store = Store::default();
        let instance = ModuleInstance::instantiate(&mut store, &module, None)?;
        let run = instance.func::<i32, i64>(&store, "run")?;
        Ok(Box::new((store, run)))
    }
}

impl Prepared for (Store, FunctionTyped<i32, i64>) {
    fn run(&mut self, n: i32) -> anyhow::Result<i64> {
        Ok(self.1.call(&mut self.0, n)?)
    }
}

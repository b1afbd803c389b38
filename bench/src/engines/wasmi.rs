//! Wasmi as it comes.

use super::{Engine, Prepared};
use crate::programs::Program;

pub struct Wasmi;

impl Engine for Wasmi {
    fn name(&self) -> &'static str {
        "wasmi"
    }

    fn description(&self) -> String {
        "Wasmi 2.0.0, default settings".to_owned()
    }

    fn prepare(&self, program: &Program) -> anyhow::Result<Box<dyn Prepared>> {
        let engine = wasmi::Engine::default();
        let module = wasmi::Module::new(&engine, &program.wasm[..])?;
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

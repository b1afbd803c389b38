//! Wasmtime: with its optimising compiler, with its baseline compiler, prepared for debugging, and with objects.

use std::time::Instant;

use wasmtime::{
    Caller, Collector, Config, Extern, Func, Instance, Module, Store, Strategy, TypedFunc,
};

use super::{Engine, Prepared};
use crate::compile::Compiled;
use crate::programs::Program;

#[derive(Clone, Copy)]
pub enum Wasmtime {
    /// Cranelift with its default settings.
    Cranelift,
    Winch,
    /// Cranelift's code can be stopped and looked into everywhere.
    GuestDebug,
    /// With garbage collection; its default collector copies.
    Objects,
    /// With garbage collection by counting references.
    CountedObjects,
}

/// The native stack that programs with objects have: ten thousand frames take more than the default.
const STACK_BYTES: usize = 4 << 20;

impl Wasmtime {
    /// The ways to run programs without objects.
    pub const ALL: [Wasmtime; 3] = [Wasmtime::Cranelift, Wasmtime::Winch, Wasmtime::GuestDebug];

    fn config(self) -> Config {
        let mut config = Config::new();
        match self {
            Wasmtime::Cranelift => {}
            Wasmtime::Winch => drop(config.strategy(Strategy::Winch)),
            Wasmtime::GuestDebug => drop(config.guest_debug(true)),
            Wasmtime::Objects => {
                config.wasm_gc(true).max_wasm_stack(STACK_BYTES);
                // It is not used, and has to be larger than the other.
                config.async_stack_size(2 * STACK_BYTES);
            }
            Wasmtime::CountedObjects => {
                config = Wasmtime::Objects.config();
                config.collector(Collector::DeferredReferenceCounting);
            }
        }
        config
    }

    /// Compiles a module on one thread.
    pub fn compile(self, wasm: &[u8]) -> anyhow::Result<Compiled> {
        let mut config = self.config();
        config.parallel_compilation(false);
        let engine = wasmtime::Engine::new(&config).map_err(plain)?;
        let start = Instant::now();
        let module = Module::new(&engine, wasm).map_err(plain)?;
        let time = start.elapsed();
        Ok(Compiled {
            time,
            code_bytes: module.text().len(),
        })
    }
}

impl Engine for Wasmtime {
    fn name(&self) -> &'static str {
        match self {
            Wasmtime::Cranelift | Wasmtime::Objects => "wasmtime",
            Wasmtime::Winch => "winch",
            Wasmtime::GuestDebug => "guest-debug",
            Wasmtime::CountedObjects => "wasmtime-drc",
        }
    }

    fn description(&self) -> String {
        let kind = match self {
            Wasmtime::Cranelift => "default settings",
            Wasmtime::Winch => "Winch",
            Wasmtime::GuestDebug => "guest debugging",
            Wasmtime::Objects => "objects, its default collector, which copies",
            Wasmtime::CountedObjects => "objects, references counted",
        };
        format!("Wasmtime 48, {kind}")
    }

    fn prepare(&self, program: &Program) -> anyhow::Result<Box<dyn Prepared>> {
        let engine = wasmtime::Engine::new(&self.config()).map_err(plain)?;
        let module = Module::new(&engine, &program.wasm[..]).map_err(plain)?;
        let mut store = Store::new(&engine, ());
        // The only function that programs import.
        let collect = |mut caller: Caller<'_, ()>| caller.gc(None);
        let imports = module.imports();
        let imports: Vec<Extern> = imports
            .map(|_| Func::wrap(&mut store, collect).into())
            .collect();
        let instance = Instance::new(&mut store, &module, &imports).map_err(plain)?;
        let run = instance
            .get_typed_func::<i32, i64>(&mut store, "run")
            .map_err(plain)?;
        Ok(Box::new((store, run)))
    }
}

impl Prepared for (Store<()>, TypedFunc<i32, i64>) {
    fn run(&mut self, n: i32) -> anyhow::Result<i64> {
        self.1.call(&mut self.0, n).map_err(plain)
    }
}

/// Wasmtime has an error type of its own.
fn plain(error: wasmtime::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:#}")
}

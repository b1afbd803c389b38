//! Wasmtime, in three ways: with its optimising compiler, with its baseline compiler, and prepared for debugging.

use wasmtime::{Config, Instance, Module, Store, Strategy, TypedFunc};

use super::{Engine, Prepared};
use crate::programs::Program;

#[derive(Clone, Copy)]
pub enum Wasmtime {
    /// Cranelift with its default settings.
    Cranelift,
    Winch,
    /// Cranelift's code can be stopped and looked into everywhere.
    GuestDebug,
}

impl Wasmtime {
    pub const ALL: [Wasmtime; 3] = [Wasmtime::Cranelift, Wasmtime::Winch, Wasmtime::GuestDebug];

    fn config(self) -> Config {
        let mut config = Config::new();
        match self {
            Wasmtime::Cranelift => {}
            Wasmtime::Winch => drop(config.strategy(Strategy::Winch)),
            Wasmtime::GuestDebug => drop(config.guest_debug(true)),
        }
        config
    }
}

impl Engine for Wasmtime {
    fn name(&self) -> &'static str {
        match self {
            Wasmtime::Cranelift => "wasmtime",
            Wasmtime::Winch => "winch",
            Wasmtime::GuestDebug => "guest-debug",
        }
    }

    fn description(&self) -> String {
        let kind = match self {
            Wasmtime::Cranelift => "default settings",
            Wasmtime::Winch => "Winch",
            Wasmtime::GuestDebug => "guest debugging",
        };
        format!("Wasmtime 48, {kind}")
    }

    fn prepare(&self, program: &Program) -> anyhow::Result<Box<dyn Prepared>> {
        let engine = wasmtime::Engine::new(&self.config()).map_err(plain)?;
        let module = Module::new(&engine, &program.wasm[..]).map_err(plain)?;
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).map_err(plain)?;
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

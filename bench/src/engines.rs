//! The engines, each behind the same calls.

#[cfg(feature = "tinywasm")]
mod tinywasm;
#[cfg(feature = "wasm3")]
mod wasm3;
mod wasmi;
#[cfg(feature = "wasmtime")]
pub mod wasmtime;
pub mod wdb;

use wdb_vm::tier::Tier;

use crate::programs::Program;

/// Something that runs programs.
pub trait Engine {
    /// What people call it by in `--engines` and in tables.
    fn name(&self) -> &'static str;
    /// What exactly it is: its version and how it is set up.
    fn description(&self) -> String;
    /// Loads a program.
    fn prepare(&self, program: &Program) -> anyhow::Result<Box<dyn Prepared>>;
}

/// A loaded program.
pub trait Prepared {
    /// Calls `run`.
    fn run(&mut self, n: i32) -> anyhow::Result<i64>;

    /// An error if the runs so far were not what the engine's name says.
    fn check(&self) -> anyhow::Result<()> {
        Ok(())
    }
}

/// Engines that run beside each other.
pub type Engines = Vec<Box<dyn Engine>>;

/// A conditional breakpoint, and the same without.
pub fn conditions() -> Engines {
    vec![
        Box::new(wdb::Wdb::new(Tier::Opt)),
        Box::new(wdb::Wdb::CONDITION),
    ]
}

/// A watchpoint, the same without, and Wasmtime.
pub fn watch() -> Engines {
    let mut engines = all();
    engines.retain(|engine| ["opt", "wasmtime"].contains(&engine.name()));
    engines.insert(1, Box::new(wdb::Wdb::WATCH));
    engines
}

/// What starts and runs a program in one go.
pub fn wall() -> Engines {
    let names = ["fast", "jit", "opt", "auto", "wasmtime", "winch"];
    let mut engines = all();
    engines.retain(|engine| names.contains(&engine.name()));
    engines
}

/// What runs programs with exceptions and objects.
pub fn objects() -> Engines {
    #[cfg_attr(
        not(feature = "wasmtime"),
        expect(unused_mut, reason = "there is no peer")
    )]
    let mut engines = tiers();
    #[cfg(feature = "wasmtime")]
    for way in [
        wasmtime::Wasmtime::Objects,
        wasmtime::Wasmtime::CountedObjects,
    ] {
        engines.push(Box::new(way));
    }
    engines
}

/// Every engine that this program was built with, wdb's tiers first.
pub fn all() -> Engines {
    let mut engines = tiers();
    engines.push(Box::new(wasmi::Wasmi));
    #[cfg(feature = "wasm3")]
    engines.push(Box::new(wasm3::Wasm3));
    #[cfg(feature = "tinywasm")]
    engines.push(Box::new(tinywasm::Tinywasm));
    #[cfg(feature = "wasmtime")]
    for way in wasmtime::Wasmtime::ALL {
        engines.push(Box::new(way));
    }
    engines
}

/// wdb's tiers, the slowest first.
fn tiers() -> Engines {
    let engine = |tier| Box::new(wdb::Wdb::new(tier)) as Box<dyn Engine>;
    Tier::ALL.into_iter().map(engine).collect()
}

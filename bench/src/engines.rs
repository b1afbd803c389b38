//! The engines, each behind the same two calls.

#[cfg(feature = "tinywasm")]
mod tinywasm;
#[cfg(feature = "wasm3")]
mod wasm3;
mod wasmi;
#[cfg(feature = "wasmtime")]
mod wasmtime;
mod wdb;

use wdb_vm::tier::Tier;

/// Something that runs modules.
pub trait Engine {
    /// What people call it by in `--engines` and in tables.
    fn name(&self) -> &'static str;
    /// What exactly it is: its version and how it is set up.
    fn description(&self) -> String;
    /// Loads a module that imports nothing and exports `run: i32 -> i64`.
    fn prepare(&self, wasm: &[u8]) -> anyhow::Result<Box<dyn Prepared>>;
    /// Whether it is one of wdb's tiers.
    fn is_ours(&self) -> bool {
        false
    }
}

/// A loaded module.
pub trait Prepared {
    /// Calls `run`.
    fn run(&mut self, n: i32) -> anyhow::Result<i64>;
}

/// Every engine that this program was built with, wdb's tiers first.
pub fn all() -> Vec<Box<dyn Engine>> {
    let tiers = Tier::ALL
        .into_iter()
        .map(|tier| Box::new(wdb::Wdb(tier)) as Box<dyn Engine>);
    let mut engines: Vec<Box<dyn Engine>> = tiers.collect();
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

pub use wdb::steps_per_second;

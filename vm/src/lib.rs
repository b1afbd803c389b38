//! The wasm machine of wdb: module, machine, tiers and host.
//!
//! Everything the guest can observe is one [`machine`] of plain data; tiers run it, probes stop it, checkpoints keep it.
//! This crate refuses to know what a breakpoint, a source line or a variable is: it knows probes, budgets and offsets.

pub mod address;
pub mod host;
pub mod interrupt;
pub mod wasi;

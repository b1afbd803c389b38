//! The wasm machine of wdb: module, machine, tiers and host.
//!
//! Everything the guest can observe is one [`machine`] of plain data; tiers run it, probes stop it, checkpoints keep it.
//! This crate refuses to know what a breakpoint, a source line or a variable is: it knows probes, budgets and offsets.

mod access;
pub mod address;
pub mod captured;
mod classic;
mod collect;
pub mod comparison;
mod constants;
pub mod decode;
pub mod disassemble;
pub mod edits;
pub mod exceptions;
pub mod exit;
mod fast;
pub mod frames;
pub mod heap;
pub mod host;
pub mod host_log;
pub mod interrupt;
pub mod isa;
mod jit;
pub mod machine;
pub mod machine_code;
pub mod memory;
pub mod module;
pub mod names;
pub mod numeric;
pub mod objects;
mod outside;
mod probes;
mod safe_point;
pub mod shape;
pub mod store;
pub mod tier;
pub mod trap;
mod types;
pub mod value;
pub mod vm;
pub mod wasi;
pub mod watch;

pub use wdb_codegen::{
    CAPTURED_VALUES_MAX, Capture, Condition, ConditionConversion, ConditionOp, HitCounter,
    Observed, ProbeRule,
};

pub use wasmparser::{FuncType, RefType, StorageType, ValType, WasmFeatures};

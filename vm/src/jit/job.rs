//! What the compiler is asked for.

use std::ops::Range;

use wdb_codegen::{Job, Level, Probe, Start, Watched};

use super::COMPILER_STACK_BYTES;
use super::env::{StoreEnv, WatchedPlaces};
use crate::address::FuncAddr;
use crate::machine::Machine;
use crate::store::Store;
use crate::watch::WatchPlan;

/// Code that is wanted of a function.
pub(super) struct Wanted<'a> {
    pub(super) func: FuncAddr,
    pub(super) level: Level,
    pub(super) plan: &'a WatchPlan,
    pub(super) watch_extent: &'a Range<u64>,
    pub(super) start: Start,
    /// Its number.
    pub(super) unit: u32,
    pub(super) probes: &'a [Probe],
    /// Whether it only leaves at the start.
    pub(super) is_stub: bool,
    /// Whether accesses of memory may rely on faults.
    pub(super) is_guarded: bool,
}

/// Lets the compiler work on a job, on a stack that is large enough.
pub(super) fn with_job<R>(
    store: &Store,
    machine: &Machine,
    wanted: &Wanted<'_>,
    work: impl FnOnce(&Job<'_>) -> R,
) -> R {
    let inst = &store.funcs[wanted.func.index()];
    let instance = &store.instances[inst.instance.index()];
    let module = &instance.module;
    let locals = module.local_types(inst.index);
    let body = module.func_body(inst.index).expect("a wasm function");
    let code = body.code.start as usize..body.code.end as usize;
    let env = StoreEnv {
        store,
        instance,
        machine,
        is_guarded: wanted.is_guarded,
    };
    let watched = WatchedPlaces {
        plan: wanted.plan,
        extent: wanted.watch_extent,
        func: wanted.func,
        instance,
    };
    let job = Job {
        watched: wanted.plan.any.then_some(&watched as &dyn Watched),
        env: &env,
        func: wanted.func.0,
        level: wanted.level,
        ty: module.func_type(inst.index),
        locals: &locals,
        code: &module.bytes()[code],
        offset: body.code.start,
        start: wanted.start,
        probes: wanted.probes,
        is_stub: wanted.is_stub,
        unit: wanted.unit,
    };
    stacker::maybe_grow(COMPILER_STACK_BYTES, COMPILER_STACK_BYTES, || work(&job))
}

//! What the compiler asks about a function's instance.

use std::ops::Range;

use wasmparser::{FuncType, SubType};
use wdb_codegen::{CalleeKind, Env, GlobalPlace, MemoryPlace, TablePlace, Watched};

use crate::address::{FuncAddr, FuncIndex};
use crate::machine::Machine;
use crate::memory::PAGE_BYTES;
use crate::store::{FuncKind, Instance, Store};
use crate::watch::{GRANULE_BITS, GRANULES, WatchPlan};

/// An instance of the store.
pub(super) struct StoreEnv<'a> {
    pub(super) store: &'a Store,
    pub(super) instance: &'a Instance,
    pub(super) machine: &'a Machine,
    /// Whether accesses of memory may rely on faults.
    pub(super) is_guarded: bool,
}

impl Env for StoreEnv<'_> {
    fn sub_type(&self, index: u32) -> &SubType {
        let ty = self.instance.module.sub_type(index);
        ty.expect("validated code names types of the module")
    }

    fn type_id(&self, index: u32) -> u32 {
        self.instance.type_ids[index as usize].0
    }

    fn func_type(&self, func: u32) -> &FuncType {
        self.instance.module.func_type(FuncIndex(func))
    }

    fn func_address(&self, func: u32) -> u32 {
        self.instance.funcs[func as usize].0
    }

    fn callee(&self, func: u32) -> CalleeKind {
        let address = self.instance.funcs[func as usize];
        match self.store.funcs[address.index()].kind {
            FuncKind::Wasm if self.store.is_valid(address) => CalleeKind::Wasm,
            FuncKind::Host(_) => CalleeKind::Host,
            FuncKind::Wasm | FuncKind::Stub(_) => CalleeKind::Other,
        }
    }

    fn global(&self, index: u32) -> GlobalPlace {
        let address = self.instance.globals[index as usize];
        GlobalPlace {
            cell: self.instance.global_cells[index as usize],
            ty: self.store.globals[address.index()].0.content_type,
        }
    }

    fn memory(&self, index: u32) -> MemoryPlace {
        let address = self.instance.memories[index as usize];
        let memory = &self.machine.memories[address.index()];
        let ty = &self.store.memories[address.index()];
        MemoryPlace {
            address: address.0,
            is_64: memory.is_64(),
            page_bits: ty.page_size_log2.unwrap_or(PAGE_BYTES.ilog2()),
            is_guarded: self.is_guarded && memory.is_guarded(),
        }
    }

    fn table(&self, index: u32) -> TablePlace {
        let address = self.instance.tables[index as usize];
        TablePlace {
            address: address.0,
            is_64: self.store.tables[address.index()].table64,
        }
    }
}

/// What of a function's surroundings is watched.
pub(super) struct WatchedPlaces<'a> {
    pub(super) plan: &'a WatchPlan,
    pub(super) extent: &'a Range<u64>,
    pub(super) func: FuncAddr,
    pub(super) instance: &'a Instance,
}

impl Watched for WatchedPlaces<'_> {
    fn local(&self, index: u32) -> bool {
        self.plan.watches_local(self.func, index)
    }

    fn any_local(&self) -> bool {
        self.plan.watches_locals()
    }

    fn global(&self, index: u32) -> bool {
        self.plan
            .watches_global(self.instance.globals[index as usize])
    }

    fn memory(&self) -> bool {
        self.plan.memory
    }

    fn extent(&self) -> (u64, u64) {
        (self.extent.start, self.extent.end - self.extent.start)
    }

    fn memory_reads(&self) -> bool {
        self.plan.memory_reads
    }

    fn tables(&self) -> bool {
        self.plan.tables
    }

    fn objects(&self) -> bool {
        self.plan.objects
    }

    fn granule_bits(&self) -> (u32, u32) {
        (GRANULE_BITS, GRANULES.ilog2())
    }
}

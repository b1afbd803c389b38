//! What compiled code calls.

use std::ffi::c_void;

use wdb_codegen::{Compiler, Context, RUNTIME_FUNCTIONS, Runtime, STATUS_DONE};

use super::code::CodeMemory;
use super::{Jit, SCRATCH_BOTTOM};
use crate::address::{FuncAddr, InstanceAddr, TypeId};
use crate::classic::code::FuncCode;
use crate::classic::context::{self as classic_context, Leave};
use crate::classic::{Classic, load_instance, ops};
use crate::host::HostOutcome;
use crate::isa::{PREFIX_FB, PREFIX_FC};
use crate::machine::Machine;
use crate::outside::Outside;
use crate::store::{FuncKind, Store};
use crate::vm::TICKS_PER_POLL;

/// The code was left at the instruction.
const STATUS_LEFT: u64 = STATUS_DONE + 1;

/// A run of compiled code: what its runtime works with. Pointers are valid for the run.
pub(super) struct Running {
    pub(super) jit: *mut Jit,
    pub(super) machine: *mut Machine,
    pub(super) store: *const Store,
    pub(super) classic: *const Classic,
    pub(super) outside: *mut Outside,
    pub(super) stops_at_host_calls: bool,
    /// Ticks that code was given so far, and those that it can still be given.
    pub(super) granted: u64,
    pub(super) left: u64,
    /// For instructions that the classic tier's handlers execute; the instance that it is made for.
    pub(super) shared: Option<(InstanceAddr, Box<(FuncCode, classic_context::Context)>)>,
}

/// Where a function of the runtime lies.
fn address_of(function: Runtime) -> *const c_void {
    match function {
        Runtime::Poll => poll as *const c_void,
        Runtime::Entry => entry as *const c_void,
        Runtime::HostCall => host_call as *const c_void,
        Runtime::Perform => perform as *const c_void,
        Runtime::Resolve => resolve as *const c_void,
        Runtime::Cast => cast as *const c_void,
        Runtime::MemoryCopy => memory_copy as *const c_void,
    }
}

/// What code calls the functions of the runtime by.
pub(super) struct Table {
    pub(super) addresses: [*const c_void; RUNTIME_FUNCTIONS],
    /// The code of those that lie elsewhere than the functions.
    _relays: Vec<CodeMemory>,
}

impl Table {
    /// Makes the relays.
    pub(super) fn new(compiler: &mut Compiler) -> Result<Table, String> {
        let mut relays = Vec::new();
        let mut addresses = Runtime::ALL.map(address_of);
        for function in Runtime::ALL.into_iter().filter(|it| it.is_rare()) {
            let address = &mut addresses[function as usize];
            let (code, alignment) = compiler
                .relay(function, address.addr())
                .map_err(|error| error.to_string())?;
            let relay = CodeMemory::new(&code, alignment)?;
            *address = relay.address();
            relays.push(relay);
        }
        Ok(Table {
            addresses,
            _relays: relays,
        })
    }
}

/// The run that a context belongs to.
unsafe fn running<'a>(context: *mut Context) -> &'a mut Running {
    // SAFETY: the driver has put it there for the run; no two of the runtime's functions are active at once.
    unsafe { &mut *(*context).owner.cast::<Running>() }
}

unsafe extern "C" fn poll(context: *mut Context, place: u64) -> i64 {
    // SAFETY: code passes its context.
    let run = unsafe { running(context) };
    // SAFETY: valid for the run.
    let is_raised = unsafe { (*run.outside).interrupt.is_raised() };
    // SAFETY: likewise.
    let wants_stop = is_raised || unsafe { (*run.jit).wants_checkpoint() };
    if run.left == 0 || wants_stop {
        return -1;
    }
    let place = ((place >> 32) as u32, place as u32);
    // SAFETY: likewise; store, machine and classic tier are not changed by compiling.
    let wants_better = unsafe {
        let (store, machine, classic) = (&*run.store, &*run.machine, &*run.classic);
        (*run.jit).found_compiled(store, machine, classic, place)
    };
    if wants_better {
        return -1;
    }
    let ticks = run.left.min(TICKS_PER_POLL);
    run.left -= ticks;
    run.granted += ticks;
    // SAFETY: code passes its context.
    unsafe {
        (*context).clock_end += ticks;
        (*run.outside)
            .probes
            .captured
            .note_written((*context).capture_next);
        (*run.outside).probes.captured.hand_over();
        ((*context).capture_next, _) = (*run.outside).probes.captured.room();
    }
    ticks as i64 - 1
}

unsafe extern "C" fn entry(context: *mut Context, func: u64) -> *const c_void {
    // SAFETY: code passes its context; store, machine and classic tier are not changed by compiling.
    unsafe {
        let run = running(context);
        let (store, machine, classic) = (&*run.store, &*run.machine, &*run.classic);
        (*run.jit).entry_of(store, machine, classic, FuncAddr(func as u32))
    }
}

unsafe extern "C" fn host_call(context: *mut Context, caller: u64, func: u64) -> u64 {
    // SAFETY: code passes its context, with the arguments in its cells.
    unsafe {
        let run = running(context);
        let store = &*run.store;
        let FuncKind::Host(host_func) = store.funcs[func as usize].kind else {
            return STATUS_LEFT;
        };
        if run.stops_at_host_calls {
            return STATUS_LEFT;
        }
        let caller = &store.instances[store.funcs[caller as usize].instance.index()];
        let memory = caller.memories.first().map(|address| address.index());
        let params = store.func_type(FuncAddr(func as u32)).params();
        let count = crate::value::cells_count(params) as usize;
        let cells = (*context).cells;
        let args = std::slice::from_raw_parts(cells, count);
        let machine = &mut *run.machine;
        let outside = &mut *run.outside;
        outside
            .probes
            .captured
            .note_written((*context).capture_next);
        let outcome = outside.call(machine, host_func, args, memory);
        ((*context).capture_next, _) = outside.probes.captured.room();
        match outcome {
            HostOutcome::Return(results) => {
                machine.host_calls += 1;
                std::ptr::copy_nonoverlapping(results.as_ptr(), cells, results.len());
                STATUS_DONE
            }
            outcome => {
                outside.unfinished = Some(outcome);
                STATUS_LEFT
            }
        }
    }
}

unsafe extern "C" fn perform(context: *mut Context, func: u64, pc: u64, count: u64) -> u64 {
    // SAFETY: code passes its context, and an instruction of the function's module, whose operands lie in the cells.
    unsafe {
        let run = running(context);
        let shared = run.shared_context(FuncAddr(func as u32));
        let sp = (*context).cells.add(count as usize);
        let at = (*(*shared).code).original.add(pc as usize);
        (*shared).pc = at;
        (*shared).sp = sp;
        (*shared).fp = (*context).cells;
        let opcode = *at;
        let leave = classic_context::enter(shared, ops::STEP_TABLE[usize::from(opcode)]);
        if leave != Leave::Stepped {
            return STATUS_LEFT;
        }
        // Sizes can have changed.
        if opcode == MEMORY_GROW || opcode == PREFIX_FC {
            (*run.jit).refresh_views(&mut *run.machine);
        }
        debug_assert!(opcode != PREFIX_FB || (*shared).leave == Some(Leave::Stepped));
        STATUS_DONE
    }
}

/// The opcode of `memory.grow`.
const MEMORY_GROW: u8 = 0x40;

impl Running {
    /// A context for the classic tier's handlers, in the instance of a function.
    unsafe fn shared_context(&mut self, func: FuncAddr) -> *mut classic_context::Context {
        // SAFETY: the pointers are valid for the run.
        unsafe {
            let store = &*self.store;
            let instance = store.funcs[func.index()].instance;
            if self.shared.as_ref().is_none_or(|(of, _)| *of != instance) {
                let code = FuncCode::of_instance(store, instance);
                let machine = &mut *self.machine;
                let context = classic_context::Context::new(
                    machine,
                    store,
                    std::ptr::null(),
                    std::ptr::null(),
                    u64::MAX,
                );
                let mut both = Box::new((code, context));
                both.1.code = &raw const both.0;
                load_instance(&mut both.1, instance);
                self.shared = Some((instance, both));
            }
            let (_, both) = self.shared.as_mut().expect("just made");
            // Sizes may have changed by another way.
            if let Some(address) = store.instances[instance.index()].memories.first() {
                both.1
                    .set_memory(&(&(*self.machine).memories)[address.index()]);
            }
            &raw mut both.1
        }
    }
}

unsafe extern "C" fn resolve(context: *mut Context, cell: u64, type_id: u64) -> u64 {
    // SAFETY: code passes its context.
    unsafe {
        let run = running(context);
        let store = &*run.store;
        let Some(index) = cell.checked_sub(1) else {
            return STATUS_LEFT;
        };
        let Some(inst) = store.funcs.get(index as usize) else {
            return STATUS_LEFT;
        };
        let func = FuncAddr(index as u32);
        if inst.kind != FuncKind::Wasm || !store.is_valid(func) {
            return STATUS_LEFT;
        }
        // From now on equal types are seen at once.
        (*run.jit).note_type(func, inst.type_id);
        if store.types.is_subtype(inst.type_id, TypeId(type_id as u32)) {
            STATUS_DONE
        } else {
            STATUS_LEFT
        }
    }
}

unsafe extern "C" fn cast(context: *mut Context, func: u64, pc: u64, cell: u64) -> u64 {
    // SAFETY: code passes its context, and a branch on a cast of the function's module.
    unsafe {
        let run = running(context);
        let shared = run.shared_context(FuncAddr(func as u32));
        let at = (*(*shared).code).original.add(pc as usize);
        u64::from(crate::classic::objects::cast_fits(shared, at, cell))
    }
}

unsafe extern "C" fn memory_copy(
    context: *mut Context,
    to: u64,
    from: u64,
    count: u64,
    memories: u64,
) -> u64 {
    // SAFETY: code passes its context.
    let machine = unsafe { &mut *running(context).machine };
    let to = ((memories as u32) as usize, to);
    let from = ((memories >> 32) as usize, from);
    match machine.memory_copy(to, from, count) {
        Ok(()) => STATUS_DONE,
        Err(_) => STATUS_LEFT,
    }
}

const _: () = assert!(SCRATCH_BOTTOM >= 1, "there is a cell below the operands");

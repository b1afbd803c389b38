//! Handlers of memory and table instructions.

use super::context::{
    Context, Execute, Flow, Instruction, Leave, Rare, Regs, give_up, leave, read_u32, read_u32_any,
    read_u64_any, skip_leb,
};
use super::ops;
use crate::machine::Machine;
use crate::memory::{GrowError, Memory};
use crate::store::{Instance, Store};
use crate::trap::TrapKind;

/// The address of an access of `size` bytes at `offset` from `base` in memory 0. The last few bytes are for the long form.
#[inline(always)]
pub(crate) unsafe fn checked_address<const LONG: bool>(
    context: *const Context,
    base: u64,
    offset: u32,
    size: usize,
) -> Result<*mut u8, Rare> {
    // SAFETY: the context is alive for the whole run; an address within the memory's bytes is valid.
    unsafe {
        let context = &*context;
        // Neither sum can overflow: all three are numbers of at most 33 bits.
        let address = u64::from(base as u32) + u64::from(offset);
        if !LONG {
            return if address < context.memory_inner_bytes {
                Ok(context.memory.add(address as usize))
            } else {
                Err(Rare::Long)
            };
        }
        if address + size as u64 <= context.memory_bytes {
            Ok(context.memory.add(address as usize))
        } else {
            Err(Rare::Trap(TrapKind::MemoryOutOfBounds))
        }
    }
}

/// The bit of an access's alignment that says that a memory index follows.
const HAS_MEMORY: u32 = 1 << 6;

/// The address of an access whose alignment, memory and offset are at `memarg`, from the address in a cell, and what comes
/// after those. Memory 0 and short offsets have the short form.
#[inline(always)]
pub(crate) unsafe fn address_of<const LONG: bool>(
    context: *const Context,
    base: u64,
    memarg: *const u8,
    size: u64,
) -> Result<(*mut u8, *const u8), Rare> {
    // SAFETY: validated code has alignment and offset after the opcode; an address within the memory's bytes is valid.
    unsafe {
        if LONG {
            let address = locate(context, base, memarg, size).map_err(Rare::Trap)?;
            return Ok((address, skip_memarg(memarg)));
        }
        // What is greater has a memory index, or takes several bytes.
        if u32::from(*memarg) >= HAS_MEMORY {
            return Err(Rare::Long);
        }
        let Ok((offset, next)) = read_u32::<false>(memarg.add(1)) else {
            return Err(Rare::Long);
        };
        let context = &*context;
        let address = base & context.address_mask;
        let end = address.checked_add(u64::from(offset) + size);
        match end {
            Some(end) if end <= context.memory_bytes => {
                Ok((context.memory.add((end - size) as usize), next))
            }
            _ => Err(Rare::Long),
        }
    }
}

/// Skips alignment, memory and offset of an access.
#[inline(always)]
pub(crate) unsafe fn skip_memarg(at: *const u8) -> *const u8 {
    // SAFETY: validated code has them here.
    unsafe {
        // The bit lies in the number's first byte.
        let names_memory = u32::from(*at) & HAS_MEMORY != 0;
        let at = skip_leb(at);
        skip_leb(if names_memory { skip_leb(at) } else { at })
    }
}

/// The memory that an access is of, whose alignment, memory and offset are at `memarg`.
#[inline(never)]
pub(crate) unsafe fn memory_of<'m>(context: *const Context, memarg: *const u8) -> &'m mut Memory {
    // SAFETY: validated code names a memory of the instance; the context's pointers are valid for the whole run.
    unsafe {
        let context = &*context;
        let (align, at) = read_u32_any(memarg);
        let index = if align & HAS_MEMORY != 0 {
            read_u32_any(at).0
        } else {
            0
        };
        let instance = &(&(*context.store).instances)[(*context.code).instance.index()];
        &mut (&mut (*context.machine).memories)[instance.memories[index as usize].index()]
    }
}

/// The place in any memory of an access of `size` bytes from the address in a cell on.
#[inline(never)]
unsafe fn locate(
    context: *const Context,
    base: u64,
    memarg: *const u8,
    size: u64,
) -> Result<*mut u8, TrapKind> {
    // SAFETY: as in `memory_of`; an address within the memory's bytes is valid.
    unsafe {
        let memory = memory_of(context, memarg);
        let mut at = skip_leb(memarg);
        if u32::from(*memarg) & HAS_MEMORY != 0 {
            at = skip_leb(at);
        }
        let address = memory.address(base).checked_add(read_u64_any(at));
        let is_inside = |address: &u64| {
            let end = address.checked_add(size);
            end.is_some_and(|end| end <= memory.bytes().len() as u64)
        };
        match address.filter(is_inside) {
            Some(address) => Ok(memory.base().add(address as usize)),
            None => Err(TrapKind::MemoryOutOfBounds),
        }
    }
}

/// An instruction that reads memory.
pub(crate) trait MemoryLoad: Instruction {
    /// The number of bytes.
    const SIZE: usize;
    /// Reads from a valid address.
    unsafe fn read(address: *const u8) -> u64;
}

/// An instruction that writes memory.
pub(crate) trait MemoryStore: Instruction {
    /// The number of bytes.
    const SIZE: usize;
    /// Writes to a valid address.
    unsafe fn write(address: *mut u8, cell: u64);
}

/// `loads! { I32Load8S: i8 as i32 as u32; }` makes the handler of a load of an `i8` that is widened by these casts.
macro_rules! loads {
    ($($name:ident: $ty:ident $(as $via:ident)*;)*) => {
        $(
            impl MemoryLoad for ops::$name {
                const SIZE: usize = size_of::<$ty>();
                #[inline(always)]
                unsafe fn read(address: *const u8) -> u64 {
                    // SAFETY: passed on from the caller.
                    let value = <$ty>::from_le(unsafe { address.cast::<$ty>().read_unaligned() });
                    value $(as $via)* as u64
                }
            }

            impl Execute for ops::$name {
                #[inline(always)]
                unsafe fn execute<const LONG: bool>(regs: Regs) -> Flow {
                    // SAFETY: validated code has the operand; the address is checked.
                    unsafe {
                        let size = <ops::$name as MemoryLoad>::SIZE;
                        match address_of::<LONG>(regs.context, regs.peek(0), regs.pc.add(1), size as u64) {
                            Ok((address, next)) => regs.replace(1, <ops::$name as MemoryLoad>::read(address), next),
                            Err(rare) => give_up(regs, rare),
                        }
                    }
                }
            }
        )*
    };
}
loads! {
    I32Load: u32;
    I64Load: u64;
    F32Load: u32;
    F64Load: u64;
    I32Load8S: i8 as i32 as u32;
    I32Load8U: u8;
    I32Load16S: i16 as i32 as u32;
    I32Load16U: u16;
    I64Load8S: i8 as i64;
    I64Load8U: u8;
    I64Load16S: i16 as i64;
    I64Load16U: u16;
    I64Load32S: i32 as i64;
    I64Load32U: u32;
}

macro_rules! stores {
    ($($name:ident: $ty:ident;)*) => {
        $(
            impl MemoryStore for ops::$name {
                const SIZE: usize = size_of::<$ty>();
                #[inline(always)]
                unsafe fn write(address: *mut u8, cell: u64) {
                    // SAFETY: passed on from the caller.
                    unsafe { address.cast::<$ty>().write_unaligned((cell as $ty).to_le()) };
                }
            }

            impl Execute for ops::$name {
                #[inline(always)]
                unsafe fn execute<const LONG: bool>(regs: Regs) -> Flow {
                    // SAFETY: validated code has the operands; the address is checked.
                    unsafe {
                        let size = <ops::$name as MemoryStore>::SIZE;
                        match address_of::<LONG>(regs.context, regs.peek(1), regs.pc.add(1), size as u64) {
                            Ok((address, next)) => {
                                <ops::$name as MemoryStore>::write(address, regs.peek(0));
                                regs.popped(2, next)
                            }
                            Err(rare) => give_up(regs, rare),
                        }
                    }
                }
            }
        )*
    };
}
stores! {
    I32Store: u32;
    I64Store: u64;
    F32Store: u32;
    F64Store: u64;
    I32Store8: u8;
    I32Store16: u16;
    I64Store8: u8;
    I64Store16: u16;
    I64Store32: u32;
}

/// What an instruction that works on whole memories and tables needs: the machine, the store, the running instance.
struct World<'a> {
    machine: &'a mut Machine,
    store: &'a Store,
    instance: &'a Instance,
    context: &'a mut Context,
}

impl World<'_> {
    fn memory(&self, index: u32) -> usize {
        self.instance.memories[index as usize].index()
    }

    fn table(&self, index: u32) -> usize {
        self.instance.tables[index as usize].index()
    }
}

/// The outcome of such an instruction: the cell that it pushes, if it is one that pushes.
///
/// Small enough to be returned in registers: an outcome written through a pointer to the handler's own frame would keep
/// the handler's last call from becoming a jump.
type Slow = Result<u64, Leave>;
const _: () = assert!(size_of::<Slow>() <= 16);

/// Runs `body` on the operands, popped only when it succeeds, and on the immediates.
#[inline(always)]
unsafe fn slow<const POPS: usize, const PUSHES: bool>(
    regs: Regs,
    immediates: *const u8,
    immediates_count: usize,
    body: unsafe fn(*mut Context, *const u64, *const u8) -> Slow,
) -> Flow {
    // SAFETY: validated code has the operands and immediates.
    unsafe {
        regs.spill();
        match body(regs.context, regs.sp.sub(POPS), immediates) {
            Ok(cell) => {
                let mut next = immediates;
                for _ in 0..immediates_count {
                    next = skip_leb(next);
                }
                if PUSHES {
                    regs.replace(POPS, cell, next)
                } else if POPS == 0 {
                    Ok(Regs { pc: next, ..regs })
                } else {
                    regs.popped(POPS, next)
                }
            }
            Err(why) => leave(regs, why),
        }
    }
}

/// `slow_instructions! { MemoryFill[3 => 0, 1] world, [at, value, count], [memory] => …; }`: a name, how many operands,
/// results and immediates it has, and its semantics on them.
macro_rules! slow_instructions {
    ($skip:ident: $($name:ident[$pops:literal => $pushes:literal, $count:literal] $world:ident, [$($operand:ident),*], [$($immediate:ident),*] => $body:expr;)*) => {
        $(impl Execute for ops::$name {
            #[inline(always)]
            unsafe fn execute<const LONG: bool>(regs: Regs) -> Flow {
                #[inline(never)]
                unsafe fn body(context: *mut Context, operands: *const u64, immediates: *const u8) -> Slow {
                    // SAFETY: the handler passes a context whose pointers are valid, its operands and its immediates.
                    unsafe {
                        let [$($operand),*] = *operands.cast::<[u64; $pops]>();
                        let mut at = immediates;
                        $(let $immediate; ($immediate, at) = read_u32_any(at);)*
                        let _ = at;
                        let context = &mut *context;
                        let (machine, store) = (&mut *context.machine, &*context.store);
                        let instance = &store.instances[(*context.code).instance.index()];
                        #[allow(unused_mut, reason = "not every instruction changes something")]
                        let mut $world = World { machine, store, instance, context };
                        $body
                    }
                }
                // SAFETY: the handler passes its own registers.
                unsafe { slow::<$pops, { $pushes == 1 }>(regs, slow_instructions!(@$skip regs), $count, body) }
            }
        })*
    };
    (@single $regs:ident) => { $regs.pc.add(1) };
    (@prefixed $regs:ident) => { skip_leb($regs.pc.add(1)) };
}

slow_instructions! {
    single:
    MemorySize[0 => 1, 1] world, [], [memory] => Ok(world.machine.memories[world.memory(memory)].pages());
    MemoryGrow[1 => 1, 1] world, [delta], [memory] => memory_grow(&mut world, memory, delta);
    TableGet[1 => 1, 1] world, [index], [table] => {
        let table = &world.machine.tables[world.table(table)];
        table.element(table.index(index)).ok_or(Leave::Trap(TrapKind::TableOutOfBounds))
    };
    TableSet[2 => 0, 1] world, [index, value], [table] => {
        let table = world.table(table);
        let table = &mut world.machine.tables[table];
        let index = usize::try_from(table.index(index)).ok();
        let element = index.and_then(|index| table.elements.get_mut(index));
        *element.ok_or(Leave::Trap(TrapKind::TableOutOfBounds))? = value;
        Ok(0)
    };
}

slow_instructions! {
    prefixed:
    MemoryInit[3 => 0, 2] world, [at, from, count], [segment, memory] => {
        let segment = (world.instance.data_start + segment) as usize;
        let bytes = if world.machine.dropped_data[segment] { &[][..] } else { world.store.data_bytes(segment) };
        let memory = world.memory(memory);
        let at = world.machine.memories[memory].address(at);
        done(world.machine.memory_init(memory, at, bytes, low(from), low(count)))
    };
    DataDrop[0 => 0, 1] world, [], [segment] => {
        world.machine.dropped_data[(world.instance.data_start + segment) as usize] = true;
        Ok(0)
    };
    MemoryCopy[3 => 0, 2] world, [at, from, count], [to_memory, from_memory] => {
        let (to, source) = (world.memory(to_memory), world.memory(from_memory));
        let (to_memory, from_memory) = (&world.machine.memories[to], &world.machine.memories[source]);
        // The length has the narrower of both address types.
        let count = to_memory.address(from_memory.address(count));
        let (to, from) = ((to, to_memory.address(at)), (source, from_memory.address(from)));
        done(world.machine.memory_copy(to, from, count))
    };
    MemoryFill[3 => 0, 1] world, [at, value, count], [memory] => {
        let index = world.memory(memory);
        let memory = &world.machine.memories[index];
        let (at, count) = (memory.address(at), memory.address(count));
        done(world.machine.memory_fill(index, at, value as u8, count))
    };
    TableInit[3 => 0, 2] world, [at, from, count], [segment, table] => {
        let segment = (world.instance.elements_start + segment) as usize;
        let cells = if world.machine.dropped_elements[segment] { &[][..] } else { &world.store.elements[segment] };
        let table = world.table(table);
        let at = world.machine.tables[table].index(at);
        done(world.machine.table_init(table, at, cells, low(from), low(count)))
    };
    ElemDrop[0 => 0, 1] world, [], [segment] => {
        world.machine.dropped_elements[(world.instance.elements_start + segment) as usize] = true;
        Ok(0)
    };
    TableCopy[3 => 0, 2] world, [at, from, count], [to_table, from_table] => {
        let (to, source) = (world.table(to_table), world.table(from_table));
        let (to_table, from_table) = (&world.machine.tables[to], &world.machine.tables[source]);
        let count = to_table.index(from_table.index(count));
        let (to, from) = ((to, to_table.index(at)), (source, from_table.index(from)));
        done(world.machine.table_copy(to, from, count))
    };
    TableGrow[2 => 1, 1] world, [value, delta], [table] => {
        let index = world.table(table);
        let delta = world.machine.tables[index].index(delta);
        let old = world.machine.table_grow(index, delta, value);
        Ok(old.unwrap_or(world.machine.tables[index].index(u64::MAX)))
    };
    TableSize[0 => 1, 1] world, [], [table] => Ok(world.machine.tables[world.table(table)].elements.len() as u64);
    TableFill[3 => 0, 1] world, [at, value, count], [table] => {
        let index = world.table(table);
        let table = &world.machine.tables[index];
        let (at, count) = (table.index(at), table.index(count));
        done(world.machine.table_fill(index, at, value, count))
    };
}

/// An `i32` operand as an unsigned number.
fn low(cell: u64) -> u64 {
    u64::from(cell as u32)
}

fn done(result: Result<(), TrapKind>) -> Slow {
    result.map(|()| 0).map_err(Leave::Trap)
}

fn memory_grow(world: &mut World<'_>, index: u32, delta: u64) -> Slow {
    let address = world.memory(index);
    let delta = world.machine.memories[address].address(delta);
    match world.machine.memory_grow(address, delta) {
        Ok(old) => {
            // The same memory can have several indices.
            if world.instance.memories[0].index() == address {
                world.context.set_memory(&world.machine.memories[address]);
            }
            Ok(old)
        }
        Err(GrowError::Limit) => Ok(world.machine.memories[address].address(u64::MAX)),
        Err(GrowError::Host(_)) => Err(Leave::HostResource),
    }
}

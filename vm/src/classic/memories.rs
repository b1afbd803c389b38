//! Handlers of memory and table instructions.

use super::context::{
    Context, Execute, Flow, Instruction, Leave, Rare, Regs, Stop, give_up, leave, read_u32,
    read_u32_any, skip_leb,
};
use super::ops;
use crate::machine::Machine;
use crate::memory::GrowError;
use crate::store::{Instance, Store};
use crate::trap::TrapKind;

/// The address of an access of `size` bytes at `offset` from `base` in memory 0. The last few bytes are for the long form.
#[inline(always)]
pub(super) unsafe fn checked_address<const LONG: bool>(
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

/// The offset of an access, and the instruction after it.
#[inline(always)]
unsafe fn read_offset<const LONG: bool>(regs: Regs) -> Result<(u32, *const u8), Stop> {
    // SAFETY: validated code has alignment and offset after the opcode.
    unsafe { read_u32::<LONG>(skip_leb(regs.pc.add(1))) }
}

/// An instruction that reads memory.
pub(super) trait MemoryLoad: Instruction {
    /// The number of bytes.
    const SIZE: usize;
    /// Reads from a valid address.
    unsafe fn read(address: *const u8) -> u64;
}

/// An instruction that writes memory.
pub(super) trait MemoryStore: Instruction {
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
                        let (offset, next) = read_offset::<LONG>(regs)?;
                        let size = <ops::$name as MemoryLoad>::SIZE;
                        match checked_address::<LONG>(regs.context, regs.peek(0), offset, size) {
                            Ok(address) => regs.replace(1, <ops::$name as MemoryLoad>::read(address), next),
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
                        let (offset, next) = read_offset::<LONG>(regs)?;
                        let size = <ops::$name as MemoryStore>::SIZE;
                        match checked_address::<LONG>(regs.context, regs.peek(1), offset, size) {
                            Ok(address) => {
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
        let elements = &world.machine.tables[world.table(table)].elements;
        let cell = elements.get(index as u32 as usize).copied();
        cell.ok_or(Leave::Trap(TrapKind::TableOutOfBounds))
    };
    TableSet[2 => 0, 1] world, [index, value], [table] => {
        let table = world.table(table);
        let element = world.machine.tables[table].elements.get_mut(index as u32 as usize);
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
        done(world.machine.memory_init(memory, low(at), bytes, low(from), low(count)))
    };
    DataDrop[0 => 0, 1] world, [], [segment] => {
        world.machine.dropped_data[(world.instance.data_start + segment) as usize] = true;
        Ok(0)
    };
    MemoryCopy[3 => 0, 2] world, [at, from, count], [to_memory, from_memory] => {
        let (to, from) = ((world.memory(to_memory), low(at)), (world.memory(from_memory), low(from)));
        done(world.machine.memory_copy(to, from, low(count)))
    };
    MemoryFill[3 => 0, 1] world, [at, value, count], [memory] => {
        let memory = world.memory(memory);
        done(world.machine.memory_fill(memory, low(at), value as u8, low(count)))
    };
    TableInit[3 => 0, 2] world, [at, from, count], [segment, table] => {
        let segment = (world.instance.elements_start + segment) as usize;
        let cells = if world.machine.dropped_elements[segment] { &[][..] } else { &world.store.elements[segment] };
        let table = world.table(table);
        done(world.machine.table_init(table, low(at), cells, low(from), low(count)))
    };
    ElemDrop[0 => 0, 1] world, [], [segment] => {
        world.machine.dropped_elements[(world.instance.elements_start + segment) as usize] = true;
        Ok(0)
    };
    TableCopy[3 => 0, 2] world, [at, from, count], [to_table, from_table] => {
        let (to, from) = ((world.table(to_table), low(at)), (world.table(from_table), low(from)));
        done(world.machine.table_copy(to, from, low(count)))
    };
    TableGrow[2 => 1, 1] world, [value, delta], [table] => {
        let table = world.table(table);
        let old = world.machine.table_grow(table, low(delta), value);
        Ok(old.unwrap_or(u64::from(u32::MAX)))
    };
    TableSize[0 => 1, 1] world, [], [table] => Ok(world.machine.tables[world.table(table)].elements.len() as u64);
    TableFill[3 => 0, 1] world, [at, value, count], [table] => {
        let table = world.table(table);
        done(world.machine.table_fill(table, low(at), value, low(count)))
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
    let memory = world.memory(index);
    match world.machine.memory_grow(memory, low(delta)) {
        Ok(old) => {
            if index == 0 {
                let bytes = world.machine.memories[memory].bytes().len() as u64;
                world.context.set_memory_bytes(bytes);
            }
            Ok(old)
        }
        Err(GrowError::Limit) => Ok(u64::from(u32::MAX)),
        Err(GrowError::Host(_)) => Err(Leave::HostResource),
    }
}

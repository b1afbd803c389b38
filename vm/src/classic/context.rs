//! The classic tier's registers, its dispatch, and what leads out of it.
//!
//! Every handler has one signature and ends in a call of the next handler, which an optimising build turns into a jump.
//! A build without optimisation would grow the native stack by a frame for each instruction, so there (`not(wdb_tail_calls)`)
//! a handler returns after one instruction and a loop calls the next.

use super::code::{Branch, FuncCode};
use super::{ops, quick};
use crate::address::{TableAddr, TypeId};
use crate::isa::Op;
use crate::machine::{Frame, Machine, Table};
use crate::memory::Memory;
use crate::store::{FuncInst, Store};
use crate::trap::TrapKind;

/// Why the handlers returned to the driver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Leave {
    /// One instruction was executed, as asked.
    Stepped,
    /// A probe stands at `pc`.
    Probe,
    /// The tick budget is spent; the machine stands where the last tick was counted.
    Budget,
    /// The function called at `pc` is not prepared, or is the host's.
    Callee(u32),
    /// Like `Callee`, for a tail call.
    TailCallee(u32),
    /// The instruction at `pc` traps.
    Trap(TrapKind),
    /// `memory.grow` at `pc` cannot be served by the operating system.
    HostResource,
    /// The instruction at `pc` waits for what nobody will do.
    Deadlock,
    /// The instruction at `pc` throws an exception.
    Throw,
    /// Garbage is to be collected before the instruction at `pc`, which makes an object.
    Collect,
    /// The callee just entered exceeds a limit.
    Exhausted,
    /// Control reached another instance, whose registers are to be loaded.
    Instance,
    /// A function returned to a frame that this tier has not prepared.
    Returned,
    /// The outermost frame returned; its results lie at the bottom of the stack.
    Finished,
    /// The fast tier gives the instruction that it stands at to this one.
    Bail,
}

/// State shared by the handlers of one run. Pointers are into the machine, the store and the prepared code.
#[repr(C)]
pub(crate) struct Context {
    /// Ticks left before the driver is asked.
    pub(crate) budget: u64,
    /// The running instance's memory 0.
    pub(crate) memory: *mut u8,
    /// Addresses below this can be accessed in every size.
    pub(crate) memory_inner_bytes: u64,
    pub(crate) memory_bytes: u64,
    /// For accesses of 1, 2, 4 and 8 bytes, where the first one that does not fit would begin.
    pub(crate) memory_ends: [u64; 4],
    /// The bits of a cell that an address in memory 0 has. Quick code accesses memories whose addresses are 32 bits wide only.
    pub(crate) address_mask: u64,
    /// The running function.
    pub(crate) code: *const FuncCode,
    /// The running function's frame record.
    pub(crate) frame: *mut Frame,
    /// The outermost frame record.
    pub(crate) frames: *mut Frame,
    /// The end of the frame records that the limit admits.
    pub(crate) frames_end: *mut Frame,
    pub(crate) cells: *mut u64,
    /// The end of the cells that the limit admits.
    pub(crate) cells_end: *mut u64,
    /// Prepared code by function of the store; null where it is not prepared, or is the host's.
    pub(crate) codes: *const *const FuncCode,
    /// The running instance's functions, first cells of globals, and the globals' cells.
    pub(crate) funcs: *const u32,
    pub(crate) global_cells: *const u32,
    pub(crate) globals: *mut u64,
    /// The running instance's tables and types, the tables, and the functions of the store.
    pub(crate) instance_tables: *const TableAddr,
    pub(crate) type_ids: *const TypeId,
    pub(crate) tables: *const Table,
    pub(crate) store_funcs: *const FuncInst,
    pub(crate) machine: *mut Machine,
    pub(crate) store: *const Store,
    /// Registers at the moment of leaving.
    pub(crate) pc: *const u8,
    pub(crate) sp: *mut u64,
    pub(crate) fp: *mut u64,
    pub(crate) side: *const Branch,
    pub(crate) leave: Option<Leave>,
}

impl Context {
    /// The context of a run in the innermost frame, whose registers and instance are still to be set.
    pub(crate) fn new(
        machine: &mut Machine,
        store: &Store,
        code: *const FuncCode,
        codes: *const *const FuncCode,
        ticks: u64,
    ) -> Context {
        let frames = machine.frames.as_mut_ptr();
        let cells = machine.cells.as_mut_ptr();
        Context {
            budget: ticks,
            memory: std::ptr::null_mut(),
            memory_bytes: 0,
            memory_inner_bytes: 0,
            memory_ends: [0; 4],
            address_mask: 0,
            code,
            frame: frames.wrapping_add(machine.frames.len()).wrapping_sub(1),
            frames,
            frames_end: frames.wrapping_add(machine.limits.frames_max as usize),
            cells,
            cells_end: cells.wrapping_add(machine.limits.cells_max as usize),
            codes,
            funcs: std::ptr::null(),
            global_cells: std::ptr::null(),
            globals: machine.globals.as_mut_ptr(),
            instance_tables: std::ptr::null(),
            type_ids: std::ptr::null(),
            tables: machine.tables.as_ptr(),
            store_funcs: store.funcs.as_ptr(),
            machine: &raw mut *machine,
            store,
            pc: std::ptr::null(),
            sp: cells,
            fp: cells,
            side: std::ptr::null(),
            leave: None,
        }
    }

    /// Takes note of memory 0's place and size.
    pub(crate) fn set_memory(&mut self, memory: &Memory) {
        /// The widest access of quick code.
        const ACCESS_BYTES_MAX: u64 = size_of::<u64>() as u64;
        let bytes = memory.bytes().len() as u64;
        self.memory = memory.base();
        self.memory_bytes = bytes;
        self.memory_inner_bytes = bytes.saturating_sub(ACCESS_BYTES_MAX - 1);
        self.memory_ends = [1, 2, 4, 8].map(|size| bytes.saturating_sub(size - 1));
        self.address_mask = memory.address(u64::MAX);
    }
}

/// The registers that travel from handler to handler, all of them in machine registers.
#[derive(Clone, Copy)]
pub(crate) struct Regs {
    /// The instruction's opcode, in the module's bytes or a probed copy.
    pub(crate) pc: *const u8,
    /// Past the topmost operand.
    pub(crate) sp: *mut u64,
    /// The first local.
    pub(crate) fp: *mut u64,
    /// The next branch's entry in the side table.
    pub(crate) side: *const Branch,
    /// What belongs into the cell below `sp`: the topmost operand. Where the operand stack is empty it equals that cell
    /// (the last local, or the caller's topmost operand), so writing it back is always right.
    pub(crate) top: u64,
    pub(crate) context: *mut Context,
}

macro_rules! handler_type {
    ($abi:literal) => {
        /// A handler of one instruction.
        pub(crate) type Handler =
            unsafe extern $abi fn(*const u8, *mut u64, *mut u64, *const Branch, u64, *mut Context);

        /// Executes one instruction and goes on to the next.
        ///
        /// # Safety
        /// The registers are those of a machine whose canonical state is at `pc`, an `O`.
        pub(crate) unsafe extern $abi fn handler<O: Execute, const STEP: bool>(
            pc: *const u8,
            sp: *mut u64,
            fp: *mut u64,
            side: *const Branch,
            top: u64,
            context: *mut Context,
        ) {
            // SAFETY: passed on from the caller.
            unsafe {
                match O::execute::<false>(Regs { pc, sp, fp, side, top, context }) {
                    Ok(regs) => go_on::<STEP>(regs),
                    Err(Stop::Leave(Regs { pc, sp, fp, side, top, context })) => {
                        save_and_return(pc, sp, fp, side, top, context);
                    }
                    Err(Stop::Long) => handler_long::<O, STEP>(pc, sp, fp, side, top, context),
                }
            }
        }

        /// Like [`handler`], for the rare forms of an instruction.
        #[cold]
        #[inline(never)]
        unsafe extern $abi fn handler_long<O: Execute, const STEP: bool>(
            pc: *const u8,
            sp: *mut u64,
            fp: *mut u64,
            side: *const Branch,
            top: u64,
            context: *mut Context,
        ) {
            // SAFETY: passed on from the caller.
            unsafe {
                match O::execute::<true>(Regs { pc, sp, fp, side, top, context }) {
                    Ok(regs) => go_on::<STEP>(regs),
                    Err(Stop::Leave(Regs { pc, sp, fp, side, top, context })) => {
                        save_and_return(pc, sp, fp, side, top, context);
                    }
                    Err(Stop::Long) => unreachable!("the long form is complete"),
                }
            }
        }

        /// Executes the instruction at `pc` as the module's bytes have it, where quick code has no form of its own.
        pub(crate) unsafe extern $abi fn plain(
            pc: *const u8,
            sp: *mut u64,
            fp: *mut u64,
            side: *const Branch,
            top: u64,
            context: *mut Context,
        ) {
            // SAFETY: `pc` is an instruction of the running function, at the same offset in the module.
            unsafe {
                let code = &*(*context).code;
                let opcode = *code.original.wrapping_offset(pc.offset_from(code.bias));
                ops::PLAIN_TABLE[usize::from(opcode)](pc, sp, fp, side, top, context);
            }
        }

        /// Ends the chain of handlers.
        #[cold]
        #[inline(never)]
        unsafe extern $abi fn save_and_return(
            pc: *const u8,
            sp: *mut u64,
            fp: *mut u64,
            side: *const Branch,
            top: u64,
            context: *mut Context,
        ) {
            // SAFETY: passed on from the caller.
            unsafe { save(Regs { pc, sp, fp, side, top, context }) }
        }
    };
}
// Six integer arguments in registers: what the C convention gives everywhere but on Windows' x86-64.
#[cfg(target_arch = "x86_64")]
handler_type!("sysv64");
#[cfg(not(target_arch = "x86_64"))]
handler_type!("C");

/// Goes on with the instruction at `pc`, or ends after a single step.
#[inline(always)]
unsafe fn go_on<const STEP: bool>(regs: Regs) {
    let Regs {
        pc,
        sp,
        fp,
        side,
        top,
        context,
    } = regs;
    // SAFETY: `pc` points to an opcode of validated code; the context is alive for the whole run.
    unsafe {
        if STEP {
            (*context).leave = Some(Leave::Stepped);
            save_and_return(pc, sp, fp, side, top, context);
        } else if cfg!(wdb_tail_calls) {
            quick::rows::RUN_TABLE[usize::from(*pc)](pc, sp, fp, side, top, context);
        } else {
            save(regs);
        }
    }
}

/// Executes `first` on the instruction that the context's registers point to, and what follows, until something leaves.
pub(crate) unsafe fn enter(context: *mut Context, first: Handler) -> Leave {
    // SAFETY: the driver has filled the context from a machine at an instruction that `first` handles; there is always
    // a cell below `sp`.
    unsafe {
        (*context).leave = None;
        let mut next = first;
        loop {
            let Context {
                pc, sp, fp, side, ..
            } = *context;
            next(pc, sp, fp, side, *sp.sub(1), context);
            if let Some(leave) = (*context).leave {
                return leave;
            }
            next = quick::rows::RUN_TABLE[usize::from(*(*context).pc)];
        }
    }
}

unsafe fn save(regs: Regs) {
    // SAFETY: the context is alive for the whole run.
    let context = unsafe { &mut *regs.context };
    context.pc = regs.pc;
    context.sp = regs.sp;
    context.fp = regs.fp;
    context.side = regs.side;
    // SAFETY: there is always a cell below `sp`, and `top` belongs there.
    unsafe { *regs.sp.sub(1) = regs.top };
}

/// Why an instruction does not simply go on to the next.
pub(crate) enum Stop {
    /// The driver takes over; the context says why.
    Leave(Regs),
    /// This is a rare form of the instruction (a long number, several results): execute it with `LONG` set.
    ///
    /// A call of a function in the midst of a handler would make it save registers on every execution, so what needs one
    /// is moved out into a handler of its own.
    Long,
}

/// Why an operation on numbers or memory gives no result.
pub(crate) enum Rare {
    /// It traps. Only the long form says so.
    Trap(TrapKind),
    /// See [`Stop::Long`].
    Long,
}

/// What executing an instruction gives: the registers to go on with.
pub(crate) type Flow = Result<Regs, Stop>;

/// Leaves for the driver.
#[inline(always)]
pub(crate) unsafe fn leave(regs: Regs, why: Leave) -> Flow {
    // SAFETY: the context is alive for the whole run.
    unsafe { (*regs.context).leave = Some(why) };
    Err(Stop::Leave(regs))
}

/// Leaves for a trap at the instruction at `pc`, or asks for the long form.
#[inline(always)]
pub(crate) unsafe fn give_up(regs: Regs, rare: Rare) -> Flow {
    match rare {
        // SAFETY: the handler passes its own registers.
        Rare::Trap(trap) => unsafe { leave(regs, Leave::Trap(trap)) },
        Rare::Long => Err(Stop::Long),
    }
}

/// Which instruction of the table a type stands for.
pub(crate) trait Instruction {
    /// The instruction.
    const OP: Op;
}

/// An instruction's semantics.
pub(crate) trait Execute {
    /// Executes it. With `LONG`, every form of it; otherwise a rare form may answer [`Stop::Long`] before it changes anything.
    ///
    /// # Safety
    /// The registers are those of a machine whose canonical state is at `pc`, which is this instruction.
    unsafe fn execute<const LONG: bool>(regs: Regs) -> Flow;
}

impl Regs {
    /// The cell `depth` below the top of the stack.
    #[inline(always)]
    pub(crate) unsafe fn peek(self, depth: usize) -> u64 {
        if depth == 0 {
            self.top
        } else {
            // SAFETY: validation guarantees that many operands.
            unsafe { *self.sp.sub(depth + 1) }
        }
    }

    /// Writes `top` into its cell, where the stack is used as a whole.
    #[inline(always)]
    pub(crate) unsafe fn spill(self) {
        // SAFETY: there is always a cell below `sp`, and `top` belongs there.
        unsafe { *self.sp.sub(1) = self.top };
    }

    /// Goes on after `pops` operands are gone and `value` is pushed, at `pc`.
    #[inline(always)]
    pub(crate) unsafe fn replace(self, pops: usize, value: u64, pc: *const u8) -> Flow {
        // SAFETY: validation guarantees the operands, and the frame's height was checked at its entry.
        unsafe {
            if pops == 0 {
                self.spill();
            }
            Ok(Regs {
                pc,
                sp: self.sp.sub(pops).add(1),
                top: value,
                ..self
            })
        }
    }

    /// Goes on after `pops` operands are gone, at least one, at `pc`.
    #[inline(always)]
    pub(crate) unsafe fn popped(self, pops: usize, pc: *const u8) -> Flow {
        // SAFETY: validation guarantees the operands, and there is always a cell below `sp`.
        unsafe {
            let sp = self.sp.sub(pops);
            Ok(Regs {
                pc,
                sp,
                top: *sp.sub(1),
                ..self
            })
        }
    }
}

/// Reads an unsigned number in LEB128; answers it and the address after it. Three bytes and more are a long form.
#[inline(always)]
pub(crate) unsafe fn read_u32<const LONG: bool>(at: *const u8) -> Result<(u32, *const u8), Stop> {
    // SAFETY: validated code holds a whole number here.
    unsafe {
        let first = *at;
        if first < 0x80 {
            return Ok((u32::from(first), at.add(1)));
        }
        let second = *at.add(1);
        if second < 0x80 {
            return Ok((u32::from(first & 0x7f) | u32::from(second) << 7, at.add(2)));
        }
        if LONG {
            Ok(read_u32_any(at))
        } else {
            Err(Stop::Long)
        }
    }
}

/// Reads an unsigned number in LEB128 of any length.
pub(crate) unsafe fn read_u32_any(mut at: *const u8) -> (u32, *const u8) {
    let mut value = 0u32;
    let mut shift = 0;
    loop {
        // SAFETY: validated code holds a whole number here.
        let byte = unsafe { *at };
        at = at.wrapping_add(1);
        value |= u32::from(byte & 0x7f).wrapping_shl(shift);
        shift += 7;
        if byte < 0x80 {
            return (value, at);
        }
    }
}

/// Reads an unsigned number of 64 bits in LEB128 of any length.
pub(crate) unsafe fn read_u64_any(mut at: *const u8) -> u64 {
    let mut value = 0u64;
    let mut shift = 0;
    loop {
        // SAFETY: validated code holds a whole number here.
        let byte = unsafe { *at };
        at = at.wrapping_add(1);
        value |= u64::from(byte & 0x7f).wrapping_shl(shift);
        shift += 7;
        if byte < 0x80 {
            return value;
        }
    }
}

/// Skips a value type or an index: what a block's type is.
#[inline(always)]
pub(crate) unsafe fn skip_type(at: *const u8) -> *const u8 {
    /// Before the heap type of a reference type: nullable, not nullable. No single-byte index looks like them.
    const REFERENCE: std::ops::RangeInclusive<u8> = 0x63..=0x64;
    // SAFETY: validated code holds a whole type here.
    unsafe {
        if REFERENCE.contains(&*at) {
            skip_leb(at.add(1))
        } else {
            skip_leb(at)
        }
    }
}

/// Skips a number in LEB128 of any length.
#[inline(always)]
pub(crate) unsafe fn skip_leb(mut at: *const u8) -> *const u8 {
    // SAFETY: validated code holds a whole number here.
    unsafe {
        while *at >= 0x80 {
            at = at.add(1);
        }
        at.add(1)
    }
}

/// Reads a signed number in LEB128.
#[inline(always)]
pub(crate) unsafe fn read_i64(at: *const u8) -> (i64, *const u8) {
    // SAFETY: validated code holds a whole number here.
    unsafe {
        let first = *at;
        if first < 0x80 {
            return (i64::from((first << 1) as i8 >> 1), at.add(1));
        }
        let mut value = i64::from(first & 0x7f);
        let mut shift = 7;
        let mut next = at.add(1);
        loop {
            let byte = *next;
            next = next.add(1);
            value |= i64::from(byte & 0x7f).wrapping_shl(shift);
            shift += 7;
            if byte < 0x80 {
                if shift < 64 && byte & 0x40 != 0 {
                    value |= -1i64 << shift;
                }
                return (value, next);
            }
        }
    }
}

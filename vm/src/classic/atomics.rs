//! The handler of atomic instructions.

use super::context::{Execute, Flow, Leave, Regs, give_up, leave, read_u32};
use super::memories::{address_of, memory_of};
use super::vectors::{read, write};
use crate::isa::{OPCODES_MAX, PREFIXED_FE};
use crate::numeric::atomics::{Atomic, atomic};
use crate::trap::TrapKind;

/// The instructions behind [`PREFIX_FE`](crate::isa::PREFIX_FE): goes on by the number after it.
pub(crate) struct PrefixFe;

/// What each of them does, by that number.
static ATOMICS: [Option<Atomic>; OPCODES_MAX] = {
    let mut table = [None; OPCODES_MAX];
    let mut code = 0;
    while code < OPCODES_MAX {
        if let Some(op) = PREFIXED_FE[code] {
            table[code] = atomic(op);
            assert!(table[code].is_some(), "an instruction without semantics");
        }
        code += 1;
    }
    table
};

/// What `memory.atomic.wait` answers when the value is another one.
const NOT_EQUAL: u64 = 1;
/// What it answers when the time is over.
const TIMED_OUT: u64 = 2;

impl Execute for PrefixFe {
    #[inline(always)]
    unsafe fn execute<const LONG: bool>(regs: Regs) -> Flow {
        // SAFETY: validated code has one of the table's numbers after the prefix, the operands and the immediates;
        // the address is checked.
        unsafe {
            let (code, at) = read_u32::<LONG>(regs.pc.add(1))?;
            let Some(atomic) = ATOMICS[code as usize % OPCODES_MAX] else {
                unreachable!("validated code holds no such opcode")
            };
            if let Atomic::Fence = atomic {
                let pc = at.add(1);
                return Ok(Regs { pc, ..regs });
            }
            let (size, above) = (atomic.size(), atomic.operands_above_address());
            let base = regs.peek(above);
            let (address, next) = match address_of::<LONG>(regs.context, base, at, u64::from(size))
            {
                Ok(found) => found,
                Err(rare) => return give_up(regs, rare),
            };
            // A memory begins at a multiple of every size.
            if !address.addr().is_multiple_of(usize::from(size)) {
                return leave(regs, Leave::Trap(TrapKind::UnalignedAtomic));
            }
            let pops = above + 1;
            let old = read(address, size);
            match atomic {
                Atomic::Fence => unreachable!("it accesses no memory"),
                Atomic::Notify => regs.replace(pops, 0, next),
                Atomic::Load(_) => regs.replace(pops, old, next),
                Atomic::Store(_) => {
                    write(address, size, regs.top);
                    regs.popped(pops, next)
                }
                Atomic::Modify(_, modify) => {
                    write(address, size, modify(old, regs.top));
                    regs.replace(pops, old, next)
                }
                Atomic::CompareExchange(_, operand_mask) => {
                    if old == regs.peek(1) & operand_mask {
                        write(address, size, regs.top);
                    }
                    regs.replace(pops, old, next)
                }
                Atomic::Wait(_) => {
                    if !memory_of(regs.context, at).is_shared() {
                        return leave(regs, Leave::Trap(TrapKind::ExpectedSharedMemory));
                    }
                    let expected = regs.peek(1);
                    let expected = if size == 4 {
                        u64::from(expected as u32)
                    } else {
                        expected
                    };
                    let timeout_ns = regs.top as i64;
                    if old != expected {
                        regs.replace(pops, NOT_EQUAL, next)
                    } else if timeout_ns < 0 {
                        leave(regs, Leave::Deadlock)
                    } else {
                        // Nobody can notify it, so that the time passes changes nothing but the clock outside.
                        regs.replace(pops, TIMED_OUT, next)
                    }
                }
            }
        }
    }
}

//! The handler of instructions on vectors, which take two cells.

use super::context::{Execute, Flow, Regs, give_up, read_u32};
use super::memories::address_of;
use crate::isa::{OPCODES_MAX, PREFIXED_FD};
use crate::numeric::vectors::{Vector, shuffle, vector};

/// The instructions behind [`PREFIX_FD`](crate::isa::PREFIX_FD): goes on by the number after it.
pub(crate) struct PrefixFd;

/// What each of them does, by that number.
static VECTORS: [Option<Vector>; OPCODES_MAX] = {
    let mut table = [None; OPCODES_MAX];
    let mut code = 0;
    while code < OPCODES_MAX {
        if let Some(op) = PREFIXED_FD[code] {
            table[code] = vector(op);
            assert!(table[code].is_some(), "an instruction without semantics");
        }
        code += 1;
    }
    table
};

impl Regs {
    /// The vector whose upper half is `depth` cells below the top of the stack.
    #[inline(always)]
    pub(crate) unsafe fn peek_vector(self, depth: usize) -> u128 {
        // SAFETY: validation guarantees the operand.
        unsafe { u128::from(self.peek(depth + 1)) | u128::from(self.peek(depth)) << 64 }
    }

    /// Goes on after `pops` cells are gone and a vector is pushed, at `pc`.
    #[inline(always)]
    pub(crate) unsafe fn replace_vector(self, pops: usize, value: u128, pc: *const u8) -> Flow {
        // SAFETY: validation guarantees the operands, and the frame's height was checked at its entry.
        unsafe {
            if pops == 0 {
                self.spill();
            }
            let base = self.sp.sub(pops);
            *base = value as u64;
            Ok(Regs {
                pc,
                sp: base.add(2),
                top: (value >> 64) as u64,
                ..self
            })
        }
    }
}

impl Execute for PrefixFd {
    #[inline(always)]
    unsafe fn execute<const LONG: bool>(regs: Regs) -> Flow {
        // SAFETY: validated code has one of the table's numbers after the prefix, the operands and the immediates.
        unsafe {
            let (code, at) = read_u32::<LONG>(regs.pc.add(1))?;
            let Some(vector) = &VECTORS[code as usize % OPCODES_MAX] else {
                unreachable!("validated code holds no such opcode")
            };
            match *vector {
                Vector::Unary(apply) => regs.replace_vector(2, apply(regs.peek_vector(0)), at),
                Vector::Binary(apply) => {
                    let result = apply(regs.peek_vector(2), regs.peek_vector(0));
                    regs.replace_vector(4, result, at)
                }
                Vector::Ternary(apply) => {
                    let (first, second) = (regs.peek_vector(4), regs.peek_vector(2));
                    regs.replace_vector(6, apply(first, second, regs.peek_vector(0)), at)
                }
                Vector::Shift(apply) => {
                    regs.replace_vector(3, apply(regs.peek_vector(1), regs.top as u32), at)
                }
                Vector::Test(apply) => regs.replace(2, u64::from(apply(regs.peek_vector(0))), at),
                Vector::Splat(apply) => regs.replace_vector(1, apply(regs.top), at),
                Vector::Extract(apply) => {
                    regs.replace(2, apply(regs.peek_vector(0), *at), at.add(1))
                }
                Vector::Replace(apply) => {
                    let result = apply(regs.peek_vector(1), *at, regs.top);
                    regs.replace_vector(3, result, at.add(1))
                }
                Vector::Const => regs.replace_vector(0, constant(at), at.add(16)),
                Vector::Shuffle => {
                    let result = shuffle(regs.peek_vector(2), regs.peek_vector(0), constant(at));
                    regs.replace_vector(4, result, at.add(16))
                }
                _ => access::<LONG>(regs, vector, at),
            }
        }
    }
}

/// The 16 bytes in the code.
#[inline(always)]
unsafe fn constant(at: *const u8) -> u128 {
    // SAFETY: validated code has them.
    unsafe { u128::from_le(at.cast::<u128>().read_unaligned()) }
}

/// Loads and stores, whose alignment, memory and offset are at `at`.
#[inline(always)]
unsafe fn access<const LONG: bool>(regs: Regs, vector: &Vector, at: *const u8) -> Flow {
    // SAFETY: validated code has the operands and immediates; the address is checked.
    unsafe {
        let (size, address_depth) = match *vector {
            Vector::Load(size, _) => (size, 0),
            Vector::LoadWhole => (16, 0),
            Vector::StoreWhole => (16, 2),
            Vector::LoadLane(size, _) | Vector::StoreLane(size, _) => (size, 2),
            _ => unreachable!("no access of memory"),
        };
        let base = regs.peek(address_depth);
        let (address, next) = match address_of::<LONG>(regs.context, base, at, u64::from(size)) {
            Ok(found) => found,
            Err(rare) => return give_up(regs, rare),
        };
        match *vector {
            Vector::Load(_, widen) => regs.replace_vector(1, widen(read(address, size)), next),
            Vector::LoadWhole => regs.replace_vector(1, constant(address), next),
            Vector::StoreWhole => {
                let value = regs.peek_vector(0).to_le();
                address.cast::<u128>().write_unaligned(value);
                regs.popped(3, next)
            }
            Vector::LoadLane(_, apply) => {
                let value = apply(regs.peek_vector(0), *next, read(address, size));
                regs.replace_vector(3, value, next.add(1))
            }
            Vector::StoreLane(_, apply) => {
                write(address, size, apply(regs.peek_vector(0), *next));
                regs.popped(3, next.add(1))
            }
            _ => unreachable!("no access of memory"),
        }
    }
}

/// Reads so many bytes, 1, 2, 4 or 8, from a valid address.
#[inline(always)]
pub(crate) unsafe fn read(address: *const u8, size: u8) -> u64 {
    // SAFETY: passed on from the caller.
    unsafe {
        match size {
            1 => u64::from(*address),
            2 => u64::from(u16::from_le(address.cast::<u16>().read_unaligned())),
            4 => u64::from(u32::from_le(address.cast::<u32>().read_unaligned())),
            _ => u64::from_le(address.cast::<u64>().read_unaligned()),
        }
    }
}

/// Writes the lowest so many bytes, 1, 2, 4 or 8, to a valid address.
#[inline(always)]
pub(crate) unsafe fn write(address: *mut u8, size: u8, value: u64) {
    // SAFETY: passed on from the caller.
    unsafe {
        match size {
            1 => *address = value as u8,
            2 => address
                .cast::<u16>()
                .write_unaligned((value as u16).to_le()),
            4 => address
                .cast::<u32>()
                .write_unaligned((value as u32).to_le()),
            _ => address.cast::<u64>().write_unaligned(value.to_le()),
        }
    }
}

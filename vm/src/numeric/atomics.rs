//! What atomic instructions do to the bytes that they access. There is one agent, so nothing can come in between.

use crate::isa::Op;

/// What an atomic instruction does. A size is in bytes: 1, 2, 4 or 8.
#[derive(Clone, Copy, Debug)]
pub enum Atomic {
    /// `memory.atomic.notify`: nobody waits.
    Notify,
    /// `memory.atomic.wait` for so many bytes.
    Wait(u8),
    /// `atomic.fence`.
    Fence,
    /// Pushes what is there.
    Load(u8),
    /// Puts a value there.
    Store(u8),
    /// Puts a function of what is there and a value there; pushes what was there. Only the lowest bytes of the result count.
    Modify(u8, fn(u64, u64) -> u64),
    /// Puts a value there if what is there equals another, of whose cell these bits count; pushes what was there.
    CompareExchange(u8, u64),
}

impl Atomic {
    /// The number of bytes that it accesses; 0 for none.
    #[must_use]
    pub const fn size(self) -> u8 {
        match self {
            Atomic::Fence => 0,
            Atomic::Notify => 4,
            Atomic::Wait(size)
            | Atomic::Load(size)
            | Atomic::Store(size)
            | Atomic::Modify(size, _)
            | Atomic::CompareExchange(size, _) => size,
        }
    }

    /// How many operands lie above the address.
    #[must_use]
    pub const fn operands_above_address(self) -> usize {
        match self {
            Atomic::Fence | Atomic::Load(_) => 0,
            Atomic::Notify | Atomic::Store(_) | Atomic::Modify(..) => 1,
            Atomic::Wait(_) | Atomic::CompareExchange(..) => 2,
        }
    }

    /// Whether it looks at memory.
    #[must_use]
    pub const fn reads(self) -> bool {
        matches!(
            self,
            Atomic::Wait(_) | Atomic::Load(_) | Atomic::Modify(..) | Atomic::CompareExchange(..)
        )
    }

    /// Whether it can change memory.
    #[must_use]
    pub const fn writes(self) -> bool {
        matches!(
            self,
            Atomic::Store(_) | Atomic::Modify(..) | Atomic::CompareExchange(..)
        )
    }
}

/// The bits of a cell that an `i32` has.
const MASK_32: u64 = u32::MAX as u64;

fn replace(_old: u64, new: u64) -> u64 {
    new
}

/// What an instruction does; `None` when it is not atomic.
#[must_use]
pub const fn atomic(op: Op) -> Option<Atomic> {
    Some(match op {
        Op::MemoryAtomicNotify => Atomic::Notify,
        Op::MemoryAtomicWait32 => Atomic::Wait(4),
        Op::MemoryAtomicWait64 => Atomic::Wait(8),
        Op::AtomicFence => Atomic::Fence,
        Op::I32AtomicLoad8U | Op::I64AtomicLoad8U => Atomic::Load(1),
        Op::I32AtomicLoad16U | Op::I64AtomicLoad16U => Atomic::Load(2),
        Op::I32AtomicLoad | Op::I64AtomicLoad32U => Atomic::Load(4),
        Op::I64AtomicLoad => Atomic::Load(8),
        Op::I32AtomicStore8 | Op::I64AtomicStore8 => Atomic::Store(1),
        Op::I32AtomicStore16 | Op::I64AtomicStore16 => Atomic::Store(2),
        Op::I32AtomicStore | Op::I64AtomicStore32 => Atomic::Store(4),
        Op::I64AtomicStore => Atomic::Store(8),
        Op::I32AtomicRmw8AddU | Op::I64AtomicRmw8AddU => Atomic::Modify(1, u64::wrapping_add),
        Op::I32AtomicRmw16AddU | Op::I64AtomicRmw16AddU => Atomic::Modify(2, u64::wrapping_add),
        Op::I32AtomicRmwAdd | Op::I64AtomicRmw32AddU => Atomic::Modify(4, u64::wrapping_add),
        Op::I64AtomicRmwAdd => Atomic::Modify(8, u64::wrapping_add),
        Op::I32AtomicRmw8SubU | Op::I64AtomicRmw8SubU => Atomic::Modify(1, u64::wrapping_sub),
        Op::I32AtomicRmw16SubU | Op::I64AtomicRmw16SubU => Atomic::Modify(2, u64::wrapping_sub),
        Op::I32AtomicRmwSub | Op::I64AtomicRmw32SubU => Atomic::Modify(4, u64::wrapping_sub),
        Op::I64AtomicRmwSub => Atomic::Modify(8, u64::wrapping_sub),
        Op::I32AtomicRmw8AndU | Op::I64AtomicRmw8AndU => {
            Atomic::Modify(1, |old, value| old & value)
        }
        Op::I32AtomicRmw16AndU | Op::I64AtomicRmw16AndU => {
            Atomic::Modify(2, |old, value| old & value)
        }
        Op::I32AtomicRmwAnd | Op::I64AtomicRmw32AndU => Atomic::Modify(4, |old, value| old & value),
        Op::I64AtomicRmwAnd => Atomic::Modify(8, |old, value| old & value),
        Op::I32AtomicRmw8OrU | Op::I64AtomicRmw8OrU => Atomic::Modify(1, |old, value| old | value),
        Op::I32AtomicRmw16OrU | Op::I64AtomicRmw16OrU => {
            Atomic::Modify(2, |old, value| old | value)
        }
        Op::I32AtomicRmwOr | Op::I64AtomicRmw32OrU => Atomic::Modify(4, |old, value| old | value),
        Op::I64AtomicRmwOr => Atomic::Modify(8, |old, value| old | value),
        Op::I32AtomicRmw8XorU | Op::I64AtomicRmw8XorU => {
            Atomic::Modify(1, |old, value| old ^ value)
        }
        Op::I32AtomicRmw16XorU | Op::I64AtomicRmw16XorU => {
            Atomic::Modify(2, |old, value| old ^ value)
        }
        Op::I32AtomicRmwXor | Op::I64AtomicRmw32XorU => Atomic::Modify(4, |old, value| old ^ value),
        Op::I64AtomicRmwXor => Atomic::Modify(8, |old, value| old ^ value),
        Op::I32AtomicRmw8XchgU | Op::I64AtomicRmw8XchgU => Atomic::Modify(1, replace),
        Op::I32AtomicRmw16XchgU | Op::I64AtomicRmw16XchgU => Atomic::Modify(2, replace),
        Op::I32AtomicRmwXchg | Op::I64AtomicRmw32XchgU => Atomic::Modify(4, replace),
        Op::I64AtomicRmwXchg => Atomic::Modify(8, replace),
        Op::I32AtomicRmw8CmpxchgU => Atomic::CompareExchange(1, MASK_32),
        Op::I64AtomicRmw8CmpxchgU => Atomic::CompareExchange(1, u64::MAX),
        Op::I32AtomicRmw16CmpxchgU => Atomic::CompareExchange(2, MASK_32),
        Op::I64AtomicRmw16CmpxchgU => Atomic::CompareExchange(2, u64::MAX),
        Op::I32AtomicRmwCmpxchg => Atomic::CompareExchange(4, MASK_32),
        Op::I64AtomicRmw32CmpxchgU => Atomic::CompareExchange(4, u64::MAX),
        Op::I64AtomicRmwCmpxchg => Atomic::CompareExchange(8, u64::MAX),
        _ => return None,
    })
}

//! Accesses of memory 0 where its addresses have 32 bits.

use std::marker::PhantomData;

use crate::classic::memories::{MemoryLoad, MemoryStore};
use crate::fast::context::{Flow, Int, Never, Perform, Register, Regs, Source, bail, give};

/// The place of an access of `size` bytes; `None` when it is outside.
#[inline(always)]
unsafe fn place(regs: &Regs, base: u64, size: usize) -> Option<*mut u8> {
    // SAFETY: the context is alive for the whole run; the place is checked.
    unsafe {
        let address = u64::from(base as u32) + u64::from(regs.high());
        let end = (*regs.context).shared.memory_ends[size.trailing_zeros() as usize];
        (address < end).then(|| regs.memory.add(address as usize))
    }
}

/// A load; the upper half of the second word is the offset.
pub(in crate::fast) struct Load<O, Out, A, const KEEP: bool>(PhantomData<(O, Out, A)>);

impl<O: MemoryLoad, Out: Register, A: Source, const KEEP: bool> Perform for Load<O, Out, A, KEEP> {
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(mut regs: Regs) -> Flow {
        // SAFETY: passed on from the caller; the place is checked.
        unsafe {
            match place(&regs, A::read::<Int>(&regs), O::SIZE) {
                Some(place) => {
                    give::<Out, KEEP>(&mut regs, O::read(place));
                    regs.next(2)
                }
                None => bail(regs),
            }
        }
    }
}

/// A store; the upper half of the second word is the offset.
pub(in crate::fast) struct Store<O, In, A, V>(PhantomData<(O, In, A, V)>);

impl<O: MemoryStore, In: Register, A: Source, V: Source> Perform for Store<O, In, A, V> {
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller; the place is checked.
        unsafe {
            match place(&regs, A::read::<Int>(&regs), O::SIZE) {
                Some(place) => {
                    O::write(place, V::read::<In>(&regs));
                    regs.next(2 + V::WORDS)
                }
                None => bail(regs),
            }
        }
    }
}

//! Accesses of memory 0 where its addresses have 32 bits.

use std::marker::PhantomData;

use crate::classic::memories::{MemoryLoad, MemoryStore};
use crate::fast::context::{Flow, Int, Never, Perform, Register, Regs, Source, bail, give};
use crate::watch::{GRANULE_BITS, GRANULES};

/// The place of an access of `size` bytes; `None` when it is outside.
#[inline(always)]
pub(in crate::fast) unsafe fn place_at(regs: &Regs, address: u64, size: usize) -> Option<*mut u8> {
    // SAFETY: the context is alive for the whole run; the place is checked.
    unsafe {
        let end = (*regs.context).shared.memory_ends[size.trailing_zeros() as usize];
        (address < end).then(|| regs.memory.add(address as usize))
    }
}

/// The place of an access at a base and the offset in the upper half of the second word.
#[inline(always)]
unsafe fn place(regs: &Regs, base: u64, size: usize) -> Option<*mut u8> {
    // SAFETY: passed on from the caller.
    unsafe { place_at(regs, u64::from(base as u32) + u64::from(regs.high()), size) }
}

/// Whether a watch may lie where an access of `size` bytes goes. Nearly all accesses that touch none are told apart.
#[inline(always)]
unsafe fn is_near_watch(regs: &Regs, place: *mut u8, size: usize) -> bool {
    // SAFETY: a run of code that asks has the table of granules.
    unsafe {
        let address = place.addr() - regs.memory.addr();
        let granules = (*regs.context).granules;
        let is_near = |address: usize| *granules.add((address >> GRANULE_BITS) % GRANULES);
        is_near(address) || is_near(address + size - 1)
    }
}

/// A load; the upper half of the second word is the offset. If `WATCHED`, the classic tier executes it where a watch may lie.
pub(in crate::fast) struct Load<O, Out, A, const KEEP: bool, const WATCHED: bool>(
    PhantomData<(O, Out, A)>,
);

impl<O, Out, A, const KEEP: bool, const WATCHED: bool> Perform for Load<O, Out, A, KEEP, WATCHED>
where
    O: MemoryLoad,
    Out: Register,
    A: Source,
{
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(mut regs: Regs) -> Flow {
        // SAFETY: passed on from the caller; the place is checked.
        unsafe {
            match place(&regs, A::read::<Int>(&regs), O::SIZE) {
                Some(place) if WATCHED && is_near_watch(&regs, place, O::SIZE) => bail(regs),
                Some(place) => {
                    give::<Out, KEEP>(&mut regs, O::read(place));
                    regs.next(2)
                }
                None => bail(regs),
            }
        }
    }
}

/// A store; the upper half of the second word is the offset. If `WATCHED`, the classic tier executes it where a watch may lie.
pub(in crate::fast) struct Store<O, In, A, V, const WATCHED: bool>(PhantomData<(O, In, A, V)>);

impl<O, In, A, V, const WATCHED: bool> Perform for Store<O, In, A, V, WATCHED>
where
    O: MemoryStore,
    In: Register,
    A: Source,
    V: Source,
{
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller; the place is checked.
        unsafe {
            match place(&regs, A::read::<Int>(&regs), O::SIZE) {
                Some(place) if WATCHED && is_near_watch(&regs, place, O::SIZE) => bail(regs),
                Some(place) => {
                    O::write(place, V::read::<In>(&regs));
                    regs.next(2 + V::WORDS)
                }
                None => bail(regs),
            }
        }
    }
}

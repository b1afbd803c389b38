//! Branches, and what surrounds them.

use std::marker::PhantomData;

use crate::classic::context::{Execute, Leave, Regs as ClassicRegs, Stop as ClassicStop};
use crate::classic::objects::cast_fits;
use crate::fast::context::{Flow, Int, Never, Perform, Regs, Source, Stop, bail, give, leave};

/// Counts a tick at `ip`, where control has just arrived.
#[inline(always)]
unsafe fn tick(regs: Regs) -> Flow {
    // SAFETY: the context is alive for the whole run.
    unsafe {
        let budget = &mut (*regs.context).shared.budget;
        *budget -= 1;
        if *budget == 0 {
            leave(regs, Leave::Budget)
        } else {
            Ok(regs)
        }
    }
}

/// Goes to the target, whose distance from the instruction in bytes is in the upper half of the second word.
#[inline(always)]
pub(in crate::fast) unsafe fn branch<const BACK: bool>(regs: Regs) -> Flow {
    // SAFETY: targets are instructions of the same function.
    unsafe {
        let ip = regs.ip.byte_offset(regs.high() as i32 as isize);
        let regs = Regs { ip, ..regs };
        if BACK { tick(regs) } else { Ok(regs) }
    }
}

/// An unconditional branch.
pub(in crate::fast) struct Branch<const BACK: bool>;

impl<const BACK: bool> Perform for Branch<BACK> {
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe { branch::<BACK>(regs) }
    }
}

/// A branch that is taken when an `i32` is zero or not, as `IF` says.
pub(in crate::fast) struct BranchIf<A, const IF: bool, const BACK: bool>(PhantomData<A>);

impl<A: Source, const IF: bool, const BACK: bool> Perform for BranchIf<A, IF, BACK> {
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe {
            if (A::read::<Int>(&regs) as u32 != 0) == IF {
                branch::<BACK>(regs)
            } else {
                regs.next(2)
            }
        }
    }
}

/// A branch that is taken when a reference is null or not, as `IF_NULL` says.
pub(in crate::fast) struct BranchNull<A, const IF_NULL: bool, const BACK: bool>(PhantomData<A>);

impl<A: Source, const IF_NULL: bool, const BACK: bool> Perform for BranchNull<A, IF_NULL, BACK> {
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe {
            if (A::read::<Int>(&regs) == 0) == IF_NULL {
                branch::<BACK>(regs)
            } else {
                regs.next(2)
            }
        }
    }
}

/// A branch to one of the targets that follow, whose number is in the upper half of the second word, the default last.
pub(in crate::fast) struct BranchTable<A>(PhantomData<A>);

impl<A: Source> Perform for BranchTable<A> {
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller; there are so many distances, in bytes from the instruction.
        unsafe {
            let index = (A::read::<Int>(&regs) as u32).min(regs.high() - 1);
            let distance = *regs.ip.add(2).cast::<i32>().add(index as usize);
            let ip = regs.ip.byte_offset(distance as isize);
            Ok(Regs { ip, ..regs })
        }
    }
}

/// The arrival at a loop's body from above.
pub(in crate::fast) struct Tick;

impl Perform for Tick {
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe {
            tick(Regs {
                ip: regs.ip.add(2),
                ..regs
            })
        }
    }
}

/// Stops before the instruction that follows.
pub(in crate::fast) struct Probe;

impl Perform for Probe {
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: the handler passes its own registers.
        unsafe { leave(regs, Leave::Probe) }
    }
}

/// What only the classic tier executes: what always traps or throws.
pub(in crate::fast) struct Bail;

impl Perform for Bail {
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: the handler passes its own registers.
        unsafe { bail(regs) }
    }
}

/// Traps, in the classic tier, on a null reference.
pub(in crate::fast) struct CheckNull<A>(PhantomData<A>);

impl<A: Source> Perform for CheckNull<A> {
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: the handler passes its own registers.
        unsafe {
            if A::read::<Int>(&regs) == 0 {
                bail(regs)
            } else {
                regs.next(2)
            }
        }
    }
}

/// Whether a reference has the type that the branch asks for whose address in the module is the third word.
pub(in crate::fast) struct CastFits;

impl Perform for CastFits {
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(mut regs: Regs) -> Flow {
        // SAFETY: the third word is the address of such a branch in the running instance's module.
        unsafe {
            let context = &raw const (*regs.context).shared;
            let fits = cast_fits(context, regs.word(2) as *const u8, *regs.cell(0));
            give::<Int, false>(&mut regs, u64::from(fits));
            regs.next(3)
        }
    }
}

/// An instruction that the classic tier's semantics execute on operands in their cells: the third word is its address in the
/// module; the upper half of the second, how many cells the frame has in use.
pub(in crate::fast) struct Shared<E>(PhantomData<E>);

impl<E: Execute> Perform for Shared<E> {
    type Rare = RareShared<E>;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe { shared::<E, false>(regs) }
    }
}

/// Its rare form.
pub(in crate::fast) struct RareShared<E>(PhantomData<E>);

impl<E: Execute> Perform for RareShared<E> {
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe { shared::<E, true>(regs) }
    }
}

#[inline(always)]
unsafe fn shared<E: Execute, const LONG: bool>(regs: Regs) -> Flow {
    // SAFETY: the operands lie in their canonical cells, and there is always a cell below `sp`.
    unsafe {
        let context = &raw mut (*regs.context).shared;
        let sp = regs.fp.add(regs.high() as usize);
        let classic = ClassicRegs {
            pc: regs.word(2) as *const u8,
            sp,
            fp: regs.fp,
            side: std::ptr::null(),
            top: *sp.sub(1),
            context,
        };
        match E::execute::<LONG>(classic) {
            Ok(after) => {
                after.spill();
                Regs {
                    memory: (*context).memory,
                    ..regs
                }
                .next(3)
            }
            Err(ClassicStop::Leave(_)) => Err(Stop::Leave(regs)),
            Err(ClassicStop::Long) => Err(Stop::Rare(regs)),
        }
    }
}

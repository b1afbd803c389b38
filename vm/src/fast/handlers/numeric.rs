//! Numeric instructions, and branches on their results.

use std::marker::PhantomData;

use crate::classic::numbers::{Binary, Unary};
use crate::fast::context::{Flow, Never, Perform, Register, Regs, Source, Stop, bail, give};
use crate::fast::handlers::control::branch;

/// A numeric instruction with one operand.
pub(in crate::fast) struct One<O, In, Out, A, const KEEP: bool>(PhantomData<(O, In, Out, A)>);

/// Its rare case: a result that is a NaN, or a trap.
pub(in crate::fast) struct RareOne<O, In, Out, A, const KEEP: bool>(PhantomData<(O, In, Out, A)>);

#[inline(always)]
unsafe fn one<O, In, Out, A, const KEEP: bool, const LONG: bool>(mut regs: Regs) -> Flow
where
    O: Unary,
    In: Register,
    Out: Register,
    A: Source,
{
    // SAFETY: passed on from the caller.
    unsafe {
        match O::apply::<LONG>(A::read::<In>(&regs)) {
            Ok(cell) => {
                give::<Out, KEEP>(&mut regs, cell);
                regs.next(2)
            }
            Err(_) if LONG => bail(regs),
            Err(_) => Err(Stop::Rare(regs)),
        }
    }
}

impl<O: Unary, In: Register, Out: Register, A: Source, const KEEP: bool> Perform
    for One<O, In, Out, A, KEEP>
{
    type Rare = RareOne<O, In, Out, A, KEEP>;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe { one::<O, In, Out, A, KEEP, false>(regs) }
    }
}

impl<O: Unary, In: Register, Out: Register, A: Source, const KEEP: bool> Perform
    for RareOne<O, In, Out, A, KEEP>
{
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe { one::<O, In, Out, A, KEEP, true>(regs) }
    }
}

/// A numeric instruction with two operands.
pub(in crate::fast) struct Two<O, In, Out, L, R, const KEEP: bool>(PhantomData<(O, In, Out, L, R)>);

/// Its rare case: a result that is a NaN, or a trap.
pub(in crate::fast) struct RareTwo<O, In, Out, L, R, const KEEP: bool>(
    PhantomData<(O, In, Out, L, R)>,
);

#[inline(always)]
unsafe fn two<O, In, Out, L, R, const KEEP: bool, const LONG: bool>(mut regs: Regs) -> Flow
where
    O: Binary,
    In: Register,
    Out: Register,
    L: Source,
    R: Source,
{
    // SAFETY: passed on from the caller.
    unsafe {
        match O::apply::<LONG>(L::read::<In>(&regs), R::read::<In>(&regs)) {
            Ok(cell) => {
                give::<Out, KEEP>(&mut regs, cell);
                regs.next(2 + L::WORDS + R::WORDS)
            }
            Err(_) if LONG => bail(regs),
            Err(_) => Err(Stop::Rare(regs)),
        }
    }
}

impl<O, In, Out, L, R, const KEEP: bool> Perform for Two<O, In, Out, L, R, KEEP>
where
    O: Binary,
    In: Register,
    Out: Register,
    L: Source,
    R: Source,
{
    type Rare = RareTwo<O, In, Out, L, R, KEEP>;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe { two::<O, In, Out, L, R, KEEP, false>(regs) }
    }
}

impl<O, In, Out, L, R, const KEEP: bool> Perform for RareTwo<O, In, Out, L, R, KEEP>
where
    O: Binary,
    In: Register,
    Out: Register,
    L: Source,
    R: Source,
{
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe { two::<O, In, Out, L, R, KEEP, true>(regs) }
    }
}

/// A branch that is taken when the result of an instruction with two operands is zero or not, as `IF` says.
pub(in crate::fast) struct BranchTwo<O, In, L, R, const IF: bool, const BACK: bool>(
    PhantomData<(O, In, L, R)>,
);

impl<O, In, L, R, const IF: bool, const BACK: bool> Perform for BranchTwo<O, In, L, R, IF, BACK>
where
    O: Binary,
    In: Register,
    L: Source,
    R: Source,
{
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller; the instruction always gives a result.
        unsafe {
            let Ok(cell) = O::apply::<true>(L::read::<In>(&regs), R::read::<In>(&regs)) else {
                return bail(regs);
            };
            if (cell as u32 != 0) == IF {
                branch::<BACK>(regs)
            } else {
                regs.next(2 + L::WORDS + R::WORDS)
            }
        }
    }
}

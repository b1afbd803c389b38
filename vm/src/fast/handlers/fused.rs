//! Several instructions of the module in one of register code. They trap as a whole, before the first of them.

use std::marker::PhantomData;

use crate::classic::memories::{MemoryLoad, MemoryStore};
use crate::classic::numbers::Binary;
use crate::classic::ops;
use crate::fast::context::{
    Double, Flow, Int, Never, Perform, Register, Regs, Source, Stop, bail, give,
};
use crate::fast::handlers::control::branch;
use crate::fast::handlers::memory::place_at;

/// The `i32.add` of two operands.
#[inline(always)]
unsafe fn sum<A: Source, B: Source>(regs: &Regs) -> u64 {
    // SAFETY: passed on from the caller.
    unsafe { u64::from((A::read::<Int>(regs) as u32).wrapping_add(B::read::<Int>(regs) as u32)) }
}

/// A load from the sum of two operands; field 3 is the offset.
pub(in crate::fast) struct LoadSum<O, Out, A, B, const KEEP: bool>(PhantomData<(O, Out, A, B)>);

impl<O, Out, A, B, const KEEP: bool> Perform for LoadSum<O, Out, A, B, KEEP>
where
    O: MemoryLoad,
    Out: Register,
    A: Source,
    B: Source,
{
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(mut regs: Regs) -> Flow {
        // SAFETY: passed on from the caller; the place is checked.
        unsafe {
            let address = sum::<A, B>(&regs) + regs.half(3) as u64;
            match place_at(&regs, address, O::SIZE) {
                Some(place) => {
                    give::<Out, KEEP>(&mut regs, O::read(place));
                    regs.next(2)
                }
                None => bail(regs),
            }
        }
    }
}

/// A store to the sum of two operands; field 3 is the offset.
pub(in crate::fast) struct StoreSum<O, In, A, B, V>(PhantomData<(O, In, A, B, V)>);

impl<O, In, A, B, V> Perform for StoreSum<O, In, A, B, V>
where
    O: MemoryStore,
    In: Register,
    A: Source,
    B: Source,
    V: Source,
{
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller; the place is checked.
        unsafe {
            let address = sum::<A, B>(&regs) + regs.half(3) as u64;
            match place_at(&regs, address, O::SIZE) {
                Some(place) => {
                    O::write(place, V::read::<In>(&regs));
                    regs.next(2 + V::WORDS)
                }
                None => bail(regs),
            }
        }
    }
}

/// Adds to the `i32` in cell 0, puts the sum into cell 1, and goes back to a loop's body if a comparison with it holds. What is added
/// is the lower half of the third word, or the cell that it names; what the sum is compared with is the upper half, or its cell.
pub(in crate::fast) struct AddBranch<O, const ADDS_CONSTANT: bool, const TO_CONSTANT: bool>(
    PhantomData<O>,
);

impl<O, const ADDS_CONSTANT: bool, const TO_CONSTANT: bool> Perform
    for AddBranch<O, ADDS_CONSTANT, TO_CONSTANT>
where
    O: Binary,
{
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(mut regs: Regs) -> Flow {
        // SAFETY: passed on from the caller; such an instruction has a third word.
        unsafe {
            let halves = regs.ip.add(2).cast::<u32>();
            let operand = |half: u32, is_constant: bool| {
                if is_constant {
                    u64::from(half)
                } else {
                    *regs.fp.add(half as usize)
                }
            };
            let added = operand(*halves, ADDS_CONSTANT);
            let sum = (*regs.cell(0) as u32).wrapping_add(added as u32);
            let other = operand(*halves.add(1), TO_CONSTANT);
            give::<Int, true>(&mut regs, u64::from(sum));
            match O::apply::<true>(u64::from(sum), other) {
                Ok(0) => regs.next(3),
                Ok(_) => branch::<true>(regs),
                Err(_) => bail(regs),
            }
        }
    }
}

/// An arithmetic instruction on the `f64` `L` and one that is loaded from the address in cell 0; field 3 is the offset.
pub(in crate::fast) struct WithLoaded<O, L, const KEEP: bool>(PhantomData<(O, L)>);

/// Its rare case: a result that is a NaN.
pub(in crate::fast) struct RareWithLoaded<O, L, const KEEP: bool>(PhantomData<(O, L)>);

#[inline(always)]
unsafe fn with_loaded<O, L, const KEEP: bool, const LONG: bool>(mut regs: Regs) -> Flow
where
    O: Binary,
    L: Source,
{
    // SAFETY: passed on from the caller; the place is checked.
    unsafe {
        let address = u64::from(*regs.cell(0) as u32) + regs.half(3) as u64;
        let Some(place) = place_at(&regs, address, <ops::F64Load as MemoryLoad>::SIZE) else {
            return bail(regs);
        };
        let loaded = <ops::F64Load as MemoryLoad>::read(place);
        match O::apply::<LONG>(L::read::<Double>(&regs), loaded) {
            Ok(cell) => {
                give::<Double, KEEP>(&mut regs, cell);
                regs.next(2)
            }
            Err(_) if LONG => bail(regs),
            Err(_) => Err(Stop::Rare(regs)),
        }
    }
}

impl<O: Binary, L: Source, const KEEP: bool> Perform for WithLoaded<O, L, KEEP> {
    type Rare = RareWithLoaded<O, L, KEEP>;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe { with_loaded::<O, L, KEEP, false>(regs) }
    }
}

impl<O: Binary, L: Source, const KEEP: bool> Perform for RareWithLoaded<O, L, KEEP> {
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe { with_loaded::<O, L, KEEP, true>(regs) }
    }
}

/// The product of `A` and cell 2, and then `O` on it and cell 3; the product is on the left if `IS_LEFT`.
pub(in crate::fast) struct Multiplied<O, A, const IS_LEFT: bool, const KEEP: bool>(
    PhantomData<(O, A)>,
);

/// Its rare case: a result that is a NaN.
pub(in crate::fast) struct RareMultiplied<O, A, const IS_LEFT: bool, const KEEP: bool>(
    PhantomData<(O, A)>,
);

#[inline(always)]
unsafe fn multiplied<O, A, const IS_LEFT: bool, const KEEP: bool, const LONG: bool>(
    mut regs: Regs,
) -> Flow
where
    O: Binary,
    A: Source,
{
    // SAFETY: passed on from the caller; translated code names cells of the frame.
    unsafe {
        let left = f64::from_bits(A::read::<Double>(&regs));
        // A product that is a NaN makes the result one, which is then the canonical one.
        let product = (left * f64::from_bits(*regs.cell(2))).to_bits();
        let other = *regs.cell(3);
        let result = if IS_LEFT {
            O::apply::<LONG>(product, other)
        } else {
            O::apply::<LONG>(other, product)
        };
        match result {
            Ok(cell) => {
                give::<Double, KEEP>(&mut regs, cell);
                regs.next(2)
            }
            Err(_) if LONG => bail(regs),
            Err(_) => Err(Stop::Rare(regs)),
        }
    }
}

impl<O: Binary, A: Source, const IS_LEFT: bool, const KEEP: bool> Perform
    for Multiplied<O, A, IS_LEFT, KEEP>
{
    type Rare = RareMultiplied<O, A, IS_LEFT, KEEP>;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe { multiplied::<O, A, IS_LEFT, KEEP, false>(regs) }
    }
}

impl<O: Binary, A: Source, const IS_LEFT: bool, const KEEP: bool> Perform
    for RareMultiplied<O, A, IS_LEFT, KEEP>
{
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe { multiplied::<O, A, IS_LEFT, KEEP, true>(regs) }
    }
}

//! Several instructions of the module in one of register code. They trap as a whole, before the first of them.

use std::marker::PhantomData;

use crate::classic::memories::{MemoryLoad, MemoryStore};
use crate::classic::numbers::Binary;
use crate::fast::context::{
    Double, Flow, Int, Never, Perform, Register, Regs, Single, Source, Stop, bail, give,
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

/// An arithmetic instruction on the float `L` and one that `F` loads from the address in cell 0; field 3 is the offset.
pub(in crate::fast) struct WithLoaded<O, F, R, L, const KEEP: bool>(PhantomData<(O, F, R, L)>);

/// Its rare case: a result that is a NaN.
pub(in crate::fast) struct RareWithLoaded<O, F, R, L, const KEEP: bool>(PhantomData<(O, F, R, L)>);

#[inline(always)]
unsafe fn with_loaded<O, F, R, L, const KEEP: bool, const LONG: bool>(mut regs: Regs) -> Flow
where
    O: Binary,
    F: MemoryLoad,
    R: Register,
    L: Source,
{
    // SAFETY: passed on from the caller; the place is checked.
    unsafe {
        let address = u64::from(*regs.cell(0) as u32) + regs.half(3) as u64;
        let Some(place) = place_at(&regs, address, F::SIZE) else {
            return bail(regs);
        };
        let loaded = F::read(place);
        match O::apply::<LONG>(L::read::<R>(&regs), loaded) {
            Ok(cell) => {
                give::<R, KEEP>(&mut regs, cell);
                regs.next(2)
            }
            Err(_) if LONG => bail(regs),
            Err(_) => Err(Stop::Rare(regs)),
        }
    }
}

impl<O, F, R, L, const KEEP: bool> Perform for WithLoaded<O, F, R, L, KEEP>
where
    O: Binary,
    F: MemoryLoad,
    R: Register,
    L: Source,
{
    type Rare = RareWithLoaded<O, F, R, L, KEEP>;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe { with_loaded::<O, F, R, L, KEEP, false>(regs) }
    }
}

impl<O, F, R, L, const KEEP: bool> Perform for RareWithLoaded<O, F, R, L, KEEP>
where
    O: Binary,
    F: MemoryLoad,
    R: Register,
    L: Source,
{
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe { with_loaded::<O, F, R, L, KEEP, true>(regs) }
    }
}

/// The registers of floats.
pub(in crate::fast) trait Float: Register {
    /// The product of two cells, whose NaNs are not the canonical ones.
    fn product(left: u64, right: u64) -> u64;
}

impl Float for Double {
    #[inline(always)]
    fn product(left: u64, right: u64) -> u64 {
        (f64::from_bits(left) * f64::from_bits(right)).to_bits()
    }
}

impl Float for Single {
    #[inline(always)]
    fn product(left: u64, right: u64) -> u64 {
        u64::from((f32::from_bits(left as u32) * f32::from_bits(right as u32)).to_bits())
    }
}

/// The product of `A` and cell 2, and then `O` on it and cell 3; the product is on the left if `IS_LEFT`.
pub(in crate::fast) struct Multiplied<O, R, A, const IS_LEFT: bool, const KEEP: bool>(
    PhantomData<(O, R, A)>,
);

/// Its rare case: a result that is a NaN.
pub(in crate::fast) struct RareMultiplied<O, R, A, const IS_LEFT: bool, const KEEP: bool>(
    PhantomData<(O, R, A)>,
);

#[inline(always)]
unsafe fn multiplied<O, R, A, const IS_LEFT: bool, const KEEP: bool, const LONG: bool>(
    mut regs: Regs,
) -> Flow
where
    O: Binary,
    R: Float,
    A: Source,
{
    // SAFETY: passed on from the caller; translated code names cells of the frame.
    unsafe {
        // A product that is a NaN makes the result one, which is then the canonical one.
        let product = R::product(A::read::<R>(&regs), *regs.cell(2));
        let other = *regs.cell(3);
        let result = if IS_LEFT {
            O::apply::<LONG>(product, other)
        } else {
            O::apply::<LONG>(other, product)
        };
        match result {
            Ok(cell) => {
                give::<R, KEEP>(&mut regs, cell);
                regs.next(2)
            }
            Err(_) if LONG => bail(regs),
            Err(_) => Err(Stop::Rare(regs)),
        }
    }
}

impl<O, R, A, const IS_LEFT: bool, const KEEP: bool> Perform for Multiplied<O, R, A, IS_LEFT, KEEP>
where
    O: Binary,
    R: Float,
    A: Source,
{
    type Rare = RareMultiplied<O, R, A, IS_LEFT, KEEP>;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe { multiplied::<O, R, A, IS_LEFT, KEEP, false>(regs) }
    }
}

impl<O, R, A, const IS_LEFT: bool, const KEEP: bool> Perform
    for RareMultiplied<O, R, A, IS_LEFT, KEEP>
where
    O: Binary,
    R: Float,
    A: Source,
{
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe { multiplied::<O, R, A, IS_LEFT, KEEP, true>(regs) }
    }
}

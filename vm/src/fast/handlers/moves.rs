//! What moves values: copies, constants, globals, selections.

use std::marker::PhantomData;

use crate::fast::context::{Flow, Int, Never, Perform, Register, Regs, Source, give};

macro_rules! perform {
    ([$($param:ident: $bound:ident),* $(; $keep:ident)?] $ty:ty, $regs:ident, $body:block) => {
        impl<$($param: $bound,)* $(const $keep: bool)?> Perform for $ty {
            type Rare = Never;

            #[inline(always)]
            unsafe fn perform($regs: Regs) -> Flow {
                // SAFETY: passed on from the caller; translated code names cells of the frame, and globals of the store.
                unsafe { $body }
            }
        }
    };
}

/// Copies cell 0 to cell 1. The registers stay.
pub(in crate::fast) struct Copy;
perform!([] Copy, regs, {
    *regs.cell(1) = *regs.cell(0);
    regs.next(2)
});

/// Copies cell 0 to cell 1, then cell 2 to cell 3.
pub(in crate::fast) struct CopyTwo;
perform!([] CopyTwo, regs, {
    *regs.cell(1) = *regs.cell(0);
    *regs.cell(3) = *regs.cell(2);
    regs.next(2)
});

/// Copies the vector in cell 0 to cell 1.
pub(in crate::fast) struct CopyVector;
perform!([] CopyVector, regs, {
    let vector = *regs.cell(0).cast::<[u64; 2]>();
    *regs.cell(1).cast::<[u64; 2]>() = vector;
    regs.next(2)
});

/// Puts the third word into cell 1. The registers stay.
pub(in crate::fast) struct Constant;
perform!([] Constant, regs, {
    *regs.cell(1) = regs.word(2);
    regs.next(3)
});

/// Puts a register into cell 1.
pub(in crate::fast) struct Keep<R>(PhantomData<R>);
perform!([R: Register] Keep<R>, regs, {
    *regs.cell(1) = R::get(&regs);
    regs.next(2)
});

/// Reads a global's cell, which is the upper half of the second word.
pub(in crate::fast) struct GlobalGet<Out, const KEEP: bool>(PhantomData<Out>);
perform!([Out: Register; KEEP] GlobalGet<Out, KEEP>, regs, {
    let mut regs = regs;
    let cell = *(*regs.context).shared.globals.add(regs.high() as usize);
    give::<Out, KEEP>(&mut regs, cell);
    regs.next(2)
});

/// Writes a global's cell.
pub(in crate::fast) struct GlobalSet<In, A>(PhantomData<(In, A)>);
perform!([In: Register, A: Source] GlobalSet<In, A>, regs, {
    *(*regs.context).shared.globals.add(regs.high() as usize) = A::read::<In>(&regs);
    regs.next(2 + A::WORDS)
});

/// Reads the two cells of a global vector into cell 1.
pub(in crate::fast) struct GlobalGetVector;
perform!([] GlobalGetVector, regs, {
    let global = (*regs.context).shared.globals.add(regs.high() as usize);
    let vector = *global.cast::<[u64; 2]>();
    *regs.cell(1).cast::<[u64; 2]>() = vector;
    regs.next(2)
});

/// Writes the two cells of a global vector from cell 0.
pub(in crate::fast) struct GlobalSetVector;
perform!([] GlobalSetVector, regs, {
    let vector = *regs.cell(0).cast::<[u64; 2]>();
    let global = (*regs.context).shared.globals.add(regs.high() as usize);
    *global.cast::<[u64; 2]>() = vector;
    regs.next(2)
});

/// Selects `A` if the condition, an `i32`, is not zero, else `B`.
pub(in crate::fast) struct Select<Out, A, B, C, const KEEP: bool>(PhantomData<(Out, A, B, C)>);
perform!([Out: Register, A: Source, B: Source, C: Source; KEEP] Select<Out, A, B, C, KEEP>, regs, {
    let mut regs = regs;
    let (first, second) = (A::read::<Out>(&regs), B::read::<Out>(&regs));
    let takes_first = C::read::<Int>(&regs) as u32 != 0;
    let selected = std::hint::select_unpredictable(takes_first, first, second);
    give::<Out, KEEP>(&mut regs, selected);
    regs.next(2 + A::WORDS + B::WORDS)
});

/// Selects the vector in cell 0 if the condition in cell 3 is not zero, else that in cell 2, into cell 1.
pub(in crate::fast) struct SelectVector;
perform!([] SelectVector, regs, {
    let takes_first = *regs.cell(3) as u32 != 0;
    let from = if takes_first { regs.cell(0) } else { regs.cell(2) };
    let vector = *from.cast::<[u64; 2]>();
    *regs.cell(1).cast::<[u64; 2]>() = vector;
    regs.next(2)
});

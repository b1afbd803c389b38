//! Calls and returns. Frames overlap: a callee's parameters are its caller's topmost operands, in place.

use std::marker::PhantomData;

use crate::address::TypeId;
use crate::classic::context::Leave;
use crate::fast::context::{
    CallRecord, Flow, Header, Int, Never, Perform, Register, Regs, Source, Word, bail, leave,
};
use crate::value::func_of_ref_cell;

/// Starts a function whose arguments lie at `fp`.
#[inline(always)]
unsafe fn start(regs: Regs, callee: *const Header, fp: *mut u64) -> Flow {
    // SAFETY: the header is of translated code; the cells have room for one frame beyond their limit.
    unsafe {
        let context = &mut *regs.context;
        let callee = &*callee;
        let mut local = fp.add(callee.param_cells as usize);
        let locals_end = local.add(callee.local_cells as usize);
        while local < locals_end {
            // Volatile, so that the compiler does not make the loop a call of memset, for which the handler would save
            // registers on every execution.
            local.write_volatile(0);
            local = local.add(1);
        }
        let budget = context.shared.budget - 1;
        context.shared.budget = budget;
        let room = context.shared.cells_end.byte_offset_from(fp);
        let regs = Regs {
            ip: callee.entry,
            fp,
            ..regs
        };
        if room < callee.frame_bytes_max as isize || context.call > context.calls_end {
            leave(regs, Leave::Exhausted)
        } else if budget == 0 {
            leave(regs, Leave::Budget)
        } else {
            Ok(regs)
        }
    }
}

/// Calls translated code with the arguments at the cell that field 0 names; the call has so many words.
#[inline(always)]
unsafe fn call(regs: Regs, callee: *const Header, words: usize) -> Flow {
    // SAFETY: the records have room for one beyond their limit.
    unsafe {
        let context = &mut *regs.context;
        let record = context.call;
        *record = CallRecord {
            ip: regs.ip.add(words),
            fp: regs.fp,
        };
        context.call = record.add(1);
        start(regs, callee, regs.cell(0))
    }
}

/// Replaces the running frame by a call with the arguments at the cell that field 0 names.
#[inline(always)]
unsafe fn tail_call(regs: Regs, callee: *const Header) -> Flow {
    // SAFETY: the arguments lie above the frame's first cell.
    unsafe {
        let args = regs.cell(0);
        for index in 0..(*callee).param_cells as usize {
            // Volatile for the same reason as in `start`.
            regs.fp
                .add(index)
                .write_volatile(args.add(index).read_volatile());
        }
        start(regs, callee, regs.fp)
    }
}

/// Translated code of a function of the store; null when there is none.
#[inline(always)]
unsafe fn header(regs: &Regs, func: u32) -> *const Header {
    // SAFETY: there is an entry for every function of the store.
    unsafe { *(*regs.context).headers.add(func as usize) }
}

/// Calls the function of the store that the upper half of the second word names, of the same instance. The third word is
/// [`caller_word`](crate::fast::context::caller_word).
pub(in crate::fast) struct Call;

impl Perform for Call {
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe {
            let callee = header(&regs, regs.high());
            if callee.is_null() {
                return leave(regs, Leave::Callee(regs.high()));
            }
            call(regs, callee, 3)
        }
    }
}

/// The same as a tail call.
pub(in crate::fast) struct ReturnCall;

impl Perform for ReturnCall {
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe {
            let callee = header(&regs, regs.high());
            if callee.is_null() {
                return leave(regs, Leave::TailCallee(regs.high()));
            }
            tail_call(regs, callee)
        }
    }
}

/// The code of the function that a reference refers to, of the running instance and of the type that the third word names.
/// The classic tier decides what is rare.
#[inline(always)]
unsafe fn of_reference(
    regs: &Regs,
    cell: u64,
    wanted: TypeId,
) -> Result<*const Header, Option<u32>> {
    // SAFETY: references are to functions of the store.
    unsafe {
        let func = func_of_ref_cell(cell).ok_or(None)?.0;
        let callee = header(regs, func);
        if callee.is_null() {
            return Err(Some(func));
        }
        if (*callee).type_id != wanted || (*callee).instance != (*regs.context).instance {
            return Err(None);
        }
        Ok(callee)
    }
}

/// The reference that a table holds: its store address is the upper half of the second word.
#[inline(always)]
unsafe fn element<A: Source>(regs: &Regs) -> Option<u64> {
    // SAFETY: translated code names a table of the store.
    unsafe {
        let table = &*(*regs.context).shared.tables.add(regs.high() as usize);
        let index = table.index(A::read::<Int>(regs));
        table.elements.get(index as usize).copied()
    }
}

#[inline(always)]
unsafe fn wanted_type(regs: &Regs) -> TypeId {
    // SAFETY: such calls have a third word.
    TypeId(unsafe { regs.word(2) } as u32)
}

/// Calls what a table holds at an index.
pub(in crate::fast) struct CallIndirect<A>(PhantomData<A>);

impl<A: Source> Perform for CallIndirect<A> {
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe {
            let Some(cell) = element::<A>(&regs) else {
                return bail(regs);
            };
            match of_reference(&regs, cell, wanted_type(&regs)) {
                Ok(callee) => call(regs, callee, 4),
                Err(Some(func)) => leave(regs, Leave::Callee(func)),
                Err(None) => bail(regs),
            }
        }
    }
}

/// The same as a tail call.
pub(in crate::fast) struct ReturnCallIndirect<A>(PhantomData<A>);

impl<A: Source> Perform for ReturnCallIndirect<A> {
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe {
            let Some(cell) = element::<A>(&regs) else {
                return bail(regs);
            };
            match of_reference(&regs, cell, wanted_type(&regs)) {
                Ok(callee) => tail_call(regs, callee),
                Err(Some(func)) => leave(regs, Leave::TailCallee(func)),
                Err(None) => bail(regs),
            }
        }
    }
}

/// Calls what the reference in the cell that field 1 names refers to; validation has compared the types.
pub(in crate::fast) struct CallRef;

impl Perform for CallRef {
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe {
            match of_reference(&regs, *regs.cell(1), wanted_type(&regs)) {
                Ok(callee) => call(regs, callee, 4),
                Err(Some(func)) => leave(regs, Leave::Callee(func)),
                Err(None) => bail(regs),
            }
        }
    }
}

/// The same as a tail call.
pub(in crate::fast) struct ReturnCallRef;

impl Perform for ReturnCallRef {
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe {
            match of_reference(&regs, *regs.cell(1), wanted_type(&regs)) {
                Ok(callee) => tail_call(regs, callee),
                Err(Some(func)) => leave(regs, Leave::TailCallee(func)),
                Err(None) => bail(regs),
            }
        }
    }
}

/// Goes back to the caller, whose results lie in their cells.
#[inline(always)]
unsafe fn go_back(regs: Regs) -> Flow {
    // SAFETY: the lowest record leads to an instruction that leaves.
    unsafe {
        let context = &mut *regs.context;
        let record = context.call.sub(1);
        context.call = record;
        let CallRecord { ip, fp } = *record;
        Ok(Regs { ip, fp, ..regs })
    }
}

/// Returns without a result, or with results that lie in their cells.
pub(in crate::fast) struct Return;

impl Perform for Return {
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe { go_back(regs) }
    }
}

/// Returns with one result, also in its register.
pub(in crate::fast) struct ReturnOne<R, A>(PhantomData<(R, A)>);

impl<R: Register, A: Source> Perform for ReturnOne<R, A> {
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(mut regs: Regs) -> Flow {
        // SAFETY: passed on from the caller; a frame has room for its results.
        unsafe {
            let cell = A::read::<R>(&regs);
            *regs.fp = cell;
            R::set(&mut regs, cell);
            go_back(regs)
        }
    }
}

/// Returns with results in so many cells, as the upper half of the second word says, from the cell that field 0 names on.
pub(in crate::fast) struct ReturnMany;

impl Perform for ReturnMany {
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: passed on from the caller; a frame has room for its results.
        unsafe {
            let from = regs.cell(0);
            for index in 0..regs.high() as usize {
                // Volatile, so that the compiler does not make the loop a call of memmove.
                regs.fp
                    .add(index)
                    .write_volatile(from.add(index).read_volatile());
            }
            go_back(regs)
        }
    }
}

/// What the lowest record leads to: the function that the run began in has returned.
pub(in crate::fast) struct Returned;

impl Perform for Returned {
    type Rare = Never;

    #[inline(always)]
    unsafe fn perform(regs: Regs) -> Flow {
        // SAFETY: the handler passes its own registers.
        unsafe { leave(regs, Leave::Returned) }
    }
}

/// The code that the lowest record leads to.
pub(in crate::fast) fn returned_code() -> [Word; 2] {
    [
        crate::fast::context::handler::<Returned> as *const () as Word,
        0,
    ]
}

//! Handlers of control, parametric and variable instructions.

use super::code::{Branch, FuncCode};
use super::context::{
    Context, Execute, Flow, Leave, Rare, Regs, Stop, give_up, leave, read_u32, read_u32_any,
    skip_leb, skip_type,
};
use super::ops;
use crate::address::{FuncAddr, ModuleOffset};
use crate::machine::Frame;
use crate::trap::TrapKind;
use crate::value::func_of_ref_cell;

macro_rules! execute {
    ($(#[$doc:meta])* $name:ident, $regs:ident, $body:block) => {
        impl Execute for ops::$name {
            $(#[$doc])*
            #[inline(always)]
            unsafe fn execute<const LONG: bool>($regs: Regs) -> Flow {
                // SAFETY: the registers are those of validated code at this instruction.
                unsafe { $body }
            }
        }
    };
}

execute!(Unreachable, regs, {
    leave(regs, Leave::Trap(TrapKind::Unreachable))
});
execute!(Nop, regs, {
    Ok(Regs {
        pc: regs.pc.add(1),
        ..regs
    })
});
execute!(Block, regs, {
    Ok(Regs {
        pc: skip_type(regs.pc.add(1)),
        ..regs
    })
});
execute!(Loop, regs, {
    tick(Regs {
        pc: skip_type(regs.pc.add(1)),
        ..regs
    })
});
execute!(If, regs, {
    let condition = regs.peek(0) as u32;
    let regs = regs.popped(1, regs.pc)?;
    if condition != 0 {
        Ok(Regs {
            pc: skip_type(regs.pc.add(1)),
            side: regs.side.add(1),
            ..regs
        })
    } else {
        Ok(jump(regs, &*regs.side))
    }
});
execute!(Else, regs, { Ok(jump(regs, &*regs.side)) });
execute!(End, regs, {
    let code = &*(*regs.context).code;
    if regs.pc == code.bias.wrapping_add(code.final_end as usize) {
        return_from::<LONG>(regs)
    } else if !code.catch_sources.is_null() && ends_catch(regs) {
        branch_over::<LONG>(regs)
    } else {
        Ok(Regs {
            pc: regs.pc.add(1),
            ..regs
        })
    }
});
execute!(TryTable, regs, {
    let (count, mut next) = read_u32_any(skip_type(regs.pc.add(1)));
    for _ in 0..count {
        let has_tag = *next <= 1;
        next = skip_leb(next.add(1));
        if has_tag {
            next = skip_leb(next);
        }
    }
    Ok(Regs { pc: next, ..regs })
});
execute!(Throw, regs, { leave(regs, Leave::Throw) });
execute!(ThrowRef, regs, { leave(regs, Leave::Throw) });
execute!(Rethrow, regs, { leave(regs, Leave::Throw) });
execute!(Try, regs, {
    Ok(Regs {
        pc: skip_type(regs.pc.add(1)),
        ..regs
    })
});
execute!(
    /// Arrived at from above, it ends what is before it.
    Catch,
    regs,
    { branch_over::<LONG>(regs) }
);
execute!(CatchAll, regs, { branch_over::<LONG>(regs) });
execute!(Delegate, regs, {
    Ok(Regs {
        pc: skip_leb(regs.pc.add(1)),
        ..regs
    })
});
execute!(Br, regs, { branch_over::<LONG>(regs) });
execute!(BrIf, regs, {
    let condition = regs.peek(0) as u32;
    let regs = regs.popped(1, regs.pc)?;
    if condition != 0 {
        branch_over::<LONG>(regs)
    } else {
        Ok(Regs {
            pc: skip_leb(regs.pc.add(1)),
            side: regs.side.add(1),
            ..regs
        })
    }
});
execute!(BrTable, regs, {
    let index = regs.peek(0) as u32;
    let (count, _) = read_u32::<LONG>(regs.pc.add(1))?;
    let regs = regs.popped(1, regs.pc)?;
    branch_over::<LONG>(Regs {
        side: regs.side.add(index.min(count) as usize),
        ..regs
    })
});
execute!(Return, regs, { return_from::<LONG>(regs) });
execute!(Call, regs, {
    let (index, next) = read_u32::<LONG>(regs.pc.add(1))?;
    let func = *(*regs.context).funcs.add(index as usize);
    call(regs, func, regs.sp, next)
});
execute!(ReturnCall, regs, {
    let (index, _) = read_u32::<LONG>(regs.pc.add(1))?;
    let func = *(*regs.context).funcs.add(index as usize);
    tail_call(regs, func, regs.sp)
});
execute!(CallIndirect, regs, {
    let (type_index, next) = read_u32::<LONG>(regs.pc.add(1))?;
    let (table, next) = read_u32::<LONG>(next)?;
    match select_callee::<LONG>(regs.context, type_index, table, regs.peek(0)) {
        Ok(func) => call(regs, func, regs.sp.sub(1), next),
        Err(rare) => give_up(regs, rare),
    }
});
execute!(ReturnCallIndirect, regs, {
    let (type_index, next) = read_u32::<LONG>(regs.pc.add(1))?;
    let (table, _) = read_u32::<LONG>(next)?;
    match select_callee::<LONG>(regs.context, type_index, table, regs.peek(0)) {
        Ok(func) => tail_call(regs, func, regs.sp.sub(1)),
        Err(rare) => give_up(regs, rare),
    }
});
execute!(CallRef, regs, {
    let next = skip_leb(regs.pc.add(1));
    match func_of_ref_cell(regs.peek(0)) {
        Some(func) => call(regs, func.0, regs.sp.sub(1), next),
        None => leave(regs, Leave::Trap(TrapKind::NullFunctionReference)),
    }
});
execute!(ReturnCallRef, regs, {
    match func_of_ref_cell(regs.peek(0)) {
        Some(func) => tail_call(regs, func.0, regs.sp.sub(1)),
        None => leave(regs, Leave::Trap(TrapKind::NullFunctionReference)),
    }
});
execute!(RefAsNonNull, regs, {
    if regs.peek(0) == 0 {
        leave(regs, Leave::Trap(TrapKind::NullReference))
    } else {
        Ok(Regs {
            pc: regs.pc.add(1),
            ..regs
        })
    }
});
execute!(BrOnNull, regs, {
    if regs.peek(0) == 0 {
        branch_over::<LONG>(regs.popped(1, regs.pc)?)
    } else {
        Ok(Regs {
            pc: skip_leb(regs.pc.add(1)),
            side: regs.side.add(1),
            ..regs
        })
    }
});
execute!(BrOnNonNull, regs, {
    if regs.peek(0) != 0 {
        branch_over::<LONG>(regs)
    } else {
        let regs = regs.popped(1, skip_leb(regs.pc.add(1)))?;
        Ok(Regs {
            side: regs.side.add(1),
            ..regs
        })
    }
});
execute!(Drop, regs, {
    let cells = if is_wide(regs) { 2 } else { 1 };
    regs.popped(cells, regs.pc.add(1))
});
execute!(Select, regs, {
    select(regs, is_wide(regs), regs.pc.add(1))
});
execute!(SelectTyped, regs, {
    let (count, mut next) = read_u32::<LONG>(regs.pc.add(1))?;
    let is_wide = *next == V128;
    for _ in 0..count {
        next = skip_type(next);
    }
    select(regs, is_wide, next)
});
execute!(LocalGet, regs, {
    let (index, next) = read_u32::<LONG>(regs.pc.add(1))?;
    let (local, is_wide) = local(regs, index);
    if is_wide {
        regs.replace_vector(0, read_cells(local), next)
    } else {
        regs.replace(0, *local, next)
    }
});
execute!(LocalSet, regs, {
    let (index, next) = read_u32::<LONG>(regs.pc.add(1))?;
    let (local, is_wide) = local(regs, index);
    let cells = write_top(regs, local, is_wide);
    regs.popped(cells, next)
});
execute!(LocalTee, regs, {
    let (index, next) = read_u32::<LONG>(regs.pc.add(1))?;
    let (local, is_wide) = local(regs, index);
    write_top(regs, local, is_wide);
    Ok(Regs { pc: next, ..regs })
});
execute!(GlobalGet, regs, {
    let (index, next) = read_u32::<LONG>(regs.pc.add(1))?;
    let global = global(regs, index);
    if is_wide(regs) {
        regs.replace_vector(0, read_cells(global), next)
    } else {
        regs.replace(0, *global, next)
    }
});
execute!(GlobalSet, regs, {
    let (index, next) = read_u32::<LONG>(regs.pc.add(1))?;
    let cells = write_top(regs, global(regs, index), is_wide(regs));
    regs.popped(cells, next)
});

/// The value type of vectors in the binary format (WebAssembly 3.0, section 5.3.2).
const V128: u8 = 0x7b;

/// Whether the instruction at `pc`, whose opcode does not say it, moves a vector.
#[inline(always)]
unsafe fn is_wide(regs: Regs) -> bool {
    // SAFETY: the context and the running function's code are alive for the whole run.
    unsafe { (*(*regs.context).code).is_wide(regs.pc) }
}

/// Performs `select`, whose condition is on top.
#[inline(always)]
unsafe fn select(regs: Regs, is_wide: bool, next: *const u8) -> Flow {
    // SAFETY: `select` has three operands.
    unsafe {
        let takes_first = regs.peek(0) as u32 != 0;
        if is_wide {
            let selected = regs.peek_vector(if takes_first { 3 } else { 1 });
            regs.replace_vector(5, selected, next)
        } else {
            let selected = regs.peek(if takes_first { 2 } else { 1 });
            regs.replace(3, selected, next)
        }
    }
}

/// The first cell of a local, and whether it is a vector.
#[inline(always)]
unsafe fn local(regs: Regs, index: u32) -> (*mut u64, bool) {
    // SAFETY: validated code names a local; where there are places, there is one for each local.
    unsafe {
        let places = (*(*regs.context).code).locals;
        if places.is_null() {
            return (regs.fp.add(index as usize), false);
        }
        let place = *places.add(index as usize);
        (regs.fp.add(place.cell as usize), place.is_wide)
    }
}

/// The first cell of a global.
#[inline(always)]
unsafe fn global(regs: Regs, index: u32) -> *mut u64 {
    // SAFETY: validated code names a global; the context is alive for the whole run.
    unsafe {
        let context = &*regs.context;
        let cell = *context.global_cells.add(index as usize);
        context.globals.add(cell as usize)
    }
}

/// The vector in two cells.
#[inline(always)]
unsafe fn read_cells(cells: *const u64) -> u128 {
    // SAFETY: passed on from the caller.
    unsafe { u128::from(*cells) | u128::from(*cells.add(1)) << 64 }
}

/// Copies the topmost operand to a local or global; answers how many cells it takes.
#[inline(always)]
unsafe fn write_top(regs: Regs, cells: *mut u64, is_wide: bool) -> usize {
    // SAFETY: validated code has the operand, and a place for its type.
    unsafe {
        if !is_wide {
            *cells = regs.peek(0);
            return 1;
        }
        *cells = regs.peek(1);
        *cells.add(1) = regs.peek(0);
        2
    }
}

/// `local.get` of a vector in quick code: its first cell's index is the byte after the opcode.
pub(crate) struct WideLocalGet;
/// `local.set` of a vector in quick code.
pub(crate) struct WideLocalSet;
/// `local.tee` of a vector in quick code.
pub(crate) struct WideLocalTee;

impl Execute for WideLocalGet {
    #[inline(always)]
    unsafe fn execute<const LONG: bool>(regs: Regs) -> Flow {
        // SAFETY: validated code names a local.
        unsafe {
            let local = regs.fp.add(usize::from(*regs.pc.add(1)));
            regs.replace_vector(0, read_cells(local), regs.pc.add(2))
        }
    }
}

impl Execute for WideLocalSet {
    #[inline(always)]
    unsafe fn execute<const LONG: bool>(regs: Regs) -> Flow {
        // SAFETY: validated code names a local and has the operand.
        unsafe {
            let local = regs.fp.add(usize::from(*regs.pc.add(1)));
            write_top(regs, local, true);
            regs.popped(2, regs.pc.add(2))
        }
    }
}

impl Execute for WideLocalTee {
    #[inline(always)]
    unsafe fn execute<const LONG: bool>(regs: Regs) -> Flow {
        // SAFETY: validated code names a local and has the operand.
        unsafe {
            let local = regs.fp.add(usize::from(*regs.pc.add(1)));
            write_top(regs, local, true);
            let pc = regs.pc.add(2);
            Ok(Regs { pc, ..regs })
        }
    }
}

/// Counts a tick at `pc`, where control has just arrived.
#[inline(always)]
pub(crate) unsafe fn tick(regs: Regs) -> Flow {
    // SAFETY: the context is alive for the whole run.
    unsafe {
        let budget = &mut (*regs.context).budget;
        *budget -= 1;
        if *budget == 0 {
            leave(regs, Leave::Budget)
        } else {
            Ok(regs)
        }
    }
}

/// Moves to a branch's target in code and side table.
#[inline(always)]
pub(crate) unsafe fn jump(regs: Regs, entry: &Branch) -> Regs {
    // SAFETY: the side table's distances stay within the function's code and table.
    unsafe {
        Regs {
            pc: regs.pc.offset(entry.code_delta as isize),
            side: regs.side.byte_offset(entry.side_delta as isize),
            ..regs
        }
    }
}

/// Takes the branch of the current side table entry, which discards no operand.
#[inline(always)]
pub(crate) unsafe fn branch(regs: Regs) -> Flow {
    // SAFETY: `side` is this branch's entry.
    unsafe {
        let entry = &*regs.side;
        let regs = jump(regs, entry);
        if entry.code_delta <= 0 {
            tick(regs)
        } else {
            Ok(regs)
        }
    }
}

/// Whether the `end` at `pc` ends a legacy catch clause: a branch out of it, over the exception's cell.
#[inline(always)]
unsafe fn ends_catch(regs: Regs) -> bool {
    // SAFETY: the list of sources is as long as the side table, and one longer.
    unsafe {
        let code = &*(*regs.context).code;
        let entry = regs.side.offset_from(code.side) as usize;
        let pc = regs.pc.offset_from(code.bias) as u32;
        *code.catch_sources.add(entry) == pc
    }
}

/// Takes the branch of the current side table entry. That several cells move is its long form.
#[inline(always)]
pub(crate) unsafe fn branch_over<const LONG: bool>(regs: Regs) -> Flow {
    // SAFETY: `side` is this branch's entry, and validation guarantees the operands.
    unsafe {
        let Branch { keep, discard, .. } = *regs.side;
        let (keep, discard) = (keep as usize, discard as usize);
        if discard == 0 {
            return branch(regs);
        }
        if !LONG && keep > 1 {
            return Err(Stop::Long);
        }
        let sp = regs.sp.sub(discard);
        let top = if keep == 0 {
            *sp.sub(1)
        } else {
            // The last one is `top`, which stays.
            if LONG {
                move_cells(regs.sp.sub(keep), sp.sub(keep), keep - 1);
            }
            regs.top
        };
        branch(Regs { sp, top, ..regs })
    }
}

/// Moves cells down, where the ranges may overlap.
#[inline(always)]
unsafe fn move_cells(from: *const u64, to: *mut u64, count: usize) {
    for index in 0..count {
        // Volatile, so that the compiler does not make the loop a call of memmove: see `Stop::Long`.
        // SAFETY: both ranges lie in the stack.
        unsafe {
            to.add(index)
                .write_volatile(from.add(index).read_volatile())
        };
    }
}

/// Calls the function of the store whose arguments end at `args_end`; control comes back to `next`.
#[inline(always)]
pub(crate) unsafe fn call(regs: Regs, func: u32, args_end: *mut u64, next: *const u8) -> Flow {
    // SAFETY: the context's pointers are valid for the whole run, `func` is a function of the store.
    unsafe {
        let context = &mut *regs.context;
        let target = *context.codes.add(func as usize);
        if target.is_null() {
            return leave(regs, Leave::Callee(func));
        }
        regs.spill();
        let caller = &*context.code;
        let frame = context.frame;
        (*frame).pc = ModuleOffset(next.offset_from(caller.bias) as u32);
        (*frame).side = regs.side.offset_from(caller.side) as u32;
        context.frame = frame.add(1);
        enter_callee(
            regs,
            func,
            &*target,
            args_end.sub((*target).param_cells as usize),
        )
    }
}

/// Replaces the running frame by one of the function of the store whose arguments end at `args_end`.
#[inline(always)]
unsafe fn tail_call(regs: Regs, func: u32, args_end: *mut u64) -> Flow {
    // SAFETY: as in `call`.
    unsafe {
        let context = &mut *regs.context;
        let target = *context.codes.add(func as usize);
        if target.is_null() {
            return leave(regs, Leave::TailCallee(func));
        }
        let params = (*target).param_cells as usize;
        regs.spill();
        move_cells(args_end.sub(params), regs.fp, params);
        enter_callee(regs, func, &*target, regs.fp)
    }
}

/// Starts a function whose arguments lie at `fp`, in the topmost frame record.
#[inline(always)]
unsafe fn enter_callee(regs: Regs, func: u32, target: &FuncCode, fp: *mut u64) -> Flow {
    // SAFETY: the frame records and cells have room for one frame beyond their limits.
    unsafe {
        let context = &mut *regs.context;
        let locals = fp.add(target.param_cells as usize);
        for index in 0..target.local_cells as usize {
            // Volatile for the same reason as in `move_cells`.
            locals.add(index).write_volatile(0);
        }
        let sp = locals.add(target.local_cells as usize);
        let frame = context.frame;
        *frame = Frame {
            func: FuncAddr(func),
            pc: ModuleOffset(target.entry),
            base: fp.offset_from(context.cells) as u32,
            side: 0,
        };
        let regs = Regs {
            pc: target.bias.wrapping_add(target.entry as usize),
            sp,
            fp,
            side: target.side,
            top: *sp.sub(1),
            ..regs
        };
        let other_instance = (*context.code).instance != target.instance;
        let budget = context.budget - 1;
        context.code = target;
        context.budget = budget;
        let exhausted = frame >= context.frames_end
            || context.cells_end.byte_offset_from(fp) < target.frame_bytes_max as isize;
        if other_instance {
            leave(regs, Leave::Instance)
        } else if exhausted {
            leave(regs, Leave::Exhausted)
        } else if budget == 0 {
            leave(regs, Leave::Budget)
        } else {
            Ok(regs)
        }
    }
}

/// Returns from the running function, whose results are on top of the stack. Several of them are its long form.
#[inline(always)]
pub(crate) unsafe fn return_from<const LONG: bool>(regs: Regs) -> Flow {
    // SAFETY: the frame records describe the callers' states.
    unsafe {
        let context = &mut *regs.context;
        let code = &*context.code;
        let results = code.result_cells as usize;
        if !LONG && results > 1 {
            return Err(Stop::Long);
        }
        let sp = regs.fp.add(results);
        let top = if results == 0 {
            *sp.sub(1)
        } else {
            // The last one is `top`, which stays.
            if LONG {
                move_cells(regs.sp.sub(results), regs.fp, results - 1);
            }
            regs.top
        };
        let regs = Regs { sp, top, ..regs };
        let returning = context.frame;
        context.frame = returning.wrapping_sub(1);
        if returning == context.frames {
            return leave(regs, Leave::Finished);
        }
        let frame = *context.frame;
        let caller = *context.codes.add(frame.func.index());
        if caller.is_null() || frame.side == Frame::SIDE_UNKNOWN {
            return leave(regs, Leave::Returned);
        }
        let other_instance = (*caller).instance != code.instance;
        context.code = caller;
        let regs = Regs {
            pc: (*caller).bias.wrapping_add(frame.pc.index()),
            fp: context.cells.add(frame.base as usize),
            side: (*caller).side.add(frame.side as usize),
            ..regs
        };
        if other_instance {
            leave(regs, Leave::Instance)
        } else {
            Ok(regs)
        }
    }
}

/// The function that `call_indirect` calls. Only the long form says why there is none.
#[inline(always)]
pub(crate) unsafe fn select_callee<const LONG: bool>(
    context: *const Context,
    type_index: u32,
    table: u32,
    index: u64,
) -> Result<u32, Rare> {
    // SAFETY: the context's pointers are valid for the whole run, and validated code names items of the instance.
    unsafe {
        let context = &*context;
        let rare = |trap| if LONG { Rare::Trap(trap) } else { Rare::Long };
        let table = &*context
            .tables
            .add((*context.instance_tables.add(table as usize)).index());
        let cell = *table
            .elements
            .get(table.index(index) as usize)
            .ok_or(rare(TrapKind::UndefinedElement))?;
        let func = func_of_ref_cell(cell).ok_or(rare(TrapKind::UninitializedElement))?;
        let type_id = (*context.store_funcs.add(func.index())).type_id;
        let wanted = *context.type_ids.add(type_index as usize);
        if type_id != wanted {
            // A function of a subtype is rare.
            if !LONG || !(*context.store).types.is_subtype(type_id, wanted) {
                return Err(rare(TrapKind::IndirectCallTypeMismatch));
            }
        }
        Ok(func.0)
    }
}

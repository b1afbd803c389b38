//! Quick code's instructions: the forms of single instructions that are common, and sequences of them.
//!
//! A row of [`ROWS`] lists *parts*, at most one of them at the end transferring control. One handler executes all of
//! them on a [`Pending`] stack, which the compiler keeps in machine registers, so that a sequence pays for one dispatch
//! and hardly touches the stack. It either executes the whole sequence, or, when anything in it is out of the ordinary
//! (a trap, a NaN), only the first instruction, after which the second has its turn: a stop is always exact.

use super::context::{Execute, Flow, Instruction, Rare, Regs, Stop, give_up};
use super::control::{branch, call, jump, return_from, select_callee, tick};
use super::memories::{MemoryLoad, MemoryStore, checked_address};
use super::numbers::{Binary, Unary};
use super::ops;
use crate::isa::Op;

/// Stands for an instruction that has no row: it is executed as the module's bytes have it.
pub(super) const PLAIN_BYTE: u8 = 0;
/// Stands where a probe is.
pub(super) const PROBE_BYTE: u8 = 0xff;
/// Stands for an instruction on vectors, whose bytes are the module's.
pub(super) const VECTOR_BYTE: u8 = 0xfe;
/// Stand for `local.get`, `local.set` and `local.tee` of a vector with a short index.
pub(super) const WIDE_GET_BYTE: u8 = 0xfd;
pub(super) const WIDE_SET_BYTE: u8 = 0xfc;
pub(super) const WIDE_TEE_BYTE: u8 = 0xfb;

/// What a part matches: an instruction in a form of so many bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pattern {
    pub(super) op: Op,
    /// Opcode and immediates; 0 stands for any length.
    length: usize,
}

impl Pattern {
    const fn of<O: Instruction>(length: usize) -> Pattern {
        Pattern { op: O::OP, length }
    }

    pub(super) fn length_fits(self, length: usize) -> bool {
        self.length == 0 || self.length == length
    }
}

/// The operand stack while a sequence is executed: what is popped from the real one, and what is pushed since.
struct Pending {
    regs: Regs,
    /// Cells of the real stack that are popped.
    taken: usize,
    pushed: [u64; PARTS_MAX],
    pushed_count: usize,
}

/// The most parts that a row has.
const PARTS_MAX: usize = 5;

impl Pending {
    #[inline(always)]
    fn new(regs: Regs) -> Pending {
        Pending {
            regs,
            taken: 0,
            pushed: [0; PARTS_MAX],
            pushed_count: 0,
        }
    }

    #[inline(always)]
    fn push(&mut self, cell: u64) {
        self.pushed[self.pushed_count] = cell;
        self.pushed_count += 1;
    }

    #[inline(always)]
    unsafe fn pop(&mut self) -> u64 {
        if self.pushed_count > 0 {
            self.pushed_count -= 1;
            return self.pushed[self.pushed_count];
        }
        self.taken += 1;
        // SAFETY: validation guarantees that many operands.
        unsafe { self.regs.peek(self.taken - 1) }
    }

    /// The cell of the local whose index is the byte after the opcode at `at`.
    #[inline(always)]
    unsafe fn local<T: Number>(&self, at: *const u8) -> *mut u64 {
        // SAFETY: validated code names a local.
        unsafe { self.regs.fp.add(T::read(at.add(1)) as usize) }
    }

    /// Makes the real stack what this one stands for, at `pc`.
    #[inline(always)]
    unsafe fn settle(self, pc: *const u8) -> Regs {
        // SAFETY: validation guarantees the operands, and the frame's height was checked at its entry.
        unsafe {
            if self.taken == 0 && self.pushed_count > 0 {
                self.regs.spill();
            }
            let base = self.regs.sp.sub(self.taken);
            for index in 1..self.pushed_count {
                *base.add(index - 1) = self.pushed[index - 1];
            }
            let top = match (self.pushed_count, self.taken) {
                (0, 0) => self.regs.top,
                (0, _) => *base.sub(1),
                (count, _) => self.pushed[count - 1],
            };
            Regs {
                pc,
                sp: base.add(self.pushed_count),
                top,
                ..self.regs
            }
        }
    }
}

/// An instruction as a part of a row, which goes on to the next.
trait Part {
    const PATTERN: Pattern;
    /// Whether it may fail in its short form. No such part follows one that [acts](Part::ACTS).
    const FALLIBLE: bool = false;
    /// Whether it changes a local or memory.
    const ACTS: bool = false;
    /// Executes it. Without `LONG`, it may fail before it changes anything; with it, it fails when it traps.
    ///
    /// # Safety
    /// `at` is such an instruction, and the operands are those that validated code has there.
    unsafe fn execute<const LONG: bool>(pending: &mut Pending, at: *const u8) -> Result<(), Rare>;
}

/// An instruction that ends a row, since it transfers control.
trait Last {
    /// `None` for the end of a row that just goes on.
    const PATTERN: Option<Pattern>;
    /// Whether it can ask for the long form.
    const FALLIBLE: bool;
    /// Executes it. Without parts before it, there can be a long form.
    ///
    /// # Safety
    /// As for [`Part::execute`].
    unsafe fn execute<const LONG: bool>(pending: Pending, at: *const u8) -> Flow;
}

/// Immediates in plain bytes.
trait Number {
    unsafe fn read(at: *const u8) -> u64;
}

/// A number of so many bytes.
struct Bytes<const COUNT: usize>;

impl<const COUNT: usize> Number for Bytes<COUNT> {
    #[inline(always)]
    unsafe fn read(at: *const u8) -> u64 {
        // SAFETY: the number is there, and quick code is padded, so that whole words can be read everywhere.
        unsafe {
            match COUNT {
                1 => u64::from(*at),
                2 => u64::from(u16::from_le(at.cast::<u16>().read_unaligned())),
                4 => u64::from(u32::from_le(at.cast::<u32>().read_unaligned())),
                8.. => u64::from_le(at.cast::<u64>().read_unaligned()),
                _ => u64::from_le(at.cast::<u64>().read_unaligned()) & ((1 << (8 * COUNT)) - 1),
            }
        }
    }
}

/// `i32.const` or `i64.const` whose number takes so many bytes.
struct Constant<O, const COUNT: usize>(O);

macro_rules! constants {
    ($($op:ident => $ty:ty;)*) => {
        $(impl<const COUNT: usize> Part for Constant<ops::$op, COUNT> {
            const PATTERN: Pattern = Pattern::of::<ops::$op>(1 + COUNT);

            #[inline(always)]
            unsafe fn execute<const LONG: bool>(pending: &mut Pending, at: *const u8) -> Result<(), Rare> {
                let unused = 64 - 8 * if COUNT < 8 { COUNT } else { 8 };
                // SAFETY: passed on from the caller.
                let value = unsafe { Bytes::<COUNT>::read(at.add(1)) };
                let value = (value << unused) as i64 >> unused;
                pending.push(value as $ty as u64);
                Ok(())
            }
        })*
    };
}
constants! {
    I32Const => u32;
    I64Const => u64;
}

/// `local.get` with an index of so many bytes.
struct GetLocal<const COUNT: usize>;
/// `local.set`.
struct SetLocal<const COUNT: usize>;
/// `local.tee`.
struct TeeLocal<const COUNT: usize>;

impl<const COUNT: usize> Part for GetLocal<COUNT> {
    const PATTERN: Pattern = Pattern::of::<ops::LocalGet>(1 + COUNT);

    #[inline(always)]
    unsafe fn execute<const LONG: bool>(pending: &mut Pending, at: *const u8) -> Result<(), Rare> {
        // SAFETY: validated code names a local.
        pending.push(unsafe { *pending.local::<Bytes<COUNT>>(at) });
        Ok(())
    }
}

impl<const COUNT: usize> Part for SetLocal<COUNT> {
    const PATTERN: Pattern = Pattern::of::<ops::LocalSet>(1 + COUNT);
    const ACTS: bool = true;

    #[inline(always)]
    unsafe fn execute<const LONG: bool>(pending: &mut Pending, at: *const u8) -> Result<(), Rare> {
        // SAFETY: validated code names a local.
        unsafe { *pending.local::<Bytes<COUNT>>(at) = pending.pop() };
        Ok(())
    }
}

impl<const COUNT: usize> Part for TeeLocal<COUNT> {
    const PATTERN: Pattern = Pattern::of::<ops::LocalTee>(1 + COUNT);
    const ACTS: bool = true;

    #[inline(always)]
    unsafe fn execute<const LONG: bool>(pending: &mut Pending, at: *const u8) -> Result<(), Rare> {
        // SAFETY: validated code names a local.
        unsafe {
            let cell = pending.pop();
            *pending.local::<Bytes<COUNT>>(at) = cell;
            pending.push(cell);
        }
        Ok(())
    }
}

/// `global.get` with an index of so many bytes.
struct GetGlobal<const COUNT: usize>;
/// `global.set`.
struct SetGlobal<const COUNT: usize>;

/// The cell of the global whose index is after the opcode at `at`.
#[inline(always)]
unsafe fn global<T: Number>(regs: Regs, at: *const u8) -> *mut u64 {
    // SAFETY: validated code names a global; the context is alive for the whole run.
    unsafe {
        let context = &*regs.context;
        let index = T::read(at.add(1)) as usize;
        context
            .globals
            .add(*context.global_cells.add(index) as usize)
    }
}

impl<const COUNT: usize> Part for GetGlobal<COUNT> {
    const PATTERN: Pattern = Pattern::of::<ops::GlobalGet>(1 + COUNT);

    #[inline(always)]
    unsafe fn execute<const LONG: bool>(pending: &mut Pending, at: *const u8) -> Result<(), Rare> {
        // SAFETY: validated code names a global.
        pending.push(unsafe { *global::<Bytes<COUNT>>(pending.regs, at) });
        Ok(())
    }
}

impl<const COUNT: usize> Part for SetGlobal<COUNT> {
    const PATTERN: Pattern = Pattern::of::<ops::GlobalSet>(1 + COUNT);
    const ACTS: bool = true;

    #[inline(always)]
    unsafe fn execute<const LONG: bool>(pending: &mut Pending, at: *const u8) -> Result<(), Rare> {
        // SAFETY: validated code names a global.
        unsafe { *global::<Bytes<COUNT>>(pending.regs, at) = pending.pop() };
        Ok(())
    }
}

/// A load or store whose alignment and offset take so many bytes.
struct Access<O, const COUNT: usize>(O);
/// A load, for [`Access`].
struct Loading<O>(O);
/// A store, for [`Access`].
struct Storing<O>(O);

/// The offset of an access, which lies where alignment and offset were.
#[inline(always)]
unsafe fn offset<const COUNT: usize>(at: *const u8) -> u32 {
    // SAFETY: passed on from the caller.
    unsafe {
        match COUNT {
            2 => Bytes::<2>::read(at.add(1)) as u32,
            3 => Bytes::<3>::read(at.add(1)) as u32,
            _ => Bytes::<4>::read(at.add(1)) as u32,
        }
    }
}

impl<O: MemoryLoad, const COUNT: usize> Part for Access<Loading<O>, COUNT> {
    const PATTERN: Pattern = Pattern::of::<O>(1 + COUNT);
    const FALLIBLE: bool = true;

    #[inline(always)]
    unsafe fn execute<const LONG: bool>(pending: &mut Pending, at: *const u8) -> Result<(), Rare> {
        // SAFETY: validated code has the operand; the address is checked.
        unsafe {
            let (base, offset) = (pending.pop(), offset::<COUNT>(at));
            let address = checked_address::<LONG>(pending.regs.context, base, offset, O::SIZE)?;
            pending.push(O::read(address));
        }
        Ok(())
    }
}

impl<O: MemoryStore, const COUNT: usize> Part for Access<Storing<O>, COUNT> {
    const PATTERN: Pattern = Pattern::of::<O>(1 + COUNT);
    const FALLIBLE: bool = true;
    const ACTS: bool = true;

    #[inline(always)]
    unsafe fn execute<const LONG: bool>(pending: &mut Pending, at: *const u8) -> Result<(), Rare> {
        // SAFETY: validated code has the operands; the address is checked.
        unsafe {
            let (cell, base, offset) = (pending.pop(), pending.pop(), offset::<COUNT>(at));
            let address = checked_address::<LONG>(pending.regs.context, base, offset, O::SIZE)?;
            O::write(address, cell);
        }
        Ok(())
    }
}

/// A pure instruction with one operand.
struct One<O>(O);
/// A pure instruction with two operands.
struct Two<O>(O);

impl<O: Unary> Part for One<O> {
    const PATTERN: Pattern = Pattern::of::<O>(1);
    const FALLIBLE: bool = O::FALLIBLE;

    #[inline(always)]
    unsafe fn execute<const LONG: bool>(pending: &mut Pending, _at: *const u8) -> Result<(), Rare> {
        // SAFETY: validated code has the operand.
        let value = unsafe { pending.pop() };
        pending.push(O::apply::<LONG>(value)?);
        Ok(())
    }
}

impl<O: Binary> Part for Two<O> {
    const PATTERN: Pattern = Pattern::of::<O>(1);
    const FALLIBLE: bool = O::FALLIBLE;

    #[inline(always)]
    unsafe fn execute<const LONG: bool>(pending: &mut Pending, _at: *const u8) -> Result<(), Rare> {
        // SAFETY: validated code has the operands.
        let (right, left) = unsafe { (pending.pop(), pending.pop()) };
        pending.push(O::apply::<LONG>(left, right)?);
        Ok(())
    }
}

/// `f32.const` or `f64.const`.
struct FloatConstant<O, const COUNT: usize>(O);

impl<O: Instruction, const COUNT: usize> Part for FloatConstant<O, COUNT> {
    const PATTERN: Pattern = Pattern::of::<O>(1 + COUNT);

    #[inline(always)]
    unsafe fn execute<const LONG: bool>(pending: &mut Pending, at: *const u8) -> Result<(), Rare> {
        // SAFETY: validated code has the whole constant.
        pending.push(unsafe { Bytes::<COUNT>::read(at.add(1)) });
        Ok(())
    }
}

/// An instruction of so many bytes that does nothing: any `end` but the last.
struct Nothing<O, const LENGTH: usize>(O);

impl<O: Instruction, const LENGTH: usize> Part for Nothing<O, LENGTH> {
    const PATTERN: Pattern = Pattern::of::<O>(LENGTH);

    #[inline(always)]
    unsafe fn execute<const LONG: bool>(_: &mut Pending, _: *const u8) -> Result<(), Rare> {
        Ok(())
    }
}

/// `drop`.
struct Dropping;

impl Part for Dropping {
    const PATTERN: Pattern = Pattern::of::<ops::Drop>(1);

    #[inline(always)]
    unsafe fn execute<const LONG: bool>(pending: &mut Pending, _: *const u8) -> Result<(), Rare> {
        // SAFETY: validated code has the operand.
        unsafe { pending.pop() };
        Ok(())
    }
}

/// `select`.
struct Selecting;

impl Part for Selecting {
    const PATTERN: Pattern = Pattern::of::<ops::Select>(1);

    #[inline(always)]
    unsafe fn execute<const LONG: bool>(pending: &mut Pending, _: *const u8) -> Result<(), Rare> {
        // SAFETY: validated code has the operands.
        let (condition, second, first) = unsafe { (pending.pop(), pending.pop(), pending.pop()) };
        pending.push(std::hint::select_unpredictable(
            condition as u32 != 0,
            first,
            second,
        ));
        Ok(())
    }
}

/// The end of a row without a transfer of control.
struct Next;

impl Last for Next {
    const PATTERN: Option<Pattern> = None;
    const FALLIBLE: bool = false;

    #[inline(always)]
    unsafe fn execute<const LONG: bool>(pending: Pending, at: *const u8) -> Flow {
        // SAFETY: passed on from the caller.
        unsafe { Ok(pending.settle(at)) }
    }
}

/// `last! { BranchIf = BrIf[2] fallible false: pending, at => …; }` makes the end of a row with a `br_if` of two bytes.
macro_rules! last {
    ($($(#[$doc:meta])* $name:ident$(<$count:ident>)? = $op:ident[$length:expr] fallible $fallible:literal: $pending:ident, $at:ident => $body:expr;)*) => {
        $(
            $(#[$doc])*
            struct $name$(<const $count: usize>)?;

            impl$(<const $count: usize>)? Last for $name$(<$count>)? {
                const PATTERN: Option<Pattern> = Some(Pattern::of::<ops::$op>($length));
                const FALLIBLE: bool = $fallible;

                #[inline(always)]
                unsafe fn execute<const LONG: bool>($pending: Pending, $at: *const u8) -> Flow {
                    // SAFETY: passed on from the caller, whose code is validated.
                    unsafe { $body }
                }
            }
        )*
    };
}
last! {
    /// `br`.
    Branch = Br[2] fallible false: pending, at => branch(pending.settle(at));
    /// `br_if`.
    BranchIf = BrIf[2] fallible false: pending, at => {
        let mut pending = pending;
        let condition = pending.pop() as u32;
        let regs = pending.settle(at);
        if condition != 0 {
            branch(regs)
        } else {
            Ok(Regs { pc: at.add(2), side: regs.side.add(1), ..regs })
        }
    };
    /// `br_table`.
    BranchTable = BrTable[0] fallible true: pending, at => {
        let mut pending = pending;
        let index = pending.pop() as u32;
        let regs = pending.settle(at);
        let (count, _) = super::context::read_u32::<LONG>(at.add(1))?;
        branch(Regs { side: regs.side.add(index.min(count) as usize), ..regs })
    };
    /// `if`.
    IfElse = If[2] fallible false: pending, at => {
        let mut pending = pending;
        let condition = pending.pop() as u32;
        let regs = pending.settle(at);
        if condition != 0 {
            Ok(Regs { pc: at.add(2), side: regs.side.add(1), ..regs })
        } else {
            Ok(jump(regs, &*regs.side))
        }
    };
    /// `else`, arrived at from above.
    OverElse = Else[1] fallible false: pending, at => {
        let regs = pending.settle(at);
        Ok(jump(regs, &*regs.side))
    };
    /// `loop`.
    EnterLoop = Loop[2] fallible false: pending, at => tick(pending.settle(at.add(2)));
    /// `return`, and the last `end`.
    Returning = Return[1] fallible true: pending, at => return_from::<LONG>(pending.settle(at));
    /// `call` with an index of so many bytes.
    Calling<COUNT> = Call[1 + COUNT] fallible false: pending, at => {
        let regs = pending.settle(at);
        let func = *(*regs.context).funcs.add(Bytes::<COUNT>::read(at.add(1)) as usize);
        call(regs, func, regs.sp, at.add(1 + COUNT))
    };
    /// `call_indirect` whose indices take so many bytes.
    CallingIndirect<COUNT> = CallIndirect[1 + COUNT] fallible true: pending, at => {
        let regs = pending.settle(at);
        let (type_index, table) = if COUNT == 2 {
            (Bytes::<1>::read(at.add(1)), Bytes::<1>::read(at.add(2)))
        } else {
            (Bytes::<4>::read(at.add(1)), Bytes::<1>::read(at.add(5)))
        };
        match select_callee::<LONG>(regs.context, type_index as u32, table as u32, regs.top) {
            Ok(func) => call(regs, func, regs.sp.sub(1), at.add(1 + COUNT)),
            Err(rare) => give_up(regs, rare),
        }
    };
    /// `block`, and those that follow: the block type is replaced by the distance to what does something.
    EnterBlock = Block[2] fallible false: pending, at => Ok(pending.settle(at.add(usize::from(*at.add(1)))));
}

/// The parts of a row.
trait Parts {
    const PATTERNS: &'static [Pattern];
    const LENGTH: usize;
    const ACT: bool;
    /// Executes all of them in their short forms.
    unsafe fn execute(pending: &mut Pending, at: *const u8) -> Result<(), Rare>;
    /// Executes the first in its long form; answers its length, 0 when there is none.
    unsafe fn execute_first(pending: &mut Pending, at: *const u8) -> Result<usize, Rare>;
}

impl Parts for () {
    const PATTERNS: &'static [Pattern] = &[];
    const LENGTH: usize = 0;
    const ACT: bool = false;

    #[inline(always)]
    unsafe fn execute(_: &mut Pending, _: *const u8) -> Result<(), Rare> {
        Ok(())
    }

    #[inline(always)]
    unsafe fn execute_first(_: &mut Pending, _: *const u8) -> Result<usize, Rare> {
        Ok(0)
    }
}

/// Checks that no part of a row that may fail follows one that acts.
const fn is_atomic(parts: &[(bool, bool)]) -> bool {
    let (mut acted, mut index) = (false, 0);
    while index < parts.len() {
        let (fallible, acts) = parts[index];
        if fallible && acted {
            return false;
        }
        acted |= acts;
        index += 1;
    }
    true
}

macro_rules! parts {
    ($first:ident $($rest:ident)*) => {
        impl<$first: Part, $($rest: Part),*> Parts for ($first, $($rest,)*) {
            const PATTERNS: &'static [Pattern] = {
                assert!(is_atomic(&[($first::FALLIBLE, $first::ACTS) $(, ($rest::FALLIBLE, $rest::ACTS))*]));
                &[$first::PATTERN $(, $rest::PATTERN)*]
            };
            const LENGTH: usize = $first::PATTERN.length $(+ $rest::PATTERN.length)*;
            const ACT: bool = $first::ACTS $(|| $rest::ACTS)*;

            #[inline(always)]
            unsafe fn execute(pending: &mut Pending, at: *const u8) -> Result<(), Rare> {
                // SAFETY: passed on from the caller; the parts' lengths are those of their patterns.
                unsafe {
                    $first::execute::<false>(pending, at)?;
                    let at = at.add($first::PATTERN.length);
                    $(
                        $rest::execute::<false>(pending, at)?;
                        let at = at.add($rest::PATTERN.length);
                    )*
                    let _ = at;
                }
                Ok(())
            }

            #[inline(always)]
            unsafe fn execute_first(pending: &mut Pending, at: *const u8) -> Result<usize, Rare> {
                // SAFETY: passed on from the caller.
                unsafe { $first::execute::<true>(pending, at)? };
                Ok($first::PATTERN.length)
            }
        }
    };
}
parts!(A);
parts!(A B);
parts!(A B C);
parts!(A B C D);
parts!(A B C D E);

/// An instruction of quick code.
struct Quick<P, L>(P, L);

impl<P: Parts, L: Last> Execute for Quick<P, L> {
    #[inline(always)]
    unsafe fn execute<const LONG: bool>(regs: Regs) -> Flow {
        let mut pending = Pending::new(regs);
        // SAFETY: the row was put here because its patterns match.
        unsafe {
            if LONG && !P::PATTERNS.is_empty() {
                return match P::execute_first(&mut pending, regs.pc) {
                    Ok(length) => Ok(pending.settle(regs.pc.add(length))),
                    Err(rare) => give_up(regs, rare),
                };
            }
            match P::execute(&mut pending, regs.pc) {
                Ok(()) => L::execute::<LONG>(pending, regs.pc.add(P::LENGTH)),
                Err(_) => Err(Stop::Long),
            }
        }
    }
}

/// What a row matches.
pub(super) struct Row {
    parts: &'static [Pattern],
    last: Option<Pattern>,
}

impl Row {
    const fn of<P: Parts, L: Last>() -> Row {
        assert!(!(P::ACT && L::FALLIBLE), "what acts cannot be undone");
        Row {
            parts: P::PATTERNS,
            last: L::PATTERN,
        }
    }

    /// The patterns of successive instructions.
    pub(super) fn patterns(&self) -> impl Iterator<Item = Pattern> {
        self.parts.iter().copied().chain(self.last)
    }

    /// The first of them.
    pub(super) fn first(&self) -> Pattern {
        self.patterns().next().expect("a row matches something")
    }
}

/// `quick_rows! { (A, B), L; … }` makes the row of the parts `A` and `B`, ended by `L`.
macro_rules! quick_rows {
    ($(($($part:ty),* $(,)?) $(, $last:ty)?;)*) => {
        /// What quick code is made from; the opcode of a row is its number and one.
        pub(in crate::classic) static ROWS: &[Row] = &[$(Row::of::<($($part,)*), quick_rows!(@last $($last)?)>()),*];

        /// The handler of every opcode of quick code.
        pub(in crate::classic) static RUN_TABLE: [Handler; 256] = {
            let rows: &[Handler] = &[$(handler::<Quick<($($part,)*), quick_rows!(@last $($last)?)>, false>),*];
            let mut table: [Handler; 256] = [plain; 256];
            let mut number = 0;
            while number < rows.len() {
                table[number + 1] = rows[number];
                number += 1;
            }
            assert!(rows.len() < WIDE_TEE_BYTE as usize);
            table[WIDE_TEE_BYTE as usize] = handler::<WideLocalTee, false>;
            table[WIDE_SET_BYTE as usize] = handler::<WideLocalSet, false>;
            table[WIDE_GET_BYTE as usize] = handler::<WideLocalGet, false>;
            table[VECTOR_BYTE as usize] = handler::<PrefixFd, false>;
            table[PROBE_BYTE as usize] = handler::<Probe, false>;
            table
        };
    };
    (@last) => { Next };
    (@last $last:ty) => { $last };
}

pub(super) mod rows;

#[cfg(test)]
mod tests {
    use super::Pattern;
    use super::rows::ROWS;

    #[test]
    fn rows_differ() {
        for (number, row) in ROWS.iter().enumerate() {
            let patterns: Vec<Pattern> = row.patterns().collect();
            let same = |other: &&super::Row| other.patterns().eq(patterns.iter().copied());
            assert_eq!(
                ROWS.iter().filter(same).count(),
                1,
                "{number}: {patterns:?}"
            );
        }
    }

    /// A stop in the midst of a sequence goes on with its rest, whose numbers are in plain bytes.
    #[test]
    fn every_part_of_a_sequence_has_a_row_of_its_own() {
        for pattern in ROWS.iter().flat_map(|row| row.patterns()) {
            let alone = ROWS.iter().any(|row| row.patterns().eq([pattern]));
            assert!(alone, "{pattern:?}");
        }
    }
}

//! Handlers of numeric and reference instructions.

use super::context::{
    Execute, Flow, Instruction, Rare, Regs, give_up, read_i64, read_u32, skip_leb,
};
use super::ops;
use crate::address::FuncAddr;
use crate::numeric::{Float, Integer, TruncateTo};
use crate::trap::TrapKind;
use crate::value::func_ref_cell;

/// A number in a cell.
trait Cell: Copy {
    fn from_cell(cell: u64) -> Self;
    fn to_cell(self) -> u64;
}

macro_rules! cell {
    ($($ty:ty: $cell:ident => $from:expr, $value:ident => $to:expr;)*) => {
        $(impl Cell for $ty {
            #[inline(always)]
            fn from_cell($cell: u64) -> Self {
                $from
            }
            #[inline(always)]
            fn to_cell(self) -> u64 {
                let $value = self;
                $to
            }
        })*
    };
}
cell! {
    i32: cell => cell as i32, value => u64::from(value as u32);
    u32: cell => cell as u32, value => u64::from(value);
    i64: cell => cell as i64, value => value as u64;
    u64: cell => cell, value => value;
    f32: cell => f32::from_bits(cell as u32), value => u64::from(value.to_bits());
    f64: cell => f64::from_bits(cell), value => value.to_bits();
    bool: cell => cell != 0, value => u64::from(value);
}

/// What a function gives that does not give a value for all operands at once.
trait Outcome {
    fn into_cell<const LONG: bool>(self) -> Result<u64, Rare>;
}

impl<T: Cell> Outcome for Result<T, TrapKind> {
    #[inline(always)]
    fn into_cell<const LONG: bool>(self) -> Result<u64, Rare> {
        let rare = |trap| if LONG { Rare::Trap(trap) } else { Rare::Long };
        self.map(Cell::to_cell).map_err(rare)
    }
}

/// The result of arithmetic on floats: a NaN, which is rare, is made the canonical one in the long form.
struct Arithmetic<F>(F);

impl<F: Cell + Float> Outcome for Arithmetic<F> {
    #[inline(always)]
    fn into_cell<const LONG: bool>(self) -> Result<u64, Rare> {
        if LONG {
            Ok(self.0.canonical().to_cell())
        } else if self.0.is_nan() {
            Err(Rare::Long)
        } else {
            Ok(self.0.to_cell())
        }
    }
}

/// A pure instruction with one operand.
pub(crate) trait Unary: Instruction {
    /// Whether it may give no result.
    const FALLIBLE: bool;
    /// The result's cell.
    fn apply<const LONG: bool>(value: u64) -> Result<u64, Rare>;
}

/// A pure instruction with two operands.
pub(crate) trait Binary: Instruction {
    /// Whether it may give no result.
    const FALLIBLE: bool;
    /// The result's cell.
    fn apply<const LONG: bool>(left: u64, right: u64) -> Result<u64, Rare>;
}

#[inline(always)]
unsafe fn unary<O: Unary, const LONG: bool>(regs: Regs, next: *const u8) -> Flow {
    // SAFETY: validated code has the operand.
    unsafe {
        match O::apply::<LONG>(regs.peek(0)) {
            Ok(cell) => regs.replace(1, cell, next),
            Err(rare) => give_up(regs, rare),
        }
    }
}

/// Whether instructions of a group may give no result, and the result of one.
macro_rules! result {
    (@fallible sure) => {
        false
    };
    (@fallible rare) => {
        true
    };
    (sure $result:expr) => {
        Ok(Cell::to_cell($result))
    };
    (rare $result:expr) => {
        Outcome::into_cell::<LONG>($result)
    };
}

/// `unary! { sure, next; I32Eqz(i32) value => value == 0; }` makes the handler of `i32.eqz`, which always gives a result,
/// `next` being the instruction after it.
macro_rules! unary {
    ($kind:ident, $next:path; $($name:ident($ty:ty) $value:ident => $result:expr;)*) => {
        $(
            impl Unary for ops::$name {
                const FALLIBLE: bool = result!(@fallible $kind);

                #[inline(always)]
                fn apply<const LONG: bool>(value: u64) -> Result<u64, Rare> {
                    let $value = <$ty>::from_cell(value);
                    result!($kind $result)
                }
            }

            impl Execute for ops::$name {
                #[inline(always)]
                unsafe fn execute<const LONG: bool>(regs: Regs) -> Flow {
                    // SAFETY: the handler passes its own registers.
                    unsafe { unary::<ops::$name, LONG>(regs, $next(regs.pc)) }
                }
            }
        )*
    };
}

/// `binary! { sure; I32Add(i32) left, right => left.wrapping_add(right); }` makes the handler of `i32.add`.
macro_rules! binary {
    ($kind:ident; $($name:ident($ty:ty) $left:ident, $right:ident => $result:expr;)*) => {
        $(
            impl Binary for ops::$name {
                const FALLIBLE: bool = result!(@fallible $kind);

                #[inline(always)]
                fn apply<const LONG: bool>(left: u64, right: u64) -> Result<u64, Rare> {
                    let $left = <$ty>::from_cell(left);
                    let $right = <$ty>::from_cell(right);
                    result!($kind $result)
                }
            }

            impl Execute for ops::$name {
                #[inline(always)]
                unsafe fn execute<const LONG: bool>(regs: Regs) -> Flow {
                    // SAFETY: validated code has the operands.
                    unsafe {
                        match <ops::$name as Binary>::apply::<LONG>(regs.peek(1), regs.peek(0)) {
                            Ok(cell) => regs.replace(2, cell, regs.pc.add(1)),
                            Err(rare) => give_up(regs, rare),
                        }
                    }
                }
            }
        )*
    };
}

/// The instruction after an opcode of one byte.
#[inline(always)]
unsafe fn after_opcode(pc: *const u8) -> *const u8 {
    // SAFETY: validated code ends with `end`.
    unsafe { pc.add(1) }
}

/// The instruction after an opcode behind a prefix.
#[inline(always)]
unsafe fn after_prefixed(pc: *const u8) -> *const u8 {
    // SAFETY: validated code has the opcode's number after the prefix.
    unsafe { skip_leb(pc.add(1)) }
}

unary! {
    sure, after_opcode;
    I32Eqz(i32) v => v == 0;
    I32Clz(u32) v => v.leading_zeros();
    I32Ctz(u32) v => v.trailing_zeros();
    I32Popcnt(u32) v => v.count_ones();
}
binary! {
    sure;
    RefEq(u64) l, r => l == r;
    I32Eq(i32) l, r => l == r;
    I32Ne(i32) l, r => l != r;
    I32LtS(i32) l, r => l < r;
    I32LtU(i32) l, r => l.lt_u(r);
    I32GtS(i32) l, r => l > r;
    I32GtU(i32) l, r => r.lt_u(l);
    I32LeS(i32) l, r => l <= r;
    I32LeU(i32) l, r => l.le_u(r);
    I32GeS(i32) l, r => l >= r;
    I32GeU(i32) l, r => r.le_u(l);
    I32Add(i32) l, r => l.wrapping_add(r);
    I32Sub(i32) l, r => l.wrapping_sub(r);
    I32Mul(i32) l, r => l.wrapping_mul(r);
    I32And(i32) l, r => l & r;
    I32Or(i32) l, r => l | r;
    I32Xor(i32) l, r => l ^ r;
    I32Shl(i32) l, r => Integer::shl(l, r);
    I32ShrS(i32) l, r => l.shr_s(r);
    I32ShrU(i32) l, r => l.shr_u(r);
    I32Rotl(i32) l, r => l.rotl(r);
    I32Rotr(i32) l, r => l.rotr(r);
}
binary! {
    rare;
    I32DivS(i32) l, r => l.div_s(r);
    I32DivU(i32) l, r => l.div_u(r);
    I32RemS(i32) l, r => l.rem_s(r);
    I32RemU(i32) l, r => l.rem_u(r);
}
unary! {
    sure, after_opcode;
    I64Eqz(i64) v => v == 0;
    I64Clz(u64) v => u64::from(v.leading_zeros());
    I64Ctz(u64) v => u64::from(v.trailing_zeros());
    I64Popcnt(u64) v => u64::from(v.count_ones());
}
binary! {
    sure;
    I64Eq(i64) l, r => l == r;
    I64Ne(i64) l, r => l != r;
    I64LtS(i64) l, r => l < r;
    I64LtU(i64) l, r => l.lt_u(r);
    I64GtS(i64) l, r => l > r;
    I64GtU(i64) l, r => r.lt_u(l);
    I64LeS(i64) l, r => l <= r;
    I64LeU(i64) l, r => l.le_u(r);
    I64GeS(i64) l, r => l >= r;
    I64GeU(i64) l, r => r.le_u(l);
    I64Add(i64) l, r => l.wrapping_add(r);
    I64Sub(i64) l, r => l.wrapping_sub(r);
    I64Mul(i64) l, r => l.wrapping_mul(r);
    I64And(i64) l, r => l & r;
    I64Or(i64) l, r => l | r;
    I64Xor(i64) l, r => l ^ r;
    I64Shl(i64) l, r => Integer::shl(l, r);
    I64ShrS(i64) l, r => l.shr_s(r);
    I64ShrU(i64) l, r => l.shr_u(r);
    I64Rotl(i64) l, r => l.rotl(r);
    I64Rotr(i64) l, r => l.rotr(r);
}
binary! {
    rare;
    I64DivS(i64) l, r => l.div_s(r);
    I64DivU(i64) l, r => l.div_u(r);
    I64RemS(i64) l, r => l.rem_s(r);
    I64RemU(i64) l, r => l.rem_u(r);
}

binary! {
    sure;
    F32Eq(f32) l, r => l == r;
    F32Ne(f32) l, r => l != r;
    F32Lt(f32) l, r => l < r;
    F32Gt(f32) l, r => l > r;
    F32Le(f32) l, r => l <= r;
    F32Ge(f32) l, r => l >= r;
    F64Eq(f64) l, r => l == r;
    F64Ne(f64) l, r => l != r;
    F64Lt(f64) l, r => l < r;
    F64Gt(f64) l, r => l > r;
    F64Le(f64) l, r => l <= r;
    F64Ge(f64) l, r => l >= r;
    F32Min(f32) l, r => Float::min(l, r);
    F32Max(f32) l, r => Float::max(l, r);
    F64Min(f64) l, r => Float::min(l, r);
    F64Max(f64) l, r => Float::max(l, r);
    // Sign operations work on bits, so that the payload of a NaN is kept.
    F32Copysign(u32) l, r => (l & 0x7fff_ffff) | (r & 0x8000_0000);
    F64Copysign(u64) l, r => (l & (u64::MAX >> 1)) | (r & 1 << 63);
}
binary! {
    rare;
    F32Add(f32) l, r => Arithmetic(l + r);
    F32Sub(f32) l, r => Arithmetic(l - r);
    F32Mul(f32) l, r => Arithmetic(l * r);
    F32Div(f32) l, r => Arithmetic(l / r);
    F64Add(f64) l, r => Arithmetic(l + r);
    F64Sub(f64) l, r => Arithmetic(l - r);
    F64Mul(f64) l, r => Arithmetic(l * r);
    F64Div(f64) l, r => Arithmetic(l / r);
}
unary! {
    sure, after_opcode;
    F32Abs(u32) v => v & 0x7fff_ffff;
    F32Neg(u32) v => v ^ 0x8000_0000;
    F32Ceil(f32) v => Float::ceil(v);
    F32Floor(f32) v => Float::floor(v);
    F32Trunc(f32) v => Float::trunc(v);
    F32Nearest(f32) v => Float::nearest(v);
    F64Abs(u64) v => v & (u64::MAX >> 1);
    F64Neg(u64) v => v ^ 1 << 63;
    F64Ceil(f64) v => Float::ceil(v);
    F64Floor(f64) v => Float::floor(v);
    F64Trunc(f64) v => Float::trunc(v);
    F64Nearest(f64) v => Float::nearest(v);
    I32WrapI64(u64) v => v as u32;
    I64ExtendI32S(i32) v => i64::from(v);
    I64ExtendI32U(u32) v => u64::from(v);
    F32ConvertI32S(i32) v => v as f32;
    F32ConvertI32U(u32) v => v as f32;
    F32ConvertI64S(i64) v => v as f32;
    F32ConvertI64U(u64) v => v as f32;
    F64ConvertI32S(i32) v => f64::from(v);
    F64ConvertI32U(u32) v => f64::from(v);
    F64ConvertI64S(i64) v => v as f64;
    F64ConvertI64U(u64) v => v as f64;
    I32ReinterpretF32(u32) v => v;
    I64ReinterpretF64(u64) v => v;
    F32ReinterpretI32(u32) v => v;
    F64ReinterpretI64(u64) v => v;
    I32Extend8S(u32) v => i32::from(v as i8);
    I32Extend16S(u32) v => i32::from(v as i16);
    I64Extend8S(u64) v => i64::from(v as i8);
    I64Extend16S(u64) v => i64::from(v as i16);
    I64Extend32S(u64) v => i64::from(v as i32);
    RefIsNull(u64) v => v == 0;
}
unary! {
    rare, after_opcode;
    F32Sqrt(f32) v => Arithmetic(v.sqrt());
    F64Sqrt(f64) v => Arithmetic(v.sqrt());
    I32TruncF32S(f32) v => TruncateTo::<i32>::truncate(v);
    I32TruncF32U(f32) v => TruncateTo::<u32>::truncate(v);
    I32TruncF64S(f64) v => TruncateTo::<i32>::truncate(v);
    I32TruncF64U(f64) v => TruncateTo::<u32>::truncate(v);
    I64TruncF32S(f32) v => TruncateTo::<i64>::truncate(v);
    I64TruncF32U(f32) v => TruncateTo::<u64>::truncate(v);
    I64TruncF64S(f64) v => TruncateTo::<i64>::truncate(v);
    I64TruncF64U(f64) v => TruncateTo::<u64>::truncate(v);
    F32DemoteF64(f64) v => Arithmetic(v as f32);
    F64PromoteF32(f32) v => Arithmetic(f64::from(v));
}
// Rust's conversions saturate, and turn NaN into 0, as these instructions do.
unary! {
    sure, after_prefixed;
    I32TruncSatF32S(f32) v => v as i32;
    I32TruncSatF32U(f32) v => v as u32;
    I32TruncSatF64S(f64) v => v as i32;
    I32TruncSatF64U(f64) v => v as u32;
    I64TruncSatF32S(f32) v => v as i64;
    I64TruncSatF32U(f32) v => v as u64;
    I64TruncSatF64S(f64) v => v as i64;
    I64TruncSatF64U(f64) v => v as u64;
}

/// `wide! { I64Add128[4] regs => …; }` makes the handler of an instruction that has so many operands and gives 128 bits, the low
/// half pushed first, like a vector.
macro_rules! wide {
    ($($name:ident[$pops:literal] $regs:ident => $result:expr;)*) => {
        $(impl Execute for ops::$name {
            #[inline(always)]
            unsafe fn execute<const LONG: bool>($regs: Regs) -> Flow {
                // SAFETY: validated code has the operands.
                unsafe { $regs.replace_vector($pops, $result, after_prefixed($regs.pc)) }
            }
        })*
    };
}
wide! {
    I64Add128[4] regs => regs.peek_vector(2).wrapping_add(regs.peek_vector(0));
    I64Sub128[4] regs => regs.peek_vector(2).wrapping_sub(regs.peek_vector(0));
    I64MulWideS[2] regs => (i128::from(regs.peek(1) as i64) * i128::from(regs.peek(0) as i64)) as u128;
    I64MulWideU[2] regs => u128::from(regs.peek(1)) * u128::from(regs.peek(0));
}

macro_rules! constants {
    ($($name:ident $at:ident => $read:expr;)*) => {
        $(impl Execute for ops::$name {
            #[inline(always)]
            unsafe fn execute<const LONG: bool>(regs: Regs) -> Flow {
                // SAFETY: validated code has the whole constant.
                unsafe {
                    let $at = regs.pc.add(1);
                    let (cell, next) = $read;
                    regs.replace(0, cell, next)
                }
            }
        })*
    };
}
constants! {
    I32Const at => { let (value, next) = read_i64(at); (u64::from(value as u32), next) };
    I64Const at => { let (value, next) = read_i64(at); (value as u64, next) };
    F32Const at => (u64::from(at.cast::<u32>().read_unaligned().to_le()), at.add(4));
    F64Const at => (at.cast::<u64>().read_unaligned().to_le(), at.add(8));
    RefNull at => (0, skip_leb(at));
}

impl Execute for ops::RefFunc {
    #[inline(always)]
    unsafe fn execute<const LONG: bool>(regs: Regs) -> Flow {
        // SAFETY: validated code names a function of the instance.
        unsafe {
            let (index, next) = read_u32::<LONG>(regs.pc.add(1))?;
            let func = FuncAddr(*(*regs.context).funcs.add(index as usize));
            regs.replace(0, func_ref_cell(Some(func)), next)
        }
    }
}

//! Which handlers stand for an instruction of the module, by the form of its operands.

use super::context::{
    Cell, Double, Handler, Int, Last, Long, Perform, Register, Short, Single, Source, handler,
};
use super::handlers::control::{Bail, Shared};
use super::handlers::fused::{AddBranch, LoadSum, Multiplied, StoreSum, WithLoaded};
use super::handlers::memory::{Load, Store};
use super::handlers::numeric::{BranchTwo, One, Two};
use crate::classic::atomics::PrefixFe;
use crate::classic::context::Execute;
use crate::classic::memories::{MemoryLoad, MemoryStore};
use crate::classic::numbers::{Binary, Unary};
use crate::classic::ops;
use crate::classic::vectors::PrefixFd;
use crate::isa::{INSTRUCTIONS, Op};

/// What values are like, as far as register code is concerned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    /// `i32`.
    I32,
    /// `i64`.
    I64,
    /// `f32`.
    F32,
    /// `f64`.
    F64,
    /// References of all types.
    Ref,
    /// Vectors, which have no register and take two cells.
    V128,
}

/// The registers that hold the last result of a kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RegisterKind {
    /// Integers and references.
    Int,
    /// `f64`.
    Double,
    /// `f32`.
    Single,
}

impl Class {
    /// The number of cells that a value takes.
    pub(super) fn cells(self) -> u32 {
        if self == Class::V128 { 2 } else { 1 }
    }

    /// The register for values of the class; `None` for vectors.
    pub(super) fn register(self) -> Option<RegisterKind> {
        match self {
            Class::I32 | Class::I64 | Class::Ref => Some(RegisterKind::Int),
            Class::F32 => Some(RegisterKind::Single),
            Class::F64 => Some(RegisterKind::Double),
            Class::V128 => None,
        }
    }
}

/// A handler that leaves its result in a register, and one that also keeps it in a cell.
pub(super) type Results = [Handler; 2];

/// The forms of two operands: in cells or the register, the second also a constant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// Both in cells.
    CellCell,
    /// A cell and a constant.
    CellConstant,
    /// A cell and the register.
    CellLast,
    /// The register and a cell.
    LastCell,
    /// The register and a constant.
    LastConstant,
}

/// An instruction with one operand: in a cell, or in its register.
pub(super) struct OneForms {
    pub(super) output: Class,
    pub(super) cell: Results,
    pub(super) last: Results,
}

/// An instruction with two operands of one class.
pub(super) struct TwoForms {
    pub(super) input: Class,
    pub(super) output: Class,
    /// By [`Form`].
    pub(super) results: [Results; 5],
    /// Branches on the result, taken if it is not zero: forwards and backwards, by [`Form`].
    pub(super) branches_if: Option<&'static [[Handler; 2]; 5]>,
    /// Branches taken if it is zero.
    pub(super) branches_unless: Option<&'static [[Handler; 2]; 5]>,
    /// The instruction for the operands in the other order.
    pub(super) mirrored: Option<Op>,
}

/// A load: address in a cell, or in the register; without watches, and with.
pub(super) struct LoadForms {
    pub(super) output: Class,
    pub(super) cell: [Results; 2],
    pub(super) last: [Results; 2],
    /// The address is the sum of two cells, or of a cell and the register.
    pub(super) sum: [Results; 2],
}

/// A store: the value in a cell, in the register, a constant; without watches, and with.
pub(super) struct StoreForms {
    pub(super) input: Class,
    /// The address in a cell.
    pub(super) cell: [[Handler; 3]; 2],
    /// The address in the register. The value can be in one as well only if it is another.
    pub(super) last: [[Handler; 3]; 2],
    /// The address is the sum of two cells, or of a cell and the register; the value in a cell, or a constant.
    pub(super) sum: [[Handler; 2]; 2],
}

/// How an instruction is translated.
pub(super) enum Native {
    One(OneForms),
    Two(TwoForms),
    Load(LoadForms),
    Store(StoreForms),
}

const fn results<A: Perform, B: Perform>() -> Results {
    [handler::<A>, handler::<B>]
}

const fn one<O, In, Out>(output: Class) -> Native
where
    O: Unary,
    In: Register,
    Out: Register,
{
    Native::One(OneForms {
        output,
        cell: results::<One<O, In, Out, Cell<0>, false>, One<O, In, Out, Cell<0>, true>>(),
        last: results::<One<O, In, Out, Last, false>, One<O, In, Out, Last, true>>(),
    })
}

const fn two_results<O, In, Out, C>() -> [Results; 5]
where
    O: Binary,
    In: Register,
    Out: Register,
    C: Source,
{
    [
        results::<Two<O, In, Out, Cell<0>, Cell<2>, false>, Two<O, In, Out, Cell<0>, Cell<2>, true>>(
        ),
        results::<Two<O, In, Out, Cell<0>, C, false>, Two<O, In, Out, Cell<0>, C, true>>(),
        results::<Two<O, In, Out, Cell<0>, Last, false>, Two<O, In, Out, Cell<0>, Last, true>>(),
        results::<Two<O, In, Out, Last, Cell<2>, false>, Two<O, In, Out, Last, Cell<2>, true>>(),
        results::<Two<O, In, Out, Last, C, false>, Two<O, In, Out, Last, C, true>>(),
    ]
}

const fn two<O, In, Out, C>(
    input: Class,
    output: Class,
    branches_if: Option<&'static [[Handler; 2]; 5]>,
    branches_unless: Option<&'static [[Handler; 2]; 5]>,
    mirrored: Option<Op>,
) -> Native
where
    O: Binary,
    In: Register,
    Out: Register,
    C: Source,
{
    Native::Two(TwoForms {
        input,
        output,
        results: two_results::<O, In, Out, C>(),
        branches_if,
        branches_unless,
        mirrored,
    })
}

const fn branch_pair<O, In, L, R, const IF: bool>() -> [Handler; 2]
where
    O: Binary,
    In: Register,
    L: Source,
    R: Source,
{
    [
        handler::<BranchTwo<O, In, L, R, IF, false>>,
        handler::<BranchTwo<O, In, L, R, IF, true>>,
    ]
}

const fn branches<O, In, const IF: bool>() -> [[Handler; 2]; 5]
where
    O: Binary,
    In: Register,
{
    [
        branch_pair::<O, In, Cell<0>, Cell<1>, IF>(),
        branch_pair::<O, In, Cell<0>, Long, IF>(),
        branch_pair::<O, In, Cell<0>, Last, IF>(),
        branch_pair::<O, In, Last, Cell<1>, IF>(),
        branch_pair::<O, In, Last, Long, IF>(),
    ]
}

const fn load_results<O, Out, A, const WATCHED: bool>() -> Results
where
    O: MemoryLoad,
    Out: Register,
    A: Source,
{
    results::<Load<O, Out, A, false, WATCHED>, Load<O, Out, A, true, WATCHED>>()
}

const fn load<O: MemoryLoad, Out: Register>(output: Class) -> Native {
    Native::Load(LoadForms {
        output,
        cell: [
            load_results::<O, Out, Cell<0>, false>(),
            load_results::<O, Out, Cell<0>, true>(),
        ],
        last: [
            load_results::<O, Out, Last, false>(),
            load_results::<O, Out, Last, true>(),
        ],
        sum: [
            results::<
                LoadSum<O, Out, Cell<0>, Cell<2>, false>,
                LoadSum<O, Out, Cell<0>, Cell<2>, true>,
            >(),
            results::<LoadSum<O, Out, Cell<0>, Last, false>, LoadSum<O, Out, Cell<0>, Last, true>>(
            ),
        ],
    })
}

const fn store_values<O, In, A, const WATCHED: bool>() -> [Handler; 3]
where
    O: MemoryStore,
    In: Register,
    A: Source,
{
    [
        handler::<Store<O, In, A, Cell<1>, WATCHED>>,
        handler::<Store<O, In, A, Last, WATCHED>>,
        handler::<Store<O, In, A, Long, WATCHED>>,
    ]
}

const fn store<O: MemoryStore, In: Register>(input: Class) -> Native {
    Native::Store(StoreForms {
        input,
        cell: [
            store_values::<O, In, Cell<0>, false>(),
            store_values::<O, In, Cell<0>, true>(),
        ],
        last: [
            store_values::<O, In, Last, false>(),
            store_values::<O, In, Last, true>(),
        ],
        sum: [
            [
                handler::<StoreSum<O, In, Cell<0>, Cell<2>, Cell<1>>>,
                handler::<StoreSum<O, In, Cell<0>, Cell<2>, Long>>,
            ],
            [
                handler::<StoreSum<O, In, Cell<0>, Last, Cell<1>>>,
                handler::<StoreSum<O, In, Cell<0>, Last, Long>>,
            ],
        ],
    })
}

/// The register of a class, and where a constant of it lies in an instruction with a result.
macro_rules! class {
    (@register I32) => {
        Int
    };
    (@register I64) => {
        Int
    };
    (@register Ref) => {
        Int
    };
    (@register F32) => {
        Single
    };
    (@register F64) => {
        Double
    };
    (@constant I32) => {
        Short
    };
    (@constant F32) => {
        Short
    };
    (@constant $wide:ident) => {
        Long
    };
}

/// Makes the table of instructions that have handlers of their own.
macro_rules! natives {
    (
        one { $($one:ident $one_in:ident -> $one_out:ident;)* }
        two { $($two:ident $two_in:ident -> $two_out:ident $(mirrored $mirrored:ident)?;)* }
        condition { $($cond:ident $cond_in:ident $(mirrored $cond_mirrored:ident)?;)* }
        load { $($load:ident $load_out:ident;)* }
        store { $($store:ident $store_in:ident;)* }
    ) => {
        static NATIVES: [Option<&'static Native>; INSTRUCTIONS.len()] = {
            let mut table: [Option<&'static Native>; INSTRUCTIONS.len()] = [None; INSTRUCTIONS.len()];
            $({
                static NATIVE: Native = one::<ops::$one, class!(@register $one_in), class!(@register $one_out)>(Class::$one_out);
                table[Op::$one as usize] = Some(&NATIVE);
            })*
            $({
                static NATIVE: Native = two::<
                    ops::$two, class!(@register $two_in), class!(@register $two_out), class!(@constant $two_in),
                >(Class::$two_in, Class::$two_out, None, None, natives!(@op $($mirrored)?));
                table[Op::$two as usize] = Some(&NATIVE);
            })*
            $({
                static IF: [[Handler; 2]; 5] = branches::<ops::$cond, class!(@register $cond_in), true>();
                static UNLESS: [[Handler; 2]; 5] = branches::<ops::$cond, class!(@register $cond_in), false>();
                static NATIVE: Native = two::<
                    ops::$cond, class!(@register $cond_in), Int, class!(@constant $cond_in),
                >(Class::$cond_in, Class::I32, Some(&IF), Some(&UNLESS), natives!(@op $($cond_mirrored)?));
                table[Op::$cond as usize] = Some(&NATIVE);
            })*
            $({
                static NATIVE: Native = load::<ops::$load, class!(@register $load_out)>(Class::$load_out);
                table[Op::$load as usize] = Some(&NATIVE);
            })*
            $({
                static NATIVE: Native = store::<ops::$store, class!(@register $store_in)>(Class::$store_in);
                table[Op::$store as usize] = Some(&NATIVE);
            })*
            table
        };
    };
    (@op) => { None };
    (@op $op:ident) => { Some(Op::$op) };
}

natives! {
    one {
        I32Eqz I32 -> I32; I32Clz I32 -> I32; I32Ctz I32 -> I32; I32Popcnt I32 -> I32;
        I64Eqz I64 -> I32; I64Clz I64 -> I64; I64Ctz I64 -> I64; I64Popcnt I64 -> I64;
        F32Abs F32 -> F32; F32Neg F32 -> F32; F32Ceil F32 -> F32; F32Floor F32 -> F32; F32Trunc F32 -> F32;
        F32Nearest F32 -> F32; F32Sqrt F32 -> F32;
        F64Abs F64 -> F64; F64Neg F64 -> F64; F64Ceil F64 -> F64; F64Floor F64 -> F64; F64Trunc F64 -> F64;
        F64Nearest F64 -> F64; F64Sqrt F64 -> F64;
        I32WrapI64 I64 -> I32; I64ExtendI32S I32 -> I64; I64ExtendI32U I32 -> I64;
        F32ConvertI32S I32 -> F32; F32ConvertI32U I32 -> F32; F32ConvertI64S I64 -> F32; F32ConvertI64U I64 -> F32;
        F64ConvertI32S I32 -> F64; F64ConvertI32U I32 -> F64; F64ConvertI64S I64 -> F64; F64ConvertI64U I64 -> F64;
        I32ReinterpretF32 F32 -> I32; I64ReinterpretF64 F64 -> I64; F32ReinterpretI32 I32 -> F32;
        F64ReinterpretI64 I64 -> F64;
        I32Extend8S I32 -> I32; I32Extend16S I32 -> I32;
        I64Extend8S I64 -> I64; I64Extend16S I64 -> I64; I64Extend32S I64 -> I64;
        RefIsNull Ref -> I32;
        I32TruncF32S F32 -> I32; I32TruncF32U F32 -> I32; I32TruncF64S F64 -> I32; I32TruncF64U F64 -> I32;
        I64TruncF32S F32 -> I64; I64TruncF32U F32 -> I64; I64TruncF64S F64 -> I64; I64TruncF64U F64 -> I64;
        F32DemoteF64 F64 -> F32; F64PromoteF32 F32 -> F64;
        I32TruncSatF32S F32 -> I32; I32TruncSatF32U F32 -> I32; I32TruncSatF64S F64 -> I32; I32TruncSatF64U F64 -> I32;
        I64TruncSatF32S F32 -> I64; I64TruncSatF32U F32 -> I64; I64TruncSatF64S F64 -> I64; I64TruncSatF64U F64 -> I64;
    }
    two {
        I32Add I32 -> I32 mirrored I32Add; I32Sub I32 -> I32; I32Mul I32 -> I32 mirrored I32Mul;
        I32DivS I32 -> I32; I32DivU I32 -> I32; I32RemS I32 -> I32; I32RemU I32 -> I32;
        I32Or I32 -> I32 mirrored I32Or; I32Xor I32 -> I32 mirrored I32Xor;
        I32Shl I32 -> I32; I32ShrS I32 -> I32; I32ShrU I32 -> I32; I32Rotl I32 -> I32; I32Rotr I32 -> I32;
        I64Add I64 -> I64 mirrored I64Add; I64Sub I64 -> I64; I64Mul I64 -> I64 mirrored I64Mul;
        I64DivS I64 -> I64; I64DivU I64 -> I64; I64RemS I64 -> I64; I64RemU I64 -> I64;
        I64And I64 -> I64 mirrored I64And; I64Or I64 -> I64 mirrored I64Or; I64Xor I64 -> I64 mirrored I64Xor;
        I64Shl I64 -> I64; I64ShrS I64 -> I64; I64ShrU I64 -> I64; I64Rotl I64 -> I64; I64Rotr I64 -> I64;
        F32Add F32 -> F32 mirrored F32Add; F32Sub F32 -> F32; F32Mul F32 -> F32 mirrored F32Mul; F32Div F32 -> F32;
        F64Add F64 -> F64 mirrored F64Add; F64Sub F64 -> F64; F64Mul F64 -> F64 mirrored F64Mul; F64Div F64 -> F64;
        F32Min F32 -> F32; F32Max F32 -> F32; F32Copysign F32 -> F32;
        F64Min F64 -> F64; F64Max F64 -> F64; F64Copysign F64 -> F64;
    }
    condition {
        I32Eq I32 mirrored I32Eq; I32Ne I32 mirrored I32Ne; I32LtS I32 mirrored I32GtS; I32LtU I32 mirrored I32GtU;
        I32GtS I32 mirrored I32LtS; I32GtU I32 mirrored I32LtU; I32LeS I32 mirrored I32GeS; I32LeU I32 mirrored I32GeU;
        I32GeS I32 mirrored I32LeS; I32GeU I32 mirrored I32LeU; I32And I32 mirrored I32And;
        I64Eq I64 mirrored I64Eq; I64Ne I64 mirrored I64Ne; I64LtS I64 mirrored I64GtS; I64LtU I64 mirrored I64GtU;
        I64GtS I64 mirrored I64LtS; I64GtU I64 mirrored I64LtU; I64LeS I64 mirrored I64GeS; I64LeU I64 mirrored I64GeU;
        I64GeS I64 mirrored I64LeS; I64GeU I64 mirrored I64LeU;
        F32Eq F32 mirrored F32Eq; F32Ne F32 mirrored F32Ne; F32Lt F32 mirrored F32Gt; F32Gt F32 mirrored F32Lt;
        F32Le F32 mirrored F32Ge; F32Ge F32 mirrored F32Le;
        F64Eq F64 mirrored F64Eq; F64Ne F64 mirrored F64Ne; F64Lt F64 mirrored F64Gt; F64Gt F64 mirrored F64Lt;
        F64Le F64 mirrored F64Ge; F64Ge F64 mirrored F64Le;
        RefEq Ref mirrored RefEq;
    }
    load {
        I32Load I32; I64Load I64; F32Load F32; F64Load F64;
        I32Load8S I32; I32Load8U I32; I32Load16S I32; I32Load16U I32;
        I64Load8S I64; I64Load8U I64; I64Load16S I64; I64Load16U I64; I64Load32S I64; I64Load32U I64;
    }
    store {
        I32Store I32; I64Store I64; F32Store F32; F64Store F64;
        I32Store8 I32; I32Store16 I32; I64Store8 I64; I64Store16 I64; I64Store32 I64;
    }
}

/// The handlers of loops' ends that add, compare and go back: by whether what is added is a constant, and what the sum is compared
/// with.
pub(super) fn add_branch(op: Op) -> Option<[[Handler; 2]; 2]> {
    macro_rules! comparisons {
        ($($name:ident)*) => {
            match op {
                $(Op::$name => [
                    [handler::<AddBranch<ops::$name, false, false>>, handler::<AddBranch<ops::$name, false, true>>],
                    [handler::<AddBranch<ops::$name, true, false>>, handler::<AddBranch<ops::$name, true, true>>],
                ],)*
                _ => return None,
            }
        };
    }
    Some(comparisons!(I32Eq I32Ne I32LtS I32LtU I32GtS I32GtU I32LeS I32LeU I32GeS I32GeU))
}

/// The load that is executed together with arithmetic on its result, and the handlers of that: the other operand in a cell, in the
/// register.
pub(super) fn with_loaded(op: Op) -> Option<(Op, [Results; 2])> {
    macro_rules! arithmetic {
        ($($name:ident $load:ident $register:ident;)*) => {
            match op {
                $(Op::$name => (Op::$load, [
                    results::<
                        WithLoaded<ops::$name, ops::$load, $register, Cell<2>, false>,
                        WithLoaded<ops::$name, ops::$load, $register, Cell<2>, true>,
                    >(),
                    results::<
                        WithLoaded<ops::$name, ops::$load, $register, Last, false>,
                        WithLoaded<ops::$name, ops::$load, $register, Last, true>,
                    >(),
                ]),)*
                _ => return None,
            }
        };
    }
    Some(arithmetic! {
        F64Add F64Load Double; F64Sub F64Load Double; F64Mul F64Load Double;
        F32Add F32Load Single; F32Sub F32Load Single; F32Mul F32Load Single;
    })
}

/// The multiplication that is executed together with what is done with its result, and the handlers of that: the product on the right
/// or the left, its own first operand in a cell or in the register.
pub(super) fn multiplied(op: Op) -> Option<(Op, [[Results; 2]; 2])> {
    macro_rules! arithmetic {
        (@ $name:ident $register:ident $left:literal) => {
            [
                results::<
                    Multiplied<ops::$name, $register, Cell<0>, $left, false>,
                    Multiplied<ops::$name, $register, Cell<0>, $left, true>,
                >(),
                results::<
                    Multiplied<ops::$name, $register, Last, $left, false>,
                    Multiplied<ops::$name, $register, Last, $left, true>,
                >(),
            ]
        };
        ($($name:ident $multiply:ident $register:ident;)*) => {
            match op {
                $(Op::$name => (Op::$multiply, [
                    arithmetic!(@ $name $register false),
                    arithmetic!(@ $name $register true),
                ]),)*
                _ => return None,
            }
        };
    }
    Some(arithmetic! {
        F64Add F64Mul Double; F64Sub F64Mul Double; F32Add F32Mul Single; F32Sub F32Mul Single;
    })
}

/// How an instruction is translated that has handlers of its own.
pub(super) fn native(op: Op) -> Option<&'static Native> {
    NATIVES[op as usize]
}

/// The handler that executes an instruction with the classic tier's semantics, on operands in their cells.
macro_rules! shared {
    (
        $($op:ident)*
    ) => {
        /// The handler of an instruction that both tiers execute with the same code: see [`Shared`].
        pub(super) fn shared_handler(op: Op) -> Handler {
            match op {
                $(Op::$op => shared::<ops::$op>(),)*
                _ if is_behind(&crate::isa::PREFIXED_FD, op) => shared::<PrefixFd>(),
                _ if is_behind(&crate::isa::PREFIXED_FE, op) => shared::<PrefixFe>(),
                _ => handler::<Bail>,
            }
        }
    };
}
shared! {
    I32Load I64Load F32Load F64Load I32Load8S I32Load8U I32Load16S I32Load16U I64Load8S I64Load8U I64Load16S I64Load16U
    I64Load32S I64Load32U I32Store I64Store F32Store F64Store I32Store8 I32Store16 I64Store8 I64Store16 I64Store32
    MemorySize MemoryGrow MemoryInit DataDrop MemoryCopy MemoryFill
    TableGet TableSet TableInit ElemDrop TableCopy TableGrow TableSize TableFill
    I64Add128 I64Sub128 I64MulWideS I64MulWideU
    StructNew StructNewDefault StructGet StructGetS StructGetU StructSet
    ArrayNew ArrayNewDefault ArrayNewFixed ArrayNewData ArrayNewElem ArrayGet ArrayGetS ArrayGetU ArraySet ArrayLen
    ArrayFill ArrayCopy ArrayInitData ArrayInitElem
    RefTest RefTestNull RefCast RefCastNull AnyConvertExtern ExternConvertAny RefI31 I31GetS I31GetU
}

const fn shared<E: Execute>() -> Handler {
    handler::<Shared<E>>
}

fn is_behind(prefixed: &[Option<Op>], op: Op) -> bool {
    // The operations behind one prefix are successive in the table of instructions.
    let mut found = prefixed.iter().flatten();
    let first = found.next().map(|&op| op as usize);
    let last = prefixed.iter().flatten().last().map(|&op| op as usize);
    matches!((first, last), (Some(first), Some(last)) if (first..=last).contains(&(op as usize)))
}

impl TwoForms {
    /// Those of an instruction that is known to have two operands.
    pub(super) fn of(op: Op) -> &'static TwoForms {
        match native(op) {
            Some(Native::Two(forms)) => forms,
            _ => unreachable!("{op:?} has two operands"),
        }
    }
}

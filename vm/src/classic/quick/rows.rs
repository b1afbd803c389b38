//! The rows of quick code: which instructions and sequences have handlers of their own.
//!
//! Chosen by how often they are executed in compiled programs. Opcodes are bytes, so there is room for 250; an
//! instruction without a row is executed by the handler for the module's bytes, at the price of one more dispatch.

use super::super::context::{Handler, handler, plain};
use super::super::control::{WideLocalGet, WideLocalSet, WideLocalTee};
use super::super::ops::{
    End, F32Add, F32Const, F32Load, F32Mul, F32Store, F64Add, F64Const, F64ConvertI32S, F64Div,
    F64Ge, F64Gt, F64Le, F64Load, F64Lt, F64Mul, F64Neg, F64Sqrt, F64Store, F64Sub, I32Add, I32And,
    I32Const, I32DivS, I32DivU, I32Eq, I32Eqz, I32GeS, I32GeU, I32GtS, I32GtU, I32LeS, I32LeU,
    I32Load, I32Load8U, I32Load16S, I32Load16U, I32LtS, I32LtU, I32Mul, I32Ne, I32Or, I32RemU,
    I32Rotl, I32Shl, I32ShrS, I32ShrU, I32Store, I32Store8, I32Store16, I32Sub, I32WrapI64, I32Xor,
    I64Add, I64And, I64Const, I64Eq, I64ExtendI32S, I64ExtendI32U, I64Load, I64Load8U, I64LtS,
    I64LtU, I64Mul, I64Rotl, I64Shl, I64ShrS, I64ShrU, I64Store, I64Sub, I64Xor, Probe,
};
use super::super::vectors::PrefixFd;
use super::{
    Access, Branch, BranchIf, BranchTable, Calling, CallingIndirect, Constant, Dropping,
    EnterBlock, EnterLoop, FloatConstant, GetGlobal, GetLocal, IfElse, Loading, Next, Nothing, One,
    OverElse, PROBE_BYTE, Quick, Returning, Row, Selecting, SetGlobal, SetLocal, Storing, TeeLocal,
    Two, VECTOR_BYTE, WIDE_GET_BYTE, WIDE_SET_BYTE, WIDE_TEE_BYTE,
};

/// `local.get` with a short index.
type Get = GetLocal<1>;
/// `local.set` with a short index.
type Set = SetLocal<1>;
/// `local.tee` with a short index.
type Tee = TeeLocal<1>;
type C1 = Constant<I32Const, 1>;
type C2 = Constant<I32Const, 2>;
type C3 = Constant<I32Const, 3>;
type C4 = Constant<I32Const, 4>;
type C5 = Constant<I32Const, 5>;
type K1 = Constant<I64Const, 1>;
type K2 = Constant<I64Const, 2>;
type K10 = Constant<I64Const, 10>;
/// A load with a short offset.
type Load<O> = Access<Loading<O>, 2>;
/// A load at an offset that the linker filled in.
type FarLoad<O> = Access<Loading<O>, 6>;
/// A store at an offset that the linker filled in.
type FarStore<O> = Access<Storing<O>, 6>;
/// A store with a short offset.
type Store<O> = Access<Storing<O>, 2>;

quick_rows! {
    // Single instructions.
    (Get,);
    (Set,);
    (Tee,);
    (GetGlobal<1>,);
    (SetGlobal<1>,);
    (GetGlobal<5>,);
    (SetGlobal<5>,);
    (C1,);
    (C2,);
    (C3,);
    (C4,);
    (C5,);
    (K1,);
    (K2,);
    (K10,);
    (FloatConstant<F32Const, 4>,);
    (FloatConstant<F64Const, 8>,);
    (Nothing<End, 1>,);
    (Dropping,);
    (Selecting,);
    (), Branch;
    (), BranchIf;
    (), BranchTable;
    (), IfElse;
    (), OverElse;
    (), EnterLoop;
    (), Returning;
    (), Calling<1>;
    (), Calling<2>;
    (), Calling<5>;
    (), CallingIndirect<2>;
    (), CallingIndirect<6>;
    (), CallingIndirect<10>;
    (), EnterBlock;
    (Load<I32Load>,);
    (Load<I64Load>,);
    (Load<F32Load>,);
    (Load<F64Load>,);
    (Load<I32Load8U>,);
    (Load<I32Load16S>,);
    (Load<I32Load16U>,);
    (Load<I64Load8U>,);
    (Access<Loading<I32Load>, 3>,);
    (Access<Loading<I32Load8U>, 3>,);
    (FarLoad<I32Load>,);
    (FarLoad<F64Load>,);
    (FarLoad<I32Load8U>,);
    (Store<I32Store>,);
    (Store<I64Store>,);
    (Store<F32Store>,);
    (Store<F64Store>,);
    (Store<I32Store8>,);
    (Store<I32Store16>,);
    (Access<Storing<I32Store>, 3>,);
    (Access<Storing<I32Store8>, 3>,);
    (FarStore<I32Store>,);
    (FarStore<F64Store>,);
    (One<I32Eqz>,);
    (One<I32WrapI64>,);
    (One<I64ExtendI32S>,);
    (One<I64ExtendI32U>,);
    (One<F64ConvertI32S>,);
    (One<F64Neg>,);
    (One<F64Sqrt>,);
    (Two<I32Eq>,);
    (Two<I32Ne>,);
    (Two<I32LtS>,);
    (Two<I32LtU>,);
    (Two<I32GtS>,);
    (Two<I32GtU>,);
    (Two<I32LeS>,);
    (Two<I32LeU>,);
    (Two<I32GeS>,);
    (Two<I32GeU>,);
    (Two<I32Add>,);
    (Two<I32Sub>,);
    (Two<I32Mul>,);
    (Two<I32DivS>,);
    (Two<I32DivU>,);
    (Two<I32RemU>,);
    (Two<I32And>,);
    (Two<I32Or>,);
    (Two<I32Xor>,);
    (Two<I32Shl>,);
    (Two<I32ShrS>,);
    (Two<I32ShrU>,);
    (Two<I32Rotl>,);
    (Two<I64Eq>,);
    (Two<I64LtS>,);
    (Two<I64LtU>,);
    (Two<I64Add>,);
    (Two<I64Sub>,);
    (Two<I64Mul>,);
    (Two<I64And>,);
    (Two<I64Xor>,);
    (Two<I64Shl>,);
    (Two<I64ShrS>,);
    (Two<I64ShrU>,);
    (Two<I64Rotl>,);
    (Two<F32Add>,);
    (Two<F32Mul>,);
    (Two<F64Lt>,);
    (Two<F64Gt>,);
    (Two<F64Le>,);
    (Two<F64Ge>,);
    (Two<F64Add>,);
    (Two<F64Sub>,);
    (Two<F64Mul>,);
    (Two<F64Div>,);
    // Moves.
    (Get, Get);
    (Get, Get, Get);
    (Tee, Get, Get);
    (GetGlobal<5>, Set);
    (Get, SetGlobal<5>);
    (GetGlobal<5>, C1, Two<I32Sub>, Tee, SetGlobal<5>);
    (Get, C1);
    (Set, Get);
    (Tee, Get);
    (Get, Set);
    (C1, Set);
    (Set, Get, Get);
    (Get, Set, Get, Set);
    // Arithmetic.
    (Get, C1, Two<I32Add>);
    (Set, Get, C1, Two<I32Add>);
    (Get, C1, Two<I32Shl>, Two<I32Add>);
    (C1, Two<I32Shl>, Get, Two<I32Xor>, Tee);
    (C1, Two<I32ShrU>, Get, Two<I32Xor>, Tee);
    (Get, Get, Two<I32Sub>, Set);
    (Get, Get, Two<I32And>, Set);
    (Two<I32And>, Set);
    (Get, C1, Two<I32Add>, Tee);
    (Get, C1, Two<I32Add>, Set);
    (C1, Two<I32Add>);
    (C1, Two<I32Add>, Tee);
    (C2, Two<I32Add>);
    (Get, C2, Two<I32Add>);
    (C5, Two<I32Add>);
    (Get, C5, Two<I32Add>);
    (Get, Two<I32Add>);
    (Get, Two<I32Add>, Tee);
    (Get, Two<I32Add>, Set);
    (Get, Get, Two<I32Add>);
    (Get, Get, Two<I32Add>, Tee);
    (Two<I32Add>, Tee);
    (Two<I32Add>, Set);
    (C1, Two<I32Shl>);
    (Get, C1, Two<I32Shl>);
    (C1, Two<I32Shl>, Two<I32Add>);
    (C1, Two<I32ShrU>);
    (Get, C1, Two<I32ShrU>);
    (C1, Two<I32And>);
    (C1, Two<I32Rotl>);
    (Get, C1, Two<I32Rotl>);
    (Get, Two<I32Xor>);
    (Get, Two<I32Xor>, Tee);
    (Two<I32Xor>, Tee);
    (Get, Two<I32Sub>);
    (Get, Get, Two<I32Sub>);
    (Two<I32Mul>, Two<I32Add>);
    (K1, Two<I64Rotl>);
    (Tee, K1, Two<I64Rotl>);
    (K1, Two<I64Rotl>, Two<I64Xor>);
    (Get, K1, Two<I64Rotl>);
    (K1, Two<I64Add>);
    (Get, K1, Two<I64Add>, Set);
    (Get, Two<I64Xor>);
    (Get, Two<I64Xor>, Tee);
    (Two<I64Add>, Tee);
    (Two<I64Xor>, Tee);
    (K1, Two<I64ShrU>);
    (Get, Two<F64Mul>);
    (Get, Two<F64Add>);
    (Get, Two<F64Sub>);
    (Get, Get, Two<F64Mul>);
    (Get, Get, Two<F64Mul>, Tee);
    (Get, Two<F64Mul>, Get, Two<F64Add>);
    (Get, Load<F64Load>, Two<F64Add>);
    (Get, Load<F64Load>, Two<F64Mul>);
    (Get, Load<F64Load>, Two<F64Sub>);
    (Two<F64Add>, Store<F64Store>);
    (Two<F64Mul>, Two<F64Add>);
    (Two<F64Mul>, Two<F64Sub>);
    (Get, Two<F64Mul>, Two<F64Add>);
    (Two<F64Mul>, Tee);
    (Two<F64Add>, Tee);
    (Two<F64Add>, Set);
    // Memory.
    (Get, Load<I32Load>);
    (Get, Load<I32Load>, Tee);
    (Get, Load<I32Load>, Set);
    (Get, Get, Load<I32Load>);
    (Load<I32Load>, Tee);
    (Load<I32Load>, Set);
    (Two<I32Add>, Load<I32Load>);
    (Get, Load<I32Load8U>);
    (Get, Load<I32Load16S>);
    (Get, Load<I64Load>);
    (Get, Load<F64Load>);
    (Get, C5, Two<I32Add>, Load<I32Load8U>);
    (Get, C2, Two<I32Add>, Load<F32Load>);
    (Load<F32Load>, Two<F32Mul>);
    (Get, Load<F32Load>, Two<F32Mul>);
    (Get, C2, Two<I32Add>, Load<F32Load>, Two<F32Mul>);
    (Get, Access<Loading<I32Load>, 3>);
    (Get, Access<Loading<I32Load>, 3>, Set);
    (Get, Store<I32Store>);
    (Get, Get, Store<I32Store>);
    (Get, Store<F64Store>);
    (C1, Store<I32Store8>);
    // Branches.
    (Get,), BranchIf;
    (Tee,), BranchIf;
    (Set, Get), BranchIf;
    (C4, Two<I32LtU>), BranchIf;
    (Tee, C1, Two<I32LtU>), BranchIf;
    (Tee, C1, Two<I32GtU>), BranchIf;
    (Tee, C1, Two<I32Ne>), BranchIf;
    (One<I32Eqz>,), BranchIf;
    (Get, One<I32Eqz>), BranchIf;
    (Load<I32Load>, Tee), BranchIf;
    (Get, C1, Two<I32Add>, Tee), BranchIf;
    (Two<I32Add>, Tee), BranchIf;
    (Two<I32Eq>,), BranchIf;
    (Two<I32Ne>,), BranchIf;
    (Two<I32LtS>,), BranchIf;
    (Two<I32LtU>,), BranchIf;
    (Two<I32GtS>,), BranchIf;
    (Two<I32GtU>,), BranchIf;
    (Two<I32LeS>,), BranchIf;
    (Two<I32LeU>,), BranchIf;
    (Two<I32GeS>,), BranchIf;
    (Two<I32GeU>,), BranchIf;
    (Get, Get, Two<I32Eq>), BranchIf;
    (Get, Get, Two<I32Ne>), BranchIf;
    (Get, Get, Two<I32LtS>), BranchIf;
    (Get, Get, Two<I32LtU>), BranchIf;
    (Get, Get, Two<I32GtS>), BranchIf;
    (Get, Get, Two<I32GtU>), BranchIf;
    (Get, Get, Two<I32LeS>), BranchIf;
    (Get, Get, Two<I32GeS>), BranchIf;
    (C1, Two<I32Eq>), BranchIf;
    (C1, Two<I32Ne>), BranchIf;
    (C1, Two<I32LtS>), BranchIf;
    (C1, Two<I32LtU>), BranchIf;
    (C1, Two<I32GtS>), BranchIf;
    (C1, Two<I32GtU>), BranchIf;
    (C2, Two<I32Ne>), BranchIf;
    (C2, Two<I32LtS>), BranchIf;
    (Get, C1, Two<I32LtS>), BranchIf;
    // Calls and returns.
    (Get,), Calling<5>;
    (Get, Get), Calling<5>;
    (Get,), Returning;
}

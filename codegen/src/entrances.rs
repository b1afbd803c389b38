//! Ways into compiled code and out of it: trampolines and relays.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    AbiParam, BlockArg, ExceptionTableData, ExceptionTableItem, Function, InstBuilder,
    MemFlagsData, Signature, UserFuncName, types,
};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use wasmparser::{FuncType, ValType};

use crate::abi::{
    Context, Runtime, returns_in_registers, runtime_signature, signature, value_type,
};

/// Code that enters compiled functions of one type from outside. A C function
/// `(context, address of the function, cells, clock: i64) -> i64`: arguments lie in the cells, where results that registers hold are
/// put; it gives the clock, negative when the function has been left.
#[derive(Debug)]
pub struct Trampoline {
    /// The code, which can lie at every aligned address.
    pub code: Vec<u8>,
    /// What its address is to be a multiple of.
    pub alignment: u32,
    /// Where it goes on after a fault, in bytes from its start, with the registers that it has put into the context. It gives
    /// [`Trampoline::FAULT`] then.
    pub landing: u32,
}

impl Trampoline {
    /// What a trampoline gives after a fault.
    pub const FAULT: i64 = -2;
}

/// The code of a [`Trampoline`].
pub(crate) fn trampoline(
    ty: &FuncType,
    takes_params: bool,
    isa: &dyn TargetIsa,
    builder_context: &mut FunctionBuilderContext,
) -> Function {
    let mut own = Signature::new(isa.default_call_conv());
    own.params = vec![AbiParam::new(types::I64); 4];
    own.returns = vec![AbiParam::new(types::I64)];
    debug_assert_ne!(own.call_conv, CallConv::Tail);
    let mut function = Function::with_name_signature(UserFuncName::user(1, 0), own);
    let mut builder = FunctionBuilder::new(&mut function, builder_context);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let &[context, callee, cells, clock] = builder.block_params(entry) else {
        unreachable!("a trampoline has four parameters");
    };
    // Vectors lie at addresses that are multiples of a cell's size only.
    let flags = MemFlagsData::new().with_notrap();
    let frame_pointer = builder.ins().get_frame_pointer(types::I64);
    let stack_pointer = builder.ins().get_stack_pointer(types::I64);
    let landing_fp = std::mem::offset_of!(Context, landing_fp) as i32;
    let landing_sp = std::mem::offset_of!(Context, landing_sp) as i32;
    builder
        .ins()
        .store(flags, frame_pointer, context, landing_fp);
    builder
        .ins()
        .store(flags, stack_pointer, context, landing_sp);
    let mut arguments = vec![context, clock];
    if takes_params {
        let mut offset = 0;
        for &param in ty.params() {
            let argument = builder.ins().load(value_type(param), flags, cells, offset);
            arguments.push(argument);
            offset += cell_bytes(param);
        }
    }
    let callee_signature = signature(ty, takes_params);
    let normal = builder.create_block();
    let fault = builder.create_block();
    builder.set_cold_block(fault);
    let mut normal_arguments = Vec::new();
    for (index, result) in callee_signature.returns.iter().enumerate() {
        builder.append_block_param(normal, result.value_type);
        normal_arguments.push(BlockArg::TryCallRet(index as u32));
    }
    let callee_signature = builder.import_signature(callee_signature);
    let normal_call = builder.func.dfg.block_call(normal, &normal_arguments);
    let fault_call = builder.func.dfg.block_call(fault, &[]);
    let table = builder
        .func
        .dfg
        .exception_tables
        .push(ExceptionTableData::new(
            callee_signature,
            normal_call,
            [ExceptionTableItem::Default(fault_call)],
        ));
    builder.ins().try_call_indirect(callee, &arguments, table);

    builder.switch_to_block(fault);
    let gave = builder.ins().iconst(types::I64, Trampoline::FAULT);
    builder.ins().return_(&[gave]);

    builder.switch_to_block(normal);
    let results = builder.block_params(normal).to_vec();
    let clock = *results.last().expect("the clock is a result");
    let done = builder.create_block();
    let store = builder.create_block();
    let left = builder.ins().icmp_imm_s(IntCC::SignedLessThan, clock, 0);
    builder.ins().brif(left, done, &[], store, &[]);
    builder.switch_to_block(store);
    if returns_in_registers(ty) {
        let mut offset = 0;
        for (&ty, &result) in ty.results().iter().zip(&results) {
            let cell = match ty {
                ValType::I32 => builder.ins().uextend(types::I64, result),
                ValType::F32 => {
                    let bits = builder
                        .ins()
                        .bitcast(types::I32, MemFlagsData::new(), result);
                    builder.ins().uextend(types::I64, bits)
                }
                _ => result,
            };
            builder.ins().store(flags, cell, cells, offset);
            offset += cell_bytes(ty);
        }
    }
    builder.ins().jump(done, &[]);
    builder.switch_to_block(done);
    builder.ins().return_(&[clock]);
    builder.seal_all_blocks();
    builder.finalize(isa.frontend_config());
    function
}

/// The function that code calls instead of a function of the runtime where registers are to be preserved: see [`Runtime::is_rare`].
pub(crate) fn relay(
    function: Runtime,
    address: usize,
    isa: &dyn TargetIsa,
    builder_context: &mut FunctionBuilderContext,
) -> Function {
    let own = runtime_signature(function, isa.default_call_conv());
    debug_assert_eq!(own.call_conv, CallConv::PreserveAll);
    let mut called = own.clone();
    called.call_conv = isa.default_call_conv();
    called.returns.push(AbiParam::new(types::I64));
    let mut relay = Function::with_name_signature(UserFuncName::user(2, 0), own);
    let mut builder = FunctionBuilder::new(&mut relay, builder_context);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let arguments = builder.block_params(entry).to_vec();
    let address = builder.ins().iconst(types::I64, address as i64);
    let called = builder.import_signature(called);
    let call = builder.ins().call_indirect(called, address, &arguments);
    let answer = builder.inst_results(call)[0];
    let offset = std::mem::offset_of!(Context, answer) as i32;
    let context = arguments[0];
    builder
        .ins()
        .store(MemFlagsData::trusted(), answer, context, offset);
    builder.ins().return_(&[]);
    builder.seal_all_blocks();
    builder.finalize(isa.frontend_config());
    relay
}

/// Bytes of the cells of a value.
fn cell_bytes(ty: ValType) -> i32 {
    match ty {
        ValType::V128 => 16,
        _ => 8,
    }
}

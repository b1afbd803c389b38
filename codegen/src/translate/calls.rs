//! Calls.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    ExtFuncData, ExternalName, FuncRef, InstBuilder, SigRef, UserExternalName, Value, types,
};
use wasmparser::{FuncType, Operator};

use super::Translator;
use crate::abi::{Context, Runtime, TableView, entry_offset, returns_in_registers, signature};
use crate::compiler::Error;
use crate::env::{CalleeKind, Start};

/// What is called.
enum Callee {
    /// The function that is being compiled.
    Own,
    /// The code at an address.
    Code(Value),
}

impl Translator<'_, '_> {
    /// Translates a call; answers whether it was one.
    pub(super) fn call(&mut self, operator: &Operator<'_>) -> Result<bool, Error> {
        match *operator {
            Operator::Call { function_index } => self.call_function(function_index, false),
            Operator::ReturnCall { function_index } => self.call_function(function_index, true),
            Operator::CallIndirect {
                type_index,
                table_index,
            } => self.call_indirect(type_index, table_index, false),
            Operator::ReturnCallIndirect {
                type_index,
                table_index,
            } => self.call_indirect(type_index, table_index, true),
            Operator::CallRef { type_index } => self.call_ref(type_index, false),
            Operator::ReturnCallRef { type_index } => self.call_ref(type_index, true),
            _ => return Ok(false),
        }
        self.forget_known();
        Ok(true)
    }

    fn call_function(&mut self, index: u32, is_tail: bool) {
        let ty = self.job.env.func_type(index).clone();
        self.make_exact(ty.params().len());
        match self.job.env.callee(index) {
            CalleeKind::Wasm => {}
            CalleeKind::Host if !is_tail => {
                self.call_host(index, &ty);
                return;
            }
            CalleeKind::Host | CalleeKind::Other => {
                self.give_away();
                return;
            }
        }
        let address = self.job.env.func_address(index);
        let callee = if address == self.job.func && self.job.start == Start::Call {
            Callee::Own
        } else {
            let offset = entry_offset(address);
            let code = self.load_context(types::I64, offset);
            let func = self.constant(u64::from(address));
            Callee::Code(self.with_entry(code, func))
        };
        self.finish_call(&callee, &ty, is_tail);
    }

    /// The address where a function is entered; asks the runtime where there is none yet.
    fn with_entry(&mut self, code: Value, func: Value) -> Value {
        let cold = self.cold_block();
        let next = self.builder.create_block();
        let entry = self.builder.append_block_param(next, types::I64);
        self.builder
            .ins()
            .brif(code, next, &[code.into()], cold, &[]);
        self.builder.seal_block(cold);
        self.builder.switch_to_block(cold);
        let made = self.call_runtime(Runtime::Entry, &[func]);
        self.builder.ins().jump(next, &[made.into()]);
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
        entry
    }

    fn call_host(&mut self, index: u32, ty: &FuncType) {
        let count = ty.params().len();
        self.put_cells(count);
        let address = u64::from(self.job.env.func_address(index));
        let address = self.constant(address);
        let caller = self.constant(u64::from(self.job.func));
        let status = self.call_runtime(Runtime::HostCall, &[caller, address]);
        self.give_away_if(status);
        self.drop_operands(count);
        self.take_cells(ty.results());
    }

    fn call_indirect(&mut self, type_index: u32, table_index: u32, is_tail: bool) {
        let ty = self.job.env.sub_type(type_index).unwrap_func().clone();
        let index = self.pop();
        self.make_exact(ty.params().len());
        self.push(index);
        let table = self.job.env.table(table_index);
        let index = self.widen(index);
        let views = self.load_constant(types::I64, offset_of!(Context, tables) as i32);
        let view = (table.address as usize * size_of::<TableView>()) as i32;
        let flags = self.flags(self.regions.tables);
        let count = view + offset_of!(TableView, count) as i32;
        let count = self.builder.ins().load(types::I64, flags, views, count);
        let is_outside = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedGreaterThanOrEqual, index, count);
        self.give_away_if(is_outside);
        let elements = view + offset_of!(TableView, elements) as i32;
        let elements = self.builder.ins().load(types::I64, flags, views, elements);
        let offset = self.builder.ins().ishl_imm_u(index, 3);
        let place = self.builder.ins().iadd(elements, offset);
        let cell = self.builder.ins().load(types::I64, flags, place, 0);
        self.check_type(cell, type_index);
        self.pop();
        self.call_cell(cell, &ty, is_tail);
    }

    /// Gives the present instruction away unless a reference leads to a wasm function of the type.
    fn check_type(&mut self, cell: Value, type_index: u32) {
        let types_base = self.load_constant(types::I64, offset_of!(Context, func_types) as i32);
        let offset = self.builder.ins().ishl_imm_u(cell, 2);
        let place = self.builder.ins().iadd(types_base, offset);
        let flags = cranelift_codegen::ir::MemFlagsData::trusted().with_readonly();
        let actual = self.builder.ins().load(types::I32, flags, place, 0);
        let wanted = self.job.env.type_id(type_index);
        let differs = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::NotEqual, actual, i64::from(wanted));
        self.if_rare(differs, |this| {
            let wanted = this.constant(u64::from(wanted));
            let status = this.call_runtime(Runtime::Resolve, &[cell, wanted]);
            // Otherwise it is a subtype.
            this.give_away_if(status);
        });
    }

    fn call_ref(&mut self, type_index: u32, is_tail: bool) {
        let ty = self.job.env.sub_type(type_index).unwrap_func().clone();
        let cell = self.pop();
        self.make_exact(ty.params().len());
        self.push(cell);
        // Null and functions of the host have no type there.
        self.check_type(cell, type_index);
        self.pop();
        self.call_cell(cell, &ty, is_tail);
    }

    /// Calls the wasm function that a reference leads to.
    fn call_cell(&mut self, cell: Value, ty: &FuncType, is_tail: bool) {
        let func = self.builder.ins().iadd_imm_s(cell, -1);
        let offset = self.builder.ins().ishl_imm_u(func, 3);
        let place = self.builder.ins().iadd(self.context, offset);
        let flags = self.flags(self.regions.context);
        let code = self
            .builder
            .ins()
            .load(types::I64, flags, place, entry_offset(0));
        let code = self.with_entry(code, func);
        self.finish_call(&Callee::Code(code), ty, is_tail);
    }

    /// Calls with the operands on the stack, which are exact.
    fn finish_call(&mut self, callee: &Callee, ty: &FuncType, is_tail: bool) {
        let count = ty.params().len();
        let clock = self.builder.use_var(self.clock);
        let mut arguments = vec![self.context, clock];
        let start = self.stack.len() - count;
        arguments.extend(self.stack[start..].iter().map(|operand| operand.value));
        self.stack.truncate(start);
        if is_tail {
            match *callee {
                Callee::Own => {
                    let own = self.own_function();
                    self.builder.ins().return_call(own, &arguments);
                }
                Callee::Code(code) => {
                    let signature = self.import_signature(ty);
                    self.builder
                        .ins()
                        .return_call_indirect(signature, code, &arguments);
                }
            }
            self.is_reachable = false;
            return;
        }
        let call = match *callee {
            Callee::Own => {
                let own = self.own_function();
                self.builder.ins().call(own, &arguments)
            }
            Callee::Code(code) => {
                let signature = self.import_signature(ty);
                self.builder
                    .ins()
                    .call_indirect(signature, code, &arguments)
            }
        };
        let results = self.builder.inst_results(call).to_vec();
        let (&clock, results) = results.split_last().expect("the clock is a result");
        let is_left = self
            .builder
            .ins()
            .icmp_imm_s(IntCC::SignedLessThan, clock, 0);
        let cold = self.cold_block();
        self.branch_cold(is_left, cold);
        let next = self.builder.current_block().expect("a block");
        self.builder.seal_block(cold);
        self.builder.switch_to_block(cold);
        self.exit(self.next_pc, None);
        self.builder.switch_to_block(next);
        self.builder.def_var(self.clock, clock);
        if returns_in_registers(ty) {
            results.iter().for_each(|&value| self.push(value));
        } else {
            self.take_cells(ty.results());
        }
    }

    fn import_signature(&mut self, ty: &FuncType) -> SigRef {
        let signature = signature(ty, true);
        let known = self.builder.func.dfg.signatures.iter();
        let mut known = known.filter(|(_, known)| **known == signature);
        match known.next() {
            Some((reference, _)) => reference,
            None => self.builder.import_signature(signature),
        }
    }

    fn own_function(&mut self) -> FuncRef {
        if let Some(own) = self.own {
            return own;
        }
        let signature = self.import_signature(self.job.ty);
        let name = UserExternalName::new(0, self.job.func);
        let name = self.builder.func.declare_imported_user_function(name);
        let own = self.builder.import_function(ExtFuncData {
            name: ExternalName::user(name),
            signature,
            colocated: true,
            patchable: false,
        });
        self.own = Some(own);
        own
    }
}

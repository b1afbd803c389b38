//! Translation of calls and returns.

use wasmparser::FuncType;

use super::stack::{Operand, Src};
use super::variables::by_register;
use super::{Obstacle, Translator};
use crate::address::FuncAddr;
use crate::decode::Instruction;
use crate::fast::context::{Cell, Double, Handler, Int, Last, Long, Single, caller_word, handler};
use crate::fast::effects::class_of;
use crate::fast::handlers::calls::{
    Call, CallIndirect, CallRef, Return, ReturnCall, ReturnCallIndirect, ReturnCallRef, ReturnMany,
    ReturnOne,
};
use crate::fast::handlers::control::Bail;
use crate::fast::table::{Class, RegisterKind};
use crate::isa::Op;
use crate::store::FuncKind;

impl Translator<'_> {
    /// Returns with the topmost operands.
    pub(super) fn emit_return(&mut self) -> Result<(), Obstacle> {
        let results = self.labels[0].results.clone();
        match results[..] {
            [] => {
                self.emit(handler::<Return>, 0, "return", &[]);
            }
            [class] if class != Class::V128 => {
                let kind = class.register().ok_or(Obstacle::Code)?;
                let operand = self.pop();
                let source = self.source(&operand);
                let handler: Handler = by_register!(kind, R => match source {
                    Src::Cell(_) => handler::<ReturnOne<R, Cell<0>>>,
                    Src::Last => handler::<ReturnOne<R, Last>>,
                    Src::Constant(_) => handler::<ReturnOne<R, Long>>,
                });
                let cell = match source {
                    Src::Cell(cell) => cell,
                    _ => 0,
                };
                let word = self.fields(cell, 0, 0, 0);
                self.emit(handler, word, "return", &[operand]);
                if let Src::Constant(bits) = source {
                    self.code.push(bits);
                }
            }
            _ => {
                self.flush();
                let first = self
                    .operands
                    .len()
                    .checked_sub(results.len())
                    .ok_or(Obstacle::Code)?;
                let operands = self.operands.split_off(first);
                let cells: u32 = results.iter().map(|class| class.cells()).sum();
                let word = self.fields(operands[0].cell, 0, 0, 0) | u64::from(cells) << 32;
                self.emit(handler::<ReturnMany>, word, "return", &operands);
            }
        }
        self.unreachable = Some(0);
        Ok(())
    }

    /// Sees to it that all operands are in their cells, and takes the arguments off the stack; answers them and the first one's cell.
    fn take_arguments(&mut self, ty: &FuncType) -> Result<(Vec<Operand>, u32), Obstacle> {
        self.flush();
        let first = self
            .operands
            .len()
            .checked_sub(ty.params().len())
            .ok_or(Obstacle::Code)?;
        let cell = self
            .operands
            .get(first)
            .map_or(self.top_cell(), |operand| operand.cell);
        Ok((self.operands.split_off(first), cell))
    }

    /// What is there after a call has returned.
    fn after_call(&mut self, ty: &FuncType) {
        let cell = self.top_cell();
        self.forget_registers();
        for &result in ty.results() {
            self.push_kept(class_of(result));
        }
        if let [result] = ty.results()
            && let Some(kind) = class_of(*result).register()
        {
            self.set_same(kind, cell);
        }
    }

    pub(super) fn call(
        &mut self,
        index: u32,
        instruction: &Instruction,
        is_tail: bool,
    ) -> Result<(), Obstacle> {
        let store = self.store;
        let func: FuncAddr = self.instance.funcs[index as usize];
        let inst = &store.funcs[func.index()];
        let ty = store.types.func(inst.type_id);
        let (arguments, cell) = self.take_arguments(ty)?;
        let word = self.fields(cell, 0, 0, 0) | u64::from(func.0) << 32;
        let is_elsewhere = inst.kind == FuncKind::Wasm && inst.instance != self.instance_addr;
        let (handler, name): (Handler, _) = match (is_elsewhere, is_tail) {
            (true, _) => (handler::<Bail>, "call.elsewhere"),
            (false, false) => (handler::<Call>, "call"),
            (false, true) => (handler::<ReturnCall>, "return_call"),
        };
        self.finish_call(handler, word, &[], instruction, name, &arguments);
        if is_tail {
            self.unreachable = Some(0);
        } else {
            self.after_call(ty);
        }
        Ok(())
    }

    /// Emits a call with its further words and, last, the word that says who calls.
    fn finish_call(
        &mut self,
        handler: Handler,
        word: u64,
        further: &[u64],
        instruction: &Instruction,
        name: &'static str,
        arguments: &[Operand],
    ) {
        self.emit(handler, word, name, arguments);
        self.code.extend(further);
        self.code.push(caller_word(self.func.0, instruction.next.0));
    }

    pub(super) fn call_indirect(
        &mut self,
        ty: u32,
        table: u32,
        instruction: &Instruction,
    ) -> Result<(), Obstacle> {
        let is_tail = instruction.op == Op::ReturnCallIndirect;
        let type_id = self.instance.type_ids[ty as usize];
        let store = self.store;
        let ty = store.types.func(type_id);
        let index = self.pop();
        let source = self.source_in_cell(&index);
        let (mut arguments, cell) = self.take_arguments(ty)?;
        let index_cell = match source {
            Src::Cell(cell) => cell,
            _ => 0,
        };
        let table = self.instance.tables[table as usize];
        let word = self.fields(cell, index_cell, 0, 0) | u64::from(table.0) << 32;
        let handler: Handler = match (source, is_tail) {
            (Src::Cell(_), false) => handler::<CallIndirect<Cell<1>>>,
            (_, false) => handler::<CallIndirect<Last>>,
            (Src::Cell(_), true) => handler::<ReturnCallIndirect<Cell<1>>>,
            (_, true) => handler::<ReturnCallIndirect<Last>>,
        };
        arguments.push(index);
        let name = instruction.info().mnemonic;
        self.finish_call(
            handler,
            word,
            &[u64::from(type_id.0)],
            instruction,
            name,
            &arguments,
        );
        if is_tail {
            self.unreachable = Some(0);
        } else {
            self.after_call(ty);
        }
        Ok(())
    }

    pub(super) fn call_ref(&mut self, ty: u32, instruction: &Instruction) -> Result<(), Obstacle> {
        let is_tail = instruction.op == Op::ReturnCallRef;
        let type_id = self.instance.type_ids[ty as usize];
        let store = self.store;
        let ty = store.types.func(type_id);
        let reference = self.pop();
        let reference_cell = self.in_cell(&reference);
        let (mut arguments, cell) = self.take_arguments(ty)?;
        let word = self.fields(cell, reference_cell, 0, 0);
        let handler: Handler = if is_tail {
            handler::<ReturnCallRef>
        } else {
            handler::<CallRef>
        };
        arguments.push(reference);
        let name = instruction.info().mnemonic;
        self.finish_call(
            handler,
            word,
            &[u64::from(type_id.0)],
            instruction,
            name,
            &arguments,
        );
        if is_tail {
            self.unreachable = Some(0);
        } else {
            self.after_call(ty);
        }
        Ok(())
    }
}

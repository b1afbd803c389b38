//! Variables, references, and what the runtime executes: objects, tables, segments, atomics.

use std::mem::offset_of;

use cranelift_codegen::ir::{InstBuilder, types};
use wasmparser::{Operator, RefType, StorageType, ValType};

use super::{Operand, Translator};
use crate::abi::{Context, Runtime, STATUS_DONE, value_type};
use crate::compiler::Error;

/// What an instruction takes from the stack and gives: the number of operands, and the types of results.
struct Effect {
    operands: usize,
    results: Vec<ValType>,
}

/// The type of a result whose cell holds a reference, whatever its static type is.
const REFERENCE: ValType = ValType::Ref(RefType::ANYREF);

impl Translator<'_, '_> {
    /// Translates what no other part does.
    pub(super) fn variable_or_object(&mut self, operator: &Operator<'_>) -> Result<(), Error> {
        match *operator {
            Operator::Drop => {
                self.stack.pop();
            }
            Operator::Select | Operator::TypedSelect { .. } => {
                let condition = self.pop();
                let condition = self.truth(condition);
                self.make_exact(2);
                let right = self.pop();
                let left = self.pop();
                let value = self.builder.ins().select(condition, left, right);
                self.push(value);
            }
            Operator::LocalGet { local_index } => {
                let index = local_index as usize;
                let value = self.local(index);
                let local = &mut self.locals[index];
                local.known = Some(value);
                self.stack.push(Operand {
                    value,
                    is_arithmetic: local.is_arithmetic,
                });
            }
            Operator::LocalSet { local_index } => {
                self.set_local(local_index);
                self.stack.pop();
            }
            Operator::LocalTee { local_index } => self.set_local(local_index),
            Operator::GlobalGet { global_index } => {
                let global = self.job.env.global(global_index);
                let globals = self.load_constant(types::I64, offset_of!(Context, globals) as i32);
                let flags = self.flags(self.regions.globals);
                let offset = 8 * global.cell as i32;
                let value = self
                    .builder
                    .ins()
                    .load(value_type(global.ty), flags, globals, offset);
                self.push(value);
            }
            Operator::GlobalSet { global_index } => {
                let value = self.pop_exact();
                let global = self.job.env.global(global_index);
                let globals = self.load_constant(types::I64, offset_of!(Context, globals) as i32);
                let flags = self.flags(self.regions.globals);
                let offset = 8 * global.cell as i32;
                self.builder.ins().store(flags, value, globals, offset);
            }
            Operator::RefNull { .. } => {
                let null = self.constant(0);
                self.push(null);
            }
            Operator::RefIsNull => {
                let reference = self.pop();
                let is_null = self.is_zero(reference);
                self.push_truth(is_null);
            }
            Operator::RefFunc { function_index } => {
                let address = self.job.env.func_address(function_index);
                let cell = self.constant(u64::from(address) + 1);
                self.push(cell);
            }
            Operator::RefAsNonNull => {
                let reference = self.peek(0);
                let is_null = self.is_zero(reference);
                self.give_away_if(is_null);
            }
            // References of both sides have the same cells.
            Operator::AnyConvertExtern | Operator::ExternConvertAny => {}
            _ => {
                let effect = self.effect(operator)?;
                let is_watched = self.job.watched.is_some_and(|watched| watched.memory());
                if is_watched && is_atomic_access(operator) {
                    let always = self.constant(1);
                    self.give_away_if(always);
                }
                self.perform(&effect);
            }
        }
        Ok(())
    }

    /// Gives a local the value on the stack, which stays there.
    fn set_local(&mut self, index: u32) {
        let local = self.locals[index as usize];
        if !local.is_arithmetic {
            self.make_exact(1);
        }
        let value = self.peek(0);
        let value = self.cast(value, local.held);
        self.keep_local(index as usize, value);
        self.bring_home(index as usize, value);
    }

    /// Has the runtime execute the present instruction.
    fn perform(&mut self, effect: &Effect) {
        self.make_exact(effect.operands);
        let start = self.stack.len() - effect.operands;
        let operands = self.stack[start..].iter();
        let cells: usize = operands
            .map(|operand| super::cells_of(self.type_of(operand.value)))
            .sum();
        self.put_cells(effect.operands);
        let func = self.constant(u64::from(self.job.func));
        let pc = self.constant(u64::from(self.pc));
        let count = self.constant(cells as u64);
        let status = self.call_runtime(Runtime::Perform, &[func, pc, count]);
        self.forget_known();
        const { assert!(STATUS_DONE == 0) };
        self.give_away_if(status);
        self.drop_operands(effect.operands);
        self.take_cells(&effect.results);
    }

    fn effect(&self, operator: &Operator<'_>) -> Result<Effect, Error> {
        use Operator as Op;
        let of = |operands: usize, results: &[ValType]| Effect {
            operands,
            results: results.to_vec(),
        };
        let address_of = |is_64: bool| if is_64 { ValType::I64 } else { ValType::I32 };
        Ok(match *operator {
            Op::MemoryGrow { mem } => of(1, &[address_of(self.job.env.memory(mem).is_64)]),
            Op::MemoryFill { .. } | Op::MemoryInit { .. } => of(3, &[]),
            Op::DataDrop { .. } | Op::ElemDrop { .. } => of(0, &[]),
            Op::TableGet { .. } => of(1, &[REFERENCE]),
            Op::TableSet { .. } => of(2, &[]),
            Op::TableSize { table } => of(0, &[address_of(self.job.env.table(table).is_64)]),
            Op::TableGrow { table } => of(2, &[address_of(self.job.env.table(table).is_64)]),
            Op::TableFill { .. } | Op::TableCopy { .. } | Op::TableInit { .. } => of(3, &[]),
            Op::I64Add128 | Op::I64Sub128 => of(4, &[ValType::I64; 2]),
            Op::I64MulWideS | Op::I64MulWideU => of(2, &[ValType::I64; 2]),
            Op::RefI31 => of(1, &[REFERENCE]),
            Op::I31GetS | Op::I31GetU => of(1, &[ValType::I32]),
            Op::RefTestNonNull { .. } | Op::RefTestNullable { .. } => of(1, &[ValType::I32]),
            Op::RefCastNonNull { .. } | Op::RefCastNullable { .. } => of(1, &[REFERENCE]),
            Op::StructNew { struct_type_index } => {
                of(self.fields(struct_type_index).len(), &[REFERENCE])
            }
            Op::StructNewDefault { .. } => of(0, &[REFERENCE]),
            Op::StructGet {
                struct_type_index,
                field_index,
            }
            | Op::StructGetS {
                struct_type_index,
                field_index,
            }
            | Op::StructGetU {
                struct_type_index,
                field_index,
            } => {
                let field = self.fields(struct_type_index)[field_index as usize];
                of(1, &[field.element_type.unpack()])
            }
            Op::StructSet { .. } => of(2, &[]),
            Op::ArrayNew { .. } => of(2, &[REFERENCE]),
            Op::ArrayNewDefault { .. } => of(1, &[REFERENCE]),
            Op::ArrayNewFixed { array_size, .. } => of(array_size as usize, &[REFERENCE]),
            Op::ArrayNewData { .. } | Op::ArrayNewElem { .. } => of(2, &[REFERENCE]),
            Op::ArrayGet { array_type_index }
            | Op::ArrayGetS { array_type_index }
            | Op::ArrayGetU { array_type_index } => {
                of(2, &[self.element(array_type_index).unpack()])
            }
            Op::ArraySet { .. } => of(3, &[]),
            Op::ArrayLen => of(1, &[ValType::I32]),
            Op::ArrayFill { .. } | Op::ArrayInitData { .. } | Op::ArrayInitElem { .. } => {
                of(4, &[])
            }
            Op::ArrayCopy { .. } => of(5, &[]),
            ref other => return atomic_effect(other),
        })
    }

    fn fields(&self, index: u32) -> &[wasmparser::FieldType] {
        &self.job.env.sub_type(index).unwrap_struct().fields
    }

    fn element(&self, index: u32) -> StorageType {
        self.job.env.sub_type(index).unwrap_array().0.element_type
    }
}

/// Whether the runtime accesses memory for an instruction that only watches of memory concern.
fn is_atomic_access(operator: &Operator<'_>) -> bool {
    !matches!(operator, Operator::AtomicFence { .. }) && format!("{operator:?}").contains("Atomic")
}

fn atomic_effect(operator: &Operator<'_>) -> Result<Effect, Error> {
    use Operator as Op;
    let (operands, result) = match operator {
        Op::AtomicFence { .. } => (0, None),
        Op::MemoryAtomicNotify { .. } => (2, Some(ValType::I32)),
        Op::MemoryAtomicWait32 { .. } | Op::MemoryAtomicWait64 { .. } => (3, Some(ValType::I32)),
        Op::I32AtomicLoad { .. } | Op::I32AtomicLoad8U { .. } | Op::I32AtomicLoad16U { .. } => {
            (1, Some(ValType::I32))
        }
        Op::I64AtomicLoad { .. }
        | Op::I64AtomicLoad8U { .. }
        | Op::I64AtomicLoad16U { .. }
        | Op::I64AtomicLoad32U { .. } => (1, Some(ValType::I64)),
        Op::I32AtomicStore { .. }
        | Op::I32AtomicStore8 { .. }
        | Op::I32AtomicStore16 { .. }
        | Op::I64AtomicStore { .. }
        | Op::I64AtomicStore8 { .. }
        | Op::I64AtomicStore16 { .. }
        | Op::I64AtomicStore32 { .. } => (2, None),
        other => {
            // The rest reads, modifies and writes; the name says of what type.
            let name = format!("{other:?}");
            let ty = if name.starts_with("I32AtomicRmw") {
                ValType::I32
            } else if name.starts_with("I64AtomicRmw") {
                ValType::I64
            } else {
                return Err(Error::Instruction(
                    "an instruction that machine code does not know",
                ));
            };
            let operands = if name.contains("Cmpxchg") { 3 } else { 2 };
            (operands, Some(ty))
        }
    };
    Ok(Effect {
        operands,
        results: result.into_iter().collect(),
    })
}

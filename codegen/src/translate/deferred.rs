//! Stores of floats whose NaN is looked for later, along with that of the next one: a comparison of two values finds the NaN of either.
//!
//! In between the memory may hold some other NaN than the canonical one. Nobody sees that: code is not left, control does not branch,
//! and nothing is done that cannot be done again. It is if there was a NaN: after the right one has been stored, in code that hardly ever
//! runs. An access that faults in between gives the whole state up, which is made anew from one in the past.

use std::collections::{BTreeMap, BTreeSet};

use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::{BlockArg, InstBuilder, Value};
use wasmparser::Operator;

use super::floats::is_arithmetic;
use super::memory::{Place, can_leave};
use super::{Operand, Translator};
use crate::compiler::Error;

/// How many instructions the search for a NaN is put off for at most, all of which are translated twice.
const WAITING_MAX: usize = 24;

/// A store of a result of arithmetic, as it is.
pub(super) struct Deferred<'a> {
    value: Value,
    at: Place,
    /// The operands that it left.
    stack: Vec<Operand>,
    /// What has been done since.
    since: Vec<Operator<'a>>,
    /// The values of locals that have been read since, and those that have been set.
    read: BTreeMap<u32, Value>,
    set: BTreeSet<u32>,
}

impl<'a> Translator<'a, '_> {
    /// Looks for the NaN of the last store, if that is still to be done and cannot wait for what the present instruction does.
    pub(super) fn settle_before(&mut self, operator: &Operator<'a>) -> Result<(), Error> {
        let Some(deferred) = &self.deferred else {
            return Ok(());
        };
        let is_full = deferred.since.len() == WAITING_MAX;
        // Before the instruction the code may be left.
        let is_stop = self.present_probe().is_some() || self.is_watched(operator);
        let is_repeatable = can_be_repeated(operator) && !can_leave(self.job, operator);
        if is_stop || is_full || !is_repeatable {
            let with_top = !is_stop && self.can_defer(operator);
            return self.settle(with_top);
        }
        self.note(operator);
        Ok(())
    }

    /// Keeps an instruction, and the value that a local has before it is set, if that has been looked at: who does it again wants both.
    fn note(&mut self, operator: &Operator<'a>) {
        let Some(mut deferred) = self.deferred.take() else {
            return;
        };
        deferred.since.push(operator.clone());
        match *operator {
            Operator::LocalGet { local_index } if !deferred.set.contains(&local_index) => {
                let value = self.local(local_index as usize);
                deferred.read.entry(local_index).or_insert(value);
            }
            Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                deferred.set.insert(local_index);
            }
            _ => {}
        }
        self.deferred = Some(deferred);
    }

    /// Whether the present instruction is a store that may leave the search for its NaN for later.
    pub(super) fn can_defer(&self, operator: &Operator<'_>) -> bool {
        let is_float = matches!(
            operator,
            Operator::F32Store { .. } | Operator::F64Store { .. }
        );
        let is_arithmetic = self.stack.last().is_some_and(|it| it.is_arithmetic);
        is_float && is_arithmetic
    }

    /// Stores a result of arithmetic as it is, for now. Its operands have been taken from the stack.
    pub(super) fn store_deferred(&mut self, value: Value, at: Place) {
        self.store_place(value, at);
        self.deferred = Some(Deferred {
            value,
            at,
            stack: self.stack.clone(),
            since: Vec::new(),
            read: BTreeMap::new(),
            set: BTreeSet::new(),
        });
    }

    /// Looks for the NaN of the last store; `with_top`: and, if that is as wide, of the topmost operand, which is exact then.
    fn settle(&mut self, with_top: bool) -> Result<(), Error> {
        let Some(deferred) = self.deferred.take() else {
            return Ok(());
        };
        let top = self
            .stack
            .last()
            .map(|top| top.value)
            .filter(|&top| with_top && self.type_of(top) == self.type_of(deferred.value));
        let other = top.unwrap_or(deferred.value);
        // What has not lain on the stack since before the store, or is made exact.
        let height = self.stack.len();
        let new: Vec<usize> = (0..height)
            .filter(|&index| {
                let before = deferred.stack.get(index);
                before.is_none_or(|before| before.value != self.stack[index].value)
                    || (top.is_some() && index + 1 == height)
            })
            .collect();
        let cold = self.cold_block();
        let next = self.builder.create_block();
        let arguments = self.values_at(&new);
        let is_nan = self
            .builder
            .ins()
            .fcmp(FloatCC::Unordered, deferred.value, other);
        self.builder.ins().brif(is_nan, cold, &[], next, &arguments);
        for &index in &new {
            let ty = self.type_of(self.stack[index].value);
            self.builder.append_block_param(next, ty);
        }
        self.builder.seal_block(cold);
        self.builder.switch_to_block(cold);
        let after = self.stack.clone();
        self.repeat(deferred)?;
        if let (Some(_), Some(last)) = (top, self.stack.last().copied()) {
            let exact = self.chosen(last.value);
            self.stack.last_mut().expect("the operand").value = exact;
        }
        let arguments = self.values_at(&new);
        self.builder.ins().jump(next, &arguments);
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
        self.stack = after;
        for (&index, &param) in new.iter().zip(self.builder.block_params(next)) {
            self.stack[index].value = param;
        }
        if let (Some(_), Some(last)) = (top, self.stack.last_mut()) {
            last.is_arithmetic = false;
        }
        self.forget_known();
        Ok(())
    }

    /// Stores the value as it is to be, and does again what has been done since.
    fn repeat(&mut self, deferred: Deferred<'a>) -> Result<(), Error> {
        let exact = self.chosen(deferred.value);
        self.store_place(exact, deferred.at);
        self.stack = deferred.stack;
        self.forget_known();
        let read = deferred.read.into_iter();
        for (local, value) in read.filter(|(local, _)| deferred.set.contains(local)) {
            self.keep_local(local as usize, value);
        }
        let mut since = deferred.since.iter();
        since.try_for_each(|operator| self.instruction(operator))
    }

    fn values_at(&self, indices: &[usize]) -> Vec<BlockArg> {
        let values = indices.iter().map(|&index| self.stack[index].value);
        values.map(BlockArg::Value).collect()
    }

    /// A float, or the canonical NaN if it is one.
    fn chosen(&mut self, value: Value) -> Value {
        let nan = self.canonical_nan(self.type_of(value));
        let is_nan = self.builder.ins().fcmp(FloatCC::Unordered, value, value);
        self.builder.ins().select(is_nan, nan, value)
    }
}

/// Whether an instruction can be done twice, and never leaves the code if it is no access of memory that does.
fn can_be_repeated(operator: &Operator<'_>) -> bool {
    use Operator as Op;
    let is_plain = matches!(
        operator,
        Op::Nop
            | Op::Drop
            | Op::LocalGet { .. }
            | Op::LocalSet { .. }
            | Op::LocalTee { .. }
            | Op::GlobalGet { .. }
            | Op::I32Const { .. }
            | Op::I64Const { .. }
            | Op::F32Const { .. }
            | Op::F64Const { .. }
            | Op::I32Add
            | Op::I32Sub
            | Op::I32Mul
            | Op::I32And
            | Op::I32Or
            | Op::I32Shl
            | Op::I32ShrS
            | Op::I32ShrU
            | Op::I64Add
            | Op::I64Sub
            | Op::I64Mul
            | Op::I64And
            | Op::I64Or
            | Op::I64Shl
            | Op::I64ShrS
            | Op::I64ShrU
            | Op::I32WrapI64
            | Op::I64ExtendI32S
            | Op::I64ExtendI32U
            | Op::F32Abs
            | Op::F32Neg
            | Op::F64Abs
            | Op::F64Neg
            | Op::I32Load { .. }
            | Op::I64Load { .. }
            | Op::F32Load { .. }
            | Op::F64Load { .. }
    );
    is_plain || is_arithmetic(operator)
}

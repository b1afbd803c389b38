//! Successive instructions that one of register code executes.
//!
//! Nothing in such a row can be stopped at: a probe in its midst keeps it from being made, and where it traps, it has done nothing.

use super::stack::{Operand, Src, Value};
use super::{Obstacle, Translator};
use crate::decode::Immediates;
use crate::fast::table::{
    Form, LoadForms, Native, RegisterKind, StoreForms, add_branch, multiplied, native, with_loaded,
};
use crate::isa::Op;

/// What is at the end of a loop: `local += addend; if (local op other) continue`.
struct LoopEnd {
    local: u32,
    op: Op,
    other: Value,
    depth: u32,
    /// The number of instructions.
    count: usize,
}

impl Translator<'_> {
    /// Translates an `i32.add` together with what follows; answers whether it could.
    pub(super) fn fuse_add(&mut self) -> Result<bool, Obstacle> {
        if let Some(end) = self.loop_end_ahead() {
            return self.fuse_loop_end(&end);
        }
        if self.plan.memory {
            return Ok(false);
        }
        let Some(next) = self.peek(0) else {
            return Ok(false);
        };
        match next.op {
            Op::I32Const | Op::I64Const | Op::F32Const | Op::F64Const | Op::LocalGet => {
                Ok(self.fuse_store_to_sum())
            }
            op => match native(op) {
                Some(Native::Load(forms)) => Ok(self.fuse_load_from_sum(forms)),
                _ => Ok(false),
            },
        }
    }

    /// The offset of an access ahead that has room for 16 bits.
    fn offset_ahead(&mut self, distance: usize) -> Option<u64> {
        let immediates = self.peek(distance)?.immediates.clone();
        let offset = self.short_offset(&immediates)?;
        u16::try_from(offset).ok().map(u64::from)
    }

    /// Where the two operands on top are whose sum is an address: a cell, and a cell or else the register.
    fn sum_sources(&self) -> Option<(u32, Option<u32>)> {
        let [.., left, right] = self.operands[..] else {
            return None;
        };
        match (self.source(&left), self.source(&right)) {
            (Src::Cell(a), Src::Cell(b)) => Some((a, Some(b))),
            (Src::Cell(cell), Src::Last) | (Src::Last, Src::Cell(cell)) => Some((cell, None)),
            _ => None,
        }
    }

    fn fuse_load_from_sum(&mut self, forms: &LoadForms) -> bool {
        let (Some((a, b)), Some(offset)) = (self.sum_sources(), self.offset_ahead(0)) else {
            return false;
        };
        let Some(load) = self.ahead.pop_front() else {
            return false;
        };
        let (right, left) = (self.pop(), self.pop());
        let results = forms.sum[usize::from(b.is_none())];
        let word = self.fields(a, 0, b.unwrap_or(0), 0) | offset << 48;
        self.produce(
            forms.output,
            results,
            word,
            None,
            load.info().mnemonic,
            &[left, right],
        );
        self.note_offset(offset as u32);
        true
    }

    fn fuse_store_to_sum(&mut self) -> bool {
        let immediates = self.peek(0).map(|next| next.immediates.clone());
        let value = match &immediates {
            Some(Immediates::Index(local)) => {
                let (class, cell) = self.locals[*local as usize];
                if class.register().is_none() || self.plan.watches_local(self.func, *local) {
                    return false;
                }
                Value::Local(cell)
            }
            Some(Immediates::I32(value)) => Value::Constant(u64::from(*value as u32)),
            Some(Immediates::I64(value)) => Value::Constant(*value as u64),
            Some(Immediates::F32(bits)) => Value::Constant(u64::from(*bits)),
            Some(Immediates::F64(bits)) => Value::Constant(*bits),
            _ => return false,
        };
        let Some(op) = self.peek(1).map(|next| next.op) else {
            return false;
        };
        let Some(Native::Store(forms)) = native(op) else {
            return false;
        };
        let forms: &StoreForms = forms;
        let (Some((a, b)), Some(offset)) = (self.sum_sources(), self.offset_ahead(1)) else {
            return false;
        };
        self.ahead.drain(..2);
        let (right, left) = (self.pop(), self.pop());
        let (form, cell, constant) = match value {
            Value::Constant(bits) => (1, 0, Some(bits)),
            Value::Local(cell) => (0, cell, None),
            Value::Kept | Value::Register => return false,
        };
        let value = Operand {
            class: forms.input,
            cell: right.cell,
            value,
        };
        let word = self.fields(a, cell, b.unwrap_or(0), 0) | offset << 48;
        let handler = forms.sum[usize::from(b.is_none())][form];
        self.emit(handler, word, op.info().mnemonic, &[left, right, value]);
        self.code.extend(constant);
        self.note_offset(offset as u32);
        true
    }

    /// Looks for the end of a loop behind the present `i32.add`.
    fn loop_end_ahead(&mut self) -> Option<LoopEnd> {
        let first = self.peek(0)?;
        let Immediates::Index(local) = first.immediates else {
            return None;
        };
        let mut at = match first.op {
            Op::LocalTee => 1,
            Op::LocalSet => {
                let again = self.peek(1)?;
                (again.op == Op::LocalGet && again.immediates == Immediates::Index(local))
                    .then_some(2)?
            }
            _ => return None,
        };
        if self.plan.watches_local(self.func, local) {
            return None;
        }
        let (mut op, mut other) = (Op::I32Ne, Value::Constant(0));
        let next = self.peek(at)?;
        if next.op != Op::BrIf {
            other = match next.immediates {
                Immediates::Index(index) if next.op == Op::LocalGet => {
                    if self.plan.watches_local(self.func, index) {
                        return None;
                    }
                    Value::Local(self.locals[index as usize].1)
                }
                Immediates::I32(value) => Value::Constant(u64::from(value as u32)),
                _ => return None,
            };
            op = self.peek(at + 1)?.op;
            at += 2;
        }
        let end = self.peek(at)?;
        let Immediates::Index(depth) = end.immediates else {
            return None;
        };
        if end.op != Op::BrIf || add_branch(op).is_none() {
            return None;
        }
        Some(LoopEnd {
            local,
            op,
            other,
            depth,
            count: at + 1,
        })
    }

    fn fuse_loop_end(&mut self, end: &LoopEnd) -> Result<bool, Obstacle> {
        let (_, local) = self.locals[end.local as usize];
        let [.., left, right] = self.operands[..] else {
            return Ok(false);
        };
        let (left, right) = match (left.value, right.value) {
            (Value::Constant(_), _) => (right, left),
            _ => (left, right),
        };
        let (Src::Cell(a), addend) = (self.source_of_cell(&left), right.value) else {
            return Ok(false);
        };
        let (addend, adds_constant) = match addend {
            Value::Constant(bits) => (bits as u32, true),
            Value::Local(cell) => (cell, false),
            Value::Kept => (right.cell, false),
            Value::Register => return Ok(false),
        };
        let (other, is_constant) = match end.other {
            // It would be the sum.
            Value::Local(cell) if cell == local => return Ok(false),
            Value::Constant(bits) => (bits as u32, true),
            Value::Local(cell) => (cell, false),
            Value::Kept | Value::Register => return Ok(false),
        };
        let below = self.operands.len() - 2;
        let reads_local = |operand: &Operand| operand.value == Value::Local(local);
        if self.operands[..below].iter().any(reads_local)
            || !self.is_plain_loop(end.depth, below)?
        {
            return Ok(false);
        }
        let Some(handlers) = add_branch(end.op) else {
            return Ok(false);
        };
        self.ahead.drain(..end.count);
        self.pop();
        self.pop();
        let handler = handlers[usize::from(adds_constant)][usize::from(is_constant)];
        self.emit_loop_end(
            handler,
            (a, local),
            u64::from(addend) | u64::from(other) << 32,
            end.depth,
            &[left, right],
        )?;
        Ok(true)
    }

    /// The cell of an operand that is not in its register only.
    fn source_of_cell(&self, operand: &Operand) -> Src {
        match operand.value {
            Value::Kept => Src::Cell(operand.cell),
            Value::Local(cell) => Src::Cell(cell),
            Value::Constant(bits) => Src::Constant(bits),
            Value::Register => Src::Last,
        }
    }

    /// Translates a load of a float together with the arithmetic that follows; answers whether it could.
    pub(super) fn fuse_loaded(&mut self, op: Op, offset: u16) -> bool {
        if self.plan.memory {
            return false;
        }
        let Some((load, results)) = self.peek(0).and_then(|next| with_loaded(next.op)) else {
            return false;
        };
        if load != op {
            return false;
        }
        let [.., left, address] = self.operands[..] else {
            return false;
        };
        let Src::Cell(a) = self.source_of_cell(&address) else {
            return false;
        };
        let (form, cell) = match self.source(&left) {
            Src::Cell(cell) => (0, cell),
            Src::Last => (1, 0),
            Src::Constant(_) => return false,
        };
        let Some(next) = self.ahead.pop_front() else {
            return false;
        };
        self.pop();
        self.pop();
        let word = self.fields(a, 0, cell, 0) | u64::from(offset) << 48;
        self.produce(
            left.class,
            results[form],
            word,
            None,
            next.info().mnemonic,
            &[left, address],
        );
        self.note_offset(u32::from(offset));
        true
    }

    /// Translates a multiplication of floats together with the addition or subtraction that follows; answers whether it could.
    pub(super) fn fuse_multiplication(&mut self, op: Op) -> bool {
        let Some(first) = self.peek(0) else {
            return false;
        };
        // Either the other operand was there before, or it is a local that comes now.
        let (is_left, distance, local) = match (first.op, &first.immediates) {
            (Op::LocalGet, Immediates::Index(index)) => (true, 1, Some(*index)),
            _ => (false, 0, None),
        };
        let Some((multiply, results)) = self.peek(distance).and_then(|next| multiplied(next.op))
        else {
            return false;
        };
        if multiply != op {
            return false;
        }
        let depth = self.operands.len();
        let [.., left, right] = self.operands[..] else {
            return false;
        };
        let other = match local {
            Some(index) if self.plan.watches_local(self.func, index) => return false,
            Some(index) => self.locals[index as usize].1,
            None => match depth.checked_sub(3).map(|index| self.operands[index]) {
                Some(operand) => match self.source_of_cell(&operand) {
                    Src::Cell(cell) => cell,
                    _ => return false,
                },
                None => return false,
            },
        };
        let (form, a, b) = match (self.source(&left), self.source(&right)) {
            (Src::Cell(a), Src::Cell(b)) => (Form::CellCell, a, b),
            (Src::Last, Src::Cell(b)) => (Form::LastCell, 0, b),
            (Src::Cell(b), Src::Last) => (Form::LastCell, 0, b),
            _ => return false,
        };
        let Some(name) = self
            .ahead
            .drain(..=distance)
            .next_back()
            .map(|next| next.info().mnemonic)
        else {
            return false;
        };
        self.pop();
        self.pop();
        if !is_left {
            self.pop();
        }
        let is_last = usize::from(form == Form::LastCell);
        let word = self.fields(a, 0, b, other);
        self.produce(
            left.class,
            results[usize::from(is_left)][is_last],
            word,
            None,
            name,
            &[left, right],
        );
        true
    }

    /// The register that holds the sum at a loop's end.
    pub(super) const LOOP_REGISTER: RegisterKind = RegisterKind::Int;
}

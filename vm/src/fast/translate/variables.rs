//! Translation of instructions on locals and globals, of `select`, of stores, and of arithmetic on two operands.

use super::Translator;
use super::control::TwoSources;
use super::stack::{Operand, Src, Value};
use crate::fast::context::{Cell, Double, Handler, Int, Last, Long, Single, handler};
use crate::fast::handlers::moves::{
    GlobalGet, GlobalGetVector, GlobalSet, GlobalSetVector, Select, SelectVector,
};
use crate::fast::table::{Class, Form, RegisterKind, Results, StoreForms, TwoForms};
use crate::isa::Op;

/// The handlers of an instruction for each register.
macro_rules! by_register {
    ($kind:expr, $register:ident => $handler:expr) => {
        match $kind {
            RegisterKind::Int => {
                type $register = Int;
                $handler
            }
            RegisterKind::Double => {
                type $register = Double;
                $handler
            }
            RegisterKind::Single => {
                type $register = Single;
                $handler
            }
        }
    };
}
pub(super) use by_register;

impl Translator<'_> {
    pub(super) fn local_get(&mut self, index: u32) {
        self.give_away_if(self.plan.watches_local(self.func, index));
        let (class, local) = self.locals[index as usize];
        if class == Class::V128 {
            let cell = self.top_cell();
            self.emit_copy_vector(local, cell);
            self.push_kept(class);
            return;
        }
        let cell = self.top_cell();
        self.operands.push(Operand {
            class,
            cell,
            value: Value::Local(local),
        });
    }

    pub(super) fn local_set(&mut self, index: u32) {
        self.give_away_if(self.plan.watches_local(self.func, index));
        let operand = self.pop();
        self.write_local(index, operand);
    }

    pub(super) fn local_tee(&mut self, index: u32) {
        self.give_away_if(self.plan.watches_local(self.func, index));
        let operand = self.pop();
        let was_register = operand.value == Value::Register;
        self.write_local(index, operand);
        // What the local has is the operand, too.
        let value = if was_register {
            Value::Local(self.locals[index as usize].1)
        } else {
            operand.value
        };
        self.operands.push(Operand { value, ..operand });
    }

    fn write_local(&mut self, index: u32, operand: Operand) {
        let (class, local) = self.locals[index as usize];
        if class == Class::V128 {
            self.emit_copy_vector(operand.cell, local);
            return;
        }
        // Operands that read the local later get what it has now.
        for position in 0..self.operands.len() {
            if self.operands[position].value == Value::Local(local) {
                self.flush_operand(position);
            }
        }
        let kind = class.register().expect("vectors were handled above");
        match self.source(&operand) {
            Src::Last => {
                if operand.value == Value::Register && self.is_fresh(kind) {
                    self.keep(kind, local);
                    self.forget_places();
                } else {
                    self.emit_keep(kind, local);
                    self.set_same(kind, local);
                }
            }
            Src::Cell(cell) if cell == local => {}
            Src::Cell(cell) => self.emit_copy(cell, local),
            Src::Constant(bits) => self.emit_constant(local, bits),
        }
    }

    pub(super) fn global_get(&mut self, index: u32) {
        self.give_away_if(
            self.plan
                .watches_global(self.instance.globals[index as usize]),
        );
        let cell = self.instance.global_cells[index as usize];
        let class = self.global_class(index);
        let word = u64::from(cell) << 32;
        let Some(kind) = class.register() else {
            let to = self.top_cell();
            let word = word | self.fields(0, to, 0, 0);
            self.emit(handler::<GlobalGetVector>, word, "global.get", &[]);
            self.note(|| format!(" {index}"));
            self.push_kept(class);
            self.wrote(to);
            self.wrote(to + 1);
            return;
        };
        let results: Results = by_register!(kind, R => [handler::<GlobalGet<R, false>>, handler::<GlobalGet<R, true>>]);
        self.produce(class, results, word, None, "global.get", &[]);
        self.note(|| format!(" {index}"));
    }

    pub(super) fn global_set(&mut self, index: u32) {
        self.give_away_if(
            self.plan
                .watches_global(self.instance.globals[index as usize]),
        );
        let cell = self.instance.global_cells[index as usize];
        let word = u64::from(cell) << 32;
        let operand = self.pop();
        let (handler, from, constant): (Handler, _, _) = match operand.class.register() {
            None => (handler::<GlobalSetVector>, operand.cell, None),
            Some(kind) => match self.source(&operand) {
                Src::Last => (
                    by_register!(kind, R => handler::<GlobalSet<R, Last>>),
                    0,
                    None,
                ),
                Src::Cell(from) => (handler::<GlobalSet<Int, Cell<0>>>, from, None),
                Src::Constant(bits) => (handler::<GlobalSet<Int, Long>>, 0, Some(bits)),
            },
        };
        let word = word | self.fields(from, 0, 0, 0);
        self.emit(handler, word, "global.set", &[operand]);
        self.code.extend(constant);
        self.note(|| format!(" -> global {index}"));
    }

    fn global_class(&self, index: u32) -> Class {
        let ty = self.module.globals()[index as usize].ty.content_type;
        crate::fast::effects::class_of(ty)
    }

    pub(super) fn select(&mut self) {
        let condition = self.pop();
        let second = self.pop();
        let first = self.pop();
        let Some(kind) = first.class.register() else {
            let condition = self.in_cell(&condition);
            let word = self.fields(first.cell, first.cell, second.cell, condition);
            self.emit(handler::<SelectVector>, word, "select", &[first, second]);
            self.wrote(first.cell);
            self.wrote(first.cell + 1);
            self.operands.push(first);
            return;
        };
        let condition_source = self.source_in_cell(&condition);
        let constant = |operand: &Operand| match operand.value {
            Value::Constant(bits) => Some(bits),
            _ => None,
        };
        let (first_constant, second_constant) = (constant(&first), constant(&second));
        let (a, b, extra) = match (first_constant, second_constant) {
            (Some(bits), None) => (0, self.in_cell(&second), Some(bits)),
            (None, Some(bits)) => (self.in_cell(&first), 0, Some(bits)),
            _ => (self.in_cell(&first), self.in_cell(&second), None),
        };
        let is_first_constant = extra.is_some() && first_constant.is_some();
        let (c, is_last) = match condition_source {
            Src::Cell(cell) => (cell, false),
            _ => (0, true),
        };
        let results: Results = by_register!(kind, R => match (extra.is_some(), is_first_constant, is_last) {
            (false, _, false) => [handler::<Select<R, Cell<0>, Cell<2>, Cell<3>, false>>, handler::<Select<R, Cell<0>, Cell<2>, Cell<3>, true>>],
            (false, _, true) => [handler::<Select<R, Cell<0>, Cell<2>, Last, false>>, handler::<Select<R, Cell<0>, Cell<2>, Last, true>>],
            (true, true, false) => [handler::<Select<R, Long, Cell<2>, Cell<3>, false>>, handler::<Select<R, Long, Cell<2>, Cell<3>, true>>],
            (true, true, true) => [handler::<Select<R, Long, Cell<2>, Last, false>>, handler::<Select<R, Long, Cell<2>, Last, true>>],
            (true, false, false) => [handler::<Select<R, Cell<0>, Long, Cell<3>, false>>, handler::<Select<R, Cell<0>, Long, Cell<3>, true>>],
            (true, false, true) => [handler::<Select<R, Cell<0>, Long, Last, false>>, handler::<Select<R, Cell<0>, Long, Last, true>>],
        });
        let word = self.fields(a, 0, b, c);
        self.produce(
            first.class,
            results,
            word,
            extra,
            "select",
            &[first, second, condition],
        );
    }

    pub(super) fn store(&mut self, forms: &StoreForms, offset: u32, name: &'static str) {
        /// The positions of a value's forms in the tables of handlers.
        const CELL: usize = 0;
        const LAST: usize = 1;
        const CONSTANT: usize = 2;
        let value = self.pop();
        let address = self.pop();
        let mut address_source = self.source_in_cell(&address);
        let value_source = self.source(&value);
        let same_register = forms.input.register() == Some(RegisterKind::Int);
        // Only one of them can come from the register of integers.
        if (address_source, value_source) == (Src::Last, Src::Last) && same_register {
            if address.value == Value::Register {
                let cell = self.in_cell(&value);
                return self.emit_store(
                    forms,
                    (Src::Last, CELL, cell, None),
                    offset,
                    name,
                    &[address, value],
                );
            }
            address_source = Src::Cell(self.in_cell(&address));
        }
        let (form, cell, constant) = match value_source {
            Src::Cell(cell) => (CELL, cell, None),
            Src::Last => (LAST, 0, None),
            Src::Constant(bits) => (CONSTANT, 0, Some(bits)),
        };
        self.emit_store(
            forms,
            (address_source, form, cell, constant),
            offset,
            name,
            &[address, value],
        );
    }

    fn emit_store(
        &mut self,
        forms: &StoreForms,
        (address, form, value, constant): (Src, usize, u32, Option<u64>),
        offset: u32,
        name: &'static str,
        operands: &[Operand],
    ) {
        let watched = usize::from(self.plan.memory);
        let (handler, cell) = match address {
            Src::Last => (forms.last[watched][form], 0),
            Src::Cell(cell) => (forms.cell[watched][form], cell),
            Src::Constant(_) => unreachable!("constants were put into cells"),
        };
        let word = self.fields(cell, value, 0, 0) | u64::from(offset) << 32;
        self.emit(handler, word, name, operands);
        self.code.extend(constant);
        self.note_offset(offset);
    }

    /// Takes both operands of an instruction off the stack, in one of the forms that it has.
    pub(super) fn two_condition(&mut self, forms: &'static TwoForms, op: Op) -> TwoSources {
        let right = self.pop();
        let left = self.pop();
        let (mut forms, mut operands, mut op) = (forms, [left, right], op);
        if let Value::Constant(bits) = left.value {
            match forms.mirrored {
                Some(mirrored) if !matches!(right.value, Value::Constant(_)) => {
                    op = mirrored;
                    forms = TwoForms::of(mirrored);
                    operands.reverse();
                }
                _ => self.emit_constant(left.cell, bits),
            }
        }
        let [left, right] = operands;
        let mut left_source = match self.source(&left) {
            Src::Constant(_) => Src::Cell(left.cell),
            source => source,
        };
        let mut right_source = self.source(&right);
        if (left_source, right_source) == (Src::Last, Src::Last) {
            // One of them has the same as the register, and lies in a cell.
            if left.value == Value::Register {
                right_source = Src::Cell(self.in_cell(&right));
            } else {
                left_source = Src::Cell(self.in_cell(&left));
            }
        }
        let (form, a, b, constant) = match (left_source, right_source) {
            (Src::Cell(a), Src::Cell(b)) => (Form::CellCell, a, b, None),
            (Src::Cell(a), Src::Constant(bits)) => (Form::CellConstant, a, 0, Some(bits)),
            (Src::Cell(a), Src::Last) => (Form::CellLast, a, 0, None),
            (Src::Last, Src::Cell(b)) => (Form::LastCell, 0, b, None),
            (Src::Last, Src::Constant(bits)) => (Form::LastConstant, 0, 0, Some(bits)),
            _ => unreachable!("the left operand is no constant, and not both are in the register"),
        };
        TwoSources {
            forms,
            op,
            form,
            left: a,
            right: b,
            constant,
            operands: [left, right],
        }
    }

    /// Emits an instruction with two operands that gives a result.
    pub(super) fn two(&mut self, sources: TwoSources) {
        let TwoSources {
            forms,
            op,
            form,
            left,
            right,
            constant,
            operands,
        } = sources;
        let results = forms.results[form as usize];
        let (word, extra) = match (forms.input, constant) {
            (Class::I32 | Class::F32, Some(bits)) => {
                (self.fields(left, 0, 0, 0) | bits << 32, None)
            }
            (_, Some(bits)) => (self.fields(left, 0, 0, 0), Some(bits)),
            (_, None) => (self.fields(left, 0, right, 0), None),
        };
        self.produce(
            forms.output,
            results,
            word,
            extra,
            op.info().mnemonic,
            &operands,
        );
    }
}

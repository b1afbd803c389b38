//! Translation of control: blocks, branches, calls, returns.

use wasmparser::{BlockType, Catch, FuncType};

use super::stack::{Operand, RegisterState, Src, Value};
use super::{Obstacle, Translator};
use crate::decode::{Immediates, Instruction};
use crate::fast::context::{Cell, Handler, Last, WORD_BYTES, handler};
use crate::fast::effects::class_of;
use crate::fast::handlers::control::{
    Branch, BranchIf, BranchNull, BranchTable, CastFits, Probe, Tick,
};
use crate::fast::table::{Class, Form, RegisterKind, TwoForms};
use crate::isa::Op;

/// What opened a label, as far as its end differs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Block,
    Loop,
    /// A legacy catch clause, whose exception lies below its operands.
    Catch,
}

/// An open label.
pub(super) struct Label {
    kind: Kind,
    /// The number of operands below it.
    height: usize,
    /// The cell of the first operand above.
    cell: u32,
    params: Vec<Class>,
    pub(super) results: Vec<Class>,
    /// A loop's body.
    start: usize,
    /// Branches that wait for the label's end.
    waiting: Vec<Jump>,
    /// The branch of an `if` that waits for its `else` or `end`.
    otherwise: Option<Jump>,
    /// Whether control can get to the end by a branch or an exception.
    is_target: bool,
}

impl Label {
    pub(super) fn of_function(ty: &FuncType, cell: u32) -> Label {
        Label {
            kind: Kind::Block,
            height: 0,
            cell,
            params: Vec::new(),
            results: ty.results().iter().map(|&ty| class_of(ty)).collect(),
            start: 0,
            waiting: Vec::new(),
            otherwise: None,
            is_target: false,
        }
    }

    /// The classes of what a branch takes along.
    fn taken(&self) -> &[Class] {
        if self.kind == Kind::Loop {
            &self.params
        } else {
            &self.results
        }
    }
}

/// The place of a distance that is still to be filled in.
#[derive(Clone, Copy, Debug)]
struct Jump {
    /// The branch.
    at: usize,
    /// The number of the distance among those of a table.
    entry: Option<usize>,
}

/// The operands of an instruction with two of them, and the form that they are in.
#[derive(Clone, Copy)]
pub(super) struct TwoSources {
    pub(super) forms: &'static TwoForms,
    pub(super) op: Op,
    pub(super) form: Form,
    pub(super) left: u32,
    pub(super) right: u32,
    pub(super) constant: Option<u64>,
    pub(super) operands: [Operand; 2],
}

/// What a branch depends on.
#[derive(Clone, Copy)]
enum Condition {
    /// The result of an instruction is not zero.
    Two(TwoSources),
    /// An `i32` is not zero.
    NotZero(Src, Operand),
    /// A reference is null.
    Null(Src, Operand),
}

/// An instruction that pops a condition, executed together with the one that computes it.
pub(super) struct Consumer {
    instruction: Instruction,
    /// An `i32.eqz` lies between.
    is_negated: bool,
}

impl Translator<'_> {
    /// What comes after the present instruction, which computes a condition, if it can be executed together with that.
    pub(super) fn consumer_ahead(&mut self) -> Option<Consumer> {
        let is_negated = self.peek(0)?.op == Op::I32Eqz;
        let distance = usize::from(is_negated);
        let op = self.peek(distance)?.op;
        if !matches!(op, Op::BrIf | Op::If) {
            return None;
        }
        let instruction = self.ahead.drain(..=distance).next_back()?;
        Some(Consumer {
            instruction,
            is_negated,
        })
    }

    /// Translates an instruction that pops a condition together with the one that compares two operands.
    pub(super) fn branch_on_two(
        &mut self,
        sources: TwoSources,
        consumer: &Consumer,
    ) -> Result<(), Obstacle> {
        self.consume(
            Condition::Two(sources),
            !consumer.is_negated,
            &consumer.instruction,
        )
    }

    /// Translates an instruction that pops a condition together with the `i32.eqz` before it.
    pub(super) fn branch_on_zero(&mut self, consumer: &Consumer) -> Result<(), Obstacle> {
        let (condition, taken_if) = self.popped_condition();
        self.consume(
            condition,
            taken_if == consumer.is_negated,
            &consumer.instruction,
        )
    }

    /// Translates a `br_if` or `if` whose condition was taken off the stack.
    fn consume(
        &mut self,
        condition: Condition,
        taken_if: bool,
        instruction: &Instruction,
    ) -> Result<(), Obstacle> {
        match &instruction.immediates {
            Immediates::Index(depth) => self.branch_if(condition, taken_if, *depth),
            Immediates::Block(ty) => {
                self.flush();
                let at = self.emit_condition(condition, !taken_if, false);
                let jump = Jump { at, entry: None };
                self.open(Kind::Block, *ty, Some(jump));
                Ok(())
            }
            _ => Err(Obstacle::Code),
        }
    }

    /// Translates an instruction of control; answers whether it is one.
    pub(super) fn control(&mut self, instruction: &Instruction) -> Result<bool, Obstacle> {
        match (instruction.op, &instruction.immediates) {
            (Op::Block | Op::Try, Immediates::Block(ty)) => {
                self.flush();
                self.open(Kind::Block, *ty, None);
            }
            (Op::TryTable, Immediates::TryTable { ty, catches }) => {
                self.flush();
                self.mark_catches(catches)?;
                self.open(Kind::Block, *ty, None);
            }
            (Op::Loop, Immediates::Block(ty)) => {
                self.flush();
                self.emit(handler::<Tick>, 0, "tick", &[]);
                self.open(Kind::Loop, *ty, None);
                self.forget_registers();
            }
            (Op::If | Op::BrIf, _) => {
                let (condition, taken_if) = self.popped_condition();
                self.consume(condition, taken_if, instruction)?;
            }
            (Op::Else, _) => self.otherwise()?,
            (Op::Catch | Op::CatchAll, _) => self.catch(instruction)?,
            (Op::End | Op::Delegate, _) => self.end()?,
            (Op::Br, Immediates::Index(depth)) => {
                self.branch(*depth, true)?;
                self.unreachable = Some(0);
            }
            (Op::BrTable, Immediates::Labels(labels)) => self.branch_table(labels)?,
            (Op::BrOnNull, Immediates::Index(depth)) => {
                let operand = self.pop();
                let source = self.source_in_cell(&operand);
                self.branch_if(Condition::Null(source, operand), true, *depth)?;
                self.push_after_branch(operand);
            }
            (Op::BrOnNonNull, Immediates::Index(depth)) => {
                self.flush();
                let operand = *self.operands.last().ok_or(Obstacle::Code)?;
                let source = Src::Cell(operand.cell);
                self.branch_if(Condition::Null(source, operand), false, *depth)?;
                self.pop();
            }
            (Op::BrOnCast | Op::BrOnCastFail, Immediates::Cast { label, .. }) => {
                self.branch_on_cast(instruction, *label)?;
            }
            (Op::Return, _) => self.emit_return()?,
            (Op::Unreachable, _) => self.give_away("unreachable"),
            (Op::Throw, _) => self.give_away("throw"),
            (Op::ThrowRef, _) => self.give_away("throw_ref"),
            (Op::Rethrow, _) => self.give_away("rethrow"),
            (Op::Call, Immediates::Index(index)) => self.call(*index, instruction, false)?,
            (Op::ReturnCall, Immediates::Index(index)) => self.call(*index, instruction, true)?,
            (Op::CallIndirect | Op::ReturnCallIndirect, Immediates::Indices(ty, table)) => {
                self.call_indirect(*ty, *table, instruction)?;
            }
            (Op::CallRef | Op::ReturnCallRef, Immediates::Index(ty)) => {
                self.call_ref(*ty, instruction)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Goes over an instruction that cannot be reached.
    pub(super) fn skip(&mut self, instruction: &Instruction) -> Result<(), Obstacle> {
        let Some(nested) = &mut self.unreachable else {
            return Ok(());
        };
        match instruction.op {
            Op::Block | Op::Loop | Op::If | Op::Try | Op::TryTable => *nested += 1,
            Op::End | Op::Delegate if *nested > 0 => *nested -= 1,
            Op::End | Op::Delegate => self.end()?,
            Op::Else if *nested == 0 => self.otherwise()?,
            Op::Catch | Op::CatchAll if *nested == 0 => self.catch(instruction)?,
            _ => {}
        }
        Ok(())
    }

    fn block_classes(&self, ty: BlockType) -> (Vec<Class>, Vec<Class>) {
        match ty {
            BlockType::Empty => (Vec::new(), Vec::new()),
            BlockType::Type(ty) => (Vec::new(), vec![class_of(ty)]),
            BlockType::FuncType(index) => {
                self.module
                    .type_at(index)
                    .map_or((Vec::new(), Vec::new()), |ty| {
                        let classes = |types: &[_]| types.iter().map(|&ty| class_of(ty)).collect();
                        (classes(ty.params()), classes(ty.results()))
                    })
            }
        }
    }

    /// Opens a label over the block's parameters. All operands are in their cells.
    fn open(&mut self, kind: Kind, ty: BlockType, otherwise: Option<Jump>) {
        let (params, results) = self.block_classes(ty);
        let height = self.operands.len() - params.len();
        let below = self.operands[..height].last();
        let cell = below.map_or(self.locals_cells, Operand::end);
        self.labels.push(Label {
            kind,
            height,
            cell,
            params,
            results,
            start: self.code.len(),
            waiting: Vec::new(),
            otherwise,
            is_target: false,
        });
    }

    /// Exceptions can lead to these labels.
    fn mark_catches(&mut self, catches: &[Catch]) -> Result<(), Obstacle> {
        for catch in catches {
            let (Catch::One { label, .. }
            | Catch::OneRef { label, .. }
            | Catch::All { label }
            | Catch::AllRef { label }) = *catch;
            let index = self.label_at(label)?;
            self.labels[index].is_target = true;
        }
        Ok(())
    }

    fn label_at(&self, depth: u32) -> Result<usize, Obstacle> {
        self.labels
            .len()
            .checked_sub(1 + depth as usize)
            .ok_or(Obstacle::Code)
    }

    /// Sets the stack to what it is at a place that several ways lead to.
    fn merge(&mut self, height: usize, classes: &[Class]) {
        self.operands.truncate(height);
        for &class in classes {
            self.push_kept(class);
        }
        self.forget_registers();
        self.unreachable = None;
    }

    fn otherwise(&mut self) -> Result<(), Obstacle> {
        let index = self.labels.len() - 1;
        if self.unreachable.is_none() {
            self.flush();
            self.jump(index)?;
        }
        let label = &mut self.labels[index];
        let (jump, height, params) = (label.otherwise.take(), label.height, label.params.clone());
        if let Some(jump) = jump {
            self.aim(jump, self.code.len());
        }
        self.merge(height, &params);
        Ok(())
    }

    /// Ends a part of a legacy `try`, and begins a clause.
    fn catch(&mut self, instruction: &Instruction) -> Result<(), Obstacle> {
        let index = self.labels.len() - 1;
        if self.unreachable.is_none() {
            self.move_results(index, true);
            self.jump(index)?;
        }
        self.labels[index].kind = Kind::Catch;
        let mut classes = vec![Class::Ref];
        if let Immediates::Index(tag) = instruction.immediates {
            let tag = self.instance.tags[tag as usize];
            let ty = self.store.types.func(self.store.tags[tag.index()].type_id);
            classes.extend(ty.params().iter().map(|&ty| class_of(ty)));
        }
        self.merge(self.labels[index].height, &classes);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Obstacle> {
        if self.labels.len() == 1 {
            return self.end_function();
        }
        let index = self.labels.len() - 1;
        let is_reachable = self.unreachable.is_none();
        let is_catch = self.labels[index].kind == Kind::Catch;
        let is_target = self.labels[index].is_target || self.labels[index].otherwise.is_some();
        if is_reachable && is_catch {
            self.move_results(index, false);
        } else if is_reachable && is_target {
            self.flush();
        }
        let label = self.labels.pop().ok_or(Obstacle::Code)?;
        for jump in label.waiting.into_iter().chain(label.otherwise) {
            self.aim(jump, self.code.len());
        }
        if is_target || is_reachable && is_catch {
            self.merge(label.height, &label.results);
        }
        Ok(())
    }

    /// The last `end`, on which branches to the function's label land.
    fn end_function(&mut self) -> Result<(), Obstacle> {
        let label = &mut self.labels[0];
        let (waiting, results) = (std::mem::take(&mut label.waiting), label.results.clone());
        if !waiting.is_empty() {
            if self.unreachable.is_none() {
                self.flush();
            }
            for jump in waiting {
                self.aim(jump, self.code.len());
            }
            self.merge(0, &results);
        }
        if self.unreachable.is_some() {
            return Ok(());
        }
        self.note_place();
        self.emit_probe();
        self.emit_return()
    }

    /// Emits a probe if there is to be one at the present instruction.
    pub(super) fn emit_probe(&mut self) {
        if self.probes.contains(&self.pc) {
            self.emit(handler::<Probe>, 0, "probe", &[]);
        }
    }

    /// Fills in the distance of a branch.
    fn aim(&mut self, jump: Jump, target: usize) {
        let distance = ((target as i64 - jump.at as i64) * WORD_BYTES as i64) as i32 as u32;
        let (word, half) = match jump.entry {
            None => (jump.at + 1, 1),
            Some(entry) => (jump.at + 2 + entry / 2, entry % 2),
        };
        self.code[word] |= u64::from(distance) << (32 * half);
        if let Some(lines) = &mut self.lines {
            lines.aim(jump.at, target);
        }
    }

    /// Lets a branch go to a label.
    fn aim_at(&mut self, jump: Jump, index: usize) {
        let label = &mut self.labels[index];
        if label.kind == Kind::Loop {
            let start = label.start;
            self.aim(jump, start);
        } else {
            label.is_target = true;
            label.waiting.push(jump);
        }
    }

    /// Emits an unconditional branch to a label whose operands are in place.
    fn jump(&mut self, index: usize) -> Result<(), Obstacle> {
        let is_back = self.labels[index].kind == Kind::Loop;
        let handler: Handler = if is_back {
            handler::<Branch<true>>
        } else {
            handler::<Branch<false>>
        };
        let at = self.emit(handler, 0, "br", &[]);
        self.aim_at(Jump { at, entry: None }, index);
        Ok(())
    }

    /// The number of the first operand that a branch to a label takes along.
    fn first_taken(&self, index: usize) -> usize {
        self.operands.len() - self.labels[index].taken().len()
    }

    /// Whether something has to be moved before a branch to a label.
    fn needs_moves(&self, index: usize) -> bool {
        let label = &self.labels[index];
        let taken = &self.operands[self.first_taken(index)..];
        let mut cell = label.cell;
        taken.iter().any(|operand| {
            let is_in_place = operand.value == Value::Kept && operand.cell == cell;
            cell += operand.class.cells();
            !is_in_place
        })
    }

    /// Moves what a branch to a label takes along to where the label expects it. If control does not come back, the instruction
    /// that gave a value can do it.
    fn move_results(&mut self, index: usize, is_final: bool) {
        let mut to = self.labels[index].cell;
        for position in self.first_taken(index)..self.operands.len() {
            let Operand { class, cell, value } = self.operands[position];
            match value {
                Value::Kept if cell == to => {}
                Value::Kept if class == Class::V128 => self.emit_copy_vector(cell, to),
                Value::Kept => self.emit_copy(cell, to),
                Value::Local(local) => self.emit_copy(local, to),
                Value::Constant(bits) => self.emit_constant(to, bits),
                Value::Register => {
                    let kind = class.register().expect("vectors are always kept");
                    if is_final && self.is_fresh(kind) {
                        self.keep(kind, to);
                        self.forget_places();
                    } else {
                        self.emit_keep(kind, to);
                    }
                }
            }
            to += class.cells();
        }
    }

    /// Emits an unconditional branch with what it takes along.
    fn branch(&mut self, depth: u32, is_final: bool) -> Result<(), Obstacle> {
        let index = self.label_at(depth)?;
        self.move_results(index, is_final);
        self.jump(index)
    }

    /// The condition on top of the stack, and whether a branch on it is taken if it holds.
    fn popped_condition(&mut self) -> (Condition, bool) {
        let operand = self.pop();
        let source = self.source_in_cell(&operand);
        (Condition::NotZero(source, operand), true)
    }

    /// Emits a branch that is taken if the condition holds, or if it does not; its target is still to be filled in.
    fn emit_condition(&mut self, condition: Condition, taken_if: bool, is_back: bool) -> usize {
        match condition {
            Condition::Two(sources) => {
                let TwoSources {
                    forms,
                    op,
                    form,
                    left,
                    right,
                    constant,
                    operands,
                } = sources;
                let table = if taken_if {
                    forms.branches_if
                } else {
                    forms.branches_unless
                };
                let handlers = table.expect("an instruction that gives a condition")[form as usize];
                let word = self.fields(left, right, 0, 0);
                let at = self.emit(
                    handlers[usize::from(is_back)],
                    word,
                    op.info().mnemonic,
                    &operands,
                );
                self.code.extend(constant);
                self.note_branch(at, taken_if);
                at
            }
            Condition::NotZero(source, operand) => {
                let (handler, cell): (Handler, _) = match (source, taken_if, is_back) {
                    (Src::Cell(cell), true, false) => {
                        (handler::<BranchIf<Cell<0>, true, false>>, cell)
                    }
                    (Src::Cell(cell), true, true) => {
                        (handler::<BranchIf<Cell<0>, true, true>>, cell)
                    }
                    (Src::Cell(cell), false, false) => {
                        (handler::<BranchIf<Cell<0>, false, false>>, cell)
                    }
                    (Src::Cell(cell), false, true) => {
                        (handler::<BranchIf<Cell<0>, false, true>>, cell)
                    }
                    (_, true, false) => (handler::<BranchIf<Last, true, false>>, 0),
                    (_, true, true) => (handler::<BranchIf<Last, true, true>>, 0),
                    (_, false, false) => (handler::<BranchIf<Last, false, false>>, 0),
                    (_, false, true) => (handler::<BranchIf<Last, false, true>>, 0),
                };
                let word = self.fields(cell, 0, 0, 0);
                let at = self.emit(handler, word, "i32", &[operand]);
                self.note_branch(at, taken_if);
                at
            }
            Condition::Null(source, operand) => {
                let (handler, cell): (Handler, _) = match (source, taken_if, is_back) {
                    (Src::Cell(cell), true, false) => {
                        (handler::<BranchNull<Cell<0>, true, false>>, cell)
                    }
                    (Src::Cell(cell), true, true) => {
                        (handler::<BranchNull<Cell<0>, true, true>>, cell)
                    }
                    (Src::Cell(cell), false, false) => {
                        (handler::<BranchNull<Cell<0>, false, false>>, cell)
                    }
                    (Src::Cell(cell), false, true) => {
                        (handler::<BranchNull<Cell<0>, false, true>>, cell)
                    }
                    (_, true, false) => (handler::<BranchNull<Last, true, false>>, 0),
                    (_, true, true) => (handler::<BranchNull<Last, true, true>>, 0),
                    (_, false, false) => (handler::<BranchNull<Last, false, false>>, 0),
                    (_, false, true) => (handler::<BranchNull<Last, false, true>>, 0),
                };
                let word = self.fields(cell, 0, 0, 0);
                let at = self.emit(handler, word, "ref.is_null", &[operand]);
                self.note_branch(at, taken_if);
                at
            }
        }
    }

    fn note_branch(&mut self, at: usize, taken_if: bool) {
        if let Some(lines) = &mut self.lines {
            lines.prefix(at, if taken_if { "br_if " } else { "br_unless " });
        }
    }

    /// Emits a branch that is taken if the condition, which is off the stack, holds or does not.
    fn branch_if(
        &mut self,
        condition: Condition,
        taken_if: bool,
        depth: u32,
    ) -> Result<(), Obstacle> {
        let index = self.label_at(depth)?;
        if !self.needs_moves(index) {
            let is_back = self.labels[index].kind == Kind::Loop;
            let at = self.emit_condition(condition, taken_if, is_back);
            self.aim_at(Jump { at, entry: None }, index);
            return Ok(());
        }
        let at = self.emit_condition(condition, !taken_if, false);
        let registers: [RegisterState; 3] = self.registers;
        self.last = None;
        self.branch(depth, false)?;
        self.aim(Jump { at, entry: None }, self.code.len());
        // What was moved was moved on the other way only.
        self.registers = registers;
        self.last = None;
        Ok(())
    }

    /// Whether a branch is to a loop and takes nothing along, with so many operands on the stack.
    pub(super) fn is_plain_loop(&self, depth: u32, operands: usize) -> Result<bool, Obstacle> {
        let label = &self.labels[self.label_at(depth)?];
        Ok(label.kind == Kind::Loop && label.params.is_empty() && label.height <= operands)
    }

    /// Emits the end of a loop, which adds to a cell, puts the sum into the one of a local, and branches.
    pub(super) fn emit_loop_end(
        &mut self,
        handler: Handler,
        (cell, local): (u32, u32),
        extra: u64,
        depth: u32,
        operands: &[Operand],
    ) -> Result<(), Obstacle> {
        let index = self.label_at(depth)?;
        self.vacate(Self::LOOP_REGISTER);
        self.wrote(local);
        let word = self.fields(cell, local, 0, 0);
        let at = self.emit(handler, word, "i32.add", operands);
        self.code.push(extra);
        self.note_branch(at, true);
        self.aim_at(Jump { at, entry: None }, index);
        self.registers[Self::LOOP_REGISTER as usize] = RegisterState::default();
        self.set_same(Self::LOOP_REGISTER, local);
        Ok(())
    }

    /// Puts the operand back that a branch on it was not taken for.
    fn push_after_branch(&mut self, operand: Operand) {
        let value = match operand.value {
            Value::Constant(_) => Value::Kept,
            value => value,
        };
        self.push_again(Operand { value, ..operand });
    }

    fn branch_table(&mut self, labels: &[u32]) -> Result<(), Obstacle> {
        let operand = self.pop();
        let source = self.source_in_cell(&operand);
        let (handler, cell): (Handler, _) = match source {
            Src::Cell(cell) => (handler::<BranchTable<Cell<0>>>, cell),
            _ => (handler::<BranchTable<Last>>, 0),
        };
        let count = labels.len();
        let word = self.fields(cell, 0, 0, 0) | (count as u64) << 32;
        let at = self.emit(handler, word, "br_table", &[operand]);
        self.code.extend(std::iter::repeat_n(0, count.div_ceil(2)));
        self.last = None;
        let registers = self.registers;
        // What needs more than a jump gets code of its own, once for each label.
        let mut made: Vec<(u32, usize)> = Vec::new();
        for (entry, &depth) in labels.iter().enumerate() {
            let jump = Jump {
                at,
                entry: Some(entry),
            };
            let index = self.label_at(depth)?;
            if self.labels[index].kind != Kind::Loop && !self.needs_moves(index) {
                self.aim_at(jump, index);
                continue;
            }
            let known = made.iter().find(|(other, _)| *other == depth);
            let target = match known {
                Some(&(_, target)) => target,
                None => {
                    let target = self.code.len();
                    made.push((depth, target));
                    self.branch(depth, false)?;
                    self.registers = registers;
                    self.last = None;
                    target
                }
            };
            self.aim(jump, target);
        }
        self.unreachable = Some(0);
        Ok(())
    }

    fn branch_on_cast(&mut self, instruction: &Instruction, depth: u32) -> Result<(), Obstacle> {
        self.flush();
        let operand = *self.operands.last().ok_or(Obstacle::Code)?;
        let address = self.module.bytes()[instruction.pc.index()..].as_ptr();
        let word = self.fields(operand.cell, 0, 0, 0);
        self.emit(handler::<CastFits>, word, "ref.test", &[operand]);
        self.code.push(address as u64);
        // The answer is no operand.
        self.registers[RegisterKind::Int as usize] = RegisterState::default();
        self.last = None;
        let taken_if = instruction.op == Op::BrOnCast;
        let answer = Operand {
            class: Class::I32,
            value: Value::Register,
            ..operand
        };
        self.branch_if(Condition::NotZero(Src::Last, answer), taken_if, depth)
    }
}

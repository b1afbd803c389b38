//! Going on with a frame.
//!
//! Code that is entered at a loop is the whole function's. So that its loops stay loops to the compiler, with one way in each, control
//! goes to the frame's place by way of the loops around it: it enters the outermost one at its beginning, where a variable says that it
//! is on its way, and from there the next one.

use std::mem::offset_of;

use cranelift_codegen::ir::{Block, InstBuilder, Type, Value, types};
use cranelift_frontend::Variable;
use wasmparser::Operator;

use super::{Instruction, Local, Translator, cells_of, instructions, kind_of};
use crate::abi::Context;
use crate::compiler::Error;
use crate::env::Job;

/// The frame that code goes on with.
pub(super) struct ResumedFrame {
    cells: Value,
    /// Where it stands.
    pub(super) pc: u32,
    /// The bodies of the loops around that place, as far as it does not lie at one's beginning.
    around: Vec<u32>,
    /// Whether control is on its way there, and what it is otherwise: one value, so that no loop but those around carries it.
    is_on_way: Variable,
    is_there: Value,
    /// From where control goes on to the next loop on the way, or loads the operands and joins the code at `pc`; taken when that has
    /// been reached.
    loader: Option<Block>,
    /// Variables of operands, by position and type.
    slots: Vec<Vec<(Type, Variable)>>,
}

/// The bodies of the loops around the one whose body begins at `pc`, outermost first.
fn loops_around(job: &Job<'_>, pc: u32) -> Result<Vec<u32>, Error> {
    // For each construct around, where its body begins if it is a loop.
    let mut constructs = Vec::new();
    for instruction in instructions(job) {
        let Instruction {
            operator, next_pc, ..
        } = instruction?;
        match operator {
            Operator::Loop { .. } if next_pc == pc => break,
            Operator::Loop { .. } => constructs.push(Some(next_pc)),
            Operator::Block { .. } | Operator::If { .. } | Operator::TryTable { .. } => {
                constructs.push(None);
            }
            Operator::End => _ = constructs.pop(),
            _ => {}
        }
    }
    Ok(constructs.into_iter().flatten().collect())
}

impl Translator<'_, '_> {
    /// Code that goes on with a frame begins with its locals; the function's own start is reached by no one then.
    pub(super) fn begin_with_frame(&mut self, pc: u32) -> Result<(), Error> {
        let cells = self.load_context(types::I64, offset_of!(Context, frame) as i32);
        let flags = self.flags(self.regions.cells);
        let mut offset = 0;
        for index in 0..self.locals.len() {
            let Local { ty, held, .. } = self.locals[index];
            let value = self.builder.ins().load(held, flags, cells, offset);
            self.keep_local(index, value);
            self.bring_home(index, value);
            offset += 8 * kind_of(ty, false).count() as i32;
        }
        let is_on_way = self.builder.declare_var(types::I8);
        let is_there = self.builder.ins().iconst(types::I8, 0);
        let starts = self.builder.ins().iconst(types::I8, 1);
        self.builder.def_var(is_on_way, starts);
        let loader = self.builder.create_block();
        self.builder.ins().jump(loader, &[]);
        self.builder.seal_block(loader);
        self.frame = Some(ResumedFrame {
            cells,
            pc,
            around: loops_around(self.job, pc)?,
            is_on_way,
            is_there,
            loader: Some(loader),
            slots: Vec::new(),
        });
        let start = self.builder.create_block();
        self.builder.switch_to_block(start);
        self.builder.seal_block(start);
        self.builder.def_var(is_on_way, is_there);
        self.forget_known();
        Ok(())
    }

    /// Joins the body of a loop with parameters of these types, if it lies on the way to the frame's place. The present block has been
    /// ended.
    pub(super) fn join_loop(&mut self, body: Block, pc: u32, params: &[Type]) {
        let Some(frame) = &mut self.frame else { return };
        let arguments = if frame.pc == pc {
            self.join_frame(params)
        } else if frame.around.contains(&pc) {
            let loader = frame.loader.take();
            loader.map(|loader| {
                self.builder.switch_to_block(loader);
                // Nobody looks at them.
                params.iter().map(|&ty| self.zero(ty)).collect()
            })
        } else {
            None
        };
        if let Some(arguments) = arguments {
            let arguments: Vec<_> = arguments.into_iter().map(Into::into).collect();
            self.builder.ins().jump(body, &arguments);
        }
    }

    /// Whether the frame's place was found. It is not where code begins that the translation takes for unreachable.
    pub(super) fn check_joined(&self) -> Result<(), Error> {
        match &self.frame {
            Some(ResumedFrame {
                loader: Some(_), ..
            }) => Err(Error::Failed("nothing leads to where it stands".into())),
            _ => Ok(()),
        }
    }

    /// At the beginning of a loop's body: goes on to the next loop if control is on its way through this one.
    pub(super) fn go_on_way(&mut self, pc: u32) {
        let Some(frame) = &self.frame else { return };
        if !frame.around.contains(&pc) {
            return;
        }
        let (variable, is_there) = (frame.is_on_way, frame.is_there);
        let loader = self.builder.create_block();
        let next = self.builder.create_block();
        let is_on_way = self.builder.use_var(variable);
        self.builder.ins().brif(is_on_way, loader, &[], next, &[]);
        self.builder.seal_block(loader);
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
        self.builder.def_var(variable, is_there);
        let frame = self.frame.as_mut().expect("code that goes on with a frame");
        frame.loader = Some(loader);
    }

    /// Goes on at the function's first instruction, with the locals of the frame.
    pub(super) fn join_at_start(&mut self) {
        let Some(loader) = self.frame.as_mut().and_then(|frame| frame.loader.take()) else {
            return;
        };
        // Control structure wants a start that goes on there too, though nobody calls it.
        let join = self.builder.create_block();
        self.builder.ins().jump(join, &[]);
        self.builder.switch_to_block(loader);
        self.builder.ins().jump(join, &[]);
        self.builder.seal_block(join);
        self.builder.switch_to_block(join);
    }

    /// Begins the block that comes from the frame: loads its operands, of which it gives the topmost, which have these types.
    /// The present block has been ended.
    fn join_frame(&mut self, params: &[Type]) -> Option<Vec<Value>> {
        let frame = self.frame.as_mut()?;
        let loader = frame.loader.take()?;
        let (cells, is_on_way, is_there) = (frame.cells, frame.is_on_way, frame.is_there);
        self.builder.switch_to_block(loader);
        self.builder.def_var(is_on_way, is_there);
        let flags = self.flags(self.regions.cells);
        let locals = self.locals.iter();
        let mut cell: usize = locals.map(|local| kind_of(local.ty, false).count()).sum();
        let below = self.stack.len() - params.len();
        let mut values = Vec::new();
        for index in 0..self.stack.len() {
            let ty = self.type_of(self.stack[index].value);
            let value = self.builder.ins().load(ty, flags, cells, 8 * cell as i32);
            cell += cells_of(ty);
            if index < below {
                let slot = self.slot(index, ty);
                self.builder.def_var(slot, value);
            } else {
                values.push(value);
            }
        }
        Some(values)
    }

    /// The variable of the operand at a position.
    fn slot(&mut self, index: usize, ty: Type) -> Variable {
        let frame = self.frame.as_mut().expect("code that goes on with a frame");
        if frame.slots.len() <= index {
            frame.slots.resize(index + 1, Vec::new());
        }
        let known = frame.slots[index].iter().find(|(known, _)| *known == ty);
        if let Some(&(_, variable)) = known {
            return variable;
        }
        let variable = self.builder.declare_var(ty);
        frame.slots[index].push((ty, variable));
        variable
    }

    /// Puts the operands into their variables, before a block that control may also reach from the frame.
    pub(super) fn put_slots(&mut self) {
        if self.frame.is_none() {
            return;
        }
        for index in 0..self.stack.len() {
            let value = self.stack[index].value;
            let slot = self.slot(index, self.type_of(value));
            self.builder.def_var(slot, value);
        }
    }

    /// Takes operands from their variables, in a block that control may also have reached from the frame.
    pub(super) fn take_slots(&mut self, count: usize) {
        if self.frame.is_none() {
            return;
        }
        for index in 0..count {
            let ty = self.type_of(self.stack[index].value);
            let slot = self.slot(index, ty);
            self.stack[index].value = self.builder.use_var(slot);
        }
    }
}

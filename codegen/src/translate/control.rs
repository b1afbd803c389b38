//! Blocks, branches, returns.

use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, JumpTableData, Type, Value, types};
use wasmparser::{BlockType, Operator, ValType};

use super::{Operand, Translator};
use crate::abi::{Context, Runtime, returns_in_registers, value_type};
use crate::compiler::Error;

/// A construct that labels lead to.
pub(super) struct Control {
    pub(super) kind: ControlKind,
    /// Behind its end; parameters are the results.
    pub(super) end: Block,
    /// The number of parameters.
    pub(super) params: usize,
    pub(super) results: Vec<Type>,
    /// Operands below the parameters.
    pub(super) height: usize,
    /// Whether something leads to `end`.
    pub(super) is_end_used: bool,
    /// Whether control reached its beginning.
    pub(super) is_reachable: bool,
}

pub(super) enum ControlKind {
    Function,
    Block,
    Loop {
        body: Block,
        /// Whether it has no calls.
        is_straight: bool,
    },
    /// Its other part, the parameters, and whether that part has begun.
    If {
        otherwise: Block,
        params: Vec<Operand>,
        has_else: bool,
    },
}

impl Translator<'_, '_> {
    /// Translates an instruction of control but for calls; answers whether it was one.
    pub(super) fn control(&mut self, operator: &Operator<'_>) -> Result<bool, Error> {
        match operator {
            Operator::Nop => {}
            Operator::Unreachable | Operator::Throw { .. } | Operator::ThrowRef => self.give_away(),
            Operator::Block { blockty } => self.begin_block(*blockty),
            Operator::TryTable { try_table } => {
                self.note_handlers(&try_table.catches);
                self.begin_block(try_table.ty);
            }
            Operator::Loop { blockty } => self.begin_loop(*blockty),
            Operator::If { blockty } => self.begin_if(*blockty),
            Operator::Else => self.begin_else(),
            Operator::End => self.end(),
            Operator::Br { relative_depth } => {
                self.branch(*relative_depth);
                self.is_reachable = false;
            }
            Operator::BrIf { relative_depth } => {
                let condition = self.pop();
                let condition = self.truth(condition);
                self.branch_if(condition, *relative_depth);
            }
            Operator::BrTable { targets } => self.branch_table(targets)?,
            Operator::Return => self.return_early(),
            Operator::BrOnNull { relative_depth } => {
                let reference = self.pop();
                let is_null = self.is_zero(reference);
                self.branch_if(is_null, *relative_depth);
                self.push(reference);
            }
            Operator::BrOnNonNull { relative_depth } => {
                // The label takes the reference, which is gone behind the instruction.
                self.branch_if_not_null(*relative_depth);
            }
            Operator::BrOnCast { relative_depth, .. } => {
                let fits = self.cast_fits();
                self.branch_if(fits, *relative_depth);
            }
            Operator::BrOnCastFail { relative_depth, .. } => {
                let fits = self.cast_fits();
                let fails = self.is_zero(fits);
                self.branch_if(fails, *relative_depth);
            }
            Operator::Try { .. }
            | Operator::Catch { .. }
            | Operator::CatchAll
            | Operator::Delegate { .. }
            | Operator::Rethrow { .. } => {
                return Err(Error::Instruction(
                    "instructions of the old proposal for exceptions (try, catch)",
                ));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Keeps count of blocks in code that control does not reach.
    pub(super) fn skip(&mut self, operator: &Operator<'_>) {
        match operator {
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::TryTable { .. } => {
                let end = self.controls[0].end;
                self.controls.push(Control {
                    kind: ControlKind::Block,
                    end,
                    params: 0,
                    results: Vec::new(),
                    height: self.stack.len(),
                    is_end_used: false,
                    is_reachable: false,
                });
            }
            Operator::Else if self.innermost().is_reachable => self.begin_else(),
            Operator::End if self.innermost().is_reachable => self.end(),
            Operator::End => {
                self.controls.pop();
            }
            _ => {}
        }
    }

    fn innermost(&self) -> &Control {
        self.controls.last().expect("the function itself is one")
    }

    /// Whether the innermost loop around the present instruction has no calls.
    pub(super) fn is_in_straight_loop(&self) -> bool {
        let innermost = self.controls.iter().rev().find_map(|it| match it.kind {
            ControlKind::Loop { is_straight, .. } => Some(is_straight),
            _ => None,
        });
        innermost.unwrap_or_default()
    }

    fn block_types(&self, ty: BlockType) -> (Vec<ValType>, Vec<ValType>) {
        match ty {
            BlockType::Empty => (Vec::new(), Vec::new()),
            BlockType::Type(ty) => (Vec::new(), vec![ty]),
            BlockType::FuncType(index) => {
                let ty = self.job.env.sub_type(index).unwrap_func();
                (ty.params().to_vec(), ty.results().to_vec())
            }
        }
    }

    fn open(&mut self, kind: ControlKind, params: usize, results: &[ValType]) {
        let end = self.block_with(results);
        self.controls.push(Control {
            kind,
            end,
            params,
            results: results.iter().map(|&ty| value_type(ty)).collect(),
            height: self.stack.len() - params,
            is_end_used: false,
            is_reachable: true,
        });
    }

    fn begin_block(&mut self, ty: BlockType) {
        let (params, results) = self.block_types(ty);
        self.put_slots();
        self.open(ControlKind::Block, params.len(), &results);
    }

    fn begin_loop(&mut self, ty: BlockType) {
        let (params, results) = self.block_types(ty);
        self.make_exact(params.len());
        self.put_slots();
        let body = self.block_with(&params);
        let arguments = self.arguments(params.len());
        self.builder.ins().jump(body, &arguments);
        let types: Vec<Type> = params.iter().map(|&ty| value_type(ty)).collect();
        self.join_loop(body, self.next_pc, &types);
        self.builder.switch_to_block(body);
        let is_straight = self.straight_loops.contains(&self.next_pc);
        self.open(
            ControlKind::Loop { body, is_straight },
            params.len(),
            &results,
        );
        let height = self.innermost().height;
        self.take_slots(height);
        self.stack.truncate(height);
        self.push_params(body, params.len());
        self.forget_known();
        self.go_on_way(self.next_pc);
        if is_straight {
            self.arrive_at_straight_loop(self.next_pc);
        } else {
            self.arrive(self.next_pc, false);
        }
    }

    fn begin_if(&mut self, ty: BlockType) {
        let (params, results) = self.block_types(ty);
        let condition = self.pop();
        let condition = self.truth(condition);
        self.make_exact(params.len());
        self.put_slots();
        let then = self.builder.create_block();
        let otherwise = self.builder.create_block();
        self.builder
            .ins()
            .brif(condition, then, &[], otherwise, &[]);
        self.builder.seal_block(then);
        self.builder.seal_block(otherwise);
        self.builder.switch_to_block(then);
        let height = self.stack.len() - params.len();
        let kind = ControlKind::If {
            otherwise,
            params: self.stack[height..].to_vec(),
            has_else: false,
        };
        self.open(kind, params.len(), &results);
    }

    fn begin_else(&mut self) {
        if self.is_reachable {
            let count = self.innermost().results.len();
            let arguments = self.exact_arguments(count);
            let control = self.controls.last_mut().expect("an if");
            control.is_end_used = true;
            let end = control.end;
            self.builder.ins().jump(end, &arguments);
        }
        let control = self.controls.last_mut().expect("an if");
        let height = control.height;
        let ControlKind::If {
            otherwise,
            params,
            has_else,
        } = &mut control.kind
        else {
            unreachable!("validated code has else in an if only");
        };
        *has_else = true;
        let (otherwise, params) = (*otherwise, params.clone());
        self.builder.switch_to_block(otherwise);
        self.forget_known();
        self.stack.truncate(height);
        self.stack.extend(params);
        let count = self.stack.len();
        self.take_slots(count);
        self.is_reachable = true;
    }

    /// Before the function's last instruction, where branches out of it lead, too.
    pub(super) fn join_last(&mut self) {
        let Control { end, .. } = self.controls[0];
        let count = self.job.ty.results().len();
        if self.is_reachable {
            let arguments = self.exact_arguments(count);
            self.builder.ins().jump(end, &arguments);
            self.controls[0].is_end_used = true;
        }
        self.is_reachable = self.controls[0].is_end_used;
        if self.is_reachable {
            self.builder.switch_to_block(end);
            self.builder.seal_block(end);
            self.forget_known();
            self.stack.clear();
            self.push_params(end, count);
        }
    }

    /// Returns from within. A branch out of the function leads to its last instruction and does the same there, but for a probe.
    fn return_early(&mut self) {
        let last = self.job.offset + self.job.code.len() as u32 - 1;
        if self.job.probes.last().is_some_and(|it| it.pc == last) {
            self.make_exact(self.job.ty.results().len());
            self.return_results();
        } else {
            self.branch(self.controls.len() as u32 - 1);
        }
        self.is_reachable = false;
    }

    fn end(&mut self) {
        if matches!(self.innermost().kind, ControlKind::Function) {
            self.controls.pop();
            if self.is_reachable {
                self.return_results();
            }
            self.is_reachable = false;
            return;
        }
        let count = self.innermost().results.len();
        if self.is_reachable {
            let arguments = self.exact_arguments(count);
            let control = self.controls.last_mut().expect("a construct");
            control.is_end_used = true;
            let end = control.end;
            self.builder.ins().jump(end, &arguments);
        }
        let mut control = self.controls.pop().expect("a construct");
        if let ControlKind::If {
            otherwise,
            params,
            has_else: false,
        } = &control.kind
        {
            // Without an else part, the parameters are the results.
            self.builder.switch_to_block(*otherwise);
            self.stack.truncate(control.height);
            self.stack.extend(params.iter().copied());
            let all = self.stack.len();
            self.take_slots(all);
            let arguments = self.arguments(count);
            self.builder.ins().jump(control.end, &arguments);
            control.is_end_used = true;
        }
        if let ControlKind::Loop { body, .. } = control.kind {
            self.builder.seal_block(body);
        }
        self.stack.truncate(control.height);
        self.is_reachable = control.is_end_used;
        if !control.is_end_used {
            return;
        }
        self.builder.switch_to_block(control.end);
        self.builder.seal_block(control.end);
        self.forget_known();
        self.take_slots(control.height);
        self.push_params(control.end, count);
    }

    /// Pushes the first parameters of a block: behind those that it was made with there may be others, for variables.
    fn push_params(&mut self, block: Block, count: usize) {
        let values = self.builder.block_params(block)[..count].to_vec();
        values.into_iter().for_each(|value| self.push(value));
    }

    fn arguments(&self, count: usize) -> Vec<BlockArg> {
        let operands = &self.stack[self.stack.len() - count..];
        let values = operands.iter().map(|operand| operand.value);
        values.map(BlockArg::Value).collect()
    }

    fn exact_arguments(&mut self, count: usize) -> Vec<BlockArg> {
        self.make_exact(count);
        self.arguments(count)
    }

    /// Where a label leads to, and how many operands it takes.
    fn target(&mut self, depth: u32) -> (Block, usize) {
        let position = self.controls.len() - 1 - depth as usize;
        let control = &mut self.controls[position];
        match control.kind {
            ControlKind::Loop { body, .. } => (body, control.params),
            _ => {
                control.is_end_used = true;
                (control.end, control.results.len())
            }
        }
    }

    fn branch(&mut self, depth: u32) {
        let (block, count) = self.target(depth);
        let arguments = self.exact_arguments(count);
        self.builder.ins().jump(block, &arguments);
    }

    fn branch_if(&mut self, condition: Value, depth: u32) {
        let (block, count) = self.target(depth);
        let arguments = self.exact_arguments(count);
        let next = self.builder.create_block();
        self.builder
            .ins()
            .brif(condition, block, &arguments, next, &[]);
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
    }

    fn branch_if_not_null(&mut self, depth: u32) {
        let (block, count) = self.target(depth);
        let arguments = self.exact_arguments(count);
        let reference = self.pop();
        let next = self.builder.create_block();
        let is_null = self.is_zero(reference);
        self.builder
            .ins()
            .brif(is_null, next, &[], block, &arguments);
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
    }

    fn branch_table(&mut self, targets: &wasmparser::BrTable<'_>) -> Result<(), Error> {
        let index = self.pop();
        let (_, count) = self.target(targets.default());
        let arguments = self.exact_arguments(count);
        let mut calls = Vec::with_capacity(targets.len() as usize);
        for depth in targets.targets() {
            let depth = depth.map_err(|error| Error::Failed(error.to_string()))?;
            let (block, _) = self.target(depth);
            calls.push(self.builder.func.dfg.block_call(block, &arguments));
        }
        let (block, _) = self.target(targets.default());
        let default = self.builder.func.dfg.block_call(block, &arguments);
        let table = self
            .builder
            .create_jump_table(JumpTableData::new(default, &calls));
        self.builder.ins().br_table(index, table);
        self.is_reachable = false;
        Ok(())
    }

    /// The labels of catch clauses are reached by frames that an interpreter goes on with. So that code may be entered behind
    /// them, something has to lead there.
    fn note_handlers(&mut self, catches: &[wasmparser::Catch]) {
        for catch in catches {
            let label = match *catch {
                wasmparser::Catch::One { label, .. }
                | wasmparser::Catch::OneRef { label, .. }
                | wasmparser::Catch::All { label }
                | wasmparser::Catch::AllRef { label } => label,
            };
            let here = self.builder.current_block().expect("a block");
            let (block, count) = self.target(label);
            let never = self.builder.create_block();
            let next = self.builder.create_block();
            self.builder.ins().jump(next, &[]);
            self.builder.seal_block(never);
            self.builder.switch_to_block(never);
            let params = self.builder.block_params(block)[..count].to_vec();
            let types: Vec<Type> = params.iter().map(|&value| self.type_of(value)).collect();
            let zeros: Vec<BlockArg> = types
                .into_iter()
                .map(|ty| BlockArg::Value(self.zero(ty)))
                .collect();
            self.builder.ins().jump(block, &zeros);
            debug_assert_ne!(here, next);
            self.builder.seal_block(next);
            self.builder.switch_to_block(next);
        }
    }

    /// Whether the reference on the stack, which stays there, fits the type of the present branch.
    fn cast_fits(&mut self) -> Value {
        let reference = self.peek(0);
        let func = self.constant(u64::from(self.job.func));
        let pc = self.constant(u64::from(self.pc));
        self.call_runtime(Runtime::Cast, &[func, pc, reference])
    }

    /// Returns with the topmost operands, which are exact.
    pub(super) fn return_results(&mut self) {
        let count = self.job.ty.results().len();
        let clock = self.builder.use_var(self.clock);
        if returns_in_registers(self.job.ty) {
            let operands = &self.stack[self.stack.len() - count..];
            let mut results: Vec<Value> = operands.iter().map(|operand| operand.value).collect();
            results.push(clock);
            self.builder.ins().return_(&results);
            return;
        }
        self.put_cells(count);
        self.builder.ins().return_(&[clock]);
    }

    /// Writes the topmost operands, which are exact, to the context's cells.
    pub(super) fn put_cells(&mut self, count: usize) {
        let cells = self.load_constant(types::I64, std::mem::offset_of!(Context, cells) as i32);
        let flags = self.flags(self.regions.cells);
        let mut offset = 0;
        for index in self.stack.len() - count..self.stack.len() {
            let value = self.stack[index].value;
            let cell = self.cell_of(value);
            self.builder.ins().store(flags, cell, cells, offset);
            offset += 8 * super::cells_of(self.type_of(value)) as i32;
        }
    }

    /// Pushes values that lie in the context's cells.
    pub(super) fn take_cells(&mut self, wasm_types: &[ValType]) {
        let cells = self.load_constant(types::I64, std::mem::offset_of!(Context, cells) as i32);
        let flags = self.flags(self.regions.cells);
        let mut offset = 0;
        for &ty in wasm_types {
            let ty = value_type(ty);
            let value = self.builder.ins().load(ty, flags, cells, offset);
            self.push(value);
            offset += 8 * super::cells_of(ty) as i32;
        }
    }
}

//! Translation of a function to register code.
//!
//! The registers of the code are the cells of the canonical frame. While it reads the function's instructions, the translator keeps
//! a stack of what each operand will be at run time: most operands are never written to their cell, because the instruction that
//! takes them reads the local, the constant or the last result itself. Where somebody may look, [`Place`]s say which cells have
//! to be filled in from what. A second translation of the same function makes them, when the first stop in it asks for them.

mod calls;
mod control;
mod emit;
mod fuse;
mod stack;
mod variables;

use std::collections::VecDeque;

use super::code::{Code, Place, Places};
use super::context::{Cell, Last, handler};
use super::effects::{class_of, effect};
use super::handlers::control::{Bail, CheckNull};
use super::table::{Class, Native, native, shared_handler};
use crate::address::{FuncAddr, InstanceAddr, ModuleOffset};
use crate::decode::{Immediates, Instruction, Instructions};
use crate::isa::Op;
use crate::module::Module;
use crate::store::{Instance, Store};
use crate::value::func_ref_cell;
use crate::watch::{WatchPlan, can_touch};
use control::Label;
use emit::Lines;
use stack::{Operand, RegisterState, Src, Value};

/// Why a function cannot be translated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Obstacle {
    /// Its frame has more cells than an instruction can name.
    LargeFrame,
    /// Its code is not valid, or longer than a branch can reach.
    Code,
}

impl Obstacle {
    /// As a clause.
    pub(super) fn text(self) -> &'static str {
        match self {
            Obstacle::LargeFrame => "its frame has more than 65536 cells",
            Obstacle::Code => "its code is too long",
        }
    }
}

/// What is wanted beside the code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Extent {
    /// Nothing.
    Code,
    /// The places at which the canonical state can be told.
    Places,
    /// The listing that people read.
    Lines,
}

/// A translation in progress.
pub(super) struct Translator<'a> {
    store: &'a Store,
    module: &'a Module,
    instance: &'a Instance,
    instance_addr: InstanceAddr,
    func: FuncAddr,
    instructions: Instructions<'a>,
    /// Instructions that were looked at ahead.
    ahead: VecDeque<Instruction>,
    probes: &'a [ModuleOffset],
    plan: &'a WatchPlan,
    code: Vec<u64>,
    /// The last instruction emitted, if nothing can branch to what follows it.
    last: Option<usize>,
    /// The first instruction that copies of the present instruction can be merged with: a run that stops at an instruction must
    /// not have executed a part of it together with the one before.
    merge_from: usize,
    /// The class and first cell of every local.
    locals: Vec<(Class, u32)>,
    locals_cells: u32,
    operands: Vec<Operand>,
    registers: [RegisterState; 3],
    labels: Vec<Label>,
    /// In code that cannot be reached, the number of blocks opened in it.
    unreachable: Option<u32>,
    height_max: u32,
    /// A cell that no instruction can name was needed.
    is_too_large: bool,
    places: Option<Places>,
    lines: Option<Lines>,
    /// The instruction that is translated.
    pc: ModuleOffset,
}

/// Translates a function of the store that has code.
pub(super) fn translate(
    store: &Store,
    func: FuncAddr,
    probes: &[ModuleOffset],
    plan: &WatchPlan,
    extent: Extent,
) -> Result<Code, Obstacle> {
    let inst = &store.funcs[func.index()];
    let instance = &store.instances[inst.instance.index()];
    let module = &*instance.module;
    let body = module.func_body(inst.index).ok_or(Obstacle::Code)?;
    let code = &module.bytes()[body.code.start as usize..body.code.end as usize];
    let mut locals = Vec::new();
    let mut locals_cells = 0;
    for ty in module.local_types(inst.index) {
        let class = class_of(ty);
        locals.push((class, locals_cells));
        locals_cells += class.cells();
    }
    let translator = Translator {
        store,
        module,
        instance,
        instance_addr: inst.instance,
        func,
        instructions: Instructions::new(code, ModuleOffset(body.code.start)),
        ahead: VecDeque::new(),
        probes,
        plan,
        code: Vec::with_capacity(code.len() * 2),
        last: None,
        merge_from: 0,
        locals,
        locals_cells,
        operands: Vec::new(),
        registers: [RegisterState::default(); 3],
        labels: vec![Label::of_function(
            module.func_type(inst.index),
            locals_cells,
        )],
        unreachable: None,
        height_max: 0,
        is_too_large: false,
        places: (extent == Extent::Places).then(Places::default),
        lines: (extent == Extent::Lines).then(Lines::default),
        pc: ModuleOffset(body.code.start),
    };
    let mut translated = translator.run()?;
    let params = module.func_type(inst.index).params().iter();
    translated.param_cells = params.map(|&ty| class_of(ty).cells()).sum();
    translated.local_cells = locals_cells - translated.param_cells;
    translated.wasm_bytes = code.len();
    Ok(translated)
}

impl Translator<'_> {
    fn run(mut self) -> Result<Code, Obstacle> {
        while let Some(instruction) = self.take() {
            self.pc = instruction.pc;
            self.merge_from = match instruction.op {
                // They never stop.
                Op::LocalSet | Op::LocalTee => 0,
                _ => self.code.len(),
            };
            if self.unreachable.is_some() {
                self.skip(&instruction)?;
            } else {
                // Branches land on the last `end`, so that it has its place behind them.
                if instruction.op != Op::End || self.labels.len() > 1 {
                    self.note_place();
                    self.emit_probe();
                }
                self.instruction(&instruction)?;
            }
            if self.unreachable.is_none() {
                self.height_max = self.height_max.max(self.top_cell());
            }
        }
        if self.is_too_large || self.height_max.max(self.locals_cells) > u32::from(u16::MAX) {
            return Err(Obstacle::LargeFrame);
        }
        if self.code.len() > i32::MAX as usize / super::context::WORD_BYTES {
            return Err(Obstacle::Code);
        }
        let lines = self.lines.map_or_else(Vec::new, Lines::finish);
        Ok(Code {
            words: self.code.into(),
            wasm_bytes: 0,
            param_cells: 0,
            local_cells: 0,
            frame_cells_max: self.height_max.max(self.locals_cells),
            places: self.places,
            lines,
        })
    }

    /// The next instruction.
    fn take(&mut self) -> Option<Instruction> {
        self.ahead.pop_front().or_else(|| self.instructions.next())
    }

    /// An instruction further on that is executed together with the present one, if nobody can stop before it.
    fn peek(&mut self, distance: usize) -> Option<&Instruction> {
        while self.ahead.len() <= distance {
            let instruction = self.instructions.next()?;
            self.ahead.push_back(instruction);
        }
        let found = &self.ahead[distance];
        (!self.probes.contains(&found.pc)).then_some(found)
    }

    /// Notes what the canonical state is made of before the present instruction.
    fn note_place(&mut self) {
        let Some(places) = &mut self.places else {
            return;
        };
        places.add(Place {
            pc: self.pc,
            ip: self.code.len() as u32,
            height: self.operands.last().map_or(self.locals_cells, Operand::end),
            operands: stack::fills(&self.operands),
            registers: self.registers.map(|register| register.cell(&self.operands)),
        });
    }

    /// Takes back the places before which the last instruction is complete: it now executes what comes after them, too.
    fn forget_places(&mut self) {
        if let Some(places) = &mut self.places {
            places.forget(self.code.len() as u32);
        }
    }

    fn instruction(&mut self, instruction: &Instruction) -> Result<(), Obstacle> {
        if let Some(native) = native(instruction.op)
            && self.native(native, instruction)?
        {
            return Ok(());
        }
        match (instruction.op, &instruction.immediates) {
            (Op::Nop, _) => {}
            (Op::Drop, _) => drop(self.pop()),
            (Op::Select | Op::SelectTyped, _) => self.select(),
            (Op::LocalGet, Immediates::Index(index)) => self.local_get(*index),
            (Op::LocalSet, Immediates::Index(index)) => self.local_set(*index),
            (Op::LocalTee, Immediates::Index(index)) => self.local_tee(*index),
            (Op::GlobalGet, Immediates::Index(index)) => self.global_get(*index),
            (Op::GlobalSet, Immediates::Index(index)) => self.global_set(*index),
            (Op::I32Const, Immediates::I32(value)) => {
                self.push_constant(Class::I32, u64::from(*value as u32));
            }
            (Op::I64Const, Immediates::I64(value)) => {
                self.push_constant(Class::I64, *value as u64);
            }
            (Op::F32Const, Immediates::F32(bits)) => {
                self.push_constant(Class::F32, u64::from(*bits));
            }
            (Op::F64Const, Immediates::F64(bits)) => self.push_constant(Class::F64, *bits),
            (Op::V128Const, Immediates::V128(bits)) => self.vector_constant(*bits),
            (Op::RefNull, _) => self.push_constant(Class::Ref, 0),
            (Op::RefFunc, Immediates::Index(index)) => {
                let func = self.instance.funcs[*index as usize];
                self.push_constant(Class::Ref, func_ref_cell(Some(func)));
            }
            (Op::RefAsNonNull, _) => self.check_null(),
            _ => {
                if !self.control(instruction)? {
                    self.shared(instruction)?;
                }
            }
        }
        Ok(())
    }

    /// Translates an instruction that has handlers of its own; answers whether this form of it has.
    fn native(
        &mut self,
        native: &'static Native,
        instruction: &Instruction,
    ) -> Result<bool, Obstacle> {
        let name = instruction.info().mnemonic;
        match native {
            Native::One(forms) => {
                if instruction.op == Op::I32Eqz
                    && let Some(consumer) = self.consumer_ahead()
                {
                    self.branch_on_zero(&consumer)?;
                    return Ok(true);
                }
                let operand = self.pop();
                let (results, cell) = match self.source_in_cell(&operand) {
                    Src::Last => (forms.last, 0),
                    Src::Cell(cell) => (forms.cell, cell),
                    Src::Constant(_) => unreachable!("constants were put into cells"),
                };
                let word = self.fields(cell, 0, 0, 0);
                self.produce(forms.output, results, word, None, name, &[operand]);
            }
            Native::Two(forms) => {
                if forms.branches_if.is_some()
                    && let Some(consumer) = self.consumer_ahead()
                {
                    let sources = self.two_condition(forms, instruction.op);
                    self.branch_on_two(sources, &consumer)?;
                    return Ok(true);
                }
                let is_fused = match instruction.op {
                    Op::I32Add => self.fuse_add()?,
                    op @ (Op::F32Mul | Op::F64Mul) => self.fuse_multiplication(op),
                    _ => false,
                };
                if !is_fused {
                    let sources = self.two_condition(forms, instruction.op);
                    self.two(sources);
                }
            }
            Native::Load(forms) => {
                let Some(offset) = self.short_offset(&instruction.immediates) else {
                    return Ok(false);
                };
                if matches!(instruction.op, Op::F32Load | Op::F64Load)
                    && let Ok(offset) = u16::try_from(offset)
                    && self.fuse_loaded(instruction.op, offset)
                {
                    return Ok(true);
                }
                let watched = usize::from(self.plan.memory);
                let operand = self.pop();
                let (results, cell) = match self.source_in_cell(&operand) {
                    Src::Last => (forms.last[watched], 0),
                    Src::Cell(cell) => (forms.cell[watched], cell),
                    Src::Constant(_) => unreachable!("constants were put into cells"),
                };
                let word = self.fields(cell, 0, 0, 0) | u64::from(offset) << 32;
                self.produce(forms.output, results, word, None, name, &[operand]);
                self.note_offset(offset);
            }
            Native::Store(forms) => {
                let Some(offset) = self.short_offset(&instruction.immediates) else {
                    return Ok(false);
                };
                self.store(forms, offset, name);
            }
        }
        Ok(true)
    }

    /// The constant offset of an access of memory 0 where that has addresses of 32 bits.
    fn short_offset(&self, immediates: &Immediates) -> Option<u32> {
        match immediates {
            Immediates::MemArg {
                memory: 0, offset, ..
            } if !self.module.memories()[0].memory64 => u32::try_from(*offset).ok(),
            _ => None,
        }
    }

    fn check_null(&mut self) {
        let operand = self.pop();
        let source = self.source_in_cell(&operand);
        match source {
            Src::Last => self.emit(handler::<CheckNull<Last>>, 0, "ref.as_non_null", &[operand]),
            Src::Cell(cell) => {
                let word = self.fields(cell, 0, 0, 0);
                self.emit(
                    handler::<CheckNull<Cell<0>>>,
                    word,
                    "ref.as_non_null",
                    &[operand],
                )
            }
            Src::Constant(_) => unreachable!("constants were put into cells"),
        };
        self.push_again(operand);
    }

    /// Translates an instruction that the classic tier's code executes, on operands in their cells.
    fn shared(&mut self, instruction: &Instruction) -> Result<(), Obstacle> {
        let effect = effect(self.store, self.instance, instruction).ok_or(Obstacle::Code)?;
        self.flush();
        let address = self.module.bytes()[instruction.pc.index()..].as_ptr();
        let word = u64::from(self.top_cell()) << 32;
        let name = instruction.info().mnemonic;
        self.give_away_if(can_touch(instruction.op, self.plan));
        let first = self
            .operands
            .len()
            .checked_sub(effect.pops)
            .ok_or(Obstacle::Code)?;
        let operands = self.operands.split_off(first);
        self.emit(shared_handler(instruction.op), word, name, &operands);
        self.code.push(address as u64);
        for operand in &operands {
            self.wrote(operand.cell);
        }
        for class in effect.pushes {
            self.push_kept(class);
            let cell = self.top_cell();
            (cell - class.cells()..cell).for_each(|cell| self.wrote(cell));
        }
        Ok(())
    }

    /// Has the classic tier execute the present instruction if a watch asks for it: what follows is where register code goes on.
    fn give_away_if(&mut self, is_watched: bool) {
        if is_watched {
            self.emit(handler::<Bail>, 0, "watch", &[]);
        }
    }

    /// Gives the present instruction, after which control goes elsewhere, to the classic tier.
    fn give_away(&mut self, name: &'static str) {
        self.flush();
        self.emit(handler::<Bail>, 0, name, &[]);
        self.unreachable = Some(0);
    }

    fn vector_constant(&mut self, bits: u128) {
        let cell = self.top_cell();
        self.emit_constant(cell, bits as u64);
        self.emit_constant(cell + 1, (bits >> 64) as u64);
        self.push_kept(Class::V128);
    }

    fn push_constant(&mut self, class: Class, bits: u64) {
        let cell = self.top_cell();
        self.operands.push(Operand {
            class,
            cell,
            value: Value::Constant(bits),
        });
    }
}

//! The operand stack during translation: what each operand will be at run time.

use super::Translator;
use crate::fast::code::{Fill, FillFrom};
use crate::fast::context::Handler;
use crate::fast::table::{Class, RegisterKind, Results};

/// What an operand will be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Value {
    /// In its canonical cell.
    Kept,
    /// What the local has whose cell this is.
    Local(u32),
    /// These bits.
    Constant(u64),
    /// The last result of its kind.
    Register,
}

/// An operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::fast) struct Operand {
    pub(super) class: Class,
    /// Its canonical cell, the first of two for a vector.
    pub(super) cell: u32,
    pub(super) value: Value,
}

impl Operand {
    /// The cell above it.
    pub(super) fn end(&self) -> u32 {
        self.cell + self.class.cells()
    }
}

/// Where an instruction takes an operand from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Src {
    Cell(u32),
    /// The register of its kind.
    Last,
    Constant(u64),
}

/// The instruction that gave the last result of a kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Producer {
    /// Where it is.
    pub(super) at: usize,
    /// Its handler if it is to keep the result in a cell, too.
    keep: Handler,
}

/// What a register holds.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct RegisterState {
    /// The instruction that gave it, if that does not keep it in a cell.
    producer: Option<Producer>,
    /// The operand that is nowhere else.
    operand: Option<usize>,
    /// A cell that holds the same.
    same: Option<u32>,
}

impl RegisterState {
    /// The cell in which the canonical state has what the register holds, if somebody may use it.
    pub(super) fn cell(&self, operands: &[Operand]) -> Option<u32> {
        match self.operand {
            Some(index) => operands.get(index).map(|operand| operand.cell),
            None => self.same,
        }
    }
}

/// How the cells of operands are filled in that are not kept there.
pub(super) fn fills(operands: &[Operand]) -> Vec<Fill> {
    let fill = |operand: &Operand| {
        let from = match operand.value {
            Value::Kept => return None,
            Value::Local(cell) => FillFrom::Local(cell),
            Value::Constant(bits) => FillFrom::Constant(bits),
            Value::Register => FillFrom::Register(operand.class.register()?),
        };
        Some(Fill {
            cell: operand.cell,
            from,
        })
    };
    operands.iter().filter_map(fill).collect()
}

impl Translator<'_> {
    /// The cell above the topmost operand.
    pub(super) fn top_cell(&self) -> u32 {
        self.operands.last().map_or(self.locals_cells, Operand::end)
    }

    /// Takes the topmost operand off the stack.
    pub(super) fn pop(&mut self) -> Operand {
        let operand = self
            .operands
            .pop()
            .expect("validation guarantees the operand");
        if operand.value == Value::Register {
            self.register_mut(operand.class).operand = None;
        }
        operand
    }

    /// Puts an operand back that was just taken off and not changed.
    pub(super) fn push_again(&mut self, operand: Operand) {
        let index = self.operands.len();
        if operand.value == Value::Register {
            self.register_mut(operand.class).operand = Some(index);
        }
        self.operands.push(operand);
    }

    /// Pushes an operand that lies in its cell.
    pub(super) fn push_kept(&mut self, class: Class) {
        let cell = self.top_cell();
        self.operands.push(Operand {
            class,
            cell,
            value: Value::Kept,
        });
    }

    pub(super) fn register_mut(&mut self, class: Class) -> &mut RegisterState {
        let kind = class.register().expect("vectors are always kept");
        &mut self.registers[kind as usize]
    }

    /// Where an instruction takes an operand from.
    pub(super) fn source(&self, operand: &Operand) -> Src {
        let cell = match operand.value {
            Value::Register => return Src::Last,
            Value::Constant(bits) => return Src::Constant(bits),
            Value::Kept => operand.cell,
            Value::Local(cell) => cell,
        };
        let register = operand.class.register();
        if register.is_some_and(|kind| self.registers[kind as usize].same == Some(cell)) {
            Src::Last
        } else {
            Src::Cell(cell)
        }
    }

    /// The same for an instruction without a form for constants: those are put into the operand's cell.
    pub(super) fn source_in_cell(&mut self, operand: &Operand) -> Src {
        match self.source(operand) {
            Src::Constant(bits) => {
                self.emit_constant(operand.cell, bits);
                Src::Cell(operand.cell)
            }
            source => source,
        }
    }

    /// The cell that holds an operand that was just taken off; it is put there if need be.
    pub(super) fn in_cell(&mut self, operand: &Operand) -> u32 {
        match operand.value {
            Value::Kept => operand.cell,
            Value::Local(cell) => cell,
            Value::Constant(bits) => {
                self.emit_constant(operand.cell, bits);
                operand.cell
            }
            Value::Register => {
                let kind = operand.class.register().expect("vectors are always kept");
                self.keep(kind, operand.cell);
                operand.cell
            }
        }
    }

    /// Takes note that a cell has been written: no register holds the same any more.
    pub(super) fn wrote(&mut self, cell: u32) {
        for register in &mut self.registers {
            if register.same == Some(cell) {
                register.same = None;
            }
        }
    }

    /// Forgets what the registers hold: control can come from elsewhere.
    pub(super) fn forget_registers(&mut self) {
        self.registers = Default::default();
        self.last = None;
    }

    /// Takes note that a register holds the same as a cell.
    pub(super) fn set_same(&mut self, kind: RegisterKind, cell: u32) {
        self.registers[kind as usize].same = Some(cell);
    }

    /// Makes the instruction that gave a register's contents keep them in a cell, too.
    pub(super) fn keep(&mut self, kind: RegisterKind, cell: u32) {
        let producer = self.registers[kind as usize]
            .producer
            .take()
            .expect("what is in a register only was given by an instruction");
        self.code[producer.at] = producer.keep as *const () as u64;
        let field = u64::from(self.field(cell)) << 16;
        self.code[producer.at + 1] |= field;
        if let Some(lines) = &mut self.lines {
            lines.keep(producer.at, cell, self.locals_cells);
        }
        self.wrote(cell);
        self.registers[kind as usize].same = Some(cell);
    }

    /// Whether the last instruction gave the register's contents, and does not keep them.
    pub(super) fn is_fresh(&self, kind: RegisterKind) -> bool {
        let producer = self.registers[kind as usize].producer;
        producer.is_some_and(|producer| self.last == Some(producer.at))
    }

    /// Sees to it that a register can be overwritten.
    pub(super) fn vacate(&mut self, kind: RegisterKind) {
        if let Some(index) = self.registers[kind as usize].operand.take() {
            let cell = self.operands[index].cell;
            self.keep(kind, cell);
            self.operands[index].value = Value::Kept;
        }
    }

    /// Emits an instruction that gives a result, which becomes the topmost operand.
    pub(super) fn produce(
        &mut self,
        class: Class,
        results: Results,
        word: u64,
        extra: Option<u64>,
        name: &'static str,
        operands: &[Operand],
    ) {
        let kind = class
            .register()
            .expect("vectors have handlers of their own");
        self.vacate(kind);
        let at = self.emit(results[0], word, name, operands);
        self.code.extend(extra);
        if let Some(lines) = &mut self.lines {
            lines.gives(at, kind);
        }
        let cell = self.top_cell();
        self.registers[kind as usize] = RegisterState {
            producer: Some(Producer {
                at,
                keep: results[1],
            }),
            operand: Some(self.operands.len()),
            same: None,
        };
        self.operands.push(Operand {
            class,
            cell,
            value: Value::Register,
        });
    }

    /// Puts an operand into its cell.
    pub(super) fn flush_operand(&mut self, index: usize) {
        let Operand { class, cell, value } = self.operands[index];
        match value {
            Value::Kept => return,
            Value::Local(local) => self.emit_copy(local, cell),
            Value::Constant(bits) => self.emit_constant(cell, bits),
            Value::Register => {
                let kind = class.register().expect("vectors are always kept");
                self.vacate(kind);
            }
        }
        self.operands[index].value = Value::Kept;
    }

    /// Puts all operands into their cells.
    pub(super) fn flush(&mut self) {
        for index in 0..self.operands.len() {
            self.flush_operand(index);
        }
    }
}

//! Emission of single instructions, and of the listing that people read.

use super::Translator;
use super::stack::{Operand, Value};
use crate::address::ModuleOffset;
use crate::fast::context::{Double, Handler, Int, Single, WORD_BYTES, handler};
use crate::fast::handlers::moves::{Constant, Copy, CopyTwo, CopyVector, Keep};
use crate::fast::table::RegisterKind;
use crate::tier::RegisterLine;

/// The listing, as it grows.
#[derive(Default)]
pub(super) struct Lines {
    lines: Vec<Line>,
}

struct Line {
    at: usize,
    pc: ModuleOffset,
    text: String,
    register: Option<RegisterKind>,
    /// The cell that keeps the result.
    kept: Option<String>,
}

/// How a cell is written: a local's is `l` and its number in the frame, an operand's `s` and its height.
fn cell_text(cell: u32, locals_cells: u32) -> String {
    if cell < locals_cells {
        format!("l{cell}")
    } else {
        format!("s{}", cell - locals_cells)
    }
}

fn register_text(kind: RegisterKind) -> &'static str {
    match kind {
        RegisterKind::Int => "r",
        RegisterKind::Double => "d",
        RegisterKind::Single => "f",
    }
}

impl Lines {
    fn add(&mut self, at: usize, pc: ModuleOffset, text: String) {
        self.lines.push(Line {
            at,
            pc,
            text,
            register: None,
            kept: None,
        });
    }

    fn line(&mut self, at: usize) -> Option<&mut Line> {
        self.lines.iter_mut().rev().find(|line| line.at == at)
    }

    /// The instruction gives a result.
    pub(super) fn gives(&mut self, at: usize, kind: RegisterKind) {
        if let Some(line) = self.line(at) {
            line.register = Some(kind);
        }
    }

    /// The instruction keeps its result in a cell.
    pub(super) fn keep(&mut self, at: usize, cell: u32, locals_cells: u32) {
        if let Some(line) = self.line(at) {
            line.kept = Some(cell_text(cell, locals_cells));
        }
    }

    /// Words before the instruction's name.
    pub(super) fn prefix(&mut self, at: usize, prefix: &str) {
        if let Some(line) = self.line(at) {
            line.text.insert_str(0, prefix);
        }
    }

    /// The instruction branches to another.
    pub(super) fn aim(&mut self, at: usize, target: usize) {
        if let Some(line) = self.line(at) {
            line.text += &format!(" -> {:#x}", target * WORD_BYTES);
        }
    }

    pub(super) fn finish(self) -> Vec<RegisterLine> {
        let line = |line: Line| {
            let result = match (line.register, line.kept) {
                (Some(kind), Some(kept)) => format!("{kept} = {} = ", register_text(kind)),
                (Some(kind), None) => format!("{} = ", register_text(kind)),
                (None, Some(kept)) => format!("{kept} = "),
                (None, None) => String::new(),
            };
            RegisterLine {
                offset: (line.at * WORD_BYTES) as u32,
                pc: line.pc,
                text: result + &line.text,
            }
        };
        self.lines.into_iter().map(line).collect()
    }
}

impl Translator<'_> {
    /// Appends an instruction of two words; answers where it is.
    pub(super) fn emit(
        &mut self,
        handler: Handler,
        word: u64,
        name: &'static str,
        operands: &[Operand],
    ) -> usize {
        let at = self.code.len();
        self.code.extend([handler as *const () as u64, word]);
        self.last = Some(at);
        if self.lines.is_some() {
            let texts: Vec<String> = operands
                .iter()
                .map(|operand| self.operand_text(operand))
                .collect();
            let text = format!("{name} {}", texts.join(", "));
            let pc = self.pc;
            if let Some(lines) = &mut self.lines {
                lines.add(at, pc, text.trim_end().to_owned());
            }
        }
        at
    }

    fn operand_text(&self, operand: &Operand) -> String {
        match operand.value {
            Value::Kept => cell_text(operand.cell, self.locals_cells),
            Value::Local(cell) => cell_text(cell, self.locals_cells),
            Value::Constant(bits) => match operand.class {
                crate::fast::table::Class::I32 => (bits as i32).to_string(),
                crate::fast::table::Class::I64 => (bits as i64).to_string(),
                crate::fast::table::Class::F32 => f32::from_bits(bits as u32).to_string(),
                crate::fast::table::Class::F64 => f64::from_bits(bits).to_string(),
                _ => format!("{bits:#x}"),
            },
            Value::Register => {
                let kind = operand.class.register();
                kind.map_or("", register_text).to_owned()
            }
        }
    }

    /// Adds to the listing what the last instruction has beside its operands.
    pub(super) fn note(&mut self, text: impl FnOnce() -> String) {
        if let (Some(lines), Some(at)) = (&mut self.lines, self.last)
            && let Some(line) = lines.line(at)
        {
            line.text += &text();
        }
    }

    /// The offset of an access, in the listing as in the text format.
    pub(super) fn note_offset(&mut self, offset: u32) {
        if offset != 0 {
            self.note(|| format!(" offset={offset}"));
        }
    }

    /// A cell as an instruction names it.
    pub(super) fn field(&mut self, cell: u32) -> u16 {
        u16::try_from(cell).unwrap_or_else(|_| {
            self.is_too_large = true;
            0
        })
    }

    /// The second word of an instruction, from the cells that it names.
    pub(super) fn fields(&mut self, first: u32, second: u32, third: u32, fourth: u32) -> u64 {
        let cells = [first, second, third, fourth].map(|cell| u64::from(self.field(cell)));
        cells[0] | cells[1] << 16 | cells[2] << 32 | cells[3] << 48
    }

    fn note_result(&mut self, at: usize, cell: u32) {
        let locals_cells = self.locals_cells;
        if let Some(lines) = &mut self.lines {
            lines.keep(at, cell, locals_cells);
        }
    }

    /// Copies a cell, together with the copy before it if that was the last instruction.
    pub(super) fn emit_copy(&mut self, from: u32, to: u32) {
        self.wrote(to);
        let copy: Handler = handler::<Copy>;
        if let Some(last) = self.last
            && last >= self.merge_from
            && self.code[last] == copy as *const () as u64
        {
            self.merge_copy(last, from, to);
            return;
        }
        let word = self.fields(from, to, 0, 0);
        let at = self.emit(copy, word, "copy", &[]);
        self.note_copy(at, from);
        self.note_result(at, to);
    }

    fn merge_copy(&mut self, last: usize, from: u32, to: u32) {
        let two: Handler = handler::<CopyTwo>;
        self.code[last] = two as *const () as u64;
        let fields = self.fields(0, 0, from, to);
        self.code[last + 1] |= fields;
        self.forget_places();
        let locals_cells = self.locals_cells;
        if let Some(lines) = &mut self.lines
            && let Some(line) = lines.line(last)
        {
            line.text += &format!(
                "; {} = copy {}",
                cell_text(to, locals_cells),
                cell_text(from, locals_cells)
            );
        }
    }

    fn note_copy(&mut self, at: usize, from: u32) {
        let text = cell_text(from, self.locals_cells);
        if let Some(lines) = &mut self.lines
            && let Some(line) = lines.line(at)
        {
            line.text += &format!(" {text}");
        }
    }

    /// Copies a vector's two cells.
    pub(super) fn emit_copy_vector(&mut self, from: u32, to: u32) {
        self.wrote(to);
        self.wrote(to + 1);
        let word = self.fields(from, to, 0, 0);
        let at = self.emit(handler::<CopyVector>, word, "copy.v128", &[]);
        self.note_copy(at, from);
        self.note_result(at, to);
    }

    /// Puts a constant into a cell.
    pub(super) fn emit_constant(&mut self, cell: u32, bits: u64) {
        self.wrote(cell);
        let word = self.fields(0, cell, 0, 0);
        let at = self.emit(handler::<Constant>, word, "constant", &[]);
        self.code.push(bits);
        self.note_result(at, cell);
        if let Some(lines) = &mut self.lines
            && let Some(line) = lines.line(at)
        {
            line.text += &format!(" {bits:#x}");
        }
    }

    /// Puts a register into a cell.
    pub(super) fn emit_keep(&mut self, kind: RegisterKind, cell: u32) {
        self.wrote(cell);
        let keep: Handler = match kind {
            RegisterKind::Int => handler::<Keep<Int>>,
            RegisterKind::Double => handler::<Keep<Double>>,
            RegisterKind::Single => handler::<Keep<Single>>,
        };
        let word = self.fields(0, cell, 0, 0);
        let at = self.emit(keep, word, register_text(kind), &[]);
        self.note_result(at, cell);
    }
}

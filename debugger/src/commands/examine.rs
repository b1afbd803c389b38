//! Examining memory and code: `x/8xw ADDRESS`.

use wdb_dwarf::{BaseEncoding, FormatOptions, Place, Value};
use wdb_vm::address::ModuleOffset;

use crate::commands::format::{FormatSpec, radix_of};
use crate::commands::lldb;
use crate::commands::words::first_word;
use crate::debugger::Debugger;
use crate::error::Error;
use crate::expression::Scope;
use crate::report::{InstructionRow, MemoryRow, Report};

/// What `x` goes on with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExamineState {
    letter: char,
    unit: u8,
    count: i64,
    next: u64,
}

impl Default for ExamineState {
    fn default() -> ExamineState {
        ExamineState {
            letter: 'x',
            unit: 4,
            count: 1,
            next: 0,
        }
    }
}

/// More values than anybody reads at once.
const COUNT_MAX: i64 = 1 << 16;

pub(super) fn examine(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    // lldb's `x` is `memory read`.
    if arguments.starts_with('-') && arguments[1..].starts_with(|c: char| c.is_ascii_alphabetic()) {
        let (flag, _) = first_word(arguments);
        if flag.len() > 2 || debugger.parse_expression(arguments).is_err() {
            return lldb::perform(debugger, "memory", &format!("read {arguments}"));
        }
    }
    let (format, expression) = FormatSpec::split(arguments)?;
    let rows = debugger.examine(format, expression)?;
    debugger.answer(Report::Memory(rows));
    Ok(())
}

impl Debugger {
    /// What lies at an address, or after what was shown last if the expression is empty.
    pub(super) fn examine(
        &mut self,
        format: FormatSpec,
        expression: &str,
    ) -> Result<Vec<MemoryRow>, Error> {
        let mut state = self.examine;
        if let Some(letter) = format.letter {
            state.letter = letter;
            state.unit = match letter {
                'a' => 4,
                'c' if format.unit.is_none() => 1,
                'f' if state.unit < 4 => 8,
                _ => state.unit,
            };
        }
        if let Some(unit) = format.unit {
            state.unit = unit;
        }
        if !expression.is_empty() {
            state.next = match state.letter {
                'i' => self.evaluate_code_address(expression)?,
                _ => self.evaluate_address(expression)?,
            };
        }
        let goes_on = expression.is_empty() && format == FormatSpec::default();
        let mut count = match format.count {
            None if goes_on => state.count,
            count => count.unwrap_or(1),
        };
        state.count = count;
        if count < 0 && !matches!(state.letter, 's' | 'i') {
            let back = count.unsigned_abs().saturating_mul(u64::from(state.unit));
            state.next = state.next.saturating_sub(back);
            count = count.saturating_neg();
        }
        if !(0..=COUNT_MAX).contains(&count) {
            return Err(Error::Other(format!(
                "The count must be from 0 to {COUNT_MAX}."
            )));
        }
        let rows = match state.letter {
            'i' => self.examine_code(&mut state, count),
            's' => self.examine_strings(&mut state, count),
            _ => self.examine_values(&mut state, count),
        };
        self.examine = state;
        rows
    }

    /// `$_` is the address examined last and `$__` what lies there.
    fn remember_examined(&self, value: Value) {
        let info = self.program.info();
        if let Place::Memory(address) = value.place {
            self.set_convenience("_", info.pointer_to(value.type_ref), i128::from(address));
        }
        self.user_variables
            .borrow_mut()
            .insert("__".to_owned(), value);
    }

    fn examine_values(
        &self,
        state: &mut ExamineState,
        count: i64,
    ) -> Result<Vec<MemoryRow>, Error> {
        let unit = u64::from(state.unit);
        let info = self.program.info();
        let encoding = match state.letter {
            'f' if unit >= 4 => BaseEncoding::Float,
            'c' => BaseEncoding::SignedChar,
            'd' => BaseEncoding::Signed,
            _ => BaseEncoding::Unsigned,
        };
        let options = FormatOptions {
            radix: radix_of(state.letter),
            ..self.format_options()
        };
        let type_ref = info.base_type(encoding, unit);
        let scope = self.scope();
        let per_row = match (state.letter, unit) {
            ('t', 1) | ('f', 4) | ('a', _) => 4,
            ('t', 2) | (_, 8) => 2,
            ('t', _) => 1,
            (_, 4) => 4,
            _ => 8,
        };
        let mut rows = Vec::new();
        let mut values = Vec::new();
        let mut row_address = state.next;
        let mut last = None;
        for _ in 0..count {
            let value = scope.inspector().read(type_ref, Place::Memory(state.next));
            if let wdb_dwarf::Availability::Unavailable(error) = value.availability {
                if rows.is_empty() && values.is_empty() {
                    return Err(error.into());
                }
                // What could be read is shown, and then why there is no more.
                values.push(format!("{error}"));
                break;
            }
            let text = scope.inspector().format(&value, &options);
            values.push(padded(&text, state.letter, state.unit));
            last = Some(value);
            state.next = state.next.wrapping_add(unit);
            if values.len() == per_row {
                let address = row_address;
                rows.push(MemoryRow::Values {
                    address,
                    values: std::mem::take(&mut values),
                });
                row_address = state.next;
            }
        }
        if let Some(last) = last {
            self.remember_examined(last);
        }
        if !values.is_empty() {
            rows.push(MemoryRow::Values {
                address: row_address,
                values,
            });
        }
        Ok(rows)
    }

    fn examine_strings(
        &self,
        state: &mut ExamineState,
        count: i64,
    ) -> Result<Vec<MemoryRow>, Error> {
        /// A string of a few million characters is none.
        const STRING_BYTES_MAX: u64 = 1 << 20;
        let info = self.program.info();
        let scope = self.scope();
        let char_type = info.base_type(BaseEncoding::SignedChar, 1);
        let pointer = info.pointer_to(char_type);
        let mut rows = Vec::new();
        for _ in 0..count {
            let address = state.next;
            let value = scope
                .inspector()
                .constant(pointer, wdb_dwarf::Scalar::Integer(i128::from(address)));
            let text = scope.inspector().format(&value, &self.format_options());
            let length = self.string_length(address, STRING_BYTES_MAX)?;
            // The pointer's own text precedes the string.
            let text = text.split_once(' ').map_or("\"\"", |(_, text)| text);
            rows.push(MemoryRow::Values {
                address,
                values: vec![text.to_owned()],
            });
            self.set_convenience("_", pointer, i128::from(address));
            state.next = address.saturating_add(length).saturating_add(1);
        }
        Ok(rows)
    }

    fn string_length(&self, address: u64, length_max: u64) -> Result<u64, Error> {
        let vm = self.vm.borrow();
        let bytes = vm
            .memory(crate::process::PROGRAM_INSTANCE, 0)
            .unwrap_or_default();
        let start = usize::try_from(address).ok();
        let rest = start.and_then(|start| bytes.get(start..));
        let rest = rest
            .filter(|rest| !rest.is_empty())
            .ok_or(wdb_dwarf::Error::Memory { address })?;
        let rest = &rest[..rest
            .len()
            .min(usize::try_from(length_max).unwrap_or(usize::MAX))];
        let end = rest.iter().position(|byte| *byte == 0);
        Ok(end.unwrap_or(rest.len()) as u64)
    }

    fn examine_code(&self, state: &mut ExamineState, count: i64) -> Result<Vec<MemoryRow>, Error> {
        let mut rows = Vec::new();
        let mut wanted = usize::try_from(count).unwrap_or(0);
        while wanted > 0 {
            let (func, pc) = match self.instruction_from(state.next) {
                Some(found) => found,
                None if rows.is_empty() => return Err(self.no_code(state.next)),
                None => break,
            };
            let found = self.instruction_rows(func.0, |row| row.pc >= pc.0, wanted);
            let Some(last) = found.last() else { break };
            state.next = self.end_of_instruction(func, ModuleOffset(last.pc));
            wanted -= found.len();
            rows.extend(found.into_iter().map(MemoryRow::Instruction));
        }
        Ok(rows)
    }

    /// The first instruction at or after an offset.
    fn instruction_from(&self, address: u64) -> Option<(wdb_vm::address::FuncIndex, ModuleOffset)> {
        let module = self.program.module();
        let pc = ModuleOffset(u32::try_from(address).ok()?);
        if let Some(func) = module.func_at(pc) {
            let mut instructions = module.instructions(func);
            if let Some(found) = instructions.find(|instruction| instruction.pc >= pc) {
                return Some((func, found.pc));
            }
        }
        // Between two functions: the next one.
        let bodies = (module.imported_func_count()..module.func_count()).map(|func| {
            let func = wdb_vm::address::FuncIndex(func);
            (func, module.func_body(func))
        });
        bodies
            .filter_map(|(func, body)| Some((func, body?.code.start)))
            .find(|(_, start)| *start >= pc.0 && pc.0 >= module.code_section().start)
            .map(|(func, start)| (func, ModuleOffset(start)))
    }

    fn end_of_instruction(&self, func: wdb_vm::address::FuncIndex, pc: ModuleOffset) -> u64 {
        let mut instructions = self.program.module().instructions(func);
        let found = instructions.find(|instruction| instruction.pc == pc);
        found.map_or(u64::from(pc.0) + 1, |found| u64::from(found.next.0))
    }

    fn no_code(&self, address: u64) -> Error {
        let code = self.program.module().code_section();
        Error::Other(format!(
            "No code at 0x{address:x}; code lies from 0x{:x} to 0x{:x}.",
            code.start, code.end
        ))
    }

    /// Instructions of a function that are wanted, with where the program stands marked.
    pub(super) fn instruction_rows(
        &self,
        func: u32,
        is_wanted: impl Fn(&crate::view::InstructionView) -> bool,
        count_max: usize,
    ) -> Vec<InstructionRow> {
        let Some(disassembly) = self.program.disassembly(func) else {
            return Vec::new();
        };
        let current = self.selected_frame().map(|frame| frame.pc().0);
        let start = disassembly.lines.first().map_or(0, |line| line.pc);
        let lines = disassembly.lines.iter().filter(|line| is_wanted(line));
        lines
            .take(count_max)
            .map(|line| InstructionRow {
                pc: line.pc,
                symbol: Some((disassembly.function.clone(), line.pc - start)),
                nesting: 0,
                bytes: None,
                text: line.text.clone(),
                is_current: current == Some(line.pc),
            })
            .collect()
    }
}

/// Hexadecimal and binary numbers with leading zeros to their unit's width, as gdb has them.
fn padded(text: &str, letter: char, unit: u8) -> String {
    let width = usize::from(unit);
    match letter {
        'x' => match text.strip_prefix("0x") {
            Some(digits) => format!("0x{digits:0>width$}", width = width * 2),
            None => format!("0x{text:0>width$}", width = width * 2),
        },
        't' => format!("{text:0>width$}", width = width * 8),
        _ => text.to_owned(),
    }
}

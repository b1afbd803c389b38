//! Showing code.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use wdb_vm::address::{FuncIndex, ModuleOffset};

use crate::commands::lldb;
use crate::debugger::Debugger;
use crate::error::Error;
use crate::location::Location;
use crate::report::{DisassemblyReport, DisassemblyRow, InstructionRow, Report, SourceLine};
use crate::view::Disassembly;

/// The instructions that are wanted: from an offset up to another.
struct Wanted {
    func: FuncIndex,
    from: u32,
    to: u32,
}

pub(super) fn disassemble(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if let Some(result) = lldb::perform_shared(debugger, "disassemble", arguments) {
        return result;
    }
    let (shown, arguments) = Shown::split(arguments)?;
    let wanted = debugger.wanted_code(arguments)?;
    let report = debugger.disassembly_report(&wanted, shown)?;
    debugger.answer(Report::Disassembly(report));
    Ok(())
}

/// What is shown beside the instructions.
#[derive(Debug, Clone, Copy, Default)]
struct Shown {
    /// `/s`: the source lines between.
    has_source: bool,
    /// `/r`: the bytes.
    has_bytes: bool,
}

impl Shown {
    fn split(arguments: &str) -> Result<(Shown, &str), Error> {
        let mut shown = Shown::default();
        let Some(rest) = arguments.strip_prefix('/') else {
            return Ok((shown, arguments));
        };
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (modifiers, rest) = rest.split_at(end);
        for modifier in modifiers.chars() {
            match modifier {
                's' | 'm' => shown.has_source = true,
                'r' => shown.has_bytes = true,
                unknown => {
                    return Err(Error::Other(format!(
                        "There is no modifier /{unknown}; /s shows the source lines between, /r the bytes."
                    )));
                }
            }
        }
        Ok((shown, rest.trim()))
    }
}

impl Debugger {
    fn wanted_code(&self, arguments: &str) -> Result<Wanted, Error> {
        if arguments.is_empty() {
            let frame = self.expect_frame()?;
            return Ok(whole(frame.func_index()));
        }
        let Some((from, to)) = arguments.split_once(',') else {
            return Ok(whole(self.func_of(arguments)?));
        };
        // An expression first: a function's name stands for its beginning, not for where a breakpoint goes.
        let from = match self.evaluate_code_address(from.trim().trim_start_matches('*')) {
            Ok(address) => code_offset(address)?,
            Err(_) => self.code_place(from.trim())?,
        };
        let to = to.trim();
        let to = match to.strip_prefix('+') {
            Some(bytes) => {
                let bytes = self.evaluate_code_address(bytes)?;
                u64::from(from.0).saturating_add(bytes)
            }
            None => self.evaluate_code_address(to.trim_start_matches('*'))?,
        };
        let func = self
            .program
            .module()
            .func_at(from)
            .ok_or_else(|| Error::Other(format!("{from} is not in a function's code.")))?;
        Ok(Wanted {
            func,
            from: from.0,
            to: u32::try_from(to).unwrap_or(u32::MAX),
        })
    }

    /// The function that a location lies in. A bare number is an offset in the module.
    fn func_of(&self, text: &str) -> Result<FuncIndex, Error> {
        let pc = self.code_place(text)?;
        let func = self.program.module().func_at(pc);
        func.ok_or_else(|| Error::Other(format!("No function contains {text}.")))
    }

    fn code_place(&self, text: &str) -> Result<ModuleOffset, Error> {
        let is_number = text.starts_with(|c: char| c.is_ascii_digit() || c == '$' || c == '*');
        if is_number {
            let address = self.evaluate_code_address(text.trim_start_matches('*'))?;
            return code_offset(address);
        }
        let pcs = self.resolve(&Location::parse(text)?)?;
        Ok(pcs[0])
    }

    fn disassembly_report(
        &self,
        wanted: &Wanted,
        shown: Shown,
    ) -> Result<DisassemblyReport, Error> {
        let disassembly = self.program.disassembly(wanted.func.0).ok_or_else(|| {
            Error::Other(format!(
                "{} is imported; it has no code here.",
                self.program.func_name(wanted.func)
            ))
        })?;
        let mut rows = Vec::new();
        let mut line_before: Option<(Arc<str>, u32)> = None;
        let mut file_before: Option<Arc<str>> = None;
        let ends = match shown.has_bytes {
            true => self.instruction_ends(wanted.func),
            false => HashMap::new(),
        };
        for (mut row, source) in self.rows(&disassembly, wanted) {
            if let Some(end) = ends.get(&row.pc) {
                row.bytes = self.bytes_text(row.pc..*end);
            }
            // What has no line of its own, as an `end`, does not interrupt one.
            if shown.has_source
                && source != line_before
                && let Some((file, line)) = &source
            {
                let is_new_file = file_before.as_ref() != Some(file);
                rows.push(DisassemblyRow::Source {
                    file: is_new_file.then(|| self.program.display_path(file).to_owned()),
                    lines: self.source_line(file, *line).into_iter().collect(),
                });
                file_before = Some(file.clone());
                line_before = source;
            }
            rows.push(DisassemblyRow::Instruction(row));
        }
        Ok(DisassemblyReport {
            function: disassembly.function.clone(),
            signature: disassembly.signature.clone(),
            rows,
        })
    }

    fn rows<'a>(
        &'a self,
        disassembly: &'a Disassembly,
        wanted: &'a Wanted,
    ) -> impl Iterator<Item = (InstructionRow, Option<(Arc<str>, u32)>)> + 'a {
        let current = self.selected_frame().map(|frame| frame.pc().0);
        let start = disassembly.lines.first().map_or(0, |line| line.pc);
        let lines = disassembly.lines.iter();
        let lines = lines.filter(|line| line.pc >= wanted.from && line.pc < wanted.to);
        lines.map(move |line| {
            let row = InstructionRow {
                pc: line.pc,
                symbol: Some((String::new(), line.pc - start)),
                nesting: line.nesting,
                bytes: None,
                text: line.text.clone(),
                is_current: current == Some(line.pc),
            };
            (row, line.source.clone())
        })
    }

    /// Where the instructions of a function begin and end.
    fn instruction_ends(&self, func: FuncIndex) -> HashMap<u32, u32> {
        let instructions = self.program.module().instructions(func);
        instructions.map(|it| (it.pc.0, it.next.0)).collect()
    }

    /// Bytes of the module, in hexadecimal.
    fn bytes_text(&self, range: Range<u32>) -> Option<String> {
        let range = range.start as usize..range.end as usize;
        let bytes = self.program.module().bytes().get(range)?.iter();
        let texts: Vec<String> = bytes.map(|byte| format!("{byte:02x}")).collect();
        Some(texts.join(" "))
    }

    fn source_line(&self, file: &Arc<str>, line: u32) -> Option<SourceLine> {
        let text = self.program.text_of(file).ok();
        let text = text.and_then(|text| text.lines.get(line as usize - 1).cloned());
        Some(SourceLine {
            number: line,
            text: text.unwrap_or_default(),
        })
    }
}

fn code_offset(address: u64) -> Result<ModuleOffset, Error> {
    let pc = u32::try_from(address).map(ModuleOffset);
    pc.map_err(|_| Error::Other(format!("0x{address:x} is not in the module.")))
}

fn whole(func: FuncIndex) -> Wanted {
    Wanted {
        func,
        from: 0,
        to: u32::MAX,
    }
}

//! Showing code.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use wdb_vm::address::{FuncIndex, ModuleOffset};
use wdb_vm::machine_code::CodeForm;
use wdb_vm::tier::Tier;

use crate::commands::{first_word, lldb, lower_code};
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
    let (shown, rest) = Shown::split(arguments)?;
    if rest.starts_with('-')
        && let Some(result) = lldb::perform_shared(debugger, "disassemble", arguments)
    {
        return result;
    }
    let arguments = rest;
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
    /// `--tier`: what the instructions became.
    form: Form,
}

/// A form that code has, named as its tier is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Form {
    /// The module's own.
    #[default]
    Classic,
    /// Register code.
    Fast,
    /// What machine code is made of.
    Clif,
    /// Machine code that is compiled quickly.
    Jit,
    /// Machine code that is compiled to be fast.
    Opt,
}

/// The names of the forms, in their order.
pub(crate) const FORMS: [&str; 5] = [
    Tier::Classic.name(),
    Tier::Fast.name(),
    "clif",
    Tier::Jit.name(),
    Tier::Opt.name(),
];

impl Form {
    const ALL: [Form; FORMS.len()] = [Form::Classic, Form::Fast, Form::Clif, Form::Jit, Form::Opt];

    fn name(self) -> &'static str {
        FORMS[self as usize]
    }

    fn named(name: &str) -> Result<Form, Error> {
        let named = Form::ALL.into_iter().find(|form| form.name() == name);
        named.ok_or_else(|| {
            let (last, others) = FORMS.split_last().expect("there are forms");
            let names = format!("{} or {last}", others.join(", "));
            Error::Other(match name {
                "" => format!("--tier needs a tier: {names}."),
                name => {
                    format!("There is no tier {name} with code of its own; --tier needs {names}.")
                }
            })
        })
    }
}

impl Shown {
    /// Takes the modifiers and `--tier` off the beginning of arguments.
    fn split(arguments: &str) -> Result<(Shown, &str), Error> {
        let mut shown = Shown::default();
        let mut rest = arguments;
        loop {
            let (word, after) = first_word(rest);
            if let Some(modifiers) = word.strip_prefix('/') {
                shown.modify(modifiers)?;
                rest = after;
            } else if let Some(name) = word.strip_prefix("--tier=") {
                shown.form = Form::named(name)?;
                rest = after;
            } else if word == "--tier" {
                let (name, after) = first_word(after);
                shown.form = Form::named(name)?;
                rest = after;
            } else {
                return Ok((shown, rest));
            }
        }
    }

    fn modify(&mut self, modifiers: &str) -> Result<(), Error> {
        for modifier in modifiers.chars() {
            match modifier {
                's' | 'm' => self.has_source = true,
                'r' => self.has_bytes = true,
                unknown => {
                    return Err(Error::Other(format!(
                        "There is no modifier /{unknown}; /s shows the source lines between, /r the bytes."
                    )));
                }
            }
        }
        Ok(())
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
        self.program.expect_valid(wanted.func)?;
        let disassembly = self.program.disassembly(wanted.func.0).ok_or_else(|| {
            Error::Other(format!(
                "{} is imported; it has no code here.",
                self.program.func_name(wanted.func)
            ))
        })?;
        let ends = match shown.has_bytes {
            true => self.instruction_ends(wanted.func),
            false => HashMap::new(),
        };
        let instructions = self.rows(&disassembly, wanted).map(|(mut row, source)| {
            let end = ends.get(&row.pc);
            row.bytes = end.and_then(|&end| self.bytes_text(row.pc..end));
            (row, source)
        });
        let mut listing = Listing {
            debugger: self,
            has_source: shown.has_source,
            rows: Vec::new(),
            line_before: None,
            file_before: None,
        };
        let code = match shown.form {
            Form::Classic => None,
            Form::Fast => Some(self.register_code(wanted.func)?),
            Form::Clif => Some(self.machine_code(wanted.func, CodeForm::Intermediate)?),
            Form::Jit => Some(self.machine_code(wanted.func, CodeForm::Baseline)?),
            Form::Opt => Some(self.machine_code(wanted.func, CodeForm::Optimized)?),
        };
        let row = match shown.form {
            Form::Classic | Form::Fast => DisassemblyRow::Register,
            Form::Clif => DisassemblyRow::Intermediate,
            Form::Jit | Form::Opt => DisassemblyRow::Machine,
        };
        match code {
            None => instructions.for_each(|it| listing.push(it)),
            Some(code) => {
                let instructions = instructions.map(|it| (it.0.pc, it)).collect();
                let is_whole = wanted.from == 0 && wanted.to == u32::MAX;
                for (instructions, code) in lower_code::pieces(instructions, is_whole, code) {
                    instructions.into_iter().for_each(|it| listing.push(it));
                    listing.rows.extend(code.into_iter().map(row));
                }
            }
        }
        Ok(DisassemblyReport {
            tier: (shown.form != Form::Classic).then(|| shown.form.name()),
            function: disassembly.function.clone(),
            signature: disassembly.signature.clone(),
            rows: listing.rows,
        })
    }

    fn rows<'a>(
        &'a self,
        disassembly: &'a Disassembly,
        wanted: &'a Wanted,
    ) -> impl Iterator<Item = Instruction> + 'a {
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

/// A row with the source line that it belongs to.
type Instruction = (InstructionRow, Option<(Arc<str>, u32)>);

/// Rows as they are collected.
struct Listing<'a> {
    debugger: &'a Debugger,
    has_source: bool,
    rows: Vec<DisassemblyRow>,
    line_before: Option<(Arc<str>, u32)>,
    file_before: Option<Arc<str>>,
}

impl Listing<'_> {
    fn push(&mut self, (row, source): Instruction) {
        // What has no line of its own, as an `end`, does not interrupt one.
        if self.has_source
            && source != self.line_before
            && let Some((file, line)) = &source
        {
            let is_new_file = self.file_before.as_ref() != Some(file);
            let shown_path = || self.debugger.program.display_path(file).to_owned();
            self.rows.push(DisassemblyRow::Source {
                file: is_new_file.then(shown_path),
                lines: self.debugger.source_line(file, *line).into_iter().collect(),
            });
            self.file_before = Some(file.clone());
            self.line_before = source;
        }
        self.rows.push(DisassemblyRow::Instruction(row));
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

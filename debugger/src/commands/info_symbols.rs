//! Topics of `info` about places: lines, symbols, addresses, scopes, the source file.

use wdb_dwarf::{Place, PointerKind, TypeKind, UnitSummary, Value, Variable};
use wdb_vm::address::ModuleOffset;

use crate::debugger::Debugger;
use crate::error::Error;
use crate::expression::Scope;
use crate::location::{Location, funcs_named};
use crate::process::PROGRAM_INSTANCE;
use crate::scope::FrameScope;

pub(super) fn line(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let info = debugger.program.info();
    let (pcs, location) = match arguments {
        "" => {
            let frame = debugger.expect_frame()?;
            // A caller's pc is behind the call, which may be another line's.
            let at = frame.code_offset(&debugger.program);
            let pc = at.and_then(|at| debugger.program.module_offset(at));
            (vec![pc.unwrap_or(frame.pc())], None)
        }
        text => {
            let location = Location::parse(text)?;
            (debugger.resolve(&location)?, Some(location))
        }
    };
    let wanted = match location {
        Some(Location::Line(line) | Location::FileLine(_, line)) => Some(line),
        _ => None,
    };
    for pc in pcs {
        let row = debugger
            .program
            .code_offset(pc)
            .and_then(|at| info.line_row(at));
        let text = match row {
            Some(row) if row.location.line > 0 => {
                let end = debugger.program.module_offset(row.line_range.end);
                let start = debugger
                    .program
                    .instruction_at(row.line_range.start)
                    .unwrap_or(pc);
                let end = end.unwrap_or(pc);
                let file = debugger.program.display_path(&row.location.file);
                match wanted {
                    // What stands for it begins in a later line.
                    Some(wanted) if wanted < row.location.line => format!(
                        "Line {wanted} of \"{file}\" is at address {start} {} but contains no code.",
                        code_symbol(debugger, start)
                    ),
                    _ => format!(
                        "Line {} of \"{file}\" starts at address {start} {} and ends at {end} {}.",
                        row.location.line,
                        code_symbol(debugger, start),
                        code_symbol(debugger, end)
                    ),
                }
            }
            _ => format!(
                "No line number information available for address {pc} {}",
                code_symbol(debugger, pc)
            ),
        };
        debugger.say(text);
    }
    Ok(())
}

/// The function that code lies in, and the distance from its first instruction.
fn function_and_offset(debugger: &Debugger, pc: ModuleOffset) -> Option<(String, u32)> {
    let module = debugger.program.module();
    let func = module.func_at(pc)?;
    let start = module.func_body(func)?.code.start;
    let offset = pc.0.checked_sub(start)?;
    Some((debugger.program.func_name(func).to_string(), offset))
}

fn with_offset(name: &str, offset: u64, gap: &str) -> String {
    match offset {
        0 => name.to_owned(),
        offset => format!("{name}{gap}+{gap}{offset}"),
    }
}

fn code_symbol(debugger: &Debugger, pc: ModuleOffset) -> String {
    match function_and_offset(debugger, pc) {
        Some((name, offset)) => format!("<{}>", with_offset(&name, u64::from(offset), "")),
        None => "<??>".to_owned(),
    }
}

/// `info symbol ADDRESS`: code, what a function pointer points to, or a variable in memory. Code and data have the same
/// addresses, so that there can be two answers.
pub(super) fn symbol(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if arguments.is_empty() {
        return Err(Error::other("Argument required (address)."));
    }
    let mut lines = Vec::new();
    if let Ok(value) = debugger.evaluate(arguments)
        && let Some(name) = pointed_function(debugger, &value)
    {
        lines.push(format!("{name} in table 0"));
    } else {
        let address = debugger.evaluate_code_address(arguments)?;
        let pc = u32::try_from(address).ok().map(ModuleOffset);
        if let Some((name, offset)) = pc.and_then(|pc| function_and_offset(debugger, pc)) {
            let name = with_offset(&name, u64::from(offset), " ");
            lines.push(format!("{name} in section code"));
        }
        if let Some((name, offset)) = MemorySymbols::of(debugger).at(address) {
            let name = with_offset(&name, offset, " ");
            lines.push(format!("{name} in linear memory"));
        }
    }
    debugger.say(match &*lines {
        [] => format!("No symbol matches {arguments}."),
        lines => lines.join("\n"),
    });
    Ok(())
}

/// The function that a pointer to a function points to.
fn pointed_function(debugger: &Debugger, value: &Value) -> Option<String> {
    let info = debugger.program.info();
    let TypeKind::Pointer {
        target,
        kind: PointerKind::Pointer,
    } = info.type_of(info.resolve(value.type_ref)).kind
    else {
        return None;
    };
    let target = info.type_of(info.resolve(target));
    if !matches!(target.kind, TypeKind::Function(_)) {
        return None;
    }
    let scope = debugger.scope();
    let pointer = scope.inspector().scalar(value).ok()?.to_i128();
    let target = scope.target();
    wdb_dwarf::Target::function_pointer_name(target, u64::try_from(pointer).ok()?)
}

/// The variables outside of functions by the places in memory where they lie.
#[derive(Debug, Default)]
pub(super) struct MemorySymbols {
    /// First byte, size and name, ascending.
    ranges: Vec<(u64, u64, String)>,
}

impl MemorySymbols {
    pub(super) fn of(debugger: &Debugger) -> MemorySymbols {
        let info = debugger.program.info();
        let scope = FrameScope::new(debugger, None);
        let variables = info.globals_where(&|_| true).into_iter();
        let ranges = variables.filter_map(|variable| {
            let Place::Memory(start) = scope.value_of(&variable).place else {
                return None;
            };
            let size = info.size_of(variable.type_ref)?;
            Some((start, size, variable.name.to_string()))
        });
        let mut ranges: Vec<_> = ranges.collect();
        ranges.sort_unstable();
        MemorySymbols { ranges }
    }

    /// The variable that a byte belongs to, and the byte's distance from its beginning.
    pub(super) fn at(&self, address: u64) -> Option<(String, u64)> {
        let after = self.ranges.partition_point(|(start, ..)| *start <= address);
        let (start, size, name) = self.ranges[..after].last()?;
        let offset = address - start;
        (offset < *size).then(|| (name.clone(), offset))
    }
}

/// `info address NAME`: where a function or a variable is.
pub(super) fn address(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if arguments.is_empty() {
        return Err(Error::other("Argument required."));
    }
    let name = arguments.trim_matches('\'');
    let scope = debugger.scope();
    let local = scope
        .variables()
        .iter()
        .rev()
        .find(|variable| &*variable.name == name && !variable.is_shadowed);
    if let Some(variable) = local {
        let place = place_text(&scope.value_of(variable).place);
        debugger.say(format!("Symbol \"{name}\" is a variable {place}."));
        return Ok(());
    }
    let info = debugger.program.info();
    if let Some(variable) = info.global_variables(name, None).first() {
        let text = match scope.value_of(variable).place {
            Place::Memory(address) => format!("static storage at address 0x{address:x}"),
            place => format!("a variable {}", place_text(&place)),
        };
        debugger.say(format!("Symbol \"{name}\" is {text}."));
        return Ok(());
    }
    let funcs = funcs_named(&debugger.program, name);
    if funcs.is_empty() {
        return Err(Error::Other(format!(
            "No symbol \"{name}\" in current context."
        )));
    }
    for func in funcs {
        let found = debugger.program.func_name(func);
        let place = match debugger.program.module().func_body(func) {
            Some(body) => format!("at address {}", ModuleOffset(body.code.start)),
            None => "that is imported".to_owned(),
        };
        let in_table = match table_index(debugger, func) {
            Some(index) => format!(", element {index} of table 0"),
            None => String::new(),
        };
        debugger.say(format!(
            "Symbol \"{found}\" is a function {place}, number {} of the module{in_table}.",
            func.0
        ));
    }
    Ok(())
}

fn table_index(debugger: &Debugger, func: wdb_vm::address::FuncIndex) -> Option<usize> {
    use wdb_vm::value::{Reference, Value as MachineValue};
    let vm = debugger.vm.borrow();
    let table = vm.table(PROGRAM_INSTANCE, 0)?;
    table.iter().position(|element| match element {
        MachineValue::Ref(Reference::Func(found)) => {
            vm.func_instance(*found) == Some((PROGRAM_INSTANCE, func))
        }
        _ => false,
    })
}

fn place_text(place: &Place) -> String {
    match place {
        Place::Memory(address) => format!("at address 0x{address:x} of linear memory"),
        Place::Local(index) => format!("in $local{index}"),
        Place::Global(index) => format!("in $global{index}"),
        Place::Operand(index) => format!("in $stack{index}"),
        Place::Part { index, .. } => format!("in part {index} of an object of the heap"),
        Place::Implicit(_) => "that is constant here, or computed".to_owned(),
        Place::Pieces(pieces) => {
            let pieces = pieces.iter().map(|piece| place_text(&piece.place));
            format!("in pieces: {}", pieces.collect::<Vec<_>>().join("; "))
        }
        Place::OptimizedOut => "that is optimized out here".to_owned(),
    }
}

/// `info scope LOCATION`: the variables that are visible there.
pub(super) fn scope(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if arguments.is_empty() {
        return Err(Error::other(
            "info scope requires an argument: a location, as in `info scope main`.",
        ));
    }
    let pcs = debugger.resolve(&Location::parse(arguments)?)?;
    let program = &debugger.program;
    let at = pcs.first().and_then(|pc| program.code_offset(*pc));
    let info = program.info();
    let variables = at.map_or_else(Vec::new, |at| info.variables(at, 0));
    if variables.is_empty() {
        debugger.say(format!(
            "Symbol table for \"{arguments}\" contains no locals or arguments."
        ));
        return Ok(());
    }
    let describe = |variable: &Variable| {
        let size = info.size_of(variable.type_ref);
        let size = size.map_or(String::new(), |size| format!(", length {size}"));
        let ty = info.type_name(variable.type_ref);
        format!("Symbol {} is a variable of type {ty}{size}.", variable.name)
    };
    let lines: Vec<String> = variables.iter().map(describe).collect();
    debugger.say(format!("Scope for {arguments}:\n{}", lines.join("\n")));
    Ok(())
}

pub(super) fn source(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    let program = &debugger.program;
    let Some(current) = debugger.current_line() else {
        return Err(Error::other(
            "No current source file: the program has no debug info about sources.",
        ));
    };
    let shown = program.display_path(&current.file);
    let mut text = format!("Current source file is {shown}");
    if shown != &*current.file {
        text.push_str(&format!("\nRecorded as {}", current.file));
    }
    match program.text_of(&current.file) {
        Ok(source) => text.push_str(&format!(
            "\nLocated in {}\nContains {} lines.",
            source.path.display(),
            source.lines.len()
        )),
        Err(missing) => text.push_str(&format!("\n{missing}")),
    }
    let unit = debugger.unit_of(&current.file);
    if let Some(unit) = unit {
        text.push_str(&format!(
            "\nSource language is {}.\nProducer is {}.\nCompiled with DWARF {} debugging format.",
            unit.language, unit.producer, unit.dwarf_version
        ));
    }
    debugger.say(text);
    Ok(())
}

impl Debugger {
    /// The compilation unit of the selected frame, or else of a source file.
    pub(super) fn unit_of(&self, file: &str) -> Option<UnitSummary> {
        let program = &self.program;
        let frame = self.selected_frame();
        let at = frame.and_then(|frame| frame.code_offset(program));
        let function = at.and_then(|at| program.info().function_at(at));
        let units = program.info().summary().units;
        units.into_iter().find(|unit| match &function {
            Some(function) => *unit.name == *function.unit,
            None => file.ends_with(unit.name.as_str()),
        })
    }
}

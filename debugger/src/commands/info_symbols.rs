//! Topics of `info` about functions, lines and source files.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex_lite::Regex;
use wdb_vm::address::FuncIndex;
use wdb_vm::disassemble::func_type_text;

use crate::debugger::Debugger;
use crate::error::Error;
use crate::location::Location;
use crate::report::{FunctionGroup, FunctionRow, Report};

pub(super) fn functions(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let pattern = match arguments {
        "" => None,
        text => Some(Regex::new(text).map_err(|error| {
            Error::Other(format!("\"{text}\" is no regular expression: {error}."))
        })?),
    };
    let is_wanted = |name: &str| {
        pattern
            .as_ref()
            .is_none_or(|pattern| pattern.is_match(name))
    };
    let info = debugger.program.info();
    let mut by_file: BTreeMap<Arc<str>, Vec<FunctionRow>> = BTreeMap::new();
    for symbol in &*info.all_functions() {
        if debugger.shared.is_cancelled() {
            return Err(Error::other("Interrupted."));
        }
        if !is_wanted(&symbol.name) {
            continue;
        }
        let Some(function) = info.function(symbol.id) else {
            continue;
        };
        let declaration = info.type_declaration(info.function_type(symbol.id), &symbol.name);
        let file = function
            .declaration
            .as_ref()
            .map(|place| place.file.clone());
        by_file
            .entry(file.unwrap_or_else(|| function.unit.clone()))
            .or_default()
            .push(FunctionRow {
                line: function.declaration.map(|place| place.line),
                pc: None,
                text: declaration,
            });
    }
    let mut groups: Vec<FunctionGroup> = by_file
        .into_iter()
        .map(|(file, mut functions)| {
            functions.sort_by(|a, b| (a.line, &a.text).cmp(&(b.line, &b.text)));
            FunctionGroup {
                file: Some(debugger.program.display_path(&file).to_owned()),
                functions,
            }
        })
        .collect();
    let others = functions_without_debug_info(debugger, &is_wanted);
    if !others.is_empty() {
        groups.push(FunctionGroup {
            file: None,
            functions: others,
        });
    }
    if groups.is_empty() {
        debugger.say("No functions match.");
        return Ok(());
    }
    debugger.answer(Report::Functions(groups));
    Ok(())
}

fn functions_without_debug_info(
    debugger: &Debugger,
    is_wanted: &dyn Fn(&str) -> bool,
) -> Vec<FunctionRow> {
    let program = &debugger.program;
    let module = program.module();
    let mut rows = Vec::new();
    for func in (module.imported_func_count()..module.func_count()).map(FuncIndex) {
        let Some(body) = module.func_body(func) else {
            continue;
        };
        let start = wdb_vm::address::ModuleOffset(body.code.start);
        let at = program.code_offset(start);
        if at.is_some_and(|at| program.info().function_at(at).is_some()) {
            continue;
        }
        let name = module.func_display_name(func);
        if is_wanted(&name) {
            let ty = func_type_text(module.func_type(func));
            rows.push(FunctionRow {
                line: None,
                pc: Some(start.0),
                text: format!("{name} {ty}").trim_end().to_owned(),
            });
        }
    }
    rows
}

pub(super) fn line(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let info = debugger.program.info();
    let pcs = match arguments {
        "" => vec![debugger.expect_frame()?.pc()],
        text => debugger.resolve(&Location::parse(text)?)?,
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
                format!(
                    "Line {} of \"{}\" starts at address {start} <{}> and ends at {}.",
                    row.location.line,
                    debugger.program.display_path(&row.location.file),
                    function_name(debugger, pc),
                    end.unwrap_or(pc)
                )
            }
            _ => format!(
                "No line number information available for address {pc} <{}>",
                function_name(debugger, pc)
            ),
        };
        debugger.say(text);
    }
    Ok(())
}

fn function_name(debugger: &Debugger, pc: wdb_vm::address::ModuleOffset) -> Arc<str> {
    let places = debugger.program.places_at(pc);
    let place = places.last();
    place.map_or_else(|| "??".into(), |place| place.function.clone())
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
    let frame = debugger.selected_frame();
    let at = frame.and_then(|frame| frame.code_offset(program));
    let function = at.and_then(|at| program.info().function_at(at));
    let summary = program.info().summary();
    let unit = summary.units.iter().find(|unit| match &function {
        Some(function) => *unit.name == *function.unit,
        None => current.file.ends_with(unit.name.as_str()),
    });
    if let Some(unit) = unit {
        text.push_str(&format!(
            "\nSource language is {}.\nProducer is {}.\nCompiled with DWARF {} debugging format.",
            unit.language, unit.producer, unit.dwarf_version
        ));
    }
    debugger.say(text);
    Ok(())
}

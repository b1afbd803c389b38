//! Topics of `info` that list what the program names: functions, variables, types, source files.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex_lite::Regex;
use wdb_dwarf::{AliasKind, TypeKind, TypeSymbol};
use wdb_vm::address::{FuncIndex, ModuleOffset};

use crate::debugger::Debugger;
use crate::error::Error;
use crate::report::{Report, SymbolGroup, SymbolRow};

/// What a list shows: everything, or what a regular expression matches somewhere.
struct Filter<'a> {
    text: &'a str,
    pattern: Option<Regex>,
}

impl Filter<'_> {
    fn parse(text: &str) -> Result<Filter<'_>, Error> {
        let pattern = match text {
            "" => None,
            text => Some(Regex::new(text).map_err(|error| {
                Error::Other(format!("\"{text}\" is no regular expression: {error}."))
            })?),
        };
        Ok(Filter { text, pattern })
    }

    fn is_wanted(&self, name: &str) -> bool {
        let pattern = self.pattern.as_ref();
        pattern.is_none_or(|pattern| pattern.is_match(name))
    }

    fn heading(&self, what: &str) -> String {
        match self.text {
            "" => format!("All defined {what}"),
            text => format!("All {what} matching regular expression \"{text}\""),
        }
    }
}

/// Rows by the file that they belong to.
#[derive(Default)]
struct Groups {
    by_file: BTreeMap<Arc<str>, Vec<SymbolRow>>,
}

impl Groups {
    fn add(&mut self, file: Arc<str>, line: Option<u32>, text: String) {
        let line = line.filter(|line| *line > 0);
        self.by_file.entry(file).or_default().push(SymbolRow {
            line,
            pc: None,
            text,
        });
    }

    /// Tells them, and after them under a title what no file declares. Those of a file are in the order of its lines, without
    /// repetitions.
    fn tell(
        self,
        debugger: &Debugger,
        heading: String,
        title: &'static str,
        others: Vec<SymbolRow>,
    ) {
        let group = |(file, mut symbols): (Arc<str>, Vec<SymbolRow>)| {
            let key = |row: &SymbolRow| (row.line.unwrap_or(u32::MAX), row.text.clone());
            symbols.sort_by_key(key);
            symbols.dedup_by_key(|row| key(row));
            SymbolGroup {
                file: Some(debugger.program.display_path(&file).to_owned()),
                title: "",
                symbols,
            }
        };
        let mut groups: Vec<SymbolGroup> = self.by_file.into_iter().map(group).collect();
        if !others.is_empty() {
            groups.push(SymbolGroup {
                file: None,
                title,
                symbols: others,
            });
        }
        debugger.answer(Report::Symbols { heading, groups });
    }
}

/// The title of what has a name only.
const NO_DEBUG_INFO: &str = "Non-debugging symbols";

/// What has no line.
fn row(text: String) -> SymbolRow {
    SymbolRow {
        line: None,
        pc: None,
        text,
    }
}

fn expect_not_cancelled(debugger: &Debugger) -> Result<(), Error> {
    match debugger.shared.is_cancelled() {
        true => Err(Error::other("Interrupted.")),
        false => Ok(()),
    }
}

pub(super) fn functions(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let filter = Filter::parse(arguments)?;
    let info = debugger.program.info();
    let mut groups = Groups::default();
    for symbol in &*info.all_functions() {
        expect_not_cancelled(debugger)?;
        if !filter.is_wanted(&symbol.name) {
            continue;
        }
        let Some(function) = info.function(symbol.id) else {
            continue;
        };
        let text = info.type_declaration(info.function_type(symbol.id), &symbol.name);
        let line = function.declaration.as_ref().map(|place| place.line);
        let file = function.declaration.map(|place| place.file);
        groups.add(file.unwrap_or(function.unit), line, text);
    }
    let others = functions_without_debug_info(debugger, &filter);
    groups.tell(debugger, filter.heading("functions"), NO_DEBUG_INFO, others);
    Ok(())
}

fn functions_without_debug_info(debugger: &Debugger, filter: &Filter<'_>) -> Vec<SymbolRow> {
    let program = &debugger.program;
    let module = program.module();
    let mut rows = Vec::new();
    for func in (module.imported_func_count()..module.func_count()).map(FuncIndex) {
        let Some(body) = module.func_body(func) else {
            continue;
        };
        let start = ModuleOffset(body.code.start);
        let at = program.code_offset(start);
        if at.is_some_and(|at| program.info().function_at(at).is_some()) {
            continue;
        }
        let name = module.func_display_name(func);
        if filter.is_wanted(&name) {
            let ty = module.func_type_text(module.func_type(func));
            rows.push(SymbolRow {
                line: None,
                pc: Some(start.0),
                text: format!("{name} {ty}").trim_end().to_owned(),
            });
        }
    }
    rows
}

pub(super) fn variables(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let filter = Filter::parse(arguments)?;
    let info = debugger.program.info();
    let mut groups = Groups::default();
    let mut others = Vec::new();
    for variable in info.globals_where(&|name| filter.is_wanted(name)) {
        expect_not_cancelled(debugger)?;
        let text = info.type_declaration(variable.type_ref, &variable.name);
        match variable.declaration {
            Some(place) => groups.add(place.file, Some(place.line), text),
            None => others.push(row(text)),
        }
    }
    others.extend(machine_globals(debugger, &filter));
    groups.tell(debugger, filter.heading("variables"), NO_DEBUG_INFO, others);
    Ok(())
}

/// The globals of the module by their names, which are what it has besides the source's variables.
fn machine_globals(debugger: &Debugger, filter: &Filter<'_>) -> Vec<SymbolRow> {
    let module = debugger.program.module();
    let globals = (0..).zip(module.globals());
    let rows = globals.filter_map(|(index, global)| {
        let name = module.names().global(index)?;
        let ty = module.val_type_text(global.ty.content_type);
        filter
            .is_wanted(name)
            .then(|| row(format!("{name}: {ty} ($global{index})")))
    });
    rows.collect()
}

pub(super) fn types(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let filter = Filter::parse(arguments)?;
    let info = debugger.program.info();
    let mut groups = Groups::default();
    let mut others = Vec::new();
    for symbol in info.types_where(&|name| filter.is_wanted(name)) {
        expect_not_cancelled(debugger)?;
        let text = type_text(debugger, &symbol);
        match symbol.declaration {
            Some(place) => groups.add(place.file, Some(place.line), text),
            None => others.push(row(text)),
        }
    }
    // Each unit describes those that it uses.
    others.sort_by(|a, b| a.text.cmp(&b.text));
    others.dedup_by(|a, b| a.text == b.text);
    groups.tell(debugger, filter.heading("types"), "Base types", others);
    Ok(())
}

fn type_text(debugger: &Debugger, symbol: &TypeSymbol) -> String {
    let info = debugger.program.info();
    match info.type_of(symbol.type_ref).kind {
        TypeKind::Alias {
            kind: AliasKind::Typedef,
            target,
        } => format!("typedef {}", info.type_declaration(target, &symbol.name)),
        _ => info.type_name(symbol.type_ref),
    }
}

pub(super) fn sources(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let filter = Filter::parse(arguments)?;
    let program = &debugger.program;
    let mut rows = Vec::new();
    for file in &*program.info().files() {
        if !filter.is_wanted(file) {
            continue;
        }
        let found = match program.text_of(file) {
            Ok(text) => text.path.display().to_string(),
            Err(_) => "(not found)".to_owned(),
        };
        rows.push(vec![program.display_path(file).to_owned(), found]);
    }
    debugger.answer(Report::Table {
        columns: vec!["Source file", "On this machine"],
        rows,
        if_empty: "No source files match.",
    });
    Ok(())
}

//! Topics of `info` about the module and the machine that runs it: memories, tables, imports, exports, sections; and about what
//! other machines have and this one has not.

use wdb_vm::address::FuncIndex;
use wdb_vm::module::{ExportKind, ImportType};
use wdb_vm::value::{Reference, Value};

use crate::debugger::Debugger;
use crate::error::Error;
use crate::process::PROGRAM_INSTANCE;
use crate::report::{BacktraceFrame, Report};
use crate::scope::element_text;

/// The size of a page of memory.
const PAGE_BYTES: usize = 65_536;

pub(super) fn memory(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    let module = debugger.program.module();
    let vm = debugger.vm.borrow();
    let mut rows = Vec::new();
    for (index, ty) in (0..).zip(module.memories()) {
        let bytes = vm.memory(PROGRAM_INSTANCE, index).map_or(0, <[u8]>::len);
        rows.push(vec![
            index.to_string(),
            (bytes / PAGE_BYTES).to_string(),
            bytes.to_string(),
            ty.maximum.map_or("none".to_owned(), |max| max.to_string()),
            if ty.memory64 { "i64" } else { "i32" }.to_owned(),
            module.names().memory(index).unwrap_or_default().to_owned(),
        ]);
    }
    debugger.answer(Report::Table {
        columns: vec!["Memory", "Pages", "Bytes", "Maximum", "Address", "Name"],
        rows,
        if_empty: "The module has no memory.",
    });
    Ok(())
}

/// All tables, or the elements of one.
pub(super) fn tables(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if !arguments.is_empty() {
        let index = debugger.evaluate_count(arguments)?;
        return elements(debugger, index);
    }
    let module = debugger.program.module();
    let vm = debugger.vm.borrow();
    let mut rows = Vec::new();
    for (index, table) in (0..).zip(module.tables()) {
        let elements = vm.table(PROGRAM_INSTANCE, index);
        let maximum = table.ty.maximum;
        rows.push(vec![
            index.to_string(),
            elements.map_or(0, |elements| elements.len()).to_string(),
            module.val_type_text(wdb_vm::ValType::Ref(table.ty.element_type)),
            maximum.map_or("none".to_owned(), |max| max.to_string()),
            module.names().table(index).unwrap_or_default().to_owned(),
        ]);
    }
    drop(vm);
    debugger.answer(Report::Table {
        columns: vec!["Table", "Elements", "Type", "Maximum", "Name"],
        rows,
        if_empty: "The module has no tables.",
    });
    Ok(())
}

fn elements(debugger: &Debugger, index: i64) -> Result<(), Error> {
    let vm = debugger.vm.borrow();
    let table = u32::try_from(index)
        .ok()
        .and_then(|index| vm.table(PROGRAM_INSTANCE, index));
    let table = table.ok_or_else(|| {
        let count = debugger.program.module().tables().len();
        Error::Other(format!(
            "There is no table {index}; the module has {count}."
        ))
    })?;
    let limit = debugger.settings.print_elements;
    let used = table.iter().enumerate();
    let used = used.filter(|(_, element)| **element != Value::Ref(Reference::Null));
    let count = used.clone().count();
    let mut rows = Vec::new();
    for (position, element) in used.take(limit) {
        let text = element_text(&debugger.program, &vm, element);
        rows.push(vec![position.to_string(), text]);
    }
    drop(vm);
    let shown = rows.len();
    debugger.answer(Report::Table {
        columns: vec!["Index", "Element"],
        rows,
        if_empty: "All elements of the table are null.",
    });
    if shown < count {
        debugger.say(format!(
            "... {} more; `set print elements` says how many are shown.",
            count - shown
        ));
    }
    Ok(())
}

pub(super) fn tags(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    let module = debugger.program.module();
    let rows = (0..module.tag_count()).map(|tag| {
        let types = module.tag_types(tag).iter();
        let types: Vec<String> = types.map(|&ty| module.val_type_text(ty)).collect();
        let mut exports = module.exports().iter();
        let export = exports.find(|it| it.kind == ExportKind::Tag && it.index == tag);
        let name = module.names().tag(tag).map(str::to_owned);
        let name = name.or_else(|| export.map(|export| export.name.clone()));
        vec![tag.to_string(), types.join(" "), name.unwrap_or_default()]
    });
    debugger.answer(Report::Table {
        columns: vec!["Tag", "Values", "Name"],
        rows: rows.collect(),
        if_empty: "The module has no exception tags.",
    });
    Ok(())
}

pub(super) fn imports(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    let module = debugger.program.module();
    let func_type = |index: u32| {
        let ty = module.type_at(index).map(|ty| module.func_type_text(ty));
        ty.unwrap_or_default()
    };
    let imports = module.imports().iter();
    let rows = imports.map(|import| {
        let (kind, ty) = match &import.ty {
            ImportType::Func(index) => ("func", func_type(*index)),
            ImportType::Table(ty) => (
                "table",
                module.val_type_text(wdb_vm::ValType::Ref(ty.element_type)),
            ),
            ImportType::Memory(ty) => ("memory", format!("{} pages", ty.initial)),
            ImportType::Global(ty) => ("global", module.val_type_text(ty.content_type)),
            ImportType::Tag(index) => ("tag", func_type(*index)),
        };
        vec![
            import.module.clone(),
            import.name.clone(),
            kind.to_owned(),
            ty,
        ]
    });
    debugger.answer(Report::Table {
        columns: vec!["Module", "Name", "Kind", "Type"],
        rows: rows.collect(),
        if_empty: "The module imports nothing.",
    });
    Ok(())
}

pub(super) fn exports(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    let module = debugger.program.module();
    let exports = module.exports().iter();
    let rows = exports.map(|export| {
        let (kind, ty) = match export.kind {
            ExportKind::Func => (
                "func",
                module.func_type_text(module.func_type(FuncIndex(export.index))),
            ),
            ExportKind::Table => ("table", String::new()),
            ExportKind::Memory => ("memory", String::new()),
            ExportKind::Global => ("global", String::new()),
            ExportKind::Tag => ("tag", String::new()),
        };
        vec![
            export.name.clone(),
            kind.to_owned(),
            export.index.to_string(),
            ty,
        ]
    });
    debugger.answer(Report::Table {
        columns: vec!["Name", "Kind", "Index", "Type"],
        rows: rows.collect(),
        if_empty: "The module exports nothing.",
    });
    Ok(())
}

pub(super) fn sections(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    let sections = debugger.program.module().sections().iter();
    let rows = sections.map(|section| {
        let range = &section.range;
        vec![
            format!("0x{:08x}", range.start),
            format!("0x{:08x}", range.end),
            (range.end - range.start).to_string(),
            section.name.clone(),
        ]
    });
    debugger.answer(Report::Table {
        columns: vec!["Start", "End", "Bytes", "Section"],
        rows: rows.collect(),
        if_empty: "The module has no sections.",
    });
    Ok(())
}

/// The one agent that executes the program.
pub(super) fn threads(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    let Some(frame) = debugger.frames().next() else {
        debugger.say("No threads.");
        return Ok(());
    };
    let mut report = debugger.frame_report(&frame, None, false);
    report.code = crate::report::CodeReport::None;
    let place = Report::Backtrace {
        frames: vec![BacktraceFrame {
            frame: report,
            variables: None,
        }],
        has_more: false,
    };
    debugger.answer(Report::Table {
        columns: vec!["  Id", "Target Id", "Frame"],
        rows: vec![vec!["* 1".to_owned(), debugger.agent_name(), place.text()]],
        if_empty: "No threads.",
    });
    Ok(())
}

pub(super) fn inferiors(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    let state = match debugger.is_alive() {
        true => "instance 1",
        false => "<null>",
    };
    debugger.answer(Report::Table {
        columns: vec!["  Num", "Description", "Executable"],
        rows: vec![vec![
            "* 1".to_owned(),
            state.to_owned(),
            debugger.program.name().to_owned(),
        ]],
        if_empty: "No inferiors.",
    });
    Ok(())
}

pub(super) fn files(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let name = debugger.program.name().to_owned();
    debugger.say(match debugger.program.has_debug_info() {
        true => format!("Symbols from \"{name}\".\nLocal exec file: `{name}', file type wasm."),
        false => format!("No symbols.\nLocal exec file: `{name}', file type wasm."),
    });
    sections(debugger, arguments)
}

pub(super) fn shared_libraries(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    debugger.say(
        "No shared libraries loaded at this time: a module is whole, and what it imports is the host's (`info imports`).",
    );
    Ok(())
}

pub(super) fn signals(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    debugger.say(
        "WebAssembly has no signals. What would raise one is a trap, which always stops the program; `catch trap` counts them.",
    );
    Ok(())
}

pub(super) fn float(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    debugger.say(
        "There is no floating-point unit with a state of its own: numbers are operands and locals (`info stack`, `info registers`).",
    );
    Ok(())
}

pub(super) fn macros(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    debugger.say("Macros of the preprocessor are not read from debug info.");
    Ok(())
}

pub(super) fn processes(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    debugger.say(
        "The program is no process of the operating system: it runs inside of wdb (`info program`, `info memory`).",
    );
    Ok(())
}

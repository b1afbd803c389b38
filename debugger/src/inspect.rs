//! What a program is made of, without running it (`wdb inspect`).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use wdb_vm::disassemble::val_type_text;
use wdb_vm::module::{ExportKind, ImportType, Module};
use wdb_vm::tier::Compile;

use crate::error::OpenError;
use crate::program::{Program, ProgramSource};

/// Describes a program: its sections, imports, exports, producers and debug info.
///
/// # Errors
/// The program cannot be read or is no valid module.
pub fn inspect(source: ProgramSource) -> Result<String, OpenError> {
    let program = Program::open(source, Compile::LazyTranslation, Vec::new(), Vec::new())?;
    let module = program.module();
    let mut text = String::new();
    describe_module(&mut text, &program);
    describe_sections(&mut text, module);
    describe_imports(&mut text, module);
    describe_exports(&mut text, module);
    let producers = module.producers();
    if !producers.is_empty() {
        heading(&mut text, "Producers");
        for (field, name, version) in producers {
            line(&mut text, &format!("{field}: {name} {version}"));
        }
    }
    describe_debug_info(&mut text, &program);
    Ok(text)
}

fn heading(text: &mut String, title: &str) {
    text.push('\n');
    text.push_str(title);
    text.push('\n');
}

fn line(text: &mut String, content: &str) {
    text.push_str("  ");
    text.push_str(content.trim_end());
    text.push('\n');
}

fn describe_module(text: &mut String, program: &Program) {
    let module = program.module();
    let _ = writeln!(
        text,
        "{}: WebAssembly module, {} bytes",
        program.name(),
        module.bytes().len()
    );
    if let Some(name) = module.names().module() {
        line(text, &format!("name: {name}"));
    }
    let imported = module.imported_func_count();
    line(
        text,
        &format!(
            "functions: {} and {imported} imported",
            module.func_count() - imported
        ),
    );
    for (index, memory) in module.memories().iter().enumerate() {
        let maximum = memory
            .maximum
            .map_or_else(String::new, |pages| format!(", at most {pages}"));
        line(
            text,
            &format!(
                "memory {index}: {} pages of 64 KiB{maximum}",
                memory.initial
            ),
        );
    }
    for (index, table) in module.tables().iter().enumerate() {
        line(
            text,
            &format!(
                "table {index}: {} elements of {}",
                table.ty.initial,
                val_type_text(wdb_vm::ValType::Ref(table.ty.element_type))
            ),
        );
    }
    line(text, &format!("globals: {}", module.globals().len()));
    if let Some(start) = module.start() {
        line(
            text,
            &format!("start function: {}", program.func_name(start)),
        );
    }
}

fn describe_sections(text: &mut String, module: &Module) {
    heading(text, "Sections");
    for section in module.sections() {
        let range = &section.range;
        line(
            text,
            &format!(
                "0x{:08x}  {:>10}  {}",
                range.start,
                range.end - range.start,
                section.name
            ),
        );
    }
}

fn describe_imports(text: &mut String, module: &Module) {
    heading(text, &format!("Imports ({})", module.imports().len()));
    for import in module.imports() {
        let what = match &import.ty {
            ImportType::Func(index) => {
                let ty = module
                    .type_at(*index)
                    .map(|ty| module.func_type_text(ty))
                    .unwrap_or_default();
                format!("func {ty}")
            }
            ImportType::Tag(index) => {
                let ty = module
                    .type_at(*index)
                    .map(|ty| module.func_type_text(ty))
                    .unwrap_or_default();
                format!("tag {ty}")
            }
            ImportType::Table(_) => "table".to_owned(),
            ImportType::Memory(_) => "memory".to_owned(),
            ImportType::Global(ty) => format!("global {}", module.val_type_text(ty.content_type)),
        };
        line(text, &format!("{}.{}  {what}", import.module, import.name));
    }
}

fn describe_exports(text: &mut String, module: &Module) {
    heading(text, &format!("Exports ({})", module.exports().len()));
    for export in module.exports() {
        let what = match export.kind {
            ExportKind::Func => {
                let func = wdb_vm::address::FuncIndex(export.index);
                format!("func {}", module.func_type_text(module.func_type(func)))
            }
            ExportKind::Table => "table".to_owned(),
            ExportKind::Memory => "memory".to_owned(),
            ExportKind::Global => "global".to_owned(),
            ExportKind::Tag => "tag".to_owned(),
        };
        line(text, &format!("{}  {}", export.name, what.trim_end()));
    }
}

fn describe_debug_info(text: &mut String, program: &Program) {
    heading(text, "Debug info");
    let info = program.info();
    if let Some(url) = info.external_url() {
        line(text, &format!("in another file: {url}"));
    }
    if info.is_empty() {
        let has_names = (0..program.module().func_count())
            .any(|func| program.module().names().func(func).is_some());
        line(
            text,
            if has_names {
                "none; functions have names"
            } else {
                "none; compile with -g to see sources and variables"
            },
        );
        return;
    }
    let summary = info.summary();
    let bytes: usize = summary.sections.iter().map(|(_, bytes)| bytes).sum();
    line(
        text,
        &format!("{bytes} bytes in {} sections", summary.sections.len()),
    );
    let mut kinds: BTreeMap<(String, u16), usize> = BTreeMap::new();
    for unit in &summary.units {
        *kinds
            .entry((unit.language.clone(), unit.dwarf_version))
            .or_default() += 1;
    }
    for ((language, version), count) in kinds {
        let units = if count == 1 {
            "compilation unit"
        } else {
            "compilation units"
        };
        line(
            text,
            &format!("{count} {units} in {language}, DWARF {version}"),
        );
    }
    let files = info.files();
    line(text, &format!("{} source files have code", files.len()));
    for warning in info.warnings() {
        line(text, &format!("warning: {warning}"));
    }
}

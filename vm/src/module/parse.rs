//! Decoding and validating modules.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use wasmparser::{
    Data, DataKind, Element, Encoding, Export as ParsedExport, ExternalKind, Parser, Payload,
    RefType, TypeRef, ValidPayload, Validator, WasmFeatures,
};

use super::{
    CustomSection, DataSegment, ElementItems, ElementSegment, Export, ExportKind, FEATURES,
    FuncBody, GlobalDef, Import, ImportType, Module, ModuleError, Section, SegmentMode, TableDef,
    Validation, Validity,
};
use crate::address::FuncIndex;

impl Module {
    /// Decodes and validates a module in the binary format, or in the text format when it is text.
    ///
    /// A text is assembled with DWARF line information that names `path` as its source.
    pub fn parse(
        bytes: impl Into<Arc<[u8]>>,
        path: Option<&Path>,
    ) -> Result<Arc<Module>, ModuleError> {
        Module::parse_with(bytes, path, FEATURES, Validation::AtOnce)
    }

    /// Like [`Module::parse`], and refuses what is beyond `features`, as a machine without the others would; `validation`
    /// says when functions are validated.
    pub fn parse_with(
        bytes: impl Into<Arc<[u8]>>,
        path: Option<&Path>,
        features: WasmFeatures,
        validation: Validation,
    ) -> Result<Arc<Module>, ModuleError> {
        let features = features.intersection(FEATURES);
        let bytes = bytes.into();
        let from_text = !is_binary(&bytes);
        let bytes = binary_of(bytes, path)?;
        if u32::try_from(bytes.len()).is_err() {
            return Err(ModuleError::TooLarge(bytes.len()));
        }
        let mut module = Module::empty(bytes, from_text, features);
        let bytes = Arc::clone(&module.bytes);
        let mut validator = Validator::new_with_features(features);
        let mut parser = Parser::new(0);
        parser.set_features(features);
        for payload in parser.parse_all(&bytes) {
            let payload = payload?;
            if let Payload::Version {
                encoding: Encoding::Component,
                ..
            } = payload
            {
                return Err(ModuleError::Component);
            }
            match validator.payload(&payload)? {
                ValidPayload::Func(func, _) => {
                    module.resources.get_or_insert(func.resources);
                }
                ValidPayload::End(types) => module.note_validated_types(&types),
                _ => {}
            }
            module.add_payload(payload)?;
        }
        module.validity = Validity::unknown(module.bodies.len());
        if validation == Validation::AtOnce {
            module.validate_all()?;
        }
        Ok(Arc::new(module))
    }

    fn empty(bytes: Arc<[u8]>, from_text: bool, features: WasmFeatures) -> Module {
        Module {
            bytes,
            features,
            types: Vec::new(),
            type_groups: Vec::new(),
            validated_types: HashMap::new(),
            imports: Vec::new(),
            exports: Vec::new(),
            func_types: Vec::new(),
            imported_funcs: 0,
            bodies: Vec::new(),
            tables: Vec::new(),
            memories: Vec::new(),
            globals: Vec::new(),
            tags: Vec::new(),
            elements: Vec::new(),
            data: Vec::new(),
            start: None,
            sections: Vec::new(),
            custom_sections: Vec::new(),
            code_section: 0..0,
            from_text,
            resources: None,
            validity: Validity::default(),
            names: OnceLock::new(),
        }
    }

    fn add_payload(&mut self, payload: Payload<'_>) -> Result<(), ModuleError> {
        if let Some((id, range)) = payload.as_section() {
            let name = if let Payload::CustomSection(custom) = &payload {
                custom.name()
            } else {
                section_name(id)
            };
            self.sections.push(Section {
                id,
                name: name.to_owned(),
                range: narrow(range),
            });
        }
        match payload {
            Payload::TypeSection(reader) => {
                for group in reader {
                    let types = group?.into_types();
                    self.type_groups.push(types.len() as u32);
                    self.types.extend(types);
                }
            }
            Payload::ImportSection(reader) => {
                for import in reader.into_imports() {
                    self.add_import(&import?);
                }
            }
            Payload::FunctionSection(reader) => self
                .func_types
                .extend(reader.into_iter().collect::<Result<Vec<_>, _>>()?),
            Payload::TableSection(reader) => {
                for table in reader {
                    let table = table?;
                    let init = match table.init {
                        wasmparser::TableInit::RefNull => None,
                        wasmparser::TableInit::Expr(expr) => {
                            Some(narrow(expr.get_binary_reader().range()))
                        }
                    };
                    self.tables.push(TableDef { ty: table.ty, init });
                }
            }
            Payload::MemorySection(reader) => self
                .memories
                .extend(reader.into_iter().collect::<Result<Vec<_>, _>>()?),
            Payload::GlobalSection(reader) => {
                for global in reader {
                    let global = global?;
                    let init = Some(narrow(global.init_expr.get_binary_reader().range()));
                    self.globals.push(GlobalDef {
                        ty: global.ty,
                        init,
                    });
                }
            }
            Payload::TagSection(reader) => {
                for tag in reader {
                    self.tags.push(tag?.func_type_idx);
                }
            }
            Payload::ExportSection(reader) => {
                for export in reader {
                    self.exports.push(export_of(&export?));
                }
            }
            Payload::StartSection { func, .. } => self.start = Some(FuncIndex(func)),
            Payload::ElementSection(reader) => {
                for element in reader {
                    self.elements.push(element_of(element?)?);
                }
            }
            Payload::DataSection(reader) => {
                for data in reader {
                    self.data.push(data_of(&data?));
                }
            }
            Payload::CodeSectionStart {
                unchecked_range, ..
            } => self.code_section = narrow(unchecked_range),
            Payload::CodeSectionEntry(body) => {
                let code_start = body.get_operators_reader()?.original_position() as u32;
                let range = narrow(body.range());
                self.bodies.push(FuncBody {
                    code: code_start..range.end,
                    range,
                });
            }
            Payload::CustomSection(custom) => {
                let end = custom.range().end;
                let range = narrow(custom.data_offset()..end);
                self.custom_sections.push(CustomSection {
                    name: custom.name().to_owned(),
                    range,
                });
            }
            _ => {}
        }
        Ok(())
    }

    fn add_import(&mut self, import: &wasmparser::Import<'_>) {
        let ty = match import.ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                self.func_types.push(ty);
                self.imported_funcs += 1;
                ImportType::Func(ty)
            }
            TypeRef::Table(ty) => {
                self.tables.push(TableDef { ty, init: None });
                ImportType::Table(ty)
            }
            TypeRef::Memory(ty) => {
                self.memories.push(ty);
                ImportType::Memory(ty)
            }
            TypeRef::Global(ty) => {
                self.globals.push(GlobalDef { ty, init: None });
                ImportType::Global(ty)
            }
            TypeRef::Tag(ty) => {
                self.tags.push(ty.func_type_idx);
                ImportType::Tag(ty.func_type_idx)
            }
        };
        self.imports.push(Import {
            module: import.module.to_owned(),
            name: import.name.to_owned(),
            ty,
        });
    }
}

fn is_binary(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm")
}

/// The binary format of `bytes`, which may be text.
fn binary_of(bytes: Arc<[u8]>, path: Option<&Path>) -> Result<Arc<[u8]>, ModuleError> {
    if bytes.is_empty() {
        return Err(ModuleError::Empty);
    }
    if is_binary(&bytes) {
        return Ok(bytes);
    }
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return Err(ModuleError::NotWasm("it is not UTF-8 text".to_owned()));
    };
    match wat::Parser::new()
        .generate_dwarf(wat::GenerateDwarf::Full)
        .parse_str(path, text)
    {
        Ok(binary) => Ok(binary.into()),
        // Text that does not even look like an S-expression is some other file given by mistake.
        Err(error) if !text.trim_start().starts_with(['(', ';']) => {
            Err(ModuleError::NotWasm(first_line(&error)))
        }
        Err(error) => Err(ModuleError::Text(error.to_string())),
    }
}

fn first_line(error: &wat::Error) -> String {
    error
        .to_string()
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn narrow(range: Range<u64>) -> Range<u32> {
    range.start as u32..range.end as u32
}

fn section_name(id: u8) -> &'static str {
    const NAMES: [&str; 14] = [
        "custom",
        "type",
        "import",
        "function",
        "table",
        "memory",
        "global",
        "export",
        "start",
        "element",
        "code",
        "data",
        "data count",
        "tag",
    ];
    NAMES.get(usize::from(id)).copied().unwrap_or("unknown")
}

fn export_of(export: &ParsedExport<'_>) -> Export {
    let kind = match export.kind {
        ExternalKind::Func | ExternalKind::FuncExact => ExportKind::Func,
        ExternalKind::Table => ExportKind::Table,
        ExternalKind::Memory => ExportKind::Memory,
        ExternalKind::Global => ExportKind::Global,
        ExternalKind::Tag => ExportKind::Tag,
    };
    Export {
        name: export.name.to_owned(),
        kind,
        index: export.index,
    }
}

fn element_of(element: Element<'_>) -> Result<ElementSegment, ModuleError> {
    let mode = match element.kind {
        wasmparser::ElementKind::Passive => SegmentMode::Passive,
        wasmparser::ElementKind::Declared => SegmentMode::Declared,
        wasmparser::ElementKind::Active {
            table_index,
            offset_expr,
        } => SegmentMode::Active {
            target: table_index.unwrap_or(0),
            offset: narrow(offset_expr.get_binary_reader().range()),
        },
    };
    let (ty, items) = match element.items {
        wasmparser::ElementItems::Functions(funcs) => (
            RefType::FUNCREF,
            ElementItems::Funcs(funcs.into_iter().collect::<Result<_, _>>()?),
        ),
        wasmparser::ElementItems::Expressions(ty, expressions) => {
            let mut ranges = Vec::new();
            for expression in expressions {
                ranges.push(narrow(expression?.get_binary_reader().range()));
            }
            (ty, ElementItems::Expressions(ranges))
        }
    };
    Ok(ElementSegment { mode, ty, items })
}

fn data_of(data: &Data<'_>) -> DataSegment {
    let mode = match &data.kind {
        DataKind::Passive => SegmentMode::Passive,
        DataKind::Active {
            memory_index,
            offset_expr,
        } => SegmentMode::Active {
            target: *memory_index,
            offset: narrow(offset_expr.get_binary_reader().range()),
        },
    };
    let end = data.range.end as u32;
    DataSegment {
        mode,
        bytes: end - data.data.len() as u32..end,
    }
}

//! Modules: the original bytes, decoded and validated once.

use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use wasmparser::{
    CompositeInnerType, Data, DataKind, Element, Encoding, Export as ParsedExport, ExternalKind,
    FuncToValidate, FuncType, FunctionBody, GlobalType, MemoryType, Parser, Payload, RefType,
    TableType, TypeRef, ValType, ValidPayload, Validator, ValidatorResources, WasmFeatures,
};

use crate::address::{FuncIndex, ModuleOffset};
use crate::decode::Instructions;
use crate::names::Names;

/// What this version runs: WebAssembly 2.0, with what 3.0 and later proposals add to memories, numbers and calls.
pub const FEATURES: WasmFeatures = WasmFeatures::WASM2
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::RELAXED_SIMD)
    .union(WasmFeatures::MEMORY64)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::THREADS)
    .union(WasmFeatures::WIDE_ARITHMETIC)
    .union(WasmFeatures::CUSTOM_PAGE_SIZES);

/// Why bytes are not a module that can be run.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ModuleError {
    /// There is nothing.
    #[error("the file is empty; expected a WebAssembly module (.wasm or .wat)")]
    Empty,
    /// A component, not a core module.
    #[error(
        "this is a WebAssembly component, not a core module; extract the core module first (for example with `wasm-tools component unbundle`)"
    )]
    Component,
    /// Neither the binary nor the text format.
    #[error(
        "neither a WebAssembly binary (it does not start with \\0asm) nor its text format: {0}"
    )]
    NotWasm(String),
    /// The text format has an error.
    #[error("{0}")]
    Text(String),
    /// The binary is malformed or invalid.
    #[error("invalid module at offset 0x{offset:x}: {message}")]
    Invalid {
        /// Where, as a module offset.
        offset: u64,
        /// What is wrong.
        message: String,
    },
    /// More than 4 GiB.
    #[error("the module has {0} bytes; at most 4294967295 can be addressed")]
    TooLarge(usize),
}

impl From<wasmparser::BinaryReaderError> for ModuleError {
    fn from(error: wasmparser::BinaryReaderError) -> ModuleError {
        ModuleError::Invalid {
            offset: error.offset(),
            message: error.message().to_owned(),
        }
    }
}

/// A validated module. Immutable and shared.
pub struct Module {
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) types: Vec<FuncType>,
    pub(crate) imports: Vec<Import>,
    pub(crate) exports: Vec<Export>,
    /// The type index of every function, imported ones first.
    pub(crate) func_types: Vec<u32>,
    imported_funcs: u32,
    bodies: Vec<FuncBody>,
    pub(crate) tables: Vec<TableDef>,
    pub(crate) memories: Vec<MemoryType>,
    pub(crate) globals: Vec<GlobalDef>,
    pub(crate) elements: Vec<ElementSegment>,
    pub(crate) data: Vec<DataSegment>,
    pub(crate) start: Option<FuncIndex>,
    sections: Vec<Section>,
    custom_sections: Vec<CustomSection>,
    code_section: Range<u32>,
    /// Whether the binary was assembled from text here.
    from_text: bool,
    pub(crate) resources: Option<ValidatorResources>,
    names: OnceLock<Names>,
}

/// Something a module needs from outside.
#[derive(Clone, Debug)]
pub struct Import {
    /// The module's name.
    pub module: String,
    /// The item's name.
    pub name: String,
    /// What it is.
    pub ty: ImportType,
}

/// The type of an import.
#[derive(Clone, Debug)]
pub enum ImportType {
    /// A function with this type index.
    Func(u32),
    /// A table.
    Table(TableType),
    /// A memory.
    Memory(MemoryType),
    /// A global.
    Global(GlobalType),
}

/// Something a module offers.
#[derive(Clone, Debug)]
pub struct Export {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ExportKind,
    /// Its index in the index space of its kind.
    pub index: u32,
}

/// The kind of an export.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExportKind {
    /// A function.
    Func,
    /// A table.
    Table,
    /// A memory.
    Memory,
    /// A global.
    Global,
}

/// Where a function's code lies.
#[derive(Clone, Debug)]
pub struct FuncBody {
    /// The body: local declarations and code, without the size before them.
    pub range: Range<u32>,
    /// From the first instruction to past the final `end`.
    pub code: Range<u32>,
}

/// A table and its initial value.
#[derive(Clone, Debug)]
pub struct TableDef {
    /// Its type.
    pub ty: TableType,
    /// The range of the constant expression for its elements, where there is one.
    pub init: Option<Range<u32>>,
}

/// A global and its initial value.
#[derive(Clone, Debug)]
pub struct GlobalDef {
    /// Its type.
    pub ty: GlobalType,
    /// The range of its constant expression; `None` for an imported global.
    pub init: Option<Range<u32>>,
}

/// Where a segment goes.
#[derive(Clone, Debug)]
pub enum SegmentMode {
    /// Copied by `memory.init` or `table.init` only.
    Passive,
    /// Copied at instantiation.
    Active {
        /// The index of the memory or table.
        target: u32,
        /// The range of the constant expression for the offset.
        offset: Range<u32>,
    },
    /// Declares references only.
    Declared,
}

/// An element segment.
#[derive(Clone, Debug)]
pub struct ElementSegment {
    /// Where it goes.
    pub mode: SegmentMode,
    /// The type of its elements.
    pub ty: RefType,
    /// Its elements.
    pub items: ElementItems,
}

/// The elements of a segment.
#[derive(Clone, Debug)]
pub enum ElementItems {
    /// Function indices.
    Funcs(Vec<u32>),
    /// Ranges of constant expressions.
    Expressions(Vec<Range<u32>>),
}

/// A data segment.
#[derive(Clone, Debug)]
pub struct DataSegment {
    /// Where it goes.
    pub mode: SegmentMode,
    /// Its bytes' range in the module.
    pub bytes: Range<u32>,
}

/// A section of the binary.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    /// The section's id.
    pub id: u8,
    /// The specification's name of it, or the custom section's.
    pub name: String,
    /// Its contents.
    pub range: Range<u32>,
}

/// A custom section.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CustomSection {
    /// Its name.
    pub name: String,
    /// Its contents, without the name.
    pub range: Range<u32>,
}

impl Module {
    /// Decodes and validates a module in the binary format, or in the text format when it is text.
    ///
    /// A text is assembled with DWARF line information that names `path` as its source.
    pub fn parse(bytes: Vec<u8>, path: Option<&Path>) -> Result<Arc<Module>, ModuleError> {
        Module::parse_with(bytes, path, FEATURES)
    }

    /// Like [`Module::parse`], and refuses what is beyond `features`, as a machine without the others would.
    pub fn parse_with(
        bytes: Vec<u8>,
        path: Option<&Path>,
        features: WasmFeatures,
    ) -> Result<Arc<Module>, ModuleError> {
        let features = features.intersection(FEATURES);
        let from_text = !is_binary(&bytes);
        let bytes = binary_of(bytes, path)?;
        if u32::try_from(bytes.len()).is_err() {
            return Err(ModuleError::TooLarge(bytes.len()));
        }
        let mut module = Module::empty(Arc::from(bytes), from_text);
        let bytes = Arc::clone(&module.bytes);
        let mut validator = Validator::new_with_features(features);
        let mut parser = Parser::new(0);
        parser.set_features(features);
        let mut to_validate = Vec::new();
        for payload in parser.parse_all(&bytes) {
            let payload = payload?;
            if let Payload::Version {
                encoding: Encoding::Component,
                ..
            } = payload
            {
                return Err(ModuleError::Component);
            }
            if let ValidPayload::Func(func, body) = validator.payload(&payload)? {
                module
                    .resources
                    .get_or_insert_with(|| func.resources.clone());
                to_validate.push((func, body));
            }
            module.add_payload(payload)?;
        }
        validate_bodies(to_validate)?;
        Ok(Arc::new(module))
    }

    fn empty(bytes: Arc<[u8]>, from_text: bool) -> Module {
        Module {
            bytes,
            types: Vec::new(),
            imports: Vec::new(),
            exports: Vec::new(),
            func_types: Vec::new(),
            imported_funcs: 0,
            bodies: Vec::new(),
            tables: Vec::new(),
            memories: Vec::new(),
            globals: Vec::new(),
            elements: Vec::new(),
            data: Vec::new(),
            start: None,
            sections: Vec::new(),
            custom_sections: Vec::new(),
            code_section: 0..0,
            from_text,
            resources: None,
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
                    for ty in group?.into_types() {
                        if let CompositeInnerType::Func(ty) = ty.composite_type.inner {
                            self.types.push(ty);
                        }
                    }
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
            Payload::ExportSection(reader) => {
                for export in reader {
                    self.exports.extend(export_of(&export?));
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
            // Tags need the exceptions feature, which validation has refused.
            TypeRef::Tag(_) => return,
        };
        self.imports.push(Import {
            module: import.module.to_owned(),
            name: import.name.to_owned(),
            ty,
        });
    }

    /// The module's binary, unchanged.
    #[must_use]
    pub fn bytes(&self) -> &Arc<[u8]> {
        &self.bytes
    }

    /// The range of the code section's contents.
    #[must_use]
    pub fn code_section(&self) -> Range<u32> {
        self.code_section.clone()
    }

    /// What code addresses in the module's DWARF count from: the start of the code section's contents, as the WebAssembly
    /// tool conventions have it.
    ///
    /// The assembler of text modules counts from behind the number of functions that the contents begin with, and so does this
    /// for a module that was given as text.
    #[must_use]
    pub fn dwarf_base(&self) -> ModuleOffset {
        let start = self.code_section.start;
        if !self.from_text {
            return ModuleOffset(start);
        }
        let contents = &self.bytes[start as usize..self.code_section.end as usize];
        // In LEB128 only the last byte's top bit is clear.
        let count_end = contents.iter().position(|byte| byte & 0x80 == 0);
        ModuleOffset(start + count_end.map_or(0, |last| last as u32 + 1))
    }

    /// All sections in the order of the binary.
    #[must_use]
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The custom sections in the order of the binary.
    #[must_use]
    pub fn custom_sections(&self) -> &[CustomSection] {
        &self.custom_sections
    }

    /// The contents of the first custom section with this name.
    #[must_use]
    pub fn custom_section(&self, name: &str) -> Option<Range<u32>> {
        self.custom_sections
            .iter()
            .find(|section| section.name == name)
            .map(|section| section.range.clone())
    }

    /// What the module needs.
    #[must_use]
    pub fn imports(&self) -> &[Import] {
        &self.imports
    }

    /// What the module offers.
    #[must_use]
    pub fn exports(&self) -> &[Export] {
        &self.exports
    }

    /// The exported item of a kind and name.
    #[must_use]
    pub fn export(&self, kind: ExportKind, name: &str) -> Option<u32> {
        self.exports
            .iter()
            .find(|export| export.kind == kind && export.name == name)
            .map(|export| export.index)
    }

    /// The module's memories, imported ones first.
    #[must_use]
    pub fn memories(&self) -> &[MemoryType] {
        &self.memories
    }

    /// The module's tables, imported ones first.
    #[must_use]
    pub fn tables(&self) -> &[TableDef] {
        &self.tables
    }

    /// The module's globals, imported ones first.
    #[must_use]
    pub fn globals(&self) -> &[GlobalDef] {
        &self.globals
    }

    /// The number of functions, imported ones included.
    #[must_use]
    pub fn func_count(&self) -> u32 {
        self.func_types.len() as u32
    }

    /// The number of imported functions.
    #[must_use]
    pub fn imported_func_count(&self) -> u32 {
        self.imported_funcs
    }

    /// The function that runs at instantiation.
    #[must_use]
    pub fn start(&self) -> Option<FuncIndex> {
        self.start
    }

    /// A function type by its index.
    #[must_use]
    pub fn type_at(&self, index: u32) -> Option<&FuncType> {
        self.types.get(index as usize)
    }

    /// The type of a function.
    ///
    /// # Panics
    /// When the module has no such function.
    #[must_use]
    pub fn func_type(&self, func: FuncIndex) -> &FuncType {
        &self.types[self.func_types[func.index()] as usize]
    }

    /// Where the code of a function lies; `None` when it is imported or does not exist.
    #[must_use]
    pub fn func_body(&self, func: FuncIndex) -> Option<&FuncBody> {
        self.bodies
            .get(func.index().checked_sub(self.imported_funcs as usize)?)
    }

    /// The types of a function's parameters and locals.
    #[must_use]
    pub fn local_types(&self, func: FuncIndex) -> Vec<ValType> {
        let mut types = self.func_type(func).params().to_vec();
        if let Some(body) = self.func_body(func) {
            let range = &body.range;
            let reader = wasmparser::BinaryReader::new(
                &self.bytes[range.start as usize..range.end as usize],
                u64::from(range.start),
            );
            let declarations = FunctionBody::new(reader).get_locals_reader();
            for (count, ty) in declarations.into_iter().flatten().flatten() {
                types.extend(std::iter::repeat_n(ty, count as usize));
            }
        }
        types
    }

    /// The function whose body contains the offset.
    #[must_use]
    pub fn func_at(&self, offset: ModuleOffset) -> Option<FuncIndex> {
        let after = self
            .bodies
            .partition_point(|body| body.range.start <= offset.0);
        let position = after.checked_sub(1)?;
        let body = &self.bodies[position];
        body.range
            .contains(&offset.0)
            .then(|| FuncIndex(position as u32 + self.imported_funcs))
    }

    /// The instructions of a function; none when it is imported.
    #[must_use]
    pub fn instructions(&self, func: FuncIndex) -> Instructions<'_> {
        let code = self.func_body(func).map_or(0..0, |body| body.code.clone());
        Instructions::new(
            &self.bytes[code.start as usize..code.end as usize],
            ModuleOffset(code.start),
        )
    }

    /// The names that the name section gives, read at the first use.
    #[must_use]
    pub fn names(&self) -> &Names {
        self.names
            .get_or_init(|| match self.custom_section("name") {
                Some(range) => Names::parse(
                    &self.bytes[range.start as usize..range.end as usize],
                    u64::from(range.start),
                ),
                None => Names::default(),
            })
    }

    /// A function's name in the name section.
    #[must_use]
    pub fn func_name(&self, func: FuncIndex) -> Option<&str> {
        self.names().func(func.0)
    }

    /// A name for people: from the name section, else the import's or an export's, else `func[12]`.
    #[must_use]
    pub fn func_display_name(&self, func: FuncIndex) -> String {
        if let Some(name) = self.func_name(func) {
            return name.to_owned();
        }
        if func.0 < self.imported_funcs {
            let import = self
                .imports
                .iter()
                .filter(|import| matches!(import.ty, ImportType::Func(_)))
                .nth(func.index());
            if let Some(import) = import {
                return format!("{}.{}", import.module, import.name);
            }
        }
        let export = self
            .exports
            .iter()
            .find(|export| export.kind == ExportKind::Func && export.index == func.0);
        export.map_or_else(|| format!("func[{}]", func.0), |export| export.name.clone())
    }

    /// What the `producers` section says: field, name and version of each entry.
    #[must_use]
    pub fn producers(&self) -> Vec<(String, String, String)> {
        let Some(range) = self.custom_section("producers") else {
            return Vec::new();
        };
        let bytes = &self.bytes[range.start as usize..range.end as usize];
        let reader = wasmparser::BinaryReader::new(bytes, u64::from(range.start));
        let mut entries = Vec::new();
        let Ok(fields) = wasmparser::ProducersSectionReader::new(reader) else {
            return entries;
        };
        for field in fields.into_iter().flatten() {
            for value in field.values.into_iter().flatten() {
                entries.push((
                    field.name.to_owned(),
                    value.name.to_owned(),
                    value.version.to_owned(),
                ));
            }
        }
        entries
    }

    pub(crate) fn func_to_validate(
        &self,
        func: FuncIndex,
    ) -> Option<FuncToValidate<ValidatorResources>> {
        Some(FuncToValidate {
            resources: self.resources.clone()?,
            index: func.0,
            ty: *self.func_types.get(func.index())?,
            features: FEATURES,
        })
    }
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Module")
            .field("bytes", &self.bytes.len())
            .field("funcs", &self.func_types.len())
            .finish_non_exhaustive()
    }
}

fn is_binary(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm")
}

/// The binary format of `bytes`, which may be text.
fn binary_of(bytes: Vec<u8>, path: Option<&Path>) -> Result<Vec<u8>, ModuleError> {
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
        Ok(binary) => Ok(binary),
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

/// Validates function bodies on all processors; reports the error that comes first in the module.
fn validate_bodies(
    bodies: Vec<(FuncToValidate<ValidatorResources>, FunctionBody<'_>)>,
) -> Result<(), ModuleError> {
    /// Below this many bytes of code a second thread costs more than it saves.
    const BYTES_PER_THREAD_MIN: u64 = 64 * 1024;
    let bytes: u64 = bodies
        .iter()
        .map(|(_, body)| body.range().end - body.range().start)
        .sum();
    let processors = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let threads = processors.min(bytes / BYTES_PER_THREAD_MIN).max(1);
    let bytes_per_thread = bytes / threads + 1;
    let mut parts: Vec<Vec<_>> = vec![Vec::new()];
    let mut part_bytes = 0;
    for (func, body) in bodies {
        part_bytes += body.range().end - body.range().start;
        parts
            .last_mut()
            .expect("starts with one part")
            .push((func, body));
        if part_bytes > bytes_per_thread {
            parts.push(Vec::new());
            part_bytes = 0;
        }
    }
    let validate = |part: Vec<(FuncToValidate<ValidatorResources>, FunctionBody<'_>)>| {
        let mut allocations = wasmparser::FuncValidatorAllocations::default();
        for (func, body) in part {
            let mut validator = func.into_validator(allocations);
            validator.validate(&body)?;
            allocations = validator.into_allocations();
        }
        Ok(())
    };
    if parts.len() == 1 {
        return parts.into_iter().try_for_each(validate);
    }
    std::thread::scope(|scope| {
        let workers: Vec<_> = parts
            .into_iter()
            .map(|part| scope.spawn(move || validate(part)))
            .collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })
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

fn export_of(export: &ParsedExport<'_>) -> Option<Export> {
    let kind = match export.kind {
        ExternalKind::Func | ExternalKind::FuncExact => ExportKind::Func,
        ExternalKind::Table => ExportKind::Table,
        ExternalKind::Memory => ExportKind::Memory,
        ExternalKind::Global => ExportKind::Global,
        ExternalKind::Tag => return None,
    };
    Some(Export {
        name: export.name.to_owned(),
        kind,
        index: export.index,
    })
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

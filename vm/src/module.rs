//! Modules: the original bytes, decoded and validated once.

mod parse;
mod validity;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use wasmparser::types::{CoreTypeId, Types};
use wasmparser::{
    CompositeInnerType, FuncToValidate, FuncType, FunctionBody, GlobalType, MemoryType,
    PackedIndex, RefType, SubType, TableType, ValType, ValidatorResources, WasmFeatures,
};

use crate::address::{FuncIndex, ModuleOffset};
use crate::decode::Instructions;
use crate::names::Names;
use validity::Validity;

pub use validity::Validation;

/// What this version runs: WebAssembly 3.0, exceptions as they were before it, and proposals of later versions.
pub const FEATURES: WasmFeatures = WasmFeatures::WASM3
    .union(WasmFeatures::LEGACY_EXCEPTIONS)
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

/// A validated module, but for functions that are validated when they are used. Immutable and shared.
pub struct Module {
    pub(crate) bytes: Arc<[u8]>,
    /// What it may use.
    pub(crate) features: WasmFeatures,
    pub(crate) types: Vec<SubType>,
    /// The number of types in each recursion group, in order.
    pub(crate) type_groups: Vec<u32>,
    /// The first index of each type by the validator's name of it.
    validated_types: HashMap<CoreTypeId, u32>,
    pub(crate) imports: Vec<Import>,
    pub(crate) exports: Vec<Export>,
    /// The type index of every function, imported ones first.
    pub(crate) func_types: Vec<u32>,
    imported_funcs: u32,
    bodies: Vec<FuncBody>,
    pub(crate) tables: Vec<TableDef>,
    pub(crate) memories: Vec<MemoryType>,
    pub(crate) globals: Vec<GlobalDef>,
    /// The type index of every tag, imported ones first.
    pub(crate) tags: Vec<u32>,
    pub(crate) elements: Vec<ElementSegment>,
    pub(crate) data: Vec<DataSegment>,
    pub(crate) start: Option<FuncIndex>,
    sections: Vec<Section>,
    custom_sections: Vec<CustomSection>,
    code_section: Range<u32>,
    /// Whether the binary was assembled from text here.
    from_text: bool,
    pub(crate) resources: Option<ValidatorResources>,
    validity: Validity,
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
    /// An exception tag with this type index.
    Tag(u32),
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
    /// An exception tag.
    Tag,
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

    /// A type by its index.
    #[must_use]
    pub fn sub_type(&self, index: u32) -> Option<&SubType> {
        self.types.get(index as usize)
    }

    /// A function type by its index; `None` when the type is another.
    #[must_use]
    pub fn type_at(&self, index: u32) -> Option<&FuncType> {
        match &self.types.get(index as usize)?.composite_type.inner {
            CompositeInnerType::Func(ty) => Some(ty),
            _ => None,
        }
    }

    /// The types of the values that exceptions with a tag carry.
    #[must_use]
    pub fn tag_types(&self, tag: u32) -> &[ValType] {
        let ty = self.tags.get(tag as usize).and_then(|&ty| self.type_at(ty));
        ty.map_or(&[], FuncType::params)
    }

    /// The number of tags, imported ones included.
    #[must_use]
    pub fn tag_count(&self) -> u32 {
        self.tags.len() as u32
    }

    /// The type of a function.
    ///
    /// # Panics
    /// When the module has no such function.
    #[must_use]
    pub fn func_type(&self, func: FuncIndex) -> &FuncType {
        self.types[self.func_types[func.index()] as usize].unwrap_func()
    }

    fn note_validated_types(&mut self, types: &Types) {
        let types = types.as_ref();
        for index in (0..self.types.len() as u32).rev() {
            self.validated_types
                .insert(types.core_type_at_in_module(index), index);
        }
    }

    /// A type as the module writes it, where the validator gives it.
    pub(crate) fn type_in_module(&self, ty: ValType) -> ValType {
        let ValType::Ref(reference) = ty else {
            return ty;
        };
        let index = reference
            .type_index()
            .and_then(|index| index.as_core_type_id())
            .and_then(|id| self.validated_types.get(&id))
            .and_then(|&index| PackedIndex::from_module_index(index));
        match index {
            Some(index) => ValType::Ref(RefType::concrete(reference.is_nullable(), index)),
            None => ty,
        }
    }

    /// Where the code of a function lies; `None` when it is imported or does not exist.
    #[must_use]
    pub fn func_body(&self, func: FuncIndex) -> Option<&FuncBody> {
        self.bodies
            .get(func.index().checked_sub(self.imported_funcs as usize)?)
    }

    /// The types of a function's parameters and locals; of one that is not valid, those of its parameters.
    #[must_use]
    pub fn local_types(&self, func: FuncIndex) -> Vec<ValType> {
        let mut types = self.func_type(func).params().to_vec();
        if let Some(body) = self.func_body(func)
            // The number of locals is bounded only where the code is valid.
            && self.is_valid_func(func)
        {
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

    /// The instructions of a function; none when it is imported or not valid.
    #[must_use]
    pub fn instructions(&self, func: FuncIndex) -> Instructions<'_> {
        let body = self.func_body(func).filter(|_| self.is_valid_func(func));
        let code = body.map_or(0..0, |body| body.code.clone());
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
            features: self.features,
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

//! The store's immutable part: instances and functions, and how modules are linked into it.

use std::ops::Range;
use std::sync::Arc;

use wasmparser::{
    AbstractHeapType, FuncType, GlobalType, HeapType, MemoryType, RefType, TableType,
    UnpackedIndex, ValType,
};

use crate::address::{
    FuncAddr, FuncIndex, GlobalAddr, InstanceAddr, MemoryAddr, TableAddr, TagAddr, TypeId,
};
use crate::constants::{HeapExhausted, evaluate};
use crate::heap::{Heap, ObjectKind};
use crate::host::{Host, HostFunc};
use crate::machine::{Invocation, Machine, Table};
use crate::memory::{GrowError, Memory, PAGE_BYTES};
use crate::module::{ElementItems, ElementSegment, ExportKind, ImportType, Module, SegmentMode};
use crate::trap::TrapKind;
use crate::types::{StructLayout, TooManyTypes, Types, in_store, ref_type_in_store, type_id};
use crate::value::{Reference, Value, cell_count, func_ref_cell};

/// Why a module cannot be instantiated.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LinkError {
    /// Nothing serves these imports.
    #[error("the module imports what wdb does not provide: {}; --stub-imports makes each of them a trap when it is called", .0.join(", "))]
    UnknownImports(Vec<String>),
    /// An import of another type than what serves it.
    #[error("import {import} has the type {wanted}, but wdb provides {provided}")]
    ImportType {
        /// The import.
        import: String,
        /// Its type in the module.
        wanted: String,
        /// The type of what would serve it.
        provided: String,
    },
    /// A memory or table larger than the limits allow, or than the operating system gives.
    #[error("{0}")]
    Resource(String),
    /// An active segment that does not fit.
    #[error("instantiation trapped: {}: {segment}", .trap.message())]
    Segment {
        /// The trap.
        trap: TrapKind,
        /// Which segment.
        segment: String,
    },
}

/// What runs when a function is called.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FuncKind {
    /// The instance's code.
    Wasm,
    /// The host.
    Host(HostFunc),
    /// An import that nothing serves; calling it traps with this text.
    Stub(String),
}

/// A function of the store.
#[derive(Clone, Debug)]
pub struct FuncInst {
    /// The instance that defines or imports it.
    pub instance: InstanceAddr,
    /// Its index in that instance's module.
    pub index: FuncIndex,
    /// Its type.
    pub type_id: TypeId,
    /// What runs.
    pub kind: FuncKind,
}

/// An exception tag of the store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct TagInst {
    /// The instance that defines it.
    pub(crate) instance: InstanceAddr,
    /// Its index there.
    pub(crate) index: u32,
    pub(crate) type_id: TypeId,
    /// How its values lie in an exception.
    pub(crate) layout: StructLayout,
}

/// A module instance: where the items of the module's index spaces lie in the store.
#[derive(Debug)]
pub struct Instance {
    /// The module.
    pub module: Arc<Module>,
    pub(crate) funcs: Box<[FuncAddr]>,
    pub(crate) tables: Box<[TableAddr]>,
    pub(crate) memories: Box<[MemoryAddr]>,
    pub(crate) globals: Box<[GlobalAddr]>,
    /// The first cell of every global.
    pub(crate) global_cells: Box<[u32]>,
    pub(crate) tags: Box<[TagAddr]>,
    /// The store's number of every type.
    pub(crate) type_ids: Box<[TypeId]>,
    /// The position of the module's first data segment among the store's.
    pub(crate) data_start: u32,
    /// The position of the module's first element segment among the store's.
    pub(crate) elements_start: u32,
}

/// Instances and functions. It only grows, and only by instantiation.
#[derive(Default)]
pub struct Store {
    pub(crate) instances: Vec<Instance>,
    pub(crate) funcs: Vec<FuncInst>,
    pub(crate) types: Types,
    pub(crate) tags: Vec<TagInst>,
    /// The type, in the store's numbers, and the first cell of every global.
    pub(crate) globals: Vec<(GlobalType, u32)>,
    /// Every data segment: its instance and its bytes' range in the module.
    pub(crate) data: Vec<(InstanceAddr, Range<u32>)>,
    /// The references of every element segment.
    pub(crate) elements: Vec<Box<[u64]>>,
    /// The types of tables, in the store's numbers, and of memories, as they were declared.
    pub(crate) tables: Vec<TableType>,
    pub(crate) memories: Vec<MemoryType>,
    /// Instances whose exports others can import, by the module name they are known under.
    pub(crate) registered: Vec<(String, InstanceAddr)>,
}

/// Something that serves an import.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Extern {
    Func(FuncAddr),
    Table(TableAddr),
    Memory(MemoryAddr),
    Global(GlobalAddr),
    Tag(TagAddr),
}

/// What a module's imports resolved to, in the order of each index space.
#[derive(Default)]
struct Imported {
    funcs: Vec<FuncAddr>,
    tables: Vec<TableAddr>,
    memories: Vec<MemoryAddr>,
    globals: Vec<GlobalAddr>,
    tags: Vec<TagAddr>,
}

impl From<HeapExhausted> for LinkError {
    fn from(_: HeapExhausted) -> LinkError {
        LinkError::Resource("the initial objects exceed the limit of the heap".to_owned())
    }
}

impl From<TooManyTypes> for LinkError {
    fn from(_: TooManyTypes) -> LinkError {
        LinkError::Resource("the modules define too many types".to_owned())
    }
}

impl Store {
    /// The function's type.
    #[must_use]
    pub fn func_type(&self, func: FuncAddr) -> &FuncType {
        self.types.func(self.funcs[func.index()].type_id)
    }

    /// Whether a place of a type of the store can hold the value.
    pub(crate) fn value_fits(&self, heap: &Heap, value: Value, ty: ValType) -> bool {
        match (value, ty) {
            (Value::I32(_), ValType::I32)
            | (Value::I64(_), ValType::I64)
            | (Value::F32(_), ValType::F32)
            | (Value::F64(_), ValType::F64)
            | (Value::V128(_), ValType::V128) => true,
            (Value::Ref(reference), ValType::Ref(ty)) => self.reference_fits(heap, reference, ty),
            _ => false,
        }
    }

    /// Whether a reference has a reference type of the store. It may come from outside, so nothing is taken for granted.
    fn reference_fits(&self, heap: &Heap, reference: Reference, ty: RefType) -> bool {
        let wanted = ty.heap_type();
        let abstract_type = |ty| HeapType::Abstract { shared: false, ty };
        match reference {
            Reference::Null => ty.is_nullable(),
            Reference::Func(func) => self.funcs.get(func.index()).is_some_and(|func| {
                let actual = HeapType::Concrete(UnpackedIndex::Module(func.type_id.0));
                self.types.heap_type_matches(actual, wanted)
            }),
            // Either side of a conversion.
            Reference::Extern(_) => {
                wanted == HeapType::EXTERN || wanted == abstract_type(AbstractHeapType::Any)
            }
            Reference::I31(_) => {
                let actual = abstract_type(AbstractHeapType::I31);
                wanted == HeapType::EXTERN || self.types.heap_type_matches(actual, wanted)
            }
            Reference::Object(object) => heap.get(object).is_some_and(|object| match object.kind {
                ObjectKind::Data(id) => {
                    let actual = HeapType::Concrete(UnpackedIndex::Module(id.0));
                    wanted == HeapType::EXTERN || self.types.heap_type_matches(actual, wanted)
                }
                ObjectKind::Exception(_) => wanted == abstract_type(AbstractHeapType::Exn),
            }),
        }
    }

    /// Whether a live reference, in its cell, has a type, as a cast asks.
    #[inline]
    pub(crate) fn cast_fits(&self, heap: &Heap, cell: u64, nullable: bool, ty: HeapType) -> bool {
        // The common question is after one type of structs or arrays.
        if let (Some(wanted), Reference::Object(object)) = (type_id(ty), Reference::from_cell(cell))
            && let ObjectKind::Data(actual) = heap.object(object).kind
        {
            return self.types.is_subtype(actual, wanted);
        }
        let wanted = RefType::new(nullable, ty);
        wanted.is_some_and(|ty| self.reference_fits(heap, Reference::from_cell(cell), ty))
    }

    /// The bytes of a data segment of the store.
    pub(crate) fn data_bytes(&self, segment: usize) -> &[u8] {
        let (instance, range) = &self.data[segment];
        &self.instances[instance.index()].module.bytes()[range.start as usize..range.end as usize]
    }

    /// Whether a function can be entered; see [`Module::validate_func`].
    pub(crate) fn is_valid(&self, func: FuncAddr) -> bool {
        let inst = &self.funcs[func.index()];
        inst.kind != FuncKind::Wasm
            || self.instances[inst.instance.index()]
                .module
                .is_valid_func(inst.index)
    }

    /// The bytes that a function's code takes in its module.
    pub(crate) fn code_len(&self, func: FuncAddr) -> usize {
        let inst = &self.funcs[func.index()];
        let body = self.instances[inst.instance.index()]
            .module
            .func_body(inst.index);
        body.map_or(0, |body| body.code.len())
    }

    /// Instantiates a module: allocates its items in `machine`, copies its active segments, and makes its start function
    /// the next invocation. Imports are served by registered instances first, then by the host.
    pub(crate) fn instantiate(
        &mut self,
        machine: &mut Machine,
        module: &Arc<Module>,
        host: &dyn Host,
        stub_imports: bool,
    ) -> Result<InstanceAddr, LinkError> {
        let address = InstanceAddr(self.instances.len() as u32);
        let type_ids = self
            .types
            .intern_module(address, &module.types, &module.type_groups)?;
        let imported =
            self.resolve_imports(machine, address, module, &type_ids, host, stub_imports)?;
        let funcs = self.allocate_funcs(address, module, &type_ids, imported.funcs);
        let tables = self.allocate_tables(machine, module, &type_ids, imported.tables)?;
        let tags = self.allocate_tags(address, module, &type_ids, imported.tags);
        let memories = self.allocate_memories(machine, module, imported.memories)?;
        let data_start = self.data.len() as u32;
        self.data.extend(
            module
                .data
                .iter()
                .map(|segment| (address, segment.bytes.clone())),
        );
        machine.dropped_data.resize(self.data.len(), false);
        let elements_start = self.elements.len() as u32;
        let mut instance = Instance {
            module: Arc::clone(module),
            funcs,
            tables,
            memories,
            globals: Box::new([]),
            global_cells: Box::new([]),
            tags,
            type_ids,
            data_start,
            elements_start,
        };
        self.allocate_globals(machine, &mut instance, imported.globals)?;
        for (definition, table) in instance.module.tables.iter().zip(&instance.tables) {
            if let Some(init) = &definition.init {
                let value = evaluate(self, &instance, machine, init.clone())?;
                machine.tables[table.index()].elements.fill(value as u64);
            }
        }
        for segment in &module.elements {
            let cells = element_cells(self, &instance, machine, segment)?;
            self.elements.push(cells);
        }
        machine.dropped_elements.resize(self.elements.len(), false);
        self.instances.push(instance);
        self.copy_segments(machine, address)?;
        if let Some(start) = module.start {
            let func = self.instances[address.index()].funcs[start.index()];
            machine.pending.push_back(Invocation {
                func,
                args: Vec::new(),
            });
        }
        Ok(address)
    }

    /// Finds what serves each import; an error lists all that nothing serves.
    fn resolve_imports(
        &mut self,
        machine: &Machine,
        instance: InstanceAddr,
        module: &Module,
        type_ids: &[TypeId],
        host: &dyn Host,
        stub_imports: bool,
    ) -> Result<Imported, LinkError> {
        let mut imported = Imported::default();
        let mut unknown = Vec::new();
        for import in &module.imports {
            let full_name = format!("{}.{}", import.module, import.name);
            if let Some(served) = self.registered_export(&import.module, &import.name) {
                self.check_served(machine, &full_name, &import.ty, type_ids, served)?;
                match served {
                    Extern::Func(func) => imported.funcs.push(func),
                    Extern::Table(table) => imported.tables.push(table),
                    Extern::Memory(memory) => imported.memories.push(memory),
                    Extern::Global(global) => imported.globals.push(global),
                    Extern::Tag(tag) => imported.tags.push(tag),
                }
                continue;
            }
            // Nothing but functions is provided by a host.
            let ImportType::Func(ty) = import.ty else {
                if let Some(func) = host.resolve(&import.module, &import.name) {
                    let provided = format!(
                        "func {}",
                        crate::disassemble::func_type_text(&host.func_type(func))
                    );
                    let wanted = format!("{:?}", import.ty);
                    return Err(LinkError::ImportType {
                        import: full_name,
                        wanted,
                        provided,
                    });
                }
                unknown.push(full_name);
                continue;
            };
            let kind = match host.resolve(&import.module, &import.name) {
                Some(func) => {
                    let (wanted, provided) = (type_ids[ty as usize], host.func_type(func));
                    let provided_id = self.types.intern_func(&provided)?;
                    if !self.types.is_subtype(provided_id, wanted) {
                        let text = crate::disassemble::func_type_text;
                        return Err(LinkError::ImportType {
                            import: full_name,
                            wanted: text(self.types.func(wanted)),
                            provided: text(&provided),
                        });
                    }
                    FuncKind::Host(func)
                }
                None if stub_imports => FuncKind::Stub(full_name),
                None => {
                    unknown.push(full_name);
                    continue;
                }
            };
            let index = FuncIndex(imported.funcs.len() as u32);
            imported.funcs.push(FuncAddr(self.funcs.len() as u32));
            self.funcs.push(FuncInst {
                instance,
                index,
                type_id: type_ids[ty as usize],
                kind,
            });
        }
        if unknown.is_empty() {
            Ok(imported)
        } else {
            Err(LinkError::UnknownImports(unknown))
        }
    }

    fn registered_export(&self, module: &str, name: &str) -> Option<Extern> {
        let (_, instance) = self
            .registered
            .iter()
            .rev()
            .find(|(known, _)| known == module)?;
        let instance = &self.instances[instance.index()];
        let export = instance
            .module
            .exports
            .iter()
            .find(|export| export.name == name)?;
        let index = export.index as usize;
        Some(match export.kind {
            ExportKind::Func => Extern::Func(instance.funcs[index]),
            ExportKind::Table => Extern::Table(instance.tables[index]),
            ExportKind::Memory => Extern::Memory(instance.memories[index]),
            ExportKind::Global => Extern::Global(instance.globals[index]),
            ExportKind::Tag => Extern::Tag(instance.tags[index]),
        })
    }

    /// Whether an item can serve an import of this type (WebAssembly 3.0, section 3.2.7, import matching).
    fn check_served(
        &self,
        machine: &Machine,
        import: &str,
        wanted: &ImportType,
        type_ids: &[TypeId],
        served: Extern,
    ) -> Result<(), LinkError> {
        let fits = match (wanted, served) {
            (ImportType::Func(ty), Extern::Func(func)) => {
                let served = self.funcs[func.index()].type_id;
                self.types.is_subtype(served, type_ids[*ty as usize])
            }
            (ImportType::Tag(ty), Extern::Tag(tag)) => {
                self.tags[tag.index()].type_id == type_ids[*ty as usize]
            }
            (ImportType::Table(wanted), Extern::Table(table)) => {
                let ty = &self.tables[table.index()];
                let count = machine.tables[table.index()].elements.len() as u64;
                ty.element_type == ref_type_in_store(wanted.element_type, type_ids)
                    && ty.table64 == wanted.table64
                    && limits_fit(count, ty.maximum, wanted.initial, wanted.maximum)
            }
            (ImportType::Memory(wanted), Extern::Memory(memory)) => {
                let ty = &self.memories[memory.index()];
                let pages = machine.memories[memory.index()].pages();
                ty.memory64 == wanted.memory64
                    && ty.shared == wanted.shared
                    && page_bytes(ty) == page_bytes(wanted)
                    && limits_fit(pages, ty.maximum, wanted.initial, wanted.maximum)
            }
            (ImportType::Global(wanted), Extern::Global(global)) => {
                let (served, wanted_type) = (
                    self.globals[global.index()].0,
                    in_store(wanted.content_type, type_ids),
                );
                // What can be written to must agree in both directions.
                served.mutable == wanted.mutable
                    && served.shared == wanted.shared
                    && if wanted.mutable {
                        served.content_type == wanted_type
                    } else {
                        self.types
                            .val_type_matches(served.content_type, wanted_type)
                    }
            }
            _ => false,
        };
        if fits {
            return Ok(());
        }
        let (wanted, provided) = (format!("{wanted:?}"), format!("{served:?}"));
        Err(LinkError::ImportType {
            import: import.to_owned(),
            wanted,
            provided,
        })
    }

    fn allocate_funcs(
        &mut self,
        instance: InstanceAddr,
        module: &Module,
        type_ids: &[TypeId],
        imported: Vec<FuncAddr>,
    ) -> Box<[FuncAddr]> {
        let mut addresses = imported;
        for index in addresses.len()..module.func_types.len() {
            addresses.push(FuncAddr(self.funcs.len() as u32));
            let type_id = type_ids[module.func_types[index] as usize];
            self.funcs.push(FuncInst {
                instance,
                index: FuncIndex(index as u32),
                type_id,
                kind: FuncKind::Wasm,
            });
        }
        addresses.into()
    }

    fn allocate_tags(
        &mut self,
        instance: InstanceAddr,
        module: &Module,
        type_ids: &[TypeId],
        imported: Vec<TagAddr>,
    ) -> Box<[TagAddr]> {
        let mut addresses = imported;
        for (index, &ty) in module.tags.iter().enumerate().skip(addresses.len()) {
            addresses.push(TagAddr(self.tags.len() as u32));
            let type_id = type_ids[ty as usize];
            let values = self.types.func(type_id).params().iter();
            self.tags.push(TagInst {
                instance,
                index: index as u32,
                type_id,
                layout: StructLayout::new(values.map(|&ty| wasmparser::StorageType::Val(ty))),
            });
        }
        addresses.into()
    }

    fn allocate_tables(
        &mut self,
        machine: &mut Machine,
        module: &Module,
        type_ids: &[TypeId],
        imported: Vec<TableAddr>,
    ) -> Result<Box<[TableAddr]>, LinkError> {
        let mut addresses = imported;
        for (index, table) in module.tables.iter().enumerate().skip(addresses.len()) {
            let limit = machine.limits.table_elements_max;
            let initial = table.ty.initial;
            if initial > limit {
                return Err(LinkError::Resource(format!(
                    "table {index} has {initial} elements; the limit is {limit}"
                )));
            }
            addresses.push(TableAddr(machine.tables.len() as u32));
            let elements_max = table.ty.maximum.unwrap_or(u64::MAX).min(limit);
            machine.tables.push(Table {
                elements: vec![0; initial as usize],
                elements_max,
                index_mask: if table.ty.table64 {
                    u64::MAX
                } else {
                    u64::from(u32::MAX)
                },
            });
            self.tables.push(TableType {
                element_type: ref_type_in_store(table.ty.element_type, type_ids),
                ..table.ty
            });
        }
        Ok(addresses.into())
    }

    fn allocate_memories(
        &mut self,
        machine: &mut Machine,
        module: &Module,
        imported: Vec<MemoryAddr>,
    ) -> Result<Box<[MemoryAddr]>, LinkError> {
        let mut addresses = imported;
        for (index, ty) in module.memories.iter().enumerate().skip(addresses.len()) {
            let limit = machine.limits.memory_pages_max;
            let memory = Memory::new(ty, limit.saturating_mul(PAGE_BYTES)).map_err(|error| {
                LinkError::Resource(match error {
                    GrowError::Limit => format!(
                        "memory {index} starts with {} pages; the limit is {limit} pages of 64 KiB",
                        ty.initial
                    ),
                    GrowError::Host(message) => message,
                })
            })?;
            addresses.push(MemoryAddr(machine.memories.len() as u32));
            machine.memories.push(memory);
            self.memories.push(*ty);
        }
        Ok(addresses.into())
    }

    fn allocate_globals(
        &mut self,
        machine: &mut Machine,
        instance: &mut Instance,
        imported: Vec<GlobalAddr>,
    ) -> Result<(), LinkError> {
        let module = Arc::clone(&instance.module);
        let mut addresses = imported;
        // An initialiser may read the globals before it.
        instance.global_cells = vec![0; module.globals.len()].into();
        for (cell, global) in instance.global_cells.iter_mut().zip(&addresses) {
            *cell = self.globals[global.index()].1;
        }
        for (index, global) in module.globals.iter().enumerate().skip(addresses.len()) {
            let value = match &global.init {
                Some(init) => evaluate(self, instance, machine, init.clone())?,
                None => 0,
            };
            let cell = machine.globals.len() as u32;
            machine.globals.push(value as u64);
            if cell_count(global.ty.content_type) == 2 {
                machine.globals.push((value >> 64) as u64);
            }
            addresses.push(GlobalAddr(self.globals.len() as u32));
            let ty = GlobalType {
                content_type: in_store(global.ty.content_type, &instance.type_ids),
                ..global.ty
            };
            self.globals.push((ty, cell));
            instance.global_cells[index] = cell;
        }
        instance.globals = addresses.into();
        Ok(())
    }

    fn copy_segments(&self, machine: &mut Machine, address: InstanceAddr) -> Result<(), LinkError> {
        let instance = &self.instances[address.index()];
        for (index, segment) in instance.module.elements.iter().enumerate() {
            let position = instance.elements_start as usize + index;
            if let SegmentMode::Active { target, offset } = &segment.mode {
                let at = evaluate(self, instance, machine, offset.clone())? as u64;
                let cells = &self.elements[position];
                let table = instance.tables[*target as usize].index();
                machine
                    .table_init(table, at, cells, 0, cells.len() as u64)
                    .map_err(|trap| LinkError::Segment {
                        trap,
                        segment: format!("element segment {index} at {at}"),
                    })?;
            }
            machine.dropped_elements[position] = !matches!(segment.mode, SegmentMode::Passive);
        }
        for (index, segment) in instance.module.data.iter().enumerate() {
            let position = instance.data_start as usize + index;
            if let SegmentMode::Active { target, offset } = &segment.mode {
                let at = evaluate(self, instance, machine, offset.clone())? as u64;
                let bytes = self.data_bytes(position);
                let memory = instance.memories[*target as usize].index();
                machine
                    .memory_init(memory, at, bytes, 0, bytes.len() as u64)
                    .map_err(|trap| LinkError::Segment {
                        trap,
                        segment: format!("data segment {index} at 0x{at:x}"),
                    })?;
                machine.dropped_data[position] = true;
            }
        }
        Ok(())
    }
}

fn limits_fit(
    size: u64,
    maximum: Option<u64>,
    wanted_initial: u64,
    wanted_maximum: Option<u64>,
) -> bool {
    size >= wanted_initial
        && wanted_maximum.is_none_or(|wanted| maximum.is_some_and(|maximum| maximum <= wanted))
}

fn page_bytes(ty: &MemoryType) -> u64 {
    ty.page_size_log2.map_or(PAGE_BYTES, |log2| 1 << log2)
}

fn element_cells(
    store: &Store,
    instance: &Instance,
    machine: &mut Machine,
    segment: &ElementSegment,
) -> Result<Box<[u64]>, HeapExhausted> {
    match &segment.items {
        ElementItems::Funcs(funcs) => Ok(funcs
            .iter()
            .map(|&func| func_ref_cell(Some(instance.funcs[func as usize])))
            .collect()),
        ElementItems::Expressions(ranges) => ranges
            .iter()
            .map(|range| Ok(evaluate(store, instance, machine, range.clone())? as u64))
            .collect(),
    }
}

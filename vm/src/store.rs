//! The store's immutable part: instances and functions, and how modules are linked into it.

use std::ops::Range;
use std::sync::Arc;

use wasmparser::{BinaryReader, FuncType, GlobalType, MemoryType, Operator, TableType};

use crate::address::{FuncAddr, FuncIndex, GlobalAddr, InstanceAddr, MemoryAddr, TableAddr};
use crate::host::{Host, HostFunc};
use crate::machine::{Invocation, Machine, Table};
use crate::memory::{GrowError, Memory, PAGE_BYTES};
use crate::module::{ElementItems, ElementSegment, ExportKind, ImportType, Module, SegmentMode};
use crate::trap::TrapKind;
use crate::value::{cell_count, func_ref_cell};

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
    /// The number of its type in the store: equal numbers are equal types.
    pub type_id: u32,
    /// What runs.
    pub kind: FuncKind,
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
    /// The store's number of every type.
    pub(crate) type_ids: Box<[u32]>,
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
    pub(crate) types: Vec<FuncType>,
    /// The type and the first cell of every global.
    pub(crate) globals: Vec<(GlobalType, u32)>,
    /// Every data segment: its instance and its bytes' range in the module.
    pub(crate) data: Vec<(InstanceAddr, Range<u32>)>,
    /// The references of every element segment.
    pub(crate) elements: Vec<Box<[u64]>>,
    /// The types of tables and memories, as they were declared.
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
}

/// What a module's imports resolved to, in the order of each index space.
#[derive(Default)]
struct Imported {
    funcs: Vec<FuncAddr>,
    tables: Vec<TableAddr>,
    memories: Vec<MemoryAddr>,
    globals: Vec<GlobalAddr>,
}

impl Store {
    /// The function's type.
    #[must_use]
    pub fn func_type(&self, func: FuncAddr) -> &FuncType {
        &self.types[self.funcs[func.index()].type_id as usize]
    }

    /// The bytes of a data segment of the store.
    pub(crate) fn data_bytes(&self, segment: usize) -> &[u8] {
        let (instance, range) = &self.data[segment];
        &self.instances[instance.index()].module.bytes()[range.start as usize..range.end as usize]
    }

    fn type_id(&mut self, ty: &FuncType) -> u32 {
        let position = self
            .types
            .iter()
            .position(|known| known == ty)
            .unwrap_or_else(|| {
                self.types.push(ty.clone());
                self.types.len() - 1
            });
        position as u32
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
        let type_ids: Box<[u32]> = module.types.iter().map(|ty| self.type_id(ty)).collect();
        let imported =
            self.resolve_imports(machine, address, module, &type_ids, host, stub_imports)?;
        let funcs = self.allocate_funcs(address, module, &type_ids, imported.funcs);
        let tables = self.allocate_tables(machine, module, imported.tables)?;
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
            type_ids,
            data_start,
            elements_start,
        };
        self.allocate_globals(machine, &mut instance, imported.globals);
        for (definition, table) in instance.module.tables.iter().zip(&instance.tables) {
            if let Some(init) = &definition.init {
                let value = evaluate(&instance, machine, init.clone());
                machine.tables[table.index()].elements.fill(value as u64);
            }
        }
        self.elements.extend(
            module
                .elements
                .iter()
                .map(|segment| element_cells(&instance, machine, segment)),
        );
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
        type_ids: &[u32],
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
                    check_func_type(
                        &full_name,
                        &module.types[ty as usize],
                        &host.func_type(func),
                    )?;
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
        })
    }

    /// Whether an item can serve an import of this type (WebAssembly 3.0, section 3.2.7, import matching).
    fn check_served(
        &self,
        machine: &Machine,
        import: &str,
        wanted: &ImportType,
        type_ids: &[u32],
        served: Extern,
    ) -> Result<(), LinkError> {
        let fits = match (wanted, served) {
            (ImportType::Func(ty), Extern::Func(func)) => {
                self.funcs[func.index()].type_id == type_ids[*ty as usize]
            }
            (ImportType::Table(wanted), Extern::Table(table)) => {
                let ty = &self.tables[table.index()];
                let count = machine.tables[table.index()].elements.len() as u64;
                ty.element_type == wanted.element_type
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
                self.globals[global.index()].0 == *wanted
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
        type_ids: &[u32],
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

    fn allocate_tables(
        &mut self,
        machine: &mut Machine,
        module: &Module,
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
            self.tables.push(table.ty);
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
    ) {
        let module = Arc::clone(&instance.module);
        let mut cells: Vec<u32> = imported
            .iter()
            .map(|global| self.globals[global.index()].1)
            .collect();
        let mut addresses = imported;
        for global in module.globals.iter().skip(addresses.len()) {
            // An initialiser may read the globals before it.
            instance.global_cells = cells.as_slice().into();
            let value = global
                .init
                .clone()
                .map_or(0, |init| evaluate(instance, machine, init));
            let cell = machine.globals.len() as u32;
            machine.globals.push(value as u64);
            if cell_count(global.ty.content_type) == 2 {
                machine.globals.push((value >> 64) as u64);
            }
            addresses.push(GlobalAddr(self.globals.len() as u32));
            self.globals.push((global.ty, cell));
            cells.push(cell);
        }
        instance.global_cells = cells.into();
        instance.globals = addresses.into();
    }

    fn copy_segments(&self, machine: &mut Machine, address: InstanceAddr) -> Result<(), LinkError> {
        let instance = &self.instances[address.index()];
        for (index, segment) in instance.module.elements.iter().enumerate() {
            let position = instance.elements_start as usize + index;
            if let SegmentMode::Active { target, offset } = &segment.mode {
                let at = evaluate(instance, machine, offset.clone()) as u64;
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
                let at = evaluate(instance, machine, offset.clone()) as u64;
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

fn check_func_type(import: &str, wanted: &FuncType, provided: &FuncType) -> Result<(), LinkError> {
    if wanted == provided {
        return Ok(());
    }
    let text = crate::disassemble::func_type_text;
    Err(LinkError::ImportType {
        import: import.to_owned(),
        wanted: text(wanted),
        provided: text(provided),
    })
}

fn element_cells(instance: &Instance, machine: &Machine, segment: &ElementSegment) -> Box<[u64]> {
    match &segment.items {
        ElementItems::Funcs(funcs) => funcs
            .iter()
            .map(|&func| func_ref_cell(Some(instance.funcs[func as usize])))
            .collect(),
        ElementItems::Expressions(ranges) => ranges
            .iter()
            .map(|range| evaluate(instance, machine, range.clone()) as u64)
            .collect(),
    }
}

/// The value of a constant expression, which validation has checked (WebAssembly 3.0, section 3.4.14). Only a vector has
/// an upper half.
fn evaluate(instance: &Instance, machine: &Machine, range: Range<u32>) -> u128 {
    let bytes = &instance.module.bytes()[range.start as usize..range.end as usize];
    let reader = BinaryReader::new_features(bytes, u64::from(range.start), crate::module::FEATURES);
    let mut stack: Vec<u128> = Vec::new();
    for operator in wasmparser::OperatorsReader::new(reader)
        .into_iter()
        .map_while(Result::ok)
    {
        match operator {
            Operator::I32Const { value } => stack.push(u128::from(value as u32)),
            Operator::I64Const { value } => stack.push(u128::from(value as u64)),
            Operator::F32Const { value } => stack.push(u128::from(value.bits())),
            Operator::F64Const { value } => stack.push(u128::from(value.bits())),
            Operator::V128Const { value } => stack.push(u128::from_le_bytes(*value.bytes())),
            Operator::RefNull { .. } => stack.push(0),
            Operator::RefFunc { function_index } => {
                let func = instance.funcs[function_index as usize];
                stack.push(u128::from(func_ref_cell(Some(func))));
            }
            Operator::GlobalGet { global_index } => {
                let cell = instance.global_cells[global_index as usize] as usize;
                let high = machine.globals.get(cell + 1).copied().unwrap_or(0);
                let low = machine.globals[cell];
                stack.push(u128::from(low) | u128::from(high) << 64);
            }
            Operator::I32Add | Operator::I32Sub | Operator::I32Mul => {
                let (right, left) = (pop(&mut stack) as u32, pop(&mut stack) as u32);
                stack.push(u128::from(match operator {
                    Operator::I32Add => left.wrapping_add(right),
                    Operator::I32Sub => left.wrapping_sub(right),
                    _ => left.wrapping_mul(right),
                }));
            }
            Operator::I64Add | Operator::I64Sub | Operator::I64Mul => {
                let (right, left) = (pop(&mut stack) as u64, pop(&mut stack) as u64);
                stack.push(u128::from(match operator {
                    Operator::I64Add => left.wrapping_add(right),
                    Operator::I64Sub => left.wrapping_sub(right),
                    _ => left.wrapping_mul(right),
                }));
            }
            _ => break,
        }
    }
    pop(&mut stack)
}

fn pop(stack: &mut Vec<u128>) -> u128 {
    stack.pop().expect("validated expressions leave a value")
}

//! The store's immutable part: instances and functions, and how modules are linked into it.

use std::ops::Range;
use std::sync::Arc;

use wasmparser::{BinaryReader, FuncType, GlobalType, Operator};

use crate::address::{FuncAddr, FuncIndex, GlobalAddr, InstanceAddr, MemoryAddr, TableAddr};
use crate::host::{Host, HostFunc};
use crate::machine::{Invocation, Machine, Table};
use crate::memory::{GrowError, Memory};
use crate::module::{ElementItems, ElementSegment, ImportType, Module, SegmentMode};
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
        let position = self.types.iter().position(|known| known == ty).unwrap_or_else(|| {
            self.types.push(ty.clone());
            self.types.len() - 1
        });
        position as u32
    }

    /// Instantiates a module: allocates its items in `machine`, copies its active segments, and makes its start function
    /// the next invocation.
    pub(crate) fn instantiate(
        &mut self,
        machine: &mut Machine,
        module: &Arc<Module>,
        host: &dyn Host,
        stub_imports: bool,
    ) -> Result<InstanceAddr, LinkError> {
        let address = InstanceAddr(self.instances.len() as u32);
        let type_ids: Box<[u32]> = module.types.iter().map(|ty| self.type_id(ty)).collect();
        let funcs = self.allocate_funcs(address, module, &type_ids, host, stub_imports)?;
        let tables = allocate_tables(machine, module)?;
        let memories = allocate_memories(machine, module)?;
        let data_start = self.data.len() as u32;
        self.data.extend(module.data.iter().map(|segment| (address, segment.bytes.clone())));
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
        self.allocate_globals(machine, &mut instance);
        for table in instance.module.tables.iter().zip(&instance.tables) {
            if let (Some(init), address) = (table.0.init.as_ref(), table.1) {
                let value = evaluate(&instance, machine, init.clone());
                machine.tables[address.index()].elements.fill(value);
            }
        }
        self.elements.extend(module.elements.iter().map(|segment| element_cells(&instance, machine, segment)));
        machine.dropped_elements.resize(self.elements.len(), false);
        self.instances.push(instance);
        self.copy_segments(machine, address)?;
        if let Some(start) = module.start {
            let func = self.instances[address.index()].funcs[start.index()];
            machine.pending.push_back(Invocation { func, args: Vec::new() });
        }
        Ok(address)
    }

    fn allocate_funcs(
        &mut self,
        instance: InstanceAddr,
        module: &Module,
        type_ids: &[u32],
        host: &dyn Host,
        stub_imports: bool,
    ) -> Result<Box<[FuncAddr]>, LinkError> {
        let mut unknown = Vec::new();
        let mut kinds = Vec::new();
        for import in &module.imports {
            let full_name = format!("{}.{}", import.module, import.name);
            let ImportType::Func(ty) = import.ty else {
                // Nothing but functions is provided by a host.
                unknown.push(full_name);
                continue;
            };
            match host.resolve(&import.module, &import.name) {
                Some(func) => {
                    check_import_type(&full_name, &module.types[ty as usize], &host.func_type(func))?;
                    kinds.push(FuncKind::Host(func));
                }
                None if stub_imports => kinds.push(FuncKind::Stub(full_name)),
                None => unknown.push(full_name),
            }
        }
        if !unknown.is_empty() {
            return Err(LinkError::UnknownImports(unknown));
        }
        kinds.resize(module.func_types.len(), FuncKind::Wasm);
        let first = self.funcs.len() as u32;
        let count = module.func_types.len() as u32;
        for (index, kind) in kinds.into_iter().enumerate() {
            let type_id = type_ids[module.func_types[index] as usize];
            self.funcs.push(FuncInst { instance, index: FuncIndex(index as u32), type_id, kind });
        }
        Ok((first..first + count).map(FuncAddr).collect())
    }

    fn allocate_globals(&mut self, machine: &mut Machine, instance: &mut Instance) {
        let module = Arc::clone(&instance.module);
        let mut addresses = Vec::with_capacity(module.globals.len());
        let mut cells = Vec::with_capacity(module.globals.len());
        for global in &module.globals {
            addresses.push(GlobalAddr(self.globals.len() as u32));
            let cell = machine.globals.len() as u32;
            // An initialiser may read the globals before it.
            let value = global.init.clone().map_or(0, |init| evaluate(instance, machine, init));
            machine.globals.push(value);
            machine.globals.resize(cell as usize + cell_count(global.ty.content_type) as usize, 0);
            cells.push(cell);
            self.globals.push((global.ty, cell));
            instance.global_cells = cells.as_slice().into();
        }
        instance.globals = addresses.into();
    }

    fn copy_segments(&self, machine: &mut Machine, address: InstanceAddr) -> Result<(), LinkError> {
        let instance = &self.instances[address.index()];
        for (index, segment) in instance.module.elements.iter().enumerate() {
            let position = instance.elements_start as usize + index;
            if let SegmentMode::Active { target, offset } = &segment.mode {
                let at = evaluate(instance, machine, offset.clone());
                let cells = &self.elements[position];
                let table = instance.tables[*target as usize].index();
                machine
                    .table_init(table, at, cells, 0, cells.len() as u64)
                    .map_err(|trap| LinkError::Segment { trap, segment: format!("element segment {index} at {at}") })?;
            }
            machine.dropped_elements[position] = !matches!(segment.mode, SegmentMode::Passive);
        }
        for (index, segment) in instance.module.data.iter().enumerate() {
            let position = instance.data_start as usize + index;
            if let SegmentMode::Active { target, offset } = &segment.mode {
                let at = evaluate(instance, machine, offset.clone());
                let bytes = self.data_bytes(position);
                let memory = instance.memories[*target as usize].index();
                machine
                    .memory_init(memory, at, bytes, 0, bytes.len() as u64)
                    .map_err(|trap| LinkError::Segment { trap, segment: format!("data segment {index} at 0x{at:x}") })?;
                machine.dropped_data[position] = true;
            }
        }
        Ok(())
    }
}

fn check_import_type(import: &str, wanted: &FuncType, provided: &FuncType) -> Result<(), LinkError> {
    if wanted == provided {
        return Ok(());
    }
    let text = crate::disassemble::func_type_text;
    Err(LinkError::ImportType { import: import.to_owned(), wanted: text(wanted), provided: text(provided) })
}

fn allocate_tables(machine: &mut Machine, module: &Module) -> Result<Box<[TableAddr]>, LinkError> {
    let mut addresses = Vec::new();
    for (index, table) in module.tables.iter().enumerate() {
        let limit = machine.limits.table_elements_max;
        if table.ty.initial > limit {
            let initial = table.ty.initial;
            return Err(LinkError::Resource(format!("table {index} has {initial} elements; the limit is {limit}")));
        }
        addresses.push(TableAddr(machine.tables.len() as u32));
        machine.tables.push(Table {
            elements: vec![0; table.ty.initial as usize],
            elements_max: table.ty.maximum.unwrap_or(u64::MAX).min(limit),
        });
    }
    Ok(addresses.into())
}

fn allocate_memories(machine: &mut Machine, module: &Module) -> Result<Box<[MemoryAddr]>, LinkError> {
    let mut addresses = Vec::new();
    for (index, ty) in module.memories.iter().enumerate() {
        let limit = machine.limits.memory_pages_max;
        let memory = Memory::new(ty, limit).map_err(|error| {
            LinkError::Resource(match error {
                GrowError::Limit => format!("memory {index} starts with {} pages; the limit is {limit}", ty.initial),
                GrowError::Host(message) => message,
            })
        })?;
        addresses.push(MemoryAddr(machine.memories.len() as u32));
        machine.memories.push(memory);
    }
    Ok(addresses.into())
}

fn element_cells(instance: &Instance, machine: &Machine, segment: &ElementSegment) -> Box<[u64]> {
    match &segment.items {
        ElementItems::Funcs(funcs) => {
            funcs.iter().map(|&func| func_ref_cell(Some(instance.funcs[func as usize]))).collect()
        }
        ElementItems::Expressions(ranges) => {
            ranges.iter().map(|range| evaluate(instance, machine, range.clone())).collect()
        }
    }
}

/// The value of a constant expression, which validation has checked (WebAssembly 3.0, section 3.3.15).
fn evaluate(instance: &Instance, machine: &Machine, range: Range<u32>) -> u64 {
    let bytes = &instance.module.bytes()[range.start as usize..range.end as usize];
    let reader = BinaryReader::new_features(bytes, u64::from(range.start), crate::module::FEATURES);
    let mut stack: Vec<u64> = Vec::new();
    for operator in wasmparser::OperatorsReader::new(reader).into_iter().map_while(Result::ok) {
        match operator {
            Operator::I32Const { value } => stack.push(u64::from(value as u32)),
            Operator::I64Const { value } => stack.push(value as u64),
            Operator::F32Const { value } => stack.push(u64::from(value.bits())),
            Operator::F64Const { value } => stack.push(value.bits()),
            Operator::RefNull { .. } => stack.push(0),
            Operator::RefFunc { function_index } => {
                stack.push(func_ref_cell(Some(instance.funcs[function_index as usize])));
            }
            Operator::GlobalGet { global_index } => {
                stack.push(machine.globals[instance.global_cells[global_index as usize] as usize]);
            }
            Operator::I32Add | Operator::I32Sub | Operator::I32Mul => {
                let (right, left) = (pop(&mut stack) as u32, pop(&mut stack) as u32);
                stack.push(u64::from(match operator {
                    Operator::I32Add => left.wrapping_add(right),
                    Operator::I32Sub => left.wrapping_sub(right),
                    _ => left.wrapping_mul(right),
                }));
            }
            Operator::I64Add | Operator::I64Sub | Operator::I64Mul => {
                let (right, left) = (pop(&mut stack), pop(&mut stack));
                stack.push(match operator {
                    Operator::I64Add => left.wrapping_add(right),
                    Operator::I64Sub => left.wrapping_sub(right),
                    _ => left.wrapping_mul(right),
                });
            }
            _ => break,
        }
    }
    pop(&mut stack)
}

fn pop(stack: &mut Vec<u64>) -> u64 {
    stack.pop().expect("validated expressions leave a value")
}

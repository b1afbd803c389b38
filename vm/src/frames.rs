//! Looking at the machine's frames, globals and memory, and changing them from outside.

use wasmparser::ValType;

use crate::access::{access, memory_and_offset};
use crate::address::{FuncAddr, FuncIndex, GlobalAddr, InstanceAddr, ModuleOffset};
use crate::decode::{Immediates, Instruction, Instructions};
use crate::exit::Exit;
use crate::module::ModuleError;
use crate::shape::{Shape, Slot};
use crate::trap::{Trap, TrapKind};
use crate::value::Value;
use crate::vm::Vm;

/// What identifies a frame and where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameInfo {
    /// The function of the store.
    pub func: FuncAddr,
    /// Its instance.
    pub instance: InstanceAddr,
    /// Its index in the instance's module.
    pub index: FuncIndex,
    /// Where it stands; of a suspended caller, the instruction after the call.
    pub pc: ModuleOffset,
    /// The cell of its first local.
    pub base: u32,
}

impl Vm {
    /// The number of frames.
    #[must_use]
    pub fn frame_count(&self) -> usize {
        self.machine.frames.len()
    }

    /// A frame, 0 being the innermost.
    #[must_use]
    pub fn frame(&self, number: usize) -> Option<FrameInfo> {
        let frames = &self.machine.frames;
        let frame = frames.get(frames.len().checked_sub(number + 1)?)?;
        let inst = &self.store.funcs[frame.func.index()];
        Some(FrameInfo {
            func: frame.func,
            instance: inst.instance,
            index: inst.index,
            pc: frame.pc,
            base: frame.base,
        })
    }

    /// What a frame holds: of the innermost before its instruction, of a caller during its call, whose arguments are the
    /// callee's already.
    ///
    /// Takes time linear in the function's size.
    #[must_use]
    pub fn shape(&self, number: usize) -> Option<Shape> {
        let frame = self.frame(number)?;
        let module = self.module(frame.instance);
        if number == 0 {
            return module.shape_at(frame.index, frame.pc);
        }
        let mut shape = module.shape_at(frame.index, self.call_pc(number)?)?;
        let callee_base = self.frame(number - 1)?.base;
        let cells = callee_base - frame.base;
        shape.operands.retain(|slot| slot.cell < cells);
        shape.exceptions.retain(|slot| slot.cell < cells);
        shape.cells = cells;
        Some(shape)
    }

    /// The call instruction that a suspended caller waits in; the current instruction of the innermost frame.
    #[must_use]
    pub fn call_pc(&self, number: usize) -> Option<ModuleOffset> {
        let frame = self.frame(number)?;
        if number == 0 {
            return Some(frame.pc);
        }
        let mut instructions = self.module(frame.instance).instructions(frame.index);
        instructions
            .find(|instruction| instruction.next == frame.pc)
            .map(|instruction| instruction.pc)
    }

    /// The value in a slot of a frame's shape; `None` for a slot without a type, which only unreachable code has.
    #[must_use]
    pub fn slot_value(&self, number: usize, slot: Slot) -> Option<Value> {
        let base = self.frame(number)?.base;
        let cell = (base + slot.cell) as usize;
        Some(Value::from_cells(
            slot.ty?,
            &self.machine.cells[cell..cell + 2],
        ))
    }

    /// A parameter or local of a frame.
    #[must_use]
    pub fn local(&self, number: usize, index: u32) -> Option<Value> {
        self.slot_value(number, self.local_slot(number, index)?)
    }

    /// An operand of a frame, 0 being the bottom of its operand stack.
    #[must_use]
    pub fn operand(&self, number: usize, index: u32) -> Option<Value> {
        let slot = *self.shape(number)?.operands.get(index as usize)?;
        self.slot_value(number, slot)
    }

    /// Changes a parameter or local; answers whether there is one of that type.
    pub fn set_local(&mut self, number: usize, index: u32, value: Value) -> bool {
        let slot = self.local_slot(number, index);
        slot.is_some_and(|slot| self.set_slot(number, slot, value))
    }

    /// Changes an operand; answers whether there is one of that type.
    pub fn set_operand(&mut self, number: usize, index: u32, value: Value) -> bool {
        let slot = self
            .shape(number)
            .and_then(|shape| shape.operands.get(index as usize).copied());
        slot.is_some_and(|slot| self.set_slot(number, slot, value))
    }

    fn local_slot(&self, number: usize, index: u32) -> Option<Slot> {
        let frame = self.frame(number)?;
        let types = self.module(frame.instance).local_types(frame.index);
        let ty = *types.get(index as usize)?;
        Some(Slot {
            ty: Some(ty),
            cell: crate::value::cells_count(&types[..index as usize]),
        })
    }

    fn set_slot(&mut self, number: usize, slot: Slot, value: Value) -> bool {
        let Some(frame) = self.frame(number) else {
            return false;
        };
        let fits = |ty| self.value_fits(frame.instance, value, ty);
        if !slot.ty.is_some_and(fits) {
            return false;
        }
        let cells = value.to_cells();
        let start = (frame.base + slot.cell) as usize;
        self.machine.cells[start..start + cells.len()].copy_from_slice(&cells);
        self.forget_future();
        true
    }

    /// The store's address of an instance's global.
    #[must_use]
    pub fn global_addr(&self, instance: InstanceAddr, index: u32) -> Option<GlobalAddr> {
        self.store
            .instances
            .get(instance.index())?
            .globals
            .get(index as usize)
            .copied()
    }

    /// The type, in the store's numbers, and the value of a global.
    #[must_use]
    pub fn global(&self, global: GlobalAddr) -> Option<(ValType, Value)> {
        let (ty, cell) = self.store.globals.get(global.index())?;
        Some((
            ty.content_type,
            Value::from_cells(ty.content_type, &self.machine.globals[*cell as usize..]),
        ))
    }

    /// Changes a global, also an immutable one; answers whether there is one of that type.
    pub fn set_global(&mut self, global: GlobalAddr, value: Value) -> bool {
        let Some((ty, cell)) = self.store.globals.get(global.index()) else {
            return false;
        };
        if !self
            .store
            .value_fits(&self.machine.heap, value, ty.content_type)
        {
            return false;
        }
        let cells = value.to_cells();
        self.machine.globals[*cell as usize..*cell as usize + cells.len()].copy_from_slice(&cells);
        self.forget_future();
        true
    }

    /// The position in the store of an instance's memory.
    pub(crate) fn memory_addr(&self, instance: InstanceAddr, memory: u32) -> Option<usize> {
        let instance = self.store.instances.get(instance.index())?;
        instance
            .memories
            .get(memory as usize)
            .map(|address| address.index())
    }

    /// The position in the store of an instance's table.
    pub(crate) fn table_addr(&self, instance: InstanceAddr, table: u32) -> Option<usize> {
        let instance = self.store.instances.get(instance.index())?;
        instance
            .tables
            .get(table as usize)
            .map(|address| address.index())
    }

    /// The bytes of an instance's memory.
    #[must_use]
    pub fn memory(&self, instance: InstanceAddr, index: u32) -> Option<&[u8]> {
        let address = self
            .store
            .instances
            .get(instance.index())?
            .memories
            .get(index as usize)?;
        Some(self.machine.memories[address.index()].bytes())
    }

    /// Changes bytes of an instance's memory; answers whether all of them lie in it, and changes none if not.
    pub fn write_memory(
        &mut self,
        instance: InstanceAddr,
        index: u32,
        address: u64,
        bytes: &[u8],
    ) -> bool {
        let memory = self
            .store
            .instances
            .get(instance.index())
            .and_then(|instance| instance.memories.get(index as usize));
        let Some(memory) = memory else { return false };
        let contents = self.machine.memories[memory.index()].bytes_mut();
        let Some(end) = address
            .checked_add(bytes.len() as u64)
            .filter(|&end| end <= contents.len() as u64)
        else {
            return false;
        };
        contents[address as usize..end as usize].copy_from_slice(bytes);
        self.forget_future();
        true
    }

    /// The references in an instance's table: function or external cells as [`Value`]s.
    #[must_use]
    pub fn table(&self, instance: InstanceAddr, index: u32) -> Option<Vec<Value>> {
        let instance = self.store.instances.get(instance.index())?;
        let ty = ValType::Ref(
            instance
                .module
                .tables()
                .get(index as usize)?
                .ty
                .element_type,
        );
        let address = instance.tables.get(index as usize)?;
        let elements = &self.machine.tables[address.index()].elements;
        Some(
            elements
                .iter()
                .map(|&cell| Value::from_cells(ty, &[cell, 0]))
                .collect(),
        )
    }

    /// The instance and index of a function of the store.
    #[must_use]
    pub fn func_instance(&self, func: FuncAddr) -> Option<(InstanceAddr, FuncIndex)> {
        self.store
            .funcs
            .get(func.index())
            .map(|inst| (inst.instance, inst.index))
    }

    /// The trap of a call of a function whose code is not valid.
    pub(crate) fn invalid_func_exit(&self, func: FuncAddr) -> Exit {
        let inst = &self.store.funcs[func.index()];
        let module = self.module(inst.instance);
        let name = module.func_display_name(inst.index);
        let detail = match module.validate_func(inst.index) {
            Err(ModuleError::Invalid { offset, message }) => {
                format!("{name} is not valid at offset 0x{offset:x}: {message}")
            }
            Err(error) => format!("{name}: {error}"),
            Ok(()) => name,
        };
        Exit::Trap(Trap {
            kind: TrapKind::InvalidFunction,
            detail,
        })
    }

    /// More about the trap of the instruction that the machine stands at.
    pub(crate) fn trap_detail(&self, kind: TrapKind) -> String {
        let Some(frame) = self.frame(0) else {
            return String::new();
        };
        let Some(instruction) = self.instruction() else {
            return String::new();
        };
        match kind {
            TrapKind::MemoryOutOfBounds | TrapKind::UnalignedAtomic => {
                let access = self.access_detail(frame.instance, &instruction);
                access.map_or_else(String::new, |(access, memory)| {
                    format!("{access}, {memory}")
                })
            }
            TrapKind::UndefinedElement
            | TrapKind::UninitializedElement
            | TrapKind::IndirectCallTypeMismatch
                if let Immediates::Indices(_, table) = instruction.immediates =>
            {
                let index = self.table_addr(frame.instance, table).map_or(0, |table| {
                    self.machine.tables[table].index(self.top_cell(0))
                });
                format!("table index {index}")
            }
            _ => self.object_trap_detail(kind, instruction.op),
        }
    }

    /// What the `memory.atomic.wait` that the machine stands at waits for.
    pub(crate) fn wait_detail(&self) -> String {
        let detail = self.frame(0).and_then(|frame| {
            let instruction = self.instruction()?;
            self.access_detail(frame.instance, &instruction)
        });
        let waits = detail.map_or_else(String::new, |(access, _)| access);
        format!("{waits} waits without a timeout, and there is no other agent that could notify it")
    }

    /// The instruction that the machine stands at.
    pub(crate) fn instruction(&self) -> Option<Instruction> {
        let frame = self.frame(0)?;
        let code = &self.module(frame.instance).bytes()[frame.pc.index()..];
        Instructions::new(code, frame.pc).next()
    }

    /// Which address an instruction of the innermost frame accesses, and how large the memory is; `None` for one that accesses
    /// whole ranges.
    fn access_detail(
        &self,
        instance: InstanceAddr,
        instruction: &Instruction,
    ) -> Option<(String, String)> {
        let access = access(instruction.op)?;
        let (index, offset) = memory_and_offset(&instruction.immediates)?;
        let memory = &self.machine.memories[self.memory_addr(instance, index)?];
        let base = memory.address(self.top_cell(usize::from(access.cells_above)));
        // With 64 bits, the sum can have one more.
        let address = u128::from(base) + u128::from(offset);
        let named = if index == 0 {
            String::new()
        } else {
            format!(" {index}")
        };
        Some((
            format!("{} at address 0x{address:x}", instruction.info().mnemonic),
            format!("memory{named} has {} bytes", memory.bytes().len()),
        ))
    }

    pub(crate) fn top_cell(&self, depth: usize) -> u64 {
        self.machine.cells[self.machine.height as usize - 1 - depth]
    }
}

//! One frame of the machine, as debug info asks for it.

use std::cell::{OnceCell, RefCell};

use wdb_dwarf::{Error, Handle, HandlePart, HandleShape, RawSlot, Result, Target};
use wdb_vm::address::InstanceAddr;
use wdb_vm::shape::Shape;
use wdb_vm::value::{Reference, Value};
use wdb_vm::vm::Vm;

use crate::lanes::Lanes;
use crate::references;

/// A frame of the machine. Without one, only memory and globals can be read.
pub(crate) struct FrameTarget<'a> {
    vm: &'a RefCell<Vm>,
    /// The number of the wasm frame, 0 being the innermost.
    frame: Option<usize>,
    instance: InstanceAddr,
    /// How vectors in objects are divided.
    lanes: Lanes,
    /// Finding it takes time linear in the function's size, so it is found once.
    shape: OnceCell<Option<Shape>>,
}

impl<'a> FrameTarget<'a> {
    pub(crate) fn new(vm: &'a RefCell<Vm>, frame: Option<usize>, lanes: Lanes) -> FrameTarget<'a> {
        let instance = frame
            .and_then(|number| vm.borrow().frame(number))
            .map_or(InstanceAddr(0), |frame| frame.instance);
        FrameTarget {
            vm,
            frame,
            instance,
            lanes,
            shape: OnceCell::new(),
        }
    }

    pub(crate) fn vm(&self) -> &'a RefCell<Vm> {
        self.vm
    }

    pub(crate) fn frame(&self) -> Option<usize> {
        self.frame
    }

    pub(crate) fn instance(&self) -> InstanceAddr {
        self.instance
    }

    /// The types of the frame's locals, operands and labels.
    pub(crate) fn shape(&self) -> Option<&Shape> {
        let find = || self.vm.borrow().shape(self.frame?);
        self.shape.get_or_init(find).as_ref()
    }

    /// A wasm local.
    pub(crate) fn local_value(&self, index: u32) -> Option<Value> {
        self.vm.borrow().local(self.frame?, index)
    }

    /// A slot of the operand stack, counted from the bottom.
    pub(crate) fn operand_value(&self, index: u32) -> Option<Value> {
        let slot = *self.shape()?.operands.get(index as usize)?;
        self.vm.borrow().slot_value(self.frame?, slot)
    }

    /// A wasm global.
    pub(crate) fn global_value(&self, index: u32) -> Option<Value> {
        let vm = self.vm.borrow();
        let global = vm.global_addr(self.instance, index)?;
        vm.global(global).map(|(_, value)| value)
    }
}

impl Target for FrameTarget<'_> {
    fn local(&self, index: u32) -> Option<RawSlot> {
        let value = self.local_value(index)?;
        Some(references::raw_slot(&self.vm.borrow(), value))
    }

    fn global(&self, index: u32) -> Option<RawSlot> {
        let value = self.global_value(index)?;
        Some(references::raw_slot(&self.vm.borrow(), value))
    }

    fn operand(&self, index: u32) -> Option<RawSlot> {
        let value = self.operand_value(index)?;
        Some(references::raw_slot(&self.vm.borrow(), value))
    }

    fn read_memory(&self, address: u64, buffer: &mut [u8]) -> Result<()> {
        let vm = self.vm.borrow();
        let range = usize::try_from(address)
            .ok()
            .and_then(|start| Some(start..start.checked_add(buffer.len())?));
        let bytes = range.and_then(|range| vm.memory(self.instance, 0)?.get(range));
        let bytes = bytes.ok_or(Error::Memory { address })?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }

    fn function_pointer_name(&self, pointer: u64) -> Option<String> {
        let vm = self.vm.borrow();
        let table = vm.table(self.instance, 0)?;
        let Value::Ref(Reference::Func(func)) = *table.get(usize::try_from(pointer).ok()?)? else {
            return None;
        };
        let (instance, index) = vm.func_instance(func)?;
        Some(vm.module(instance).func_display_name(index))
    }

    fn handle(&self, handle: Handle) -> Option<HandleShape> {
        references::shape(&self.vm.borrow(), handle)
    }

    fn handle_part(&self, handle: Handle, index: u64) -> Option<HandlePart> {
        references::part(&self.vm.borrow(), handle, index, self.lanes)
    }

    fn handle_part_slot(&self, handle: Handle, index: u64) -> Option<RawSlot> {
        references::part_slot(&self.vm.borrow(), handle, index)
    }
}

//! The machine's state as a remote client asks for it: numbers in, bytes out.

use wdb_vm::address::InstanceAddr;
use wdb_vm::value::Value;
use wdb_vm::vm::Vm;

use super::code::FrameSlot;
use super::{ClientStop, ModuleId, client_stop};
use crate::debugger::Debugger;
use crate::process::PROGRAM_INSTANCE;
use crate::view::ProgramState;

/// The program between two runs, on the machine's thread.
pub struct Guest<'a> {
    pub(super) debugger: &'a mut Debugger,
}

/// What can be read of the program, also in the middle of a run.
#[derive(Clone, Copy)]
pub struct GuestState<'a> {
    pub(super) vm: &'a Vm,
}

/// A frame of the machine; inlined calls are the client's to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GuestFrame {
    /// Its module.
    pub module: ModuleId,
    /// The index of the function in its module.
    pub func_index: u32,
    /// The module offset of its next instruction; of a caller, of the one after the call.
    pub pc: u32,
}

/// The value of a local, global or operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    bits: u128,
    size: usize,
}

impl Slot {
    fn new(value: Value) -> Slot {
        let (bits, size) = match value {
            Value::I32(value) => (u128::from(value.cast_unsigned()), 4),
            Value::F32(bits) => (u128::from(bits), 4),
            Value::I64(value) => (u128::from(value.cast_unsigned()), 8),
            Value::F64(bits) => (u128::from(bits), 8),
            Value::V128(bits) => (bits, 16),
            Value::Ref(reference) => (u128::from(reference.to_cell()), 8),
        };
        Slot { bits, size }
    }

    /// The value in little-endian order: 4, 8 or 16 bytes, by its type.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.bits.to_le_bytes()[..self.size].to_vec()
    }

    /// The low 64 bits.
    #[must_use]
    pub fn low_bits(&self) -> u64 {
        self.bits as u64
    }
}

impl<'a> GuestState<'a> {
    /// How many frames there are.
    #[must_use]
    pub fn frame_count(self) -> usize {
        self.vm.frame_count()
    }

    /// A frame, 0 being the innermost.
    #[must_use]
    pub fn frame(self, number: usize) -> Option<GuestFrame> {
        let frame = self.vm.frame(number)?;
        Some(GuestFrame {
            module: ModuleId(frame.instance.0),
            func_index: frame.index.0,
            pc: frame.pc.0,
        })
    }

    /// A parameter or local of a frame.
    #[must_use]
    pub fn local(self, frame: usize, index: u32) -> Option<Slot> {
        self.vm.local(frame, index).map(Slot::new)
    }

    /// Like [`GuestState::local`] and [`GuestState::operand`], for a slot of the frame's function.
    #[must_use]
    pub fn value_in(self, frame: usize, slot: FrameSlot) -> Option<Slot> {
        self.vm.slot_value(frame, slot.0).map(Slot::new)
    }

    /// Where the operands of a frame lie, from the bottom of its operand stack on. They lie there in every frame that stands at
    /// the same instruction, in the same way: innermost, or during a call.
    #[must_use]
    pub fn operand_slots(self, frame: usize) -> Option<Vec<FrameSlot>> {
        let operands = self.vm.shape(frame)?.operands;
        Some(operands.into_iter().map(FrameSlot).collect())
    }

    /// An operand of a frame, 0 being the bottom of its operand stack.
    #[must_use]
    pub fn operand(self, frame: usize, index: u32) -> Option<Slot> {
        self.vm.operand(frame, index).map(Slot::new)
    }

    /// The topmost operand of the innermost frame.
    #[must_use]
    pub fn top_operand(self) -> Option<Slot> {
        let slot = *self.vm.shape(0)?.operands.last()?;
        self.vm.slot_value(0, slot).map(Slot::new)
    }

    /// A global of a module.
    #[must_use]
    pub fn global(self, module: ModuleId, index: u32) -> Option<Slot> {
        let global = self.vm.global_addr(InstanceAddr(module.0), index)?;
        self.vm.global(global).map(|(_, value)| Slot::new(value))
    }

    /// The bytes of a memory of the program.
    #[must_use]
    pub fn memory(self, index: u32) -> Option<&'a [u8]> {
        self.vm.memory(PROGRAM_INSTANCE, index)
    }

    /// The logical clock.
    #[must_use]
    pub fn tick(self) -> u64 {
        self.vm.time().tick
    }
}

impl Guest<'_> {
    /// What can be read.
    #[must_use]
    pub fn state(&mut self) -> GuestState<'_> {
        GuestState {
            vm: self.debugger.vm.get_mut(),
        }
    }

    /// What the program is doing.
    #[must_use]
    pub fn program_state(&self) -> ProgramState {
        self.debugger.state
    }

    /// Why it stands where it stands; `None` for one that has not run yet.
    #[must_use]
    pub fn last_stop(&self) -> Option<ClientStop> {
        self.debugger.last_stop.clone().map(client_stop)
    }

    /// Why it cannot go on, with a backtrace, as a run without a debugger tells it; `None` while it can.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        crate::run::failure(self.debugger)
    }

    /// Changes bytes of a memory; answers whether all of them lie in it, and changes none if not.
    #[must_use]
    pub fn write_memory(&mut self, memory: u32, address: u64, bytes: &[u8]) -> bool {
        let vm = self.vm_to_change();
        vm.write_memory(PROGRAM_INSTANCE, memory, address, bytes)
    }

    /// Changes bytes of a local's value; answers whether it has that many.
    #[must_use]
    pub fn write_local(&mut self, frame: usize, index: u32, at: usize, bytes: &[u8]) -> bool {
        let vm = self.vm_to_change();
        let old = vm.local(frame, index);
        let new = old.and_then(|old| changed(old, at, bytes));
        new.is_some_and(|new| vm.set_local(frame, index, new))
    }

    /// Forgets that a command wanted to leave: the session is not that client's alone.
    pub fn stay(&mut self) {
        self.debugger.quit = None;
    }

    fn vm_to_change(&mut self) -> &mut Vm {
        self.debugger.is_view_stale = true;
        self.debugger.vm.get_mut()
    }
}

/// A value with some of its bytes replaced. References cannot be made from bytes.
fn changed(value: Value, at: usize, bytes: &[u8]) -> Option<Value> {
    if matches!(value, Value::Ref(_)) {
        return None;
    }
    let slot = Slot::new(value);
    let mut all = slot.bits.to_le_bytes();
    let end = at
        .checked_add(bytes.len())
        .filter(|&end| end <= slot.size)?;
    all[at..end].copy_from_slice(bytes);
    let bits = u128::from_le_bytes(all);
    Some(match value {
        Value::I32(_) => Value::I32((bits as u32).cast_signed()),
        Value::F32(_) => Value::F32(bits as u32),
        Value::I64(_) => Value::I64((bits as u64).cast_signed()),
        Value::F64(_) => Value::F64(bits as u64),
        Value::V128(_) | Value::Ref(_) => Value::V128(bits),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use wdb_vm::exit::Exit;
    use wdb_vm::module::Module;
    use wdb_vm::value::{Reference, Value};
    use wdb_vm::vm::{Config, RunLimit, Vm};
    use wdb_vm::wasi::WasiConfig;

    use super::{GuestState, changed};
    use crate::remote::ModuleId;

    /// A program that calls a function of another module, which traps.
    fn two_modules() -> Vm {
        let module = |text: &str| {
            Module::parse(text.as_bytes().to_vec(), None).expect("the module is valid")
        };
        let wasi = WasiConfig::new().build().expect("nothing is asked for");
        let state = Arc::new(wasi.initial_state());
        let mut vm = Vm::empty(Box::new(wasi), state, Config::default());
        let library = module(
            "(module (global i32 (i32.const 7))
               (func (export \"fail\") (param i32) unreachable))",
        );
        let library = vm.instantiate(&library).expect("it imports nothing");
        vm.register("library", library);
        let program = module(
            "(module (import \"library\" \"fail\" (func $fail (param i32)))
               (global i32 (i32.const 9))
               (func (export \"main\") (call $fail (i32.const 5))))",
        );
        let program = vm.instantiate(&program).expect("the library is there");
        let main = vm.exported_func(program, "main").expect("it is exported");
        vm.invoke(main, &[]).expect("it takes nothing");
        assert!(matches!(vm.run(RunLimit::default()), Exit::Trap(_)));
        vm
    }

    #[test]
    fn frames_and_globals_are_those_of_their_modules() {
        let vm = two_modules();
        let state = GuestState { vm: &vm };
        let frames: Vec<_> = (0..).map_while(|number| state.frame(number)).collect();
        let whose: Vec<_> = frames.iter().map(|it| (it.module, it.func_index)).collect();
        assert_eq!(whose, [(ModuleId(0), 0), (ModuleId(1), 1)]);
        assert_eq!(state.local(0, 0).map(|it| it.low_bits()), Some(5));
        let global = |module| state.global(ModuleId(module), 0);
        assert_eq!(global(0).map(|it| it.low_bits()), Some(7));
        assert_eq!(global(1).map(|it| it.low_bits()), Some(9));
        assert_eq!(global(2), None);
    }

    #[test]
    fn bytes_of_a_value_are_replaced_within_its_size() {
        let one = Value::I32(0x0403_0201);
        assert_eq!(changed(one, 1, &[0xff]), Some(Value::I32(0x0403_ff01)));
        assert_eq!(changed(one, 2, &[0; 3]), None);
        assert_eq!(changed(one, usize::MAX, &[0]), None);
        let wide = Value::F64(0);
        assert_eq!(changed(wide, 7, &[0x40]), Some(Value::F64(0x40 << 56)));
        assert_eq!(changed(Value::Ref(Reference::Null), 0, &[1]), None);
    }
}

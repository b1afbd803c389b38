//! Calling the program's functions from expressions.
//!
//! An expression is evaluated in a copy: the machine is brought back afterwards, so that looking at a value changes nothing.
//! The command `call` keeps what its functions do.

use std::sync::Arc;

use wdb_dwarf::{
    DebugInfo, Inspector, Notation, Place, RawSlot, RecordKind, Scalar, TypeKind, TypeRef, Value,
};
use wdb_vm::address::{FuncAddr, FuncIndex, GlobalAddr};
use wdb_vm::exit::Exit;
use wdb_vm::value::{Reference, Value as MachineValue};
use wdb_vm::vm::{RunLimit, Vm};
use wdb_vm::{FuncType, ValType};

use crate::debugger::Debugger;
use crate::error::{Error, counted};
use crate::expression::Scope;
use crate::location::funcs_named;
use crate::process::PROGRAM_INSTANCE;
use crate::references;
use crate::scope::FrameScope;

/// A function to call, with what is known of its types.
struct Callee {
    func: FuncAddr,
    name: String,
    ty: FuncType,
    /// What it returns in the source language, where that is known.
    return_type: Option<TypeRef>,
    /// What it takes in the source language; empty where that is not known.
    parameter_types: Vec<TypeRef>,
}

impl FrameScope<'_> {
    /// What the program's function of a name returns for these arguments.
    pub(crate) fn call_named(&self, name: &str, args: &[Value]) -> Result<Value, Error> {
        let program = &self.debugger().program;
        let info = program.info();
        let from_debug_info = info.functions_named(name).into_iter().find_map(|function| {
            let pc = program.instruction_at(function.low_pc())?;
            let func = program.module().func_at(pc)?;
            Some((func, info.function_type(function.id)))
        });
        let (func, type_ref) = match from_debug_info {
            Some((func, type_ref)) => (func, Some(type_ref)),
            None => {
                let funcs = funcs_named(program, name);
                let func = funcs.first().copied();
                (func.ok_or_else(|| self.no_function(name))?, None)
            }
        };
        let callee = self.callee(func, name.to_owned(), type_ref)?;
        self.call(&callee, args)
    }

    /// What the function returns that a pointer points to: an index of the function table.
    pub(crate) fn call_pointer(&self, pointer: &Value, args: &[Value]) -> Result<Value, Error> {
        let debugger = self.debugger();
        let index = match self.inspector().scalar(pointer)? {
            Scalar::Integer(index) => usize::try_from(index).ok(),
            Scalar::Float(_) => None,
        };
        let table = debugger.vm.borrow().table(PROGRAM_INSTANCE, 0);
        let element = index.and_then(|index| table.as_ref()?.get(index).copied());
        let Some(MachineValue::Ref(Reference::Func(func))) = element else {
            return Err(Error::other(
                "This is no pointer to a function of the program",
            ));
        };
        let found = debugger.vm.borrow().func_instance(func);
        let (_, index) = found
            .filter(|(instance, _)| *instance == PROGRAM_INSTANCE)
            .ok_or_else(|| Error::other("This function belongs to another module"))?;
        let callee = self.callee(index, debugger.program.func_name(index).to_string(), None)?;
        self.call(&callee, args)
    }

    fn callee(
        &self,
        func: FuncIndex,
        name: String,
        type_ref: Option<TypeRef>,
    ) -> Result<Callee, Error> {
        let program = &self.debugger().program;
        let info = program.info();
        let ty = program.module().func_type(func).clone();
        let type_ref = type_ref.or_else(|| {
            let body = program.module().func_body(func)?;
            let at = program.code_offset(wdb_vm::address::ModuleOffset(body.code.start))?;
            Some(info.function_type(info.function_at(at)?.id))
        });
        let (mut return_type, mut parameter_types) = (None, Vec::new());
        if let Some(found) = type_ref.map(|type_ref| info.type_of(type_ref))
            && let TypeKind::Function(function) = &found.kind
        {
            // Debug info of text modules tells no results, though there are some. Those of C++'s constructors are none of the
            // source's.
            let is_untold = function.return_type == TypeRef::VOID
                && !ty.results().is_empty()
                && found.notation != Notation::Cpp;
            return_type = Some(function.return_type).filter(|_| !is_untold);
            parameter_types = function.parameters.clone();
        }
        let func = self
            .debugger()
            .vm
            .borrow()
            .func_addr(PROGRAM_INSTANCE, func)
            .ok_or_else(|| self.no_function(&name))?;
        Ok(Callee {
            func,
            name,
            ty,
            return_type,
            parameter_types,
        })
    }

    fn no_function(&self, name: &str) -> Error {
        Error::NoFunction {
            name: name.to_owned(),
            near: Vec::new(),
        }
    }

    fn call(&self, callee: &Callee, args: &[Value]) -> Result<Value, Error> {
        let info = self.debugger().program.info();
        let params = callee.ty.params();
        if let Some(return_type) = callee.return_type
            && callee.ty.results().is_empty()
            && return_type != TypeRef::VOID
        {
            return Err(Error::Other(format!(
                "{} returns a {} in memory that its caller provides, which expressions cannot call.",
                callee.name,
                info.type_name(return_type)
            )));
        }
        if params.len() != args.len() {
            return Err(Error::Other(format!(
                "{} takes {}, {} given.",
                callee.name,
                counted(params.len(), "argument"),
                args.len()
            )));
        }
        let mut room = StackRoom::new(self.debugger());
        let mut cells = Vec::with_capacity(params.len());
        for (position, (ty, arg)) in params.iter().zip(args).enumerate() {
            let type_ref = callee.parameter_types.get(position).copied();
            let address = room.place(info, arg)?;
            let vm = self.debugger().vm.borrow();
            cells.push(argument(
                &self.inspector(),
                &vm,
                *ty,
                type_ref,
                arg,
                address,
            )?);
        }
        let results = self.debugger().run_call(callee, &cells, &room)?;
        let type_ref = match (callee.return_type, callee.ty.results().first()) {
            (_, None) => TypeRef::VOID,
            (Some(type_ref), Some(_)) => type_ref,
            (None, Some(ty)) => self.machine_type(*ty),
        };
        let result = results.first();
        if let Some(RawSlot::Handle(handle)) = result
            && references::reference_of(&self.debugger().vm.borrow(), *handle).is_none()
        {
            return Err(Error::Other(format!(
                "{} returned an object that it made, and expressions are evaluated in a copy; `call` keeps it.",
                callee.name
            )));
        }
        // Of the bytes, its source type takes as many as it has.
        let bytes: Arc<[u8]> = result.map_or(Arc::new([]), |slot| {
            let (bytes, count) = slot.to_le_bytes();
            bytes[..count].into()
        });
        Ok(self.inspector().read(type_ref, Place::Implicit(bytes)))
    }
}

/// Room on the program's stack in linear memory for arguments that are passed by their address and have none: literals, and
/// values computed here.
struct StackRoom {
    /// The global that holds the stack's end, if one can be found, and what it held.
    pointer: Option<(GlobalAddr, MachineValue)>,
    /// The stack's end as it is to be during the call.
    end: u64,
    contents: Vec<(u64, Arc<[u8]>)>,
}

impl StackRoom {
    fn new(debugger: &Debugger) -> StackRoom {
        let names = debugger.program.module().names();
        let count = u32::try_from(debugger.program.module().globals().len()).unwrap_or(0);
        // The linker puts it first, also where it writes no names.
        let index = (0..count).find(|it| names.global(*it) == Some("__stack_pointer"));
        let vm = debugger.vm.borrow();
        let global = vm.global_addr(PROGRAM_INSTANCE, index.unwrap_or(0));
        let pointer = global.and_then(|global| Some((global, vm.global(global)?.1)));
        let end = match pointer {
            Some((_, MachineValue::I32(end))) => u64::from(end.cast_unsigned()),
            Some((_, MachineValue::I64(end))) => end.cast_unsigned(),
            _ => 0,
        };
        StackRoom {
            pointer: pointer.filter(|_| end > 0),
            end,
            contents: Vec::new(),
        }
    }

    /// The address that an argument gets, if it needs one.
    fn place(&mut self, info: &DebugInfo, arg: &Value) -> Result<Option<u64>, Error> {
        /// What the C ABI keeps the stack's end aligned to.
        const ALIGNMENT: u64 = 16;
        let kind = &info.type_of(info.resolve(arg.type_ref)).kind;
        let has_address = matches!(
            kind,
            TypeKind::Array {
                is_vector: false,
                ..
            } | TypeKind::Record(_)
        );
        let needs_address = has_address && matches!(arg.place, Place::Implicit(_));
        if !needs_address {
            return Ok(None);
        }
        let end = self.end.checked_sub(arg.bytes.len() as u64);
        let end = end.filter(|_| self.pointer.is_some()).ok_or_else(|| {
            Error::other("There is no room for the arguments on the program's stack.")
        })?;
        self.end = end / ALIGNMENT * ALIGNMENT;
        self.contents.push((self.end, arg.bytes.clone()));
        Ok(Some(self.end))
    }

    /// Writes the arguments and moves the stack's end below them.
    fn fill(&self, vm: &mut Vm) -> Result<(), Error> {
        let Some((global, before)) = self.pointer.filter(|_| !self.contents.is_empty()) else {
            return Ok(());
        };
        for (address, bytes) in &self.contents {
            if !vm.write_memory(PROGRAM_INSTANCE, 0, *address, bytes) {
                return Err(wdb_dwarf::Error::Memory { address: *address }.into());
            }
        }
        let end = match before {
            MachineValue::I64(_) => MachineValue::I64(self.end.cast_signed()),
            _ => MachineValue::I32(self.end as i32),
        };
        vm.set_global(global, end);
        Ok(())
    }

    /// Puts the stack's end back.
    fn leave(&self, vm: &mut Vm) {
        if let Some((global, before)) = self.pointer {
            vm.set_global(global, before);
        }
    }
}

/// An argument as the machine passes it: converted to the parameter's type; what is no scalar by its address.
fn argument(
    inspector: &Inspector<'_>,
    vm: &Vm,
    ty: ValType,
    type_ref: Option<TypeRef>,
    arg: &Value,
    address: Option<u64>,
) -> Result<MachineValue, Error> {
    let info = inspector.info();
    let is_record = |type_ref: TypeRef| match &info.type_of(info.resolve(type_ref)).kind {
        TypeKind::Record(record) => {
            matches!(
                record.kind,
                RecordKind::Struct | RecordKind::Union | RecordKind::Class
            )
        }
        _ => false,
    };
    if let Some(address) = address {
        return machine_scalar(ty, Scalar::Integer(i128::from(address)));
    }
    let value = match type_ref {
        _ if is_record(arg.type_ref) => inspector.address_of(arg)?,
        Some(type_ref) => inspector.cast(arg, type_ref)?,
        None => arg.clone(),
    };
    machine_value(inspector, vm, ty, &value)
}

/// A value as one of a wasm type.
pub(crate) fn machine_value(
    inspector: &Inspector<'_>,
    vm: &Vm,
    ty: ValType,
    value: &Value,
) -> Result<MachineValue, Error> {
    match ty {
        ValType::V128 => {
            let bytes = inspector.vector(value).and_then(|_| value.bytes.as_array());
            let bytes = bytes.ok_or_else(|| Error::other("A vector of 16 bytes is expected."))?;
            Ok(MachineValue::V128(u128::from_le_bytes(*bytes)))
        }
        ValType::Ref(_) => {
            let slot = RawSlot::Handle(inspector.handle(value)?);
            references::machine_value(vm, slot).ok_or_else(|| wdb_dwarf::Error::Collected.into())
        }
        _ => machine_scalar(ty, inspector.scalar(value)?),
    }
}

/// A number as a value of a wasm type.
fn machine_scalar(ty: ValType, scalar: Scalar) -> Result<MachineValue, Error> {
    let integer = match scalar {
        Scalar::Integer(value) => value,
        Scalar::Float(value) => value as i128,
    };
    let float = match scalar {
        Scalar::Integer(value) => value as f64,
        Scalar::Float(value) => value,
    };
    Ok(match ty {
        ValType::I32 => MachineValue::I32(integer as i32),
        ValType::I64 => MachineValue::I64(integer as i64),
        ValType::F32 => MachineValue::F32((float as f32).to_bits()),
        ValType::F64 => MachineValue::F64(float.to_bits()),
        ValType::V128 | ValType::Ref(_) => {
            return Err(Error::other("An address is expected here."));
        }
    })
}

impl Debugger {
    /// Runs a call to its end. Breakpoints in it do not stop it. Unless calls are to be kept, the machine is as before afterwards.
    fn run_call(
        &self,
        callee: &Callee,
        args: &[MachineValue],
        room: &StackRoom,
    ) -> Result<Vec<RawSlot>, Error> {
        let mut vm = self.vm.borrow_mut();
        let snapshot = vm.snapshot();
        let suspended = vm
            .begin_call(callee.func, args)
            .map_err(|error| Error::Other(format!("{}: {error}.", callee.name)))?;
        let exit = room.fill(&mut vm).map(|()| {
            self.shared.begin_run();
            let exit = run_to_end(&mut vm);
            self.shared.end_run();
            exit
        });
        let exit = exit.map(|exit| match exit {
            // References are numbered while their objects are there.
            Exit::Finished(values) => {
                let slots = values.iter().map(|&value| references::raw_slot(&vm, value));
                (slots.collect(), Exit::Finished(values))
            }
            exit => (Vec::new(), exit),
        });
        if self.keeps_calls.get() && matches!(exit, Ok((_, Exit::Finished(_)))) {
            vm.end_call(suspended);
            room.leave(&mut vm);
        } else {
            vm.undo_call(suspended, &snapshot);
        }
        let (results, exit) = exit?;
        match exit {
            Exit::Finished(_) => Ok(results),
            Exit::Trap(trap) => Err(ended(callee, &format!("a trap: {trap}"))),
            Exit::Uncaught(exception) => {
                let text = vm.exception_text(&exception);
                Err(ended(callee, &format!("an exception: {text}")))
            }
            Exit::ProcExit(status) => Err(ended(callee, &format!("an exit with status {status}"))),
            Exit::HostResource(what) => Err(ended(callee, &what)),
            Exit::Deadlock(what) => Err(ended(callee, &format!("a deadlock: {what}"))),
            _ => Err(ended(callee, "an interrupt")),
        }
    }
}

impl Debugger {
    /// What a function returns that is called in a copy, on the way to something else: `None` unless it returns soon.
    pub(crate) fn call_in_passing(
        &self,
        func: FuncAddr,
        args: &[MachineValue],
    ) -> Option<Vec<MachineValue>> {
        /// How long it may take.
        const TICKS_MAX: u64 = 100_000;
        let mut vm = self.vm.borrow_mut();
        let snapshot = vm.snapshot();
        let limit = RunLimit {
            tick: Some(vm.time().tick.saturating_add(TICKS_MAX)),
            ..RunLimit::default()
        };
        let suspended = vm.begin_call(func, args).ok()?;
        let exit = loop {
            match vm.run(limit) {
                Exit::Probe | Exit::Throw(_) => {}
                exit => break exit,
            }
        };
        vm.undo_call(suspended, &snapshot);
        match exit {
            Exit::Finished(values) => Some(values),
            _ => None,
        }
    }
}

fn run_to_end(vm: &mut Vm) -> Exit {
    loop {
        match vm.run(RunLimit::default()) {
            Exit::Stepped | Exit::Probe | Exit::Tick | Exit::Throw(_) | Exit::HostCall(_) => {}
            exit => return exit,
        }
    }
}

fn ended(callee: &Callee, how: &str) -> Error {
    Error::Other(format!(
        "The call of {} ended with {how}. The program is as it was before.",
        callee.name
    ))
}

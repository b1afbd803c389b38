//! What the machine's tests share: a host whose answers differ at every call, and a program that uses much of the machine.

#![allow(dead_code, reason = "each of the tests uses a part of it")]

pub(crate) mod random;

use std::sync::Arc;

use wdb_vm::address::InstanceAddr;
use wdb_vm::exit::Exit;
use wdb_vm::host::{Host, HostCall, HostFunc, HostOutcome};
use wdb_vm::module::Module;
use wdb_vm::value::Value;
use wdb_vm::vm::{Config, RunLimit, Vm};
use wdb_vm::{FuncType, ValType};

/// Serves `env.next`, which returns another number at each call and writes it to memory, too, and `env.exit`.
pub(crate) struct Counter(pub(crate) i32);

impl Host for Counter {
    fn resolve(&self, module: &str, name: &str) -> Option<HostFunc> {
        match (module, name) {
            ("env", "next") => Some(HostFunc(0)),
            ("env", "exit") => Some(HostFunc(1)),
            _ => None,
        }
    }

    fn name(&self, func: HostFunc) -> String {
        ["next", "exit"][func.0 as usize].to_owned()
    }

    fn func_type(&self, func: HostFunc) -> FuncType {
        match func.0 {
            0 => FuncType::new([ValType::I32], [ValType::I32]),
            _ => FuncType::new([ValType::I32], []),
        }
    }

    fn call(&mut self, func: HostFunc, call: &mut HostCall<'_>) -> HostOutcome {
        if func.0 == 1 {
            return HostOutcome::Exit(call.args[0] as u32);
        }
        self.0 += 1;
        match call.memory.write_u32(call.args[0], self.0 as u32) {
            Ok(()) => HostOutcome::Return(vec![self.0 as u64]),
            Err(error) => HostOutcome::Trap(error.to_string()),
        }
    }
}

/// Loops, recursion, indirect and tail calls, memory, globals, tables and host calls, for some 100,000 instructions.
pub(crate) const BUSY: &str = r#"(module
    (import "env" "next" (func $next (param i32) (result i32)))
    (memory (export "memory") 1 4)
    (global $sum (mut i64) (i64.const 0))
    (table $ops 3 funcref)
    (elem (table $ops) (i32.const 0) func $add $mix $count)
    (type $op (func (param i32 i32) (result i32)))
    (func $add (type $op) (i32.add (local.get 0) (local.get 1)))
    (func $mix (type $op) (i32.xor (i32.mul (local.get 0) (i32.const 31)) (local.get 1)))
    (func $count (type $op) (return_call $down (local.get 1) (local.get 0)))
    (func $down (param $n i32) (param $acc i32) (result i32)
        (if (i32.le_s (local.get $n) (i32.const 0)) (then (return (local.get $acc))))
        (return_call $down (i32.sub (local.get $n) (i32.const 7)) (i32.add (local.get $acc) (i32.const 1))))
    (func $fib (param i32) (result i32)
        (if (result i32) (i32.lt_s (local.get 0) (i32.const 2))
            (then (local.get 0))
            (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
    (func (export "main") (param $rounds i32) (result i64) (local $i i32) (local $x i32)
        (loop $again
            (local.set $x (call_indirect (type $op)
                (local.get $x) (i32.and (local.get $i) (i32.const 63)) (i32.rem_u (local.get $i) (i32.const 3))))
            (i32.store (i32.and (i32.mul (local.get $i) (i32.const 1237)) (i32.const 0xfffc)) (local.get $x))
            (block $none (block $host (block $grow
                (br_table $host $none $grow $none (i32.rem_u (local.get $i) (i32.const 50))))
                (drop (memory.grow (i32.eq (local.get $i) (i32.const 52))))
                (br $none))
                (global.set $sum (i64.add (global.get $sum) (i64.extend_i32_s (call $next (i32.const 16))))))
            (global.set $sum (i64.add (global.get $sum) (i64.extend_i32_u (call $fib (i32.and (local.get $i) (i32.const 7))))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_s (local.get $i) (local.get $rounds))))
        (i64.add (global.get $sum) (i64.extend_i32_u (local.get $x)))))"#;

/// The first instance.
pub(crate) const INSTANCE: InstanceAddr = InstanceAddr(0);

/// A machine with one instance of the module in text format.
pub(crate) fn machine_of(text: &str) -> Vm {
    machine_with(text, Config::default())
}

/// The same with other settings.
pub(crate) fn machine_with(text: &str, config: Config) -> Vm {
    let module = Module::parse(text.as_bytes().to_vec(), None).expect("the test's module is valid");
    Vm::new(&module, Box::new(Counter(100)), Arc::default(), config)
        .expect("the test's module can be linked")
}

/// Makes an exported function the next to run.
pub(crate) fn invoke(vm: &mut Vm, name: &str, args: &[Value]) {
    let func = vm.exported_func(INSTANCE, name).expect("exported");
    vm.invoke(func, args).expect("the arguments fit");
}

/// Runs an exported function to its end.
pub(crate) fn call(vm: &mut Vm, name: &str, args: &[Value]) -> Exit {
    invoke(vm, name, args);
    vm.run(RunLimit::default())
}

//! The module `spectest`, which the specification's scripts import from.

use std::sync::Arc;

use wdb_vm::host::{Host, HostCall, HostFunc, HostOutcome};
use wdb_vm::module::Module;
use wdb_vm::{FuncType, ValType};

/// Its printing functions; what they print is thrown away.
pub(crate) struct Printers;

const PRINTERS: [(&str, &[ValType]); 7] = [
    ("print", &[]),
    ("print_i32", &[ValType::I32]),
    ("print_i64", &[ValType::I64]),
    ("print_f32", &[ValType::F32]),
    ("print_f64", &[ValType::F64]),
    ("print_i32_f32", &[ValType::I32, ValType::F32]),
    ("print_f64_f64", &[ValType::F64, ValType::F64]),
];

impl Host for Printers {
    fn resolve(&self, module: &str, name: &str) -> Option<HostFunc> {
        let position = PRINTERS
            .iter()
            .position(|(printer, _)| module == "spectest" && *printer == name)?;
        Some(HostFunc(position as u32))
    }

    fn name(&self, func: HostFunc) -> String {
        PRINTERS[func.0 as usize].0.to_owned()
    }

    fn func_type(&self, func: HostFunc) -> FuncType {
        FuncType::new(PRINTERS[func.0 as usize].1.iter().copied(), [])
    }

    fn call(&mut self, _func: HostFunc, _call: &mut HostCall<'_>) -> HostOutcome {
        HostOutcome::Return(Vec::new())
    }
}

/// The rest of it.
const SPECTEST: &str = r#"(module
    (global (export "global_i32") i32 (i32.const 666))
    (global (export "global_i64") i64 (i64.const 666))
    (global (export "global_f32") f32 (f32.const 666.6))
    (global (export "global_f64") f64 (f64.const 666.6))
    (table (export "table") 10 20 funcref)
    (memory (export "memory") 1 2)
    (memory (export "shared_memory") 1 2 shared))"#;

pub(crate) fn module() -> Arc<Module> {
    Module::parse(SPECTEST.as_bytes().to_vec(), None).expect("valid")
}

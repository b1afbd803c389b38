//! wasmtime.

use wasmtime::{Engine, Extern, Module, Store, StoreLimits, StoreLimitsBuilder, Trap, Val};
use wdb_vm::value::Value;
use wdb_vm::vm::Config;

use crate::{FUEL, Outcome, Seen, fuel};

/// How large a heap becomes, which counts as a memory: far larger than wdb's here. Memories stay far smaller.
const HEAP_BYTES_MAX: usize = 64 << 20;

/// wasmtime with canonical NaNs, as wdb has them.
pub(crate) fn engine() -> anyhow::Result<Engine> {
    let mut config = wasmtime::Config::new();
    config.cranelift_nan_canonicalization(true);
    config.wasm_tail_call(true);
    config.wasm_exceptions(true);
    config.wasm_function_references(true);
    config.relaxed_simd_deterministic(true);
    config.wasm_gc(true);
    config.wasm_memory64(true);
    config.wasm_multi_memory(true);
    config.wasm_wide_arithmetic(true);
    Engine::new(&config).map_err(|error| anyhow::anyhow!("{error:#}"))
}

/// A module on wasmtime.
pub(crate) struct Instance {
    store: Store<StoreLimits>,
    instance: wasmtime::Instance,
    exports: Vec<String>,
}

impl Instance {
    /// The instance, or why instantiation trapped.
    pub(crate) fn new(engine: &Engine, wasm: &[u8]) -> anyhow::Result<Result<Instance, String>> {
        let module = Module::new(engine, wasm).map_err(|error| anyhow::anyhow!("{error:#}"))?;
        let elements_max = Config::default().limits.table_elements_max;
        let limits = StoreLimitsBuilder::new()
            .memory_size(HEAP_BYTES_MAX)
            .table_elements(usize::try_from(elements_max)?)
            .build();
        let mut store = Store::new(engine, limits);
        store.limiter(|limits| limits);
        let exports = module
            .exports()
            .map(|export| export.name().to_owned())
            .collect();
        Ok(match wasmtime::Instance::new(&mut store, &module, &[]) {
            Ok(instance) => Ok(Instance {
                store,
                instance,
                exports,
            }),
            Err(error) => Err(format!("{error:#}")),
        })
    }

    pub(crate) fn call(&mut self, name: &str, args: &[Value]) -> anyhow::Result<Seen> {
        if let Some(global) = self.instance.get_global(&mut self.store, fuel::EXPORT) {
            let fuel = Val::I32(FUEL as i32);
            global
                .set(&mut self.store, fuel)
                .map_err(|error| anyhow::anyhow!("{error:#}"))?;
        }
        let func = self.instance.get_func(&mut self.store, name);
        let func = func.ok_or_else(|| anyhow::anyhow!("{name} is not exported"))?;
        let ty = func.ty(&self.store);
        let args: Vec<Val> = args
            .iter()
            .zip(ty.params())
            .map(|(arg, ty)| match arg {
                Value::I32(value) => Val::I32(*value),
                Value::I64(value) => Val::I64(*value),
                Value::F32(bits) => Val::F32(*bits),
                Value::F64(bits) => Val::F64(*bits),
                Value::V128(bits) => Val::V128((*bits).into()),
                Value::Ref(_) => Val::default_for_ty(&ty).unwrap_or(Val::FuncRef(None)),
            })
            .collect();
        let mut results = vec![Val::I32(0); ty.results().len()];
        let outcome = match func.call(&mut self.store, &args, &mut results) {
            Ok(()) => Outcome::Returned(results.iter().map(bits).collect()),
            Err(error) => match error.downcast_ref::<Trap>() {
                Some(Trap::StackOverflow | Trap::AllocationTooLarge) => Outcome::Exhausted,
                Some(trap) => Outcome::Trapped(message(*trap)),
                None if error.is::<wasmtime::ThrownException>() => Outcome::Uncaught,
                None if error.is::<wasmtime::error::OutOfMemory>() => Outcome::Exhausted,
                None if error.is::<wasmtime::GcHeapOutOfMemory<()>>() => Outcome::Exhausted,
                None => anyhow::bail!("wasmtime: {error:#}"),
            },
        };
        let mut memories = Vec::new();
        let mut globals = Vec::new();
        for name in self.exports.clone() {
            match self.instance.get_export(&mut self.store, &name) {
                Some(Extern::Memory(found)) => memories.push(found.data(&self.store).to_vec()),
                Some(Extern::Global(global)) => {
                    let value = global.get(&mut self.store);
                    if value.ref_().is_none() {
                        globals.push(bits(&value));
                    }
                }
                _ => {}
            }
        }
        Ok(Seen {
            outcome,
            memories,
            globals,
        })
    }
}

/// A value's bits; of a reference only whether it is null.
fn bits(value: &Val) -> u128 {
    match value {
        Val::I32(value) => u128::from(value.cast_unsigned()),
        Val::I64(value) => u128::from(value.cast_unsigned()),
        Val::F32(bits) => u128::from(*bits),
        Val::F64(bits) => u128::from(*bits),
        Val::V128(value) => value.as_u128(),
        Val::FuncRef(func) => u128::from(func.is_some()),
        Val::ExternRef(value) => u128::from(value.is_some()),
        Val::AnyRef(value) => u128::from(value.is_some()),
        Val::ExnRef(value) => u128::from(value.is_some()),
        Val::ContRef(_) => unreachable!("stack switching is not generated"),
    }
}

/// The trap in the specification's words.
fn message(trap: Trap) -> String {
    match trap {
        Trap::UnreachableCodeReached => "unreachable",
        Trap::MemoryOutOfBounds => "out of bounds memory access",
        Trap::TableOutOfBounds => "undefined element",
        Trap::IndirectCallToNull => "uninitialized element",
        Trap::BadSignature => "indirect call type mismatch",
        Trap::IntegerOverflow => "integer overflow",
        Trap::IntegerDivisionByZero => "integer divide by zero",
        Trap::NullReference => "null reference",
        Trap::ArrayOutOfBounds => "out of bounds array access",
        Trap::CastFailure => "cast failure",
        Trap::BadConversionToInteger => "invalid conversion to integer",
        other => return other.to_string(),
    }
    .to_owned()
}

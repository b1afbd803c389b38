//! wasm3, by the part of its C interface (`wasm3.h`) that it takes to call one function.

use std::ffi::{CStr, c_char, c_void};
use std::ptr;

use super::{Engine, Prepared};
use crate::programs::Program;

pub struct Wasm3;

/// Bytes of its stack.
const STACK_BYTES: u32 = 1 << 20;

/// `M3Result`: null, or a message that lives for ever.
type Status = *const c_char;

// SAFETY: these are the declarations of wasm3.h at the commit that peers/fetch-wasm3.sh fetches; its opaque structures are only
// ever handled as pointers.
unsafe extern "C" {
    fn m3_NewEnvironment() -> *mut c_void;
    fn m3_FreeEnvironment(environment: *mut c_void);
    fn m3_NewRuntime(
        environment: *mut c_void,
        stack_bytes: u32,
        user_data: *mut c_void,
    ) -> *mut c_void;
    fn m3_FreeRuntime(runtime: *mut c_void);
    fn m3_ParseModule(
        environment: *mut c_void,
        module: *mut *mut c_void,
        wasm: *const u8,
        bytes: u32,
    ) -> Status;
    fn m3_LoadModule(runtime: *mut c_void, module: *mut c_void) -> Status;
    fn m3_FreeModule(module: *mut c_void);
    fn m3_FindFunction(
        function: *mut *mut c_void,
        runtime: *mut c_void,
        name: *const c_char,
    ) -> Status;
    fn m3_Call(function: *mut c_void, count: u32, args: *const *const c_void) -> Status;
    fn m3_GetResults(function: *mut c_void, count: u32, results: *const *mut c_void) -> Status;
}

fn check(status: Status) -> anyhow::Result<()> {
    if status.is_null() {
        return Ok(());
    }
    // SAFETY: messages are string constants.
    let message = unsafe { CStr::from_ptr(status) };
    anyhow::bail!("{}", message.to_string_lossy())
}

/// A module in a runtime of its own. The pointers are valid until it is dropped, and nobody else has them.
struct Loaded {
    environment: *mut c_void,
    runtime: *mut c_void,
    function: *mut c_void,
    /// wasm3 compiles functions when they are first called, from these bytes.
    wasm: Vec<u8>,
}

impl Engine for Wasm3 {
    fn name(&self) -> &'static str {
        "wasm3"
    }

    fn description(&self) -> String {
        format!(
            "wasm3 0.9.0, its release flags, compiled by {}",
            env!("WASM3_COMPILER")
        )
    }

    fn prepare(&self, program: &Program) -> anyhow::Result<Box<dyn Prepared>> {
        // SAFETY: no pointers go in but the environment's, which was made just before.
        let (environment, runtime) = unsafe {
            let environment = m3_NewEnvironment();
            (
                environment,
                m3_NewRuntime(environment, STACK_BYTES, ptr::null_mut()),
            )
        };
        let mut loaded = Loaded {
            environment,
            runtime,
            function: ptr::null_mut(),
            wasm: program.wasm.to_vec(),
        };
        anyhow::ensure!(!environment.is_null() && !runtime.is_null(), "no memory");
        let mut module = ptr::null_mut();
        let bytes = u32::try_from(loaded.wasm.len())?;
        // SAFETY: the bytes stay where they are as long as the runtime, a module that is not loaded is freed once and used no
        // more, and the function's place is written before it is read.
        unsafe {
            check(m3_ParseModule(
                environment,
                &mut module,
                loaded.wasm.as_ptr(),
                bytes,
            ))?;
            if let Err(error) = check(m3_LoadModule(runtime, module)) {
                m3_FreeModule(module);
                return Err(error);
            }
            check(m3_FindFunction(
                &mut loaded.function,
                runtime,
                c"run".as_ptr(),
            ))?;
        }
        Ok(Box::new(loaded))
    }
}

impl Prepared for Loaded {
    fn run(&mut self, n: i32) -> anyhow::Result<i64> {
        let mut result = 0i64;
        let args = [(&raw const n).cast::<c_void>()];
        let results = [(&raw mut result).cast::<c_void>()];
        // SAFETY: the function takes an i32 and returns an i64, as all programs here do, or wasm3 refuses the counts.
        unsafe {
            check(m3_Call(self.function, 1, args.as_ptr()))?;
            check(m3_GetResults(self.function, 1, results.as_ptr()))?;
        }
        Ok(result)
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        // SAFETY: both were made by `prepare`, and freeing null does nothing.
        unsafe {
            m3_FreeRuntime(self.runtime);
            m3_FreeEnvironment(self.environment);
        }
    }
}

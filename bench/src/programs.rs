//! The programs. Each imports nothing and exports `run: i32 -> i64`, whose argument says how much is to be done.

/// A program, and how much it has to do by default.
pub struct Program {
    pub name: &'static str,
    pub wasm: &'static [u8],
    pub n: i32,
}

macro_rules! programs {
    ($($name:literal $n:literal,)*) => {
        &[$(Program { name: $name, wasm: include_bytes!(concat!("../programs/", $name, ".wasm")), n: $n },)*]
    };
}

/// All of them. The amounts take an interpreter some 100 ms.
pub static ALL: &[Program] = programs! {
    "core" 500,
    "fib" 32,
    "sieve" 4,
    "nbody" 150_000,
    "sha256" 2,
    "mandel" 300,
    "matmul" 2,
    "sorthash" 2,
    "bf" 1,
    "vmcall" 400_000,
    "hash64" 1_000_000,
    "memops" 60,
    "lua" 4,
};

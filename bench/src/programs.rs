//! The programs. Each exports `run: i32 -> i64`, whose argument says how much is to be done. All import nothing, but for the one
//! that asks for collections.

use std::borrow::Cow;

use crate::profile::Profile;

/// A program, and how much it has to do.
pub struct Program {
    pub name: &'static str,
    pub wasm: Cow<'static, [u8]>,
    /// How much.
    pub n: i32,
    pub profile: Profile,
}

/// How much is to be done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// What takes an interpreter some 100 ms.
    Short,
    /// What takes machine code 50 ms to 1 s.
    Long,
}

macro_rules! programs {
    ($amount:ident: $($name:literal $short:literal $long:literal,)*) => {
        [$(Program {
            name: $name,
            wasm: Cow::Borrowed(include_bytes!(concat!("../programs/", $name, ".wasm"))),
            n: if $amount == Amount::Short { $short } else { $long },
            profile: Profile::default(),
        },)*]
    };
}

/// Those of the main table.
pub fn all(amount: Amount) -> Vec<Program> {
    programs! { amount:
        "core" 500 2_500,
        "fib" 32 38,
        "sieve" 4 40,
        "nbody" 150_000 1_500_000,
        "sha256" 2 20,
        "mandel" 300 1_000,
        "matmul" 2 20,
        "sorthash" 2 10,
        "bf" 1 10,
        "vmcall" 400_000 4_000_000,
        "hash64" 1_000_000 10_000_000,
        "memops" 60 600,
        "lua" 4 40,
    }
    .into()
}

/// A program in the text format.
fn text(name: &'static str, text: &str, n: i32) -> Program {
    Program {
        name,
        wasm: Cow::Owned(wat::parse_str(text).expect("a program of the benchmarks is valid")),
        n,
        profile: Profile::default(),
    }
}

/// Throws and catches.
pub fn exceptions() -> Vec<Program> {
    let n = 1_000_000;
    vec![
        text("throw", include_str!("../programs/throw.wat"), n),
        text("throw-deep", include_str!("../programs/throw-deep.wat"), n),
    ]
}

/// Collections, which the program asks for by a call.
pub fn collections() -> Vec<Program> {
    let program = include_str!("../programs/collect.wat");
    vec![text("collect", program, 1_000)]
}

/// What serves that call in wdb: a module.
pub fn collector() -> Program {
    text("collector", include_str!("../programs/collector.wat"), 0)
}

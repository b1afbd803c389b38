//! The tiers: what can run a program between two stops, and what is said about each.

use std::time::Duration;

use crate::address::{FuncAddr, ModuleOffset};

/// What runs a program between two stops. Every tier stops in the canonical state and goes on from it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Tier {
    /// Interprets the module's bytes in place.
    Classic,
    /// Interprets register code that each function is translated to.
    Fast,
    /// Runs machine code that is compiled quickly.
    Jit,
    /// Runs machine code that is compiled to be fast.
    Opt,
    /// Starts in the fast tier at once, and moves to machine code what turns out to take time.
    #[default]
    Auto,
}

impl Tier {
    /// Every choice, the slowest first.
    pub const ALL: [Tier; 5] = [Tier::Classic, Tier::Fast, Tier::Jit, Tier::Opt, Tier::Auto];

    /// The names of all of them, in the same order.
    pub const NAMES: [&'static str; Tier::ALL.len()] = [
        Tier::Classic.name(),
        Tier::Fast.name(),
        Tier::Jit.name(),
        Tier::Opt.name(),
        Tier::Auto.name(),
    ];

    /// Whether it runs machine code.
    #[must_use]
    pub const fn is_compiled(self) -> bool {
        matches!(self, Tier::Jit | Tier::Opt | Tier::Auto)
    }

    /// The name that people call it by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Tier::Classic => "classic",
            Tier::Fast => "fast",
            Tier::Jit => "jit",
            Tier::Opt => "opt",
            Tier::Auto => "auto",
        }
    }

    /// The tier of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Tier> {
        Tier::ALL.into_iter().find(|tier| tier.name() == name)
    }
}

/// How machine code sees to it that accesses stay within memories. The program cannot tell one from the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Bounds {
    /// By address space that cannot be accessed around them, where that is possible.
    #[default]
    Guard,
    /// By a comparison before each access.
    Explicit,
}

impl Bounds {
    /// The names of both.
    pub const NAMES: [&'static str; 2] = ["guard", "explicit"];

    /// The name that people call it by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        Bounds::NAMES[self as usize]
    }

    /// The choice of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Bounds> {
        let all = [Bounds::Guard, Bounds::Explicit];
        all.into_iter().find(|bounds| bounds.name() == name)
    }
}

/// When functions are translated for a tier that translates.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Compile {
    /// All at once, before the first instruction.
    Eager,
    /// Each at its first call.
    #[default]
    Lazy,
    /// Each at its first call, with all of them validated before the first instruction.
    LazyTranslation,
}

impl Compile {
    /// Every choice, the earliest translation first.
    pub const ALL: [Compile; 3] = [Compile::Eager, Compile::LazyTranslation, Compile::Lazy];

    /// The names of all of them, in the same order.
    pub const NAMES: [&'static str; Compile::ALL.len()] = [
        Compile::Eager.name(),
        Compile::LazyTranslation.name(),
        Compile::Lazy.name(),
    ];

    /// The name that people call it by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Compile::Eager => "eager",
            Compile::Lazy => "lazy",
            Compile::LazyTranslation => "lazy-translation",
        }
    }

    /// The choice of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Compile> {
        Compile::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// What a tier did so far, and what its code takes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TierStats {
    /// Which tier.
    pub tier: Tier,
    /// Ticks that passed in it. With `auto`, those of all machine code count as `opt`'s.
    pub ticks: u64,
    /// How many functions it has code for.
    pub functions: usize,
    /// Bytes of their wasm code.
    pub wasm_bytes: usize,
    /// Bytes of memory that the tier's own form of them takes.
    pub code_bytes: usize,
    /// The time that making it took.
    pub translation: Duration,
    /// The functions that the tier cannot run, which ran in a slower one.
    pub fallbacks: Vec<Fallback>,
}

/// A function that a tier cannot run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fallback {
    /// The function of the store.
    pub func: FuncAddr,
    /// Why, as a clause.
    pub reason: String,
}

/// A line of a listing of register code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegisterLine {
    /// Bytes from the start of the function's register code.
    pub offset: u32,
    /// The wasm instruction that it executes, the first of several. Those that only name an operand belong to the one that takes it.
    pub pc: ModuleOffset,
    /// The instruction.
    pub text: String,
}

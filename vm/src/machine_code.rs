//! What can be known of the code that tiers have made: where each function runs, and how its machine code looks.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::address::{FuncAddr, ModuleOffset};
use crate::store::FuncKind;
use crate::tier::{Bounds, Tier};
use crate::vm::Vm;

/// A form of a function's code on its way to the processor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodeForm {
    /// The compiler's own instructions (CLIF), before it has optimised them.
    Intermediate,
    /// Machine code of the `jit` tier.
    Baseline,
    /// Machine code of the `opt` tier.
    Optimized,
}

/// A line of a listing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CodeLine {
    /// Bytes from the start of the code; 0 in intermediate code.
    pub offset: u32,
    /// The wasm instruction that it comes from; `None` for what belongs to the function as a whole.
    pub pc: Option<ModuleOffset>,
    /// The instruction.
    pub text: String,
}

/// Why a function has no machine code to show.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ListingError {
    /// It is no valid wasm function.
    #[error("it is no wasm function, or not valid")]
    NoCode,
    /// The compiler refuses.
    #[error("{0}")]
    Refused(String),
}

/// A piece of code that a tier has made of a function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CodeUnit {
    /// The function of the store.
    pub func: FuncAddr,
    /// Whose code it is.
    pub tier: Tier,
    /// The place at which it goes on with a frame; `None` for code that calls enter.
    pub resumes_at: Option<ModuleOffset>,
    /// Where it lies in the memory of this process; 0 if that is nothing to look at.
    pub address: u64,
    /// The memory that it takes.
    pub bytes: usize,
    /// The time that making it took, where that is measured for each piece: in machine code.
    pub translation: Duration,
}

impl Vm {
    /// The code of a function of the store from its start on, as the compiler would make it now.
    pub fn machine_code(
        &self,
        func: FuncAddr,
        form: CodeForm,
    ) -> Result<Vec<CodeLine>, ListingError> {
        let inst = self.store.funcs.get(func.index());
        if inst.is_none_or(|inst| inst.kind != FuncKind::Wasm) || !self.store.is_valid(func) {
            return Err(ListingError::NoCode);
        }
        let lines = self
            .jit
            .listing(&self.store, &self.machine, &self.classic, func, form)
            .map_err(|error| ListingError::Refused(error.to_string()))?;
        let line = |line: wdb_codegen::Line| CodeLine {
            offset: line.offset,
            pc: line.pc.map(ModuleOffset),
            text: line.text,
        };
        Ok(lines.into_iter().map(line).collect())
    }

    /// All pieces of code that tiers have made, by function and from the slowest tier on.
    #[must_use]
    pub fn code_units(&self) -> Vec<CodeUnit> {
        let interpreted = |tier: Tier, (func, bytes): (FuncAddr, usize)| CodeUnit {
            func,
            tier,
            resumes_at: None,
            address: 0,
            bytes,
            translation: Duration::ZERO,
        };
        let classic = self.classic.code_sizes();
        let fast = self.fast.code_sizes();
        let mut units: Vec<CodeUnit> = classic
            .map(|code| interpreted(Tier::Classic, code))
            .chain(fast.map(|code| interpreted(Tier::Fast, code)))
            .chain(self.jit.code_units())
            .collect();
        units.sort_by_key(|unit| (unit.func, unit.tier, unit.resumes_at));
        units
    }

    /// Why no machine code can be made here, if it cannot.
    #[must_use]
    pub fn machine_code_impossibility(&self) -> Option<String> {
        self.jit.impossibility()
    }

    /// Writes the name of each piece of machine code to `/tmp/perf-PID.map` as it is made, so that profilers can tell one from
    /// another. Answers the path.
    pub fn write_perf_map(
        &mut self,
        name_of: impl Fn(FuncAddr) -> String + Send + 'static,
    ) -> io::Result<PathBuf> {
        self.jit.write_perf_map(Box::new(name_of))
    }

    /// How machine code keeps accesses within memories: as was chosen, as far as the system lets it.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        self.jit.bounds()
    }
}

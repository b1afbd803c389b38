//! Machine code as people ask about it.

use wdb_codegen::{Compiler, Level, Line, Start};

use super::Jit;
use super::code::Unit;
use super::job::{Wanted, with_job};
use crate::address::{FuncAddr, ModuleOffset};
use crate::classic::Classic;
use crate::machine::Machine;
use crate::machine_code::{CodeForm, CodeUnit};
use crate::store::Store;
use crate::tier::{Bounds, Tier};

impl Jit {
    /// The code of a function from its start, made for this: running code is left alone.
    pub(crate) fn listing(
        &self,
        store: &Store,
        machine: &Machine,
        classic: &Classic,
        func: FuncAddr,
        form: CodeForm,
    ) -> Result<Vec<Line>, wdb_codegen::Error> {
        // Records name code by its number, which is a constant in it.
        let mut units = self.units.iter().zip(0..);
        let number = units.find_map(|(unit, number)| {
            let unit = unit.as_ref()?;
            (unit.func == func && unit.start == Start::Call).then_some(number)
        });
        let wanted = Wanted {
            func,
            level: match form {
                CodeForm::Baseline => Level::Baseline,
                CodeForm::Intermediate | CodeForm::Optimized => Level::Optimized,
            },
            plan: &self.plan,
            watch_extent: &self.watch_extent,
            start: Start::Call,
            unit: number.unwrap_or_default(),
            probes: &classic.ruled_probes(func),
            is_stub: false,
            is_guarded: self.needs_checkpoint(),
        };
        let mut compiler = Compiler::new()?;
        with_job(store, machine, &wanted, |job| match form {
            CodeForm::Intermediate => compiler.intermediate(job),
            CodeForm::Baseline | CodeForm::Optimized => compiler.listing(job),
        })
    }

    /// Why no machine code can be made here, if it cannot.
    pub(crate) fn impossibility(&self) -> Option<String> {
        match &self.toolchain {
            Some(Ok(_)) => None,
            Some(Err(refusal)) => Some(refusal.clone()),
            // Nobody has tried yet.
            None => Compiler::new().err().map(|error| error.to_string()),
        }
    }

    /// How code keeps accesses within memories: what was chosen, as far as the system lets it.
    pub(crate) fn bounds(&self) -> Bounds {
        if self.needs_checkpoint() {
            Bounds::Guard
        } else {
            Bounds::Explicit
        }
    }

    /// All pieces of code that functions run in.
    pub(crate) fn code_units(&self) -> impl Iterator<Item = CodeUnit> {
        self.units.iter().flatten().map(|unit| code_unit(unit))
    }
}

/// What is told of a piece of code.
pub(super) fn code_unit(unit: &Unit) -> CodeUnit {
    CodeUnit {
        func: unit.func,
        tier: match unit.level {
            Level::Baseline => Tier::Jit,
            Level::Optimized => Tier::Opt,
        },
        resumes_at: match unit.start {
            Start::Call => None,
            Start::Frame(pc) => Some(ModuleOffset(pc)),
        },
        address: unit.memory.range().start as u64,
        bytes: unit.memory.len(),
        translation: unit.compilation,
    }
}

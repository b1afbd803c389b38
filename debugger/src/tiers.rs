//! The tiers that run the program: choosing one, and telling what each did.

use std::sync::Arc;
use std::time::Duration;

use wdb_vm::address::FuncAddr;
use wdb_vm::machine_code::CodeUnit;
use wdb_vm::tier::Compile;
use wdb_vm::vm::Vm;

use crate::debugger::Debugger;
use crate::error::Error;
use crate::json;
use crate::process::PROGRAM_INSTANCE;
use crate::program::Program;
use crate::report::{
    CodeSizeReport, FallbackReport, FunctionCodeReport, Report, RunStatsReport, TierReport,
    TiersReport,
};
use crate::run::RunOutcome;

impl Debugger {
    /// Makes this machine, and those of later starts, run the program as the settings say.
    pub(crate) fn apply_tier(&mut self) -> Result<(), Error> {
        self.options.tier = self.settings.tier();
        if self.settings.compile() != Compile::Lazy {
            let validated = self.program.module().validate_all();
            if let Err(error) = validated {
                self.settings.compile = self.options.compile.name();
                return Err(Error::Other(format!("{error}.")));
            }
        }
        self.options.compile = self.settings.compile();
        let vm = self.vm.get_mut();
        vm.set_tier(self.options.tier);
        vm.set_compile(self.options.compile);
        Ok(())
    }

    /// What each tier did since the program was started.
    pub(crate) fn tiers_report(&self, functions_max: usize) -> TiersReport {
        let vm = self.vm.borrow();
        let mut report = tiers_report(&vm, &self.program);
        report.functions = function_codes(&vm, &self.program);
        report.functions_left_out = report.functions.len().saturating_sub(functions_max);
        report.functions.truncate(functions_max);
        report
    }
}

/// The code of each function, those with the most machine code first.
fn function_codes(vm: &Vm, program: &Program) -> Vec<FunctionCodeReport> {
    let units = vm.code_units();
    let mut functions: Vec<FunctionCodeReport> = units
        .chunk_by(|a, b| a.func == b.func)
        .map(|units| FunctionCodeReport {
            func_index: vm.func_instance(units[0].func).map(|(_, index)| index.0),
            function: func_name(vm, program, units[0].func),
            codes: units
                .chunk_by(|a, b| a.tier == b.tier)
                .rev()
                .map(code_size)
                .collect(),
        })
        .collect();
    let machine_bytes = |function: &FunctionCodeReport| -> usize {
        let codes = function.codes.iter();
        codes
            .filter(|code| code.translation_ms.is_some())
            .map(|code| code.bytes)
            .sum()
    };
    functions.sort_by_key(|function| std::cmp::Reverse(machine_bytes(function)));
    functions
}

/// The pieces of a tier's code of a function.
fn code_size(units: &[CodeUnit]) -> CodeSizeReport {
    let tier = units[0].tier;
    let translation: Duration = units.iter().map(|unit| unit.translation).sum();
    CodeSizeReport {
        tier: tier.name(),
        bytes: units.iter().map(|unit| unit.bytes).sum(),
        pieces: units.len(),
        translation_ms: tier
            .is_compiled()
            .then_some(translation.as_secs_f64() * 1000.0),
    }
}

/// What each tier did since a machine was made.
pub(crate) fn tiers_report(vm: &Vm, program: &Program) -> TiersReport {
    let stats = vm.tier_stats();
    let fallbacks = stats.iter().flat_map(|stats| {
        let tier = stats.tier.name();
        stats.fallbacks.iter().map(move |it| FallbackReport {
            tier,
            func_index: vm.func_instance(it.func).map(|(_, index)| index.0),
            function: func_name(vm, program, it.func),
            reason: it.reason.clone(),
        })
    });
    TiersReport {
        chosen: vm.tier().name(),
        compile: vm.compile().name(),
        bounds: vm.bounds().name(),
        machine_code_obstacle: vm.machine_code_impossibility(),
        functions: Vec::new(),
        functions_left_out: 0,
        fallbacks: fallbacks.collect(),
        tiers: stats
            .iter()
            .map(|stats| TierReport {
                tier: stats.tier.name(),
                ticks: stats.ticks,
                functions: stats.functions,
                wasm_bytes: stats.wasm_bytes,
                code_bytes: stats.code_bytes,
                translation_ms: stats.translation.as_secs_f64() * 1000.0,
            })
            .collect(),
    }
}

/// What people call a function of the store.
fn func_name(vm: &Vm, program: &Program, func: FuncAddr) -> Arc<str> {
    match vm.func_instance(func) {
        Some((PROGRAM_INSTANCE, index)) => program.func_name(index),
        Some((instance, index)) => vm.module(instance).func_display_name(index).into(),
        None => "a function of the host".into(),
    }
}

/// What a run took, to be told at its end.
#[derive(Debug, Clone)]
pub struct RunStats(Report);

impl RunStats {
    /// As lines of text.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.text()
    }

    /// As an object of `wdb --json`.
    #[must_use]
    pub fn json(&self) -> String {
        json::answer(&self.0)
    }
}

impl RunOutcome {
    /// What the run took. The caller knows the time that passed, and the most memory that the process used.
    #[must_use]
    pub fn stats(&self, elapsed: Duration, peak_memory_bytes: Option<u64>) -> RunStats {
        let seconds = elapsed.as_secs_f64();
        RunStats(Report::RunStats(RunStatsReport {
            seconds,
            ticks: self.ticks,
            ticks_per_second: (self.ticks as f64 / seconds.max(f64::MIN_POSITIVE)).round(),
            guest_memory_bytes: self.memory_bytes,
            peak_memory_bytes,
            module_code_bytes: self.module_code_bytes,
            tiers: self.tiers.clone(),
        }))
    }
}

//! Running the same program on several tiers, side by side (`wdb compare`).
//!
//! The first tier talks to the world; the others are given the same answers by `script`, which also sees to it that they ask for
//! the same. Every tier has to end in the same way, at the same tick and in the same state; where one does not, `bisect` finds the
//! first tick at which it parts from the first.

mod bisect;
mod output;
mod script;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use wdb_vm::address::ModuleOffset;
use wdb_vm::exit::Exit;
use wdb_vm::tier::Tier;
use wdb_vm::vm::{RunLimit, Vm};

use crate::error::OpenError;
use crate::json;
use crate::process::{self, Streams};
use crate::program::{Program, ProgramSource};
use crate::redirection::Redirections;
use crate::report::{ComparisonReport, PartingReport, Report, TierRunReport};
use crate::session::SessionOptions;
use bisect::{Parting, Side, differing, exit_text, parting, run_to};
pub use output::KeptOutput;
use script::{HostTime, Script};

/// A comparison as far as it has come.
#[derive(Debug, Clone)]
pub struct Comparison {
    report: ComparisonReport,
    output: KeptOutput,
}

impl Comparison {
    /// As lines of text: a table, and below it what it means.
    #[must_use]
    pub fn text(&self) -> String {
        Report::Comparison(self.report.clone()).text()
    }

    /// As an object of `wdb --json`.
    #[must_use]
    pub fn json(&self) -> String {
        json::answer(&Report::Comparison(self.report.clone()))
    }

    /// Whether all tiers did the same.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.report.agrees == Some(true)
    }

    /// What the program wrote.
    #[must_use]
    pub fn output(&self) -> &KeptOutput {
        &self.output
    }
}

/// Runs a program on tiers, on all if none is named, and compares. `progress` is told now and then how far it has come.
///
/// # Errors
/// The program cannot be opened, or cannot begin.
pub fn compare(
    source: ProgramSource,
    options: SessionOptions,
    tiers: &[Tier],
    progress: &mut dyn FnMut(&Comparison),
) -> Result<Comparison, OpenError> {
    let program = Arc::new(Program::open(
        source,
        options.compile,
        options.source_maps.clone(),
        options.embedded_sources.clone(),
    )?);
    let mut comparing = Comparing {
        program,
        options,
        script: Script::default(),
        comparison: Comparison {
            report: ComparisonReport::default(),
            output: KeptOutput::default(),
        },
    };
    let mut tiers = tiers.to_vec();
    if tiers.is_empty() {
        tiers = comparing.possible_tiers()?;
    }
    comparing.comparison.report.tiers = tiers.iter().map(|tier| waiting(*tier)).collect();
    comparing.run(&tiers, progress)?;
    Ok(comparing.comparison)
}

/// The row of a tier that has not begun.
fn waiting(tier: Tier) -> TierRunReport {
    TierRunReport {
        tier: tier.name(),
        ..TierRunReport::default()
    }
}

/// A comparison under way.
struct Comparing {
    program: Arc<Program>,
    options: SessionOptions,
    script: Script,
    comparison: Comparison,
}

/// The time between two looks at how far a run has come, roughly.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

impl Comparing {
    /// All tiers that this machine can run.
    fn possible_tiers(&self) -> Result<Vec<Tier>, OpenError> {
        let (vm, _) = self.machine(Tier::Fast, false)?;
        let is_possible = vm.machine_code_impossibility().is_none();
        let tiers = Tier::ALL.into_iter();
        Ok(tiers
            .filter(|tier| is_possible || !tier.is_compiled())
            .collect())
    }

    /// A machine that is about to begin; the time that its host takes.
    fn machine(&self, tier: Tier, is_first: bool) -> Result<(Vm, HostTime), OpenError> {
        let cannot_begin = |message: String| OpenError::Instantiate {
            name: self.program.name().to_owned(),
            message,
        };
        let mut options = self.options.clone();
        options.tier = tier;
        let time = HostTime::default();
        let mut vm = process::make_machine_with_host(
            &self.program,
            &options,
            &Redirections::default(),
            Streams::Kept(&self.comparison.output),
            |host| match is_first {
                true => self.script.record(host, time.clone()),
                false => self.script.replay(host, time.clone()),
            },
        )
        .map_err(cannot_begin)?;
        let entry = process::entry(&self.program, &options);
        if let Some(entry) = entry.map_err(|error| cannot_begin(error.to_string()))? {
            process::begin(&mut vm, &entry).map_err(|error| cannot_begin(error.to_string()))?;
        }
        Ok((vm, time))
    }

    fn run(
        &mut self,
        tiers: &[Tier],
        progress: &mut dyn FnMut(&Comparison),
    ) -> Result<(), OpenError> {
        let mut first: Option<(Tier, Vm, Exit)> = None;
        for (position, &tier) in tiers.iter().enumerate() {
            let (mut vm, host_time) = self.machine(tier, first.is_none())?;
            let exit = self.run_tier(position, &mut vm, &host_time, progress);
            match &first {
                None => first = Some((tier, vm, exit)),
                Some((first_tier, first_vm, first_exit)) => {
                    let what = differing(first_vm, first_exit, &vm, &exit);
                    if let Some(what) = what {
                        let end = first_vm.time().tick.max(vm.time().tick);
                        let report = self.parting_report((*first_tier, tier), end, what)?;
                        self.comparison.report.partings.push(report);
                    }
                }
            }
        }
        let report = &mut self.comparison.report;
        report.agrees = Some(report.partings.is_empty());
        Ok(())
    }

    /// Runs a tier to its end, and notes what it took.
    fn run_tier(
        &mut self,
        position: usize,
        vm: &mut Vm,
        host_time: &HostTime,
        progress: &mut dyn FnMut(&Comparison),
    ) -> Exit {
        let start = Instant::now();
        let mut slice_ticks = 1_u64 << 16;
        loop {
            let slice_start = Instant::now();
            let limit = RunLimit {
                tick: Some(vm.time().tick.saturating_add(slice_ticks)),
                ..RunLimit::default()
            };
            let exit = vm.run(limit);
            let elapsed = slice_start.elapsed();
            let total = start.elapsed();
            let is_running = matches!(exit, Exit::Stepped | Exit::Probe | Exit::Tick);
            let row = &mut self.comparison.report.tiers[position];
            fill_row(row, vm, (total, host_time.get()));
            if !is_running {
                row.ended = Some(exit_text(vm, &exit));
                // As many digits as people compare.
                let digest = vm.memory_digest();
                let digits = digest[..8].iter().map(|byte| format!("{byte:02x}"));
                row.memory_hash = Some(digits.collect());
                progress(&self.comparison);
                return exit;
            }
            if elapsed < LOOK_INTERVAL / 2 {
                slice_ticks = slice_ticks.saturating_mul(2);
            } else {
                progress(&self.comparison);
                if elapsed > LOOK_INTERVAL * 2 {
                    slice_ticks = (slice_ticks / 2).max(1);
                }
            }
        }
    }

    /// Runs two tiers again to see where they part.
    fn parting_report(
        &self,
        (first, other): (Tier, Tier),
        end: u64,
        what: String,
    ) -> Result<PartingReport, OpenError> {
        let mut sides = [first, other].map(|tier| {
            let (vm, _) = self.machine(tier, false)?;
            let run = Box::new(run_to);
            Ok::<Side<'_>, OpenError>(Side { vm, run })
        });
        let [a, b] = &mut sides;
        let (Ok(a), Ok(b)) = (a, b) else {
            let [a, b] = sides;
            return Err(a.err().or(b.err()).expect("one of them could not be made"));
        };
        let found = parting(a, b, end);
        let place = found.as_ref().and_then(|_| self.place(a.vm.time().pc));
        Ok(parting_row((first, other), found, what, place))
    }

    /// A place in words.
    fn place(&self, pc: ModuleOffset) -> Option<String> {
        let func = self.program.module().func_at(pc)?;
        Some(format!("{pc} in {}", self.program.func_name(func)))
    }
}

fn parting_row(
    (first, other): (Tier, Tier),
    found: Option<Parting>,
    what: String,
    place: Option<String>,
) -> PartingReport {
    PartingReport {
        first: first.name(),
        other: other.name(),
        tick: found.as_ref().map(|found| found.agreed + 1),
        place,
        what: found.map_or(what, |found| found.what),
    }
}

/// Notes what a run has taken so far: `elapsed` is its time and the host's part of it.
fn fill_row(row: &mut TierRunReport, vm: &Vm, (total, host): (Duration, Duration)) {
    let seconds = total.saturating_sub(host).as_secs_f64();
    let stats = vm.tier_stats();
    let translation: Duration = stats.iter().map(|stats| stats.translation).sum();
    row.has_begun = true;
    row.seconds = seconds;
    row.host_seconds = host.as_secs_f64();
    row.ticks = vm.time().tick;
    row.ticks_per_second = (row.ticks as f64 / seconds.max(f64::MIN_POSITIVE)).round();
    row.translation_ms = translation.as_secs_f64() * 1000.0;
    row.code_bytes = stats.iter().map(|stats| stats.code_bytes).sum();
    row.memory_bytes = vm.memory_bytes();
}

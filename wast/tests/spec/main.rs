//! The specification's own tests on every tier: `cargo test --release --test spec -- --nocapture`.
//!
//! `expected_failures.txt` lists what does not hold, and why. The test fails when something else does not hold, and when something
//! in the list does. `BLESS=1` rewrites the list; what is new there waits for a reason, without which the test still fails.

mod expected;
mod features;
mod suites;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use wdb_wast::{Execution, Failure, Mode, Report, Tier, count_assertions};

use expected::ExpectedFailures;
use features::Folders;
use suites::{SUITES, Script, scripts};

/// How scripts went.
#[derive(Default)]
struct Tally {
    passed: usize,
    assertions: usize,
}

impl Tally {
    fn add(&mut self, passed: usize, assertions: usize) {
        self.passed += passed;
        self.assertions += assertions;
    }

    /// `yes` when everything holds.
    fn text(&self) -> String {
        match self.passed == self.assertions {
            true => "yes".to_owned(),
            false => format!("{} of {}", self.passed, self.assertions),
        }
    }
}

#[test]
fn spec() {
    let scripts: Vec<Script> = SUITES.iter().flat_map(scripts).collect();
    let runs: Vec<(&Script, Tier)> = scripts
        .iter()
        .flat_map(|script| Tier::ALL.map(|tier| (script, tier)))
        .collect();
    let reports = run_all(&runs);
    let mut tallies: BTreeMap<(&str, Tier), Tally> = BTreeMap::new();
    let mut tiers: BTreeMap<Tier, Folders> = BTreeMap::new();
    // By the script's path, the line and the tier.
    let mut failures: BTreeMap<String, String> = BTreeMap::new();
    for ((script, tier), report) in runs.iter().zip(reports) {
        assert_eq!(*tier, report.tier, "{}", script.path);
        let folder = script.path.split('/').next().unwrap_or_default();
        let folders = tiers.entry(*tier).or_default();
        for tally in [
            tallies.entry((script.suite, *tier)).or_default(),
            folders.entry(folder.to_owned()).or_default(),
        ] {
            tally.add(report.passed, report.assertions);
        }
        for Failure { line, reason } in report.failures {
            failures.insert(format!("{}:{line} {}", script.path, tier.name()), reason);
        }
    }
    for ((suite, tier), tally) in &tallies {
        println!(
            "spec {} {suite}: {} of {}",
            tier.name(),
            tally.passed,
            tally.assertions
        );
    }
    for suite in &SUITES {
        for tier in Tier::ALL {
            assert!(
                tallies[&(suite.name, tier)].assertions > suite.assertions_min,
                "{} has lost its tests",
                suite.name
            );
        }
    }
    ExpectedFailures::read().check(&failures);
    features::check(&tiers);
}

/// Runs scripts on all processors; their reports in the same order.
fn run_all(runs: &[(&Script, Tier)]) -> Vec<Report> {
    let next = AtomicUsize::new(0);
    let reports = Mutex::new(BTreeMap::new());
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some((script, tier)) = runs.get(index) else {
                return;
            };
            let report = run(script, *tier);
            reports
                .lock()
                .expect("no holder panics")
                .insert(index, report);
        }
    };
    std::thread::scope(|scope| {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..processors {
            scope.spawn(work);
        }
    });
    let reports = reports.into_inner().expect("no holder panics");
    reports.into_values().collect()
}

/// Runs a script. One that cannot be read fails as a whole.
fn run(script: &Script, tier: Tier) -> Report {
    let execution = Execution {
        tier,
        mode: Mode::StepAndRun,
    };
    wdb_wast::run(script.text, script.language, execution).unwrap_or_else(|error| Report {
        tier,
        assertions: count_assertions(script.text),
        passed: 0,
        failures: vec![Failure {
            line: error.line,
            reason: format!("the script cannot be read: {}", error.message),
        }],
    })
}

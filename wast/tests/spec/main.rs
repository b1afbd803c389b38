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

use wdb_wast::{Execution, Failure, Report, TIERS, count_assertions};

use expected::ExpectedFailures;
use suites::{SUITES, Script, scripts};

/// How scripts went.
#[derive(Default)]
struct Tally {
    passed: usize,
    assertions: usize,
}

impl Tally {
    fn add(&mut self, report: &Report) {
        self.passed += report.passed;
        self.assertions += report.assertions;
    }
}

#[test]
fn spec() {
    let scripts: Vec<Script> = SUITES.iter().flat_map(scripts).collect();
    let reports = run_all(&scripts);
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut folders: BTreeMap<String, Tally> = BTreeMap::new();
    // By the script's path and the line.
    let mut failures: BTreeMap<String, String> = BTreeMap::new();
    for (script, report) in scripts.iter().zip(reports) {
        tallies.entry(script.suite).or_default().add(&report);
        let folder = script.path.split('/').next().unwrap_or_default();
        folders.entry(folder.to_owned()).or_default().add(&report);
        for Failure { line, reason } in report.failures {
            failures.insert(format!("{}:{line}", script.path), reason);
        }
    }
    for suite in &SUITES {
        let tally = &tallies[suite.name];
        for tier in TIERS {
            println!(
                "spec {tier} {}: {} of {}",
                suite.name, tally.passed, tally.assertions
            );
        }
        assert!(
            tally.assertions > suite.assertions_min,
            "{} has lost its tests",
            suite.name
        );
    }
    ExpectedFailures::read().check(&failures);
    features::check(&folders);
}

/// Runs scripts on all processors; their reports in the same order.
fn run_all(scripts: &[Script]) -> Vec<Report> {
    let next = AtomicUsize::new(0);
    let reports = Mutex::new(BTreeMap::new());
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(script) = scripts.get(index) else {
                return;
            };
            let report = run(script);
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
fn run(script: &Script) -> Report {
    wdb_wast::run(script.text, script.language, Execution::StepAndRun).unwrap_or_else(|error| {
        Report {
            assertions: count_assertions(script.text),
            passed: 0,
            failures: vec![Failure {
                line: error.line,
                reason: format!("the script cannot be read: {}", error.message),
            }],
        }
    })
}

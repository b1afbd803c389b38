//! Interleaved timing of one program.

use std::time::{Duration, Instant};

use crate::engines::{Engine, Prepared};
use crate::programs::Program;

/// One program's times.
pub struct Row {
    pub program: &'static str,
    /// What `run` returned in each round, in every engine.
    pub results: Vec<i64>,
    /// By the engine, in the order that was given.
    pub times: Vec<Measured>,
}

/// What came of one engine and one program.
pub enum Measured {
    /// All rounds, the shortest first.
    Times(Vec<Duration>),
    /// Why it does not run the program.
    Failed(String),
}

impl Measured {
    /// The median in seconds.
    pub fn median(&self) -> Option<f64> {
        match self {
            Measured::Times(times) => Some(times[times.len() / 2].as_secs_f64()),
            Measured::Failed(_) => None,
        }
    }

    /// The shortest time in seconds.
    pub fn fastest(&self) -> Option<f64> {
        match self {
            Measured::Times(times) => Some(times[0].as_secs_f64()),
            Measured::Failed(_) => None,
        }
    }

    /// How far the middle half of the rounds lies apart, as a part of the median.
    pub fn spread(&self) -> Option<f64> {
        let median = self.median()?;
        let Measured::Times(times) = self else {
            return None;
        };
        let quartile = times.len() / 4;
        let range = times[times.len() - 1 - quartile] - times[quartile];
        Some(range.as_secs_f64() / median)
    }
}

/// What is timed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// Calls of an instance that lives as long as the measurement.
    Calls,
    /// Loading the program, with all that is compiled, and a single call.
    Wall,
}

/// Times `run` in all engines. An engine that cannot run it is noted; a result that differs is an error.
pub fn measure(
    engines: &[Box<dyn Engine>],
    program: &Program,
    (timing, rounds): (Timing, u32),
) -> anyhow::Result<Row> {
    let prepare = |engine: &dyn Engine| {
        let prepared = engine.prepare(program);
        prepared.map_err(|error| format!("{error:#}"))
    };
    let mut prepared: Vec<Result<Box<dyn Prepared>, String>> =
        engines.iter().map(|engine| prepare(&**engine)).collect();
    let mut times = vec![Vec::new(); engines.len()];
    let mut results = Vec::new();
    // A first round that is not counted lets lazy translation happen.
    for round in 0..=rounds {
        // A program may go on from where its last run left it, so that only the results of a round are equal.
        let mut first = None;
        for turn in 0..engines.len() {
            // What ran before leaves its traces in caches and clock rates: everyone follows everyone.
            let index = (turn + round as usize) % engines.len();
            if prepared[index].is_err() {
                continue;
            }
            let is_fresh = timing == Timing::Wall;
            if is_fresh {
                // Giving the last one up is no part of the time.
                prepared[index] = Err(String::new());
            }
            let start = Instant::now();
            if is_fresh {
                prepared[index] = prepare(&*engines[index]);
            }
            let Ok(runner) = &mut prepared[index] else {
                continue;
            };
            let result = runner.run(program.n);
            let time = start.elapsed();
            match result.and_then(|result| runner.check().map(|()| result)) {
                Ok(result) => {
                    let expected = *first.get_or_insert(result);
                    let name = engines[index].name();
                    anyhow::ensure!(
                        result == expected,
                        "{} in {name}: {result:x}, not {expected:x}",
                        program.name
                    );
                    if round > 0 {
                        times[index].push(time);
                    }
                }
                Err(error) => prepared[index] = Err(format!("{error:#}")),
            }
        }
        results.extend(first);
    }
    let measured = prepared
        .into_iter()
        .zip(times)
        .map(|(prepared, mut times)| match prepared {
            Ok(_) => {
                times.sort();
                Measured::Times(times)
            }
            Err(reason) => Measured::Failed(reason),
        });
    let times = measured.collect();
    anyhow::ensure!(!results.is_empty(), "no engine runs {}", program.name);
    Ok(Row {
        program: program.name,
        results,
        times,
    })
}

/// The median of times, of which there are some. They are sorted afterwards.
pub fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

//! Tables and JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::engines::Engine;
use crate::measure::{Measured, Row};

/// What the fast tier's time may be of each interpreter's, as a geometric mean.
const MEAN_BAR: f64 = 0.85;
/// What the fast tier's time may be of the better interpreter's, in any program.
const PROGRAM_BAR: f64 = 1.15;
/// What the classic tier's time may be of Wasmi's, as a geometric mean.
const CLASSIC_BAR: f64 = 2.0;
/// The interpreters that the fast tier is held against.
const INTERPRETERS: [&str; 2] = ["wasmi", "wasm3"];

/// The times of two columns, by program.
struct Ratio {
    title: String,
    values: Vec<Option<f64>>,
    bars: Bars,
}

/// What a ratio is held against, if anything.
#[derive(Clone, Copy, Default)]
struct Bars {
    mean: Option<f64>,
    program: Option<f64>,
}

/// A line about the program that was just measured.
pub fn progress(engines: &[Box<dyn Engine>], row: &Row) -> String {
    let mut line = format!("{:10}", row.program);
    for (engine, measured) in engines.iter().zip(&row.times) {
        _ = match measured.median() {
            Some(median) => write!(line, "  {} {:.0} ms", engine.name(), median * 1e3),
            None => write!(line, "  {} –", engine.name()),
        };
    }
    line
}

/// All tables.
pub fn text(engines: &[Box<dyn Engine>], rows: &[Row]) -> String {
    let mut text = "\n| median ms |".to_owned();
    engines
        .iter()
        .for_each(|engine| _ = write!(text, " {} |", engine.name()));
    text += &format!("\n|---|{}\n", "---:|".repeat(engines.len()));
    for row in rows {
        _ = write!(text, "| {} |", row.program);
        for measured in &row.times {
            _ = match measured.median() {
                Some(median) => write!(text, " {:.1} |", median * 1e3),
                None => write!(text, " – |"),
            };
        }
        text.push('\n');
    }
    let ratios = ratios(engines, rows);
    if !ratios.is_empty() {
        text += &ratio_table(rows, &ratios);
    }
    text.push('\n');
    for (engine, index) in engines.iter().zip(0..) {
        let spread = rows
            .iter()
            .filter_map(|row| row.times[index].spread())
            .fold(0.0, f64::max);
        let description = engine.description();
        _ = writeln!(
            text,
            "- {}: {description}; spread at most {:.0} %",
            engine.name(),
            spread * 100.0
        );
        for row in rows {
            if let Measured::Failed(reason) = &row.times[index] {
                _ = writeln!(text, "  - {}: {reason}", row.program);
            }
        }
    }
    text
}

fn ratio_table(rows: &[Row], ratios: &[Ratio]) -> String {
    let mut text = "\n| ratio of times |".to_owned();
    ratios
        .iter()
        .for_each(|ratio| _ = write!(text, " {} |", ratio.title));
    text += &format!("\n|---|{}\n", "---:|".repeat(ratios.len()));
    for (row, index) in rows.iter().zip(0..) {
        _ = write!(text, "| {} |", row.program);
        for ratio in ratios {
            text += &cell(ratio.values[index], ratio.bars.program);
        }
        text.push('\n');
    }
    text += "| geometric mean |";
    for ratio in ratios {
        text += &cell(mean(&ratio.values), ratio.bars.mean);
    }
    text.push('\n');
    for (name, bar_of) in [
        ("bar of the mean", (|bars| bars.mean) as fn(Bars) -> _),
        ("bar of each", |bars| bars.program),
    ] {
        _ = write!(text, "| {name} |");
        for ratio in ratios {
            _ = match bar_of(ratio.bars) {
                Some(bar) => write!(text, " ≤ {bar:.2} |"),
                None => write!(text, " |"),
            };
        }
        text.push('\n');
    }
    text
}

/// A ratio; with an exclamation mark when it misses its bar.
fn cell(value: Option<f64>, bar: Option<f64>) -> String {
    let Some(value) = value else {
        return " – |".to_owned();
    };
    let mark = if bar.is_some_and(|bar| value > bar) {
        " !"
    } else {
        ""
    };
    format!(" {value:.2}{mark} |")
}

/// Each of wdb's tiers to each peer, and the fast one to the better interpreter.
fn ratios(engines: &[Box<dyn Engine>], rows: &[Row]) -> Vec<Ratio> {
    let index_of = |name: &str| engines.iter().position(|engine| engine.name() == name);
    let column = |index: usize| rows.iter().map(move |row| row.times[index].median());
    let over = |above: usize, below: &mut dyn Iterator<Item = Option<f64>>| -> Vec<Option<f64>> {
        column(above)
            .zip(below)
            .map(|(above, below)| Some(above? / below?))
            .collect()
    };
    let mut ratios = Vec::new();
    for (ours, our_index) in engines
        .iter()
        .zip(0..)
        .filter(|(engine, _)| engine.is_ours())
    {
        for (peer, peer_index) in engines
            .iter()
            .zip(0..)
            .filter(|(engine, _)| !engine.is_ours())
        {
            let mean = match (ours.name(), peer.name()) {
                ("fast", name) if INTERPRETERS.contains(&name) => Some(MEAN_BAR),
                ("classic", "wasmi") => Some(CLASSIC_BAR),
                _ => None,
            };
            ratios.push(Ratio {
                title: format!("{} / {}", ours.name(), peer.name()),
                values: over(our_index, &mut column(peer_index)),
                bars: Bars {
                    mean,
                    program: None,
                },
            });
        }
    }
    let interpreters: Vec<usize> = INTERPRETERS.into_iter().filter_map(index_of).collect();
    if let (Some(fast), [_, _]) = (index_of("fast"), &interpreters[..]) {
        let mut better = rows.iter().map(|row| {
            interpreters
                .iter()
                .filter_map(|&index| row.times[index].median())
                .reduce(f64::min)
        });
        ratios.push(Ratio {
            title: format!("fast / better of {}", INTERPRETERS.join(" and ")),
            values: over(fast, &mut better),
            bars: Bars {
                mean: None,
                program: Some(PROGRAM_BAR),
            },
        });
    }
    ratios
}

/// The geometric mean of what there is.
fn mean(values: &[Option<f64>]) -> Option<f64> {
    let logarithms: Vec<f64> = values.iter().flatten().map(|value| value.ln()).collect();
    (!logarithms.is_empty())
        .then(|| (logarithms.iter().sum::<f64>() / logarithms.len() as f64).exp())
}

/// Every measurement.
pub fn json(engines: &[Box<dyn Engine>], rows: &[Row]) -> Value {
    let engine =
        |engine: &dyn Engine| json!({ "name": engine.name(), "description": engine.description() });
    let measured = |measured: &Measured| match measured {
        Measured::Times(times) => json!({
            "median_ms": measured.median().map(|median| median * 1e3),
            "rounds_ms": times.iter().map(|time| time.as_secs_f64() * 1e3).collect::<Vec<_>>(),
        }),
        Measured::Failed(reason) => json!({ "error": reason }),
    };
    let program = |row: &Row| {
        let times = engines.iter().zip(&row.times);
        let times: serde_json::Map<String, Value> = times
            .map(|(engine, times)| (engine.name().to_owned(), measured(times)))
            .collect();
        json!({ "name": row.program, "results": row.results, "engines": times })
    };
    let ratio = |ratio: &Ratio| {
        json!({
            "name": ratio.title,
            "programs": ratio.values,
            "geometric_mean": mean(&ratio.values),
            "mean_bar": ratio.bars.mean,
            "program_bar": ratio.bars.program,
        })
    };
    json!({
        "engines": engines.iter().map(|it| engine(&**it)).collect::<Vec<_>>(),
        "programs": rows.iter().map(program).collect::<Vec<_>>(),
        "ratios": ratios(engines, rows).iter().map(ratio).collect::<Vec<_>>(),
    })
}

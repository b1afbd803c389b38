//! Tables and JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::bars::{Bar, Bars, Comparison};
use crate::engines::{Engine, Engines};
use crate::measure::{Measured, Row};

/// The figures of some programs, by the name of who has them.
pub struct Figures {
    pub names: Vec<String>,
    /// A program, and the figures in the order of the names.
    pub rows: Vec<(String, Vec<Option<f64>>)>,
}

/// A comparison's values, by program.
struct Ratio<'a> {
    comparison: &'a Comparison,
    values: Vec<Option<f64>>,
}

/// A line about the program that was just measured.
pub fn progress(engines: &Engines, row: &Row) -> String {
    let mut line = format!("{:10}", row.program);
    for (engine, measured) in engines.iter().zip(&row.times) {
        _ = match measured.median() {
            Some(median) => write!(line, "  {} {:.0} ms", engine.name(), median * 1e3),
            None => write!(line, "  {} –", engine.name()),
        };
    }
    line
}

/// All tables of times.
pub fn text(engines: &Engines, rows: &[Row], comparisons: &[Comparison]) -> String {
    let medians = milliseconds(engines, rows, Measured::median);
    let mut text = medians.text("median ms", 1);
    text += &medians.ratios_text("ratio of medians", comparisons);
    // What else the machine does only ever adds time.
    let fastest = milliseconds(engines, rows, Measured::fastest);
    text += &fastest.ratios_text("ratio of the fastest rounds", comparisons);
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

/// A time of each engine and each program, which `time` gives in seconds.
fn milliseconds(
    engines: &Engines,
    rows: &[Row],
    time: impl Fn(&Measured) -> Option<f64>,
) -> Figures {
    let time = |measured: &Measured| time(measured).map(|time| time * 1e3);
    Figures {
        names: engines.iter().map(|it| it.name().to_owned()).collect(),
        rows: rows
            .iter()
            .map(|row| {
                let times = row.times.iter().map(time);
                (row.program.to_owned(), times.collect())
            })
            .collect(),
    }
}

impl Figures {
    /// Without rows.
    pub fn new(names: impl Iterator<Item = String>) -> Figures {
        Figures {
            names: names.collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn push(&mut self, program: &str, values: impl Iterator<Item = f64>) {
        self.rows
            .push((program.to_owned(), values.map(Some).collect()));
    }

    /// The table of the figures.
    pub fn text(&self, title: &str, digits: usize) -> String {
        self.text_with_bar(title, digits, None)
    }

    /// The same, with an exclamation mark at each figure that misses the bar.
    pub fn text_with_bar(&self, title: &str, digits: usize, bar: Option<Bar>) -> String {
        let mut text = head(title, self.names.iter().map(String::as_str));
        for (program, values) in &self.rows {
            _ = write!(text, "| {program} |");
            for value in values {
                text += &cell(*value, digits, bar);
            }
            text.push('\n');
        }
        text
    }

    /// The table of the ratios, if there are any.
    pub fn ratios_text(&self, title: &str, comparisons: &[Comparison]) -> String {
        let ratios = self.ratios(comparisons);
        if ratios.is_empty() {
            return String::new();
        }
        let titles: Vec<String> = ratios.iter().map(|it| it.comparison.title()).collect();
        let mut text = head(title, titles.iter().map(String::as_str));
        for ((program, _), index) in self.rows.iter().zip(0..) {
            _ = write!(text, "| {program} |");
            for ratio in &ratios {
                text += &cell(ratio.values[index], 2, ratio.comparison.bars.each);
            }
            text.push('\n');
        }
        text += "| geometric mean |";
        for ratio in &ratios {
            text += &cell(mean(&ratio.values), 2, ratio.comparison.bars.mean);
        }
        text.push('\n');
        for (name, bar_of) in [
            ("bar of the mean", (|bars| bars.mean) as fn(Bars) -> _),
            ("bar of each", |bars| bars.each),
        ] {
            _ = write!(text, "| {name} |");
            for ratio in &ratios {
                let bar = bar_of(ratio.comparison.bars);
                _ = write!(text, " {} |", bar.map_or(String::new(), Bar::text));
            }
            text.push('\n');
        }
        text
    }

    /// Those whose both sides are here.
    fn ratios<'a>(&self, comparisons: &'a [Comparison]) -> Vec<Ratio<'a>> {
        let index_of = |name: &&str| self.names.iter().position(|known| known == name);
        let ratio = |comparison: &'a Comparison| {
            let above = index_of(&comparison.above)?;
            let below: Option<Vec<usize>> = comparison.below.iter().map(index_of).collect();
            let below = below?;
            let value = |(_, values): &(String, Vec<Option<f64>>)| {
                let best = below.iter().filter_map(|&index| values[index]);
                Some(values[above]? / best.reduce(f64::min)?)
            };
            Some(Ratio {
                comparison,
                values: self.rows.iter().map(value).collect(),
            })
        };
        comparisons.iter().filter_map(ratio).collect()
    }

    /// The figures and the ratios.
    pub fn json(&self, comparisons: &[Comparison]) -> Value {
        let row = |(program, values): &(String, Vec<Option<f64>>)| {
            let values = self.names.iter().zip(values);
            let values: serde_json::Map<String, Value> = values
                .map(|(name, value)| (name.clone(), json!(value)))
                .collect();
            json!({ "name": program, "figures": values })
        };
        json!({
            "rows": self.rows.iter().map(row).collect::<Vec<_>>(),
            "ratios": self.ratios_json(comparisons),
        })
    }

    /// The ratios with their bars.
    pub fn ratios_json(&self, comparisons: &[Comparison]) -> Value {
        let bar = |bar: Option<Bar>| bar.map(Bar::text);
        let ratio = |ratio: &Ratio<'_>| {
            json!({
                "name": ratio.comparison.title(),
                "programs": ratio.values,
                "geometric_mean": mean(&ratio.values),
                "mean_bar": bar(ratio.comparison.bars.mean),
                "program_bar": bar(ratio.comparison.bars.each),
            })
        };
        self.ratios(comparisons).iter().map(ratio).collect()
    }
}

/// The first lines of a table.
fn head<'a>(title: &str, names: impl Iterator<Item = &'a str>) -> String {
    let mut text = format!("\n| {title} |");
    let mut rule = "|---|".to_owned();
    for name in names {
        _ = write!(text, " {name} |");
        rule += "---:|";
    }
    format!("{text}\n{rule}\n")
}

/// A figure; with an exclamation mark when it misses its bar.
fn cell(value: Option<f64>, digits: usize, bar: Option<Bar>) -> String {
    let Some(value) = value else {
        return " – |".to_owned();
    };
    let is_missed = bar.is_some_and(|bar| bar.is_missed_by(value));
    let mark = if is_missed { " !" } else { "" };
    format!(" {value:.digits$}{mark} |")
}

/// The geometric mean of what there is.
fn mean(values: &[Option<f64>]) -> Option<f64> {
    let logarithms: Vec<f64> = values.iter().flatten().map(|value| value.ln()).collect();
    (!logarithms.is_empty())
        .then(|| (logarithms.iter().sum::<f64>() / logarithms.len() as f64).exp())
}

/// Every measurement.
pub fn json(engines: &Engines, rows: &[Row], comparisons: &[Comparison]) -> Value {
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
    json!({
        "engines": engines.iter().map(|it| engine(&**it)).collect::<Vec<_>>(),
        "programs": rows.iter().map(program).collect::<Vec<_>>(),
        "ratios": milliseconds(engines, rows, Measured::median).ratios_json(comparisons),
        "ratios_of_fastest": milliseconds(engines, rows, Measured::fastest).ratios_json(comparisons),
    })
}

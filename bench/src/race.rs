//! Engines that run programs beside each other.

use serde_json::{Value, json};

use crate::bars::{self, Comparison};
use crate::engines::{self, Engines};
use crate::measure::{self, Row, Timing};
use crate::programs::{self, Amount, Program};
use crate::{chosen, report};

#[derive(clap::Args)]
pub struct Options {
    /// Rounds; every engine runs every program once in each, and medians are printed
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Only these engines
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    engines: Vec<String>,
    /// Only these programs
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    programs: Vec<String>,
    /// More work, of which machine code has some 0.1 s
    #[arg(long)]
    long: bool,
    /// Print the measurements as JSON instead of tables
    #[arg(long)]
    json: bool,
}

/// What runs beside what, and what is asked of it.
pub struct Race<'a> {
    options: &'a Options,
    engines: Engines,
    programs: Vec<Program>,
    timing: Timing,
    comparisons: &'static [Comparison],
    notes: Option<Notes>,
}

/// What more there is to say: for people, and as JSON.
type Notes = fn(&Engines, &[Program], &[Row]) -> anyhow::Result<(String, Value)>;

impl<'a> Race<'a> {
    /// The main table.
    pub fn speed(options: &'a Options) -> Race<'a> {
        let amount = if options.long {
            Amount::Long
        } else {
            Amount::Short
        };
        Race {
            options,
            engines: engines::all(),
            programs: programs::all(amount),
            timing: Timing::Calls,
            comparisons: bars::SPEED,
            notes: None,
        }
    }

    pub fn wall(options: &'a Options) -> Race<'a> {
        Race {
            engines: engines::wall(),
            programs: programs::all(Amount::Long),
            timing: Timing::Wall,
            comparisons: bars::WALL,
            ..Race::speed(options)
        }
    }

    pub fn conditions(options: &'a Options) -> Race<'a> {
        Race {
            engines: engines::conditions(),
            comparisons: bars::CONDITIONS,
            notes: Some(evaluations),
            ..Race::speed(options)
        }
    }

    pub fn watch(options: &'a Options) -> Race<'a> {
        Race {
            engines: engines::watch(),
            comparisons: bars::WATCH,
            ..Race::speed(options)
        }
    }

    pub fn exceptions(options: &'a Options) -> Race<'a> {
        Race {
            engines: engines::objects(),
            programs: programs::exceptions(),
            comparisons: bars::OBJECTS,
            ..Race::speed(options)
        }
    }

    pub fn collections(options: &'a Options) -> Race<'a> {
        Race {
            programs: programs::collections(),
            // Heaps that live on grow, and some collectors with them.
            timing: Timing::Wall,
            ..Race::exceptions(options)
        }
    }

    /// Measures and prints.
    pub fn run(self) -> anyhow::Result<()> {
        let options = self.options;
        let engines = chosen(self.engines, &options.engines, |engine| engine.name())?;
        let programs = chosen(self.programs, &options.programs, |program| program.name)?;
        let mut rows = Vec::new();
        for program in &programs {
            let row = measure::measure(&engines, program, (self.timing, options.rounds))?;
            if !options.json {
                eprintln!("{}", report::progress(&engines, &row));
            }
            rows.push(row);
        }
        let notes = self.notes.map(|notes| notes(&engines, &programs, &rows));
        let (notes_text, notes_json) = notes.transpose()?.unwrap_or_default();
        if options.json {
            let mut json = report::json(&engines, &rows, self.comparisons);
            json["notes"] = notes_json;
            println!("{}", serde_json::to_string_pretty(&json)?);
        } else {
            print!("{}", report::text(&engines, &rows, self.comparisons));
            print!("{notes_text}");
        }
        Ok(())
    }
}

/// How often conditions are evaluated.
fn evaluations(
    engines: &Engines,
    programs: &[Program],
    rows: &[Row],
) -> anyhow::Result<(String, Value)> {
    let mut text = "\n| evaluations | at | condition | in a run | million a second |\n|---|---|---|---:|---:|\n".to_owned();
    let mut all = Vec::new();
    let index = engines.iter().position(|it| it.name() == "opt-condition");
    for (program, row) in programs.iter().zip(rows) {
        let Some(median) = index.and_then(|index| row.times[index].median()) else {
            continue;
        };
        let hottest = program.hottest()?;
        let pc = hottest.place.pc.0;
        let per_second = hottest.arrivals as f64 / median;
        text += &format!(
            "| {} | {pc:#x} | {} | {} | {:.1} |\n",
            program.name,
            hottest.text,
            hottest.arrivals,
            per_second / 1e6
        );
        all.push(json!({
            "program": program.name,
            "pc": pc,
            "condition": hottest.text,
            "evaluations": hottest.arrivals,
            "evaluations_per_second": per_second,
        }));
    }
    Ok((text, all.into()))
}

//! Evaluates formulas: numbers, variables, the four operations and functions.
//!
//! `calc` works through a list of formulas of its own and prints the value of
//! each, or what is wrong with it.

mod eval;
mod functions;
mod parse;

use eval::Environment;

/// Each line is a formula, or the definition of a variable.
const LINES: [&str; 11] = [
    "2 + 3 * 4",
    "(2 + 3) * 4",
    "radius = 1.5 * 2",
    "3.14159 * radius * radius",
    "10 / (radius - 3)",
    "-square(radius) + diameter",
    "max(1, radius, square(2))",
    "sum(1, 2, 3",
    "median(8, 3, 5)",
    "median(10, 1, 3, 2)",
    "median(44, 40)",
];

#[derive(Debug, Default)]
struct Summary {
    values: Vec<f64>,
    failed_lines: Vec<usize>,
    longest: Option<&'static str>,
}

impl Summary {
    fn add(&mut self, number: usize, line: &'static str, value: Option<f64>) {
        match value {
            Some(value) => self.values.push(value),
            None => self.failed_lines.push(number),
        }
        if self
            .longest
            .is_none_or(|longest| line.len() > longest.len())
        {
            self.longest = Some(line);
        }
    }
}

/// Carries out one line; the error is ready to be shown.
fn run_line(line: &str, environment: &mut Environment) -> Result<f64, String> {
    let (variable, formula) = match line.split_once('=') {
        Some((name, formula)) => (Some(name.trim()), formula),
        None => (None, line),
    };
    let expression = parse::parse(formula).map_err(|error| error.to_string())?;
    let value = environment
        .evaluate(&expression)
        .map_err(|error| error.to_string())?;
    if let Some(name) = variable {
        environment.define(name, value);
    }
    Ok(value)
}

fn main() {
    let mut environment = Environment::new();
    let mut summary = Summary::default();
    for (index, line) in LINES.iter().enumerate() {
        let result = run_line(line, &mut environment);
        match &result {
            Ok(value) => println!("{line:28} {value}"),
            Err(message) => println!("{line:28} {message}"),
        }
        summary.add(index + 1, line, result.ok());
    }
    println!(
        "{} values by {} evaluations, failed: {:?}, longest: {}",
        summary.values.len(),
        environment.evaluations(),
        summary.failed_lines,
        summary.longest.unwrap_or("none"),
    );
}

//! The functions that a formula can call.

use std::collections::BTreeMap;

/// How many arguments a function takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arity {
    Exactly(usize),
    AtLeast { count: usize },
}

impl Arity {
    pub fn allows(self, count: usize) -> bool {
        match self {
            Arity::Exactly(wanted) => count == wanted,
            Arity::AtLeast { count: least } => count >= least,
        }
    }
}

pub trait Function {
    fn arity(&self) -> Arity;
    fn call(&self, arguments: &[f64]) -> f64;
}

/// A function of one number.
struct Plain<F>(F);

impl<F: Fn(f64) -> f64> Function for Plain<F> {
    fn arity(&self) -> Arity {
        Arity::Exactly(1)
    }

    fn call(&self, arguments: &[f64]) -> f64 {
        (self.0)(arguments[0])
    }
}

/// Combines all arguments, from the left to the right.
struct Fold {
    start: f64,
    step: fn(f64, f64) -> f64,
}

impl Function for Fold {
    fn arity(&self) -> Arity {
        Arity::AtLeast { count: 1 }
    }

    fn call(&self, arguments: &[f64]) -> f64 {
        let mut result = self.start;
        for argument in arguments {
            result = (self.step)(result, *argument);
        }
        result
    }
}

/// The number in the middle; the mean of the two in the middle when there is
/// an even number of them.
struct Median;

impl Function for Median {
    fn arity(&self) -> Arity {
        Arity::AtLeast { count: 1 }
    }

    fn call(&self, arguments: &[f64]) -> f64 {
        let mut sorted = arguments.to_vec();
        sorted.sort_by(|left, right| left.total_cmp(right));
        let middle = sorted.len() / 2;
        if sorted.len() % 2 == 1 {
            return sorted[middle];
        }
        (sorted[middle] + sorted[middle + 1]) / 2.0
    }
}

pub fn all() -> BTreeMap<&'static str, Box<dyn Function>> {
    let mut functions: BTreeMap<&'static str, Box<dyn Function>> = BTreeMap::new();
    functions.insert("square", Box::new(Plain(|number| number * number)));
    functions.insert("abs", Box::new(Plain(f64::abs)));
    functions.insert(
        "sum",
        Box::new(Fold {
            start: 0.0,
            step: |sum, number| sum + number,
        }),
    );
    functions.insert(
        "max",
        Box::new(Fold {
            start: f64::NEG_INFINITY,
            step: f64::max,
        }),
    );
    functions.insert("median", Box::new(Median));
    functions
}

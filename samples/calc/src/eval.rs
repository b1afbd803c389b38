//! The value of an expression.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::BuildHasherDefault;

use crate::functions::{self, Arity, Function};
use crate::parse::{Expression, Operator};

/// Hashes without a random seed, so that each run of the program is the same.
type Variables = HashMap<String, f64, BuildHasherDefault<DefaultHasher>>;

pub struct Environment {
    variables: Variables,
    functions: BTreeMap<&'static str, Box<dyn Function>>,
    evaluations: u64,
}

#[derive(Debug)]
pub enum EvalError {
    UnknownVariable(String),
    UnknownFunction(String),
    WrongArguments {
        function: String,
        wanted: Arity,
        given: usize,
    },
    DivisionByZero,
}

impl fmt::Display for EvalError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EvalError::UnknownVariable(name) => write!(formatter, "there is no variable {name}"),
            EvalError::UnknownFunction(name) => write!(formatter, "there is no function {name}"),
            EvalError::WrongArguments {
                function,
                wanted,
                given,
            } => write!(
                formatter,
                "{function} wants {wanted:?} arguments, not {given}"
            ),
            EvalError::DivisionByZero => write!(formatter, "division by zero"),
        }
    }
}

impl Environment {
    pub fn new() -> Self {
        Environment {
            variables: Variables::default(),
            functions: functions::all(),
            evaluations: 0,
        }
    }

    /// How many expressions were evaluated, with those inside others.
    pub fn evaluations(&self) -> u64 {
        self.evaluations
    }

    pub fn define(&mut self, name: &str, value: f64) {
        self.variables.insert(name.to_string(), value);
    }

    pub fn evaluate(&mut self, expression: &Expression) -> Result<f64, EvalError> {
        self.evaluations += 1;
        match expression {
            Expression::Number(number) => Ok(*number),
            Expression::Variable(name) => match self.variables.get(name) {
                Some(value) => Ok(*value),
                None => Err(EvalError::UnknownVariable(name.clone())),
            },
            Expression::Negated(inner) => Ok(-self.evaluate(inner)?),
            Expression::Binary {
                operator,
                left,
                right,
            } => {
                let left = self.evaluate(left)?;
                let right = self.evaluate(right)?;
                apply(*operator, left, right)
            }
            Expression::Call {
                function,
                arguments,
            } => self.call(function, arguments),
        }
    }

    fn call(&mut self, name: &str, arguments: &[Expression]) -> Result<f64, EvalError> {
        let values = arguments
            .iter()
            .map(|argument| self.evaluate(argument))
            .collect::<Result<Vec<f64>, EvalError>>()?;
        let Some(function) = self.functions.get(name) else {
            return Err(EvalError::UnknownFunction(name.to_string()));
        };
        let wanted = function.arity();
        if !wanted.allows(values.len()) {
            return Err(EvalError::WrongArguments {
                function: name.to_string(),
                wanted,
                given: values.len(),
            });
        }
        Ok(function.call(&values))
    }
}

fn apply(operator: Operator, left: f64, right: f64) -> Result<f64, EvalError> {
    match operator {
        Operator::Add => Ok(left + right),
        Operator::Subtract => Ok(left - right),
        Operator::Multiply => Ok(left * right),
        Operator::Divide if right == 0.0 => Err(EvalError::DivisionByZero),
        Operator::Divide => Ok(left / right),
    }
}

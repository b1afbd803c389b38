//! From text to an expression, by recursive descent.

use std::fmt;
use std::iter::Peekable;
use std::str::Chars;

const DEPTH_MAX: u32 = 20;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
}

#[derive(Debug)]
pub enum Expression {
    Number(f64),
    Variable(String),
    Negated(Box<Expression>),
    Binary {
        operator: Operator,
        left: Box<Expression>,
        right: Box<Expression>,
    },
    Call {
        function: String,
        arguments: Vec<Expression>,
    },
}

#[derive(Debug)]
pub enum ParseError {
    Unexpected(char),
    UnexpectedEnd,
    BadNumber(String),
    TooDeep { limit: u32 },
}

impl fmt::Display for ParseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParseError::Unexpected(letter) => write!(formatter, "'{letter}' does not belong here"),
            ParseError::UnexpectedEnd => write!(formatter, "the formula ends too early"),
            ParseError::BadNumber(text) => write!(formatter, "{text} is no number"),
            ParseError::TooDeep { limit } => write!(formatter, "more than {limit} nested brackets"),
        }
    }
}

pub fn parse(text: &str) -> Result<Expression, ParseError> {
    let mut parser = Parser {
        letters: text.chars().peekable(),
        depth: 0,
    };
    let expression = parser.sum()?;
    match parser.peek() {
        None => Ok(expression),
        Some(letter) => Err(ParseError::Unexpected(letter)),
    }
}

struct Parser<'text> {
    letters: Peekable<Chars<'text>>,
    depth: u32,
}

impl Parser<'_> {
    /// The next letter that is no space.
    fn peek(&mut self) -> Option<char> {
        while self.letters.next_if(|letter| *letter == ' ').is_some() {}
        self.letters.peek().copied()
    }

    fn accept(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.letters.next();
        }
        found
    }

    /// Enters the bracket that is next.
    fn open(&mut self) -> Result<(), ParseError> {
        self.letters.next();
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(ParseError::TooDeep { limit: DEPTH_MAX });
        }
        Ok(())
    }

    /// Leaves the innermost bracket, which must end here.
    fn close(&mut self) -> Result<(), ParseError> {
        if self.accept(')') {
            self.depth -= 1;
            return Ok(());
        }
        Err(match self.peek() {
            Some(letter) => ParseError::Unexpected(letter),
            None => ParseError::UnexpectedEnd,
        })
    }

    fn sum(&mut self) -> Result<Expression, ParseError> {
        let mut left = self.product()?;
        loop {
            let operator = match self.peek() {
                Some('+') => Operator::Add,
                Some('-') => Operator::Subtract,
                _ => return Ok(left),
            };
            self.letters.next();
            let right = self.product()?;
            left = binary(operator, left, right);
        }
    }

    fn product(&mut self) -> Result<Expression, ParseError> {
        let mut left = self.factor()?;
        loop {
            let operator = match self.peek() {
                Some('*') => Operator::Multiply,
                Some('/') => Operator::Divide,
                _ => return Ok(left),
            };
            self.letters.next();
            let right = self.factor()?;
            left = binary(operator, left, right);
        }
    }

    fn factor(&mut self) -> Result<Expression, ParseError> {
        match self.peek() {
            Some('-') => {
                self.letters.next();
                Ok(Expression::Negated(Box::new(self.factor()?)))
            }
            Some('(') => {
                self.open()?;
                let inner = self.sum()?;
                self.close()?;
                Ok(inner)
            }
            Some(letter) if letter.is_ascii_digit() => self.number(),
            Some(letter) if letter.is_alphabetic() => self.variable_or_call(),
            Some(letter) => Err(ParseError::Unexpected(letter)),
            None => Err(ParseError::UnexpectedEnd),
        }
    }

    fn number(&mut self) -> Result<Expression, ParseError> {
        let text = self.word(|letter| letter.is_ascii_digit() || letter == '.');
        match text.parse() {
            Ok(number) => Ok(Expression::Number(number)),
            Err(_) => Err(ParseError::BadNumber(text)),
        }
    }

    fn variable_or_call(&mut self) -> Result<Expression, ParseError> {
        let name = self.word(char::is_alphanumeric);
        if self.peek() != Some('(') {
            return Ok(Expression::Variable(name));
        }
        let mut arguments = Vec::new();
        self.open()?;
        loop {
            arguments.push(self.sum()?);
            if !self.accept(',') {
                break;
            }
        }
        self.close()?;
        Ok(Expression::Call {
            function: name,
            arguments,
        })
    }

    fn word(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let mut word = String::new();
        while let Some(letter) = self.letters.next_if(|letter| belongs(*letter)) {
            word.push(letter);
        }
        word
    }
}

fn binary(operator: Operator, left: Expression, right: Expression) -> Expression {
    Expression::Binary {
        operator,
        left: Box::new(left),
        right: Box::new(right),
    }
}

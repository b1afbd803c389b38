//! Runs the specification's test scripts (`.wast`) on the machine of wdb.
//!
//! This crate refuses to know which scripts there are and which of them should fail: it says how each assertion went.

#![forbid(unsafe_code)]

mod language;
mod script;
mod spectest;
mod values;

pub use language::{Language, UnknownFeature};
use wast::Wast;
use wast::lexer::{Lexer, TokenKind};
use wast::parser::{self, ParseBuffer};
pub use wdb_vm::WasmFeatures;
pub use wdb_vm::module::FEATURES;
pub use wdb_vm::tier::Tier;

use crate::script::{Script, Verdict};

/// The names of the tiers that run scripts.
pub const TIERS: [&str; Tier::ALL.len()] = Tier::NAMES;

/// How the functions that a script calls are executed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Execution {
    /// What runs them at full speed.
    pub tier: Tier,
    /// In which ways.
    pub mode: Mode,
}

/// In which ways each function is executed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// At full speed.
    Run,
    /// By single instructions and then, from the same state, at full speed. An assertion holds only when both have the same
    /// outcome, final state and clock.
    StepAndRun,
}

/// How a script went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// The tier that it ran on.
    pub tier: Tier,
    /// The number of assertions in the text.
    pub assertions: usize,
    /// The number of assertions that hold.
    pub passed: usize,
    /// What went wrong, in the order of the text.
    pub failures: Vec<Failure>,
}

/// Something in a script that did not go as it should: an assertion that does not hold, or a module or call without which
/// the assertions after it mean nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The line that it starts at, from 1.
    pub line: usize,
    /// What happened instead.
    pub reason: String,
}

/// A script that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ReadError {
    /// Where, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// The number of assertions in the text, none of which was run.
    pub assertions: usize,
}

/// Runs a script, whose modules are of this language.
pub fn run(text: &str, language: Language, execution: Execution) -> Result<Report, ReadError> {
    let assertions = count_assertions(text);
    let read_error = |error: wast::Error| ReadError {
        line: error.span().linecol_in(text).0 + 1,
        message: error.message(),
        assertions,
    };
    let buffer = ParseBuffer::new_with_lexer(lexer(text)).map_err(read_error)?;
    let wast = parser::parse::<Wast<'_>>(&buffer).map_err(read_error)?;
    let mut script = Script::new(language, execution);
    let mut report = Report {
        tier: execution.tier,
        assertions,
        passed: 0,
        failures: Vec::new(),
    };
    for directive in wast.directives {
        let line = directive.span().linecol_in(text).0 + 1;
        match script.directive(directive) {
            Verdict::Done => {}
            Verdict::Passed => report.passed += 1,
            Verdict::Failed(reason) => report.failures.push(Failure { line, reason }),
        }
    }
    Ok(report)
}

/// The specification's tests contain characters that could deceive a reader.
fn lexer(text: &str) -> Lexer<'_> {
    let mut lexer = Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    lexer
}

/// The number of assertions in a text, as far as it consists of tokens: `(assert_…` outside of comments and strings.
#[must_use]
pub fn count_assertions(text: &str) -> usize {
    let mut count = 0;
    let mut follows_parenthesis = false;
    for token in lexer(text).iter(0).map_while(Result::ok) {
        count += usize::from(
            follows_parenthesis
                && token.kind == TokenKind::Keyword
                && token.src(text).starts_with("assert_"),
        );
        follows_parenthesis = token.kind == TokenKind::LParen;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::{Execution, FEATURES, Failure, Language, Mode, Tier, count_assertions, run};

    const SCRIPT: &str = r#"
        ;; (assert_return in a comment
        (module (func (export "f") (param i32) (result i32) local.get 0)
            (func (export "trap") unreachable))
        (assert_return (invoke "f" (i32.const 1)) (i32.const 1))
        (assert_return (invoke "f" (i32.const 1)) (i32.const 2))
        (assert_trap (invoke "trap") "unreachable")
        (assert_trap (invoke "trap") "integer overflow")
        (assert_return (invoke "missing"))
        (assert_invalid (module (func (result i32))) "type mismatch")
        (invoke "trap")"#;

    #[test]
    fn what_does_not_hold_is_reported_with_its_line() {
        let modes = [Mode::Run, Mode::StepAndRun];
        let executions = Tier::ALL
            .into_iter()
            .flat_map(|tier| modes.map(|mode| Execution { tier, mode }));
        for execution in executions {
            let report = run(SCRIPT, Language::of(FEATURES), execution).expect("a script");
            assert_eq!(report.tier, execution.tier);
            assert_eq!((report.assertions, report.passed), (6, 3));
            let lines: Vec<usize> = report.failures.iter().map(|failure| failure.line).collect();
            assert_eq!(lines, [6, 8, 9, 11]);
            assert_eq!(
                report.failures[0],
                Failure {
                    line: 6,
                    reason: "returned 1, not 2".to_owned()
                }
            );
        }
    }

    #[test]
    fn what_cannot_be_read_has_a_line() {
        let execution = Execution {
            tier: Tier::default(),
            mode: Mode::Run,
        };
        let text = "(module)\n(assert_return";
        let error = run(text, Language::of(FEATURES), execution).expect_err("no script");
        assert_eq!((error.line, error.assertions), (2, 1));
        assert_eq!(count_assertions("\"(assert_trap\" (assert_trap"), 1);
    }
}

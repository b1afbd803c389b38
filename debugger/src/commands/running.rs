//! Commands that let the program run.

use crate::debugger::Debugger;
use crate::error::Error;
use crate::execution::StepKind;
use crate::location::{Location, inlined_places};

pub(super) fn run(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if !arguments.is_empty() {
        debugger.set_arguments(split_words(arguments)?);
    }
    debugger.run()
}

pub(super) fn start(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if !arguments.is_empty() {
        debugger.set_arguments(split_words(arguments)?);
    }
    let places = debugger.start_places()?;
    debugger.add_temporary("main", &places);
    debugger.run()
}

pub(super) fn continue_(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    debugger.expect_able_to_go_on()?;
    if !arguments.is_empty() {
        let count = debugger.evaluate_count(arguments)?;
        debugger.ignore_here(count)?;
    }
    if debugger.is_outside_bodies() {
        debugger.say("Continuing.");
    }
    debugger.resume()
}

pub(super) fn step(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    step_by(debugger, StepKind::LineInto, arguments)
}

pub(super) fn next(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    step_by(debugger, StepKind::LineOver, arguments)
}

pub(super) fn stepi(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    step_by(debugger, StepKind::InstructionInto, arguments)
}

pub(super) fn nexti(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    step_by(debugger, StepKind::InstructionOver, arguments)
}

pub(super) fn finish(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if !arguments.is_empty() {
        return Err(Error::other(
            "The \"finish\" command does not take any arguments.",
        ));
    }
    debugger.finish()
}

pub(super) fn until(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if arguments.is_empty() {
        debugger.expect_able_to_go_on()?;
        return debugger.step(StepKind::LineForward, 1);
    }
    run_to(debugger, arguments, true)
}

pub(super) fn advance(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if arguments.is_empty() {
        return Err(Error::other(
            "advance needs a location, as in `advance fib.c:12`.",
        ));
    }
    run_to(debugger, arguments, false)
}

pub(super) fn kill(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    debugger.kill()
}

impl Debugger {
    /// What the program is given, or the function that is invoked instead of it.
    pub(super) fn arguments(&self) -> &[String] {
        match &self.options.invoke {
            Some((_, arguments)) => arguments,
            None => &self.options.args,
        }
    }

    /// Changes what the program is given from the next start on.
    pub(super) fn set_arguments(&mut self, words: Vec<String>) {
        match &mut self.options.invoke {
            Some((_, arguments)) => *arguments = words,
            None => self.options.args = words,
        }
        self.drop_fresh_machine();
    }
}

fn run_to(debugger: &mut Debugger, arguments: &str, stays: bool) -> Result<(), Error> {
    debugger.expect_alive()?;
    let location = Location::parse(arguments)?;
    let places = debugger.resolve(&location)?;
    let inlined = inlined_places(&debugger.program, &location, &places);
    debugger.run_to(&places, &inlined, stays)
}

fn step_by(debugger: &mut Debugger, kind: StepKind, arguments: &str) -> Result<(), Error> {
    debugger.expect_able_to_go_on()?;
    let count = match arguments {
        "" => 1,
        text => debugger.evaluate_count(text)?,
    };
    match u64::try_from(count) {
        Ok(0) | Err(_) => Ok(()),
        Ok(count) => debugger.step(kind, count),
    }
}

/// Splits arguments as a shell does: at blanks, with quotes and backslashes.
pub(super) fn split_words(text: &str) -> Result<Vec<String>, Error> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\\', None | Some('"')) => {
                let escaped = characters.next().unwrap_or('\\');
                word.get_or_insert_default().push(escaped);
            }
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    if let Some(quote) = quote {
        return Err(Error::Other(format!("The quote {quote} has no end.")));
    }
    words.extend(word);
    Ok(words)
}

/// Words as [`split_words`] takes them apart, quoted where that is necessary.
pub(crate) fn join_words(words: &[String]) -> String {
    let is_plain = |c: char| !(c.is_whitespace() || matches!(c, '\'' | '"' | '\\'));
    let quoted = words.iter().map(|word| {
        if !word.is_empty() && word.chars().all(is_plain) {
            word.clone()
        } else if word.contains('\'') {
            format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
        } else {
            format!("'{word}'")
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{join_words, split_words};

    #[test]
    fn words_are_joined_so_that_they_split_again() {
        for words in [&["a", "b"][..], &["a b", "", "'", "\"", "\\", "'\"\\ "]] {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(split_words(&join_words(&words)), Ok(words));
        }
    }

    #[test]
    fn words_are_split_as_a_shell_does() {
        let split = |text| split_words(text).expect("quotes end");
        assert_eq!(split("a  b"), ["a", "b"]);
        assert_eq!(
            split(r#"'a b' "c \"d" e\ f """#),
            ["a b", "c \"d", "e f", ""]
        );
        assert!(split_words("'a").is_err());
    }
}

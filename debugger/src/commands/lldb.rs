//! lldb's spellings: `breakpoint set --name fib` is understood as `break fib`.
//!
//! One table says what each spelling is made of and which lines in wdb's own language it stands for. Nothing else knows lldb's
//! words, and no spelling does anything that the lines could not.

mod breakpoints;
mod code;
mod data;
mod parts;
mod running;

use crate::commands::table::Command;
use crate::debugger::Debugger;
use crate::error::Error;
use crate::location::nearest;

/// All spellings. Those with the same beginning stand together.
pub(crate) fn spellings() -> impl Iterator<Item = &'static Spelling> + Clone {
    let tables = [
        breakpoints::SPELLINGS,
        running::SPELLINGS,
        data::SPELLINGS,
        code::SPELLINGS,
    ];
    tables.into_iter().flatten()
}

/// A command of lldb's.
pub(crate) struct Spelling {
    /// Its words: `breakpoint set`. The first one is a command of the table.
    pub(crate) words: &'static [&'static str],
    /// What may stand after them with a dash.
    pub(crate) flags: &'static [Flag],
    /// What follows otherwise, for help: `[NUMBERS]`.
    pub(crate) rest: &'static str,
    /// Whether the rest is one text, in which dashes mean nothing.
    is_raw: bool,
    /// What it is in wdb's language, for help.
    pub(crate) like: &'static str,
    /// The lines that it stands for.
    lines: fn(&Given<'_>) -> Result<Vec<String>, Error>,
}

/// An option of a spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flag {
    /// `-n`
    pub(crate) short: char,
    /// `--name`
    pub(crate) long: &'static str,
    /// What follows it; `None` if nothing does.
    pub(crate) value: Option<&'static str>,
}

/// What a user has written after the words of a spelling.
pub(super) struct Given<'a> {
    debugger: &'a Debugger,
    spelling: &'static Spelling,
    /// The long names of the flags with what followed each.
    flags: Vec<(&'static str, String)>,
    /// The words without a dash.
    words: Vec<String>,
    /// The same as it was written, from the first of them on.
    raw: &'a str,
}

impl Given<'_> {
    fn has(&self, flag: &str) -> bool {
        self.value(flag).is_some()
    }

    fn value(&self, flag: &str) -> Option<&str> {
        let found = self.flags.iter().find(|(name, _)| *name == flag);
        found.map(|(_, value)| value.as_str())
    }

    fn values<'g>(&'g self, flag: &'g str) -> impl Iterator<Item = &'g str> {
        let flags = self.flags.iter().filter(move |(name, _)| *name == flag);
        flags.map(|(_, value)| value.as_str())
    }

    /// The words side by side.
    fn text(&self) -> String {
        self.words.join(" ")
    }
}

/// What makes a line a spelling of lldb's though it begins with a command that wdb has itself: `frame variable`.
pub(super) fn perform_shared(
    debugger: &mut Debugger,
    family: &str,
    arguments: &str,
) -> Option<Result<(), Error>> {
    let word = arguments.split_whitespace().next()?;
    let of_family = || spellings().filter(|spelling| spelling.words[0] == family);
    let is_flag = word.len() > 1
        && word.starts_with('-')
        && word[1..].starts_with(|c: char| c.is_alphabetic() || c == '-');
    // A whole word only: `frame v` may be a variable that holds a number, `source in` a file.
    let takes_flags = of_family().any(|spelling| spelling.words.len() == 1);
    let is_meant = (is_flag && takes_flags) || is_word_of(family, word);
    is_meant.then(|| perform(debugger, family, arguments))
}

/// Whether arguments can only be lldb's though they follow a name that is one of gdb's, too: `br del 1`, `wa s v x`. What is
/// shortened has to be followed by something, or to look at things only: `break d` may be a slip of the pen.
pub(super) fn fits(family: &str, arguments: &str) -> bool {
    let (word, rest) = super::first_word(arguments);
    let mut words: Vec<&'static str> = spellings()
        .filter(|spelling| spelling.words[0] == family)
        .filter_map(|spelling| spelling.words.get(1).copied())
        .collect();
    words.dedup();
    match choose(word, &words) {
        Some("list" | "info" | "variable") => true,
        Some(chosen) => chosen == word || !rest.is_empty(),
        None => false,
    }
}

/// Whether a word, as it is, can follow the first one of a family.
pub(super) fn is_word_of(family: &str, word: &str) -> bool {
    let mut of_family = spellings().filter(|spelling| spelling.words[0] == family);
    of_family.any(|spelling| spelling.words.get(1) == Some(&word))
}

/// Performs the lines that a spelling stands for.
pub(super) fn perform(debugger: &mut Debugger, family: &str, arguments: &str) -> Result<(), Error> {
    let (spelling, rest) = find(family, arguments)?;
    let given = spelling.read(debugger, rest)?;
    let lines = (spelling.lines)(&given)?;
    drop(given);
    lines
        .iter()
        .try_for_each(|line| debugger.perform_line(line))
}

/// The spelling that begins with these words, each of which can be shortened, and what follows it.
pub(crate) fn find<'a>(
    family: &str,
    arguments: &'a str,
) -> Result<(&'static Spelling, &'a str), Error> {
    let mut candidates: Vec<&'static Spelling> =
        spellings().filter(|it| it.words[0] == family).collect();
    let mut rest = arguments.trim();
    for level in 1.. {
        if let [only] = &*candidates
            && only.words.len() == level
        {
            return Ok((only, rest));
        }
        let mut words: Vec<&'static str> = candidates
            .iter()
            .filter_map(|it| it.words.get(level).copied())
            .collect();
        words.dedup();
        let said = &candidates[0].words[..level].join(" ");
        let (typed, after) = super::first_word(rest);
        // A format needs no blank: `memory read/4xw`.
        let (typed, after) = match typed.split_once('/') {
            Some((word, _)) if !word.is_empty() => (word, rest[word.len()..].trim_start()),
            _ => (typed, after),
        };
        let Some(word) = choose(typed, &words) else {
            let list = words.join(", ");
            return Err(Error::Other(match typed {
                "" => format!("{said} needs one of {list}; `help {family}` explains them."),
                typed => {
                    let near = nearest(typed, words.iter().copied());
                    let hint = match &*near {
                        [] => String::new(),
                        near => format!(" Did you mean {}?", near.join(" or ")),
                    };
                    format!("\"{typed}\" cannot follow `{said}`; there are {list}.{hint}")
                }
            }));
        };
        candidates.retain(|it| it.words.get(level) == Some(&word));
        rest = after;
    }
    unreachable!("every spelling has an end")
}

/// The word that is meant: itself, or the only one that it begins; of those that begin each other, the shortest.
fn choose(typed: &str, words: &[&'static str]) -> Option<&'static str> {
    if typed.is_empty() {
        return None;
    }
    let mut fitting: Vec<&'static str> = words
        .iter()
        .copied()
        .filter(|it| it.starts_with(typed))
        .collect();
    fitting.sort_unstable();
    let first = *fitting.first()?;
    let is_clear = first == typed || fitting.iter().all(|it| it.starts_with(first));
    match is_clear {
        true => Some(first),
        // lldb's own map of commands has `me r`, though there is `memory region`.
        false => fitting.into_iter().find(|it| *it == "read"),
    }
}

impl Spelling {
    /// How it is written.
    pub(crate) fn usage(&self) -> String {
        let mut usage = self.words.join(" ");
        for flag in self.flags {
            let value = flag
                .value
                .map_or_else(String::new, |value| format!(" {value}"));
            usage.push_str(&format!(" [-{}{value}]", flag.short));
        }
        if !self.rest.is_empty() {
            usage.push_str(&format!(" {}", self.rest));
        }
        usage
    }

    /// Understands what follows the words.
    fn read<'a>(&'static self, debugger: &'a Debugger, text: &'a str) -> Result<Given<'a>, Error> {
        let mut given = Given {
            debugger,
            spelling: self,
            flags: Vec::new(),
            words: Vec::new(),
            raw: "",
        };
        let mut rest = text.trim_start();
        let mut takes_flags = true;
        while !rest.is_empty() {
            let (word, after) = next_word(rest)?;
            let is_flag =
                takes_flags && word.len() > 1 && word.starts_with('-') && !is_number(&word);
            if !is_flag {
                if given.words.is_empty() {
                    given.raw = rest.trim_end();
                }
                given.words.push(word);
                takes_flags &= !self.is_raw;
                rest = after;
                continue;
            }
            rest = after;
            if word == "--" {
                takes_flags = false;
                continue;
            }
            rest = self.read_flag(&word, rest, &mut given.flags)?;
        }
        match given.words.first() {
            Some(word) if self.rest.is_empty() => Err(Error::Other(format!(
                "{} takes flags only, and not `{word}`.",
                self.words.join(" ")
            ))),
            _ => Ok(given),
        }
    }

    /// Understands a word with a dash; answers what follows it and its value.
    fn read_flag<'a>(
        &self,
        word: &str,
        mut rest: &'a str,
        flags: &mut Vec<(&'static str, String)>,
    ) -> Result<&'a str, Error> {
        let needs_value = |name: &str| {
            Error::Other(format!(
                "{} needs a value after {name}.",
                self.words.join(" ")
            ))
        };
        if let Some(name) = word.strip_prefix("--") {
            let (name, attached) = match name.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (name, None),
            };
            let names: Vec<&'static str> = self.flags.iter().map(|flag| flag.long).collect();
            let long = choose(name, &names).ok_or_else(|| self.no_flag(word))?;
            let flag = self.flags.iter().find(|flag| flag.long == long);
            let takes_value = flag.is_some_and(|flag| flag.value.is_some());
            let value = match attached {
                Some(value) => value,
                None if takes_value => {
                    let (value, after) = next_word(rest)?;
                    if rest.is_empty() {
                        return Err(needs_value(word));
                    }
                    rest = after;
                    value
                }
                None => String::new(),
            };
            flags.push((long, value));
            return Ok(rest);
        }
        // Several letters can share a dash, and the last one's value can stand right after it.
        let letters = &word[1..];
        for (position, letter) in letters.char_indices() {
            let flag = self.flags.iter().find(|flag| flag.short == letter);
            let flag = flag.ok_or_else(|| self.no_flag(&format!("-{letter}")))?;
            if flag.value.is_none() {
                flags.push((flag.long, String::new()));
                continue;
            }
            let attached = &letters[position + letter.len_utf8()..];
            if !attached.is_empty() {
                flags.push((flag.long, attached.to_owned()));
                return Ok(rest);
            }
            if rest.is_empty() {
                return Err(needs_value(&format!("-{letter}")));
            }
            let (value, after) = next_word(rest)?;
            flags.push((flag.long, value));
            return Ok(after);
        }
        Ok(rest)
    }

    fn no_flag(&self, flag: &str) -> Error {
        let said = self.words.join(" ");
        let known: Vec<String> = self
            .flags
            .iter()
            .map(|flag| format!("-{} (--{})", flag.short, flag.long))
            .collect();
        Error::Other(match &*known {
            [] => format!("{said} takes no flags, and not {flag}."),
            known => format!("{said} has no flag {flag}; it has {}.", known.join(", ")),
        })
    }
}

/// The first word of a text as a shell takes it apart, and what follows. A quote that does not end takes everything.
fn next_word(text: &str) -> Result<(String, &str), Error> {
    let mut word = String::new();
    let mut quote: Option<char> = None;
    let mut characters = text.char_indices();
    while let Some((position, c)) = characters.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\\', None | Some('"')) => {
                // In front of anything else a backslash stands for itself: it belongs to a regular expression.
                match characters.next() {
                    Some((_, c)) if matches!(c, '"' | '\'' | '\\' | ' ') => word.push(c),
                    Some((_, c)) => word.extend(['\\', c]),
                    None => word.push('\\'),
                }
            }
            ('\'' | '"', None) => quote = Some(c),
            (c, None) if c.is_whitespace() => return Ok((word, text[position..].trim_start())),
            (c, _) => word.push(c),
        }
    }
    match quote {
        Some(quote) => Err(Error::Other(format!("The quote {quote} has no end."))),
        None => Ok((word, "")),
    }
}

fn is_number(word: &str) -> bool {
    word[1..].starts_with(|c: char| c.is_ascii_digit())
}

/// The help of a command that has spellings: what each of them is.
pub(crate) fn help(command: &Command) -> Option<String> {
    let spellings = spellings().filter(|it| it.words[0] == command.name);
    let lines: Vec<String> = spellings
        .map(|it| format!("{}\n    is `{}`", it.usage(), it.like))
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::{choose, find, next_word, spellings};
    use crate::commands::table::commands;

    #[test]
    fn words_are_found_by_their_beginnings() {
        let found = |family, arguments| match find(family, arguments) {
            Ok((spelling, rest)) => format!("{}|{rest}", spelling.words.join(" ")),
            Err(error) => error.to_string(),
        };
        assert_eq!(found("breakpoint", "set -n f"), "breakpoint set|-n f");
        assert_eq!(found("breakpoint", "com a 1"), "breakpoint command add|1");
        assert_eq!(found("thread", "step-i"), "thread step-in|");
        assert_eq!(
            found("thread", "step-inst-over 2"),
            "thread step-inst-over|2"
        );
        assert!(found("thread", "step-o").starts_with("\"step-o\" cannot follow `thread`"));
        assert!(found("breakpoint", "").starts_with("breakpoint needs one of "));
        assert!(found("breakpoint", "delte").ends_with("Did you mean delete?"));
        assert_eq!(found("expression", "-- x"), "expression|-- x");
    }

    #[test]
    fn quotes_keep_words_together() {
        let word = |text| next_word(text).map_err(|error| error.to_string());
        assert_eq!(word("'a b'c d"), Ok(("a bc".to_owned(), "d")));
        assert_eq!(
            word(r#""x == \"a\"" y"#),
            Ok((r#"x == "a""#.to_owned(), "y"))
        );
        assert_eq!(word(r"^a\.b"), Ok((r"^a\.b".to_owned(), "")));
        assert!(word("'a").is_err());
    }

    #[test]
    fn the_shortest_of_words_that_begin_each_other_is_meant() {
        assert_eq!(choose("s", &["step", "step-in"]), Some("step"));
        assert_eq!(choose("s", &["set", "step"]), None);
        assert_eq!(choose("set", &["set", "settings"]), Some("set"));
    }

    #[test]
    fn every_spelling_begins_with_a_command_and_is_told_apart() {
        let all: Vec<_> = spellings().collect();
        for (position, spelling) in all.iter().enumerate() {
            let family = spelling.words[0];
            assert!(commands().any(|command| command.name == family), "{family}");
            let mut flags: Vec<char> = spelling.flags.iter().map(|flag| flag.short).collect();
            flags.sort_unstable();
            flags.dedup();
            assert_eq!(flags.len(), spelling.flags.len(), "{}", spelling.usage());
            for other in &all[position + 1..] {
                assert_ne!(spelling.words, other.words);
            }
        }
    }
}

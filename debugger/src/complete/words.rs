//! Taking a line apart at the place where it is to be completed.

use super::{Completions, filter};

/// The word that ends where a line ends.
pub(super) struct Cut<'a> {
    pub(super) start: usize,
    pub(super) word: &'a str,
}

impl<'a> Cut<'a> {
    pub(super) fn last_word(line: &'a str) -> Cut<'a> {
        let start = word_start(line, char::is_whitespace);
        Cut {
            start,
            word: &line[start..],
        }
    }

    pub(super) fn filter(&self, candidates: Vec<String>) -> Completions {
        filter(self.start, self.word, candidates)
    }

    pub(super) fn words(&self, candidates: &[&str]) -> Completions {
        self.filter(candidates.iter().map(|word| (*word).to_owned()).collect())
    }
}

/// A command's name and its arguments, if the name is complete: something follows it.
pub(super) fn split_name(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let end = line.find(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'))?;
    let (name, rest) = line.split_at(end);
    (!name.is_empty()).then(|| (name, rest.trim_start()))
}

/// The whole words of a text: all but the one that is being typed at its end.
pub(super) fn first_words(text: &str) -> Vec<&str> {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    if !text.ends_with(char::is_whitespace) {
        words.pop();
    }
    words
}

pub(super) fn word_start(line: &str, is_boundary: impl Fn(char) -> bool) -> usize {
    let boundary = line.char_indices().rev().find(|(_, c)| is_boundary(*c));
    boundary.map_or(0, |(position, c)| position + c.len_utf8())
}

//! Taking the arguments of commands apart.

use crate::error::Error;

/// A word of a command line.
pub(crate) struct ShellWord {
    pub(crate) text: String,
    /// Whether it begins with a quote.
    pub(crate) is_quoted: bool,
}

/// The first word of a text, and what follows it.
pub(crate) fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    text.split_once(char::is_whitespace)
        .map_or((text, ""), |(word, rest)| (word, rest.trim()))
}

/// What follows the first word, if it is one of a few or the beginning of one; at least so many letters of it.
pub(super) fn after_prefix<'a>(text: &'a str, wanted: &str, letters_min: usize) -> Option<&'a str> {
    let (word, rest) = first_word(text);
    (word.len() >= letters_min && wanted.starts_with(word)).then_some(rest)
}

/// Splits arguments as a shell does: at blanks, with quotes and backslashes.
pub(super) fn split_words(text: &str) -> Result<Vec<String>, Error> {
    let words = shell_words(text)?.into_iter();
    Ok(words.map(|word| word.text).collect())
}

/// The same, with what quotes tell of the words.
pub(crate) fn shell_words(text: &str) -> Result<Vec<ShellWord>, Error> {
    let mut words = Vec::new();
    let mut word: Option<ShellWord> = None;
    let mut quote: Option<char> = None;
    let mut characters = text.chars();
    let begun = || ShellWord {
        text: String::new(),
        is_quoted: false,
    };
    while let Some(c) = characters.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\\', None | Some('"')) => {
                let word = word.get_or_insert_with(begun);
                word.is_quoted |= word.text.is_empty();
                word.text.push(characters.next().unwrap_or('\\'));
            }
            ('\'' | '"', None) => {
                quote = Some(c);
                let word = word.get_or_insert_with(begun);
                // Quotes farther in do not keep an operator at its beginning from being one.
                word.is_quoted |= word.text.is_empty();
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_with(begun).text.push(c),
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

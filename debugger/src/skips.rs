//! Functions and files that `step` passes over.

use regex_lite::Regex;

use crate::error::Error;

/// The skips, by number.
#[derive(Debug, Default)]
pub(crate) struct Skips {
    list: Vec<Skip>,
    last_number: u32,
}

/// What `step` passes over.
#[derive(Debug, Clone)]
pub(crate) struct Skip {
    pub(crate) number: u32,
    pub(crate) is_enabled: bool,
    /// The file, by its last components; `None` for all.
    pub(crate) file: Option<Pattern>,
    /// The function; `None` for all.
    pub(crate) function: Option<Pattern>,
}

/// A name, or what names look like.
#[derive(Debug, Clone)]
pub(crate) enum Pattern {
    Name(String),
    Glob(String),
    Expression(Regex),
}

impl Pattern {
    /// As it was written.
    pub(crate) fn text(&self) -> &str {
        match self {
            Pattern::Name(text) | Pattern::Glob(text) => text,
            Pattern::Expression(regex) => regex.as_str(),
        }
    }

    fn fits_function(&self, function: &str) -> bool {
        match self {
            Pattern::Name(name) => {
                function == name || function.split(['(', '<']).next() == Some(name)
            }
            Pattern::Glob(glob) => fits_glob(glob, function),
            Pattern::Expression(regex) => regex.is_match(function),
        }
    }

    fn fits_file(&self, file: &str) -> bool {
        match self {
            Pattern::Name(name) => {
                let before = file.strip_suffix(name.as_str());
                before.is_some_and(|before| before.is_empty() || before.ends_with(['/', '\\']))
            }
            Pattern::Glob(glob) => {
                let last = file.rsplit(['/', '\\']).next().unwrap_or(file);
                fits_glob(glob, file) || fits_glob(glob, last)
            }
            Pattern::Expression(regex) => regex.is_match(file),
        }
    }
}

/// Whether a text fits a glob of `*` and `?`.
fn fits_glob(glob: &str, text: &str) -> bool {
    let (glob, text): (Vec<char>, Vec<char>) = (glob.chars().collect(), text.chars().collect());
    let (mut g, mut t) = (0, 0);
    // Where to go on when the last star has to take one character more.
    let mut retry = None;
    while t < text.len() {
        match glob.get(g) {
            Some('*') => {
                retry = Some((g + 1, t + 1));
                g += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                g += 1;
                t += 1;
            }
            _ => match retry {
                Some((after_star, next)) => {
                    (g, t) = (after_star, next);
                    retry = Some((after_star, next + 1));
                }
                None => return false,
            },
        }
    }
    glob[g..].iter().all(|c| *c == '*')
}

impl Skips {
    /// Adds a skip; answers its number.
    pub(crate) fn add(&mut self, file: Option<Pattern>, function: Option<Pattern>) -> u32 {
        self.last_number += 1;
        self.list.push(Skip {
            number: self.last_number,
            is_enabled: true,
            file,
            function,
        });
        self.last_number
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Skip> {
        self.list.iter()
    }

    /// Keeps the skips that are not to be deleted.
    pub(crate) fn retain(&mut self, is_kept: impl Fn(&Skip) -> bool) {
        self.list.retain(is_kept);
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Result<&mut Skip, Error> {
        let found = self.list.iter_mut().find(|skip| skip.number == number);
        found
            .ok_or_else(|| Error::Other(format!("No skiplist entries found with number {number}.")))
    }

    /// Whether `step` passes over a function.
    pub(crate) fn passes(&self, function: &str, file: Option<&str>) -> bool {
        self.list.iter().filter(|skip| skip.is_enabled).any(|skip| {
            let fits_function = skip
                .function
                .as_ref()
                .is_none_or(|it| it.fits_function(function));
            let fits_file = skip
                .file
                .as_ref()
                .is_none_or(|it| file.is_some_and(|file| it.fits_file(file)));
            fits_function && fits_file
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Pattern, Skips, fits_glob};

    #[test]
    fn globs_have_stars_and_question_marks() {
        for (glob, text, wanted) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abcd", false),
            ("std::*", "std::vec::push", true),
            ("?b*b", "abab", true),
            ("?", "", false),
        ] {
            assert_eq!(fits_glob(glob, text), wanted, "{glob} {text}");
        }
    }

    #[test]
    fn what_is_skipped_fits_file_and_function() {
        let mut skips = Skips::default();
        skips.add(Some(Pattern::Name("lib/a.c".into())), None);
        skips.add(None, Some(Pattern::Name("ns::f".into())));
        assert!(skips.passes("anything", Some("/src/lib/a.c")));
        assert!(!skips.passes("anything", Some("/src/glib/a.c")));
        assert!(skips.passes("ns::f<int>(int)", None));
        assert!(!skips.passes("ns::ff", None));
        skips.get_mut(2).expect("it was added").is_enabled = false;
        assert!(!skips.passes("ns::f", None));
    }
}

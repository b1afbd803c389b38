//! Files of this machine.

use std::path::{Path, PathBuf};

use super::words::word_start;
use super::{Completions, Vocabulary, filter};

/// A directory with more entries than this is not read to its end: a key must be answered at once.
const ENTRIES_MAX: usize = 20_000;

/// What the path that ends a line can become. Directories end in a slash.
pub(super) fn complete(line: &str, vocabulary: &Vocabulary) -> Completions {
    // A name with blanks stands in quotes, which stay open while it is typed.
    let quotes = line.matches('"').count();
    let start = match (quotes % 2 == 1, line.rfind('"')) {
        (true, Some(position)) => position + 1,
        _ => word_start(line, |c| c.is_whitespace() || matches!(c, '<' | '>')),
    };
    let word = &line[start..];
    let (directory, prefix) = match word.rfind('/') {
        Some(position) => word.split_at(position + 1),
        None => ("", word),
    };
    let path = resolve(directory, vocabulary);
    let Ok(entries) = std::fs::read_dir(&path) else {
        return Completions::default();
    };
    let mut names = Vec::new();
    for entry in entries.take(ENTRIES_MAX).flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        // Hidden files are meant by those who begin with their dot.
        let is_hidden = name.starts_with('.') && !prefix.starts_with('.');
        if is_hidden || !name.starts_with(prefix) {
            continue;
        }
        let slash = if entry.path().is_dir() { "/" } else { "" };
        names.push(format!("{directory}{name}{slash}"));
    }
    filter(start, word, names)
}

fn resolve(directory: &str, vocabulary: &Vocabulary) -> PathBuf {
    let home = directory.strip_prefix("~/").zip(vocabulary.home.as_deref());
    match home {
        Some((rest, home)) => home.join(rest),
        // An absolute path replaces what stands before it.
        None => vocabulary.directory.join(Path::new(directory)),
    }
}

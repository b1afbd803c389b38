//! Syntax highlighting on a thread of its own: loading the grammars and parsing never delay a frame.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxSet};

use crate::error::FrontEndError;
use wdb_debugger::view::SourceText;

/// What a piece of source text is, as far as colours are concerned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Category {
    Comment = 0,
    String,
    Keyword,
    Constant,
    Type,
    Function,
    Preprocessor,
}

impl Category {
    /// How many there are.
    pub(crate) const COUNT: usize = 7;
}

/// The pieces of one line that have a category: start and end in bytes, ascending and disjoint.
pub(crate) type LineColours = Vec<(u32, u32, Category)>;

/// How many lines of a file are highlighted at the most; later ones stay plain. Parsing depends on all lines before, so a
/// jump into the depths of a huge file would keep a core busy for long.
pub(crate) const LINES_MAX: usize = 20_000;
/// Longer lines are left plain: generated code, which nobody reads and which takes a grammar long.
const LINE_BYTES_MAX: usize = 1000;
/// How many lines are parsed between two answers.
const BATCH_LINES: usize = 400;
/// How many files keep their parser's state.
const FILES_MAX: usize = 32;

/// A wish for the colours of a file's lines up to `lines`.
pub(crate) struct ColourRequest {
    /// The file, as the debug info records it.
    pub(crate) recorded: Arc<str>,
    /// Its text.
    pub(crate) text: Arc<SourceText>,
    /// How many lines from the beginning are wanted.
    pub(crate) lines: usize,
}

/// The colours of some lines.
#[derive(Debug)]
pub(crate) struct Colours {
    /// The file, as the debug info records it.
    pub(crate) recorded: Arc<str>,
    /// The index of the first of these lines.
    pub(crate) first: usize,
    /// One entry for each line.
    pub(crate) lines: Vec<LineColours>,
}

/// Starts the thread. It ends when the sender is dropped or when `deliver` returns false.
pub(crate) fn start(
    deliver: impl Fn(Colours) -> bool + Send + 'static,
) -> Result<Sender<ColourRequest>, FrontEndError> {
    let (sender, receiver) = channel();
    thread::Builder::new()
        .name("wdb-syntax".to_owned())
        .spawn(move || serve(&receiver, &deliver))
        .map_err(FrontEndError::Thread)?;
    Ok(sender)
}

fn serve(requests: &Receiver<ColourRequest>, deliver: &dyn Fn(Colours) -> bool) {
    let mut highlighter = Highlighter::new();
    while let Ok(request) = requests.recv() {
        while let Some(colours) = highlighter.advance(&request) {
            if !deliver(colours) {
                return;
            }
        }
    }
}

/// The parser of one file, standing after `done` lines.
struct FileState {
    parse: ParseState,
    scopes: ScopeStack,
    done: usize,
}

/// Parses files from their beginning as far as they were asked for.
pub(crate) struct Highlighter {
    syntaxes: SyntaxSet,
    categories: Vec<(Scope, Category)>,
    files: HashMap<Arc<str>, FileState>,
}

impl Highlighter {
    /// Loads the grammars; this takes some tens of milliseconds.
    pub(crate) fn new() -> Highlighter {
        Highlighter {
            syntaxes: SyntaxSet::load_defaults_newlines(),
            categories: categories(),
            files: HashMap::new(),
        }
    }

    /// Parses the next lines that are wanted; `None` when there are no more, or no grammar for the file.
    pub(crate) fn advance(&mut self, request: &ColourRequest) -> Option<Colours> {
        if !self.files.contains_key(&request.recorded) {
            if self.files.len() >= FILES_MAX {
                self.files.clear();
            }
            let extension = Path::new(&*request.recorded).extension()?.to_str()?;
            let syntax = self.syntaxes.find_syntax_by_extension(extension)?;
            let state = FileState {
                parse: ParseState::new(syntax),
                scopes: ScopeStack::new(),
                done: 0,
            };
            self.files.insert(Arc::clone(&request.recorded), state);
        }
        let state = self.files.get_mut(&request.recorded)?;
        let first = state.done;
        let wanted = request.lines.min(request.text.lines.len()).min(LINES_MAX);
        let lines = request.text.lines.get(first..wanted)?;
        if lines.is_empty() {
            return None;
        }
        let colours: Vec<LineColours> = lines
            .iter()
            .take(BATCH_LINES)
            .map(|line| colours_of(line, state, &self.syntaxes, &self.categories))
            .collect();
        state.done += colours.len();
        Some(Colours {
            recorded: Arc::clone(&request.recorded),
            first,
            lines: colours,
        })
    }
}

fn colours_of(
    line: &str,
    state: &mut FileState,
    syntaxes: &SyntaxSet,
    categories: &[(Scope, Category)],
) -> LineColours {
    let mut colours = Vec::new();
    if line.len() > LINE_BYTES_MAX {
        return colours;
    }
    let ended = format!("{line}\n");
    let Ok(operations) = state.parse.parse_line(&ended, syntaxes) else {
        return colours;
    };
    let mut start = 0;
    let mut push = |start: usize, end: usize, scopes: &ScopeStack| {
        let end = end.min(line.len());
        if start < end
            && let Some(category) = category_of(scopes, categories)
            && let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(end))
        {
            colours.push((start, end, category));
        }
    };
    for (position, operation) in operations {
        push(start, position, &state.scopes);
        start = start.max(position);
        // A grammar that pops more than it pushed loses the colours of a line, no more.
        if state.scopes.apply(&operation).is_err() {
            state.scopes = ScopeStack::new();
        }
    }
    push(start, line.len(), &state.scopes);
    colours
}

fn category_of(scopes: &ScopeStack, categories: &[(Scope, Category)]) -> Option<Category> {
    scopes.as_slice().iter().rev().find_map(|scope| {
        categories
            .iter()
            .find(|(prefix, _)| prefix.is_prefix_of(*scope))
            .map(|(_, category)| *category)
    })
}

/// Which scopes of the grammars have which category; the first match counts.
fn categories() -> Vec<(Scope, Category)> {
    const SCOPES: &[(&str, Category)] = &[
        ("comment", Category::Comment),
        ("punctuation.definition.comment", Category::Comment),
        ("string", Category::String),
        ("punctuation.definition.string", Category::String),
        ("constant.character", Category::String),
        ("constant", Category::Constant),
        ("storage.type", Category::Type),
        ("support.type", Category::Type),
        ("entity.name.type", Category::Type),
        ("entity.name.struct", Category::Type),
        ("entity.name.class", Category::Type),
        ("storage", Category::Keyword),
        ("keyword.control.import", Category::Preprocessor),
        ("keyword.operator", Category::Keyword),
        ("keyword", Category::Keyword),
        ("entity.name.function", Category::Function),
        ("support.function", Category::Function),
        ("variable.function", Category::Function),
        ("support.macro", Category::Preprocessor),
        ("meta.annotation", Category::Preprocessor),
        ("variable.annotation", Category::Preprocessor),
    ];
    SCOPES
        .iter()
        .filter_map(|(name, category)| Some((Scope::new(name).ok()?, *category)))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::{Category, ColourRequest, Highlighter, LINES_MAX};
    use wdb_debugger::view::SourceText;

    fn request(name: &str, lines: Vec<String>) -> ColourRequest {
        let wanted = lines.len();
        ColourRequest {
            recorded: Arc::from(name),
            text: Arc::new(SourceText {
                path: PathBuf::from(name),
                lines,
                code_lines: Vec::new(),
            }),
            lines: wanted,
        }
    }

    #[test]
    fn rust_c_and_cpp_have_grammars() {
        let mut highlighter = Highlighter::new();
        for (name, line, keyword) in [
            ("a.rs", "fn main() { let x = 1; }", "let"),
            ("a.c", "int f(void) { return 1; }", "return"),
            ("a.cpp", "int f() { return 1; }", "return"),
            ("a.h", "int f() { return 1; }", "return"),
        ] {
            let colours = highlighter
                .advance(&request(name, vec![line.to_owned()]))
                .unwrap_or_else(|| panic!("{name} has no grammar"));
            let position = u32::try_from(line.find(keyword).unwrap()).unwrap();
            let found = colours.lines[0]
                .iter()
                .find(|(start, end, _)| *start <= position && position < *end);
            assert!(
                matches!(found, Some((_, _, Category::Keyword | Category::Type))),
                "{name}: {:?}",
                colours.lines[0]
            );
        }
    }

    #[test]
    fn work_comes_in_batches_and_ends() {
        let mut highlighter = Highlighter::new();
        let request = request("a.c", vec!["int x;".to_owned(); LINES_MAX + 10]);
        let mut first = 0;
        while let Some(colours) = highlighter.advance(&request) {
            assert_eq!(colours.first, first);
            first += colours.lines.len();
        }
        assert_eq!(first, LINES_MAX);
    }
}

//! What a word of a command can become.

use crate::commands::{ArgumentKind, INFO_COMMANDS, commands, lookup};
use crate::location::function_names;
use crate::program::Program;
use crate::settings::SETTINGS;
use crate::view::View;

/// Words that can stand at a place of a command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completions {
    /// Where the word begins, in bytes.
    pub start: usize,
    /// The words, sorted.
    pub candidates: Vec<String>,
}

/// More than anybody reads.
const CANDIDATES_MAX: usize = 500;

/// What the word that ends at a position of a line can become.
pub(crate) fn complete(program: &Program, view: &View, line: &str, position: usize) -> Completions {
    let line = line.get(..position).unwrap_or(line);
    let Some((name, arguments)) = split_name(line) else {
        let start = line.len() - line.trim_start().len();
        let names = commands().map(|command| command.name.to_owned());
        return filter(start, &line[start..], names);
    };
    let Ok(found) = lookup(commands(), name) else {
        return Completions::default();
    };
    let kind = match found.command.argument {
        ArgumentKind::InfoTopic => match split_name(arguments) {
            None => {
                let topics = INFO_COMMANDS.iter().map(|topic| topic.name.to_owned());
                return filter(line.len() - arguments.len(), arguments, topics);
            }
            Some((topic, _)) => match lookup(INFO_COMMANDS.iter(), topic) {
                Ok(found) => found.command.argument,
                Err(_) => return Completions::default(),
            },
        },
        kind => kind,
    };
    match kind {
        ArgumentKind::None
        | ArgumentKind::InfoTopic
        | ArgumentKind::Numbers
        | ArgumentKind::Unset
        | ArgumentKind::Spelling
        | ArgumentKind::File => Completions::default(),
        ArgumentKind::Command => {
            let names = commands().map(|command| command.name.to_owned());
            filter(line.len() - arguments.len(), arguments, names)
        }
        ArgumentKind::Setting => {
            let names = SETTINGS.iter().map(|setting| setting.name.to_owned());
            filter(line.len() - arguments.len(), arguments, names)
        }
        ArgumentKind::Location => {
            let start = word_start(line, |c| c.is_whitespace() || c == ',');
            let word = &line[start..];
            let functions = function_names(program);
            let functions = functions.iter().map(ToString::to_string);
            let files = program.info().files();
            let files = files
                .iter()
                .filter_map(|path| path.rsplit(['/', '\\']).next())
                .map(|name| format!("{name}:"));
            let wanted: Vec<String> = functions.chain(files).collect();
            filter(start, word, wanted.into_iter())
        }
        ArgumentKind::Expression => {
            let is_boundary = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':' | '$'));
            let start = word_start(line, is_boundary);
            filter(start, &line[start..], expression_names(program, view))
        }
    }
}

/// The names that an expression can use in the selected frame.
fn expression_names(program: &Program, view: &View) -> impl Iterator<Item = String> {
    let mut names: Vec<String> = ["$pc", "$tick", "$bpnum"].map(str::to_owned).to_vec();
    if let Some(selected) = &view.selected {
        names.extend(selected.variables.iter().map(|it| it.name.clone()));
        names.extend((0..selected.locals.len()).map(|index| format!("$local{index}")));
        names.extend((0..selected.operands.len()).map(|index| format!("$stack{index}")));
    }
    let globals = program.info().all_globals();
    names.extend(globals.iter().map(ToString::to_string));
    names.into_iter()
}

/// A command's name and its arguments, if the name is complete: something follows it.
fn split_name(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let end = line.find(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'))?;
    let (name, rest) = line.split_at(end);
    (!name.is_empty()).then(|| (name, rest.trim_start()))
}

fn word_start(line: &str, is_boundary: impl Fn(char) -> bool) -> usize {
    let boundary = line.char_indices().rev().find(|(_, c)| is_boundary(*c));
    boundary.map_or(0, |(position, c)| position + c.len_utf8())
}

fn filter(start: usize, word: &str, candidates: impl Iterator<Item = String>) -> Completions {
    let mut candidates: Vec<String> = candidates
        .filter(|candidate| candidate.starts_with(word))
        .collect();
    candidates.sort_unstable();
    candidates.dedup();
    candidates.truncate(CANDIDATES_MAX);
    Completions { start, candidates }
}

//! `docs/gdb-commands.md` and `docs/lldb-commands.md`: what they say works is shown by a transcript or a test.
//!
//! A row has four columns: the command, `works`, `other name` or `not meaningful`, an example or the reason, and where it is
//! shown. An example of a transcript is a line that is typed there; one of a test stands in its source.

use std::fs;
use std::path::{Path, PathBuf};

fn docs() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    root.expect("the crate lies in the workspace").join("docs")
}

struct Row {
    line: usize,
    /// The texts in backticks of the first column.
    commands: Vec<String>,
    mark: String,
    /// The first text in backticks of the third column.
    example: Option<String>,
    explanation: String,
    /// Where the fourth column leads to.
    link: Option<String>,
}

fn rows(sheet: &str) -> Vec<Row> {
    let text = fs::read_to_string(docs().join(sheet)).expect("the sheet is part of the repository");
    let mut rows = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        // A vertical bar in a cell is written `\|`.
        let cells: Vec<String> = text
            .replace("\\|", "\u{0}")
            .split('|')
            .map(|cell| cell.trim().replace('\u{0}', "|"))
            .collect();
        let [_, command, mark, third, fourth, _] = &*cells else {
            assert!(
                !text.starts_with('|'),
                "{sheet}:{line} has not four columns"
            );
            continue;
        };
        if mark.is_empty() || mark.starts_with("---") || command == "gdb" || command == "lldb" {
            continue;
        }
        let link = fourth
            .split_once("](")
            .and_then(|(_, rest)| rest.split_once(')'));
        rows.push(Row {
            line,
            commands: quoted(command),
            mark: mark.clone(),
            example: quoted(third).into_iter().next(),
            explanation: third.clone(),
            link: link.map(|(link, _)| link.to_owned()),
        });
    }
    rows
}

/// The texts in backticks.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn first_word(text: &str) -> &str {
    let end = text.find(|c: char| c.is_whitespace() || c == '/' || c == '[');
    &text[..end.unwrap_or(text.len())]
}

/// Whether a transcript has a line that is typed: at the prompt, or in a block.
fn is_typed(transcript: &str, line: &str) -> bool {
    let mut lines = transcript.lines();
    lines.any(|found| {
        let typed = found
            .split_once(") ")
            .filter(|(prompt, _)| prompt.starts_with('('));
        let typed = typed
            .map(|(_, typed)| typed)
            .or_else(|| found.trim_start().strip_prefix("> "));
        typed == Some(line)
    })
}

fn check(sheet: &str, rows_min: usize) {
    let rows = rows(sheet);
    assert!(
        rows.len() >= rows_min,
        "{sheet} has only {} rows",
        rows.len()
    );
    for row in &rows {
        let place = format!("{sheet}:{}", row.line);
        let is_shown = match row.mark.as_str() {
            "works" | "other name" => true,
            "not meaningful" => {
                assert!(!row.explanation.is_empty(), "{place}: a reason is missing");
                row.link.is_some()
            }
            mark => panic!("{place}: there is no mark \"{mark}\""),
        };
        if !is_shown {
            continue;
        }
        let example = row
            .example
            .as_deref()
            .unwrap_or_else(|| panic!("{place}: an example is missing"));
        let link = row
            .link
            .as_deref()
            .unwrap_or_else(|| panic!("{place}: a link is missing"));
        let path = docs().join(link);
        let text =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{place}: {link}: {error}"));
        let is_there = match path.extension().is_some_and(|extension| extension == "txt") {
            true => is_typed(&text, example),
            false => text.contains(example),
        };
        assert!(is_there, "{place}: `{example}` is not in {link}");
        if row.mark == "works" {
            let verbs: Vec<&str> = row
                .commands
                .iter()
                .map(|command| first_word(command))
                .collect();
            let verb = first_word(example);
            assert!(
                verbs.contains(&verb),
                "{place}: `{example}` is no example of {verbs:?}"
            );
        }
    }
}

#[test]
fn the_sheet_of_gdbs_commands_is_true() {
    check("gdb-commands.md", 150);
}

#[test]
fn the_sheet_of_lldbs_commands_is_true() {
    check("lldb-commands.md", 85);
}

//! Everything that can be typed is typed in some transcript, and every kind of error comes up.

use std::collections::BTreeSet;
use std::path::Path;

use crate::commands::lldb::{find as find_spelling, spellings};
use crate::commands::setting_topics::{SET_TOPICS, SHOW_TOPICS, UNSET_TOPICS};
use crate::commands::{Command, INFO_COMMANDS, commands, first_word, lookup};
use crate::error::{Error, OpenError};
use crate::settings::{SETTINGS, Setting};

/// All transcripts, one after the other.
fn transcripts() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let entries = std::fs::read_dir(folder).expect("the transcripts are part of the crate");
    let paths = entries.map(|entry| entry.expect("a folder can be listed").path());
    let texts = paths.map(|path| std::fs::read_to_string(path).expect("a transcript is text"));
    texts.collect::<Vec<_>>().join("\n")
}

/// The lines that are typed: after the prompt, and inside of blocks.
fn typed(transcripts: &str) -> Vec<&str> {
    let lines = transcripts.lines().filter_map(|line| {
        line.strip_prefix("(wdb) ")
            .or_else(|| line.trim_start().strip_prefix("> "))
    });
    lines.collect()
}

/// Those of a table's names that no line begins with.
fn missing<'a>(
    names: impl Iterator<Item = &'a str>,
    lines: &[&str],
    found: impl Fn(&str) -> Vec<String>,
) -> Vec<&'a str> {
    let seen: BTreeSet<String> = lines.iter().flat_map(|line| found(line)).collect();
    names.filter(|name| !seen.contains(*name)).collect()
}

fn after<'a>(line: &'a str, verb: &str) -> Option<&'a str> {
    let found = lookup(commands(), line).ok()?;
    (found.command.name == verb).then_some(found.arguments)
}

#[test]
fn every_command_is_typed_in_a_transcript() {
    let text = transcripts();
    let lines = typed(&text);
    assert!(lines.len() > 1000, "only {} lines were read", lines.len());
    let names = commands().map(|command| command.name);
    let missing = missing(names, &lines, |line| {
        let found = lookup(commands(), line);
        found.map_or_else(|_| Vec::new(), |found| vec![found.command.name.to_owned()])
    });
    assert!(missing.is_empty(), "no transcript types {missing:?}");
}

#[test]
fn every_other_name_of_a_command_is_typed_in_a_transcript() {
    let text = transcripts();
    let lines = typed(&text);
    let names = commands().flat_map(|command| command.aliases.iter().copied());
    let missing = missing(names, &lines, |line| {
        let end = line.find(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'));
        let word = match line.starts_with('!') {
            true => "!",
            false => &line[..end.unwrap_or(line.len())],
        };
        vec![word.to_owned()]
    });
    assert!(missing.is_empty(), "no transcript types {missing:?}");
}

#[test]
fn every_topic_is_asked_for_in_a_transcript() {
    let text = transcripts();
    let lines = typed(&text);
    let tables: [(&str, &'static [Command]); 4] = [
        ("info", INFO_COMMANDS),
        ("set", SET_TOPICS),
        ("show", SHOW_TOPICS),
        ("unset", UNSET_TOPICS),
    ];
    for (verb, table) in tables {
        let names = table.iter().map(|topic| topic.name);
        let missing = missing(names, &lines, |line| {
            let topic = after(line, verb).and_then(|rest| lookup(table.iter(), rest).ok());
            topic.map_or_else(Vec::new, |topic| vec![topic.command.name.to_owned()])
        });
        assert!(missing.is_empty(), "no transcript types {verb} {missing:?}");
    }
}

#[test]
fn every_setting_is_set_and_shown_in_a_transcript() {
    let text = transcripts();
    let lines = typed(&text);
    for verb in ["set", "show"] {
        let names = SETTINGS.iter().map(|setting| setting.name);
        let missing = missing(names, &lines, |line| match after(line, verb) {
            None => Vec::new(),
            // `show print` shows all of them.
            Some(rest) => match Setting::find(rest) {
                Ok((setting, _)) => vec![setting.name.to_owned()],
                Err(_) => {
                    let family = format!("{} ", first_word(rest).0);
                    let members = SETTINGS
                        .iter()
                        .filter(|it| verb == "show" && it.name.starts_with(&family));
                    members.map(|it| it.name.to_owned()).collect()
                }
            },
        });
        assert!(missing.is_empty(), "no transcript has {verb} {missing:?}");
    }
}

#[test]
fn every_spelling_of_lldbs_is_typed_in_a_transcript() {
    let text = transcripts();
    let lines = typed(&text);
    let names: Vec<String> = spellings().map(|it| it.words.join(" ")).collect();
    let missing = missing(names.iter().map(String::as_str), &lines, |line| {
        let Ok(found) = lookup(commands(), line) else {
            return Vec::new();
        };
        let family = found.command.name;
        if !spellings().any(|it| it.words[0] == family) {
            return Vec::new();
        }
        let spelling = find_spelling(family, found.arguments);
        spelling.map_or_else(
            |_| Vec::new(),
            |(spelling, _)| vec![spelling.words.join(" ")],
        )
    });
    assert!(missing.is_empty(), "no transcript types {missing:?}");
}

#[test]
fn every_kind_of_error_comes_up_in_a_transcript() {
    let text = transcripts();
    let errors: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("error: "))
        .collect();
    let no_names = || Vec::new();
    let name = || "NAME".to_owned();
    let samples = [
        Error::NotRunning,
        Error::NoFrame,
        Error::Syntax {
            message: "Expected a value".to_owned(),
            text: String::new(),
            position: 0,
        },
        Error::NoSymbol {
            name: name(),
            near: no_names(),
        },
        Error::NoFunction {
            name: name(),
            near: no_names(),
        },
        Error::NoFile {
            name: name(),
            near: no_names(),
        },
        Error::NoLine {
            file: name(),
            line: 1,
            last: None,
        },
        Error::UndefinedCommand {
            name: name(),
            near: no_names(),
        },
        Error::Ambiguous {
            noun: "command",
            name: name(),
            candidates: no_names(),
        },
        Error::NoSetting {
            name: name(),
            near: no_names(),
        },
        Error::NoBreakpoint(1),
        Error::Value(wdb_dwarf::Error::OptimizedOut),
    ];
    for sample in &samples {
        // A kind that is added has to be added here, too.
        let is_exempt = match sample {
            Error::NotRunning
            | Error::Syntax { .. }
            | Error::NoSymbol { .. }
            | Error::NoFunction { .. }
            | Error::NoFile { .. }
            | Error::NoLine { .. }
            | Error::UndefinedCommand { .. }
            | Error::Ambiguous { .. }
            | Error::NoSetting { .. }
            | Error::NoBreakpoint(_)
            | Error::Value(_)
            | Error::Other(_) => false,
            // A program that is alive has a frame, which is selected.
            Error::NoFrame => true,
        };
        let message = sample.to_string();
        let parts: Vec<&str> = message
            .split([' ', '"'])
            .filter(|it| !it.is_empty() && !it.contains(['1', 'N']))
            .collect();
        let fits = |error: &&str| parts.iter().take(3).all(|part| error.contains(part));
        assert!(
            is_exempt || errors.iter().any(&fits),
            "no transcript has `{message}`"
        );
    }
    for kind in [
        "No such file",
        "this is a directory",
        "invalid module",
        "imports what wdb does not provide",
    ] {
        let is_there = errors.iter().any(|error| error.contains(kind));
        assert!(
            is_there,
            "no transcript fails to open a program with `{kind}`"
        );
    }
    // What this list stands for; only a system without threads cannot be made up.
    let _ = |error: OpenError| match error {
        OpenError::Read { .. }
        | OpenError::Directory(_)
        | OpenError::Module { .. }
        | OpenError::Instantiate { .. }
        | OpenError::Thread(_) => {}
    };
}

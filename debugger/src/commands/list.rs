//! Listing source lines.

use std::sync::Arc;

use regex_lite::Regex;

use crate::debugger::Debugger;
use crate::error::Error;
use crate::location::{CurrentLine, Location};
use crate::report::{Report, SourceLine};

/// What `list` goes on with.
#[derive(Debug, Default)]
pub(crate) struct ListState {
    listed: Option<Listed>,
}

/// What was listed last.
#[derive(Debug)]
struct Listed {
    /// The middle of it, which locations count from.
    current: CurrentLine,
    first: u32,
    last: u32,
}

impl ListState {
    /// The line that locations count from, if anything was listed since the program stopped.
    pub(crate) fn current(&self) -> Option<&CurrentLine> {
        self.listed.as_ref().map(|listed| &listed.current)
    }

    /// The next `list` begins anew, around the place where the program stands.
    pub(crate) fn forget(&mut self) {
        self.listed = None;
    }
}

/// Lines of a file, both included.
struct Wanted {
    file: Arc<str>,
    first: u32,
    last: u32,
}

pub(super) fn list(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if !debugger.program.has_debug_info() {
        return Err(Error::other(
            "No symbol table is loaded: the program has no debug info about sources. `disassemble` shows its code.",
        ));
    }
    let wanted = debugger.wanted_lines(arguments.trim())?;
    debugger.list_lines(&wanted)
}

/// `forward-search REGEX`: shows the next line after those listed last that matches.
pub(super) fn forward_search(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    debugger.search_lines(arguments, true)
}

/// `reverse-search REGEX`: the same, before those listed last.
pub(super) fn reverse_search(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    debugger.search_lines(arguments, false)
}

impl Debugger {
    fn search_lines(&mut self, pattern: &str, is_forward: bool) -> Result<(), Error> {
        if pattern.is_empty() {
            return Err(Error::other(
                "A regular expression is expected, as in `forward-search malloc`.",
            ));
        }
        let regex = Regex::new(pattern).map_err(|error| {
            Error::Other(format!("\"{pattern}\" is no regular expression: {error}."))
        })?;
        let (file, before, after) = match &self.list.listed {
            Some(listed) => (listed.current.file.clone(), listed.first, listed.last),
            None => {
                let line = self.expect_current_line()?;
                (line.file, line.line, line.line)
            }
        };
        let text = self.program.text_of(&file);
        let text = text.map_err(|missing| Error::Other(missing.to_string()))?;
        let is_wanted = |number: &u32| {
            let line = text.lines.get(*number as usize - 1);
            line.is_some_and(|line| regex.is_match(line))
        };
        let count = u32::try_from(text.lines.len()).unwrap_or(u32::MAX);
        let found = match is_forward {
            true => (after + 1..=count).find(is_wanted),
            false => (1..before).rev().find(is_wanted),
        };
        let line =
            found.ok_or_else(|| Error::Other(format!("Expression not found: \"{pattern}\".")))?;
        self.list_lines(&Wanted {
            file,
            first: line,
            last: line,
        })
    }

    fn wanted_lines(&self, arguments: &str) -> Result<Wanted, Error> {
        let size = self.settings.list_lines;
        match (arguments, &self.list.listed) {
            ("" | "+", Some(listed)) => Ok(Wanted {
                file: listed.current.file.clone(),
                first: listed.last.saturating_add(1),
                last: listed.last.saturating_add(size),
            }),
            ("-", Some(listed)) => {
                if listed.first <= 1 {
                    return Err(Error::other("Already at the start of the file."));
                }
                Ok(Wanted {
                    file: listed.current.file.clone(),
                    first: listed.first.saturating_sub(size).max(1),
                    last: listed.first - 1,
                })
            }
            ("", None) => self.lines_around(self.expect_current_line()?),
            ("+" | "-", None) => {
                let current = self.expect_current_line()?;
                let around = self.lines_around(current)?;
                Ok(if arguments == "+" {
                    around
                } else {
                    Wanted {
                        first: around.first.saturating_sub(size).max(1),
                        last: around.first.saturating_sub(1).max(1),
                        file: around.file,
                    }
                })
            }
            (text, _) => match text.split_once(',') {
                None => {
                    let line = self.line_of(text)?;
                    self.lines_around(line)
                }
                Some((first, last)) => self.lines_between(first.trim(), last.trim()),
            },
        }
    }

    fn lines_between(&self, first: &str, last: &str) -> Result<Wanted, Error> {
        let size = self.settings.list_lines;
        match (first, last) {
            ("", "") => Err(Error::other(
                "A line is expected before or after the comma.",
            )),
            ("", last) => {
                let last = self.line_of(last)?;
                Ok(Wanted {
                    file: last.file,
                    first: last.line.saturating_sub(size - 1).max(1),
                    last: last.line,
                })
            }
            (first, "") => {
                let first = self.line_of(first)?;
                Ok(Wanted {
                    file: first.file,
                    first: first.line,
                    last: first.line.saturating_add(size - 1),
                })
            }
            (first, last) => {
                let first = self.line_of(first)?;
                let last = match last.strip_prefix('+') {
                    Some(count) => first
                        .line
                        .saturating_add(count.trim().parse().map_err(|_| not_a_line(last))?),
                    // A plain number is a line of the first one's file.
                    None => match last.parse() {
                        Ok(line) => line,
                        Err(_) => self.line_of(last)?.line,
                    },
                };
                if last < first.line {
                    return Err(Error::other("The last line comes before the first."));
                }
                Ok(Wanted {
                    file: first.file,
                    first: first.line,
                    last,
                })
            }
        }
    }

    fn expect_current_line(&self) -> Result<CurrentLine, Error> {
        self.current_line().ok_or_else(|| {
            Error::other("There is no current source file; name one as in `list FILE:LINE`.")
        })
    }

    fn lines_around(&self, line: CurrentLine) -> Result<Wanted, Error> {
        let size = self.settings.list_lines;
        let first = line.line.saturating_sub(size / 2).max(1);
        Ok(Wanted {
            file: line.file,
            first,
            last: first.saturating_add(size - 1),
        })
    }

    /// The source line of a location. Lines without code can be listed too.
    fn line_of(&self, text: &str) -> Result<CurrentLine, Error> {
        let location = Location::parse(text)?;
        let info = self.program.info();
        match &location {
            Location::Line(line) => Ok(CurrentLine {
                file: self.expect_current_line()?.file,
                line: *line,
            }),
            Location::Offset(offset) => {
                let current = self.expect_current_line()?;
                let line = i64::from(current.line).saturating_add(*offset).max(1);
                Ok(CurrentLine {
                    file: current.file,
                    line: u32::try_from(line).unwrap_or(u32::MAX),
                })
            }
            Location::FileLine(file, line) if !info.files_matching(file).is_empty() => {
                Ok(CurrentLine {
                    file: info.files_matching(file).swap_remove(0),
                    line: *line,
                })
            }
            _ => {
                if let Location::Function(name) | Location::FileFunction(_, name) = &location
                    && let Some(function) = info.functions_named(name).first()
                    && let Some(declared) = &function.declaration
                {
                    return Ok(CurrentLine {
                        file: declared.file.clone(),
                        line: declared.line,
                    });
                }
                let pcs = self.resolve(&location)?;
                let at = pcs.first().and_then(|pc| self.program.code_offset(*pc));
                let found = at.and_then(|at| info.location(at));
                let found = found.filter(|found| found.line > 0);
                found
                    .map(|found| CurrentLine {
                        file: found.file,
                        line: found.line,
                    })
                    .ok_or_else(|| Error::Other(format!("No source line is known for \"{text}\".")))
            }
        }
    }

    fn list_lines(&mut self, wanted: &Wanted) -> Result<(), Error> {
        let text = self.program.text_of(&wanted.file);
        let text = text.map_err(|missing| Error::Other(missing.to_string()))?;
        let count = u32::try_from(text.lines.len()).unwrap_or(u32::MAX);
        if wanted.first > count {
            return Err(Error::Other(format!(
                "Line number {} out of range; \"{}\" has {count} lines.",
                wanted.first,
                self.program.display_path(&wanted.file)
            )));
        }
        let last = wanted.last.min(count);
        let first = wanted.first.max(1);
        let lines = (first..=last).map(|number| SourceLine {
            number,
            text: text.lines[number as usize - 1].clone(),
        });
        let lines = lines.collect();
        let middle = first + last.saturating_sub(first).div_ceil(2);
        self.list.listed = Some(Listed {
            current: CurrentLine {
                file: wanted.file.clone(),
                line: middle,
            },
            first,
            last,
        });
        self.answer(Report::Source(lines));
        Ok(())
    }
}

fn not_a_line(text: &str) -> Error {
    Error::Other(format!("\"{text}\" is no line."))
}

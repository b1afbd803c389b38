//! What a word of a command can become.

mod files;
mod members;
mod words;

use std::path::PathBuf;

use wdb_vm::tier::Tier;

use crate::commands::lldb::{Flag, Spelling, spellings};
use crate::commands::setting_topics::{SET_TOPICS, SHOW_TOPICS, UNSET_TOPICS};
use crate::commands::{ArgumentKind, Command, FORMS, Group, INFO_COMMANDS, commands, lookup};
use crate::location::function_names;
use crate::program::Program;
use crate::settings::{SETTINGS, Setting, SettingKind};
use crate::view::View;

use words::{Cut, first_words, split_name, word_start};

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

/// What the user has made, as far as completion knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Vocabulary {
    /// The user's own commands, and aliases with the lines that they stand for.
    pub(crate) commands: Vec<(String, Option<String>)>,
    /// The names of the user's variables, without `$`.
    pub(crate) variables: Vec<String>,
    /// Whether expressions are shown at each stop.
    pub(crate) has_displays: bool,
    /// Where names of files count from.
    pub(crate) directory: PathBuf,
    /// The user's home, which `~` stands for.
    pub(crate) home: Option<PathBuf>,
}

/// What completion asks.
pub(crate) struct Completer<'a> {
    pub(crate) program: &'a Program,
    pub(crate) view: &'a View,
    pub(crate) vocabulary: &'a Vocabulary,
    /// The members of what an expression stands for, which only the machine's thread knows.
    pub(crate) members: &'a dyn Fn(&str) -> Vec<String>,
}

impl Completer<'_> {
    /// What the word that ends at a position of a line can become.
    pub(crate) fn complete(&self, line: &str, position: usize) -> Completions {
        /// Aliases of aliases; more are a circle.
        const ALIASES_MAX: usize = 8;
        let line = line.get(..position).unwrap_or(line);
        let mut command_line = line.to_owned();
        for _ in 0..ALIASES_MAX {
            let Some((name, _)) = split_name(&command_line) else {
                break;
            };
            let known = self
                .vocabulary
                .commands
                .iter()
                .find(|(known, _)| known == name);
            let Some((_, Some(target))) = known else {
                break;
            };
            let rest = &command_line.trim_start()[name.len()..];
            command_line = format!("{target}{rest}");
        }
        let mut found = self.complete_command(&command_line);
        // What an alias stands for is longer or shorter than itself.
        found.start = (found.start + line.len()).saturating_sub(command_line.len());
        found
    }

    fn complete_command(&self, line: &str) -> Completions {
        let Some((name, arguments)) = split_name(line) else {
            let start = line.len() - line.trim_start().len();
            return filter(start, &line[start..], self.command_names());
        };
        let Ok(found) = lookup(commands(), name) else {
            return Completions::default();
        };
        self.complete_arguments(line, found.command, arguments)
    }

    fn complete_arguments(&self, line: &str, command: &Command, arguments: &str) -> Completions {
        match command.argument {
            ArgumentKind::None => self.complete_extra(line, command.name, arguments),
            ArgumentKind::Numbers => self.complete_numbers(line, command.name, arguments),
            ArgumentKind::Command => self.complete_help(line, command.name, arguments),
            ArgumentKind::InfoTopic => self.complete_topic(line, arguments, INFO_COMMANDS),
            ArgumentKind::Unset => self.complete_topic(line, arguments, UNSET_TOPICS),
            ArgumentKind::Setting => self.complete_setting(line, command.name, arguments),
            ArgumentKind::Location if command.name == "disassemble" => {
                self.complete_disassemble(line, arguments)
            }
            ArgumentKind::Location => self.complete_location(line),
            ArgumentKind::Expression => self.complete_expression(line, false),
            ArgumentKind::Type => self.complete_expression(line, true),
            ArgumentKind::File => self.complete_file_arguments(line, command.name, arguments),
            ArgumentKind::Spelling => self.complete_spelling(line, command.name, arguments),
        }
    }

    fn command_names(&self) -> Vec<String> {
        let own = self
            .vocabulary
            .commands
            .iter()
            .map(|(name, _)| name.clone());
        commands()
            .map(|command| command.name.to_owned())
            .chain(own)
            .collect()
    }

    /// Words that a few commands have.
    fn complete_extra(&self, line: &str, name: &str, arguments: &str) -> Completions {
        let cut = Cut::last_word(line);
        match name {
            "catch" | "tcatch" => match first_words(arguments)[..] {
                [] => cut.words(&["exit", "grow", "host-call", "start", "trap"]),
                ["host-call"] => cut.filter(self.host_functions()),
                _ => Completions::default(),
            },
            "tier" if first_words(arguments).is_empty() => cut.words(&Tier::NAMES),
            "backtrace" if first_words(arguments).is_empty() => cut.words(&["full"]),
            _ => Completions::default(),
        }
    }

    /// The names of the functions that the program takes from its host.
    fn host_functions(&self) -> Vec<String> {
        let imports = self.program.module().imports().iter();
        let functions =
            imports.filter(|import| matches!(import.ty, wdb_vm::module::ImportType::Func(_)));
        functions.map(|import| import.name.clone()).collect()
    }

    fn complete_numbers(&self, line: &str, name: &str, arguments: &str) -> Completions {
        let mut words: Vec<String> = self
            .view
            .breakpoints
            .iter()
            .map(|it| it.number.to_string())
            .collect();
        let more: &[&str] = match (name, &first_words(arguments)[..]) {
            ("delete" | "disable", []) => &["breakpoints", "display"],
            ("enable", []) => &["breakpoints", "count", "delete", "display", "keep", "once"],
            _ => &[],
        };
        words.extend(more.iter().map(|word| (*word).to_owned()));
        Cut::last_word(line).filter(words)
    }

    /// What `help` explains; only one's own commands are defined and documented.
    fn complete_help(&self, line: &str, name: &str, arguments: &str) -> Completions {
        let cut = Cut::last_word(line);
        match (name, &first_words(arguments)[..]) {
            ("help", ["info"]) => cut.filter(names_of(INFO_COMMANDS)),
            ("help", ["set"]) => cut.filter(setting_names(SET_TOPICS)),
            ("help", ["show"]) => cut.filter(setting_names(SHOW_TOPICS)),
            ("help", ["unset"]) => cut.filter(names_of(UNSET_TOPICS)),
            ("help", []) => {
                let groups = Group::ALL.iter().map(|group| group.name().to_owned());
                let others = ["all", "user-defined"].map(str::to_owned);
                cut.filter(
                    self.command_names()
                        .into_iter()
                        .chain(groups)
                        .chain(others)
                        .collect(),
                )
            }
            ("define" | "document", []) => {
                let own = self.vocabulary.commands.iter();
                cut.filter(own.map(|(name, _)| name.clone()).collect())
            }
            ("alias", _) => match arguments.split_once('=') {
                Some((_, target)) => self.complete_command_at(line, target),
                None => Completions::default(),
            },
            _ => Completions::default(),
        }
    }

    /// Completes a command that stands at the end of a line.
    fn complete_command_at(&self, line: &str, command: &str) -> Completions {
        let command = command.trim_start();
        let mut found = self.complete_command(command);
        found.start += line.len() - command.len();
        found
    }

    fn complete_topic(
        &self,
        line: &str,
        arguments: &str,
        topics: &'static [Command],
    ) -> Completions {
        let Some((topic, rest)) = split_name(arguments) else {
            return filter(line.len() - arguments.len(), arguments, names_of(topics));
        };
        match lookup(topics.iter(), topic) {
            Ok(found) => self.complete_arguments(line, found.command, rest),
            Err(_) => Completions::default(),
        }
    }

    fn complete_setting(&self, line: &str, name: &str, arguments: &str) -> Completions {
        if name == "with"
            && let Some((_, command)) = arguments.split_once(" -- ")
        {
            return self.complete_command_at(line, command);
        }
        let topics = match name {
            "show" => SHOW_TOPICS,
            "set" => SET_TOPICS,
            _ => &[],
        };
        let (word, rest) = crate::commands::first_word(arguments);
        let is_whole = arguments.len() > word.len();
        if let Some(topic) = topics.iter().find(|topic| is_whole && topic.is_named(word)) {
            return self.complete_arguments(line, topic, rest);
        }
        if let Some((setting, value)) = Setting::exact(arguments)
            && (arguments.ends_with(char::is_whitespace) || !value.is_empty())
            && name != "show"
        {
            return match setting.kind {
                SettingKind::File(_) => self.complete_file(line),
                _ => Cut::last_word(line).words(setting.words()),
            };
        }
        filter(
            line.len() - arguments.len(),
            arguments,
            setting_names(topics),
        )
    }

    /// Functions, files, and lines and functions of a file.
    fn complete_disassemble(&self, line: &str, arguments: &str) -> Completions {
        let cut = Cut::last_word(line);
        let word = arguments.rsplit(char::is_whitespace).next();
        let is_option = word.is_some_and(|word| word.starts_with('-'));
        match first_words(arguments).last() {
            Some(&"--tier") => cut.words(&FORMS),
            _ if is_option => cut.words(&["--tier"]),
            _ => self.complete_location(line),
        }
    }

    fn complete_location(&self, line: &str) -> Completions {
        let start = word_start(line, |c| c.is_whitespace() || c == ',');
        let word = &line[start..];
        if let Some((file, _)) = word.rsplit_once(':')
            && !word.ends_with("::")
            && !self.program.info().files_matching(file).is_empty()
        {
            return filter(start, word, self.places_of_file(file));
        }
        let functions = function_names(self.program);
        let functions = functions.iter().map(ToString::to_string);
        let files = self.file_names().into_iter().map(|name| format!("{name}:"));
        filter(start, word, functions.chain(files).collect())
    }

    /// The names of the source files, without their directories.
    fn file_names(&self) -> Vec<String> {
        let files = self.program.info().files();
        let names = files
            .iter()
            .filter_map(|path| path.rsplit(['/', '\\']).next());
        names.map(str::to_owned).collect()
    }

    /// The lines that have code and the functions of a source file, with its name before each.
    fn places_of_file(&self, file: &str) -> Vec<String> {
        let info = self.program.info();
        let mut places = Vec::new();
        for path in info.files_matching(file) {
            let lines = info.lines_with_code(&path);
            places.extend(lines.iter().map(|line| format!("{file}:{line}")));
            for symbol in &*info.all_functions() {
                let function = info.function(symbol.id);
                let declared = function.and_then(|function| function.declaration);
                if declared.is_some_and(|place| place.file == path) {
                    places.push(format!("{file}:{}", symbol.name));
                }
            }
        }
        places
    }

    fn complete_expression(&self, line: &str, has_types: bool) -> Completions {
        if let Some((start, object)) = members::object_before(line) {
            return filter(start, &line[start..], (self.members)(object));
        }
        let is_boundary = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':' | '$'));
        let start = word_start(line, is_boundary);
        let word = &line[start..];
        let before = line[..start].trim_end();
        if before.ends_with('.') {
            // The point of a number, or a member of what means nothing.
            return Completions::default();
        }
        let mut names = self.expression_names(word);
        let is_type_word = ["struct", "union", "enum", "class", "("]
            .iter()
            .any(|it| before.ends_with(it));
        if !word.is_empty() && (has_types || is_type_word) {
            let types = self
                .program
                .info()
                .types_where(&|name| name.starts_with(word));
            names.extend(types.into_iter().map(|symbol| symbol.name.to_string()));
        }
        filter(start, word, names)
    }

    /// The names that an expression can use in the selected frame.
    fn expression_names(&self, word: &str) -> Vec<String> {
        let mut names = Vec::new();
        if word.starts_with('$') || word.is_empty() {
            names.extend(["$pc", "$tick", "$bpnum", "$_"].map(str::to_owned));
            names.extend(
                self.vocabulary
                    .variables
                    .iter()
                    .map(|name| format!("${name}")),
            );
        }
        if let Some(selected) = &self.view.selected {
            names.extend(selected.variables.iter().map(|it| it.name.clone()));
            names.extend((0..selected.locals.len()).map(|index| format!("$local{index}")));
            names.extend((0..selected.operands.len()).map(|index| format!("$stack{index}")));
        }
        names.extend(
            (0..self.program.module().globals().len()).map(|index| format!("$global{index}")),
        );
        names.extend(
            (0..self.program.module().tables().len()).map(|index| format!("$table{index}")),
        );
        let globals = self.program.info().all_globals();
        names.extend(globals.iter().map(ToString::to_string));
        // Functions can be called, but who has typed nothing wants a variable.
        if !word.is_empty() {
            names.extend(function_names(self.program).iter().map(ToString::to_string));
        }
        names
    }

    fn complete_file(&self, line: &str) -> Completions {
        files::complete(line, self.vocabulary)
    }

    /// The arguments of the commands that take files among other things.
    fn complete_file_arguments(&self, line: &str, name: &str, arguments: &str) -> Completions {
        let before = first_words(arguments);
        let cut = Cut::last_word(line);
        match (name, &before[..]) {
            ("save", []) => cut.words(&["breakpoints"]),
            ("source", []) if !cut.word.is_empty() && "list".starts_with(cut.word) => {
                let mut found = self.complete_file(line);
                found.candidates.push("list".to_owned());
                found
            }
            ("dump" | "append", []) => cut.words(&["binary", "memory", "value"]),
            ("dump" | "append", ["binary"]) => cut.words(&["memory", "value"]),
            ("dump" | "append", ["binary", _] | [_]) => self.complete_file(line),
            ("dump" | "append", _) => self.complete_expression(line, false),
            ("restore", [_]) => {
                let mut found = self.complete_expression(line, false);
                if "binary".starts_with(cut.word) {
                    found.candidates.insert(0, "binary".to_owned());
                }
                found
            }
            ("restore", [_, _, ..]) => self.complete_expression(line, false),
            _ => self.complete_file(line),
        }
    }

    /// lldb's words, flags and what follows them; and what else the family takes.
    fn complete_spelling(&self, line: &str, family: &str, arguments: &str) -> Completions {
        let cut = Cut::last_word(line);
        let before = first_words(arguments);
        let of_family = spellings().filter(|it| it.words[0] == family);
        let fitting: Vec<&Spelling> = of_family
            .filter(|it| {
                it.words[1..]
                    .iter()
                    .zip(&before)
                    .all(|(word, typed)| word == typed)
            })
            .collect();
        if let Some(whole) = fitting.iter().find(|it| it.words.len() <= before.len() + 1)
            && (whole.words.len() > 1 || !cut.word.is_empty())
            && let Some(found) = self.complete_flags(line, whole, arguments, &cut)
        {
            return found;
        }
        let next = fitting
            .iter()
            .filter_map(|it| it.words.get(before.len() + 1));
        let mut words: Vec<String> = next.map(|word| (*word).to_owned()).collect();
        match (family, &before[..]) {
            ("frame", []) => words.extend(["apply", "function", "level"].map(str::to_owned)),
            ("frame", ["function"]) => {
                let frames = self.view.frames.iter();
                words.extend(frames.map(|frame| frame.function.clone()));
            }
            ("thread", []) => words.push("apply".to_owned()),
            ("thread" | "frame", ["apply"]) => words.push("all".to_owned()),
            ("thread" | "frame", ["apply", _, ..]) => {
                let rest = arguments
                    .splitn(3, char::is_whitespace)
                    .nth(2)
                    .unwrap_or_default();
                return self.complete_command_at(line, rest);
            }
            ("disassemble", _) if !cut.word.starts_with('-') => {
                return self.complete_location(line);
            }
            ("expression", _) if !cut.word.starts_with('-') => {
                return self.complete_expression(line, false);
            }
            _ => {}
        }
        cut.filter(words)
    }

    /// A flag of a spelling, its value, or what follows.
    fn complete_flags(
        &self,
        line: &str,
        spelling: &Spelling,
        arguments: &str,
        cut: &Cut<'_>,
    ) -> Option<Completions> {
        let before = first_words(arguments);
        let flag = before.last().and_then(|word| {
            let is_meant = |flag: &&Flag| {
                word.strip_prefix("--") == Some(flag.long)
                    || word
                        .strip_prefix('-')
                        .is_some_and(|it| it.chars().eq([flag.short]))
            };
            spelling.flags.iter().find(is_meant)
        });
        if cut.word.starts_with('-') {
            let flags = spelling.flags.iter();
            let words =
                flags.flat_map(|flag| [format!("-{}", flag.short), format!("--{}", flag.long)]);
            return Some(cut.filter(words.collect()));
        }
        let wanted = flag.and_then(|flag| flag.value).unwrap_or(spelling.rest);
        let writes_file = spelling
            .words
            .iter()
            .any(|word| matches!(*word, "write" | "read" | "source" | "launch"));
        Some(match wanted {
            "FUNCTION" | "NAME" => cut.filter(
                function_names(self.program)
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
            ),
            "FILE" if writes_file => self.complete_file(line),
            "FILE" if spelling.words[0] != "command" => cut.filter(self.file_names()),
            "FILE" | "PROGRAM" => self.complete_file(line),
            "[NUMBERS]" | "NUMBERS" => self.complete_numbers(line, "", ""),
            "COMMAND" => self.complete_command_at(line, cut.word),
            "TYPE" => self.complete_expression(line, true),
            "NAME VALUE" | "[NAME]" if spelling.words[0] == "settings" => {
                let verb = if wanted == "NAME VALUE" {
                    "set"
                } else {
                    "show"
                };
                let rest = arguments.split_once(char::is_whitespace);
                let rest = rest.map_or("", |(_, rest)| rest.trim_start());
                return Some(self.complete_setting(line, verb, rest));
            }
            wanted => {
                let is_expression = [
                    "EXPRESSION",
                    "CONDITION",
                    "VARIABLE",
                    "ADDRESS",
                    "OFFSET",
                    "NAMES",
                ]
                .iter()
                .any(|it| wanted.contains(it));
                if !is_expression {
                    return None;
                }
                self.complete_expression(line, false)
            }
        })
    }
}

fn names_of(table: &[Command]) -> Vec<String> {
    table
        .iter()
        .map(|command| command.name.to_owned())
        .collect()
}

fn setting_names(topics: &[Command]) -> Vec<String> {
    let settings = SETTINGS.iter().map(|setting| setting.name.to_owned());
    settings.chain(names_of(topics)).collect()
}

fn filter(start: usize, word: &str, candidates: Vec<String>) -> Completions {
    let mut candidates: Vec<String> = candidates
        .into_iter()
        .filter(|candidate| candidate.starts_with(word))
        .collect();
    candidates.sort_unstable();
    candidates.dedup();
    candidates.truncate(CANDIDATES_MAX);
    Completions { start, candidates }
}

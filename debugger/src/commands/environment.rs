//! What the program is given, and where files are: arguments, environment variables, directories.

use std::path::{Path, PathBuf};

use crate::commands::words::{first_word, join_words, split_words};
use crate::debugger::Debugger;
use crate::error::Error;
use crate::redirection::Redirections;

pub(super) fn set_args(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    debugger.set_arguments(arguments)
}

/// `set environment NAME VALUE`, `NAME = VALUE`, `NAME=VALUE`
pub(super) fn set_environment(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let (name, value) = match arguments.split_once('=') {
        Some((name, value)) if !name.trim().contains(char::is_whitespace) => {
            (name.trim(), value.trim())
        }
        _ => first_word(arguments),
    };
    if name.is_empty() {
        return Err(Error::other(
            "set environment needs a variable, as in `set environment LANG = C`.",
        ));
    }
    if arguments.contains('\0') {
        return Err(Error::other(
            "A variable of the environment holds no zero byte.",
        ));
    }
    let environment = &mut debugger.options.env;
    environment.retain(|(known, _)| known != name);
    environment.push((name.to_owned(), value.to_owned()));
    debugger.drop_fresh_machine();
    if value.is_empty() && !arguments.contains('=') {
        debugger.say(format!(
            "Setting environment variable \"{name}\" to null value."
        ));
    }
    Ok(())
}

pub(super) fn unset_environment(debugger: &mut Debugger, name: &str) -> Result<(), Error> {
    let environment = &mut debugger.options.env;
    match name {
        "" => environment.clear(),
        name => {
            let before = environment.len();
            environment.retain(|(known, _)| known != name);
            if environment.len() == before {
                return Err(not_defined(name));
            }
        }
    }
    debugger.drop_fresh_machine();
    Ok(())
}

pub(super) fn show_environment(debugger: &mut Debugger, name: &str) -> Result<(), Error> {
    let environment = debugger.options.env.iter();
    let shown = environment.filter(|(known, _)| name.is_empty() || known == name);
    let lines: Vec<String> = shown
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    match (&*lines, name) {
        ([], "") => debugger
            .say("The program is given no environment variables; `set environment` gives it one."),
        ([], name) => return Err(not_defined(name)),
        (lines, _) => debugger.say(lines.join("\n")),
    }
    Ok(())
}

fn not_defined(name: &str) -> Error {
    Error::Other(format!("Environment variable \"{name}\" not defined."))
}

pub(super) fn pwd(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    debugger.say(format!(
        "Working directory {}.",
        debugger.directory.display()
    ));
    Ok(())
}

/// `cd [DIRECTORY]`: where names of files count from that commands are given.
pub(super) fn cd(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let path = match arguments {
        "" => std::env::var_os("HOME").map(PathBuf::from),
        name => Some(debugger.file_path(name)),
    };
    let path = path.ok_or_else(|| Error::other("cd needs a directory: HOME is not set."))?;
    let path = path
        .canonicalize()
        .map_err(|error| super::memory_files::file_error(&path, &error))?;
    if !path.is_dir() {
        return Err(Error::Other(format!(
            "{}: Not a directory.",
            path.display()
        )));
    }
    debugger.directory = path;
    debugger.apply_source_path();
    pwd(debugger, "")
}

/// `directory [DIRECTORIES]`
pub(super) fn directory(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if arguments.is_empty() {
        debugger.source_directories.clear();
    } else {
        let names = split_words(arguments)?;
        let names = names.iter().flat_map(|names| names.split(':'));
        let mut added = Vec::new();
        for name in names.filter(|name| !name.is_empty()) {
            let path = debugger.file_path(name);
            if !path.is_dir() {
                debugger.say(format!("warning: {name}: there is no such directory."));
            }
            added.push(path);
        }
        // What is named later is looked in later, but before what was named in other commands.
        debugger
            .source_directories
            .retain(|known| !added.contains(known));
        added.append(&mut debugger.source_directories);
        debugger.source_directories = added;
    }
    debugger.apply_source_path();
    show_directories(debugger, "")
}

pub(super) fn show_directories(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    let directories = debugger.source_directories.iter();
    let mut names: Vec<String> = directories.map(|path| path.display().to_string()).collect();
    names.extend(
        [
            "where the debug info says",
            "beside the program",
            "the working directory",
        ]
        .map(str::to_owned),
    );
    debugger.say(format!("Source directories searched: {}", names.join("; ")));
    Ok(())
}

pub(super) fn set_substitute_path(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let words = split_words(arguments)?;
    let [from, to] = &*words else {
        return Err(Error::other(
            "set substitute-path needs two paths: what sources' recorded paths begin with, and what stands there here.",
        ));
    };
    let maps = &mut debugger.options.source_maps;
    maps.retain(|(known, _)| known != from);
    maps.push((from.clone(), to.clone()));
    debugger.apply_source_path();
    Ok(())
}

pub(super) fn unset_substitute_path(debugger: &mut Debugger, from: &str) -> Result<(), Error> {
    let maps = &mut debugger.options.source_maps;
    let before = maps.len();
    match from {
        "" => maps.clear(),
        from => maps.retain(|(known, _)| known != from),
    }
    if !from.is_empty() && maps.len() == before {
        return Err(Error::Other(format!(
            "No substitution rule defined for `{from}'."
        )));
    }
    debugger.apply_source_path();
    Ok(())
}

pub(super) fn show_substitute_path(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    let maps = debugger.options.source_maps.iter();
    let lines: Vec<String> = maps
        .map(|(from, to)| format!("`{from}' -> `{to}'."))
        .collect();
    debugger.say(match &*lines {
        [] => "No paths of sources are replaced.".to_owned(),
        lines => lines.join("\n"),
    });
    Ok(())
}

impl Debugger {
    /// What the program is given, as a sentence.
    pub(super) fn arguments_text(&self) -> String {
        let words = join_words(self.arguments());
        let text = format!("{words}{}", self.redirections.text());
        format!(
            "The program is started with the arguments \"{}\".",
            text.trim_start()
        )
    }

    /// What the program is given, or the function that is invoked instead of it.
    pub(super) fn arguments(&self) -> &[String] {
        match &self.options.invoke {
            Some((_, arguments)) => arguments,
            None => &self.options.args,
        }
    }

    /// Changes what the program is given from the next start on, and where its standard streams lead.
    pub(super) fn set_arguments(&mut self, text: &str) -> Result<(), Error> {
        let resolve = |name: &str| self.file_path(name);
        let (words, redirections) = Redirections::take(text, resolve)?;
        match &mut self.options.invoke {
            Some((_, arguments)) => *arguments = words,
            None => self.options.args = words,
        }
        self.redirections = redirections;
        self.drop_fresh_machine();
        Ok(())
    }

    /// The path that a file's name stands for: `~/` is the user's own directory, and what is not absolute counts from the
    /// directory that `cd` chose.
    pub(super) fn file_path(&self, name: &str) -> PathBuf {
        if let Some((rest, home)) = name.strip_prefix("~/").zip(std::env::var_os("HOME")) {
            return Path::new(&home).join(rest);
        }
        match self.has_changed_directory() {
            true => self.directory.join(name),
            // As it was given, for messages.
            false => PathBuf::from(name),
        }
    }

    fn has_changed_directory(&self) -> bool {
        std::env::current_dir().is_ok_and(|directory| directory != self.directory)
    }

    /// Makes the program look for its sources where the user wants.
    pub(crate) fn apply_source_path(&mut self) {
        self.program.set_source_path(crate::source::SourcePath {
            map: self.options.source_maps.clone(),
            directories: self.source_directories.clone(),
            current_directory: Some(self.directory.clone()),
        });
        self.missing_told.borrow_mut().clear();
        self.is_view_stale = true;
    }
}

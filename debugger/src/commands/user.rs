//! Commands that the user makes: `define`, `document`, `alias`.

use std::collections::BTreeMap;

use crate::block::BlockKind;
use crate::commands::lookup::find;
use crate::commands::table::{Command, commands};
use crate::debugger::Debugger;
use crate::error::Error;
use crate::location::nearest;

/// The user's commands and aliases, by name.
#[derive(Debug, Default)]
pub(crate) struct UserCommands {
    commands: BTreeMap<String, UserCommand>,
    /// Other names, with what each stands for.
    aliases: BTreeMap<String, String>,
}

#[derive(Debug, Default)]
struct UserCommand {
    lines: Vec<String>,
    help: Vec<String>,
}

/// What a line means that does not begin with a command of the table.
pub(super) enum UserMeaning {
    /// The lines of the user's command, with its arguments in place.
    Body(Vec<String>),
    /// The line that an alias stands for.
    Line(String),
}

impl UserCommands {
    pub(crate) fn define(&mut self, name: String, lines: Vec<String>) {
        self.commands.entry(name).or_default().lines = lines;
    }

    pub(crate) fn document(&mut self, name: &str, lines: Vec<String>) {
        if let Some(command) = self.commands.get_mut(name) {
            command.help = lines;
        }
    }

    /// The lines of a command; none if there is none of this name.
    pub(crate) fn lines_of(&self, name: &str) -> Vec<String> {
        let command = self.commands.get(name);
        command.map_or_else(Vec::new, |command| command.lines.clone())
    }

    /// The names of commands and aliases.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let aliases = self.aliases.keys();
        self.commands.keys().chain(aliases).map(String::as_str)
    }

    /// All names; those of aliases with what they stand for.
    pub(super) fn vocabulary(&self) -> Vec<(String, Option<String>)> {
        let commands = self.commands.keys().map(|name| (name.clone(), None));
        let aliases = self.aliases.iter();
        let aliases = aliases.map(|(name, target)| (name.clone(), Some(target.clone())));
        commands.chain(aliases).collect()
    }

    /// What the user made of a name.
    pub(super) fn meaning(
        &self,
        name: &str,
        arguments: &str,
    ) -> Result<Option<UserMeaning>, Error> {
        if let Some(target) = self.aliases.get(name) {
            let line = format!("{target} {arguments}");
            return Ok(Some(UserMeaning::Line(line.trim_end().to_owned())));
        }
        let Some(command) = self.commands.get(name) else {
            return Ok(None);
        };
        let words = quoted_words(arguments)?;
        let lines = command.lines.iter();
        let lines = lines.map(|line| substituted(line, &words, arguments));
        Ok(Some(UserMeaning::Body(lines.collect())))
    }

    /// The only name that a word is the beginning of.
    pub(super) fn unique(&self, word: &str) -> Option<&str> {
        let mut names = self.names().filter(|name| name.starts_with(word));
        names.next().filter(|_| names.next().is_none())
    }

    /// What the user's help or an alias's target says of a name.
    pub(super) fn help(&self, name: &str) -> Option<String> {
        if let Some(target) = self.aliases.get(name) {
            return Some(format!("Alias for \"{target}\"."));
        }
        let command = self.commands.get(name)?;
        Some(match &*command.help {
            [] => "User-defined.".to_owned(),
            lines => lines.join("\n"),
        })
    }

    /// The first line of what each command is for.
    pub(super) fn list(&self) -> String {
        let mut text = "Commands that you defined, with `define` and `alias`.\n".to_owned();
        for line in self.lines_about(&|_| true) {
            text.push_str(&format!("\n{line}"));
        }
        text
    }

    /// The lines of help of the commands and aliases whose texts are about something.
    pub(super) fn lines_about(&self, is_about: &dyn Fn(&[&str]) -> bool) -> Vec<String> {
        let commands = self
            .commands
            .iter()
            .filter(|(name, command)| is_about(&[name, &command.help.join("\n")]));
        let commands = commands.map(|(name, command)| {
            let help = command.help.first().map_or("User-defined.", String::as_str);
            format!("{name} -- {help}")
        });
        let aliases = self
            .aliases
            .iter()
            .filter(|(name, target)| is_about(&[name, target]));
        let aliases = aliases.map(|(name, target)| format!("{name} -- Alias for \"{target}\"."));
        commands.chain(aliases).collect()
    }

    /// The definition of a command, or of all (`show user`).
    pub(super) fn definitions(&self, name: &str) -> Result<String, Error> {
        let wanted: Vec<_> = self
            .commands
            .iter()
            .filter(|(found, _)| name.is_empty() || *found == name)
            .map(|(name, command)| definition(name, &command.lines))
            .collect();
        if wanted.is_empty() && !name.is_empty() {
            return Err(not_user_defined(name));
        }
        Ok(wanted.join("\n\n"))
    }
}

fn not_user_defined(name: &str) -> Error {
    Error::Other(format!("Not a user command: \"{name}\"."))
}

fn definition(name: &str, lines: &[String]) -> String {
    let mut text = format!("User command \"{name}\":");
    for line in indented(lines) {
        text.push_str(&format!("\n{line}"));
    }
    text
}

/// Lines with the blocks among them indented.
pub(crate) fn indented(lines: &[String]) -> Vec<String> {
    let mut depth = 1usize;
    let mut texts = Vec::with_capacity(lines.len());
    for line in lines {
        let word = line.split(|c: char| !c.is_alphanumeric()).next();
        let is_end = line == "end";
        if is_end || line == "else" {
            depth = depth.saturating_sub(1);
        }
        texts.push(format!("{}{line}", "  ".repeat(depth)));
        let opens = matches!(
            word,
            Some("if" | "while" | "commands" | "define" | "document")
        );
        depth += usize::from(opens || line == "else");
    }
    texts
}

/// Words that quotes keep together. The quotes are a part of them: a word is text for commands and expressions.
fn quoted_words(text: &str) -> Result<Vec<String>, Error> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut is_escaped = false;
    for c in text.chars() {
        match (c, quote) {
            _ if is_escaped => is_escaped = false,
            ('\\', _) => is_escaped = true,
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            (c, None) if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            _ => {}
        }
        word.push(c);
    }
    if let Some(quote) = quote {
        return Err(Error::Other(format!("The quote {quote} has no end.")));
    }
    if !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

/// A line with `$arg0`, `$argc` and `$arg*` replaced. An argument that was not given stays, so that only its use fails.
fn substituted(line: &str, words: &[String], all: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(position) = rest.find("$arg") {
        let (before, found) = rest.split_at(position);
        text.push_str(before);
        let after = &found["$arg".len()..];
        let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (length, value) = if let Some(tail) = after.strip_prefix('c')
            && !tail.starts_with(|c: char| c.is_alphanumeric() || c == '_')
        {
            (1, Some(words.len().to_string()))
        } else if after.starts_with('*') {
            (1, Some(all.to_owned()))
        } else {
            let index = after[..digits].parse::<usize>().ok();
            (digits, index.and_then(|index| words.get(index).cloned()))
        };
        match value {
            Some(value) => text.push_str(&value),
            None => text.push_str(&found[.."$arg".len() + length]),
        }
        rest = &after[length..];
    }
    text.push_str(rest);
    text
}

pub(super) fn define(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let name = new_name("define", arguments)?;
    debugger.open_block(BlockKind::Define(name.to_owned()));
    Ok(())
}

pub(super) fn document(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if arguments.is_empty() {
        return Err(Error::other(
            "document needs the name of a user-defined command.",
        ));
    }
    if !debugger.user_commands.commands.contains_key(arguments) {
        return Err(match find(commands(), arguments) {
            Ok(Some(_)) => Error::Other(format!("Command \"{arguments}\" is built-in.")),
            _ => not_user_defined(arguments),
        });
    }
    debugger.open_block(BlockKind::Document(arguments.to_owned()));
    Ok(())
}

/// `alias [-a] NAME = COMMAND [DEFAULT ARGUMENTS]`.
pub(super) fn alias(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let options = arguments.trim_start_matches("-a ").trim_start();
    let usage = || {
        Error::other("alias needs a name and what it stands for, as in `alias bt5 = backtrace 5`.")
    };
    let (name, target) = options.split_once('=').ok_or_else(usage)?;
    let (name, target) = (name.trim(), target.trim());
    if name.is_empty() || target.is_empty() {
        return Err(usage());
    }
    let name = new_name("alias", name)?;
    if debugger.user_commands.names().any(|known| known == name) {
        return Err(Error::Other(format!("Alias already exists: {name}.")));
    }
    let (word, _) = first_word(target);
    let is_user_made = debugger.user_commands.names().any(|known| known == word);
    if !is_user_made && debugger.built_in(target).is_none() {
        return Err(Error::Other(format!(
            "Invalid command to alias to: {target}."
        )));
    }
    if debugger.opens_block(target) {
        return Err(Error::Other(format!(
            "{word} goes on over several lines and has no other name; `define {name}` can stand for it."
        )));
    }
    let aliases = &mut debugger.user_commands.aliases;
    aliases.insert(name.to_owned(), target.to_owned());
    Ok(())
}

/// A name that a user's command can have.
fn new_name<'a>(verb: &str, text: &'a str) -> Result<&'a str, Error> {
    let name = text.trim();
    if name.is_empty() {
        return Err(Error::Other(format!("{verb} needs a command's name.")));
    }
    let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    if !is_name {
        return Err(Error::Other(format!(
            "\"{name}\" is no name for a command: letters, digits, - and _ make one."
        )));
    }
    let is_built_in = |command: &Command| command.name == name || command.aliases.contains(&name);
    if commands().any(is_built_in) {
        return Err(Error::Other(format!(
            "{name} is a command of wdb and keeps its meaning; choose another name."
        )));
    }
    Ok(name)
}

/// The command's name that a line begins with, and the rest.
pub(super) fn first_word(line: &str) -> (&str, &str) {
    let end = line.find(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'));
    let (name, rest) = line.split_at(end.unwrap_or(line.len()));
    (name, rest.trim_start())
}

impl Debugger {
    /// The command of the table that a line begins with, unless the user gave its word another meaning.
    pub(crate) fn built_in(&self, line: &str) -> Option<&'static Command> {
        let (name, _) = first_word(line);
        let is_user_made = self.user_commands.names().any(|known| known == name);
        if is_user_made || name.is_empty() {
            return None;
        }
        find(commands(), name).ok().flatten()
    }

    /// What the user made a line mean; `None` if it is the table's.
    pub(super) fn user_meaning(&self, line: &str) -> Result<Option<UserMeaning>, Error> {
        let (name, arguments) = first_word(line);
        let found = self.user_commands.meaning(name, arguments)?;
        if found.is_some() || name.is_empty() {
            return Ok(found);
        }
        match find(commands(), name)? {
            Some(_) => Ok(None),
            None => match self.user_commands.unique(name) {
                Some(name) => self.user_commands.meaning(name, arguments),
                None => Ok(None),
            },
        }
    }

    /// Names that look like one that means nothing.
    pub(super) fn commands_near(&self, name: &str) -> Vec<String> {
        let built_in = commands().map(|command| command.name);
        nearest(name, built_in.chain(self.user_commands.names()))
    }
}

#[cfg(test)]
mod tests {
    use super::{indented, quoted_words, substituted};

    #[test]
    fn arguments_are_put_in_place() {
        let words = ["a + 1".to_owned(), "b".to_owned()];
        let text = |line| substituted(line, &words, "'a + 1' b");
        assert_eq!(text("print $arg0 * $arg1"), "print a + 1 * b");
        assert_eq!(text("print $argc, $arg2"), "print 2, $arg2");
        assert_eq!(
            text("echo $arg*, $argument $"),
            "echo 'a + 1' b, $argument $"
        );
    }

    #[test]
    fn quotes_keep_words_together() {
        assert_eq!(
            quoted_words(r#"a "b c" 'd e'f"#),
            Ok(vec![
                "a".to_owned(),
                "\"b c\"".to_owned(),
                "'d e'f".to_owned()
            ])
        );
        assert!(quoted_words("'a").is_err());
    }

    #[test]
    fn blocks_are_indented() {
        let lines = ["if x", "print 1", "else", "print 2", "end", "next"];
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let wanted = [
            "  if x",
            "    print 1",
            "  else",
            "    print 2",
            "  end",
            "  next",
        ];
        assert_eq!(indented(&lines), wanted);
    }
}

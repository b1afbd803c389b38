//! Finding the command that a line means: by its name, an alias, or a prefix that is unique.

use crate::commands::table::Command;
use crate::error::Error;
use crate::location::nearest;

/// A command and what follows its name.
pub(crate) struct Found<'a> {
    pub(crate) command: &'static Command,
    pub(crate) arguments: &'a str,
}

/// The command that a line begins with.
pub(crate) fn lookup<'a>(
    table: impl Iterator<Item = &'static Command> + Clone,
    line: &'a str,
) -> Result<Found<'a>, Error> {
    let line = line.trim();
    let end = line
        .find(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'))
        .unwrap_or(line.len());
    // `!ls` needs no blank.
    let end = if line.starts_with('!') { 1 } else { end };
    let (name, rest) = line.split_at(end);
    let command = match name {
        "" => None,
        name => find(table.clone(), name)?,
    };
    match command {
        Some(command) => Ok(Found {
            command,
            arguments: rest.trim_start(),
        }),
        None => {
            let shown = if name.is_empty() { line } else { name };
            Err(Error::UndefinedCommand {
                name: shown.to_owned(),
                near: nearest(shown, table.map(|command| command.name)),
            })
        }
    }
}

/// The command of a name, alias or unique prefix; `None` if there is none, an error if there are several.
pub(crate) fn find(
    mut table: impl Iterator<Item = &'static Command> + Clone,
    name: &str,
) -> Result<Option<&'static Command>, Error> {
    let exact = table.clone().find(|command| command.is_named(name));
    if exact.is_some() {
        return Ok(exact);
    }
    let mut candidates: Vec<&'static Command> = table
        .by_ref()
        .filter(|command| command.name.starts_with(name))
        .collect();
    candidates.sort_unstable_by_key(|command| command.name);
    // `prin` means `print`, though there is `printf`.
    if let [first, others @ ..] = &*candidates
        && others
            .iter()
            .all(|other| other.name.starts_with(first.name))
    {
        return Ok(Some(first));
    }
    match &*candidates {
        [] => Ok(None),
        candidates => Err(Error::Ambiguous {
            noun: "command",
            name: name.to_owned(),
            candidates: candidates
                .iter()
                .map(|command| command.name.to_owned())
                .collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::lookup;
    use crate::commands::table::commands;

    fn name_of(line: &str) -> String {
        match lookup(commands(), line) {
            Ok(found) => format!("{}|{}", found.command.name, found.arguments),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn commands_are_found_by_name_alias_and_prefix() {
        let cases = [
            ("break fib", "break|fib"),
            ("b fib", "break|fib"),
            ("br fib", "break|fib"),
            ("s", "step|"),
            ("n 3", "next|3"),
            ("c", "continue|"),
            ("cont", "continue|"),
            ("fin", "finish|"),
            ("p/x 3", "print|/x 3"),
            ("p x", "print|x"),
            ("x/4xw &a", "x|/4xw &a"),
            ("bt full", "backtrace|full"),
            ("i b", "info|b"),
            ("disas", "disassemble|"),
            ("tb main", "tbreak|main"),
            ("l 3,4", "list|3,4"),
            ("r a b", "run|a b"),
        ];
        for (line, wanted) in cases {
            assert_eq!(name_of(line), wanted, "{line}");
        }
    }

    #[test]
    fn what_is_unknown_gets_a_suggestion() {
        assert_eq!(
            name_of("brek fib"),
            "Undefined command: \"brek\". Did you mean break? Try \"help\"."
        );
        assert_eq!(name_of("%%"), "Undefined command: \"%%\". Try \"help\".");
        assert!(name_of("un").starts_with("Ambiguous command"));
    }

    #[test]
    fn names_and_aliases_are_unique() {
        let mut names: Vec<&str> = commands()
            .flat_map(|command| {
                std::iter::once(command.name).chain(command.aliases.iter().copied())
            })
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(
            names.len(),
            count,
            "a name or an alias stands for two commands"
        );
    }
}

//! Where the program's standard streams lead, as in `run <input.txt >output.txt`.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::commands::shell_words;
use crate::error::Error;

/// Where the program's standard streams lead, if not to wdb.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Redirections {
    pub(crate) stdin: Option<PathBuf>,
    pub(crate) stdout: Option<OutputFile>,
    pub(crate) stderr: Option<OutputFile>,
}

/// A file that an output stream leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutputFile {
    pub(crate) path: PathBuf,
    /// Whether the output is added to what the file holds (`>>`).
    pub(crate) appends: bool,
}

/// Which stream an operator of the shell leads elsewhere.
const OPERATORS: [(&str, Operator); 6] = [
    ("2>>", Operator::Stderr { appends: true }),
    ("2>", Operator::Stderr { appends: false }),
    ("1>", Operator::Stdout { appends: false }),
    (">>", Operator::Stdout { appends: true }),
    (">", Operator::Stdout { appends: false }),
    ("<", Operator::Stdin),
];

#[derive(Debug, Clone, Copy)]
enum Operator {
    Stdin,
    Stdout { appends: bool },
    Stderr { appends: bool },
}

impl Redirections {
    /// Takes the redirections out of what is given to the program; what is left are arguments. `resolve` finds the path
    /// that a name stands for.
    pub(crate) fn take(
        text: &str,
        resolve: impl Fn(&str) -> PathBuf,
    ) -> Result<(Vec<String>, Redirections), Error> {
        let mut arguments = Vec::new();
        let mut found = Redirections::default();
        let mut words = shell_words(text)?.into_iter();
        while let Some(word) = words.next() {
            let operator = OPERATORS.iter().find_map(|(sign, operator)| {
                Some((word.text.strip_prefix(sign)?, sign, *operator))
            });
            let Some((name, sign, operator)) = operator.filter(|_| !word.is_quoted) else {
                arguments.push(word.text);
                continue;
            };
            let name = match name {
                "" => words.next().map(|word| word.text),
                name => Some(name.to_owned()),
            };
            let name = name.ok_or_else(|| {
                Error::Other(format!(
                    "{sign} needs the name of a file; quote it to give it to the program."
                ))
            })?;
            let path = resolve(&name);
            match operator {
                Operator::Stdin => found.stdin = Some(path),
                Operator::Stdout { appends } => found.stdout = Some(OutputFile { path, appends }),
                Operator::Stderr { appends } => found.stderr = Some(OutputFile { path, appends }),
            }
        }
        Ok((arguments, found))
    }

    /// Makes the files ready for a run: empties those that are written anew.
    pub(crate) fn begin(&self) -> Result<(), Error> {
        for file in self.stdout.iter().chain(&self.stderr) {
            let opened = match file.appends {
                true => open_to_append(&file.path),
                false => File::create(&file.path),
            };
            opened.map_err(|error| Error::Other(format!("{}: {error}.", file.path.display())))?;
        }
        Ok(())
    }

    /// As they are written after a command's arguments, with a blank before each.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        if let Some(path) = &self.stdin {
            text.push_str(&format!(" <{}", path.display()));
        }
        for (file, sign) in [(&self.stdout, ">"), (&self.stderr, "2>")] {
            if let Some(file) = file {
                let again = if file.appends { ">" } else { "" };
                text.push_str(&format!(" {sign}{again}{}", file.path.display()));
            }
        }
        text
    }
}

fn open_to_append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

impl OutputFile {
    /// What writes to the file. It is opened when something is written: a machine may be made and never run.
    pub(crate) fn writer(&self) -> impl Write + Send + 'static {
        LazyFile {
            path: self.path.clone(),
            file: None,
        }
    }
}

struct LazyFile {
    path: PathBuf,
    file: Option<File>,
}

impl Write for LazyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(open_to_append(&self.path)?),
        };
        file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), File::flush)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::Redirections;

    #[test]
    fn redirections_are_taken_out_unless_they_are_quoted() {
        let taken = |text| Redirections::take(text, |name| PathBuf::from(name));
        let (arguments, found) = taken("a <in '>b' > \"o ut\" 2>>err c").expect("it is whole");
        assert_eq!(arguments, ["a", ">b", "c"]);
        assert_eq!(found.text(), " <in >o ut 2>>err");
        assert!(taken("a >").is_err());
        let (arguments, found) = taken("a<b").expect("no operator begins a word");
        assert_eq!(
            (arguments, found),
            (vec!["a<b".to_owned()], Redirections::default())
        );
    }
}

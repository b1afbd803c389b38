//! Commands given before the first prompt: `-ex COMMAND` and `-x FILE`.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::FrontEndError;

/// Something to execute before the first prompt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ScriptItem {
    /// One command.
    Command(String),
    /// The commands of a file, one on each line; empty lines and lines that begin with `#` are skipped.
    File(PathBuf),
    /// The same from a text that was read already, with the name to show for it.
    Text {
        /// For messages.
        name: String,
        /// The commands.
        text: String,
    },
}

impl ScriptItem {
    /// The name of what holds several commands.
    fn name(&self) -> Option<String> {
        match self {
            ScriptItem::Command(_) => None,
            ScriptItem::File(path) => Some(path.display().to_string()),
            ScriptItem::Text { name, .. } => Some(name.clone()),
        }
    }
}

/// A larger file is no script.
const SCRIPT_BYTES_MAX: u64 = 16 << 20;

/// The commands of a script with their 1-based line numbers.
pub(crate) fn read_script(path: &Path) -> Result<Vec<(usize, String)>, FrontEndError> {
    let wrap = |source| FrontEndError::Script {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(wrap)?;
    let mut text = String::new();
    file.take(SCRIPT_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(wrap)?;
    Ok(commands_of(&text))
}

/// The commands of a text with their 1-based line numbers. An empty line would repeat the command before it.
fn commands_of(text: &str) -> Vec<(usize, String)> {
    let lines = (1..).zip(text.lines().map(str::trim));
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| (number, line.to_owned()))
        .collect()
}

/// How a script went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct ScriptOutcome {
    /// Whether the last command failed.
    pub(crate) failed: bool,
    /// The exit status, if a command asked to leave.
    pub(crate) quit: Option<i32>,
}

/// What executes a script's commands.
pub(crate) trait Executor {
    /// Executes one command to its end.
    fn execute(&mut self, line: &str) -> Result<Execution, FrontEndError>;
    /// Says that no more lines come for a block that is open (`commands`, `define`, `if`).
    fn end_input(&mut self) -> Result<Execution, FrontEndError>;
    /// Shows an error that is the script's own.
    fn error(&mut self, text: &str) -> Result<(), FrontEndError>;
}

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Execution {
    Success,
    Failure,
    Quit(i32),
}

/// Executes the items in order as gdb does: after a failed command the next item follows, but the rest of the failed
/// command's file is skipped. Unlike gdb, a file that cannot be read counts as a failure.
pub(crate) fn run_items(
    items: &[ScriptItem],
    executor: &mut dyn Executor,
) -> Result<ScriptOutcome, FrontEndError> {
    let mut outcome = ScriptOutcome::default();
    for item in items {
        let commands = match item {
            ScriptItem::Command(command) => vec![(0, command.clone())],
            ScriptItem::Text { text, .. } => commands_of(text),
            ScriptItem::File(path) => match read_script(path) {
                Ok(commands) => commands,
                Err(error) => {
                    executor.error(&error.to_string())?;
                    outcome.failed = true;
                    continue;
                }
            },
        };
        for (line, command) in commands {
            let execution = executor.execute(&command)?;
            outcome.failed = execution == Execution::Failure;
            match execution {
                Execution::Success => {}
                Execution::Failure => {
                    if let Some(name) = item.name() {
                        executor.error(&format!("{name}:{line}: Error in sourced command file"))?;
                    }
                    break;
                }
                Execution::Quit(status) => {
                    outcome.quit = Some(status);
                    return Ok(outcome);
                }
            }
        }
        if item.name().is_some() && executor.end_input()? == Execution::Failure {
            outcome.failed = true;
        }
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::{Execution, Executor, ScriptItem, ScriptOutcome, run_items};
    use crate::error::FrontEndError;

    #[derive(Default)]
    struct Recorder {
        executed: Vec<String>,
        errors: Vec<String>,
    }

    impl Executor for Recorder {
        fn execute(&mut self, line: &str) -> Result<Execution, FrontEndError> {
            self.executed.push(line.to_owned());
            Ok(match line {
                "bad" => Execution::Failure,
                "quit" => Execution::Quit(3),
                _ => Execution::Success,
            })
        }

        fn end_input(&mut self) -> Result<Execution, FrontEndError> {
            Ok(Execution::Success)
        }

        fn error(&mut self, text: &str) -> Result<(), FrontEndError> {
            self.errors.push(text.to_owned());
            Ok(())
        }
    }

    fn run(items: &[ScriptItem]) -> (Recorder, ScriptOutcome) {
        let mut recorder = Recorder::default();
        let outcome = run_items(items, &mut recorder).expect("the recorder does not fail");
        (recorder, outcome)
    }

    fn command(text: &str) -> ScriptItem {
        ScriptItem::Command(text.to_owned())
    }

    #[test]
    fn the_last_command_decides() {
        let (recorder, outcome) = run(&[command("bad"), command("ok")]);
        assert_eq!(recorder.executed, ["bad", "ok"]);
        assert!(!outcome.failed);
        let (_, outcome) = run(&[command("ok"), command("bad")]);
        assert!(outcome.failed);
        let (recorder, outcome) = run(&[command("quit"), command("ok")]);
        assert_eq!(recorder.executed, ["quit"]);
        assert_eq!(outcome.quit, Some(3));
    }

    #[test]
    fn a_file_ends_at_its_first_failure_and_names_the_line() {
        let path = std::env::temp_dir().join(format!("wdb-script-test-{}", std::process::id()));
        let mut file = std::fs::File::create(&path).expect("the temporary folder is writable");
        write!(file, "# comment\n\none\nbad\ntwo\n").expect("the file is writable");
        let (recorder, outcome) = run(&[ScriptItem::File(path.clone()), command("after")]);
        std::fs::remove_file(&path).expect("the file is there");
        assert_eq!(recorder.executed, ["one", "bad", "after"]);
        assert!(recorder.errors[0].ends_with(":4: Error in sourced command file"));
        assert!(!outcome.failed);
    }

    #[test]
    fn a_missing_file_is_a_failure() {
        let missing = std::env::temp_dir().join("wdb-no-such-script");
        let (recorder, outcome) = run(&[ScriptItem::File(missing)]);
        assert!(recorder.errors[0].starts_with("cannot read the commands in "));
        assert!(outcome.failed);
    }
}

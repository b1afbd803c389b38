//! The prompt at a terminal: an editor with history and completion.

use std::path::PathBuf;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::{FileHistory, History};
use rustyline::validate::Validator;
use rustyline::{Context, Editor, Helper};
use wdb_debugger::Preferences;
use wdb_debugger::session::Session;

use crate::error::FrontEndError;
use crate::history::{editor_config, make_parent};

/// What was typed at the prompt.
pub(super) enum Typed {
    Line(String),
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D.
    End,
}

/// The line editor.
pub(super) struct Prompt {
    editor: Editor<CommandHelper, FileHistory>,
    /// Where the commands of earlier sessions were read from.
    history: Option<PathBuf>,
}

impl Prompt {
    /// An editor with the commands of earlier sessions. `usual_history` is where they are unless a setting says otherwise.
    pub(super) fn new(
        session: &Session,
        usual_history: Option<PathBuf>,
    ) -> Result<Prompt, FrontEndError> {
        let mut editor = Editor::with_config(editor_config()).map_err(FrontEndError::Line)?;
        editor.set_helper(Some(CommandHelper {
            session: session.clone(),
        }));
        let preferences = session.preferences();
        let history = history_of(&preferences, usual_history);
        if let Some(path) = &history {
            // A missing file is the ordinary case of the first session.
            let _ = editor.load_history(path);
        }
        Ok(Prompt { editor, history })
    }

    pub(super) fn read(&mut self, prompt: &str) -> Result<Typed, FrontEndError> {
        match self.editor.readline(prompt) {
            Ok(line) => Ok(Typed::Line(line)),
            Err(ReadlineError::Interrupted) => Ok(Typed::Interrupt),
            Err(ReadlineError::Eof) => Ok(Typed::End),
            Err(error) => Err(FrontEndError::Line(error)),
        }
    }

    /// Remembers a command, within the size that is set now.
    pub(super) fn remember(&mut self, line: &str, preferences: &Preferences) {
        if line.trim().is_empty() {
            return;
        }
        // It is refused only where the history cannot be shortened, which one in memory can.
        let _ = self
            .editor
            .history_mut()
            .set_max_len(preferences.history_size);
        // The history keeps no duplicates; whether this is one does not matter.
        let _ = self.editor.add_history_entry(line);
    }

    /// Keeps the commands for later sessions, if that is wanted. What cannot be written costs the history, not the session.
    pub(super) fn save(&mut self, preferences: &Preferences) {
        let path = match preferences.history_file.as_str() {
            "" => self.history.clone(),
            file => Some(PathBuf::from(file)),
        };
        if let Some(path) = path.filter(|path| preferences.history_saves && make_parent(path)) {
            let _ = self.editor.append_history(&path);
        }
    }
}

fn history_of(preferences: &Preferences, usual: Option<PathBuf>) -> Option<PathBuf> {
    match preferences.history_file.as_str() {
        "" => usual,
        file => Some(PathBuf::from(file)),
    }
}

/// Completes commands through the session.
struct CommandHelper {
    session: Session,
}

impl Completer for CommandHelper {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let completions = self.session.complete(line, position);
        Ok((completions.start, completions.candidates))
    }
}

impl Hinter for CommandHelper {
    type Hint = String;
}

impl Highlighter for CommandHelper {}

impl Validator for CommandHelper {}

impl Helper for CommandHelper {}

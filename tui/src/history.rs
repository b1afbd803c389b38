//! The commands of earlier sessions. Both front ends share one file.

use std::fs;
use std::path::{Path, PathBuf};

use rustyline::Config;
use rustyline::history::{FileHistory, History};

/// How many commands are kept.
const ENTRIES_MAX: usize = 1000;

/// The history's place under the XDG state directory; `None` when neither `XDG_STATE_HOME` nor `HOME` says where that is.
pub fn history_path() -> Option<PathBuf> {
    let state = xdg_directory("XDG_STATE_HOME", ".local/state")?;
    Some(state.join("wdb").join("history"))
}

/// One of the XDG base directories: what the variable says, or else the usual place below the user's home.
pub(crate) fn xdg_directory(variable: &str, below_home: &str) -> Option<PathBuf> {
    let absolute = |name: &str| {
        let path = PathBuf::from(std::env::var_os(name)?);
        path.is_absolute().then_some(path)
    };
    absolute(variable).or_else(|| absolute("HOME").map(|home| home.join(below_home)))
}

/// The line editor's settings, the history's among them.
pub(crate) fn editor_config() -> Config {
    let builder = Config::builder()
        .completion_type(rustyline::CompletionType::List)
        .completion_show_all_if_ambiguous(true)
        .auto_add_history(false);
    // Only a length of zero is refused.
    match builder.max_history_size(ENTRIES_MAX) {
        Ok(builder) => builder.build(),
        Err(_) => Config::default(),
    }
}

/// The history of one session. A file that cannot be read or written costs the history, not the session.
pub(crate) struct SavedHistory {
    path: Option<PathBuf>,
    entries: FileHistory,
}

impl SavedHistory {
    /// Reads the file, if there is one.
    pub(crate) fn open(path: Option<PathBuf>) -> SavedHistory {
        let mut entries = FileHistory::with_config(&editor_config());
        if let Some(path) = &path {
            // A missing file is the ordinary case of the first session.
            let _ = entries.load(path);
        }
        SavedHistory { path, entries }
    }

    /// The commands, oldest first.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.entries.iter().cloned().collect()
    }

    /// Adds a command.
    pub(crate) fn add(&mut self, line: &str) {
        let _ = self.entries.add(line);
    }

    /// Adds what is new to the file.
    pub(crate) fn save(&mut self) {
        if let Some(path) = &self.path
            && make_parent(path)
        {
            let _ = self.entries.append(path);
        }
    }
}

/// Makes the folder of a file; says whether it is there.
pub(crate) fn make_parent(path: &Path) -> bool {
    path.parent()
        .is_some_and(|parent| fs::create_dir_all(parent).is_ok())
}

//! The full screen: panes of source, wasm, stack, values, memory and output, drawn from the session's views.

mod actions;
mod app;
mod arrangement;
mod draw;
mod event_loop;
mod keymap;
mod listing;
mod memory;
mod output_buffer;
mod pane;
mod scroll;
mod syntax;
mod terminal;
#[cfg(test)]
mod tests;
mod theme;
mod values;
mod workers;

use std::path::PathBuf;

use wdb_debugger::session::Session;

use crate::error::FrontEndError;
use crate::history::history_path;
use crate::script::ScriptItem;

pub use actions::key_reference;
pub use theme::Theme;

/// How the full screen runs.
#[derive(Clone, Debug)]
pub struct ScreenOptions {
    /// What to execute first, in order; `start` shows the program at `main`.
    pub commands: Vec<ScriptItem>,
    /// The colours.
    pub theme: Theme,
    /// Where commands are remembered; `None` for nowhere.
    pub history: Option<PathBuf>,
}

impl Default for ScreenOptions {
    fn default() -> ScreenOptions {
        ScreenOptions {
            commands: Vec::new(),
            theme: Theme::of_environment(),
            history: history_path(),
        }
    }
}

/// Runs the full screen until the user leaves; returns the exit status.
///
/// The standard input and output must be a terminal. It is restored at the end, also after an error, a panic in any
/// thread, or a signal that ends the process; the exit status then is 101 or 128 plus the signal's number.
pub fn run(session: &Session, options: ScreenOptions) -> Result<i32, FrontEndError> {
    event_loop::run(session, options)
}

//! The terminal's modes, and that they are undone whatever happens.

use std::io::{self, Write};
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::Show;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::execute;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

use crate::error::FrontEndError;

/// Whether the terminal is in the full screen's modes.
static ENTERED: AtomicBool = AtomicBool::new(false);
/// Whether some thread panicked while the screen was up.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// While this lives, the terminal shows the full screen.
pub(crate) struct FullScreen(());

impl FullScreen {
    /// Puts the terminal into the full screen's modes. From the first time on, a panic in any thread undoes them before
    /// its message is printed.
    pub(crate) fn enter() -> Result<FullScreen, FrontEndError> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let default = panic::take_hook();
            panic::set_hook(Box::new(move |panic| {
                if leave() {
                    PANICKED.store(true, Ordering::SeqCst);
                }
                default(panic);
            }));
        });
        enable_raw_mode().map_err(FrontEndError::Terminal)?;
        ENTERED.store(true, Ordering::SeqCst);
        let screen = FullScreen(());
        execute!(
            io::stdout(),
            EnterAlternateScreen,
            EnableMouseCapture,
            EnableBracketedPaste
        )
        .map_err(FrontEndError::Terminal)?;
        Ok(screen)
    }

    /// Whether a panic has taken the screen away.
    pub(crate) fn is_lost() -> bool {
        PANICKED.load(Ordering::SeqCst)
    }
}

impl Drop for FullScreen {
    fn drop(&mut self) {
        leave();
    }
}

/// Undoes the modes, if they are set; says whether they were.
fn leave() -> bool {
    if !ENTERED.swap(false, Ordering::SeqCst) {
        return false;
    }
    // Nothing can be done about a terminal that is gone.
    let mut stdout = io::stdout();
    let _ = execute!(
        stdout,
        DisableBracketedPaste,
        DisableMouseCapture,
        LeaveAlternateScreen,
        Show
    );
    let _ = disable_raw_mode();
    let _ = stdout.flush();
    true
}

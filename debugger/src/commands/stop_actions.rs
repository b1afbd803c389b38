//! `commands`: what is done when a breakpoint stops the program.

use crate::block::BlockKind;
use crate::debugger::Debugger;
use crate::error::Error;

/// What the last stop still has to be followed by.
#[derive(Debug, Default)]
pub(crate) struct StopActions {
    /// The lines of the breakpoints that stopped the program.
    pending: Vec<String>,
    /// Whether lines of a stop are being performed now.
    is_active: bool,
    /// How often the program has stopped.
    stops: u64,
}

/// The user's command that is performed at every stop, before the commands of breakpoints.
pub(super) const STOP_HOOK: &str = "hook-stop";

/// As the first line, it keeps the stop from being told.
const SILENT: &str = "silent";

pub(super) fn commands(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let numbers = match arguments {
        "" => match debugger.breakpoints.last_number() {
            0 => return Err(Error::other("No breakpoints specified.")),
            last => vec![last],
        },
        list => super::breakpoints::numbers(debugger, list)?,
    };
    for number in &numbers {
        debugger.breakpoints.get(*number)?;
    }
    debugger.open_block(BlockKind::Commands(numbers));
    Ok(())
}

/// `silent` where it stands for nothing.
pub(super) fn silent(_debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    Err(Error::other(
        "`silent` has a meaning as the first of a breakpoint's commands only.",
    ))
}

impl Debugger {
    /// Gives breakpoints the lines that are performed when they stop the program.
    pub(crate) fn set_commands(&mut self, numbers: &[u32], lines: &[String]) {
        for number in numbers {
            // It may have been deleted while its lines were typed.
            if let Ok(breakpoint) = self.breakpoints.get_mut(*number) {
                breakpoint.commands = lines.to_vec();
            }
        }
        self.is_view_stale = true;
    }

    /// Takes note of a stop at breakpoints; answers whether it is not to be told.
    pub(crate) fn begin_stop_actions(&mut self, numbers: &[u32]) -> bool {
        self.stop_actions.stops += 1;
        // gdb's hook: what is performed at every stop.
        self.stop_actions.pending = self.user_commands.lines_of(STOP_HOOK);
        let (mut told, mut silent) = (0, 0);
        for number in numbers {
            let Ok(breakpoint) = self.breakpoints.get(*number) else {
                continue;
            };
            let lines = match &*breakpoint.commands {
                [first, rest @ ..] if first == SILENT => {
                    silent += 1;
                    rest
                }
                lines => {
                    told += 1;
                    lines
                }
            };
            self.stop_actions.pending.extend_from_slice(lines);
        }
        silent > 0 && told == 0
    }

    /// Whether lines are performed after this stop, which may let the program go on at once.
    pub(crate) fn has_stop_actions(&self) -> bool {
        !self.stop_actions.pending.is_empty()
    }

    /// Performs what the last stop has to be followed by, and what the stops have to be followed by to which that leads: a
    /// loop, because each of many stops may continue the program.
    pub(super) fn perform_stop_actions(&mut self) -> Result<(), Error> {
        if self.stop_actions.is_active {
            return Ok(());
        }
        self.stop_actions.is_active = true;
        let mut result = Ok(());
        while self.has_stop_actions() && result.is_ok() && self.quit.is_none() {
            let lines = std::mem::take(&mut self.stop_actions.pending);
            result = self.perform_lines_of_stop(&lines);
        }
        self.stop_actions.is_active = false;
        self.stop_actions.pending.clear();
        result
    }

    /// Performs lines until the program has gone on: what comes after was meant for the place where it stood.
    fn perform_lines_of_stop(&mut self, lines: &[String]) -> Result<(), Error> {
        let stops = self.stop_actions.stops;
        for line in lines {
            self.perform_body(std::slice::from_ref(line))?;
            if self.stop_actions.stops != stops && self.block.is_none() {
                break;
            }
        }
        self.abandon_block()
    }
}

//! Performing a command for several frames, or for the one agent: `frame apply` and `thread apply`.

use crate::commands::words::first_word;
use crate::debugger::Debugger;
use crate::error::Error;
use crate::report::{CodeReport, Report};

/// What stands before the command.
#[derive(Debug, Default, PartialEq, Eq)]
struct Flags {
    /// `-q`: which frame it is, is not said.
    is_quiet: bool,
    /// `-c`: an error is told, and the next frame follows.
    goes_on: bool,
    /// `-s`: a frame where the command fails is passed over in silence.
    is_silent: bool,
}

impl Flags {
    fn split(text: &str) -> (Flags, &str) {
        let mut flags = Flags::default();
        let mut rest = text.trim();
        loop {
            let (word, after) = first_word(rest);
            match word {
                "-q" => flags.is_quiet = true,
                "-c" => flags.goes_on = true,
                "-s" => flags.is_silent = true,
                _ => return (flags, rest),
            }
            rest = after;
        }
    }
}

/// `frame apply all | COUNT | -COUNT [FLAGS] COMMAND`
pub(super) fn frames(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    debugger.expect_alive()?;
    let usage = || {
        Error::other(
            "frame apply needs frames and a command, as in `frame apply all info locals` or `frame apply 2 -q print x`.",
        )
    };
    let (which, rest) = first_word(arguments);
    let total = debugger.frame_total();
    let (first, count) = match which {
        "" => return Err(usage()),
        "all" => (0, total),
        text => {
            let count = debugger.evaluate_count(text)?;
            let magnitude = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
            match count < 0 {
                true => (total.saturating_sub(magnitude), magnitude),
                false => (0, magnitude),
            }
        }
    };
    let (flags, command) = Flags::split(rest);
    if command.is_empty() {
        return Err(usage());
    }
    let selected = debugger.selected;
    let result = debugger.perform_in_frames(
        first..total.min(first.saturating_add(count)),
        &flags,
        command,
    );
    // The command may have let the program run.
    let is_there = debugger.is_alive() && selected < debugger.frame_total();
    debugger.selected = if is_there { selected } else { 0 };
    result
}

impl Debugger {
    fn perform_in_frames(
        &mut self,
        numbers: std::ops::Range<usize>,
        flags: &Flags,
        command: &str,
    ) -> Result<(), Error> {
        for number in numbers {
            let Some(frame) = self.frames().nth(number) else {
                break;
            };
            if self.shared.is_cancelled() {
                return Err(Error::other("Interrupted."));
            }
            self.selected = number;
            self.list.forget();
            if !flags.is_quiet {
                let mut report = self.frame_report(&frame, Some(number), false);
                report.code = CodeReport::None;
                self.answer(Report::Frame(report));
            }
            match self.perform_line(command) {
                Err(_) if flags.is_silent => {}
                Err(error) if flags.goes_on => self.say(error.to_string()),
                result => result?,
            }
        }
        Ok(())
    }

    /// `thread apply all | NUMBERS [FLAGS] COMMAND`: there is one agent.
    pub(super) fn perform_in_threads(&mut self, arguments: &str) -> Result<(), Error> {
        self.expect_alive()?;
        let (which, rest) = first_word(arguments);
        let (flags, command) = Flags::split(rest);
        if command.is_empty() {
            return Err(Error::other(
                "thread apply needs threads and a command, as in `thread apply all backtrace`.",
            ));
        }
        if which != "all" && which != "1" {
            return Err(Error::Other(format!(
                "Unknown thread {which}; there is one, 1."
            )));
        }
        if !flags.is_quiet {
            let name = self.agent_name();
            self.say(format!("\nThread 1 ({name}):"));
        }
        match self.perform_line(command) {
            Err(_) if flags.is_silent => Ok(()),
            Err(error) if flags.goes_on => {
                self.say(error.to_string());
                Ok(())
            }
            result => result,
        }
    }

    /// What the one agent is called.
    pub(super) fn agent_name(&self) -> String {
        let name = self.program.name();
        let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
        format!("Agent 1 \"{name}\"")
    }
}

//! Commands that print texts: `echo` and `printf`.

use crate::debugger::Debugger;
use crate::error::Error;
use crate::event::Event;
use crate::format_text::{PrintfFormat, unescape};
use crate::json;
use crate::report::Report;

/// Prints a text with C's escape sequences.
pub(super) fn echo(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    debugger.print_text(&unescape(arguments));
    Ok(())
}

pub(super) fn printf(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let format = PrintfFormat::parse(debugger, arguments)?;
    let text = format.render(&debugger.scope())?;
    debugger.print_text(&text);
    // An argument may be an assignment.
    debugger.is_view_stale = true;
    Ok(())
}

/// `eval "FORMAT", ARGUMENTS`: performs the text as a command.
pub(super) fn eval(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let format = PrintfFormat::parse(debugger, arguments)?;
    let line = format.render(&debugger.scope())?;
    debugger.perform_line(&line)
}

impl Debugger {
    /// Prints a text that need not end with a line. Answers are whole lines, so what follows the last line end waits for the
    /// rest of its line, for the next answer, or for the end of the command.
    pub(crate) fn print_text(&self, text: &str) {
        let mut partial = self.partial_line.borrow_mut();
        partial.push_str(text);
        if let Some(end) = partial.rfind('\n') {
            let rest = partial.split_off(end + 1);
            let mut whole = std::mem::replace(&mut *partial, rest);
            whole.pop();
            self.send_text(whole);
        }
    }

    /// Ends the line that [`Debugger::print_text`] began.
    pub(crate) fn end_line(&self) {
        let partial = self.partial_line.take();
        if !partial.is_empty() {
            self.send_text(partial);
        }
    }

    fn send_text(&self, text: String) {
        self.shared.send(&Event::Message(text.clone()));
        if self.options.json {
            let report = Report::Text(text);
            self.shared.send(&Event::Json(json::answer(&report).into()));
        }
    }
}

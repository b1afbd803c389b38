//! Commands that print texts: `echo` and `printf`.

use crate::debugger::Debugger;
use crate::error::Error;
use crate::format_text::{PrintfFormat, unescape};

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
    /// Prints a text that need not end with a line.
    pub(crate) fn print_text(&self, text: &str) {
        self.printout.print(text);
    }

    /// Ends the line that [`Debugger::print_text`] began.
    pub(crate) fn end_line(&self) {
        self.printout.end_line();
    }
}

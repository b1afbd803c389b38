//! Texts that commands and breakpoints print, which need not be whole lines.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use wdb_vm::captured::{CaptureRecord, CaptureSink};

use crate::event::Event;
use crate::format_text::CapturedFormat;
use crate::json;
use crate::report::Report;
use crate::shared::{Shared, lock};

/// Where texts go.
pub(crate) struct Printout {
    shared: Arc<Shared>,
    has_json: bool,
    /// The line that was begun and waits for its end.
    partial_line: Mutex<String>,
}

impl Printout {
    pub(crate) fn new(shared: Arc<Shared>, has_json: bool) -> Printout {
        Printout {
            shared,
            has_json,
            partial_line: Mutex::default(),
        }
    }

    /// Prints a text that need not end with a line. Answers are whole lines, so what follows the last line end waits for the
    /// rest of its line, for the next answer, or for the end of the command.
    pub(crate) fn print(&self, text: &str) {
        let mut partial = lock(&self.partial_line);
        let before = partial.len();
        partial.push_str(text);
        if let Some(end) = text.rfind('\n') {
            let rest = partial.split_off(before + end + 1);
            let mut whole = std::mem::replace(&mut *partial, rest);
            whole.pop();
            self.send(whole);
        }
    }

    /// Ends the line that [`Printout::print`] began.
    pub(crate) fn end_line(&self) {
        let partial = std::mem::take(&mut *lock(&self.partial_line));
        if !partial.is_empty() {
            self.send(partial);
        }
    }

    fn send(&self, text: String) {
        self.shared.send(&Event::Message(text.clone()));
        if self.has_json {
            let report = Report::Text(text);
            self.shared.send(&Event::Json(json::answer(&report).into()));
        }
    }
}

/// Prints what the machine has written down for breakpoints that only print.
pub(crate) struct CapturePrinter {
    pub(crate) printout: Arc<Printout>,
    /// By the breakpoint's number.
    pub(crate) formats: HashMap<u32, CapturedFormat>,
}

impl CaptureSink for CapturePrinter {
    fn take(&mut self, record: CaptureRecord<'_>) {
        if let Some(format) = self.formats.get(&record.tag) {
            self.printout.print(&format.render(record.values));
        }
    }
}

//! Expressions that are shown at every stop.

use crate::commands::breakpoints::numbers;
use crate::commands::format::FormatSpec;
use crate::debugger::Debugger;
use crate::error::Error;
use crate::report::Report;

/// The expressions that are shown at every stop.
#[derive(Debug, Default)]
pub(crate) struct Displays {
    list: Vec<Display>,
    last_number: u32,
}

#[derive(Debug, Clone)]
struct Display {
    number: u32,
    format: FormatSpec,
    /// The format as it was written, with its slash.
    format_text: String,
    expression: String,
    is_enabled: bool,
}

pub(super) fn display(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let (format, expression) = FormatSpec::split(arguments)?;
    if expression.is_empty() {
        debugger.show_displays();
        return Ok(());
    }
    debugger.parse_expression(expression)?;
    let end = arguments.len() - arguments.trim_end().len();
    let format_length = arguments.len() - end - expression.len();
    let displays = &mut debugger.displays;
    displays.last_number += 1;
    let display = Display {
        number: displays.last_number,
        format,
        format_text: arguments[..format_length].trim().to_owned(),
        expression: expression.to_owned(),
        is_enabled: true,
    };
    let number = display.number;
    displays.list.push(display.clone());
    if debugger.is_alive()
        && let Err(error) = debugger.show_display(&display)
    {
        // What means nothing here is a slip of the pen.
        debugger.displays.list.retain(|it| it.number != number);
        debugger.displays.last_number -= 1;
        return Err(error);
    }
    Ok(())
}

pub(super) fn undisplay(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if arguments.is_empty() {
        debugger.displays.list.clear();
        return Ok(());
    }
    let wanted = debugger.display_numbers(arguments)?;
    debugger
        .displays
        .list
        .retain(|display| !wanted.contains(&display.number));
    Ok(())
}

/// `enable display` and `disable display`
pub(super) fn enable(
    debugger: &mut Debugger,
    arguments: &str,
    is_enabled: bool,
) -> Result<(), Error> {
    let wanted = match arguments {
        "" => debugger
            .displays
            .list
            .iter()
            .map(|display| display.number)
            .collect(),
        arguments => debugger.display_numbers(arguments)?,
    };
    for display in &mut debugger.displays.list {
        if wanted.contains(&display.number) {
            display.is_enabled = is_enabled;
        }
    }
    Ok(())
}

/// `info display`
pub(super) fn info(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    if debugger.displays.list.is_empty() {
        debugger.say("There are no auto-display expressions now.");
        return Ok(());
    }
    let mut text = "Auto-display expressions now in effect:\nNum Enb Expression".to_owned();
    for display in &debugger.displays.list {
        let mark = if display.is_enabled { 'y' } else { 'n' };
        let format = match display.format_text.as_str() {
            "" => String::new(),
            format => format!("{format} "),
        };
        text.push_str(&format!(
            "\n{}:   {mark}  {format}{}",
            display.number, display.expression
        ));
    }
    debugger.say(text);
    Ok(())
}

impl Displays {
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl Debugger {
    fn display_numbers(&self, arguments: &str) -> Result<Vec<u32>, Error> {
        let wanted = numbers(self, arguments)
            .map_err(|_| Error::other("Arguments must be display numbers."))?;
        let known = |number: &u32| self.displays.list.iter().any(|it| it.number == *number);
        match wanted.iter().find(|number| !known(number)) {
            Some(number) => Err(Error::Other(format!(
                "There is no display number {number}."
            ))),
            None => Ok(wanted),
        }
    }

    /// Shows all expressions that can be evaluated where the program stands.
    pub(crate) fn show_displays(&mut self) {
        if !self.is_alive() {
            return;
        }
        for display in self.displays.list.clone() {
            if display.is_enabled {
                // In a frame where the names mean nothing, an expression is not shown.
                let _ = self.show_display(&display);
            }
        }
    }

    fn show_display(&mut self, display: &Display) -> Result<(), Error> {
        let text = if display.format.is_of_memory() {
            let before = self.examine;
            let rows = self.examine(display.format, &display.expression);
            self.examine = before;
            Report::Memory(rows?).text()
        } else {
            let value = self.evaluate(&display.expression)?;
            self.value_text(&value, display.format)?
        };
        self.answer(Report::Display {
            number: display.number,
            format: display.format_text.clone(),
            expression: display.expression.clone(),
            text,
        });
        Ok(())
    }
}

//! Commands that print values and types.

use wdb_dwarf::{FormatOptions, TypeKind, Value};

use crate::commands::format::FormatSpec;
use crate::debugger::Debugger;
use crate::error::Error;
use crate::expression::Scope;
use crate::report::Report;

pub(super) fn print(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let (format, expression) = FormatSpec::split(arguments)?;
    // Alone, it prints the last value again.
    let expression = if expression.is_empty() {
        "$"
    } else {
        expression
    };
    let value = debugger.evaluate(expression)?;
    let text = debugger.value_text(&value, format)?;
    let number = debugger.remember(value);
    debugger.answer(Report::Value {
        number: Some(number),
        text,
        is_returned: false,
    });
    Ok(())
}

pub(super) fn output(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let (format, expression) = FormatSpec::split(arguments)?;
    let value = debugger.evaluate(expression)?;
    let text = debugger.value_text(&value, format)?;
    debugger.answer(Report::Value {
        number: None,
        text,
        is_returned: false,
    });
    Ok(())
}

pub(super) fn whatis(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let type_ref = debugger.evaluate(arguments)?.type_ref;
    let name = debugger.program.info().type_name(type_ref);
    debugger.say(format!("type = {name}"));
    Ok(())
}

pub(super) fn ptype(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let named = debugger.scope().type_named(arguments.trim());
    let type_ref = match named {
        Some(type_ref) => type_ref,
        None => debugger.evaluate(arguments)?.type_ref,
    };
    let definition = debugger.program.info().type_definition(type_ref);
    debugger.say(format!("type = {definition}"));
    Ok(())
}

impl Debugger {
    /// The text of a value as `print` shows it.
    pub(super) fn value_text(&self, value: &Value, format: FormatSpec) -> Result<String, Error> {
        let options = FormatOptions {
            radix: format.radix()?,
            has_pointer_type: true,
            ..self.format_options()
        };
        let info = self.program.info();
        if matches!(
            info.type_of(info.resolve(value.type_ref)).kind,
            TypeKind::Void
        ) {
            return Ok("void".to_owned());
        }
        Ok(self.scope().inspector().format(value, &options))
    }
}

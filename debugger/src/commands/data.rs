//! Commands that print values and types.

use wdb_dwarf::{FormatOptions, TypeKind, TypeRef, Value};

use crate::commands::format::FormatSpec;
use crate::debugger::Debugger;
use crate::error::Error;
use crate::expression::Scope;
use crate::references;
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
    debugger.tell_value(value, format, false)
}

pub(super) fn output(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let (format, expression) = FormatSpec::split(arguments)?;
    let value = debugger.evaluate(expression)?;
    let text = debugger.value_text(&value, format)?;
    let parts = debugger.reference_parts(&value);
    debugger.answer(Report::Value {
        number: None,
        text,
        parts,
        is_returned: false,
    });
    Ok(())
}

pub(super) fn whatis(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let (type_ref, is_name) = debugger.type_asked_for(arguments)?;
    let info = debugger.program.info();
    let name = match &info.type_of(type_ref).kind {
        // Of a type's name, one typedef is resolved.
        TypeKind::Alias { target, .. } if is_name => info.type_name(*target),
        _ => info.type_name(type_ref),
    };
    debugger.say(format!("type = {name}"));
    Ok(())
}

pub(super) fn ptype(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let (type_ref, is_name) = debugger.type_asked_for(arguments)?;
    let object_type = if is_name {
        None
    } else {
        debugger.object_type(arguments)
    };
    let definition =
        object_type.unwrap_or_else(|| debugger.program.info().type_definition(type_ref));
    debugger.say(format!("type = {definition}"));
    Ok(())
}

impl Debugger {
    /// The type of an expression, or the one that the text names, and whether it names one. An expression goes first:
    /// in C, `struct item` says itself that it is none.
    fn type_asked_for(&mut self, text: &str) -> Result<(TypeRef, bool), Error> {
        match self.evaluate(text) {
            Ok(value) => Ok((value.type_ref, false)),
            Err(error) => match self.scope().type_named(text.trim()) {
                Some(type_ref) => Ok((type_ref, true)),
                None => Err(match text.trim().split_once(char::is_whitespace) {
                    Some((word @ ("struct" | "class" | "union" | "enum"), name)) => {
                        Error::Other(format!("No {word} type named {}.", name.trim()))
                    }
                    _ => error,
                }),
            },
        }
    }

    /// The definition of the type of the object that an expression's reference leads to.
    fn object_type(&self, text: &str) -> Option<String> {
        let scope = self.scope();
        let node = self.parse_expression(text).ok()?;
        let value = crate::expression::evaluate(&scope, &node).ok()?;
        let handle = scope.inspector().handle(&value).ok()?;
        let vm = self.vm.borrow();
        vm.object_type_text(references::object_of(&vm, handle)?)
    }

    /// Tells a value and gives it the next number of the history.
    pub(crate) fn tell_value(
        &mut self,
        value: Value,
        format: FormatSpec,
        is_returned: bool,
    ) -> Result<(), Error> {
        let text = self.value_text(&value, format)?;
        let parts = self.reference_parts(&value);
        let number = self.remember(value);
        self.answer(Report::Value {
            number: Some(number),
            text,
            parts,
            is_returned,
        });
        Ok(())
    }

    /// The fields or elements of what a reference leads to, for those who do not read its text.
    pub(crate) fn reference_parts(&self, value: &Value) -> Vec<(String, String)> {
        let info = self.program.info();
        if info.type_of(info.resolve(value.type_ref)).kind != TypeKind::Handle {
            return Vec::new();
        }
        let scope = self.scope();
        let parts = scope.children(value, self.settings.print_elements);
        let texts = parts.into_iter();
        texts
            .map(|part| (part.name, scope.format_reference(&part.value)))
            .collect()
    }

    /// The text of a value as `print` shows it.
    pub(crate) fn value_text(&self, value: &Value, format: FormatSpec) -> Result<String, Error> {
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

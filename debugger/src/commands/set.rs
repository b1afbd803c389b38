//! `set` and `show`.

use crate::commands::words::{after_word, join_words, split_words};
use crate::debugger::Debugger;
use crate::error::Error;
use crate::settings::{SETTINGS, Setting};

pub(super) fn set(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if arguments.is_empty() {
        return Err(Error::other(
            "set needs a variable or a setting, as in `set var x = 3` or `set listsize 20`.",
        ));
    }
    if let Some(rest) = after_word(arguments, "var").or_else(|| after_word(arguments, "variable")) {
        return assign(debugger, rest);
    }
    if let Some(rest) = after_word(arguments, "args") {
        debugger.set_arguments(split_words(rest)?);
        return Ok(());
    }
    if let Some((setting, text)) = Setting::find(arguments) {
        return setting.set(&mut debugger.settings, text);
    }
    let name = arguments.split_whitespace().next().unwrap_or_default();
    let is_name = name
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    assign(debugger, arguments).map_err(|error| match error {
        // Two words side by side are no expression, so a setting was meant.
        Error::Syntax { .. } if is_name => Error::Other(format!(
            "There is no setting {name}, and \"{arguments}\" is no assignment; `show` lists the settings."
        )),
        error => error,
    })
}

fn assign(debugger: &mut Debugger, expression: &str) -> Result<(), Error> {
    let node = debugger.parse_expression(expression)?;
    if !node.has_effect() {
        return Err(Error::Other(format!(
            "`{expression}` assigns nothing, and is no setting; write `set var PLACE = VALUE`."
        )));
    }
    debugger.evaluate(expression)?;
    Ok(())
}

pub(super) fn show(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let args = || {
        let words = join_words(debugger.arguments());
        format!("Argument list to give program being debugged when it is started is \"{words}\".")
    };
    let text = match arguments {
        "" => {
            let mut lines = vec![format!("args: {}", args())];
            for setting in SETTINGS {
                let value = setting.describe(&mut debugger.settings.clone());
                lines.push(format!("{}: {value}", setting.name));
            }
            lines.join("\n")
        }
        "args" => args(),
        text if let Some(name) = after_word(text, "user") => {
            debugger.user_commands.definitions(name)?
        }
        name => match Setting::find(name) {
            Some((setting, "")) => setting.describe(&mut debugger.settings.clone()),
            _ => {
                return Err(Error::Other(format!(
                    "There is no setting {name}; `show` lists them all."
                )));
            }
        },
    };
    debugger.say(text);
    Ok(())
}

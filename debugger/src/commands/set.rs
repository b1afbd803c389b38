//! `set`, `show` and `unset`.

use std::path::Path;

use crate::commands::lookup::find;
use crate::commands::setting_topics::{SET_TOPICS, SHOW_TOPICS, UNSET_TOPICS};
use crate::commands::words::first_word;
use crate::debugger::Debugger;
use crate::error::Error;
use crate::log::Log;
use crate::settings::{LoggingSettings, SETTINGS, Setting};

/// Old spellings of gdb's, and what they are now.
const REPLACED: [(&str, &str); 2] = [
    ("logging on", "logging enabled on"),
    ("logging off", "logging enabled off"),
];

pub(super) fn set(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if arguments.is_empty() {
        return Err(Error::other(
            "set needs a variable or a setting, as in `set var x = 3` or `set listsize 20`.",
        ));
    }
    let replaced = REPLACED.iter().find(|(old, _)| *old == arguments);
    let arguments = replaced.map_or(arguments, |(_, new)| *new);
    let (word, rest) = first_word(arguments);
    if let Some(topic) = SET_TOPICS.iter().find(|topic| topic.is_named(word)) {
        return (topic.run)(debugger, rest);
    }
    if let Some((setting, text)) = Setting::exact(arguments) {
        return debugger.change_setting(setting, text);
    }
    let node = debugger.parse_expression(arguments);
    let is_assignment = node.as_ref().is_ok_and(|node| node.has_effect());
    // Two words side by side are no expression, so a setting is meant.
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    if !is_assignment && word.chars().all(is_name) {
        if let Some(topic) = find(SET_TOPICS.iter(), word)? {
            return (topic.run)(debugger, rest);
        }
        let (setting, text) = Setting::find(arguments).map_err(|error| match (error, &node) {
            (Error::NoSetting { .. }, Ok(_)) => Error::Other(format!(
                "`{arguments}` assigns nothing, and is no setting; write `set var PLACE = VALUE`."
            )),
            (error, _) => error,
        })?;
        return debugger.change_setting(setting, text);
    }
    variable(debugger, arguments)
}

/// `set var PLACE = VALUE`
pub(super) fn variable(debugger: &mut Debugger, expression: &str) -> Result<(), Error> {
    let node = debugger.parse_expression(expression)?;
    if !node.has_effect() {
        return Err(Error::Other(format!(
            "`{expression}` assigns nothing, and is no setting; write `set var PLACE = VALUE`."
        )));
    }
    debugger.evaluate(expression)?;
    Ok(())
}

/// `init-if-undefined $NAME = EXPRESSION`
pub(super) fn init_if_undefined(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let name = arguments
        .split_once('=')
        .and_then(|(name, _)| name.trim().strip_prefix('$'));
    let name = name.ok_or_else(|| {
        Error::other("init-if-undefined needs an assignment, as in `init-if-undefined $depth = 3`.")
    })?;
    let is_known = debugger.user_variables.borrow().contains_key(name);
    match is_known {
        true => Ok(()),
        false => variable(debugger, arguments),
    }
}

pub(super) fn show(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if arguments.is_empty() {
        let mut lines = vec![format!("args:  {}", debugger.arguments_text())];
        lines.extend(
            SETTINGS
                .iter()
                .map(|setting| debugger.setting_line(setting)),
        );
        debugger.say(lines.join("\n"));
        return Ok(());
    }
    let (word, rest) = first_word(arguments);
    if let Some(topic) = SHOW_TOPICS.iter().find(|topic| topic.is_named(word)) {
        return (topic.run)(debugger, rest);
    }
    if let Some((setting, "")) = Setting::exact(arguments) {
        let text = setting.describe(&mut debugger.settings);
        debugger.say(text);
        return Ok(());
    }
    // The first word of several.
    let family = format!("{arguments} ");
    let members = SETTINGS.iter().filter(|it| it.name.starts_with(&family));
    let lines: Vec<String> = members.map(|it| debugger.setting_line(it)).collect();
    if !lines.is_empty() {
        debugger.say(lines.join("\n"));
        return Ok(());
    }
    if let Some(topic) =
        find(SHOW_TOPICS.iter(), word)?.filter(|_| Setting::matching(arguments).is_empty())
    {
        return (topic.run)(debugger, rest);
    }
    let (setting, _) = Setting::find(arguments)?;
    let text = setting.describe(&mut debugger.settings);
    debugger.say(text);
    Ok(())
}

pub(super) fn unset(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let (word, rest) = first_word(arguments);
    let topic = match word {
        "" => None,
        word => find(UNSET_TOPICS.iter(), word)?,
    };
    match topic {
        Some(topic) => (topic.run)(debugger, rest),
        None => Err(Error::other(
            "unset needs what to take back: `unset environment [NAME]` or `unset substitute-path [FROM]`.",
        )),
    }
}

/// `with SETTING VALUE -- COMMAND`
pub(super) fn with(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let (setting, command) = arguments.split_once(" -- ").ok_or_else(|| {
        Error::other(
            "with needs a setting and a command, as in `with print pretty on -- print *list`.",
        )
    })?;
    let (setting, text) = Setting::find(setting.trim())?;
    let mut before = debugger.settings.clone();
    debugger.change_setting(setting, text)?;
    let result = debugger.perform_line(command);
    // Others may have been changed by the command.
    setting.copy(&mut before, &mut debugger.settings);
    debugger.publish_preferences();
    debugger.apply_tier()?;
    let logging = debugger.apply_logging(&before.logging);
    result.and(logging)
}

impl Debugger {
    fn setting_line(&mut self, setting: &Setting) -> String {
        format!(
            "{}:  {}",
            setting.name,
            setting.describe(&mut self.settings)
        )
    }

    fn change_setting(&mut self, setting: &Setting, text: &str) -> Result<(), Error> {
        let before = self.settings.logging.clone();
        setting.set(&mut self.settings, text)?;
        self.publish_preferences();
        self.apply_tier()?;
        self.is_view_stale = true;
        self.apply_logging(&before)
    }

    fn publish_preferences(&self) {
        self.shared
            .set_preferences(self.settings.preferences.clone());
    }

    /// Opens or closes the log as the settings are now.
    fn apply_logging(&mut self, before: &LoggingSettings) -> Result<(), Error> {
        let now = self.settings.logging.clone();
        if now == *before || !(now.is_enabled || before.is_enabled) {
            return Ok(());
        }
        if before.is_enabled {
            self.end_line();
            self.shared.set_log(None);
            if !now.is_enabled {
                self.say(format!("Done logging to {}.", before.file));
                return Ok(());
            }
        }
        let verb = if now.redirects {
            "Redirecting"
        } else {
            "Copying"
        };
        let path = self.file_path(&now.file);
        match Log::open(Path::new(&path), now.overwrites, now.redirects) {
            Ok(log) => {
                self.say(format!("{verb} output to {}.", now.file));
                self.shared.set_log(Some(log));
                Ok(())
            }
            Err(error) => {
                self.settings.logging.is_enabled = false;
                Err(super::memory_files::file_error(&path, &error))
            }
        }
    }
}

//! `apropos`: finding commands by what they have to do with.

use regex_lite::RegexBuilder;

use crate::commands::setting_topics::{SET_TOPICS, SHOW_TOPICS, UNSET_TOPICS};
use crate::commands::table::{Command, commands};
use crate::commands::topics::INFO_COMMANDS;
use crate::debugger::Debugger;
use crate::error::Error;
use crate::settings::SETTINGS;

pub(super) fn apropos(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    if arguments.is_empty() {
        return Err(Error::other(
            "apropos needs a word or a regular expression, as in `apropos memory`.",
        ));
    }
    let regex = RegexBuilder::new(arguments).case_insensitive(true).build();
    let regex = regex.map_err(|error| {
        Error::Other(format!(
            "\"{arguments}\" is no regular expression: {error}."
        ))
    })?;
    let is_about = |texts: &[&str]| texts.iter().any(|text| regex.is_match(text));
    let mut lines = Vec::new();
    let mut add = |before: &str, table: &mut dyn Iterator<Item = &'static Command>| {
        for command in table {
            let names = command.aliases.join(" ");
            if is_about(&[command.usage, &names, command.summary, command.details]) {
                lines.push(format!("{before}{} -- {}", command.name, command.summary));
            }
        }
    };
    add("", &mut commands());
    add("info ", &mut INFO_COMMANDS.iter());
    add("set ", &mut SET_TOPICS.iter());
    add("show ", &mut SHOW_TOPICS.iter());
    add("unset ", &mut UNSET_TOPICS.iter());
    let settings = SETTINGS.iter().filter(|it| is_about(&[it.name, it.about]));
    lines.extend(
        settings.map(|it| format!("set {} -- {}.", it.name, it.about.trim_end_matches(','))),
    );
    lines.extend(debugger.user_commands.lines_about(&is_about));
    if lines.is_empty() {
        return Err(Error::Other(format!(
            "Nothing has to do with \"{arguments}\"."
        )));
    }
    debugger.say(lines.join("\n"));
    Ok(())
}

//! The help, made from the table of commands.

use crate::commands::info::undefined_topic;
use crate::commands::lldb;
use crate::commands::lookup::find;
use crate::commands::setting_topics::{SET_TOPICS, SHOW_TOPICS, UNSET_TOPICS};
use crate::commands::table::{Command, Group, commands};
use crate::commands::topics::INFO_COMMANDS;
use crate::debugger::Debugger;
use crate::error::Error;
use crate::location::nearest;
use crate::settings::Setting;

pub(super) fn help(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let text = match arguments.split_whitespace().collect::<Vec<_>>()[..] {
        [] => overview(),
        ["info", topic] => match find(INFO_COMMANDS.iter(), topic)? {
            Some(topic) => command_help(topic),
            None => {
                let names = INFO_COMMANDS.iter().map(|topic| topic.name);
                return Err(undefined_topic(topic, &nearest(topic, names)));
            }
        },
        ["set" | "show", ..] if arguments.contains(' ') => {
            let (_, setting) = arguments.split_once(' ').unwrap_or_default();
            setting_help(setting)?
        }
        ["all"] => Group::ALL.map(group_help).join("\n\n"),
        ["user-defined"] => debugger.user_commands.list(),
        [name, ..] => {
            if let Some(help) = debugger.user_commands.help(name) {
                help
            } else if let Some(group) = Group::ALL.into_iter().find(|group| group.name() == name) {
                group_help(group)
            } else {
                match find(commands(), name)? {
                    Some(command) => command_help(command),
                    None => {
                        return Err(Error::UndefinedCommand {
                            name: name.to_owned(),
                            near: debugger.commands_near(name),
                        });
                    }
                }
            }
        }
    };
    debugger.say(text);
    Ok(())
}

fn overview() -> String {
    let mut text = "Commands are about:\n".to_owned();
    for group in Group::ALL {
        text.push_str(&format!("\n{} -- {}", group.name(), group.summary()));
    }
    text.push_str("\nuser-defined -- Commands that you defined.");
    text.push_str(
        "\n\n`help running` lists the commands of a kind, `help all` lists all, `help step` explains one,\n\
         `apropos WORD` finds those that have to do with something.\n\
         A name can be shortened as long as it fits one command only. An empty line repeats the last command.",
    );
    text
}

fn group_help(group: Group) -> String {
    let mut text = format!("{}\n", group.summary());
    for command in group.commands() {
        let names: Vec<&str> = std::iter::once(command.name)
            .chain(command.aliases.iter().copied())
            .collect();
        text.push_str(&format!("\n{} -- {}", names.join(", "), command.summary));
    }
    text
}

fn command_help(command: &Command) -> String {
    let mut text = command.summary.to_owned();
    text.push_str(&format!("\nUsage: {}", command.usage));
    if !command.details.is_empty() {
        text.push('\n');
        text.push_str(command.details);
    }
    if !command.aliases.is_empty() {
        text.push_str(&format!("\nAlso: {}", command.aliases.join(", ")));
    }
    if let Some(spellings) = lldb::help(command) {
        text.push_str(&format!("\n\nlldb's spellings:\n{spellings}"));
    }
    if command.name == "info" {
        text.push('\n');
        for topic in INFO_COMMANDS {
            text.push_str(&format!("\ninfo {} -- {}", topic.name, topic.summary));
        }
    }
    text
}

/// The help of a setting, or of what else stands after `set` and `show`.
fn setting_help(name: &str) -> Result<String, Error> {
    // `help set` and `help show` tell of both.
    let mut named = Vec::new();
    for topics in [SET_TOPICS, SHOW_TOPICS, UNSET_TOPICS] {
        if let Ok(Some(topic)) = find(topics.iter(), name) {
            named.push(command_help(topic));
        }
    }
    let (setting, _) = match Setting::exact(name) {
        Some(found) => found,
        None if !named.is_empty() => return Ok(named.join("\n")),
        None => Setting::find(name)?,
    };
    Ok(format!(
        "{}.\nUsage: set {} {}\n       show {}",
        setting.about,
        setting.name,
        setting.values(),
        setting.name
    ))
}

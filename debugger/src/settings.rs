//! Settings: one table for `set`, `show`, help and completion.

mod table;

use wdb_dwarf::{FormatOptions, Radix};
use wdb_vm::tier::{Compile, Tier};

use crate::commands::absent::setting_reason;
use crate::commands::first_word;
use crate::error::Error;
use crate::lanes::Lanes;
use crate::location::nearest;

pub(crate) use table::SETTINGS;

/// What the user can set.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The most frames that `backtrace` shows.
    pub(crate) backtrace_limit: usize,
    /// When functions are validated, and translated for the fast tier.
    pub(crate) compile: &'static str,
    /// Whether a breakpoint that fits nothing is kept for a later module.
    pub(crate) keeps_pending: bool,
    /// How many lines `list` shows.
    pub(crate) list_lines: u32,
    pub(crate) logging: LoggingSettings,
    /// The base in which integers are printed.
    pub(crate) output_radix: &'static str,
    /// Whether frames show their pc, and pointers to strings and functions their address.
    pub(crate) print_address: bool,
    /// Whether elements of arrays stand on lines of their own.
    pub(crate) print_array: bool,
    /// The most elements and characters shown of one value.
    pub(crate) print_elements: usize,
    /// The most records and arrays shown inside of each other.
    pub(crate) print_max_depth: usize,
    /// How many objects are printed inside of each other, each behind a reference.
    pub(crate) print_object_depth: usize,
    /// Whether members stand on lines of their own.
    pub(crate) print_pretty: bool,
    /// From how many on equal elements are shown once with their number.
    pub(crate) print_repeats: usize,
    /// Whether unions inside of other records are written out.
    pub(crate) print_union: bool,
    /// The lanes in which the machine's vectors are shown.
    pub(crate) print_vector: &'static str,
    /// Whether a step ends at another column of the same line.
    pub(crate) steps_by_column: bool,
    /// Whether `step` stops in functions without line information.
    pub(crate) stops_in_functions_without_lines: bool,
    /// What runs the program between stops.
    pub(crate) tier: &'static str,
    /// Whether the commands of scripts are told before they are performed.
    pub(crate) traces_commands: bool,
    /// What front ends go by.
    pub(crate) preferences: Preferences,
}

/// What is copied to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoggingSettings {
    pub(crate) is_enabled: bool,
    pub(crate) file: String,
    /// Whether a file that is there is replaced, rather than added to.
    pub(crate) overwrites: bool,
    /// Whether what goes to the file is not told otherwise.
    pub(crate) redirects: bool,
}

/// The settings that front ends go by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferences {
    /// Whether to ask before what cannot be taken back ([`Session::question`](crate::session::Session::question)).
    pub confirm: bool,
    /// Whether lines are edited, and completed, at a terminal.
    pub editing: bool,
    /// Lines of a page; `None` for those of the terminal, `usize::MAX` for no limit.
    pub height: Option<usize>,
    /// Where commands are remembered; empty for the usual place.
    pub history_file: String,
    /// Whether commands are remembered for later sessions.
    pub history_saves: bool,
    /// How many commands are remembered.
    pub history_size: usize,
    /// Whether to wait after each page of an answer.
    pub pagination: bool,
    /// What asks for a command.
    pub prompt: String,
    /// Characters of a line; `None` for those of the terminal, `usize::MAX` for no limit.
    pub width: Option<usize>,
}

impl Default for Preferences {
    /// gdb's defaults, as far as it has them.
    fn default() -> Preferences {
        Preferences {
            confirm: true,
            editing: true,
            height: None,
            history_file: String::new(),
            history_saves: true,
            history_size: 1000,
            pagination: true,
            prompt: "(wdb) ".to_owned(),
            width: None,
        }
    }
}

impl Default for Settings {
    /// gdb's defaults.
    fn default() -> Settings {
        let format = FormatOptions::default();
        Settings {
            backtrace_limit: usize::MAX,
            compile: Compile::default().name(),
            keeps_pending: false,
            list_lines: 10,
            logging: LoggingSettings {
                is_enabled: false,
                file: "wdb.txt".to_owned(),
                overwrites: false,
                redirects: false,
            },
            output_radix: "10",
            print_address: true,
            print_array: false,
            print_elements: format.elements_max,
            print_max_depth: format.depth_max,
            print_object_depth: format.handle_depth_max,
            print_pretty: false,
            print_repeats: format.repeats_min,
            print_union: true,
            print_vector: "i32x4",
            steps_by_column: false,
            stops_in_functions_without_lines: false,
            tier: Tier::default().name(),
            traces_commands: false,
            preferences: Preferences::default(),
        }
    }
}

impl Settings {
    /// How values are written.
    pub(crate) fn format_options(&self) -> FormatOptions {
        FormatOptions {
            integers: match self.output_radix {
                "16" => Radix::Hexadecimal,
                "8" => Radix::Octal,
                _ => Radix::Natural,
            },
            elements_max: self.print_elements,
            handle_depth_max: self.print_object_depth,
            repeats_min: self.print_repeats,
            depth_max: self.print_max_depth,
            is_pretty: self.print_pretty,
            has_element_lines: self.print_array,
            has_unions: self.print_union,
            has_addresses: self.print_address,
            ..FormatOptions::default()
        }
    }

    /// How the machine's vectors are shown.
    pub(crate) fn lanes(&self) -> Lanes {
        Lanes::named(self.print_vector).expect("the setting takes these names only")
    }

    /// What runs the program between stops.
    pub(crate) fn tier(&self) -> Tier {
        Tier::named(self.tier).expect("the setting takes these names only")
    }

    /// When functions are validated, and translated for the fast tier.
    pub(crate) fn compile(&self) -> Compile {
        Compile::named(self.compile).expect("the setting takes these names only")
    }
}

/// One setting.
pub(crate) struct Setting {
    /// As in `set NAME VALUE`; of one word or two.
    pub(crate) name: &'static str,
    /// What it decides, as the beginning of "WHAT is VALUE."
    pub(crate) about: &'static str,
    pub(crate) kind: SettingKind,
}

/// The values that a setting takes, and where it is kept.
pub(crate) enum SettingKind {
    Switch(fn(&mut Settings) -> &mut bool),
    /// A number; `unlimited` and 0 stand for no limit.
    Limit(fn(&mut Settings) -> &mut usize),
    /// A number from 1.
    Count(fn(&mut Settings) -> &mut u32),
    /// A size of the terminal; `unlimited` and 0 stand for no limit, `auto` for what the terminal says.
    Size(fn(&mut Settings) -> &mut Option<usize>),
    /// One of a few words.
    Choice(
        &'static [&'static str],
        fn(&mut Settings) -> &mut &'static str,
    ),
    /// Any text.
    Text(fn(&mut Settings) -> &mut String),
    /// A file's name.
    File(fn(&mut Settings) -> &mut String),
}

/// Names that stand for the first word of settings.
const WORD_ALIASES: [(&str, &str); 3] =
    [("p", "print"), ("pr", "print"), ("radix", "output-radix")];

impl Setting {
    /// The setting that a text begins with, by its whole name, and what follows.
    pub(crate) fn exact(text: &str) -> Option<(&'static Setting, &str)> {
        SETTINGS.iter().find_map(|setting| {
            let rest = rest_after(setting.name, text, |word, wanted| word == wanted)?;
            Some((setting, rest))
        })
    }

    /// The settings that a text can mean whose words are beginnings of names, with what follows.
    pub(crate) fn matching(text: &str) -> Vec<(&'static Setting, &str)> {
        let is_meant = |word: &str, wanted: &str| {
            let alias = WORD_ALIASES.iter().find(|(alias, _)| *alias == word);
            alias.map_or(wanted.starts_with(word), |(_, name)| *name == wanted)
        };
        let found = SETTINGS.iter().filter_map(|setting| {
            let rest = rest_after(setting.name, text, is_meant)?;
            Some((setting, rest))
        });
        found.collect()
    }

    /// The setting that a text means, and what follows. An error names what it could mean, or what is near.
    pub(crate) fn find(text: &str) -> Result<(&'static Setting, &str), Error> {
        if let Some(found) = Setting::exact(text) {
            return Ok(found);
        }
        if let Some(reason) = setting_reason(text, true) {
            return Err(reason);
        }
        let mut found = Setting::matching(text);
        // `h size 5` is `history size`, and not a height of `size 5`.
        let words = |setting: &Setting| setting.name.split(' ').count();
        let most = found.iter().map(|(it, _)| words(it)).max();
        found.retain(|(it, _)| Some(words(it)) == most);
        match &*found {
            [found] => Ok(*found),
            [] => Err(setting_reason(text, false).unwrap_or_else(|| no_setting(text))),
            // `print` alone is the beginning of many names; `print pretty` is one whole name among those of its words.
            several => Err(Error::Ambiguous {
                noun: "setting",
                name: text.to_owned(),
                candidates: several.iter().map(|(it, _)| it.name.to_owned()).collect(),
            }),
        }
    }

    /// Changes it.
    pub(crate) fn set(&self, settings: &mut Settings, text: &str) -> Result<(), Error> {
        match self.kind {
            SettingKind::Switch(place) => {
                *place(settings) = match text {
                    "" | "on" | "1" | "yes" | "enable" => true,
                    "off" | "0" | "no" | "disable" => false,
                    _ => return Err(Error::other("\"on\" or \"off\" expected.")),
                };
            }
            SettingKind::Limit(place) => *place(settings) = self.limit(text)?,
            SettingKind::Size(place) => {
                *place(settings) = match text {
                    "auto" => None,
                    text => Some(self.limit(text)?),
                };
            }
            SettingKind::Count(place) => {
                let count: u32 = text.parse().map_err(|_| self.number_expected())?;
                if count == 0 {
                    return Err(self.number_expected());
                }
                *place(settings) = count;
            }
            SettingKind::Choice(choices, place) => {
                let chosen = choices.iter().find(|choice| **choice == text);
                *place(settings) = chosen.ok_or_else(|| {
                    Error::Other(format!("{} is one of {}.", self.name, choices.join(", ")))
                })?;
            }
            SettingKind::Text(place) => *place(settings) = unquoted(text).to_owned(),
            SettingKind::File(place) => {
                if text.is_empty() {
                    return Err(Error::Other(format!(
                        "{} needs the name of a file.",
                        self.name
                    )));
                }
                *place(settings) = unquoted(text).to_owned();
            }
        }
        Ok(())
    }

    /// Its value as it is written after `set NAME`.
    pub(crate) fn value(&self, settings: &mut Settings) -> String {
        match self.kind {
            SettingKind::Switch(place) if *place(settings) => "on".to_owned(),
            SettingKind::Switch(_) => "off".to_owned(),
            SettingKind::Limit(place) => limit_text(*place(settings)),
            SettingKind::Size(place) => match *place(settings) {
                None => "auto".to_owned(),
                Some(limit) => limit_text(limit),
            },
            SettingKind::Count(place) => place(settings).to_string(),
            SettingKind::Choice(_, place) => (*place(settings)).to_owned(),
            SettingKind::Text(place) | SettingKind::File(place) => {
                format!("\"{}\"", place(settings))
            }
        }
    }

    /// Gives it the value that it has among other settings.
    pub(crate) fn copy(&self, from: &mut Settings, to: &mut Settings) {
        let value = self.value(from);
        // It was a value of this setting before.
        let _ = self.set(to, &value);
    }

    /// What it is, as a sentence.
    pub(crate) fn describe(&self, settings: &mut Settings) -> String {
        format!("{} is {}.", self.about, self.value(settings))
    }

    /// The values that it takes, for help.
    pub(crate) fn values(&self) -> String {
        match self.kind {
            SettingKind::Switch(_) => "on | off".to_owned(),
            SettingKind::Limit(_) => "NUMBER | unlimited".to_owned(),
            SettingKind::Size(_) => "NUMBER | unlimited | auto".to_owned(),
            SettingKind::Count(_) => "NUMBER".to_owned(),
            SettingKind::Choice(choices, _) => choices.join(" | "),
            SettingKind::Text(_) => "TEXT".to_owned(),
            SettingKind::File(_) => "FILE".to_owned(),
        }
    }

    /// The words that can follow its name, for completion.
    pub(crate) fn words(&self) -> &'static [&'static str] {
        match self.kind {
            SettingKind::Switch(_) => &["on", "off"],
            SettingKind::Limit(_) => &["unlimited"],
            SettingKind::Size(_) => &["auto", "unlimited"],
            SettingKind::Choice(choices, _) => choices,
            SettingKind::Count(_) | SettingKind::Text(_) | SettingKind::File(_) => &[],
        }
    }

    fn limit(&self, text: &str) -> Result<usize, Error> {
        match text {
            "unlimited" | "0" => Ok(usize::MAX),
            text => text.parse().map_err(|_| self.number_expected()),
        }
    }

    fn number_expected(&self) -> Error {
        Error::Other(format!(
            "{} needs a number, as in `set {} 20`.",
            self.name, self.name
        ))
    }
}

fn no_setting(text: &str) -> Error {
    let (first, rest) = first_word(text);
    let (second, _) = first_word(rest);
    let names = || SETTINGS.iter().map(|setting| setting.name);
    // A name of two words, or one that a value follows.
    let mut near = nearest(&format!("{first} {second}"), names());
    if near.is_empty() {
        near = nearest(first, names());
    }
    let family = || names().filter(|name| name.split(' ').next() == Some(first));
    let is_known = family().next().is_some();
    if is_known && second.is_empty() {
        return Error::Ambiguous {
            noun: "setting",
            name: first.to_owned(),
            candidates: family().map(str::to_owned).collect(),
        };
    }
    let name = if is_known {
        format!("{first} {second}")
    } else {
        first.to_owned()
    };
    Error::NoSetting { name, near }
}

fn limit_text(limit: usize) -> String {
    match limit {
        usize::MAX => "unlimited".to_owned(),
        limit => limit.to_string(),
    }
}

fn unquoted(text: &str) -> &str {
    let inside = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    inside.unwrap_or(text)
}

/// What follows the words of a name, if a text begins with words that fit them.
fn rest_after<'a>(name: &str, text: &'a str, fits: impl Fn(&str, &str) -> bool) -> Option<&'a str> {
    let mut rest = text;
    for wanted in name.split(' ') {
        let (word, after) = first_word(rest);
        if word.is_empty() || !fits(word, wanted) {
            return None;
        }
        rest = after;
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::{SETTINGS, Setting, SettingKind, Settings};

    #[test]
    fn settings_are_found_by_their_name_and_by_beginnings_of_its_words() {
        let exact = |text| Setting::exact(text).map(|(setting, rest)| (setting.name, rest));
        assert_eq!(exact("listsize 5"), Some(("listsize", "5")));
        assert_eq!(exact("print  pretty on "), Some(("print pretty", "on")));
        assert_eq!(exact("print"), None);
        assert_eq!(exact("listsizes 5"), None);
        let find = |text| Setting::find(text).map(|(setting, rest)| (setting.name, rest));
        assert_eq!(find("p pre on"), Ok(("print pretty", "on")));
        assert_eq!(find("pag off"), Ok(("pagination", "off")));
        assert_eq!(find("h size 5"), Ok(("history size", "5")));
        assert!(find("print").is_err_and(|error| error.to_string().starts_with("Ambiguous")));
        assert!(find("print object on").is_err_and(|error| error.to_string().contains("virtual")));
        assert_eq!(find("radix 16"), Ok(("output-radix", "16")));
        assert!(find("p re").is_ok_and(|(name, _)| name == "print repeats"));
        let error = find("print e 5 6").map_err(|error| error.to_string());
        assert_eq!(error, Ok(("print elements", "5 6")));
        let error = find("p a on").expect_err("two begin so").to_string();
        let wanted = "Ambiguous setting \"p a on\": print address, print array.";
        assert_eq!(error, wanted);
        assert!(find("lissize 5").is_err());
    }

    #[test]
    fn every_setting_is_told_as_it_was_set() {
        for setting in SETTINGS {
            let mut settings = Settings::default();
            let before = setting.value(&mut settings);
            let mut is_changed = false;
            for text in [
                "on",
                "off",
                "7",
                "16",
                "unlimited",
                "f64x2",
                "classic",
                "eager",
            ] {
                if setting.set(&mut settings, text).is_ok() {
                    let told = setting.value(&mut settings);
                    assert_eq!(told.trim_matches('"'), text, "{}", setting.name);
                    is_changed |= told != before;
                    assert!(
                        setting
                            .describe(&mut settings)
                            .ends_with(&format!("is {told}."))
                    );
                }
            }
            assert!(is_changed, "{}", setting.name);
            let takes_all = matches!(setting.kind, SettingKind::Text(_) | SettingKind::File(_));
            assert_eq!(setting.set(&mut settings, "many").is_ok(), takes_all);
        }
    }

    #[test]
    fn names_of_settings_are_sorted_and_none_begins_another() {
        for (one, other) in SETTINGS.iter().zip(&SETTINGS[1..]) {
            assert!(one.name < other.name);
            assert!(!other.name.starts_with(&format!("{} ", one.name)));
        }
    }
}

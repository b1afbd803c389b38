//! Settings: one table for `set`, `show`, help and completion.

use wdb_dwarf::FormatOptions;

use crate::error::Error;

/// What the user can set.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Whether a breakpoint that fits nothing is kept for a later module.
    pub(crate) keeps_pending: bool,
    /// How many lines `list` shows.
    pub(crate) list_lines: u32,
    /// The most elements and characters shown of one value.
    pub(crate) print_elements: usize,
    /// How many references to objects are unfolded inside of each other.
    pub(crate) print_reference_depth: usize,
    /// From how many on equal elements are shown once with their number.
    pub(crate) print_repeats: usize,
    /// Whether members stand on lines of their own.
    pub(crate) print_pretty: bool,
    /// Whether `step` stops in functions without line information.
    pub(crate) stops_in_functions_without_lines: bool,
}

impl Default for Settings {
    /// gdb's defaults.
    fn default() -> Settings {
        let format = FormatOptions::default();
        Settings {
            keeps_pending: false,
            list_lines: 10,
            print_elements: format.elements_max,
            print_reference_depth: format.handle_depth_max,
            print_repeats: format.repeats_min,
            print_pretty: false,
            stops_in_functions_without_lines: false,
        }
    }
}

impl Settings {
    /// How values are written.
    pub(crate) fn format_options(&self) -> FormatOptions {
        FormatOptions {
            elements_max: self.print_elements,
            handle_depth_max: self.print_reference_depth,
            repeats_min: self.print_repeats,
            is_pretty: self.print_pretty,
            ..FormatOptions::default()
        }
    }
}

/// One setting.
pub(crate) struct Setting {
    /// As in `set NAME VALUE`.
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
}

/// All settings, by name.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "breakpoint pending",
        about: "Whether breakpoints at locations that the program does not have are kept for a later one",
        kind: SettingKind::Switch(|settings| &mut settings.keeps_pending),
    },
    Setting {
        name: "listsize",
        about: "Number of source lines wdb will list by default",
        kind: SettingKind::Count(|settings| &mut settings.list_lines),
    },
    Setting {
        name: "print elements",
        about: "Limit on string chars or array elements to print",
        kind: SettingKind::Limit(|settings| &mut settings.print_elements),
    },
    Setting {
        name: "print pretty",
        about: "Pretty formatting of structures",
        kind: SettingKind::Switch(|settings| &mut settings.print_pretty),
    },
    Setting {
        name: "print reference-depth",
        about: "Limit on references to objects unfolded inside of each other",
        kind: SettingKind::Limit(|settings| &mut settings.print_reference_depth),
    },
    Setting {
        name: "print repeats",
        about: "Threshold for repeated print elements",
        kind: SettingKind::Limit(|settings| &mut settings.print_repeats),
    },
    Setting {
        name: "step-mode",
        about: "Whether step stops in functions without lines or without a source file that can be shown",
        kind: SettingKind::Switch(|settings| &mut settings.stops_in_functions_without_lines),
    },
];

impl Setting {
    /// The setting that a text begins with, and what follows its name.
    pub(crate) fn find(text: &str) -> Option<(&'static Setting, &str)> {
        SETTINGS.iter().find_map(|setting| {
            let mut rest = text.trim_start();
            for word in setting.name.split(' ') {
                rest = rest.strip_prefix(word)?;
                if !(rest.is_empty() || rest.starts_with(char::is_whitespace)) {
                    return None;
                }
                rest = rest.trim_start();
            }
            Some((setting, rest.trim_end()))
        })
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
            SettingKind::Limit(place) => {
                *place(settings) = match text {
                    "unlimited" | "0" => usize::MAX,
                    text => text.parse().map_err(|_| self.number_expected())?,
                };
            }
            SettingKind::Count(place) => {
                let count: u32 = text.parse().map_err(|_| self.number_expected())?;
                if count == 0 {
                    return Err(self.number_expected());
                }
                *place(settings) = count;
            }
        }
        Ok(())
    }

    /// What it is, as a sentence.
    pub(crate) fn describe(&self, settings: &mut Settings) -> String {
        let value = match self.kind {
            SettingKind::Switch(place) if *place(settings) => "on".to_owned(),
            SettingKind::Switch(_) => "off".to_owned(),
            SettingKind::Limit(place) => match *place(settings) {
                usize::MAX => "unlimited".to_owned(),
                limit => limit.to_string(),
            },
            SettingKind::Count(place) => place(settings).to_string(),
        };
        format!("{} is {value}.", self.about)
    }

    fn number_expected(&self) -> Error {
        Error::Other(format!(
            "{} needs a number, as in `set {} 20`.",
            self.name, self.name
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::{SETTINGS, Setting, Settings};

    #[test]
    fn settings_are_found_by_their_whole_name() {
        let found = |text| Setting::find(text).map(|(setting, rest)| (setting.name, rest));
        assert_eq!(found("listsize 5"), Some(("listsize", "5")));
        assert_eq!(found("print  pretty on "), Some(("print pretty", "on")));
        assert_eq!(found("print"), None);
        assert_eq!(found("listsizes 5"), None);
    }

    #[test]
    fn every_setting_is_told_as_it_was_set() {
        for setting in SETTINGS {
            let mut settings = Settings::default();
            let before = setting.describe(&mut settings);
            for text in ["on", "7"] {
                if setting.set(&mut settings, text).is_ok() {
                    assert!(
                        setting
                            .describe(&mut settings)
                            .ends_with(&format!("is {text}."))
                    );
                    assert_ne!(setting.describe(&mut settings), before);
                }
            }
            assert!(setting.set(&mut settings, "many").is_err());
        }
    }
}

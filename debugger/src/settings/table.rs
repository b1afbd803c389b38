//! The table of settings.

use wdb_vm::tier::{Compile, Tier};

use super::{Setting, SettingKind, Settings};
use crate::lanes::Lanes;

/// All settings, by name.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "backtrace limit",
        about: "The greatest number of frames in a backtrace",
        kind: SettingKind::Limit(|settings| &mut settings.backtrace_limit),
    },
    Setting {
        name: "breakpoint pending",
        about: "Keeping of breakpoints at unknown locations for a later program",
        kind: SettingKind::Switch(|settings| &mut settings.keeps_pending),
    },
    Setting {
        name: "compile",
        about: "Translation of functions for the fast tier",
        kind: SettingKind::Choice(&Compile::NAMES, |settings| &mut settings.compile),
    },
    Setting {
        name: "confirm",
        about: "Asking before what cannot be taken back",
        kind: SettingKind::Switch(|settings| &mut settings.preferences.confirm),
    },
    Setting {
        name: "editing",
        about: "Editing of lines that are typed",
        kind: SettingKind::Switch(|settings| &mut settings.preferences.editing),
    },
    Setting {
        name: "height",
        about: "The number of lines after which an answer waits for you to read them",
        kind: SettingKind::Size(|settings| &mut settings.preferences.height),
    },
    Setting {
        name: "history filename",
        about: "The file that keeps your commands, if not the usual one,",
        kind: SettingKind::File(|settings| &mut settings.preferences.history_file),
    },
    Setting {
        name: "history save",
        about: "Keeping of your commands for later sessions",
        kind: SettingKind::Switch(|settings| &mut settings.preferences.history_saves),
    },
    Setting {
        name: "history size",
        about: "The greatest number of commands that are kept",
        kind: SettingKind::Limit(|settings| &mut settings.preferences.history_size),
    },
    Setting {
        name: "listsize",
        about: "The number of source lines that `list` shows",
        kind: SettingKind::Count(|settings| &mut settings.list_lines),
    },
    Setting {
        name: "logging enabled",
        about: "Copying of answers to a file",
        kind: SettingKind::Switch(|settings| &mut settings.logging.is_enabled),
    },
    Setting {
        name: "logging file",
        about: "The file that answers are copied to",
        kind: SettingKind::File(|settings| &mut settings.logging.file),
    },
    Setting {
        name: "logging overwrite",
        about: "Replacing of a log that is there",
        kind: SettingKind::Switch(|settings| &mut settings.logging.overwrites),
    },
    Setting {
        name: "logging redirect",
        about: "Sending of answers to the log alone",
        kind: SettingKind::Switch(|settings| &mut settings.logging.redirects),
    },
    Setting {
        name: "output-radix",
        about: "The base in which integers are printed",
        kind: SettingKind::Choice(&["8", "10", "16"], |settings: &mut Settings| {
            &mut settings.output_radix
        }),
    },
    Setting {
        name: "pagination",
        about: "Waiting after each page of an answer",
        kind: SettingKind::Switch(|settings| &mut settings.preferences.pagination),
    },
    Setting {
        name: "print address",
        about: "Printing of addresses beside what they stand for",
        kind: SettingKind::Switch(|settings| &mut settings.print_address),
    },
    Setting {
        name: "print array",
        about: "Printing of array elements on lines of their own",
        kind: SettingKind::Switch(|settings| &mut settings.print_array),
    },
    Setting {
        name: "print elements",
        about: "The greatest number of elements and characters printed of a value",
        kind: SettingKind::Limit(|settings| &mut settings.print_elements),
    },
    Setting {
        name: "print max-depth",
        about: "The greatest number of structures printed inside of each other",
        kind: SettingKind::Limit(|settings| &mut settings.print_max_depth),
    },
    Setting {
        name: "print object-depth",
        about: "The greatest number of objects that are printed inside of each other",
        kind: SettingKind::Limit(|settings| &mut settings.print_object_depth),
    },
    Setting {
        name: "print pretty",
        about: "Printing of members on lines of their own",
        kind: SettingKind::Switch(|settings| &mut settings.print_pretty),
    },
    Setting {
        name: "print repeats",
        about: "The number of equal elements from which on they are printed once",
        kind: SettingKind::Limit(|settings| &mut settings.print_repeats),
    },
    Setting {
        name: "print union",
        about: "Printing of unions inside of structures",
        kind: SettingKind::Switch(|settings| &mut settings.print_union),
    },
    Setting {
        name: "print vector",
        about: "The division into lanes in which vectors (v128) are shown",
        kind: SettingKind::Choice(&Lanes::NAMES, |settings| &mut settings.print_vector),
    },
    Setting {
        name: "prompt",
        about: "The prompt",
        kind: SettingKind::Text(|settings| &mut settings.preferences.prompt),
    },
    Setting {
        name: "step-columns",
        about: "Stopping of steps at each column of a line",
        kind: SettingKind::Switch(|settings| &mut settings.steps_by_column),
    },
    Setting {
        name: "step-mode",
        about: "Stopping of `step` in functions whose source is not known",
        kind: SettingKind::Switch(|settings| &mut settings.stops_in_functions_without_lines),
    },
    Setting {
        name: "tier",
        about: "The tier that runs the program between stops",
        kind: SettingKind::Choice(&Tier::NAMES, |settings| &mut settings.tier),
    },
    Setting {
        name: "trace-commands",
        about: "Printing of commands before they are performed",
        kind: SettingKind::Switch(|settings| &mut settings.traces_commands),
    },
    Setting {
        name: "width",
        about: "The number of characters in a line of the terminal",
        kind: SettingKind::Size(|settings| &mut settings.preferences.width),
    },
];

//! Answers and events as JSON: one object on each line, for scripts, editors and agents (`wdb --json`).
//!
//! Every object has `version` ([`VERSION`]) and `type`. The same values are rendered as text; nothing is parsed back from text.
//! `docs/json-schema.json` describes all objects; a test compares it with [`schema`]. New fields and new types of objects may come
//! without a new version; a field that changes its meaning or goes away takes one.

use schemars::JsonSchema;
use serde::Serialize;

use crate::event::{CommandStatus, Event, Stream};
use crate::report::Report;
use crate::view::ProgramState;

/// The version of the format.
pub const VERSION: u32 = 1;

/// One line of the output.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "wdb --json")]
struct Line<'a> {
    /// The version of the format.
    version: u32,
    #[serde(flatten)]
    object: Object<'a>,
}

/// What a line tells.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum Object<'a> {
    /// A command's answer.
    Answer(&'a Report),
    /// What happened otherwise.
    Happening(Happening<'a>),
}

/// What happens besides answers.
#[derive(Serialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "snake_case"
)]
enum Happening<'a> {
    /// The program wrote.
    Output {
        /// `stdout` or `stderr`.
        stream: &'a str,
        /// What it wrote, with U+FFFD for what is no UTF-8.
        text: String,
        /// The bytes in hexadecimal, if they are no UTF-8.
        #[serde(skip_serializing_if = "Option::is_none")]
        hex: Option<String>,
    },
    /// A command failed.
    Error {
        /// Why, in one line.
        message: &'a str,
    },
    /// The program runs.
    Running,
    /// The program's state after it ran.
    State {
        /// `not-started`, `running`, `stopped`, `trapped` or `exited`.
        state: &'a str,
        /// The exit status, after the end.
        #[serde(skip_serializing_if = "Option::is_none")]
        exit_status: Option<u32>,
        /// The logical clock.
        tick: u64,
        /// The module offset of the next instruction.
        #[serde(skip_serializing_if = "Option::is_none")]
        pc: Option<u32>,
        /// The number of frames.
        frames: usize,
    },
    /// A command is finished.
    Done {
        /// The command, as it was given.
        command: &'a str,
        /// `success`, `failure` or `quit`.
        status: &'a str,
    },
}

/// A command's answer.
pub(crate) fn answer(report: &Report) -> String {
    line(Object::Answer(report))
}

/// An event as a line without its end; `None` for those that tell nothing of their own. `command` is the one under way.
#[must_use]
pub fn event_line(event: &Event, command: &str) -> Option<String> {
    let happening = match event {
        Event::Json(json) => return Some(json.to_string()),
        Event::Output { stream, bytes } => Happening::Output {
            stream: match stream {
                Stream::Stdout => "stdout",
                Stream::Stderr => "stderr",
            },
            text: String::from_utf8_lossy(bytes).into_owned(),
            hex: std::str::from_utf8(bytes)
                .is_err()
                .then(|| bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        },
        Event::Error(message) => Happening::Error { message },
        Event::Running => Happening::Running,
        Event::Stopped(view) => {
            let (state, exit_status) = match view.state {
                ProgramState::NotStarted => ("not-started", None),
                ProgramState::Running => ("running", None),
                ProgramState::Stopped => ("stopped", None),
                ProgramState::Trapped => ("trapped", None),
                ProgramState::Exited(status) => ("exited", Some(status)),
            };
            Happening::State {
                state,
                exit_status,
                tick: view.tick,
                pc: view.frames.first().map(|frame| frame.pc),
                frames: view.frame_count,
            }
        }
        Event::Done { status, .. } => Happening::Done {
            command,
            status: match status {
                CommandStatus::Success => "success",
                CommandStatus::Failure => "failure",
                CommandStatus::Quit(_) => "quit",
            },
        },
        Event::Message(_) | Event::Progress(_) | Event::Changed(_) => return None,
    };
    Some(line(Object::Happening(happening)))
}

fn line(object: Object<'_>) -> String {
    let line = Line {
        version: VERSION,
        object,
    };
    serde_json::to_string(&line).expect("reports hold nothing that JSON has no form for")
}

/// The JSON Schema of a line.
#[must_use]
pub fn schema() -> String {
    let schema = schemars::schema_for!(Line<'_>);
    serde_json::to_string_pretty(&schema).expect("a schema is JSON")
}

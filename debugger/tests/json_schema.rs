//! The published schema of `wdb --json` is that of the code, and a session says nothing that is not in it.

use std::path::Path;

use serde_json::Value;
use wdb_debugger::ProgramSource;
use wdb_debugger::event::Event;
use wdb_debugger::json;
use wdb_debugger::session::{Session, SessionOptions, StdinChoice};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies in the workspace")
}

#[test]
fn the_published_schema_is_that_of_the_code() {
    let path = root().join("docs/json-schema.json");
    let now = json::schema() + "\n";
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &now).expect("the schema can be written");
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(published, now, "BLESS=1 writes docs/json-schema.json");
}

#[test]
fn every_line_of_a_session_is_in_the_schema() {
    let schema = json::schema();
    let options = SessionOptions {
        stdin: StdinChoice::Empty,
        json: true,
        ..SessionOptions::default()
    };
    let program = ProgramSource::File(root().join("samples/inventory/inventory.wasm"));
    let session = Session::open(program, options).expect("the sample opens");
    let mut types = Vec::new();
    for command in [
        "break carry_out",
        "watch orders_refused",
        "info breakpoints",
        "run",
        "bt full",
        "info locals",
        "print *order",
        "frame 1",
        "finish",
        "step",
        "x/4xw warehouse",
        "x/3i $pc",
        "list",
        "disassemble /s",
        "info registers",
        "info stack",
        "info labels",
        "info tier",
        "info functions item",
        "display/x 5",
        "nonsense",
        "continue",
        "delete",
        "continue",
        "help",
    ] {
        let events = session.subscribe();
        let request = session.submit(command);
        for event in events {
            if let Some(line) = json::event_line(&event, command) {
                let value: Value = serde_json::from_str(&line).expect("a line is JSON");
                assert_eq!(value["version"], json::VERSION);
                let found = value["type"].as_str().expect("every object has a type");
                let is_known = schema.contains(&format!("\"const\": \"{found}\""));
                assert!(is_known, "{found} is not in the schema");
                types.push(found.to_owned());
            }
            if matches!(event, Event::Done { request: done, .. } if done == request) {
                break;
            }
        }
    }
    types.sort_unstable();
    types.dedup();
    for wanted in [
        "backtrace",
        "breakpoint-set",
        "breakpoints",
        "disassembly",
        "done",
        "error",
        "frame",
        "memory",
        "output",
        "running",
        "slots",
        "source",
        "state",
        "stop",
        "tiers",
        "value",
        "variables",
    ] {
        assert!(
            types.iter().any(|found| found == wanted),
            "no {wanted} among {types:?}"
        );
    }
}

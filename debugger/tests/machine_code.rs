//! `disassemble --tier clif | jit | opt`: what is the same on every machine.

use std::path::Path;

use wdb_debugger::ProgramSource;
use wdb_debugger::event::Event;
use wdb_debugger::session::{Session, SessionOptions, StdinChoice};

fn session() -> Session {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let root = root.expect("the crate lies in the workspace");
    let options = SessionOptions {
        args: vec!["2".to_owned()],
        stdin: StdinChoice::Empty,
        ..SessionOptions::default()
    };
    let source = ProgramSource::File(root.join("samples/fib/fib.wasm"));
    Session::open(source, options).expect("the sample opens")
}

/// What a command answers, or its error.
fn perform(session: &Session, command: &str) -> Result<String, String> {
    let events = session.subscribe();
    let submitted = session.submit(command);
    let mut text = String::new();
    let mut failure = None;
    for event in events {
        match event {
            Event::Message(message) => text.push_str(&format!("{message}\n")),
            Event::Error(message) => failure = Some(message.to_string()),
            Event::Done { request, .. } if request == submitted => break,
            _ => {}
        }
    }
    failure.map_or(Ok(text), Err)
}

/// The answer, unless this machine has no machine code; says so then.
fn listing(session: &Session, command: &str) -> Option<String> {
    match perform(session, command) {
        Ok(text) => Some(text),
        Err(error) if error.contains("no machine code for this processor") => {
            eprintln!("SKIPPED: {error}");
            None
        }
        Err(error) => panic!("{command}: {error}"),
    }
}

/// The offsets of the lines of machine code.
fn machine_offsets(text: &str) -> Vec<u32> {
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("     m 0x"));
    let offsets = lines.filter_map(|line| line.split_once(':'));
    offsets
        .map(|(hex, _)| u32::from_str_radix(hex, 16).expect("an offset"))
        .collect()
}

/// The places of the wasm instructions, each once.
fn wasm_places(text: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| line.get(3..));
    let mut places: Vec<String> = lines
        .filter(|line| line.starts_with("0x"))
        .filter_map(|line| Some(line.split_once(':')?.0.to_owned()))
        .collect();
    places.sort();
    places.dedup();
    places
}

#[test]
fn intermediate_code_stands_beside_the_instructions() {
    let session = session();
    let Some(text) = listing(&session, "disassemble --tier clif fib") else {
        return;
    };
    let mut lines = text.lines();
    let head = "Dump of intermediate code for function fib (param i32) (result i32):";
    assert_eq!(lines.next(), Some(head), "{text}");
    assert_eq!(text.lines().last(), Some("End of intermediate dump."));
    let code: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("     |\t"))
        .collect();
    assert!(code[0].starts_with("function u0:"), "{text}");
    assert_eq!(code.last(), Some(&"}"), "{text}");
    let first_block = text.find("\tblock0(").expect("a block");
    let first_wasm = text.find("<+0>").expect("an instruction");
    assert!(first_block < first_wasm, "{text}");
    // An addition of the source is one of the listing, directly behind it.
    let mut rest = text.lines().skip_while(|line| !line.ends_with("i32.add"));
    let after = rest.nth(1).expect("a line behind it");
    assert!(
        after.starts_with("     |\t") && after.contains("iadd"),
        "{after}"
    );
    // Places are told by where lines stand, and not again in each.
    assert!(code.iter().all(|line| !line.contains('@')), "{text}");
    let plain = perform(&session, "disassemble fib").expect("wasm code");
    assert_eq!(wasm_places(&text), wasm_places(&plain));
}

#[test]
fn machine_code_stands_beside_the_instructions() {
    let session = session();
    for tier in ["jit", "opt"] {
        let Some(text) = listing(&session, &format!("disassemble --tier {tier} fib")) else {
            return;
        };
        let head = format!("Dump of {tier} machine code for function fib (param");
        assert!(text.starts_with(&head), "{text}");
        let offsets = machine_offsets(&text);
        assert!(offsets.len() > 20, "{text}");
        assert_eq!(offsets[0], 0, "{text}");
        assert!(offsets.is_sorted_by(|a, b| a < b), "{text}");
        let plain = perform(&session, "disassemble fib").expect("wasm code");
        assert_eq!(wasm_places(&text), wasm_places(&plain));
        // Of a range, only its code.
        let part = perform(&session, &format!("disassemble --tier {tier} 0x20b,+8"));
        let part = machine_offsets(&part.expect("a range of the same"));
        assert!(!part.is_empty() && part.len() < offsets.len());
        assert!(part.iter().all(|offset| offsets.contains(offset)));
    }
}

#[test]
fn a_breakpoint_is_part_of_the_code() {
    let session = session();
    let Some(before) = listing(&session, "disassemble --tier opt fib") else {
        return;
    };
    perform(&session, "break fib").expect("a place");
    perform(&session, "run").expect("it starts");
    let with_probe = perform(&session, "disassemble --tier opt fib").expect("code");
    let count = |text: &str| machine_offsets(text).len();
    assert!(
        count(&with_probe) > count(&before),
        "{before}\n{with_probe}"
    );
}

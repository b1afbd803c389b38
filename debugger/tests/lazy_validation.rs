//! A large program that has a function which is not valid: with lazy validation it opens, and says so when it matters.

use std::path::PathBuf;

use wdb_debugger::event::{CommandStatus, Event};
use wdb_debugger::run::{TRAP_STATUS, run};
use wdb_debugger::session::{Session, SessionOptions, StdinChoice};
use wdb_debugger::{Compile, ProgramSource, Tier};

/// Enough code for a program that is not validated before it starts.
const PADDING_BYTES: usize = 2 << 20;

/// Bytes behind their number.
fn sized(bytes: &[u8]) -> Vec<u8> {
    let mut result = Vec::new();
    let mut rest = bytes.len();
    while rest >= 0x80 {
        result.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    result.push(rest as u8);
    result.extend(bytes);
    result
}

/// `_start` calls the second function, which adds without operands. The third is long.
fn program() -> Vec<u8> {
    let section = |id: u8, contents: &[u8]| [&[id], &*sized(contents)].concat();
    let nops = vec![0x01; PADDING_BYTES];
    let bodies = [
        vec![0, 0x10, 1, 0x0b],
        vec![0, 0x6a, 0x1a, 0x0b],
        [&[0], &*nops, &[0x0b]].concat(),
    ];
    let mut code = vec![bodies.len() as u8];
    bodies.iter().for_each(|body| code.extend(sized(body)));
    [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &[1, 0x60, 0, 0]),
        section(3, &[3, 0, 0, 0]),
        section(
            7,
            &[&[2], &*sized(b"_start"), &[0, 0], &*sized(b"bad"), &[0, 1]].concat(),
        ),
        section(10, &code),
    ]
    .concat()
}

fn source() -> ProgramSource {
    ProgramSource::Embedded {
        name: "large.wasm".to_owned(),
        bytes: program(),
    }
}

fn options(compile: Compile, tier: Tier) -> SessionOptions {
    SessionOptions {
        stdin: StdinChoice::Empty,
        compile,
        tier,
        ..SessionOptions::default()
    }
}

/// What a command says, errors included.
fn answers(session: &Session, command: &str) -> String {
    let events = session.subscribe();
    let request = session.submit(command);
    let mut text = String::new();
    for event in events {
        match event {
            Event::Message(message) | Event::Error(message) => text += &format!("{message}\n"),
            Event::Done {
                request: done,
                status,
            } if done == request => {
                assert!(
                    !matches!(status, CommandStatus::Quit(_)),
                    "{command}: {text}"
                );
                break;
            }
            _ => {}
        }
    }
    text
}

#[test]
fn it_is_refused_unless_validation_is_lazy() {
    for compile in [Compile::Eager, Compile::LazyTranslation] {
        let Err(error) = Session::open(source(), options(compile, Tier::Fast)) else {
            panic!("{} opens it", compile.name());
        };
        assert!(
            error.to_string().contains("invalid module at offset 0x"),
            "{error}"
        );
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/programs/invalid.wat");
    let small = Session::open(
        ProgramSource::File(path),
        options(Compile::Lazy, Tier::Fast),
    );
    assert!(small.is_err(), "what is small is validated at once");
}

#[test]
fn it_runs_up_to_the_call() {
    for tier in [Tier::Classic, Tier::Fast] {
        let outcome = run(source(), options(Compile::Lazy, tier)).expect("it opens");
        assert_eq!(outcome.status, TRAP_STATUS);
        let failure = outcome.failure.expect("it traps");
        let lines: Vec<&str> = failure.lines().collect();
        assert!(
            lines[0]
                .starts_with("large.wasm: trap: invalid function: bad is not valid at offset 0x")
        );
        assert!(
            lines[1].starts_with("#0") && lines[1].contains("_start"),
            "{failure}"
        );
    }
}

#[test]
fn a_session_tells_of_it_wherever_it_is_looked_at() {
    let session = Session::open(source(), options(Compile::Lazy, Tier::Fast)).expect("it opens");
    let mut told = String::new();
    for _ in 0..1000 {
        // The validation in the background takes as long as it takes.
        told = answers(&session, "info program");
        if told.contains("warning: invalid module at offset 0x") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(told.contains("warning: invalid module"), "{told}");
    let expect = |command: &str, wanted: &str| {
        let told = answers(&session, command);
        assert!(told.contains(wanted), "{command}: {told}");
        assert!(!told.contains("warning: invalid"), "it is told once");
    };
    expect(
        "disassemble bad",
        "bad (func 1) is not valid: type mismatch",
    );
    expect("disassemble --tier fast bad", "bad (func 1) is not valid");
    expect("break bad", "Breakpoint 1 at");
    expect("info scope bad", "");
    expect("run", "invalid function: bad is not valid at offset 0x");
    expect("backtrace", "#0");
    expect("x/3i $pc", "call 1");
    expect("stepi", "stands at a trap");
    expect("info frame", "_start");
    expect("call bad()", "invalid function");
    expect("set compile eager", "invalid module at offset 0x");
    expect("show compile", "is lazy");
    expect("info tier", "(lazy)");
}

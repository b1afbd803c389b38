//! No input, however odd, makes the session panic or hang: every command is given arguments that nobody means.

use std::path::Path;

use wdb_debugger::ProgramSource;
use wdb_debugger::event::{CommandStatus, Event};
use wdb_debugger::session::{Session, SessionOptions, StdinChoice};

/// Commands that do something outside of the session, or end it.
const LEFT_OUT: [&str; 9] = [
    "append", "cd", "dump", "make", "quit", "restore", "save", "shell", "source",
];

/// What is given to each command: halves of expressions, of flags, of lists; numbers that are too large; no ASCII.
const ODD: &[&str] = &[
    "",
    "\"",
    "'",
    "`",
    "(",
    "((((((((",
    ")",
    "[",
    "]",
    "{",
    "}",
    "{int}",
    "-",
    "--",
    "---",
    "-x",
    "-n",
    "--name",
    "--name=",
    "/",
    "/x",
    "/-9999999999999x 0",
    "/99999999xg 0",
    "/s",
    "*",
    "*0",
    "*-1",
    "*0xffffffffffffffff",
    "&",
    "$",
    "$$",
    "$$9999999999",
    "$local",
    "$local99999999999",
    "$stack0",
    "$table0",
    "$table0[-1]",
    "$table9[9]",
    "@",
    "1@",
    "1@99999999999",
    "0",
    "1",
    "-1",
    "99999999999999999999999",
    "0x",
    "0xg",
    "1e999",
    "é",
    "日本語",
    "\u{202e}",
    "\u{0}",
    "a::",
    "::",
    "::a",
    "if",
    "if 1",
    "1 if",
    ",",
    ",,",
    ",1",
    "1,",
    "+",
    "+1",
    "-1,+1",
    "=",
    "a=b",
    "a =",
    "= b",
    "1-",
    "-1-",
    "1-999999999",
    "3-1",
    "all",
    "all all",
    "on",
    "off on",
    "print",
    "print pretty",
    "print pretty on -- ",
    "\\",
    "a\\",
    "\"a",
    "\"%s\"",
    "\"%d\",",
    "\"%9999999d\",1",
    "\"%*d\",1,1",
    "'inventory.c'::",
    "inventory.c:",
    "inventory.c:0",
    "inventory.c:99999999999",
    ":1",
    "nosuch.c:1",
    "func[0]",
    "func[",
    "func[99999999]",
    "struct",
    "struct item",
    "(int)",
    "sizeof",
    "sizeof(",
    "1/0",
    "1%0",
    "1<<999",
    "-9223372036854775808",
    "0, +0, 1",
    "0, +1, \"",
    "0, 1",
    "item item item",
    "$_",
    "$__",
    "-- x",
    "-l x",
    "-location",
    "function",
    "function nosuch",
    "level",
    "level 99999999999",
    "apply",
    "apply all",
    "apply all apply all bt",
    "set",
    "set -n",
    "set -n \"",
    "set -l",
    "command",
    "command add",
    "set variable",
    "set expression -s 999999999999 -- 0",
    "step-in -c 99999999999999999999",
    "read",
    "read -c -1 0",
    "read -s 0 0",
    "find -s x",
    "write 0",
    "lookup -a",
    "lookup -t (",
    "$(nosuch)",
    "a b c d e f g h i j k l m n o p",
];

struct Odd {
    session: Session,
    performed: usize,
}

impl Odd {
    fn perform(&mut self, line: &str) -> Vec<String> {
        let events = self.session.subscribe();
        let request = self.session.submit(line);
        let mut told = Vec::new();
        for event in events {
            match event {
                Event::Message(text) => told.push(text),
                Event::Error(text) => {
                    assert!(!text.contains("internal error"), "`{line}`: {text}");
                    assert!(
                        !text.is_empty() && !text.contains('\n'),
                        "`{line}`: an error is one line: {text}"
                    );
                }
                Event::Done {
                    request: done,
                    status,
                } if done == request => {
                    assert!(!matches!(status, CommandStatus::Quit(_)), "`{line}` left");
                    break;
                }
                _ => {}
            }
        }
        if self.session.is_block_open() {
            self.session.submit_end_of_input();
        }
        self.performed += 1;
        told
    }

    fn perform_all(&mut self, commands: &[String], settle: &str) {
        for command in commands {
            for odd in ODD {
                self.perform(&format!("{command} {odd}"));
            }
            self.perform(settle);
        }
        let told = self.perform("print 6 * 7");
        assert!(told.iter().any(|text| text.ends_with("= 42")), "{told:?}");
    }
}

#[test]
fn no_input_ends_the_session() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies in the workspace");
    let options = SessionOptions {
        stdin: StdinChoice::Empty,
        ..SessionOptions::default()
    };
    let program = ProgramSource::File(root.join("samples/inventory/inventory.wasm"));
    let session = Session::open(program, options).expect("the sample opens");
    let mut odd = Odd {
        session,
        performed: 0,
    };
    let names = odd.perform("complete").join("\n");
    let mut commands: Vec<String> = names.lines().map(str::to_owned).collect();
    let topics = odd.perform("complete info").join("\n");
    assert!(topics.is_empty() || topics == "info");
    for family in ["info", "set", "show", "unset", "set print", "set logging"] {
        let found = odd.perform(&format!("complete {family} a")).join("\n");
        commands.extend(found.lines().map(str::to_owned));
    }
    commands.retain(|command| !LEFT_OUT.contains(&command.as_str()));
    assert!(commands.len() > 90, "{commands:?}");
    // Before the program runs, and at a stop that is taken again after each command.
    odd.perform_all(&commands, "delete");
    let stopping = "eval \"run\"";
    odd.perform("delete");
    odd.perform("break change_stock");
    odd.perform(stopping);
    odd.perform_all(&commands, stopping);
    println!("{} lines", odd.performed);
}

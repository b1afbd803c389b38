//! `wdb compare` and `wdb run --perf-map`, as people call them.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::terminal::Terminal;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs wdb with pipes; its process number, and what came out.
fn wdb(arguments: &[&str], input: &str) -> (u32, Output) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_wdb"))
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("wdb starts");
    let id = child.id();
    let mut stdin = child.stdin.take().expect("it was asked for");
    stdin.write_all(input.as_bytes()).expect("wdb reads");
    drop(stdin);
    (id, child.wait_with_output().expect("wdb ends"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_comparison_is_a_table_and_what_it_means() {
    let (_, output) = wdb(
        &[
            "compare",
            "--tiers",
            "classic,fast",
            "samples/fib/fib.wasm",
            "12",
        ],
        "",
    );
    let stdout = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{stdout}");
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{stdout}");
    let heads: Vec<&str> = lines[0].split_whitespace().collect();
    assert_eq!(
        heads,
        [
            "tier",
            "time",
            "ticks",
            "ticks/s",
            "compiling",
            "code",
            "memory"
        ]
    );
    assert!(
        lines[1].starts_with("classic ") && lines[2].starts_with("fast "),
        "{stdout}"
    );
    assert!(
        lines[3].starts_with("All tiers agree: the program is finished at tick "),
        "{stdout}"
    );
    assert!(!stdout.contains('\x1b'), "there is no terminal: {stdout}");
}

#[test]
fn input_is_read_once_and_output_told_once() {
    let arguments = ["compare", "--show-output", "samples/sums/sums.wasm"];
    let (_, output) = wdb(&arguments, "1 2 3\n4 5\n");
    let stdout = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{stdout}");
    let (_, alone) = wdb(&["run", "samples/sums/sums.wasm"], "1 2 3\n4 5\n");
    let written = text(&alone.stdout);
    assert!(!written.is_empty());
    let rest = stdout.strip_prefix(&written);
    let rest = rest.unwrap_or_else(|| panic!("{written:?} does not begin {stdout:?}"));
    assert!(
        rest.starts_with("tier ") && rest.contains("All tiers agree"),
        "{rest}"
    );
}

#[test]
fn a_comparison_is_one_object_of_json() {
    let (_, output) = wdb(
        &["compare", "--json", "samples/inventory/inventory.wasm"],
        "",
    );
    assert_eq!(output.status.code(), Some(0));
    let json: Value = serde_json::from_slice(&output.stdout).expect("one object");
    assert_eq!(json["type"], "comparison");
    assert_eq!(json["data"]["agrees"], true);
    let tiers = json["data"]["tiers"].as_array().expect("rows");
    assert!(tiers.len() >= 2, "{json}");
    for tier in tiers {
        assert_eq!(tier["ended"], "exited with status 1");
        assert_eq!(tier["ticks"], tiers[0]["ticks"]);
        assert_eq!(tier["memory_hash"], tiers[0]["memory_hash"]);
    }
}

#[test]
fn at_a_terminal_the_table_is_live() {
    let state = tempfile::tempdir().expect("a temporary directory can be made");
    let arguments = ["compare", "samples/fib/fib.wasm", "20"];
    let terminal = Terminal::start_in(100, 30, root(), state.path(), &arguments);
    terminal.wait_for("All tiers agree");
    let contents = terminal.wait_until("one table", |screen| {
        screen.contents().matches("ticks/s").count() == 1
    });
    drop(contents);
}

#[test]
fn profilers_find_the_names_of_machine_code() {
    let arguments = ["run", "--tier", "opt", "--perf-map", "samples/fib/fib.wasm"];
    let (id, output) = wdb(&arguments, "");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let path = format!("/tmp/perf-{id}.map");
    let map = std::fs::read_to_string(&path).expect("the map is there");
    std::fs::remove_file(&path).expect("it can be removed");
    if map.is_empty() {
        eprintln!("SKIPPED: there is no machine code on this machine");
        return;
    }
    let fib = map.lines().find(|line| line.ends_with(" fib [opt]"));
    let fib = fib.unwrap_or_else(|| panic!("fib is not in {map}"));
    let mut words = fib.split(' ');
    for what in ["address", "size"] {
        let word = words.next().expect(what);
        let number = u64::from_str_radix(word, 16);
        assert!(number.is_ok_and(|number| number > 0), "{fib}");
    }
}

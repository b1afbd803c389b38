//! The full screen: keys in, a picture out.

use std::io::Write;

use vt100::Screen;

use crate::terminal::Terminal;

/// Whether the current row of the source or wasm pane holds a text.
pub(crate) fn is_current_row(screen: &Screen, part: &str) -> bool {
    screen
        .contents()
        .lines()
        .any(|row| row.contains('▶') && row.contains(part))
}

#[test]
fn the_demo_is_stepped_printed_and_left() {
    let terminal = Terminal::start(160, 45, &["--demo"]);
    let screen = terminal.wait_until("the source of main", |screen| {
        is_current_row(screen, "struct warehouse warehouse")
    });
    for pane in [
        "1 Source",
        "2 Wasm",
        "4 Stack",
        "4 Locals",
        "5 Operands",
        "7 Output",
    ] {
        assert!(screen.contents().contains(pane), "{pane} is missing");
    }
    terminal.press("n");
    terminal.wait_until("the next line", |screen| {
        !is_current_row(screen, "struct warehouse warehouse")
            && screen.contents().contains("PAUSED")
    });
    terminal.press(":print 6 * 7\r");
    terminal.wait_for("$1 = 42");
    terminal.press("q");
    terminal.wait_for("Quit anyway?");
    terminal.press("y");
    assert_eq!(terminal.wait_for_end().code(), Some(0));
}

#[test]
fn the_screen_follows_the_size_of_the_terminal() {
    let terminal = Terminal::start(160, 45, &["--demo"]);
    terminal.wait_for("5 Operands");
    terminal.resize(80, 24);
    let screen = terminal.wait_until("one pane of tabs", |screen| {
        screen.contents().contains("Stk[Loc]Ops") && screen.contents().contains("? help")
    });
    let last = screen.rows(0, 80).last();
    assert!(last.is_some_and(|row| row.contains("? help")));
    terminal.resize(120, 35);
    terminal.wait_for("5 Operands");
    terminal.press("qy");
    assert_eq!(terminal.wait_for_end().code(), Some(0));
}

#[test]
fn what_is_typed_reaches_the_program_and_its_output_a_pane() {
    let terminal = Terminal::start(120, 35, &["samples/sums/sums.wasm"]);
    terminal.wait_for("PAUSED");
    terminal.press("c");
    terminal.wait_for("WAITS FOR INPUT");
    terminal.press("3 4\r");
    terminal.press("\x04");
    let screen = terminal.wait_for("EXITED 0");
    let output = screen.contents();
    assert!(output.contains("3 4"), "{output}");
    terminal.press("q");
    assert_eq!(terminal.wait_for_end().code(), Some(0));
}

/// A program that never ends and never calls its host.
fn endless_program() -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new()
        .suffix(".wat")
        .tempfile()
        .expect("a temporary file can be made");
    let text = "(module (memory (export \"memory\") 1) (func (export \"_start\") (loop $again (br $again))))";
    file.write_all(text.as_bytes())
        .expect("the file can be written");
    file
}

#[test]
fn a_program_in_a_loop_is_interrupted_and_left() {
    let program = endless_program();
    let path = program.path().to_str().expect("the path is text");
    let terminal = Terminal::start(120, 35, &[path]);
    terminal.wait_for("PAUSED");
    terminal.press("c");
    terminal.wait_for("RUNNING");
    terminal.press("\x03");
    terminal.wait_for("PAUSED");
    terminal.press("c");
    terminal.wait_for("RUNNING");
    terminal.press("qy");
    assert_eq!(terminal.wait_for_end().code(), Some(0));
}

#[test]
fn a_signal_ends_it_with_the_terminal_restored() {
    let program = endless_program();
    let path = program.path().to_str().expect("the path is text");
    let terminal = Terminal::start(80, 24, &[path]);
    terminal.wait_for("PAUSED");
    terminal.press("c");
    terminal.wait_for("RUNNING");
    terminal.terminate();
    assert_eq!(terminal.wait_for_end().code(), Some(128 + 15));
}

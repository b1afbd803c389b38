//! Pictures of every pane and layout.

use std::sync::Arc;

use insta::assert_snapshot;
use wdb_debugger::event::{CommandStatus, Event, Stream};
use wdb_debugger::view::{ProgramState, View};

use super::fixture::{Lack, Screen, stop};

#[test]
fn small_screen_at_a_stop() {
    assert_snapshot!(Screen::stopped(80, 24).picture());
}

#[test]
fn wide_screen_at_a_stop() {
    let mut screen = Screen::stopped(130, 40);
    screen.output(Stream::Stdout, "total 23.49\n\x1b[31mred\x1b[0m\n");
    screen.output(Stream::Stderr, "warning: \x1b[2Jcleared?\n");
    assert_snapshot!(screen.picture());
}

#[test]
fn before_the_start() {
    assert_snapshot!(Screen::new(80, 24).picture());
}

#[test]
fn without_debug_info() {
    let mut screen = Screen::lacking(80, 24, Lack::DebugInfo);
    let mut view = stop();
    if let Some(frame) = &mut view.selected {
        frame.source = None;
        frame.variables.clear();
    }
    screen.event(Event::Stopped(Arc::new(view)));
    assert_snapshot!(screen.picture());
}

#[test]
fn without_the_source_file() {
    let mut screen = Screen::lacking(80, 24, Lack::SourceFile);
    screen.event(Event::Stopped(Arc::new(stop())));
    assert_snapshot!(screen.picture());
}

#[test]
fn each_tab_of_the_small_screen() {
    let mut screen = Screen::stopped(80, 24);
    for (name, keys) in [
        ("stack", "4 4"),
        ("operands", "5"),
        ("memory", "6"),
        ("breakpoints", "6"),
        ("output", "7"),
        ("console", "7"),
    ] {
        screen.keys(keys);
        assert_snapshot!(format!("tab_{name}"), screen.picture());
    }
}

#[test]
fn expanded_values_in_hexadecimal() {
    let mut screen = Screen::stopped(80, 24);
    screen.keys("4 j Enter x");
    assert_snapshot!(screen.picture());
}

#[test]
fn zoomed_memory_shows_what_changed() {
    let mut screen = Screen::stopped(80, 24);
    screen.keys("6 z");
    let later = View {
        tick: 1_204_332,
        ..stop()
    };
    screen.event(Event::Stopped(Arc::new(later)));
    assert_snapshot!(screen.picture());
}

#[test]
fn help() {
    let mut screen = Screen::stopped(80, 24);
    screen.keys("?");
    assert_snapshot!("help_top", screen.picture());
    for _ in 0..20 {
        screen.keys("PageDown");
    }
    assert_snapshot!("help_bottom", screen.picture());
}

#[test]
fn palette() {
    let mut screen = Screen::stopped(80, 24);
    screen.keys("Ctrl-P");
    screen.text("frame");
    assert_snapshot!(screen.picture());
}

#[test]
fn command_line_with_candidates() {
    let mut screen = Screen::stopped(80, 24);
    screen.keys(":");
    screen.text("b");
    screen.keys("Tab");
    assert_snapshot!(screen.picture());
}

#[test]
fn console_after_a_typed_command() {
    let mut screen = Screen::stopped(80, 24);
    screen.keys(":");
    screen.text("bt");
    screen.keys("Enter");
    screen.event(Event::Message(
        "#0  fib (n=10) at fib.c:7\n#1  main () at fib.c:13".to_owned(),
    ));
    screen.finish_command(CommandStatus::Success);
    screen.keys(":");
    screen.text("frobnicate");
    screen.keys("Enter");
    screen.event(Event::Error(
        "Undefined command: \"frobnicate\".  Try \"help\".".to_owned(),
    ));
    screen.finish_command(CommandStatus::Failure);
    assert_snapshot!(screen.picture());
}

#[test]
fn program_waits_for_input() {
    let mut screen = Screen::stopped(80, 24);
    screen.event(Event::Running);
    screen.output(Stream::Stdout, "name? ");
    screen.app.set_waiting(true);
    screen.serve();
    screen.text("Ada");
    assert_snapshot!(screen.picture());
}

#[test]
fn trapped_and_exited() {
    let mut screen = Screen::stopped(80, 24);
    let trapped = View {
        state: ProgramState::Trapped,
        reason: "Program trapped: integer divide by zero".to_owned(),
        ..stop()
    };
    screen.event(Event::Stopped(Arc::new(trapped)));
    assert_snapshot!("trapped", screen.picture());
    let exited = View {
        state: ProgramState::Exited(3),
        reason: "[Program exited with code 03]".to_owned(),
        frames: Vec::new(),
        frame_count: 0,
        selected: None,
        ..stop()
    };
    screen.event(Event::Stopped(Arc::new(exited)));
    assert_snapshot!("exited", screen.picture());
}

#[test]
fn quit_is_confirmed() {
    let mut screen = Screen::stopped(80, 24);
    screen.keys("q");
    assert_snapshot!(screen.picture());
}

#[test]
fn too_small() {
    assert_snapshot!(Screen::stopped(30, 10).picture());
}

//! What keys, the mouse and events do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossterm::event::{MouseButton, MouseEventKind};
use ratatui::style::{Color, Modifier};
use wdb_debugger::event::{CommandStatus, Event, Stream};
use wdb_debugger::view::{Disassembly, InstructionView, SourceText, View};

use super::fixture::{FILE, Screen, spot, stop};
use crate::screen::actions::BINDINGS;
use crate::screen::app::Answer;
use crate::screen::pane::Pane;
use crate::screen::syntax::{Category, Colours};
use crate::screen::theme::Theme;

#[test]
fn keys_become_commands() {
    for (key, command) in [
        ("s", "step"),
        ("F11", "step"),
        ("n", "next"),
        ("F10", "next"),
        ("f", "finish"),
        ("Shift-F11", "finish"),
        ("c", "continue"),
        ("F5", "continue"),
        ("i", "stepi"),
        ("o", "nexti"),
        ("u", "up"),
        ("d", "down"),
        ("r", "run"),
        ("t", "advance /src/fib.c:7"),
        ("T", "tier fast"),
        ("Ctrl-C", "(interrupt)"),
        ("F6", "(interrupt)"),
        ("b", "delete 1"),
        ("Ctrl-L", "(redraw)"),
        ("Ctrl-Z", "(suspend)"),
    ] {
        let mut screen = Screen::stopped(80, 24);
        screen.keys(key);
        assert_eq!(screen.take_done(), [command], "{key}");
    }
}

#[test]
fn the_first_step_starts_the_program() {
    for (key, command) in [("s", "start"), ("o", "start"), ("c", "run")] {
        let mut screen = Screen::new(80, 24);
        screen.keys(key);
        assert_eq!(screen.take_done(), [command], "{key}");
    }
}

#[test]
fn a_key_held_down_does_not_run_ahead() {
    let mut screen = Screen::stopped(80, 24);
    screen.keys("s s s");
    assert_eq!(screen.take_done(), ["step"]);
    screen.event(Event::Running).keys("s b");
    assert!(screen.take_done().is_empty());
    assert!(screen.picture().contains("Ctrl-C stops it"));
    screen.event(Event::Stopped(Arc::new(stop())));
    screen.finish_command(CommandStatus::Success);
    screen.keys("s");
    assert_eq!(screen.take_done(), ["step"]);
}

#[test]
fn breakpoints_are_set_where_the_cursor_is() {
    let mut screen = Screen::stopped(80, 24);
    screen.keys("j j b");
    assert_eq!(screen.take_done(), ["break /src/fib.c:9"]);
    screen.finish_command(CommandStatus::Success);
    screen.keys("2 b");
    assert_eq!(screen.take_done(), ["break *0x118"]);
    screen.finish_command(CommandStatus::Success);
    screen.keys("6 6 j b");
    assert_eq!(screen.take_done(), ["delete 2"]);
}

#[test]
fn a_conditional_breakpoint_is_typed_to_its_end() {
    let mut screen = Screen::stopped(80, 24);
    screen.keys("B");
    screen.text("n > 3");
    screen.keys("Enter");
    assert_eq!(screen.take_done(), ["break /src/fib.c:7 if n > 3"]);
}

#[test]
fn the_cursor_links_source_and_wasm() {
    let mut screen = Screen::stopped(80, 24);
    assert_eq!(screen.app.wasm_cursor(), Some(0x110));
    screen.keys("j");
    assert_eq!(screen.app.wasm_cursor(), Some(0x113));
    screen.keys("G k k");
    assert_eq!(screen.app.wasm_func, Some(8));
    assert_eq!(screen.app.wasm_cursor(), Some(0x200));
    screen.keys("2 G");
    assert_eq!(screen.app.source_cursor(), Some((FILE.into(), 14)));
    screen.keys(".");
    assert_eq!(screen.app.wasm_cursor(), Some(0x110));
    assert_eq!(screen.app.source_cursor(), Some((FILE.into(), 7)));
}

#[test]
fn a_changed_breakpoint_does_not_move_the_cursor() {
    let mut screen = Screen::stopped(80, 24);
    screen.keys("j j");
    let mut view = stop();
    view.breakpoints.clear();
    screen.event(Event::Changed(Arc::new(view)));
    assert_eq!(screen.app.source_cursor(), Some((FILE.into(), 9)));
}

#[test]
fn pointers_are_followed_into_memory() {
    let mut screen = Screen::stopped(80, 24);
    screen.keys("4 j j Enter");
    assert_eq!(screen.app.focus, Pane::Memory);
    assert!(screen.row_with("00000418  61 62 63 00").is_some());
    screen.keys("g a");
    screen.text("0x1ffff");
    screen.keys("Enter");
    assert!(screen.row_with("0001fffc").is_some() || screen.row_with("0001fff8").is_some());
    screen.keys("g a");
    screen.text("0x20000");
    screen.keys("Enter");
    assert!(screen.picture().contains("outside memory"));
}

#[test]
fn search_goes_around() {
    let mut screen = Screen::stopped(80, 24);
    screen.keys("/");
    screen.text("return");
    screen.keys("Enter");
    assert_eq!(screen.app.source_cursor(), Some((FILE.into(), 8)));
    screen.keys("F3 F3 F3");
    assert_eq!(screen.app.source_cursor(), Some((FILE.into(), 8)));
    screen.keys("Shift-F3");
    assert_eq!(screen.app.source_cursor(), Some((FILE.into(), 14)));
    screen.keys("/");
    screen.text("nowhere");
    screen.keys("Enter");
    assert!(screen.picture().contains("not found: nowhere"));
}

#[test]
fn commands_are_recalled_and_completed() {
    let mut screen = Screen::stopped(80, 24);
    screen.keys(": Up Up Enter");
    assert_eq!(screen.take_done(), ["info locals"]);
    screen.finish_command(CommandStatus::Success);
    screen.keys(":");
    screen.text("bre");
    screen.keys("Up Enter");
    assert_eq!(screen.take_done(), ["break fib"]);
    screen.finish_command(CommandStatus::Success);
    screen.keys(":");
    screen.text("bac");
    screen.keys("Tab Enter");
    assert_eq!(screen.take_done(), ["backtrace "]);
}

#[test]
fn program_input_is_typed_and_ended() {
    let mut screen = Screen::stopped(80, 24);
    screen.event(Event::Running);
    screen.app.set_waiting(true);
    screen.text("one");
    screen.keys("Enter Ctrl-D");
    assert_eq!(screen.take_done(), ["(input \"one\\n\")", "(end of input)"]);
    assert_eq!(screen.app.focus, Pane::Source);

    screen.app.set_waiting(false);
    screen.app.set_waiting(true);
    screen.text("half");
    screen.keys("Ctrl-D Ctrl-C");
    assert_eq!(screen.take_done(), ["(input \"half\")", "(interrupt)"]);
    screen.event(Event::Stopped(Arc::new(stop())));
    screen.keys("s");
    assert_eq!(screen.take_done(), ["step"]);
}

#[test]
fn a_paste_is_given_to_the_program_line_by_line() {
    let mut screen = Screen::stopped(80, 24);
    screen.event(Event::Running);
    screen.app.set_waiting(true);
    screen.app.paste("1 2\n3\n4");
    screen.serve();
    assert_eq!(
        screen.take_done(),
        ["(input \"1 2\\n\")", "(input \"3\\n\")"]
    );
}

#[test]
fn panes_are_focused_by_number_direction_and_tab() {
    let mut screen = Screen::stopped(130, 40);
    for (keys, pane) in [
        ("2", Pane::Wasm),
        ("4", Pane::Stack),
        ("4", Pane::Locals),
        ("4", Pane::Stack),
        ("Ctrl-W j", Pane::Locals),
        ("Ctrl-W j", Pane::Operands),
        ("Ctrl-W h", Pane::Wasm),
        ("Ctrl-W k", Pane::Source),
        ("Ctrl-W l", Pane::Stack),
        ("7", Pane::Output),
        ("7", Pane::Console),
        ("Tab", Pane::Source),
        ("Shift-Tab", Pane::Console),
    ] {
        screen.keys(keys);
        assert_eq!(screen.app.focus, pane, "{keys}");
    }
}

#[test]
fn panes_are_resized_and_zoomed() {
    let mut screen = Screen::stopped(80, 24);
    let width = |screen: &Screen| screen.app.arrangement().slots[0].area.width;
    let height = |screen: &Screen| screen.app.arrangement().slots[0].area.height;
    let (usual_width, usual_height) = (width(&screen), height(&screen));
    screen.keys("Ctrl-W > Ctrl-W > Ctrl-W +");
    assert!(width(&screen) > usual_width && height(&screen) > usual_height);
    screen.keys("Ctrl-W _");
    assert!(height(&screen) >= 18);
    screen.keys("Ctrl-W =");
    assert_eq!(
        (width(&screen), height(&screen)),
        (usual_width, usual_height)
    );
    screen.keys("z");
    assert_eq!(screen.app.arrangement().slots.len(), 1);
    assert_eq!(height(&screen), 22);
    screen.keys("z");
    assert_eq!(screen.app.arrangement().slots.len(), 3);
}

#[test]
fn the_mouse_focuses_scrolls_and_sets_breakpoints() {
    let mut screen = Screen::stopped(80, 24);
    let row = screen.row_with("fib(n - 1)").expect("line 9 is visible");
    screen.click(20, row);
    assert_eq!(screen.app.source_cursor(), Some((FILE.into(), 9)));
    assert!(screen.take_done().is_empty());
    screen.click(20, row);
    assert_eq!(screen.take_done(), ["break /src/fib.c:9"]);
    screen.finish_command(CommandStatus::Success);
    screen.click(0, row - 2);
    assert_eq!(screen.take_done(), ["delete 1"]);

    let title = screen.row_with("2 Wasm").expect("the title is visible");
    screen.click(3, title);
    assert_eq!(screen.app.focus, Pane::Wasm);
    screen.keys("g g");
    screen.mouse(MouseEventKind::ScrollDown, 3, title + 2);
    assert_eq!(screen.app.scroll(Pane::Wasm).top, 3);
    screen.mouse(MouseEventKind::Down(MouseButton::Left), 46, 10);
    screen.mouse(MouseEventKind::Drag(MouseButton::Left), 30, 10);
    screen.mouse(MouseEventKind::Up(MouseButton::Left), 30, 10);
    assert!(screen.app.arrangement().slots[0].area.width < 35);
    screen.mouse(MouseEventKind::ScrollUp, 500, 500);
}

#[test]
fn frames_are_selected_from_the_stack() {
    let mut screen = Screen::stopped(130, 40);
    screen.keys("4 j Enter");
    assert_eq!(screen.take_done(), ["frame 1"]);
    screen.finish_command(CommandStatus::Success);
    screen.keys("U");
    assert_eq!(screen.take_done(), ["frame 1"]);
}

#[test]
fn quitting_asks_while_the_program_is_alive() {
    let mut screen = Screen::stopped(80, 24);
    screen.keys("q n q y");
    assert_eq!(screen.take_done(), ["(quit 0)"]);
    let mut screen = Screen::new(80, 24);
    screen.keys("q");
    assert_eq!(screen.take_done(), ["(quit 0)"]);
    screen.keys(":");
    screen.text("quit 3");
    screen.keys("Enter").take_done();
    screen.finish_command(CommandStatus::Quit(3));
    assert_eq!(screen.take_done(), ["(quit 3)"]);
}

#[test]
fn the_output_pane_follows_unless_scrolled_back() {
    let mut screen = Screen::stopped(80, 24);
    screen.keys("7");
    for line in 0..100 {
        screen.output(Stream::Stdout, &format!("line {line}\n"));
    }
    assert!(screen.row_with("line 99").is_some());
    screen.keys("g g");
    screen.output(Stream::Stdout, "line 100\n");
    assert!(screen.row_with("line 0").is_some());
}

#[test]
fn every_size_and_mode_can_be_drawn() {
    let modes = [
        "1", "?", "Ctrl-P", ":", "/", "q", "6", "7", "6 6", "z", ": b Tab", "g", "x", "Ctrl-W _",
    ];
    for keys in modes {
        for (width, height) in [
            (1, 1),
            (2, 80),
            (59, 16),
            (60, 16),
            (61, 17),
            (80, 24),
            (110, 30),
            (300, 90),
        ] {
            let mut screen = Screen::stopped(width, height);
            screen.output(Stream::Stdout, "x\n");
            screen.keys(keys);
            screen.draw();
            screen.app.resize(80, 24);
            screen.serve();
            screen.draw();
        }
    }
}

#[test]
fn every_action_can_be_done_in_every_pane() {
    for pane in Pane::ALL {
        for binding in BINDINGS {
            for started in [false, true] {
                let mut screen = if started {
                    Screen::stopped(80, 24)
                } else {
                    Screen::new(80, 24)
                };
                for _ in 0..pane.index() {
                    screen.keys("Tab");
                }
                assert_eq!(screen.app.focus, pane);
                screen.app.act(binding.action);
                screen.serve();
                screen.draw();
            }
        }
    }
}

#[test]
fn themes_have_their_promised_colours() {
    for name in Theme::NAMES {
        let mut screen = Screen::stopped(130, 40);
        screen.app.theme = Theme::named(name).expect("every name has a theme");
        let (buffer, _) = screen.draw();
        let colours = buffer.content().iter().flat_map(|cell| [cell.fg, cell.bg]);
        for colour in colours {
            let rgb = matches!(colour, Color::Rgb(..) | Color::Indexed(_));
            assert!(!rgb, "{name} uses more than 16 colours");
            assert!(name != "none" || colour == Color::Reset, "{colour:?}");
        }
        let marked = buffer
            .content()
            .iter()
            .any(|cell| cell.modifier.contains(Modifier::REVERSED) || cell.bg != Color::Reset);
        assert!(marked, "{name} shows no cursor");
    }
}

#[test]
fn colours_are_drawn_where_the_text_is() {
    let mut screen = Screen::stopped(80, 24);
    screen.app.theme = Theme::named("dark").expect("the theme exists");
    let mut lines = vec![Vec::new(); 8];
    // `return` in line 8, behind two tabs.
    lines[7] = vec![(2, 8, Category::Keyword)];
    screen.app.colours(Colours {
        recorded: FILE.into(),
        first: 0,
        lines,
    });
    let row = screen.row_with("return n;").expect("line 8 is visible");
    let (buffer, _) = screen.draw();
    let keyword = screen.app.theme.syntax(Category::Keyword).fg;
    let coloured: String = (0..40)
        .filter(|column| Some(buffer[(*column, row)].fg) == keyword)
        .map(|column| buffer[(column, row)].symbol().to_owned())
        .collect();
    assert_eq!(coloured, "return");
}

/// Control characters in names, values and sources are drawn as visible characters.
#[test]
fn nothing_reaches_the_terminal_as_a_control_sequence() {
    let mut screen = Screen::stopped(130, 40);
    let mut view = stop();
    let evil = "\x1b[2J\x07\r\n\u{202e}".to_owned();
    view.reason = evil.clone();
    view.frames[0].function = evil.clone();
    view.breakpoints[0].condition = Some(evil.clone());
    if let Some(frame) = &mut view.selected {
        frame.variables[0].value.text = evil.clone();
        frame.variables[0].name = evil.clone();
    }
    screen.event(Event::Stopped(Arc::new(view)));
    screen.event(Event::Error(evil));
    let (buffer, _) = screen.draw();
    for cell in buffer.content() {
        let bad = |c: char| c.is_control() || c == '\u{202e}';
        assert!(!cell.symbol().contains(bad), "{:?}", cell.symbol());
    }
}

/// A huge function and a huge file are drawn as quickly as small ones: only what is visible is looked at.
#[test]
fn huge_texts_do_not_slow_down_drawing() {
    let mut screen = Screen::stopped(130, 40);
    let lines = (0..200_000)
        .map(|index| InstructionView {
            pc: 0x100 + index,
            nesting: index % 1000,
            text: "i32.add".to_owned(),
            explanation: "",
            effect: "[i32 i32] -> [i32]",
            source: Some((Arc::from(FILE), index)),
        })
        .collect();
    let code = Disassembly {
        func_index: 7,
        function: "huge".to_owned(),
        signature: String::new(),
        lines,
    };
    let text = SourceText {
        path: FILE.into(),
        lines: vec!["\tint x;".to_owned(); 200_000],
        code_lines: (1..200_000).collect(),
    };
    screen
        .app
        .answer(Answer::Disassembly(7, Some(Arc::new(code))));
    screen
        .app
        .answer(Answer::Source(FILE.into(), Ok(Arc::new(text))));
    screen.serve();
    let mut view: View = stop();
    if let Some(frame) = &mut view.selected {
        frame.pc = 0x100 + 150_000;
        frame.source = Some(spot(150_000));
    }
    screen.event(Event::Stopped(Arc::new(view)));
    let start = Instant::now();
    for _ in 0..20 {
        screen.keys("j");
        screen.draw();
    }
    // Ten times what an unoptimised build needs on a busy machine; a pass over all lines would take far longer.
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(screen.app.source_cursor(), Some((FILE.into(), 150_020)));
}

#[test]
fn what_cannot_be_taken_back_is_asked_about() {
    let mut screen = Screen::stopped(160, 45);
    let kill = |screen: &mut Screen, answer: &str| {
        screen.keys(":").text("kill");
        screen.keys("Enter");
        assert!(screen.take_done().is_empty());
        assert!(screen.picture().contains("End it? (y or n)"));
        screen.keys(answer);
    };
    kill(&mut screen, "n");
    assert!(screen.take_done().is_empty());
    kill(&mut screen, "Esc");
    assert!(screen.take_done().is_empty());
    kill(&mut screen, "y");
    assert_eq!(screen.take_done(), ["kill"]);
}

#[test]
fn progress_is_told_until_the_command_is_done() {
    let mut screen = Screen::stopped(160, 45);
    screen.keys(":").text("find 0, +9, 1");
    screen.keys("Enter");
    screen.event(Event::Progress("Searched 50 %".into()));
    assert!(screen.picture().contains("Searched 50 %"));
    screen.finish_command(CommandStatus::Success);
    assert!(!screen.picture().contains("Searched 50 %"));
}

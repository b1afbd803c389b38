//! The pictures of the documentation, made by the program that they show.

use std::fs;
use std::path::{Path, PathBuf};

use vt100::Screen;

use crate::screen::is_current_row;
use crate::svg;
use crate::terminal::Terminal;

const COLUMNS: u16 = 110;
const ROWS: u16 = 32;

/// The rows of a screen without the spaces at their ends.
fn text(screen: &Screen) -> String {
    let rows = screen.rows(0, COLUMNS);
    rows.map(|row| format!("{}\n", row.trim_end())).collect()
}

/// A stop of the demo that has something to see in every pane: a recursive call has just returned.
fn stop_in_the_demo() -> Screen {
    let commands = [
        "break price_of if item->price == 2450",
        "run",
        "finish",
        "next",
    ];
    let mut arguments = vec!["--demo"];
    for command in commands {
        arguments.extend(["-ex", command]);
    }
    let terminal = Terminal::start(COLUMNS, ROWS, &arguments);
    terminal.wait_until("the line after the call", |screen| {
        is_current_row(screen, "sum += each") && is_coloured(screen)
    });
    // How far the code is scrolled depends on the stops that were drawn on the way; from its start there is one way back.
    terminal.press("2gg1gg");
    terminal.wait_until("the start of the source and of the wasm code", |screen| {
        screen.contents().contains("    1│") && !screen.contents().contains("▶0x")
    });
    terminal.press(".");
    terminal.wait_until("the stop again", |screen| {
        is_current_row(screen, "sum += each") && is_coloured(screen)
    });
    // The second of the locals is a pointer: its target is shown, then the memory that the argument points to.
    terminal.press("44j\r");
    terminal.press("ga0x113c0\r1");
    let screen = terminal.wait_until("an expanded value and memory", |screen| {
        let contents = screen.contents();
        contents.contains("quantity = 1") && contents.contains("wheel...")
    });
    terminal.press("qy");
    assert_eq!(terminal.wait_for_end().code(), Some(0));
    screen
}

/// Whether the source has its syntax colours, which arrive a moment after the text: a keyword differs from a name.
fn is_coloured(screen: &Screen) -> bool {
    let line = "return item->price";
    let colour = |part: &str| {
        let rows = screen.rows(0, COLUMNS).zip(0..);
        let (text, row) = rows.into_iter().find(|(text, _)| text.contains(line))?;
        let before = text.find(line)? + line.find(part)?;
        let column = u16::try_from(text[..before].chars().count()).ok()?;
        Some(screen.cell(row, column)?.fgcolor())
    };
    colour("return") != colour("price")
}

fn check(path: &Path, made: &str) {
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, made).expect("the picture can be written");
        return;
    }
    let kept = fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == made,
        "{} does not show what wdb shows; BLESS=1 makes it anew. It would be:\n{made}",
        path.display()
    );
}

#[test]
fn the_pictures_of_the_documentation_are_true() {
    let screen = stop_in_the_demo();
    let docs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs");
    check(&docs.join("screen.txt"), &text(&screen));
    check(&docs.join("screen.svg"), &svg::picture(&screen));
}

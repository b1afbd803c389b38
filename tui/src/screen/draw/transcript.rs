//! The panes of text: the program's output and the console.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::{draw_prompt, mark_cursor_row, put_line, put_reason};
use crate::display_text::{Origin, Transcript};
use crate::screen::app::{App, Mode, PromptKind};
use crate::screen::pane::Pane;

pub(super) fn draw_output(app: &App, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    let rows = app.pane_rows(Pane::Output, area.height);
    let list = Rect {
        height: u16::try_from(rows).unwrap_or(area.height),
        ..area
    };
    if app.guest_output.rows().is_empty() {
        put_reason(app, list, "the program has written nothing yet", buffer);
    } else {
        draw_transcript(app, Pane::Output, &app.guest_output, list, buffer);
    }
    let Mode::Prompt(prompt) = &app.mode else {
        return None;
    };
    if prompt.kind != PromptKind::ProgramInput || list.height >= area.height {
        return None;
    }
    let line = Rect {
        y: list.bottom(),
        height: 1,
        ..area
    };
    Some(draw_prompt(
        app,
        prompt.kind.label(),
        &prompt.input,
        line,
        buffer,
    ))
}

pub(super) fn draw_console(app: &App, area: Rect, buffer: &mut Buffer) {
    if app.console.rows().is_empty() {
        return put_reason(app, area, "no command yet: type : and help", buffer);
    }
    draw_transcript(app, Pane::Console, &app.console, area, buffer);
}

fn draw_transcript(
    app: &App,
    pane: Pane,
    transcript: &Transcript,
    area: Rect,
    buffer: &mut Buffer,
) {
    let theme = &app.theme;
    let scroll = app.scroll(pane);
    let rows = usize::from(area.height);
    let last = transcript.rows().len().saturating_sub(1);
    let visible_rows = transcript.rows().iter().enumerate().skip(scroll.top);
    for (row, (index, content)) in visible_rows.take(rows).enumerate() {
        let spans: Vec<Span<'_>> = content
            .pieces
            .iter()
            .map(|piece| {
                let style = match piece.origin {
                    Origin::Stdout | Origin::Message => theme.text,
                    Origin::Stderr | Origin::Error => theme.error,
                    Origin::Typed => theme.typed,
                };
                Span::styled(piece.text.as_str(), style)
            })
            .collect();
        put_line(buffer, area, row, &Line::from(spans));
        // At the end the pane follows what arrives; a cursor there would only flicker.
        if index == scroll.cursor && index != last && app.focus == pane {
            mark_cursor_row(app, pane, area, row, buffer);
        }
    }
}

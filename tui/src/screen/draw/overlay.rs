//! What lies over the panes: the help, the palette, the candidates of a completion.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget};
use unicode_width::UnicodeWidthStr;

use super::{draw_prompt, put_line};
use crate::display_text::visible;
use crate::screen::actions::{BINDINGS, Group};
use crate::screen::app::{App, Mode};

/// Draws what the mode calls for. Returns the position of the cursor, if it is there.
pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    match &app.mode {
        Mode::Help { top } => {
            draw_help(app, *top, area, buffer);
            None
        }
        Mode::Palette(_) => draw_palette(app, area, buffer),
        Mode::Prompt(prompt) if !prompt.candidates.is_empty() => {
            draw_candidates(app, &prompt.candidates, area, buffer);
            None
        }
        _ => None,
    }
}

/// Clears a box in the middle and draws its border; returns its inside.
fn open_box(
    app: &App,
    title: &str,
    width: u16,
    height: u16,
    area: Rect,
    buffer: &mut Buffer,
) -> Rect {
    let width = width.min(area.width.saturating_sub(2));
    let height = height.min(area.height.saturating_sub(2));
    let outside = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    };
    Clear.render(outside, buffer);
    buffer.set_style(outside, app.theme.text);
    let block = Block::bordered()
        .title(format!(" {title} "))
        .border_style(app.theme.title);
    let inside = block.inner(outside);
    block.render(outside, buffer);
    inside
}

const MOUSE_HELP: &[(&str, &str)] = &[
    ("click", "focus a pane, move its cursor, select a frame"),
    (
        "click again",
        "on a code line: breakpoint; on a value: expand",
    ),
    ("click gutter", "set or delete a breakpoint"),
    ("wheel", "scroll what is under the pointer"),
    ("drag", "the line between the columns"),
];

/// The rows of the help: keys and texts; headings have no text.
fn help_lines() -> Vec<(String, &'static str)> {
    let mut lines = Vec::new();
    for group in Group::ALL {
        lines.push((group.title().to_owned(), ""));
        for binding in BINDINGS.iter().filter(|binding| binding.group == group) {
            let keys = if binding.keys.is_empty() {
                "(palette)".to_owned()
            } else {
                binding.keys.join(", ")
            };
            lines.push((format!("  {keys}"), binding.help));
        }
        lines.push((String::new(), ""));
    }
    lines.push(("Mouse".to_owned(), ""));
    for (what, help) in MOUSE_HELP {
        lines.push((format!("  {what}"), help));
    }
    lines
}

/// How many rows of the help's box are its border and the bars.
const HELP_FRAME_ROWS: u16 = 4;

/// How far the help can be scrolled on a screen of that height.
pub(crate) fn help_top_max(height: u16) -> usize {
    let rows = usize::from(height.saturating_sub(HELP_FRAME_ROWS));
    help_lines().len().saturating_sub(rows)
}

fn draw_help(app: &App, top: usize, area: Rect, buffer: &mut Buffer) {
    let title = "Help: j k or the wheel scroll, any other key closes";
    let height = area.height.saturating_sub(HELP_FRAME_ROWS - 2);
    let inside = open_box(app, title, 100, height, area, buffer);
    let lines = help_lines();
    let rows = usize::from(inside.height);
    for (row, (keys, help)) in lines.iter().skip(top).take(rows).enumerate() {
        let line = if help.is_empty() {
            Line::styled(keys.as_str(), app.theme.title_focused)
        } else {
            Line::from(vec![
                Span::styled(format!("{keys:<25}"), app.theme.key),
                Span::raw(*help),
            ])
        };
        put_line(buffer, inside, row, &line);
    }
}

fn draw_palette(app: &App, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    let Mode::Palette(palette) = &app.mode else {
        return None;
    };
    let inside = open_box(app, "Actions", 90, 20, area, buffer);
    let cursor = draw_prompt(app, "> ", &palette.input, inside, buffer);
    let list = Rect {
        y: inside.y + 1,
        height: inside.height.saturating_sub(1),
        ..inside
    };
    let rows = usize::from(list.height).max(1);
    let top = (palette.selected + 1).saturating_sub(rows);
    if palette.matches.is_empty() {
        put_line(
            buffer,
            list,
            0,
            &Line::styled("no action matches", app.theme.dim),
        );
    }
    for (row, binding) in palette.matches.iter().skip(top).take(rows).enumerate() {
        let selected = top + row == palette.selected;
        let mark = if selected { "▶ " } else { "  " };
        let line = Line::from(vec![
            Span::raw(mark),
            Span::styled(
                format!("{:<18}", binding.keys.first().copied().unwrap_or("")),
                app.theme.key,
            ),
            Span::styled(format!("{:<26}", binding.name), app.theme.name_style),
            Span::styled(binding.help, app.theme.dim),
        ]);
        put_line(buffer, list, row, &line);
        if selected && let Some(row) = super::row_area(list, row) {
            buffer.set_style(row, app.theme.cursor_line);
        }
    }
    Some(cursor)
}

/// The candidates stand above the command line, in columns.
fn draw_candidates(app: &App, candidates: &[String], area: Rect, buffer: &mut Buffer) {
    let widest = candidates
        .iter()
        .map(|text| text.width())
        .max()
        .unwrap_or(0)
        + 2;
    let columns = (usize::from(area.width) / widest).max(1);
    let rows_max = usize::from(area.height / 2).max(1);
    let rows = candidates.len().div_ceil(columns).min(rows_max);
    let height = u16::try_from(rows).unwrap_or(1);
    let list = Rect {
        y: area.bottom().saturating_sub(height + 1),
        height,
        ..area
    };
    Clear.render(list, buffer);
    buffer.set_style(list, app.theme.bar);
    for row in 0..rows {
        let mut text: String = candidates
            .iter()
            .skip(row * columns)
            .take(columns)
            .map(|candidate| format!("{:<widest$}", visible(candidate)))
            .collect();
        let hidden = candidates.len().saturating_sub(rows * columns);
        if row + 1 == rows && hidden > 0 {
            text = format!("... and {} more", hidden + columns);
        }
        put_line(buffer, list, row, &Line::raw(text));
    }
}

#[cfg(test)]
mod tests {
    use super::help_lines;

    #[test]
    fn the_help_fits_on_80_columns() {
        for (keys, help) in help_lines() {
            assert!(keys.chars().count() < 25, "{keys}");
            assert!(help.chars().count() <= 51, "{help}");
        }
    }
}

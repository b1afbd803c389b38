//! The panes of data: stack, locals, operands, memory, breakpoints.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;
use wdb_debugger::view::{BreakpointView, FrameView, SourceSpot};

use super::{
    file_name, fit_function, fit_start, mark_cursor_row, put_cut_line, put_line, put_reason,
};
use crate::display_text::visible;
use crate::screen::app::App;
use crate::screen::pane::Pane;
use crate::screen::values::{Row, Shape, ValueRow};

/// How deep members are indented at the most.
const INDENTED_LEVELS_MAX: usize = 20;

/// However narrow the pane, this much of a function's name is shown.
const FUNCTION_COLUMNS_MIN: usize = 8;

/// `file.c:4`: of the path, panes show the last part.
fn short_spot(spot: &SourceSpot) -> String {
    format!("{}:{}", visible(file_name(&spot.recorded)), spot.line)
}

/// The position of a frame.
fn frame_spot(frame: &FrameView) -> String {
    let spot = frame.source.as_ref();
    spot.map_or_else(|| format!("{:#x}", frame.pc), short_spot)
}

/// Function and position of a frame.
pub(super) fn frame_place(frame: &FrameView) -> String {
    format!("{} at {}", visible(&frame.function), frame_spot(frame))
}

/// Draws rows of a list from its window on, with its cursor.
fn draw_list<T>(
    app: &App,
    pane: Pane,
    area: Rect,
    items: &[T],
    buffer: &mut Buffer,
    line: impl Fn(&T) -> Line<'static>,
) {
    let scroll = app.scroll(pane);
    let visible_items = items.iter().enumerate().skip(scroll.top);
    for (row, (index, item)) in visible_items.take(usize::from(area.height)).enumerate() {
        let mut line = line(item);
        skip_columns(&mut line, scroll.left);
        put_cut_line(buffer, area, row, &line);
        if index == scroll.cursor && app.focus == pane {
            mark_cursor_row(app, pane, area, row, buffer);
        }
    }
}

fn skip_columns(line: &mut Line<'static>, mut columns: usize) {
    for span in &mut line.spans {
        let length = span.content.chars().count();
        let cut = columns.min(length);
        if cut > 0 {
            span.content = span.content.chars().skip(cut).collect::<String>().into();
        }
        columns -= cut;
    }
}

pub(super) fn draw_stack(app: &App, area: Rect, buffer: &mut Buffer) {
    if app.view.frames.is_empty() {
        return put_reason(app, area, &app.no_frame_reason(), buffer);
    }
    let selected = app.view.selected.as_ref().map(|frame| frame.index);
    // Who scrolls sideways wants to see all.
    let width = match app.scroll(Pane::Stack).left {
        0 => usize::from(area.width),
        _ => usize::MAX,
    };
    draw_list(app, Pane::Stack, area, &app.view.frames, buffer, |frame| {
        frame_line(app, frame, selected == Some(frame.index), width)
    });
}

/// A row of the call stack. Where there is little room, the arguments and the path of the function's name are cut first.
fn frame_line(app: &App, frame: &FrameView, selected: bool, width: usize) -> Line<'static> {
    let theme = &app.theme;
    let arguments: Vec<String> = frame
        .arguments
        .iter()
        .map(|(name, value)| format!("{}={}", visible(name), visible(value)))
        .collect();
    let number = format!("#{:<2} ", frame.index);
    let place = frame_spot(frame);
    let inlined = if frame.inlined { " [inlined]" } else { "" };
    let room = width.saturating_sub(1 + number.width() + 1 + place.width() + inlined.width());
    let function = fit_function(&visible(&frame.function), room.max(FUNCTION_COLUMNS_MIN));
    let room = room.saturating_sub(function.width());
    let arguments = fit_start(&format!(" ({})", arguments.join(", ")), room);
    Line::from(vec![
        Span::raw(if selected { "▶" } else { " " }),
        Span::styled(number, theme.dim),
        Span::styled(function, theme.name_style),
        Span::raw(format!("{arguments} ")),
        Span::styled(place, theme.address),
        Span::styled(inlined, theme.dim),
    ])
}

pub(super) fn draw_locals(app: &App, area: Rect, buffer: &mut Buffer) {
    draw_values(app, Pane::Locals, &app.local_rows(), area, buffer);
}

pub(super) fn draw_operands(app: &App, area: Rect, buffer: &mut Buffer) {
    draw_values(app, Pane::Operands, &app.operand_rows(), area, buffer);
}

fn draw_values(app: &App, pane: Pane, rows: &[Row], area: Rect, buffer: &mut Buffer) {
    if rows.is_empty() {
        return put_reason(app, area, &app.no_frame_reason(), buffer);
    }
    draw_list(app, pane, area, rows, buffer, |row| match row {
        Row::Heading(text) => Line::styled(format!("── {text} ──"), app.theme.title),
        Row::Remark(text) => Line::styled(format!("  {text}"), app.theme.dim),
        Row::Value(row) => value_line(app, row),
    });
}

fn value_line(app: &App, row: &ValueRow) -> Line<'static> {
    let theme = &app.theme;
    let mark = match row.expanded {
        Some(true) => "▾ ",
        Some(false) => "▸ ",
        None => "  ",
    };
    let value_style = if row.changed {
        theme.changed
    } else {
        theme.text
    };
    let indent = row.depth.min(INDENTED_LEVELS_MAX) * 2;
    let name = Span::styled(visible(&row.name).into_owned(), theme.name_style);
    let type_name = Span::styled(visible(&row.type_name).into_owned(), theme.type_style);
    let value = Span::styled(visible(&row.text).into_owned(), value_style);
    let changed = Span::styled(if row.changed { " *" } else { "" }, theme.changed);
    let mut spans = vec![Span::raw(format!("{:indent$}{mark}", "")), name];
    match row.shape {
        // The value says more than the type, so the type stands where it may be cut off.
        Shape::Variable => {
            spans.extend([Span::raw(" = "), value, changed]);
            if !row.type_name.is_empty() {
                spans.extend([Span::raw("  "), type_name]);
            }
        }
        Shape::Slot | Shape::Label => {
            spans.extend([Span::raw(" "), type_name, Span::raw(" "), value, changed]);
        }
    }
    Line::from(spans)
}

pub(super) fn draw_memory(app: &App, area: Rect, buffer: &mut Buffer) {
    let Some(memory_bytes) = app.view.memory_bytes else {
        return put_reason(app, area, "the program has no memory", buffer);
    };
    let theme = &app.theme;
    let scroll = app.scroll(Pane::Memory);
    let row_bytes = app.memory.row_bytes();
    for row in 0..usize::from(area.height) {
        let address = app.memory.row_address(scroll.top + row);
        if address >= memory_bytes {
            break;
        }
        let mut spans = vec![Span::styled(format!("{address:08x} "), theme.address)];
        let mut characters = Vec::new();
        for position in 0..row_bytes {
            let byte_address = address + position;
            let style = if app.memory.changed(byte_address) {
                theme.changed
            } else {
                theme.text
            };
            let (hex, character) = match app.memory.byte(byte_address) {
                Some(byte) if byte.is_ascii_graphic() || byte == b' ' => {
                    (format!(" {byte:02x}"), char::from(byte))
                }
                Some(byte) => (format!(" {byte:02x}"), '.'),
                None if byte_address < memory_bytes => (" ..".to_owned(), ' '),
                None => ("   ".to_owned(), ' '),
            };
            spans.push(Span::styled(hex, style));
            characters.push(Span::styled(character.to_string(), style));
        }
        spans.push(Span::styled(" │", theme.border));
        spans.extend(characters);
        put_line(buffer, area, row, &Line::from(spans));
        if scroll.top + row == scroll.cursor && app.focus == Pane::Memory {
            mark_cursor_row(app, Pane::Memory, area, row, buffer);
        }
    }
}

pub(super) fn draw_breakpoints(app: &App, area: Rect, buffer: &mut Buffer) {
    let breakpoints = &app.view.breakpoints;
    if breakpoints.is_empty() {
        let reason = "no breakpoints: b sets one under the cursor, B one with a condition";
        return put_reason(app, area, reason, buffer);
    }
    draw_list(app, Pane::Breakpoints, area, breakpoints, buffer, |point| {
        breakpoint_line(app, point)
    });
}

fn breakpoint_line(app: &App, breakpoint: &BreakpointView) -> Line<'static> {
    let theme = &app.theme;
    let mark = if breakpoint.enabled { "●" } else { "○" };
    let place = match breakpoint.places.first() {
        Some(place) => {
            let function = visible(&place.function).into_owned();
            let place = place
                .source
                .as_ref()
                .map_or_else(|| format!("{:#x}", place.pc), short_spot);
            format!("{function} {place}")
        }
        None => visible(&breakpoint.spec).into_owned(),
    };
    let more = match breakpoint.places.len() {
        0 | 1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let mut spans = vec![
        Span::styled(format!("{mark}{:<3}", breakpoint.number), theme.breakpoint),
        Span::raw(format!("{place}{more}")),
    ];
    if let Some(condition) = &breakpoint.condition {
        spans.push(Span::styled(
            format!(" if {}", visible(condition)),
            theme.explanation,
        ));
    }
    if breakpoint.temporary {
        spans.push(Span::styled(" once", theme.dim));
    }
    let times = match breakpoint.hits {
        0 => String::new(),
        1 => " hit once".to_owned(),
        hits => format!(" hit {hits} times"),
    };
    spans.push(Span::styled(times, theme.dim));
    Line::from(spans)
}

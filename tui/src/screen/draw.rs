//! Drawing: a pure function of the state. Only visible rows are looked at.

mod code;
mod data;
mod overlay;
mod transcript;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;
use wdb_debugger::view::ProgramState;

use crate::display_text::visible;
use crate::screen::actions::{BINDINGS, pane_digit};
use crate::screen::app::{App, Mode, PromptKind};
use crate::screen::arrangement::{Arrangement, COLUMNS_MIN, ROWS_MIN, Slot};
use crate::screen::pane::Pane;

pub(crate) use code::gutter_columns;
pub(crate) use overlay::help_top_max;

/// Draws everything. Returns where the terminal's cursor stands, if it is visible.
pub(crate) fn draw(app: &App, buffer: &mut Buffer) -> Option<Position> {
    let area = buffer.area;
    buffer.set_style(area, app.theme.text);
    if area.width < COLUMNS_MIN || area.height < ROWS_MIN {
        draw_too_small(app, buffer);
        return None;
    }
    let arrangement = app.arrangement();
    draw_status(app, arrangement.status, buffer);
    draw_divider(app, &arrangement, buffer);
    let mut cursor = None;
    for slot in &arrangement.slots {
        draw_title(app, slot, buffer);
        let content = slot.content();
        match slot.shown {
            Pane::Source => code::draw_source(app, content, buffer),
            Pane::Wasm => code::draw_wasm(app, content, buffer),
            Pane::Stack => data::draw_stack(app, content, buffer),
            Pane::Locals => data::draw_locals(app, content, buffer),
            Pane::Operands => data::draw_operands(app, content, buffer),
            Pane::Memory => data::draw_memory(app, content, buffer),
            Pane::Breakpoints => data::draw_breakpoints(app, content, buffer),
            Pane::Output => cursor = transcript::draw_output(app, content, buffer),
            Pane::Console => transcript::draw_console(app, content, buffer),
        }
    }
    let footer_cursor = draw_footer(app, arrangement.footer, buffer);
    overlay::draw(app, area, buffer)
        .or(footer_cursor)
        .or(cursor)
}

fn draw_too_small(app: &App, buffer: &mut Buffer) {
    let area = buffer.area;
    let text = format!(
        "wdb needs {COLUMNS_MIN}x{ROWS_MIN}, this terminal has {}x{}",
        area.width, area.height
    );
    let mut row = area.y + area.height / 2;
    let mut rest = text.as_str();
    while !rest.is_empty() && area.width > 0 && row < area.bottom() {
        let split = rest.len().min(usize::from(area.width));
        put(
            buffer,
            Rect { y: row, ..area },
            &rest[..split],
            app.theme.text,
        );
        rest = &rest[split..];
        row += 1;
    }
}

/// Writes one row of text into the first row of `area`.
fn put(buffer: &mut Buffer, area: Rect, text: &str, style: Style) {
    if area.height > 0 {
        buffer.set_stringn(area.x, area.y, text, usize::from(area.width), style);
    }
}

/// Writes a line of spans into row `row` of `area`.
fn put_line(buffer: &mut Buffer, area: Rect, row: usize, line: &Line<'_>) {
    if let Some(row) = row_area(area, row) {
        buffer.set_line(row.x, row.y, line, row.width);
    }
}

/// Writes a line of spans as [`put_line`] does; where it does not fit, its end says that there is more.
fn put_cut_line(buffer: &mut Buffer, area: Rect, row: usize, line: &Line<'_>) {
    put_line(buffer, area, row, line);
    if line.width() > usize::from(area.width)
        && let Some(row) = row_area(area, row).filter(|row| row.width > 0)
    {
        let last = Rect {
            x: row.right() - 1,
            width: 1,
            ..row
        };
        put(buffer, last, "…", Style::new());
    }
}

/// The area of one row.
fn row_area(area: Rect, row: usize) -> Option<Rect> {
    let row = u16::try_from(row).ok().filter(|row| *row < area.height)?;
    Some(Rect {
        y: area.y + row,
        height: 1,
        ..area
    })
}

/// Marks the row under the cursor of a list.
fn mark_cursor_row(app: &App, pane: Pane, area: Rect, row: usize, buffer: &mut Buffer) {
    if let Some(row) = row_area(area, row) {
        let style = if app.focus == pane {
            app.theme.cursor_line
        } else {
            app.theme.cursor_line_unfocused
        };
        buffer.set_style(row, style);
    }
}

/// Says why a pane is empty, over several rows if need be.
fn put_reason(app: &App, area: Rect, reason: &str, buffer: &mut Buffer) {
    let width = usize::from(area.width).max(1);
    let reason = visible(reason);
    let mut lines: Vec<String> = Vec::new();
    for word in reason.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    for (row, line) in lines.iter().enumerate() {
        // A path that is longer than the pane is wide goes on in the next rows of its own.
        put_line(
            buffer,
            area,
            row,
            &Line::styled(line.as_str(), app.theme.dim),
        );
    }
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn draw_status(app: &App, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    buffer.set_style(area, theme.bar);
    let (word, style) = match app.state() {
        ProgramState::NotStarted => ("READY".to_owned(), theme.bar),
        ProgramState::Running if app.waiting => ("WAITS FOR INPUT".to_owned(), theme.bar_running),
        ProgramState::Running => ("RUNNING".to_owned(), theme.bar_running),
        ProgramState::Stopped => ("PAUSED".to_owned(), theme.bar_stopped),
        ProgramState::Trapped => ("TRAPPED".to_owned(), theme.bar_trapped),
        ProgramState::Exited(status) => (format!("EXITED {status}"), theme.bar_stopped),
    };
    let reason = match app.state() {
        ProgramState::Running => "Ctrl-C stops it",
        ProgramState::NotStarted => "s starts it, c runs it",
        _ => app.view.reason.lines().next().unwrap_or_default(),
    };
    let reason = match app.view.frames.first() {
        // After a step the reason is the line's number and text, which the source pane shows.
        Some(frame) if reason.contains('\t') => data::frame_place(frame),
        _ => visible(reason).into_owned(),
    };
    let mut line = Line::from(vec![
        Span::raw(" wdb "),
        Span::raw(visible(file_name(&app.program_name)).into_owned()),
        Span::raw(" │"),
        Span::styled(format!(" {word} "), style),
        Span::raw("│ "),
    ]);
    let room = usize::from(area.width).saturating_sub(line.width() + 1);
    line.push_span(fit_reason(&reason, room));
    // Why the program stopped is worth more than the clock and the tier.
    let rights = status_details(app);
    let room = usize::from(area.width).saturating_sub(line.width() + 1);
    let right = rights.iter().find(|text| text.width() <= room);
    put_cut_line(buffer, area, 0, &line);
    if let Some(right) = right {
        let width = u16::try_from(right.width()).unwrap_or(area.width);
        let right_area = Rect {
            x: area.right() - width,
            width,
            ..area
        };
        put(buffer, right_area, right, Style::new());
    }
}

/// The last part of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// What the right end of the status line says, from the longest wording to the shortest.
fn status_details(app: &App) -> Vec<String> {
    if app.busy && !app.running {
        return vec![" working ... ".to_owned(), " ... ".to_owned()];
    }
    let clock = format!(" t={} ", grouped(app.view.tick));
    if app.view.tier.is_empty() {
        return vec![clock];
    }
    let tier = app.view.tier;
    vec![
        format!(" tier {tier} │{clock}"),
        format!(" {tier} │{clock}"),
        clock,
    ]
}

fn draw_divider(app: &App, arrangement: &Arrangement, buffer: &mut Buffer) {
    let Some(divider) = arrangement.divider else {
        return;
    };
    for row in divider.top()..divider.bottom() {
        let title_at = |left: bool| {
            arrangement
                .slots
                .iter()
                .any(|slot| slot.area.y == row && (slot.area.x < divider.x) == left)
        };
        let symbol = match (title_at(true), title_at(false)) {
            (true, true) if row == divider.y => "┬",
            (true, true) => "┼",
            (true, false) => "┤",
            (false, true) => "├",
            (false, false) => "│",
        };
        put(
            buffer,
            Rect::new(divider.x, row, 1, 1),
            symbol,
            app.theme.border,
        );
    }
}

/// The labels of a slot's tabs: pane, first column, text. Where the names do not fit, they are short; the visible one of
/// several stands in brackets.
fn tab_labels(slot: &Slot) -> Vec<(Pane, u16, String)> {
    let full: usize = slot.tabs.iter().map(|pane| pane.title().width() + 4).sum();
    let short = full + 2 > usize::from(slot.area.width);
    let mut column = 1;
    let mut labels = Vec::new();
    for &pane in &slot.tabs {
        let name = if short {
            pane.short_title().to_owned()
        } else {
            format!("{} {}", pane_digit(pane), pane.title())
        };
        let text = if slot.tabs.len() > 1 && pane == slot.shown {
            format!("[{name}]")
        } else {
            format!(" {name} ")
        };
        let width = u16::try_from(text.width()).unwrap_or(0);
        labels.push((pane, column, text));
        // Short labels share the column between them.
        column += if short { width - 1 } else { width };
    }
    // The shared column belongs to the visible one's brackets.
    labels.sort_by_key(|(pane, _, _)| *pane == slot.shown);
    labels
}

/// The tab whose label is at a column of the slot's title row.
pub(crate) fn tab_at(slot: &Slot, column: u16) -> Option<Pane> {
    tab_labels(slot)
        .into_iter()
        .rev()
        .find(|(_, first, text)| {
            let width = u16::try_from(text.width()).unwrap_or(0);
            (*first..first + width).contains(&column)
        })
        .map(|(pane, _, _)| pane)
}

fn draw_title(app: &App, slot: &Slot, buffer: &mut Buffer) {
    let theme = &app.theme;
    let row = Rect {
        height: slot.area.height.min(1),
        ..slot.area
    };
    let rule = "─".repeat(usize::from(row.width));
    put(buffer, row, &rule, theme.border);
    let mut end = row.x;
    for (pane, column, text) in tab_labels(slot) {
        let style = if pane == app.focus {
            theme.title_focused
        } else if pane == slot.shown {
            theme.title.add_modifier(Modifier::BOLD)
        } else {
            theme.title
        };
        let x = row.x + column;
        if x < row.right() {
            let area = Rect {
                x,
                width: row.right() - x,
                ..row
            };
            put(buffer, area, &text, style);
            end = end.max(x + u16::try_from(text.width()).unwrap_or(0));
        }
    }
    let detail = title_detail(app, slot.shown);
    if !detail.is_empty() && end + 3 < row.right() {
        let area = Rect {
            x: end,
            width: row.right() - end - 1,
            ..row
        };
        let text = fit_end(&format!(" {} ", visible(&detail)), usize::from(area.width));
        put(buffer, area, &text, theme.title);
    }
}

/// How many columns of a title a function's name takes at the most.
const TITLE_FUNCTION_COLUMNS: usize = 60;

/// What a title says besides the pane's name.
fn title_detail(app: &App, pane: Pane) -> String {
    match pane {
        Pane::Source => app
            .source
            .as_ref()
            .map_or_else(String::new, |spot| spot.recorded.to_string()),
        Pane::Wasm => app.disassembly().map_or_else(String::new, |code| {
            let function = fit_function(&code.function, TITLE_FUNCTION_COLUMNS);
            format!("{function} {}", code.signature)
        }),
        Pane::Stack if app.view.frame_count > app.view.frames.len() => {
            format!("{} of {}", app.view.frames.len(), app.view.frame_count)
        }
        Pane::Output if app.guest_output.dropped() > 0 => {
            format!("{} earlier lines dropped", app.guest_output.dropped())
        }
        _ => String::new(),
    }
}

/// A function's name where there is little room: without the arguments of templates and generics, then its end.
fn fit_function(name: &str, width: usize) -> String {
    // The brackets of C++'s operators are not in pairs.
    if name.width() <= width || name.contains("operator") {
        return fit_end(name, width);
    }
    let mut depth = 0_usize;
    let mut brief = String::new();
    for c in name.chars() {
        match c {
            '<' => {
                if depth == 0 {
                    brief.push_str("<…>");
                }
                depth += 1;
            }
            '>' => depth = depth.saturating_sub(1),
            _ if depth == 0 => brief.push(c),
            _ => {}
        }
    }
    fit_end(&brief, width)
}

/// The reason of a stop where there is little room: the place at its end says more than the arguments before it.
fn fit_reason(reason: &str, width: usize) -> String {
    let place = reason.rfind(" at ").map_or("", |start| &reason[start..]);
    let room = width.saturating_sub(place.width());
    if reason.width() <= width || place.is_empty() || room < width / 3 {
        return reason.to_owned();
    }
    format!("{}{place}", fit_start(reason, room))
}

/// The first part of a text that fits; nothing when that would say nothing.
fn fit_start(text: &str, width: usize) -> String {
    /// Below this, there is only room for a bracket and dots.
    const COLUMNS_MIN: usize = 6;
    if text.width() <= width {
        return text.to_owned();
    }
    if width < COLUMNS_MIN {
        return String::new();
    }
    let mut used = 1;
    let fits = |c: &char| {
        used += unicode_width::UnicodeWidthChar::width(*c).unwrap_or(0);
        used <= width
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// The last part of a text that fits: of a path the end says most.
fn fit_end(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut tail: Vec<char> = Vec::new();
    let mut used = 1;
    for c in text.chars().rev() {
        used += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        if used > width {
            break;
        }
        tail.push(c);
    }
    std::iter::once('…').chain(tail.into_iter().rev()).collect()
}

fn draw_footer(app: &App, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    let theme = &app.theme;
    match &app.mode {
        Mode::Prompt(prompt) if prompt.kind != PromptKind::ProgramInput => {
            return Some(draw_prompt(
                app,
                prompt.kind.label(),
                &prompt.input,
                area,
                buffer,
            ));
        }
        Mode::Confirm(confirmation) => {
            let text = format!(" {} (y or n)", confirmation.question());
            put(buffer, area, &text, theme.error);
            return None;
        }
        _ => {}
    }
    if let Some(notice) = &app.notice {
        let style = if notice.error {
            theme.error
        } else {
            theme.notice
        };
        let text = visible(notice.text.lines().next().unwrap_or_default()).into_owned();
        put(buffer, area, &format!(" {text}"), style);
        return None;
    }
    if let Mode::Prompt(_) = app.mode {
        let text = " Enter gives the line to the program, Ctrl-D ends its input, Ctrl-C interrupts, Esc leaves";
        put(buffer, area, text, theme.bar);
        return None;
    }
    buffer.set_style(area, theme.bar);
    let mut spans = vec![Span::raw(" ")];
    if !app.pending.is_empty() {
        spans.push(Span::styled("... more keys; Esc forgets them ", theme.key));
    }
    for binding in BINDINGS {
        if let (Some(word), Some(key)) = (binding.footer, binding.keys.first()) {
            spans.push(Span::styled(*key, theme.key));
            spans.push(Span::raw(format!(" {word}  ")));
        }
    }
    put_line(buffer, area, 0, &Line::from(spans));
    None
}

/// Draws a label and a line being typed; returns the position of its cursor.
fn draw_prompt(
    app: &App,
    label: &str,
    input: &tui_input::Input,
    area: Rect,
    buffer: &mut Buffer,
) -> Position {
    let label_width = u16::try_from(label.width()).unwrap_or(0).min(area.width);
    put(buffer, area, label, app.theme.key);
    let rest = Rect {
        x: area.x + label_width,
        width: area.width - label_width,
        ..area
    };
    let visible_columns = usize::from(rest.width.saturating_sub(1));
    let scroll = input.visual_scroll(visible_columns);
    let mut skipped = 0;
    let shown: String = input
        .value()
        .chars()
        .skip_while(|c| {
            let skip = skipped < scroll;
            skipped += unicode_width::UnicodeWidthChar::width(*c).unwrap_or(0);
            skip
        })
        .collect();
    put(buffer, rest, &shown, app.theme.typed);
    let column = input.visual_cursor().saturating_sub(scroll);
    let column = u16::try_from(column).unwrap_or(0);
    Position::new(
        (rest.x + column).min(area.right().saturating_sub(1)),
        area.y,
    )
}

#[cfg(test)]
mod tests {
    use super::{fit_function, fit_reason};

    #[test]
    fn names_and_reasons_lose_what_says_least() {
        assert_eq!(
            fit_function("add<T, std::less<T>>", 20),
            "add<T, std::less<T>>"
        );
        assert_eq!(
            fit_function("depot::add<T, std::less<T>>", 20),
            "depot::add<…>"
        );
        assert_eq!(fit_function("one::two::three<u8>", 10), "…:three<…>");
        assert_eq!(fit_function("operator<< <char>", 10), "…<< <char>");
        let reason = "Breakpoint 1, f (first=1, second=2) at f.c:7";
        assert_eq!(fit_reason(reason, 44), reason);
        assert_eq!(fit_reason(reason, 30), "Breakpoint 1, f (fir… at f.c:7");
        assert_eq!(
            fit_reason("Program trapped: unreachable", 10),
            "Program trapped: unreachable"
        );
    }
}

//! The source pane and the wasm pane.

use std::collections::HashMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthChar;
use wdb_debugger::view::{InstructionView, PlaceView, SelectedFrame, View};

use super::{mark_cursor_row, put_cut_line, put_reason, row_area};
use crate::display_text::{push_expanded, visible};
use crate::screen::app::App;
use crate::screen::listing::Fetched;
use crate::screen::pane::Pane;
use crate::screen::syntax::LineColours;
use crate::screen::values::slot_text;

/// How deep instructions are indented at the most, in blocks.
const INDENTED_BLOCKS_MAX: u32 = 8;

/// How many columns of a pane belong to marks and numbers: a click there sets a breakpoint.
pub(crate) fn gutter_columns(app: &App, pane: Pane) -> u16 {
    match pane {
        Pane::Source => {
            let lines = app.source_text().map_or(1, |text| text.lines.len());
            line_number_columns(lines) + 4
        }
        Pane::Wasm => 10,
        _ => 0,
    }
}

fn line_number_columns(lines: usize) -> u16 {
    u16::try_from(lines.max(1).ilog10() + 1).unwrap_or(1).max(3)
}

/// What stands at a place that has breakpoints: whether any of them is enabled.
fn breakpoints_by<K: std::hash::Hash + Eq>(
    view: &View,
    key: impl Fn(&PlaceView) -> Option<K>,
) -> HashMap<K, bool> {
    let mut marks = HashMap::new();
    for breakpoint in &view.breakpoints {
        for key in breakpoint.places.iter().filter_map(&key) {
            *marks.entry(key).or_insert(false) |= breakpoint.enabled;
        }
    }
    marks
}

fn breakpoint_mark(enabled: Option<&bool>) -> &'static str {
    match enabled {
        Some(true) => "●",
        Some(false) => "○",
        None => " ",
    }
}

/// The mark of the place where the selected frame stands: while the program runs it is where it stood.
fn current_mark(app: &App) -> &'static str {
    if app.running { "▷" } else { "▶" }
}

pub(super) fn draw_source(app: &App, area: Rect, buffer: &mut Buffer) {
    let Some(spot) = &app.source else {
        return put_reason(app, area, &app.source_absence(), buffer);
    };
    let Some(Fetched::Ready(source)) = app.listing.source(&spot.recorded) else {
        return put_reason(app, area, &app.source_absence(), buffer);
    };
    let theme = &app.theme;
    let text = &source.text;
    let breakpoints = breakpoints_by(&app.view, |place| {
        let place = place.source.as_ref()?;
        (place.recorded == spot.recorded).then_some(place.line)
    });
    let current = app.view.selected.as_ref().and_then(|frame| {
        let source = frame.source.as_ref()?;
        (source.recorded == spot.recorded).then_some(source.line)
    });
    let scroll = app.scroll(Pane::Source);
    let digits = usize::from(line_number_columns(text.lines.len()));
    let rows = usize::from(area.height);
    let visible_lines = text.lines.iter().enumerate().skip(scroll.top).take(rows);
    for (row, (index, line)) in visible_lines.enumerate() {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let is_current = current == Some(number);
        let has_code = text.code_lines.binary_search(&number).is_ok();
        let number_style = if has_code { theme.text } else { theme.dim };
        let mut spans = vec![
            Span::styled(breakpoint_mark(breakpoints.get(&number)), theme.breakpoint),
            Span::raw(if is_current { current_mark(app) } else { " " }),
            Span::styled(format!("{number:>digits$}"), number_style),
            // Lines with code have a heavy rule: only there can a breakpoint be.
            Span::styled(if has_code { "┃" } else { "│" }, theme.border),
            Span::raw(" "),
        ];
        let colours = source.colours.get(index);
        spans.extend(coloured(app, line, colours, scroll.left, area.width));
        put_cut_line(buffer, area, row, &Line::from(spans));
        if is_current && let Some(row) = row_area(area, row) {
            buffer.set_style(row, theme.current_line);
        }
        if index == scroll.cursor && !is_current {
            mark_cursor_row(app, Pane::Source, area, row, buffer);
        }
    }
}

/// A source line with its colours, tabs expanded, without its first `left` columns.
fn coloured(
    app: &App,
    line: &str,
    colours: Option<&LineColours>,
    left: usize,
    width: u16,
) -> Vec<Span<'static>> {
    // Only what can be visible is looked at: a line of a generated file may have a megabyte.
    let columns = left + usize::from(width);
    let end = line
        .char_indices()
        .nth(columns)
        .map_or(line.len(), |(position, _)| position);
    let line = &line[..end];
    let mut pieces: Vec<(&str, Style)> = Vec::new();
    let mut done = 0;
    for (start, end, category) in colours.into_iter().flatten() {
        let start = usize::try_from(*start).unwrap_or(usize::MAX);
        let end = usize::try_from(*end).unwrap_or(usize::MAX).min(line.len());
        let (Some(plain), Some(piece)) = (line.get(done..start), line.get(start..end)) else {
            break;
        };
        pieces.push((plain, Style::new()));
        pieces.push((piece, app.theme.syntax(*category)));
        done = end;
    }
    pieces.push((line.get(done..).unwrap_or_default(), Style::new()));
    let mut column = 0;
    let mut spans = Vec::new();
    for (piece, style) in pieces {
        let mut text = String::new();
        let start = column;
        column = push_expanded(&mut text, piece, column);
        let hidden = left.saturating_sub(start);
        spans.push(Span::styled(without_columns(text, hidden), style));
    }
    spans
}

/// A text without its first columns.
fn without_columns(text: String, columns: usize) -> String {
    if columns == 0 {
        return text;
    }
    let mut skipped = 0;
    text.chars()
        .skip_while(|c| {
            let skip = skipped < columns;
            skipped += c.width().unwrap_or(0);
            skip
        })
        .collect()
}

pub(super) fn draw_wasm(app: &App, area: Rect, buffer: &mut Buffer) {
    let Some(code) = app.disassembly() else {
        let reason = match app.wasm_func.map(|func| app.listing.function(func)) {
            Some(Some(Fetched::Missing(reason))) => reason.clone(),
            Some(_) => "loading the instructions ...".to_owned(),
            None => app.no_frame_reason(),
        };
        return put_reason(app, area, &reason, buffer);
    };
    let theme = &app.theme;
    let rows = app.pane_rows(Pane::Wasm, area.height);
    let list = Rect {
        height: u16::try_from(rows).unwrap_or(area.height),
        ..area
    };
    let breakpoints = breakpoints_by(&app.view, |place| Some(place.pc));
    let frame = app
        .view
        .selected
        .as_ref()
        .filter(|frame| frame.func_index == code.func_index);
    let linked = linked_line(app);
    let scroll = app.scroll(Pane::Wasm);
    let visible_lines = code.lines.iter().enumerate().skip(scroll.top).take(rows);
    for (row, (index, instruction)) in visible_lines.enumerate() {
        let is_current = frame.is_some_and(|frame| frame.pc == instruction.pc);
        let is_linked = linked.is_some() && instruction.source == linked;
        let indent = 2 * instruction.nesting.min(INDENTED_BLOCKS_MAX);
        let text = format!(
            "{:indent$}{}",
            "",
            visible(&instruction.text),
            indent = usize::try_from(indent).unwrap_or(0)
        );
        let style = if is_linked { theme.linked } else { theme.text };
        let spans = vec![
            Span::styled(
                breakpoint_mark(breakpoints.get(&instruction.pc)),
                theme.breakpoint,
            ),
            Span::raw(if is_current { current_mark(app) } else { " " }),
            Span::styled(format!("{:#07x}", instruction.pc), theme.dim),
            Span::styled(if is_linked { "┃" } else { " " }, theme.linked),
            Span::styled(without_columns(text, scroll.left), style),
        ];
        put_cut_line(buffer, list, row, &Line::from(spans));
        if is_current && let Some(row) = row_area(list, row) {
            buffer.set_style(row, theme.current_line);
        }
        if index == scroll.cursor && !is_current {
            mark_cursor_row(app, Pane::Wasm, list, row, buffer);
        }
    }
    if list.height < area.height
        && let Some(instruction) = code.lines.get(scroll.cursor)
    {
        let frame = frame.filter(|frame| frame.pc == instruction.pc);
        draw_explanation(app, instruction, frame, area, buffer);
    }
}

/// The source line that the cursor of the source pane is on; its instructions are marked.
fn linked_line(app: &App) -> Option<(std::sync::Arc<str>, u32)> {
    app.source_cursor()
}

/// The two rows below the instructions: what the one under the cursor does, and to which operands.
fn draw_explanation(
    app: &App,
    instruction: &InstructionView,
    frame: Option<&SelectedFrame>,
    area: Rect,
    buffer: &mut Buffer,
) {
    let rows = usize::from(area.height);
    let explanation = Line::styled(
        format!(" {}", instruction.explanation),
        app.theme.explanation,
    );
    put_cut_line(buffer, area, rows - 2, &explanation);
    let details: String = frame.map_or_else(String::new, |frame| {
        let taken = taken_operands(instruction.effect, frame, app.hex);
        let subject = subject(&instruction.text, frame, app.hex);
        [taken, subject].into_iter().flatten().collect()
    });
    let effect = Line::styled(
        format!(" {}{details}", instruction.effect),
        app.theme.type_style,
    );
    put_cut_line(buffer, area, rows - 1, &effect);
}

/// The operands that an instruction takes, when its effect says how many there are.
fn taken_operands(effect: &str, frame: &SelectedFrame, hex: bool) -> Option<String> {
    let (taken, _) = effect.split_once("->")?;
    let types = taken.trim().trim_start_matches('[').trim_end_matches(']');
    let count = types.split_whitespace().count();
    let open = types.contains(['*', '.']);
    if count == 0 || open || count > frame.operands.len() {
        return None;
    }
    let operands = &frame.operands[frame.operands.len() - count..];
    let texts: Vec<String> = operands.iter().map(|slot| slot_text(slot, hex)).collect();
    Some(format!("   takes {}", texts.join(", ")))
}

/// What an instruction works on besides the operand stack: the local with its value, or the address in memory.
fn subject(text: &str, frame: &SelectedFrame, hex: bool) -> Option<String> {
    let (name, immediates) = text.split_once(' ').unwrap_or((text, ""));
    if matches!(name, "local.get" | "local.set" | "local.tee") {
        let local = frame.locals.iter().find(|slot| match &slot.name {
            Some(name) => immediates.strip_prefix('$') == Some(name),
            None => immediates.parse() == Ok(slot.index),
        })?;
        return Some(format!(
            "   local {immediates} is {}",
            slot_text(local, hex)
        ));
    }
    // The address lies on top for a load, and below the value for a store.
    let depth = match name.split_once('.')?.1 {
        access if access.starts_with("load") => 1,
        access if access.starts_with("store") => 2,
        _ => return None,
    };
    let offset = immediates
        .split(' ')
        .find_map(|immediate| immediate.strip_prefix("offset="));
    let offset: u64 = offset.map_or(Some(0), |offset| offset.parse().ok())?;
    let slot = frame.operands.len().checked_sub(depth)?;
    let operand = frame.operands.get(slot)?;
    let base = match operand.type_name.as_str() {
        "i32" => u64::from(operand.text.parse::<i32>().ok()?.cast_unsigned()),
        "i64" => operand.text.parse::<i64>().ok()?.cast_unsigned(),
        _ => return None,
    };
    Some(format!("   at {:#x}", base.checked_add(offset)?))
}

#[cfg(test)]
mod tests {
    use super::{subject, taken_operands};
    use wdb_debugger::view::{SelectedFrame, SlotView};

    fn slot(index: usize, name: Option<&str>, text: &str) -> SlotView {
        SlotView {
            index,
            name: name.map(str::to_owned),
            type_name: "i32".to_owned(),
            text: text.to_owned(),
            children: Vec::new(),
            changed: false,
        }
    }

    #[test]
    fn instructions_say_what_they_work_on() {
        let frame = SelectedFrame {
            index: 0,
            func_index: 0,
            pc: 0,
            source: None,
            variables: Vec::new(),
            locals: vec![slot(0, Some("n"), "10"), slot(1, None, "-1")],
            operands: vec![slot(0, None, "-16"), slot(1, None, "7")],
            labels: Vec::new(),
        };
        let said = |text| subject(text, &frame, false).unwrap_or_default();
        assert_eq!(said("local.get $n"), "   local $n is 10");
        assert_eq!(said("local.set 1"), "   local 1 is -1");
        assert_eq!(said("i32.load offset=8 align=1"), "   at 0xf");
        assert_eq!(said("i32.store8"), "   at 0xfffffff0");
        assert_eq!(said("i32.add"), "");
        assert_eq!(said("memory.copy"), "");
        assert_eq!(said("nop"), "");
        let taken = |effect| taken_operands(effect, &frame, true).unwrap_or_default();
        assert_eq!(taken("[i32 i32] -> [i32]"), "   takes 0xfffffff0, 0x7");
        assert_eq!(taken("[i32 i32 i32] -> []"), "");
    }
}

//! The mouse: focus, cursor, breakpoints, wheel, and dragging the divider.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use crate::screen::actions::Action;
use crate::screen::app::{App, Mode};
use crate::screen::arrangement::Slot;
use crate::screen::draw::{gutter_columns, help_top_max, tab_at};
use crate::screen::pane::Pane;

/// How many rows a notch of the wheel scrolls.
const WHEEL_ROWS: isize = 3;

impl App {
    /// The mouse did something.
    pub(crate) fn mouse(&mut self, mouse: MouseEvent) {
        if let Mode::Help { top } = &mut self.mode {
            match mouse.kind {
                MouseEventKind::ScrollDown => {
                    *top = (*top + 3).min(help_top_max(self.size.height));
                }
                MouseEventKind::ScrollUp => *top = top.saturating_sub(3),
                MouseEventKind::Down(_) => self.mode = Mode::Normal,
                _ => {}
            }
            return;
        }
        let arrangement = self.arrangement();
        let on_divider = arrangement
            .divider
            .is_some_and(|divider| divider.contains((mouse.column, mouse.row).into()));
        match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) if on_divider => self.dragging_divider = true,
            MouseEventKind::Drag(MouseButton::Left) if self.dragging_divider => {
                self.sizes.place_divider(mouse.column, self.size);
            }
            MouseEventKind::Up(_) => self.dragging_divider = false,
            MouseEventKind::Down(MouseButton::Left) => {
                if let Some(slot) = arrangement.slot_at(mouse.column, mouse.row) {
                    self.click(slot, mouse.column, mouse.row);
                }
            }
            MouseEventKind::ScrollUp | MouseEventKind::ScrollDown => {
                if let Some(slot) = arrangement.slot_at(mouse.column, mouse.row) {
                    let delta = if mouse.kind == MouseEventKind::ScrollUp {
                        -WHEEL_ROWS
                    } else {
                        WHEEL_ROWS
                    };
                    self.wheel(slot.shown, delta);
                }
            }
            _ => {}
        }
    }

    fn wheel(&mut self, pane: Pane, delta: isize) {
        let rows = self.row_count(pane);
        let height = self.visible_rows(pane);
        let scroll = &mut self.scrolls[pane.index()];
        let cursor = scroll.cursor;
        scroll.scroll_by(delta, rows, height);
        if scroll.cursor != cursor {
            self.cursor_moved(pane);
        }
    }

    /// A click focuses and moves the cursor. In the gutter, or on the line that has the cursor already, it toggles a
    /// breakpoint; on the row of a list that has the cursor already it does what Enter does.
    fn click(&mut self, slot: &Slot, column: u16, row: u16) {
        if matches!(self.mode, Mode::Palette(_) | Mode::Confirm(_)) {
            self.mode = Mode::Normal;
            return;
        }
        self.notice = None;
        if row == slot.area.y {
            let pane = tab_at(slot, column - slot.area.x).unwrap_or(slot.shown);
            self.focus_on(pane);
            return;
        }
        let pane = slot.shown;
        let had_focus = self.focus == pane;
        self.focus_on(pane);
        let content = slot.content();
        let offset = usize::from(row - content.y);
        let target = self.scroll(pane).top + offset;
        if offset >= self.pane_rows(pane, content.height) || target >= self.row_count(pane) {
            return;
        }
        let again = had_focus && self.scroll(pane).cursor == target;
        self.scrolls[pane.index()].cursor = target;
        if !again {
            self.cursor_moved(pane);
        }
        let in_gutter = column - content.x < gutter_columns(self, pane);
        match pane {
            Pane::Source | Pane::Wasm if again || in_gutter => self.act(Action::ToggleBreakpoint),
            Pane::Stack => self.activate(),
            Pane::Locals if again => self.activate(),
            _ => {}
        }
    }
}

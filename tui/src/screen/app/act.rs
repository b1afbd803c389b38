//! What each action does.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind};
use wdb_debugger::Tier;
use wdb_debugger::view::{PlaceView, ProgramState};

use crate::display_text::visible;
use crate::screen::actions::Action;
use crate::screen::app::prompt::{Confirmation, Mode, PromptKind};
use crate::screen::app::{App, Effect, Question};
use crate::screen::arrangement::{Arrangement, Slot};
use crate::screen::keymap::{Chord, Lookup};
use crate::screen::pane::Pane;
use crate::screen::values::{Row, ValueRow, address_in};

/// How far a sideways step scrolls.
const SIDEWAYS_COLUMNS: isize = 8;

impl App {
    /// A key was pressed.
    pub(crate) fn key(&mut self, key: KeyEvent) {
        if key.kind == KeyEventKind::Release {
            return;
        }
        match self.mode {
            Mode::Normal => self.normal_key(key),
            _ => self.mode_key(key),
        }
    }

    fn normal_key(&mut self, key: KeyEvent) {
        self.notice = None;
        if key.code == KeyCode::Esc {
            self.pending.clear();
            return;
        }
        self.pending.push(Chord::of(key));
        match self.keymap.look_up(&self.pending) {
            Lookup::Prefix => {}
            Lookup::Nothing => self.pending.clear(),
            Lookup::Action(action) => {
                self.pending.clear();
                self.act(action);
            }
        }
    }

    /// Does what the action says.
    pub(crate) fn act(&mut self, action: Action) {
        match action {
            Action::Step
            | Action::Next
            | Action::Finish
            | Action::Continue
            | Action::StepInstruction
            | Action::NextInstruction
            | Action::RunToCursor
            | Action::Run => self.run_action(action),
            Action::Interrupt => {
                if !self.running && !self.has_outstanding() {
                    self.notify("nothing runs: q leaves the debugger".to_owned(), false);
                }
                self.effects.push(Effect::Interrupt);
            }
            Action::NextTier => self.choose_next_tier(),
            Action::CallerWithSource => self.ask_for_caller_with_source(),
            Action::FrameUp => self.submit("up".to_owned()),
            Action::FrameDown => self.submit("down".to_owned()),
            Action::ToggleBreakpoint => self.toggle_breakpoint(),
            Action::ConditionalBreakpoint => self.conditional_breakpoint(),
            Action::Expand => self.activate(),
            Action::ToggleHex => self.hex = !self.hex,
            Action::GoToAddress => self.open_prompt(PromptKind::Address, String::new()),
            Action::GoToStop => {
                self.go_to_stop();
                if self.view.selected.is_none() {
                    self.notice_no_frame();
                }
            }
            Action::CursorUp
            | Action::CursorDown
            | Action::HalfPageUp
            | Action::HalfPageDown
            | Action::PageUp
            | Action::PageDown
            | Action::Top
            | Action::Bottom => self.move_cursor(action),
            Action::ScrollLeft => self.scroll_sideways(-SIDEWAYS_COLUMNS),
            Action::ScrollRight => self.scroll_sideways(SIDEWAYS_COLUMNS),
            Action::CommandLine => self.open_prompt(PromptKind::Command, String::new()),
            Action::TypeInput => {
                self.focus_before_input = Some(self.focus);
                self.focus_on(Pane::Output);
                self.open_prompt(PromptKind::ProgramInput, String::new());
            }
            Action::Search => self.open_prompt(PromptKind::Search, String::new()),
            Action::SearchNext => self.search_next(true),
            Action::SearchPrevious => self.search_next(false),
            Action::Palette => self.open_palette(),
            Action::Help => self.mode = Mode::Help { top: 0 },
            Action::NextTheme => {
                self.theme = self.theme.next();
                let name = self.theme.name();
                self.notify(format!("theme: {name}"), false);
            }
            Action::Redraw => self.effects.push(Effect::Redraw),
            Action::Suspend => self.effects.push(Effect::Suspend),
            Action::Quit => self.quit(),
            _ => self.pane_action(action),
        }
    }

    fn quit(&mut self) {
        match self.state() {
            ProgramState::Running | ProgramState::Stopped => {
                self.mode = Mode::Confirm(Confirmation::Quit)
            }
            _ => self.effects.push(Effect::Quit(0)),
        }
    }

    /// A command by key. Those that run the program are refused while it runs, and while an earlier one is under way:
    /// a key held down must not run ahead of what the screen shows.
    pub(super) fn submit(&mut self, line: String) {
        if self.running {
            self.notify("the program runs: Ctrl-C stops it".to_owned(), true);
        } else if !self.has_outstanding() {
            self.effects.push(Effect::Submit { line, typed: false });
        }
    }

    fn choose_next_tier(&mut self) {
        let position = Tier::NAMES.iter().position(|name| *name == self.view.tier);
        let next = position.map_or(0, |position| (position + 1) % Tier::NAMES.len());
        self.submit(format!("tier {}", Tier::NAMES[next]));
    }

    fn run_action(&mut self, action: Action) {
        let state = self.state();
        let started = matches!(state, ProgramState::Stopped | ProgramState::Trapped);
        let command = match action {
            Action::Step | Action::Next | Action::StepInstruction | Action::NextInstruction
                if state == ProgramState::NotStarted =>
            {
                "start"
            }
            Action::Step => "step",
            Action::Next => "next",
            Action::StepInstruction => "stepi",
            Action::NextInstruction => "nexti",
            Action::Finish => "finish",
            Action::Continue if started => "continue",
            Action::RunToCursor => {
                if let Some(place) = self.place_under_cursor() {
                    self.submit(format!("advance {place}"));
                }
                return;
            }
            _ => "run",
        };
        self.submit(command.to_owned());
    }

    /// What the cursor of the focused pane, or else of the source pane, points at, as commands spell it.
    fn place_under_cursor(&mut self) -> Option<String> {
        let instruction = || self.wasm_cursor().map(|pc| format!("*{pc:#x}"));
        let line = || {
            let (recorded, line) = self.source_cursor()?;
            Some(format!("{recorded}:{line}"))
        };
        let place = if self.focus == Pane::Wasm {
            instruction()
        } else {
            line().or_else(instruction)
        };
        if place.is_none() {
            self.notify("there is no code under the cursor".to_owned(), true);
        }
        place
    }

    fn toggle_breakpoint(&mut self) {
        if self.running {
            self.notify("the program runs: Ctrl-C stops it".to_owned(), true);
            return;
        }
        if self.focus == Pane::Breakpoints {
            let cursor = self.scroll(Pane::Breakpoints).cursor;
            if let Some(breakpoint) = self.view.breakpoints.get(cursor) {
                let line = format!("delete {}", breakpoint.number);
                self.effects.push(Effect::Submit { line, typed: false });
            }
            return;
        }
        let in_wasm = self.focus == Pane::Wasm || self.source_cursor().is_none();
        let (pc, line) = (self.wasm_cursor(), self.source_cursor());
        let covers = |place: &PlaceView| {
            if in_wasm {
                pc == Some(place.pc)
            } else {
                match (&place.source, &line) {
                    (Some(spot), Some((recorded, line))) => {
                        spot.recorded == *recorded && spot.line == *line
                    }
                    _ => false,
                }
            }
        };
        let there: Vec<u32> = self
            .view
            .breakpoints
            .iter()
            .filter(|breakpoint| breakpoint.places.iter().any(covers))
            .map(|breakpoint| breakpoint.number)
            .collect();
        if there.is_empty()
            && let Some(place) = self.place_under_cursor()
        {
            let line = format!("break {place}");
            self.effects.push(Effect::Submit { line, typed: false });
        }
        for number in there {
            let line = format!("delete {number}");
            self.effects.push(Effect::Submit { line, typed: false });
        }
    }

    fn conditional_breakpoint(&mut self) {
        if let Some(place) = self.place_under_cursor() {
            self.open_prompt(PromptKind::Command, format!("break {place} if "));
        }
    }

    /// The row of values under the cursor.
    fn value_under_cursor(&self) -> Option<ValueRow> {
        let rows = match self.focus {
            Pane::Locals => self.local_rows(),
            Pane::Operands => self.operand_rows(),
            _ => return None,
        };
        match rows.into_iter().nth(self.scroll(self.focus).cursor)? {
            Row::Value(row) => Some(row),
            _ => None,
        }
    }

    /// Enter: expands, follows or selects what is under the cursor.
    pub(super) fn activate(&mut self) {
        let cursor = self.scroll(self.focus).cursor;
        match self.focus {
            Pane::Locals | Pane::Operands => {
                let Some(row) = self.value_under_cursor() else {
                    return;
                };
                if row.expanded.is_some() {
                    if !self.expanded.remove(&row.path) {
                        self.expanded.insert(row.path);
                    }
                } else if let Some(address) = address_in(&row.text) {
                    self.go_to_address(address);
                }
            }
            Pane::Stack => {
                if let Some(frame) = self.view.frames.get(cursor) {
                    self.submit(format!("frame {}", frame.index));
                }
            }
            Pane::Breakpoints => self.go_to_breakpoint(cursor),
            Pane::Output if self.running => {
                self.focus_before_input = None;
                self.open_prompt(PromptKind::ProgramInput, String::new());
            }
            Pane::Console => self.open_prompt(PromptKind::Command, String::new()),
            _ => {}
        }
    }

    fn go_to_breakpoint(&mut self, row: usize) {
        let place = self
            .view
            .breakpoints
            .get(row)
            .and_then(|breakpoint| breakpoint.places.first())
            .cloned();
        let Some(place) = place else {
            return;
        };
        match place.source {
            Some(spot) => {
                let (recorded, line) = (spot.recorded.clone(), spot.line);
                self.show_spot(spot);
                let question = Question::LinePcs { recorded, line };
                self.effects.push(Effect::Ask(question));
                self.focus_on(Pane::Source);
            }
            None => self.notify(format!("at {:#x}, without a source line", place.pc), false),
        }
    }

    /// Shows memory at an address.
    pub(super) fn go_to_address(&mut self, address: u64) {
        match self.view.memory_bytes {
            Some(memory_bytes) if address < memory_bytes => {
                self.memory.go_to(address);
                self.focus_on(Pane::Memory);
            }
            Some(memory_bytes) => {
                self.notify(
                    format!("{address:#x} is outside memory, which ends at {memory_bytes:#x}"),
                    true,
                );
            }
            None => self.notify("the program has no memory".to_owned(), true),
        }
    }

    fn notice_no_frame(&mut self) {
        let reason = self.no_frame_reason();
        self.notify(reason, false);
    }

    fn move_cursor(&mut self, action: Action) {
        let rows = self.row_count(self.focus);
        let height = isize::try_from(self.visible_rows(self.focus)).unwrap_or(1);
        let delta = match action {
            Action::CursorUp => -1,
            Action::CursorDown => 1,
            Action::HalfPageUp => -(height / 2).max(1),
            Action::HalfPageDown => (height / 2).max(1),
            Action::PageUp => -height.max(1),
            Action::PageDown => height.max(1),
            Action::Top => isize::MIN,
            _ => isize::MAX,
        };
        self.scrolls[self.focus.index()].move_by(delta, rows);
        self.cursor_moved(self.focus);
    }

    fn scroll_sideways(&mut self, columns: isize) {
        self.scrolls[self.focus.index()].move_left_by(columns);
    }

    fn pane_action(&mut self, action: Action) {
        let arrangement = self.arrangement();
        match action {
            Action::FocusNumber(number) => self.focus_number(number),
            Action::FocusNext => self.focus_beside(1),
            Action::FocusPrevious => self.focus_beside(Pane::ALL.len() - 1),
            Action::FocusLeft | Action::FocusRight | Action::FocusUp | Action::FocusDown => {
                self.focus_towards(&arrangement, action);
            }
            Action::Wider => self.sizes.change_width(self.focus, self.size, 1),
            Action::Narrower => self.sizes.change_width(self.focus, self.size, -1),
            Action::Equalize => self.sizes.equalize(),
            Action::Zoom => self.sizes.zoomed = !self.sizes.zoomed,
            _ => {
                let Some(slot) = arrangement.slot_showing(self.focus) else {
                    return;
                };
                match action {
                    Action::Taller => self.sizes.change_height(slot, 1),
                    Action::Shorter => self.sizes.change_height(slot, -1),
                    _ => self.sizes.maximize_height(slot),
                }
            }
        }
    }

    /// Focuses the pane with a number; when it has the focus already, the next one with this number.
    fn focus_number(&mut self, number: u8) {
        let panes: Vec<Pane> = Pane::ALL
            .into_iter()
            .filter(|pane| pane.number() == number)
            .collect();
        let focused = panes.iter().position(|pane| *pane == self.focus);
        let next = match focused {
            Some(position) => panes.get((position + 1) % panes.len()),
            None => panes
                .iter()
                .find(|pane| self.visible_rows(**pane) > 0)
                .or(panes.first()),
        };
        if let Some(pane) = next.copied() {
            self.focus_on(pane);
        }
    }

    fn focus_beside(&mut self, steps: usize) {
        let pane = Pane::ALL[(self.focus.index() + steps) % Pane::ALL.len()];
        self.focus_on(pane);
    }

    fn focus_towards(&mut self, arrangement: &Arrangement, direction: Action) {
        let Some(from) = arrangement.slot_showing(self.focus) else {
            return;
        };
        let (from, from_middle) = (from.area, from.area.y + from.area.height / 2);
        let lies_there = |slot: &&Slot| match direction {
            Action::FocusLeft => slot.area.right() <= from.x,
            Action::FocusRight => slot.area.x >= from.right(),
            Action::FocusUp => slot.area.bottom() <= from.y && slot.area.x == from.x,
            _ => slot.area.y >= from.bottom() && slot.area.x == from.x,
        };
        let nearest = arrangement
            .slots
            .iter()
            .filter(lies_there)
            .min_by_key(|slot| {
                if slot.area.y <= from_middle && from_middle < slot.area.bottom() {
                    0
                } else {
                    let middle = slot.area.y + slot.area.height / 2;
                    middle.abs_diff(from_middle) + 1
                }
            });
        if let Some(slot) = nearest {
            self.focus_on(slot.shown);
        }
    }

    /// Goes to the next row of the focused pane that contains the search text, around the end.
    pub(super) fn search_next(&mut self, forward: bool) {
        if self.search.is_empty() {
            self.open_prompt(PromptKind::Search, String::new());
            return;
        }
        let needle = self.search.to_lowercase();
        let rows = self.row_count(self.focus);
        let cursor = self.scroll(self.focus).cursor;
        let lists = match self.focus {
            Pane::Locals => self.local_rows(),
            Pane::Operands => self.operand_rows(),
            _ => Vec::new(),
        };
        let found = (1..=rows)
            .map(|step| {
                if forward {
                    (cursor + step) % rows
                } else {
                    (cursor + rows - step) % rows
                }
            })
            .find(|row| {
                let text = lists.get(*row).map(Row::plain_text);
                let text = text.or_else(|| self.row_text(self.focus, *row));
                text.is_some_and(|text| text.to_lowercase().contains(&needle))
            });
        match found {
            Some(row) => {
                self.scrolls[self.focus.index()].cursor = row;
                self.cursor_moved(self.focus);
            }
            None => {
                let text = format!("not found: {}", visible(&self.search));
                self.notify(text, true);
            }
        }
    }

    /// A row as plain text, for panes whose rows are not values.
    fn row_text(&self, pane: Pane, row: usize) -> Option<String> {
        match pane {
            Pane::Source => self.source_text()?.lines.get(row).cloned(),
            Pane::Wasm => {
                let line = self.disassembly()?.lines.get(row)?;
                Some(format!("{:#x} {}", line.pc, line.text))
            }
            Pane::Stack => Some(self.view.frames.get(row)?.function.clone()),
            Pane::Breakpoints => Some(self.view.breakpoints.get(row)?.spec.clone()),
            Pane::Output => self.guest_output.row_text(row),
            Pane::Console => self.console.row_text(row),
            Pane::Locals | Pane::Operands | Pane::Memory => None,
        }
    }
}

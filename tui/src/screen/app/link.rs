//! The linked cursor: moving in the source moves the wasm pane, and the reverse.

use std::sync::Arc;

use wdb_debugger::view::SourceSpot;

use crate::screen::app::{App, Effect, Question};
use crate::screen::pane::Pane;

impl App {
    /// Shows where the selected frame stands. Without a frame the panes keep what they show.
    pub(super) fn go_to_stop(&mut self) {
        let view = Arc::clone(&self.view);
        let Some(frame) = view.selected.as_ref() else {
            return;
        };
        let row = view.frames.iter().position(|row| row.index == frame.index);
        self.scrolls[Pane::Stack.index()].cursor = row.unwrap_or(0);
        self.show_instruction(frame.func_index, frame.pc);
        match &frame.source {
            Some(spot) => self.show_spot(spot.clone()),
            None => self.source = None,
        }
    }

    /// Looks for the nearest caller whose source can be shown: after a panic the frames of the runtime come first.
    pub(super) fn ask_for_caller_with_source(&mut self) {
        let selected = self.view.selected.as_ref().map_or(0, |frame| frame.index);
        let callers = self.view.frames.iter();
        let callers = callers.filter(|frame| frame.index > selected);
        let spots = callers.filter_map(|frame| Some((frame.index, frame.source.clone()?)));
        let question = Question::FrameWithSource(spots.collect());
        self.effects.push(Effect::Ask(question));
    }

    /// Puts the source pane's cursor on a line.
    pub(super) fn show_spot(&mut self, spot: SourceSpot) {
        let row = usize::try_from(spot.line.saturating_sub(1)).unwrap_or(0);
        self.scrolls[Pane::Source.index()].cursor = row;
        self.source = Some(spot);
    }

    /// Puts the wasm pane's cursor on an instruction.
    pub(super) fn show_instruction(&mut self, func_index: u32, pc: u32) {
        self.wasm_func = Some(func_index);
        self.wasm_goal = Some(pc);
    }

    /// The line under the source pane's cursor: recorded path and 1-based line.
    pub(crate) fn source_cursor(&self) -> Option<(Arc<str>, u32)> {
        let spot = self.source.as_ref()?;
        self.source_text()?;
        let line = u32::try_from(self.scroll(Pane::Source).cursor + 1).ok()?;
        Some((Arc::clone(&spot.recorded), line))
    }

    /// The offset of the instruction under the wasm pane's cursor.
    pub(crate) fn wasm_cursor(&self) -> Option<u32> {
        let code = self.disassembly()?;
        Some(code.lines.get(self.scroll(Pane::Wasm).cursor)?.pc)
    }

    /// The user moved the cursor of `pane`: the linked pane follows.
    pub(super) fn cursor_moved(&mut self, pane: Pane) {
        match pane {
            Pane::Source => {
                if let Some((recorded, line)) = self.source_cursor() {
                    let has_code = self
                        .source_text()
                        .is_some_and(|text| text.code_lines.binary_search(&line).is_ok());
                    if has_code {
                        self.effects
                            .push(Effect::Ask(Question::LinePcs { recorded, line }));
                    }
                }
            }
            Pane::Wasm => self.link_source_to_wasm(),
            _ => {}
        }
    }

    fn link_source_to_wasm(&mut self) {
        let Some(code) = self.disassembly() else {
            return;
        };
        let Some(instruction) = code.lines.get(self.scroll(Pane::Wasm).cursor) else {
            return;
        };
        let Some((recorded, line)) = &instruction.source else {
            return;
        };
        let pc = instruction.pc;
        let same_file = self
            .source
            .as_ref()
            .is_some_and(|spot| spot.recorded == *recorded);
        if same_file && self.source_text().is_some() {
            let row = usize::try_from(line.saturating_sub(1)).unwrap_or(0);
            self.scrolls[Pane::Source.index()].cursor = row;
        } else {
            self.effects.push(Effect::Ask(Question::Spot(pc)));
        }
    }

    /// The spot of an instruction arrived; it counts if the cursor is still there.
    pub(super) fn link_source_to_spot(&mut self, pc: u32, spot: Option<SourceSpot>) {
        if let Some(spot) = spot
            && self.wasm_cursor() == Some(pc)
        {
            self.show_spot(spot);
        }
    }

    /// The instructions of a line arrived; they count if the cursor is still there. Those of the shown function come
    /// first: a line of a header or of a generic function belongs to many.
    pub(super) fn link_wasm_to_line(
        &mut self,
        recorded: &str,
        line: u32,
        pcs: &[(u32, Option<u32>)],
    ) {
        let still_there = self
            .source_cursor()
            .is_some_and(|(file, row)| *file == *recorded && row == line);
        if !still_there {
            return;
        }
        let shown = pcs
            .iter()
            .find(|(_, func_index)| func_index.is_some() && *func_index == self.wasm_func);
        if let Some((pc, Some(func_index))) = shown.or(pcs.first()) {
            self.show_instruction(*func_index, *pc);
        }
    }
}

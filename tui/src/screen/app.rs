//! The state of the screen. Keys, events and answers change it; it says what it wants as effects; drawing only reads it.
//!
//! Nothing in here touches a terminal or a session, so every test is keys in, screen out.

mod act;
mod link;
mod mouse;
mod prompt;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use ratatui::layout::Rect;
use wdb_debugger::event::{CommandStatus, Event, RequestId, Stream};
use wdb_debugger::view::{Disassembly, ProgramState, SourceSpot, SourceText, View};

use crate::display_text::{Origin, Transcript};
use crate::screen::arrangement::{Arrangement, Sizes, arrange};
use crate::screen::keymap::{Chord, Keymap};
use crate::screen::listing::{Fetched, Listing};
use crate::screen::memory::MemoryWindow;
use crate::screen::output_buffer::{OutputBuffer, Pending};
use crate::screen::pane::Pane;
use crate::screen::scroll::Scroll;
use crate::screen::syntax::{ColourRequest, Colours};
use crate::screen::theme::Theme;
use crate::screen::values::{Row, local_rows, operand_rows};

pub(crate) use prompt::{Mode, PromptKind};

/// What the screen wants done.
pub(crate) enum Effect {
    /// Give a command to the session. The loop answers with [`App::submitted`].
    Submit {
        /// The command.
        line: String,
        /// Whether the user typed it, rather than a key.
        typed: bool,
    },
    /// The same for a command that the user typed, after asking whether it is meant if it cannot be taken back.
    SubmitTyped(String),
    /// Stop whatever runs.
    Interrupt,
    /// Give bytes to the guest's standard input.
    TypeInput(Vec<u8>),
    /// End the guest's standard input.
    CloseInput,
    /// Look something up; the answer comes through [`App::answer`].
    Ask(Question),
    /// Colour a file; the answer comes through [`App::colours`].
    Colour(ColourRequest),
    /// Remember a command for the next time.
    Remember(String),
    /// Draw everything anew.
    Redraw,
    /// Go back to the shell for a while.
    Suspend,
    /// Leave with this exit status.
    Quit(i32),
}

/// What can be looked up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Question {
    /// A source file.
    Source(SourceSpot),
    /// A function's instructions.
    Disassembly(u32),
    /// The source position of an instruction.
    Spot(u32),
    /// The first of some frames whose source is here.
    FrameWithSource(Vec<(usize, SourceSpot)>),
    /// The instructions of a line.
    LinePcs {
        /// The file, as the debug info records it.
        recorded: Arc<str>,
        /// The 1-based line.
        line: u32,
    },
    /// Bytes of linear memory.
    Memory {
        /// The first one's address.
        address: u64,
        /// How many.
        length: usize,
        /// Comes back with the answer.
        generation: u64,
    },
    /// How a command line can go on.
    Completions {
        /// The line.
        line: String,
        /// The cursor in it, in bytes.
        position: usize,
    },
}

/// The answers, in the order of the questions.
pub(crate) enum Answer {
    Source(Arc<str>, Result<Arc<SourceText>, String>),
    Disassembly(u32, Option<Arc<Disassembly>>),
    Spot(u32, Option<SourceSpot>),
    FrameWithSource(Option<usize>),
    LinePcs {
        recorded: Arc<str>,
        line: u32,
        /// Instructions and their functions.
        pcs: Vec<(u32, Option<u32>)>,
    },
    Memory {
        address: u64,
        generation: u64,
        bytes: Option<Vec<u8>>,
    },
    Completions {
        line: String,
        start: usize,
        candidates: Vec<String>,
    },
}

/// A short text at the bottom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Notice {
    /// The text.
    pub(crate) text: String,
    /// Whether something failed.
    pub(crate) error: bool,
    /// Whether it tells of a command that is under way, and is outdated by its end.
    pub(crate) is_passing: bool,
}

/// What the command that runs now did so far.
#[derive(Default)]
struct CommandTrace {
    lines_printed: usize,
    ran: bool,
}

/// The state of the screen.
pub(crate) struct App {
    pub(crate) program_name: String,
    pub(crate) has_debug_info: bool,
    pub(crate) view: Arc<View>,
    /// Whether the program runs; the view is that of the last stop.
    pub(crate) running: bool,
    /// Whether the guest waits for typed input.
    pub(crate) waiting: bool,
    /// Whether a command takes so long that the user should know.
    pub(crate) busy: bool,
    pub(crate) theme: Theme,
    pub(crate) size: Rect,
    pub(crate) sizes: Sizes,
    pub(crate) focus: Pane,
    pub(crate) mode: Mode,
    pub(crate) notice: Option<Notice>,
    pub(crate) guest_output: Transcript,
    pub(crate) console: Transcript,
    pub(crate) hex: bool,
    pub(crate) listing: Listing,
    /// The file that the source pane shows.
    pub(crate) source: Option<SourceSpot>,
    /// The function that the wasm pane shows.
    pub(crate) wasm_func: Option<u32>,
    pub(crate) memory: MemoryWindow,
    pub(crate) pending: Vec<Chord>,
    keymap: Keymap,
    raised: Vec<Pane>,
    scrolls: [Scroll; Pane::ALL.len()],
    expanded: HashSet<String>,
    /// Where the wasm pane's cursor goes when the function is loaded.
    wasm_goal: Option<u32>,
    history: Vec<String>,
    search: String,
    /// Commands without an end yet, and whether the user typed them.
    outstanding: BTreeMap<RequestId, bool>,
    trace: CommandTrace,
    /// Where the focus was before the program asked for input.
    focus_before_input: Option<Pane>,
    dragging_divider: bool,
    effects: Vec<Effect>,
}

impl App {
    /// How many commands are recalled.
    const HISTORY_MAX: usize = 1000;

    /// The screen of a program before anything happened.
    pub(crate) fn new(
        program_name: String,
        has_debug_info: bool,
        theme: Theme,
        size: Rect,
        history: Vec<String>,
    ) -> App {
        App {
            program_name,
            has_debug_info,
            view: Arc::default(),
            running: false,
            waiting: false,
            busy: false,
            theme,
            size,
            sizes: Sizes::default(),
            focus: Pane::Source,
            mode: Mode::Normal,
            notice: None,
            guest_output: Transcript::new(),
            console: Transcript::new(),
            hex: false,
            listing: Listing::default(),
            source: None,
            wasm_func: None,
            memory: MemoryWindow::default(),
            pending: Vec::new(),
            keymap: Keymap::new(),
            raised: vec![Pane::Locals],
            scrolls: [Scroll::default(); Pane::ALL.len()],
            expanded: HashSet::new(),
            wasm_goal: None,
            history,
            search: String::new(),
            outstanding: BTreeMap::new(),
            trace: CommandTrace::default(),
            focus_before_input: None,
            dragging_divider: false,
            effects: Vec::new(),
        }
    }

    /// What is to be done, in order. Called after each change.
    pub(crate) fn take_effects(&mut self) -> Vec<Effect> {
        self.settle();
        std::mem::take(&mut self.effects)
    }

    /// What the program is doing.
    pub(crate) fn state(&self) -> ProgramState {
        if self.running {
            ProgramState::Running
        } else {
            self.view.state
        }
    }

    /// Where the panes are.
    pub(crate) fn arrangement(&self) -> Arrangement {
        arrange(self.size, &self.sizes, &self.raised, self.focus)
    }

    /// The cursor and window of a pane.
    pub(crate) fn scroll(&self, pane: Pane) -> Scroll {
        self.scrolls[pane.index()]
    }

    /// The terminal has another size.
    pub(crate) fn resize(&mut self, width: u16, height: u16) {
        self.size = Rect::new(0, 0, width, height);
    }

    /// The session took a command.
    pub(crate) fn submitted(&mut self, request: RequestId, typed: bool) {
        self.outstanding.insert(request, typed);
    }

    /// Whether commands of this screen are not finished.
    pub(crate) fn has_outstanding(&self) -> bool {
        !self.outstanding.is_empty()
    }

    /// The view at the time when the screen begins to listen.
    pub(crate) fn begin(&mut self, view: Arc<View>) {
        self.running = view.state == ProgramState::Running;
        self.view = view;
        self.memory.invalidate();
        self.go_to_stop();
    }

    /// Something happened in the session.
    pub(crate) fn session_event(&mut self, event: Event) {
        match event {
            // Output takes its own way, since there may be much of it.
            Event::Output { stream, bytes } => {
                let buffer = OutputBuffer::default();
                buffer.push(stream, &bytes);
                self.output(buffer.take());
            }
            Event::Message(text) => self.message(&text),
            Event::Progress(text) => {
                self.notice = Some(Notice {
                    text: text.to_string(),
                    error: false,
                    is_passing: true,
                });
            }
            // The screen shows text.
            Event::Json(_) => {}
            Event::Error(text) => {
                self.append(Pane::Console, |transcript| {
                    transcript.push_lines(Origin::Error, &text);
                });
                self.notify(text, true);
            }
            Event::Running => {
                self.running = true;
                self.trace.ran = true;
                self.notice = None;
            }
            Event::Stopped(view) => {
                self.running = false;
                self.waiting = false;
                self.view = view;
                self.memory.keep_for_comparison();
                self.leave_program_input();
                self.go_to_stop();
            }
            Event::Changed(view) => {
                let place = |view: &View| {
                    let selected = view.selected.as_ref();
                    selected.map(|frame| (frame.index, frame.pc, frame.func_index))
                };
                let moved = place(&view) != place(&self.view);
                self.view = view;
                self.memory.invalidate();
                if moved {
                    self.go_to_stop();
                }
            }
            Event::Done { request, status } => {
                self.notice.take_if(|notice| notice.is_passing);
                self.done(request, status);
            }
        }
    }

    /// The guest wrote.
    pub(crate) fn output(&mut self, pending: Pending) {
        self.append(Pane::Output, |transcript| {
            if pending.skipped > 0 {
                let text = format!("[{} bytes of output are not shown]", pending.skipped);
                transcript.push_lines(Origin::Message, &text);
            }
            for (stream, bytes) in &pending.pieces {
                let origin = match stream {
                    Stream::Stdout => Origin::Stdout,
                    Stream::Stderr => Origin::Stderr,
                };
                transcript.push_bytes(origin, bytes);
            }
        });
    }

    fn message(&mut self, text: &str) {
        self.trace.lines_printed += text.lines().count();
        self.append(Pane::Console, |transcript| {
            transcript.push_lines(Origin::Message, text);
        });
        if !self.trace.ran && !text.contains('\n') {
            self.notify(text.to_owned(), false);
        }
    }

    fn done(&mut self, request: RequestId, status: CommandStatus) {
        // Commands are performed one after the other, also those of a script.
        let trace = std::mem::take(&mut self.trace);
        let Some(typed) = self.outstanding.remove(&request) else {
            return;
        };
        if let CommandStatus::Quit(status) = status {
            self.effects.push(Effect::Quit(status));
        }
        if typed && trace.lines_printed > 1 && !trace.ran {
            self.raise(Pane::Console);
            self.notice = None;
        }
        self.busy &= self.has_outstanding();
    }

    /// Whether the guest waits for typed input. When it begins to, the next keys go there.
    pub(crate) fn set_waiting(&mut self, waiting: bool) {
        if waiting && !self.waiting && matches!(self.mode, Mode::Normal) {
            self.focus_before_input = Some(self.focus);
            self.focus_on(Pane::Output);
            self.open_prompt(PromptKind::ProgramInput, String::new());
        }
        self.waiting = waiting;
    }

    fn leave_program_input(&mut self) {
        if let Mode::Prompt(prompt) = &self.mode
            && prompt.kind == PromptKind::ProgramInput
        {
            self.mode = Mode::Normal;
            if let Some(pane) = self.focus_before_input.take() {
                self.focus_on(pane);
            }
        }
    }

    /// Shows a text at the bottom until the next key.
    pub(crate) fn notify(&mut self, text: String, error: bool) {
        self.notice = Some(Notice {
            text,
            error,
            is_passing: false,
        });
    }

    /// Colours arrived.
    pub(crate) fn colours(&mut self, colours: Colours) {
        self.listing.store_colours(colours);
    }

    /// An answer arrived.
    pub(crate) fn answer(&mut self, answer: Answer) {
        match answer {
            Answer::Source(recorded, source) => self.listing.store_source(recorded, source),
            Answer::Disassembly(func_index, disassembly) => {
                self.listing.store_function(func_index, disassembly);
            }
            Answer::Spot(pc, spot) => self.link_source_to_spot(pc, spot),
            Answer::FrameWithSource(Some(index)) => self.submit(format!("frame {index}")),
            Answer::FrameWithSource(None) => {
                self.notify("no caller has source here".to_owned(), true);
            }
            Answer::LinePcs {
                recorded,
                line,
                pcs,
            } => self.link_wasm_to_line(&recorded, line, &pcs),
            Answer::Memory {
                address,
                generation,
                bytes,
            } => self.memory.store(address, generation, bytes),
            Answer::Completions {
                line,
                start,
                candidates,
            } => self.completions(&line, start, candidates),
        }
    }

    fn append(&mut self, pane: Pane, change: impl FnOnce(&mut Transcript)) {
        let transcript = match pane {
            Pane::Console => &mut self.console,
            _ => &mut self.guest_output,
        };
        let (rows, dropped) = (transcript.rows().len(), transcript.dropped());
        let scroll = &mut self.scrolls[pane.index()];
        let follows = scroll.cursor + 1 >= rows;
        change(transcript);
        if follows {
            scroll.cursor = transcript.rows().len().saturating_sub(1);
        } else {
            let shift = usize::try_from(transcript.dropped() - dropped).unwrap_or(usize::MAX);
            scroll.cursor = scroll.cursor.saturating_sub(shift);
            scroll.top = scroll.top.saturating_sub(shift);
        }
    }

    /// Makes `pane` the visible tab of its slot.
    fn raise(&mut self, pane: Pane) {
        self.raised.retain(|other| *other != pane);
        self.raised.insert(0, pane);
    }

    fn focus_on(&mut self, pane: Pane) {
        self.raise(pane);
        self.focus = pane;
    }

    /// The rows of the locals pane.
    pub(crate) fn local_rows(&self) -> Vec<Row> {
        self.view.selected.as_ref().map_or_else(Vec::new, |frame| {
            local_rows(frame, self.has_debug_info, &self.expanded, self.hex)
        })
    }

    /// The rows of the operands pane.
    pub(crate) fn operand_rows(&self) -> Vec<Row> {
        let frame = self.view.selected.as_ref();
        frame.map_or_else(Vec::new, |frame| {
            operand_rows(frame, &self.expanded, self.hex)
        })
    }

    /// The source file that the source pane shows, if it is loaded.
    pub(crate) fn source_text(&self) -> Option<&Arc<SourceText>> {
        self.listing.source_text(&self.source.as_ref()?.recorded)
    }

    /// The function that the wasm pane shows, if it is loaded.
    pub(crate) fn disassembly(&self) -> Option<&Arc<Disassembly>> {
        self.listing.disassembly(self.wasm_func?)
    }

    /// How many rows a pane has.
    fn row_count(&self, pane: Pane) -> usize {
        match pane {
            Pane::Source => self.source_text().map_or(0, |text| text.lines.len()),
            Pane::Wasm => self.disassembly().map_or(0, |code| code.lines.len()),
            Pane::Stack => self.view.frames.len(),
            Pane::Locals => self.local_rows().len(),
            Pane::Operands => self.operand_rows().len(),
            Pane::Memory => self.memory.rows(self.view.memory_bytes.unwrap_or(0)),
            Pane::Breakpoints => self.view.breakpoints.len(),
            Pane::Output => self.guest_output.rows().len(),
            Pane::Console => self.console.rows().len(),
        }
    }

    /// How many rows of a pane are visible; 0 when it is not.
    fn visible_rows(&self, pane: Pane) -> usize {
        self.arrangement()
            .slot_showing(pane)
            .map_or(0, |slot| self.pane_rows(pane, slot.content().height))
    }

    /// How many of the rows of a pane's area show its list.
    pub(crate) fn pane_rows(&self, pane: Pane, height: u16) -> usize {
        let reserved = match pane {
            Pane::Wasm if height >= 6 => 2,
            Pane::Output if self.prompt_is(PromptKind::ProgramInput) => 1,
            _ => 0,
        };
        usize::from(height.saturating_sub(reserved))
    }

    /// Brings cursors, windows and wishes in line with the state.
    fn settle(&mut self) {
        let arrangement = self.arrangement();
        if self.view.memory_bytes.is_some()
            && let Some(slot) = arrangement.slot_showing(Pane::Memory)
        {
            let scroll = &mut self.scrolls[Pane::Memory.index()];
            self.memory.fit_width(slot.content().width, scroll);
        }
        for pane in [Pane::Output, Pane::Console] {
            if let Some(slot) = arrangement.slot_showing(pane) {
                let width = usize::from(slot.area.width);
                self.append(pane, |transcript| transcript.set_width(width));
            }
        }
        self.ask_for_texts();
        if let Some(pc) = self.wasm_goal
            && let Some(code) = self.disassembly()
        {
            let row = code.lines.partition_point(|line| line.pc <= pc);
            self.scrolls[Pane::Wasm.index()].cursor = row.saturating_sub(1);
            self.wasm_goal = None;
        }
        for pane in Pane::ALL {
            let loading = match pane {
                Pane::Source => self.source_text().is_none(),
                Pane::Wasm => self.disassembly().is_none(),
                _ => false,
            };
            if loading {
                continue;
            }
            let rows = self.row_count(pane);
            let height = self.visible_rows(pane);
            self.scrolls[pane.index()].settle(rows, height);
        }
        self.ask_for_colours();
        self.ask_for_memory();
    }

    fn ask_for_texts(&mut self) {
        if let Some(spot) = self.source.clone()
            && self.listing.source(&spot.recorded).is_none()
        {
            self.listing.source_asked(&spot.recorded);
            self.effects.push(Effect::Ask(Question::Source(spot)));
        }
        if let Some(func_index) = self.wasm_func
            && self.listing.function(func_index).is_none()
        {
            self.listing.function_asked(func_index);
            self.effects
                .push(Effect::Ask(Question::Disassembly(func_index)));
        }
    }

    fn ask_for_colours(&mut self) {
        let Some(recorded) = self.source.as_ref().map(|spot| Arc::clone(&spot.recorded)) else {
            return;
        };
        let last = self.scroll(Pane::Source).top + self.visible_rows(Pane::Source);
        if let Some((text, lines)) = self.listing.colours_wanted(&recorded, last) {
            self.effects.push(Effect::Colour(ColourRequest {
                recorded,
                text,
                lines,
            }));
        }
    }

    fn ask_for_memory(&mut self) {
        let Some(memory_bytes) = self.view.memory_bytes else {
            return;
        };
        let rows = self.visible_rows(Pane::Memory);
        if self.running || rows == 0 {
            return;
        }
        let top = self.scroll(Pane::Memory).top;
        if let Some((address, length, generation)) = self.memory.wanted(top, rows, memory_bytes) {
            self.effects.push(Effect::Ask(Question::Memory {
                address,
                length,
                generation,
            }));
        }
    }

    /// Why the source pane has nothing to show.
    pub(crate) fn source_absence(&self) -> String {
        match self
            .source
            .as_ref()
            .map(|spot| self.listing.source(&spot.recorded))
        {
            Some(Some(Fetched::Missing(reason))) => {
                format!("{reason}; U selects the nearest caller that has its source")
            }
            Some(_) => "loading the source ...".to_owned(),
            None if !self.has_debug_info => {
                "no debug info: compile with -g to see source".to_owned()
            }
            None if self.view.selected.is_some() => {
                "no source line for this function: it was compiled without -g".to_owned()
            }
            None => self.no_frame_reason(),
        }
    }

    /// Why there is no frame.
    pub(crate) fn no_frame_reason(&self) -> String {
        match self.state() {
            ProgramState::NotStarted => {
                "the program is not started: s runs it to main, c runs it".to_owned()
            }
            ProgramState::Running => "the program runs: Ctrl-C stops it".to_owned(),
            ProgramState::Exited(status) => {
                format!("the program ended with status {status}: r runs it again")
            }
            ProgramState::Stopped | ProgramState::Trapped => "there is no frame".to_owned(),
        }
    }
}

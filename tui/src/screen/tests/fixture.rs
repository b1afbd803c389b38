//! A made-up program at a made-up stop, and a screen that is fed by hand.

use std::path::PathBuf;
use std::sync::Arc;

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use wdb_debugger::event::{CommandStatus, Event, RequestId, Stream};
use wdb_debugger::view::{
    BreakpointView, Disassembly, FrameView, InstructionView, LabelView, PlaceView, ProgramState,
    SelectedFrame, SlotView, SourceSpot, SourceText, ValueView, VariableView, View,
};

use crate::screen::app::{Answer, App, Effect, Question};
use crate::screen::draw::draw;
use crate::screen::keymap::Chord;
use crate::screen::theme::Theme;

pub(super) const FILE: &str = "/src/fib.c";

const SOURCE: &str = "\
#include <stdio.h>

struct point { int x, y; };

static int fib(int n) {
\tstruct point p = { n, 2 };
\tif (n < 2)
\t\treturn n;
\treturn fib(n - 1) + fib(n - 2);
}

int main(void) {
\tprintf(\"%d\\n\", fib(10)); /* the answer */
\treturn 0;
}
";

/// Lines of the source that have code, and the first instruction of each.
const CODE_LINES: [(u32, u32); 6] = [
    (6, 0x103),
    (7, 0x10c),
    (8, 0x113),
    (9, 0x118),
    (13, 0x200),
    (14, 0x20a),
];

pub(super) fn spot(line: u32) -> SourceSpot {
    SourceSpot {
        recorded: Arc::from(FILE),
        resolved: Some(Arc::new(PathBuf::from(FILE))),
        line,
        column: 1,
    }
}

fn source() -> SourceText {
    SourceText {
        path: PathBuf::from(FILE),
        lines: SOURCE.lines().map(str::to_owned).collect(),
        code_lines: CODE_LINES.iter().map(|(line, _)| *line).collect(),
    }
}

fn instruction(
    pc: u32,
    nesting: u32,
    text: &str,
    effect: &'static str,
    line: u32,
) -> InstructionView {
    InstructionView {
        pc,
        nesting,
        text: text.to_owned(),
        explanation: match text.split('.').next() {
            Some("local") => "reads or writes a local variable",
            Some("i32") => "computes with 32-bit integers",
            _ => "changes where execution goes on",
        },
        effect,
        source: Some((Arc::from(FILE), line)),
    }
}

fn fib_code() -> Disassembly {
    Disassembly {
        func_index: 7,
        function: "fib".to_owned(),
        signature: "(param i32) (result i32)".to_owned(),
        lines: vec![
            instruction(0x103, 0, "local.get $n", "[] -> [i32]", 6),
            instruction(0x105, 0, "local.set $p", "[i32] -> []", 6),
            instruction(0x107, 0, "block", "[] -> []", 6),
            instruction(0x10c, 1, "local.get $n", "[] -> [i32]", 7),
            instruction(0x10e, 1, "i32.const 2", "[] -> [i32]", 7),
            instruction(0x110, 1, "i32.lt_s", "[i32 i32] -> [i32]", 7),
            instruction(0x111, 1, "br_if 0", "[i32] -> []", 7),
            instruction(0x113, 1, "local.get $n", "[] -> [i32]", 8),
            instruction(0x115, 1, "return", "[t*] -> [t*]", 8),
            instruction(0x116, 0, "end", "[] -> []", 8),
            instruction(0x118, 0, "local.get $n", "[] -> [i32]", 9),
            instruction(0x11a, 0, "call $fib", "[i32] -> [i32]", 9),
            instruction(0x11c, 0, "end", "[] -> []", 9),
        ],
    }
}

fn main_code() -> Disassembly {
    Disassembly {
        func_index: 8,
        function: "main".to_owned(),
        signature: "(result i32)".to_owned(),
        lines: vec![
            instruction(0x200, 0, "i32.const 10", "[] -> [i32]", 13),
            instruction(0x202, 0, "call $fib", "[i32] -> [i32]", 13),
            instruction(0x20a, 0, "i32.const 0", "[] -> [i32]", 14),
            instruction(0x20c, 0, "end", "[] -> []", 14),
        ],
    }
}

fn slot(index: usize, name: Option<&str>, text: &str, changed: bool) -> SlotView {
    SlotView {
        index,
        name: name.map(str::to_owned),
        type_name: "i32".to_owned(),
        text: text.to_owned(),
        children: Vec::new(),
        changed,
    }
}

fn value(text: &str) -> ValueView {
    ValueView {
        text: text.to_owned(),
        children: Vec::new(),
    }
}

fn frame(index: usize, function: &str, func_index: u32, pc: u32, line: u32) -> FrameView {
    FrameView {
        index,
        function: function.to_owned(),
        func_index,
        pc,
        source: Some(spot(line)),
        inlined: false,
        arguments: if function == "fib" {
            vec![("n".to_owned(), "10".to_owned())]
        } else {
            Vec::new()
        },
    }
}

/// A stop in `fib`, at the comparison.
pub(super) fn stop() -> View {
    let point = ValueView {
        text: "{x = 10, y = 2}".to_owned(),
        children: vec![("x".to_owned(), value("10")), ("y".to_owned(), value("2"))],
    };
    let variable = |name: &str, type_name: &str, argument, value, changed| VariableView {
        name: name.to_owned(),
        type_name: type_name.to_owned(),
        argument,
        value,
        changed,
    };
    View {
        state: ProgramState::Stopped,
        reason: "Breakpoint 1, fib (n=10) at fib.c:7".to_owned(),
        tick: 1_204_331,
        tier: "classic",
        frames: vec![
            frame(0, "fib", 7, 0x110, 7),
            frame(1, "main", 8, 0x202, 13),
            FrameView {
                source: None,
                ..frame(2, "_start", 3, 0x58, 0)
            },
        ],
        frame_count: 3,
        selected: Some(SelectedFrame {
            index: 0,
            func_index: 7,
            pc: 0x110,
            source: Some(spot(7)),
            variables: vec![
                variable("n", "int", true, value("10"), true),
                variable("p", "struct point", false, point, false),
                variable("s", "char *", false, value("0x418 \"abc\""), false),
            ],
            locals: vec![slot(0, Some("n"), "10", true), slot(1, None, "-1", false)],
            operands: vec![slot(0, None, "10", false), slot(1, None, "2", true)],
            labels: vec![
                label("function", 0x100, 0x11d, 1),
                label("block", 0x107, 0x117, 0),
            ],
        }),
        breakpoints: vec![breakpoint(1, 7, None), breakpoint(2, 14, Some("n > 3"))],
        memory_bytes: Some(0x20000),
    }
}

fn label(kind: &'static str, start: u32, target: u32, arity: usize) -> LabelView {
    LabelView {
        kind,
        start,
        target,
        height: 0,
        arity,
    }
}

fn breakpoint(number: u32, line: u32, condition: Option<&str>) -> BreakpointView {
    let pc = CODE_LINES
        .iter()
        .find(|(code_line, _)| *code_line == line)
        .map_or(0, |(_, pc)| *pc);
    BreakpointView {
        number,
        enabled: number != 2,
        temporary: false,
        spec: format!("fib.c:{line}"),
        condition: condition.map(str::to_owned),
        hits: 3,
        places: vec![PlaceView {
            pc,
            function: "fib".to_owned(),
            source: Some(spot(line)),
        }],
    }
}

/// What the fixture's program lacks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lack {
    Nothing,
    DebugInfo,
    SourceFile,
}

/// A screen, the questions it asks answered at once.
pub(super) struct Screen {
    pub(super) app: App,
    /// What the screen asked the session to do, in words.
    pub(super) done: Vec<String>,
    lack: Lack,
    requests: u64,
}

impl Screen {
    pub(super) fn new(width: u16, height: u16) -> Screen {
        Screen::lacking(width, height, Lack::Nothing)
    }

    pub(super) fn lacking(width: u16, height: u16, lack: Lack) -> Screen {
        let theme = Theme::named("none").expect("the theme exists");
        let size = Rect::new(0, 0, width, height);
        let has_debug_info = lack != Lack::DebugInfo;
        let history = vec!["info locals".to_owned(), "break fib".to_owned()];
        let mut screen = Screen {
            app: App::new("fib.wasm".to_owned(), has_debug_info, theme, size, history),
            done: Vec::new(),
            lack,
            requests: 0,
        };
        screen.serve();
        screen
    }

    /// A screen at the stop in `fib`.
    pub(super) fn stopped(width: u16, height: u16) -> Screen {
        let mut screen = Screen::new(width, height);
        screen.event(Event::Stopped(Arc::new(stop())));
        screen
    }

    /// Presses keys, spelled as in the table of actions. A word of several letters that is no key is typed.
    pub(super) fn keys(&mut self, keys: &str) -> &mut Screen {
        for word in keys.split(' ') {
            match Chord::parse(word) {
                Some(chord) => self.press(chord),
                None => self.text(word),
            }
        }
        self
    }

    /// Types text, spaces included.
    pub(super) fn text(&mut self, text: &str) {
        for c in text.chars() {
            let mut utf8 = [0; 4];
            if let Some(chord) = Chord::parse(c.encode_utf8(&mut utf8)) {
                self.press(chord);
            }
        }
    }

    fn press(&mut self, chord: Chord) {
        self.app.key(chord.press());
        self.serve();
    }

    pub(super) fn click(&mut self, column: u16, row: u16) -> &mut Screen {
        self.mouse(MouseEventKind::Down(MouseButton::Left), column, row)
    }

    pub(super) fn mouse(&mut self, kind: MouseEventKind, column: u16, row: u16) -> &mut Screen {
        self.app.mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        });
        self.serve();
        self
    }

    pub(super) fn event(&mut self, event: Event) -> &mut Screen {
        self.app.session_event(event);
        self.serve();
        self
    }

    pub(super) fn output(&mut self, stream: Stream, text: &str) -> &mut Screen {
        self.event(Event::Output {
            stream,
            bytes: Arc::from(text.as_bytes()),
        })
    }

    /// Ends the last command.
    pub(super) fn finish_command(&mut self, status: CommandStatus) -> &mut Screen {
        self.event(Event::Done {
            request: RequestId(self.requests),
            status,
        })
    }

    /// What was asked of the session since the last time.
    pub(super) fn take_done(&mut self) -> Vec<String> {
        std::mem::take(&mut self.done)
    }

    pub(super) fn serve(&mut self) {
        loop {
            let effects = self.app.take_effects();
            if effects.is_empty() {
                return;
            }
            for effect in effects {
                self.serve_one(effect);
            }
        }
    }

    fn serve_one(&mut self, effect: Effect) {
        match effect {
            Effect::Submit { line, typed } => {
                self.requests += 1;
                self.app.submitted(RequestId(self.requests), typed);
                self.done.push(line);
            }
            Effect::SubmitTyped(line) => match line.as_str() {
                // As the session would ask.
                "kill" => self.app.ask_before(line, "End it?".to_owned()),
                _ => self.serve_one(Effect::Submit { line, typed: true }),
            },
            Effect::Interrupt => self.done.push("(interrupt)".to_owned()),
            Effect::TypeInput(bytes) => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                self.done.push(format!("(input {text:?})"));
            }
            Effect::CloseInput => self.done.push("(end of input)".to_owned()),
            Effect::Remember(_) | Effect::Colour(_) => {}
            Effect::Redraw => self.done.push("(redraw)".to_owned()),
            Effect::Suspend => self.done.push("(suspend)".to_owned()),
            Effect::Quit(status) => self.done.push(format!("(quit {status})")),
            Effect::Ask(question) => {
                let answer = self.answer_to(question);
                self.app.answer(answer);
            }
        }
    }

    fn answer_to(&self, question: Question) -> Answer {
        match question {
            Question::Source(spot) => {
                let text = match self.lack {
                    Lack::SourceFile => Err(format!(
                        "{} is not on this machine: --source-map OLD=NEW says where it is",
                        spot.recorded
                    )),
                    _ => Ok(Arc::new(source())),
                };
                Answer::Source(spot.recorded, text)
            }
            Question::Disassembly(func_index) => {
                let code = [fib_code(), main_code()];
                let code = code.into_iter().find(|code| code.func_index == func_index);
                Answer::Disassembly(func_index, code.map(Arc::new))
            }
            Question::FrameWithSource(frames) => {
                let found = frames.first().map(|(index, _)| *index);
                Answer::FrameWithSource(found)
            }
            Question::Spot(pc) => {
                let line = CODE_LINES.iter().rev().find(|(_, first)| *first <= pc);
                Answer::Spot(pc, line.map(|(line, _)| spot(*line)))
            }
            Question::LinePcs { recorded, line } => {
                let pcs = CODE_LINES
                    .iter()
                    .filter(|(code_line, _)| *code_line == line)
                    .map(|(_, pc)| (*pc, Some(if *pc < 0x200 { 7 } else { 8 })));
                Answer::LinePcs {
                    recorded,
                    line,
                    pcs: pcs.collect(),
                }
            }
            Question::Memory {
                address,
                length,
                generation,
            } => {
                let tick = self.app.view.tick;
                let byte = |address: u64| match address {
                    0x418..0x41c => b"abc\0"[usize::try_from(address - 0x418).unwrap_or(0)],
                    0x420 => u8::try_from(tick % 251).unwrap_or(0),
                    _ => u8::try_from(address % 16).unwrap_or(0),
                };
                Answer::Memory {
                    address,
                    generation,
                    bytes: Some((address..address + length as u64).map(byte).collect()),
                }
            }
            Question::Completions { line, position } => {
                let start = line[..position].rfind(' ').map_or(0, |space| space + 1);
                let words = ["break", "backtrace", "breakpoints", "fib", "finish"];
                let typed = &line[start..position];
                let candidates = words.iter().filter(|word| word.starts_with(typed));
                Answer::Completions {
                    start,
                    candidates: candidates.map(|&word| word.to_owned()).collect(),
                    line,
                }
            }
        }
    }

    /// The screen and the position of its cursor.
    pub(super) fn draw(&self) -> (Buffer, Option<Position>) {
        let mut buffer = Buffer::empty(self.app.size);
        let cursor = draw(&self.app, &mut buffer);
        (buffer, cursor)
    }

    /// The screen as text.
    pub(super) fn picture(&self) -> String {
        let (buffer, cursor) = self.draw();
        let mut text = String::new();
        for row in 0..buffer.area.height {
            let mut line = String::new();
            for column in 0..buffer.area.width {
                line.push_str(buffer[(column, row)].symbol());
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        if let Some(position) = cursor {
            text.push_str(&format!("cursor at {}, {}\n", position.x, position.y));
        }
        text
    }

    /// The row that contains a text.
    pub(super) fn row_with(&self, text: &str) -> Option<u16> {
        let row = self
            .picture()
            .lines()
            .position(|line| line.contains(text))?;
        u16::try_from(row).ok()
    }
}

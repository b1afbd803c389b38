//! Where keys go when they are not actions: prompts, the palette, the help, a question.

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyModifiers};
use frizbee::{Config, Matcher};
use tui_input::backend::crossterm::to_input_request;
use tui_input::{Input, InputRequest};

use crate::display_text::Origin;
use crate::screen::actions::{Action, BINDINGS, Binding};
use crate::screen::app::{App, Effect, Question};
use crate::screen::draw::help_top_max;
use crate::screen::pane::Pane;

/// Who gets the keys.
pub(crate) enum Mode {
    /// The table of actions.
    Normal,
    /// A line of text.
    Prompt(Prompt),
    /// The list of actions.
    Palette(Palette),
    /// The help, scrolled down by some rows.
    Help {
        /// The first visible row.
        top: usize,
    },
    /// A question, to be answered with yes or no.
    Confirm(Confirmation),
}

/// What is done after a yes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Confirmation {
    /// Leave, though the program is alive.
    Quit,
    /// Perform a command.
    Command {
        /// The question.
        question: String,
        /// The command.
        line: String,
    },
}

impl Confirmation {
    /// The question.
    pub(crate) fn question(&self) -> &str {
        match self {
            Confirmation::Quit => "The program is alive. Quit anyway?",
            Confirmation::Command { question, .. } => question,
        }
    }
}

/// What a line of text is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PromptKind {
    /// A command for the session.
    Command,
    /// A text to find in the pane.
    Search,
    /// An address in memory.
    Address,
    /// A line for the guest's standard input.
    ProgramInput,
}

impl PromptKind {
    /// What stands before the line.
    pub(crate) fn label(self) -> &'static str {
        match self {
            PromptKind::Command => ":",
            PromptKind::Search => "/",
            PromptKind::Address => "address: ",
            PromptKind::ProgramInput => "input> ",
        }
    }
}

/// A line that is being typed.
pub(crate) struct Prompt {
    /// What for.
    pub(crate) kind: PromptKind,
    /// The line and its cursor.
    pub(crate) input: Input,
    /// Words that can stand here, after Tab.
    pub(crate) candidates: Vec<String>,
    /// The recalled entry of the history, and what was typed before.
    recalled: Option<(usize, String)>,
}

/// The list of actions, narrowed by what is typed.
pub(crate) struct Palette {
    /// What is typed.
    pub(crate) input: Input,
    /// The selected row.
    pub(crate) selected: usize,
    /// The actions that match, best first.
    pub(crate) matches: Vec<&'static Binding>,
}

/// A longer line than this is not typed by a person.
const LINE_CHARS_MAX: usize = 4096;

impl App {
    /// Whether a prompt of that kind is open.
    pub(crate) fn prompt_is(&self, kind: PromptKind) -> bool {
        matches!(&self.mode, Mode::Prompt(prompt) if prompt.kind == kind)
    }

    /// Opens a prompt.
    pub(super) fn open_prompt(&mut self, kind: PromptKind, text: String) {
        self.notice = None;
        self.mode = Mode::Prompt(Prompt {
            kind,
            input: Input::new(text),
            candidates: Vec::new(),
            recalled: None,
        });
    }

    pub(super) fn open_palette(&mut self) {
        self.mode = Mode::Palette(Palette {
            input: Input::default(),
            selected: 0,
            matches: matching_actions(""),
        });
    }

    /// A key while the mode is not normal.
    pub(super) fn mode_key(&mut self, key: KeyEvent) {
        let control_c =
            key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
        match &mut self.mode {
            Mode::Normal => {}
            Mode::Prompt(prompt) if control_c && prompt.kind == PromptKind::ProgramInput => {
                self.effects.push(Effect::Interrupt);
            }
            _ if control_c => {
                self.mode = Mode::Normal;
                if self.running {
                    self.effects.push(Effect::Interrupt);
                }
            }
            Mode::Prompt(_) => self.prompt_key(key),
            Mode::Palette(_) => self.palette_key(key),
            Mode::Help { top } => match key.code {
                KeyCode::Down | KeyCode::Char('j') => *top += 1,
                KeyCode::Up | KeyCode::Char('k') => *top = top.saturating_sub(1),
                KeyCode::PageDown | KeyCode::Char(' ') => *top += 10,
                KeyCode::PageUp => *top = top.saturating_sub(10),
                KeyCode::Home => *top = 0,
                _ => self.mode = Mode::Normal,
            },
            Mode::Confirm(confirmation) => {
                let confirmation = confirmation.clone();
                self.mode = Mode::Normal;
                let is_yes = matches!(key.code, KeyCode::Char('y' | 'Y') | KeyCode::Enter);
                match confirmation {
                    Confirmation::Quit if is_yes || key.code == KeyCode::Char('q') => {
                        self.effects.push(Effect::Quit(0));
                    }
                    Confirmation::Command { line, .. } if is_yes => {
                        self.effects.push(Effect::Submit { line, typed: true });
                    }
                    _ => {}
                }
            }
        }
        if let Mode::Help { top } = &mut self.mode {
            *top = (*top).min(help_top_max(self.size.height));
        }
    }

    /// Text was pasted.
    pub(crate) fn paste(&mut self, text: &str) {
        let Mode::Prompt(prompt) = &mut self.mode else {
            return;
        };
        if prompt.kind == PromptKind::ProgramInput && text.contains('\n') {
            let mut rest = text;
            while let Some((line, tail)) = rest.split_once('\n') {
                self.insert(line);
                self.accept_prompt();
                rest = tail;
            }
            self.insert(rest);
        } else {
            self.insert(&text.replace(['\n', '\r'], " "));
        }
    }

    fn insert(&mut self, text: &str) {
        if let Mode::Prompt(prompt) = &mut self.mode {
            let room = LINE_CHARS_MAX.saturating_sub(prompt.input.value().chars().count());
            for c in text.chars().filter(|c| !c.is_control()).take(room) {
                prompt.input.handle(InputRequest::InsertChar(c));
            }
        }
    }

    fn prompt_key(&mut self, key: KeyEvent) {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let Mode::Prompt(prompt) = &mut self.mode else {
            return;
        };
        let kind = prompt.kind;
        match key.code {
            KeyCode::Enter => self.accept_prompt(),
            KeyCode::Esc => {
                if kind == PromptKind::ProgramInput {
                    self.leave_program_input();
                } else {
                    self.mode = Mode::Normal;
                }
            }
            KeyCode::Char('d') if control && kind == PromptKind::ProgramInput => {
                self.end_program_input();
            }
            KeyCode::Up if kind == PromptKind::Command => self.recall(true),
            KeyCode::Down if kind == PromptKind::Command => self.recall(false),
            KeyCode::Tab if kind == PromptKind::Command => {
                let line = prompt.input.value().to_owned();
                let position = line
                    .char_indices()
                    .nth(prompt.input.cursor())
                    .map_or(line.len(), |(position, _)| position);
                self.effects
                    .push(Effect::Ask(Question::Completions { line, position }));
            }
            KeyCode::Backspace if prompt.input.value().is_empty() => {
                if kind != PromptKind::ProgramInput {
                    self.mode = Mode::Normal;
                }
            }
            _ => {
                prompt.candidates.clear();
                if let Some(request) = to_input_request(&TerminalEvent::Key(key)) {
                    let full = prompt.input.value().chars().count() >= LINE_CHARS_MAX;
                    if !(full && matches!(request, InputRequest::InsertChar(_))) {
                        prompt.input.handle(request);
                    }
                }
            }
        }
    }

    fn accept_prompt(&mut self) {
        let Mode::Prompt(prompt) = &mut self.mode else {
            return;
        };
        let kind = prompt.kind;
        let line = prompt.input.value_and_reset();
        prompt.candidates.clear();
        if kind == PromptKind::ProgramInput {
            self.append(Pane::Output, |transcript| {
                transcript.push_text(Origin::Typed, &line);
                transcript.push_text(Origin::Typed, "\n");
            });
            self.effects
                .push(Effect::TypeInput(format!("{line}\n").into_bytes()));
            return;
        }
        self.mode = Mode::Normal;
        match kind {
            PromptKind::Command => self.typed_command(line),
            PromptKind::Search => {
                if !line.is_empty() {
                    self.search = line;
                }
                self.search_next(true);
            }
            PromptKind::Address => {
                let text = line.trim();
                let address = match text.strip_prefix("0x") {
                    Some(digits) => u64::from_str_radix(digits, 16).ok(),
                    None => text.parse().ok(),
                };
                match address {
                    Some(address) => self.go_to_address(address),
                    None => self.notify(
                        "an address is a number such as 0x418 or 1048".to_owned(),
                        true,
                    ),
                }
            }
            PromptKind::ProgramInput => {}
        }
    }

    fn typed_command(&mut self, line: String) {
        if self.running {
            self.notify("the program runs: Ctrl-C stops it".to_owned(), true);
            return;
        }
        self.append(Pane::Console, |transcript| {
            transcript.push_lines(Origin::Typed, &format!("(wdb) {line}"));
        });
        if !line.trim().is_empty() && self.history.last() != Some(&line) {
            if self.history.len() >= Self::HISTORY_MAX {
                self.history.remove(0);
            }
            self.history.push(line.clone());
            self.effects.push(Effect::Remember(line.clone()));
        }
        self.effects.push(Effect::SubmitTyped(line));
    }

    /// A typed command cannot be taken back.
    pub(crate) fn ask_before(&mut self, line: String, question: String) {
        self.mode = Mode::Confirm(Confirmation::Command { question, line });
    }

    /// Ctrl-D: like a terminal, hands over what is typed without a line end; at the beginning of a line it ends the input.
    fn end_program_input(&mut self) {
        let Mode::Prompt(prompt) = &mut self.mode else {
            return;
        };
        let text = prompt.input.value_and_reset();
        if text.is_empty() {
            self.effects.push(Effect::CloseInput);
            self.append(Pane::Output, |transcript| {
                transcript.push_lines(Origin::Typed, "[end of input]");
            });
            self.leave_program_input();
        } else {
            self.append(Pane::Output, |transcript| {
                transcript.push_text(Origin::Typed, &text);
            });
            self.effects.push(Effect::TypeInput(text.into_bytes()));
        }
    }

    fn recall(&mut self, older: bool) {
        let Mode::Prompt(prompt) = &mut self.mode else {
            return;
        };
        let (position, typed) = match prompt.recalled.take() {
            Some((position, typed)) => (position, typed),
            None => (self.history.len(), prompt.input.value().to_owned()),
        };
        // Only entries that begin with what was typed are recalled, as shells do it.
        let mut candidates: Box<dyn Iterator<Item = usize>> = if older {
            Box::new((0..position).rev())
        } else {
            Box::new(position + 1..self.history.len())
        };
        let found = candidates.find(|index| self.history[*index].starts_with(&typed));
        match found {
            Some(index) => {
                prompt.input = Input::new(self.history[index].clone());
                prompt.recalled = Some((index, typed));
            }
            None if older => prompt.recalled = Some((position, typed)),
            None => prompt.input = Input::new(typed),
        }
    }

    /// Completions arrived; they count if the line is still the same.
    pub(super) fn completions(&mut self, line: &str, start: usize, candidates: Vec<String>) {
        let Mode::Prompt(prompt) = &mut self.mode else {
            return;
        };
        if prompt.input.value() != line || !line.is_char_boundary(start) {
            return;
        }
        let common = common_prefix(&candidates);
        let position = line
            .char_indices()
            .nth(prompt.input.cursor())
            .map_or(line.len(), |(position, _)| position)
            .max(start);
        let single = candidates.len() == 1;
        if single || common.len() > position - start {
            let end = if single && position == line.len() && !common.ends_with('/') {
                " "
            } else {
                ""
            };
            let head = format!("{}{common}{end}", &line[..start]);
            let cursor = head.chars().count();
            let text = format!("{head}{}", &line[position..]);
            prompt.input = Input::new(text).with_cursor(cursor);
        }
        prompt.candidates = if single { Vec::new() } else { candidates };
    }

    fn palette_key(&mut self, key: KeyEvent) {
        let Mode::Palette(palette) = &mut self.mode else {
            return;
        };
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Esc => self.mode = Mode::Normal,
            KeyCode::Enter => {
                let action: Option<Action> = palette
                    .matches
                    .get(palette.selected)
                    .map(|binding| binding.action);
                self.mode = Mode::Normal;
                if let Some(action) = action {
                    self.act(action);
                }
            }
            KeyCode::Up => palette.selected = palette.selected.saturating_sub(1),
            KeyCode::Char('p') if control => {
                palette.selected = palette.selected.saturating_sub(1);
            }
            KeyCode::Down => palette.move_down(),
            KeyCode::Char('n') if control => palette.move_down(),
            _ => {
                if let Some(request) = to_input_request(&TerminalEvent::Key(key)) {
                    palette.input.handle(request);
                    palette.matches = matching_actions(palette.input.value());
                    palette.selected = 0;
                }
            }
        }
    }
}

impl Palette {
    fn move_down(&mut self) {
        let last = self.matches.len().saturating_sub(1);
        self.selected = (self.selected + 1).min(last);
    }
}

/// The actions that match what was typed, best first; all of them for nothing.
fn matching_actions(needle: &str) -> Vec<&'static Binding> {
    if needle.trim().is_empty() {
        return BINDINGS.iter().collect();
    }
    let haystacks: Vec<String> = BINDINGS
        .iter()
        .map(|binding| format!("{} {}", binding.name, binding.help))
        .collect();
    let mut matcher = Matcher::new(needle.trim(), &Config::default());
    matcher
        .match_list(&haystacks)
        .iter()
        .filter_map(|found| BINDINGS.get(usize::try_from(found.index).ok()?))
        .collect()
}

fn common_prefix(candidates: &[String]) -> String {
    let Some((first, rest)) = candidates.split_first() else {
        return String::new();
    };
    let length = rest.iter().fold(first.len(), |length, candidate| {
        let same = first
            .bytes()
            .zip(candidate.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        length.min(same)
    });
    let mut length = length;
    while !first.is_char_boundary(length) {
        length -= 1;
    }
    first[..length].to_owned()
}

#[cfg(test)]
mod tests {
    use super::{common_prefix, matching_actions};
    use crate::screen::actions::Action;

    #[test]
    fn the_palette_finds_actions_by_parts_of_their_names() {
        let best = |needle| matching_actions(needle).first().map(|found| found.action);
        assert_eq!(best("zoom"), Some(Action::Zoom));
        assert_eq!(best("stepi"), Some(Action::StepInstruction));
        assert_eq!(best("hexa"), Some(Action::ToggleHex));
        assert!(matching_actions("qqqqzzzz").is_empty());
    }

    #[test]
    fn the_common_prefix_ends_at_a_character() {
        let words = |words: &[&str]| words.iter().map(|&w| w.to_owned()).collect::<Vec<_>>();
        assert_eq!(common_prefix(&words(&["break", "breakpoint"])), "break");
        assert_eq!(common_prefix(&words(&["é", "è"])), "");
        assert_eq!(common_prefix(&[]), "");
    }
}

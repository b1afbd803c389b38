//! What is asked before a command that cannot be taken back.
//!
//! Front ends ask, and submit the command only after a yes: the machine's thread never waits for anybody. Scripts are not asked.

use crate::commands::{commands, first_word, lookup};
use crate::complete::Vocabulary;
use crate::view::{ProgramState, View};

/// The question, without what to answer; `None` for what needs none.
pub(crate) fn question(view: &View, vocabulary: &Vocabulary, line: &str) -> Option<String> {
    let (name, rest) = first_word(line);
    let own = vocabulary.commands.iter().find(|(known, _)| known == name);
    let line = match own {
        Some((_, Some(target))) => format!("{target} {rest}"),
        Some((_, None)) => return None,
        None => line.to_owned(),
    };
    let found = lookup(commands(), &line).ok()?;
    let is_alive = matches!(view.state, ProgramState::Stopped | ProgramState::Trapped);
    let (word, arguments) = first_word(found.arguments);
    let program = "The program is being debugged.";
    Some(match (found.command.name, word) {
        ("delete", "") | ("delete", "breakpoints") | ("breakpoint", "delete")
            if arguments.is_empty() && !view.breakpoints.is_empty() =>
        {
            "Delete all breakpoints?".to_owned()
        }
        ("undisplay", "") | ("delete", "display")
            if arguments.is_empty() && vocabulary.has_displays =>
        {
            "Delete all displays?".to_owned()
        }
        ("define", name) if vocabulary.commands.iter().any(|(known, _)| known == name) => {
            format!("Redefine the command \"{name}\"?")
        }
        ("run" | "start" | "starti", _) | ("process", "launch") if is_alive => {
            format!("{program} Start it from the beginning?")
        }
        ("kill", _) | ("process", "kill") if is_alive => format!("{program} End it?"),
        ("quit", _) if is_alive => format!("{program} Leave it?"),
        ("file", _) | ("target", "create") if is_alive => {
            format!("{program} Open another one instead?")
        }
        ("return", _) if is_alive => {
            let selected = view.selected.as_ref()?;
            let frame = view
                .frames
                .iter()
                .find(|frame| frame.index == selected.index)?;
            format!("Make {} return now?", frame.function)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::question;
    use crate::complete::Vocabulary;
    use crate::view::{BreakpointView, ProgramState, View};

    #[test]
    fn what_cannot_be_taken_back_is_asked_about() {
        let mut view = View::default();
        let mut vocabulary = Vocabulary::default();
        let asked =
            |view: &View, vocabulary: &Vocabulary, line| question(view, vocabulary, line).is_some();
        for line in [
            "delete",
            "run",
            "quit",
            "kill",
            "print 1",
            "undisplay",
            "define own",
            "nosuch",
        ] {
            assert!(!asked(&view, &vocabulary, line), "{line}");
        }
        view.breakpoints.push(BreakpointView {
            number: 1,
            enabled: true,
            temporary: false,
            spec: String::new(),
            condition: None,
            hits: 0,
            places: Vec::new(),
        });
        view.state = ProgramState::Stopped;
        vocabulary.has_displays = true;
        vocabulary.commands = vec![
            ("own".to_owned(), None),
            ("stop".to_owned(), Some("kill".to_owned())),
        ];
        for line in [
            "d",
            "delete",
            "del breakpoints",
            "breakpoint delete",
            "r",
            "run 1 2",
            "starti",
            "process launch",
            "k",
            "q",
            "exit",
            "quit 3",
            "undisplay",
            "delete display",
            "define own",
            "stop",
            "file x.wasm",
        ] {
            assert!(asked(&view, &vocabulary, line), "{line}");
        }
        for line in [
            "delete 1",
            "undisplay 2",
            "delete display 3",
            "define other",
            "continue",
            "own",
            "breakpoint delete 1",
        ] {
            assert!(!asked(&view, &vocabulary, line), "{line}");
        }
    }
}

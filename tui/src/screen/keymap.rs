//! From key presses to actions.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::screen::actions::{Action, BINDINGS};

/// A key with its modifiers, in one normal form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

impl Chord {
    /// The chord of a key press. Shift is part of a character, and Ctrl makes letters small, whatever the terminal reports.
    pub(crate) fn of(key: KeyEvent) -> Chord {
        let mut modifiers =
            key.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let code = match key.code {
            KeyCode::Char(c) => {
                modifiers.remove(KeyModifiers::SHIFT);
                if modifiers.contains(KeyModifiers::CONTROL) {
                    KeyCode::Char(c.to_ascii_lowercase())
                } else {
                    KeyCode::Char(c)
                }
            }
            KeyCode::BackTab => {
                modifiers.insert(KeyModifiers::SHIFT);
                KeyCode::Tab
            }
            code => code,
        };
        Chord { code, modifiers }
    }

    /// Reads the table's spelling of a chord (`Ctrl-W`, `Shift-F11`, `PageUp`, `b`).
    pub(crate) fn parse(text: &str) -> Option<Chord> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        loop {
            if let Some(tail) = rest.strip_prefix("Ctrl-") {
                modifiers.insert(KeyModifiers::CONTROL);
                rest = tail;
            } else if let Some(tail) = rest.strip_prefix("Shift-") {
                modifiers.insert(KeyModifiers::SHIFT);
                rest = tail;
            } else {
                break;
            }
        }
        let mut chars = rest.chars();
        let code = match (chars.next()?, chars.as_str()) {
            (c, "") if modifiers.contains(KeyModifiers::CONTROL) => {
                KeyCode::Char(c.to_ascii_lowercase())
            }
            (c, "") => KeyCode::Char(c),
            ('F', digits) if digits.parse::<u8>().is_ok() => KeyCode::F(digits.parse().ok()?),
            _ => match rest {
                "Enter" => KeyCode::Enter,
                "Esc" => KeyCode::Esc,
                "Tab" => KeyCode::Tab,
                "Up" => KeyCode::Up,
                "Down" => KeyCode::Down,
                "Left" => KeyCode::Left,
                "Right" => KeyCode::Right,
                "PageUp" => KeyCode::PageUp,
                "PageDown" => KeyCode::PageDown,
                "Home" => KeyCode::Home,
                "End" => KeyCode::End,
                "Backspace" => KeyCode::Backspace,
                _ => return None,
            },
        };
        Some(Chord { code, modifiers })
    }

    /// A press of the chord, as a terminal would report it.
    #[cfg(test)]
    pub(crate) fn press(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }
}

/// What a key sequence means so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lookup {
    /// It is complete.
    Action(Action),
    /// More keys must follow.
    Prefix,
    /// It means nothing.
    Nothing,
}

/// The table of actions, read for looking up keys.
pub(crate) struct Keymap {
    entries: Vec<(Vec<Chord>, Action)>,
}

impl Keymap {
    /// The keymap of the table.
    pub(crate) fn new() -> Keymap {
        let rows = BINDINGS.iter().flat_map(|binding| {
            binding
                .keys
                .iter()
                .map(|keys| (parse_sequence(keys), binding.action))
        });
        Keymap {
            entries: rows.collect(),
        }
    }

    /// Looks up a sequence of chords.
    pub(crate) fn look_up(&self, sequence: &[Chord]) -> Lookup {
        let mut prefix = false;
        for (chords, action) in &self.entries {
            if chords == sequence {
                return Lookup::Action(*action);
            }
            prefix |= chords.starts_with(sequence);
        }
        if prefix {
            Lookup::Prefix
        } else {
            Lookup::Nothing
        }
    }
}

/// The table's spelling is checked by a test, so a chord that cannot be read is left out here.
fn parse_sequence(keys: &str) -> Vec<Chord> {
    keys.split(' ').filter_map(Chord::parse).collect()
}

#[cfg(test)]
mod tests {
    use super::{Chord, Keymap, parse_sequence};
    use crate::screen::actions::BINDINGS;

    #[test]
    fn every_key_of_the_table_can_be_read() {
        for binding in BINDINGS {
            for keys in binding.keys {
                for chord in keys.split(' ') {
                    assert!(Chord::parse(chord).is_some(), "{chord} in {keys}");
                }
            }
        }
    }

    #[test]
    fn no_key_hides_another() {
        let keymap = Keymap::new();
        for (index, (chords, action)) in keymap.entries.iter().enumerate() {
            for (other, other_action) in &keymap.entries[index + 1..] {
                assert!(
                    !chords.starts_with(other) && !other.starts_with(chords),
                    "{action:?} and {other_action:?} share keys"
                );
            }
        }
    }

    #[test]
    fn terminals_report_the_same_key_in_several_ways() {
        use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
        let shifted = KeyEvent::new(KeyCode::Char('B'), KeyModifiers::SHIFT);
        assert_eq!(vec![Chord::of(shifted)], parse_sequence("B"));
        let upper = KeyEvent::new(
            KeyCode::Char('P'),
            KeyModifiers::CONTROL | KeyModifiers::SHIFT,
        );
        assert_eq!(vec![Chord::of(upper)], parse_sequence("Ctrl-P"));
        let back_tab = KeyEvent::new(KeyCode::BackTab, KeyModifiers::NONE);
        assert_eq!(vec![Chord::of(back_tab)], parse_sequence("Shift-Tab"));
    }
}

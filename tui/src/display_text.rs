//! Text that is safe to put on a screen: no byte of the guest's output, of a file name or of a source file reaches the terminal as a control sequence.

use std::borrow::Cow;
use std::collections::VecDeque;

use unicode_width::UnicodeWidthChar;

/// How far apart tab stops are when source text is shown.
pub(crate) const TAB_COLUMNS: usize = 4;

/// The character that stands for `c` on the screen: itself, or a visible replacement for a control character.
///
/// Bidirectional overrides are replaced as well: they would show code in another order than it has.
pub(crate) fn visible_char(c: char) -> char {
    match c {
        '\0'..='\x1f' => char::from_u32(0x2400 + c as u32).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            char::REPLACEMENT_CHARACTER
        }
        _ => c,
    }
}

/// `text` with every control character made visible.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| visible_char(c) == c) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().map(visible_char).collect())
    }
}

/// Appends `text` to `out` with tabs expanded to spaces, given that `out` starts at a tab stop and `column` columns are already used.
///
/// Returns the column after the text.
pub(crate) fn push_expanded(out: &mut String, text: &str, mut column: usize) -> usize {
    for c in text.chars() {
        if c == '\t' {
            let spaces = TAB_COLUMNS - column % TAB_COLUMNS;
            out.extend(std::iter::repeat_n(' ', spaces));
            column += spaces;
        } else {
            let c = visible_char(c);
            out.push(c);
            column += c.width().unwrap_or(0);
        }
    }
    column
}

/// Where a part of a transcript's line came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Origin {
    /// The guest's standard output.
    Stdout,
    /// The guest's standard error.
    Stderr,
    /// What the user typed for the guest, or a command.
    Typed,
    /// The debugger's messages.
    Message,
    /// The debugger's errors.
    Error,
}

/// A part of a line with one origin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Piece {
    /// Where it came from.
    pub(crate) origin: Origin,
    /// Its text; holds no control characters.
    pub(crate) text: String,
}

/// One row of a transcript.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Row {
    /// Its text.
    pub(crate) pieces: Vec<Piece>,
    /// Whether it goes on with the line of the row before.
    continues: bool,
}

/// A bounded scroll-back of text from a stream of arbitrary bytes, wrapped to a width.
///
/// Control sequences are removed; other control characters become visible. Chunks may end anywhere, in the middle of a
/// UTF-8 sequence or of a control sequence.
#[derive(Debug)]
pub(crate) struct Transcript {
    rows: VecDeque<Row>,
    /// How many rows fell out at the beginning.
    dropped: u64,
    /// How many columns a row has.
    width: usize,
    /// The columns of the last row that are used.
    last_row_columns: usize,
    /// The bytes of the last row: characters without a width do not fill columns.
    last_row_bytes: usize,
    /// Whether the last line is ended and the next text opens a new one.
    line_ended: bool,
    /// Whether a carriage return was seen: the next text replaces the line.
    returned: bool,
    escape: Escape,
    /// An incomplete UTF-8 sequence from the end of the last chunk.
    partial: Vec<u8>,
}

/// How far the reader is within a control sequence (ECMA-48).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Escape {
    /// In plain text.
    None,
    /// After ESC.
    Started,
    /// In a control sequence (CSI), up to its final byte.
    Control,
    /// In a string (OSC, DCS, ...), up to BEL or ESC `\`.
    String,
    /// After ESC within a string.
    StringEnding,
}

impl Transcript {
    /// How many rows are kept.
    pub(crate) const ROWS_MAX: usize = 10_000;
    /// How many bytes a row has at the most.
    const ROW_BYTES_MAX: usize = 4096;

    /// An empty transcript.
    pub(crate) fn new() -> Transcript {
        Transcript {
            rows: VecDeque::new(),
            dropped: 0,
            width: 80,
            last_row_columns: 0,
            last_row_bytes: 0,
            line_ended: true,
            returned: false,
            escape: Escape::None,
            partial: Vec::new(),
        }
    }

    /// The rows that are kept.
    pub(crate) fn rows(&self) -> &VecDeque<Row> {
        &self.rows
    }

    /// How many rows fell out at the beginning.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The text of one row.
    pub(crate) fn row_text(&self, index: usize) -> Option<String> {
        let row = self.rows.get(index)?;
        Some(row.pieces.iter().map(|piece| piece.text.as_str()).collect())
    }

    /// Wraps to another width.
    pub(crate) fn set_width(&mut self, width: usize) {
        let width = width.max(1);
        if width == self.width {
            return;
        }
        self.width = width;
        let (line_ended, returned) = (self.line_ended, self.returned);
        for (index, row) in std::mem::take(&mut self.rows).into_iter().enumerate() {
            if index == 0 || !row.continues {
                self.open_row(false);
            }
            for piece in row.pieces {
                for c in piece.text.chars() {
                    self.put_char(piece.origin, c);
                }
            }
        }
        (self.line_ended, self.returned) = (line_ended, returned);
    }

    /// Appends bytes of a stream.
    pub(crate) fn push_bytes(&mut self, origin: Origin, bytes: &[u8]) {
        let joined;
        let mut rest = if self.partial.is_empty() {
            bytes
        } else {
            self.partial.extend_from_slice(bytes);
            joined = std::mem::take(&mut self.partial);
            &joined[..]
        };
        loop {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    self.push_text(origin, text);
                    return;
                }
                Err(error) => {
                    let (good, bad) = rest.split_at(error.valid_up_to());
                    self.push_text(origin, &String::from_utf8_lossy(good));
                    let Some(bad_bytes) = error.error_len() else {
                        self.partial = bad.to_vec();
                        return;
                    };
                    self.push_char(origin, char::REPLACEMENT_CHARACTER);
                    rest = &bad[bad_bytes..];
                }
            }
        }
    }

    /// Appends text; `\n` ends a line.
    pub(crate) fn push_text(&mut self, origin: Origin, text: &str) {
        for c in text.chars() {
            self.push_stream_char(origin, c);
        }
    }

    /// Appends whole lines: starts on a new line, ends the last one.
    pub(crate) fn push_lines(&mut self, origin: Origin, text: &str) {
        self.line_ended = true;
        self.escape = Escape::None;
        self.push_text(origin, text);
        if self.line_ended && text.is_empty() {
            self.open_row(false);
        }
        self.line_ended = true;
    }

    fn push_stream_char(&mut self, origin: Origin, c: char) {
        self.escape = match (self.escape, c) {
            (Escape::None, '\x1b') => Escape::Started,
            (Escape::None, '\u{9b}') => Escape::Control,
            (Escape::None, _) => {
                self.push_plain_char(origin, c);
                Escape::None
            }
            (Escape::Started, '[') => Escape::Control,
            (Escape::Started, ']' | 'P' | 'X' | '^' | '_') => Escape::String,
            (Escape::Started, ' '..='/') => Escape::Started,
            (Escape::Started, _) => Escape::None,
            (Escape::Control, '\x20'..='\x3f') => Escape::Control,
            // A line's end within a sequence means that it was none; the line is not swallowed.
            (Escape::Control | Escape::String, '\n') => {
                self.push_plain_char(origin, c);
                Escape::None
            }
            (Escape::Control, _) => Escape::None,
            (Escape::String, '\x07' | '\u{9c}') => Escape::None,
            (Escape::String, '\x1b') => Escape::StringEnding,
            (Escape::String, _) => Escape::String,
            (Escape::StringEnding, _) => Escape::None,
        };
    }

    fn push_plain_char(&mut self, origin: Origin, c: char) {
        match c {
            '\n' => {
                if self.line_ended {
                    self.open_row(false);
                }
                self.line_ended = true;
                self.returned = false;
            }
            '\r' => self.returned = true,
            '\x07' => {}
            '\x08' => self.erase_char(),
            '\t' => {
                let column = if self.line_ended {
                    0
                } else {
                    self.last_row_columns
                };
                for _ in column % 8..8 {
                    self.push_char(origin, ' ');
                }
            }
            _ => self.push_char(origin, c),
        }
    }

    fn push_char(&mut self, origin: Origin, c: char) {
        if self.line_ended {
            self.open_row(false);
        }
        if self.returned {
            self.clear_line();
            self.returned = false;
        }
        self.put_char(origin, visible_char(c));
    }

    /// Appends a character to the last row, or to a new one where that is full.
    fn put_char(&mut self, origin: Origin, c: char) {
        let columns = c.width().unwrap_or(0);
        let full = self.last_row_columns + columns > self.width && self.last_row_columns > 0;
        if full || self.last_row_bytes >= Self::ROW_BYTES_MAX {
            self.open_row(true);
        }
        let Some(row) = self.rows.back_mut() else {
            return;
        };
        self.last_row_columns += columns;
        self.last_row_bytes += c.len_utf8();
        match row.pieces.last_mut() {
            Some(piece) if piece.origin == origin => piece.text.push(c),
            _ => row.pieces.push(Piece {
                origin,
                text: c.to_string(),
            }),
        }
    }

    /// Takes away the last line's text, as the text after a carriage return overwrites it.
    fn clear_line(&mut self) {
        while self.rows.len() > 1 && self.rows.back().is_some_and(|row| row.continues) {
            self.rows.pop_back();
        }
        if let Some(row) = self.rows.back_mut() {
            row.pieces.clear();
        }
        self.last_row_columns = 0;
        self.last_row_bytes = 0;
    }

    fn erase_char(&mut self) {
        if self.line_ended {
            return;
        }
        let Some(row) = self.rows.back_mut() else {
            return;
        };
        if let Some(piece) = row.pieces.last_mut() {
            if let Some(c) = piece.text.pop() {
                self.last_row_columns -= c.width().unwrap_or(0);
                self.last_row_bytes -= c.len_utf8();
            }
            if piece.text.is_empty() {
                row.pieces.pop();
            }
        }
    }

    fn open_row(&mut self, continues: bool) {
        if self.rows.len() == Self::ROWS_MAX {
            self.rows.pop_front();
            self.dropped += 1;
        }
        self.rows.push_back(Row {
            pieces: Vec::new(),
            continues,
        });
        self.last_row_columns = 0;
        self.last_row_bytes = 0;
        self.line_ended = false;
        if !continues {
            self.returned = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Origin, Transcript, visible};

    fn shown(chunks: &[&[u8]]) -> Vec<String> {
        let mut transcript = Transcript::new();
        for chunk in chunks {
            transcript.push_bytes(Origin::Stdout, chunk);
        }
        (0..transcript.rows().len())
            .filter_map(|index| transcript.row_text(index))
            .collect()
    }

    #[test]
    fn control_sequences_are_removed_wherever_chunks_end() {
        assert_eq!(
            shown(&[b"a\x1b[3", b"1mred\x1b[0m\x1b]0;title\x07b\x1b(Bc\n"]),
            ["aredbc"]
        );
        assert_eq!(shown(&[b"\x1b]52;c;AAAA", b"\nnext"]), ["", "next"]);
        assert_eq!(shown(&[b"\x1b[2J\x1b[Hx\x00y"]), ["x␀y"]);
    }

    #[test]
    fn broken_and_split_utf8_is_shown() {
        assert_eq!(shown(&["é".as_bytes()]), ["é"]);
        assert_eq!(shown(&[b"\xc3", b"\xa9!"]), ["é!"]);
        assert_eq!(shown(&[b"\xffx"]), ["\u{fffd}x"]);
    }

    #[test]
    fn carriage_return_backspace_and_tab_act_on_the_line() {
        assert_eq!(shown(&[b"10%\r", b"20%\r\nok\n"]), ["20%", "ok"]);
        assert_eq!(shown(&[b"ab\x08c"]), ["ac"]);
        assert_eq!(shown(&[b"a\tb"]), ["a       b"]);
        assert_eq!(shown(&[b"\n\nx"]), ["", "", "x"]);
    }

    #[test]
    fn long_lines_are_wrapped_and_wrapped_anew() {
        let mut transcript = Transcript::new();
        transcript.push_bytes(Origin::Stdout, &[b'x'; 200]);
        transcript.push_bytes(Origin::Stdout, b"\nshort\n");
        assert_eq!(transcript.rows().len(), 4);
        transcript.set_width(150);
        assert_eq!(transcript.rows().len(), 3);
        transcript.set_width(300);
        assert_eq!(transcript.row_text(1).as_deref(), Some("short"));
        transcript.push_bytes(Origin::Stdout, b"next");
        assert_eq!(transcript.row_text(2).as_deref(), Some("next"));
        transcript.set_width(2);
        transcript.push_bytes(Origin::Stdout, b"\rnew");
        assert_eq!(transcript.rows().len(), 100 + 3 + 2);
    }

    #[test]
    fn memory_is_bounded() {
        let mut transcript = Transcript::new();
        for _ in 0..Transcript::ROWS_MAX + 3 {
            transcript.push_bytes(Origin::Stderr, b"y\n");
        }
        assert_eq!(transcript.rows().len(), Transcript::ROWS_MAX);
        assert_eq!(transcript.dropped(), 3);
        // Combining characters have no width; a line of nothing else is cut as well.
        let accents = "\u{301}".repeat(Transcript::ROW_BYTES_MAX);
        transcript.push_text(Origin::Stdout, &accents);
        assert_eq!(transcript.dropped(), 3 + 2);
    }

    #[test]
    fn bidirectional_overrides_are_made_visible() {
        assert_eq!(visible("a\u{202e}b"), "a\u{fffd}b");
    }
}

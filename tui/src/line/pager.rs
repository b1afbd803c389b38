//! Long answers, page by page.
//!
//! Only somebody at a terminal is asked to go on: output that nobody reads must never wait.

use std::io::{self, Write};
use std::time::Duration;

use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::terminal;
use unicode_width::UnicodeWidthStr;
use wdb_debugger::Preferences;

/// What stands below a page.
const QUESTION: &str = "-- Enter: more, c: all, q: no more --";

/// What the user answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    More,
    All,
    Enough,
}

/// Counts the lines that a command prints.
#[derive(Debug)]
pub(super) struct Pager {
    /// Rows and columns of a page; `None` where nobody is asked.
    page: Option<(usize, usize)>,
    /// How many rows of the page are full.
    filled: usize,
    /// Whether the rest of the command's answer is dropped.
    is_dropping: bool,
}

impl Pager {
    pub(super) fn new() -> Pager {
        Pager {
            page: None,
            filled: 0,
            is_dropping: false,
        }
    }

    /// A command begins; its answer is paged if `is_at_terminal`.
    pub(super) fn begin(&mut self, preferences: &Preferences, is_at_terminal: bool) {
        let size = terminal::size()
            .ok()
            .filter(|_| is_at_terminal && preferences.pagination);
        self.page = size.and_then(|(columns, rows)| {
            let rows = preferences.height.unwrap_or(usize::from(rows));
            let columns = preferences.width.unwrap_or(usize::from(columns));
            page_of(rows, columns)
        });
        self.filled = 0;
        self.is_dropping = false;
    }

    /// Prints a text and a line end. Answers whether the user has seen enough of it now.
    pub(super) fn print(&mut self, text: &str) -> io::Result<bool> {
        let mut stdout = io::stdout().lock();
        if self.is_dropping {
            return Ok(false);
        }
        let Some((rows, columns)) = self.page else {
            stdout.write_all(text.as_bytes())?;
            stdout.write_all(b"\n")?;
            stdout.flush()?;
            return Ok(false);
        };
        for line in text.split('\n') {
            let height = rows_of(line, columns);
            if self.filled + height > rows && self.filled > 0 {
                stdout.flush()?;
                match ask(&mut stdout)? {
                    Answer::More => self.filled = 0,
                    Answer::All => {
                        self.page = None;
                        return self.print_rest(&mut stdout, text, line);
                    }
                    Answer::Enough => {
                        self.is_dropping = true;
                        return Ok(true);
                    }
                }
            }
            stdout.write_all(line.as_bytes())?;
            stdout.write_all(b"\n")?;
            self.filled += height;
        }
        stdout.flush()?;
        Ok(false)
    }

    /// Prints a text from one of its lines on.
    fn print_rest(&self, stdout: &mut dyn Write, text: &str, line: &str) -> io::Result<bool> {
        let start = line.as_ptr().addr() - text.as_ptr().addr();
        stdout.write_all(&text.as_bytes()[start..])?;
        stdout.write_all(b"\n")?;
        stdout.flush()?;
        Ok(false)
    }
}

/// A page leaves a row for the question. A terminal without room has no pages.
fn page_of(rows: usize, columns: usize) -> Option<(usize, usize)> {
    const ROWS_MIN: usize = 3;
    (ROWS_MIN..usize::MAX)
        .contains(&rows)
        .then_some((rows - 1, columns.max(1)))
}

/// How many rows of the terminal a line takes.
fn rows_of(line: &str, columns: usize) -> usize {
    line.width().div_ceil(columns).max(1)
}

/// Asks whether to go on, and takes the question away again.
fn ask(stdout: &mut dyn Write) -> io::Result<Answer> {
    terminal::enable_raw_mode()?;
    let answer = drop_early_keys().and_then(|()| {
        // Whatever is pressed once the question is seen answers it.
        write!(stdout, "\x1b[7m{QUESTION}\x1b[0m")?;
        stdout.flush()?;
        read_answer()
    });
    terminal::disable_raw_mode()?;
    write!(stdout, "\r\x1b[K")?;
    stdout.flush()?;
    answer
}

/// A key that was meant for an earlier page answers nothing.
fn drop_early_keys() -> io::Result<()> {
    while event::poll(Duration::ZERO)? {
        event::read()?;
    }
    Ok(())
}

fn read_answer() -> io::Result<Answer> {
    loop {
        let Event::Key(key) = event::read()? else {
            continue;
        };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        let has_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c' | 'd') if has_control => return Ok(Answer::Enough),
            KeyCode::Char('q' | 'Q') | KeyCode::Esc => return Ok(Answer::Enough),
            KeyCode::Char('c' | 'C') => return Ok(Answer::All),
            KeyCode::Enter | KeyCode::Char(' ' | 'y') | KeyCode::Down | KeyCode::PageDown => {
                return Ok(Answer::More);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{page_of, rows_of};

    #[test]
    fn long_lines_take_several_rows() {
        assert_eq!(rows_of("", 10), 1);
        assert_eq!(rows_of("0123456789", 10), 1);
        assert_eq!(rows_of("0123456789a", 10), 2);
        assert_eq!(rows_of("日本語日本語", 10), 2);
        assert_eq!(rows_of("0123456789a", usize::MAX), 1);
    }

    #[test]
    fn a_page_has_room_for_the_question() {
        assert_eq!(page_of(24, 80), Some((23, 80)));
        assert_eq!(page_of(2, 80), None);
        assert_eq!(page_of(usize::MAX, 80), None);
    }
}

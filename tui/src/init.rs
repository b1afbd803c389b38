//! Init files: commands that are performed at every start.
//!
//! The user's own lies under the XDG configuration directory. One that lies in the working directory may come from anybody, and
//! commands can run programs (`shell`), so it is performed only after the user has seen it and agreed. The answer is kept with
//! the path and a hash of the contents: another text is another question.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::history::{make_parent, xdg_directory};
use crate::script::ScriptItem;

/// Which init files are performed.
#[derive(Clone, Copy, Debug, Default)]
pub struct InitOptions {
    /// None.
    pub is_skipped: bool,
    /// The working directory's without a question.
    pub trusts: bool,
    /// Whether somebody at a terminal can be asked.
    pub can_ask: bool,
}

/// The file in the working directory.
const LOCAL_NAME: &str = ".wdbinit";
/// A larger file is not one that a person looks through and agrees to.
const BYTES_MAX: u64 = 1 << 20;
/// How many lines are shown before the question.
const LINES_SHOWN: usize = 20;

/// The init files to perform, in order. What cannot be read is told on the standard error.
#[must_use]
pub fn init_scripts(options: InitOptions) -> Vec<ScriptItem> {
    if options.is_skipped {
        return Vec::new();
    }
    let own = xdg_directory("XDG_CONFIG_HOME", ".config").map(|path| path.join("wdb/init"));
    let mut items: Vec<ScriptItem> = own.and_then(|path| read(&path)).into_iter().collect();
    items.extend(local_script(options));
    items
}

/// A file as something to perform; `None` if it is not there.
fn read(path: &Path) -> Option<ScriptItem> {
    let mut text = String::new();
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            eprintln!("wdb: {}: {error}", path.display());
            return None;
        }
    };
    match file.take(BYTES_MAX + 1).read_to_string(&mut text) {
        Ok(length) if length as u64 <= BYTES_MAX => Some(ScriptItem::Text {
            name: path.display().to_string(),
            text,
        }),
        Ok(_) => {
            eprintln!(
                "wdb: {}: an init file has at most {BYTES_MAX} bytes",
                path.display()
            );
            None
        }
        Err(error) => {
            eprintln!("wdb: {}: {error}", path.display());
            None
        }
    }
}

/// The working directory's file, if the user agrees to it.
fn local_script(options: InitOptions) -> Option<ScriptItem> {
    if !options.trusts && !options.can_ask {
        return None;
    }
    let item = read(Path::new(LOCAL_NAME))?;
    let ScriptItem::Text { text, .. } = &item else {
        return None;
    };
    if options.trusts {
        return Some(item);
    }
    let path = Path::new(LOCAL_NAME).canonicalize().ok()?;
    let record =
        xdg_directory("XDG_STATE_HOME", ".local/state").map(|path| path.join("wdb/trusted"));
    let known = record
        .as_deref()
        .and_then(|record| recorded(record, &path, text));
    let agrees = match known {
        Some(agrees) => agrees,
        None => {
            let agrees = ask(&path, text).unwrap_or(false);
            if let Some(record) = &record {
                remember(record, &path, text, agrees);
            }
            agrees
        }
    };
    agrees.then_some(item)
}

/// The line that records an answer, without its end; `None` for a path that fits no line.
fn record_line(path: &Path, text: &str, agrees: bool) -> Option<String> {
    let path = path.to_str().filter(|path| !path.contains('\n'))?;
    let hash = Sha256::digest(text.as_bytes());
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let answer = if agrees { "yes" } else { "no" };
    Some(format!("{answer} {hash} {path}"))
}

/// What the user answered about this text at this place the last time.
fn recorded(record: &Path, path: &Path, text: &str) -> Option<bool> {
    let (yes, no) = (
        record_line(path, text, true)?,
        record_line(path, text, false)?,
    );
    let lines = fs::read_to_string(record).ok()?;
    lines.lines().rev().find_map(|line| match line {
        line if line == yes => Some(true),
        line if line == no => Some(false),
        _ => None,
    })
}

/// Keeps an answer. One that cannot be kept is asked for again.
fn remember(record: &Path, path: &Path, text: &str, agrees: bool) {
    let Some(line) = record_line(path, text, agrees) else {
        return;
    };
    if make_parent(record)
        && let Ok(mut file) = OpenOptions::new().append(true).create(true).open(record)
    {
        let _ = writeln!(file, "{line}");
    }
}

/// Shows a file and asks whether to perform it.
fn ask(path: &Path, text: &str) -> io::Result<bool> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{} holds commands for wdb:", path.display())?;
    for line in text.lines().take(LINES_SHOWN) {
        writeln!(stdout, "  {}", harmless(line))?;
    }
    let more = text.lines().count().saturating_sub(LINES_SHOWN);
    if more > 0 {
        writeln!(stdout, "  ... and {more} more lines")?;
    }
    loop {
        write!(
            stdout,
            "Perform them, now and whenever the file is the same? (y or n) "
        )?;
        stdout.flush()?;
        let mut answer = String::new();
        if io::stdin().read_line(&mut answer)? == 0 {
            writeln!(stdout)?;
            return Ok(false);
        }
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ => {}
        }
    }
}

/// A line without what would make the terminal hide or change it.
fn harmless(line: &str) -> String {
    line.chars()
        .flat_map(|c| match c {
            '\t' => vec![' '; 4],
            c if c.is_control() || is_invisible(c) => c.escape_unicode().collect(),
            c => vec![c],
        })
        .collect()
}

/// Characters that turn the direction of text or take no room.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{harmless, recorded, remember};

    #[test]
    fn answers_hold_for_a_text_at_a_place() {
        let folder = std::env::temp_dir().join(format!("wdb-trust-test-{}", std::process::id()));
        let record = folder.join("wdb/trusted");
        let (here, there) = (Path::new("/a/.wdbinit"), Path::new("/b/.wdbinit"));
        assert_eq!(recorded(&record, here, "break main"), None);
        remember(&record, here, "break main", true);
        remember(&record, there, "shell rm", false);
        assert_eq!(recorded(&record, here, "break main"), Some(true));
        assert_eq!(recorded(&record, here, "break main\n"), None);
        assert_eq!(recorded(&record, there, "break main"), None);
        assert_eq!(recorded(&record, there, "shell rm"), Some(false));
        // The last answer counts.
        remember(&record, here, "break main", false);
        assert_eq!(recorded(&record, here, "break main"), Some(false));
        std::fs::remove_dir_all(&folder).expect("the folder is there");
    }

    #[test]
    fn what_is_shown_cannot_hide_anything() {
        assert_eq!(
            harmless("a\tb\x1b[2K\u{202e}c"),
            "a    b\\u{1b}[2K\\u{202e}c"
        );
    }
}

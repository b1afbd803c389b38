//! Memory in files: `dump`, `append`, `restore`.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::commands::words::{after_prefix, first_word};
use crate::debugger::Debugger;
use crate::error::Error;
use crate::expression::Scope;
use crate::process::PROGRAM_INSTANCE;
use crate::progress::Progress;

/// How much is written or read before the user can interrupt it.
const CHUNK_BYTES: usize = 4 << 20;

/// What becomes of a file that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Existing {
    Replaced,
    Appended,
}

pub(super) fn dump(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    write_to_file(debugger, arguments, Existing::Replaced)
}

pub(super) fn append(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    write_to_file(debugger, arguments, Existing::Appended)
}

fn write_to_file(
    debugger: &mut Debugger,
    arguments: &str,
    existing: Existing,
) -> Result<(), Error> {
    let verb = match existing {
        Existing::Replaced => "dump",
        Existing::Appended => "append",
    };
    let usage = || {
        Error::Other(format!(
            "{verb} needs what and where, as in `{verb} memory FILE START END` or `{verb} value FILE EXPRESSION`."
        ))
    };
    let arguments = without_format(arguments)?;
    if let Some(rest) = after_prefix(arguments, "memory", 3) {
        let (file, rest) = file_and_rest(debugger, rest)?;
        let (start, end) = split_bounds(rest);
        if start.is_empty() || end.is_empty() {
            return Err(usage());
        }
        let start = debugger.evaluate_address(start)?;
        let end = match end.strip_prefix('+') {
            Some(length) => start.saturating_add(debugger.evaluate_address(length)?),
            None => debugger.evaluate_address(end)?,
        };
        debugger.write_memory_to(&file, existing, start..end)
    } else if let Some(rest) = after_prefix(arguments, "value", 3) {
        let (file, expression) = file_and_rest(debugger, rest)?;
        if expression.is_empty() {
            return Err(usage());
        }
        let value = debugger.evaluate(expression)?;
        // What lies in memory can be large; its bytes are taken from there.
        if let wdb_dwarf::Place::Memory(start) = value.place
            && let Some(size) = debugger.program.info().size_of(value.type_ref)
        {
            return debugger.write_memory_to(&file, existing, start..start.saturating_add(size));
        }
        let bytes = super::find::bytes_of(&value, expression)?;
        let mut opened = open(&file, existing)?;
        opened
            .write_all(bytes)
            .map_err(|error| file_error(&file, &error))
    } else {
        Err(usage())
    }
}

/// `restore FILE [binary] OFFSET [START END]`
pub(super) fn restore(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let (file, rest) = file_and_rest(debugger, arguments)?;
    let rest = match first_word(rest) {
        ("binary", rest) => rest,
        _ => rest,
    };
    let (offset, bounds) = first_word(rest);
    if file.as_os_str().is_empty() || offset.is_empty() {
        return Err(Error::other(
            "restore needs a file and where it goes, as in `restore FILE binary 0x1000`.",
        ));
    }
    let offset = debugger.evaluate_address(offset)?;
    let (start, end) = split_bounds(bounds);
    let start = match start {
        "" => 0,
        text => debugger.evaluate_address(text)?,
    };
    let end = match end {
        "" => u64::MAX,
        text => debugger.evaluate_address(text)?,
    };
    debugger.restore(&file, offset, start..end)
}

/// Leaves out the name of the format; there is one.
fn without_format(arguments: &str) -> Result<&str, Error> {
    match first_word(arguments) {
        ("binary", rest) => Ok(rest),
        (format @ ("ihex" | "srec" | "tekhex" | "verilog"), _) => Err(Error::Other(format!(
            "Files of the format {format} are not written; `binary` is what there is."
        ))),
        _ => Ok(arguments),
    }
}

/// Splits a file's name off, which may stand in quotes.
fn file_and_rest<'a>(debugger: &Debugger, text: &'a str) -> Result<(PathBuf, &'a str), Error> {
    let text = text.trim();
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let (file, rest) = first_word(text);
        return Ok((debugger.file_path(file), rest));
    };
    let (file, rest) = text[1..]
        .split_once(quote)
        .ok_or_else(|| Error::Other(format!("The quote {quote} has no end.")))?;
    Ok((debugger.file_path(file), rest.trim()))
}

/// Two expressions side by side. The second begins at the last blank that is not in parentheses, and at which no operator
/// stands: `&table &table + 1` has two.
fn split_bounds(text: &str) -> (&str, &str) {
    let mut depth = 0usize;
    let is_operator = |c: char| "+-*/%&|^<>=.,@?:".contains(c);
    for (position, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            c if c.is_whitespace() && depth == 0 => {
                let (before, after) = (text[..position].trim_end(), text[position..].trim_start());
                let goes_on = before.ends_with(is_operator) || begins_with_infix(after);
                if !goes_on {
                    return (before, after);
                }
            }
            _ => {}
        }
    }
    (text.trim(), "")
}

/// Whether a text begins with an operator that has an operand before it: one that a blank follows, where `+4` and `&x` are
/// operands of their own.
fn begins_with_infix(text: &str) -> bool {
    let rest = text.trim_start_matches(|c: char| "+-*/%&|^<>=?:@".contains(c));
    rest.len() < text.len() && rest.starts_with(char::is_whitespace)
}

fn open(path: &Path, existing: Existing) -> Result<File, Error> {
    let opened = match existing {
        Existing::Replaced => File::create(path),
        Existing::Appended => OpenOptions::new().append(true).create(true).open(path),
    };
    opened.map_err(|error| file_error(path, &error))
}

pub(super) fn file_error(path: &Path, error: &std::io::Error) -> Error {
    Error::Other(format!("{}: {error}.", path.display()))
}

impl Debugger {
    fn write_memory_to(
        &self,
        path: &Path,
        existing: Existing,
        range: Range<u64>,
    ) -> Result<(), Error> {
        let vm = self.vm.borrow();
        let memory = vm.memory(PROGRAM_INSTANCE, 0).unwrap_or_default();
        let bounds = usize::try_from(range.start)
            .ok()
            .zip(usize::try_from(range.end).ok());
        let Some((start, end)) = bounds.filter(|(start, end)| start < end) else {
            return Err(Error::other("Invalid memory address range (start >= end)."));
        };
        let bytes = memory.get(start..end).ok_or(wdb_dwarf::Error::Memory {
            address: range.start.max(memory.len() as u64),
        })?;
        let mut file = open(path, existing)?;
        let mut progress = Progress::new(&self.shared);
        let mut written = 0;
        for chunk in bytes.chunks(CHUNK_BYTES) {
            if progress.is_cancelled(|| format!("Wrote {written} of {} bytes.", bytes.len())) {
                return Err(Error::Other(format!(
                    "Interrupted; {written} bytes were written."
                )));
            }
            file.write_all(chunk)
                .map_err(|error| file_error(path, &error))?;
            written += chunk.len();
        }
        Ok(())
    }

    /// Puts the bytes of a part of a file into memory, each as far behind `offset` as it lies in the file.
    fn restore(&mut self, path: &Path, offset: u64, part: Range<u64>) -> Result<(), Error> {
        let fail = |error: std::io::Error| file_error(path, &error);
        let metadata = path.metadata().map_err(fail)?;
        if !metadata.is_file() {
            return Err(Error::Other(format!(
                "{}: this is no regular file.",
                path.display()
            )));
        }
        let end = part.end.min(metadata.len());
        if part.start >= end {
            return Err(Error::Other(format!(
                "Start address is greater than length of binary file {}.",
                path.display()
            )));
        }
        let length = end - part.start;
        let first = offset.saturating_add(part.start);
        let memory_bytes = self
            .vm
            .borrow()
            .memory(PROGRAM_INSTANCE, 0)
            .map_or(0, <[u8]>::len) as u64;
        if first.saturating_add(length) > memory_bytes {
            return Err(Error::Other(format!(
                "{length} bytes at 0x{first:x} go beyond the end of the memory, 0x{memory_bytes:x}."
            )));
        }
        let mut file = File::open(path).map_err(fail)?;
        file.seek(SeekFrom::Start(part.start)).map_err(fail)?;
        let mut bytes = Vec::new();
        let read = file.take(length).read_to_end(&mut bytes).map_err(fail)? as u64;
        let scope = self.scope();
        scope.write(wdb_dwarf::Write::Memory {
            address: first,
            bytes,
        })?;
        drop(scope);
        self.is_view_stale = true;
        self.say(format!(
            "Restoring binary file {} into memory (0x{first:x} to 0x{:x})",
            path.display(),
            first + read
        ));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::split_bounds;

    #[test]
    fn two_expressions_stand_side_by_side() {
        assert_eq!(split_bounds("0x10 0x20"), ("0x10", "0x20"));
        assert_eq!(split_bounds("&table &table + 1"), ("&table", "&table + 1"));
        assert_eq!(split_bounds("a + 1 b"), ("a + 1", "b"));
        assert_eq!(split_bounds("f(1, 2) +4"), ("f(1, 2)", "+4"));
        assert_eq!(split_bounds("p->a[i + 1] p"), ("p->a[i + 1]", "p"));
        assert_eq!(split_bounds("1"), ("1", ""));
    }
}

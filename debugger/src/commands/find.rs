//! `find`: searching memory for a sequence of bytes.

use std::ops::Range;

use memchr::memmem;
use wdb_dwarf::{Availability, BaseEncoding, Scalar, TypeRef, Value};

use crate::commands::info_symbols::MemorySymbols;
use crate::debugger::Debugger;
use crate::error::Error;
use crate::expression::{self, NodeKind, Scope};
use crate::format_text::split_at_commas;
use crate::process::PROGRAM_INSTANCE;
use crate::progress::Progress;
use crate::report::{FoundRow, Report};

/// How much is searched before the user can interrupt it and is told how far it came.
const CHUNK_BYTES: usize = 4 << 20;
/// The most matches that are collected without being asked for more.
const MATCHES_MAX: usize = 1 << 16;
/// A longer pattern is a mistake.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// What stands after the slashes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Modifiers {
    /// Bytes of each integer.
    unit: Option<usize>,
    matches_max: Option<usize>,
}

/// What a search came to.
struct Outcome {
    addresses: Vec<u64>,
    /// Where it ended before its time: the user interrupted it.
    interrupted_at: Option<usize>,
    has_more: bool,
}

pub(super) fn find(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let (modifiers, rest) = Modifiers::split(arguments)?;
    let parts = split_at_commas(rest);
    let [start, end, values @ ..] = &*parts else {
        return Err(usage());
    };
    if values.is_empty() || parts.iter().any(|part| part.is_empty()) {
        return Err(usage());
    }
    let start_address = debugger.evaluate_address(start)?;
    let end_address = match end.strip_prefix('+') {
        Some(length) => start_address.saturating_add(debugger.evaluate_address(length)?),
        // The last byte that is searched.
        None => debugger.evaluate_address(end)?.saturating_add(1),
    };
    if end_address <= start_address {
        return Err(Error::other("Empty search range."));
    }
    let pattern = debugger.pattern(values, modifiers.unit)?;
    let memory_bytes = debugger
        .vm
        .borrow()
        .memory(PROGRAM_INSTANCE, 0)
        .map_or(0, <[u8]>::len);
    let clamp =
        |address: u64| usize::try_from(address).map_or(memory_bytes, |it| it.min(memory_bytes));
    let range = clamp(start_address)..clamp(end_address);
    if range.is_empty() {
        return Err(wdb_dwarf::Error::Memory {
            address: start_address,
        }
        .into());
    }
    if end_address > memory_bytes as u64 {
        debugger.say(format!(
            "The memory ends at 0x{memory_bytes:x}; it is searched up to there."
        ));
    }
    let outcome = debugger.search(
        range,
        &pattern,
        modifiers.matches_max.unwrap_or(MATCHES_MAX),
    );
    debugger.tell_matches(&outcome);
    match outcome.interrupted_at {
        Some(at) => Err(Error::Other(format!(
            "Interrupted; searched up to 0x{at:x}."
        ))),
        None => Ok(()),
    }
}

fn usage() -> Error {
    Error::other(
        "find needs a start, a length or an end, and values, as in `find &table, +sizeof(table), 17` or \
         `find 0, +65536, \"text\"`.",
    )
}

impl Modifiers {
    /// Splits `/SIZE/COUNT REST`; both may stand after one slash.
    fn split(arguments: &str) -> Result<(Modifiers, &str), Error> {
        let mut modifiers = Modifiers::default();
        let mut rest = arguments.trim();
        while let Some(text) = rest.strip_prefix('/') {
            let end = text
                .find(|c: char| !c.is_ascii_alphanumeric())
                .unwrap_or(text.len());
            let (word, after) = text.split_at(end);
            rest = after.trim_start();
            let digits: String = word.chars().filter(char::is_ascii_digit).collect();
            if !digits.is_empty() {
                let count = digits.parse().ok().filter(|count| *count > 0);
                let count = count.ok_or_else(|| Error::Other(format!("Bad count {digits}.")))?;
                modifiers.matches_max = Some(count);
            }
            for letter in word.chars().filter(|c| !c.is_ascii_digit()) {
                modifiers.unit = Some(match letter {
                    'b' => 1,
                    'h' => 2,
                    'w' => 4,
                    'g' => 8,
                    letter => {
                        return Err(Error::Other(format!(
                            "There is no size \"{letter}\"; there are b (1 byte), h (2), w (4) and g (8)."
                        )));
                    }
                });
            }
        }
        Ok((modifiers, rest))
    }
}

impl Debugger {
    /// The bytes of values one after the other. Of a string literal the final zero does not belong to them.
    fn pattern(&mut self, values: &[&str], unit: Option<usize>) -> Result<Vec<u8>, Error> {
        let mut pattern = Vec::new();
        for text in values {
            let node = self.parse_expression(text)?;
            if let NodeKind::Text(bytes) = &node.kind {
                pattern.extend_from_slice(bytes);
                continue;
            }
            let scope = self.scope();
            let value = expression::evaluate(&scope, &node)?;
            match unit {
                Some(unit) => {
                    let Scalar::Integer(number) = scope.inspector().scalar(&value)? else {
                        return Err(Error::Other(format!(
                            "`{text}` is no integer, which a size is meant for."
                        )));
                    };
                    pattern.extend_from_slice(&number.to_le_bytes()[..unit]);
                }
                None => pattern.extend_from_slice(bytes_of(&value, text)?),
            }
            if pattern.len() > PATTERN_BYTES_MAX {
                return Err(Error::Other(format!(
                    "The pattern has more than {PATTERN_BYTES_MAX} bytes."
                )));
            }
        }
        match pattern.is_empty() {
            true => Err(Error::other("The pattern is empty.")),
            false => Ok(pattern),
        }
    }

    fn search(&self, range: Range<usize>, pattern: &[u8], matches_max: usize) -> Outcome {
        let vm = self.vm.borrow();
        let memory = vm.memory(PROGRAM_INSTANCE, 0).unwrap_or_default();
        let finder = memmem::Finder::new(pattern);
        let mut progress = Progress::new(&self.shared);
        let mut outcome = Outcome {
            addresses: Vec::new(),
            interrupted_at: None,
            has_more: false,
        };
        let mut at = range.start;
        while at + pattern.len() <= range.end {
            let found = outcome.addresses.len();
            let told = || {
                let percent = (at - range.start) as u128 * 100 / range.len() as u128;
                format!("Searched {percent} %, up to 0x{at:x}; {found} found.")
            };
            if progress.is_cancelled(told) {
                outcome.interrupted_at = Some(at);
                break;
            }
            // Matches that begin in this chunk; they may end in the next.
            let end = range.end.min(at + CHUNK_BYTES + pattern.len() - 1);
            let Some(position) = finder.find(&memory[at..end]) else {
                at = end - (pattern.len() - 1);
                continue;
            };
            if found == matches_max {
                outcome.has_more = true;
                break;
            }
            outcome.addresses.push((at + position) as u64);
            // Matches may overlap.
            at += position + 1;
        }
        outcome
    }

    /// Tells where a pattern was found. `$_` is the last place then, `$numfound` the number of them.
    fn tell_matches(&mut self, outcome: &Outcome) {
        let symbols = match &*outcome.addresses {
            [] => MemorySymbols::default(),
            _ => MemorySymbols::of(self),
        };
        let matches = outcome.addresses.iter().map(|address| FoundRow {
            address: *address,
            symbol: symbols.at(*address),
        });
        self.answer(Report::Found {
            matches: matches.collect(),
            has_more: outcome.has_more,
        });
        let info = self.program.info();
        let int = info.base_type(BaseEncoding::Signed, 4);
        self.set_convenience("numfound", int, outcome.addresses.len() as i128);
        if let Some(last) = outcome.addresses.last() {
            let pointer = info.pointer_to(TypeRef::VOID);
            self.set_convenience("_", pointer, i128::from(*last));
        }
    }

    /// Sets one of the user's variables to a number.
    pub(super) fn set_convenience(&self, name: &str, type_ref: TypeRef, number: i128) {
        let scope = self.scope();
        let value = scope
            .inspector()
            .constant(type_ref, Scalar::Integer(number));
        self.user_variables
            .borrow_mut()
            .insert(name.to_owned(), value);
    }
}

/// The bytes of a value, which must be whole.
pub(super) fn bytes_of<'a>(value: &'a Value, text: &str) -> Result<&'a [u8], Error> {
    match &value.availability {
        Availability::Available if value.bytes.len() < Value::BYTES_MAX => Ok(&value.bytes),
        Availability::Available => Err(Error::Other(format!(
            "`{text}` is larger than {} bytes.",
            Value::BYTES_MAX
        ))),
        Availability::OptimizedOut => Err(wdb_dwarf::Error::OptimizedOut.into()),
        Availability::Unavailable(error) => Err(error.clone().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::Modifiers;

    #[test]
    fn sizes_and_counts_stand_in_either_order() {
        let split = |text| Modifiers::split(text).map_err(|error| error.to_string());
        let modifiers = |unit, matches_max| Modifiers { unit, matches_max };
        assert_eq!(split("0, +4, 1"), Ok((modifiers(None, None), "0, +4, 1")));
        assert_eq!(split("/b3 0"), Ok((modifiers(Some(1), Some(3)), "0")));
        assert_eq!(split("/12/h 0"), Ok((modifiers(Some(2), Some(12)), "0")));
        assert_eq!(split("/g /1 0"), Ok((modifiers(Some(8), Some(1)), "0")));
        assert!(split("/x 0").is_err());
        assert!(split("/0 0").is_err());
    }
}

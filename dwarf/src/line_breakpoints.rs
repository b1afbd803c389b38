//! From source to code: where breakpoints on lines go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::address::CodeOffset;
use crate::info::{DebugInfo, DieRef};
use crate::lines::Row;
use crate::source_files;

/// Where a breakpoint on a line goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineBreakpoint {
    /// The file's path as recorded by the compiler.
    pub file: Arc<str>,
    /// The line, which is a later one than asked for when that has no code.
    pub line: u32,
    /// Where the line begins: one address for each function and each inlined copy, ascending.
    pub addresses: Vec<CodeOffset>,
}

/// A file of one unit, which may have several numbers there.
struct UnitFile {
    unit: u32,
    numbers: BTreeSet<u16>,
}

impl DebugInfo {
    /// The paths of all source files that have code, sorted. Reads every line table.
    #[must_use]
    pub fn files(&self) -> Arc<[Arc<str>]> {
        let list = || {
            let mut paths = BTreeSet::new();
            for unit in self.units_with_lines() {
                let (Some(files), Some(lines)) = (self.unit_files(unit), self.unit_lines(unit))
                else {
                    continue;
                };
                let used: BTreeSet<u16> = lines.sequences().flatten().map(|row| row.file).collect();
                paths.extend(
                    used.into_iter()
                        .filter_map(|file| files.path(u64::from(file)).cloned()),
                );
            }
            paths.into_iter().collect()
        };
        self.file_list.get_or_init(list).clone()
    }

    /// The files that `pattern` names, by the whole path or its last components (`foo.c`,
    /// `src/foo.c`), sorted. Files without code may be among them.
    #[must_use]
    pub fn files_matching(&self, pattern: &str) -> Vec<Arc<str>> {
        self.unit_files_matching(pattern).into_keys().collect()
    }

    /// Where a breakpoint on `line` of `file` goes, for each file that the pattern matches
    /// and that has code at or after the line. Of several files only those are kept that have
    /// code nearest to the line.
    ///
    /// A line at which a function begins stands for the place after its prologue.
    #[must_use]
    pub fn breakpoints_for_line(&self, file: &str, line: u32) -> Vec<LineBreakpoint> {
        let files = self.unit_files_matching(file);
        let mut found: Vec<LineBreakpoint> = Vec::new();
        for (path, places) in files {
            let Some(nearest) = self
                .statements(&places)
                .map(|(_, row)| row.line)
                .filter(|found| *found >= line)
                .min()
            else {
                continue;
            };
            match found.first().map(|best| best.line) {
                Some(best) if best < nearest => continue,
                Some(best) if best > nearest => found.clear(),
                _ => {}
            }
            let addresses = self.line_addresses(&places, nearest);
            found.push(LineBreakpoint {
                file: path,
                line: nearest,
                addresses,
            });
        }
        found
    }

    /// The lines of a file (named as in [`DebugInfo::files`]) that have code, ascending: where
    /// a breakpoint would not move.
    #[must_use]
    pub fn lines_with_code(&self, file: &str) -> Arc<[u32]> {
        let mut files = self.unit_files_matching(file);
        let places = files.remove(file).unwrap_or_default();
        let lines: BTreeSet<u32> = self.statements(&places).map(|(_, row)| row.line).collect();
        lines.into_iter().collect()
    }

    fn unit_files_matching(&self, pattern: &str) -> BTreeMap<Arc<str>, Vec<UnitFile>> {
        let mut found: BTreeMap<Arc<str>, Vec<UnitFile>> = BTreeMap::new();
        for unit in self.units_with_lines() {
            let Some(files) = self.unit_files(unit) else {
                continue;
            };
            for (number, path) in files.iter() {
                if !source_files::matches(path, pattern) {
                    continue;
                }
                let Ok(number) = u16::try_from(number) else {
                    break;
                };
                let places = found.entry(path.clone()).or_default();
                match places.last_mut() {
                    Some(place) if place.unit == unit => {
                        place.numbers.insert(number);
                    }
                    _ => places.push(UnitFile {
                        unit,
                        numbers: BTreeSet::from([number]),
                    }),
                }
            }
        }
        found
    }

    /// The rows of a file at which a line begins, with the units they belong to.
    fn statements<'a>(&'a self, places: &'a [UnitFile]) -> impl Iterator<Item = (u32, Row)> + 'a {
        places.iter().flat_map(move |place| {
            let sequences = self
                .unit_lines(place.unit)
                .into_iter()
                .flat_map(|lines| lines.sequences());
            let rows = sequences.flat_map(|rows| {
                rows.iter().enumerate().filter(|(position, row)| {
                    let before = position.checked_sub(1).map(|before| &rows[before]);
                    // The run of rows of one line begins where the line changes. A row that is
                    // no statement does not end it.
                    row.is_stmt
                        && row.line > 0
                        && before.is_none_or(|before| {
                            (before.file, before.line) != (row.file, row.line) || !before.is_stmt
                        })
                })
            });
            rows.map(|(_, row)| *row)
                .filter(|row| place.numbers.contains(&row.file))
                .map(move |row| (place.unit, row))
        })
    }

    /// Where a line begins: the lowest address in each function and in each inlined copy.
    fn line_addresses(&self, places: &[UnitFile], line: u32) -> Vec<CodeOffset> {
        let mut lowest: BTreeMap<(u32, Option<DieRef>), u32> = BTreeMap::new();
        for (unit, row) in self.statements(places).filter(|(_, row)| row.line == line) {
            let instance = self.innermost_instance(CodeOffset(row.address));
            let address = lowest.entry((unit, instance)).or_insert(row.address);
            *address = (*address).min(row.address);
        }
        let after_prologue = |address| {
            let function = self
                .function_at(CodeOffset(address))
                .filter(|function| function.low_pc().0 == address);
            function.map_or(CodeOffset(address), |function| {
                self.breakpoint_address(&function)
            })
        };
        let addresses: BTreeSet<CodeOffset> = lowest.into_values().map(after_prologue).collect();
        addresses.into_iter().collect()
    }
}

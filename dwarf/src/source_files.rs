//! The source files that units name, and the patterns that people name them by.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use crate::info::DebugInfo;
use crate::reader::{Attribute, Reader, Slice};
use crate::units::UnitRoot;

/// The most files read of one line program's header.
const FILES_MAX: usize = u16::MAX as usize;

/// Every path once: units share most of theirs.
#[derive(Debug, Default)]
pub(crate) struct PathTable {
    paths: Mutex<HashSet<Arc<str>>>,
}

impl PathTable {
    fn intern(&self, path: &str) -> Arc<str> {
        let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = paths.get(path) {
            return path.clone();
        }
        let path: Arc<str> = path.into();
        paths.insert(path.clone());
        path
    }
}

/// The files of one unit, by the numbers that its line table and its entries use.
#[derive(Debug, Default)]
pub(crate) struct FileTable {
    files: Vec<Arc<str>>,
}

impl FileTable {
    /// The path of a file.
    pub(crate) fn path(&self, file: u64) -> Option<&Arc<str>> {
        self.files.get(usize::try_from(file).ok()?)
    }

    /// All paths with their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &Arc<str>)> {
        self.files.iter().enumerate()
    }
}

/// Which unit a line program is read for. Units of types share the program of a compilation
/// unit, which alone knows the directory that its paths are relative to.
#[derive(Debug, Default)]
pub(crate) struct LineOwners {
    owners: HashMap<usize, u32>,
}

impl LineOwners {
    fn find(info: &DebugInfo) -> LineOwners {
        let mut owners = HashMap::new();
        for is_type_unit in [false, true] {
            for number in 0..info.unit_count() {
                if info
                    .unit_entry(number)
                    .is_some_and(|entry| entry.is_type_unit == is_type_unit)
                    && let Some(program) = info.unit_root(number).and_then(|root| root.line_program)
                {
                    owners.entry(program).or_insert(number);
                }
            }
        }
        LineOwners { owners }
    }
}

impl DebugInfo {
    /// The unit that a unit's line program is read for.
    pub(crate) fn line_owner(&self, number: u32) -> Option<u32> {
        let program = self.unit_root(number)?.line_program?;
        self.line_owners
            .get_or_init(|| LineOwners::find(self))
            .owners
            .get(&program)
            .copied()
    }

    /// The units that have line programs of their own.
    pub(crate) fn units_with_lines(&self) -> impl Iterator<Item = u32> {
        (0..self.unit_count()).filter(|number| self.line_owner(*number) == Some(*number))
    }

    /// The files of a unit.
    pub(crate) fn unit_files(&self, number: u32) -> Option<&FileTable> {
        let owner = self.line_owner(number)?;
        let entry = self.unit_entry(owner)?;
        let root = self.unit_root(owner)?;
        Some(entry.files.get_or_init(|| self.read_files(root)))
    }

    /// The line program of a unit.
    ///
    /// Each program is read at most twice, for its files and for its rows. Well-formed
    /// programs do not overlap, so that this is never more than twice the section; malformed
    /// ones that do overlap are refused beyond that.
    pub(crate) fn line_program<'a>(
        &'a self,
        reader: &Reader<'a>,
        root: &UnitRoot,
    ) -> Option<gimli::IncompleteLineProgram<Slice<'a>>> {
        let offset = root.line_program?;
        let directory = Slice::new(self.text_bytes(root.directory), gimli::LittleEndian);
        let name = Slice::new(self.text_bytes(root.name), gimli::LittleEndian);
        let program = reader.dwarf.debug_line.program(
            gimli::DebugLineOffset(offset),
            root.encoding.address_size,
            Some(directory),
            Some(name),
        );
        if let Err(error) = &program {
            self.warn(format!(
                "The line table at .debug_line+{offset:#x} is ignored: {error}."
            ));
        }
        let program = program.ok()?;
        let bytes = program.header().unit_length();
        let bytes_read = self
            .line_bytes_read
            .fetch_add(bytes, Ordering::Relaxed)
            .saturating_add(bytes);
        if bytes_read > 2 * self.sections.get(".debug_line").len() {
            self.warn("Line tables in .debug_line overlap: some are ignored.".to_owned());
            return None;
        }
        Some(program)
    }

    fn read_files(&self, root: &UnitRoot) -> FileTable {
        let reader = Reader::new(self);
        let Some(program) = self.line_program(&reader, root) else {
            return FileTable::default();
        };
        let header = program.header();
        let unit_directory = self.text(root.directory);
        let string = |value: Attribute<'_>| {
            let string = reader.dwarf.attr_line_string(value).ok();
            string.map_or(String::new(), |string| {
                self.text(self.text_of(string.slice())).into_owned()
            })
        };
        let count = header.file_names().len() + usize::from(header.version() <= 4);
        let mut files = Vec::with_capacity(count.min(FILES_MAX));
        for number in 0..count.min(FILES_MAX) {
            let Some(file) = header.file(number as u64) else {
                files.push(self.paths.intern(""));
                continue;
            };
            let directory = header
                .directory(file.directory_index())
                .map(string)
                .unwrap_or_default();
            let path = join(
                &join(&unit_directory, &directory),
                &string(file.path_name()),
            );
            files.push(self.paths.intern(&path));
        }
        FileTable { files }
    }
}

/// Whether `pattern` names the file `path`: it is the path or its last components. Both kinds
/// of slash separate components, since Windows compilers record theirs.
pub(crate) fn matches(path: &str, pattern: &str) -> bool {
    let mut path = components(path).rev();
    let mut pattern = components(pattern).rev();
    let mut is_empty = true;
    for wanted in pattern.by_ref() {
        is_empty = false;
        if path.next() != Some(wanted) {
            return false;
        }
    }
    !is_empty
}

fn components(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split(['/', '\\'])
        .filter(|component| !component.is_empty() && *component != ".")
}

/// Joins a path to the directory it is relative to, without `.` components. `..` stays: with
/// symbolic links it is not what it seems.
fn join(directory: &str, path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    let directory = directory.trim_end_matches("/.");
    if directory.is_empty() || is_absolute(path) {
        path.to_owned()
    } else if path.is_empty() || path == "." {
        directory.to_owned()
    } else if directory.ends_with(['/', '\\']) {
        format!("{directory}{path}")
    } else {
        format!("{directory}/{path}")
    }
}

fn is_absolute(path: &str) -> bool {
    let bytes = path.as_bytes();
    path.starts_with(['/', '\\'])
        || (bytes.len() > 2 && bytes[1] == b':' && matches!(bytes[2], b'/' | b'\\'))
}

#[cfg(test)]
mod tests {
    use super::{join, matches};

    #[test]
    fn patterns_match_whole_components() {
        assert!(matches("/src/lua/lvm.c", "lvm.c"));
        assert!(matches("/src/lua/lvm.c", "lua/lvm.c"));
        assert!(matches("/src/lua/lvm.c", "./lua/lvm.c"));
        assert!(matches("/src/lua/lvm.c", "/src/lua/lvm.c"));
        assert!(matches("C:\\code\\lvm.c", "code/lvm.c"));
        assert!(!matches("/src/lua/lvm.c", "vm.c"));
        assert!(!matches("/src/lua/lvm.c", "other/src/lua/lvm.c"));
        assert!(!matches("/src/lua/lvm.c", ""));
    }

    #[test]
    fn paths_are_relative_to_their_directory() {
        assert_eq!(join("/src", "a.c"), "/src/a.c");
        assert_eq!(join("/src/", "./a.c"), "/src/a.c");
        assert_eq!(join("/src/.", "../a.c"), "/src/../a.c");
        assert_eq!(join("/src", "/usr/a.h"), "/usr/a.h");
        assert_eq!(join("/src", "C:/a.h"), "C:/a.h");
        assert_eq!(join("", "a.c"), "a.c");
    }
}

//! Finding source files on this machine.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A file larger than this is no source that anybody reads.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Where a source file was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// On this machine.
    File(Arc<PathBuf>),
    /// In wdb itself.
    Embedded(Arc<str>),
}

/// Why a source file cannot be shown, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceMissing {
    recorded: String,
    reason: Reason,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Reason {
    NotFound,
    Unreadable { path: PathBuf, error: String },
    TooLarge { path: PathBuf },
}

impl fmt::Display for SourceMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::NotFound => {
                let directory = self
                    .recorded
                    .rsplit_once(['/', '\\'])
                    .map_or(".", |(directory, _)| directory);
                write!(
                    f,
                    "{}: source file not found; say where it is with --source-map {directory}=DIRECTORY",
                    self.recorded
                )
            }
            Reason::Unreadable { path, error } => {
                write!(f, "{}: source file cannot be read: {error}", path.display())
            }
            Reason::TooLarge { path } => {
                write!(
                    f,
                    "{}: source file has more than {FILE_BYTES_MAX} bytes",
                    path.display()
                )
            }
        }
    }
}

/// Where the user says that sources are.
#[derive(Debug, Clone, Default)]
pub(crate) struct SourcePath {
    /// Prefix of recorded paths, and what replaces it.
    pub(crate) map: Vec<(String, String)>,
    /// Where files are looked for by the last components of their recorded paths.
    pub(crate) directories: Vec<PathBuf>,
    pub(crate) current_directory: Option<PathBuf>,
}

/// Looks for source files: by the path that the debug info records, by the user's map, by the path's last components
/// near the program, and among the sources that are part of wdb.
#[derive(Debug)]
pub(crate) struct SourceFinder {
    path: Mutex<SourcePath>,
    /// The folder of the program.
    program_directory: Option<PathBuf>,
    embedded: Vec<(String, Arc<str>)>,
    known: Mutex<HashMap<Arc<str>, Option<Found>>>,
}

impl SourceFinder {
    pub(crate) fn new(
        map: Vec<(String, String)>,
        program: Option<&Path>,
        embedded: Vec<(String, String)>,
    ) -> SourceFinder {
        let program_directory = program.and_then(|path| {
            let parent = path.parent()?;
            let is_here = parent.as_os_str().is_empty();
            Some(if is_here {
                PathBuf::from(".")
            } else {
                parent.to_owned()
            })
        });
        SourceFinder {
            path: Mutex::new(SourcePath {
                map,
                directories: Vec::new(),
                current_directory: std::env::current_dir().ok(),
            }),
            program_directory,
            embedded: embedded
                .into_iter()
                .map(|(path, text)| (path, text.into()))
                .collect(),
            known: Mutex::default(),
        }
    }

    /// Looks elsewhere from now on.
    pub(crate) fn set_path(&self, path: SourcePath) {
        *lock(&self.path) = path;
        lock(&self.known).clear();
    }

    /// Where the file is that the debug info records under this path. The answer is kept.
    pub(crate) fn find(&self, recorded: &Arc<str>) -> Option<Found> {
        let mut known = lock(&self.known);
        if let Some(found) = known.get(recorded) {
            return found.clone();
        }
        let found = self.search(recorded);
        known.insert(recorded.clone(), found.clone());
        found
    }

    /// The text of a file, and the path to show for it.
    pub(crate) fn read(&self, recorded: &Arc<str>) -> Result<(PathBuf, String), SourceMissing> {
        let missing = |reason| SourceMissing {
            recorded: recorded.to_string(),
            reason,
        };
        match self.find(recorded) {
            None => Err(missing(Reason::NotFound)),
            Some(Found::Embedded(text)) => Ok((PathBuf::from(&**recorded), text.to_string())),
            Some(Found::File(path)) => {
                let path = PathBuf::clone(&path);
                let size = path.metadata().map_or(0, |metadata| metadata.len());
                if size > FILE_BYTES_MAX {
                    return Err(missing(Reason::TooLarge { path }));
                }
                match std::fs::read(&path) {
                    Ok(bytes) => Ok((path, String::from_utf8_lossy(&bytes).into_owned())),
                    Err(error) => {
                        let error = error.to_string();
                        Err(missing(Reason::Unreadable { path, error }))
                    }
                }
            }
        }
    }

    fn search(&self, recorded: &str) -> Option<Found> {
        let is_file = |path: PathBuf| path.is_file().then(|| Found::File(Arc::new(path)));
        let path = lock(&self.path);
        let mapped = path.map.iter().filter_map(|(old, new)| {
            let rest = strip_directory(recorded, old)?;
            Some(if rest.is_empty() {
                PathBuf::from(new)
            } else {
                Path::new(new).join(rest)
            })
        });
        let exact = Path::new(recorded);
        let absolute = exact.is_absolute().then(|| exact.to_owned());
        absolute
            .into_iter()
            .chain(mapped)
            .find_map(is_file)
            .or_else(|| in_directories(&path.directories, recorded).find_map(is_file))
            .or_else(|| {
                let here = path.current_directory.as_deref();
                self.near_program(recorded, here).find_map(is_file)
            })
            .or_else(|| self.search_embedded(recorded))
    }

    /// The path's last components, more of them first, below the program's folder and the current one.
    fn near_program<'a>(
        &'a self,
        recorded: &'a str,
        current_directory: Option<&'a Path>,
    ) -> impl Iterator<Item = PathBuf> + 'a {
        // Sources of the standard library and of other crates lie in places of their own. Their last components, such as
        // `src/lib.rs`, would find files of the user's that have nothing to do with them.
        let is_foreign = recorded.starts_with("/rustc/") || recorded.contains("/registry/src/");
        let suffixes = if is_foreign {
            Vec::new()
        } else {
            suffixes(recorded)
        };
        let count = suffixes.len();
        suffixes.into_iter().flat_map(move |suffix| {
            let length = suffix.components().count();
            // A bare name is only trusted beside the program.
            let current = current_directory.filter(|_| length > 1 || count == 1);
            let bases = self.program_directory.as_deref().into_iter().chain(current);
            let paths: Vec<PathBuf> = bases.map(|base| base.join(&suffix)).collect();
            paths
        })
    }

    fn search_embedded(&self, recorded: &str) -> Option<Found> {
        let last = |path: &str| path.rsplit(['/', '\\']).next().map(str::to_owned);
        let exact = self.embedded.iter().find(|(path, _)| path == recorded);
        let found = exact.or_else(|| {
            self.embedded
                .iter()
                .find(|(path, _)| last(path) == last(recorded))
        });
        found.map(|(_, text)| Found::Embedded(text.clone()))
    }
}

/// The last components of a path: more of them first.
fn suffixes(recorded: &str) -> Vec<PathBuf> {
    const COMPONENTS_MAX: usize = 32;
    let components: Vec<&str> = recorded
        .split(['/', '\\'])
        .filter(|component| !component.is_empty() && *component != ".")
        .collect();
    let count = components.len().min(COMPONENTS_MAX);
    let suffix = |length: usize| components[components.len() - length..].iter().collect();
    (1..=count).rev().map(suffix).collect()
}

/// The path's last components in the directories that the user named, which are meant for all sources.
fn in_directories<'a>(
    directories: &'a [PathBuf],
    recorded: &'a str,
) -> impl Iterator<Item = PathBuf> + 'a {
    let in_directory = |directory: &'a PathBuf| {
        let suffixes = suffixes(recorded).into_iter();
        suffixes.map(move |suffix| directory.join(suffix))
    };
    directories.iter().flat_map(in_directory)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What follows a directory in a path; the directory may end in a slash.
pub(crate) fn strip_directory<'a>(path: &'a str, directory: &str) -> Option<&'a str> {
    let directory = directory.trim_end_matches(['/', '\\']);
    let rest = path.strip_prefix(directory)?;
    if rest.is_empty() {
        return Some(rest);
    }
    rest.strip_prefix(['/', '\\'])
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::{Found, SourceFinder, strip_directory};

    /// The last components of the file that a recorded path leads to.
    fn found(finder: &SourceFinder, recorded: &str) -> Option<String> {
        match finder.find(&Arc::from(recorded))? {
            Found::File(path) => Some(path.file_name()?.to_str()?.to_owned()),
            Found::Embedded(text) => Some(text.to_string()),
        }
    }

    #[test]
    fn files_are_found_by_path_map_suffix_and_among_the_embedded() {
        let here = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
        let program = Path::new(here).join("program.wasm");
        let finder = SourceFinder::new(
            vec![("/build/".to_owned(), here.to_owned())],
            Some(&program),
            vec![("/demo/demo.c".to_owned(), "int main;".to_owned())],
        );
        assert_eq!(
            found(&finder, &format!("{here}/lib.rs")).as_deref(),
            Some("lib.rs")
        );
        assert_eq!(found(&finder, "/build/view.rs").as_deref(), Some("view.rs"));
        assert_eq!(
            found(&finder, "/x/y/expression/lexer.rs").as_deref(),
            Some("lexer.rs")
        );
        assert_eq!(found(&finder, "C:\\x\\view.rs").as_deref(), Some("view.rs"));
        assert_eq!(
            found(&finder, "/elsewhere/demo.c").as_deref(),
            Some("int main;")
        );
        assert_eq!(found(&finder, "/rustc/1234/library/std/src/lib.rs"), None);
        assert_eq!(found(&finder, "/buildings/nothing.rs"), None);
        let message = finder
            .read(&Arc::from("/a/b.c"))
            .expect_err("missing")
            .to_string();
        assert_eq!(
            message,
            "/a/b.c: source file not found; say where it is with --source-map /a=DIRECTORY"
        );
    }

    #[test]
    fn directories_are_stripped_whole() {
        assert_eq!(strip_directory("/a/b.c", "/a"), Some("b.c"));
        assert_eq!(strip_directory("/a/b.c", "/a/"), Some("b.c"));
        assert_eq!(strip_directory("/ab/b.c", "/a"), None);
    }
}

//! The form of the sources.

use std::fs;
use std::path::{Path, PathBuf};

use crate::metadata::{Metadata, root};

/// The most lines of a file. One that needs more holds two ideas.
const LINES_MAX: usize = 900;

/// What says that something is unfinished, spelt such that it is not found here.
const UNFINISHED: [&str; 6] = [
    concat!("to", "do!"),
    concat!("unimpl", "emented!"),
    concat!("FIX", "ME"),
    concat!("TO", "DO"),
    concat!("d", "bg!("),
    concat!("#[ign", "ore]"),
];

/// The modules of the machine that may hold unsafe code.
const UNSAFE_MODULES: [&str; 4] = [
    "vm/src/classic/",
    "vm/src/fast/",
    "vm/src/jit/",
    "vm/src/memory.rs",
];

/// All of the repository's Rust sources, as paths from its root, with their texts.
fn sources() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    collect(root(), &mut paths);
    assert!(paths.len() > 100, "only {} sources are found", paths.len());
    let with_text = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a source is text");
        let below = path
            .strip_prefix(root())
            .expect("a source lies below the root");
        (below.display().to_string(), text)
    };
    paths.into_iter().map(with_text).collect()
}

fn collect(directory: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("the directory can be read") {
        let path = entry.expect("the directory can be read").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

#[test]
fn files_are_short() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= LINES_MAX, "{path} has {lines} lines");
    }
}

#[test]
fn nothing_is_left_unfinished() {
    for (path, text) in sources() {
        for (number, line) in (1..).zip(text.lines()) {
            let found = UNFINISHED.iter().find(|mark| line.contains(**mark));
            assert!(found.is_none(), "{path}:{number}: {line}");
        }
    }
}

#[test]
fn only_the_machine_has_unsafe_code() {
    for member in Metadata::read().members() {
        for path in &member.roots {
            let text = fs::read_to_string(path).expect("a source is text");
            let is_forbidden = text.contains("#![forbid(unsafe_code)]");
            assert_eq!(is_forbidden, member.name != "wdb-vm", "{}", path.display());
        }
    }
}

#[test]
fn unsafe_code_keeps_to_the_modules_that_need_it() {
    for (path, text) in sources() {
        if !path.starts_with("vm/") || UNSAFE_MODULES.iter().any(|module| path.starts_with(module))
        {
            continue;
        }
        for (number, line) in (1..).zip(text.lines()) {
            let code = line.split("//").next().unwrap_or_default();
            let is_unsafe = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"]
                .iter()
                .any(|form| code.contains(form));
            assert!(!is_unsafe, "{path}:{number}: {line}");
        }
    }
}

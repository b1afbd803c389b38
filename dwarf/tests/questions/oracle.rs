//! The same questions asked of the crate `addr2line`, an independent reader of DWARF.
//!
//! The two differ in form, and the comparison takes that out:
//! - A `.` in a path is kept by `addr2line` (`./src/./a.c`) and dropped here (`src/a.c`).
//! - Of code that belongs to no line, line 0, `addr2line` does not say the column either.
//! - `addr2line` names a function by its linkage name. So does [`wdb_dwarf::Function::linkage_name`], and the two are compared as
//!   they are. Inlined calls have qualified names only, in which Rust's `impl` blocks are numbered (`core::num::{impl#2}::pow`)
//!   where a linkage name spells their types (`<i32>::pow`): of these the last component is compared.
//!
//! Where they differ in substance, and `addr2line` is wrong, is listed in [`UNKNOWN_TO_ADDR2LINE`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use addr2line::Context;
use gimli::{EndianSlice, LittleEndian};
use wasmparser::{Parser, Payload};
use wdb_dwarf::{CodeOffset, SourceLocation};

use crate::support::{Program, announce, fixture_path, read_module};

/// How many addresses of each program are looked up.
const ADDRESSES: u32 = 8000;

/// Functions that `addr2line` does not find.
const UNKNOWN_TO_ADDR2LINE: [(&str, &str); 1] = [
    // Two units claim the code of this inline function, and only one defines it; `addr2line` asks the other.
    ("fleet.wasm", "std::__2::__throw_length_error"),
];

/// A function or an inlined call, and the place that its code stands at.
#[derive(Debug)]
struct Frame {
    /// What it is shown as, where that is known.
    name: Option<String>,
    /// What the linker calls it.
    linkage_name: Option<String>,
    /// File, line and column.
    place: Option<(PathBuf, u32, u32)>,
}

fn place(file: &str, line: u32, column: u32) -> (PathBuf, u32, u32) {
    let file = Path::new(file)
        .components()
        .filter(|component| *component != Component::CurDir)
        .collect();
    (file, line, if line == 0 { 0 } else { column })
}

/// The last component of a qualified name, without arguments of any kind.
fn last_component(name: &str) -> String {
    // Operators are made of the brackets that are counted below.
    if name.contains("operator") {
        return "operator".to_owned();
    }
    let mut depth = 0;
    let mut plain = String::new();
    for character in name.replace("->", "").chars() {
        match character {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth -= 1,
            _ if depth == 0 => plain.push(character),
            _ => {}
        }
    }
    let components = plain.split("::");
    let last = components.filter(|component| !component.is_empty()).last();
    last.unwrap_or_default().to_owned()
}

/// The frames at an address, innermost first, as this crate sees them.
fn our_frames(program: &Program, at: CodeOffset) -> Vec<Frame> {
    let info = &program.info;
    let place_of = |location: SourceLocation| place(&location.file, location.line, location.column);
    let mut next = info.location(at).map(place_of);
    let mut frames = Vec::new();
    for inlined in info.inlined_frames(at) {
        frames.push(Frame {
            name: Some(inlined.function.to_string()),
            linkage_name: None,
            place: next,
        });
        next = inlined.call_site.map(place_of);
    }
    let function = info.function_at(at);
    if function.is_some() || next.is_some() {
        let linkage_name = function
            .as_ref()
            .and_then(|function| function.linkage_name.clone());
        frames.push(Frame {
            name: function.map(|function| function.name.to_string()),
            linkage_name: linkage_name.map(|name| name.to_string()),
            place: next,
        });
    }
    frames
}

/// The same as `addr2line` sees them.
fn their_frames(context: &Context<EndianSlice<'_, LittleEndian>>, at: CodeOffset) -> Vec<Frame> {
    let lookup = context.find_frames(u64::from(at.0)).skip_all_loads();
    let mut found = lookup.expect("the debug info is well-formed");
    let mut frames = Vec::new();
    while let Some(frame) = found.next().expect("the debug info is well-formed") {
        let name = frame.function.as_ref().map(|name| {
            let name = name.demangle().expect("names are strings");
            name.into_owned()
        });
        let linkage_name = frame.function.as_ref().map(|name| {
            let name = name.raw_name().expect("names are strings");
            name.into_owned()
        });
        frames.push(Frame {
            name,
            linkage_name,
            place: frame.location.map(|location| {
                place(
                    location.file.unwrap_or_default(),
                    location.line.unwrap_or(0),
                    location.column.unwrap_or(0),
                )
            }),
        });
    }
    frames
}

/// Whether a frame is the same; `ours` may be known to `addr2line` by another name only.
fn is_same(ours: &Frame, theirs: &Frame) -> bool {
    let is_same_name = match (&ours.linkage_name, &theirs.linkage_name) {
        (Some(ours), Some(theirs)) => ours == theirs,
        _ => ours.name.as_deref().map(last_component) == theirs.name.as_deref().map(last_component),
    };
    is_same_name && ours.place == theirs.place
}

/// A program's debug info as `gimli` takes it, and the size of its code section.
fn load(module: &[u8]) -> (gimli::Dwarf<EndianSlice<'_, LittleEndian>>, u32) {
    let mut sections = BTreeMap::new();
    let mut code_bytes = 0;
    for payload in Parser::new(0).parse_all(module) {
        match payload.expect("the module is well-formed") {
            Payload::CustomSection(section) => {
                sections.insert(section.name().to_owned(), section.data());
            }
            Payload::CodeSectionStart { size, .. } => code_bytes = size,
            _ => {}
        }
    }
    let section = |id: gimli::SectionId| -> Result<_, gimli::Error> {
        let bytes = sections.get(id.name()).copied().unwrap_or_default();
        Ok(EndianSlice::new(bytes, LittleEndian))
    };
    let dwarf = gimli::Dwarf::load(section).expect("loading parses nothing");
    (dwarf, code_bytes)
}

/// Compares the answers about a program. Takes from `unknown` what `addr2line` indeed did not find.
fn compare(path: &Path, unknown: &mut BTreeSet<(&str, &str)>) {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .expect("a file's name");
    let module: Arc<[u8]> = read_module(path);
    let program = Program::from_module(&module);
    let (dwarf, code_bytes) = load(&module);
    let context = Context::from_dwarf(dwarf).expect("the debug info is well-formed");
    // Odd, so that it falls into step with nothing.
    let step = (code_bytes / ADDRESSES) | 1;
    let mut frames = 0;
    for at in (0..code_bytes).step_by(step as usize).map(CodeOffset) {
        let (ours, theirs) = (our_frames(&program, at), their_frames(&context, at));
        frames += ours.len();
        let is_unknown = |frame: &Frame| {
            frame.name.as_deref().and_then(|function| {
                let listed = UNKNOWN_TO_ADDR2LINE.iter();
                listed.copied().find(|entry| *entry == (name, function))
            })
        };
        if let ([frame], [Frame { name: None, .. }]) = (&ours[..], &theirs[..])
            && let Some(entry) = is_unknown(frame)
        {
            unknown.remove(&entry);
            continue;
        }
        let is_same = ours.len() == theirs.len()
            && ours
                .iter()
                .zip(&theirs)
                .all(|(ours, theirs)| is_same(ours, theirs));
        assert!(
            is_same,
            "{name} at {at}:\n{ours:#?}\naddr2line:\n{theirs:#?}"
        );
    }
    eprintln!("{name}: {frames} frames as addr2line has them, one address in {step}");
}

/// All modules in a directory and the directories in it.
fn modules_in(directory: &Path) -> Vec<PathBuf> {
    let mut modules = Vec::new();
    for entry in std::fs::read_dir(directory).expect("the directory can be read") {
        let path = entry.expect("the directory can be read").path();
        if path.is_dir() {
            modules.extend(modules_in(&path));
        } else if path
            .extension()
            .is_some_and(|extension| extension == "wasm")
        {
            modules.push(path);
        }
    }
    modules.sort();
    modules
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn addr2line_says_the_same_of_fixtures_and_samples() {
    let mut modules = modules_in(&fixture_path(""));
    modules.extend(modules_in(&root().join("samples")));
    assert!(modules.len() > 10, "{modules:?}");
    let mut unknown = BTreeSet::from(UNKNOWN_TO_ADDR2LINE);
    for module in modules {
        compare(&module, &mut unknown);
    }
    assert!(
        unknown.is_empty(),
        "known to addr2line after all: {unknown:?}"
    );
}

#[test]
fn addr2line_says_the_same_of_real_programs() {
    for name in ["lua-O0.wasm", "lua-O2.wasm", "hello-rust.wasm"] {
        let path = root().join("../shared/programs").join(name);
        if path.exists() {
            compare(&path, &mut BTreeSet::new());
        } else {
            announce(&format!("NOT TESTED: {} does not exist", path.display()));
        }
    }
}

#[test]
fn the_unit_that_defines_a_function_owns_its_code() {
    let program = Program::from_module(&read_module(&root().join("samples/fleet/fleet.wasm")));
    // Two units each list the code of both, and each defines one of them.
    for name in [
        "std::__2::__throw_length_error",
        "std::__throw_bad_array_new_length",
    ] {
        let function = &program.info.functions_named(name)[0];
        for at in (function.low_pc().0..function.ranges[0].end.0).map(CodeOffset) {
            let found = program.info.function_at(at).map(|function| function.name);
            assert_eq!(found, Some(function.name.clone()), "at {at}");
        }
    }
}

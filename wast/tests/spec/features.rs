//! The table of features in the documentation.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use wdb_wast::TIERS;

use crate::Tally;

/// The features, in the order of the table, and the folders of the scripts that are about them.
const FEATURES: [(&str, &str); 18] = [
    ("WebAssembly 2.0", "wasm-v2"),
    ("WebAssembly 3.0, the tests at the top", "wasm-v3"),
    ("Vectors (`v128`)", "simd"),
    ("Relaxed vector instructions", "relaxed-simd"),
    ("Bulk memory and table instructions", "bulk-memory"),
    ("Reference types, several tables", "reference-types"),
    ("Typed function references", "function-references"),
    ("Garbage collection: structs, arrays, `i31`, casts", "gc"),
    ("Exceptions: `try_table`, `exnref`", "exceptions"),
    ("Tail calls", "tail-call"),
    ("64-bit memories and tables", "memory64"),
    ("Several memories", "multi-memory"),
    ("Extended constant expressions", "extended-const"),
    ("Annotations in the text format", "annotations"),
    ("Threads: shared memories, atomic instructions", "threads"),
    ("128-bit arithmetic", "wide-arithmetic"),
    ("Memories with pages of one byte", "custom-page-sizes"),
    ("All of these", ""),
];

/// Where the table stands in the text.
const BEGIN: &str = "<!-- The test `spec` checks what follows; BLESS=1 writes it. -->\n";
const END: &str = "<!-- The end of what it checks. -->\n";

/// Compares the table with how the scripts of each folder went.
pub(crate) fn check(folders: &BTreeMap<String, Tally>) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/features.md");
    let text = std::fs::read_to_string(&path).expect("the table is part of the repository");
    let (before, rest) = text.split_once(BEGIN).expect("the table's beginning");
    let (found, after) = rest.split_once(END).expect("the table's end");
    let wanted = table(folders);
    if std::env::var_os("BLESS").is_some() {
        let text = format!("{before}{BEGIN}{wanted}{END}{after}");
        std::fs::write(path, text).expect("the table can be written");
        return;
    }
    assert!(found == wanted, "docs/features.md should say:\n{wanted}");
}

fn table(folders: &BTreeMap<String, Tally>) -> String {
    let listed = |folder: &String| FEATURES.iter().any(|(_, listed)| listed == folder);
    assert!(folders.keys().all(listed), "a folder is in no row");
    let mut text = format!("\n| feature | tests | {} |\n", TIERS.join(" | "));
    text += &format!("|---|---|{}\n", "---|".repeat(TIERS.len()));
    for (feature, folder) in FEATURES {
        let tallies = folders
            .iter()
            .filter(|(name, _)| folder.is_empty() || *name == folder);
        let (passed, all) = tallies.fold((0, 0), |(passed, all), (_, tally)| {
            (passed + tally.passed, all + tally.assertions)
        });
        let result = match passed == all {
            true => "yes".to_owned(),
            false => format!("{passed} of {all}"),
        };
        let results = vec![result; TIERS.len()].join(" | ");
        let _ = writeln!(text, "| {feature} | {all} | {results} |");
    }
    text + "\n"
}

//! The table of features in the documentation.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use wdb_wast::Tier;

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

/// How the scripts of each folder went on a tier.
pub(crate) type Folders = BTreeMap<String, Tally>;

/// Compares the table with how the scripts of each folder went on each tier.
pub(crate) fn check(tiers: &BTreeMap<Tier, Folders>) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/features.md");
    let text = std::fs::read_to_string(&path).expect("the table is part of the repository");
    let (before, rest) = text.split_once(BEGIN).expect("the table's beginning");
    let (found, after) = rest.split_once(END).expect("the table's end");
    let wanted = table(tiers);
    if std::env::var_os("BLESS").is_some() {
        let text = format!("{before}{BEGIN}{wanted}{END}{after}");
        std::fs::write(path, text).expect("the table can be written");
        return;
    }
    assert!(found == wanted, "docs/features.md should say:\n{wanted}");
}

fn table(tiers: &BTreeMap<Tier, Folders>) -> String {
    let listed = |folder: &String| FEATURES.iter().any(|(_, listed)| listed == folder);
    let mut folders = tiers.values().flat_map(Folders::keys);
    assert!(folders.all(listed), "a folder is in no row");
    let names: Vec<&str> = tiers.keys().map(|tier| tier.name()).collect();
    let mut text = format!("\n| feature | tests | {} |\n", names.join(" | "));
    text += &format!("|---|---|{}\n", "---|".repeat(names.len()));
    for (feature, folder) in FEATURES {
        let tallies: Vec<Tally> = tiers
            .values()
            .map(|folders| sum_of(folders, folder))
            .collect();
        let assertions = tallies.iter().map(|tally| tally.assertions).max();
        let results: Vec<String> = tallies.iter().map(Tally::text).collect();
        let _ = writeln!(
            text,
            "| {feature} | {} | {} |",
            assertions.unwrap_or_default(),
            results.join(" | ")
        );
    }
    text + "\n"
}

/// How the scripts of a folder went, or those of all folders when it has no name.
fn sum_of(folders: &Folders, folder: &str) -> Tally {
    let mut sum = Tally::default();
    folders
        .iter()
        .filter(|(name, _)| folder.is_empty() || *name == folder)
        .for_each(|(_, tally)| sum.add(tally.passed, tally.assertions));
    sum
}

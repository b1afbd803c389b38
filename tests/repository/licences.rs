//! Every dependency may be used under permissive terms, and comes from the one registry.

use std::collections::BTreeSet;

use spdx::{Expression, ParseMode};

use crate::metadata::{Metadata, run};

/// The licences that a dependency may be taken under, as SPDX names them.
const ALLOWED: [&str; 9] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Zlib",
];

/// Cargo's name of crates.io.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Whether an expression can be satisfied with allowed licences alone.
fn is_allowed(licence: &str) -> bool {
    // Older packages write `MIT/Apache-2.0`.
    let expression = Expression::parse_mode(licence, ParseMode::LAX);
    // An exception only ever permits more than its licence does.
    expression.is_ok_and(|expression| {
        expression.evaluate(|required| {
            let id = required.license.id();
            id.is_some_and(|id| ALLOWED.contains(&id.name))
        })
    })
}

#[test]
fn dependencies_are_permissively_licensed() {
    // Unlike Cargo's metadata, the tree leaves out what no enabled feature needs.
    let output = run(
        env!("CARGO"),
        &[
            "tree",
            "--workspace",
            "--edges=normal,build,dev",
            "--prefix=none",
            "--format={p}|{l}",
        ],
    );
    let tree = String::from_utf8(output).expect("cargo writes text");
    let packages: BTreeSet<(&str, &str)> = tree
        .lines()
        // What the tree has shown before is marked.
        .map(|line| line.trim_end_matches(" (*)"))
        .filter_map(|line| line.split_once('|'))
        .collect();
    assert!(packages.len() > 50, "{tree}");
    for (package, licence) in packages {
        assert!(is_allowed(licence), "{package} is under {licence:?}");
    }
}

#[test]
fn dependencies_come_from_crates_io() {
    let metadata = Metadata::read();
    for package in metadata.packages() {
        if let Some(source) = &package.source {
            assert_eq!(source, REGISTRY, "{}", package.name);
        }
    }
}

#[test]
fn expressions_are_understood() {
    for licence in [
        "MIT OR GPL-3.0-only",
        "MIT/Apache-2.0",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(is_allowed(licence), "{licence}");
    }
    for licence in [
        "GPL-3.0-only",
        "MIT AND GPL-3.0-only",
        "MPL-2.0",
        "anything",
        "",
    ] {
        assert!(!is_allowed(licence), "{licence}");
    }
}

//! Dependencies point one way, as ARCHITECTURE.md has it.

use std::collections::BTreeSet;

use crate::metadata::Metadata;

/// Crates that read or write debug info.
const DEBUG_INFO: [&str; 3] = ["addr2line", "gimli", "object"];

/// Crates that draw on a terminal or read from one.
const TERMINAL: [&str; 8] = [
    "console",
    "crossterm",
    "ratatui",
    "rustyline",
    "syntect",
    "termion",
    "termwiz",
    "tui-input",
];

/// Fails when `member` names one of these itself, be it for its tests only.
fn assert_names_none(metadata: &Metadata, member: &str, refused: &[&str]) {
    let named = metadata.named_by(member, true);
    let found: Vec<_> = refused
        .iter()
        .filter(|name| named.contains(*name))
        .collect();
    assert!(found.is_empty(), "{member} depends on {found:?}");
}

/// Fails when one of these ends up in what `member` is built of.
fn assert_built_without(metadata: &Metadata, member: &str, refused: &[&str]) {
    let built = metadata.built_into(member);
    let found: Vec<_> = refused
        .iter()
        .filter(|name| built.contains(*name))
        .collect();
    assert!(found.is_empty(), "{member} is built with {found:?}");
}

#[test]
fn the_workspace_has_the_crates_of_the_plan() {
    let metadata = Metadata::read();
    let members: BTreeSet<&str> = metadata
        .members()
        .map(|package| package.name.as_str())
        .collect();
    let expected = [
        "wdb",
        "wdb-codegen",
        "wdb-debugger",
        "wdb-dwarf",
        "wdb-gdbstub",
        "wdb-tui",
        "wdb-vm",
        "wdb-wast",
    ];
    assert_eq!(members, BTreeSet::from(expected));
}

#[test]
fn front_ends_talk_to_the_session_and_nothing_below() {
    let metadata = Metadata::read();
    for front_end in ["wdb-tui", "wdb-gdbstub"] {
        assert!(metadata.named_by(front_end, true).contains("wdb-debugger"));
        assert_names_none(&metadata, front_end, &["wdb-vm", "wdb-dwarf", "wdb"]);
    }
    assert_names_none(&metadata, "wdb-tui", &["wdb-gdbstub", "wdb-wast"]);
    assert_names_none(&metadata, "wdb-gdbstub", &["wdb-tui", "wdb-wast"]);
}

#[test]
fn scripts_of_the_specification_need_the_machine_alone() {
    let metadata = Metadata::read();
    let others = ["wdb", "wdb-debugger", "wdb-dwarf", "wdb-gdbstub", "wdb-tui"];
    assert_names_none(&metadata, "wdb-wast", &others);
}

#[test]
fn the_machine_and_the_debug_info_do_not_know_each_other() {
    let metadata = Metadata::read();
    let others = ["wdb", "wdb-debugger", "wdb-gdbstub", "wdb-tui", "wdb-wast"];
    assert_names_none(&metadata, "wdb-vm", &["wdb-dwarf"]);
    assert_names_none(&metadata, "wdb-vm", &others);
    assert_names_none(&metadata, "wdb-dwarf", &["wdb-vm"]);
    assert_names_none(&metadata, "wdb-dwarf", &others);
}

#[test]
fn the_compiler_knows_no_machine_and_only_the_machine_knows_it() {
    let metadata = Metadata::read();
    let others = [
        "wdb",
        "wdb-debugger",
        "wdb-dwarf",
        "wdb-gdbstub",
        "wdb-tui",
        "wdb-wast",
    ];
    assert_names_none(&metadata, "wdb-codegen", &others);
    assert_names_none(&metadata, "wdb-codegen", &["wdb-vm"]);
    for other in others {
        assert_names_none(&metadata, other, &["wdb-codegen"]);
    }
}

#[test]
fn the_machine_reads_no_debug_info() {
    let metadata = Metadata::read();
    // The assembler of text modules writes debug info by means of gimli, so the machine is built with it all the same.
    let named = metadata.named_by("wdb-vm", false);
    let found: Vec<_> = DEBUG_INFO
        .iter()
        .filter(|name| named.contains(*name))
        .collect();
    assert!(found.is_empty(), "wdb-vm depends on {found:?}");
}

#[test]
fn only_front_ends_touch_the_terminal() {
    let metadata = Metadata::read();
    for member in [
        "wdb-codegen",
        "wdb-vm",
        "wdb-dwarf",
        "wdb-debugger",
        "wdb-gdbstub",
        "wdb-wast",
    ] {
        assert_built_without(&metadata, member, &TERMINAL);
    }
}

#[test]
fn only_the_machine_touches_the_operating_system_for_the_guest() {
    let metadata = Metadata::read();
    for member in ["wdb-dwarf", "wdb-debugger", "wdb-tui", "wdb-gdbstub"] {
        assert_names_none(
            &metadata,
            member,
            &["cap-std", "cap-fs-ext", "rustix", "getrandom"],
        );
    }
}

//! C++: namespaces, classes, references, static members, types in units of their own.

use wdb_dwarf::{RawSlot, TypeKind};

use crate::support::Program;

#[test]
fn globals_have_qualified_names() {
    let program = Program::open("classes.wasm");
    assert_eq!(program.show(&program.global("shop::Item::made")), "3");
    assert_eq!(program.show(&program.global("made")), "3");
    assert_eq!(program.show(&program.global("secret")), "9");
    assert_eq!(
        program.show(&program.global("shop::favourite")),
        "shop::Kind::Tool"
    );
    assert_eq!(program.info.global_variables("nothing", None), []);
    let run = program.info.functions_named("run")[0].low_pc();
    let names: Vec<_> = program
        .info
        .unit_variables(run)
        .iter()
        .map(|variable| variable.name.to_string())
        .collect();
    assert!(
        names.contains(&"seen".to_owned()) && names.contains(&"shop::favourite".to_owned()),
        "{names:?}"
    );
}

#[test]
fn types_come_from_type_units() {
    let program = Program::open("classes.wasm");
    let info = &program.info;
    let kind = info.type_of(program.global("favourite").type_ref);
    assert_eq!(kind.name.as_deref(), Some("shop::Kind"));
    let TypeKind::Enumeration(enumeration) = &kind.kind else {
        panic!("{kind:?}")
    };
    assert!(enumeration.is_scoped && enumeration.enumerators.len() == 2);
    assert_eq!(info.summary().units.len(), 1);
}

#[test]
fn objects_have_bases_and_are_reached_through_references() {
    let mut program = Program::open("classes.wasm");
    let run = program.info.functions_named("run")[0].clone();
    let at = program.line("classes.cpp", 42);
    for index in 0..16 {
        program.target.locals.insert(index, RawSlot::I32(0x8000));
    }
    assert!(run.contains(at));
    let item = program.variable(at, 0, "item");
    let place = program.inspect().locate(&item, at).unwrap();
    let wdb_dwarf::Place::Memory(address) = place else {
        panic!("{place:?}")
    };
    let info = &program.info;
    assert_eq!(info.type_name(item.type_ref), "shop::Item");
    // What the constructor stores: the virtual table, the base's name, the price.
    let name = program
        .target
        .memory
        .windows(5)
        .position(|bytes| bytes == b"pear\0")
        .unwrap();
    let mut object = [0; 12];
    object[4..8].copy_from_slice(&u32::try_from(name).unwrap().to_le_bytes());
    object[8] = 4;
    let start = usize::try_from(address).unwrap();
    program.target.memory[start..start + 12].copy_from_slice(&object);
    let inspector = program.inspect();
    let value = inspector.variable(&item, at);
    assert_eq!(
        program.show(&inspector.member(&value, "price_").unwrap()),
        "4"
    );
    assert!(
        program
            .show(&inspector.member(&value, "name").unwrap())
            .ends_with("\"pear\"")
    );
    let shown = program.show(&value);
    assert!(shown.starts_with("{<shop::Named> = {name = 0x"), "{shown}");
    let same = program.variable(at, 0, "same");
    let wdb_dwarf::Place::Memory(reference) = program.inspect().locate(&same, at).unwrap() else {
        panic!()
    };
    let reference = usize::try_from(reference).unwrap();
    program.target.memory[reference..reference + 4]
        .copy_from_slice(&u32::try_from(address).unwrap().to_le_bytes());
    let inspector = program.inspect();
    let value = inspector.variable(&same, at);
    assert_eq!(
        program.show(&inspector.member(&value, "price_").unwrap()),
        "4"
    );
    assert!(program.show(&value).starts_with("@0x"));
}

//! Where addresses in a module's DWARF count from.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use gimli::{EndianSlice, LittleEndian};
use wdb_vm::address::ModuleOffset;
use wdb_vm::module::Module;

/// A module of so many functions, the last of which has one instruction a line, the first in line `functions` + 2.
fn text(functions: usize) -> String {
    let mut text = "(module\n".to_owned();
    for _ in 1..functions {
        text.push_str("(func nop)\n");
    }
    text.push_str("(func (param i32) (result i32)\nlocal.get 0\ni32.const 300\ni32.mul)\n)");
    text
}

/// The offset of each line's first row in the line table.
fn offsets_of_lines(module: &Module) -> BTreeMap<u64, ModuleOffset> {
    let section = |id: gimli::SectionId| -> Result<_, gimli::Error> {
        let range = module.custom_section(id.name()).unwrap_or(0..0);
        let bytes = &module.bytes()[range.start as usize..range.end as usize];
        Ok(EndianSlice::new(bytes, LittleEndian))
    };
    let dwarf = gimli::Dwarf::load(section).expect("the sections are there");
    let header = dwarf
        .units()
        .next()
        .expect("the unit is well-formed")
        .expect("there is a unit");
    let unit = dwarf.unit(header).expect("the unit is well-formed");
    let program = unit.line_program.expect("the unit has a line table");
    let mut rows = program.rows();
    let mut offsets = BTreeMap::new();
    while let Some((_, row)) = rows.next_row().expect("the line table is well-formed") {
        let offset = ModuleOffset(module.dwarf_base().0 + row.address() as u32);
        if let Some(line) = row.line() {
            offsets.entry(line.get()).or_insert(offset);
        }
    }
    offsets
}

fn parse(bytes: Vec<u8>) -> Arc<Module> {
    Module::parse(bytes, Some(Path::new("test.wat"))).expect("the module is valid")
}

#[test]
fn lines_of_a_text_are_found_at_their_instructions() {
    // The number of functions takes one byte below 128, two from there on.
    for functions in [1, 2, 127, 128, 300] {
        let module = parse(text(functions).into_bytes());
        let last = module.func_at(ModuleOffset(module.code_section().end - 1));
        let instructions = module.instructions(last.expect("the last function ends there"));
        let found: Vec<_> = instructions
            .map(|instruction| (instruction.pc, instruction.info().mnemonic))
            .collect();
        let offsets = offsets_of_lines(&module);
        let first_line = functions as u64 + 2;
        let expected = ["local.get", "i32.const", "i32.mul"];
        for (line, mnemonic) in (first_line..).zip(expected) {
            let at = offsets[&line];
            assert!(
                found.contains(&(at, mnemonic)),
                "{functions} functions, line {line}: {mnemonic} is not at {at} in {found:?}"
            );
        }
    }
}

#[test]
fn a_binary_counts_from_the_start_of_the_code_section() {
    let assembled = parse(text(200).into_bytes());
    let module = parse(assembled.bytes().to_vec());
    assert_eq!(module.dwarf_base().0, module.code_section().start);
    assert_eq!(assembled.dwarf_base().0, module.code_section().start + 2);
}

#[test]
fn a_module_without_code_has_a_base() {
    for bytes in [&b"(module)"[..], b"\0asm\x01\0\0\0"] {
        assert_eq!(parse(bytes.to_vec()).dwarf_base(), ModuleOffset(0));
    }
}

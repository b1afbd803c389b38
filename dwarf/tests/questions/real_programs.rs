//! Programs that this project did not write, where they are at hand.

use std::path::Path;
use std::time::Instant;

use wdb_dwarf::{CodeOffset, FormatOptions};

use crate::support::{Program, announce, read_module};

/// Opens a program from the folder beside the checkout, or says that it is not there.
fn open(name: &str) -> Option<Program> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/programs")
        .join(name);
    if !path.exists() {
        announce(&format!("NOT TESTED: {} does not exist", path.display()));
        return None;
    }
    Some(Program::from_module(&read_module(&path)))
}

#[test]
fn main_of_a_rust_program() {
    let Some(program) = open("hello-rust.wasm") else {
        return;
    };
    let info = &program.info;
    let started = Instant::now();
    let functions = info.functions_named("main");
    eprintln!("hello-rust.wasm: names indexed in {:?}", started.elapsed());
    assert_eq!(functions.len(), 1);
    let main = &functions[0];
    assert_eq!(&*main.name, "hello::main");
    assert_eq!(
        main.declaration
            .as_ref()
            .map(|place| (&*place.file, place.line)),
        Some(("/src/hello-rust/src/main.rs", 5))
    );
    assert!(main.contains(info.breakpoint_address(main)));
    let lines = info.lines_with_code("/src/hello-rust/src/main.rs");
    assert!(
        [4, 6, 7, 8, 9, 10].iter().all(|line| lines.contains(line)),
        "{lines:?}"
    );
    let at = program.line("main.rs", 10);
    let names: Vec<_> = info
        .variables(at, 0)
        .iter()
        .map(|variable| variable.name.to_string())
        .collect();
    assert!(
        ["shapes", "totals", "name", "opt"]
            .iter()
            .all(|name| names.contains(&(*name).to_owned())),
        "{names:?}"
    );
    let started = Instant::now();
    let count = info.all_functions().len();
    eprintln!(
        "hello-rust.wasm: {count} names of functions in {:?}",
        started.elapsed()
    );
    assert!(count > 1000);
    assert_eq!(info.warnings(), Vec::<String>::new());
}

#[test]
fn lua_s_interpreter() {
    for name in ["lua-O0.wasm", "lua-O2.wasm"] {
        let Some(program) = open(name) else { return };
        let info = &program.info;
        let function = &info.functions_named("luaV_execute")[0];
        let at = info.breakpoint_address(function);
        let location = info.location(at).unwrap();
        assert!(
            location.file.ends_with("/lvm.c") && location.line > 1000,
            "{location:?}"
        );
        let frame = info.inlined_frames(at).len();
        let variables = info.variables(at, frame);
        let declared: Vec<_> = variables
            .iter()
            .map(|variable| info.type_declaration(variable.type_ref, &variable.name))
            .collect();
        assert_eq!(declared[..2], ["lua_State *L", "CallInfo *ci"]);
        let state = info.type_named("lua_State", Some(at)).unwrap();
        assert!(info.type_definition(state).contains("    CallInfo *ci;\n"));
        assert_eq!(info.warnings(), Vec::<String>::new());
    }
}

#[test]
fn every_address_and_variable_has_an_answer() {
    for name in ["lua-O2.wasm", "hello-rust.wasm"] {
        let Some(program) = open(name) else { return };
        let info = &program.info;
        let started = Instant::now();
        let (mut variables, mut frames) = (0, 0);
        for symbol in info.all_functions().iter().step_by(7) {
            let Some(function) = info.function(symbol.id) else {
                continue;
            };
            for address in (function.low_pc().0..function.ranges[0].end.0).step_by(97) {
                let at = CodeOffset(address);
                let depth = info.inlined_frames(at).len();
                frames += depth;
                for variable in info.variables(at, depth) {
                    let value = program.inspect().variable(&variable, at);
                    assert!(
                        !program
                            .inspect()
                            .format(&value, &FormatOptions::default())
                            .is_empty()
                    );
                    variables += 1;
                }
            }
        }
        eprintln!(
            "{name}: {variables} variables and {frames} inlined frames in {:?}",
            started.elapsed()
        );
        assert!(variables > 500);
    }
}

//! Lines, breakpoints and functions by name.

use wdb_dwarf::CodeOffset;

use crate::support::Program;

fn breakpoints(program: &Program, file: &str, line: u32) -> Vec<(u32, usize)> {
    let found = program.info.breakpoints_for_line(file, line);
    found
        .iter()
        .map(|breakpoint| (breakpoint.line, breakpoint.addresses.len()))
        .collect()
}

#[test]
fn breakpoints_move_to_the_next_line_with_code() {
    for fixture in ["shapes-dwarf4.wasm", "shapes-dwarf5.wasm"] {
        let program = Program::open(fixture);
        assert_eq!(breakpoints(&program, "shapes.c", 111), [(113, 1)]);
        assert_eq!(breakpoints(&program, "shapes.c", 90), [(90, 1)]);
        assert_eq!(breakpoints(&program, "/src/shapes.c", 90), [(90, 1)]);
        assert_eq!(breakpoints(&program, "src/shapes.c", 90), [(90, 1)]);
        // A loop's line has several beginnings, but is one place to stop at.
        assert_eq!(breakpoints(&program, "shapes.c", 75), [(75, 1)]);
        assert_eq!(breakpoints(&program, "shapes.c", 1000), []);
        assert_eq!(breakpoints(&program, "hapes.c", 90), []);
        assert_eq!(breakpoints(&program, "", 90), []);
    }
}

#[test]
fn a_function_s_line_stands_for_the_end_of_its_prologue() {
    let program = Program::open("shapes-dwarf4.wasm");
    let fib = &program.info.functions_named("fib")[0];
    let after_prologue = program.info.breakpoint_address(fib);
    assert!(after_prologue > fib.low_pc());
    let line = fib.declaration.as_ref().unwrap().line;
    assert_eq!(program.line("shapes.c", line), after_prologue);
    let row = program.info.line_row(after_prologue).unwrap();
    assert!(row.prologue_end && row.range.start == after_prologue);
    assert_eq!(row.location.line, line + 1);
}

#[test]
fn rows_of_one_line_are_stepped_over_together() {
    let program = Program::open("shapes-dwarf4.wasm");
    let start = program.line("shapes.c", 92);
    let row = program.info.line_row(start).unwrap();
    assert!(row.range.end < row.line_range.end);
    let inside = program.info.line_row(CodeOffset(row.range.end.0)).unwrap();
    assert_eq!(
        (inside.line_range, inside.location.line),
        (row.line_range, 92)
    );
}

#[test]
fn addresses_outside_of_code_have_nothing() {
    let program = Program::open("shapes-dwarf5.wasm");
    for address in [0, 1, 1_000_000, u32::MAX] {
        let at = CodeOffset(address);
        assert_eq!(program.info.location(at), None);
        assert_eq!(program.info.line_row(at), None);
        assert_eq!(program.info.function_at(at), None);
        assert_eq!(program.info.inlined_frames(at), []);
        assert_eq!(program.info.variables(at, 0), []);
    }
}

#[test]
fn names_find_functions() {
    let program = Program::open("classes.wasm");
    let named = |name: &str| {
        let functions = program.info.functions_named(name);
        functions
            .iter()
            .map(|function| function.name.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(named("shop::Item::cost"), ["shop::Item::cost"]);
    assert_eq!(named("::shop::Item::cost"), ["shop::Item::cost"]);
    assert_eq!(named("Item::cost"), ["shop::Item::cost"]);
    assert_eq!(named("cost"), ["shop::Item::cost"]);
    assert_eq!(named("_ZNK4shop4Item4costEi"), ["shop::Item::cost"]);
    assert_eq!(
        named("largest"),
        ["shop::largest<int>", "shop::largest<long long>"]
    );
    assert_eq!(named("shop::largest<int>"), ["shop::largest<int>"]);
    assert_eq!(named("ost"), Vec::<String>::new());
    assert_eq!(named(""), Vec::<String>::new());
    let run = &program.info.functions_named("run")[0];
    assert!(run.is_external && &*run.unit == "classes.cpp");
    assert_eq!(
        program
            .info
            .function_at(program.info.breakpoint_address(run))
            .as_ref(),
        Some(run)
    );
}

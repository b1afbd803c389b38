//! Values of Rust's own types.

use crate::support::Program;

#[test]
fn rust_values_read_as_debug_writes_them() {
    let program = Program::open("rusty.wasm");
    let inspector = program.inspect();
    let everything = program.global("EVERYTHING");
    let check = |member: &str, expected: &str| {
        assert_eq!(
            program.show(&inspector.member(&everything, member).unwrap()),
            expected,
            "{member}"
        );
    };
    check("text", "\"caf\u{e9}\\n\"");
    check("slice", "[1, 2, 3]");
    check("tuple", "(200, 233 '\u{e9}', true)");
    check("circle", "Circle {radius: 1.5}");
    check("rect", "Rect(2, 3)");
    check("empty", "Empty");
    check("direction", "South");
    check("some", "Some(7)");
    check("none", "None");
    check("niche_none", "None");
    check("meters", "Meters(2.5)");
    check("unit", "Unit");
    check("array", "[-1, 0, 1]");
    check("zeros", "[0 <repeats 32 times>]");
    check("vector", "[Point {x: 1, y: -2}, Point {x: 3, y: 4}]");
    check("string", "\"caf\u{e9}\\n\"");
    check("boxed", "None");
    check("function", "0x1 <first>");
}

#[test]
fn parts_are_reached_by_rust_names() {
    let program = Program::open("rusty.wasm");
    let inspector = program.inspect();
    let everything = program.global("rusty::EVERYTHING");
    let member = |name: &str| inspector.member(&everything, name).unwrap();
    let show = |value| program.show(&value);
    assert_eq!(
        show(inspector.member(&member("tuple"), "1").unwrap()),
        "233 '\u{e9}'"
    );
    assert_eq!(
        show(inspector.member(&member("circle"), "radius").unwrap()),
        "1.5"
    );
    assert_eq!(
        show(inspector.index(&member("vector"), 1).unwrap()),
        "Point {x: 3, y: 4}"
    );
    assert_eq!(show(inspector.index(&member("slice"), 2).unwrap()), "3");
    let niche = inspector.member(&member("niche_some"), "0").unwrap();
    assert_eq!(show(inspector.member(&niche, "y").unwrap()), "4");
    let children = inspector.children(&member("vector"), 10);
    assert_eq!(children.len(), 2);
    let names: Vec<_> = inspector
        .children(&member("rect"), 10)
        .into_iter()
        .map(|child| child.name)
        .collect();
    assert_eq!(names, ["__0", "__1"]);
}

#[test]
fn statics_that_the_linker_dropped_are_optimized_out() {
    let program = Program::open("rusty.wasm");
    assert_eq!(
        program.show(&program.global("rusty::TEXT")),
        "<optimized out>"
    );
}

//! Inlined calls as frames, and values in wasm locals.

use wdb_dwarf::{CodeOffset, Place, RawSlot, VariableKind, Write};

use crate::support::Program;

const FIXTURES: [&str; 2] = ["inlined-dwarf4.wasm", "inlined-dwarf5.wasm"];

/// An address in the second copy of `square`, by its name and call site.
fn in_second_square(program: &Program) -> CodeOffset {
    let compute = &program.info.functions_named("compute")[0];
    let addresses = (compute.low_pc().0..compute.ranges[0].end.0).map(CodeOffset);
    let found = addresses.filter(|at| {
        let frames = program.info.inlined_frames(*at);
        frames
            .first()
            .is_some_and(|frame| frame.call_site.as_ref().is_some_and(|site| site.line == 19))
    });
    found.last().expect("the second copy of square")
}

#[test]
fn inlined_calls_are_frames() {
    for fixture in FIXTURES {
        let program = Program::open(fixture);
        let at = in_second_square(&program);
        let frames = program.info.inlined_frames(at);
        let names: Vec<_> = frames.iter().map(|frame| &*frame.function).collect();
        assert_eq!(names, ["square", "twice"]);
        let calls: Vec<_> = frames
            .iter()
            .filter_map(|frame| Some(frame.call_site.as_ref()?.line))
            .collect();
        assert_eq!(calls, [19, 26]);
        assert_eq!(&*program.info.function_at(at).unwrap().name, "compute");
        assert!(
            frames
                .iter()
                .all(|frame| frame.ranges.iter().any(|range| range.contains(&at)))
        );
        let names = |frame| {
            let variables = program.info.variables(at, frame);
            variables
                .iter()
                .map(|variable| variable.name.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(0), ["x", "product"]);
        assert_eq!(names(1)[0], "y");
        assert_eq!(names(2)[..2], ["a", "b"]);
        assert_eq!(names(3), Vec::<String>::new());
        assert_eq!(program.variable(at, 0, "x").kind, VariableKind::Argument);
    }
}

#[test]
fn breakpoints_reach_inlined_copies() {
    for fixture in FIXTURES {
        let program = Program::open(fixture);
        let square = program.info.breakpoints_for_function("square");
        assert_eq!(square.len(), 2);
        assert!(
            square
                .iter()
                .all(|breakpoint| breakpoint.is_inlined && &*breakpoint.function == "square")
        );
        assert_eq!(program.info.functions_named("square"), []);
        let line = &program.info.breakpoints_for_line("inlined.c", 13)[0];
        assert_eq!((line.line, line.addresses.len()), (13, 2));
        let compute = program.info.breakpoints_for_function("compute");
        assert_eq!(compute.len(), 1);
        assert_eq!(
            program
                .info
                .location(compute[0].address)
                .map(|location| location.line),
            Some(25)
        );
    }
}

#[test]
fn values_live_in_locals_constants_and_pieces() {
    for fixture in FIXTURES {
        let mut program = Program::open(fixture);
        program.target.locals.insert(0, RawSlot::I32(11));
        program.target.locals.insert(1, RawSlot::I64(1 << 40));
        let compute = &program.info.functions_named("compute")[0];
        let at = program.info.breakpoint_address(compute);
        let show = |at, name: &str| {
            let variable = program.variable(at, program.info.inlined_frames(at).len(), name);
            program.show(&program.inspect().variable(&variable, at))
        };
        assert_eq!(show(at, "a"), "11");
        assert_eq!(show(at, "b"), "1099511627776");
        assert_eq!(show(at, "constant"), "7");
        assert_eq!(show(at, "result"), "<optimized out>");
        // Only the first member is anywhere yet.
        assert_eq!(show(at, "pair"), "{first = 11, second = <optimized out>}");
        let end = CodeOffset(compute.ranges[0].end.0 - 1);
        assert_eq!(show(end, "pair"), "{first = 11, second = 1099511627776}");
        let a = program
            .inspect()
            .variable(&program.variable(at, 0, "a"), at);
        assert_eq!(a.place, Place::Local(0));
        let b = program
            .inspect()
            .variable(&program.variable(at, 0, "b"), at);
        assert_eq!(
            program.inspect().assign(&b, &a),
            Ok(vec![Write::Local {
                index: 1,
                slot: RawSlot::I64(11)
            }])
        );
        let pair = program
            .inspect()
            .variable(&program.variable(end, 0, "pair"), end);
        let second = program.inspect().member(&pair, "second").unwrap();
        assert_eq!(second.place, Place::Local(1));
    }
}

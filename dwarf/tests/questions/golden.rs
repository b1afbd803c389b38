//! Everything that the fixtures' debug info says, compared with files beside the fixtures.

use std::fmt::Write as _;

use wdb_dwarf::{CodeOffset, Function};

use crate::support::{Program, fixture_path};

/// Compares what is known about a fixture with its `.expected` file; `BLESS=1` rewrites it.
fn check(name: &str) {
    let described = describe(&Program::open(&format!("{name}.wasm")));
    let path = fixture_path(&format!("{name}.expected"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, described).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    for (number, (found, expected)) in described.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "{}:{}", path.display(), number + 1);
    }
    assert_eq!(described, expected, "{}", path.display());
}

fn describe(program: &Program) -> String {
    let mut text = String::new();
    let info = &program.info;
    for unit in info.summary().units {
        let _ = writeln!(text, "unit {} in {}", unit.name, unit.directory);
        let _ = writeln!(
            text,
            "    DWARF {}, {}, {}",
            unit.dwarf_version, unit.language, unit.producer
        );
    }
    for file in info.files().iter() {
        let _ = writeln!(
            text,
            "file {file}\n    lines {:?}",
            info.lines_with_code(file)
        );
    }
    for symbol in info.all_functions().iter() {
        match info.function(symbol.id) {
            Some(function) => describe_function(&mut text, program, &function),
            None => {
                let _ = writeln!(text, "inlined function {}", symbol.name);
            }
        }
    }
    for name in info.all_globals().iter() {
        let value = program.global(name);
        let _ = writeln!(
            text,
            "variable {} = {}",
            info.type_declaration(value.type_ref, name),
            program.show(&value)
        );
        let _ = writeln!(
            text,
            "    {}",
            info.type_definition(value.type_ref).replace('\n', "\n    ")
        );
    }
    assert_eq!(info.warnings(), Vec::<String>::new());
    text
}

fn describe_function(text: &mut String, program: &Program, function: &Function) {
    let info = &program.info;
    let _ = writeln!(
        text,
        "function {}",
        info.type_declaration(function.return_type, &function.name)
    );
    if let Some(name) = &function.linkage_name {
        let _ = writeln!(text, "    linked as {name}");
    }
    let _ = writeln!(text, "    breakpoint {}", info.breakpoint_address(function));
    let mut last = String::new();
    for range in &function.ranges {
        for address in range.start.0..range.end.0 {
            let described = describe_address(program, CodeOffset(address));
            if described != last {
                let _ = write!(text, "    {}\n{described}", CodeOffset(address));
                last = described;
            }
        }
    }
}

fn describe_address(program: &Program, at: CodeOffset) -> String {
    let info = &program.info;
    let mut text = String::new();
    if let Some(row) = info.line_row(at) {
        let _ = writeln!(
            text,
            "        line {}:{}{}{} {}..{} in {}..{}",
            row.location.line,
            row.location.column,
            if row.is_stmt { " is_stmt" } else { "" },
            if row.prologue_end {
                " prologue_end"
            } else {
                ""
            },
            row.range.start,
            row.range.end,
            row.line_range.start,
            row.line_range.end,
        );
    }
    let frames = info.inlined_frames(at);
    for (depth, frame) in frames.iter().enumerate() {
        let _ = write!(text, "        inlined {}", frame.function);
        if let Some(call_site) = &frame.call_site {
            let _ = write!(text, " called at {}:{}", call_site.line, call_site.column);
        }
        text.push('\n');
        describe_variables(&mut text, program, at, depth);
    }
    describe_variables(&mut text, program, at, frames.len());
    text
}

fn describe_variables(text: &mut String, program: &Program, at: CodeOffset, frame: usize) {
    for variable in program.info.variables(at, frame) {
        let declaration = program
            .info
            .type_declaration(variable.type_ref, &variable.name);
        let shadowed = if variable.is_shadowed {
            " (shadowed)"
        } else {
            ""
        };
        let place = match program.inspect().locate(&variable, at) {
            Ok(place) => format!("{place:?}"),
            Err(error) => error.to_string(),
        };
        let _ = writeln!(
            text,
            "            {:?} {declaration}{shadowed}: {place}",
            variable.kind
        );
    }
}

#[test]
fn shapes_in_dwarf_4() {
    check("shapes-dwarf4");
}

#[test]
fn shapes_in_dwarf_5() {
    check("shapes-dwarf5");
}

#[test]
fn inlined_calls_in_dwarf_4() {
    check("inlined-dwarf4");
}

#[test]
fn inlined_calls_in_dwarf_5() {
    check("inlined-dwarf5");
}

#[test]
fn classes_in_type_units() {
    check("classes");
}

#[test]
fn rust_types() {
    check("rusty");
}

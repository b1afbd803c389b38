//! Values of C: taken apart, computed with, written and formatted.

use wdb_dwarf::{
    Availability, BaseEncoding, CodeOffset, Error, FormatOptions, Place, Radix, RawSlot, Scalar,
    TypeRef, Value, Write,
};

use crate::support::Program;

const FIXTURES: [&str; 2] = ["shapes-dwarf4.wasm", "shapes-dwarf5.wasm"];

/// Checks what a path of members and indexes leads to, as `shape.bits.b` or `head.items[1]`.
fn check(program: &Program, path: &str, expected: &str) {
    assert_eq!(program.show(&follow(program, path)), expected, "{path}");
}

fn follow(program: &Program, path: &str) -> Value {
    let inspector = program.inspect();
    let mut steps = path.split('.');
    let first = steps.next().unwrap_or_default();
    let start = |name: &str| program.global(name);
    let step = |value: Option<Value>, step: &str| {
        let (name, indexes) = step
            .split_once('[')
            .map_or((step, ""), |(name, rest)| (name, rest));
        let value = match value {
            None => start(name),
            Some(value) => inspector.member(&value, name).unwrap(),
        };
        let indexes = indexes
            .split(']')
            .map(|index| index.trim_start_matches('['))
            .filter(|index| !index.is_empty());
        indexes.fold(value, |value, index| {
            inspector.index(&value, index.parse().unwrap()).unwrap()
        })
    };
    steps.fold(step(None, first), |value, name| step(Some(value), name))
}

#[test]
fn members_and_elements() {
    for fixture in FIXTURES {
        let program = Program::open(fixture);
        check(&program, "shape.tag", "97 'a'");
        check(&program, "shape.x", "-1");
        check(&program, "shape.y", "2");
        check(&program, "shape.u.parts[0]", "4 '\\004'");
        check(&program, "shape.bits.a", "5");
        check(&program, "shape.bits.b", "-3");
        check(&program, "shape.bits.c", "1000");
        check(&program, "shape.bits.d", "true");
        check(&program, "shape.flags", "(FLAG_A | FLAG_C)");
        check(&program, "shape.operation", "0x1 <first>");
        check(&program, "shape.ratio", "0.1");
        check(&program, "head.next.name", "0x10006 \"tail\"");
        check(&program, "head.next.items[2]", "6");
        check(&program, "matrix[1]", "{4, 5, 6}");
        check(&program, "matrix[1][2]", "6");
        check(&program, "words[1]", "0x10002 \"two\"");
    }
}

#[test]
fn pointers_and_addresses() {
    let program = Program::open(FIXTURES[0]);
    let inspector = program.inspect();
    let head = program.global("head");
    let pointer = inspector.address_of(&head).unwrap();
    assert_eq!(program.info.type_name(pointer.type_ref), "struct node *");
    assert_eq!(inspector.dereference(&pointer).unwrap(), head);
    let items = follow(&program, "head.items");
    let last = inspector
        .index(
            &inspector
                .address_of(&follow(&program, "head.items[2]"))
                .unwrap(),
            -1,
        )
        .unwrap();
    assert_eq!(inspector.scalar(&last), Ok(Scalar::Integer(2)));
    let decayed = inspector.scalar(&items).unwrap();
    assert_eq!(Place::Memory(decayed.to_i128() as u64), items.place);
    let anything = follow(&program, "shape.anything");
    assert!(matches!(
        inspector.dereference(&anything),
        Err(Error::WrongType { .. })
    ));
    let node_pointer = program.info.type_named("struct node *", None).unwrap();
    let cast = inspector.cast(&anything, node_pointer).unwrap();
    assert_eq!(
        program.show(&inspector.member(&cast, "items").unwrap()),
        "{1, 2, 3}"
    );
}

#[test]
fn errors_say_what_is_wrong() {
    let program = Program::open(FIXTURES[0]);
    let inspector = program.inspect();
    let head = program.global("head");
    let message = |result: Result<Value, Error>| result.unwrap_err().to_string();
    assert_eq!(
        message(inspector.member(&head, "nothing")),
        "there is no member named nothing in struct node"
    );
    assert_eq!(
        message(inspector.member(&program.global("odd"), "x")),
        "access to a member does not apply to a value of type enum color"
    );
    let hidden = follow(&program, "shape.hidden");
    assert_eq!(
        message(inspector.member(&hidden, "x")),
        "struct opaque is an incomplete type"
    );
    assert_eq!(
        message(inspector.index(&hidden, 1)),
        "struct opaque is an incomplete type"
    );
    let far = inspector.read(
        program.info.base_type(BaseEncoding::Signed, 4),
        Place::Memory(0xffff_fff0),
    );
    assert_eq!(
        program.show(&far),
        "<error: cannot access memory at address 0xfffffff0>"
    );
}

#[test]
fn casts_convert_as_c_does() {
    let program = Program::open(FIXTURES[0]);
    let inspector = program.inspect();
    let info = &program.info;
    let cast = |value: &Value, name: &str| {
        program.show(
            &inspector
                .cast(value, info.type_named(name, None).unwrap())
                .unwrap(),
        )
    };
    let int = |number| {
        inspector.constant(
            info.type_named("int", None).unwrap(),
            Scalar::Integer(number),
        )
    };
    assert_eq!(cast(&int(-1), "unsigned"), "4294967295");
    assert_eq!(cast(&int(300), "unsigned char"), "44 ','");
    assert_eq!(cast(&int(97), "char"), "97 'a'");
    assert_eq!(cast(&int(5), "enum color"), "GREEN");
    assert_eq!(cast(&int(3), "double"), "3");
    assert_eq!(cast(&program.global("limits"), "u32"), "65776");
    assert_eq!(cast(&follow(&program, "shape.ratio"), "int"), "0");
    assert_eq!(cast(&int(2), "_Bool"), "true");
}

#[test]
fn assignments_become_writes() {
    let program = Program::open(FIXTURES[0]);
    let inspector = program.inspect();
    let int = program.info.base_type(BaseEncoding::Signed, 4);
    let number = |number| inspector.constant(int, Scalar::Integer(number));
    let assign = |path: &str, value| {
        inspector
            .assign(&follow(&program, path), &number(value))
            .unwrap()
    };
    let address = |path: &str| match follow(&program, path).place {
        Place::Memory(address) => address,
        place => panic!("{path} lives at {place:?}"),
    };
    let items = address("head.items");
    assert_eq!(
        assign("head.items[1]", -2),
        [Write::Memory {
            address: items + 4,
            bytes: vec![0xfe, 0xff, 0xff, 0xff]
        }]
    );
    assert_eq!(
        assign("shape.ratio", 3),
        [Write::Memory {
            address: address("shape.ratio"),
            bytes: 3f64.to_le_bytes().to_vec()
        }]
    );
    // A bit field leaves its neighbours in the same byte alone: a = 5, b = -3 as 5 bits.
    let before = program.target.memory[address("shape.bits") as usize];
    assert_eq!(before, 0b1110_1101);
    assert_eq!(
        assign("shape.bits.a", 2),
        [Write::Memory {
            address: address("shape.bits"),
            bytes: vec![0b1110_1010]
        }]
    );
    assert_eq!(
        inspector.assign(&number(1), &number(2)),
        Err(Error::NotAssignable)
    );
}

#[test]
fn slots_keep_their_own_type() {
    let mut program = Program::open(FIXTURES[0]);
    program.target.locals.insert(0, RawSlot::I32(0xffff_ffff));
    program.target.globals.insert(1, RawSlot::F64(0));
    let inspector = program.inspect();
    let char_type = program.info.type_named("char", None).unwrap();
    let local = inspector.read(char_type, Place::Local(0));
    assert_eq!(program.show(&local), "-1 '\\377'");
    let minus_two = inspector.constant(char_type, Scalar::Integer(-2));
    assert_eq!(
        inspector.assign(&local, &minus_two),
        Ok(vec![Write::Local {
            index: 0,
            slot: RawSlot::I32(0xffff_fffe)
        }])
    );
    let double = inspector.read(
        program.info.type_named("double", None).unwrap(),
        Place::Global(1),
    );
    assert_eq!(
        inspector.assign(&double, &minus_two),
        Ok(vec![Write::Global {
            index: 1,
            slot: RawSlot::F64((-2f64).to_bits())
        }])
    );
    let missing = inspector.read(char_type, Place::Operand(3));
    assert_eq!(
        program.show(&missing),
        "<error: the wasm operand stack slot 3 is not available in this frame>"
    );
}

#[test]
fn options_change_how_values_read() {
    let program = Program::open(FIXTURES[0]);
    let show = |path: &str, options: FormatOptions| {
        program.inspect().format(&follow(&program, path), &options)
    };
    let radix = |radix| FormatOptions {
        radix,
        ..FormatOptions::default()
    };
    assert_eq!(
        show("head.items", radix(Radix::Hexadecimal)),
        "{0x1, 0x2, 0x3}"
    );
    assert_eq!(
        show("shape.big", radix(Radix::Unsigned)),
        "18446744064709551616"
    );
    assert_eq!(show("shape.tag", radix(Radix::Binary)), "1100001");
    assert_eq!(show("odd", radix(Radix::Natural)), "42");
    let typed = FormatOptions {
        has_pointer_type: true,
        ..FormatOptions::default()
    };
    assert_eq!(show("head.next", typed.clone()), "(struct node *) 0x10040");
    assert_eq!(show("head.name", typed), "0x1000f \"he\\\"ad\\n\"");
    let short = FormatOptions {
        elements_max: 2,
        ..FormatOptions::default()
    };
    assert_eq!(show("head.items", short.clone()), "{1, 2, ...}");
    assert_eq!(show("head.name", short.clone()), "0x1000f \"he\"...");
    assert_eq!(show("zeros", short), "{0 <repeats 20 times>}");
    let shallow = FormatOptions {
        depth_max: 0,
        ..FormatOptions::default()
    };
    assert_eq!(
        show("head", shallow),
        "{name = 0x1000f \"he\\\"ad\\n\", next = 0x10040, items = {...}}"
    );
    let pretty = FormatOptions {
        is_pretty: true,
        ..FormatOptions::default()
    };
    assert_eq!(
        show("number", pretty),
        "{\n  i = 1065353216,\n  f = 1,\n  bytes = \"\\000\\000\\200?\"\n}"
    );
}

#[test]
fn children_unfold_values() {
    let program = Program::open(FIXTURES[0]);
    let children = |path: &str, count_max| {
        let children = program
            .inspect()
            .children(&follow(&program, path), count_max);
        children
            .iter()
            .map(|child| format!("{}={}", child.name, program.show(&child.value)))
            .collect::<Vec<_>>()
    };
    assert_eq!(children("head.items", 2), ["[0]=1", "[1]=2"]);
    assert_eq!(
        children("shape.bits", 9),
        ["a=5", "b=-3", "c=1000", "d=true"]
    );
    assert_eq!(
        children("head.next", 9),
        ["*={name = 0x10006 \"tail\", next = 0x0, items = {4, 5, 6}}"]
    );
    assert_eq!(children("odd", 9), Vec::<String>::new());
}

#[test]
fn names_of_types_and_enumerators() {
    let program = Program::open(FIXTURES[1]);
    let info = &program.info;
    let name = |name: &str| {
        info.type_named(name, None)
            .map(|type_ref| info.type_name(type_ref))
    };
    assert_eq!(name("struct node"), Some("struct node".to_owned()));
    assert_eq!(name("node"), Some("struct node".to_owned()));
    assert_eq!(
        name("const struct node *"),
        Some("struct node *".to_owned())
    );
    assert_eq!(name("u32 [3]"), Some("u32 [3]".to_owned()));
    assert_eq!(name("char **"), Some("char **".to_owned()));
    assert_eq!(name("union node"), None);
    assert_eq!(name("no_such_type"), None);
    assert_eq!(info.type_named("void", None), Some(TypeRef::VOID));
    let (color, value) = info.enumerator_named("GREEN").unwrap();
    assert_eq!((info.type_name(color).as_str(), value), ("enum color", 5));
    let operation = follow(&program, "shape.operation");
    assert_eq!(
        info.type_declaration(operation.type_ref, "f"),
        "int (*f)(int, int)"
    );
}

#[test]
fn locals_lie_on_the_shadow_stack() {
    for fixture in FIXTURES {
        let mut program = Program::open(fixture);
        let line = |text: &str| source_line("shapes.c", text);
        // At -O0 clang keeps the frame base in the local after the parameters.
        let frame_base = 4096;
        for index in 0..32 {
            program
                .target
                .locals
                .insert(index, RawSlot::I32(frame_base));
        }
        let at = program.line("shapes.c", line("number.i += inner;"));
        let variables = program.info.variables(at, 0);
        let names: Vec<_> = variables
            .iter()
            .map(|variable| (&*variable.name, variable.is_shadowed))
            .collect();
        assert_eq!(
            names,
            [
                ("list", false),
                ("count", false),
                ("total", true),
                ("i", false),
                ("total", false),
                ("inner", false)
            ]
        );
        let places: Vec<_> = variables
            .iter()
            .map(|variable| program.inspect().locate(variable, at).unwrap())
            .collect();
        for (position, place) in places.iter().enumerate() {
            let Place::Memory(address) = place else {
                panic!("{place:?}")
            };
            assert!((4096..4160).contains(address), "{address}");
            assert!(
                !places[..position].contains(place),
                "two variables at {address}"
            );
        }
        let count = program.variable(at, 0, "count");
        let Place::Memory(address) = program.inspect().locate(&count, at).unwrap() else {
            panic!()
        };
        program.target.memory[address as usize] = 3;
        assert_eq!(program.show(&program.inspect().variable(&count, at)), "3");
        program.target.locals.clear();
        let value = program.inspect().variable(&count, at);
        assert!(
            matches!(
                value.availability,
                Availability::Unavailable(Error::Unavailable(_))
            ),
            "{value:?}"
        );
        assert_eq!(program.info.variables(CodeOffset(0), 0), []);
    }
}

#[test]
fn arrays_can_have_their_length_in_a_variable() {
    for fixture in FIXTURES {
        let mut program = Program::open(fixture);
        for index in 0..32 {
            program.target.locals.insert(index, RawSlot::I32(4096));
        }
        let at = program.line(
            "shapes.c",
            source_line("shapes.c", "return squares[count - 1];"),
        );
        // Every word of the frame: the array's address as well as its length.
        for word in program.target.memory[4096..4160].chunks_exact_mut(4) {
            word.copy_from_slice(&3u32.to_le_bytes());
        }
        let squares = program.variable(at, 0, "squares");
        assert_eq!(program.info.type_name(squares.type_ref), "int []");
        let value = program.inspect().variable(&squares, at);
        assert_eq!(program.info.type_name(value.type_ref), "int [3]");
        let names: Vec<_> = program
            .info
            .variables(at, 0)
            .iter()
            .map(|variable| variable.name.to_string())
            .collect();
        assert_eq!(names, ["count", "squares"]);
    }
}

/// The number of the line of a fixture's source that holds a text.
fn source_line(file: &str, text: &str) -> u32 {
    let source = std::fs::read_to_string(crate::support::fixture_path(file)).unwrap();
    let position = source.lines().position(|line| line.contains(text)).unwrap();
    u32::try_from(position + 1).unwrap()
}

//! Exceptions of both kinds: which clause handles one, what an unhandled one leaves, and the clock.

mod support;

use support::{INSTANCE, call, invoke, machine_of, machine_with};
use wdb_vm::exit::Exit;
use wdb_vm::isa::Op;
use wdb_vm::machine::{Limits, Time};
use wdb_vm::trap::TrapKind;
use wdb_vm::value::{Reference, Value};
use wdb_vm::vm::{Config, RunLimit, Vm};

/// Runs a function at full speed and by single steps, also collecting at every allocation; all must end alike, and times must
/// ascend.
fn outcome(text: &str, name: &str, args: &[Value]) -> Exit {
    let stressed = Config {
        limits: Limits {
            collects_always: true,
            ..Limits::default()
        },
        ..Config::default()
    };
    let mut vm = machine_of(text);
    let ran = call(&mut vm, name, args);
    let mut stepped = machine_with(text, stressed);
    invoke(&mut stepped, name, args);
    let mut last: Option<Time> = None;
    let exit = loop {
        match stepped.step() {
            Exit::Stepped => {}
            exit => break exit,
        }
        let time = stepped.time();
        if stepped.frame_count() > 0 {
            assert!(last.is_none_or(|last| last < time), "{last:?} {time:?}");
            last = Some(time);
        }
    };
    assert_eq!(exit, ran);
    assert_eq!(stepped.time(), vm.time());
    ran
}

fn returned(values: &[i32]) -> Exit {
    Exit::Finished(values.iter().map(|&value| Value::I32(value)).collect())
}

/// The instruction that the innermost frame stands at.
fn op_at(vm: &Vm) -> Op {
    let frame = vm.frame(0).expect("a frame");
    let module = vm.module(frame.instance);
    let mut instructions = module.instructions(frame.index);
    let found = instructions.find(|instruction| instruction.pc == frame.pc);
    found.expect("an instruction").op
}

#[test]
fn an_exception_that_nothing_handles_is_a_stop_at_the_throw() {
    let text = r#"(module
        (tag $bad (export "bad") (param i32 f64))
        (tag $other)
        (func $inner (param i32) (throw $bad (local.get 0) (f64.const 2.5)))
        (func $middle (param i32)
            (block $b (try_table (catch $other $b) (call $inner (local.get 0)))))
        (func (export "main") (param i32) (call $middle (local.get 0))))"#;
    let mut vm = machine_of(text);
    invoke(&mut vm, "main", &[Value::I32(7)]);
    // Going on throws again.
    for _ in 0..2 {
        let Exit::Uncaught(exception) = vm.run(RunLimit::default()) else {
            panic!("it is not handled")
        };
        assert_eq!(exception.handler, None);
        assert_eq!(exception.origin.frames.len(), 3);
        let thrown = exception.origin.frames[0];
        assert_eq!(thrown.pc, vm.frame(0).expect("a frame").pc);
        assert_eq!(vm.exception_text(&exception), "$bad(7, 2.5)");
        assert_eq!(vm.frame_count(), 3);
        assert_eq!(op_at(&vm), Op::Throw);
        assert_eq!(vm.operand(0, 1), Some(Value::F64(2.5f64.to_bits())));
    }
    assert!(matches!(
        outcome(text, "main", &[Value::I32(7)]),
        Exit::Uncaught(_)
    ));
}

#[test]
fn runs_stop_before_a_throw_when_they_are_asked_to() {
    let text = r#"(module
        (tag $t (param i32))
        (func $thrower (param i32) (throw $t (local.get 0)))
        (func (export "main") (result i32)
            (block $h (result i32)
                (try_table (catch $t $h) (call $thrower (i32.const 3)))
                (unreachable))))"#;
    let mut vm = machine_of(text);
    vm.stop_at_throws(true);
    invoke(&mut vm, "main", &[]);
    let Exit::Throw(exception) = vm.run(RunLimit::default()) else {
        panic!("it throws")
    };
    let handler = exception.handler.expect("the caller handles it");
    assert_eq!((handler.frame, handler.catches_all), (1, false));
    assert_eq!(exception.values, [Value::I32(3)]);
    assert_eq!((vm.frame_count(), op_at(&vm)), (2, Op::Throw));
    // A run that is to return to the caller, which handles the exception, ends there.
    let limit = RunLimit {
        landing_depth: Some(1),
        ..RunLimit::default()
    };
    assert_eq!(vm.run(limit), Exit::Landed(exception));
    assert_eq!(
        (vm.frame_count(), vm.operand(0, 0)),
        (1, Some(Value::I32(3)))
    );
    assert_eq!(vm.run(RunLimit::default()), returned(&[3]));
}

#[test]
fn a_clause_that_names_a_loop_counts_a_tick() {
    let text = r#"(module
        (tag $t (param i32))
        (func (export "main") (param $n i32) (result i32)
            (i32.const 0)
            (loop $again (param i32)
                (local.set $n (i32.sub (local.get $n) (i32.const 1)))
                (drop)
                (if (local.get $n) (then
                    (try_table (catch $t $again) (throw $t (local.get $n))))))
            (local.get $n)))"#;
    assert_eq!(outcome(text, "main", &[Value::I32(10)]), returned(&[0]));
    let mut vm = machine_of(text);
    call(&mut vm, "main", &[Value::I32(10)]);
    // The entry, falling into the loop, and nine arrivals by the clause.
    assert_eq!(vm.time().tick, 1 + 1 + 9);
    // A run to such a tick stops there.
    let mut vm = machine_of(text);
    invoke(&mut vm, "main", &[Value::I32(10)]);
    let limit = RunLimit {
        tick: Some(5),
        ..RunLimit::default()
    };
    assert_eq!(vm.run(limit), Exit::Tick);
    assert_eq!(vm.time().tick, 5);
    assert_eq!(vm.local(0, 0), Some(Value::I32(7)));
}

#[test]
fn references_to_exceptions_are_thrown_again() {
    let text = r#"(module
        (tag $t (param i32))
        (func (export "main") (result i32) (local $e exnref)
            (block $h (result i32)
                (try_table (catch $t $h)
                    (block $all (result exnref)
                        (try_table (catch_all_ref $all) (throw $t (i32.const 8)))
                        (unreachable))
                    (local.set $e)
                    (throw_ref (local.get $e)))
                (unreachable)))
        (func (export "null") (throw_ref (ref.null exn))))"#;
    assert_eq!(outcome(text, "main", &[]), returned(&[8]));
    let exit = outcome(text, "null", &[]);
    assert!(matches!(exit, Exit::Trap(trap) if trap.kind == TrapKind::NullExceptionReference));
}

#[test]
fn an_exception_keeps_where_it_was_thrown_first() {
    let text = r#"(module
        (tag $t (param i32))
        (func $inner (throw $t (i32.const 8)))
        (func (export "main") (local $e exnref)
            (block $h (result exnref)
                (try_table (catch_all_ref $h) (call $inner))
                (unreachable))
            (local.set $e)
            (throw_ref (local.get $e))))"#;
    let mut vm = machine_of(text);
    vm.stop_at_throws(true);
    invoke(&mut vm, "main", &[]);
    let Exit::Throw(first) = vm.run(RunLimit::default()) else {
        panic!("it throws")
    };
    let thrown = first.origin.frames[0];
    assert_eq!(thrown.pc, vm.frame(0).expect("a frame").pc);
    assert!(first.handler.expect("a clause for all").catches_all);
    let Exit::Throw(again) = vm.run(RunLimit::default()) else {
        panic!("it throws again")
    };
    assert_eq!((&again.origin, again.handler), (&first.origin, None));
    let Some(Value::Ref(Reference::Object(object))) = vm.local(0, 0) else {
        panic!("the exception")
    };
    let object = vm.object(object).expect("an exception");
    assert_eq!(object.origin, Some(first.origin));
    let exit = vm.run(RunLimit::default());
    assert!(matches!(exit, Exit::Uncaught(exception) if exception == again));
}

/// The instructions before `try_table`, which toolchains still emit.
const LEGACY: &str = r#"(module
    (tag $a (param i32))
    (tag $b (param i32 i32))
    (tag $c)
    (func $throws (param $which i32)
        (if (i32.eq (local.get $which) (i32.const 1)) (then (throw $a (i32.const 10))))
        (if (i32.eq (local.get $which) (i32.const 2)) (then (throw $b (i32.const 20) (i32.const 1))))
        (if (i32.eq (local.get $which) (i32.const 3)) (then (throw $c))))
    (func $clauses (export "clauses") (param $which i32) (result i32)
        i32.const 1000
        try (result i32)
            (call $throws (local.get $which))
            i32.const 1
        catch $a
            (i32.add (i32.const 2))
        catch $b
            i32.add
        catch_all
            i32.const 30
        end
        i32.add)
    (func (export "rethrows") (param $which i32) (result i32)
        try (result i32)
            try (result i32)
                (call $throws (local.get $which))
                i32.const 5
            catch_all
                i32.const 77
                try
                    throw $c
                catch $c
                    (drop (i32.const 0))
                end
                drop
                rethrow 0
            end
        catch $a
        catch $b
            drop
        end)
    (func (export "outer") (param $which i32) (result i32)
        try (result i32)
            (call $throws (local.get $which))
            i32.const 5
        catch $a
            drop
            try (result i32)
                throw $c
            catch $c
                rethrow 1
            end
        end)
    (func (export "delegates") (param $which i32) (result i32)
        try $outer (result i32)
            try (result i32)
                try (result i32)
                    (call $throws (local.get $which))
                    i32.const 5
                delegate $outer
            catch $a
                drop
                i32.const 400
            end
        catch $a
            (i32.add (i32.const 1))
        end)
    (func (export "to-caller") (param $which i32) (result i32)
        try (result i32)
            (call $delegates-out (local.get $which))
            i32.const 6
        catch $a
            (i32.add (i32.const 2))
        end)
    (func $delegates-out (param $which i32)
        try
            try
                (call $throws (local.get $which))
            delegate 1
        catch_all
        end)
    (func (export "branches") (param $n i32) (result i32) (local $sum i32)
        (loop $again
            (block $next
                try
                    (throw $a (local.get $n))
                catch $a
                    (local.set $sum (i32.add (local.get $sum)))
                    (br_if $next (i32.and (local.get $n) (i32.const 1)))
                    (local.set $sum (i32.add (local.get $sum) (i32.const 100)))
                end)
            (local.set $n (i32.sub (local.get $n) (i32.const 1)))
            (br_if $again (local.get $n)))
        (local.get $sum))
    (func (export "returns") (param $which i32) (result i32)
        i32.const 1
        try
            (call $throws (local.get $which))
        catch_all
            (return (i32.const 9))
        end
        (i32.add (i32.const 1)))
    (func (export "values") (result i32 i32)
        i32.const 1
        i32.const 2
        try (param i32 i32) (result i32 i32)
            throw $b
        catch $b
        end))"#;

#[test]
fn legacy_clauses_handle_exceptions() {
    let cases: [(&str, &[(i32, i32)]); 7] = [
        ("clauses", &[(0, 1001), (1, 1012), (2, 1021), (3, 1030)]),
        ("rethrows", &[(0, 5), (1, 10), (2, 20)]),
        ("outer", &[(0, 5)]),
        ("delegates", &[(0, 5), (1, 11)]),
        ("to-caller", &[(0, 6), (1, 12)]),
        ("branches", &[(1, 1), (4, 210)]),
        ("returns", &[(0, 2), (1, 9), (3, 9)]),
    ];
    for (name, cases) in cases {
        for &(argument, result) in cases {
            let exit = outcome(LEGACY, name, &[Value::I32(argument)]);
            assert_eq!(exit, returned(&[result]), "{name} {argument}");
        }
    }
    assert_eq!(outcome(LEGACY, "values", &[]), returned(&[1, 2]));
    for (name, argument) in [
        ("rethrows", 3),
        ("outer", 1),
        ("delegates", 2),
        ("to-caller", 2),
    ] {
        let exit = outcome(LEGACY, name, &[Value::I32(argument)]);
        assert!(matches!(exit, Exit::Uncaught(_)), "{name}: {exit:?}");
    }
}

#[test]
fn a_legacy_clause_keeps_its_exception_in_a_cell_of_its_own() {
    let mut vm = machine_of(LEGACY);
    invoke(&mut vm, "clauses", &[Value::I32(2)]);
    while vm.frame_count() != 1 || op_at(&vm) != Op::I32Add {
        assert_eq!(vm.step(), Exit::Stepped);
    }
    let shape = vm.shape(0).expect("it stands at an instruction");
    assert_eq!(shape.exceptions.len(), 1);
    let operands: Vec<Value> = (0..).map_while(|index| vm.operand(0, index)).collect();
    assert_eq!(operands, [1000, 20, 1].map(Value::I32));
    let exception = vm.slot_value(0, shape.exceptions[0]).expect("a value");
    assert_eq!(vm.value_text(exception), "(ref exception $b) #1");
    let height = shape.operands.last().expect("operands").cell + 1;
    assert_eq!(shape.cells, height);
}

#[test]
fn tags_are_shared_by_import() {
    let mut vm = machine_of(
        r#"(module
        (tag $t (export "t") (param i32))
        (func (export "throw") (param i32) (throw $t (local.get 0))))"#,
    );
    vm.register("thrower", INSTANCE);
    let text = r#"(module
        (import "thrower" "t" (tag $t (param i32)))
        (import "thrower" "throw" (func $throw (param i32)))
        (tag $own (param i32))
        (func (export "main") (result i32)
            (block $h (result i32)
                (try_table (catch $own $h) (catch $t $h) (call $throw (i32.const 4)))
                (unreachable))))"#;
    let module = wdb_vm::module::Module::parse(text.as_bytes().to_vec(), None).expect("valid");
    let instance = vm.instantiate(&module).expect("it can be linked");
    let main = vm.exported_func(instance, "main").expect("exported");
    vm.invoke(main, &[]).expect("no arguments");
    assert_eq!(vm.run(RunLimit::default()), returned(&[4]));
    let text = r#"(module (import "thrower" "t" (tag (param i64))))"#;
    let module = wdb_vm::module::Module::parse(text.as_bytes().to_vec(), None).expect("valid");
    assert!(vm.instantiate(&module).is_err());
}

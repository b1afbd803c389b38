//! Structs, arrays and the collector: what a program can observe does not depend on when garbage is collected, checkpoints hold
//! objects, and limits are exact.

mod support;

use support::random::Random;
use support::{INSTANCE, call, invoke, machine_of, machine_with};
use wdb_vm::exit::Exit;
use wdb_vm::machine::Limits;
use wdb_vm::tier::Tier;
use wdb_vm::trap::TrapKind;
use wdb_vm::value::{Reference, Value};
use wdb_vm::vm::{Config, RunLimit, Vm};

/// Builds trees and drops them, keeps some in a table, a global, an array, an exception and deep frames.
const TREES: &str = r#"(module
    (rec
        (type $tree (sub (struct
            (field $left (mut (ref null $tree))) (field $right (mut (ref null $tree))) (field $weight i64))))
        (type $leaf (sub $tree (struct
            (field $left (mut (ref null $tree))) (field $right (mut (ref null $tree))) (field $weight i64)
            (field $small (mut i8))))))
    (type $bytes (array (mut i8)))
    (type $trees (array (mut (ref null $tree))))
    (tag $found (param (ref $tree) i32))
    (global $kept (mut (ref null $trees)) (ref.null $trees))
    (table $table 8 (ref null $tree))
    (data $text "some text that is long enough")
    (func $tree (param $depth i32) (param $seed i64) (result (ref $tree))
        (local $left (ref null $tree))
        (if (i32.eqz (local.get $depth))
            (then (return (struct.new $leaf (ref.null $tree) (ref.null $tree) (local.get $seed)
                (i32.wrap_i64 (local.get $seed))))))
        (local.set $left (call $tree (i32.sub (local.get $depth) (i32.const 1)) (i64.mul (local.get $seed) (i64.const 31))))
        (struct.new $tree
            (local.get $left)
            (call $tree (i32.sub (local.get $depth) (i32.const 1)) (i64.add (local.get $seed) (i64.const 7)))
            (local.get $seed)))
    (func $sum (param $tree (ref null $tree)) (result i64)
        (block $none
            (br_on_null $none (local.get $tree))
            (drop)
            (return (i64.add
                (i64.add (struct.get $tree $weight (local.get $tree))
                    (i64.extend_i32_s (call $small (local.get $tree))))
                (i64.add (call $sum (struct.get $tree $left (local.get $tree)))
                    (call $sum (struct.get $tree $right (local.get $tree)))))))
        (i64.const 0))
    (func $small (param $tree (ref null $tree)) (result i32)
        (block $other (result (ref null $tree))
            (return (struct.get_s $leaf $small (br_on_cast_fail $other (ref null $tree) (ref $leaf) (local.get $tree)))))
        (drop)
        (i32.const 0))
    (func $search (param $tree (ref null $tree)) (param $depth i32)
        (if (i32.eqz (local.get $depth)) (then (throw $found (ref.as_non_null (local.get $tree)) (i32.const 5))))
        (call $search (struct.get $tree $left (local.get $tree)) (i32.sub (local.get $depth) (i32.const 1))))
    (func (export "main") (param $rounds i32) (result i64)
        (local $i i32) (local $sum i64) (local $bytes (ref null $bytes)) (local $tree (ref null $tree)) (local $exception exnref)
        (global.set $kept (array.new_default $trees (i32.const 5)))
        (loop $again
            (local.set $tree (call $tree (i32.and (local.get $i) (i32.const 3)) (i64.extend_i32_u (local.get $i))))
            (table.set $table (i32.and (local.get $i) (i32.const 7)) (local.get $tree))
            (array.set $trees (global.get $kept) (i32.rem_u (local.get $i) (i32.const 5)) (local.get $tree))
            (local.set $bytes (array.new_data $bytes $text (i32.const 2) (i32.const 9)))
            (array.fill $bytes (local.get $bytes) (i32.const 3) (local.get $i) (i32.const 4))
            (block $found (result (ref $tree) i32 exnref)
                (try_table (catch_ref $found $found)
                    (call $search (local.get $tree) (i32.and (local.get $i) (i32.const 3))))
                (unreachable))
            (local.set $exception)
            i64.extend_i32_s
            (local.set $sum (i64.add (local.get $sum)))
            call $sum
            (local.set $sum (i64.add (local.get $sum)))
            (local.set $sum (i64.add (local.get $sum) (call $sum (table.get $table (i32.const 3)))))
            (local.set $sum (i64.add (local.get $sum)
                (call $sum (array.get $trees (global.get $kept) (i32.const 2)))))
            (local.set $sum (i64.add (local.get $sum)
                (i64.extend_i32_s (array.get_s $bytes (local.get $bytes) (i32.const 4)))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_s (local.get $i) (local.get $rounds))))
        (local.get $sum)))"#;

fn stressed() -> Config {
    Config {
        limits: Limits {
            collects_always: true,
            ..Limits::default()
        },
        ..Config::default()
    }
}

fn run_to_tick(vm: &mut Vm, tick: u64) -> Exit {
    vm.run(RunLimit {
        tick: Some(tick),
        ..RunLimit::default()
    })
}

#[test]
fn collecting_at_every_allocation_changes_nothing_that_can_be_observed() {
    let rounds = [Value::I32(60)];
    let mut vm = machine_of(TREES);
    let mut collecting = machine_with(TREES, stressed());
    invoke(&mut vm, "main", &rounds);
    invoke(&mut collecting, "main", &rounds);
    for tick in (0..).step_by(97) {
        let exit = run_to_tick(&mut vm, tick);
        assert_eq!(run_to_tick(&mut collecting, tick), exit);
        assert_eq!(collecting.time(), vm.time());
        if exit != Exit::Tick {
            assert!(matches!(exit, Exit::Finished(_)), "{exit:?}");
            break;
        }
        // Objects have the same numbers, wherever they lie.
        let kept = |vm: &Vm| {
            let cells = vm.table(INSTANCE, 0).expect("there is a table");
            let texts = cells.into_iter().map(|value| vm.value_text(value));
            texts.collect::<Vec<String>>()
        };
        assert_eq!(kept(&collecting), kept(&vm));
    }
    assert!(collecting.object_count() < vm.object_count());
}

#[test]
fn single_steps_and_runs_collect_the_same() {
    let rounds = [Value::I32(12)];
    let mut vm = machine_with(TREES, stressed());
    let before = vm.checkpoint(None);
    let exit = call(&mut vm, "main", &rounds);
    let after = vm.checkpoint(Some(&before));
    vm.restore(&before);
    invoke(&mut vm, "main", &rounds);
    let stepped = loop {
        match vm.step() {
            Exit::Stepped => {}
            exit => break exit,
        }
    };
    assert_eq!(stepped, exit);
    assert!(vm.checkpoint(Some(&after)) == after);
}

#[test]
fn checkpoints_hold_objects() {
    for config in [Config::default(), stressed()] {
        let mut random = Random::new();
        let mut vm = machine_with(TREES, config);
        invoke(&mut vm, "main", &[Value::I32(1_000)]);
        run_to_tick(&mut vm, 10);
        for _ in 0..40 {
            let start = vm.checkpoint(None);
            let tick = vm.time().tick + random.below(500);
            let steps = random.below(30);
            let advance = |vm: &mut Vm| {
                let exit = run_to_tick(vm, tick);
                let steps: Vec<Exit> = (0..steps).map(|_| vm.step()).collect();
                (exit, steps)
            };
            let first = advance(&mut vm);
            let there = vm.checkpoint(Some(&start));
            vm.restore(&start);
            assert!(vm.checkpoint(Some(&start)) == start);
            assert_eq!(advance(&mut vm), first);
            assert!(vm.checkpoint(Some(&there)) == there);
        }
    }
}

/// Makes garbage without end.
const GARBAGE: &str = r#"(module
    (type $node (sub (struct (field (mut (ref null $node))) (field i64))))
    (type $words (array (mut i32)))
    (global $list (mut (ref null $node)) (ref.null $node))
    (func (export "drop") (param $count i32)
        (loop $again
            (drop (struct.new $node (ref.null $node) (i64.const 1)))
            (local.set $count (i32.sub (local.get $count) (i32.const 1)))
            (br_if $again (local.get $count))))
    (func (export "keep")
        (loop $again
            (global.set $list (struct.new $node (global.get $list) (i64.const 1)))
            (br $again)))
    (func (export "array") (param $length i32) (result i32)
        (array.len (array.new $words (i32.const 7) (local.get $length))))
    (func (export "first") (result i32)
        (array.get $words (array.new $words (i32.const 7) (i32.const 3)) (i32.const 2)))
    (func (export "outside") (result i32)
        (array.get $words (array.new $words (i32.const 7) (i32.const 3)) (i32.const 3))))"#;

fn small_heap() -> Vm {
    let limits = Limits {
        heap_bytes_max: 20 << 20,
        ..Limits::default()
    };
    machine_with(
        GARBAGE,
        Config {
            limits,
            ..Config::default()
        },
    )
}

#[test]
fn garbage_does_not_count_against_the_limit() {
    let mut vm = small_heap();
    assert_eq!(
        call(&mut vm, "drop", &[Value::I32(3_000_000)]),
        Exit::Finished(vec![])
    );
    assert!(vm.object_count() < 500_000, "{}", vm.object_count());
}

#[test]
fn an_allocation_beyond_the_limit_traps_where_it_is() {
    let mut vm = small_heap();
    for _ in 0..2 {
        let exit = call(&mut vm, "keep", &[]);
        assert!(
            matches!(&exit, Exit::Trap(trap) if trap.kind == TrapKind::HeapExhausted),
            "{exit:?}"
        );
        // The list, and the value of the node that is not made.
        assert_eq!(vm.operand(0, 1), Some(Value::I64(1)));
        assert!(matches!(
            vm.operand(0, 0),
            Some(Value::Ref(Reference::Object(_)))
        ));
        vm.abandon();
    }
    let exit = call(&mut vm, "array", &[Value::I32(-1)]);
    assert!(matches!(exit, Exit::Trap(trap) if trap.kind == TrapKind::HeapExhausted));
}

#[test]
fn arrays_are_bounded() {
    let mut vm = small_heap();
    assert_eq!(
        call(&mut vm, "array", &[Value::I32(1_000_000)]),
        Exit::Finished(vec![Value::I32(1_000_000)])
    );
    assert_eq!(
        call(&mut vm, "first", &[]),
        Exit::Finished(vec![Value::I32(7)])
    );
    let exit = call(&mut vm, "outside", &[]);
    assert!(matches!(exit, Exit::Trap(trap) if trap.kind == TrapKind::ArrayOutOfBounds));
}

#[test]
fn what_calls_hold_that_are_set_aside_is_not_collected() {
    let text = r#"(module
        (type $box (struct (field $value i32)))
        (func (export "main") (result i32) (local $box (ref null $box))
            (local.set $box (struct.new $box (i32.const 42)))
            (nop)
            (struct.get $box $value (local.get $box)))
        (func (export "other") (result i32)
            (drop (struct.new $box (i32.const 1)))
            (struct.get $box $value (struct.new $box (i32.const 2)))))"#;
    let mut vm = machine_with(text, stressed());
    invoke(&mut vm, "main", &[]);
    for _ in 0..3 {
        assert_eq!(vm.step(), Exit::Stepped);
    }
    let other = vm.exported_func(INSTANCE, "other").expect("exported");
    let suspended = vm.begin_call(other, &[]).expect("no arguments");
    assert_eq!(
        vm.run(RunLimit::default()),
        Exit::Finished(vec![Value::I32(2)])
    );
    vm.end_call(suspended);
    assert_eq!(
        vm.run(RunLimit::default()),
        Exit::Finished(vec![Value::I32(42)])
    );
}

#[test]
fn objects_can_be_looked_at() {
    let text = r#"(module
        (type $point (struct (field $x i32) (field $y (mut f64)) (field $next (ref null $point))))
        (type $bytes (array i8))
        (func (export "main") (result (ref $point) (ref $bytes) i31ref)
            (struct.new $point (i32.const 3) (f64.const 1.5)
                (struct.new $point (i32.const 4) (f64.const 2) (ref.null $point)))
            (array.new_fixed $bytes 2 (i32.const 1) (i32.const -1))
            (ref.i31 (i32.const -5))))"#;
    let mut vm = machine_of(text);
    let Exit::Finished(values) = call(&mut vm, "main", &[]) else {
        panic!("it returns")
    };
    let texts: Vec<String> = values.iter().map(|&value| vm.value_text(value)).collect();
    assert_eq!(texts, ["(ref $point) #2", "(ref $bytes) #3 [2]", "i31(-5)"]);
    let Value::Ref(Reference::Object(point)) = values[0] else {
        panic!("an object")
    };
    let fields: Vec<String> = (0..)
        .map_while(|index| vm.object_field(point, index))
        .map(|field| {
            format!(
                "{} = {}",
                field.name.unwrap_or_default(),
                vm.value_text(field.value)
            )
        })
        .collect();
    assert_eq!(fields, ["x = 3", "y = 1.5", "next = (ref $point) #1"]);
    let Value::Ref(Reference::Object(bytes)) = values[1] else {
        panic!("an object")
    };
    let element = vm.object_field(bytes, 1).expect("an element");
    assert_eq!(element.value, Value::I32(-1));
    assert_eq!(vm.object_field(bytes, 2), None);
}

#[test]
fn types_are_equal_across_modules_by_their_structure() {
    let exporter = r#"(module
        (rec (type $a (struct (field (ref null $b)))) (type $b (struct (field (ref null $a)))))
        (type $sub (sub $open (struct (field i32) (field i32))))
        (type $open (sub (struct (field i32)))))"#;
    // A supertype must come before its subtypes.
    assert!(wdb_vm::module::Module::parse(exporter.as_bytes().to_vec(), None).is_err());
    let text = r#"(module
        (rec (type $a (struct (field (ref null $b)))) (type $b (struct (field (ref null $a)))))
        (rec (type $c (struct (field (ref null $d)))) (type $d (struct (field (ref null $c)))))
        (func (export "main") (result i32)
            (ref.test (ref $c) (struct.new_default $a))
            (ref.test (ref $d) (struct.new_default $a))
            (i32.shl (i32.const 1))
            (i32.or)))"#;
    let mut vm = machine_of(text);
    assert_eq!(
        call(&mut vm, "main", &[]),
        Exit::Finished(vec![Value::I32(1)])
    );
}

#[test]
fn many_collections_between_two_polls_need_no_native_stack() {
    let text = r#"(module
        (type $cell (struct (field i64)))
        (func (export "f") (param $count i32)
            (loop $again
                (drop (struct.new $cell (i64.const 1)))
                (local.set $count (i32.sub (local.get $count) (i32.const 1)))
                (br_if $again (local.get $count)))))"#;
    for tier in Tier::ALL {
        let config = Config { tier, ..stressed() };
        let mut vm = machine_with(text, config);
        let exit = call(&mut vm, "f", &[Value::I32(100_000)]);
        assert_eq!(exit, Exit::Finished(Vec::new()), "{}", tier.name());
    }
}

//! The collector: random programs give the same results whenever garbage is collected, and graphs of any shape can be traced.

mod support;

use std::fmt::Write;

use support::random::Random;
use support::{INSTANCE, call, invoke, machine_of, machine_with};
use wdb_vm::exit::Exit;
use wdb_vm::machine::Limits;
use wdb_vm::value::Value;
use wdb_vm::vm::{Config, RunLimit, Vm};

/// The locals of a random function.
const LOCALS: [&str; 4] = ["$a", "$b", "$c", "$d"];
/// The random functions of a program.
const FUNCS: u64 = 4;
/// Statements of each.
const STATEMENTS: usize = 9;

/// What all random programs share: types, places that hold references, and a function that mixes all that can be reached.
const FRAME: &str = r#"
    (rec
        (type $node (sub (struct
            (field (mut (ref null $node))) (field (mut (ref null $node))) (field (mut i32)))))
        (type $big (sub $node (struct
            (field (mut (ref null $node))) (field (mut (ref null $node))) (field (mut i32))
            (field (mut (ref null $nodes))) (field (mut i8)) (field (mut externref)) (field (mut anyref)))))
        (type $nodes (array (mut (ref null $node))))
        (type $func (func (param (ref null $node) i32) (result (ref null $node)))))
    (tag $found (param (ref null $node) i64))
    (table $table 8 (ref null $node))
    (global $kept (mut (ref null $nodes)) (ref.null $nodes))
    (global $other (mut anyref) (ref.null any))
    (func $mix (param $node (ref null $node)) (param $depth i32) (result i32)
        (if (i32.or (ref.is_null (local.get $node)) (i32.eqz (local.get $depth)))
            (then (return (i32.const 7))))
        (i32.add (struct.get $node 2 (local.get $node))
            (i32.xor
                (i32.mul (i32.const 31)
                    (call $mix (struct.get $node 0 (local.get $node)) (i32.sub (local.get $depth) (i32.const 1))))
                (i32.rotl (i32.const 5)
                    (call $mix (struct.get $node 1 (local.get $node)) (i32.sub (local.get $depth) (i32.const 1)))))))
    (func (export "main") (result i32) (local $sum i32) (local $i i32)
        (global.set $kept (array.new_default $nodes (i32.const 8)))
        (local.set $sum (call $mix (call $f0 (ref.null $node) (i32.const 4)) (i32.const 6)))
        (loop $again
            (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 33))
                (i32.add
                    (call $mix (table.get $table (local.get $i)) (i32.const 5))
                    (call $mix (array.get $nodes (global.get $kept) (local.get $i)) (i32.const 5)))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $i) (i32.const 8))))
        (local.get $sum))
    (elem declare func $f0 $f1 $f2 $f3)
"#;

/// A random statement of a function whose second parameter is how deep it may call.
fn statement(random: &mut Random) -> String {
    let mut local = || LOCALS[random.below(4) as usize];
    let (a, b, c) = (local(), local(), local());
    let index = random.below(8);
    let func = random.below(FUNCS);
    let deeper = "(i32.sub (local.get $depth) (i32.const 1))";
    let guarded = |condition: &str, body: String| format!("(if {condition} (then {body}))");
    let may_call = "(local.get $depth)";
    let is_there = format!("(i32.eqz (ref.is_null (local.get {a})))");
    match random.below(15) {
        0 => format!("(local.set {a} (struct.new $node (local.get {b}) (local.get {c}) (i32.const {index})))"),
        1 => format!(
            "(local.set {a} (struct.new $big (local.get {b}) (local.get {c}) (i32.const {index})
                (array.new_fixed $nodes 2 (local.get {a}) (local.get {b})) (i32.const {index})
                (extern.convert_any (local.get {c})) (ref.i31 (i32.const {index}))))"
        ),
        2 => guarded(&is_there, format!("(struct.set $node 0 (local.get {a}) (local.get {b}))")),
        3 => guarded(&is_there, format!("(local.set {b} (struct.get $node 1 (local.get {a})))")),
        4 => format!("(table.set $table (i32.const {index}) (local.get {a}))"),
        5 => format!("(local.set {a} (table.get $table (i32.const {index})))"),
        6 => format!("(array.set $nodes (global.get $kept) (i32.const {index}) (local.get {a}))"),
        7 => guarded(may_call, format!("(local.set {a} (call $f{func} (local.get {b}) {deeper}))")),
        // A reference waits on the operand stack during the call.
        8 => guarded(
            may_call,
            format!("(local.set {a} (struct.new $node (local.get {b}) (call $f{func} (local.get {c}) {deeper}) (i32.const {index})))"),
        ),
        9 => guarded(
            may_call,
            format!(
                "(block $end (block $handler (result (ref null $node) i64)
                    (try_table (catch $found $handler)
                        (local.set {a} (call $f{func} (local.get {b}) {deeper})))
                    (br $end))
                    (drop) (local.set {c}))"
            ),
        ),
        10 => guarded(
            &format!("(i32.and {is_there} (i32.eq (local.get $depth) (i32.const 1)))"),
            format!("(throw $found (local.get {a}) (i64.const {index}))"),
        ),
        11 => format!(
            "(if (ref.test (ref $big) (local.get {a})) (then
                (global.set $other (struct.get $big 6 (ref.cast (ref $big) (local.get {a}))))
                (local.set {b} (array.get $nodes (struct.get $big 3 (ref.cast (ref $big) (local.get {a}))) (i32.const 1)))
                (local.set {c} (ref.cast (ref null $node) (any.convert_extern
                    (struct.get $big 5 (ref.cast (ref $big) (local.get {a}))))))))"
        ),
        12 => guarded(
            may_call,
            format!(
                "(local.set {a} (call_ref $func (local.get {b}) {deeper} (ref.func $f{func})))
                 (array.fill $nodes (global.get $kept) (i32.const 3) (local.get {a}) (i32.const 2))"
            ),
        ),
        13 => format!("(global.set $other (local.get {a})) (local.set {b} (ref.null $node))"),
        _ => guarded(
            may_call,
            format!(
                "try
                    (local.set {b} (call $f{func} (local.get {a}) {deeper}))
                catch $found
                    (drop)
                    (local.set {a})
                    (table.set $table (i32.const {index}) (struct.new $node (local.get {a}) (local.get {c}) (i32.const 9)))
                end"
            ),
        ),
    }
}

fn program(random: &mut Random) -> String {
    let mut text = format!("(module {FRAME}");
    for func in 0..FUNCS {
        let _ = write!(
            text,
            "(func $f{func} (type $func) (param $a (ref null $node)) (param $depth i32) (result (ref null $node))
                (local $b (ref null $node)) (local $c (ref null $node)) (local $d (ref null $node))"
        );
        for _ in 0..STATEMENTS {
            text.push_str(&statement(random));
            text.push('\n');
        }
        text.push_str("(struct.new $node (local.get $a) (local.get $b) (local.get $depth)))\n");
    }
    text + ")"
}

fn stressed() -> Config {
    Config {
        limits: Limits {
            collects_always: true,
            ..Limits::default()
        },
        ..Config::default()
    }
}

/// How a run ended; objects lie elsewhere when garbage was collected, but have the same numbers.
fn told(vm: &Vm, exit: Exit) -> String {
    match exit {
        Exit::Uncaught(exception) => vm.exception_text(&exception),
        exit => format!("{exit:?}"),
    }
}

/// What the table holds, by the objects' numbers.
fn kept(vm: &Vm) -> Vec<String> {
    let elements = vm.table(INSTANCE, 0).expect("there is a table");
    elements.into_iter().map(|it| vm.value_text(it)).collect()
}

#[test]
fn random_programs_do_not_see_the_collector() {
    let mut random = Random::new();
    for _ in 0..60 {
        let text = program(&mut random);
        let mut vm = machine_of(&text);
        let ran = call(&mut vm, "main", &[]);
        let ran = told(&vm, ran);
        let mut stepped = machine_with(&text, stressed());
        invoke(&mut stepped, "main", &[]);
        let exit = loop {
            match stepped.step() {
                Exit::Stepped => {}
                exit => break exit,
            }
        };
        assert_eq!(told(&stepped, exit), ran, "{text}");
        assert_eq!(
            (stepped.time(), kept(&stepped)),
            (vm.time(), kept(&vm)),
            "{text}"
        );
        // In the middle, back and forth.
        let middle = RunLimit {
            tick: Some(random.below(vm.time().tick.max(1))),
            ..RunLimit::default()
        };
        let mut vm = machine_with(&text, stressed());
        invoke(&mut vm, "main", &[]);
        vm.run(middle);
        let there = vm.checkpoint(None);
        for _ in 0..2 {
            let exit = vm.run(RunLimit::default());
            assert_eq!(told(&vm, exit), ran, "{text}");
            assert_eq!(kept(&vm), kept(&stepped), "{text}");
            vm.restore(&there);
            assert!(vm.checkpoint(None) == there);
        }
    }
}

/// Lists of nodes, of arrays and of exceptions, each node leading to the next.
const LISTS: &str = r#"(module
    (type $node (struct (field $next (mut (ref null $node))) (field $value i64)))
    (type $cell (array (mut anyref)))
    (tag $link (param exnref))
    (global $list (mut (ref null $node)) (ref.null $node))
    (global $cells (mut (ref null $cell)) (ref.null $cell))
    (global $links (mut exnref) (ref.null exn))
    (func (export "nodes") (param $count i32)
        (loop $again
            (global.set $list (struct.new $node (global.get $list) (i64.extend_i32_u (local.get $count))))
            (local.set $count (i32.sub (local.get $count) (i32.const 1)))
            (br_if $again (local.get $count))))
    (func (export "cells") (param $count i32)
        (loop $again
            (global.set $cells (array.new_fixed $cell 2 (ref.i31 (local.get $count)) (global.get $cells)))
            (local.set $count (i32.sub (local.get $count) (i32.const 1)))
            (br_if $again (local.get $count))))
    (func (export "links") (param $count i32)
        (loop $again
            (block $caught (result exnref exnref)
                (try_table (catch_ref $link $caught) (throw $link (global.get $links)))
                (unreachable))
            (global.set $links)
            (drop)
            (local.set $count (i32.sub (local.get $count) (i32.const 1)))
            (br_if $again (local.get $count))))
    (func (export "sum") (result i64) (local $node (ref null $node)) (local $sum i64)
        (local.set $node (global.get $list))
        (loop $again
            (local.set $sum (i64.add (local.get $sum) (struct.get $node $value (local.get $node))))
            (local.set $node (struct.get $node $next (local.get $node)))
            (br_if $again (i32.eqz (ref.is_null (local.get $node)))))
        (local.get $sum))
    (func (export "garbage") (param $count i32)
        (loop $again
            (drop (array.new $cell (ref.null any) (i32.const 100)))
            (local.set $count (i32.sub (local.get $count) (i32.const 1)))
            (br_if $again (local.get $count))))
    (func (export "forget")
        (global.set $list (ref.null $node))
        (global.set $cells (ref.null $cell))
        (global.set $links (ref.null exn))))"#;

#[test]
fn lists_of_a_million_nodes_are_traced() {
    const COUNT: i32 = 1_000_000;
    let mut vm = machine_of(LISTS);
    let done = Exit::Finished(Vec::new());
    for list in ["nodes", "cells", "links"] {
        assert_eq!(call(&mut vm, list, &[Value::I32(COUNT)]), done);
    }
    let sum = i64::from(COUNT) * i64::from(COUNT + 1) / 2;
    let garbage = [Value::I32(400_000)];
    assert_eq!(call(&mut vm, "garbage", &garbage), done);
    assert!(vm.object_count() >= 3 * COUNT as u64);
    assert_eq!(
        call(&mut vm, "sum", &[]),
        Exit::Finished(vec![Value::I64(sum)])
    );
    // A copy shares what both have, and giving it up gives up the rest.
    let there = vm.checkpoint(None);
    assert_eq!(call(&mut vm, "forget", &[]), done);
    assert_eq!(call(&mut vm, "garbage", &garbage), done);
    assert!(vm.object_count() < COUNT as u64, "{}", vm.object_count());
    vm.restore(&there);
    assert_eq!(
        call(&mut vm, "sum", &[]),
        Exit::Finished(vec![Value::I64(sum)])
    );
}

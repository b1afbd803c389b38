//! What the fast tier makes of functions: its listing, what it cannot run, and what it says of itself.

mod support;

use support::{call, machine_of, machine_with};
use wdb_vm::address::InstanceAddr;
use wdb_vm::exit::Exit;
use wdb_vm::tier::{Compile, Tier, TierStats};
use wdb_vm::value::Value;
use wdb_vm::vm::{Config, Vm};

/// The register code of the function that is exported as `f`, one instruction after the other.
fn listing(text: &str) -> Vec<String> {
    let mut vm = machine_of(text);
    let func = vm
        .exported_func(InstanceAddr(0), "f")
        .expect("it is exported");
    let lines = vm.register_code(func).expect("it has code");
    lines.into_iter().map(|line| line.text).collect()
}

fn stats(vm: &Vm, tier: Tier) -> TierStats {
    let all = vm.tier_stats();
    all.into_iter()
        .find(|stats| stats.tier == tier)
        .expect("every tier has figures")
}

#[test]
fn operands_are_read_where_they_are() {
    let cases: [(&str, &[&str]); 8] = [
        (
            "(func (export \"f\") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))",
            &["r = i32.add l0, l1", "return r"],
        ),
        (
            "(func (export \"f\") (param i32) (local.set 0 (i32.mul (i32.const 3) (local.get 0))))",
            &["l0 = r = i32.mul l0, 3", "return"],
        ),
        (
            // What a local had is kept where it is written before it is used.
            "(func (export \"f\") (param i32) (result i32) (local.get 0) (local.set 0 (i32.const 1)))",
            &["s0 = copy l0", "l0 = constant 0x1", "return s0"],
        ),
        (
            "(func (export \"f\") (param i32) (block (br_if 0 (i32.eqz (local.get 0))) (unreachable)))",
            &["br_unless i32 l0 -> 0x20", "unreachable", "return"],
        ),
        (
            "(memory 1) (func (export \"f\") (param i32 i32) (result i32)
                (i32.load8_u offset=4 (i32.add (local.get 0) (local.get 1))))",
            &["r = i32.load8_u l0, l1 offset=4", "return r"],
        ),
        (
            "(memory 1) (func (export \"f\") (param i32 i32) (i32.store (i32.add (local.get 0) (local.get 1)) (i32.const 7)))",
            &["i32.store l0, l1, 7", "return"],
        ),
        (
            "(func (export \"f\") (param i32)
                (loop (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 9)))))",
            &["tick", "br_if i32.add l0, 1 -> 0x10", "return"],
        ),
        (
            "(func (export \"f\") (param f64 f64 f64) (result f64)
                (f64.add (local.get 0) (f64.mul (local.get 1) (local.get 2))))",
            &["d = f64.add l1, l2", "return d"],
        ),
    ];
    for (func, expected) in cases {
        assert_eq!(listing(&format!("(module {func})")), expected, "{func}");
    }
}

#[test]
fn a_frame_with_too_many_cells_runs_in_the_classic_tier() {
    let locals = "(local v128) ".repeat(40_000);
    let text = format!(
        r#"(module
            (func $large {locals} (local i32) (local.set 40000 (i32.const 5)))
            (func (export "f") (result i32) (call $large) (i32.const 6)))"#
    );
    let mut vm = machine_of(&text);
    assert_eq!(call(&mut vm, "f", &[]), Exit::Finished(vec![Value::I32(6)]));
    let fallbacks = stats(&vm, Tier::Fast).fallbacks;
    assert_eq!(fallbacks.len(), 1);
    assert_eq!(fallbacks[0].reason, "its frame has more than 65536 cells");
    assert_eq!(stats(&vm, Tier::Fast).functions, 1);
}

#[test]
fn functions_are_translated_when_it_is_asked_for() {
    let text = r#"(module
        (func (export "f") (result i32) (i32.const 1))
        (func (export "g") (result i32) (i32.const 2)))"#;
    for (compile, functions) in [
        (Compile::Lazy, 1),
        (Compile::LazyTranslation, 1),
        (Compile::Eager, 2),
    ] {
        let config = Config {
            tier: Tier::Fast,
            compile,
            ..Config::default()
        };
        let mut vm = machine_with(text, config);
        assert_eq!(stats(&vm, Tier::Fast).functions, 0);
        call(&mut vm, "f", &[]);
        let fast = stats(&vm, Tier::Fast);
        assert_eq!(fast.functions, functions, "{compile:?}");
        assert!(fast.code_bytes > fast.wasm_bytes && fast.wasm_bytes > 0);
        assert_eq!(stats(&vm, Tier::Classic).functions, 0, "nothing stepped");
    }
}

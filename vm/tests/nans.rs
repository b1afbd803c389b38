//! Every NaN that a float instruction makes is the canonical one, whatever NaN goes in: results are the same on every tier and
//! on every processor. Instructions that only move bits keep them.

mod support;

use support::{call, invoke, machine_of};
use wdb_vm::exit::Exit;
use wdb_vm::value::Value;
use wdb_vm::vm::Vm;

/// Operands: NaNs of either sign, quiet and signalling, and what makes a NaN of numbers.
const OPERANDS: [f64; 6] = [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, -2.0, 1.5];
const NANS_64: [u64; 4] = [
    0x7ff8_0000_0000_0000,
    0xfff8_0000_0000_0000,
    0xfff0_0000_0000_0001,
    0x7ff8_0000_dead_beef,
];
const NANS_32: [u32; 4] = [0x7fc0_0000, 0xffc0_0000, 0xff80_0001, 0x7fc0_dead];

const UNARY: [&str; 5] = ["sqrt", "ceil", "floor", "trunc", "nearest"];
const BINARY: [&str; 6] = ["add", "sub", "mul", "div", "min", "max"];

const CANONICAL_32: u32 = 0x7fc0_0000;
const CANONICAL_64: u64 = 0x7ff8_0000_0000_0000;

/// A module with a function for each instruction, of the form `instruction: (operand, operand) -> result`.
fn module() -> String {
    let mut text = String::from("(module");
    for ty in ["f32", "f64"] {
        let shape = if ty == "f32" { "f32x4" } else { "f64x2" };
        for (names, unary) in [(&UNARY[..], true), (&BINARY[..], false)] {
            for name in names {
                let second = if unary { "" } else { "local.get 1" };
                let second_lanes = if unary {
                    ""
                } else {
                    "local.get 1 {shape}.splat"
                };
                let second_lanes = second_lanes.replace("{shape}", shape);
                text += &format!(
                    "(func (export \"{ty}.{name}\") (param {ty} {ty}) (result {ty})
                        local.get 0 {second} {ty}.{name})
                     (func (export \"{shape}.{name}\") (param {ty} {ty}) (result {ty})
                        local.get 0 {shape}.splat {second_lanes} {shape}.{name} {shape}.extract_lane 1)"
                );
            }
        }
    }
    text +=
        "(func (export \"f32.demote_f64\") (param f64 f64) (result f32) local.get 0 f32.demote_f64)
        (func (export \"f64.promote_f32\") (param f32 f32) (result f64) local.get 0 f64.promote_f32)
        (func (export \"f32x4.demote_f64x2_zero\") (param f64 f64) (result f32)
            local.get 0 f64x2.splat f32x4.demote_f64x2_zero f32x4.extract_lane 1)
        (func (export \"f64x2.promote_low_f32x4\") (param f32 f32) (result f64)
            local.get 0 f32x4.splat f64x2.promote_low_f32x4 f64x2.extract_lane 1))";
    text
}

/// The result at full speed, which is the result by steps.
fn result(vm: &mut Vm, name: &str, args: &[Value]) -> Value {
    invoke(vm, name, args);
    let stepped = loop {
        match vm.step() {
            Exit::Stepped => {}
            exit => break exit,
        }
    };
    let ran = call(vm, name, args);
    assert_eq!(stepped, ran, "{name}({args:?})");
    match ran {
        Exit::Finished(values) => values[0],
        exit => panic!("{name}({args:?}): {exit:?}"),
    }
}

/// Whether a result is no NaN, or the canonical one.
fn is_canonical(value: Value) -> bool {
    match value {
        Value::F32(bits) => !f32::from_bits(bits).is_nan() || bits == CANONICAL_32,
        Value::F64(bits) => !f64::from_bits(bits).is_nan() || bits == CANONICAL_64,
        _ => false,
    }
}

#[test]
fn every_nan_is_canonical() {
    let mut vm = machine_of(&module());
    let values_32: Vec<Value> = OPERANDS
        .iter()
        .map(|&value| (value as f32).to_bits())
        .chain(NANS_32)
        .map(Value::F32)
        .collect();
    let values_64: Vec<Value> = OPERANDS
        .iter()
        .map(|value| value.to_bits())
        .chain(NANS_64)
        .map(Value::F64)
        .collect();
    let mut check = |name: &str, values: &[Value]| {
        let mut nans = 0;
        for &left in values {
            for &right in values {
                let value = result(&mut vm, name, &[left, right]);
                assert!(
                    is_canonical(value),
                    "{name}({left:?}, {right:?}) = {value:x?}"
                );
                nans += u32::from(matches!(
                    value,
                    Value::F32(CANONICAL_32) | Value::F64(CANONICAL_64)
                ));
            }
        }
        assert!(nans > 0, "{name} made no NaN");
    };
    for name in UNARY.iter().chain(&BINARY) {
        check(&format!("f32.{name}"), &values_32);
        check(&format!("f64.{name}"), &values_64);
        check(&format!("f32x4.{name}"), &values_32);
        check(&format!("f64x2.{name}"), &values_64);
    }
    check("f32.demote_f64", &values_64);
    check("f32x4.demote_f64x2_zero", &values_64);
    check("f64.promote_f32", &values_32);
    check("f64x2.promote_low_f32x4", &values_32);
}

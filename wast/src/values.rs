//! Arguments and expected results of scripts.

use std::fmt::Write;

use wast::core::{NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wast::{WastArg, WastRet};
use wdb_vm::heap::ObjectKind;
use wdb_vm::value::{Reference, Value};
use wdb_vm::vm::Vm;

/// The value of an argument; `None` when the machine has no such values.
pub(crate) fn argument(argument: &WastArg<'_>) -> Option<Value> {
    let WastArg::Core(argument) = argument else {
        return None;
    };
    Some(match argument {
        WastArgCore::I32(value) => Value::I32(*value),
        WastArgCore::I64(value) => Value::I64(*value),
        WastArgCore::F32(value) => Value::F32(value.bits),
        WastArgCore::F64(value) => Value::F64(value.bits),
        WastArgCore::V128(value) => Value::V128(u128::from_le_bytes(value.to_le_bytes())),
        WastArgCore::RefNull(_) => Value::Ref(Reference::Null),
        WastArgCore::RefExtern(index) | WastArgCore::RefHost(index) => {
            Value::Ref(Reference::Extern(*index))
        }
    })
}

/// Whether values are those that are expected.
pub(crate) fn all_match(vm: &Vm, values: &[Value], expected: &[WastRet<'_>]) -> bool {
    values.len() == expected.len()
        && values
            .iter()
            .zip(expected)
            .all(|(value, expected)| match expected {
                WastRet::Core(expected) => is_match(vm, *value, expected),
                _ => false,
            })
}

fn is_match(vm: &Vm, value: Value, expected: &WastRetCore<'_>) -> bool {
    match (value, expected) {
        (Value::I32(value), WastRetCore::I32(expected)) => value == *expected,
        (Value::I64(value), WastRetCore::I64(expected)) => value == *expected,
        (Value::F32(bits), WastRetCore::F32(pattern)) => {
            f32_matches(bits, pattern, |float| float.bits)
        }
        (Value::F64(bits), WastRetCore::F64(pattern)) => {
            f64_matches(bits, pattern, |float| float.bits)
        }
        (Value::V128(bits), WastRetCore::V128(pattern)) => vector_matches(bits, pattern),
        (value, WastRetCore::Either(choices)) => {
            choices.iter().any(|choice| is_match(vm, value, choice))
        }
        (Value::Ref(reference), expected) => reference_matches(vm, reference, expected),
        _ => false,
    }
}

fn reference_matches(vm: &Vm, reference: Reference, expected: &WastRetCore<'_>) -> bool {
    let object = match reference {
        Reference::Object(address) => vm.object(address),
        _ => None,
    };
    match (reference, expected) {
        (Reference::Null, WastRetCore::RefNull(_)) => true,
        (Reference::Func(_), WastRetCore::RefFunc(_)) => true,
        // What was converted to the other side is a reference there, whatever it leads to.
        (Reference::Extern(_) | Reference::I31(_) | Reference::Object(_), WastRetCore::RefAny)
        | (
            Reference::Extern(_) | Reference::I31(_) | Reference::Object(_),
            WastRetCore::RefExtern(None),
        ) => true,
        (
            Reference::Extern(value),
            WastRetCore::RefExtern(Some(expected)) | WastRetCore::RefHost(expected),
        ) => value == *expected,
        (Reference::I31(_), WastRetCore::RefI31 | WastRetCore::RefEq) => true,
        (Reference::Object(_), WastRetCore::RefEq) => {
            object.is_some_and(|object| matches!(object.kind, ObjectKind::Data(_)))
        }
        (Reference::Object(_), WastRetCore::RefStruct) => object
            .is_some_and(|object| matches!(object.kind, ObjectKind::Data(_)) && !object.is_array),
        (Reference::Object(_), WastRetCore::RefArray) => {
            object.is_some_and(|object| object.is_array)
        }
        _ => false,
    }
}

fn f32_matches<F>(bits: u32, pattern: &NanPattern<F>, bits_of: impl Fn(&F) -> u32) -> bool {
    match pattern {
        NanPattern::CanonicalNan => bits & 0x7fff_ffff == 0x7fc0_0000,
        NanPattern::ArithmeticNan => bits & 0x7fc0_0000 == 0x7fc0_0000,
        NanPattern::Value(expected) => bits == bits_of(expected),
    }
}

fn f64_matches<F>(bits: u64, pattern: &NanPattern<F>, bits_of: impl Fn(&F) -> u64) -> bool {
    match pattern {
        NanPattern::CanonicalNan => bits & (u64::MAX >> 1) == 0x7ff8 << 48,
        NanPattern::ArithmeticNan => bits & 0x7ff8 << 48 == 0x7ff8 << 48,
        NanPattern::Value(expected) => bits == bits_of(expected),
    }
}

fn vector_matches(bits: u128, pattern: &V128Pattern) -> bool {
    let bytes = bits.to_le_bytes();
    let word = |lane: usize| u32::from_le_bytes(*lane_of(&bytes, lane));
    let double = |lane: usize| u64::from_le_bytes(*lane_of(&bytes, lane));
    match pattern {
        V128Pattern::I8x16(lanes) => lanes.map(|lane| lane as u8) == bytes,
        V128Pattern::I16x8(lanes) => {
            (0..8).all(|index| i16::from_le_bytes(*lane_of(&bytes, index)) == lanes[index])
        }
        V128Pattern::I32x4(lanes) => (0..4).all(|index| word(index) as i32 == lanes[index]),
        V128Pattern::I64x2(lanes) => (0..2).all(|index| double(index) as i64 == lanes[index]),
        V128Pattern::F32x4(lanes) => {
            (0..4).all(|index| f32_matches(word(index), &lanes[index], |float| float.bits))
        }
        V128Pattern::F64x2(lanes) => {
            (0..2).all(|index| f64_matches(double(index), &lanes[index], |float| float.bits))
        }
    }
}

/// The bytes of a lane of `SIZE` bytes.
fn lane_of<const SIZE: usize>(bytes: &[u8; 16], lane: usize) -> &[u8; SIZE] {
    bytes[lane * SIZE..][..SIZE]
        .try_into()
        .expect("a lane has as many bytes as its type")
}

/// Values for people.
pub(crate) fn values_text(values: &[Value]) -> String {
    let texts: Vec<String> = values.iter().map(Value::to_string).collect();
    if texts.is_empty() {
        "nothing".to_owned()
    } else {
        texts.join(" ")
    }
}

/// Expected results for people.
pub(crate) fn expected_text(expected: &[WastRet<'_>]) -> String {
    let texts: Vec<String> = expected.iter().map(expected_one_text).collect();
    if texts.is_empty() {
        "nothing".to_owned()
    } else {
        texts.join(" ")
    }
}

fn expected_one_text(expected: &WastRet<'_>) -> String {
    match expected {
        WastRet::Core(WastRetCore::I32(value)) => value.to_string(),
        WastRet::Core(WastRetCore::I64(value)) => value.to_string(),
        WastRet::Core(WastRetCore::F32(NanPattern::Value(value))) => {
            Value::F32(value.bits).to_string()
        }
        WastRet::Core(WastRetCore::F64(NanPattern::Value(value))) => {
            Value::F64(value.bits).to_string()
        }
        WastRet::Core(other) => {
            let mut text = String::new();
            let _ = write!(text, "{other:?}");
            text
        }
        other => format!("{other:?}"),
    }
}

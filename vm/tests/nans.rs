//! Every NaN that a float instruction makes is the canonical one, whatever NaN goes in: results are the same on every tier and
//! on every processor. Instructions that only move bits keep them. Which instructions there are says the table of instructions.

mod support;

use support::{call, invoke, machine_of};
use wdb_vm::ValType;
use wdb_vm::exit::Exit;
use wdb_vm::isa::{INSTRUCTIONS, ImmediateKind, InstructionInfo};
use wdb_vm::value::Value;
use wdb_vm::vm::Vm;

/// Operands: what makes a NaN of numbers, and NaNs of either sign, quiet and signalling.
const BITS_32: [u32; 10] = [
    0x0000_0000,
    0x8000_0000,
    0x7f80_0000,
    0xff80_0000,
    0xc000_0000,
    0x3fc0_0000,
    0x7fc0_0000,
    0xffc0_0000,
    0xff80_0001,
    0x7fc0_dead,
];
const BITS_64: [u64; 10] = [
    0x0000_0000_0000_0000,
    0x8000_0000_0000_0000,
    0x7ff0_0000_0000_0000,
    0xfff0_0000_0000_0000,
    0xc000_0000_0000_0000,
    0x3ff8_0000_0000_0000,
    0x7ff8_0000_0000_0000,
    0xfff8_0000_0000_0000,
    0xfff0_0000_0000_0001,
    0x7ff8_0000_dead_beef,
];

/// What only moves bits: the last parts of the names.
const MOVES: [&str; 5] = ["abs", "neg", "copysign", "pmin", "pmax"];

/// A float instruction: what it takes, and how wide the floats are that it gives.
struct FloatInstruction {
    mnemonic: &'static str,
    operands: Vec<ValType>,
    result: ValType,
    lane_bits: u32,
}

impl FloatInstruction {
    /// `None` for an instruction that computes no float from floats.
    fn of(info: &InstructionInfo) -> Option<FloatInstruction> {
        let (shape, name) = info.mnemonic.split_once('.')?;
        let lane_bits = match shape {
            "f32" | "f32x4" => 32,
            "f64" | "f64x2" => 64,
            _ => return None,
        };
        let (operands, result) = info.effect.split_once(" -> ")?;
        let types = |text: &str| -> Option<Vec<ValType>> {
            let words = text.trim_matches(['[', ']']).split_whitespace();
            let ty = |word| match word {
                "f32" => Some(ValType::F32),
                "f64" => Some(ValType::F64),
                "v128" => Some(ValType::V128),
                _ => None,
            };
            words.map(ty).collect()
        };
        let (operands, result) = (types(operands)?, types(result)?);
        let is_comparison = ["eq", "ne", "lt", "gt", "le", "ge"].contains(&name);
        let is_conversion = name.contains("convert") || name.ends_with("splat");
        let computes = info.immediates == ImmediateKind::None && !is_comparison && !is_conversion;
        (computes && !operands.is_empty()).then_some(FloatInstruction {
            mnemonic: info.mnemonic,
            operands,
            result: *result.first()?,
            lane_bits,
        })
    }

    fn only_moves(&self) -> bool {
        let name = self.mnemonic.rsplit('.').next().unwrap_or_default();
        MOVES.contains(&name)
    }

    /// The function that performs it on its parameters.
    fn text(&self) -> String {
        let operands: Vec<String> = self.operands.iter().map(ToString::to_string).collect();
        let gets: Vec<String> = (0..operands.len())
            .map(|index| format!("local.get {index}"))
            .collect();
        format!(
            "(func (export \"{0}\") (param {1}) (result {2}) {3} {0})",
            self.mnemonic,
            operands.join(" "),
            self.result,
            gets.join(" ")
        )
    }

    /// A value of a type whose floats are the ones with this number; in a vector, also those after it.
    fn operand(&self, ty: ValType, number: usize) -> Value {
        let bits_32 = |lane: usize| BITS_32[(number + lane) % BITS_32.len()];
        let bits_64 = |lane: usize| BITS_64[(number + lane) % BITS_64.len()];
        // What a conversion takes is of the other width.
        let takes_32 = match self.mnemonic.contains("promote") || self.mnemonic.contains("demote") {
            true => self.lane_bits == 64,
            false => self.lane_bits == 32,
        };
        match ty {
            ValType::F32 => Value::F32(bits_32(0)),
            ValType::F64 => Value::F64(bits_64(0)),
            _ if takes_32 => Value::V128((0..4).fold(0, |bits, lane| {
                bits | u128::from(bits_32(lane)) << (32 * lane)
            })),
            _ => Value::V128(u128::from(bits_64(0)) | u128::from(bits_64(1)) << 64),
        }
    }

    /// The floats in a value that is as wide as the result.
    fn lanes(&self, value: Value) -> Vec<u64> {
        match value {
            Value::F32(bits) => vec![bits.into()],
            Value::F64(bits) => vec![bits],
            Value::V128(bits) if self.lane_bits == 32 => (0..4)
                .map(|lane| u64::from((bits >> (32 * lane)) as u32))
                .collect(),
            Value::V128(bits) => vec![bits as u64, (bits >> 64) as u64],
            other => panic!("{other:?} is no float"),
        }
    }

    fn is_nan(&self, bits: u64) -> bool {
        match self.lane_bits {
            32 => f32::from_bits(bits as u32).is_nan(),
            _ => f64::from_bits(bits).is_nan(),
        }
    }

    fn canonical(&self) -> u64 {
        match self.lane_bits {
            32 => 0x7fc0_0000,
            _ => 0x7ff8_0000_0000_0000,
        }
    }

    /// Everything but the sign.
    fn payload(&self, bits: u64) -> u64 {
        bits & ((1 << (self.lane_bits - 1)) - 1)
    }
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

#[test]
fn nans_are_canonical_or_kept() {
    let instructions: Vec<FloatInstruction> = INSTRUCTIONS
        .iter()
        .filter_map(FloatInstruction::of)
        .collect();
    // 14 of each width, 15 on its lanes and 4 relaxed ones, and 4 from one width to the other.
    assert_eq!(instructions.len(), 2 * (14 + 15 + 4) + 4);
    let functions: Vec<String> = instructions.iter().map(FloatInstruction::text).collect();
    let mut vm = machine_of(&format!("(module {})", functions.join("\n")));
    for instruction in &instructions {
        check(&mut vm, instruction);
    }
}

fn check(vm: &mut Vm, instruction: &FloatInstruction) {
    let count = instruction.operands.len() as u32;
    let mut nans = 0;
    for combination in 0..BITS_32.len().pow(count) {
        let number = |position: u32| combination / BITS_32.len().pow(position) % BITS_32.len();
        let args: Vec<Value> = (0..)
            .zip(&instruction.operands)
            .map(|(position, &ty)| instruction.operand(ty, number(position)))
            .collect();
        let found = result(vm, instruction.mnemonic, &args);
        for (lane, bits) in instruction.lanes(found).into_iter().enumerate() {
            if !instruction.is_nan(bits) {
                continue;
            }
            nans += 1;
            let is_right = if instruction.only_moves() {
                let operands = args.iter().map(|&arg| instruction.lanes(arg)[lane]);
                let mut payloads = operands.map(|bits| instruction.payload(bits));
                payloads.any(|payload| payload == instruction.payload(bits))
            } else {
                bits == instruction.canonical()
            };
            assert!(is_right, "{}({args:x?}): {bits:x}", instruction.mnemonic);
        }
    }
    assert!(nans > 0, "{} made no NaN", instruction.mnemonic);
}

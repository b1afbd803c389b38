//! Every NaN that a float instruction makes is the canonical one, whatever NaN goes in: results are the same on every tier and
//! on every processor. Instructions that only move bits keep them. Which instructions there are says the table of instructions.

mod support;

use support::random::Random;
use support::{call, invoke, machine_with};
use wdb_vm::ValType;
use wdb_vm::address::{CodeAddress, FuncIndex, InstanceAddr};
use wdb_vm::exit::Exit;
use wdb_vm::isa::{INSTRUCTIONS, ImmediateKind, InstructionInfo};
use wdb_vm::tier::Tier;
use wdb_vm::value::Value;
use wdb_vm::vm::{Config, RunLimit, Vm};

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
    let text = format!("(module {})", functions.join("\n"));
    for tier in Tier::ALL {
        let mut vm = machine_on(&text, tier);
        for instruction in &instructions {
            check(&mut vm, instruction);
        }
    }
}

fn machine_on(text: &str, tier: Tier) -> Vm {
    let config = Config {
        tier,
        ..Config::default()
    };
    machine_with(text, config)
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

/// What may happen between two stores of NaNs: other accesses of the same place, of other types and widths, and what controls.
/// `$n` makes NaNs that are not canonical yet, `$a` only ever holds results of arithmetic.
const BETWEEN: [&str; 21] = [
    "(f64.store offset=OFFSET (local.get $p) (f64.sub (local.get $n) (local.get $n)))",
    "(f64.store offset=OFFSET (local.get $p) (f64.add (local.get $a) (f64.load offset=OTHER (local.get $p))))",
    "(f64.store offset=OFFSET (local.get $p) (f64.mul (local.get $a) (f64.const 1)))",
    "(f32.store offset=OFFSET (local.get $p) (f32.demote_f64 (f64.sub (local.get $n) (local.get $n))))",
    "(f32.store offset=OFFSET (local.get $p) (f32.add (f32.const 2) (f32.load offset=OTHER (local.get $p))))",
    "(f64.store offset=OFFSET (local.get $p) (f64.load offset=OTHER (local.get $p)))",
    "(f64.store offset=OFFSET (local.get $p) (f64.neg (f64.load offset=OTHER (local.get $p))))",
    "(i64.store offset=OFFSET (local.get $p) (i64.load offset=OTHER (local.get $p)))",
    "(i64.store offset=OFFSET (local.get $p) (i64.const 0xfff8000000001234))",
    "(local.set $x (f64.load offset=OFFSET (local.get $p)))",
    "(f64.store offset=OFFSET (local.get $p) (local.get $x))",
    "(local.set $a (f64.add (f64.const 1) (f64.load offset=OFFSET (local.get $p))))",
    "(local.set $a (f64.sub (f64.const 1) (f64.const 1)))",
    "(local.set $p (i32.add (local.get $p) (i32.const 2)))",
    "(local.set $p (i32.sub (local.get $p) (i32.const 2)))",
    "(f64.load offset=OFFSET (local.get $p)) INNER (local.set $x)",
    "(local.get $p) (f64.load offset=OTHER (local.get $p)) INNER (f64.store offset=OFFSET)",
    "(if (f64.eq (local.get $a) (f64.load offset=OFFSET (local.get $p))) (then INNER) (else INNER))",
    "(block INNER (br_if 0 (local.get $p)) INNER)",
    "(local.get $p) (f64.add (local.get $n) (f64.neg (local.get $n))) (local.get $p) (f64.sub (local.get $n) (local.get $n))
        (f64.store offset=OFFSET) (f64.store offset=OTHER)",
    "(call $look)",
];

fn between(random: &mut Random, depth: u32) -> String {
    let offset = |random: &mut Random| (128 + 4 * random.below(8)).to_string();
    (0..random.below(5))
        .map(|_| {
            let text = BETWEEN[random.below(BETWEEN.len() as u64) as usize];
            let mut text = text
                .replace("OFFSET", &offset(random))
                .replace("OTHER", &offset(random));
            while text.contains("INNER") {
                let inner = if depth == 0 {
                    String::new()
                } else {
                    between(random, depth - 1)
                };
                text = text.replacen("INNER", &inner, 1);
            }
            text + "\n"
        })
        .collect()
}

/// Whatever a tier puts off, memory holds what it should wherever something looks at it.
#[test]
fn stored_nans_are_canonical_to_whatever_comes_after() {
    let mut random = Random::new();
    for round in 0..400 {
        let body: String = (0..4).map(|_| between(&mut random, 3)).collect();
        // Many locals are given homes.
        let more = [
            "",
            "i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64",
        ][round % 2];
        let text = format!(
            r#"(module
                (memory 1)
                (global $sum (mut i64) (i64.const 0))
                (func $look (local $i i32)
                    (loop $next
                        (global.set $sum (i64.add
                            (i64.mul (global.get $sum) (i64.const 31))
                            (i64.load offset=100 (local.get $i))))
                        (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 96)))))
                (func (export "f") (param $n f64) (result i64) (local $a f64) (local $x f64) (local $p i32) (local {more})
                    {body}
                    (call $look)
                    (i64.xor (global.get $sum) (i64.reinterpret_f64 (f64.add (local.get $a) (local.get $x))))))"#
        );
        let place = random.below(100) as usize;
        let expected = stops(&mut machine_on(&text, Tier::Classic), place);
        for tier in Tier::ALL {
            let found = stops(&mut machine_on(&text, tier), place);
            assert_eq!(found, expected, "{tier:?}, round {round}: {body}");
        }
    }
}

/// Memory at a probe at an instruction of the function, and how the call ends. Up to the first stop no tier leaves its own code.
fn stops(vm: &mut Vm, place: usize) -> (Vec<Vec<u8>>, Exit) {
    let mut instructions = vm.module(InstanceAddr(0)).instructions(FuncIndex(1));
    if let Some(found) = instructions.nth(place) {
        vm.set_probe(CodeAddress {
            instance: InstanceAddr(0),
            pc: found.pc,
        });
    }
    invoke(vm, "f", &[Value::F64(f64::INFINITY.to_bits())]);
    let mut memories = Vec::new();
    loop {
        match vm.run(RunLimit::default()) {
            Exit::Probe => {
                let memory = vm.memory(InstanceAddr(0), 0).expect("it has one");
                memories.push(memory[100..200].to_vec());
            }
            exit => return (memories, exit),
        }
    }
}

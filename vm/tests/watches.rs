//! Every instruction that accesses memory at an address hits the watches of exactly the bytes that it reads and writes. Which bytes
//! those are is found out from what the instruction does: a byte is read when the result depends on it.

mod support;

use std::collections::BTreeSet;

use support::{INSTANCE, call, invoke, machine_of};
use wdb_vm::exit::Exit;
use wdb_vm::isa::{INSTRUCTIONS, ImmediateKind, InstructionInfo};
use wdb_vm::value::Value;
use wdb_vm::vm::{RunLimit, Vm};
use wdb_vm::watch::{Watch, WatchEvent, WatchKind, WatchTarget};

/// The constant offset of the accesses, and the address that they start from.
const OFFSET: u64 = 16;
const BASE: u64 = 48;
/// The bytes that are looked at, in which the access lies.
const LOOKED_AT: std::ops::Range<u64> = 60..90;
/// What memory holds, and the operands' bytes, which differ from it in every bit.
const OLD: u8 = 0x11;
const NEW: u8 = 0xee;

/// A memory that is accessed.
#[derive(Clone, Copy)]
struct Memory {
    index: u32,
    is_64: bool,
}

fn has_access(info: &&InstructionInfo) -> bool {
    let accesses = matches!(
        info.immediates,
        ImmediateKind::MemArg | ImmediateKind::MemArgLane
    );
    accesses && !info.mnemonic.contains("wait")
}

/// The types of an instruction's operands and result.
fn types(info: &InstructionInfo, memory: Memory) -> (Vec<&str>, &str) {
    let (operands, result) = info.effect.split_once(" -> ").expect("an effect");
    let mut operands: Vec<&str> = operands.trim_matches(['[', ']']).split(' ').collect();
    if memory.is_64 {
        operands[0] = "i64";
    }
    (operands, result.trim_matches(['[', ']']))
}

/// A module with a function for each instruction.
fn module(memory: Memory) -> String {
    let mut text = String::from("(module (memory 1) (memory i64 1)");
    for info in INSTRUCTIONS.iter().filter(has_access) {
        let (operands, result) = types(info, memory);
        let gets = (0..operands.len()).map(|index| format!("local.get {index} "));
        let lane = match info.immediates {
            ImmediateKind::MemArgLane => "1",
            _ => "",
        };
        text += &format!(
            "(func (export \"{0}\") (param {1}) (result {result}) {2} {0} {3} offset={OFFSET} {lane})\n",
            info.mnemonic,
            operands.join(" "),
            gets.collect::<String>(),
            memory.index,
        );
    }
    text + ")"
}

fn arguments(info: &InstructionInfo, memory: Memory) -> Vec<Value> {
    let (operands, _) = types(info, memory);
    let compares = info.mnemonic.contains("cmpxchg");
    let value = |(position, ty): (usize, &&str)| {
        // What is compared with must be found.
        let byte = if compares && position == 1 { OLD } else { NEW };
        match (position, *ty) {
            (0, "i32") => Value::I32(BASE as i32),
            (0, _) => Value::I64(BASE as i64),
            (_, "i32") => Value::I32(i32::from_le_bytes([byte; 4]) & mask(info) as i32),
            (_, "i64") => Value::I64(i64::from_le_bytes([byte; 8]) & mask(info) as i64),
            (_, "f32") => Value::F32(u32::from_le_bytes([byte; 4])),
            (_, "f64") => Value::F64(u64::from_le_bytes([byte; 8])),
            _ => Value::V128(u128::from_le_bytes([byte; 16])),
        }
    };
    operands.iter().enumerate().map(value).collect()
}

/// The bits of what a narrow comparison compares with.
fn mask(info: &InstructionInfo) -> u64 {
    match info.mnemonic {
        name if name.contains("rmw8.cmpxchg") => 0xff,
        name if name.contains("rmw16.cmpxchg") => 0xffff,
        name if name.contains("rmw32.cmpxchg") => 0xffff_ffff,
        _ => u64::MAX,
    }
}

fn fill(vm: &mut Vm, memory: Memory) {
    assert!(vm.write_memory(INSTANCE, memory.index, 0, &[OLD; 256]));
}

/// The bytes on which the result depends.
fn bytes_read(vm: &mut Vm, info: &InstructionInfo, memory: Memory) -> BTreeSet<u64> {
    let args = arguments(info, memory);
    let mut result = |changed: Option<u64>| {
        fill(vm, memory);
        if let Some(address) = changed {
            assert!(vm.write_memory(INSTANCE, memory.index, address, &[OLD ^ 0x80]));
        }
        call(vm, info.mnemonic, &args)
    };
    let usual = result(None);
    assert!(
        matches!(usual, Exit::Finished(_)),
        "{}: {usual:?}",
        info.mnemonic
    );
    LOOKED_AT
        .filter(|&address| result(Some(address)) != usual)
        .collect()
}

/// The bytes that are something else afterwards.
fn bytes_written(vm: &mut Vm, info: &InstructionInfo, memory: Memory) -> BTreeSet<u64> {
    fill(vm, memory);
    call(vm, info.mnemonic, &arguments(info, memory));
    let bytes = vm.memory(INSTANCE, memory.index).expect("a memory");
    LOOKED_AT
        .filter(|&address| bytes[address as usize] != OLD)
        .collect()
}

/// The bytes whose watches are hit: by a reading, by a change.
fn bytes_hit(vm: &mut Vm, info: &InstructionInfo, memory: Memory) -> [BTreeSet<u64>; 2] {
    fill(vm, memory);
    let watch = |address: u64, kind: WatchKind| Watch {
        id: address as u32,
        target: WatchTarget::Memory {
            instance: INSTANCE,
            memory: memory.index,
            range: address..address + 1,
        },
        kind,
        scope: None,
    };
    let kinds = [WatchKind::Read, WatchKind::Change];
    let watches = LOOKED_AT.flat_map(|address| kinds.map(|kind| watch(address, kind)));
    vm.set_watches(watches.collect());
    invoke(vm, info.mnemonic, &arguments(info, memory));
    let mut sets = [BTreeSet::new(), BTreeSet::new()];
    while let Exit::Watch(hits) = vm.run(RunLimit::default()) {
        for hit in hits {
            let is_change = hit.event == WatchEvent::Changed;
            sets[usize::from(is_change)].insert(u64::from(hit.id));
        }
    }
    vm.set_watches(Vec::new());
    sets
}

#[test]
fn accesses_hit_the_bytes_that_they_touch() {
    for (index, is_64) in [(0, false), (1, true)] {
        let memory = Memory { index, is_64 };
        let mut vm = machine_of(&module(memory));
        let mut count = 0;
        for info in INSTRUCTIONS.iter().filter(has_access) {
            let wanted = [
                bytes_read(&mut vm, info, memory),
                bytes_written(&mut vm, info, memory),
            ];
            let found = bytes_hit(&mut vm, info, memory);
            assert_eq!(found, wanted, "{} in memory {index}", info.mnemonic);
            count += 1;
        }
        // 23 of numbers, 22 of vectors, 64 atomic ones.
        assert_eq!(count, 23 + 22 + 64);
    }
}

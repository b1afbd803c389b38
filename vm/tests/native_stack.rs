//! In optimised builds each handler ends in a jump to the next. A handler that called the next instead would use up the native
//! stack in a loop, so every instruction on numbers, vectors and memory is executed more often than there is room for.

mod support;

use support::{call, machine_of};
use wdb_vm::exit::Exit;
use wdb_vm::isa::{INSTRUCTIONS, ImmediateKind, InstructionInfo};
use wdb_vm::value::Value;

/// The least frame of a call takes 16 bytes.
const ROUNDS: i32 = if cfg!(debug_assertions) { 100 } else { 200_000 };
const STACK_BYTES: usize = 2 << 20;

/// The instruction with its operands, whatever they are; `None` for those that are not about numbers, vectors and memory.
fn statement(info: &InstructionInfo) -> Option<String> {
    let (operands, results) = info.effect.split_once(" -> ")?;
    let words = |text: &str| -> Option<Vec<String>> {
        let types = text.trim_matches(['[', ']']).split_whitespace();
        let known = |ty: &str| matches!(ty, "i32" | "i64" | "f32" | "f64" | "v128");
        types.map(|ty| known(ty).then(|| ty.to_owned())).collect()
    };
    let (operands, results) = (words(operands)?, words(results)?);
    let immediates = match info.immediates {
        ImmediateKind::None | ImmediateKind::Fence | ImmediateKind::Memory => "",
        // Far enough to be read in its long form.
        ImmediateKind::MemArg => "offset=20000",
        ImmediateKind::MemArgLane => "1 offset=40 1",
        ImmediateKind::Lane => "1",
        ImmediateKind::V128 => "i64x2 1 2",
        ImmediateKind::Shuffle => "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 31",
        ImmediateKind::I32 | ImmediateKind::I64 => "-70000",
        ImmediateKind::F32 | ImmediateKind::F64 => "1.5",
        _ => return None,
    };
    let skipped = [
        "unreachable",
        "return",
        "memory.grow",
        "memory.fill",
        "nop",
        "end",
        "else",
    ];
    if skipped.contains(&info.mnemonic) || info.mnemonic.contains("atomic.wait") {
        return None;
    }
    let mut text = String::new();
    for (position, ty) in operands.iter().enumerate() {
        let value = match (position, ty.as_str()) {
            (_, "v128") => "i64x2 3 4",
            (_, "f32" | "f64") => "nan",
            // An aligned address, or a number that can be divided by.
            _ => "64",
        };
        // What has no integer traps.
        let value = match info.mnemonic.contains(".trunc_f") {
            true => "1.5",
            false => value,
        };
        text += &format!("{ty}.const {value} ");
    }
    Some(format!(
        "{text} {} {immediates} {}",
        info.mnemonic,
        "drop ".repeat(results.len())
    ))
}

#[test]
fn no_handler_keeps_its_frame() {
    let statements: Vec<String> = INSTRUCTIONS.iter().filter_map(statement).collect();
    assert!(statements.len() > 450, "only {}", statements.len());
    let mut text = String::from("(module (memory 1) (memory 1)\n");
    for (number, statement) in statements.iter().enumerate() {
        text += &format!(
            "(func (export \"{number}\") (param i32) (local v128)
                loop
                    {statement}
                    local.get 1 local.tee 1 local.get 1 i32.const 1 select drop
                    local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0
                end)\n"
        );
    }
    let run = move || {
        let mut vm = machine_of(&format!("{text})"));
        for (number, statement) in statements.iter().enumerate() {
            let exit = call(&mut vm, &number.to_string(), &[Value::I32(ROUNDS)]);
            assert_eq!(exit, Exit::Finished(Vec::new()), "{statement}");
        }
    };
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    let running = thread.spawn(run).expect("a thread can be started");
    running.join().expect("no assertion failed");
}

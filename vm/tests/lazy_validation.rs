//! Functions that are validated when they are used: what is not valid never runs, and nothing stumbles over it.

mod support;

use std::sync::Arc;

use wdb_vm::address::{FuncIndex, ModuleOffset};
use wdb_vm::exit::Exit;
use wdb_vm::module::{FEATURES, Module, ModuleError, Validation};
use wdb_vm::tier::Tier;
use wdb_vm::trap::TrapKind;
use wdb_vm::value::Value;
use wdb_vm::vm::{Config, RunLimit, Vm};

use support::{Counter, INSTANCE, call, invoke};

/// Functions 0 and 1 are valid by themselves; what they call is not.
const TEXT: &str = r#"
    (module
      (type $number (func (param i32) (result i32)))
      (table 1 1 funcref)
      (elem (i32.const 0) func $bad)
      (func (export "direct") (param i32) (result i32)
        (if (i32.eqz (local.get 0)) (then (return (i32.const 7))))
        (call $bad (local.get 0)))
      (func (export "indirect") (param i32) (result i32)
        (call_indirect (type $number) (local.get 0) (i32.const 0)))
      (func (export "tail") (param i32) (result i32)
        (return_call $bad (local.get 0)))
      (func $bad (export "bad") (param i32) (result i32)
        (i64.add (local.get 0) (i64.const 1)))
      (func $short (result i32)))"#;

const BAD: FuncIndex = FuncIndex(3);

fn parse(bytes: impl Into<Arc<[u8]>>) -> Arc<Module> {
    Module::parse_with(bytes, None, FEATURES, Validation::OnUse)
        .expect("only functions are invalid")
}

fn machine(module: &Arc<Module>, tier: Tier) -> Vm {
    let config = Config {
        tier,
        ..Config::default()
    };
    Vm::new(module, Box::new(Counter(100)), Arc::default(), config).expect("it can be linked")
}

fn expect_invalid(exit: &Exit) {
    let Exit::Trap(trap) = exit else {
        panic!("a trap is expected, not {exit:?}");
    };
    assert_eq!(trap.kind, TrapKind::InvalidFunction);
    assert!(
        trap.detail.starts_with("bad is not valid at offset 0x"),
        "{}",
        trap.detail
    );
    assert!(trap.detail.contains("type mismatch"), "{}", trap.detail);
}

#[test]
fn all_at_once_such_a_module_is_refused() {
    let refused = Module::parse(TEXT.as_bytes(), None).map(|_| ());
    let Err(ModuleError::Invalid { offset, message }) = refused else {
        panic!("{refused:?}");
    };
    let module = parse(TEXT.as_bytes());
    let body = module.func_body(BAD).expect("it has code").range.clone();
    assert!(u64::from(body.start) < offset && offset < u64::from(body.end));
    let invalid = ModuleError::Invalid { offset, message };
    assert_eq!(module.validate_func(BAD), Err(invalid.clone()));
    assert_eq!(module.validate_in_order(), Err(invalid.clone()));
    assert_eq!(module.validate_all(), Err(invalid));
    assert!(module.is_valid_func(FuncIndex(0)));
}

#[test]
fn a_call_of_an_invalid_function_stops_at_the_call() {
    let module = parse(TEXT.as_bytes());
    for tier in Tier::ALL {
        for name in ["direct", "indirect", "tail"] {
            let mut vm = machine(&module, tier);
            let exit = call(&mut vm, name, &[Value::I32(1)]);
            expect_invalid(&exit);
            assert_eq!(vm.frame_count(), 1, "{name} in {}", tier.name());
            let frame = vm.frame(0).expect("it is there");
            let mut instructions = module.instructions(frame.index);
            let at = instructions
                .find(|it| it.pc == frame.pc)
                .expect("it stands at one");
            assert!(
                at.info().mnemonic.contains("call"),
                "{}",
                at.info().mnemonic
            );
            let operands = if name == "indirect" { 2 } else { 1 };
            assert_eq!(
                vm.shape(0).map(|shape| shape.operands.len()),
                Some(operands)
            );
            let (time, tick) = (vm.time(), vm.time().tick);
            assert_eq!(tick, 1);
            assert_eq!(vm.run(RunLimit::default()), exit, "it traps again");
            assert_eq!(vm.step(), exit);
            assert_eq!(vm.time(), time);
        }
    }
}

#[test]
fn the_state_is_the_same_whether_it_steps_or_runs_there() {
    let module = parse(TEXT.as_bytes());
    let mut stepping = machine(&module, Tier::Classic);
    invoke(&mut stepping, "direct", &[Value::I32(1)]);
    let stepped = loop {
        match stepping.step() {
            Exit::Stepped => {}
            exit => break exit,
        }
    };
    for tier in Tier::ALL {
        let mut running = machine(&module, tier);
        assert_eq!(call(&mut running, "direct", &[Value::I32(1)]), stepped);
        assert_eq!(running.time(), stepping.time());
        assert_eq!(running.frame(0), stepping.frame(0));
    }
}

#[test]
fn valid_functions_run_beside_invalid_ones() {
    let module = parse(TEXT.as_bytes());
    for tier in Tier::ALL {
        let mut vm = machine(&module, tier);
        let exit = call(&mut vm, "direct", &[Value::I32(0)]);
        assert_eq!(exit, Exit::Finished(vec![Value::I32(7)]));
    }
}

#[test]
fn an_invalid_function_is_not_begun() {
    let module = parse(TEXT.as_bytes());
    for tier in Tier::ALL {
        let mut vm = machine(&module, tier);
        expect_invalid(&call(&mut vm, "bad", &[Value::I32(1)]));
        expect_invalid(&vm.step());
        assert_eq!((vm.frame_count(), vm.time().tick), (0, 0));
        vm.abandon();
        let exit = call(&mut vm, "direct", &[Value::I32(0)]);
        assert_eq!(exit, Exit::Finished(vec![Value::I32(7)]));
    }
}

#[test]
fn an_invalid_function_has_no_instructions() {
    let module = parse(TEXT.as_bytes());
    let start = ModuleOffset(module.func_body(BAD).expect("it has code").code.start);
    assert_eq!(module.instructions(BAD).count(), 0);
    assert_eq!(module.shape_at(BAD, start), None);
    assert_eq!(module.disassemble(BAD).count(), 0);
    assert_eq!(module.func_at(start), Some(BAD));
    assert_eq!(module.func_display_name(BAD), "bad");
    let mut vm = machine(&module, Tier::Fast);
    let func = vm.exported_func(INSTANCE, "bad").expect("it is exported");
    assert_eq!(vm.register_code(func), None);
}

/// Bytes are changed at random in the code of a module. What is still a module must answer everything.
#[test]
fn nothing_stumbles_over_damaged_code() {
    let binary = parse(TEXT.as_bytes());
    let code = binary.code_section();
    let mut seed: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut random = |bound: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % bound
    };
    let mut parsed = 0;
    for _ in 0..4_000 {
        let mut bytes = binary.bytes().to_vec();
        for _ in 0..=random(3) {
            let at = u64::from(code.start) + random(code.len() as u64);
            bytes[at as usize] = random(256) as u8;
        }
        let Ok(module) = Module::parse_with(bytes, None, FEATURES, Validation::OnUse) else {
            continue;
        };
        parsed += 1;
        for func in (0..module.func_count()).map(FuncIndex) {
            let is_valid = module.is_valid_func(func);
            let start = module.func_body(func).map_or(0, |body| body.code.start);
            assert_eq!(
                module.shape_at(func, ModuleOffset(start)).is_some(),
                is_valid
            );
            assert_eq!(module.instructions(func).count() > 0, is_valid);
            assert!(module.local_types(func).len() <= 50_000);
            assert_eq!(module.disassemble(func).count() > 0, is_valid);
        }
        for tier in Tier::ALL {
            let mut vm = machine(&module, tier);
            let limit = RunLimit {
                tick: Some(1000),
                ..RunLimit::default()
            };
            for name in ["direct", "indirect", "tail", "bad"] {
                invoke(&mut vm, name, &[Value::I32(1)]);
                vm.run(limit);
                vm.abandon();
            }
        }
    }
    assert!(parsed > 200, "only {parsed} were modules");
}

//! The machine's promises: the clock, exact traps, checkpoints, replay of the host, limits, probes, interrupts.

mod support;

use support::random::Random;
use support::{BUSY, INSTANCE, call, invoke, machine_of, machine_with};
use wdb_vm::address::{CodeAddress, ModuleOffset};
use wdb_vm::exit::Exit;
use wdb_vm::isa::Op;
use wdb_vm::machine::{Limits, Time};
use wdb_vm::tier::Tier;
use wdb_vm::trap::TrapKind;
use wdb_vm::value::Value;
use wdb_vm::vm::{Config, RunLimit, Vm};

const ROUNDS: i32 = 300;

fn run_to_tick(vm: &mut Vm, tick: u64) -> Exit {
    vm.run(RunLimit {
        tick: Some(tick),
        ..RunLimit::default()
    })
}

#[test]
fn the_clock_names_every_state_once_and_in_order() {
    let mut vm = machine_of(BUSY);
    invoke(&mut vm, "main", &[Value::I32(60)]);
    let mut last: Option<Time> = None;
    loop {
        let exit = vm.step();
        if exit != Exit::Stepped {
            assert!(matches!(exit, Exit::Finished(_)), "{exit:?}");
            break;
        }
        let time = vm.time();
        assert!(
            last.is_none_or(|last| last < time),
            "{last:?} is not before {time:?}"
        );
        last = Some(time);
    }
}

#[test]
fn ticks_are_entries_and_arrivals_at_loops() {
    let text = r#"(module
        (func $leaf)
        (func (export "main") (param i32)
            (call $leaf)
            (loop $l
                (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                (br_if $l (local.get 0)))
            (block (br 0))))"#;
    let mut vm = machine_of(text);
    assert_eq!(
        call(&mut vm, "main", &[Value::I32(10)]),
        Exit::Finished(vec![])
    );
    // main, leaf, falling into the loop, and nine branches back; the branch out of the block is none.
    assert_eq!(vm.time().tick, 1 + 1 + 1 + 9);
}

#[test]
fn a_run_stops_on_the_arrival_of_every_tick() {
    let mut reference = machine_of(BUSY);
    let Exit::Finished(result) = call(&mut reference, "main", &[Value::I32(40)]) else {
        panic!("ends")
    };
    let end = reference.time().tick;
    let mut vm = machine_of(BUSY);
    let mut stepped = machine_of(BUSY);
    invoke(&mut vm, "main", &[Value::I32(40)]);
    invoke(&mut stepped, "main", &[Value::I32(40)]);
    assert_eq!(stepped.begin(), None);
    for tick in 1..end {
        assert_eq!(run_to_tick(&mut vm, tick), Exit::Tick);
        while stepped.time().tick < tick {
            stepped.step();
        }
        assert_eq!(vm.time(), stepped.time());
    }
    assert_eq!(vm.run(RunLimit::default()), Exit::Finished(result));
}

#[test]
fn running_again_from_a_checkpoint_gives_the_same_state() {
    let mut random = Random::new();
    let mut vm = machine_of(BUSY);
    invoke(&mut vm, "main", &[Value::I32(ROUNDS)]);
    run_to_tick(&mut vm, 10);
    for _ in 0..50 {
        let start = vm.checkpoint(None);
        assert!(start.time() == vm.time());
        let tick = vm.time().tick + random.below(2_000);
        let steps = random.below(20);
        let advance = |vm: &mut Vm| {
            let exit = run_to_tick(vm, tick);
            let steps: Vec<Exit> = (0..steps).map(|_| vm.step()).collect();
            (exit, steps)
        };
        let first = advance(&mut vm);
        let there = vm.checkpoint(Some(&start));
        let host_calls = vm.host_log().end();
        vm.restore(&start);
        assert!(
            vm.checkpoint(Some(&start)) == start,
            "restoring gives what was kept"
        );
        assert_eq!(advance(&mut vm), first);
        assert!(
            vm.checkpoint(Some(&there)) == there,
            "the same way leads to the same state, clock included"
        );
        // Replay asked the host nothing: its next answer would have been another number.
        assert_eq!(vm.host_log().end(), host_calls);
        if matches!(first.0, Exit::Finished(_)) {
            vm.restore(&start);
        }
    }
}

/// A machine that records nothing of its own accord, as machine code does to find faults.
fn interpreter_of(text: &str) -> Vm {
    let config = Config {
        tier: Tier::Fast,
        ..Config::default()
    };
    machine_with(text, config)
}

#[test]
fn a_change_from_outside_forgets_the_recorded_future() {
    let mut vm = interpreter_of(BUSY);
    invoke(&mut vm, "main", &[Value::I32(ROUNDS)]);
    run_to_tick(&mut vm, 10);
    let start = vm.checkpoint(None);
    assert!(matches!(vm.run(RunLimit::default()), Exit::Finished(_)));
    assert!(vm.host_log().events().count() > 0);
    vm.restore(&start);
    assert!(vm.write_memory(INSTANCE, 0, 0, &[1, 2, 3]));
    assert_eq!(vm.host_log().events().count(), 0);
    assert_eq!(
        vm.host_log().end(),
        1,
        "the call before the checkpoint still counts"
    );
}

#[test]
fn host_calls_are_recorded_as_long_as_a_checkpoint_needs_them() {
    let mut vm = interpreter_of(BUSY);
    invoke(&mut vm, "main", &[Value::I32(ROUNDS)]);
    run_to_tick(&mut vm, 1_000);
    assert_eq!(vm.host_log().events().count(), 0, "nothing to go back to");
    let early = vm.checkpoint(None);
    run_to_tick(&mut vm, 5_000);
    let recorded = vm.host_log().events().count();
    assert!(recorded > 0);
    let late = vm.checkpoint(Some(&early));
    run_to_tick(&mut vm, 9_000);
    let end = vm.checkpoint(Some(&late));
    vm.restore(&early);
    run_to_tick(&mut vm, 9_000);
    assert!(vm.checkpoint(Some(&end)) == end, "replayed from the first");
    let all = vm.host_log().events().count();
    vm.forget_before(&late);
    assert_eq!(vm.host_log().events().count(), all - recorded);
    vm.restore(&late);
    run_to_tick(&mut vm, 9_000);
    assert!(vm.checkpoint(Some(&end)) == end, "replayed from the second");
}

#[test]
#[should_panic(expected = "the way from this checkpoint is forgotten")]
fn a_forgotten_past_is_not_gone_back_to() {
    let mut vm = machine_of(BUSY);
    invoke(&mut vm, "main", &[Value::I32(ROUNDS)]);
    let early = vm.checkpoint(None);
    run_to_tick(&mut vm, 5_000);
    let late = vm.checkpoint(Some(&early));
    vm.forget_before(&late);
    vm.restore(&early);
}

#[test]
fn probes_stop_before_their_instruction_and_are_passed_when_going_on() {
    let mut vm = machine_of(BUSY);
    let module = vm.module(INSTANCE).clone();
    let fib = module.func_at_name("fib");
    let entry = module.func_body(fib).expect("has code").code.start;
    let probe = CodeAddress {
        instance: INSTANCE,
        pc: ModuleOffset(entry),
    };
    vm.set_probe(probe);
    assert!(vm.has_probe(probe));
    invoke(&mut vm, "main", &[Value::I32(ROUNDS)]);
    let mut hits = 0;
    let end = loop {
        match vm.run(RunLimit::default()) {
            Exit::Probe => {
                assert_eq!(vm.frame(0).expect("in fib").pc, probe.pc);
                hits += 1;
            }
            exit => break exit,
        }
        if hits == 500 {
            vm.clear_probe(probe);
        }
    };
    assert_eq!(hits, 500);
    let mut undisturbed = machine_of(BUSY);
    assert_eq!(end, call(&mut undisturbed, "main", &[Value::I32(ROUNDS)]));
    assert_eq!(vm.time().tick, undisturbed.time().tick);
    // At a probe, the run reports it again only when asked to.
    vm.set_probe(probe);
    invoke(&mut vm, "main", &[Value::I32(1)]);
    assert_eq!(vm.run(RunLimit::default()), Exit::Probe);
    let at = vm.time();
    assert_eq!(
        vm.run(RunLimit {
            probe_at_start: true,
            ..RunLimit::default()
        }),
        Exit::Probe
    );
    assert_eq!(vm.time(), at);
    assert!(matches!(vm.run(RunLimit::default()), Exit::Finished(_)));
}

/// Every trap: the function that traps, its cause, the instruction at which the machine must stand, and its operands.
#[test]
fn traps_are_exact() {
    let text = r#"(module
        (memory 1) (table 2 funcref) (elem (i32.const 0) func $unary)
        (func $unary (param i32))
        (func (export "unreachable") unreachable)
        (func (export "divide") (drop (i32.div_s (i32.const 7) (i32.const 0))))
        (func (export "overflow") (drop (i64.div_s (i64.const 0x8000000000000000) (i64.const -1))))
        (func (export "convert") (drop (i32.trunc_f64_s (f64.const nan))))
        (func (export "load") (drop (i64.load offset=8 (i32.const 65529))))
        (func (export "store") (i32.store16 (i32.const 65535) (i32.const 5)))
        (func (export "fill") (memory.fill (i32.const 65530) (i32.const 1) (i32.const 7)))
        (func (export "undefined") (call_indirect (param i32) (i32.const 1) (i32.const 2)))
        (func (export "null") (call_indirect (param i32) (i32.const 1) (i32.const 1)))
        (func (export "mismatch") (call_indirect (i32.const 0)))
        (func (export "table") (drop (table.get 0 (i32.const 9)))))"#;
    let i32s = |values: &[i32]| {
        values
            .iter()
            .map(|&value| Value::I32(value))
            .collect::<Vec<_>>()
    };
    let cases = [
        (
            "unreachable",
            TrapKind::Unreachable,
            Op::Unreachable,
            vec![],
        ),
        (
            "divide",
            TrapKind::IntegerDivideByZero,
            Op::I32DivS,
            i32s(&[7, 0]),
        ),
        (
            "overflow",
            TrapKind::IntegerOverflow,
            Op::I64DivS,
            vec![Value::I64(i64::MIN), Value::I64(-1)],
        ),
        (
            "convert",
            TrapKind::InvalidConversionToInteger,
            Op::I32TruncF64S,
            vec![Value::F64(0x7ff8 << 48)],
        ),
        (
            "load",
            TrapKind::MemoryOutOfBounds,
            Op::I64Load,
            i32s(&[65529]),
        ),
        (
            "store",
            TrapKind::MemoryOutOfBounds,
            Op::I32Store16,
            i32s(&[65535, 5]),
        ),
        (
            "fill",
            TrapKind::MemoryOutOfBounds,
            Op::MemoryFill,
            i32s(&[65530, 1, 7]),
        ),
        (
            "undefined",
            TrapKind::UndefinedElement,
            Op::CallIndirect,
            i32s(&[1, 2]),
        ),
        (
            "null",
            TrapKind::UninitializedElement,
            Op::CallIndirect,
            i32s(&[1, 1]),
        ),
        (
            "mismatch",
            TrapKind::IndirectCallTypeMismatch,
            Op::CallIndirect,
            i32s(&[0]),
        ),
        (
            "table",
            TrapKind::TableOutOfBounds,
            Op::TableGet,
            i32s(&[9]),
        ),
    ];
    let mut vm = machine_of(text);
    for (name, kind, op, operands) in cases {
        let Exit::Trap(trap) = call(&mut vm, name, &[]) else {
            panic!("{name} must trap")
        };
        assert_eq!(trap.kind, kind, "{name}");
        let frame = vm.frame(0).expect("the frame that trapped");
        let at = vm
            .module(INSTANCE)
            .instructions(frame.index)
            .find(|instruction| instruction.pc == frame.pc);
        assert_eq!(at.expect("an instruction").op, op, "{name}");
        let shape = vm.shape(0).expect("the frame has a shape");
        let values: Vec<Value> = shape
            .operands
            .iter()
            .filter_map(|&slot| vm.slot_value(0, slot))
            .collect();
        assert_eq!(values, operands, "{name}");
        // Going on traps again, in the same state.
        assert_eq!(
            vm.run(RunLimit::default()),
            Exit::Trap(trap.clone()),
            "{name}"
        );
        assert_eq!(vm.step(), Exit::Trap(trap), "{name}");
        vm.abandon();
    }
}

#[test]
fn memory_traps_say_where() {
    let mut vm = machine_of(
        r#"(module (memory 1) (func (export "f") (drop (i32.load offset=4 (i32.const 65536)))))"#,
    );
    let Exit::Trap(trap) = call(&mut vm, "f", &[]) else {
        panic!("must trap")
    };
    assert_eq!(
        trap.to_string(),
        "out of bounds memory access: i32.load at address 0x10004, memory has 65536 bytes"
    );
}

#[test]
fn exhaustion_stands_at_the_callees_first_instruction() {
    let text = r#"(module (func $f (export "f") (param i32) (call $f (i32.add (local.get 0) (i32.const 1)))))"#;
    let frames = Limits {
        frames_max: 1000,
        ..Limits::default()
    };
    let cells = Limits {
        cells_max: 1000,
        ..Limits::default()
    };
    for limits in [frames, cells] {
        let mut vm = machine_with(
            text,
            Config {
                limits,
                stub_imports: false,
                ..Config::default()
            },
        );
        let Exit::Trap(trap) = call(&mut vm, "f", &[Value::I32(0)]) else {
            panic!("must trap")
        };
        assert_eq!(trap.kind, TrapKind::CallStackExhausted);
        let frame = vm.frame(0).expect("the frame beyond the limit");
        let body = vm
            .module(INSTANCE)
            .func_body(frame.index)
            .expect("has code");
        assert_eq!(frame.pc, ModuleOffset(body.code.start));
        assert_eq!(
            vm.time().tick,
            vm.frame_count() as u64,
            "each entry counted, the last one too"
        );
        assert_eq!(
            vm.local(0, 0),
            Some(Value::I32(vm.frame_count() as i32 - 1))
        );
        if limits.frames_max == 1000 {
            assert_eq!(vm.frame_count(), 1001);
        }
        assert_eq!(vm.step(), Exit::Trap(trap));
        // Stepping from the start gets to the same state.
        let state = vm.checkpoint(None);
        vm.abandon();
        let mut stepped = machine_with(
            text,
            Config {
                limits,
                stub_imports: false,
                ..Config::default()
            },
        );
        invoke(&mut stepped, "f", &[Value::I32(0)]);
        while stepped.step() == Exit::Stepped {}
        assert!(stepped.checkpoint(None) == state);
    }
}

#[test]
fn growth_beyond_a_limit_is_minus_one() {
    let text = r#"(module (memory 1) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#;
    let limits = Limits {
        memory_pages_max: 3,
        ..Limits::default()
    };
    let mut vm = machine_with(
        text,
        Config {
            limits,
            stub_imports: false,
            ..Config::default()
        },
    );
    for (pages, old) in [(1, 1), (2, -1), (1, 2), (1, -1), (0, 3), (-1, -1)] {
        assert_eq!(
            call(&mut vm, "grow", &[Value::I32(pages)]),
            Exit::Finished(vec![Value::I32(old)])
        );
    }
}

#[test]
fn an_interrupt_stops_an_endless_loop_and_the_program_can_go_on() {
    let mut vm = machine_of(r#"(module (func (export "f") (loop $l (br $l))))"#);
    invoke(&mut vm, "f", &[]);
    for _ in 0..3 {
        let interrupt = vm.interrupt();
        let raiser = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(20));
            interrupt.raise();
        });
        assert_eq!(vm.run(RunLimit::default()), Exit::Interrupted);
        assert_eq!(vm.frame_count(), 1);
        raiser.join().expect("raising does not panic");
    }
}

#[test]
fn ending_and_stubs_leave_the_machine_at_the_call() {
    let text = r#"(module (import "env" "exit" (func $exit (param i32))) (import "x" "missing" (func $missing))
        (func (export "end") (call $exit (i32.const 3)))
        (func (export "stub") (call $missing)))"#;
    let mut vm = machine_with(
        text,
        Config {
            stub_imports: true,
            ..Config::default()
        },
    );
    assert_eq!(call(&mut vm, "end", &[]), Exit::ProcExit(3));
    assert_eq!(
        vm.operand(0, 0),
        Some(Value::I32(3)),
        "the call's argument is still there"
    );
    assert_eq!(
        vm.run(RunLimit::default()),
        Exit::ProcExit(3),
        "going on ends again"
    );
    vm.abandon();
    let Exit::Trap(trap) = call(&mut vm, "stub", &[]) else {
        panic!("a stub traps")
    };
    assert_eq!(
        trap.to_string(),
        "host call failed: the import x.missing is a stub (--stub-imports)"
    );
}

#[test]
fn callers_show_their_operands_without_the_arguments() {
    let text = r#"(module
        (func $inner (param i32 i32) (result i32) (i32.div_u (local.get 0) (local.get 1)))
        (func (export "outer") (param i64) (result i32)
            (i32.const 11) (block (result i32) (call $inner (i32.const 5) (i32.const 0))) (i32.add)))"#;
    let mut vm = machine_of(text);
    assert!(matches!(
        call(&mut vm, "outer", &[Value::I64(9)]),
        Exit::Trap(_)
    ));
    assert_eq!(vm.frame_count(), 2);
    assert_eq!(vm.local(1, 0), Some(Value::I64(9)));
    assert_eq!(vm.operand(1, 0), Some(Value::I32(11)));
    assert_eq!(vm.operand(1, 1), None);
    assert_eq!(vm.local(0, 0), Some(Value::I32(5)));
    let labels = vm.shape(1).expect("the caller has a shape").labels;
    assert_eq!(labels.len(), 2);
    assert_eq!((labels[1].height, labels[1].arity), (1, 1));
}

#[test]
fn changing_locals_operands_and_globals() {
    let text = r#"(module (global $g (mut i32) (i32.const 1))
        (func (export "f") (param i32) (result i32)
            (i32.add (i32.mul (local.get 0) (global.get $g)) (i32.const 1))))"#;
    let mut vm = machine_of(text);
    invoke(&mut vm, "f", &[Value::I32(2)]);
    vm.step();
    assert!(
        vm.set_local(0, 0, Value::I32(100)),
        "too late for the operand"
    );
    assert!(vm.set_operand(0, 0, Value::I32(5)));
    assert!(!vm.set_operand(0, 0, Value::I64(5)), "another type");
    let global = vm.global_addr(INSTANCE, 0).expect("exists");
    assert!(vm.set_global(global, Value::I32(10)));
    assert_eq!(
        vm.run(RunLimit::default()),
        Exit::Finished(vec![Value::I32(51)])
    );
}

/// Looks a function up by its name in the name section.
trait FuncByName {
    fn func_at_name(&self, name: &str) -> wdb_vm::address::FuncIndex;
}

impl FuncByName for wdb_vm::module::Module {
    fn func_at_name(&self, name: &str) -> wdb_vm::address::FuncIndex {
        (0..self.func_count())
            .map(wdb_vm::address::FuncIndex)
            .find(|&func| self.func_name(func) == Some(name))
            .expect("the module has the function")
    }
}

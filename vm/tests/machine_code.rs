//! What machine code does that the other tiers have no part in: stops at any depth and time, conditions of probes that it decides
//! itself, and the exact place of a trap.

mod support;

use std::time::{Duration, Instant};

use support::machine_with;
use wdb_vm::address::{CodeAddress, FuncIndex, InstanceAddr};
use wdb_vm::exit::Exit;
use wdb_vm::isa::Op;
use wdb_vm::tier::{Bounds, Compile, Tier};
use wdb_vm::trap::TrapKind;
use wdb_vm::value::Value;
use wdb_vm::vm::{Config, RunLimit, Vm};
use wdb_vm::watch::{Watch, WatchKind, WatchTarget};
use wdb_vm::{Condition, ConditionConversion, ConditionOp, ProbeRule};

const INSTANCE: InstanceAddr = InstanceAddr(0);

fn compiled_tiers() -> impl Iterator<Item = Tier> {
    Tier::ALL.into_iter().filter(|tier| tier.is_compiled())
}

fn machine(text: &str, tier: Tier) -> Vm {
    machine_with(
        text,
        Config {
            tier,
            ..Config::default()
        },
    )
}

/// Nothing ran in another tier because it could not be compiled.
fn assert_compiled(vm: &Vm) {
    let stats = vm.tier_stats().into_iter();
    let fallbacks: Vec<_> = stats.flat_map(|stats| stats.fallbacks).collect();
    assert!(fallbacks.is_empty(), "{fallbacks:?}");
}

/// Begins a call of the export `f`.
fn invoke(vm: &mut Vm, args: &[Value]) {
    let func = vm.exported_func(INSTANCE, "f").expect("it is exported");
    vm.invoke(func, args).expect("the arguments fit");
}

/// The first instruction of a kind in the function that is exported as `f`.
fn place_of(vm: &Vm, op: Op) -> CodeAddress {
    let func = vm.exported_func(INSTANCE, "f").expect("it is exported");
    let (instance, index) = vm.func_instance(func).expect("it is a wasm function");
    let mut instructions = vm.module(instance).instructions(index);
    let found = instructions.find(|it| it.op == op);
    CodeAddress {
        instance,
        pc: found.expect("there is one").pc,
    }
}

/// Goes down, waits there until the global is set, and comes back with the sum of what every frame holds.
const DEEP: &str = r#"(module
    (global $ready (mut i32) (i32.const 0))
    (func $down (export "f") (param $left i32) (param $half f64) (result i64) (local $own i64)
        (local.set $own (i64.extend_i32_u (local.get $left)))
        (if (i32.eqz (local.get $left)) (then
            (loop $wait (br_if $wait (i32.eqz (global.get $ready))))
            (return (i64.trunc_f64_s (local.get $half)))))
        (i64.add
            (local.get $own)
            (call $down (i32.sub (local.get $left) (i32.const 1)) (f64.add (local.get $half) (f64.const 0.5))))))"#;

#[test]
fn a_deep_recursion_is_interrupted_shown_stepped_and_continued() {
    const DEPTH: i32 = 100_000;
    for tier in compiled_tiers() {
        let mut vm = machine(DEEP, tier);
        invoke(&mut vm, &[Value::I32(DEPTH), Value::F64(0)]);
        let interrupt = vm.interrupt();
        let raiser = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            interrupt.raise();
        });
        assert_eq!(vm.run(RunLimit::default()), Exit::Interrupted);
        raiser.join().expect("it does not panic");
        assert_eq!(vm.frame_count(), DEPTH as usize + 1);
        for number in [0, 1, 2, 777, 54_321, DEPTH as usize - 1, DEPTH as usize] {
            let left = number as i32;
            assert_eq!(vm.local(number, 0), Some(Value::I32(left)), "{tier:?}");
            let half = f64::from(DEPTH - left) / 2.0;
            assert_eq!(vm.local(number, 1), Some(Value::F64(half.to_bits())));
            assert_eq!(vm.local(number, 2), Some(Value::I64(i64::from(left))));
            if number > 0 {
                assert_eq!(vm.operand(number, 0), Some(Value::I64(i64::from(left))));
            }
        }
        for _ in 0..100 {
            assert_eq!(vm.step(), Exit::Stepped);
        }
        let ready = vm.global_addr(INSTANCE, 0).expect("there is one");
        assert!(vm.set_global(ready, Value::I32(1)));
        let depth = i64::from(DEPTH);
        let sum = depth * (depth + 1) / 2 + depth / 2;
        let end = vm.run(RunLimit::default());
        assert_eq!(end, Exit::Finished(vec![Value::I64(sum)]), "{tier:?}");
    }
}

#[test]
fn the_depth_of_calls_is_limited_as_in_classic() {
    const TEXT: &str = r#"(module
        (func $down (export "f") (param i32) (result i32)
            (i32.add (i32.const 1) (call $down (i32.add (local.get 0) (i32.const 1))))))"#;
    let exhausted = |tier: Tier| {
        let mut vm = machine(TEXT, tier);
        invoke(&mut vm, &[Value::I32(0)]);
        let exit = vm.run(RunLimit::default());
        let Exit::Trap(trap) = exit else {
            panic!("it ended with {exit:?}");
        };
        assert_eq!(trap.kind, TrapKind::CallStackExhausted);
        (vm.time(), vm.frame_count(), vm.local(0, 0))
    };
    let expected = exhausted(Tier::Classic);
    for tier in compiled_tiers() {
        assert_eq!(exhausted(tier), expected, "{tier:?}");
    }
}

#[test]
fn running_code_answers_an_interrupt_soon() {
    /// What the suite may be delayed by, on a machine that does other things as well; see the benchmarks for the time it takes.
    const PATIENCE: Duration = Duration::from_secs(5);
    const TEXT: &str = r#"(module (func (export "f") (loop $again (br $again))))"#;
    for tier in compiled_tiers() {
        let mut vm = machine(TEXT, tier);
        invoke(&mut vm, &[]);
        let interrupt = vm.interrupt();
        let raiser = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            interrupt.raise();
            Instant::now()
        });
        assert_eq!(vm.run(RunLimit::default()), Exit::Interrupted);
        let raised = raiser.join().expect("it does not panic");
        assert!(raised.elapsed() < PATIENCE, "{tier:?}");
    }
}

/// Counts up in memory, with a float beside.
const COUNTING: &str = r#"(module
    (memory 1)
    (func (export "f") (param $end i32) (result f64) (local $i i32) (local $x f64)
        (loop $again
            (local.set $x (f64.add (local.get $x) (f64.const 0.25)))
            (i32.store (i32.const 16) (i32.mul (local.get $i) (i32.const 3)))
            (nop)
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $i) (local.get $end))))
        (local.get $x)))"#;

fn binary(op: ConditionOp, left: Condition, right: Condition) -> Condition {
    Condition::Binary(op, Box::new(left), Box::new(right))
}

/// `*(int *) 16 == value && $local1 > 100`
fn stored(value: i64) -> Condition {
    let load = Condition::Load {
        memory: 0,
        address: Box::new(Condition::Constant(16)),
        bytes: 4,
        is_signed: true,
    };
    Condition::And(
        Box::new(binary(ConditionOp::Eq, load, Condition::Constant(value))),
        Box::new(binary(
            ConditionOp::GtS,
            Condition::Local(1),
            Condition::Constant(100),
        )),
    )
}

#[test]
fn conditions_of_probes_decide_alike_in_every_tier() {
    const END: i32 = 50_000;
    let mut seen = Vec::new();
    for tier in Tier::ALL {
        let mut vm = machine(COUNTING, tier);
        let place = place_of(&vm, Op::Nop);
        vm.set_probe(place);
        vm.set_rule(place, only_if(stored(-1)));
        invoke(&mut vm, &[Value::I32(END)]);
        let end = Exit::Finished(vec![Value::F64((f64::from(END) / 4.0).to_bits())]);
        assert_eq!(vm.run(RunLimit::default()), end, "{tier:?}");

        vm.set_rule(place, only_if(stored(3 * 43_210)));
        invoke(&mut vm, &[Value::I32(END)]);
        assert_eq!(vm.run(RunLimit::default()), Exit::Probe, "{tier:?}");
        assert_eq!(vm.local(0, 1), Some(Value::I32(43_210)), "{tier:?}");
        seen.push((vm.time(), vm.local(0, 2)));
        assert_eq!(vm.run(RunLimit::default()), end, "{tier:?}");

        // What cannot be evaluated is for whoever set it.
        let beyond = Condition::Load {
            memory: 0,
            address: Box::new(Condition::Constant(65_533)),
            bytes: 4,
            is_signed: false,
        };
        vm.set_rule(place, only_if(beyond));
        invoke(&mut vm, &[Value::I32(END)]);
        assert_eq!(vm.run(RunLimit::default()), Exit::Probe, "{tier:?}");
        vm.clear_probe(place);
        assert_eq!(vm.run(RunLimit::default()), end, "{tier:?}");
        assert_compiled(&vm);
    }
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
}

/// A rule with nothing but a condition.
fn only_if(condition: Condition) -> ProbeRule {
    ProbeRule {
        condition: Some(condition),
        ..ProbeRule::default()
    }
}

/// Where the first hit is of a condition at the `nop`, and how the run ends.
fn first_hit(tier: Tier, condition: Condition) -> (Exit, Option<Value>) {
    let mut vm = machine(COUNTING, tier);
    let place = place_of(&vm, Op::Nop);
    vm.set_probe(place);
    vm.set_rule(place, only_if(condition));
    invoke(&mut vm, &[Value::I32(20_000)]);
    let exit = vm.run(RunLimit::default());
    assert_compiled(&vm);
    let at = (exit == Exit::Probe).then(|| vm.local(0, 1)).flatten();
    (exit, at)
}

#[test]
fn divisions_and_floats_in_conditions_decide_alike_in_every_tier() {
    use ConditionOp as O;
    let constant = |value: i64| Condition::Constant(value);
    let count = || Condition::Local(1);
    let negative = || binary(O::Sub, constant(-7), count());
    let by = |op: ConditionOp| {
        binary(
            op,
            constant(i64::MIN),
            binary(O::Sub, count(), constant(801)),
        )
    };
    let promoted = |bits: f32| {
        let bits = Box::new(Condition::Constant(i64::from(bits.to_bits())));
        Condition::Convert(ConditionConversion::Promote, bits)
    };
    let float = |value: f64| constant(value.to_bits().cast_signed());
    for (condition, wanted) in [
        (
            binary(
                O::Eq,
                binary(O::RemS, negative(), constant(1000)),
                constant(-500),
            ),
            Some(493),
        ),
        (
            binary(
                O::Eq,
                binary(O::DivS, negative(), constant(9)),
                constant(-100),
            ),
            Some(893),
        ),
        (
            binary(
                O::Eq,
                binary(O::DivU, negative(), constant(2)),
                constant(i64::MAX - 49),
            ),
            Some(92),
        ),
        (
            binary(
                O::Eq,
                binary(O::RemU, negative(), constant(1 << 40)),
                constant((1 << 40) - 99),
            ),
            Some(92),
        ),
        // What has no value is for whoever set it: here the divisor is -1 in round 800, and 0 in round 801.
        (binary(O::Eq, by(O::DivS), constant(3)), Some(800)),
        (binary(O::Eq, by(O::RemS), constant(3)), Some(800)),
        (binary(O::Eq, by(O::DivU), constant(3)), Some(801)),
        (binary(O::Eq, by(O::RemU), constant(-3)), Some(801)),
        (
            binary(O::FloatGt, Condition::Local(2), float(99.9)),
            Some(399),
        ),
        (
            binary(
                O::FloatGe,
                binary(O::FloatDiv, Condition::Local(2), promoted(2.5)),
                promoted(40.0),
            ),
            Some(399),
        ),
        (
            binary(
                O::FloatEq,
                Condition::Convert(ConditionConversion::FloatFromSigned, Box::new(count())),
                float(77.0),
            ),
            Some(77),
        ),
        (
            binary(O::FloatLt, Condition::Local(2), float(f64::NAN)),
            None,
        ),
    ] {
        let expected = first_hit(Tier::Classic, condition.clone());
        assert_eq!(expected.1, wanted.map(Value::I32), "{condition:?}");
        for tier in Tier::ALL {
            assert_eq!(
                first_hit(tier, condition.clone()),
                expected,
                "{tier:?} {condition:?}"
            );
        }
    }
}

#[test]
fn a_fault_is_found_at_its_instruction() {
    // Each round leaves other values behind, and the last one reads beyond the memory.
    const TEXT: &str = r#"(module
        (memory 1)
        (func $read (param $address i32) (param $seen i64) (result i64) (local $twice i64)
            (local.set $twice (i64.mul (local.get $seen) (i64.const 2)))
            (i64.add (local.get $twice) (i64.load (local.get $address))))
        (func (export "f") (param $step i32) (result i64) (local $address i32) (local $sum i64)
            (loop $again
                (i64.store (local.get $address) (local.get $sum))
                (local.set $sum (i64.add (local.get $sum) (call $read
                    (i32.add (local.get $address) (local.get $step)) (local.get $sum))))
                (local.set $address (i32.add (local.get $address) (i32.const 8)))
                (br $again))
            (local.get $sum)))"#;
    let trapped = |tier: Tier, bounds: Bounds| {
        let config = Config {
            tier,
            bounds,
            ..Config::default()
        };
        let mut vm = machine_with(TEXT, config);
        invoke(&mut vm, &[Value::I32(1)]);
        let exit = vm.run(RunLimit::default());
        let Exit::Trap(trap) = &exit else {
            panic!("it ended with {exit:?}");
        };
        assert_eq!(trap.kind, TrapKind::MemoryOutOfBounds);
        let locals: Vec<_> = (0..2)
            .flat_map(|frame| (0..3).map(move |index| (frame, index)))
            .map(|(frame, index)| vm.local(frame, index))
            .collect();
        let operands = [vm.operand(0, 0), vm.operand(0, 1), vm.operand(1, 0)];
        let memory = vm.memory(INSTANCE, 0).expect("there is one").to_vec();
        assert_compiled(&vm);
        (exit, vm.time(), locals, operands, memory)
    };
    let expected = trapped(Tier::Classic, Bounds::Guard);
    for tier in compiled_tiers() {
        for bounds in [Bounds::Guard, Bounds::Explicit] {
            assert_eq!(trapped(tier, bounds), expected, "{tier:?} {bounds:?}");
        }
    }
}

#[test]
fn compiling_answers_an_interrupt() {
    let mut text = String::from(
        r#"(module (func (export "f") (param $x i64) (result i64) (local $round i32) (loop $again"#,
    );
    for number in 0..6_000 {
        text += &format!(
            "(if (i64.lt_s (local.get $x) (i64.const {number})) (then \
             (local.set $x (i64.mul (local.get $x) (i64.const {})))))\n",
            number | 1
        );
    }
    text += "(br_if $again (i32.lt_u \
        (local.tee $round (i32.add (local.get $round) (i32.const 1))) (i32.const 3))))\
        (local.get $x)))";
    let result = |vm: &mut Vm| match vm.run(RunLimit::default()) {
        Exit::Finished(values) => values,
        exit => panic!("{exit:?}"),
    };
    let mut classic = machine(&text, Tier::Classic);
    invoke(&mut classic, &[Value::I64(7)]);
    let expected = result(&mut classic);
    for tier in [Tier::Jit, Tier::Opt] {
        let mut vm = machine(&text, tier);
        invoke(&mut vm, &[Value::I64(7)]);
        let interrupt = vm.interrupt();
        // Compiling takes much longer than that, and the program much less.
        let raiser = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            interrupt.raise();
        });
        assert_eq!(vm.run(RunLimit::default()), Exit::Interrupted, "{tier:?}");
        assert_eq!(vm.frame_count(), 1);
        raiser.join().expect("it does not panic");
        assert_eq!(result(&mut vm), expected, "{tier:?}");
        assert_compiled(&vm);
    }
}

#[test]
fn bulk_instructions_stop_where_they_write_what_is_watched() {
    const TEXT: &str = r#"(module
        (memory 1)
        (data $bytes "\01\02\03\04")
        (func (export "f") (param $round i32)
            (loop $again
                (memory.fill (local.get $round) (i32.const 7) (i32.const 3))
                (memory.copy (i32.add (local.get $round) (i32.const 100)) (i32.const 0) (i32.const 8))
                (memory.init $bytes (i32.add (local.get $round) (i32.const 200)) (i32.const 0) (i32.const 4))
                (br_if $again
                    (i32.lt_u (local.tee $round (i32.add (local.get $round) (i32.const 1))) (i32.const 400))))))"#;
    let stops = |tier: Tier| {
        let mut vm = machine(TEXT, tier);
        let watch = |id: u32, start: u64| Watch {
            id,
            target: WatchTarget::Memory {
                instance: INSTANCE,
                memory: 0,
                range: start..start + 8,
            },
            kind: WatchKind::Change,
            scope: None,
        };
        vm.set_watches(vec![watch(0, 150), watch(1, 300)]);
        invoke(&mut vm, &[Value::I32(0)]);
        let mut stops = Vec::new();
        loop {
            match vm.run(RunLimit::default()) {
                Exit::Watch(hits) => stops.push((vm.time(), hits)),
                Exit::Finished(_) => return stops,
                exit => panic!("{exit:?}"),
            }
        }
    };
    let expected = stops(Tier::Classic);
    assert!(expected.len() > 20, "{}", expected.len());
    for tier in [Tier::Fast].into_iter().chain(compiled_tiers()) {
        assert_eq!(stops(tier), expected, "{tier:?}");
    }
}

#[test]
fn a_rule_at_the_beginning_of_a_loop_is_followed_in_machine_code() {
    const END: i32 = 200_000;
    let never = binary(
        ConditionOp::Eq,
        Condition::Local(1),
        Condition::Constant(-1),
    );
    for tier in [Tier::Jit, Tier::Opt] {
        let mut vm = machine(COUNTING, tier);
        let mut place = place_of(&vm, Op::Loop);
        let (instance, index) = (place.instance, 0);
        let mut instructions = vm.module(instance).instructions(FuncIndex(index));
        let first = instructions.find(|it| it.pc > place.pc);
        place.pc = first.expect("the loop has a body").pc;
        vm.set_probe(place);
        let condition = Some(never.clone());
        vm.set_rule(
            place,
            ProbeRule {
                condition,
                ..ProbeRule::default()
            },
        );
        invoke(&mut vm, &[Value::I32(END)]);
        // Every run goes on within the loop.
        loop {
            let limit = RunLimit {
                tick: Some(vm.time().tick + 1_000),
                ..RunLimit::default()
            };
            match vm.run(limit) {
                Exit::Tick => {}
                Exit::Finished(_) => break,
                exit => panic!("{exit:?}"),
            }
        }
        let stats = vm.tier_stats();
        let fast = stats.iter().find(|stats| stats.tier == Tier::Fast);
        let ticks = fast.expect("there is one").ticks;
        assert!(ticks < END as u64 / 10, "{tier:?}: {ticks} in fast");
    }
}

#[test]
fn a_probe_set_after_an_interrupt_is_not_met_before_the_next_arrival() {
    for tier in Tier::ALL {
        let mut vm = machine(COUNTING, tier);
        invoke(&mut vm, &[Value::I32(10)]);
        vm.interrupt().raise();
        assert_eq!(vm.run(RunLimit::default()), Exit::Interrupted);
        let place = place_of(&vm, Op::Loop);
        vm.set_probe(place);
        let exit = vm.run(RunLimit::default());
        assert!(matches!(exit, Exit::Finished(_)), "{tier:?}: {exit:?}");
    }
}

#[test]
fn frames_with_many_locals_fit_into_the_native_stack() {
    let mut text = String::from(
        r#"(module (func $f (export "f") (param $depth i32) (result i64) (local i64 i64"#,
    );
    text += &" i64".repeat(20_000);
    text += r#")
        (local.set 20001 (i64.extend_i32_u (local.get $depth)))
        (local.set 3 (i64.add (local.get 20001) (i64.const 5)))
        (if (i32.eqz (local.get $depth)) (then (return (i64.const 1))))
        (i64.add (i64.add (local.get 3) (local.get 20001))
            (call $f (i32.sub (local.get $depth) (i32.const 1))))))"#;
    let end = |tier: Tier| {
        let mut vm = machine(&text, tier);
        invoke(&mut vm, &[Value::I32(100)]);
        let exit = vm.run(RunLimit::default());
        assert_compiled(&vm);
        exit
    };
    let expected = end(Tier::Classic);
    assert!(matches!(expected, Exit::Finished(_)), "{expected:?}");
    for tier in compiled_tiers() {
        assert_eq!(end(tier), expected, "{tier:?}");
    }
}

#[test]
fn a_module_without_functions_is_run() {
    let end = |tier: Tier, compile: Compile| {
        let config = Config {
            tier,
            compile,
            ..Config::default()
        };
        machine_with("(module)", config).run(RunLimit::default())
    };
    let expected = end(Tier::Classic, Compile::Lazy);
    for tier in Tier::ALL {
        for compile in [Compile::Lazy, Compile::Eager] {
            assert_eq!(end(tier, compile), expected, "{tier:?}");
        }
    }
}

#[test]
fn operands_below_loops_are_kept_where_code_goes_on_with_a_frame() {
    const TEXT: &str = r#"(module (func (export "f") (param $n i32) (result i64)
        (local $i i32) (local $round i32) (local $x i64)
        i64.const 0x123456789abc
        f64.const 2.5
        loop $outer (result i64)
            i32.const 9
            loop $inner (result i64)
                (local.tee $i (i32.add (local.get $i) (i32.const 1)))
                (i32.lt_u (local.get $n))
                (br_if $inner)
                i64.const 5
            end
            local.set $x
            i64.extend_i32_u
            (local.set $i (i32.const 0))
            (local.set $round (i32.add (local.get $round) (i32.const 1)))
            (br_if $outer (i32.lt_u (local.get $round) (i32.const 40)))
        end
        (i64.add (local.get $x))
        local.set $x
        i64.trunc_f64_s
        i64.add
        local.get $x
        i64.add))"#;
    let stops = |tier: Tier| {
        let mut vm = machine(TEXT, tier);
        invoke(&mut vm, &[Value::I32(30)]);
        let mut stops = Vec::new();
        loop {
            let tick = Some(vm.time().tick + 11);
            let limit = RunLimit {
                tick,
                ..RunLimit::default()
            };
            let exit = vm.run(limit);
            if exit != Exit::Tick {
                assert_compiled(&vm);
                return (stops, exit);
            }
            let shape = vm.shape(0).expect("it has a frame");
            let operands = shape.operands.iter().map(|slot| vm.slot_value(0, *slot));
            stops.push((vm.time(), operands.collect::<Vec<_>>()));
        }
    };
    let expected = stops(Tier::Classic);
    for tier in compiled_tiers() {
        assert_eq!(stops(tier), expected, "{tier:?}");
    }
}

/// Branches out of a function lead to its last instruction; a return does not.
#[test]
fn probes_at_the_last_instruction_are_met_by_branches_out_of_the_function() {
    const TEXT: &str = r#"(module (func (export "f") (param $way i32) (result i64)
        i32.const 7
        block $table
            block $return
                local.get $way
                br_table $return $table
            end
            i64.const 1
            i64.const 2
            return
        end
        drop
        i32.const 8
        block (result i64)
            i64.const 3
            i64.const 4
            local.get $way
            i32.const 2
            i32.eq
            br_if 1
            drop
        end
        br 0))"#;
    for way in 0..4 {
        let stops = |tier: Tier| {
            let mut vm = machine(TEXT, tier);
            let func = vm.module(INSTANCE).instructions(FuncIndex(0));
            let place = CodeAddress {
                instance: INSTANCE,
                pc: func.last().expect("an end").pc,
            };
            vm.set_probe(place);
            invoke(&mut vm, &[Value::I32(way)]);
            let mut stops = Vec::new();
            loop {
                let exit = vm.run(RunLimit::default());
                if exit != Exit::Probe {
                    assert_compiled(&vm);
                    return (stops, exit);
                }
                stops.push((vm.time(), vm.shape(0).map(|shape| shape.operands.len())));
            }
        };
        let expected = stops(Tier::Classic);
        assert_eq!(expected.0.len(), usize::from(way != 0), "way {way}");
        for tier in Tier::ALL {
            assert_eq!(stops(tier), expected, "{tier:?}, way {way}");
        }
    }
}

/// Code knows where the watches lie that it was made for.
#[test]
fn watches_elsewhere_are_met_by_code_that_was_made_for_others() {
    const TEXT: &str = r#"(module
        (memory 1)
        (func (export "f") (param $value i32) (local $at i32)
            (loop $round
                (local.set $at (i32.const 0))
                (loop $next
                    (i32.store8 (local.get $at) (local.get $value))
                    (br_if $next
                        (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (i32.const 2000))))
                (br_if $round (local.tee $value (i32.sub (local.get $value) (i32.const 1)))))))"#;
    let stops = |tier: Tier| {
        let mut vm = machine(TEXT, tier);
        invoke(&mut vm, &[Value::I32(6)]);
        let mut stops = Vec::new();
        for starts in [[700, 700], [1500, 1500], [100, 1600], [700, 800], [1900, 3]] {
            let watch = |(id, start): (u32, u64)| Watch {
                id,
                target: WatchTarget::Memory {
                    instance: INSTANCE,
                    memory: 0,
                    range: start..start + 2,
                },
                kind: WatchKind::Change,
                scope: None,
            };
            vm.set_watches((0..).zip(starts).map(watch).collect());
            for _ in 0..3 {
                stops.push((vm.run(RunLimit::default()), vm.time()));
            }
        }
        stops
    };
    let expected = stops(Tier::Classic);
    assert!(
        expected
            .iter()
            .all(|(exit, _)| matches!(exit, Exit::Watch(_)))
    );
    for tier in Tier::ALL {
        assert_eq!(stops(tier), expected, "{tier:?}");
    }
}

/// Between two pieces of code an interpreter may go on, and memories and tables grow.
#[test]
fn sizes_that_an_interpreter_changes_are_seen_by_code() {
    const TEXT: &str = r#"(module
        (tag $thrown)
        (memory 1)
        (table $table 1 funcref)
        (func $sizes (result i32)
            (i32.add (memory.size) (i32.mul (table.size $table) (i32.const 1000))))
        (func (export "f") (param $value i32) (result i32)
            (block $caught
                (try_table (catch $thrown $caught) (throw $thrown)))
            (drop (memory.grow (i32.const 1)))
            (drop (table.grow $table (ref.null func) (i32.const 5000)))
            (call $sizes)))"#;
    for tier in Tier::ALL {
        let mut vm = machine(TEXT, tier);
        for round in 1..=3 {
            invoke(&mut vm, &[Value::I32(0)]);
            let size = 1 + round + 1000 * (1 + 5000 * round);
            let exit = vm.run(RunLimit::default());
            assert_eq!(exit, Exit::Finished(vec![Value::I32(size)]), "{tier:?}");
        }
    }
}

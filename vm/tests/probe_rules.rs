//! What probes count and write down is the same in every tier, however the run is broken up, and stands in its place between the calls
//! of the host.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::random::Random;
use support::{BUSY, Counter, INSTANCE, invoke};
use wdb_vm::address::{CodeAddress, FuncIndex};
use wdb_vm::captured::{CaptureRecord, CaptureSink};
use wdb_vm::exit::Exit;
use wdb_vm::host::{Host, HostCall, HostFunc, HostOutcome};
use wdb_vm::isa::Op;
use wdb_vm::machine::Time;
use wdb_vm::module::Module;
use wdb_vm::tier::Tier;
use wdb_vm::value::Value;
use wdb_vm::vm::{Config, RunLimit, Vm};
use wdb_vm::watch::{Watch, WatchKind, WatchTarget};
use wdb_vm::{
    CAPTURED_VALUES_MAX, Capture, Condition, ConditionConversion, ConditionOp, FuncType,
    HitCounter, ProbeRule,
};

/// What can be seen of a run, in its order.
#[derive(Clone, PartialEq, Debug)]
enum Seen {
    HostCall(u64),
    Record(u32, u64, Vec<u64>),
    Stop(Time, Vec<HitCounter>),
    End(Exit, Time, Vec<HitCounter>),
}

type Story = Arc<Mutex<Vec<Seen>>>;

/// A host whose calls are seen.
struct Told(Counter, Story);

impl Host for Told {
    fn resolve(&self, module: &str, name: &str) -> Option<HostFunc> {
        self.0.resolve(module, name)
    }

    fn name(&self, func: HostFunc) -> String {
        self.0.name(func)
    }

    fn func_type(&self, func: HostFunc) -> FuncType {
        self.0.func_type(func)
    }

    fn call(&mut self, func: HostFunc, call: &mut HostCall<'_>) -> HostOutcome {
        let outcome = self.0.call(func, call);
        if let HostOutcome::Return(results) = &outcome {
            self.1
                .lock()
                .expect("no panic")
                .push(Seen::HostCall(results[0]));
        }
        outcome
    }
}

struct Sink(Story);

impl CaptureSink for Sink {
    fn take(&mut self, record: CaptureRecord<'_>) {
        let seen = Seen::Record(record.tag, record.tick, record.values.to_vec());
        self.0.lock().expect("no panic").push(seen);
    }
}

/// Functions of [`BUSY`].
const ADD: FuncIndex = FuncIndex(1);
const MIX: FuncIndex = FuncIndex(2);
const FIB: FuncIndex = FuncIndex(5);
const MAIN: FuncIndex = FuncIndex(6);

/// The counters of the rules.
const OF_FIB: u32 = 0;
const OF_OPERATIONS: u32 = 3;
const OF_MAIN: u32 = 1;
const COUNTERS: [u32; 3] = [OF_FIB, OF_OPERATIONS, OF_MAIN];

fn binary(op: ConditionOp, left: Condition, right: Condition) -> Condition {
    Condition::Binary(op, Box::new(left), Box::new(right))
}

fn machine(tier: Tier, story: &Story) -> Vm {
    let module = Module::parse(BUSY.as_bytes().to_vec(), None).expect("it is valid");
    let host = Told(Counter(100), story.clone());
    let config = Config {
        tier,
        ..Config::default()
    };
    let mut vm =
        Vm::new(&module, Box::new(host), Arc::default(), config).expect("it can be linked");
    vm.set_capture_sink(Some(Box::new(Sink(story.clone()))));
    vm
}

fn set(vm: &mut Vm, func: FuncIndex, op: Option<Op>, rule: ProbeRule) {
    let mut instructions = vm.module(INSTANCE).instructions(func);
    let found = instructions.find(|it| op.is_none_or(|op| it.op == op));
    let place = CodeAddress {
        instance: INSTANCE,
        pc: found.expect("there is one").pc,
    };
    vm.set_probe(place);
    vm.set_rule(place, rule);
}

/// A stop that passes over arrivals, one counter for two functions that write down, and texts in the loop from the hundredth round on.
fn set_rules(vm: &mut Vm) {
    let odd = binary(
        ConditionOp::And,
        Condition::Local(0),
        Condition::Constant(1),
    );
    let stop = ProbeRule {
        condition: Some(odd),
        counter: Some(OF_FIB),
        capture: None,
    };
    set(vm, FIB, None, stop);
    vm.set_counter(
        OF_FIB,
        HitCounter {
            hits: 0,
            ignored: 700,
        },
    );
    let load = Condition::Load {
        memory: 0,
        address: Box::new(Condition::Constant(16)),
        bytes: 4,
        is_signed: true,
    };
    for (tag, func) in [(7, ADD), (70_000, MIX)] {
        let values = vec![Condition::Local(0), Condition::Local(1), load.clone()];
        let written = ProbeRule {
            condition: None,
            counter: Some(OF_OPERATIONS),
            capture: Some(Capture { tag, values }),
        };
        set(vm, func, None, written);
    }
    // In round 1234 the quotient has no value.
    let from = binary(
        ConditionOp::Sub,
        Condition::Local(1),
        Condition::Constant(1234),
    );
    let quotient = binary(ConditionOp::DivS, Condition::Constant(1000), from);
    let mut values = vec![Condition::Local(1); CAPTURED_VALUES_MAX - 1];
    values.push(quotient);
    let written = ProbeRule {
        condition: None,
        counter: Some(OF_MAIN),
        capture: Some(Capture { tag: 1, values }),
    };
    set(vm, MAIN, Some(Op::BrTable), written);
    vm.set_counter(
        OF_MAIN,
        HitCounter {
            hits: 0,
            ignored: 100,
        },
    );
}

/// How a run is broken up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Breaks {
    None,
    Ticks,
    Interrupts,
    TiersAndTicks,
    Watched,
}

const ROUNDS: i32 = 3000;

fn story_of(tier: Tier, breaks: Breaks) -> Vec<Seen> {
    let story = Story::default();
    let mut vm = machine(tier, &story);
    set_rules(&mut vm);
    if breaks == Breaks::Watched {
        let target = WatchTarget::Memory {
            instance: INSTANCE,
            memory: 0,
            range: 0x4000..0x4004,
        };
        let watch = Watch {
            id: 1,
            kind: WatchKind::Access,
            target,
            scope: None,
        };
        vm.set_watches(vec![watch]);
    }
    invoke(&mut vm, "main", &[Value::I32(ROUNDS)]);
    let mut random = Random::new();
    let interrupt = vm.interrupt();
    let raiser = (breaks == Breaks::Interrupts).then(|| {
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            while receiver.recv_timeout(Duration::from_micros(300))
                == Err(std::sync::mpsc::RecvTimeoutError::Timeout)
            {
                interrupt.raise();
            }
        });
        (sender, thread)
    });
    let counters = |vm: &Vm| COUNTERS.map(|number| vm.counter(number)).to_vec();
    let mut probe_at_start = true;
    let mut stops = 0;
    loop {
        let is_limited = matches!(breaks, Breaks::Ticks | Breaks::TiersAndTicks);
        let tick = is_limited.then(|| vm.time().tick + 1 + random.below(3000));
        let exit = vm.run(RunLimit {
            tick,
            probe_at_start,
            ..RunLimit::default()
        });
        if breaks == Breaks::TiersAndTicks {
            vm.set_tier(Tier::ALL[random.below(Tier::ALL.len() as u64) as usize]);
        }
        probe_at_start = matches!(exit, Exit::Tick | Exit::Watch(_));
        match exit {
            Exit::Probe => {
                let seen = Seen::Stop(vm.time(), counters(&vm));
                story.lock().expect("no panic").push(seen);
                // As a debugger does: the stop is a hit, and some more are passed over.
                stops += 1;
                let counter = vm.counter(OF_FIB);
                let hits = counter.hits + 1;
                let ignored = hits + [0, 1, 40, 3000][stops % 4];
                vm.set_counter(OF_FIB, HitCounter { hits, ignored });
            }
            Exit::Tick | Exit::Watch(_) | Exit::Interrupted => {}
            exit => {
                let end = Seen::End(exit, vm.time(), counters(&vm));
                story.lock().expect("no panic").push(end);
                break;
            }
        }
    }
    if let Some((sender, thread)) = raiser {
        drop(sender);
        thread.join().expect("no panic");
    }
    drop(vm);
    story.lock().expect("no panic").split_off(0)
}

fn assert_same(found: &[Seen], expected: &[Seen], what: &str) {
    let differs = found.iter().zip(expected).position(|(a, b)| a != b);
    if let Some(at) = differs {
        panic!(
            "{what}: number {at} is {:?}, not {:?}",
            found[at], expected[at]
        );
    }
    assert_eq!(found.len(), expected.len(), "{what}");
}

#[test]
fn counts_and_captures_are_the_same_in_every_tier() {
    let expected = story_of(Tier::Classic, Breaks::None);
    let count = |is_meant: fn(&Seen) -> bool| expected.iter().filter(|seen| is_meant(seen)).count();
    assert!(count(|seen| matches!(seen, Seen::HostCall(_))) > 50);
    assert!(count(|seen| matches!(seen, Seen::Stop(..))) > 10);
    assert!(count(|seen| matches!(seen, Seen::Record(1, ..))) == ROUNDS as usize - 101);
    assert!(count(|seen| matches!(seen, Seen::Record(70_000, ..))) == ROUNDS as usize / 3);
    assert!(matches!(
        expected.last(),
        Some(Seen::End(Exit::Finished(_), ..))
    ));
    for tier in Tier::ALL {
        for breaks in [
            Breaks::None,
            Breaks::Ticks,
            Breaks::TiersAndTicks,
            Breaks::Watched,
        ] {
            let found = story_of(tier, breaks);
            assert_same(&found, &expected, &format!("{tier:?} {breaks:?}"));
        }
    }
}

#[test]
fn an_interrupt_loses_no_hit_and_no_record() {
    let expected = story_of(Tier::Classic, Breaks::None);
    for tier in Tier::ALL {
        let found = story_of(tier, Breaks::Interrupts);
        assert_same(&found, &expected, &format!("{tier:?}"));
    }
}

#[test]
fn machine_code_is_not_left_to_count_and_to_capture() {
    const ROUNDS: i32 = 20_000;
    for tier in Tier::ALL.into_iter().filter(|tier| tier.is_compiled()) {
        let story = Story::default();
        let mut vm = machine(tier, &story);
        let capture = Capture {
            tag: 1,
            values: vec![Condition::Local(1)],
        };
        let written = ProbeRule {
            counter: Some(0),
            capture: Some(capture),
            ..ProbeRule::default()
        };
        set(&mut vm, MAIN, Some(Op::BrTable), written);
        let ignored = ProbeRule {
            counter: Some(1),
            ..ProbeRule::default()
        };
        set(&mut vm, FIB, None, ignored);
        vm.set_counter(
            1,
            HitCounter {
                hits: 0,
                ignored: u64::MAX,
            },
        );
        // `auto` begins in the fast tier, and has code as soon as another thread has made it.
        let runs_max = if tier == Tier::Auto { 500 } else { 1 };
        let mut before = (0, 0);
        for run in 1.. {
            invoke(&mut vm, "main", &[Value::I32(ROUNDS)]);
            assert!(matches!(vm.run(RunLimit::default()), Exit::Finished(_)));
            assert_eq!(vm.counter(0).hits, run * ROUNDS as u64);
            assert!(vm.counter(1).hits > run * ROUNDS as u64);
            let now = ticks_of(&vm);
            let (fast, all) = (now.0 - before.0, now.1 - before.1);
            before = now;
            // What was left would be gone on with by the fast tier up to the next tick at least.
            if fast < all / 50 {
                break;
            }
            assert!(run < runs_max, "{tier:?}: {fast} of {all} ticks");
        }
        let mut fallbacks = vm.tier_stats().into_iter().flat_map(|it| it.fallbacks);
        assert!(fallbacks.next().is_none());
    }
}

/// The ticks that passed in the fast tier, and all.
fn ticks_of(vm: &Vm) -> (u64, u64) {
    let stats = vm.tier_stats();
    let fast = stats.iter().find(|stats| stats.tier == Tier::Fast);
    let all = stats.iter().map(|stats| stats.ticks).sum();
    (fast.expect("every tier is listed").ticks, all)
}

/// Counts up in memory from small negative numbers, with a float beside.
const COUNTING: &str = r#"(module
    (memory 1)
    (global $g (mut i64) (i64.const 3))
    (func (export "f") (param $end i32) (local $i i32) (local $x f64)
        (local.set $i (i32.const -20))
        (loop $again
            (local.set $x (f64.add (local.get $x) (f64.const -0.25)))
            (i32.store (i32.const 16) (i32.mul (local.get $i) (i32.const -3)))
            (global.set $g (i64.mul (global.get $g) (i64.const -7)))
            (nop)
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_s (local.get $i) (local.get $end))))))"#;

/// An expression with every kind of part.
fn random_condition(random: &mut Random, depth: u32) -> Condition {
    use ConditionConversion as C;
    use ConditionOp as O;
    const OPS: [ConditionOp; 33] = [
        O::Add,
        O::Sub,
        O::Mul,
        O::DivS,
        O::DivU,
        O::RemS,
        O::RemU,
        O::And,
        O::Or,
        O::Xor,
        O::Shl,
        O::ShrS,
        O::ShrU,
        O::Eq,
        O::Ne,
        O::LtS,
        O::LtU,
        O::LeS,
        O::LeU,
        O::GtS,
        O::GtU,
        O::GeS,
        O::GeU,
        O::FloatAdd,
        O::FloatSub,
        O::FloatMul,
        O::FloatDiv,
        O::FloatEq,
        O::FloatNe,
        O::FloatLt,
        O::FloatLe,
        O::FloatGt,
        O::FloatGe,
    ];
    const CONVERSIONS: [ConditionConversion; 4] = [
        C::FloatFromSigned,
        C::FloatFromUnsigned,
        C::Promote,
        C::Demote,
    ];
    const CONSTANTS: [i64; 11] = [
        0,
        1,
        -1,
        16,
        7,
        i64::MIN,
        i64::MAX,
        0x3fe0_0000_0000_0000,
        0x4008_0000,
        i32::MIN as i64,
        u32::MAX as i64,
    ];
    let constant = |random: &mut Random| Condition::Constant(CONSTANTS[random.below(11) as usize]);
    if depth == 0 {
        return match random.below(4) {
            0 => constant(random),
            1 => Condition::Global(0),
            _ => Condition::Local(random.below(3) as u32),
        };
    }
    let is_signed = random.below(2) == 0;
    let mut part = || Box::new(random_condition(random, depth - 1));
    let (first, second) = (part(), part());
    let bytes = 1 << random.below(4);
    match random.below(13) {
        0 => Condition::Load {
            memory: 0,
            address: Box::new(Condition::Binary(
                O::And,
                first,
                Box::new(Condition::Constant(0x1_001f)),
            )),
            bytes,
            is_signed,
        },
        1 => Condition::Extend {
            value: first,
            bits: 8 << random.below(3),
            is_signed,
        },
        2 => Condition::Convert(CONVERSIONS[random.below(4) as usize], first),
        3 => Condition::Not(first),
        4 => Condition::Unless(first, second),
        5 => Condition::And(first, second),
        6 => Condition::Or(first, second),
        7 => {
            let low = Condition::Extend {
                value: first,
                bits: 32,
                is_signed,
            };
            let op = OPS[random.below(OPS.len() as u64) as usize];
            Condition::Binary(op, Box::new(low), Box::new(constant(random)))
        }
        _ => Condition::Binary(OPS[random.below(OPS.len() as u64) as usize], first, second),
    }
}

/// How often a condition holds, and where it has no value.
fn times_of(tier: Tier, condition: &Condition) -> (u64, Vec<u64>) {
    let config = Config {
        tier,
        ..Config::default()
    };
    let mut vm = support::machine_with(COUNTING, config);
    let rule = ProbeRule {
        condition: Some(condition.clone()),
        counter: Some(2),
        capture: None,
    };
    set(&mut vm, FuncIndex(0), Some(Op::Nop), rule);
    vm.set_counter(
        2,
        HitCounter {
            hits: 0,
            ignored: u64::MAX,
        },
    );
    invoke(&mut vm, "f", &[Value::I32(60)]);
    let mut stops = Vec::new();
    while vm.run(RunLimit::default()) == Exit::Probe {
        stops.push(vm.time().tick);
    }
    let mut fallbacks = vm
        .tier_stats()
        .into_iter()
        .flat_map(|stats| stats.fallbacks);
    assert!(fallbacks.next().is_none());
    (vm.counter(2).hits, stops)
}

#[test]
fn any_condition_holds_equally_often_in_every_tier() {
    let mut random = Random::new();
    let mut holding = 0;
    for _ in 0..200 {
        let condition = random_condition(&mut random, 4);
        let expected = times_of(Tier::Classic, &condition);
        holding += u32::from(expected.0 > 0 && expected.0 < 80);
        for tier in [Tier::Jit, Tier::Opt] {
            let (hits, stops) = times_of(tier, &condition);
            assert_eq!((hits, stops), expected, "{tier:?} {condition:?}");
        }
    }
    assert!(
        holding > 10,
        "the conditions are of some interest: {holding}"
    );
}

#[test]
fn calls_that_a_person_makes_count_nothing() {
    for tier in Tier::ALL {
        let story = Story::default();
        let mut vm = machine(tier, &story);
        set_rules(&mut vm);
        vm.set_counter(OF_MAIN, HitCounter::default());
        invoke(&mut vm, "main", &[Value::I32(ROUNDS)]);
        assert_eq!(vm.run(RunLimit::default()), Exit::Probe, "{tier:?}");
        let before = COUNTERS.map(|number| vm.counter(number));
        let seen = story.lock().expect("no panic").len();
        let add = vm.func_addr(INSTANCE, ADD).expect("there is one");
        let suspended = vm.begin_call(add, &[Value::I32(3), Value::I32(4)]);
        let suspended = suspended.expect("the arguments fit");
        let exit = vm.run(RunLimit {
            probe_at_start: true,
            ..RunLimit::default()
        });
        assert_eq!(exit, Exit::Finished(vec![Value::I32(7)]), "{tier:?}");
        vm.end_call(suspended);
        assert_eq!(COUNTERS.map(|number| vm.counter(number)), before);
        assert_eq!(story.lock().expect("no panic").len(), seen);
    }
}

#[test]
fn comparisons_of_32_bits_with_constants_are_those_of_64() {
    use ConditionOp as O;
    let ops = [
        O::Eq,
        O::Ne,
        O::LtS,
        O::LtU,
        O::LeS,
        O::LeU,
        O::GtS,
        O::GtU,
        O::GeS,
        O::GeU,
    ];
    let low = u32::MAX.into();
    let constants = [0, 5, -5, low - 4, low, i32::MIN.into(), low + 6, i64::MIN];
    for op in ops {
        for is_signed in [false, true] {
            for constant in constants {
                // On either side of zero.
                let value = Condition::Binary(
                    O::Sub,
                    Box::new(Condition::Local(1)),
                    Box::new(Condition::Constant(30)),
                );
                let low = Condition::Extend {
                    value: Box::new(value),
                    bits: 32,
                    is_signed,
                };
                let constant = Box::new(Condition::Constant(constant));
                let condition = Condition::Binary(op, Box::new(low), constant);
                let expected = times_of(Tier::Classic, &condition);
                let times = times_of(Tier::Opt, &condition);
                assert_eq!(times, expected, "{condition:?}");
            }
        }
    }
}

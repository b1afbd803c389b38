//! Every tier runs the same programs alike: the same ends, and the same state at every stop.
//!
//! A machine on the classic tier goes beside one on the tier that is tested. `SEED=n` repeats a failed test.

mod pair;
mod programs;
mod rules;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::sync::Mutex;

use wdb_vm::address::CodeAddress;
use wdb_vm::exit::Exit;
use wdb_vm::tier::{Bounds, Compile, Tier};
use wdb_vm::value::Value;
use wdb_vm::vm::{Config, RunLimit};
use wdb_vm::watch::{Watch, WatchKind, WatchTarget};

use pair::{Pair, instruction_at, place};
use programs::{INSTANCE, Program};
use support::random::Random;

const COMPILE: [Compile; 3] = [Compile::Eager, Compile::Lazy, Compile::LazyTranslation];

/// After so many stops a program has been tested enough.
const STOPS_MAX: usize = 200;

/// The most instructions that are stepped through in one go.
const STEPS_MAX: u64 = 60;

/// Whether a run is over.
fn is_over(exit: &Exit) -> bool {
    !matches!(
        exit,
        Exit::Stepped
            | Exit::Probe
            | Exit::Watch(_)
            | Exit::HostCall(_)
            | Exit::Tick
            | Exit::Interrupted
            | Exit::Throw(_)
            | Exit::Landed(_)
    )
}

/// Runs to the end undisturbed, in each way of compiling.
fn ends_alike(program: &Program, tier: Tier) {
    let [first, others @ ..] = COMPILE;
    let mut pair = Pair::new(program, tier, first);
    let exit = pair.run(RunLimit::default());
    assert!(is_over(&exit), "{program:?} ended with {exit:?}");
    assert!(pair.time().tick > 0);
    let mut fallbacks = pair.fallbacks();
    // Machine code does not know the old proposal for exceptions.
    fallbacks.retain(|reason| !reason.contains("old proposal"));
    assert!(fallbacks.is_empty(), "{program:?}: {fallbacks:?}");
    for compile in others {
        let config = Config {
            tier,
            compile,
            ..Config::default()
        };
        pair.run_another_subject(config, &exit);
    }
    if tier.is_compiled() {
        let config = Config {
            tier,
            bounds: Bounds::Explicit,
            ..Config::default()
        };
        pair.run_another_subject(config, &exit);
    }
}

/// The last tick of a program, which its tests look up again and again.
fn ticks_of(program: &Program) -> u64 {
    static KNOWN: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());
    let name = format!("{program:?}");
    let known = KNOWN.lock().expect("no holder panics").get(&name).copied();
    known.unwrap_or_else(|| {
        let mut guest = program.start(Tier::Classic, Compile::default());
        guest.vm.run(RunLimit::default());
        let ticks = guest.vm.time().tick;
        KNOWN.lock().expect("no holder panics").insert(name, ticks);
        ticks
    })
}

/// Some instructions that a program executes, and some others.
fn places(program: &Program, ticks: u64, random: &mut Random) -> Vec<CodeAddress> {
    const EXECUTED: usize = 24;
    const OTHERS: usize = 24;
    let mut vm = program.start(Tier::Classic, Compile::default()).vm;
    let code = vm.module(INSTANCE).code_section();
    let mut places: Vec<CodeAddress> = (0..OTHERS)
        .filter_map(|_| {
            let offset = code.start + random.below(u64::from(code.end - code.start)) as u32;
            instruction_at(&vm, offset)
        })
        .collect();
    let mut stops: Vec<u64> = (0..EXECUTED).map(|_| random.below(ticks + 1)).collect();
    stops.sort_unstable();
    for tick in stops {
        vm.run(RunLimit {
            tick: Some(tick),
            ..RunLimit::default()
        });
        for _ in 0..random.below(STEPS_MAX) {
            vm.step();
        }
        places.extend(vm.frame(0).map(|frame| place(frame.pc)));
    }
    places
}

/// Stops at probes, some of which come and go.
fn probes_stop_alike(program: &Program, tier: Tier) {
    let mut random = Random::new();
    let ticks = ticks_of(program);
    let places = places(program, ticks, &mut random);
    let mut pair = Pair::new(program, tier, Compile::default());
    places.iter().for_each(|&place| pair.set_probe(place));
    let mut stops = 0;
    while stops < STOPS_MAX {
        let probe_at_start = random.below(10) == 0;
        let exit = pair.run(RunLimit {
            probe_at_start,
            ..RunLimit::default()
        });
        if is_over(&exit) {
            return;
        }
        stops += 1;
        match random.below(12) {
            0 | 1 => pair.toggle_probe(places[random.below(places.len() as u64) as usize]),
            // Hot probes would stop at the beginning again and again.
            2 => {
                places.iter().for_each(|&place| pair.clear_probe(place));
                let tick = pair.time().tick + random.below(ticks / 8 + 2);
                if is_over(&pair.run_to(tick)) {
                    return;
                }
                places.iter().for_each(|&place| pair.set_probe(place));
            }
            3 if pair.step(random.below(STEPS_MAX)).is_some() => return,
            _ => {}
        }
    }
    places.iter().for_each(|&place| pair.clear_probe(place));
    assert!(is_over(&pair.run(RunLimit::default())));
}

/// Stops at ticks.
fn ticks_stop_alike(program: &Program, tier: Tier) {
    let mut random = Random::new();
    let ticks = ticks_of(program);
    let mut stops: Vec<u64> = (0..STOPS_MAX / 2)
        .map(|_| random.below(ticks + 1))
        .collect();
    stops.sort_unstable();
    let mut pair = Pair::new(program, tier, Compile::default());
    for tick in stops {
        for tick in tick..=tick + random.below(3) {
            if is_over(&pair.run_to(tick)) {
                return;
            }
        }
    }
    assert!(is_over(&pair.run(RunLimit::default())));
}

/// Goes on in another tier at random stops of all kinds, by runs and by steps, and back to the past.
fn switches_do_not_matter(program: &Program, tier: Tier) {
    let mut random = Random::new();
    let ticks = ticks_of(program);
    let places = places(program, ticks, &mut random);
    let mut pair = Pair::new(program, tier, Compile::default());
    for _ in 0..STOPS_MAX {
        let tier = Tier::ALL[random.below(Tier::ALL.len() as u64) as usize];
        let compile = COMPILE[random.below(COMPILE.len() as u64) as usize];
        pair.switch(tier, compile);
        // Most stops lie close together, and all of them together reach the end.
        let reach = [4, 64, ticks / 20 + 2][random.below(3) as usize];
        let exit = match random.below(8) {
            0 | 1 => pair.step(random.below(STEPS_MAX)),
            2 => {
                let tiers = Tier::ALL.len() as u64;
                pair.run_ahead(reach, Tier::ALL[random.below(tiers) as usize]);
                None
            }
            3 => {
                pair.toggle_probe(places[random.below(places.len() as u64) as usize]);
                None
            }
            4 => {
                pair.raise_interrupts();
                Some(pair.run(RunLimit::default()))
            }
            _ => Some(pair.run_to(pair.time().tick + random.below(reach))),
        };
        if exit.is_some_and(|exit| is_over(&exit)) {
            return;
        }
    }
    places.iter().for_each(|&place| pair.clear_probe(place));
    assert!(is_over(&pair.run(RunLimit::default())));
}

/// Stops at accesses to what is watched, and before calls of the host.
fn watches_stop_alike(program: &Program, tier: Tier) {
    /// A watched run may take long.
    const TICKS_MAX: u64 = 50_000;
    let mut random = Random::new();
    let ticks = ticks_of(program);
    let mut pair = Pair::new(program, tier, Compile::default());
    if is_over(&pair.run_to(random.below(ticks + 1))) {
        return;
    }
    let targets = targets(&pair, &mut random);
    pair.stop_at_host_calls(random.below(2) == 0);
    pair.set_watches(&targets);
    let end = pair.time().tick + TICKS_MAX.min(ticks);
    for _ in 0..STOPS_MAX / 2 {
        if random.below(4) == 0 {
            let tier = Tier::ALL[random.below(Tier::ALL.len() as u64) as usize];
            pair.switch(tier, Compile::default());
        }
        let exit = pair.run_to(end);
        if exit == Exit::Tick || is_over(&exit) {
            break;
        }
    }
}

/// Watches of what the program is likely to touch next: what its innermost frame names, and memory near it.
fn targets(pair: &Pair, random: &mut Random) -> Vec<Watch> {
    let vm = pair.oracle();
    let module = vm.module(INSTANCE);
    let mut targets = Vec::new();
    let frames = vm.frame_count();
    for number in 0..frames.min(2) {
        let locals = vm.shape(number).map_or(0, |shape| shape.locals.len());
        for index in 0..locals as u32 {
            if random.below(4) != 0 {
                continue;
            }
            let depth = (frames - number) as u32;
            targets.push(WatchTarget::Local { depth, index });
            // Many locals are addresses.
            if let Some(Value::I32(address)) = vm.local(number, index) {
                let start = u64::from(address.cast_unsigned());
                let range = start..start + 1 + random.below(16);
                targets.push(WatchTarget::Memory {
                    instance: INSTANCE,
                    memory: 0,
                    range,
                });
            }
        }
    }
    let globals = 0..module.globals().len() as u32;
    targets.extend(
        globals
            .filter_map(|index| vm.global_addr(INSTANCE, index))
            .map(WatchTarget::Global)
            .take(2),
    );
    let kinds = [WatchKind::Change, WatchKind::Read, WatchKind::Access];
    let has_memory = !module.memories().is_empty();
    targets
        .into_iter()
        .filter(|target| has_memory || !matches!(target, WatchTarget::Memory { .. }))
        .zip(0..)
        .map(|(target, id)| Watch {
            id,
            target,
            kind: kinds[random.below(3) as usize],
            scope: None,
        })
        .collect()
}

/// Goes on with locals and operands that were changed at a stop.
fn edits_are_seen(program: &Program, tier: Tier) {
    let mut random = Random::new();
    let ticks = ticks_of(program);
    let mut pair = Pair::new(program, tier, Compile::default());
    let mut tick = random.below(ticks / 2 + 1);
    for _ in 0..STOPS_MAX / 4 {
        if is_over(&pair.run_to(tick)) || pair.step(random.below(STEPS_MAX)).is_some() {
            return;
        }
        edit(&mut pair, &mut random);
        // A changed program need not end.
        tick = pair.time().tick + random.below(ticks / 50 + 3);
    }
}

/// Changes an integer of one of the inner frames.
fn edit(pair: &mut Pair, random: &mut Random) {
    let frames = pair.oracle().frame_count() as u64;
    if frames == 0 {
        return;
    }
    let number = random.below(frames.min(3)) as usize;
    let shape = pair.oracle().shape(number).expect("there is such a frame");
    let pick = |count: usize, random: &mut Random| random.below(count.max(1) as u64) as usize;
    let changed = |value: Option<Value>| match value {
        Some(Value::I32(value)) => Some(Value::I32(value ^ 1)),
        Some(Value::I64(value)) => Some(Value::I64(value ^ 1)),
        _ => None,
    };
    let is_local = random.below(2) == 0;
    let slots = if is_local {
        &shape.locals
    } else {
        &shape.operands
    };
    let index = pick(slots.len(), random);
    let slot = slots.get(index);
    let value = slot.and_then(|&slot| changed(pair.oracle().slot_value(number, slot)));
    match value {
        Some(value) if is_local => pair.set_local(number, index as u32, value),
        Some(value) => pair.set_operand(number, index as u32, value),
        None => {}
    }
}

/// The tests of one program, or of several, on a tier.
macro_rules! tests_on {
    ($tier:expr) => {
        use super::programs;
        use crate::Tier;

        #[test]
        fn ends_alike() {
            for program in programs() {
                crate::ends_alike(&program, $tier);
            }
        }

        #[test]
        fn probes_stop_alike() {
            for program in programs() {
                crate::probes_stop_alike(&program, $tier);
            }
        }

        #[test]
        fn ticks_stop_alike() {
            for program in programs() {
                crate::ticks_stop_alike(&program, $tier);
            }
        }

        #[test]
        fn switches_do_not_matter() {
            for program in programs() {
                crate::switches_do_not_matter(&program, $tier);
            }
        }

        #[test]
        fn watches_stop_alike() {
            for program in programs() {
                crate::watches_stop_alike(&program, $tier);
            }
        }

        #[test]
        fn rules_are_followed_alike() {
            for program in programs() {
                crate::rules::rules_are_followed_alike(&program, $tier);
            }
        }

        #[test]
        fn edits_are_seen() {
            for program in programs() {
                crate::edits_are_seen(&program, $tier);
            }
        }
    };
}

/// The tests of one program, or of several.
macro_rules! tests {
    ($($name:ident: $programs:expr;)*) => {
        $(mod $name {
            use super::Program;

            mod fast {
                tests_on!(Tier::Fast);
            }

            mod jit {
                tests_on!(Tier::Jit);
            }

            mod opt {
                tests_on!(Tier::Opt);
            }

            mod auto {
                tests_on!(Tier::Auto);
            }

            fn programs() -> Vec<Program> {
                $programs.into()
            }
        })*
    };
}

tests! {
    busy: [Program::Busy(400)];
    vectors: [Program::Vectors(200)];
    sample_fib: [Program::Command("samples/fib/fib.wasm", None)];
    sample_inventory: [
        Program::Command("samples/inventory/inventory.wasm", None),
        Program::Command("samples/inventory/inventory-O2.wasm", None),
    ];
    sample_sums: [Program::Command("samples/sums/sums.wasm", Some("samples/sums/input.txt"))];
    sample_waves: [Program::Command("samples/waves/waves.wasm", None)];
    sample_fleet: [Program::Command("samples/fleet/fleet.wasm", None)];
    sample_depot: [
        Program::Command("samples/depot/depot.wasm", None),
        Program::Command("samples/depot/depot-legacy.wasm", None),
    ];
    sample_calc: [Program::Command("samples/calc/calc.wasm", None)];
    sample_sort: [Program::Command("samples/sort/sort.wasm", None)];
    sample_traps: crate::programs::traps();
    bench_core: [Program::Bench("core", 3)];
    bench_fib: [Program::Bench("fib", 18)];
    bench_sieve: [Program::Bench("sieve", 1)];
    bench_nbody: [Program::Bench("nbody", 2000)];
    bench_sha256: [Program::Bench("sha256", 1)];
    bench_mandel: [Program::Bench("mandel", 12)];
    bench_matmul: [Program::Bench("matmul", 1)];
    bench_sorthash: [Program::Bench("sorthash", 1)];
    bench_bf: [Program::Bench("bf", 1)];
    bench_vmcall: [Program::Bench("vmcall", 4000)];
    bench_hash64: [Program::Bench("hash64", 5000)];
    bench_memops: [Program::Bench("memops", 1)];
    bench_lua: [Program::Bench("lua", 1)];
}

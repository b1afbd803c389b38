//! What probes count and write down is the same in every tier, and stands in its place between what the program writes.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};

use wdb_vm::address::CodeAddress;
use wdb_vm::captured::{CaptureRecord, CaptureSink};
use wdb_vm::exit::Exit;
use wdb_vm::tier::{Compile, Tier};
use wdb_vm::vm::{RunLimit, Vm};
use wdb_vm::{Capture, Condition, ConditionOp, HitCounter, ProbeRule, ValType};

use crate::pair::Pair;
use crate::programs::{INSTANCE, Output, Program};
use crate::support::random::Random;
use crate::{STOPS_MAX, is_over, places, ticks_of};

/// How many probes a program gets.
const PROBES: u32 = 10;

/// All that a machine's probes have written down, and how many bytes the program had written at each.
#[derive(Clone, Default)]
pub(crate) struct Records(Arc<Mutex<(u64, DefaultHasher)>>);

impl Records {
    /// The number of records, and a hash of them.
    pub(crate) fn digest(&self) -> (u64, u64) {
        let records = self.0.lock().expect("no holder panics");
        (records.0, records.1.finish())
    }
}

/// Takes what one machine's probes write down.
pub(crate) struct Sink {
    pub(crate) records: Records,
    pub(crate) output: Output,
}

impl CaptureSink for Sink {
    fn take(&mut self, record: CaptureRecord<'_>) {
        let mut records = self.records.0.lock().expect("no holder panics");
        records.0 += 1;
        let place = (record.tag, record.tick, self.output.len());
        (place, record.values).hash(&mut records.1);
    }
}

/// A rule for a place: perhaps a condition on a local, a counter, perhaps locals to write down.
fn random_rule(vm: &Vm, place: CodeAddress, number: u32, random: &mut Random) -> ProbeRule {
    let module = vm.module(INSTANCE);
    let types = module
        .func_at(place.pc)
        .map(|func| module.local_types(func));
    let is_number = |ty: &ValType| !matches!(ty, ValType::V128 | ValType::Ref(_));
    let numbered = types.unwrap_or_default().into_iter().zip(0..);
    let locals: Vec<u32> = numbered
        .filter(|(ty, _)| is_number(ty))
        .map(|(_, index)| index)
        .collect();
    let local = |random: &mut Random| match locals.len() {
        0 => Condition::Constant(1),
        count => Condition::Local(locals[random.below(count as u64) as usize]),
    };
    let mut rule = ProbeRule {
        counter: Some(number),
        ..ProbeRule::default()
    };
    if random.below(2) == 0 {
        // Where the local is 0 the remainder has no value, and the run stops.
        let divisor = match random.below(4) {
            0 => local(random),
            _ => Condition::Constant(3),
        };
        let (op, left) = (ConditionOp::RemU, Box::new(local(random)));
        rule.condition = Some(Condition::Binary(op, left, Box::new(divisor)));
    }
    if random.below(2) == 0 {
        let values = (0..random.below(4)).map(|_| local(random)).collect();
        rule.capture = Some(Capture {
            tag: number,
            values,
        });
    }
    rule
}

/// Goes on over probes with rules, in changing tiers, and with more arrivals to pass at each stop.
pub(crate) fn rules_are_followed_alike(program: &Program, tier: Tier) {
    let mut random = Random::new();
    let ticks = ticks_of(program);
    let places = places(program, ticks, &mut random);
    let mut pair = Pair::new(program, tier, Compile::default());
    pair.take_records();
    for number in 0..PROBES {
        let place = places[random.below(places.len() as u64) as usize];
        let rule = random_rule(pair.oracle(), place, number, &mut random);
        pair.set_probe(place);
        pair.set_rule(place, &rule);
    }
    let mut probe_at_start = true;
    for _ in 0..STOPS_MAX / 4 {
        if random.below(4) == 0 {
            let tier = Tier::ALL[random.below(Tier::ALL.len() as u64) as usize];
            pair.switch(tier, Compile::default());
        }
        let is_limited = random.below(2) == 0;
        let tick = is_limited.then(|| pair.time().tick + 1 + random.below(ticks / 8 + 2));
        let exit = pair.run(RunLimit {
            tick,
            probe_at_start,
            ..RunLimit::default()
        });
        pair.check_notes(PROBES);
        if is_over(&exit) {
            return;
        }
        probe_at_start = exit == Exit::Tick;
        for number in 0..PROBES {
            let hits = pair.oracle().counter(number).hits;
            let ignored = hits + random.below(ticks + 2);
            pair.set_counter(number, HitCounter { hits, ignored });
        }
    }
    places.iter().for_each(|&place| pair.clear_probe(place));
    assert!(is_over(&pair.run(RunLimit::default())));
    pair.check_notes(PROBES);
}

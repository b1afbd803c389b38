//! The ways in which wdb's machine runs a module, all of which must come to the same.

use wdb_vm::ValType;
use wdb_vm::tier::{Compile, Tier};
use wdb_vm::value::Value;

use crate::ours::{Ended, Instance, NoInstance, Visit};
use crate::random::Random;
use crate::{Outcome, Seen};

/// The most visits of probes that are compared in a call.
const VISITS_MAX: usize = 200;

/// A module in several machines.
pub(crate) struct Ways {
    /// It executes single instructions.
    stepped: Instance,
    /// They run at full speed, each on its tier, and stop at nothing but the probes that are set in both.
    at_speed: Vec<Instance>,
    /// It stops at whatever comes, and goes on in another tier.
    disturbed: Instance,
}

impl Ways {
    /// The instances, or why there are none.
    pub(crate) fn new(
        wasm: &[u8],
        random: &mut Random,
    ) -> anyhow::Result<Result<Ways, NoInstance>> {
        let mut make = |tier: Tier, collects_always: bool| {
            let modes = [Compile::Eager, Compile::Lazy, Compile::LazyTranslation];
            let compile = modes[random.below(modes.len() as u64) as usize];
            Instance::new(wasm, tier, compile, collects_always)
        };
        // What is collected when cannot be told from outside, so one of them does it all the time.
        let stepped = make(Tier::Classic, wasm.len().is_multiple_of(2))?;
        let disturbed = make(Tier::Fast, wasm.len().is_multiple_of(3))?;
        let mut at_speed = Vec::new();
        let mut refusals = Vec::new();
        for tier in Tier::ALL {
            match make(tier, false)? {
                Ok(instance) => at_speed.push(instance),
                Err(refusal) => refusals.push(refusal),
            }
        }
        let is_refused_alike = |first: &NoInstance| {
            at_speed.is_empty() && refusals.iter().all(|refusal| refusal == first)
        };
        Ok(match (stepped, disturbed) {
            (Ok(stepped), Ok(disturbed)) if refusals.is_empty() => Ok(Ways {
                stepped,
                at_speed,
                disturbed,
            }),
            (Err(first), Err(second)) if first == second && is_refused_alike(&first) => Err(first),
            _ => anyhow::bail!("an instantiation fails once and once not"),
        })
    }

    /// Performs what instantiation runs.
    pub(crate) fn start(&mut self) -> anyhow::Result<Outcome> {
        let expected = self.stepped.run_by_steps()?;
        for instance in &mut self.at_speed {
            let (found, _) = instance.run_with_probes(&[], 0)?;
            agree(instance.name(), &expected, &found)?;
        }
        let found = self.disturbed.run_with_stops(&mut Random::new(0))?;
        agree("stops", &expected, &found)?;
        Ok(expected.seen.outcome)
    }

    /// The exported functions.
    pub(crate) fn functions(&self) -> Vec<String> {
        self.stepped.functions()
    }

    /// The types that a function takes.
    pub(crate) fn params(&self, name: &str) -> Vec<ValType> {
        self.stepped.params(name)
    }

    /// Calls a function in all ways.
    pub(crate) fn call(
        &mut self,
        name: &str,
        args: &[Value],
        random: &mut Random,
    ) -> anyhow::Result<Seen> {
        self.stepped.begin(name, args)?;
        let expected = self.stepped.run_by_steps()?;
        // Half of the calls go on undisturbed from beginning to end.
        let probes = match random.below(2) {
            0 => Vec::new(),
            _ => self.stepped.places(8, random),
        };
        let mut visits: Option<Vec<Visit>> = None;
        for instance in &mut self.at_speed {
            instance.begin(name, args)?;
            let (found, visited) = instance.run_with_probes(&probes, VISITS_MAX)?;
            agree(instance.name(), &expected, &found)?;
            let before = visits.get_or_insert_with(|| visited.clone());
            if let Some((at, (expected, found))) = before
                .iter()
                .zip(&visited)
                .enumerate()
                .find(|(_, (a, b))| a != b)
            {
                anyhow::bail!(
                    "visit {at} of a probe: {} {found:x?}, before {expected:x?}",
                    instance.name()
                );
            }
            anyhow::ensure!(
                before.len() == visited.len(),
                "{} visits {} probes, before {}",
                instance.name(),
                visited.len(),
                before.len()
            );
        }
        self.disturbed.begin(name, args)?;
        let found = self.disturbed.run_with_stops(random)?;
        agree("stops", &expected, &found)?;
        Ok(expected.seen)
    }
}

/// Compares how a call ended with how it ended by single steps.
fn agree(way: &str, expected: &Ended, found: &Ended) -> anyhow::Result<()> {
    anyhow::ensure!(
        expected.seen.outcome == found.seen.outcome && expected.time == found.time,
        "by steps {:?} at {:x?}, {way} {:?} at {:x?}",
        expected.seen.outcome,
        expected.time,
        found.seen.outcome,
        found.time
    );
    anyhow::ensure!(
        expected.frames == found.frames,
        "{way}: the frames differ at {:x?}",
        found.time
    );
    anyhow::ensure!(
        expected.seen == found.seen,
        "{way}: the memories or globals differ"
    );
    Ok(())
}

//! Breakpoints: what the user asked for, the places in the code that it stands for, and when it stops.

use std::collections::BTreeSet;
use std::collections::HashMap;

use wdb_vm::address::ModuleOffset;

use crate::error::Error;
use crate::expression::Node;
use crate::program::Program;
use crate::report::BreakpointReport;
use crate::view::{BreakpointView, PlaceView, SourceSpot};

/// A condition, kept as written and as parsed.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub(crate) text: String,
    pub(crate) node: Node,
}

/// What becomes of a breakpoint when it stops the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disposition {
    Keep,
    /// It goes away (`tbreak`).
    Delete,
    /// It is disabled (`enable once`).
    Disable,
}

/// A breakpoint.
#[derive(Debug, Clone)]
pub(crate) struct Breakpoint {
    pub(crate) number: u32,
    /// As the user wrote it, for lists.
    pub(crate) spec: String,
    pub(crate) pcs: Vec<ModuleOffset>,
    /// Those of the places that lie in an inlined call which begins there, rather than before it.
    pub(crate) inlined: BTreeSet<ModuleOffset>,
    pub(crate) enabled: bool,
    pub(crate) disposition: Disposition,
    pub(crate) condition: Option<Condition>,
    pub(crate) hits: u64,
    /// How many hits are still passed over.
    pub(crate) ignore: u64,
}

/// All breakpoints, by number.
#[derive(Debug, Default)]
pub(crate) struct Breakpoints {
    list: Vec<Breakpoint>,
    /// The breakpoints, enabled or not, at a place.
    by_place: HashMap<ModuleOffset, Vec<u32>>,
    last_number: u32,
}

impl Breakpoints {
    /// Adds a breakpoint under the next number.
    pub(crate) fn add(&mut self, make: impl FnOnce(u32) -> Breakpoint) -> &Breakpoint {
        self.last_number += 1;
        self.list.push(make(self.last_number));
        self.index();
        self.list.last().expect("one was added just now")
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Breakpoint> {
        self.list.iter()
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Result<&mut Breakpoint, Error> {
        let found = self.list.iter_mut().find(|it| it.number == number);
        found.ok_or(Error::NoBreakpoint(number))
    }

    pub(crate) fn get(&self, number: u32) -> Result<&Breakpoint, Error> {
        let found = self.list.iter().find(|it| it.number == number);
        found.ok_or(Error::NoBreakpoint(number))
    }

    /// The number given last.
    pub(crate) fn last_number(&self) -> u32 {
        self.last_number
    }

    pub(crate) fn remove(&mut self, number: u32) -> Result<(), Error> {
        self.get(number)?;
        self.list.retain(|it| it.number != number);
        self.index();
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.list.clear();
        self.index();
    }

    /// The numbers of the enabled breakpoints at a place, ascending.
    pub(crate) fn enabled_at(&self, pc: ModuleOffset) -> Vec<u32> {
        let Some(numbers) = self.by_place.get(&pc) else {
            return Vec::new();
        };
        let is_enabled = |number: &&u32| self.get(**number).is_ok_and(|it| it.enabled);
        numbers.iter().filter(is_enabled).copied().collect()
    }

    /// The places where the machine has to stop.
    pub(crate) fn probes(&self) -> BTreeSet<ModuleOffset> {
        let enabled = self.list.iter().filter(|it| it.enabled);
        enabled.flat_map(|it| it.pcs.iter().copied()).collect()
    }

    fn index(&mut self) {
        self.by_place.clear();
        for breakpoint in &self.list {
            for pc in &breakpoint.pcs {
                self.by_place
                    .entry(*pc)
                    .or_default()
                    .push(breakpoint.number);
            }
        }
    }
}

impl Breakpoint {
    /// What front ends show of it.
    pub(crate) fn view(&self, program: &Program) -> BreakpointView {
        BreakpointView {
            number: self.number,
            enabled: self.enabled,
            temporary: self.disposition == Disposition::Delete,
            spec: self.spec.clone(),
            condition: self
                .condition
                .as_ref()
                .map(|condition| condition.text.clone()),
            hits: self.hits,
            places: self
                .pcs
                .iter()
                .map(|pc| place_view(program, *pc, self.hidden_inlines(program, *pc)))
                .collect(),
        }
    }

    /// How many of the inlined calls that begin at one of its places are not entered when it stops there.
    pub(crate) fn hidden_inlines(&self, program: &Program, pc: ModuleOffset) -> usize {
        if self.inlined.contains(&pc) {
            0
        } else {
            program.inlined_starts(pc)
        }
    }

    /// What its own list shows of it: paths as they are shown to people.
    pub(crate) fn report(&self, program: &Program) -> BreakpointReport {
        BreakpointReport {
            view: for_people(program, self.view(program)),
            ignore: self.ignore,
            once: self.disposition == Disposition::Disable,
        }
    }
}

/// The breakpoint with paths as they are shown to people.
pub(crate) fn for_people(program: &Program, mut view: BreakpointView) -> BreakpointView {
    for place in &mut view.places {
        if let Some(spot) = &mut place.source {
            spot.recorded = program.display_path(&spot.recorded).into();
        }
    }
    view
}

fn place_view(program: &Program, pc: ModuleOffset, hidden_inlines: usize) -> PlaceView {
    let places = program.places_at(pc);
    let innermost = places.get(hidden_inlines);
    let source: Option<SourceSpot> = innermost
        .and_then(|place| place.location.as_ref())
        .map(|location| program.spot(location));
    PlaceView {
        pc: pc.0,
        function: innermost.map_or_else(String::new, |place| place.function.to_string()),
        source,
    }
}

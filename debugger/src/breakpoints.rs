//! Breakpoints: what the user asked for, the places in the code that it stands for, and when it stops.

use std::collections::{BTreeSet, HashMap};

use wdb_vm::HitCounter;
use wdb_vm::address::ModuleOffset;
use wdb_vm::watch::WatchKind;

use crate::error::Error;
use crate::exceptions::ExceptionFilter;
use crate::expression::Node;
use crate::format_text::PrintfFormat;
use crate::location::Location;
use crate::program::Program;
use crate::report::BreakpointReport;
use crate::view::{BreakpointView, PlaceView, SourceSpot};
use crate::watchpoints::Watchpoint;

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

/// What a breakpoint is: what makes it stop the program.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// Arriving at one of its places.
    Breakpoint,
    /// A value's change or access.
    Watchpoint(Watchpoint),
    /// Something that the program does.
    Catchpoint(Catch),
    /// Nothing: arriving at one of its places prints a text.
    Printer { text: String, format: PrintfFormat },
}

/// What a catchpoint waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Catch {
    /// A trap.
    Trap,
    /// An exception about to be thrown.
    Throw(ExceptionFilter),
    /// An exception about to be thrown that was caught before.
    Rethrow(ExceptionFilter),
    /// An exception that was handled.
    Caught(ExceptionFilter),
    /// An exception that nothing handles.
    Uncaught,
    /// A call of a function of the host; of this name if there is one.
    HostCall(Option<String>),
    /// `memory.grow`, at each of its places.
    Grow,
    /// The first instruction of the program.
    Start,
    /// The program's end by itself.
    Exit,
}

impl Catch {
    /// For lists.
    pub(crate) fn text(&self) -> String {
        let text = match self {
            Catch::Trap => "trap".to_owned(),
            Catch::Throw(filter) => format!("exception throw {}", filter.text()),
            Catch::Rethrow(filter) => format!("exception rethrow {}", filter.text()),
            Catch::Caught(filter) => format!("exception catch {}", filter.text()),
            Catch::Uncaught => "uncaught exception".to_owned(),
            Catch::HostCall(None) => "any host call".to_owned(),
            Catch::HostCall(Some(name)) => format!("host call {name}"),
            Catch::Grow => "memory.grow".to_owned(),
            Catch::Start => "start".to_owned(),
            Catch::Exit => "exit".to_owned(),
        };
        text.trim_end().to_owned()
    }
}

/// A breakpoint.
#[derive(Debug, Clone)]
pub(crate) struct Breakpoint {
    pub(crate) number: u32,
    /// As the user wrote it, for lists.
    pub(crate) spec: String,
    pub(crate) kind: Kind,
    /// Where it was asked for; `None` for what belongs to no location.
    pub(crate) location: Option<Location>,
    pub(crate) pcs: Vec<ModuleOffset>,
    /// Those of the places that lie in an inlined call which begins there, rather than before it.
    pub(crate) inlined: BTreeSet<ModuleOffset>,
    pub(crate) enabled: bool,
    pub(crate) disposition: Disposition,
    pub(crate) condition: Option<Condition>,
    /// Whether the machine decides the condition by itself, at all places.
    pub(crate) is_machine_decided: bool,
    /// Whether the machine writes down what it prints by itself, at all places.
    pub(crate) is_machine_captured: bool,
    pub(crate) hits: u64,
    /// How many hits are still passed over.
    pub(crate) ignore: u64,
    /// Whether the machine counts hits that are passed over, where it decides them alone. Once it does it goes on, so that the next
    /// count to be passed over changes no code.
    pub(crate) counts_in_machine: bool,
    /// After how many stops it is disabled (`enable count`).
    pub(crate) stops_left: Option<u64>,
    /// What is performed when it has stopped the program (`commands`).
    pub(crate) commands: Vec<String>,
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

    /// The numbers of the watchpoints.
    pub(crate) fn watchpoint_numbers(&self) -> Vec<String> {
        let watchpoints = self
            .list
            .iter()
            .filter(|it| matches!(it.kind, Kind::Watchpoint(_)));
        watchpoints.map(|it| it.number.to_string()).collect()
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

    /// Takes note of places that were changed.
    pub(crate) fn reindex(&mut self) {
        self.index();
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
    /// A breakpoint that stops nowhere yet.
    pub(crate) fn new(number: u32, spec: impl Into<String>) -> Breakpoint {
        Breakpoint {
            number,
            spec: spec.into(),
            kind: Kind::Breakpoint,
            location: None,
            pcs: Vec::new(),
            inlined: BTreeSet::new(),
            enabled: true,
            disposition: Disposition::Keep,
            condition: None,
            is_machine_decided: false,
            is_machine_captured: false,
            hits: 0,
            ignore: 0,
            counts_in_machine: false,
            stops_left: None,
            commands: Vec::new(),
        }
    }

    /// Has so many of the next hits passed over.
    pub(crate) fn pass_over(&mut self, count: u64) {
        self.ignore = count;
        self.counts_in_machine |= count > 0;
    }

    /// The hits as the machine counts them.
    pub(crate) fn hit_counter(&self) -> HitCounter {
        HitCounter {
            hits: self.hits,
            ignored: self.hits.saturating_add(self.ignore),
        }
    }

    /// Takes note of what the machine has counted.
    pub(crate) fn take_counter(&mut self, counter: HitCounter) {
        self.hits = counter.hits;
        self.ignore = counter.ignored.saturating_sub(counter.hits);
    }

    /// Counts a hit; answers whether it stops the program.
    pub(crate) fn count_hit(&mut self) -> bool {
        self.hits += 1;
        if self.ignore > 0 {
            self.ignore -= 1;
            return false;
        }
        if let Some(left) = &mut self.stops_left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.stops_left = None;
                self.disposition = Disposition::Disable;
            }
        }
        true
    }

    /// What it is, in the first column of lists.
    pub(crate) fn kind_text(&self) -> &'static str {
        match &self.kind {
            Kind::Breakpoint => "breakpoint",
            Kind::Watchpoint(watchpoint) => match watchpoint.kind {
                WatchKind::Change => "hw watchpoint",
                WatchKind::Read => "read watchpoint",
                WatchKind::Access => "acc watchpoint",
            },
            Kind::Catchpoint(_) => "catchpoint",
            Kind::Printer { .. } => "dprintf",
        }
    }

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
        let starts = program.inlined_starts(pc);
        if !self.inlined.contains(&pc) {
            return starts;
        }
        // Of several calls that begin there, the one whose function was named.
        let name = match &self.location {
            Some(Location::Function(name) | Location::FileFunction(_, name)) => name,
            _ => return 0,
        };
        let is_named = |function: &str| {
            let before = function.strip_suffix(name.as_str());
            before.is_some_and(|before| before.is_empty() || before.ends_with("::"))
        };
        let places = program.places_at(pc);
        let mut starting = places.iter().take(starts);
        starting
            .position(|place| is_named(&place.function))
            .unwrap_or(0)
    }

    /// What its own list shows of it: paths as they are shown to people.
    pub(crate) fn report(&self, program: &Program) -> BreakpointReport {
        BreakpointReport {
            kind: self.kind_text(),
            is_located: matches!(self.kind, Kind::Breakpoint | Kind::Printer { .. }),
            prints: match &self.kind {
                Kind::Printer { text, .. } => Some(text.clone()),
                _ => None,
            },
            view: for_people(program, self.view(program)),
            is_machine_decided: self.is_machine_decided,
            is_machine_captured: self.is_machine_captured,
            ignore: self.ignore,
            once: self.disposition == Disposition::Disable,
            commands: self.commands.clone(),
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

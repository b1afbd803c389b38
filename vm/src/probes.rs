//! What is done at probes, as every tier but machine code has it done.

use std::sync::Arc;

use wdb_codegen::{CAPTURED_VALUES_MAX, HitCounter, Observed, ProbeRule};

use crate::address::CodeAddress;
use crate::captured::{CaptureRecord, CaptureSink, Captured};
use crate::classic::{PlacedRule, func_at};
use crate::machine::Frame;
use crate::store::Instance;
use crate::value::cell_count;
use crate::vm::Vm;

/// What probes have counted and written down. It is no part of the machine's state: going back in time does not change it.
#[derive(Default)]
pub(crate) struct ProbeResults {
    pub(crate) counters: Vec<HitCounter>,
    pub(crate) captured: Captured,
}

impl ProbeResults {
    /// The counter of a number, which there is from now on.
    fn counter(&mut self, number: u32) -> &mut HitCounter {
        let index = number as usize;
        if self.counters.len() <= index {
            self.counters.resize(index + 1, HitCounter::default());
        }
        &mut self.counters[index]
    }

    /// Makes counters what they were. Those that there were not yet stay: code may know of them.
    pub(crate) fn restore(&mut self, counters: &[HitCounter]) {
        self.counters[..counters.len()].copy_from_slice(counters);
    }
}

/// Numbers of counters are lower.
const COUNTERS_MAX: u32 = 1 << 24;

/// What a run does at a probe that the machine stands at.
pub(crate) enum Arrival {
    /// It stops.
    Stops,
    /// It goes on, and this is noted.
    Passes(Hit),
}

/// What is noted of an arrival that is passed.
#[derive(Default)]
pub(crate) struct Hit {
    /// The counter that counts it.
    counter: Option<u32>,
    /// What is written down, with its tag.
    capture: Option<(u32, Vec<u64>)>,
}

impl Vm {
    /// Says what is done where a probe is arrived at; by default the run stops. Machine code does that without being left. A condition's
    /// indices are those of the function's module; its locals must exist and be no vectors. Counters take memory up to the highest number.
    ///
    /// # Panics
    ///
    /// If a counter's number is 2^24 or higher, or more than [`CAPTURED_VALUES_MAX`] values are to be captured.
    pub fn set_rule(&mut self, address: CodeAddress, rule: ProbeRule) {
        let Some(func) = func_at(&self.store, address) else {
            return;
        };
        let captured = rule.capture.as_ref().map_or(0, |it| it.values.len());
        assert!(captured <= CAPTURED_VALUES_MAX, "too many values");
        if let Some(number) = rule.counter {
            assert!(number < COUNTERS_MAX, "too high a number");
            self.outside.probes.counter(number);
        }
        let inst = &self.store.funcs[func.index()];
        let rule = (!rule.always_stops()).then(|| {
            let mut cell = 0;
            let locals = self.module(inst.instance).local_types(inst.index);
            let local_cells = locals.into_iter().map(|ty| {
                let first = cell;
                cell += cell_count(ty);
                first
            });
            PlacedRule {
                rule: Arc::new(rule),
                local_cells: local_cells.collect(),
            }
        });
        self.classic.set_rule(func, address.pc, rule);
        self.jit.forget(func);
    }

    /// The counter of a number, which may be that of several probes.
    #[must_use]
    pub fn counter(&self, number: u32) -> HitCounter {
        let counters = &self.outside.probes.counters;
        counters.get(number as usize).copied().unwrap_or_default()
    }

    /// Changes a counter. Code is not made anew for that.
    pub fn set_counter(&mut self, number: u32, counter: HitCounter) {
        *self.outside.probes.counter(number) = counter;
    }

    /// Says who takes what probes write down. Without a sink it is dropped.
    pub fn set_capture_sink(&mut self, sink: Option<Box<dyn CaptureSink>>) {
        self.outside.probes.captured.set_sink(sink);
    }

    /// Whether a run stops at the probe that the machine stands at. Nothing is changed by looking.
    pub(crate) fn arrival(&self) -> Arrival {
        let placed = self.machine.frames.last().and_then(|frame| {
            let placed = self.classic.rule(frame.func, frame.pc)?;
            Some((frame, placed))
        });
        let Some((frame, PlacedRule { rule, local_cells })) = placed else {
            return Arrival::Stops;
        };
        let here = Here {
            vm: self,
            frame,
            local_cells,
        };
        let condition = rule.condition.as_ref();
        match condition.map(|condition| condition.value(&here)) {
            Some(Some(0)) => return Arrival::Passes(Hit::default()),
            Some(None) => return Arrival::Stops,
            _ => {}
        }
        let mut hit = Hit {
            counter: rule.counter,
            capture: None,
        };
        if rule
            .counter
            .is_some_and(|number| self.counter(number).ignores_next())
        {
            return Arrival::Passes(hit);
        }
        let Some(capture) = &rule.capture else {
            return Arrival::Stops;
        };
        let values = capture.values.iter();
        let values = values.map(|value| Some(value.value(&here)?.cast_unsigned()));
        match values.collect() {
            Some(values) => {
                hit.capture = Some((capture.tag, values));
                Arrival::Passes(hit)
            }
            None => Arrival::Stops,
        }
    }

    /// Counts an arrival that is passed, and writes down what is to be.
    pub(crate) fn note_hit(&mut self, hit: Hit) {
        if let Some(number) = hit.counter {
            self.outside.probes.counter(number).hits += 1;
        }
        if let Some((tag, values)) = hit.capture {
            let record = CaptureRecord {
                tag,
                tick: self.machine.tick,
                values: &values,
            };
            self.outside.probes.captured.push(record);
        }
    }
}

/// What conditions and captured values are about: a frame.
struct Here<'a> {
    vm: &'a Vm,
    frame: &'a Frame,
    local_cells: &'a [u32],
}

impl Here<'_> {
    fn instance(&self) -> &Instance {
        let inst = &self.vm.store.funcs[self.frame.func.index()];
        &self.vm.store.instances[inst.instance.index()]
    }
}

impl Observed for Here<'_> {
    fn local(&self, index: u32) -> i64 {
        let cell = self.frame.base + self.local_cells[index as usize];
        self.vm.machine.cells[cell as usize].cast_signed()
    }

    fn global(&self, index: u32) -> i64 {
        let cell = self.instance().global_cells[index as usize];
        self.vm.machine.globals[cell as usize].cast_signed()
    }

    fn load(&self, memory: u32, address: u64, bytes: u8) -> Option<u64> {
        let memory = self.instance().memories.get(memory as usize)?;
        let all = self.vm.machine.memories[memory.index()].bytes();
        let start = usize::try_from(address).ok()?;
        let end = start.checked_add(usize::from(bytes))?;
        let mut value = [0; 8];
        value[..usize::from(bytes)].copy_from_slice(all.get(start..end)?);
        Some(u64::from_le_bytes(value))
    }
}

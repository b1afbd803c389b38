//! Choosing what to compile: the fast tier runs a program at once, and what turns out to take time gets machine code.
//!
//! The fast tier runs by slices of ticks, after each of which the place is noted where the program stands. A function that is found
//! often is compiled in the background, with the functions that it calls; a loop that is found, too, as a place to enter. Calls
//! by the fast tier of functions that have code stop it, so that the code can be entered. What machine code calls and
//! has none yet is compiled at once, quickly, and again in the background when it is found running often.

use std::time::{Duration, Instant};

use wdb_codegen::{Level, Start};

use super::{Around, Code, Jit, Policy, innermost};
use crate::address::FuncAddr;
use crate::classic::{Classic, Mode, Outcome};
use crate::fast::Fast;
use crate::isa::Op;
use crate::machine::{Frame, Machine};
use crate::store::{FuncKind, Store};

/// Ticks of the fast tier between two looks at where the program stands: some tens of microseconds.
const SLICE_TICKS: u64 = 1 << 12;

/// How often a function has to be found, and how many bytes of its code ask for one time more.
const SAMPLES_MIN: u32 = 2;
const BYTES_PER_SAMPLE: u32 = 1024;

/// So many returns from machine code into a function count as having found it once.
const RETURNS_PER_SAMPLE: u32 = 16;

/// How many arrivals are looked at one by one for code to enter, after code was left.
const CLOSE_LOOKS: u32 = 256;

/// The most functions that are compiled along with one that calls them.
const CALLEES_MAX: usize = 64;

/// What leaving the fast tier for a probe that is passed takes, in ticks.
const TICKS_PER_PROBE: u64 = 64;

/// What is kept in mind from turn to turn.
#[derive(Default)]
pub(super) struct Pace {
    /// Ticks of the fast tier that ended at probes, and what these took, since the place was noted.
    unnoted: u64,
    /// Arrivals that are still looked at one by one.
    close_looks: u32,
    /// Returns from machine code.
    returns: u32,
}

impl Jit {
    /// Takes note of a turn of machine code.
    pub(super) fn note_turn(
        &mut self,
        around: &mut Around<'_>,
        machine: &Machine,
        has_returned: bool,
    ) {
        self.pace.close_looks = CLOSE_LOOKS;
        if has_returned {
            self.pace.returns += 1;
            if self.pace.returns.is_multiple_of(RETURNS_PER_SAMPLE) {
                self.found(around, machine);
            }
        }
    }

    /// Executes in the fast tier for some of the ticks that are left, and notes where the program stands then.
    pub(super) fn slice(
        &mut self,
        around: &mut Around<'_>,
        machine: &mut Machine,
        mode: Mode,
        left: u64,
    ) -> Outcome {
        let func = innermost(machine).func;
        let looks_close = self.pace.close_looks > 0 && self.is_hot(around.store, func);
        self.pace.close_looks = self.pace.close_looks.saturating_sub(1);
        let ticks = if looks_close {
            1
        } else {
            SLICE_TICKS.min(left)
        };
        let news = std::mem::take(&mut self.to_hide).into_iter();
        news.chain(Some(func))
            .filter(|func| self.has_code[func.index()])
            .for_each(|func| around.fast.hide(func));
        let before = machine.tick;
        let outcome = around.bridge(machine, mode, ticks, Some(&self.has_code));
        let passed = machine.tick - before;
        if outcome == Outcome::Poll && passed == ticks {
            if looks_close {
                self.found_loop(around, machine);
            } else {
                self.found(around, machine);
            }
        } else if outcome == Outcome::Probe {
            self.note_probe(around, machine, passed);
        }
        outcome
    }

    /// Takes note of a probe, at which slices end: without that a loop with one would never be found.
    fn note_probe(&mut self, around: &mut Around<'_>, machine: &Machine, ticks: u64) {
        self.pace.unnoted += ticks + TICKS_PER_PROBE;
        if self.pace.unnoted < SLICE_TICKS {
            return;
        }
        self.pace.unnoted = 0;
        self.found(around, machine);
        if self.is_hot(around.store, innermost(machine).func) {
            self.pace.close_looks = CLOSE_LOOKS;
        }
    }

    /// Code that there is already, or has just been made, and that goes on from the machine's state.
    pub(super) fn ready_entry(
        &mut self,
        around: &Around<'_>,
        machine: &Machine,
        top: Frame,
    ) -> Option<u32> {
        while self.receive(Duration::ZERO) {}
        let store = around.store;
        let inst = &store.funcs[top.func.index()];
        let module = &store.instances[inst.instance.index()].module;
        let is_start = top.pc.0 == module.func_body(inst.index)?.code.start;
        let unit = if is_start {
            self.best_unit(top.func)
                .filter(|_| self.is_entered(store, machine, top))?
        } else {
            let start = Start::Frame(top.pc.0);
            match self.known_code(top.func, start, Level::Optimized) {
                Code::Unit(unit) => unit,
                _ => return None,
            }
        };
        self.can_enter(machine, top, unit).then_some(unit)
    }

    /// Whether a function was found so often that code pays.
    fn is_hot(&self, store: &Store, func: FuncAddr) -> bool {
        let needed = SAMPLES_MIN + store.code_len(func) as u32 / BYTES_PER_SAMPLE;
        self.samples[func.index()] >= needed
    }

    /// Notes where the program stands.
    fn found(&mut self, around: &mut Around<'_>, machine: &Machine) {
        let Some(&top) = machine.frames.last() else {
            return;
        };
        let count = &mut self.samples[top.func.index()];
        *count = count.saturating_add(1);
        if !self.is_hot(around.store, top.func) {
            return;
        }
        let (store, classic) = (around.store, &*around.classic);
        self.want_with_callees(store, machine, classic, Some(around.fast), top.func);
        self.found_loop(around, machine);
    }

    /// Where the program stands at a loop of a function that pays, it is to be entered there.
    fn found_loop(&mut self, around: &Around<'_>, machine: &Machine) {
        let Some(&top) = machine.frames.last() else {
            return;
        };
        if self.is_hot(around.store, top.func) && self.is_loop(around.store, top) {
            let place = (top.func, Start::Frame(top.pc.0));
            self.want(around.store, machine, around.classic, place);
        }
    }

    /// Has the best code made for a function, after that for those which it calls and which have been running.
    fn want_with_callees(
        &mut self,
        store: &Store,
        machine: &Machine,
        classic: &Classic,
        fast: Option<&Fast>,
        func: FuncAddr,
    ) {
        if self.known_code(func, Start::Call, Level::Optimized) != Code::None {
            return;
        }
        // Callers come before their callees here, and are compiled after them.
        let mut list = vec![func];
        let mut next = 0;
        while let Some(&caller) = list.get(next) {
            next += 1;
            let inst = &store.funcs[caller.index()];
            let instance = &store.instances[inst.instance.index()];
            for instruction in instance.module.instructions(inst.index) {
                let crate::decode::Immediates::Index(index) = instruction.immediates else {
                    continue;
                };
                if !matches!(instruction.op, Op::Call | Op::ReturnCall) {
                    continue;
                }
                let callee = instance.funcs[index as usize];
                let has_run = fast.is_none_or(|fast| fast.has_code(callee));
                let is_wanted = list.len() < CALLEES_MAX
                    && has_run
                    && store.funcs[callee.index()].kind == FuncKind::Wasm
                    && !list.contains(&callee);
                if is_wanted {
                    list.push(callee);
                }
            }
        }
        for &func in list.iter().rev() {
            self.want(store, machine, classic, (func, Start::Call));
        }
    }

    /// Has the best code made for a function from a place, unless it is there or on its way.
    fn want(
        &mut self,
        store: &Store,
        machine: &Machine,
        classic: &Classic,
        (func, start): (FuncAddr, Start),
    ) {
        let level = Level::Optimized;
        if self.known_code(func, start, level) != Code::None {
            return;
        }
        let is_impossible = self.state(func).call.contains(&Code::Impossible);
        let code = if is_impossible || !store.is_valid(func) {
            Code::Impossible
        } else {
            let begin = Instant::now();
            let probes = classic.ruled_probes(func);
            let unit = self.reserve_unit();
            match self.translate(store, machine, (func, start), (unit, level, &probes), false) {
                Ok(translated) => {
                    let translated = (translated, begin.elapsed());
                    let ordered = self.order(unit, (func, start), level, translated);
                    ordered.unwrap_or_else(|_| {
                        self.free_units.push(unit);
                        Code::Impossible
                    })
                }
                Err(obstacle) => {
                    self.free_units.push(unit);
                    self.obstacles.insert(func, obstacle);
                    Code::Impossible
                }
            }
        };
        self.set_code((func, start), level, code);
    }

    /// Machine code was found running at a place. Answers whether it is to be left there, for better code.
    pub(super) fn found_compiled(
        &mut self,
        store: &Store,
        machine: &Machine,
        classic: &Classic,
        (unit, pc): (u32, u32),
    ) -> bool {
        if self.policy != Policy::Auto {
            return false;
        }
        while self.receive(Duration::ZERO) {}
        let unit = self.unit(unit);
        if unit.level == Level::Optimized {
            return false;
        }
        let func = unit.func;
        self.want_with_callees(store, machine, classic, None, func);
        let place = Start::Frame(pc);
        if pc == self.start_of(store, func) {
            return false;
        }
        self.want(store, machine, classic, (func, place));
        matches!(
            self.known_code(func, place, Level::Optimized),
            Code::Unit(_)
        )
    }

    fn start_of(&self, store: &Store, func: FuncAddr) -> u32 {
        let inst = &store.funcs[func.index()];
        let module = &store.instances[inst.instance.index()].module;
        let body = module.func_body(inst.index);
        body.map_or(0, |body| body.code.start)
    }
}

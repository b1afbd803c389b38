//! Choosing what to compile: the fast tier runs a program at once, and what turns out to take time gets machine code.
//!
//! The fast tier runs by slices of ticks, after each of which the place is noted where the program stands. A function that is found
//! often is compiled in the background, with the functions that it calls; a loop that is found, too, as a place to enter. Calls
//! by the fast tier of functions that have code stop it, so that the code can be entered. What machine code calls and
//! has none yet is compiled at once, quickly, and again in the background when it is found running often.

use std::time::Instant;

use wdb_codegen::{Level, Start};

use super::{Around, Code, Entry, Jit, Policy, TURNS_PER_POLL, innermost};
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

impl Jit {
    /// Executes like [`Jit::execute`], with whatever seems best.
    pub(crate) fn execute_auto(
        &mut self,
        around: &mut Around<'_>,
        machine: &mut Machine,
        mode: Mode,
        ticks: u64,
    ) -> Outcome {
        self.prepare(around.store, machine, Policy::Auto, around.watches);
        let end = machine.tick.saturating_add(ticks);
        let mut passes_probe = mode == Mode::Run;
        let mut was_left_at_once = false;
        let mut close_looks = 0;
        let mut returns = 0_u32;
        let mut turns = 0_u32;
        loop {
            while self.receive(false) {}
            let top = innermost(machine);
            let has_probe = around.classic.has_probe(top.func, top.pc);
            if has_probe && !passes_probe {
                return Outcome::Probe;
            }
            let is_enterable = !has_probe && !std::mem::take(&mut was_left_at_once);
            let entry = is_enterable.then(|| self.ready_entry(around, machine, top));
            let (before, depth) = (machine.tick, machine.frames.len());
            let outcome = match entry.flatten() {
                Some(Entry::Limits) => return Outcome::Poll,
                Some(Entry::Unit(unit)) => {
                    passes_probe = false;
                    let outcome = self.turn(around, machine, unit, end - machine.tick);
                    was_left_at_once =
                        machine.tick == before && machine.frames.last() == Some(&top);
                    close_looks = CLOSE_LOOKS;
                    if machine.frames.len() < depth {
                        returns += 1;
                        if returns.is_multiple_of(RETURNS_PER_SAMPLE) {
                            self.found(around, machine);
                        }
                    }
                    outcome
                }
                None => {
                    let mode = if passes_probe {
                        Mode::Run
                    } else {
                        Mode::RunFromProbe
                    };
                    passes_probe = false;
                    let looks_close = close_looks > 0 && self.is_hot(around.store, top.func);
                    let slice = if looks_close { 1 } else { SLICE_TICKS };
                    close_looks = close_looks.saturating_sub(1);
                    let news = std::mem::take(&mut self.to_hide).into_iter();
                    news.chain(Some(top.func))
                        .filter(|func| self.has_code[func.index()])
                        .for_each(|func| around.fast.hide(func));
                    let has_code = std::mem::take(&mut self.has_code);
                    let slice = slice.min(end - machine.tick);
                    let outcome = around.bridge(machine, mode, slice, Some(&has_code));
                    self.has_code = has_code;
                    if outcome == Outcome::Poll && machine.tick - before == slice {
                        if looks_close {
                            self.found_loop(around, machine);
                        } else {
                            self.found(around, machine);
                        }
                    }
                    outcome
                }
            };
            if outcome != Outcome::Poll || machine.tick >= end || around.has_ended_scopes(machine) {
                return outcome;
            }
            turns += 1;
            let is_raised = around.outside.interrupt.is_raised();
            if is_raised || turns.is_multiple_of(TURNS_PER_POLL) {
                return Outcome::Poll;
            }
        }
    }

    /// Code that there is already and that goes on from the machine's state.
    fn ready_entry(
        &mut self,
        around: &mut Around<'_>,
        machine: &Machine,
        top: Frame,
    ) -> Option<Entry> {
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
        self.checked(around, machine, top, unit)
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
            let probes = classic.conditional_probes(func);
            let unit = self.reserve_unit();
            match self.translate(store, machine, (func, start), (unit, &probes), false) {
                Ok(translated) => self.order(unit, (func, start), translated, begin.elapsed()),
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
        while self.receive(false) {}
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

//! Probes, inline: what they count and capture costs no exit.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};

use super::Translator;
use crate::abi::{Context, Reason};
use crate::probe::{CAPTURED_HEAD_WORDS, Capture, HitCounter, Probe, ProbeRule};

/// A counter, as it was read.
struct Counter {
    /// Where all of them lie.
    counters: Value,
    /// Where this one lies, in bytes from there.
    offset: i32,
    hits: Value,
    ignored: Value,
}

impl<'a> Translator<'a, '_> {
    /// Does what the probe at the present instruction is for, if there is one. Where a condition cannot be evaluated, the code may be left
    /// though an operand before decides: who looks at the exit decides again, and nothing has been counted or captured yet.
    pub(super) fn probe(&mut self) {
        let Some(probe) = self.present_probe() else {
            return;
        };
        let rule = &*probe.rule;
        let only_stops = rule.counter.is_none() && rule.capture.is_none();
        match &rule.condition {
            Some(condition) => {
                let mut outside = Vec::new();
                let value = self.condition_value(condition, &mut outside);
                let holds = self.builder.ins().icmp_imm_s(IntCC::NotEqual, value, 0);
                if only_stops {
                    let stops = self.any(outside, holds);
                    self.leave_if(stops, Reason::Probe);
                    return;
                }
                self.leave_if_any(outside);
                self.if_rare(holds, |this| this.hit(rule));
            }
            // A condition that is always true and that nobody knows: what follows must not become unreachable, or control
            // structure would be lost that code entered behind the probe needs.
            None if only_stops => {
                let limit = self.load_context(types::I64, offset_of!(Context, stack_limit) as i32);
                let always = self.builder.ins().icmp_imm_s(IntCC::NotEqual, limit, 0);
                self.leave_if(always, Reason::Probe);
            }
            None => self.hit(rule),
        }
    }

    /// The probe at the present instruction.
    pub(super) fn present_probe(&self) -> Option<&'a Probe> {
        let probes = self.job.probes;
        let position = probes.binary_search_by_key(&self.pc, |probe| probe.pc);
        Some(&probes[position.ok()?])
    }

    /// Counts, captures or leaves, where the condition holds.
    fn hit(&mut self, rule: &ProbeRule) {
        let counter = rule.counter.map(|number| self.counter(number));
        let is_due = counter.as_ref().map(|counter| {
            let ins = self.builder.ins();
            ins.icmp(
                IntCC::UnsignedGreaterThanOrEqual,
                counter.hits,
                counter.ignored,
            )
        });
        match (&rule.capture, is_due) {
            (Some(capture), Some(is_due)) => self.if_rare(is_due, |this| this.capture(capture)),
            (Some(capture), None) => self.capture(capture),
            (None, Some(is_due)) => self.leave_if(is_due, Reason::Probe),
            (None, None) => unreachable!("a probe that only stops is translated elsewhere"),
        }
        if let Some(counter) = counter {
            let hits = self.builder.ins().iadd_imm_s(counter.hits, 1);
            let flags = self.flags(self.regions.probes);
            let offset = counter.offset + offset_of!(HitCounter, hits) as i32;
            self.builder
                .ins()
                .store(flags, hits, counter.counters, offset);
        }
    }

    fn counter(&mut self, number: u32) -> Counter {
        let counters = self.load_constant_here(types::I64, offset_of!(Context, counters) as i32);
        let offset = (number as usize * size_of::<HitCounter>()) as i32;
        let flags = self.flags(self.regions.probes);
        let mut field = |field: usize| {
            let offset = offset + field as i32;
            let ins = self.builder.ins();
            ins.load(types::I64, flags, counters, offset)
        };
        Counter {
            hits: field(offset_of!(HitCounter, hits)),
            ignored: field(offset_of!(HitCounter, ignored)),
            counters,
            offset,
        }
    }

    /// Writes values down, or leaves if there is no room, or if one of them has none.
    fn capture(&mut self, capture: &Capture) {
        let next = self.load_context(types::I64, offset_of!(Context, capture_next) as i32);
        let end = self.load_context(types::I64, offset_of!(Context, capture_end) as i32);
        let words = CAPTURED_HEAD_WORDS + capture.values.len();
        let behind = self.builder.ins().iadd_imm_s(next, 8 * words as i64);
        let is_full = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedGreaterThan, behind, end);
        let mut obstacles = vec![is_full];
        let head = u64::from(capture.tag) | (capture.values.len() as u64) << 32;
        let mut cells = vec![self.constant(head), self.tick()];
        debug_assert_eq!(cells.len(), CAPTURED_HEAD_WORDS);
        for value in &capture.values {
            cells.push(self.condition_value(value, &mut obstacles));
        }
        self.leave_if_any(obstacles);
        let flags = self.flags(self.regions.probes);
        for (position, cell) in cells.into_iter().enumerate() {
            let offset = 8 * position as i32;
            self.builder.ins().store(flags, cell, next, offset);
        }
        self.store_context(behind, offset_of!(Context, capture_next) as i32);
    }

    /// The machine's clock.
    fn tick(&mut self) -> Value {
        let clock = self.builder.use_var(self.clock);
        let left = self.builder.ins().iadd_imm_s(clock, 1);
        let end = self.load_context(types::I64, offset_of!(Context, clock_end) as i32);
        self.builder.ins().isub(end, left)
    }

    fn leave_if_any(&mut self, obstacles: Vec<Value>) {
        let mut obstacles = obstacles.into_iter();
        if let Some(first) = obstacles.next() {
            let any = self.any(obstacles, first);
            self.leave_if(any, Reason::Probe);
        }
    }

    fn any(&mut self, others: impl IntoIterator<Item = Value>, first: Value) -> Value {
        let others = others.into_iter();
        others.fold(first, |any, other| self.builder.ins().bor(any, other))
    }
}

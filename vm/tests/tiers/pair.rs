//! Two machines that run the same program: one on the classic tier, and one that is put to the test.
//!
//! Whatever is done is done to both, and must leave both in the same state at the same time.

use std::collections::VecDeque;

use wdb_vm::address::{CodeAddress, FuncIndex, ModuleOffset};
use wdb_vm::exit::Exit;
use wdb_vm::machine::Time;
use wdb_vm::tier::{Compile, Tier};
use wdb_vm::value::Value;
use wdb_vm::vm::{Config, RunLimit, Vm};
use wdb_vm::watch::Watch;
use wdb_vm::{HitCounter, ProbeRule};

use crate::programs::{Guest, INSTANCE, Program};
use crate::rules::{Records, Sink};

/// How many actions are told of when something differs.
const HISTORY_LENGTH: usize = 12;

/// Deep stacks are compared in full only as far as their frames' places go: the values of so many frames at each end.
const FRAMES_IN_FULL: usize = 16;

/// The two machines.
pub(crate) struct Pair {
    /// It runs on the classic tier.
    oracle: Guest,
    /// What is tested.
    subject: Guest,
    program: Program,
    /// What was done last.
    history: VecDeque<String>,
    /// What the probes of both have written down.
    records: [Records; 2],
    /// Whether the subject may have written what the oracle has not written yet.
    runs_ahead: bool,
}

impl Pair {
    pub(crate) fn new(program: &Program, tier: Tier, compile: Compile) -> Pair {
        Pair {
            oracle: program.start(Tier::Classic, Compile::default()),
            subject: program.start(tier, compile),
            program: program.clone(),
            history: VecDeque::new(),
            records: [Records::default(), Records::default()],
            runs_ahead: false,
        }
    }

    /// The machine on the classic tier, to be looked at.
    pub(crate) fn oracle(&self) -> &Vm {
        &self.oracle.vm
    }

    /// The reasons why functions ran in another tier than the one tested.
    pub(crate) fn fallbacks(&self) -> Vec<String> {
        let stats = self.subject.vm.tier_stats().into_iter();
        let fallbacks = stats.flat_map(|stats| stats.fallbacks);
        fallbacks.map(|fallback| fallback.reason).collect()
    }

    pub(crate) fn time(&self) -> Time {
        self.oracle.vm.time()
    }

    fn note(&mut self, action: String) {
        if self.history.len() == HISTORY_LENGTH {
            self.history.pop_front();
        }
        self.history.push_back(action);
    }

    /// Does to both what no run is.
    fn on_both(&mut self, action: String, act: impl Fn(&mut Vm)) {
        self.note(action);
        act(&mut self.oracle.vm);
        act(&mut self.subject.vm);
    }

    /// Runs both.
    pub(crate) fn run(&mut self, limit: RunLimit) -> Exit {
        self.note(format!(
            "run {limit:?} on {}",
            self.subject.vm.tier().name()
        ));
        let expected = self.oracle.vm.run(limit);
        let found = self.subject.vm.run(limit);
        self.check_exits(&expected, &found);
        self.check_states();
        expected
    }

    /// Runs another machine to the end that the first one has come to.
    pub(crate) fn run_another_subject(&mut self, config: Config, expected: &Exit) {
        self.history.clear();
        self.note(format!("run with {config:?}"));
        self.subject = self.program.start_with(config);
        let found = self.subject.vm.run(RunLimit::default());
        self.check_exits(expected, &found);
        self.check_states();
    }

    /// Runs both up to a tick.
    pub(crate) fn run_to(&mut self, tick: u64) -> Exit {
        self.run(RunLimit {
            tick: Some(tick),
            ..RunLimit::default()
        })
    }

    /// Executes single instructions in both; the exit that is no step, if there is one.
    pub(crate) fn step(&mut self, count: u64) -> Option<Exit> {
        self.note(format!("step {count} on {}", self.subject.vm.tier().name()));
        for _ in 0..count {
            let expected = self.oracle.vm.step();
            let found = self.subject.vm.step();
            self.check_exits(&expected, &found);
            if expected != Exit::Stepped {
                self.check_states();
                return Some(expected);
            }
        }
        self.check_states();
        None
    }

    pub(crate) fn set_probe(&mut self, place: CodeAddress) {
        self.on_both(format!("probe {:#x}", place.pc.0), |vm| {
            vm.set_probe(place);
        });
    }

    pub(crate) fn clear_probe(&mut self, place: CodeAddress) {
        self.on_both(format!("no probe {:#x}", place.pc.0), |vm| {
            vm.clear_probe(place);
        });
    }

    /// Sets a probe where there is none, and takes away one that there is.
    pub(crate) fn toggle_probe(&mut self, place: CodeAddress) {
        let has_probe = self.oracle.vm.has_probe(place);
        assert_eq!(self.subject.vm.has_probe(place), has_probe);
        match has_probe {
            true => self.clear_probe(place),
            false => self.set_probe(place),
        }
    }

    /// Says what is done where a probe is arrived at.
    pub(crate) fn set_rule(&mut self, place: CodeAddress, rule: &ProbeRule) {
        self.on_both(format!("at {place:?} {rule:?}"), |vm| {
            vm.set_rule(place, rule.clone());
        });
    }

    /// Changes a counter of probes.
    pub(crate) fn set_counter(&mut self, number: u32, counter: HitCounter) {
        self.oracle.vm.set_counter(number, counter);
        self.subject.vm.set_counter(number, counter);
    }

    /// Takes note of what probes write down.
    pub(crate) fn take_records(&mut self) {
        let guests = [&mut self.oracle, &mut self.subject].into_iter();
        for (guest, records) in guests.zip(&self.records) {
            guest.vm.set_capture_sink(Some(Box::new(Sink {
                records: records.clone(),
                output: guest.output.clone(),
            })));
        }
    }

    /// What probes have counted and written down has to be the same.
    pub(crate) fn check_notes(&self, counters: u32) {
        for number in 0..counters {
            let counter = |guest: &Guest| guest.vm.counter(number);
            let (expected, found) = (counter(&self.oracle), counter(&self.subject));
            if expected != found {
                self.fail(&format!("counter {number} is {found:?}, not {expected:?}"));
            }
        }
        let [expected, found] = self.records.each_ref().map(Records::digest);
        if expected != found {
            self.fail(&format!("the records are {found:?}, not {expected:?}"));
        }
    }

    pub(crate) fn set_watches(&mut self, watches: &[Watch]) {
        self.on_both(format!("watch {watches:?}"), |vm| {
            vm.set_watches(watches.to_vec());
        });
    }

    pub(crate) fn stop_at_host_calls(&mut self, stops: bool) {
        self.on_both(format!("stop at host calls: {stops}"), |vm| {
            vm.stop_at_host_calls(stops);
        });
    }

    pub(crate) fn raise_interrupts(&mut self) {
        self.on_both("interrupt".to_owned(), |vm| vm.interrupt().raise());
    }

    pub(crate) fn set_local(&mut self, number: usize, index: u32, value: Value) {
        self.on_both(format!("local {index} of {number} = {value:?}"), |vm| {
            assert!(vm.set_local(number, index, value), "there is such a local");
        });
    }

    pub(crate) fn set_operand(&mut self, number: usize, index: u32, value: Value) {
        self.on_both(format!("operand {index} of {number} = {value:?}"), |vm| {
            assert!(
                vm.set_operand(number, index, value),
                "there is such an operand"
            );
        });
    }

    /// Changes what runs the subject.
    pub(crate) fn switch(&mut self, tier: Tier, compile: Compile) {
        self.note(format!("switch to {} {compile:?}", tier.name()));
        self.subject.vm.set_tier(tier);
        self.subject.vm.set_compile(compile);
        assert_eq!(self.subject.vm.tier(), tier);
    }

    /// Lets the subject alone run on and brings it back.
    pub(crate) fn run_ahead(&mut self, ticks: u64, tier: Tier) {
        self.note(format!("{ticks} ticks ahead and back on {}", tier.name()));
        let before = self.subject.vm.checkpoint(None);
        let tier_before = self.subject.vm.tier();
        self.subject.vm.set_tier(tier);
        let limit = RunLimit {
            tick: Some(self.time().tick + ticks),
            ..RunLimit::default()
        };
        self.subject.vm.run(limit);
        self.subject.vm.restore(&before);
        self.subject.vm.set_tier(tier_before);
        self.runs_ahead = true;
        self.check_states();
    }

    fn fail(&self, what: &str) -> ! {
        let actions: Vec<&str> = self.history.iter().map(String::as_str).collect();
        panic!(
            "{:?}: {what}\nclassic stands at {:?}, the other at {:?}, after\n  {}",
            self.program,
            self.oracle.vm.time(),
            self.subject.vm.time(),
            actions.join("\n  ")
        );
    }

    fn check_exits(&self, expected: &Exit, found: &Exit) {
        if expected != found {
            self.fail(&format!("{found:?}, where classic has {expected:?}"));
        }
    }

    fn check_states(&self) {
        let (expected, found) = (&self.oracle.vm, &self.subject.vm);
        if expected.time() != found.time() {
            self.fail("another time");
        }
        self.check_frames(expected, found);
        self.check_globals(expected, found);
        self.check_memories(expected, found);
        for index in 0..expected.module(INSTANCE).tables().len() as u32 {
            if expected.table(INSTANCE, index) != found.table(INSTANCE, index) {
                self.fail(&format!("another table {index}"));
            }
        }
        let (written, found_written) = (self.oracle.output.bytes(), self.subject.output.bytes());
        let is_right = match self.runs_ahead {
            true => found_written.starts_with(&written),
            false => found_written == written,
        };
        if !is_right {
            let text = String::from_utf8_lossy(&found_written).into_owned();
            self.fail(&format!("it wrote {text:?}"));
        }
    }

    fn check_frames(&self, expected: &Vm, found: &Vm) {
        let count = expected.frame_count();
        if found.frame_count() != count {
            self.fail(&format!("{} frames, not {count}", found.frame_count()));
        }
        for number in 0..count {
            let (frame, found_frame) = (expected.frame(number), found.frame(number));
            if frame != found_frame {
                self.fail(&format!("frame {number} is {found_frame:?}, not {frame:?}"));
            }
        }
        let outermost = FRAMES_IN_FULL.max(count.saturating_sub(FRAMES_IN_FULL));
        for number in (0..count.min(FRAMES_IN_FULL)).chain(outermost..count) {
            self.check_frame(expected, found, number);
        }
    }

    fn check_frame(&self, expected: &Vm, found: &Vm, number: usize) {
        let Some(shape) = expected.shape(number) else {
            self.fail(&format!("frame {number} stands at no instruction"));
        };
        let kinds = [
            ("local", &shape.locals),
            ("operand", &shape.operands),
            ("exception", &shape.exceptions),
        ];
        for (kind, slots) in kinds {
            for (index, slot) in slots.iter().enumerate() {
                let value = expected.slot_value(number, *slot);
                let found_value = found.slot_value(number, *slot);
                if value != found_value {
                    self.fail(&format!(
                        "{kind} {index} of frame {number} is {found_value:x?}, not {value:x?}"
                    ));
                }
            }
        }
    }

    fn check_globals(&self, expected: &Vm, found: &Vm) {
        for index in 0..expected.module(INSTANCE).globals().len() as u32 {
            let address = expected
                .global_addr(INSTANCE, index)
                .expect("the module has it");
            let (value, found_value) = (expected.global(address), found.global(address));
            if value != found_value {
                self.fail(&format!("global {index} is {found_value:?}, not {value:?}"));
            }
        }
    }

    fn check_memories(&self, expected: &Vm, found: &Vm) {
        for index in 0..expected.module(INSTANCE).memories().len() as u32 {
            let bytes = expected.memory(INSTANCE, index).expect("the module has it");
            let found_bytes = found.memory(INSTANCE, index).expect("the module has it");
            if bytes.len() != found_bytes.len() {
                self.fail(&format!(
                    "memory {index} has {} bytes, not {}",
                    found_bytes.len(),
                    bytes.len()
                ));
            }
            if bytes != found_bytes {
                let differs = |&at: &usize| bytes[at] != found_bytes[at];
                let at = (0..bytes.len()).find(differs).expect("they differ");
                self.fail(&format!(
                    "byte {at:#x} of memory {index} is {:#x}, not {:#x}",
                    found_bytes[at], bytes[at]
                ));
            }
        }
    }
}

/// The address of an instruction of the program.
pub(crate) fn place(pc: ModuleOffset) -> CodeAddress {
    CodeAddress {
        instance: INSTANCE,
        pc,
    }
}

/// The first instruction at or behind an offset, if a function's code lies there.
pub(crate) fn instruction_at(vm: &Vm, offset: u32) -> Option<CodeAddress> {
    let module = vm.module(INSTANCE);
    let func: FuncIndex = module.func_at(ModuleOffset(offset))?;
    let found = module.instructions(func).find(|it| it.pc.0 >= offset)?;
    Some(place(found.pc))
}

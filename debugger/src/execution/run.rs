//! Running until something stops the program.

use std::collections::BTreeSet;

use wdb_vm::ProbeRule;
use wdb_vm::address::ModuleOffset;
use wdb_vm::exit::Exit;
use wdb_vm::vm::{RunLimit, Vm};

use super::stop::{FrameIdentity, Stop};
use crate::breakpoints::{Condition, Kind};
use crate::debugger::{Debugger, code_address};
use crate::error::Error;
use crate::event::Event;
use crate::expression::evaluate::is_true;
use crate::format_text::PrintfFormat;
use crate::process::PROGRAM_INSTANCE;
use crate::view::ProgramState;

/// Where the innermost frame stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) depth: usize,
    pub(crate) func: wdb_vm::address::FuncAddr,
    pub(crate) pc: ModuleOffset,
}

impl Debugger {
    /// Fails if the program is not being run, or stands at a trap.
    pub(crate) fn expect_able_to_go_on(&self) -> Result<(), Error> {
        self.expect_alive()?;
        if self.state == ProgramState::Trapped {
            let is_uncaught = self.vm.borrow().thrown_exception().is_some();
            let what = if is_uncaught {
                "an exception that nothing handles"
            } else {
                "a trap"
            };
            return Err(Error::Other(format!(
                "The program stands at {what} and cannot go on; `run` starts it again."
            )));
        }
        Ok(())
    }

    /// Goes on until a breakpoint or another reason to stop (`continue`).
    pub(crate) fn resume(&mut self) -> Result<(), Error> {
        self.execute(|debugger| debugger.run_until(&[], &|_| false))
    }

    /// Lets the program go on as `go` has it, and settles the stop.
    pub(crate) fn execute(&mut self, go: impl FnOnce(&mut Debugger) -> Stop) -> Result<(), Error> {
        let (stop, before) = self.go(go)?;
        self.settle(&stop, before.as_ref());
        Ok(())
    }

    /// Lets the program go on as `go` has it. The caller settles the stop.
    pub(crate) fn go(
        &mut self,
        go: impl FnOnce(&mut Debugger) -> Stop,
    ) -> Result<(Stop, Option<FrameIdentity>), Error> {
        self.expect_able_to_go_on()?;
        let before = self.frames().next();
        let depth = self.vm.get_mut().frame_count();
        let before = before.map(|frame| FrameIdentity::of(&frame, depth));
        self.take_snapshot();
        self.look_at_watchpoints();
        self.state = ProgramState::Running;
        self.last_stop = None;
        self.hidden_inlines = 0;
        self.shared.send(&Event::Running);
        self.shared.begin_run();
        let stop = go(self);
        self.shared.end_run();
        self.state = ProgramState::Stopped;
        Ok((stop, before))
    }

    /// Where the innermost frame stands; `None` when no frame is left or begun.
    pub(crate) fn position(&mut self) -> Option<Position> {
        let vm = self.vm.get_mut();
        let frame = vm.frame(0)?;
        Some(Position {
            depth: vm.frame_count(),
            func: frame.func,
            pc: frame.pc,
        })
    }

    /// Runs at full speed until a breakpoint stops the program, or until the machine stands at one of `places` and `is_goal`
    /// holds.
    pub(super) fn run_until(
        &mut self,
        places: &[ModuleOffset],
        is_goal: &dyn Fn(&Vm) -> bool,
    ) -> Stop {
        self.run_from(places, is_goal, RunLimit::default())
    }

    /// Like [`Debugger::run_until`], with what else ends the run, or counts at its start.
    pub(crate) fn run_from(
        &mut self,
        places: &[ModuleOffset],
        is_goal: &dyn Fn(&Vm) -> bool,
        limit: RunLimit,
    ) -> Stop {
        let added: Vec<ModuleOffset> = places
            .iter()
            .filter(|pc| !self.applied_probes.contains_key(pc))
            .copied()
            .collect();
        for pc in &added {
            self.vm.get_mut().set_probe(code_address(*pc));
        }
        // Where the run is to end it ends whatever the rules of breakpoints are.
        let is_ruled = |pc: &&ModuleOffset| matches!(self.applied_probes.get(pc), Some(rule) if !rule.always_stops());
        let ruled: Vec<ModuleOffset> = places.iter().filter(is_ruled).copied().collect();
        for pc in &ruled {
            let vm = self.vm.get_mut();
            vm.set_rule(code_address(*pc), ProbeRule::default());
        }
        let stop = self.run_to_stop(places, is_goal, limit);
        for pc in &ruled {
            if let Some(rule) = self.applied_probes.get(pc) {
                let vm = self.vm.get_mut();
                vm.set_rule(code_address(*pc), rule.clone());
            }
        }
        for pc in &added {
            self.vm.get_mut().clear_probe(code_address(*pc));
        }
        stop
    }

    /// Runs the machine, which counts hits of breakpoints where it decides them alone.
    fn run_machine(&mut self, limit: RunLimit) -> Exit {
        let vm = self.vm.get_mut();
        let numbers = self.applied_probes.values().filter_map(|rule| rule.counter);
        let numbers: BTreeSet<u32> = numbers.collect();
        for &number in &numbers {
            if let Ok(breakpoint) = self.breakpoints.get(number) {
                vm.set_counter(number, breakpoint.hit_counter());
            }
        }
        let exit = vm.run(limit);
        for &number in &numbers {
            if let Ok(breakpoint) = self.breakpoints.get_mut(number) {
                breakpoint.take_counter(vm.counter(number));
            }
        }
        exit
    }

    fn run_to_stop(
        &mut self,
        places: &[ModuleOffset],
        is_goal: &dyn Fn(&Vm) -> bool,
        mut limit: RunLimit,
    ) -> Stop {
        let landing_depth = limit.landing_depth;
        if self.catches_landings {
            limit.landing_depth = Some(usize::MAX);
        }
        loop {
            if self.are_conditions_stale.get() {
                self.apply_probes();
            }
            let exit = self.run_machine(limit);
            limit.probe_at_start = false;
            if exit == Exit::Probe {
                let Some(position) = self.position() else {
                    continue;
                };
                if let Some(stop) = self.breakpoint_stop(position.pc) {
                    return stop;
                }
                if places.contains(&position.pc) && is_goal(self.vm.get_mut()) {
                    return Stop::Arrived;
                }
                continue;
            }
            if let Exit::Landed(exception) = &exit {
                if let Some(stop) = self.caught_stop(exception) {
                    return stop;
                }
                // A breakpoint where it lands counts.
                let count = self.vm.get_mut().frame_count();
                if landing_depth.is_some_and(|depth| count <= depth) {
                    let at = self.position().map(|position| position.pc);
                    let stop = at.and_then(|pc| self.breakpoint_stop(pc));
                    return stop.unwrap_or(Stop::Landed);
                }
                limit.probe_at_start = true;
                continue;
            }
            // What follows is no stop at a place: a breakpoint here was not told yet.
            limit.probe_at_start = matches!(exit, Exit::Watch(_));
            if let Some(stop) = self.stop_of(exit) {
                return stop;
            }
        }
    }

    /// What an exit of the machine means; `None` when the program goes on.
    pub(super) fn stop_of(&mut self, exit: Exit) -> Option<Stop> {
        match exit {
            Exit::Watch(hits) => self.watch_stop(&hits),
            Exit::HostCall(func) => self.host_call_stop(func),
            Exit::Throw(exception) => self.throw_stop(&exception),
            Exit::Uncaught(exception) => Some(self.uncaught_stop(&exception)),
            Exit::Trap(trap) => Some(self.trap_stop(trap.to_string())),
            exit => Stop::of_exit(exit),
        }
    }

    /// Executes one instruction. Breakpoints on the next one stop the program.
    pub(crate) fn step_instruction(&mut self) -> Option<Stop> {
        if self.shared.is_cancelled() {
            return Some(Stop::Interrupted);
        }
        let exit = self.vm.get_mut().step();
        if let Some(stop) = self.stop_of(exit) {
            return Some(stop);
        }
        if self.catches_landings
            && let Some(exception) = self.vm.get_mut().take_landed()
            && let Some(stop) = self.caught_stop(&exception)
        {
            return Some(stop);
        }
        let position = self.position()?;
        self.breakpoint_stop(position.pc)
    }

    /// The stop at the enabled breakpoints of a place whose conditions hold; counts their hits.
    pub(super) fn breakpoint_stop(&mut self, pc: ModuleOffset) -> Option<Stop> {
        if !self.applied_probes.contains_key(&pc) {
            return None;
        }
        let mut stopping = Vec::new();
        for number in self.breakpoints.enabled_at(pc) {
            let Ok(breakpoint) = self.breakpoints.get(number) else {
                continue;
            };
            if let Some(condition) = breakpoint.condition.clone()
                && !self.holds(number, pc, &condition)
            {
                continue;
            }
            let Ok(breakpoint) = self.breakpoints.get_mut(number) else {
                continue;
            };
            if breakpoint.count_hit() {
                match breakpoint.kind.clone() {
                    Kind::Printer { format, .. } => self.print_at(number, pc, &format),
                    _ => stopping.push(number),
                }
            }
        }
        (!stopping.is_empty()).then_some(Stop::Breakpoint(stopping))
    }

    /// Whether a breakpoint's condition holds. One that cannot be evaluated stops the program, as in gdb.
    pub(crate) fn holds(&mut self, number: u32, pc: ModuleOffset, condition: &Condition) -> bool {
        self.state = ProgramState::Stopped;
        let breakpoint = self.breakpoints.get(number);
        self.hidden_inlines = breakpoint.map_or(0, |it| it.hidden_inlines(&self.program, pc));
        let innermost = self.frames().next();
        let result = innermost.map(|frame| is_true(&self.scope_of(frame), &condition.node));
        self.state = ProgramState::Running;
        self.hidden_inlines = 0;
        match result {
            Some(Ok(holds)) => holds,
            Some(Err(error)) => {
                self.tell_condition_error(number, &error);
                true
            }
            None => true,
        }
    }

    /// Prints what a `dprintf` says of the place where the program stands.
    fn print_at(&mut self, number: u32, pc: ModuleOffset, format: &PrintfFormat) {
        self.state = ProgramState::Stopped;
        let breakpoint = self.breakpoints.get(number);
        self.hidden_inlines = breakpoint.map_or(0, |it| it.hidden_inlines(&self.program, pc));
        let innermost = self.frames().next();
        let text = innermost.map(|frame| format.render(&self.scope_of(frame)));
        self.state = ProgramState::Running;
        self.hidden_inlines = 0;
        match text {
            Some(Ok(text)) => self.print_text(&text),
            Some(Err(error)) => {
                self.end_line();
                self.print_text(&format!("dprintf {number}: {error}\n"));
            }
            None => {}
        }
    }

    pub(crate) fn tell_condition_error(&self, number: u32, error: &Error) {
        self.shared.send(&Event::Error(format!(
            "Error in testing condition for breakpoint {number}: {error}"
        )));
    }

    /// Runs until the frames above a depth have returned, or an exception has left them.
    pub(super) fn run_to_depth(&mut self, depth: usize) -> Stop {
        let vm = self.vm.get_mut();
        let above = vm.frame_count().saturating_sub(depth);
        let Some(frame) = vm.frame(above).filter(|_| depth > 0) else {
            return self.run_until(&[], &|_| false);
        };
        debug_assert_eq!(frame.instance, PROGRAM_INSTANCE, "there is one instance");
        let limit = RunLimit {
            landing_depth: Some(depth),
            ..RunLimit::default()
        };
        self.run_from(&[frame.pc], &|vm| vm.frame_count() <= depth, limit)
    }
}

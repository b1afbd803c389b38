//! Leaving functions, and running to a location.

use std::collections::BTreeSet;

use wdb_dwarf::{Notation, Place, TypeKind, TypeRef, Value};
use wdb_vm::address::ModuleOffset;
use wdb_vm::value::Value as MachineValue;
use wdb_vm::vm::{RunLimit, Vm};

use super::stop::Stop;
use crate::commands::FormatSpec;
use crate::debugger::Debugger;
use crate::error::Error;
use crate::expression::Scope;
use crate::frames::Frame;
use crate::report::Report;

impl Debugger {
    /// Runs until the selected frame has returned, and tells what it returned.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        let frame = self.expect_frame()?;
        let caller = self.frames().nth(frame.index + 1);
        if caller.is_none() {
            return Err(Error::other(
                "\"finish\" not meaningful in the outermost frame.",
            ));
        }
        self.expect_able_to_go_on()?;
        if self.is_outside_bodies() {
            let mut report = self.frame_report(&frame, Some(frame.index), false);
            report.code = crate::report::CodeReport::None;
            let told = Report::Frame(report).text();
            self.say(format!("Run till exit from {told}"));
        }
        if frame.is_inlined() {
            return self.execute(|debugger| debugger.leave_inlined(&frame));
        }
        // The result of a struct lies where the caller said, in a hidden first parameter.
        let hidden = match self.vm.get_mut().local(frame.machine, 0) {
            Some(MachineValue::I32(address)) => Some(u64::from(address.cast_unsigned())),
            Some(MachineValue::I64(address)) => Some(address.cast_unsigned()),
            _ => None,
        };
        let depth = self.vm.get_mut().frame_count() - frame.machine - 1;
        let (stop, before) = self.go(|debugger| debugger.run_to_depth(depth))?;
        self.settle(&stop, before.as_ref());
        if stop != Stop::Arrived {
            return Ok(());
        }
        for value in self.returned_values(&frame, hidden) {
            self.tell_value(value, FormatSpec::default(), true)?;
        }
        Ok(())
    }

    /// Steps until the code of an inlined call is left.
    fn leave_inlined(&mut self, frame: &Frame) -> Stop {
        let depth = self.vm.get_mut().frame_count() - frame.machine;
        if frame.machine > 0 {
            match self.run_to_depth(depth) {
                Stop::Arrived | Stop::Landed => {}
                stop => return stop,
            }
        }
        let ranges = frame.place().inlined_ranges.clone();
        loop {
            let Some(now) = self.position() else {
                return Stop::Arrived;
            };
            if now.depth > depth {
                match self.run_to_depth(depth) {
                    Stop::Arrived | Stop::Landed => continue,
                    stop => return stop,
                }
            }
            let at = self.program.code_offset(now.pc);
            let is_inside = at.is_some_and(|at| ranges.iter().any(|range| range.contains(&at)));
            if now.depth < depth || !is_inside {
                return Stop::Arrived;
            }
            if let Some(stop) = self.step_instruction() {
                return stop;
            }
        }
    }

    /// What the function of a frame that is gone has returned; wasm knows functions with several results.
    fn returned_values(&self, frame: &Frame, hidden: Option<u64>) -> Vec<Value> {
        let ty = self.program.module().func_type(frame.func_index());
        let is_plain = frame.place().return_type.is_none();
        let scope = self.scope();
        let operands = scope.target().shape().map(|shape| shape.operands.len());
        match operands.and_then(|operands| operands.checked_sub(ty.results().len())) {
            Some(first) if is_plain && ty.results().len() > 1 => (0..ty.results().len())
                .filter_map(|index| scope.dollar(&format!("stack{}", first + index)).ok())
                .collect(),
            _ => self.returned_value(frame, hidden).into_iter().collect(),
        }
    }

    /// What the function of a frame that is gone has returned.
    fn returned_value(&self, frame: &Frame, hidden: Option<u64>) -> Option<Value> {
        let program = &self.program;
        let results = program.module().func_type(frame.func_index()).results();
        let scope = self.scope();
        let info = program.info();
        let operands = scope.target().shape()?.operands.len();
        let on_stack = || {
            let index = u32::try_from(operands.checked_sub(results.len())?).ok()?;
            Some(Place::Operand(index))
        };
        match frame.place().return_type {
            // Debug info of text modules tells no results, though there are some. Those of C++'s constructors are none of
            // the source's.
            Some(TypeRef::VOID) if results.is_empty() || self.is_cpp(frame) => None,
            Some(type_ref) if !results.is_empty() && type_ref != TypeRef::VOID => {
                Some(scope.inspector().read(type_ref, on_stack()?))
            }
            Some(type_ref) if type_ref != TypeRef::VOID => {
                let is_record = matches!(
                    info.type_of(info.resolve(type_ref)).kind,
                    TypeKind::Record(_)
                );
                let place = Place::Memory(hidden.filter(|_| is_record)?);
                Some(scope.inspector().read(type_ref, place))
            }
            _ => {
                let index = operands.checked_sub(results.len())?;
                (!results.is_empty())
                    .then(|| scope.dollar(&format!("stack{index}")).ok())
                    .flatten()
            }
        }
    }

    fn is_cpp(&self, frame: &Frame) -> bool {
        let info = self.program.info();
        let at = frame.code_offset(&self.program);
        let function = at.and_then(|at| info.function_at(at));
        function.is_some_and(|it| info.type_of(info.function_type(it.id)).notation == Notation::Cpp)
    }

    /// Runs to a location; the end of the selected frame stops it too. `stays` keeps calls of the same function from
    /// stopping it (`until`, not `advance`).
    ///
    /// `inlined` are those of the goals that lie in an inlined call which begins there.
    pub(crate) fn run_to(
        &mut self,
        goals: &[ModuleOffset],
        inlined: &BTreeSet<ModuleOffset>,
        stays: bool,
    ) -> Result<(), Error> {
        let frame = self.expect_frame()?;
        let vm = self.vm.get_mut();
        let depth = vm.frame_count() - frame.machine;
        let caller = vm.frame(frame.machine + 1).map(|caller| caller.pc);
        let mut places = goals.to_vec();
        places.extend(caller);
        let goals = goals.to_vec();
        let limit = RunLimit {
            landing_depth: Some(depth - 1),
            ..RunLimit::default()
        };
        self.execute(|debugger| {
            let is_goal = move |vm: &Vm| {
                let Some(now) = vm.frame(0) else { return false };
                let count = vm.frame_count();
                let is_returned = count < depth && Some(now.pc) == caller;
                let is_arrived = goals.contains(&now.pc) && (!stays || count <= depth);
                is_returned || is_arrived
            };
            let stop = debugger.run_from(&places, &is_goal, limit);
            match debugger.position() {
                // The goal is the call itself, and not the code around it.
                Some(now) if stop == Stop::Arrived && inlined.contains(&now.pc) => {
                    debugger.hidden_inlines = 0;
                    Stop::Line
                }
                _ => stop,
            }
        })
    }
}

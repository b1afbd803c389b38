//! Stepping by source line and by instruction.

use std::ops::Range;
use std::sync::Arc;

use wdb_dwarf::{CodeOffset, LineRow};
use wdb_vm::address::{FuncAddr, ModuleOffset};

use super::run::Position;
use super::stop::Stop;
use crate::debugger::Debugger;
use crate::error::Error;
use crate::report::Report;

/// What a step goes by, and whether it goes into calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StepKind {
    /// `step`
    LineInto,
    /// `next`
    LineOver,
    /// `until`: like `next`, but never back to an earlier line of a loop.
    LineForward,
    /// `stepi`
    InstructionInto,
    /// `nexti`
    InstructionOver,
}

/// Where a step by line began.
struct Origin {
    depth: usize,
    func: FuncAddr,
    /// How many inlined calls lie around the instruction.
    inline_depth: usize,
    /// The code of the line.
    range: Range<CodeOffset>,
    file: Arc<str>,
    line: u32,
    /// The column, if a step ends at another one.
    column: Option<u32>,
    /// Where `until` began: it does not stop before.
    floor: Option<ModuleOffset>,
    /// Whether functions whose source cannot be shown are passed over.
    passes_missing_sources: bool,
}

/// What to do after an instruction of a step by line.
enum Verdict {
    GoOn,
    Done { hidden_inlines: usize },
}

impl Debugger {
    /// Steps so many times; anything else that stops the program ends it.
    pub(crate) fn step(&mut self, kind: StepKind, count: u64) -> Result<(), Error> {
        self.expect_alive()?;
        let by_line = !matches!(kind, StepKind::InstructionInto | StepKind::InstructionOver);
        if by_line && let Some(function) = self.function_without_lines() {
            self.answer(Report::Text(format!(
                "Single stepping until exit from function {function},\nwhich has no line number information."
            )));
        }
        let mut hidden_inlines = self.hidden_inlines;
        self.execute(|debugger| {
            let mut stop = Stop::Stepped;
            for _ in 0..count {
                stop = match kind {
                    StepKind::InstructionInto => debugger.step_instruction_once(false),
                    StepKind::InstructionOver => debugger.step_instruction_once(true),
                    _ => debugger.step_line(kind, hidden_inlines),
                };
                if !matches!(
                    stop,
                    Stop::Line | Stop::Stepped | Stop::Arrived | Stop::Landed
                ) {
                    break;
                }
                hidden_inlines = debugger.hidden_inlines;
            }
            stop
        })
    }

    /// The function of the innermost frame, if no source line is known for where it stands.
    fn function_without_lines(&self) -> Option<Arc<str>> {
        let frame = self.frames().next()?;
        let is_unknown = frame.location().is_none();
        is_unknown.then(|| frame.function().clone())
    }

    fn step_instruction_once(&mut self, is_over: bool) -> Stop {
        let depth = self.vm.get_mut().frame_count();
        if let Some(stop) = self.step_instruction() {
            return stop;
        }
        if is_over && self.vm.get_mut().frame_count() > depth {
            return match self.run_to_depth(depth) {
                Stop::Arrived | Stop::Landed => Stop::Stepped,
                stop => stop,
            };
        }
        Stop::Stepped
    }

    /// Steps to another line. Of the inlined calls that begin where the program stands, `hidden_inlines` are not entered.
    fn step_line(&mut self, kind: StepKind, hidden_inlines: usize) -> Stop {
        if kind == StepKind::LineInto
            && hidden_inlines > 0
            && self.is_worth_entering(hidden_inlines)
        {
            // To enter an inlined call executes nothing.
            self.hidden_inlines = hidden_inlines - 1;
            return Stop::Line;
        }
        self.hidden_inlines = 0;
        let Some(mut origin) = self.origin(kind, hidden_inlines) else {
            return self.step_out_to_line();
        };
        let mut before = self.position();
        loop {
            if let Some(stop) = self.step_instruction() {
                return stop;
            }
            let Some(mut now) = self.position() else {
                continue;
            };
            if now.depth > origin.depth || (now.depth == origin.depth && now.func != origin.func) {
                // A call, or a tail call, which takes the frame's place.
                let return_depth = now.depth.min(origin.depth + 1) - 1;
                match self.enter_or_pass(kind, &origin, now, return_depth) {
                    Stop::Arrived | Stop::Landed => {}
                    stop => return stop,
                }
                match self.position() {
                    Some(after) => now = after,
                    None => continue,
                }
            }
            if now.depth < origin.depth {
                return self.arrive_in_caller();
            }
            match self.judge(kind, &mut origin, before, now) {
                Verdict::GoOn => before = Some(now),
                Verdict::Done { hidden_inlines } => {
                    self.hidden_inlines = hidden_inlines;
                    return Stop::Line;
                }
            }
        }
    }

    /// Whether the next of the inlined calls that begin where the program stands has a source that can be shown, or the code
    /// around it has none either.
    fn is_worth_entering(&mut self, hidden_inlines: usize) -> bool {
        let Some(position) = self.position() else {
            return false;
        };
        let places = self.program.places_at(position.pc);
        let has_source = |inline: usize| {
            let location = places.get(inline).and_then(|place| place.location.as_ref());
            location.is_some_and(|location| self.program.has_source(&location.file))
        };
        self.settings.stops_in_functions_without_lines
            || has_source(hidden_inlines - 1)
            || !has_source(hidden_inlines)
    }

    /// Where a step by line begins; `None` where no line is known.
    fn origin(&mut self, kind: StepKind, hidden_inlines: usize) -> Option<Origin> {
        let position = self.position()?;
        let at = self.program.code_offset(position.pc)?;
        let row = self.program.info().line_row(at)?;
        let places = self.program.places_at(position.pc);
        let location = places.get(hidden_inlines)?.location.clone()?;
        Some(Origin {
            depth: position.depth,
            func: position.func,
            inline_depth: places.len() - 1 - hidden_inlines,
            // The row belongs to the innermost of the inlined calls.
            range: if hidden_inlines == 0 {
                self.range_of_step(&row)
            } else {
                at..at
            },
            line: location.line,
            column: self.settings.steps_by_column.then_some(location.column),
            floor: (kind == StepKind::LineForward).then_some(position.pc),
            // Where no source is there at all, there is nothing to choose by.
            passes_missing_sources: !self.settings.stops_in_functions_without_lines
                && self.program.has_source(&location.file),
            file: location.file,
        })
    }

    /// The code that a step by line, or by column, does not end in.
    fn range_of_step(&self, row: &LineRow) -> Range<CodeOffset> {
        match self.settings.steps_by_column {
            true => row.range.clone(),
            false => row.line_range.clone(),
        }
    }

    /// After a call: into the function that was called, if it has lines and that is wanted, else until it has returned.
    /// [`Stop::Arrived`] says that the caller is reached again, [`Stop::Landed`] that an exception was handled there or further out, [`Stop::Line`] that the step is done.
    fn enter_or_pass(
        &mut self,
        kind: StepKind,
        origin: &Origin,
        now: Position,
        return_depth: usize,
    ) -> Stop {
        let target = (kind == StepKind::LineInto)
            .then(|| self.after_prologue(now.pc, origin.passes_missing_sources));
        if let Some(target) = target.flatten() {
            if target != now.pc {
                let stop = self.run_until(&[target], &|vm| vm.frame_count() == now.depth);
                if stop != Stop::Arrived {
                    return stop;
                }
            }
            return Stop::Line;
        }
        if kind == StepKind::LineInto && self.settings.stops_in_functions_without_lines {
            return Stop::Line;
        }
        self.run_to_depth(return_depth)
    }

    /// The instruction after the prologue of the function that begins at `pc`; `None` when it has no lines, or, if that
    /// matters, no source.
    fn after_prologue(&self, pc: ModuleOffset, needs_source: bool) -> Option<ModuleOffset> {
        let info = self.program.info();
        let function = info.function_at(self.program.code_offset(pc)?)?;
        let target = self
            .program
            .instruction_at(info.breakpoint_address(&function))?;
        let location = info.location(self.program.code_offset(target)?)?;
        let is_shown = (!needs_source || self.program.has_source(&location.file))
            && !self.skips.passes(&function.name, Some(&location.file));
        (location.line > 0 && is_shown).then_some(target)
    }

    /// After the return from the function in which the step began: the caller's line, or that of the first caller that has
    /// one.
    fn arrive_in_caller(&mut self) -> Stop {
        let has_line = self
            .position()
            .and_then(|now| self.program.code_offset(now.pc))
            .and_then(|at| self.program.info().location(at))
            .is_some_and(|location| location.line > 0);
        if has_line {
            Stop::Line
        } else {
            self.step_out_to_line()
        }
    }

    /// Leaves functions without lines.
    fn step_out_to_line(&mut self) -> Stop {
        let depth = self.vm.get_mut().frame_count();
        match self.run_to_depth(depth.saturating_sub(1)) {
            Stop::Arrived | Stop::Landed => self.arrive_in_caller(),
            stop => stop,
        }
    }

    /// Whether an instruction of the function in which the step began ends the step.
    fn judge(
        &self,
        kind: StepKind,
        origin: &mut Origin,
        before: Option<Position>,
        now: Position,
    ) -> Verdict {
        let Some(at) = self.program.code_offset(now.pc) else {
            return Verdict::GoOn;
        };
        if origin.range.contains(&at) {
            return Verdict::GoOn;
        }
        let Some(row) = self.program.info().line_row(at) else {
            return Verdict::GoOn;
        };
        let places = self.program.places_at(now.pc);
        let mut hidden_inlines = self.program.inlined_starts(now.pc);
        let mut inline_depth = places.len() - 1 - hidden_inlines;
        let line_at = |hidden_inlines: usize| {
            let location = places[hidden_inlines].location.as_ref();
            location.map(|location| (location.line, location.file.clone()))
        };
        let column_at = |hidden_inlines: usize| {
            let location = places[hidden_inlines].location.as_ref();
            location.map_or(0, |location| location.column)
        };
        let is_origin_line = |found: &Option<(u32, Arc<str>)>| {
            found
                .as_ref()
                .is_some_and(|(line, file)| *line == origin.line && *file == origin.file)
        };
        let is_shown = |found: &Option<(u32, Arc<str>)>| {
            !origin.passes_missing_sources
                || found
                    .as_ref()
                    .is_some_and(|(_, file)| self.program.has_source(file))
        };
        let mut line = line_at(hidden_inlines);
        if kind == StepKind::LineInto
            && hidden_inlines > 0
            && inline_depth == origin.inline_depth
            && is_origin_line(&line)
            && is_shown(&line_at(hidden_inlines - 1))
        {
            // A call in this line, which begins here.
            hidden_inlines -= 1;
            inline_depth += 1;
            line = line_at(hidden_inlines);
        }
        // The body of an inlined call belongs to the line that calls it.
        if inline_depth > origin.inline_depth && (kind != StepKind::LineInto || !is_shown(&line)) {
            return Verdict::GoOn;
        }
        if inline_depth == origin.inline_depth && is_origin_line(&line) {
            // Compilers mark only the first column of a line as a statement's beginning.
            let column = column_at(hidden_inlines);
            let is_other_column = origin.column.is_some_and(|it| it != column && column > 0);
            if is_other_column && row.range.start == at {
                return Verdict::Done { hidden_inlines };
            }
            if hidden_inlines == 0 {
                origin.range = self.range_of_step(&row);
            }
            return Verdict::GoOn;
        }
        // In the middle of a row nothing begins, unless a branch leads there: a branch to a loop lands behind the `loop`
        // instruction, with which the row may begin.
        let before = before.and_then(|before| self.program.code_offset(before.pc));
        let is_entered =
            row.range.start == at || before.is_none_or(|before| !row.range.contains(&before));
        let is_backward = origin.floor.is_some_and(|floor| now.pc <= floor);
        if row.location.line > 0 && line.is_some() && row.is_stmt && is_entered && !is_backward {
            Verdict::Done { hidden_inlines }
        } else {
            Verdict::GoOn
        }
    }
}

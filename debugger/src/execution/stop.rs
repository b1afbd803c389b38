//! Why the program stopped, and what follows from it.

use std::sync::Arc;

use wdb_vm::exit::Exit;
use wdb_vm::value::Value;
use wdb_vm::watch::{WatchEvent, WatchKind};

use crate::breakpoints::{Breakpoint, Disposition, Kind};
use crate::debugger::Debugger;
use crate::event::Event;
use crate::remote::WatchAccess;
use crate::report::{ExceptionEvent, ExceptionReport, Report, StopReason, StopReport};
use crate::view::ProgramState;
use crate::watchpoints::WatchStop;

/// Why the program stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// At enabled breakpoints whose conditions hold, ascending by number.
    Breakpoint(Vec<u32>),
    /// A catchpoint's event, in words.
    Catchpoint {
        number: u32,
        event: String,
    },
    /// A watchpoint's hit, or its end.
    Watchpoint(WatchStop),
    /// A remote client's watchpoint: the first byte that it watches, and what it waits for.
    RemoteWatch {
        address: u64,
        access: WatchAccess,
    },
    /// A step by line is done.
    Line,
    /// A step by instruction is done.
    Stepped,
    /// A location was reached, or a function was left.
    Arrived,
    /// An exception was handled by the frame that a run was to return to, or by one further out.
    Landed,
    Interrupted,
    Trap(String),
    /// What happened to an exception.
    Exception {
        /// The catchpoint that waited for it.
        number: Option<u32>,
        event: ExceptionEvent,
        exception: Box<ExceptionReport>,
    },
    HostResource(String),
    Deadlock(String),
    Exited(u32),
    /// The invoked function returned.
    Finished(Vec<Value>),
}

impl Stop {
    /// What an exit of the machine means; `None` when it can go on at once. A probe and what catchpoints wait for are for
    /// the caller to judge.
    pub(super) fn of_exit(exit: Exit) -> Option<Stop> {
        match exit {
            Exit::Stepped
            | Exit::Probe
            | Exit::Tick
            | Exit::Watch(_)
            | Exit::HostCall(_)
            | Exit::Throw(_)
            | Exit::Uncaught(_) => None,
            Exit::Landed(_) => Some(Stop::Landed),
            Exit::Interrupted => Some(Stop::Interrupted),
            Exit::Trap(trap) => Some(Stop::Trap(trap.to_string())),
            Exit::HostResource(what) => Some(Stop::HostResource(what)),
            Exit::Deadlock(what) => Some(Stop::Deadlock(what)),
            Exit::ProcExit(status) => Some(Stop::Exited(status)),
            Exit::Finished(values) => Some(Stop::Finished(values)),
        }
    }
}

impl Debugger {
    /// Takes note of a stop, tells it, and shows the front ends the program.
    ///
    /// `function_before` is the function and depth in which the command began: a step that stays there tells the
    /// source line only.
    pub(crate) fn settle(&mut self, stop: &Stop, before: Option<&FrameIdentity>) {
        self.selected = 0;
        self.last_stop = Some(stop.clone());
        self.hidden_inlines = self.hidden_inlines_at(stop);
        self.list.forget();
        self.is_view_stale = true;
        self.state = match stop {
            Stop::Trap(_)
            | Stop::Exception {
                event: ExceptionEvent::Uncaught,
                ..
            } => ProgramState::Trapped,
            Stop::Exited(status) => ProgramState::Exited(*status),
            Stop::Finished(_) => ProgramState::Exited(0),
            _ => ProgramState::Stopped,
        };
        let is_over = matches!(self.state, ProgramState::Exited(_));
        if is_over {
            self.vm.get_mut().abandon();
        }
        let numbers = match stop {
            Stop::Breakpoint(numbers) => &**numbers,
            Stop::Watchpoint(WatchStop { number, .. }) | Stop::Catchpoint { number, .. } => {
                std::slice::from_ref(number)
            }
            Stop::Exception { number, .. } => number.as_slice(),
            _ => &[],
        };
        let is_silent = self.begin_stop_actions(numbers);
        self.tell_stop(stop, before, is_silent);
        self.dispose(numbers);
        if !is_over && !is_silent {
            self.show_displays();
        }
        // What is performed now may let the program go on at once, which front ends need not draw.
        self.owes_stop = self.has_stop_actions();
        if !self.owes_stop {
            self.send_stopped();
        }
    }

    /// Sends the view of a stop.
    pub(crate) fn send_stopped(&mut self) {
        let view = Arc::new(self.build_view());
        self.is_view_stale = false;
        self.owes_stop = false;
        self.shared.set_view(view.clone());
        self.shared.send(&Event::Stopped(view));
    }

    /// How many of the inlined calls that begin where the program stopped count as not entered.
    fn hidden_inlines_at(&self, stop: &Stop) -> usize {
        let frame = self.vm.borrow().frame(0);
        let Some(pc) = frame.map(|frame| frame.pc) else {
            return 0;
        };
        match stop {
            // The step has found out.
            Stop::Line => self.hidden_inlines,
            Stop::Arrived => self.program.inlined_starts(pc),
            Stop::Breakpoint(numbers) => {
                let stopping = numbers
                    .iter()
                    .filter_map(|it| self.breakpoints.get(*it).ok());
                let hidden = stopping.map(|it| it.hidden_inlines(&self.program, pc));
                hidden.min().unwrap_or(0)
            }
            _ => 0,
        }
    }

    fn tell_stop(&mut self, stop: &Stop, before: Option<&FrameIdentity>, is_silent: bool) {
        if let Stop::Finished(values) = stop
            && self.options.invoke.is_some()
        {
            let results = values.iter().map(|&value| self.slot_text(Some(value)));
            let results = results.collect();
            let reason = StopReason::Returned {
                function: self.invoked_name(),
                results,
            };
            self.answer(Report::Stop(StopReport {
                reason,
                frame: None,
            }));
        }
        let reason = match stop {
            Stop::Breakpoint(numbers) => {
                let number = numbers.first().copied().unwrap_or(0);
                let found = self.breakpoints.get(number);
                if let Ok(Breakpoint {
                    kind: Kind::Catchpoint(catch),
                    ..
                }) = found
                {
                    StopReason::Catchpoint {
                        number,
                        event: catch.text(),
                    }
                } else {
                    StopReason::Breakpoint {
                        number,
                        is_temporary: found.is_ok_and(|it| it.disposition == Disposition::Delete),
                    }
                }
            }
            Stop::Catchpoint { number, event } => StopReason::Catchpoint {
                number: *number,
                event: event.clone(),
            },
            Stop::Watchpoint(watch) => watch_reason(watch),
            Stop::RemoteWatch { address, .. } => StopReason::RemoteWatch { address: *address },
            Stop::Line => StopReason::Step,
            Stop::Stepped | Stop::Arrived | Stop::Landed => StopReason::Arrived,
            Stop::Interrupted => StopReason::Interrupted,
            Stop::Trap(trap) => StopReason::Trap(trap.clone()),
            Stop::Exception {
                number,
                event,
                exception,
            } => StopReason::Exception {
                number: *number,
                event: *event,
                exception: exception.clone(),
            },
            Stop::HostResource(what) => StopReason::HostResource(what.clone()),
            Stop::Deadlock(what) => StopReason::Deadlock(what.clone()),
            Stop::Exited(status) => StopReason::Exited(*status),
            Stop::Finished(_) => StopReason::Exited(0),
        };
        let innermost = self.frames().next();
        let frame = innermost.map(|frame| {
            let mut report = self.frame_report(&frame, None, true);
            let is_step = matches!(reason, StopReason::Step | StopReason::Arrived);
            let here = FrameIdentity::of(&frame, self.vm.borrow().frame_count());
            report.is_brief = is_step && before == Some(&here) && frame.location().is_some();
            // A line is stepped to as a whole, also where a loop enters it behind its first instruction.
            if reason == StopReason::Step && !self.settings.steps_by_column {
                report.is_within_line = false;
            }
            report
        });
        let report = Report::Stop(StopReport { reason, frame });
        self.reason = report
            .text()
            .trim_start()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned();
        if !is_silent {
            self.answer(report);
        }
    }

    /// Breakpoints that stop only once go away or are disabled.
    fn dispose(&mut self, numbers: &[u32]) {
        for number in numbers {
            let Ok(breakpoint) = self.breakpoints.get_mut(*number) else {
                continue;
            };
            match breakpoint.disposition {
                Disposition::Keep => continue,
                Disposition::Disable => breakpoint.enabled = false,
                Disposition::Delete => {
                    let _ = self.breakpoints.remove(*number);
                }
            }
            self.apply_probes();
        }
    }

    fn invoked_name(&self) -> String {
        let invoked = self.options.invoke.as_ref();
        invoked.map_or_else(|| "_start".to_owned(), |(name, _)| name.clone())
    }
}

fn watch_reason(watch: &WatchStop) -> StopReason {
    if watch.event == WatchEvent::ScopeEnded {
        return StopReason::WatchScope {
            number: watch.number,
        };
    }
    StopReason::Watchpoint {
        number: watch.number,
        kind: match watch.kind {
            WatchKind::Change => "Hardware watchpoint",
            WatchKind::Read => "Hardware read watchpoint",
            WatchKind::Access => "Hardware access (read/write) watchpoint",
        },
        expression: watch.expression.clone(),
        old: (watch.event == WatchEvent::Changed && watch.kind != WatchKind::Read)
            .then(|| watch.old.clone()),
        new: watch.new.clone(),
    }
}

/// Which call a frame is, as far as one step can tell: its depth and its function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FrameIdentity {
    depth: usize,
    inline_depth: usize,
    function: Arc<str>,
}

impl FrameIdentity {
    pub(super) fn of(frame: &crate::frames::Frame, frame_count: usize) -> FrameIdentity {
        FrameIdentity {
            depth: frame_count - frame.machine,
            inline_depth: frame.inline_depth(),
            function: frame.function().clone(),
        }
    }
}

//! Catchpoints: stops at what the program does, wherever it does it.

use wdb_vm::address::{FuncAddr, FuncIndex, ModuleOffset};
use wdb_vm::exceptions::Exception;
use wdb_vm::isa::Op;

use crate::breakpoints::{Breakpoint, Catch, Kind};
use crate::debugger::Debugger;
use crate::execution::Stop;
use crate::report::ExceptionEvent;

/// The host function that ends a program.
const EXIT_FUNCTION: &str = "proc_exit";

impl Debugger {
    /// The places in the code at which a catchpoint stops; none for those that the machine tells of.
    pub(crate) fn catch_places(&self, catch: &Catch) -> Vec<ModuleOffset> {
        let module = self.program.module();
        match catch {
            Catch::Grow => {
                let funcs = module.imported_func_count()..module.func_count();
                let instructions = funcs.flat_map(|func| module.instructions(FuncIndex(func)));
                instructions
                    .filter(|instruction| instruction.op == Op::MemoryGrow)
                    .map(|instruction| instruction.pc)
                    .collect()
            }
            Catch::Start => {
                let entry = crate::process::entry(&self.program, &self.options)
                    .ok()
                    .flatten();
                let first = module.start().or(entry.map(|entry| entry.func));
                let body = first.and_then(|func| module.func_body(func));
                body.map(|body| ModuleOffset(body.code.start))
                    .into_iter()
                    .collect()
            }
            Catch::Exit => {
                // The program also ends when its entry function returns.
                let entry = crate::process::entry(&self.program, &self.options)
                    .ok()
                    .flatten();
                let func = entry.map(|entry| entry.func);
                let body = func.and_then(|func| Some((func, module.func_body(func)?)));
                let Some((func, body)) = body else {
                    return Vec::new();
                };
                let returns = module.instructions(func).filter(|instruction| {
                    instruction.op == Op::Return || instruction.next.0 == body.code.end
                });
                returns.map(|instruction| instruction.pc).collect()
            }
            Catch::Trap
            | Catch::Throw(_)
            | Catch::Rethrow(_)
            | Catch::Caught(_)
            | Catch::Uncaught
            | Catch::HostCall(_) => Vec::new(),
        }
    }

    /// Makes the machine tell of calls of the host while a catchpoint waits for them.
    pub(crate) fn apply_catches(&mut self) {
        let is_needed = self.breakpoints.iter().any(|it| {
            it.enabled && matches!(it.kind, Kind::Catchpoint(Catch::HostCall(_) | Catch::Exit))
        });
        if is_needed != self.catches_host_calls {
            self.catches_host_calls = is_needed;
            self.vm.get_mut().stop_at_host_calls(is_needed);
        }
        let waits_for = |is_meant: fn(&Catch) -> bool| {
            let mut enabled = self.breakpoints.iter().filter(|it| it.enabled);
            enabled.any(|it| matches!(&it.kind, Kind::Catchpoint(catch) if is_meant(catch)))
        };
        self.catches_landings = waits_for(|catch| matches!(catch, Catch::Caught(_)));
        let is_needed = waits_for(|catch| matches!(catch, Catch::Throw(_) | Catch::Rethrow(_)));
        if is_needed != self.catches_throws {
            self.catches_throws = is_needed;
            self.vm.get_mut().stop_at_throws(is_needed);
        }
    }

    /// The stop before a call of the host, if a catchpoint waits for it.
    pub(crate) fn host_call_stop(&mut self, func: FuncAddr) -> Option<Stop> {
        let found = self.vm.get_mut().func_instance(func);
        let (instance, index) = found?;
        let module = self.vm.get_mut().module(instance).clone();
        let imports = module.imports().iter();
        let mut funcs =
            imports.filter(|import| matches!(import.ty, wdb_vm::module::ImportType::Func(_)));
        let name = funcs.nth(index.0 as usize)?.name.clone();
        let is_meant = |breakpoint: &Breakpoint| match &breakpoint.kind {
            Kind::Catchpoint(Catch::HostCall(None)) => true,
            Kind::Catchpoint(Catch::HostCall(Some(wanted))) => *wanted == name,
            Kind::Catchpoint(Catch::Exit) => name == EXIT_FUNCTION,
            _ => false,
        };
        self.catch_stop(is_meant, &format!("call to host function {name}"))
    }

    /// The stop at a trap, which a catchpoint may have waited for.
    pub(crate) fn trap_stop(&mut self, trap: String) -> Stop {
        let is_meant =
            |breakpoint: &Breakpoint| matches!(breakpoint.kind, Kind::Catchpoint(Catch::Trap));
        // A trap stops the program in any case; the catchpoint counts it.
        let _ = self.catch_stop(is_meant, "trap");
        Stop::Trap(trap)
    }

    /// The stop before an exception is thrown, if a catchpoint waits for it.
    pub(crate) fn throw_stop(&mut self, exception: &Exception) -> Option<Stop> {
        // In C++ a clause that only calls destructors throws again; the language knows nothing of it.
        if exception.is_rethrown && self.source_exception(exception).is_some() {
            return None;
        }
        let event = if exception.is_rethrown || self.rethrows_in_cpp() {
            ExceptionEvent::Rethrown
        } else {
            ExceptionEvent::Thrown
        };
        self.exception_stop(event, exception)
    }

    /// Whether the throwing instruction belongs to `throw;` in C++, which makes a new exception for the machine.
    fn rethrows_in_cpp(&self) -> bool {
        let vm = self.vm.borrow();
        let mut innermost = (0..3).filter_map(|number| vm.frame(number));
        innermost
            .any(|frame| vm.module(frame.instance).func_name(frame.index) == Some("__cxa_rethrow"))
    }

    /// The stop where an exception was handled, if a catchpoint waits for it.
    pub(crate) fn caught_stop(&mut self, exception: &Exception) -> Option<Stop> {
        // In C++ such clauses call destructors; `catch (...)` has a tag like all others.
        let is_cleanup = exception.handler.is_some_and(|handler| handler.catches_all)
            && self.source_exception(exception).is_some();
        if is_cleanup {
            return None;
        }
        self.exception_stop(ExceptionEvent::Caught, exception)
    }

    /// The stop at an exception that nothing handles. It stops the program in any case; a catchpoint may count it.
    pub(crate) fn uncaught_stop(&mut self, exception: &Exception) -> Stop {
        let stop = self.exception_stop(ExceptionEvent::Uncaught, exception);
        stop.unwrap_or_else(|| Stop::Exception {
            number: None,
            event: ExceptionEvent::Uncaught,
            exception: Box::new(self.exception_report(exception)),
        })
    }

    fn exception_stop(&mut self, event: ExceptionEvent, exception: &Exception) -> Option<Stop> {
        let is_meant = |catch: &Catch| match (catch, event) {
            (Catch::Throw(filter), ExceptionEvent::Thrown)
            | (Catch::Rethrow(filter), ExceptionEvent::Rethrown)
            | (Catch::Caught(filter), ExceptionEvent::Caught) => self.is_wanted(filter, exception),
            (Catch::Uncaught, ExceptionEvent::Uncaught) => true,
            _ => false,
        };
        let meant = self.breakpoints.iter().filter(|it| {
            it.enabled && matches!(&it.kind, Kind::Catchpoint(catch) if is_meant(catch))
        });
        let number = self.hit(meant.map(|it| it.number).collect())?;
        Some(Stop::Exception {
            number: Some(number),
            event,
            exception: Box::new(self.exception_report(exception)),
        })
    }

    fn catch_stop(&mut self, is_meant: impl Fn(&Breakpoint) -> bool, event: &str) -> Option<Stop> {
        let meant = self.breakpoints.iter();
        let meant = meant.filter(|breakpoint| breakpoint.enabled && is_meant(breakpoint));
        let number = self.hit(meant.map(|breakpoint| breakpoint.number).collect())?;
        Some(Stop::Catchpoint {
            number,
            event: event.to_owned(),
        })
    }

    /// Counts a hit of each of these catchpoints whose condition holds; the first that stops the program.
    fn hit(&mut self, numbers: Vec<u32>) -> Option<u32> {
        let mut stopping = None;
        for number in numbers {
            if !self.condition_holds(number) {
                continue;
            }
            if let Ok(breakpoint) = self.breakpoints.get_mut(number)
                && breakpoint.count_hit()
            {
                stopping.get_or_insert(number);
            }
        }
        stopping
    }

    fn condition_holds(&mut self, number: u32) -> bool {
        let breakpoint = self.breakpoints.get(number).ok();
        let condition = breakpoint.and_then(|breakpoint| breakpoint.condition.clone());
        let pc = self.vm.get_mut().frame(0).map(|frame| frame.pc);
        match (condition, pc) {
            (Some(condition), Some(pc)) => self.holds(number, pc, &condition),
            _ => true,
        }
    }
}

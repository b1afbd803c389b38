//! Catchpoints: stops at what the program does, wherever it does it.

use wdb_vm::address::{FuncAddr, FuncIndex, ModuleOffset};
use wdb_vm::exceptions::Exception;
use wdb_vm::isa::Op;

use crate::breakpoints::{Breakpoint, Catch, Kind};
use crate::debugger::Debugger;
use crate::execution::Stop;

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
            Catch::Trap | Catch::Throw | Catch::Uncaught | Catch::HostCall(_) => Vec::new(),
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
        let is_needed = self
            .breakpoints
            .iter()
            .any(|it| it.enabled && matches!(it.kind, Kind::Catchpoint(Catch::Throw)));
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
        let is_meant =
            |breakpoint: &Breakpoint| matches!(breakpoint.kind, Kind::Catchpoint(Catch::Throw));
        let text = self.vm.get_mut().exception_text(exception);
        let fate = if exception.handler.is_some() {
            ""
        } else {
            ", which nothing handles"
        };
        self.catch_stop(is_meant, &format!("exception thrown: {text}{fate}"))
    }

    /// The stop at an exception that nothing handles, which a catchpoint may have waited for.
    pub(crate) fn uncaught_stop(&mut self, exception: &Exception) -> Stop {
        let is_meant =
            |breakpoint: &Breakpoint| matches!(breakpoint.kind, Kind::Catchpoint(Catch::Uncaught));
        let text = self.vm.get_mut().exception_text(exception);
        // It stops the program in any case; the catchpoint counts it.
        let _ = self.catch_stop(is_meant, "uncaught exception");
        Stop::Uncaught(text)
    }

    fn catch_stop(&mut self, is_meant: impl Fn(&Breakpoint) -> bool, event: &str) -> Option<Stop> {
        let numbers: Vec<u32> = self
            .breakpoints
            .iter()
            .filter(|breakpoint| breakpoint.enabled && is_meant(breakpoint))
            .map(|breakpoint| breakpoint.number)
            .collect();
        let mut stop = None;
        for number in numbers {
            if !self.condition_holds(number) {
                continue;
            }
            if let Ok(breakpoint) = self.breakpoints.get_mut(number)
                && breakpoint.count_hit()
            {
                stop.get_or_insert(Stop::Catchpoint {
                    number,
                    event: event.to_owned(),
                });
            }
        }
        stop
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

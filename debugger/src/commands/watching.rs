//! Commands that set watchpoints and catchpoints.

use wdb_vm::watch::WatchKind;

use crate::breakpoints::{Breakpoint, Catch, Disposition, Kind, for_people};
use crate::commands::breakpoints::{parse_condition, split_condition};
use crate::commands::lldb;
use crate::commands::words::first_word;
use crate::debugger::Debugger;
use crate::error::Error;
use crate::format_text::PrintfFormat;
use crate::location::{Location, inlined_places};
use crate::report::Report;

pub(super) fn watch(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let title = "Hardware watchpoint";
    let result = set_watchpoint(debugger, arguments, WatchKind::Change, title);
    // lldb's users shorten `watchpoint` to `wa`, which is `watch` here.
    match result {
        Err(_) if lldb::fits("watchpoint", arguments) => {
            lldb::perform(debugger, "watchpoint", arguments)
        }
        result => result,
    }
}

pub(super) fn rwatch(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    set_watchpoint(
        debugger,
        arguments,
        WatchKind::Read,
        "Hardware read watchpoint",
    )
}

pub(super) fn awatch(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let title = "Hardware access (read/write) watchpoint";
    set_watchpoint(debugger, arguments, WatchKind::Access, title)
}

fn set_watchpoint(
    debugger: &mut Debugger,
    arguments: &str,
    kind: WatchKind,
    title: &str,
) -> Result<(), Error> {
    let (expression, condition) = split_condition(arguments);
    let place_only = ["-location", "-l"].into_iter().find_map(|option| {
        let rest = expression.strip_prefix(option)?;
        rest.starts_with(char::is_whitespace).then(|| rest.trim())
    });
    let expression = match place_only {
        Some(expression) => debugger.location_expression(expression)?,
        None => expression.to_owned(),
    };
    if expression.is_empty() {
        return Err(Error::other("Argument required (expression to compute)."));
    }
    let watchpoint = debugger.watchpoint(&expression, kind)?;
    let condition = condition
        .map(|text| parse_condition(debugger, text))
        .transpose()?;
    let breakpoint = debugger.breakpoints.add(|number| Breakpoint {
        kind: Kind::Watchpoint(watchpoint),
        condition,
        ..Breakpoint::new(number, &*expression)
    });
    let number = breakpoint.number;
    debugger.apply_probes();
    debugger.say(format!("{title} {number}: {expression}"));
    Ok(())
}

impl Debugger {
    /// An expression for the place of another, which means the same in every frame.
    fn location_expression(&mut self, text: &str) -> Result<String, Error> {
        let address = self.evaluate(&format!("&({text})"))?;
        let name = self.program.info().type_name(address.type_ref);
        let scope = self.scope();
        let inspector = crate::expression::Scope::inspector(&scope);
        match inspector.scalar(&address)? {
            wdb_dwarf::Scalar::Integer(address) => Ok(format!("*({name}) 0x{address:x}")),
            wdb_dwarf::Scalar::Float(_) => Err(Error::other("This has no address.")),
        }
    }
}

/// `dprintf LOCATION,"FORMAT",ARGUMENTS`
pub(super) fn dprintf(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let usage = || {
        Error::other("dprintf needs a place and a text, as in `dprintf fib.c:9,\"n is %d\\n\",n`.")
    };
    let (spec, text) = arguments.split_once(',').ok_or_else(usage)?;
    let (spec, text) = (spec.trim(), text.trim());
    if spec.is_empty() || text.is_empty() {
        return Err(usage());
    }
    let format = PrintfFormat::parse(debugger, text)?;
    let location = Location::parse(spec)?;
    let pcs = debugger.resolve(&location)?;
    let inlined = inlined_places(&debugger.program, &location, &pcs);
    let breakpoint = debugger.breakpoints.add(|number| Breakpoint {
        kind: Kind::Printer {
            text: text.to_owned(),
            format,
        },
        location: Some(location),
        pcs,
        inlined,
        ..Breakpoint::new(number, spec)
    });
    let view = breakpoint.view(&debugger.program);
    let view = for_people(&debugger.program, view);
    debugger.apply_probes();
    let told = Report::BreakpointSet(view).text();
    debugger.say(told.replacen("Breakpoint", "Dprintf", 1));
    Ok(())
}

pub(super) fn catch(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    set_catchpoint(debugger, arguments, Disposition::Keep)
}

pub(super) fn tcatch(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    set_catchpoint(debugger, arguments, Disposition::Delete)
}

fn set_catchpoint(
    debugger: &mut Debugger,
    arguments: &str,
    disposition: Disposition,
) -> Result<(), Error> {
    let (event, condition) = split_condition(arguments);
    let (word, rest) = first_word(event);
    let rest = rest.trim();
    let catch = match word {
        "trap" | "signal" => Catch::Trap,
        "throw" => Catch::Throw(debugger.exception_filter(rest)?),
        "rethrow" => Catch::Rethrow(debugger.exception_filter(rest)?),
        "catch" => Catch::Caught(debugger.exception_filter(rest)?),
        "uncaught" => Catch::Uncaught,
        "host-call" | "syscall" => Catch::HostCall((!rest.is_empty()).then(|| rest.to_owned())),
        "grow" => Catch::Grow,
        "start" | "exec" => Catch::Start,
        "exit" => Catch::Exit,
        "" => {
            return Err(Error::other(
                "catch needs an event: trap, throw, rethrow, catch or uncaught, host-call [NAME], grow, start or exit.",
            ));
        }
        word => {
            return Err(Error::Other(format!(
                "There is no event {word} to catch; there are trap, throw, rethrow, catch and uncaught, host-call [NAME], grow, start and exit."
            )));
        }
    };
    if let Catch::HostCall(Some(name)) = &catch {
        let imports = debugger.program.module().imports();
        if !imports.iter().any(|import| import.name == *name) {
            return Err(Error::Other(format!(
                "The program does not import {name}; `info imports` lists what it does."
            )));
        }
    }
    let pcs = debugger.catch_places(&catch);
    if catch == Catch::Grow && pcs.is_empty() {
        return Err(Error::other("The program has no memory.grow instruction."));
    }
    let condition = condition
        .map(|text| parse_condition(debugger, text))
        .transpose()?;
    let text = catch.text();
    let breakpoint = debugger.breakpoints.add(|number| Breakpoint {
        kind: Kind::Catchpoint(catch),
        pcs,
        disposition,
        condition,
        ..Breakpoint::new(number, &*text)
    });
    let number = breakpoint.number;
    debugger.apply_probes();
    debugger.say(format!("Catchpoint {number} ({text})"));
    Ok(())
}

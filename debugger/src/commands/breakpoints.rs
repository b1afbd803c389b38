//! Commands about breakpoints.

use std::collections::BTreeSet;

use wdb_vm::address::ModuleOffset;

use crate::breakpoints::{Breakpoint, Condition, Disposition, Kind, for_people};
use crate::commands::lldb;
use crate::commands::words::first_word;
use crate::debugger::Debugger;
use crate::error::Error;
use crate::location::{Location, function_places, inlined_places};
use crate::report::Report;

pub(super) fn break_(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    // lldb's users shorten `breakpoint` to `br`, which is `break` here.
    let (word, _) = first_word(arguments);
    if lldb::fits("breakpoint", arguments) && function_places(&debugger.program, word).is_empty() {
        return lldb::perform(debugger, "breakpoint", arguments);
    }
    set(debugger, arguments, Disposition::Keep)
}

pub(super) fn tbreak(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    set(debugger, arguments, Disposition::Delete)
}

fn set(debugger: &mut Debugger, arguments: &str, disposition: Disposition) -> Result<(), Error> {
    let (spec, condition) = split_condition(arguments);
    let (spec, location, pcs, inlined) = if spec.is_empty() {
        // The selected frame's place; of a caller, where it goes on.
        let frame = debugger.expect_frame().map_err(|_| {
            Error::other("A location is expected: a function, FILE:LINE, LINE or *OFFSET.")
        })?;
        let pc = frame.pc();
        let location = Location::Address(pc.to_string());
        (format!("*{pc}"), location, vec![pc], BTreeSet::from([pc]))
    } else {
        let location = Location::parse(spec)?;
        let pcs = match debugger.resolve(&location) {
            Err(error) if debugger.settings.keeps_pending => {
                debugger.say(error.to_string());
                Vec::new()
            }
            result => result?,
        };
        let inlined = inlined_places(&debugger.program, &location, &pcs);
        (spec.to_owned(), location, pcs, inlined)
    };
    let condition = condition
        .map(|text| parse_condition(debugger, text))
        .transpose()?;
    if let (Some(condition), Some(pc)) = (&condition, pcs.first()) {
        debugger.check_names(&condition.node, *pc)?;
    }
    debugger.tell_of_others(&pcs);
    let moved = debugger.moved_line(&spec, &pcs);
    let make = |number| Breakpoint {
        location: Some(location),
        pcs,
        inlined,
        disposition,
        condition,
        ..Breakpoint::new(number, spec)
    };
    add(debugger, make);
    if let Some((wanted, found)) = moved {
        debugger.say(format!(
            "Line {wanted} has no code; the next line that has some is {found}."
        ));
    }
    Ok(())
}

fn add(debugger: &mut Debugger, make: impl FnOnce(u32) -> Breakpoint) {
    let breakpoint = debugger.breakpoints.add(make);
    let view = breakpoint.view(&debugger.program);
    let view = for_people(&debugger.program, view);
    debugger.apply_probes();
    debugger.answer(Report::BreakpointSet(view));
}

impl Debugger {
    /// Sets a temporary breakpoint on places that a command knows by itself.
    pub(super) fn add_temporary(&mut self, spec: &str, pcs: &[ModuleOffset]) {
        add(self, |number| Breakpoint {
            location: Some(Location::Function(spec.to_owned())),
            pcs: pcs.to_vec(),
            disposition: Disposition::Delete,
            ..Breakpoint::new(number, spec)
        });
    }

    /// Lets the breakpoint at which the program stands pass over hits, so that the `count`th one stops (`continue N`).
    pub(super) fn ignore_here(&mut self, count: i64) -> Result<(), Error> {
        let ignored = u64::try_from(count.saturating_sub(1)).unwrap_or(0);
        let pc = self.frames().next().map(|frame| frame.pc());
        let here = pc.map_or_else(Vec::new, |pc| self.breakpoints.enabled_at(pc));
        let Some(number) = here.first().copied() else {
            self.say("Not stopped at any breakpoint; argument ignored.");
            return Ok(());
        };
        self.breakpoints.get_mut(number)?.pass_over(ignored);
        self.apply_probes();
        if ignored > 0 {
            self.say(ignored_text(number, ignored));
        }
        Ok(())
    }

    /// Names the breakpoints that stop at one of these places already.
    fn tell_of_others(&mut self, pcs: &[ModuleOffset]) {
        for pc in pcs {
            let others: Vec<String> = self
                .breakpoints
                .iter()
                .filter(|it| it.pcs.contains(pc))
                .map(|it| match it.enabled {
                    true => it.number.to_string(),
                    false => format!("{} (disabled)", it.number),
                })
                .collect();
            let Some((last, before)) = others.split_last() else {
                continue;
            };
            let list = match before {
                [] => format!("breakpoint {last}"),
                before => format!("breakpoints {} and {last}", before.join(", ")),
            };
            self.say(format!("Note: {list} also set at {pc}."));
        }
    }

    /// The line that a location names and the one that it stands for, if that one is not the same.
    fn moved_line(&self, spec: &str, pcs: &[ModuleOffset]) -> Option<(u32, u32)> {
        let wanted = match Location::parse(spec).ok()? {
            Location::Line(line) | Location::FileLine(_, line) => line,
            Location::Offset(offset) => {
                let line = i64::from(self.current_line()?.line) + offset;
                u32::try_from(line).ok()?
            }
            _ => return None,
        };
        let mut locations = Vec::new();
        for pc in pcs {
            let places = self.program.places_at(*pc);
            locations.extend(places.iter().filter_map(|place| place.location.clone()));
        }
        let after = locations.iter().filter(|location| location.line > wanted);
        let found = after.min_by_key(|location| location.line)?;
        // The line of a function's head has code, though a breakpoint goes behind the prologue.
        let has_code = locations.iter().any(|location| location.line == wanted)
            || (self.program.info().lines_with_code(&found.file)).contains(&wanted);
        (!has_code).then_some((wanted, found.line))
    }
}

pub(super) fn delete(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let arguments = match first_word(arguments) {
        ("display", rest) => return super::display::undisplay(debugger, rest),
        ("breakpoints", rest) => rest,
        _ => arguments,
    };
    if arguments.is_empty() {
        debugger.breakpoints.clear();
    } else {
        for number in numbers(debugger, arguments)? {
            debugger.breakpoints.remove(number)?;
        }
    }
    debugger.apply_probes();
    Ok(())
}

/// Deletes the breakpoints at a location.
pub(super) fn clear(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let (pcs, is_line) = if arguments.is_empty() {
        (vec![debugger.expect_frame()?.pc()], true)
    } else {
        let location = Location::parse(arguments)?;
        let is_line = matches!(
            location,
            Location::Line(_) | Location::Offset(_) | Location::FileLine(..)
        );
        (debugger.resolve(&location)?, is_line)
    };
    // A line means all that stops anywhere in it.
    let line_at = |pc: &ModuleOffset| {
        let places = debugger.program.places_at(*pc);
        let location = places.first()?.location.clone()?;
        Some((location.file, location.line))
    };
    let lines: Vec<_> = match is_line {
        true => pcs.iter().filter_map(line_at).collect(),
        false => Vec::new(),
    };
    let is_here = |pc: &ModuleOffset| {
        pcs.contains(pc) || line_at(pc).is_some_and(|line| lines.contains(&line))
    };
    let here: Vec<u32> = debugger
        .breakpoints
        .iter()
        .filter(|breakpoint| breakpoint.pcs.iter().any(is_here))
        .map(|breakpoint| breakpoint.number)
        .collect();
    if here.is_empty() {
        let place = if arguments.is_empty() {
            "this place"
        } else {
            arguments
        };
        return Err(Error::Other(format!("No breakpoint at {place}.")));
    }
    for number in &here {
        debugger.breakpoints.remove(*number)?;
    }
    debugger.apply_probes();
    let list: Vec<String> = here.iter().map(ToString::to_string).collect();
    let noun = if here.len() == 1 {
        "breakpoint"
    } else {
        "breakpoints"
    };
    debugger.say(format!("Deleted {noun} {}", list.join(" ")));
    Ok(())
}

pub(super) fn enable(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let (disposition, arguments) = match first_word(arguments) {
        ("once", rest) => (Some(Disposition::Disable), rest),
        ("count", rest) => return enable_count(debugger, rest),
        ("delete" | "del", rest) => (Some(Disposition::Delete), rest),
        ("keep", rest) => (Some(Disposition::Keep), rest),
        ("display" | "disp", rest) => return super::display::enable(debugger, rest, true),
        ("breakpoints", rest) => (None, rest),
        _ => (None, arguments),
    };
    for number in numbers_or_all(debugger, arguments)? {
        let breakpoint = debugger.breakpoints.get_mut(number)?;
        breakpoint.enabled = true;
        if let Some(disposition) = disposition {
            breakpoint.disposition = disposition;
        }
    }
    debugger.apply_probes();
    Ok(())
}

/// `enable count COUNT NUMBERS`: enables for so many stops.
fn enable_count(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let (count, rest) = first_word(arguments);
    let count = debugger.evaluate_count(count)?;
    let count = u64::try_from(count).ok().filter(|count| *count > 0);
    let count = count.ok_or_else(|| Error::other("The count must be positive."))?;
    for number in numbers_or_all(debugger, rest)? {
        let breakpoint = debugger.breakpoints.get_mut(number)?;
        breakpoint.enabled = true;
        breakpoint.disposition = Disposition::Keep;
        breakpoint.stops_left = Some(count);
    }
    debugger.apply_probes();
    Ok(())
}

pub(super) fn disable(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let arguments = match first_word(arguments) {
        ("display" | "disp", rest) => return super::display::enable(debugger, rest, false),
        ("breakpoints", rest) => rest,
        _ => arguments,
    };
    for number in numbers_or_all(debugger, arguments)? {
        debugger.breakpoints.get_mut(number)?.enabled = false;
    }
    debugger.apply_probes();
    Ok(())
}

pub(super) fn condition(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let (number, text) = first_word(arguments);
    let number = one_number(debugger, number).ok_or_else(|| {
        Error::other("condition needs a breakpoint's number, as in `condition 2 n == 3`.")
    })?;
    debugger.breakpoints.get(number)?;
    if text.is_empty() {
        debugger.breakpoints.get_mut(number)?.condition = None;
        debugger.say(format!("Breakpoint {number} now unconditional."));
    } else {
        let condition = parse_condition(debugger, text)?;
        debugger.breakpoints.get_mut(number)?.condition = Some(condition);
    }
    debugger.apply_probes();
    Ok(())
}

pub(super) fn ignore(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let (number, count) = first_word(arguments);
    let usage =
        || Error::other("ignore needs a breakpoint's number and a count, as in `ignore 2 10`.");
    let number = one_number(debugger, number).ok_or_else(usage)?;
    if count.is_empty() {
        return Err(usage());
    }
    let count = u64::try_from(debugger.evaluate_count(count)?.max(0)).unwrap_or(0);
    debugger.breakpoints.get_mut(number)?.pass_over(count);
    debugger.apply_probes();
    debugger.say(ignored_text(number, count));
    Ok(())
}

fn ignored_text(number: u32, count: u64) -> String {
    match count {
        0 => format!("Will stop next time breakpoint {number} is reached."),
        1 => format!("Will ignore next crossing of breakpoint {number}."),
        count => format!("Will ignore next {count} crossings of breakpoint {number}."),
    }
}

/// `info breakpoints`
pub(super) fn info(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    list(debugger, arguments, |_| true)
}

/// `info watchpoints`
pub(super) fn info_watchpoints(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let is_watchpoint = |breakpoint: &Breakpoint| matches!(breakpoint.kind, Kind::Watchpoint(_));
    if arguments.is_empty() && !debugger.breakpoints.iter().any(is_watchpoint) {
        debugger.say("No watchpoints.");
        return Ok(());
    }
    list(debugger, arguments, is_watchpoint)
}

fn list(
    debugger: &mut Debugger,
    arguments: &str,
    is_listed: impl Fn(&Breakpoint) -> bool,
) -> Result<(), Error> {
    let wanted = match arguments {
        "" => None,
        arguments => Some(numbers(debugger, arguments)?),
    };
    let is_wanted = |number: u32| {
        wanted
            .as_ref()
            .is_none_or(|wanted| wanted.contains(&number))
    };
    let reports: Vec<_> = debugger
        .breakpoints
        .iter()
        .filter(|breakpoint| is_wanted(breakpoint.number) && is_listed(breakpoint))
        .map(|breakpoint| breakpoint.report(&debugger.program))
        .collect();
    if reports.is_empty() && wanted.is_some() {
        debugger.say(format!(
            "No breakpoint or watchpoint matching '{arguments}'."
        ));
        return Ok(());
    }
    debugger.answer(Report::Breakpoints(reports));
    Ok(())
}

/// Parses a condition, whose names need not be known before the program is there: only their spelling is checked.
pub(super) fn parse_condition(debugger: &Debugger, text: &str) -> Result<Condition, Error> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::other("A condition is expected after `if`."));
    }
    Ok(Condition {
        text: text.to_owned(),
        node: debugger.parse_expression(text)?,
    })
}

/// Splits `LOCATION if CONDITION`.
pub(super) fn split_condition(arguments: &str) -> (&str, Option<&str>) {
    let is_boundary = |c: Option<char>| c.is_none_or(|c| !(c.is_alphanumeric() || c == '_'));
    let found = arguments.match_indices("if").find(|(position, _)| {
        is_boundary(arguments[..*position].chars().next_back())
            && is_boundary(arguments[position + 2..].chars().next())
    });
    match found {
        Some((position, _)) => (
            arguments[..position].trim(),
            Some(&arguments[position + 2..]),
        ),
        None => (arguments.trim(), None),
    }
}

/// A number, or a variable that holds one: `$bpnum`.
fn one_number(debugger: &Debugger, text: &str) -> Option<u32> {
    match text.strip_prefix('$') {
        Some(_) => u32::try_from(debugger.evaluate_count(text).ok()?).ok(),
        None => text.parse().ok(),
    }
}

/// The numbers of a list such as `1 3-5`.
pub(super) fn numbers(debugger: &Debugger, text: &str) -> Result<Vec<u32>, Error> {
    const RANGE_MAX: u32 = 100_000;
    let mut numbers = Vec::new();
    for word in text.split([' ', '\t', ',']).filter(|word| !word.is_empty()) {
        let bad = || Error::Other(format!("Bad breakpoint argument: '{word}'."));
        let single = |text: &str| one_number(debugger, text);
        match word.split_once('-') {
            Some((first, last)) => {
                let (first, last) = (
                    single(first).ok_or_else(bad)?,
                    single(last).ok_or_else(bad)?,
                );
                if last < first || last - first > RANGE_MAX {
                    return Err(bad());
                }
                numbers.extend(first..=last);
            }
            None => numbers.push(single(word).ok_or_else(bad)?),
        }
    }
    Ok(numbers)
}

fn numbers_or_all(debugger: &Debugger, text: &str) -> Result<Vec<u32>, Error> {
    if text.is_empty() {
        return Ok(debugger.breakpoints.iter().map(|it| it.number).collect());
    }
    numbers(debugger, text)
}

#[cfg(test)]
mod tests {
    use super::split_condition;

    #[test]
    fn conditions_are_split_off() {
        assert_eq!(split_condition("fib if n == 3"), ("fib", Some(" n == 3")));
        assert_eq!(split_condition("fib if(n)"), ("fib", Some("(n)")));
        assert_eq!(split_condition("if n"), ("", Some(" n")));
        assert_eq!(split_condition("diff"), ("diff", None));
        assert_eq!(split_condition("if_zero"), ("if_zero", None));
    }
}

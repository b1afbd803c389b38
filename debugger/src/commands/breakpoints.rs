//! Commands about breakpoints.

use std::collections::BTreeSet;

use wdb_vm::address::ModuleOffset;

use crate::breakpoints::{Breakpoint, Condition, Disposition, for_people};
use crate::debugger::Debugger;
use crate::error::Error;
use crate::location::{Location, inlined_places};
use crate::report::Report;

pub(super) fn break_(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    set(debugger, arguments, Disposition::Keep)
}

pub(super) fn tbreak(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    set(debugger, arguments, Disposition::Delete)
}

fn set(debugger: &mut Debugger, arguments: &str, disposition: Disposition) -> Result<(), Error> {
    let (spec, condition) = split_condition(arguments);
    let (spec, pcs, inlined) = if spec.is_empty() {
        // The selected frame's place; of a caller, where it goes on.
        let frame = debugger.expect_frame().map_err(|_| {
            Error::other("A location is expected: a function, FILE:LINE, LINE or *OFFSET.")
        })?;
        let pc = frame.pc();
        (format!("*{pc}"), vec![pc], BTreeSet::from([pc]))
    } else {
        let location = Location::parse(spec)?;
        let pcs = debugger.resolve(&location)?;
        let inlined = inlined_places(&debugger.program, &location, &pcs);
        (spec.to_owned(), pcs, inlined)
    };
    let condition = condition
        .map(|text| parse_condition(debugger, text))
        .transpose()?;
    let make = |number| Breakpoint {
        number,
        spec,
        pcs,
        inlined,
        enabled: true,
        disposition,
        condition,
        hits: 0,
        ignore: 0,
    };
    add(debugger, make);
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
            number,
            spec: spec.to_owned(),
            pcs: pcs.to_vec(),
            inlined: BTreeSet::new(),
            enabled: true,
            disposition: Disposition::Delete,
            condition: None,
            hits: 0,
            ignore: 0,
        });
    }

    /// Lets the breakpoint at which the program stands pass over hits, so that the `count`th one stops (`continue N`).
    pub(super) fn ignore_here(&mut self, count: i64) -> Result<(), Error> {
        let ignored = u64::try_from(count.saturating_sub(1)).unwrap_or(0);
        let pc = self.frames().next().map(|frame| frame.pc());
        let here = pc.map_or_else(Vec::new, |pc| self.breakpoints.enabled_at(pc));
        let Some(number) = here.first().copied() else {
            return Err(Error::other(
                "Not stopped at any breakpoint; argument ignored.",
            ));
        };
        self.breakpoints.get_mut(number)?.ignore = ignored;
        if ignored > 0 {
            self.say(format!(
                "Will ignore next {ignored} crossings of breakpoint {number}."
            ));
        }
        Ok(())
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
    let pcs = if arguments.is_empty() {
        vec![debugger.expect_frame()?.pc()]
    } else {
        debugger.resolve(&Location::parse(arguments)?)?
    };
    let here: Vec<u32> = debugger
        .breakpoints
        .iter()
        .filter(|breakpoint| breakpoint.pcs.iter().any(|pc| pcs.contains(pc)))
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
        ("delete", rest) => (Some(Disposition::Delete), rest),
        ("display", rest) => return super::display::enable(debugger, rest, true),
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

pub(super) fn disable(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let arguments = match first_word(arguments) {
        ("display", rest) => return super::display::enable(debugger, rest, false),
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
    let number: u32 = number.parse().map_err(|_| {
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
    debugger.is_view_stale = true;
    Ok(())
}

pub(super) fn ignore(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let (number, count) = first_word(arguments);
    let usage =
        || Error::other("ignore needs a breakpoint's number and a count, as in `ignore 2 10`.");
    let number: u32 = number.parse().map_err(|_| usage())?;
    if count.is_empty() {
        return Err(usage());
    }
    let count = u64::try_from(debugger.evaluate_count(count)?.max(0)).unwrap_or(0);
    debugger.breakpoints.get_mut(number)?.ignore = count;
    debugger.say(match count {
        0 => format!("Will stop next time breakpoint {number} is reached."),
        1 => format!("Will ignore next crossing of breakpoint {number}."),
        count => format!("Will ignore next {count} crossings of breakpoint {number}."),
    });
    debugger.is_view_stale = true;
    Ok(())
}

/// `info breakpoints`
pub(super) fn info(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
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
        .filter(|breakpoint| is_wanted(breakpoint.number))
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
fn parse_condition(debugger: &Debugger, text: &str) -> Result<Condition, Error> {
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
fn split_condition(arguments: &str) -> (&str, Option<&str>) {
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

fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    text.split_once(char::is_whitespace)
        .map_or((text, ""), |(word, rest)| (word, rest.trim()))
}

/// The numbers of a list such as `1 3-5`.
pub(super) fn numbers(debugger: &Debugger, text: &str) -> Result<Vec<u32>, Error> {
    const RANGE_MAX: u32 = 100_000;
    let mut numbers = Vec::new();
    for word in text.split([' ', '\t', ',']).filter(|word| !word.is_empty()) {
        let bad = || Error::Other(format!("Bad breakpoint argument: '{word}'."));
        let single = |text: &str| match text.strip_prefix('$') {
            Some(_) => debugger
                .evaluate_count(text)
                .ok()
                .and_then(|number| u32::try_from(number).ok()),
            None => text.parse::<u32>().ok(),
        };
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

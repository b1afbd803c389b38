//! Reports as text, in gdb's wording where gdb has one.

mod comparison;
mod tiers;

use std::fmt::{self, Display, Formatter, Write as _};

use crate::commands::user::indented;
use crate::report::{
    BacktraceFrame, BreakpointReport, CodeReport, DisassemblyReport, DisassemblyRow,
    ExceptionEvent, ExceptionReport, FoundRow, FrameReport, InstructionRow, MemoryRow, Report,
    SlotReport, SourceLine, StopReason, StopReport, SymbolGroup,
};
use crate::view::{BreakpointView, LabelView, PlaceView};

impl Report {
    /// The text, without a final line end.
    pub(crate) fn text(&self) -> String {
        let mut text = self.to_string();
        while text.ends_with('\n') {
            text.pop();
        }
        text
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Report::Text(text) => f.write_str(text),
            Report::BreakpointSet(breakpoint) => write_breakpoint_set(f, breakpoint),
            Report::Breakpoints(breakpoints) => write_breakpoints(f, breakpoints),
            Report::Stop(stop) => write_stop(f, stop),
            Report::Frame(frame) => write_frame_and_code(f, frame),
            Report::Backtrace { frames, has_more } => {
                frames
                    .iter()
                    .try_for_each(|frame| write_backtrace_frame(f, frame))?;
                if *has_more {
                    f.write_str("(More stack frames follow...)")?;
                }
                Ok(())
            }
            Report::Value {
                number,
                text,
                is_returned,
                ..
            } => match number {
                Some(number) if *is_returned => write!(f, "Value returned is ${number} = {text}"),
                Some(number) => write!(f, "${number} = {text}"),
                None => f.write_str(text),
            },
            Report::Display {
                number,
                format,
                expression,
                text,
            } => match format.as_str() {
                "" => write!(f, "{number}: {expression} = {text}"),
                // What `x` shows has lines of its own.
                format if text.contains('\t') => {
                    write!(f, "{number}: x{format} {expression}\n{text}")
                }
                format => write!(f, "{number}: {format} {expression} = {text}"),
            },
            Report::Variables { entries, if_empty } => {
                if entries.is_empty() {
                    return f.write_str(if_empty);
                }
                entries
                    .iter()
                    .try_for_each(|(name, value)| writeln!(f, "{name} = {value}"))
            }
            Report::Slots { entries, if_empty } => {
                if entries.is_empty() {
                    return f.write_str(if_empty);
                }
                entries.iter().try_for_each(|slot| write_slot(f, slot))
            }
            Report::Labels(labels) => write_labels(f, labels),
            Report::Source(lines) => lines.iter().try_for_each(|line| write_line(f, line)),
            Report::Disassembly(disassembly) => write_disassembly(f, disassembly),
            Report::Memory(rows) => rows.iter().try_for_each(|row| match row {
                MemoryRow::Values { address, values } => {
                    writeln!(f, "0x{address:x}:\t{}", values.join("\t"))
                }
                MemoryRow::Instruction(row) => write_instruction(f, row),
            }),
            Report::Found { matches, has_more } => write_found(f, matches, *has_more),
            Report::Symbols { heading, groups } => {
                writeln!(f, "{heading}:")?;
                groups.iter().try_for_each(|group| write_symbols(f, group))
            }
            Report::Table {
                columns,
                rows,
                if_empty,
            } => write_table(f, columns, rows, if_empty),
            Report::Tiers(tiers) => tiers::write_tiers(f, tiers),
            Report::Comparison(comparison) => comparison::write(f, comparison),
            Report::RunStats(stats) => tiers::write_run_stats(f, stats),
        }
    }
}

fn write_breakpoint_set(f: &mut Formatter<'_>, breakpoint: &BreakpointView) -> fmt::Result {
    let kind = if breakpoint.temporary {
        "Temporary breakpoint"
    } else {
        "Breakpoint"
    };
    write!(f, "{kind} {}", breakpoint.number)?;
    match &*breakpoint.places {
        [place] => {
            write!(f, " at 0x{:x}", place.pc)?;
            match &place.source {
                Some(spot) => write!(f, ": file {}, line {}.", spot.recorded, spot.line),
                None => write!(f, ": {}", place.function),
            }
        }
        [first, ..] => write!(
            f,
            " at 0x{:x}: {}. ({} locations)",
            first.pc,
            breakpoint.spec,
            breakpoint.places.len()
        ),
        [] => write!(f, " ({}) pending.", breakpoint.spec),
    }
}

fn write_breakpoints(f: &mut Formatter<'_>, breakpoints: &[BreakpointReport]) -> fmt::Result {
    if breakpoints.is_empty() {
        return f.write_str("No breakpoints or watchpoints.");
    }
    writeln!(f, "Num     Type           Disp Enb Address    What")?;
    for breakpoint in breakpoints {
        let view = &breakpoint.view;
        let disposition = match (view.temporary, breakpoint.once) {
            (true, _) => "del",
            (false, true) => "dis",
            (false, false) => "keep",
        };
        let enabled = if view.enabled { 'y' } else { 'n' };
        write!(
            f,
            "{:<7} {:<14} {disposition:<4} {enabled}   ",
            view.number, breakpoint.kind
        )?;
        match &*view.places {
            _ if !breakpoint.is_located => writeln!(f, "           {}", view.spec)?,
            [place] => {
                write!(f, "0x{:08x} ", place.pc)?;
                write_what(f, place)?;
            }
            [] => writeln!(f, "<PENDING>  {}", view.spec)?,
            _ => writeln!(f, "<MULTIPLE>")?,
        }
        if let Some(condition) = &view.condition {
            let by = match breakpoint.is_machine_decided {
                true => " (target evals)",
                false => "",
            };
            writeln!(f, "\tstop only if {condition}{by}")?;
        }
        if view.hits > 0 {
            let times = if view.hits == 1 { "time" } else { "times" };
            writeln!(f, "\tbreakpoint already hit {} {times}", view.hits)?;
        }
        if let Some(text) = &breakpoint.prints {
            let by = match breakpoint.is_machine_captured {
                true => " (target captures)",
                false => "",
            };
            writeln!(f, "\tprintf {text}{by}")?;
        }
        if breakpoint.ignore > 0 {
            writeln!(f, "\tignore next {} hits", breakpoint.ignore)?;
        }
        for line in indented(&breakpoint.commands) {
            writeln!(f, "      {line}")?;
        }
        if view.places.len() > 1 && breakpoint.is_located {
            for (position, place) in view.places.iter().enumerate() {
                let number = format!("{}.{}", view.number, position + 1);
                write!(f, "{number:<27} {enabled}   0x{:08x} ", place.pc)?;
                write_what(f, place)?;
            }
        }
    }
    Ok(())
}

fn write_what(f: &mut Formatter<'_>, place: &PlaceView) -> fmt::Result {
    match &place.source {
        Some(spot) => writeln!(
            f,
            "in {} at {}:{}",
            place.function, spot.recorded, spot.line
        ),
        None => writeln!(f, "<{}>", place.function),
    }
}

fn write_stop(f: &mut Formatter<'_>, stop: &StopReport) -> fmt::Result {
    match &stop.reason {
        StopReason::Breakpoint {
            number,
            is_temporary,
        } => {
            let kind = if *is_temporary {
                "Temporary breakpoint"
            } else {
                "Breakpoint"
            };
            write!(f, "\n{kind} {number}, ")?;
        }
        StopReason::Catchpoint { number, event } => {
            write!(f, "\nCatchpoint {number} ({event}), ")?;
        }
        StopReason::Watchpoint {
            number,
            kind,
            expression,
            old,
            new,
        } => {
            write!(f, "\n{kind} {number}: {expression}\n\n")?;
            match old {
                Some(old) => write!(f, "Old value = {old}\nNew value = {new}\n")?,
                None => writeln!(f, "Value = {new}")?,
            }
        }
        StopReason::WatchScope { number } => write!(
            f,
            "\nWatchpoint {number} deleted because the program has left the block in\n\
             which its expression is valid.\n"
        )?,
        StopReason::RemoteWatch { address } => {
            write!(f, "\nWatchpoint of the remote client at 0x{address:x}\n")?;
        }
        StopReason::Step | StopReason::Arrived => {}
        StopReason::Interrupted => f.write_str("\nProgram interrupted.\n")?,
        StopReason::Trap(trap) => write!(f, "\nProgram stopped: trap: {trap}\n")?,
        StopReason::Exception {
            number,
            event,
            exception,
        } => write_exception(f, *number, *event, exception)?,
        StopReason::HostResource(what) => write!(f, "\nProgram stopped: {what}\n")?,
        StopReason::Deadlock(what) => write!(f, "\nProgram stopped: deadlock: {what}\n")?,
        StopReason::Exited(0) => f.write_str("[Program exited normally]")?,
        StopReason::Exited(status) => write!(f, "[Program exited with status {status}]")?,
        StopReason::Returned { function, results } => match &**results {
            [] => write!(f, "{function} returned nothing")?,
            [result] => write!(f, "{function} returned {result}")?,
            results => write!(f, "{function} returned ({})", results.join(", "))?,
        },
    }
    match &stop.frame {
        Some(frame) => write_frame_and_code(f, frame),
        None => Ok(()),
    }
}

fn write_exception(
    f: &mut Formatter<'_>,
    number: Option<u32>,
    event: ExceptionEvent,
    exception: &ExceptionReport,
) -> fmt::Result {
    let what = event.text();
    let text = exception.text();
    match number {
        Some(number) if event != ExceptionEvent::Uncaught => {
            write!(f, "\nCatchpoint {number} ({what}): {text}\n")?;
        }
        _ => write!(f, "\nProgram stopped: {what}: {text}\n")?,
    }
    if exception.is_elsewhere {
        writeln!(f, "It was thrown in {}.", exception.thrown.text())?;
    }
    match &exception.handler {
        _ if event == ExceptionEvent::Caught => Ok(()),
        Some(handler) => {
            write!(f, "It will be handled in {}", handler.place.text())?;
            if handler.catches_all {
                f.write_str(", by a clause for all exceptions")?;
            }
            if let Some(next) = &exception.tag_handler {
                write!(f, "; the next for its tag is in {}", next.place.text())?;
            }
            f.write_str(".\n")
        }
        None if event == ExceptionEvent::Uncaught => Ok(()),
        None => f.write_str("Nothing will handle it.\n"),
    }
}

fn write_backtrace_frame(f: &mut Formatter<'_>, frame: &BacktraceFrame) -> fmt::Result {
    write_frame(f, &frame.frame)?;
    let Some(variables) = &frame.variables else {
        return Ok(());
    };
    if variables.is_empty() {
        return writeln!(f, "No locals.");
    }
    variables
        .iter()
        .try_for_each(|(name, value)| writeln!(f, "        {name} = {value}"))
}

fn write_frame_and_code(f: &mut Formatter<'_>, frame: &FrameReport) -> fmt::Result {
    let is_brief = frame.is_brief && !matches!(frame.code, CodeReport::None);
    if !is_brief {
        write_frame(f, frame)?;
    }
    let pc = || match is_brief && frame.is_within_line {
        true => format!("0x{:x}\t", frame.pc),
        false => String::new(),
    };
    match &frame.code {
        CodeReport::None => Ok(()),
        CodeReport::Source { line, column, text } => {
            let column = column.map_or_else(String::new, |column| format!(":{column}"));
            writeln!(f, "{}{line}{column}\t{text}", pc())
        }
        CodeReport::Missing { line, why } => writeln!(f, "{}{line}\tin {why}", pc()),
        CodeReport::Instruction(text) => writeln!(f, "=> 0x{:x}:\t{text}", frame.pc),
    }
}

fn write_frame(f: &mut Formatter<'_>, frame: &FrameReport) -> fmt::Result {
    if let Some(number) = frame.number {
        write!(f, "#{number:<2} ")?;
    }
    if frame.is_within_line || frame.location.is_none() {
        write!(f, "0x{:08x} in ", frame.pc)?;
    }
    let arguments = frame.arguments.iter();
    let arguments: Vec<String> = arguments
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    write!(f, "{} ({})", frame.function, arguments.join(", "))?;
    if let Some((file, line)) = &frame.location {
        write!(f, " at {file}:{line}")?;
    }
    f.write_char('\n')
}

fn write_slot(f: &mut Formatter<'_>, slot: &SlotReport) -> fmt::Result {
    let alias = slot
        .alias
        .as_ref()
        .map_or(String::new(), |alias| format!(" ({alias})"));
    writeln!(
        f,
        "{}{alias}: {} = {}",
        slot.name, slot.type_name, slot.text
    )
}

fn write_labels(f: &mut Formatter<'_>, labels: &[LabelView]) -> fmt::Result {
    for (depth, label) in labels.iter().rev().enumerate() {
        let values = if label.arity == 1 { "value" } else { "values" };
        writeln!(
            f,
            "L{depth}  {:<8} opened at 0x{:x}, a branch lands at 0x{:x} with {} {values}, height {}",
            label.kind, label.start, label.target, label.arity, label.height
        )?;
    }
    Ok(())
}

fn write_line(f: &mut Formatter<'_>, line: &SourceLine) -> fmt::Result {
    writeln!(f, "{}\t{}", line.number, line.text)
}

fn write_disassembly(f: &mut Formatter<'_>, disassembly: &DisassemblyReport) -> fmt::Result {
    let signature = match disassembly.signature.as_str() {
        "" => String::new(),
        signature => format!(" {signature}"),
    };
    let code = match disassembly.tier {
        None => "assembler",
        Some("fast") => "register",
        Some("clif") => "intermediate",
        Some("jit") => "jit machine",
        Some(_) => "opt machine",
    };
    writeln!(
        f,
        "Dump of {code} code for function {}{signature}:",
        disassembly.function
    )?;
    for (position, row) in disassembly.rows.iter().enumerate() {
        match row {
            DisassemblyRow::Source { file, lines } => {
                if position > 0 {
                    f.write_char('\n')?;
                }
                if let Some(file) = file {
                    writeln!(f, "{file}:")?;
                }
                lines.iter().try_for_each(|line| write_line(f, line))?;
            }
            DisassemblyRow::Instruction(row) => write_instruction(f, row)?,
            DisassemblyRow::Register(row) => {
                writeln!(f, "     r 0x{:04x}:\t{}", row.offset, row.text)?;
            }
            DisassemblyRow::Intermediate(row) => writeln!(f, "     |\t{}", row.text)?,
            DisassemblyRow::Machine(row) => {
                writeln!(f, "     m 0x{:04x}:\t{}", row.offset, row.text)?;
            }
        }
    }
    write!(f, "End of {code} dump.")
}

fn write_instruction(f: &mut Formatter<'_>, row: &InstructionRow) -> fmt::Result {
    let mark = if row.is_current { "=>" } else { "  " };
    let symbol = match &row.symbol {
        Some((function, 0)) if !function.is_empty() => format!(" <{function}>"),
        Some((function, offset)) if !function.is_empty() => format!(" <{function}+{offset}>"),
        Some((_, offset)) => format!(" <+{offset}>"),
        None => String::new(),
    };
    let indent = "  ".repeat(row.nesting as usize);
    let bytes = row
        .bytes
        .as_ref()
        .map_or(String::new(), |bytes| format!("{bytes}\t"));
    writeln!(
        f,
        "{mark} 0x{:08x}{symbol}:\t{bytes}{indent}{}",
        row.pc, row.text
    )
}

fn write_found(f: &mut Formatter<'_>, matches: &[FoundRow], has_more: bool) -> fmt::Result {
    for row in matches {
        match &row.symbol {
            Some((name, 0)) => writeln!(f, "0x{:x} <{name}>", row.address)?,
            Some((name, offset)) => writeln!(f, "0x{:x} <{name}+{offset}>", row.address)?,
            None => writeln!(f, "0x{:x}", row.address)?,
        }
    }
    match matches.len() {
        0 => f.write_str("Pattern not found.")?,
        1 => f.write_str("1 pattern found")?,
        count => write!(f, "{count} patterns found")?,
    }
    match (matches.len(), has_more) {
        (0, _) => Ok(()),
        (_, true) => f.write_str("; there are more."),
        (_, false) => f.write_str("."),
    }
}

fn write_symbols(f: &mut Formatter<'_>, group: &SymbolGroup) -> fmt::Result {
    match &group.file {
        Some(file) => writeln!(f, "\nFile {file}:")?,
        None => writeln!(f, "\n{}:", group.title)?,
    }
    for symbol in &group.symbols {
        match (symbol.line, symbol.pc) {
            (Some(line), _) => writeln!(f, "{line}:\t{};", symbol.text)?,
            (None, Some(pc)) => writeln!(f, "0x{pc:08x}  {}", symbol.text)?,
            (None, None) => writeln!(f, "\t{}", symbol.text)?,
        }
    }
    Ok(())
}

/// Columns as wide as the widest text in them.
fn write_table(
    f: &mut Formatter<'_>,
    columns: &[&str],
    rows: &[Vec<String>],
    if_empty: &str,
) -> fmt::Result {
    if rows.is_empty() {
        return f.write_str(if_empty);
    }
    let width = |column: usize| {
        let texts = rows.iter().filter_map(|row| row.get(column));
        let widest = texts.map(|text| text.chars().count()).max();
        widest.unwrap_or(0).max(columns[column].len())
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let mut write_row = |texts: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for (text, width) in texts.zip(&widths) {
            let _ = write!(line, "{text:<width$}  ");
        }
        writeln!(f, "{}", line.trim_end())
    };
    write_row(&mut columns.iter().copied())?;
    rows.iter()
        .try_for_each(|row| write_row(&mut row.iter().map(String::as_str)))
}

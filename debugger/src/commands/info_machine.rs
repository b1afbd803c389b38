//! Topics of `info` about the machine: registers, operands, labels, globals, the frame.

use crate::debugger::Debugger;
use crate::error::{Error, counted};
use crate::report::{Report, SlotReport};
use crate::view::{SlotView, ValueView};
use crate::view_builder::label_views;

/// All that belongs to the selected frame, or what is named: `pc`, `$local0`, or as the name section calls it.
pub(super) fn registers(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let frame = debugger.expect_frame()?;
    let tick = debugger.vm.borrow().time().tick;
    let plain = |name: &str, type_name: &str, text: String| SlotReport {
        name: name.to_owned(),
        alias: None,
        type_name: type_name.to_owned(),
        text,
        parts: Vec::new(),
    };
    let mut entries = vec![
        plain("$pc", "offset", frame.pc().to_string()),
        plain("$tick", "u64", tick.to_string()),
    ];
    let scope = debugger.scope_of(frame.clone());
    entries.extend(reports("$local", debugger.local_slots(&scope, &frame)));
    if !arguments.is_empty() {
        entries.extend(reports("$stack", debugger.operand_slots(&scope, &frame)));
        entries = named(&entries, arguments)?;
    }
    debugger.answer(Report::Slots {
        entries,
        if_empty: "No registers.",
    });
    Ok(())
}

/// The slots that words name, in the order of the words.
fn named(entries: &[SlotReport], words: &str) -> Result<Vec<SlotReport>, Error> {
    let slot = |word: &str| {
        let name = word.trim_start_matches('$');
        let is_named =
            |entry: &&SlotReport| entry.name[1..] == *name || entry.alias.as_deref() == Some(name);
        let found = entries.iter().find(is_named).cloned();
        found.ok_or_else(|| {
            Error::Other(format!(
                "Invalid register `{name}`; there are pc, tick, local0 and so on, stack0 and so on."
            ))
        })
    };
    words.split_whitespace().map(slot).collect()
}

pub(super) fn stack(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    let frame = debugger.expect_frame()?;
    let scope = debugger.scope_of(frame.clone());
    let slots = debugger.operand_slots(&scope, &frame);
    debugger.answer(Report::Slots {
        entries: reports("$stack", slots),
        if_empty: "The operand stack is empty.",
    });
    Ok(())
}

pub(super) fn labels(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    let frame = debugger.expect_frame()?;
    let scope = debugger.scope_of(frame);
    let labels = label_views(&scope);
    debugger.answer(Report::Labels(labels));
    Ok(())
}

pub(super) fn globals(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    let entries = reports("$global", debugger.global_slots());
    debugger.answer(Report::Slots {
        entries,
        if_empty: "The module has no globals.",
    });
    Ok(())
}

/// About the selected frame, or about one that is named as `frame` names it.
pub(super) fn frame(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let mut frame = debugger.expect_frame()?;
    if !arguments.is_empty() {
        let number = debugger.frame_number(arguments)?;
        frame = debugger.frames().nth(number).ok_or(Error::NoFrame)?;
    }
    let total = debugger.frame_total();
    let module = debugger.program.module();
    let func = frame.func_index();
    let place = match frame.location() {
        Some(location) => format!(
            " ({}:{})",
            debugger.program.display_path(&location.file),
            location.line
        ),
        None => String::new(),
    };
    let mut text = format!(
        "Stack level {} of {total}:\n pc = {} in {}{place}",
        frame.index,
        frame.pc(),
        frame.function()
    );
    if frame.is_inlined() {
        text.push_str(&format!("\n inlined into frame {}", frame.index + 1));
    }
    if let Some(caller) = debugger.frames().nth(frame.index + 1)
        && !frame.is_inlined()
    {
        text.push_str(&format!(
            "\n called by frame {}, which goes on at {}",
            caller.index,
            caller.pc()
        ));
    }
    let ty = module.func_type_text(module.func_type(func));
    let scope = debugger.scope_of(frame.clone());
    let operands = scope
        .target()
        .shape()
        .map_or(0, |shape| shape.operands.len());
    let labels = scope.target().shape().map_or(0, |shape| shape.labels.len());
    text.push_str(&format!(
        "\n wasm function {} {}",
        func.0,
        if ty.is_empty() {
            "without parameters and results"
        } else {
            &ty
        }
    ));
    text.push_str(&format!(
        "\n {}, {}, {}",
        counted(module.local_types(func).len(), "wasm local"),
        counted(operands, "operand"),
        counted(labels, "label")
    ));
    debugger.say(text);
    Ok(())
}

fn reports(prefix: &str, slots: Vec<SlotView>) -> Vec<SlotReport> {
    let slots = slots.into_iter();
    slots
        .map(|slot| SlotReport {
            name: format!("{prefix}{}", slot.index),
            alias: slot.name,
            type_name: slot.type_name,
            text: slot.text,
            parts: parts(slot.children),
        })
        .collect()
}

fn parts(children: Vec<(String, ValueView)>) -> Vec<(String, String)> {
    let children = children.into_iter();
    children.map(|(name, value)| (name, value.text)).collect()
}

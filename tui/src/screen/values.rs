//! The rows of the panes that list values: a tree flattened as far as it is expanded.

use std::collections::HashSet;

use wdb_debugger::view::{SelectedFrame, SlotView, ValueView};

/// A row of the locals pane or of the operands pane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Row {
    /// A heading.
    Heading(&'static str),
    /// A remark where values would be.
    Remark(&'static str),
    /// A value.
    Value(ValueRow),
}

/// What a row shows, which decides how it is laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    /// A variable of the source, or a part of one.
    Variable,
    /// A wasm local or an operand.
    Slot,
    /// An entry of the label stack.
    Label,
}

/// A value in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ValueRow {
    /// What it is.
    pub(crate) shape: Shape,
    /// How deep it is nested.
    pub(crate) depth: usize,
    /// Names it across stops.
    pub(crate) path: String,
    /// Its name.
    pub(crate) name: String,
    /// Its type, at the outermost level.
    pub(crate) type_name: String,
    /// Its value.
    pub(crate) text: String,
    /// Whether it differs from the previous stop.
    pub(crate) changed: bool,
    /// Whether it has parts, and whether they are shown.
    pub(crate) expanded: Option<bool>,
}

impl Row {
    /// The row as plain text, for searching.
    pub(crate) fn plain_text(&self) -> String {
        match self {
            Row::Heading(text) | Row::Remark(text) => (*text).to_owned(),
            Row::Value(row) => format!("{} {} {}", row.name, row.type_name, row.text),
        }
    }
}

/// The rows of the locals pane.
pub(crate) fn local_rows(
    frame: &SelectedFrame,
    has_debug_info: bool,
    expanded: &HashSet<String>,
    hex: bool,
) -> Vec<Row> {
    let mut rows = Vec::new();
    for (position, variable) in frame.variables.iter().enumerate() {
        // An inner variable may hide an outer one of the same name: the position tells them apart.
        let shadowed = frame.variables[..position]
            .iter()
            .any(|other| other.name == variable.name);
        let path = if shadowed {
            format!("{}@{position}", variable.name)
        } else {
            variable.name.clone()
        };
        let row = ValueRow {
            shape: Shape::Variable,
            depth: 0,
            path,
            name: variable.name.clone(),
            type_name: variable.type_name.clone(),
            text: String::new(),
            changed: variable.changed,
            expanded: None,
        };
        push_value(&mut rows, row, &variable.value, expanded, hex);
    }
    if frame.variables.is_empty() {
        rows.push(Row::Remark(if has_debug_info {
            "no variables in scope here"
        } else {
            "no debug info: compile with -g"
        }));
    }
    rows.push(Row::Heading("wasm locals"));
    if frame.locals.is_empty() {
        rows.push(Row::Remark("this function has none"));
    }
    for slot in &frame.locals {
        push_slot(&mut rows, slot, '$', expanded, hex);
    }
    rows
}

fn push_value(
    rows: &mut Vec<Row>,
    mut row: ValueRow,
    value: &ValueView,
    expanded: &HashSet<String>,
    hex: bool,
) {
    row.text = number_text(&value.text, hex);
    let open = !value.children.is_empty() && expanded.contains(&row.path);
    row.expanded = (!value.children.is_empty()).then_some(open);
    let (depth, path, changed) = (row.depth, row.path.clone(), row.changed);
    rows.push(Row::Value(row));
    if !open {
        return;
    }
    for (name, child) in parts(value) {
        let row = ValueRow {
            shape: Shape::Variable,
            depth: depth + 1,
            path: format!("{path}.{name}"),
            name: name.clone(),
            type_name: String::new(),
            text: String::new(),
            changed,
            expanded: None,
        };
        push_value(rows, row, child, expanded, hex);
    }
}

/// The parts of a value; of a pointer those of its target, unless that has none.
fn parts(value: &ValueView) -> &[(String, ValueView)] {
    match value.children.as_slice() {
        [(name, target)] if name == "*" && !target.children.is_empty() => &target.children,
        children => children,
    }
}

/// A slot; of a reference also the fields or elements of what it leads to.
fn push_slot(
    rows: &mut Vec<Row>,
    slot: &SlotView,
    sigil: char,
    expanded: &HashSet<String>,
    hex: bool,
) {
    let mut name = if sigil == '$' {
        format!("${}", slot.index)
    } else {
        format!("[{}]", slot.index)
    };
    if let Some(given) = &slot.name {
        name.push(' ');
        name.push_str(given);
    }
    let row = ValueRow {
        shape: Shape::Slot,
        depth: 0,
        path: format!("{sigil}{}", slot.index),
        name,
        type_name: slot.type_name.clone(),
        text: String::new(),
        changed: slot.changed,
        expanded: None,
    };
    if slot.children.is_empty() {
        let text = slot_text(slot, hex);
        rows.push(Row::Value(ValueRow { text, ..row }));
    } else {
        let value = ValueView {
            text: slot.text.clone(),
            children: slot.children.clone(),
        };
        push_value(rows, row, &value, expanded, hex);
    }
}

/// The rows of the operands pane: the operand stack from its top, then the labels from the innermost.
pub(crate) fn operand_rows(
    frame: &SelectedFrame,
    expanded: &HashSet<String>,
    hex: bool,
) -> Vec<Row> {
    let mut rows = Vec::new();
    if frame.operands.is_empty() {
        rows.push(Row::Remark("the operand stack is empty"));
    }
    for slot in frame.operands.iter().rev() {
        push_slot(&mut rows, slot, '[', expanded, hex);
    }
    rows.push(Row::Heading("labels"));
    for (depth, label) in frame.labels.iter().rev().enumerate() {
        // A branch to a loop goes back up, to any other label it goes on below the block.
        let arrow = if label.kind == "loop" { '↑' } else { '↓' };
        let carries = match label.arity {
            0 => String::new(),
            arity => format!(" carries {arity}"),
        };
        rows.push(Row::Value(ValueRow {
            shape: Shape::Label,
            depth: 0,
            path: format!("L{depth}"),
            name: format!("L{depth}"),
            type_name: label.kind.to_owned(),
            text: format!(
                "{arrow}{:#x}{carries} at height {}",
                label.target, label.height
            ),
            changed: false,
            expanded: None,
        }));
    }
    if frame.labels.is_empty() {
        rows.push(Row::Remark("no labels"));
    }
    rows
}

/// A slot's value. Hexadecimal integers are two's complement, as the instructions see them.
pub(crate) fn slot_text(slot: &SlotView, hex: bool) -> String {
    if hex {
        match (slot.type_name.as_str(), slot.text.parse::<i64>()) {
            ("i32", Ok(value)) => return format!("{:#x}", value as u32),
            ("i64", Ok(value)) => return format!("{value:#x}"),
            _ => {}
        }
    }
    slot.text.clone()
}

fn number_text(text: &str, hex: bool) -> String {
    match text.parse::<i128>() {
        Ok(value) if hex && value < 0 => format!("-{:#x}", value.unsigned_abs()),
        Ok(value) if hex => format!("{value:#x}"),
        _ => text.to_owned(),
    }
}

/// The address that a value points to: its first hexadecimal number, or the value itself when it is an integer.
pub(crate) fn address_in(text: &str) -> Option<u64> {
    if let Some(position) = text.find("0x") {
        let digits: String = text[position + 2..]
            .chars()
            .take_while(char::is_ascii_hexdigit)
            .collect();
        return u64::from_str_radix(&digits, 16).ok();
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{address_in, number_text, slot_text};
    use wdb_debugger::view::SlotView;

    #[test]
    fn numbers_become_hexadecimal() {
        assert_eq!(number_text("255", true), "0xff");
        assert_eq!(number_text("-1", true), "-0x1");
        assert_eq!(number_text("1.5", true), "1.5");
        let slot = SlotView {
            index: 0,
            name: None,
            type_name: "i32".to_owned(),
            text: "-1".to_owned(),
            children: Vec::new(),
            changed: false,
        };
        assert_eq!(slot_text(&slot, true), "0xffffffff");
        assert_eq!(slot_text(&slot, false), "-1");
    }

    #[test]
    fn addresses_are_found_in_values() {
        assert_eq!(address_in("(char *) 0x418 \"abc\""), Some(0x418));
        assert_eq!(address_in("1048"), Some(1048));
        assert_eq!(address_in("{x = 1}"), None);
        assert_eq!(address_in("0xfffffffffffffffff"), None);
    }
}

//! Values of Rust types, much as `Debug` writes them.

use crate::format::{Formatter, List};
use crate::names::{components, without_arguments};
use crate::rust_values::{Elements, RustShape};
use crate::strings::{quoted, units};
use crate::types::{Record, Type, TypeKind};
use crate::value::{Availability, Value};

impl Formatter<'_, '_> {
    /// Writes a struct, tuple, enum, slice, string or vector.
    pub(crate) fn rust_record(
        &mut self,
        value: &Value,
        found: &Type,
        record: &Record,
        depth: usize,
    ) {
        match self.inspector.rust_shape(value) {
            Some(RustShape::Text(elements)) => return self.text_at(&elements),
            Some(RustShape::Sequence(elements)) => {
                let inspector = self.inspector;
                return self.sequence(elements.count, ('[', ']'), depth, |index| {
                    let element = inspector.sequence_element(&elements, index);
                    // A vector of garbage claims any length: stop at what cannot be read.
                    (index == 0 || element.availability == Availability::Available)
                        .then_some(element)
                });
            }
            None => {}
        }
        if let Some((name, variant)) = self.inspector.active_variant(value, record) {
            let (_, found) = self.inspector.resolved(&variant);
            match &found.kind {
                TypeKind::Record(record) => self.rust_fields(&name, &variant, record, depth),
                _ => self.text += &name,
            }
            return;
        }
        if record.variant_part.is_some() {
            self.text += "<invalid variant>";
            return;
        }
        let name = found.name.as_deref().unwrap_or_default();
        let last = components(name).next_back().unwrap_or_default();
        // A tuple's name spells out its type.
        let shown = if last.starts_with('(') {
            ""
        } else if name.starts_with(['&', '*']) {
            // A wide pointer's name is a type's and no path.
            name
        } else {
            without_arguments(last)
        };
        self.rust_fields(shown, value, record, depth);
    }

    fn rust_fields(&mut self, name: &str, value: &Value, record: &Record, depth: usize) {
        self.text += name;
        if record.members.is_empty() {
            if name.is_empty() {
                self.text += "()";
            }
            return;
        }
        let is_tuple = record.members.iter().all(|member| {
            let digits = member
                .name
                .as_deref()
                .and_then(|name| name.strip_prefix("__"));
            digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        });
        if !is_tuple && !name.is_empty() {
            self.text.push(' ');
        }
        let (open, close) = if is_tuple { ('(', ')') } else { ('{', '}') };
        let mut list = List::new(self, open, close, depth);
        for member in &record.members {
            let part = list.formatter.inspector.member_value(value, member);
            let label = match &member.name {
                Some(name) if !is_tuple => format!("{name}: "),
                _ => String::new(),
            };
            list.entry(&label, &part);
        }
        list.end();
    }

    /// Writes the text that lies somewhere.
    pub(crate) fn text_at(&mut self, elements: &Elements) {
        let count = usize::try_from(elements.count).unwrap_or(usize::MAX);
        // A string of garbage claims any length.
        let shown = count.min(self.options.elements_max).min(Value::BYTES_MAX);
        let mut bytes = vec![0; shown];
        match self
            .inspector
            .target()
            .read_memory(elements.address, &mut bytes)
        {
            Ok(()) => self.text += &quoted(&units(&bytes, 1), self.options, shown < count),
            Err(error) => self.text += &format!("<error: {error}>"),
        }
    }
}

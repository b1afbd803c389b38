//! How values read.

use std::fmt::Write as _;

use crate::handles::Handle;
use crate::inspect::Inspector;
use crate::location::Place;
use crate::numbers;
use crate::strings::{Unit, quoted, quoted_char, units};
use crate::types::{
    BaseEncoding, Enumeration, Notation, PointerKind, Record, RecordKind, Type, TypeKind, TypeRef,
};
use crate::value::{Availability, Scalar, Value};

/// How values are written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatOptions {
    /// How scalars are written.
    pub radix: Radix,
    /// How integers are written where the radix is [`Radix::Natural`].
    pub integers: Radix,
    /// The most elements of arrays and characters of each string shown in all.
    pub elements_max: usize,
    /// Runs of at least this many equal elements are shown once with their number; in strings,
    /// of more.
    pub repeats_min: usize,
    /// The most records and arrays shown inside of each other.
    pub depth_max: usize,
    /// The most references unfolded inside of each other; what was written once is not unfolded again.
    pub handle_depth_max: usize,
    /// Whether members stand on lines of their own.
    pub is_pretty: bool,
    /// Whether elements of arrays stand on lines of their own.
    pub has_element_lines: bool,
    /// Whether unions inside of other records are written out, rather than as `{...}`.
    pub has_unions: bool,
    /// Whether a pointer's address precedes the string or the function's name that it stands for.
    pub has_addresses: bool,
    /// Whether a pointer that is the whole value is preceded by its type, as gdb's `print`
    /// does: `(int *) 0x418`.
    pub has_pointer_type: bool,
}

impl Default for FormatOptions {
    /// gdb's defaults.
    fn default() -> Self {
        FormatOptions {
            radix: Radix::Natural,
            integers: Radix::Natural,
            elements_max: 200,
            repeats_min: 10,
            depth_max: 20,
            handle_depth_max: 1,
            is_pretty: false,
            has_element_lines: false,
            has_unions: true,
            has_addresses: true,
            has_pointer_type: false,
        }
    }
}

/// How scalars are written: the format letters of gdb's `print`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Radix {
    /// As the type suggests.
    Natural,
    /// `x`: hexadecimal.
    Hexadecimal,
    /// `z`: hexadecimal with leading zeros to the type's size.
    PaddedHexadecimal,
    /// `d`: signed decimal.
    Decimal,
    /// `u`: unsigned decimal.
    Unsigned,
    /// `o`: octal.
    Octal,
    /// `t`: binary.
    Binary,
    /// `c`: a character.
    Character,
    /// `a`: an address.
    Address,
    /// `f`: floating point.
    Float,
}

/// The most values visited for one text: a record of many members, each a record of many.
const VALUES_MAX: usize = 10_000;

/// How many elements are compared to find out how long a run is.
const RUN_MAX: u64 = 1 << 16;

impl Inspector<'_> {
    /// The value written out as gdb prints it. Never fails: what cannot be read is said so in
    /// its place, as `<optimized out>`.
    #[must_use]
    pub fn format(&self, value: &Value, options: &FormatOptions) -> String {
        let mut formatter = Formatter {
            inspector: *self,
            options,
            text: String::new(),
            elements_left: options.elements_max,
            values_left: VALUES_MAX,
            handles: Vec::new(),
            handle_depth: 0,
        };
        formatter.value(value, 0);
        formatter.text
    }
}

/// Writes one value.
pub(crate) struct Formatter<'f, 'a> {
    pub(crate) inspector: Inspector<'a>,
    pub(crate) options: &'f FormatOptions,
    pub(crate) text: String,
    elements_left: usize,
    values_left: usize,
    /// The references that were unfolded.
    pub(crate) handles: Vec<Handle>,
    /// How many of them the present value lies in.
    pub(crate) handle_depth: usize,
}

impl Formatter<'_, '_> {
    /// Writes a value that lies in `depth` others.
    pub(crate) fn value(&mut self, value: &Value, depth: usize) {
        if self.values_left == 0 {
            self.text += "...";
            return;
        }
        self.values_left -= 1;
        let (type_ref, found) = self.inspector.resolved(value);
        let is_aggregate = matches!(found.kind, TypeKind::Record(_) | TypeKind::Array { .. });
        if !self.is_readable(value, is_aggregate) {
            return;
        }
        if is_aggregate && depth > self.options.depth_max {
            self.text += if found.notation == Notation::Rust {
                "(...)"
            } else {
                "{...}"
            };
            return;
        }
        match &found.kind {
            TypeKind::Void => self.text += "void",
            TypeKind::Record(record)
                if record.kind == RecordKind::Union && depth > 0 && !self.options.has_unions =>
            {
                self.text += "{...}";
            }
            TypeKind::Record(record) if found.notation == Notation::Rust => {
                self.rust_record(value, &found, record, depth);
            }
            TypeKind::Record(record) => match self.inspector.cpp_shape(value) {
                Some(shape) => self.cpp_value(&shape, depth),
                None => self.record(value, record, depth),
            },
            TypeKind::Array {
                element,
                count,
                is_vector,
            } => {
                let array = (*element, *count, *is_vector);
                self.array(value, array, &found, depth)
            }
            TypeKind::Pointer { target, kind } => {
                self.pointer(value, *target, *kind, &found, depth)
            }
            TypeKind::Function(_) => self.function(value),
            TypeKind::Handle => self.handle(value, depth),
            _ => self.scalar(value, type_ref, &found),
        }
    }

    /// Says so if a value cannot be read. Members of a record may still be readable when the
    /// whole is not, as when only some of its pieces are left.
    fn is_readable(&mut self, value: &Value, is_aggregate: bool) -> bool {
        let has_parts = is_aggregate && matches!(value.place, Place::Pieces(_));
        match &value.availability {
            Availability::OptimizedOut if !has_parts => self.text += "<optimized out>",
            Availability::Unavailable(error) if !has_parts => {
                let _ = write!(self.text, "<error: {error}>");
            }
            _ => return true,
        }
        false
    }

    fn record(&mut self, value: &Value, record: &Record, depth: usize) {
        if record.is_declaration {
            self.text += "<incomplete type>";
            return;
        }
        let mut list = List::new(self, '{', '}', depth);
        for base in &record.bases {
            let Some(offset) = base.offset else { continue };
            let part = list.formatter.inspector.part(value, base.type_ref, offset);
            let name = list.formatter.inspector.info().type_name(base.type_ref);
            list.entry(&format!("<{name}> = "), &part);
        }
        for member in &record.members {
            let part = list.formatter.inspector.member_value(value, member);
            let label = member
                .name
                .as_ref()
                .map_or(String::new(), |name| format!("{name} = "));
            list.entry(&label, &part);
        }
        if list.is_empty {
            list.formatter.text += "{<No data fields>}";
        } else {
            list.end();
        }
    }

    fn array(
        &mut self,
        value: &Value,
        (element, count, is_vector): (TypeRef, Option<u64>, bool),
        found: &Type,
        depth: usize,
    ) {
        let is_rust = self.inspector.info().type_of(element).notation == Notation::Rust
            || found.notation == Notation::Rust;
        let element_type = self
            .inspector
            .info()
            .type_of(self.inspector.info().resolve(element));
        let width = element_type.size.unwrap_or(0);
        let is_text = !is_rust
            && !is_vector
            && self.options.radix == Radix::Natural
            && is_character(&element_type);
        let count = count.unwrap_or(0);
        if is_text && value.availability == Availability::Available {
            self.char_array(value, count, usize::try_from(width).unwrap_or(1));
            return;
        }
        let (open, close) = if is_rust { ('[', ']') } else { ('{', '}') };
        let inspector = self.inspector;
        self.sequence(count, (open, close), depth, |index| {
            inspector.index(value, i128::from(index)).ok()
        });
    }

    /// Writes elements, runs of equal ones once.
    pub(crate) fn sequence(
        &mut self,
        count: u64,
        (open, close): (char, char),
        depth: usize,
        element: impl Fn(u64) -> Option<Value>,
    ) {
        self.text.push(open);
        let mut index = 0;
        while index < count {
            if self.elements_left == 0 || self.values_left == 0 {
                self.text += "...";
                break;
            }
            self.between_elements(index > 0, depth);
            let Some(first) = element(index) else { break };
            let limit = count.min(index.saturating_add(RUN_MAX));
            let is_same = |other: &u64| {
                element(*other).is_some_and(|other| {
                    (&other.bytes, &other.availability) == (&first.bytes, &first.availability)
                })
            };
            let run = 1 + (index + 1..limit).take_while(is_same).count() as u64;
            let shown = if run >= self.options.repeats_min.max(2) as u64 {
                1
            } else {
                run
            };
            for position in 0..shown {
                if self.elements_left == 0 {
                    self.text += "...";
                    self.text.push(close);
                    return;
                }
                if position > 0 {
                    self.between_elements(true, depth);
                }
                self.elements_left -= 1;
                self.value(&first_or(&element, index + position, &first), depth + 1);
            }
            if shown != run {
                let _ = write!(self.text, " <repeats {run} times>");
            }
            index += run;
        }
        self.text.push(close);
    }

    /// Writes what stands before an element.
    fn between_elements(&mut self, has_one_before: bool, depth: usize) {
        match (self.options.has_element_lines, has_one_before) {
            (true, true) => self.text += ",\n",
            (true, false) => self.text.push('\n'),
            (false, true) => self.text += ", ",
            (false, false) => {}
        }
        if self.options.has_element_lines {
            self.text += &"  ".repeat(depth + 1);
        }
    }

    fn char_array(&mut self, value: &Value, count: u64, width: usize) {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let known = value.bytes.len() / width.max(1);
        let shown = count.min(known).min(self.options.elements_max);
        let mut bytes = &value.bytes[..shown * width];
        let is_cut = shown < count;
        // The NUL that ends a string in C is not part of it.
        if !is_cut
            && bytes.len() >= width
            && bytes[bytes.len() - width..].iter().all(|byte| *byte == 0)
        {
            bytes = &bytes[..bytes.len() - width];
        }
        self.text += &quoted(&units(bytes, width), self.options, is_cut);
    }

    fn pointer(
        &mut self,
        value: &Value,
        target: TypeRef,
        kind: PointerKind,
        found: &Type,
        depth: usize,
    ) {
        let Ok(address) = self.inspector.address(value) else {
            self.text += "<error: not an address>";
            return;
        };
        let info = self.inspector.info();
        if kind != PointerKind::Pointer {
            let _ = write!(self.text, "@{address:#x}");
            if depth == 0 {
                self.text += ": ";
                let behind = self.inspector.read(target, Place::Memory(address));
                self.value(&behind, depth + 1);
            }
            return;
        }
        if !matches!(self.options.radix, Radix::Natural | Radix::Address) {
            let size = found.size.unwrap_or(4);
            self.text += &numbers::in_radix(
                Scalar::Integer(i128::from(address)),
                size,
                self.options.radix,
            );
            return;
        }
        let target_type = info.type_of(info.resolve(target));
        let is_text = is_character(&target_type) && target_type.notation != Notation::Rust;
        if depth == 0
            && self.options.has_pointer_type
            && self.options.radix == Radix::Natural
            && !is_text
        {
            let _ = write!(self.text, "({}) ", info.type_name(value.type_ref));
        }
        let is_function = matches!(target_type.kind, TypeKind::Function(_));
        let has_more = is_function || (is_text && address != 0);
        if self.options.has_addresses || !has_more {
            let _ = write!(self.text, "{address:#x}");
        }
        match target_type.kind {
            TypeKind::Function(_) => self.function_name(address),
            _ if is_text && address != 0 => {
                if self.options.has_addresses {
                    self.text.push(' ');
                }
                let width = usize::try_from(target_type.size.unwrap_or(1)).unwrap_or(1);
                self.string_at(address, width);
            }
            _ => {}
        }
    }

    /// Writes the string that ends with a NUL at an address.
    fn string_at(&mut self, address: u64, width: usize) {
        let limit = self.options.elements_max;
        let mut bytes = Vec::new();
        let mut unit = [0; 4];
        let unit = &mut unit[..width.clamp(1, 4)];
        let mut position = address;
        loop {
            if bytes.len() / width.max(1) >= limit {
                self.text += &quoted(&units(&bytes, width), self.options, true);
                return;
            }
            if let Err(error) = self.inspector.target().read_memory(position, unit) {
                if !bytes.is_empty() {
                    self.text += &quoted(&units(&bytes, width), self.options, false);
                }
                let _ = write!(self.text, "<error: {error}>");
                return;
            }
            if unit.iter().all(|byte| *byte == 0) {
                self.text += &quoted(&units(&bytes, width), self.options, false);
                return;
            }
            bytes.extend_from_slice(unit);
            position = position.wrapping_add(unit.len() as u64);
        }
    }

    fn function(&mut self, value: &Value) {
        let _ = write!(
            self.text,
            "{{{}}}",
            self.inspector.info().type_name(value.type_ref)
        );
        if let Place::Memory(address) = value.place {
            if self.options.has_addresses {
                let _ = write!(self.text, " {address:#x}");
            }
            self.function_name(address);
        }
    }

    fn function_name(&mut self, pointer: u64) {
        if let Some(name) = self.inspector.target().function_pointer_name(pointer) {
            let is_alone = self.text.is_empty() || self.text.ends_with([' ', '{', '[', '(', '\n']);
            let gap = if is_alone { "" } else { " " };
            let _ = write!(self.text, "{gap}<{name}>");
        }
    }

    fn scalar(&mut self, value: &Value, type_ref: TypeRef, found: &Type) {
        if found.size == Some(0) {
            self.text += found.name.as_deref().unwrap_or("<unknown type>");
            return;
        }
        let Some(scalar) = self
            .inspector
            .info()
            .decode(type_ref, &value.bytes, value.bits)
        else {
            self.text += "<unknown type>";
            return;
        };
        let size = found.size.unwrap_or(value.bytes.len() as u64);
        self.text += &match (self.options.radix, &found.kind, scalar) {
            (
                Radix::Natural,
                TypeKind::Base(BaseEncoding::Signed | BaseEncoding::Unsigned),
                Scalar::Integer(_),
            ) if self.options.integers != Radix::Natural => {
                numbers::in_radix(scalar, size, self.options.integers)
            }
            (Radix::Natural, TypeKind::Base(encoding), scalar) => natural(*encoding, scalar, size),
            (Radix::Natural, TypeKind::Enumeration(enumeration), Scalar::Integer(number)) => {
                enumerator(found, enumeration, number)
            }
            (Radix::Natural, _, scalar) => numbers::in_radix(scalar, size, Radix::Hexadecimal),
            (Radix::Character, TypeKind::Base(BaseEncoding::Unicode), scalar) => {
                natural(BaseEncoding::Unicode, scalar, size)
            }
            (radix, _, scalar) => numbers::in_radix(scalar, size, radix),
        };
        if self.options.radix == Radix::Address
            && let Scalar::Integer(number) = scalar
            && let Ok(pointer) = u64::try_from(number)
        {
            self.function_name(pointer);
        }
    }
}

/// Writes what stands between brackets.
pub(crate) struct List<'l, 'f, 'a> {
    pub(crate) formatter: &'l mut Formatter<'f, 'a>,
    open: char,
    close: char,
    depth: usize,
    is_empty: bool,
}

impl<'l, 'f, 'a> List<'l, 'f, 'a> {
    pub(crate) fn new(
        formatter: &'l mut Formatter<'f, 'a>,
        open: char,
        close: char,
        depth: usize,
    ) -> Self {
        List {
            formatter,
            open,
            close,
            depth,
            is_empty: true,
        }
    }

    /// Writes an entry with what precedes it.
    pub(crate) fn entry(&mut self, label: &str, value: &Value) {
        if self.is_empty {
            self.formatter.text.push(self.open);
        } else {
            self.formatter.text.push(',');
        }
        self.new_line(self.depth + 1, !self.is_empty);
        self.is_empty = false;
        self.formatter.text += label;
        self.formatter.value(value, self.depth + 1);
    }

    /// Closes the list.
    pub(crate) fn end(mut self) {
        if self.is_empty {
            self.formatter.text.push(self.open);
        } else {
            self.new_line(self.depth, false);
        }
        self.formatter.text.push(self.close);
    }

    fn new_line(&mut self, depth: usize, is_spaced: bool) {
        if self.formatter.options.is_pretty {
            self.formatter.text.push('\n');
            self.formatter.text += &"  ".repeat(depth);
        } else if is_spaced {
            self.formatter.text.push(' ');
        }
    }
}

/// An element that was read before if it is the first of its run.
fn first_or(element: &impl Fn(u64) -> Option<Value>, index: u64, first: &Value) -> Value {
    element(index).unwrap_or_else(|| first.clone())
}

/// Whether arrays of the type are text.
fn is_character(found: &Type) -> bool {
    match found.kind {
        TypeKind::Base(BaseEncoding::SignedChar | BaseEncoding::UnsignedChar) => {
            found.size == Some(1)
        }
        TypeKind::Base(BaseEncoding::Unicode) => matches!(found.size, Some(1 | 2 | 4)),
        _ => false,
    }
}

/// A base type's value as its type suggests.
fn natural(encoding: BaseEncoding, scalar: Scalar, size: u64) -> String {
    match (encoding, scalar) {
        (BaseEncoding::Boolean, Scalar::Integer(0)) => "false".to_owned(),
        (BaseEncoding::Boolean, Scalar::Integer(1)) => "true".to_owned(),
        (
            BaseEncoding::SignedChar | BaseEncoding::UnsignedChar | BaseEncoding::Unicode,
            Scalar::Integer(number),
        ) => {
            let width = usize::try_from(size).unwrap_or(1);
            let mask = if size >= 4 {
                u128::from(u32::MAX)
            } else {
                (1 << (size * 8)) - 1
            };
            let code = (number.cast_unsigned() & mask) as u32;
            format!("{number} {}", quoted_char(Unit::of_code(code, width)))
        }
        (_, Scalar::Float(number)) if size == 4 => numbers::float(f64::from(number as f32), true),
        (_, Scalar::Float(number)) => numbers::float(number, false),
        (_, Scalar::Integer(number)) => number.to_string(),
    }
}

/// An enumeration's value: its name, the names of its flags, or the number.
fn enumerator(found: &Type, enumeration: &Enumeration, number: i128) -> String {
    let named = |name: &str| match (&found.name, enumeration.is_scoped, found.notation) {
        (Some(scope), true, Notation::Cpp) => format!("{scope}::{name}"),
        _ => name.to_owned(),
    };
    let enumerators = &enumeration.enumerators;
    if let Some(exact) = enumerators
        .iter()
        .find(|enumerator| enumerator.value == number)
    {
        return named(&exact.name);
    }
    let is_flag = |value: i128| value > 0 && value.count_ones() == 1;
    let is_flags = !enumerators.is_empty()
        && enumerators
            .iter()
            .all(|enumerator| enumerator.value == 0 || is_flag(enumerator.value));
    if !is_flags || number <= 0 {
        return number.to_string();
    }
    let mut rest = number;
    let mut names = Vec::new();
    for enumerator in enumerators
        .iter()
        .filter(|enumerator| enumerator.value != 0)
    {
        if rest & enumerator.value != 0 {
            names.push(named(&enumerator.name));
            rest &= !enumerator.value;
        }
    }
    if rest != 0 {
        names.push(format!("unknown: {rest:#x}"));
    }
    format!("({})", names.join(" | "))
}

//! What a unit declares, and which unit an address belongs to.
//!
//! One pass over a unit's entries records its functions, types and global variables as a few
//! words each. Names stay in the sections; qualified names are put together when asked for.

use std::ops::Range;

use gimli::AttributeValue;

use crate::info::{DebugInfo, DieRef, Text};
use crate::reader::{Attribute, Reader, Unit};

/// The number that stands for "no scope around it".
pub(crate) const NO_SCOPE: u32 = u32::MAX;

/// How deep entries may nest.
const DEPTH_MAX: isize = 512;

/// What a unit declares, in the order of the entries' offsets.
#[derive(Debug, Default)]
pub(crate) struct UnitIndex {
    pub(crate) scopes: Vec<Scope>,
    pub(crate) functions: Vec<FunctionEntry>,
    pub(crate) inlined: Vec<InlinedEntry>,
    pub(crate) variables: Vec<NamedEntry>,
    pub(crate) types: Vec<NamedEntry>,
    pub(crate) enumerators: Vec<NamedEntry>,
    /// The code of functions, ascending.
    code: Vec<CodeEntry>,
}

/// A namespace, type or function that contains other entries.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) parent: u32,
    pub(crate) name: Text,
    pub(crate) kind: ScopeKind,
}

/// What a scope is, as far as names are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScopeKind {
    Namespace,
    Type,
    /// Names in unscoped enumerations belong to the scope around them.
    Enumeration,
    Function,
}

/// A function, with code or only declared.
#[derive(Debug)]
pub(crate) struct FunctionEntry {
    pub(crate) offset: u32,
    pub(crate) scope: u32,
    pub(crate) name: Text,
    pub(crate) linkage_name: Text,
    pub(crate) origin: Option<DieRef>,
    pub(crate) has_code: bool,
}

/// A copy of a function inlined into another.
#[derive(Debug)]
pub(crate) struct InlinedEntry {
    pub(crate) origin: DieRef,
    pub(crate) start: u32,
}

/// A variable, type or enumerator.
#[derive(Debug)]
pub(crate) struct NamedEntry {
    pub(crate) offset: u32,
    pub(crate) scope: u32,
    pub(crate) name: Text,
    pub(crate) tag: gimli::DwTag,
    pub(crate) is_declaration: bool,
    pub(crate) origin: Option<DieRef>,
}

#[derive(Debug)]
struct CodeEntry {
    start: u32,
    end: u32,
    offset: u32,
}

/// Which unit an address belongs to.
#[derive(Debug, Default)]
pub(crate) struct AddressIndex {
    /// Start, end and unit, ascending.
    ranges: Vec<(u32, u32, u32)>,
}

impl DebugInfo {
    /// The unit that an address belongs to.
    ///
    /// Of a function that several units define inline the linker keeps one copy, but the ranges of the others may still
    /// name it. The unit whose function is there is the right one then.
    pub(crate) fn unit_at(&self, address: u32) -> Option<u32> {
        let index = self.addresses.get_or_init(|| AddressIndex::build(self));
        let position = index
            .ranges
            .partition_point(|(start, _, _)| *start <= address);
        const OVERLAPS_MAX: usize = 16;
        let mut candidates = index.ranges[..position]
            .iter()
            .rev()
            .take(OVERLAPS_MAX)
            .filter(|(_, end, _)| address < *end)
            .map(|(_, _, unit)| *unit);
        let first = candidates.next()?;
        // Asking a unit for its functions reads all of it, so the only candidate is not asked.
        let Some(second) = candidates.next() else {
            return Some(first);
        };
        [first, second]
            .into_iter()
            .chain(candidates)
            .find(|unit| self.function_die_in(*unit, address).is_some())
            .or(Some(first))
    }

    /// What a unit declares.
    pub(crate) fn unit_index(&self, number: u32) -> Option<&UnitIndex> {
        let entry = self.unit_entry(number)?;
        Some(entry.index.get_or_init(|| {
            let reader = Reader::for_index(self);
            let mut index = UnitIndex::default();
            if let Some(unit) = reader.unit(number) {
                let mut scan = Scan { reader: &reader, unit: &unit, index: &mut index, open: Vec::new() };
                if let Err(error) = scan.run() {
                    self.warn(format!(
                        "The unit at .debug_info+{:#x} is malformed and may be incomplete: {error}.",
                        entry.offset
                    ));
                }
            }
            index.code.sort_unstable_by_key(|code| (code.start, code.end));
            index
        }))
    }

    /// The function that an address belongs to.
    pub(crate) fn function_die_at(&self, address: u32) -> Option<DieRef> {
        self.function_die_in(self.unit_at(address)?, address)
    }

    /// The function of a unit that an address belongs to.
    fn function_die_in(&self, unit: u32, address: u32) -> Option<DieRef> {
        let code = &self.unit_index(unit)?.code;
        let position = code
            .partition_point(|code| code.start <= address)
            .checked_sub(1)?;
        let code = &code[position];
        (address < code.end).then_some(DieRef {
            unit,
            offset: code.offset,
        })
    }
}

impl AddressIndex {
    fn build(info: &DebugInfo) -> AddressIndex {
        let mut index = AddressIndex::default();
        for unit in 0..info.unit_count() {
            let Some(root) = info.unit_root(unit) else {
                continue;
            };
            index.ranges.extend(
                root.ranges
                    .iter()
                    .map(|range| (range.start, range.end, unit)),
            );
            // A unit that does not say which code is its own is asked function by function.
            if root.ranges.is_empty()
                && info
                    .unit_entry(unit)
                    .is_some_and(|entry| !entry.is_type_unit)
                && let Some(functions) = info.unit_index(unit)
            {
                index.ranges.extend(
                    functions
                        .code
                        .iter()
                        .map(|code| (code.start, code.end, unit)),
                );
            }
        }
        index.ranges.sort_unstable();
        index
    }
}

impl UnitIndex {
    /// The entry for a function at a unit offset.
    pub(crate) fn function(&self, offset: u32) -> Option<&FunctionEntry> {
        let position = self
            .functions
            .binary_search_by_key(&offset, |function| function.offset)
            .ok()?;
        Some(&self.functions[position])
    }

    /// The entry for a variable at a unit offset.
    pub(crate) fn variable(&self, offset: u32) -> Option<&NamedEntry> {
        let position = self
            .variables
            .binary_search_by_key(&offset, |variable| variable.offset)
            .ok()?;
        Some(&self.variables[position])
    }

    /// The entry for a type at a unit offset.
    pub(crate) fn type_entry(&self, offset: u32) -> Option<&NamedEntry> {
        let position = self
            .types
            .binary_search_by_key(&offset, |entry| entry.offset)
            .ok()?;
        Some(&self.types[position])
    }
}

/// The pass over a unit's entries.
struct Scan<'s, 'a> {
    reader: &'s Reader<'a>,
    unit: &'s Unit<'a>,
    index: &'s mut UnitIndex,
    /// The scopes around the current entry, with the depth of their children.
    open: Vec<(isize, u32)>,
}

/// The attributes of interest.
#[derive(Default)]
struct Attributes<'a> {
    name: Text,
    linkage_name: Text,
    low_pc: Option<Attribute<'a>>,
    high_pc: Option<Attribute<'a>>,
    ranges: Option<Attribute<'a>>,
    origin: Option<DieRef>,
    is_declaration: bool,
    has_location: bool,
}

impl<'a> Scan<'_, 'a> {
    fn run(&mut self) -> gimli::Result<()> {
        let unit = &self.unit.unit;
        let mut entries = unit.entries_raw(None)?;
        while !entries.is_empty() {
            let offset = entries.next_offset();
            let depth = entries.next_depth();
            if depth <= 0 && offset != unit.header.root_offset() {
                break;
            }
            let Some(abbreviation) = entries.read_abbreviation()? else {
                continue;
            };
            while self
                .open
                .last()
                .is_some_and(|(children, _)| depth < *children)
            {
                self.open.pop();
            }
            if !is_indexed(abbreviation.tag())
                || depth > DEPTH_MAX
                || self.is_hidden(abbreviation.tag())
            {
                entries.skip_attributes(abbreviation.attributes())?;
                continue;
            }
            let mut attributes = Attributes::default();
            for specification in abbreviation.attributes() {
                let attribute = entries.read_attribute_inline(*specification)?;
                self.take(&mut attributes, &attribute);
            }
            let offset = u32::try_from(offset.0).unwrap_or(u32::MAX);
            let children = abbreviation.has_children().then_some(depth + 1);
            self.record(abbreviation.tag(), offset, &attributes, children);
        }
        Ok(())
    }

    /// Whether an entry is a local variable, or an enumerator within a function, which no name
    /// from outside reaches.
    fn is_hidden(&self, tag: gimli::DwTag) -> bool {
        tag == gimli::DW_TAG_variable
            && self
                .open
                .iter()
                .any(|(_, scope)| self.index.scopes[*scope as usize].kind == ScopeKind::Function)
    }

    fn take(
        &self,
        into: &mut Attributes<'a>,
        attribute: &gimli::Attribute<crate::reader::Slice<'a>>,
    ) {
        let text = || self.reader.text(&self.unit.unit, attribute.value());
        match attribute.name() {
            gimli::DW_AT_name => into.name = text(),
            gimli::DW_AT_linkage_name | gimli::DW_AT_MIPS_linkage_name => {
                into.linkage_name = text()
            }
            gimli::DW_AT_low_pc => into.low_pc = Some(attribute.value()),
            gimli::DW_AT_high_pc => into.high_pc = Some(attribute.value()),
            gimli::DW_AT_ranges => into.ranges = Some(attribute.value()),
            gimli::DW_AT_abstract_origin | gimli::DW_AT_specification => {
                into.origin = self.reader.reference(self.unit.number, &attribute.value());
            }
            gimli::DW_AT_declaration => {
                into.is_declaration = attribute.value() == AttributeValue::Flag(true)
            }
            gimli::DW_AT_location | gimli::DW_AT_const_value => into.has_location = true,
            _ => {}
        }
    }

    fn record(
        &mut self,
        tag: gimli::DwTag,
        offset: u32,
        attributes: &Attributes<'a>,
        children: Option<isize>,
    ) {
        let scope = self.open.last().map_or(NO_SCOPE, |(_, scope)| *scope);
        let named = NamedEntry {
            offset,
            scope,
            name: attributes.name,
            tag,
            is_declaration: attributes.is_declaration,
            origin: attributes.origin,
        };
        let kind = match tag {
            gimli::DW_TAG_namespace | gimli::DW_TAG_module => Some(ScopeKind::Namespace),
            gimli::DW_TAG_subprogram => {
                self.record_function(offset, scope, attributes);
                Some(ScopeKind::Function)
            }
            gimli::DW_TAG_inlined_subroutine => {
                self.record_inlined(attributes);
                None
            }
            gimli::DW_TAG_variable => {
                // Compilers do not always say that a variable without a location is only declared.
                let is_declaration = !attributes.has_location && attributes.origin.is_none();
                self.index.variables.push(NamedEntry {
                    is_declaration,
                    ..named
                });
                None
            }
            gimli::DW_TAG_enumerator => {
                self.index.enumerators.push(named);
                None
            }
            gimli::DW_TAG_enumeration_type => {
                self.index.types.push(named);
                Some(ScopeKind::Enumeration)
            }
            _ => {
                self.index.types.push(named);
                Some(ScopeKind::Type)
            }
        };
        if let (Some(children), Some(kind)) = (children, kind) {
            let number = u32::try_from(self.index.scopes.len()).unwrap_or(NO_SCOPE);
            self.index.scopes.push(Scope {
                parent: scope,
                name: attributes.name,
                kind,
            });
            self.open.push((children, number));
        }
    }

    fn record_function(&mut self, offset: u32, scope: u32, attributes: &Attributes<'a>) {
        let ranges = self.ranges(attributes);
        self.index.functions.push(FunctionEntry {
            offset,
            scope,
            name: attributes.name,
            linkage_name: attributes.linkage_name,
            origin: attributes.origin,
            has_code: !ranges.is_empty(),
        });
        let code = ranges.into_iter().map(|range| CodeEntry {
            start: range.start,
            end: range.end,
            offset,
        });
        self.index.code.extend(code);
    }

    fn record_inlined(&mut self, attributes: &Attributes<'a>) {
        let start = self.ranges(attributes).first().map(|range| range.start);
        if let (Some(origin), Some(start)) = (attributes.origin, start) {
            self.index.inlined.push(InlinedEntry { origin, start });
        }
    }

    fn ranges(&self, attributes: &Attributes<'a>) -> Vec<Range<u32>> {
        self.reader.code_ranges(
            &self.unit.unit,
            attributes.low_pc,
            attributes.high_pc,
            attributes.ranges,
        )
    }
}

fn is_indexed(tag: gimli::DwTag) -> bool {
    matches!(
        tag,
        gimli::DW_TAG_namespace
            | gimli::DW_TAG_module
            | gimli::DW_TAG_subprogram
            | gimli::DW_TAG_inlined_subroutine
            | gimli::DW_TAG_variable
            | gimli::DW_TAG_enumerator
            | gimli::DW_TAG_enumeration_type
            | gimli::DW_TAG_structure_type
            | gimli::DW_TAG_class_type
            | gimli::DW_TAG_union_type
            | gimli::DW_TAG_typedef
            | gimli::DW_TAG_base_type
            | gimli::DW_TAG_unspecified_type
    )
}

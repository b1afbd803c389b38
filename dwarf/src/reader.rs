//! Entries and attributes of the debug info, read through gimli.
//!
//! A [`Reader`] lives for one question. It borrows the sections, so that what it parses
//! copies nothing; what is worth keeping goes as plain data into the [`DebugInfo`].

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use gimli::{AttributeValue, Section as _};

use crate::info::{DebugInfo, DieRef, Text};
use crate::units::{UnitEntry, UnitRoot};

/// Bytes of a section.
pub(crate) type Slice<'a> = gimli::EndianSlice<'a, gimli::LittleEndian>;

/// An entry (DIE) with its attributes.
pub(crate) type Die<'a> = gimli::DebuggingInformationEntry<Slice<'a>>;

/// The value of an attribute.
pub(crate) type Attribute<'a> = AttributeValue<Slice<'a>>;

/// How many references from entry to entry are followed before they count as a cycle.
pub(crate) const REFERENCES_MAX: usize = 16;

/// The most ranges of code read for one question.
const RANGES_MAX: usize = 1 << 20;

/// The debug info, open for reading.
pub(crate) struct Reader<'a> {
    pub(crate) info: &'a DebugInfo,
    pub(crate) dwarf: gimli::Dwarf<Slice<'a>>,
    units: RefCell<HashMap<u32, Option<Rc<Unit<'a>>>>>,
    /// How many more ranges of code may be read: malformed entries may all refer to one long
    /// list.
    ranges_left: Cell<usize>,
    is_for_index: bool,
}

/// A unit, open for reading.
pub(crate) struct Unit<'a> {
    pub(crate) number: u32,
    pub(crate) root: &'a UnitRoot,
    pub(crate) unit: gimli::Unit<Slice<'a>>,
}

impl<'a> Unit<'a> {
    /// The entry at a unit offset, as a reference.
    pub(crate) fn die_ref(&self, offset: gimli::UnitOffset) -> DieRef {
        DieRef {
            unit: self.number,
            offset: u32::try_from(offset.0).unwrap_or(u32::MAX),
        }
    }

    /// The entry at an offset.
    pub(crate) fn entry(&self, offset: u32) -> Option<Die<'a>> {
        self.unit.entry(gimli::UnitOffset(offset as usize)).ok()
    }

    /// The children of an entry, without their descendants. Malformed input ends the list.
    pub(crate) fn children(&self, parent: u32) -> Vec<Die<'a>> {
        let mut children = Vec::new();
        let Ok(mut entries) = self
            .unit
            .entries_raw(Some(gimli::UnitOffset(parent as usize)))
        else {
            return children;
        };
        match entries.read_abbreviation() {
            Ok(Some(abbreviation)) if abbreviation.has_children() => {
                if entries.skip_attributes(abbreviation.attributes()).is_err() {
                    return children;
                }
            }
            _ => return children,
        }
        while entries.next_depth() > 0 && !entries.is_empty() {
            if entries.next_depth() == 1 {
                let mut die = Die::null();
                match entries.read_entry(&mut die) {
                    Ok(true) => children.push(die),
                    Ok(false) => {}
                    Err(_) => break,
                }
            } else {
                match entries.read_abbreviation() {
                    Ok(Some(abbreviation))
                        if entries.skip_attributes(abbreviation.attributes()).is_ok() => {}
                    Ok(None) => {}
                    _ => break,
                }
            }
        }
        children
    }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(info: &'a DebugInfo) -> Self {
        let dwarf = gimli::Dwarf::load(|id| -> Result<_, std::convert::Infallible> {
            Ok(Slice::new(
                info.sections.get(id.name()),
                gimli::LittleEndian,
            ))
        });
        let Ok(dwarf) = dwarf;
        Reader {
            info,
            dwarf,
            units: RefCell::default(),
            ranges_left: Cell::new(RANGES_MAX),
            is_for_index: false,
        }
    }

    /// A reader for what is read once and kept. All of these together read no more ranges than
    /// well-formed sections could hold.
    pub(crate) fn for_index(info: &'a DebugInfo) -> Self {
        let mut reader = Reader::new(info);
        reader.is_for_index = true;
        let entries =
            info.sections.get(".debug_ranges").len() + info.sections.get(".debug_rnglists").len();
        let read = info.ranges_indexed.load(Ordering::Relaxed);
        reader
            .ranges_left
            .set((2 * entries + RANGES_MAX).saturating_sub(read));
        reader
    }

    /// A unit by its number; `None` if it cannot be read.
    pub(crate) fn unit(&self, number: u32) -> Option<Rc<Unit<'a>>> {
        if let Some(unit) = self.units.borrow().get(&number) {
            return unit.clone();
        }
        let open = || {
            let entry = self.info.unit_entry(number)?;
            let root = self.info.unit_root(number)?;
            let unit = self.open(entry, root).ok()?;
            Some(Rc::new(Unit { number, root, unit }))
        };
        let unit = open();
        self.units.borrow_mut().insert(number, unit.clone());
        unit
    }

    /// A unit for gimli, whose own constructor would parse the line program's header, and all
    /// abbreviations, each time.
    pub(crate) fn open(
        &self,
        entry: &UnitEntry,
        root: &UnitRoot,
    ) -> gimli::Result<gimli::Unit<Slice<'a>>> {
        let header = self.info.unit_header(entry)?;
        let abbreviations = self
            .info
            .unit_table()
            .abbreviations(self.info, header.debug_abbrev_offset().0)
            .ok_or(gimli::Error::InvalidAbbreviationCode(0))?;
        Ok(gimli::Unit {
            header,
            abbreviations,
            name: None,
            comp_dir: None,
            low_pc: root.low_pc,
            str_offsets_base: gimli::DebugStrOffsetsBase(root.string_offsets_base),
            addr_base: gimli::DebugAddrBase(root.address_base),
            loclists_base: gimli::DebugLocListsBase(root.location_lists_base),
            rnglists_base: gimli::DebugRngListsBase(root.range_lists_base),
            line_program: None,
            dwo_id: None,
        })
    }

    /// An entry with its unit.
    pub(crate) fn die(&self, die_ref: DieRef) -> Option<(Rc<Unit<'a>>, Die<'a>)> {
        let unit = self.unit(die_ref.unit)?;
        let die = unit.entry(die_ref.offset)?;
        Some((unit, die))
    }

    /// The entry an attribute refers to.
    pub(crate) fn reference(&self, unit: u32, value: &Attribute<'a>) -> Option<DieRef> {
        match *value {
            AttributeValue::UnitRef(offset) => Some(DieRef {
                unit,
                offset: u32::try_from(offset.0).ok()?,
            }),
            AttributeValue::DebugInfoRef(offset) => self.info.unit_table().at_info_offset(offset.0),
            AttributeValue::DebugTypesRef(signature) => {
                self.info.unit_table().at_signature(signature.0)
            }
            _ => None,
        }
    }

    /// The entry that this one is an instance or a definition of.
    pub(crate) fn origin(&self, unit: u32, die: &Die<'a>) -> Option<DieRef> {
        let value = die
            .attr_value(gimli::DW_AT_abstract_origin)
            .or_else(|| die.attr_value(gimli::DW_AT_specification))?;
        self.reference(unit, &value)
    }

    /// An attribute of an entry or of the entries it is an instance or a definition of, with
    /// the unit that says so.
    pub(crate) fn inherited(
        &self,
        unit: &Rc<Unit<'a>>,
        die: &Die<'a>,
        name: gimli::DwAt,
    ) -> Option<(Rc<Unit<'a>>, Attribute<'a>)> {
        if let Some(value) = die.attr_value(name) {
            return Some((unit.clone(), value));
        }
        let mut origin = self.origin(unit.number, die);
        for _ in 0..REFERENCES_MAX {
            let (unit, die) = self.die(origin?)?;
            if let Some(value) = die.attr_value(name) {
                return Some((unit, value));
            }
            origin = self.origin(unit.number, &die);
        }
        None
    }

    /// The type an entry names in `DW_AT_type`, also by way of its origin.
    pub(crate) fn type_of(&self, unit: &Rc<Unit<'a>>, die: &Die<'a>) -> Option<DieRef> {
        let (unit, value) = self.inherited(unit, die, gimli::DW_AT_type)?;
        self.reference(unit.number, &value)
    }

    /// A string; empty when there is none.
    pub(crate) fn text(&self, unit: &gimli::Unit<Slice<'a>>, value: Attribute<'a>) -> Text {
        let bytes = match value {
            AttributeValue::String(string) => string.slice(),
            AttributeValue::DebugStrRef(offset) => {
                until_nul(self.dwarf.debug_str.reader(), offset.0)
            }
            AttributeValue::DebugLineStrRef(offset) => {
                until_nul(self.dwarf.debug_line_str.reader(), offset.0)
            }
            AttributeValue::DebugStrOffsetsIndex(index) => {
                match self.dwarf.string_offset(unit, index) {
                    Ok(offset) => until_nul(self.dwarf.debug_str.reader(), offset.0),
                    Err(_) => &[],
                }
            }
            _ => &[],
        };
        self.info.text_of(bytes)
    }

    /// The name of an entry itself, not of its origin.
    pub(crate) fn own_name(&self, unit: &Unit<'a>, die: &Die<'a>) -> Text {
        die.attr_value(gimli::DW_AT_name)
            .map_or(Text::default(), |value| self.text(&unit.unit, value))
    }

    /// The name of an entry or of its origin.
    pub(crate) fn name(&self, unit: &Rc<Unit<'a>>, die: &Die<'a>) -> Text {
        self.inherited(unit, die, gimli::DW_AT_name)
            .map_or(Text::default(), |(unit, value)| {
                self.text(&unit.unit, value)
            })
    }

    /// An address.
    pub(crate) fn address(
        &self,
        unit: &gimli::Unit<Slice<'a>>,
        value: Attribute<'a>,
    ) -> Option<u64> {
        self.dwarf.attr_address(unit, value).ok().flatten()
    }

    /// The code an entry covers, ascending, without tombstones.
    pub(crate) fn ranges(&self, unit: &gimli::Unit<Slice<'a>>, die: &Die<'a>) -> Vec<Range<u32>> {
        self.code_ranges(
            unit,
            die.attr_value(gimli::DW_AT_low_pc),
            die.attr_value(gimli::DW_AT_high_pc),
            die.attr_value(gimli::DW_AT_ranges),
        )
    }

    /// The code that the attributes `DW_AT_low_pc`, `DW_AT_high_pc` and `DW_AT_ranges` describe.
    pub(crate) fn code_ranges(
        &self,
        unit: &gimli::Unit<Slice<'a>>,
        low_pc: Option<Attribute<'a>>,
        high_pc: Option<Attribute<'a>>,
        ranges: Option<Attribute<'a>>,
    ) -> Vec<Range<u32>> {
        let mut found = Vec::new();
        if let Some(value) = ranges
            && let Ok(Some(mut list)) = self.dwarf.attr_ranges(unit, value)
        {
            let mut left = self.ranges_left.get();
            while left > 0
                && let Ok(Some(range)) = list.next()
            {
                found.extend(live_range(range.begin, range.end));
                left -= 1;
            }
            let read = self.ranges_left.replace(left) - left;
            if self.is_for_index {
                self.info.ranges_indexed.fetch_add(read, Ordering::Relaxed);
            }
            found.sort_unstable_by_key(|range| range.start);
        } else if let Some(low) = low_pc.and_then(|value| self.address(unit, value)) {
            let high = high_pc.and_then(|value| match value.udata_value() {
                Some(size) => low.checked_add(size),
                None => self.address(unit, value),
            });
            found.extend(high.and_then(|high| live_range(low, high)));
        }
        found
    }
}

/// A range of code, unless it is empty or belongs to code the linker dropped: linkers write
/// -1, -2 or 0 for such addresses, and no function lies at offset 0, where the code section
/// counts its functions.
fn live_range(start: u64, end: u64) -> Option<Range<u32>> {
    let start = u32::try_from(start).ok()?;
    let end = u32::try_from(end).ok()?;
    (start > 0 && start < end).then_some(start..end)
}

/// The bytes of a section from an offset up to a NUL, at most as many as a [`Text`] keeps.
fn until_nul<'a>(section: &Slice<'a>, offset: usize) -> &'a [u8] {
    let rest = section.slice().get(offset..).unwrap_or_default();
    let rest = &rest[..rest.len().min(Text::LEN_MAX)];
    let len = rest
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(rest.len());
    &rest[..len]
}

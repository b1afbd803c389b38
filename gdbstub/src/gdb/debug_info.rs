//! A copy of the module's debug info with its location expressions rewritten for gdb.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use gimli::{
    AttributeValue, DwAt, Encoding, EndianSlice, LittleEndian, RawLocListEntry, Reader as _,
    constants,
};
use wdb_debugger::Program;

use super::layout::FrameBase;
use super::rewrite;

type Reader<'a> = EndianSlice<'a, LittleEndian>;

/// The sections that gdb gets. It makes its own indices, and those of the module would know nothing of the rewriting.
const SECTIONS: [&str; 13] = [
    ".debug_info",
    ".debug_types",
    ".debug_abbrev",
    ".debug_line",
    ".debug_line_str",
    ".debug_str",
    ".debug_str_offsets",
    ".debug_addr",
    ".debug_ranges",
    ".debug_rnglists",
    ".debug_loc",
    ".debug_loclists",
    ".debug_macro",
];

/// Debug info for gdb.
#[derive(Debug, Default)]
pub(super) struct DebugInfo {
    /// Names and contents.
    pub(super) sections: Vec<(&'static str, Vec<u8>)>,
    /// What functions take for their frame bases, by the addresses at which they begin.
    pub(super) frame_bases: HashMap<u64, FrameBase>,
}

/// An expression, and what it is for.
struct Found {
    section: &'static str,
    range: Range<usize>,
    encoding: Encoding,
    /// The beginning of the function whose frame base it is.
    function: Option<u64>,
}

impl DebugInfo {
    /// Copies and rewrites. What is damaged in the sections stays as it is, for gdb to complain about.
    pub(super) fn new(program: &Program) -> DebugInfo {
        let module = program.bytes();
        let mut sections = Vec::new();
        for (name, range) in program.custom_sections() {
            let known = SECTIONS.iter().find(|known| **known == name);
            if let Some(known) = known
                && !sections.iter().any(|(other, _)| other == known)
            {
                let bytes = &module[range.start as usize..range.end as usize];
                sections.push((*known, bytes.to_vec()));
            }
        }
        let found = expressions(&sections);
        let mut info = DebugInfo {
            sections,
            frame_bases: HashMap::new(),
        };
        for expression in found {
            info.rewrite(expression);
        }
        info
    }

    fn rewrite(&mut self, found: Found) {
        let section = self.sections.iter_mut().find(|it| it.0 == found.section);
        let Some(bytes) = section.and_then(|(_, bytes)| bytes.get_mut(found.range)) else {
            return;
        };
        match found.function {
            Some(low_pc) => {
                if let Some(base) = rewrite::frame_base(bytes, found.encoding) {
                    self.frame_bases.insert(low_pc, base);
                }
            }
            None => rewrite::location(bytes, found.encoding),
        }
    }
}

/// All expressions of all units.
fn expressions(sections: &[(&'static str, Vec<u8>)]) -> Vec<Found> {
    let section = |id: gimli::SectionId| -> Result<Reader<'_>, gimli::Error> {
        let found = sections.iter().find(|(name, _)| *name == id.name());
        let bytes = found.map_or(&[][..], |(_, bytes)| bytes);
        Ok(EndianSlice::new(bytes, LittleEndian))
    };
    let Ok(mut dwarf) = gimli::Dwarf::load(section) else {
        return Vec::new();
    };
    dwarf.populate_abbreviations_cache(gimli::AbbreviationsCacheStrategy::Duplicates);
    let mut finder = Finder {
        dwarf: &dwarf,
        seen: HashSet::new(),
        found: Vec::new(),
    };
    let mut units = dwarf.units();
    while let Ok(Some(header)) = units.next() {
        let Ok(unit) = dwarf.unit(header) else {
            continue;
        };
        // The expressions before the damage count.
        let _ = finder.unit(&unit);
    }
    finder.found
}

struct Finder<'a> {
    dwarf: &'a gimli::Dwarf<Reader<'a>>,
    /// Where expressions were found: lists can be shared, and nothing may be rewritten twice.
    seen: HashSet<(&'static str, usize)>,
    found: Vec<Found>,
}

impl<'a> Finder<'a> {
    fn unit(&mut self, unit: &gimli::Unit<Reader<'a>>) -> gimli::Result<()> {
        let mut entries = unit.entries_raw(None)?;
        let mut attributes = Vec::new();
        while !entries.is_empty() {
            let Some(abbreviation) = entries.read_abbreviation()? else {
                continue;
            };
            entries.read_attributes(abbreviation.attributes(), &mut attributes)?;
            let find = |name: DwAt| attributes.iter().find(|it| it.name() == name);
            let low_pc = match find(constants::DW_AT_low_pc).map(|it| it.value()) {
                Some(AttributeValue::Addr(address)) => Some(address),
                Some(AttributeValue::DebugAddrIndex(index)) => self.dwarf.address(unit, index).ok(),
                _ => None,
            };
            for attribute in &attributes {
                let is_frame_base = attribute.name() == constants::DW_AT_frame_base;
                match attribute.value() {
                    AttributeValue::Exprloc(expression) => {
                        let function = if is_frame_base { low_pc } else { None };
                        self.expression(unit, expression.0, function);
                    }
                    // An inlined call's ranges and a producer's text are no lists of locations.
                    AttributeValue::LocationListsRef(_) | AttributeValue::DebugLocListsIndex(_) => {
                        self.list(unit, attribute.value())?;
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn list(
        &mut self,
        unit: &gimli::Unit<Reader<'a>>,
        value: AttributeValue<Reader<'a>>,
    ) -> gimli::Result<()> {
        let Some(offset) = self.dwarf.attr_locations_offset(unit, value)? else {
            return Ok(());
        };
        let mut entries = self.dwarf.raw_locations(unit, offset)?;
        while let Some(entry) = entries.next()? {
            let expression = match entry {
                RawLocListEntry::AddressOrOffsetPair { data, .. }
                | RawLocListEntry::StartxEndx { data, .. }
                | RawLocListEntry::StartxLength { data, .. }
                | RawLocListEntry::OffsetPair { data, .. }
                | RawLocListEntry::DefaultLocation { data }
                | RawLocListEntry::StartEnd { data, .. }
                | RawLocListEntry::StartLength { data, .. } => data.0,
                _ => continue,
            };
            self.expression(unit, expression, None);
        }
        Ok(())
    }

    fn expression(
        &mut self,
        unit: &gimli::Unit<Reader<'a>>,
        bytes: Reader<'a>,
        function: Option<u64>,
    ) {
        let Some((_, id, offset)) = self.dwarf.lookup_offset_id(bytes.offset_id()) else {
            return;
        };
        let section = id.name();
        if bytes.is_empty() || !self.seen.insert((section, offset)) {
            return;
        }
        self.found.push(Found {
            section,
            range: offset..offset + bytes.len(),
            encoding: unit.encoding(),
            function,
        });
    }
}

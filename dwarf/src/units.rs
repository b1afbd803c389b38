//! The compilation units: their headers and what their root entries say.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::info::{DebugInfo, DieRef, Text};
use crate::lines::LineTable;
use crate::reader::{Reader, Slice};
use crate::source_files::FileTable;
use crate::unit_index::UnitIndex;

/// All units of the module.
#[derive(Debug)]
pub(crate) struct UnitTable {
    /// The units of `.debug_info` in the order of their offsets, then those of `.debug_types`.
    pub(crate) units: Vec<UnitEntry>,
    /// How many of them belong to `.debug_info`.
    info_count: usize,
    /// The types of type units by their signatures.
    signatures: HashMap<u64, DieRef>,
    /// Parsed tables of abbreviations by their offsets.
    abbreviations: Mutex<HashMap<usize, Option<Arc<gimli::Abbreviations>>>>,
    /// The offsets at which tables of abbreviations begin.
    abbreviation_starts: BTreeSet<usize>,
}

/// One unit, and what has been learnt of it so far.
#[derive(Debug)]
pub(crate) struct UnitEntry {
    /// Offset of the header in its section.
    pub(crate) offset: usize,
    /// Whether the section is `.debug_types`.
    pub(crate) is_in_debug_types: bool,
    /// Whether it holds one type for other units.
    pub(crate) is_type_unit: bool,
    root: OnceLock<Option<UnitRoot>>,
    pub(crate) index: OnceLock<UnitIndex>,
    pub(crate) files: OnceLock<FileTable>,
    pub(crate) lines: OnceLock<LineTable>,
}

/// What a unit's root entry says.
#[derive(Debug)]
pub(crate) struct UnitRoot {
    pub(crate) encoding: gimli::Encoding,
    pub(crate) name: Text,
    pub(crate) directory: Text,
    pub(crate) producer: Text,
    pub(crate) language: Option<gimli::DwLang>,
    pub(crate) line_program: Option<usize>,
    pub(crate) low_pc: u64,
    pub(crate) string_offsets_base: usize,
    pub(crate) address_base: usize,
    pub(crate) location_lists_base: usize,
    pub(crate) range_lists_base: usize,
    pub(crate) ranges: Vec<Range<u32>>,
}

impl UnitRoot {
    pub(crate) fn is_rust(&self) -> bool {
        self.language == Some(gimli::DW_LANG_Rust)
    }
}

impl UnitTable {
    /// Reads the headers of all units.
    fn scan(info: &DebugInfo) -> UnitTable {
        let mut table = UnitTable {
            units: Vec::new(),
            info_count: 0,
            signatures: HashMap::new(),
            abbreviations: Mutex::default(),
            abbreviation_starts: BTreeSet::new(),
        };
        table.scan_section(info, false);
        table.info_count = table.units.len();
        table.scan_section(info, true);
        table
    }

    fn scan_section(&mut self, info: &DebugInfo, is_in_debug_types: bool) {
        let name = if is_in_debug_types {
            ".debug_types"
        } else {
            ".debug_info"
        };
        let section = info.sections.get(name);
        let mut offset = 0;
        while offset < section.len() {
            let Some(len) = unit_len(&section[offset..]) else {
                info.warn(format!(
                    "The unit at {name}+{offset:#x} reaches past its section: the rest of the section is ignored."
                ));
                return;
            };
            match unit_header(&section[offset..offset + len], is_in_debug_types) {
                Ok(header) => self.add(&header, offset, is_in_debug_types),
                Err(error) => info.warn(format!(
                    "The unit at {name}+{offset:#x} is ignored: {error}."
                )),
            }
            offset += len;
        }
    }

    fn add(
        &mut self,
        header: &gimli::UnitHeader<Slice<'_>>,
        offset: usize,
        is_in_debug_types: bool,
    ) {
        if let gimli::UnitType::Type {
            type_signature,
            type_offset,
        } = header.type_()
            && let (Ok(unit), Ok(offset)) = (
                u32::try_from(self.units.len()),
                u32::try_from(type_offset.0),
            )
        {
            self.signatures
                .entry(type_signature.0)
                .or_insert(DieRef { unit, offset });
        }
        self.abbreviation_starts
            .insert(header.debug_abbrev_offset().0);
        self.units.push(UnitEntry {
            offset,
            is_in_debug_types,
            is_type_unit: matches!(header.type_(), gimli::UnitType::Type { .. }),
            root: OnceLock::new(),
            index: OnceLock::new(),
            files: OnceLock::new(),
            lines: OnceLock::new(),
        });
    }

    /// The entry at an offset of `.debug_info`.
    pub(crate) fn at_info_offset(&self, offset: usize) -> Option<DieRef> {
        let number = self.units[..self.info_count]
            .partition_point(|unit| unit.offset <= offset)
            .checked_sub(1)?;
        Some(DieRef {
            unit: u32::try_from(number).ok()?,
            offset: u32::try_from(offset - self.units[number].offset).ok()?,
        })
    }

    /// The type of a type unit.
    pub(crate) fn at_signature(&self, signature: u64) -> Option<DieRef> {
        self.signatures.get(&signature).copied()
    }

    /// The table of abbreviations at an offset.
    ///
    /// A table is cut where the next one begins. Well-formed tables do not overlap, and
    /// malformed ones that do could cost the square of the section's size.
    pub(crate) fn abbreviations(
        &self,
        info: &DebugInfo,
        offset: usize,
    ) -> Option<Arc<gimli::Abbreviations>> {
        let mut cache = self
            .abbreviations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        cache
            .entry(offset)
            .or_insert_with(|| {
                let section = info.sections.get(".debug_abbrev");
                let end = self
                    .abbreviation_starts
                    .range(offset + 1..)
                    .next()
                    .map_or(section.len(), |end| *end);
                let section = section.get(..end.min(section.len()))?;
                let parsed = gimli::DebugAbbrev::new(section, gimli::LittleEndian)
                    .abbreviations(gimli::DebugAbbrevOffset(offset));
                if let Err(error) = &parsed {
                    info.warn(format!(
                        "The abbreviations at .debug_abbrev+{offset:#x} are malformed: {error}."
                    ));
                }
                parsed.ok().map(Arc::new)
            })
            .clone()
    }
}

impl DebugInfo {
    pub(crate) fn unit_table(&self) -> &UnitTable {
        self.units.get_or_init(|| UnitTable::scan(self))
    }

    pub(crate) fn unit_count(&self) -> u32 {
        u32::try_from(self.unit_table().units.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn unit_entry(&self, number: u32) -> Option<&UnitEntry> {
        self.unit_table().units.get(number as usize)
    }

    /// What a unit's root entry says; `None` if it cannot be read.
    pub(crate) fn unit_root(&self, number: u32) -> Option<&UnitRoot> {
        let entry = self.unit_entry(number)?;
        entry
            .root
            .get_or_init(|| {
                let root = read_root(self, entry);
                if let Err(error) = &root {
                    self.warn(format!(
                        "The unit at .debug_info+{:#x} is ignored: {error}.",
                        entry.offset
                    ));
                }
                root.ok()
            })
            .as_ref()
    }

    /// The header of a unit.
    pub(crate) fn unit_header(
        &self,
        entry: &UnitEntry,
    ) -> gimli::Result<gimli::UnitHeader<Slice<'_>>> {
        let name = if entry.is_in_debug_types {
            ".debug_types"
        } else {
            ".debug_info"
        };
        let section = self
            .sections
            .get(name)
            .get(entry.offset..)
            .unwrap_or_default();
        unit_header(section, entry.is_in_debug_types)
    }
}

/// The length of the unit at the start of `section`, its length field included.
fn unit_len(section: &[u8]) -> Option<usize> {
    let word = u32::from_le_bytes(section.get(..4)?.try_into().ok()?);
    let len = match word {
        0xffff_ffff => {
            let long = u64::from_le_bytes(section.get(4..12)?.try_into().ok()?);
            usize::try_from(long).ok()?.checked_add(12)?
        }
        _ => word as usize + 4,
    };
    (len <= section.len()).then_some(len)
}

/// The header of the unit at the start of `section`.
fn unit_header(
    section: &[u8],
    is_in_debug_types: bool,
) -> gimli::Result<gimli::UnitHeader<Slice<'_>>> {
    let header = if is_in_debug_types {
        let units = gimli::DebugTypes::new(section, gimli::LittleEndian)
            .units()
            .next()?;
        units.ok_or(gimli::Error::MissingUnitDie)?
    } else {
        gimli::DebugInfo::new(section, gimli::LittleEndian)
            .header_from_offset(gimli::DebugInfoOffset(0))?
    };
    match header.address_size() {
        4 | 8 => Ok(header),
        size => Err(gimli::Error::UnsupportedAddressSize(size)),
    }
}

/// Reads a unit's root entry. The bases come first: other attributes are relative to them.
fn read_root(info: &DebugInfo, entry: &UnitEntry) -> gimli::Result<UnitRoot> {
    let header = info.unit_header(entry)?;
    let abbreviations = info
        .unit_table()
        .abbreviations(info, header.debug_abbrev_offset().0)
        .ok_or(gimli::Error::InvalidAbbreviationCode(0))?;
    let die = header.entry(&abbreviations, header.root_offset())?;
    let mut root = UnitRoot {
        encoding: header.encoding(),
        name: Text::default(),
        directory: Text::default(),
        producer: Text::default(),
        language: None,
        line_program: None,
        low_pc: 0,
        string_offsets_base: gimli::DebugStrOffsetsBase::<usize>::default_for_encoding_and_file(
            header.encoding(),
            gimli::DwarfFileType::Main,
        )
        .0,
        address_base: 0,
        location_lists_base: 0,
        range_lists_base: 0,
        ranges: Vec::new(),
    };
    for attribute in die.attrs() {
        match attribute.value() {
            gimli::AttributeValue::DebugStrOffsetsBase(base) => root.string_offsets_base = base.0,
            gimli::AttributeValue::DebugAddrBase(base) => root.address_base = base.0,
            gimli::AttributeValue::DebugLocListsBase(base) => root.location_lists_base = base.0,
            gimli::AttributeValue::DebugRngListsBase(base) => root.range_lists_base = base.0,
            gimli::AttributeValue::DebugLineRef(offset) => root.line_program = Some(offset.0),
            gimli::AttributeValue::Language(language) => root.language = Some(language),
            _ => {}
        }
    }
    let reader = Reader::for_index(info);
    let unit = reader.open(entry, &root)?;
    let text = |name| {
        die.attr_value(name)
            .map_or(Text::default(), |value| reader.text(&unit, value))
    };
    let (name, directory, producer) = (
        text(gimli::DW_AT_name),
        text(gimli::DW_AT_comp_dir),
        text(gimli::DW_AT_producer),
    );
    let low_pc = die
        .attr_value(gimli::DW_AT_low_pc)
        .and_then(|value| reader.address(&unit, value))
        .unwrap_or(0);
    (root.name, root.directory, root.producer, root.low_pc) = (name, directory, producer, low_pc);
    let unit = reader.open(entry, &root)?;
    let ranges = reader.ranges(&unit, &die);
    root.ranges = ranges;
    Ok(root)
}

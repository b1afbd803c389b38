//! The debug info of one module: its sections and what has been learnt from them so far.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::functions::FunctionSymbol;
use crate::names::NameIndex;
use crate::scopes::FunctionScopes;
use crate::sections::{EXTERNAL_DEBUG_INFO, Sections};
use crate::source_files::{LineOwners, PathTable};
use crate::types::TypeTable;
use crate::unit_index::AddressIndex;
use crate::units::UnitTable;

/// The debug info of one module. It can be shared between threads.
#[derive(Debug)]
pub struct DebugInfo {
    pub(crate) sections: Sections,
    pub(crate) units: OnceLock<UnitTable>,
    pub(crate) addresses: OnceLock<AddressIndex>,
    pub(crate) names: OnceLock<NameIndex>,
    pub(crate) paths: PathTable,
    pub(crate) line_owners: OnceLock<LineOwners>,
    pub(crate) line_bytes_read: AtomicUsize,
    pub(crate) ranges_indexed: AtomicUsize,
    pub(crate) file_list: OnceLock<Arc<[Arc<str>]>>,
    pub(crate) function_list: OnceLock<Arc<[FunctionSymbol]>>,
    pub(crate) global_list: OnceLock<Arc<[Arc<str>]>>,
    pub(crate) types: TypeTable,
    pub(crate) scopes: Mutex<HashMap<DieRef, Arc<FunctionScopes>>>,
    warnings: Mutex<Vec<String>>,
}

/// Names an entry of the debug info: the unit by number, the entry by its offset in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct DieRef {
    pub(crate) unit: u32,
    pub(crate) offset: u32,
}

/// A string of the debug sections, as a range of the module's bytes: indexes of names copy
/// nothing, so that they stay small and malformed input cannot blow them up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Text {
    start: u32,
    len: u32,
}

impl Text {
    /// Longer strings are cut: no tool makes them, and many entries may share one.
    pub(crate) const LEN_MAX: usize = 8192;

    pub(crate) fn is_empty(self) -> bool {
        self.len == 0
    }
}

/// What there is, for a person to look at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Sections with debug info and their sizes in bytes.
    pub sections: Vec<(String, usize)>,
    /// The compilation units.
    pub units: Vec<UnitSummary>,
    /// The separate file with debug info that the module names.
    pub external_url: Option<String>,
}

/// What there is to say about a compilation unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitSummary {
    /// Its name, mostly the main source file.
    pub name: String,
    /// The directory it was compiled in.
    pub directory: String,
    /// The version of DWARF.
    pub dwarf_version: u16,
    /// The compiler.
    pub producer: String,
    /// The source language, without the prefix `DW_LANG_`.
    pub language: String,
}

impl DebugInfo {
    /// Takes the sections; parses nothing.
    #[must_use]
    pub fn new(sections: Sections) -> Self {
        DebugInfo {
            sections,
            units: OnceLock::new(),
            addresses: OnceLock::new(),
            names: OnceLock::new(),
            paths: PathTable::default(),
            line_owners: OnceLock::new(),
            line_bytes_read: AtomicUsize::new(0),
            ranges_indexed: AtomicUsize::new(0),
            file_list: OnceLock::new(),
            function_list: OnceLock::new(),
            global_list: OnceLock::new(),
            types: TypeTable::default(),
            scopes: Mutex::default(),
            warnings: Mutex::default(),
        }
    }

    /// Whether there is no DWARF at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sections.get(".debug_info").is_empty()
    }

    /// The URL in the section `external_debug_info`: where the debug info is when the module
    /// does not hold it.
    #[must_use]
    pub fn external_url(&self) -> Option<&str> {
        let section = self.sections.get(EXTERNAL_DEBUG_INFO);
        let mut len = 0usize;
        for (position, byte) in section.iter().enumerate().take(5) {
            len |= usize::from(byte & 0x7f) << (7 * position);
            if byte & 0x80 == 0 {
                let url = section[position + 1..].get(..len)?;
                return std::str::from_utf8(url).ok().filter(|url| !url.is_empty());
            }
        }
        None
    }

    /// What there is, unit by unit.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let units = (0..self.unit_count())
            .filter(|number| {
                self.unit_entry(*number)
                    .is_some_and(|entry| !entry.is_type_unit)
            })
            .filter_map(|number| {
                let root = self.unit_root(number)?;
                let language = root.language.and_then(|language| language.static_string());
                Some(UnitSummary {
                    name: self.text(root.name).into_owned(),
                    directory: self.text(root.directory).into_owned(),
                    dwarf_version: root.encoding.version,
                    producer: self.text(root.producer).into_owned(),
                    language: language
                        .unwrap_or("unknown")
                        .trim_start_matches("DW_LANG_")
                        .to_owned(),
                })
            })
            .collect();
        Summary {
            sections: self
                .sections
                .sizes()
                .into_iter()
                .map(|(name, size)| (name.to_owned(), size))
                .collect(),
            units,
            external_url: self.external_url().map(str::to_owned),
        }
    }

    /// What was found malformed so far, each once, as sentences for a person.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.warnings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Records that something is malformed.
    pub(crate) fn warn(&self, warning: String) {
        const WARNINGS_MAX: usize = 32;
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if warnings.len() < WARNINGS_MAX && !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    /// The string a [`Text`] stands for.
    pub(crate) fn text(&self, text: Text) -> Cow<'_, str> {
        String::from_utf8_lossy(self.text_bytes(text))
    }

    /// The bytes a [`Text`] stands for.
    pub(crate) fn text_bytes(&self, text: Text) -> &[u8] {
        let start = text.start as usize;
        self.sections
            .module()
            .get(start..start + text.len as usize)
            .unwrap_or_default()
    }

    /// The [`Text`] for bytes that are part of the module.
    pub(crate) fn text_of(&self, bytes: &[u8]) -> Text {
        let module: Range<*const u8> = self.sections.module().as_ptr_range();
        let bytes = &bytes[..bytes.len().min(Text::LEN_MAX)];
        if bytes.is_empty() || !module.contains(&bytes.as_ptr()) {
            return Text::default();
        }
        let start = bytes.as_ptr().addr() - module.start.addr();
        match (u32::try_from(start), u32::try_from(bytes.len())) {
            (Ok(start), Ok(len)) => Text { start, len },
            _ => Text::default(),
        }
    }
}

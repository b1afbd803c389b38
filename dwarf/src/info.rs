//! The debug info of one module.

use crate::sections::Sections;

/// The debug info of one module. It can be shared between threads.
#[derive(Debug)]
pub struct DebugInfo {
    sections: Sections,
}

/// Names an entry of the debug info: the unit by number, the entry by its offset in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct DieRef {
    pub(crate) unit: u32,
    pub(crate) offset: u32,
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
    /// The source language.
    pub language: String,
}

impl DebugInfo {
    /// Takes the sections; parses nothing.
    #[must_use]
    pub fn new(sections: Sections) -> Self {
        DebugInfo { sections }
    }

    /// Whether there is no DWARF at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sections.get(".debug_info").is_empty() && self.sections.get(".debug_line").is_empty()
    }

    /// The URL in the section `external_debug_info`: where the debug info is when the module
    /// does not hold it.
    #[must_use]
    pub fn external_url(&self) -> Option<&str> {
        todo!()
    }

    /// What there is, unit by unit.
    #[must_use]
    pub fn summary(&self) -> Summary {
        todo!()
    }

    /// What was found malformed so far, each once, as sentences for a person.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        todo!()
    }
}

//! The custom sections that hold debug info, without copying them.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// The custom sections of one module, as ranges of the module's bytes.
#[derive(Debug, Clone)]
pub struct Sections {
    module: Arc<[u8]>,
    ranges: HashMap<Box<str>, Range<usize>>,
}

impl Sections {
    /// A map without sections over the bytes of a whole module.
    #[must_use]
    pub fn new(module: Arc<[u8]>) -> Self {
        Sections {
            module,
            ranges: HashMap::new(),
        }
    }

    /// Adds the custom section `name` whose contents (after its name) lie at `range` of the
    /// module's bytes. A range outside of the module is cut to it. Sections that hold no
    /// debug info may be given as well: they are ignored. The first section of a name wins.
    pub fn insert(&mut self, name: &str, range: Range<usize>) {
        if !name.starts_with(".debug_") && name != EXTERNAL_DEBUG_INFO {
            return;
        }
        let end = range.end.min(self.module.len());
        let start = range.start.min(end);
        self.ranges.entry(name.into()).or_insert(start..end);
    }

    /// The contents of a section; empty when the module has none of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> &[u8] {
        self.ranges
            .get(name)
            .map_or(&[], |range| &self.module[range.clone()])
    }

    /// The bytes of the whole module.
    pub(crate) fn module(&self) -> &[u8] {
        &self.module
    }

    /// Names and sizes in bytes of the sections with debug info, by name.
    #[must_use]
    pub fn sizes(&self) -> Vec<(&str, usize)> {
        let mut sizes: Vec<_> = self
            .ranges
            .iter()
            .map(|(name, range)| (&**name, range.len()))
            .collect();
        sizes.sort_unstable();
        sizes
    }
}

/// The custom section that names a separate file with the debug info (tool conventions).
pub(crate) const EXTERNAL_DEBUG_INFO: &str = "external_debug_info";

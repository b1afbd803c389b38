//! What is known of the program's text so far: sources, their colours and disassemblies, each bounded in number.

use std::collections::HashMap;
use std::sync::Arc;

use wdb_debugger::view::{Disassembly, SourceText};

use crate::screen::syntax::{self, Colours, LineColours};

/// A thing that is fetched on another thread.
#[derive(Clone, Debug)]
pub(crate) enum Fetched<T> {
    /// It was asked for.
    Loading,
    /// It is here.
    Ready(T),
    /// There is none; the text says why and what to do.
    Missing(String),
}

/// A source file and as many colours as are known.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// Its text.
    pub(crate) text: Arc<SourceText>,
    /// The colours of its first lines.
    pub(crate) colours: Vec<LineColours>,
    /// For how many lines colours were asked.
    pub(crate) colours_asked: usize,
}

/// Sources by recorded path and disassemblies by function.
#[derive(Default)]
pub(crate) struct Listing {
    sources: HashMap<Arc<str>, Fetched<Source>>,
    functions: HashMap<u32, Fetched<Arc<Disassembly>>>,
}

impl Listing {
    /// How many of each are kept. Beyond that all are dropped and fetched anew when needed: this takes many files, and
    /// the session keeps its own copies.
    const ENTRIES_MAX: usize = 32;

    /// A source file; `None` when it was not asked for yet.
    pub(crate) fn source(&self, recorded: &str) -> Option<&Fetched<Source>> {
        self.sources.get(recorded)
    }

    /// A source file's text, if it is here.
    pub(crate) fn source_text(&self, recorded: &str) -> Option<&Arc<SourceText>> {
        match self.sources.get(recorded) {
            Some(Fetched::Ready(source)) => Some(&source.text),
            _ => None,
        }
    }

    /// Notes that a source was asked for.
    pub(crate) fn source_asked(&mut self, recorded: &Arc<str>) {
        if self.sources.len() >= Self::ENTRIES_MAX {
            self.sources.clear();
        }
        self.sources.insert(Arc::clone(recorded), Fetched::Loading);
    }

    /// Stores a source, or why there is none.
    pub(crate) fn store_source(
        &mut self,
        recorded: Arc<str>,
        source: Result<Arc<SourceText>, String>,
    ) {
        let fetched = match source {
            Ok(text) => Fetched::Ready(Source {
                text,
                colours: Vec::new(),
                colours_asked: 0,
            }),
            Err(reason) => Fetched::Missing(reason),
        };
        self.sources.insert(recorded, fetched);
    }

    /// Decides for how many lines colours must be asked so that those up to `line` are known, if any.
    pub(crate) fn colours_wanted(
        &mut self,
        recorded: &str,
        line: usize,
    ) -> Option<(Arc<SourceText>, usize)> {
        /// Asking ahead keeps colours from trailing behind a moving cursor.
        const AHEAD_LINES: usize = 200;
        let Some(Fetched::Ready(source)) = self.sources.get_mut(recorded) else {
            return None;
        };
        let needed = line.min(source.text.lines.len()).min(syntax::LINES_MAX);
        if needed <= source.colours_asked {
            return None;
        }
        let wanted = (needed + AHEAD_LINES)
            .min(source.text.lines.len())
            .min(syntax::LINES_MAX);
        source.colours_asked = wanted;
        Some((Arc::clone(&source.text), wanted))
    }

    /// Stores colours. Those of a source that was dropped meanwhile are of no use.
    pub(crate) fn store_colours(&mut self, colours: Colours) {
        if let Some(Fetched::Ready(source)) = self.sources.get_mut(&colours.recorded)
            && colours.first <= source.colours.len()
        {
            source.colours.truncate(colours.first);
            source.colours.extend(colours.lines);
        }
    }

    /// A function; `None` when it was not asked for yet.
    pub(crate) fn function(&self, func_index: u32) -> Option<&Fetched<Arc<Disassembly>>> {
        self.functions.get(&func_index)
    }

    /// A function's instructions, if they are here.
    pub(crate) fn disassembly(&self, func_index: u32) -> Option<&Arc<Disassembly>> {
        match self.functions.get(&func_index) {
            Some(Fetched::Ready(disassembly)) => Some(disassembly),
            _ => None,
        }
    }

    /// Notes that a function was asked for.
    pub(crate) fn function_asked(&mut self, func_index: u32) {
        if self.functions.len() >= Self::ENTRIES_MAX {
            self.functions.clear();
        }
        self.functions.insert(func_index, Fetched::Loading);
    }

    /// Stores a function.
    pub(crate) fn store_function(
        &mut self,
        func_index: u32,
        disassembly: Option<Arc<Disassembly>>,
    ) {
        let fetched = match disassembly {
            Some(disassembly) => Fetched::Ready(disassembly),
            None => Fetched::Missing(format!("function {func_index} has no instructions")),
        };
        self.functions.insert(func_index, fetched);
    }
}

//! The name section (WebAssembly 3.0, appendix "Name section").

use std::collections::{HashMap, HashSet};

use wasmparser::{BinaryReader, IndirectNameMap, Name, NameMap, NameSectionReader};

/// The names of a module's items. What is malformed is left out: names never decide what a program does.
#[derive(Default, Debug)]
pub struct Names {
    module: Option<String>,
    funcs: HashMap<u32, String>,
    locals: HashMap<(u32, u32), String>,
    globals: HashMap<u32, String>,
    tables: HashMap<u32, String>,
    memories: HashMap<u32, String>,
    types: HashMap<u32, String>,
    data: HashMap<u32, String>,
    elements: HashMap<u32, String>,
    tags: HashMap<u32, String>,
    fields: HashMap<(u32, u32), String>,
    labels: HashMap<(u32, u32), String>,
    /// The functions whose labels have names.
    with_labels: HashSet<u32>,
}

impl Names {
    pub(crate) fn parse(bytes: &[u8], offset: u64) -> Names {
        let mut names = Names::default();
        let section = NameSectionReader::new(BinaryReader::new(bytes, offset));
        for name in section.map_while(Result::ok) {
            match name {
                Name::Module { name, .. } => names.module = Some(name.to_owned()),
                Name::Function(map) => collect(map, &mut names.funcs),
                Name::Local(map) => collect_indirect(map, &mut names.locals),
                Name::Global(map) => collect(map, &mut names.globals),
                Name::Table(map) => collect(map, &mut names.tables),
                Name::Memory(map) => collect(map, &mut names.memories),
                Name::Type(map) => collect(map, &mut names.types),
                Name::Data(map) => collect(map, &mut names.data),
                Name::Element(map) => collect(map, &mut names.elements),
                Name::Tag(map) => collect(map, &mut names.tags),
                Name::Field(map) => collect_indirect(map, &mut names.fields),
                Name::Label(map) => collect_indirect(map, &mut names.labels),
                _ => {}
            }
        }
        names.with_labels = names.labels.keys().map(|(func, _)| *func).collect();
        names
    }

    /// The module's own name.
    #[must_use]
    pub fn module(&self) -> Option<&str> {
        self.module.as_deref()
    }

    /// A function's name.
    #[must_use]
    pub fn func(&self, index: u32) -> Option<&str> {
        self.funcs.get(&index).map(String::as_str)
    }

    /// A local's name.
    #[must_use]
    pub fn local(&self, func: u32, local: u32) -> Option<&str> {
        self.locals.get(&(func, local)).map(String::as_str)
    }

    /// A global's name.
    #[must_use]
    pub fn global(&self, index: u32) -> Option<&str> {
        self.globals.get(&index).map(String::as_str)
    }

    /// A table's name.
    #[must_use]
    pub fn table(&self, index: u32) -> Option<&str> {
        self.tables.get(&index).map(String::as_str)
    }

    /// A memory's name.
    #[must_use]
    pub fn memory(&self, index: u32) -> Option<&str> {
        self.memories.get(&index).map(String::as_str)
    }

    /// A type's name.
    #[must_use]
    pub fn ty(&self, index: u32) -> Option<&str> {
        self.types.get(&index).map(String::as_str)
    }

    /// A data segment's name.
    #[must_use]
    pub fn data(&self, index: u32) -> Option<&str> {
        self.data.get(&index).map(String::as_str)
    }

    /// A tag's name.
    #[must_use]
    pub fn tag(&self, index: u32) -> Option<&str> {
        self.tags.get(&index).map(String::as_str)
    }

    /// The name of a field of a struct type.
    #[must_use]
    pub fn field(&self, ty: u32, field: u32) -> Option<&str> {
        self.fields.get(&(ty, field)).map(String::as_str)
    }

    /// The name of a label, which is counted by the blocks of its function in the order in which they are opened.
    #[must_use]
    pub fn label(&self, func: u32, label: u32) -> Option<&str> {
        self.labels.get(&(func, label)).map(String::as_str)
    }

    /// Whether any label of a function has a name.
    #[must_use]
    pub fn has_labels(&self, func: u32) -> bool {
        self.with_labels.contains(&func)
    }

    /// An element segment's name.
    #[must_use]
    pub fn element(&self, index: u32) -> Option<&str> {
        self.elements.get(&index).map(String::as_str)
    }
}

fn collect(map: NameMap<'_>, names: &mut HashMap<u32, String>) {
    names.extend(
        map.into_iter()
            .map_while(Result::ok)
            .map(|naming| (naming.index, naming.name.to_owned())),
    );
}

fn collect_indirect(map: IndirectNameMap<'_>, names: &mut HashMap<(u32, u32), String>) {
    for indirect in map.into_iter().map_while(Result::ok) {
        let inner = indirect.names.map_while(Result::ok);
        names.extend(inner.map(|naming| ((indirect.index, naming.index), naming.name.to_owned())));
    }
}

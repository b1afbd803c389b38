//! The index of names over all units, and qualified names.
//!
//! Entries are found by the last component of their names without template or generic
//! arguments; the components before it are compared afterwards.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::info::{DebugInfo, DieRef, Text};
use crate::reader::REFERENCES_MAX;
use crate::unit_index::{NO_SCOPE, NamedEntry, Scope, ScopeKind};

/// How deep the scopes of a name may nest.
const SCOPES_MAX: usize = 64;

/// All names, as pairs of the hash of a name's last component and its entry, ascending.
#[derive(Debug, Default)]
pub(crate) struct NameIndex {
    functions: Vec<(u64, DieRef)>,
    linkage_names: Vec<(u64, DieRef)>,
    variables: Vec<(u64, DieRef)>,
    types: Vec<(u64, DieRef)>,
    enumerators: Vec<(u64, DieRef)>,
    /// Inlined copies: the function, the copy's first address.
    inlined: Vec<(DieRef, u32)>,
}

/// What kind of thing a name is looked up as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameKind {
    Function,
    Variable,
    Type,
    Enumerator,
}

impl DebugInfo {
    fn name_index(&self) -> &NameIndex {
        self.names.get_or_init(|| NameIndex::build(self))
    }

    /// The entries of a kind that a name stands for: qualified by all or the last of its
    /// scopes, or by none. Those whose whole name it is hide the others.
    pub(crate) fn entries_named(&self, kind: NameKind, name: &str) -> Vec<DieRef> {
        let name = name.strip_prefix("::").unwrap_or(name);
        let Some(last) = components(name).next_back() else {
            return Vec::new();
        };
        let index = self.name_index();
        let entries = match kind {
            NameKind::Function => &index.functions,
            NameKind::Variable => &index.variables,
            NameKind::Type => &index.types,
            NameKind::Enumerator => &index.enumerators,
        };
        let mut exact = Vec::new();
        let mut partial = Vec::new();
        for die in with_hash(entries, hash(without_arguments(last))) {
            let Some(found) = self.qualified_name(kind, die) else {
                continue;
            };
            match compare(&found, name) {
                Match::Exact => exact.push(die),
                Match::Partial => partial.push(die),
                Match::None => {}
            }
        }
        if exact.is_empty() { partial } else { exact }
    }

    /// The functions with code that the linker knows by a name.
    pub(crate) fn functions_with_linkage_name(&self, name: &str) -> Vec<DieRef> {
        let index = self.name_index();
        with_hash(&index.linkage_names, hash(name))
            .filter(|die| {
                self.linkage_name(*die)
                    .is_some_and(|found| self.text(found) == name)
            })
            .collect()
    }

    /// The first addresses of a function's inlined copies.
    pub(crate) fn inlined_copies(&self, function: DieRef) -> impl Iterator<Item = u32> {
        let inlined = &self.name_index().inlined;
        let first = inlined.partition_point(|(origin, _)| *origin < function);
        inlined[first..]
            .iter()
            .take_while(move |(origin, _)| *origin == function)
            .map(|(_, start)| *start)
    }

    /// All functions, with code or inlined.
    pub(crate) fn indexed_functions(&self) -> impl Iterator<Item = DieRef> {
        self.name_index().functions.iter().map(|(_, die)| *die)
    }

    /// All variables outside of functions.
    pub(crate) fn indexed_variables(&self) -> impl Iterator<Item = DieRef> {
        self.name_index().variables.iter().map(|(_, die)| *die)
    }

    /// All types with names, declarations too.
    pub(crate) fn indexed_types(&self) -> impl Iterator<Item = DieRef> {
        self.name_index().types.iter().map(|(_, die)| *die)
    }

    /// The entry that names a function: itself, or what it is an instance or definition of.
    pub(crate) fn naming_function(&self, die: DieRef) -> Option<DieRef> {
        let mut die = die;
        for _ in 0..REFERENCES_MAX {
            let entry = self.unit_index(die.unit)?.function(die.offset)?;
            match entry.origin {
                Some(origin) if entry.name.is_empty() => die = origin,
                _ => return Some(die),
            }
        }
        None
    }

    /// The name a function is known by to the linker.
    pub(crate) fn linkage_name(&self, die: DieRef) -> Option<Text> {
        let mut die = die;
        for _ in 0..REFERENCES_MAX {
            let entry = self.unit_index(die.unit)?.function(die.offset)?;
            if !entry.linkage_name.is_empty() {
                return Some(entry.linkage_name);
            }
            die = entry.origin?;
        }
        None
    }

    /// The qualified name of an entry.
    pub(crate) fn qualified_name(&self, kind: NameKind, die: DieRef) -> Option<String> {
        match kind {
            NameKind::Function => self.function_name(die),
            NameKind::Variable => {
                let mut die = die;
                for _ in 0..REFERENCES_MAX {
                    let index = self.unit_index(die.unit)?;
                    // The declaration a definition refers to may be a static member, which is
                    // no variable by its tag.
                    let Some(entry) = index.variable(die.offset) else {
                        return self.declared_name(die);
                    };
                    match entry.origin {
                        Some(origin) if entry.name.is_empty() => die = origin,
                        _ => return self.qualify(&index.scopes, entry),
                    }
                }
                None
            }
            NameKind::Type => {
                let index = self.unit_index(die.unit)?;
                self.qualify(&index.scopes, index.type_entry(die.offset)?)
            }
            NameKind::Enumerator => {
                let index = self.unit_index(die.unit)?;
                let position = index
                    .enumerators
                    .binary_search_by_key(&die.offset, |entry| entry.offset)
                    .ok()?;
                self.qualify(&index.scopes, &index.enumerators[position])
            }
        }
    }

    /// The qualified name of a function.
    pub(crate) fn function_name(&self, die: DieRef) -> Option<String> {
        let naming = self.naming_function(die)?;
        let index = self.unit_index(naming.unit)?;
        let entry = index.function(naming.offset)?;
        if entry.name.is_empty() {
            return self
                .linkage_name(die)
                .map(|name| self.text(name).into_owned());
        }
        Some(self.qualified(&index.scopes, entry.scope, entry.name))
    }

    /// The name of a declaration that is not in the index, without its scopes.
    fn declared_name(&self, die: DieRef) -> Option<String> {
        let reader = crate::reader::Reader::new(self);
        let (unit, die) = reader.die(die)?;
        let name = reader.name(&unit, &die);
        (!name.is_empty()).then(|| self.text(name).into_owned())
    }

    fn qualify(&self, scopes: &[Scope], entry: &NamedEntry) -> Option<String> {
        (!entry.name.is_empty()).then(|| self.qualified(scopes, entry.scope, entry.name))
    }

    fn qualified(&self, scopes: &[Scope], scope: u32, name: Text) -> String {
        let mut components = vec![self.text(name)];
        let mut next = scope;
        for _ in 0..SCOPES_MAX {
            if next == NO_SCOPE {
                break;
            }
            let scope = &scopes[next as usize];
            match scope.kind {
                ScopeKind::Namespace if scope.name.is_empty() => {
                    components.push("(anonymous namespace)".into())
                }
                ScopeKind::Namespace | ScopeKind::Type if !scope.name.is_empty() => {
                    components.push(self.text(scope.name));
                }
                _ => {}
            }
            next = scope.parent;
        }
        components.reverse();
        components.join("::")
    }
}

impl NameIndex {
    fn build(info: &DebugInfo) -> NameIndex {
        let mut index = NameIndex::default();
        for unit in 0..info.unit_count() {
            index.add_unit(info, unit);
        }
        index.inlined.sort_unstable();
        // A function is found by name when it has code or copies. Abstract instances of
        // functions with code of their own would be found twice.
        index.add_inlined_functions(info);
        for entries in [
            &mut index.functions,
            &mut index.linkage_names,
            &mut index.variables,
            &mut index.types,
            &mut index.enumerators,
        ] {
            entries.sort_unstable();
            entries.dedup();
        }
        index
    }

    fn add_unit(&mut self, info: &DebugInfo, number: u32) {
        let Some(unit) = info.unit_index(number) else {
            return;
        };
        let die = |offset| DieRef {
            unit: number,
            offset,
        };
        for function in unit.functions.iter().filter(|function| function.has_code) {
            self.add_function(info, die(function.offset));
        }
        let entry = |named: &NamedEntry| {
            (
                hash(without_arguments(&info.text(named.name))),
                die(named.offset),
            )
        };
        for variable in unit
            .variables
            .iter()
            .filter(|variable| !variable.is_declaration)
        {
            if variable.name.is_empty() {
                let name = info.qualified_name(NameKind::Variable, die(variable.offset));
                let last = name
                    .as_deref()
                    .and_then(|name| components(name).next_back().map(str::to_owned));
                self.variables.extend(
                    last.map(|last| (hash(without_arguments(&last)), die(variable.offset))),
                );
            } else {
                self.variables.push(entry(variable));
            }
        }
        self.types.extend(
            unit.types
                .iter()
                .filter(|named| !named.name.is_empty())
                .map(entry),
        );
        self.enumerators.extend(unit.enumerators.iter().map(entry));
        self.inlined.extend(
            unit.inlined
                .iter()
                .map(|inlined| (inlined.origin, inlined.start)),
        );
    }

    fn add_function(&mut self, info: &DebugInfo, die: DieRef) {
        let naming = info.naming_function(die).unwrap_or(die);
        let name = info
            .unit_index(naming.unit)
            .and_then(|unit| unit.function(naming.offset))
            .map(|entry| entry.name);
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            self.functions
                .push((hash(without_arguments(&info.text(name))), die));
        }
        if let Some(linkage_name) = info.linkage_name(die) {
            self.linkage_names
                .push((hash(&info.text(linkage_name)), die));
        }
    }

    /// Adds the functions that have no code of their own but inlined copies.
    fn add_inlined_functions(&mut self, info: &DebugInfo) {
        let mut with_code: Vec<DieRef> = Vec::new();
        for (_, die) in &self.functions {
            let entry = info
                .unit_index(die.unit)
                .and_then(|unit| unit.function(die.offset));
            with_code.extend(entry.and_then(|entry| entry.origin));
        }
        with_code.sort_unstable();
        let mut origins: Vec<DieRef> = self.inlined.iter().map(|(origin, _)| *origin).collect();
        origins.dedup();
        for origin in origins {
            if with_code.binary_search(&origin).is_err() {
                self.add_function(info, origin);
            }
        }
    }
}

/// How a name that a person wrote compares to an entry's.
#[derive(Debug, PartialEq, Eq)]
enum Match {
    Exact,
    Partial,
    None,
}

/// Compares an entry's qualified name to a name that a person wrote.
fn compare(found: &str, wanted: &str) -> Match {
    if found == wanted {
        return Match::Exact;
    }
    let mut found = components(found);
    for wanted in components(wanted).rev() {
        match found.next_back() {
            Some(found) if found == wanted => {}
            Some(found) if without_arguments(found) == wanted => {}
            _ => return Match::None,
        }
    }
    if found.next_back().is_none() {
        Match::Exact
    } else {
        Match::Partial
    }
}

/// The components of a qualified name: what `::` separates outside of brackets.
pub(crate) fn components(name: &str) -> std::vec::IntoIter<&str> {
    let mut components = Vec::new();
    let (mut start, mut depth) = (0, 0usize);
    let bytes = name.as_bytes();
    let mut position = 0;
    while position < bytes.len() {
        match bytes[position] {
            b'<' | b'(' | b'[' | b'{' => depth += 1,
            // The arrow of a function type closes nothing.
            b'>' if position > 0 && bytes[position - 1] == b'-' => {}
            b'>' | b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b':' if depth == 0 && bytes.get(position + 1) == Some(&b':') => {
                components.push(&name[start..position]);
                position += 1;
                start = position + 1;
            }
            // The rest of an operator's name is no bracket.
            b'o' if depth == 0 && name[position..].starts_with("operator") => break,
            _ => {}
        }
        position += 1;
    }
    components.push(&name[start..]);
    components.into_iter()
}

/// A component of a name without its template or generic arguments.
pub(crate) fn without_arguments(component: &str) -> &str {
    if component.starts_with("operator") {
        return component;
    }
    match component.find('<') {
        Some(start) if start > 0 => &component[..start],
        _ => component,
    }
}

fn hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

fn with_hash(entries: &[(u64, DieRef)], hash: u64) -> impl Iterator<Item = DieRef> {
    let first = entries.partition_point(|(found, _)| *found < hash);
    entries[first..]
        .iter()
        .take_while(move |(found, _)| *found == hash)
        .map(|(_, die)| *die)
}

/// A name as shared text.
pub(crate) fn shared(name: Option<String>) -> Arc<str> {
    name.unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::{Match, compare, components, without_arguments};

    #[test]
    fn names_split_outside_of_brackets() {
        let split = |name| components(name).collect::<Vec<_>>();
        assert_eq!(split("a::b::c"), ["a", "b", "c"]);
        assert_eq!(split("Vec<a::b>::push"), ["Vec<a::b>", "push"]);
        assert_eq!(split("f<fn() -> a::b>::g"), ["f<fn() -> a::b>", "g"]);
        assert_eq!(split("A::operator<<"), ["A", "operator<<"]);
        assert_eq!(split("main"), ["main"]);
        assert_eq!(without_arguments("max<int>"), "max");
        assert_eq!(without_arguments("operator<"), "operator<");
        assert_eq!(without_arguments("<impl T>"), "<impl T>");
    }

    #[test]
    fn names_match_by_their_last_components() {
        assert_eq!(compare("hello::main", "main"), Match::Partial);
        assert_eq!(compare("hello::main", "hello::main"), Match::Exact);
        assert_eq!(
            compare("alloc::Vec<u8, A>::push", "Vec::push"),
            Match::Partial
        );
        assert_eq!(compare("max<int>", "max"), Match::Exact);
        assert_eq!(compare("max<int>", "max<long>"), Match::None);
        assert_eq!(compare("hello::main", "lo::main"), Match::None);
    }
}

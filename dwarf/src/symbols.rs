//! Lists of everything of a kind that the debug info names.

use std::sync::Arc;

use crate::info::{DebugInfo, DieRef};
use crate::lines::SourceLocation;
use crate::names::NameKind;
use crate::reader::Reader;
use crate::scopes::Variable;
use crate::types::{TypeKey, TypeRef};

/// A type with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeSymbol {
    /// The qualified name.
    pub name: Arc<str>,
    /// The type.
    pub type_ref: TypeRef,
    /// Where the source defines it; `None` for what no source does, such as base types.
    pub declaration: Option<SourceLocation>,
}

impl DebugInfo {
    /// The types that have a name which `is_wanted`, as far as they are defined and not only declared, in the order of the
    /// sections. One that several units define comes as often.
    #[must_use]
    pub fn types_where(&self, is_wanted: &dyn Fn(&str) -> bool) -> Vec<TypeSymbol> {
        let reader = Reader::new(self);
        let symbol = |die: DieRef| {
            let name = self.qualified_name(NameKind::Type, die)?;
            if !is_wanted(&name) {
                return None;
            }
            let entry = self.unit_index(die.unit)?.type_entry(die.offset)?;
            if entry.is_declaration {
                return None;
            }
            let (unit, found) = reader.die(die)?;
            Some(TypeSymbol {
                name: name.into(),
                type_ref: TypeRef(TypeKey::Die(die)),
                declaration: self.declaration(&reader, &unit, &found),
            })
        };
        let mut dies: Vec<DieRef> = self.indexed_types().collect();
        dies.sort_unstable();
        dies.into_iter().filter_map(symbol).collect()
    }

    /// The variables outside of functions whose name `is_wanted`, in the order of the sections.
    #[must_use]
    pub fn globals_where(&self, is_wanted: &dyn Fn(&str) -> bool) -> Vec<Variable> {
        let reader = Reader::new(self);
        let mut dies: Vec<DieRef> = self.indexed_variables().collect();
        dies.sort_unstable();
        let is_named = |die: &DieRef| {
            let name = self.qualified_name(NameKind::Variable, *die);
            name.is_some_and(|name| is_wanted(&name))
        };
        let wanted = dies.into_iter().filter(is_named);
        wanted
            .filter_map(|die| self.read_global(&reader, die))
            .collect()
    }
}

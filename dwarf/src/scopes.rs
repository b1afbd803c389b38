//! Inlined calls and the variables in scope.

use std::ops::Range;
use std::rc::Rc;
use std::sync::{Arc, PoisonError};

use gimli::AttributeValue;

use crate::address::CodeOffset;
use crate::info::{DebugInfo, DieRef};
use crate::lines::SourceLocation;
use crate::names::{NameKind, shared};
use crate::reader::{Die, Reader, Unit};
use crate::types::TypeRef;

/// A call that the compiler replaced by the callee's code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InlinedFrame {
    /// The qualified name of the inlined function.
    pub function: Arc<str>,
    /// Where the surrounding frame calls it.
    pub call_site: Option<SourceLocation>,
    /// Where the source declares it.
    pub declaration: Option<SourceLocation>,
    /// The code of this copy, ascending.
    pub ranges: Vec<Range<CodeOffset>>,
    /// What it returns; [`TypeRef::VOID`] for nothing.
    pub return_type: TypeRef,
}

/// What a variable is to the function that shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VariableKind {
    /// A parameter.
    Argument,
    /// A local variable, static ones included.
    Local,
    /// A variable outside of functions.
    Global,
}

/// A variable of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The name; qualified by namespaces if it is a global.
    pub name: Arc<str>,
    /// What it is to its function.
    pub kind: VariableKind,
    /// Its type.
    pub type_ref: TypeRef,
    /// Where the source declares it.
    pub declaration: Option<SourceLocation>,
    /// How many lexical blocks lie around it within its function; 0 for globals.
    pub scope_depth: u32,
    /// Whether a variable of the same name declared later or in an inner block hides it.
    pub is_shadowed: bool,
    pub(crate) die: DieRef,
}

/// The scopes of a function: itself, its blocks and the calls inlined into it.
#[derive(Debug, Default)]
pub(crate) struct FunctionScopes {
    /// Outer before inner; the first is the function itself.
    scopes: Vec<Scope>,
}

/// A function, a block or an inlined call.
#[derive(Debug)]
struct Scope {
    parent: usize,
    /// How many blocks lie around it within its function or inlined call.
    depth: u32,
    offset: u32,
    is_inlined: bool,
    ranges: Vec<Range<u32>>,
    variables: Vec<u32>,
}

impl Scope {
    fn contains(&self, address: u32) -> bool {
        self.ranges.iter().any(|range| range.contains(&address))
    }
}

impl FunctionScopes {
    /// The most scopes kept of one function.
    const SCOPES_MAX: usize = 1 << 16;

    fn read(info: &DebugInfo, function: DieRef) -> FunctionScopes {
        let reader = Reader::new(info);
        let mut tree = FunctionScopes::default();
        if let Some(unit) = reader.unit(function.unit) {
            // What was read before an error is kept: the index of the unit has warned of it.
            let _ = tree.scan(&reader, &unit, function.offset);
        }
        tree
    }

    fn scan<'a>(
        &mut self,
        reader: &Reader<'a>,
        unit: &Rc<Unit<'a>>,
        function: u32,
    ) -> gimli::Result<()> {
        let mut entries = unit
            .unit
            .entries_raw(Some(gimli::UnitOffset(function as usize)))?;
        let mut die = Die::null();
        // The scopes around the current entry, with the depth of their children. An entry of
        // another kind, as a nested type, opens a scope that is not looked into.
        let mut open: Vec<(isize, Option<usize>)> = Vec::new();
        while !entries.is_empty() && self.scopes.len() < Self::SCOPES_MAX {
            let depth = entries.next_depth();
            if depth <= 0 && !self.scopes.is_empty() {
                break;
            }
            while open.last().is_some_and(|(children, _)| depth < *children) {
                open.pop();
            }
            if !entries.read_entry(&mut die)? {
                continue;
            }
            let around = open.last().and_then(|(_, scope)| *scope);
            let inside = match die.tag() {
                gimli::DW_TAG_subprogram if self.scopes.is_empty() => {
                    Some(self.add(reader, unit, &die, None))
                }
                gimli::DW_TAG_lexical_block | gimli::DW_TAG_inlined_subroutine => {
                    around.map(|around| self.add(reader, unit, &die, Some(around)))
                }
                gimli::DW_TAG_formal_parameter | gimli::DW_TAG_variable => {
                    if let Some(scope) = around {
                        self.scopes[scope]
                            .variables
                            .push(unit.die_ref(die.offset()).offset);
                    }
                    None
                }
                _ => None,
            };
            if die.has_children() {
                open.push((depth + 1, inside));
            }
            if self.scopes.is_empty() {
                break;
            }
        }
        Ok(())
    }

    fn add<'a>(
        &mut self,
        reader: &Reader<'a>,
        unit: &Rc<Unit<'a>>,
        die: &Die<'a>,
        parent: Option<usize>,
    ) -> usize {
        let is_inlined = die.tag() == gimli::DW_TAG_inlined_subroutine;
        let depth = match parent {
            Some(parent) if !is_inlined => self.scopes[parent].depth + 1,
            _ => 0,
        };
        self.scopes.push(Scope {
            parent: parent.unwrap_or(0),
            depth,
            offset: unit.die_ref(die.offset()).offset,
            is_inlined,
            ranges: reader.ranges(&unit.unit, die),
            variables: Vec::new(),
        });
        self.scopes.len() - 1
    }

    /// The scopes around an address, innermost first, grouped by the inlined call or function
    /// that they belong to: each group ends with that.
    fn frames_at(&self, address: u32) -> Vec<Vec<usize>> {
        let innermost = self
            .scopes
            .iter()
            .enumerate()
            .rev()
            .find(|(number, scope)| {
                // Blocks of an outer scope may claim code that the outer scope does not.
                scope.contains(address)
                    && (*number == 0 || self.scopes[scope.parent].contains(address))
            });
        let Some((innermost, _)) = innermost else {
            return Vec::new();
        };
        let mut frames = vec![Vec::new()];
        let mut number = innermost;
        loop {
            if let Some(frame) = frames.last_mut() {
                frame.push(number);
            }
            if number == 0 {
                return frames;
            }
            if self.scopes[number].is_inlined {
                frames.push(Vec::new());
            }
            number = self.scopes[number].parent;
        }
    }
}

impl DebugInfo {
    /// The inlined calls around an instruction, innermost first. The function whose code it
    /// is ([`DebugInfo::function_at`]) comes after the last.
    #[must_use]
    pub fn inlined_frames(&self, at: CodeOffset) -> Vec<InlinedFrame> {
        let Some((function, scopes)) = self.scopes_at(at) else {
            return Vec::new();
        };
        let reader = Reader::new(self);
        let mut frames = scopes.frames_at(at.0);
        frames.pop();
        let calls = frames.iter().filter_map(|frame| {
            let scope = &scopes.scopes[*frame.last()?];
            let (unit, die) = reader.die(DieRef {
                unit: function.unit,
                offset: scope.offset,
            })?;
            Some(InlinedFrame {
                function: shared(
                    reader
                        .origin(unit.number, &die)
                        .and_then(|origin| self.function_name(origin)),
                ),
                call_site: self.call_site(&unit, &die),
                declaration: self.declaration(&reader, &unit, &die),
                ranges: scope
                    .ranges
                    .iter()
                    .map(|range| CodeOffset(range.start)..CodeOffset(range.end))
                    .collect(),
                return_type: TypeRef::from_die(reader.type_of(&unit, &die)),
            })
        });
        calls.collect()
    }

    /// The variables in scope at an instruction: arguments first, then locals in the order
    /// of their declarations, from the outermost block to the innermost.
    ///
    /// `frame` chooses among the inlined frames: 0 is the innermost of
    /// [`DebugInfo::inlined_frames`], their number is the function itself.
    #[must_use]
    pub fn variables(&self, at: CodeOffset, frame: usize) -> Vec<Variable> {
        let Some((function, scopes)) = self.scopes_at(at) else {
            return Vec::new();
        };
        let frames = scopes.frames_at(at.0);
        let Some(frame) = frames.get(frame) else {
            return Vec::new();
        };
        let reader = Reader::new(self);
        let mut variables: Vec<Variable> = Vec::new();
        for number in frame.iter().rev() {
            let scope = &scopes.scopes[*number];
            for offset in &scope.variables {
                let die = DieRef {
                    unit: function.unit,
                    offset: *offset,
                };
                variables.extend(self.read_variable(&reader, die, scope.depth));
            }
        }
        for position in 0..variables.len() {
            let name = variables[position].name.clone();
            variables[position].is_shadowed = variables[position + 1..]
                .iter()
                .any(|other| other.name == name);
        }
        variables.sort_by_key(|variable| variable.kind != VariableKind::Argument);
        variables
    }

    /// The variables outside of functions that a name stands for, qualified or by its last
    /// components; those of the unit that holds `near` come first.
    #[must_use]
    pub fn global_variables(&self, name: &str, near: Option<CodeOffset>) -> Vec<Variable> {
        let unit = near.and_then(|near| self.unit_at(near.0));
        let mut dies = self.entries_named(NameKind::Variable, name);
        dies.sort_by_key(|die| Some(die.unit) != unit);
        let reader = Reader::new(self);
        dies.into_iter()
            .filter_map(|die| self.read_global(&reader, die))
            .collect()
    }

    /// The variables outside of functions of the unit that holds an instruction.
    #[must_use]
    pub fn unit_variables(&self, at: CodeOffset) -> Vec<Variable> {
        let Some(unit) = self.unit_at(at.0) else {
            return Vec::new();
        };
        let Some(index) = self.unit_index(unit) else {
            return Vec::new();
        };
        let reader = Reader::new(self);
        let defined = index
            .variables
            .iter()
            .filter(|variable| !variable.is_declaration);
        let dies = defined.map(|variable| DieRef {
            unit,
            offset: variable.offset,
        });
        dies.filter_map(|die| self.read_global(&reader, die))
            .collect()
    }

    /// The names of all variables outside of functions, sorted, for completion.
    #[must_use]
    pub fn all_globals(&self) -> Arc<[Arc<str>]> {
        let list = || {
            let names = self
                .indexed_variables()
                .filter_map(|die| self.qualified_name(NameKind::Variable, die));
            let mut names: Vec<Arc<str>> = names.map(Into::into).collect();
            names.sort_unstable();
            names.dedup();
            names.into()
        };
        self.global_list.get_or_init(list).clone()
    }

    /// The innermost inlined call or the function that an address belongs to.
    pub(crate) fn innermost_instance(&self, at: CodeOffset) -> Option<DieRef> {
        let (function, scopes) = self.scopes_at(at)?;
        let frames = scopes.frames_at(at.0);
        let scope = *frames.first()?.last()?;
        Some(DieRef {
            unit: function.unit,
            offset: scopes.scopes[scope].offset,
        })
    }

    /// The scopes of the function that an address belongs to.
    fn scopes_at(&self, at: CodeOffset) -> Option<(DieRef, Arc<FunctionScopes>)> {
        let function = self.function_die_at(at.0)?;
        let mut cache = self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
        let scopes = cache
            .entry(function)
            .or_insert_with(|| Arc::new(FunctionScopes::read(self, function)));
        Some((function, scopes.clone()))
    }

    fn call_site(&self, unit: &Unit<'_>, die: &Die<'_>) -> Option<SourceLocation> {
        let number = |name| match die.attr_value(name)? {
            AttributeValue::FileIndex(number) => Some(number),
            value => value.udata_value(),
        };
        let file = self
            .unit_files(unit.number)?
            .path(number(gimli::DW_AT_call_file)?)?
            .clone();
        let part = |name| {
            number(name)
                .and_then(|number| u32::try_from(number).ok())
                .unwrap_or(0)
        };
        Some(SourceLocation {
            file,
            line: part(gimli::DW_AT_call_line),
            column: part(gimli::DW_AT_call_column),
        })
    }

    /// A local variable or an argument; `None` for those without a name and those that the
    /// compiler made up for itself.
    fn read_variable(
        &self,
        reader: &Reader<'_>,
        die_ref: DieRef,
        scope_depth: u32,
    ) -> Option<Variable> {
        let (unit, die) = reader.die(die_ref)?;
        let name = reader.name(&unit, &die);
        let is_argument = die.tag() == gimli::DW_TAG_formal_parameter;
        let is_artificial = reader
            .inherited(&unit, &die, gimli::DW_AT_artificial)
            .is_some();
        if name.is_empty() || (is_artificial && !is_argument) {
            return None;
        }
        Some(Variable {
            name: self.text(name).into(),
            kind: if is_argument {
                VariableKind::Argument
            } else {
                VariableKind::Local
            },
            type_ref: TypeRef::from_die(reader.type_of(&unit, &die)),
            declaration: self.declaration(reader, &unit, &die),
            scope_depth,
            is_shadowed: false,
            die: die_ref,
        })
    }

    pub(crate) fn read_global(&self, reader: &Reader<'_>, die_ref: DieRef) -> Option<Variable> {
        let (unit, die) = reader.die(die_ref)?;
        Some(Variable {
            name: self.qualified_name(NameKind::Variable, die_ref)?.into(),
            kind: VariableKind::Global,
            type_ref: TypeRef::from_die(reader.type_of(&unit, &die)),
            declaration: self.declaration(reader, &unit, &die),
            scope_depth: 0,
            is_shadowed: false,
            die: die_ref,
        })
    }
}

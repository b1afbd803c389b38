//! Functions of the debug info, by address and by name.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use crate::address::CodeOffset;
use crate::info::{DebugInfo, DieRef};
use crate::lines::SourceLocation;
use crate::names::{NameKind, shared};
use crate::reader::{Die, Reader, Unit};
use crate::types::TypeRef;

/// Names a function of the debug info; stable for the life of its [`DebugInfo`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionId(pub(crate) DieRef);

/// A function with code of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The function's identity.
    pub id: FunctionId,
    /// The name to show, qualified by namespaces and types: `fib`, `ns::List::push`,
    /// `hello_rust::main`.
    pub name: Arc<str>,
    /// The name the linker knows, where it differs.
    pub linkage_name: Option<Arc<str>>,
    /// The code, ascending; never empty.
    pub ranges: Vec<Range<CodeOffset>>,
    /// Where the source declares it.
    pub declaration: Option<SourceLocation>,
    /// The name of the compilation unit, mostly its main source file.
    pub unit: Arc<str>,
    /// Whether it can be seen from other compilation units.
    pub is_external: bool,
    /// What it returns; [`TypeRef::VOID`] for nothing.
    pub return_type: TypeRef,
}

impl Function {
    /// The function's first address. In wasm this is where its locals are declared; the first
    /// instruction comes after.
    #[must_use]
    pub fn low_pc(&self) -> CodeOffset {
        self.ranges[0].start
    }

    /// Whether the function's code holds this address.
    #[must_use]
    pub fn contains(&self, at: CodeOffset) -> bool {
        self.ranges.iter().any(|range| range.contains(&at))
    }
}

/// A function's entry in the index of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionSymbol {
    /// The qualified name, as in [`Function::name`].
    pub name: Arc<str>,
    /// Which function it is, for [`DebugInfo::function`].
    pub id: FunctionId,
}

/// Where a breakpoint on a function goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionBreakpoint {
    /// The qualified name of the function.
    pub function: Arc<str>,
    /// The first instruction after the prologue, or the first of an inlined copy.
    pub address: CodeOffset,
    /// Whether this is a copy inlined into another function.
    pub is_inlined: bool,
}

impl DebugInfo {
    /// The function whose code holds an address (not an inlined one: see
    /// [`DebugInfo::inlined_frames`]).
    #[must_use]
    pub fn function_at(&self, at: CodeOffset) -> Option<Function> {
        self.function(FunctionId(self.function_die_at(at.0)?))
    }

    /// The function of an entry in the index of names; `None` if it has no code of its own.
    #[must_use]
    pub fn function(&self, id: FunctionId) -> Option<Function> {
        let reader = Reader::new(self);
        let (unit, die) = reader.die(id.0)?;
        let ranges = reader.ranges(&unit.unit, &die);
        if ranges.is_empty() {
            return None;
        }
        let linkage_name = self.linkage_name(id.0).map(|name| self.text(name).into());
        let external = reader.inherited(&unit, &die, gimli::DW_AT_external);
        Some(Function {
            id,
            name: shared(self.function_name(id.0)),
            linkage_name,
            ranges: ranges
                .into_iter()
                .map(|range| CodeOffset(range.start)..CodeOffset(range.end))
                .collect(),
            declaration: self.declaration(&reader, &unit, &die),
            unit: self.text(unit.root.name).into(),
            is_external: external
                .is_some_and(|(_, value)| value == gimli::AttributeValue::Flag(true)),
            return_type: TypeRef::from_die(reader.type_of(&unit, &die)),
        })
    }

    /// The functions with code that a name stands for: a linkage name, a qualified name, or
    /// its last components, all without template or generic arguments. `main` finds
    /// `hello_rust::main`; functions whose whole name is the one asked for hide those that
    /// only end in it.
    #[must_use]
    pub fn functions_named(&self, name: &str) -> Vec<Function> {
        let dies = self.function_dies_named(name);
        let mut functions: Vec<Function> = dies
            .into_iter()
            .filter_map(|die| self.function(FunctionId(die)))
            .collect();
        functions.sort_by_key(Function::low_pc);
        functions.dedup_by_key(|function| function.low_pc());
        functions
    }

    /// Where breakpoints on the functions of this name go, inlined copies included, ascending;
    /// the name is understood as by [`DebugInfo::functions_named`].
    #[must_use]
    pub fn breakpoints_for_function(&self, name: &str) -> Vec<FunctionBreakpoint> {
        let mut found = Vec::new();
        for die in self.function_dies_named(name) {
            let name = shared(self.function_name(die));
            if let Some(function) = self.function(FunctionId(die)) {
                let address = self.breakpoint_address(&function);
                found.push(FunctionBreakpoint {
                    function: name.clone(),
                    address,
                    is_inlined: false,
                });
            }
            let origin = self
                .unit_index(die.unit)
                .and_then(|unit| unit.function(die.offset)?.origin);
            let copies: BTreeSet<u32> = [Some(die), origin]
                .into_iter()
                .flatten()
                .flat_map(|die| self.inlined_copies(die))
                .collect();
            found.extend(copies.into_iter().map(|start| FunctionBreakpoint {
                function: name.clone(),
                address: CodeOffset(start),
                is_inlined: true,
            }));
        }
        found.sort_by_key(|breakpoint| breakpoint.address);
        found.dedup_by_key(|breakpoint| breakpoint.address);
        found
    }

    /// Where a breakpoint on a function goes: after its prologue, as the line table marks it,
    /// or else at its second line, or else at its start.
    ///
    /// An inlined call may begin there ([`DebugInfo::inlined_frames`], whose ranges then start
    /// at this address): gdb shows the call as not yet entered.
    #[must_use]
    pub fn breakpoint_address(&self, function: &Function) -> CodeOffset {
        let range = &function.ranges[0];
        self.prologue_end(range.start.0..range.end.0)
            .map_or(range.start, CodeOffset)
    }

    /// The type of a function: what it returns and takes.
    #[must_use]
    pub fn function_type(&self, id: FunctionId) -> TypeRef {
        TypeRef::from_die(Some(id.0))
    }

    /// All functions that have code or inlined copies, sorted by name, for completion and
    /// search.
    #[must_use]
    pub fn all_functions(&self) -> Arc<[FunctionSymbol]> {
        let list = || {
            let mut symbols: Vec<FunctionSymbol> = self
                .indexed_functions()
                .map(|die| FunctionSymbol {
                    name: shared(self.function_name(die)),
                    id: FunctionId(die),
                })
                .collect();
            symbols.sort_unstable_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
            symbols.into()
        };
        self.function_list.get_or_init(list).clone()
    }

    fn function_dies_named(&self, name: &str) -> Vec<DieRef> {
        let by_linkage_name = self.functions_with_linkage_name(name);
        if by_linkage_name.is_empty() {
            self.entries_named(NameKind::Function, name)
        } else {
            by_linkage_name
        }
    }

    fn prologue_end(&self, code: Range<u32>) -> Option<u32> {
        let lines = self.unit_lines(self.unit_at(code.start)?)?;
        let rows: Vec<_> = lines.rows_in(code).collect();
        if let Some(row) = rows.iter().find(|row| row.prologue_end) {
            return Some(row.address);
        }
        let first = rows.first()?;
        rows.iter()
            .find(|row| row.is_stmt && row.line != first.line && row.line > 0)
            .map(|row| row.address)
    }

    /// Where the source declares what an entry stands for.
    pub(crate) fn declaration<'a>(
        &self,
        reader: &Reader<'a>,
        unit: &std::rc::Rc<Unit<'a>>,
        die: &Die<'a>,
    ) -> Option<SourceLocation> {
        let number = |name| {
            let (unit, value) = reader.inherited(unit, die, name)?;
            Some((
                unit,
                value.udata_value().or(match value {
                    gimli::AttributeValue::FileIndex(file) => Some(file),
                    _ => None,
                })?,
            ))
        };
        let (unit, file) = number(gimli::DW_AT_decl_file)?;
        let file = self.unit_files(unit.number)?.path(file)?.clone();
        let (_, line) = number(gimli::DW_AT_decl_line)?;
        let column = number(gimli::DW_AT_decl_column).map_or(0, |(_, column)| column);
        Some(SourceLocation {
            file,
            line: u32::try_from(line).unwrap_or(0),
            column: u32::try_from(column).unwrap_or(0),
        })
    }
}

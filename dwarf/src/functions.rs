//! Functions of the debug info, by address and by name.

use std::ops::Range;
use std::sync::Arc;

use crate::address::CodeOffset;
use crate::info::{DebugInfo, DieRef};
use crate::lines::SourceLocation;
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
    /// The first instruction's address.
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
        todo!("{at}")
    }

    /// The function of an entry in the index of names.
    #[must_use]
    pub fn function(&self, id: FunctionId) -> Option<Function> {
        todo!("{id:?}")
    }

    /// The functions with code that a name stands for: a linkage name, a qualified name, or
    /// its last components, all without template or generic arguments. `main` finds
    /// `hello_rust::main`; a function whose whole name is the one asked for hides those that
    /// only end in it.
    #[must_use]
    pub fn functions_named(&self, name: &str) -> Vec<Function> {
        todo!("{name}")
    }

    /// Where breakpoints on the functions of this name go, inlined copies included; the name
    /// is understood as by [`DebugInfo::functions_named`].
    #[must_use]
    pub fn breakpoints_for_function(&self, name: &str) -> Vec<FunctionBreakpoint> {
        todo!("{name}")
    }

    /// Where a breakpoint on a function goes: after its prologue, as the line table marks it,
    /// or at its second line otherwise.
    #[must_use]
    pub fn breakpoint_address(&self, function: &Function) -> CodeOffset {
        todo!("{function:?}")
    }

    /// All functions with code, sorted by name, for completion and search.
    #[must_use]
    pub fn all_functions(&self) -> Arc<[FunctionSymbol]> {
        todo!()
    }
}

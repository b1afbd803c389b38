//! Inlined calls and the variables in scope.

use std::ops::Range;
use std::sync::Arc;

use crate::address::CodeOffset;
use crate::info::{DebugInfo, DieRef};
use crate::lines::SourceLocation;
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
    /// Whether a variable of the same name in an inner block hides it.
    pub is_shadowed: bool,
    pub(crate) die: DieRef,
}

impl DebugInfo {
    /// The inlined calls around an instruction, innermost first. The function whose code it
    /// is ([`DebugInfo::function_at`]) comes after the last.
    #[must_use]
    pub fn inlined_frames(&self, at: CodeOffset) -> Vec<InlinedFrame> {
        todo!("{at}")
    }

    /// The variables in scope at an instruction: arguments first, then locals in the order
    /// of their declarations, from the outermost block to the innermost.
    ///
    /// `frame` chooses among the inlined frames: 0 is the innermost of
    /// [`DebugInfo::inlined_frames`], their number is the function itself.
    #[must_use]
    pub fn variables(&self, at: CodeOffset, frame: usize) -> Vec<Variable> {
        todo!("{at}{frame}")
    }

    /// The variables outside of functions that a name stands for, qualified or by its last
    /// components; those of the unit that holds `near` come first.
    #[must_use]
    pub fn global_variables(&self, name: &str, near: Option<CodeOffset>) -> Vec<Variable> {
        todo!("{name}{near:?}")
    }

    /// The variables outside of functions of the unit that holds an instruction.
    #[must_use]
    pub fn unit_variables(&self, at: CodeOffset) -> Vec<Variable> {
        todo!("{at}")
    }

    /// The names of all variables outside of functions, sorted, for completion.
    #[must_use]
    pub fn all_globals(&self) -> Arc<[Arc<str>]> {
        todo!()
    }
}

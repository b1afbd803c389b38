//! Expressions: one small language, close to C, over the program's variables and the machine's state.
//!
//! The text is cut into tokens, parsed into a tree and evaluated against a [`Scope`], which is where the program is.
//! Values, their types and their places are those of `wdb-dwarf`; whatever the machine holds itself (locals, operands,
//! globals, the clock) appears as a value of one of C's base types.

pub(crate) mod arithmetic;
pub(crate) mod condition;
pub(crate) mod evaluate;
mod lexer;
mod parser;
pub(crate) mod tree;

pub(crate) use evaluate::{Scope, evaluate};
pub(crate) use parser::parse;
pub(crate) use tree::{Node, NodeKind};

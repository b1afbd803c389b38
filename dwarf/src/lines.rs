//! Line tables: from code to source and back.

use std::ops::Range;
use std::sync::Arc;

use crate::address::CodeOffset;
use crate::info::DebugInfo;

/// A place in a source file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceLocation {
    /// The file's path as recorded by the compiler, joined with its directories.
    pub file: Arc<str>,
    /// Line, counted from 1; 0 when the compiler attributed the code to no line.
    pub line: u32,
    /// Column, counted from 1; 0 when unknown.
    pub column: u32,
}

/// A row of a line table with the range of code it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineRow {
    /// The code the row covers, up to the next row of its sequence.
    pub range: Range<CodeOffset>,
    /// The code that follows one another without leaving the line: this row and the rows
    /// beside it with the same file and line. Stepping by line runs until it leaves this.
    pub line_range: Range<CodeOffset>,
    /// The source it comes from. A `line` of 0 marks code that belongs to no line.
    pub location: SourceLocation,
    /// Whether the compiler recommends the row's start for a breakpoint.
    pub is_stmt: bool,
    /// Whether the row's start is the first after a function's prologue.
    pub prologue_end: bool,
}

/// Where a breakpoint on a line goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineBreakpoint {
    /// The file's path as recorded by the compiler.
    pub file: Arc<str>,
    /// The line, which is a later one than asked for when that has no code.
    pub line: u32,
    /// Where the line begins: one address for each function and each inlined copy, ascending.
    pub addresses: Vec<CodeOffset>,
}

impl DebugInfo {
    /// The source location of an instruction, or `None` where no line table covers it. The
    /// line may be 0: covered, but attributed to no line.
    ///
    /// For a caller's frame, whose pc stands after its call, ask for `pc - 1`.
    #[must_use]
    pub fn location(&self, at: CodeOffset) -> Option<SourceLocation> {
        todo!("{at}")
    }

    /// The row of the line table that covers an instruction.
    #[must_use]
    pub fn line_row(&self, at: CodeOffset) -> Option<LineRow> {
        todo!("{at}")
    }

    /// The paths of all source files that have code, sorted.
    #[must_use]
    pub fn files(&self) -> Arc<[Arc<str>]> {
        todo!()
    }

    /// The files of [`DebugInfo::files`] that `pattern` names: the whole path or its last
    /// components (`foo.c`, `src/foo.c`).
    #[must_use]
    pub fn files_matching(&self, pattern: &str) -> Vec<Arc<str>> {
        todo!("{pattern}")
    }

    /// Where a breakpoint on `line` of `file` goes, for each file that the pattern matches
    /// and that has code at or after the line. Of several files only those that have code
    /// nearest to the line are kept.
    #[must_use]
    pub fn breakpoints_for_line(&self, file: &str, line: u32) -> Vec<LineBreakpoint> {
        todo!("{file}{line}")
    }

    /// The lines of a file (named as in [`DebugInfo::files`]) that have code, ascending: where
    /// a breakpoint would not move.
    #[must_use]
    pub fn lines_with_code(&self, file: &str) -> Arc<[u32]> {
        todo!("{file}")
    }
}

//! Line tables: from code to source.

use std::ops::Range;
use std::sync::Arc;

use crate::address::CodeOffset;
use crate::info::DebugInfo;
use crate::reader::Reader;
use crate::units::UnitRoot;

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
    /// The code around it that belongs to the same line: this row and the rows beside it with
    /// the same file and line. Stepping by line runs until it leaves this.
    pub line_range: Range<CodeOffset>,
    /// The source it comes from. A `line` of 0 marks code that belongs to no line.
    pub location: SourceLocation,
    /// Whether the compiler recommends the row's start for a breakpoint.
    pub is_stmt: bool,
    /// Whether the row's start is the first after a function's prologue.
    pub prologue_end: bool,
}

/// The line table of one unit.
#[derive(Debug, Default)]
pub(crate) struct LineTable {
    rows: Vec<Row>,
    /// Ascending by their starts.
    sequences: Vec<Sequence>,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) address: u32,
    pub(crate) line: u32,
    pub(crate) file: u16,
    column: u16,
    pub(crate) is_stmt: bool,
    pub(crate) prologue_end: bool,
}

/// A stretch of code with ascending rows.
#[derive(Debug)]
pub(crate) struct Sequence {
    start: u32,
    pub(crate) end: u32,
    rows: Range<usize>,
}

impl DebugInfo {
    /// The source location of an instruction, or `None` where no line table covers it. The
    /// line may be 0: covered, but attributed to no line.
    ///
    /// For a caller's frame, whose pc stands after its call, ask for `pc - 1`.
    #[must_use]
    pub fn location(&self, at: CodeOffset) -> Option<SourceLocation> {
        let unit = self.unit_at(at.0)?;
        let (_, rows, position) = self.unit_lines(unit)?.find(at.0)?;
        self.row_location(unit, rows[position])
    }

    /// The row of the line table that covers an instruction.
    #[must_use]
    pub fn line_row(&self, at: CodeOffset) -> Option<LineRow> {
        let unit = self.unit_at(at.0)?;
        let (sequence, rows, position) = self.unit_lines(unit)?.find(at.0)?;
        let row = rows[position];
        let is_other_line = |other: &Row| (other.file, other.line) != (row.file, row.line);
        let first = rows[..position]
            .iter()
            .rposition(is_other_line)
            .map_or(0, |before| before + 1);
        let after = rows[position..]
            .iter()
            .position(is_other_line)
            .map(|after| position + after);
        let address_of = |position: Option<usize>| {
            CodeOffset(
                position
                    .and_then(|position| rows.get(position))
                    .map_or(sequence.end, |row| row.address),
            )
        };
        Some(LineRow {
            range: CodeOffset(row.address)..address_of(Some(position + 1)),
            line_range: CodeOffset(rows[first].address)..address_of(after),
            location: self.row_location(unit, row)?,
            is_stmt: row.is_stmt,
            prologue_end: row.prologue_end,
        })
    }

    /// The line table of a unit.
    pub(crate) fn unit_lines(&self, number: u32) -> Option<&LineTable> {
        let owner = self.line_owner(number)?;
        let entry = self.unit_entry(owner)?;
        let root = self.unit_root(owner)?;
        Some(entry.lines.get_or_init(|| LineTable::read(self, root)))
    }

    fn row_location(&self, unit: u32, row: Row) -> Option<SourceLocation> {
        let file = self.unit_files(unit)?.path(u64::from(row.file))?.clone();
        Some(SourceLocation {
            file,
            line: row.line,
            column: u32::from(row.column),
        })
    }
}

impl LineTable {
    fn read(info: &DebugInfo, root: &UnitRoot) -> LineTable {
        let reader = Reader::new(info);
        let mut table = LineTable::default();
        let Some(program) = info.line_program(&reader, root) else {
            return table;
        };
        let mut rows = program.rows();
        let mut first = 0;
        loop {
            match rows.next_row() {
                Ok(Some((_, row))) if row.end_sequence() => {
                    table.end_sequence(first, row.address());
                    first = table.rows.len();
                }
                Ok(Some((_, row))) => table.add(first, row),
                Ok(None) => break,
                Err(error) => {
                    info.warn(format!(
                        "A line table in .debug_line is malformed and may be incomplete: {error}."
                    ));
                    break;
                }
            }
        }
        table.rows.truncate(first);
        table.rows.shrink_to_fit();
        table
            .sequences
            .sort_unstable_by_key(|sequence| sequence.start);
        table
    }

    /// Adds a row to the sequence that began at `first`. Of several rows at one address the
    /// last counts, since the others cover no code.
    fn add(&mut self, first: usize, row: &gimli::LineRow) {
        let Ok(address) = u32::try_from(row.address()) else {
            return;
        };
        let column = match row.column() {
            gimli::ColumnType::LeftEdge => 0,
            gimli::ColumnType::Column(column) => u16::try_from(column.get()).unwrap_or(0),
        };
        let mut row = Row {
            address,
            line: row
                .line()
                .and_then(|line| u32::try_from(line.get()).ok())
                .unwrap_or(0),
            file: u16::try_from(row.file_index()).unwrap_or(u16::MAX),
            column,
            is_stmt: row.is_stmt(),
            prologue_end: row.prologue_end(),
        };
        if let Some(last) = self.rows[first..].last()
            && last.address == row.address
        {
            if (last.file, last.line) == (row.file, row.line) {
                row.is_stmt |= last.is_stmt;
                row.prologue_end |= last.prologue_end;
            }
            self.rows.pop();
        }
        self.rows.push(row);
    }

    /// Ends the sequence that began at `first`, and drops it if the linker dropped its code.
    fn end_sequence(&mut self, first: usize, end: u64) {
        let end = u32::try_from(end).unwrap_or(0);
        let rows = &self.rows[first..];
        match rows.first() {
            Some(row)
                if row.address > 0
                    && row.address < end
                    && rows.is_sorted_by_key(|row| row.address) =>
            {
                self.sequences.push(Sequence {
                    start: row.address,
                    end,
                    rows: first..self.rows.len(),
                });
            }
            _ => self.rows.truncate(first),
        }
    }

    /// The row that covers an address: its sequence, the sequence's rows, its position in them.
    pub(crate) fn find(&self, address: u32) -> Option<(&Sequence, &[Row], usize)> {
        let position = self
            .sequences
            .partition_point(|sequence| sequence.start <= address)
            .checked_sub(1)?;
        let sequence = &self.sequences[position];
        if address >= sequence.end {
            return None;
        }
        let rows = &self.rows[sequence.rows.clone()];
        let position = rows
            .partition_point(|row| row.address <= address)
            .checked_sub(1)?;
        Some((sequence, rows, position))
    }

    /// The rows that begin in a range of code.
    pub(crate) fn rows_in(&self, code: Range<u32>) -> impl Iterator<Item = &Row> {
        let first = self
            .sequences
            .partition_point(|sequence| sequence.end <= code.start);
        let sequences = self.sequences[first..].iter().take_while({
            let end = code.end;
            move |sequence| sequence.start < end
        });
        let rows = sequences.flat_map(|sequence| &self.rows[sequence.rows.clone()]);
        rows.filter(move |row| code.contains(&row.address))
    }

    /// The rows of each sequence.
    pub(crate) fn sequences(&self) -> impl Iterator<Item = &[Row]> {
        self.sequences
            .iter()
            .map(|sequence| &self.rows[sequence.rows.clone()])
    }
}

//! Commands that go on over several lines, up to `end`.
//!
//! One mechanism serves `commands`, `define`, `document`, `if` and `while`: the command opens a block, the lines that follow are
//! collected wherever they come from (a prompt, a script, another block), and the line that closes the block has it performed.
//! A body is kept as lines. Performing it feeds the lines in again, so that blocks inside of it open and close in their turn.

use crate::debugger::Debugger;
use crate::error::Error;

/// What a block's lines are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BlockKind {
    /// What is done when these breakpoints stop the program.
    Commands(Vec<u32>),
    /// The user's command of this name.
    Define(String),
    /// The help of the user's command of this name.
    Document(String),
    /// The lines of either branch.
    If(String),
    /// The lines of the loop.
    While(String),
}

impl BlockKind {
    /// The command that opens it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            BlockKind::Commands(_) => "commands",
            BlockKind::Define(_) => "define",
            BlockKind::Document(_) => "document",
            BlockKind::If(_) => "if",
            BlockKind::While(_) => "while",
        }
    }
}

/// The commands that open blocks.
const OPENERS: [&str; 5] = ["commands", "define", "document", "if", "while"];

/// A longer body was not written by anybody.
const BODY_BYTES_MAX: usize = 4 << 20;

/// A block.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) kind: BlockKind,
    pub(crate) lines: Vec<String>,
    /// How many of the lines come before its own `else`, if it has one.
    pub(crate) else_at: Option<usize>,
}

/// A block whose end has not come yet.
#[derive(Debug)]
pub(crate) struct OpenBlock {
    block: Block,
    bytes: usize,
    /// How many blocks are open inside of it, itself included.
    depth: usize,
}

/// What a line is to the block that it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineRole {
    Opens,
    Else,
    Closes,
    Plain,
}

impl OpenBlock {
    fn new(kind: BlockKind) -> OpenBlock {
        OpenBlock {
            block: Block {
                kind,
                lines: Vec::new(),
                else_at: None,
            },
            bytes: 0,
            depth: 1,
        }
    }

    fn is_text(&self) -> bool {
        matches!(self.block.kind, BlockKind::Document(_))
    }

    /// Takes a line; answers whether it was the block's last.
    fn add(&mut self, line: &str, role: LineRole) -> Result<bool, Error> {
        let block = &mut self.block;
        match role {
            LineRole::Opens => self.depth += 1,
            LineRole::Closes if self.depth == 1 => return Ok(true),
            LineRole::Closes => self.depth -= 1,
            LineRole::Else if self.depth == 1 => {
                if !matches!(block.kind, BlockKind::If(_)) || block.else_at.is_some() {
                    return Err(Error::other("`else` without an `if`."));
                }
                block.else_at = Some(block.lines.len());
                return Ok(false);
            }
            LineRole::Else | LineRole::Plain => {}
        }
        self.bytes += line.len() + 1;
        if self.bytes > BODY_BYTES_MAX {
            return Err(Error::Other(format!(
                "The body of `{}` is too long; `end` ends one.",
                block.kind.name()
            )));
        }
        block.lines.push(line.to_owned());
        Ok(false)
    }
}

impl Debugger {
    /// Collects the lines from now on, up to `end`.
    pub(crate) fn open_block(&mut self, kind: BlockKind) {
        self.block = Some(OpenBlock::new(kind));
        self.shared.set_block_depth(1);
    }

    /// Adds a line to the open block, which it may complete; answers the complete one.
    pub(crate) fn add_to_block(&mut self, line: &str) -> Result<Option<Block>, Error> {
        let Some(is_text) = self.block.as_ref().map(OpenBlock::is_text) else {
            return Ok(None);
        };
        let line = match is_text && line.trim() != "end" {
            true => line.trim_end(),
            false => line.trim(),
        };
        if !is_text && (line.is_empty() || line.starts_with('#')) {
            return Ok(None);
        }
        let role = match line {
            "end" => LineRole::Closes,
            _ if is_text => LineRole::Plain,
            "else" => LineRole::Else,
            line if self.opens_block(line) => LineRole::Opens,
            _ => LineRole::Plain,
        };
        let Some(open) = &mut self.block else {
            return Ok(None);
        };
        let added = open.add(line, role);
        let depth = open.depth;
        let complete = match added {
            Ok(false) => None,
            // What cannot be kept is given up as a whole.
            Ok(true) | Err(_) => self.block.take(),
        };
        let depth = if self.block.is_some() { depth } else { 0 };
        self.shared.set_block_depth(depth);
        added?;
        Ok(complete.map(|open| open.block))
    }

    /// Whether a line is a command that opens a block.
    pub(crate) fn opens_block(&self, line: &str) -> bool {
        let command = self.built_in(line);
        command.is_some_and(|command| OPENERS.contains(&command.name))
    }

    /// Gives up the open block, because no more lines come; the error says what is missing.
    pub(crate) fn abandon_block(&mut self) -> Result<(), Error> {
        self.shared.set_block_depth(0);
        match self.block.take() {
            None => Ok(()),
            Some(open) => Err(Error::Other(format!(
                "The input ends before the `end` of `{}`.",
                open.block.kind.name()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BlockKind, LineRole, OpenBlock};

    #[test]
    fn an_else_belongs_to_its_own_if() {
        let mut open = OpenBlock::new(BlockKind::If("1".to_owned()));
        let lines = [
            ("if 2", LineRole::Opens),
            ("else", LineRole::Else),
            ("end", LineRole::Closes),
            ("else", LineRole::Else),
            ("print 1", LineRole::Plain),
        ];
        for (line, role) in lines {
            assert_eq!(open.add(line, role), Ok(false), "{line}");
        }
        assert_eq!(open.block.else_at, Some(3));
        assert_eq!(open.block.lines, ["if 2", "else", "end", "print 1"]);
        assert!(open.add("else", LineRole::Else).is_err());
        assert_eq!(open.add("end", LineRole::Closes), Ok(true));
    }
}

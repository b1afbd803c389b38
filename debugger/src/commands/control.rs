//! `if`, `while`, and the lines of blocks.

use crate::block::{Block, BlockKind};
use crate::debugger::Debugger;
use crate::error::Error;
use crate::expression::evaluate::is_true;

/// Bodies that are performed inside of each other more deeply call themselves without end.
const DEPTH_MAX: usize = 200;

impl Bodies {
    /// How many bodies are being performed, one inside the other.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }
}

/// How a loop goes on after the present line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoopFlow {
    Break,
    Continue,
}

/// Where the lines come from that are performed now.
#[derive(Debug, Default)]
pub(crate) struct Bodies {
    /// How many bodies are being performed, one inside the other.
    depth: usize,
    /// How many of the innermost of them are loops' of one user command.
    loops: usize,
    /// Whether an empty line performs the outermost of them again.
    pub(crate) is_repeatable: bool,
    /// What `loop_break` or `loop_continue` asked for.
    flow: Option<LoopFlow>,
}

pub(super) fn if_(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    expect_condition(arguments)?;
    debugger.open_block(BlockKind::If(arguments.to_owned()));
    Ok(())
}

pub(super) fn while_(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    expect_condition(arguments)?;
    debugger.open_block(BlockKind::While(arguments.to_owned()));
    Ok(())
}

fn expect_condition(arguments: &str) -> Result<(), Error> {
    match arguments {
        "" => Err(Error::other("if/while commands require arguments.")),
        _ => Ok(()),
    }
}

/// A block's end where none is open.
pub(super) fn end(_debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    Err(Error::other(
        "This command cannot be used at the top level: `end` closes `commands`, `define`, `document`, `if` and `while`.",
    ))
}

pub(super) fn else_(_debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    Err(Error::other("`else` without an `if`."))
}

pub(super) fn loop_break(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    debugger.leave_loop(LoopFlow::Break)
}

pub(super) fn loop_continue(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    debugger.leave_loop(LoopFlow::Continue)
}

impl Debugger {
    /// Whether the present command was typed or stands in a script, rather than in a body.
    pub(crate) fn is_outside_bodies(&self) -> bool {
        self.bodies.depth == 0
    }

    /// Does what a complete block is for.
    pub(super) fn perform_block(&mut self, block: Block) -> Result<(), Error> {
        let Block {
            kind,
            lines,
            else_at,
        } = block;
        match kind {
            BlockKind::Commands(numbers) => {
                self.set_commands(&numbers, &lines);
                Ok(())
            }
            BlockKind::Define(name) => {
                self.user_commands.define(name, lines);
                Ok(())
            }
            BlockKind::Document(name) => {
                self.user_commands.document(&name, lines);
                Ok(())
            }
            BlockKind::If(condition) => {
                let (yes, no) = lines.split_at(else_at.unwrap_or(lines.len()));
                let chosen = if self.holds_now(&condition)? { yes } else { no };
                self.perform_body(chosen)
            }
            BlockKind::While(condition) => {
                self.bodies.loops += 1;
                let result = self.perform_loop(&condition, &lines);
                self.bodies.loops -= 1;
                result
            }
        }
    }

    fn perform_loop(&mut self, condition: &str, lines: &[String]) -> Result<(), Error> {
        while self.holds_now(condition)? {
            self.perform_body(lines)?;
            let flow = self.bodies.flow.take();
            if flow == Some(LoopFlow::Break) || self.quit.is_some() {
                break;
            }
            // The body may be empty.
            self.expect_not_cancelled()?;
        }
        Ok(())
    }

    fn holds_now(&mut self, condition: &str) -> Result<bool, Error> {
        let node = self.parse_expression(condition)?;
        let holds = is_true(&self.scope(), &node)?;
        if node.has_effect() {
            self.is_view_stale = true;
        }
        Ok(holds)
    }

    /// Performs the lines of a user's command, in which loops of its caller cannot be left.
    pub(super) fn perform_called_body(&mut self, lines: &[String]) -> Result<(), Error> {
        let loops = std::mem::take(&mut self.bodies.loops);
        let result = self.perform_body(lines);
        self.bodies.loops = loops;
        result
    }

    /// Performs lines as if they were typed, until one fails, leaves a loop, or leaves wdb.
    pub(super) fn perform_body(&mut self, lines: &[String]) -> Result<(), Error> {
        if self.bodies.depth >= DEPTH_MAX {
            return Err(Error::Other(format!(
                "Commands call each other more than {DEPTH_MAX} deep."
            )));
        }
        self.bodies.depth += 1;
        let result = lines.iter().try_for_each(|line| {
            if self.quit.is_some() || self.bodies.flow.is_some() {
                return Ok(());
            }
            self.perform_line(line)?;
            self.expect_not_cancelled()
        });
        self.bodies.depth -= 1;
        result
    }

    fn expect_not_cancelled(&self) -> Result<(), Error> {
        match self.shared.is_cancelled() {
            true => Err(Error::other("Interrupted.")),
            false => Ok(()),
        }
    }

    fn leave_loop(&mut self, flow: LoopFlow) -> Result<(), Error> {
        if self.bodies.loops == 0 {
            return Err(Error::other(
                "loop_break and loop_continue have a meaning in the body of `while` only.",
            ));
        }
        self.bodies.flow = Some(flow);
        Ok(())
    }
}

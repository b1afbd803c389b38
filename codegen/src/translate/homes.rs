//! Homes of locals: places in the native frame where their values always lie, too.
//!
//! An exit writes all locals into its record. A local without a home lives until then, in a register or where the register allocator
//! puts it, and every exit has an instruction or two to write it. One with a home is written there whenever it is set, and copied
//! from there by code that all exits share. So homes are for functions with many exits and many locals; and not for locals that are
//! set in loops without calls, which are kept in registers all the time.

use cranelift_codegen::ir::{InstBuilder, StackSlotData, StackSlotKind, Value, types};
use wasmparser::{BinaryReader, Operator, OperatorsReader, ValType};

use super::memory::can_leave;
use super::{Translator, kind_of};
use crate::compiler::Error;
use crate::env::Job;

/// What an exit takes to write a local: bytes of machine code.
const STORE_BYTES: usize = 8;

/// How many bytes of machine code, for each byte of wasm, exits may take for locals without homes.
const EXIT_BYTES_PER_BYTE: usize = 2;

impl Translator<'_, '_> {
    /// Gives homes to the locals that are better off with one.
    pub(super) fn make_homes(&mut self) -> Result<(), Error> {
        let mut bytes = 0;
        for (index, has_home) in locals_with_homes(self.job)?.into_iter().enumerate() {
            let local = &mut self.locals[index];
            let cells = kind_of(local.ty, false).count() as i32;
            if has_home {
                local.home = Some(bytes);
                bytes += 8 * cells;
            }
        }
        if bytes > 0 {
            let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, bytes as u32, 4);
            self.homes = Some(self.builder.create_sized_stack_slot(slot));
        }
        Ok(())
    }

    /// Writes the value that a local has been given to its home, if it has one.
    pub(super) fn bring_home(&mut self, index: usize, value: Value) {
        if let (Some(homes), Some(home)) = (self.homes, self.locals[index].home) {
            let flags = self.flags(self.regions.homes);
            let place = self.builder.ins().stack_addr(types::I64, homes, home);
            self.builder.ins().store(flags, value, place, 0);
        }
    }

    /// Copies the locals that have homes into a record.
    pub(super) fn record_homes(&mut self, record: Value) {
        let Some(homes) = self.homes else { return };
        let flags = self.flags(self.regions.records);
        let mut offset = 8;
        for index in 0..self.locals.len() {
            let local = self.locals[index];
            if let Some(home) = local.home {
                let home_flags = self.flags(self.regions.homes);
                let place = self.builder.ins().stack_addr(types::I64, homes, home);
                let cell = self.builder.ins().load(types::I64, home_flags, place, 0);
                self.builder.ins().store(flags, cell, record, offset);
            }
            offset += 8 * kind_of(local.ty, false).count() as i32;
        }
    }
}

/// Which locals are to have homes.
fn locals_with_homes(job: &Job<'_>) -> Result<Vec<bool>, Error> {
    let mut survey = Survey {
        job,
        exits: 1,
        loops: Vec::new(),
        depth: 0,
        stays: vec![false; job.locals.len()],
    };
    // The lanes of vectors are made exact in records only.
    for (stays, ty) in survey.stays.iter_mut().zip(job.locals) {
        *stays = *ty == ValType::V128;
    }
    let reader = BinaryReader::new(job.code, u64::from(job.offset));
    let mut reader = OperatorsReader::new(reader);
    while !reader.eof() {
        let operator = reader
            .read()
            .map_err(|error| Error::Failed(error.to_string()))?;
        survey.note(&operator);
    }
    let bytes = survey.exits * job.locals.len() * STORE_BYTES;
    if bytes <= EXIT_BYTES_PER_BYTE * job.code.len() {
        return Ok(vec![false; job.locals.len()]);
    }
    Ok(survey.stays.into_iter().map(|stays| !stays).collect())
}

/// What the instructions of a function say about its locals.
struct Survey<'a> {
    job: &'a Job<'a>,
    /// About how many exits there will be.
    exits: usize,
    /// The loops around the present instruction.
    loops: Vec<Loop>,
    /// The number of constructs around it.
    depth: usize,
    /// Locals that are better off without homes.
    stays: Vec<bool>,
}

struct Loop {
    /// The number of constructs around it.
    depth: usize,
    has_call: bool,
    /// The locals that are set in it, but not in loops in it.
    set: Vec<u32>,
}

impl Survey<'_> {
    fn note(&mut self, operator: &Operator<'_>) {
        use Operator as Op;
        match *operator {
            Op::Loop { .. } => {
                self.exits += 1;
                self.loops.push(Loop {
                    depth: self.depth,
                    has_call: false,
                    set: Vec::new(),
                });
                self.depth += 1;
            }
            Op::Block { .. } | Op::If { .. } | Op::TryTable { .. } => self.depth += 1,
            Op::End => self.end(),
            Op::LocalSet { local_index } | Op::LocalTee { local_index } => {
                if let Some(innermost) = self.loops.last_mut() {
                    innermost.set.push(local_index);
                }
            }
            Op::Call { .. } | Op::CallIndirect { .. } | Op::CallRef { .. } => {
                self.exits += 1;
                if let Some(innermost) = self.loops.last_mut() {
                    innermost.has_call = true;
                }
            }
            Op::Unreachable
            | Op::I32DivS
            | Op::I32DivU
            | Op::I32RemS
            | Op::I32RemU
            | Op::I64DivS
            | Op::I64DivU
            | Op::I64RemS
            | Op::I64RemU => self.exits += 1,
            _ => self.exits += usize::from(can_leave(self.job, operator)),
        }
    }

    fn end(&mut self) {
        // The function's own end has no construct.
        self.depth = self.depth.saturating_sub(1);
        if self.loops.last().is_none_or(|it| it.depth != self.depth) {
            return;
        }
        let Some(ended) = self.loops.pop() else {
            return;
        };
        if !ended.has_call {
            ended
                .set
                .iter()
                .for_each(|&local| self.stays[local as usize] = true);
        } else if let Some(outer) = self.loops.last_mut() {
            outer.has_call = true;
        }
    }
}

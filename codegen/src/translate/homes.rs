//! Homes of locals: places in the native frame where their values always lie, too.
//!
//! An exit writes all locals into its record. A local without a home lives until then, in a register or where the register allocator
//! puts it, and every exit has an instruction or two to write it. One with a home is written there whenever it is set, and copied
//! from there by code that all exits share: it costs a store for each time that it is set, and nothing while nobody uses it.
//!
//! A local that no loop without calls uses lives at its home only: it is read from there, and occupies no register in between. What
//! its home holds is known from where it was last read or written, as far as control goes straight on and nothing is called.
//!
//! At the lower level all locals live at their homes only: there the register allocator keeps nothing in a register from one block to
//! the next anyway, and has less to do.
//!
//! At the higher one homes are for functions that have many exits for their size, and for those whose loops have more locals than there
//! are registers; and not for what a loop without calls carries from round to round.

use std::collections::{HashMap, HashSet};

use cranelift_codegen::ir::{InstBuilder, StackSlotData, StackSlotKind, Value, types};
use wasmparser::{Operator, ValType};

use super::memory::can_leave;
use super::{Instruction, Translator, instructions, kind_of};
use crate::compiler::{Error, Level};
use crate::env::Job;

/// What an exit takes to write a local: bytes of machine code.
const STORE_BYTES: usize = 8;

/// About how many locals of a class, integers or floats, fit into registers along with what else is needed.
const REGISTERS: usize = 8;

/// How many bytes of machine code, for each byte of wasm, exits may take for locals without homes.
const EXIT_BYTES_PER_BYTE: usize = 2;

/// The most bytes of homes that a frame has. They are written before the look at the native stack, out of what is left there for the
/// runtime.
const HOMES_BYTES_MAX: i32 = 64 << 10;

impl Translator<'_, '_> {
    /// Looks the function over, and gives homes to the locals that are better off with one.
    pub(super) fn make_homes(&mut self) -> Result<(), Error> {
        let homes = match self.job.level {
            Level::Baseline => homes_at_baseline(self.job),
            Level::Optimized => {
                let survey = Survey::of(self.job)?;
                let homes = survey.homes();
                self.straight_loops = survey.straight_loops;
                homes
            }
        };
        let mut bytes = 0;
        for (index, home) in homes.into_iter().enumerate() {
            let local = &mut self.locals[index];
            let cells = kind_of(local.ty, false).count() as i32;
            if home != Home::None && bytes + 8 * cells <= HOMES_BYTES_MAX {
                local.home = Some(bytes);
                local.lives_at_home = home == Home::Only;
                bytes += 8 * cells;
            }
        }
        if bytes > 0 {
            let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, bytes as u32, 4);
            self.homes = Some(self.builder.create_sized_stack_slot(slot));
        }
        Ok(())
    }

    /// The value of a local.
    pub(super) fn local(&mut self, index: usize) -> Value {
        let local = self.locals[index];
        let (Some(homes), Some(home), true) = (self.homes, local.home, local.lives_at_home) else {
            return self.builder.use_var(local.variable);
        };
        local.known.unwrap_or_else(|| {
            let flags = self.flags(self.regions.homes);
            let place = self.builder.ins().stack_addr(types::I64, homes, home);
            self.builder.ins().load(local.held, flags, place, 0)
        })
    }

    /// Keeps the value that a local has been given at hand.
    pub(super) fn keep_local(&mut self, index: usize, value: Value) {
        let local = &mut self.locals[index];
        if local.lives_at_home {
            local.known = Some(value);
        } else {
            self.builder.def_var(local.variable, value);
        }
    }

    /// Control has come together, or registers have been given up.
    pub(super) fn forget_known(&mut self) {
        for local in &mut self.locals {
            local.known = None;
        }
    }

    /// Writes zeros to the homes of all locals that are no parameters.
    pub(super) fn clear_homes(&mut self, params: usize) {
        let Some(homes) = self.homes else { return };
        let places = self.locals[params..].iter().filter_map(|local| local.home);
        let Some(mut place) = places.min() else {
            return;
        };
        // They lie one behind the other.
        let end = self.builder.func.sized_stack_slots[homes].size as i32;
        let flags = self.flags(self.regions.homes);
        while place < end {
            let ty = if end - place >= 16 {
                types::I8X16
            } else {
                types::I64
            };
            let zero = self.zero(ty);
            let address = self.builder.ins().stack_addr(types::I64, homes, place);
            self.builder.ins().store(flags, zero, address, 0);
            place += ty.bytes() as i32;
        }
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

/// Where a local's value is to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Home {
    /// In its variable.
    None,
    /// There and at its home.
    Beside,
    /// At its home.
    Only,
}

fn homes_at_baseline(job: &Job<'_>) -> Vec<Home> {
    let homes = job.locals.iter().map(|ty| match ty {
        ValType::V128 => Home::None,
        _ => Home::Only,
    });
    homes.collect()
}

/// What a local is in loops without calls.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Role {
    /// They do not use it.
    Absent,
    /// It is not set there.
    Read,
    /// Each round that uses it sets it first.
    Passing,
    /// A round uses what one before has set.
    Carried,
}

/// What the instructions of a function say about its locals.
struct Survey<'a> {
    job: &'a Job<'a>,
    /// About how many exits there will be.
    exits: usize,
    /// Of every local.
    roles: Vec<Role>,
    /// The bodies of the loops without calls.
    straight_loops: HashSet<u32>,
    /// The loops around the present instruction.
    loops: Vec<Loop>,
    /// The number of constructs around it.
    depth: usize,
}

struct Loop {
    /// Where its body begins.
    body: u32,
    /// The number of constructs around it.
    depth: usize,
    has_call: bool,
    /// The locals that it uses and sets, but not in loops in it, and whether the first time is a use.
    locals: HashMap<u32, Usage>,
}

#[derive(Clone, Copy)]
struct Usage {
    begins_with_use: bool,
    is_set: bool,
}

impl<'a> Survey<'a> {
    fn of(job: &'a Job<'a>) -> Result<Survey<'a>, Error> {
        let mut survey = Survey {
            job,
            exits: 1,
            roles: vec![Role::Absent; job.locals.len()],
            straight_loops: HashSet::new(),
            loops: Vec::new(),
            depth: 0,
        };
        for instruction in instructions(job) {
            survey.note(&instruction?);
        }
        Ok(survey)
    }

    /// Where the locals are to be.
    fn homes(&self) -> Vec<Home> {
        let Survey { job, .. } = self;
        let bytes = self.exits * job.locals.len() * STORE_BYTES;
        let has_many_exits = bytes > EXIT_BYTES_PER_BYTE * job.code.len();
        let has_loop = !self.straight_loops.is_empty();
        let is_crowded = has_loop && job.locals.len() > REGISTERS;
        if !has_many_exits && !is_crowded {
            return vec![Home::None; job.locals.len()];
        }
        let is_float = |ty: &ValType| matches!(ty, ValType::F32 | ValType::F64 | ValType::V128);
        let floats = job.locals.iter().filter(|ty| is_float(ty)).count();
        let integers = job.locals.len() - floats;
        let locals = job.locals.iter().zip(&self.roles);
        let homes = locals.map(|(ty, role)| {
            // The lanes of vectors are made exact in records only.
            let can_have = *ty != ValType::V128;
            let rivals = if is_float(ty) { floats } else { integers };
            match role {
                _ if !can_have => Home::None,
                Role::Absent => Home::Only,
                Role::Read => Home::Beside,
                Role::Passing if rivals > REGISTERS => Home::Beside,
                Role::Passing | Role::Carried => Home::None,
            }
        });
        homes.collect()
    }

    fn note(&mut self, instruction: &Instruction<'_>) {
        use Operator as Op;
        let Instruction {
            operator, next_pc, ..
        } = instruction;
        match *operator {
            Op::Loop { .. } => {
                self.exits += 1;
                self.loops.push(Loop {
                    body: *next_pc,
                    depth: self.depth,
                    has_call: false,
                    locals: HashMap::new(),
                });
                self.depth += 1;
            }
            Op::Block { .. } | Op::If { .. } | Op::TryTable { .. } => self.depth += 1,
            Op::End => self.end(),
            Op::LocalGet { local_index } => _ = self.usage(local_index, true),
            Op::LocalSet { local_index } | Op::LocalTee { local_index } => {
                if let Some(usage) = self.usage(local_index, false) {
                    usage.is_set = true;
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

    fn usage(&mut self, local: u32, is_use: bool) -> Option<&mut Usage> {
        let usage = self.loops.last_mut()?.locals.entry(local);
        Some(usage.or_insert(Usage {
            begins_with_use: is_use,
            is_set: false,
        }))
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
        if ended.has_call {
            if let Some(outer) = self.loops.last_mut() {
                outer.has_call = true;
            }
            return;
        }
        self.straight_loops.insert(ended.body);
        for (local, usage) in ended.locals {
            let role = match usage {
                Usage { is_set: false, .. } => Role::Read,
                Usage {
                    begins_with_use: true,
                    ..
                } => Role::Carried,
                Usage { .. } => Role::Passing,
            };
            let known = &mut self.roles[local as usize];
            *known = role.max(*known);
        }
    }
}

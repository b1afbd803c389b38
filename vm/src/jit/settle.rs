//! From the records that compiled code has written to canonical frames.

use wdb_codegen::{CellKind, Reason};

use super::{Jit, Run};
use crate::address::ModuleOffset;
use crate::machine::{Frame, Machine};

/// The bits of an `f32` whose NaNs stand for the canonical one.
pub(super) fn canonical_32(bits: u32) -> u32 {
    if f32::from_bits(bits).is_nan() {
        0x7fc0_0000
    } else {
        bits
    }
}

/// The bits of an `f64` whose NaNs stand for the canonical one.
pub(super) fn canonical_64(bits: u64) -> u64 {
    if f64::from_bits(bits).is_nan() {
        0x7ff8_0000_0000_0000
    } else {
        bits
    }
}

/// How a run ended that was left for this reason.
pub(super) fn ended(reason: u64) -> Run {
    const ARRIVAL: u64 = Reason::Arrival as u64;
    const INSTRUCTION: u64 = Reason::Instruction as u64;
    const PROBE: u64 = Reason::Probe as u64;
    match reason {
        ARRIVAL => Run::Arrived,
        INSTRUCTION => Run::Instruction,
        PROBE => Run::Probe,
        reason => unreachable!("code is not left for a reason {reason}"),
    }
}

impl Jit {
    /// Replaces the innermost frame by those of which the first `words` words of the records tell, innermost first.
    pub(super) fn settle(&mut self, machine: &mut Machine, words: usize) {
        let mut starts = Vec::new();
        let mut at = 0;
        while at < words {
            starts.push(at);
            let (unit, site) = self.named(at);
            let operands = self.unit(unit).sites[site].operands.iter();
            let operands: usize = operands.map(|kind| kind.count()).sum();
            at += 1 + self.unit(unit).locals_cells as usize + operands;
        }
        debug_assert_eq!(at, words, "records end where the last one does");
        let entered = machine.frames.pop().expect("the run began in a frame");
        let mut base = entered.base as usize;
        for &start in starts.iter().rev() {
            let (number, site) = self.named(start);
            let unit = self.units[number as usize]
                .as_ref()
                .expect("a record names code that there is");
            let site = &unit.sites[site];
            let mut cell = base;
            let kinds = unit.locals.iter().chain(&site.operands);
            let mut from = start + 1;
            for kind in kinds {
                let bits = self.records[from];
                machine.cells[cell] = match kind {
                    CellKind::Bits32 => u64::from(bits as u32),
                    CellKind::Bits64 => bits,
                    CellKind::Float32 => u64::from(canonical_32(bits as u32)),
                    CellKind::Float64 => canonical_64(bits),
                    CellKind::Vector => {
                        machine.cells[cell + 1] = self.records[from + 1];
                        bits
                    }
                };
                cell += kind.count();
                from += kind.count();
            }
            machine.frames.push(Frame {
                func: unit.func,
                pc: ModuleOffset(site.pc),
                base: base as u32,
                side: Frame::SIDE_UNKNOWN,
            });
            base = cell;
        }
        machine.height = base as u32;
    }

    /// The unit and the site that the record at a position names.
    fn named(&self, position: usize) -> (u32, usize) {
        let word = self.records[position];
        (word as u32, (word >> 32) as usize)
    }
}

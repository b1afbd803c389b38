//! From the records that compiled code has written to canonical frames.

use wdb_codegen::{CellKind, Reason};

use super::Jit;
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

impl Jit {
    /// Replaces the innermost frame by those of which the first `words` words of the records tell, innermost first. Gives why the
    /// code was left.
    pub(super) fn settle(&mut self, machine: &mut Machine, words: usize) -> Reason {
        let mut starts = Vec::new();
        let mut at = 0;
        while at < words {
            starts.push(at);
            let (unit, _) = self.named(at);
            at += self.unit(unit).record_words as usize;
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
        let (unit, site) = self.named(0);
        let reason = self.unit(unit).sites[site].reason;
        reason.expect("the innermost record says why code was left")
    }

    /// The unit and the site that the record at a position names.
    fn named(&self, position: usize) -> (u32, usize) {
        let word = self.records[position];
        ((word >> 32) as u32, word as u32 as usize)
    }
}

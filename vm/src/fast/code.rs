//! Register code of a function, and where the canonical state can be told in it.

use super::context::{Header, Word};
use super::table::RegisterKind;
use crate::address::{InstanceAddr, ModuleOffset, TypeId};
use crate::tier::RegisterLine;

/// What a translation gives.
pub(super) struct Code {
    pub(super) words: Box<[Word]>,
    /// Bytes of the wasm code.
    pub(super) wasm_bytes: usize,
    pub(super) param_cells: u32,
    pub(super) local_cells: u32,
    /// The most cells that a frame ever takes.
    pub(super) frame_cells_max: u32,
    pub(super) places: Option<Places>,
    pub(super) lines: Vec<RegisterLine>,
}

/// Where a cell is filled in from that register code does not keep.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FillFrom {
    /// The local with this cell.
    Local(u32),
    Constant(u64),
    Register(RegisterKind),
}

/// A cell that register code does not keep.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Fill {
    /// Counted from the frame's base.
    pub(super) cell: u32,
    pub(super) from: FillFrom,
}

/// An instruction of the module at which register code has executed everything before it and nothing of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) pc: ModuleOffset,
    /// The position in the register code, in words.
    pub(super) ip: u32,
    /// Cells of locals and operands.
    pub(super) height: u32,
    pub(super) operands: Vec<Fill>,
    /// The cells that hold what the code from here on expects in the registers, by [`RegisterKind`].
    pub(super) registers: [Option<u32>; 3],
}

/// The places of a function, in the order of its instructions.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Places {
    list: Vec<Place>,
}

impl Places {
    pub(super) fn add(&mut self, place: Place) {
        self.list.push(place);
    }

    /// Takes back the places at a position, which are the last ones.
    pub(super) fn forget(&mut self, ip: u32) {
        while self.list.last().is_some_and(|place| place.ip == ip) {
            self.list.pop();
        }
    }

    /// The place of an instruction, if there is one.
    pub(super) fn at(&self, pc: ModuleOffset) -> Option<&Place> {
        let found = self.list.binary_search_by_key(&pc, |place| place.pc).ok()?;
        Some(&self.list[found])
    }

    /// The instruction that the register instruction at a position belongs to.
    pub(super) fn executing(&self, ip: u32) -> &Place {
        let after = self.list.partition_point(|place| place.ip <= ip);
        &self.list[after - 1]
    }

    /// The instruction that control has arrived at by a call, or by a branch to a loop.
    pub(super) fn arrived(&self, ip: u32) -> &Place {
        let first = self.list.partition_point(|place| place.ip < ip);
        &self.list[first]
    }
}

/// A function's register code, ready to run.
pub(super) struct FastFunc {
    pub(super) header: Header,
    pub(super) words: Box<[Word]>,
    /// Bytes of the wasm code.
    pub(super) wasm_bytes: usize,
    /// Made when the first stop in the function asks for them.
    pub(super) places: Option<Places>,
}

impl FastFunc {
    pub(super) fn new(code: Code, type_id: TypeId, instance: InstanceAddr) -> FastFunc {
        FastFunc {
            header: Header {
                entry: code.words.as_ptr(),
                type_id,
                instance,
                param_cells: code.param_cells,
                local_cells: code.local_cells,
                frame_bytes_max: code.frame_cells_max * size_of::<u64>() as u32,
            },
            words: code.words,
            wasm_bytes: code.wasm_bytes,
            places: code.places,
        }
    }

    /// Bytes of memory taken.
    pub(super) fn size_bytes(&self) -> usize {
        size_of::<FastFunc>() + size_of_val(&self.words[..])
    }
}

//! Which bytes of memory an instruction reads or writes.

use crate::decode::Immediates;
use crate::isa::{ImmediateKind, Op};
use crate::numeric::atomics::{Atomic, atomic};
use crate::numeric::vectors::{Vector, vector};

/// An access of memory at an address that is an operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Access {
    /// The number of bytes, which is also the alignment where the text format names none.
    pub(crate) size: u8,
    pub(crate) reads: bool,
    pub(crate) writes: bool,
    /// How many cells of operands lie above the address.
    pub(crate) cells_above: u8,
}

impl Access {
    const fn read(size: u8, cells_above: u8) -> Access {
        Access {
            size,
            reads: true,
            writes: false,
            cells_above,
        }
    }

    const fn write(size: u8, cells_above: u8) -> Access {
        Access {
            size,
            reads: false,
            writes: true,
            cells_above,
        }
    }
}

/// How an instruction accesses memory; `None` for one that does not, or that accesses whole ranges.
pub(crate) fn access(op: Op) -> Option<Access> {
    let info = op.info();
    if !matches!(
        info.immediates,
        ImmediateKind::MemArg | ImmediateKind::MemArgLane
    ) {
        return None;
    }
    if let Some(vector) = vector(op) {
        return of_vector(&vector);
    }
    if let Some(atomic) = atomic(op) {
        return Some(of_atomic(atomic));
    }
    of_number(info.mnemonic)
}

fn of_vector(vector: &Vector) -> Option<Access> {
    Some(match *vector {
        Vector::Load(size, _) => Access::read(size, 0),
        Vector::LoadWhole => Access::read(16, 0),
        Vector::StoreWhole => Access::write(16, 2),
        Vector::LoadLane(size, _) => Access::read(size, 2),
        Vector::StoreLane(size, _) => Access::write(size, 2),
        _ => return None,
    })
}

fn of_atomic(atomic: Atomic) -> Access {
    Access {
        size: atomic.size(),
        reads: atomic.reads(),
        writes: atomic.writes(),
        cells_above: atomic.operands_above_address() as u8,
    }
}

/// Loads and stores of numbers name their size: `i64.load32_u`, `f32.store`.
fn of_number(mnemonic: &str) -> Option<Access> {
    let natural = if mnemonic.starts_with("i32") || mnemonic.starts_with("f32") {
        4
    } else {
        8
    };
    let size = |suffix: &str| {
        let digits: String = suffix.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u8>().map_or(natural, |bits| bits / 8)
    };
    if let Some((_, suffix)) = mnemonic.split_once(".load") {
        return Some(Access::read(size(suffix), 0));
    }
    let (_, suffix) = mnemonic.split_once(".store")?;
    Some(Access::write(size(suffix), 1))
}

/// The memory's index and the constant offset of an access.
pub(crate) fn memory_and_offset(immediates: &Immediates) -> Option<(u32, u64)> {
    match *immediates {
        Immediates::MemArg { memory, offset, .. }
        | Immediates::MemArgLane { memory, offset, .. } => Some((memory, offset)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, access};
    use crate::isa::{ImmediateKind, Op};

    #[test]
    fn accesses_have_their_sizes() {
        assert_eq!(access(Op::I32Load), Some(Access::read(4, 0)));
        assert_eq!(access(Op::F64Load), Some(Access::read(8, 0)));
        assert_eq!(access(Op::I64Load32U), Some(Access::read(4, 0)));
        assert_eq!(access(Op::I32Load8S), Some(Access::read(1, 0)));
        assert_eq!(access(Op::I64Store), Some(Access::write(8, 1)));
        assert_eq!(access(Op::F32Store), Some(Access::write(4, 1)));
        assert_eq!(access(Op::I64Store16), Some(Access::write(2, 1)));
        assert_eq!(access(Op::V128Load32x2U), Some(Access::read(8, 0)));
        assert_eq!(access(Op::V128Store16Lane), Some(Access::write(2, 2)));
        assert_eq!(access(Op::I32Add), None);
    }

    #[test]
    fn what_names_an_offset_is_an_access() {
        for info in crate::isa::INSTRUCTIONS {
            let names_offset = matches!(
                info.immediates,
                ImmediateKind::MemArg | ImmediateKind::MemArgLane
            );
            assert_eq!(access(info.op).is_some(), names_offset, "{}", info.mnemonic);
        }
    }
}

//! Makes quick code: finds the longest way through the rows of [`quick`](super::quick) for each instruction.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::code::LocalPlace;
use super::quick::rows::ROWS;
use super::quick::{
    PLAIN_BYTE, PROBE_BYTE, Row, VECTOR_BYTE, WIDE_GET_BYTE, WIDE_SET_BYTE, WIDE_TEE_BYTE,
};
use crate::address::ModuleOffset;
use crate::isa::{ImmediateKind, Op, PREFIX_FD};

/// What the walk through a function tells of an instruction.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Its offset.
    pub(super) pc: u32,
    /// Whether it finds no operand.
    pub(super) stack_is_empty: bool,
    /// Whether it is left to plain code: a branch that discards operands, the end of a legacy catch clause, or
    /// what moves a vector.
    pub(super) is_plain: bool,
}

/// What instructions that access locals and memory find.
pub(super) struct Surroundings<'f> {
    /// The cells of parameters and locals.
    pub(super) locals_cells: u32,
    /// The places of locals, where they are not their indices.
    pub(super) locals: &'f [LocalPlace],
    /// Whether addresses in memory 0 have 64 bits, for which there is no quick code.
    pub(super) memory_is_64: bool,
}

impl Surroundings<'_> {
    fn local(&self, index: u32) -> LocalPlace {
        let plain = LocalPlace {
            cell: index,
            is_wide: false,
        };
        self.locals.get(index as usize).copied().unwrap_or(plain)
    }
}

/// An instruction in the sequence that is rewritten.
struct Item<'c> {
    place: Place,
    /// Its opcode and immediates.
    bytes: &'c [u8],
    /// `None` where no row is for it.
    op: Option<Op>,
    /// What stands for it then.
    other_byte: u8,
    /// The cell of the local that it accesses.
    local_cell: u32,
    probed: bool,
}

/// Bytes after the code that reading a number of fewer than eight bytes may touch.
const PADDING_BYTES: usize = 8;

/// Rows of [`ROWS`] that agree in their first two instructions, or have only one.
struct Group {
    second: Option<Op>,
    rows: Vec<u8>,
}

/// The rows by their first instruction.
static GROUPS_BY_OP: LazyLock<Vec<Vec<Group>>> = LazyLock::new(|| {
    let mut by_op: Vec<Vec<Group>> = Vec::new();
    for (number, row) in ROWS.iter().enumerate() {
        let first = row.first().op as usize;
        let second = row.patterns().nth(1).map(|pattern| pattern.op);
        if by_op.len() <= first {
            by_op.resize_with(first + 1, Vec::new);
        }
        let groups = &mut by_op[first];
        match groups.iter_mut().find(|group| group.second == second) {
            Some(group) => group.rows.push(number as u8),
            None => groups.push(Group {
                second,
                rows: vec![number as u8],
            }),
        }
    }
    by_op
});

/// The rows whose first two instructions are those of `items`.
fn candidates(items: &[Item<'_>]) -> impl Iterator<Item = u8> {
    let groups = items[0].op.and_then(|op| GROUPS_BY_OP.get(op as usize));
    let second = items.get(1).and_then(|item| item.op);
    let groups = groups.into_iter().flatten();
    groups
        .filter(move |group| group.second.is_none() || group.second == second)
        .flat_map(|group| group.rows.iter().copied())
}

/// The quick code for a function's bytes, which start at `start` in the module.
pub(super) fn rewrite(
    code: &[u8],
    start: ModuleOffset,
    places: &[Place],
    surroundings: &Surroundings<'_>,
    probes: &[ModuleOffset],
) -> Box<[u8]> {
    let items = items(code, start, places, surroundings, probes);
    let mut bytes = code.to_vec();
    bytes.resize(code.len() + PADDING_BYTES, 0);
    for (index, row) in best_rows(&items, surroundings.locals_cells)
        .into_iter()
        .enumerate()
    {
        let item = &items[index];
        let at = (item.place.pc - start.0) as usize;
        bytes[at] = match row {
            _ if item.probed => PROBE_BYTE,
            Some(row) => row + 1,
            None => item.other_byte,
        };
        let immediates = &mut bytes[at + 1..at + item.bytes.len()];
        match item.op {
            Some(Op::Block) if row.is_some() => immediates[0] = blocks_length(&items[index..]),
            Some(op) if row.is_some() => rewrite_immediates(op, item.local_cell, immediates),
            // A cell's index is less than twice the local's, so it fits where that has one byte.
            None if is_wide_local(item.other_byte) => immediates[0] = item.local_cell as u8,
            _ => {}
        }
    }
    bytes.into()
}

fn is_wide_local(byte: u8) -> bool {
    matches!(byte, WIDE_GET_BYTE | WIDE_SET_BYTE | WIDE_TEE_BYTE)
}

fn items<'c>(
    code: &'c [u8],
    start: ModuleOffset,
    places: &[Place],
    surroundings: &Surroundings<'_>,
    probes: &[ModuleOffset],
) -> Vec<Item<'c>> {
    let probes: BTreeSet<u32> = probes.iter().map(|pc| pc.0).collect();
    let ends = places.iter().skip(1).map(|place| place.pc - start.0);
    let last = places.len() - 1;
    let items = places
        .iter()
        .zip(ends.chain([code.len() as u32]))
        .enumerate();
    items
        .map(|(index, (&place, end))| {
            let bytes = &code[(place.pc - start.0) as usize..end as usize];
            let (op, other_byte, local_cell) = match Op::from_byte(bytes[0]) {
                _ if place.is_plain => (None, PLAIN_BYTE, 0),
                // The end of the body returns; all others do nothing.
                Some(Op::End) if index == last => (Some(Op::Return), PLAIN_BYTE, 0),
                Some(op @ (Op::LocalGet | Op::LocalSet | Op::LocalTee)) => {
                    local_access(op, &bytes[1..], surroundings)
                }
                Some(op) if op.info().immediates == ImmediateKind::MemArg => {
                    let is_quick = !surroundings.memory_is_64 && bytes[1] < PLAIN_ALIGNMENT;
                    (is_quick.then_some(op), PLAIN_BYTE, 0)
                }
                // Where there are so many tables, plain code knows them all.
                Some(Op::CallIndirect) if indices(&bytes[1..]).1 > i64::from(u8::MAX) => {
                    (None, PLAIN_BYTE, 0)
                }
                None if bytes[0] == PREFIX_FD => (None, VECTOR_BYTE, 0),
                op => (op, PLAIN_BYTE, 0),
            };
            Item {
                place,
                bytes,
                op,
                other_byte,
                local_cell,
                probed: probes.contains(&place.pc),
            }
        })
        .collect()
}

/// An alignment from here on has several bytes, the second of which would pass for a part of the offset, or a memory follows.
const PLAIN_ALIGNMENT: u8 = 0x40;

/// How an access of a local is executed, and its cell.
fn local_access(
    op: Op,
    immediates: &[u8],
    surroundings: &Surroundings<'_>,
) -> (Option<Op>, u8, u32) {
    let place = surroundings.local(read_unsigned(immediates) as u32);
    if !place.is_wide {
        return (Some(op), PLAIN_BYTE, place.cell);
    }
    let byte = match op {
        _ if immediates.len() > 1 => PLAIN_BYTE,
        Op::LocalGet => WIDE_GET_BYTE,
        Op::LocalSet => WIDE_SET_BYTE,
        _ => WIDE_TEE_BYTE,
    };
    (None, byte, place.cell)
}

/// The row for each instruction: from it on, the fewest handlers follow in straight-line code.
fn best_rows(items: &[Item<'_>], locals_cells: u32) -> Vec<Option<u8>> {
    let mut rows = vec![None; items.len()];
    let mut handlers = vec![0u32; items.len() + 1];
    for index in (0..items.len()).rev() {
        let rest = &items[index..];
        handlers[index] = handlers[index + 1] + 1;
        let mut best_length = 0;
        for number in candidates(rest) {
            let row = &ROWS[number as usize];
            if !fits(row, rest, locals_cells) {
                continue;
            }
            let length = row.patterns().count();
            let cost = 1 + handlers[index + length];
            if rows[index].is_none()
                || (cost, Reverse(length)) < (handlers[index], Reverse(best_length))
            {
                (rows[index], handlers[index], best_length) = (Some(number), cost, length);
            }
        }
    }
    rows
}

/// The length of the blocks that `items` starts with, as far as a run passes them at once.
fn blocks_length(items: &[Item<'_>]) -> u8 {
    let is_passed =
        |item: &&Item<'_>| item.op == Some(Op::Block) && item.bytes.len() == 2 && !item.probed;
    let others = items[1..].iter().take_while(is_passed).count();
    (2 * (1 + others)).min(usize::from(u8::MAX - 1)) as u8
}

fn fits(row: &Row, items: &[Item<'_>], locals_cells: u32) -> bool {
    let length = row.patterns().count();
    if length > items.len() {
        return false;
    }
    let mut pairs = row.patterns().zip(items);
    pairs
        .all(|(pattern, item)| item.op == Some(pattern.op) && pattern.length_fits(item.bytes.len()))
        && !items[1..length].iter().any(|item| item.probed)
        && !(length > 1
            && items[0].place.stack_is_empty
            && writes_last_local(&items[..length], locals_cells))
}

/// Whether the last local is written. With no operand on the stack, its cell is what the register for the topmost cell
/// stands for, and a sequence that leaves that register alone would not see the change.
fn writes_last_local(items: &[Item<'_>], locals_cells: u32) -> bool {
    items.iter().any(|item| {
        matches!(item.op, Some(Op::LocalSet | Op::LocalTee)) && item.local_cell + 1 == locals_cells
    })
}

/// Replaces a number in LEB128 by as many of its plain bytes as fit.
fn rewrite_immediates(op: Op, local_cell: u32, immediates: &mut [u8]) {
    let value = match op {
        Op::I32Const | Op::I64Const => read_signed(immediates),
        Op::CallIndirect if immediates.len() > 5 => {
            let (type_index, table) = indices(immediates);
            immediates[4] = table as u8;
            immediates[..4].copy_from_slice(&(type_index as u32).to_le_bytes());
            return;
        }
        Op::LocalGet | Op::LocalSet | Op::LocalTee => i64::from(local_cell),
        Op::GlobalGet | Op::GlobalSet | Op::Call => read_unsigned(immediates),
        _ if op.info().immediates == ImmediateKind::MemArg => {
            // The alignment is no more than a hint.
            read_unsigned(&immediates[1..])
        }
        _ => return,
    };
    let count = immediates.len().min(8);
    immediates[..count].copy_from_slice(&value.to_le_bytes()[..count]);
}

/// The two indices after a `call_indirect`.
fn indices(immediates: &[u8]) -> (i64, i64) {
    let first_length = immediates.iter().take_while(|&&byte| byte >= 0x80).count() + 1;
    let (first, second) = immediates.split_at(first_length);
    (read_unsigned(first), read_unsigned(second))
}

fn read_unsigned(leb: &[u8]) -> i64 {
    let digit = |(index, &byte): (usize, &u8)| i64::from(byte & 0x7f) << (7 * index);
    leb.iter().enumerate().map(digit).sum()
}

fn read_signed(leb: &[u8]) -> i64 {
    let mut value = 0i64;
    let mut shift = 0;
    for &byte in leb {
        value |= i64::from(byte & 0x7f).wrapping_shl(shift);
        shift += 7;
    }
    // The last byte's highest digit is the sign.
    if shift < 64 {
        value << (64 - shift) >> (64 - shift)
    } else {
        value
    }
}

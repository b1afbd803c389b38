//! Bytes at places: reading, narrowing and writing them.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::handles::Handle;
use crate::location::{Piece, Place, RawSlot, Target};
use crate::types::BitField;
use crate::value::{Value, Write};

impl RawSlot {
    /// The slot's bytes, little-endian, and how many of them count.
    #[must_use]
    pub fn to_le_bytes(self) -> ([u8; 16], usize) {
        let mut bytes = [0; 16];
        let len = match self {
            RawSlot::I32(value) | RawSlot::F32(value) => {
                bytes[..4].copy_from_slice(&value.to_le_bytes());
                4
            }
            RawSlot::I64(value) | RawSlot::F64(value) => {
                bytes[..8].copy_from_slice(&value.to_le_bytes());
                8
            }
            RawSlot::V128(value) | RawSlot::Handle(Handle(value)) => {
                bytes = value.to_le_bytes();
                16
            }
        };
        (bytes, len)
    }

    /// A slot of the same type with other bytes.
    fn with_bytes(self, bytes: [u8; 16]) -> RawSlot {
        let wide = u128::from_le_bytes(bytes);
        let word = |bits: u32| (wide & ((1 << bits) - 1)) as u64;
        match self {
            RawSlot::I32(_) => RawSlot::I32(word(32) as u32),
            RawSlot::F32(_) => RawSlot::F32(word(32) as u32),
            RawSlot::I64(_) => RawSlot::I64(word(64)),
            RawSlot::F64(_) => RawSlot::F64(word(64)),
            RawSlot::V128(_) => RawSlot::V128(wide),
            RawSlot::Handle(_) => RawSlot::Handle(Handle(wide)),
        }
    }
}

impl Place {
    /// Whether it is a slot of the machine, which holds bytes without an address.
    fn is_slot(&self) -> bool {
        matches!(self, Place::Local(_) | Place::Global(_) | Place::Operand(_))
    }

    /// The part of a place that begins `offset` bytes after its start and takes `len` bytes.
    pub(crate) fn part(&self, offset: u64, len: u64) -> Place {
        match self {
            Place::Memory(address) => Place::Memory(address.wrapping_add(offset)),
            // Also where it begins the slot: whoever writes it must leave the rest.
            Place::Local(_) | Place::Global(_) | Place::Operand(_) | Place::Part { .. } => {
                let piece = Piece {
                    place: self.clone(),
                    bit_offset: offset.saturating_mul(8),
                    bit_size: len.saturating_mul(8),
                };
                Place::Pieces(Arc::new([piece]))
            }
            Place::Implicit(bytes) => {
                let start = usize::try_from(offset)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                let end = start
                    .saturating_add(usize::try_from(len).unwrap_or(usize::MAX))
                    .min(bytes.len());
                Place::Implicit(bytes[start..end].into())
            }
            Place::Pieces(pieces) => {
                part_of_pieces(pieces, offset.saturating_mul(8), len.saturating_mul(8))
            }
            Place::OptimizedOut => Place::OptimizedOut,
        }
    }

    /// The first `len` bytes at the place.
    pub(crate) fn read(&self, target: &dyn Target, len: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        match self {
            Place::Memory(address) => target.read_memory(*address, &mut bytes)?,
            Place::Implicit(known) => {
                let len = len.min(known.len());
                bytes[..len].copy_from_slice(&known[..len]);
            }
            Place::Pieces(pieces) => read_pieces(pieces, target, &mut bytes)?,
            Place::OptimizedOut => return Err(Error::OptimizedOut),
            Place::Local(_) | Place::Global(_) | Place::Operand(_) | Place::Part { .. } => {
                let (slot, slot_len) = self.slot(target)?.to_le_bytes();
                let len = len.min(slot_len);
                bytes[..len].copy_from_slice(&slot[..len]);
            }
        }
        Ok(bytes)
    }

    /// The contents of a local, global or operand.
    fn slot(&self, target: &dyn Target) -> Result<RawSlot> {
        let (slot, what, index) = match self {
            Place::Local(index) => (target.local(*index), "local", u64::from(*index)),
            Place::Global(index) => (target.global(*index), "global", u64::from(*index)),
            Place::Operand(index) => {
                let slot = target.operand(*index);
                (slot, "operand stack slot", u64::from(*index))
            }
            Place::Part { handle, index } => (
                target.handle_part_slot(*handle, *index),
                "object's part",
                *index,
            ),
            _ => return Err(Error::NotAssignable),
        };
        slot.ok_or_else(|| Error::Unavailable(format!("the wasm {what} {index}")))
    }

    /// The changes that put bytes at the place. `bytes` may be longer than the value: slots
    /// take as many as they hold, so that a narrow integer is extended.
    pub(crate) fn write(
        &self,
        target: &dyn Target,
        bytes: &[u8],
        len: usize,
    ) -> Result<Vec<Write>> {
        match self {
            Place::Memory(address) => {
                let bytes = bytes.get(..len).ok_or(Error::NotAssignable)?.to_vec();
                Ok(vec![Write::Memory {
                    address: *address,
                    bytes,
                }])
            }
            Place::Local(_) | Place::Global(_) | Place::Operand(_) | Place::Part { .. } => {
                let slot = self.slot(target)?;
                let (mut contents, slot_len) = slot.to_le_bytes();
                let len = bytes.len().min(slot_len);
                contents[..len].copy_from_slice(&bytes[..len]);
                Ok(vec![self.slot_write(slot.with_bytes(contents))?])
            }
            Place::Pieces(pieces) => {
                let mut writes = Vec::new();
                let mut start = 0usize;
                for piece in pieces.iter() {
                    let piece_len =
                        usize::try_from(piece.bit_size / 8).map_err(|_| Error::NotAssignable)?;
                    let has_whole_bytes = piece.bit_offset % 8 == 0 && piece.bit_size % 8 == 0;
                    let end = start.saturating_add(piece_len).min(len);
                    let part = bytes
                        .get(start..end)
                        .filter(|_| has_whole_bytes)
                        .ok_or(Error::NotAssignable)?;
                    if !part.is_empty() {
                        let offset = piece.bit_offset / 8;
                        writes.extend(piece.place.write_part(target, offset, part)?);
                    }
                    start = end;
                }
                // Each would bring back what the others have changed.
                if has_slot_twice(&writes) {
                    return Err(Error::NotAssignable);
                }
                Ok(writes)
            }
            Place::Implicit(_) | Place::OptimizedOut => Err(Error::NotAssignable),
        }
    }

    /// The changes that put bytes `offset` bytes after the place's start.
    fn write_part(&self, target: &dyn Target, offset: u64, bytes: &[u8]) -> Result<Vec<Write>> {
        match self {
            _ if offset == 0 => self.write(target, bytes, bytes.len()),
            Place::Memory(_) => {
                let place = self.part(offset, bytes.len() as u64);
                place.write(target, bytes, bytes.len())
            }
            Place::Local(_) | Place::Global(_) | Place::Operand(_) | Place::Part { .. } => {
                let slot = self.slot(target)?;
                let (mut contents, slot_len) = slot.to_le_bytes();
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                let part = contents[..slot_len]
                    .get_mut(start..start.saturating_add(bytes.len()))
                    .ok_or(Error::NotAssignable)?;
                part.copy_from_slice(bytes);
                Ok(vec![self.slot_write(slot.with_bytes(contents))?])
            }
            Place::Implicit(_) | Place::Pieces(_) | Place::OptimizedOut => {
                Err(Error::NotAssignable)
            }
        }
    }

    fn slot_write(&self, slot: RawSlot) -> Result<Write> {
        match *self {
            Place::Local(index) => Ok(Write::Local { index, slot }),
            Place::Global(index) => Ok(Write::Global { index, slot }),
            Place::Operand(index) => Ok(Write::Operand { index, slot }),
            Place::Part { handle, index } => Ok(Write::Part {
                handle,
                index,
                slot,
            }),
            _ => Err(Error::NotAssignable),
        }
    }
}

/// Whether two of the changes are of the same slot.
fn has_slot_twice(writes: &[Write]) -> bool {
    let slot = |write: &Write| match write {
        Write::Memory { .. } => None,
        Write::Local { index, .. } => Some(Place::Local(*index)),
        Write::Global { index, .. } => Some(Place::Global(*index)),
        Write::Operand { index, .. } => Some(Place::Operand(*index)),
        Write::Part { handle, index, .. } => Some(Place::Part {
            handle: *handle,
            index: *index,
        }),
    };
    let slots: Vec<Place> = writes.iter().filter_map(slot).collect();
    slots
        .iter()
        .enumerate()
        .any(|(position, slot)| slots[..position].contains(slot))
}

/// How many bytes a bit field reaches into.
pub(crate) fn bit_field_bytes(bits: BitField) -> u64 {
    (u64::from(bits.offset) + u64::from(bits.size)).div_ceil(8)
}

/// The bytes with a bit field replaced.
pub(crate) fn with_bits(bytes: &[u8], bits: BitField, value: u128) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    for bit in 0..bits.size.min(128) {
        let position = (bits.offset + bit) as usize;
        if let Some(byte) = changed.get_mut(position / 8) {
            let mask = 1 << (position % 8);
            if value >> bit & 1 == 1 {
                *byte |= mask
            } else {
                *byte &= !mask
            }
        }
    }
    changed
}

fn part_of_pieces(pieces: &[Piece], start: u64, len: u64) -> Place {
    let end = start.saturating_add(len);
    let mut parts = Vec::new();
    let mut position = 0u64;
    for piece in pieces {
        let piece_end = position.saturating_add(piece.bit_size);
        let (from, to) = (position.max(start), piece_end.min(end));
        if from < to {
            let skipped = from - position;
            parts.push(Piece {
                place: piece.place.clone(),
                bit_offset: piece.bit_offset.saturating_add(skipped),
                bit_size: to - from,
            });
        }
        position = piece_end;
    }
    match parts.as_slice() {
        [] => Place::OptimizedOut,
        [piece]
            if piece.bit_size == len
                && piece.bit_offset % 8 == 0
                && matches!(piece.place, Place::Memory(_)) =>
        {
            piece.place.part(piece.bit_offset / 8, len / 8)
        }
        // A slot that is one of several pieces is that piece, while a piece of its own is a part of a slot.
        [piece]
            if piece.bit_size == len
                && piece.bit_offset == 0
                && (pieces.len() > 1 || !piece.place.is_slot()) =>
        {
            piece.place.clone()
        }
        parts if parts.iter().all(|piece| piece.place == Place::OptimizedOut) => {
            Place::OptimizedOut
        }
        _ => Place::Pieces(parts.into()),
    }
}

fn read_pieces(pieces: &[Piece], target: &dyn Target, bytes: &mut [u8]) -> Result<()> {
    let bits_wanted = bytes.len() as u64 * 8;
    let mut position = 0u64;
    for piece in pieces {
        if position >= bits_wanted {
            return Ok(());
        }
        let size = piece.bit_size.min(bits_wanted - position);
        // A place in a piece may claim any offset; what no value reaches is not there.
        if piece.bit_offset > Value::BYTES_MAX as u64 * 8 {
            return Err(Error::OptimizedOut);
        }
        let skipped_bytes = piece.bit_offset / 8;
        let shift = piece.bit_offset % 8;
        let needed = usize::try_from((shift + size).div_ceil(8)).unwrap_or(0);
        let skipped = usize::try_from(skipped_bytes).unwrap_or(0);
        let source = match &piece.place {
            Place::Memory(address) => {
                Place::Memory(address.wrapping_add(skipped_bytes)).read(target, needed)?
            }
            place => place.read(target, skipped + needed)?.split_off(skipped),
        };
        for bit in 0..size {
            let from = shift + bit;
            let is_set = source[(from / 8) as usize] >> (from % 8) & 1;
            let to = position + bit;
            bytes[(to / 8) as usize] |= is_set << (to % 8);
        }
        position += size;
    }
    if position < bits_wanted {
        Err(Error::OptimizedOut)
    } else {
        Ok(())
    }
}

//! Location expressions of WebAssembly as gdb can evaluate them, in as many bytes as before.
//!
//! ```text
//! DW_OP_WASM_location 0 3; DW_OP_stack_value     ed 00 03 9f
//!     becomes  DW_OP_breg8 (r8) -40              78 d8 ff 7f     the local's place: it can be assigned to
//! DW_OP_WASM_location 0 3; DW_OP_plus_uconst 8   ed 00 03 23 08
//!     becomes  DW_OP_breg8 (r8) -40; DW_OP_deref; DW_OP_plus_uconst 8
//! ```
//!
//! What finds no room is shown as optimized out.

use gimli::{Encoding, EndianSlice, LittleEndian, Operation};

use super::layout::{
    FrameBase, GLOBAL_BYTES, GLOBALS, LOCALS_AT, OPERAND_COUNT, OPERANDS_AT, WINDOW_COUNT,
    WINDOW_LOCALS, WINDOW_MIDDLE, WINDOW_REGISTER_FIRST,
};

const DW_OP_ADDR: u8 = 0x03;
const DW_OP_DEREF: u8 = 0x06;
const DW_OP_CONST4U: u8 = 0x0c;
const DW_OP_CONSTU: u8 = 0x10;
const DW_OP_BREG0: u8 = 0x70;
const DW_OP_PIECE: u8 = 0x93;
const DW_OP_NOP: u8 = 0x96;

/// The register that points at the record.
const RBP: u8 = 6;

type Reader<'a> = EndianSlice<'a, LittleEndian>;

/// Rewrites an expression that says where a value is.
pub(super) fn location(bytes: &mut [u8], encoding: Encoding) {
    let rewritten = rewrite(bytes, encoding);
    match rewritten {
        Some(rewritten) => bytes.copy_from_slice(&rewritten),
        None => fill_optimized_out(bytes),
    }
}

/// Rewrites a function's frame base into the record's first word; answers what that is to hold. Other frame bases stay.
pub(super) fn frame_base(bytes: &mut [u8], encoding: Encoding) -> Option<FrameBase> {
    let operations = parse(bytes, encoding)?;
    let base = match operations.first()?.1 {
        Operation::WasmLocal { index } => FrameBase::Local(index),
        Operation::WasmGlobal { index } => FrameBase::Global(index),
        _ => return None,
    };
    let is_plain = matches!(operations.get(1..)?, [] | [(_, Operation::StackValue)]);
    if !is_plain {
        return None;
    }
    let place = based(RBP, 0, bytes.len() - 1)?;
    bytes[..place.len()].copy_from_slice(&place);
    bytes[place.len()] = DW_OP_DEREF;
    Some(base)
}

/// The operations with their sizes.
fn parse<'a>(bytes: &'a [u8], encoding: Encoding) -> Option<Vec<(usize, Operation<Reader<'a>>)>> {
    let mut rest = EndianSlice::new(bytes, LittleEndian);
    let mut operations = Vec::new();
    while !rest.is_empty() {
        let before = rest.len();
        let operation = Operation::parse(&mut rest, encoding).ok()?;
        operations.push((before - rest.len(), operation));
    }
    Some(operations)
}

fn rewrite(bytes: &[u8], encoding: Encoding) -> Option<Vec<u8>> {
    let operations = parse(bytes, encoding)?;
    let mut rewritten = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while let Some((size, operation)) = operations.get(index) {
        let here = &bytes[rewritten.len()..][..*size];
        let place = match *operation {
            Operation::WasmLocal { index } => Place::Local(index),
            Operation::WasmStack { index } => Place::Operand(index),
            Operation::WasmGlobal { index } => Place::Global(index),
            // gdb takes addresses in longer expressions for code, and moves them there.
            Operation::Address { .. } if operations.len() > 1 && here[0] == DW_OP_ADDR => {
                rewritten.push(DW_OP_CONST4U);
                rewritten.extend_from_slice(&here[1..]);
                index += 1;
                continue;
            }
            Operation::EntryValue { .. } => return None,
            _ => {
                rewritten.extend_from_slice(here);
                index += 1;
                continue;
            }
        };
        let is_whole = matches!(operations.get(index + 1), Some((_, Operation::StackValue)));
        let is_last = matches!(
            operations.get(index + 2),
            None | Some((_, Operation::Piece { .. }))
        );
        if is_whole && is_last {
            rewritten.extend(place.encode(size + 1)?);
            index += 2;
        } else {
            rewritten.extend(place.encode(size - 1)?);
            rewritten.push(DW_OP_DEREF);
            index += 1;
        }
    }
    Some(rewritten)
}

/// What a wasm location names.
enum Place {
    Local(u32),
    Operand(u32),
    Global(u32),
}

impl Place {
    /// An operation of this many bytes that pushes the address.
    fn encode(&self, bytes: usize) -> Option<Vec<u8>> {
        match *self {
            Place::Local(index) => {
                let index = u64::from(index);
                let window = u8::try_from(index / WINDOW_LOCALS).ok();
                if let Some(window) = window.filter(|window| *window < WINDOW_COUNT) {
                    let offset = 8 * (index % WINDOW_LOCALS);
                    let offset = offset.cast_signed() - WINDOW_MIDDLE.cast_signed();
                    return based(WINDOW_REGISTER_FIRST + window, offset, bytes);
                }
                based(RBP, (LOCALS_AT + 8 * index).cast_signed(), bytes)
            }
            Place::Operand(index) if u64::from(index) < OPERAND_COUNT => based(
                RBP,
                (OPERANDS_AT + 8 * u64::from(index)).cast_signed(),
                bytes,
            ),
            Place::Operand(_) => None,
            Place::Global(index) => {
                let address = GLOBALS.start + GLOBAL_BYTES * u64::from(index);
                let address = i64::try_from(address).ok()?;
                if !GLOBALS.contains(&address.cast_unsigned()) {
                    return None;
                }
                let mut operation = vec![DW_OP_CONSTU];
                operation.extend(leb128(address, bytes.checked_sub(1)?, false)?);
                Some(operation)
            }
        }
    }
}

/// `DW_OP_bregN OFFSET` in exactly so many bytes.
fn based(register: u8, offset: i64, bytes: usize) -> Option<Vec<u8>> {
    let mut operation = vec![DW_OP_BREG0 + register];
    operation.extend(leb128(offset, bytes.checked_sub(1)?, true)?);
    Some(operation)
}

/// A number in exactly so many bytes of LEB128, padded if need be.
fn leb128(number: i64, count: usize, is_signed: bool) -> Option<Vec<u8>> {
    let bits = u32::try_from(7 * count)
        .ok()
        .filter(|bits| (7..63).contains(bits))?;
    let fits = if is_signed {
        let limit = 1_i64 << (bits - 1);
        (-limit..limit).contains(&number)
    } else {
        (0..1_i64 << bits).contains(&number)
    };
    if !fits {
        return None;
    }
    let septets = (0..count).map(|at| (number >> (7 * at)) as u8 & 0x7f);
    let mut encoded: Vec<u8> = septets.collect();
    for byte in &mut encoded[..count - 1] {
        *byte |= 0x80;
    }
    Some(encoded)
}

/// A piece without a location is what gdb shows as optimized out.
fn fill_optimized_out(bytes: &mut [u8]) {
    /// Larger than values that are in locals.
    const PIECE_BYTES: u8 = 0x7f;
    bytes.fill(DW_OP_NOP);
    if let [.., operation, size] = bytes {
        *operation = DW_OP_PIECE;
        *size = PIECE_BYTES;
    }
}

#[cfg(test)]
mod tests {
    use gimli::{Encoding, Format};

    use super::{FrameBase, frame_base, leb128, location};

    const ENCODING: Encoding = Encoding {
        format: Format::Dwarf32,
        version: 5,
        address_size: 4,
    };

    fn rewritten(bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        location(&mut bytes, ENCODING);
        bytes
    }

    #[test]
    fn locals_become_places_in_the_record() {
        // A value in a local is the local's place.
        assert_eq!(rewritten(&[0xed, 0, 3, 0x9f]), [0x78, 0xd8, 0xff, 0x7f]);
        // An address in a local is read.
        let address = [0xed, 0, 17, 0x23, 8];
        assert_eq!(rewritten(&address), [0x79, 0x48, 0x06, 0x23, 8]);
        // The 200th local lies behind the windows.
        let far = [0xed, 0, 0xc8, 0x01, 0x9f];
        assert_eq!(rewritten(&far), [0x76, 0xc8, 0x8d, 0x80, 0x00]);
    }

    #[test]
    fn pieces_are_places_of_their_own() {
        let pieces = [0xed, 0, 0, 0x9f, 0x93, 4, 0xed, 0, 1, 0x9f, 0x93, 4];
        let expected = [
            0x78, 0xc0, 0xff, 0x7f, 0x93, 4, 0x78, 0xc8, 0xff, 0x7f, 0x93, 4,
        ];
        assert_eq!(rewritten(&pieces), expected);
    }

    #[test]
    fn what_finds_no_room_is_optimized_out() {
        // The 20th operand, and the value at a function's entry.
        assert_eq!(rewritten(&[0xed, 2, 20, 0x9f]), [0x96, 0x96, 0x93, 0x7f]);
        let entry = [0xa3, 3, 0xed, 0, 0, 0x9f];
        assert_eq!(rewritten(&entry), [0x96, 0x96, 0x96, 0x96, 0x93, 0x7f]);
        assert_eq!(rewritten(&[0xff]), [0x96]);
        assert_eq!(rewritten(&[]), [0_u8; 0]);
    }

    #[test]
    fn addresses_stay_unless_something_is_added() {
        let plain = [0x03, 1, 2, 3, 4];
        assert_eq!(rewritten(&plain), plain);
        assert_eq!(
            rewritten(&[0x03, 1, 2, 3, 4, 0x23, 8]),
            [0x0c, 1, 2, 3, 4, 0x23, 8]
        );
    }

    #[test]
    fn a_frame_base_is_the_records_first_word() {
        let mut local = [0xed, 0, 2, 0x9f];
        assert_eq!(frame_base(&mut local, ENCODING), Some(FrameBase::Local(2)));
        assert_eq!(local, [0x76, 0x80, 0x00, 0x06]);
        let mut global = [0xed, 3, 0, 0, 0, 0, 0x9f];
        assert_eq!(
            frame_base(&mut global, ENCODING),
            Some(FrameBase::Global(0))
        );
        assert_eq!(global[0], 0x76);
        let mut other = [0x9c];
        assert_eq!(frame_base(&mut other, ENCODING), None);
        assert_eq!(other, [0x9c]);
    }

    #[test]
    fn numbers_are_padded_to_a_size() {
        assert_eq!(leb128(-40, 1, true), Some(vec![0x58]));
        assert_eq!(leb128(-40, 3, true), Some(vec![0xd8, 0xff, 0x7f]));
        assert_eq!(leb128(64, 1, true), None);
        assert_eq!(leb128(127, 1, false), Some(vec![0x7f]));
        assert_eq!(leb128(0, 0, true), None);
    }
}

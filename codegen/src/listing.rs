//! Code as people read it, with the wasm instructions that it comes from.

use std::ops::Range;

use cranelift_codegen::CompiledCode;
use cranelift_codegen::ir::Function;
use cranelift_codegen::isa::TargetIsa;

use crate::compiler::Error;

/// A line of a listing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// Bytes from the code's start; 0 in a listing that is not of machine code.
    pub offset: u32,
    /// The module offset of the wasm instruction that it belongs to; `None` for what belongs to the function as a whole.
    pub pc: Option<u32>,
    /// The instruction.
    pub text: String,
}

/// The lines of a function in intermediate code.
pub(crate) fn intermediate_lines(function: &Function) -> Vec<Line> {
    let text = function.display().to_string();
    let mut lines: Vec<Line> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let (pc, text) = split_place(line);
            Line {
                offset: 0,
                pc,
                text,
            }
        })
        .collect();
    // The head of a block goes with what stands first in it.
    for position in (0..lines.len().saturating_sub(1)).rev() {
        if lines[position].text.starts_with("block") {
            lines[position].pc = lines[position + 1].pc;
        }
    }
    lines
}

/// Takes the place off a line, and the room for places that all lines leave: instructions begin with `@` and the module offset in
/// hexadecimal.
fn split_place(line: &str) -> (Option<u32>, String) {
    let text = line.trim();
    if !line.starts_with([' ', '@']) || text.starts_with("block") {
        return (None, text.to_owned());
    }
    let marked = text.strip_prefix('@').and_then(|rest| rest.split_once(' '));
    let place = marked.and_then(|(hex, rest)| Some((u32::from_str_radix(hex, 16).ok()?, rest)));
    match place {
        Some((pc, rest)) => (Some(pc), format!("    {}", rest.trim_start())),
        None => (None, format!("    {text}")),
    }
}

/// The lines of machine code, whose bytes are `code`.
pub(crate) fn machine_lines(
    isa: &dyn TargetIsa,
    compiled: &CompiledCode,
    code: &[u8],
) -> Result<Vec<Line>, Error> {
    let disassembler = isa
        .to_capstone()
        .map_err(|error| Error::Target(error.to_string()))?;
    let places = compiled.buffer.get_srclocs_sorted();
    let place_of = |offset: u32| {
        let after = places.partition_point(|place| place.start <= offset);
        let place = places.get(after.checked_sub(1)?)?;
        let is_known = offset < place.end && !place.loc.is_default();
        is_known.then(|| place.loc.bits())
    };
    let mut traps: Vec<u32> = compiled.buffer.traps().iter().map(|it| it.offset).collect();
    traps.sort_unstable();
    let mut lines = Vec::new();
    for (start, end) in blocks(compiled, code.len() as u32) {
        // Behind what ends a block there can be traps, constants and the offsets of a jump table.
        let mut is_ended = false;
        let mut offset = start;
        while offset < end {
            let trap = traps.get(traps.partition_point(|&trap| trap < offset));
            let is_code = !is_ended || trap == Some(&offset);
            let bytes = &code[offset as usize..end as usize];
            let found = is_code.then(|| disassembler.disasm_count(bytes, u64::from(offset), 1));
            let found = found.and_then(Result::ok);
            let (length, text) = match found.as_ref().and_then(|found| found.first()) {
                Some(instruction) => {
                    let mnemonic = instruction.mnemonic().unwrap_or_default();
                    let operands = instruction.op_str().unwrap_or_default();
                    is_ended |= ends_block(mnemonic, operands, offset..end);
                    let text = format!("{mnemonic} {operands}");
                    (instruction.len() as u32, text.trim_end().to_owned())
                }
                None => {
                    let next = trap.map_or(end, |&trap| trap.clamp(offset + 1, end));
                    data(&bytes[..(next - offset) as usize])
                }
            };
            lines.push(Line {
                offset,
                pc: place_of(offset),
                text,
            });
            offset += length;
        }
    }
    Ok(lines)
}

/// Where the blocks of machine code begin and end.
fn blocks(compiled: &CompiledCode, len: u32) -> Vec<(u32, u32)> {
    let mut starts = compiled.bb_starts.clone();
    starts.push(0);
    starts.sort_unstable();
    starts.dedup();
    let ends = starts.iter().copied().skip(1).chain([len]);
    starts.iter().copied().zip(ends).collect()
}

/// Whether control never reaches the instruction behind this one. `block` is what is left of its block: within an operation that
/// takes several instructions there are jumps ahead.
fn ends_block(mnemonic: &str, operands: &str, block: Range<u32>) -> bool {
    match mnemonic {
        "jmp" | "jmpq" | "b" => {
            let target = operands.trim_start_matches('#').trim_start_matches("0x");
            let target = u32::from_str_radix(target, 16);
            !target.is_ok_and(|target| target > block.start && block.contains(&target))
        }
        mnemonic => ["ret", "retq", "br", "ud2", "udf"].contains(&mnemonic),
    }
}

/// As many bytes as belong together, which are no code.
fn data(bytes: &[u8]) -> (u32, String) {
    match bytes.first_chunk::<4>() {
        Some(&word) => (4, format!(".long 0x{:08x}", u32::from_le_bytes(word))),
        None => (1, format!(".byte 0x{:02x}", bytes[0])),
    }
}

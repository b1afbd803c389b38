//! What limits the work that a random module does in a call.

use anyhow::Context;

/// The name of the global that holds what is left of it.
pub(crate) const EXPORT: &str = "the fuel of the fuzzer";

const EXPORT_SECTION: u8 = 7;
const EXPORT_KIND_GLOBAL: u8 = 3;

/// The module with one more export: the generator makes a global of its own, but does not export it. A module
/// that exports nothing has no calls, and stays as it is.
pub(crate) fn export(wasm: &[u8], global: u32) -> anyhow::Result<Vec<u8>> {
    const HEADER_BYTES: usize = 8;
    let mut position = HEADER_BYTES;
    while position < wasm.len() {
        let (size, contents) = leb(wasm, position + 1)?;
        let end = contents + size as usize;
        if wasm[position] == EXPORT_SECTION {
            let (count, entries) = leb(wasm, contents)?;
            let mut section = Vec::new();
            push_leb(&mut section, count + 1);
            section.extend_from_slice(&wasm[entries..end]);
            push_leb(&mut section, EXPORT.len() as u32);
            section.extend_from_slice(EXPORT.as_bytes());
            section.push(EXPORT_KIND_GLOBAL);
            push_leb(&mut section, global);
            let mut module = wasm[..=position].to_vec();
            push_leb(&mut module, section.len() as u32);
            module.extend_from_slice(&section);
            module.extend_from_slice(&wasm[end..]);
            return Ok(module);
        }
        position = end;
    }
    Ok(wasm.to_vec())
}

/// An unsigned number in LEB128, and the position after it.
fn leb(bytes: &[u8], mut position: usize) -> anyhow::Result<(u32, usize)> {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = *bytes.get(position).context("the module ends in a number")?;
        position += 1;
        value |= u32::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return Ok((value, position));
        }
    }
}

fn push_leb(bytes: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

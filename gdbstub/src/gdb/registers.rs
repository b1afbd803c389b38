//! The registers that gdb is shown: those of an x86-64, of which the innermost frame fills a few, and wdb's own.
//!
//! ```text
//! rip         where the program stands        rax, xmm0   the topmost operand, where gdb looks for results
//! rbp         the innermost record            r8 ... r15  into that record
//! rsp         the innermost entry, by which callers are found
//! tick, depth, memory_size                    the clock, the number of frames, the bytes of memory 0
//! ```

use std::fmt::Write as _;

use wdb_debugger::remote::GuestState;

use super::Disguise;
use super::layout;
use super::returns::ResultRegisters;

/// gdb's numbers, which are the order in the description.
const RAX: u16 = 0;
const RDX: u16 = 3;
pub(super) const RBP: u16 = 6;
pub(super) const RSP: u16 = 7;
pub(super) const RIP: u16 = 16;

/// Names, sizes in bits and types, in the order in which gdb numbers them.
const CORE: [(&str, u32, &str); 40] = [
    ("rax", 64, "int64"),
    ("rbx", 64, "int64"),
    ("rcx", 64, "int64"),
    ("rdx", 64, "int64"),
    ("rsi", 64, "int64"),
    ("rdi", 64, "int64"),
    ("rbp", 64, "data_ptr"),
    ("rsp", 64, "data_ptr"),
    ("r8", 64, "int64"),
    ("r9", 64, "int64"),
    ("r10", 64, "int64"),
    ("r11", 64, "int64"),
    ("r12", 64, "int64"),
    ("r13", 64, "int64"),
    ("r14", 64, "int64"),
    ("r15", 64, "int64"),
    ("rip", 64, "code_ptr"),
    ("eflags", 32, "int32"),
    ("cs", 32, "int32"),
    ("ss", 32, "int32"),
    ("ds", 32, "int32"),
    ("es", 32, "int32"),
    ("fs", 32, "int32"),
    ("gs", 32, "int32"),
    ("st0", 80, "i387_ext"),
    ("st1", 80, "i387_ext"),
    ("st2", 80, "i387_ext"),
    ("st3", 80, "i387_ext"),
    ("st4", 80, "i387_ext"),
    ("st5", 80, "i387_ext"),
    ("st6", 80, "i387_ext"),
    ("st7", 80, "i387_ext"),
    ("fctrl", 32, "int"),
    ("fstat", 32, "int"),
    ("ftag", 32, "int"),
    ("fiseg", 32, "int"),
    ("fioff", 32, "int"),
    ("foseg", 32, "int"),
    ("fooff", 32, "int"),
    ("fop", 32, "int"),
];
const VECTOR_COUNT: usize = 16;
const OWN: [(&str, u32, &str); 3] = [
    ("tick", 64, "uint64"),
    ("depth", 64, "uint64"),
    ("memory_size", 64, "uint64"),
];

/// The registers as a target description ("Target Descriptions" in gdb's manual).
pub(super) fn description() -> String {
    let mut xml = String::from(
        "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target version=\"1.0\">\
         <architecture>i386:x86-64</architecture><osabi>none</osabi>\
         <feature name=\"org.gnu.gdb.i386.core\">",
    );
    describe(&mut xml, &CORE);
    xml.push_str(
        "</feature><feature name=\"org.gnu.gdb.i386.sse\">\
         <vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>\
         <vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>\
         <vector id=\"v16i8\" type=\"int8\" count=\"16\"/>\
         <vector id=\"v8i16\" type=\"int16\" count=\"8\"/>\
         <vector id=\"v4i32\" type=\"int32\" count=\"4\"/>\
         <vector id=\"v2i64\" type=\"int64\" count=\"2\"/>\
         <union id=\"vec128\">\
         <field name=\"v4_float\" type=\"v4f\"/><field name=\"v2_double\" type=\"v2d\"/>\
         <field name=\"v16_int8\" type=\"v16i8\"/><field name=\"v8_int16\" type=\"v8i16\"/>\
         <field name=\"v4_int32\" type=\"v4i32\"/><field name=\"v2_int64\" type=\"v2i64\"/>\
         <field name=\"uint128\" type=\"uint128\"/></union>",
    );
    for number in 0..VECTOR_COUNT {
        // Nothing can fail that writes to a string.
        let _ = write!(
            xml,
            "<reg name=\"xmm{number}\" bitsize=\"128\" type=\"vec128\"/>"
        );
    }
    xml.push_str("<reg name=\"mxcsr\" bitsize=\"32\" type=\"int\"/></feature>");
    xml.push_str("<feature name=\"org.wdb.machine\">");
    describe(&mut xml, &OWN);
    xml.push_str("</feature></target>");
    xml
}

fn describe(xml: &mut String, registers: &[(&str, u32, &str)]) {
    for (name, bits, kind) in registers {
        let _ = write!(
            xml,
            "<reg name=\"{name}\" bitsize=\"{bits}\" type=\"{kind}\"/>"
        );
    }
}

/// The registers' bytes in the order of their numbers.
pub(super) fn all(disguise: &Disguise, state: GuestState<'_>) -> Vec<u8> {
    let pointers = pointers(disguise, state);
    let results = disguise.returned(state).unwrap_or_else(|| {
        let top = state.top_operand();
        let bits = top.map_or(0, |slot| slot.low_bits());
        ResultRegisters {
            rax: bits,
            rdx: 0,
            xmm: [bits, 0],
        }
    });
    let mut bytes = Vec::new();
    for (number, (_, bits, _)) in (0_u16..).zip(&CORE) {
        let value = match number {
            RAX => results.rax,
            RDX => results.rdx,
            RIP => pointers.rip,
            RSP => pointers.rsp,
            _ => pointer(number, pointers.rbp).unwrap_or(0),
        };
        let start = bytes.len();
        bytes.extend(value.to_le_bytes());
        bytes.resize(start + *bits as usize / 8, 0);
    }
    let vectors = bytes.len();
    for half in results.xmm {
        bytes.extend(half.to_le_bytes());
        bytes.extend([0; 8]);
    }
    bytes.resize(vectors + 16 * VECTOR_COUNT + 4, 0);
    let memory_bytes = state.memory(0).map_or(0, |memory| memory.len() as u64);
    for value in [state.tick(), state.frame_count() as u64, memory_bytes] {
        bytes.extend(value.to_le_bytes());
    }
    bytes
}

/// The registers that say where the innermost frame is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pointers {
    pub(super) rip: u64,
    pub(super) rsp: u64,
    pub(super) rbp: u64,
}

pub(super) fn pointers(disguise: &Disguise, state: GuestState<'_>) -> Pointers {
    let records = disguise.records(state);
    let innermost = records.first();
    Pointers {
        rip: state.frame(0).map_or(0, |frame| disguise.layout.pc(frame)),
        rsp: layout::stack_pointer(&records),
        rbp: innermost.map_or(layout::RECORDS.end, |record| record.start),
    }
}

/// A register that points into the record at `rbp`.
pub(super) fn pointer(number: u16, rbp: u64) -> Option<u64> {
    if number == RBP {
        return Some(rbp);
    }
    let window = u8::try_from(number).ok()?;
    let window = window.checked_sub(layout::WINDOW_REGISTER_FIRST)?;
    (window < layout::WINDOW_COUNT).then(|| rbp + layout::window_offset(window))
}

#[cfg(test)]
mod tests {
    use super::{CORE, RBP, RIP, RSP, description, pointer};

    #[test]
    fn the_numbers_are_those_of_the_description() {
        assert_eq!(CORE[usize::from(RBP)].0, "rbp");
        assert_eq!(CORE[usize::from(RSP)].0, "rsp");
        assert_eq!(pointer(RBP, 1000), Some(1000));
        assert_eq!(CORE[usize::from(RIP)].0, "rip");
        assert_eq!(pointer(8, 1000), Some(1000 + 136 + 64));
        assert_eq!(pointer(15, 0), Some(136 + 7 * 128 + 64));
        assert_eq!(pointer(16, 0), None);
        assert_eq!(description().matches("<reg ").count(), 40 + 17 + 3);
    }
}

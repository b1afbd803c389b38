//! The program as an executable file of x86-64 that gdb downloads: symbols and debug info, without code or data.
//!
//! ```text
//! .entry  NOBITS, a byte of the code section     segment 1, moved by `qOffsets`
//! .data   NOBITS, address 0: linear memory       segment 2
//! .text   NOBITS, address 0: the code section    segment 1
//! ```
//!
//! Linear memory and code both begin at 0 because DWARF counts both from there. gdb moves one segment without the other only
//! if there are two. It takes what has an address for part of the first section with that address, so that `.data` precedes
//! `.text`, and the beginning of the outermost function, behind which gdb looks for no callers, has a section before both.

use wdb_debugger::Program;
use wdb_debugger::remote::FunctionCode;

use super::debug_info::DebugInfo;
use super::layout::{self, RECORDS};

const HEADER_BYTES: u64 = 64;
const PROGRAM_HEADER_BYTES: u64 = 56;
const SYMBOL_BYTES: u64 = 24;

const SHT_PROGBITS: u32 = 1;
const SHT_SYMTAB: u32 = 2;
const SHT_STRTAB: u32 = 3;
const SHT_NOBITS: u32 = 8;
const SHF_WRITE: u64 = 1;
const SHF_ALLOC: u64 = 2;
const SHF_EXECINSTR: u64 = 4;

/// The numbers of the sections that others refer to; 0 is none.
const ENTRY_SECTION: u16 = 1;
const TEXT_SECTION: u16 = 3;
const STRTAB_SECTION: u32 = 5;

/// A section. Its contents follow those of the one before it.
struct Section {
    name: &'static str,
    kind: u32,
    flags: u64,
    address: u64,
    /// `None` for one without contents.
    contents: Option<Vec<u8>>,
    /// Of one without contents.
    size: u64,
    link: u32,
    info: u32,
    entry_bytes: u64,
}

impl Section {
    fn nobits(name: &'static str, flags: u64, size: u64) -> Section {
        Section {
            kind: SHT_NOBITS,
            flags,
            contents: None,
            size,
            ..Section::plain(name, Vec::new())
        }
    }

    fn plain(name: &'static str, contents: Vec<u8>) -> Section {
        Section {
            name,
            kind: SHT_PROGBITS,
            flags: 0,
            address: 0,
            contents: Some(contents),
            size: 0,
            link: 0,
            info: 0,
            entry_bytes: 0,
        }
    }

    fn size(&self) -> u64 {
        self.contents
            .as_ref()
            .map_or(self.size, |it| it.len() as u64)
    }
}

/// Makes the file. `outermost` is the function that nothing in the program has called.
pub(super) fn file(program: &Program, info: DebugInfo, outermost: Option<u32>) -> Vec<u8> {
    let entry = outermost.and_then(|func_index| program.function_code(func_index));
    let entry = entry.map_or(0, |function| address(program, &function));
    let code = program.code_section();
    let text_bytes = u64::from(code.end.saturating_sub(program.dwarf_base()));
    let (symbols, names) = symbols(program, outermost);
    let mut sections = vec![
        Section {
            address: entry,
            ..Section::nobits(".entry", SHF_ALLOC | SHF_EXECINSTR, 1)
        },
        Section::nobits(".data", SHF_ALLOC | SHF_WRITE, RECORDS.start),
        Section::nobits(".text", SHF_ALLOC | SHF_EXECINSTR, text_bytes),
        Section {
            kind: SHT_SYMTAB,
            link: STRTAB_SECTION,
            // The first symbol that is not local: all but the null symbol are global.
            info: 1,
            entry_bytes: SYMBOL_BYTES,
            ..Section::plain(".symtab", symbols)
        },
        Section {
            kind: SHT_STRTAB,
            ..Section::plain(".strtab", names)
        },
        Section::plain(".debug_frame", frames(program)),
    ];
    let debug = info.sections.into_iter();
    sections.extend(debug.map(|(name, contents)| Section::plain(name, contents)));
    assemble(sections, text_bytes, entry)
}

/// Where a function begins.
fn address(program: &Program, function: &FunctionCode) -> u64 {
    u64::from(function.body.start.saturating_sub(program.dwarf_base()))
}

/// A function for each of the program's, by the names that the name section gives. The outermost has one in each of the
/// sections that it begins in, since gdb matches symbols and addresses by their sections.
fn symbols(program: &Program, outermost: Option<u32>) -> (Vec<u8>, Vec<u8>) {
    const GLOBAL_FUNCTION: u8 = 1 << 4 | 2;
    let mut symbols = vec![0; SYMBOL_BYTES as usize];
    let mut names = vec![0];
    for function in program.functions() {
        let is_outermost = outermost == Some(function.func_index);
        let in_entry = is_outermost.then_some(ENTRY_SECTION);
        for section in in_entry.into_iter().chain([TEXT_SECTION]) {
            put32(&mut symbols, names.len() as u32);
            symbols.extend([GLOBAL_FUNCTION, 0]);
            symbols.extend(section.to_le_bytes());
            put64(&mut symbols, address(program, &function));
            put64(
                &mut symbols,
                u64::from(function.body.end - function.body.start),
            );
        }
        // A zero would end the name early.
        names.extend(function.name.bytes().filter(|byte| *byte != 0));
        names.push(0);
    }
    (symbols, names)
}

/// How to find each function's caller, which is the same for all: by the entry at `rsp`.
fn frames(program: &Program) -> Vec<u8> {
    const RBP: u8 = 6;
    const RSP: u8 = 7;
    const RETURN_COLUMN: u8 = 16;
    const DATA_ALIGN_MINUS_8: u8 = 0x78;
    const DW_CFA_DEF_CFA: u8 = 0x0c;
    const DW_CFA_OFFSET: u8 = 0x80;
    const DW_CFA_VAL_EXPRESSION: u8 = 0x16;
    const DW_OP_DEREF: u8 = 0x06;
    const DW_OP_MINUS: u8 = 0x1c;
    const DW_OP_PLUS_UCONST: u8 = 0x23;
    const DW_OP_LIT8: u8 = 0x38;
    let mut common = vec![
        0xff,
        0xff,
        0xff,
        0xff,
        1,
        0,
        1,
        DATA_ALIGN_MINUS_8,
        RETURN_COLUMN,
    ];
    common.extend([DW_CFA_DEF_CFA, RSP, layout::ENTRY_BYTES as u8]);
    common.extend([DW_CFA_OFFSET | RETURN_COLUMN, 2, DW_CFA_OFFSET | RBP, 1]);
    for window in 0..layout::WINDOW_COUNT {
        // In the caller they point as far from its rbp, which is saved below this frame's CFA.
        let mut place = vec![DW_OP_LIT8, DW_OP_MINUS, DW_OP_DEREF, DW_OP_PLUS_UCONST];
        put_uleb128(&mut place, layout::window_offset(window));
        common.extend([
            DW_CFA_VAL_EXPRESSION,
            layout::WINDOW_REGISTER_FIRST + window,
        ]);
        common.push(place.len() as u8);
        common.extend(place);
    }
    let mut section = Vec::new();
    put_entry(&mut section, common);
    for function in program.functions() {
        let mut entry = Vec::new();
        put32(&mut entry, 0);
        put64(&mut entry, address(program, &function));
        put64(
            &mut entry,
            u64::from(function.body.end - function.body.start),
        );
        put_entry(&mut section, entry);
    }
    section
}

/// An entry of `.debug_frame`: its length, then itself, padded with `DW_CFA_nop` to a multiple of eight.
fn put_entry(section: &mut Vec<u8>, mut entry: Vec<u8>) {
    let size = (entry.len() + 4).next_multiple_of(8) - 4;
    entry.resize(size, 0);
    put32(section, size as u32);
    section.extend(entry);
}

fn assemble(mut sections: Vec<Section>, text_bytes: u64, entry: u64) -> Vec<u8> {
    let mut section_names = vec![0];
    let mut name_offsets = Vec::new();
    sections.push(Section {
        kind: SHT_STRTAB,
        ..Section::plain(".shstrtab", Vec::new())
    });
    for section in &sections {
        name_offsets.push(section_names.len() as u32);
        section_names.extend_from_slice(section.name.as_bytes());
        section_names.push(0);
    }
    if let Some(last) = sections.last_mut() {
        last.contents = Some(section_names);
    }
    let contents_start = HEADER_BYTES + 2 * PROGRAM_HEADER_BYTES;
    let mut contents = Vec::new();
    let mut headers = vec![0; 64];
    for (section, name) in sections.iter().zip(name_offsets) {
        let offset = contents_start + contents.len() as u64;
        put32(&mut headers, name);
        put32(&mut headers, section.kind);
        put64(&mut headers, section.flags);
        put64(&mut headers, section.address);
        put64(&mut headers, offset);
        put64(&mut headers, section.size());
        put32(&mut headers, section.link);
        put32(&mut headers, section.info);
        put64(&mut headers, 1);
        put64(&mut headers, section.entry_bytes);
        contents.extend_from_slice(section.contents.as_deref().unwrap_or_default());
        contents.resize(contents.len().next_multiple_of(8), 0);
    }
    let headers_start = contents_start + contents.len() as u64;
    let mut file = file_header(entry, headers_start, sections.len() as u16 + 1);
    put_program_header(&mut file, 5, contents_start, text_bytes);
    put_program_header(&mut file, 6, contents_start, RECORDS.start);
    file.extend(contents);
    file.extend(headers);
    file
}

fn file_header(entry: u64, section_headers_at: u64, section_count: u16) -> Vec<u8> {
    const EXECUTABLE: u16 = 2;
    const X86_64: u16 = 62;
    let mut header = b"\x7fELF\x02\x01\x01".to_vec();
    header.resize(16, 0);
    header.extend(EXECUTABLE.to_le_bytes());
    header.extend(X86_64.to_le_bytes());
    put32(&mut header, 1);
    put64(&mut header, entry);
    put64(&mut header, HEADER_BYTES);
    put64(&mut header, section_headers_at);
    put32(&mut header, 0);
    for number in [HEADER_BYTES as u16, PROGRAM_HEADER_BYTES as u16, 2, 64] {
        header.extend(number.to_le_bytes());
    }
    header.extend(section_count.to_le_bytes());
    header.extend((section_count - 1).to_le_bytes());
    header
}

/// A segment at address 0 without contents in the file.
fn put_program_header(file: &mut Vec<u8>, flags: u32, offset: u64, memory_bytes: u64) {
    const LOAD: u32 = 1;
    put32(file, LOAD);
    put32(file, flags);
    for number in [offset, 0, 0, 0, memory_bytes, 1] {
        put64(file, number);
    }
}

fn put32(bytes: &mut Vec<u8>, number: u32) {
    bytes.extend(number.to_le_bytes());
}

fn put64(bytes: &mut Vec<u8>, number: u64) {
    bytes.extend(number.to_le_bytes());
}

fn put_uleb128(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

//! What the tests share: fixtures opened as the debugger would open them, and a program that
//! stands still.

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use wasmparser::{DataKind, Operator, Parser, Payload};
use wdb_dwarf::{
    CodeOffset, DebugInfo, Error, FormatOptions, Inspector, RawSlot, Result, Sections, Target,
    Value, Variable,
};

/// A module with debug info and the memory it starts with.
pub(crate) struct Program {
    pub(crate) info: DebugInfo,
    pub(crate) target: FakeTarget,
}

/// A frame of a program that stands still.
#[derive(Default, Clone)]
pub(crate) struct FakeTarget {
    pub(crate) memory: Vec<u8>,
    pub(crate) locals: HashMap<u32, RawSlot>,
    pub(crate) globals: HashMap<u32, RawSlot>,
    pub(crate) operands: HashMap<u32, RawSlot>,
}

impl Target for FakeTarget {
    fn local(&self, index: u32) -> Option<RawSlot> {
        self.locals.get(&index).copied()
    }

    fn global(&self, index: u32) -> Option<RawSlot> {
        self.globals.get(&index).copied()
    }

    fn operand(&self, index: u32) -> Option<RawSlot> {
        self.operands.get(&index).copied()
    }

    fn read_memory(&self, address: u64, buffer: &mut [u8]) -> Result<()> {
        let start = usize::try_from(address).unwrap_or(usize::MAX);
        let bytes = start
            .checked_add(buffer.len())
            .and_then(|end| self.memory.get(start..end));
        buffer.copy_from_slice(bytes.ok_or(Error::Memory { address })?);
        Ok(())
    }

    fn function_pointer_name(&self, pointer: u64) -> Option<String> {
        (pointer == 1).then(|| "first".to_owned())
    }
}

/// The custom sections of a module, as ranges of its bytes.
pub(crate) fn sections(module: &Arc<[u8]>) -> Sections {
    let mut sections = Sections::new(module.clone());
    for payload in Parser::new(0).parse_all(module) {
        if let Ok(Payload::CustomSection(section)) = payload {
            let end = usize::try_from(section.range().end).unwrap();
            sections.insert(section.name(), end - section.data().len()..end);
        }
    }
    sections
}

/// The memory that a module's data segments fill.
fn memory(module: &[u8]) -> Vec<u8> {
    let mut memory = vec![0; 1 << 17];
    for payload in Parser::new(0).parse_all(module) {
        let Ok(Payload::DataSection(segments)) = payload else {
            continue;
        };
        for segment in segments {
            let segment = segment.unwrap();
            if let DataKind::Active { offset_expr, .. } = segment.kind
                && let Ok(Operator::I32Const { value }) = offset_expr.get_operators_reader().read()
            {
                let start = value as usize;
                memory.resize(memory.len().max(start + segment.data.len()), 0);
                memory[start..start + segment.data.len()].copy_from_slice(segment.data);
            }
        }
    }
    memory
}

/// Says something that the test runner shows although the test passes.
pub(crate) fn announce(text: &str) {
    writeln!(std::io::stderr(), "{text}").expect("standard error takes text");
}

pub(crate) fn fixture_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

pub(crate) fn read_module(path: &std::path::Path) -> Arc<[u8]> {
    std::fs::read(path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .into()
}

impl Program {
    pub(crate) fn open(name: &str) -> Program {
        Program::from_module(&read_module(&fixture_path(name)))
    }

    pub(crate) fn from_module(module: &Arc<[u8]>) -> Program {
        let target = FakeTarget {
            memory: memory(module),
            ..FakeTarget::default()
        };
        Program {
            info: DebugInfo::new(sections(module)),
            target,
        }
    }

    pub(crate) fn inspect(&self) -> Inspector<'_> {
        self.info.inspect(&self.target)
    }

    /// A global variable's value.
    pub(crate) fn global(&self, name: &str) -> Value {
        let variables = self.info.global_variables(name, None);
        let variable = variables
            .first()
            .unwrap_or_else(|| panic!("no variable {name}"));
        self.inspect().variable(variable, CodeOffset(0))
    }

    /// A value as text.
    pub(crate) fn show(&self, value: &Value) -> String {
        self.inspect().format(value, &FormatOptions::default())
    }

    /// The address of a breakpoint on a line.
    pub(crate) fn line(&self, file: &str, line: u32) -> CodeOffset {
        let found = self.info.breakpoints_for_line(file, line);
        found
            .first()
            .unwrap_or_else(|| panic!("no code at {file}:{line}"))
            .addresses[0]
    }

    /// A variable in scope.
    pub(crate) fn variable(&self, at: CodeOffset, frame: usize, name: &str) -> Variable {
        let variables = self.info.variables(at, frame);
        let named = variables
            .into_iter()
            .filter(|variable| &*variable.name == name && !variable.is_shadowed);
        named
            .last()
            .unwrap_or_else(|| panic!("no variable {name} at {at}"))
    }
}

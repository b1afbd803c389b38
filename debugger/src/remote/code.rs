//! The program's code as remote clients see it: bytes, and where functions lie in them.

use std::ops::Range;
use std::sync::Arc;

use wdb_vm::address::{FuncIndex, ModuleOffset};
use wdb_vm::shape::Slot;
use wdb_vm::value::cells_count;

use crate::program::Program;

/// Where a function lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionCode {
    /// Its index in the module.
    pub func_index: u32,
    /// Its name: from the name section, an export, or `func[12]`.
    pub name: String,
    /// The module offsets of its body: local declarations, then instructions.
    pub body: Range<u32>,
    /// The module offset of its first instruction.
    pub first_pc: u32,
    /// How many parameters and locals it has.
    pub local_count: u32,
    /// How many results it has.
    pub result_count: usize,
}

/// Where a local or operand lies in frames of its function: finding it takes time, and using it none.
#[derive(Debug, Clone, Copy)]
pub struct FrameSlot(pub(super) Slot);

impl Program {
    /// Where a parameter or local of a function lies.
    #[must_use]
    pub fn local_slot(&self, func_index: u32, index: u32) -> Option<FrameSlot> {
        let func = FuncIndex(func_index);
        self.module().func_body(func)?;
        let types = self.module().local_types(func);
        let index = index as usize;
        Some(FrameSlot(Slot {
            ty: Some(*types.get(index)?),
            cell: cells_count(&types[..index]),
        }))
    }

    /// The module's binary, unchanged.
    #[must_use]
    pub fn bytes(&self) -> &Arc<[u8]> {
        self.module().bytes()
    }

    /// The module offsets of the code section's contents.
    #[must_use]
    pub fn code_section(&self) -> Range<u32> {
        self.module().code_section()
    }

    /// What code addresses in DWARF count from, as a module offset.
    #[must_use]
    pub fn dwarf_base(&self) -> u32 {
        self.module().dwarf_base().0
    }

    /// The custom sections: names, and the module offsets of their contents.
    pub fn custom_sections(&self) -> impl Iterator<Item = (&str, Range<u32>)> {
        let sections = self.module().custom_sections().iter();
        sections.map(|section| (&*section.name, section.range.clone()))
    }

    /// The functions that have code, in the order of the file.
    pub fn functions(&self) -> impl Iterator<Item = FunctionCode> {
        let module = self.module();
        let indices = module.imported_func_count()..module.func_count();
        indices.filter_map(|index| self.function_code(index))
    }

    /// Where a function lies; `None` for one without code.
    #[must_use]
    pub fn function_code(&self, func_index: u32) -> Option<FunctionCode> {
        let func = FuncIndex(func_index);
        let body = self.module().func_body(func)?;
        Some(FunctionCode {
            func_index,
            name: self.module().func_display_name(func),
            body: body.range.clone(),
            first_pc: body.code.start,
            local_count: u32::try_from(self.module().local_types(func).len()).unwrap_or(u32::MAX),
            result_count: self.module().func_type(func).results().len(),
        })
    }

    /// The first instruction at or after an offset within a function; where a client asks for a breakpoint inside an
    /// instruction or in the declarations of locals, a program can only stop there.
    #[must_use]
    pub fn instruction_from(&self, pc: u32) -> Option<u32> {
        let pc = ModuleOffset(pc);
        let func = self.module().func_at(pc)?;
        let mut instructions = self.module().instructions(func);
        let found = instructions.find(|instruction| instruction.pc >= pc)?;
        Some(found.pc.0)
    }
}

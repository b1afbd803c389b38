//! The one address space that clients see, made of two: linear memories and module bytes.

use wdb_debugger::remote::ModuleId;

/// An address as clients send it: bits 63:62 are the kind, 61:32 say which memory or module, 31:0 the offset in it. lldb's wasm
/// process plug-in prescribes it, and gdb is shown the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct WireAddress(pub(crate) u64);

/// What a wire address names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// A byte of a linear memory.
    Memory {
        /// The memory's index.
        index: u32,
        /// The address in it.
        offset: u32,
    },
    /// A byte of a module.
    Code {
        /// Which one; there need not be such a module.
        module: ModuleId,
        /// The module offset.
        pc: u32,
    },
    /// Nothing.
    Nowhere,
}

/// Marks addresses in modules.
pub(crate) const CODE_KIND: u64 = 1 << 62;

impl WireAddress {
    /// The address of an instruction.
    pub(crate) fn code(module: ModuleId, pc: u32) -> WireAddress {
        WireAddress(CODE_KIND | u64::from(module.0) << 32 | u64::from(pc))
    }

    /// What it names.
    pub(crate) fn place(self) -> Place {
        let offset = self.0 as u32;
        let index = (self.0 >> 32) as u32 & 0x3fff_ffff;
        match (self.0 >> 62, index) {
            (0, index) => Place::Memory { index, offset },
            (1, module) => Place::Code {
                module: ModuleId(module),
                pc: offset,
            },
            _ => Place::Nowhere,
        }
    }
}

#[cfg(test)]
mod tests {
    use wdb_debugger::remote::ModuleId;

    use super::{Place, WireAddress};

    #[test]
    fn addresses_say_what_they_name() {
        let memory = |index, offset| Place::Memory { index, offset };
        assert_eq!(WireAddress(0x1234).place(), memory(0, 0x1234));
        assert_eq!(WireAddress(0x1_0000_0004).place(), memory(1, 4));
        for module in [0, 1, (1 << 24) - 1].map(ModuleId) {
            let pc = 0x15c;
            let place = Place::Code { module, pc };
            assert_eq!(WireAddress::code(module, pc).place(), place);
        }
        let second = WireAddress::code(ModuleId(1), 0x15c);
        assert_eq!(second, WireAddress(0x4000_0001_0000_015c));
        assert_eq!(WireAddress(0x8000_0000_0000_0000).place(), Place::Nowhere);
        assert_eq!(WireAddress(u64::MAX).place(), Place::Nowhere);
    }
}

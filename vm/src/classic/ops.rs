//! One type for each instruction, and the tables of their handlers, made from the one table of instructions.

use super::atomics::PrefixFe;
use super::context::{Execute, Flow, Handler, Instruction, Leave, Regs, handler, leave, read_u32};
use super::vectors::PrefixFd;
use crate::isa::{Op, PREFIX_FB, PREFIX_FC, PREFIX_FD, PREFIX_FE, for_each_instruction};

/// Stands where an opcode is replaced.
pub(crate) struct Probe;

impl Execute for Probe {
    #[inline(always)]
    unsafe fn execute<const LONG: bool>(regs: Regs) -> Flow {
        // SAFETY: the handler passes its own registers.
        unsafe { leave(regs, Leave::Probe) }
    }
}

/// Stands for bytes that are no opcode, which validated code has not.
struct Invalid;

impl Execute for Invalid {
    unsafe fn execute<const LONG: bool>(_regs: Regs) -> Flow {
        unreachable!("validated code holds no such opcode")
    }
}

/// The instructions behind [`PREFIX_FB`]: goes on by the number after it.
struct PrefixFb;

/// The instructions behind [`PREFIX_FC`]: goes on by the number after it.
struct PrefixFc;

macro_rules! define_handlers {
    (
        SINGLE { $($code:literal $name:ident $mnemonic:literal $immediates:ident $category:ident $effect:literal $explanation:literal;)* }
        PREFIXED_FB { $($fb_code:literal $fb_name:ident $fb_mnemonic:literal $fb_immediates:ident $fb_category:ident $fb_effect:literal $fb_explanation:literal;)* }
        PREFIXED_FC { $($fc_code:literal $fc_name:ident $fc_mnemonic:literal $fc_immediates:ident $fc_category:ident $fc_effect:literal $fc_explanation:literal;)* }
        $($others:tt)*
    ) => {
        $(
            #[doc = $mnemonic]
            pub(crate) struct $name;

            impl Instruction for $name {
                const OP: Op = Op::$name;
            }
        )*
        $(
            #[doc = $fb_mnemonic]
            pub(crate) struct $fb_name;

            impl Instruction for $fb_name {
                const OP: Op = Op::$fb_name;
            }
        )*
        $(
            #[doc = $fc_mnemonic]
            pub(crate) struct $fc_name;

            impl Instruction for $fc_name {
                const OP: Op = Op::$fc_name;
            }
        )*

        /// The handler of every opcode byte of the binary format.
        const fn table<const STEP: bool>() -> [Handler; 256] {
            let mut table: [Handler; 256] = [handler::<Invalid, STEP>; 256];
            $(table[$code] = handler::<$name, STEP>;)*
            table[PREFIX_FB as usize] = handler::<PrefixFb, STEP>;
            table[PREFIX_FC as usize] = handler::<PrefixFc, STEP>;
            table[PREFIX_FD as usize] = handler::<PrefixFd, STEP>;
            table[PREFIX_FE as usize] = handler::<PrefixFe, STEP>;
            table
        }

        impl Execute for PrefixFb {
            #[inline(always)]
            unsafe fn execute<const LONG: bool>(regs: Regs) -> Flow {
                // SAFETY: validated code has one of these numbers after the prefix.
                unsafe {
                    match read_u32::<LONG>(regs.pc.add(1))?.0 {
                        $($fb_code => $fb_name::execute::<LONG>(regs),)*
                        _ => Invalid::execute::<LONG>(regs),
                    }
                }
            }
        }

        impl Execute for PrefixFc {
            #[inline(always)]
            unsafe fn execute<const LONG: bool>(regs: Regs) -> Flow {
                // SAFETY: validated code has one of these numbers after the prefix.
                unsafe {
                    match read_u32::<LONG>(regs.pc.add(1))?.0 {
                        $($fc_code => $fc_name::execute::<LONG>(regs),)*
                        _ => Invalid::execute::<LONG>(regs),
                    }
                }
            }
        }
    };
}
for_each_instruction!(define_handlers);

/// Handlers of the module's own bytes that go on to the next instruction, in quick code.
pub(crate) static PLAIN_TABLE: [Handler; 256] = table::<false>();

/// Handlers of the module's own bytes that leave after their instruction.
pub(crate) static STEP_TABLE: [Handler; 256] = table::<true>();

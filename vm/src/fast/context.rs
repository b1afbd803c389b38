//! What travels from handler to handler of register code, and how one ends in a jump to the next.

use crate::address::{InstanceAddr, TypeId};
use crate::classic::context::{Context, Leave};

/// A unit of register code.
pub(crate) type Word = u64;

/// Bytes of a [`Word`].
pub(super) const WORD_BYTES: usize = size_of::<Word>();

/// What a caller needs to know of a function's register code.
#[repr(C)]
pub(super) struct Header {
    /// The first instruction.
    pub(super) entry: *const Word,
    pub(super) type_id: TypeId,
    pub(super) instance: InstanceAddr,
    /// Cells of the parameters.
    pub(super) param_cells: u32,
    /// Cells of the declared locals, which start as zeros.
    pub(super) local_cells: u32,
    /// The most bytes that a frame's cells ever take.
    pub(super) frame_bytes_max: u32,
}

/// A call in progress: where its caller goes on.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct CallRecord {
    /// The instruction after the call. The word before it says which function that is in, and the canonical pc: see [`caller_word`].
    pub(super) ip: *const Word,
    pub(super) fp: *mut u64,
}

/// The last word of a call: the function that calls, and the offset of the instruction after the call.
pub(super) fn caller_word(func: u32, next: u32) -> Word {
    u64::from(func) | u64::from(next) << 32
}

/// What the handlers of one run share. Pointers are into the machine, the store and the translated code.
#[repr(C)]
pub(super) struct FastContext {
    /// What instructions need that both interpreters execute with the same code.
    pub(super) shared: Context,
    /// Where the record of the next call goes. Below it lie those of the calls made since the run began.
    pub(super) call: *mut CallRecord,
    /// Beyond it a record would exceed the limit of frames.
    pub(super) calls_end: *mut CallRecord,
    /// Translated code by function of the store; null where it is not translated, or is the host's.
    pub(super) headers: *const *const Header,
    /// The running instance.
    pub(super) instance: InstanceAddr,
    /// Which granules of memory watches lie in; null when code without watches runs.
    pub(super) granules: *const bool,
    /// Registers at the moment of leaving.
    pub(super) ip: *const Word,
    pub(super) fp: *mut u64,
    pub(super) int: u64,
    pub(super) double: f64,
    pub(super) single: f32,
}

/// The registers that travel from handler to handler, all of them in machine registers.
#[derive(Clone, Copy)]
pub(super) struct Regs {
    /// The instruction.
    pub(super) ip: *const Word,
    /// The running frame's first local.
    pub(super) fp: *mut u64,
    pub(super) context: *mut FastContext,
    /// The bytes of the running instance's memory 0.
    pub(super) memory: *mut u8,
    /// The last integer or reference that an instruction gave: its cell.
    pub(super) int: u64,
    /// The last `f64` that an instruction gave.
    pub(super) double: f64,
    /// The last `f32` that an instruction gave.
    pub(super) single: f32,
}

/// Why an instruction does not simply go on to the next.
pub(super) enum Stop {
    /// The driver takes over; the context says why.
    Leave(Regs),
    /// This is the instruction's rare case: its handler for that takes over.
    Rare(Regs),
}

/// What executing an instruction gives: the registers to go on with.
pub(super) type Flow = Result<Regs, Stop>;

/// An instruction of register code with the form of its operands.
pub(super) trait Perform {
    /// What executes its rare case.
    type Rare: Perform;

    /// Executes it, or answers [`Stop::Rare`] before it changes anything.
    ///
    /// # Safety
    /// The registers are those of a run at this instruction.
    unsafe fn perform(regs: Regs) -> Flow;
}

/// The rare case of an instruction that has none.
pub(super) struct Never;

impl Perform for Never {
    type Rare = Never;

    unsafe fn perform(_regs: Regs) -> Flow {
        unreachable!("the instruction has no rare case")
    }
}

macro_rules! handler_type {
    ($abi:literal) => {
        /// A handler of one instruction.
        pub(crate) type Handler =
            unsafe extern $abi fn(*const Word, *mut u64, *mut FastContext, *mut u8, u64, f64, f32);

        /// Executes one instruction and goes on to the next.
        ///
        /// # Safety
        /// The registers are those of a run at this instruction.
        pub(super) unsafe extern $abi fn handler<P: Perform>(
            ip: *const Word,
            fp: *mut u64,
            context: *mut FastContext,
            memory: *mut u8,
            int: u64,
            double: f64,
            single: f32,
        ) {
            // SAFETY: passed on from the caller.
            unsafe {
                match P::perform(Regs { ip, fp, context, memory, int, double, single }) {
                    Ok(regs) => go_on(regs),
                    Err(Stop::Leave(Regs { ip, fp, context, memory, int, double, single })) => {
                        save_and_return(ip, fp, context, memory, int, double, single);
                    }
                    Err(Stop::Rare(Regs { ip, fp, context, memory, int, double, single })) => {
                        rare_handler::<P::Rare>(ip, fp, context, memory, int, double, single);
                    }
                }
            }
        }

        /// Executes the rare case of an instruction and goes on to the next. It is apart, so that calls in its midst do not
        /// make the handler of the common case save registers.
        #[cold]
        #[inline(never)]
        unsafe extern $abi fn rare_handler<P: Perform>(
            ip: *const Word,
            fp: *mut u64,
            context: *mut FastContext,
            memory: *mut u8,
            int: u64,
            double: f64,
            single: f32,
        ) {
            // SAFETY: passed on from the caller.
            unsafe {
                match P::perform(Regs { ip, fp, context, memory, int, double, single }) {
                    Ok(regs) => go_on(regs),
                    Err(Stop::Leave(regs) | Stop::Rare(regs)) => save(regs),
                }
            }
        }

        /// Ends the chain of handlers.
        #[cold]
        #[inline(never)]
        unsafe extern $abi fn save_and_return(
            ip: *const Word,
            fp: *mut u64,
            context: *mut FastContext,
            memory: *mut u8,
            int: u64,
            double: f64,
            single: f32,
        ) {
            // SAFETY: passed on from the caller.
            unsafe { save(Regs { ip, fp, context, memory, int, double, single }) }
        }
    };
}
// Six integer arguments in registers: what the C convention gives everywhere but on Windows' x86-64.
#[cfg(target_arch = "x86_64")]
handler_type!("sysv64");
#[cfg(not(target_arch = "x86_64"))]
handler_type!("C");

/// Goes on with the instruction at `ip`.
#[inline(always)]
unsafe fn go_on(regs: Regs) {
    // SAFETY: `ip` points to an instruction of translated code; the context is alive for the whole run.
    unsafe {
        if cfg!(wdb_tail_calls) {
            let next = *regs.ip.cast::<Handler>();
            next(
                regs.ip,
                regs.fp,
                regs.context,
                regs.memory,
                regs.int,
                regs.double,
                regs.single,
            );
        } else {
            save(regs);
        }
    }
}

unsafe fn save(regs: Regs) {
    // SAFETY: the context is alive for the whole run.
    let context = unsafe { &mut *regs.context };
    context.ip = regs.ip;
    context.fp = regs.fp;
    context.int = regs.int;
    context.double = regs.double;
    context.single = regs.single;
}

/// Executes instructions from the context's registers on, until something leaves.
pub(super) unsafe fn enter(context: *mut FastContext) -> Leave {
    // SAFETY: the driver has filled the context at an instruction of translated code.
    unsafe {
        (*context).shared.leave = None;
        loop {
            let FastContext {
                ip,
                fp,
                int,
                double,
                single,
                ..
            } = *context;
            let next = *ip.cast::<Handler>();
            next(
                ip,
                fp,
                context,
                (*context).shared.memory,
                int,
                double,
                single,
            );
            if let Some(leave) = (*context).shared.leave {
                return leave;
            }
        }
    }
}

/// Leaves for the driver.
#[inline(always)]
pub(super) unsafe fn leave(regs: Regs, why: Leave) -> Flow {
    // SAFETY: the context is alive for the whole run.
    unsafe { (*regs.context).shared.leave = Some(why) };
    Err(Stop::Leave(regs))
}

/// Gives the instruction to the classic tier: it traps, or is rare.
#[inline(always)]
pub(super) unsafe fn bail(regs: Regs) -> Flow {
    // SAFETY: the handler passes its own registers.
    unsafe { leave(regs, Leave::Bail) }
}

impl Regs {
    /// The 16-bit field at an index of the instruction's second word.
    #[inline(always)]
    pub(super) unsafe fn half(self, index: usize) -> usize {
        // SAFETY: every instruction has two words at least.
        unsafe { usize::from(*self.ip.add(1).cast::<u16>().add(index)) }
    }

    /// The upper half of the instruction's second word.
    #[inline(always)]
    pub(super) unsafe fn high(self) -> u32 {
        // SAFETY: every instruction has two words at least.
        unsafe { *self.ip.add(1).cast::<u32>().add(1) }
    }

    /// A further word.
    #[inline(always)]
    pub(super) unsafe fn word(self, index: usize) -> Word {
        // SAFETY: passed on from the caller, whose instruction has it.
        unsafe { *self.ip.add(index) }
    }

    /// The cell that a field names.
    #[inline(always)]
    pub(super) unsafe fn cell(self, index: usize) -> *mut u64 {
        // SAFETY: translated code names cells of the frame.
        unsafe { self.fp.add(self.half(index)) }
    }

    /// Goes on after an instruction of so many words.
    #[inline(always)]
    pub(super) unsafe fn next(self, words: usize) -> Flow {
        // SAFETY: no function's last instruction goes on.
        let ip = unsafe { self.ip.add(words) };
        Ok(Regs { ip, ..self })
    }
}

/// One of the registers that hold the last result of a kind.
pub(super) trait Register {
    /// Its contents as a cell.
    fn get(regs: &Regs) -> u64;
    /// Changes it.
    fn set(regs: &mut Regs, cell: u64);
}

/// The register of integers and references.
pub(super) struct Int;
/// The register of `f64`.
pub(super) struct Double;
/// The register of `f32`.
pub(super) struct Single;

impl Register for Int {
    #[inline(always)]
    fn get(regs: &Regs) -> u64 {
        regs.int
    }
    #[inline(always)]
    fn set(regs: &mut Regs, cell: u64) {
        regs.int = cell;
    }
}

impl Register for Double {
    #[inline(always)]
    fn get(regs: &Regs) -> u64 {
        regs.double.to_bits()
    }
    #[inline(always)]
    fn set(regs: &mut Regs, cell: u64) {
        regs.double = f64::from_bits(cell);
    }
}

impl Register for Single {
    #[inline(always)]
    fn get(regs: &Regs) -> u64 {
        u64::from(regs.single.to_bits())
    }
    #[inline(always)]
    fn set(regs: &mut Regs, cell: u64) {
        regs.single = f32::from_bits(cell as u32);
    }
}

/// Where an operand comes from.
pub(super) trait Source {
    /// The words that it takes behind the instruction's second.
    const WORDS: usize;
    /// The operand's cell, of a kind whose register is `R`.
    unsafe fn read<R: Register>(regs: &Regs) -> u64;
}

/// The cell that a field names.
pub(super) struct Cell<const FIELD: usize>;
/// The register.
pub(super) struct Last;
/// The upper half of the second word.
pub(super) struct Short;
/// The third word.
pub(super) struct Long;

impl<const FIELD: usize> Source for Cell<FIELD> {
    const WORDS: usize = 0;
    #[inline(always)]
    unsafe fn read<R: Register>(regs: &Regs) -> u64 {
        // SAFETY: translated code names cells of the frame.
        unsafe { *regs.cell(FIELD) }
    }
}

impl Source for Last {
    const WORDS: usize = 0;
    #[inline(always)]
    unsafe fn read<R: Register>(regs: &Regs) -> u64 {
        R::get(regs)
    }
}

impl Source for Short {
    const WORDS: usize = 0;
    #[inline(always)]
    unsafe fn read<R: Register>(regs: &Regs) -> u64 {
        // SAFETY: every instruction has two words at least.
        u64::from(unsafe { regs.high() })
    }
}

impl Source for Long {
    const WORDS: usize = 1;
    #[inline(always)]
    unsafe fn read<R: Register>(regs: &Regs) -> u64 {
        // SAFETY: instructions with such an operand have a third word.
        unsafe { regs.word(2) }
    }
}

/// Puts a result into its register and, if `KEEP`, also into the cell that the field 1 names.
#[inline(always)]
pub(super) unsafe fn give<R: Register, const KEEP: bool>(regs: &mut Regs, cell: u64) {
    if KEEP {
        // SAFETY: translated code names cells of the frame.
        unsafe { *regs.cell(1) = cell };
    }
    R::set(regs, cell);
}

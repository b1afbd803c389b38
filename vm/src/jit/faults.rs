//! Accesses of memory outside of it: the operating system's signal, caught where compiled code runs.
//!
//! A memory's reserved address space has room for every address that 32-bit code can form, and what the memory does not have of it
//! cannot be accessed. The handler ends such an access by going on at the landing of the trampoline that entered the code; the
//! exact state is found by running the same again from a state in the past.

use std::cell::Cell;
use std::ops::Range;

use wdb_codegen::Context;

/// The run of compiled code on a thread.
pub(super) struct Active {
    /// Where code lies, in ascending order.
    pub(super) ranges: *const Vec<Range<usize>>,
    /// Where the trampoline goes on.
    pub(super) landing: usize,
    pub(super) context: *const Context,
}

thread_local! {
    static ACTIVE: Cell<*const Active> = const { Cell::new(std::ptr::null()) };
}

/// Runs `body`, in which faults of compiled code end at the landing.
pub(super) fn guarded<R>(active: &Active, body: impl FnOnce() -> R) -> R {
    let before = ACTIVE.replace(active);
    let result = body();
    ACTIVE.set(before);
    result
}

/// Whether faults can be caught here, which this sees to.
pub(super) fn are_caught() -> bool {
    platform::install()
}

/// The landing for a fault at an address of code, with its stack and frame pointer.
#[cfg_attr(
    not(any(
        all(
            target_os = "linux",
            any(target_arch = "x86_64", target_arch = "aarch64")
        ),
        all(target_os = "macos", target_arch = "aarch64")
    )),
    expect(dead_code, reason = "there is no handler")
)]
fn landing_of(pc: usize) -> Option<(usize, usize, usize)> {
    let active = ACTIVE.get();
    if active.is_null() {
        return None;
    }
    // SAFETY: the pointer is set while the run lives; code that faults is compiled code or runs on behalf of it, and the list of
    // ranges changes while neither is at a place within them.
    unsafe {
        let ranges = &*(*active).ranges;
        let after = ranges.partition_point(|range| range.start <= pc);
        let range = ranges.get(after.checked_sub(1)?)?;
        let context = &*(*active).context;
        let landing = (*active).landing;
        range
            .contains(&pc)
            .then_some((landing, context.landing_sp, context.landing_fp))
    }
}

#[cfg(any(
    all(
        target_os = "linux",
        any(target_arch = "x86_64", target_arch = "aarch64")
    ),
    all(target_os = "macos", target_arch = "aarch64")
))]
mod platform {
    use std::mem::MaybeUninit;
    use std::sync::OnceLock;

    use libc::{c_int, c_void, sigaction, siginfo_t, ucontext_t};

    /// The signals that an access without a page raises.
    const SIGNALS: [c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];

    /// The handlers that there were before.
    static BEFORE: OnceLock<Option<[sigaction; 2]>> = OnceLock::new();

    pub(super) fn install() -> bool {
        let before = BEFORE.get_or_init(|| {
            let mut before = [const { MaybeUninit::<sigaction>::uninit() }; 2];
            for (signal, before) in SIGNALS.iter().zip(&mut before) {
                // SAFETY: the handler is a function of the form that SA_SIGINFO asks for, and does nothing that a handler may not.
                let result = unsafe {
                    let mut action: sigaction = std::mem::zeroed();
                    action.sa_sigaction = handle as *const () as usize;
                    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
                    libc::sigemptyset(&raw mut action.sa_mask);
                    libc::sigaction(*signal, &raw const action, before.as_mut_ptr())
                };
                if result != 0 {
                    return None;
                }
            }
            // SAFETY: both calls have succeeded and written.
            Some(before.map(|before| unsafe { before.assume_init() }))
        });
        before.is_some()
    }

    unsafe extern "C" fn handle(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
        // SAFETY: the system passes what it says.
        unsafe {
            let registers = Registers(context.cast());
            if let Some((pc, sp, fp)) = super::landing_of(registers.pc()) {
                registers.go_on(pc, sp, fp);
                return;
            }
            pass_on(signal, info, context);
        }
    }

    /// Does what would have been done without this handler.
    unsafe fn pass_on(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
        let before = BEFORE.get().copied().flatten();
        let position = SIGNALS.iter().position(|&known| known == signal);
        let before = before.zip(position).map(|(before, at)| before[at]);
        // SAFETY: the handler before was installed with these flags; the default action is that of any process.
        unsafe {
            match before {
                Some(before)
                    if before.sa_sigaction != libc::SIG_DFL
                        && before.sa_sigaction != libc::SIG_IGN =>
                {
                    if before.sa_flags & libc::SA_SIGINFO != 0 {
                        let handler: unsafe extern "C" fn(c_int, *mut siginfo_t, *mut c_void) =
                            std::mem::transmute(before.sa_sigaction);
                        handler(signal, info, context);
                    } else {
                        let handler: unsafe extern "C" fn(c_int) =
                            std::mem::transmute(before.sa_sigaction);
                        handler(signal);
                    }
                }
                _ => {
                    // The access is made again, and ends the process as it should.
                    let mut action: sigaction = std::mem::zeroed();
                    action.sa_sigaction = libc::SIG_DFL;
                    libc::sigaction(signal, &raw const action, std::ptr::null_mut());
                }
            }
        }
    }

    /// The registers at the fault.
    struct Registers(*mut ucontext_t);

    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    impl Registers {
        unsafe fn pc(&self) -> usize {
            // SAFETY: passed on from the caller.
            unsafe { (*self.0).uc_mcontext.gregs[libc::REG_RIP as usize] as usize }
        }

        unsafe fn go_on(&self, pc: usize, sp: usize, fp: usize) {
            // SAFETY: passed on from the caller.
            let registers = unsafe { &mut (*self.0).uc_mcontext.gregs };
            registers[libc::REG_RIP as usize] = pc as i64;
            registers[libc::REG_RSP as usize] = sp as i64;
            registers[libc::REG_RBP as usize] = fp as i64;
        }
    }

    #[cfg(all(target_os = "linux", target_arch = "aarch64"))]
    impl Registers {
        unsafe fn pc(&self) -> usize {
            // SAFETY: passed on from the caller.
            unsafe { (*self.0).uc_mcontext.pc as usize }
        }

        unsafe fn go_on(&self, pc: usize, sp: usize, fp: usize) {
            // SAFETY: passed on from the caller.
            let registers = unsafe { &mut (*self.0).uc_mcontext };
            registers.pc = pc as u64;
            registers.sp = sp as u64;
            registers.regs[29] = fp as u64;
        }
    }

    #[cfg(all(target_os = "macos", target_arch = "aarch64"))]
    impl Registers {
        unsafe fn pc(&self) -> usize {
            // SAFETY: passed on from the caller.
            unsafe { (*(*self.0).uc_mcontext).__ss.__pc as usize }
        }

        unsafe fn go_on(&self, pc: usize, sp: usize, fp: usize) {
            // SAFETY: passed on from the caller.
            let registers = unsafe { &mut (*(*self.0).uc_mcontext).__ss };
            registers.__pc = pc as u64;
            registers.__sp = sp as u64;
            registers.__fp = fp as u64;
        }
    }
}

#[cfg(not(any(
    all(
        target_os = "linux",
        any(target_arch = "x86_64", target_arch = "aarch64")
    ),
    all(target_os = "macos", target_arch = "aarch64")
)))]
mod platform {
    pub(super) fn install() -> bool {
        false
    }
}

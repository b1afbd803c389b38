//! Validation of functions: of all at once, or of each when it is called or looked at first.
//!
//! Whoever reads a function's instructions asks here first, so that nothing after it meets code that is not valid: no tier
//! enters such a function, and for everything else it has no instructions.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use wasmparser::{BinaryReader, FuncValidatorAllocations, FunctionBody};

use super::{Module, ModuleError};
use crate::address::FuncIndex;

/// When the bodies of a module's functions are validated. Everything else of a module is validated at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Validation {
    /// Before the module is handed out: one with a function that is not valid is refused.
    #[default]
    AtOnce,
    /// Of each function when it is called or looked at first.
    OnUse,
}

/// Which functions are known to be valid. The order in which threads find that out does not matter: each answer stands alone.
#[derive(Default)]
pub(super) struct Validity {
    is_complete: AtomicBool,
    /// By the position of the body. Where a function is not valid, the error is found anew for everyone who asks.
    valid: Box<[AtomicBool]>,
}

impl Validity {
    /// Nothing is known of so many functions.
    pub(super) fn unknown(count: usize) -> Validity {
        Validity {
            is_complete: AtomicBool::new(count == 0),
            valid: (0..count).map(|_| AtomicBool::new(false)).collect(),
        }
    }

    fn is_valid(&self, position: usize) -> bool {
        self.is_complete.load(Ordering::Relaxed)
            || self
                .valid
                .get(position)
                .is_some_and(|valid| valid.load(Ordering::Relaxed))
    }
}

impl Module {
    /// Whether a function can run: it is imported, or its code is valid. It is found out at the first time that somebody asks.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn validate_func(&self, func: FuncIndex) -> Result<(), ModuleError> {
        match func.index().checked_sub(self.imported_funcs as usize) {
            Some(position) => {
                self.validate_body(position, FuncValidatorAllocations::default())?;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// [`Module::validate_func`] without the error.
    #[must_use]
    pub fn is_valid_func(&self, func: FuncIndex) -> bool {
        self.validate_func(func).is_ok()
    }

    /// Validates all functions that were not yet, on all processors.
    ///
    /// # Errors
    /// The one that comes first in the module.
    pub fn validate_all(&self) -> Result<(), ModuleError> {
        let processors = std::thread::available_parallelism();
        self.validate_on(processors.map_or(1, usize::from))
    }

    /// The same on this thread alone, which leaves the other processors to whoever needs them.
    ///
    /// # Errors
    /// The one that comes first in the module.
    pub fn validate_in_order(&self) -> Result<(), ModuleError> {
        self.validate_on(1)
    }

    fn validate_on(&self, threads_max: usize) -> Result<(), ModuleError> {
        if self.validity.is_complete.load(Ordering::Relaxed) {
            return Ok(());
        }
        let parts = self.parts(threads_max);
        let validate = |part: Range<usize>| -> Result<(), ModuleError> {
            let mut allocations = FuncValidatorAllocations::default();
            for position in part {
                allocations = self.validate_body(position, allocations)?;
            }
            Ok(())
        };
        match &*parts {
            [part] => validate(part.clone())?,
            parts => std::thread::scope(|scope| {
                let workers: Vec<_> = parts
                    .iter()
                    .map(|part| scope.spawn(|| validate(part.clone())))
                    .collect();
                workers.into_iter().try_for_each(|worker| {
                    worker
                        .join()
                        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                })
            })?,
        }
        self.validity.is_complete.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// The positions of all bodies, in parts of about equally many bytes.
    fn parts(&self, threads_max: usize) -> Vec<Range<usize>> {
        /// Below this many bytes of code a second thread costs more than it saves.
        const BYTES_PER_THREAD_MIN: usize = 64 * 1024;
        let bytes: usize = self.bodies.iter().map(|body| body.range.len()).sum();
        let threads = threads_max.min(bytes / BYTES_PER_THREAD_MIN).max(1);
        let mut parts = Vec::with_capacity(threads);
        let (mut start, mut bytes_before) = (0, 0);
        for (position, body) in self.bodies.iter().enumerate() {
            bytes_before += body.range.len();
            if bytes_before > bytes / threads && parts.len() + 1 < threads {
                parts.push(start..position + 1);
                (start, bytes_before) = (position + 1, 0);
            }
        }
        parts.push(start..self.bodies.len());
        parts
    }

    fn validate_body(
        &self,
        position: usize,
        allocations: FuncValidatorAllocations,
    ) -> Result<FuncValidatorAllocations, ModuleError> {
        let func = FuncIndex(position as u32 + self.imported_funcs);
        let Some(body) = self.bodies.get(position) else {
            return Ok(allocations);
        };
        let Some(to_validate) = self.func_to_validate(func) else {
            return Ok(allocations);
        };
        if self.validity.is_valid(position) {
            return Ok(allocations);
        }
        let bytes = &self.bytes[body.range.start as usize..body.range.end as usize];
        let reader = BinaryReader::new_features(bytes, body.range.start.into(), self.features);
        let mut validator = to_validate.into_validator(allocations);
        validator.validate(&FunctionBody::new(reader))?;
        self.validity.valid[position].store(true, Ordering::Relaxed);
        Ok(validator.into_allocations())
    }
}

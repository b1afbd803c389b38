//! Compiling: settings of the two levels, code without relocations, ways in and out.

use std::sync::OnceLock;

use cranelift_codegen::Context as Codegen;
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{ExternalName, Function, UserFuncName};
use cranelift_codegen::isa::{OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_codegen::{
    Final, FinalizedMachExceptionHandler, FinalizedMachReloc, FinalizedRelocTarget,
    MachBufferFinalized,
};
use cranelift_frontend::FunctionBuilderContext;
use wasmparser::FuncType;

use crate::abi::{Runtime, signature};
use crate::entrances::{Trampoline, relay, trampoline};
use crate::env::{CellKind, Job, Site};
use crate::listing::{Line, intermediate_lines, machine_lines};
use crate::translate::{Purpose, RecordLayout, translate};

/// How much time is spent on making code fast.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    /// As little as possible.
    Baseline,
    /// What it takes.
    Optimized,
}

/// The compiler's settings at the lower level, beside those of both.
const BASELINE: &[(&str, &str)] = &[("opt_level", "none"), ("regalloc_algorithm", "single_pass")];

/// The compiler's settings at the higher level, beside those of both.
const OPTIMIZED: &[(&str, &str)] = &[("opt_level", "speed")];

/// Why a function has no machine code.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// No code can be made for this machine.
    #[error("no machine code for this processor: {0}")]
    Target(String),
    /// The function has an instruction that only the interpreters know.
    #[error("it has {0}")]
    Instruction(&'static str),
    /// Something else.
    #[error("{0}")]
    Failed(String),
}

/// Machine code of a function.
#[derive(Debug)]
pub struct Compiled {
    /// The code, which can lie at every aligned address.
    pub code: Vec<u8>,
    /// What its address is to be a multiple of.
    pub alignment: u32,
    /// Where it can be left, by number.
    pub sites: Vec<Site>,
    /// The kinds of the locals in every record.
    pub locals: Box<[CellKind]>,
    /// The words that every record takes.
    pub record_words: u32,
}

/// A function between the two parts of compiling.
#[derive(Debug)]
pub struct Translated {
    function: Box<Function>,
    records: RecordLayout,
    level: Level,
}

/// Makes machine code for the processor that it runs on.
pub struct Compiler {
    baseline: OwnedTargetIsa,
    optimized: OwnedTargetIsa,
    /// For trampolines, which are short.
    plain: OwnedTargetIsa,
    builder: FunctionBuilderContext,
    codegen: Codegen,
}

impl Compiler {
    /// A compiler for this processor.
    pub fn new() -> Result<Compiler, Error> {
        /// Baseline, optimised and plain: the same for all compilers.
        static TARGETS: OnceLock<Result<[OwnedTargetIsa; 3], Error>> = OnceLock::new();
        let targets = TARGETS.get_or_init(|| {
            Ok([
                isa(BASELINE)?,
                isa(OPTIMIZED)?,
                isa(&[("opt_level", "none")])?,
            ])
        });
        let [baseline, optimized, plain] = targets.clone()?;
        Ok(Compiler {
            baseline,
            optimized,
            plain,
            builder: FunctionBuilderContext::new(),
            codegen: Codegen::new(),
        })
    }

    /// The code of a function.
    pub fn compile(&mut self, job: &Job<'_>) -> Result<Compiled, Error> {
        let translated = self.translate(job)?;
        self.finish(translated)
    }

    /// The first part of compiling, which is the shorter one and needs the function's surroundings.
    pub fn translate(&mut self, job: &Job<'_>) -> Result<Translated, Error> {
        self.translate_for(job, Purpose::Running)
    }

    fn translate_for(&mut self, job: &Job<'_>, purpose: Purpose) -> Result<Translated, Error> {
        let name = UserFuncName::user(0, job.func);
        let mut function = Function::with_name_signature(name, signature(job.ty, false));
        let isa = &*self.optimized;
        match translate(job, purpose, isa, &mut function, &mut self.builder) {
            Ok(records) => Ok(Translated {
                function: Box::new(function),
                records,
                level: job.level,
            }),
            Err(error) => {
                // A translation that was given up has left things in it.
                self.builder = FunctionBuilderContext::new();
                Err(error)
            }
        }
    }

    /// The second part of compiling, for which any compiler of the same machine will do.
    pub fn finish(&mut self, translated: Translated) -> Result<Compiled, Error> {
        let isa = match translated.level {
            Level::Baseline => &*self.baseline,
            Level::Optimized => &*self.optimized,
        };
        self.codegen.clear();
        self.codegen.func = *translated.function;
        let (code, alignment) = emit(&mut self.codegen, isa, relocate)?;
        let RecordLayout {
            sites,
            locals,
            record_words,
        } = translated.records;
        Ok(Compiled {
            code,
            alignment,
            sites,
            locals,
            record_words,
        })
    }

    /// The machine code that [`Compiler::compile`] makes, as text.
    pub fn listing(&mut self, job: &Job<'_>) -> Result<Vec<Line>, Error> {
        let translated = self.translate_for(job, Purpose::Listing)?;
        let options = match job.level {
            Level::Baseline => BASELINE,
            Level::Optimized => OPTIMIZED,
        };
        // The same code, with a list of its blocks.
        let options = [options, &[("machine_code_cfg_info", "true")]].concat();
        let isa = isa(&options)?;
        self.codegen.clear();
        self.codegen.func = *translated.function;
        let compiled = self
            .codegen
            .compile(&*isa, &mut ControlPlane::default())
            .map_err(|error| Error::Failed(format!("{:?}", error.inner)))?;
        let code = relocate(&compiled.buffer)?;
        machine_lines(&*isa, compiled, &code)
    }

    /// What [`Compiler::translate`] makes, as text.
    pub fn intermediate(&mut self, job: &Job<'_>) -> Result<Vec<Line>, Error> {
        let translated = self.translate_for(job, Purpose::Listing)?;
        Ok(intermediate_lines(&translated.function))
    }

    /// The code of the relay of a function of the runtime that lies at an address, and what its own is to be a multiple of.
    pub fn relay(&mut self, function: Runtime, address: usize) -> Result<(Vec<u8>, u32), Error> {
        let isa = &*self.plain;
        self.codegen.clear();
        self.codegen.func = relay(function, address, isa, &mut self.builder);
        emit(&mut self.codegen, isa, |buffer| Ok(buffer.data().to_vec()))
    }

    /// The trampoline of a function type.
    pub fn trampoline(&mut self, ty: &FuncType, takes_params: bool) -> Result<Trampoline, Error> {
        let isa = &*self.plain;
        self.codegen.clear();
        self.codegen.func = trampoline(ty, takes_params, isa, &mut self.builder);
        let mut landing = None;
        let (code, alignment) = emit(&mut self.codegen, isa, |buffer| {
            let handlers = buffer
                .call_sites()
                .flat_map(|site| site.exception_handlers.iter());
            for handler in handlers {
                if let FinalizedMachExceptionHandler::Default(offset) = handler {
                    landing = Some(*offset);
                }
            }
            Ok(buffer.data().to_vec())
        })?;
        let landing = landing.ok_or_else(|| Error::Failed("a trampoline has no landing".into()))?;
        Ok(Trampoline {
            code,
            alignment,
            landing,
        })
    }
}

fn isa(options: &[(&str, &str)]) -> Result<OwnedTargetIsa, Error> {
    let mut flags = settings::builder();
    let verifies = if cfg!(debug_assertions) {
        "true"
    } else {
        "false"
    };
    let common = [
        ("enable_verifier", verifies),
        ("unwind_info", "false"),
        // Tail calls need them, and trampolines.
        ("preserve_frame_pointers", "true"),
        ("enable_heap_access_spectre_mitigation", "false"),
        ("enable_table_access_spectre_mitigation", "false"),
    ];
    for (name, value) in common.iter().chain(options) {
        flags
            .set(name, value)
            .map_err(|error| Error::Target(error.to_string()))?;
    }
    let builder = cranelift_native::builder().map_err(|error| Error::Target(error.to_owned()))?;
    builder
        .finish(settings::Flags::new(flags))
        .map_err(|error| Error::Target(error.to_string()))
}

/// Compiles the function that the codegen context holds; `finish` gives its bytes.
fn emit(
    codegen: &mut Codegen,
    isa: &dyn TargetIsa,
    finish: impl FnOnce(&MachBufferFinalized<Final>) -> Result<Vec<u8>, Error>,
) -> Result<(Vec<u8>, u32), Error> {
    let compiled = codegen
        .compile(isa, &mut ControlPlane::default())
        .map_err(|error| Error::Failed(format!("{:?}", error.inner)))?;
    let alignment = compiled.buffer.alignment.max(16);
    Ok((finish(&compiled.buffer)?, alignment))
}

/// The code's bytes, in which calls of the function itself lead to its start.
fn relocate(buffer: &MachBufferFinalized<Final>) -> Result<Vec<u8>, Error> {
    let mut code = buffer.data().to_vec();
    for FinalizedMachReloc {
        offset,
        kind,
        addend,
        target,
    } in buffer.relocs()
    {
        if !matches!(
            target,
            FinalizedRelocTarget::ExternalName(ExternalName::User(_))
        ) {
            return Err(Error::Failed(format!(
                "it needs a library function: {target:?}"
            )));
        }
        let at = *offset as usize;
        let distance = addend - i64::from(*offset);
        match kind {
            Reloc::X86CallPCRel4 | Reloc::X86PCRel4 => {
                code[at..at + 4].copy_from_slice(&(distance as i32).to_le_bytes());
            }
            Reloc::Arm64Call => {
                let word = u32::from_le_bytes(code[at..at + 4].try_into().expect("four bytes"));
                let immediate = (distance >> 2) as u32 & 0x03ff_ffff;
                code[at..at + 4].copy_from_slice(&(word | immediate).to_le_bytes());
            }
            kind => return Err(Error::Failed(format!("it needs a relocation {kind:?}"))),
        }
    }
    Ok(code)
}

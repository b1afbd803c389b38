//! Compiling: settings of the two levels, code without relocations, trampolines.

use std::sync::OnceLock;

use cranelift_codegen::Context as Codegen;
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    AbiParam, BlockArg, ExceptionTableData, ExceptionTableItem, ExternalName, Function,
    InstBuilder, MemFlagsData, Signature, UserFuncName, types,
};
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_codegen::{
    Final, FinalizedMachExceptionHandler, FinalizedMachReloc, FinalizedRelocTarget,
    MachBufferFinalized,
};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use wasmparser::{FuncType, ValType};

use crate::abi::{Context, returns_in_registers, signature, value_type};
use crate::env::{CellKind, Job, Site};
use crate::listing::{Line, intermediate_lines, machine_lines};
use crate::translate::{Purpose, translate};

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
}

/// A function between the two parts of compiling.
#[derive(Debug)]
pub struct Translated {
    function: Function,
    sites: Vec<Site>,
    locals: Box<[CellKind]>,
}

/// Code that enters compiled functions of one type from outside. A C function
/// `(context, address of the function, cells, clock: i64) -> i64`: arguments lie in the cells, where results that registers hold are
/// put; it gives the clock, negative when the function has been left.
#[derive(Debug)]
pub struct Trampoline {
    /// The code, which can lie at every aligned address.
    pub code: Vec<u8>,
    /// What its address is to be a multiple of.
    pub alignment: u32,
    /// Where it goes on after a fault, in bytes from its start, with the registers that it has put into the context. It gives
    /// [`Trampoline::FAULT`] then.
    pub landing: u32,
}

impl Trampoline {
    /// What a trampoline gives after a fault.
    pub const FAULT: i64 = -2;
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
    pub fn compile(&mut self, job: &Job<'_>, level: Level) -> Result<Compiled, Error> {
        let translated = self.translate(job)?;
        self.finish(translated, level)
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
            Ok((sites, locals)) => Ok(Translated {
                function,
                sites,
                locals,
            }),
            Err(error) => {
                // A translation that was given up has left things in it.
                self.builder = FunctionBuilderContext::new();
                Err(error)
            }
        }
    }

    /// The second part of compiling, for which any compiler of the same machine will do.
    pub fn finish(&mut self, translated: Translated, level: Level) -> Result<Compiled, Error> {
        let isa = match level {
            Level::Baseline => &*self.baseline,
            Level::Optimized => &*self.optimized,
        };
        self.codegen.clear();
        self.codegen.func = translated.function;
        let (code, alignment) = emit(&mut self.codegen, isa, relocate)?;
        Ok(Compiled {
            code,
            alignment,
            sites: translated.sites,
            locals: translated.locals,
        })
    }

    /// The machine code that [`Compiler::compile`] makes, as text.
    pub fn listing(&mut self, job: &Job<'_>, level: Level) -> Result<Vec<Line>, Error> {
        let translated = self.translate_for(job, Purpose::Listing)?;
        let options = match level {
            Level::Baseline => BASELINE,
            Level::Optimized => OPTIMIZED,
        };
        // The same code, with a list of its blocks.
        let options = [options, &[("machine_code_cfg_info", "true")]].concat();
        let isa = isa(&options)?;
        self.codegen.clear();
        self.codegen.func = translated.function;
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

fn trampoline(
    ty: &FuncType,
    takes_params: bool,
    isa: &dyn TargetIsa,
    builder_context: &mut FunctionBuilderContext,
) -> Function {
    let mut own = Signature::new(isa.default_call_conv());
    own.params = vec![AbiParam::new(types::I64); 4];
    own.returns = vec![AbiParam::new(types::I64)];
    debug_assert_ne!(own.call_conv, CallConv::Tail);
    let mut function = Function::with_name_signature(UserFuncName::user(1, 0), own);
    let mut builder = FunctionBuilder::new(&mut function, builder_context);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let &[context, callee, cells, clock] = builder.block_params(entry) else {
        unreachable!("a trampoline has four parameters");
    };
    let flags = MemFlagsData::trusted();
    let frame_pointer = builder.ins().get_frame_pointer(types::I64);
    let stack_pointer = builder.ins().get_stack_pointer(types::I64);
    let landing_fp = std::mem::offset_of!(Context, landing_fp) as i32;
    let landing_sp = std::mem::offset_of!(Context, landing_sp) as i32;
    builder
        .ins()
        .store(flags, frame_pointer, context, landing_fp);
    builder
        .ins()
        .store(flags, stack_pointer, context, landing_sp);
    let mut arguments = vec![context, clock];
    if takes_params {
        let mut offset = 0;
        for &param in ty.params() {
            let argument = builder.ins().load(value_type(param), flags, cells, offset);
            arguments.push(argument);
            offset += cell_bytes(param);
        }
    }
    let callee_signature = signature(ty, takes_params);
    let normal = builder.create_block();
    let fault = builder.create_block();
    builder.set_cold_block(fault);
    let mut normal_arguments = Vec::new();
    for (index, result) in callee_signature.returns.iter().enumerate() {
        builder.append_block_param(normal, result.value_type);
        normal_arguments.push(BlockArg::TryCallRet(index as u32));
    }
    let callee_signature = builder.import_signature(callee_signature);
    let normal_call = builder.func.dfg.block_call(normal, &normal_arguments);
    let fault_call = builder.func.dfg.block_call(fault, &[]);
    let table = builder
        .func
        .dfg
        .exception_tables
        .push(ExceptionTableData::new(
            callee_signature,
            normal_call,
            [ExceptionTableItem::Default(fault_call)],
        ));
    builder.ins().try_call_indirect(callee, &arguments, table);

    builder.switch_to_block(fault);
    let gave = builder.ins().iconst(types::I64, Trampoline::FAULT);
    builder.ins().return_(&[gave]);

    builder.switch_to_block(normal);
    let results = builder.block_params(normal).to_vec();
    let clock = *results.last().expect("the clock is a result");
    let done = builder.create_block();
    let store = builder.create_block();
    let left = builder.ins().icmp_imm_s(IntCC::SignedLessThan, clock, 0);
    builder.ins().brif(left, done, &[], store, &[]);
    builder.switch_to_block(store);
    if returns_in_registers(ty) {
        let mut offset = 0;
        for (&ty, &result) in ty.results().iter().zip(&results) {
            let cell = match ty {
                ValType::I32 => builder.ins().uextend(types::I64, result),
                ValType::F32 => {
                    let bits = builder
                        .ins()
                        .bitcast(types::I32, MemFlagsData::new(), result);
                    builder.ins().uextend(types::I64, bits)
                }
                _ => result,
            };
            builder.ins().store(flags, cell, cells, offset);
            offset += cell_bytes(ty);
        }
    }
    builder.ins().jump(done, &[]);
    builder.switch_to_block(done);
    builder.ins().return_(&[clock]);
    builder.seal_all_blocks();
    builder.finalize(isa.frontend_config());
    function
}

/// Bytes of the cells of a value.
fn cell_bytes(ty: ValType) -> i32 {
    match ty {
        ValType::V128 => 16,
        _ => 8,
    }
}

//! From wasm to Cranelift's intermediate code.

mod calls;
mod conditions;
mod control;
mod deferred;
mod exits;
mod floats;
mod homes;
mod memory;
mod numeric;
mod objects;
mod probes;
mod resumed;
mod vectors;
mod watches;

use std::collections::HashSet;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    AliasRegion, AliasRegionData, Block, Endianness, FuncRef, Function, InstBuilder, MemFlagsData,
    SigRef, SourceLoc, StackSlot, StackSlotData, StackSlotKind, Type, Value, types,
};
use cranelift_codegen::isa::TargetIsa;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};
use wasmparser::{BinaryReader, Operator, OperatorsReader, ValType};

use crate::abi::{
    Context, FRAME_CELLS_MAX, RUNTIME_FUNCTIONS, Reason, Runtime, runtime_signature, signature,
    value_type,
};
use crate::compiler::Error;
use crate::env::{CellKind, Job, Site, Start};
use control::{Control, ControlKind};
use deferred::Deferred;
use exits::Leaving;
use floats::arithmetic_locals;
use resumed::ResumedFrame;

/// An operand on the stack.
#[derive(Clone, Copy)]
struct Operand {
    value: Value,
    /// Whether arithmetic on floats gave it, so that any NaN stands for the canonical one.
    is_arithmetic: bool,
}

/// A local variable.
#[derive(Clone, Copy)]
struct Local {
    variable: Variable,
    ty: ValType,
    /// The variable's type, which for a vector says what its lanes are if they are results of arithmetic.
    held: Type,
    /// Whether it only ever holds zero or results of arithmetic on floats.
    is_arithmetic: bool,
    /// Its place in the native frame, in bytes from the first home, if it has one: then its value always lies there, too.
    home: Option<i32>,
    /// Whether its value lies nowhere else for long: the variable is not used.
    lives_at_home: bool,
    /// What its home holds, if control has come straight from where that was known.
    known: Option<Value>,
}

/// What the records of a function's exits are made of.
#[derive(Debug)]
pub(crate) struct RecordLayout {
    pub(crate) sites: Vec<Site>,
    pub(crate) locals: Box<[CellKind]>,
    pub(crate) record_words: u32,
}

/// Parts of memory that never overlap.
#[derive(Clone, Copy)]
struct Regions {
    heap: AliasRegion,
    globals: AliasRegion,
    context: AliasRegion,
    records: AliasRegion,
    cells: AliasRegion,
    tables: AliasRegion,
    homes: AliasRegion,
    probes: AliasRegion,
}

/// What a translation is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    Running,
    /// For being read: every instruction names its place in the module.
    Listing,
}

struct Translator<'a, 'f> {
    job: &'a Job<'a>,
    purpose: Purpose,
    builder: FunctionBuilder<'f>,
    isa: &'a dyn TargetIsa,
    regions: Regions,
    context: Value,
    clock: Variable,
    locals: Vec<Local>,
    stack: Vec<Operand>,
    controls: Vec<Control>,
    /// Whether control reaches the present instruction.
    is_reachable: bool,
    /// The present instruction and the one after it.
    pc: u32,
    next_pc: u32,
    sites: Vec<Site>,
    /// What all exits end in.
    leaving: Leaving,
    /// The bodies of the loops without calls, as far as code is to be optimised.
    straight_loops: HashSet<u32>,
    /// The native frame's part that has the homes of locals, if any local has one.
    homes: Option<StackSlot>,
    runtime_signatures: [Option<SigRef>; RUNTIME_FUNCTIONS],
    own: Option<FuncRef>,
    /// In code that goes on with a frame, operands are variables where control can join from the frame.
    frame: Option<ResumedFrame>,
    /// The last store, if the NaN of its value is still to be looked for.
    deferred: Option<Deferred<'a>>,
    /// The most cells that the frame has held.
    cells_max: usize,
}

/// Translates the job's function into `function`.
pub(crate) fn translate(
    job: &Job<'_>,
    purpose: Purpose,
    isa: &dyn TargetIsa,
    function: &mut Function,
    builder_context: &mut FunctionBuilderContext,
) -> Result<RecordLayout, Error> {
    function.signature = signature(job.ty, job.start == Start::Call);
    let mut builder = FunctionBuilder::new(function, builder_context);
    let mut region = |user_id: u32, description: &'static str| {
        builder.func.dfg.alias_regions.insert(AliasRegionData {
            user_id,
            description: description.into(),
        })
    };
    let regions = Regions {
        heap: region(1, "memories"),
        globals: region(2, "globals"),
        context: region(3, "context"),
        records: region(4, "exit records"),
        cells: region(5, "cells"),
        tables: region(6, "tables"),
        homes: region(7, "homes of locals"),
        probes: region(8, "counters and captured values"),
    };
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    builder.seal_block(entry);
    let params = builder.block_params(entry).to_vec();
    let clock = builder.declare_var(types::I64);
    builder.def_var(clock, params[1]);
    let arithmetic = arithmetic_locals(job)?;
    let locals = job.locals.iter().zip(arithmetic);
    let locals: Vec<Local> = locals
        .map(|(&ty, arithmetic)| {
            let held = arithmetic.unwrap_or_else(|| value_type(ty));
            Local {
                variable: builder.declare_var(held),
                ty,
                held,
                is_arithmetic: arithmetic.is_some(),
                home: None,
                lives_at_home: false,
                known: None,
            }
        })
        .collect();
    let cells_max = job
        .locals
        .iter()
        .map(|&ty| kind_of(ty, false).count())
        .sum();
    let mut translator = Translator {
        job,
        purpose,
        builder,
        isa,
        regions,
        context: params[0],
        clock,
        locals,
        stack: Vec::new(),
        controls: Vec::new(),
        is_reachable: true,
        pc: job.offset,
        next_pc: job.offset,
        sites: Vec::new(),
        leaving: Leaving::default(),
        straight_loops: HashSet::new(),
        homes: None,
        runtime_signatures: [None; RUNTIME_FUNCTIONS],
        own: None,
        frame: None,
        deferred: None,
        cells_max,
    };
    translator.make_homes()?;
    translator.begin(&params[2..])?;
    if job.is_stub {
        translator.exit(job.offset, Some(Reason::Arrival));
    } else {
        translator.body()?;
    }
    translator.check_joined()?;
    if translator.cells_max > FRAME_CELLS_MAX {
        return Err(Error::Failed(format!(
            "its frames have more than {FRAME_CELLS_MAX} cells"
        )));
    }
    translator.finish_leaving();
    translator.make_room();
    let locals = translator.local_kinds();
    let record_words = translator.record_words();
    let Translator {
        mut builder, sites, ..
    } = translator;
    builder.seal_all_blocks();
    builder.finalize(isa.frontend_config());
    Ok(RecordLayout {
        sites,
        locals,
        record_words,
    })
}

/// An instruction in a function's code.
struct Instruction<'a> {
    operator: Operator<'a>,
    /// Its offset in the module, and that of the next one.
    pc: u32,
    next_pc: u32,
}

/// The instructions of the job's function.
fn instructions<'a>(job: &Job<'a>) -> impl Iterator<Item = Result<Instruction<'a>, Error>> {
    let reader = BinaryReader::new(job.code, u64::from(job.offset));
    let mut reader = OperatorsReader::new(reader);
    std::iter::from_fn(move || {
        if reader.eof() {
            return None;
        }
        let read = reader.read_with_offset().map(|(operator, pc)| Instruction {
            operator,
            pc: pc as u32,
            next_pc: reader.original_position() as u32,
        });
        Some(read.map_err(|error| Error::Failed(error.to_string())))
    })
}

/// What a value of a type is in a record.
fn kind_of(ty: ValType, is_arithmetic: bool) -> CellKind {
    match ty {
        ValType::F32 if is_arithmetic => CellKind::Float32,
        ValType::F64 if is_arithmetic => CellKind::Float64,
        ValType::I32 | ValType::F32 => CellKind::Bits32,
        ValType::I64 | ValType::F64 | ValType::Ref(_) => CellKind::Bits64,
        ValType::V128 => CellKind::Vector,
    }
}

impl<'a> Translator<'a, '_> {
    /// The locals' first values, and what an entry costs: a tick, and a look at the native stack.
    fn begin(&mut self, params: &[Value]) -> Result<(), Error> {
        match self.job.start {
            Start::Call => {
                for index in 0..self.locals.len() {
                    let held = self.locals[index].held;
                    let param = params.get(index).copied();
                    let value = param.unwrap_or_else(|| self.zero(held));
                    self.keep_local(index, value);
                    if param.is_some() {
                        self.bring_home(index, value);
                    }
                }
                self.clear_homes(params.len());
            }
            Start::Frame(pc) => self.begin_with_frame(pc)?,
        }
        let results = self.job.ty.results();
        let end = self.block_with(results);
        self.controls.push(Control {
            kind: ControlKind::Function,
            end,
            params: 0,
            results: results.iter().map(|&ty| value_type(ty)).collect(),
            height: 0,
            is_end_used: false,
            is_reachable: true,
        });
        let starts_here = self.job.start == Start::Frame(self.job.offset);
        if starts_here {
            self.join_at_start();
        }
        self.arrive(self.job.offset, true);
        Ok(())
    }

    fn body(&mut self) -> Result<(), Error> {
        let end = self.job.offset + self.job.code.len() as u32;
        for instruction in instructions(self.job) {
            let Instruction {
                operator,
                pc,
                next_pc,
            } = instruction?;
            (self.pc, self.next_pc) = (pc, next_pc);
            if self.purpose == Purpose::Listing {
                self.builder.set_srcloc(SourceLoc::new(self.pc));
            }
            if self.is_reachable {
                self.settle_before(&operator)?;
            }
            if next_pc == end {
                self.join_last();
            }
            if self.is_reachable {
                self.probe();
                self.give_watched_away(&operator);
                self.instruction(&operator)?;
                self.note_height();
            } else {
                self.skip(&operator);
            }
        }
        if self.purpose == Purpose::Listing {
            self.builder.set_srcloc(SourceLoc::default());
        }
        Ok(())
    }

    fn instruction(&mut self, operator: &Operator<'_>) -> Result<(), Error> {
        if self.numeric(operator)
            || self.access(operator)
            || self.control(operator)?
            || self.call(operator)?
            || self.vector(operator)
        {
            return Ok(());
        }
        self.variable_or_object(operator)
    }

    /// Keeps in mind how many cells the frame takes.
    fn note_height(&mut self) {
        let locals: usize = self
            .locals
            .iter()
            .map(|local| kind_of(local.ty, false).count())
            .sum();
        let operands: usize = self
            .stack
            .iter()
            .map(|operand| cells_of(self.type_of(operand.value)))
            .sum();
        self.cells_max = self.cells_max.max(locals + operands);
    }

    /// Gives the native frame a byte for each cell at least, so that a look at the native stack is one at all limits.
    fn make_room(&mut self) {
        let homes = self.homes.map_or(0, |slot| {
            self.builder.func.sized_stack_slots[slot].size as usize
        });
        let bytes = self.cells_max.saturating_sub(homes) as u32;
        if bytes > 16 {
            let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, bytes, 0);
            self.builder.create_sized_stack_slot(slot);
        }
    }

    /// The word in front, and the most cells of a frame.
    fn record_words(&self) -> u32 {
        1 + self.cells_max as u32
    }

    fn local_kinds(&self) -> Box<[CellKind]> {
        let kinds = self.locals.iter();
        kinds
            .map(|local| kind_of(local.ty, local.is_arithmetic))
            .collect()
    }

    // Small things that all parts need.

    /// Vectors lie at addresses that are multiples of a cell's size only.
    fn flags(&self, region: AliasRegion) -> MemFlagsData {
        MemFlagsData::new()
            .with_notrap()
            .with_alias_region(Some(region))
    }

    fn heap_flags(&self) -> MemFlagsData {
        MemFlagsData::new()
            .with_endianness(Endianness::Little)
            .with_alias_region(Some(self.regions.heap))
    }

    /// Reads a field of the context that changes while code runs.
    fn load_context(&mut self, ty: Type, offset: i32) -> Value {
        let flags = self.flags(self.regions.context);
        self.builder.ins().load(ty, flags, self.context, offset)
    }

    /// Reads a field of the context that does not change while code runs.
    fn load_constant(&mut self, ty: Type, offset: i32) -> Value {
        let flags = MemFlagsData::trusted().with_readonly().with_can_move();
        self.builder.ins().load(ty, flags, self.context, offset)
    }

    /// The same where it is rarely needed: the compiler does not read it before a loop, where it would take a register all along.
    fn load_constant_here(&mut self, ty: Type, offset: i32) -> Value {
        let flags = MemFlagsData::trusted().with_readonly();
        self.builder.ins().load(ty, flags, self.context, offset)
    }

    fn store_context(&mut self, value: Value, offset: i32) {
        let flags = self.flags(self.regions.context);
        self.builder.ins().store(flags, value, self.context, offset);
    }

    fn zero(&mut self, ty: Type) -> Value {
        match ty {
            types::F32 => self.builder.ins().f32const(0.0),
            types::F64 => self.builder.ins().f64const(0.0),
            ty if ty.is_vector() => self.vector_constant(ty, &[0; 16]),
            ty => self.builder.ins().iconst(ty, 0),
        }
    }

    fn type_of(&self, value: Value) -> Type {
        self.builder.func.dfg.value_type(value)
    }

    fn push(&mut self, value: Value) {
        self.stack.push(Operand {
            value,
            is_arithmetic: false,
        });
    }

    fn push_arithmetic(&mut self, value: Value) {
        self.stack.push(Operand {
            value,
            is_arithmetic: true,
        });
    }

    /// An operand for arithmetic, which does not tell one NaN from another, or one that is no float.
    fn pop(&mut self) -> Value {
        self.stack.pop().expect("validated code").value
    }

    /// An operand whose bits matter.
    fn pop_exact(&mut self) -> Value {
        let operand = self.stack.pop().expect("validated code");
        self.exact(operand)
    }

    /// The topmost operand but `depth`, which stays on the stack.
    fn peek(&self, depth: usize) -> Value {
        self.stack[self.stack.len() - 1 - depth].value
    }

    fn drop_operands(&mut self, count: usize) {
        self.stack.truncate(self.stack.len() - count);
    }

    /// Makes the topmost operands' bits what they are to be.
    fn make_exact(&mut self, count: usize) {
        let start = self.stack.len() - count;
        for index in start..self.stack.len() {
            let value = self.exact(self.stack[index]);
            self.stack[index] = Operand {
                value,
                is_arithmetic: false,
            };
        }
    }

    fn cold_block(&mut self) -> Block {
        let block = self.builder.create_block();
        self.builder.set_cold_block(block);
        block
    }

    /// A block whose parameters have these types.
    fn block_with(&mut self, wasm_types: &[ValType]) -> Block {
        let block = self.builder.create_block();
        for &ty in wasm_types {
            self.builder.append_block_param(block, value_type(ty));
        }
        block
    }

    /// Goes on in a new block if the condition is false, else in the cold block given.
    fn branch_cold(&mut self, condition: Value, cold: Block) {
        let next = self.builder.create_block();
        self.builder.ins().brif(condition, cold, &[], next, &[]);
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
    }

    /// Looks closer, in a cold block, if the condition holds; goes on behind it in either case.
    fn if_rare(&mut self, condition: Value, look: impl FnOnce(&mut Self)) {
        let cold = self.cold_block();
        let next = self.builder.create_block();
        self.builder.ins().brif(condition, cold, &[], next, &[]);
        self.builder.seal_block(cold);
        self.builder.switch_to_block(cold);
        look(self);
        self.builder.ins().jump(next, &[]);
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
    }

    /// Calls a function of the runtime.
    fn call_runtime(&mut self, function: Runtime, arguments: &[Value]) -> Value {
        let position = function as usize;
        let signature = match self.runtime_signatures[position] {
            Some(signature) => signature,
            None => {
                let signature = runtime_signature(function, self.isa.default_call_conv());
                let signature = self.builder.import_signature(signature);
                self.runtime_signatures[position] = Some(signature);
                signature
            }
        };
        let offset = std::mem::offset_of!(Context, runtime) + position * size_of::<usize>();
        let address = self.load_constant_here(types::I64, offset as i32);
        let mut all = vec![self.context];
        all.extend_from_slice(arguments);
        let call = self.builder.ins().call_indirect(signature, address, &all);
        if function.is_rare() {
            return self.load_context(types::I64, std::mem::offset_of!(Context, answer) as i32);
        }
        self.builder.inst_results(call)[0]
    }

    fn constant(&mut self, value: u64) -> Value {
        self.builder.ins().iconst(types::I64, value as i64)
    }

    /// An index or address of a table or memory as 64 bits.
    fn widen(&mut self, value: Value) -> Value {
        if self.type_of(value) == types::I64 {
            value
        } else {
            self.builder.ins().uextend(types::I64, value)
        }
    }

    /// A truth value as the `i32` that wasm has.
    fn push_truth(&mut self, truth: Value) {
        let value = self.builder.ins().uextend(types::I32, truth);
        self.push(value);
    }

    /// What an `i32` condition is made of, where that is a comparison.
    fn truth(&self, value: Value) -> Value {
        use cranelift_codegen::ir::{InstructionData, Opcode, ValueDef};
        let ValueDef::Result(inst, _) = self.builder.func.dfg.value_def(value) else {
            return value;
        };
        match self.builder.func.dfg.insts[inst] {
            InstructionData::Unary {
                opcode: Opcode::Uextend,
                arg,
            } if self.type_of(arg) == types::I8 => arg,
            _ => value,
        }
    }

    fn is_zero(&mut self, value: Value) -> Value {
        self.builder.ins().icmp_imm_s(IntCC::Equal, value, 0)
    }
}

/// The cells that a value of a type takes.
fn cells_of(ty: Type) -> usize {
    if ty.is_vector() { 2 } else { 1 }
}

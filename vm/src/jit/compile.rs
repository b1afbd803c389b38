//! Which code functions have, and making it.

use std::collections::HashMap;
use std::ffi::c_void;
use std::time::{Duration, Instant};

use wasmparser::FuncType;
use wdb_codegen::{Compiled, Compiler, Level, Probe, Start, Trampoline, Translated};

use super::code::{CodeMemory, Entrance, Unit};
use super::job::{Wanted, with_job};
use super::{COMPILER_STACK_BYTES, Code, FrameCode, FuncState, Jit, Policy, Toolchain};
use crate::address::{FuncAddr, TypeId};
use crate::classic::Classic;
use crate::machine::Machine;
use crate::store::{FuncKind, Store};

/// How much code of a function takes so long to compile that it is done on a thread beside, so that an interrupt is heeded.
const LONG_BYTES: usize = 2048;

/// How much does so where the program goes on in the fast tier meanwhile, much slower.
const LONG_BYTES_BESIDE: usize = 16 << 10;

/// How long nobody looks at the interrupt while such a function is compiled.
const PATIENCE: Duration = Duration::from_millis(5);

impl Jit {
    /// Compiles every function of the store that has code, at a level.
    pub(crate) fn compile_all(
        &mut self,
        store: &Store,
        machine: &mut Machine,
        classic: &Classic,
        level: Level,
    ) {
        self.prepare(store, machine, Policy::Level(level), None);
        for (index, inst) in store.funcs.iter().enumerate() {
            // Whoever runs next goes on with it.
            if self.interrupt.is_raised() {
                return;
            }
            if inst.kind == FuncKind::Wasm {
                let func = FuncAddr(index as u32);
                self.code_of(store, machine, classic, func, Start::Call);
            }
        }
    }

    pub(super) fn unit(&self, number: u32) -> &Unit {
        self.units[number as usize]
            .as_ref()
            .expect("a record names code that there is")
    }

    pub(super) fn state(&mut self, func: FuncAddr) -> &mut FuncState {
        self.funcs[func.index()].get_or_insert_with(|| {
            Box::new(FuncState {
                call: [Code::None; 2],
                frames: HashMap::new(),
                stub: None,
                loops: None,
            })
        })
    }

    /// Where a function is entered by calls; compiles it if need be.
    pub(super) fn entry_of(
        &mut self,
        store: &Store,
        machine: &Machine,
        classic: &Classic,
        func: FuncAddr,
    ) -> *const c_void {
        let code = self.code_of(store, machine, classic, func, Start::Call);
        let number = match code {
            Code::Unit(number) => number,
            _ => self.stub_of(store, machine, func),
        };
        let address = self.unit(number).memory.address();
        if matches!(code, Code::Unit(_) | Code::Impossible) {
            self.set_entry(func, address);
        }
        address
    }

    /// The code of a function from a place; compiles it if need be. It is still being compiled, or there is none yet, if the interrupt
    /// was raised, or if nobody waits for it.
    pub(super) fn code_of(
        &mut self,
        store: &Store,
        machine: &Machine,
        classic: &Classic,
        func: FuncAddr,
        start: Start,
    ) -> Code {
        let level = self.level();
        let mut known = self.known_code(func, start, level);
        if known == Code::None {
            // A program that has just begun calls one new function after the other.
            if self.interrupt.is_raised() {
                return Code::None;
            }
            let is_impossible = self.state(func).call.contains(&Code::Impossible);
            known = if is_impossible || !store.is_valid(func) {
                Code::Impossible
            } else {
                let probes = classic.ruled_probes(func);
                self.compile(store, machine, (func, start), &probes, false)
            };
            self.set_code((func, start), level, known);
        }
        let waits = self.policy != Policy::Auto;
        while waits && matches!(known, Code::Pending(_)) && !self.interrupt.is_raised() {
            self.receive(PATIENCE);
            known = self.known_code(func, start, level);
        }
        known
    }

    /// What is known of the code of a function from a place.
    pub(super) fn known_code(&self, func: FuncAddr, start: Start, level: Level) -> Code {
        let Some(state) = &self.funcs[func.index()] else {
            return Code::None;
        };
        match start {
            Start::Call => state.call[level as usize],
            Start::Frame(pc) => {
                let frame = state.frames.get(&(pc, level as usize));
                frame.map_or(Code::None, |frame| frame.code)
            }
        }
    }

    pub(super) fn set_code(&mut self, (func, start): (FuncAddr, Start), level: Level, code: Code) {
        let state = self.state(func);
        match start {
            Start::Call => state.call[level as usize] = code,
            Start::Frame(pc) => {
                let frame = state.frames.entry((pc, level as usize));
                let frame = frame.or_insert(FrameCode { code, arrivals: 0 });
                frame.code = code;
            }
        }
        if let (Start::Call, Some(unit)) = (start, self.best_unit(func)) {
            self.enter_by(func, unit);
        }
    }

    /// Code that leaves at a function's first instruction, where an interpreter goes on.
    pub(super) fn stub_of(&mut self, store: &Store, machine: &Machine, func: FuncAddr) -> u32 {
        if let Some(stub) = self.state(func).stub {
            return stub;
        }
        let Code::Unit(stub) = self.compile(store, machine, (func, Start::Call), &[], true) else {
            unreachable!("code without instructions can be compiled where others can");
        };
        self.state(func).stub = Some(stub);
        stub
    }

    pub(super) fn compile(
        &mut self,
        store: &Store,
        machine: &Machine,
        (func, start): (FuncAddr, Start),
        probes: &[Probe],
        is_stub: bool,
    ) -> Code {
        let begin = Instant::now();
        let level = self.level();
        let number = self.reserve_unit();
        let place = (func, start);
        let takes_long = store.code_len(func)
            > match self.policy {
                Policy::Level(_) => LONG_BYTES,
                Policy::Auto => LONG_BYTES_BESIDE,
            };
        let translated =
            match self.translate(store, machine, place, (number, level, probes), is_stub) {
                Ok(translated) if takes_long && !is_stub => {
                    let translated = (translated, begin.elapsed());
                    match self.order(number, place, level, translated) {
                        Ok(pending) => return pending,
                        Err(translated) => Ok(translated),
                    }
                }
                translated => translated,
            };
        let compiled = translated.and_then(|translated| {
            let compiler = self.compiler()?;
            stacker::maybe_grow(COMPILER_STACK_BYTES, COMPILER_STACK_BYTES, || {
                let compiled = compiler.finish(translated);
                compiled.map_err(|error| error.to_string())
            })
        });
        self.install(number, place, compiled, level, begin.elapsed())
    }

    fn compiler(&mut self) -> Result<&mut Compiler, String> {
        self.need_toolchain();
        compiler_of(&mut self.toolchain)
    }

    /// A number for code that is going to be compiled.
    pub(super) fn reserve_unit(&mut self) -> u32 {
        self.free_units.pop().unwrap_or_else(|| {
            self.units.push(None);
            self.units.len() as u32 - 1
        })
    }

    /// The first part of compiling.
    pub(super) fn translate(
        &mut self,
        store: &Store,
        machine: &Machine,
        (func, start): (FuncAddr, Start),
        (unit, level, probes): (u32, Level, &[Probe]),
        is_stub: bool,
    ) -> Result<Translated, String> {
        let is_guarded = self.needs_checkpoint();
        self.need_toolchain();
        let compiler = compiler_of(&mut self.toolchain)?;
        let wanted = Wanted {
            func,
            level,
            plan: &self.plan,
            watch_extent: &self.watch_extent,
            start,
            unit,
            probes,
            is_stub,
            is_guarded,
        };
        with_job(store, machine, &wanted, |job| {
            compiler.translate(job).map_err(|error| error.to_string())
        })
    }

    /// Makes compiled code ready to run.
    pub(super) fn install(
        &mut self,
        number: u32,
        (func, start): (FuncAddr, Start),
        compiled: Result<Compiled, String>,
        level: Level,
        compilation: Duration,
    ) -> Code {
        self.compilation[level as usize] += compilation;
        let installed = compiled.and_then(|compiled| {
            let memory = CodeMemory::new(&compiled.code, compiled.alignment)?;
            Ok((compiled, memory))
        });
        let (compiled, memory) = match installed {
            Ok(installed) => installed,
            Err(obstacle) => {
                self.free_units.push(number);
                self.obstacles.insert(func, obstacle);
                return Code::Impossible;
            }
        };
        let range = memory.range();
        let position = self
            .ranges
            .partition_point(|known| known.start < range.start);
        self.ranges.insert(position, range);
        let unit = Box::new(Unit {
            func,
            start,
            level,
            memory,
            sites: compiled.sites.into(),
            locals: compiled.locals,
            record_words: compiled.record_words,
            compilation,
        });
        if let Some(map) = &mut self.perf_map {
            map.note(&unit);
        }
        self.units[number as usize] = Some(unit);
        Code::Unit(number)
    }

    pub(super) fn entrance(
        &mut self,
        type_id: TypeId,
        ty: &FuncType,
        takes_params: bool,
    ) -> Option<&Entrance> {
        let key = (type_id, takes_params);
        if !self.entrances.contains_key(&key) {
            let compiler = self.compiler().ok()?;
            let Trampoline {
                code,
                alignment,
                landing,
            } = compiler.trampoline(ty, takes_params).ok()?;
            let memory = CodeMemory::new(&code, alignment).ok()?;
            let landing = memory.range().start + landing as usize;
            self.entrances.insert(key, Entrance { memory, landing });
        }
        self.entrances.get(&key)
    }
}

fn compiler_of(
    toolchain: &mut Option<Result<Box<Toolchain>, String>>,
) -> Result<&mut Compiler, String> {
    match toolchain {
        Some(Ok(toolchain)) => Ok(&mut toolchain.compiler),
        Some(Err(refusal)) => Err(refusal.clone()),
        None => unreachable!("whoever needs it has had it made"),
    }
}

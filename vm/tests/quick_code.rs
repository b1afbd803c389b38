//! A run executes whole sequences of instructions at once; wherever it stops, it must stand as if each had been a step.

mod support;

use std::fmt::Write as _;
use std::sync::Arc;

use support::random::Random;
use support::{BUSY, Counter, INSTANCE, call, invoke, machine_of};
use wdb_vm::address::CodeAddress;
use wdb_vm::exit::Exit;
use wdb_vm::module::Module;
use wdb_vm::value::Value;
use wdb_vm::vm::{Config, RunLimit, Vm};

/// Executes `stepped` instruction by instruction and lets `run` catch up now and then; both must always agree.
fn check_stops(
    random: &mut Random,
    stepped: &mut Vm,
    run: &mut Vm,
    steps_max: u64,
    interval: u64,
) -> Option<Exit> {
    assert_eq!(stepped.begin(), None);
    let mut steps = 0;
    loop {
        for _ in 0..1 + random.below(interval) {
            match stepped.step() {
                Exit::Stepped => steps += 1,
                exit => {
                    assert_eq!(run.run(RunLimit::default()), exit);
                    assert!(run.checkpoint(None) == stepped.checkpoint(None), "{exit:?}");
                    return Some(exit);
                }
            }
        }
        catch_up(random, stepped, run);
        assert_eq!(run.time(), stepped.time());
        assert!(
            run.checkpoint(None) == stepped.checkpoint(None),
            "states differ at {:?}",
            run.time()
        );
        if steps > steps_max {
            return None;
        }
    }
}

/// Brings `run` to the time of `stepped`, by a probe there, or to the tick and then by steps.
fn catch_up(random: &mut Random, stepped: &Vm, run: &mut Vm) {
    let time = stepped.time();
    if random.below(2) == 0 {
        let frame = stepped.frame(0).expect("it is in the midst of a run");
        let address = CodeAddress {
            instance: frame.instance,
            pc: frame.pc,
        };
        run.set_probe(address);
        while run.time() != time {
            assert_eq!(run.run(RunLimit::default()), Exit::Probe);
            assert!(run.time() <= time, "{:?} is beyond {time:?}", run.time());
        }
        run.clear_probe(address);
    } else {
        if run.frame_count() == 0 || run.time().tick < time.tick {
            let limit = RunLimit {
                tick: Some(time.tick),
                ..RunLimit::default()
            };
            assert_eq!(run.run(limit), Exit::Tick);
        }
        while run.time() != time {
            assert_eq!(run.step(), Exit::Stepped);
        }
    }
}

fn check_text(random: &mut Random, text: &str, steps_max: u64, interval: u64) -> Option<Exit> {
    let [mut stepped, mut run] = [(), ()].map(|()| {
        let mut vm = machine_of(text);
        invoke(&mut vm, "main", &[Value::I32(40)]);
        vm
    });
    check_stops(random, &mut stepped, &mut run, steps_max, interval)
}

#[test]
fn runs_stop_like_steps_in_a_busy_program() {
    let mut random = Random::new();
    check_text(&mut random, BUSY, 30_000, 100);
}

#[test]
fn runs_stop_like_steps_in_compiled_programs() {
    let mut random = Random::new();
    let programs = concat!(env!("CARGO_MANIFEST_DIR"), "/../bench/programs");
    let mut count = 0;
    for entry in std::fs::read_dir(programs).expect("the benchmarks' programs are there") {
        let path = entry.expect("readable").path();
        if path.extension().is_none_or(|extension| extension != "wasm") {
            continue;
        }
        println!("{}", path.display());
        let bytes = std::fs::read(&path).expect("readable");
        let module = Module::parse(bytes, None).expect("valid");
        let [mut stepped, mut run] = [(), ()].map(|()| {
            let config = Config::default();
            let mut vm = Vm::new(&module, Box::new(Counter(0)), Arc::default(), config)
                .expect("it imports nothing");
            let func = vm.exported_func(INSTANCE, "run").expect("exported");
            vm.invoke(func, &[Value::I32(1)])
                .expect("the argument fits");
            vm
        });
        check_stops(&mut random, &mut stepped, &mut run, 200_000, 8_000);
        count += 1;
    }
    assert!(count > 0, "there are programs");
}

#[test]
fn runs_stop_like_steps_in_random_programs() {
    let mut random = Random::new();
    let (mut ended, mut trapped) = (0, 0);
    for _ in 0..400 {
        let text = Program::new(&mut random).finish();
        match check_text(&mut random, &text, 400, 40) {
            Some(Exit::Trap(_)) => trapped += 1,
            Some(_) => ended += 1,
            None => {}
        }
    }
    println!("{ended} ended, {trapped} trapped");
    assert!(ended > 10 && trapped > 10, "programs of each kind");
}

#[test]
fn numbers_of_every_length_arrive() {
    for bits in 0..64 {
        for value in [1i64 << bits, -1 << bits, !(-1 << bits)] {
            let text = format!(
                "(module
                (func $short (param i32) (result i64) local.get 0 i32.const {} i32.add i64.extend_i32_s)
                (func (export \"main\") (param i32) (result i64)
                    local.get 0 call $short i64.const {value} i64.xor))",
                value as i32
            );
            let short = i64::from((value as i32).wrapping_add(3));
            assert_eq!(
                call(&mut machine_of(&text), "main", &[Value::I32(3)]),
                Exit::Finished(vec![Value::I64(short ^ value)]),
                "{value}"
            );
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Type {
    I32,
    I64,
    F32,
    F64,
}

use Type::{F32, F64, I32, I64};

/// Locals by type; the first is the parameter, and the last shares its cell with the bottom of the operand stack.
const LOCALS: [Type; 9] = [I32, I32, I64, F64, F32, I32, I64, F64, I32];

/// Instructions without immediates: operands and result.
const PURE: &[(&str, &[Type], Type)] = &[
    ("i32.add", &[I32, I32], I32),
    ("i32.sub", &[I32, I32], I32),
    ("i32.mul", &[I32, I32], I32),
    ("i32.div_s", &[I32, I32], I32),
    ("i32.rem_u", &[I32, I32], I32),
    ("i32.and", &[I32, I32], I32),
    ("i32.xor", &[I32, I32], I32),
    ("i32.shl", &[I32, I32], I32),
    ("i32.shr_u", &[I32, I32], I32),
    ("i32.rotl", &[I32, I32], I32),
    ("i32.lt_s", &[I32, I32], I32),
    ("i32.gt_u", &[I32, I32], I32),
    ("i32.ne", &[I32, I32], I32),
    ("i32.eqz", &[I32], I32),
    ("i32.wrap_i64", &[I64], I32),
    ("i64.extend_i32_s", &[I32], I64),
    ("i64.add", &[I64, I64], I64),
    ("i64.xor", &[I64, I64], I64),
    ("i64.rotl", &[I64, I64], I64),
    ("i64.shr_u", &[I64, I64], I64),
    ("i64.lt_u", &[I64, I64], I32),
    ("f64.add", &[F64, F64], F64),
    ("f64.sub", &[F64, F64], F64),
    ("f64.mul", &[F64, F64], F64),
    ("f64.div", &[F64, F64], F64),
    ("f64.sqrt", &[F64], F64),
    ("f64.gt", &[F64, F64], I32),
    ("f64.promote_f32", &[F32], F64),
    ("f64.convert_i32_s", &[I32], F64),
    ("f32.mul", &[F32, F32], F32),
    ("f32.add", &[F32, F32], F32),
    ("f32.demote_f64", &[F64], F32),
    ("i32.reinterpret_f32", &[F32], I32),
    ("i64.reinterpret_f64", &[F64], I64),
    ("call $twice", &[I32], I32),
];

/// Accesses of memory: the access, its type, whether it is a store.
const ACCESSES: &[(&str, Type, bool)] = &[
    ("i32.load", I32, false),
    ("i32.load8_u", I32, false),
    ("i32.load16_s", I32, false),
    ("i64.load", I64, false),
    ("f64.load", F64, false),
    ("f32.load", F32, false),
    ("i32.store", I32, true),
    ("i32.store8", I32, true),
    ("i64.store", I64, true),
    ("f64.store", F64, true),
];

/// A random valid function with a memory and a global.
struct Program<'r> {
    random: &'r mut Random,
    body: String,
    stack: Vec<Type>,
    /// The heights that the stack had at open blocks.
    blocks: Vec<usize>,
}

impl Program<'_> {
    fn new(random: &mut Random) -> Program<'_> {
        Program {
            random,
            body: String::new(),
            stack: Vec::new(),
            blocks: Vec::new(),
        }
    }

    fn finish(mut self) -> String {
        for _ in 0..20 + self.random.below(150) {
            self.add_instruction();
        }
        while !self.blocks.is_empty() {
            self.close();
        }
        let drops = "drop ".repeat(self.stack.len());
        format!(
            "(module (memory 1) (global $g (mut i64) (i64.const 5))
            (func $twice (param i32) (result i32) local.get 0 i32.const 1 i32.shl)
            (func (export \"main\") (param i32) (result i64)
                (local i32 i64 f64 f32 i32 i64 f64 i32)
                {} {drops} global.get $g))",
            self.body
        )
    }

    fn emit(&mut self, text: impl std::fmt::Display) {
        writeln!(self.body, "{text}").expect("a string takes everything");
    }

    /// The operands of the innermost block.
    fn operands(&self) -> &[Type] {
        &self.stack[self.blocks.last().copied().unwrap_or(0)..]
    }

    fn pop(&mut self, types: &[Type]) -> bool {
        let fits = self.operands().ends_with(types);
        if fits {
            self.stack.truncate(self.stack.len() - types.len());
        }
        fits
    }

    fn add_instruction(&mut self) {
        match self.random.below(16) {
            0..3 => self.add_constant(),
            3..7 => {
                let index = self.random.below(LOCALS.len() as u64) as usize;
                self.emit(format_args!("local.get {index}"));
                self.stack.push(LOCALS[index]);
            }
            7..9 => self.add_write(),
            9..13 => {
                let (name, operands, result) = PURE[self.random.below(PURE.len() as u64) as usize];
                if self.pop(operands) {
                    self.emit(name);
                    self.stack.push(result);
                }
            }
            13 => self.add_access(),
            14 => self.add_branch(),
            _ => {
                if self.random.below(3) == 0 && self.pop(&[I64]) {
                    self.emit("global.set $g");
                } else {
                    self.emit("global.get $g");
                    self.stack.push(I64);
                }
            }
        }
    }

    fn add_constant(&mut self) {
        // As many bits as the dice say, so that the encoding takes any number of bytes.
        let bits = 1 + self.random.below(63);
        let value = self.random.below(1 << bits) as i64 - (1 << (bits - 1));
        let ty = [I32, I32, I64, F32, F64][self.random.below(5) as usize];
        match ty {
            I32 => self.emit(format_args!("i32.const {}", value as i32)),
            I64 => self.emit(format_args!("i64.const {value}")),
            F32 => self.emit(format_args!(
                "f32.const {}",
                ["0.5", "nan", "-1e30"][bits as usize % 3]
            )),
            F64 => self.emit(format_args!(
                "f64.const {}",
                ["-2.5", "inf", "nan:0x8000000000123"][bits as usize % 3]
            )),
        }
        self.stack.push(ty);
    }

    /// Writes a local from the stack.
    fn add_write(&mut self) {
        let Some(&ty) = self.operands().last() else {
            return;
        };
        let start = self.random.below(LOCALS.len() as u64) as usize;
        let mut indices = (start..LOCALS.len()).chain(0..start);
        let Some(index) = indices.find(|&index| LOCALS[index] == ty) else {
            return;
        };
        if self.random.below(2) == 0 {
            self.emit(format_args!("local.tee {index}"));
        } else {
            self.emit(format_args!("local.set {index}"));
            self.stack.pop();
        }
    }

    fn add_access(&mut self) {
        let (name, ty, is_store) = ACCESSES[self.random.below(ACCESSES.len() as u64) as usize];
        let offset = [0, 8, 200, 20_000, 70_000][self.random.below(20).min(4) as usize % 5];
        let offset = if self.random.below(8) == 0 {
            offset
        } else {
            offset.min(200)
        };
        if is_store {
            let index = LOCALS.iter().position(|&local| local == ty);
            let index = index.expect("there is a local of each type");
            if self.pop(&[I32]) {
                self.emit("i32.const 0xfff i32.and");
                self.emit(format_args!("local.get {index} {name} offset={offset}"));
            }
        } else if self.pop(&[I32]) {
            if self.random.below(8) != 0 {
                self.emit("i32.const 0xfff i32.and");
            }
            self.emit(format_args!("{name} offset={offset}"));
            self.stack.push(ty);
        }
    }

    fn add_branch(&mut self) {
        match self.random.below(4) {
            0 => {
                let kind = ["block", "loop", "block block end"][self.random.below(3) as usize];
                self.emit(kind);
                self.blocks.push(self.stack.len());
            }
            1 if !self.blocks.is_empty() => self.close(),
            _ if !self.blocks.is_empty() && self.operands().ends_with(&[I32]) => {
                self.stack.pop();
                let depth = self.random.below(self.blocks.len() as u64);
                self.emit(format_args!("br_if {depth}"));
            }
            _ => {}
        }
    }

    /// Ends the innermost block, which has no results.
    fn close(&mut self) {
        let height = self.blocks.pop().expect("a block is open");
        self.emit("drop ".repeat(self.stack.len() - height));
        self.emit("end");
        self.stack.truncate(height);
    }
}

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
    for number in 0..600 {
        let dialect = DIALECTS[number % DIALECTS.len()];
        let text = Program::new(&mut random, dialect).finish();
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
    V128,
}

use Type::{F32, F64, I32, I64, V128};

impl Type {
    fn text(self) -> &'static str {
        match self {
            I32 => "i32",
            I64 => "i64",
            F32 => "f32",
            F64 => "f64",
            V128 => "v128",
        }
    }
}

/// What programs are made of.
#[derive(Clone, Copy)]
struct Dialect {
    /// Locals by type; the first is the parameter, and the last shares its cell with the bottom of the operand stack.
    locals: [Type; 9],
    /// Memory 0's address type.
    addresses: Type,
}

const DIALECTS: [Dialect; 4] = [
    Dialect {
        locals: [I32, I32, I64, F64, F32, I32, I64, F64, I32],
        addresses: I32,
    },
    Dialect {
        locals: [I32, V128, I64, F64, V128, I32, F32, V128, I32],
        addresses: I32,
    },
    Dialect {
        locals: [I32, I32, V128, F64, F32, I32, I64, V128, V128],
        addresses: I64,
    },
    Dialect {
        locals: [I32, I32, I64, F64, F32, I32, I64, F64, I64],
        addresses: I64,
    },
];

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
    ("select", &[I64, I64, I32], I64),
];

/// The same on vectors.
const VECTORS: &[(&str, &[Type], Type)] = &[
    ("i8x16.add_sat_s", &[V128, V128], V128),
    ("i16x8.mul", &[V128, V128], V128),
    ("i32x4.lt_u", &[V128, V128], V128),
    ("f32x4.add", &[V128, V128], V128),
    ("f64x2.div", &[V128, V128], V128),
    ("f64x2.sqrt", &[V128], V128),
    ("v128.not", &[V128], V128),
    ("v128.bitselect", &[V128, V128, V128], V128),
    ("i16x8.shl", &[V128, I32], V128),
    ("v128.any_true", &[V128], I32),
    ("i8x16.bitmask", &[V128], I32),
    ("i32x4.splat", &[I32], V128),
    ("f64x2.splat", &[F64], V128),
    ("i32x4.extract_lane 2", &[V128], I32),
    ("f32x4.extract_lane 3", &[V128], F32),
    ("i64x2.replace_lane 1", &[V128, I64], V128),
    (
        "i8x16.shuffle 0 17 2 19 4 21 6 23 8 25 10 27 12 29 14 31",
        &[V128, V128],
        V128,
    ),
    ("f32x4.relaxed_madd", &[V128, V128, V128], V128),
    ("select", &[V128, V128, I32], V128),
    ("select (result v128)", &[V128, V128, I32], V128),
    ("call $swapped", &[V128, I32], V128),
];

/// How an instruction accesses memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Use {
    /// Takes an address.
    Load,
    /// Takes an address and a value.
    Store,
    /// Takes an address and a value, and gives one.
    Exchange,
}

use Use::{Exchange, Load, Store};

/// Accesses of memory: the access, what follows its offset, its type.
const ACCESSES: &[(&str, &str, Type, Use)] = &[
    ("i32.load", "", I32, Load),
    ("i32.load8_u", "", I32, Load),
    ("i32.load16_s", "", I32, Load),
    ("i64.load", "", I64, Load),
    ("f64.load", "", F64, Load),
    ("f32.load", "", F32, Load),
    ("i32.store", "", I32, Store),
    ("i32.store8", "", I32, Store),
    ("i64.store", "", I64, Store),
    ("f64.store", "", F64, Store),
    ("i32.atomic.load16_u", "", I32, Load),
    ("i64.atomic.store32", "", I64, Store),
    ("i32.atomic.rmw8.add_u", "", I32, Exchange),
    ("i64.atomic.rmw.xchg", "", I64, Exchange),
    ("v128.load", "", V128, Load),
    ("v128.load32_splat", "", V128, Load),
    ("v128.load8x8_s", "", V128, Load),
    ("v128.store", "", V128, Store),
    ("v128.store16_lane", "5", V128, Store),
    ("v128.load64_lane", "1", V128, Exchange),
];

/// A random valid function with a memory and a global.
struct Program<'r> {
    random: &'r mut Random,
    dialect: Dialect,
    body: String,
    stack: Vec<Type>,
    /// The heights that the stack had at open blocks.
    blocks: Vec<usize>,
}

impl Program<'_> {
    fn new(random: &mut Random, dialect: Dialect) -> Program<'_> {
        Program {
            random,
            dialect,
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
        let locals = self.dialect.locals[1..].iter().map(|ty| ty.text());
        let locals: Vec<&str> = locals.collect();
        format!(
            "(module (memory {addresses} 1) (memory 1)
            (global $g (mut i64) (i64.const 5))
            (global $v (mut v128) (v128.const i64x2 5 6))
            (func $twice (param i32) (result i32) local.get 0 i32.const 1 i32.shl)
            (func $swapped (param v128 i32) (result v128)
                local.get 0 local.get 1 i32x4.splat local.get 0 local.get 1 select drop)
            (func (export \"main\") (param i32) (result i64)
                (local {locals})
                {body} {drops} global.get $g))",
            addresses = self.dialect.addresses.text(),
            locals = locals.join(" "),
            body = self.body
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
                let index = self.random.below(self.dialect.locals.len() as u64) as usize;
                self.emit(format_args!("local.get {index}"));
                self.stack.push(self.dialect.locals[index]);
            }
            7..9 => self.add_write(),
            9..13 => {
                let instructions = match self.random.below(3) {
                    0 => VECTORS,
                    _ => PURE,
                };
                let (name, operands, result) =
                    instructions[self.random.below(instructions.len() as u64) as usize];
                if self.pop(operands) {
                    self.emit(name);
                    self.stack.push(result);
                }
            }
            13 => self.add_access(),
            14 => self.add_branch(),
            _ => {
                let (name, ty) = [("$g", I64), ("$v", V128)][self.random.below(2) as usize];
                if self.random.below(3) == 0 && self.pop(&[ty]) {
                    self.emit(format_args!("global.set {name}"));
                } else {
                    self.emit(format_args!("global.get {name}"));
                    self.stack.push(ty);
                }
            }
        }
    }

    fn add_constant(&mut self) {
        // As many bits as the dice say, so that the encoding takes any number of bytes.
        let bits = 1 + self.random.below(63);
        let value = self.random.below(1 << bits) as i64 - (1 << (bits - 1));
        let ty = [I32, I32, I64, F32, F64, V128][self.random.below(6) as usize];
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
            V128 => self.emit(format_args!("v128.const i64x2 {value} {bits}")),
        }
        self.stack.push(ty);
    }

    /// Writes a local from the stack.
    fn add_write(&mut self) {
        let Some(&ty) = self.operands().last() else {
            return;
        };
        let locals = self.dialect.locals;
        let start = self.random.below(locals.len() as u64) as usize;
        let mut indices = (start..locals.len()).chain(0..start);
        let Some(index) = indices.find(|&index| locals[index] == ty) else {
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
        let (name, suffix, ty, how) = ACCESSES[self.random.below(ACCESSES.len() as u64) as usize];
        let offset = [0, 8, 200, 20_000, 70_000][self.random.below(20).min(4) as usize % 5];
        let offset = if self.random.below(8) == 0 {
            offset
        } else {
            offset.min(200)
        };
        let value = self.dialect.locals.iter().position(|&local| local == ty);
        if how != Load && value.is_none() || !self.pop(&[I32]) {
            return;
        }
        if how != Load || self.random.below(8) != 0 {
            self.emit("i32.const 0xff8 i32.and");
        }
        let memory = self.random.below(3).min(1);
        if memory == 0 && self.dialect.addresses == I64 {
            self.emit("i64.extend_i32_u");
        }
        if let Some(value) = value.filter(|_| how != Load) {
            self.emit(format_args!("local.get {value}"));
        }
        self.emit(format_args!("{name} {memory} offset={offset} {suffix}"));
        if how != Store {
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

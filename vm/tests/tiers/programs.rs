//! The programs that every tier runs.

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use wdb_vm::address::InstanceAddr;
use wdb_vm::host::Host;
use wdb_vm::module::Module;
use wdb_vm::tier::{Compile, Tier};
use wdb_vm::value::Value;
use wdb_vm::vm::{Config, Vm};
use wdb_vm::wasi::{OutputKind, StdinSource, WasiConfig};

use crate::support::{BUSY, Counter};

/// The instance of the program.
pub(crate) const INSTANCE: InstanceAddr = InstanceAddr(0);

/// A program, and what it is given.
#[derive(Clone, Debug)]
pub(crate) enum Program {
    /// A command of WASI in `samples`, and the file there that is its standard input.
    Command(&'static str, Option<&'static str>),
    /// An exported function of a module in `samples`.
    Export(&'static str, &'static str),
    /// The function `run` of a program of the benchmarks, and how much it is to do.
    Bench(&'static str, i32),
    /// [`BUSY`], and the number of its rounds.
    Busy(i32),
    /// Instructions on vectors, and the number of its rounds.
    Vectors(i32),
}

/// A machine that is about to run a program.
pub(crate) struct Guest {
    pub(crate) vm: Vm,
    pub(crate) output: Output,
}

/// What a program wrote to its output and error streams.
#[derive(Clone, Default)]
pub(crate) struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().expect("no writer panics").clone()
    }

    /// The number of bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().expect("no writer panics").len()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .expect("no writer panics")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Program {
    /// A machine that stands before the program's first instruction.
    pub(crate) fn start(&self, tier: Tier, compile: Compile) -> Guest {
        self.start_with(Config {
            tier,
            compile,
            ..Config::default()
        })
    }

    /// Begins to run as this says.
    pub(crate) fn start_with(&self, config: Config) -> Guest {
        let output = Output::default();
        let mut vm = self.machine(config, &output);
        let (name, args) = self.entry();
        let func = vm.exported_func(INSTANCE, name).expect("it is exported");
        vm.invoke(func, &args).expect("the arguments fit");
        Guest { vm, output }
    }

    fn machine(&self, config: Config, output: &Output) -> Vm {
        let wasi = self.wasi(output);
        let state = Arc::new(wasi.initial_state());
        let host: Box<dyn Host> = match self {
            Program::Busy(_) => Box::new(Counter(100)),
            _ => Box::new(wasi),
        };
        let module = Module::parse(self.bytes(), None).expect("the program is valid");
        Vm::new(&module, host, state, config).expect("the program can be linked")
    }

    fn wasi(&self, output: &Output) -> wdb_vm::wasi::Wasi {
        let stdin = match self {
            Program::Command(_, Some(file)) => StdinSource::File(repository().join(file)),
            _ => StdinSource::Empty,
        };
        WasiConfig::new()
            .args(["program"])
            .stdin(stdin)
            .stdout(OutputKind::Pipe, Box::new(output.clone()))
            .stderr(OutputKind::Pipe, Box::new(output.clone()))
            .build()
            .expect("what it is given exists")
    }

    fn bytes(&self) -> Vec<u8> {
        let path = match self {
            Program::Command(file, _) | Program::Export(file, _) => repository().join(file),
            Program::Bench(name, _) => repository().join(format!("bench/programs/{name}.wasm")),
            Program::Busy(_) => return BUSY.as_bytes().to_vec(),
            Program::Vectors(_) => return include_bytes!("vectors.wat").to_vec(),
        };
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn entry(&self) -> (&str, Vec<Value>) {
        match self {
            Program::Command(..) => ("_start", Vec::new()),
            Program::Export(_, name) => (name, Vec::new()),
            Program::Bench(_, n) => ("run", vec![Value::I32(*n)]),
            Program::Busy(rounds) | Program::Vectors(rounds) => ("main", vec![Value::I32(*rounds)]),
        }
    }
}

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The exports of samples/traps, each of which traps.
pub(crate) fn traps() -> Vec<Program> {
    [
        "unreachable",
        "divide-by-zero",
        "divide-overflow",
        "remainder-by-zero",
        "convert-not-a-number",
        "convert-too-large",
        "load-out-of-bounds",
        "store-out-of-bounds",
        "fill-out-of-bounds",
        "copy-out-of-bounds",
        "init-from-dropped-segment",
        "table-get-out-of-bounds",
        "table-copy-out-of-bounds",
        "undefined-element",
        "uninitialized-element",
        "indirect-call-type-mismatch",
        "stack-exhausted",
    ]
    .map(|name| Program::Export("samples/traps/traps.wasm", name))
    .into()
}

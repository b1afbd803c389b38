//! Making the machine that runs the program.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;

use wdb_vm::address::{FuncAddr, FuncIndex, InstanceAddr};
use wdb_vm::disassemble::val_type_text;
use wdb_vm::host::Host;
use wdb_vm::module::ExportKind;
use wdb_vm::value::Value;
use wdb_vm::vm::{Config, Vm};
use wdb_vm::wasi::{OutputKind, StdinSource, WasiConfig};
use wdb_vm::{FuncType, ValType};

use crate::compare::KeptOutput;
use crate::error::{Error, counted};
use crate::event::Stream;
use crate::lanes::Lanes;
use crate::program::Program;
use crate::redirection::Redirections;
use crate::session::{SessionOptions, StdinChoice};
use crate::shared::{OutputEvents, Shared};

/// The instance of the program itself.
pub(crate) const PROGRAM_INSTANCE: InstanceAddr = InstanceAddr(0);

/// Where the program's output goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Streams<'a> {
    /// To the front ends of a session.
    Events(&'a Arc<Shared>),
    /// To the standard streams of wdb.
    Inherit,
    /// Nowhere but to who keeps it.
    Kept(&'a KeptOutput),
}

/// A machine with the program in it; nothing has run yet.
pub(crate) fn make_machine(
    program: &Program,
    options: &SessionOptions,
    redirections: &Redirections,
    streams: Streams<'_>,
) -> Result<Vm, String> {
    make_machine_with_host(program, options, redirections, streams, |host| host)
}

/// Like [`make_machine`], with a host that may stand in for the usual one.
pub(crate) fn make_machine_with_host(
    program: &Program,
    options: &SessionOptions,
    redirections: &Redirections,
    streams: Streams<'_>,
    around: impl FnOnce(Box<dyn Host>) -> Box<dyn Host>,
) -> Result<Vm, String> {
    let stdin = match (&options.stdin, streams) {
        _ if let Some(path) = &redirections.stdin => StdinSource::File(path.clone()),
        (StdinChoice::Inherit, _) => StdinSource::Inherit,
        (StdinChoice::File(path), _) => StdinSource::File(PathBuf::clone(path)),
        (StdinChoice::Typed, Streams::Events(shared)) => StdinSource::Queue(shared.stdin.clone()),
        (StdinChoice::Empty | StdinChoice::Typed, _) => StdinSource::Empty,
    };
    let wasi = WasiConfig::new()
        .args([guest_name(program)])
        .args(&options.args)
        .stdin(stdin);
    let mut wasi = match streams {
        Streams::Events(shared) => {
            let output = |stream| {
                let shared = shared.clone();
                Box::new(OutputEvents { shared, stream })
            };
            // The C library writes each line to a terminal at once, as somebody who steps through a program wants it.
            wasi.stdout(OutputKind::Terminal, output(Stream::Stdout))
                .stderr(OutputKind::Terminal, output(Stream::Stderr))
        }
        Streams::Kept(kept) => wasi
            .stdout(OutputKind::Pipe, Box::new(kept.writer(Stream::Stdout)))
            .stderr(OutputKind::Pipe, Box::new(kept.writer(Stream::Stderr))),
        Streams::Inherit => {
            let kind = |is_terminal| {
                if is_terminal {
                    OutputKind::Terminal
                } else {
                    OutputKind::Pipe
                }
            };
            let (stdout, stderr) = (std::io::stdout(), std::io::stderr());
            wasi.stdout(kind(stdout.is_terminal()), Box::new(stdout))
                .stderr(kind(stderr.is_terminal()), Box::new(stderr))
        }
    };
    if let Some(file) = &redirections.stdout {
        wasi = wasi.stdout(OutputKind::Pipe, Box::new(file.writer()));
    }
    if let Some(file) = &redirections.stderr {
        wasi = wasi.stderr(OutputKind::Pipe, Box::new(file.writer()));
    }
    for (name, value) in &options.env {
        wasi = wasi.env(name, value);
    }
    for (host, guest) in &options.dirs {
        wasi = wasi.preopen(host, guest);
    }
    let wasi = wasi.build().map_err(|error| error.to_string())?;
    let state = Arc::new(wasi.initial_state());
    let host = around(Box::new(wasi));
    let config = Config {
        stub_imports: options.stub_imports,
        tier: options.tier,
        compile: options.compile,
        bounds: options.bounds,
        ..Config::default()
    };
    Vm::new(program.module(), host, state, config).map_err(|error| error.to_string())
}

/// The program's own name for itself, its first argument.
fn guest_name(program: &Program) -> String {
    let name = program.path().and_then(|path| path.file_name());
    name.map_or_else(
        || program.name().to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// The function with which the program begins, and its arguments.
pub(crate) struct Entry {
    pub(crate) func: FuncIndex,
    pub(crate) name: String,
    pub(crate) arguments: Vec<Value>,
    /// Whether its results are what the user wants to see (`--invoke`).
    pub(crate) is_invoked: bool,
}

/// The function with which the program begins; `None` when only its start function runs. What runs first is valid.
pub(crate) fn entry(program: &Program, options: &SessionOptions) -> Result<Option<Entry>, Error> {
    let module = program.module();
    let initialize = module.export(ExportKind::Func, "_initialize");
    for func in module.start().into_iter().chain(initialize.map(FuncIndex)) {
        program.expect_valid(func)?;
    }
    let entry = find_entry(program, options)?;
    if let Some(entry) = &entry {
        program.expect_valid(entry.func)?;
    }
    Ok(entry)
}

fn find_entry(program: &Program, options: &SessionOptions) -> Result<Option<Entry>, Error> {
    let module = program.module();
    let Some((name, arguments)) = &options.invoke else {
        let start = module.export(ExportKind::Func, "_start");
        if start.is_none() && module.start().is_none() {
            return Err(Error::Other(format!(
                "The program has no _start function; give an exported function with --invoke NAME ARGS.{}",
                exported_functions(program)
            )));
        }
        return Ok(start.map(|index| Entry {
            func: FuncIndex(index),
            name: "_start".to_owned(),
            arguments: Vec::new(),
            is_invoked: false,
        }));
    };
    let index = module.export(ExportKind::Func, name).ok_or_else(|| {
        Error::Other(format!(
            "No function is exported as {name}.{}",
            exported_functions(program)
        ))
    })?;
    let func = FuncIndex(index);
    Ok(Some(Entry {
        func,
        name: name.clone(),
        arguments: parse_arguments(name, module.func_type(func), arguments)?,
        is_invoked: true,
    }))
}

/// Makes the machine begin with the entry, after the start function and a library's `_initialize`.
pub(crate) fn begin(vm: &mut Vm, entry: &Entry) -> Result<(), Error> {
    let invoke = |vm: &mut Vm, func: FuncAddr, arguments: &[Value]| {
        vm.invoke(func, arguments)
            .map_err(|error| Error::Other(format!("{}: {error}.", entry.name)))
    };
    if entry.is_invoked
        && entry.name != "_initialize"
        && let Some(initialize) = vm.exported_func(PROGRAM_INSTANCE, "_initialize")
    {
        invoke(vm, initialize, &[])?;
    }
    if let Some(func) = vm.exported_func(PROGRAM_INSTANCE, &entry.name) {
        invoke(vm, func, &entry.arguments)?;
    }
    Ok(())
}

fn exported_functions(program: &Program) -> String {
    const COUNT_MAX: usize = 10;
    let exports = program.module().exports().iter();
    let names: Vec<&str> = exports
        .filter(|export| export.kind == ExportKind::Func)
        .map(|export| export.name.as_str())
        .collect();
    match &*names {
        [] => " It exports none.".to_owned(),
        names if names.len() > COUNT_MAX => format!(
            " It exports {} and {} more.",
            names[..COUNT_MAX].join(", "),
            names.len() - COUNT_MAX
        ),
        names => format!(" It exports {}.", names.join(", ")),
    }
}

fn parse_arguments(name: &str, ty: &FuncType, texts: &[String]) -> Result<Vec<Value>, Error> {
    let params = ty.params();
    if params.len() != texts.len() {
        let types: Vec<String> = params.iter().map(|ty| val_type_text(*ty)).collect();
        return Err(Error::Other(format!(
            "{name} takes {} ({}), {} given.",
            counted(params.len(), "argument"),
            types.join(", "),
            texts.len()
        )));
    }
    let values = params.iter().zip(texts).map(|(ty, text)| {
        parse_value(*ty, text).ok_or_else(|| {
            Error::Other(format!(
                "\"{text}\" is no {} for {name}.",
                val_type_text(*ty)
            ))
        })
    });
    values.collect()
}

fn parse_value(ty: ValType, text: &str) -> Option<Value> {
    let integer = || -> Option<i128> {
        let (is_negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let value = match digits.strip_prefix("0x") {
            Some(digits) => i128::from_str_radix(digits, 16),
            None => digits.parse(),
        };
        value
            .ok()
            .map(|value| if is_negative { -value } else { value })
    };
    Some(match ty {
        ValType::I32 => {
            let value = integer()?;
            let bits = i32::try_from(value).or_else(|_| u32::try_from(value).map(u32::cast_signed));
            Value::I32(bits.ok()?)
        }
        ValType::I64 => {
            let value = integer()?;
            let bits = i64::try_from(value).or_else(|_| u64::try_from(value).map(u64::cast_signed));
            Value::I64(bits.ok()?)
        }
        ValType::F32 => Value::F32(text.parse::<f32>().ok()?.to_bits()),
        ValType::F64 => Value::F64(text.parse::<f64>().ok()?.to_bits()),
        ValType::V128 => Value::V128(Lanes::parse(text)?),
        ValType::Ref(_) => (text == "null").then(|| Value::zero(ty))?,
    })
}

#[cfg(test)]
mod tests {
    use wdb_vm::ValType;
    use wdb_vm::value::Value;

    use super::parse_value;

    #[test]
    fn arguments_are_read_by_their_types() {
        assert_eq!(parse_value(ValType::I32, "-1"), Some(Value::I32(-1)));
        assert_eq!(
            parse_value(ValType::I32, "0xffffffff"),
            Some(Value::I32(-1))
        );
        assert_eq!(parse_value(ValType::I32, "0x100000000"), None);
        assert_eq!(parse_value(ValType::I64, "5"), Some(Value::I64(5)));
        assert_eq!(
            parse_value(ValType::F64, "1.5"),
            Some(Value::F64(1.5f64.to_bits()))
        );
        assert_eq!(parse_value(ValType::F64, "x"), None);
        let lanes = parse_value(ValType::V128, "i64x2 1 2");
        assert_eq!(lanes, Some(Value::V128(1 | 2 << 64)));
    }
}

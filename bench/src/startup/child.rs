//! What a measured process does: it loads a module, runs it, and ends.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use wdb_vm::address::InstanceAddr;
use wdb_vm::exit::Exit;
use wdb_vm::module::Module;
use wdb_vm::tier::{Compile, Tier};
use wdb_vm::value::Value;
use wdb_vm::vm::{Config, RunLimit, Vm};
use wdb_vm::wasi::{OutputKind, WasiConfig};

/// An engine and when it translates.
#[derive(Clone, Copy)]
pub enum Way {
    Wdb(&'static str, Tier, Compile),
    Wasmi(&'static str, wasmi::CompilationMode),
}

impl Way {
    pub const ALL: [Way; 7] = [
        Way::Wdb("classic", Tier::Classic, Compile::Lazy),
        Way::Wdb("fast-lazy", Tier::Fast, Compile::Lazy),
        Way::Wdb(
            "fast-lazy-translation",
            Tier::Fast,
            Compile::LazyTranslation,
        ),
        Way::Wdb("fast-eager", Tier::Fast, Compile::Eager),
        Way::Wasmi("wasmi-lazy", wasmi::CompilationMode::Lazy),
        Way::Wasmi(
            "wasmi-lazy-translation",
            wasmi::CompilationMode::LazyTranslation,
        ),
        Way::Wasmi("wasmi-eager", wasmi::CompilationMode::Eager),
    ];

    pub fn name(&self) -> &'static str {
        match self {
            Way::Wdb(name, ..) | Way::Wasmi(name, _) => name,
        }
    }
}

#[derive(clap::Args)]
pub struct Start {
    way: String,
    file: PathBuf,
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

/// Runs a command of WASI, or calls `run(0)` in a module that is none.
pub fn run_child(start: &Start) -> anyhow::Result<ExitCode> {
    let way = Way::ALL
        .into_iter()
        .find(|way| way.name() == start.way)
        .context("there is no such way")?;
    let wasm = std::fs::read(&start.file).with_context(|| start.file.display().to_string())?;
    let mut args = vec!["program".to_owned()];
    args.extend(start.args.iter().cloned());
    let status = match way {
        Way::Wdb(_, tier, compile) => in_wdb(wasm, &start.file, args, tier, compile)?,
        Way::Wasmi(_, mode) => in_wasmi(&wasm, &args, mode)?,
    };
    Ok(ExitCode::from(u8::try_from(status).unwrap_or(u8::MAX)))
}

fn in_wdb(
    wasm: Vec<u8>,
    file: &Path,
    args: Vec<String>,
    tier: Tier,
    compile: Compile,
) -> anyhow::Result<u32> {
    const INSTANCE: InstanceAddr = InstanceAddr(0);
    let wasi = WasiConfig::new()
        .args(args)
        .stdout(OutputKind::Pipe, Box::new(std::io::stdout()))
        .build()?;
    let state = Arc::new(wasi.initial_state());
    let module = Module::parse(wasm, Some(file))?;
    let config = Config {
        tier,
        compile,
        ..Config::default()
    };
    let mut vm = Vm::new(&module, Box::new(wasi), state, config)?;
    match vm.exported_func(INSTANCE, "_start") {
        Some(start) => vm.invoke(start, &[])?,
        None => vm.invoke(
            vm.exported_func(INSTANCE, "run")
                .context("exports no run")?,
            &[Value::I32(0)],
        )?,
    }
    match vm.run(RunLimit::default()) {
        Exit::Finished(_) => Ok(0),
        Exit::ProcExit(status) => Ok(status),
        exit => anyhow::bail!("{exit:?}"),
    }
}

fn in_wasmi(wasm: &[u8], args: &[String], mode: wasmi::CompilationMode) -> anyhow::Result<u32> {
    let mut config = wasmi::Config::default();
    config.compilation_mode(mode);
    let engine = wasmi::Engine::new(&config);
    let module = wasmi::Module::new(&engine, wasm)?;
    let context = wasmi_wasi::WasiCtxBuilder::new()
        .args(args)?
        .inherit_stdout()
        .build();
    let mut store = wasmi::Store::new(&engine, context);
    let mut linker = wasmi::Linker::new(&engine);
    wasmi_wasi::add_to_linker(&mut linker, |context| context)?;
    let instance = linker.instantiate_and_start(&mut store, &module)?;
    let Ok(start) = instance.get_typed_func::<(), ()>(&store, "_start") else {
        instance
            .get_typed_func::<i32, i64>(&store, "run")?
            .call(&mut store, 0)?;
        return Ok(0);
    };
    match start.call(&mut store, ()) {
        Ok(()) => Ok(0),
        Err(error) => error
            .i32_exit_status()
            .map(i32::cast_unsigned)
            .ok_or_else(|| error.into()),
    }
}

//! The published test suite of WASI preview 1, where it is at hand.
//!
//! Each program says what is wrong on its standard error and ends with a status other than 0. A file in JSON beside it, where there
//! is one, says what it is given and what is expected of it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use tempfile::TempDir;
use wdb_vm::address::InstanceAddr;
use wdb_vm::exit::Exit;
use wdb_vm::module::Module;
use wdb_vm::vm::{Config, RunLimit, Vm};
use wdb_vm::wasi::{OutputKind, WasiConfig};

/// The folder of the suite, beside the checkout. Each of its folders is one language's suite.
const SUITE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../shared/programs/wasi-testsuite"
);

/// Programs that fail for a known reason; one that passes must leave the list.
const EXPECTED_FAILURES: [(&str, &str); 0] = [];

/// The longest that a program may take. Nothing in the suite waits for longer than a second.
const PROGRAM_TIME_MAX: Duration = Duration::from_secs(60);

/// What a program is given and what is expected of it.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Expectations {
    args: Vec<String>,
    env: BTreeMap<String, String>,
    /// Directories beside the program, which it sees under their own names.
    dirs: Vec<String>,
    /// A directory beside the program, which it sees as `/`.
    root: Option<String>,
    exit_code: u32,
    stdout: Option<String>,
    stderr: Option<String>,
}

/// What a program wrote to a stream.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn text(&self) -> String {
        let bytes = self.0.lock().expect("no writer panics");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Written {
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

/// Says something that the test runner shows although the test passes.
fn announce(text: &str) {
    writeln!(io::stderr(), "{text}").expect("standard error takes text");
}

#[test]
fn published_wasi_test_suite() {
    let suite = Path::new(SUITE);
    if !suite.is_dir() {
        announce(&format!(
            "NOT TESTED: the WASI test suite is not in {SUITE}"
        ));
        return;
    }
    let (mut passed, mut failed, mut unexpected) = (0, 0, Vec::new());
    for program in programs(suite) {
        let name = program
            .strip_prefix(suite)
            .expect("programs lie in the suite")
            .display()
            .to_string();
        let expected = EXPECTED_FAILURES
            .iter()
            .find(|(failure, _)| *failure == name);
        match (run(&program), expected) {
            (Ok(()), None) => passed += 1,
            (Ok(()), Some((_, reason))) => {
                passed += 1;
                unexpected.push(format!("{name} passes now, although {reason}"));
            }
            (Err(_), Some(_)) => failed += 1,
            (Err(why), None) => {
                failed += 1;
                unexpected.push(format!("{name}: {why}"));
            }
        }
    }
    announce(&format!(
        "WASI test suite: {passed} passed, {failed} failed"
    ));
    assert!(unexpected.is_empty(), "{}", unexpected.join("\n"));
    // A harness that finds no programs has stopped testing.
    assert!(passed > 0, "no program in {SUITE}");
}

/// All programs of the suite, in the order of their names.
fn programs(suite: &Path) -> Vec<PathBuf> {
    let mut programs: Vec<PathBuf> = entries(suite)
        .iter()
        .filter(|path| path.is_dir())
        .flat_map(|language| entries(language))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "wasm")
        })
        .collect();
    programs.sort();
    programs
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory)
        .expect("the directory can be read")
        .map(|entry| entry.expect("the entry can be read").path())
        .collect()
}

/// Runs one program on copies of its directories; the error says what is not as expected.
fn run(program: &Path) -> Result<(), String> {
    let expectations = expectations_of(program)?;
    let folder = program.parent().expect("a program lies in a folder");
    let copies = TempDir::new().expect("a temporary directory");
    let (stdout, stderr) = (Written::default(), Written::default());
    let argument_0 = program.file_name().expect("a program has a name");
    let mut config = WasiConfig::new()
        .args([argument_0.to_string_lossy()])
        .args(&expectations.args)
        .stdout(OutputKind::Pipe, Box::new(stdout.clone()))
        .stderr(OutputKind::Pipe, Box::new(stderr.clone()));
    for (name, value) in &expectations.env {
        config = config.env(name, value);
    }
    let root = expectations.root.iter().map(|name| (name, "/"));
    let dirs = expectations.dirs.iter().map(|name| (name, name.as_str()));
    for (name, guest_path) in root.chain(dirs) {
        let copy = copies.path().join(name);
        copy_directory(&folder.join(name), &copy);
        config = config.preopen(copy, guest_path);
    }
    let exit = execute(program, config)?;
    let status = match exit {
        Exit::Finished(_) => 0,
        Exit::ProcExit(status) => status,
        exit => return Err(format!("it ended with {exit:?}\n{}", stderr.text())),
    };
    let wrong_stream = |wanted: &Option<String>, written: &Written| {
        let written = written.text();
        let wrong = wanted.as_ref().is_some_and(|wanted| *wanted != written);
        wrong.then_some(written)
    };
    if status != expectations.exit_code {
        return Err(format!("its status is {status}\n{}", stderr.text()));
    }
    if let Some(written) = wrong_stream(&expectations.stdout, &stdout) {
        return Err(format!("it wrote {written:?} to standard output"));
    }
    if let Some(written) = wrong_stream(&expectations.stderr, &stderr) {
        return Err(format!("it wrote {written:?} to standard error"));
    }
    Ok(())
}

fn expectations_of(program: &Path) -> Result<Expectations, String> {
    let path = program.with_extension("json");
    if !path.exists() {
        return Ok(Expectations::default());
    }
    let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Calls the program's `_start`; one that does not end is interrupted.
fn execute(program: &Path, config: WasiConfig) -> Result<Exit, String> {
    let wasi = config.build().map_err(|error| error.to_string())?;
    let state = Arc::new(wasi.initial_state());
    let bytes = fs::read(program).map_err(|error| error.to_string())?;
    let module = Module::parse(bytes, Some(program)).map_err(|error| error.to_string())?;
    let mut vm = Vm::new(&module, Box::new(wasi), state, Config::default())
        .map_err(|error| error.to_string())?;
    let start = vm
        .exported_func(InstanceAddr(0), "_start")
        .ok_or("it exports no _start")?;
    vm.invoke(start, &[]).map_err(|error| error.to_string())?;
    let interrupt = vm.interrupt();
    let (ended, end) = mpsc::channel::<()>();
    let watch = thread::spawn(move || {
        if end.recv_timeout(PROGRAM_TIME_MAX) == Err(RecvTimeoutError::Timeout) {
            interrupt.raise();
        }
    });
    let exit = vm.run(RunLimit::default());
    drop(ended);
    watch.join().expect("the watch does not panic");
    Ok(exit)
}

/// Copies a directory into a new one. The copies can be written, whatever the originals allow.
fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a new directory");
    for path in entries(from) {
        let copy = to.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            copy_directory(&path, &copy);
        } else {
            let bytes = fs::read(&path).expect("the fixture can be read");
            fs::write(&copy, bytes).expect("the copy can be written");
        }
    }
}

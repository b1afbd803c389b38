//! Sessions as data: each file in `transcripts/` is a test.
//!
//! A file says which program it debugs, and holds commands with what they answer:
//!
//! ```text
//! # What it shows.
//! program: samples/fib/fib.wasm 3
//! (wdb) break fib
//! Breakpoint 1 at 0x20b: file fib.c, line 9.
//! ```
//!
//! Further lines of the head are `stdin: TEXT` (with `\n`), `env: NAME=VALUE`, `invoke: FUNCTION`, `source-map: OLD=NEW` and
//! `stub-imports:`. The guest's output stands where it comes in the course of events; errors begin with `error: `.
//! While a block is open (`commands`, `define`, `if`), its lines begin with `> ` instead of `(wdb) `.
//! `{tmp}` in a command is a directory of the transcript's own, empty at its beginning.
//! `BLESS=1` writes what came instead of comparing it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

use libtest_mimic::{Arguments, Failed, Trial};
use regex_lite::Regex;
use similar::TextDiff;
use wdb_debugger::ProgramSource;
use wdb_debugger::event::{CommandStatus, Event};
use wdb_debugger::session::{Session, SessionOptions, StdinChoice};

const PROMPT: &str = "(wdb) ";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the transcripts are part of the crate")
        .map(|entry| entry.expect("a folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    paths.sort();
    let trials = paths.into_iter().map(|path| {
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Trial::test(name, move || check(&path))
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn check(path: &Path) -> Result<(), Failed> {
    let wanted = fs::read_to_string(path)?;
    let found = replay(&wanted)?;
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, found)?;
        return Ok(());
    }
    if wanted == found {
        return Ok(());
    }
    let diff = TextDiff::from_lines(&wanted, &found);
    let diff = diff.unified_diff().header("wanted", "found").to_string();
    Err(format!("{}: (BLESS=1 accepts this)\n{diff}", path.display()).into())
}

/// The transcript with the answers of now.
fn replay(transcript: &str) -> Result<String, Failed> {
    let is_head = |line: &&str| !line.starts_with(PROMPT.trim_end());
    let head: Vec<&str> = transcript.lines().take_while(is_head).collect();
    let (program, options) = parse_head(&head)?;
    let mut text: String = head.iter().map(|line| format!("{line}\n")).collect();
    let folder = TemporaryFolder::new();
    let session = match Session::open(ProgramSource::File(program), options) {
        Ok(session) => session,
        Err(error) => {
            let root = workspace_root();
            let message = error
                .to_string()
                .replace(&format!("{}/", root.display()), "");
            return Ok(format!("{text}{PROMPT}\nerror: {message}\n"));
        }
    };
    for line in transcript.lines() {
        let prompt = session.prompt();
        let sign = prompt.trim();
        let is_in_block = sign != PROMPT.trim_end();
        let line = if is_in_block { line.trim_start() } else { line };
        let rest = line.strip_prefix(sign);
        let command = rest.and_then(|rest| match rest {
            "" => Some(""),
            rest => rest.strip_prefix(' '),
        });
        let Some(command) = command else {
            continue;
        };
        text.push_str(format!("{prompt}{command}").trim_end());
        text.push('\n');
        let (answer, status) = perform(&session, &command.replace(FOLDER, &folder.0));
        text.push_str(&answer.replace(&folder.0, FOLDER));
        if let CommandStatus::Quit(status) = status {
            text.push_str(&format!("[left with status {status}]\n"));
            break;
        }
    }
    Ok(text)
}

/// What stands for a transcript's own directory.
const FOLDER: &str = "{tmp}";

/// A directory that goes away with the transcript.
struct TemporaryFolder(String);

impl TemporaryFolder {
    fn new() -> TemporaryFolder {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("wdb-transcript-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("the temporary directory can be written");
        TemporaryFolder(path.display().to_string())
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // What is left behind harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn parse_head(head: &[&str]) -> Result<(PathBuf, SessionOptions), Failed> {
    let mut options = SessionOptions {
        stdin: StdinChoice::Empty,
        ..SessionOptions::default()
    };
    let mut program = None;
    for line in head
        .iter()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        let (key, value) = line
            .split_once(':')
            .ok_or_else(|| format!("not a head: {line}"))?;
        let value = value.trim();
        let pair = || {
            value
                .split_once('=')
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
        };
        match key {
            "program" => {
                let mut words = value.split_whitespace().map(str::to_owned);
                program = words.next().map(|path| workspace_root().join(path));
                options.args = words.collect();
            }
            "stdin" => {
                let text = value.replace("\\n", "\n");
                let path = std::env::temp_dir().join(format!(
                    "wdb-transcript-{}-{:x}",
                    std::process::id(),
                    text.bytes()
                        .fold(7u64, |hash, byte| hash.wrapping_mul(31) + u64::from(byte))
                ));
                fs::write(&path, text)?;
                options.stdin = StdinChoice::File(path);
            }
            "env" => options.env.extend(pair()),
            "source-map" => options.source_maps.extend(pair()),
            "stub-imports" => options.stub_imports = true,
            "invoke" => options.invoke = Some((value.to_owned(), Vec::new())),
            key => return Err(format!("a transcript's head has no {key}").into()),
        }
    }
    if let Some((_, arguments)) = &mut options.invoke {
        *arguments = std::mem::take(&mut options.args);
    }
    let program = program.ok_or("a transcript's head needs `program: PATH`")?;
    Ok((program, options))
}

/// What a command answers. Nothing that depends on the machine may stand in it.
fn perform(session: &Session, command: &str) -> (String, CommandStatus) {
    let events = session.subscribe();
    let submitted = session.submit(command);
    let mut text = String::new();
    let mut status = CommandStatus::Quit(-1);
    for event in events {
        let end_line = |text: &mut String| {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push_str("\\\n");
            }
        };
        match event {
            Event::Output { bytes, .. } => text.push_str(&String::from_utf8_lossy(&bytes)),
            Event::Message(message) => {
                end_line(&mut text);
                text.push_str(&format!("{message}\n"));
            }
            Event::Error(message) => {
                end_line(&mut text);
                text.push_str(&format!("error: {message}\n"));
            }
            Event::Done {
                request,
                status: end,
            } if request == submitted => {
                end_line(&mut text);
                status = end;
                break;
            }
            Event::Running
            | Event::Progress(_)
            | Event::Json(_)
            | Event::Stopped(_)
            | Event::Changed(_)
            | Event::Done { .. } => {}
        }
    }
    let root = format!("{}/", workspace_root().display());
    (without_measures(&text.replace(&root, "")), status)
}

/// Times, and sizes of code that a tier made, are others on another machine.
fn without_measures(text: &str) -> String {
    let time = Regex::new(r"\d+\.\d{3} ms").expect("the pattern is one");
    let size = Regex::new(r"\d+ bytes of code").expect("the pattern is one");
    let text = time.replace_all(text, "{time} ms");
    size.replace_all(&text, "{size} bytes of code").into_owned()
}

fn workspace_root() -> PathBuf {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_root
        .parent()
        .expect("the crate lies in the workspace")
        .to_owned()
}

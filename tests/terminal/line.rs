//! The line mode: at a terminal, and in scripts.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::terminal::Terminal;

const FIB: &str = "samples/fib/fib.wasm";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn temporary() -> TempDir {
    tempfile::tempdir().expect("a temporary directory can be made")
}

fn fib() -> String {
    root().join(FIB).display().to_string()
}

/// A line mode whose files lie in a directory of the test's.
fn start(state: &Path, rows: u16, arguments: &[&str]) -> Terminal {
    let mut all = vec!["--line"];
    all.extend(arguments);
    let terminal = Terminal::start_in(100, rows, root(), state, &all);
    terminal.wait_for("(wdb)");
    terminal
}

/// Waits until the last row with text is this one.
fn wait_for_row(terminal: &Terminal, wanted: &str) {
    terminal.wait_until(wanted, |screen| {
        let contents = screen.contents();
        contents.trim_end().lines().last().map(str::trim_end) == Some(wanted)
    });
}

/// Runs wdb without a terminal, with commands on its standard input.
fn run(directory: &Path, state: &Path, arguments: &[&str], commands: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_wdb"))
        .args(arguments)
        .current_dir(directory)
        .env("XDG_STATE_HOME", state)
        .env("XDG_CONFIG_HOME", state)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("wdb starts");
    let mut input = child.stdin.take().expect("it was asked for");
    input.write_all(commands.as_bytes()).expect("wdb reads");
    drop(input);
    child.wait_with_output().expect("wdb ends")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn commands_are_remembered_and_searched() {
    let state = temporary();
    let terminal = start(state.path(), 24, &[FIB]);
    terminal.press("print 6 * 7\r");
    terminal.wait_for("$1 = 42");
    terminal.press("print 5\r");
    terminal.wait_for("$2 = 5");
    wait_for_row(&terminal, "(wdb)");
    terminal.press("\x04");
    assert_eq!(terminal.wait_for_end().code(), Some(0));
    let terminal = start(state.path(), 24, &[FIB]);
    // Ctrl-R searches backwards.
    terminal.press("\x126 *");
    terminal.wait_for("print 6 * 7");
    terminal.press("\r");
    terminal.wait_for("$1 = 42");
    wait_for_row(&terminal, "(wdb)");
    terminal.press("\x04");
    terminal.wait_for_end();
}

#[test]
fn the_history_goes_where_it_is_set() {
    let state = temporary();
    let file = state.path().join("elsewhere");
    let terminal = start(state.path(), 24, &[FIB]);
    terminal.press(&format!("set history filename {}\r", file.display()));
    terminal.press("print 42\r");
    terminal.wait_for("$1 = 42");
    wait_for_row(&terminal, "(wdb)");
    terminal.press("\x04");
    terminal.wait_for_end();
    let kept = fs::read_to_string(&file).expect("the history was kept");
    assert!(kept.contains("print 42"), "{kept}");
    let terminal = start(state.path(), 24, &[FIB]);
    terminal.press("set history save off\r");
    terminal.press("print 43\r");
    terminal.wait_for("$1 = 43");
    wait_for_row(&terminal, "(wdb)");
    terminal.press("\x04");
    terminal.wait_for_end();
    assert!(!state.path().join("wdb/history").exists());
}

#[test]
fn words_are_completed() {
    let state = temporary();
    let terminal = start(state.path(), 40, &["samples/inventory/inventory.wasm"]);
    terminal.press("break change_st\t\r");
    terminal.wait_for("Breakpoint 1 at 0x109d");
    terminal.press("run\r");
    terminal.wait_for("change=-64");
    terminal.press("print item->place.bin.ro\t\r");
    terminal.wait_for("$1 = 3");
    terminal.press("print item->\t");
    terminal.wait_until("all members", |screen| {
        let contents = screen.contents();
        ["fragile", "next", "price", "stock"]
            .iter()
            .all(|it| contents.contains(it))
    });
    terminal.press("\x03");
    wait_for_row(&terminal, "(wdb)");
    terminal.press("source samples/fib/fi\t");
    terminal.wait_for("samples/fib/fib.c");
    terminal.press("\x03");
    wait_for_row(&terminal, "(wdb)");
    terminal.press("quit\ry\r");
    assert_eq!(terminal.wait_for_end().code(), Some(0));
}

#[test]
fn pasted_lines_are_performed_one_after_the_other() {
    let state = temporary();
    let terminal = start(state.path(), 24, &[FIB]);
    // Pasted text comes in brackets; a tab in it completes nothing.
    terminal.press("\x1b[200~print 6 * 7\r\tprint 43\rprint 44\x1b[201~\r");
    for answer in ["$1 = 42", "$2 = 43", "$3 = 44"] {
        terminal.wait_for(answer);
    }
    wait_for_row(&terminal, "(wdb)");
    terminal.press("\x04");
    terminal.wait_for_end();
}

#[test]
fn long_answers_come_in_pages() {
    const QUESTION: &str = "-- Enter: more, c: all, q: no more --";
    let state = temporary();
    let terminal = start(state.path(), 12, &[FIB]);
    terminal.press("help all\r");
    wait_for_row(&terminal, QUESTION);
    terminal.wait_for("Where and when the program stops.");
    terminal.press("\r");
    terminal.wait_until("the second page", |screen| {
        let contents = screen.contents();
        contents.contains(QUESTION) && !contents.contains("Where and when the program stops.")
    });
    terminal.press("q");
    wait_for_row(&terminal, "(wdb)");
    terminal.press("info functions\r");
    wait_for_row(&terminal, QUESTION);
    terminal.press("c");
    wait_for_row(&terminal, "(wdb)");
    terminal.press("help all\r");
    wait_for_row(&terminal, QUESTION);
    terminal.press("\x03");
    wait_for_row(&terminal, "(wdb)");
    terminal.press("set height unlimited\r");
    terminal.press("help all\r");
    terminal.press("print 6 * 7\r");
    terminal.wait_for("$1 = 42");
    terminal.press("set height 5\rset pagination off\rhelp all\rprint 42\r");
    terminal.wait_for("$2 = 42");
    wait_for_row(&terminal, "(wdb)");
    terminal.press("\x04");
    terminal.wait_for_end();
}

#[test]
fn scripts_are_neither_paged_nor_asked() {
    let state = temporary();
    let commands = "set height 3\nset confirm on\nhelp all\nbreak fib\nrun\ndelete\nrun\nkill\nrun\nprint 42\n";
    let output = run(
        root(),
        state.path(),
        &["--line", "--stdin", "/dev/null", FIB],
        commands,
    );
    let text = stdout(&output);
    assert!(text.contains("$1 = 42"), "{text}");
    assert!(
        !text.contains("Enter: more") && !text.contains("(y or n)"),
        "{text}"
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn what_cannot_be_taken_back_is_asked_about() {
    let state = temporary();
    let terminal = start(state.path(), 24, &[FIB]);
    terminal.press("break fib\rrun\r");
    terminal.wait_for("Breakpoint 1, fib (n=0)");
    terminal.press("delete\r");
    terminal.wait_for("Delete all breakpoints? (y or n)");
    terminal.press("maybe\r");
    terminal.wait_for("Please answer y or n.");
    terminal.press("n\rinfo breakpoints\r");
    terminal.wait_for("already hit 1 time");
    terminal.press("run\r");
    terminal.wait_for("Start it from the beginning? (y or n)");
    terminal.press("\x03");
    wait_for_row(&terminal, "(wdb)");
    terminal.press("delete\ry\rinfo breakpoints\r");
    terminal.wait_for("No breakpoints or watchpoints.");
    terminal.press("quit 3\r");
    terminal.wait_for("Leave it? (y or n)");
    terminal.press("n\r");
    terminal.press("set confirm off\rquit 3\r");
    assert_eq!(terminal.wait_for_end().code(), Some(3));
}

#[test]
fn the_end_of_the_input_leaves_also_when_asked() {
    let state = temporary();
    let terminal = start(state.path(), 24, &[FIB]);
    terminal.press("start\r");
    terminal.wait_for("Temporary breakpoint 1, main");
    wait_for_row(&terminal, "(wdb)");
    terminal.press("\x04");
    wait_for_row(
        &terminal,
        "The program is being debugged. Leave it? (y or n)",
    );
    terminal.press("\x04");
    assert_eq!(terminal.wait_for_end().code(), Some(0));
}

#[test]
fn a_search_is_interrupted() {
    let state = temporary();
    let folder = temporary();
    let program = folder.path().join("large.wat");
    fs::write(
        &program,
        "(module (memory 16384) (func (export \"_start\")))",
    )
    .expect("the file can be written");
    let terminal = start(state.path(), 24, &[&program.display().to_string()]);
    terminal.press("starti\r");
    terminal.wait_for("=> 0x");
    // However fast the machine is, this does not come to an end.
    terminal.press("while 1\rfind 0, +0x40000000, \"nowhere\"\rend\r");
    terminal.wait_for("Pattern not found.");
    terminal.press("\x03");
    terminal.wait_for("Interrupted");
    terminal.press("print 42\r");
    terminal.wait_for("$1 = 42");
    terminal.press("quit\ry\r");
    terminal.wait_for_end();
}

#[test]
fn lines_can_be_read_without_an_editor() {
    let state = temporary();
    let terminal = start(state.path(), 24, &[FIB]);
    terminal.press("set prompt plain>\r");
    wait_for_row(&terminal, "plain>");
    terminal.press("set editing off\r");
    terminal.wait_until("the editor is gone", |screen| !screen.bracketed_paste());
    wait_for_row(&terminal, "plain>");
    terminal.press("print 42\r");
    terminal.wait_for("$1 = 42");
    terminal.press("set editing on\r");
    terminal.press("print 43\r");
    terminal.wait_for("$2 = 43");
    wait_for_row(&terminal, "plain>");
    terminal.press("set editing off\r");
    terminal.wait_until("the editor is gone", |screen| !screen.bracketed_paste());
    wait_for_row(&terminal, "plain>");
    terminal.press("print 44\r");
    terminal.wait_for("$3 = 44");
    wait_for_row(&terminal, "plain>");
    terminal.press("\x04");
    assert_eq!(terminal.wait_for_end().code(), Some(0));
}

/// Directories with init files.
struct Places {
    state: TempDir,
    work: TempDir,
}

impl Places {
    fn new(own: &str, local: &str) -> Places {
        let places = Places {
            state: temporary(),
            work: temporary(),
        };
        fs::create_dir(places.state.path().join("wdb")).expect("a directory can be made");
        fs::write(places.state.path().join("wdb/init"), own).expect("a file can be written");
        fs::write(places.local(), local).expect("a file can be written");
        places
    }

    fn local(&self) -> PathBuf {
        self.work.path().join(".wdbinit")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let program = fib();
        let mut all = arguments.to_vec();
        all.push(&program);
        run(self.work.path(), self.state.path(), &all, "")
    }

    fn start(&self) -> Terminal {
        let arguments = ["--line", &fib()];
        Terminal::start_in(100, 24, self.work.path(), self.state.path(), &arguments)
    }
}

#[test]
fn init_files_are_performed_at_the_start() {
    let places = Places::new("# mine\nprint 1\n\nset listsize 3\n", "print 2\n");
    let show = ["-ex", "show listsize"];
    let batch = |flags: &[&str]| stdout(&places.run(&[&["--batch"], flags, &show].concat()));
    let text = batch(&[]);
    assert_eq!(
        text,
        "$1 = 1\nThe number of source lines that `list` shows is 3.\n"
    );
    let text = batch(&["--trust"]);
    assert_eq!(
        text,
        "$1 = 1\n$2 = 2\nThe number of source lines that `list` shows is 3.\n"
    );
    for flag in ["--no-init", "-nx", "-n"] {
        let text = batch(&[flag]);
        assert_eq!(
            text, "The number of source lines that `list` shows is 10.\n",
            "{flag}"
        );
    }
}

#[test]
fn an_init_file_that_fails_says_where() {
    let places = Places::new("print 1\nnosuch\nprint 2\n", "");
    let output = places.run(&["--batch", "-ex", "print 3"]);
    assert_eq!(stdout(&output), "$1 = 1\n$2 = 3\n");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(errors.contains("Undefined command: \"nosuch\""), "{errors}");
    assert!(
        errors.contains("wdb/init:2: Error in sourced command file"),
        "{errors}"
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_directorys_init_file_needs_consent_once() {
    let places = Places::new("", "print 6 * 7\n");
    let terminal = places.start();
    let screen = terminal.wait_for("Perform them, now and whenever the file is the same? (y or n)");
    assert!(screen.contents().contains("  print 6 * 7"));
    assert!(!screen.contents().contains("(wdb)"));
    terminal.press("y\r");
    terminal.wait_for("$1 = 42");
    wait_for_row(&terminal, "(wdb)");
    terminal.press("\x04");
    terminal.wait_for_end();
    // The answer holds for the same text.
    let terminal = places.start();
    let screen = terminal.wait_for("$1 = 42");
    assert!(!screen.contents().contains("(y or n)"));
    wait_for_row(&terminal, "(wdb)");
    terminal.press("\x04");
    terminal.wait_for_end();
    // Another text is asked about; a no is kept, too.
    fs::write(places.local(), "print 6 * 7\nshell touch made\n").expect("a file can be written");
    let terminal = places.start();
    terminal.wait_for("(y or n)");
    terminal.press("n\r");
    wait_for_row(&terminal, "(wdb)");
    terminal.press("\x04");
    terminal.wait_for_end();
    let terminal = places.start();
    let screen = terminal.wait_for("(wdb)");
    assert!(!screen.contents().contains("(y or n)") && !screen.contents().contains("42"));
    terminal.press("\x04");
    terminal.wait_for_end();
    assert!(!places.work.path().join("made").exists());
}

#[test]
fn the_full_screen_asks_for_consent_before_it_begins() {
    let places = Places::new("", "print 6 * 7\n");
    let terminal = Terminal::start_in(120, 35, places.work.path(), places.state.path(), &[&fib()]);
    terminal.wait_for("Perform them, now and whenever the file is the same? (y or n)");
    terminal.press("y\r");
    terminal.wait_for("PAUSED");
    terminal.press(":print $1 + 1\r");
    terminal.wait_for("$2 = 43");
    terminal.press("qy");
    assert_eq!(terminal.wait_for_end().code(), Some(0));
}

#[test]
fn a_batch_ends_with_the_status_of_its_last_command() {
    let state = temporary();
    let status = |commands: &[&str]| {
        let mut arguments = vec!["--batch"];
        arguments.extend(commands.iter().flat_map(|command| ["-ex", command]));
        arguments.push(FIB);
        run(root(), state.path(), &arguments, "").status.code()
    };
    assert_eq!(status(&["print 1"]), Some(0));
    assert_eq!(status(&["nosuch"]), Some(1));
    assert_eq!(status(&["nosuch", "print 1"]), Some(0));
    assert_eq!(status(&["quit 7", "print 1"]), Some(7));
}

#[test]
fn answers_are_logged() {
    let state = temporary();
    let log = state.path().join("log");
    let commands = format!(
        "set logging file {}\nset logging enabled on\nprint 6 * 7\nnosuch\nset logging off\nprint 43\n",
        log.display()
    );
    let output = run(root(), state.path(), &["--line", FIB], &commands);
    let text = stdout(&output);
    assert!(
        text.contains("$1 = 42") && text.contains("$2 = 43"),
        "{text}"
    );
    let logged = fs::read_to_string(&log).expect("the log was written");
    assert_eq!(
        logged,
        "$1 = 42\nUndefined command: \"nosuch\". Try \"help\".\n"
    );
}

//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use wdb_debugger::{Bounds, Compile, Tier};
use wdb_tui::ScriptItem;
use wdb_wast::Language;

/// Debug a WebAssembly program.
///
/// Opens PROGRAM (.wasm or .wat) in the full-screen debugger, stopped at its main function; when the standard input or
/// output is no terminal, or with --line, at a prompt as gdb has it. Programs are run with WASI preview 1: they see the
/// arguments, variables and directories that are given here and nothing else.
#[derive(Debug, Parser)]
#[command(
    name = "wdb",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:\n  \
        wdb app.wasm                          debug in full screen; ? shows the keys\n  \
        wdb --line app.wasm                   debug at a prompt; `help` lists the commands\n  \
        wdb --dir . app.wasm input.txt        let the program see this directory\n  \
        wdb --batch -ex 'break f' -ex run -ex bt app.wasm\n  \
        wdb --gdb=0 app.wasm                  let lldb or gdb attach to it\n  \
        wdb run app.wasm                      only run it\n  \
        wdb --demo                            debug a program that is part of wdb"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) action: Option<Action>,
    #[command(flatten)]
    pub(crate) debug: DebugArgs,
}

/// What to do other than debugging.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Run a program without debugging it, and exit with its status
    ///
    /// A trap prints a backtrace and exits with status 134.
    Run(RunArgs),
    /// Run a program on several tiers with the same input, and compare what they do and what they take
    ///
    /// The first tier talks to the world, and the others get the same answers. How they end, their output, memory, globals and clock
    /// have to agree; otherwise the exit status is 1, and the first tick is told at which they differ. What the program writes
    /// is not shown unless it is asked for.
    Compare(CompareArgs),
    /// Show what a module is made of: sections, imports, exports, producers, debug info
    Inspect {
        /// A module, .wasm or .wat
        program: PathBuf,
    },
    /// Serve lldb and gdb, which attach to the program over a socket
    ///
    /// The program waits at its first instruction. In gdb: target remote 127.0.0.1:PORT. In lldb: process connect --plugin
    /// wasm connect://127.0.0.1:PORT. The protocol has no authentication, so think twice before listening on anything but
    /// the loopback interface. Options stand before the program, on either side of the address.
    Gdbserver(GdbserverArgs),
    /// Run test scripts of the specification (.wast), and exit with status 1 if an assertion does not hold
    Wast(WastArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page (view it with: wdb man | man -l -)
    Man,
}

/// How to debug.
#[derive(Debug, Args)]
pub(crate) struct DebugArgs {
    /// Prompt for commands instead of showing the full screen
    #[arg(long)]
    pub(crate) line: bool,
    /// Execute the commands of -ex and -x, and exit: with status 1 if the last one failed
    #[arg(long)]
    pub(crate) batch: bool,
    /// Execute a command before the first prompt; written -ex too. Can be repeated
    #[arg(
        short = 'e',
        long = "ex",
        value_name = "COMMAND",
        visible_alias = "eval-command"
    )]
    pub(crate) commands: Vec<String>,
    /// Execute the commands of a file before the first prompt. Can be repeated
    #[arg(short = 'x', long = "command", value_name = "FILE")]
    pub(crate) scripts: Vec<PathBuf>,
    /// Read no init file: neither ~/.config/wdb/init nor the .wdbinit of this directory; written -nx too
    #[arg(short = 'n', long, visible_alias = "nx")]
    pub(crate) no_init: bool,
    /// Perform the .wdbinit of this directory without asking
    #[arg(long, conflicts_with = "no_init")]
    pub(crate) trust: bool,
    /// Accepted for gdb's sake: wdb says nothing at its start
    #[arg(short = 'q', long, hide = true)]
    pub(crate) quiet: bool,
    /// Accepted for gdb's sake: everything after the program is the program's anyway
    #[arg(long = "args", hide = true)]
    pub(crate) takes_args: bool,
    /// Answer with one JSON object on each line, for scripts, editors and agents; docs/json-schema.json describes them
    #[arg(long)]
    pub(crate) json: bool,
    /// Colours of the full screen
    #[arg(long, value_name = "NAME", value_parser = wdb_tui::screen::Theme::NAMES)]
    pub(crate) theme: Option<String>,
    /// Serve lldb and gdb on an address, HOST:PORT, PORT or unix:PATH, instead of showing anything; port 0 is any that is free
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["line", "batch", "json", "commands", "scripts"])]
    pub(crate) gdb: Option<String>,
    /// Debug the sample program that is part of wdb
    #[arg(long, conflicts_with = "program")]
    pub(crate) demo: bool,
    #[command(flatten)]
    pub(crate) tier: TierArgs,
    #[command(flatten)]
    pub(crate) environment: EnvironmentArgs,
    /// The program to debug, .wasm or .wat
    #[arg(required_unless_present = "demo")]
    pub(crate) program: Option<PathBuf>,
    /// The program's arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<String>,
}

/// How to run.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Print what it took to the standard error: time, logical clock, memory, and what each tier did; as text or as JSON
    #[arg(
        long,
        value_name = "FORMAT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "text"
    )]
    pub(crate) stats: Option<StatsFormat>,
    /// Write the names of functions in machine code to /tmp/perf-PID.map, where perf and other profilers look for them
    #[arg(long)]
    pub(crate) perf_map: bool,
    #[command(flatten)]
    pub(crate) tier: TierArgs,
    #[command(flatten)]
    pub(crate) environment: EnvironmentArgs,
    /// The program to run, .wasm or .wat
    pub(crate) program: PathBuf,
    /// The program's arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<String>,
}

/// What to compare.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// The tiers, with commas between them, the one that talks to the world first; all that this machine has unless given
    #[arg(
        long,
        value_name = "TIERS",
        value_delimiter = ',',
        value_parser = PossibleValuesParser::new(Tier::NAMES).map(|name| Tier::named(&name).unwrap_or_default())
    )]
    pub(crate) tiers: Vec<Tier>,
    /// Print the summary as one JSON object; docs/json-schema.json describes it
    #[arg(long)]
    pub(crate) json: bool,
    /// Print what the program wrote, once, before the summary
    #[arg(long)]
    pub(crate) show_output: bool,
    #[command(flatten)]
    pub(crate) code: CodeArgs,
    #[command(flatten)]
    pub(crate) environment: EnvironmentArgs,
    /// The program to run, .wasm or .wat
    pub(crate) program: PathBuf,
    /// The program's arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<String>,
}

/// How the figures of a run are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatsFormat {
    /// As lines of text.
    Text,
    /// As an object of `wdb --json`.
    Json,
}

/// What runs the program.
#[derive(Debug, Args)]
pub(crate) struct TierArgs {
    /// What runs the program between stops: an interpreter of the module's bytes (classic) or of register code (fast), machine code that is compiled quickly (jit) or to be fast (opt), or whichever pays, function by function (auto)
    #[arg(
        long,
        value_name = "TIER",
        default_value = Tier::default().name(),
        value_parser = PossibleValuesParser::new(Tier::NAMES).map(|name| Tier::named(&name).unwrap_or_default())
    )]
    pub(crate) tier: Tier,
    #[command(flatten)]
    pub(crate) code: CodeArgs,
}

/// How tiers make code.
#[derive(Debug, Args)]
pub(crate) struct CodeArgs {
    /// When functions are validated and translated: all at the start (eager), each at its first call (lazy), or validated at the start and translated at the first call (lazy-translation)
    #[arg(
        long,
        value_name = "WHEN",
        default_value = Compile::default().name(),
        value_parser = PossibleValuesParser::new(Compile::NAMES).map(|name| Compile::named(&name).unwrap_or_default())
    )]
    pub(crate) compile: Compile,
    /// How machine code keeps accesses within memories: by pages that cannot be accessed around them, where the system allows it (guard), or by a comparison before each (explicit). The program cannot tell one from the other
    #[arg(
        long,
        value_name = "HOW",
        default_value = Bounds::default().name(),
        value_parser = PossibleValuesParser::new(Bounds::NAMES).map(|name| Bounds::named(&name).unwrap_or_default())
    )]
    pub(crate) bounds: Bounds,
}

/// What to serve, and where.
#[derive(Debug, Args)]
pub(crate) struct GdbserverArgs {
    /// Keep listening when the program has ended; the next client finds it started anew
    #[arg(long)]
    pub(crate) multi: bool,
    #[command(flatten)]
    pub(crate) environment: EnvironmentArgs,
    #[command(flatten)]
    pub(crate) tier: TierArgs,
    /// Where to listen: HOST:PORT, PORT of the loopback interface, or unix:PATH; port 0 is any that is free
    pub(crate) address: String,
    /// The program to debug, .wasm or .wat
    pub(crate) program: PathBuf,
    /// The program's arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<String>,
}

/// Which test scripts to run, and how.
#[derive(Debug, Args)]
pub(crate) struct WastArgs {
    /// Run them on one tier only, instead of on each
    #[arg(long, value_name = "TIER", value_parser = wdb_wast::TIERS)]
    pub(crate) tier: Option<String>,
    /// Execute every call by single instructions, too, and compare
    #[arg(long)]
    pub(crate) step: bool,
    /// What modules may use, the rest being refused: all, wasm1, wasm2, wasm3, and features to add, or after a - to leave out, as in wasm2,threads,-simd
    #[arg(
        long,
        value_name = "LIST",
        default_value = "all",
        allow_hyphen_values = true
    )]
    pub(crate) features: Language,
    /// The scripts
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

/// What the program sees of the world.
#[derive(Debug, Args)]
pub(crate) struct EnvironmentArgs {
    /// Let the program use a directory; it sees it as GUEST, or as HOST. Can be repeated
    #[arg(long = "dir", value_name = "HOST[::GUEST]", value_parser = parse_dir, allow_hyphen_values = true)]
    pub(crate) dirs: Vec<(PathBuf, String)>,
    /// Set an environment variable of the program; without a value, to the one that it has here. Can be repeated
    #[arg(long = "env", value_name = "NAME[=VALUE]", value_parser = parse_env)]
    pub(crate) env: Vec<(String, String)>,
    /// Let the program read its standard input from a file
    #[arg(long, value_name = "FILE")]
    pub(crate) stdin: Option<PathBuf>,
    /// Call an exported function instead of _start; the program's arguments are its arguments
    #[arg(long, value_name = "FUNCTION")]
    pub(crate) invoke: Option<String>,
    /// Let imports that nothing provides trap when they are called
    #[arg(long)]
    pub(crate) stub_imports: bool,
    /// Look for sources whose recorded path begins with OLD under NEW. Can be repeated
    #[arg(long = "source-map", value_name = "OLD=NEW", value_parser = parse_source_map)]
    pub(crate) source_maps: Vec<(String, String)>,
}

fn parse_dir(text: &str) -> Result<(PathBuf, String), String> {
    let (host, guest) = text.split_once("::").unwrap_or((text, text));
    if host.is_empty() || guest.is_empty() {
        return Err("a directory is expected, as in --dir /srv/data::data".to_owned());
    }
    Ok((PathBuf::from(host), guest.to_owned()))
}

fn parse_env(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => match std::env::var(text) {
            Ok(value) => Ok((text.to_owned(), value)),
            Err(_) => Err(format!(
                "{text} is not set here; give it a value as in {text}=VALUE"
            )),
        },
    }
}

fn parse_source_map(text: &str) -> Result<(String, String), String> {
    let (old, new) = text
        .split_once('=')
        .ok_or("two paths are expected, as in --source-map /build/src=./src")?;
    Ok((old.to_owned(), new.to_owned()))
}

/// The parsed command line, and the commands of `-ex` and `-x` in their order.
pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> (Cli, Vec<ScriptItem>) {
    let arguments: Vec<OsString> = arguments.collect();
    let matches = Cli::command().get_matches_from(with_long_names(arguments));
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let indices = |id| matches.indices_of(id).into_iter().flatten();
    let commands = cli.debug.commands.iter().cloned().map(ScriptItem::Command);
    let scripts = cli.debug.scripts.iter().cloned().map(ScriptItem::File);
    let mut script: Vec<(usize, ScriptItem)> = indices("commands")
        .zip(commands)
        .chain(indices("scripts").zip(scripts))
        .collect();
    script.sort_by_key(|(index, _)| *index);
    (cli, script.into_iter().map(|(_, item)| item).collect())
}

/// gdb writes some long options with one dash. Options are ours up to the program's name, also those between an address to serve
/// at and the program; everything after it is the program's.
fn with_long_names(arguments: Vec<OsString>) -> Vec<OsString> {
    const ONE_DASH: [&str; 7] = [
        "-ex",
        "-batch",
        "-eval-command",
        "-command",
        "-nx",
        "-quiet",
        "-args",
    ];
    let root = Cli::command();
    let mut command = &root;
    let mut names_address = false;
    let mut result = Vec::with_capacity(arguments.len() + 1);
    let mut arguments = arguments.into_iter();
    result.extend(arguments.next());
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy().into_owned();
        if !text.starts_with('-') {
            let is_first = result.len() == 1;
            result.push(argument);
            match command.find_subcommand(&text).filter(|_| is_first) {
                Some(found) => {
                    command = found;
                    names_address = text == "gdbserver";
                }
                None if std::mem::take(&mut names_address) => {}
                None => {
                    result.push("--".into());
                    break;
                }
            }
            continue;
        }
        if text == "--" {
            result.push(argument);
            break;
        }
        let is_one_dash = ONE_DASH.contains(&text.as_str());
        let text = if is_one_dash {
            format!("-{text}")
        } else {
            text
        };
        let has_value = takes_value(command, &text);
        result.push(if is_one_dash { text.into() } else { argument });
        if has_value {
            result.extend(arguments.next());
        }
    }
    result.extend(arguments);
    result
}

/// Whether the value of an option is the next argument.
fn takes_value(command: &clap::Command, option: &str) -> bool {
    command.get_arguments().any(|known| {
        let is_long = option.strip_prefix("--").is_some_and(|name| {
            let aliases = known.get_all_aliases().unwrap_or_default();
            known.get_long() == Some(name) || aliases.contains(&name)
        });
        let is_short = known
            .get_short()
            .is_some_and(|short| option == format!("-{short}"));
        let is_next = known.get_action().takes_values() && !known.is_require_equals_set();
        (is_long || is_short) && is_next
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::CommandFactory;
    use wdb_debugger::Tier;
    use wdb_tui::ScriptItem;

    use super::{Action, Cli, StatsFormat, parse};

    fn parsed(line: &[&str]) -> (Cli, Vec<ScriptItem>) {
        parse(line.iter().map(OsString::from))
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn commands_keep_their_order_and_the_program_its_arguments() {
        let (cli, script) = parsed(&[
            "wdb", "-ex", "break f", "-x", "a.txt", "--ex", "run", "-batch", "--dir", "-ex",
            "p.wasm", "-ex", "--batch",
        ]);
        let command = |text: &str| ScriptItem::Command(text.to_owned());
        assert_eq!(
            script,
            [
                command("break f"),
                ScriptItem::File("a.txt".into()),
                command("run")
            ]
        );
        assert!(cli.debug.batch);
        assert_eq!(
            cli.debug.environment.dirs,
            [("-ex".into(), "-ex".to_owned())]
        );
        assert_eq!(cli.debug.args, ["-ex", "--batch"]);
        let (cli, _) = parsed(&["wdb", "run", "--env", "A=b", "p.wasm", "--stats", "--"]);
        let Some(Action::Run(run)) = cli.action else {
            panic!("run is a subcommand");
        };
        assert_eq!(run.stats, None);
        assert_eq!(run.args, ["--stats", "--"]);
        let (cli, _) = parsed(&["wdb", "run", "--stats", "--tier", "classic", "p.wasm"]);
        let Some(Action::Run(run)) = cli.action else {
            panic!("run is a subcommand");
        };
        assert_eq!(run.stats, Some(StatsFormat::Text));
        assert_eq!(run.tier.tier, Tier::Classic);
        assert_eq!(run.program.to_str(), Some("p.wasm"));
    }

    #[test]
    fn options_of_a_server_stand_on_both_sides_of_its_address() {
        let lines: [&[&str]; 4] = [
            &[
                "--multi", "--env", "A=b", "1234", "p.wasm", "--multi", "-ex",
            ],
            &[
                "--env", "A=b", "1234", "--multi", "p.wasm", "--multi", "-ex",
            ],
            &[
                "1234", "--multi", "--env", "A=b", "p.wasm", "--multi", "-ex",
            ],
            &[
                "1234",
                "--env=A=b",
                "--multi",
                "--",
                "p.wasm",
                "--multi",
                "-ex",
            ],
        ];
        for line in lines {
            let (cli, _) = parsed(&[&["wdb", "gdbserver"], line].concat());
            let Some(Action::Gdbserver(server)) = cli.action else {
                panic!("gdbserver is a subcommand");
            };
            assert!(server.multi, "{line:?}");
            assert_eq!(server.environment.env, [("A".to_owned(), "b".to_owned())]);
            assert_eq!(server.address, "1234");
            assert_eq!(server.program.to_str(), Some("p.wasm"));
            assert_eq!(server.args, ["--multi", "-ex"], "{line:?}");
        }
    }
}

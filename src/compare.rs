//! `wdb compare` on a terminal and elsewhere.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use wdb_debugger::ProgramSource;
use wdb_debugger::compare::Comparison;

use crate::arguments::{CompareArgs, TierArgs};
use crate::session_options;

pub(crate) fn compare(arguments: CompareArgs) -> anyhow::Result<ExitCode> {
    let tier = TierArgs {
        tier: arguments.tiers.first().copied().unwrap_or_default(),
        code: arguments.code,
    };
    let options = session_options(arguments.environment, tier, arguments.args);
    let source = ProgramSource::File(arguments.program);
    let mut live = (io::stdout().is_terminal() && !arguments.json).then(LiveTable::default);
    let mut failure = None;
    let comparison =
        wdb_debugger::compare::compare(source, options, &arguments.tiers, &mut |comparison| {
            let drawn = live.as_mut().map(|live| live.draw(comparison));
            failure = drawn.and_then(Result::err).or(failure.take());
        })?;
    if let Some(failure) = failure {
        return Err(failure.into());
    }
    if let Some(live) = &live {
        live.erase()?;
    }
    if arguments.show_output {
        let (mut stdout, mut stderr) = (io::stdout().lock(), io::stderr().lock());
        let lost = comparison.output().write(&mut stdout, &mut stderr)?;
        if lost > 0 {
            eprintln!("wdb: the last {lost} bytes of the output were not kept");
        }
    }
    let mut stdout = io::stdout().lock();
    if arguments.json {
        writeln!(stdout, "{}", comparison.json())?;
    } else {
        writeln!(stdout, "{}", comparison.text())?;
    }
    Ok(ExitCode::from(u8::from(!comparison.agrees())))
}

/// A table that is drawn over itself.
#[derive(Default)]
struct LiveTable {
    /// How many lines it has on the screen.
    lines: usize,
}

impl LiveTable {
    fn draw(&mut self, comparison: &Comparison) -> io::Result<()> {
        self.erase()?;
        let text = comparison.text();
        self.lines = text.lines().count();
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{text}")?;
        stdout.flush()
    }

    fn erase(&self) -> io::Result<()> {
        match self.lines {
            0 => Ok(()),
            lines => write!(io::stdout().lock(), "\x1b[{lines}A\x1b[J"),
        }
    }
}

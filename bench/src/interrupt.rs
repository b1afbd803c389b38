//! How long it takes until a run that is interrupted from another thread has returned.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use wdb_vm::exit::Exit;
use wdb_vm::tier::Tier;
use wdb_vm::vm::{RunLimit, Vm};

use crate::engines::wdb::{invoke, session};
use crate::measure::median;
use crate::programs::{self, Amount, Program};
use crate::random::Random;
use crate::report::Figures;
use crate::{bars, chosen};

#[derive(clap::Args)]
pub struct Options {
    /// How many interrupts there are for each tier and each program
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    tries: u32,
    /// Only these tiers
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    tiers: Vec<String>,
    /// Only these programs
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    programs: Vec<String>,
    /// Print the figures as JSON instead of tables
    #[arg(long)]
    json: bool,
}

/// After so many interrupts a machine makes room for a new one, which has to make its code anew.
const TRIES_PER_MACHINE: u32 = 4;

/// A run lasts so long before it is interrupted, and a part of that more.
const DELAY_MIN: Duration = Duration::from_millis(1);
const DELAY_RANGE_MS: u64 = 40;

/// Measures and prints.
pub fn interrupt(options: &Options) -> anyhow::Result<()> {
    let tiers = chosen(Tier::ALL.to_vec(), &options.tiers, |tier| tier.name())?;
    let programs = programs::all(Amount::Long);
    let programs = chosen(programs, &options.programs, |program| program.name)?;
    let names = || tiers.iter().map(|tier| tier.name().to_owned());
    let (mut longest, mut medians) = (Figures::new(names()), Figures::new(names()));
    for program in &programs {
        let mut answers = Vec::new();
        for &tier in &tiers {
            let mut times = answer_times(program, tier, options.tries)?;
            let median = median(&mut times);
            answers.push((times.into_iter().max(), median));
        }
        let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
        let longest_times = answers
            .iter()
            .map(|(longest, _)| longest.unwrap_or_default());
        longest.push(program.name, longest_times.map(milliseconds));
        medians.push(
            program.name,
            answers.iter().map(|(_, it)| milliseconds(*it)),
        );
    }
    if options.json {
        let json = json!({
            "longest_ms": longest.json(&[]),
            "median_ms": medians.json(&[]),
            "bar": bars::INTERRUPT_MS.text(),
        });
        println!("{}", serde_json::to_string_pretty(&json)?);
        return Ok(());
    }
    let bar = bars::INTERRUPT_MS;
    let title = format!("longest of {} in ms ({})", options.tries, bar.text());
    print!("{}", longest.text_with_bar(&title, 2, Some(bar)));
    print!("{}", medians.text("median ms", 2));
    Ok(())
}

/// How long each of so many interrupts took.
fn answer_times(program: &Program, tier: Tier, tries: u32) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    let mut random = Random::default();
    while times.len() < tries as usize {
        let mut vm = session(program, tier)?;
        for _ in 0..TRIES_PER_MACHINE.min(tries - times.len() as u32) {
            let delay = DELAY_MIN + Duration::from_millis(random.below(DELAY_RANGE_MS));
            times.extend(answer_time(&mut vm, program.n, delay)?);
        }
    }
    Ok(times)
}

/// How long an interrupt took; `None` when the program ended before. The machine goes on where it stands.
fn answer_time(vm: &mut Vm, n: i32, delay: Duration) -> anyhow::Result<Option<Duration>> {
    if vm.frame_count() == 0 {
        invoke(vm, n)?;
    }
    let interrupt = vm.interrupt();
    let interrupter = thread::spawn(move || {
        thread::sleep(delay);
        let raised = Instant::now();
        interrupt.raise();
        raised
    });
    let exit = vm.run(RunLimit::default());
    let returned = Instant::now();
    let raised = interrupter.join();
    let raised = raised.map_err(|_| anyhow::anyhow!("the interrupting thread has panicked"))?;
    match exit {
        Exit::Interrupted => Ok(Some(returned - raised)),
        Exit::Finished(_) => {
            vm.interrupt().take();
            Ok(None)
        }
        exit => anyhow::bail!("{exit:?}"),
    }
}

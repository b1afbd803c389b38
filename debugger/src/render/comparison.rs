//! The text of a comparison of tiers.

use std::fmt::{self, Formatter};

use crate::report::{ComparisonReport, PartingReport, TierRunReport};

pub(super) fn write(f: &mut Formatter<'_>, comparison: &ComparisonReport) -> fmt::Result {
    writeln!(
        f,
        "{:<8} {:>10} {:>14} {:>9} {:>10} {:>10} {:>10}",
        "tier", "time", "ticks", "ticks/s", "compiling", "code", "memory"
    )?;
    for tier in &comparison.tiers {
        writeln!(f, "{}", row(tier).trim_end())?;
    }
    match (comparison.agrees, comparison.tiers.first()) {
        (None, _) => Ok(()),
        (Some(true), Some(first)) => write_agreement(f, comparison, first),
        (Some(_), _) => {
            let mut partings = comparison.partings.iter();
            partings.try_for_each(|parting| write_parting(f, parting))
        }
    }
}

fn row(tier: &TierRunReport) -> String {
    if !tier.has_begun {
        return tier.tier.to_owned();
    }
    format!(
        "{:<8} {:>8.3} s {:>14} {:>9} {:>7.1} ms {:>10} {:>10}",
        tier.tier,
        tier.seconds,
        tier.ticks,
        rate(tier.ticks_per_second),
        tier.translation_ms,
        size(tier.code_bytes as u64),
        size(tier.memory_bytes)
    )
}

fn rate(per_second: f64) -> String {
    match per_second {
        rate if rate >= 1e9 => format!("{:.2} G", rate / 1e9),
        rate if rate >= 1e6 => format!("{:.1} M", rate / 1e6),
        rate if rate >= 1e3 => format!("{:.1} k", rate / 1e3),
        rate => format!("{rate:.0}"),
    }
}

fn size(bytes: u64) -> String {
    const KIB: f64 = 1024.0;
    match bytes as f64 {
        bytes if bytes >= KIB * KIB => format!("{:.1} MiB", bytes / KIB / KIB),
        bytes if bytes >= KIB => format!("{:.1} KiB", bytes / KIB),
        _ => format!("{bytes} B"),
    }
}

fn write_agreement(
    f: &mut Formatter<'_>,
    comparison: &ComparisonReport,
    first: &TierRunReport,
) -> fmt::Result {
    let ended = first.ended.as_deref().unwrap_or("not begun");
    let hash = first.memory_hash.as_deref().unwrap_or_default();
    match comparison.tiers.len() {
        1 => write!(
            f,
            "With one tier there is nothing to compare: the program is {ended}."
        ),
        _ => write!(
            f,
            "All tiers agree: the program is {ended} at tick {}, with memory of hash {hash}.",
            first.ticks
        ),
    }
}

fn write_parting(f: &mut Formatter<'_>, parting: &PartingReport) -> fmt::Result {
    let PartingReport {
        first,
        other,
        tick,
        place,
        what,
    } = parting;
    match tick {
        Some(tick) => {
            let before = tick - 1;
            write!(f, "{first} and {other} are the same up to tick {before}")?;
            if let Some(place) = place {
                write!(f, " (at {place})")?;
            }
            writeln!(f, " and differ at tick {tick}: {what}.")
        }
        None => writeln!(
            f,
            "{first} and {other} differ at the end: {what}. When they were run again they did not."
        ),
    }
}

//! The texts of what tiers did and made.

use std::fmt::{self, Formatter, Write};

use crate::error::counted;
use crate::report::{CodeSizeReport, FunctionCodeReport, RunStatsReport, TierReport, TiersReport};

pub(super) fn write_tiers(f: &mut Formatter<'_>, tiers: &TiersReport) -> fmt::Result {
    let when = match tiers.compile {
        "eager" => "all functions are translated before the start",
        "lazy-translation" => {
            "each function is translated at its first call, after all were validated"
        }
        _ => "each function is validated and translated at its first call",
    };
    writeln!(
        f,
        "The {} tier runs the program between stops; {when} ({}).",
        tiers.chosen, tiers.compile
    )?;
    match (&tiers.machine_code_obstacle, tiers.bounds) {
        (Some(obstacle), _) => writeln!(
            f,
            "jit, opt and auto run in fast, as there is no machine code here: {obstacle}."
        )?,
        (None, "guard") => {
            writeln!(
                f,
                "Machine code relies on guard pages around memories (--bounds guard)."
            )?;
        }
        (None, _) => writeln!(
            f,
            "Machine code compares addresses with the size of memories (--bounds explicit)."
        )?,
    }
    for tier in &tiers.tiers {
        writeln!(f, "{:<8} {}", tier.tier, tier_text(tier))?;
    }
    write_functions(f, tiers)?;
    write_fallbacks(f, tiers)
}

/// A row for each function that has code.
fn write_functions(f: &mut Formatter<'_>, tiers: &TiersReport) -> fmt::Result {
    /// Names that are longer do not move what stands behind them.
    const NAME_CHARS_MAX: usize = 40;
    if tiers.functions.is_empty() {
        return Ok(());
    }
    let name = |function: &FunctionCodeReport| match function.func_index {
        Some(index) => format!("func {index}, {}", function.function),
        None => function.function.to_string(),
    };
    let names: Vec<String> = tiers.functions.iter().map(name).collect();
    let width = names.iter().map(|name| name.chars().count()).max();
    let width = width.unwrap_or_default().min(NAME_CHARS_MAX);
    writeln!(f, "Functions with code:")?;
    for (name, function) in names.iter().zip(&tiers.functions) {
        let codes: Vec<String> = function.codes.iter().map(code_text).collect();
        writeln!(f, "  {name:<width$}  {}", codes.join("; "))?;
    }
    if tiers.functions_left_out > 0 {
        let functions = counted(tiers.functions_left_out, "more function");
        writeln!(f, "  ... and {functions}; `info tier all` lists them.")?;
    }
    Ok(())
}

fn code_text(code: &CodeSizeReport) -> String {
    let mut text = format!("{} {} bytes of code", code.tier, code.bytes);
    if code.pieces > 1 {
        let _ = write!(text, " in {} pieces", code.pieces);
    }
    if let Some(time) = code.translation_ms {
        let _ = write!(text, ", made in {time:.3} ms");
    }
    text
}

fn tier_text(tier: &TierReport) -> String {
    format!(
        "{} ticks, {} with {} bytes of wasm: {} bytes of code, made in {:.3} ms",
        tier.ticks,
        counted(tier.functions, "function"),
        tier.wasm_bytes,
        tier.code_bytes,
        tier.translation_ms
    )
}

fn write_fallbacks(f: &mut Formatter<'_>, tiers: &TiersReport) -> fmt::Result {
    if tiers.fallbacks.is_empty() {
        return f.write_str("Functions that had to run in a slower tier: none.");
    }
    writeln!(f, "Functions that had to run in a slower tier:")?;
    for fallback in &tiers.fallbacks {
        let index = fallback
            .func_index
            .map_or(String::new(), |index| format!("func {index}, "));
        writeln!(
            f,
            "  {index}{}, not in {}: {}",
            fallback.function, fallback.tier, fallback.reason
        )?;
    }
    Ok(())
}

pub(super) fn write_run_stats(f: &mut Formatter<'_>, stats: &RunStatsReport) -> fmt::Result {
    writeln!(f, "time          {:.3} s", stats.seconds)?;
    writeln!(
        f,
        "ticks         {}, {:.0} per second",
        stats.ticks, stats.ticks_per_second
    )?;
    writeln!(f, "guest memory  {} KiB", stats.guest_memory_bytes / 1024)?;
    if let Some(peak) = stats.peak_memory_bytes {
        writeln!(f, "peak memory   {} KiB", peak / 1024)?;
    }
    writeln!(f, "wasm code     {} bytes", stats.module_code_bytes)?;
    writeln!(
        f,
        "tier          {}, compile {}",
        stats.tiers.chosen, stats.tiers.compile
    )?;
    for tier in &stats.tiers.tiers {
        writeln!(f, "{:<13} {}", tier.tier, tier_text(tier))?;
    }
    write_fallbacks(f, &stats.tiers)
}

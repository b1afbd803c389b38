//! `tier` and `info tier`.

use crate::debugger::Debugger;
use crate::error::Error;
use crate::report::Report;

/// The same as the setting `tier`: without a value, it is shown.
pub(super) fn tier(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    match arguments {
        "" => super::set::show(debugger, "tier"),
        name => super::set::set(debugger, &format!("tier {name}")),
    }
}

/// How many functions `info tier` lists by itself.
const FUNCTIONS_MAX: usize = 20;

pub(super) fn info(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let functions_max = match arguments {
        "" => FUNCTIONS_MAX,
        "all" => usize::MAX,
        _ => {
            return Err(Error::other(
                "info tier takes `all`, to list every function that has code, or nothing.",
            ));
        }
    };
    debugger.answer(Report::Tiers(debugger.tiers_report(functions_max)));
    Ok(())
}

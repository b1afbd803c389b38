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

pub(super) fn info(debugger: &mut Debugger, _arguments: &str) -> Result<(), Error> {
    debugger.answer(Report::Tiers(debugger.tiers_report()));
    Ok(())
}

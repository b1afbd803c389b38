//! Reading the program anew when its file has changed, and finding the places of breakpoints again.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::breakpoints::{Condition, Kind};
use crate::debugger::Debugger;
use crate::error::Error;
use crate::location::inlined_places;
use crate::process::{self, Streams};
use crate::program::{Program, ProgramSource};
use crate::view::ProgramState;

impl Debugger {
    /// Reads the program again if its file is not the one that was read.
    pub(crate) fn reload_if_changed(&mut self) -> Result<(), Error> {
        let Some(path) = self.program.changed_file() else {
            return Ok(());
        };
        let path = path.to_owned();
        let program = self.read_program(path)?;
        self.replace_program(program);
        self.say(format!(
            "'{}' has changed; re-reading symbols.",
            self.program.name()
        ));
        self.find_breakpoints_again();
        Ok(())
    }

    /// Opens another program instead of the present one.
    pub(crate) fn open_program(&mut self, path: PathBuf) -> Result<(), Error> {
        let program = self.read_program(path)?;
        let streams = Streams::Events(&self.shared);
        // What cannot be linked leaves everything as it is.
        process::make_machine(&program, &self.options, &self.redirections, streams)
            .map_err(|message| Error::Other(format!("{message}.")))?;
        self.replace_program(program);
        self.say(format!("Reading symbols from {}...", self.program.name()));
        self.renew_machine()?;
        self.find_breakpoints_again();
        self.apply_probes();
        self.send_stopped();
        Ok(())
    }

    fn read_program(&self, path: PathBuf) -> Result<Program, Error> {
        let program = Program::open(
            ProgramSource::File(path),
            self.options.compile,
            self.options.source_maps.clone(),
            self.options.embedded_sources.clone(),
        );
        program.map_err(|error| Error::Other(format!("{error}.")))
    }

    fn replace_program(&mut self, program: Program) {
        self.program = Arc::new(program);
        self.program.validate_in_background();
        self.apply_source_path();
        self.shared.set_program(self.program.clone());
        self.warnings_told = 0;
        // Values are described by the debug info that is gone.
        self.history.clear();
        self.user_variables.borrow_mut().clear();
        self.list.forget();
        self.is_fresh = false;
        self.state = ProgramState::NotStarted;
    }

    /// Finds the places of all breakpoints in the program as it is now.
    fn find_breakpoints_again(&mut self) {
        let numbers: Vec<u32> = self.breakpoints.iter().map(|it| it.number).collect();
        let mut places = HashMap::new();
        let mut lost = Vec::new();
        for number in numbers {
            let Ok(breakpoint) = self.breakpoints.get(number) else {
                continue;
            };
            let condition = breakpoint.condition.as_ref().map(|it| it.text.clone());
            let condition = condition.and_then(|text| {
                let node = self.parse_expression(&text).ok()?;
                Some(Condition { text, node })
            });
            match (&breakpoint.kind, &breakpoint.location) {
                (Kind::Watchpoint(watchpoint), _) => {
                    match self.watchpoint(&watchpoint.expression, watchpoint.kind) {
                        Ok(found) => {
                            if let Ok(breakpoint) = self.breakpoints.get_mut(number) {
                                breakpoint.kind = Kind::Watchpoint(found);
                            }
                        }
                        Err(_) => lost.push(number),
                    }
                }
                (Kind::Catchpoint(catch), _) => {
                    places.insert(number, (self.catch_places(catch), Default::default()));
                }
                (_, Some(location)) => {
                    // Not found is pending: the next module may have it.
                    let pcs = self.resolve(location).unwrap_or_default();
                    let inlined = inlined_places(&self.program, location, &pcs);
                    places.insert(number, (pcs, inlined));
                }
                (_, None) => {}
            }
            if let Ok(breakpoint) = self.breakpoints.get_mut(number) {
                breakpoint.condition = condition;
            }
        }
        for number in lost {
            let _ = self.breakpoints.remove(number);
            self.say(format!(
                "Watchpoint {number} deleted because its expression means nothing in the program any more."
            ));
        }
        for (number, (pcs, inlined)) in places {
            if let Ok(breakpoint) = self.breakpoints.get_mut(number) {
                breakpoint.pcs = pcs;
                breakpoint.inlined = inlined;
            }
        }
        self.breakpoints.reindex();
        self.is_view_stale = true;
    }
}

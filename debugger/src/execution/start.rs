//! Starting the program, and ending it.

use std::cell::RefCell;

use wdb_vm::address::ModuleOffset;
use wdb_vm::vm::RunLimit;

use crate::commands::join_words;
use crate::debugger::Debugger;
use crate::error::Error;
use crate::event::Event;
use crate::execution::Stop;
use crate::process::{self, Entry, Streams};
use crate::view::ProgramState;

impl Debugger {
    /// Starts the program from its beginning and runs it.
    pub(crate) fn run(&mut self) -> Result<(), Error> {
        self.reload_if_changed()?;
        self.launch()?;
        self.execute(|debugger| {
            let limit = RunLimit {
                probe_at_start: true,
                ..RunLimit::default()
            };
            debugger.run_from(&[], &|_| false, limit)
        })
    }

    /// Starts the program and stops before its first instruction.
    pub(crate) fn start_at_first_instruction(&mut self) -> Result<(), Error> {
        self.reload_if_changed()?;
        self.launch()?;
        self.execute(|debugger| {
            let exit = debugger.vm.get_mut().begin();
            let stop = exit.and_then(|exit| debugger.stop_of(exit));
            stop.unwrap_or(Stop::Arrived)
        })
    }

    /// The places where `start` stops: the main function, else the first instruction of what runs first.
    pub(crate) fn start_places(&self) -> Result<Vec<ModuleOffset>, Error> {
        let entry = process::entry(&self.program, &self.options)?;
        let is_invoked = entry.as_ref().is_some_and(|entry| entry.is_invoked);
        let main = if is_invoked {
            Vec::new()
        } else {
            self.main_places()
        };
        if !main.is_empty() {
            return Ok(main);
        }
        let module = self.program.module();
        let first = entry.map(|entry| entry.func).or(module.start());
        let body = first.and_then(|func| module.func_body(func));
        let body = body.ok_or_else(|| {
            Error::other("The program begins in an imported function, where nothing can stop.")
        })?;
        let start = ModuleOffset(body.code.start);
        let at_main = self.program.code_offset(start).and_then(|at| {
            let info = self.program.info();
            let function = info.function_at(at)?;
            self.program
                .instruction_at(info.breakpoint_address(&function))
        });
        Ok(vec![at_main.unwrap_or(start)])
    }

    /// Makes the machine ready to run the program from its beginning. What ran before is given up.
    fn launch(&mut self) -> Result<(), Error> {
        let entry: Option<Entry> = process::entry(&self.program, &self.options)?;
        self.redirections.begin()?;
        if !self.is_fresh {
            self.renew_machine()?;
        }
        if let Some(entry) = &entry {
            process::begin(self.vm.get_mut(), entry)?;
        }
        self.is_fresh = false;
        self.state = ProgramState::Stopped;
        let mut line = format!("Starting program: {}", self.program.name());
        match &self.options.invoke {
            Some((name, arguments)) => {
                line.push_str(&format!(" (invoking {name}({}))", arguments.join(", ")));
            }
            None => {
                if !self.options.args.is_empty() {
                    line.push(' ');
                    line.push_str(&join_words(&self.options.args));
                }
            }
        }
        line.push_str(&self.redirections.text());
        self.say(line);
        Ok(())
    }

    /// Ends the program.
    pub(crate) fn kill(&mut self) -> Result<(), Error> {
        self.expect_alive()?;
        self.renew_machine()?;
        self.state = ProgramState::NotStarted;
        self.reason = "killed".to_owned();
        self.say(format!("[Program {} killed]", self.program.name()));
        self.send_stopped();
        Ok(())
    }

    /// Makes the next start begin with a new machine, because what it is made from has changed.
    pub(crate) fn drop_fresh_machine(&mut self) {
        self.is_fresh = false;
    }

    pub(crate) fn renew_machine(&mut self) -> Result<(), Error> {
        let streams = Streams::Events(&self.shared);
        let vm = process::make_machine(&self.program, &self.options, &self.redirections, streams);
        let vm = vm.map_err(|message| Error::Other(format!("{message}.")))?;
        self.shared.set_interrupt(vm.interrupt());
        self.vm = RefCell::new(vm);
        self.is_fresh = true;
        self.last_stop = None;
        self.selected = 0;
        self.hidden_inlines = 0;
        self.shown = None;
        self.applied_probes.clear();
        self.catches_host_calls = false;
        self.catches_throws = false;
        self.apply_probes();
        Ok(())
    }

    /// Sends the view if it is out of date.
    pub(crate) fn refresh_view(&mut self) {
        if self.owes_stop {
            self.send_stopped();
        }
        if !std::mem::take(&mut self.is_view_stale) {
            return;
        }
        let view = std::sync::Arc::new(self.build_view());
        self.shared.set_view(view.clone());
        self.shared.send(&Event::Changed(view));
    }
}

//! The state behind a session: the machine and everything the user has set up around it.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use wdb_dwarf::{FormatOptions, Value};
use wdb_vm::ProbeRule;
use wdb_vm::address::{CodeAddress, ModuleOffset};
use wdb_vm::captured::CaptureSink;
use wdb_vm::vm::Vm;
use wdb_vm::watch::Watch;

use crate::block::OpenBlock;
use crate::breakpoints::Breakpoints;
use crate::commands::control::Bodies;
use crate::commands::display::Displays;
use crate::commands::examine::ExamineState;
use crate::commands::list::ListState;
use crate::commands::show::ShowState;
use crate::commands::stop_actions::StopActions;
use crate::commands::user::UserCommands;
use crate::error::Error;
use crate::event::Event;
use crate::execution::Stop;
use crate::frames::{Frame, Frames};
use crate::json;
use crate::location::{CurrentLine, Resolver};
use crate::machine_rules::Probes;
use crate::printout::{CapturePrinter, Printout};
use crate::process::PROGRAM_INSTANCE;
use crate::program::Program;
use crate::redirection::Redirections;
use crate::remote::WatchAccess;
use crate::report::Report;
use crate::scope::FrameScope;
use crate::session::SessionOptions;
use crate::settings::Settings;
use crate::shared::Shared;
use crate::skips::Skips;
use crate::view::ProgramState;
use crate::view_builder::Shown;

/// The state behind a session. It lives on the machine's thread; commands change it.
pub(crate) struct Debugger {
    pub(crate) shared: Arc<Shared>,
    pub(crate) program: Arc<Program>,
    pub(crate) options: SessionOptions,
    /// Where the program's standard streams lead from the next start on.
    pub(crate) redirections: Redirections,
    /// Where names of files count from.
    pub(crate) directory: PathBuf,
    /// Where the user says that sources are.
    pub(crate) source_directories: Vec<PathBuf>,
    /// Borrowed mutably only by execution and by an assignment that an expression makes.
    pub(crate) vm: RefCell<Vm>,
    /// Whether nothing has run in the machine yet.
    pub(crate) is_fresh: bool,
    pub(crate) state: ProgramState,
    /// Why the program stopped last, in words.
    pub(crate) reason: String,
    /// The stop at which the program stands, if it has run.
    pub(crate) last_stop: Option<Stop>,
    pub(crate) breakpoints: Breakpoints,
    /// The probes that are set in the machine for breakpoints, with their conditions.
    pub(crate) applied_probes: Probes,
    /// Whether names in their conditions may mean something else since they were set.
    pub(crate) are_conditions_stale: Cell<bool>,
    /// How many inlined calls that begin where the program stands count as not entered.
    pub(crate) hidden_inlines: usize,
    /// The index of the selected frame.
    pub(crate) selected: usize,
    pub(crate) history: Vec<Value>,
    /// The user's own variables (`$name`). Expressions change them while they borrow everything else.
    pub(crate) user_variables: RefCell<HashMap<String, Value>>,
    pub(crate) displays: Displays,
    pub(crate) skips: Skips,
    pub(crate) settings: Settings,
    pub(crate) list: ListState,
    pub(crate) examine: ExamineState,
    pub(crate) show: ShowState,
    /// The commands that were given, oldest first.
    pub(crate) typed: Vec<String>,
    /// What an empty line does.
    pub(crate) repeatable: Option<String>,
    /// Whether the current command is such a repetition.
    pub(crate) is_repetition: bool,
    /// How deep scripts call scripts.
    pub(crate) script_depth: usize,
    /// What the innermost frame showed before the program went on, to mark what changed.
    pub(crate) shown: Option<Shown>,
    /// Whether the view that front ends have is out of date.
    pub(crate) is_view_stale: bool,
    /// Whether calls that an expression makes are kept (`call`), rather than made in a copy.
    pub(crate) keeps_calls: Cell<bool>,
    /// The source files of which was told that they cannot be shown.
    pub(crate) missing_told: RefCell<HashSet<Arc<str>>>,
    /// Whether the machine stops before calls of the host, because a catchpoint waits for them.
    pub(crate) catches_host_calls: bool,
    /// Whether the machine stops before exceptions are thrown.
    pub(crate) catches_throws: bool,
    /// Whether a catchpoint waits for exceptions to be handled.
    pub(crate) catches_landings: bool,
    /// How many of the debug info's warnings were told.
    pub(crate) warnings_told: usize,
    /// The block whose lines are being collected.
    pub(crate) block: Option<OpenBlock>,
    pub(crate) bodies: Bodies,
    pub(crate) user_commands: UserCommands,
    pub(crate) stop_actions: StopActions,
    /// Whether front ends were not told yet that the program stopped.
    pub(crate) owes_stop: bool,
    /// Where texts go that need not be whole lines.
    pub(crate) printout: Arc<Printout>,
    /// What a remote client wants to be watched while it lets the program run.
    pub(crate) remote_watches: Vec<(Watch, WatchAccess)>,
    /// The exit status with which the user wants to leave.
    pub(crate) quit: Option<i32>,
}

impl Debugger {
    pub(crate) fn new(
        shared: Arc<Shared>,
        program: Arc<Program>,
        options: SessionOptions,
        vm: Vm,
    ) -> Debugger {
        shared.set_interrupt(vm.interrupt());
        let settings = Settings {
            tier: options.tier.name(),
            compile: options.compile.name(),
            ..Settings::default()
        };
        let printout = Arc::new(Printout::new(shared.clone(), options.json));
        Debugger {
            shared,
            program,
            options,
            redirections: Redirections::default(),
            directory: std::env::current_dir().unwrap_or_default(),
            source_directories: Vec::new(),
            vm: RefCell::new(vm),
            is_fresh: true,
            state: ProgramState::NotStarted,
            reason: String::new(),
            last_stop: None,
            breakpoints: Breakpoints::default(),
            applied_probes: Probes::new(),
            are_conditions_stale: Cell::new(false),
            hidden_inlines: 0,
            selected: 0,
            history: Vec::new(),
            user_variables: RefCell::default(),
            displays: Displays::default(),
            skips: Skips::default(),
            settings,
            list: ListState::default(),
            examine: ExamineState::default(),
            show: ShowState::default(),
            typed: Vec::new(),
            repeatable: None,
            is_repetition: false,
            script_depth: 0,
            shown: None,
            is_view_stale: false,
            keeps_calls: Cell::new(false),
            missing_told: RefCell::default(),
            catches_host_calls: false,
            catches_throws: false,
            catches_landings: false,
            warnings_told: 0,
            block: None,
            bodies: Bodies::default(),
            user_commands: UserCommands::default(),
            stop_actions: StopActions::default(),
            owes_stop: false,
            printout,
            remote_watches: Vec::new(),
            quit: None,
        }
    }

    /// Tells the front ends an answer.
    pub(crate) fn answer(&self, report: Report) {
        self.end_line();
        let text = report.text();
        // Pagination belongs to front ends; an answer without text would be an empty line.
        if !text.is_empty() {
            self.shared.send(&Event::Message(text));
            if self.options.json {
                self.shared.send(&Event::Json(json::answer(&report).into()));
            }
        }
    }

    /// Tells the front ends a sentence.
    pub(crate) fn say(&self, text: impl Into<String>) {
        self.answer(Report::Text(text.into()));
    }

    /// Tells what was found malformed in the debug info, or invalid in the module, since the last time.
    pub(crate) fn tell_warnings(&mut self) {
        if let Some(error) = self.program.take_invalid() {
            self.say(format!("warning: {error}"));
        }
        let warnings = self.program.info().warnings();
        for warning in &warnings[self.warnings_told.min(warnings.len())..] {
            self.say(format!("warning: debug info: {warning}"));
        }
        self.warnings_told = warnings.len();
    }

    /// Whether there are frames to look at.
    pub(crate) fn is_alive(&self) -> bool {
        matches!(self.state, ProgramState::Stopped | ProgramState::Trapped)
    }

    /// An error unless there are frames to look at.
    pub(crate) fn expect_alive(&self) -> Result<(), Error> {
        if self.is_alive() {
            Ok(())
        } else {
            Err(Error::NotRunning)
        }
    }

    /// The frames, innermost first; none while the program is not being run.
    pub(crate) fn frames(&self) -> impl Iterator<Item = Frame> {
        let frames = self
            .is_alive()
            .then(|| Frames::new(&self.program, &self.vm, self.hidden_inlines));
        frames.into_iter().flatten()
    }

    /// How many frames there are.
    pub(crate) fn frame_total(&self) -> usize {
        if self.is_alive() {
            Frames::total(&self.program, &self.vm, self.hidden_inlines)
        } else {
            0
        }
    }

    /// The frame that commands look at.
    pub(crate) fn selected_frame(&self) -> Option<Frame> {
        self.frames().nth(self.selected)
    }

    /// The frame that commands look at, or an error that says why there is none.
    pub(crate) fn expect_frame(&self) -> Result<Frame, Error> {
        self.expect_alive()?;
        self.selected_frame().ok_or(Error::NoFrame)
    }

    /// What expressions mean in the selected frame, or without one.
    pub(crate) fn scope(&self) -> FrameScope<'_> {
        FrameScope::new(self, self.selected_frame())
    }

    /// What expressions mean in a frame.
    pub(crate) fn scope_of(&self, frame: Frame) -> FrameScope<'_> {
        FrameScope::new(self, Some(frame))
    }

    /// How values are written.
    pub(crate) fn format_options(&self) -> FormatOptions {
        self.settings.format_options()
    }

    /// The code that a location stands for.
    pub(crate) fn resolve(
        &self,
        location: &crate::location::Location,
    ) -> Result<Vec<ModuleOffset>, Error> {
        let resolver = Resolver {
            program: &self.program,
            current: self.current_line(),
            address: &|text| self.evaluate_code_address(text),
        };
        resolver.resolve(location)
    }

    /// The source line that locations and lists count from: the selected frame's, else the last one listed, else the
    /// main function's.
    pub(crate) fn current_line(&self) -> Option<CurrentLine> {
        if let Some(line) = self.list.current() {
            return Some(line.clone());
        }
        let from_frame = self.selected_frame();
        let location = match from_frame.as_ref().and_then(|frame| frame.location()) {
            Some(location) => location.clone(),
            None => {
                let pc = *self.main_places().first()?;
                let places = self.program.places_at(pc);
                places.first()?.location.clone()?
            }
        };
        Some(CurrentLine {
            file: location.file,
            line: location.line,
        })
    }

    /// Where the program's own code begins: `main` in the source language, else what an entry point is called by tools.
    pub(crate) fn main_places(&self) -> Vec<ModuleOffset> {
        const NAMES: [&str; 5] = [
            "main",
            "__main_argc_argv",
            "__original_main",
            "__main_void",
            "main.main",
        ];
        let mut places = NAMES
            .iter()
            .map(|name| crate::location::function_places(&self.program, name));
        places.find(|places| !places.is_empty()).unwrap_or_default()
    }

    /// Sets and clears probes in the machine so that they are those of the enabled breakpoints.
    pub(crate) fn apply_probes(&mut self) {
        self.are_conditions_stale.set(false);
        let (wanted, formats) = self.wanted_probes();
        let vm = self.vm.get_mut();
        let printer = (!formats.is_empty()).then(|| CapturePrinter {
            printout: self.printout.clone(),
            formats,
        });
        vm.set_capture_sink(printer.map(|printer| Box::new(printer) as Box<dyn CaptureSink>));
        for pc in self.applied_probes.keys() {
            if !wanted.contains_key(pc) {
                vm.clear_probe(code_address(*pc));
            }
        }
        for (pc, rule) in &wanted {
            let applied = self.applied_probes.get(pc);
            if applied.is_none() {
                vm.set_probe(code_address(*pc));
            }
            if applied.unwrap_or(&ProbeRule::default()) != rule {
                vm.set_rule(code_address(*pc), rule.clone());
            }
        }
        self.applied_probes = wanted;
        self.apply_watches();
        self.apply_catches();
        self.is_view_stale = true;
    }
}

/// An instruction of the program.
pub(crate) fn code_address(pc: ModuleOffset) -> CodeAddress {
    CodeAddress {
        instance: PROGRAM_INSTANCE,
        pc,
    }
}

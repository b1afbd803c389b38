//! The loop between terminal, session and state. It alone touches the terminal, and draws at most some 30 frames a second,
//! only when something changed.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use crossterm::event as terminal;
use crossterm::execute;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use wdb_debugger::event::Event;
use wdb_debugger::session::Session;

use crate::error::FrontEndError;
use crate::history::SavedHistory;
use crate::screen::ScreenOptions;
use crate::screen::app::{App, Effect, Question};
use crate::screen::draw::draw;
use crate::screen::output_buffer::OutputBuffer;
use crate::screen::syntax::{self, ColourRequest};
use crate::screen::terminal::FullScreen;
use crate::screen::workers::{
    Input, TerminalReader, start_look_ups, start_script, start_session_reader, start_signal_reader,
};

/// The least time between two frames.
const FRAME: Duration = Duration::from_millis(33);
/// How often the session is asked whether the guest waits for input.
const INPUT_POLL: Duration = Duration::from_millis(50);
/// How often the loop wakes up without a reason, to find out that a panic took the screen away.
const IDLE: Duration = Duration::from_millis(250);
/// After this time the user is told that a command takes long.
const BUSY: Duration = Duration::from_millis(200);
/// How many inputs are taken between two frames.
const BATCH: usize = 1024;

/// Everything that lives as long as the screen.
struct Loop {
    session: Session,
    app: App,
    terminal: Terminal<CrosstermBackend<io::Stdout>>,
    screen: Option<FullScreen>,
    reader: Option<TerminalReader>,
    inputs: Receiver<Input>,
    output: Arc<OutputBuffer>,
    sender: Sender<Input>,
    questions: Sender<Question>,
    colours: Sender<ColourRequest>,
    history: SavedHistory,
    /// Since when commands of this screen are under way.
    busy_since: Option<Instant>,
    quit: Option<i32>,
}

/// Runs the screen; returns the exit status.
pub(crate) fn run(session: &Session, options: ScreenOptions) -> Result<i32, FrontEndError> {
    let (sender, inputs) = channel();
    let output = Arc::new(OutputBuffer::default());
    start_session_reader(session.subscribe(), Arc::clone(&output), sender.clone())?;
    start_signal_reader(sender.clone())?;
    let questions = start_look_ups(session.clone(), sender.clone())?;
    let colours_sender = sender.clone();
    let colours =
        syntax::start(move |colours| colours_sender.send(Input::Colours(colours)).is_ok())?;
    let history = SavedHistory::open(options.history);
    let program = session.program();
    let screen = FullScreen::enter()?;
    let backend = CrosstermBackend::new(io::stdout());
    let mut terminal = Terminal::new(backend).map_err(FrontEndError::Terminal)?;
    terminal.clear().map_err(FrontEndError::Terminal)?;
    let size = terminal.size().map_err(FrontEndError::Terminal)?;
    let mut app = App::new(
        program.name().to_owned(),
        program.has_debug_info(),
        options.theme,
        Rect::new(0, 0, size.width, size.height),
        history.lines(),
    );
    app.begin(session.view());
    let reader = TerminalReader::start(sender.clone())?;
    start_script(session.clone(), options.commands, sender.clone())?;
    let mut event_loop = Loop {
        session: session.clone(),
        app,
        terminal,
        screen: Some(screen),
        reader: Some(reader),
        inputs,
        output,
        sender,
        questions,
        colours,
        history,
        busy_since: None,
        quit: None,
    };
    let result = event_loop.run();
    event_loop.history.save();
    result
}

impl Loop {
    fn run(&mut self) -> Result<i32, FrontEndError> {
        let mut changed = true;
        let mut drawn: Option<Instant> = None;
        loop {
            self.serve_effects()?;
            if let Some(status) = self.quit {
                return Ok(status);
            }
            if FullScreen::is_lost() {
                return Ok(101);
            }
            let since = drawn.map_or(FRAME, |drawn| drawn.elapsed());
            if changed && since >= FRAME {
                self.draw()?;
                drawn = Some(Instant::now());
                changed = false;
            }
            let timeout = if changed {
                FRAME.saturating_sub(since)
            } else if self.app.running || self.app.has_outstanding() {
                INPUT_POLL
            } else {
                IDLE
            };
            changed |= self.receive(timeout)?;
            changed |= self.poll();
        }
    }

    /// Waits for input and takes what there is; says whether there was any.
    fn receive(&mut self, timeout: Duration) -> Result<bool, FrontEndError> {
        let first = match self.inputs.recv_timeout(timeout) {
            Ok(input) => input,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Ok(false),
        };
        self.take(first)?;
        for _ in 0..BATCH {
            let Ok(input) = self.inputs.try_recv() else {
                break;
            };
            self.take(input)?;
        }
        Ok(true)
    }

    fn take(&mut self, input: Input) -> Result<(), FrontEndError> {
        match input {
            Input::Terminal(event) => match event {
                terminal::Event::Key(key) => self.app.key(key),
                terminal::Event::Mouse(mouse) => self.app.mouse(mouse),
                terminal::Event::Paste(text) => self.app.paste(&text),
                terminal::Event::Resize(width, height) => self.app.resize(width, height),
                terminal::Event::FocusGained | terminal::Event::FocusLost => {}
            },
            Input::TerminalFailed(error) => return Err(FrontEndError::Terminal(error)),
            Input::Session(event) => self.app.session_event(event),
            Input::Output => {
                let pending = self.output.take();
                self.app.output(pending);
            }
            Input::Answer(answer) => self.app.answer(answer),
            Input::Colours(colours) => self.app.colours(colours),
            Input::Interrupt => self.session.interrupt(),
            Input::Continued => self.redraw()?,
            Input::Terminate(status) => self.quit = Some(status),
            Input::ScriptError(text) => self.app.session_event(Event::Error(text)),
            Input::ScriptQuit(status) => self.quit = Some(status),
        }
        // Each key must see what the one before asked for.
        self.serve_effects()
    }

    /// What nobody reports has to be asked for; says whether anything changed.
    fn poll(&mut self) -> bool {
        let mut changed = false;
        let waiting = self.app.running && self.session.waits_for_input();
        if waiting != self.app.waiting {
            self.app.set_waiting(waiting);
            changed = true;
        }
        if !self.app.has_outstanding() {
            self.busy_since = None;
        }
        let busy = self.busy_since.is_some_and(|since| since.elapsed() >= BUSY);
        if busy != self.app.busy {
            self.app.busy = busy;
            changed = true;
        }
        changed
    }

    fn serve_effects(&mut self) -> Result<(), FrontEndError> {
        for effect in self.app.take_effects() {
            match effect {
                Effect::Submit { line, typed } => {
                    let request = self.session.submit(&line);
                    self.app.submitted(request, typed);
                    self.busy_since.get_or_insert_with(Instant::now);
                }
                Effect::Interrupt => self.session.interrupt(),
                Effect::TypeInput(bytes) => self.session.type_input(&bytes),
                Effect::CloseInput => self.session.close_input(),
                // These threads end only with the screen, or by a panic that ends the screen.
                Effect::Ask(question) => drop(self.questions.send(question)),
                Effect::Colour(request) => drop(self.colours.send(request)),
                Effect::Remember(line) => self.history.add(&line),
                Effect::Redraw => self.redraw()?,
                Effect::Suspend => self.suspend()?,
                Effect::Quit(status) => self.quit = Some(status),
            }
        }
        Ok(())
    }

    fn redraw(&mut self) -> Result<(), FrontEndError> {
        self.terminal.clear().map_err(FrontEndError::Terminal)
    }

    /// Gives the terminal back to the shell until it continues this process.
    fn suspend(&mut self) -> Result<(), FrontEndError> {
        self.reader = None;
        self.screen = None;
        signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)
            .map_err(FrontEndError::Signals)?;
        self.screen = Some(FullScreen::enter()?);
        self.reader = Some(TerminalReader::start(self.sender.clone())?);
        let size = self.terminal.size().map_err(FrontEndError::Terminal)?;
        self.app.resize(size.width, size.height);
        self.redraw()
    }

    fn draw(&mut self) -> Result<(), FrontEndError> {
        let app = &self.app;
        execute!(io::stdout(), BeginSynchronizedUpdate).map_err(FrontEndError::Terminal)?;
        self.terminal
            .draw(|frame| {
                if let Some(position) = draw(app, frame.buffer_mut()) {
                    frame.set_cursor_position(position);
                }
            })
            .map_err(FrontEndError::Terminal)?;
        execute!(io::stdout(), EndSynchronizedUpdate).map_err(FrontEndError::Terminal)
    }
}

//! The loop between terminal, session and state. It alone touches the terminal, and draws only when something changed.
//!
//! A key mostly leads to several changes in a row: the command begins, the program stops, the texts of the new place arrive.
//! They are drawn as one frame, unless that takes so long that the user would notice the delay.

use std::io::{self, BufWriter};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use crossterm::event as terminal;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use crossterm::{execute, queue};
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
const FRAME: Duration = Duration::from_millis(8);
/// The least time between two frames while the program runs: nobody reads faster what it writes.
const FRAME_RUNNING: Duration = Duration::from_millis(25);
/// How long a frame waits for what is under way.
const SETTLE: Duration = Duration::from_millis(20);
/// How often the session is asked whether the guest waits for input.
const INPUT_POLL: Duration = Duration::from_millis(50);
/// How often the loop wakes up without a reason, to find out that a panic took the screen away.
const IDLE: Duration = Duration::from_millis(250);
/// After this time the user is told that a command takes long.
const BUSY: Duration = Duration::from_millis(200);
/// How many bytes the frames of most screens have at the most.
const FRAME_BYTES: usize = 1 << 17;
/// How many inputs are taken between two frames.
const BATCH: usize = 1024;

/// Everything that lives as long as the screen.
struct Loop {
    session: Session,
    app: App,
    /// The buffer holds a whole frame, so that one write shows it.
    terminal: Terminal<CrosstermBackend<BufWriter<io::Stdout>>>,
    screen: Option<FullScreen>,
    reader: Option<TerminalReader>,
    inputs: Receiver<Input>,
    output: Arc<OutputBuffer>,
    sender: Sender<Input>,
    questions: Sender<Question>,
    colours: Sender<ColourRequest>,
    history: SavedHistory,
    /// How many look-ups are not answered yet.
    unanswered: usize,
    /// Since when the screen shows something old.
    changed: Option<Instant>,
    /// When the last frame was drawn.
    drawn: Option<Instant>,
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
    let backend = CrosstermBackend::new(BufWriter::with_capacity(FRAME_BYTES, io::stdout()));
    let terminal = Terminal::new(backend).map_err(FrontEndError::Terminal)?;
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
        unanswered: 0,
        changed: Some(Instant::now()),
        drawn: None,
        busy_since: None,
        quit: None,
    };
    let result = event_loop.run();
    event_loop.history.save();
    result
}

impl Loop {
    fn run(&mut self) -> Result<i32, FrontEndError> {
        loop {
            self.serve_effects()?;
            if let Some(status) = self.quit {
                return Ok(status);
            }
            if FullScreen::is_lost() {
                return Ok(101);
            }
            let until_frame = self.until_frame();
            if until_frame == Some(Duration::ZERO) {
                self.draw()?;
                self.drawn = Some(Instant::now());
                self.changed = None;
                continue;
            }
            let idle = if self.app.running || self.app.has_outstanding() {
                INPUT_POLL
            } else {
                IDLE
            };
            let changed = self.receive(until_frame.unwrap_or(idle))?;
            if self.poll() || changed {
                self.changed.get_or_insert_with(Instant::now);
            }
        }
    }

    /// How long the next frame has to wait; `None` when there is nothing new to show.
    fn until_frame(&self) -> Option<Duration> {
        let changed = self.changed?;
        let pause = if self.app.running {
            FRAME_RUNNING
        } else {
            FRAME
        };
        let rest = self.drawn.map_or(Duration::ZERO, |drawn| {
            pause.saturating_sub(drawn.elapsed())
        });
        let is_settling = self.unanswered > 0 || self.app.has_outstanding();
        let settle = if is_settling {
            SETTLE.saturating_sub(changed.elapsed())
        } else {
            Duration::ZERO
        };
        Some(rest.max(settle))
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
            Input::Answer(answer) => {
                self.unanswered -= 1;
                self.app.answer(answer);
            }
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
                Effect::Submit { line, typed } => self.submit(&line, typed),
                Effect::SubmitTyped(line) => match self.session.question(&line) {
                    Some(question) => self.app.ask_before(line, question),
                    None => self.submit(&line, true),
                },
                Effect::Interrupt => self.session.interrupt(),
                Effect::TypeInput(bytes) => self.session.type_input(&bytes),
                Effect::CloseInput => self.session.close_input(),
                // These threads end only with the screen, or by a panic that ends the screen.
                Effect::Ask(question) => {
                    self.unanswered += 1;
                    drop(self.questions.send(question));
                }
                Effect::Colour(request) => drop(self.colours.send(request)),
                Effect::Remember(line) => self.history.add(&line),
                Effect::Redraw => self.redraw()?,
                Effect::Suspend => self.suspend()?,
                Effect::Quit(status) => self.quit = Some(status),
            }
        }
        Ok(())
    }

    fn submit(&mut self, line: &str, typed: bool) {
        let request = self.session.submit(line);
        self.app.submitted(request, typed);
        self.busy_since.get_or_insert_with(Instant::now);
    }

    /// Forgets what the terminal shows. Its `clear` would ask the terminal for the cursor's position first, and wait for
    /// an answer that the thread of the keys may take.
    fn redraw(&mut self) -> Result<(), FrontEndError> {
        let size = self.terminal.size().map_err(FrontEndError::Terminal)?;
        self.terminal
            .resize(Rect::new(0, 0, size.width, size.height))
            .map_err(FrontEndError::Terminal)
    }

    /// Gives the terminal back to the shell until it continues this process.
    fn suspend(&mut self) -> Result<(), FrontEndError> {
        if let Some(reader) = self.reader.take() {
            reader.stop();
        }
        self.screen = None;
        signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)
            .map_err(FrontEndError::Signals)?;
        self.screen = Some(FullScreen::enter()?);
        self.reader = Some(TerminalReader::start(self.sender.clone())?);
        self.redraw()
    }

    fn draw(&mut self) -> Result<(), FrontEndError> {
        // The terminal may have another size already, while the event that says so is on its way.
        self.terminal
            .autoresize()
            .map_err(FrontEndError::Terminal)?;
        let area = self.terminal.get_frame().area();
        if area != self.app.size {
            self.app.resize(area.width, area.height);
            self.serve_effects()?;
        }
        let app = &self.app;
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)
            .map_err(FrontEndError::Terminal)?;
        self.terminal
            .draw(|frame| {
                // It may change at any time; the next frame then is the right one.
                if frame.area() == app.size
                    && let Some(position) = draw(app, frame.buffer_mut())
                {
                    frame.set_cursor_position(position);
                }
            })
            .map_err(FrontEndError::Terminal)?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)
            .map_err(FrontEndError::Terminal)
    }
}

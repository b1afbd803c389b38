//! The one table of actions: their keys, names and help texts. The `?` help, the footer, the palette and the
//! documentation are all made from it.

use crate::screen::pane::Pane;

/// Something the user can do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Action {
    Step,
    Next,
    Finish,
    Continue,
    StepInstruction,
    NextInstruction,
    RunToCursor,
    Run,
    NextTier,
    Interrupt,
    FrameUp,
    CallerWithSource,
    FrameDown,
    ToggleBreakpoint,
    ConditionalBreakpoint,
    CursorUp,
    CursorDown,
    ScrollLeft,
    ScrollRight,
    HalfPageUp,
    HalfPageDown,
    PageUp,
    PageDown,
    Top,
    Bottom,
    GoToStop,
    Expand,
    ToggleHex,
    GoToAddress,
    FocusNumber(u8),
    FocusNext,
    FocusPrevious,
    FocusLeft,
    FocusDown,
    FocusUp,
    FocusRight,
    Taller,
    Shorter,
    Wider,
    Narrower,
    Maximize,
    Equalize,
    Zoom,
    CommandLine,
    TypeInput,
    Search,
    SearchNext,
    SearchPrevious,
    Palette,
    Help,
    NextTheme,
    Redraw,
    Suspend,
    Quit,
}

/// The headings of the help.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Group {
    Running,
    Breakpoints,
    Looking,
    Moving,
    Panes,
    General,
}

impl Group {
    /// All of them, in the order of the help.
    pub(crate) const ALL: [Group; 6] = [
        Group::Running,
        Group::Breakpoints,
        Group::Looking,
        Group::Moving,
        Group::Panes,
        Group::General,
    ];

    /// The heading.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Group::Running => "Running",
            Group::Breakpoints => "Breakpoints",
            Group::Looking => "Looking",
            Group::Moving => "Moving",
            Group::Panes => "Panes",
            Group::General => "General",
        }
    }
}

/// One row of the table.
pub(crate) struct Binding {
    /// What it does.
    pub(crate) action: Action,
    /// Its keys; chords of a sequence are separated by a space. Without a key it is reached through the palette.
    pub(crate) keys: &'static [&'static str],
    /// Its name in the palette.
    pub(crate) name: &'static str,
    /// What it does, in one line.
    pub(crate) help: &'static str,
    /// Its heading.
    pub(crate) group: Group,
    /// Its word in the footer, if it appears there.
    pub(crate) footer: Option<&'static str>,
}

const fn binding(
    action: Action,
    keys: &'static [&'static str],
    name: &'static str,
    help: &'static str,
    group: Group,
    footer: Option<&'static str>,
) -> Binding {
    Binding {
        action,
        keys,
        name,
        help,
        group,
        footer,
    }
}

/// Every action, in the order of the help.
#[rustfmt::skip]
pub(crate) const BINDINGS: &[Binding] = &[
    binding(Action::Step, &["s", "F11"], "step", "to the next source line, into calls; starts at main", Group::Running, Some("step")),
    binding(Action::Next, &["n", "F10"], "next", "to the next source line, over calls", Group::Running, Some("next")),
    binding(Action::Finish, &["f", "Shift-F11"], "finish", "run until the selected frame returns", Group::Running, Some("finish")),
    binding(Action::Continue, &["c", "F5"], "continue", "go on; runs the program if it is not started", Group::Running, Some("cont")),
    binding(Action::StepInstruction, &["i"], "stepi", "execute one instruction", Group::Running, None),
    binding(Action::NextInstruction, &["o"], "nexti", "execute one instruction, over calls", Group::Running, None),
    binding(Action::RunToCursor, &["t"], "run to cursor", "run until the line or instruction under the cursor", Group::Running, None),
    binding(Action::Run, &["r"], "run", "run the program from its beginning", Group::Running, None),
    binding(Action::NextTier, &["T"], "next tier", "let the next tier run the program between stops", Group::Running, None),
    binding(Action::Interrupt, &["Ctrl-C", "F6"], "interrupt", "stop the program, or whatever takes long", Group::Running, None),

    binding(Action::ToggleBreakpoint, &["b", "F9"], "breakpoint", "set a breakpoint here, or delete the one there is", Group::Breakpoints, Some("break")),
    binding(Action::ConditionalBreakpoint, &["B"], "breakpoint with condition", "set a breakpoint here that has a condition", Group::Breakpoints, None),

    binding(Action::CallerWithSource, &["U"], "caller with source", "select the nearest caller whose source is here", Group::Looking, None),
    binding(Action::FrameUp, &["u"], "frame up", "select the caller's frame", Group::Looking, None),
    binding(Action::FrameDown, &["d"], "frame down", "select the called frame", Group::Looking, None),
    binding(Action::Expand, &["Enter"], "expand or follow", "expand a value, follow an address, select a frame", Group::Looking, None),
    binding(Action::ToggleHex, &["x"], "hexadecimal", "show numbers in hexadecimal, or in decimal again", Group::Looking, None),
    binding(Action::GoToAddress, &["g a"], "go to address", "show memory at an address", Group::Looking, None),
    binding(Action::GoToStop, &["."], "where the program stands", "back to where the selected frame stands", Group::Looking, None),

    binding(Action::CursorUp, &["k", "Up"], "up", "move the cursor up", Group::Moving, None),
    binding(Action::CursorDown, &["j", "Down"], "down", "move the cursor down", Group::Moving, None),
    binding(Action::ScrollLeft, &["h", "Left"], "scroll left", "scroll long lines to the left", Group::Moving, None),
    binding(Action::ScrollRight, &["l", "Right"], "scroll right", "scroll long lines to the right", Group::Moving, None),
    binding(Action::HalfPageUp, &["Ctrl-U"], "half a page up", "move half a page up", Group::Moving, None),
    binding(Action::HalfPageDown, &["Ctrl-D"], "half a page down", "move half a page down", Group::Moving, None),
    binding(Action::PageUp, &["PageUp"], "page up", "move a page up", Group::Moving, None),
    binding(Action::PageDown, &["PageDown"], "page down", "move a page down", Group::Moving, None),
    binding(Action::Top, &["g g", "Home"], "top", "go to the first line", Group::Moving, None),
    binding(Action::Bottom, &["G", "End"], "bottom", "go to the last line", Group::Moving, None),
    binding(Action::Search, &["/"], "search", "search in the pane", Group::Moving, None),
    binding(Action::SearchNext, &["F3"], "next match", "go to the next match", Group::Moving, None),
    binding(Action::SearchPrevious, &["Shift-F3"], "previous match", "go to the previous match", Group::Moving, None),

    binding(Action::FocusNumber(1), &["1"], "source pane", "focus the source", Group::Panes, None),
    binding(Action::FocusNumber(2), &["2"], "wasm pane", "focus the wasm instructions", Group::Panes, None),
    binding(Action::FocusNumber(4), &["4"], "stack and locals panes", "focus the call stack; again: the locals", Group::Panes, None),
    binding(Action::FocusNumber(5), &["5"], "operands pane", "focus the operand stack and the labels", Group::Panes, None),
    binding(Action::FocusNumber(6), &["6"], "memory and breakpoints panes", "focus the memory; again: the breakpoints", Group::Panes, None),
    binding(Action::FocusNumber(7), &["7"], "output and console panes", "focus the program's output; again: the console", Group::Panes, None),
    binding(Action::FocusNext, &["Tab"], "next pane", "focus the next pane or tab", Group::Panes, None),
    binding(Action::FocusPrevious, &["Shift-Tab"], "previous pane", "focus the previous pane or tab", Group::Panes, None),
    binding(Action::FocusLeft, &["Ctrl-W h", "Ctrl-W Left"], "pane to the left", "focus the pane to the left", Group::Panes, None),
    binding(Action::FocusDown, &["Ctrl-W j", "Ctrl-W Down"], "pane below", "focus the pane below", Group::Panes, None),
    binding(Action::FocusUp, &["Ctrl-W k", "Ctrl-W Up"], "pane above", "focus the pane above", Group::Panes, None),
    binding(Action::FocusRight, &["Ctrl-W l", "Ctrl-W Right"], "pane to the right", "focus the pane to the right", Group::Panes, None),
    binding(Action::Taller, &["Ctrl-W +"], "taller", "make the pane taller", Group::Panes, None),
    binding(Action::Shorter, &["Ctrl-W -"], "shorter", "make the pane shorter", Group::Panes, None),
    binding(Action::Wider, &["Ctrl-W >"], "wider", "make the pane wider", Group::Panes, None),
    binding(Action::Narrower, &["Ctrl-W <"], "narrower", "make the pane narrower", Group::Panes, None),
    binding(Action::Maximize, &["Ctrl-W _"], "as tall as possible", "make the pane as tall as possible", Group::Panes, None),
    binding(Action::Equalize, &["Ctrl-W ="], "usual sizes", "give all panes their usual sizes again", Group::Panes, None),
    binding(Action::Zoom, &["z"], "zoom", "let the pane fill the screen, or end that", Group::Panes, None),

    binding(Action::CommandLine, &[":"], "command line", "type a command: Tab completes, Up recalls", Group::General, Some("cmd")),
    binding(Action::TypeInput, &["g i"], "type program input", "type input for the program; Ctrl-D ends it", Group::General, None),
    binding(Action::Palette, &["Ctrl-P"], "palette", "find any action by its name", Group::General, Some("find")),
    binding(Action::Help, &["?", "F1"], "help", "show the keys", Group::General, Some("help")),
    binding(Action::NextTheme, &[], "next theme", "colours: dark, light, high contrast, none", Group::General, None),
    binding(Action::Redraw, &["Ctrl-L"], "redraw", "draw the screen anew", Group::General, None),
    binding(Action::Suspend, &["Ctrl-Z"], "suspend", "go back to the shell for a while", Group::General, None),
    binding(Action::Quit, &["q"], "quit", "leave the debugger", Group::General, Some("quit")),
];

/// The digit that focuses `pane`, as the help shows them.
pub(crate) fn pane_digit(pane: Pane) -> char {
    char::from(b'0' + pane.number())
}

/// The keys as a Markdown table for the documentation.
pub fn key_reference() -> String {
    let mut text = String::from("| keys | action |\n|---|---|\n");
    for binding in BINDINGS {
        let keys: Vec<String> = binding.keys.iter().map(|key| format!("`{key}`")).collect();
        let keys = if keys.is_empty() {
            "(palette)".to_owned()
        } else {
            keys.join(", ")
        };
        text.push_str(&format!(
            "| {keys} | {}: {} |\n",
            binding.name, binding.help
        ));
    }
    text
}

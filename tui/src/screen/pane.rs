//! The panes there are.

/// A pane of the screen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Pane {
    /// The source file.
    Source,
    /// The function's instructions.
    Wasm,
    /// The call stack.
    Stack,
    /// Variables and wasm locals.
    Locals,
    /// The operand stack and the label stack.
    Operands,
    /// Linear memory.
    Memory,
    /// The breakpoints.
    Breakpoints,
    /// What the guest wrote, and where its input is typed.
    Output,
    /// Commands and what they printed.
    Console,
}

impl Pane {
    /// All of them, in the order of their numbers.
    pub(crate) const ALL: [Pane; 9] = [
        Pane::Source,
        Pane::Wasm,
        Pane::Stack,
        Pane::Locals,
        Pane::Operands,
        Pane::Memory,
        Pane::Breakpoints,
        Pane::Output,
        Pane::Console,
    ];

    /// The digit that focuses it. Panes with the same digit take turns.
    ///
    /// 3 (lower code) and 8 (timeline) belong to panes that come with the tiers and with time travel; the digits of the
    /// others do not change then.
    pub(crate) fn number(self) -> u8 {
        match self {
            Pane::Source => 1,
            Pane::Wasm => 2,
            Pane::Stack | Pane::Locals => 4,
            Pane::Operands => 5,
            Pane::Memory | Pane::Breakpoints => 6,
            Pane::Output | Pane::Console => 7,
        }
    }

    /// Its name in titles and tabs.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Pane::Source => "Source",
            Pane::Wasm => "Wasm",
            Pane::Stack => "Stack",
            Pane::Locals => "Locals",
            Pane::Operands => "Operands",
            Pane::Memory => "Memory",
            Pane::Breakpoints => "Breaks",
            Pane::Output => "Output",
            Pane::Console => "Console",
        }
    }

    /// Its name where tabs are many and columns few.
    pub(crate) fn short_title(self) -> &'static str {
        match self {
            Pane::Source => "Src",
            Pane::Wasm => "Wasm",
            Pane::Stack => "Stk",
            Pane::Locals => "Loc",
            Pane::Operands => "Ops",
            Pane::Memory => "Mem",
            Pane::Breakpoints => "Brk",
            Pane::Output => "Out",
            Pane::Console => "Con",
        }
    }

    /// Its place in tables indexed by pane.
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

//! What is held against what, and the bars.

/// A ratio of two engines' figures, and what it is held against.
pub struct Comparison {
    pub above: &'static str,
    /// Of several the better counts.
    pub below: &'static [&'static str],
    pub bars: Bars,
}

/// What a ratio is held against, if anything.
#[derive(Clone, Copy, Default)]
pub struct Bars {
    /// The geometric mean of all programs.
    pub mean: Option<Bar>,
    /// Each program.
    pub each: Option<Bar>,
}

/// A bound of a ratio.
#[derive(Clone, Copy)]
pub enum Bar {
    AtMost(f64),
    AtLeast(f64),
}

impl Bar {
    pub fn is_missed_by(self, value: f64) -> bool {
        match self {
            Bar::AtMost(bar) => value > bar,
            Bar::AtLeast(bar) => value < bar,
        }
    }

    pub fn text(self) -> String {
        match self {
            Bar::AtMost(bar) => format!("≤ {bar:.2}"),
            Bar::AtLeast(bar) => format!("≥ {bar:.2}"),
        }
    }
}

impl Comparison {
    /// Without a bar, for people to look at.
    const fn plain(above: &'static str, below: &'static [&'static str]) -> Comparison {
        Comparison::new(above, below, None, None)
    }

    const fn new(
        above: &'static str,
        below: &'static [&'static str],
        mean: Option<Bar>,
        each: Option<Bar>,
    ) -> Comparison {
        Comparison {
            above,
            below,
            bars: Bars { mean, each },
        }
    }

    pub fn title(&self) -> String {
        match self.below {
            [below] => format!("{} / {below}", self.above),
            several => format!("{} / better of {}", self.above, several.join(" and ")),
        }
    }
}

/// Of the times of the main table.
pub const SPEED: &[Comparison] = &[
    Comparison::new("classic", &["wasmi"], Some(Bar::AtMost(2.0)), None),
    Comparison::new("fast", &["wasmi"], Some(Bar::AtMost(0.85)), None),
    Comparison::new("fast", &["wasm3"], Some(Bar::AtMost(0.85)), None),
    Comparison::new("fast", &["wasmi", "wasm3"], None, Some(Bar::AtMost(1.15))),
    Comparison::plain("fast", &["tinywasm"]),
    Comparison::new(
        "opt",
        &["wasmtime"],
        Some(Bar::AtMost(1.08)),
        Some(Bar::AtMost(1.30)),
    ),
    Comparison::plain("auto", &["wasmtime"]),
    Comparison::new("guest-debug", &["opt"], Some(Bar::AtLeast(2.8)), None),
    Comparison::plain("jit", &["winch"]),
    Comparison::plain("jit", &["opt"]),
    Comparison::plain("fast", &["jit"]),
];

/// Of wall times.
pub const WALL: &[Comparison] = &[
    Comparison::new("auto", &["fast", "opt"], None, Some(Bar::AtMost(1.15))),
    Comparison::plain("auto", &["jit"]),
    Comparison::plain("auto", &["wasmtime"]),
    Comparison::plain("auto", &["winch"]),
];

/// Of the times with a condition that never holds.
pub const CONDITIONS: &[Comparison] = &[Comparison::new(
    "opt-condition",
    &["opt"],
    None,
    Some(Bar::AtMost(1.10)),
)];

/// Of the times with a watchpoint.
pub const WATCH: &[Comparison] = &[
    Comparison::new("opt-watch", &["wasmtime"], None, Some(Bar::AtMost(1.4))),
    Comparison::plain("opt-watch", &["opt"]),
];

/// Of the times of compiling all functions of a module.
pub const COMPILE_TIME: &[Comparison] = &[
    Comparison::new("opt", &["wasmtime"], None, Some(Bar::AtMost(2.2))),
    Comparison::plain("jit", &["wasmtime"]),
    Comparison::plain("jit", &["winch"]),
    Comparison::plain("jit", &["opt"]),
];

/// Of the sizes of code.
pub const CODE_SIZE: &[Comparison] = &[
    Comparison::new("opt", &["wasm"], None, Some(Bar::AtMost(5.0))),
    Comparison::plain("jit", &["wasm"]),
    Comparison::plain("wasmtime", &["wasm"]),
    Comparison::plain("winch", &["wasm"]),
];

/// Of the milliseconds that an interrupt takes.
pub const INTERRUPT_MS: Bar = Bar::AtMost(50.0);

/// Wasmtime with each of its collectors.
const COLLECTORS: &[&str] = &["wasmtime", "wasmtime-drc"];

/// Of the times of programs with exceptions and objects.
pub const OBJECTS: &[Comparison] = &[
    Comparison::new("opt", COLLECTORS, None, Some(Bar::AtMost(3.0))),
    Comparison::new("auto", COLLECTORS, None, Some(Bar::AtMost(3.0))),
    Comparison::plain("opt", &["fast"]),
];

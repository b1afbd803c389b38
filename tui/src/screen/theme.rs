//! Colours. Every theme uses the terminal's own 16 colours, so that they suit the user's palette and work over ssh and in tmux.

use ratatui::style::{Color, Modifier, Style};

use crate::screen::syntax::Category;

/// A set of styles, one for each role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Theme {
    name: &'static str,
    pub(crate) text: Style,
    pub(crate) dim: Style,
    pub(crate) border: Style,
    pub(crate) title: Style,
    pub(crate) title_focused: Style,
    pub(crate) bar: Style,
    pub(crate) bar_running: Style,
    pub(crate) bar_stopped: Style,
    pub(crate) bar_trapped: Style,
    pub(crate) current_line: Style,
    pub(crate) cursor_line: Style,
    pub(crate) cursor_line_unfocused: Style,
    pub(crate) linked: Style,
    pub(crate) breakpoint: Style,
    pub(crate) changed: Style,
    pub(crate) name_style: Style,
    pub(crate) type_style: Style,
    pub(crate) address: Style,
    pub(crate) explanation: Style,
    pub(crate) error: Style,
    pub(crate) notice: Style,
    pub(crate) key: Style,
    pub(crate) typed: Style,
    pub(crate) matched: Style,
    syntax: [Style; Category::COUNT],
}

const fn foreground(color: Color) -> Style {
    Style::new().fg(color)
}

const fn on(foreground: Color, background: Color) -> Style {
    Style::new().fg(foreground).bg(background)
}

impl Theme {
    /// The names of the themes, in the order in which the action "next theme" goes through them.
    pub const NAMES: [&'static str; 4] = ["dark", "light", "high-contrast", "none"];

    /// The theme of that name: one of [`Theme::NAMES`].
    pub fn named(name: &str) -> Option<Theme> {
        match name {
            "dark" => Some(Theme::dark()),
            "light" => Some(Theme::light()),
            "high-contrast" => Some(Theme::high_contrast()),
            "none" => Some(Theme::colourless()),
            _ => None,
        }
    }

    /// The theme for this environment: without colours when `NO_COLOR` is set and not empty (<https://no-color.org>),
    /// else dark.
    pub fn of_environment() -> Theme {
        if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
            Theme::colourless()
        } else {
            Theme::dark()
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The theme after this one.
    pub(crate) fn next(&self) -> Theme {
        let index = Theme::NAMES.iter().position(|name| *name == self.name);
        let next = index.map_or(0, |index| (index + 1) % Theme::NAMES.len());
        Theme::named(Theme::NAMES[next]).unwrap_or_else(Theme::dark)
    }

    /// The style of a syntactic category.
    pub(crate) fn syntax(&self, category: Category) -> Style {
        self.syntax[category as usize]
    }

    fn dark() -> Theme {
        Theme {
            name: "dark",
            text: Style::new(),
            dim: foreground(Color::DarkGray),
            border: foreground(Color::DarkGray),
            title: foreground(Color::Gray),
            title_focused: on(Color::Black, Color::Cyan).add_modifier(Modifier::BOLD),
            bar: on(Color::White, Color::DarkGray),
            bar_running: on(Color::Black, Color::Green),
            bar_stopped: on(Color::Black, Color::Yellow),
            bar_trapped: on(Color::White, Color::Red).add_modifier(Modifier::BOLD),
            current_line: on(Color::Black, Color::Yellow),
            cursor_line: Style::new().add_modifier(Modifier::REVERSED),
            cursor_line_unfocused: on(Color::White, Color::DarkGray),
            linked: foreground(Color::Cyan),
            breakpoint: foreground(Color::Red).add_modifier(Modifier::BOLD),
            changed: foreground(Color::LightYellow).add_modifier(Modifier::BOLD),
            name_style: foreground(Color::LightCyan),
            type_style: foreground(Color::Green),
            address: foreground(Color::LightBlue),
            explanation: foreground(Color::LightGreen),
            error: foreground(Color::LightRed).add_modifier(Modifier::BOLD),
            notice: foreground(Color::LightCyan),
            key: foreground(Color::LightYellow).add_modifier(Modifier::BOLD),
            typed: foreground(Color::LightCyan),
            matched: foreground(Color::LightYellow).add_modifier(Modifier::UNDERLINED),
            syntax: [
                foreground(Color::DarkGray),
                foreground(Color::LightGreen),
                foreground(Color::LightMagenta),
                foreground(Color::LightRed),
                foreground(Color::Cyan),
                foreground(Color::LightBlue),
                foreground(Color::Magenta),
            ],
        }
    }

    fn light() -> Theme {
        Theme {
            name: "light",
            text: on(Color::Black, Color::White),
            dim: on(Color::DarkGray, Color::White),
            border: on(Color::Gray, Color::White),
            title: on(Color::DarkGray, Color::White),
            title_focused: on(Color::White, Color::Blue).add_modifier(Modifier::BOLD),
            bar: on(Color::Black, Color::Gray),
            bar_running: on(Color::White, Color::Green),
            bar_stopped: on(Color::Black, Color::Yellow),
            bar_trapped: on(Color::White, Color::Red).add_modifier(Modifier::BOLD),
            current_line: on(Color::Black, Color::Yellow),
            cursor_line: on(Color::White, Color::Blue),
            cursor_line_unfocused: on(Color::Black, Color::Gray),
            linked: on(Color::Blue, Color::White),
            breakpoint: on(Color::Red, Color::White).add_modifier(Modifier::BOLD),
            changed: on(Color::Red, Color::White).add_modifier(Modifier::BOLD),
            name_style: on(Color::Blue, Color::White),
            type_style: on(Color::Green, Color::White),
            address: on(Color::Magenta, Color::White),
            explanation: on(Color::Green, Color::White),
            error: on(Color::Red, Color::White).add_modifier(Modifier::BOLD),
            notice: on(Color::Blue, Color::White),
            key: on(Color::Blue, Color::Gray).add_modifier(Modifier::BOLD),
            typed: on(Color::Blue, Color::White),
            matched: on(Color::Red, Color::White).add_modifier(Modifier::UNDERLINED),
            syntax: [
                foreground(Color::DarkGray),
                foreground(Color::Green),
                foreground(Color::Magenta),
                foreground(Color::Red),
                foreground(Color::Cyan),
                foreground(Color::Blue),
                foreground(Color::Magenta),
            ],
        }
    }

    fn high_contrast() -> Theme {
        let bold = Style::new()
            .fg(Color::White)
            .bg(Color::Black)
            .add_modifier(Modifier::BOLD);
        Theme {
            name: "high-contrast",
            text: on(Color::White, Color::Black),
            dim: on(Color::Gray, Color::Black),
            border: on(Color::White, Color::Black),
            title: bold,
            title_focused: on(Color::Black, Color::LightYellow).add_modifier(Modifier::BOLD),
            bar: on(Color::Black, Color::White),
            bar_running: on(Color::Black, Color::LightGreen).add_modifier(Modifier::BOLD),
            bar_stopped: on(Color::Black, Color::LightYellow).add_modifier(Modifier::BOLD),
            bar_trapped: on(Color::White, Color::Red).add_modifier(Modifier::BOLD),
            current_line: on(Color::Black, Color::LightYellow).add_modifier(Modifier::BOLD),
            cursor_line: on(Color::Black, Color::White),
            cursor_line_unfocused: bold.add_modifier(Modifier::UNDERLINED),
            linked: bold.fg(Color::LightCyan),
            breakpoint: bold.fg(Color::LightRed),
            changed: on(Color::Black, Color::LightYellow).add_modifier(Modifier::BOLD),
            name_style: bold.fg(Color::LightCyan),
            type_style: bold.fg(Color::LightGreen),
            address: bold.fg(Color::LightCyan),
            explanation: bold.fg(Color::LightGreen),
            error: bold.fg(Color::LightRed),
            notice: bold.fg(Color::LightCyan),
            key: on(Color::Black, Color::White).add_modifier(Modifier::BOLD),
            typed: bold.fg(Color::LightCyan),
            matched: bold
                .fg(Color::LightYellow)
                .add_modifier(Modifier::UNDERLINED),
            syntax: [
                foreground(Color::Gray),
                foreground(Color::LightGreen),
                foreground(Color::LightMagenta),
                foreground(Color::LightYellow),
                foreground(Color::LightCyan),
                foreground(Color::White),
                foreground(Color::LightMagenta),
            ],
        }
    }

    /// No colours: what colours say is also said by marks in the text and by bold, underlined and reversed text.
    fn colourless() -> Theme {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        let reversed = plain.add_modifier(Modifier::REVERSED);
        let dim = plain.add_modifier(Modifier::DIM);
        Theme {
            name: "none",
            text: plain,
            dim,
            border: dim,
            title: plain,
            title_focused: reversed.add_modifier(Modifier::BOLD),
            bar: reversed,
            bar_running: reversed,
            bar_stopped: reversed,
            bar_trapped: reversed.add_modifier(Modifier::BOLD),
            current_line: reversed.add_modifier(Modifier::BOLD),
            cursor_line: reversed,
            cursor_line_unfocused: plain.add_modifier(Modifier::UNDERLINED),
            linked: bold,
            breakpoint: bold,
            changed: bold,
            name_style: plain,
            type_style: plain,
            address: plain,
            explanation: plain,
            error: bold,
            notice: plain,
            key: bold,
            typed: bold,
            matched: plain.add_modifier(Modifier::UNDERLINED),
            syntax: [dim, plain, bold, plain, plain, plain, plain],
        }
    }
}

//! A terminal's screen as a picture in SVG: what the text of it cannot show is the colours.

use std::fmt::Write;

use vt100::{Cell, Color, Screen};

const CELL_WIDTH: f64 = 8.4;
const CELL_HEIGHT: f64 = 17.0;
/// Where the letters stand within a row.
const BASELINE: f64 = 13.0;
const MARGIN: f64 = 8.0;

/// The sixteen colours as many terminals have them, with a dark background.
const PALETTE: [&str; 16] = [
    "#16181d", "#d0555b", "#7fae5c", "#d9a648", "#5a94d6", "#b07cc6", "#4fa8ad", "#c3c8d0",
    "#6b7280", "#ee7a80", "#a0cf7d", "#f0c674", "#7fb3ee", "#cf9be4", "#74cbd0", "#ffffff",
];
const BACKGROUND: &str = PALETTE[0];
const FOREGROUND: &str = PALETTE[7];

/// How a run of cells looks.
#[derive(Clone, PartialEq, Eq)]
struct Look {
    foreground: String,
    background: String,
    bold: bool,
    dim: bool,
    underline: bool,
}

impl Look {
    fn of(cell: Option<&Cell>) -> Look {
        let colour = |colour: Color, default: &str| match colour {
            Color::Default => default.to_owned(),
            Color::Idx(index) => PALETTE
                .get(usize::from(index))
                .copied()
                .unwrap_or(default)
                .to_owned(),
            Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
        };
        let mut look = Look {
            foreground: colour(cell.map_or(Color::Default, Cell::fgcolor), FOREGROUND),
            background: colour(cell.map_or(Color::Default, Cell::bgcolor), BACKGROUND),
            bold: cell.is_some_and(Cell::bold),
            dim: cell.is_some_and(Cell::dim),
            underline: cell.is_some_and(Cell::underline),
        };
        if cell.is_some_and(Cell::inverse) {
            std::mem::swap(&mut look.foreground, &mut look.background);
        }
        look
    }

    fn attributes(&self) -> String {
        let mut text = format!("fill=\"{}\"", self.foreground);
        if self.bold {
            text.push_str(" font-weight=\"bold\"");
        }
        if self.dim {
            text.push_str(" opacity=\"0.6\"");
        }
        if self.underline {
            text.push_str(" text-decoration=\"underline\"");
        }
        text
    }
}

/// Neighbouring cells of a row that look the same.
struct Run {
    column: u16,
    columns: u16,
    look: Look,
    text: String,
}

fn runs(screen: &Screen, row: u16) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for column in 0..screen.size().1.get() {
        let cell = screen.cell(row, column);
        let look = Look::of(cell);
        let contents = cell.map(Cell::contents).filter(|text| !text.is_empty());
        let text = contents.unwrap_or(" ");
        match runs.last_mut() {
            Some(run) if run.look == look => {
                run.columns += 1;
                run.text.push_str(text);
            }
            _ => runs.push(Run {
                column,
                columns: 1,
                look,
                text: text.to_owned(),
            }),
        }
    }
    runs
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The screen as a document.
pub(crate) fn picture(screen: &Screen) -> String {
    let (rows, columns) = screen.size();
    let width = f64::from(columns.get()) * CELL_WIDTH + 2.0 * MARGIN;
    let height = f64::from(rows.get()) * CELL_HEIGHT + 2.0 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" \
         font-family=\"'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"14\" xml:space=\"preserve\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{BACKGROUND}\"/>\n"
    );
    for row in 0..rows.get() {
        let top = MARGIN + f64::from(row) * CELL_HEIGHT;
        for run in runs(screen, row) {
            let left = MARGIN + f64::from(run.column) * CELL_WIDTH;
            let length = f64::from(run.columns) * CELL_WIDTH;
            if run.look.background != BACKGROUND {
                let fill = &run.look.background;
                let _ = writeln!(
                    svg,
                    "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{length:.1}\" height=\"{CELL_HEIGHT:.1}\" fill=\"{fill}\"/>"
                );
            }
            if run.text.trim().is_empty() {
                continue;
            }
            let _ = writeln!(
                svg,
                "<text x=\"{left:.1}\" y=\"{:.1}\" textLength=\"{length:.1}\" {}>{}</text>",
                top + BASELINE,
                run.look.attributes(),
                escaped(&run.text)
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}

//! Where the panes are: a pure function of the screen's size and of what the user changed.

use ratatui::layout::Rect;

use crate::screen::pane::Pane;

/// An area of the screen that shows one of its tabs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Slot {
    /// The title row and the content below it.
    pub(crate) area: Rect,
    /// The panes that share it.
    pub(crate) tabs: Vec<Pane>,
    /// The one that is visible.
    pub(crate) shown: Pane,
}

impl Slot {
    /// The area below the title row.
    pub(crate) fn content(&self) -> Rect {
        let rows = self.area.height.min(1);
        Rect {
            y: self.area.y + rows,
            height: self.area.height - rows,
            ..self.area
        }
    }
}

/// Where everything is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Arrangement {
    /// The status row at the top.
    pub(crate) status: Rect,
    /// The row at the bottom: command line, notices, keys.
    pub(crate) footer: Rect,
    /// The column between left and right, if both are visible.
    pub(crate) divider: Option<Rect>,
    /// The panes.
    pub(crate) slots: Vec<Slot>,
}

impl Arrangement {
    /// The slot that shows `pane`.
    pub(crate) fn slot_showing(&self, pane: Pane) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.shown == pane)
    }

    /// The slot at a position of the screen.
    pub(crate) fn slot_at(&self, column: u16, row: u16) -> Option<&Slot> {
        self.slots
            .iter()
            .find(|slot| slot.area.contains((column, row).into()))
    }
}

/// Which of the two columns a slot stands in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Column {
    Left,
    Right,
}

/// A slot of a layout before it has an area.
struct Plan {
    column: Column,
    tabs: &'static [Pane],
}

/// Wide terminals show most panes at once.
const WIDE: &[Plan] = &[
    Plan {
        column: Column::Left,
        tabs: &[Pane::Source],
    },
    Plan {
        column: Column::Left,
        tabs: &[Pane::Wasm],
    },
    Plan {
        column: Column::Left,
        tabs: &[Pane::Output, Pane::Console],
    },
    Plan {
        column: Column::Right,
        tabs: &[Pane::Stack],
    },
    Plan {
        column: Column::Right,
        tabs: &[Pane::Locals],
    },
    Plan {
        column: Column::Right,
        tabs: &[Pane::Operands],
    },
    Plan {
        column: Column::Right,
        tabs: &[Pane::Memory, Pane::Breakpoints],
    },
];

/// Small terminals show source and wasm beside one pane with tabs.
const COMPACT: &[Plan] = &[
    Plan {
        column: Column::Left,
        tabs: &[Pane::Source],
    },
    Plan {
        column: Column::Left,
        tabs: &[Pane::Wasm],
    },
    Plan {
        column: Column::Right,
        tabs: &[
            Pane::Stack,
            Pane::Locals,
            Pane::Operands,
            Pane::Memory,
            Pane::Breakpoints,
            Pane::Output,
            Pane::Console,
        ],
    },
];

/// What the user can change about the arrangement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Sizes {
    /// The left column's share of the width, in percent.
    left_percent: u16,
    /// The weight of each pane's height among the slots of its column.
    weights: [u16; Pane::ALL.len()],
    /// Whether the focused pane fills the screen.
    pub(crate) zoomed: bool,
}

impl Sizes {
    const WEIGHT_STEP_PERCENT: u16 = 20;
    const WEIGHT_MAX: u16 = 2000;
    const WEIGHT_MIN: u16 = 5;

    /// Makes the slot of `pane` taller (`direction` > 0) or shorter.
    pub(crate) fn change_height(&mut self, slot: &Slot, direction: i16) {
        for pane in &slot.tabs {
            let weight = &mut self.weights[pane.index()];
            let step = (*weight * Self::WEIGHT_STEP_PERCENT / 100).max(1);
            *weight = if direction > 0 {
                weight.saturating_add(step)
            } else {
                weight.saturating_sub(step)
            }
            .clamp(Self::WEIGHT_MIN, Self::WEIGHT_MAX);
        }
    }

    /// Makes the slot as tall as possible.
    pub(crate) fn maximize_height(&mut self, slot: &Slot) {
        for pane in &slot.tabs {
            self.weights[pane.index()] = Self::WEIGHT_MAX;
        }
    }

    /// Makes the column of `pane` wider (`direction` > 0) or narrower.
    pub(crate) fn change_width(&mut self, pane: Pane, size: Rect, direction: i16) {
        let plan = plan(size).iter().find(|plan| plan.tabs.contains(&pane));
        let in_left = plan.is_some_and(|plan| plan.column == Column::Left);
        let wider_left = in_left == (direction > 0);
        self.left_percent = if wider_left {
            self.left_percent + 2
        } else {
            self.left_percent - 2
        }
        .clamp(20, 80);
    }

    /// Puts the divider at a column of the screen.
    pub(crate) fn place_divider(&mut self, column: u16, size: Rect) {
        if size.width > 0 {
            let percent = u32::from(column) * 100 / u32::from(size.width);
            self.left_percent = u16::try_from(percent).unwrap_or(80).clamp(20, 80);
        }
    }

    /// Gives all panes their usual sizes.
    pub(crate) fn equalize(&mut self) {
        *self = Sizes::default();
    }
}

impl Default for Sizes {
    fn default() -> Sizes {
        let mut weights = [20; Pane::ALL.len()];
        for (pane, weight) in [
            (Pane::Source, 45),
            (Pane::Wasm, 35),
            (Pane::Locals, 35),
            (Pane::Operands, 25),
        ] {
            weights[pane.index()] = weight;
        }
        Sizes {
            left_percent: 58,
            weights,
            zoomed: false,
        }
    }
}

/// The smallest screen that shows panes.
pub(crate) const COLUMNS_MIN: u16 = 60;
/// The smallest screen that shows panes.
pub(crate) const ROWS_MIN: u16 = 16;

/// From this size on the wide layout is used.
const WIDE_COLUMNS: u16 = 110;
/// From this size on the wide layout is used.
const WIDE_ROWS: u16 = 30;

fn plan(size: Rect) -> &'static [Plan] {
    if size.width >= WIDE_COLUMNS && size.height >= WIDE_ROWS {
        WIDE
    } else {
        COMPACT
    }
}

/// Arranges the panes. `raised` lists panes by how recently each was asked for: a slot shows the first of its tabs there.
pub(crate) fn arrange(size: Rect, sizes: &Sizes, raised: &[Pane], focus: Pane) -> Arrangement {
    let status = Rect {
        height: size.height.min(1),
        ..size
    };
    let footer = Rect {
        y: size.y + size.height.saturating_sub(1),
        height: size.height.min(1),
        ..size
    };
    let body = Rect {
        y: size.y + status.height,
        height: size.height.saturating_sub(2),
        ..size
    };
    let mut arrangement = Arrangement {
        status,
        footer,
        divider: None,
        slots: Vec::new(),
    };
    let plans = plan(size);
    if sizes.zoomed {
        let tabs = plans
            .iter()
            .find(|plan| plan.tabs.contains(&focus))
            .map_or_else(|| vec![focus], |plan| plan.tabs.to_vec());
        arrangement.slots.push(Slot {
            area: body,
            tabs,
            shown: focus,
        });
        return arrangement;
    }
    let left_width =
        u16::try_from(u32::from(body.width) * u32::from(sizes.left_percent) / 100).unwrap_or(0);
    let divider = Rect {
        x: body.x + left_width,
        width: 1.min(body.width),
        ..body
    };
    let left = Rect {
        width: left_width,
        ..body
    };
    let right = Rect {
        x: divider.x + divider.width,
        width: body.width.saturating_sub(left_width + divider.width),
        ..body
    };
    arrangement.divider = Some(divider);
    for (column, area) in [(Column::Left, left), (Column::Right, right)] {
        let plans: Vec<&Plan> = plans.iter().filter(|plan| plan.column == column).collect();
        let weights: Vec<u16> = plans
            .iter()
            .map(|plan| sizes.weights[plan.tabs[0].index()])
            .collect();
        let mut y = area.y;
        for (plan, height) in plans.iter().zip(share(area.height, &weights)) {
            let shown = raised.iter().find(|pane| plan.tabs.contains(pane));
            arrangement.slots.push(Slot {
                area: Rect { y, height, ..area },
                tabs: plan.tabs.to_vec(),
                shown: shown.copied().unwrap_or(plan.tabs[0]),
            });
            y += height;
        }
    }
    arrangement
}

/// Shares `total` rows by weight; everyone gets at least the title and two rows where there are enough.
fn share(total: u16, weights: &[u16]) -> Vec<u16> {
    let count = u16::try_from(weights.len()).unwrap_or(u16::MAX).max(1);
    let least = (total / count).min(3);
    let free = total - least * count;
    let sum: u32 = weights.iter().map(|&weight| u32::from(weight)).sum();
    let mut shares: Vec<u16> = weights
        .iter()
        .map(|&weight| {
            let part = u32::from(free) * u32::from(weight) / sum.max(1);
            least + u16::try_from(part).unwrap_or(0)
        })
        .collect();
    let used: u16 = shares.iter().sum();
    if let Some(first) = shares.first_mut() {
        *first += total - used;
    }
    shares
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;

    use super::{Sizes, arrange, share};
    use crate::screen::pane::Pane;

    #[test]
    fn rows_are_shared_without_rest() {
        for total in 0..60 {
            for weights in [&[1, 1, 1][..], &[45, 35, 20], &[2000, 5, 5, 5], &[7]] {
                assert_eq!(share(total, weights).iter().sum::<u16>(), total);
            }
        }
    }

    #[test]
    fn every_size_is_covered_without_overlap() {
        for (width, height) in [(0, 0), (1, 1), (60, 16), (80, 24), (120, 40), (500, 200)] {
            let size = Rect::new(0, 0, width, height);
            let arrangement = arrange(size, &Sizes::default(), &[], Pane::Source);
            let slots: u32 = arrangement.slots.iter().map(|slot| slot.area.area()).sum();
            let divider = arrangement.divider.map_or(0, Rect::area);
            let bars = arrangement.status.area() + arrangement.footer.area();
            if height >= 2 {
                assert_eq!(slots + divider + bars, size.area(), "{width}x{height}");
            }
        }
    }
}

//! A cursor in a list of which a window is visible.

/// The cursor and the window of one pane.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Scroll {
    /// The row under the cursor.
    pub(crate) cursor: usize,
    /// The first visible row.
    pub(crate) top: usize,
    /// How many columns are scrolled out at the left.
    pub(crate) left: usize,
}

impl Scroll {
    /// How many rows stay visible above and below the cursor.
    const MARGIN: usize = 2;
    /// How many columns can be scrolled out at the most.
    const LEFT_MAX: usize = 4096;

    /// Moves the cursor by `delta` rows within `rows`.
    pub(crate) fn move_by(&mut self, delta: isize, rows: usize) {
        self.cursor = self
            .cursor
            .saturating_add_signed(delta)
            .min(rows.saturating_sub(1));
    }

    /// Scrolls sideways.
    pub(crate) fn move_left_by(&mut self, delta: isize) {
        self.left = self.left.saturating_add_signed(delta).min(Self::LEFT_MAX);
    }

    /// Moves the window by `delta` rows and takes the cursor along where it would leave it.
    pub(crate) fn scroll_by(&mut self, delta: isize, rows: usize, height: usize) {
        let top_max = rows.saturating_sub(height);
        self.top = self.top.saturating_add_signed(delta).min(top_max);
        let margin = Self::margin(height);
        let first = if self.top == 0 { 0 } else { self.top + margin };
        let bottom = self.top + height;
        let last = if bottom >= rows {
            rows.saturating_sub(1)
        } else {
            bottom.saturating_sub(margin + 1)
        };
        self.cursor = self.cursor.clamp(first.min(last), last);
    }

    /// Keeps the cursor within `rows` and the window around the cursor. The window moves no more than it must, but puts
    /// the cursor in its middle when that would be more than its height.
    pub(crate) fn settle(&mut self, rows: usize, height: usize) {
        self.cursor = self.cursor.min(rows.saturating_sub(1));
        if height == 0 {
            return;
        }
        let margin = Self::margin(height);
        let far =
            self.cursor + height < self.top || self.cursor >= self.top.saturating_add(2 * height);
        if far {
            self.top = self.cursor.saturating_sub(height / 2);
        } else if self.cursor < self.top + margin {
            self.top = self.cursor.saturating_sub(margin);
        } else if self.cursor + margin >= self.top + height {
            self.top = self.cursor + margin + 1 - height;
        }
        self.top = self.top.min(rows.saturating_sub(height));
    }

    /// A window of a few rows has no room for a margin.
    fn margin(height: usize) -> usize {
        Self::MARGIN.min(height.saturating_sub(1) / 3)
    }
}

#[cfg(test)]
mod tests {
    use super::Scroll;

    #[test]
    fn the_window_moves_no_more_than_it_must() {
        let mut scroll = Scroll {
            cursor: 8,
            ..Scroll::default()
        };
        scroll.settle(100, 10);
        assert_eq!(scroll.top, 1);
        scroll.cursor = 5;
        scroll.settle(100, 10);
        assert_eq!(scroll.top, 1);
        scroll.cursor = 90;
        scroll.settle(100, 10);
        assert_eq!(scroll.top, 85);
        scroll.cursor = 1000;
        scroll.settle(100, 10);
        assert_eq!((scroll.cursor, scroll.top), (99, 90));
    }

    #[test]
    fn the_wheel_takes_the_cursor_along() {
        let mut scroll = Scroll::default();
        scroll.scroll_by(3, 100, 10);
        assert_eq!((scroll.cursor, scroll.top), (5, 3));
        scroll.settle(100, 10);
        assert_eq!(scroll.top, 3);
        scroll.scroll_by(-50, 100, 10);
        assert_eq!((scroll.cursor, scroll.top), (5, 0));
        scroll.scroll_by(5, 3, 10);
        assert_eq!((scroll.cursor, scroll.top), (2, 0));
        scroll.scroll_by(5, 0, 0);
        assert_eq!((scroll.cursor, scroll.top), (0, 0));
    }
}

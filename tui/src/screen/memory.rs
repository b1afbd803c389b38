//! The memory pane's window onto linear memory.

use crate::screen::scroll::Scroll;

/// Bytes that were read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Bytes {
    address: u64,
    bytes: Vec<u8>,
}

impl Bytes {
    fn at(&self, address: u64) -> Option<u8> {
        let offset = address.checked_sub(self.address)?;
        self.bytes.get(usize::try_from(offset).ok()?).copied()
    }
}

/// The visible bytes, those of the previous stop, and what was asked for.
#[derive(Debug)]
pub(crate) struct MemoryWindow {
    /// How many bytes a row shows.
    row_bytes: u64,
    now: Bytes,
    before: Bytes,
    /// Counts changes of the program's state: answers of an older one are stale.
    generation: u64,
    asked: Option<(u64, usize, u64)>,
    /// The first address to show; set before the number of rows is known.
    goal: Option<u64>,
}

impl Default for MemoryWindow {
    fn default() -> MemoryWindow {
        MemoryWindow {
            row_bytes: 8,
            now: Bytes::default(),
            before: Bytes::default(),
            generation: 0,
            asked: None,
            goal: Some(Self::FIRST_ADDRESS),
        }
    }
}

impl MemoryWindow {
    /// wasm-ld leaves the first KiB empty, so that null pointers point to nothing; data begins here.
    const FIRST_ADDRESS: u64 = 1024;

    /// The address of a row.
    pub(crate) fn row_address(&self, row: usize) -> u64 {
        (row as u64).saturating_mul(self.row_bytes)
    }

    /// How many bytes a row shows.
    pub(crate) fn row_bytes(&self) -> u64 {
        self.row_bytes
    }

    /// How many rows a memory of that size has.
    pub(crate) fn rows(&self, memory_bytes: u64) -> usize {
        usize::try_from(memory_bytes.div_ceil(self.row_bytes)).unwrap_or(usize::MAX)
    }

    /// The byte at an address, if it was read.
    pub(crate) fn byte(&self, address: u64) -> Option<u8> {
        self.now.at(address)
    }

    /// Whether the byte differs from the previous stop.
    pub(crate) fn changed(&self, address: u64) -> bool {
        let before = self.before.at(address);
        before.is_some() && before != self.now.at(address)
    }

    /// Moves the cursor to an address as soon as the pane is visible.
    pub(crate) fn go_to(&mut self, address: u64) {
        self.goal = Some(address);
    }

    /// The program moved: what is shown now is what later bytes are compared with.
    pub(crate) fn keep_for_comparison(&mut self) {
        self.before = self.now.clone();
        self.invalidate();
    }

    /// The bytes may have changed.
    pub(crate) fn invalidate(&mut self) {
        self.generation += 1;
    }

    /// Chooses as many bytes for a row as fit, and keeps the cursor's address.
    pub(crate) fn fit_width(&mut self, width: u16, scroll: &mut Scroll) {
        // A row is the address, its bytes as hexadecimal digits, and as characters.
        let columns = |bytes: u64| 10 + bytes * 4 + 2;
        let row_bytes = [32, 16, 8, 4]
            .into_iter()
            .find(|bytes| columns(*bytes) <= u64::from(width))
            .unwrap_or(4);
        let top = self.row_address(scroll.top);
        let cursor = self.row_address(scroll.cursor);
        let goal = self.goal.take();
        if row_bytes == self.row_bytes && goal.is_none() {
            return;
        }
        self.row_bytes = row_bytes;
        let row_of = |address: u64| usize::try_from(address / row_bytes).unwrap_or(usize::MAX / 4);
        scroll.top = row_of(goal.unwrap_or(top));
        scroll.cursor = row_of(goal.unwrap_or(cursor));
    }

    /// What must be read so that `rows` rows from `top` on can be shown, if anything.
    pub(crate) fn wanted(
        &mut self,
        top: usize,
        rows: usize,
        memory_bytes: u64,
    ) -> Option<(u64, usize, u64)> {
        let address = self.row_address(top);
        let length = (rows as u64)
            .saturating_mul(self.row_bytes)
            .min(memory_bytes.saturating_sub(address));
        let wish = (address, usize::try_from(length).ok()?, self.generation);
        if length == 0 || self.asked == Some(wish) {
            return None;
        }
        self.asked = Some(wish);
        Some(wish)
    }

    /// Stores what was read.
    pub(crate) fn store(&mut self, address: u64, generation: u64, bytes: Option<Vec<u8>>) {
        if let Some(bytes) = bytes
            && generation == self.generation
        {
            self.now = Bytes { address, bytes };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryWindow;
    use crate::screen::scroll::Scroll;

    #[test]
    fn a_change_of_width_keeps_the_address() {
        let mut memory = MemoryWindow::default();
        let mut scroll = Scroll::default();
        memory.fit_width(30, &mut scroll);
        assert_eq!(memory.row_address(scroll.cursor), 1024);
        memory.fit_width(90, &mut scroll);
        assert_eq!(memory.row_bytes(), 16);
        assert_eq!(memory.row_address(scroll.cursor), 1024);
    }

    #[test]
    fn changes_are_found_and_stale_answers_dropped() {
        let mut memory = MemoryWindow::default();
        memory.store(0, 0, Some(vec![1, 2]));
        memory.keep_for_comparison();
        memory.store(0, 0, Some(vec![9, 9]));
        assert_eq!(memory.byte(0), Some(1));
        memory.store(0, 1, Some(vec![1, 3]));
        assert!(!memory.changed(0));
        assert!(memory.changed(1));
        assert!(!memory.changed(2));
    }
}

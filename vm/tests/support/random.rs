//! Random numbers for tests.

/// A small generator of numbers (xorshift), so that a failing test can be repeated from its seed.
pub(crate) struct Random(u64);

impl Random {
    /// Seeded by the environment variable `SEED`, or by the clock; prints the seed.
    pub(crate) fn new() -> Random {
        let clock = || {
            std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .map_or(1, |now| now.as_nanos() as u64)
        };
        let seed = std::env::var("SEED")
            .ok()
            .and_then(|seed| seed.parse().ok())
            .unwrap_or_else(clock)
            | 1;
        println!("SEED={seed}");
        Random(seed)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

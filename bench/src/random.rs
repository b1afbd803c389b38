//! Numbers that are the same in every run of the benchmarks.

/// A linear congruential generator.
#[derive(Default)]
pub struct Random(u64);

impl Random {
    /// A number below a limit, which is not 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

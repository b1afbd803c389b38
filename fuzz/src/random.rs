//! Random numbers that a seed repeats.

use wdb_vm::ValType;
use wdb_vm::value::Value;

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below a limit.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count.div_ceil(8))
            .flat_map(|_| self.next().to_le_bytes())
            .take(count)
            .collect()
    }

    /// Arguments of these types, small numbers more often than others.
    pub(crate) fn arguments(&mut self, types: &[ValType]) -> Vec<Value> {
        types
            .iter()
            .map(|ty| {
                let bits = if self.below(2) == 0 {
                    self.below(64)
                } else {
                    self.next()
                };
                match ty {
                    ValType::I32 => Value::I32(bits as i32),
                    ValType::I64 => Value::I64(bits as i64),
                    // Integers as numbers, so that no argument is a NaN with bits of its own.
                    ValType::F32 => Value::F32((bits as i32 as f32).to_bits()),
                    ValType::F64 => Value::F64((bits as i64 as f64).to_bits()),
                    other => Value::zero(*other),
                }
            })
            .collect()
    }
}

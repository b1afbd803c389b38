//! Agent expressions: the bytecode into which gdb compiles conditions of breakpoints, so that a hit whose condition does not hold
//! costs no packet ("The GDB Agent Expression Mechanism" in gdb's manual).

/// What an expression asks for.
pub(crate) trait Target {
    /// A register by gdb's number.
    fn register(&self, number: u16) -> Option<u64>;

    /// Bytes of memory: 1, 2, 4 or 8, in little-endian order, the rest zero.
    fn memory(&self, address: u64, count: usize) -> Option<u64>;
}

/// The longest evaluation: expressions can have loops.
const STEPS_MAX: usize = 10_000;
const STACK_MAX: usize = 256;

/// The value of an expression; `None` if it cannot be evaluated.
pub(crate) fn evaluate(code: &[u8], target: &impl Target) -> Option<u64> {
    let mut machine = Machine {
        code,
        at: 0,
        stack: Vec::new(),
    };
    for _ in 0..STEPS_MAX {
        if let Some(value) = machine.step(target)? {
            return Some(value);
        }
    }
    None
}

struct Machine<'a> {
    code: &'a [u8],
    at: usize,
    stack: Vec<u64>,
}

impl Machine<'_> {
    fn pop(&mut self) -> Option<u64> {
        self.stack.pop()
    }

    fn push(&mut self, value: u64) -> Option<()> {
        (self.stack.len() < STACK_MAX).then(|| self.stack.push(value))
    }

    /// The next bytes of the code as a number, the most significant first.
    fn immediate(&mut self, count: usize) -> Option<u64> {
        let bytes = self.code.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(
            bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        )
    }

    fn binary(&mut self, operate: impl FnOnce(u64, u64) -> Option<u64>) -> Option<()> {
        let right = self.pop()?;
        let left = self.pop()?;
        let value = operate(left, right)?;
        self.push(value)
    }

    fn signed(&mut self, operate: impl FnOnce(i64, i64) -> Option<i64>) -> Option<()> {
        self.binary(|left, right| {
            operate(left.cast_signed(), right.cast_signed()).map(i64::cast_unsigned)
        })
    }

    /// Performs an operation; answers the result at the end.
    fn step(&mut self, target: &impl Target) -> Option<Option<u64>> {
        let shift = |by: u64| u32::try_from(by).unwrap_or(u32::MAX);
        let operation = self.immediate(1)?;
        match operation {
            0x02 => self.binary(|a, b| Some(a.wrapping_add(b)))?,
            0x03 => self.binary(|a, b| Some(a.wrapping_sub(b)))?,
            0x04 => self.binary(|a, b| Some(a.wrapping_mul(b)))?,
            0x05 => self.signed(i64::checked_div)?,
            0x06 => self.binary(u64::checked_div)?,
            0x07 => self.signed(i64::checked_rem)?,
            0x08 => self.binary(u64::checked_rem)?,
            0x09 => self.binary(|a, b| Some(a.checked_shl(shift(b)).unwrap_or(0)))?,
            0x0a => self.binary(|a, b| {
                let by = shift(b).min(63);
                Some((a.cast_signed() >> by).cast_unsigned())
            })?,
            0x0b => self.binary(|a, b| Some(a.checked_shr(shift(b)).unwrap_or(0)))?,
            0x0e => {
                let value = self.pop()?;
                self.push(u64::from(value == 0))?;
            }
            0x0f => self.binary(|a, b| Some(a & b))?,
            0x10 => self.binary(|a, b| Some(a | b))?,
            0x11 => self.binary(|a, b| Some(a ^ b))?,
            0x12 => {
                let value = self.pop()?;
                self.push(!value)?;
            }
            0x13 => self.binary(|a, b| Some(u64::from(a == b)))?,
            0x14 => self.signed(|a, b| Some(i64::from(a < b)))?,
            0x15 => self.binary(|a, b| Some(u64::from(a < b)))?,
            0x16 | 0x2a => self.extend(operation == 0x16)?,
            0x17..=0x1a => {
                let address = self.pop()?;
                let value = target.memory(address, 1 << (operation - 0x17))?;
                self.push(value)?;
            }
            0x20 => {
                let to = self.immediate(2)?;
                if self.pop()? != 0 {
                    self.at = to as usize;
                }
            }
            0x21 => self.at = self.immediate(2)? as usize,
            0x22..=0x25 => {
                let value = self.immediate(1 << (operation - 0x22))?;
                self.push(value)?;
            }
            0x26 => {
                let number = self.immediate(2)? as u16;
                let value = target.register(number)?;
                self.push(value)?;
            }
            0x27 => return Some(Some(self.pop()?)),
            _ => self.shuffle(operation)?,
        }
        Some(None)
    }

    /// Widens the top from so many bits to 64.
    fn extend(&mut self, is_signed: bool) -> Option<()> {
        let bits = self.immediate(1)?;
        let unused = u32::try_from(64_u64.checked_sub(bits)?).ok()?;
        let value = self.pop()?;
        if unused == 64 {
            return self.push(0);
        }
        let high = value << unused;
        self.push(match is_signed {
            true => (high.cast_signed() >> unused).cast_unsigned(),
            false => high >> unused,
        })
    }

    /// The operations that only move values of the stack.
    fn shuffle(&mut self, operation: u64) -> Option<()> {
        match operation {
            0x28 => {
                let top = *self.stack.last()?;
                self.push(top)
            }
            0x29 => self.pop().map(drop),
            0x2b => {
                let last = self.stack.len().checked_sub(1)?;
                self.stack.swap(last.checked_sub(1)?, last);
                Some(())
            }
            0x32 => {
                let depth = self.immediate(1)? as usize;
                let at = self.stack.len().checked_sub(depth + 1)?;
                self.push(self.stack[at])
            }
            0x33 => {
                let start = self.stack.len().checked_sub(3)?;
                self.stack[start..].rotate_right(1);
                Some(())
            }
            // Tracepoints are not supported.
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Target, evaluate};

    struct Fixed;

    impl Target for Fixed {
        fn register(&self, number: u16) -> Option<u64> {
            (number == 7).then_some(0x1000)
        }

        fn memory(&self, address: u64, count: usize) -> Option<u64> {
            let bits = u64::MAX >> (64 - 8 * count);
            (address == 0x1008).then_some(0xffff_fff9 & bits)
        }
    }

    #[test]
    fn a_condition_on_a_variable() {
        // *(int *)(rsp + 8) == -7
        let code = [
            0x26, 0, 7, 0x22, 8, 2, 0x19, 0x16, 32, 0x22, 0xf9, 0x16, 8, 0x13, 0x27,
        ];
        assert_eq!(evaluate(&code, &Fixed), Some(1));
    }

    #[test]
    fn what_cannot_be_evaluated_has_no_value() {
        // 1 / 0; register 8; memory at 0; an endless loop; nothing; an underflow.
        assert_eq!(evaluate(&[0x22, 1, 0x22, 0, 0x05, 0x27], &Fixed), None);
        assert_eq!(evaluate(&[0x26, 0, 8, 0x27], &Fixed), None);
        assert_eq!(evaluate(&[0x22, 0, 0x17, 0x27], &Fixed), None);
        assert_eq!(evaluate(&[0x21, 0, 0], &Fixed), None);
        assert_eq!(evaluate(&[], &Fixed), None);
        assert_eq!(evaluate(&[0x02, 0x27], &Fixed), None);
        assert_eq!(evaluate(&[0x22, 1, 0x28, 0x21, 0, 2], &Fixed), None);
    }

    #[test]
    fn jumps_and_shuffles() {
        // if (1) 5 else 6
        let code = [0x22, 1, 0x20, 0, 8, 0x22, 6, 0x27, 0x22, 5, 0x27];
        assert_eq!(evaluate(&code, &Fixed), Some(5));
        // 1 2 3 rot: 3 1 2; pick 2: 3
        let code = [0x22, 1, 0x22, 2, 0x22, 3, 0x33, 0x32, 2, 0x27];
        assert_eq!(evaluate(&code, &Fixed), Some(3));
        assert_eq!(evaluate(&[0x22, 0x80, 0x2a, 7, 0x27], &Fixed), Some(0));
    }
}

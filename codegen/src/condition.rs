//! Conditions of probes: what can be decided without asking anyone.

/// An expression on 64-bit integers over a frame and the machine, without effects. It holds when its value is not zero, and also when it
/// has none, since it reads memory that is not there, or divides by zero: then whoever set it is to find out.
///
/// Floats are the bits of 64-bit ones.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Condition {
    /// A number.
    Constant(i64),
    /// A local: an integer or the bits of a float, extended with zeros, or the cell of a reference. Not a vector.
    Local(u32),
    /// A global of the function's module, likewise.
    Global(u32),
    /// So many bytes (1, 2, 4 or 8) of a memory of the function's module, little-endian.
    Load {
        /// The memory's index.
        memory: u32,
        /// Where they lie, as an unsigned number.
        address: Box<Condition>,
        /// How many.
        bytes: u8,
        /// Whether they are extended with the sign instead of zeros.
        is_signed: bool,
    },
    /// The low bits (8, 16 or 32) of a value, extended.
    Extend {
        /// The value.
        value: Box<Condition>,
        /// How many bits.
        bits: u8,
        /// Whether they are extended with the sign instead of zeros.
        is_signed: bool,
    },
    /// A number in another representation.
    Convert(ConditionConversion, Box<Condition>),
    /// 1 if the value is zero, else 0.
    Not(Box<Condition>),
    /// The second value, unless the first is not zero: then there is none.
    Unless(Box<Condition>, Box<Condition>),
    /// An operation on two values. Both are evaluated.
    Binary(ConditionOp, Box<Condition>, Box<Condition>),
    /// 1 if both are not zero, else 0.
    And(Box<Condition>, Box<Condition>),
    /// 1 if either is not zero, else 0.
    Or(Box<Condition>, Box<Condition>),
}

/// How a number's representation is changed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ConditionConversion {
    /// A signed integer to the nearest float.
    FloatFromSigned,
    /// An unsigned integer to the nearest float.
    FloatFromUnsigned,
    /// The bits of a 32-bit float, in the low half, to those of a 64-bit one.
    Promote,
    /// The bits of a 64-bit float to those of the nearest 32-bit one, extended with zeros.
    Demote,
}

/// An operation on two 64-bit integers, or, if its name begins with `Float`, on the bits of two 64-bit floats. Integer arithmetic
/// wraps around, but for a quotient that 64 bits do not hold, which has no value, and neither has the remainder. Distances of shifts
/// are taken modulo 64; comparisons give 1 or 0; a NaN that arithmetic gives is the canonical one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ConditionOp {
    Add,
    Sub,
    Mul,
    DivS,
    DivU,
    RemS,
    RemU,
    And,
    Or,
    Xor,
    Shl,
    ShrS,
    ShrU,
    Eq,
    Ne,
    LtS,
    LtU,
    LeS,
    LeU,
    GtS,
    GtU,
    GeS,
    GeU,
    FloatAdd,
    FloatSub,
    FloatMul,
    FloatDiv,
    FloatEq,
    FloatNe,
    FloatLt,
    FloatLe,
    FloatGt,
    FloatGe,
}

/// What a condition looks at.
pub trait Observed {
    /// The cell of a local of the frame.
    fn local(&self, index: u32) -> i64;
    /// The first cell of a global of the frame's module.
    fn global(&self, index: u32) -> i64;
    /// So many bytes of a memory of the frame's module, extended with zeros; `None` where they are not there.
    fn load(&self, memory: u32, address: u64, bytes: u8) -> Option<u64>;
}

impl Condition {
    /// Whether it holds.
    #[must_use]
    pub fn holds(&self, observed: &impl Observed) -> bool {
        self.value(observed) != Some(0)
    }

    /// Its value; `None` when it has none.
    pub fn value(&self, observed: &impl Observed) -> Option<i64> {
        Some(match self {
            Condition::Constant(value) => *value,
            Condition::Local(index) => observed.local(*index),
            Condition::Global(index) => observed.global(*index),
            Condition::Load {
                memory,
                address,
                bytes,
                is_signed,
            } => {
                let address = address.value(observed)?;
                let value = observed.load(*memory, address.cast_unsigned(), *bytes)?;
                extend(value.cast_signed(), u32::from(*bytes) * 8, *is_signed)
            }
            Condition::Extend {
                value,
                bits,
                is_signed,
            } => extend(value.value(observed)?, u32::from(*bits), *is_signed),
            Condition::Convert(conversion, value) => conversion.apply(value.value(observed)?),
            Condition::Not(value) => i64::from(value.value(observed)? == 0),
            Condition::Unless(fails, value) => match fails.value(observed)? {
                0 => value.value(observed)?,
                _ => return None,
            },
            Condition::Binary(op, left, right) => {
                op.apply(left.value(observed)?, right.value(observed)?)?
            }
            Condition::And(left, right) => {
                i64::from(left.value(observed)? != 0 && right.value(observed)? != 0)
            }
            Condition::Or(left, right) => {
                i64::from(left.value(observed)? != 0 || right.value(observed)? != 0)
            }
        })
    }
}

fn extend(value: i64, bits: u32, is_signed: bool) -> i64 {
    let unused = 64 - bits;
    if is_signed {
        value << unused >> unused
    } else {
        (value.cast_unsigned() << unused >> unused).cast_signed()
    }
}

impl ConditionConversion {
    /// The result.
    #[must_use]
    pub fn apply(self, value: i64) -> i64 {
        match self {
            ConditionConversion::FloatFromSigned => bits_of(value as f64),
            ConditionConversion::FloatFromUnsigned => bits_of(value.cast_unsigned() as f64),
            ConditionConversion::Promote => bits_of(f64::from(f32::from_bits(value as u32))),
            ConditionConversion::Demote => i64::from((float_of(value) as f32).to_bits()),
        }
    }
}

fn float_of(bits: i64) -> f64 {
    f64::from_bits(bits.cast_unsigned())
}

fn bits_of(float: f64) -> i64 {
    float.to_bits().cast_signed()
}

impl ConditionOp {
    /// The result; `None` if there is none.
    #[must_use]
    pub fn apply(self, left: i64, right: i64) -> Option<i64> {
        let distance = (right & 63) as u32;
        let (left_u, right_u) = (left.cast_unsigned(), right.cast_unsigned());
        Some(match self {
            ConditionOp::Add => left.wrapping_add(right),
            ConditionOp::Sub => left.wrapping_sub(right),
            ConditionOp::Mul => left.wrapping_mul(right),
            ConditionOp::DivS => left.checked_div(right)?,
            ConditionOp::DivU => left_u.checked_div(right_u)?.cast_signed(),
            ConditionOp::RemS => left.checked_rem(right)?,
            ConditionOp::RemU => left_u.checked_rem(right_u)?.cast_signed(),
            ConditionOp::And => left & right,
            ConditionOp::Or => left | right,
            ConditionOp::Xor => left ^ right,
            ConditionOp::Shl => left << distance,
            ConditionOp::ShrS => left >> distance,
            ConditionOp::ShrU => (left_u >> distance).cast_signed(),
            ConditionOp::Eq => i64::from(left == right),
            ConditionOp::Ne => i64::from(left != right),
            ConditionOp::LtS => i64::from(left < right),
            ConditionOp::LtU => i64::from(left_u < right_u),
            ConditionOp::LeS => i64::from(left <= right),
            ConditionOp::LeU => i64::from(left_u <= right_u),
            ConditionOp::GtS => i64::from(left > right),
            ConditionOp::GtU => i64::from(left_u > right_u),
            ConditionOp::GeS => i64::from(left >= right),
            ConditionOp::GeU => i64::from(left_u >= right_u),
            _ => self.apply_to_floats(float_of(left), float_of(right)),
        })
    }

    fn apply_to_floats(self, left: f64, right: f64) -> i64 {
        let truth = match self {
            ConditionOp::FloatEq => left == right,
            ConditionOp::FloatNe => left != right,
            ConditionOp::FloatLt => left < right,
            ConditionOp::FloatLe => left <= right,
            ConditionOp::FloatGt => left > right,
            ConditionOp::FloatGe => left >= right,
            _ => {
                let number = match self {
                    ConditionOp::FloatAdd => left + right,
                    ConditionOp::FloatSub => left - right,
                    ConditionOp::FloatMul => left * right,
                    ConditionOp::FloatDiv => left / right,
                    _ => unreachable!("operations on integers are applied elsewhere"),
                };
                return bits_of(if number.is_nan() { f64::NAN } else { number });
            }
        };
        i64::from(truth)
    }

    /// Whether it gives 1 or 0.
    #[must_use]
    pub fn is_comparison(self) -> bool {
        use ConditionOp as O;
        matches!(
            self,
            O::Eq | O::Ne | O::LtS | O::LtU | O::LeS | O::LeU | O::GtS | O::GtU | O::GeS | O::GeU
        ) || matches!(
            self,
            O::FloatEq | O::FloatNe | O::FloatLt | O::FloatLe | O::FloatGt | O::FloatGe
        )
    }
}

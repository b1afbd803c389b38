//! Conditions of probes: what can be decided without asking anyone.

/// An expression on 64-bit integers over a frame and the machine, without effects. It holds when its value is not zero, and also when it
/// reads memory that is not there: then whoever set it is to find out.
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
    /// 1 if the value is zero, else 0.
    Not(Box<Condition>),
    /// An operation on two values. Both are evaluated.
    Binary(ConditionOp, Box<Condition>, Box<Condition>),
    /// 1 if both are not zero, else 0.
    And(Box<Condition>, Box<Condition>),
    /// 1 if either is not zero, else 0.
    Or(Box<Condition>, Box<Condition>),
}

/// An operation on two 64-bit integers. Arithmetic wraps around; distances of shifts are taken modulo 64; comparisons give 1 or 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ConditionOp {
    Add,
    Sub,
    Mul,
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

    /// `None` when it reads memory that is not there.
    fn value(&self, observed: &impl Observed) -> Option<i64> {
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
            Condition::Not(value) => i64::from(value.value(observed)? == 0),
            Condition::Binary(op, left, right) => {
                op.apply(left.value(observed)?, right.value(observed)?)
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

impl ConditionOp {
    /// The result.
    #[must_use]
    pub fn apply(self, left: i64, right: i64) -> i64 {
        let distance = (right & 63) as u32;
        let (left_u, right_u) = (left.cast_unsigned(), right.cast_unsigned());
        match self {
            ConditionOp::Add => left.wrapping_add(right),
            ConditionOp::Sub => left.wrapping_sub(right),
            ConditionOp::Mul => left.wrapping_mul(right),
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
        }
    }
}

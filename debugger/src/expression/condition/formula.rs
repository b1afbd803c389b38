//! Formulas made of smaller ones. What is known is computed at once.

use wdb_vm::{Condition, ConditionConversion, ConditionOp};

/// The largest part of a formula that may be needed twice.
const COPY_MAX: usize = 64;

/// Which numbers an integer can be: all of so many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) is_signed: bool,
    pub(super) bytes: u8,
}

impl Range {
    /// The numbers of so many bytes that are not negative.
    pub(super) fn unsigned(bytes: u8) -> Range {
        Range {
            is_signed: false,
            bytes,
        }
    }
}

/// The range of an `int`.
pub(super) const INT: Range = Range {
    is_signed: true,
    bytes: 4,
};

/// An address: what a slot holds and an offset.
pub(crate) fn address_sum(slot: Condition, offset: u64, is_wide: bool) -> Condition {
    let address = Range {
        is_signed: false,
        bytes: if is_wide { 8 } else { 4 },
    };
    match offset {
        0 => slot,
        offset => extend(
            add(slot, Condition::Constant(offset.cast_signed())),
            address,
        ),
    }
}

/// The condition that holds where either does.
pub(crate) fn either(left: Condition, right: Condition) -> Condition {
    Condition::Or(Box::new(left), Box::new(right))
}

/// The number, if it is known already.
pub(super) fn known(value: &Condition, range: Range) -> Option<i128> {
    match *value {
        Condition::Constant(value) if range.is_signed => Some(i128::from(value)),
        Condition::Constant(value) => Some(i128::from(value.cast_unsigned())),
        _ => None,
    }
}

/// A number cut to the bytes of another range, of which it is a number then.
pub(super) fn converted(value: Condition, from: Range, to: Range) -> Condition {
    let is_within =
        from == to || (from.bytes < to.bytes && (to.is_signed || !from.is_signed)) || to.bytes == 8;
    if is_within { value } else { extend(value, to) }
}

/// The lowest bytes of a value as a number.
pub(super) fn extend(value: Condition, range: Range) -> Condition {
    if range.bytes == 8 {
        return value;
    }
    let bits = range.bytes * 8;
    let is_signed = range.is_signed;
    let is_extended = match &value {
        Condition::Constant(value) => {
            let unused = 64 - u32::from(bits);
            let top = value << unused;
            return Condition::Constant(match is_signed {
                true => top >> unused,
                false => (top.cast_unsigned() >> unused).cast_signed(),
            });
        }
        Condition::Load {
            bytes,
            is_signed: of_load,
            ..
        } => within((*bytes * 8, *of_load), (bits, is_signed)),
        Condition::Extend {
            bits: of_value,
            is_signed: of_sign,
            ..
        } => within((*of_value, *of_sign), (bits, is_signed)),
        Condition::Not(_) | Condition::And(..) | Condition::Or(..) => true,
        Condition::Binary(op, ..) => op.is_comparison(),
        Condition::Local(_)
        | Condition::Global(_)
        | Condition::Convert(..)
        | Condition::Unless(..) => false,
    };
    if is_extended {
        return value;
    }
    let value = match value {
        // What is above counts no more.
        Condition::Extend {
            value, bits: above, ..
        } if above >= bits => value,
        value => Box::new(value),
    };
    Condition::Extend {
        value,
        bits,
        is_signed,
    }
}

/// Whether the numbers of so many bits, signed or not, are among others.
fn within((bits, is_signed): (u8, bool), (of_bits, of_sign): (u8, bool)) -> bool {
    match (is_signed, of_sign) {
        (true, false) => false,
        (false, true) => bits < of_bits,
        _ => bits <= of_bits,
    }
}

pub(super) fn both(left: Condition, right: Condition) -> Condition {
    Condition::And(Box::new(left), Box::new(right))
}

pub(super) fn operation(op: ConditionOp, left: Condition, right: Condition) -> Condition {
    if let (Condition::Constant(left), Condition::Constant(right)) = (&left, &right)
        && let Some(result) = op.apply(*left, *right)
    {
        return Condition::Constant(result);
    }
    Condition::Binary(op, Box::new(left), Box::new(right))
}

/// A number in another representation.
pub(super) fn convert(conversion: ConditionConversion, value: Condition) -> Condition {
    match (conversion, value) {
        (_, Condition::Constant(value)) => Condition::Constant(conversion.apply(value)),
        // No number is lost on the way to more bits and back.
        (ConditionConversion::Demote, Condition::Convert(ConditionConversion::Promote, value)) => {
            *value
        }
        (_, value) => Condition::Convert(conversion, Box::new(value)),
    }
}

/// A sum of 64 bits, in which constants are one.
pub(super) fn add(left: Condition, right: Condition) -> Condition {
    match (left, right) {
        (Condition::Constant(a), Condition::Constant(b)) => Condition::Constant(a.wrapping_add(b)),
        (other, Condition::Constant(0)) | (Condition::Constant(0), other) => other,
        (Condition::Binary(ConditionOp::Add, left, inner), Condition::Constant(b))
            if let Condition::Constant(a) = *inner =>
        {
            add(*left, Condition::Constant(a.wrapping_add(b)))
        }
        (left, right) => operation(ConditionOp::Add, left, right),
    }
}

/// A number of elements in bytes.
pub(super) fn scaled(count: Condition, size: u64) -> Condition {
    let size = size.cast_signed();
    match count {
        Condition::Constant(count) => Condition::Constant(count.wrapping_mul(size)),
        count if size == 1 => count,
        count => operation(ConditionOp::Mul, count, Condition::Constant(size)),
    }
}

/// A part that is needed twice, if it is not large: copies of copies must not make the whole explode.
pub(super) fn copy(condition: &Condition) -> Option<Condition> {
    (nodes(condition, COPY_MAX) < COPY_MAX).then(|| condition.clone())
}

/// The number of a condition's nodes, counted up to a limit.
pub(super) fn nodes(condition: &Condition, limit: usize) -> usize {
    if limit <= 1 {
        return limit;
    }
    match condition {
        Condition::Constant(_) | Condition::Local(_) | Condition::Global(_) => 1,
        Condition::Load { address: value, .. }
        | Condition::Extend { value, .. }
        | Condition::Convert(_, value)
        | Condition::Not(value) => 1 + nodes(value, limit - 1),
        Condition::Binary(_, left, right)
        | Condition::Unless(left, right)
        | Condition::And(left, right)
        | Condition::Or(left, right) => {
            let left = nodes(left, limit - 1);
            1 + left + nodes(right, limit - 1 - left)
        }
    }
}

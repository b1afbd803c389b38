//! Arithmetic on numbers with C's conversions, for wasm's data model (`int` and `long` have 32 bits).

use wdb_dwarf::{BaseEncoding, DebugInfo, Notation, Scalar, TypeKind, TypeRef};

use crate::error::Error;
use crate::expression::tree::BinaryOperator;

/// A number with the type that decides how it is computed with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number {
    pub(crate) scalar: Scalar,
    pub(crate) kind: NumberKind,
    /// The program's own type, kept where both operands of an operator have it.
    pub(crate) type_ref: TypeRef,
    /// Whether truth values are written `true` and `false` in its language.
    pub(crate) has_booleans: bool,
}

/// How a number is represented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberKind {
    Integer { is_signed: bool, bytes: u64 },
    Float { bytes: u64 },
}

impl NumberKind {
    const INT: NumberKind = NumberKind::Integer {
        is_signed: true,
        bytes: 4,
    };

    /// How a value of a type takes part in arithmetic; `None` if it does not.
    pub(crate) fn of_type(info: &DebugInfo, type_ref: TypeRef) -> Option<NumberKind> {
        let found = info.type_of(info.resolve(type_ref));
        let bytes = found.size.unwrap_or(4);
        Some(match &found.kind {
            TypeKind::Base(BaseEncoding::Float) => NumberKind::Float { bytes },
            TypeKind::Base(encoding) => NumberKind::Integer {
                is_signed: matches!(encoding, BaseEncoding::Signed | BaseEncoding::SignedChar),
                bytes,
            },
            TypeKind::Enumeration(enumeration) => NumberKind::Integer {
                is_signed: enumeration.is_signed,
                bytes,
            },
            TypeKind::Pointer { .. } => NumberKind::Integer {
                is_signed: false,
                bytes,
            },
            TypeKind::Array { .. } => NumberKind::Integer {
                is_signed: false,
                bytes: 4,
            },
            _ => return None,
        })
    }

    /// C's integer promotion: nothing narrower than `int` is computed with.
    pub(super) fn promoted(self) -> NumberKind {
        match self {
            NumberKind::Integer { bytes, .. } if bytes < 4 => NumberKind::INT,
            kind => kind,
        }
    }

    /// C's usual arithmetic conversions.
    pub(super) fn common(self, other: NumberKind) -> NumberKind {
        match (self.promoted(), other.promoted()) {
            (NumberKind::Float { bytes: a }, NumberKind::Float { bytes: b }) => {
                NumberKind::Float { bytes: a.max(b) }
            }
            (kind @ NumberKind::Float { .. }, _) | (_, kind @ NumberKind::Float { .. }) => kind,
            (
                NumberKind::Integer {
                    is_signed: a_signed,
                    bytes: a,
                },
                NumberKind::Integer {
                    is_signed: b_signed,
                    bytes: b,
                },
            ) => NumberKind::Integer {
                is_signed: match a.cmp(&b) {
                    std::cmp::Ordering::Less => b_signed,
                    std::cmp::Ordering::Equal => a_signed && b_signed,
                    std::cmp::Ordering::Greater => a_signed,
                },
                bytes: a.max(b),
            },
        }
    }

    /// C's type of this representation.
    fn base_type(self, info: &DebugInfo) -> TypeRef {
        match self {
            NumberKind::Integer { is_signed, bytes } => {
                let encoding = if is_signed {
                    BaseEncoding::Signed
                } else {
                    BaseEncoding::Unsigned
                };
                info.base_type(encoding, bytes)
            }
            NumberKind::Float { bytes } => info.base_type(BaseEncoding::Float, bytes),
        }
    }

    /// The number cut to what the representation holds.
    pub(crate) fn wrap(self, scalar: Scalar) -> Scalar {
        match (self, scalar) {
            (NumberKind::Integer { is_signed, bytes }, scalar) => {
                let value = match scalar {
                    Scalar::Integer(value) => value,
                    // A cast saturates, where C leaves the result open.
                    Scalar::Float(value) => value as i128,
                };
                let unused_bits = 128 - 8 * u32::try_from(bytes.min(16)).unwrap_or(16);
                if unused_bits == 128 {
                    return Scalar::Integer(0);
                }
                let shifted = value << unused_bits;
                Scalar::Integer(if is_signed {
                    shifted >> unused_bits
                } else {
                    ((shifted as u128) >> unused_bits) as i128
                })
            }
            (NumberKind::Float { bytes }, scalar) => {
                let value = as_float(scalar);
                Scalar::Float(if bytes == 4 {
                    f64::from(value as f32)
                } else {
                    value
                })
            }
        }
    }
}

/// Whether C counts the number as true.
pub(crate) fn is_true(scalar: Scalar) -> bool {
    match scalar {
        Scalar::Integer(value) => value != 0,
        Scalar::Float(value) => value != 0.0,
    }
}

/// The type and number that an operator gives.
pub(crate) fn binary(
    info: &DebugInfo,
    operator: BinaryOperator,
    left: Number,
    right: Number,
) -> Result<(TypeRef, Scalar), Error> {
    use BinaryOperator as B;
    let kind = match operator {
        // The right operand of a shift does not take part in the conversions.
        B::ShiftLeft | B::ShiftRight => left.kind.promoted(),
        _ => left.kind.common(right.kind),
    };
    let (a, b) = (kind.wrap(left.scalar), kind.wrap(right.scalar));
    let is_comparison = matches!(
        operator,
        B::Less | B::LessOrEqual | B::Greater | B::GreaterOrEqual | B::Equal | B::NotEqual
    );
    if is_comparison {
        let is_true = compare(operator, a, b);
        let type_ref = truth_type(info, left.has_booleans || right.has_booleans);
        return Ok((type_ref, Scalar::Integer(i128::from(is_true))));
    }
    let result = match (a, b) {
        (Scalar::Integer(a), Scalar::Integer(b)) => {
            let b = match operator {
                B::ShiftLeft | B::ShiftRight => integer(right.scalar),
                _ => b,
            };
            Scalar::Integer(integer_operation(operator, a, b)?)
        }
        (a, b) => Scalar::Float(float_operation(operator, as_float(a), as_float(b))?),
    };
    let own_type = info.resolve(left.type_ref);
    let keeps_type = own_type == info.resolve(right.type_ref)
        && kind == left.kind
        && matches!(info.type_of(own_type).kind, TypeKind::Base(_));
    let type_ref = if keeps_type {
        own_type
    } else {
        kind.base_type(info)
    };
    Ok((type_ref, kind.wrap(result)))
}

/// The type and number that a sign or a complement gives.
pub(crate) fn unary(
    info: &DebugInfo,
    number: Number,
    of_integer: fn(i128) -> i128,
    of_float: Option<fn(f64) -> f64>,
) -> Result<(TypeRef, Scalar), Error> {
    let kind = number.kind.promoted();
    let result = match (kind.wrap(number.scalar), of_float) {
        (Scalar::Integer(value), _) => Scalar::Integer(of_integer(value)),
        (Scalar::Float(value), Some(of_float)) => Scalar::Float(of_float(value)),
        (Scalar::Float(_), None) => return Err(no_floats()),
    };
    let type_ref = if kind == number.kind {
        number.type_ref
    } else {
        kind.base_type(info)
    };
    Ok((type_ref, kind.wrap(result)))
}

/// The type of truth values: `int` in C, `bool` elsewhere.
pub(crate) fn truth_type(info: &DebugInfo, has_booleans: bool) -> TypeRef {
    if has_booleans {
        info.base_type(BaseEncoding::Boolean, 1)
    } else {
        info.base_type(BaseEncoding::Signed, 4)
    }
}

/// Whether a type's language writes truth values as `true` and `false`.
pub(crate) fn has_booleans(info: &DebugInfo, type_ref: TypeRef) -> bool {
    let found = info.type_of(info.resolve(type_ref));
    found.notation != Notation::C || matches!(found.kind, TypeKind::Base(BaseEncoding::Boolean))
}

/// The number as an integer.
pub(crate) fn integer(scalar: Scalar) -> i128 {
    match scalar {
        Scalar::Integer(value) => value,
        Scalar::Float(value) => value as i128,
    }
}

fn as_float(scalar: Scalar) -> f64 {
    match scalar {
        Scalar::Integer(value) => value as f64,
        Scalar::Float(value) => value,
    }
}

fn compare(operator: BinaryOperator, a: Scalar, b: Scalar) -> bool {
    use BinaryOperator as B;
    let ordering = match (a, b) {
        (Scalar::Integer(a), Scalar::Integer(b)) => Some(a.cmp(&b)),
        (a, b) => as_float(a).partial_cmp(&as_float(b)),
    };
    match operator {
        B::Less => ordering.is_some_and(std::cmp::Ordering::is_lt),
        B::LessOrEqual => ordering.is_some_and(std::cmp::Ordering::is_le),
        B::Greater => ordering.is_some_and(std::cmp::Ordering::is_gt),
        B::GreaterOrEqual => ordering.is_some_and(std::cmp::Ordering::is_ge),
        B::Equal => ordering.is_some_and(std::cmp::Ordering::is_eq),
        // A NaN differs from everything.
        _ => !ordering.is_some_and(std::cmp::Ordering::is_eq),
    }
}

fn integer_operation(operator: BinaryOperator, a: i128, b: i128) -> Result<i128, Error> {
    use BinaryOperator as B;
    let by_zero = || Error::other("Division by zero");
    Ok(match operator {
        B::Multiply => a.wrapping_mul(b),
        B::Divide => a.checked_div(b).ok_or_else(by_zero)?,
        B::Remainder => a.checked_rem(b).ok_or_else(by_zero)?,
        B::Add => a.wrapping_add(b),
        B::Subtract => a.wrapping_sub(b),
        B::ShiftLeft | B::ShiftRight => {
            let distance = u32::try_from(b)
                .map_err(|_| Error::other("A shift's distance must not be negative"))?;
            match operator {
                B::ShiftLeft => a.checked_shl(distance).unwrap_or(0),
                _ => a
                    .checked_shr(distance)
                    .unwrap_or(if a < 0 { -1 } else { 0 }),
            }
        }
        B::BitAnd => a & b,
        B::BitXor => a ^ b,
        B::BitOr => a | b,
        _ => unreachable!("comparisons and logic are evaluated elsewhere"),
    })
}

fn float_operation(operator: BinaryOperator, a: f64, b: f64) -> Result<f64, Error> {
    use BinaryOperator as B;
    Ok(match operator {
        B::Multiply => a * b,
        B::Divide => a / b,
        B::Remainder => a % b,
        B::Add => a + b,
        B::Subtract => a - b,
        _ => return Err(no_floats()),
    })
}

fn no_floats() -> Error {
    Error::other("Integers are wanted here, not floating-point numbers")
}

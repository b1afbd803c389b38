//! Floats in conditions: all are computed with as 64-bit ones, and rounded where their type has fewer bits, as evaluation does it.

use wdb_dwarf::{BaseEncoding, Scalar, TypeKind, TypeRef};
use wdb_vm::{Condition, ConditionConversion, ConditionOp};

use super::formula::{Range, convert, operation};
use super::{Form, Lowerer, Term};
use crate::expression::arithmetic::{self, NumberKind};
use crate::expression::tree::{BinaryOperator, UnaryOperator};

impl Lowerer<'_> {
    /// The size of a float that can be computed with; `None` for other types.
    pub(super) fn float_bytes(&self, type_ref: TypeRef) -> Option<u8> {
        let found = self.info.type_of(self.info.resolve(type_ref));
        match (&found.kind, found.size) {
            (TypeKind::Base(BaseEncoding::Float), Some(bytes @ (4 | 8))) => Some(bytes as u8),
            _ => None,
        }
    }

    /// Whether a value is such a float, or a reference to one.
    pub(super) fn is_float(&self, term: &Term) -> bool {
        let term = self.behind_references(term);
        term.is_some_and(|term| self.float_bytes(term.type_ref).is_some())
    }

    /// The 64-bit float that a value is; `None` if it is none.
    pub(super) fn float(&self, term: &Term) -> Option<Condition> {
        let term = self.behind_references(term)?;
        let bytes = self.float_bytes(term.type_ref)?;
        let bits = self.bits(&term, Range::unsigned(bytes))?;
        Some(match bytes {
            4 => convert(ConditionConversion::Promote, bits),
            _ => bits,
        })
    }

    /// The 64-bit float that a number becomes as one of so many bytes.
    pub(super) fn as_float(&self, term: &Term, bytes: u8) -> Option<Condition> {
        let value = match self.float(term) {
            Some(value) => value,
            None => {
                let (value, range) = self.scalar(term)?;
                let is_unsigned = range.bytes == 8 && !range.is_signed;
                let conversion = match is_unsigned {
                    true => ConditionConversion::FloatFromUnsigned,
                    false => ConditionConversion::FloatFromSigned,
                };
                convert(conversion, value)
            }
        };
        Some(rounded(value, bytes))
    }

    /// A 64-bit float as a value of a float's type.
    pub(super) fn float_term(&self, type_ref: TypeRef, value: Condition) -> Option<Term> {
        let bits = match self.float_bytes(type_ref)? {
            4 => convert(ConditionConversion::Demote, value),
            _ => value,
        };
        Some(Term {
            type_ref,
            form: Form::Bits(bits),
        })
    }

    /// A float with a sign in front.
    pub(super) fn signed_float(&self, operator: UnaryOperator, term: &Term) -> Option<Term> {
        const SIGN: i64 = i64::MIN;
        let value = self.float(term)?;
        let value = match operator {
            UnaryOperator::Minus => operation(ConditionOp::Xor, value, Condition::Constant(SIGN)),
            _ => value,
        };
        self.float_term(self.behind_references(term)?.type_ref, value)
    }

    /// An operator on two numbers of which one is a float.
    pub(super) fn float_arithmetic(
        &self,
        operator: BinaryOperator,
        left: &Term,
        right: &Term,
    ) -> Option<Term> {
        use BinaryOperator as B;
        // Of what type the result is does not depend on the numbers.
        let one = |term: &Term| {
            let term = self.behind_references(term)?;
            let scalar = match self.float_bytes(term.type_ref) {
                Some(_) => Scalar::Float(1.0),
                None => Scalar::Integer(1),
            };
            self.number(&term, scalar)
        };
        let (of_left, of_right) = (one(left)?, one(right)?);
        let NumberKind::Float { bytes } = of_left.kind.common(of_right.kind) else {
            return None;
        };
        let result = arithmetic::binary(self.info, operator, of_left, of_right);
        let (type_ref, _) = result.ok()?;
        let bytes = u8::try_from(bytes).ok()?;
        let (first, second) = (self.as_float(left, bytes)?, self.as_float(right, bytes)?);
        let op = match operator {
            B::Multiply => ConditionOp::FloatMul,
            B::Divide => ConditionOp::FloatDiv,
            B::Add => ConditionOp::FloatAdd,
            B::Subtract => ConditionOp::FloatSub,
            B::Equal => ConditionOp::FloatEq,
            B::NotEqual => ConditionOp::FloatNe,
            B::Less => ConditionOp::FloatLt,
            B::LessOrEqual => ConditionOp::FloatLe,
            B::Greater => ConditionOp::FloatGt,
            B::GreaterOrEqual => ConditionOp::FloatGe,
            _ => return None,
        };
        let result = operation(op, first, second);
        if operator.is_comparison() {
            let form = Form::Bits(result);
            return Some(Term { type_ref, form });
        }
        self.float_term(type_ref, rounded(result, bytes))
    }
}

/// The nearest float that so many bytes hold.
fn rounded(value: Condition, bytes: u8) -> Condition {
    match bytes {
        4 => convert(
            ConditionConversion::Promote,
            convert(ConditionConversion::Demote, value),
        ),
        _ => value,
    }
}

//! Expressions as conditions that the machine decides by itself.
//!
//! This is evaluation with the numbers left out: the same types, conversions and places, and in the end a formula over the frame
//! instead of a value. Whatever is not certain to give what [`super::evaluate`] gives has no formula, and where evaluation may
//! fail the formula holds: the debugger evaluates the expression after every stop.

use std::cell::RefCell;

use wdb_dwarf::{
    BaseEncoding, DebugInfo, MemberPlace, Notation, PointerKind, Scalar, TypeKind, TypeRef,
};
use wdb_vm::{Condition, ConditionOp};

mod floats;
mod formula;

use super::arithmetic::{self, Number, NumberKind};
use super::evaluate::literal;
use super::tree::{BinaryOperator, Node, NodeKind, UnaryOperator};
use formula::{INT, Range, add, both, converted, copy, extend, known, nodes, operation, scaled};
pub(crate) use formula::{address_sum, either};

/// The largest formula.
const NODES_MAX: usize = 512;

/// What names mean in any frame that stands at one place in the code.
pub(crate) trait Places {
    fn info(&self) -> &DebugInfo;

    /// Whether there is a memory to read.
    fn has_memory(&self) -> bool;

    /// The program's variable, or what else a name stands for.
    fn variable(&self, name: &str) -> Option<Term>;

    /// What a name after a `$` stands for, now and later.
    fn dollar(&self, name: &str) -> Option<Term>;

    /// The type of a name.
    fn type_named(&self, name: &str) -> Option<TypeRef>;
}

/// A value that is not known yet.
#[derive(Debug, Clone)]
pub(crate) struct Term {
    pub(crate) type_ref: TypeRef,
    pub(crate) form: Form,
}

/// Where a value is to be found.
#[derive(Debug, Clone)]
pub(crate) enum Form {
    /// In linear memory at this address.
    Memory(Condition),
    /// Nowhere: these are its bytes, the first the lowest. What lies above those that the type has does not count.
    Bits(Condition),
}

/// What the 64 bits of a value are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueKind {
    Signed,
    Unsigned,
    Float,
}

impl ValueKind {
    /// The number.
    pub(crate) fn scalar(self, bits: u64) -> Scalar {
        match self {
            ValueKind::Signed => Scalar::Integer(i128::from(bits.cast_signed())),
            ValueKind::Unsigned => Scalar::Integer(i128::from(bits)),
            ValueKind::Float => Scalar::Float(f64::from_bits(bits)),
        }
    }
}

/// A number with the type that decides how it is computed with.
struct Operand {
    /// The number as 64 bits.
    value: Condition,
    range: Range,
    /// Whose scalar is a number of the kind, if it is known, or any.
    number: Number,
}

/// The condition that holds wherever an expression is true or cannot be evaluated; `None` where that is not certain.
pub(crate) fn lower(places: &dyn Places, node: &Node) -> Option<Condition> {
    let lowerer = Lowerer::new(places);
    let holds = lowerer.truth(node)?;
    let failures = lowerer.failures.into_inner().into_iter();
    let condition = failures.fold(holds, |holds, fails| either(fails, holds));
    (nodes(&condition, NODES_MAX) < NODES_MAX).then_some(condition)
}

/// The value that an expression has; `None` where it is not certain that it is the one that evaluation gives. Integers are extended to 64
/// bits, and floats are the bits of 64-bit ones.
pub(crate) fn lower_value(places: &dyn Places, node: &Node) -> Option<(Condition, ValueKind)> {
    let lowerer = Lowerer::new(places);
    let term = lowerer.value(node)?;
    let (value, kind) = match lowerer.float(&term) {
        Some(value) => (value, ValueKind::Float),
        None => match lowerer.scalar(&term)? {
            (
                value,
                Range {
                    is_signed: true, ..
                },
            ) => (value, ValueKind::Signed),
            (value, _) => (value, ValueKind::Unsigned),
        },
    };
    let failures = lowerer.failures.into_inner().into_iter();
    let value = match failures.reduce(either) {
        Some(fails) => Condition::Unless(Box::new(fails), Box::new(value)),
        None => value,
    };
    (nodes(&value, NODES_MAX) < NODES_MAX).then_some((value, kind))
}

/// A member of a value by its name, and where it lies: the term is there if that is certain.
pub(crate) fn member(
    places: &dyn Places,
    term: &Term,
    name: &str,
) -> Option<(Option<Term>, MemberPlace)> {
    let lowerer = Lowerer::new(places);
    let found = lowerer.member(term, name);
    // Nothing of this can fail where memory can be read.
    lowerer.failures.borrow().is_empty().then_some(found?)
}

struct Lowerer<'a> {
    info: &'a DebugInfo,
    places: &'a dyn Places,
    /// Where evaluation may fail though all memory can be read.
    failures: RefCell<Vec<Condition>>,
}

impl<'a> Lowerer<'a> {
    fn new(places: &'a dyn Places) -> Lowerer<'a> {
        Lowerer {
            info: places.info(),
            places,
            failures: RefCell::default(),
        }
    }

    /// Not zero where the expression counts as true.
    fn truth(&self, node: &Node) -> Option<Condition> {
        if let NodeKind::Conditional(condition, yes, no) = &node.kind {
            // The branches need not have a type in common when only their truth matters.
            let condition = self.truth(condition)?;
            let is_not = Condition::Not(Box::new(copy(&condition)?));
            return Some(either(
                both(condition, self.truth(yes)?),
                both(is_not, self.truth(no)?),
            ));
        }
        self.truth_of(&self.value(node)?)
    }

    /// Not zero where a value counts as true.
    fn truth_of(&self, term: &Term) -> Option<Condition> {
        let zero = Condition::Constant(0);
        match self.float(term) {
            Some(value) => Some(operation(ConditionOp::FloatNe, value, zero)),
            None => Some(self.scalar(term)?.0),
        }
    }

    fn value(&self, node: &Node) -> Option<Term> {
        match &node.kind {
            NodeKind::Integer { .. }
            | NodeKind::Float { .. }
            | NodeKind::Character(_)
            | NodeKind::Boolean(_) => {
                let (type_ref, scalar) = literal(self.info, &node.kind)?;
                self.constant(type_ref, scalar)
            }
            NodeKind::Name(name) => self.places.variable(name),
            NodeKind::Dollar(name) => self.places.dollar(name),
            NodeKind::Unary(operator, operand) => self.unary(*operator, &self.value(operand)?),
            NodeKind::Binary(operator, left, right) => self.binary(*operator, left, right),
            NodeKind::Conditional(condition, yes, no) => self.choice(condition, yes, no),
            NodeKind::Cast(name, operand) => {
                self.cast(&self.value(operand)?, self.places.type_named(name)?)
            }
            NodeKind::SizeOfType(name) => self.size_of(self.places.type_named(name)?),
            // What has no name of its own may lie behind a pointer that cannot be read.
            NodeKind::SizeOf(operand) if matches!(operand.kind, NodeKind::Name(_)) => {
                self.size_of(self.value(operand)?.type_ref)
            }
            NodeKind::Member(operand, name) => self.member(&self.value(operand)?, name)?.0,
            NodeKind::Index(operand, index) => {
                let operand = self.value(operand)?;
                let (index, range) = self.scalar(&self.value(index)?)?;
                self.index(&operand, index, range)
            }
            _ => None,
        }
    }

    fn constant(&self, type_ref: TypeRef, scalar: Scalar) -> Option<Term> {
        let value = match scalar {
            Scalar::Integer(value) => value,
            Scalar::Float(value) => {
                let bits = Condition::Constant(value.to_bits().cast_signed());
                return self.float_term(type_ref, bits);
            }
        };
        self.range(type_ref)?;
        // The type's bytes are among the lowest eight.
        let form = Form::Bits(Condition::Constant(value as i64));
        Some(Term { type_ref, form })
    }

    fn size_of(&self, type_ref: TypeRef) -> Option<Term> {
        let size = Scalar::Integer(i128::from(self.info.size_of(type_ref)?));
        self.constant(self.info.base_type(BaseEncoding::Unsigned, 4), size)
    }

    /// Which numbers the values of a type are; `None` if it is no integer's.
    fn range(&self, type_ref: TypeRef) -> Option<Range> {
        let found = self.info.type_of(self.info.resolve(type_ref));
        let is_signed = match &found.kind {
            TypeKind::Base(BaseEncoding::Float) => return None,
            TypeKind::Base(encoding) => {
                matches!(encoding, BaseEncoding::Signed | BaseEncoding::SignedChar)
            }
            TypeKind::Enumeration(enumeration) => enumeration.is_signed,
            TypeKind::Pointer { .. } => false,
            _ => return None,
        };
        match found.size? {
            bytes @ (1 | 2 | 4 | 8) => Some(Range {
                is_signed,
                bytes: bytes as u8,
            }),
            _ => None,
        }
    }

    /// The number that a value's bytes are, a reference's being its address.
    fn read(&self, term: &Term) -> Option<(Condition, Range)> {
        let range = self.range(term.type_ref)?;
        Some((self.bits(term, range)?, range))
    }

    /// A value's bytes as a number of a range that has as many.
    fn bits(&self, term: &Term, range: Range) -> Option<Condition> {
        Some(match &term.form {
            Form::Bits(bits) => extend(bits.clone(), range),
            Form::Memory(_) if !self.places.has_memory() => return None,
            Form::Memory(address) => Condition::Load {
                memory: 0,
                address: Box::new(address.clone()),
                bytes: range.bytes,
                is_signed: range.is_signed,
            },
        })
    }

    /// The number that a value stands for: an array is the address of its first element, a reference what it refers to.
    fn scalar(&self, term: &Term) -> Option<(Condition, Range)> {
        const ADDRESS: Range = Range {
            is_signed: false,
            bytes: 8,
        };
        let term = self.behind_references(term)?;
        let found = self.info.type_of(self.info.resolve(term.type_ref));
        match (&found.kind, &term.form) {
            (TypeKind::Array { is_vector, .. }, Form::Memory(address)) => {
                (!is_vector).then(|| (address.clone(), ADDRESS))
            }
            _ => self.read(&term),
        }
    }

    fn operand(&self, term: &Term) -> Option<Operand> {
        let term = self.behind_references(term)?;
        let (value, range) = self.scalar(&term)?;
        // Of what type the result is does not depend on the number.
        let scalar = known(&value, range).unwrap_or(1);
        Some(Operand {
            value,
            range,
            number: self.number(&term, Scalar::Integer(scalar))?,
        })
    }

    /// A number of the kind that a value is of, which is no reference.
    fn number(&self, term: &Term, scalar: Scalar) -> Option<Number> {
        let type_ref = self.info.resolve(term.type_ref);
        Some(Number {
            scalar,
            kind: NumberKind::of_type(self.info, type_ref)?,
            type_ref,
            has_booleans: self.info.type_of(type_ref).notation != Notation::C,
        })
    }

    fn pointer_kind(&self, type_ref: TypeRef) -> Option<(TypeRef, PointerKind)> {
        match self.info.type_of(self.info.resolve(type_ref)).kind {
            TypeKind::Pointer { target, kind } => Some((target, kind)),
            _ => None,
        }
    }

    fn behind_references(&self, term: &Term) -> Option<Term> {
        match self.pointer_kind(term.type_ref) {
            Some((_, PointerKind::Reference | PointerKind::RvalueReference)) => self.behind(term),
            _ => Some(term.clone()),
        }
    }

    /// What a pointer or a reference points to.
    fn behind(&self, term: &Term) -> Option<Term> {
        let (type_ref, _) = self.pointer_kind(term.type_ref)?;
        let is_void = self.info.type_of(self.info.resolve(type_ref)).kind == TypeKind::Void;
        let (address, _) = self.read(term)?;
        (!is_void).then_some(Term {
            type_ref,
            form: Form::Memory(address),
        })
    }

    fn dereference(&self, term: &Term) -> Option<Term> {
        match self.info.type_of(self.info.resolve(term.type_ref)).kind {
            TypeKind::Pointer { .. } => self.behind(term),
            TypeKind::Array {
                is_vector: false, ..
            } => self.index(term, Condition::Constant(0), INT),
            // A plain number counts as the address of an `int`.
            TypeKind::Base(_) => Some(Term {
                type_ref: self.info.base_type(BaseEncoding::Signed, 4),
                form: Form::Memory(self.read(term)?.0),
            }),
            _ => None,
        }
    }

    fn member(&self, term: &Term, name: &str) -> Option<(Option<Term>, MemberPlace)> {
        const POINTERS_MAX: usize = 8;
        let mut term = self.behind_references(term)?;
        // What a pointer to a pointer leads to has the members as well.
        for _ in 0..POINTERS_MAX {
            if self.pointer_kind(term.type_ref).is_none() {
                let place = self.info.member_place(term.type_ref, name);
                let MemberPlace::At { type_ref, offset } = place else {
                    return Some((None, place));
                };
                let size = self.info.size_of(term.type_ref)?;
                let form = part(term.form, offset, size)?;
                return Some((Some(Term { type_ref, form }), place));
            }
            term = self.behind(&term)?;
        }
        None
    }

    fn index(&self, term: &Term, index: Condition, range: Range) -> Option<Term> {
        let term = self.behind_references(term)?;
        let found = self.info.type_of(self.info.resolve(term.type_ref));
        match (&found.kind, &term.form) {
            (&TypeKind::Array { element, .. }, Form::Memory(address)) => {
                let is_perhaps_before =
                    range.is_signed && known(&index, range).is_none_or(|index| index < 0);
                let offset = scaled(index, self.complete_size(element)?);
                let address = add(address.clone(), offset);
                if is_perhaps_before && self.info.address_size() != 8 {
                    // Elements before an array wrap around the address space, those after it do not.
                    let end = Condition::Constant(i64::from(u32::MAX));
                    let is_outside = operation(ConditionOp::GtU, copy(&address)?, end);
                    self.failures.borrow_mut().push(is_outside);
                }
                Some(Term {
                    type_ref: element,
                    form: Form::Memory(address),
                })
            }
            (&TypeKind::Pointer { target, .. }, _) => {
                let (address, _) = self.read(&term)?;
                let offset = scaled(index, self.complete_size(target)?);
                let address = extend(add(address, offset), self.address_range());
                Some(Term {
                    type_ref: target,
                    form: Form::Memory(address),
                })
            }
            _ => None,
        }
    }

    fn address_range(&self) -> Range {
        Range {
            is_signed: false,
            bytes: if self.info.address_size() == 8 { 8 } else { 4 },
        }
    }

    /// The size that indices count in.
    fn complete_size(&self, type_ref: TypeRef) -> Option<u64> {
        match self.info.type_of(self.info.resolve(type_ref)).kind {
            TypeKind::Void | TypeKind::Function(_) => Some(1),
            _ => self.info.size_of(type_ref),
        }
    }

    fn address_of(&self, term: &Term) -> Option<Term> {
        let term = self.behind_references(term)?;
        let Form::Memory(address) = term.form else {
            return None;
        };
        let is_function = matches!(
            self.info.type_of(self.info.resolve(term.type_ref)).kind,
            TypeKind::Function(_)
        );
        let type_ref = self.info.pointer_to(term.type_ref);
        let form = Form::Bits(extend(address, self.range(type_ref)?));
        (!is_function).then_some(Term { type_ref, form })
    }

    fn cast(&self, term: &Term, type_ref: TypeRef) -> Option<Term> {
        if let Some(bytes) = self.float_bytes(type_ref) {
            return self.float_term(type_ref, self.as_float(term, bytes)?);
        }
        let range = self.range(type_ref)?;
        let (value, _) = self.scalar(term)?;
        let is_boolean = self.info.type_of(self.info.resolve(type_ref)).kind
            == TypeKind::Base(BaseEncoding::Boolean);
        let value = match is_boolean {
            true => operation(ConditionOp::Ne, value, Condition::Constant(0)),
            false => extend(value, range),
        };
        let form = Form::Bits(value);
        Some(Term { type_ref, form })
    }

    fn choice(&self, condition: &Node, yes: &Node, no: &Node) -> Option<Term> {
        let condition = self.truth(condition)?;
        let (yes, no) = (self.value(yes)?, self.value(no)?);
        if self.info.resolve(yes.type_ref) != self.info.resolve(no.type_ref) {
            return None;
        }
        let range = match self.float_bytes(yes.type_ref) {
            Some(bytes) => Range::unsigned(bytes),
            None => self.range(yes.type_ref)?,
        };
        let (first, second) = (self.bits(&yes, range)?, self.bits(&no, range)?);
        // All bits or none.
        let is_true = operation(ConditionOp::Ne, condition, Condition::Constant(0));
        let mask = operation(ConditionOp::Sub, Condition::Constant(0), is_true);
        let difference = operation(ConditionOp::Xor, first, copy(&second)?);
        let change = operation(ConditionOp::And, difference, mask);
        Some(Term {
            type_ref: yes.type_ref,
            form: Form::Bits(operation(ConditionOp::Xor, second, change)),
        })
    }

    fn unary(&self, operator: UnaryOperator, term: &Term) -> Option<Term> {
        match operator {
            UnaryOperator::Dereference => self.dereference(term),
            UnaryOperator::AddressOf => self.address_of(term),
            UnaryOperator::Not => {
                let value = self.truth_of(term)?;
                let has_booleans = arithmetic::has_booleans(self.info, term.type_ref);
                Some(self.truth_term(Condition::Not(Box::new(value)), has_booleans))
            }
            UnaryOperator::Minus | UnaryOperator::Plus if self.is_float(term) => {
                self.signed_float(operator, term)
            }
            UnaryOperator::Minus | UnaryOperator::Plus | UnaryOperator::Complement => {
                let Operand {
                    value,
                    range,
                    number,
                } = self.operand(term)?;
                let (type_ref, _) =
                    arithmetic::unary(self.info, number, |value| value, None).ok()?;
                let kind = kind_range(number.kind.promoted())?;
                let value = converted(value, range, kind);
                let result = match operator {
                    UnaryOperator::Minus => {
                        operation(ConditionOp::Sub, Condition::Constant(0), value)
                    }
                    UnaryOperator::Complement => {
                        operation(ConditionOp::Xor, value, Condition::Constant(-1))
                    }
                    _ => value,
                };
                Some(Term {
                    type_ref,
                    form: Form::Bits(extend(result, kind)),
                })
            }
        }
    }

    fn truth_term(&self, value: Condition, has_booleans: bool) -> Term {
        Term {
            type_ref: arithmetic::truth_type(self.info, has_booleans),
            form: Form::Bits(value),
        }
    }

    fn binary(&self, operator: BinaryOperator, left: &Node, right: &Node) -> Option<Term> {
        if let BinaryOperator::And | BinaryOperator::Or = operator {
            let first = self.value(left)?;
            let has_booleans = arithmetic::has_booleans(self.info, first.type_ref);
            let first = self.truth_of(&first)?;
            let second = self.truth(right)?;
            let result = match operator {
                BinaryOperator::And => both(first, second),
                _ => either(first, second),
            };
            return Some(self.truth_term(result, has_booleans));
        }
        self.operation(operator, &self.value(left)?, &self.value(right)?)
    }

    /// The target's type and its size, if a value is a pointer or an array.
    fn pointer(&self, term: &Term) -> Option<(TypeRef, u64)> {
        let target = match self.info.type_of(self.info.resolve(term.type_ref)).kind {
            TypeKind::Pointer {
                target,
                kind: PointerKind::Pointer,
            } => target,
            TypeKind::Array {
                element,
                is_vector: false,
                ..
            } => element,
            _ => return None,
        };
        // `void *` counts in bytes, as with GNU C.
        let size = self.info.size_of(target).unwrap_or(1);
        Some((target, size.max(1)))
    }

    /// An operator on two values: pointers count in elements.
    fn operation(&self, operator: BinaryOperator, left: &Term, right: &Term) -> Option<Term> {
        match (operator, self.pointer(left), self.pointer(right)) {
            (BinaryOperator::Subtract, Some(_), Some(_)) => self.difference(left, right),
            (BinaryOperator::Add | BinaryOperator::Subtract, Some((target, size)), None) => {
                let op = match operator {
                    BinaryOperator::Add => ConditionOp::Add,
                    _ => ConditionOp::Sub,
                };
                let (address, _) = self.scalar(left)?;
                let (count, _) = self.scalar(right)?;
                let address = operation(op, address, scaled(count, size));
                let type_ref = match self.pointer_kind(left.type_ref) {
                    Some(_) => left.type_ref,
                    None => self.info.pointer_to(target),
                };
                Some(Term {
                    type_ref,
                    form: Form::Bits(extend(address, self.range(type_ref)?)),
                })
            }
            (BinaryOperator::Add, None, Some(_)) => self.operation(operator, right, left),
            _ if self.is_float(left) || self.is_float(right) => {
                self.float_arithmetic(operator, left, right)
            }
            _ => self.arithmetic(operator, self.operand(left)?, self.operand(right)?),
        }
    }

    /// The number of elements between two pointers.
    fn difference(&self, left: &Term, right: &Term) -> Option<Term> {
        let ((target, size), (other, _)) = (self.pointer(left)?, self.pointer(right)?);
        let is_same = self.info.resolve(target) == self.info.resolve(other)
            || self.info.size_of(other) == self.info.size_of(target);
        let ((first, of_first), (second, of_second)) = (self.scalar(left)?, self.scalar(right)?);
        // Only what fits 64 bits whatever the addresses are.
        if !is_same || of_first.bytes > 4 || of_second.bytes > 4 {
            return None;
        }
        let difference = operation(ConditionOp::Sub, first, second);
        let size = Condition::Constant(i64::try_from(size).ok()?);
        let count = operation(ConditionOp::DivS, difference, size);
        Some(Term {
            type_ref: self.info.base_type(BaseEncoding::Signed, 4),
            form: Form::Bits(extend(count, INT)),
        })
    }

    fn arithmetic(&self, operator: BinaryOperator, left: Operand, right: Operand) -> Option<Term> {
        use BinaryOperator as B;
        let (of_left, of_right) = (left.number, right.number);
        let are_known =
            known(&left.value, left.range).is_some() && known(&right.value, right.range).is_some();
        let result = arithmetic::binary(self.info, operator, of_left, of_right);
        let (type_ref, scalar) = result.ok()?;
        if are_known {
            return self.constant(type_ref, scalar);
        }
        let is_shift = matches!(operator, B::ShiftLeft | B::ShiftRight);
        let kind = kind_range(match is_shift {
            true => of_left.kind.promoted(),
            false => of_left.kind.common(of_right.kind),
        })?;
        let first = converted(left.value, left.range, kind);
        if is_shift {
            let result = self.shift(operator, (first, kind), (right.value, right.range))?;
            let form = Form::Bits(extend(result, kind));
            return Some(Term { type_ref, form });
        }
        let second = converted(right.value, right.range, kind);
        // Narrower numbers, signed or not, are the same as 64-bit signed ones.
        let is_wide = kind.bytes == 8 && !kind.is_signed;
        let op = match (operator, is_wide) {
            (B::Multiply, _) => ConditionOp::Mul,
            (B::Divide, false) => ConditionOp::DivS,
            (B::Divide, true) => ConditionOp::DivU,
            (B::Remainder, false) => ConditionOp::RemS,
            (B::Remainder, true) => ConditionOp::RemU,
            (B::Add, _) => ConditionOp::Add,
            (B::Subtract, _) => ConditionOp::Sub,
            (B::BitAnd, _) => ConditionOp::And,
            (B::BitXor, _) => ConditionOp::Xor,
            (B::BitOr, _) => ConditionOp::Or,
            (B::Equal, _) => ConditionOp::Eq,
            (B::NotEqual, _) => ConditionOp::Ne,
            (B::Less, false) => ConditionOp::LtS,
            (B::Less, true) => ConditionOp::LtU,
            (B::LessOrEqual, false) => ConditionOp::LeS,
            (B::LessOrEqual, true) => ConditionOp::LeU,
            (B::Greater, false) => ConditionOp::GtS,
            (B::Greater, true) => ConditionOp::GtU,
            (B::GreaterOrEqual, false) => ConditionOp::GeS,
            (B::GreaterOrEqual, true) => ConditionOp::GeU,
            _ => return None,
        };
        let result = operation(op, first, second);
        let form = Form::Bits(match operator.is_comparison() {
            true => result,
            false => extend(result, kind),
        });
        Some(Term { type_ref, form })
    }

    /// A shift by any distance, where the machine's counts modulo 64.
    fn shift(
        &self,
        operator: BinaryOperator,
        (value, kind): (Condition, Range),
        (distance, range): (Condition, Range),
    ) -> Option<Condition> {
        let is_left = operator == BinaryOperator::ShiftLeft;
        let keeps_sign = !is_left && (kind.is_signed || kind.bytes < 8);
        let op = match (is_left, keeps_sign) {
            (true, _) => ConditionOp::Shl,
            (false, true) => ConditionOp::ShrS,
            (false, false) => ConditionOp::ShrU,
        };
        if let Some(distance) = known(&distance, range) {
            let distance = u32::try_from(distance).ok()?;
            let within = Condition::Constant(i64::from(distance.min(63)));
            let shifted = operation(op, value, within);
            // Memory is read though nothing is left of what it holds.
            return Some(match distance > 63 && !keeps_sign {
                true => operation(ConditionOp::And, shifted, Condition::Constant(0)),
                false => shifted,
            });
        }
        // Evaluation takes no negative distance.
        let end = Condition::Constant(i64::from(u32::MAX));
        let fails = operation(ConditionOp::GtU, copy(&distance)?, end);
        self.failures.borrow_mut().push(fails);
        let last = Condition::Constant(63);
        let is_beyond = operation(ConditionOp::GtU, copy(&distance)?, last);
        if keeps_sign {
            let mask = operation(ConditionOp::Sub, Condition::Constant(0), is_beyond);
            let within = operation(ConditionOp::Or, distance, mask);
            return Some(operation(op, value, within));
        }
        let is_within = Condition::Not(Box::new(is_beyond));
        let shifted = operation(op, value, distance);
        Some(operation(ConditionOp::Mul, shifted, is_within))
    }
}

/// The part of a value of `size` bytes that begins at an offset.
fn part(form: Form, offset: u64, size: u64) -> Option<Form> {
    match form {
        Form::Memory(address) => {
            let offset = Condition::Constant(offset.cast_signed());
            Some(Form::Memory(add(address, offset)))
        }
        Form::Bits(bits) if size <= 8 && offset < 8 => {
            let shift = Condition::Constant(offset as i64 * 8);
            Some(Form::Bits(match offset {
                0 => bits,
                _ => operation(ConditionOp::ShrU, bits, shift),
            }))
        }
        Form::Bits(_) => None,
    }
}

fn kind_range(kind: NumberKind) -> Option<Range> {
    match kind {
        NumberKind::Integer {
            is_signed,
            bytes: bytes @ (1 | 2 | 4 | 8),
        } => Some(Range {
            is_signed,
            bytes: bytes as u8,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

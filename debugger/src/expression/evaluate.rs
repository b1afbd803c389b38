//! The value of an expression.

use wdb_dwarf::{
    Availability, BaseEncoding, DebugInfo, Inspector, Notation, Place, Scalar, TypeKind, TypeRef,
    Value, Write,
};

use crate::error::Error;
use crate::expression::arithmetic::{self, Number, NumberKind};
use crate::expression::tree::{BinaryOperator, Node, NodeKind, UnaryOperator};
use crate::lanes::{Lanes, VECTOR_BYTES};

/// Where the program is, as far as an expression needs it.
pub(crate) trait Scope {
    /// Debug info and the frame's contents.
    fn inspector(&self) -> Inspector<'_>;

    /// The program's variable, or what else a name stands for.
    fn variable(&self, name: &str) -> Result<Value, Error>;

    /// The program's function of a name.
    fn function(&self, name: &str) -> Option<Value>;

    /// What a name after a `$` stands for: the machine's state, the value history, the user's own variables.
    fn dollar(&self, name: &str) -> Result<Value, Error>;

    /// Changes what a name after a `$` stands for; answers `false` when its value has a place that is written instead.
    fn set_dollar(&self, name: &str, value: &Value) -> Result<bool, Error>;

    /// What the program's function of a name returns.
    fn call(&self, name: &str, args: &[Value]) -> Result<Value, Error>;

    /// What the program's function returns that a pointer points to.
    fn call_through(&self, pointer: &Value, args: &[Value]) -> Result<Value, Error>;

    /// An element of one of the machine's tables, in words: references are no values of the source language.
    fn table_element(&self, table: u32, index: i128) -> Result<Value, Error>;

    /// The type of a name.
    fn type_named(&self, name: &str) -> Option<TypeRef>;

    /// Changes the program's state.
    fn write(&self, write: Write) -> Result<(), Error>;
}

/// The value of an expression.
pub(crate) fn evaluate(scope: &dyn Scope, node: &Node) -> Result<Value, Error> {
    Evaluator {
        scope,
        inspector: scope.inspector(),
    }
    .value(node)
}

/// Whether a condition holds.
pub(crate) fn is_true(scope: &dyn Scope, node: &Node) -> Result<bool, Error> {
    let value = evaluate(scope, node)?;
    Ok(arithmetic::is_true(scope.inspector().scalar(&value)?))
}

/// The type and the number of a literal; `None` for other nodes.
pub(super) fn literal(info: &DebugInfo, node: &NodeKind) -> Option<(TypeRef, Scalar)> {
    let (encoding, bytes, scalar) = match *node {
        NodeKind::Integer {
            value,
            is_unsigned,
            is_long,
            is_decimal,
        } => {
            // C's type of a literal is the first that holds it.
            let fits = |bits: u32| value >> bits == 0;
            let may_be_unsigned = is_unsigned || !is_decimal;
            let (encoding, bytes) = match () {
                () if !is_long && !is_unsigned && fits(31) => (BaseEncoding::Signed, 4),
                () if !is_long && may_be_unsigned && fits(32) => (BaseEncoding::Unsigned, 4),
                () if !is_unsigned && fits(63) => (BaseEncoding::Signed, 8),
                () if fits(64) => (BaseEncoding::Unsigned, 8),
                () if !is_unsigned && fits(127) => (BaseEncoding::Signed, 16),
                () => (BaseEncoding::Unsigned, 16),
            };
            (encoding, bytes, Scalar::Integer(value as i128))
        }
        NodeKind::Float { value, is_single } => {
            let bytes = if is_single { 4 } else { 8 };
            (BaseEncoding::Float, bytes, Scalar::Float(value))
        }
        NodeKind::Character(character) => {
            let (encoding, bytes) = match character {
                0..=127 => (BaseEncoding::SignedChar, 1),
                _ => (BaseEncoding::Unicode, 4),
            };
            (encoding, bytes, Scalar::Integer(i128::from(character)))
        }
        NodeKind::Boolean(value) => {
            let scalar = Scalar::Integer(i128::from(value));
            (BaseEncoding::Boolean, 1, scalar)
        }
        _ => return None,
    };
    Some((info.base_type(encoding, bytes), scalar))
}

struct Evaluator<'a> {
    scope: &'a dyn Scope,
    inspector: Inspector<'a>,
}

impl Evaluator<'_> {
    fn value(&self, node: &Node) -> Result<Value, Error> {
        Ok(match &node.kind {
            literal @ (NodeKind::Integer { .. }
            | NodeKind::Float { .. }
            | NodeKind::Character(_)
            | NodeKind::Boolean(_)) => self.literal(literal)?,
            NodeKind::Text(bytes) => self.text(bytes),
            NodeKind::Name(name) => match self.scope.variable(name) {
                Ok(value) => value,
                Err(error) => self.scope.function(name).ok_or(error)?,
            },
            NodeKind::Dollar(name) => self.scope.dollar(name)?,
            NodeKind::Unary(operator, operand) => self.unary(*operator, operand)?,
            NodeKind::Binary(operator, left, right) => self.binary(*operator, left, right)?,
            NodeKind::Assign(operator, left, right) => self.assign(*operator, left, right)?,
            NodeKind::Increment {
                operand,
                by,
                is_postfix,
            } => {
                let before = self.value(operand)?;
                let one = self.int(by.abs());
                let operator = if *by > 0 {
                    BinaryOperator::Add
                } else {
                    BinaryOperator::Subtract
                };
                let after = self.operation(operator, &before, &one)?;
                let after = self.store(operand, &before, &after)?;
                if *is_postfix { before } else { after }
            }
            NodeKind::Conditional(condition, yes, no) => {
                let chosen = if self.truth(condition)? { yes } else { no };
                self.value(chosen)?
            }
            NodeKind::Cast(name, operand) => {
                let type_ref = self.named_type(name)?;
                let value = self.value(operand)?;
                self.inspector.cast(&value, type_ref)?
            }
            NodeKind::SizeOfType(name) => self.size_of(self.named_type(name)?)?,
            NodeKind::SizeOf(operand) => self.size_of(self.value(operand)?.type_ref)?,
            NodeKind::Member(operand, name) => {
                let value = self.value(operand)?;
                match self.in_lanes(&value, name) {
                    Some(vector) => vector,
                    None => self.inspector.member(&value, name)?,
                }
            }
            NodeKind::Index(operand, index) if let Some(table) = operand.table_number() => {
                let index = self.integer(index)?;
                self.scope.table_element(table, index)?
            }
            NodeKind::Index(operand, index) => {
                let value = self.value(operand)?;
                let index = self.integer(index)?;
                self.inspector.index(&value, index)?
            }
            NodeKind::Repeat(first, count) => self.repeat(first, count)?,
            NodeKind::Call(callee, args) => {
                let args = args.iter().map(|arg| self.value(arg));
                let args: Vec<Value> = args.collect::<Result<_, _>>()?;
                match &callee.kind {
                    NodeKind::Name(name) => match self.scope.variable(name) {
                        // A variable that holds a pointer to a function hides a function of the same name.
                        Ok(pointer) => self.scope.call_through(&pointer, &args)?,
                        Err(_) => self.scope.call(name, &args)?,
                    },
                    NodeKind::Unary(UnaryOperator::Dereference, pointer) => {
                        self.scope.call_through(&self.value(pointer)?, &args)?
                    }
                    _ => self.scope.call_through(&self.value(callee)?, &args)?,
                }
            }
            NodeKind::Comma(first, second) => {
                self.value(first)?;
                self.value(second)?
            }
        })
    }

    fn literal(&self, node: &NodeKind) -> Result<Value, Error> {
        let found = literal(self.inspector.info(), node);
        let (type_ref, scalar) = found.ok_or_else(|| Error::other("A number is expected."))?;
        Ok(self.inspector.constant(type_ref, scalar))
    }

    fn text(&self, bytes: &[u8]) -> Value {
        let info = self.inspector.info();
        let char_type = info
            .type_named("char", None)
            .unwrap_or_else(|| info.base_type(BaseEncoding::SignedChar, 1));
        let mut bytes = bytes.to_vec();
        bytes.push(0);
        let type_ref = info.array_of(char_type, bytes.len() as u64);
        self.inspector.read(type_ref, Place::Implicit(bytes.into()))
    }

    fn unary(&self, operator: UnaryOperator, operand: &Node) -> Result<Value, Error> {
        let value = self.value(operand)?;
        match (operator, self.inspector.vector(&value)) {
            (UnaryOperator::Dereference, _) => self.dereference(&value),
            (UnaryOperator::AddressOf, _) => self.address_of(&value),
            (UnaryOperator::Not, _) | (_, None) => self.unary_operation(operator, &value),
            (_, Some(shape)) => self.lane_by_lane(shape, |index| {
                self.unary_operation(operator, &self.inspector.index(&value, index)?)
            }),
        }
    }

    /// An operator on a number.
    fn unary_operation(&self, operator: UnaryOperator, value: &Value) -> Result<Value, Error> {
        let info = self.inspector.info();
        let (type_ref, scalar) = match operator {
            UnaryOperator::Dereference | UnaryOperator::AddressOf => {
                unreachable!("these are no operators on numbers")
            }
            UnaryOperator::Not => {
                let is_true = arithmetic::is_true(self.inspector.scalar(value)?);
                let has_booleans = arithmetic::has_booleans(info, value.type_ref);
                (
                    arithmetic::truth_type(info, has_booleans),
                    Scalar::Integer(i128::from(!is_true)),
                )
            }
            UnaryOperator::Minus => {
                let number = self.number(value)?;
                arithmetic::unary(info, number, i128::wrapping_neg, Some(|value| -value))?
            }
            UnaryOperator::Plus => {
                let number = self.number(value)?;
                arithmetic::unary(info, number, |value| value, Some(|value| value))?
            }
            UnaryOperator::Complement => {
                arithmetic::unary(info, self.number(value)?, |value| !value, None)?
            }
        };
        Ok(self.inspector.constant(type_ref, scalar))
    }

    fn address_of(&self, value: &Value) -> Result<Value, Error> {
        let info = self.inspector.info();
        let kind = &info.type_of(info.resolve(value.type_ref)).kind;
        if matches!(kind, TypeKind::Function(_)) && !matches!(value.place, Place::Memory(_)) {
            return Err(Error::other(
                "This function is in no table, so nothing can point to it.",
            ));
        }
        Ok(self.inspector.address_of(value)?)
    }

    /// What a pointer points to. A plain number counts as the address of an `int`, as in gdb.
    fn dereference(&self, value: &Value) -> Result<Value, Error> {
        let info = self.inspector.info();
        let kind = &info.type_of(info.resolve(value.type_ref)).kind;
        let is_integer =
            matches!(kind, TypeKind::Base(encoding) if *encoding != BaseEncoding::Float);
        if is_integer && value.availability == Availability::Available {
            let address = arithmetic::integer(self.inspector.scalar(value)?);
            let int = info.base_type(BaseEncoding::Signed, 4);
            return Ok(self.inspector.read(int, Place::Memory(address as u64)));
        }
        if matches!(kind, TypeKind::Function(_)) {
            return Ok(value.clone());
        }
        Ok(self.inspector.dereference(value)?)
    }

    fn binary(&self, operator: BinaryOperator, left: &Node, right: &Node) -> Result<Value, Error> {
        if matches!(operator, BinaryOperator::And | BinaryOperator::Or) {
            let first = self.value(left)?;
            let is_true = arithmetic::is_true(self.inspector.scalar(&first)?);
            let result = match (operator, is_true) {
                (BinaryOperator::And, false) => false,
                (BinaryOperator::Or, true) => true,
                _ => self.truth(right)?,
            };
            let info = self.inspector.info();
            let has_booleans = arithmetic::has_booleans(info, first.type_ref);
            return Ok(self.inspector.constant(
                arithmetic::truth_type(info, has_booleans),
                Scalar::Integer(i128::from(result)),
            ));
        }
        self.operation(operator, &self.value(left)?, &self.value(right)?)
    }

    /// An operator on two values: pointers count in elements.
    fn operation(
        &self,
        operator: BinaryOperator,
        left: &Value,
        right: &Value,
    ) -> Result<Value, Error> {
        if let Some(result) = self.vector_operation(operator, left, right)? {
            return Ok(result);
        }
        let info = self.inspector.info();
        match (operator, self.pointer(left)?, self.pointer(right)?) {
            (BinaryOperator::Subtract, Some((target, size, first)), Some((other, _, second))) => {
                if info.resolve(target) != info.resolve(other) && info.size_of(other) != Some(size)
                {
                    return Err(Error::other(
                        "The pointers point to values of different sizes",
                    ));
                }
                let difference = (i128::from(first) - i128::from(second)) / i128::from(size.max(1));
                Ok(self.constant(BaseEncoding::Signed, 4, Scalar::Integer(difference)))
            }
            (
                BinaryOperator::Add | BinaryOperator::Subtract,
                Some((target, size, address)),
                None,
            ) => {
                let count = arithmetic::integer(self.inspector.scalar(right)?);
                let bytes = count.wrapping_mul(i128::from(size.max(1)));
                let address = match operator {
                    BinaryOperator::Add => i128::from(address).wrapping_add(bytes),
                    _ => i128::from(address).wrapping_sub(bytes),
                };
                Ok(self.pointer_value(target, left.type_ref, address))
            }
            (BinaryOperator::Add, None, Some(_)) => self.operation(operator, right, left),
            _ if self.is_handle(left) || self.is_handle(right) => {
                self.comparison(operator, left, right)
            }
            _ => {
                let (left, right) = (self.number(left)?, self.number(right)?);
                let (type_ref, scalar) = arithmetic::binary(info, operator, left, right)?;
                Ok(self.inspector.constant(type_ref, scalar))
            }
        }
    }

    fn is_handle(&self, value: &Value) -> bool {
        let info = self.inspector.info();
        info.type_of(info.resolve(value.type_ref)).kind == TypeKind::Handle
    }

    /// Whether references are equal; 0 stands for null, and a number for the same number as a reference.
    fn comparison(
        &self,
        operator: BinaryOperator,
        left: &Value,
        right: &Value,
    ) -> Result<Value, Error> {
        let is_equal = self.inspector.scalar(left)? == self.inspector.scalar(right)?;
        let result = match operator {
            BinaryOperator::Equal => is_equal,
            BinaryOperator::NotEqual => !is_equal,
            _ => {
                return Err(Error::other(
                    "References can be compared with == and !=, but not computed with.",
                ));
            }
        };
        Ok(self.int(i128::from(result)))
    }

    /// A vector's bytes in lanes that a name names (`v.f32x4`).
    fn in_lanes(&self, value: &Value, name: &str) -> Option<Value> {
        let lanes = Lanes::named(name)?;
        let (_, _, size) = self.inspector.vector(value)?;
        let type_ref = lanes.type_in(self.inspector.info());
        (size == VECTOR_BYTES).then(|| self.inspector.reinterpret(value, type_ref))
    }

    /// An arithmetic operator on the lanes of two vectors, or of one with a number; `None` for other values.
    fn vector_operation(
        &self,
        operator: BinaryOperator,
        left: &Value,
        right: &Value,
    ) -> Result<Option<Value>, Error> {
        let (of_left, of_right) = (self.inspector.vector(left), self.inspector.vector(right));
        let Some(shape) = of_left.or(of_right) else {
            return Ok(None);
        };
        if operator.is_comparison() {
            return Err(Error::other(
                "Vectors are not compared as a whole; compare lanes, as in `v[0] == w[0]`.",
            ));
        }
        if let (Some((_, left, _)), Some((_, right, _))) = (of_left, of_right)
            && left != right
        {
            return Err(Error::Other(format!(
                "The vectors have {left} and {right} lanes; `v.i32x4` is v in four lanes."
            )));
        }
        let lane_of = |value: &Value, is_vector: bool, index: i128| match is_vector {
            true => self.inspector.index(value, index),
            false => Ok(value.clone()),
        };
        let result = self.lane_by_lane(shape, |index| {
            let left = lane_of(left, of_left.is_some(), index)?;
            let right = lane_of(right, of_right.is_some(), index)?;
            self.operation(operator, &left, &right)
        });
        result.map(Some)
    }

    /// A vector whose lanes have this type, number and size, each computed by itself.
    fn lane_by_lane(
        &self,
        (lane, count, _): (TypeRef, u64, u64),
        compute: impl Fn(i128) -> Result<Value, Error>,
    ) -> Result<Value, Error> {
        let mut bytes = Vec::new();
        for index in 0..count {
            let result = self.inspector.scalar(&compute(i128::from(index))?)?;
            bytes.extend_from_slice(&self.inspector.constant(lane, result).bytes);
        }
        let type_ref = self.inspector.info().vector_of(lane, count);
        let place = Place::Implicit(bytes.into());
        Ok(self.inspector.read(type_ref, place))
    }

    /// The target's type, its size and the address, if the value is a pointer or an array.
    fn pointer(&self, value: &Value) -> Result<Option<(TypeRef, u64, u64)>, Error> {
        let info = self.inspector.info();
        let target = match info.type_of(info.resolve(value.type_ref)).kind {
            TypeKind::Pointer {
                target,
                kind: wdb_dwarf::PointerKind::Pointer,
            } => target,
            TypeKind::Array {
                element,
                is_vector: false,
                ..
            } => element,
            _ => return Ok(None),
        };
        let address = arithmetic::integer(self.inspector.scalar(value)?) as u64;
        // `void *` counts in bytes, as with GNU C.
        let size = info.size_of(target).unwrap_or(1);
        Ok(Some((target, size, address)))
    }

    /// A pointer of the type that it was computed from; an array's is the one to its elements.
    fn pointer_value(&self, target: TypeRef, from: TypeRef, address: i128) -> Value {
        let info = self.inspector.info();
        let is_pointer = matches!(
            info.type_of(info.resolve(from)).kind,
            TypeKind::Pointer { .. }
        );
        let type_ref = if is_pointer {
            from
        } else {
            info.pointer_to(target)
        };
        self.inspector
            .constant(type_ref, Scalar::Integer(address & 0xffff_ffff_ffff_ffff))
    }

    fn assign(
        &self,
        operator: Option<BinaryOperator>,
        left: &Node,
        right: &Node,
    ) -> Result<Value, Error> {
        let mut value = self.value(right)?;
        if operator.is_none()
            && let NodeKind::Dollar(name) = &left.kind
            && self.scope.set_dollar(name, &value)?
        {
            return Ok(value);
        }
        let destination = self.value(left)?;
        if let Some(operator) = operator {
            value = self.operation(operator, &destination, &value)?;
        }
        self.store(left, &destination, &value)
    }

    /// Assigns to a place, and answers what it holds then.
    fn store(&self, left: &Node, destination: &Value, value: &Value) -> Result<Value, Error> {
        if let NodeKind::Dollar(name) = &left.kind
            && self.scope.set_dollar(name, value)?
        {
            return Ok(value.clone());
        }
        for write in self.inspector.assign(destination, value)? {
            self.scope.write(write)?;
        }
        self.value(left)
    }

    fn repeat(&self, first: &Node, count: &Node) -> Result<Value, Error> {
        let value = self.value(first)?;
        let count = self.integer(count)?;
        let count = u64::try_from(count)
            .ok()
            .filter(|count| *count > 0 && *count <= u64::from(u32::MAX))
            .ok_or_else(|| Error::other("The number after @ must be positive"))?;
        if !matches!(value.place, Place::Memory(_)) {
            return Err(Error::other("Only values in memory can be extended with @"));
        }
        let type_ref = self.inspector.info().array_of(value.type_ref, count);
        Ok(self.inspector.read(type_ref, value.place))
    }

    fn size_of(&self, type_ref: TypeRef) -> Result<Value, Error> {
        let info = self.inspector.info();
        let size = info
            .size_of(type_ref)
            .ok_or_else(|| wdb_dwarf::Error::Incomplete {
                type_name: info.type_name(type_ref),
            })?;
        Ok(self.constant(BaseEncoding::Unsigned, 4, Scalar::Integer(i128::from(size))))
    }

    fn named_type(&self, name: &str) -> Result<TypeRef, Error> {
        self.scope
            .type_named(name)
            .ok_or_else(|| Error::other(format!("No type named {name}.")))
    }

    fn truth(&self, node: &Node) -> Result<bool, Error> {
        let value = self.value(node)?;
        Ok(arithmetic::is_true(self.inspector.scalar(&value)?))
    }

    fn integer(&self, node: &Node) -> Result<i128, Error> {
        let value = self.value(node)?;
        Ok(arithmetic::integer(self.inspector.scalar(&value)?))
    }

    fn number(&self, value: &Value) -> Result<Number, Error> {
        let info = self.inspector.info();
        let value = &self.inspector.behind_references(value)?;
        let scalar = self.inspector.scalar(value)?;
        let type_ref = info.resolve(value.type_ref);
        let kind = NumberKind::of_type(info, type_ref).unwrap_or(match scalar {
            Scalar::Integer(_) => NumberKind::Integer {
                is_signed: true,
                bytes: 8,
            },
            Scalar::Float(_) => NumberKind::Float { bytes: 8 },
        });
        Ok(Number {
            scalar,
            kind,
            type_ref,
            has_booleans: info.type_of(type_ref).notation != Notation::C,
        })
    }

    fn int(&self, value: i128) -> Value {
        self.constant(BaseEncoding::Signed, 4, Scalar::Integer(value))
    }

    fn constant(&self, encoding: BaseEncoding, bytes: u64, scalar: Scalar) -> Value {
        self.inspector
            .constant(self.inspector.info().base_type(encoding, bytes), scalar)
    }
}

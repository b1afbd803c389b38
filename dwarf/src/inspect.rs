//! Reading, taking apart and writing values of a program.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::address::CodeOffset;
use crate::cpp_values::CppShape;
use crate::error::{Error, Result};
use crate::evaluate::Evaluator;
use crate::info::DebugInfo;
use crate::location::{Place, RawSlot, Target};
use crate::places::{bit_field_bytes, with_bits};
use crate::reader::Reader;
use crate::rust_values::{Elements, RustShape};
use crate::scopes::Variable;
use crate::types::{BitField, Member, PointerKind, Record, TypeKind, TypeRef};
use crate::value::{Availability, Child, Scalar, Value, Write};

/// How many base classes and anonymous members are searched for a member.
pub(crate) const PARTS_MAX: usize = 256;

/// Debug info and one frame of a program together: everything about values.
///
/// Optimized-out and unreadable values are values; [`Value::availability`] tells. Only what
/// makes no sense or needs bytes that are not there is an error.
#[derive(Clone, Copy)]
pub struct Inspector<'a> {
    info: &'a DebugInfo,
    target: &'a dyn Target,
}

impl DebugInfo {
    /// Values of a program, as seen from the frame that `target` stands for.
    #[must_use]
    pub fn inspect<'a>(&'a self, target: &'a dyn Target) -> Inspector<'a> {
        Inspector { info: self, target }
    }
}

impl<'a> Inspector<'a> {
    /// The debug info.
    #[must_use]
    pub fn info(&self) -> &'a DebugInfo {
        self.info
    }

    /// The frame.
    pub(crate) fn target(&self) -> &'a dyn Target {
        self.target
    }

    /// Where a variable lives when the frame stands at `at`. For globals `at` does not
    /// matter.
    ///
    /// # Errors
    /// The location is malformed, or needs what the target cannot give.
    pub fn locate(&self, variable: &Variable, at: CodeOffset) -> Result<Place> {
        let reader = Reader::new(self.info);
        let (unit, die) = reader.die(variable.die).ok_or(Error::OptimizedOut)?;
        Evaluator {
            reader: &reader,
            unit,
            target: self.target,
            address: at.0,
        }
        .locate(&die)
    }

    /// The value of a variable when the frame stands at `at`.
    #[must_use]
    pub fn variable(&self, variable: &Variable, at: CodeOffset) -> Value {
        // What takes no room is nowhere; what compilers say of its place can be nonsense.
        if self.info.size_of(variable.type_ref) == Some(0) {
            return self.read(variable.type_ref, Place::Implicit(Arc::new([])));
        }
        match self.locate(variable, at) {
            Ok(place) => {
                let counted = self.counted_array(variable, at);
                self.read(counted.unwrap_or(variable.type_ref), place)
            }
            Err(error) => Value::unavailable(variable.type_ref, error),
        }
    }

    /// The type of a variable-length array with the length that it has here.
    fn counted_array(&self, variable: &Variable, at: CodeOffset) -> Option<TypeRef> {
        let array = self.info.resolve(variable.type_ref);
        let TypeKind::Array {
            element,
            count: None,
            ..
        } = self.info.type_of(array).kind
        else {
            return None;
        };
        let reader = Reader::new(self.info);
        let (count, is_last_index) = reader.element_count_variable(array)?;
        let (unit, die) = reader.die(count)?;
        let type_ref = TypeRef::from_die(reader.type_of(&unit, &die));
        let place = Evaluator {
            reader: &reader,
            unit,
            target: self.target,
            address: at.0,
        }
        .locate(&die)
        .ok()?;
        let count = self.scalar(&self.read(type_ref, place)).ok()?.to_i128();
        let count = u64::try_from(count)
            .ok()?
            .checked_add(u64::from(is_last_index))?;
        Some(self.info.array_of(element, count))
    }

    /// The value of a type at a place.
    #[must_use]
    pub fn read(&self, type_ref: TypeRef, place: Place) -> Value {
        let type_ref = self.type_at(type_ref, &place);
        let size = self.info.size_of(type_ref).unwrap_or(0);
        self.read_bits(type_ref, place, size, None)
    }

    /// A variable that the compiler keeps as a reference of the machine has no other representation, whatever its type says.
    fn type_at(&self, type_ref: TypeRef, place: &Place) -> TypeRef {
        let slot = match place {
            Place::Local(index) => self.target.local(*index),
            Place::Global(index) => self.target.global(*index),
            Place::Operand(index) => self.target.operand(*index),
            _ => None,
        };
        let is_handle = |type_ref: TypeRef| self.info.type_of(type_ref).kind == TypeKind::Handle;
        match slot {
            Some(RawSlot::Handle(_)) if !is_handle(type_ref) => {
                self.info.handle_type(&self.info.type_name(type_ref))
            }
            _ => type_ref,
        }
    }

    fn read_bits(
        &self,
        type_ref: TypeRef,
        place: Place,
        size: u64,
        bits: Option<BitField>,
    ) -> Value {
        let len = usize::try_from(size)
            .unwrap_or(usize::MAX)
            .min(Value::BYTES_MAX);
        let (bytes, availability) = match place.read(self.target, len) {
            Ok(bytes) => (bytes.into(), Availability::Available),
            Err(Error::OptimizedOut) => (Arc::new([]) as Arc<[u8]>, Availability::OptimizedOut),
            Err(error) => (Arc::new([]) as Arc<[u8]>, Availability::Unavailable(error)),
        };
        Value {
            type_ref,
            place,
            bits,
            bytes,
            availability,
        }
    }

    /// A value that lives nowhere. If the type is no scalar the value is unavailable.
    #[must_use]
    pub fn constant(&self, type_ref: TypeRef, scalar: Scalar) -> Value {
        match self.info.encode(type_ref, scalar) {
            Ok(mut bytes) => {
                bytes.truncate(
                    usize::try_from(self.info.size_of(type_ref).unwrap_or(0)).unwrap_or(0),
                );
                self.read(type_ref, Place::Implicit(bytes.into()))
            }
            Err(error) => Value::unavailable(type_ref, error),
        }
    }

    /// A member by name, also one of a base class or of an anonymous struct or union. Through
    /// a pointer or a reference to a record it is the member of what that points to. A Rust
    /// enum has the members of the variant it is.
    ///
    /// # Errors
    /// Not a record, no such member.
    pub fn member(&self, value: &Value, name: &str) -> Result<Value> {
        let value = &self.behind_references(value)?;
        let (type_ref, found) = self.resolved(value);
        match &found.kind {
            TypeKind::Pointer { .. } => self.member(&self.dereference(value)?, name),
            TypeKind::Handle => self.handle_member(value, name),
            TypeKind::Record(record) => {
                if record.is_declaration {
                    return Err(Error::Incomplete {
                        type_name: self.info.type_name(type_ref),
                    });
                }
                let found = self
                    .find_member(value, name)
                    .or_else(|| self.member_behind(value, name));
                found.ok_or_else(|| Error::NoMember {
                    member: name.to_owned(),
                    type_name: self.info.type_name(value.type_ref),
                })
            }
            _ => Err(self.wrong_type("access to a member", value)),
        }
    }

    /// Looks for a member in a record, then in the parts of it that lend it their members.
    /// A member of what a smart pointer points to or an optional value contains.
    fn member_behind(&self, value: &Value, name: &str) -> Option<Value> {
        let target = match self.cpp_shape(value)? {
            CppShape::Pointer(pointer) => self.dereference(&pointer).ok()?,
            CppShape::Optional(content) => content?,
            CppShape::Text(_) | CppShape::Sequence(_) => return None,
        };
        self.find_member(&target, name)
    }

    /// The elements that a slice, vector or string of a library stands for.
    fn sequence_of(&self, value: &Value) -> Option<Elements> {
        match self.rust_shape(value) {
            Some(RustShape::Sequence(elements)) => Some(elements),
            Some(RustShape::Text(_)) => None,
            None => self.cpp_elements(value),
        }
    }

    /// A member of the value itself, of its bases or of its members without a name.
    pub(crate) fn find_member(&self, value: &Value, name: &str) -> Option<Value> {
        let mut parts = VecDeque::from([value.clone()]);
        for _ in 0..PARTS_MAX {
            let part = parts.pop_front()?;
            let (_, found) = self.resolved(&part);
            let TypeKind::Record(record) = &found.kind else {
                continue;
            };
            if let Some(member) = record.members.iter().find(|it| it.is_named(name)) {
                return Some(self.member_value(&part, member));
            }
            let anonymous = record.members.iter().filter(|member| member.name.is_none());
            parts.extend(
                anonymous
                    .take(PARTS_MAX)
                    .map(|member| self.member_value(&part, member)),
            );
            let bases = record.bases.iter().take(PARTS_MAX);
            parts.extend(
                bases.filter_map(|base| Some(self.part(&part, base.type_ref, base.offset?))),
            );
            parts.extend(
                self.active_variant(&part, record)
                    .map(|(_, variant)| variant),
            );
        }
        None
    }

    /// The value of a member.
    pub(crate) fn member_value(&self, value: &Value, member: &Member) -> Value {
        match member.bits {
            None => self.part(value, member.type_ref, member.offset),
            Some(bits) => {
                let len = bit_field_bytes(bits);
                self.part_of_len(value, member.type_ref, member.offset, len, Some(bits))
            }
        }
    }

    /// The part of a value at an offset.
    pub(crate) fn part(&self, value: &Value, type_ref: TypeRef, offset: u64) -> Value {
        self.part_of_len(
            value,
            type_ref,
            offset,
            self.info.size_of(type_ref).unwrap_or(0),
            None,
        )
    }

    /// A part keeps the bytes that the value had when it was read; only what that did not
    /// keep is read anew.
    fn part_of_len(
        &self,
        value: &Value,
        type_ref: TypeRef,
        offset: u64,
        len: u64,
        bits: Option<BitField>,
    ) -> Value {
        let place = value.place.part(offset, len);
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(usize::try_from(len).unwrap_or(usize::MAX));
        match value.bytes.get(start..end) {
            Some(bytes) if value.availability == Availability::Available => Value {
                type_ref,
                place,
                bits,
                bytes: bytes.into(),
                availability: Availability::Available,
            },
            _ => self.read_bits(type_ref, place, len, bits),
        }
    }

    /// The name and the data of the variant that a Rust enum is.
    pub(crate) fn active_variant(
        &self,
        value: &Value,
        record: &Record,
    ) -> Option<(Arc<str>, Value)> {
        let part = record.variant_part.as_ref()?;
        let discriminant = part.discriminant.as_ref().and_then(|member| {
            let found = self.member_value(value, member);
            let size = u32::try_from(found.bytes.len().checked_mul(8)?).ok()?;
            match self.info.decode(found.type_ref, &found.bytes, None)? {
                Scalar::Integer(number) => Some((number.cast_unsigned(), size)),
                Scalar::Float(_) => None,
            }
        });
        let is_selected = |wanted: u128| {
            discriminant.is_some_and(|(found, size)| {
                let mask = if size >= 128 {
                    u128::MAX
                } else {
                    (1 << size) - 1
                };
                found & mask == wanted & mask
            })
        };
        let variant = part
            .variants
            .iter()
            .find(|variant| variant.discriminant.is_some_and(is_selected))
            .or_else(|| {
                part.variants
                    .iter()
                    .find(|variant| variant.discriminant.is_none())
            })?;
        let name = variant.member.name.clone().unwrap_or_else(|| "_".into());
        Some((name, self.member_value(value, &variant.member)))
    }

    /// An element of an array, a Rust slice or `Vec`, or what lies `index` elements after a
    /// pointer's target.
    ///
    /// # Errors
    /// Neither an array nor a pointer to a complete type.
    pub fn index(&self, value: &Value, index: i128) -> Result<Value> {
        let value = &self.behind_references(value)?;
        let (_, found) = self.resolved(value);
        match &found.kind {
            TypeKind::Array { element, .. } => {
                let size = self.complete_size(*element)?;
                let offset = offset_of(index, size);
                match u64::try_from(index) {
                    Ok(_) => Ok(self.part(value, *element, offset)),
                    Err(_) => match value.place {
                        Place::Memory(address) => Ok(self.read(
                            *element,
                            Place::Memory(self.wrapped(address.wrapping_add(offset))),
                        )),
                        _ => Err(Error::NotInMemory),
                    },
                }
            }
            TypeKind::Pointer { target, .. } => {
                let size = self.complete_size(*target)?;
                let address = self.address(value)?.wrapping_add(offset_of(index, size));
                Ok(self.read(*target, Place::Memory(self.wrapped(address))))
            }
            TypeKind::Handle => self.handle_index(value, index),
            _ => match self.sequence_of(value) {
                Some(elements) => {
                    let is_inside = u64::try_from(index).is_ok_and(|index| index < elements.count);
                    if !is_inside {
                        return Err(Error::NoElement {
                            index,
                            count: elements.count,
                        });
                    }
                    let size = self.complete_size(elements.element)?;
                    let address = elements.address.wrapping_add(offset_of(index, size));
                    Ok(self.read(elements.element, Place::Memory(self.wrapped(address))))
                }
                _ => Err(self.wrong_type("indexing", value)),
            },
        }
    }

    /// What a pointer or a reference points to; an array's first element.
    ///
    /// # Errors
    /// Not a pointer, or a pointer to an incomplete type.
    pub fn dereference(&self, value: &Value) -> Result<Value> {
        let (_, found) = self.resolved(value);
        match found.kind {
            TypeKind::Pointer { target, .. } => {
                let target_type = self.info.type_of(self.info.resolve(target));
                match target_type.kind {
                    TypeKind::Void => Err(self.wrong_type("dereferencing", value)),
                    _ => Ok(self.read(target, Place::Memory(self.address(value)?))),
                }
            }
            TypeKind::Array {
                is_vector: false, ..
            } => self.index(value, 0),
            // A reference is written with what it leads to.
            TypeKind::Handle => Ok(value.clone()),
            _ => match self.cpp_shape(value) {
                Some(CppShape::Pointer(pointer)) => self.dereference(&pointer),
                Some(CppShape::Optional(Some(content))) => Ok(content),
                _ => Err(self.wrong_type("dereferencing", value)),
            },
        }
    }

    /// A pointer to a value.
    ///
    /// # Errors
    /// The value does not lie in linear memory, or is a bit field.
    pub fn address_of(&self, value: &Value) -> Result<Value> {
        let value = &self.behind_references(value)?;
        match value.place {
            Place::Memory(address) if value.bits.is_none() => {
                let pointer = self.info.pointer_to(value.type_ref);
                Ok(self.constant(pointer, Scalar::Integer(i128::from(address))))
            }
            _ => Err(Error::NotInMemory),
        }
    }

    /// The same bytes at the same place as a value of another type, which is no longer.
    #[must_use]
    pub fn reinterpret(&self, value: &Value, type_ref: TypeRef) -> Value {
        self.part(value, type_ref, 0)
    }

    /// The lane's type, the number of lanes and the size in bytes, if the value is a vector.
    #[must_use]
    pub fn vector(&self, value: &Value) -> Option<(TypeRef, u64, u64)> {
        match self.resolved(value).1.kind {
            TypeKind::Array {
                element,
                count: Some(count),
                is_vector: true,
            } => {
                let size = self.info.size_of(value.type_ref)?;
                (size <= Value::BYTES_MAX as u64).then_some((element, count, size))
            }
            _ => None,
        }
    }

    /// The value converted to a type as C converts it; a record in memory can be cast to any
    /// type, which then reads the same bytes, and so can a vector to one of the same size.
    ///
    /// # Errors
    /// The conversion makes no sense.
    pub fn cast(&self, value: &Value, type_ref: TypeRef) -> Result<Value> {
        let wanted = self.info.type_of(self.info.resolve(type_ref));
        let vector_size = self.vector(value).map(|(_, _, size)| size);
        if vector_size.is_some() && vector_size == self.info.size_of(type_ref) {
            return Ok(self.reinterpret(value, type_ref));
        }
        match (&wanted.kind, self.scalar(value)) {
            (TypeKind::Base(_) | TypeKind::Enumeration(_) | TypeKind::Pointer { .. }, scalar) => {
                Ok(self.constant(type_ref, scalar?))
            }
            (TypeKind::Void, _) => Ok(self.read(type_ref, Place::Implicit(Arc::new([])))),
            _ if matches!(value.place, Place::Memory(_)) && value.bits.is_none() => {
                Ok(self.read(type_ref, value.place.clone()))
            }
            _ => Err(Error::WrongType {
                operation: "a cast",
                type_name: self.info.type_name(type_ref),
            }),
        }
    }

    /// The number a scalar stands for. Arrays count as the address of their first element
    /// and references as what they refer to.
    ///
    /// # Errors
    /// Not a scalar, or not available.
    pub fn scalar(&self, value: &Value) -> Result<Scalar> {
        let value = &self.behind_references(value)?;
        let (_, found) = self.resolved(value);
        if let TypeKind::Array {
            is_vector: false, ..
        }
        | TypeKind::Function(_) = found.kind
        {
            return match value.place {
                Place::Memory(address) => Ok(Scalar::Integer(i128::from(address))),
                _ => Err(Error::NotInMemory),
            };
        }
        available(value)?;
        if found.kind == TypeKind::Handle {
            return Ok(Scalar::Integer(self.handle_shape(value)?.number));
        }
        let scalar = self.info.decode(value.type_ref, &value.bytes, value.bits);
        scalar.ok_or_else(|| self.wrong_type("use as a number", value))
    }

    /// What a value is made of: members, elements (at most `count_max`), a pointer's target.
    #[must_use]
    pub fn children(&self, value: &Value, count_max: usize) -> Vec<Child> {
        let (_, found) = self.resolved(value);
        if let Some(shape) = self.rust_shape(value) {
            return self.rust_children(&shape, count_max);
        }
        if let Some(elements) = self.cpp_elements(value) {
            return self.rust_children(&RustShape::Sequence(elements), count_max);
        }
        match &found.kind {
            TypeKind::Pointer { .. } => {
                let target = self.dereference(value).ok();
                target
                    .map(|value| Child {
                        name: "*".to_owned(),
                        value,
                    })
                    .into_iter()
                    .collect()
            }
            TypeKind::Array { count, .. } => {
                let count = usize::try_from(count.unwrap_or(0))
                    .unwrap_or(usize::MAX)
                    .min(count_max);
                let element = |index: usize| {
                    let value = self.index(value, index as i128).ok()?;
                    Some(Child {
                        name: format!("[{index}]"),
                        value,
                    })
                };
                (0..count).map_while(element).collect()
            }
            TypeKind::Record(record) => self.record_children(value, record, count_max),
            TypeKind::Handle => self.handle_children(value, count_max),
            _ => Vec::new(),
        }
    }

    fn record_children(&self, value: &Value, record: &Record, count_max: usize) -> Vec<Child> {
        if let Some((_, variant)) = self.active_variant(value, record) {
            return self.children(&variant, count_max);
        }
        let bases = record.bases.iter().filter_map(|base| {
            let name = format!("<{}>", self.info.type_name(base.type_ref));
            Some(Child {
                name,
                value: self.part(value, base.type_ref, base.offset?),
            })
        });
        let members = record.members.iter().map(|member| Child {
            name: member.name.as_deref().unwrap_or("<anonymous>").to_owned(),
            value: self.member_value(value, member),
        });
        bases.chain(members).take(count_max).collect()
    }

    /// The changes that assign `source`, converted to its type, to `destination`.
    ///
    /// # Errors
    /// `destination` has no place that can be written, or the conversion makes no sense.
    pub fn assign(&self, destination: &Value, source: &Value) -> Result<Vec<Write>> {
        let destination = &self.behind_references(destination)?;
        let (_, found) = self.resolved(destination);
        let size = usize::try_from(self.info.size_of(destination.type_ref).unwrap_or(0))
            .unwrap_or(usize::MAX);
        match &found.kind {
            TypeKind::Record(_) | TypeKind::Array { .. } => {
                available(source)?;
                let is_same = self.vector(destination).is_some() && self.vector(source).is_some()
                    || self.info.resolve(source.type_ref)
                        == self.info.resolve(destination.type_ref);
                if !is_same || source.bytes.len() != size {
                    return Err(self.wrong_type("assignment", destination));
                }
                destination.place.write(self.target, &source.bytes, size)
            }
            TypeKind::Handle => {
                let bytes = self.handle(source)?.0.to_le_bytes();
                destination.place.write(self.target, &bytes, size)
            }
            _ => {
                let bytes = self
                    .info
                    .encode(destination.type_ref, self.scalar(source)?)?;
                match destination.bits {
                    None => destination.place.write(self.target, &bytes, size),
                    Some(bits) => {
                        available(destination)?;
                        let wide = bytes
                            .get(..16)
                            .and_then(|bytes| bytes.try_into().ok())
                            .map(u128::from_le_bytes);
                        let changed =
                            with_bits(&destination.bytes, bits, wide.ok_or(Error::NotAssignable)?);
                        destination
                            .place
                            .write(self.target, &changed, changed.len())
                    }
                }
            }
        }
    }

    /// The value that a C++ reference refers to; other values are themselves.
    ///
    /// # Errors
    /// The reference cannot be read.
    pub fn behind_references(&self, value: &Value) -> Result<Value> {
        let (_, found) = self.resolved(value);
        match found.kind {
            TypeKind::Pointer {
                kind: PointerKind::Reference | PointerKind::RvalueReference,
                ..
            } => self.dereference(value),
            _ => Ok(value.clone()),
        }
    }

    /// The address that a pointer holds.
    pub(crate) fn address(&self, value: &Value) -> Result<u64> {
        available(value)?;
        match self.info.decode(value.type_ref, &value.bytes, value.bits) {
            Some(Scalar::Integer(address)) => {
                u64::try_from(address).map_err(|_| self.wrong_type("use as an address", value))
            }
            _ => Err(self.wrong_type("use as an address", value)),
        }
    }

    /// An address cut to the size that addresses have.
    fn wrapped(&self, address: u64) -> u64 {
        if self.info.address_size() == 8 {
            address
        } else {
            address & u64::from(u32::MAX)
        }
    }

    /// A value's type behind typedefs and qualifiers.
    pub(crate) fn resolved(&self, value: &Value) -> (TypeRef, Arc<crate::types::Type>) {
        let type_ref = self.info.resolve(value.type_ref);
        (type_ref, self.info.type_of(type_ref))
    }

    fn complete_size(&self, type_ref: TypeRef) -> Result<u64> {
        // gcc's and clang's extension: arithmetic on `void *` and on functions counts bytes.
        match self.info.type_of(self.info.resolve(type_ref)).kind {
            TypeKind::Void | TypeKind::Function(_) => Ok(1),
            _ => self
                .info
                .size_of(type_ref)
                .ok_or_else(|| Error::Incomplete {
                    type_name: self.info.type_name(type_ref),
                }),
        }
    }

    pub(crate) fn wrong_type(&self, operation: &'static str, value: &Value) -> Error {
        Error::WrongType {
            operation,
            type_name: self.info.type_name(value.type_ref),
        }
    }
}

/// Whether a value's bytes are there, as an error if not.
pub(crate) fn available(value: &Value) -> Result<()> {
    match &value.availability {
        Availability::Available => Ok(()),
        Availability::OptimizedOut => Err(Error::OptimizedOut),
        Availability::Unavailable(error) => Err(error.clone()),
    }
}

/// The byte offset of an element, as the machine would compute it.
fn offset_of(index: i128, size: u64) -> u64 {
    let index = (index.cast_unsigned() & u128::from(u64::MAX)) as u64;
    index.wrapping_mul(size)
}

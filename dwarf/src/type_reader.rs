//! From entries to the plain model of types.

use std::rc::Rc;

use gimli::AttributeValue;

use crate::info::DieRef;
use crate::names::NameKind;
use crate::reader::{Attribute, Die, REFERENCES_MAX, Reader, Unit};
use crate::types::{
    AliasKind, Base, BaseEncoding, BitField, Enumeration, Enumerator, FunctionType, MadeType,
    Member, Notation, PointerKind, Record, RecordKind, Type, TypeKey, TypeKind, TypeRef, Variant,
    VariantPart,
};
use crate::units::UnitRoot;

impl<'a> Reader<'a> {
    /// The type that an entry describes.
    pub(crate) fn read_type(&self, die_ref: DieRef) -> Option<Type> {
        let (unit, die) = self.die(die_ref)?;
        // The type itself may be in a unit of its own.
        if let Some(signature) = die.attr_value(gimli::DW_AT_signature) {
            let (unit, die) = self.die(self.reference(unit.number, &signature)?)?;
            if die.attr_value(gimli::DW_AT_signature).is_none() {
                return self.read_type(unit.die_ref(die.offset()));
            }
        }
        let name = self
            .info
            .qualified_name(NameKind::Type, die_ref)
            .or_else(|| {
                let name = self.own_name(&unit, &die);
                (!name.is_empty()).then(|| self.info.text(name).into_owned())
            });
        let own_size = die
            .attr_value(gimli::DW_AT_byte_size)
            .and_then(|value| value.udata_value());
        let address_size = u64::from(unit.root.encoding.address_size);
        let target = || TypeRef::from_die(self.type_of(&unit, &die));
        let pointer = |kind| {
            (
                TypeKind::Pointer {
                    target: target(),
                    kind,
                },
                own_size.or(Some(address_size)),
            )
        };
        let alias = |kind| {
            (
                TypeKind::Alias {
                    kind,
                    target: target(),
                },
                None,
            )
        };
        let (kind, size) = match die.tag() {
            gimli::DW_TAG_base_type => (self.base(&die), own_size),
            gimli::DW_TAG_pointer_type => pointer(PointerKind::Pointer),
            gimli::DW_TAG_reference_type => pointer(PointerKind::Reference),
            gimli::DW_TAG_rvalue_reference_type => pointer(PointerKind::RvalueReference),
            gimli::DW_TAG_structure_type => {
                (self.record(&unit, &die, RecordKind::Struct), own_size)
            }
            gimli::DW_TAG_class_type => (self.record(&unit, &die, RecordKind::Class), own_size),
            gimli::DW_TAG_union_type => (self.record(&unit, &die, RecordKind::Union), own_size),
            gimli::DW_TAG_array_type => (self.array(&unit, &die), own_size),
            gimli::DW_TAG_enumeration_type => (self.enumeration(&unit, &die), own_size),
            gimli::DW_TAG_typedef | gimli::DW_TAG_template_alias => alias(AliasKind::Typedef),
            gimli::DW_TAG_const_type | gimli::DW_TAG_immutable_type => alias(AliasKind::Const),
            gimli::DW_TAG_volatile_type => alias(AliasKind::Volatile),
            gimli::DW_TAG_restrict_type => alias(AliasKind::Restrict),
            gimli::DW_TAG_atomic_type => alias(AliasKind::Atomic),
            gimli::DW_TAG_subroutine_type | gimli::DW_TAG_subprogram => {
                (self.function_type(&unit, &die), None)
            }
            _ => (TypeKind::Unknown, own_size),
        };
        let declaration = self.info.declaration(self, &unit, &die);
        Some(Type {
            name: name.map(Into::into),
            size,
            kind,
            declaration,
            notation: notation(unit.root),
        })
    }

    fn base(&self, die: &Die<'a>) -> TypeKind {
        let encoding = match die.attr_value(gimli::DW_AT_encoding) {
            Some(AttributeValue::Encoding(encoding)) => encoding,
            _ => return TypeKind::Unknown,
        };
        TypeKind::Base(match encoding {
            gimli::DW_ATE_boolean => BaseEncoding::Boolean,
            gimli::DW_ATE_float => BaseEncoding::Float,
            gimli::DW_ATE_signed => BaseEncoding::Signed,
            gimli::DW_ATE_signed_char => BaseEncoding::SignedChar,
            gimli::DW_ATE_unsigned | gimli::DW_ATE_address => BaseEncoding::Unsigned,
            gimli::DW_ATE_unsigned_char => BaseEncoding::UnsignedChar,
            gimli::DW_ATE_UTF | gimli::DW_ATE_UCS | gimli::DW_ATE_ASCII => BaseEncoding::Unicode,
            _ => return TypeKind::Unknown,
        })
    }

    fn record(&self, unit: &Rc<Unit<'a>>, die: &Die<'a>, kind: RecordKind) -> TypeKind {
        let mut record = Record {
            kind,
            bases: Vec::new(),
            members: Vec::new(),
            variant_part: None,
            is_declaration: die.attr_value(gimli::DW_AT_declaration).is_some(),
            type_arguments: Vec::new(),
        };
        for child in unit.children(unit.die_ref(die.offset()).offset) {
            match child.tag() {
                gimli::DW_TAG_member if !is_static(&child) => {
                    record.members.push(self.record_member(unit, &child))
                }
                gimli::DW_TAG_inheritance => {
                    let is_virtual = child.attr_value(gimli::DW_AT_virtuality).is_some_and(|value| {
                        matches!(value, AttributeValue::Virtuality(virtuality) if virtuality != gimli::DW_VIRTUALITY_none)
                    });
                    record.bases.push(Base {
                        type_ref: TypeRef::from_die(self.type_of(unit, &child)),
                        offset: if is_virtual {
                            None
                        } else {
                            Some(member_offset(unit, &child))
                        },
                    });
                }
                gimli::DW_TAG_template_type_parameter => {
                    let name = self.info.text(self.own_name(unit, &child)).into();
                    record
                        .type_arguments
                        .push((name, TypeRef::from_die(self.type_of(unit, &child))));
                }
                gimli::DW_TAG_variant_part => {
                    record.variant_part = Some(self.variant_part(unit, &child))
                }
                _ => {}
            }
        }
        TypeKind::Record(record)
    }

    fn record_member(&self, unit: &Rc<Unit<'a>>, die: &Die<'a>) -> Member {
        let name = self.own_name(unit, die);
        let number = |name| die.attr_value(name).and_then(|value| value.udata_value());
        let mut offset = member_offset(unit, die);
        let bits = number(gimli::DW_AT_bit_size).map(|size| {
            let shift = if let Some(bit) = number(gimli::DW_AT_data_bit_offset) {
                offset = bit / 8;
                bit % 8
            } else {
                // Before DWARF 4: counted from the highest bit of a storage unit.
                let storage = number(gimli::DW_AT_byte_size).unwrap_or(4);
                let above = number(gimli::DW_AT_bit_offset).unwrap_or(0);
                let shift = storage
                    .saturating_mul(8)
                    .saturating_sub(above)
                    .saturating_sub(size);
                offset = offset.saturating_add(shift / 8);
                shift % 8
            };
            let size = u32::try_from(size.min(128)).unwrap_or(128);
            BitField {
                offset: u32::try_from(shift).unwrap_or(0),
                size,
            }
        });
        Member {
            name: (!name.is_empty()).then(|| self.info.text(name).into()),
            type_ref: TypeRef::from_die(self.type_of(unit, die)),
            offset,
            bits,
            is_artificial: die.attr_value(gimli::DW_AT_artificial).is_some(),
        }
    }

    fn variant_part(&self, unit: &Rc<Unit<'a>>, die: &Die<'a>) -> VariantPart {
        let discriminant = die
            .attr_value(gimli::DW_AT_discr)
            .and_then(|value| self.reference(unit.number, &value))
            .and_then(|die_ref| self.die(die_ref))
            .map(|(unit, die)| self.record_member(&unit, &die));
        let mut variants = Vec::new();
        for variant in unit.children(unit.die_ref(die.offset()).offset) {
            if variant.tag() != gimli::DW_TAG_variant {
                continue;
            }
            let value = variant
                .attr(gimli::DW_AT_discr_value)
                .map(|value| value.raw_value());
            let children = unit.children(unit.die_ref(variant.offset()).offset);
            if let Some(member) = children
                .iter()
                .find(|child| child.tag() == gimli::DW_TAG_member)
            {
                variants.push(Variant {
                    discriminant: value
                        .and_then(|value| constant(&value))
                        .map(i128::cast_unsigned),
                    member: self.record_member(unit, member),
                });
            }
        }
        VariantPart {
            discriminant,
            variants,
        }
    }

    fn array(&self, unit: &Rc<Unit<'a>>, die: &Die<'a>) -> TypeKind {
        const DIMENSIONS_MAX: usize = 16;
        let mut counts: Vec<Option<u64>> = unit
            .children(unit.die_ref(die.offset()).offset)
            .iter()
            .filter(|child| child.tag() == gimli::DW_TAG_subrange_type)
            .take(DIMENSIONS_MAX)
            .map(element_count)
            .collect();
        let first = if counts.is_empty() {
            None
        } else {
            counts.remove(0)
        };
        let element = TypeRef::from_die(self.type_of(unit, die));
        // Several dimensions are arrays of arrays, the last one innermost.
        let element = counts.into_iter().rev().fold(element, |element, count| {
            self.info.make_type(MadeType::Array(element, count))
        });
        TypeKind::Array {
            element,
            count: first,
            is_vector: die.attr_value(gimli::DW_AT_GNU_vector) == Some(AttributeValue::Flag(true)),
        }
    }

    /// The variable that holds the number of elements of an array, or the last index.
    pub(crate) fn element_count_variable(&self, array: TypeRef) -> Option<(DieRef, bool)> {
        let TypeKey::Die(die_ref) = array.0 else {
            return None;
        };
        let unit = self.unit(die_ref.unit)?;
        let children = unit.children(die_ref.offset);
        let subrange = children
            .iter()
            .find(|child| child.tag() == gimli::DW_TAG_subrange_type)?;
        let variable = |name| self.reference(unit.number, &subrange.attr_value(name)?);
        let count = variable(gimli::DW_AT_count).map(|die| (die, false));
        count.or_else(|| variable(gimli::DW_AT_upper_bound).map(|die| (die, true)))
    }

    fn enumeration(&self, unit: &Rc<Unit<'a>>, die: &Die<'a>) -> TypeKind {
        let is_scoped = die.attr_value(gimli::DW_AT_enum_class).is_some() || unit.root.is_rust();
        let mut enumerators = Vec::new();
        let mut has_negative = false;
        for child in unit.children(unit.die_ref(die.offset()).offset) {
            if child.tag() != gimli::DW_TAG_enumerator {
                continue;
            }
            let value = child
                .attr(gimli::DW_AT_const_value)
                .map(|value| value.raw_value());
            let value = value.and_then(|value| constant(&value)).unwrap_or(0);
            has_negative |= value < 0;
            let name = self.info.text(self.own_name(unit, &child)).into();
            enumerators.push(Enumerator { name, value });
        }
        let is_signed = self
            .type_of(unit, die)
            .map_or(has_negative, |underlying| self.is_signed(underlying));
        let is_declaration = die.attr_value(gimli::DW_AT_declaration).is_some();
        TypeKind::Enumeration(Enumeration {
            enumerators,
            is_signed,
            is_scoped,
            is_declaration,
        })
    }

    /// Whether an enumeration's underlying type is signed.
    fn is_signed(&self, underlying: DieRef) -> bool {
        let mut die_ref = underlying;
        for _ in 0..REFERENCES_MAX {
            let Some((unit, die)) = self.die(die_ref) else {
                return false;
            };
            if die.tag() == gimli::DW_TAG_base_type {
                let encoding = self.base(&die);
                return matches!(
                    encoding,
                    TypeKind::Base(BaseEncoding::Signed | BaseEncoding::SignedChar)
                );
            }
            match self.type_of(&unit, &die) {
                Some(target) => die_ref = target,
                None => return false,
            }
        }
        false
    }

    /// The type of a function, also of one with code.
    pub(crate) fn function_type(&self, unit: &Rc<Unit<'a>>, die: &Die<'a>) -> TypeKind {
        let children = unit.children(unit.die_ref(die.offset()).offset);
        let parameters = children
            .iter()
            .filter(|child| child.tag() == gimli::DW_TAG_formal_parameter);
        TypeKind::Function(FunctionType {
            return_type: TypeRef::from_die(self.type_of(unit, die)),
            parameters: parameters
                .map(|child| TypeRef::from_die(self.type_of(unit, child)))
                .collect(),
            is_variadic: children
                .iter()
                .any(|child| child.tag() == gimli::DW_TAG_unspecified_parameters),
            is_prototyped: die.attr_value(gimli::DW_AT_prototyped).is_some()
                || notation(unit.root) != Notation::C,
        })
    }

    /// The value of an enumerator.
    pub(crate) fn enumerator(&self, die_ref: DieRef) -> Option<i128> {
        let (_, die) = self.die(die_ref)?;
        constant(&die.attr(gimli::DW_AT_const_value)?.raw_value())
    }
}

impl crate::DebugInfo {
    /// The value of an enumerator by its name, qualified or not.
    #[must_use]
    pub fn enumerator_named(&self, name: &str) -> Option<(TypeRef, i128)> {
        let reader = Reader::new(self);
        let die = *self.entries_named(NameKind::Enumerator, name).first()?;
        let index = self.unit_index(die.unit)?;
        // The enumeration is the last type that begins before its enumerator.
        let position = index
            .types
            .partition_point(|entry| entry.offset < die.offset)
            .checked_sub(1)?;
        let offset = index.types[position].offset;
        let type_ref = TypeRef(TypeKey::Die(DieRef {
            unit: die.unit,
            offset,
        }));
        Some((type_ref, reader.enumerator(die)?))
    }
}

fn notation(root: &UnitRoot) -> Notation {
    match root.language {
        Some(
            gimli::DW_LANG_C
            | gimli::DW_LANG_C89
            | gimli::DW_LANG_C99
            | gimli::DW_LANG_C11
            | gimli::DW_LANG_C17,
        ) => Notation::C,
        Some(gimli::DW_LANG_Rust) => Notation::Rust,
        _ => Notation::Cpp,
    }
}

/// Whether a member belongs to the class rather than to its objects.
fn is_static(die: &Die<'_>) -> bool {
    die.attr_value(gimli::DW_AT_external).is_some()
        || die.attr_value(gimli::DW_AT_declaration).is_some()
}

/// Byte offset of a member or base class.
fn member_offset(unit: &Unit<'_>, die: &Die<'_>) -> u64 {
    match die.attr_value(gimli::DW_AT_data_member_location) {
        Some(AttributeValue::Exprloc(expression)) => {
            let mut operations = expression.operations(unit.root.encoding);
            match operations.next() {
                Ok(Some(gimli::Operation::PlusConstant { value })) => value,
                Ok(Some(gimli::Operation::UnsignedConstant { value })) => value,
                _ => 0,
            }
        }
        Some(value) => value.udata_value().unwrap_or(0),
        None => 0,
    }
}

/// The number of elements of a dimension.
fn element_count(die: &Die<'_>) -> Option<u64> {
    if let Some(count) = die.attr_value(gimli::DW_AT_count) {
        return count.udata_value();
    }
    let upper = die
        .attr(gimli::DW_AT_upper_bound)
        .and_then(|value| constant(&value.raw_value()))?;
    let lower = die
        .attr(gimli::DW_AT_lower_bound)
        .and_then(|value| constant(&value.raw_value()))
        .unwrap_or(0);
    // Old compilers write an upper bound of -1, unsigned, for an array of unknown length.
    let is_open = upper == i128::from(u32::MAX) || upper == i128::from(u64::MAX);
    if is_open {
        None
    } else {
        u64::try_from(upper - lower + 1).ok()
    }
}

/// A constant. Forms that do not say whether they are signed count as unsigned.
fn constant(value: &Attribute<'_>) -> Option<i128> {
    match *value {
        AttributeValue::Sdata(value) => Some(i128::from(value)),
        AttributeValue::Data16(value) => Some(value.cast_signed()),
        ref value => value.udata_value().map(i128::from),
    }
}

//! A plain model of the program's types.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::handles::Handle;
use crate::info::{DebugInfo, DieRef};
use crate::lines::SourceLocation;
use crate::names::NameKind;
use crate::reader::{REFERENCES_MAX, Reader};

/// Names a type; resolve it with [`DebugInfo::type_of`]. Types refer to each other by these,
/// so that a recursive type is finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TypeRef(pub(crate) TypeKey);

/// Where a type comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TypeKey {
    Void,
    Die(DieRef),
    Made(u32),
}

impl TypeRef {
    /// The type of nothing.
    pub const VOID: TypeRef = TypeRef(TypeKey::Void);

    /// The type of an entry; an entry without a type has none to offer.
    pub(crate) fn from_die(die: Option<DieRef>) -> TypeRef {
        TypeRef(die.map_or(TypeKey::Void, TypeKey::Die))
    }
}

/// A type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Type {
    /// The qualified name, for types that have one: without `struct`, `union` or `enum`.
    pub name: Option<Arc<str>>,
    /// Size in bytes, where the type itself says so.
    pub size: Option<u64>,
    /// What kind of type it is.
    pub kind: TypeKind,
    /// Where the source declares it.
    pub declaration: Option<SourceLocation>,
    /// How the type is to be written.
    pub notation: Notation,
}

/// How types are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Notation {
    /// As C does, with the keywords `struct`, `union` and `enum`.
    C,
    /// As C++ does. Languages that are not known are written like this as well.
    Cpp,
    /// As Rust does.
    Rust,
}

/// What kind of type a [`Type`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeKind {
    /// No value.
    Void,
    /// An integer, a character, a boolean or a floating-point number.
    Base(BaseEncoding),
    /// A pointer or a reference.
    Pointer {
        /// What it points to.
        target: TypeRef,
        /// How it is written.
        kind: PointerKind,
    },
    /// A struct, class or union.
    Record(Record),
    /// An array; several dimensions are arrays of arrays.
    Array {
        /// The type of an element.
        element: TypeRef,
        /// The number of elements; `None` when unknown.
        count: Option<u64>,
        /// Whether it is a vector: a value of its own, which does not decay to a pointer.
        is_vector: bool,
    },
    /// An enumeration without data.
    Enumeration(Enumeration),
    /// Another name for a type, or a qualifier on it.
    Alias {
        /// Which.
        kind: AliasKind,
        /// The type it stands for.
        target: TypeRef,
    },
    /// A function.
    Function(FunctionType),
    /// A reference of the machine.
    Handle,
    /// A type that the debug info leaves open or describes in a way that cannot be read.
    Unknown,
}

/// How the bytes of a base type are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BaseEncoding {
    /// A two's complement integer.
    Signed,
    /// An unsigned integer.
    Unsigned,
    /// `char` where it is signed.
    SignedChar,
    /// `char` where it is unsigned.
    UnsignedChar,
    /// A Unicode code unit or scalar: `char8_t`, `char16_t`, `char32_t`, Rust's `char`.
    Unicode,
    /// A truth value.
    Boolean,
    /// A floating-point number.
    Float,
}

/// How a pointer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PointerKind {
    /// `T *`
    Pointer,
    /// `T &`
    Reference,
    /// `T &&`
    RvalueReference,
}

/// Which kind of other name or qualifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AliasKind {
    /// `typedef`
    Typedef,
    /// `const`
    Const,
    /// `volatile`
    Volatile,
    /// `restrict`
    Restrict,
    /// `_Atomic`
    Atomic,
}

/// Which keyword introduces a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// `struct`
    Struct,
    /// `class`
    Class,
    /// `union`
    Union,
}

/// A struct, class or union.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its keyword.
    pub kind: RecordKind,
    /// Base classes.
    pub bases: Vec<Base>,
    /// Data members in the order of their declaration.
    pub members: Vec<Member>,
    /// The variants of a Rust `enum` with data.
    pub variant_part: Option<VariantPart>,
    /// Whether only its declaration is known, in all of the debug info.
    pub is_declaration: bool,
    /// The template or generic arguments that are types, with their parameters' names.
    pub type_arguments: Vec<(Arc<str>, TypeRef)>,
}

/// A base class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The class.
    pub type_ref: TypeRef,
    /// Byte offset in the derived class; `None` for a virtual base, whose offset depends on
    /// the object.
    pub offset: Option<u64>,
}

/// A data member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The name; `None` for an anonymous struct or union, whose members count as the outer
    /// record's.
    pub name: Option<Arc<str>>,
    /// The member's type.
    pub type_ref: TypeRef,
    /// Byte offset in the record.
    pub offset: u64,
    /// Which bits, if it is a bit field.
    pub bits: Option<BitField>,
    /// Whether the compiler made it up, as a pointer to a table of virtual functions.
    pub is_artificial: bool,
}

/// The bits of a bit field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BitField {
    /// Offset of the lowest bit from the lowest bit of the byte at the member's offset.
    pub offset: u32,
    /// Number of bits.
    pub size: u32,
}

/// The part of a record that depends on a discriminant (a Rust `enum`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariantPart {
    /// Where the discriminant lies; `None` when there is only one variant.
    pub discriminant: Option<Member>,
    /// The variants.
    pub variants: Vec<Variant>,
}

/// One variant of a [`VariantPart`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// The discriminant that selects it; `None` for the one that all other values select.
    pub discriminant: Option<u128>,
    /// The variant's data, a member named like the variant.
    pub member: Member,
}

/// An enumeration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enumeration {
    /// Its values with their names.
    pub enumerators: Vec<Enumerator>,
    /// Whether the underlying integer is signed.
    pub is_signed: bool,
    /// Whether the names are written qualified (`enum class`, Rust).
    pub is_scoped: bool,
    /// Whether only its declaration is known.
    pub is_declaration: bool,
}

/// A name for a value of an enumeration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enumerator {
    /// The name, unqualified.
    pub name: Arc<str>,
    /// The value.
    pub value: i128,
}

/// The type of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionType {
    /// What it returns.
    pub return_type: TypeRef,
    /// The types of its parameters.
    pub parameters: Vec<TypeRef>,
    /// Whether more arguments may follow.
    pub is_variadic: bool,
    /// Whether the parameters are declared at all (a C prototype).
    pub is_prototyped: bool,
}

/// The types read or made so far.
#[derive(Debug, Default)]
pub(crate) struct TypeTable {
    read: Mutex<HashMap<DieRef, Arc<Type>>>,
    made: Mutex<MadeTypes>,
    definitions: Mutex<HashMap<DieRef, Option<DieRef>>>,
}

/// Types that no entry describes.
#[derive(Debug, Default)]
struct MadeTypes {
    types: Vec<Arc<Type>>,
    numbers: HashMap<MadeType, u32>,
}

/// What a made type is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum MadeType {
    Pointer(TypeRef),
    Array(TypeRef, Option<u64>),
    Vector(TypeRef, u64),
    Base(BaseEncoding, u64),
    Handle(Arc<str>),
}

impl DebugInfo {
    /// The type behind a reference. A type that cannot be read is [`TypeKind::Unknown`].
    #[must_use]
    pub fn type_of(&self, type_ref: TypeRef) -> Arc<Type> {
        match type_ref.0 {
            TypeKey::Void => Arc::new(Type::plain(TypeKind::Void, None, None)),
            TypeKey::Made(number) => {
                let made = self
                    .types
                    .made
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                made.types
                    .get(number as usize)
                    .cloned()
                    .unwrap_or_else(|| Arc::new(Type::unknown()))
            }
            TypeKey::Die(die) => {
                let known = self
                    .types
                    .read
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .get(&die)
                    .cloned();
                known.unwrap_or_else(|| {
                    // Read without the lock: the dimensions of an array make types of their own.
                    let read = Reader::new(self)
                        .read_type(die)
                        .unwrap_or_else(Type::unknown);
                    let mut table = self
                        .types
                        .read
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner);
                    table.entry(die).or_insert_with(|| Arc::new(read)).clone()
                })
            }
        }
    }

    /// The type behind all typedefs and qualifiers; a declaration is replaced by its
    /// definition where one is known.
    #[must_use]
    pub fn resolve(&self, type_ref: TypeRef) -> TypeRef {
        let mut type_ref = type_ref;
        for _ in 0..REFERENCES_MAX {
            let found = self.type_of(type_ref);
            let is_declaration = match &found.kind {
                TypeKind::Alias { target, .. } => {
                    type_ref = *target;
                    continue;
                }
                TypeKind::Record(record) => record.is_declaration,
                TypeKind::Enumeration(enumeration) => enumeration.is_declaration,
                _ => false,
            };
            return match type_ref.0 {
                TypeKey::Die(die) if is_declaration => self
                    .definition(die)
                    .map_or(type_ref, |die| TypeRef(TypeKey::Die(die))),
                _ => type_ref,
            };
        }
        type_ref
    }

    /// Size in bytes; `None` for incomplete types.
    #[must_use]
    pub fn size_of(&self, type_ref: TypeRef) -> Option<u64> {
        let mut type_ref = type_ref;
        let mut factor = 1u64;
        for _ in 0..REFERENCES_MAX {
            let found = self.type_of(self.resolve(type_ref));
            match found.kind {
                TypeKind::Array { element, count, .. } => {
                    if let Some(size) = found.size {
                        return size.checked_mul(factor);
                    }
                    factor = factor.checked_mul(count?)?;
                    type_ref = element;
                }
                _ => return found.size?.checked_mul(factor),
            }
        }
        None
    }

    /// The pointer type to a type.
    #[must_use]
    pub fn pointer_to(&self, target: TypeRef) -> TypeRef {
        self.make_type(MadeType::Pointer(target))
    }

    /// The array type with this many elements of a type.
    #[must_use]
    pub fn array_of(&self, element: TypeRef, count: u64) -> TypeRef {
        self.make_type(MadeType::Array(element, Some(count)))
    }

    /// The vector type with this many lanes of a type.
    #[must_use]
    pub fn vector_of(&self, lane: TypeRef, count: u64) -> TypeRef {
        self.make_type(MadeType::Vector(lane, count))
    }

    /// A base type, taken by C's name for it; for values that come from the machine rather
    /// than from the program. `size` is in bytes.
    #[must_use]
    pub fn base_type(&self, encoding: BaseEncoding, size: u64) -> TypeRef {
        self.make_type(MadeType::Base(encoding, size))
    }

    /// The type of references of the machine that is written so: `(ref null $point)`.
    #[must_use]
    pub fn handle_type(&self, name: &str) -> TypeRef {
        self.make_type(MadeType::Handle(name.into()))
    }

    /// The size of addresses in bytes: 8 for 64-bit memories.
    #[must_use]
    pub fn address_size(&self) -> u8 {
        self.unit_root(0)
            .map_or(4, |root| root.encoding.address_size)
    }

    /// The type of this making, each once.
    pub(crate) fn make_type(&self, what: MadeType) -> TypeRef {
        let address_size = u64::from(self.address_size());
        let mut made = self
            .types
            .made
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = made.numbers.get(&what) {
            return TypeRef(TypeKey::Made(*number));
        }
        let number = u32::try_from(made.types.len()).unwrap_or(u32::MAX);
        made.numbers.insert(what.clone(), number);
        made.types.push(Arc::new(match what {
            MadeType::Pointer(target) => Type::plain(
                TypeKind::Pointer {
                    target,
                    kind: PointerKind::Pointer,
                },
                None,
                Some(address_size),
            ),
            MadeType::Array(element, count) => Type::plain(
                TypeKind::Array {
                    element,
                    count,
                    is_vector: false,
                },
                None,
                None,
            ),
            MadeType::Vector(element, count) => Type::plain(
                TypeKind::Array {
                    element,
                    count: Some(count),
                    is_vector: true,
                },
                None,
                None,
            ),
            MadeType::Base(encoding, size) => Type::plain(
                TypeKind::Base(encoding),
                Some(c_name(encoding, size)),
                Some(size),
            ),
            MadeType::Handle(name) => Type::plain(
                TypeKind::Handle,
                Some(&name),
                Some(size_of::<Handle>() as u64),
            ),
        }));
        TypeRef(TypeKey::Made(number))
    }

    /// The definition of a type that is only declared at `declaration`.
    fn definition(&self, declaration: DieRef) -> Option<DieRef> {
        let definitions = &self.types.definitions;
        if let Some(known) = definitions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&declaration)
        {
            return *known;
        }
        let find = || {
            let name = self.qualified_name(NameKind::Type, declaration)?;
            let tag = self.type_entry_tag(declaration)?;
            self.entries_named(NameKind::Type, &name)
                .into_iter()
                .find(|die| {
                    let entry = self
                        .unit_index(die.unit)
                        .and_then(|index| index.type_entry(die.offset));
                    entry.is_some_and(|entry| !entry.is_declaration && is_same_kind(entry.tag, tag))
                        && self.qualified_name(NameKind::Type, *die).as_deref() == Some(&name)
                })
        };
        let definition = find();
        definitions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(declaration, definition);
        definition
    }

    fn type_entry_tag(&self, die: DieRef) -> Option<gimli::DwTag> {
        Some(self.unit_index(die.unit)?.type_entry(die.offset)?.tag)
    }
}

impl Type {
    /// A type that no entry describes.
    fn plain(kind: TypeKind, name: Option<&str>, size: Option<u64>) -> Type {
        Type {
            name: name.map(Into::into),
            size,
            kind,
            declaration: None,
            notation: Notation::C,
        }
    }

    fn unknown() -> Type {
        Type::plain(TypeKind::Unknown, None, None)
    }
}

/// Whether two kinds of entries may declare and define the same type: C++ lets `struct` and
/// `class` do.
fn is_same_kind(a: gimli::DwTag, b: gimli::DwTag) -> bool {
    let class = |tag| {
        if tag == gimli::DW_TAG_class_type {
            gimli::DW_TAG_structure_type
        } else {
            tag
        }
    };
    class(a) == class(b)
}

/// C's name for a base type of wasm's data model.
fn c_name(encoding: BaseEncoding, size: u64) -> &'static str {
    match (encoding, size) {
        (BaseEncoding::Signed, 1) => "signed char",
        (BaseEncoding::Unsigned | BaseEncoding::UnsignedChar, 1) => "unsigned char",
        (BaseEncoding::Signed, 2) => "short",
        (BaseEncoding::Unsigned, 2) => "unsigned short",
        (BaseEncoding::Signed, 4) => "int",
        (BaseEncoding::Unsigned, 4) => "unsigned int",
        (BaseEncoding::Signed, 8) => "long long",
        (BaseEncoding::Unsigned, 8) => "unsigned long long",
        (BaseEncoding::Signed, _) => "__int128",
        (BaseEncoding::Unsigned, _) => "unsigned __int128",
        (BaseEncoding::SignedChar | BaseEncoding::UnsignedChar, _) => "char",
        (BaseEncoding::Unicode, 1) => "char8_t",
        (BaseEncoding::Unicode, 2) => "char16_t",
        (BaseEncoding::Unicode, _) => "char32_t",
        (BaseEncoding::Boolean, _) => "bool",
        (BaseEncoding::Float, 4) => "float",
        (BaseEncoding::Float, 8) => "double",
        (BaseEncoding::Float, _) => "long double",
    }
}

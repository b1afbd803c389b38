//! A plain model of the program's types.

use std::sync::Arc;

use crate::info::{DebugInfo, DieRef};
use crate::lines::SourceLocation;

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
    /// Whether it comes from Rust, whose types are printed as Rust writes them.
    pub is_rust: bool,
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

impl DebugInfo {
    /// The type behind a reference. A type that cannot be read is [`TypeKind::Unknown`].
    #[must_use]
    pub fn type_of(&self, type_ref: TypeRef) -> Arc<Type> {
        todo!("{type_ref:?}")
    }

    /// The type behind all typedefs and qualifiers; a declaration is replaced by its
    /// definition where one is known.
    #[must_use]
    pub fn resolve(&self, type_ref: TypeRef) -> TypeRef {
        todo!("{type_ref:?}")
    }

    /// Size in bytes; `None` for incomplete types.
    #[must_use]
    pub fn size_of(&self, type_ref: TypeRef) -> Option<u64> {
        todo!("{type_ref:?}")
    }

    /// The type as source code writes it: `char *`, `int [4]`, `struct node *`,
    /// `void (*)(int)`, `alloc::vec::Vec<u8>`.
    #[must_use]
    pub fn type_name(&self, type_ref: TypeRef) -> String {
        todo!("{type_ref:?}")
    }

    /// A declaration of `name` with the type: `char *name`, `int name[4]`.
    #[must_use]
    pub fn type_declaration(&self, type_ref: TypeRef, name: &str) -> String {
        todo!("{type_ref:?}{name}")
    }

    /// The type spelled out, typedefs resolved and members listed, as gdb's `ptype` does.
    #[must_use]
    pub fn type_definition(&self, type_ref: TypeRef) -> String {
        todo!("{type_ref:?}")
    }

    /// The type a name stands for, as in a cast: `int`, `unsigned char`, `struct foo`,
    /// `size_t`, `ns::Class`, each with any number of `*` after it. C's base types, `u8` to
    /// `i64`, `f32` and `f64` are known without debug info. Types of the unit that holds
    /// `near` win over those of other units.
    #[must_use]
    pub fn type_named(&self, name: &str, near: Option<crate::CodeOffset>) -> Option<TypeRef> {
        todo!("{name}{near:?}")
    }

    /// The pointer type to a type.
    #[must_use]
    pub fn pointer_to(&self, target: TypeRef) -> TypeRef {
        todo!("{target:?}")
    }

    /// The array type with this many elements of a type.
    #[must_use]
    pub fn array_of(&self, element: TypeRef, count: u64) -> TypeRef {
        todo!("{element:?}{count}")
    }

    /// A base type, taken by C's name for it; for values that come from the machine rather
    /// than from the program. `size` is in bytes.
    #[must_use]
    pub fn base_type(&self, encoding: BaseEncoding, size: u64) -> TypeRef {
        todo!("{encoding:?}{size}")
    }
}

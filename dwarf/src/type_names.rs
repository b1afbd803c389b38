//! Types as source code writes them.

use std::cell::Cell;
use std::fmt::Write as _;

use crate::info::DebugInfo;
use crate::types::{
    AliasKind, Enumeration, FunctionType, Notation, PointerKind, Record, RecordKind, Type,
    TypeKind, TypeRef,
};

/// How deep declarators may nest before a type is cut short.
const DEPTH_MAX: usize = 32;

impl DebugInfo {
    /// The type as source code writes it: `char *`, `int [4]`, `struct node *`,
    /// `void (*)(int)`, `alloc::vec::Vec<u8>`.
    #[must_use]
    pub fn type_name(&self, type_ref: TypeRef) -> String {
        Writer::new(self).declare(type_ref, String::new(), DEPTH_MAX)
    }

    /// A declaration of `name` with the type: `char *name`, `int name[4]`.
    #[must_use]
    pub fn type_declaration(&self, type_ref: TypeRef, name: &str) -> String {
        if self.type_of(type_ref).notation == Notation::Rust {
            return format!("{name}: {}", self.type_name(type_ref));
        }
        Writer::new(self).declare(type_ref, name.to_owned(), DEPTH_MAX)
    }

    /// The type spelled out, typedefs resolved and members listed, as gdb's `ptype` does.
    #[must_use]
    pub fn type_definition(&self, type_ref: TypeRef) -> String {
        Writer::new(self).define(type_ref, String::new(), DEPTH_MAX)
    }
}

/// Writes one type.
struct Writer<'a> {
    info: &'a DebugInfo,
    /// How many more types may be written: malformed types may refer to each other so that
    /// their text would grow without end.
    types_left: Cell<usize>,
}

impl<'a> Writer<'a> {
    /// The most types visited for one text.
    const TYPES_MAX: usize = 4096;

    fn new(info: &'a DebugInfo) -> Self {
        Writer {
            info,
            types_left: Cell::new(Self::TYPES_MAX),
        }
    }

    /// Whether one more type may be written.
    fn takes_one(&self, depth: usize) -> bool {
        let left = self.types_left.get();
        self.types_left.set(left.saturating_sub(1));
        depth > 0 && left > 0
    }

    /// Writes the type around a declarator.
    fn declare(&self, type_ref: TypeRef, declarator: String, depth: usize) -> String {
        if !self.takes_one(depth) {
            return "...".to_owned();
        }
        let found = self.info.type_of(type_ref);
        let named = found.notation == Notation::Rust && found.name.is_some();
        match &found.kind {
            _ if named => spaced(&base_name(&found), &declarator),
            TypeKind::Pointer { target, .. } if found.notation == Notation::Rust => {
                let pointer = format!("*const {}", self.declare(*target, String::new(), depth - 1));
                spaced(&pointer, &declarator)
            }
            TypeKind::Pointer { target, kind } => self.declare(
                *target,
                self.pointer_declarator(*target, *kind, &declarator),
                depth - 1,
            ),
            TypeKind::Array {
                element,
                count: Some(count),
                is_vector: true,
            } => {
                let lane = self.declare(*element, String::new(), depth - 1);
                spaced(
                    &format!("{lane} __attribute__ ((vector_size({count})))"),
                    &declarator,
                )
            }
            TypeKind::Array { element, count, .. } => {
                if self.info.type_of(*element).notation == Notation::Rust {
                    let element = self.declare(*element, String::new(), depth - 1);
                    let count = count.map_or(String::new(), |count| format!("; {count}"));
                    return spaced(&format!("[{element}{count}]"), &declarator);
                }
                self.declare(*element, array_declarator(&declarator, *count), depth - 1)
            }
            TypeKind::Function(function) => {
                let declarator = format!("{declarator}({})", self.parameters(function, depth));
                self.declare(function.return_type, declarator, depth - 1)
            }
            TypeKind::Alias { kind, target } => match qualifier(*kind) {
                None => spaced(&base_name(&found), &declarator),
                Some(word) if self.is_pointer(*target) => {
                    self.declare(*target, spaced(word, &declarator), depth - 1)
                }
                Some(word) => format!("{word} {}", self.declare(*target, declarator, depth - 1)),
            },
            _ => spaced(&base_name(&found), &declarator),
        }
    }

    /// Writes the definition of the type around a declarator.
    fn define(&self, type_ref: TypeRef, declarator: String, depth: usize) -> String {
        if !self.takes_one(depth) {
            return "...".to_owned();
        }
        let found = self.info.type_of(type_ref);
        match &found.kind {
            TypeKind::Alias { kind, target } => match qualifier(*kind) {
                None => self.define(*target, declarator, depth - 1),
                Some(word) if self.is_pointer(*target) => {
                    self.define(*target, spaced(word, &declarator), depth - 1)
                }
                Some(word) => format!("{word} {}", self.define(*target, declarator, depth - 1)),
            },
            TypeKind::Pointer { target, kind } if found.notation != Notation::Rust => self.define(
                *target,
                self.pointer_declarator(*target, *kind, &declarator),
                depth - 1,
            ),
            TypeKind::Array {
                is_vector: true, ..
            } => self.declare(type_ref, declarator, depth),
            TypeKind::Array { element, count, .. } if found.notation != Notation::Rust => {
                self.define(*element, array_declarator(&declarator, *count), depth - 1)
            }
            TypeKind::Function(function) if found.notation != Notation::Rust => {
                let declarator = format!("{declarator}({})", self.parameters(function, depth));
                self.define(function.return_type, declarator, depth - 1)
            }
            TypeKind::Record(_) | TypeKind::Enumeration(_) => {
                let resolved = self.info.type_of(self.info.resolve(type_ref));
                match &resolved.kind {
                    TypeKind::Record(record) => spaced(
                        &self.record_definition(&resolved, record, depth),
                        &declarator,
                    ),
                    TypeKind::Enumeration(enumeration) => {
                        spaced(&enumeration_definition(&resolved, enumeration), &declarator)
                    }
                    _ => self.declare(type_ref, declarator, depth),
                }
            }
            _ => self.declare(type_ref, declarator, depth),
        }
    }

    fn record_definition(&self, found: &Type, record: &Record, depth: usize) -> String {
        let mut text = match found.notation {
            _ if found.name.is_none() => keyword(record.kind).to_owned(),
            Notation::C => base_name(found),
            Notation::Rust if record.variant_part.is_some() => spaced("enum", &base_name(found)),
            _ => spaced(
                keyword(record.kind),
                found.name.as_deref().unwrap_or_default(),
            ),
        };
        if record.is_declaration {
            return text + " {\n    <incomplete type>\n}";
        }
        for (position, base) in record.bases.iter().enumerate() {
            text += if position == 0 { " : " } else { ", " };
            text += &self.declare(base.type_ref, String::new(), depth - 1);
        }
        text += " {\n";
        let is_rust = found.notation == Notation::Rust;
        for member in record.members.iter().filter(|member| !member.is_artificial) {
            let declaration = match &member.name {
                Some(name) if is_rust => format!(
                    "{name}: {}",
                    self.declare(member.type_ref, String::new(), depth - 1)
                ),
                // A type without a name is not declared anywhere else.
                Some(name) if self.is_anonymous(member.type_ref) => {
                    indented(&self.define(member.type_ref, name.to_string(), depth - 1))
                }
                Some(name) => self.declare(member.type_ref, name.to_string(), depth - 1),
                None => indented(&self.define(member.type_ref, String::new(), depth - 1)),
            };
            text += "    ";
            text += &declaration;
            if let Some(bits) = member.bits {
                let _ = write!(text, " : {}", bits.size);
            }
            text += if is_rust { ",\n" } else { ";\n" };
        }
        for variant in record.variant_part.iter().flat_map(|part| &part.variants) {
            let name = variant.member.name.as_deref().unwrap_or("_");
            let _ = writeln!(
                text,
                "    {name}{},",
                self.variant_fields(variant.member.type_ref, depth)
            );
        }
        text + "}"
    }

    /// The fields of a variant as Rust declares them.
    fn variant_fields(&self, variant: TypeRef, depth: usize) -> String {
        let found = self.info.type_of(self.info.resolve(variant));
        let TypeKind::Record(record) = &found.kind else {
            return String::new();
        };
        if record.members.is_empty() {
            return String::new();
        }
        let is_tuple = record.members.iter().all(|member| {
            member
                .name
                .as_deref()
                .is_some_and(|name| name.starts_with("__"))
        });
        let fields: Vec<String> = record
            .members
            .iter()
            .map(|member| match &member.name {
                Some(name) if !is_tuple => format!(
                    "{name}: {}",
                    self.declare(member.type_ref, String::new(), depth - 1)
                ),
                _ => self.declare(member.type_ref, String::new(), depth - 1),
            })
            .collect();
        if is_tuple {
            format!("({})", fields.join(", "))
        } else {
            format!(" {{ {} }}", fields.join(", "))
        }
    }

    fn pointer_declarator(&self, target: TypeRef, kind: PointerKind, declarator: &str) -> String {
        let symbol = match kind {
            PointerKind::Pointer => "*",
            PointerKind::Reference => "&",
            PointerKind::RvalueReference => "&&",
        };
        match self.info.type_of(target).kind {
            TypeKind::Array {
                is_vector: false, ..
            }
            | TypeKind::Function(_) => format!("({symbol}{declarator})"),
            _ => format!("{symbol}{declarator}"),
        }
    }

    fn parameters(&self, function: &FunctionType, depth: usize) -> String {
        let mut parameters: Vec<String> = function
            .parameters
            .iter()
            .map(|parameter| self.declare(*parameter, String::new(), depth - 1))
            .collect();
        if function.is_variadic && function.is_prototyped {
            parameters.push("...".to_owned());
        }
        if parameters.is_empty() && function.is_prototyped {
            parameters.push("void".to_owned());
        }
        parameters.join(", ")
    }

    fn is_anonymous(&self, type_ref: TypeRef) -> bool {
        let found = self.info.type_of(type_ref);
        found.name.is_none() && matches!(found.kind, TypeKind::Record(_) | TypeKind::Enumeration(_))
    }

    fn is_pointer(&self, type_ref: TypeRef) -> bool {
        matches!(self.info.type_of(type_ref).kind, TypeKind::Pointer { .. })
    }
}

fn qualifier(kind: AliasKind) -> Option<&'static str> {
    match kind {
        AliasKind::Typedef => None,
        AliasKind::Const => Some("const"),
        AliasKind::Volatile => Some("volatile"),
        AliasKind::Restrict => Some("restrict"),
        AliasKind::Atomic => Some("_Atomic"),
    }
}

fn keyword(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Struct => "struct",
        RecordKind::Class => "class",
        RecordKind::Union => "union",
    }
}

/// The name of a type that is no declarator.
fn base_name(found: &Type) -> String {
    let word = match &found.kind {
        TypeKind::Void => return "void".to_owned(),
        TypeKind::Record(record) => keyword(record.kind),
        TypeKind::Enumeration(_) => "enum",
        _ => "",
    };
    match &found.name {
        Some(name) if found.notation == Notation::C && !word.is_empty() => format!("{word} {name}"),
        Some(name) => name.to_string(),
        None if word.is_empty() => "<unknown type>".to_owned(),
        None => format!("{word} {{...}}"),
    }
}

fn enumeration_definition(found: &Type, enumeration: &Enumeration) -> String {
    let name = found.name.as_deref().unwrap_or_default();
    let mut text = spaced(
        if enumeration.is_scoped && found.notation == Notation::Cpp {
            "enum class"
        } else {
            "enum"
        },
        name,
    );
    text += " {";
    let mut expected = 0;
    for (position, enumerator) in enumeration.enumerators.iter().enumerate() {
        if position > 0 {
            text += ", ";
        }
        text += &enumerator.name;
        if enumerator.value != expected {
            let _ = write!(text, " = {}", enumerator.value);
        }
        expected = enumerator.value.wrapping_add(1);
    }
    text + "}"
}

fn array_declarator(declarator: &str, count: Option<u64>) -> String {
    match count {
        Some(count) => format!("{declarator}[{count}]"),
        None => format!("{declarator}[]"),
    }
}

/// Both words with a space between them, if there are two.
fn spaced(left: &str, right: &str) -> String {
    if left.is_empty() || right.is_empty() {
        format!("{left}{right}")
    } else {
        format!("{left} {right}")
    }
}

/// The lines after the first moved to the right.
fn indented(text: &str) -> String {
    text.replace('\n', "\n    ")
}

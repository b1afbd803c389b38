//! Types by their names, as in a cast.

use crate::address::CodeOffset;
use crate::info::{DebugInfo, DieRef};
use crate::names::NameKind;
use crate::types::{BaseEncoding, TypeKey, TypeRef};

impl DebugInfo {
    /// The type a name stands for, as in a cast: `int`, `unsigned char`, `struct foo`,
    /// `size_t`, `ns::Class`, with any number of `*` and `[N]` after it. C's base types, `u8`
    /// to `i128`, `f32` and `f64` are known without debug info. Types of the unit that holds
    /// `near` win over those of other units.
    #[must_use]
    pub fn type_named(&self, name: &str, near: Option<CodeOffset>) -> Option<TypeRef> {
        const DECLARATORS_MAX: usize = 16;
        let mut name = name.trim();
        let mut declarators = Vec::new();
        while declarators.len() <= DECLARATORS_MAX {
            if let Some(rest) = name.strip_suffix('*') {
                declarators.push(None);
                name = rest.trim_end();
            } else if let Some(rest) = name.strip_suffix(']') {
                let (rest, count) = rest.rsplit_once('[')?;
                declarators.push(Some(count.trim().parse().ok()?));
                name = rest.trim_end();
            } else if let Some(rest) =
                strip_word(name, "const").or_else(|| strip_word(name, "volatile"))
            {
                name = rest;
            } else {
                let unit = near.and_then(|near| self.unit_at(near.0));
                let base = self.plain_type_named(name, unit)?;
                return Some(
                    declarators
                        .iter()
                        .rev()
                        .fold(base, |target, count| match count {
                            None => self.pointer_to(target),
                            Some(count) => self.array_of(target, *count),
                        }),
                );
            }
        }
        None
    }

    fn plain_type_named(&self, name: &str, unit: Option<u32>) -> Option<TypeRef> {
        let (word, rest) = name.split_once(char::is_whitespace).unwrap_or(("", name));
        let (tags, plain): (&[gimli::DwTag], &str) = match word {
            "struct" | "class" => (
                &[gimli::DW_TAG_structure_type, gimli::DW_TAG_class_type],
                rest.trim(),
            ),
            "union" => (&[gimli::DW_TAG_union_type], rest.trim()),
            "enum" => (&[gimli::DW_TAG_enumeration_type], rest.trim()),
            _ => (&[], name),
        };
        if tags.is_empty() {
            if plain == "void" {
                return Some(TypeRef::VOID);
            }
            if let Some((encoding, size)) = c_base_type(plain, u64::from(self.address_size())) {
                return Some(self.base_type(encoding, size));
            }
        }
        let found = self
            .entries_named(NameKind::Type, plain)
            .into_iter()
            .filter_map(|die| {
                let entry = self.unit_index(die.unit)?.type_entry(die.offset)?;
                let is_wanted = tags.is_empty() || tags.contains(&entry.tag);
                is_wanted.then_some((entry.is_declaration, Some(die.unit) != unit, die))
            });
        let best: Option<DieRef> = found.min().map(|(_, _, die)| die);
        best.map(|die| TypeRef(TypeKey::Die(die))).or_else(|| {
            let (encoding, size) = rust_base_type(plain, u64::from(self.address_size()))?;
            Some(self.base_type(encoding, size))
        })
    }
}

/// A name without a qualifier before or after it.
fn strip_word<'a>(name: &'a str, word: &str) -> Option<&'a str> {
    let after = name
        .strip_prefix(word)
        .filter(|rest| rest.starts_with(char::is_whitespace));
    let before = || {
        name.strip_suffix(word)
            .filter(|rest| rest.ends_with(|end: char| end.is_whitespace() || end == '*'))
    };
    after.or_else(before).map(str::trim)
}

/// A base type of C by any spelling of its name.
fn c_base_type(name: &str, long_bytes: u64) -> Option<(BaseEncoding, u64)> {
    let (mut signed, mut unsigned, mut short, mut long, mut int) = (false, false, false, 0, false);
    let mut base = None;
    for word in name.split_whitespace() {
        match word {
            "signed" => signed = true,
            "unsigned" => unsigned = true,
            "short" => short = true,
            "long" => long += 1,
            "int" => int = true,
            "char" | "float" | "double" | "bool" | "_Bool" | "__int128" if base.is_none() => {
                base = Some(word)
            }
            _ => return None,
        }
    }
    if !(signed || unsigned || short || int || long > 0 || base.is_some()) {
        return None;
    }
    let integer = if unsigned {
        BaseEncoding::Unsigned
    } else {
        BaseEncoding::Signed
    };
    Some(match base {
        Some("char") if unsigned => (BaseEncoding::UnsignedChar, 1),
        Some("char") if signed => (BaseEncoding::SignedChar, 1),
        // Plain `char` is signed in wasm's C.
        Some("char") => (BaseEncoding::SignedChar, 1),
        Some("float") => (BaseEncoding::Float, 4),
        Some("double") => (BaseEncoding::Float, if long > 0 { 16 } else { 8 }),
        Some("__int128") => (integer, 16),
        Some(_) => (BaseEncoding::Boolean, 1),
        None if short => (integer, 2),
        None if long == 1 => (integer, long_bytes),
        None if long > 1 => (integer, 8),
        None => (integer, 4),
    })
}

/// A base type of Rust.
fn rust_base_type(name: &str, pointer_bytes: u64) -> Option<(BaseEncoding, u64)> {
    let bytes = |bits: &str| match bits {
        "8" => Some(1),
        "16" => Some(2),
        "32" => Some(4),
        "64" => Some(8),
        "128" => Some(16),
        "size" => Some(pointer_bytes),
        _ => None,
    };
    match name.split_at_checked(1)? {
        ("u", bits) => Some((BaseEncoding::Unsigned, bytes(bits)?)),
        ("i", bits) => Some((BaseEncoding::Signed, bytes(bits)?)),
        ("f", bits @ ("32" | "64")) => Some((BaseEncoding::Float, bytes(bits)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{c_base_type, rust_base_type};
    use crate::types::BaseEncoding;

    #[test]
    fn base_types_have_many_spellings() {
        assert_eq!(
            c_base_type("unsigned", 4),
            Some((BaseEncoding::Unsigned, 4))
        );
        assert_eq!(
            c_base_type("long long unsigned int", 4),
            Some((BaseEncoding::Unsigned, 8))
        );
        assert_eq!(c_base_type("long", 4), Some((BaseEncoding::Signed, 4)));
        assert_eq!(c_base_type("long", 8), Some((BaseEncoding::Signed, 8)));
        assert_eq!(c_base_type("short int", 4), Some((BaseEncoding::Signed, 2)));
        assert_eq!(c_base_type("node", 4), None);
        assert_eq!(c_base_type("", 4), None);
        assert_eq!(
            rust_base_type("usize", 4),
            Some((BaseEncoding::Unsigned, 4))
        );
        assert_eq!(rust_base_type("f64", 4), Some((BaseEncoding::Float, 8)));
        assert_eq!(rust_base_type("f16", 4), None);
    }
}

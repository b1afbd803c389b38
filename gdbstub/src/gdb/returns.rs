//! Structs that functions return. WebAssembly's ABI returns them in memory, where the first argument says. On x86-64 those of up to 16 bytes
//! come in registers instead, eight bytes in each: numbers in `rax` and `rdx`, floats in `xmm0` and `xmm1` (System V ABI, section 3.2.3).
//! When a call has ended, gdb looks for its result there.

use gimli::{AttributeValue, EndianSlice, LittleEndian, UnitOffset, constants};

type Reader<'a> = EndianSlice<'a, LittleEndian>;
type Unit<'a> = gimli::Unit<Reader<'a>>;

/// The size up to which structs are returned in registers.
const SIZE_MAX: u64 = 16;

/// How deep types are followed: typedefs of structs in structs.
const DEPTH_MAX: usize = 16;

/// How many members are looked at; no struct of 16 bytes has more, but a damaged one can.
const MEMBERS_MAX: usize = 256;

/// A struct that x86-64 returns in registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SmallStruct {
    pub(super) size: usize,
    /// For each eight bytes, whether they hold floats only.
    is_float: [bool; 2],
}

/// The registers in which a result is looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ResultRegisters {
    pub(super) rax: u64,
    pub(super) rdx: u64,
    pub(super) xmm: [u64; 2],
}

/// The type that a function returns. The code of a method refers to the declaration, which says it.
pub(super) fn result_type(
    unit: &Unit<'_>,
    attributes: &[gimli::Attribute<Reader<'_>>],
) -> Option<UnitOffset> {
    let reference = |name| {
        let found = attributes.iter().find(|it| it.name() == name)?;
        match found.value() {
            AttributeValue::UnitRef(offset) => Some(offset),
            _ => None,
        }
    };
    if let Some(result) = reference(constants::DW_AT_type) {
        return Some(result);
    }
    let origin = reference(constants::DW_AT_specification)
        .or_else(|| reference(constants::DW_AT_abstract_origin))?;
    type_of(&unit.entry(origin).ok()?)
}

impl SmallStruct {
    /// The struct that a type is, if it is one of this kind.
    pub(super) fn of(unit: &Unit<'_>, type_offset: UnitOffset) -> Option<SmallStruct> {
        let mut kinds = Kinds {
            unit,
            has_integer: [false; 2],
            has_float: [false; 2],
            members: 0,
        };
        let offset = kinds.strip(type_offset)?;
        let entry = unit.entry(offset).ok()?;
        let is_struct = matches!(
            entry.tag(),
            constants::DW_TAG_structure_type
                | constants::DW_TAG_class_type
                | constants::DW_TAG_union_type
        );
        let size = entry
            .attr_value(constants::DW_AT_byte_size)?
            .udata_value()?;
        if !is_struct || size > SIZE_MAX {
            return None;
        }
        kinds.look(offset, 0, DEPTH_MAX)?;
        let is_float = |at: usize| kinds.has_float[at] && !kinds.has_integer[at];
        Some(SmallStruct {
            size: size as usize,
            is_float: [is_float(0), is_float(1)],
        })
    }

    /// The registers that hold a struct of these bytes.
    pub(super) fn registers(&self, bytes: &[u8]) -> ResultRegisters {
        let mut padded = [0; SIZE_MAX as usize];
        let count = bytes.len().min(padded.len());
        padded[..count].copy_from_slice(&bytes[..count]);
        let word = |at: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&padded[at..at + 8]);
            u64::from_le_bytes(word)
        };
        let mut registers = ResultRegisters::default();
        match self.is_float {
            [false, false] => (registers.rax, registers.rdx) = (word(0), word(8)),
            [false, true] => (registers.rax, registers.xmm[0]) = (word(0), word(8)),
            [true, false] => (registers.xmm[0], registers.rax) = (word(0), word(8)),
            [true, true] => registers.xmm = [word(0), word(8)],
        }
        registers
    }
}

/// What is known of the kinds of a struct's parts.
struct Kinds<'u, 'a> {
    unit: &'u Unit<'a>,
    has_integer: [bool; 2],
    has_float: [bool; 2],
    members: usize,
}

impl Kinds<'_, '_> {
    /// The type behind typedefs and qualifiers.
    fn strip(&self, mut offset: UnitOffset) -> Option<UnitOffset> {
        for _ in 0..DEPTH_MAX {
            let entry = self.unit.entry(offset).ok()?;
            match entry.tag() {
                constants::DW_TAG_typedef
                | constants::DW_TAG_const_type
                | constants::DW_TAG_volatile_type => offset = type_of(&entry)?,
                _ => return Some(offset),
            }
        }
        None
    }

    /// Takes note of what a type at a distance from the struct's beginning consists of.
    fn look(&mut self, offset: UnitOffset, at: u64, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        self.members += 1;
        if self.members > MEMBERS_MAX {
            return None;
        }
        let offset = self.strip(offset)?;
        let entry = self.unit.entry(offset).ok()?;
        match entry.tag() {
            constants::DW_TAG_structure_type
            | constants::DW_TAG_class_type
            | constants::DW_TAG_union_type => self.look_inside(offset, at, depth),
            constants::DW_TAG_array_type => {
                // The size of an array is in another entry; what follows it is seldom of another kind.
                let element = type_of(&entry)?;
                (at..SIZE_MAX)
                    .step_by(8)
                    .try_for_each(|at| self.look(element, at, depth))
            }
            tag => {
                let encoding = entry.attr_value(constants::DW_AT_encoding);
                let is_float = tag == constants::DW_TAG_base_type
                    && encoding == Some(AttributeValue::Encoding(constants::DW_ATE_float));
                let half = usize::try_from(at / 8).ok()?;
                let kind = match is_float {
                    true => self.has_float.get_mut(half),
                    false => self.has_integer.get_mut(half),
                };
                *kind? = true;
                Some(())
            }
        }
    }

    /// Looks at members, base classes, and the variants of Rust's enums.
    fn look_inside(&mut self, offset: UnitOffset, at: u64, depth: usize) -> Option<()> {
        let mut members = Vec::new();
        let mut entries = self.unit.entries_at_offset(offset).ok()?;
        let entry = entries.next_dfs().ok()??;
        let outer = entry.depth();
        while let Some(entry) = entries.next_dfs().ok()? {
            if entry.depth() <= outer || members.len() > MEMBERS_MAX {
                break;
            }
            let is_member = matches!(
                entry.tag(),
                constants::DW_TAG_member | constants::DW_TAG_inheritance
            );
            // A type can be declared inside of another, with members of its own.
            let is_variant = entry.depth() > outer + 1;
            let is_static = entry.attr_value(constants::DW_AT_external).is_some();
            if !is_member || is_static || (is_variant && !self.is_enum(offset)) {
                continue;
            }
            let place = entry.attr_value(constants::DW_AT_data_member_location);
            let place = place.and_then(|it| it.udata_value()).unwrap_or(0);
            members.push((type_of(entry)?, at.checked_add(place)?));
        }
        members
            .into_iter()
            .try_for_each(|(member, at)| self.look(member, at, depth))
    }

    /// Whether a struct has variants.
    fn is_enum(&self, offset: UnitOffset) -> bool {
        let mut entries = match self.unit.entries_at_offset(offset) {
            Ok(entries) => entries,
            Err(_) => return false,
        };
        let _ = entries.next_dfs();
        let first = entries.next_dfs();
        matches!(first, Ok(Some(entry)) if entry.tag() == constants::DW_TAG_variant_part)
    }
}

fn type_of(entry: &gimli::DebuggingInformationEntry<Reader<'_>>) -> Option<UnitOffset> {
    match entry.attr_value(constants::DW_AT_type)? {
        AttributeValue::UnitRef(offset) => Some(offset),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{ResultRegisters, SmallStruct};

    #[test]
    fn each_half_goes_where_its_kind_belongs() {
        let bytes: Vec<u8> = (1_u8..=16).collect();
        let (low, high) = (0x0807_0605_0403_0201, 0x100f_0e0d_0c0b_0a09);
        let registers = |is_float| SmallStruct { size: 16, is_float }.registers(&bytes);
        let expected = ResultRegisters {
            rax: low,
            rdx: high,
            xmm: [0, 0],
        };
        assert_eq!(registers([false, false]), expected);
        let mixed = ResultRegisters {
            rax: high,
            rdx: 0,
            xmm: [low, 0],
        };
        assert_eq!(registers([true, false]), mixed);
        assert_eq!(registers([true, true]).xmm, [low, high]);
    }
}

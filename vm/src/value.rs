//! Values, and the 64-bit cells that hold them.

use std::fmt;

use wasmparser::ValType;

use crate::address::{FuncAddr, ObjectAddr};

/// A value of the abstract machine. Floats are bits, so that no NaN is ever changed by being looked at.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Value {
    /// A 32-bit integer.
    I32(i32),
    /// A 64-bit integer.
    I64(i64),
    /// The bits of a 32-bit float.
    F32(u32),
    /// The bits of a 64-bit float.
    F64(u64),
    /// A vector.
    V128(u128),
    /// A reference.
    Ref(Reference),
}

/// A reference. Its cell says by itself what it refers to, whatever its static type is, so that a conversion between the
/// hierarchies of types is no operation at all.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reference {
    /// Nothing; the cell is 0, so that zeroed cells are null references.
    Null,
    /// A function.
    Func(FuncAddr),
    /// Something of the host.
    Extern(u32),
    /// An integer of 31 bits.
    I31(u32),
    /// A struct, an array or an exception in the heap.
    Object(ObjectAddr),
}

impl Reference {
    /// The bits of a cell that say what kind of reference it holds; functions have none of them.
    const KIND_SHIFT: u32 = 60;
    const KIND_I31: u64 = 1;
    const KIND_OBJECT: u64 = 2;
    const KIND_EXTERN: u64 = 3;

    /// The reference in a cell.
    #[must_use]
    pub fn from_cell(cell: u64) -> Reference {
        let low = cell as u32;
        match cell >> Reference::KIND_SHIFT {
            _ if cell == 0 => Reference::Null,
            Reference::KIND_I31 => Reference::I31(low),
            Reference::KIND_OBJECT => Reference::Object(ObjectAddr(low)),
            Reference::KIND_EXTERN => Reference::Extern(low),
            _ => Reference::Func(FuncAddr(low.wrapping_sub(1))),
        }
    }

    /// The cell that holds the reference.
    #[must_use]
    pub fn to_cell(self) -> u64 {
        let of_kind = |kind: u64, low: u32| kind << Reference::KIND_SHIFT | u64::from(low);
        match self {
            Reference::Null => 0,
            Reference::Func(func) => func_ref_cell(Some(func)),
            Reference::I31(value) => of_kind(Reference::KIND_I31, value),
            Reference::Object(object) => of_kind(Reference::KIND_OBJECT, object.0),
            Reference::Extern(index) => of_kind(Reference::KIND_EXTERN, index),
        }
    }
}

/// How many cells a value of the type takes: two for a vector, one for all others.
#[must_use]
pub fn cell_count(ty: ValType) -> u32 {
    match ty {
        ValType::V128 => 2,
        ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64 | ValType::Ref(_) => 1,
    }
}

/// The number of cells that values of these types take together.
#[must_use]
pub fn cells_count(types: &[ValType]) -> u32 {
    types.iter().map(|&ty| cell_count(ty)).sum()
}

/// The cell of a reference to a function; null is 0, so that zeroed cells are null references.
#[must_use]
pub fn func_ref_cell(func: Option<FuncAddr>) -> u64 {
    func.map_or(0, |func| u64::from(func.0) + 1)
}

/// The 31 bits of an `i31ref` as a signed number.
#[must_use]
pub fn i31_signed(value: u32) -> i32 {
    (value << 1) as i32 >> 1
}

/// The function that a cell of [`func_ref_cell`] refers to.
#[must_use]
pub fn func_of_ref_cell(cell: u64) -> Option<FuncAddr> {
    cell.checked_sub(1).map(|index| FuncAddr(index as u32))
}

impl Value {
    /// The value of type `ty` that `cells` (as many as [`cell_count`] says) hold.
    #[must_use]
    pub fn from_cells(ty: ValType, cells: &[u64]) -> Value {
        let low = cells[0];
        match ty {
            ValType::I32 => Value::I32(low as i32),
            ValType::I64 => Value::I64(low as i64),
            ValType::F32 => Value::F32(low as u32),
            ValType::F64 => Value::F64(low),
            ValType::V128 => Value::V128(u128::from(low) | u128::from(cells[1]) << 64),
            ValType::Ref(_) => Value::Ref(Reference::from_cell(low)),
        }
    }

    /// Appends the cells that hold the value.
    pub fn push_cells(self, cells: &mut Vec<u64>) {
        cells.push(match self {
            Value::I32(value) => u64::from(value as u32),
            Value::I64(value) => value as u64,
            Value::F32(bits) => u64::from(bits),
            Value::F64(bits) => bits,
            Value::V128(bits) => bits as u64,
            Value::Ref(reference) => reference.to_cell(),
        });
        if let Value::V128(bits) = self {
            cells.push((bits >> 64) as u64);
        }
    }

    /// The cells that hold the value.
    #[must_use]
    pub fn to_cells(self) -> Vec<u64> {
        let mut cells = Vec::with_capacity(1);
        self.push_cells(&mut cells);
        cells
    }

    /// The zero or null of a type.
    #[must_use]
    pub fn zero(ty: ValType) -> Value {
        Value::from_cells(ty, &[0, 0])
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Value::I32(value) => write!(f, "{value}"),
            Value::I64(value) => write!(f, "{value}"),
            Value::F32(bits) => write_float(
                f,
                f64::from(f32::from_bits(bits)),
                format_args!("{:?}", f32::from_bits(bits)),
                u64::from(bits),
            ),
            Value::F64(bits) => write_float(
                f,
                f64::from_bits(bits),
                format_args!("{:?}", f64::from_bits(bits)),
                bits,
            ),
            Value::V128(bits) => {
                f.write_str("i32x4")?;
                (0..4).try_for_each(|lane| write!(f, " {}", (bits >> (32 * lane)) as i32))
            }
            Value::Ref(Reference::Func(func)) => write!(f, "funcref({})", func.0),
            Value::Ref(Reference::Extern(index)) => write!(f, "externref({index})"),
            Value::Ref(Reference::I31(value)) => write!(f, "i31({})", i31_signed(value)),
            Value::Ref(Reference::Object(object)) => write!(f, "object({})", object.0),
            Value::Ref(Reference::Null) => f.write_str("null"),
        }
    }
}

fn write_float(
    f: &mut fmt::Formatter<'_>,
    value: f64,
    shortest: fmt::Arguments<'_>,
    bits: u64,
) -> fmt::Result {
    if value.is_nan() {
        write!(f, "nan:0x{bits:x}")
    } else {
        f.write_fmt(shortest)
    }
}

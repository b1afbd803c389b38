//! Location expressions and location lists.
//!
//! gimli does the arithmetic. What is added here is which local, global or operand a value
//! *is*: `DW_OP_WASM_location` pushes the contents, and `DW_OP_stack_value` after it says that
//! these are the value, so that the pair names a place that can also be written. Without
//! `DW_OP_stack_value` the contents are an address in linear memory, as LLVM means it.

use std::rc::Rc;
use std::sync::Arc;

use gimli::{AttributeValue, EvaluationResult, Operation};

use crate::error::{Error, Result};
use crate::info::DieRef;
use crate::location::{Piece, Place, RawSlot, Target};
use crate::reader::{Attribute, Die, Reader, Slice, Unit};

/// How many operations one expression may take.
const OPERATIONS_MAX: u32 = 10_000;

/// How many expressions may call each other: a variable's, its function's frame base.
const DEPTH_MAX: usize = 4;

/// How many entries of a location list are looked at.
const LIST_ENTRIES_MAX: usize = 1 << 16;

/// Evaluates locations of one unit for one frame.
pub(crate) struct Evaluator<'e, 'a> {
    pub(crate) reader: &'e Reader<'a>,
    pub(crate) unit: Rc<Unit<'a>>,
    pub(crate) target: &'e dyn Target,
    /// Where the frame stands.
    pub(crate) address: u32,
}

/// Why an expression has no result.
enum Stop {
    /// It needs what the program no longer knows.
    OptimizedOut,
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Failed(error)
    }
}

type Step<T> = std::result::Result<T, Stop>;

impl<'a> Evaluator<'_, 'a> {
    /// Where the variable that an entry describes lives.
    pub(crate) fn locate(&self, die: &Die<'a>) -> Result<Place> {
        let place = match die.attr_value(gimli::DW_AT_location) {
            Some(value) => self.attribute(value, DEPTH_MAX),
            None => Ok(self.constant(die)),
        };
        match place {
            Ok(place) => Ok(place),
            Err(Stop::OptimizedOut) => Ok(Place::OptimizedOut),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    /// The value of a variable that is a constant.
    fn constant(&self, die: &Die<'a>) -> Place {
        let inherited = self
            .reader
            .inherited(&self.unit, die, gimli::DW_AT_const_value);
        match inherited.map(|(_, value)| value) {
            Some(AttributeValue::Block(bytes)) => Place::Implicit(bytes.slice().into()),
            Some(AttributeValue::Data16(value)) => {
                Place::Implicit(value.to_le_bytes().as_slice().into())
            }
            Some(AttributeValue::Sdata(value)) => {
                Place::Implicit(i128::from(value).to_le_bytes().as_slice().into())
            }
            Some(value) => value.udata_value().map_or(Place::OptimizedOut, |value| {
                Place::Implicit(u128::from(value).to_le_bytes().as_slice().into())
            }),
            None => Place::OptimizedOut,
        }
    }

    /// The place that an expression or the list that is valid here describes.
    fn attribute(&self, value: Attribute<'a>, depth: usize) -> Step<Place> {
        self.expression(self.valid_expression(value)?, depth)
    }

    /// The expression, or that of the list which is valid here.
    fn valid_expression(&self, value: Attribute<'a>) -> Step<gimli::Expression<Slice<'a>>> {
        match value {
            AttributeValue::Exprloc(expression) => Ok(expression),
            AttributeValue::Block(bytes) => Ok(gimli::Expression(bytes)),
            value => {
                let list = self
                    .reader
                    .dwarf
                    .attr_locations(&self.unit.unit, value)
                    .map_err(|error| self.malformed(error))?;
                let Some(mut list) = list else {
                    return Err(Stop::OptimizedOut);
                };
                for _ in 0..LIST_ENTRIES_MAX {
                    let Some(entry) = list.next().map_err(|error| self.malformed(error))? else {
                        break;
                    };
                    if (entry.range.begin..entry.range.end).contains(&u64::from(self.address)) {
                        return Ok(entry.data);
                    }
                }
                Err(Stop::OptimizedOut)
            }
        }
    }

    /// The operations of the expression that is valid here, if they are few.
    pub(crate) fn operations(&self, value: Attribute<'a>) -> Option<Vec<Operation<Slice<'a>>>> {
        const FEW: usize = 8;
        let expression = self.valid_expression(value).ok()?;
        let mut operations = expression.operations(self.unit.root.encoding);
        let mut few = Vec::new();
        while let Some(operation) = operations.next().ok()? {
            few.push(operation);
            if few.len() > FEW {
                return None;
            }
        }
        Some(few)
    }

    fn expression(&self, expression: gimli::Expression<Slice<'a>>, depth: usize) -> Step<Place> {
        if expression.0.is_empty() {
            return Err(Stop::OptimizedOut);
        }
        if depth == 0 {
            return Err(self
                .malformed("expressions call each other without end")
                .into());
        }
        let slots = self.slots(expression);
        if let [Some(place)] = slots.as_slice()
            && !has_piece(expression, &self.unit)
        {
            return Ok(place.clone());
        }
        let mut evaluation = expression.evaluation(self.unit.root.encoding);
        evaluation.set_max_iterations(OPERATIONS_MAX);
        let mut state = evaluation
            .evaluate()
            .map_err(|error| self.malformed(error))?;
        while state != EvaluationResult::Complete {
            state = self.supply(&mut evaluation, state, depth)?;
        }
        let pieces = evaluation.as_result();
        match pieces {
            [piece] if piece.size_in_bits.is_none() => self.piece_place(piece),
            pieces => {
                let mut placed = Vec::with_capacity(pieces.len());
                for (position, piece) in pieces.iter().enumerate() {
                    let slot = slots.get(position).cloned().flatten();
                    let place = slot.map_or_else(|| self.piece_place(piece), Ok)?;
                    let bit_size = piece.size_in_bits.unwrap_or(0);
                    placed.push(Piece {
                        place,
                        bit_offset: piece.bit_offset.unwrap_or(0),
                        bit_size,
                    });
                }
                Ok(Place::Pieces(placed.into()))
            }
        }
    }

    /// For each piece of an expression the local, global or operand that it is, if it is one.
    fn slots(&self, expression: gimli::Expression<Slice<'a>>) -> Vec<Option<Place>> {
        const SLOT_OPERATIONS_MAX: usize = 256;
        let mut operations = expression.operations(self.unit.root.encoding);
        let mut pieces = Vec::new();
        let mut piece = Vec::new();
        for _ in 0..SLOT_OPERATIONS_MAX {
            match operations.next() {
                Ok(Some(Operation::Piece { .. })) => {
                    pieces.push(self.slot(&std::mem::take(&mut piece)))
                }
                // Which operations belong to which piece is not known across branches.
                Ok(Some(
                    Operation::Bra { .. } | Operation::Skip { .. } | Operation::Call { .. },
                )) => return Vec::new(),
                Ok(Some(operation)) => piece.push(operation),
                _ => break,
            }
        }
        if !piece.is_empty() {
            pieces.push(self.slot(&piece));
        }
        pieces
    }

    /// The local, global or operand that the operations name, if that is all they do.
    fn slot(&self, operations: &[Operation<Slice<'a>>]) -> Option<Place> {
        let (place, contents) = match *operations.first()? {
            Operation::WasmLocal { index } => (Place::Local(index), self.target.local(index)),
            Operation::WasmGlobal { index } => (Place::Global(index), self.target.global(index)),
            Operation::WasmStack { index } => (Place::Operand(index), self.target.operand(index)),
            _ => return None,
        };
        match operations {
            [_, Operation::StackValue] => Some(place),
            // What is too wide for an address, or a float, cannot be meant as one.
            [_] => match contents? {
                RawSlot::I32(_) => None,
                RawSlot::I64(_) if self.unit.root.encoding.address_size == 8 => None,
                _ => Some(place),
            },
            _ => None,
        }
    }

    fn piece_place(&self, piece: &gimli::Piece<Slice<'a>>) -> Step<Place> {
        match piece.location {
            gimli::Location::Empty | gimli::Location::ImplicitPointer { .. } => {
                Ok(Place::OptimizedOut)
            }
            gimli::Location::Address { address } => Ok(Place::Memory(address)),
            gimli::Location::Value { value } => Ok(Place::Implicit(value_bytes(value))),
            gimli::Location::Bytes { value } => Ok(Place::Implicit(value.slice().into())),
            gimli::Location::Register { .. } => Err(Error::Unsupported(
                "a location in a register, of which wasm has none".to_owned(),
            )
            .into()),
        }
    }

    /// Gives an evaluation what it asks for.
    fn supply(
        &self,
        evaluation: &mut gimli::Evaluation<Slice<'a>>,
        state: EvaluationResult<Slice<'a>>,
        depth: usize,
    ) -> Step<EvaluationResult<Slice<'a>>> {
        let slot = |slot: Option<RawSlot>, what: &str, index: u32| match slot {
            Some(RawSlot::I32(value)) => Ok(gimli::Value::Generic(u64::from(value))),
            Some(RawSlot::I64(value)) => Ok(gimli::Value::Generic(value)),
            Some(RawSlot::F32(value)) => Ok(gimli::Value::F32(f32::from_bits(value))),
            Some(RawSlot::F64(value)) => Ok(gimli::Value::F64(f64::from_bits(value))),
            Some(RawSlot::V128(_)) => Err(Error::Unsupported(
                "arithmetic on a v128 in a location".to_owned(),
            )),
            Some(RawSlot::Handle(_)) => Err(Error::Unsupported(
                "arithmetic on a reference in a location".to_owned(),
            )),
            None => Err(Error::Unavailable(format!("the wasm {what} {index}"))),
        };
        let next = match state {
            EvaluationResult::RequiresWasmLocal { index } => {
                evaluation.resume_with_wasm_value(slot(self.target.local(index), "local", index)?)
            }
            EvaluationResult::RequiresWasmGlobal { index } => {
                evaluation.resume_with_wasm_value(slot(self.target.global(index), "global", index)?)
            }
            EvaluationResult::RequiresWasmStack { index } => evaluation.resume_with_wasm_value(
                slot(self.target.operand(index), "operand stack slot", index)?,
            ),
            EvaluationResult::RequiresFrameBase => {
                evaluation.resume_with_frame_base(self.frame_base(depth - 1)?)
            }
            EvaluationResult::RequiresMemory {
                address,
                size,
                base_type,
                ..
            } => evaluation.resume_with_memory(self.read_typed(address, size, base_type)?),
            EvaluationResult::RequiresRelocatedAddress(address) => {
                evaluation.resume_with_relocated_address(self.live_address(address)?)
            }
            EvaluationResult::RequiresIndexedAddress { index, .. } => {
                let address = self.reader.dwarf.address(&self.unit.unit, index);
                let address = address.map_err(|error| self.malformed(error))?;
                evaluation.resume_with_indexed_address(self.live_address(address)?)
            }
            EvaluationResult::RequiresBaseType(base_type) => {
                evaluation.resume_with_base_type(self.value_type(base_type)?)
            }
            EvaluationResult::RequiresAtLocation(reference) => {
                evaluation.resume_with_at_location(self.called_expression(reference)?)
            }
            // A caller's call-site parameters could tell some of these, if the callers' frames
            // were at hand.
            EvaluationResult::RequiresEntryValue(_) | EvaluationResult::RequiresParameterRef(_) => {
                return Err(Stop::OptimizedOut);
            }
            EvaluationResult::RequiresTls(_) => {
                return Err(Error::Unsupported("thread-local storage".to_owned()).into());
            }
            EvaluationResult::RequiresCallFrameCfa | EvaluationResult::RequiresRegister { .. } => {
                return Err(Error::Unsupported(
                    "a location in a register, of which wasm has none".to_owned(),
                )
                .into());
            }
            EvaluationResult::Complete => return Ok(state),
        };
        next.map_err(|error| self.malformed(error).into())
    }

    /// The address of a variable, unless the linker dropped it and wrote -1 or -2 instead.
    fn live_address(&self, address: u64) -> Step<u64> {
        if self.unit.unit.header.is_tombstone_address(address) {
            return Err(Stop::OptimizedOut);
        }
        Ok(address)
    }

    /// The entry of the function that tells its frame base.
    pub(crate) fn frame_base_entry(&self) -> Option<(Rc<Unit<'a>>, Die<'a>)> {
        let function = self.reader.info.function_die_at(self.address)?;
        self.reader.die(function)
    }

    /// The address that `DW_OP_fbreg` counts from.
    fn frame_base(&self, depth: usize) -> Step<u64> {
        let (unit, die) = self
            .frame_base_entry()
            .ok_or_else(|| Error::Unavailable("the frame base".to_owned()))?;
        let value = die
            .attr_value(gimli::DW_AT_frame_base)
            .ok_or_else(|| Error::Unavailable("the frame base".to_owned()))?;
        let evaluator = Evaluator {
            reader: self.reader,
            unit,
            target: self.target,
            address: self.address,
        };

        // The frame base is an address, whether the expression calls it a value or a place.
        match evaluator.attribute(value, depth)? {
            Place::Memory(address) => Ok(address),
            Place::OptimizedOut => Err(Stop::OptimizedOut),
            place => {
                let mut address = [0; 8];
                address.copy_from_slice(&place.read(self.target, 8)?);
                Ok(u64::from_le_bytes(address))
            }
        }
    }

    fn read_typed(
        &self,
        address: u64,
        size: u8,
        base_type: gimli::UnitOffset,
    ) -> Step<gimli::Value> {
        let mut bytes = [0; 8];
        let buffer = bytes
            .get_mut(..usize::from(size))
            .ok_or_else(|| self.malformed("a read of more than 8 bytes"))?;
        self.target.read_memory(address, buffer)?;
        let value_type = if base_type.0 == 0 {
            gimli::ValueType::Generic
        } else {
            self.value_type(base_type)?
        };
        gimli::Value::from_u64(value_type, u64::from_le_bytes(bytes))
            .map_err(|error| self.malformed(error).into())
    }

    fn value_type(&self, base_type: gimli::UnitOffset) -> Step<gimli::ValueType> {
        if base_type.0 == 0 {
            return Ok(gimli::ValueType::Generic);
        }
        let die = self
            .unit
            .unit
            .entry(base_type)
            .map_err(|error| self.malformed(error))?;
        let found = gimli::ValueType::from_entry(&die).map_err(|error| self.malformed(error))?;
        found.ok_or_else(|| self.malformed("an operand's type is no base type").into())
    }

    /// The expression of another entry, for `DW_OP_call2` and its like.
    fn called_expression(&self, reference: gimli::DieReference<usize>) -> Step<Slice<'a>> {
        let die_ref = match reference {
            gimli::DieReference::UnitRef(offset) => Some(self.unit.die_ref(offset)),
            gimli::DieReference::DebugInfoRef(offset) => {
                self.reader.info.unit_table().at_info_offset(offset.0)
            }
        };
        // An expression of another unit would need that unit's bases.
        let die_ref: DieRef = die_ref
            .filter(|die| die.unit == self.unit.number)
            .ok_or_else(|| Error::Unsupported("a location in another unit".to_owned()))?;
        let die = self.unit.entry(die_ref.offset);
        match die.and_then(|die| die.attr_value(gimli::DW_AT_location)) {
            Some(AttributeValue::Exprloc(expression)) => Ok(expression.0),
            _ => Err(Stop::OptimizedOut),
        }
    }

    fn malformed(&self, message: impl ToString) -> Error {
        let unit = self
            .reader
            .info
            .unit_entry(self.unit.number)
            .map_or(0, |entry| entry.offset as u64);
        Error::Malformed {
            unit,
            message: message.to_string(),
        }
    }
}

fn has_piece(expression: gimli::Expression<Slice<'_>>, unit: &Unit<'_>) -> bool {
    let mut operations = expression.operations(unit.root.encoding);
    while let Ok(Some(operation)) = operations.next() {
        if matches!(operation, Operation::Piece { .. }) {
            return true;
        }
    }
    false
}

/// The bytes of a value computed by an expression.
fn value_bytes(value: gimli::Value) -> Arc<[u8]> {
    match value {
        gimli::Value::Generic(value) | gimli::Value::U64(value) => {
            value.to_le_bytes().as_slice().into()
        }
        gimli::Value::I8(value) => i64::from(value).to_le_bytes().as_slice().into(),
        gimli::Value::U8(value) => u64::from(value).to_le_bytes().as_slice().into(),
        gimli::Value::I16(value) => i64::from(value).to_le_bytes().as_slice().into(),
        gimli::Value::U16(value) => u64::from(value).to_le_bytes().as_slice().into(),
        gimli::Value::I32(value) => i64::from(value).to_le_bytes().as_slice().into(),
        gimli::Value::U32(value) => u64::from(value).to_le_bytes().as_slice().into(),
        gimli::Value::I64(value) => value.to_le_bytes().as_slice().into(),
        gimli::Value::F32(value) => value.to_le_bytes().as_slice().into(),
        gimli::Value::F64(value) => value.to_le_bytes().as_slice().into(),
    }
}

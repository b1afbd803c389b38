//! Instructions read from the binary format.

use wasmparser::{BinaryReader, BinaryReaderError, BlockType, Catch, HeapType, ValType};

use crate::address::ModuleOffset;
use crate::isa::{ImmediateKind, InstructionInfo, Op, PREFIX_FB, PREFIX_FC, PREFIX_FD, PREFIX_FE};

/// What follows an opcode, read.
#[derive(Clone, PartialEq, Debug)]
pub enum Immediates {
    /// Nothing.
    None,
    /// A block type.
    Block(BlockType),
    /// One index; the instruction's row says of what.
    Index(u32),
    /// Two indices in the order of the binary format.
    Indices(u32, u32),
    /// The labels of a `br_table`, the default last.
    Labels(Vec<u32>),
    /// The types of a typed `select`.
    ValTypes(Vec<ValType>),
    /// Alignment as a power of two, memory index, offset.
    MemArg {
        /// The exponent of the alignment.
        align: u32,
        /// The memory's index.
        memory: u32,
        /// The constant offset.
        offset: u64,
    },
    /// Like `MemArg`, with a lane.
    MemArgLane {
        /// The exponent of the alignment.
        align: u32,
        /// The memory's index.
        memory: u32,
        /// The constant offset.
        offset: u64,
        /// The lane.
        lane: u8,
    },
    /// A lane.
    Lane(u8),
    /// A constant's bits, lane 0 lowest.
    V128(u128),
    /// Indices of bytes.
    Shuffle([u8; 16]),
    /// A constant.
    I32(i32),
    /// A constant.
    I64(i64),
    /// A constant's bits.
    F32(u32),
    /// A constant's bits.
    F64(u64),
    /// A heap type.
    HeapType(HeapType),
    /// A `try_table`.
    TryTable {
        /// The block's type.
        ty: BlockType,
        /// The clauses, in order.
        catches: Vec<Catch>,
    },
    /// A branch on a cast.
    Cast {
        /// The label.
        label: u32,
        /// Whether the operand can be null, and the heap type that it has.
        from: (bool, HeapType),
        /// Whether null fits, and the heap type that is asked for.
        to: (bool, HeapType),
    },
}

/// One decoded instruction.
#[derive(Clone, PartialEq, Debug)]
pub struct Instruction {
    /// The offset of its opcode.
    pub pc: ModuleOffset,
    /// The offset of the instruction after it.
    pub next: ModuleOffset,
    /// Which it is.
    pub op: Op,
    /// What follows the opcode.
    pub immediates: Immediates,
}

impl Instruction {
    /// Its row in the table of instructions.
    #[must_use]
    pub fn info(&self) -> &'static InstructionInfo {
        self.op.info()
    }
}

/// Reads instructions one after the other.
pub struct Instructions<'a> {
    reader: BinaryReader<'a>,
}

impl<'a> Instructions<'a> {
    /// The instructions in `code`, which starts at `start` in the module.
    #[must_use]
    pub fn new(code: &'a [u8], start: ModuleOffset) -> Instructions<'a> {
        Instructions {
            reader: BinaryReader::new(code, u64::from(start.0)),
        }
    }

    fn read(&mut self) -> Result<Option<Instruction>, BinaryReaderError> {
        let reader = &mut self.reader;
        let pc = position(reader);
        let byte = reader.read_u8()?;
        let op = match byte {
            PREFIX_FB => Op::from_prefixed_fb(reader.read_var_u32()?),
            PREFIX_FC => Op::from_prefixed_fc(reader.read_var_u32()?),
            PREFIX_FD => Op::from_prefixed_fd(reader.read_var_u32()?),
            PREFIX_FE => Op::from_prefixed_fe(reader.read_var_u32()?),
            _ => Op::from_byte(byte),
        };
        let Some(op) = op else { return Ok(None) };
        let immediates = read_immediates(op.info().immediates, reader)?;
        Ok(Some(Instruction {
            pc,
            next: position(reader),
            op,
            immediates,
        }))
    }
}

impl Iterator for Instructions<'_> {
    type Item = Instruction;

    /// The next instruction; `None` at the end, and at bytes that are no instruction (which validated code has not).
    fn next(&mut self) -> Option<Instruction> {
        if self.reader.eof() {
            return None;
        }
        self.read().ok().flatten()
    }
}

fn position(reader: &BinaryReader<'_>) -> ModuleOffset {
    ModuleOffset(reader.original_position() as u32)
}

fn read_immediates(
    kind: ImmediateKind,
    reader: &mut BinaryReader<'_>,
) -> Result<Immediates, BinaryReaderError> {
    Ok(match kind {
        ImmediateKind::None => Immediates::None,
        ImmediateKind::Block => Immediates::Block(read_block_type(reader)?),
        ImmediateKind::Label
        | ImmediateKind::Func
        | ImmediateKind::Local
        | ImmediateKind::Global
        | ImmediateKind::Table
        | ImmediateKind::Memory
        | ImmediateKind::Data
        | ImmediateKind::Elem
        | ImmediateKind::Type
        | ImmediateKind::Tag => Immediates::Index(reader.read_var_u32()?),
        ImmediateKind::CallIndirect
        | ImmediateKind::DataMemory
        | ImmediateKind::MemoryMemory
        | ImmediateKind::ElemTable
        | ImmediateKind::TableTable
        | ImmediateKind::TypeField
        | ImmediateKind::TypeCount
        | ImmediateKind::TypeData
        | ImmediateKind::TypeElem
        | ImmediateKind::TypeType => {
            Immediates::Indices(reader.read_var_u32()?, reader.read_var_u32()?)
        }
        ImmediateKind::LabelTable => {
            let count = reader.read_var_u32()?;
            // Each label takes a byte at least, which bounds the allocation by the code's size.
            let mut labels = Vec::with_capacity((count as usize + 1).min(reader.bytes_remaining()));
            for _ in 0..=count {
                labels.push(reader.read_var_u32()?);
            }
            Immediates::Labels(labels)
        }
        ImmediateKind::ValTypes => {
            let count = reader.read_var_u32()?;
            Immediates::ValTypes(
                (0..count)
                    .map(|_| reader.read())
                    .collect::<Result<_, _>>()?,
            )
        }
        ImmediateKind::MemArg => {
            let (align, memory, offset) = read_memarg(reader)?;
            Immediates::MemArg {
                align,
                memory,
                offset,
            }
        }
        ImmediateKind::MemArgLane => {
            let (align, memory, offset) = read_memarg(reader)?;
            Immediates::MemArgLane {
                align,
                memory,
                offset,
                lane: reader.read_u8()?,
            }
        }
        ImmediateKind::Lane => Immediates::Lane(reader.read_u8()?),
        ImmediateKind::V128 => Immediates::V128(u128::from_le_bytes(read_array(reader)?)),
        ImmediateKind::Shuffle => Immediates::Shuffle(read_array(reader)?),
        ImmediateKind::Fence => {
            reader.read_u8()?;
            Immediates::None
        }
        ImmediateKind::I32 => Immediates::I32(reader.read_var_i32()?),
        ImmediateKind::I64 => Immediates::I64(reader.read_var_i64()?),
        ImmediateKind::F32 => Immediates::F32(reader.read_f32()?.bits()),
        ImmediateKind::F64 => Immediates::F64(reader.read_f64()?.bits()),
        ImmediateKind::HeapType => Immediates::HeapType(reader.read()?),
        ImmediateKind::TryTable => read_try_table(reader)?,
        ImmediateKind::CastLabel => read_cast_label(reader)?,
    })
}

fn read_block_type(reader: &mut BinaryReader<'_>) -> Result<BlockType, BinaryReaderError> {
    /// The block type without values.
    const EMPTY: u8 = 0x40;
    let mut ahead = reader.clone();
    if ahead.read_u8()? == EMPTY {
        *reader = ahead;
        return Ok(BlockType::Empty);
    }
    let mut ahead = reader.clone();
    // Negative numbers are value types, others type indices.
    let number = ahead.read_var_s33()?;
    if number < 0 {
        return Ok(BlockType::Type(reader.read()?));
    }
    *reader = ahead;
    Ok(BlockType::FuncType(number as u32))
}

/// Alignment, memory and offset.
fn read_memarg(reader: &mut BinaryReader<'_>) -> Result<(u32, u32, u64), BinaryReaderError> {
    /// The bit of the alignment that says that a memory index follows.
    const HAS_MEMORY: u32 = 1 << 6;
    let align = reader.read_var_u32()?;
    let memory = if align & HAS_MEMORY != 0 {
        reader.read_var_u32()?
    } else {
        0
    };
    Ok((align & !HAS_MEMORY, memory, reader.read_var_u64()?))
}

fn read_array(reader: &mut BinaryReader<'_>) -> Result<[u8; 16], BinaryReaderError> {
    let bytes = reader.read_bytes(16)?;
    Ok(*bytes.first_chunk().expect("as many as asked for"))
}

fn read_try_table(reader: &mut BinaryReader<'_>) -> Result<Immediates, BinaryReaderError> {
    let ty = read_block_type(reader)?;
    let count = reader.read_var_u32()?;
    // Each clause takes two bytes at least, which bounds the allocation by the code's size.
    let mut catches = Vec::with_capacity((count as usize).min(reader.bytes_remaining()));
    for _ in 0..count {
        catches.push(reader.read()?);
    }
    Ok(Immediates::TryTable { ty, catches })
}

fn read_cast_label(reader: &mut BinaryReader<'_>) -> Result<Immediates, BinaryReaderError> {
    let flags = reader.read_u8()?;
    let label = reader.read_var_u32()?;
    Ok(Immediates::Cast {
        label,
        from: (flags & 1 != 0, reader.read()?),
        to: (flags & 2 != 0, reader.read()?),
    })
}

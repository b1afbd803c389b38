//! Comparing two machines that run the same program.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::memory::Memory;
use crate::vm::Vm;

/// What is not the same in two machines, the first that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Difference {
    /// The logical clock.
    Tick(u64, u64),
    /// How many calls of the host were made.
    HostCalls(u64, u64),
    /// How many frames there are.
    Depth(usize, usize),
    /// The function or the place of a frame, 0 being the outermost.
    Frame(usize),
    /// A local or an operand of a frame: cells of the stack as bits.
    Cell {
        /// The frame, 0 being the outermost.
        frame: usize,
        /// The position among the frame's cells, locals first.
        position: usize,
        /// What they hold.
        values: (u64, u64),
    },
    /// A cell of the globals.
    Global {
        /// Its position.
        position: usize,
        /// What they hold.
        values: (u64, u64),
    },
    /// The size of a memory in bytes.
    MemorySize {
        /// Its position in the store.
        memory: usize,
        /// The sizes.
        values: (usize, usize),
    },
    /// A byte of a memory.
    Memory {
        /// Its position in the store.
        memory: usize,
        /// The byte's address.
        address: usize,
        /// What they hold.
        values: (u8, u8),
    },
    /// A table.
    Table(usize),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Difference::Tick(a, b) => write!(f, "the clock is at {a} and at {b}"),
            Difference::HostCalls(a, b) => write!(f, "{a} and {b} calls of the host were made"),
            Difference::Depth(a, b) => write!(f, "there are {a} and {b} frames"),
            Difference::Frame(frame) => {
                write!(f, "frame {frame} from the outermost stands at two places")
            }
            Difference::Cell {
                frame,
                position,
                values: (a, b),
            } => write!(
                f,
                "cell {position} of frame {frame} from the outermost holds 0x{a:x} and 0x{b:x}"
            ),
            Difference::Global {
                position,
                values: (a, b),
            } => write!(
                f,
                "cell {position} of the globals holds 0x{a:x} and 0x{b:x}"
            ),
            Difference::MemorySize {
                memory,
                values: (a, b),
            } => write!(f, "memory {memory} has {a} and {b} bytes"),
            Difference::Memory {
                memory,
                address,
                values: (a, b),
            } => write!(
                f,
                "memory {memory} holds 0x{a:02x} and 0x{b:02x} at 0x{address:x}"
            ),
            Difference::Table(table) => write!(f, "table {table} has other elements"),
        }
    }
}

impl Vm {
    /// The first difference between the states of two machines; `None` when a program could not tell one from the other. Both
    /// have the same instances.
    #[must_use]
    pub fn difference(&self, other: &Vm) -> Option<Difference> {
        let (a, b) = (&self.machine, &other.machine);
        if a.tick != b.tick {
            return Some(Difference::Tick(a.tick, b.tick));
        }
        if a.host_calls != b.host_calls {
            return Some(Difference::HostCalls(a.host_calls, b.host_calls));
        }
        if a.frames.len() != b.frames.len() {
            return Some(Difference::Depth(a.frames.len(), b.frames.len()));
        }
        let mut frames = a.frames.iter().zip(&b.frames);
        if let Some(frame) = frames.position(|(a, b)| a != b) {
            return Some(Difference::Frame(frame));
        }
        self.cell_difference(other)
            .or_else(|| {
                let (position, values) = first_difference(&a.globals, &b.globals)?;
                Some(Difference::Global { position, values })
            })
            .or_else(|| memory_difference(&a.memories, &b.memories))
            .or_else(|| {
                let mut tables = a.tables.iter().zip(&b.tables);
                let table = tables.position(|(a, b)| a.elements != b.elements)?;
                Some(Difference::Table(table))
            })
    }

    /// Both have the same frames.
    fn cell_difference(&self, other: &Vm) -> Option<Difference> {
        let (a, b) = (&self.machine, &other.machine);
        if a.frames.is_empty() {
            // The results of what has run are looked at by others.
            return None;
        }
        let bottom = crate::machine::STACK_BOTTOM as usize;
        let height = a.height.max(b.height) as usize;
        let cells = bottom..height;
        let (position, values) = first_difference(&a.cells[cells.clone()], &b.cells[cells])?;
        let cell = bottom + position;
        let frame = a
            .frames
            .partition_point(|frame| frame.base as usize <= cell)
            - 1;
        Some(Difference::Cell {
            frame,
            position: cell - a.frames[frame].base as usize,
            values,
        })
    }

    /// A digest (SHA-256) of all memories, in their order: the size in bytes, as a little-endian number of 64 bits, then the bytes.
    #[must_use]
    pub fn memory_digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for memory in &self.machine.memories {
            hash.update((memory.bytes().len() as u64).to_le_bytes());
            hash.update(memory.bytes());
        }
        hash.finalize().into()
    }

    /// The size of all memories in bytes. Memories never shrink.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        let memories = self.machine.memories.iter();
        memories.map(|memory| memory.bytes().len() as u64).sum()
    }
}

fn first_difference<T: Copy + PartialEq>(a: &[T], b: &[T]) -> Option<(usize, (T, T))> {
    if a == b {
        return None;
    }
    let position = a.iter().zip(b).position(|(a, b)| a != b)?;
    Some((position, (a[position], b[position])))
}

fn memory_difference(a: &[Memory], b: &[Memory]) -> Option<Difference> {
    a.iter().zip(b).enumerate().find_map(|(memory, (a, b))| {
        let (a, b) = (a.bytes(), b.bytes());
        if a.len() != b.len() {
            return Some(Difference::MemorySize {
                memory,
                values: (a.len(), b.len()),
            });
        }
        let (address, values) = first_difference(a, b)?;
        Some(Difference::Memory {
            memory,
            address,
            values,
        })
    })
}

//! Handlers of instructions on structs, arrays and their references.
//!
//! All of them work on the stack in memory, in a function of their own: see [`Stop::Long`](super::context::Stop).

use wasmparser::{AbstractHeapType, HeapType, StorageType, UnpackedIndex, ValType};

use super::context::{Context, Execute, Flow, Leave, Regs, leave, read_u32_any, skip_leb};
use super::control::branch_over;
use super::ops;
use crate::address::{ObjectAddr, TypeId};
use crate::heap::{Heap, ObjectKind, Room, read_field, write_field};
use crate::machine::Machine;
use crate::store::{Instance, Store};
use crate::trap::TrapKind;
use crate::types::{Layout, StructLayout, storage_bytes};
use crate::value::{Reference, i31_signed};

/// What an instruction on objects works with. Nothing takes effect before [`World::finish`], so that a trap is exact.
struct World<'a> {
    context: &'a mut Context,
    machine: &'a mut Machine,
    store: &'a Store,
    instance: &'a Instance,
    /// The next immediate, and at last the next instruction.
    at: *const u8,
    /// The stack as it will be.
    sp: *mut u64,
}

/// Whether the instruction succeeded, or else why the handlers leave.
///
/// Small enough for registers, as an outcome in the handler's own frame would keep its last call from becoming a jump.
type Slow = Result<(), Leave>;
const _: () = assert!(size_of::<Slow>() <= 8);

#[inline(always)]
unsafe fn slow(regs: Regs, body: unsafe fn(*mut Context) -> Slow) -> Flow {
    // SAFETY: the context is alive for the whole run, and the body leaves its registers within code and stack.
    unsafe {
        regs.spill();
        (*regs.context).pc = regs.pc;
        (*regs.context).sp = regs.sp;
        match body(regs.context) {
            Ok(()) => {
                let context = &*regs.context;
                Ok(Regs {
                    pc: context.pc,
                    sp: context.sp,
                    top: *context.sp.sub(1),
                    ..regs
                })
            }
            Err(why) => leave(regs, why),
        }
    }
}

/// `objects! { StructNew(world) => …; }`: the semantics of an instruction behind the prefix.
macro_rules! objects {
    ($($name:ident($world:ident) => $body:expr;)*) => {
        $(impl Execute for ops::$name {
            #[inline(always)]
            unsafe fn execute<const LONG: bool>(regs: Regs) -> Flow {
                #[inline(never)]
                unsafe fn body(context: *mut Context) -> Slow {
                    // SAFETY: the handler passes a context whose pointers are valid, with validated code at `pc`.
                    unsafe {
                        let context = &mut *context;
                        let (machine, store) = (&mut *context.machine, &*context.store);
                        let instance = &store.instances[(*context.code).instance.index()];
                        let (at, sp) = (skip_leb(context.pc.add(1)), context.sp);
                        #[allow(unused_mut, reason = "conversions change nothing")]
                        let mut $world = World { context, machine, store, instance, at, sp };
                        $body?;
                        $world.finish()
                    }
                }
                // SAFETY: the handler passes its own registers.
                unsafe { slow(regs, body) }
            }
        })*
    };
}

objects! {
    StructNew(world) => struct_new(&mut world);
    StructNewDefault(world) => struct_new_default(&mut world);
    StructGet(world) => struct_get(&mut world, |cell, _| cell);
    StructGetS(world) => struct_get(&mut world, sign_extended);
    StructGetU(world) => struct_get(&mut world, |cell, _| cell);
    StructSet(world) => struct_set(&mut world);
    ArrayNew(world) => array_new(&mut world, true);
    ArrayNewDefault(world) => array_new(&mut world, false);
    ArrayNewFixed(world) => array_new_fixed(&mut world);
    ArrayNewData(world) => array_new_segment(&mut world, Segment::Data);
    ArrayNewElem(world) => array_new_segment(&mut world, Segment::Elements);
    ArrayGet(world) => array_get(&mut world, |cell, _| cell);
    ArrayGetS(world) => array_get(&mut world, sign_extended);
    ArrayGetU(world) => array_get(&mut world, |cell, _| cell);
    ArraySet(world) => array_set(&mut world);
    ArrayLen(world) => array_len(&mut world);
    ArrayFill(world) => array_fill(&mut world);
    ArrayCopy(world) => array_copy(&mut world);
    ArrayInitData(world) => array_init(&mut world, Segment::Data);
    ArrayInitElem(world) => array_init(&mut world, Segment::Elements);
    RefTest(world) => ref_test(&mut world, false);
    RefTestNull(world) => ref_test(&mut world, true);
    RefCast(world) => ref_cast(&mut world, false);
    RefCastNull(world) => ref_cast(&mut world, true);
    // References of both sides have the same cells.
    AnyConvertExtern(world) => Ok(());
    ExternConvertAny(world) => Ok(());
    RefI31(world) => {
        let value = world.pop() as u32 & 0x7fff_ffff;
        world.push(Reference::I31(value).to_cell());
        Ok(())
    };
    I31GetS(world) => i31_get(&mut world, |value| i31_signed(value) as u32);
    I31GetU(world) => i31_get(&mut world, |value| value);
}

/// `br_on_cast` and `br_on_cast_fail` are decided out of line, and branch like all others.
macro_rules! cast_branches {
    ($($name:ident if $fits:literal;)*) => {
        $(impl Execute for ops::$name {
            #[inline(always)]
            unsafe fn execute<const LONG: bool>(regs: Regs) -> Flow {
                // SAFETY: the handler passes its own registers.
                unsafe {
                    if cast_fits(regs.context, regs.pc, regs.top) != $fits {
                        return Ok(Regs { pc: after_cast(regs.pc), side: regs.side.add(1), ..regs });
                    }
                    branch_over::<LONG>(regs)
                }
            }
        })*
    };
}
cast_branches! {
    BrOnCast if true;
    BrOnCastFail if false;
}

/// The instruction after the branch on a cast at `pc`.
#[inline(always)]
unsafe fn after_cast(pc: *const u8) -> *const u8 {
    // SAFETY: validated code has a number, flags, a label and two heap types after the prefix.
    unsafe { skip_leb(skip_leb(skip_leb(skip_leb(pc.add(1)).add(1)))) }
}

/// Whether the reference has the type that the branch at `pc` asks for.
#[inline(never)]
pub(crate) unsafe fn cast_fits(context: *const Context, pc: *const u8, cell: u64) -> bool {
    /// The flag that says that null has the type.
    const TO_IS_NULLABLE: u8 = 2;
    // SAFETY: as for `after_cast`; the context's pointers are valid for the whole run.
    unsafe {
        let context = &*context;
        let store = &*context.store;
        let instance = &store.instances[(*context.code).instance.index()];
        let flags_at = skip_leb(pc.add(1));
        let nullable = *flags_at & TO_IS_NULLABLE != 0;
        let from = skip_leb(flags_at.add(1));
        let (ty, _) = read_heap_type(skip_leb(from), instance);
        store.cast_fits(&(*context.machine).heap, cell, nullable, ty)
    }
}

/// The heap type at `at`, in the store's terms, and what comes after it.
unsafe fn read_heap_type(at: *const u8, instance: &Instance) -> (HeapType, *const u8) {
    use AbstractHeapType::{
        Any, Array, Eq, Exn, Extern, Func, I31, NoExn, NoExtern, NoFunc, None, Struct,
    };
    // SAFETY: validated code has a heap type there.
    let byte = unsafe { *at };
    let ty = match byte {
        0x69 => Exn,
        0x6a => Array,
        0x6b => Struct,
        0x6c => I31,
        0x6d => Eq,
        0x6e => Any,
        0x6f => Extern,
        0x70 => Func,
        0x71 => None,
        0x72 => NoExtern,
        0x73 => NoFunc,
        0x74 => NoExn,
        _ => {
            // SAFETY: passed on from above.
            let (index, next) = unsafe { read_u32_any(at) };
            let id = instance.type_ids[index as usize];
            return (HeapType::Concrete(UnpackedIndex::Module(id.0)), next);
        }
    };
    (HeapType::Abstract { shared: false, ty }, at.wrapping_add(1))
}

impl<'a> World<'a> {
    /// The next immediate, an index or a number.
    unsafe fn immediate(&mut self) -> u32 {
        // SAFETY: validated code has the immediate.
        let (value, next) = unsafe { read_u32_any(self.at) };
        self.at = next;
        value
    }

    /// The type that the next immediate names.
    unsafe fn type_immediate(&mut self) -> TypeId {
        // SAFETY: passed on from the caller.
        self.instance.type_ids[unsafe { self.immediate() } as usize]
    }

    unsafe fn struct_type(&mut self) -> (TypeId, &'a StructLayout) {
        // SAFETY: passed on from the caller.
        let id = unsafe { self.type_immediate() };
        match self.store.types.layout(id) {
            Layout::Struct(layout) => (id, layout),
            _ => unreachable!("validated code names a struct type"),
        }
    }

    unsafe fn array_type(&mut self) -> (TypeId, StorageType) {
        // SAFETY: passed on from the caller.
        let id = unsafe { self.type_immediate() };
        match self.store.types.layout(id) {
            Layout::Array(element) => (id, *element),
            _ => unreachable!("validated code names an array type"),
        }
    }

    unsafe fn pop(&mut self) -> u64 {
        // SAFETY: validated code has the operand.
        unsafe {
            self.sp = self.sp.sub(1);
            *self.sp
        }
    }

    unsafe fn push(&mut self, cell: u64) {
        // SAFETY: the frame's height was checked at its entry.
        unsafe {
            *self.sp = cell;
            self.sp = self.sp.add(1);
        }
    }

    /// Pops a value as its two cells, of which all types but one use the first only.
    unsafe fn pop_value(&mut self, storage: StorageType) -> (u64, u64) {
        // SAFETY: passed on from the caller.
        unsafe {
            let last = self.pop();
            if storage == StorageType::Val(ValType::V128) {
                (self.pop(), last)
            } else {
                (last, 0)
            }
        }
    }

    unsafe fn push_value(&mut self, storage: StorageType, (low, high): (u64, u64)) {
        // SAFETY: passed on from the caller.
        unsafe {
            self.push(low);
            if storage == StorageType::Val(ValType::V128) {
                self.push(high);
            }
        }
    }

    /// Pops a reference to an object.
    unsafe fn pop_object(&mut self, if_null: TrapKind) -> Result<ObjectAddr, Leave> {
        // SAFETY: passed on from the caller.
        match Reference::from_cell(unsafe { self.pop() }) {
            Reference::Object(object) => Ok(object),
            _ => Err(Leave::Trap(if_null)),
        }
    }

    fn heap(&mut self) -> &mut Heap {
        &mut self.machine.heap
    }

    /// Makes sure that an object of so many bytes can be made.
    fn reserve(&self, bytes: u64) -> Slow {
        match self.machine.heap.room_for(bytes) {
            Room::Enough => Ok(()),
            Room::Collect => Err(Leave::Collect),
            Room::None => Err(Leave::Trap(TrapKind::HeapExhausted)),
        }
    }

    unsafe fn push_new(&mut self, id: TypeId, bytes: Vec<u8>) {
        let object = self
            .heap()
            .allocate(ObjectKind::Data(id), bytes.into_boxed_slice());
        // SAFETY: passed on from the caller.
        unsafe { self.push(object.to_cell()) };
    }

    /// The bytes of `count` elements from an offset of a segment on.
    fn segment_bytes(
        &self,
        segment: Segment,
        index: u32,
        (offset, count): (u64, u64),
        size: u64,
    ) -> Result<Vec<u8>, Leave> {
        match segment {
            Segment::Data => self.data_bytes(index, offset, count * size),
            Segment::Elements => self.element_bytes(index, offset, count),
        }
    }

    fn data_bytes(&self, segment: u32, offset: u64, size: u64) -> Result<Vec<u8>, Leave> {
        let segment = (self.instance.data_start + segment) as usize;
        let bytes = if self.machine.dropped_data[segment] {
            &[][..]
        } else {
            self.store.data_bytes(segment)
        };
        let range = offset as usize..(offset + size) as usize;
        let copied = bytes.get(range).map(<[u8]>::to_vec);
        copied.ok_or(Leave::Trap(TrapKind::MemoryOutOfBounds))
    }

    fn element_bytes(&self, segment: u32, offset: u64, count: u64) -> Result<Vec<u8>, Leave> {
        let segment = (self.instance.elements_start + segment) as usize;
        let cells = if self.machine.dropped_elements[segment] {
            &[][..]
        } else {
            &self.store.elements[segment]
        };
        let cells = cells.get(offset as usize..(offset + count) as usize);
        let cells = cells.ok_or(Leave::Trap(TrapKind::TableOutOfBounds))?;
        Ok(cells.iter().flat_map(|cell| cell.to_le_bytes()).collect())
    }

    /// Lets the instruction take effect on stack and position.
    fn finish(self) -> Slow {
        self.context.pc = self.at;
        self.context.sp = self.sp;
        Ok(())
    }
}

/// What elements are copied from.
#[derive(Clone, Copy)]
enum Segment {
    Data,
    Elements,
}

/// What `get_s` makes of a field.
fn sign_extended(cell: u64, storage: StorageType) -> u64 {
    let value = match storage {
        StorageType::I8 => i32::from(cell as i8),
        StorageType::I16 => i32::from(cell as i16),
        StorageType::Val(_) => return cell,
    };
    u64::from(value as u32)
}

fn low(cell: u64) -> u64 {
    u64::from(cell as u32)
}

unsafe fn struct_new(world: &mut World<'_>) -> Slow {
    // SAFETY: validated code has the operands.
    unsafe {
        let (id, layout) = world.struct_type();
        world.reserve(u64::from(layout.size))?;
        let mut bytes = vec![0; layout.size as usize];
        for &(offset, storage) in layout.fields.iter().rev() {
            let value = world.pop_value(storage);
            write_field(&mut bytes, offset as usize, storage, value);
        }
        world.push_new(id, bytes);
        Ok(())
    }
}

unsafe fn struct_new_default(world: &mut World<'_>) -> Slow {
    // SAFETY: validated code has the operands.
    unsafe {
        let (id, layout) = world.struct_type();
        world.reserve(u64::from(layout.size))?;
        world.push_new(id, vec![0; layout.size as usize]);
        Ok(())
    }
}

unsafe fn struct_get(world: &mut World<'_>, widen: fn(u64, StorageType) -> u64) -> Slow {
    // SAFETY: validated code has the operands.
    unsafe {
        let (_, layout) = world.struct_type();
        let (offset, storage) = layout.fields[world.immediate() as usize];
        let object = world.pop_object(TrapKind::NullStructureReference)?;
        let bytes = &world.heap().object(object).bytes;
        let (low, high) = read_field(bytes, offset as usize, storage);
        world.push_value(storage, (widen(low, storage), high));
        Ok(())
    }
}

unsafe fn struct_set(world: &mut World<'_>) -> Slow {
    // SAFETY: validated code has the operands.
    unsafe {
        let (_, layout) = world.struct_type();
        let (offset, storage) = layout.fields[world.immediate() as usize];
        let value = world.pop_value(storage);
        let object = world.pop_object(TrapKind::NullStructureReference)?;
        let bytes = world.heap().bytes_mut(object);
        write_field(bytes, offset as usize, storage, value);
        Ok(())
    }
}

unsafe fn array_new(world: &mut World<'_>, has_value: bool) -> Slow {
    // SAFETY: validated code has the operands.
    unsafe {
        let (id, storage) = world.array_type();
        let length = low(world.pop());
        let value = if has_value {
            world.pop_value(storage)
        } else {
            (0, 0)
        };
        let size = u64::from(storage_bytes(storage));
        world.reserve(length * size)?;
        let mut bytes = vec![0; (length * size) as usize];
        if value != (0, 0) {
            fill(&mut bytes, storage, value);
        }
        world.push_new(id, bytes);
        Ok(())
    }
}

unsafe fn array_new_fixed(world: &mut World<'_>) -> Slow {
    // SAFETY: validated code has the operands.
    unsafe {
        let (id, storage) = world.array_type();
        let length = u64::from(world.immediate());
        let size = u64::from(storage_bytes(storage));
        world.reserve(length * size)?;
        let mut bytes = vec![0; (length * size) as usize];
        for index in (0..length as usize).rev() {
            let value = world.pop_value(storage);
            write_field(&mut bytes, index * size as usize, storage, value);
        }
        world.push_new(id, bytes);
        Ok(())
    }
}

unsafe fn array_new_segment(world: &mut World<'_>, segment: Segment) -> Slow {
    // SAFETY: validated code has the operands.
    unsafe {
        let (id, storage) = world.array_type();
        let index = world.immediate();
        let (count, offset) = (low(world.pop()), low(world.pop()));
        let size = u64::from(storage_bytes(storage));
        // A segment that is too short is told before a heap that is too small.
        let bytes = world.segment_bytes(segment, index, (offset, count), size)?;
        world.reserve(count * size)?;
        world.push_new(id, bytes);
        Ok(())
    }
}

/// The range of `count` elements from `index` on in the bytes of an array.
fn element_range(
    bytes: &[u8],
    index: u64,
    count: u64,
    size: u64,
) -> Result<std::ops::Range<usize>, Leave> {
    let end = (index + count) * size;
    if end <= bytes.len() as u64 {
        Ok((index * size) as usize..end as usize)
    } else {
        Err(Leave::Trap(TrapKind::ArrayOutOfBounds))
    }
}

unsafe fn array_get(world: &mut World<'_>, widen: fn(u64, StorageType) -> u64) -> Slow {
    // SAFETY: validated code has the operands.
    unsafe {
        let (_, storage) = world.array_type();
        let index = low(world.pop());
        let array = world.pop_object(TrapKind::NullArrayReference)?;
        let bytes = &world.heap().object(array).bytes;
        let range = element_range(bytes, index, 1, u64::from(storage_bytes(storage)))?;
        let (low, high) = read_field(bytes, range.start, storage);
        world.push_value(storage, (widen(low, storage), high));
        Ok(())
    }
}

unsafe fn array_set(world: &mut World<'_>) -> Slow {
    // SAFETY: validated code has the operands.
    unsafe {
        let (_, storage) = world.array_type();
        let value = world.pop_value(storage);
        let index = low(world.pop());
        let array = world.pop_object(TrapKind::NullArrayReference)?;
        let bytes = &world.heap().object(array).bytes;
        let range = element_range(bytes, index, 1, u64::from(storage_bytes(storage)))?;
        write_field(world.heap().bytes_mut(array), range.start, storage, value);
        Ok(())
    }
}

unsafe fn array_len(world: &mut World<'_>) -> Slow {
    // SAFETY: validated code has the operands.
    unsafe {
        let array = world.pop_object(TrapKind::NullArrayReference)?;
        let object = world.machine.heap.object(array);
        let ObjectKind::Data(id) = object.kind else {
            unreachable!("validated code passes an array");
        };
        let Layout::Array(storage) = world.store.types.layout(id) else {
            unreachable!("validated code passes an array");
        };
        let length = object.bytes.len() / storage_bytes(*storage) as usize;
        world.push(length as u64);
        Ok(())
    }
}

unsafe fn array_fill(world: &mut World<'_>) -> Slow {
    // SAFETY: validated code has the operands.
    unsafe {
        let (_, storage) = world.array_type();
        let count = low(world.pop());
        let value = world.pop_value(storage);
        let index = low(world.pop());
        let array = world.pop_object(TrapKind::NullArrayReference)?;
        let bytes = &world.heap().object(array).bytes;
        let range = element_range(bytes, index, count, u64::from(storage_bytes(storage)))?;
        if !range.is_empty() {
            fill(&mut world.heap().bytes_mut(array)[range], storage, value);
        }
        Ok(())
    }
}

fn fill(bytes: &mut [u8], storage: StorageType, value: (u64, u64)) {
    for element in bytes.chunks_exact_mut(storage_bytes(storage) as usize) {
        write_field(element, 0, storage, value);
    }
}

unsafe fn array_copy(world: &mut World<'_>) -> Slow {
    // SAFETY: validated code has the operands.
    unsafe {
        let (_, storage) = world.array_type();
        let size = u64::from(storage_bytes(storage));
        world.immediate();
        let (count, from_index) = (low(world.pop()), low(world.pop()));
        let from = world.pop_object(TrapKind::NullArrayReference)?;
        let to_index = low(world.pop());
        let to = world.pop_object(TrapKind::NullArrayReference)?;
        let heap = world.heap();
        let target = element_range(&heap.object(to).bytes, to_index, count, size)?;
        let source = element_range(&heap.object(from).bytes, from_index, count, size)?;
        if target.is_empty() {
            return Ok(());
        }
        if from == to {
            heap.bytes_mut(to).copy_within(source, target.start);
        } else {
            let bytes = heap.object(from).bytes[source].to_vec();
            heap.bytes_mut(to)[target].copy_from_slice(&bytes);
        }
        Ok(())
    }
}

unsafe fn array_init(world: &mut World<'_>, segment: Segment) -> Slow {
    // SAFETY: validated code has the operands.
    unsafe {
        let (_, storage) = world.array_type();
        let segment_index = world.immediate();
        let (count, offset, index) = (low(world.pop()), low(world.pop()), low(world.pop()));
        let array = world.pop_object(TrapKind::NullArrayReference)?;
        let size = u64::from(storage_bytes(storage));
        let target = element_range(&world.heap().object(array).bytes, index, count, size)?;
        let bytes = world.segment_bytes(segment, segment_index, (offset, count), size)?;
        if !target.is_empty() {
            world.heap().bytes_mut(array)[target].copy_from_slice(&bytes);
        }
        Ok(())
    }
}

/// Reads the heap type after the opcode; answers whether the topmost reference has it.
unsafe fn has_type(world: &mut World<'_>, nullable: bool) -> (u64, bool) {
    // SAFETY: validated code has the operands.
    unsafe {
        let (ty, next) = read_heap_type(world.at, world.instance);
        world.at = next;
        let cell = world.pop();
        let fits = world
            .store
            .cast_fits(&world.machine.heap, cell, nullable, ty);
        (cell, fits)
    }
}

unsafe fn ref_test(world: &mut World<'_>, nullable: bool) -> Slow {
    // SAFETY: validated code has the operands.
    unsafe {
        let (_, fits) = has_type(world, nullable);
        world.push(u64::from(fits));
        Ok(())
    }
}

unsafe fn ref_cast(world: &mut World<'_>, nullable: bool) -> Slow {
    // SAFETY: validated code has the operands.
    unsafe {
        let (cell, fits) = has_type(world, nullable);
        if !fits {
            return Err(Leave::Trap(TrapKind::CastFailure));
        }
        world.push(cell);
        Ok(())
    }
}

unsafe fn i31_get(world: &mut World<'_>, widen: fn(u32) -> u32) -> Slow {
    // SAFETY: validated code has the operands.
    unsafe {
        let Reference::I31(value) = Reference::from_cell(world.pop()) else {
            return Err(Leave::Trap(TrapKind::NullI31Reference));
        };
        world.push(u64::from(widen(value)));
        Ok(())
    }
}

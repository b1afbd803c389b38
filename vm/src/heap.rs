//! The heap of structs, arrays and exceptions, as plain data.
//!
//! Objects lie in pages that checkpoints share until one of their objects is written to. An object has a place, which is
//! what cells hold and which another object gets when it is collected, and a number, which no other object ever gets.

use std::sync::Arc;

use wasmparser::{StorageType, ValType};

use crate::address::{ObjectAddr, TagAddr, TypeId};
use crate::value::Reference;

/// What an object is an instance of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ObjectKind {
    /// A struct or array of this type.
    Data(TypeId),
    /// An exception with this tag.
    Exception(TagAddr),
}

/// A struct, an array or an exception.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Object {
    pub(crate) kind: ObjectKind,
    /// Its number, by which people know it: objects are counted from 1 as they are made.
    pub(crate) number: u64,
    /// Fields or elements, as the type's layout has them.
    pub(crate) bytes: Box<[u8]>,
}

/// Places of a page.
const PAGE_OBJECTS: usize = 64;

/// What an object is taken to need beside its fields. Part of the machine's definition: it decides when a limit is exceeded.
const HEADER_BYTES: u64 = 32;

/// The least volume of allocation between two collections.
const COLLECTION_BYTES_MIN: u64 = 8 << 20;

#[derive(Clone, PartialEq, Eq, Debug)]
struct Page([Option<Arc<Object>>; PAGE_OBJECTS]);

/// The heap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Heap {
    pages: Vec<Arc<Page>>,
    /// Places without an object, the one to use next last.
    free: Vec<ObjectAddr>,
    /// Objects made so far.
    count: u64,
    /// Bytes of objects, dead ones included.
    bytes: u64,
    /// Bytes allocated since the last collection.
    bytes_since: u64,
    /// Bytes to allocate before the next collection; 0 has every allocation collect.
    bytes_until: u64,
    bytes_max: u64,
    /// Whether every allocation collects.
    is_stressed: bool,
}

/// What has to happen before an allocation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Room {
    /// Nothing.
    Enough,
    /// A collection.
    Collect,
    /// The limit is exceeded whatever is collected.
    None,
}

impl Heap {
    pub(crate) fn new(bytes_max: u64, is_stressed: bool) -> Heap {
        Heap {
            pages: Vec::new(),
            free: Vec::new(),
            count: 0,
            bytes: 0,
            bytes_since: 0,
            bytes_until: if is_stressed { 0 } else { COLLECTION_BYTES_MIN },
            bytes_max,
            is_stressed,
        }
    }

    /// Whether an object of so many bytes can be made.
    pub(crate) fn room_for(&self, bytes: u64) -> Room {
        let bytes = bytes.saturating_add(HEADER_BYTES);
        let fits = self.bytes.saturating_add(bytes) <= self.bytes_max;
        match (fits, self.bytes_since) {
            (true, 0) => Room::Enough,
            (true, since) if since.saturating_add(bytes) <= self.bytes_until => Room::Enough,
            // What was just collected gives no more.
            (false, 0) => Room::None,
            _ => Room::Collect,
        }
    }

    /// Whether an object of so many bytes can be made without a collection, where none is possible.
    pub(crate) fn fits(&self, bytes: u64) -> bool {
        self.bytes
            .saturating_add(bytes)
            .saturating_add(HEADER_BYTES)
            <= self.bytes_max
    }

    /// How full the heap is, for people.
    pub(crate) fn usage_text(&self) -> String {
        format!(
            "objects take {} bytes, the limit is {}",
            self.bytes, self.bytes_max
        )
    }

    /// Makes an object.
    pub(crate) fn allocate(&mut self, kind: ObjectKind, bytes: Box<[u8]>) -> Reference {
        let size = bytes.len() as u64 + HEADER_BYTES;
        self.bytes += size;
        self.bytes_since += size;
        self.count += 1;
        if self.free.is_empty() {
            let start = (self.pages.len() * PAGE_OBJECTS) as u32;
            self.pages
                .push(Arc::new(Page([const { None }; PAGE_OBJECTS])));
            let places = (start..start + PAGE_OBJECTS as u32).rev();
            self.free.extend(places.map(ObjectAddr));
        }
        let address = self.free.pop().expect("a page was just added");
        *self.place_mut(address) = Some(Arc::new(Object {
            kind,
            number: self.count,
            bytes,
        }));
        Reference::Object(address)
    }

    /// The object at a place, if there is one.
    pub(crate) fn get(&self, address: ObjectAddr) -> Option<&Object> {
        let page = self.pages.get(address.index() / PAGE_OBJECTS)?;
        page.0[address.index() % PAGE_OBJECTS].as_deref()
    }

    /// The object that a live reference leads to.
    pub(crate) fn object(&self, address: ObjectAddr) -> &Object {
        self.get(address).expect("a live reference has its object")
    }

    /// The bytes of the object that a live reference leads to.
    pub(crate) fn bytes_mut(&mut self, address: ObjectAddr) -> &mut [u8] {
        let object = self.place_mut(address);
        let object = object.as_mut().expect("a live reference has its object");
        &mut Arc::make_mut(object).bytes
    }

    fn place_mut(&mut self, address: ObjectAddr) -> &mut Option<Arc<Object>> {
        let page = &mut self.pages[address.index() / PAGE_OBJECTS];
        &mut Arc::make_mut(page).0[address.index() % PAGE_OBJECTS]
    }

    /// Gives up every object that `roots` do not lead to. `trace` passes the references in an object on.
    pub(crate) fn collect(
        &mut self,
        roots: impl Iterator<Item = u64>,
        trace: impl Fn(&Object, &mut dyn FnMut(u64)),
    ) {
        let mut marks = vec![false; self.pages.len() * PAGE_OBJECTS];
        let mut waiting: Vec<ObjectAddr> = Vec::new();
        let mut mark = |cell: u64, waiting: &mut Vec<ObjectAddr>| {
            if let Reference::Object(address) = Reference::from_cell(cell)
                && !std::mem::replace(&mut marks[address.index()], true)
            {
                waiting.push(address);
            }
        };
        roots.for_each(|cell| mark(cell, &mut waiting));
        while let Some(address) = waiting.pop() {
            trace(self.object(address), &mut |cell| mark(cell, &mut waiting));
        }
        self.sweep(&marks);
        self.bytes_since = 0;
        if !self.is_stressed {
            self.bytes_until = self.bytes.max(COLLECTION_BYTES_MIN);
        }
    }

    fn sweep(&mut self, marks: &[bool]) {
        self.free.clear();
        for (number, page) in self.pages.iter_mut().enumerate() {
            let start = number * PAGE_OBJECTS;
            let is_dead = |position: usize| !marks[start + position];
            let is_garbage = |(position, place): (usize, &Option<Arc<Object>>)| {
                place.is_some() && is_dead(position)
            };
            // A page that keeps all its objects goes on being shared.
            if page.0.iter().enumerate().any(is_garbage) {
                for (position, place) in Arc::make_mut(page).0.iter_mut().enumerate() {
                    if let Some(object) = place.take_if(|_| is_dead(position)) {
                        self.bytes -= object.bytes.len() as u64 + HEADER_BYTES;
                    }
                }
            }
            let empty = page
                .0
                .iter()
                .enumerate()
                .filter(|(_, place)| place.is_none());
            self.free
                .extend(empty.map(|(position, _)| ObjectAddr((start + position) as u32)));
        }
        self.free.reverse();
    }

    /// Objects that there are, dead ones included.
    pub(crate) fn object_count(&self) -> u64 {
        let objects = self.pages.iter().flat_map(|page| page.0.iter().flatten());
        objects.count() as u64
    }

    /// The bytes of objects that `previous` does not share.
    pub(crate) fn bytes_beyond(&self, previous: Option<&Heap>) -> usize {
        let own = |(number, page): (usize, &Arc<Page>)| {
            let old = previous.and_then(|heap| heap.pages.get(number));
            if old.is_some_and(|old| Arc::ptr_eq(old, page)) {
                return 0;
            }
            let objects = page.0.iter().flatten();
            size_of::<Page>()
                + objects
                    .map(|object| object.bytes.len() + HEADER_BYTES as usize)
                    .sum::<usize>()
        };
        self.free.len() * 4 + self.pages.iter().enumerate().map(own).sum::<usize>()
    }
}

/// The cells of the value at an offset of an object's bytes; a small integer is zero-extended.
pub(crate) fn read_field(bytes: &[u8], offset: usize, storage: StorageType) -> (u64, u64) {
    let word = |offset: usize| u64::from_le_bytes(array(&bytes[offset..]));
    match storage {
        StorageType::I8 => (u64::from(bytes[offset]), 0),
        StorageType::I16 => (u64::from(u16::from_le_bytes(array(&bytes[offset..]))), 0),
        StorageType::Val(ValType::I32 | ValType::F32) => {
            (u64::from(u32::from_le_bytes(array(&bytes[offset..]))), 0)
        }
        StorageType::Val(ValType::V128) => (word(offset), word(offset + 8)),
        StorageType::Val(_) => (word(offset), 0),
    }
}

/// Stores the value in these cells at an offset of an object's bytes.
pub(crate) fn write_field(
    bytes: &mut [u8],
    offset: usize,
    storage: StorageType,
    (low, high): (u64, u64),
) {
    let size = crate::types::storage_bytes(storage) as usize;
    let both = u128::from(low) | u128::from(high) << 64;
    bytes[offset..offset + size].copy_from_slice(&both.to_le_bytes()[..size]);
}

fn array<const COUNT: usize>(bytes: &[u8]) -> [u8; COUNT] {
    *bytes.first_chunk().expect("a field lies within its object")
}

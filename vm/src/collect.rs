//! Collecting garbage: which references are live.
//!
//! The roots are exact. Locals and operands of every frame have the types that validation gives them at the place where
//! the frame stands; these maps are kept by place. Collecting changes nothing that a program can observe, the clock included.

use std::sync::Arc;

use wasmparser::ValType;

use crate::address::{FuncAddr, ModuleOffset};
use crate::heap::ObjectKind;
use crate::machine::Frame;
use crate::shape::Slot;
use crate::types::{Layout, is_reference};
use crate::vm::Vm;

/// A place at which a frame stands, and whether it waits there for a call to return.
pub(crate) type RootPlace = (FuncAddr, ModuleOffset, bool);

/// The most places whose maps are kept.
const PLACES_MAX: usize = 1 << 16;

impl Vm {
    /// Gives up every object that nothing leads to.
    pub(crate) fn collect(&mut self) {
        let roots = self.roots();
        let store = &self.store;
        self.machine
            .heap
            .collect(roots.into_iter(), |object, pass| {
                let mut pass_at = |offset: usize| {
                    let (cell, _) = object.bytes[offset..]
                        .split_first_chunk::<8>()
                        .expect("a reference");
                    pass(u64::from_le_bytes(*cell));
                };
                let layout = match object.kind {
                    ObjectKind::Exception(tag) => &store.tags[tag.index()].layout,
                    ObjectKind::Data(id) => match store.types.layout(id) {
                        Layout::Struct(layout) => layout,
                        Layout::Array(element) if is_reference(*element) => {
                            (0..object.bytes.len()).step_by(8).for_each(pass_at);
                            return;
                        }
                        Layout::Array(_) | Layout::Func => return,
                    },
                };
                for &offset in &layout.references {
                    pass_at(offset as usize);
                }
            });
    }

    /// The cells of all references that are not in the heap.
    fn roots(&mut self) -> Vec<u64> {
        let mut roots = self.frame_roots();
        let machine = &self.machine;
        roots.extend_from_slice(&machine.held);
        for (ty, cell) in &self.store.globals {
            if ty.content_type.is_reference_type() {
                roots.push(machine.globals[*cell as usize]);
            }
        }
        for table in &machine.tables {
            roots.extend_from_slice(&table.elements);
        }
        let segments = self.store.elements.iter().zip(&machine.dropped_elements);
        for (cells, _) in segments.filter(|(_, is_dropped)| !**is_dropped) {
            roots.extend_from_slice(cells);
        }
        for invocation in &machine.pending {
            let mut cells = &invocation.args[..];
            for &ty in self.store.func_type(invocation.func).params() {
                if ty.is_reference_type() {
                    roots.push(cells[0]);
                }
                cells = &cells[crate::value::cell_count(ty) as usize..];
            }
        }
        roots
    }

    /// The cells of the references that the frames hold.
    pub(crate) fn frame_roots(&mut self) -> Vec<u64> {
        let mut roots = Vec::new();
        let count = self.machine.frames.len();
        for number in 0..count {
            let Frame { func, pc, base, .. } = self.machine.frames[number];
            // A caller's arguments belong to the callee.
            let callee = self.machine.frames.get(number + 1);
            let end = callee.map_or(self.machine.height, |callee| callee.base);
            let references = self.references_at((func, pc, callee.is_some()));
            let cells = references.iter().map(|cell| base + cell);
            let live = cells.take_while(|&cell| cell < end);
            roots.extend(live.map(|cell| self.machine.cells[cell as usize]));
        }
        roots
    }

    /// The cells of a frame that hold references, in ascending order, counted from its first.
    fn references_at(&mut self, place: RootPlace) -> Arc<[u32]> {
        if let Some(known) = self.root_maps.get(&place) {
            return Arc::clone(known);
        }
        let (func, pc, is_waiting) = place;
        let inst = &self.store.funcs[func.index()];
        let module = self.module(inst.instance);
        let at = if is_waiting {
            let mut instructions = module.instructions(inst.index);
            let call = instructions.find(|instruction| instruction.next == pc);
            call.map_or(pc, |call| call.pc)
        } else {
            pc
        };
        let shape = module.shape_at(inst.index, at);
        let shape = shape.expect("a frame stands at an instruction");
        let slots = shape.locals.iter().chain(&shape.operands);
        let is_root = |slot: &&Slot| matches!(slot.ty, Some(ValType::Ref(_)));
        let cells = slots.chain(&shape.exceptions).filter(is_root);
        let mut cells: Vec<u32> = cells.map(|slot| slot.cell).collect();
        cells.sort_unstable();
        let references: Arc<[u32]> = cells.into();
        if self.root_maps.len() >= PLACES_MAX {
            self.root_maps.clear();
        }
        self.root_maps.insert(place, Arc::clone(&references));
        references
    }
}

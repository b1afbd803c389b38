//! The frames that a person sees: the machine's, with inlined calls as frames of their own.

use std::cell::RefCell;
use std::sync::Arc;

use wdb_dwarf::{CodeOffset, SourceLocation};
use wdb_vm::address::{FuncIndex, ModuleOffset};
use wdb_vm::frames::FrameInfo;
use wdb_vm::vm::Vm;

use crate::program::{CodePlace, Program};

/// A frame of the backtrace.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// 0 is the innermost.
    pub(crate) index: usize,
    /// The number of the wasm frame, 0 being the innermost.
    pub(crate) machine: usize,
    /// Which of the functions at the frame's instruction: 0 is the innermost inlined call, the last the wasm function.
    pub(crate) inline: usize,
    pub(crate) info: FrameInfo,
    /// The instruction to look up: of a caller one byte before the return address, which is within the call.
    pub(crate) lookup: ModuleOffset,
    places: Arc<[CodePlace]>,
}

impl Frame {
    /// The function and the position in it.
    pub(crate) fn place(&self) -> &CodePlace {
        &self.places[self.inline]
    }

    pub(crate) fn function(&self) -> &Arc<str> {
        &self.place().function
    }

    pub(crate) fn location(&self) -> Option<&SourceLocation> {
        self.place().location.as_ref()
    }

    pub(crate) fn func_index(&self) -> FuncIndex {
        self.info.index
    }

    pub(crate) fn pc(&self) -> ModuleOffset {
        self.info.pc
    }

    /// Whether this is a call that the compiler inlined into the next frame.
    pub(crate) fn is_inlined(&self) -> bool {
        self.inline + 1 < self.places.len()
    }

    /// How many inlined calls lie around the position, the frame's own included.
    pub(crate) fn inline_depth(&self) -> usize {
        self.places.len() - 1 - self.inline
    }

    /// Where debug info looks up the frame's variables.
    pub(crate) fn code_offset(&self, program: &Program) -> Option<CodeOffset> {
        program.code_offset(self.lookup)
    }
}

/// Walks over the frames, innermost first. It reads no more of the stack than is asked for.
pub(crate) struct Frames<'a> {
    program: &'a Program,
    vm: &'a RefCell<Vm>,
    machine: usize,
    index: usize,
    /// The current wasm frame and the next function at its instruction.
    current: Option<(FrameInfo, ModuleOffset, Arc<[CodePlace]>, usize)>,
}

impl<'a> Frames<'a> {
    /// The frames of the machine; of the inlined calls around its instruction, so many of the innermost are left out
    /// because they are not entered yet.
    pub(crate) fn new(program: &'a Program, vm: &'a RefCell<Vm>, hidden: usize) -> Frames<'a> {
        let mut frames = Frames {
            program,
            vm,
            machine: 0,
            index: 0,
            current: None,
        };
        if let Some((info, lookup, places)) = frames.places_of(0) {
            let inline = hidden.min(places.len().saturating_sub(1));
            frames.current = (!places.is_empty()).then_some((info, lookup, places, inline));
        }
        frames
    }

    fn places_of(&self, machine: usize) -> Option<(FrameInfo, ModuleOffset, Arc<[CodePlace]>)> {
        let info = self.vm.borrow().frame(machine)?;
        let lookup = match machine {
            0 => info.pc,
            _ => ModuleOffset(info.pc.0.saturating_sub(1)),
        };
        // Debug info describes the first instance's module; others have names only in their own.
        let places = self.program.places_at(lookup);
        Some((info, lookup, places))
    }

    /// How many frames there are, counted without building any.
    pub(crate) fn total(program: &Program, vm: &RefCell<Vm>, hidden: usize) -> usize {
        let frames = Frames::new(program, vm, hidden);
        let mut total = 0_usize;
        // Recursion repeats the same few return addresses.
        let mut last: Option<(ModuleOffset, usize)> = None;
        for machine in 0.. {
            let Some(info) = vm.borrow().frame(machine) else {
                return total.saturating_sub(hidden);
            };
            let count = match last {
                Some((pc, count)) if pc == info.pc && machine > 1 => count,
                _ => frames
                    .places_of(machine)
                    .map_or(0, |(_, _, places)| places.len()),
            };
            last = Some((info.pc, count));
            total += count;
        }
        total
    }
}

impl Iterator for Frames<'_> {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        if self.current.is_none() {
            let (info, lookup, places) = self.places_of(self.machine)?;
            if places.is_empty() {
                return None;
            }
            self.current = Some((info, lookup, places, 0));
        }
        let (info, lookup, places, inline) = self.current.as_mut()?;
        let frame = Frame {
            index: self.index,
            machine: self.machine,
            inline: *inline,
            info: *info,
            lookup: *lookup,
            places: places.clone(),
        };
        self.index += 1;
        *inline += 1;
        if *inline == places.len() {
            self.current = None;
            self.machine += 1;
        }
        Some(frame)
    }
}

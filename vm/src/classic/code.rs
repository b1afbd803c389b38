//! What the classic tier knows of a function beside its bytes: the side table and the quick code.
//!
//! Wasm's branches name labels, not places. The side table holds an entry for each branch in the order of the code:
//! how far to jump, how far to move in the side table itself, and which operands to keep. It is made at the function's first call.

use wasmparser::{Catch, FrameKind, Operator, TryTable, ValType};

use super::rewrite::{Place, Surroundings, rewrite};
use crate::address::{FuncAddr, InstanceAddr, ModuleOffset};
use crate::shape::Walk;
use crate::store::Store;
use crate::value::{cell_count, cells_count};

/// Where a branch goes. Distances are relative, so that a branch needs no function-wide base.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub(crate) struct Branch {
    /// Bytes from the branch's opcode to the target; positive except for a branch to a loop, which may be its own target.
    pub(crate) code_delta: i32,
    /// Bytes from this entry to the target's.
    pub(crate) side_delta: i32,
    /// Cells on top of the stack that are taken along.
    pub(crate) keep: u32,
    /// Cells below those that are thrown away.
    pub(crate) discard: u32,
}

/// Where a local lies in its frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LocalPlace {
    pub(crate) cell: u32,
    /// Whether it is a vector, which takes two cells.
    pub(crate) is_wide: bool,
}

/// A function in one form of its code, as the handlers see it.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct FuncCode {
    /// The address that module offset 0 would have in the bytes to run: the module's, or this function's quick code's.
    pub(crate) bias: *const u8,
    pub(crate) side: *const Branch,
    /// The offset of the first instruction.
    pub(crate) entry: u32,
    pub(crate) param_cells: u32,
    /// Cells of the declared locals, which start as zeros.
    pub(crate) local_cells: u32,
    /// The most bytes that a frame's cells ever take.
    pub(crate) frame_bytes_max: u32,
    pub(crate) instance: InstanceAddr,
    pub(crate) result_cells: u32,
    /// The offset of the final `end`.
    pub(crate) final_end: u32,
    /// The module's bytes.
    pub(crate) original: *const u8,
    /// The place of every local; null where each takes one cell, so that its index is its place.
    pub(crate) locals: *const LocalPlace,
    /// The offsets of those instructions in ascending order that move a vector and whose opcode does not say so: `drop`, `select`
    /// and those of globals.
    pub(crate) wide: *const u32,
    pub(crate) wide_count: u32,
    /// Where the function has legacy catch clauses, the offset of the branch that each entry belongs to; else null.
    pub(crate) catch_sources: *const u32,
}

impl FuncCode {
    /// What instructions need to know of the running function that neither branch nor access locals: its instance.
    pub(crate) fn of_instance(store: &Store, instance: InstanceAddr) -> FuncCode {
        let original = store.instances[instance.index()].module.bytes().as_ptr();
        FuncCode {
            bias: original,
            side: std::ptr::null(),
            entry: 0,
            param_cells: 0,
            local_cells: 0,
            frame_bytes_max: 0,
            instance,
            result_cells: 0,
            final_end: 0,
            original,
            locals: std::ptr::null(),
            wide: std::ptr::null(),
            wide_count: 0,
            catch_sources: std::ptr::null(),
        }
    }

    /// The address of the instruction at `pc` in the bytes to run.
    pub(crate) fn address_of(&self, pc: ModuleOffset) -> *const u8 {
        self.bias.wrapping_add(pc.index())
    }

    /// Whether the instruction at an address in these bytes moves a vector; see `wide`.
    #[inline(always)]
    pub(crate) unsafe fn is_wide(&self, pc: *const u8) -> bool {
        self.wide_count != 0 && {
            // SAFETY: the list lives as long as the function, in whose code `pc` lies.
            unsafe {
                let wide = std::slice::from_raw_parts(self.wide, self.wide_count as usize);
                wide.binary_search(&(pc.offset_from(self.bias) as u32))
                    .is_ok()
            }
        }
    }
}

/// A function as the classic tier runs it.
pub(crate) struct PreparedFunc {
    /// In quick code, which has the probes.
    pub(crate) quick: FuncCode,
    /// In the module's bytes, for single steps.
    pub(crate) plain: FuncCode,
    branches: Box<[Branch]>,
    /// The offset of the branch that each entry belongs to.
    sources: Box<[u32]>,
    bytes: Box<[u8]>,
    /// Empty where no local is a vector.
    locals: Box<[LocalPlace]>,
    wide: Box<[u32]>,
}

impl PreparedFunc {
    /// Prepares a function of the store that has code, with probes at some of its instructions.
    pub(crate) fn new(store: &Store, func: FuncAddr, probes: &[ModuleOffset]) -> PreparedFunc {
        let inst = &store.funcs[func.index()];
        let module = &store.instances[inst.instance.index()].module;
        let body = module.func_body(inst.index).expect("a function with code");
        let ty = module.func_type(inst.index);
        let mut builder =
            Builder::new(Walk::new(module, inst.index).expect("a function with code"));
        builder.build().expect("the module was validated");
        let param_cells = cells_count(ty.params());
        let locals_all = module.locals_cells(inst.index);
        let locals = local_places(&module.local_types(inst.index));
        let (start, end) = (body.code.start, body.code.end);
        let code = &module.bytes()[start as usize..end as usize];
        let bytes = rewrite(
            code,
            ModuleOffset(start),
            &builder.places,
            &Surroundings {
                locals_cells: locals_all,
                locals: &locals,
                memory_is_64: module
                    .memories
                    .first()
                    .is_some_and(|memory| memory.memory64),
            },
            probes,
        );
        let branches: Box<[Branch]> = builder.branches.into();
        let wide: Box<[u32]> = builder.wide.into();
        // The last entry stands for no branch, so that the place after the last one can be looked at.
        builder.sources.push(u32::MAX);
        let sources: Box<[u32]> = builder.sources.into();
        let catch_sources = if builder.has_catches {
            sources.as_ptr()
        } else {
            std::ptr::null()
        };
        let original = module.bytes().as_ptr();
        let plain = FuncCode {
            bias: original,
            side: branches.as_ptr(),
            entry: start,
            param_cells,
            local_cells: locals_all - param_cells,
            frame_bytes_max: (locals_all + builder.height_max) * size_of::<u64>() as u32,
            instance: inst.instance,
            result_cells: cells_count(ty.results()),
            final_end: end - 1,
            original,
            locals: if locals.is_empty() {
                std::ptr::null()
            } else {
                locals.as_ptr()
            },
            wide: wide.as_ptr(),
            wide_count: wide.len() as u32,
            catch_sources,
        };
        let bias = bytes.as_ptr().wrapping_sub(start as usize);
        PreparedFunc {
            quick: FuncCode { bias, ..plain },
            plain,
            branches,
            sources,
            bytes,
            locals,
            wide,
        }
    }

    /// The place in the side table of the instruction at `pc`: that of the first branch from there on.
    pub(crate) fn side_at(&self, pc: ModuleOffset) -> u32 {
        self.sources.partition_point(|&source| source < pc.0) as u32
    }

    /// Bytes of the function's code in the module.
    pub(crate) fn wasm_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes of memory taken beside the module's own.
    pub(crate) fn size_bytes(&self) -> usize {
        size_of::<PreparedFunc>()
            + size_of_val(&self.branches[..])
            + size_of_val(&self.sources[..])
            + self.bytes.len()
            + size_of_val(&self.locals[..])
            + size_of_val(&self.wide[..])
    }
}

/// The places of locals of these types; none when the index of each is its place.
fn local_places(types: &[ValType]) -> Box<[LocalPlace]> {
    if !types.contains(&ValType::V128) {
        return Box::default();
    }
    let mut cell = 0;
    let place = |&ty: &ValType| {
        let place = LocalPlace {
            cell,
            is_wide: ty == ValType::V128,
        };
        cell += cell_count(ty);
        place
    };
    types.iter().map(place).collect()
}

/// An open label while the table is made.
struct OpenLabel {
    /// Where a branch goes that is known already: a loop's.
    target: Option<Target>,
    /// Entries that wait for the label's end.
    waiting: Vec<usize>,
    /// The entry of an `if` that waits for its `else` or `end`.
    waiting_else: Option<usize>,
    /// Whether the block can be reached.
    is_reachable: bool,
    /// Whether control can get to the label by a branch or an exception.
    is_target: bool,
}

#[derive(Clone, Copy)]
struct Target {
    pc: u32,
    side: usize,
}

struct Builder<'m> {
    walk: Walk<'m>,
    labels: Vec<OpenLabel>,
    branches: Vec<Branch>,
    sources: Vec<u32>,
    places: Vec<Place>,
    wide: Vec<u32>,
    /// The most cells that operands take where control can get to.
    height_max: u32,
    has_catches: bool,
    /// Whether control can get to the next instruction.
    is_reachable: bool,
}

impl<'m> Builder<'m> {
    fn new(walk: Walk<'m>) -> Builder<'m> {
        let body = OpenLabel {
            target: None,
            waiting: Vec::new(),
            waiting_else: None,
            is_reachable: true,
            is_target: false,
        };
        Builder {
            walk,
            labels: vec![body],
            branches: Vec::new(),
            sources: Vec::new(),
            places: Vec::new(),
            wide: Vec::new(),
            height_max: 0,
            has_catches: false,
            is_reachable: true,
        }
    }

    /// `None` when the code is not valid, which the module's validation excludes.
    fn build(&mut self) -> Option<()> {
        loop {
            let pc = self.walk.pc();
            let Some(operator) = self.walk.read() else {
                return Some(());
            };
            let next = self.walk.pc().0;
            let place = Place {
                pc: pc.0,
                stack_is_empty: self.walk.validator.operand_stack_height() == 0,
                is_plain: self.is_wide(&operator),
            };
            if place.is_plain {
                self.wide.push(pc.0);
            }
            self.places.push(place);
            match &operator {
                Operator::TryTable { try_table } => {
                    self.mark_catches(try_table);
                    self.open(None, None);
                }
                Operator::Block { .. } | Operator::Try { .. } => self.open(None, None),
                Operator::Loop { .. } => {
                    let target = Target {
                        pc: next,
                        side: self.branches.len(),
                    };
                    self.open(Some(target), None);
                }
                Operator::If { .. } => {
                    let entry = self.add_entry(pc.0, Branch::default());
                    self.open(None, Some(entry));
                }
                Operator::Else => {
                    let entry = self.add_entry(pc.0, Branch::default());
                    let after = Target {
                        pc: next,
                        side: self.branches.len(),
                    };
                    let label = self.labels.last_mut()?;
                    label.waiting.push(entry);
                    label.is_target |= self.is_reachable;
                    self.is_reachable = label.is_reachable;
                    if let Some(waiting) = label.waiting_else.take() {
                        self.resolve(waiting, after);
                    }
                }
                Operator::Catch { .. } | Operator::CatchAll => {
                    self.has_catches = true;
                    self.add_branch(pc.0, 0, 0)?;
                    self.is_reachable = self.labels.last()?.is_reachable;
                }
                Operator::End => {
                    if self.ends_catch() {
                        // The exception's cell is left behind.
                        self.add_branch(pc.0, 0, 0)?;
                        self.places.last_mut()?.is_plain = true;
                    }
                    self.close(pc.0, next)?;
                }
                Operator::Delegate { .. } => self.close(pc.0, next)?,
                Operator::Br { relative_depth } => {
                    self.add_branch(pc.0, *relative_depth, 0)?;
                    self.is_reachable = false;
                }
                Operator::BrIf { relative_depth } | Operator::BrOnNull { relative_depth } => {
                    self.add_branch(pc.0, *relative_depth, 1)?;
                }
                Operator::BrOnNonNull { relative_depth }
                | Operator::BrOnCast { relative_depth, .. }
                | Operator::BrOnCastFail { relative_depth, .. } => {
                    self.add_branch(pc.0, *relative_depth, 0)?;
                }
                Operator::BrTable { targets } => {
                    for depth in targets.targets().chain([Ok(targets.default())]) {
                        self.add_branch(pc.0, depth.ok()?, 1)?;
                    }
                    self.is_reachable = false;
                }
                Operator::Unreachable
                | Operator::Return
                | Operator::ReturnCall { .. }
                | Operator::ReturnCallIndirect { .. }
                | Operator::ReturnCallRef { .. }
                | Operator::Throw { .. }
                | Operator::ThrowRef
                | Operator::Rethrow { .. } => self.is_reachable = false,
                _ => {}
            }
            self.walk.accept(pc, &operator)?;
            if self.is_reachable {
                self.height_max = self.height_max.max(self.walk.height_cells());
            }
        }
    }

    /// Whether an instruction moves a vector, and its opcode does not say so.
    fn is_wide(&self, operator: &Operator<'_>) -> bool {
        let ty = match operator {
            Operator::Drop => self.walk.operand_type(0),
            Operator::Select => self
                .walk
                .operand_type(1)
                .or_else(|| self.walk.operand_type(2)),
            Operator::GlobalGet { global_index } | Operator::GlobalSet { global_index } => {
                self.walk.global_type(*global_index)
            }
            _ => None,
        };
        ty == Some(ValType::V128)
    }

    /// Whether the innermost label is a legacy catch clause.
    fn ends_catch(&self) -> bool {
        self.walk.control(0).is_some_and(|frame| {
            matches!(
                frame.kind,
                FrameKind::LegacyCatch | FrameKind::LegacyCatchAll
            )
        })
    }

    fn open(&mut self, target: Option<Target>, waiting_else: Option<usize>) {
        self.labels.push(OpenLabel {
            target,
            waiting: Vec::new(),
            waiting_else,
            is_reachable: self.is_reachable,
            is_target: false,
        });
    }

    /// Exceptions can lead to these labels.
    fn mark_catches(&mut self, table: &TryTable) {
        for catch in &table.catches {
            let (Catch::One { label, .. }
            | Catch::OneRef { label, .. }
            | Catch::All { label }
            | Catch::AllRef { label }) = *catch;
            let position = self.labels.len().checked_sub(1 + label as usize);
            if let Some(label) = position.and_then(|position| self.labels.get_mut(position)) {
                label.is_target |= self.is_reachable;
            }
        }
    }

    /// The `end` at `pc` closes a label; branches to a block land after it, those to the function's body on it.
    fn close(&mut self, pc: u32, next: u32) -> Option<()> {
        let label = self.labels.pop()?;
        self.is_reachable |= label.is_target;
        // Without an `else`, the condition's other way leads here.
        self.is_reachable |= label.is_reachable && label.waiting_else.is_some();
        let target = Target {
            pc: if self.labels.is_empty() { pc } else { next },
            side: self.branches.len(),
        };
        for entry in label.waiting.into_iter().chain(label.waiting_else) {
            self.resolve(entry, target);
        }
        Some(())
    }

    /// Adds the entry of a branch to the label at `depth`, made when `popped` more cells are still on the stack.
    fn add_branch(&mut self, pc: u32, depth: u32, popped: u32) -> Option<()> {
        let frame = self.walk.control(depth)?;
        let keep = cells_count(&self.walk.branch_types(frame));
        let height_label = self.walk.label_height_cells(depth)?;
        // In unreachable code fewer operands may be known than the branch takes along; such an entry is never used.
        let discard = self
            .walk
            .height_cells()
            .saturating_sub(popped + keep + height_label);
        self.places.last_mut()?.is_plain |= discard > 0;
        let is_loop = frame.kind == FrameKind::Loop;
        let entry = self.add_entry(
            pc,
            Branch {
                keep,
                discard,
                ..Branch::default()
            },
        );
        let position = self.labels.len() - 1 - depth as usize;
        self.labels[position].is_target |= self.is_reachable && !is_loop;
        match self.labels[position].target {
            Some(target) => {
                debug_assert!(is_loop, "only a loop's target is known before its end");
                self.resolve(entry, target);
            }
            None => self.labels[position].waiting.push(entry),
        }
        Some(())
    }

    fn add_entry(&mut self, pc: u32, branch: Branch) -> usize {
        self.branches.push(branch);
        self.sources.push(pc);
        self.branches.len() - 1
    }

    fn resolve(&mut self, entry: usize, target: Target) {
        let branch = &mut self.branches[entry];
        branch.code_delta = target.pc.wrapping_sub(self.sources[entry]) as i32;
        let entries = target.side as i32 - entry as i32;
        branch.side_delta = entries * size_of::<Branch>() as i32;
    }
}

//! Types of operands, labels and stack heights at any instruction.
//!
//! None of these is stored while a program runs: validating a function up to an instruction gives them. The classic tier's
//! side tables are made by the same walk.

use wasmparser::{
    BlockType, Frame, FrameKind, FuncValidator, FunctionBody, Operator, OperatorsReader, RefType,
    ValType, ValidatorResources,
};

use crate::address::{FuncIndex, ModuleOffset};
use crate::module::Module;
use crate::value::{cell_count, cells_count};

/// A local or an operand of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot {
    /// Its type; `None` for an operand of unreachable code, which can be anything.
    pub ty: Option<ValType>,
    /// The index of its first cell, counted from the frame's base.
    pub cell: u32,
}

/// What opened a label.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LabelKind {
    /// The function's body.
    Function,
    /// `block`.
    Block,
    /// `loop`.
    Loop,
    /// The first part of an `if`.
    If,
    /// The second part of an `if`.
    Else,
    /// `try_table`.
    TryTable,
    /// The first part of a legacy `try`.
    Try,
    /// A `catch` or `catch_all` of a legacy `try`.
    Catch,
}

/// An entry of the label stack.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// What opened it.
    pub kind: LabelKind,
    /// The instruction that opened it; the first instruction of the function for its body.
    pub start: ModuleOffset,
    /// Where a branch to it lands: after the `loop`, after the `end` of another, on the final `end` for the function's body.
    pub target: ModuleOffset,
    /// The number of operands below it.
    pub height: u32,
    /// The number of values that a branch to it takes along.
    pub arity: u32,
}

/// What a frame holds at an instruction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shape {
    /// Parameters and locals.
    pub locals: Vec<Slot>,
    /// The operand stack, bottom first.
    pub operands: Vec<Slot>,
    /// The exceptions that the legacy catch clauses handle in which the instruction lies, outermost first. Each has a cell among
    /// those of the operands.
    pub exceptions: Vec<Slot>,
    /// The label stack, outermost first.
    pub labels: Vec<Label>,
    /// The number of cells of locals and operands.
    pub cells: u32,
}

/// Walks over a function's instructions with the validator's state before each.
pub(crate) struct Walk<'m> {
    module: &'m Module,
    operators: OperatorsReader<'m>,
    pub(crate) validator: FuncValidator<ValidatorResources>,
    /// Start of every open label.
    starts: Vec<ModuleOffset>,
    /// Whether any legacy catch clause was seen.
    has_legacy_catches: bool,
}

impl<'m> Walk<'m> {
    /// Starts before the first instruction; `None` when the function has no code, or none that is valid.
    pub(crate) fn new(module: &'m Module, func: FuncIndex) -> Option<Walk<'m>> {
        let body = module.func_body(func)?;
        module.validate_func(func).ok()?;
        let bytes = &module.bytes()[body.range.start as usize..body.range.end as usize];
        let reader = wasmparser::BinaryReader::new_features(
            bytes,
            u64::from(body.range.start),
            module.features,
        );
        let mut validator = module
            .func_to_validate(func)?
            .into_validator(Default::default());
        let mut locals = reader.clone();
        validator.read_locals(&mut locals).ok()?;
        let operators = FunctionBody::new(reader).get_operators_reader().ok()?;
        Some(Walk {
            module,
            operators,
            validator,
            starts: vec![ModuleOffset(body.code.start)],
            has_legacy_catches: false,
        })
    }

    /// The offset of the next instruction.
    pub(crate) fn pc(&self) -> ModuleOffset {
        ModuleOffset(self.operators.original_position() as u32)
    }

    /// Reads the next instruction without stepping over it in the validator; `None` at the end.
    pub(crate) fn read(&mut self) -> Option<Operator<'m>> {
        if self.operators.eof() {
            None
        } else {
            self.operators.read().ok()
        }
    }

    /// Lets the validator see the instruction at `pc` that was read last.
    pub(crate) fn accept(&mut self, pc: ModuleOffset, operator: &Operator<'m>) -> Option<()> {
        self.validator.op(u64::from(pc.0), operator).ok()?;
        match operator {
            _ if opens_block(operator) => self.starts.push(pc),
            Operator::Catch { .. } | Operator::CatchAll => self.has_legacy_catches = true,
            Operator::End | Operator::Delegate { .. } => drop(self.starts.pop()),
            _ => {}
        }
        Some(())
    }

    /// The number of cells of operands and caught exceptions.
    pub(crate) fn height_cells(&self) -> u32 {
        let operands = self.validator.operand_stack_height() as usize;
        let labels = self.validator.control_stack_height() as usize;
        self.operand_cells_below(operands) + self.exceptions_below(labels)
    }

    /// The number of those cells that lie below what belongs to the label at `depth`.
    pub(crate) fn label_height_cells(&self, depth: u32) -> Option<u32> {
        let height = self.control(depth)?.height;
        let position = self.validator.control_stack_height() - 1 - depth;
        Some(self.operand_cells_below(height) + self.exceptions_below(position as usize))
    }

    /// The number of cells that the lowest `height` operands take.
    fn operand_cells_below(&self, height: usize) -> u32 {
        let all = self.validator.operand_stack_height() as usize;
        (all - height.min(all)..all)
            .map(|depth| self.operand_type(depth).map_or(1, cell_count))
            .sum()
    }

    /// The number of legacy catch clauses among the outermost `count` labels.
    fn exceptions_below(&self, count: usize) -> u32 {
        if !self.has_legacy_catches {
            return 0;
        }
        let all = self.validator.control_stack_height() as usize;
        let frames = (all - count..all).filter_map(|depth| self.control(depth as u32));
        frames.filter(|frame| is_legacy_catch(frame)).count() as u32
    }

    /// The cell of the exception that the legacy catch clause at `depth` handles, counted from the operands' first.
    pub(crate) fn exception_cell(&self, depth: u32) -> Option<u32> {
        self.control(depth).filter(|frame| is_legacy_catch(frame))?;
        self.label_height_cells(depth)
    }

    /// The types of a block's parameters and results.
    pub(crate) fn block_types(&self, block_type: BlockType) -> (Vec<ValType>, Vec<ValType>) {
        match block_type {
            BlockType::Empty => (Vec::new(), Vec::new()),
            BlockType::Type(ty) => (Vec::new(), vec![ty]),
            BlockType::FuncType(index) => self
                .module
                .type_at(index)
                .map_or((Vec::new(), Vec::new()), |ty| {
                    (ty.params().to_vec(), ty.results().to_vec())
                }),
        }
    }

    /// The control frame at a depth, 0 being the innermost.
    pub(crate) fn control(&self, depth: u32) -> Option<&Frame> {
        self.validator.get_control_frame(depth as usize)
    }

    /// The types that a branch to a control frame takes along.
    pub(crate) fn branch_types(&self, frame: &Frame) -> Vec<ValType> {
        let (params, results) = self.block_types(frame.block_type);
        if frame.kind == FrameKind::Loop {
            params
        } else {
            results
        }
    }

    /// The type of a global.
    pub(crate) fn global_type(&self, index: u32) -> Option<ValType> {
        let global = self.module.globals().get(index as usize)?;
        Some(global.ty.content_type)
    }

    /// The type of the operand at a depth, where it is known.
    pub(crate) fn operand_type(&self, depth: usize) -> Option<ValType> {
        let ty = self.validator.get_operand_type(depth).flatten()?;
        Some(self.module.type_in_module(ty))
    }

    /// The slots of operands and of caught exceptions.
    fn operands(&self, locals_cells: u32) -> (Vec<Slot>, Vec<Slot>) {
        let count = self.validator.operand_stack_height() as usize;
        let labels = self.validator.control_stack_height();
        let catches = (0..labels).rev().filter_map(|depth| self.control(depth));
        let mut catches = catches.filter(|frame| is_legacy_catch(frame)).peekable();
        let mut cell = locals_cells;
        let (mut slots, mut exceptions) = (Vec::with_capacity(count), Vec::new());
        for index in 0..=count {
            // A clause's exception lies below the clause's own operands.
            while catches.next_if(|frame| frame.height <= index).is_some() {
                let ty = Some(ValType::Ref(RefType::EXN));
                exceptions.push(Slot { ty, cell });
                cell += 1;
            }
            if index < count {
                let ty = self.operand_type(count - 1 - index);
                slots.push(Slot { ty, cell });
                cell += ty.map_or(1, cell_count);
            }
        }
        (slots, exceptions)
    }

    fn labels(&self) -> Vec<Label> {
        let count = self.validator.control_stack_height();
        let label = |depth: u32| {
            let frame = self.control(depth)?;
            let position = (count - 1 - depth) as usize;
            let kind = match frame.kind {
                _ if position == 0 => LabelKind::Function,
                FrameKind::Loop => LabelKind::Loop,
                FrameKind::If => LabelKind::If,
                FrameKind::Else => LabelKind::Else,
                FrameKind::TryTable => LabelKind::TryTable,
                FrameKind::LegacyTry => LabelKind::Try,
                FrameKind::LegacyCatch | FrameKind::LegacyCatchAll => LabelKind::Catch,
                _ => LabelKind::Block,
            };
            let arity = self.branch_types(frame).len() as u32;
            // Targets are filled in by a walk to the label's end.
            let start = self.starts[position];
            Some(Label {
                kind,
                start,
                target: start,
                height: frame.height as u32,
                arity,
            })
        };
        (0..count).rev().filter_map(label).collect()
    }
}

impl Module {
    /// What a frame of `func` holds before the instruction at `pc`; `None` when no instruction of the function starts there.
    ///
    /// Takes time linear in the function's size.
    #[must_use]
    pub fn shape_at(&self, func: FuncIndex, pc: ModuleOffset) -> Option<Shape> {
        let mut walk = Walk::new(self, func)?;
        while walk.pc() < pc {
            let at = walk.pc();
            let operator = walk.read()?;
            walk.accept(at, &operator)?;
        }
        if walk.pc() != pc {
            return None;
        }
        let mut locals = Vec::new();
        let mut cell = 0;
        for ty in self.local_types(func) {
            locals.push(Slot { ty: Some(ty), cell });
            cell += cell_count(ty);
        }
        let (operands, exceptions) = walk.operands(cell);
        let cells = cell + walk.height_cells();
        let mut labels = walk.labels();
        fill_targets(&mut walk, &mut labels);
        Some(Shape {
            locals,
            operands,
            exceptions,
            labels,
            cells,
        })
    }

    /// The number of cells that a function's parameters and locals take.
    #[must_use]
    pub fn locals_cells(&self, func: FuncIndex) -> u32 {
        cells_count(&self.local_types(func))
    }
}

/// Whether the instruction opens a label.
pub(crate) fn opens_block(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::TryTable { .. }
            | Operator::Try { .. }
    )
}

fn is_legacy_catch(frame: &Frame) -> bool {
    matches!(
        frame.kind,
        FrameKind::LegacyCatch | FrameKind::LegacyCatchAll
    )
}

/// Walks on until every open label is closed, noting where branches to it land.
fn fill_targets(walk: &mut Walk<'_>, labels: &mut [Label]) {
    let mut depth = labels.len();
    while let Some(at) = Some(walk.pc()) {
        let Some(operator) = walk.read() else { return };
        let next = walk.pc();
        match operator {
            _ if opens_block(&operator) => depth += 1,
            Operator::End | Operator::Delegate { .. } => {
                depth -= 1;
                if let Some(label) = labels.get_mut(depth) {
                    label.target = if depth == 0 { at } else { next };
                }
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    for label in labels
        .iter_mut()
        .filter(|label| label.kind == LabelKind::Loop)
    {
        label.target = after_loop(walk.module, label.start);
    }
}

/// The instruction after the `loop` at `start`.
fn after_loop(module: &Module, start: ModuleOffset) -> ModuleOffset {
    let Some(func) = module.func_at(start) else {
        return start;
    };
    let Some(body) = module.func_body(func) else {
        return start;
    };
    let code = &module.bytes()[start.index()..body.code.end as usize];
    crate::decode::Instructions::new(code, start)
        .next()
        .map_or(start, |instruction| instruction.next)
}

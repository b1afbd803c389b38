//! Exceptions: which clause handles one, and what the machine is then.
//!
//! A tier leaves its run at an instruction that throws. The handler is looked for before anything changes: an exception that
//! nothing handles is a stop, with every frame as it was. Tables of handlers are made per function when an exception first
//! passes it.

use std::sync::Arc;

use wasmparser::{Catch, FrameKind, Operator, ValType};

use crate::address::{FuncAddr, FuncIndex, InstanceAddr, ModuleOffset, ObjectAddr, TagAddr};
use crate::decode::Immediates;
use crate::exit::Exit;
use crate::heap::{ObjectKind, Room, read_field, write_field};
use crate::isa::Op;
use crate::machine::Frame;
use crate::module::Module;
use crate::shape::{Walk, opens_block};
use crate::store::Instance;
use crate::trap::TrapKind;
use crate::value::{Reference, Value, cell_count, cells_count};
use crate::vm::Vm;

/// An exception, as the machine tells of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exception {
    /// Its tag.
    pub tag: TagAddr,
    /// The values that it carries.
    pub values: Vec<Value>,
    /// Where it was thrown first: `throw_ref` and `rethrow` throw exceptions that were caught before.
    pub origin: Origin,
    /// Whether it was caught before.
    pub is_rethrown: bool,
    /// What handles it; `None` when nothing does.
    pub handler: Option<HandlerPlace>,
    /// The first clause for its tag. If it is another one than `handler`, that catches all exceptions, and may throw it again.
    pub tag_handler: Option<HandlerPlace>,
}

/// Where an exception was made by `throw`. It is kept with the exception.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    /// When.
    pub tick: u64,
    /// The innermost frames, at most [`Origin::FRAMES_MAX`]: the runtime libraries of languages throw in a function of their own.
    pub frames: Vec<OriginFrame>,
}

/// Where a frame stood when an exception was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OriginFrame {
    /// The function.
    pub func: FuncAddr,
    /// The instruction that throws; in a caller, the one after the call.
    pub pc: ModuleOffset,
}

/// Where a program goes on after an exception.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HandlerPlace {
    /// The frame, 0 being the one that throws.
    pub frame: usize,
    /// Its next instruction.
    pub pc: ModuleOffset,
    /// Whether the clause catches all exceptions and not only those with this tag.
    pub catches_all: bool,
}

impl Origin {
    /// How many frames are kept.
    pub const FRAMES_MAX: usize = 8;

    /// The origin that is kept behind the values of an exception, which take so many bytes.
    pub(crate) fn read(bytes: &[u8], values_size: u32) -> Option<Origin> {
        let (tick, rest) = bytes.get(values_size as usize..)?.split_first_chunk()?;
        let (words, _) = rest.as_chunks();
        let (frames, _) = words.as_chunks();
        let frame = |&[func, pc]: &[[u8; 4]; 2]| OriginFrame {
            func: FuncAddr(u32::from_le_bytes(func)),
            pc: ModuleOffset(u32::from_le_bytes(pc)),
        };
        Some(Origin {
            tick: u64::from_le_bytes(*tick),
            frames: frames.iter().map(frame).collect(),
        })
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.tick.to_le_bytes().to_vec();
        for frame in &self.frames {
            bytes.extend(frame.func.0.to_le_bytes());
            bytes.extend(frame.pc.0.to_le_bytes());
        }
        bytes
    }
}

/// What handles exceptions in a function.
#[derive(Debug)]
pub(crate) struct Handlers {
    /// By ascending start, so that of those that contain a place the last is the innermost.
    regions: Vec<Region>,
    /// For each `rethrow`, by its offset, the cell of its exception, counted from the frame's first.
    rethrows: Vec<(u32, u32)>,
}

/// A part of a function whose exceptions are handled.
#[derive(Debug)]
struct Region {
    /// The offset of its first instruction.
    start: u32,
    /// The offset of the instruction that ends it.
    end: u32,
    /// The position of its label, the function's own being 0.
    position: u32,
    handler: Handler,
}

#[derive(Debug)]
enum Handler {
    Clauses(Vec<Clause>),
    /// As in the label at this position.
    Delegate(u32),
}

/// What a clause catches, and the state that it goes on in.
#[derive(Clone, Copy, Debug)]
struct Clause {
    /// The tag's index; `None` for all.
    tag: Option<u32>,
    /// The cells of the frame that are kept.
    height: u32,
    reference: ReferenceAt,
    /// Where control goes on.
    target: u32,
    is_loop: bool,
}

/// Where a clause wants the exception itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ReferenceAt {
    Nowhere,
    /// In the hidden cell below the values: a legacy clause, which may throw it again.
    Below,
    /// On top of the values.
    Above,
}

/// A label that is open while the table is made.
#[derive(Default)]
struct OpenLabel {
    /// Where a branch to a loop lands.
    loop_start: Option<u32>,
    /// The region that it opened.
    region: Option<usize>,
    /// Clauses that wait for the label's end, by region and position.
    waiting: Vec<(usize, usize)>,
}

struct Builder<'m> {
    walk: Walk<'m>,
    locals_cells: u32,
    labels: Vec<OpenLabel>,
    handlers: Handlers,
}

impl Handlers {
    /// `None` when the code is not valid, which the module's validation excludes.
    fn new(module: &Module, func: FuncIndex) -> Option<Handlers> {
        let mut builder = Builder {
            walk: Walk::new(module, func)?,
            locals_cells: module.locals_cells(func),
            labels: vec![OpenLabel::default()],
            handlers: Handlers {
                regions: Vec::new(),
                rethrows: Vec::new(),
            },
        };
        builder.build()?;
        Some(builder.handlers)
    }

    /// The first clause that catches what it should, for an exception thrown at `pc`, or by the call before it in a frame that
    /// waits for one. A clause has a tag's index, or `None` for all.
    fn find(
        &self,
        pc: ModuleOffset,
        is_waiting: bool,
        catches: impl Fn(Option<u32>) -> bool,
    ) -> Option<Clause> {
        let mut position_max = u32::MAX;
        for region in self.regions.iter().rev() {
            let contains = if is_waiting {
                region.start < pc.0 && pc.0 <= region.end
            } else {
                region.start <= pc.0 && pc.0 < region.end
            };
            if !contains || region.position > position_max {
                continue;
            }
            match &region.handler {
                Handler::Delegate(position) => position_max = *position,
                Handler::Clauses(clauses) => {
                    if let Some(clause) = clauses.iter().find(|clause| catches(clause.tag)) {
                        return Some(*clause);
                    }
                }
            }
        }
        None
    }

    /// The cell of the exception that the `rethrow` at `pc` throws.
    fn rethrown_cell(&self, pc: ModuleOffset) -> Option<u32> {
        let position = self.rethrows.binary_search_by_key(&pc.0, |&(at, _)| at);
        position.ok().map(|position| self.rethrows[position].1)
    }
}

impl Builder<'_> {
    fn build(&mut self) -> Option<()> {
        loop {
            let pc = self.walk.pc();
            let Some(operator) = self.walk.read() else {
                return Some(());
            };
            let next = self.walk.pc().0;
            match &operator {
                Operator::TryTable { try_table } => {
                    let region = self.handlers.regions.len();
                    let mut clauses = Vec::new();
                    for catch in &try_table.catches {
                        let clause = self.table_clause(*catch, (region, clauses.len()))?;
                        clauses.push(clause);
                    }
                    self.open_region(next, Handler::Clauses(clauses));
                }
                Operator::Try { .. } => self.open_region(next, Handler::Clauses(Vec::new())),
                _ if opens_block(&operator) => self.labels.push(OpenLabel {
                    loop_start: matches!(operator, Operator::Loop { .. }).then_some(next),
                    ..OpenLabel::default()
                }),
                Operator::Catch { tag_index } => {
                    self.end_region(pc.0);
                    self.add_legacy_clause(Some(*tag_index), next)?;
                }
                Operator::CatchAll => {
                    self.end_region(pc.0);
                    self.add_legacy_clause(None, next)?;
                }
                Operator::Rethrow { relative_depth } => {
                    let cell = self.walk.exception_cell(*relative_depth)?;
                    self.handlers
                        .rethrows
                        .push((pc.0, self.locals_cells + cell));
                }
                Operator::Delegate { relative_depth } => {
                    // The label is counted from outside of the try, whose own position is the last.
                    let position = (self.labels.len() as u32).checked_sub(2 + relative_depth)?;
                    let region = self.labels.last()?.region?;
                    self.handlers.regions[region].handler = Handler::Delegate(position);
                    self.end_region(pc.0);
                    self.close(pc.0, next)?;
                }
                Operator::End => {
                    self.end_region(pc.0);
                    self.close(pc.0, next)?;
                }
                _ => {}
            }
            self.walk.accept(pc, &operator)?;
        }
    }

    fn open_region(&mut self, start: u32, handler: Handler) {
        self.handlers.regions.push(Region {
            start,
            end: start,
            position: self.labels.len() as u32,
            handler,
        });
        self.labels.push(OpenLabel {
            region: Some(self.handlers.regions.len() - 1),
            ..OpenLabel::default()
        });
    }

    /// The innermost label's region, if it has one that is still open, ends before `pc`.
    fn end_region(&mut self, pc: u32) {
        let is_open = self
            .walk
            .control(0)
            .is_some_and(|frame| matches!(frame.kind, FrameKind::TryTable | FrameKind::LegacyTry));
        let region = self.labels.last().and_then(|label| label.region);
        if let (true, Some(region)) = (is_open, region) {
            self.handlers.regions[region].end = pc;
        }
    }

    /// A clause of a `try_table`, whose labels are counted from outside of it.
    fn table_clause(&mut self, catch: Catch, place: (usize, usize)) -> Option<Clause> {
        let (tag, reference, label) = match catch {
            Catch::One { tag, label } => (Some(tag), ReferenceAt::Nowhere, label),
            Catch::OneRef { tag, label } => (Some(tag), ReferenceAt::Above, label),
            Catch::All { label } => (None, ReferenceAt::Nowhere, label),
            Catch::AllRef { label } => (None, ReferenceAt::Above, label),
        };
        let position = self.labels.len().checked_sub(1 + label as usize)?;
        let target = self.labels[position].loop_start;
        if target.is_none() {
            self.labels[position].waiting.push(place);
        }
        Some(Clause {
            tag,
            height: self.locals_cells + self.walk.label_height_cells(label)?,
            reference,
            target: target.unwrap_or_default(),
            is_loop: target.is_some(),
        })
    }

    fn add_legacy_clause(&mut self, tag: Option<u32>, next: u32) -> Option<()> {
        let clause = Clause {
            tag,
            height: self.locals_cells + self.walk.label_height_cells(0)?,
            reference: ReferenceAt::Below,
            target: next,
            is_loop: false,
        };
        let region = self.labels.last()?.region?;
        if let Handler::Clauses(clauses) = &mut self.handlers.regions[region].handler {
            clauses.push(clause);
        }
        Some(())
    }

    /// The `end` at `pc` closes a label; what lands on it does so as branches do.
    fn close(&mut self, pc: u32, next: u32) -> Option<()> {
        let label = self.labels.pop()?;
        let target = if self.labels.is_empty() { pc } else { next };
        for (region, position) in label.waiting {
            if let Handler::Clauses(clauses) = &mut self.handlers.regions[region].handler {
                clauses[position].target = target;
            }
        }
        Some(())
    }
}

/// An exception about to be thrown.
struct Thrown {
    tag: TagAddr,
    /// The cells of its values.
    cells: Vec<u64>,
    origin: Origin,
    /// The exception, if it was thrown before.
    object: Option<ObjectAddr>,
}

impl Vm {
    /// Throws what the instruction at which the machine stands throws. `None` when a clause handles it.
    pub(crate) fn throw(&mut self) -> Option<Exit> {
        let thrown = match self.thrown() {
            Ok(thrown) => thrown,
            Err(kind) => return Some(self.trap_exit(kind)),
        };
        let landing = self.landing(thrown.tag, true);
        if self.stops_at_throws {
            let now = Some(self.time());
            if self.throw_passed != now {
                self.throw_passed = now;
                return Some(Exit::Throw(self.exception_of(&thrown, landing).into()));
            }
        }
        let Some((number, clause)) = landing else {
            return Some(Exit::Uncaught(self.exception_of(&thrown, landing).into()));
        };
        let object = match (clause.reference, thrown.object) {
            (ReferenceAt::Nowhere, _) => None,
            (_, Some(object)) => Some(Reference::Object(object)),
            (_, None) => match self.new_exception(&thrown) {
                Ok(object) => Some(object),
                Err(kind) => return Some(self.trap_exit(kind)),
            },
        };
        self.landed = Some(self.exception_of(&thrown, landing).into());
        self.land(number, clause, &thrown.cells, object);
        None
    }

    /// The exception that the instruction throws at which the machine stands; `None` when it throws none.
    #[must_use]
    pub fn thrown_exception(&self) -> Option<Exception> {
        let instruction = self.instruction()?;
        if !matches!(instruction.op, Op::Throw | Op::ThrowRef | Op::Rethrow) {
            return None;
        }
        let thrown = self.thrown().ok()?;
        let landing = self.landing(thrown.tag, true);
        Some(self.exception_of(&thrown, landing))
    }

    fn exception_of(&self, thrown: &Thrown, landing: Option<(usize, Clause)>) -> Exception {
        let place = |(number, clause): (usize, Clause)| HandlerPlace {
            frame: self.machine.frames.len() - 1 - number,
            pc: ModuleOffset(clause.target),
            catches_all: clause.tag.is_none(),
        };
        Exception {
            tag: thrown.tag,
            values: self.values_of(thrown),
            origin: thrown.origin.clone(),
            is_rethrown: thrown.object.is_some(),
            handler: landing.map(place),
            tag_handler: self.landing(thrown.tag, false).map(place),
        }
    }

    /// What the instruction at which the machine stands throws. It must be one that does.
    fn thrown(&self) -> Result<Thrown, TrapKind> {
        let top = *self.machine.frames.last().expect("a frame throws");
        let instance = self.instance_of(top.func);
        let instruction = self.instruction();
        let instruction = instruction.expect("the machine stands at an instruction");
        let height = self.machine.height as usize;
        let cell = match (instruction.op, &instruction.immediates) {
            (Op::Throw, Immediates::Index(tag)) => {
                let tag = instance.tags[*tag as usize];
                let count = cells_count(self.tag_types(tag)) as usize;
                return Ok(Thrown {
                    tag,
                    cells: self.machine.cells[height - count..height].to_vec(),
                    origin: self.origin_here(),
                    object: None,
                });
            }
            (Op::Rethrow, _) => {
                let handlers = self.handlers(top.func);
                let cell = handlers.rethrown_cell(top.pc);
                let cell = cell.expect("validated code names a clause that it lies in");
                self.machine.cells[(top.base + cell) as usize]
            }
            _ => self.machine.cells[height - 1],
        };
        let Reference::Object(object) = Reference::from_cell(cell) else {
            return Err(TrapKind::NullExceptionReference);
        };
        let exception = self.machine.heap.object(object);
        let ObjectKind::Exception(tag) = exception.kind else {
            unreachable!("validated code throws exceptions");
        };
        let layout = &self.store.tags[tag.index()].layout;
        let mut cells = Vec::new();
        for &(offset, storage) in &layout.fields {
            let (low, high) = read_field(&exception.bytes, offset as usize, storage);
            cells.push(low);
            if cell_count(storage.unpack()) == 2 {
                cells.push(high);
            }
        }
        Ok(Thrown {
            tag,
            cells,
            origin: Origin::read(&exception.bytes, layout.size)
                .expect("an exception keeps its origin"),
            object: Some(object),
        })
    }

    fn origin_here(&self) -> Origin {
        let innermost = self.machine.frames.iter().rev();
        let frames = innermost.map(|frame| OriginFrame {
            func: frame.func,
            pc: frame.pc,
        });
        Origin {
            tick: self.machine.tick,
            frames: frames.take(Origin::FRAMES_MAX).collect(),
        }
    }

    /// The types of the values that exceptions with a tag carry, in the store's numbers.
    #[must_use]
    pub fn tag_types(&self, tag: TagAddr) -> &[ValType] {
        let id = self.store.tags[tag.index()].type_id;
        self.store.types.func(id).params()
    }

    fn values_of(&self, thrown: &Thrown) -> Vec<Value> {
        let mut rest = &thrown.cells[..];
        let value = |&ty: &ValType| {
            let value = Value::from_cells(ty, rest);
            rest = &rest[cell_count(ty) as usize..];
            value
        };
        self.tag_types(thrown.tag).iter().map(value).collect()
    }

    /// The frame, counted from the outermost, and the clause that handle an exception with this tag; clauses for all exceptions
    /// are passed over if they do not count.
    fn landing(&self, tag: TagAddr, counts_all: bool) -> Option<(usize, Clause)> {
        let count = self.machine.frames.len();
        (0..count).rev().find_map(|number| {
            let Frame { func, pc, .. } = self.machine.frames[number];
            let handlers = self.handlers(func);
            let tags = &self.instance_of(func).tags;
            let is_waiting = number + 1 < count;
            let catches = |clause: Option<u32>| match clause {
                Some(index) => tags[index as usize] == tag,
                None => counts_all,
            };
            Some((number, handlers.find(pc, is_waiting, catches)?))
        })
    }

    fn instance_of(&self, func: FuncAddr) -> &Instance {
        let inst = &self.store.funcs[func.index()];
        &self.store.instances[inst.instance.index()]
    }

    fn handlers(&self, func: FuncAddr) -> Arc<Handlers> {
        let store = &self.store;
        let make = || {
            let inst = &store.funcs[func.index()];
            let module = &store.instances[inst.instance.index()].module;
            let handlers = Handlers::new(module, inst.index);
            Arc::new(handlers.expect("the module was validated"))
        };
        Arc::clone(self.handlers.borrow_mut().entry(func).or_insert_with(make))
    }

    fn new_exception(&mut self, thrown: &Thrown) -> Result<Reference, TrapKind> {
        let values_size = self.store.tags[thrown.tag.index()].layout.size as usize;
        let origin = thrown.origin.to_bytes();
        let size = values_size + origin.len();
        if self.machine.heap.room_for(size as u64) == Room::Collect {
            self.collect();
        }
        if self.machine.heap.room_for(size as u64) != Room::Enough {
            return Err(TrapKind::HeapExhausted);
        }
        let mut bytes = vec![0; size];
        bytes[values_size..].copy_from_slice(&origin);
        let mut cells = thrown.cells.iter().copied();
        let mut cell = || cells.next().unwrap_or_default();
        for &(offset, storage) in &self.store.tags[thrown.tag.index()].layout.fields {
            let low = cell();
            let high = if cell_count(storage.unpack()) == 2 {
                cell()
            } else {
                0
            };
            write_field(&mut bytes, offset as usize, storage, (low, high));
        }
        let kind = ObjectKind::Exception(thrown.tag);
        Ok(self.machine.heap.allocate(kind, bytes.into()))
    }

    /// Unwinds to a frame and goes on in it as the clause has it.
    fn land(&mut self, number: usize, clause: Clause, values: &[u64], object: Option<Reference>) {
        let machine = &mut self.machine;
        machine.frames.truncate(number + 1);
        let top = machine.frames.last_mut().expect("the handling frame");
        top.pc = ModuleOffset(clause.target);
        top.side = Frame::SIDE_UNKNOWN;
        let mut height = (top.base + clause.height) as usize;
        let mut push = |cells: &[u64]| {
            machine.cells[height..height + cells.len()].copy_from_slice(cells);
            height += cells.len();
        };
        let object = object.map_or(0, Reference::to_cell);
        if clause.reference == ReferenceAt::Below {
            push(&[object]);
        }
        if clause.tag.is_some() {
            push(values);
        }
        if clause.reference == ReferenceAt::Above {
            push(&[object]);
        }
        machine.height = height as u32;
        if clause.is_loop {
            self.machine.tick += 1;
        }
    }

    /// Makes runs stop before each exception is thrown, at the instruction that throws it, or not.
    pub fn stop_at_throws(&mut self, stops: bool) {
        self.stops_at_throws = stops;
        self.throw_passed = None;
    }

    /// An exception for people: its tag and its values.
    #[must_use]
    pub fn exception_text(&self, exception: &Exception) -> String {
        let values = exception.values.iter();
        let values: Vec<String> = values.map(|&value| self.value_text(value)).collect();
        format!("{}({})", self.tag_name(exception.tag), values.join(", "))
    }

    /// The store's address of an instance's tag.
    #[must_use]
    pub fn tag_addr(&self, instance: InstanceAddr, index: u32) -> Option<TagAddr> {
        let instance = self.store.instances.get(instance.index())?;
        instance.tags.get(index as usize).copied()
    }

    /// The name of a tag, for people.
    #[must_use]
    pub fn tag_name(&self, tag: TagAddr) -> String {
        let inst = &self.store.tags[tag.index()];
        let module = self.module(inst.instance);
        if let Some(name) = module.names().tag(inst.index) {
            return format!("${name}");
        }
        let mut exports = module.exports().iter();
        let export = exports.find(|export| {
            export.kind == crate::module::ExportKind::Tag && export.index == inst.index
        });
        export.map_or_else(
            || inst.index.to_string(),
            |export| format!("{:?}", export.name),
        )
    }
}

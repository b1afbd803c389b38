//! Watchpoints: what an expression looks at, and whether a hit of the machine's watches changes its value.

use wdb_dwarf::{Availability, Place, PointerKind, Scalar, TypeKind, Value};
use wdb_vm::watch::{Watch, WatchEvent, WatchHit, WatchKind, WatchTarget};

use crate::breakpoints::Kind;
use crate::debugger::Debugger;
use crate::error::Error;
use crate::execution::Stop;
use crate::expression::tree::{NodeKind, UnaryOperator};
use crate::expression::{self, Node, Scope};
use crate::frames::Frame;
use crate::process::PROGRAM_INSTANCE;
use crate::references;
use crate::remote;
use crate::scope::FrameScope;

/// What a watchpoint watches.
#[derive(Debug, Clone)]
pub(crate) struct Watchpoint {
    /// As written.
    pub(crate) expression: String,
    pub(crate) node: Node,
    pub(crate) kind: WatchKind,
    /// The frame in which the names have their meaning; `None` where they mean the same everywhere.
    pub(crate) scope: Option<ScopeFrame>,
    /// The value when it was looked at last.
    pub(crate) old: Seen,
}

/// A frame that stays the same while its callees come and go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ScopeFrame {
    /// The number of wasm frames up to it, counted from the outermost.
    pub(crate) depth: usize,
    /// How many inlined calls lie around it.
    inline_depth: usize,
}

/// A value as a watchpoint compares it: its bytes, and its text for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    bytes: Option<Vec<u8>>,
    pub(crate) text: String,
}

/// A hit of a watchpoint that stops the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WatchStop {
    pub(crate) number: u32,
    pub(crate) expression: String,
    pub(crate) kind: WatchKind,
    pub(crate) event: WatchEvent,
    pub(crate) old: String,
    pub(crate) new: String,
}

impl Debugger {
    /// A watchpoint on an expression in the selected frame.
    pub(crate) fn watchpoint(&self, text: &str, kind: WatchKind) -> Result<Watchpoint, Error> {
        let node = self.parse_expression(text)?;
        if node.has_effect() {
            return Err(Error::other(
                "A watched expression must not assign anything.",
            ));
        }
        // What can be evaluated without a frame means the same in every frame.
        let everywhere = FrameScope::new(self, None);
        let scope = match expression::evaluate(&everywhere, &node) {
            Ok(_) => None,
            Err(_) => {
                let frame = self.expect_frame()?;
                let depth = self.vm.borrow().frame_count() - frame.machine;
                Some(ScopeFrame {
                    depth,
                    inline_depth: frame.inline_depth(),
                })
            }
        };
        let mut watchpoint = Watchpoint {
            expression: text.to_owned(),
            node,
            kind,
            scope,
            old: Seen {
                bytes: None,
                text: String::new(),
            },
        };
        let frame_scope = self.watch_scope(&watchpoint);
        expression::evaluate(&frame_scope, &watchpoint.node)?;
        if self.watch_targets(&watchpoint).is_empty() {
            return Err(Error::Other(format!(
                "Cannot watch constant value or what has no place: `{text}`."
            )));
        }
        drop(frame_scope);
        watchpoint.old = self.look(&watchpoint);
        Ok(watchpoint)
    }

    /// What the watchpoint's names mean.
    pub(crate) fn watch_scope(&self, watchpoint: &Watchpoint) -> FrameScope<'_> {
        FrameScope::new(
            self,
            watchpoint.scope.and_then(|scope| self.scope_frame(scope)),
        )
    }

    fn scope_frame(&self, scope: ScopeFrame) -> Option<Frame> {
        let machine = self.vm.borrow().frame_count().checked_sub(scope.depth)?;
        let is_wanted =
            |frame: &Frame| frame.machine == machine && frame.inline_depth() <= scope.inline_depth;
        let frames = crate::frames::Frames::new(&self.program, &self.vm, 0);
        frames
            .skip_while(|frame| frame.machine < machine)
            .find(is_wanted)
    }

    /// The watchpoint's value now.
    fn look(&self, watchpoint: &Watchpoint) -> Seen {
        let scope = self.watch_scope(watchpoint);
        match expression::evaluate(&scope, &watchpoint.node) {
            Ok(value) => Seen {
                bytes: (value.availability == Availability::Available)
                    .then(|| value.bytes.to_vec()),
                text: scope.format(&value),
            },
            Err(error) => Seen {
                bytes: None,
                text: format!("<{error}>"),
            },
        }
    }

    /// Takes note of all watchpoints' values, which commands may have changed since the program stopped.
    pub(crate) fn look_at_watchpoints(&mut self) {
        let numbers: Vec<u32> = self.breakpoints.iter().map(|it| it.number).collect();
        for number in numbers {
            let Ok(Kind::Watchpoint(watchpoint)) = self.breakpoints.get(number).map(|it| &it.kind)
            else {
                continue;
            };
            let now = self.look(watchpoint);
            if let Ok(Kind::Watchpoint(watchpoint)) =
                self.breakpoints.get_mut(number).map(|it| &mut it.kind)
            {
                watchpoint.old = now;
            }
        }
    }

    /// Makes the machine watch what the enabled watchpoints look at.
    pub(crate) fn apply_watches(&mut self) {
        let mut watches = Vec::new();
        for breakpoint in self.breakpoints.iter().filter(|it| it.enabled) {
            let Kind::Watchpoint(watchpoint) = &breakpoint.kind else {
                continue;
            };
            let scope = watchpoint.scope;
            let scope = scope.map(|scope| u32::try_from(scope.depth).unwrap_or(u32::MAX));
            let targets = self.watch_targets(watchpoint).into_iter();
            watches.extend(targets.map(|WayTarget { target, is_way }| Watch {
                id: breakpoint.number | if is_way { WAY } else { 0 },
                target,
                // A pointer on the way only matters when it leads elsewhere.
                kind: if is_way {
                    WatchKind::Change
                } else {
                    watchpoint.kind
                },
                scope,
            }));
        }
        watches.extend(self.remote_watches.iter().map(|(watch, _)| watch.clone()));
        self.vm.get_mut().set_watches(watches);
    }

    /// Everything that the value of the expression depends on.
    fn watch_targets(&self, watchpoint: &Watchpoint) -> Vec<WayTarget> {
        let collector = Collector {
            debugger: self,
            scope: &self.watch_scope(watchpoint),
            depth: watchpoint.scope.map(|scope| scope.depth),
        };
        let mut targets = Vec::new();
        collector.places(&watchpoint.node, false, &mut targets);
        targets
    }

    /// What hits of the machine's watches mean: the first that stops the program.
    pub(crate) fn watch_stop(&mut self, hits: &[WatchHit]) -> Option<Stop> {
        let mut stop = None;
        let mut is_moved = false;
        for hit in hits {
            if let Some(told) = remote::watch_stop(&self.remote_watches, hit.id, hit.event) {
                stop.get_or_insert(told);
            }
            let (number, is_way) = (hit.id & !WAY, hit.id & WAY != 0);
            let Ok(breakpoint) = self.breakpoints.get(number) else {
                continue;
            };
            let Kind::Watchpoint(watchpoint) = breakpoint.kind.clone() else {
                continue;
            };
            let condition = breakpoint.condition.clone();
            let told = |event, new: String| WatchStop {
                number,
                expression: watchpoint.expression.clone(),
                kind: watchpoint.kind,
                event,
                old: watchpoint.old.text.clone(),
                new,
            };
            if hit.event == WatchEvent::ScopeEnded {
                let told = told(hit.event, String::new());
                // It means nothing any more.
                let _ = self.breakpoints.remove(number);
                self.apply_probes();
                stop.get_or_insert(Stop::Watchpoint(told));
                continue;
            }
            let now = self.look(&watchpoint);
            let is_changed = now != watchpoint.old;
            if is_way && watchpoint.kind != WatchKind::Change {
                is_moved = true;
                continue;
            }
            if watchpoint.kind == WatchKind::Change && !is_changed {
                // Another part of what it depends on has changed.
                is_moved = true;
                continue;
            }
            if let Ok(Kind::Watchpoint(kept)) =
                self.breakpoints.get_mut(number).map(|it| &mut it.kind)
            {
                kept.old = now.clone();
            }
            is_moved |= is_changed;
            if let Some(condition) = condition
                && !self.watch_condition_holds(number, &watchpoint, &condition)
            {
                continue;
            }
            let Ok(breakpoint) = self.breakpoints.get_mut(number) else {
                continue;
            };
            if breakpoint.count_hit() {
                let event = if is_changed {
                    WatchEvent::Changed
                } else {
                    hit.event
                };
                stop.get_or_insert(Stop::Watchpoint(told(event, now.text)));
            }
        }
        if is_moved {
            // A pointer on the way to the value leads elsewhere now.
            self.apply_watches();
        }
        stop
    }

    fn watch_condition_holds(
        &mut self,
        number: u32,
        watchpoint: &Watchpoint,
        condition: &crate::breakpoints::Condition,
    ) -> bool {
        let scope = match watchpoint.scope {
            Some(_) => self.watch_scope(watchpoint),
            None => {
                let innermost = crate::frames::Frames::new(&self.program, &self.vm, 0).next();
                FrameScope::new(self, innermost)
            }
        };
        match expression::evaluate::is_true(&scope, &condition.node) {
            Ok(holds) => holds,
            Err(error) => {
                self.tell_condition_error(number, &error);
                true
            }
        }
    }
}

/// Marks the machine's watches of what leads to a watchpoint's value, as against the value itself.
const WAY: u32 = 1 << 31;

/// A place that an expression's value depends on.
#[derive(PartialEq)]
struct WayTarget {
    target: WatchTarget,
    /// Whether it only leads to the value.
    is_way: bool,
}

fn add(target: WayTarget, targets: &mut Vec<WayTarget>) {
    if !targets.contains(&target) {
        targets.push(target);
    }
}

/// Finds the places that an expression's value depends on: its own, and those of the pointers that lead to it.
struct Collector<'a> {
    debugger: &'a Debugger,
    scope: &'a FrameScope<'a>,
    depth: Option<usize>,
}

impl Collector<'_> {
    fn places(&self, node: &Node, is_way: bool, targets: &mut Vec<WayTarget>) {
        match &node.kind {
            NodeKind::Index(table, index) if let Some(number) = table.table_number() => {
                self.table_element(number, index, is_way, targets);
                self.places(index, true, targets);
            }
            NodeKind::Name(_)
            | NodeKind::Dollar(_)
            | NodeKind::Member(..)
            | NodeKind::Index(..)
            | NodeKind::Repeat(..)
            | NodeKind::Unary(UnaryOperator::Dereference, _) => {
                if let Ok(value) = expression::evaluate(self.scope, node) {
                    self.target(&value, is_way, targets);
                }
                self.way(node, targets);
            }
            NodeKind::Unary(UnaryOperator::AddressOf, operand) => self.way(operand, targets),
            NodeKind::Unary(_, operand) | NodeKind::Cast(_, operand) => {
                self.places(operand, is_way, targets);
            }
            NodeKind::Binary(_, left, right) | NodeKind::Comma(left, right) => {
                self.places(left, is_way, targets);
                self.places(right, is_way, targets);
            }
            NodeKind::Conditional(condition, yes, no) => {
                self.places(condition, is_way, targets);
                self.places(yes, is_way, targets);
                self.places(no, is_way, targets);
            }
            _ => {}
        }
    }

    /// The places that lead to an expression's place.
    fn way(&self, node: &Node, targets: &mut Vec<WayTarget>) {
        match &node.kind {
            NodeKind::Member(of, _) => self.way_through(of, targets),
            NodeKind::Index(of, index) => {
                self.way_through(of, targets);
                self.places(index, true, targets);
            }
            NodeKind::Repeat(first, count) => {
                self.way(first, targets);
                self.places(count, true, targets);
            }
            NodeKind::Unary(UnaryOperator::Dereference, pointer) => {
                self.places(pointer, true, targets)
            }
            _ => {}
        }
    }

    /// Of a pointer its value matters; what contains something else does not matter as a whole.
    fn way_through(&self, node: &Node, targets: &mut Vec<WayTarget>) {
        let info = self.debugger.program.info();
        let is_pointer = expression::evaluate(self.scope, node).is_ok_and(|value| {
            matches!(
                info.type_of(info.resolve(value.type_ref)).kind,
                TypeKind::Pointer {
                    kind: PointerKind::Pointer | PointerKind::Reference,
                    ..
                } | TypeKind::Handle
            )
        });
        if is_pointer {
            self.places(node, true, targets);
        } else {
            self.way(node, targets);
        }
    }

    fn target(&self, value: &Value, is_way: bool, targets: &mut Vec<WayTarget>) {
        let size = self.debugger.program.info().size_of(value.type_ref);
        self.place(&value.place, size.unwrap_or(1), is_way, targets);
    }

    fn place(&self, place: &Place, size: u64, is_way: bool, targets: &mut Vec<WayTarget>) {
        let target = match *place {
            Place::Pieces(ref pieces) => {
                for piece in pieces.iter() {
                    let bytes = (piece.bit_offset + piece.bit_size).div_ceil(8);
                    self.place(&piece.place, bytes, is_way, targets);
                }
                return;
            }
            Place::Memory(address) => WatchTarget::Memory {
                instance: PROGRAM_INSTANCE,
                memory: 0,
                range: address..address.saturating_add(size),
            },
            Place::Part { handle, index } => {
                let vm = self.debugger.vm.borrow();
                let object = references::object_of(&vm, handle);
                let target = object.and_then(|object| {
                    Some(WatchTarget::Part {
                        object,
                        number: vm.object(object)?.number,
                        index: u32::try_from(index).ok()?,
                    })
                });
                match target {
                    Some(target) => target,
                    None => return,
                }
            }
            Place::Local(index) => match self.depth.and_then(|depth| u32::try_from(depth).ok()) {
                Some(depth) => WatchTarget::Local { depth, index },
                None => return,
            },
            Place::Global(index) => {
                let vm = self.debugger.vm.borrow();
                match vm.global_addr(PROGRAM_INSTANCE, index) {
                    Some(global) => WatchTarget::Global(global),
                    None => return,
                }
            }
            _ => return,
        };
        add(WayTarget { target, is_way }, targets);
    }

    fn table_element(&self, table: u32, index: &Node, is_way: bool, targets: &mut Vec<WayTarget>) {
        let index = expression::evaluate(self.scope, index)
            .and_then(|value| Ok(self.scope.inspector().scalar(&value)?));
        let Ok(Scalar::Integer(index)) = index else {
            return;
        };
        let Ok(index) = u64::try_from(index) else {
            return;
        };
        let target = WatchTarget::TableElement {
            instance: PROGRAM_INSTANCE,
            table,
            index,
        };
        add(WayTarget { target, is_way }, targets);
    }
}

//! Builds the views that front ends draw.

use wdb_dwarf::{Value, VariableKind};
use wdb_vm::ValType;
use wdb_vm::shape::LabelKind;
use wdb_vm::value::Value as MachineValue;

use crate::debugger::Debugger;
use crate::expression::Scope;
use crate::frames::Frame;
use crate::process::PROGRAM_INSTANCE;
use crate::scope::FrameScope;
use crate::view::{FrameView, LabelView, SelectedFrame, SlotView, ValueView, VariableView, View};

/// What a frame showed when it was looked at last.
#[derive(Debug)]
pub(crate) struct Shown {
    key: FrameKey,
    frame: SelectedFrame,
}

/// Which call a frame is, as far as can be told between two stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FrameKey {
    /// Counted from the outermost.
    depth: usize,
    func_index: u32,
    inline_depth: usize,
}

/// How deep values are unfolded in a view.
const CHILDREN_DEPTH_MAX: usize = 4;
/// How many members or elements of one value are listed in a view.
const CHILDREN_MAX: usize = 64;
/// How many parts of one variable are listed in a view in all.
const PARTS_MAX: usize = 256;

/// The label of an entry in a listing of labels.
pub(crate) fn label_kind_text(kind: LabelKind) -> &'static str {
    match kind {
        LabelKind::Function => "function",
        LabelKind::Block => "block",
        LabelKind::Loop => "loop",
        LabelKind::If => "if",
        LabelKind::TryTable => "try_table",
        LabelKind::Try => "try",
        LabelKind::Catch => "catch",
        LabelKind::Else => "else",
    }
}

impl Debugger {
    /// Everything that front ends show.
    pub(crate) fn build_view(&mut self) -> View {
        let frames: Vec<Frame> = self.frames().take(View::FRAMES_MAX).collect();
        let selected = self.selected_frame();
        let mut selected = selected.map(|frame| (self.frame_key(&frame), self.show_frame(&frame)));
        if let (Some((key, frame)), Some(shown)) = (&mut selected, &self.shown)
            && shown.key == *key
        {
            mark_changes(frame, &shown.frame);
        }
        let frame_count = self.frame_total();
        let breakpoints = self.breakpoints.iter();
        let breakpoints = breakpoints.map(|it| it.view(&self.program)).collect();
        let vm = self.vm.borrow();
        View {
            state: self.state,
            reason: self.reason.clone(),
            tick: vm.time().tick,
            tier: vm.tier().name(),
            frames: frames.iter().map(|frame| self.frame_view(frame)).collect(),
            frame_count,
            selected: selected.map(|(_, frame)| frame),
            breakpoints,
            memory_bytes: vm
                .memory(PROGRAM_INSTANCE, 0)
                .map(|bytes| bytes.len() as u64),
        }
    }

    /// Takes note of what the innermost frame shows, before the program goes on.
    pub(crate) fn take_snapshot(&mut self) {
        let innermost = self.frames().next();
        self.shown = innermost.map(|frame| Shown {
            key: self.frame_key(&frame),
            frame: self.show_frame(&frame),
        });
    }

    fn frame_key(&self, frame: &Frame) -> FrameKey {
        FrameKey {
            depth: self.vm.borrow().frame_count() - frame.machine,
            func_index: frame.func_index().0,
            inline_depth: frame.inline_depth(),
        }
    }

    fn frame_view(&self, frame: &Frame) -> FrameView {
        let scope = self.scope_of(frame.clone());
        FrameView {
            index: frame.index,
            function: frame.function().to_string(),
            func_index: frame.func_index().0,
            pc: frame.pc().0,
            source: frame.location().map(|location| self.program.spot(location)),
            inlined: frame.is_inlined(),
            arguments: self.argument_lines(&scope),
        }
    }

    fn show_frame(&self, frame: &Frame) -> SelectedFrame {
        let scope = self.scope_of(frame.clone());
        let info = self.program.info();
        // Innermost scope first; arguments before locals within one.
        let mut variables: Vec<_> = scope.variables().iter().collect();
        variables.sort_by_key(|variable| std::cmp::Reverse(variable.scope_depth));
        let variables = variables
            .into_iter()
            .map(|variable| {
                let value = scope.value_of(variable);
                VariableView {
                    name: variable.name.to_string(),
                    type_name: info.type_name(variable.type_ref),
                    argument: variable.kind == VariableKind::Argument,
                    value: value_view(&scope, &value, 0, &mut PARTS_MAX.clone()),
                    changed: false,
                }
            })
            .collect();
        SelectedFrame {
            index: frame.index,
            func_index: frame.func_index().0,
            pc: frame.pc().0,
            source: frame.location().map(|location| self.program.spot(location)),
            variables,
            locals: self.local_slots(&scope, frame),
            operands: self.operand_slots(&scope, frame),
            labels: label_views(&scope),
        }
    }

    /// The wasm locals of a scope's frame.
    pub(crate) fn local_slots(&self, scope: &FrameScope<'_>, frame: &Frame) -> Vec<SlotView> {
        let module = self.program.module();
        let func = frame.func_index();
        let types = module.local_types(func);
        let slots = types.iter().zip(0..).map(|(ty, index)| {
            let value = self.vm.borrow().local(frame.machine, index);
            let mut slot = self.slot_view(scope, ("local", index), Some(*ty), value);
            slot.name = module.names().local(func.0, index).map(str::to_owned);
            slot
        });
        slots.collect()
    }

    /// The operand stack of a scope's frame, bottom first.
    pub(crate) fn operand_slots(&self, scope: &FrameScope<'_>, frame: &Frame) -> Vec<SlotView> {
        let Some(shape) = scope.target().shape() else {
            return Vec::new();
        };
        let slots = shape.operands.iter().zip(0..);
        slots
            .map(|(slot, index)| {
                let value = self.vm.borrow().slot_value(frame.machine, *slot);
                self.slot_view(scope, ("stack", index), slot.ty, value)
            })
            .collect()
    }

    /// The program's wasm globals.
    pub(crate) fn global_slots(&self) -> Vec<SlotView> {
        let scope = FrameScope::new(self, None);
        let module = self.program.module();
        let slots = module.globals().iter().zip(0..).map(|(global, index)| {
            let value = scope.target().global_value(index);
            let ty = Some(global.ty.content_type);
            let mut slot = self.slot_view(&scope, ("global", index), ty, value);
            slot.name = module.names().global(index).map(str::to_owned);
            slot
        });
        slots.collect()
    }

    /// What expressions call `$local1` and the like, as a view.
    fn slot_view(
        &self,
        scope: &FrameScope<'_>,
        (prefix, index): (&str, u32),
        ty: Option<ValType>,
        value: Option<MachineValue>,
    ) -> SlotView {
        let module = self.program.module();
        let is_reference = matches!(value, Some(MachineValue::Ref(_)));
        let children = is_reference
            .then(|| scope.dollar(&format!("{prefix}{index}")).ok())
            .flatten()
            .map(|value| value_view(scope, &value, 0, &mut PARTS_MAX.clone()).children);
        SlotView {
            index: index as usize,
            name: None,
            type_name: ty.map_or_else(|| "?".to_owned(), |ty| module.val_type_text(ty)),
            text: self.slot_text(value),
            children: children.unwrap_or_default(),
            changed: false,
        }
    }

    /// The value of a slot as the text format writes it, without its type.
    pub(crate) fn slot_text(&self, value: Option<MachineValue>) -> String {
        match value {
            Some(MachineValue::F32(bits)) => f32::from_bits(bits).to_string(),
            Some(MachineValue::F64(bits)) => f64::from_bits(bits).to_string(),
            Some(MachineValue::V128(bits)) => self.settings.lanes().text(bits),
            Some(value) => self.vm.borrow().value_text(value),
            None => "?".to_owned(),
        }
    }
}

/// The label stack of a scope's frame, outermost first.
pub(crate) fn label_views(scope: &FrameScope<'_>) -> Vec<LabelView> {
    let labels = scope.target().shape().map(|shape| &shape.labels);
    let labels = labels.into_iter().flatten();
    labels
        .map(|label| LabelView {
            kind: label_kind_text(label.kind),
            start: label.start.0,
            target: label.target.0,
            height: label.height as usize,
            arity: label.arity as usize,
        })
        .collect()
}

fn value_view(
    scope: &FrameScope<'_>,
    value: &Value,
    depth: usize,
    parts_left: &mut usize,
) -> ValueView {
    let mut children = Vec::new();
    if depth < CHILDREN_DEPTH_MAX && *parts_left > 0 {
        for child in scope.children(value, CHILDREN_MAX) {
            if *parts_left == 0 {
                break;
            }
            *parts_left -= 1;
            let view = value_view(scope, &child.value, depth + 1, parts_left);
            children.push((child.name, view));
        }
    }
    ValueView {
        text: scope.format_briefly(value),
        children,
    }
}

/// Marks what differs from an earlier look at the same frame.
fn mark_changes(frame: &mut SelectedFrame, before: &SelectedFrame) {
    for variable in &mut frame.variables {
        let old = before
            .variables
            .iter()
            .find(|old| old.name == variable.name && old.type_name == variable.type_name);
        variable.changed = old.is_some_and(|old| old.value != variable.value);
    }
    let mark = |slots: &mut [SlotView], old: &[SlotView]| {
        for slot in slots {
            let same = old.get(slot.index);
            slot.changed = same.is_none_or(|old| old.text != slot.text);
        }
    };
    mark(&mut frame.locals, &before.locals);
    mark(&mut frame.operands, &before.operands);
}

//! Conditions of breakpoints that the machine decides by itself, so that a hit that does not count costs no stop.

use std::collections::BTreeMap;
use std::sync::Arc;

use wdb_dwarf::{CodeOffset, DebugInfo, MemberPlace, PlaceRule, SlotName, TypeRef, Variable};
use wdb_vm::address::{FuncIndex, ModuleOffset};
use wdb_vm::{Condition, ValType};

use crate::breakpoints::Breakpoint;
use crate::debugger::Debugger;
use crate::expression::condition::{Form, Places, Term, address_sum, either, lower, member};
use crate::scope::{FrameScope, slot_named};

/// What the debugger itself means by names after a `$`.
const OWN_NAMES: [&str; 7] = ["", "tick", "_exitcode", "_exception", "bpnum", "_", "__"];

/// Probes with the conditions that the machine decides.
pub(crate) type Probes = BTreeMap<ModuleOffset, Option<Condition>>;

impl Debugger {
    /// The places where the machine has to stop for the enabled breakpoints, and on what condition if it can decide that. Takes note
    /// of the breakpoints whose conditions it decides everywhere.
    pub(crate) fn wanted_probes(&mut self) -> Probes {
        let mut probes = Probes::new();
        let mut decided = Vec::new();
        for breakpoint in self.breakpoints.iter() {
            let mut is_decided = breakpoint.condition.is_some() && !breakpoint.pcs.is_empty();
            for &pc in &breakpoint.pcs {
                let condition = self.machine_condition(breakpoint, pc);
                is_decided &= condition.is_some();
                if !breakpoint.enabled {
                    continue;
                }
                // One of several breakpoints that has to be asked is asked always.
                let joined = match (probes.remove(&pc), condition) {
                    (None, condition) => condition,
                    (Some(Some(other)), Some(condition)) if other == condition => Some(other),
                    (Some(Some(other)), Some(condition)) => Some(either(other, condition)),
                    (Some(_), _) => None,
                };
                probes.insert(pc, joined);
            }
            decided.push((breakpoint.number, is_decided));
        }
        for (number, is_decided) in decided {
            if let Ok(breakpoint) = self.breakpoints.get_mut(number) {
                breakpoint.is_machine_decided = is_decided;
            }
        }
        probes
    }

    /// A breakpoint's condition at one of its places; `None` if it has none, or if only the debugger can evaluate it.
    fn machine_condition(&self, breakpoint: &Breakpoint, pc: ModuleOffset) -> Option<Condition> {
        let condition = breakpoint.condition.as_ref()?;
        let program = &self.program;
        let levels = program.places_at(pc).len();
        let inline = breakpoint.hidden_inlines(program, pc);
        let inline = inline.min(levels.checked_sub(1)?);
        let at = program.code_offset(pc)?;
        let place = Place {
            debugger: self,
            pc,
            at,
            func: program.module().func_at(pc)?,
            variables: program.variables_at(at, inline),
        };
        lower(&place, &condition.node)
    }
}

/// A place in the code.
struct Place<'a> {
    debugger: &'a Debugger,
    pc: ModuleOffset,
    at: CodeOffset,
    func: FuncIndex,
    /// The variables of the function, or of the inlined call, that the place counts to.
    variables: Arc<[Variable]>,
}

impl Place<'_> {
    fn slot_type(&self, slot: SlotName) -> Option<ValType> {
        let module = self.debugger.program.module();
        match slot {
            SlotName::Local(index) => {
                let types = module.local_types(self.func);
                types.get(index as usize).copied()
            }
            SlotName::Global(index) => {
                let global = module.globals().get(index as usize)?;
                Some(global.ty.content_type)
            }
        }
    }

    /// The bits that a number's slot holds.
    fn slot(&self, slot: SlotName) -> Option<Condition> {
        use ValType as T;
        let is_number = matches!(self.slot_type(slot)?, T::I32 | T::I64 | T::F32 | T::F64);
        is_number.then_some(match slot {
            SlotName::Local(index) => Condition::Local(index),
            SlotName::Global(index) => Condition::Global(index),
        })
    }

    /// A slot as expressions of the machine's own state name it.
    fn machine_slot(&self, slot: SlotName) -> Option<Term> {
        let form = Form::Bits(self.slot(slot)?);
        let scope = FrameScope::at(self.debugger, self.at);
        let type_ref = scope.machine_type(self.slot_type(slot)?);
        Some(Term { type_ref, form })
    }

    fn term(&self, variable: &Variable) -> Option<Term> {
        let info = self.info();
        if info.size_of(variable.type_ref)? == 0 {
            return None;
        }
        let form = match info.place_rule(variable, self.at)? {
            PlaceRule::Slot(slot) => Form::Bits(self.slot(slot)?),
            PlaceRule::Memory { base: None, offset } => {
                Form::Memory(Condition::Constant(offset.cast_signed()))
            }
            PlaceRule::Memory {
                base: Some(slot),
                offset,
            } => {
                let (address_type, is_wide) = match info.address_size() {
                    8 => (ValType::I64, true),
                    _ => (ValType::I32, false),
                };
                if self.slot_type(slot)? != address_type {
                    return None;
                }
                Form::Memory(address_sum(self.slot(slot)?, offset, is_wide))
            }
            PlaceRule::Implicit(bytes) => {
                let mut low = [0; 8];
                let len = bytes.len().min(8);
                low[..len].copy_from_slice(&bytes[..len]);
                Form::Bits(Condition::Constant(i64::from_le_bytes(low)))
            }
        };
        Some(Term {
            type_ref: variable.type_ref,
            form,
        })
    }

    fn local(&self, name: &str) -> Option<&Variable> {
        let mut variables = self.variables.iter().rev();
        variables.find(|variable| &*variable.name == name && !variable.is_shadowed)
    }
}

impl Places for Place<'_> {
    fn info(&self) -> &DebugInfo {
        self.debugger.program.info()
    }

    fn has_memory(&self) -> bool {
        !self.debugger.program.module().memories().is_empty()
    }

    fn variable(&self, name: &str) -> Option<Term> {
        // In the order in which evaluation searches: what is found first hides the rest, also where it cannot be had.
        if let Some(variable) = self.local(name) {
            return self.term(variable);
        }
        if let Some(this) = self.local("this") {
            let found = member(self, &self.term(this)?, name);
            match found? {
                (_, MemberPlace::Missing) => {}
                (term, _) => return term,
            }
        }
        if let Some(variable) = self.info().global_variables(name, Some(self.at)).first() {
            return self.term(variable);
        }
        let (type_ref, value) = FrameScope::at(self.debugger, self.at).constant_named(name)?;
        let form = Form::Bits(Condition::Constant(value));
        Some(Term { type_ref, form })
    }

    fn dollar(&self, name: &str) -> Option<Term> {
        let numbered = |prefix: &str| name.strip_prefix(prefix)?.parse::<u32>().ok();
        if let Some(index) = numbered("local") {
            return self.machine_slot(SlotName::Local(index));
        }
        if let Some(index) = numbered("global") {
            return self.machine_slot(SlotName::Global(index));
        }
        if name == "pc" {
            return Some(Term {
                type_ref: self.info().pointer_to(TypeRef::VOID),
                form: Form::Bits(Condition::Constant(i64::from(self.pc.0))),
            });
        }
        // A variable of the user's hides a slot of its name; its value may be another the next time.
        let is_hidden = OWN_NAMES.contains(&name)
            || name.starts_with(|c: char| c == '$' || c.is_ascii_digit())
            || self.debugger.user_variables.borrow().contains_key(name);
        if is_hidden || numbered("stack").or_else(|| numbered("table")).is_some() {
            return None;
        }
        self.machine_slot(slot_named(&self.debugger.program, Some(self.func), name)?)
    }

    fn type_named(&self, name: &str) -> Option<TypeRef> {
        self.info().type_named(name, Some(self.at))
    }
}

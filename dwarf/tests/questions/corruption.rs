//! Malformed debug info: every question gets an answer, and soon.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wdb_dwarf::{CodeOffset, DebugInfo, FormatOptions};

use crate::support::{FakeTarget, Program, fixture_path, read_module, sections};

/// How long all questions about one malformed module may take. They take milliseconds; the
/// limit leaves room for a busy machine.
const QUESTIONS_MAX: Duration = Duration::from_secs(20);

/// A small generator of pseudo-random numbers (xorshift), so that a seed names a run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap()
    }
}

/// Asks everything there is to ask.
fn ask_everything(info: &DebugInfo, target: &FakeTarget) -> usize {
    let mut answers = info.summary().units.len() + info.files().len() + info.all_globals().len();
    for file in info.files().iter().take(4) {
        answers += info.lines_with_code(file).len();
        answers += info.breakpoints_for_line(file, 20).len();
    }
    for name in ["fib", "square", "cost", "_ZNK4shop4Item4costEi", "nothing"] {
        answers += info.functions_named(name).len() + info.breakpoints_for_function(name).len();
        answers += info.global_variables(name, None).len();
    }
    for name in ["struct node", "Item", "shop::Kind *", "u32", "GREEN"] {
        answers += info
            .type_named(name, Some(CodeOffset(40)))
            .map_or(0, |type_ref| info.type_definition(type_ref).len());
        answers += usize::from(info.enumerator_named(name).is_some());
    }
    let inspector = info.inspect(target);
    let options = FormatOptions::default();
    for address in (0..800).step_by(37).map(CodeOffset) {
        answers += usize::from(info.location(address).is_some())
            + usize::from(info.line_row(address).is_some());
        answers += info
            .function_at(address)
            .map_or(0, |function| function.ranges.len());
        let frames = info.inlined_frames(address).len();
        for frame in 0..=frames.min(4) {
            for variable in info.variables(address, frame).iter().take(16) {
                answers += info.type_definition(variable.type_ref).len();
                let value = inspector.variable(variable, address);
                answers += inspector.format(&value, &options).len();
            }
        }
    }
    for name in info.all_globals().iter().take(32) {
        for variable in info.global_variables(name, None).iter().take(2) {
            let value = inspector.variable(variable, CodeOffset(0));
            answers +=
                inspector.format(&value, &options).len() + inspector.children(&value, 8).len();
            answers += inspector
                .member(&value, "x")
                .map_or(0, |value| value.bytes.len());
            answers += inspector
                .index(&value, -3)
                .map_or(0, |value| value.bytes.len());
            answers += inspector
                .assign(&value, &value)
                .map_or(0, |writes| writes.len());
        }
    }
    answers + info.warnings().len()
}

/// Where a module's debug sections lie.
fn debug_ranges(module: &[u8]) -> Vec<std::ops::Range<usize>> {
    let payloads = wasmparser::Parser::new(0).parse_all(module);
    let ranges = payloads.filter_map(|payload| match payload {
        Ok(wasmparser::Payload::CustomSection(section))
            if section.name().starts_with(".debug_") =>
        {
            let end = usize::try_from(section.range().end).unwrap();
            Some(end - section.data().len()..end)
        }
        _ => None,
    });
    ranges.filter(|range| !range.is_empty()).collect()
}

fn corrupt(name: &str, variants: u64) {
    let pristine = read_module(&fixture_path(name));
    let ranges = debug_ranges(&pristine);
    let target = Program::open(name).target;
    for seed in 1..=variants {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut module = pristine.to_vec();
        for _ in 0..1 + random.below(8) {
            let range = ranges[random.below(ranges.len())].clone();
            let position = range.start + random.below(range.len());
            let len = 1 + random.below(8).min(range.end - position - 1);
            match random.below(5) {
                0 => module[position] = 0,
                1 => module[position] = 0xff,
                2 => module[position] ^= 1 << random.below(8),
                3 => module[position] = random.next().to_le_bytes()[0],
                // References from elsewhere in the section make cycles that random bytes miss.
                _ => {
                    let source = range.start + random.below(range.len() - len);
                    module.copy_within(source..source + len, position);
                }
            }
        }
        let module: Arc<[u8]> = module.into();
        let started = Instant::now();
        // A panic within names the variant by what was printed last.
        println!("{name}, seed {seed}");
        ask_everything(&DebugInfo::new(sections(&module)), &target);
        assert!(
            started.elapsed() < QUESTIONS_MAX,
            "{name}, seed {seed}: {:?}",
            started.elapsed()
        );
    }
}

#[test]
fn corrupted_shapes_in_dwarf_4() {
    corrupt("shapes-dwarf4.wasm", 600);
}

#[test]
fn corrupted_shapes_in_dwarf_5() {
    corrupt("shapes-dwarf5.wasm", 600);
}

#[test]
fn corrupted_inlined_calls() {
    corrupt("inlined-dwarf4.wasm", 600);
    corrupt("inlined-dwarf5.wasm", 600);
}

#[test]
fn corrupted_classes() {
    corrupt("classes.wasm", 600);
}

#[test]
fn corrupted_rust_types() {
    corrupt("rusty.wasm", 100);
}

#[test]
fn truncated_sections() {
    for name in ["shapes-dwarf5.wasm", "inlined-dwarf5.wasm", "classes.wasm"] {
        let module = read_module(&fixture_path(name));
        let target = Program::open(name).target;
        for range in debug_ranges(&module) {
            for end in (range.start..range.end).step_by((range.len() / 16).max(1)) {
                let mut cut = module.to_vec();
                cut[end..range.end].fill(0);
                ask_everything(&DebugInfo::new(sections(&cut.into())), &target);
            }
        }
    }
}

#[test]
fn nothing_at_all() {
    let module: Arc<[u8]> = Arc::from(&b"\0asm\x01\0\0\0"[..]);
    let info = DebugInfo::new(sections(&module));
    assert!(info.is_empty());
    ask_everything(&info, &FakeTarget::default());
    assert!(info.all_functions().is_empty() && info.files().is_empty());
    assert_eq!(info.warnings(), Vec::<String>::new());
}

#[test]
fn threads_can_share_debug_info() {
    fn assert_shared<T: Send + Sync>(_: &T) {}
    let program = Program::open("shapes-dwarf5.wasm");
    assert_shared(&program.info);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| ask_everything(&program.info, &program.target));
        }
    });
}

#[test]
fn damage_is_reported() {
    let module = read_module(&fixture_path("shapes-dwarf4.wasm"));
    let mut damaged = module.to_vec();
    let info_section = debug_ranges(&module)
        .into_iter()
        .max_by_key(|range| {
            usize::from(sections(&module).get(".debug_info") == &module[range.clone()])
        })
        .unwrap();
    // The version of the first unit.
    damaged[info_section.start + 4] = 99;
    let info = DebugInfo::new(sections(&damaged.into()));
    assert_eq!(info.functions_named("fib"), []);
    assert_eq!(info.warnings().len(), 1);
    assert!(
        info.warnings()[0].starts_with("The unit at .debug_info+0x0 is ignored"),
        "{:?}",
        info.warnings()
    );
}

//! What is lowered, and that it agrees with what evaluation gives.

use std::path::Path;

use wdb_dwarf::{
    DebugInfo, Error as DwarfError, Inspector, Place, RawSlot, Result as DwarfResult, Target,
    TypeRef, Value, Write,
};
use wdb_vm::tier::Compile;
use wdb_vm::{Condition, Observed};

use super::{Form, Places, Term, address_sum, lower};
use crate::error::Error;
use crate::expression::evaluate::is_true;
use crate::expression::{Node, Scope, parse};
use crate::program::{Program, ProgramSource};

const MEMORY_BYTES: usize = 4096;
const FRAME_BASE: u32 = 1024;

/// Where a variable of the frame lies.
#[derive(Clone, Copy)]
enum At {
    Local(u32),
    Global(u32),
    Fixed(u64),
    /// So many bytes after the frame base, which is in the first local.
    Frame(u64),
}

/// Every kind of type at every kind of place.
const VARIABLES: [(&str, &str, At); 21] = [
    ("c", "char", At::Frame(3)),
    ("uc", "unsigned char", At::Local(1)),
    ("s", "short", At::Frame(8)),
    ("us", "unsigned short", At::Fixed(10)),
    ("i", "int", At::Local(2)),
    ("j", "int", At::Frame(12)),
    ("u", "unsigned int", At::Local(3)),
    ("v", "unsigned int", At::Fixed(16)),
    ("l", "long long", At::Local(4)),
    ("ul", "unsigned long long", At::Frame(24)),
    ("m", "unsigned long long", At::Global(1)),
    ("b", "bool", At::Frame(32)),
    ("kind", "enum kind", At::Local(1)),
    ("a", "int[8]", At::Frame(40)),
    ("pi", "int*", At::Local(5)),
    ("ps", "short*", At::Global(0)),
    ("item", "struct item*", At::Frame(0x60)),
    ("place", "struct place", At::Fixed(0x80)),
    ("f", "float", At::Local(6)),
    ("d", "double", At::Local(7)),
    ("e", "double", At::Fixed(0xa0)),
];

struct Frame<'a> {
    info: &'a DebugInfo,
    locals: [RawSlot; 8],
    globals: [RawSlot; 2],
    memory: Vec<u8>,
}

impl Target for Frame<'_> {
    fn local(&self, index: u32) -> Option<RawSlot> {
        self.locals.get(index as usize).copied()
    }

    fn global(&self, index: u32) -> Option<RawSlot> {
        self.globals.get(index as usize).copied()
    }

    fn operand(&self, _index: u32) -> Option<RawSlot> {
        None
    }

    fn read_memory(&self, address: u64, buffer: &mut [u8]) -> DwarfResult<()> {
        let start = usize::try_from(address).unwrap_or(usize::MAX);
        let end = start.checked_add(buffer.len());
        let bytes = end.and_then(|end| self.memory.get(start..end));
        buffer.copy_from_slice(bytes.ok_or(DwarfError::Memory { address })?);
        Ok(())
    }
}

fn cell(slot: RawSlot) -> i64 {
    match slot {
        RawSlot::I32(value) => i64::from(value),
        RawSlot::F32(bits) => i64::from(bits),
        RawSlot::I64(value) | RawSlot::F64(value) => value.cast_signed(),
        _ => unreachable!("the frame has numbers only"),
    }
}

impl Observed for Frame<'_> {
    fn local(&self, index: u32) -> i64 {
        cell(self.locals[index as usize])
    }

    fn global(&self, index: u32) -> i64 {
        cell(self.globals[index as usize])
    }

    fn load(&self, memory: u32, address: u64, bytes: u8) -> Option<u64> {
        assert_eq!(memory, 0);
        let mut buffer = [0; 8];
        self.read_memory(address, &mut buffer[..usize::from(bytes)])
            .ok()?;
        Some(u64::from_le_bytes(buffer))
    }
}

impl Frame<'_> {
    fn find(&self, name: &str) -> Option<(TypeRef, At)> {
        let mut variables = VARIABLES.iter();
        let (_, type_name, at) = variables.find(|(known, ..)| *known == name)?;
        Some((self.info.type_named(type_name, None)?, *at))
    }
}

impl Places for Frame<'_> {
    fn info(&self) -> &DebugInfo {
        self.info
    }

    fn has_memory(&self) -> bool {
        true
    }

    fn variable(&self, name: &str) -> Option<Term> {
        let (type_ref, at) = self.find(name)?;
        let form = match at {
            At::Local(index) => Form::Bits(Condition::Local(index)),
            At::Global(index) => Form::Bits(Condition::Global(index)),
            At::Fixed(address) => Form::Memory(Condition::Constant(address.cast_signed())),
            At::Frame(offset) => Form::Memory(address_sum(Condition::Local(0), offset, false)),
        };
        Some(Term { type_ref, form })
    }

    fn dollar(&self, _name: &str) -> Option<Term> {
        None
    }

    fn type_named(&self, name: &str) -> Option<TypeRef> {
        self.info.type_named(name, None)
    }
}

impl Scope for Frame<'_> {
    fn inspector(&self) -> Inspector<'_> {
        self.info.inspect(self)
    }

    fn variable(&self, name: &str) -> Result<Value, Error> {
        let (type_ref, at) = self.find(name).ok_or(Error::NotRunning)?;
        let place = match at {
            At::Local(index) => Place::Local(index),
            At::Global(index) => Place::Global(index),
            At::Fixed(address) => Place::Memory(address),
            At::Frame(offset) => {
                let base = cell(self.locals[0]).cast_unsigned();
                Place::Memory(base.wrapping_add(offset) & u64::from(u32::MAX))
            }
        };
        Ok(self.inspector().read(type_ref, place))
    }

    fn function(&self, _name: &str) -> Option<Value> {
        None
    }

    fn dollar(&self, _name: &str) -> Result<Value, Error> {
        Err(Error::NotRunning)
    }

    fn set_dollar(&self, _name: &str, _value: &Value) -> Result<bool, Error> {
        Err(Error::NotRunning)
    }

    fn call(&self, _name: &str, _args: &[Value]) -> Result<Value, Error> {
        Err(Error::NotRunning)
    }

    fn call_through(&self, _pointer: &Value, _args: &[Value]) -> Result<Value, Error> {
        Err(Error::NotRunning)
    }

    fn table_element(&self, _table: u32, _index: i128) -> Result<Value, Error> {
        Err(Error::NotRunning)
    }

    fn type_named(&self, name: &str) -> Option<TypeRef> {
        self.info.type_named(name, None)
    }

    fn write(&self, _write: Write) -> Result<(), Error> {
        Err(Error::NotRunning)
    }
}

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() >> 33) as usize % end
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    /// A number of which the edges are more likely.
    fn bits(&mut self) -> u64 {
        match self.below(4) {
            0 => self.next(),
            1 => self.next() % 16,
            2 => (self.next() % 16).wrapping_neg(),
            _ => 1 << self.below(64),
        }
    }

    /// A float of which the integers are more likely.
    fn float(&mut self) -> f64 {
        match self.below(4) {
            0 => f64::from_bits(self.next()),
            1 => [0.0, -0.0, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE][self.below(5)],
            _ => (self.next() % 64) as f64 / 4.0 - 8.0,
        }
    }

    fn frame<'a>(&mut self, info: &'a DebugInfo, is_wild: bool) -> Frame<'a> {
        let mut memory: Vec<u8> = (0..MEMORY_BYTES).map(|_| self.bits() as u8).collect();
        let mut pointer = || match is_wild {
            true => self.bits() as u32,
            false => 256 + self.below(2048) as u32,
        };
        let (first, second, item, base) = (pointer(), pointer(), pointer(), pointer());
        let base = if is_wild { base } else { FRAME_BASE };
        let start = base as usize + 0x60;
        if let Some(bytes) = memory.get_mut(start..start + 4) {
            bytes.copy_from_slice(&item.to_le_bytes());
        }
        let locals = [
            RawSlot::I32(base),
            RawSlot::I32(self.bits() as u32),
            RawSlot::I32(self.bits() as u32),
            RawSlot::I32(self.bits() as u32),
            RawSlot::I64(self.bits()),
            RawSlot::I32(first),
            RawSlot::F32((self.float() as f32).to_bits()),
            RawSlot::F64(self.float().to_bits()),
        ];
        memory[0xa0..0xa8].copy_from_slice(&self.float().to_le_bytes());
        Frame {
            info,
            locals,
            globals: [RawSlot::I32(second), RawSlot::I64(self.bits())],
            memory,
        }
    }

    /// An integer's expression. One that is not wild reads memory that is there.
    fn integer(&mut self, depth: usize, is_wild: bool) -> String {
        const LITERALS: [&str; 14] = [
            "0",
            "1",
            "-1",
            "7",
            "255",
            "0x80",
            "65535",
            "2147483647",
            "0xffffffff",
            "3u",
            "0x8000000000000000",
            "5ll",
            "'a'",
            "true",
        ];
        const PLAIN: [&str; 21] = [
            "c",
            "uc",
            "s",
            "us",
            "i",
            "j",
            "u",
            "v",
            "l",
            "ul",
            "m",
            "b",
            "kind",
            "item->kind",
            "item->stock.pieces",
            "item->place.aisle",
            "item->place.bin.row",
            "item->price",
            "place.shelf",
            "place.bin.column",
            "item->name[3]",
        ];
        const TYPES: [&str; 9] = [
            "char",
            "unsigned char",
            "short",
            "unsigned short",
            "int",
            "unsigned",
            "long long",
            "unsigned long long",
            "bool",
        ];
        const OPERATORS: [&str; 16] = [
            "+", "-", "*", "&", "|", "^", "<", "<=", ">", ">=", "==", "!=", "&&", "||", "/", "%",
        ];
        if depth == 0 {
            return match self.below(3) {
                0 => self.pick(&LITERALS).to_owned(),
                _ => self.pick(&PLAIN).to_owned(),
            };
        }
        let part = |numbers: &mut Numbers| numbers.integer(depth - 1, is_wild);
        match self.below(14) {
            12 => {
                const OPERATORS: [&str; 6] = ["<", "<=", ">", ">=", "==", "!="];
                let (left, right) = (self.floating(depth - 1, is_wild), self.floating(1, is_wild));
                format!("({left}) {} ({right})", self.pick(&OPERATORS))
            }
            13 => format!("!({})", self.floating(depth - 1, is_wild)),
            0 => format!("{}({})", self.pick(&["-", "~", "!", "+"]), part(self)),
            1 => format!("({})({})", self.pick(&TYPES), part(self)),
            2 if is_wild => {
                format!(
                    "({}) {} ({})",
                    part(self),
                    self.pick(&["<<", ">>"]),
                    part(self)
                )
            }
            2 => {
                let mask = self.pick(&["7", "63u", "127ll"]);
                let operator = self.pick(&["<<", ">>"]);
                format!("({}) {operator} (({}) & {mask})", part(self), part(self))
            }
            3 => format!(
                "({}) {} {}",
                part(self),
                self.pick(&["<<", ">>"]),
                self.pick(&["1", "31", "32", "70", "3u"])
            ),
            4 if is_wild => format!("{}[{}]", self.pick(&["a", "pi", "ps"]), part(self)),
            4 => format!("{}[({}) & 7]", self.pick(&["a", "pi", "ps"]), part(self)),
            5 => {
                let pointer = self.pointer(depth - 1, is_wild);
                format!("*({pointer})")
            }
            6 => {
                let (left, right) = (self.pointer(0, is_wild), self.pointer(0, is_wild));
                format!("({left}) {} ({right})", self.pick(&["==", "<", ">=", "-"]))
            }
            7 => format!("(({}) ? ({}) : ({}))", part(self), part(self), part(self)),
            _ => format!(
                "({}) {} ({})",
                part(self),
                self.pick(&OPERATORS),
                part(self)
            ),
        }
    }

    /// A float's expression.
    fn floating(&mut self, depth: usize, is_wild: bool) -> String {
        const PLAIN: [&str; 7] = [
            "f",
            "d",
            "e",
            "0.5",
            "1e30",
            "2.5f",
            "item->stock.kilograms",
        ];
        if depth == 0 {
            return self.pick(&PLAIN).to_owned();
        }
        match self.below(5) {
            0 => format!("-({})", self.floating(depth - 1, is_wild)),
            1 => {
                let type_name = self.pick(&["float", "double"]);
                format!("({type_name})({})", self.integer(depth - 1, is_wild))
            }
            2 => {
                let operator = self.pick(&["+", "-", "*", "/"]);
                let (left, right) = (self.floating(0, is_wild), self.integer(0, is_wild));
                format!("({left}) {operator} ({right})")
            }
            3 => {
                let condition = self.integer(0, is_wild);
                let (yes, no) = (self.pick(&["d", "e"]), self.pick(&["d", "0.5"]));
                format!("(({condition}) ? ({yes}) : ({no}))")
            }
            _ => {
                let operator = self.pick(&["+", "-", "*", "/"]);
                let (left, right) = (self.floating(depth - 1, is_wild), self.floating(0, is_wild));
                format!("({left}) {operator} ({right})")
            }
        }
    }

    fn pointer(&mut self, depth: usize, is_wild: bool) -> String {
        let index = match (depth, is_wild) {
            (0, _) => "2".to_owned(),
            (_, true) => self.integer(depth - 1, true),
            (_, false) => format!("({}) & 7", self.integer(depth - 1, false)),
        };
        match self.below(5) {
            0 => format!("pi + ({index})"),
            1 => format!("&a[{index}]"),
            2 => format!("a + ({index})"),
            3 => format!("&pi[{index}]"),
            _ => "pi".to_owned(),
        }
    }
}

fn program() -> Program {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = root.join("samples/inventory/inventory.wasm");
    Program::open(
        ProgramSource::File(path),
        Compile::Lazy,
        Vec::new(),
        Vec::new(),
    )
    .expect("the sample opens")
}

fn parsed(info: &DebugInfo, text: &str) -> Node {
    // A variable hides a type of the same name.
    let is_type = |name: &str| {
        info.type_named(name, None).is_some() && VARIABLES.iter().all(|(known, ..)| *known != name)
    };
    parse(text, &is_type).expect(text)
}

/// How many of many expressions are lowered. The condition must hold wherever evaluation says so or fails, and hold nowhere
/// else unless it reads memory that is not there, or divides where evaluation does not.
fn lowered_of(seed: u64, count: usize, is_wild: bool) -> usize {
    const FRAMES: usize = 12;
    let program = program();
    let info = program.info();
    let mut numbers = Numbers(seed);
    let mut lowered = 0;
    for _ in 0..count {
        let text = numbers.integer(3, is_wild);
        let divides = text.contains(['/', '%']);
        let node = parsed(info, &text);
        let frames: Vec<Frame> = (0..FRAMES).map(|_| numbers.frame(info, is_wild)).collect();
        let Some(condition) = lower(&frames[0], &node) else {
            continue;
        };
        lowered += 1;
        for frame in &frames {
            let wanted = is_true(frame, &node);
            let holds = condition.holds(frame);
            let is_right = match wanted {
                Ok(wanted) => holds == wanted || ((is_wild || divides) && holds),
                Err(_) => holds,
            };
            assert!(
                is_right,
                "{text}\n{condition:?}\nholds: {holds}, evaluated: {wanted:?}\n{:?} {:?}",
                frame.locals, frame.globals
            );
        }
    }
    lowered
}

#[test]
fn conditions_hold_where_evaluation_says_so() {
    let count = 3000;
    let lowered = lowered_of(0x9e37_79b9_7f4a_7c15, count, false);
    assert!(lowered > count / 2, "{lowered} of {count}");
}

#[test]
fn conditions_hold_where_evaluation_fails() {
    let count = 3000;
    let lowered = lowered_of(0xd1b5_4a32_d192_ed03, count, true);
    assert!(lowered > count / 2, "{lowered} of {count}");
}

/// A formula in few characters.
fn show(condition: &Condition) -> String {
    let sign = |is_signed: bool| if is_signed { "s" } else { "u" };
    match condition {
        Condition::Constant(value) => value.to_string(),
        Condition::Local(index) => format!("local{index}"),
        Condition::Global(index) => format!("global{index}"),
        Condition::Load {
            address,
            bytes,
            is_signed,
            ..
        } => format!("{}{}[{}]", sign(*is_signed), bytes * 8, show(address)),
        Condition::Extend {
            value,
            bits,
            is_signed,
        } => format!("{}{bits}({})", sign(*is_signed), show(value)),
        Condition::Convert(conversion, value) => format!("{conversion:?}({})", show(value)),
        Condition::Not(value) => format!("!{}", show(value)),
        Condition::Unless(fails, value) => format!("({} unless {})", show(value), show(fails)),
        Condition::Binary(op, left, right) => format!("({op:?} {} {})", show(left), show(right)),
        Condition::And(left, right) => format!("({} && {})", show(left), show(right)),
        Condition::Or(left, right) => format!("({} || {})", show(left), show(right)),
    }
}

#[test]
fn what_is_lowered_becomes_a_formula() {
    let program = program();
    let info = program.info();
    let frame = Numbers(1).frame(info, false);
    let lowered = |text: &str| {
        let node = parsed(info, text);
        lower(&frame, &node).map_or_else(|| "none".to_owned(), |condition| show(&condition))
    };
    for (text, wanted) in [
        ("i == 1000000", "(Eq s32(local2) 1000000)"),
        ("u > 3", "(GtS u32(local3) 3)"),
        ("i < u", "(LtS u32(local2) u32(local3))"),
        ("l < 0", "(LtS local4 0)"),
        ("m < 5", "(LtU global1 5)"),
        ("c == 'x'", "(Eq s8[u32((Add local0 3))] 120)"),
        ("us", "u16[10]"),
        ("b", "u8[u32((Add local0 32))]"),
        ("!kind", "!u32(local1)"),
        (
            "item->stock.pieces == 7 && i",
            "((Eq u32[(Add u32[u32((Add local0 96))] 24)] 7) && s32(local2))",
        ),
        ("place.bin.row", "u16[132]"),
        ("a[3] < 0", "(LtS s32[(Add u32((Add local0 40)) 12)] 0)"),
        (
            "ps[i] == 1",
            "(Eq s16[u32((Add u32(global0) (Mul s32(local2) 2)))] 1)",
        ),
        ("*pi", "s32[u32(local5)]"),
        ("(unsigned char)i", "u8(local2)"),
        ("1 << 3", "8"),
        ("i % 1000 == 0", "(Eq s32((RemS s32(local2) 1000)) 0)"),
        ("m / 3 > u", "(GtU (DivU global1 3) u32(local3))"),
        ("ps - pi", "none"),
        (
            "item - item",
            "s32((DivS (Sub u32[u32((Add local0 96))] u32[u32((Add local0 96))]) 48))",
        ),
        ("d > 0.5", "(FloatGt local7 4602678819172646912)"),
        (
            "f < i",
            "(FloatLt Promote(u32(local6)) Promote(Demote(FloatFromSigned(s32(local2)))))",
        ),
        ("uc + 1 > 255", "(GtS s32((Add u8(local1) 1)) 255)"),
        (
            "i ? b : kind",
            "((s32(local2) && u8[u32((Add local0 32))]) || (!s32(local2) && u32(local1)))",
        ),
    ] {
        assert_eq!(lowered(text), wanted, "{text}");
    }
    for text in [
        "i = 3",
        "i++",
        "nosuch == 1",
        "item->nosuch",
        "f(i)",
        "$x",
        "*item",
        "place",
        "1 / 0",
        "i << -1",
        "(int)d",
        "d % 2",
        "(i, u)",
        "*(void*)i",
        "170141183460469231731687303715884105727 > ul",
    ] {
        assert_eq!(lowered(text), "none", "{text}");
    }
}

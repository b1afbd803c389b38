//! Places told without a frame are those that evaluation finds in one.

use wdb_dwarf::{
    CodeOffset, Error, MemberPlace, Place, PlaceRule, RawSlot, Result, SlotName, Target, Variable,
};

use crate::support::{Program, announce};

const SLOTS: u32 = 64;

/// A frame in which every slot holds something else.
struct Frame;

impl Frame {
    fn contents(slot: SlotName) -> u32 {
        match slot {
            SlotName::Local(index) => 0x8000_0000 + index * 0x1000,
            SlotName::Global(index) => 0xffff_fff0 - index * 0x1000,
        }
    }
}

impl Target for Frame {
    fn local(&self, index: u32) -> Option<RawSlot> {
        (index < SLOTS).then(|| RawSlot::I32(Frame::contents(SlotName::Local(index))))
    }

    fn global(&self, index: u32) -> Option<RawSlot> {
        (index < SLOTS).then(|| RawSlot::I32(Frame::contents(SlotName::Global(index))))
    }

    fn operand(&self, _index: u32) -> Option<RawSlot> {
        None
    }

    fn read_memory(&self, address: u64, _buffer: &mut [u8]) -> Result<()> {
        Err(Error::Memory { address })
    }
}

fn place(rule: &PlaceRule) -> Place {
    match rule {
        PlaceRule::Slot(SlotName::Local(index)) => Place::Local(*index),
        PlaceRule::Slot(SlotName::Global(index)) => Place::Global(*index),
        PlaceRule::Memory { base, offset } => {
            let base = base.map_or(0, |slot| u64::from(Frame::contents(slot)));
            Place::Memory(base.wrapping_add(*offset) & u64::from(u32::MAX))
        }
        PlaceRule::Implicit(bytes) => Place::Implicit(bytes.clone()),
    }
}

#[test]
fn rules_give_the_places_of_every_frame() {
    let fixtures = [
        "shapes-dwarf4.wasm",
        "shapes-dwarf5.wasm",
        "inlined-dwarf4.wasm",
        "inlined-dwarf5.wasm",
        "classes.wasm",
        "rusty.wasm",
    ];
    for fixture in fixtures {
        let program = Program::open(fixture);
        let info = &program.info;
        let inspector = info.inspect(&Frame);
        let (mut found, mut missed) = (0, 0);
        let mut check = |variable: &Variable, at| match (
            info.place_rule(variable, at),
            inspector.locate(variable, at),
        ) {
            (Some(rule), located) => {
                assert_eq!(Ok(place(&rule)), located, "{fixture}: {variable:?} at {at}");
                found += 1;
            }
            (None, Ok(Place::OptimizedOut) | Err(_)) => {}
            (None, Ok(_)) => missed += 1,
        };
        for symbol in info.all_functions().iter() {
            let Some(function) = info.function(symbol.id) else {
                continue;
            };
            let range = &function.ranges[0];
            let step = ((range.end.0 - range.start.0) / 16).max(1) as usize;
            for at in (range.start.0..range.end.0).step_by(step).map(CodeOffset) {
                for frame in 0..=info.inlined_frames(at).len() {
                    for variable in info.variables(at, frame) {
                        check(&variable, at);
                    }
                }
            }
        }
        for name in info.all_globals().iter() {
            for variable in info.global_variables(name, None) {
                check(&variable, CodeOffset(0));
            }
        }
        announce(&format!("{fixture}: {found} places, {missed} not told"));
        assert!(found > 2 * missed, "{fixture}: {found} and {missed}");
    }
}

#[test]
fn members_lie_where_every_value_has_them() {
    let program = Program::open("shapes-dwarf5.wasm");
    let info = &program.info;
    let inspector = program.inspect();
    let mut count = 0;
    for name in info.all_globals().iter() {
        let value = program.global(name);
        let Place::Memory(start) = value.place else {
            continue;
        };
        for child in inspector.children(&value, 32) {
            if let MemberPlace::At { type_ref, offset } =
                info.member_place(value.type_ref, &child.name)
            {
                assert_eq!(child.value.type_ref, type_ref, "{name}.{}", child.name);
                assert_eq!(child.value.place, Place::Memory(start + offset));
                assert_eq!(child.value.bits, None);
                count += 1;
            }
        }
    }
    assert!(count > 5, "{count}");
    let int = info.type_named("int", None).expect("C's int");
    assert_eq!(info.member_place(int, "x"), MemberPlace::Depends);
}

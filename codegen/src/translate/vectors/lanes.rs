//! Instructions that move lanes: within vectors, from and to numbers, from and to memory.

use cranelift_codegen::ir::immediates::Offset32;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Type, Value, types};
use cranelift_frontend::FuncInstBuilder;
use wasmparser::{MemArg, Operator};

use super::Translator;

impl Translator<'_, '_> {
    pub(super) fn vector_lanes(&mut self, operator: &Operator<'_>) -> bool {
        use Operator as Op;
        match *operator {
            Op::I8x16Shuffle { lanes } => {
                let [left, right] = self.pop_lanes(types::I8X16);
                let indices = lanes.as_slice().into();
                let indices = self.builder.func.dfg.immediates.push(indices);
                let result = self.builder.ins().shuffle(left, right, indices);
                self.push_lanes(result);
            }
            Op::I8x16Swizzle | Op::I8x16RelaxedSwizzle => {
                let [bytes, indices] = self.pop_lanes(types::I8X16);
                let result = self.builder.ins().swizzle(bytes, indices);
                self.push_lanes(result);
            }
            Op::I8x16Splat => self.splat(types::I8X16),
            Op::I16x8Splat => self.splat(types::I16X8),
            Op::I32x4Splat => self.splat(types::I32X4),
            Op::I64x2Splat => self.splat(types::I64X2),
            Op::F32x4Splat => self.splat(types::F32X4),
            Op::F64x2Splat => self.splat(types::F64X2),
            Op::I8x16ExtractLaneS { lane } => self.extract_narrow(types::I8X16, lane, true),
            Op::I8x16ExtractLaneU { lane } => self.extract_narrow(types::I8X16, lane, false),
            Op::I16x8ExtractLaneS { lane } => self.extract_narrow(types::I16X8, lane, true),
            Op::I16x8ExtractLaneU { lane } => self.extract_narrow(types::I16X8, lane, false),
            Op::I32x4ExtractLane { lane } => self.extract(types::I32X4, lane),
            Op::I64x2ExtractLane { lane } => self.extract(types::I64X2, lane),
            Op::F32x4ExtractLane { lane } => self.extract(types::F32X4, lane),
            Op::F64x2ExtractLane { lane } => self.extract(types::F64X2, lane),
            Op::I8x16ReplaceLane { lane } => self.replace(types::I8X16, lane),
            Op::I16x8ReplaceLane { lane } => self.replace(types::I16X8, lane),
            Op::I32x4ReplaceLane { lane } => self.replace(types::I32X4, lane),
            Op::I64x2ReplaceLane { lane } => self.replace(types::I64X2, lane),
            Op::F32x4ReplaceLane { lane } => self.replace(types::F32X4, lane),
            Op::F64x2ReplaceLane { lane } => self.replace(types::F64X2, lane),
            _ => return false,
        }
        true
    }

    /// A number from the stack as a lane of such a vector.
    fn pop_lane(&mut self, lanes: Type) -> Value {
        let number = self.pop_exact();
        let lane = lanes.lane_type();
        if self.type_of(number) == lane {
            number
        } else {
            self.builder.ins().ireduce(lane, number)
        }
    }

    fn splat(&mut self, lanes: Type) {
        let number = self.pop_lane(lanes);
        let result = self.builder.ins().splat(lanes, number);
        self.push_lanes(result);
    }

    fn extract(&mut self, lanes: Type, lane: u8) {
        let [value] = self.pop_lanes(lanes);
        let result = self.builder.ins().extractlane(value, lane);
        self.push(result);
    }

    /// Pushes a lane of 8 or 16 bits as an `i32`.
    fn extract_narrow(&mut self, lanes: Type, lane: u8, is_signed: bool) {
        let [value] = self.pop_lanes(lanes);
        let narrow = self.builder.ins().extractlane(value, lane);
        let result = if is_signed {
            self.builder.ins().sextend(types::I32, narrow)
        } else {
            self.builder.ins().uextend(types::I32, narrow)
        };
        self.push(result);
    }

    fn replace(&mut self, lanes: Type, lane: u8) {
        let number = self.pop_lane(lanes);
        let [value] = self.pop_lanes(lanes);
        let result = self.builder.ins().insertlane(value, number, lane);
        self.push_lanes(result);
    }

    /// Accesses of memory but for those of whole vectors.
    pub(super) fn vector_access(&mut self, operator: &Operator<'_>) -> bool {
        use Operator as Op;
        macro_rules! widening {
            ($memarg:ident $method:ident) => {
                self.load_widened(&$memarg, |ins, flags, place, offset| {
                    ins.$method(flags, place, offset)
                })
            };
        }
        match *operator {
            Op::V128Load8x8S { memarg } => widening!(memarg sload8x8),
            Op::V128Load8x8U { memarg } => widening!(memarg uload8x8),
            Op::V128Load16x4S { memarg } => widening!(memarg sload16x4),
            Op::V128Load16x4U { memarg } => widening!(memarg uload16x4),
            Op::V128Load32x2S { memarg } => widening!(memarg sload32x2),
            Op::V128Load32x2U { memarg } => widening!(memarg uload32x2),
            Op::V128Load8Splat { memarg } => self.load_splat(&memarg, types::I8X16),
            Op::V128Load16Splat { memarg } => self.load_splat(&memarg, types::I16X8),
            Op::V128Load32Splat { memarg } => self.load_splat(&memarg, types::I32X4),
            Op::V128Load64Splat { memarg } => self.load_splat(&memarg, types::I64X2),
            Op::V128Load32Zero { memarg } => self.load_first(&memarg, types::I32X4),
            Op::V128Load64Zero { memarg } => self.load_first(&memarg, types::I64X2),
            Op::V128Load8Lane { memarg, lane } => self.load_lane(&memarg, types::I8X16, lane),
            Op::V128Load16Lane { memarg, lane } => self.load_lane(&memarg, types::I16X8, lane),
            Op::V128Load32Lane { memarg, lane } => self.load_lane(&memarg, types::I32X4, lane),
            Op::V128Load64Lane { memarg, lane } => self.load_lane(&memarg, types::I64X2, lane),
            Op::V128Store8Lane { memarg, lane } => self.store_lane(&memarg, types::I8X16, lane),
            Op::V128Store16Lane { memarg, lane } => self.store_lane(&memarg, types::I16X8, lane),
            Op::V128Store32Lane { memarg, lane } => self.store_lane(&memarg, types::I32X4, lane),
            Op::V128Store64Lane { memarg, lane } => self.store_lane(&memarg, types::I64X2, lane),
            _ => return false,
        }
        true
    }

    /// Loads 8 bytes as lanes and widens these.
    fn load_widened(
        &mut self,
        memarg: &MemArg,
        make: impl FnOnce(FuncInstBuilder<'_, '_>, MemFlagsData, Value, Offset32) -> Value,
    ) {
        let place = self.place_to(memarg, 0, 8, false);
        let flags = self.heap_flags();
        let result = make(self.builder.ins(), flags, place.base, place.offset.into());
        self.pop();
        self.push_lanes(result);
    }

    /// Loads a lane whose address is the operand at a depth. All operands stay on the stack.
    fn load_number(&mut self, memarg: &MemArg, depth: usize, lanes: Type) -> Value {
        let lane = lanes.lane_type();
        let place = self.place_to(memarg, depth, lane.bytes(), false);
        self.load_place(lane, place)
    }

    fn load_splat(&mut self, memarg: &MemArg, lanes: Type) {
        let number = self.load_number(memarg, 0, lanes);
        let result = self.builder.ins().splat(lanes, number);
        self.pop();
        self.push_lanes(result);
    }

    /// Loads the first lane; the others are zero.
    fn load_first(&mut self, memarg: &MemArg, lanes: Type) {
        let number = self.load_number(memarg, 0, lanes);
        let result = self.builder.ins().scalar_to_vector(lanes, number);
        self.pop();
        self.push_lanes(result);
    }

    fn load_lane(&mut self, memarg: &MemArg, lanes: Type, lane: u8) {
        let number = self.load_number(memarg, 1, lanes);
        let [value] = self.pop_lanes(lanes);
        let result = self.builder.ins().insertlane(value, number, lane);
        self.pop();
        self.push_lanes(result);
    }

    fn store_lane(&mut self, memarg: &MemArg, lanes: Type, lane: u8) {
        let place = self.place(memarg, 1, lanes.lane_type().bytes());
        let [value] = self.pop_lanes(lanes);
        let number = self.builder.ins().extractlane(value, lane);
        self.store_place(number, place);
        self.pop();
    }
}

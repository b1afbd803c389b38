//! Instructions on lanes that are integers.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Type, Value, types};
use cranelift_frontend::FuncInstBuilder;
use wasmparser::Operator;

use super::Translator;

/// How lanes are widened.
#[derive(Clone, Copy)]
enum Extension {
    Signed,
    Unsigned,
}

/// Which half of the lanes is widened.
#[derive(Clone, Copy)]
enum Half {
    Low,
    High,
}

/// `table! { self, operator; binary iadd { I8x16Add I8X16; } }` makes a `match` in which `i8x16.add` is Cranelift's `iadd` of two
/// vectors with `I8X16` lanes.
macro_rules! table {
    (@unary $self:ident $method:ident $lanes:ident) => {
        $self.unary_lanes(types::$lanes, |ins, value| ins.$method(value))
    };
    (@binary $self:ident $method:ident $lanes:ident) => {
        $self.binary_lanes(types::$lanes, |ins, left, right| ins.$method(left, right))
    };
    (@shift $self:ident $method:ident $lanes:ident) => {
        $self.shift_lanes(types::$lanes, |ins, value, count| ins.$method(value, count))
    };
    (@compare $self:ident $condition:ident $lanes:ident) => {
        $self.compare_lanes(types::$lanes, IntCC::$condition)
    };
    (@low_product $self:ident $extension:ident $lanes:ident) => {
        $self.long_product(types::$lanes, Half::Low, Extension::$extension)
    };
    (@high_product $self:ident $extension:ident $lanes:ident) => {
        $self.long_product(types::$lanes, Half::High, Extension::$extension)
    };
    (@add_pairs $self:ident $extension:ident $lanes:ident) => {
        $self.add_pairs(types::$lanes, Extension::$extension)
    };
    ($self:ident, $operator:ident; $($kind:ident $what:ident { $($op:ident $lanes:ident;)* })*) => {
        match $operator {
            $($(Operator::$op => table!(@$kind $self $what $lanes),)*)*
            _ => return false,
        }
    };
}

impl Translator<'_, '_> {
    pub(super) fn vector_integers(&mut self, operator: &Operator<'_>) -> bool {
        self.integer_lanes(operator)
            || self.integer_comparison(operator)
            || self.integer_width(operator)
            || self.integer_products(operator)
            || self.integer_test(operator)
    }

    fn integer_lanes(&mut self, operator: &Operator<'_>) -> bool {
        table! { self, operator;
            unary iabs { I8x16Abs I8X16; I16x8Abs I16X8; I32x4Abs I32X4; I64x2Abs I64X2; }
            unary ineg { I8x16Neg I8X16; I16x8Neg I16X8; I32x4Neg I32X4; I64x2Neg I64X2; }
            unary popcnt { I8x16Popcnt I8X16; }
            binary iadd { I8x16Add I8X16; I16x8Add I16X8; I32x4Add I32X4; I64x2Add I64X2; }
            binary isub { I8x16Sub I8X16; I16x8Sub I16X8; I32x4Sub I32X4; I64x2Sub I64X2; }
            binary imul { I16x8Mul I16X8; I32x4Mul I32X4; I64x2Mul I64X2; }
            binary smin { I8x16MinS I8X16; I16x8MinS I16X8; I32x4MinS I32X4; }
            binary umin { I8x16MinU I8X16; I16x8MinU I16X8; I32x4MinU I32X4; }
            binary smax { I8x16MaxS I8X16; I16x8MaxS I16X8; I32x4MaxS I32X4; }
            binary umax { I8x16MaxU I8X16; I16x8MaxU I16X8; I32x4MaxU I32X4; }
            binary sadd_sat { I8x16AddSatS I8X16; I16x8AddSatS I16X8; }
            binary uadd_sat { I8x16AddSatU I8X16; I16x8AddSatU I16X8; }
            binary ssub_sat { I8x16SubSatS I8X16; I16x8SubSatS I16X8; }
            binary usub_sat { I8x16SubSatU I8X16; I16x8SubSatU I16X8; }
            binary avg_round { I8x16AvgrU I8X16; I16x8AvgrU I16X8; }
            binary sqmul_round_sat { I16x8Q15MulrSatS I16X8; I16x8RelaxedQ15mulrS I16X8; }
            shift ishl { I8x16Shl I8X16; I16x8Shl I16X8; I32x4Shl I32X4; I64x2Shl I64X2; }
            shift sshr { I8x16ShrS I8X16; I16x8ShrS I16X8; I32x4ShrS I32X4; I64x2ShrS I64X2; }
            shift ushr { I8x16ShrU I8X16; I16x8ShrU I16X8; I32x4ShrU I32X4; I64x2ShrU I64X2; }
        }
        true
    }

    fn integer_comparison(&mut self, operator: &Operator<'_>) -> bool {
        table! { self, operator;
            compare Equal { I8x16Eq I8X16; I16x8Eq I16X8; I32x4Eq I32X4; I64x2Eq I64X2; }
            compare NotEqual { I8x16Ne I8X16; I16x8Ne I16X8; I32x4Ne I32X4; I64x2Ne I64X2; }
            compare SignedLessThan {
                I8x16LtS I8X16; I16x8LtS I16X8; I32x4LtS I32X4; I64x2LtS I64X2;
            }
            compare SignedGreaterThan {
                I8x16GtS I8X16; I16x8GtS I16X8; I32x4GtS I32X4; I64x2GtS I64X2;
            }
            compare SignedLessThanOrEqual {
                I8x16LeS I8X16; I16x8LeS I16X8; I32x4LeS I32X4; I64x2LeS I64X2;
            }
            compare SignedGreaterThanOrEqual {
                I8x16GeS I8X16; I16x8GeS I16X8; I32x4GeS I32X4; I64x2GeS I64X2;
            }
            compare UnsignedLessThan { I8x16LtU I8X16; I16x8LtU I16X8; I32x4LtU I32X4; }
            compare UnsignedGreaterThan { I8x16GtU I8X16; I16x8GtU I16X8; I32x4GtU I32X4; }
            compare UnsignedLessThanOrEqual { I8x16LeU I8X16; I16x8LeU I16X8; I32x4LeU I32X4; }
            compare UnsignedGreaterThanOrEqual { I8x16GeU I8X16; I16x8GeU I16X8; I32x4GeU I32X4; }
        }
        true
    }

    /// Instructions that make lanes wider or narrower.
    fn integer_width(&mut self, operator: &Operator<'_>) -> bool {
        table! { self, operator;
            unary swiden_low {
                I16x8ExtendLowI8x16S I8X16; I32x4ExtendLowI16x8S I16X8; I64x2ExtendLowI32x4S I32X4;
            }
            unary uwiden_low {
                I16x8ExtendLowI8x16U I8X16; I32x4ExtendLowI16x8U I16X8; I64x2ExtendLowI32x4U I32X4;
            }
            unary swiden_high {
                I16x8ExtendHighI8x16S I8X16; I32x4ExtendHighI16x8S I16X8; I64x2ExtendHighI32x4S I32X4;
            }
            unary uwiden_high {
                I16x8ExtendHighI8x16U I8X16; I32x4ExtendHighI16x8U I16X8; I64x2ExtendHighI32x4U I32X4;
            }
            add_pairs Signed { I16x8ExtAddPairwiseI8x16S I8X16; I32x4ExtAddPairwiseI16x8S I16X8; }
            add_pairs Unsigned { I16x8ExtAddPairwiseI8x16U I8X16; I32x4ExtAddPairwiseI16x8U I16X8; }
            binary snarrow { I8x16NarrowI16x8S I16X8; I16x8NarrowI32x4S I32X4; }
            binary unarrow { I8x16NarrowI16x8U I16X8; I16x8NarrowI32x4U I32X4; }
            low_product Signed {
                I16x8ExtMulLowI8x16S I8X16; I32x4ExtMulLowI16x8S I16X8; I64x2ExtMulLowI32x4S I32X4;
            }
            low_product Unsigned {
                I16x8ExtMulLowI8x16U I8X16; I32x4ExtMulLowI16x8U I16X8; I64x2ExtMulLowI32x4U I32X4;
            }
            high_product Signed {
                I16x8ExtMulHighI8x16S I8X16; I32x4ExtMulHighI16x8S I16X8; I64x2ExtMulHighI32x4S I32X4;
            }
            high_product Unsigned {
                I16x8ExtMulHighI8x16U I8X16; I32x4ExtMulHighI16x8U I16X8; I64x2ExtMulHighI32x4U I32X4;
            }
        }
        true
    }

    fn integer_products(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::I32x4DotI16x8S => {
                let [left, right] = self.pop_lanes(types::I16X8);
                let result = self.dot_16(left, right);
                self.push_lanes(result);
            }
            Operator::I16x8RelaxedDotI8x16I7x16S => {
                let [left, right] = self.pop_lanes(types::I8X16);
                let result = self.dot_8(left, right);
                self.push_lanes(result);
            }
            Operator::I32x4RelaxedDotI8x16I7x16AddS => {
                let [sum] = self.pop_lanes(types::I32X4);
                let [left, right] = self.pop_lanes(types::I8X16);
                let products = self.dot_8(left, right);
                let products = self.sums_of_pairs(products, Extension::Signed);
                let result = self.builder.ins().iadd(products, sum);
                self.push_lanes(result);
            }
            _ => return false,
        }
        true
    }

    /// Instructions that give a number for all lanes.
    fn integer_test(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::I8x16AllTrue => self.all_true(types::I8X16),
            Operator::I16x8AllTrue => self.all_true(types::I16X8),
            Operator::I32x4AllTrue => self.all_true(types::I32X4),
            Operator::I64x2AllTrue => self.all_true(types::I64X2),
            Operator::I8x16Bitmask => self.bitmask(types::I8X16),
            Operator::I16x8Bitmask => self.bitmask(types::I16X8),
            Operator::I32x4Bitmask => self.bitmask(types::I32X4),
            Operator::I64x2Bitmask => self.bitmask(types::I64X2),
            _ => return false,
        }
        true
    }

    fn unary_lanes(
        &mut self,
        lanes: Type,
        make: impl FnOnce(FuncInstBuilder<'_, '_>, Value) -> Value,
    ) {
        let [value] = self.pop_lanes(lanes);
        let result = make(self.builder.ins(), value);
        self.push_lanes(result);
    }

    fn binary_lanes(
        &mut self,
        lanes: Type,
        make: impl FnOnce(FuncInstBuilder<'_, '_>, Value, Value) -> Value,
    ) {
        let [left, right] = self.pop_lanes(lanes);
        let result = make(self.builder.ins(), left, right);
        self.push_lanes(result);
    }

    /// Shifts all lanes by a number, of which Cranelift, like wasm, takes no more bits than a lane's width needs.
    fn shift_lanes(
        &mut self,
        lanes: Type,
        make: impl FnOnce(FuncInstBuilder<'_, '_>, Value, Value) -> Value,
    ) {
        let count = self.pop();
        let [value] = self.pop_lanes(lanes);
        let result = make(self.builder.ins(), value, count);
        self.push_lanes(result);
    }

    fn compare_lanes(&mut self, lanes: Type, condition: IntCC) {
        let [left, right] = self.pop_lanes(lanes);
        let result = self.builder.ins().icmp(condition, left, right);
        self.push_lanes(result);
    }

    fn all_true(&mut self, lanes: Type) {
        let [value] = self.pop_lanes(lanes);
        let truth = self.builder.ins().vall_true(value);
        self.push_truth(truth);
    }

    fn bitmask(&mut self, lanes: Type) {
        let [value] = self.pop_lanes(lanes);
        let result = self.builder.ins().vhigh_bits(types::I32, value);
        self.push(result);
    }

    fn widen_half(&mut self, value: Value, half: Half, extension: Extension) -> Value {
        let ins = self.builder.ins();
        match (half, extension) {
            (Half::Low, Extension::Signed) => ins.swiden_low(value),
            (Half::Low, Extension::Unsigned) => ins.uwiden_low(value),
            (Half::High, Extension::Signed) => ins.swiden_high(value),
            (Half::High, Extension::Unsigned) => ins.uwiden_high(value),
        }
    }

    /// Products that are twice as wide as their factors, of one half of the lanes.
    fn long_product(&mut self, lanes: Type, half: Half, extension: Extension) {
        let [left, right] = self.pop_lanes(lanes);
        let left = self.widen_half(left, half, extension);
        let right = self.widen_half(right, half, extension);
        let result = self.builder.ins().imul(left, right);
        self.push_lanes(result);
    }

    fn add_pairs(&mut self, lanes: Type, extension: Extension) {
        let [value] = self.pop_lanes(lanes);
        let result = self.sums_of_pairs(value, extension);
        self.push_lanes(result);
    }

    /// Sums of neighbours, twice as wide as these.
    fn sums_of_pairs(&mut self, value: Value, extension: Extension) -> Value {
        let [low, high] =
            [Half::Low, Half::High].map(|half| self.widen_half(value, half, extension));
        self.builder.ins().iadd_pairwise(low, high)
    }

    /// Products of 16-bit lanes, neighbours added.
    fn dot_16(&mut self, left: Value, right: Value) -> Value {
        let [low, high] = [Half::Low, Half::High].map(|half| {
            let left = self.widen_half(left, half, Extension::Signed);
            let right = self.widen_half(right, half, Extension::Signed);
            self.builder.ins().imul(left, right)
        });
        self.builder.ins().iadd_pairwise(low, high)
    }

    /// Products of signed 8-bit lanes, neighbours added: what exceeds 16 bits becomes as large as can be. The sums are made with 32
    /// bits, so that narrowing is what saturates; for them processors have an instruction, for sums that saturate at 16 bits they
    /// have none that takes both factors as signed.
    fn dot_8(&mut self, left: Value, right: Value) -> Value {
        let [low, high] = [Half::Low, Half::High].map(|half| {
            let left = self.widen_half(left, half, Extension::Signed);
            let right = self.widen_half(right, half, Extension::Signed);
            self.dot_16(left, right)
        });
        self.builder.ins().snarrow(low, high)
    }
}

;; Vectors that arithmetic gave, with NaNs among their lanes, in locals and on the stack below loops and calls; and such that are only
;; copied, whose NaNs keep their bits.
(module
    (memory (export "memory") 1)
    ;; Numbers, both infinities, negative numbers, and NaNs with all kinds of bits.
    (data (i32.const 0)
        "\00\00\80\3f\00\00\80\7f\00\00\80\ff\00\00\80\bf\01\00\80\7f\23\01\c0\ff\00\00\00\80\cd\cc\4c\3e"
        "\00\00\00\00\00\00\f0\3f\00\00\00\00\00\00\f0\7f\00\00\00\00\00\00\f0\ff\00\00\00\00\00\00\f0\bf"
        "\01\00\00\00\00\00\f0\7f\45\23\01\00\00\00\f8\ff\00\00\00\00\00\00\00\80\9a\99\99\99\99\99\c9\3f"
        "\7f\80\ff\01\00\fe\40\c0\ff\7f\00\80\34\12\ed\cb\11\22\33\44\55\66\77\88\99\aa\bb\cc\dd\ee\ff\00")
    (global $sum (export "sum") (mut v128) (v128.const i64x2 0 0))

    (func $passed (param $v v128) (result v128)
        (global.set $sum (v128.xor (global.get $sum) (local.get $v)))
        (i64x2.add (local.get $v) (i64x2.splat (i64.const 1))))

    ;; All floats have 32 bits, so that $x and $y are never observed but by exits.
    (func $narrow (param $at i32) (param $count i32) (result v128) (local $x v128) (local $y v128)
        (local.set $x (f32x4.sqrt (v128.load (local.get $at))))
        (f32x4.mul (local.get $x) (v128.load offset=16 (local.get $at)))
        (loop $again
            (local.set $y (f32x4.sub (f32x4.mul (local.get $x) (f32x4.splat (f32.const 0.75))) (local.get $y)))
            (local.set $x (f32x4.max (f32x4.relaxed_madd (local.get $x) (local.get $y) (local.get $x)) (f32x4.ceil (local.get $y))))
            (local.set $count (i32.sub (local.get $count) (i32.const 1)))
            (br_if $again (i32.gt_s (local.get $count) (i32.const 0))))
        (f32x4.sub (local.get $y))
        (f32x4.add (call $passed (f32x4.neg (local.get $x))))
        (f32x4.pmin (v128.load offset=32 (local.get $at))))

    (func $wide (param $at i32) (param $count i32) (result v128) (local $x v128) (local $y v128)
        (local.set $x (f64x2.sqrt (v128.load (local.get $at))))
        (f64x2.div (local.get $x) (v128.load offset=16 (local.get $at)))
        (loop $again
            (local.set $y (f64x2.relaxed_nmadd (local.get $x) (local.get $x) (local.get $y)))
            (local.set $x (f64x2.min (f64x2.add (local.get $y) (f64x2.splat (f64.const 0.3))) (f64x2.nearest (local.get $x))))
            (local.set $count (i32.sub (local.get $count) (i32.const 1)))
            (br_if $again (i32.gt_s (local.get $count) (i32.const 0))))
        (f64x2.sub (local.get $y))
        (f64x2.add (call $passed (f64x2.abs (local.get $x))))
        (f64x2.pmax (v128.load offset=32 (local.get $at))))

    ;; One local that is set to floats of both widths, and a block with a parameter.
    (func $both (param $at i32) (result v128) (local $v v128)
        (local.set $v (f32x4.add (v128.load (local.get $at)) (v128.load offset=16 (local.get $at))))
        (local.set $v (f64x2.mul (local.get $v) (f64x2.promote_low_f32x4 (local.get $v))))
        (f32x4.demote_f64x2_zero (local.get $v))
        (if (param v128) (result v128) (f64x2.extract_lane 1 (local.get $v)) (f64.const 0) (f64.gt)
            (then (f32x4.div (local.get $v)))
            (else (i32x4.add (i32x4.trunc_sat_f32x4_s (local.get $v)))))
        (i32x4.add (select (f32x4.ge (local.get $v) (f32x4.floor (local.get $v))) (f32x4.trunc (local.get $v)) (local.get $at))))

    (func $integers (param $at i32) (param $i i32) (result v128) (local $v v128)
        (local.set $v (v128.load8x8_s offset=96 (local.get $at)))
        (local.set $v (i16x8.mul (local.get $v) (i16x8.splat (local.get $i))))
        (local.set $v (i8x16.swizzle (local.get $v) (v128.load offset=64 (local.get $at))))
        (local.set $v (i8x16.add_sat_s (local.get $v) (i16x8.shr_s (local.get $v) (local.get $i))))
        (v128.store16_lane offset=200 3 (local.get $at) (local.get $v))
        (i16x8.relaxed_dot_i8x16_i7x16_s (local.get $v) (v128.load offset=198 (local.get $at)))
        (i32x4.dot_i16x8_s (i16x8.q15mulr_sat_s (local.get $v) (v128.load8_splat offset=97 (local.get $at))))
        (i32x4.replace_lane 2 (i8x16.bitmask (local.get $v))))

    (func (export "main") (param $rounds i32) (result i64) (local $i i32) (local $at i32)
        (loop $again
            (local.set $at (i32.and (i32.mul (local.get $i) (i32.const 4)) (i32.const 0x3c)))
            (drop (call $passed (call $narrow (local.get $at) (i32.and (local.get $i) (i32.const 7)))))
            (drop (call $passed (call $wide (local.get $at) (i32.and (local.get $i) (i32.const 3)))))
            (drop (call $passed (call $both (local.get $at))))
            (drop (call $passed (call $integers (local.get $at) (local.get $i))))
            (v128.store offset=256 (local.get $at) (f32x4.add (global.get $sum) (v128.load offset=256 (local.get $at))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_s (local.get $i) (local.get $rounds))))
        (i64x2.extract_lane 1 (global.get $sum))))

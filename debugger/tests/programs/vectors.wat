;; Vectors in locals, operands, globals and memory: pixels of four channels, mixed and summed up.
(module
  (memory (export "memory") 1)
  (global $scale (mut v128) (v128.const f32x4 0.5 0.25 2 -1))
  (data (i32.const 64) "\01\02\03\04\05\06\07\08\09\0a\0b\0c\0d\0e\0f\10")
  (data (i32.const 80) "\ff\fe\fd\fc\80\7f\00\01\ff\fe\fd\fc\80\7f\00\01")

  ;; Mixes the bytes at two addresses, saturating, and stores them at a third.
  (func $mix (export "mix") (param $left i32) (param $right i32) (param $to i32) (result v128)
    (local $count i32) (local $sum v128)
    (local.set $sum
      (i8x16.add_sat_u
        (v128.load (local.get $left))
        (v128.load (local.get $right))))
    (v128.store offset=4 (local.get $to) (local.get $sum))
    (local.set $count (i32.const 16))
    (local.get $sum))

  ;; The lanes times the scale.
  (func $scaled (param $lanes v128) (result v128)
    (f32x4.mul
      (f32x4.convert_i32x4_s (local.get $lanes))
      (global.get $scale)))

  (func $start (export "_start")
    (local $both v128) (local $which i32)
    (local.set $both
      (select
        (call $mix (i32.const 64) (i32.const 80) (i32.const 128))
        (v128.const i64x2 1 2)
        (i32.const 1)))
    (global.set $scale (call $scaled (local.get $both)))
    (drop (v128.load8_lane offset=1 3 (i32.const 64) (local.get $both)))
    (v128.store16_lane 0 (i32.const 140) (local.get $both))))

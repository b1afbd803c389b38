;; Values of every type in locals, globals and on the operand stack; calls with several results; recursion; blocks.
(module
  (memory (export "memory") 1)
  (global $count (mut i32) (i32.const 3))
  (global $ratio (mut f64) (f64.const 0.25))
  (global $big (mut i64) (i64.const -9000000000))
  (global $single (mut f32) (f32.const 1.5))
  (global (mut i32) (i32.const 7))
  (global $nothing (mut funcref) (ref.null func))
  (data (i32.const 16) "a text\00another\00")
  (table $table 2 funcref)
  (elem (i32.const 0) $divide)

  (func $divide (export "divide") (param $dividend i32) (param $divisor i32) (result i32 i32)
    (i32.div_s (local.get $dividend) (local.get $divisor))
    (i32.rem_s (local.get $dividend) (local.get $divisor)))

  (func $mixed (param $a i32) (param $b i64) (param $c f32) (param $d f64) (result f64)
    (local $e i32) (local f64)
    (local.set $e (i32.add (local.get $a) (global.get $count)))
    (f64.mul
      (f64.promote_f32 (local.get $c))
      (f64.add (local.get $d) (f64.convert_i64_s (local.get $b)))))

  (func $long (param $n i64) (result i64)
    (i64.mul (local.get $n) (i64.const 1000000007)))

  (func $single_half (param f32) (result f32)
    (f32.div (local.get 0) (f32.const 2)))

  (func $nothing_at_all)

  (func $depth (param $n i32) (result i32)
    (if (result i32) (i32.eqz (local.get $n))
      (then (i32.const 0))
      (else
        (i32.add
          (i32.const 1)
          (call $depth (i32.sub (local.get $n) (i32.const 1)))))))

  (func $main (export "_start")
    (call $nothing_at_all)
    (drop (drop (call $divide (i32.const 17) (i32.const 5))))
    (drop (call $mixed (i32.const 1) (i64.const 2) (f32.const 2.5) (f64.const 0.5)))
    (drop (call $long (i64.const 3)))
    (drop (call $single_half (f32.const 3)))
    (drop (call $depth (i32.const 2000)))
    (global.set $count (i32.const 9))
    (i32.store (i32.const 64) (i32.const 305419896)))

  (func (export "deep") (param i32) (result i32)
    (call $depth (local.get 0))))

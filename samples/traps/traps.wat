;; One exported function for each way in which an instruction can trap. Each
;; function goes wrong two calls further down, so that there is a call stack
;; to look at, and its operands are worth a look as well.

(module
  (memory $memory 1 1)
  (data $greeting "hello")

  (type $no_result (func))
  (type $unary (func (param i32) (result i32)))
  (type $binary (func (param i32 i32) (result i32)))

  ;; Element 0 and 1 are functions, 2 and 3 are null.
  (table $functions 4 4 funcref)
  (elem (table $functions) (i32.const 0) func $double $sum)

  (func $double (param $number i32) (result i32)
    (i32.mul (local.get $number) (i32.const 2)))

  (func $sum (param $left i32) (param $right i32) (result i32)
    (i32.add (local.get $left) (local.get $right)))

  ;; ------------------------------------------------------------- unreachable

  (func (export "unreachable")
    (call $reach_unreachable (i32.const 3)))
  (func $reach_unreachable (param $attempts i32)
    (call $give_up (i32.sub (local.get $attempts) (i32.const 1))))
  (func $give_up (param $attempts_left i32)
    (if (i32.gt_s (local.get $attempts_left) (i32.const 0))
      (then (unreachable))))

  ;; -------------------------------------------------------------- arithmetic

  (func (export "divide-by-zero") (result i32)
    (call $average (i32.const 1200) (i32.const 0)))
  (func $average (param $sum i32) (param $count i32) (result i32)
    (call $divide (local.get $sum) (local.get $count)))
  (func $divide (param $dividend i32) (param $divisor i32) (result i32)
    (i32.div_s (local.get $dividend) (local.get $divisor)))

  ;; The smallest number has no positive counterpart.
  (func (export "divide-overflow") (result i32)
    (call $negate (i32.const 0x80000000)))
  (func $negate (param $number i32) (result i32)
    (call $divide (local.get $number) (i32.const -1)))

  (func (export "remainder-by-zero") (result i64)
    (call $clock_face (i64.const 27) (i64.const 0)))
  (func $clock_face (param $hours i64) (param $hours_per_turn i64) (result i64)
    (call $remainder (local.get $hours) (local.get $hours_per_turn)))
  (func $remainder (param $dividend i64) (param $divisor i64) (result i64)
    (i64.rem_u (local.get $dividend) (local.get $divisor)))

  ;; ------------------------------------------------------------- conversions

  (func (export "convert-not-a-number") (result i32)
    (call $ratio_in_percent (f64.const 0) (f64.const 0)))
  (func $ratio_in_percent (param $part f64) (param $whole f64) (result i32)
    (call $to_integer
      (f64.mul (f64.div (local.get $part) (local.get $whole)) (f64.const 100))))
  (func $to_integer (param $number f64) (result i32)
    (i32.trunc_f64_s (local.get $number)))

  (func (export "convert-too-large") (result i32)
    (call $square_as_integer (f64.const 65536.5)))
  (func $square_as_integer (param $number f64) (result i32)
    (call $to_integer (f64.mul (local.get $number) (local.get $number))))

  ;; ------------------------------------------------------------------ memory

  ;; The last three bytes exist, the fourth does not.
  (func (export "load-out-of-bounds") (result i32)
    (call $load_word (i32.const 16383)))
  (func $load_word (param $index i32) (result i32)
    (call $load_at (i32.mul (local.get $index) (i32.const 4))))
  (func $load_at (param $address i32) (result i32)
    (i32.load offset=1 (local.get $address)))

  ;; Address and offset are added without wrapping around.
  (func (export "store-out-of-bounds")
    (call $store_before (i32.const 7)))
  (func $store_before (param $value i32)
    (call $store_at (i32.const -8) (local.get $value)))
  (func $store_at (param $address i32) (param $value i32)
    (i64.store offset=16 (local.get $address) (i64.extend_i32_u (local.get $value))))

  (func (export "fill-out-of-bounds")
    (call $clear_from (i32.const 65000)))
  (func $clear_from (param $address i32)
    (call $fill (local.get $address) (i32.const 1000)))
  (func $fill (param $address i32) (param $length i32)
    (memory.fill (local.get $address) (i32.const 0) (local.get $length)))

  (func (export "copy-out-of-bounds")
    (call $copy_to_start (i32.const 65530)))
  (func $copy_to_start (param $from i32)
    (call $copy (i32.const 0) (local.get $from) (i32.const 7)))
  (func $copy (param $to i32) (param $from i32) (param $length i32)
    (memory.copy (local.get $to) (local.get $from) (local.get $length)))

  ;; A dropped segment has length zero.
  (func (export "init-from-dropped-segment")
    (call $greet (i32.const 64)))
  (func $greet (param $address i32)
    (data.drop $greeting)
    (call $init (local.get $address) (i32.const 5)))
  (func $init (param $address i32) (param $length i32)
    (memory.init $greeting (local.get $address) (i32.const 0) (local.get $length)))

  ;; ------------------------------------------------------------------ tables

  (func (export "table-get-out-of-bounds") (result i32)
    (call $is_empty_after (i32.const 3)))
  (func $is_empty_after (param $index i32) (result i32)
    (call $is_empty (i32.add (local.get $index) (i32.const 1))))
  (func $is_empty (param $index i32) (result i32)
    (ref.is_null (table.get $functions (local.get $index))))

  (func (export "table-copy-out-of-bounds")
    (call $move_elements (i32.const 2)))
  (func $move_elements (param $to i32)
    (call $copy_elements (local.get $to) (i32.const 3)))
  (func $copy_elements (param $to i32) (param $count i32)
    (table.copy $functions $functions (local.get $to) (i32.const 0) (local.get $count)))

  ;; ---------------------------------------------------------- indirect calls

  (func (export "undefined-element") (result i32)
    (call $apply_last (i32.const 21)))
  (func $apply_last (param $number i32) (result i32)
    (call $apply (table.size $functions) (local.get $number)))
  (func $apply (param $function i32) (param $number i32) (result i32)
    (call_indirect $functions (type $unary) (local.get $number) (local.get $function)))

  (func (export "uninitialized-element") (result i32)
    (call $apply_third (i32.const 21)))
  (func $apply_third (param $number i32) (result i32)
    (call $apply (i32.const 2) (local.get $number)))

  ;; Element 1 takes two numbers.
  (func (export "indirect-call-type-mismatch") (result i32)
    (call $apply_second (i32.const 21)))
  (func $apply_second (param $number i32) (result i32)
    (call $apply (i32.const 1) (local.get $number)))

  ;; --------------------------------------------------------------- call stack

  (func (export "stack-exhausted") (result i64)
    (call $count_forever (i64.const 0)))
  (func $count_forever (param $depth i64) (result i64)
    (call $deeper (local.get $depth)))
  (func $deeper (param $depth i64) (result i64)
    (i64.add
      (call $deeper (i64.add (local.get $depth) (i64.const 1)))
      (i64.const 1))))

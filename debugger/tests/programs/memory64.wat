;; A memory with 64-bit addresses beside one with 32-bit ones, and a table with 64-bit indices.
(module
  (memory $large (export "memory") i64 1 4)
  (memory $small 1 1)
  (table $table i64 2 funcref)
  (elem (i64.const 0) func $first $second)
  (data (memory $large) (i64.const 0x100) "sixty-four")
  (data (memory $small) (i32.const 8) "small")

  (func $first (result i32) (i32.const 1))
  (func $second (result i32) (i32.const 2))

  (func $copy (param $from i64) (param $to i32) (param $count i32)
    (memory.copy $small $large (local.get $to) (local.get $from) (local.get $count)))

  (func $start (export "_start")
    (call $copy (i64.const 0x100) (i32.const 16) (i32.const 5))
    (drop (call_indirect $table (result i32) (i64.const 1)))
    (drop (memory.grow $large (i64.const 1)))
    (i64.store $large offset=8 (i64.const 0x10000) (i64.const 99))
    (drop (i32.load $large (i64.const 0x100000000)))))

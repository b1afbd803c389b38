;; Traps of instructions on objects, and references as arguments and results of calls.
(module
  (type $point (struct (field $x (mut i32)) (field $y (mut i32))))
  (type $words (array (mut i32)))
  (global $nothing (mut (ref null $point)) (ref.null $point))
  (global $origin (ref $point) (struct.new_default $point))

  (func $null_struct (result i32)
    (struct.get $point $x (global.get $nothing)))

  (func $null_array (result i32)
    (array.len (ref.null $words)))

  (func $null_i31 (result i32)
    (i31.get_s (ref.null i31)))

  (func $outside (param $index i32) (result i32)
    (array.get $words (array.new $words (i32.const 7) (i32.const 3)) (local.get $index)))

  (func $cast (result i32)
    (array.len (ref.cast (ref $words) (global.get $origin))))

  (func $huge (result i32)
    (array.len (array.new $words (i32.const 7) (i32.const -1))))

  (func $make (param $x i32) (result (ref $point))
    (struct.new $point (local.get $x) (i32.const 1)))

  (func $x_of (param $point (ref null $point)) (result i32)
    (struct.get $point $x (local.get $point)))

  (func $same (param $point anyref) (result anyref)
    (local.get $point))

  (func (export "main")
    (global.set $nothing (call $make (i32.const 5)))
    (drop (call $huge))))

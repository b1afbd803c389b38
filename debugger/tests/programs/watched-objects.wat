;; A list whose nodes are changed, exchanged and forgotten.
(module
  (type $node (struct (field $value (mut i32)) (field $weight (mut v128)) (field $next (mut (ref null $node)))))
  (type $bytes (array (mut i8)))
  (global $head (mut (ref null $node)) (ref.null $node))

  (func $push (param $value i32)
    (global.set $head
      (struct.new $node (local.get $value) (v128.const i32x4 0 0 0 0) (global.get $head))))

  (func $add (param $by i32)
    (struct.set $node $value (global.get $head)
      (i32.add (struct.get $node $value (global.get $head)) (local.get $by))))

  (func $sum (result i32) (local $node (ref null $node)) (local $sum i32)
    (local.set $node (global.get $head))
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (struct.get $node $value (local.get $node))))
      (local.set $node (struct.get $node $next (local.get $node)))
      (br_if $again (i32.eqz (ref.is_null (local.get $node)))))
    (local.get $sum))

  (func (export "main") (result i32) (local $bytes (ref null $bytes))
    (call $push (i32.const 1))
    (call $push (i32.const 2))
    (local.set $bytes (array.new_default $bytes (i32.const 10)))
    (call $add (i32.const 10))
    (struct.set $node $value (struct.get $node $next (global.get $head)) (i32.const 20))
    (struct.set $node $weight (global.get $head) (v128.const i32x4 1 2 3 4))
    (array.set $bytes (local.get $bytes) (i32.const 3) (i32.const 255))
    (array.fill $bytes (local.get $bytes) (i32.const 2) (i32.const 7) (i32.const 5))
    (call $push (i32.const 3))
    (global.set $head (struct.get $node $next (global.get $head)))
    (call $add (i32.const 0))
    (call $sum)))

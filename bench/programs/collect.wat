;; Collections while ten thousand frames hold references. In the public domain (CC0).
(module
  (import "bench" "collect" (func $collect))
  (type $node (struct (field $value i64) (field $next (ref null $node))))

  ;; Calls itself until so many frames are there, each with two objects in locals; then asks for the collections.
  (func $descend (param $depth i32) (param $n i32) (result i64)
    (local $own (ref null $node))
    (local $pair (ref null $node))
    (local $sum i64)
    (local.set $own
      (struct.new $node (i64.extend_i32_u (local.get $depth)) (ref.null $node)))
    (local.set $pair (struct.new $node (i64.const 1) (local.get $own)))
    (if (local.get $depth)
      (then
        (local.set $sum
          (call $descend (i32.sub (local.get $depth) (i32.const 1)) (local.get $n))))
      (else
        (loop $next
          (call $collect)
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br_if $next (local.get $n)))))
    (i64.add
      (local.get $sum)
      (i64.add
        (struct.get $node $value (local.get $own))
        (struct.get $node $value (struct.get $node $next (local.get $pair))))))

  ;; Makes so many collections.
  (func (export "run") (param $n i32) (result i64)
    (call $descend (i32.const 9999) (local.get $n))))

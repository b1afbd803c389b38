;; Exceptions: thrown over three frames and caught, caught for all and thrown again, and never caught.
(module
  (tag $negative (param i32))
  (tag $too_big (export "too big") (param i32 f64))
  (global $caught (mut i32) (i32.const 0))

  (func $check (param $n i32) (result i32)
    (if (i32.lt_s (local.get $n) (i32.const 0))
      (then (throw $negative (local.get $n))))
    (if (i32.gt_s (local.get $n) (i32.const 10))
      (then (throw $too_big (local.get $n) (f64.const 0.5))))
    (local.get $n))

  (func $double (param $n i32) (result i32)
    (i32.mul (call $check (local.get $n)) (i32.const 2)))

  (func $add (param $n i32) (result i32)
    (i32.add (call $double (local.get $n)) (i32.const 1)))

  ;; The number, or -1 if it is negative.
  (func $safe (param $n i32) (result i32)
    (block $handler (result i32)
      (try_table (result i32) (catch $negative $handler)
        (return (call $add (local.get $n)))))
    (global.set $caught)
    (i32.const -1))

  ;; Counts, and throws again.
  (func $cleanup (param $n i32) (result i32) (local $exception exnref)
    (block $all (result exnref)
      (return (try_table (result i32) (catch_all_ref $all)
        (call $safe (local.get $n)))))
    (local.set $exception)
    (global.set $caught (i32.add (global.get $caught) (i32.const 100)))
    (throw_ref (local.get $exception)))

  (func (export "main") (param $n i32) (result i32)
    (i32.add
      (call $cleanup (local.get $n))
      (call $cleanup (i32.sub (local.get $n) (i32.const 5))))))

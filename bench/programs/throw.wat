;; Exceptions that the caller of the function that throws them catches. In the public domain (CC0).
(module
  (tag $number (param i64))

  (func $throw (param $value i64)
    (throw $number (local.get $value)))

  ;; Throws and catches so many exceptions.
  (func (export "run") (param $n i32) (result i64)
    (local $sum i64)
    (loop $next
      (block $caught (result i64)
        (try_table (catch $number $caught)
          (call $throw (i64.extend_i32_u (local.get $n))))
        (unreachable))
      (local.set $sum (i64.add (local.get $sum)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $next (local.get $n)))
    (local.get $sum)))

;; Exceptions that are caught ten frames further out. In the public domain (CC0).
(module
  (tag $number (param i64))

  ;; Calls itself until so many frames are there.
  (func $throw (param $depth i32) (param $value i64) (result i64)
    (if (i32.eqz (local.get $depth))
      (then (throw $number (local.get $value))))
    (i64.add
      (call $throw
        (i32.sub (local.get $depth) (i32.const 1))
        (i64.add (local.get $value) (i64.const 1)))
      (local.get $value)))

  ;; Throws and catches so many exceptions.
  (func (export "run") (param $n i32) (result i64)
    (local $sum i64)
    (loop $next
      (block $caught (result i64)
        (try_table (result i64) (catch $number $caught)
          (call $throw (i32.const 9) (i64.extend_i32_u (local.get $n)))))
      (local.set $sum (i64.add (local.get $sum)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $next (local.get $n)))
    (local.get $sum)))

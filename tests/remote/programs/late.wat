;; Throws an exception that is caught, and one that nothing handles.
(module
  (tag $late (param i32 i64))
  (func $pay (param $days i32)
    local.get $days
    i64.const 250
    throw $late)
  (func $collect (param $days i32)
    (block $caught (result i32 i64)
      (try_table (catch $late $caught)
        (call $pay (local.get $days)))
      return)
    drop
    drop)
  (func $main (export "_start")
    (call $collect (i32.const 3))
    (call $pay (i32.const 9))))

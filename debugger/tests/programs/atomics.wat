;; A lock that is taken twice: the second time nobody can release it.
(module
  (memory (export "memory") 1 1 shared)

  (func $lock (param $address i32)
    (block $taken
      (loop $again
        (br_if $taken
          (i32.eqz (i32.atomic.rmw.cmpxchg (local.get $address) (i32.const 0) (i32.const 1))))
        (drop (memory.atomic.wait32 (local.get $address) (i32.const 1) (i64.const -1)))
        (br $again))))

  (func $unlock (param $address i32)
    (i32.atomic.store (local.get $address) (i32.const 0))
    (drop (memory.atomic.notify (local.get $address) (i32.const 1))))

  (func $start (export "_start")
    (call $lock (i32.const 256))
    (call $unlock (i32.const 256))
    ;; With a timeout, waiting ends: 2.
    (drop (memory.atomic.wait64 (i32.const 264) (i64.const 0) (i64.const 1000000)))
    (call $lock (i32.const 256))
    (call $lock (i32.const 256))))

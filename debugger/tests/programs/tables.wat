;; Table slots that change: what `watch $table0[1]` sees.
(module
  (table $handlers 4 4 funcref)
  (elem (table $handlers) (i32.const 0) func $idle $busy)
  (elem declare func $done)
  (func $idle (result i32) (i32.const 0))
  (func $busy (result i32) (i32.const 1))
  (func $done (result i32) (i32.const 2))
  (func $main (export "_start")
    (drop (call_indirect (result i32) (i32.const 1)))
    (table.set $handlers (i32.const 1) (ref.func $done))
    (drop (call_indirect (result i32) (i32.const 1)))
    (table.set $handlers (i32.const 3) (ref.func $idle))
    (table.set $handlers (i32.const 1) (ref.null func))))

;; A start function before `_start`, and no names in an export.
(module
  (global $ready (mut i32) (i32.const 0))
  (func $prepare (global.set $ready (i32.const 1)))
  (start $prepare)
  (func (export "_start") (drop (global.get $ready))))

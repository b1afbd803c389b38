;; Imports that no host has.
(module
  (import "game" "draw" (func $draw (param i32)))
  (import "game" "sound" (func $sound))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (func $show (param $frame i32) (call $draw (local.get $frame)))
  (func $main (export "_start") (call $show (i32.const 2)) (call $exit (i32.const 3))))

;; Ends with a status by proc_exit.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (func $leave (param $status i32) (call $exit (local.get $status)))
  (func $main (export "_start") (call $leave (i32.const 42))))

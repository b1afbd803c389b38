;; Sorts twelve numbers with quicksort, in three orders one after the other.
;;
;; The numbers lie at the very end of memory. Each order has a comparator in
;; the table; a comparator says whether its first number belongs before its
;; second. Run as a WASI program this prints the numbers in each order; the
;; export `sort` sorts in one order and returns how many comparisons it took.

(module
  (type $comparator (func (param i32 i32) (result i32)))

  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param $fd i32) (param $iovec i32) (param $iovec_count i32) (param $written i32)
      (result i32)))

  ;; Memory:
  ;;       0  an iovec for fd_write: address and length
  ;;       8  how many bytes fd_write wrote
  ;;      16  one character on its way to the output
  ;;      32  the titles of the orders
  ;;     128  the numbers as they are given
  ;;   65488  the numbers to sort: twelve of four bytes, up to the end
  (memory $memory (export "memory") 1)

  (data (i32.const 32) "given    ")
  (data (i32.const 48) "ascending")
  (data (i32.const 64) "last digit")
  (data (i32.const 80) "descending")

  ;; 34 7 81 12 55 7 98 23 60 41 19 76
  (data (i32.const 128)
    "\22\00\00\00" "\07\00\00\00" "\51\00\00\00" "\0c\00\00\00"
    "\37\00\00\00" "\07\00\00\00" "\62\00\00\00" "\17\00\00\00"
    "\3c\00\00\00" "\29\00\00\00" "\13\00\00\00" "\4c\00\00\00")

  (global $given i32 (i32.const 128))
  (global $numbers i32 (i32.const 65488))
  (global $last_number i32 (i32.const 65532))
  (global $size i32 (i32.const 48))

  (global $comparisons (export "comparisons") (mut i32) (i32.const 0))

  ;; ------------------------------------------------------------- comparators

  (table $comparators (export "comparators") funcref
    (elem $ascending $by_last_digit $descending))

  (func $ascending (param $left i32) (param $right i32) (result i32)
    (i32.lt_s (local.get $left) (local.get $right)))

  (func $by_last_digit (param $left i32) (param $right i32) (result i32)
    (local $left_digit i32)
    (local $right_digit i32)
    (local.set $left_digit (i32.rem_u (local.get $left) (i32.const 10)))
    (local.set $right_digit (i32.rem_u (local.get $right) (i32.const 10)))
    (i32.lt_u (local.get $left_digit) (local.get $right_digit)))

  (func $descending (param $left i32) (param $right i32) (result i32)
    (i32.ge_s (local.get $left) (local.get $right)))

  (func $belongs_before (param $left i32) (param $right i32) (param $order i32) (result i32)
    (global.set $comparisons (i32.add (global.get $comparisons) (i32.const 1)))
    (call_indirect $comparators (type $comparator)
      (local.get $left)
      (local.get $right)
      (local.get $order)))

  ;; --------------------------------------------------------------- quicksort

  ;; Parts the numbers from address $first to address $last in two, so that no
  ;; number of the second part belongs before one of the first. Returns the
  ;; address of the first part's last number.
  (func $partition (param $first i32) (param $last i32) (param $order i32) (result i32)
    (local $pivot i32)
    (local $up i32)
    (local $down i32)
    (local $swapped i32)

    ;; The pivot is the number in the middle.
    (local.set $pivot
      (i32.load
        (i32.add
          (local.get $first)
          (i32.and
            (i32.shr_u (i32.sub (local.get $last) (local.get $first)) (i32.const 1))
            (i32.const -4)))))

    (local.set $up (i32.sub (local.get $first) (i32.const 4)))
    (local.set $down (i32.add (local.get $last) (i32.const 4)))

    (loop $next_pair
      ;; Up to the first number that need not stay in the first part.
      (loop $climb
        (local.set $up (i32.add (local.get $up) (i32.const 4)))
        (br_if $climb
          (call $belongs_before
            (i32.load (local.get $up))
            (local.get $pivot)
            (local.get $order))))

      ;; Down to the last number that need not stay in the second part.
      (loop $descend
        (local.set $down (i32.sub (local.get $down) (i32.const 4)))
        (br_if $descend
          (call $belongs_before
            (local.get $pivot)
            (i32.load (local.get $down))
            (local.get $order))))

      (if (i32.lt_u (local.get $up) (local.get $down))
        (then
          (local.set $swapped (i32.load (local.get $up)))
          (i32.store (local.get $up) (i32.load (local.get $down)))
          (i32.store (local.get $down) (local.get $swapped))
          (br $next_pair))))

    (local.get $down))

  (func $quicksort (param $first i32) (param $last i32) (param $order i32)
    (local $middle i32)
    (if (i32.ge_u (local.get $first) (local.get $last))
      (then (return)))
    (local.set $middle
      (call $partition (local.get $first) (local.get $last) (local.get $order)))
    (call $quicksort (local.get $first) (local.get $middle) (local.get $order))
    (call $quicksort
      (i32.add (local.get $middle) (i32.const 4))
      (local.get $last)
      (local.get $order)))

  (func $take_given_numbers
    (memory.copy (global.get $numbers) (global.get $given) (global.get $size)))

  ;; Sorts the given numbers: order 0 is ascending, 1 by the last digit,
  ;; 2 descending. Returns the number of comparisons.
  (func $sort (export "sort") (param $order i32) (result i32)
    (call $take_given_numbers)
    (global.set $comparisons (i32.const 0))
    (call $quicksort (global.get $numbers) (global.get $last_number) (local.get $order))
    (global.get $comparisons))

  ;; ------------------------------------------------------------------ output

  (func $print (param $address i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $address))
    (i32.store (i32.const 4) (local.get $length))
    (drop
      (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))

  (func $print_character (param $character i32)
    (i32.store8 (i32.const 16) (local.get $character))
    (call $print (i32.const 16) (i32.const 1)))

  ;; The leading digits first, by recursion.
  (func $print_number (param $number i32)
    (if (i32.ge_u (local.get $number) (i32.const 10))
      (then
        (call $print_number (i32.div_u (local.get $number) (i32.const 10)))))
    (call $print_character
      (i32.add
        (i32.const 48) ;; "0"
        (i32.rem_u (local.get $number) (i32.const 10)))))

  ;; The address and length of an order's title.
  (func $title (param $order i32) (result i32 i32)
    (block $given
      (block $descending
        (block $by_last_digit
          (block $ascending
            (br_table $ascending $by_last_digit $descending $given (local.get $order)))
          (return (i32.const 48) (i32.const 9)))
        (return (i32.const 64) (i32.const 10)))
      (return (i32.const 80) (i32.const 10)))
    (i32.const 32)
    (i32.const 9))

  (func $print_numbers (param $order i32)
    (local $address i32)
    (call $print (call $title (local.get $order)))
    (call $print_character (i32.const 58)) ;; ":"
    (local.set $address (global.get $numbers))
    (loop $next_number
      (call $print_character (i32.const 32)) ;; a space
      (call $print_number (i32.load (local.get $address)))
      (local.set $address (i32.add (local.get $address) (i32.const 4)))
      (br_if $next_number
        (i32.le_u (local.get $address) (global.get $last_number))))
    (call $print_character (i32.const 10))) ;; the end of the line

  (func $main (export "_start")
    (local $order i32)
    (call $take_given_numbers)
    (call $print_numbers (i32.const -1))
    (loop $next_order
      (drop (call $sort (local.get $order)))
      (call $print_numbers (local.get $order))
      (local.set $order (i32.add (local.get $order) (i32.const 1)))
      (br_if $next_order (i32.lt_u (local.get $order) (i32.const 3))))))

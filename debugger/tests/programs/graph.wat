;; Objects of the heap: structs, arrays, small fields, a cycle, and references in every kind of slot.
(module
  (type $text (array i8))
  (rec
    (type $person (sub (struct
      (field $name (ref $text))
      (field $age (mut i32))
      (field $friend (mut (ref null $person)))
      (field $children (mut (ref null $people))))))
    (type $people (array (mut (ref null $person)))))
  (type $pair (struct (field i16) (field (mut v128)) (field anyref) (field (ref func))))
  (type $employee (sub $person (struct
    (field $name (ref $text))
    (field $age (mut i32))
    (field $friend (mut (ref null $person)))
    (field $children (mut (ref null $people)))
    (field $salary i64))))
  (data $names "AdaBobCleo")
  (table $staff 4 (ref null $person))
  (global $boss (mut (ref null $person)) (ref.null $person))
  (global $answer i31ref (ref.i31 (i32.const 42)))
  (elem declare func $born)

  (func $text (param $start i32) (param $length i32) (result (ref $text))
    (array.new_data $text $names (local.get $start) (local.get $length)))

  (func $born (param $parent (ref $person)) (param $child (ref $person)) (result (ref $person))
    (array.set $people (struct.get $person $children (local.get $parent)) (i32.const 0) (local.get $child))
    (local.get $parent))

  (func (export "main") (result (ref $person))
    (local $ada (ref null $person)) (local $bob (ref null $person)) (local $cleo (ref null $person))
    (local $pair (ref null $pair))
    (local.set $ada (struct.new $employee
      (call $text (i32.const 0) (i32.const 3)) (i32.const 36) (ref.null $person)
      (array.new_default $people (i32.const 20)) (i64.const 5000)))
    (local.set $bob (struct.new $person
      (call $text (i32.const 3) (i32.const 3)) (i32.const 40) (local.get $ada) (ref.null $people)))
    (struct.set $person $friend (local.get $ada) (local.get $bob))
    (local.set $cleo (struct.new $person
      (call $text (i32.const 6) (i32.const 4)) (i32.const 4) (ref.null $person) (ref.null $people)))
    (global.set $boss (local.get $ada))
    (table.set $staff (i32.const 2) (local.get $bob))
    (local.set $pair (struct.new $pair
      (i32.const -2) (v128.const i32x4 1 2 3 4) (global.get $answer) (ref.func $born)))
    (call $born (ref.as_non_null (local.get $ada)) (ref.as_non_null (local.get $cleo)))))

;; How a guest of wdb asks for a collection: it allocates as much as may pass between two. In the public domain (CC0).
(module
  (type $bytes (array (mut i8)))
  (func (export "collect")
    (drop (array.new_default $bytes (i32.const 8388608)))))

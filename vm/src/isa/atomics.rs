//! Rows of the atomic instructions, which have the prefix 0xfe.

/// Adds them to the rows that come before, and hands all to the callback; see `for_each_instruction`.
macro_rules! with_atomics {
    ($callback:ident $($rows:tt)*) => {
        $callback! {
            $($rows)*
            PREFIXED_FE {
            0x00 MemoryAtomicNotify "memory.atomic.notify" MemArg Atomic "[i32 i32] -> [i32]" "pops a count and an address; wakes at most so many agents that wait there; pushes how many";
            0x01 MemoryAtomicWait32 "memory.atomic.wait32" MemArg Atomic "[i32 i32 i64] -> [i32]" "pops a timeout in nanoseconds, a value and an address; waits while the 4 bytes there are the value; pushes 0 when notified, 1 if they differ, 2 at the timeout";
            0x02 MemoryAtomicWait64 "memory.atomic.wait64" MemArg Atomic "[i32 i64 i64] -> [i32]" "pops a timeout in nanoseconds, a value and an address; waits while the 8 bytes there are the value; pushes 0 when notified, 1 if they differ, 2 at the timeout";
            0x03 AtomicFence "atomic.fence" Fence Atomic "[] -> []" "orders the accesses of memory before and after it";
            0x10 I32AtomicLoad "i32.atomic.load" MemArg Atomic "[i32] -> [i32]" "pops an address; pushes the 4 bytes there from memory, atomically";
            0x11 I64AtomicLoad "i64.atomic.load" MemArg Atomic "[i32] -> [i64]" "pops an address; pushes the 8 bytes there from memory, atomically";
            0x12 I32AtomicLoad8U "i32.atomic.load8_u" MemArg Atomic "[i32] -> [i32]" "pops an address; pushes the byte there, zero-extended, from memory, atomically";
            0x13 I32AtomicLoad16U "i32.atomic.load16_u" MemArg Atomic "[i32] -> [i32]" "pops an address; pushes the 2 bytes there, zero-extended, from memory, atomically";
            0x14 I64AtomicLoad8U "i64.atomic.load8_u" MemArg Atomic "[i32] -> [i64]" "pops an address; pushes the byte there, zero-extended, from memory, atomically";
            0x15 I64AtomicLoad16U "i64.atomic.load16_u" MemArg Atomic "[i32] -> [i64]" "pops an address; pushes the 2 bytes there, zero-extended, from memory, atomically";
            0x16 I64AtomicLoad32U "i64.atomic.load32_u" MemArg Atomic "[i32] -> [i64]" "pops an address; pushes the 4 bytes there, zero-extended, from memory, atomically";
            0x17 I32AtomicStore "i32.atomic.store" MemArg Atomic "[i32 i32] -> []" "pops a value and an address; stores its 4 bytes in memory, atomically";
            0x18 I64AtomicStore "i64.atomic.store" MemArg Atomic "[i32 i64] -> []" "pops a value and an address; stores its 8 bytes in memory, atomically";
            0x19 I32AtomicStore8 "i32.atomic.store8" MemArg Atomic "[i32 i32] -> []" "pops a value and an address; stores its lowest byte in memory, atomically";
            0x1a I32AtomicStore16 "i32.atomic.store16" MemArg Atomic "[i32 i32] -> []" "pops a value and an address; stores its lowest 2 bytes in memory, atomically";
            0x1b I64AtomicStore8 "i64.atomic.store8" MemArg Atomic "[i32 i64] -> []" "pops a value and an address; stores its lowest byte in memory, atomically";
            0x1c I64AtomicStore16 "i64.atomic.store16" MemArg Atomic "[i32 i64] -> []" "pops a value and an address; stores its lowest 2 bytes in memory, atomically";
            0x1d I64AtomicStore32 "i64.atomic.store32" MemArg Atomic "[i32 i64] -> []" "pops a value and an address; stores its lowest 4 bytes in memory, atomically";
            0x1e I32AtomicRmwAdd "i32.atomic.rmw.add" MemArg Atomic "[i32 i32] -> [i32]" "pops a value and an address; adds the value to the 4 bytes there, atomically; pushes what was there";
            0x1f I64AtomicRmwAdd "i64.atomic.rmw.add" MemArg Atomic "[i32 i64] -> [i64]" "pops a value and an address; adds the value to the 8 bytes there, atomically; pushes what was there";
            0x20 I32AtomicRmw8AddU "i32.atomic.rmw8.add_u" MemArg Atomic "[i32 i32] -> [i32]" "pops a value and an address; adds the value to the byte there, atomically; pushes what was there";
            0x21 I32AtomicRmw16AddU "i32.atomic.rmw16.add_u" MemArg Atomic "[i32 i32] -> [i32]" "pops a value and an address; adds the value to the 2 bytes there, atomically; pushes what was there";
            0x22 I64AtomicRmw8AddU "i64.atomic.rmw8.add_u" MemArg Atomic "[i32 i64] -> [i64]" "pops a value and an address; adds the value to the byte there, atomically; pushes what was there";
            0x23 I64AtomicRmw16AddU "i64.atomic.rmw16.add_u" MemArg Atomic "[i32 i64] -> [i64]" "pops a value and an address; adds the value to the 2 bytes there, atomically; pushes what was there";
            0x24 I64AtomicRmw32AddU "i64.atomic.rmw32.add_u" MemArg Atomic "[i32 i64] -> [i64]" "pops a value and an address; adds the value to the 4 bytes there, atomically; pushes what was there";
            0x25 I32AtomicRmwSub "i32.atomic.rmw.sub" MemArg Atomic "[i32 i32] -> [i32]" "pops a value and an address; subtracts the value from the 4 bytes there, atomically; pushes what was there";
            0x26 I64AtomicRmwSub "i64.atomic.rmw.sub" MemArg Atomic "[i32 i64] -> [i64]" "pops a value and an address; subtracts the value from the 8 bytes there, atomically; pushes what was there";
            0x27 I32AtomicRmw8SubU "i32.atomic.rmw8.sub_u" MemArg Atomic "[i32 i32] -> [i32]" "pops a value and an address; subtracts the value from the byte there, atomically; pushes what was there";
            0x28 I32AtomicRmw16SubU "i32.atomic.rmw16.sub_u" MemArg Atomic "[i32 i32] -> [i32]" "pops a value and an address; subtracts the value from the 2 bytes there, atomically; pushes what was there";
            0x29 I64AtomicRmw8SubU "i64.atomic.rmw8.sub_u" MemArg Atomic "[i32 i64] -> [i64]" "pops a value and an address; subtracts the value from the byte there, atomically; pushes what was there";
            0x2a I64AtomicRmw16SubU "i64.atomic.rmw16.sub_u" MemArg Atomic "[i32 i64] -> [i64]" "pops a value and an address; subtracts the value from the 2 bytes there, atomically; pushes what was there";
            0x2b I64AtomicRmw32SubU "i64.atomic.rmw32.sub_u" MemArg Atomic "[i32 i64] -> [i64]" "pops a value and an address; subtracts the value from the 4 bytes there, atomically; pushes what was there";
            0x2c I32AtomicRmwAnd "i32.atomic.rmw.and" MemArg Atomic "[i32 i32] -> [i32]" "pops a value and an address; keeps the bits set in both the value and the 4 bytes there, atomically; pushes what was there";
            0x2d I64AtomicRmwAnd "i64.atomic.rmw.and" MemArg Atomic "[i32 i64] -> [i64]" "pops a value and an address; keeps the bits set in both the value and the 8 bytes there, atomically; pushes what was there";
            0x2e I32AtomicRmw8AndU "i32.atomic.rmw8.and_u" MemArg Atomic "[i32 i32] -> [i32]" "pops a value and an address; keeps the bits set in both the value and the byte there, atomically; pushes what was there";
            0x2f I32AtomicRmw16AndU "i32.atomic.rmw16.and_u" MemArg Atomic "[i32 i32] -> [i32]" "pops a value and an address; keeps the bits set in both the value and the 2 bytes there, atomically; pushes what was there";
            0x30 I64AtomicRmw8AndU "i64.atomic.rmw8.and_u" MemArg Atomic "[i32 i64] -> [i64]" "pops a value and an address; keeps the bits set in both the value and the byte there, atomically; pushes what was there";
            0x31 I64AtomicRmw16AndU "i64.atomic.rmw16.and_u" MemArg Atomic "[i32 i64] -> [i64]" "pops a value and an address; keeps the bits set in both the value and the 2 bytes there, atomically; pushes what was there";
            0x32 I64AtomicRmw32AndU "i64.atomic.rmw32.and_u" MemArg Atomic "[i32 i64] -> [i64]" "pops a value and an address; keeps the bits set in both the value and the 4 bytes there, atomically; pushes what was there";
            0x33 I32AtomicRmwOr "i32.atomic.rmw.or" MemArg Atomic "[i32 i32] -> [i32]" "pops a value and an address; sets the bits of the value in the 4 bytes there, atomically; pushes what was there";
            0x34 I64AtomicRmwOr "i64.atomic.rmw.or" MemArg Atomic "[i32 i64] -> [i64]" "pops a value and an address; sets the bits of the value in the 8 bytes there, atomically; pushes what was there";
            0x35 I32AtomicRmw8OrU "i32.atomic.rmw8.or_u" MemArg Atomic "[i32 i32] -> [i32]" "pops a value and an address; sets the bits of the value in the byte there, atomically; pushes what was there";
            0x36 I32AtomicRmw16OrU "i32.atomic.rmw16.or_u" MemArg Atomic "[i32 i32] -> [i32]" "pops a value and an address; sets the bits of the value in the 2 bytes there, atomically; pushes what was there";
            0x37 I64AtomicRmw8OrU "i64.atomic.rmw8.or_u" MemArg Atomic "[i32 i64] -> [i64]" "pops a value and an address; sets the bits of the value in the byte there, atomically; pushes what was there";
            0x38 I64AtomicRmw16OrU "i64.atomic.rmw16.or_u" MemArg Atomic "[i32 i64] -> [i64]" "pops a value and an address; sets the bits of the value in the 2 bytes there, atomically; pushes what was there";
            0x39 I64AtomicRmw32OrU "i64.atomic.rmw32.or_u" MemArg Atomic "[i32 i64] -> [i64]" "pops a value and an address; sets the bits of the value in the 4 bytes there, atomically; pushes what was there";
            0x3a I32AtomicRmwXor "i32.atomic.rmw.xor" MemArg Atomic "[i32 i32] -> [i32]" "pops a value and an address; flips the bits of the value in the 4 bytes there, atomically; pushes what was there";
            0x3b I64AtomicRmwXor "i64.atomic.rmw.xor" MemArg Atomic "[i32 i64] -> [i64]" "pops a value and an address; flips the bits of the value in the 8 bytes there, atomically; pushes what was there";
            0x3c I32AtomicRmw8XorU "i32.atomic.rmw8.xor_u" MemArg Atomic "[i32 i32] -> [i32]" "pops a value and an address; flips the bits of the value in the byte there, atomically; pushes what was there";
            0x3d I32AtomicRmw16XorU "i32.atomic.rmw16.xor_u" MemArg Atomic "[i32 i32] -> [i32]" "pops a value and an address; flips the bits of the value in the 2 bytes there, atomically; pushes what was there";
            0x3e I64AtomicRmw8XorU "i64.atomic.rmw8.xor_u" MemArg Atomic "[i32 i64] -> [i64]" "pops a value and an address; flips the bits of the value in the byte there, atomically; pushes what was there";
            0x3f I64AtomicRmw16XorU "i64.atomic.rmw16.xor_u" MemArg Atomic "[i32 i64] -> [i64]" "pops a value and an address; flips the bits of the value in the 2 bytes there, atomically; pushes what was there";
            0x40 I64AtomicRmw32XorU "i64.atomic.rmw32.xor_u" MemArg Atomic "[i32 i64] -> [i64]" "pops a value and an address; flips the bits of the value in the 4 bytes there, atomically; pushes what was there";
            0x41 I32AtomicRmwXchg "i32.atomic.rmw.xchg" MemArg Atomic "[i32 i32] -> [i32]" "pops a value and an address; puts the value in place of the 4 bytes there, atomically; pushes what was there";
            0x42 I64AtomicRmwXchg "i64.atomic.rmw.xchg" MemArg Atomic "[i32 i64] -> [i64]" "pops a value and an address; puts the value in place of the 8 bytes there, atomically; pushes what was there";
            0x43 I32AtomicRmw8XchgU "i32.atomic.rmw8.xchg_u" MemArg Atomic "[i32 i32] -> [i32]" "pops a value and an address; puts the value in place of the byte there, atomically; pushes what was there";
            0x44 I32AtomicRmw16XchgU "i32.atomic.rmw16.xchg_u" MemArg Atomic "[i32 i32] -> [i32]" "pops a value and an address; puts the value in place of the 2 bytes there, atomically; pushes what was there";
            0x45 I64AtomicRmw8XchgU "i64.atomic.rmw8.xchg_u" MemArg Atomic "[i32 i64] -> [i64]" "pops a value and an address; puts the value in place of the byte there, atomically; pushes what was there";
            0x46 I64AtomicRmw16XchgU "i64.atomic.rmw16.xchg_u" MemArg Atomic "[i32 i64] -> [i64]" "pops a value and an address; puts the value in place of the 2 bytes there, atomically; pushes what was there";
            0x47 I64AtomicRmw32XchgU "i64.atomic.rmw32.xchg_u" MemArg Atomic "[i32 i64] -> [i64]" "pops a value and an address; puts the value in place of the 4 bytes there, atomically; pushes what was there";
            0x48 I32AtomicRmwCmpxchg "i32.atomic.rmw.cmpxchg" MemArg Atomic "[i32 i32 i32] -> [i32]" "pops a replacement, an expected value and an address; replaces the 4 bytes there if they are as expected, atomically; pushes what was there";
            0x49 I64AtomicRmwCmpxchg "i64.atomic.rmw.cmpxchg" MemArg Atomic "[i32 i64 i64] -> [i64]" "pops a replacement, an expected value and an address; replaces the 8 bytes there if they are as expected, atomically; pushes what was there";
            0x4a I32AtomicRmw8CmpxchgU "i32.atomic.rmw8.cmpxchg_u" MemArg Atomic "[i32 i32 i32] -> [i32]" "pops a replacement, an expected value and an address; replaces the byte there if they are as expected, atomically; pushes what was there";
            0x4b I32AtomicRmw16CmpxchgU "i32.atomic.rmw16.cmpxchg_u" MemArg Atomic "[i32 i32 i32] -> [i32]" "pops a replacement, an expected value and an address; replaces the 2 bytes there if they are as expected, atomically; pushes what was there";
            0x4c I64AtomicRmw8CmpxchgU "i64.atomic.rmw8.cmpxchg_u" MemArg Atomic "[i32 i64 i64] -> [i64]" "pops a replacement, an expected value and an address; replaces the byte there if they are as expected, atomically; pushes what was there";
            0x4d I64AtomicRmw16CmpxchgU "i64.atomic.rmw16.cmpxchg_u" MemArg Atomic "[i32 i64 i64] -> [i64]" "pops a replacement, an expected value and an address; replaces the 2 bytes there if they are as expected, atomically; pushes what was there";
            0x4e I64AtomicRmw32CmpxchgU "i64.atomic.rmw32.cmpxchg_u" MemArg Atomic "[i32 i64 i64] -> [i64]" "pops a replacement, an expected value and an address; replaces the 4 bytes there if they are as expected, atomically; pushes what was there";
            }
        }
    };
}
pub(crate) use with_atomics;

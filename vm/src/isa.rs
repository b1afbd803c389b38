//! The one table of instructions.
//!
//! Decoder, disassembler, explanations and the tables of handlers of every tier are made from `for_each_instruction`:
//! an instruction that is missing in one of them does not compile.

pub(crate) mod atomics;
pub(crate) mod vectors;

/// Calls the macro `$callback` with every instruction's row.
///
/// ```text
/// for_each_instruction!(callback);
/// // becomes
/// callback! {
///     SINGLE { 0x00 Unreachable "unreachable" None Control "[t*] -> [u*]" "traps: …"; … }
///     PREFIXED_FB { 0 StructNew "struct.new" Type Object "[t*] -> [ref]" "…"; … }
///     PREFIXED_FC { 0 I32TruncSatF32S "i32.trunc_sat_f32_s" None Numeric "[f32] -> [i32]" "…"; … }
/// }
/// ```
///
/// A row holds the opcode (after its prefix), a name, the text format's mnemonic, the kind of [`Immediates`](crate::decode::Immediates),
/// the [`Category`], the effect on the operand stack and one line of explanation.
macro_rules! for_each_instruction {
    ($callback:ident) => {
        $crate::isa::vectors::with_vectors! {
            $callback
            SINGLE {
            0x00 Unreachable "unreachable" None Control "[t*] -> [u*]" "traps: the program says that this point cannot be reached";
            0x01 Nop "nop" None Control "[] -> []" "does nothing";
            0x02 Block "block" Block Control "[t*] -> [u*]" "opens a block; a branch to its label goes to its end";
            0x03 Loop "loop" Block Control "[t*] -> [u*]" "opens a loop; a branch to its label goes back to its start";
            0x04 If "if" Block Control "[t* i32] -> [u*]" "pops a condition; goes on if it is not zero, else jumps to the else part or the end";
            0x05 Else "else" None Control "[t*] -> [u*]" "ends the first part of an if: jumps to its end";
            0x06 Try "try" Block Control "[t*] -> [u*]" "opens a block whose exceptions the catch clauses after it handle (legacy)";
            0x07 Catch "catch" Tag Control "[t*] -> [u*]" "ends a try's part; what follows handles exceptions with this tag (legacy)";
            0x08 Throw "throw" Tag Control "[t* u*] -> [v*]" "pops a tag's values and throws an exception with them";
            0x09 Rethrow "rethrow" Label Control "[t*] -> [u*]" "throws the exception again that the catch clause with this label handles (legacy)";
            0x0a ThrowRef "throw_ref" None Control "[t* exnref] -> [u*]" "pops an exception and throws it again; traps if the reference is null";
            0x0b End "end" None Control "[t*] -> [t*]" "ends a block, loop, if, or the function, which then returns";
            0x0c Br "br" Label Control "[t* u*] -> [v*]" "branches to a label";
            0x0d BrIf "br_if" Label Control "[t* i32] -> [t*]" "pops a condition; branches to a label if it is not zero";
            0x0e BrTable "br_table" LabelTable Control "[t* u* i32] -> [v*]" "pops an index; branches to the label that it selects, or to the last one";
            0x0f Return "return" None Control "[t* u*] -> [v*]" "returns from the function with its results";
            0x10 Call "call" Func Control "[t*] -> [u*]" "calls a function with the arguments on the stack";
            0x11 CallIndirect "call_indirect" CallIndirect Control "[t* i32] -> [u*]" "pops an index; calls the function that the table holds there, if its type fits";
            0x12 ReturnCall "return_call" Func Control "[t* u*] -> [v*]" "replaces this frame by a call of a function";
            0x13 ReturnCallIndirect "return_call_indirect" CallIndirect Control "[t* u* i32] -> [v*]" "pops an index; replaces this frame by a call of the function that the table holds there";
            0x14 CallRef "call_ref" Type Control "[t* ref] -> [u*]" "pops a reference to a function and calls it; traps if the reference is null";
            0x15 ReturnCallRef "return_call_ref" Type Control "[t* u* ref] -> [v*]" "pops a reference to a function; replaces this frame by a call of it";
            0x18 Delegate "delegate" Label Control "[t*] -> [t*]" "ends a try; its exceptions are handled as if they were thrown in the block with this label (legacy)";
            0x19 CatchAll "catch_all" None Control "[t*] -> [u*]" "ends a try's part; what follows handles all other exceptions (legacy)";
            0x1a Drop "drop" None Parametric "[t] -> []" "pops a value and throws it away";
            0x1b Select "select" None Parametric "[t t i32] -> [t]" "pops a condition and two values; keeps the first if the condition is not zero, else the second";
            0x1c SelectTyped "select" ValTypes Parametric "[t t i32] -> [t]" "pops a condition and two values; keeps the first if the condition is not zero, else the second";
            0x1f TryTable "try_table" TryTable Control "[t*] -> [u*]" "opens a block; an exception thrown in it branches to the label of the first clause that fits";
            0x20 LocalGet "local.get" Local Variable "[] -> [t]" "pushes the value of a local";
            0x21 LocalSet "local.set" Local Variable "[t] -> []" "pops a value into a local";
            0x22 LocalTee "local.tee" Local Variable "[t] -> [t]" "copies the top of the stack into a local";
            0x23 GlobalGet "global.get" Global Variable "[] -> [t]" "pushes the value of a global";
            0x24 GlobalSet "global.set" Global Variable "[t] -> []" "pops a value into a global";
            0x25 TableGet "table.get" Table Table "[i32] -> [ref]" "pops an index; pushes the reference that the table holds there";
            0x26 TableSet "table.set" Table Table "[i32 ref] -> []" "pops a reference and an index; stores the reference in the table";
            0x28 I32Load "i32.load" MemArg Memory "[i32] -> [i32]" "pops an address; pushes the 4 bytes there from memory";
            0x29 I64Load "i64.load" MemArg Memory "[i32] -> [i64]" "pops an address; pushes the 8 bytes there from memory";
            0x2a F32Load "f32.load" MemArg Memory "[i32] -> [f32]" "pops an address; pushes the 4 bytes there from memory";
            0x2b F64Load "f64.load" MemArg Memory "[i32] -> [f64]" "pops an address; pushes the 8 bytes there from memory";
            0x2c I32Load8S "i32.load8_s" MemArg Memory "[i32] -> [i32]" "pops an address; pushes the byte there, sign-extended, from memory";
            0x2d I32Load8U "i32.load8_u" MemArg Memory "[i32] -> [i32]" "pops an address; pushes the byte there, zero-extended, from memory";
            0x2e I32Load16S "i32.load16_s" MemArg Memory "[i32] -> [i32]" "pops an address; pushes the 2 bytes there, sign-extended, from memory";
            0x2f I32Load16U "i32.load16_u" MemArg Memory "[i32] -> [i32]" "pops an address; pushes the 2 bytes there, zero-extended, from memory";
            0x30 I64Load8S "i64.load8_s" MemArg Memory "[i32] -> [i64]" "pops an address; pushes the byte there, sign-extended, from memory";
            0x31 I64Load8U "i64.load8_u" MemArg Memory "[i32] -> [i64]" "pops an address; pushes the byte there, zero-extended, from memory";
            0x32 I64Load16S "i64.load16_s" MemArg Memory "[i32] -> [i64]" "pops an address; pushes the 2 bytes there, sign-extended, from memory";
            0x33 I64Load16U "i64.load16_u" MemArg Memory "[i32] -> [i64]" "pops an address; pushes the 2 bytes there, zero-extended, from memory";
            0x34 I64Load32S "i64.load32_s" MemArg Memory "[i32] -> [i64]" "pops an address; pushes the 4 bytes there, sign-extended, from memory";
            0x35 I64Load32U "i64.load32_u" MemArg Memory "[i32] -> [i64]" "pops an address; pushes the 4 bytes there, zero-extended, from memory";
            0x36 I32Store "i32.store" MemArg Memory "[i32 i32] -> []" "pops a value and an address; stores its 4 bytes in memory";
            0x37 I64Store "i64.store" MemArg Memory "[i32 i64] -> []" "pops a value and an address; stores its 8 bytes in memory";
            0x38 F32Store "f32.store" MemArg Memory "[i32 f32] -> []" "pops a value and an address; stores its 4 bytes in memory";
            0x39 F64Store "f64.store" MemArg Memory "[i32 f64] -> []" "pops a value and an address; stores its 8 bytes in memory";
            0x3a I32Store8 "i32.store8" MemArg Memory "[i32 i32] -> []" "pops a value and an address; stores its lowest byte in memory";
            0x3b I32Store16 "i32.store16" MemArg Memory "[i32 i32] -> []" "pops a value and an address; stores its lowest 2 bytes in memory";
            0x3c I64Store8 "i64.store8" MemArg Memory "[i32 i64] -> []" "pops a value and an address; stores its lowest byte in memory";
            0x3d I64Store16 "i64.store16" MemArg Memory "[i32 i64] -> []" "pops a value and an address; stores its lowest 2 bytes in memory";
            0x3e I64Store32 "i64.store32" MemArg Memory "[i32 i64] -> []" "pops a value and an address; stores its lowest 4 bytes in memory";
            0x3f MemorySize "memory.size" Memory Memory "[] -> [i32]" "pushes the size of the memory in pages of 64 KiB";
            0x40 MemoryGrow "memory.grow" Memory Memory "[i32] -> [i32]" "pops a number of pages and grows the memory by it; pushes the old size, or -1 if it cannot grow";
            0x41 I32Const "i32.const" I32 Numeric "[] -> [i32]" "pushes a constant";
            0x42 I64Const "i64.const" I64 Numeric "[] -> [i64]" "pushes a constant";
            0x43 F32Const "f32.const" F32 Numeric "[] -> [f32]" "pushes a constant";
            0x44 F64Const "f64.const" F64 Numeric "[] -> [f64]" "pushes a constant";
            0x45 I32Eqz "i32.eqz" None Numeric "[i32] -> [i32]" "pushes 1 if the value is zero, else 0";
            0x46 I32Eq "i32.eq" None Numeric "[i32 i32] -> [i32]" "pushes 1 if the two are equal, else 0";
            0x47 I32Ne "i32.ne" None Numeric "[i32 i32] -> [i32]" "pushes 1 if the two differ, else 0";
            0x48 I32LtS "i32.lt_s" None Numeric "[i32 i32] -> [i32]" "pushes 1 if the first is less than the second, as signed numbers, else 0";
            0x49 I32LtU "i32.lt_u" None Numeric "[i32 i32] -> [i32]" "pushes 1 if the first is less than the second, as unsigned numbers, else 0";
            0x4a I32GtS "i32.gt_s" None Numeric "[i32 i32] -> [i32]" "pushes 1 if the first is greater than the second, as signed numbers, else 0";
            0x4b I32GtU "i32.gt_u" None Numeric "[i32 i32] -> [i32]" "pushes 1 if the first is greater than the second, as unsigned numbers, else 0";
            0x4c I32LeS "i32.le_s" None Numeric "[i32 i32] -> [i32]" "pushes 1 if the first is less than or equal to the second, as signed numbers, else 0";
            0x4d I32LeU "i32.le_u" None Numeric "[i32 i32] -> [i32]" "pushes 1 if the first is less than or equal to the second, as unsigned numbers, else 0";
            0x4e I32GeS "i32.ge_s" None Numeric "[i32 i32] -> [i32]" "pushes 1 if the first is greater than or equal to the second, as signed numbers, else 0";
            0x4f I32GeU "i32.ge_u" None Numeric "[i32 i32] -> [i32]" "pushes 1 if the first is greater than or equal to the second, as unsigned numbers, else 0";
            0x50 I64Eqz "i64.eqz" None Numeric "[i64] -> [i32]" "pushes 1 if the value is zero, else 0";
            0x51 I64Eq "i64.eq" None Numeric "[i64 i64] -> [i32]" "pushes 1 if the two are equal, else 0";
            0x52 I64Ne "i64.ne" None Numeric "[i64 i64] -> [i32]" "pushes 1 if the two differ, else 0";
            0x53 I64LtS "i64.lt_s" None Numeric "[i64 i64] -> [i32]" "pushes 1 if the first is less than the second, as signed numbers, else 0";
            0x54 I64LtU "i64.lt_u" None Numeric "[i64 i64] -> [i32]" "pushes 1 if the first is less than the second, as unsigned numbers, else 0";
            0x55 I64GtS "i64.gt_s" None Numeric "[i64 i64] -> [i32]" "pushes 1 if the first is greater than the second, as signed numbers, else 0";
            0x56 I64GtU "i64.gt_u" None Numeric "[i64 i64] -> [i32]" "pushes 1 if the first is greater than the second, as unsigned numbers, else 0";
            0x57 I64LeS "i64.le_s" None Numeric "[i64 i64] -> [i32]" "pushes 1 if the first is less than or equal to the second, as signed numbers, else 0";
            0x58 I64LeU "i64.le_u" None Numeric "[i64 i64] -> [i32]" "pushes 1 if the first is less than or equal to the second, as unsigned numbers, else 0";
            0x59 I64GeS "i64.ge_s" None Numeric "[i64 i64] -> [i32]" "pushes 1 if the first is greater than or equal to the second, as signed numbers, else 0";
            0x5a I64GeU "i64.ge_u" None Numeric "[i64 i64] -> [i32]" "pushes 1 if the first is greater than or equal to the second, as unsigned numbers, else 0";
            0x5b F32Eq "f32.eq" None Numeric "[f32 f32] -> [i32]" "pushes 1 if the two are equal, else 0";
            0x5c F32Ne "f32.ne" None Numeric "[f32 f32] -> [i32]" "pushes 1 if the two differ, else 0";
            0x5d F32Lt "f32.lt" None Numeric "[f32 f32] -> [i32]" "pushes 1 if the first is less than the second, else 0";
            0x5e F32Gt "f32.gt" None Numeric "[f32 f32] -> [i32]" "pushes 1 if the first is greater than the second, else 0";
            0x5f F32Le "f32.le" None Numeric "[f32 f32] -> [i32]" "pushes 1 if the first is less than or equal to the second, else 0";
            0x60 F32Ge "f32.ge" None Numeric "[f32 f32] -> [i32]" "pushes 1 if the first is greater than or equal to the second, else 0";
            0x61 F64Eq "f64.eq" None Numeric "[f64 f64] -> [i32]" "pushes 1 if the two are equal, else 0";
            0x62 F64Ne "f64.ne" None Numeric "[f64 f64] -> [i32]" "pushes 1 if the two differ, else 0";
            0x63 F64Lt "f64.lt" None Numeric "[f64 f64] -> [i32]" "pushes 1 if the first is less than the second, else 0";
            0x64 F64Gt "f64.gt" None Numeric "[f64 f64] -> [i32]" "pushes 1 if the first is greater than the second, else 0";
            0x65 F64Le "f64.le" None Numeric "[f64 f64] -> [i32]" "pushes 1 if the first is less than or equal to the second, else 0";
            0x66 F64Ge "f64.ge" None Numeric "[f64 f64] -> [i32]" "pushes 1 if the first is greater than or equal to the second, else 0";
            0x67 I32Clz "i32.clz" None Numeric "[i32] -> [i32]" "counts the zero bits above the highest one bit";
            0x68 I32Ctz "i32.ctz" None Numeric "[i32] -> [i32]" "counts the zero bits below the lowest one bit";
            0x69 I32Popcnt "i32.popcnt" None Numeric "[i32] -> [i32]" "counts the one bits";
            0x6a I32Add "i32.add" None Numeric "[i32 i32] -> [i32]" "adds the two, wrapping around";
            0x6b I32Sub "i32.sub" None Numeric "[i32 i32] -> [i32]" "subtracts the second from the first, wrapping around";
            0x6c I32Mul "i32.mul" None Numeric "[i32 i32] -> [i32]" "multiplies the two, wrapping around";
            0x6d I32DivS "i32.div_s" None Numeric "[i32 i32] -> [i32]" "divides the first by the second as signed numbers; traps on zero and on overflow";
            0x6e I32DivU "i32.div_u" None Numeric "[i32 i32] -> [i32]" "divides the first by the second as unsigned numbers; traps on zero";
            0x6f I32RemS "i32.rem_s" None Numeric "[i32 i32] -> [i32]" "pushes the remainder of a signed division; traps on zero";
            0x70 I32RemU "i32.rem_u" None Numeric "[i32 i32] -> [i32]" "pushes the remainder of an unsigned division; traps on zero";
            0x71 I32And "i32.and" None Numeric "[i32 i32] -> [i32]" "pushes the bits set in both";
            0x72 I32Or "i32.or" None Numeric "[i32 i32] -> [i32]" "pushes the bits set in either";
            0x73 I32Xor "i32.xor" None Numeric "[i32 i32] -> [i32]" "pushes the bits in which the two differ";
            0x74 I32Shl "i32.shl" None Numeric "[i32 i32] -> [i32]" "shifts the first left by the second";
            0x75 I32ShrS "i32.shr_s" None Numeric "[i32 i32] -> [i32]" "shifts the first right by the second, keeping its sign";
            0x76 I32ShrU "i32.shr_u" None Numeric "[i32 i32] -> [i32]" "shifts the first right by the second, filling with zeros";
            0x77 I32Rotl "i32.rotl" None Numeric "[i32 i32] -> [i32]" "rotates the first left by the second";
            0x78 I32Rotr "i32.rotr" None Numeric "[i32 i32] -> [i32]" "rotates the first right by the second";
            0x79 I64Clz "i64.clz" None Numeric "[i64] -> [i64]" "counts the zero bits above the highest one bit";
            0x7a I64Ctz "i64.ctz" None Numeric "[i64] -> [i64]" "counts the zero bits below the lowest one bit";
            0x7b I64Popcnt "i64.popcnt" None Numeric "[i64] -> [i64]" "counts the one bits";
            0x7c I64Add "i64.add" None Numeric "[i64 i64] -> [i64]" "adds the two, wrapping around";
            0x7d I64Sub "i64.sub" None Numeric "[i64 i64] -> [i64]" "subtracts the second from the first, wrapping around";
            0x7e I64Mul "i64.mul" None Numeric "[i64 i64] -> [i64]" "multiplies the two, wrapping around";
            0x7f I64DivS "i64.div_s" None Numeric "[i64 i64] -> [i64]" "divides the first by the second as signed numbers; traps on zero and on overflow";
            0x80 I64DivU "i64.div_u" None Numeric "[i64 i64] -> [i64]" "divides the first by the second as unsigned numbers; traps on zero";
            0x81 I64RemS "i64.rem_s" None Numeric "[i64 i64] -> [i64]" "pushes the remainder of a signed division; traps on zero";
            0x82 I64RemU "i64.rem_u" None Numeric "[i64 i64] -> [i64]" "pushes the remainder of an unsigned division; traps on zero";
            0x83 I64And "i64.and" None Numeric "[i64 i64] -> [i64]" "pushes the bits set in both";
            0x84 I64Or "i64.or" None Numeric "[i64 i64] -> [i64]" "pushes the bits set in either";
            0x85 I64Xor "i64.xor" None Numeric "[i64 i64] -> [i64]" "pushes the bits in which the two differ";
            0x86 I64Shl "i64.shl" None Numeric "[i64 i64] -> [i64]" "shifts the first left by the second";
            0x87 I64ShrS "i64.shr_s" None Numeric "[i64 i64] -> [i64]" "shifts the first right by the second, keeping its sign";
            0x88 I64ShrU "i64.shr_u" None Numeric "[i64 i64] -> [i64]" "shifts the first right by the second, filling with zeros";
            0x89 I64Rotl "i64.rotl" None Numeric "[i64 i64] -> [i64]" "rotates the first left by the second";
            0x8a I64Rotr "i64.rotr" None Numeric "[i64 i64] -> [i64]" "rotates the first right by the second";
            0x8b F32Abs "f32.abs" None Numeric "[f32] -> [f32]" "clears the sign";
            0x8c F32Neg "f32.neg" None Numeric "[f32] -> [f32]" "flips the sign";
            0x8d F32Ceil "f32.ceil" None Numeric "[f32] -> [f32]" "rounds up to an integer";
            0x8e F32Floor "f32.floor" None Numeric "[f32] -> [f32]" "rounds down to an integer";
            0x8f F32Trunc "f32.trunc" None Numeric "[f32] -> [f32]" "rounds towards zero to an integer";
            0x90 F32Nearest "f32.nearest" None Numeric "[f32] -> [f32]" "rounds to the nearest integer, ties to even";
            0x91 F32Sqrt "f32.sqrt" None Numeric "[f32] -> [f32]" "pushes the square root";
            0x92 F32Add "f32.add" None Numeric "[f32 f32] -> [f32]" "adds the two";
            0x93 F32Sub "f32.sub" None Numeric "[f32 f32] -> [f32]" "subtracts the second from the first";
            0x94 F32Mul "f32.mul" None Numeric "[f32 f32] -> [f32]" "multiplies the two";
            0x95 F32Div "f32.div" None Numeric "[f32 f32] -> [f32]" "divides the first by the second";
            0x96 F32Min "f32.min" None Numeric "[f32 f32] -> [f32]" "pushes the lesser of the two, or NaN if either is";
            0x97 F32Max "f32.max" None Numeric "[f32 f32] -> [f32]" "pushes the greater of the two, or NaN if either is";
            0x98 F32Copysign "f32.copysign" None Numeric "[f32 f32] -> [f32]" "pushes the first with the sign of the second";
            0x99 F64Abs "f64.abs" None Numeric "[f64] -> [f64]" "clears the sign";
            0x9a F64Neg "f64.neg" None Numeric "[f64] -> [f64]" "flips the sign";
            0x9b F64Ceil "f64.ceil" None Numeric "[f64] -> [f64]" "rounds up to an integer";
            0x9c F64Floor "f64.floor" None Numeric "[f64] -> [f64]" "rounds down to an integer";
            0x9d F64Trunc "f64.trunc" None Numeric "[f64] -> [f64]" "rounds towards zero to an integer";
            0x9e F64Nearest "f64.nearest" None Numeric "[f64] -> [f64]" "rounds to the nearest integer, ties to even";
            0x9f F64Sqrt "f64.sqrt" None Numeric "[f64] -> [f64]" "pushes the square root";
            0xa0 F64Add "f64.add" None Numeric "[f64 f64] -> [f64]" "adds the two";
            0xa1 F64Sub "f64.sub" None Numeric "[f64 f64] -> [f64]" "subtracts the second from the first";
            0xa2 F64Mul "f64.mul" None Numeric "[f64 f64] -> [f64]" "multiplies the two";
            0xa3 F64Div "f64.div" None Numeric "[f64 f64] -> [f64]" "divides the first by the second";
            0xa4 F64Min "f64.min" None Numeric "[f64 f64] -> [f64]" "pushes the lesser of the two, or NaN if either is";
            0xa5 F64Max "f64.max" None Numeric "[f64 f64] -> [f64]" "pushes the greater of the two, or NaN if either is";
            0xa6 F64Copysign "f64.copysign" None Numeric "[f64 f64] -> [f64]" "pushes the first with the sign of the second";
            0xa7 I32WrapI64 "i32.wrap_i64" None Numeric "[i64] -> [i32]" "keeps the low 32 bits";
            0xa8 I32TruncF32S "i32.trunc_f32_s" None Numeric "[f32] -> [i32]" "rounds towards zero to a signed integer; traps if it does not fit";
            0xa9 I32TruncF32U "i32.trunc_f32_u" None Numeric "[f32] -> [i32]" "rounds towards zero to an unsigned integer; traps if it does not fit";
            0xaa I32TruncF64S "i32.trunc_f64_s" None Numeric "[f64] -> [i32]" "rounds towards zero to a signed integer; traps if it does not fit";
            0xab I32TruncF64U "i32.trunc_f64_u" None Numeric "[f64] -> [i32]" "rounds towards zero to an unsigned integer; traps if it does not fit";
            0xac I64ExtendI32S "i64.extend_i32_s" None Numeric "[i32] -> [i64]" "widens to 64 bits, keeping the sign";
            0xad I64ExtendI32U "i64.extend_i32_u" None Numeric "[i32] -> [i64]" "widens to 64 bits with zeros";
            0xae I64TruncF32S "i64.trunc_f32_s" None Numeric "[f32] -> [i64]" "rounds towards zero to a signed integer; traps if it does not fit";
            0xaf I64TruncF32U "i64.trunc_f32_u" None Numeric "[f32] -> [i64]" "rounds towards zero to an unsigned integer; traps if it does not fit";
            0xb0 I64TruncF64S "i64.trunc_f64_s" None Numeric "[f64] -> [i64]" "rounds towards zero to a signed integer; traps if it does not fit";
            0xb1 I64TruncF64U "i64.trunc_f64_u" None Numeric "[f64] -> [i64]" "rounds towards zero to an unsigned integer; traps if it does not fit";
            0xb2 F32ConvertI32S "f32.convert_i32_s" None Numeric "[i32] -> [f32]" "converts a signed integer, rounding to nearest";
            0xb3 F32ConvertI32U "f32.convert_i32_u" None Numeric "[i32] -> [f32]" "converts an unsigned integer, rounding to nearest";
            0xb4 F32ConvertI64S "f32.convert_i64_s" None Numeric "[i64] -> [f32]" "converts a signed integer, rounding to nearest";
            0xb5 F32ConvertI64U "f32.convert_i64_u" None Numeric "[i64] -> [f32]" "converts an unsigned integer, rounding to nearest";
            0xb6 F32DemoteF64 "f32.demote_f64" None Numeric "[f64] -> [f32]" "rounds to single precision";
            0xb7 F64ConvertI32S "f64.convert_i32_s" None Numeric "[i32] -> [f64]" "converts a signed integer, rounding to nearest";
            0xb8 F64ConvertI32U "f64.convert_i32_u" None Numeric "[i32] -> [f64]" "converts an unsigned integer, rounding to nearest";
            0xb9 F64ConvertI64S "f64.convert_i64_s" None Numeric "[i64] -> [f64]" "converts a signed integer, rounding to nearest";
            0xba F64ConvertI64U "f64.convert_i64_u" None Numeric "[i64] -> [f64]" "converts an unsigned integer, rounding to nearest";
            0xbb F64PromoteF32 "f64.promote_f32" None Numeric "[f32] -> [f64]" "widens to double precision";
            0xbc I32ReinterpretF32 "i32.reinterpret_f32" None Numeric "[f32] -> [i32]" "takes the bits as an integer";
            0xbd I64ReinterpretF64 "i64.reinterpret_f64" None Numeric "[f64] -> [i64]" "takes the bits as an integer";
            0xbe F32ReinterpretI32 "f32.reinterpret_i32" None Numeric "[i32] -> [f32]" "takes the bits as a float";
            0xbf F64ReinterpretI64 "f64.reinterpret_i64" None Numeric "[i64] -> [f64]" "takes the bits as a float";
            0xc0 I32Extend8S "i32.extend8_s" None Numeric "[i32] -> [i32]" "sign-extends the low 8 bits";
            0xc1 I32Extend16S "i32.extend16_s" None Numeric "[i32] -> [i32]" "sign-extends the low 16 bits";
            0xc2 I64Extend8S "i64.extend8_s" None Numeric "[i64] -> [i64]" "sign-extends the low 8 bits";
            0xc3 I64Extend16S "i64.extend16_s" None Numeric "[i64] -> [i64]" "sign-extends the low 16 bits";
            0xc4 I64Extend32S "i64.extend32_s" None Numeric "[i64] -> [i64]" "sign-extends the low 32 bits";
            0xd0 RefNull "ref.null" HeapType Reference "[] -> [ref]" "pushes a null reference";
            0xd1 RefIsNull "ref.is_null" None Reference "[ref] -> [i32]" "pops a reference; pushes 1 if it is null, else 0";
            0xd2 RefFunc "ref.func" Func Reference "[] -> [funcref]" "pushes a reference to a function";
            0xd3 RefEq "ref.eq" None Reference "[ref ref] -> [i32]" "pushes 1 if the two references are the same, else 0";
            0xd4 RefAsNonNull "ref.as_non_null" None Reference "[ref] -> [ref]" "traps if the reference is null";
            0xd5 BrOnNull "br_on_null" Label Control "[t* ref] -> [t* ref]" "branches to a label without the reference if it is null";
            0xd6 BrOnNonNull "br_on_non_null" Label Control "[t* ref] -> [t*]" "branches to a label with the reference if it is not null, else pops it";
            }
            PREFIXED_FB {
            0x00 StructNew "struct.new" Type Object "[t*] -> [ref]" "pops a value for each field; pushes a new struct";
            0x01 StructNewDefault "struct.new_default" Type Object "[] -> [ref]" "pushes a new struct whose fields are zero or null";
            0x02 StructGet "struct.get" TypeField Object "[ref] -> [t]" "pops a struct; pushes the value of a field; traps if the reference is null";
            0x03 StructGetS "struct.get_s" TypeField Object "[ref] -> [i32]" "pops a struct; pushes the value of a small field, sign-extended";
            0x04 StructGetU "struct.get_u" TypeField Object "[ref] -> [i32]" "pops a struct; pushes the value of a small field, zero-extended";
            0x05 StructSet "struct.set" TypeField Object "[ref t] -> []" "pops a value and a struct; stores the value in a field";
            0x06 ArrayNew "array.new" Type Object "[t i32] -> [ref]" "pops a length and a value; pushes a new array filled with the value";
            0x07 ArrayNewDefault "array.new_default" Type Object "[i32] -> [ref]" "pops a length; pushes a new array of zeros or nulls";
            0x08 ArrayNewFixed "array.new_fixed" TypeCount Object "[t*] -> [ref]" "pops as many values as it says; pushes a new array of them";
            0x09 ArrayNewData "array.new_data" TypeData Object "[i32 i32] -> [ref]" "pops a length and an offset; pushes a new array copied from a data segment";
            0x0a ArrayNewElem "array.new_elem" TypeElem Object "[i32 i32] -> [ref]" "pops a length and an offset; pushes a new array copied from an element segment";
            0x0b ArrayGet "array.get" Type Object "[ref i32] -> [t]" "pops an index and an array; pushes the element; traps outside the array";
            0x0c ArrayGetS "array.get_s" Type Object "[ref i32] -> [i32]" "pops an index and an array; pushes the small element, sign-extended";
            0x0d ArrayGetU "array.get_u" Type Object "[ref i32] -> [i32]" "pops an index and an array; pushes the small element, zero-extended";
            0x0e ArraySet "array.set" Type Object "[ref i32 t] -> []" "pops a value, an index and an array; stores the value in the array";
            0x0f ArrayLen "array.len" None Object "[ref] -> [i32]" "pops an array; pushes its length";
            0x10 ArrayFill "array.fill" Type Object "[ref i32 t i32] -> []" "pops a length, a value, an index and an array; fills the array with the value";
            0x11 ArrayCopy "array.copy" TypeType Object "[ref i32 ref i32 i32] -> []" "pops a length, a source index and array, a destination index and array; copies elements";
            0x12 ArrayInitData "array.init_data" TypeData Object "[ref i32 i32 i32] -> []" "pops a length, an offset, an index and an array; copies from a data segment to the array";
            0x13 ArrayInitElem "array.init_elem" TypeElem Object "[ref i32 i32 i32] -> []" "pops a length, an offset, an index and an array; copies from an element segment to the array";
            0x14 RefTest "ref.test" HeapType Reference "[ref] -> [i32]" "pops a reference; pushes 1 if it is not null and has the type, else 0";
            0x15 RefTestNull "ref.test" HeapType Reference "[ref] -> [i32]" "pops a reference; pushes 1 if it is null or has the type, else 0";
            0x16 RefCast "ref.cast" HeapType Reference "[ref] -> [ref]" "traps unless the reference is not null and has the type";
            0x17 RefCastNull "ref.cast" HeapType Reference "[ref] -> [ref]" "traps unless the reference is null or has the type";
            0x18 BrOnCast "br_on_cast" CastLabel Control "[t* ref] -> [t* ref]" "branches to a label with the reference if it has the second type";
            0x19 BrOnCastFail "br_on_cast_fail" CastLabel Control "[t* ref] -> [t* ref]" "branches to a label with the reference unless it has the second type";
            0x1a AnyConvertExtern "any.convert_extern" None Reference "[externref] -> [anyref]" "takes a reference of the host as one of the program";
            0x1b ExternConvertAny "extern.convert_any" None Reference "[anyref] -> [externref]" "takes a reference of the program as one of the host";
            0x1c RefI31 "ref.i31" None Reference "[i32] -> [ref]" "keeps the low 31 bits as a reference";
            0x1d I31GetS "i31.get_s" None Reference "[i31ref] -> [i32]" "pushes the 31 bits, sign-extended; traps if the reference is null";
            0x1e I31GetU "i31.get_u" None Reference "[i31ref] -> [i32]" "pushes the 31 bits, zero-extended; traps if the reference is null";
            }
            PREFIXED_FC {
            0x00 I32TruncSatF32S "i32.trunc_sat_f32_s" None Numeric "[f32] -> [i32]" "rounds towards zero to a signed integer; NaN gives 0, what does not fit the nearest limit";
            0x01 I32TruncSatF32U "i32.trunc_sat_f32_u" None Numeric "[f32] -> [i32]" "rounds towards zero to an unsigned integer; NaN gives 0, what does not fit the nearest limit";
            0x02 I32TruncSatF64S "i32.trunc_sat_f64_s" None Numeric "[f64] -> [i32]" "rounds towards zero to a signed integer; NaN gives 0, what does not fit the nearest limit";
            0x03 I32TruncSatF64U "i32.trunc_sat_f64_u" None Numeric "[f64] -> [i32]" "rounds towards zero to an unsigned integer; NaN gives 0, what does not fit the nearest limit";
            0x04 I64TruncSatF32S "i64.trunc_sat_f32_s" None Numeric "[f32] -> [i64]" "rounds towards zero to a signed integer; NaN gives 0, what does not fit the nearest limit";
            0x05 I64TruncSatF32U "i64.trunc_sat_f32_u" None Numeric "[f32] -> [i64]" "rounds towards zero to an unsigned integer; NaN gives 0, what does not fit the nearest limit";
            0x06 I64TruncSatF64S "i64.trunc_sat_f64_s" None Numeric "[f64] -> [i64]" "rounds towards zero to a signed integer; NaN gives 0, what does not fit the nearest limit";
            0x07 I64TruncSatF64U "i64.trunc_sat_f64_u" None Numeric "[f64] -> [i64]" "rounds towards zero to an unsigned integer; NaN gives 0, what does not fit the nearest limit";
            0x08 MemoryInit "memory.init" DataMemory Memory "[i32 i32 i32] -> []" "pops a length, a source offset and an address; copies from a data segment to memory";
            0x09 DataDrop "data.drop" Data Memory "[] -> []" "gives up a data segment";
            0x0a MemoryCopy "memory.copy" MemoryMemory Memory "[i32 i32 i32] -> []" "pops a length, a source address and a destination address; copies within memory";
            0x0b MemoryFill "memory.fill" Memory Memory "[i32 i32 i32] -> []" "pops a length, a byte and an address; fills memory with the byte";
            0x0c TableInit "table.init" ElemTable Table "[i32 i32 i32] -> []" "pops a length, a source offset and an index; copies from an element segment to a table";
            0x0d ElemDrop "elem.drop" Elem Table "[] -> []" "gives up an element segment";
            0x0e TableCopy "table.copy" TableTable Table "[i32 i32 i32] -> []" "pops a length, a source index and a destination index; copies between tables";
            0x0f TableGrow "table.grow" Table Table "[ref i32] -> [i32]" "pops a number and a reference; grows the table by so many copies of it; pushes the old size, or -1";
            0x10 TableSize "table.size" Table Table "[] -> [i32]" "pushes the number of elements of the table";
            0x11 TableFill "table.fill" Table Table "[i32 ref i32] -> []" "pops a length, a reference and an index; fills a table with the reference";
            0x13 I64Add128 "i64.add128" None Numeric "[i64 i64 i64 i64] -> [i64 i64]" "adds two 128-bit numbers, each given as its low and its high half";
            0x14 I64Sub128 "i64.sub128" None Numeric "[i64 i64 i64 i64] -> [i64 i64]" "subtracts the second 128-bit number from the first, each given as its low and its high half";
            0x15 I64MulWideS "i64.mul_wide_s" None Numeric "[i64 i64] -> [i64 i64]" "multiplies two signed numbers; pushes the low and the high half of the product";
            0x16 I64MulWideU "i64.mul_wide_u" None Numeric "[i64 i64] -> [i64 i64]" "multiplies two unsigned numbers; pushes the low and the high half of the product";
            }
        }
    };
}
pub(crate) use for_each_instruction;

/// What an instruction deals with: the specification's chapters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Category {
    /// Branches, calls and blocks.
    Control,
    /// `drop` and `select`.
    Parametric,
    /// Locals and globals.
    Variable,
    /// Tables and element segments.
    Table,
    /// Linear memory and data segments.
    Memory,
    /// Memory that agents share.
    Atomic,
    /// Numbers.
    Numeric,
    /// Vectors.
    Vector,
    /// References.
    Reference,
    /// Structs and arrays.
    Object,
}

/// The form of what follows an opcode in the binary format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImmediateKind {
    /// Nothing.
    None,
    /// A block type.
    Block,
    /// A label index.
    Label,
    /// A vector of label indices and a default.
    LabelTable,
    /// A function index.
    Func,
    /// A type index and a table index.
    CallIndirect,
    /// A vector of value types.
    ValTypes,
    /// A local index.
    Local,
    /// A global index.
    Global,
    /// A table index.
    Table,
    /// Alignment, memory and offset.
    MemArg,
    /// Alignment, memory, offset and a lane.
    MemArgLane,
    /// A memory index.
    Memory,
    /// A signed 32-bit number.
    I32,
    /// A signed 64-bit number.
    I64,
    /// Four bytes.
    F32,
    /// Eight bytes.
    F64,
    /// Sixteen bytes.
    V128,
    /// Sixteen indices of bytes.
    Shuffle,
    /// A lane.
    Lane,
    /// A byte that means nothing yet.
    Fence,
    /// A heap type.
    HeapType,
    /// A data segment and a memory index.
    DataMemory,
    /// A data segment.
    Data,
    /// Two memory indices, destination first.
    MemoryMemory,
    /// An element segment and a table index.
    ElemTable,
    /// An element segment.
    Elem,
    /// Two table indices, destination first.
    TableTable,
    /// A type index.
    Type,
    /// A tag index.
    Tag,
    /// A block type and catch clauses.
    TryTable,
    /// A struct type index and the index of a field.
    TypeField,
    /// An array type index and a number of elements.
    TypeCount,
    /// An array type index and a data segment.
    TypeData,
    /// An array type index and an element segment.
    TypeElem,
    /// Two array type indices, destination first.
    TypeType,
    /// A label and two reference types: what the operand has, and what is asked for.
    CastLabel,
}

/// An instruction's row in the table.
#[derive(Debug)]
pub struct InstructionInfo {
    /// Which instruction it is.
    pub op: Op,
    /// The text format's name.
    pub mnemonic: &'static str,
    /// What follows the opcode.
    pub immediates: ImmediateKind,
    /// What it deals with.
    pub category: Category,
    /// Its effect on the operand stack, `t*` standing for any values.
    pub effect: &'static str,
    /// What it does, in one line without a subject.
    pub explanation: &'static str,
}

/// The prefix byte of instructions on structs, arrays and their references.
pub const PREFIX_FB: u8 = 0xfb;

/// The prefix byte of saturating truncations, bulk memory and table instructions.
pub const PREFIX_FC: u8 = 0xfc;

/// The prefix byte of instructions on vectors.
pub const PREFIX_FD: u8 = 0xfd;

/// The prefix byte of atomic instructions.
pub const PREFIX_FE: u8 = 0xfe;

macro_rules! define_table {
    ($($section:ident { $($code:literal $name:ident $mnemonic:literal $immediates:ident $category:ident $effect:literal $explanation:literal;)* })*) => {
        /// Every instruction.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u16)]
        pub enum Op {
            $($(
                #[doc = $mnemonic]
                $name,
            )*)*
        }

        /// Every instruction's row, in the order of [`Op`].
        pub static INSTRUCTIONS: &[InstructionInfo] = &[
            $($(InstructionInfo {
                op: Op::$name,
                mnemonic: $mnemonic,
                immediates: ImmediateKind::$immediates,
                category: Category::$category,
                effect: $effect,
                explanation: $explanation,
            },)*)*
        ];

        $(
            /// The instructions of a section by their opcodes.
            pub(crate) static $section: [Option<Op>; OPCODES_MAX] = {
                let mut table = [None; OPCODES_MAX];
                $(table[$code] = Some(Op::$name);)*
                table
            };
        )*
    };
}
for_each_instruction!(define_table);

/// The opcodes behind a prefix, and those of one byte, are less than this.
pub(crate) const OPCODES_MAX: usize = 512;

impl Op {
    /// The instruction with a one-byte opcode.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Op> {
        SINGLE[usize::from(byte)]
    }

    /// The instruction behind the prefix [`PREFIX_FB`].
    #[must_use]
    pub fn from_prefixed_fb(code: u32) -> Option<Op> {
        PREFIXED_FB.get(code as usize).copied().flatten()
    }

    /// The instruction behind the prefix [`PREFIX_FC`].
    #[must_use]
    pub fn from_prefixed_fc(code: u32) -> Option<Op> {
        PREFIXED_FC.get(code as usize).copied().flatten()
    }

    /// The instruction behind the prefix [`PREFIX_FD`].
    #[must_use]
    pub fn from_prefixed_fd(code: u32) -> Option<Op> {
        PREFIXED_FD.get(code as usize).copied().flatten()
    }

    /// The instruction behind the prefix [`PREFIX_FE`].
    #[must_use]
    pub fn from_prefixed_fe(code: u32) -> Option<Op> {
        PREFIXED_FE.get(code as usize).copied().flatten()
    }

    /// Its row in the table.
    #[must_use]
    pub fn info(self) -> &'static InstructionInfo {
        &INSTRUCTIONS[self as usize]
    }
}

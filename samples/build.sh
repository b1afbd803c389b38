#!/bin/sh
# Rebuilds the checked-in .wasm of every sample, or of those named:
#
#     samples/build.sh [NAME...]
#
# The same toolchain gives the same bytes again. The checked-in files were made
# on Debian 12 with the packages below; other versions of LLVM work as well.
#
#     clang-22, lld-22, libclang-rt-22-dev-wasm32      22.1.8
#     libc++-22-dev-wasm32, libc++abi-22-dev-wasm32    22.1.8
#     wasi-libc                                        0.0~git20220510.9886d3d
#     rustc-web, cargo-web, rust-web-src               1.96.0
#     wabt                                             1.0.32
#
# Where the tools lie is taken from the environment:
#
#     CC, CXX        clang and clang++ with the WebAssembly backend
#     WASI_TARGET    the target's name as the sysroot spells it (Debian: wasm32-wasi,
#                    the WASI SDK: wasm32-wasip1)
#     WASI_SYSROOT   the sysroot, when clang does not find it by itself
#     WASI_INCLUDE   the folder of the C library's headers
#     WASI_LIB       the folder of the C library itself
#     CARGO, RUSTC   Cargo and rustc with the standard library's source
#     WAT2WASM       WABT's assembler
#     LLVM_RUNTIMES  a folder with the sources of libcxx, libcxxabi and libunwind, of the
#                    same version of LLVM: depot needs a C++ runtime with exceptions,
#                    which Debian's packages lack. It is left out where this is not set.
#
# Debian's cargo and rustc are /usr/bin/cargo and /usr/bin/rustc: name them by
# CARGO and RUSTC where rustup's come first on the PATH.
set -eu
# Lists of flags are split at the ends of their lines, for a path may hold spaces.
IFS='
'

CC=${CC:-clang-22}
CXX=${CXX:-clang++-22}
WASI_TARGET=${WASI_TARGET:-wasm32-wasi}
WASI_SYSROOT=${WASI_SYSROOT:-}
WASI_INCLUDE=${WASI_INCLUDE:-${WASI_SYSROOT:-/usr}/include/$WASI_TARGET}
WASI_LIB=${WASI_LIB:-${WASI_SYSROOT:-/usr}/lib/$WASI_TARGET}
CARGO=${CARGO:-cargo}
RUSTC=${RUSTC:-rustc}
WAT2WASM=${WAT2WASM:-wat2wasm}
LLVM_RUNTIMES=${LLVM_RUNTIMES:-}

samples=$(cd "$(dirname "$0")" && pwd)

# No path of the building machine is recorded: the debug info places every
# sample in /wdb/samples/NAME, the C library's headers in /wasi-sysroot/include,
# the compiler's own in /clang and Rust's standard library in /rust.
clang_flags() {
    printf '%s\n' --target="$WASI_TARGET" -Wno-deprecated -Wall -Wextra -g -gdwarf-5 \
        ${WASI_SYSROOT:+--sysroot="$WASI_SYSROOT"} \
        -fdebug-compilation-dir="/wdb/samples/$1" \
        -ffile-prefix-map="$samples=/wdb/samples" \
        -ffile-prefix-map="$WASI_INCLUDE=/wasi-sysroot/include" \
        -ffile-prefix-map="$("$CC" -print-resource-dir)=/clang"
}

# c NAME OUTPUT FLAG...: compiles NAME/NAME.c to NAME/OUTPUT.
c() {
    name=$1 output=$2
    shift 2
    # shellcheck disable=SC2046
    (cd "$samples/$name" && "$CC" $(clang_flags "$name") -std=c17 "$@" "$name.c" -o "$output")
}

# cpp NAME FLAG...: compiles NAME/NAME.cpp to NAME/NAME.wasm.
cpp() {
    name=$1
    shift
    # shellcheck disable=SC2046
    (cd "$samples/$name" && "$CXX" $(clang_flags "$name") -std=c++20 -fno-exceptions "$@" \
        "$name.cpp" -o "$name.wasm")
}

# cpp_exceptions NAME OUTPUT FLAG...: compiles NAME/NAME.cpp with exceptions, together with the
# parts of the runtime library that throw and catch, which get no debug info.
cpp_exceptions() {
    name=$1 output=$2
    shift 2
    objects=$(mktemp -d)
    abi=$LLVM_RUNTIMES/libcxxabi
    runtime_flags() {
        printf '%s\n' --target="$WASI_TARGET" -Wno-deprecated -w -O2 -fwasm-exceptions -DNDEBUG \
            ${WASI_SYSROOT:+--sysroot="$WASI_SYSROOT"} "$@" \
            -I"$abi/include" -I"$LLVM_RUNTIMES/libunwind/include" -I"$LLVM_RUNTIMES/libcxx/src" \
            -ffile-prefix-map="$LLVM_RUNTIMES=/llvm" \
            -D_LIBCXXABI_BUILDING_LIBRARY -D_LIBCPP_BUILDING_LIBRARY -D_LIBUNWIND_HIDE_SYMBOLS \
            -DLIBCXXABI_NON_DEMANGLING_TERMINATE -D_LIBCXXABI_HAS_NO_THREADS
    }
    for part in cxa_exception cxa_personality cxa_exception_storage cxa_handlers \
        cxa_default_handlers cxa_aux_runtime private_typeinfo stdlib_exception stdlib_typeinfo \
        stdlib_stdexcept abort_message fallback_malloc cxa_virtual; do
        # shellcheck disable=SC2046
        "$CXX" $(runtime_flags "$@") -std=c++2b -c "$abi/src/$part.cpp" -o "$objects/$part.o"
    done
    # shellcheck disable=SC2046
    "$CC" $(runtime_flags "$@") -c "$LLVM_RUNTIMES/libunwind/src/Unwind-wasm.c" \
        -o "$objects/unwind.o"
    printf '.globl __cpp_exception\n.tagtype __cpp_exception i32\n__cpp_exception:\n' |
        "$CC" --target="$WASI_TARGET" -Wno-deprecated -mexception-handling -x assembler -c - \
            -o "$objects/tag.o"
    # shellcheck disable=SC2046
    (cd "$samples/$name" && "$CXX" $(clang_flags "$name") -std=c++20 -O0 -fwasm-exceptions "$@" \
        "$name.cpp" "$objects"/*.o -o "$output")
    rm -rf "$objects"
}

# rust NAME: compiles the crate in NAME to NAME/NAME.wasm, together with a
# standard library of its own, whose debug info is left out (see Cargo.toml).
rust() {
    name=$1
    output=$(mktemp -d)
    trap 'rm -rf "$output"' EXIT
    cargo_home=${CARGO_HOME:-$HOME/.cargo}
    # Fetched first, so that the folder of the registry's sources, whose name
    # depends on Cargo, exists and can be left out of the recorded paths.
    (cd "$samples/$name" && RUSTC="$RUSTC" RUSTC_BOOTSTRAP=1 \
        "$CARGO" fetch --locked -Zbuild-std=std,panic_abort --target wasm32-wasip1)
    # The parts of CARGO_ENCODED_RUSTFLAGS are separated by the character 0x1f.
    flags=$(printf '%s\037' \
        -Clinker="$CC" -Clinker-flavor=wasm-lld-cc -Zunstable-options -Clink-self-contained=no \
        -Clink-arg=-B"$WASI_LIB" -Clink-arg=-L"$WASI_LIB" -Clink-arg=-mexec-model=command \
        --remap-path-prefix="$samples=/wdb/samples" \
        $(for sources in "$cargo_home"/registry/src/*; do
            echo "--remap-path-prefix=$sources=/cargo"
        done) \
        --remap-path-prefix="$("$RUSTC" --print sysroot)/lib/rustlib/src/rust=/rust")
    (cd "$samples/$name" && RUSTC="$RUSTC" RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$output" \
        CARGO_ENCODED_RUSTFLAGS="${flags%?}" \
        "$CARGO" build --locked -Zbuild-std=std,panic_abort --target wasm32-wasip1)
    install -m 644 "$output/wasm32-wasip1/debug/$name.wasm" "$samples/$name/$name.wasm"
}

# wat NAME: assembles NAME/NAME.wat to NAME/NAME.wasm.
wat() {
    "$WAT2WASM" --debug-names "$samples/$1/$1.wat" -o "$samples/$1/$1.wasm"
}

build() {
    case $1 in
    fib)
        c fib fib.wasm -O0
        ;;
    inventory)
        c inventory inventory.wasm -O0
        c inventory inventory-O2.wasm -O2
        c inventory inventory-dwarf4.wasm -O0 -gdwarf-4
        ;;
    sums)
        c sums sums.wasm -O0
        ;;
    waves)
        c waves waves.wasm -O0 -msimd128
        ;;
    fleet)
        cpp fleet -O0
        ;;
    depot)
        if [ -z "$LLVM_RUNTIMES" ]; then
            echo "build.sh: depot is not built: LLVM_RUNTIMES is not set" >&2
            return
        fi
        cpp_exceptions depot depot.wasm -mllvm -wasm-use-legacy-eh=false
        cpp_exceptions depot depot-legacy.wasm
        ;;
    calc)
        rust calc
        ;;
    sort | traps)
        wat "$1"
        ;;
    *)
        echo "build.sh: there is no sample named '$1'" >&2
        exit 2
        ;;
    esac
}

if [ $# -eq 0 ]; then
    set -- fib inventory sums waves fleet depot calc sort traps
fi
for sample in "$@"; do
    echo "building $sample"
    build "$sample"
done

# The linkers make their output executable, which no .wasm is by itself.
chmod 644 "$samples"/*/*.wasm

if grep -aoE '/(home|root|tmp|Users)/[[:print:]]*' "$samples"/*/*.wasm; then
    echo "build.sh: a path of this machine is recorded (above)" >&2
    exit 1
fi

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
#
# Where the tools lie is taken from the environment:
#
#     CC, CXX        clang and clang++ with the WebAssembly backend
#     WASI_TARGET    the target's name as the sysroot spells it (Debian: wasm32-wasi,
#                    the WASI SDK: wasm32-wasip1)
#     WASI_SYSROOT   the sysroot, when clang does not find it by itself
#     WASI_INCLUDE   the folder of the C library's headers
set -eu

CC=${CC:-clang-22}
CXX=${CXX:-clang++-22}
WASI_TARGET=${WASI_TARGET:-wasm32-wasi}
WASI_SYSROOT=${WASI_SYSROOT:-}
WASI_INCLUDE=${WASI_INCLUDE:-${WASI_SYSROOT:-/usr}/include/$WASI_TARGET}

samples=$(cd "$(dirname "$0")" && pwd)

# No path of the building machine is recorded: the debug info places every
# sample in /wdb/samples/NAME, the C library's headers in /wasi-sysroot/include
# and the compiler's own in /clang.
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
    *)
        echo "build.sh: there is no sample named '$1'" >&2
        exit 2
        ;;
    esac
}

if [ $# -eq 0 ]; then
    set -- fib inventory
fi
for sample in "$@"; do
    echo "building $sample"
    build "$sample"
done

if strings -a "$samples"/*/*.wasm | grep -E '/(home|root|tmp|work)/'; then
    echo "build.sh: a path of this machine is recorded (above)" >&2
    exit 1
fi

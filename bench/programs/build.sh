#!/bin/sh
# Rebuilds the benchmark programs (clang 22, lld 22, Debian's wasi-libc): each exports run(n) and imports nothing.
set -eu
cd "$(dirname "$0")"
for source in src/*.c; do
    name=$(basename "$source" .c)
    "${CLANG:-clang-22}" --target=wasm32-wasi -O2 -DPURE -nostartfiles -Wl,--no-entry -Wl,--strip-all \
        -Wno-deprecated -o "$name.wasm" "$source"
done

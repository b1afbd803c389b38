#!/bin/sh
# Rebuilds the benchmark programs (clang 22, lld 22, Debian's wasi-libc): each exports run(n) and imports nothing.
#
# lua.wasm is left out unless LUA_SOURCE names a folder with the sources of Lua 5.4.9, as they come from lua.org or in the
# crate lua-src 551.1.0.
set -eu
cd "$(dirname "$0")"

compile() {
    output=$1
    shift
    "${CLANG:-clang-22}" --target=wasm32-wasi -O2 -nostartfiles -Wl,--no-entry -Wl,--strip-all -Wno-deprecated \
        -o "$output" "$@"
    chmod 644 "$output"
}

for source in src/*.c; do
    compile "$(basename "$source" .c).wasm" -DPURE "$source"
done

if [ -z "${LUA_SOURCE:-}" ]; then
    echo "build.sh: lua.wasm is not built: LUA_SOURCE is not set" >&2
    exit
fi
set --
for part in lapi lauxlib lbaselib lcode lctype ldebug ldo ldump lfunc lgc llex lmathlib lmem lobject lopcodes lparser lstate \
    lstring lstrlib ltable ltablib ltm lundump lvm lzio; do
    set -- "$@" "$LUA_SOURCE/$part.c"
done
# An error in the script traps. Nothing is written, no clock is read, and no locale is asked for.
compile lua.wasm -Isrc/lua/include -I"$LUA_SOURCE" \
    '-DLUAI_TRY(L,c,a)={ a }' '-DLUAI_THROW(L,c)=__builtin_trap()' -Dluai_jmpbuf=int \
    '-Dlua_writestring(s,l)=((void)0)' '-Dlua_writeline()=((void)0)' '-Dlua_writestringerror(s,p)=((void)0)' \
    -D_WASI_EMULATED_SIGNAL '-Dluai_makeseed(L)=0' '-Dl_randomizePivot()=0' "-Dlua_getlocaledecpoint()='.'" \
    src/lua/run.c "$@"

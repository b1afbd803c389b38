#!/bin/sh
# Fetches the sources of wasm3 (MIT) that the feature `wasm3` builds: its crate is of 2021 and no longer builds.
set -eu
cd "$(dirname "$0")"
commit=c9b579d8c048db71ce2322cf68a0d88ae81684d2 # 0.9.0
[ -d wasm3 ] || git clone --quiet "${WASM3_REPOSITORY:-https://github.com/wasm3/wasm3}" wasm3
git -C wasm3 checkout --quiet "$commit"

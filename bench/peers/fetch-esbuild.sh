#!/bin/sh
# Fetches esbuild (MIT) as a module of WASI, of which `wdb-bench startup` measures how long it takes to start: 19.9 MB of Go.
set -eu
cd "$(dirname "$0")"
npm pack --silent @esbuild/wasi-preview1@0.27.2 >/dev/null
tar -xzf esbuild-wasi-preview1-0.27.2.tgz --strip-components=1 package/esbuild.wasm
rm esbuild-wasi-preview1-0.27.2.tgz

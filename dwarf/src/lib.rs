//! Debug info of wasm modules: lines, scopes, types, locations, values.

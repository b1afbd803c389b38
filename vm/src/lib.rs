//! The wasm machine of wdb: module, machine, tiers and host.

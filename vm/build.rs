//! Tells the classic tier whether the compiler turns its handlers' last calls into jumps.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(wdb_tail_calls)");
    println!("cargo::rerun-if-env-changed=WDB_PORTABLE_DISPATCH");
    let optimised = std::env::var("OPT_LEVEL").is_ok_and(|level| level != "0");
    // Checks of pointers are calls, and a handler with calls in its midst keeps its last one a call, too.
    let checked = std::env::var_os("CARGO_CFG_DEBUG_ASSERTIONS").is_some();
    let portable = std::env::var_os("WDB_PORTABLE_DISPATCH").is_some();
    if optimised && !checked && !portable {
        println!("cargo::rustc-cfg=wdb_tail_calls");
    }
}

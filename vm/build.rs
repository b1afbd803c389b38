//! Tells the classic tier whether the compiler turns its handlers' last calls into jumps.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(wdb_tail_calls)");
    println!("cargo::rerun-if-env-changed=WDB_PORTABLE_DISPATCH");
    let optimised = std::env::var("OPT_LEVEL").is_ok_and(|level| level != "0");
    let portable = std::env::var_os("WDB_PORTABLE_DISPATCH").is_some();
    if optimised && !portable {
        println!("cargo::rustc-cfg=wdb_tail_calls");
    }
}

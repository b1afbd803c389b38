//! Compiles wasm3, which has no crate that builds.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "wasm3")]
    wasm3::compile();
}

#[cfg(feature = "wasm3")]
mod wasm3 {
    use std::path::Path;

    pub fn compile() {
        let source = Path::new("peers/wasm3/source");
        assert!(
            source.exists(),
            "run bench/peers/fetch-wasm3.sh first: it fetches the sources of wasm3"
        );
        println!("cargo:rerun-if-changed=peers/wasm3/source");
        let files = std::fs::read_dir(source).expect("a directory");
        let files = files.map(|entry| entry.expect("an entry").path());
        let mut build = cc::Build::new();
        // As its own release build has it.
        build
            .files(files.filter(|path| path.extension().is_some_and(|extension| extension == "c")))
            .include(source)
            .opt_level(3)
            .debug(false)
            .define("NDEBUG", None)
            .warnings(false)
            .flag("-fomit-frame-pointer")
            .flag_if_supported("-fno-stack-check")
            .flag("-fno-stack-protector");
        println!(
            "cargo:rustc-env=WASM3_COMPILER={}",
            build.get_compiler().path().display()
        );
        build.compile("wasm3");
    }
}

//! Keeps in the library what its schema is written from.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // pgrx's macros leave it in a section that nothing refers to, and a linker that drops unused sections does not
    // always heed that it is marked as used. cargo-pgrx asks for the same of every crate, which would build all of
    // them once more.
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo::rustc-link-arg-cdylib=-Wl,--no-gc-sections");
    }
}

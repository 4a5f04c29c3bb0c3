//! Writes the Kotlin and Swift code of the mobile face from the library that was built with it. A crate of its own, so that what it needs never
//! comes near the library.

fn main() {
    uniffi::uniffi_bindgen_main();
}

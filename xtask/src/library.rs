//! The shared library as programs link it.

use std::path::PathBuf;

use crate::{cargo, root, run};

/// Builds `libpartway.so` with the C face, for tests: unoptimised itself, with symbols. Gives its folder.
pub(crate) fn shared() -> Result<PathBuf, String> {
    run(cargo()
        .args(["rustc", "--package", "partway", "--lib", "--features", "capi", "--crate-type", "cdylib", "--"])
        // Optimised, some conditions are decided before what they depend on is there: right, and an error in the eyes of valgrind.
        .arg("-Copt-level=0")
        // The name by which programs find it again: without it they would remember the path of this build.
        .arg("-Clink-arg=-Wl,-soname,libpartway.so"))?;
    Ok(target().join("debug"))
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

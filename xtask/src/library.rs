//! The shared library as programs link it.

use std::path::PathBuf;

use crate::{cargo, root, run};

/// Builds `libpartway.so` with the C face, for tests: unoptimised, with symbols. Gives its folder.
pub(crate) fn shared() -> Result<PathBuf, String> {
    run(cargo()
        .args(["rustc", "--package", "partway", "--lib", "--features", "capi", "--crate-type", "cdylib", "--"])
        // The name by which programs find it again: without it they would remember the path of this build.
        .arg("-Clink-arg=-Wl,-soname,libpartway.so"))?;
    Ok(target().join("debug"))
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

//! The Kotlin and Swift code of the mobile face, from a library that was built with it.

use std::path::{Path, PathBuf};

use crate::{Outcome, cargo, generated, root, run};

/// What is generated, as bindgen calls it, and where it is kept.
const KEPT: &[(&str, &str)] = &[
    ("kotlin/partway/partway.kt", "bindings/kotlin/src/main/generated/partway/partway.kt"),
    ("swift/Partway.swift", "bindings/swift/Sources/Partway/Generated/Partway.swift"),
    ("swift/PartwayFFI.h", "bindings/swift/Sources/PartwayFFI/include/PartwayFFI.h"),
    ("swift/PartwayFFI.modulemap", "bindings/swift/Sources/PartwayFFI/include/module.modulemap"),
];

pub(crate) fn write(args: &[&str]) -> Outcome {
    let library = library()?;
    let out = target().join("bindings");
    let bindgen = |language: &str| {
        run(cargo()
            .args(["run", "--quiet", "--locked", "-p", "partway-bindgen", "--features", "cli", "--", "generate"])
            .arg(&library)
            .args(["--config", "bindgen/bindgen.toml", "--no-format", "--language", language, "--out-dir"])
            .arg(out.join(language)))
    };
    bindgen("kotlin")?;
    bindgen("swift")?;
    for (from, to) in KEPT {
        let text = std::fs::read_to_string(out.join(from)).map_err(|error| format!("{from}: {error}"))?;
        std::fs::create_dir_all(root().join(to).parent().unwrap_or(Path::new(".")))
            .map_err(|error| error.to_string())?;
        generated::keep(to, "bindings", args, || Ok(mended(to, text)))?;
    }
    Ok(())
}

/// bindgen escapes a callback's name that is a word of Swift also where Swift warns of it, and in C, where nothing is escaped so.
fn mended(to: &str, text: String) -> String {
    match to.rsplit('.').next() {
        Some("h") => text.replace('`', ""),
        Some("swift") => text.replace("        `open`: {", "        open: {"),
        _ => text,
    }
}

/// Builds the shared library with the mobile face, its symbols kept: bindgen reads them. In a folder of its own: where cargo puts it the one with the C face has
/// the same name, and the last one built is there.
pub(crate) fn library() -> Result<PathBuf, String> {
    run(cargo().args([
        "rustc",
        "--quiet",
        "--locked",
        "-p",
        "partway",
        "--lib",
        "--features",
        "mobile",
        "--crate-type",
        "cdylib",
    ]))?;
    let name = format!("{}partway{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let (built, kept) = (target().join("debug").join(&name), target().join("mobile").join(&name));
    let fault = |error: std::io::Error| format!("{}: {error}", kept.display());
    std::fs::create_dir_all(kept.parent().unwrap_or(&kept)).map_err(fault)?;
    // Never half a library for a program that is just being started with it.
    let half = kept.with_extension("half");
    std::fs::copy(&built, &half).and_then(|_| std::fs::rename(&half, &kept)).map_err(fault)?;
    Ok(kept)
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

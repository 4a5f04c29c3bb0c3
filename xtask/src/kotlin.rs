//! `cargo xtask test kotlin`: compiles the Kotlin face with everything as an error, its tests and the snippets of its document, and runs them against the command.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Outcome, bindings, cargo, root, run};

const SOURCES: &str = "bindings/kotlin/src";
const DOCUMENT: &str = "docs/kotlin.md";

pub(crate) fn test(args: &[&str]) -> Outcome {
    let tools = Tools::find()?;
    bindings::library()?;
    run(cargo().args(["build", "--quiet", "--locked", "-p", "partway-cli"]))?;
    let out = bindings::target().join("kotlin");
    let product = sources(&[&root().join(SOURCES).join("main"), &root().join(SOURCES).join("jvm")])?;
    let tests = sources(&[&root().join(SOURCES).join("test"), &snippets(&out)?])?;
    let product_jar = out.join("partway.jar");
    let tests_jar = out.join("tests.jar");
    tools.compile(&product, &[], &product_jar)?;
    tools.compile(&tests, &[&product_jar], &tests_jar)?;
    let debug = bindings::target().join("debug");
    let resources = root().join(SOURCES).join("main/resources");
    run(Command::new("java")
        .arg(format!("-Djna.library.path={}", debug.display()))
        .arg(format!("-Dpartway.command={}", debug.join("partway").display()))
        .arg(format!("-Dpartway.root={}", root().display()))
        .arg("-cp")
        .arg(tools.class_path(&[&tests_jar, &product_jar, &resources, &tools.library("kotlin-stdlib")])?)
        .arg("partway.test.MainKt")
        .args(args))
}

/// What .ci/install/kotlin brings.
struct Tools {
    kotlin: PathBuf,
    jna: PathBuf,
}

impl Tools {
    fn find() -> Result<Tools, String> {
        let tools =
            Tools { kotlin: bindings::target().join("tools/kotlin"), jna: PathBuf::from("/usr/share/java/jna.jar") };
        let there = tools.kotlin.join("bin/kotlinc").exists() && tools.jna.exists();
        if there { Ok(tools) } else { Err("the Kotlin compiler or JNA is missing: run .ci/install/kotlin".to_owned()) }
    }

    fn library(&self, name: &str) -> PathBuf {
        self.kotlin.join("lib").join(format!("{name}.jar"))
    }

    fn class_path(&self, jars: &[&Path]) -> Result<std::ffi::OsString, String> {
        let coroutines = self.library("kotlinx-coroutines-core-jvm");
        let ours = [self.jna.as_path(), &coroutines];
        std::env::join_paths(jars.iter().chain(&ours)).map_err(|error| error.to_string())
    }

    /// Nothing that was compiled before of the same sources is compiled again.
    fn compile(&self, sources: &[PathBuf], friends: &[&Path], jar: &Path) -> Outcome {
        let newest = |paths: &mut dyn Iterator<Item = &Path>| {
            paths.filter_map(|path| path.metadata().ok()?.modified().ok()).max()
        };
        let stamp = jar.metadata().ok().and_then(|meta| meta.modified().ok());
        let inputs = newest(&mut sources.iter().map(PathBuf::as_path).chain(friends.iter().copied()));
        if stamp.is_some() && stamp > inputs {
            return Ok(());
        }
        let friend = friends.iter().map(|jar| format!("-Xfriend-paths={}", jar.display()));
        run(Command::new("bash")
            .arg(self.kotlin.join("bin/kotlinc"))
            .args(["-Werror", "-jvm-target", "17"])
            .args(friend)
            .arg("-cp")
            .arg(self.class_path(friends)?)
            .args(sources)
            .arg("-d")
            .arg(jar))
    }
}

fn sources(folders: &[&Path]) -> Result<Vec<PathBuf>, String> {
    let (mut found, mut open) = (vec![], folders.iter().map(|folder| folder.to_path_buf()).collect::<Vec<_>>());
    while let Some(folder) = open.pop() {
        let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for entry in entries {
            let path = entry.map_err(|error| error.to_string())?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "kt") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Each Kotlin snippet of the document as a file of its own, in a package of its own.
fn snippets(out: &Path) -> Result<PathBuf, String> {
    let text = std::fs::read_to_string(root().join(DOCUMENT)).map_err(|error| format!("{DOCUMENT}: {error}"))?;
    let folder = out.join("snippets");
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    for (at, rest) in text.split("```kotlin\n").skip(1).enumerate() {
        let snippet = rest.split("```").next().unwrap_or_default();
        let file = folder.join(format!("Snippet{at}.kt"));
        let text = format!("package snippet{at}\n\n{snippet}");
        // Left alone when it is the same, so that it is not compiled again.
        if std::fs::read_to_string(&file).is_ok_and(|there| there == text) {
            continue;
        }
        std::fs::write(&file, text).map_err(|error| error.to_string())?;
    }
    Ok(folder)
}

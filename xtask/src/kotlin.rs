//! `cargo xtask build kotlin`: the native library, and the Kotlin face as a jar, compiled with every warning as an error. `cargo xtask test kotlin`: runs its tests
//! against the command, compiles the snippets of its document, and then follows the document as a reader would.

mod page;

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Outcome, bindings, cargo, quiet, root, run};

const SOURCES: &str = "bindings/kotlin/src";
const DOCUMENT: &str = "docs/kotlin.md";

/// What stands for the document among the names of tests.
const PAGE: &str = "document";

pub(crate) fn build() -> Outcome {
    let tools = Tools::find()?;
    bindings::library()?;
    tools.product().map(|_| ())
}

/// Those tests whose names hold one of `names`, all without any; `document` is the document as its reader follows it.
pub(crate) fn test(names: &[&str]) -> Outcome {
    let tests: Vec<&str> = names.iter().copied().filter(|name| *name != PAGE).collect();
    let tested = if names.is_empty() || !tests.is_empty() { self::tests(&tests) } else { Ok(()) };
    let followed = if names.is_empty() || names.contains(&PAGE) { page::follow() } else { Ok(()) };
    // Both, also after a failure: what else is broken is worth knowing.
    match (tested, followed) {
        (Err(tested), Err(followed)) => Err(format!("{tested}\n\n{followed}")),
        (tested, followed) => tested.and(followed),
    }
}

fn tests(names: &[&str]) -> Outcome {
    let tools = Tools::find()?;
    let library = bindings::library()?;
    run(cargo().args(["build", "--quiet", "--locked", "-p", "partway-cli"]))?;
    let out = bindings::target().join("kotlin");
    let product = tools.product()?;
    // As an app is compiled: what is internal is not there.
    let snippets_jar = out.join("snippets.jar");
    let text = std::fs::read_to_string(root().join(DOCUMENT)).map_err(|error| format!("{DOCUMENT}: {error}"))?;
    tools.compile(&snippets(&text, &out.join("snippets"))?, &[&product], &[], &snippets_jar)?;
    let tests_jar = out.join("tests.jar");
    tools.compile(&sources(&[&root().join(SOURCES).join("test")], "kt")?, &[&product], &[&product], &tests_jar)?;
    let java = tools.java(&product, &out.join("java"))?;
    let command = bindings::target().join("debug/partway");
    run(Command::new("java")
        .arg(format!("-Djna.library.path={}", library.parent().unwrap_or(&library).display()))
        .arg(format!("-Dpartway.command={}", command.display()))
        .arg(format!("-Dpartway.root={}", root().display()))
        .arg("-cp")
        .arg(tools.class_path(&[&tests_jar, &snippets_jar, &java, &product])?)
        .arg("partway.test.MainKt")
        .args(names))
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
        let (standard, coroutines) = (self.library("kotlin-stdlib"), self.library("kotlinx-coroutines-core-jvm"));
        let ours = [self.jna.as_path(), &standard, &coroutines];
        std::env::join_paths(jars.iter().chain(&ours)).map_err(|error| error.to_string())
    }

    /// The library with its resources.
    fn product(&self) -> Result<PathBuf, String> {
        let (main, jvm) = (root().join(SOURCES).join("main"), root().join(SOURCES).join("jvm"));
        let jar = bindings::target().join("kotlin/partway.jar");
        let resources = main.join("resources");
        self.made(&jar, &[sources(&[&main, &jvm], "kt")?, sources(&[&resources], "")?].concat(), |jar| {
            self.kotlinc(&sources(&[&main, &jvm], "kt")?, &[], &[], jar)?;
            quiet(Command::new("jar").arg("--update").arg("--file").arg(jar).arg("-C").arg(&resources).arg("."))
                .map(|_| ())
        })?;
        Ok(jar)
    }

    fn compile(&self, sources: &[PathBuf], libraries: &[&Path], friends: &[&Path], jar: &Path) -> Outcome {
        let inputs: Vec<PathBuf> =
            sources.iter().cloned().chain(libraries.iter().map(|jar| jar.to_path_buf())).collect();
        self.made(jar, &inputs, |jar| self.kotlinc(sources, libraries, friends, jar))
    }

    fn kotlinc(&self, sources: &[PathBuf], libraries: &[&Path], friends: &[&Path], jar: &Path) -> Outcome {
        let friends = friends.iter().map(|jar| format!("-Xfriend-paths={}", jar.display()));
        run(Command::new("bash")
            .arg(self.kotlin.join("bin/kotlinc"))
            .args(["-Werror", "-jvm-target", "17"])
            .args(friends)
            .arg("-cp")
            .arg(self.class_path(libraries)?)
            .args(sources)
            .arg("-d")
            .arg(jar))
    }

    /// Makes a jar, unless it was made before of these very files by this compiler.
    fn made(&self, jar: &Path, inputs: &[PathBuf], make: impl FnOnce(&Path) -> Outcome) -> Outcome {
        let stamp = jar.with_extension("inputs");
        let compiler = self.kotlin.canonicalize().map_err(|error| error.to_string())?;
        let now = format!("{}\n{}", compiler.display(), stamped(inputs)?);
        if jar.exists() && std::fs::read_to_string(&stamp).is_ok_and(|made| made == now) {
            return Ok(());
        }
        // What fails half-way is not there, and is made again.
        let _ = std::fs::remove_file(&stamp);
        let _ = std::fs::remove_file(jar);
        make(jar)?;
        std::fs::write(&stamp, now).map_err(|error| format!("{}: {error}", stamp.display()))
    }

    /// What calls the library from Java: it shows what can be caught there. Gives the folder of its classes.
    fn java(&self, product: &Path, out: &Path) -> Result<PathBuf, String> {
        let _ = std::fs::remove_dir_all(out);
        std::fs::create_dir_all(out).map_err(|error| error.to_string())?;
        run(Command::new("javac")
            .args(["-Werror", "-Xlint:all,-processing,-classfile", "--release", "17", "-cp"])
            .arg(self.class_path(&[product])?)
            .args(sources(&[&root().join(SOURCES).join("test/java")], "java")?)
            .arg("-d")
            .arg(out))?;
        Ok(out.to_path_buf())
    }
}

/// Says when one of these was changed, comes or goes.
fn stamped(inputs: &[PathBuf]) -> Result<String, String> {
    let mut stamp = String::new();
    for path in inputs {
        let meta = path.metadata().map_err(|error| format!("{}: {error}", path.display()))?;
        let modified = meta.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let nanoseconds = modified.unwrap_or_default().as_nanos();
        let _ = writeln!(stamp, "{} {} {nanoseconds}", path.display(), meta.len());
    }
    Ok(stamp)
}

/// The files of these folders whose names end so, in order; all of them without an ending.
fn sources(folders: &[&Path], ending: &str) -> Result<Vec<PathBuf>, String> {
    let (mut found, mut open) = (vec![], folders.iter().map(|folder| folder.to_path_buf()).collect::<Vec<_>>());
    while let Some(folder) = open.pop() {
        let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for entry in entries {
            let path = entry.map_err(|error| error.to_string())?.path();
            if path.is_dir() {
                open.push(path);
            } else if ending.is_empty() || path.extension().is_some_and(|extension| extension == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Each Kotlin snippet of the document as a file of its own, in a package of its own; what was another's is gone.
fn snippets(text: &str, folder: &Path) -> Result<Vec<PathBuf>, String> {
    std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let mut files = vec![];
    for (at, snippet) in page::blocks(text, "kotlin").iter().enumerate() {
        let file = folder.join(format!("Snippet{at}.kt"));
        let text = format!("package snippet{at}\n\n{snippet}");
        // Left alone when it is the same, so that it is not compiled again.
        if std::fs::read_to_string(&file).ok().as_ref() != Some(&text) {
            std::fs::write(&file, text).map_err(|error| error.to_string())?;
        }
        files.push(file);
    }
    for old in sources(&[folder], "")?.iter().filter(|old| !files.contains(old)) {
        std::fs::remove_file(old).map_err(|error| format!("{}: {error}", old.display()))?;
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let folder = std::env::temp_dir().join(format!("partway-xtask-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&folder).expect("a folder");
            Folder(folder)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_is_gone_from_the_document_is_not_compiled() {
        let folder = Folder::new("snippets");
        let two = "```kotlin\nval a = 1\n```\ntext\n```kotlin\nval b = 2\n```\n";
        assert_eq!(snippets(two, &folder.0).expect("two").len(), 2);
        let one = snippets("```kotlin\nval b = 2\n```\n", &folder.0).expect("one");
        assert_eq!(std::fs::read_to_string(&one[0]).expect("it"), "package snippet0\n\nval b = 2\n");
        assert_eq!(sources(&[&folder.0], "kt").expect("a list"), one);
    }

    #[test]
    fn a_source_that_comes_or_goes_is_noticed() {
        let folder = Folder::new("sources");
        let files: Vec<PathBuf> = ["a.kt", "b.kt"].map(|name| folder.0.join(name)).into();
        files.iter().for_each(|file| std::fs::write(file, "1").expect("written"));
        let both = stamped(&files).expect("both");
        assert_eq!(stamped(&files).expect("again"), both);
        assert_ne!(stamped(&files[..1]).expect("one"), both, "a source that goes");
        std::fs::write(&files[0], "12").expect("written");
        assert_ne!(stamped(&files).expect("changed"), both);
    }
}
